#!/usr/bin/env bash
# CPython 3.11.7, 3.12.1, 3.13.0 (Linux 6.18): an idle event loop that has to wait for up to 9 ms waits for 10, and for 13, 18, 26, 36, 52, …
# likewise one more. selectors.EpollSelector rounds up to whole milliseconds as `math.ceil(timeout * 1e3) * 1e-3`, which for 9 is
# 0.009000000000000001, and select.epoll.poll rounds that up to nanoseconds and then, up again, to milliseconds. 112 of the first 1000 numbers
# are of this kind. The wait "of at least timeout seconds" is right, but a ticker of 9 ms that is not busy has 100 turns a second, not 111.
#
# Seen (shortest of 15, ms): asked 7.5 8.5 9.5 12.5 13.5 17.5 18.5
#                            took  8.1 10.1 10.1 14.1 14.1 19.1 19.1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 - <<'PYTHON'
import math, os, selectors, time

selector = selectors.EpollSelector()
reader, writer = os.pipe()
selector.register(reader, selectors.EVENT_READ)

def shortest(milliseconds):
    lengths = []
    for _ in range(15):
        begin = time.perf_counter()
        selector.select(milliseconds / 1000)
        lengths.append((time.perf_counter() - begin) * 1000)
    return min(lengths)

one_more = [n for n in range(1, 1000) if n * 1e-3 * 1e9 > n * 1e6]
print(len(one_more), "of the first 1000:", one_more[:10])
asked = (7.5, 8.5, 9.5, 12.5, 13.5, 17.5, 18.5)
took = [shortest(length) for length in asked]
for length, wait in zip(asked, took):
    print(f"asked {length}, took {wait:.2f}")
for length, wait in zip(asked, took):
    whole = math.ceil(length)
    assert int(wait) == whole + (whole in one_more), (length, wait)
PYTHON
