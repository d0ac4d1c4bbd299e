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
//! In 3.14 a lock is a `PyMutex` (`Modules/_threadmodule.c`, `Python/lock.c`, `Python/parking_lot.c`):
//!
//! - Who waits does so in a queue of Python's own, in the order of coming. `release` wakes the first of it; if that one has waited for
//!   more than 1 ms since it asked, the lock is handed over to it, and the giver, back at once, queues. Else the lock is free, and who
//!   was woken looks when it has the *interpreter lock*, as all others do; if it comes too late it waits anew, as the last, but its
//!   millisecond goes on.
//! - So threads that hold it for longer than 1 ms take turns, section by section; with shorter ones a thread does as many as fit
//!   into a switch interval. Nothing else differs from 3.13: measured of 3.14.10, and 3.13.15 without an interpreter lock has the
//!   older one.

use super::{FIFO, Kind, URGENT};
use crate::scenario::{HandOver, Prefer, Rule};
use crate::time::Span;

const BARGING: Rule = Rule { hand_over: HandOver::Barging, ..FIFO };

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "cpython",
    prefer: Prefer::Fifo,
    rules: &[
        ("lock", Rule { hand_over: HandOver::Barging, outside: true, ..URGENT }),
        ("semaphore", BARGING),
        ("condvar", BARGING),
        ("barrier", BARGING),
        ("channel", BARGING),
    ],
    others: &[],
    meets: false,
};

/// See the module.
pub(super) const KIND_3_14: &Kind = &Kind {
    name: "cpython-3.14",
    rules: &[
        ("lock", Rule { hand_over: HandOver::Fair(Span::from_ms(1)), ..FIFO }),
        ("semaphore", BARGING),
        ("condvar", BARGING),
        ("barrier", BARGING),
        ("channel", BARGING),
    ],
    ..*KIND
};
