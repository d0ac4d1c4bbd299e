//! What is written down of a run, and made of it afterwards: the timeline, why it ended, and how far to trust it.

pub(crate) mod deadlock;
pub(crate) mod evaluate;
pub(crate) mod event;
pub(crate) mod foreign;
pub(crate) mod holes;
pub(crate) mod log;
pub(crate) mod on_cpu;
pub(crate) mod passages;
pub(crate) mod perf;
pub(crate) mod recorder;
pub(crate) mod throttled;
