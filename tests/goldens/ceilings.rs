//! Locks whose holder is lent urgency, by the examples of books: two ceiling protocols, and sections that nobody interrupts.

use sim_core::causes::{Behind, Causes, What};
use sim_core::findings::of_timeline;
use sim_core::ids::{SyncId, TaskId};
use sim_core::policy::POLICIES;
use sim_core::scenario::Scenario;
use sim_core::time::{Span, Time};
use sim_core::timeline::Timeline;

use crate::support::{run, scenario, scenario_with};

/// An exercise of textbooks: five tasks, two resources, nested.
const EXERCISE: &str = r#"
    scheduler = { policy = "priority" }
    lock = [{ name = "R1", protocol = "inherit" }, { name = "R2", protocol = "inherit" }]
    task = [
        { name = "T1", priority = 5, arrival = "7ms", program = [{ cpu = "1ms" }, { with = "R1", do = [{ cpu = "1ms" }] }, { cpu = "1ms" }] },
        { name = "T2", priority = 4, arrival = "5ms", program = [{ cpu = "1ms" }, { with = "R2", do = [{ cpu = "1ms" }] }, { cpu = "1ms" }] },
        { name = "T3", priority = 3, arrival = "4ms", program = [{ cpu = "2ms" }] },
        { name = "T4", priority = 2, arrival = "2ms", program = [{ cpu = "1ms" }, { with = "R1", do = [{ cpu = "1.5ms" }, { with = "R2", do = [{ cpu = "1.5ms" }] }, { cpu = "1ms" }] }, { cpu = "1ms" }] },
        { name = "T5", priority = 1, program = [{ cpu = "1ms" }, { with = "R2", do = [{ cpu = "4ms" }] }, { cpu = "1ms" }] },
    ]
"#;

fn exercise(protocol: &str) -> Scenario {
    let value = format!("\"{protocol}\"");
    scenario_with(EXERCISE, &[("lock.R1.protocol", &value), ("lock.R2.protocol", &value)])
}

/// When each task ended, in milliseconds.
fn finishes(timeline: &Timeline) -> Vec<u64> {
    timeline.tasks.iter().map(|life| life.finish.map_or(u64::MAX, |at| at.ns() / 1_000_000)).collect()
}

#[test]
fn each_protocol_has_its_own_answer() {
    for (protocol, expected) in [
        ("inherit", [15, 17, 18, 19, 20]),
        ("original-ceiling", [10, 13, 14, 19, 20]),
        ("ceiling", [10, 11, 13, 19, 20]),
        ("non-preemptive", [10, 11, 13, 19, 20]),
    ] {
        let (timeline, _) = run(&exercise(protocol));
        assert_eq!(finishes(&timeline), expected, "{protocol}");
    }
}

#[test]
fn who_waits_for_a_free_lock_waits_behind_whoever_has_the_other() {
    let scenario = exercise("original-ceiling");
    let (timeline, _) = run(&scenario);
    let (t4, t5, r1) = (TaskId(3), TaskId(4), SyncId(0));
    // From 3 ms T4 is refused R1, which is free, since T5 has R2, whose ceiling is above it, until 12 ms.
    let causes = Causes::of(&timeline);
    let behind = |task: TaskId| {
        let its = causes.tasks[t4].iter().filter(|part| part.what == What::Sync(r1));
        its.filter(|part| matches!(part.behind, Some(Behind { task: other, .. }) if other == task))
            .map(|part| part.length)
            .sum::<Span>()
    };
    assert_eq!(behind(t5), Span::from_ns(7_000_000));
    assert!(timeline.holds.iter().all(|hold| hold.sync != r1 || hold.start > Time::from_ns(3_000_000)));
    // What the protocol allows is no inversion.
    assert!(of_timeline(&scenario, &timeline).is_empty(), "{:?}", of_timeline(&scenario, &timeline));
}

/// At 5 ms `low` gives `x` back, which `middle` has from then on, though `high` comes at that instant and runs first: at 6 ms it is refused
/// `y` until `middle`, which inherits, has given `x` back. Does `middle` come at 5 ms too, it has not asked by then, and `high` waits for nobody.
#[test]
fn a_lock_with_an_original_ceiling_is_handed_over_when_it_is_given_back() {
    let text = |middle: &str| {
        format!(
            r#"
            scheduler = {{ policy = "priority" }}
            lock = [{{ name = "x", protocol = "original-ceiling" }}, {{ name = "y", protocol = "original-ceiling" }}]
            task = [
                {{ name = "high", priority = 3, arrival = "5ms", program = [{{ cpu = "1ms" }}, {{ with = "y", do = [{{ cpu = "1ms" }}] }}, {{ with = "x", do = [{{ cpu = "1ms" }}] }}] }},
                {{ name = "middle", priority = 2, arrival = "{middle}", program = [{{ with = "x", do = [{{ cpu = "2ms" }}] }}] }},
                {{ name = "low", priority = 1, program = [{{ with = "x", do = [{{ cpu = "5ms" }}] }}, {{ cpu = "1ms" }}] }},
            ]
            "#
        )
    };
    let (timeline, _) = run(&scenario(&text("1ms")));
    assert_eq!(finishes(&timeline), [10, 8, 11]);
    let (timeline, _) = run(&scenario(&text("5ms")));
    assert_eq!(finishes(&timeline), [8, 10, 11]);
}

#[test]
fn the_original_ceiling_prevents_a_deadlock() {
    // Taken in opposite orders: B is refused the lock that is free while A has the other.
    let text = |protocol: &str| {
        format!(
            r#"
            scheduler = {{ policy = "priority" }}
            lock = [{{ name = "a", protocol = "{protocol}" }}, {{ name = "b", protocol = "{protocol}" }}]
            task = [
                {{ name = "A", priority = 1, program = [{{ lock = "a" }}, {{ cpu = "2ms" }}, {{ lock = "b" }}, {{ cpu = "1ms" }}, {{ unlock = "b" }}, {{ unlock = "a" }}] }},
                {{ name = "B", priority = 2, arrival = "1ms", program = [{{ lock = "b" }}, {{ cpu = "1ms" }}, {{ lock = "a" }}, {{ cpu = "1ms" }}, {{ unlock = "a" }}, {{ unlock = "b" }}] }},
            ]
            "#
        )
    };
    let (timeline, _) = run(&scenario(&text("original-ceiling")));
    assert_eq!(finishes(&timeline), [3, 5]);
    let (_, ending) = run(&scenario(&text("inherit")));
    assert_eq!(ending.end.name(), "deadlock");
}

#[test]
fn a_wait_for_a_free_lock_that_never_ends_is_explained() {
    let (_, ending) = run(&scenario(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "a", protocol = "original-ceiling" }, { name = "b", protocol = "original-ceiling" }]
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", priority = 1, program = [{ lock = "a" }, { recv = "c" }, { unlock = "a" }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ with = "b", do = [{ cpu = "1ms" }] }, { with = "a", do = [] }, { send = "c" }] },
        ]
        "#,
    ));
    let why = ending.explanation.unwrap_or_default();
    assert!(why.starts_with("deadlock in a cycle"), "{why}");
    assert!(why.contains("B waits since 1 ms for lock `b`, which is free, behind A, who has `a`"), "{why}");
}

#[test]
fn nobody_takes_the_processor_from_who_is_not_to_be_preempted() {
    // Under every policy: the section of 5 ms is one piece, though B comes at 1 ms, and slices are of 1 ms.
    for kind in POLICIES {
        let parameters = match kind.name {
            "round-robin" | "lottery" | "stride" => "quantum = '1ms'",
            "feedback" => "quanta = ['1ms', '2ms']",
            "mlfq" => "levels = [{ quantum = '1ms', allotment = 2 }, { quantum = '3ms' }]",
            _ => "",
        };
        let (timeline, ending) = run(&scenario(&format!(
            r#"
            scheduler = {{ policy = "{}", {parameters} }}
            lock = [{{ name = "m", protocol = "non-preemptive" }}]
            task = [
                {{ name = "A", period = "100ms", jobs = 1, program = [{{ with = "m", do = [{{ cpu = "5ms" }}] }}, {{ cpu = "4ms" }}] }},
                {{ name = "B", period = "50ms", jobs = 1, arrival = "1ms", priority = 9, program = [{{ cpu = "3ms" }}] }},
            ]
            "#,
            kind.name
        ).replace(", }", " }")));
        assert_eq!(ending.end.name(), "completed", "{}", kind.name);
        let first = timeline.intervals.iter().find(|interval| interval.task == TaskId(0)).expect("A runs");
        assert!(first.end.since(first.start) >= Span::from_ns(5_000_000), "{}: {first:?}", kind.name);
    }
}
