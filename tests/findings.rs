//! What a run shows that its reader should know of: each kind of finding in its exact words, and fair runs without any.

use expect_test::{Expect, expect};
use sim_core::engine::simulate;
use sim_core::metrics::Metrics;
use sim_core::outcome::Outcome;
use sim_core::timeline::{Timeline, TimelineHash};

use crate::support::scenario_with;

mod fairness;
mod quotas;
mod spinning;

/// The end of a run and its findings, with a timeline or without.
fn outcome(toml: &str, sets: &[(&str, &str)], record: bool) -> Outcome {
    let scenario = scenario_with(toml, sets);
    let mut both = ((Metrics::with_jobs(), TimelineHash::default()), Timeline::default());
    let ending = simulate(&scenario, &mut both);
    let outcome = Outcome::simulated(&scenario, &ending, &both.0.0, both.0.1);
    if record { outcome.with_findings(&scenario, &both.1) } else { outcome }
}

fn told(toml: &str, sets: &[(&str, &str)], record: bool) -> String {
    let outcome = outcome(toml, sets, record);
    let mut text = format!("{}\n", outcome.end);
    for finding in &outcome.findings {
        text += &format!("{} {}ns: {}\n", finding.kind, finding.duration_ns, finding.text);
    }
    text
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn check(toml: &str, expected: Expect) {
    expected.assert_eq(&told(toml, &[], true));
}

/// Lives until the horizon.
const OTHER: &str =
    r#"{ name = "other", program = [{ repeat = "forever", do = [{ cpu = "1ms" }, { sleep = "1ms" }] }] }"#;

fn beside_another(toml: &str) -> String {
    format!("until = \"200ms\"\n{}", toml.replace("OTHER", OTHER))
}

const CROSSED: &str = r#"
    lock = [{ name = "x" }, { name = "y" }]
    task = [
        { name = "a", program = [{ lock = "x" }, { sleep = "1ms" }, { lock = "y" }] },
        { name = "b", program = [{ lock = "y" }, { sleep = "2ms" }, { lock = "x" }] },
        OTHER,
    ]
"#;

#[test]
fn a_deadlock_of_some_is_found_while_others_live() {
    for executor in ["threads", "async", "processes"] {
        let toml = format!("executor = \"{executor}\"\n{}", beside_another(CROSSED));
        let words = "deadlock of 2 of 3 tasks: a waits since 1 ms for lock `y`, held by b since 0 ns, \
                     b waits since 2 ms for lock `x`, held by a since 0 ns";
        assert_eq!(told(&toml, &[], true), format!("horizon\ndeadlock 199000000ns: {words}\n"));
        assert_eq!(told(&toml, &[], false), told(&toml, &[], true), "the engine knows it without a timeline");
    }
}

#[test]
fn a_deadlock_beside_periodic_tasks() {
    let periodic = r#"{ name = "p", period = "10ms", program = [{ cpu = "1ms" }] }"#;
    let toml = format!("until = \"200ms\"\n{}", CROSSED.replace("OTHER", periodic));
    check(
        &toml,
        expect![[r#"
        horizon
        deadlock 199000000ns: deadlock of 2 of 3 tasks: a waits since 1 ms for lock `y`, held by b since 0 ns, b waits since 2 ms for lock `x`, held by a since 0 ns
    "#]],
    );
}

#[test]
fn a_lost_notification_while_others_live() {
    check(
        &beside_another(
            r#"
            lock = [{ name = "m" }]
            condvar = [{ name = "c" }]
            task = [
                { name = "w", arrival = "1ms", program = [{ with = "m", do = [{ wait = "c", with = "m" }] }] },
                { name = "n", program = [{ with = "m", do = [{ notify = "c" }] }] },
                OTHER,
            ]
            "#,
        ),
        expect![[r#"
            horizon
            deadlock 199000000ns: deadlock of 1 of 3 tasks: w waits since 1 ms at condvar `c` for a notification, and nobody is left to notify; a notification came before, at 0 ns, and was lost
        "#]],
    );
}

#[test]
fn who_can_still_be_woken_is_not_stuck() {
    // Each waits for somebody who lives, arrives later, or can still be spawned.
    let cases = [
        r#"semaphore = [{ name = "s", permits = 0 }]
           task = [{ name = "a", program = [{ acquire = "s" }] },
                   { name = "b", arrival = "1s", program = [{ release = "s" }] }, OTHER]"#,
        r#"channel = [{ name = "c", capacity = 1 }]
           task = [{ name = "a", program = [{ recv = "c" }] },
                   { name = "b", arrival = "spawned", program = [{ send = "c" }] },
                   { name = "d", program = [{ sleep = "1s" }, { spawn = "b" }] }]"#,
        r#"barrier = [{ name = "b", parties = 2 }]
           task = [{ name = "a", program = [{ barrier = "b" }] },
                   { name = "c", program = [{ sleep = "1s" }, { barrier = "b" }] }]"#,
        r#"lock = [{ name = "m" }]
           task = [{ name = "a", program = [{ with = "m", do = [{ sleep = "1s" }] }] },
                   { name = "b", count = 3, program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
                   { name = "c", after = ["b"], program = [{ cpu = "1ms" }] }]"#,
        r#"rwlock = [{ name = "m" }]
           task = [{ name = "a", program = [{ read = "m", do = [{ sleep = "1s" }] }] },
                   { name = "b", program = [{ write = "m", do = [{ cpu = "1ms" }] }] },
                   { name = "c", program = [{ read = "m", do = [{ cpu = "1ms" }] }] }]"#,
        r#"executor = { kind = "pool", workers = 2 }
           lock = [{ name = "m" }]
           task = [{ name = "a", program = [{ lock = "m" }, { cpu = "1ms" }, { lock = "m" }] },
                   { name = "b", program = [{ sleep = "1s" }] },
                   { name = "c", program = [{ cpu = "1ms" }] }]"#,
    ];
    let told: Vec<String> = cases.iter().map(|case| told(&beside_another(case), &[], true)).collect();
    expect![[r#"
        horizon
        horizon
        horizon
        horizon
        horizon
        horizon
        deadlock 199000000ns: deadlock of 1 of 3 tasks: a waits since 1 ms for lock `m`, held by itself since 0 ns
    "#]]
    .assert_eq(&told.concat());
}

#[test]
fn being_stuck_spreads() {
    // Over a join, the end of others, a worker of a pool and a barrier to which too few can come.
    check(
        &beside_another(
            r#"
            executor = { kind = "pool", workers = 2 }
            lock = [{ name = "m" }]
            barrier = [{ name = "b", parties = 4 }]
            task = [
                { name = "a", program = [{ lock = "m" }, { cpu = "1ms" }, { lock = "m" }] },
                { name = "p", program = [{ spawn = "c" }, { join = "c" }] },
                { name = "c", arrival = "spawned", program = [{ cpu = "1ms" }] },
                { name = "d", count = 2, after = ["a"], program = [{ cpu = "1ms" }] },
            ]
            process = [{ name = "far", executor = "threads", task = [
                { name = "e", count = 2, program = [{ barrier = "b" }] },
                { name = "f", program = [{ repeat = "forever", do = [{ sleep = "300ms" }, { barrier = "b" }] }] },
            ] }]
            "#,
        ),
        expect![[r#"
            horizon
            deadlock 200000000ns: deadlock of 7 of 8 tasks: main/a waits since 1 ms for lock `m`, held by itself since 0 ns; main/p waits since 1 ms for the `c` it spawned; main/d#0 and main/d#1 wait since 0 ns for the end of main/a; far/e#0 and far/e#1 wait since 1 ms at barrier `b`, to which 2 of 4 parties have come, and too few are left to come; main/c waits for a thread of its process, which main/a keeps
        "#]],
    );
}

#[test]
fn a_hundred_thousand_stuck_tasks_are_told_of_in_short() {
    let toml = r#"
        until = "1s"
        machine = { processors = 4 }
        lock = [{ name = "m" }]
        channel = [{ name = "c", capacity = 0 }]
        task = [
            { name = "holder", program = [{ lock = "m" }, { recv = "c" }] },
            { name = "w", count = 50000, program = [{ lock = "m" }] },
            { name = "r", count = 50000, program = [{ recv = "c" }] },
            { name = "other", program = [{ repeat = "forever", do = [{ cpu = "1ms" }, { sleep = "1ms" }] }] },
        ]
    "#;
    expect![[r#"
        horizon
        deadlock 1000000000ns: deadlock of 100001 of 100002 tasks: holder, r#0, r#1, r#2, r#3 and 49996 more wait since 0 ns to receive from channel `c`, which is empty, and nobody is left to send; w#0, w#1, w#2, w#3, w#4 and 49995 more wait since 0 ns for lock `m`, held by holder since 0 ns
    "#]].assert_eq(&told(toml, &[], false));
}

#[test]
fn a_task_that_never_runs_because_a_more_urgent_one_always_does() {
    let toml = r#"
        until = "10s"
        scheduler = { policy = "priority" }
        task = [
            { name = "hi", priority = 5, program = [{ repeat = "forever", do = [{ cpu = "5ms" }] }] },
            { name = "lo", priority = 1, program = [{ cpu = "1ms" }] },
        ]
    "#;
    check(
        toml,
        expect![[r#"
            horizon
            starvation 10000000000ns: starvation: strict priority kept lo, of priority 1, from running for 10 s, to the end of the run, while hi, of priority 5, ran
        "#]],
    );
    // Among equals nobody starves, and with a processor of its own neither.
    assert_eq!(told(toml, &[("scheduler.policy", "fifo")], true), "horizon\n");
    assert_eq!(told(toml, &[("task.lo.priority", "5")], true), "horizon\n");
    assert_eq!(told(toml, &[("machine.processors", "2")], true), "horizon\n");
}

#[test]
fn a_task_that_never_runs_because_jobs_more_urgent_fill_the_processor() {
    check(
        r#"
        until = "2s"
        scheduler = { policy = "priority" }
        task = [
            { name = "hog", priority = 5, period = "10ms", program = [{ cpu = "10ms" }] },
            { name = "lo", priority = 1, program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            horizon
            starvation 2000000000ns: starvation: strict priority kept lo, of priority 1, from running for 2 s, to the end of the run, while hog, of priority 5, ran
        "#]],
    );
}

const OVERTAKEN: &str = r#"
    until = "2s"
    scheduler = { policy = "priority" }
    task = [
        { name = "hog", priority = 5, count = 400, arrival = { every = "5ms" }, program = [{ cpu = "5ms" }] },
        { name = "lo", priority = 1, program = [{ cpu = "1ms" }, { cpu = "1ms" }] },
        { name = "low", count = 3, priority = 0, program = [{ cpu = "1ms" }] },
    ]
"#;

#[test]
fn a_task_that_waits_behind_all_who_come_later() {
    check(
        OVERTAKEN,
        expect![[r#"
            horizon
            starvation 2000000000ns: starvation: strict priority kept lo and low (3 instances), 4 tasks of priority 0 to 1, from running for up to 2 s, to the end of the run, while hog (399 instances), of priority 5, ran
        "#]],
    );
    // The sums tell who never ran.
    expect![[r#"
        horizon
        starvation 2000000000ns: starvation: lo and low (3 instances) were ready for up to 2 s without running, to the end of the run, while 399 tasks that came later finished
    "#]]
    .assert_eq(&told(OVERTAKEN, &[], false));
    for policy in ["fifo", "hrrn", "cfs"] {
        assert_eq!(told(OVERTAKEN, &[("scheduler.policy", policy)], true), "horizon\n", "{policy}");
    }
}

#[test]
fn a_task_that_has_run_can_starve_too() {
    let arrivals: Vec<String> = (0..400).map(|number| format!("\"{}ms\"", 1 + 5 * number)).collect();
    check(
        &format!(
            r#"
            until = "2s"
            scheduler = {{ policy = "priority" }}
            task = [
                {{ name = "hog", priority = 5, arrival = [{}], program = [{{ cpu = "5ms" }}] }},
                {{ name = "lo", priority = 1, program = [{{ cpu = "1ms" }}, {{ cpu = "1ms" }}] }},
            ]
            "#,
            arrivals.join(", ")
        ),
        expect![[r#"
            horizon
            starvation 1999000000ns: starvation: strict priority kept lo, of priority 1, from running for 1.999 s, to the end of the run, while hog (399 instances), of priority 5, ran
        "#]],
    );
}

#[test]
fn a_task_that_starves_for_a_while() {
    check(
        r#"
        scheduler = { policy = "srtf" }
        task = [
            { name = "short", count = 50, arrival = { every = "2ms" }, program = [{ cpu = "2ms" }] },
            { name = "long", program = [{ cpu = "50ms" }] },
        ]
        "#,
        expect![[r#"
            completed
            starvation 100000000ns: starvation: long was ready for 100 ms without running, from 0 ns to 100 ms, while short (49 instances) became ready later and ran 49 times
        "#]],
    );
}

#[test]
fn a_request_that_a_disk_never_comes_to() {
    let toml = r#"
        until = "2s"
        machine = { processors = 8 }
        device = [{ name = "d", discipline = "sstf" }]
        task = [
            { name = "w", arrival = "1ms", program = [{ io = "d", at = 500, for = "1ms" }] },
            { name = "r", count = 2000, arrival = { every = "1ms" }, program = [{ io = "d", at = 5, for = "2ms" }] },
        ]
    "#;
    check(
        toml,
        expect![[r#"
            horizon
            starvation 1999000000ns: starvation: w waited 1.999 s for device d, to the end of the run, while r (998 instances) asked later and came first 998 times
        "#]],
    );
    // The head stays on a track as long as there are requests for it: scan and its kin starve who is elsewhere, too.
    for (discipline, starves) in [("scan", true), ("c-look", true), ("fifo", false)] {
        let told = told(toml, &[("device.d.discipline", discipline)], true);
        assert_eq!(told.contains("starvation: w"), starves, "{discipline}: {told}");
    }
}

#[test]
fn half_of_the_run_is_long_and_less_is_not() {
    let toml = r#"
        until = "2s"
        machine = { processors = 8 }
        device = [{ name = "d", discipline = "sstf" }]
        task = [
            { name = "w", arrival = "1s", program = [{ io = "d", at = 500, for = "1ms" }] },
            { name = "r", count = 2000, arrival = { every = "1ms" }, program = [{ io = "d", at = 5, for = "1500us" }] },
        ]
    "#;
    check(
        toml,
        expect![[r#"
            horizon
            starvation 1000000000ns: starvation: w waited 1 s for device d, to the end of the run, while r (333 instances) asked later and came first 333 times
        "#]],
    );
    assert_eq!(told(toml, &[("task.w.arrival", "1000000001ns")], true), "horizon\n");
}

#[test]
fn a_holder_is_found_behind_any_number_of_others_who_came_and_went() {
    // Of all who read, only the first still does when somebody wants to write.
    let toml = r#"
        scheduler = { policy = "priority" }
        rwlock = [{ name = "t" }]
        task = [
            { name = "first", priority = 1, program = [{ read = "t", do = [{ cpu = "10ms" }] }] },
            { name = "reader", priority = 5, count = 200, arrival = { every = "20us" }, program = [
                { read = "t", do = [{ cpu = "10us" }] },
            ] },
            { name = "writer", priority = 9, arrival = "5ms", program = [{ write = "t", do = [{ cpu = "1ms" }] }] },
            { name = "other", priority = 4, arrival = "5ms", program = [{ cpu = "20ms" }] },
        ]
    "#;
    let told = told(toml, &[], true);
    let words = "priority-inversion 20000000ns: priority inversion: writer waited for rwlock t, which first was to give \
                 back; other, less urgent than writer, ran instead of first, for 20 ms in total";
    assert!(told.contains(words), "{told}");
}

#[test]
fn a_writer_that_readers_never_let_in() {
    check(
        r#"
        until = "200ms"
        machine = { processors = 8 }
        rwlock = [{ name = "t", prefer = "readers" }]
        task = [
            { name = "r", count = 2, arrival = ["0ms", "3ms"], program = [
                { repeat = "forever", do = [{ read = "t", do = [{ cpu = "6ms" }] }, { cpu = "1us" }] },
            ] },
            { name = "w", arrival = "1ms", program = [{ write = "t", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            horizon
            starvation 199000000ns: starvation: w waited 199 ms for rwlock t, to the end of the run, while r (2 instances) came later and had it 66 times
        "#]],
    );
}

#[test]
fn fair_runs_have_no_findings() {
    // More than the processors can do, cut at the horizon, under policies and disciplines that pass nobody over.
    let toml = r#"
        until = "1s"
        machine = { processors = 2, context-switch = "2us" }
        device = [{ name = "disk" }]
        task = [
            { name = "batch", count = 20, program = [{ repeat = "forever", do = [{ cpu = "30ms" }] }] },
            { name = "page", count = 300, arrival = { gap = { exponential = "3ms" } }, program = [
                { cpu = { exponential = "2ms" } }, { io = "disk", for = "5ms" }, { cpu = "1ms" },
            ] },
        ]
    "#;
    for policy in ["fifo", "round-robin", "cfs", "stride", "lottery"] {
        let quantum = ("scheduler.quantum", "4ms");
        let sets = [("scheduler.policy", policy), quantum];
        let sets = if ["fifo", "cfs"].contains(&policy) { &sets[..1] } else { &sets[..] };
        assert_eq!(told(toml, sets, true), "horizon\n", "{policy}");
    }
}

#[test]
fn a_deadlock_makes_the_exit_code() {
    let file = crate::support::temporary("stuck", &beside_another(CROSSED));
    let code = |arguments: &[&str]| {
        let all: Vec<&str> = ["run", file.to_str().expect("text")].iter().chain(arguments).copied().collect();
        crate::support::sim(&all).status.code()
    };
    assert_eq!((code(&[]), code(&["--quiet"]), code(&["--json"])), (Some(1), Some(1), Some(1)));
}

#[test]
fn whose_job_is_due_after_the_end_does_not_starve() {
    let toml = r#"
        until = "20ms"
        scheduler = { policy = "edf" }
        task = [
            { name = "a", period = "25ms", program = [{ cpu = "22ms" }] },
            { name = "b", period = "80ms", deadline = "40ms", program = [{ cpu = "1ms" }] },
        ]
    "#;
    for policy in ["edf", "rate-monotonic", "deadline-monotonic", "llf"] {
        assert_eq!(told(toml, &[("scheduler.policy", policy)], true), "horizon\n", "{policy}");
    }
    // It has missed its deadline when the run ends.
    let late = told(toml, &[("task.a.deadline", "10ms"), ("task.b.deadline", "15ms")], true);
    expect![[r#"
        horizon
        starvation 20000000ns: starvation: more urgent work kept b from running for 20 ms, to the end of the run, while a ran
    "#]]
    .assert_eq(&late);
}

#[test]
fn a_convoy_names_first_who_took_the_lock_most_often() {
    let toml = r#"
        until = "1s"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        lock = [{ name = "m" }]
        task = [
            { name = "seldom", program = [{ repeat = "forever", do = [{ with = "m", do = [{ cpu = "1ms" }] }, { sleep = "90ms" }] }] },
            { name = "often", count = 4, program = [{ repeat = "forever", do = [{ with = "m", do = [{ cpu = "1ms" }, { sleep = "1ms" }] }] }] },
        ]
    "#;
    let told = told(toml, &[], true);
    assert!(told.contains("; often (4 instances) and seldom took it"), "{told}");
}

/// Threads under an interpreter lock, on two processors: one that does this, and four that come back often with so much to compute.
fn under_a_lock(executor: &str, one: &str, burst: &str) -> String {
    format!(
        r#"
        machine = {{ processors = 2 }}
        scheduler = {{ policy = "round-robin", quantum = "4ms" }}
        device = [{{ name = "network", channels = "unlimited" }}]
        executor = {executor}
        task = [
            {{ name = "hog", program = [{one}] }},
            {{ name = "handler", count = 4, program = [
                {{ repeat = 5, do = [{{ io = "network", for = "7ms" }}, {{ cpu = "{burst}" }}] }},
            ] }},
        ]"#
    )
}

#[test]
fn who_hardly_computes_waits_for_the_interpreter_lock_again_and_again() {
    let (threads, hog) = (r#"{ kind = "threads", gil = "5ms" }"#, r#"{ cpu = "500ms" }"#);
    check(
        &under_a_lock(threads, hog, "200us"),
        expect![[r#"
        completed
        interpreter-convoy 101200000ns: convoy at the interpreter lock: handler (4 instances) came back 20 times with less to compute than a switch interval (5 ms), and waited 5.06 ms on average behind who had the lock for longer, mostly hog
    "#]],
    );
    let pool = r#"{ kind = "pool", workers = 5, gil = "5ms" }"#;
    assert!(told(&under_a_lock(pool, hog, "200us"), &[], true).contains("interpreter-convoy"));
    // Who computes for longer takes turns; where nobody does, all wait for each other; and without the lock nobody waits.
    for (executor, one, burst) in [
        (threads, hog, "5ms"),
        (threads, "{ repeat = 50, do = [{ cpu = '4ms' }, { io = 'network', for = '1us' }] }", "1ms"),
        (threads, r#"{ cpu = "20ms" }"#, "200us"),
        (r#""threads""#, hog, "200us"),
        (r#"{ kind = "async", gil = "5ms" }"#, hog, "200us"),
    ] {
        assert_eq!(told(&under_a_lock(executor, one, burst), &[], true), "completed\n", "{executor} {one} {burst}");
    }
}
