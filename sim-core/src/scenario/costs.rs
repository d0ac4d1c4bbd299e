//! What a machine takes besides switching: costs with names, each a duration or a distribution.

use crate::distribution::Distribution;
use crate::time::Span;

/// What is paid in the switch to a thread, besides a context switch, and when the first threads are ready.
///
/// Exactly one of `wake`, `exit`, `block` is paid by who gets a processor that it did not take from somebody: who was woken
/// by another thread and finds the processor idle pays `local_wake` or `remote_wake` in place of `wake`.
#[derive(Clone, PartialEq, Debug)]
pub struct Costs {
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
}

impl Default for Costs {
    fn default() -> Costs {
        let free = || Distribution::Constant(Span::ZERO);
        Costs {
            wake: free(),
            block: free(),
            exit: free(),
            local_wake: free(),
            remote_wake: free(),
            start: free(),
            stagger: free(),
        }
    }
}
