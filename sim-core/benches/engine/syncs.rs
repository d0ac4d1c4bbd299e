//! What an operation on a synchronisation object costs, free and fought over.

use std::hint::black_box;
use std::time::Instant;

use sim_core::engine::{cast, simulate_as};
use sim_core::metrics::Metrics;

use super::{median, read};

/// A workload: its name, the declarations it needs, the operations of each round of each of the tasks, and how many
/// operations those are.
const WORKLOADS: [(&str, &str, &str, u32); 10] = [
    ("no object, for comparison", "", "{ cpu = \"1us\" }", 1),
    ("lock, free", "[[lock]]\nname = \"o\"", "{ cpu = \"1us\" }, { lock = \"o\" }, { unlock = \"o\" }", 2),
    ("lock, fought over", "[[lock]]\nname = \"o\"", "{ with = \"o\", do = [{ cpu = \"1us\" }] }", 2),
    (
        "lock, fought over, inherit",
        "[[lock]]\nname = \"o\"\nprotocol = \"inherit\"",
        "{ with = \"o\", do = [{ cpu = \"1us\" }] }",
        2,
    ),
    (
        "lock, fought over, ceiling",
        "[[lock]]\nname = \"o\"\nprotocol = \"ceiling\"",
        "{ with = \"o\", do = [{ cpu = \"1us\" }] }",
        2,
    ),
    (
        "lock, fought over, spin",
        "[[lock]]\nname = \"o\"\nspin = \"2us\"",
        "{ with = \"o\", do = [{ cpu = \"1us\" }] }",
        2,
    ),
    ("rwlock, readers and writers", "[[rwlock]]\nname = \"o\"", READERS_AND_WRITERS, 6),
    ("semaphore, 2 permits", "[[semaphore]]\nname = \"o\"\npermits = 2", ACQUIRE_AND_RELEASE, 2),
    ("barrier, 16 parties", "[[barrier]]\nname = \"o\"\nparties = 16", "{ cpu = \"1us\" }, { barrier = \"o\" }", 1),
    ("channel, send and receive", "[[channel]]\nname = \"o\"\ncapacity = 8", SEND_AND_RECEIVE, 2),
];

const READERS_AND_WRITERS: &str = "{ read = \"o\", do = [{ cpu = \"1us\" }] }, { read = \"o\", do = [{ cpu = \"1us\" }] }, \
     { write = \"o\", do = [{ cpu = \"1us\" }] }";
const ACQUIRE_AND_RELEASE: &str = "{ acquire = \"o\" }, { cpu = \"1us\" }, { release = \"o\" }";
const SEND_AND_RECEIVE: &str = "{ cpu = \"1us\" }, { send = \"o\" }, { recv = \"o\" }";

/// 16 and 1024 threads on 4 processors under every workload, each in every round, as machines are noisy.
pub(crate) fn every_object(rounds: usize) {
    let (counts, operations) = ([16, 1024], if rounds > 1 { 400_000 } else { 5_000 });
    let mut times = vec![[Vec::new(), Vec::new()]; WORKLOADS.len()];
    for _ in 0..rounds.min(5) {
        for (workload, times) in WORKLOADS.iter().zip(&mut times) {
            for (tasks, times) in counts.into_iter().zip(times) {
                times.push(per_round(workload, tasks, operations / tasks));
            }
        }
    }
    for ((name, _, _, operations), [few, many]) in WORKLOADS.iter().zip(times) {
        println!(
            "{:<34} {:>9.1} ns with 16 tasks, {:>9.1} ns with 1024, per round of {operations} operations",
            format!("sync {name}"),
            median(few),
            median(many)
        );
    }
}

/// Nanoseconds for a round of one task, without what it costs to make the tasks.
fn per_round((_, object, round, _): &(&str, &str, &str, u32), tasks: u32, rounds: u32) -> f64 {
    let run = |rounds: u32| {
        let scenario = read(&format!(
            "[machine]\nprocessors = 4\n{object}\n[[task]]\nname = \"t\"\ncount = {tasks}\n\
             program = [{{ repeat = {rounds}, do = [{round}] }}]\n"
        ));
        let names = std::sync::Arc::new(cast(&scenario));
        let start = Instant::now();
        black_box(simulate_as(&scenario, &names, &mut Metrics::default()));
        start.elapsed().as_nanos() as f64
    };
    (run(rounds + 1) - run(1)) / f64::from(tasks * rounds)
}
