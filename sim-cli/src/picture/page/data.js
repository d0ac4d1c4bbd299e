// The data of the page: unpacked once into arrays of numbers, in which a moment is found by halving.

/** Stretches of time in order, none of which overlap: from when to when, and a number that says what. */
class Lane {
  constructor(length) {
    this.from = new Float64Array(length);
    this.to = new Float64Array(length);
    this.what = new Float64Array(length);
    this.length = length;
  }

  /** The first stretch that ends after an instant. */
  after(at) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.to[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The stretch at an instant, or -1. */
  at(at) {
    const index = this.after(at);
    return index < this.length && this.from[index] <= at ? index : -1;
  }

  /** Of pairs of a length and a number, without holes. */
  static paired(numbers, start, first) {
    const lane = new Lane((numbers.length - first) / 2);
    let at = start;
    for (let index = 0; index < lane.length; index += 1) {
      lane.from[index] = at;
      at += numbers[first + 2 * index];
      lane.to[index] = at;
      lane.what[index] = numbers[first + 2 * index + 1];
    }
    return lane;
  }

  /** Of triples of a gap, a length and a number. */
  static spaced(numbers) {
    const lane = new Lane(numbers.length / 3);
    let at = 0;
    for (let index = 0; index < lane.length; index += 1) {
      at += numbers[3 * index];
      lane.from[index] = at;
      at += numbers[3 * index + 1];
      lane.to[index] = at;
      lane.what[index] = numbers[3 * index + 2];
    }
    return lane;
  }
}

/** What is done for the task of a turn. */
const DONE = ["run", "switch", "start", "seek", "clash"];

/** One timeline. */
class Panel {
  constructor(raw, index) {
    Object.assign(this, raw);
    this.index = index;
    // Long texts at once: what a piece of a life is, by its code.
    this.codes = raw.codes.map(([mark, onIt, noun, behind, meanwhile, row, seen]) => ({
      mark,
      onIt: raw.texts[onIt],
      noun: row === 0 ? raw.texts[noun].replace("\u0001", () => raw.names[behind - 1] ?? "") : raw.texts[noun],
      behind: behind - 1,
      meanwhile: raw.texts[meanwhile],
      row: raw.texts[row],
      seen: raw.texts[seen],
    }));
    this.lives = raw.lives.map((life) => Lane.paired(life, life[0] ?? 0, 1));
    // Rows show what a task is at, whatever the causes are.
    this.shown = this.lives.map((lane) => this.merged(lane));
    this.jobs = new Map();
    for (let at = 0; at < raw.jobs.length; at += 5) {
      const [task, release, due, over, state] = raw.jobs.slice(at, at + 5);
      if (!this.jobs.has(task)) this.jobs.set(task, []);
      const end = over === 0 ? null : release + over - 1;
      this.jobs.get(task).push({ release, deadline: release + due, end, missed: state > 0, aborted: state === 2 });
    }
    this.byName = new Map(raw.names.map((name, task) => [name, task]));
    this.sections = raw.sections.map((section) => ({
      more: section.more,
      rows: section.rows.map((row) => new Row(this, row)),
    }));
    const turns = this.sections.flatMap((section) => section.rows).filter((row) => row.contents.length === 1 && ["Running", "Holding"].includes(row.contents[0].mark));
    this.turns = new Map(turns.map((row) => [row.label, row.contents[0].lane]));
    delete this.texts;
  }

  /** A life in which what looks the same is one stretch. */
  merged(lane) {
    const looks = (index) => this.codes[lane.what[index]];
    const goesOn = (index) => index > 0 && looks(index).mark === looks(index - 1).mark && looks(index).onIt === looks(index - 1).onIt;
    const starts = [];
    for (let index = 0; index < lane.length; index += 1) if (!goesOn(index)) starts.push(index);
    const merged = new Lane(starts.length);
    starts.forEach((start, index) => {
      merged.from[index] = lane.from[start];
      merged.to[index] = lane.to[(starts[index + 1] ?? lane.length) - 1];
      merged.what[index] = lane.what[start];
    });
    return merged;
  }

  name(task) {
    return this.names[task] ?? "?";
  }

  /** The row of a task of a kind that is opened. */
  rowOf(task) {
    const row = new Row(this, { label: this.names[task], contents: [{ life: task }] });
    row.inner = true;
    return row;
  }

  /**
   * Visits what the pieces of a life between two instants went to, in order: from when to when, what, and what the one in the way did
   * meanwhile. Who had a processor or a lock for which a task waited its row tells.
   */
  causes(task, from, to, visit) {
    const lane = this.lives[task];
    for (let index = lane.after(from); index < lane.length && lane.from[index] < to; index += 1) {
      const code = this.codes[lane.what[index]];
      const [start, end] = [Math.max(from, lane.from[index]), Math.min(to, lane.to[index])];
      const turns = this.turns.get(code.row);
      if (!turns) {
        visit(start, end, code.noun, code.meanwhile);
        continue;
      }
      for (let turn = turns.after(start); turn < turns.length && turns.from[turn] < end; turn += 1) {
        const who = Math.floor(turns.what[turn] / 8);
        const noun = code.noun.replace("\u0001", () => this.name(who));
        const [first, last] = [Math.max(start, turns.from[turn]), Math.min(end, turns.to[turn])];
        // What that one did meanwhile its life tells.
        const life = this.lives[who];
        let at = first;
        for (let piece = life ? life.after(first) : 0; life && piece < life.length && life.from[piece] < last; piece += 1) {
          const to = Math.min(last, life.to[piece]);
          visit(at, to, noun, this.codes[life.what[piece]].seen);
          at = to;
        }
        if (at < last) visit(at, last, noun, "");
      }
    }
  }

  /** What a task is at, at an instant: the index of the piece of its life, or -1. */
  pieceAt(task, at) {
    return this.lives[task] ? this.lives[task].at(at) : -1;
  }
}

/** A row: its name, and what is in it, later above earlier. */
class Row {
  constructor(panel, raw) {
    this.panel = panel;
    this.label = raw.label;
    this.kind = raw.kind;
    this.inner = false;
    this.contents = raw.contents.map((content) => {
      if (content.life !== undefined) return { sort: "life", task: content.life, lane: panel.shown[content.life] };
      if (content.turns !== undefined) return { sort: "turns", mark: content.turns, lane: Lane.spaced(content.d) };
      const lane = Lane.paired(content.d, 0, 0);
      if (content.likeness) return { sort: "likeness", marks: content.likeness, lane };
      return { sort: "numbers", layers: content.numbers, most: content.most, states: content.states, lane };
    });
    const has = (sort) => this.contents.some((content) => content.sort === sort);
    this.life = this.contents.find((content) => content.sort === "life");
    this.task = this.life ? this.life.task : -1;
    this.strip = has("likeness");
  }
}

/** All that the page shows. */
class Data {
  constructor(text) {
    const raw = JSON.parse(text);
    Object.assign(this, raw);
    this.panels = raw.panels.map((panel, index) => new Panel(panel, index));
    this.meaning = new Map(raw.marks);
    // Who is who of the timelines, by name: what is followed in one is followed in all.
    this.rows = this.panels.flatMap((panel) => panel.sections.flatMap((section) => section.rows));
  }
}
