#!/usr/bin/env bash
# uvloop 0.23.0 (CPython 3.11.7, Linux 6.18) rounds a delay to the nearest millisecond, halves to the even one, so a sleep
# can end early: sleep(0.5 ms) ends at once and sleep(2.5 ms) after 2. asyncio's own loop rounds the wait up and is never
# early. Whoever changes the loop of a program changes the meaning of its timers.
#
# Seen (median of 20, ms):   asked   asyncio   uvloop
#                             0.5     1.16      0.002
#                             1.5     2.15      2.11
#                             2.5     3.18      2.12
#                             3.5     4.15      4.13
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio, time, uvloop

async def medians():
    found = {}
    for asked in (0.5, 1.5, 2.5, 3.5):
        lengths = []
        for _ in range(20):
            begin = time.perf_counter()
            await asyncio.sleep(asked / 1000)
            lengths.append((time.perf_counter() - begin) * 1000)
        found[asked] = sorted(lengths)[10]
    return found

with asyncio.Runner() as runner:
    plain = runner.run(medians())
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    uv = runner.run(medians())
print("asked, asyncio, uvloop (ms)")
for asked in plain:
    print(f"{asked}, {plain[asked]:.3f}, {uv[asked]:.3f}")
assert all(length >= asked for asked, length in plain.items()), "asyncio is never early"
assert uv[0.5] < 0.5 and uv[2.5] < 2.5, "uvloop rounds halves to the even millisecond: down here"
assert uv[1.5] >= 1.5 and uv[3.5] >= 3.5, "and up here"
PYTHON
