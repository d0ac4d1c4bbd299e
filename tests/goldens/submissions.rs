//! How tasks come to the threads of Python's pools: who is woken for them, and who has to have the interpreter lock for that.

use expect_test::expect;

use super::check;
use crate::support::{run, scenario};
use sim_core::engine::{End, simulate};
use sim_core::timeline::Timeline;

/// In how many pieces the only task, which computes for 12 ms, does so.
fn pieces(rules: &str) -> usize {
    let scenario = scenario(&format!(
        r#"
        machine = {{ processors = 2 }}
        executor = {{ kind = "pool", workers = 3, rules = "{rules}" }}
        task = [{{ name = "A", program = [{{ cpu = "12ms" }}] }}]
        "#
    ));
    // To look takes no time here, so nothing lies between the pieces.
    let mut timeline = Timeline::default();
    simulate(&scenario, &mut timeline);
    assert!(timeline.check_simulated(&scenario).is_ok());
    timeline.intervals.iter().count()
}

/// Whoever was let in has taken the task, and lets the next one in: that one wants the interpreter lock to look for another, asks for
/// it after 5 ms, and finds nothing.
#[test]
fn up_to_3_12_each_task_makes_an_idle_worker_ask_for_the_lock_in_vain() {
    assert_eq!(["cpython-3.11", "cpython-3.12", "cpython-3.13", "cpython-3.14"].map(pieces), [2, 2, 1, 1]);
}

/// Two tasks for three workers, and what becomes of them if they are submitted by somebody who needs a millisecond for each.
fn submitted(rules: &str, expected: expect_test::Expect) {
    check(
        &format!(
            r#"
            machine = {{ processors = 2, submit = "1ms" }}
            executor = {{ kind = "pool", workers = 2, rules = "{rules}" }}
            task = [
                {{ name = "A", program = [{{ cpu = "15ms" }}] }},
                {{ name = "B", arrival = "1ms", program = [{{ cpu = "2ms" }}] }},
            ]
            "#
        ),
        expected,
    );
}

/// Who submits B wants the lock from 1 ms on and asks for it at 6 ms; from 6.25 ms on the worker to which B is handed waits in its turn,
/// behind A; at 11.25 ms the lock has changed hands since it began to, so it would ask at 16.25 ms.
#[test]
fn who_submits_a_task_waits_for_the_interpreter_lock() {
    submitted(
        "cpython-3.13",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAAAAA.AAAAAAAAABB|
        cpu 1 |..................|
        A     |######-#########  |
        B     | ---------------##|
        A = main/A#0
        B = main/B#0
        completed at 18ms
    "#]],
    );
}

/// The second worker asks at 5 ms, in vain, and is let in again when B is in the queue.
#[test]
fn who_submits_a_task_lets_an_idle_worker_in() {
    submitted(
        "cpython-3.11",
        expect![[r#"
            1 column = 250us
            cpu 0 |AAAAAAAAAAAAAAAAAAAA....AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABBBBBBBBAAA|
            cpu 1 |........................................................................|
            A     |####################----#####################################--------###|
            B     |    ---------------------------------------------------------########   |
            A = main/A#0
            B = main/B#0
            completed at 18ms
        "#]],
    );
}

/// Whether tasks come at 0 or later, by themselves or because others spawn them, all of them end.
#[test]
fn all_that_is_submitted_runs() {
    for rules in ["cpython-3.11", "cpython-3.13"] {
        for arrival in
            ["\"2ms\"", "[\"0ms\", \"1ms\", \"1ms\"]", "{ every = \"700us\" }", "{ gap = { exponential = \"1ms\" } }"]
        {
            let text = format!(
                r#"
                machine = {{ processors = 2, submit = "300us" }}
                [[process]]
                name = "p"
                count = 2
                runtime = "cpython"
                executor = {{ kind = "pool", workers = 2, rules = "{rules}" }}
                task = [
                    {{ name = "A", count = 3, arrival = {arrival}, program = [{{ cpu = "1ms" }}, {{ spawn = "C" }}, {{ sleep = "1ms" }}] }},
                    {{ name = "B", count = 2, after = ["A"], program = [{{ cpu = "1ms" }}] }},
                    {{ name = "C", arrival = "spawned", program = [{{ cpu = "1ms" }}] }},
                ]
                "#
            );
            assert_eq!(run(&scenario(&text)).1.end, End::Completed, "{rules}, {arrival}");
        }
    }
}

/// What is left of a submission when the last task has ended is no part of the run.
#[test]
fn a_run_is_over_with_its_last_task() {
    check(
        r#"
        machine = { processors = 2, submit = "8ms" }
        executor = { kind = "pool", workers = 2, rules = "cpython-3.13" }
        task = [{ name = "A", arrival = ["0ms", "1ms"], program = [] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |........|
            cpu 1 |........|
            A     |        |
            B     | -------|
            A = main/A#0
            B = main/A#1
            completed at 8ms
        "#]],
    );
}
