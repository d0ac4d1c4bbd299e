//! During a run: real executors walk the programs of tasks; bursts, sleeps, locks and devices are real, and all that threads and
//! processes share is in one place.

pub(crate) mod burn;
pub(crate) mod device;
pub(crate) mod dispatch;
pub(crate) mod executor;
pub(crate) mod gil;
pub(crate) mod library;
pub(crate) mod python;
pub(crate) mod shared;
pub(crate) mod sync;
pub(crate) mod task;
pub(crate) mod world;
