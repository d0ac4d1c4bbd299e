//! Repeated real runs: in variations, interrupted, compared. Nothing here depends on how long anything takes.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{root, sim, succeeded, temporary, temporary_folder};

const NAP: &str = "[[task]]\nname = \"nap\"\ncount = 2\nprogram = [{ cpu = \"100us\" }, { sleep = \"20ms\" }]\n";

fn json(arguments: &[&str]) -> Value {
    let output = sim(arguments);
    assert!(succeeded(&output), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn variations_are_measured_side_by_side() {
    let path = temporary("measured-variations", NAP).display().to_string();
    let document = json(&["measure", &path, "--runs", "2", "--vary", "executor=threads,async", "--json", "-q"]);
    let variations = document["variations"].as_array().expect("a list");
    let labels: Vec<&str> = variations.iter().map(|variation| variation["label"].as_str().expect("text")).collect();
    assert_eq!(labels, ["executor=threads", "executor=async"]);
    assert_eq!(variations[1]["set"]["executor"], "async");
    for variation in variations {
        let recorded = &variation["outcome"]["recorded"];
        // As many as were wanted, unless the machine is too busy.
        let [runs, kept, set_aside] = ["runs", "kept", "set_aside"].map(|key| recorded[key].as_u64().expect(key));
        assert!(kept == 2 || kept + set_aside == 8, "{recorded}");
        assert_eq!(runs, if kept == 0 { set_aside } else { kept });
        let makespan = &recorded["statistics"]["makespan"];
        assert_eq!(makespan["n"], runs);
        if runs > 1 {
            let [low, mean, high] = ["low_ns", "mean_ns", "high_ns"].map(|key| makespan[key].as_f64().expect(key));
            assert!(low <= mean && mean <= high, "{makespan}");
        }
        assert_eq!(recorded["statistics"]["latency"][0]["kind"], "main/nap");
    }
    let executors: Vec<&Value> =
        variations.iter().map(|variation| &variation["outcome"]["recorded"]["executor"]).collect();
    assert_ne!(executors[0], executors[1]);
}

#[test]
fn variations_have_a_row_each_and_files_of_their_own() {
    let path = temporary("measured-rows", NAP).display().to_string();
    let folder = temporary_folder("measured-traces");
    let file = |name: &str| folder.join(name).display().to_string();
    let (trace, plot) = (file("a.json"), file("a.svg"));
    let vary = ["--runs", "2", "--vary", "executor=threads,async", "--trace", &trace, "--plot", &plot];
    let output = sim(&[&["measure", path.as_str()], vary.as_slice()].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(succeeded(&output) && text.contains("± 95 %") && text.contains("\nexecutor=async"), "{text}");
    for name in ["a-1.json", "a-2.json", "a.svg"] {
        assert!(folder.join(name).exists(), "{name}");
    }
    let drawn = std::fs::read_to_string(plot).expect("drawn");
    assert!(drawn.contains("executor=threads") && drawn.contains("executor=async"));
}

#[test]
fn a_comparison_speaks_of_completion_and_of_latency() {
    let path = temporary("latency", &NAP.replace("count = 2", "count = 2\narrival = { every = \"30ms\" }"));
    let document = json(&["compare", &path.display().to_string(), "--runs", "2", "--json", "-q", "--anyway"]);
    let comparison = &document["comparison"];
    let error = |key: &str| comparison[key].as_f64().expect(key);
    assert!(error("latency_error") >= 0.0 && error("completion_error") >= 0.0);
    assert!(comparison["verdict"].is_string());
    let kind = &comparison["kinds"][0];
    assert_eq!((&kind["name"], &kind["instances"]), (&"main/nap".into(), &2.into()));
    assert_eq!(kind["simulated"]["p95_ns"], Value::Null, "two tasks have no 95th percentile");
    assert!(["mean_ns", "p50_ns", "max_ns"].iter().all(|key| kind["measured"][key].as_f64() > Some(0.0)), "{kind}");
    let recorded = &document["measured"][0]["recorded"];
    let kept = if comparison["disturbed"] == true { &Value::from(0) } else { &comparison["runs"] };
    assert_eq!((&recorded["kept"], &recorded["set_aside"]), (kept, &comparison["dropped"]));
}

/// Presses Ctrl-C for a command and all its children after a while, so often.
fn interrupted(arguments: &[&str], after: Duration, times: usize) -> (Output, u32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments).current_dir(root()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().expect("sim starts");
    let group = child.id();
    std::thread::sleep(after);
    for _ in 0..times {
        signal("-INT", group);
    }
    (child.wait_with_output().expect("sim ends"), group)
}

/// Sends a signal to a process group; says whether there was anybody.
fn signal(signal: &str, group: u32) -> bool {
    let kill = Command::new("kill").args([signal, "--", &format!("-{group}")]).stderr(Stdio::null()).status();
    kill.is_ok_and(|status| status.success())
}

#[test]
fn ctrl_c_keeps_the_runs_done_and_leaves_nobody_behind() {
    let path = temporary("interrupted", &format!("executor = \"processes\"\n{NAP}")).display().to_string();
    let arguments = ["measure", path.as_str(), "--runs", "10000", "--json"];
    // On a busy machine the first run may take its time.
    for seconds in [1, 4, 16, 60] {
        let (output, group) = interrupted(&arguments, Duration::from_secs(seconds), 1);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("interrupted: ") && said.contains(" of 10000 runs were done"), "{said}");
        assert!(!signal("-0", group), "somebody is left");
        if output.stdout.is_empty() {
            continue;
        }
        let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let runs = outcome["recorded"]["runs"].as_u64().expect("a number");
        assert!((1..10_000).contains(&runs), "{runs}");
        return;
    }
    panic!("in a minute not one run was done");
}

#[test]
fn ctrl_c_ends_a_long_run_at_once() {
    let long = "executor = \"processes\"\n[[task]]\nname = \"nap\"\nprogram = [{ sleep = \"50s\" }]\n";
    let path = temporary("interrupted-run", long).display().to_string();
    let started = std::time::Instant::now();
    let (output, group) = interrupted(&["measure", &path], Duration::from_secs(1), 1);
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    assert!(!signal("-0", group), "somebody is left");
    assert!(started.elapsed() < Duration::from_secs(45), "it was not waited for");
}

#[test]
fn what_a_command_does_not_take_is_met_with_a_tip_that_fits() {
    let told = |arguments: &[&str]| {
        let output = sim(arguments);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (arguments, tip) in [
        ("compare a.toml --vary seed=1,2", "'--vary' is an option of `sim run` and `sim measure`"),
        ("run a.toml --tolerance 0.05", "'--tolerance' is an option of `sim compare`"),
        ("measure a.toml --policy fifo", "--set scheduler.policy=fifo"),
        ("run a.toml --until 3", "--set until=3s"),
        ("run a.toml --sead 3", "'--seed'"),
        ("run a.toml --seed -1", "invalid value '-1' for '--seed <N>'"),
        ("run a.toml --wobble", "keys of the scenario are set with --set"),
        ("measure a b", "takes one scenario"),
        ("gallery foo", "--configs and --plots"),
        ("--list", "sim list"),
        ("list lock", "docs/scenarios.md"),
        ("list sync", "did you mean `async`?"),
        ("run --plot a.toml a.png", "write --plot a.png"),
    ] {
        let told = told(&arguments.split(' ').collect::<Vec<_>>());
        assert!(told.contains(tip) && !told.contains("as a value"), "{arguments:?}: {told}");
        let fits = ["run", "measure"].iter().any(|command| arguments.starts_with(command));
        assert!(fits || !told.contains("keys of the scenario"), "{arguments:?}: {told}");
        assert!(!told.contains("no-timeline"), "{arguments:?}: {told}");
    }
    let same = |one: &[&str], other: &[&str]| assert_eq!(sim(one).stdout, sim(other).stdout, "{one:?}");
    same(&["help", "run"], &["run", "--help"]);
    same(&["help"], &["--help"]);
    same(&["list", "policy"], &["list", "policies"]);
}
