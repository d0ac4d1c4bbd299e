//! The same scenario and seed give the same bytes, always.

use std::sync::Arc;

use sim_core::engine::{cast, simulate, simulate_as};
use sim_core::metrics::Metrics;
use sim_core::timeline::{Timeline, TimelineHash};

use crate::support::{configs, scenario, scenario_with, sim};

/// Chance, blocking, preemption and several processors at once.
pub(crate) const MIXED: &str = r#"
    seed = 7
    [machine]
    processors = 2
    context-switch = "3us"
    migration = "5us"
    [scheduler]
    policy = "round-robin"
    quantum = "2ms"
    [[device]]
    name = "disk"
    channels = 1
    [[lock]]
    name = "m"
    [[task]]
    name = "a"
    count = 20
    arrival = { gap = { exponential = "3ms" } }
    program = [{ repeat = 5, do = [{ cpu = { exponential = "2ms" } }, { io = "disk", for = { uniform = ["1ms", "4ms"] } }] }]
    [[task]]
    name = "b"
    count = 3
    program = [{ repeat = 9, do = [{ with = "m", do = [{ cpu = { lognormal = { median = "1ms", sigma = 0.7 } } }] },
        { choose = [[0.3, ["yield"]], [0.7, [{ sleep = { erlang = { k = 2, mean = "2ms" } } }]]] }] }]
"#;

#[test]
fn twice_the_same_bytes() {
    for file in configs() {
        let path = file.display().to_string();
        let arguments = ["run", &path, "--json", "--timeline", "--quiet"];
        let (first, second) = (sim(&arguments), sim(&arguments));
        assert!(!first.stdout.is_empty(), "{path} prints an outcome");
        assert_eq!(first.stdout, second.stdout, "{path}");
    }
}

#[test]
fn a_seed_matters_and_is_all_that_matters() {
    let hash = |seed: &str| {
        let mut hash = TimelineHash::default();
        simulate(&scenario_with(MIXED, &[("seed", seed)]), &mut hash);
        hash.hex()
    };
    assert_eq!(hash("7"), hash("7"));
    assert_ne!(hash("7"), hash("8"));
}

/// Results of released versions: a change here is a change of every user's results, and wants a line in the changelog.
#[test]
fn hashes_stay_what_they_were() {
    let mut hash = TimelineHash::default();
    simulate(&scenario(MIXED), &mut hash);
    expect_test::expect!["e7c8ef8e6e1c5844"].assert_eq(&hash.hex());
}

#[test]
fn recording_changes_nothing() {
    let scenario = scenario(MIXED);
    let names = Arc::new(cast(&scenario));
    let mut everything = ((Metrics::default(), TimelineHash::default()), Timeline::default());
    let with = simulate_as(&scenario, &names, &mut everything);
    let without = simulate_as(&scenario, &names, &mut ());
    assert_eq!(with, without);
    // Metrics and hash of the kept timeline are those made on the way.
    let ((metrics, _), timeline) = everything;
    assert_eq!(Metrics::of(&timeline).tasks, metrics.tasks);
    assert_eq!(Metrics::of(&timeline).processors, metrics.processors);
    assert_eq!(Metrics::of(&timeline).devices, metrics.devices);
    assert_eq!(Metrics::of(&timeline).syncs, metrics.syncs);
}

/// Common random numbers: another policy, or another task, does not move anybody's draws.
#[test]
fn draws_belong_to_their_task() {
    let demand = |sets: &[(&str, &str)], more: &str| {
        let text = format!("{MIXED}{more}");
        let mut metrics = Metrics::default();
        simulate(&scenario_with(&text, sets), &mut metrics);
        metrics.tasks.iter().take(23).map(|task| (task.arrival, task.running)).collect::<Vec<_>>()
    };
    let original = demand(&[], "");
    let newcomer = "[[task]]\nname = \"c\"\ncount = 5\nprogram = [{ cpu = { exponential = \"1ms\" } }]\n";
    assert_eq!(original, demand(&[("scheduler.policy", "fifo"), ("machine.processors", "1")], ""));
    assert_eq!(original, demand(&[], newcomer));
}
