//! How much an experiment takes beyond its runs: `sim sweep` of ten thousand small runs, without report and pictures, beside the
//! same runs in a bare loop over the library.
//!
//! `cargo bench -p sim-cli` prints runs per second of both, on one thread and on all cores, and their ratios. The loop has one
//! thread, gives each scenario its seed, and adds up metrics and hashes: what every line of results needs.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use sim_core::document::{Override, Source};
use sim_core::engine::{cast, simulate_as};
use sim_core::experiment::seed;
use sim_core::metrics::Metrics;
use sim_core::scenario::lower;
use sim_core::timeline::TimelineHash;

/// Requests at a server: some 100 µs and more for each run.
const SCENARIO: &str = r#"
[[device]]
name = "server"
service = { exponential = "7ms" }
[[task]]
name = "request"
count = 100
arrival = { gap = { exponential = "10ms" } }
program = [{ cpu = "1ms" }, { io = "server" }]
"#;

const DISCIPLINES: [&str; 4] = ["fifo", "lifo", "shortest", "fair-share"];
const REPLICATIONS: u32 = 2_500;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("queue.toml"), SCENARIO).expect("a file");
    let metrics = r#"["makespan", "turnaround.mean", "turnaround.p95", "device.server.waited_share"]"#;
    let experiment = format!(
        "scenario = \"queue.toml\"\nreplications = {REPLICATIONS}\nmetrics = {metrics}\nbaseline = {{ \"device.server.discipline\" = \"fifo\" }}\n\
         [vary]\n\"device.server.discipline\" = {DISCIPLINES:?}"
    );
    std::fs::write(folder.path().join("queue.experiment.toml"), experiment).expect("a file");
    let runs = f64::from(REPLICATIONS) * DISCIPLINES.len() as f64;
    let (mut loops, mut ones, mut alls) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..5 {
        loops.push(bare());
        ones.push(sweep(folder.path(), &format!("one-{round}"), &["--jobs", "1"]));
        alls.push(sweep(folder.path(), &format!("all-{round}"), &[]));
    }
    let ratio = |of: &[f64]| median(of.iter().zip(&loops).map(|(of, bare)| of / bare).collect());
    println!("{runs} runs, median of 5 rounds");
    println!(
        "bare loop, one thread   {:8.0} runs/s   {:6.1} us a run",
        runs / median(loops.clone()),
        median(loops.clone()) / runs * 1e6
    );
    println!(
        "sim sweep --jobs 1      {:8.0} runs/s   {:6.2} times the time of the loop",
        runs / median(ones.clone()),
        ratio(&ones)
    );
    println!("sim sweep               {:8.0} runs/s   {:6.2} times", runs / median(alls.clone()), ratio(&alls));
}

/// The same runs, one after the other; in seconds.
fn bare() -> f64 {
    let source = Source { file: "queue.toml", text: SCENARIO };
    let start = Instant::now();
    let mut sum = 0;
    for discipline in DISCIPLINES {
        let overrides = [Override::new("device.server.discipline", discipline)];
        let mut scenario = lower::scenario(&source, &overrides).expect("valid");
        let names = Arc::new(cast(&scenario));
        for replication in 0..REPLICATIONS {
            scenario.seed = seed(0, replication);
            scenario.machine_seed = scenario.seed;
            let mut both = (Metrics::with_jobs(), TimelineHash::default());
            simulate_as(&scenario, &names, &mut both);
            sum += both.0.makespan().ns() ^ both.1.hex().len() as u64;
        }
    }
    std::hint::black_box(sum);
    start.elapsed().as_secs_f64()
}

/// The program, as a user runs it; in seconds.
fn sweep(folder: &Path, out: &str, more: &[&str]) -> f64 {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(["sweep", "-q", "--no-report", "queue.experiment.toml", "--out", out])
        .args(more)
        .current_dir(folder)
        .status()
        .expect("sim starts");
    assert!(status.success(), "the sweep failed");
    start.elapsed().as_secs_f64()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
