//! Walking the program of one instance for real.
//!
//! [`Walk`] does what takes no time (synchronising where nobody is in the way, spawning, writing down) and says what
//! the executor has to do next: burn, wait until some time, wait for others, give way. So each kind of executor,
//! blocking or async, only writes how *it* waits.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use sim_core::ids::{DeviceId, SpecId, SyncId};
use sim_core::program::{Cursor, Step, program_stream};
use sim_core::scenario::{Op, SyncOp};
use sim_core::time::Span;

use crate::play::burn::{self, Limits};
use crate::play::device::needs_server;
use crate::play::gil::Gil;
use crate::play::sync::Done;
use crate::play::world::World;
use crate::record::log::{Entry, Kind, OPEN, Place};
use crate::sys;

/// What the executor has to do next for an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    /// Use up so much processor time.
    Burn(u64),
    /// Wait until then; if `blocking`, with the whole thread.
    Until { at: u64, blocking: bool },
    /// Wait until the word is zero, see [`Walk::word`]; if `blocking`, with the whole thread.
    Wait { blocking: bool },
    /// Let others go first.
    Yield,
    /// Nothing more.
    Done,
}

/// What an instance waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    /// Its turn at a synchronisation object.
    Turn,
    /// A notification, and then this lock.
    Notice(SyncId),
    /// The instances it spawned.
    Children(SpecId),
    /// A device that has a thread.
    Service,
}

/// An instance that spins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Spinning {
    lock: SyncId,
    asked: u64,
    /// The row that says so.
    place: Place,
    /// Processor time used for it.
    used: u64,
}

/// An instance on its way through its program.
struct Walk<'w> {
    world: &'w World,
    id: usize,
    cursor: Cursor,
    /// What it will give back, and the row that says since when it has it.
    held: Vec<(SyncId, Place)>,
    /// The rows of what it waits for.
    open: Vec<Place>,
    awaited: Awaited,
    spinning: Option<Spinning>,
    /// Has it used a processor since it last waited?
    on_processor: bool,
}

impl<'w> Walk<'w> {
    fn begin(world: &'w World, id: usize) -> Walk<'w> {
        world.begin(id);
        let (spec, _) = world.identity(id);
        let cursor = Cursor::new(&world.scenario.specs[spec].program);
        let held = Vec::with_capacity(world.scenario.syncs.len());
        let open = Vec::with_capacity(1);
        Walk { world, id, cursor, held, open, awaited: Awaited::Turn, spinning: None, on_processor: false }
    }

    fn write(&self, entry: Entry) -> Place {
        self.world.log.write(&self.world.instance(self.id).diary, entry)
    }

    /// Goes on to the next operation that takes time.
    fn next(&mut self) -> Act {
        let world = self.world;
        let (spec, number) = world.identity(self.id);
        let program = &world.scenario.specs[spec].program;
        if let Some(wait) = self.stops_spinning() {
            return wait;
        }
        loop {
            let now = sys::now();
            if world.is_late(now) {
                return Act::Done;
            }
            match self.cursor.step(program, || program_stream(&world.scenario, spec, number)) {
                Step::Cpu(work) if work.is_zero() => {}
                Step::Cpu(work) => return Act::Burn(world.plan.speed.time_for(work).ns()),
                Step::Io { device, service, at, blocking } if needs_server(&world.scenario.devices[device]) => {
                    return self.asks_device(device, service, at, blocking);
                }
                Step::Io { device, service, blocking, .. } => {
                    let (start, end) = world.request(device, now, service.ns());
                    self.write(Entry { mid: start, end, ..Entry::new(Kind::Io, device.0, now) });
                    return self.sleeps(Act::Until { at: end, blocking });
                }
                Step::Sleep(length) => {
                    let end = now.saturating_add(length.ns());
                    self.write(Entry { end, ..Entry::new(Kind::Sleep, 0, now) });
                    return self.sleeps(Act::Until { at: end, blocking: false });
                }
                Step::Yield => {
                    self.write(Entry { end: now, ..Entry::new(Kind::Yield, 0, now) });
                    return self.sleeps(Act::Yield);
                }
                Step::Sync(op) => {
                    if let Some(act) = self.synchronise(op) {
                        return act;
                    }
                }
                Step::Spawn(spec) => world.spawn(self.id, spec),
                Step::Join(spec) => {
                    if world.children_of(self.id, spec).is_some_and(|word| word.load(Ordering::SeqCst) > 0) {
                        let place = self.write(Entry::new(Kind::Join, spec.0, now));
                        return self.waits(Awaited::Children(spec), place);
                    }
                }
                Step::Around => {}
                Step::End => {
                    if !self.on_processor {
                        // It comes onto a processor once more, if only to find that nothing is left to do.
                        let entry = Entry::new(Kind::Run, 0, now);
                        self.write(Entry { end: now, tid: sys::thread_id(), cpu: sys::current_cpu(), ..entry });
                    }
                    world.finish(self.id);
                    return Act::Done;
                }
            }
        }
    }

    /// Does something to a synchronisation object. If the instance cannot go on at once: how it waits.
    fn synchronise(&mut self, op: SyncOp) -> Option<Act> {
        let done = self.world.synchronise(self.id, op);
        let entry = |kind, sync: SyncId| Entry::new(kind, sync.0, done.at);
        match op {
            SyncOp::Lock(lock) if done.waits && !self.world.scenario.syncs[lock].spin.is_zero() => {
                return Some(self.spins(lock, done.at));
            }
            SyncOp::Lock(sync) | SyncOp::Write(sync) => self.asks(Kind::Lock, sync, 1, &done),
            SyncOp::Read(sync) => self.asks(Kind::Read, sync, 1, &done),
            SyncOp::Acquire(sync, permits) if self.gives_back(sync) => self.asks(Kind::Permit, sync, permits, &done),
            SyncOp::Acquire(sync, permits) => self.asks(Kind::SpentPermit, sync, permits, &done),
            SyncOp::Send(sync) => self.asks(Kind::Send, sync, 1, &done),
            SyncOp::Receive(sync) => self.asks(Kind::Receive, sync, 1, &done),
            SyncOp::Arrive(sync) => self.asks(Kind::Arrive, sync, 1, &done),
            SyncOp::Unlock(sync) => _ = self.has_given_back(sync, done.at),
            SyncOp::Release(sync, permits) => {
                for _ in 0..permits {
                    if !self.has_given_back(sync, done.at) {
                        self.write(entry(Kind::Added, sync));
                    }
                }
            }
            SyncOp::Notify(sync) | SyncOp::NotifyAll(sync) => {
                self.write(Entry { mid: u64::from(done.notified), ..entry(Kind::Notify, sync) });
            }
            SyncOp::Wait { condvar, lock } => {
                self.has_given_back(lock, done.at);
                let place = self.write(entry(Kind::Await, condvar));
                return Some(self.waits(Awaited::Notice(lock), place));
            }
        }
        done.waits.then(|| self.waits_for_turn())
    }

    /// Writes down that the instance asked for something, and if it has it already.
    fn asks(&mut self, kind: Kind, sync: SyncId, times: u32, done: &Done) {
        let mid = if done.waits { OPEN } else { done.at };
        for _ in 0..times {
            let place = self.write(Entry { mid, ..Entry::new(kind, sync.0, done.at) });
            if done.waits {
                self.open.push(place);
            }
            if matches!(kind, Kind::Lock | Kind::Read | Kind::Permit) {
                self.held.push((sync, place));
            }
        }
    }

    /// Does its program give permits of the semaphore back?
    fn gives_back(&self, sync: SyncId) -> bool {
        let (spec, _) = self.world.identity(self.id);
        let ops = &self.world.scenario.specs[spec].program.ops;
        ops.iter().any(|op| matches!(op, Op::Sync(SyncOp::Release(other, _)) if *other == sync))
    }

    /// It has something no longer; `false` if it never had it.
    fn has_given_back(&mut self, sync: SyncId, at: u64) -> bool {
        let Some(index) = self.held.iter().rposition(|(held, _)| *held == sync) else { return false };
        let (_, place) = self.held.remove(index);
        self.world.log.set_end(place, at);
        true
    }

    /// Is queued for the lock, and stays on the processor for a while.
    fn spins(&mut self, lock: SyncId, asked: u64) -> Act {
        let place = self.write(Entry::new(Kind::Spin, lock.0, asked));
        self.spinning = Some(Spinning { lock, asked, place, used: 0 });
        let world = self.world;
        Act::Burn(world.plan.speed.time_for(world.scenario.syncs[lock].spin).ns())
    }

    /// If it spun: it has the lock now, or blocks.
    fn stops_spinning(&mut self) -> Option<Act> {
        let Spinning { lock, asked, place, used } = self.spinning.take()?;
        let waiter = self.world.objects.waiter(self.id);
        let got = waiter.word.load(Ordering::SeqCst) == 0;
        let mid = if got { waiter.granted.load(Ordering::Relaxed) } else { OPEN };
        self.world.log.set_mid(place, used);
        self.world.log.set_end(place, sys::now().max(mid));
        let place = self.write(Entry { mid, ..Entry::new(Kind::Lock, lock.0, asked) });
        self.held.push((lock, place));
        (!got).then(|| self.waits(Awaited::Turn, place))
    }

    /// Asks a device that has a thread, and waits for that.
    fn asks_device(&mut self, device: DeviceId, service: Span, track: u32, blocking: bool) -> Act {
        if blocking {
            self.world.set_async(self.id, false);
        }
        let asked = self.world.ask(self.id, device, service, track);
        let place = self.write(Entry::new(Kind::Io, device.0, asked));
        self.open.push(place);
        self.awaited = Awaited::Service;
        self.sleeps(Act::Wait { blocking })
    }

    fn sleeps(&mut self, act: Act) -> Act {
        self.on_processor = false;
        act
    }

    fn waits(&mut self, awaited: Awaited, place: Place) -> Act {
        self.open.push(place);
        self.awaited = awaited;
        self.waits_on()
    }

    fn waits_for_turn(&mut self) -> Act {
        self.awaited = Awaited::Turn;
        self.waits_on()
    }

    fn waits_on(&mut self) -> Act {
        self.on_processor = false;
        let children = if let Awaited::Children(spec) = self.awaited { Some(spec) } else { None };
        self.world.waits_for(self.id, children);
        Act::Wait { blocking: false }
    }

    /// The word that becomes zero when the instance need not wait any more.
    fn word(&self) -> Option<&'w AtomicU32> {
        match self.awaited {
            Awaited::Turn | Awaited::Notice(_) | Awaited::Service => Some(&self.world.objects.waiter(self.id).word),
            Awaited::Children(spec) => self.world.children_of(self.id, spec),
        }
    }

    /// The others it waited for have let it go on.
    fn granted(&mut self) {
        self.world.waits_no_longer(self.id);
        let (log, waiter) = (&self.world.log, self.world.objects.waiter(self.id));
        let at = waiter.granted.load(Ordering::Relaxed);
        let awaited = self.awaited;
        for place in std::mem::take(&mut self.open) {
            match awaited {
                Awaited::Turn => log.set_mid(place, at),
                Awaited::Children(_) => log.set_end(place, at),
                Awaited::Notice(lock) => {
                    let noticed = waiter.noticed.load(Ordering::Relaxed);
                    log.set_mid(place, noticed);
                    let place = self.write(Entry { mid: at, ..Entry::new(Kind::Lock, lock.0, noticed) });
                    self.held.push((lock, place));
                }
                Awaited::Service => {
                    let ticket = self.world.counters.ticket(self.id);
                    log.set_mid(place, ticket.began.load(Ordering::Relaxed));
                    log.set_end(place, ticket.ended.load(Ordering::Relaxed));
                    self.write(ticket.row());
                }
            }
        }
    }

    /// Uses up processor time; returns what is left because of an interruption.
    fn burn(&mut self, work: u64, first: Kind, interrupted: impl Fn() -> bool) -> u64 {
        self.on_processor = true;
        let word = self.spinning.map(|_| &self.world.objects.waiter(self.id).word);
        let has_it = || word.is_some_and(|word| word.load(Ordering::Acquire) == 0);
        let limits = Limits { deadline: &self.world.board().deadline, interrupted: || interrupted() || has_it() };
        let mut kind = first;
        let mut last = None;
        let used = burn::burn(work, &limits, |piece| {
            let entry = Entry::new(kind, 0, piece.start);
            last = Some(self.write(Entry { mid: OPEN, end: piece.end, tid: piece.tid, cpu: piece.cpu, ..entry }));
            kind = Kind::Resumed;
        });
        if let Some(place) = last {
            self.world.log.set_mid(place, used);
        }
        if let Some(spinning) = &mut self.spinning {
            spinning.used += used;
        }
        if has_it() { 0 } else { work.saturating_sub(used) }
    }
}

/// Runs an instance on the calling thread, which waits whenever the instance waits.
pub(crate) fn run_blocking(world: &World, id: usize, gil: Option<&Gil>) {
    run_on_thread(world, id, gil, |word, _| world.await_zero(word));
}

/// The same, but while it joins others the thread does something else: `help` returns when the word is zero, or `false` if
/// the run ended before.
pub(crate) fn run_helping(world: &World, id: usize, help: &dyn Fn(&AtomicU32) -> bool) {
    run_on_thread(world, id, None, |word, awaited| match awaited {
        Awaited::Children(_) => help(word),
        Awaited::Turn | Awaited::Notice(_) | Awaited::Service => world.await_zero(word),
    });
}

/// `wait` returns when the word is zero, or `false` if the run ended before.
fn run_on_thread(world: &World, id: usize, gil: Option<&Gil>, wait: impl Fn(&AtomicU32, Awaited) -> bool) {
    let over = || world.is_late(sys::now());
    let take = || gil.is_none_or(|gil| gil.take(over));
    let release = || gil.map_or((), Gil::release);
    if !take() || over() {
        return;
    }
    let mut walk = Walk::begin(world, id);
    loop {
        match walk.next() {
            Act::Burn(work) => {
                if !burn_interruptibly(&mut walk, work, gil, over) {
                    return;
                }
            }
            Act::Until { at, .. } => {
                release();
                world.sleep_until(at);
                if !take() {
                    return;
                }
            }
            Act::Wait { .. } => {
                release();
                if walk.word().is_some_and(|word| !wait(word, walk.awaited)) {
                    return;
                }
                walk.granted();
                if !take() {
                    return;
                }
            }
            Act::Yield => {
                release();
                sys::yield_now();
                if !take() {
                    return;
                }
            }
            Act::Done => {
                release();
                return;
            }
        }
    }
}

/// A burst of a task that has to drop the interpreter lock when another wants it.
fn burn_interruptibly(walk: &mut Walk<'_>, work: u64, gil: Option<&Gil>, over: impl Fn() -> bool + Copy) -> bool {
    let Some(gil) = gil else {
        walk.burn(work, Kind::Run, || false);
        return true;
    };
    let mut left = walk.burn(work, Kind::Run, || gil.is_wanted());
    while left > 0 && !over() {
        gil.release();
        if !gil.take(over) {
            return false;
        }
        left = walk.burn(left, Kind::Retaken, || gil.is_wanted());
    }
    true
}

/// Runs an instance as an async task, which gives up its thread whenever the instance waits.
pub(crate) async fn run_async(world: Arc<World>, id: usize) {
    if world.is_late(sys::now()) {
        return;
    }
    world.set_async(id, true);
    let mut walk = Walk::begin(&world, id);
    loop {
        match walk.next() {
            Act::Burn(work) => _ = walk.burn(work, Kind::Run, || false),
            Act::Until { at, blocking: true } => {
                world.sleep_until(at);
            }
            Act::Until { at, blocking: false } => {
                tokio::time::sleep(Duration::from_nanos(at.saturating_sub(sys::now()))).await;
            }
            Act::Wait { blocking: true } => {
                if walk.word().is_some_and(|word| !world.await_zero(word)) {
                    return;
                }
                world.set_async(id, true);
                walk.granted();
            }
            Act::Wait { blocking: false } => {
                if let Some(word) = walk.word() {
                    poll_fn(|context| {
                        world.set_waker(id, context.waker().clone());
                        if word.load(Ordering::SeqCst) == 0 { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                }
                walk.granted();
            }
            Act::Yield => tokio::task::yield_now().await,
            Act::Done => return,
        }
    }
}
