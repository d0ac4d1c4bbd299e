//! Using up processor time: a burst of exactly so much of it, however often the kernel interrupts.
//!
//! Asking the kernel for the processor time of a thread makes it settle its accounts and with that ends time slices
//! early: a loop that asks all the time is scheduled differently from one that computes. So a burst never asks. With
//! the page clock, the kernel has written down how much time the thread had had when it last came onto a processor,
//! and a plain clock goes on from there. Without, a jump of the plain clock together with a switch counted by the
//! kernel is taken for time on somebody else's behalf.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::perf::PageClock;
use crate::sys;

/// A jump of the clock that may be a switch.
const GAP: u64 = 20_000;

/// How much of a gap the thread was still, or already again, on the processor: the kernel takes it away that long
/// after the last look at the clock (median of a few hundred preemptions).
const CREDIT: u64 = 45_000;

/// How long a thread runs to settle: its memory is there and the scheduler owes it nothing.
const SETTLE: u64 = 100_000;

thread_local! {
    /// What bursts of this thread are measured by; set by [`enter`].
    static THREAD: RefCell<Option<Thread>> = const { RefCell::new(None) };
}

struct Thread {
    tid: u32,
    clock: Option<PageClock>,
}

/// Part of a burst during which the thread was on a processor without interruption, as far as it noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    /// First look at the clock.
    pub(crate) start: u64,
    /// Last look at the clock.
    pub(crate) end: u64,
    /// The thread.
    pub(crate) tid: u32,
    /// The processor, by the kernel's numbers.
    pub(crate) cpu: u32,
}

/// When a burst has to end although its work is not done.
pub(crate) struct Limits<'a, F: Fn() -> bool> {
    /// The end of the run.
    pub(crate) deadline: &'a AtomicU64,
    /// Somebody wants the thread to stop.
    pub(crate) interrupted: F,
}

/// Prepares the calling thread for bursts, and lets it settle if there is time; says whether it has a page clock.
pub(crate) fn enter(page_clock: bool, settles: bool) -> bool {
    let clock = if page_clock { PageClock::of_this_thread().ok() } else { None };
    let has_clock = clock.is_some();
    THREAD.set(Some(Thread { tid: sys::thread_id(), clock }));
    if settles {
        settle();
    }
    has_clock
}

/// In a forked child: the clock is that of the parent's thread. Its page is not there, and something else may come to
/// lie in its place, so it must not be unmapped.
pub(crate) fn forget_parent() {
    std::mem::forget(THREAD.take());
}

/// Runs for a moment.
pub(crate) fn settle() {
    let endless = AtomicU64::new(u64::MAX);
    burn(SETTLE, &Limits { deadline: &endless, interrupted: || false }, |_| ());
}

/// Uses up `work` nanoseconds of processor time. Tells the pieces, at least one; returns how much it was.
pub(crate) fn burn<F: Fn() -> bool>(work: u64, limits: &Limits<'_, F>, piece: impl FnMut(Piece)) -> u64 {
    THREAD.with_borrow(|thread| match thread {
        Some(Thread { tid, clock: Some(clock) }) => by_page(clock, *tid, work, limits, piece),
        Some(Thread { tid, clock: None }) => by_gaps(*tid, work, limits, piece),
        None => by_gaps(sys::thread_id(), work, limits, piece),
    })
}

fn by_page<F: Fn() -> bool>(
    clock: &PageClock,
    tid: u32,
    work: u64,
    limits: &Limits<'_, F>,
    mut piece: impl FnMut(Piece),
) -> u64 {
    let mut version = clock.version();
    let mut start = sys::now();
    let Ok(before) = clock.read() else { return by_gaps(tid, work, limits, piece) };
    let mut since = sys::now();
    // Asking took time as well, and some when the caches are cold.
    let asking = if clock.version() == version { since - start } else { 0 };
    let (mut cpu, mut last, mut used_before) = (sys::current_cpu(), start, asking);
    loop {
        let mut now = sys::now();
        if clock.version() != version {
            let stamp = clock.stamp();
            // The first reading may be from before the switch: it would count a whole turn of somebody else.
            now = sys::now();
            piece(Piece { start, end: last, tid, cpu });
            version = stamp.version;
            used_before = asking + stamp.cpu_time.saturating_sub(before);
            (cpu, start, since) = (sys::current_cpu(), now, now);
        }
        last = now;
        let used = used_before + now.saturating_sub(since);
        if used >= work || now >= limits.deadline.load(Ordering::Relaxed) || (limits.interrupted)() {
            piece(Piece { start, end: last, tid, cpu });
            return used;
        }
    }
}

fn by_gaps<F: Fn() -> bool>(tid: u32, work: u64, limits: &Limits<'_, F>, mut piece: impl FnMut(Piece)) -> u64 {
    let mut start = sys::now();
    let (mut cpu, mut last, mut used) = (sys::current_cpu(), start, 0);
    let mut switches = sys::switches();
    loop {
        let now = sys::now();
        let gap = now.saturating_sub(last);
        let switches_now = if gap > GAP { sys::switches() } else { switches };
        if switches_now == switches {
            used += gap;
        } else {
            switches = switches_now;
            used += gap.min(CREDIT);
            piece(Piece { start, end: last, tid, cpu });
            (cpu, start) = (sys::current_cpu(), now);
        }
        last = now;
        if used >= work || now >= limits.deadline.load(Ordering::Relaxed) || (limits.interrupted)() {
            piece(Piece { start, end: last, tid, cpu });
            return used;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bursts beside a competitor on the same processor use about as much processor time as they say.
    fn uses_what_it_says(page_clock: bool) {
        let Ok(cpus) = sys::affinity() else { return };
        let (stop, go_on) = (AtomicU64::new(u64::MAX), AtomicU64::new(u64::MAX));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                sys::set_affinity(&cpus[..1]).expect("our own processor");
                burn(u64::MAX, &Limits { deadline: &stop, interrupted: || false }, |_| ());
            });
            let (asked, used) = scope
                .spawn(|| {
                    sys::set_affinity(&cpus[..1]).expect("our own processor");
                    if enter(page_clock, true) != page_clock {
                        return (0, 0);
                    }
                    let before = sys::thread_cpu_time();
                    let asked = burn(20_000_000, &Limits { deadline: &go_on, interrupted: || false }, |_| ());
                    (asked, sys::thread_cpu_time() - before)
                })
                .join()
                .expect("the burst ends");
            stop.store(0, Ordering::Relaxed);
            if page_clock && asked == 0 {
                eprintln_skip("no page clock: perf_event_open is not permitted here");
                return;
            }
            assert!(asked >= 20_000_000, "{asked}");
            assert!((used / 3..used * 3).contains(&asked), "asked {asked}, used {used}");
        });
    }

    #[expect(clippy::print_stderr, reason = "tells why a test did nothing")]
    fn eprintln_skip(reason: &str) {
        eprintln!("skipped: {reason}");
    }

    #[test]
    fn a_burst_by_the_page_clock_uses_what_it_says() {
        uses_what_it_says(true);
    }

    #[test]
    fn a_burst_by_gaps_uses_what_it_says() {
        uses_what_it_says(false);
    }

    #[test]
    fn a_burst_ends_when_it_is_told_to() {
        let (past, never) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        assert!(burn(u64::MAX, &Limits { deadline: &past, interrupted: || false }, |_| ()) < u64::MAX);
        assert!(burn(u64::MAX, &Limits { deadline: &never, interrupted: || true }, |_| ()) < u64::MAX);
    }
}
