//! CPython's `asyncio`, versions 3.11 to 3.14: `Lock`, `Semaphore`, `Condition`, `Barrier`, `Queue`.
//!
//! Source: `Lib/asyncio/locks.py`, `Lib/asyncio/queues.py` of 3.11.7, 3.12.1, 3.13.0, 3.14.10.
//!
//! - A lock that is given back while somebody waits is the first one's: who asks before that one runs queues.
//! - A semaphore sets a permit aside for the first who waits, and wakes it. Until it has run whoever asks queues, even if more are
//!   free; when it has, as many are woken as there are free permits. (3.11 and 3.12 wake one then, and that one the next: the
//!   order is the same, but each of these is a round later.)
//! - A queue wakes the first who waits for what has become of it, an item or room. Whoever looks before has it, and who finds
//!   nothing waits anew, as the last.
//! - Who is notified at a condition asks for its lock when it runs.
//! - Who comes to a barrier that lets others go waits until all of them have left.

use super::{FIFO, Kind};
use crate::scenario::{HandOver, Prefer, Rule};

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "asyncio",
    prefer: Prefer::Fifo,
    rules: &[
        ("lock", FIFO),
        ("semaphore", Rule { hand_over: HandOver::Reserved, ..FIFO }),
        ("condvar", Rule { hand_over: HandOver::Barging, ..FIFO }),
        ("barrier", Rule { hand_over: HandOver::Barging, ..FIFO }),
        ("channel", Rule { hand_over: HandOver::Barging, ..FIFO }),
    ],
    others: &[],
    meets: false,
};
