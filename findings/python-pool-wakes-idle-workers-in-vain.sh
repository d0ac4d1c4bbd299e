#!/usr/bin/env bash
# CPython 3.11.7, 3.12.1, 3.13.0 (glibc 2.36, Linux 6.18): ThreadPoolExecutor, four idle workers, one task that computes for 60 ms. Up to 3.12
# a second worker wakes up although there is nothing for it: the workers stand behind the one lock of a SimpleQueue, and whoever
# has taken a task from it lets the next one in. That one must have the interpreter lock to find out, asks the first to drop
# it when 5 ms are over, and goes back to sleep. From 3.13 on a task is handed to one worker, and nobody else wakes up.
#
# Seen: of the three workers that have nothing to do 1 wakes up per task in 3.11.7 and 3.12.1, 0 in 3.13.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" - <<'PYTHON'
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor

workers = []
together = threading.Barrier(4)

def computes():
    end = time.monotonic() + 0.06
    while time.monotonic() < end:
        pass
    return threading.get_native_id()

def wakes(thread):
    with open(f"/proc/self/task/{thread}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))

def joins():
    workers.append(threading.get_native_id())
    together.wait()

with ThreadPoolExecutor(4) as pool:
    for ready in [pool.submit(joins) for _ in range(4)]:
        ready.result()
    woken = []
    for _ in range(5):
        time.sleep(0.05)
        before = {thread: wakes(thread) for thread in workers}
        worked = pool.submit(computes).result()
        time.sleep(0.05)
        woken.append(sum(wakes(thread) > before[thread] for thread in workers if thread != worked))

print(sys.version.split()[0], "- of three idle workers woke up:", *woken)
if sys.version_info < (3, 13):
    assert sorted(woken)[2] == 1, "one of them wakes up for nothing"
else:
    assert max(woken) == 0, "none of them wakes up"
PYTHON
