//! Pools beside an executor, and `on`: who waits for what they do, and the interpreter lock that all share.

use expect_test::expect;
use sim_core::causes::Causes;
use sim_core::engine::{End, simulate};
use sim_core::timeline::Timeline;

use super::check;
use crate::support::{run, scenario};

#[test]
fn a_loop_goes_on_while_its_pool_blocks() {
    // A's request blocks the thread of a pool from 1 ms on, and not that of the loop, on which B runs meanwhile.
    check(
        r#"
        machine = { processors = 2 }
        executor = "async"
        pools = { blocking = { kind = "pool", workers = 1 } }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { on = "blocking", do = [{ io = "disk", for = "4ms" }, { cpu = "1ms" }] }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBB.CA|
            cpu 1 |.......|
            A     |#=====#|
            B     |-###   |
            C     | ====# |
            A = main/A#0
            B = main/B#0
            C = main.blocking/A.blocking#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn who_finds_no_thread_of_the_pool_waits_for_one() {
    check(
        r#"
        machine = { processors = 2 }
        executor = "threads"
        pools = { p = { kind = "pool", workers = 1 } }
        task = [{ name = "A", count = 2, program = [{ on = "p", do = [{ cpu = "2ms" }] }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CCA.B|
            cpu 1 |..DD.|
            A     |==#  |
            B     |====#|
            C     |##   |
            D     |--## |
            A = main/A#0
            B = main/A#1
            C = main.p/A.p#0
            D = main.p/A.p#1
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_loop_and_its_pool_share_the_interpreter_lock() {
    // Two processors, and only one of both threads runs: the ideal lock changes hands every 5 ms. At 5 the pool waits since 0.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "async", gil = "5ms" }
        pools = { p = { kind = "pool", workers = 1 } }
        task = [
            { name = "A", program = [{ on = "p", do = [{ cpu = "8ms" }] }] },
            { name = "B", program = [{ cpu = "12ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBBBBCCCCCBBBBBCCCBB|
            cpu 1 |....................|
            A     |==================  |
            B     |#####-----#####---##|
            C     |-----#####-----###  |
            A = main/A#0
            B = main/B#0
            C = main.p/A.p#0
            completed at 20ms
        "#]],
    );
}

#[test]
fn who_blocks_in_a_pool_leaves_the_lock_to_the_loop() {
    // The tick of B is late for 10 ms where A blocks the loop, and not where a pool does it.
    for (pools, program) in [
        ("", r#"{ io = "wait", for = "10ms", blocking = true }"#),
        ("pools = { threads = \"pool\" }", r#"{ on = "threads", do = [{ io = "wait", for = "10ms" }] }"#),
    ] {
        let (timeline, ending) = run(&scenario(&format!(
            r#"
            runtime = "cpython"
            executor = "async"
            {pools}
            machine = {{ processors = 2 }}
            device = [{{ name = "wait", channels = "unlimited" }}]
            task = [
                {{ name = "B", program = [{{ sleep = "2ms" }}, {{ cpu = "1ms" }}] }},
                {{ name = "A", program = [{{ cpu = "1ms" }}, {program}, {{ cpu = "1ms" }}] }},
            ]
            "#
        )));
        assert_eq!(ending.end, End::Completed);
        let finishes: Vec<u64> =
            timeline.tasks.iter().map(|life| life.finish.expect("finished").ns() / 1_000).collect();
        let expected: &[u64] = if pools.is_empty() { &[13_000, 12_000] } else { &[3_000, 12_000, 11_000] };
        assert_eq!(finishes, expected, "{pools}");
    }
}

#[test]
fn the_lock_of_a_loop_with_a_pool_is_that_of_its_rules() {
    // By CPython's rules the thread of the pool is made first, and has the lock; the loop asks for it at 5 ms, and it is dropped at once.
    check(
        r#"
        machine = { processors = 2 }
        runtime = "cpython"
        executor = "async"
        pools = { p = "pool" }
        task = [
            { name = "A", program = [{ on = "p", do = [{ cpu = "8ms" }] }] },
            { name = "B", program = [{ cpu = "12ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CCCCCBBBBBCCCBBBBBBB|
            cpu 1 |....................|
            A     |-----========-------|
            B     |-----#####---#######|
            C     |#####-----###       |
            A = main/A#0
            B = main/B#0
            C = main.p/A.p#0
            completed at 20ms
        "#]],
    );
}

#[test]
fn threads_of_a_pool_are_made_when_none_is_idle() {
    // `thread-start` is paid for the first thread at 0, for the second at 9, when two are needed; at 5 the first one is idle.
    check(
        r#"
        machine = { processors = 2, thread-start = "1ms" }
        executor = "async"
        pools = { p = { kind = "pool", workers = 4 } }
        task = [
            { name = "A", program = [{ on = "p", do = [{ cpu = "2ms" }] }, { sleep = "2ms" }, { on = "p", do = [{ cpu = "2ms" }] }, { sleep = "2ms" }, { on = "p", do = [{ cpu = "2ms" }] }] },
            { name = "B", arrival = "9ms", program = [{ on = "p", do = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~CC..DD..~FF|
            cpu 1 |.........EE.|
            A     |============|
            B     |         == |
            C     |~##         |
            D     |     ##     |
            E     |         ## |
            F     |         ~##|
            A = main/A#0
            B = main/B#0
            C = main.p/A.p#0
            D = main.p/A.p.2#0
            E = main.p/B.p#0
            F = main.p/A.p.3#0
            completed at 12ms
        "#]],
    );
}

#[test]
fn a_pool_is_in_the_address_space_of_its_process() {
    // Between the loop and its pool a context switch of 1 ms is paid; to B, another process, 2 ms.
    check(
        r#"
        machine = { context-switch = "1ms", process-switch = "2ms" }
        executor = "async"
        pools = { p = { kind = "pool", workers = 1 } }
        task = [{ name = "A", program = [{ on = "p", do = [{ cpu = "1ms" }] }, { cpu = "1ms" }] }]
        process = [{ name = "other", task = [{ name = "B", program = [{ cpu = "1ms" }] }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~B~~C~A|
            A     |~======~#|
            B     |-~~#     |
            C     | ---~~#  |
            A = main/A#0
            B = other/B#0
            C = main.p/A.p#0
            completed at 9ms
        "#]],
    );
}

#[test]
fn what_is_drawn_does_not_depend_on_where_it_is_done() {
    let alone = |wrap: fn(&str) -> String| {
        let inner = wrap(
            r#"{ cpu = { exponential = "3ms" } }, { choose = [[0.5, [{ sleep = { uniform = ["1ms", "9ms"] } }]], [0.5, []]] }"#,
        );
        let (timeline, ending) = run(&scenario(&format!(
            r#"
            seed = 7
            executor = "async"
            pools = {{ p = {{ kind = "pool", workers = 2 }} }}
            task = [
                {{ name = "A", program = [{{ repeat = 20, do = [{{ cpu = {{ exponential = "1ms" }} }}, {inner}, {{ sleep = {{ exponential = "1ms" }} }}] }}] }},
                {{ name = "B", arrival = "10s", program = [{{ on = "p", do = [{{ cpu = {{ exponential = "1ms" }} }}] }}] }},
            ]
            "#
        )));
        assert_eq!(ending.end, End::Completed);
        let [a, b] = [0, 1].map(|task| timeline.tasks.iter().nth(task).and_then(|life| life.finish).expect("finished"));
        (a, b)
    };
    assert_eq!(alone(str::to_owned), alone(|inner| format!("{{ on = \"p\", do = [{inner}] }}")));
}

/// Tasks that go to two pools and back, in two copies of a process.
fn busy(executor: &str, scheduler: &str, machine: &str) -> String {
    format!(
        r#"
        machine = {{ {machine} }}
        scheduler = {{ policy = "{scheduler}" }}
        device = [{{ name = "disk" }}]
        lock = [{{ name = "m" }}]
        [[process]]
        name = "web"
        count = 2
        executor = {executor}
        pools = {{ blocking = {{ kind = "pool", workers = 2 }}, each = "threads" }}
        [[process.task]]
        name = "A"
        count = 4
        arrival = {{ gap = {{ exponential = "2ms" }} }}
        program = [{{ repeat = 3, do = [
            {{ cpu = {{ exponential = "1ms" }} }},
            {{ on = "blocking", do = [{{ io = "disk", for = {{ exponential = "1ms" }} }}, {{ with = "m", do = [{{ cpu = "200us" }}] }}] }},
            "yield",
            {{ on = "each", do = [{{ cpu = {{ exponential = "1ms" }} }}, {{ sleep = "100us" }}] }},
        ] }}]
        "#
    )
}

#[test]
fn pools_keep_the_laws_beside_any_executor() {
    let mut runs = 0;
    for executor in [
        "\"sequential\"",
        "\"threads\"",
        "\"async\"",
        "\"pool\"",
        "\"work-stealing\"",
        "{ kind = \"pool\", queue = \"stealing\" }",
        "{ kind = \"threads\", gil = \"1ms\" }",
        "{ kind = \"async\", gil = \"1ms\" }",
        "{ kind = \"async\", gil = \"1ms\", gil-request = \"when-running\", gil-asker = 0.5 }",
        "{ kind = \"pool\", gil = \"1ms\", next = \"at-once\" }",
        "{ kind = \"async\", rules = \"cpython-3.13\" }",
    ] {
        for scheduler in ["fifo", "priority", "linux", "eevdf"] {
            for machine in [
                "processors = 1",
                "processors = 3, context-switch = \"3us\", thread-start = \"50us\"",
                "processors = 2, wake = \"7us\", poll = \"1us\", operation = \"2us\"",
            ] {
                let scenario = scenario(&busy(executor, scheduler, machine));
                let mut timeline = Timeline::default();
                let ending = simulate(&scenario, &mut timeline);
                timeline
                    .check_simulated(&scenario)
                    .unwrap_or_else(|broken| panic!("{executor}, {scheduler}: {broken}"));
                assert!(Causes::of(&timeline).tasks.iter().flatten().all(|part| part.length.ns() > 0));
                assert_eq!(ending.end, End::Completed, "{executor}, {scheduler}, {machine}");
                let work = |process: &str| {
                    timeline
                        .tasks
                        .iter()
                        .filter(|life| {
                            let process_of = timeline.cast.specs[life.spec as usize].process as usize;
                            timeline.cast.processes[process_of].starts_with(process)
                        })
                        .count()
                };
                assert_eq!([work("web.blocking"), work("web.each"), work("web#")], [24, 24, 8]);
                runs += 1;
            }
        }
    }
    assert_eq!(runs, 132);
}

#[test]
fn who_waits_for_a_pool_that_never_ends_is_named() {
    check(
        r#"
        executor = "async"
        pools = { p = { kind = "pool", workers = 1 } }
        lock = [{ name = "m" }]
        task = [{ name = "A", program = [{ with = "m", do = [{ on = "p", do = [{ with = "m", do = [] }] }] }] }]
        "#,
        expect![[r#"
            1 column = 1ns
            cpu 0 ||
            A     ||
            B     ||
            A = main/A#0
            B = main.p/A.p#0
            deadlock at 0ns
            deadlock in a cycle: main/A waits since 0 ns for the `A.p` it spawned, main.p/A.p waits since 0 ns for lock `m`, held by main/A since 0 ns
        "#]],
    );
}

/// What a runtime of tokio has for what blocks is a part of it: the file need not say so again.
#[test]
fn the_pool_beside_a_runtime_of_tokio_goes_by_its_rules() {
    let limits = |executor: &str, pool: &str| {
        let scenario = scenario(&format!(
            r#"
            machine = {{ processors = 1 }}
            device = [{{ name = "disk", channels = "unlimited" }}]
            executor = {executor}
            pools = {{ blocking = {pool} }}
            task = [{{ name = "A", count = 3, program = [{{ on = "blocking", do = [{{ io = "disk", for = "4ms" }}] }}] }}]
            "#
        ));
        let executor = scenario.processes.iter().nth(1).expect("a pool").executor.clone();
        let (_, ending) = run(&scenario);
        (executor.workers, executor.limits.map(|limits| (limits.core, limits.queue)), ending.at.ns() / 4_000_000)
    };
    let tokio = r#"{ kind = "async", rules = "tokio-1.54" }"#;
    assert_eq!(limits(tokio, "\"pool\""), (512, Some((0, Some(0))), 1));
    assert_eq!(limits(tokio, r#"{ kind = "pool", maximum = 2 }"#), (2, Some((0, Some(0))), 2));
    // Who says how many workers there are, or whose rules, is taken at its word.
    assert_eq!(limits(tokio, r#"{ kind = "pool", workers = 1 }"#), (1, None, 3));
    assert_eq!(limits(tokio, r#"{ kind = "pool", rules = "jvm-17", workers = 1 }"#).0, 1);
    assert_eq!(limits("\"async\"", "\"pool\""), (1, None, 3));
}
