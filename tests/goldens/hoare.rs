//! Condition variables by Hoare's rule: who notifies hands on the lock, and the processor.

use expect_test::expect;

use sim_core::policy::{Kind, POLICIES};

use super::check;
use crate::support::{run, scenario};

#[test]
fn who_notifies_waits_until_it_has_the_lock_back() {
    // At 2 ms B hands the lock to A, which gives it back at 4.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..AAA.|
            cpu 1 |BB..BB|
            A     |==### |
            B     |##==##|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn it_is_first_in_line_whoever_is_more_urgent_or_came_before() {
    // C wants the lock from 1 ms on, and is more urgent: B has it back all the same.
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] }, { cpu = "1ms" }] },
            { name = "C", priority = 5, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..AABB|
            cpu 1 |BB...C|
            cpu 2 |......|
            A     |==##  |
            B     |##==##|
            C     | ====#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn the_processor_is_handed_on_too() {
    // C and D are ready before A is woken; E is more urgent than all.
    for policy in ["fifo", "priority"] {
        let (timeline, _) = crate::support::run(&crate::support::scenario(&format!(
            r#"
            scheduler = {{ policy = "{policy}" }}
            lock = [{{ name = "m" }}]
            condvar = [{{ name = "cv", rule = "hoare" }}]
            task = [
                {{ name = "A", program = [{{ with = "m", do = [{{ wait = "cv", with = "m" }}, {{ cpu = "2ms" }}] }}] }},
                {{ name = "B", program = [{{ with = "m", do = [{{ cpu = "2ms" }}, {{ notify = "cv" }}, {{ cpu = "1ms" }}] }}] }},
                {{ name = "C", program = [{{ cpu = "1ms" }}] }},
                {{ name = "D", program = [{{ cpu = "1ms" }}] }},
            ]
            "#
        )));
        let text = sim_cli::gantt::ascii(&timeline, 100);
        let row = text.lines().find(|line| line.starts_with("cpu 0")).expect("a processor");
        assert_eq!(row, "cpu 0 |BBAACDB|", "{policy}");
    }
}

/// Under every policy that goes by turns or urgency A, which is woken at 2 ms, comes before C and D, which have been ready since 0 and are
/// as urgent; with a queue for each processor, too.
#[test]
fn every_policy_that_goes_by_turns_or_urgency_hands_the_processor_on() {
    let scheduler = |kind: &Kind, queues: &str| {
        let parameters = match kind.name {
            "llf" => ", quantum = '10ms'",
            "mlfq" => ", levels = [{ quantum = '5ms', allotment = 1 }]",
            "feedback" => ", quanta = ['5ms']",
            "round-robin" => ", quantum = '5ms'",
            _ => "",
        };
        format!("{{ policy = '{}'{parameters}{queues} }}", kind.name)
    };
    let mut handed = Vec::new();
    for kind in POLICIES.iter().filter(|kind| !["lottery", "stride", "cfs", "eevdf", "linux"].contains(&kind.name)) {
        let text = |queues: &str| {
            format!(
                "scheduler = {}
                 lock = [{{ name = 'm' }}]
                 condvar = [{{ name = 'cv', rule = 'hoare' }}]
                 task = [
                    {{ name = 'A', period = '50ms', jobs = 1, program = [{{ with = 'm', do = [{{ wait = 'cv', with = 'm' }}, {{ cpu = '2ms' }}] }}] }},
                    {{ name = 'B', period = '50ms', jobs = 1, program = [{{ with = 'm', do = [{{ cpu = '2ms' }}, {{ notify = 'cv' }}] }}] }},
                    {{ name = 'C', period = '50ms', jobs = 1, program = [{{ cpu = '2ms' }}] }},
                    {{ name = 'D', period = '50ms', jobs = 1, program = [{{ cpu = '2ms' }}] }},
                 ]",
                scheduler(kind, queues)
            )
        };
        let finishes = |queues: &str| -> Vec<u64> {
            let (timeline, _) = run(&scenario(&text(queues)));
            timeline.tasks.iter().map(|life| life.finish.map_or(0, |at| at.ns() / 1_000_000)).collect()
        };
        let [shared, own] = ["", ", queues = 'per-processor'"].map(finishes);
        if shared[0] == 4 {
            assert_eq!(own, shared, "{}", kind.name);
            handed.push(kind.name);
        }
    }
    // By `hrrn` those who have waited for longer are more urgent.
    expect!["fifo round-robin sjf srtf priority feedback mlfq edf rate-monotonic deadline-monotonic llf"]
        .assert_eq(&handed.join(" "));
}

/// A waits at home, on processor 0, where C and D queue when B notifies it on processor 1: it is the first of them.
#[test]
fn who_waits_for_another_processor_comes_next_there() {
    for policy in ["fifo", "priority", "edf", "sjf", "llf"] {
        let quantum = if policy == "llf" { ", quantum = '10ms'" } else { "" };
        let (timeline, _) = run(&scenario(&format!(
            "machine = {{ processors = 2 }}
             scheduler = {{ policy = '{policy}'{quantum}, queues = 'per-processor', balance = 'none' }}
             lock = [{{ name = 'm' }}]
             condvar = [{{ name = 'cv', rule = 'hoare' }}]
             task = [
                {{ name = 'A', affinity = [0], program = [{{ with = 'm', do = [{{ wait = 'cv', with = 'm' }}, {{ cpu = '2ms' }}] }}] }},
                {{ name = 'B', affinity = [1], program = [{{ with = 'm', do = [{{ cpu = '2ms' }}, {{ notify = 'cv' }}] }}] }},
                {{ name = 'X', affinity = [0], program = [{{ cpu = '3ms' }}] }},
                {{ name = 'C', affinity = [0], arrival = '1ms', program = [{{ cpu = '3ms' }}] }},
                {{ name = 'D', affinity = [0], arrival = '1ms', program = [{{ cpu = '3ms' }}] }},
             ]"
        )));
        let finish = timeline.tasks.iter().map(|life| life.finish.map_or(0, |at| at.ns() / 1_000_000)).next();
        assert_eq!(finish, Some(5), "{policy}");
    }
}

#[test]
fn who_notifies_nobody_goes_on() {
    check(
        r#"
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [{ name = "A", program = [{ with = "m", do = [{ cpu = "1ms" }, { notify = "cv" }, { cpu = "1ms" }] }] }]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            completed at 2ms
        "#]],
    );
}

#[test]
fn those_who_notify_in_turn_get_it_back_in_reverse() {
    // C wakes B, which wakes A: the lock goes back to B, then to C.
    check(
        r#"
        machine = { processors = 3 }
        lock = [{ name = "m" }]
        condvar = [{ name = "one", rule = "hoare" }, { name = "two", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "two", with = "m" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ wait = "one", with = "m" }, { cpu = "1ms" }, { notify = "two" }, { cpu = "1ms" }] }] },
            { name = "C", program = [{ with = "m", do = [{ cpu = "1ms" }, { notify = "one" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.BABC|
            cpu 1 |.....|
            cpu 2 |C....|
            A     |==#  |
            B     |=#=# |
            C     |#===#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn an_event_loop_goes_on_with_whom_it_wakes() {
    check(
        r#"
        executor = "async"
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBAAB|
            A     |==## |
            B     |##==#|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

/// n notifies w at 1 ms, when two more are ready that have been for longer.
fn handed_over(executor: &str) -> Option<u64> {
    let (timeline, _) = run(&scenario(&format!(
        "lock = [{{ name = 'm' }}]
         condvar = [{{ name = 'cv', rule = 'hoare' }}]
         executor = {{ {executor} }}
         task = [
            {{ name = 'w', program = [{{ with = 'm', do = [{{ wait = 'cv', with = 'm' }}, {{ cpu = '1ms' }}] }}] }},
            {{ name = 'n', program = [{{ with = 'm', do = [{{ cpu = '1ms' }}, {{ notify = 'cv' }}, {{ cpu = '1ms' }}] }}] }},
            {{ name = 'o', count = 2, program = [{{ cpu = '4ms' }}] }},
         ]"
    )));
    timeline.tasks.iter().next().and_then(|life| life.finish).map(|at| at.ns() / 1_000_000)
}

#[test]
fn every_runtime_hands_its_thread_on() {
    for executor in [
        "kind = 'async'",
        "kind = 'async', global-interval = 1",
        "kind = 'async', event-interval = 'round'",
        "kind = 'async', policy = 'priority'",
        "kind = 'async', policy = 'priority', event-interval = 'round'",
        "kind = 'work-stealing', workers = 1",
        "kind = 'work-stealing', workers = 1, lifo-slot = false, global-interval = 1",
        "kind = 'work-stealing', workers = 1, queue = 'shared'",
        "kind = 'goroutines', workers = 1, global-interval = 1",
    ] {
        assert_eq!(handed_over(executor), Some(2), "{executor}");
    }
}

#[test]
fn whoever_is_woken_has_the_interpreter_lock_next() {
    for executor in ["kind = 'threads', gil = '5ms'", "kind = 'pool', workers = 4, gil = '5ms'"] {
        assert_eq!(handed_over(executor), Some(2), "{executor}");
        assert_eq!(handed_over(&format!("{executor}, gil-request = 'when-running'")), Some(2), "{executor}");
    }
}

/// w may not use the processor of n: it comes before the two that wait for its own, be the queue everybody's or not.
#[test]
fn who_may_not_use_the_processor_is_first_at_its_own() {
    for queues in ["", ", queues = 'per-processor'"] {
        let (timeline, _) = run(&scenario(&format!(
            "machine = {{ processors = 2 }}
             scheduler = {{ policy = 'fifo'{queues} }}
             lock = [{{ name = 'm' }}]
             condvar = [{{ name = 'cv', rule = 'hoare' }}]
             task = [
                {{ name = 'w', affinity = [0], program = [{{ with = 'm', do = [{{ wait = 'cv', with = 'm' }}, {{ cpu = '1ms' }}] }}] }},
                {{ name = 'n', affinity = [1], program = [{{ cpu = '1ms' }}, {{ with = 'm', do = [{{ notify = 'cv' }}] }}] }},
                {{ name = 'o', count = 2, affinity = [0], program = [{{ cpu = '4ms' }}] }},
             ]"
        )));
        let finish = timeline.tasks.iter().next().and_then(|life| life.finish).map(|at| at.ns() / 1_000_000);
        assert_eq!(finish, Some(5), "{queues}");
    }
}
