//! The interpreter locks of processes: of all threads of such a process only the one that has it runs, whatever the shape of
//! its runtime. See `executor/interpreter_lock.rs` for the rules, and `engine/runtime` for when they apply.

pub(super) mod contest;
pub(super) mod ideal;

use self::contest::Contest;
use self::ideal::Ideal;
use crate::ids::{IdVec, ProcessId, ThreadId};
use crate::rng::StreamName;
use crate::scenario::Process;
use crate::time::Time;

/// The lock of one process.
pub(super) enum Interpreter {
    /// It is handed round when an interval is over.
    Ideal(Ideal),
    /// Threads must run to ask for it.
    Contest(Contest),
}

/// The locks of all processes.
#[derive(Default)]
pub(super) struct Interpreters {
    /// Which of the locks each process has, if any: pools have that of the process they are parts of. Empty if nobody has one.
    of: IdVec<ProcessId, Option<usize>>,
    locks: Vec<Interpreter>,
}

impl Interpreters {
    /// Those that the executors of these processes ask for; `seed` is that of the machine.
    pub(super) fn new(processes: &IdVec<ProcessId, Process>, seed: u64) -> Interpreters {
        if processes.iter().all(|process| process.executor.gil.is_none()) {
            return Interpreters::default();
        }
        let mut interpreters = Interpreters::default();
        for (id, process) in processes.pairs() {
            let place = match &process.part {
                Some(part) if process.executor.gil.is_some() => interpreters.of[part.whole],
                _ => Interpreter::of(process, seed).map(|lock| {
                    interpreters.locks.push(lock);
                    interpreters.locks.len() - 1
                }),
            };
            let here = interpreters.of.push(place);
            debug_assert_eq!(here, id);
        }
        interpreters
    }

    fn lock(&self, process: ProcessId) -> Option<&Interpreter> {
        self.of.get(process).copied().flatten().map(|place| &self.locks[place])
    }

    /// Has no process one?
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Must anybody run to ask for one?
    pub(super) fn are_contested(&self) -> bool {
        self.locks.iter().any(|lock| matches!(lock, Interpreter::Contest(_)))
    }

    /// Must who wants that of the process run to ask for it?
    pub(super) fn is_contested(&self, process: ProcessId) -> bool {
        matches!(self.lock(process), Some(Interpreter::Contest(_)))
    }

    /// That of the process, if it has one.
    pub(super) fn of(&mut self, process: ProcessId) -> Option<&mut Interpreter> {
        if self.of.is_empty() { None } else { self.of[process].map(|place| &mut self.locks[place]) }
    }

    /// Has the process one?
    pub(super) fn has(&self, process: ProcessId) -> bool {
        self.lock(process).is_some()
    }

    /// When the thread, which is to run from `begin`, must give it up. The interval of who was handed the lock counts from its
    /// first run: were the switch longer than the interval, nobody would ever run.
    pub(super) fn end_of_turn(&mut self, thread: ThreadId, process: ProcessId, begin: Time, now: Time) -> Time {
        match self.of(process) {
            None => Time::NEVER,
            Some(Interpreter::Ideal(lock)) => lock.end_of_turn(begin).max(now),
            Some(Interpreter::Contest(lock)) => lock.end_of_turn(thread, begin),
        }
    }

    /// A thread of the process is put off before the switch to it has led to anything: if that was to be the first run of this
    /// holder, its turn has not begun.
    pub(super) fn is_put_off_early(&mut self, process: ProcessId, now: Time) {
        if let Some(Interpreter::Ideal(lock)) = self.of(process) {
            lock.is_put_off_early(now);
        }
    }
}

impl Interpreter {
    /// That of this process; the chance that its waiters have is named after it.
    fn of(process: &Process, seed: u64) -> Option<Interpreter> {
        let executor = &process.executor;
        let interval = executor.gil?;
        if !executor.waiters_ask {
            return Some(Interpreter::Ideal(Ideal::new(interval)));
        }
        let chance = StreamName::new(seed).word("executor").word(&process.name).word("gil-asker").stream();
        Some(Interpreter::Contest(Contest::new(interval, executor.asker, chance)))
    }

    /// Who has it; [`ThreadId::NONE`] if it is free.
    pub(super) fn holder(&self) -> ThreadId {
        match self {
            Interpreter::Ideal(lock) => lock.holder(),
            Interpreter::Contest(lock) => lock.holder(),
        }
    }
}
