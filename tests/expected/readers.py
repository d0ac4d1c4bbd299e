#!/usr/bin/env python3
"""Readers

Two readers, one of whom comes late.

Exported by `sim export readers.toml --to python`. What the file says and this program does not:
- 1 processor: on Linux, begin the command with `taskset -c 0`
"""

import threading
import time

START = time.perf_counter()
started, ended = {}, {}  # when, by the name of the task
the_table = threading.Lock()
disk = threading.Semaphore(1)  # so many requests at once are served by disk


def reader():
    """Reads, and thinks."""
    for _ in range(3):
        with the_table:
            with disk:
                time.sleep(0.002)  # io: disk
        compute(0.001)  # it thinks


def compute(seconds):
    """Uses up so much processor time.

    It watches the clock in small steps. In a step of more than 60 us somebody else had the processor (or the
    interpreter): such a step does not count.
    """
    last = time.perf_counter()
    while seconds > 0:
        clock = time.perf_counter()
        if clock - last < 60e-6:
            seconds -= clock - last
        last = clock


def now():
    """Seconds since the start."""
    return time.perf_counter() - START


def run(name, task, at=0):
    """Runs a task, and notes when it started and ended."""
    time.sleep(max(0, at - now()))
    started[name] = now()
    task()
    ended[name] = now()


def report():
    """Prints when each task started and ended."""
    for name, start in started.items():
        print(f"{name:16} {1000 * start:8.1f} ms … {1000 * ended[name]:8.1f} ms")
    print(f"{'total':16} {1000 * now():8.1f} ms")


def main():
    threads = [
        threading.Thread(target=run, args=(f"library/reader#{i}", reader, i * 0.005))
        for i in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report()


if __name__ == "__main__":
    main()
