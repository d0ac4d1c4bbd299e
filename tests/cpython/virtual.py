"""Plays programs on the asyncio of the Python that runs this, on a clock that goes on only while a task computes or the loop waits.

All times are nanoseconds, in the place of asyncio's seconds, so that floats are exact. Reads cases from standard input as JSON, one list of tasks for each:
{"name", "arrival", "spawned", "program"}; writes for each the runs, [task, begin, end], and the ends, {task: time}.
"""

import asyncio
import json
import math
import os
import sys
import weakref


class Due(float):
    """When a timer is due. Time goes on while tasks set timers: of two that are set at one instant, the second is due later."""

    def __new__(cls, when, number):
        due = super().__new__(cls, when)
        due.number = number
        return due

    def __lt__(self, other):
        if isinstance(other, Due):
            return (float(self), self.number) < (float(other), other.number)
        return float(self) < other


class Stuck(Exception):
    """Nothing will ever happen again."""


class Selector:
    """One that learns of events at times that are known before."""

    def __init__(self):
        self.now = 0.0
        self.events, self.number = [], 0
        self.last_set = (None, 0)

    def register(self, *_):
        pass

    unregister = close = register

    def get_map(self):
        return {}

    def at(self, time, callback):
        self.number += 1
        self.events.append((time, self.number, callback))
        return self.number

    def forget(self, number):
        self.events = [event for event in self.events if event[1] != number]

    def select(self, timeout):
        wakes = math.inf if timeout is None else self.now + whole(timeout)
        if self.events:
            wakes = min(wakes, max(self.now, min(self.events)[0]))
        if wakes == math.inf:
            raise Stuck
        self.now = wakes
        due = sorted(event for event in self.events if event[0] <= self.now)
        self.events = [event for event in self.events if event[0] > self.now]
        return [callback for _, _, callback in due]


def whole(timeout):
    """How long selectors.EpollSelector and select.epoll wait: whole milliseconds."""
    if timeout <= 0:
        return 0.0
    nanoseconds = math.ceil(math.ceil(timeout / 1e6) * 1e-3 * 1e9)
    return math.ceil(nanoseconds / 1e6) * 1e6


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.selector = Selector()
        super().__init__(self.selector)
        self._clock_resolution = 0.5
        # In which round each future was made.
        self.round, self.made = 0, weakref.WeakKeyDictionary()

    def _make_self_pipe(self):
        self._ssock = self._csock = None

    def _close_self_pipe(self):
        pass

    def time(self):
        return self.selector.now

    def call_at(self, when, *arguments, **named):
        now, number = self.selector.last_set
        number = number + 1 if now == self.time() else 0
        self.selector.last_set = (self.time(), number)
        return super().call_at(Due(when, number), *arguments, **named)

    def arrive_at(self, when, number, callback):
        super().call_at(Due(when, number), callback)

    def _run_once(self):
        self.round += 1
        super()._run_once()

    def create_future(self):
        future = super().create_future()
        self.made[future] = self.round
        return future

    def _process_events(self, events):
        for callback in events:
            self.call_soon(callback)


class Lock(asyncio.Lock):
    """Notes where it becomes free while the first who wants it has given up, and has not had its turn: it wakes nobody then."""

    def __init__(self, world):
        super().__init__()
        self.world = world

    def _wake_up_first(self):
        self.world.is_close |= bool(self._waiters) and self._waiters[0].cancelled()
        super()._wake_up_first()


class Limit(asyncio.Timeout):
    """What `asyncio.timeout` gives, and notes where it comes close: the task has what it waits for and has not had its turn, or has asked
    for it again in this very round, or waits for the lock of a condition."""

    def __init__(self, world, length, what):
        super().__init__(world.loop.time() + length)
        self.world, self.what = world, what

    def _on_timeout(self):
        waits, world = self._task._fut_waiter, self.world
        has_it = waits is None or waits.done()
        asks_again = world.loop.made.get(waits) == world.loop.round
        has_notice = self.what == "wait" and waits in (world.objects["m"]._waiters or ())
        world.is_close |= has_it or asks_again or has_notice
        super()._on_timeout()


class World:
    def __init__(self, case):
        self.case = {task["name"]: task for task in case["tasks"]}
        self.loop = Loop()
        self.runs, self.ends, self.left = [], {}, 0
        self.is_close = False
        self.all_done = self.loop.create_future()
        make = {
            "lock": lambda _: Lock(self),
            "semaphore": asyncio.Semaphore,
            "channel": asyncio.Queue,
            "condvar": lambda lock: asyncio.Condition(self.objects[lock]),
            "barrier": asyncio.Barrier,
        }
        self.objects = {}
        for name, kind, argument in case.get("objects", []):
            self.objects[name] = make[kind](argument)

    def begin(self, name):
        self.left += 1
        return self.loop.create_task(self.run(name))

    async def run(self, name):
        kids = []
        try:
            for step in self.case[name]["program"]:
                await self.step(name, step, kids)
        except Exception as error:
            print(name, step, repr(error), file=sys.stderr)
            sys.exit(1)
        self.ends[name] = self.loop.time()
        self.left -= 1
        if self.left == 0:
            self.all_done.set_result(None)

    async def step(self, name, step, kids):
        what, argument = step
        if what == "cpu":
            begin = self.loop.time()
            self.loop.selector.now += argument
            self.runs.append([name, begin, self.loop.time()])
        elif what == "sleep":
            await asyncio.sleep(argument)
        elif what == "yield":
            await asyncio.sleep(0)
        elif what == "timed":
            await asyncio.sleep(argument)
        elif what == "io":
            served = self.loop.create_future()
            event = self.loop.selector.at(self.loop.time() + argument, lambda: served.done() or served.set_result(None))
            try:
                await served
            finally:
                self.loop.selector.forget(event)
        elif what == "within":
            length, first, rest = argument
            try:
                async with Limit(self, length, first[0]):
                    await self.step(name, first, kids)
            except TimeoutError:
                return
            for step in rest:
                await self.step(name, step, kids)
        elif what == "spawn":
            kids.append(self.begin(argument))
        elif what == "join":
            for kid in kids:
                await kid
        elif what in ("lock", "acquire"):
            await self.objects[argument].acquire()
        elif what in ("unlock", "release"):
            self.objects[argument].release()
        elif what == "send":
            await self.objects[argument].put(None)
        elif what == "recv":
            await self.objects[argument].get()
        elif what == "wait":
            await self.objects[argument].wait()
        elif what == "notify":
            self.objects[argument].notify()
        elif what == "notify-all":
            self.objects[argument].notify_all()
        elif what == "barrier":
            await self.objects[argument].wait()
        else:
            raise ValueError(what)

    def play(self):
        arriving = [task for task in self.case.values() if not task["spawned"]]
        # None is done before all have come.
        self.left += len(arriving)
        for number, task in enumerate(arriving):
            if task["arrival"] > 0:
                # Of equal timers these are the first.
                self.loop.arrive_at(task["arrival"], number - len(arriving), lambda name=task["name"]: self.arrive(name))
            else:
                self.arrive(task["name"])
        try:
            self.loop.run_until_complete(self.all_done)
            end = "completed"
        except Stuck:
            end = "stuck"
        return {"end": end, "is_close": self.is_close, "runs": self.runs, "ends": self.ends}

    def arrive(self, name):
        self.left -= 1
        self.begin(name)


if __name__ == "__main__":
    asyncio.base_events.MAXIMUM_SELECT_TIMEOUT = math.inf
    worlds = [World(case) for case in json.load(sys.stdin)]
    json.dump([world.play() for world in worlds], sys.stdout)
    sys.stdout.flush()
    # Who is stuck need not be told that the loop is gone.
    os._exit(0)
