//! Answers that are known from elsewhere: textbooks, `SimSo` itself, and by hand.

use super::{Outcome, outcome_of, sample, scenario, scenario_with};

const MS: u64 = 1_000_000;

fn mean_wait(outcome: &Outcome) -> f64 {
    outcome.summary.waiting_ns.mean.expect("a mean") / 1e6
}

#[test]
fn a_textbook_table_waits_as_the_textbook_says() {
    let toml = sample("textbook.csv").text;
    let set = |sets: &[(&str, &str)]| mean_wait(&outcome_of(&scenario_with(&toml, sets)));
    let policy = |name| ("scheduler.policy", name);
    let near = |found: f64, known: f64| assert!((found - known).abs() < 1e-9, "{found}, and it is {known}");
    near(set(&[]), 8.75);
    near(set(&[policy("sjf")]), 7.75);
    near(set(&[policy("srtf")]), 6.5);
    near(set(&[policy("round-robin"), ("scheduler.quantum", "4ms")]), 11.75);
}

/// When the jobs of a task ended, in microseconds.
fn ends(outcome: &Outcome, task: &str) -> Vec<Option<u64>> {
    let of_task = outcome.tasks.iter().filter(|found| found.task == task);
    let jobs = of_task.flat_map(|found| found.jobs.iter().flatten());
    jobs.map(|job| job.finish_ns.map(|ns| ns / 1_000)).collect()
}

/// The ends of jobs as `SimSo` 0.8.5 has them for the same files, in microseconds.
#[test]
fn simulations_of_simso_end_as_simso_lets_them() {
    let outcome = outcome_of(&scenario(&sample("edf.xml").text));
    let some = |ends: &[u64]| ends.iter().map(|us| Some(*us)).collect::<Vec<_>>();
    let sensor = [3_000, 15_000, 23_000, 33_000, 43_000, 53_000, 63_000, 73_000, 83_000, 93_000];
    assert_eq!(ends(&outcome, "sensor"), some(&sensor));
    assert_eq!(ends(&outcome, "control log"), some(&[8_000, 28_000, 48_000, 68_000, 88_000]));
    assert_eq!(ends(&outcome, "burst"), some(&[12_000, 37_000, 77_000]));
    let outcome = outcome_of(&scenario(&sample("rate-monotonic.xml").text));
    assert_eq!(ends(&outcome, "video"), some(&[6_000, 16_000, 26_000, 36_000, 46_000, 56_000]));
    assert_eq!(ends(&outcome, "net"), some(&[10_000, 25_000, 40_000, 55_000]));
    assert_eq!(ends(&outcome, "late"), [Some(20_000), Some(44_000), None]);
    assert_eq!(ends(&outcome, "ui"), [Some(58_500), None]);
}

#[test]
fn a_log_of_a_cluster_is_served_first_come_first_served() {
    let outcome = outcome_of(&scenario(&sample("cluster.swf").text));
    // Job 3 wants all four processors and waits for job 2, and job 4 stands behind it.
    let ends: Vec<_> = outcome.tasks.iter().map(|task| task.finish_ns.map(|ns| ns / MS)).collect();
    assert_eq!(ends, [10_000, 22_500, 27_500, 28_500].map(Some));
    let blocked: u64 = outcome.tasks.iter().map(|task| task.blocked_ns / MS).sum();
    assert_eq!(blocked, 10_000 + 20_500 + (12_500 + 5_000) + (16_500 + 1_000));
}
