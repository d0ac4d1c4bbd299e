//! How runs end: the horizon, deadlock, livelock.

use expect_test::expect;
use sim_core::engine::simulate;
use sim_core::timeline::{Fate, Timeline};

use super::check;
use crate::support::scenario;

#[test]
fn what_ends_exactly_at_the_horizon_has_ended() {
    check(
        r#"
        until = "3ms"
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABB|
            A     |#==|
            B     |-##|
            A = main/A#0
            B = main/B#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn nothing_starts_at_the_horizon() {
    // B does not run, C does not arrive.
    check(
        r#"
        until = "2ms"
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |A|
            A     |#|
            B     |-|
            C     | |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            horizon at 2ms
        "#]],
    );
}

#[test]
fn the_horizon_cuts_what_goes_on() {
    check(
        r#"
        until = "4ms"
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ repeat = "forever", do = [{ cpu = "1ms" }, { sleep = "1ms" }] }] },
            { name = "B", program = [{ cpu = "1ms" }, { io = "disk", for = "9ms" }] },
            { name = "C", program = [{ cpu = "9ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCC|
            A     |#=--|
            B     |-#==|
            C     |--##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            horizon at 4ms
        "#]],
    );
}

#[test]
fn without_work_left_the_run_ends_before_the_horizon() {
    check(
        r#"until = "9ms"
        task = [{ name = "A", program = [{ cpu = "2ms" }] }]"#,
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
fn two_locks_in_opposite_order() {
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        lock = [{ name = "left" }, { name = "right" }]
        task = [
            { name = "A", program = [{ lock = "left" }, { cpu = "2ms" }, { lock = "right" }, { unlock = "right" }, { unlock = "left" }] },
            { name = "B", program = [{ lock = "right" }, { cpu = "2ms" }, { lock = "left" }, { unlock = "left" }, { unlock = "right" }] },
            { name = "C", program = [{ cpu = "1ms" }, { with = "left", do = [] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCAB|
            A     |#--#=|
            B     |-#--#|
            C     |--#==|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            deadlock at 5ms
            deadlock in a cycle: A waits since 4 ms for lock `right`, held by B since 1 ms, B waits since 5 ms for lock `left`, held by A since 0 ns; C waits since 3 ms for lock `left`, held by A since 0 ns
        "#]],
    );
}

#[test]
fn a_lock_taken_twice() {
    check(
        r#"
        lock = [{ name = "m" }]
        task = [{ name = "A", program = [{ lock = "m" }, { cpu = "1ms" }, { lock = "m" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            deadlock at 1ms
            deadlock in a cycle: A waits since 1 ms for lock `m`, held by itself since 0 ns
        "#]],
    );
}

#[test]
fn a_lock_never_given_back() {
    check(
        r#"
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ lock = "m" }, { cpu = "1ms" }] },
            { name = "B", program = [{ lock = "m" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            A     |#|
            B     |-|
            A = main/A#0
            B = main/B#0
            deadlock at 1ms
            deadlock without a cycle: B waits since 1 ms for lock `m`, held by A since 0 ns, which ended holding it
        "#]],
    );
}

#[test]
fn a_pool_whose_only_worker_waits_for_a_task_it_should_run() {
    check(
        r#"
        executor = { kind = "pool", workers = 1 }
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "B" }, { join = "B" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            A     |#|
            B     | |
            A = main/A#0
            B = main/B#0
            deadlock at 1ms
            deadlock in a cycle: A waits since 1 ms for the `B` it spawned, B waits for a thread of its process, which A keeps
        "#]],
    );
}

#[test]
fn a_sequential_process_whose_task_waits_for_a_later_one() {
    // A holds the thread while it waits for the lock; B, which would release it, needs the thread.
    check(
        r#"
        machine = { processors = 2 }
        executor = "sequential"
        lock = [{ name = "m" }]
        process = [{ name = "other", task = [{ name = "C", program = [{ lock = "m" }, { cpu = "1ms" }, { spawn = "B" }, { join = "B" }, { unlock = "m" }] }] }]
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { with = "m", do = [] }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA|
            cpu 1 |B.|
            A     |##|
            B     |#=|
            C     | -|
            A = main/A#0
            B = other/C#0
            C = main/B#0
            deadlock at 2ms
            deadlock in a cycle: main/A waits since 2 ms for lock `m`, held by other/C since 0 ns, other/C waits since 1 ms for the `B` it spawned, main/B waits for a thread of its process, which main/A keeps
        "#]],
    );
}

#[test]
fn yielding_for_ever_without_using_time() {
    check(
        r#"
        until = "5ms"
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { repeat = "forever", do = ["yield"] }] },
            { name = "B", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB|
            A     |#-|
            B     |-#|
            A = main/A#0
            B = main/B#0
            livelock at 2ms
            livelock: more than a million operations at 2 ms without any time passing; A (yield) would go on like that for ever
        "#]],
    );
}

#[test]
fn two_who_go_on_for_ever_are_told_apart() {
    check(
        r#"
        until = "5ms"
        device = [{ name = "d" }]
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ repeat = "forever", do = [{ with = "m", do = ["yield"] }] }] },
            { name = "B", program = [{ repeat = "forever", do = [{ io = "d", for = "0ns" }, { sleep = "0ns" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ns
            cpu 0 ||
            A     ||
            B     ||
            A = main/A#0
            B = main/B#0
            livelock at 0ns
            livelock: more than a million operations at 0 ns without any time passing; A (lock, unlock, yield) would go on like that for ever
        "#]],
    );
}

#[test]
fn work_of_no_length_for_ever() {
    // However often that is, wherever the length comes from, and whatever comes before or after.
    for body in [r#"{ cpu = "0ns" }"#, r#"{ cpu = { constant = "0ns" } }"#, r#"{ cpu = { choice = [[1, "0ns"]] } }"#] {
        for times in ["\"forever\"", "1000000000"] {
            for before in ["", r#"{ sleep = "1ms" }, "#, r#"{ cpu = "1ms" }, "#] {
                let repeat = format!("{{ repeat = {times}, do = [{body}, {{ repeat = 2, do = [{body}] }}] }}");
                let program = format!("[{before}{repeat}]");
                let toml = format!("until = \"5ms\"\ntask = [{{ name = \"A\", program = {program} }}]");
                let (_, ending) = crate::support::run(&scenario(&toml));
                let words = ending.explanation.unwrap_or_default();
                assert_eq!(ending.end, sim_core::engine::End::Livelock, "{toml}");
                assert!(words.ends_with("A (cpu work of no length) would go on like that for ever"), "{words}: {toml}");
            }
        }
    }
}

#[test]
fn an_empty_loop_for_ever() {
    check(
        r#"
        until = "5ms"
        task = [{ name = "A", program = [{ cpu = "1ms" }, { repeat = "forever", do = [] }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            livelock at 1ms
            livelock: more than a million operations at 1 ms without any time passing; A (an empty loop) would go on like that for ever
        "#]],
    );
}

#[test]
fn time_itself_ends() {
    // B would begin when time ends: that is a horizon, not a deadlock.
    check(
        r#"
        task = [{ name = "A", count = 2, program = [{ cpu = "9223372036854775807ns" }] }]
        "#,
        expect![[r#"
            1 column = 9223372036.854775807s
            cpu 0 |A|
            A     |#|
            B     |-|
            A = main/A#0
            B = main/A#1
            horizon at 9223372036.854775807s
            simulated time ends after 2^63 ns, about 292 years
        "#]],
    );
}

#[test]
fn a_time_that_is_up_at_the_horizon_is_up() {
    let text = |until: u64| {
        format!(
            r#"
            until = "{until}ms"
            semaphore = [{{ name = "s", permits = 0 }}]
            task = [
                {{ name = "A", program = [{{ acquire = "s", within = "2ms", else = ["end"] }}] }},
                {{ name = "B", program = [{{ sleep = "9ms" }}] }},
            ]
            "#
        )
    };
    let ends = |until| {
        let scenario = scenario(&text(until));
        let mut timeline = Timeline::default();
        simulate(&scenario, &mut timeline);
        timeline.tasks.iter().map(|life| life.ended_as()).collect::<Vec<_>>()
    };
    assert_eq!(ends(2), [Some(Fate::Ended), None]);
    assert_eq!(ends(3), [Some(Fate::Ended), None]);
    assert_eq!(ends(1), [None, None]);
}
