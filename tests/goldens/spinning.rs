//! Locks for which tasks spin before they block.

use expect_test::expect;
use sim_core::engine::End;

use super::check;
use crate::support::{run, scenario};

#[test]
fn a_lock_handed_over_to_one_who_spins() {
    // B spins for 1 ms and has the lock: it has never left its processor.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "2ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAC|
            cpu 1 |.BBB|
            A     |### |
            B     | ###|
            C     | --#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn who_has_spun_for_long_enough_blocks() {
    // B spins from 1 ms to 3 ms; then C has its processor.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "2ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "5ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAB|
            cpu 1 |.BBC..|
            A     |##### |
            B     | ##==#|
            C     | --#  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn who_spins_can_lose_its_processor_and_has_the_lock_when_it_is_back() {
    // B spins at 1 ms and at 3 ms, on the only processor, in vain; at 5 ms A hands the lock over to B, which is ready.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        lock = [{ name = "m", spin = "9ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABABABA|
            A     |#-#-#-#|
            B     |-#-#-# |
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn a_task_of_a_loop_that_spins_keeps_the_loop() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "1ms" }]
        process = [
            { name = "p", task = [{ name = "A", program = [{ with = "m", do = [{ cpu = "4ms" }] }] }] },
            { name = "loop", executor = "async", task = [
                { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
                { name = "C", program = [{ cpu = "2ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAB|
            cpu 1 |BCC..|
            A     |#### |
            B     |#===#|
            C     |-##  |
            A = p/A#0
            B = loop/B#0
            C = loop/C#0
            completed at 5ms
        "#]],
    );
}

/// H comes at 1 ms, and wants the lock that L has.
const URGENT_SPINNER: &str = r#"
    scheduler = { policy = "priority" }
    lock = [{ name = "m", spin = "forever" }]
    task = [
        { name = "L", priority = 1, program = [{ with = "m", do = [{ cpu = "3ms" }] }] },
        { name = "H", priority = 2, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
    ]
"#;

#[test]
fn who_spins_for_ever_has_the_lock_as_soon_as_it_is_free() {
    check(
        &format!("machine = {{ processors = 2 }}\n{URGENT_SPINNER}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAA.|
        cpu 1 |.BBB|
        A     |### |
        B     | ###|
        A = main/L#0
        B = main/H#0
        completed at 4ms
    "#]],
    );
}

#[test]
fn who_keeps_the_holder_from_running_spins_in_vain() {
    check(
        URGENT_SPINNER,
        expect![[r#"
        1 column = 1ms
        cpu 0 |A|
        A     |#|
        B     | |
        A = main/L#0
        B = main/H#0
        livelock at 1ms
        livelock: nobody runs any more but those who spin, and they do so for ever: H spins since 1 ms for lock `m`, held by L, which is ready and gets no processor
    "#]],
    );
}

#[test]
fn in_turns_the_holder_runs_after_all() {
    let text = URGENT_SPINNER.replace(r#""priority""#, r#""round-robin", quantum = "1ms""#);
    check(
        &text,
        expect![[r#"
        1 column = 1ms
        cpu 0 |ABABAB|
        A     |#-#-# |
        B     | #-#-#|
        A = main/L#0
        B = main/H#0
        completed at 6ms
    "#]],
    );
}

#[test]
fn those_who_spin_for_each_other_in_turns_do_so_for_ever() {
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        lock = [{ name = "x", spin = "forever" }, { name = "y", spin = "forever" }]
        task = [
            { name = "A", program = [{ lock = "x" }, { cpu = "1.5ms" }, { lock = "y" }, { unlock = "y" }, { unlock = "x" }] },
            { name = "B", program = [{ lock = "y" }, { cpu = "1.5ms" }, { lock = "x" }, { unlock = "x" }, { unlock = "y" }] },
        ]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |AABBAAB|
            A     |##--##-|
            B     |--##--#|
            A = main/A#0
            B = main/B#0
            livelock at 3.5ms
            livelock: nobody runs any more but those who spin, and they do so for ever: A spins since 2.5 ms for lock `y`, held by B, which spins itself; B spins since 3.5 ms for lock `x`, held by A, which spins itself
        "#]],
    );
}

#[test]
fn who_stands_still_for_a_quota_in_between_spins_in_vain_all_the_same() {
    for limit in [
        "group = [{ name = 'g', quota = '2ms', period = '5ms' }]",
        "group = [{ name = 'g', quota = '2ms', slice = '1ms' }]",
    ] {
        let scenario = scenario(&format!("{limit}\n{URGENT_SPINNER}"));
        let ending = run(&scenario).1;
        assert_eq!(ending.end, End::Livelock, "{limit}");
        let explanation = ending.explanation.unwrap_or_default();
        assert!(explanation.contains("H spins since 1 ms for lock `m`, held by L"), "{explanation}");
    }
}

/// Who holds the lock never runs: it ends at once although queues are balanced for ever, or a budget is replenished for ever.
#[test]
fn what_comes_again_and_again_does_not_keep_a_livelock_from_being_seen() {
    let queues = r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", balance = { every = "3ms" } }
        lock = [{ name = "m", spin = "forever" }]
        task = [
            { name = "l", program = [{ lock = "m" }, { cpu = "5ms" }, { unlock = "m" }] },
            { name = "h", priority = 5, count = 2, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
    "#;
    let budget = r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", spin = "forever" }]
        server = [{ name = "S", kind = "deferrable", budget = "10ms", period = "10ms", priority = 5 }]
        task = [
            { name = "l", program = [{ lock = "m" }, { cpu = "5ms" }, { unlock = "m" }] },
            { name = "h", server = "S", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
    "#;
    for toml in [queues, budget] {
        let (_, ending) = run(&scenario(toml));
        assert_eq!(ending.end.name(), "livelock");
        assert!(ending.at.ns() < 1_000_000_000, "{}", ending.at);
        let why = ending.explanation.expect("why");
        assert!(why.contains("held by l, which is ready and gets no processor"), "{why}");
    }
}

#[test]
fn a_task_of_a_loop_that_is_spun_for_gets_no_thread() {
    check(
        r#"
        executor = "async"
        lock = [{ name = "m", spin = "forever" }]
        task = [
            { name = "A", program = [{ lock = "m" }, { cpu = "1ms" }, { sleep = "1ms" }, { unlock = "m" }] },
            { name = "B", program = [{ cpu = "2ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABB|
            A     |#=-|
            B     |-##|
            A = main/A#0
            B = main/B#0
            livelock at 3ms
            livelock: nobody runs any more but those who spin, and they do so for ever: B spins since 3 ms for lock `m`, held by A, which is ready and gets no thread of its process: who spins keeps it
        "#]],
    );
}

#[test]
fn who_spins_for_ever_has_it_when_somebody_gives_up_or_is_aborted() {
    // The spinner, the holder, or the job of one of them: whose time is up lets the others go on.
    for (tasks, finish) in [
        (
            r#"
            { name = "a", program = [{ lock = "m" }, { acquire = "s" }, { unlock = "m" }] },
            { name = "b", arrival = "1ms", program = [{ with = "m", within = "5ms", do = [], else = [{ release = "s" }] }] },
            "#,
            6,
        ),
        (
            r#"
            { name = "a", program = [{ lock = "m" }, { acquire = "s", within = "10ms" }, { unlock = "m" }] },
            { name = "b", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            "#,
            11,
        ),
        (
            r#"
            { name = "a", period = "20ms", deadline = "8ms", jobs = 1, on-miss = "abort", program = [{ lock = "m" }, { acquire = "s" }, { unlock = "m" }] },
            { name = "b", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            "#,
            9,
        ),
    ] {
        let toml = format!(
            "machine = {{ processors = 2 }}\nscheduler = {{ policy = \"priority\" }}\n\
             lock = [{{ name = \"m\", spin = \"forever\" }}]\nsemaphore = [{{ name = \"s\", permits = 0 }}]\ntask = [{tasks}]"
        );
        let (timeline, ending) = run(&scenario(&toml));
        assert_eq!(ending.end, End::Completed, "{tasks}");
        assert_eq!(timeline.extent().ns(), finish * 1_000_000, "{tasks}");
    }
}
