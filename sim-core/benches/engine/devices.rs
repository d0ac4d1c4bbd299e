//! What a request to a device costs, by discipline and length of the queue.

use std::hint::black_box;
use std::time::Instant;

use sim_core::device::DISCIPLINES;
use sim_core::engine::{cast, simulate_as};
use sim_core::metrics::Metrics;

use super::{median, read};

/// Every discipline, with tasks that do nothing but ask the device again, so that about all of them wait or share.
/// A discipline is measured beside all others in each round, as machines are noisy.
pub(crate) fn every_discipline(rounds: usize) {
    let lengths = [10, if rounds > 1 { 10_000 } else { 100 }];
    let rounds = rounds.min(5);
    let mut times = vec![[Vec::new(), Vec::new()]; DISCIPLINES.len()];
    for _ in 0..rounds {
        for (kind, times) in DISCIPLINES.iter().zip(&mut times) {
            for (length, times) in lengths.into_iter().zip(times) {
                times.push(per_request(kind.name, length, if rounds > 1 { 200_000 } else { 1_000 }));
            }
        }
    }
    for (kind, [short, long]) in DISCIPLINES.iter().zip(times) {
        println!(
            "{:<34} {:>9.1} ns with 10 requests,  {:>9.1} ns with 10 000",
            format!("discipline {}", kind.name),
            median(short),
            median(long)
        );
    }
}

/// Nanoseconds for each of about so many requests, without what it costs to make the tasks.
fn per_request(discipline: &str, tasks: u32, requests: u32) -> f64 {
    let run = |until: u32| {
        let scenario = read(&format!(
            "until = \"{until}us\"\n[machine]\nprocessors = 1\n[[device]]\nname = \"d\"\ndiscipline = \"{discipline}\"\n\
             [[task]]\nname = \"t\"\ncount = {tasks}\n\
             program = [{{ repeat = \"forever\", do = [{{ io = \"d\", at = {{ uniform = [0, 9999] }}, for = \"1us\" }}] }}]\n",
        ));
        let names = std::sync::Arc::new(cast(&scenario));
        let mut metrics = Metrics::default();
        let start = Instant::now();
        black_box(simulate_as(&scenario, &names, &mut metrics));
        let time = start.elapsed().as_nanos() as f64;
        (time, metrics.devices.iter().map(|device| device.requests).sum::<u64>() as f64)
    };
    let (before, after) = (run(1 + tasks), run(1 + tasks + requests));
    (after.0 - before.0) / (after.1 - before.1).max(1.0)
}
