//! How long anybody waits: the policies that starve nobody, and by which bound.

use super::world::{Step, Thread, World, prove};
use super::{bursts, endless, ensure, mixed, number_after};

/// Under round robin nobody waits longer than (n − 1) · (quantum + switch).
#[test]
fn round_robin_bounds_waiting() {
    prove(
        "round robin waiting",
        1_500,
        |stream| {
            let quantum = 1 + stream.below(6);
            let ties = ["arrivals-first", "preempted-first"][usize::from(stream.below(2) == 0)];
            let scheduler = format!("policy = \"round-robin\"\nquantum = <{quantum}>\nties = \"{ties}\"");
            World { switch: stream.below(3), ..World::of(scheduler, mixed(stream, 6)) }
        },
        |world| {
            let quantum = number_after(&world.scheduler, "quantum = <");
            let bound = (world.threads.len() as u64 - 1) * (quantum + world.switch);
            let wait = world.run().longest_wait();
            ensure(wait <= bound, || format!("somebody waits for {wait}, more than {bound}"))
        },
    );
}

/// Under fifo nobody waits longer than the longest bursts of all others, and a switch to each.
#[test]
fn fifo_bounds_waiting() {
    prove(
        "fifo waiting",
        1_000,
        |stream| World { switch: stream.below(3), ..World::of("policy = \"fifo\"", mixed(stream, 6)) },
        |world| {
            let bound = world.threads.iter().map(|thread| longest_burst(thread) + world.switch).sum::<u64>();
            let wait = world.run().longest_wait();
            ensure(wait <= bound, || format!("somebody waits for {wait}, more than {bound}"))
        },
    );
}

/// With a boost, mlfq starves nobody: if everybody has a turn between two boosts, the longest wait is a period of the
/// boost and a turn on the top level for each of the others.
#[test]
fn boosts_bound_waiting() {
    prove(
        "boost waiting",
        500,
        |stream| {
            let (threads, switch, quantum) = (endless(stream, 5, None), stream.below(2), 1 + stream.below(4));
            let boost = threads.len() as u64 * (quantum + switch) + 1 + stream.below(20);
            let levels = format!("{{ quantum = <{quantum}> }}, {{ quantum = <{}> }}", 2 * quantum);
            let scheduler = format!("policy = \"mlfq\"\nboost = <{boost}>\nlevels = [{levels}]");
            World { switch, until: Some(400), ..World::of(scheduler, threads) }
        },
        |world| {
            let (boost, quantum) =
                (number_after(&world.scheduler, "boost = <"), number_after(&world.scheduler, "quantum = <"));
            let bound = boost + (world.threads.len() as u64 - 1) * (quantum + world.switch);
            let wait = world.run().longest_wait();
            ensure(wait <= bound, || format!("somebody waits for {wait}, more than {bound}"))
        },
    );
}

/// With aging, a priority scheduler starves nobody. Without preemption, after waiting for as many steps of aging as there
/// are levels nobody new comes before one, and each other thread has one more burst at most.
#[test]
fn aging_bounds_waiting() {
    prove(
        "aging waiting",
        500,
        |stream| {
            let scheduler = format!("policy = \"priority\"\npreemptive = false\naging = <{}>", 1 + stream.below(10));
            World { switch: stream.below(2), until: Some(600), ..World::of(scheduler, endless(stream, 5, Some(6))) }
        },
        |world| {
            let aging = number_after(&world.scheduler, "aging = <");
            let priorities = || world.threads.iter().map(|thread| thread.priority);
            let levels =
                u64::try_from(priorities().max().unwrap_or(0) - priorities().min().unwrap_or(0)).expect("few") + 1;
            let turns = world.threads.iter().map(|thread| longest_burst(thread) + world.switch);
            let bound = aging * levels + turns.sum::<u64>();
            let wait = world.run().longest_wait();
            ensure(wait <= bound, || format!("somebody waits for {wait}, more than {bound}"))
        },
    );
}

/// Under hrrn, only shorter bursts overtake: nobody who came later and needs as long or longer runs first.
#[test]
fn only_the_shorter_overtake_under_hrrn() {
    prove(
        "hrrn overtaking",
        1_000,
        |stream| World::of("policy = \"hrrn\"", bursts(stream, 7, 9, 30)),
        |world| {
            let mut order: Vec<usize> = world.run().runs().into_iter().map(|(_, thread, ..)| thread).collect();
            order.dedup();
            for (place, first) in order.iter().enumerate() {
                for later in &order[place + 1..] {
                    let (first, later) = (&world.threads[*first], &world.threads[*later]);
                    let overtakes = first.arrival > later.arrival && first.demand() >= later.demand();
                    ensure(!overtakes, || format!("t{} overtakes t{}", first.name, later.name))?;
                }
            }
            Ok(())
        },
    );
}

/// What a thread computes at a stretch: bursts that touch are one.
fn longest_burst(thread: &Thread) -> u64 {
    let bursts = thread.steps.split(|step| !matches!(step, Step::Cpu(_)));
    let lengths =
        bursts.map(|burst| burst.iter().map(|step| if let Step::Cpu(length) = step { *length } else { 0 }).sum());
    lengths.max().unwrap_or(0)
}
