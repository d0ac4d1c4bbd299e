// The page: its parts put together, and what mouse and keys do.

const find = (id) => document.getElementById(id);
const data = new Data(find("data").textContent);
const view = new View(data, find("rows"), find("scroll"), find("room"));
const overview = find("overview");
const thin = new Brush(overview.getContext("2d"), data);
// All of the time is drawn once, and copied from here.
const drawn = document.createElement("canvas");
const flat = new Brush(drawn.getContext("2d"), data);
let due = 0;

/** Draws with the next picture of the screen, once. */
function draw() {
  if (!due) due = requestAnimationFrame(redraw);
}

/** Draws at once, and says how long that took, in milliseconds. */
function redraw() {
  due = 0;
  const start = performance.now();
  view.draw();
  drawOverview();
  const took = performance.now() - start;
  find("shown").textContent = `${instant(view.from, view.pixel)} – ${instant(view.to, view.pixel)} of ${readable(data.extent)}`;
  legend();
  return took;
}

/** All of the time: what the processors do, and where they do something else than in the other timeline. */
let strip = "";
function drawOverview() {
  const [width, height, ratio] = [overview.clientWidth, 44, window.devicePixelRatio || 1];
  // On paper it is not there.
  if (width === 0) return;
  const { context } = thin;
  thin.dark = flat.dark = view.brush.dark;
  const state = `${width} ${ratio} ${view.left} ${thin.dark} ${view.followed}`;
  if (strip !== state) {
    strip = state;
    for (const canvas of [overview, drawn]) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    flat.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    flat.rect(0, 0, width, height, flat.colour("paper"));
    const rows = data.rows.filter((row) => row.strip || row.contents.some((content) => content.mark === "Running")).slice(0, 16);
    const all = Object.assign(Object.create(view), { brush: flat, from: 0, to: data.extent });
    const each = (height - 8) / Math.max(1, rows.length);
    rows.forEach((row, index) => {
      const [y, tall] = [4 + index * each, Math.max(1, each - 1)];
      if (row.strip) all.likeness(row.contents[0], y, tall);
      else all.turns(row, row.contents[0], y, tall, false);
    });
    flat.text("all", view.left - 12, height / 2, { colour: "quiet", align: "right" });
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(drawn, 0, 0);
  const place = (at) => view.left + (at / data.extent) * view.span;
  const [from, to] = [place(view.from), place(view.to)];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.globalAlpha = 0.65;
  thin.rect(view.left, 0, from - view.left, height, thin.colour("paper"));
  thin.rect(to, 0, view.left + view.span - to, height, thin.colour("paper"));
  context.globalAlpha = 1;
  context.strokeStyle = thin.colour("ink");
  context.lineWidth = 1.5;
  context.strokeRect(from, 0.75, Math.max(2, to - from), height - 1.5);
}

/** What the marks mean that were drawn so far. */
let explained = "";
function legend() {
  const used = data.marks.filter(([mark]) => view.brush.used.has(mark));
  const state = `${used.map(([mark]) => mark)} ${view.brush.dark}`;
  if (state === explained) return;
  explained = state;
  const said = new Set();
  find("legend").replaceChildren(
    ...used.filter(([, words]) => !said.has(words) && said.add(words)).map(([mark, words]) => {
      const swatch = element("canvas");
      const ratio = window.devicePixelRatio || 1;
      [swatch.width, swatch.height] = [30 * ratio, 16 * ratio];
      [swatch.style.width, swatch.style.height] = ["30px", "16px"];
      const brush = new Brush(swatch.getContext("2d"), data);
      brush.dark = view.brush.dark;
      brush.context.scale(ratio, ratio);
      if (["Arrival", "Finish", "Cut", "Released", "Due", "Aborted"].includes(mark)) brush.point(mark, 15, 4, 9);
      else if (mark === "Late") brush.rect(0, 6, 30, 4, brush.colour("clash"));
      else if (["Running", "Served", "Holding"].includes(mark)) {
        const hues = data.hues.slice(0, 3);
        hues.forEach(([colour], index) => brush.rect((index * 30) / hues.length, 2, 30 / hues.length - 1, 12, colour));
      } else brush.mark(mark, 0, 30, 1, 14, data.hues[0]?.[0] ?? brush.colour("quiet"));
      const entry = element("span");
      entry.append(swatch, element("span", words));
      return entry;
    }),
  );
}

/** Follows a task, by its name, or nobody. */
function follow(name, scrolls = false) {
  view.followed = name;
  find("unfollow").hidden = name === null;
  if (name !== null && scrolls) reveal(name);
  taskTold(view, find("task"));
  resize();
}

/** Scrolls to the row of a task, and opens its kind if it has none of its own. */
function reveal(name) {
  const shown = () => view.items.findIndex((item) => item.row && item.row.label === name);
  if (shown() < 0) {
    for (const panel of data.panels) {
      const task = panel.byName.get(name);
      if (task !== undefined) view.open.add(`${panel.index} ${panel.specs[task]}`);
    }
    view.lay();
  }
  select(shown());
}

/** Puts the cursor on a row. */
function select(index) {
  const item = view.items[index];
  if (!item) return;
  view.cursor = index;
  const { scroll } = view;
  if (item.y - AXIS - 8 < scroll.scrollTop) scroll.scrollTop = item.y - AXIS - 8;
  else if (item.y + item.height + 8 > scroll.scrollTop + view.tall) scroll.scrollTop = item.y + item.height + 8 - view.tall;
  draw();
}

/** The rows from one to the next, up or down. */
function step(by) {
  let index = view.cursor + by;
  while (view.items[index] && !view.items[index].row) index += by;
  select(index);
}

/** Opens or closes a kind of tasks. */
function toggle(row) {
  const key = `${row.panel.index} ${row.kind}`;
  if (!view.open.delete(key)) view.open.add(key);
  view.lay();
  resize();
}

/** The task under a place: of its row, or of the turn there. */
function taskAt(item, at) {
  const { row } = item;
  if (row.task >= 0) return row.panel.name(row.task);
  for (const content of row.contents.filter((content) => content.sort === "turns")) {
    const index = content.lane.at(at);
    if (index >= 0) return row.panel.name(Math.floor(content.lane.what[index] / 8));
  }
  return null;
}

/** Goes to the next or previous change of the task that is followed. */
function jump(by) {
  const panel = data.panels.find((panel) => panel.byName.has(view.followed));
  if (!panel) return;
  const lane = panel.lives[panel.byName.get(view.followed)];
  const middle = (view.from + view.to) / 2;
  const half = (view.to - view.from) / 2;
  const index = by > 0 ? lane.after(middle) + 1 : lane.after(middle - 1) - 1;
  const at = index < 0 ? lane.from[0] : index >= lane.length ? lane.to[lane.length - 1] : (lane.from[index] + lane.to[index]) / 2;
  view.show(at - half, at + half);
  draw();
}

/** All of the life of the task that is followed. */
function whole() {
  const lanes = data.panels.filter((panel) => panel.byName.has(view.followed)).map((panel) => panel.lives[panel.byName.get(view.followed)]).filter((lane) => lane.length > 0);
  if (lanes.length === 0) return;
  const from = Math.min(...lanes.map((lane) => lane.from[0]));
  const to = Math.max(...lanes.map((lane) => lane.to[lane.length - 1]));
  view.show(from - (to - from) * 0.03, to + (to - from) * 0.03);
  draw();
}

/** Light or dark: what the system has, until somebody chooses. */
const night = matchMedia("(prefers-color-scheme: dark)");
function colour(dark) {
  view.brush.dark = dark;
  for (const [name, shades] of Object.entries(data.colours)) document.documentElement.style.setProperty(`--${name}`, shades[dark ? 1 : 0]);
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  find("theme").textContent = dark ? "Light" : "Dark";
  draw();
}

function resize() {
  view.scroll.style.flexBasis = `${view.height + 2}px`;
  view.fit();
  strip = "";
  draw();
}

/** What is under the pointer. */
const tip = find("tip");
function hover(event) {
  const box = view.canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const item = view.itemAt(y);
  const lines = item && x >= view.left - 8 ? told(view, item, view.time(x)) : null;
  view.canvas.style.cursor = item && item.row && (x < view.left ? item.row.task >= 0 || item.row.kind !== undefined : taskAt(item, view.time(x))) ? "pointer" : "default";
  tip.hidden = lines === null;
  if (!lines) return;
  tip.replaceChildren(...lines.map(([kind, text]) => element("p", text, kind)));
  const [right, bottom] = [window.innerWidth - tip.offsetWidth - 8, window.innerHeight - tip.offsetHeight - 8];
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, right))}px`;
  tip.style.top = `${Math.max(4, event.clientY + 18 > bottom ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18)}px`;
}

/** A press of the mouse until it is let go: moves what is shown, or chooses a part of the time. */
let press = null;
view.canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  const box = view.canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const chooses = event.shiftKey || y < AXIS;
  press = { x, y, from: view.from, to: view.to, top: view.scroll.scrollTop, chooses, moved: false };
  view.canvas.setPointerCapture(event.pointerId);
});
view.canvas.addEventListener("pointermove", (event) => {
  if (!press) return hover(event);
  const box = view.canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  press.moved ||= Math.hypot(x - press.x, y - press.y) > 4;
  if (!press.moved) return;
  tip.hidden = true;
  if (press.chooses) view.chosen = [view.time(press.x), view.time(x)];
  else {
    view.show(press.from, press.to);
    view.pan((press.x - x) * view.pixel);
    view.scroll.scrollTop = press.top + press.y - y;
  }
  draw();
});
view.canvas.addEventListener("pointerup", (event) => {
  const [was, chosen] = [press, view.chosen];
  press = view.chosen = null;
  if (!was) return;
  if (was.moved && chosen) view.show(Math.min(...chosen), Math.max(...chosen));
  if (!was.moved) click(was.x, was.y);
  draw();
  hover(event);
});
view.canvas.addEventListener("pointercancel", () => {
  press = view.chosen = null;
  draw();
});
view.canvas.addEventListener("pointerleave", () => {
  tip.hidden = true;
});

function click(x, y) {
  const item = view.itemAt(y);
  if (!item || !item.row) return;
  view.cursor = view.items.indexOf(item);
  if (item.row.kind !== undefined && x < view.left) return toggle(item.row);
  const name = x < view.left ? (item.row.task >= 0 ? item.row.panel.name(item.row.task) : null) : taskAt(item, view.time(x));
  if (name !== null) follow(name === view.followed ? null : name);
}

view.canvas.addEventListener("dblclick", (event) => {
  const box = view.canvas.getBoundingClientRect();
  view.zoom(0.25, view.time(event.clientX - box.left));
  draw();
});
view.canvas.addEventListener("wheel", (event) => {
  const box = view.canvas.getBoundingClientRect();
  const x = event.clientX - box.left;
  const sideways = event.shiftKey ? event.deltaX || event.deltaY : Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
  if (sideways !== 0) view.pan(sideways * view.pixel);
  else if (x < view.left) return;
  else view.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.005), view.time(x));
  event.preventDefault();
  draw();
  hover(event);
}, { passive: false });
view.scroll.addEventListener("scroll", draw);

/** The overview: a press goes there, a drag chooses. */
function choose(event, first) {
  const box = overview.getBoundingClientRect();
  const at = (clientX) => ((clientX - box.left - view.left) / view.span) * data.extent;
  const [one, other] = [at(first), at(event.clientX)];
  if (Math.abs(event.clientX - first) > 4) view.show(Math.min(one, other), Math.max(one, other));
  else view.pan(other - (view.from + view.to) / 2);
  draw();
}
overview.addEventListener("pointerdown", (event) => {
  const first = event.clientX;
  overview.setPointerCapture(event.pointerId);
  choose(event, first);
  overview.onpointermove = (moved) => Math.abs(moved.clientX - first) > 4 && choose(moved, first);
  overview.onpointerup = overview.onpointercancel = () => {
    overview.onpointermove = null;
  };
});

/** Who is found by a part of a name. */
const [search, found] = [find("search"), find("found")];
let [hits, chosenHit] = [[], 0];
function seek() {
  const wanted = search.value.trim().toLowerCase();
  view.matches = wanted === "" ? null : wanted;
  const names = new Map();
  const add = (name, what) => name.toLowerCase().includes(wanted) && !names.has(name) && names.set(name, what);
  if (wanted !== "") {
    data.rows.filter((row) => row.task < 0 && !row.strip).forEach((row) => add(row.label, "row"));
    data.panels.forEach((panel) => panel.names.forEach((name) => add(name, "task")));
  }
  hits = [...names];
  chosenHit = 0;
  tellHits();
  draw();
}
function tellHits() {
  const items = hits.slice(0, 50).map(([name, what], index) => {
    const item = element("li", name);
    item.append(element("small", what));
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(index === chosenHit));
    item.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      take(index);
    });
    return item;
  });
  if (hits.length > 50) items.push(element("li", `… and ${hits.length - 50} more`));
  if (hits.length === 0) items.push(element("li", "nobody is called so"));
  found.replaceChildren(...items);
  found.hidden = view.matches === null;
  search.setAttribute("aria-expanded", String(!found.hidden));
}
function take(index) {
  const hit = hits[index];
  if (!hit) return;
  found.hidden = true;
  if (hit[1] === "task") follow(hit[0], true);
  else select(view.items.findIndex((item) => item.row && item.row.label === hit[0]));
  view.canvas.focus();
}
search.addEventListener("input", seek);
search.addEventListener("blur", () => {
  found.hidden = true;
});
search.addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (steps[event.key]) {
    chosenHit = Math.max(0, Math.min(Math.min(hits.length, 50) - 1, chosenHit + steps[event.key]));
    tellHits();
    found.children[chosenHit]?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter") take(chosenHit);
  else if (event.key === "Escape") {
    search.value = "";
    seek();
    view.canvas.focus();
  } else return;
  event.preventDefault();
});

/** What keys do, wherever the focus is but in a field. */
const KEYS = {
  "+": () => view.zoom(0.5),
  "=": () => view.zoom(0.5),
  "-": () => view.zoom(2),
  0: () => view.show(0, data.extent),
  Home: () => view.show(0, view.to - view.from),
  End: () => view.pan(data.extent),
  ArrowLeft: () => view.pan((view.from - view.to) / 8),
  ArrowRight: () => view.pan((view.to - view.from) / 8),
  ArrowUp: () => step(-1),
  ArrowDown: () => step(1),
  PageUp: () => (view.scroll.scrollTop -= view.tall * 0.8),
  PageDown: () => (view.scroll.scrollTop += view.tall * 0.8),
  Enter: () => {
    const row = view.items[view.cursor]?.row;
    if (row && row.kind !== undefined) toggle(row);
    else if (row && row.task >= 0) follow(row.label === view.followed ? null : row.label);
  },
  n: () => jump(1),
  p: () => jump(-1),
  f: whole,
  d: () => colour(!view.brush.dark),
  "/": () => search.focus(),
  Escape: () => follow(null),
};
document.addEventListener("keydown", (event) => {
  const inField = event.target instanceof HTMLElement && event.target.matches("input, button, summary");
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || (inField && event.key !== "Escape")) return;
  act();
  event.preventDefault();
  draw();
});

find("in").addEventListener("click", () => (view.zoom(0.5), draw()));
find("out").addEventListener("click", () => (view.zoom(2), draw()));
find("all").addEventListener("click", () => (view.show(0, data.extent), draw()));
find("unfollow").addEventListener("click", () => follow(null));
find("theme").addEventListener("click", () => colour(!view.brush.dark));
find("print").addEventListener("click", () => window.print());
night.addEventListener("change", () => colour(night.matches));
window.addEventListener("resize", resize);

/** On paper: by day, sharp, and as high as what is there, but no higher than a page. */
let before = null;
window.addEventListener("beforeprint", () => {
  before = { dark: view.brush.dark, top: view.scroll.scrollTop };
  colour(false);
  const height = Math.min(view.height - before.top, Math.max(view.tall, 620));
  view.fit(1100, height, 2);
  redraw();
});
window.addEventListener("afterprint", () => {
  colour(before.dark);
  resize();
  view.scroll.scrollTop = before.top;
});

/** The words around the rows. */
function tell() {
  find("subtitle").textContent = data.subtitle;
  find("note").textContent = data.note;
  const several = data.panels.length > 1;
  find("findings").append(...data.panels.flatMap((panel) => panel.findings.map((finding) => element("li", several && panel.heading ? `${panel.heading}: ${finding}` : finding))));
  const names = [...new Set(data.panels.flatMap((panel) => panel.figures.map(([name]) => name)))];
  const line = (cells) => {
    const made = element("tr");
    made.append(...cells);
    return made;
  };
  const heads = several ? [element("th"), ...names.map((name) => element("th", name))] : names.map((name) => element("th", name));
  const rows = data.panels.map((panel) => {
    const cells = names.map((name) => element("td", panel.figures.find(([own]) => own === name)?.[1] ?? "–"));
    return line(several ? [element("th", panel.heading), ...cells] : cells);
  });
  find("figures").append(line(heads), ...rows);
}

tell();
colour(night.matches);
resize();
if (data.view[0] < data.view[1]) view.show(...data.view);
redraw();

/** For scripts that drive the page: where an instant of a row is on the screen, and how long it takes to draw. */
window.simPage = {
  place(label, ns, panel = 0) {
    const item = view.items.find((item) => item.row && item.row.label === label && item.row.panel.index === panel);
    const box = view.canvas.getBoundingClientRect();
    return { x: box.left + view.x(ns), y: box.top + item.y + item.height / 2 - view.scroll.scrollTop };
  },
  redraw,
  state: () => ({ from: view.from, to: view.to, followed: view.followed, dark: view.brush.dark, rows: view.items.filter((item) => item.row).length }),
};
