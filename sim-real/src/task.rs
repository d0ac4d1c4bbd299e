//! Walking the program of one instance for real.
//!
//! [`Walk`] does what takes no time (locks that are free, spawning, writing down) and says what the executor has to do
//! next: burn, wait until some time, wait for others, give way. So each kind of executor, blocking or async, only
//! writes how *it* waits.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use sim_core::ids::{SpecId, SyncId};
use sim_core::program::{Cursor, Step, program_stream};
use sim_core::scenario::SyncOp;

use crate::burn::{self, Limits};
use crate::gil::Gil;
use crate::log::{Entry, Kind, OPEN, Place};
use crate::sys;
use crate::world::World;

/// What the executor has to do next for an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    /// Use up so much processor time.
    Burn(u64),
    /// Wait until then; if `blocking`, with the whole thread.
    Until { at: u64, blocking: bool },
    /// Wait until the word is zero, see [`Walk::word`].
    Wait,
    /// Let others go first.
    Yield,
    /// Nothing more.
    Done,
}

/// What an instance waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    Lock,
    Children(SpecId),
}

/// An instance on its way through its program.
struct Walk<'w> {
    world: &'w World,
    id: usize,
    cursor: Cursor,
    held: Vec<(SyncId, Place)>,
    /// The row of what it waits for.
    open: Option<Place>,
    awaited: Awaited,
    /// Has it used a processor since it last waited?
    on_processor: bool,
}

impl<'w> Walk<'w> {
    fn begin(world: &'w World, id: usize) -> Walk<'w> {
        world.begin(id);
        let (spec, _) = world.identity(id);
        let cursor = Cursor::new(&world.scenario.specs[spec].program);
        let held = Vec::with_capacity(world.scenario.syncs.len());
        Walk { world, id, cursor, held, open: None, awaited: Awaited::Lock, on_processor: false }
    }

    fn write(&self, entry: Entry) -> Place {
        self.world.log.write(&self.world.instance(self.id).diary, entry)
    }

    /// Goes on to the next operation that takes time.
    fn next(&mut self) -> Act {
        let world = self.world;
        let (spec, number) = world.identity(self.id);
        let program = &world.scenario.specs[spec].program;
        loop {
            let now = sys::now();
            if world.is_late(now) {
                world.set_active(false);
                return Act::Done;
            }
            match self.cursor.step(program, || program_stream(&world.scenario, spec, number)) {
                Step::Cpu(work) if work.is_zero() => {}
                Step::Cpu(work) => return Act::Burn(world.plan.speed.time_for(work).ns()),
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
                Step::Sync(SyncOp::Lock(lock)) => {
                    let free = world.acquire(self.id, lock);
                    let kind = if free { Kind::Lock } else { Kind::QueuedLock };
                    let mid = if free { sys::now() } else { OPEN };
                    let place = self.write(Entry { mid, ..Entry::new(kind, lock.0, now) });
                    self.held.push((lock, place));
                    if !free {
                        return self.waits(Awaited::Lock, place);
                    }
                }
                Step::Sync(SyncOp::Unlock(lock)) => self.unlock(lock, now),
                // Who uses anything else is not run: see `feasible`.
                Step::Sync(_) => {}
                Step::Spawn(spec) => world.spawn(self.id, spec),
                Step::Join(spec) => {
                    if self.word_of(Awaited::Children(spec)).is_some_and(|word| word.load(Ordering::SeqCst) > 0) {
                        let place = self.write(Entry::new(Kind::Join, 0, now));
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

    fn unlock(&mut self, lock: SyncId, now: u64) {
        // Invariant of scenarios: it holds the lock.
        if let Some(index) = self.held.iter().rposition(|(held, _)| *held == lock) {
            let (_, place) = self.held.remove(index);
            self.world.log.set_end(place, now);
            self.world.release(lock);
        }
    }

    fn sleeps(&mut self, act: Act) -> Act {
        self.on_processor = false;
        act
    }

    fn waits(&mut self, awaited: Awaited, place: Place) -> Act {
        self.on_processor = false;
        self.awaited = awaited;
        self.open = Some(place);
        self.world.set_active(false);
        Act::Wait
    }

    fn word_of(&self, awaited: Awaited) -> Option<&'w AtomicU32> {
        match awaited {
            Awaited::Lock => Some(&self.world.instance(self.id).waiter.word),
            Awaited::Children(spec) => self.world.children_of(self.id, spec),
        }
    }

    /// The word that becomes zero when the instance need not wait any more.
    fn word(&self) -> Option<&'w AtomicU32> {
        self.word_of(self.awaited)
    }

    /// The others it waited for have let it go on.
    fn granted(&mut self) {
        self.world.set_active(true);
        let at = self.world.granted(self.id).min(sys::now());
        let Some(place) = self.open.take() else { return };
        match self.awaited {
            Awaited::Lock => self.world.log.set_mid(place, at),
            Awaited::Children(_) => self.world.log.set_end(place, at),
        }
    }

    /// Uses up processor time; returns what is left because of an interruption.
    fn burn(&mut self, work: u64, first: Kind, interrupted: impl Fn() -> bool) -> u64 {
        self.on_processor = true;
        let limits = Limits { deadline: &self.world.board().deadline, interrupted };
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
        work.saturating_sub(used)
    }
}

/// Runs an instance on the calling thread, which waits whenever the instance waits.
pub(crate) fn run_blocking(world: &World, id: usize, gil: Option<&Gil>) {
    let over = || world.is_late(sys::now());
    let take = || gil.is_none_or(|gil| gil.take(over));
    let release = || gil.map_or((), Gil::release);
    if !take() {
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
                sleep_unless_over(world, at);
                if !take() {
                    return;
                }
            }
            Act::Wait => {
                release();
                if walk.word().is_some_and(|word| !world.await_zero(word)) {
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

/// Sleeps until `at`, but not beyond the end of the run.
fn sleep_unless_over(world: &World, at: u64) {
    let deadline = world.board().deadline.load(Ordering::SeqCst);
    sys::sleep_until(at.min(deadline));
}

/// Runs an instance as an async task, which gives up its thread whenever the instance waits.
pub(crate) async fn run_async(world: Arc<World>, id: usize) {
    world.set_async(id);
    let mut walk = Walk::begin(&world, id);
    loop {
        match walk.next() {
            Act::Burn(work) => _ = walk.burn(work, Kind::Run, || false),
            Act::Until { at, blocking: true } => {
                sleep_unless_over(&world, at);
            }
            Act::Until { at, blocking: false } => {
                tokio::time::sleep(Duration::from_nanos(at.saturating_sub(sys::now()))).await;
            }
            Act::Wait => {
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
