//! Tasks: their instances, and what is known of all instances of one together.

use crate::ids::{IdVec, SpecId, SyncId, TaskId, ThreadId, VariableId};
use crate::program::{Cursor, Outlook};
use crate::rng::Stream;
use crate::scenario::{Arrival, Scenario, Spec};
use crate::time::{Span, Time};
use crate::timeline::{Block, Cause};

/// An instance of a task: there are millions of them, so each is one cache line.
#[repr(align(64))]
pub(super) struct Task {
    pub(super) cursor: Cursor,
    /// Work left of the present processor burst, at speed 1.
    pub(super) work: Span,
    /// Since when it is blocked, or spins.
    pub(super) since: Time,
    /// Is that a wait for what it waited for before and did not find?
    pub(super) again: bool,
    /// When a channel took its request; [`Time::NEVER`] while it queues.
    pub(super) served_since: Time,
    pub(super) spec: SpecId,
    pub(super) instance: u32,
    /// The thread that carries it; [`ThreadId::NONE`] while none does.
    pub(super) thread: ThreadId,
    pub(super) state: State,
}

const _: () = assert!(size_of::<Task>() == 64, "a million tasks take that much more");

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Has not arrived.
    Absent,
    /// Wants to run: in a queue of one of the floors, or running.
    Able,
    /// Waits for a lock on its processor, or to get it back for that.
    Spinning(SyncId),
    /// Waits for something else.
    Blocked(Cause),
    Finished,
}

/// What is known of all instances of a task together.
pub(super) struct SpecState {
    /// The id of instance 0.
    pub(super) first: TaskId,
    /// How many instances have arrived (or been spawned).
    pub(super) next: u32,
    /// In which order the instances arrive, if it is not that of their numbers.
    order: Option<Box<[u32]>>,
    /// Where the gaps between its arrivals come from.
    pub(super) gaps: Option<Box<Stream>>,
    /// Instances not finished.
    pub(super) unfinished: u32,
    /// Tasks it starts after that have not all finished.
    pub(super) unmet: u32,
    /// Tasks that start after it.
    pub(super) dependents: Vec<SpecId>,
}

impl Task {
    /// The wait that ends then, of the task with this id.
    #[inline]
    pub(super) fn wait_until(&self, end: Time, id: TaskId, cause: Cause) -> Block {
        Block { start: self.since, end, task: id, cause, again: self.again }
    }

    /// How much work it does behind that which it has taken up, until it may have to wait. Who spins waits already.
    pub(super) fn work_ahead(
        &self,
        scenario: &Scenario,
        now: Time,
        has_begun: bool,
        variables: &IdVec<VariableId, i64>,
    ) -> Span {
        if let State::Spinning(_) = self.state {
            return Span::ZERO;
        }
        let (spec, instance, value) = (self.spec, self.instance, |variable| variables[variable]);
        Outlook { scenario, spec, instance, now, has_begun, value }.work_ahead(&self.cursor)
    }

    pub(super) fn new(scenario: &Scenario, spec: SpecId, instance: u32) -> Task {
        Task {
            cursor: Cursor::new(&scenario.specs[spec].program),
            work: Span::ZERO,
            since: Time::ZERO,
            again: false,
            served_since: Time::NEVER,
            spec,
            instance,
            thread: ThreadId::NONE,
            state: State::Absent,
        }
    }
}

impl SpecState {
    pub(super) fn new(spec: &Spec) -> SpecState {
        let order = match &spec.arrival {
            Arrival::List(times) if !times.is_sorted() => {
                let mut order: Vec<u32> = (0..spec.count).collect();
                order.sort_by_key(|instance| times[*instance as usize]);
                Some(order.into())
            }
            _ => None,
        };
        SpecState { first: TaskId::NONE, next: 0, order, gaps: None, unfinished: 0, unmet: 0, dependents: Vec::new() }
    }

    /// The instance that arrives next.
    pub(super) fn next_instance(&self) -> u32 {
        self.order.as_ref().map_or(self.next, |order| order[self.next as usize])
    }
}
