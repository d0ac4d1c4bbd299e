//! Walking the program of one instance for real.
//!
//! [`Walk`] does what takes no time (synchronising where nobody is in the way, spawning, writing down) and says what
//! the executor has to do next: burn, wait until some time, wait for others, give way. So each kind of executor,
//! blocking or async, only writes how *it* waits.

mod borrowing;
mod branches;
mod calls;
mod dropping;
mod giving_up;
mod polled;
mod synchronising;

use std::sync::atomic::{AtomicU32, Ordering};

use sim_core::ids::{DeviceId, SpecId, SyncId};
use sim_core::program::{Cursor, Outlook, Step, program_stream};
use sim_core::scenario::{Change, OnMiss, Periodic, SyncOp, Way};
use sim_core::time::{Span, Time};
use sim_core::timeline::Fate;

use borrowing::Borrowed;
use branches::Branches;
use giving_up::Attempt;
pub(crate) use polled::run_async;

use crate::play::burn::{self, Limits};
use crate::play::device::Wish;
use crate::play::dispatch::Foreseen;
use crate::play::gil::Gil;
use crate::play::library::Had;
use crate::play::world::{NextJob, World};
use crate::record::event::{Asked, Await, Before, Burst, Event, Hold, Join, Request, Rest, Spin};
use crate::record::log::Place;
use crate::sys;

/// So many rounds of loops are looked through for the next burst.
const LOOK_AHEAD: u32 = 1000;

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
    /// Do something with the object of a library, and wait for others there if need be.
    Borrow(SyncOp),
    /// Wait for the release of the next job: the one before ended then.
    NextJob(u64),
    /// Nothing more.
    Done,
}

/// What an instance waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    /// Its turn at a synchronisation object, to do this.
    Turn(SyncOp),
    /// A notification, and then this lock.
    Notice { condvar: SyncId, lock: SyncId, place: Place<Await> },
    /// The instances it spawned.
    Children(SpecId, Place<Join>),
    /// A device that has a thread.
    Service(DeviceId, Place<Request>),
}

/// An instance that spins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Spinning {
    lock: SyncId,
    asked: u64,
    /// Where it is written down.
    place: Place<Spin>,
    /// Processor time used for it.
    used: u64,
}

/// An instance on its way through its program.
struct Walk<'w> {
    world: &'w World,
    id: usize,
    cursor: Cursor,
    /// What it will give back, and where it is written down since when it has it.
    held: Vec<(SyncId, Place<Hold>)>,
    /// Where it is written down what it has asked for and does not have.
    open: Vec<Place<Asked>>,
    awaited: Option<Awaited>,
    spinning: Option<Spinning>,
    /// The operation that it does again before all others.
    again: Option<SyncOp>,
    /// Has it used a processor since it last waited?
    on_processor: bool,
    /// How many of its jobs, if it is periodic, come after the present one; `None`: they go on and on, or until it is told that
    /// the last ones were dropped.
    jobs_left: Option<u64>,
    /// How much of what was foreseen of its bursts has not begun.
    foreseen: Span,
    /// What it has begun to do at once.
    branches: Branches,
    /// What it is at, and may give up.
    attempt: Option<Attempt>,
    /// Does a loop run it?
    is_polled: bool,
}

impl<'w> Walk<'w> {
    fn begin(world: &'w World, id: usize) -> Walk<'w> {
        world.begin(id);
        let (spec, _) = world.identity(id);
        let cursor = calls::cursor(world, id);
        let held = Vec::with_capacity(world.scenario.syncs.len());
        let open = Vec::with_capacity(1);
        let periodic = world.scenario.specs[spec].attributes.periodic.as_ref();
        let jobs_left = periodic.map_or(Some(0), jobs_left);
        let foreseen = first_burst(world, id).length;
        let (awaited, spinning, again, on_processor) = (None, None, None, false);
        let (branches, attempt, is_polled) = (Branches::default(), None, false);
        Walk {
            world,
            id,
            cursor,
            held,
            open,
            awaited,
            spinning,
            again,
            on_processor,
            jobs_left,
            foreseen,
            branches,
            attempt,
            is_polled,
        }
    }

    /// Says how long the next burst is, before what comes before it.
    fn foresees(&mut self) {
        if let Some(dispatch) = &self.world.dispatch {
            let all = work_ahead(self.world, self.id, &self.cursor, false);
            let is_next = self.again.is_none();
            self.foreseen = if is_next { burst_ahead(self.world, self.id, &self.cursor) } else { Span::ZERO };
            let (length, ahead) = (self.foreseen, all.saturating_sub(self.foreseen));
            dispatch.foresee(self.id, Foreseen { length, ahead });
        }
    }

    /// Says how long the burst is that begins, with what was foreseen to follow it.
    fn says_burst(&mut self, length: Span) {
        if let Some(dispatch) = &self.world.dispatch {
            let is_new = self.foreseen < length;
            if is_new {
                self.foreseen = length;
            }
            let (all, begins) = (work_ahead(self.world, self.id, &self.cursor, true), self.foreseen);
            self.foreseen = begins.saturating_sub(length);
            let ahead = if self.spinning.is_some() { Span::ZERO } else { all.saturating_sub(self.foreseen) };
            dispatch.begins(self.id, Foreseen { length: begins, ahead }, is_new);
        }
    }

    /// Waits for its next job, and writes down when that was released; `false` if there is none, or the run ended before.
    fn awaits_job(&mut self, start: u64) -> bool {
        let released = match self.world.awaits_job(self.id) {
            NextJob::Released(at) => Some(at),
            NextJob::Never => None,
            NextJob::None => {
                self.finishes(Fate::Finished);
                return false;
            }
        };
        self.write(Rest { start, released });
        released.is_some()
    }

    /// Its program is over, in this way: the instance is done, or one of its jobs.
    fn program_ends(&mut self, now: u64, fate: Fate) -> Act {
        if !self.on_processor {
            // It comes onto a processor once more, if only to find that nothing is left to do.
            let (thread, cpu) = (sys::thread_id(), sys::current_cpu());
            self.write(Burst { after: Before::Start, start: now, end: now, thread, cpu, used: 0 });
        }
        if self.has_another_job() {
            return self.sleeps(Act::NextJob(now));
        }
        self.finishes(fate);
        Act::Done
    }

    /// The instance is done, in this way.
    fn finishes(&mut self, fate: Fate) {
        let (spec, _) = self.world.identity(self.id);
        let is_periodic = self.world.scenario.specs[spec].attributes.periodic.is_some();
        self.gives_stream_back();
        self.world.finish(self.id, if is_periodic { Fate::Finished } else { fate });
    }

    /// Goes on to its next job, if there is one.
    fn has_another_job(&mut self) -> bool {
        if self.jobs_left == Some(0) {
            return false;
        }
        self.jobs_left = self.jobs_left.map(|jobs| jobs - 1);
        self.cursor.restart();
        if let Some(dispatch) = &self.world.dispatch {
            dispatch.begins_job(self.id);
        }
        true
    }

    fn write<E: Into<Event>>(&self, event: E) -> Place<E> {
        self.world.log.write(&self.world.instance(self.id).diary, event)
    }

    /// Goes on to the next operation that takes time.
    fn next(&mut self) -> Act {
        let world = self.world;
        let (spec, number) = world.identity(self.id);
        let program = &world.scenario.specs[spec].program;
        if let Some(act) = self.stops_spinning().or_else(|| self.does_again()) {
            return act;
        }
        loop {
            let now = sys::now();
            if world.is_late(now) {
                return Act::Done;
            }
            self.completes();
            match self.cursor.step(program, || program_stream(&world.scenario, spec, number)) {
                Step::Cpu(work) if work.is_zero() => {}
                Step::Cpu(work) => return Act::Burn(world.plan.speed.time_for(work).ns()),
                Step::Io { device, service, at, blocking } if world.counters.stand_for(device) => {
                    return self.asks_device(device, service, at, blocking);
                }
                Step::Io { device, service, blocking, .. } => {
                    let (start, end) = world.request(device, now, service.ns());
                    self.write(Request { device, asked: now, began: Some(start), ended: Some(end) });
                    return self.sleeps(Act::Until { at: end, blocking });
                }
                Step::Sleep(length) => return self.sleeps_for(now, length),
                Step::Yield => {
                    self.write(Event::Yield { at: now });
                    return self.sleeps(Act::Yield);
                }
                Step::Sync(op) => {
                    if let Some(act) = self.synchronise(op) {
                        return act;
                    }
                }
                Step::Spawn(spec) => match world.scenario.specs[spec].caller {
                    None => self.spawns(spec),
                    Some(caller) if caller.way == Way::On => self.calls(spec),
                    Some(caller) => self.makes_branch(spec, caller.way),
                },
                Step::Join(spec) => {
                    if let Some(act) = self.joins(spec, now) {
                        return act;
                    }
                }
                Step::Set(variable, value) => self.changes(variable, Change::To(value)),
                Step::Add(variable, more) => self.changes(variable, Change::By(more)),
                Step::Test => self.looks_at_variables(program),
                Step::Turn => {
                    let wait = self.cursor.turn(program, Time::from_ns(now));
                    if !wait.is_zero() {
                        return self.sleeps_for(now, wait);
                    }
                }
                Step::Attempt(terms) => self.attempts(terms, now),
                Step::Around => {}
                Step::End(fate) => return self.program_ends(now, fate),
            }
        }
    }

    /// Asks a device that has a thread, and waits for that.
    fn asks_device(&mut self, device: DeviceId, service: Span, track: u32, blocking: bool) -> Act {
        if blocking {
            self.world.set_async(self.id, false);
        }
        let asked = self.world.ask(self.id, device, self.wish(device, Wish::lasting(service, track), blocking));
        let place = self.write(Request { device, asked, began: None, ended: None });
        self.awaited = Some(Awaited::Service(device, place));
        self.sleeps(Act::Wait { blocking })
    }

    fn sleeps_for(&mut self, now: u64, length: Span) -> Act {
        let end = now.saturating_add(length.ns());
        self.write(Event::Sleep { start: now, end });
        self.sleeps(Act::Until { at: end, blocking: false })
    }

    fn sleeps(&mut self, act: Act) -> Act {
        self.on_processor = false;
        act
    }

    fn waits(&mut self, awaited: Awaited) -> Act {
        self.awaited = Some(awaited);
        self.on_processor = false;
        let children = if let Awaited::Children(spec, _) = awaited { Some(spec) } else { None };
        self.world.waits_for(self.id, children);
        Act::Wait { blocking: false }
    }

    /// The word that becomes zero when the instance need not wait any more.
    fn word(&self) -> Option<&'w AtomicU32> {
        match self.awaited? {
            Awaited::Turn(_) | Awaited::Notice { .. } | Awaited::Service(..) => {
                Some(&self.world.objects.waiter(self.id).word)
            }
            Awaited::Children(spec, _) => self.world.children_of(self.id, spec),
        }
    }

    /// The others it waited for have let it go on.
    fn granted(&mut self) {
        self.world.waits_no_longer(self.id);
        self.learns_what_came();
        self.awaited = None;
    }

    /// What came of what it waited for.
    fn learns_what_came(&mut self) {
        let (log, waiter) = (&self.world.log, self.world.objects.waiter(self.id));
        let at = waiter.granted.load(Ordering::Relaxed);
        if self.attempt.is_some() && self.has_left() {
            return;
        }
        if waiter.asks_again() {
            return self.is_to_ask_again();
        }
        let Some(awaited) = self.awaited else { return };
        match awaited {
            Awaited::Turn(_) => self.has_what_it_asked_for(at),
            Awaited::Children(spec, join) => {
                log.joined(join, self.world.children_done_at(self.id, spec));
                self.has_called(spec);
            }
            Awaited::Notice { lock, place, .. } => self.is_notified(lock, place, Some(at)),
            Awaited::Service(device, request) => {
                let ticket = self.world.counters.ticket(self.id);
                log.served(request, ticket.began.load(Ordering::Relaxed), ticket.ended.load(Ordering::Relaxed));
                self.write(ticket.served());
                if let Some(what) = ticket.left(device) {
                    self.goes_without(what, ticket.ended.load(Ordering::Relaxed));
                }
            }
        }
    }

    /// The last of its branches has ended then.
    fn has_joined_branches(&mut self, done_at: u64) {
        self.world.waits_no_longer(self.id);
        if let Some(Awaited::Children(_, join)) = self.awaited.take() {
            self.world.log.joined(join, done_at);
        }
    }

    /// Uses up processor time; returns what is left because of an interruption.
    fn burn(&mut self, work: u64, before: Before, interrupted: impl Fn() -> bool) -> u64 {
        self.on_processor = true;
        let word = self.spinning.map(|_| &self.world.objects.waiter(self.id).word);
        let has_it = || word.is_some_and(|word| word.load(Ordering::Acquire) == 0);
        let limits = Limits { deadline: &self.world.board().deadline, interrupted: || interrupted() || has_it() };
        let (mut after, mut last) = (before, None);
        let used = burn::burn(work, &limits, |piece| {
            let burn::Piece { start, end, tid, cpu } = piece;
            last = Some(self.write(Burst { after, start, end, thread: tid, cpu, used: 0 }));
            after = Before::Preemption;
        });
        if let Some(place) = last {
            self.world.log.used(place, used);
        }
        if let Some(spinning) = &mut self.spinning {
            spinning.used += used;
        }
        if has_it() { 0 } else { work.saturating_sub(used) }
    }
}

/// How many jobs come after the first, as far as the instance itself can tell.
fn jobs_left(periodic: &Periodic) -> Option<u64> {
    let jobs_left = periodic.jobs.map(|jobs| jobs.saturating_sub(1));
    jobs_left.filter(|left| *left == 0 || periodic.on_miss != OnMiss::Skip)
}

/// The burst that comes next on the way of an instance, if nothing else does before it.
fn burst_ahead(world: &World, id: usize, cursor: &Cursor) -> Span {
    let (spec, number) = world.identity(id);
    let mut cursor = cursor.clone();
    let work = cursor.take_burst(&world.scenario.specs[spec].program, &mut LOOK_AHEAD.clone(), || {
        program_stream(&world.scenario, spec, number)
    });
    world.plan.speed.time_for(work)
}

/// All work on the way of an instance until it may have to wait.
fn work_ahead(world: &World, id: usize, cursor: &Cursor, has_begun: bool) -> Span {
    let ((spec, instance), now) = (world.identity(id), Time::from_ns(sys::now()));
    let value = |variable| world.objects.value(variable);
    let outlook = Outlook { scenario: &world.scenario, spec, instance, now, has_begun, value };
    world.plan.speed.time_for(outlook.work_ahead(cursor))
}

/// The first burst of an instance.
pub(crate) fn first_burst(world: &World, id: usize) -> Foreseen {
    let (spec, _) = world.identity(id);
    let cursor = Cursor::new(&world.scenario.specs[spec].program);
    let length = burst_ahead(world, id, &cursor);
    Foreseen { length, ahead: work_ahead(world, id, &cursor, false).saturating_sub(length) }
}

/// Runs an instance on the calling thread, which waits whenever the instance waits.
pub(crate) fn run_blocking(world: &World, id: usize, gil: Option<&Gil>) {
    run_on_thread(world, id, gil, |word, awaited| {
        let children = if let Awaited::Children(spec, _) = awaited { Some(spec) } else { None };
        world.awaits(id, word, children)
    });
}

/// The same, but while it joins others the thread does something else: `help` returns when the word is zero, or `false` if
/// the run ended before.
pub(crate) fn run_helping(world: &World, id: usize, help: &dyn Fn(&AtomicU32) -> bool) {
    run_on_thread(world, id, None, |word, awaited| match awaited {
        Awaited::Children(..) => help(word),
        Awaited::Turn(_) | Awaited::Notice { .. } | Awaited::Service(..) => world.await_zero(word),
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
    let mut borrowed = Borrowed::<Had<'_>>::default();
    loop {
        let act = walk.next();
        if !matches!(act, Act::Borrow(_) | Act::Burn(_) | Act::Done) {
            release();
            walk.foresees();
        }
        let goes_on = match act {
            Act::Borrow(op) => !borrowed.does(&mut walk, op, release) || take(),
            Act::Burn(work) => burn_interruptibly(&mut walk, work, gil, over),
            Act::Until { at, .. } => {
                world.sleeps(id, at);
                take()
            }
            Act::Wait { .. } => {
                if let (Some(word), Some(awaited)) = (walk.word(), walk.awaited)
                    && !wait(word, awaited)
                {
                    return;
                }
                walk.granted();
                take()
            }
            Act::Yield => world.gives_way(id) && take(),
            Act::NextJob(ended) => walk.awaits_job(ended) && take(),
            Act::Done => return release(),
        };
        if !goes_on {
            return;
        }
    }
}

/// A burst of a task that has to drop the interpreter lock when another wants it.
fn burn_interruptibly(walk: &mut Walk<'_>, work: u64, gil: Option<&Gil>, over: impl Fn() -> bool + Copy) -> bool {
    walk.says_burst(Span::from_ns(work));
    let Some(gil) = gil else {
        let (world, id) = (walk.world, walk.id);
        walk.burn(work, Before::Start, || {
            world.stands_aside(id);
            false
        });
        return true;
    };
    let mut left = walk.burn(work, Before::Start, || gil.is_wanted());
    while left > 0 && !over() {
        gil.release();
        if !gil.take(over) {
            return false;
        }
        left = walk.burn(left, Before::LostTurn, || gil.is_wanted());
    }
    true
}
