//! The state machines without threads, and their laws with.

mod arms;

use sim_core::document::Source;
use sim_core::scenario::lower;

use super::*;

/// Objects declared as in a file, and as many instances as a test may need.
struct Desk(Objects);

impl Desk {
    fn new(declared: &str) -> Desk {
        let text = format!("{declared}\n[scheduler]\npolicy = 'priority'\n[[task]]\nname = 'a'\nprogram = []");
        let scenario = match lower::scenario(&Source { file: "test.toml", text: &text }, &[]) {
            Ok(scenario) => scenario,
            Err(mistakes) => panic!("{mistakes}"),
        };
        let urgency = scenario.specs.iter().map(|_| 7).collect();
        Desk(Objects::new(&scenario, 16, Some(&urgency)).expect("memory"))
    }

    fn urgent(&self, who: usize) {
        self.0.waiter(who).set_urgency(1);
    }

    /// Must it wait, and who goes on instead?
    fn does(&self, who: usize, op: SyncOp) -> (bool, Vec<usize>) {
        let done = self.0.perform(who, op);
        let woken: Vec<usize> = self.0.woken(&done).collect();
        for id in &woken {
            assert!(self.0.waiter(*id).granted.load(Ordering::Relaxed) >= done.at);
            self.0.waiter(*id).word.store(0, Ordering::Relaxed);
        }
        assert_eq!(done.waits(), self.0.waiter(who).word.load(Ordering::Relaxed) == 1);
        (done.waits(), woken)
    }

    fn waits(&self, who: usize, op: SyncOp) {
        assert_eq!(self.does(who, op), (true, vec![]), "{who}: {op:?}");
    }

    fn goes_on(&self, who: usize, op: SyncOp) {
        assert_eq!(self.does(who, op), (false, vec![]), "{who}: {op:?}");
    }

    /// Had it not been given what it wanted, and who goes on instead?
    fn drops(&self, who: usize, op: SyncOp) -> (bool, Vec<usize>) {
        let (done, in_vain) = self.0.drops(who, op);
        (in_vain, self.0.woken(&done).collect())
    }

    fn wakes(&self, who: usize, op: SyncOp, woken: &[usize]) {
        assert_eq!(self.does(who, op), (false, woken.to_vec()), "{who}: {op:?}");
    }
}

const IT: SyncId = SyncId(0);

#[test]
fn a_lock_serves_the_urgent_first_and_equals_in_order() {
    let desk = Desk::new("[[lock]]\nname = 'm'");
    desk.urgent(3);
    desk.goes_on(0, SyncOp::Lock(IT));
    (1..5).for_each(|who| desk.waits(who, SyncOp::Lock(IT)));
    for (who, next) in [(0, 3), (3, 1), (1, 2), (2, 4)] {
        desk.wakes(who, SyncOp::Unlock(IT), &[next]);
    }
    desk.goes_on(4, SyncOp::Unlock(IT));
    desk.goes_on(2, SyncOp::Lock(IT));
}

#[test]
fn who_is_dropped_leaves_its_queue_and_what_it_was_told_of() {
    let desk = Desk::new("[[semaphore]]\nname = 's'\npermits = 2");
    desk.goes_on(0, SyncOp::Acquire(IT, 1));
    desk.waits(1, SyncOp::Acquire(IT, 2));
    desk.waits(2, SyncOp::Acquire(IT, 1));
    assert_eq!(desk.drops(1, SyncOp::Acquire(IT, 2)), (true, vec![2]), "there is enough for the one behind it");
    let desk = Desk::new("[[lock]]\nname = 'm'");
    desk.goes_on(0, SyncOp::Lock(IT));
    desk.waits(1, SyncOp::Lock(IT));
    desk.wakes(0, SyncOp::Unlock(IT), &[1]);
    assert_eq!(desk.drops(1, SyncOp::Lock(IT)), (false, vec![]), "it has the lock, though it has not run");
    desk.goes_on(1, SyncOp::Unlock(IT));
    let desk = Desk::new("[[lock]]\nname = 'm'\nhand-over = 'barging'");
    desk.goes_on(0, SyncOp::Lock(IT));
    desk.waits(1, SyncOp::Lock(IT));
    desk.waits(2, SyncOp::Lock(IT));
    desk.wakes(0, SyncOp::Unlock(IT), &[1]);
    assert_eq!(desk.drops(1, SyncOp::Lock(IT)), (true, vec![2]), "another is told that the lock is free");
    desk.goes_on(3, SyncOp::Lock(IT));
}

#[test]
fn readers_share_and_writers_do_not() {
    let desk = Desk::new("[[rwlock]]\nname = 'm'");
    desk.goes_on(0, SyncOp::Read(IT));
    desk.goes_on(1, SyncOp::Read(IT));
    desk.waits(2, SyncOp::Write(IT));
    // Behind a writer that waits.
    desk.waits(3, SyncOp::Read(IT));
    desk.waits(4, SyncOp::Read(IT));
    desk.goes_on(0, SyncOp::Unlock(IT));
    desk.wakes(1, SyncOp::Unlock(IT), &[2]);
    desk.wakes(2, SyncOp::Unlock(IT), &[3, 4]);
}

#[test]
fn an_rwlock_may_prefer_readers_or_writers() {
    let desk = Desk::new("[[rwlock]]\nname = 'm'\nprefer = 'readers'");
    desk.goes_on(0, SyncOp::Read(IT));
    desk.waits(1, SyncOp::Write(IT));
    desk.goes_on(2, SyncOp::Read(IT));
    desk.goes_on(0, SyncOp::Unlock(IT));
    desk.wakes(2, SyncOp::Unlock(IT), &[1]);
    desk.waits(0, SyncOp::Write(IT));
    desk.waits(2, SyncOp::Read(IT));
    desk.wakes(1, SyncOp::Unlock(IT), &[2]);

    let desk = Desk::new("[[rwlock]]\nname = 'm'\nprefer = 'writers'");
    desk.goes_on(0, SyncOp::Write(IT));
    desk.waits(1, SyncOp::Read(IT));
    desk.waits(2, SyncOp::Write(IT));
    desk.wakes(0, SyncOp::Unlock(IT), &[2]);
    desk.wakes(2, SyncOp::Unlock(IT), &[1]);
}

#[test]
fn permits_go_to_the_first_who_wants_them_and_nobody_overtakes() {
    let desk = Desk::new("[[semaphore]]\nname = 's'\npermits = 2");
    desk.goes_on(0, SyncOp::Acquire(IT, 1));
    desk.waits(1, SyncOp::Acquire(IT, 2));
    // There is a permit, but the first in the queue wants two.
    desk.waits(2, SyncOp::Acquire(IT, 1));
    desk.wakes(0, SyncOp::Release(IT, 1), &[1]);
    desk.wakes(5, SyncOp::Release(IT, 1), &[2]);
    desk.goes_on(1, SyncOp::Release(IT, 2));
    desk.goes_on(3, SyncOp::Acquire(IT, 2));
    desk.waits(4, SyncOp::Acquire(IT, 1));
}

#[test]
fn a_channel_holds_no_more_than_it_can() {
    let desk = Desk::new("[[channel]]\nname = 'c'\ncapacity = 1");
    desk.goes_on(0, SyncOp::Send(IT));
    desk.waits(1, SyncOp::Send(IT));
    desk.waits(2, SyncOp::Send(IT));
    desk.wakes(3, SyncOp::Receive(IT), &[1]);
    desk.wakes(3, SyncOp::Receive(IT), &[2]);
    desk.goes_on(3, SyncOp::Receive(IT));
    desk.waits(3, SyncOp::Receive(IT));
    desk.wakes(0, SyncOp::Send(IT), &[3]);
    desk.waits(3, SyncOp::Receive(IT));
}

#[test]
fn where_there_is_no_room_both_sides_meet() {
    let desk = Desk::new("[[channel]]\nname = 'c'\ncapacity = 0");
    desk.waits(0, SyncOp::Send(IT));
    desk.waits(1, SyncOp::Send(IT));
    desk.wakes(2, SyncOp::Receive(IT), &[0]);
    desk.wakes(2, SyncOp::Receive(IT), &[1]);
    desk.waits(2, SyncOp::Receive(IT));
    desk.waits(3, SyncOp::Receive(IT));
    desk.wakes(0, SyncOp::Send(IT), &[2]);
    desk.wakes(0, SyncOp::Send(IT), &[3]);
    desk.waits(0, SyncOp::Send(IT));
}

#[test]
fn who_is_notified_has_its_lock_when_it_goes_on() {
    let desk = Desk::new("[[lock]]\nname = 'm'\n[[condvar]]\nname = 'c'");
    let named = |kind: SyncKind| desk.0.kinds.pairs().find(|(_, other)| other.0 == kind).expect("declared").0;
    let (lock, condvar) = (named(SyncKind::Mutex), named(SyncKind::Condvar));
    desk.goes_on(9, SyncOp::Notify(condvar));
    for who in 0..4 {
        desk.goes_on(who, SyncOp::Lock(lock));
        desk.waits(who, SyncOp::Wait { condvar, lock });
    }
    desk.urgent(2);
    // The lock is free: it is taken at once. Then it is not: the notified queue for it.
    desk.wakes(9, SyncOp::Notify(condvar), &[2]);
    desk.goes_on(9, SyncOp::NotifyAll(condvar));
    desk.waits(5, SyncOp::Lock(lock));
    for (who, next) in [(2, 0), (0, 1), (1, 3), (3, 5)] {
        desk.wakes(who, SyncOp::Unlock(lock), &[next]);
    }
    // To wait gives the lock to who waits for it.
    desk.waits(0, SyncOp::Lock(lock));
    assert_eq!(desk.does(5, SyncOp::Wait { condvar, lock }), (true, vec![0]));
}

#[test]
fn nobody_passes_a_barrier_until_all_have_come_and_then_again() {
    let desk = Desk::new("[[barrier]]\nname = 'b'\nparties = 3");
    for _ in 0..2 {
        desk.waits(2, SyncOp::Arrive(IT));
        desk.waits(0, SyncOp::Arrive(IT));
        desk.wakes(1, SyncOp::Arrive(IT), &[2, 0]);
    }
}

/// Locks with these protocols, which a task uses, and five instances, each as urgent as its number.
fn lending(protocols: [&str; 2]) -> Desk {
    let lock = |(name, protocol)| format!("[[lock]]\nname = '{name}'\nprotocol = '{protocol}'\n");
    let locks: String = ["m", "n"].into_iter().zip(protocols).map(lock).collect();
    let uses = "[[task]]\nname = 'b'\nprogram = [{ with = 'm', do = [{ with = 'n', do = [] }] }]";
    let desk = Desk::new(&format!("{locks}{uses}"));
    (0..5).for_each(|who| desk.0.waiter(who).set_urgency(i64::try_from(who).expect("small")));
    desk
}

#[test]
fn a_holder_inherits_along_the_chain_and_loses_it_with_the_lock() {
    let desk = lending(["inherit", "inherit"]);
    let (m, n) = (SyncId(0), SyncId(1));
    let urgencies = || [0, 1, 2, 3].map(|who| desk.0.waiter(who).urgency());
    desk.goes_on(0, SyncOp::Lock(m));
    desk.goes_on(1, SyncOp::Lock(n));
    desk.waits(1, SyncOp::Lock(m));
    assert_eq!(urgencies(), [1, 1, 2, 3]);
    desk.waits(3, SyncOp::Lock(n));
    desk.waits(2, SyncOp::Lock(m));
    assert_eq!(urgencies(), [3, 3, 2, 3]);
    let done = desk.0.perform(0, SyncOp::Unlock(m));
    assert_eq!((done.changed.as_slice(), urgencies()), ([0].as_slice(), [0, 3, 2, 3]));
    assert_eq!(desk.0.woken(&done).collect::<Vec<_>>(), [1], "the one that was lent more than the other has");
    desk.0.waiter(1).word.store(0, Ordering::Relaxed);
    desk.wakes(1, SyncOp::Unlock(n), &[3]);
    assert_eq!(urgencies(), [0, 2, 2, 3], "what is left is lent by who waits for the other lock");
    desk.wakes(1, SyncOp::Unlock(m), &[2]);
    assert_eq!(urgencies(), [0, 1, 2, 3]);
}

#[test]
fn a_holder_is_as_urgent_as_the_ceiling_of_its_lock() {
    let desk = lending(["ceiling", "none"]);
    desk.goes_on(0, SyncOp::Lock(SyncId(1)));
    assert_eq!(desk.0.waiter(0).urgency(), 0);
    desk.goes_on(0, SyncOp::Lock(SyncId(0)));
    assert_eq!(desk.0.waiter(0).urgency(), 7);
    desk.waits(1, SyncOp::Lock(SyncId(0)));
    desk.wakes(0, SyncOp::Unlock(SyncId(0)), &[1]);
    assert_eq!([0, 1].map(|who| desk.0.waiter(who).urgency()), [0, 7]);
}

#[test]
fn under_original_ceilings_a_free_lock_may_be_refused() {
    let desk = lending(["original-ceiling", "original-ceiling"]);
    let (m, n) = (SyncId(0), SyncId(1));
    let urgencies = || [0, 1, 2, 3].map(|who| desk.0.waiter(who).urgency());
    desk.goes_on(0, SyncOp::Lock(m));
    desk.waits(2, SyncOp::Lock(n));
    assert_eq!(urgencies(), [2, 1, 2, 3], "it waits for who has the other lock");
    desk.waits(3, SyncOp::Lock(m));
    assert_eq!(urgencies(), [3, 1, 2, 3]);
    // The more urgent one has what it waits for, and is now in the way of the other.
    desk.wakes(0, SyncOp::Unlock(m), &[3]);
    assert_eq!(urgencies(), [0, 1, 2, 3]);
    desk.wakes(3, SyncOp::Unlock(m), &[2]);
    desk.goes_on(2, SyncOp::Unlock(n));
}

#[test]
fn nobody_is_more_urgent_than_who_is_not_preempted() {
    let desk = lending(["non-preemptive", "none"]);
    desk.goes_on(0, SyncOp::Lock(SyncId(0)));
    assert_eq!(desk.0.waiter(0).urgency(), 7);
    desk.goes_on(0, SyncOp::Unlock(SyncId(0)));
    assert_eq!(desk.0.waiter(0).urgency(), 0);
}

/// Threads that do as they are told, each waiting on its word.
fn with_threads(desk: &Desk, threads: usize, body: impl Fn(usize, &dyn Fn(SyncOp)) + Sync) {
    std::thread::scope(|scope| {
        for who in 0..threads {
            let body = &body;
            scope.spawn(move || {
                body(who, &|op| {
                    let done = desk.0.perform(who, op);
                    for id in desk.0.woken(&done) {
                        let word = &desk.0.waiter(id).word;
                        word.store(0, Ordering::SeqCst);
                        sys::futex_wake(word, 1);
                    }
                    let word = &desk.0.waiter(who).word;
                    while word.load(Ordering::SeqCst) == 1 {
                        sys::futex_wait(word, 1, u64::MAX / 2);
                    }
                });
            });
        }
    });
}

#[test]
fn threads_exclude_each_other() {
    let desk = Desk::new("[[rwlock]]\nname = 'm'");
    let (inside, total) = (AtomicU32::new(0), AtomicU32::new(0));
    with_threads(&desk, 4, |who, does| {
        for round in 0..500 {
            let alone = (who + round) % 3 == 0;
            does(if alone { SyncOp::Write(IT) } else { SyncOp::Read(IT) });
            let before = inside.fetch_add(if alone { 100 } else { 1 }, Ordering::SeqCst);
            assert!(if alone { before == 0 } else { before < 100 }, "{before} are inside");
            total.fetch_add(1, Ordering::SeqCst);
            inside.fetch_sub(if alone { 100 } else { 1 }, Ordering::SeqCst);
            does(SyncOp::Unlock(IT));
        }
    });
    assert_eq!(total.into_inner(), 2000);
}

#[test]
fn threads_pass_every_message_and_no_more_than_there_is_room_for() {
    for capacity in [0, 3] {
        let desk = Desk::new(&format!("[[channel]]\nname = 'c'\ncapacity = {capacity}"));
        let (sent, received) = (AtomicU32::new(0), AtomicU32::new(0));
        with_threads(&desk, 4, |who, does| {
            for _ in 0..500 {
                if who < 2 {
                    does(SyncOp::Send(IT));
                    sent.fetch_add(1, Ordering::SeqCst);
                } else {
                    does(SyncOp::Receive(IT));
                    received.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        assert_eq!((sent.into_inner(), received.into_inner()), (1000, 1000));
        assert_eq!(desk.0.objects[0].level.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn threads_pass_a_barrier_together() {
    let desk = Desk::new("[[barrier]]\nname = 'b'\nparties = 4");
    let come = AtomicU32::new(0);
    with_threads(&desk, 4, |_, does| {
        for round in 1..=200 {
            come.fetch_add(1, Ordering::SeqCst);
            does(SyncOp::Arrive(IT));
            assert!(come.load(Ordering::SeqCst) >= 4 * round);
        }
    });
}

#[test]
fn stamps_grow_across_threads_and_objects() {
    let desk = Desk::new("[[semaphore]]\nname = 's'\npermits = 0\n[[semaphore]]\nname = 't'\npermits = 0");
    let stamps = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for who in 0..2 {
            let (desk, stamps) = (&desk, &stamps);
            scope.spawn(move || {
                let own: Vec<u64> = (0..1000).map(|_| desk.0.perform(who, SyncOp::Release(SyncId(0), 1)).at).collect();
                assert!(own.is_sorted());
                stamps.lock().expect("nobody panics").extend(own);
            });
        }
    });
    let mut stamps = stamps.into_inner().expect("nobody panics");
    stamps.sort_unstable();
    stamps.dedup();
    assert_eq!(stamps.len(), 2000);
}

#[test]
fn a_latch_lets_one_in_at_a_time() {
    let (latch, counter) = (Latched::default(), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    latch.with(|| counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed));
                }
            });
        }
    });
    assert_eq!(counter.into_inner(), 40_000);
}

#[test]
fn a_latch_is_given_back_when_what_is_done_under_it_panics() {
    let latch = Latched::default();
    let panics = std::panic::AssertUnwindSafe(|| latch.with(|| std::panic::resume_unwind(Box::new(7))));
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(latch.with(|| 1), 1);
    assert_eq!(latch.word.load(Ordering::Relaxed), 0);
}

#[test]
fn a_latch_is_taken_over_from_a_process_that_died_inside() {
    let latches = Table::<Latched>::zeros(1).expect("memory");
    let child = sys::fork(|| latches[0].with(|| std::process::abort())).expect("a process");
    // It is not waited for yet: a process that nobody has waited for has a number still.
    while latches[0].word.load(Ordering::Relaxed) != child.id() || !sys::is_gone(child.id()) {
        std::thread::yield_now();
    }
    assert_eq!(latches[0].with(|| 1), 1);
    assert_eq!(latches[0].word.load(Ordering::Relaxed) & !WANTED, 0);
    child.end_by(u64::MAX);
}

#[test]
fn one_at_a_time_has_a_latch() {
    let (latch, inside, turns) = (Latched::default(), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5000 {
                    latch.with(|| {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        turns.fetch_add(1, Ordering::Relaxed);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
        }
    });
    assert_eq!((turns.into_inner(), latch.word.into_inner()), (20_000, 0));
}
