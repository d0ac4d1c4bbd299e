//! The scenario: validated plain data, everything the engine and the real executors need to know.
//!
//! TOML text becomes a [`Scenario`] in two stages: [`document`](crate::document) (as written, each value with its place) and
//! `lower` (names to ids, text to integers, defaults filled in, all mistakes gathered). After that nothing can be
//! missing or misspelt, so neither the engine nor an executor has an error path for input.

mod caller;
mod costs;
mod group;
mod lending;
pub mod lower;
mod position;
mod prediction;
mod process;
mod profile;
mod runtime;
mod state;
mod sync;
mod terms;
pub mod words;

use std::sync::Arc;

pub use caller::{Caller, Way};
pub use costs::{Costs, STEPPED, StartCost, SteppedCost};
pub use group::{Group, Quota, lineage};
pub use position::Position;
pub use prediction::{ENSEMBLE, Ran, ensemble, predicted};
pub use process::{Part, Process};
pub use profile::Profile;
pub use runtime::{CPython, Runtime, StartMethod, interpreter_of_version};
pub use state::{Change, Comparison, Condition, Missed, Operand, Relation, Variable};
pub use sync::{HandOver, Order, Prefer, Protocol, Rule, SyncKind, SyncObject, SyncOp};
pub use terms::Terms;
pub use words::planned;

// What belongs to the shelves is there, and is a part of scenarios too.
pub use crate::device::{Device, Head};
/// The document, under the name by which programs that use this library know it.
pub use crate::document as raw;
pub use crate::executor::Executor;
pub use crate::policy::{Attributes, CpuSet, OnMiss, Periodic, Server, Ties, Timer};

use crate::distribution::Distribution;
use crate::ids::{CpuId, DeviceId, GroupId, IdVec, ProcessId, SpecId, SyncId, VariableId};
use crate::place::Place;
use crate::policy;
use crate::time::{Span, Time};

/// One machine, one scheduler and the work to do on them.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What the file calls itself; empty if it has no title.
    pub title: String,
    /// The number all chance is derived from.
    pub seed: u64,
    /// The number from which what the machine does by chance is derived, its costs among it: the same, except in an
    /// ensemble of machines with one program.
    pub machine_seed: u64,
    /// The horizon: what ends exactly then has ended, nothing starts then.
    pub until: Option<Time>,
    /// Processors and the costs of switching.
    pub machine: Machine,
    /// The kernel floor.
    pub scheduler: Scheduler,
    /// I/O devices, in file order.
    pub devices: IdVec<DeviceId, Device>,
    /// Synchronisation objects, kind by kind, in file order.
    pub syncs: IdVec<SyncId, SyncObject>,
    /// Variables, in file order.
    pub variables: IdVec<VariableId, Variable>,
    /// Groups of processes, in file order.
    pub groups: IdVec<GroupId, Group>,
    /// The names of servers, in file order: [`crate::policy::Server::number`] counts them.
    pub servers: Vec<String>,
    /// Processes, in file order; a process with `count = 3` stands here three times.
    pub processes: IdVec<ProcessId, Process>,
    /// The tasks of all processes, in file order, process by process. One entry stands for all instances of a task.
    pub specs: IdVec<SpecId, Spec>,
}

impl Scenario {
    /// The full name of an instance: `process/task#instance`.
    #[must_use]
    pub fn task_name(&self, spec: SpecId, instance: u32) -> String {
        let spec = &self.specs[spec];
        format!("{}/{}#{instance}", self.processes[spec.process].name, spec.name)
    }
}

/// The processors and what switching between threads, processes and tasks costs on them.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processors, numbered as in the file.
    pub processors: IdVec<CpuId, Processor>,
    /// Paid when a processor dispatches another thread than the one it ran last.
    pub context_switch: Span,
    /// Paid instead of `context_switch` when that thread belongs to another process.
    pub process_switch: Span,
    /// Paid in addition when a thread resumes on another processor than its last.
    pub migration: Span,
    /// Paid at the first dispatch of a thread that the process had to create.
    pub thread_start: Span,
    /// Paid at the first dispatch of a task that is a process of its own (executor `processes`).
    pub process_start: Span,
    /// Paid when a runtime goes from one task to another on the same thread.
    pub task_switch: Span,
    /// Does the very first dispatch of a processor cost a context switch?
    pub charge_first_switch: bool,
    /// How often their timers tick, where the file says so: what policies do at ticks they do then.
    pub tick: Option<Span>,
    /// When they tick first. Invariant: shorter than the tick.
    pub tick_phase: Span,
    /// What has a name besides; `None` if none of it costs anything.
    pub costs: Option<Box<Costs>>,
    /// The caches of the processors; `None` if they make no difference.
    pub cache: Option<Cache>,
    /// The file of the [`Profile`] that is to be laid beneath the scenario, where it names one.
    pub profile: Option<Box<str>>,
}

impl Machine {
    /// Does it cost nothing to put a thread, or another task, on a processor?
    #[must_use]
    pub fn switches_freely(&self) -> bool {
        let costs = [self.context_switch, self.process_switch, self.migration, self.task_switch];
        self.costs.is_none() && costs.iter().chain([&self.thread_start, &self.process_start]).all(|cost| cost.is_zero())
    }
}

/// What the cache of a processor does for tasks that have a working set: on a processor on which it is warm, a task
/// runs faster.
#[derive(Clone, PartialEq, Debug)]
pub struct Cache {
    /// How much fits: as long as the working sets of the warm tasks are larger together, the one that has been warm for
    /// longest is evicted.
    pub size: u64,
    /// How long a task runs on a processor until it is warm there, if it is not evicted.
    pub warm_up: Span,
    /// How much faster a warm task is. Invariant: not below one, and its product with the speed of each processor exists.
    pub warm_speed: Speed,
    /// A burst that ends warm ends at a whole number of these after its last dispatch. Invariant: not zero.
    pub tick: Span,
}

/// One processor.
#[derive(Clone, PartialEq, Debug)]
pub struct Processor {
    /// Its name: its number unless the file names it.
    pub name: String,
    /// How fast it works.
    pub speed: Speed,
}

/// The speed of a processor, an exact fraction: work done per time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Speed {
    /// Work done, in nanoseconds at speed 1 …
    pub work: u32,
    /// … per this many nanoseconds. Invariant: neither is zero.
    pub per: u32,
}

impl Speed {
    /// One nanosecond of work per nanosecond.
    pub const ONE: Speed = Speed { work: 1, per: 1 };

    /// Is it [`Speed::ONE`]? In lowest terms, that is the one whose parts are equal.
    #[inline]
    fn is_one(self) -> bool {
        self.work == self.per
    }

    /// How long this processor takes for `work`, rounded up, and at most as long as time is simulated.
    #[must_use]
    #[inline]
    pub fn time_for(self, work: Span) -> Span {
        self.time_for_rest(work, 0)
    }

    /// The same if some parts of the first nanosecond of work are done already: see [`Speed::progress`].
    #[must_use]
    #[inline]
    pub(crate) fn time_for_rest(self, work: Span, carry: u32) -> Span {
        if self.is_one() {
            return work;
        }
        let parts = (u128::from(work.ns()) * u128::from(self.per)).saturating_sub(u128::from(carry));
        let time = parts.div_ceil(u128::from(self.work));
        u64::try_from(time).map_or(Span::MAX, |time| Span::from_ns(time).min(Span::MAX))
    }

    /// How much work this processor does in `time`, rounded down.
    #[must_use]
    #[inline]
    pub fn work_in(self, time: Span) -> Span {
        self.progress(time, 0).0
    }

    /// How much work this processor does in `time` if `carry` parts of a nanosecond were done before, and what is left
    /// over of that: so many parts, of which `per` are one nanosecond of work.
    #[must_use]
    #[inline]
    pub(crate) fn progress(self, time: Span, carry: u32) -> (Span, u32) {
        if self.is_one() {
            return (time, 0);
        }
        let parts = u128::from(time.ns()) * u128::from(self.work) + u128::from(carry);
        let (work, carry) = (parts / u128::from(self.per), parts % u128::from(self.per));
        (Span::from_ns(u64::try_from(work).unwrap_or(u64::MAX)), u32::try_from(carry).unwrap_or(0))
    }

    /// This many times the other speed, exactly; `None` if its parts are too large.
    #[must_use]
    pub fn times(self, other: Speed) -> Option<Speed> {
        let parts = (u64::from(self.work) * u64::from(other.work), u64::from(self.per) * u64::from(other.per));
        Speed::ratio(u128::from(parts.0), u128::from(parts.1))
    }

    /// `work` per `per`, in lowest terms; `None` if one of them is zero or too large.
    #[must_use]
    pub fn ratio(work: u128, per: u128) -> Option<Speed> {
        let divisor = greatest_common_divisor(work, per);
        let part = |part: u128| u32::try_from(part.checked_div(divisor)?).ok().filter(|part| *part > 0);
        Some(Speed { work: part(work)?, per: part(per)? })
    }
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The kernel floor: which policy places threads on processors.
#[derive(Clone, Debug)]
pub struct Scheduler {
    /// The policy's entry on the shelf.
    pub kind: &'static policy::Kind,
    /// Its parameters, typed in the policy's own file.
    pub settings: Arc<dyn policy::Settings>,
    /// Did the file name it? Otherwise it is the one of files that name none.
    pub named: bool,
    /// Who is queued first when a slice ends at the instant of an arrival.
    pub ties: Ties,
    /// What the lengths of slices count from.
    pub timer: Timer,
}

impl Scheduler {
    /// The policy and its parameters in a few words: `round-robin (quantum 10ms)`.
    #[must_use]
    pub fn label(&self) -> String {
        let parameters = self.settings.label();
        if parameters.is_empty() { self.kind.name.to_owned() } else { format!("{} ({parameters})", self.kind.name) }
    }
}

/// A task: its instances, when they arrive, and what each does.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The process it belongs to.
    pub process: ProcessId,
    /// Its name, without process and instance.
    pub name: String,
    /// Instances that arrive by themselves; 0 if instances are spawned by others.
    pub count: u32,
    /// When the instances arrive.
    pub arrival: Arrival,
    /// An instance starts when all instances of these have finished. Invariant: no cycle.
    pub after: Vec<SpecId>,
    /// What the scheduler may know of it.
    pub attributes: Attributes,
    /// What an instance does.
    pub program: Program,
    /// The operation whose work it is, if it is that: its instances are made and awaited by that one.
    pub caller: Option<Caller>,
}

impl Spec {
    /// Do its instances draw from the stream of who makes them?
    pub(crate) fn shares_stream(&self) -> bool {
        self.is_call()
    }

    /// Are its instances what others let a pool do?
    #[must_use]
    pub fn is_call(&self) -> bool {
        self.caller.is_some_and(|caller| caller.way == Way::On)
    }

    /// Do its instances go on inside another task, whose place they share?
    #[must_use]
    pub fn is_branch(&self) -> bool {
        self.caller.is_some_and(|caller| caller.way != Way::On)
    }
}

/// When the instances of a task arrive.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrival {
    /// All at once.
    At(Time),
    /// Instance `k` at the `k`-th time. Invariant: as many as instances.
    List(Vec<Time>),
    /// Instance `k` at `k` times this span.
    Every(Span),
    /// Instance 0 at the start of the run, each further one a random gap after the one before.
    Gap(Distribution),
    /// When another task's program spawns it.
    Spawned,
}

/// What an instance of a task does: a flat list of operations, walked from the first to the end of the list.
///
/// Nesting is gone: a loop is a [`Op::Repeat`] and the [`Op::Again`] that jumps back to it, a branch a
/// [`Op::Choose`] and [`Op::Jump`]s. The simulator and the real executors walk the same list.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// The operations. Invariant: every jump stays inside, or at the end of, the list.
    pub ops: Vec<Op>,
    /// How many loop counters a walker needs: the deepest nesting of `repeat`.
    pub loop_depth: u32,
    /// From this operation on nothing is drawn any more: a walker that has come here can let go of its stream.
    pub draws_until: u32,
    /// Where each operation stands in its file; empty if it comes from none.
    pub positions: Vec<Position>,
}

impl Program {
    /// Others draw from the stream of an instance as well, or it goes on after the end: nobody lets go of it.
    pub(crate) fn keeps_stream(&mut self) {
        self.draws_until = u32::MAX;
    }

    /// A program of these operations, with loops nested so deep.
    #[must_use]
    pub fn new(ops: Vec<Op>, loop_depth: u32) -> Program {
        let mut draws_until = 0;
        for (position, op) in (1..).zip(&ops) {
            match op {
                _ if op.draws() => draws_until = position,
                // A loop around a draw may come back to it.
                Op::Again { start, .. } | Op::Jump(start) if *start < draws_until.min(position) => {
                    draws_until = position;
                }
                _ => {}
            }
        }
        Program { ops, loop_depth, draws_until, positions: Vec::new() }
    }

    /// Does it ever take the lock?
    #[must_use]
    pub fn locks(&self, lock: SyncId) -> bool {
        self.locked().any(|taken| taken == lock)
    }

    /// The locks that it takes, one after the other.
    pub fn locked(&self) -> impl Iterator<Item = SyncId> {
        self.ops.iter().filter_map(|op| match op {
            Op::Sync(SyncOp::Lock(taken) | SyncOp::Wait { lock: taken, .. }) => Some(*taken),
            _ => None,
        })
    }

    /// Does it ever draw?
    #[must_use]
    pub fn draws(&self) -> bool {
        self.ops.iter().any(Op::draws)
    }

    /// The processor work of one run, if it is the same each time. Loops only multiply: nothing is walked twice.
    #[must_use]
    pub fn work(&self) -> Option<Span> {
        let mut total: u64 = 0;
        let mut times: Vec<u64> = vec![1];
        for op in &self.ops {
            let now = *times.last()?;
            match op {
                Op::Cpu(work) => total = total.checked_add(work.constant()?.ns().checked_mul(now)?)?,
                Op::Repeat { count, .. } => times.push(now.checked_mul((*count)?)?),
                Op::Again { .. } => drop(times.pop()),
                Op::Choose(_) | Op::Jump(_) | Op::Attempt(_) | Op::Test { .. } | Op::End => return None,
                _ => {}
            }
        }
        Some(Span::from_ns(total))
    }
}

impl Op {
    /// Does it draw from the task's stream?
    pub(crate) fn draws(&self) -> bool {
        match self {
            Op::Cpu(time) | Op::Sleep(time) => time.constant().is_none(),
            Op::Io { service, at, .. } => service.constant().is_none() || matches!(at, Place::Drawn(_)),
            Op::Choose(_) => true,
            _ => false,
        }
    }
}

/// One operation. The order of `match` arms everywhere follows `scenario-format`.
#[derive(Clone, PartialEq, Debug)]
#[repr(u8)]
pub enum Op {
    /// Needs this much processor time at speed 1.
    Cpu(Distribution),
    /// One request to a device; blocks until served.
    Io {
        /// The device asked.
        device: DeviceId,
        /// How long one channel is busy with it.
        service: Distribution,
        /// Where on the device.
        at: Place,
        /// Does an async task block its whole thread meanwhile?
        blocking: bool,
    },
    /// Blocked for this long.
    Sleep(Distribution),
    /// Gives up the processor or the runtime's thread, stays ready.
    Yield,
    /// Synchronises with other tasks.
    Sync(SyncOp),
    /// Starts an instance of a task whose arrival is [`Arrival::Spawned`].
    Spawn(SpecId),
    /// Waits until all instances of that task which this task spawned have finished.
    Join(SpecId),
    /// The operation behind this may be given up, or the task turned away from it.
    Attempt(Terms),
    /// Ends the task here; of a periodic task, the job.
    End,
    /// Head of a loop: sets the loop counter; `None` is forever. Count 0 jumps to `end`.
    Repeat {
        /// How often the body runs.
        count: Option<u64>,
        /// Which loop counter of the instance is used.
        slot: u32,
        /// The operation after the loop.
        end: u32,
    },
    /// Foot of a loop: jumps back to `start` (the first operation of the body) unless the counter has run out.
    Again {
        /// First operation of the body.
        start: u32,
        /// The loop counter.
        slot: u32,
        /// Is the loop endless?
        forever: bool,
    },
    /// Continues at one of the targets, drawn by weight from the task's own stream.
    Choose(Vec<(f64, u32)>),
    /// Continues there.
    Jump(u32),
    /// The variable is this from now on.
    Set(VariableId, i64),
    /// The variable is so much more from now on.
    Add(VariableId, i64),
    /// Continues with the next operation if that holds, else at `otherwise`. Of a loop, a [`Op::Jump`] before that leads back
    /// here.
    Test {
        /// What must hold.
        condition: Condition,
        /// Where it continues if it does not.
        otherwise: u32,
    },
    /// Before the first [`Op::Turn`]: none of this loop has come.
    Begin {
        /// The loop counter that says when the next comes.
        slot: u32,
    },
    /// Waits until the next turn of a loop comes; the first at once.
    Turn {
        /// The loop counter that says when.
        slot: u32,
        /// One comes so long after the other.
        period: Span,
        /// What becomes of those behind one that is late.
        missed: Missed,
    },
}
