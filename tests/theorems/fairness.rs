//! How far anybody gets ahead of others that always want to run.

use super::world::{Thread, World, prove};
use super::{Verdict, endless, ensure, number_after};

/// Under stride, a thread is ahead of another by one quantum of its own at most, in service per ticket; so it has at most
/// one quantum more than its share, and (n − 1) quanta times its share less (Waldspurger & Weihl 1995).
#[test]
fn stride_bounds_the_lag() {
    prove(
        "stride lag",
        400,
        |stream| {
            let scheduler = format!("policy = \"stride\"\nquantum = <{}>", 1 + stream.below(6));
            World { switch: stream.below(2), until: Some(300), ..World::of(scheduler, endless(stream, 6, None)) }
        },
        |world| {
            let quantum = number_after(&world.scheduler, "quantum = <");
            let tickets: Vec<u64> = world.threads.iter().map(|thread| thread.tickets).collect();
            ahead_of_others(world, &tickets, |_| quantum)
        },
    );
}

/// The weights of nice -5 to 5 in the kernel's table.
const WEIGHTS: [u64; 11] = [3121, 2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335];

/// Under cfs, a thread is ahead of another by one slice of its own at most, in service by weight; a slice is the share of
/// the latency (of the sum of all base slices if that is longer), not less than the base slice, and up to the next tick.
#[test]
fn cfs_bounds_the_lag() {
    prove(
        "cfs lag",
        400,
        |stream| {
            let (latency, base, tick) = (1 + stream.below(20), 1 + stream.below(5), 1 + stream.below(3));
            let scheduler = format!("policy = \"cfs\"\nlatency = <{latency}>\nbase-slice = <{base}>\ntick = <{tick}>");
            World { switch: stream.below(2), until: Some(400), ..World::of(scheduler, endless(stream, 6, None)) }
        },
        |world| {
            let [latency, base, tick] =
                ["latency = <", "base-slice = <", "tick = <"].map(|key| number_after(&world.scheduler, key));
            let weight = |thread: &Thread| WEIGHTS[usize::try_from(thread.nice + 5).expect("from -5")];
            let weights: Vec<u64> = world.threads.iter().map(weight).collect();
            let period = latency.max(base * weights.len() as u64);
            let share = |thread: usize| (period * weights[thread]).div_ceil(weights.iter().sum());
            ahead_of_others(world, &weights, |thread| share(thread).max(base) + tick)
        },
    );
}

/// Under round robin, the services of threads that always want to run differ by one quantum at most.
#[test]
fn round_robin_serves_all_alike() {
    prove(
        "round robin lag",
        400,
        |stream| {
            let scheduler = format!("policy = \"round-robin\"\nquantum = <{}>", 1 + stream.below(6));
            World { switch: stream.below(2), until: Some(300), ..World::of(scheduler, endless(stream, 6, None)) }
        },
        |world| {
            let quantum = number_after(&world.scheduler, "quantum = <");
            ahead_of_others(world, &vec![1; world.threads.len()], |_| quantum)
        },
    );
}

/// At no time is a thread ahead of another by more than a turn of its own, in service by weight.
fn ahead_of_others(world: &World, weights: &[u64], turn: impl Fn(usize) -> u64) -> Verdict {
    for services in world.run().services() {
        for (one, ahead) in services.iter().enumerate() {
            for (other, behind) in services.iter().enumerate() {
                let bound = behind * weights[one] + turn(one) * weights[other];
                ensure(ahead * weights[other] <= bound, || format!("t{one} is ahead of t{other}: {services:?}"))?;
            }
        }
    }
    Ok(())
}

/// Under lottery, the number of slices won is binomial: the share won is off by less than 4.5 standard deviations.
#[test]
fn lottery_is_fair_in_the_long_run() {
    prove(
        "lottery shares",
        40,
        |stream| {
            let threads = endless(stream, 5, None);
            World { until: Some(4_000), ..World::of("policy = \"lottery\"\nquantum = <1>", threads) }
        },
        |world| {
            let tickets: u64 = world.threads.iter().map(|thread| thread.tickets).sum();
            let services = world.run().services().pop().unwrap_or_default();
            for (thread, service) in world.threads.iter().zip(services) {
                let (share, draws) = (thread.tickets as f64 / tickets as f64, 4_000.0);
                let deviation = (draws * share * (1.0 - share)).sqrt();
                let off = (service as f64 - draws * share).abs();
                ensure(off <= 4.5 * deviation, || format!("t{} wins {service}, off by {off}", thread.name))?;
            }
            Ok(())
        },
    );
}
