//! Known answers: scenarios whose outcome is printed somewhere, follows from a formula, or is what other programs gave.
//!
//! The files of `tests/known/` hold one family each. A case is a name (`## name`), where it comes from (`# source`), a
//! scenario, and after `-- known` what is known of its outcome, in whole units of time:
//!
//! ```text
//! unit ms
//! end deadlock                              how the run ends
//! unfinished A, B                           who is left then
//! makespan 9                                or lowest..highest
//! overhead 4                                of all processors together
//! task A: first-run 0, finish 9             also turnaround, waiting
//! processor 0: A 0-2, B 2-4                 all that it runs; or idle
//! ```
//!
//! A case of a policy that is not on the shelf is passed over: it waits for it.

use std::fs;

use sim_core::engine::simulate;
use sim_core::metrics::Metrics;
use sim_core::outcome::{Outcome, TaskOutcome};
use sim_core::policy::POLICIES;
use sim_core::timeline::{Timeline, TimelineHash};

use crate::support::{root, scenario};

struct Case<'a> {
    name: &'a str,
    scenario: &'a str,
    known: &'a str,
}

#[test]
fn answers_are_those_that_are_known() {
    let (mut held, mut waiting, mut wrong) = (0, 0, Vec::new());
    let folder = fs::read_dir(root().join("tests/known")).expect("tests/known is there");
    for entry in folder {
        let text = fs::read_to_string(entry.expect("readable").path()).expect("text");
        for case in text.split("\n## ").map(|case| read(case.trim_start_matches("## "))) {
            if !on_the_shelf(case.scenario) {
                waiting += 1;
                continue;
            }
            held += 1;
            let outcome = outcome(case.scenario);
            let differences = case.known.lines().filter_map(|line| difference(line, unit(case.known), &outcome));
            wrong.extend(differences.map(|difference| format!("{}: {difference}", case.name)));
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(held >= 165, "{held} cases are held against the simulator, {waiting} wait");
}

fn read(case: &str) -> Case<'_> {
    let (name, rest) = case.split_once('\n').expect("a name");
    assert!(rest.starts_with("# "), "{name} says where it comes from");
    let (scenario, known) = rest.split_once("-- known\n").unwrap_or_else(|| panic!("{name}: nothing is known"));
    Case { name, scenario, known: known.trim_end() }
}

fn on_the_shelf(scenario: &str) -> bool {
    let policy = scenario.split_once("policy = \"").and_then(|(_, rest)| rest.split_once('"'));
    policy.is_none_or(|(name, _)| POLICIES.iter().any(|kind| kind.name == name))
}

fn outcome(toml: &str) -> Outcome {
    let scenario = scenario(toml);
    let mut recorder = ((Metrics::with_jobs(), TimelineHash::default()), Timeline::default());
    let ending = simulate(&scenario, &mut recorder);
    let ((metrics, hash), timeline) = recorder;
    Outcome::simulated(&scenario, &ending, &metrics, hash).with_timeline(&timeline)
}

fn unit(known: &str) -> u64 {
    match known.lines().next() {
        Some("unit ms") => 1_000_000,
        Some("unit us") => 1_000,
        other => panic!("the unit comes first, not {other:?}"),
    }
}

/// What a line says, and what the simulator says instead.
fn difference(line: &str, unit: u64, outcome: &Outcome) -> Option<String> {
    let (about, said) = match line.split_once(": ") {
        Some((about, said)) => (about, said),
        None => line.split_once(' ').expect("a word and what is said of it"),
    };
    let found = match about.split_once(' ') {
        _ if about == "unit" => return None,
        None if about == "makespan" => return makespan(said, unit, outcome),
        None => whole_run(about, unit, outcome),
        Some(("task", name)) => task(said, unit, one(outcome, name)),
        Some(("processor", number)) => processor(number, unit, outcome),
        Some(other) => panic!("{other:?} is not known"),
    };
    (found != said).then(|| format!("{about} should be {said}, and is {found}"))
}

fn makespan(said: &str, unit: u64, outcome: &Outcome) -> Option<String> {
    let (low, high) = said.split_once("..").unwrap_or((said, said));
    let bound = |text: &str| text.parse::<u64>().expect("a number") * unit;
    let found = outcome.makespan_ns;
    (!(bound(low)..=bound(high)).contains(&found)).then(|| format!("makespan should be {said}, and is {found} ns"))
}

fn whole_run(about: &str, unit: u64, outcome: &Outcome) -> String {
    match about {
        "end" => outcome.end.to_owned(),
        "overhead" => ticks(outcome.processors.iter().map(|processor| processor.overhead_ns).sum(), unit),
        "unfinished" => {
            let mut names: Vec<&str> =
                outcome.tasks.iter().filter(|task| task.finish_ns.is_none()).map(|task| &*task.task).collect();
            names.sort_unstable();
            names.join(", ")
        }
        other => panic!("{other:?} is not known"),
    }
}

fn one<'o>(outcome: &'o Outcome, name: &str) -> &'o TaskOutcome {
    outcome.tasks.iter().find(|task| task.task == name).unwrap_or_else(|| panic!("no task {name}"))
}

/// The same figures as in the line, in its order.
fn task(said: &str, unit: u64, task: &TaskOutcome) -> String {
    let figure = |part: &str| {
        let name = part.split_once(' ').expect("a name and a number").0;
        let found = match name {
            "first-run" => task.first_run_ns,
            "finish" => task.finish_ns,
            "turnaround" => task.turnaround_ns,
            "waiting" => Some(task.waiting_ns),
            other => panic!("{other:?} is no figure"),
        };
        format!("{name} {}", found.map_or_else(|| "never".to_owned(), |found| ticks(found, unit)))
    };
    said.split(", ").map(figure).collect::<Vec<_>>().join(", ")
}

fn processor(number: &str, unit: u64, outcome: &Outcome) -> String {
    let number: u32 = number.parse().expect("a number");
    let mut runs: Vec<(String, u64, u64)> = Vec::new();
    let entries = outcome.timeline.iter().flat_map(|entries| entries.iter());
    for entry in entries.filter(|entry| entry.processor == number && entry.what == "run") {
        let name = entry.task.rsplit('/').next().and_then(|name| name.split('#').next()).expect("a name");
        match runs.last_mut() {
            Some((last, _, end)) if last == name && *end == entry.start_ns => *end = entry.end_ns,
            _ => runs.push((name.to_owned(), entry.start_ns, entry.end_ns)),
        }
    }
    let run = |(name, start, end): &(String, u64, u64)| format!("{name} {}-{}", ticks(*start, unit), ticks(*end, unit));
    if runs.is_empty() { "idle".to_owned() } else { runs.iter().map(run).collect::<Vec<_>>().join(", ") }
}

/// A time in units; not rounded, so that nothing that is wrong looks right.
fn ticks(ns: u64, unit: u64) -> String {
    if ns.is_multiple_of(unit) { (ns / unit).to_string() } else { format!("{ns} ns") }
}
