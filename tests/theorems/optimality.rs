//! No order is better: srtf and sjf in turnaround, edf and llf in keeping deadlines.

use std::cell::Cell;

use sim_core::policy::POLICIES;

use super::world::{Run, Thread, World, prove, scheduler};
use super::{brute_force, bursts, ensure};

/// The sum of the turnarounds.
fn turnarounds(world: &World, run: &Run) -> u64 {
    run.ends().iter().zip(&world.threads).map(|(end, thread)| end - thread.arrival).sum()
}

/// On one processor, no order of threads that compute once has a smaller mean turnaround than srtf (Schrage 1968): no
/// policy of the shelf, and no order at all.
#[test]
fn srtf_has_the_least_mean_turnaround() {
    prove(
        "srtf least turnaround",
        400,
        |stream| World::of("policy = \"srtf\"", bursts(stream, 3, 4, 5)),
        |world| {
            let srtf = turnarounds(world, &world.run());
            let least = brute_force::least_turnaround(world);
            ensure(srtf == least, || format!("srtf has {srtf}, and {least} is possible"))?;
            for kind in POLICIES {
                let other = turnarounds(world, &world.under(scheduler(kind)).run());
                ensure(srtf <= other, || format!("srtf has {srtf}, {} {other}", kind.name))?;
            }
            Ok(())
        },
    );
}

/// Of threads that arrive together, no order that lets each of them run to its end has a smaller mean turnaround than
/// sjf (Smith 1956).
#[test]
fn sjf_is_the_best_of_the_orders_without_preemption() {
    prove(
        "sjf least turnaround",
        300,
        |stream| World::of("policy = \"sjf\"", bursts(stream, 5, 9, 0)),
        |world| {
            let (sjf, least) = (turnarounds(world, &world.run()), brute_force::least_turnaround_of_orders(world));
            ensure(sjf == least, || format!("sjf has {sjf}, and {least} is possible"))
        },
    );
}

/// On one processor, edf and llf keep all deadlines if any schedule does (Dertouzos 1974, Dertouzos & Mok 1989).
#[test]
fn edf_and_llf_keep_deadlines_whenever_that_is_possible() {
    let (possible, not) = (Cell::new(0), Cell::new(0));
    prove(
        "edf optimal",
        800,
        |stream| {
            let mut threads = bursts(stream, 4, 4, 6);
            threads.iter_mut().for_each(|thread| thread.deadline = Some(thread.demand() + stream.below(6)));
            World::of("policy = \"edf\"", threads)
        },
        |world| {
            let feasible = brute_force::deadlines_can_be_kept(world);
            let count = if feasible { &possible } else { &not };
            count.set(count.get() + 1);
            for scheduler in ["policy = \"edf\"", "policy = \"llf\"\nquantum = <1>"] {
                let kept = world.under(scheduler).run().in_time();
                ensure(kept == feasible, || format!("possible: {feasible}; kept: {kept}; {scheduler}"))?;
            }
            Ok(())
        },
    );
    assert!(possible.get() > 100 && not.get() > 100, "{possible:?} and {not:?} are one-sided");
}

/// The same for more threads, where the demand of all intervals decides: what is released and due in an interval must
/// fit into it, and that is enough.
#[test]
fn edf_keeps_deadlines_exactly_if_all_intervals_have_room() {
    prove(
        "edf demand",
        1_500,
        |stream| {
            let mut threads = bursts(stream, 9, 9, 30);
            threads.iter_mut().for_each(|thread| thread.deadline = Some(thread.demand() + stream.below(30)));
            World::of("policy = \"edf\"", threads)
        },
        |world| {
            let due = |thread: &Thread| thread.arrival + thread.deadline.expect("all have one");
            let fits = |from: u64, until: u64| {
                let inside = world.threads.iter().filter(|thread| thread.arrival >= from && due(thread) <= until);
                inside.map(Thread::demand).sum::<u64>() <= until.saturating_sub(from)
            };
            let room =
                world.threads.iter().all(|from| world.threads.iter().all(|until| fits(from.arrival, due(until))));
            let kept = world.run().in_time();
            ensure(kept == room, || format!("there is room: {room}; deadlines are kept: {kept}"))
        },
    );
}
