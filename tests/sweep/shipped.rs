//! The experiments that come with the program: they are right, and show what they say they show.

use std::fs;

use serde_json::Value;

use super::{json, said};
use crate::support::{files_below, root, sim, temporary_folder};

#[test]
fn every_shipped_experiment_is_right() {
    let files: Vec<String> = files_below(&root().join("configs/experiments"), "toml")
        .into_iter()
        .filter(|file| file.parent() == Some(&root().join("configs/experiments")))
        .map(|file| file.display().to_string())
        .collect();
    assert!(files.len() >= 9, "{files:?}");
    for file in files {
        let output = sim(&["check", &file]);
        assert!(output.status.success(), "{file}: {}", said(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains(" replication"), "{file}");
    }
}

/// What a shipped experiment says with so many replications.
fn shipped(name: &str, replications: u32) -> Value {
    let folder = temporary_folder(&format!("shipped-{name}"));
    let text = fs::read_to_string(root().join(format!("configs/experiments/{name}.toml"))).expect("it is there");
    let scenarios = root().join("configs/experiments/scenarios").display().to_string();
    let count = text.lines().find(|line| line.starts_with("replications = ")).expect("it has replications");
    let text = text.replace(count, &format!("replications = {replications}"));
    let text = text.replace("\"scenarios/", &format!("\"{scenarios}/"));
    let file = folder.join("experiment.toml");
    fs::write(&file, text).expect("a file");
    let out = folder.join("out").display().to_string();
    let output = sim(&["sweep", &file.display().to_string(), "--out", &out, "--json", "--no-report"]);
    assert!(output.status.success(), "{}", said(&output));
    json(&output)
}

/// The mean of a metric where these are set.
fn mean(document: &Value, metric: &str, set: &[(&str, Value)]) -> f64 {
    let rows = document["rows"].as_array().expect("rows");
    let is_it = |row: &&Value| row["metric"] == metric && set.iter().all(|(path, value)| &row["set"][*path] == value);
    let found: Vec<f64> = rows.iter().filter(is_it).filter_map(|row| row["mean"].as_f64()).collect();
    assert_eq!(found.len(), 1, "{metric} {set:?}");
    found[0]
}

#[test]
fn nine_workers_are_not_enough() {
    let document = shipped("pool-size", 3);
    let waited = |workers: u64| mean(&document, "waited_share", &[("process.web.executor.workers", workers.into())]);
    // Erlang's C formula for 5.85 offered: 17.4 % with nine, 1.9 % with twelve, 0.82 % with thirteen.
    assert!((0.155..0.195).contains(&waited(9)), "{}", waited(9));
    assert!(waited(12) > 0.01 && waited(13) < 0.01, "{} {}", waited(12), waited(13));
}

#[test]
fn the_problem_may_grow_with_the_processors() {
    let document = shipped("gustafson", 1);
    for count in [1, 2, 4, 8, 16, 32, 64_u64] {
        let set = [("machine.processors", count.into()), ("task.part.count", count.into())];
        assert_eq!(mean(&document, "makespan", &set), 11_406_250.0, "{count}");
    }
}

#[test]
fn a_lock_that_is_held_for_a_quarter_scales_to_four() {
    let document = shipped("lock", 1);
    let taken = |held: &str, processors: u64| {
        let set = [("task.client.program.0.do.1.do.0.cpu", held.into()), ("machine.processors", processors.into())];
        mean(&document, "lock.table.acquisitions", &set)
    };
    // 300 µs of 1.2 ms: at most one in 300 µs.
    assert!(taken("300us", 32) < 2.0e6 / 300.0 && taken("300us", 32) < 1.05 * taken("300us", 8));
    assert!(taken("10us", 32) > 1.9 * taken("10us", 16));
}
