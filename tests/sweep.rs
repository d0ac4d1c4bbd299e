//! `sim sweep` and what belongs to it: the same bytes whatever happens on the way, and nothing computed with what is damaged.

mod answers;
mod damage;
mod kills;
mod pages;
#[cfg(feature = "parquet")]
mod parquet;
mod shards;
mod shipped;
mod slurm;
mod theory;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::{sim, temporary_folder};

/// A queue in which everything is drawn.
const QUEUE: &str = r#"
title = "a queue"
seed = 3
[[device]]
name = "server"
service = { exponential = "7ms" }
[[task]]
name = "request"
count = 40
arrival = { gap = { exponential = "10ms" } }
program = [{ io = "server" }]
"#;

/// Two axes over it.
const EXPERIMENT: &str = r#"
scenario = "queue.toml"
replications = 6
metrics = ["makespan", "turnaround.p50", "pooled.turnaround.p95", "device.server.waited_share"]
baseline = { "device.server.discipline" = "fifo" }
[vary]
"device.server.channels" = [1, 2]
"device.server.discipline" = ["fifo", "lifo", "shortest"]
"#;

/// A folder with this scenario and this experiment in it.
fn folder(name: &str, scenario: &str, experiment: &str) -> PathBuf {
    let folder = temporary_folder(&format!("sweep-{name}"));
    fs::write(folder.join("queue.toml"), scenario).expect("a file");
    fs::write(folder.join("queue.experiment.toml"), experiment).expect("a file");
    folder
}

/// `sim sweep` in that folder, into a folder of this name in it.
fn sweep(folder: &Path, out: &str, more: &[&str]) -> Output {
    let experiment = folder.join("queue.experiment.toml").display().to_string();
    let out = folder.join(out).display().to_string();
    sim(&[&["sweep", &experiment, "--out", &out], more].concat())
}

fn swept(folder: &Path, out: &str, more: &[&str]) -> Output {
    let output = sweep(folder, out, more);
    assert!(output.status.success(), "{}", said(&output));
    output
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

/// All files of a folder but for the lock, with what is in them.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable"));
    let named = files.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let named = named.filter(|(name, _)| name != ".lock");
    named.map(|(name, path)| (name, fs::read(path).expect("a file"))).collect()
}

/// Are two folders alike, byte by byte?
fn assert_alike(a: &Path, b: &Path) {
    let (a, b) = (contents(a), contents(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(bytes == &b[name], "{name} differs");
    }
}

#[test]
fn any_number_of_workers_gives_the_same_bytes() {
    let folder = folder("workers", QUEUE, EXPERIMENT);
    let one = swept(&folder, "one", &["--jobs", "1"]);
    let two = swept(&folder, "two", &["--jobs", "2"]);
    let many = swept(&folder, "many", &["--jobs", "7"]);
    assert!(one.stdout == two.stdout && two.stdout == many.stdout);
    assert_alike(&folder.join("one"), &folder.join("two"));
    assert_alike(&folder.join("one"), &folder.join("many"));
    let inside: Vec<String> = contents(&folder.join("one")).into_keys().collect();
    for name in ["experiment.toml", "results.csv", "results.jsonl", "scenario.toml"] {
        assert!(inside.contains(&name.to_owned()), "{name} is missing of {inside:?}");
    }
}

#[test]
fn results_are_lines_and_tidy_values() {
    let folder = folder("lines", QUEUE, EXPERIMENT);
    swept(&folder, "out", &[]);
    let text = fs::read_to_string(folder.join("out/results.jsonl")).expect("results");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 1 + 6 * 6);
    assert_eq!((&lines[0]["format"], &lines[0]["variations"]), (&1.into(), &6.into()));
    // The first replication has the seed itself; all variations have the same seeds.
    let seeds = |variation: usize| -> Vec<&Value> { (0..6).map(|r| &lines[1 + 6 * variation + r]["seed"]).collect() };
    assert_eq!(seeds(0)[0], 3);
    assert_eq!(seeds(0), seeds(5));
    assert_eq!(
        lines[36]["set"],
        serde_json::json!({ "device.server.channels": 2, "device.server.discipline": "shortest" })
    );
    let csv = fs::read_to_string(folder.join("out/results.csv")).expect("values");
    let mut rows = csv.lines();
    assert_eq!(rows.next(), Some("device.server.channels,device.server.discipline,replication,metric,value,unit"));
    let makespan = &lines[1]["metrics"]["makespan"];
    assert_eq!(rows.next(), Some(format!("1,fifo,0,makespan,{makespan},ns").as_str()));
    assert_eq!(rows.count(), 6 * 6 * 4 - 1);
}

#[test]
fn every_run_can_be_run_alone() {
    let folder = folder("cell", QUEUE, EXPERIMENT);
    swept(&folder, "out", &[]);
    let text = fs::read_to_string(folder.join("out/results.jsonl")).expect("results");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let out = folder.join("out").display().to_string();
    let scenario = folder.join("queue.toml").display().to_string();
    for cell in [0, 17, 35] {
        let line = &lines[cell + 1];
        let alone = json(&sim(&["run", &out, "--cell", &cell.to_string(), "--json", "-q"]));
        assert_eq!(alone["timeline_hash"], line["timeline_hash"], "{cell}");
        assert_eq!(alone["makespan_ns"], line["metrics"]["makespan"]);
        // And as anybody would write it.
        let set = |key: &str| format!("{key}={}", line["set"][key].to_string().trim_matches('"'));
        let (seed, sets) = (line["seed"].to_string(), [set("device.server.channels"), set("device.server.discipline")]);
        let by_hand = ["run", &scenario, "--set", &sets[0], "--set", &sets[1], "--seed", &seed, "--json", "-q"];
        assert_eq!(json(&sim(&by_hand))["timeline_hash"], line["timeline_hash"], "{cell}");
    }
    let beyond = sim(&["run", &out, "--cell", "36"]);
    assert_eq!(beyond.status.code(), Some(2));
    assert!(said(&beyond).contains("counted from 0 to 35"), "{}", said(&beyond));
}

#[test]
fn what_is_computed_again_is_the_same() {
    let folder = folder("again", QUEUE, EXPERIMENT);
    swept(&folder, "out", &[]);
    let out = folder.join("out").display().to_string();
    let again = sim(&["reproduce", &out, "--sample", "all"]);
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(String::from_utf8_lossy(&again.stdout), "36 of 36 runs computed again: all came out the same\n");
    let again = sim(&["reproduce", &out, "--sample", "5"]);
    assert_eq!(String::from_utf8_lossy(&again.stdout), "5 of 36 runs computed again: all came out the same\n");
}
