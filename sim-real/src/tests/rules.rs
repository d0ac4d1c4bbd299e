//! What the linked runtimes do, held against the rules that bear their names: a crate that behaves otherwise needs rules of
//! another name. Orders, counts, and how long nobody can have waited: nothing here depends on how long something takes.

use std::cell::{Cell, RefCell};
use std::fs;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use sim_core::executor::rules::RULES;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

const MILLISECOND: Duration = Duration::from_millis(1);

fn event_loop() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

#[test]
fn rules_of_linked_crates_bear_their_versions() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = fs::read_to_string(lock).expect("Cargo.lock is there");
    let version = |name: &str| {
        let package = lock.split("[[package]]").find(|package| package.contains(&format!("name = \"{name}\"\n")))?;
        Some(package.split_once("version = \"")?.1.split_once('"')?.0)
    };
    let mut linked = 0;
    for rules in RULES {
        let (crate_name, minor) = rules.name.split_once('-').expect("a name and a version");
        let Some(version) = version(crate_name) else { continue };
        assert!(version.starts_with(&format!("{minor}.")), "{} and {crate_name} {version}", rules.name);
        linked += 1;
    }
    assert_eq!(linked, 2, "tokio and rayon");
}

/// Sleeps for a millisecond, beginning at so much of a step of the runtime's timers: how long does it take?
async fn sleep_from(made: Instant, part: Duration) -> Duration {
    while (made.elapsed().as_nanos() % MILLISECOND.as_nanos()) / 10_000 != part.as_nanos() / 10_000 {}
    let begin = Instant::now();
    tokio::time::sleep(MILLISECOND).await;
    begin.elapsed()
}

#[test]
fn an_idle_loop_of_tokio_waits_for_whole_milliseconds() {
    // The timer rings at the second whole millisecond after it was set; who waited until then would be back sooner. A loop that is
    // kept from its processor before it parks may be so too, but not most times.
    for part in [200, 400, 600, 800].map(Duration::from_micros) {
        let slept: Vec<Duration> = (0..9)
            .map(|_| {
                let runtime = event_loop();
                let made = Instant::now();
                runtime.block_on(sleep_from(made, part))
            })
            .collect();
        let whole = slept.iter().filter(|slept| **slept >= 2 * MILLISECOND).count();
        assert!(whole > 4, "begun {part:?} after a whole millisecond, {slept:?}");
    }
}

#[test]
fn a_busy_loop_of_tokio_sees_timers_when_they_ring() {
    // It may be kept from its processor, but not every time.
    let part = Duration::from_micros(600);
    let is_sooner = |_| {
        let runtime = event_loop();
        let made = Instant::now();
        let local = LocalSet::new();
        let slept = local.block_on(&runtime, async {
            let busy = tokio::task::spawn_local(async {
                loop {
                    tokio::task::yield_now().await;
                }
            });
            let slept = sleep_from(made, part).await;
            busy.abort();
            slept
        });
        assert!(slept >= MILLISECOND, "{slept:?}");
        slept < 2 * MILLISECOND
    };
    assert!((0..300).any(is_sooner));
}

#[test]
fn a_loop_of_tokio_looks_at_its_driver_every_61_polls() {
    // What the loop was given itself it polls when it has looked.
    let mut seen = Vec::new();
    let runtime = event_loop();
    let spinning = Arc::new(Mutex::new(0));
    let spins = Arc::clone(&spinning);
    runtime.spawn(poll_fn(move |context| {
        *spins.lock().expect("nobody panics") += 1;
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    runtime.block_on(poll_fn(|context| {
        seen.push(*spinning.lock().expect("nobody panics"));
        context.waker().wake_by_ref();
        if seen.len() > 5 { Poll::Ready(()) } else { Poll::Pending }
    }));
    assert_eq!(seen, [0, 61, 122, 183, 244, 305]);
}

#[test]
fn a_task_of_tokio_may_pass_128_points_in_a_poll() {
    let passed = Rc::new(RefCell::new(Vec::new()));
    let local = LocalSet::new();
    let told = Rc::clone(&passed);
    let counted = async move {
        let (count, semaphore) = (Cell::new(0), Semaphore::new(1));
        let mut work = pin!(async {
            for _ in 0..300 {
                drop(semaphore.acquire().await);
                count.set(count.get() + 1);
            }
        });
        poll_fn(|context| {
            let poll = work.as_mut().poll(context);
            told.borrow_mut().push(count.get());
            poll
        })
        .await;
    };
    local.block_on(&event_loop(), async { tokio::task::spawn_local(counted).await.expect("nobody panics") });
    assert_eq!(*passed.borrow(), [128, 256, 300]);
}

#[test]
fn rayon_takes_what_came_last_to_its_own_deque_and_from_outside_in_order() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let order = Mutex::new(Vec::new());
    let note = &|number: u32| order.lock().expect("nobody panics").push(number);
    pool.scope(|scope| (0..4).for_each(|number| scope.spawn(move |_| note(number))));
    assert_eq!(*order.lock().expect("nobody panics"), [3, 2, 1, 0]);
    order.lock().expect("nobody panics").clear();
    pool.in_place_scope(|scope| {
        // The worker is kept busy until all have come.
        let (begun, has_begun) = flume::unbounded();
        let (go, goes) = flume::unbounded::<()>();
        scope.spawn(move |_| {
            begun.send(()).expect("heard");
            goes.recv().expect("told");
        });
        has_begun.recv().expect("told");
        (0..4).for_each(|number| scope.spawn(move |_| note(number)));
        go.send(()).expect("heard");
    });
    assert_eq!(*order.lock().expect("nobody panics"), [0, 1, 2, 3]);
}
