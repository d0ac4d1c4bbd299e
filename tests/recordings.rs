//! Real runs that were recorded, held against what is predicted of them today: a loss of fidelity shows without measuring.
//!
//! `tests/recordings` has scenarios, of each some outcomes of real runs (the makespan, the tasks, the timeline), and the profile
//! that was calibrated on the same machine at the time. Each is `sim generate`d or written by hand, and nothing is fitted.

use std::collections::BTreeMap;

use serde_json::Value;
use sim_core::causes::critical_path::{CriticalPath, Goal};
use sim_core::compare::{Distance, compare, compare_ensemble};
use sim_core::document::Source;
use sim_core::ids::{CpuId, TaskId, ThreadId};
use sim_core::policy::on_linux::Class;
use sim_core::scenario::{Profile, Ran, Scenario, ensemble, lower, predicted};
use sim_core::time::Time;
use sim_core::timeline::{Interval, Left, Timeline, What};

use crate::laws::critical_path::is_a_chain;
use crate::support::{files_below, root, run};

/// What was recorded of one scenario, and what is predicted.
struct Recording {
    name: String,
    ideal: Distance,
    predicted: Distance,
}

fn text(name: &str) -> String {
    let path = root().join("tests/recordings").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The timeline of a recorded outcome: that of a simulation with other lives and stays.
fn timeline(recorded: &Value, scenario: &Scenario, simulated: &Timeline) -> Timeline {
    let ns = |value: &Value| value.as_u64().map(Time::from_ns);
    let mut timeline = Timeline { cast: simulated.cast.clone(), tasks: simulated.tasks.clone(), ..Timeline::default() };
    let name = |task: TaskId| {
        let life = &simulated.tasks[task];
        scenario.task_name(sim_core::ids::SpecId(life.spec), life.instance)
    };
    let ids: BTreeMap<String, TaskId> = simulated.tasks.ids().map(|task| (name(task), task)).collect();
    for task in recorded["tasks"].as_array().expect("a list") {
        let life = &mut timeline.tasks[ids[task["name"].as_str().expect("a name")]];
        (life.arrival, life.finish) = (ns(&task["arrival_ns"]), ns(&task["finish_ns"]));
    }
    for stay in recorded["timeline"].as_array().expect("a list") {
        let time = |key: &str| ns(&stay[key]).expect("a time");
        timeline.intervals.push(Interval {
            start: time("start_ns"),
            end: time("end_ns"),
            task: ids[stay["task"].as_str().expect("a name")],
            thread: ThreadId(0),
            cpu: CpuId(u32::try_from(stay["processor"].as_u64().expect("a number")).expect("small")),
            what: What::Run,
            left: Left::Blocked,
        });
    }
    timeline.end = ns(&recorded["makespan_ns"]).expect("a time");
    timeline
}

fn recordings() -> Vec<Recording> {
    let profile = text("profile.toml");
    let profile =
        Profile::read(&Source { file: "profile.toml", text: &profile }).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let files = files_below(&root().join("tests/recordings"), "json");
    let one = |file: &std::path::PathBuf| {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let toml = text(&format!("{name}.toml"));
        let document = lower::parsed(&Source { file: &name, text: &toml });
        let (scenario, _) = lower::document(&document, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let outcomes: Value = serde_json::from_str(&text(&format!("{name}.json"))).expect("JSON");
        let outcomes = outcomes.as_array().expect("a list");
        let ran = match outcomes[0]["recorded"]["policy"].as_str().expect("a policy") {
            policy if policy.starts_with("SCHED_FIFO") => Class::Fifo,
            policy if policy.starts_with("SCHED_RR") => Class::RoundRobin(sim_core::time::Span::from_ms(100)),
            _ => Class::Other,
        };
        let simulated = run(&scenario).0;
        let real: Vec<Timeline> = outcomes.iter().map(|outcome| timeline(outcome, &scenario, &simulated)).collect();
        let prediction = predicted(&document, &[], &profile, &Ran { class: Some(ran), interpreters: Vec::new() })
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let machines: Vec<Timeline> = ensemble(&prediction).map(|machine| run(&machine).0).collect();
        Recording {
            name,
            ideal: compare(&simulated, &real),
            predicted: compare_ensemble(&machines.iter().collect::<Vec<_>>(), &real),
        }
    };
    files.iter().map(one).collect()
}

/// A real record has gaps and clocks that do not quite agree: a path through it is a chain all the same.
#[test]
fn paths_through_real_runs_are_chains() {
    for file in files_below(&root().join("tests/recordings"), "json") {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let toml = text(&format!("{name}.toml"));
        let scenario = lower::scenario(&Source { file: &name, text: &toml }, &[]).expect("a scenario");
        let simulated = run(&scenario).0;
        let outcomes: Value = serde_json::from_str(&text(&format!("{name}.json"))).expect("JSON");
        for outcome in outcomes.as_array().expect("a list") {
            let real = timeline(outcome, &scenario, &simulated);
            let goals = real.tasks.ids().filter_map(|task| Goal::life_of(&real, task));
            for goal in goals.chain(Goal::last_finish(&real)) {
                let path = CriticalPath::of(&real, Some(&scenario), goal);
                is_a_chain(&path).unwrap_or_else(|broken| panic!("{name}: {broken}"));
            }
        }
    }
}

#[test]
fn predictions_of_recorded_runs_are_as_near_as_they_were() {
    let recordings = recordings();
    assert!(recordings.len() >= 8, "{}", recordings.len());
    for Recording { name, ideal, predicted } in &recordings {
        let told = format!(
            "{name}: makespan {:?}, same tasks {:?} (real runs {:?}, ideal {:?}), ratio {:?}",
            predicted.makespan_error,
            predicted.agreement,
            predicted.agreement_between_runs,
            ideal.agreement,
            predicted.ratio
        );
        let (Some(error), Some(ours), Some(real), Some(alone)) =
            (predicted.makespan_error, predicted.agreement, predicted.agreement_between_runs, ideal.agreement)
        else {
            panic!("all finished: {told}")
        };
        let spread = predicted.makespan_spread.unwrap_or_default();
        assert!(error.abs() < spread.max(0.01), "the makespan is within a hundredth, or as real runs are: {told}");
        assert!(ours > real - 0.06, "the same tasks run nearly as long as in another real run: {told}");
        assert!(ours >= alone, "it is nearer than what the file says alone: {told}");
        assert!(predicted.ratio.is_some_and(|ratio| ratio < 2.2), "it is nearly as near as another real run: {told}");
    }
}
