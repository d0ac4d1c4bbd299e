// The view: which rows stand where, which part of the time is shown, and drawing that.

const AXIS = 24;
const GAP = 12;

class View {
  constructor(data, canvas, scroll, room) {
    Object.assign(this, { data, canvas, scroll, room });
    this.brush = new Brush(canvas.getContext("2d"), data);
    this.from = 0;
    this.to = data.extent;
    this.open = new Set();
    this.followed = null;
    this.matches = null;
    this.cursor = -1;
    this.fixed = 0;
    this.lay();
  }

  /** Places for all rows, headings and lines of text. */
  lay() {
    const items = [];
    let y = AXIS + 6;
    const add = (item, height, gap) => {
      items.push({ ...item, y: Math.round(y), height });
      y += height + gap;
    };
    for (const panel of this.data.panels) {
      if (panel.heading || panel.subtitle) add({ heading: panel }, 22, 4);
      add({ ending: panel }, 16, 4);
      for (const section of panel.sections) {
        const count = section.rows.length;
        const height = count <= 8 ? 26 : count <= 24 ? 20 : 16;
        for (const row of section.rows) {
          add({ row }, row.strip ? 14 : row.kind === undefined ? height : 64, row.strip ? 2 : 5);
          if (row.kind !== undefined && this.open.has(`${panel.index} ${row.kind}`)) {
            panel.specs.forEach((spec, task) => {
              if (spec === row.kind && panel.lives[task].length > 0) add({ row: panel.rowOf(task) }, 16, 3);
            });
          }
        }
        if (section.more) add({ more: section.more }, 16, 2);
        y += GAP;
      }
    }
    this.items = items;
    this.height = y;
    this.room.style.height = `${y}px`;
    const label = this.data.rows.reduce((widest, row) => {
      this.brush.context.font = `13px ${FONT}`;
      return Math.max(widest, this.brush.context.measureText(row.label).width + (row.kind === undefined ? 0 : 36));
    }, 60);
    this.wished = Math.min(260, label + 34);
  }

  /** The canvas is as large as its room, in points of the screen. */
  fit(width = this.scroll.clientWidth, height = this.scroll.clientHeight, ratio = window.devicePixelRatio || 1) {
    this.width = width;
    this.tall = height;
    this.ratio = ratio;
    this.left = Math.min(this.wished, width * 0.35);
    this.span = Math.max(50, width - this.left - 16);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  x(at) {
    return this.left + ((at - this.from) / (this.to - this.from)) * this.span;
  }

  time(x) {
    return this.from + ((x - this.left) / this.span) * (this.to - this.from);
  }

  get pixel() {
    return (this.to - this.from) / this.span;
  }

  /** Shows this part of the time, or the next best. */
  show(from, to) {
    const extent = this.data.extent;
    const length = Math.min(extent, Math.max(Math.min(20, extent), to - from));
    this.from = Math.min(Math.max(0, from), extent - length);
    this.to = this.from + length;
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    const left = (at - this.from) * factor;
    this.show(at - left, at - left + (this.to - this.from) * factor);
  }

  pan(time) {
    const length = this.to - this.from;
    const from = Math.min(Math.max(0, this.from + time), this.data.extent - length);
    this.show(from, from + length);
  }

  /** The row at a height of the canvas. */
  itemAt(y) {
    const at = y + this.scroll.scrollTop;
    if (y < AXIS) return null;
    return this.items.find((item) => at >= item.y - 2 && at < item.y + item.height + 3) ?? null;
  }

  /** Is a task the one that is followed? */
  follows(panel, task) {
    return this.followed !== null && panel.names[task] === this.followed;
  }

  /** Draws all that is seen. */
  draw() {
    const { brush, width, tall } = this;
    const { context } = brush;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    brush.rect(0, 0, width, tall, brush.colour("paper"));
    const marks = ticks(this.from, this.to, Math.max(2, Math.floor(this.span / 100)));
    for (const tick of marks) brush.rect(this.x(tick.at), AXIS, 1, tall - AXIS, brush.colour("grid"));
    const top = this.scroll.scrollTop;
    context.save();
    context.beginPath();
    context.rect(0, AXIS, width, tall - AXIS);
    context.clip();
    for (const [index, item] of this.items.entries()) {
      if (item.y + item.height + 8 >= top && item.y - 8 <= top + tall) this.item(item, item.y - top, index);
    }
    context.restore();
    brush.rect(0, 0, width, AXIS, brush.colour("paper"));
    brush.rect(this.left, AXIS - 1, this.span, 1, brush.colour("dots"));
    for (const tick of marks) {
      const x = this.x(tick.at);
      brush.rect(x, AXIS - 6, 1, 6, brush.colour("dots"));
      brush.text(tick.label, Math.min(x, width - 30), AXIS / 2 - 2, { colour: "quiet", align: "center" });
    }
    if (this.chosen) {
      const [one, other] = this.chosen.map((at) => this.x(at));
      context.globalAlpha = 0.2;
      brush.rect(Math.min(one, other), 0, Math.abs(other - one), tall, brush.colour("ink"));
      context.globalAlpha = 1;
    }
  }

  item(item, y, index) {
    const { brush } = this;
    if (item.heading) {
      brush.rect(8, y - 3, this.width - 16, 1, brush.colour("ready"));
      const { heading, subtitle } = item.heading;
      brush.text(heading, 10, y + 11, { size: 15, bold: true });
      const after = heading ? brush.context.measureText(heading).width + 22 : 10;
      brush.text(subtitle, after, y + 11, { size: 12, colour: "quiet", room: this.width - after - 8 });
    } else if (item.ending) {
      const x = this.x(item.ending.makespan);
      if (x < this.left || x > this.left + this.span + 1) return;
      brush.context.font = `600 12px ${FONT}`;
      const half = brush.context.measureText(item.ending.ending).width / 2;
      const middle = Math.max(half + 4, Math.min(x, this.width - half - 4));
      brush.text(item.ending.ending, middle, y + 8, { bold: true, align: "center" });
    } else if (item.more) {
      brush.text(item.more, this.left, y + 8, { colour: "quiet", room: this.span });
    } else {
      this.row(item, y, index);
    }
  }

  row({ row, height }, y, index) {
    const { brush, left, span } = this;
    const { context } = brush;
    const isFollowed = row.task >= 0 && this.follows(row.panel, row.task);
    if (isFollowed || index === this.cursor) {
      context.globalAlpha = isFollowed ? 0.16 : 0.1;
      brush.rect(0, y - 2, this.width, height + 4, brush.colour("ink"));
      context.globalAlpha = 1;
    }
    const sign = row.kind === undefined ? "" : this.open.has(`${row.panel.index} ${row.kind}`) ? "▾ " : "▸ ";
    const matches = this.matches !== null && row.label.toLowerCase().includes(this.matches);
    const size = height > 20 ? 13 : 12;
    const right = left - (row.kind === undefined ? 12 : 30);
    const style = { size, align: "right", bold: isFollowed || matches, colour: matches ? "warning" : "ink", room: right - 6 };
    brush.text(sign + row.label, right, y + height / 2, style);
    context.save();
    context.beginPath();
    context.rect(left - 8, y - 8, span + 16, height + 16);
    context.clip();
    for (const content of row.contents) {
      if (content.sort === "turns") this.turns(row, content, y, height);
      else if (content.sort === "life") this.life(row, content, y, height);
      else if (content.sort === "numbers") this.numbers(row, content, y, height);
      else this.likeness(content, y, height);
    }
    context.restore();
    if (row.kind !== undefined) {
      const most = row.contents[0].most;
      brush.text(String(most), left - 6, y + 5, { size: 10, colour: "quiet", align: "right" });
      brush.text("0", left - 6, y + height - 4, { size: 10, colour: "quiet", align: "right" });
    }
  }

  /** Visits the stretches that are seen; those too narrow to be seen are given to `small`, which says in which colour. */
  walk(lane, large, small, y, height) {
    const scale = this.span / (this.to - this.from);
    const end = this.left + this.span;
    const shares = new Shares(this.brush);
    for (let index = lane.after(this.from); index < lane.length && lane.from[index] < this.to; index += 1) {
      const x = Math.max(this.left, this.left + (lane.from[index] - this.from) * scale);
      const to = Math.min(end, this.left + (lane.to[index] - this.from) * scale);
      if (to - x < ALONE) {
        const colour = small(index);
        shares.add(x, to, colour, y, height, (from, end) => large(index, from, end));
      } else {
        shares.flush(y, height);
        large(index, x, to);
      }
    }
    shares.flush(y, height);
  }

  own(panel, task) {
    const hue = this.data.hues[panel.own[task]];
    return hue ? hue[0] : this.brush.colour("quiet");
  }

  /** Of a task that is not followed while another is, less is seen. */
  fade(panel, task) {
    this.brush.context.globalAlpha = this.followed === null || this.follows(panel, task) ? 1 : 0.22;
  }

  turns(row, { mark, lane }, y, height, named = height >= 14) {
    const { brush } = this;
    const { panel } = row;
    const x = this.x(0);
    brush.rect(Math.max(this.left, x), y, Math.min(this.x(this.data.extent), this.left + this.span) - Math.max(this.left, x), height, brush.colour("idle"));
    brush.used.add("Idle");
    const look = (index) => {
      const task = Math.floor(lane.what[index] / 8);
      return [DONE[lane.what[index] % 8], task];
    };
    const large = (index, from, to) => {
      const [done, task] = look(index);
      this.fade(panel, task);
      const own = this.own(panel, task);
      if (done === "clash") brush.mark("Clash", from, to, y, height, own);
      else if (done === "seek") brush.mark("Seek", from, to, y, height, own);
      else if (done === "run") {
        // A hair of paper before the next.
        brush.mark(mark, from, to - from > 4 ? to - 1 : to, y, height, own);
        const name = panel.name(task);
        const shown = [name, name.split("/").pop(), name.includes("#") ? name.slice(name.lastIndexOf("#")) : ""]
          .find((text) => named && brush.fits(text, 12, to - from - 8));
        if (shown) brush.text(shown, (from + to) / 2, y + height / 2, { align: "center", colour: this.data.hues[panel.own[task]]?.[1] ?? "ink" });
        if (this.follows(panel, task)) this.outline(from, to, y, height);
      } else {
        brush.mark("Overhead", from, to, y, height, own);
        if (done === "start") {
          const words = `start of ${panel.name(task)}`;
          if (named && brush.fits(words, 12, to - from - 8)) brush.text(words, (from + to) / 2, y + height / 2, { align: "center", colour: "paper" });
        }
      }
    };
    const small = (index) => {
      const [done, task] = look(index);
      if (this.followed !== null && !this.follows(panel, task)) return brush.colour("ready");
      if (done === "switch" || done === "start") return brush.colour("overhead");
      return done === "clash" ? brush.colour("clash") : this.own(panel, task);
    };
    this.walk(lane, large, small, y, height);
    brush.context.globalAlpha = 1;
  }

  outline(from, to, y, height) {
    const { context } = this.brush;
    context.strokeStyle = this.brush.colour("ink");
    context.lineWidth = 1.5;
    context.strokeRect(from + 0.75, y + 0.75, Math.max(1, to - from - 2), height - 1.5);
  }

  life(row, { task, lane }, y, height) {
    const { brush } = this;
    const { panel } = row;
    const own = this.own(panel, task);
    this.fade(panel, task);
    const codes = panel.codes;
    const waits = [];
    const large = (index, from, to) => {
      const code = codes[lane.what[index]];
      brush.mark(code.mark, from, to, y, height, own);
      if (code.onIt !== "") waits.push([code.onIt, from, to]);
    };
    const small = (index) => (codes[lane.what[index]].mark === "Running" ? own : brush.ground(codes[lane.what[index]].mark));
    this.walk(lane, large, small, y, height);
    for (const [words, from, right] of waits) {
      if (height < 16 || !brush.fits(words, 11, right - from - 30)) continue;
      const half = brush.context.measureText(words).width / 2 + 5;
      const middle = (from + right) / 2;
      brush.rect(middle - half, y + 1, 2 * half, height - 2, brush.colour("paper"));
      brush.text(words, middle, y + height / 2, { size: 11, colour: "quiet", align: "center" });
    }
    if (lane.length > 0) {
      brush.point("Arrival", this.x(lane.from[0]), y, height);
      const fate = panel.fates[task];
      if (fate > 0) brush.point(fate === 1 ? "Finish" : "Cut", this.x(lane.to[lane.length - 1]), y, height);
    }
    this.arrows(panel.jobs.get(task) ?? [], y, height);
    brush.context.globalAlpha = 1;
  }

  /** Releases, deadlines and lateness of the jobs of a task. */
  arrows(jobs, y, height) {
    const { brush } = this;
    let last = -Infinity;
    for (const job of jobs) {
      const late = job.missed && !job.aborted;
      const end = job.end ?? this.data.extent;
      if (job.release > this.to || Math.max(job.deadline, end) < this.from) continue;
      const [release, due] = [this.x(job.release), this.x(job.deadline)];
      if (late) brush.mark("Late", Math.max(this.left, due), Math.max(due + 2, this.x(end)), y + height - 4, 4, "");
      if (job.aborted) brush.point("Aborted", due, y, height);
      // Closer together they would be a wall: ticks, and what is late.
      if (release - last < 7 && !job.missed) continue;
      last = release;
      brush.point("Released", release, y, height);
      if (job.deadline <= this.data.extent) brush.point("Due", due, y, height, job.missed);
    }
  }

  numbers(row, { layers, most, states, lane }, y, height) {
    const { brush } = this;
    if (row.contents.length === 1 && row.kind === undefined) brush.rect(Math.max(this.left, this.x(0)), y, Math.min(this.span, this.x(this.data.extent) - this.left), height, brush.colour("idle"));
    const colours = layers.map(([mark, hue]) => (hue === null ? brush.ground(mark) : this.data.hues[hue][0]));
    layers.forEach(([mark], layer) => {
      if (states.some(([counts]) => counts[layer] > 0)) brush.used.add(mark);
    });
    const column = (from, to, counts) => {
      let bottom = y + height;
      counts.forEach((count, layer) => {
        if (count === 0) return;
        const part = (count / Math.max(1, most)) * height;
        // Whole points: neighbours would show a seam.
        const left = Math.round(from);
        brush.rect(left, bottom - part, Math.max(1, Math.round(to) - left), part, colours[layer]);
        bottom -= part;
      });
    };
    // Narrow stretches together are as high as their mean.
    const scale = this.span / (this.to - this.from);
    let [from, to, sums] = [0, 0, null];
    const flush = () => {
      if (sums) column(from, to, sums.map((sum) => sum / Math.max(1e-9, to - from)));
      sums = null;
    };
    for (let index = lane.after(this.from); index < lane.length && lane.from[index] < this.to; index += 1) {
      const x = Math.max(this.left, this.left + (lane.from[index] - this.from) * scale);
      const end = Math.min(this.left + this.span, this.left + (lane.to[index] - this.from) * scale);
      const [counts, words] = states[lane.what[index]];
      if (end - x >= ALONE) {
        flush();
        column(x, end, counts);
        if (counts[0] > 0 && height <= 30 && brush.fits(words, 11, end - x - 8)) brush.text(words, (x + end) / 2, y + height / 2, { size: 11, align: "center" });
        continue;
      }
      if (sums && end - from > COLUMN) flush();
      if (!sums) [from, sums] = [x, counts.map(() => 0)];
      to = end;
      counts.forEach((count, layer) => {
        sums[layer] += count * (end - x);
      });
    }
    flush();
  }

  likeness({ marks, lane }, y, height) {
    const large = (index, from, to) => this.brush.mark(marks[lane.what[index]], from, to, y, height, "");
    this.walk(lane, large, (index) => this.brush.ground(marks[lane.what[index]]), y, height);
  }
}
