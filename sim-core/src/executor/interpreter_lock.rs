//! The interpreter lock: of all threads of a process, only the one that holds it runs.
//!
//! Rules of the ideal lock (`gil`), those of CPython since 3.2 without what it costs to follow them:
//!
//! - Who wants it while somebody else has it waits one switch interval, then asks the holder to drop it. The holder
//!   does so at once (in reality before its next instruction), and waits until somebody else has it: who was forced
//!   never takes it again before the others who wait.
//! - Who blocks (I/O, a sleep, a lock, a join) drops it, and takes it again to go on. Among threads that compute this
//!   costs an interval for each wait, however short: the convoy effect.
//! - Whoever is handed it while others wait has one interval from when it first runs. CPython is less exact here: a
//!   waiter notices only at the end of its own interval that the lock has changed hands, so after a lock was dropped
//!   without being asked for, the next holder may have up to two.
//! - Those who wait get it in the order in which they began to.
//!
//! With `gil-request = "when-running"` the lock is CPython's, where to ask is something that a thread must do, and that takes
//! a processor:
//!
//! - Who wants the lock looks when it runs. If it is free it takes it; else it waits to be told that it is free, for one interval
//!   at most, counted from then on. After that it looks again, when it gets a processor: if somebody has the lock, and it has not
//!   changed hands since this one began to wait, it asks the holder to drop it (unless the switch to that one is not over); and
//!   it waits again, behind the others.
//! - The holder drops it as soon as it runs and was asked to, or when it blocks, yields or ends. Of those who wait to be told,
//!   the one is told who has done so longest; but the lock is for whoever runs first and looks. Who was asked stands still until
//!   somebody has it, and then wants it again. If whoever is told waits at the same processor, and none is idle, it takes that before: who
//!   was asked stays ready meanwhile, behind the others where the policy remembers who has had more than its share, and looks when it runs again.
//! - The times of several who wait at the processor of the holder, while none is idle, are over at once if they are within 60 us: one interrupt of the
//!   timer wakes all before anybody runs, so the policy says who looks first.
//! - Who gives something to a pool that makes a thread for that waits until the new thread is there, which must have the lock to say so:
//!   it goes on with what it was given, and who waited wants the lock again.
//! - Who asks a holder that runs meanwhile, on another processor, has hardly fallen asleep again when the lock is dropped. With
//!   the probability `gil-asker` it is the one who is told, although others have waited longer.
//!
//! So on one processor under `fifo` nobody ever asks, and under a fair policy a turn ends when the policy lets a waiter run.
//!
//! Against threads of CPython 3.11.7, 3.12.1 and 3.13.0, which behave alike (Linux 6.18, 250 ticks a second, ordinary threads,
//! one and two processors), simulated under `linux` with the costs of `profiles/reference.toml` and `gil-asker = 0.65`:
//!
//! - Met: how long two threads hold it (whole ticks on one processor: 8, 12 and 24 ms with intervals of 1, 5 and 20; the interval
//!   and 0.13 ms on two); who has it when of up to six threads that compute on one processor, turn by turn, for 20 to 80 ms: then microseconds
//!   decide, in real runs as well; on two processors how often the lock goes back to the last but one (0.67 and 0.55 of the turns of three and
//!   four threads, measured 0.65 to 0.73 and 0.54 to 0.66); how late a thread that sleeps is beside one hog on two processors
//!   (5.13 ms, measured 5.20), and beside two and three the median and the tail.
//! - Not: a run of two threads with an interval of 5 ms on one processor can also keep to turns of 8 ms instead of 12, and changes from
//!   one to the other by microseconds of which had more than its share. On two processors the order of three and more threads.
//! - Nobody could predict which of several threads starves for a while there.
//!
//! Sources: `Python/ceval_gil.c` of CPython (`take_gil`, `drop_gil`), the comment at its beginning; Beazley, "Understanding
//! the Python GIL", 2010, for the convoy effect.

use super::Executor;
use crate::document::{Item, Kind, Spot, Table};
use crate::parameter::Parameter;
use crate::time::Span;

/// `sys.getswitchinterval()`, unless a program sets it.
const SWITCH_INTERVAL: Span = Span::from_ms(5);

/// The switch interval of an ideal lock.
pub(super) const INTERVAL: Parameter =
    Parameter::new("gil", "a duration", "no such lock", "a global interpreter lock with this switch interval");

/// Who asks when.
pub(super) const REQUEST: Parameter = Parameter::new(
    "gil-request",
    "`\"timed\"`, `\"when-running\"`",
    "`\"timed\"`",
    "is the holder of the lock asked to drop it when the interval is over, or when a waiter then gets a processor?",
);

/// Who gets it.
pub(super) const ASKER: Parameter = Parameter::new(
    "gil-asker",
    "a probability",
    "`0`",
    "how often who asked from another processor gets the lock before those who have waited longer",
);

/// Reads the parameters of the lock, if there is to be one.
pub(super) fn read(table: &mut Table<'_>, executor: &mut Executor) {
    // One that is there but wrong still is one: what belongs to it is not wrong too.
    executor.gil = table.item("gil").map(|item| interval(item).unwrap_or(SWITCH_INTERVAL));
    let request = table.item("gil-request");
    let when = request.map(|item| item.one_of(&["timed", "when-running"]));
    executor.waiters_ask = when.is_some_and(|when| when != Some(0));
    let asker = table.item("gil-asker");
    executor.asker =
        asker.and_then(|item| item.probability("0 is never, 0.65 is in two of three cases")).unwrap_or(0.0);
    for (item, name) in [(request, "gil-request"), (asker, "gil-asker")] {
        if let Some(item) = item.filter(|_| executor.gil.is_none()) {
            item.wrong(format!("`{name}` is of an interpreter lock, and there is none"), "add gil = \"5ms\"");
        }
    }
    if let Some(item) = asker.filter(|_| executor.gil.is_some() && !executor.waiters_ask) {
        item.wrong("with the ideal lock nobody asks, so nobody is told for that", "add gil-request = \"when-running\"");
    }
}

/// How there is none.
const NO_LOCK: &str = "without runtime = \"cpython\" leave `gil` out; the build of CPython without that lock is rules = \"cpython-3.13t\"";

/// The switch interval.
fn interval(item: Item<'_>) -> Option<Span> {
    if let Kind::Boolean(there_is_one) = item.kind() {
        let hint = if *there_is_one { "write gil = \"5ms\", which is the interval of CPython" } else { NO_LOCK };
        item.wrong(format!("`gil` is the switch interval of an interpreter lock, and not {there_is_one}"), hint);
        return None;
    }
    let span = item.span()?;
    if span.is_zero() {
        item.wrong("`gil` must be longer than zero", NO_LOCK);
    }
    Some(span).filter(|span| !span.is_zero())
}

/// Nobody shares such a lock, for this reason: what is written of one is refused. Rules may say it in vain.
pub(super) fn refuse(table: &mut Table<'_>, reason: &str) {
    for key in [INTERVAL.name, REQUEST.name, ASKER.name] {
        if let Some(item) = table.item(key).filter(|item| item.spot() != Spot::WHOLE) {
            item.wrong(
                format!("`{key}` is of threads that share an interpreter, and {reason}"),
                format!("leave `{key}` out"),
            );
        }
    }
}
