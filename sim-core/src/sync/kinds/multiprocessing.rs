//! CPython's `multiprocessing`, versions 3.11 to 3.14, on Linux: `Lock` and `RLock`, `Semaphore`, `Condition`, `Barrier`, `Queue`.
//!
//! Source: `Modules/_multiprocessing/semaphore.c` (`sem_trywait`, then `sem_wait` without the interpreter lock; `sem_post`),
//! `Lib/multiprocessing/synchronize.py`, `Lib/multiprocessing/queues.py` of 3.11.7, 3.12.1, 3.13.0.
//!
//! - All of them stand on semaphores of POSIX in shared memory. What is given back is free, and the kernel wakes the first who
//!   waits; whoever asks before that one runs has it, and who finds nothing waits anew, as the last.
//! - Who notifies at a condition waits until who was notified has woken: that is not simulated.
//! - What is put into a queue goes through a thread of the sender into a pipe: that takes time, which is not simulated.

use super::{FIFO, Kind, URGENT};
use crate::scenario::{HandOver, Prefer, Rule};

const BARGING: Rule = Rule { hand_over: HandOver::Barging, outside: true, ..URGENT };

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "multiprocessing",
    prefer: Prefer::Fifo,
    rules: &[
        ("lock", BARGING),
        ("semaphore", BARGING),
        ("condvar", BARGING),
        ("barrier", Rule { hand_over: HandOver::Barging, ..FIFO }),
        ("channel", BARGING),
    ],
    others: &[],
    meets: false,
};
