//! What the kernel is told of each thread where it has a say of its own: its class, nice value and slice.

use sim_core::policy::SchedulingClass;
use sim_core::scenario::{Attributes, Scenario};
use sim_core::time::Span;

use crate::sys::Scheduling;

/// How a thread of such a task is scheduled. `named`: the class that the task names, with the priority it has among those
/// of real-time classes here, if these are permitted. Otherwise it is an ordinary one.
pub(crate) fn of(
    attributes: &Attributes,
    named: Option<(SchedulingClass, Option<i32>)>,
    slice: Option<Span>,
) -> Scheduling {
    let slice = attributes.slice.or(slice);
    let ordinary = |policy| Scheduling { policy, nice: attributes.nice, priority: 0, slice };
    let urgent = |policy, priority: i32| Scheduling { policy, nice: 0, priority: priority.unsigned_abs(), slice: None };
    match named {
        Some((SchedulingClass::Deadline | SchedulingClass::Fifo, Some(priority))) => urgent(libc::SCHED_FIFO, priority),
        Some((SchedulingClass::RoundRobin, Some(priority))) => urgent(libc::SCHED_RR, priority),
        Some((SchedulingClass::Batch, _)) => ordinary(libc::SCHED_BATCH),
        Some((SchedulingClass::Idle, _)) => ordinary(libc::SCHED_IDLE),
        _ => ordinary(libc::SCHED_OTHER),
    }
}

/// Is any task in a class that goes before ordinary ones?
pub(crate) fn has_real_time(scenario: &Scenario) -> bool {
    use SchedulingClass::{Deadline, Fifo, RoundRobin};
    scenario.specs.iter().any(|spec| matches!(spec.attributes.class, Deadline | Fifo | RoundRobin))
}
