//! The estimators, held against simulations whose costs are known: what is read off a timeline is what was spent there.

use sim_core::document::{Override, Source};
use sim_core::engine::simulate;
use sim_core::scenario::lower;
use sim_core::time::Span;
use sim_core::timeline::Timeline;

use super::estimate::{Findings, WAKES, settle};
use super::experiment::{EXPERIMENTS, Experiment, Work};
use super::{Section, kernel};

/// The costs of the machine that is simulated.
const COSTS: [(&str, u64); 9] = [
    ("wake", 38),
    ("block", 7),
    ("exit", 9),
    ("start", 70),
    ("stagger", 120),
    ("local-wake", 5),
    ("remote-wake", 58),
    ("context-switch", 2),
    ("operation", 1),
];

fn found(experiment: &Experiment, more: &[(&str, &str)]) -> Findings {
    let mut overrides: Vec<Override> =
        COSTS.iter().map(|(key, us)| Override::new(format!("machine.{key}"), format!("\"{us}us\""))).collect();
    overrides.extend(more.iter().map(|(path, value)| Override::new(*path, *value)));
    let source = Source { file: experiment.what, text: &experiment.toml() };
    let scenario = lower::scenario(&source, &overrides).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let mut timeline = Timeline::default();
    simulate(&scenario, &mut timeline);
    let mut findings = Findings::default();
    findings.read(experiment, &timeline);
    findings
}

fn experiment(section: &str, work: Work) -> &'static Experiment {
    let is_it = |one: &&Experiment| one.section == section && one.work == work;
    EXPERIMENTS.iter().find(is_it).expect("there is such an experiment")
}

#[test]
fn every_experiment_is_a_scenario() {
    for experiment in EXPERIMENTS {
        found(experiment, &[]);
    }
}

#[test]
fn costs_that_were_spent_are_found_again() {
    let mut all = std::collections::BTreeMap::from([("machine", Section::default())]);
    for work in [Work::Sleepers, Work::Crowd, Work::Pair, Work::SendHere, Work::SendThere, Work::Operations] {
        let findings = found(experiment("machine", work), &[]);
        for (key, samples) in findings.samples {
            all.entry("machine").or_default().samples.entry(key).or_default().extend(samples);
        }
    }
    let rivals = found(experiment("class.other", Work::Rivals), &[]);
    all.entry("class.other").or_default().samples = rivals.samples;
    settle(&mut all);
    let machine = &all["machine"].samples;
    for (key, us) in COSTS {
        let samples = machine.get(key).unwrap_or_else(|| panic!("{key} is found: {machine:?}"));
        let middle = samples[samples.len() / 2];
        // A send may lie inside a stay of a microsecond or so; all else is exact.
        let off = middle.ns().abs_diff(Span::from_us(us).ns());
        assert!(off <= 2_000, "{key}: {middle} is not {us} us: {samples:?}");
    }
}

/// Starts and ends of interpreters take longer than those of threads, and are found as well.
#[test]
fn costs_of_interpreters_are_found_again() {
    let fork = "{ parent = \"1100us\", child = \"3700us\" }";
    let known = [("exit", 1_200)];
    let of_pools = [("start", 1_400), ("stagger", 300), ("take", 600)];
    let set = |(key, us): (&str, u32)| (format!("machine.{key}"), format!("\"{us}us\""));
    let mut all = std::collections::BTreeMap::new();
    for one in EXPERIMENTS.iter().filter(|one| one.has_interpreters()) {
        // What a process takes to start is all in `fork`.
        let of_starts = of_pools.into_iter().filter(|_| one.starts().is_none());
        let quoted: Vec<(String, String)> = known.into_iter().chain(of_starts).map(set).collect();
        let mut more: Vec<(&str, &str)> = quoted.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        if one.starts().is_some() {
            more.extend([("machine.fork", fork), ("machine.start", "\"0us\""), ("machine.stagger", "\"0us\"")]);
        }
        let section: &mut Section = all.entry(one.section).or_default();
        let mut found = found(one, &more);
        found.starting(one, Span::from_us(1_100));
        for (key, samples) in found.samples {
            section.samples.entry(key).or_default().extend(samples);
        }
    }
    settle(&mut all);
    let (processes, pool) = (&all["cpython.processes"].samples, &all["cpython.pool-of-processes"].samples);
    let middle = |of: &std::collections::BTreeMap<&str, Vec<Span>>, key: &str| {
        of.get(key).and_then(|all| all.get(all.len() / 2)).map(|cost| cost.ns())
    };
    for (of, key, us) in [
        (processes, "fork-parent", 1_100),
        // The parent wakes first, and then the child.
        (processes, "fork-child", 3_755),
        (processes, "exit", 1_200),
        (pool, "start", 1_400),
        (pool, "stagger", 300),
        (pool, "take", 600),
    ] {
        // With a switch to it perhaps, of which nothing is known here.
        let found = middle(of, key).unwrap_or_else(|| panic!("{key} is found: {of:?}"));
        assert!(found.abs_diff(us * 1_000) <= 2_000, "{key}: {found} ns is not {us} us: {of:?}");
    }
    assert_eq!((middle(processes, "start"), middle(processes, "stagger")), (Some(0), Some(0)), "all is in `fork`");
    let wakes = |of| WAKES.iter().map(|(key, _)| middle(of, key)).collect::<Vec<_>>();
    assert_eq!(wakes(processes), wakes(pool), "a process wakes like one of a pool");
    assert!(wakes(pool).iter().any(Option::is_some));
}

#[test]
fn what_waking_costs_is_found_by_how_long_a_processor_was_idle() {
    let steps = "[{ cost = '20us' }, { idle = '1ms', cost = '40us' }, { idle = '4500us', cost = '90us' }]";
    for section in ["machine", "executor.pool", "executor.processes"] {
        let mut findings = Findings::default();
        for _ in 0..5 {
            let run = found(experiment(section, Work::Sleepers), &[("machine.wake", steps)]);
            run.samples.into_iter().for_each(|(key, samples)| findings.samples.entry(key).or_default().extend(samples));
        }
        let mut all = std::collections::BTreeMap::from([(section, Section { samples: findings.samples })]);
        settle(&mut all);
        let of = |key: &str| all[section].samples.get(key).map(|samples| samples[samples.len() / 2].ns() / 1000);
        // A context switch is paid besides, unless it is the same thread.
        let [shortest, short, middle, long, longest] =
            super::STEPS[0].iter().map(|(key, _)| of(key)).collect::<Vec<_>>()[..]
        else {
            panic!("there are five")
        };
        let known = [(shortest, 20), (short, 40), (middle, 40), (long, 90), (longest, 90)];
        let is_known = |found: u64, cost: u64| (cost..=cost + 2).contains(&found);
        assert!(
            known.iter().all(|(found, cost)| found.is_none_or(|found| is_known(found, *cost))),
            "{section}: {known:?}"
        );
        assert!(short.is_some() && long.is_some(), "{section}: {:?}", all[section]);
    }
}

#[test]
fn where_the_ticks_are_is_found() {
    let ticks = [("machine.tick", "4ms"), ("machine.tick-phase", "3620us")];
    let findings = found(experiment("class.other", Work::Rivals), &ticks);
    let phase = findings.phase(Span::from_ms(4)).expect("there were several ends of slices");
    assert!(phase.ns().abs_diff(3_620_000) < 10_000, "{phase}");
    assert_eq!(Findings::default().phase(Span::from_ms(4)), None, "nothing is known of nothing");
}

#[test]
fn what_the_kernel_does_with_idle_processors_is_found() {
    let policy = ("scheduler.policy", "linux");
    let stayed = |placement: &str| {
        let placement = [policy, ("scheduler.placement", placement), ("scheduler.idle-pull", "0")];
        found(experiment("class.other", Work::Pull), &placement).stayed
    };
    // Who has not been taken off its queue yet, for it was served more than its share, goes on there.
    assert!(stayed("kernel").iter().any(|stayed| !stayed), "{:?}", stayed("kernel"));
    assert!(!stayed("packed").is_empty() && stayed("packed").iter().all(|stayed| *stayed), "{:?}", stayed("packed"));
    let pulled = |at_once: &str, at_ticks: &str| {
        let placement = ("scheduler.placement", "packed");
        let ticks = [("machine.tick", "4ms"), ("machine.tick-phase", "3620us")];
        let pull = [policy, placement, ("scheduler.idle-pull", at_once), ("scheduler.tick-pull", at_ticks)];
        let mut all = Findings::default();
        for seed in 1..=30 {
            let seed = seed.to_string();
            let more = [&pull[..], &ticks[..], &[("seed", &seed)]].concat();
            all.join(found(experiment("class.other", Work::Pull), &more));
        }
        let settings = kernel::settings(&all, Some((Span::from_ms(4), Span::from_us(3_620))));
        let of = |key: &str| settings.iter().find(|(known, ..)| *known == key).map(|(_, value, _)| value.clone());
        [of("idle-pull"), of("tick-pull")].map(|value| value.and_then(|value| value.parse::<f64>().ok()))
    };
    assert_eq!(pulled("1", "0.5"), [Some(1.0), None], "who is always taken at once is no matter of ticks");
    assert_eq!(pulled("0", "1"), [Some(0.0), Some(1.0)]);
    let [at_once, at_ticks] = pulled("0.5", "0.3").map(|share| share.expect("there are enough"));
    assert!((0.3..0.7).contains(&at_once) && (0.15..0.5).contains(&at_ticks), "{at_once} {at_ticks}");
}

#[test]
fn the_kernel_says_how_often_it_ticks_and_what_a_machine_is() {
    let tick = kernel::tick().expect("the coarse clock exists");
    assert!((Span::from_us(100)..=Span::from_ms(20)).contains(&tick), "{tick}");
    let words = kernel::machine_description();
    assert!(words.iter().any(|(key, value)| *key == "kernel" && !value.is_empty()));
    let settings = kernel::settings(&Findings::default(), None);
    assert!(settings.iter().all(|(key, ..)| *key != "idle-pull"), "what was not seen is not said: {settings:?}");
}
