//! What a machine takes besides switching: costs with names, each a duration or a distribution.

use super::StartMethod;
use crate::distribution::Distribution;
use crate::time::Span;

/// What is paid in the switch to a thread, besides a context switch, what operations cost, and when the first threads are
/// ready.
///
/// Exactly one of `wake`, `exit`, `block` is paid by who gets a processor that it did not take from somebody: who was woken
/// by another thread and finds the processor idle pays `local_wake` or `remote_wake` in place of `wake`.
#[derive(Clone, PartialEq, Debug)]
pub struct Costs {
    /// What is paid for the switch to another thread, where that is left to chance: else it is in the
    /// [`Machine`](super::Machine).
    pub context_switch: Distribution,
    /// The same for the switch to a thread of another process.
    pub process_switch: Distribution,
    /// From a timer or a device to the first instruction on an idle processor.
    pub wake: SteppedCost,
    /// From a thread that blocks to the next one that is ready.
    pub block: Distribution,
    /// From a thread that ends to the next one that is ready.
    pub exit: Distribution,
    /// Of one who was woken by a thread of the same processor.
    pub local_wake: Distribution,
    /// Of one who was woken by a thread of another processor.
    pub remote_wake: SteppedCost,
    /// Threads that arrive at 0 are ready so much later…
    pub start: Distribution,
    /// … and each one after the other by so much more.
    pub stagger: Distribution,
    /// Of a runtime whose tasks give their thread up, whenever a thread takes up a task, be it the same again; by how long the
    /// thread has computed for the one before without a break.
    pub poll: SteppedCost,
    /// Of an event loop, whenever it looks what has happened outside: at served requests, at timers, …
    pub look: Distribution,
    /// … and for each task that a loop by rounds wakes because of that.
    pub callback: Distribution,
    /// Of a worker that keeps its tasks, whenever it takes one from the queue of its pool, or several at once.
    pub take: Distribution,
    /// Of each operation that takes no time of its own, before it has its effect: see
    /// [`Step::is_instant`](crate::program::Step::is_instant).
    pub operation: Distribution,
    /// Of the thread of Python that gives tasks to a pool as they arrive, for each of them.
    pub submit: Distribution,
    /// What Python takes to start a process, by [`StartMethod`].
    pub starts: [StartCost; 3],
}

/// What it takes to start a process, in processor time.
#[derive(Clone, PartialEq, Debug)]
pub struct StartCost {
    /// Of the process that starts it, until it goes on.
    pub parent: Distribution,
    /// Of the one that is started, until its first line.
    pub child: Distribution,
}

impl Default for StartCost {
    fn default() -> StartCost {
        let free = Distribution::Constant(Span::ZERO);
        StartCost { parent: free.clone(), child: free }
    }
}

/// The keys of costs that may have steps, each with the word for how long what lasted.
pub const STEPPED: [(&str, &str); 3] = [("wake", "idle"), ("remote-wake", "idle"), ("poll", "busy")];

/// A cost by how long something has lasted before. The longer a processor has been idle, the deeper it sleeps, and in a virtual
/// machine its host has turned to others. The longer a task has computed, the less of the runtime is left in the caches.
#[derive(Clone, PartialEq, Debug)]
pub struct SteppedCost {
    /// From which length of time on what is paid: the first from none, the others later and later.
    steps: Vec<(Span, Distribution)>,
}

impl SteppedCost {
    /// That of these steps. `None` unless the first begins with no time, and each later than the one before.
    #[must_use]
    pub fn new(steps: Vec<(Span, Distribution)>) -> Option<SteppedCost> {
        let begins = steps.first().is_some_and(|(from, _)| from.is_zero());
        (begins && steps.is_sorted_by(|(before, _), (after, _)| before < after)).then_some(SteppedCost { steps })
    }

    /// What is paid after so much time.
    #[must_use]
    pub fn after(&self, lasted: Span) -> &Distribution {
        let reached = self.steps.partition_point(|(from, _)| *from <= lasted);
        &self.steps[reached - 1].1
    }

    /// The cost, if it is always the same.
    #[must_use]
    pub fn constant(&self) -> Option<Span> {
        if let [(_, only)] = self.steps.as_slice() { only.constant() } else { None }
    }
}

impl From<Distribution> for SteppedCost {
    fn from(cost: Distribution) -> SteppedCost {
        SteppedCost { steps: vec![(Span::ZERO, cost)] }
    }
}

impl Costs {
    /// What it takes to start a process like that.
    #[must_use]
    pub fn of_start(&self, method: StartMethod) -> &StartCost {
        &self.starts[method as usize]
    }

    /// Is any of them drawn?
    #[must_use]
    pub fn are_random(&self) -> bool {
        let Costs { context_switch, process_switch, block, exit, local_wake, .. } = self;
        let Costs { start, stagger, look, callback, take, operation, submit, .. } = self;
        let switches = [context_switch, process_switch, block, exit, local_wake];
        let others = [start, stagger, look, callback, take, operation, submit];
        let stepped = [&self.wake, &self.remote_wake, &self.poll].into_iter().flat_map(|cost| &cost.steps);
        let stepped = stepped.map(|(_, cost)| cost);
        let starts = self.starts.iter().flat_map(|StartCost { parent, child }| [parent, child]);
        switches.into_iter().chain(others).chain(stepped).chain(starts).any(|cost| cost.constant().is_none())
    }
}

impl Default for Costs {
    fn default() -> Costs {
        let free = || Distribution::Constant(Span::ZERO);
        Costs {
            context_switch: free(),
            process_switch: free(),
            wake: SteppedCost::from(free()),
            block: free(),
            exit: free(),
            local_wake: free(),
            remote_wake: SteppedCost::from(free()),
            start: free(),
            stagger: free(),
            poll: SteppedCost::from(free()),
            look: free(),
            callback: free(),
            take: free(),
            operation: free(),
            submit: free(),
            starts: Default::default(),
        }
    }
}
