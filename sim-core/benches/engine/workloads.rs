//! The workloads whose instructions are counted: short runs of two lengths, so that what it costs to start falls out.
//!
//! Instructions repeat to a tenth of a percent on a machine that does other things too, which times do not: what may not
//! become slower unseen is held by `.ci/instructions`, with Valgrind. Each run is simulated with all metrics; one keeps its
//! timeline too.

use std::hint::black_box;
use std::sync::Arc;

use sim_core::engine::{cast, simulate_as};
use sim_core::metrics::Metrics;
use sim_core::timeline::Timeline;

use super::five::{dispatches, network, periodic, round_robin, small};
use super::read;

/// All there are.
pub(super) const NAMES: [&str; 8] = ["w1", "w1-kept", "w2", "w3", "w4", "w4-drawn", "w5", "read"];

/// Runs the workload of this name at this length once; returns how many units of work that was.
pub(super) fn once(name: &str, length: u32) -> u64 {
    if name == "read" {
        return black_box(read(&many_tasks(2_000 * length))).specs.len() as u64;
    }
    let (text, units): (String, fn(&Metrics, u32) -> u64) = match name {
        "w1" | "w1-kept" => (round_robin(4, 64, 500 * length), |_, length| dispatches(64, 500 * length)),
        "w2" => (network(200 * length), |metrics, _| metrics.devices.iter().map(|device| device.requests).sum()),
        "w3" => (periodic(10 * length), |metrics, _| metrics.tasks.all_jobs().map(|jobs| jobs.released).sum()),
        "w4" => (round_robin(64, 8_000, 10 * length), |_, length| dispatches(8_000, 10 * length)),
        "w4-drawn" => (drawn(length), |_, length| 2_000 * 10 * u64::from(length)),
        "w5" => (small().to_owned(), |_, length| 100 * u64::from(length)),
        _ => panic!("no workload `{name}`"),
    };
    let scenario = read(&text);
    let names = Arc::new(cast(&scenario));
    let mut metrics = Metrics::default();
    for _ in 0..if name == "w5" { 100 * length } else { 1 } {
        let mut both = (Metrics::default(), Timeline::default());
        let ending = match name {
            "w1-kept" => simulate_as(&scenario, &names, &mut both),
            _ => simulate_as(&scenario, &names, &mut both.0),
        };
        black_box((ending, &both));
        metrics = both.0;
    }
    units(&metrics, length)
}

/// A file with so many tasks, each as short as most are.
pub(super) fn many_tasks(count: u32) -> String {
    let task = |index: u32| {
        let (arrival, cpu) = (index * 7 % 1_000, 100 + index % 50);
        format!(
            "[[task]]\nname = \"task-{index}\"\narrival = \"{arrival}us\"\n\
             program = [{{ cpu = \"{cpu}us\" }}, {{ sleep = \"1ms\" }}]\n"
        )
    };
    (0..count).map(task).collect()
}

/// Threads that draw one burst after the other, none as long as the quantum.
fn drawn(length: u32) -> String {
    format!(
        "[machine]\nprocessors = 64\n[scheduler]\npolicy = \"round-robin\"\nquantum = \"20ms\"\n[[task]]\nname = \"t\"\n\
         count = 2000\nprogram = [{{ repeat = {}, do = [{{ cpu = {{ uniform = [\"5ms\", \"15ms\"] }} }}, \"yield\"] }}]\n",
        10 * length
    )
}
