#!/usr/bin/env bash
# CPython 3.11.7, 3.12.1, 3.13.0 (glibc 2.36, Linux 6.18): two threads that take a Semaphore(1), work and give it back, over and over, take no turns: one
# does everything, then the other. So do two that pass a token through a queue.Queue. Who waits has a lock of its own, by which it is woken at
# each release; but to look at the semaphore it must have the interpreter lock, which it gets 5 ms later, in the middle of a section of the other, finds
# nothing, and waits anew. A Lock, which is taken without the interpreter lock, changes hands with the kernel's ticks on one processor.
#
# Seen (300 sections of 0.15 ms each, one processor): Lock 26 to 30 runs of one owner, Semaphore and Queue 2 or 3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 - <<'PYTHON'
import os, queue, threading

os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])

def runs(take, give, sections=300):
    owners, begin = [], threading.Barrier(2)

    def loop(name):
        begin.wait()
        for _ in range(sections):
            take()
            owners.append(name)
            for _ in range(5000):
                pass
            give()

    threads = [threading.Thread(target=loop, args=name) for name in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1 + sum(one != other for one, other in zip(owners, owners[1:]))

lock, semaphore, token = threading.Lock(), threading.Semaphore(1), queue.Queue()
token.put(None)
seen = {
    "Lock": runs(lock.acquire, lock.release),
    "Semaphore(1)": runs(semaphore.acquire, semaphore.release),
    "Queue with one token": runs(token.get, lambda: token.put(None)),
}
for what, count in seen.items():
    print(f"{what}: {count} runs of one owner")
assert seen["Lock"] > 6, "a lock changes hands"
assert seen["Semaphore(1)"] <= 4 and seen["Queue with one token"] <= 4, "the others do not"
PYTHON
