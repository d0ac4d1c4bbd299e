//! Laws that hold for every policy of the shelf when each processor has its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::document::Source;
use crate::engine::{End, simulate};
use crate::policy::checked::Guard;
use crate::policy::{Kind, POLICIES};
use crate::scenario::lower::scenario;
use crate::scenario::{Scenario, Ties};
use crate::timeline::Timeline;
use crate::timeline::check::Tolerance;

/// Values for parameters without which some policies cannot be read, and for those that set alarms.
const PARAMETERS: [(&str, &str); 5] = [
    ("quantum", "\"2ms\""),
    ("quanta", "[\"1ms\", \"2ms\", \"4ms\"]"),
    ("levels", "[{ quantum = \"1ms\", allotment = 2 }, { quantum = \"3ms\" }]"),
    ("boost", "\"5ms\""),
    ("aging", "\"3ms\""),
];

const PLACEMENTS: [Placement; 4] = [Placement::LeastLoaded, Placement::RoundRobin, Placement::Random, Placement::First];

/// All policies but those that say themselves who waits for which processor.
fn policies() -> impl Iterator<Item = &'static Kind> {
    let has_own_queues = |kind: &Kind| kind.parameters.iter().any(|own| own.name == "placement");
    POLICIES.iter().copied().filter(move |kind| !has_own_queues(kind))
}

/// A small world: tasks that compute, sleep and yield, some of them again and again; on the seed depends what they do and where they may do it.
fn world(seed: u64, processors: usize, affinity: bool) -> String {
    let mut chance = StreamName::new(seed).word("world").stream();
    let mut text = format!("seed = {seed}\n[machine]\nprocessors = {processors}\n");
    for task in 0..3 + chance.below(4) {
        text += &format!("[[task]]\nname = \"t{task}\"\ncount = {}\n", 1 + chance.below(2));
        text += &format!("arrival = \"{}ms\"\npriority = {}\n", chance.below(5), chance.below(3));
        if affinity && chance.below(2) == 0 {
            text += &format!("affinity = [{}]\n", chance.below(processors as u64));
        }
        let steps = (0..1 + chance.below(4)).map(|_| match chance.below(4) {
            0 => format!("{{ sleep = \"{}ms\" }}", chance.below(6)),
            1 => "\"yield\"".to_owned(),
            _ => format!("{{ cpu = \"{}ms\" }}", 1 + chance.below(7)),
        });
        text += &format!("program = [{}]\n", steps.collect::<Vec<_>>().join(", "));
        if chance.below(3) == 0 {
            text += &format!("period = \"{}ms\"\njobs = {}\n", 1 + chance.below(12), 1 + chance.below(3));
        }
    }
    text
}

fn read(policy: &str, world: &str) -> Scenario {
    let known = |key: &str| POLICIES.iter().any(|kind| kind.parameters.iter().any(|parameter| parameter.name == key));
    let parameters = PARAMETERS.iter().filter(|(key, _)| known(key)).map(|(key, value)| format!("{key} = {value}\n"));
    let text = format!("{world}[scheduler]\npolicy = \"{policy}\"\n{}", parameters.collect::<String>());
    scenario(&Source { file: "test", text: &text }, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Runs it with queues per processor, the policies inside and the whole under supervision.
fn run(shared: &Scenario, rules: Rules) -> Timeline {
    let (inside, whole) = (Guard::default(), Guard::default());
    let mut scenario = shared.clone();
    let policy = inside.settings(Arc::clone(&shared.scheduler.settings));
    scenario.scheduler.settings = whole.settings(Arc::new(PerProcessor { policy, rules }));
    supervised(&scenario, &[&inside, &whole])
}

fn bare(scenario: &Scenario) -> Timeline {
    supervised(scenario, &[])
}

fn supervised(scenario: &Scenario, guards: &[&Guard]) -> Timeline {
    let mut timeline = Timeline::default();
    let ending = simulate(scenario, &mut timeline);
    // Who breaks the contract runs nobody any more, so this comes before the ending.
    for guard in guards {
        assert_eq!(guard.verdict(), Ok(()), "{:?}", scenario.scheduler);
    }
    assert_eq!(ending.end, End::Completed, "{ending:?}");
    timeline
        .check()
        .and_then(|()| timeline.check_demand(scenario, Tolerance::EXACT))
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    timeline
}

/// Everything about a timeline that an observer without knowledge of names could see.
fn seen(timeline: &Timeline) -> String {
    format!("{:?} {:?}", timeline.intervals, timeline.tasks)
}

#[test]
fn on_one_processor_there_is_no_difference() {
    for kind in policies() {
        for seed in 0..40 {
            let mut shared = read(kind.name, &world(seed, 1, false));
            for ties in [Ties::ArrivalsFirst, Ties::PreemptedFirst] {
                shared.scheduler.ties = ties;
                let expected = seen(&bare(&shared));
                for (placement, balance) in
                    PLACEMENTS.into_iter().zip([Balance::None, Balance::Steal].into_iter().cycle())
                {
                    let own = run(&shared, Rules { placement, balance });
                    assert_eq!(seen(&own), expected, "{} with {placement:?}, world {seed}", kind.name);
                }
            }
        }
    }
}

#[test]
fn every_policy_keeps_its_contract_on_queues_of_its_own() {
    let balances = [Balance::None, Balance::Steal, Balance::Every(Span::from_ms(3))];
    for kind in policies() {
        for seed in 0..40 {
            let shared = read(kind.name, &world(seed, 2 + seed as usize % 2, true));
            for (placement, balance) in
                PLACEMENTS.into_iter().flat_map(|placement| balances.map(|balance| (placement, balance)))
            {
                run(&shared, Rules { placement, balance });
            }
        }
    }
}

#[test]
fn nobody_moves_unless_queues_are_balanced() {
    for kind in policies() {
        for seed in 0..40 {
            let shared = read(kind.name, &world(seed, 3, true));
            let timeline = run(&shared, Rules { placement: Placement::Random, balance: Balance::None });
            let mut homes = BTreeMap::new();
            for interval in &timeline.intervals {
                let home = *homes.entry(interval.task).or_insert(interval.cpu);
                assert_eq!(home, interval.cpu, "{}, world {seed}: {:?} moves", kind.name, interval.task);
            }
        }
    }
}

#[test]
fn who_steals_leaves_no_processor_idle_while_somebody_waits() {
    for kind in policies() {
        for seed in 0..40 {
            let processors = 2 + seed as usize % 3;
            let shared = read(kind.name, &world(seed, processors, false));
            let timeline = run(&shared, Rules { placement: Placement::First, balance: Balance::Steal });
            let wants = timeline.tasks.iter().filter_map(|life| Some((life.arrival?, life.finish?)));
            let wants: Vec<_> = wants.collect();
            let mut instants: Vec<Time> =
                timeline.intervals.iter().flat_map(|interval| [interval.start, interval.end]).collect();
            instants.extend(wants.iter().map(|(arrival, _)| *arrival));
            instants.extend(timeline.blocks.iter().map(|block| block.end));
            for now in instants {
                let at = |start: Time, end: Time| usize::from(start <= now && now < end);
                let running: usize = timeline.intervals.iter().map(|interval| at(interval.start, interval.end)).sum();
                let there: usize = wants.iter().map(|(arrival, finish)| at(*arrival, *finish)).sum();
                let blocked: usize = timeline.blocks.iter().map(|block| at(block.start, block.end)).sum();
                assert_eq!(running, processors.min(there - blocked), "{}, world {seed}, at {now}", kind.name);
            }
        }
    }
}

#[test]
fn queues_that_are_balanced_differ_by_one_at_most() {
    // Everybody is placed on processor 0 and computes; at 3 ms they are spread.
    let tasks = "[machine]\nprocessors = 4\n[[task]]\nname = \"t\"\ncount = 10\nprogram = [{ cpu = \"20ms\" }]\n";
    for kind in policies() {
        let shared = read(kind.name, tasks);
        let timeline = run(&shared, Rules { placement: Placement::First, balance: Balance::Every(Span::from_ms(3)) });
        let first_on = |cpu: u32| {
            timeline.intervals.iter().filter(|interval| interval.cpu.0 == cpu).map(|interval| interval.start).min()
        };
        assert_eq!(
            [0, 1, 2, 3].map(first_on),
            [0, 3, 3, 3].map(|ms| Some(Time::from_ns(ms * 1_000_000))),
            "{}",
            kind.name
        );
        let finished = timeline.tasks.iter().filter_map(|life| life.finish).max();
        assert!(finished <= Some(Time::from_ns(63_000_000)), "{}: {finished:?}", kind.name);
    }
}

#[test]
fn random_placement_is_uniform_and_follows_the_seed() {
    let tasks = "[machine]\nprocessors = 3\n[[task]]\nname = \"t\"\ncount = 3000\nprogram = [{ cpu = \"1ms\" }]\n";
    let mut shared = read("fifo", tasks);
    let mut counts = |seed: u64| {
        shared.seed = seed;
        let timeline = run(&shared, Rules { placement: Placement::Random, balance: Balance::None });
        let mut counts = [0_u32; 3];
        timeline.intervals.iter().for_each(|interval| counts[interval.cpu.0 as usize] += 1);
        counts
    };
    assert_eq!(counts(1), counts(1));
    assert_ne!(counts(1), counts(2));
    // Six standard deviations of a binomial count of 3000 draws with probability 1/3.
    assert!(counts(3).iter().all(|count| count.abs_diff(1000) < 155), "{:?}", counts(3));
}
