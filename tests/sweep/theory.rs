//! Closed forms lie inside the intervals, and the intervals are as sure as they say.

use std::sync::Arc;

use serde_json::Value;
use sim_core::document::Source;
use sim_core::engine::{cast, simulate_as};
use sim_core::experiment::{Experiment, Figures, Observed, seed};
use sim_core::metrics::Metrics;
use sim_core::scenario::Scenario;

use super::{folder, json, swept};
use crate::support::scenario_with;

/// What a sweep of a scenario says of its metrics: of each the bounds, at 99.9 %, so that a seed that is unlucky in one of
/// twenty cases is no failure.
fn bounds(name: &str, scenario: &str, metrics: &[&str]) -> Vec<(f64, f64)> {
    let metrics: Vec<String> = metrics.iter().map(|metric| format!("\"{metric}\"")).collect();
    let experiment = format!(
        "scenario = \"queue.toml\"\nreplications = 20\nlevel = 0.999\nwarm-up = \"2s\"\nmetrics = [{}]",
        metrics.join(", ")
    );
    let folder = folder(name, scenario, &experiment);
    let document = json(&swept(&folder, "out", &["--json"]));
    let bound = |row: &Value, key: &str| row[key].as_f64().expect("a number");
    let rows = document["rows"].as_array().expect("rows");
    rows.iter().map(|row| (bound(row, "low"), bound(row, "high"))).collect()
}

fn assert_inside(name: &str, expected: f64, (low, high): (f64, f64)) {
    assert!(low <= expected && expected <= high, "{name}: {expected} is not between {low} and {high}");
    assert!(high - low < 0.5 * expected, "{name}: between {low} and {high} is nearly everything");
}

/// Erlang's C: the share of those that wait before `c` servers that are offered so much work.
fn erlang_c(servers: u32, offered: f64) -> f64 {
    // By way of Erlang's B, which is computed server by server.
    let b = (1..=servers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
    b / (1.0 - offered / f64::from(servers) * (1.0 - b))
}

#[test]
fn a_queue_before_three_servers_is_erlangs() {
    // 240 requests a second, 10 ms each: 2.4 of three servers are busy.
    let scenario = r#"
seed = 1
until = "30s"
[[device]]
name = "server"
channels = 3
service = { exponential = "10ms" }
[[task]]
name = "request"
count = 8000
arrival = { gap = { exponential = "4166667ns" } }
program = [{ io = "server" }]
"#;
    let metrics = ["device.server.waited_share", "device.server.mean_wait", "device.server.utilisation"];
    let found = bounds("erlang-c", scenario, &metrics);
    let waits = erlang_c(3, 2.4);
    assert_inside("waited", waits, found[0]);
    assert_inside("wait", waits * 10e6 / (3.0 - 2.4), found[1]);
    assert_inside("utilisation", 0.8, found[2]);
}

#[test]
fn one_server_waits_as_pollaczek_and_khinchine_say() {
    // 70 % busy; uniform between 4 and 10 ms: mean 7, variance 3 ms².
    let scenario = r#"
seed = 1
until = "40s"
[[device]]
name = "server"
service = { uniform = ["4ms", "10ms"] }
[[task]]
name = "request"
count = 5000
arrival = { gap = { exponential = "10ms" } }
program = [{ io = "server" }]
"#;
    let found = bounds("pollaczek", scenario, &["device.server.mean_wait", "task.request.turnaround.mean"]);
    let (rate, mean, variance) = (0.1, 7.0, 3.0);
    let wait = rate * (variance + mean * mean) / (2.0 * (1.0 - rate * mean)) * 1e6;
    assert_inside("wait", wait, found[0]);
    assert_inside("turnaround", wait + mean * 1e6, found[1]);
}

#[test]
fn a_closed_network_of_two_equal_stations_is_busy_for_n_of_n_plus_one() {
    // Four customers between a processor and a disk, 5 ms at each in the mean: mean value analysis gives 4/5.
    let scenario = r#"
seed = 1
until = "60s"
[[device]]
name = "disk"
service = { exponential = "5ms" }
[[task]]
name = "customer"
count = 4
program = [{ repeat = "forever", do = [{ cpu = { exponential = "5ms" } }, { io = "disk" }] }]
"#;
    let found = bounds("closed", scenario, &["processor.0.utilisation", "device.disk.utilisation"]);
    assert_inside("processor", 0.8, found[0]);
    assert_inside("disk", 0.8, found[1]);
}

#[test]
fn amdahl_is_exact() {
    // A quarter of 64 ms in one piece, the rest in sixteen.
    let scenario = r#"
[[task]]
name = "whole"
program = [{ cpu = "16ms" }]
[[task]]
name = "part"
count = 16
after = ["whole"]
program = [{ cpu = "3ms" }]
"#;
    let experiment = r#"
scenario = "queue.toml"
replications = 2
metrics = ["makespan"]
baseline = { "machine.processors" = 1 }
[vary]
"machine.processors" = [1, 2, 4, 8, 16]
"#;
    let folder = folder("amdahl", scenario, experiment);
    let document = json(&swept(&folder, "out", &["--json"]));
    let makespans: Vec<f64> =
        document["rows"].as_array().expect("rows").iter().filter_map(|row| row["mean"].as_f64()).collect();
    assert_eq!(makespans, [64e6, 40e6, 28e6, 22e6, 19e6]);
    let report = std::fs::read_to_string(folder.join("out/report.md")).expect("a report");
    assert!(report.contains("Every step of `processors` helps, up to the last, 16."), "{report}");
}

/// Tasks whose turnaround is exponential with this mean, independent of each other.
fn sleepers(mean: &str) -> Scenario {
    let toml = "[[task]]\nname = \"sleeper\"\ncount = 10\nprogram = [{ sleep = { exponential = \"10ms\" } }]";
    scenario_with(toml, &[("task.sleeper.program.0.sleep.exponential", mean)])
}

#[test]
fn intervals_cover_the_truth_as_often_as_they_say() {
    let text = "scenario = \"a.toml\"\nreplications = 20\nmetrics = [\"turnaround.mean\", \"pooled.turnaround.p90\"]\n\
                baseline = { mean = \"10ms\" }\n[vary]\nmean = [\"10ms\", \"12ms\"]";
    let experiment = Experiment::read(&Source { file: "e.toml", text }).expect("valid");
    let mut variations: Vec<Scenario> = ["10ms", "12ms"].map(sleepers).into();
    let names: Vec<_> = variations.iter().map(|scenario| Arc::new(cast(scenario))).collect();
    // The mean, the pooled quantile (that of the exponential distribution is −ln 0.1 times its mean), the paired difference.
    let (mut covered, experiments) = ([0_u32; 3], 1000);
    for number in 0..experiments {
        let mut all = Vec::new();
        for (scenario, names) in variations.iter_mut().zip(&names) {
            let mut of = Figures { of: vec![Vec::new(); 2], samples: vec![Vec::new(); 2] };
            for replication in 0..experiment.replications {
                scenario.seed = seed(number, replication);
                scenario.machine_seed = scenario.seed;
                let mut metrics = Metrics::default();
                simulate_as(scenario, names, &mut metrics);
                let run = Observed::new(scenario, &metrics);
                of.of[0].push(experiment.metrics[0].of(&run).as_f64());
                of.of[1].push(None);
                of.samples[1].extend(experiment.metrics[1].samples(&run));
            }
            all.push(of);
        }
        let estimates = experiment.estimates(&all);
        let inside = |bounds: Option<(f64, f64)>, truth: f64| {
            u32::from(bounds.is_some_and(|(low, high)| low <= truth && truth <= high))
        };
        covered[0] += inside(estimates[0].bounds, 10e6);
        covered[1] += inside(estimates[1].bounds, 10e6 * 10_f64.ln());
        let difference = estimates[2].difference.expect("pairs");
        covered[2] += inside(difference.low().zip(difference.high()), 2e6);
        // Of the same chance, the difference is a fifth of the mean in every run.
        assert!(difference.half_width < Some(0.3 * estimates[2].unpaired_half_width.expect("both")));
    }
    for (what, covered) in ["mean", "quantile", "difference"].into_iter().zip(covered) {
        assert!((930..=970).contains(&covered), "{what}: {covered} of {experiments} intervals of 95 % cover the truth");
    }
}
