//! Work that is done for an operation of a task, as an instance of its own.

use crate::ids::SpecId;

/// An operation that lets others do something, and waits for it: `on`, which asks a pool, or `all`, `any` and `each`, whose
/// branches go on at once inside the task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The task that it is an operation of.
    pub spec: SpecId,
    /// Its place in the program: there stands the [`Op::Spawn`](super::Op::Spawn), and behind it the [`Op::Join`](super::Op::Join).
    pub op: u32,
    /// What its work has to do with the task.
    pub way: Way,
}

/// What has to be done for an operation has to do with the task whose operation it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// A pool does it meanwhile, with the task's own stream.
    On,
    /// It is this branch of an `all`. `rotates`: another branch is polled first each time.
    All {
        /// Its number in the list.
        number: u32,
        /// How many there are.
        of: u32,
        /// Is another one the first at each poll?
        rotates: bool,
    },
    /// It is this branch of an `any`, which goes on without the others when the first is done.
    Any {
        /// Its number in the list.
        number: u32,
        /// How many there are.
        of: u32,
        /// Does each poll go through them in the order of the list? Else from a drawn one on.
        biased: bool,
    },
    /// It is one of those that an `each` makes.
    Each {
        /// So many of them go on at once.
        at_once: u32,
    },
}
