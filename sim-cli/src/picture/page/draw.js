// How marks look: as in the other pictures of the program.

/** So many pixels at least has a stretch that is drawn by itself. */
const ALONE = 1.5;
/** Narrower ones are drawn together in columns so wide, in which heights are shares of the time. */
const COLUMN = 4;
const FONT = 'system-ui, "Segoe UI", "Noto Sans", sans-serif';

class Brush {
  constructor(context, data) {
    this.context = context;
    this.data = data;
    this.dark = false;
    this.used = new Set();
  }

  /** A colour by its name. */
  colour(name) {
    return this.data.colours[name][this.dark ? 1 : 0];
  }

  rect(x, y, width, height, colour) {
    this.context.fillStyle = colour;
    this.context.fillRect(x, y, width, height);
  }

  text(text, x, y, { size = 12, colour = "ink", align = "left", bold = false, room = Infinity } = {}) {
    const { context } = this;
    context.font = `${bold ? "600 " : ""}${size}px ${FONT}`;
    const shown = room === Infinity ? text : this.cut(text, room);
    if (shown === "") return;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.fillStyle = colour.startsWith("#") ? colour : this.colour(colour);
    context.fillText(shown, x, y);
  }

  /** As much of a text as there is room for: its end tells one instance from the other. */
  cut(text, room) {
    const { context } = this;
    if (context.measureText(text).width <= room) return text;
    const letters = [...text];
    for (let kept = letters.length - 1; kept > 3; kept -= 1) {
      const tail = Math.min(6, kept >> 1);
      const shown = `${letters.slice(0, kept - tail).join("")}…${letters.slice(-tail).join("")}`;
      if (context.measureText(shown).width <= room) return shown;
    }
    return "";
  }

  fits(text, size, room) {
    // Most do not: no letter is narrower than a quarter of its size.
    if (text === "" || text.length * size * 0.25 > room) return false;
    this.context.font = `${size}px ${FONT}`;
    return this.context.measureText(text).width <= room;
  }

  /** The same small rectangle again and again; their places do not move with the edge of the window. */
  pattern(x, end, y, height, width, pitch, colour, offset = 2) {
    const first = x < -pitch ? x + pitch * Math.floor(-x / pitch) : x;
    for (let at = first + offset; at + Math.min(width, 2) <= end; at += pitch) {
      this.rect(at, y, Math.min(width, end - at), height, colour);
    }
  }

  /** A mark from x to end in a lane; `own` is the colour of the task. */
  mark(mark, x, end, y, height, own) {
    this.used.add(mark);
    const middle = y + height / 2;
    const band = Math.max(4, height * 0.4);
    const width = end - x;
    switch (mark) {
      case "Running":
      case "Served":
      case "Holding":
        return this.rect(x, y, Math.max(1, width), height, own);
      case "Ready":
        return this.rect(x, middle - band / 2, width, band, this.colour("ready"));
      case "Throttled":
        this.rect(x, middle - band / 2, width, band, this.colour("throttled"));
        return this.pattern(x, end, middle - band / 2, band, 1, 4, this.colour("used-up"));
      case "Depleted":
        this.rect(x, middle - band / 2, width, band, this.colour("depleted"));
        return this.rect(x, middle - 0.5, width, 1, this.colour("budget"));
      case "Interpreter": {
        const line = Math.max(1, band / 4);
        this.rect(x, middle - band / 2, width, line, this.colour("interpreter"));
        return this.rect(x, middle + band / 2 - line, width, line, this.colour("interpreter"));
      }
      case "Blocked":
        return this.pattern(x, end, middle - 1, 2, 2, 6, this.colour("dots"));
      case "Blocking":
        return this.rect(x, middle - 1.5, width, 3, this.colour("dots"));
      case "Queued":
        return this.pattern(x, end, middle - 4, 8, 1, 6, this.colour("dots"));
      case "UnderWay":
        return this.pattern(x, end, middle - 1, 2, 6, 9, this.colour("dots"));
      case "Seek":
        this.context.globalAlpha *= 0.35;
        this.rect(x, y, Math.max(1, width), height, own);
        this.context.globalAlpha /= 0.35;
        return this.pattern(x, end, y, height, 2, 6, own, 1);
      case "Overhead":
        this.rect(x, y, Math.max(1, width), height, this.colour("overhead"));
        return this.pattern(x, end, y, height, 1, 4, this.colour("stripe"), 3);
      default:
        return this.rect(x, y, width, height, this.ground(mark));
    }
  }

  /** The colour of a mark where it is an area: a share of the time, or a number. */
  ground(mark) {
    const names = {
      Ready: "ready", ReadyArea: "ready", Throttled: "throttled", ThrottledArea: "throttled",
      Depleted: "depleted", DepletedArea: "depleted", Interpreter: "interpreter", InterpreterArea: "interpreter",
      Queued: "queued", QueuedArea: "queued", Blocked: "blocked", BlockedArea: "blocked", Blocking: "blocked",
      UnderWay: "blocked", Overhead: "overhead", Sharing: "shared", InService: "shared", Permits: "shared",
      Readers: "shared", Messages: "shared", Same: "same", PartlySame: "partly-same", Other: "other", Clash: "clash",
      Path: "path", Late: "clash",
    };
    return this.colour(names[mark] ?? "idle");
  }

  /** Marks at an instant. */
  point(mark, x, y, height, missed = false) {
    this.used.add(mark);
    const { context } = this;
    const ink = this.colour(missed ? "clash" : "ink");
    const middle = y + height / 2;
    const head = Math.min(4, Math.max(2, height / 8));
    const triangle = (...points) => {
      context.fillStyle = ink;
      context.beginPath();
      points.forEach(([px, py]) => context.lineTo(px, py));
      context.fill();
    };
    if (mark === "Arrival") {
      const half = Math.min(7, Math.max(4, height / 4));
      triangle([x - 1 - half, middle - half], [x - 1, middle], [x - 1 - half, middle + half]);
    } else if (mark === "Finish" || mark === "Aborted") {
      const half = Math.min(5, Math.max(3, height / 4));
      this.rect(x - half, middle - half, 2 * half, 2 * half, this.colour(mark === "Finish" ? "ink" : "clash"));
    } else if (mark === "Cut") {
      const half = Math.min(5, Math.max(3, height / 4));
      context.strokeStyle = ink;
      context.lineWidth = 2.5;
      context.beginPath();
      context.moveTo(x - half, middle - half);
      context.lineTo(x + half, middle + half);
      context.moveTo(x - half, middle + half);
      context.lineTo(x + half, middle - half);
      context.stroke();
    } else if (mark === "Released") {
      this.rect(x - 0.5, y, 1, height / 2, ink);
      triangle([x - head, y], [x, y - head - 1], [x + head, y]);
    } else if (mark === "Due") {
      this.rect(x - 0.5, middle, 1, height / 2, ink);
      triangle([x - head, y + height], [x, y + height + head + 1], [x + head, y + height]);
    }
  }
}

/** Many narrow stretches: their shares of a few pixels, by colour. */
class Shares {
  constructor(brush) {
    this.brush = brush;
    this.sums = new Map();
    this.from = this.to = 0;
  }

  /** One more; `alone` draws it if it stays alone. */
  add(x, end, colour, y, height, alone) {
    if (this.sums.size > 0 && (x > this.to + 0.5 || end - this.from > COLUMN)) this.flush(y, height);
    this.alone = this.sums.size === 0 ? alone : null;
    if (this.sums.size === 0) this.from = x;
    this.to = end;
    this.sums.set(colour, (this.sums.get(colour) ?? 0) + (end - x));
  }

  flush(y, height) {
    if (this.sums.size === 0) return;
    if (this.alone) {
      this.sums.clear();
      return this.alone(this.from, this.to);
    }
    // Edges between points of the screen would be blurred, and slow.
    const from = Math.round(this.from);
    const width = Math.max(1, Math.round(this.to) - from);
    let sum = 0;
    for (const part of this.sums.values()) sum += part;
    // What is all but nothing is a line of a pixel all the same; idle time between is room.
    const whole = Math.max(sum, this.to - this.from) || 1;
    let [reached, below] = [0, y + height];
    for (const [colour, part] of this.sums) {
      reached += sum === 0 ? height / this.sums.size : (part / whole) * height;
      const top = Math.round(y + height - reached);
      if (top < below) this.brush.rect(from, top, width, below - top, colour);
      below = top;
    }
    this.sums.clear();
  }
}
