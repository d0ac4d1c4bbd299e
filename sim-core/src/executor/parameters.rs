//! Parameters that several executors have: what is told of each is told once.

use super::Executor;
use crate::document::Table;
use crate::parameter::Parameter;
use crate::scenario::StartMethod;

pub(super) const EVENT_INTERVAL: Parameter = Parameter::new(
    "event-interval",
    "a whole number",
    "`61`",
    "after so many polls in a row the loop looks at timers and served requests",
);

pub(super) const YIELD: Parameter = Parameter::new(
    "yield",
    "`\"deferred\"`, `\"tail\"`",
    "`\"deferred\"`",
    "is a task that yields put back when the loop has looked at its events, or at once?",
);

pub(super) const BUDGET: Parameter = Parameter::new(
    "budget",
    "a whole number; `0`: no limit",
    "`128`",
    "so many points at which it might have waited a task may pass in one poll",
);

pub(super) const TIMER: Parameter = Parameter::new(
    "timer",
    "a duration",
    "`\"0ms\"`",
    "sleeps end at multiples of it after the start of the run; zero: exactly",
);

pub(super) const EPOCH: Parameter = Parameter::new(
    "epoch",
    "a duration",
    "`\"0ms\"`",
    "so long before the start of the run the steps of `timer` begin to count",
);

pub(super) const PARK: Parameter = Parameter::new(
    "park",
    "`\"exact\"`, `\"whole-steps\"`",
    "`\"exact\"`",
    "does an idle thread wake when the next timer rings, or after whole steps of `timer` from when it began to wait?",
);

pub(super) const PARK_OF_LOOP: Parameter = Parameter {
    values: "`\"exact\"`, `\"whole-steps\"`, `\"whole-ms\"`",
    meaning: "does an idle thread wake when the next timer rings, or after whole steps of `timer`, or whole milliseconds, from when it \
              began to wait?",
    ..PARK
};

pub(super) const TIMED_DEVICES: Parameter = Parameter::new(
    "timed-devices",
    "`true`, `false`, `\"news\"`",
    "`false`",
    "are requests to devices made of such timers, or do tasks learn by them that their request is served?",
);

pub(super) const WORKERS: Parameter =
    Parameter::new("workers", "a whole number", "the processors of the machine", "how many threads");

pub(super) const WORKERS_OF_POOL: Parameter =
    Parameter { default: "the processors of the machine; threads of Python: 4 more, at most 32", ..WORKERS };

pub(super) const VICTIMS: Parameter = Parameter::new(
    "victims",
    "`\"ring\"`, `\"random\"`",
    "`\"ring\"`",
    "from whom an idle worker steals first: from its neighbour, or from one drawn at random",
);

pub(super) const GLOBAL_INTERVAL: Parameter = Parameter::new(
    "global-interval",
    "a whole number",
    "`61`",
    "every so many polls a worker looks into the common queue first",
);

pub(super) const START: Parameter = Parameter::new(
    "start",
    "`\"fork\"`, `\"spawn\"`, `\"forkserver\"`",
    "`\"fork\"`",
    "how processes of Python are started; with runtime = \"cpython\"",
);

/// Reads `start`, how processes of Python are started.
pub(super) fn read_start(table: &mut Table<'_>, executor: &mut Executor) {
    executor.start_method = table.one_of("start", &StartMethod::NAMES).map(|index| StartMethod::ALL[index]);
}
