//! CPython's `threading` and `queue`, versions 3.11, 3.12, 3.13, on Linux: `Lock` and `RLock`, `Semaphore`, `Condition`, `Barrier`,
//! `Queue`.
//!
//! Source: `Modules/_threadmodule.c`, `Python/thread_pthread.h` (a lock is a semaphore of POSIX: `sem_trywait`, then `sem_clockwait`
//! without the interpreter lock), `Lib/threading.py`, `Lib/queue.py` of 3.11.7, 3.12.1, 3.13.0; `nptl/sem_waitcommon.c` of glibc;
//! runs measured.
//!
//! - `release` of a lock makes it free and wakes the first who waits in the queue of the kernel. Nobody is handed anything: the
//!   giver, who is back some hundred nanoseconds later, has it again. Who was woken takes the lock as soon as it has a processor,
//!   before it has the interpreter lock, which it wants only then; if it comes too late, it waits anew, as the last.
//! - All others are Python, made of a `Condition`. Each waiter has a lock of its own, by which it is woken in the order of coming, and
//!   nobody else wants that one; but it must have the *interpreter lock* to look. It does not find what another has taken
//!   meanwhile, and waits anew, as the last. So a thread that gives back and takes in a row does everything first, then the next.
//! - Who is notified takes the lock of the condition as anybody does.
//! - Who comes to a barrier that lets others go waits until all of them have left.
//!
//! 3.14, whose lock hands over after 1 ms of waiting, is not here.

use super::{FIFO, Kind, URGENT};
use crate::scenario::{HandOver, Prefer, Rule};

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "cpython",
    prefer: Prefer::Fifo,
    rules: &[
        ("lock", Rule { hand_over: HandOver::Barging, outside: true, ..URGENT }),
        ("semaphore", Rule { hand_over: HandOver::Barging, ..FIFO }),
        ("condvar", Rule { hand_over: HandOver::Barging, ..FIFO }),
        ("barrier", Rule { hand_over: HandOver::Barging, ..FIFO }),
        ("channel", Rule { hand_over: HandOver::Barging, ..FIFO }),
    ],
    others: &[],
    meets: false,
};
