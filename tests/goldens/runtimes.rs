//! The rules of runtimes, one small world each; asyncio's are among the timers and in `gil`.

mod event_loop;
mod goroutines;
mod pools;
mod work_stealing;

use super::check;
