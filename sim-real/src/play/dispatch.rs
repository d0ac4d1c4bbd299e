//! Any policy for real: threads and processes that run when the scenario's own policy says so.
//!
//! Linux has few of the policies that a scenario can name. So a thread of ours dispatches, by the very object that decides in the
//! simulator: the `desk` is told what happens and says who has a processor, `floor` is what the policy sees, and `control` is the
//! thread that listens, watches the clock and lets threads go and stop. On the measured processors only those run who have been
//! told to; to the kernel all are equal.
//!
//! Here is the side of the threads. Who has no processor waits for its word to become [`GO`]. Who has one computes until its
//! `stop` is set, which a burst sees within a fraction of a microsecond, or until it waits for something; then it says so and
//! stays on the processor, awake, until it is told to go on or to wait: by then the next one is ready to run, and the kernel
//! switches from one to the other without a break.

mod control;
mod desk;
mod floor;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};

use sim_core::ids::SpecId;
use sim_core::time::Span;

pub(crate) use self::control::run;
use crate::play::shared::{Table, row};
use crate::sys;

/// Nobody has decided yet.
const UNDECIDED: u32 = 0;
/// The instance has a processor.
const GO: u32 = 1;
/// It has none.
const HALT: u32 = 2;

/// How long who has said something stays awake until it is told what becomes of it. The dispatcher may be asleep.
const AWAKE: u64 = 100_000;

/// Slices that are shorter than this consist of the switch to them, more or less.
pub(crate) const FINEST: Span = Span::from_us(200);

/// The place of an instance in front of the desk.
struct Seat {
    /// [`GO`], [`HALT`] or [`UNDECIDED`].
    word: AtomicU32,
    /// 1: the instance is to stand aside.
    stop: AtomicU32,
    /// Its thread.
    tid: AtomicU32,
    /// The processor it has, by the kernel's numbers.
    cpu: AtomicU32,
    /// It is not to run before then.
    from: AtomicU64,
    /// When it began to run this time; 0 is not yet.
    began: AtomicU64,
    /// How long its burst is, or the next one.
    burst: AtomicU64,
    /// How much work comes behind it before the instance may have to wait.
    ahead: AtomicU64,
    /// When that began; 0 is not yet.
    burst_at: AtomicU64,
    /// How much work of the present job its bursts have taken up.
    taken: AtomicU64,
    /// When that job was released, if it is not the first.
    release: AtomicU64,
}

row!(Seat {
    word: AtomicU32,
    stop: AtomicU32,
    tid: AtomicU32,
    cpu: AtomicU32,
    from: AtomicU64,
    began: AtomicU64,
    burst: AtomicU64,
    ahead: AtomicU64,
    burst_at: AtomicU64,
    taken: AtomicU64,
    release: AtomicU64,
});

/// What is known of the next burst of an instance, or of that which begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Foreseen {
    /// How long it is; zero: something else comes first.
    pub(crate) length: Span,
    /// How much work comes behind it, or behind that, before the instance may have to wait.
    pub(crate) ahead: Span,
}

/// What has happened to an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum News {
    /// It has noticed that it is to stand aside.
    StandsAside,
    /// It gives way.
    Yields,
    /// It waits until then.
    Sleeps(u64),
    /// It waits for the word of its place in a queue to become zero.
    AwaitsWord,
    /// It waits for the instances of that task which it spawned.
    AwaitsChildren(SpecId),
    /// Its job has ended, and there is another.
    EndsJob,
    /// It is done.
    Finishes,
    /// What it waits for of others has happened.
    Woken,
    /// It was spawned by that one.
    Spawned(usize),
    /// It is lent another urgency than before.
    Changed,
}

impl News {
    fn encode(self) -> (u32, u64) {
        match self {
            News::StandsAside => (0, 0),
            News::Yields => (1, 0),
            News::Sleeps(until) => (2, until),
            News::AwaitsWord => (3, 0),
            News::AwaitsChildren(spec) => (4, u64::from(spec.0)),
            News::EndsJob => (5, 0),
            News::Finishes => (6, 0),
            News::Woken => (7, 0),
            News::Spawned(by) => (8, by as u64),
            News::Changed => (9, 0),
        }
    }

    fn decode(kind: u32, more: u64) -> News {
        match kind {
            0 => News::StandsAside,
            1 => News::Yields,
            2 => News::Sleeps(more),
            3 => News::AwaitsWord,
            4 => News::AwaitsChildren(SpecId(u32::try_from(more).unwrap_or(u32::MAX))),
            5 => News::EndsJob,
            6 => News::Finishes,
            7 => News::Woken,
            8 => News::Spawned(usize::try_from(more).unwrap_or(usize::MAX)),
            _ => News::Changed,
        }
    }
}

/// A piece of news on its way to the dispatcher.
struct Letter {
    /// The number of the letter, plus one, once it is written.
    written: AtomicU64,
    who: AtomicU32,
    kind: AtomicU32,
    more: AtomicU64,
    at: AtomicU64,
}

row!(Letter { written: AtomicU64, who: AtomicU32, kind: AtomicU32, more: AtomicU64, at: AtomicU64 });

/// Room for so many letters that have not been read: many more than threads can write while the dispatcher is at work.
const LETTERS: u64 = 1 << 12;

/// Where letters come in.
struct Hall {
    /// How many were begun.
    begun: AtomicU64,
    /// How many were read.
    read: AtomicU64,
    /// 1 while the dispatcher sleeps.
    asleep: AtomicU32,
    /// Grows with every letter that finds it asleep.
    bell: AtomicU32,
    /// 1: many slices were too short to be exact. Known at the end of the run.
    short_slices: AtomicU32,
}

row!(Hall { begun: AtomicU64, read: AtomicU64, asleep: AtomicU32, bell: AtomicU32, short_slices: AtomicU32 });

/// What threads and their dispatcher share, in shared memory.
pub(crate) struct Dispatch {
    seats: Table<Seat>,
    letters: Table<Letter>,
    halls: Table<Hall>,
}

impl Dispatch {
    /// For up to `capacity` instances.
    pub(crate) fn new(capacity: usize) -> io::Result<Dispatch> {
        let letters = usize::try_from(LETTERS).unwrap_or(0);
        let letters: Table<Letter> = Table::zeros(letters)?;
        // Memory that nobody has touched takes its time.
        letters.iter().for_each(|letter| letter.written.store(0, Relaxed));
        Ok(Dispatch { seats: Table::zeros(capacity)?, letters, halls: Table::zeros(1)? })
    }

    /// The calling thread becomes that of an instance. What it does first is known.
    pub(crate) fn sit(&self, id: usize, next: Foreseen) {
        let seat = &self.seats[id];
        self.foresee(id, next);
        seat.tid.store(sys::thread_id(), Release);
        // It may have a processor before it is there.
        let _ = seat.word.compare_exchange(UNDECIDED, HALT, SeqCst, SeqCst);
    }

    /// Waits for a processor; `false` if the run ended before.
    pub(crate) fn await_turn(&self, id: usize, over: impl Fn() -> bool, deadline: impl Fn() -> u64) -> bool {
        let seat = &self.seats[id];
        let asleep_from = sys::now() + AWAKE;
        loop {
            match seat.word.load(Acquire) {
                GO => {
                    let cpu = seat.cpu.load(Relaxed);
                    if sys::current_cpu() != cpu {
                        let _ = sys::set_affinity(&[cpu]);
                    }
                    while sys::now() < seat.from.load(Relaxed) {
                        std::hint::spin_loop();
                    }
                    seat.began.store(sys::now(), Release);
                    return true;
                }
                _ if over() => return false,
                UNDECIDED if self.halls[0].asleep.load(Relaxed) == 0 && sys::now() < asleep_from => {
                    std::hint::spin_loop();
                }
                word => sys::futex_wait(&seat.word, word, deadline()),
            }
        }
    }

    /// Something has happened to an instance that has a processor: the desk decides what becomes of it.
    pub(crate) fn say(&self, id: usize, news: News) {
        let seat = &self.seats[id];
        seat.word.store(UNDECIDED, SeqCst);
        seat.stop.store(0, SeqCst);
        self.tell(id, news);
    }

    /// An instance is done. It stays awake until the next one is ready to run.
    pub(crate) fn leave(&self, id: usize) {
        self.say(id, News::Finishes);
        let until = sys::now() + AWAKE;
        let is_open = || self.seats[id].word.load(Acquire) == UNDECIDED && self.halls[0].asleep.load(Relaxed) == 0;
        while is_open() && sys::now() < until {
            std::hint::spin_loop();
        }
    }

    /// Something has happened to an instance.
    pub(crate) fn tell(&self, id: usize, news: News) {
        let hall = &self.halls[0];
        let number = hall.begun.fetch_add(1, SeqCst);
        while number >= hall.read.load(Acquire) + LETTERS {
            sys::yield_now();
        }
        let letter = &self.letters[usize::try_from(number % LETTERS).unwrap_or(0)];
        let (kind, more) = news.encode();
        letter.who.store(u32::try_from(id).unwrap_or(u32::MAX), Relaxed);
        letter.kind.store(kind, Relaxed);
        letter.more.store(more, Relaxed);
        letter.at.store(sys::now(), Relaxed);
        letter.written.store(number + 1, SeqCst);
        if hall.asleep.load(SeqCst) == 1 {
            hall.bell.fetch_add(1, SeqCst);
            sys::futex_wake(&hall.bell, 1);
        }
    }

    /// Is the instance to stand aside?
    #[inline]
    pub(crate) fn is_stopped(&self, id: usize) -> bool {
        self.seats[id].stop.load(Relaxed) == 1
    }

    /// The next burst of an instance is known, before it waits for what comes before it.
    pub(crate) fn foresee(&self, id: usize, Foreseen { length, ahead }: Foreseen) {
        let seat = &self.seats[id];
        seat.burst.store(length.ns(), Relaxed);
        seat.ahead.store(ahead.ns(), Relaxed);
        seat.burst_at.store(0, Relaxed);
        seat.taken.fetch_add(length.ns(), Relaxed);
    }

    /// A burst begins; if it is `new`, it was not foreseen.
    pub(crate) fn begins(&self, id: usize, Foreseen { length, ahead }: Foreseen, new: bool) {
        let seat = &self.seats[id];
        seat.burst.store(length.ns(), Relaxed);
        seat.ahead.store(ahead.ns(), Relaxed);
        seat.burst_at.store(sys::now(), Relaxed);
        if new {
            seat.taken.fetch_add(length.ns(), Relaxed);
        }
    }

    /// A job begins: its bursts have taken up nothing of it.
    pub(crate) fn begins_job(&self, id: usize) {
        self.seats[id].taken.store(0, Relaxed);
    }

    /// When the present job of an instance was released, if it is not the first, or if there is one.
    pub(crate) fn release(&self, id: usize) -> Option<u64> {
        Some(self.seats[id].release.load(Acquire)).filter(|at| *at != u64::MAX)
    }

    /// Were many slices of the run, which is over, too short to be exact?
    pub(crate) fn had_short_slices(&self) -> bool {
        self.halls[0].short_slices.load(Acquire) == 1
    }

    /// Lets all who wait for a processor, and the dispatcher, look whether the run is over.
    pub(crate) fn wake_all(&self) {
        for hall in self.halls.iter() {
            hall.bell.fetch_add(1, SeqCst);
            sys::futex_wake(&hall.bell, i32::MAX);
        }
        self.seats.iter().filter(|seat| seat.tid.load(Relaxed) != 0).for_each(|seat| sys::futex_wake(&seat.word, 1));
    }
}
