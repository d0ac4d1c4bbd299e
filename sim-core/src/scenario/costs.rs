//! What a machine takes besides switching: costs with names, each a duration or a distribution.

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
    pub wake: Distribution,
    /// From a thread that blocks to the next one that is ready.
    pub block: Distribution,
    /// From a thread that ends to the next one that is ready.
    pub exit: Distribution,
    /// Of one who was woken by a thread of the same processor.
    pub local_wake: Distribution,
    /// Of one who was woken by a thread of another processor.
    pub remote_wake: Distribution,
    /// Threads that arrive at 0 are ready so much later…
    pub start: Distribution,
    /// … and each one after the other by so much more.
    pub stagger: Distribution,
    /// Of a runtime whose tasks give their thread up, whenever a thread takes up a task, be it the same again.
    pub poll: Distribution,
    /// Of each operation that takes no time of its own, before it has its effect: see
    /// [`Step::is_instant`](crate::program::Step::is_instant).
    pub operation: Distribution,
}

impl Costs {
    /// Is any of them drawn?
    #[must_use]
    pub fn are_random(&self) -> bool {
        let Costs { context_switch, process_switch, wake, block, exit, local_wake, remote_wake, .. } = self;
        let Costs { start, stagger, poll, operation, .. } = self;
        let switches = [context_switch, process_switch, wake, block, exit, local_wake, remote_wake];
        let others = [start, stagger, poll, operation];
        switches.into_iter().chain(others).any(|cost| cost.constant().is_none())
    }
}

impl Default for Costs {
    fn default() -> Costs {
        let free = || Distribution::Constant(Span::ZERO);
        Costs {
            context_switch: free(),
            process_switch: free(),
            wake: free(),
            block: free(),
            exit: free(),
            local_wake: free(),
            remote_wake: free(),
            start: free(),
            stagger: free(),
            poll: free(),
            operation: free(),
        }
    }
}
