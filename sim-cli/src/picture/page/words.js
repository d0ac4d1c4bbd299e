// Times in words, as the program writes them.

/** The unit in which so many nanoseconds read well, and how many nanoseconds it has. */
function unitOf(ns) {
  if (ns < 1e3) return ["ns", 1];
  if (ns < 1e6) return ["µs", 1e3];
  if (ns < 1e9) return ["ms", 1e6];
  return ["s", 1e9];
}

/** A length of time with four digits at most: `25 ms`, `1.234 s`. */
function readable(ns) {
  const digits = Math.max(1, String(Math.round(ns)).length);
  const step = 10 ** Math.max(0, digits - 4);
  const rounded = Math.round(ns / step) * step;
  const [unit, scale] = unitOf(rounded);
  return `${Number((rounded / scale).toFixed(3))} ${unit}`;
}

/** An instant, exact enough to tell it from its neighbours where a pixel is so many nanoseconds. */
function instant(ns, pixel) {
  const [unit, scale] = unitOf(ns);
  const decimals = Math.min(9, Math.max(0, Math.ceil(Math.log10(scale / Math.max(1, pixel)))));
  return `${Number((ns / scale).toFixed(decimals))} ${unit}`;
}

/** Round instants between two, at most so many: where, and what stands there. */
function ticks(from, to, most) {
  const least = Math.max(1, (to - from) / Math.max(1, most));
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999);
  const [unit, scale] = unitOf(to);
  const decimals = Math.max(0, Math.ceil(Math.log10(scale) - Math.log10(step) - 1e-9));
  const marks = [];
  for (let index = Math.ceil(from / step); index * step <= to; index += 1) {
    const at = index * step;
    marks.push({ at, label: at === 0 ? "0" : `${(at / scale).toFixed(Math.min(9, decimals))} ${unit}` });
  }
  return marks;
}

/** `1 task`, `2 tasks`. */
function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
