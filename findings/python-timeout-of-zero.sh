#!/usr/bin/env bash
# CPython 3.11.7, 3.12.1, 3.13.0; trio 0.35.0, anyio 4.16.0: a time limit of zero around something that is there already (a free lock,
# a queue with an item, an event that is set) is a try in one half of asyncio only. `asyncio.timeout(0)` gets all three, since nothing in
# it suspends; `asyncio.wait_for(…, 0)` gets none: it makes a task of the coroutine and cancels it before its first step. trio and anyio
# (over asyncio or over trio) get none either: their operations look whether they are cancelled before they look at the lock. Nobody loses an
# item. "Try, but do not wait" is `locked()` or the operation's `_nowait`, never a limit of zero.
#
# Seen (lock, queue, event):  asyncio.timeout    got got got
#                             asyncio.wait_for   timeout timeout timeout
#                             trio, anyio        timeout timeout timeout
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trio==0.35.0 anyio==4.16.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio

import anyio
import trio


async def tried(limit, lock, queue, event):
    return [await limit(operation) for operation in (lock.acquire, queue, event.wait)]


async def with_asyncio(limit):
    lock, queue, event = asyncio.Lock(), asyncio.Queue(), asyncio.Event()
    queue.put_nowait("item")
    event.set()
    seen = await tried(limit, lock, queue.get, event)
    return seen, queue.qsize()


async def timeout(operation):
    try:
        async with asyncio.timeout(0):
            await operation()
            return "got"
    except TimeoutError:
        return "timeout"


async def wait_for(operation):
    try:
        await asyncio.wait_for(operation(), 0)
        return "got"
    except TimeoutError:
        return "timeout"


async def with_scopes(library, channel):
    async def limit(operation):
        with library.move_on_after(0):
            await operation()
            return "got"
        return "timeout"

    sender, receiver = channel(1)
    sender.send_nowait("item")
    event = library.Event()
    event.set()
    seen = await tried(limit, library.Lock(), receiver.receive, event)
    return seen, receiver.statistics().current_buffer_used


async def with_trio():
    return await with_scopes(trio, trio.open_memory_channel)


async def with_anyio():
    return await with_scopes(anyio, anyio.create_memory_object_stream)


results = {
    "asyncio.timeout": asyncio.run(with_asyncio(timeout)),
    "asyncio.wait_for": asyncio.run(with_asyncio(wait_for)),
    "trio": trio.run(with_trio),
    "anyio over asyncio": anyio.run(with_anyio),
    "anyio over trio": anyio.run(with_anyio, backend="trio"),
}
for name, (seen, left) in results.items():
    print(f"{name:20} {' '.join(seen):24} items left: {left}")
taken = (["got"] * 3, 0)
given_up = (["timeout"] * 3, 1)
assert results.pop("asyncio.timeout") == taken
assert all(result == given_up for result in results.values()), results
PYTHON
