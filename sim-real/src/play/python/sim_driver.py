"""Runs the tasks of one process of a scenario with what CPython has: threads, tasks of an event loop, processes, pools.

The program that starts this interpreter writes a plan, one line of JSON, to its standard input, and reads what happens from
memory that both share. The plan has every operation with its length; nothing is drawn here. When all is made, "ready" is
printed; the answer is the instant of the start. When all tasks have ended, "done" is printed.

What a task does is written down as rows of five words: what and of which object, when it began, when it was had, when it
ended, and on which thread and processor. All times are nanoseconds of the monotonic clock.
"""

import heapq
import itertools
import json
import mmap
import os
import queue
import resource
import select
import shutil
import signal
import sys
import threading
import time

clock = time.perf_counter_ns

ROW = 5
SPENT = -1

# A burst that did not see the clock for so long may not have been running: the thread was switched, or something that the
# kernel does not count as a switch, an interrupt or the host of a virtual machine, took its time: that counts as the
# burst's own. To ask for the processor time of the thread would be exact, but each such system call ends the slice of the
# thread, which would be switched three times as often; to ask how often it was switched does not.
GAP = 60_000

# What is written down costs no page fault in the middle of a run. (Before Python 3.10 the module does not know the flag.)
SHARED_AND_THERE = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0x8000)

# So many seconds lie between two workers of a pool that fall idle.
APART = 0.001

# What a task is doing, for those who look from outside.
RUNS, WAITS = 1, 2


def switches():
    """How often the calling thread was switched so far."""
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return usage.ru_nvcsw + usage.ru_nivcsw


def looks():
    """How often the calling thread was switched so far, and what the clock showed then. To ask takes a moment in which it may be
    switched as well, by the kernel or because others want the interpreter lock: then it asks again."""
    before = clock()
    while True:
        seen, at = switches(), clock()
        if at - before <= GAP:
            return seen, at
        before = at


def sleep_until(at):
    """Sleeps until the clock shows that."""
    left = at - clock()
    while left > 0:
        time.sleep(left / 1e9)
        left = at - clock()


class Memory:
    """Words that this process shares with its recorder and its children."""

    def __init__(self, path):
        self.path = path
        with open(path, "r+b") as file:
            self.words = memoryview(mmap.mmap(file.fileno(), 0, SHARED_AND_THERE)).cast("Q")

    def __reduce__(self):
        return Memory, (self.path,)


class Shared:
    """What all tasks of the process share. Children get a copy with the same memory and the same objects."""

    def __init__(self, plan, makes):
        self.memory = Memory(plan["memory"])
        self.place = plan["words"]
        self.tags = plan["tags"]
        self.devices = plan["devices"]
        self.specs = plan["specs"]
        self.tasks = plan["tasks"]
        self.guard = makes.lock()
        of_threads = OfThreads()
        self.objects = []
        for row in plan["syncs"]:
            self.objects.append(getattr(of_threads if row["in_pool"] else makes, row["kind"])(*row["args"]))
        for index, row in enumerate(plan["syncs"]):
            if row["kind"] == "condition":
                own = of_threads if row["in_pool"] else makes
                lock = self.objects[row["lock"]] if row["lock"] is not None else own.lock()
                self.objects[index] = own.condition(lock)
        self.gates = {spec: makes.event() for spec, row in enumerate(self.specs) if row["is_awaited"]}
        self.start = 0
        self.placed = set()
        self.pools, self.calls = [], {}

    def make_pools(self, plan):
        """The pools that the process has beside its executor, and what tasks will let them do."""
        self.pools = [pool_of(self, row) for row in plan["pools"]]
        for index in [step[2] for task in self.tasks for step in task["steps"] if step[0] == "on"]:
            self.calls[index] = ThreadTask(self, index)

    def __getstate__(self):
        """What a fresh interpreter is given: everything but the way to start tasks, which it has itself."""
        return {name: value for name, value in vars(self).items() if name != "starts"}

    def for_child(self, index):
        """The same for a child that has one task, and those that are spawned."""
        child = Shared.__new__(Shared)
        vars(child).update(self.__getstate__())
        spawned = {spec for spec, row in enumerate(self.specs) if row["spawned"]["count"]}
        keeps = [at == index or task["spec"] in spawned for at, task in enumerate(self.tasks)]
        child.tasks = [task if kept else {**task, "steps": []} for task, kept in zip(self.tasks, keeps)]
        return child

    def register(self, thread=None):
        """The calling thread, or that one, is one of those that are measured."""
        words, count, table = self.memory.words, self.place["threads"], self.place["thread_table"]
        thread = thread or threading.get_native_id()
        with self.guard:
            known = words[count]
            if thread not in words[table : table + known]:
                words[table + known] = thread
                words[count] = known + 1

    def register_all(self):
        """All threads of this process, and the helpers that it has for its children."""
        threads = [thread.native_id for thread in threading.enumerate()]
        tracker = sys.modules.get("multiprocessing.resource_tracker")
        threads.append(tracker and getattr(tracker._resource_tracker, "_pid", None))
        server = sys.modules.get("multiprocessing.forkserver")
        threads.append(server and getattr(server._forkserver, "_forkserver_pid", None))
        for thread in threads:
            if thread:
                self.register(thread)

    def enter(self, spec):
        """Places the calling thread as the task asks for."""
        scheduling = self.specs[spec]["scheduling"]
        os.sched_setaffinity(0, scheduling["cpus"])
        if scheduling["class"] is not None:
            os.sched_setscheduler(0, scheduling["class"], os.sched_param(scheduling["priority"]))
        elif scheduling["nice"]:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), scheduling["nice"])

    def settle(self, task):
        """Runs for a moment, some time before the start, so that the kernel owes the thread nothing."""
        before = self.tasks[task]["settles"]
        if before:
            sleep_until(self.start - before)
            end = clock() + 100_000
            while clock() < end:
                pass
            if self.tasks[task]["first_cpu"] is not None:
                os.sched_setaffinity(0, [self.tasks[task]["first_cpu"]])
                os.sched_setaffinity(0, self.specs[self.tasks[task]["spec"]]["scheduling"]["cpus"])

    def lines_up(self, number, cpus):
        """Lets the workers of a pool fall idle one after the other, each on a processor of its own if there are enough: who has been idle
        longest is woken first. They stay there until they have something to do: where the kernel wakes them otherwise depends on how
        busy the processors were before the run."""
        if cpus and self.tasks:
            time.sleep((number + 1) * APART)
            os.sched_setaffinity(0, [cpus[number % len(cpus)]])
            self.placed.add(threading.get_native_id())

    def does_first(self):
        """A worker of a pool has something to do, and may go from now on where it likes."""
        if self.placed and threading.get_native_id() in self.placed:
            self.placed.discard(threading.get_native_id())
            self.enter(self.tasks[0]["spec"])

    def has_started(self, took):
        """Adds up what it took to start a process, or to give a task to a pool."""
        words, total = self.memory.words, self.place["starting"]
        with self.guard:
            words[total] += took
            words[total + 1] += 1

    def take_spawned(self, spec):
        """The next instance of a task that others start; nothing if there is no room."""
        row = self.specs[spec]["spawned"]
        words = self.memory.words
        with self.guard:
            number = words[row["counter"]]
            words[row["counter"]] = number + 1
        return row["first"] + number if number < row["count"] else None


def processor():
    """The processor that the calling thread is on, or an unknown one."""
    try:
        return GETCPU()
    except TypeError:
        return 0xFFFF_FFFF


try:
    import ctypes

    # Other libraries of ctypes give the interpreter lock up for each call: who waits for it would wait anew from every burst on.
    GETCPU = ctypes.PyDLL(None).sched_getcpu
except (ImportError, OSError, AttributeError):
    GETCPU = None


class Task:
    """An instance of a task: what it writes down, and how it uses up processor time."""

    def __init__(self, shared, index):
        row = shared.tasks[index]
        self.shared, self.index, self.spec = shared, index, row["spec"]
        self.words, self.tags = shared.memory.words, shared.tags
        self.head, self.next, self.limit = row["head"], row["rows"], row["limit"]
        self.steps = [(getattr(self, step[0]), step[1:]) for step in row["steps"]]
        self.held, self.children = {}, {}
        self.on_processor = False
        self.thread = 0
        # When something was last written down of it, and how often the thread had been switched when it last began to work. What
        # lies between that and the next burst, if the thread was not switched, went into writing down: no program takes it.
        self.since, self.seen = 0, -1

    # What is written down.

    def write(self, tag, thing, start, had=0, ended=0, where=0):
        words, at = self.words, self.next
        self.since = start
        if at + ROW > self.limit:
            words[self.shared.place["lost"]] += 1
            return self.limit
        words[at] = self.tags[tag] | thing << 8
        words[at + 1] = start
        words[at + 2] = had
        words[at + 3] = ended
        words[at + 4] = where
        self.next = at + ROW
        words[self.head + 3] += 1
        return at

    def asks(self, tag, thing):
        """Writes down that something is asked of others, for which it may have to wait."""
        at = self.write(tag, thing, clock())
        self.waits()
        return at

    def had(self, tag, thing):
        """Writes down that something was had for which it did not have to wait."""
        now = clock()
        return self.write(tag, thing, now, now)

    def has(self, at):
        """It has what it waited for."""
        self.words[at + 2] = self.works()

    def goes_on(self, at):
        """Those have ended for whose end it waited."""
        self.words[at + 3] = self.works()
        self.on_processor = False

    def waits(self):
        """From now on it may be off the processor."""
        self.words[self.head + 4] = WAITS
        self.seen = -1

    def works(self):
        """From now on, which is returned, it is on the processor."""
        self.words[self.head + 4] = RUNS
        self.seen, self.since = switches(), clock()
        return self.since

    def latest(self):
        """When it was last at work for the program: now, if it was switched since."""
        return self.since if self.seen == switches() else clock()

    # Its life.

    def begins(self):
        self.thread = threading.get_native_id()
        if self.seen != switches():
            self.works()
        self.words[self.head + 1] = self.since
        self.words[self.head + 4] = RUNS

    def released(self):
        """Writes down, and returns, when those had ended that it comes after."""
        done = [self.words[self.shared.specs[spec]["done_at"]] for spec in self.shared.specs[self.spec]["after"]]
        if done:
            self.words[self.head + 5] = max(done)
        return max(done, default=0)

    def ends(self):
        now = self.latest()
        if not self.on_processor:
            self.write("burst", 0, now, 0, now, self.thread | processor() << 32)
        self.words[self.head + 2] = now
        self.words[self.head + 4] = 0
        row = self.shared.specs[self.spec]
        if row["is_awaited"]:
            with self.shared.guard:
                left = self.words[row["unfinished"]] - 1
                self.words[row["unfinished"]] = left
                self.words[row["done_at"]] = max(now, self.words[row["done_at"]])
            if left == 0:
                self.shared.gates[self.spec].set()

    def arrives(self, parent):
        parent.since = clock()
        self.words[self.head] = parent.since
        self.words[self.head + 6] = parent.index + 1

    # What takes no waiting.

    def burn(self, length):
        """Uses up so much processor time, as far as gaps in the clock tell."""
        self.on_processor = True
        thread, tag, now, (seen, begin) = self.thread, "burst", clock, looks()
        last = begin
        if seen == self.seen:
            begin = self.since
        row = self.write(tag, 0, begin, 0, 0, thread | processor() << 32)
        end, step = begin + length, 0
        while True:
            at = now()
            gap = at - last
            if gap > GAP:
                before, (seen, at) = seen, looks()
                gap = at - last
            if gap > GAP and seen != before:
                self.words[row + 3] = max(last, begin)
                tag, begin, end = "resumed", at, end + gap - step
                row = self.write(tag, 0, begin, 0, 0, thread | processor() << 32)
            elif at >= end:
                break
            else:
                step = gap
            last = at
        self.since, self.seen = max(last, begin), seen
        self.words[row + 3] = self.since
        self.words[row + 2] = length

    def request(self, device, service):
        """Asks a device whose channels serve who comes first. When has it served?"""
        row, now = self.shared.devices[device], self.latest()
        begins = now
        if row["channels"]:
            words, first = self.words, row["at"]
            with self.shared.guard:
                channel = min(range(first, first + row["channels"]), key=words.__getitem__)
                begins = max(now, words[channel])
                words[channel] = begins + service
        self.write("request", device, now, begins, begins + service)
        self.on_processor, self.seen = False, -1
        return begins + service

    def sleeps(self, length):
        now = self.latest()
        self.write("sleep", 0, now, 0, now + length)
        self.on_processor, self.seen = False, -1
        return now + length

    def gives(self, thing):
        self.since = clock()
        self.words[self.held[thing].pop() + 3] = self.since

    def notified(self, condition, count):
        """Writes down how many of those who wait are told: one, or all."""
        condition_object = self.shared.objects[condition]
        try:
            waits = len(condition_object._waiters)
        except AttributeError:
            waits = condition_object._sleeping_count.get_value() - condition_object._woken_count.get_value()
        self.write("notify", condition, clock(), waits if count is None else min(count, waits))


class ThreadTask(Task):
    """A task on a thread, or in a process, that waits whenever the task waits."""

    def live(self, arrival=None):
        if arrival is not None:
            sleep_until(self.shared.start + arrival)
        for spec in self.shared.specs[self.spec]["after"]:
            self.shared.gates[spec].wait()
        self.released()
        self.begins()
        for do, args in self.steps:
            do(*args)
        self.ends()

    def cpu(self, length):
        self.burn(length)

    def io(self, device, service, _blocking):
        sleep_until(self.request(device, service))
        self.works()

    def sleep(self, length):
        sleep_until(self.sleeps(length))
        self.works()

    def yields(self):
        self.write("yield", 0, clock())
        self.seen = -1
        time.sleep(0)
        self.works()

    def takes(self, tag, thing):
        """Takes a lock or a permit, and says where that is written down."""
        if self.shared.objects[thing].acquire(False):
            return self.had(tag, thing)
        at = self.asks(tag, thing)
        self.shared.objects[thing].acquire()
        self.has(at)
        return at

    def lock(self, thing):
        self.held.setdefault(thing, []).append(self.takes("alone", thing))

    def unlock(self, thing):
        self.gives(thing)
        self.shared.objects[thing].release()

    def acquire(self, thing, permits, tag):
        for _ in range(permits):
            at = self.takes(tag, thing)
            if tag == "permit":
                self.held.setdefault(thing, []).append(at)

    def release(self, thing, permits):
        for _ in range(permits):
            if self.held.get(thing):
                self.gives(thing)
            else:
                self.write("added", thing, clock())
            self.shared.objects[thing].release()

    def send(self, thing):
        try:
            self.shared.objects[thing].put_nowait(None)
            self.had("sent", thing)
        except queue.Full:
            at = self.asks("sent", thing)
            self.shared.objects[thing].put(None)
            self.has(at)

    def recv(self, thing):
        try:
            self.shared.objects[thing].get_nowait()
            self.had("received", thing)
        except queue.Empty:
            at = self.asks("received", thing)
            self.shared.objects[thing].get()
            self.has(at)

    def wait(self, condition, lock):
        self.gives(lock)
        at = self.asks("await", condition)
        self.shared.objects[condition].wait()
        self.has(at)
        again = self.write("alone", lock, self.words[at + 2])
        self.has(again)
        self.held[lock].append(again)

    def notify(self, condition):
        self.notified(condition, 1)
        self.shared.objects[condition].notify()

    def notify_all(self, condition):
        self.notified(condition, None)
        self.shared.objects[condition].notify_all()

    def barrier(self, thing):
        at = self.asks("met", thing)
        self.shared.objects[thing].wait()
        self.has(at)

    def spawn(self, spec):
        index = self.shared.take_spawned(spec)
        if index is not None:
            task = type(self)(self.shared, index)
            task.arrives(self)
            self.children.setdefault(spec, []).append(self.shared.starts(task))

    def join(self, spec):
        children = [child for child in self.children.pop(spec, []) if child.is_alive()]
        if children:
            at = self.asks("join", spec)
            for child in children:
                child.join()
            self.goes_on(at)


    def on(self, pool, index):
        """Lets a pool do that, and waits for it."""
        task = self.shared.calls[index]
        task.arrives(self)
        future = self.shared.pools[pool].submit(task.live)
        at = self.asks("join", task.spec)
        future.result()
        self.goes_on(at)


class LoopTask(Task):
    """A task of an event loop, which lets others run whenever it waits."""

    async def live(self):
        for spec in self.shared.specs[self.spec]["after"]:
            await self.shared.gates[spec].wait()
        self.released()
        self.begins()
        for do, args in self.steps:
            await do(*args)
        self.ends()

    async def cpu(self, length):
        self.burn(length)

    async def io(self, device, service, blocking):
        at = self.request(device, service)
        if blocking:
            sleep_until(at)
        else:
            await asyncio.sleep((at - clock()) / 1e9)
        self.works()

    async def sleep(self, length):
        await asyncio.sleep((self.sleeps(length) - clock()) / 1e9)
        self.works()

    async def yields(self):
        self.write("yield", 0, clock())
        self.seen = -1
        await asyncio.sleep(0)
        self.works()

    async def on(self, pool, index):
        """Lets a pool do that, as `asyncio.to_thread` does, and others run meanwhile."""
        task = self.shared.calls[index]
        task.arrives(self)
        future = asyncio.get_running_loop().run_in_executor(self.shared.pools[pool], task.live)
        at = self.asks("join", task.spec)
        await future
        self.goes_on(at)

    async def takes(self, tag, thing):
        """Takes a lock or a permit, and says where that is written down."""
        if not self.shared.objects[thing].locked():
            await self.shared.objects[thing].acquire()
            return self.had(tag, thing)
        at = self.asks(tag, thing)
        await self.shared.objects[thing].acquire()
        self.has(at)
        return at

    async def lock(self, thing):
        self.held.setdefault(thing, []).append(await self.takes("alone", thing))

    async def unlock(self, thing):
        self.gives(thing)
        self.shared.objects[thing].release()

    async def acquire(self, thing, permits, tag):
        for _ in range(permits):
            at = await self.takes(tag, thing)
            if tag == "permit":
                self.held.setdefault(thing, []).append(at)

    async def release(self, thing, permits):
        for _ in range(permits):
            if self.held.get(thing):
                self.gives(thing)
            else:
                self.write("added", thing, clock())
            self.shared.objects[thing].release()

    async def send(self, thing):
        at = None if not self.shared.objects[thing].full() else self.asks("sent", thing)
        await self.shared.objects[thing].put(None)
        if at is None:
            self.had("sent", thing)
        else:
            self.has(at)

    async def recv(self, thing):
        at = None if not self.shared.objects[thing].empty() else self.asks("received", thing)
        await self.shared.objects[thing].get()
        if at is None:
            self.had("received", thing)
        else:
            self.has(at)

    async def wait(self, condition, lock):
        self.gives(lock)
        at = self.asks("await", condition)
        await self.shared.objects[condition].wait()
        self.has(at)
        again = self.write("alone", lock, self.words[at + 2])
        self.has(again)
        self.held[lock].append(again)

    async def notify(self, condition):
        self.notified(condition, 1)
        self.shared.objects[condition].notify()

    async def notify_all(self, condition):
        self.notified(condition, None)
        self.shared.objects[condition].notify_all()

    async def barrier(self, thing):
        at = self.asks("met", thing)
        await self.shared.objects[thing].wait()
        self.has(at)

    async def spawn(self, spec):
        index = self.shared.take_spawned(spec)
        if index is not None:
            task = LoopTask(self.shared, index)
            task.arrives(self)
            self.children.setdefault(spec, []).append(self.shared.starts(task))

    async def join(self, spec):
        children = [child for child in self.children.pop(spec, []) if not child.done()]
        if children:
            at = self.asks("join", spec)
            for child in children:
                await child
            self.goes_on(at)


# What tasks synchronise with, by what they run on.


class OfThreads:
    """The objects of `threading` and `queue`."""

    def __init__(self):
        self.lock, self.event, self.barrier = threading.Lock, threading.Event, threading.Barrier
        self.semaphore, self.condition, self.channel = threading.Semaphore, threading.Condition, queue.Queue


class OfLoops:
    """Those of `asyncio`."""

    def __init__(self):
        self.lock, self.event = asyncio.Lock, asyncio.Event
        # Before Python 3.11 there are none: then nobody here uses those of the scenario.
        self.barrier = getattr(asyncio, "Barrier", lambda parties: None)
        self.semaphore, self.condition, self.channel = asyncio.Semaphore, asyncio.Condition, asyncio.Queue


class OfProcesses:
    """Those of `multiprocessing`, by how it starts processes."""

    def __init__(self, context):
        self.lock, self.event, self.barrier = context.Lock, context.Event, context.Barrier
        self.semaphore, self.condition, self.channel = context.Semaphore, context.Condition, context.Queue


class Crowd:
    """Threads that end some time. Who waits for all of them sleeps until the last has ended.

    Who joins one after the other wakes up when that one ends, and then wants the interpreter lock to go on with the next: it
    competes with those that are measured, and keeps others who wait for the lock from asking for it."""

    def __init__(self):
        self.count, self.guard, self.over = 0, threading.Lock(), threading.Event()

    def gets(self, does, *args):
        """A thread of the crowd that does that."""
        with self.guard:
            self.count += 1
        return threading.Thread(target=self.lives, args=(does, args), daemon=True)

    def lives(self, does, args):
        try:
            does(*args)
        finally:
            with self.guard:
                self.count -= 1
                is_last = self.count == 0
            if is_last:
                self.over.set()

    def wait(self):
        """Until all have ended; whoever is made meanwhile is made by one of them."""
        if self.count:
            self.over.wait()


def await_start(shared):
    """Says that everything is ready, and waits to be told when it starts."""
    shared.register_all()
    print("ready", flush=True)
    line = sys.stdin.readline()
    if not line:
        sys.exit(1)
    shared.start = int(line)


# Pools beside an executor.

POOL = "pool of the scenario"


def pool_of(shared, row):
    """A pool that makes a thread when it is given something to do and none is idle, at most so many."""
    from concurrent.futures import ThreadPoolExecutor

    if row["executor"] == "threads":
        return EachOnAThread(shared, row["spec"])
    return ThreadPoolExecutor(row["workers"], POOL, enter_pool, (shared, row["spec"]))


def enter_pool(shared, spec):
    """What a thread of a pool does first."""
    shared.register()
    shared.enter(spec)


class EachOnAThread:
    """What it is given to do is done on a thread of its own."""

    def __init__(self, shared, spec):
        self.shared, self.spec = shared, spec

    def submit(self, does):
        from concurrent.futures import Future

        future = Future()

        def lives():
            try:
                enter_pool(self.shared, self.spec)
                future.set_result(does())
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=lives, name=POOL, daemon=True).start()
        return future


# One function for each executor.


def run_sequential(plan):
    shared = Shared(plan, OfThreads())
    # Tasks in the order in which they may start: when, and which of them is first where that is the same.
    here, later, order = [], [], itertools.count()

    class Later:
        """A task that is started by another comes after those that are there."""

        def __init__(self, task):
            heapq.heappush(here, (task.words[task.head] - shared.start, next(order), task))

        def is_alive(self):
            return True

        def join(self):
            threading.Event().wait()

    for index in range(plan["fixed"]):
        entry = (shared.tasks[index]["wakes"], next(order), ThreadTask(shared, index))
        (later if gates_of(shared, index) else here).append(entry)
    heapq.heapify(here)
    shared.starts = Later
    shared.make_pools(plan)
    shared.enter(shared.tasks[0]["spec"] if plan["fixed"] else 0)
    await_start(shared)
    shared.settle(0)
    since, seen = 0, -1
    while here or later:
        for entry in [entry for entry in later if all(gate.is_set() for gate in gates_of(shared, entry[2].index))]:
            later.remove(entry)
            wakes, number, task = entry
            heapq.heappush(here, (max(wakes, task.released() - shared.start), number, task))
        if not here:
            # Nobody is left who could open a gate.
            threading.Event().wait()
        wakes, _, task = heapq.heappop(here)
        task.since, task.seen = max(since, shared.start + wakes), seen
        task.live(wakes)
        since, seen = task.since, task.seen


def gates_of(shared, index):
    return [shared.gates[spec] for spec in shared.specs[shared.tasks[index]["spec"]]["after"]]


def run_threads(plan):
    shared, begin, crowd = Shared(plan, OfThreads()), threading.Event(), Crowd()

    def first(task):
        shared.enter(task.spec)
        begin.wait()
        shared.settle(task.index)
        task.live(shared.tasks[task.index]["wakes"])

    def later(task):
        shared.register()
        shared.enter(task.spec)
        task.live()

    def starts(task):
        thread = crowd.gets(later, task)
        thread.start()
        return thread

    shared.starts = starts
    shared.make_pools(plan)
    for thread in [crowd.gets(first, ThreadTask(shared, index)) for index in range(plan["fixed"])]:
        thread.start()
    await_start(shared)
    begin.set()
    crowd.wait()


def run_async(plan):
    global asyncio
    import asyncio

    asyncio.run(loop_of(plan))


async def loop_of(plan):
    shared, loop = Shared(plan, OfLoops()), asyncio.get_running_loop()
    # What guards our own tables is never waited for.
    shared.guard = threading.Lock()
    tasks = [LoopTask(shared, index) for index in range(plan["fixed"])]
    all_over, left = loop.create_future(), len(tasks)

    def is_over(child):
        nonlocal left
        left -= 1
        if child.exception() and not all_over.done():
            all_over.set_exception(child.exception())
        elif left == 0 and not all_over.done():
            all_over.set_result(None)

    def arrives(task):
        child = loop.create_task(task.live())
        child.add_done_callback(is_over)
        return child

    def starts(task):
        nonlocal left
        left += 1
        return arrives(task)

    shared.starts = starts
    shared.make_pools(plan)
    if plan["fixed"]:
        shared.enter(shared.tasks[0]["spec"])
    await rehearse()
    await_start(shared)
    if tasks:
        shared.settle(0)
    sleep_until(shared.start)
    for task in tasks:
        wakes = plan["tasks"][task.index]["arrival"]
        if wakes:
            loop.call_at((shared.start + wakes) / 1e9, arrives, task)
        else:
            arrives(task)
    if tasks:
        await all_over


async def rehearse():
    """Does once what a loop does, so that the first task does not pay for what is made then."""
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0.001))


def run_processes(plan):
    import multiprocessing

    context = multiprocessing.get_context(plan["start"])
    shared = Shared(plan, OfProcesses(context))
    rehearse_start(context)
    await_start(shared)
    if plan["fixed"]:
        shared.settle(0)
    children = []
    for index in range(plan["fixed"]):
        sleep_until(shared.start + plan["tasks"][index]["arrival"])
        child = context.Process(target=live_in_process, args=(shared.for_child(index), index, plan["start"]))
        start_process(shared, child, index)
        children.append(child)
    # Who looks from outside sees it if one of them comes to grief, whoever waits for it.
    for child in children:
        child.join()


def start_process(shared, child, index):
    """Starts that of a task, and adds up the processor time that this takes."""
    words, head = shared.memory.words, shared.tasks[index]["head"]
    words[head + 8], words[head + 9] = threading.get_native_id(), clock()
    before = time.thread_time_ns()
    child.start()
    took = time.thread_time_ns() - before
    words[head + 10] = clock()
    # It may be ended before it says itself who it is.
    shared.register(child.pid)
    words[head + 7] = child.pid
    shared.has_started(took)


def rehearse_start(context):
    """Starts a process once: what is made for the first of them, a server perhaps, is there before the run."""
    child = context.Process(target=nothing)
    child.start()
    child.join()


def nothing():
    """What a process does that is started for its own sake."""


def live_in_process(shared, index, method):
    """The life of a task in a process of its own."""
    import multiprocessing

    context = multiprocessing.get_context(method)

    def starts(task):
        child = context.Process(target=live_in_process, args=(shared, task.index, method))
        start_process(shared, child, task.index)
        return child

    shared.register()
    shared.starts = starts
    task = ThreadTask(shared, index)
    shared.enter(task.spec)
    task.live()


def run_pool(plan):
    from concurrent.futures import ThreadPoolExecutor

    shared = Shared(plan, OfThreads())
    together = threading.Barrier(plan["workers"])

    def enters():
        shared.register()
        if plan["fixed"]:
            shared.enter(plan["tasks"][0]["spec"])

    def meets():
        shared.lines_up(together.wait(), plan["first_cpus"])

    with ThreadPoolExecutor(plan["workers"], initializer=enters) as pool:

        def lives(task):
            shared.does_first()
            task.live()

        def starts(task):
            return Submitted(pool.submit(lives, task))

        shared.starts = starts
        shared.make_pools(plan)
        all_end([pool.submit(meets) for _ in range(plan["workers"])])
        await_start(shared)
        stay(plan["first_cpus"][-1:])
        tasks = [ThreadTask(shared, index) for index in range(plan["fixed"])]
        submit_all(shared, tasks, starts)


def all_end(futures):
    """Waits until a pool has done all that, without being woken for each, and raises what any of it has raised."""
    import concurrent.futures

    concurrent.futures.wait(futures)
    for future in futures:
        future.result()


def stay(cpu):
    """Moves the calling thread to this processor, if it is one, and leaves it free to go where it may."""
    if cpu:
        free = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cpu)
        os.sched_setaffinity(0, free)


class Submitted:
    """A task that was given to a pool, as a thread that can be joined."""

    def __init__(self, future):
        self.future = future

    def is_alive(self):
        return not self.future.done()

    def join(self):
        self.future.result()


def submit_all(shared, tasks, starts):
    """Gives the tasks to a pool as they arrive."""
    waiting, given = list(tasks), []
    before = time.thread_time_ns()
    while waiting:
        closed = [gate for task in waiting for gate in gates_of(shared, task.index) if not gate.is_set()]
        task = next((t for t in waiting if all(gate.is_set() for gate in gates_of(shared, t.index))), None)
        if task is None:
            # Of several gates nobody knows which opens first.
            closed[0].wait(None if len(set(map(id, closed))) == 1 else 0.001)
            continue
        # Those that come later do not keep back who waits for others.
        at = shared.start + shared.tasks[task.index]["arrival"]
        if closed and at > clock():
            closed[0].wait(min(0.001, (at - clock()) / 1e9))
            continue
        sleep_until(at)
        waiting.remove(task)
        given.append(starts(task))
        before, since = time.thread_time_ns(), before
        shared.has_started(before - since)
    # Not one after the other: see `Crowd`.
    all_end([each.future for each in given])


WORKER = None


def run_pool_of_processes(plan):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context(plan["start"])
    shared = Shared(plan, OfProcesses(context))
    together = context.Barrier(plan["workers"])
    rehearse_start(context)
    try:
        with ProcessPoolExecutor(plan["workers"], context, enter_worker, (shared, together)) as pool:
            all_end([pool.submit(meet, plan["first_cpus"]) for _ in range(plan["workers"])])
            await_start(shared)
            tasks = [ThreadTask(shared, index) for index in range(plan["fixed"])]
            submit_all(shared, tasks, lambda task: Submitted(pool.submit(live_in_worker, task.index)))
    except BrokenProcessPool:
        sys.exit("a process of the pool was killed, or died, before the tasks had finished")


def enter_worker(shared, together):
    """What a process of a pool does first."""
    global WORKER
    WORKER = (shared, together)
    shared.register()
    if shared.tasks:
        shared.enter(shared.tasks[0]["spec"])


def meet(cpus):
    """Waits until all processes of the pool are there."""
    shared, together = WORKER
    shared.lines_up(together.wait(), cpus)


def live_in_worker(index):
    """The life of a task in a process of a pool."""
    WORKER[0].does_first()
    task = ThreadTask(WORKER[0], index)
    task.words[task.head + 7] = os.getpid()
    task.live()


EXECUTORS = {
    "sequential": run_sequential,
    "threads": run_threads,
    "async": run_async,
    "processes": run_processes,
    "pool": run_pool,
    "pool of processes": run_pool_of_processes,
}


def guard():
    """A child that ends us and all our children when whoever started us is gone, however that came: nobody has the other end of
    our input then. It has our group, as all of us have, whatever starts them."""
    if os.fork():
        return
    os.close(1)
    os.close(2)
    gone = select.poll()
    gone.register(0, 0)
    gone.poll()
    try:
        shutil.rmtree(sys.argv[1], ignore_errors=True)
    finally:
        os.killpg(0, signal.SIGKILL)


def main():
    """Reads the plan and does what it says."""
    guard()
    plan = json.loads(sys.stdin.readline())
    if plan["interval"] is not None:
        sys.setswitchinterval(plan["interval"])
    EXECUTORS[plan["executor"]](plan)
    print("done", flush=True)
    # Whoever is left is none of the tasks.
    os._exit(0)
