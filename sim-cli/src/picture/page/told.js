// What is told in words: of the place under the pointer, and of a task that is followed. Texts are set as texts, never as HTML.

/** An element with a text. */
function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

/** From when to when, and how long. */
function interval(from, to, pixel) {
  return `${instant(from, pixel)} – ${instant(to, pixel)} (${readable(to - from)})`;
}

/** What is under the pointer, in lines: a kind and a text each; null if it is nothing. */
function told(view, item, at) {
  const { row } = item;
  const pixel = view.pixel;
  const quiet = (text) => ["quiet", text];
  if (!row || at < 0 || at > view.data.extent) return null;
  const { panel } = row;
  const place = quiet(`${panel.heading ? `${panel.heading}: ` : ""}${row.label}`);
  if (row.strip) return likenessTold(view, row, at);
  if (row.life) return lifeTold(view, panel, row.task, at);
  for (const content of [...row.contents].reverse()) {
    const index = content.lane.at(at);
    if (content.sort === "numbers" && index >= 0) {
      const [counts, words] = content.states[content.lane.what[index]];
      if (counts.every((number) => number === 0) && row.contents.length > 1) continue;
      const parts = content.layers.map(([mark], layer) => [counts[layer], view.data.meaning.get(mark) ?? mark]).filter(([number]) => number > 0);
      const lines = words ? [["cause", words]] : parts.map(([number, meaning]) => ["", `${number}: ${meaning}`]);
      return [place, ...(lines.length > 0 ? lines : [["", "none"]]), quiet(interval(content.lane.from[index], content.lane.to[index], pixel))];
    }
    if (content.sort === "turns" && index >= 0) return turnTold(view, row, content, index, at, place);
  }
  const turns = row.contents.find((content) => content.sort === "turns");
  if (!turns) return null;
  const next = turns.lane.after(at);
  const from = next > 0 ? turns.lane.to[next - 1] : 0;
  const to = next < turns.lane.length ? turns.lane.from[next] : view.data.extent;
  return [place, ["", turns.mark === "Holding" ? "free" : "idle"], quiet(interval(from, to, pixel))];
}

function turnTold(view, row, { mark, lane }, index, at, place) {
  const { panel } = row;
  const [done, task] = [DONE[lane.what[index] % 8], Math.floor(lane.what[index] / 8)];
  const name = panel.name(task);
  const deeds = { run: { Running: "runs", Served: "is served", Holding: "holds it" }[mark], switch: "is switched to: overhead", start: "the start of its process", seek: "the device on its way (seek)", clash: "" };
  const what = done === "clash" ? "two tasks recorded at once" : `${name} ${deeds[done]}`;
  const lines = [place, ["", what], ["quiet", interval(lane.from[index], lane.to[index], view.pixel)]];
  const cause = done === "clash" ? null : causeAt(panel, task, at);
  if (cause && !(mark === "Running" && cause.words === "runs")) lines.push(["cause", cause.words]);
  if (mark === "Holding") {
    const behind = panel.lives.length > 5000 ? [] : panel.names.filter((_, other) => {
      const own = panel.pieceAt(other, at);
      const waits = own >= 0 ? panel.codes[panel.lives[other].what[own]] : null;
      return waits && waits.onIt === row.label && (waits.row === row.label || waits.behind === task);
    });
    if (behind.length > 0) lines.push(["", `behind it: ${behind.slice(0, 4).join(", ")}${behind.length > 4 ? ` and ${behind.length - 4} more` : ""}`]);
  }
  return lines;
}

/** What a moment of a life went to, and what the one in the way did meanwhile; from when to when that was so. */
function causeAt(panel, task, at) {
  const piece = panel.pieceAt(task, at);
  if (piece < 0) return null;
  const lane = panel.lives[task];
  let cause = null;
  // Of a long wait for a processor only what is around this moment.
  const turns = panel.turns.get(panel.codes[lane.what[piece]].row);
  const turn = turns ? turns.at(at) : -1;
  const [from, to] = turn < 0 ? [lane.from[piece], lane.to[piece]] : [Math.max(lane.from[piece], turns.from[turn]), Math.min(lane.to[piece], turns.to[turn])];
  panel.causes(task, from, to, (start, end, noun, meanwhile) => {
    if (start <= at && at < end) cause = { from: start, to: end, words: meanwhile ? `${noun}, which ${meanwhile}` : noun };
  });
  return cause;
}

function lifeTold(view, panel, task, at) {
  const lane = panel.lives[task];
  const index = lane.at(at);
  const name = [panel.heading ? "quiet" : "", panel.heading ? `${panel.heading}: ${panel.name(task)}` : panel.name(task)];
  const jobs = (panel.jobs.get(task) ?? []).map((job, number) => ({ ...job, number }));
  const job = jobs.findLast((job) => job.release <= at && at < Math.max(job.end ?? view.data.extent, job.deadline));
  const lines = [name];
  if (index < 0) lines.push(["", lane.length > 0 && at < lane.from[0] ? `arrives only at ${readable(lane.from[0])}` : "has ended"]);
  else {
    const code = panel.codes[lane.what[index]];
    // Its causes may change while it looks the same.
    const shown = panel.shown[task];
    const all = shown.at(at);
    lines.push(["", code.mark === "Running" ? "running" : view.data.meaning.get(code.mark) ?? code.mark]);
    lines.push(["quiet", interval(shown.from[all], shown.to[all], view.pixel)]);
    const cause = causeAt(panel, task, at);
    if (cause && cause.words !== "runs") {
      const isAll = shown.from[all] === cause.from && shown.to[all] === cause.to;
      lines.push(["cause", cause.words]);
      if (!isAll) lines.push(["quiet", `so from ${interval(cause.from, cause.to, view.pixel)}`]);
    }
  }
  if (job) {
    const end = job.aborted ? "aborted at its deadline" : job.end === null ? "has not ended" : `ended at ${readable(job.end)}`;
    lines.push(["quiet", `job ${job.number}: released at ${readable(job.release)}, deadline ${readable(job.deadline)}, ${end}${job.missed && !job.aborted ? ": late" : ""}`]);
  }
  return lines;
}

/** Of two timelines that are compared: who runs in each, and where. */
function likenessTold(view, row, at) {
  const { lane, marks } = row.contents[0];
  const index = lane.at(at);
  if (index < 0) return null;
  const lines = [["cause", view.data.meaning.get(marks[lane.what[index]]) ?? ""], ["quiet", interval(lane.from[index], lane.to[index], view.pixel)]];
  for (const panel of view.data.panels.slice(-2)) {
    const running = panel.sections.flatMap((section) => section.rows).flatMap((other) => {
      const turns = other.contents.find((content) => content.sort === "turns" && content.mark === "Running");
      const turn = turns ? turns.lane.at(at) : -1;
      return turn >= 0 && DONE[turns.lane.what[turn] % 8] === "run" ? [`${panel.name(Math.floor(turns.lane.what[turn] / 8))} on ${other.label}`] : [];
    });
    lines.push(["", `${panel.heading}: ${running.length > 0 ? running.join(", ") : "none"}`]);
  }
  return lines;
}

/** Where the time of a task went, the longest first: what, and how long. */
function sums(panel, task) {
  const parts = new Map();
  const lane = panel.lives[task];
  if (lane.length === 0) return [];
  panel.causes(task, lane.from[0], lane.to[lane.length - 1], (from, to, words) => {
    parts.set(words, (parts.get(words) ?? 0) + to - from);
  });
  return [...parts].sort(([, one], [, other]) => other - one);
}

/** A panel of words about a task that is followed, for each timeline in which it is. */
function taskTold(view, place) {
  place.replaceChildren();
  place.hidden = view.followed === null;
  for (const panel of view.data.panels) {
    const task = panel.byName.get(view.followed);
    if (task === undefined) continue;
    const lane = panel.lives[task];
    const title = element("h2", panel.heading ? `${panel.heading}: ${view.followed}` : view.followed);
    const block = element("div");
    block.append(title);
    if (lane.length > 0) {
      const [from, to] = [lane.from[0], lane.to[lane.length - 1]];
      const fate = ["unfinished at", "finished at", "rejected at", "aborted at", "ended itself at"][panel.fates[task]];
      block.append(element("span", `arrived at ${readable(from)}, ${fate} ${readable(to)}, after ${readable(to - from)}`, "quiet"));
      const table = element("table");
      const all = sums(panel, task);
      for (const [words, length] of all.slice(0, 6)) {
        const line = element("tr");
        line.append(element("td", readable(length)), element("td", `${((100 * length) / (to - from)).toFixed(1)} %`), element("td", words, "words"));
        table.append(line);
      }
      block.append(table);
      if (all.length > 6) block.append(element("p", `… and ${all.length - 6} more`, "quiet"));
    } else block.append(element("span", "never came", "quiet"));
    place.append(block);
  }
}
