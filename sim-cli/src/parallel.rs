//! The same work many times, on all cores, with the results in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// For each thread so many results may wait for one that comes before them.
const WINDOW: usize = 4;
/// Work that takes no longer than this is taken up several numbers at a time: to talk about each would take as long.
const QUICK: Duration = Duration::from_micros(250);

/// How many threads are worth their while: one for each core.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does `work` for all numbers below `count` on so many threads, and gives each result to `take`, in the order of the
/// numbers, until that wants no more. Never more than a few results for each thread wait to be taken. What is taken does
/// not depend on the number of threads; where the system gives none, this one does the work.
pub fn in_order<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> bool,
) {
    let queue = Queue { window: threads * WINDOW, state: Mutex::default(), changed: Condvar::new() };
    queue.state().open = count;
    thread::scope(|scope| {
        let start = |_| Builder::new().spawn_scoped(scope, || queue.serve(&work)).ok();
        // One thread has nothing to wait for.
        let helpers = if threads > 1 { (0..threads.min(count)).map_while(start).count() } else { 0 };
        for number in 0..count {
            let result = if helpers == 0 { Some(work(number)) } else { queue.result(number) };
            if !result.is_some_and(&mut take) {
                break;
            }
        }
        queue.close();
    });
}

struct Queue<T> {
    window: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// Numbers below this are to be worked on.
    open: usize,
    /// The next that nobody works on.
    next: usize,
    /// So many have been taken.
    taken: usize,
    results: BTreeMap<usize, T>,
}

impl<T> Default for State<T> {
    fn default() -> State<T> {
        State { open: 0, next: 0, taken: 0, results: BTreeMap::new() }
    }
}

impl<T> Queue<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until there is nothing left to do.
    fn serve(&self, work: impl Fn(usize) -> T) {
        // If the work panics, nobody is to wait for its result; the scope passes the panic on.
        let _closes = CloseOnPanic(self);
        let mut most = 1;
        while let Some(numbers) = self.numbers(most) {
            let start = Instant::now();
            let results: Vec<(usize, T)> = numbers.map(|number| (number, work(number))).collect();
            most = if start.elapsed() < QUICK * WINDOW as u32 { WINDOW } else { 1 };
            self.state().results.extend(results);
            self.changed.notify_all();
        }
    }

    /// The next numbers, so many at most, once they are not too far ahead of what is taken.
    fn numbers(&self, most: usize) -> Option<Range<usize>> {
        let ahead = |state: &mut State<T>| state.next < state.open && state.next >= state.taken + self.window;
        let mut state = self.changed.wait_while(self.state(), ahead).unwrap_or_else(PoisonError::into_inner);
        let first = state.next;
        state.next = (first + most).min(state.open).min(state.taken + self.window).max(first);
        (first < state.open).then_some(first..state.next)
    }

    /// The result of a number, if it will still come.
    fn result(&self, number: usize) -> Option<T> {
        let missing = |state: &mut State<T>| number < state.open && !state.results.contains_key(&number);
        let mut state = self.changed.wait_while(self.state(), missing).unwrap_or_else(PoisonError::into_inner);
        state.taken = number + 1;
        let result = state.results.remove(&number);
        self.changed.notify_all();
        result
    }

    /// No more work.
    fn close(&self) {
        self.state().open = 0;
        self.changed.notify_all();
    }
}

struct CloseOnPanic<'a, T>(&'a Queue<T>);

impl<T> Drop for CloseOnPanic<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_order_however_many_threads_there_are() {
        for threads in [1, 2, 3, 16] {
            let (mut taken, ahead) = (Vec::new(), AtomicUsize::new(0));
            let work = |number: usize| {
                // The first is slow: the others must wait for it, and not run far ahead.
                if number == 0 {
                    thread::sleep(Duration::from_millis(20));
                    assert!(ahead.load(Ordering::SeqCst) <= threads * WINDOW);
                }
                ahead.fetch_max(number, Ordering::SeqCst);
                number * 7
            };
            in_order(100, threads, work, |result| {
                taken.push(result);
                taken.len() < 60
            });
            assert_eq!(taken, (0..60).map(|number| number * 7).collect::<Vec<_>>(), "{threads} threads");
        }
        in_order(0, 4, |number| number, |_| panic!("there is nothing to take"));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_the_work_is_passed_on() {
        in_order(10, 2, |number| assert!(number != 5, "the work of this test panics"), |()| true);
    }
}
