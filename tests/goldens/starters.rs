//! Who starts the processes of Python: a thread that is none of the tasks, whose time is theirs.

use expect_test::expect;

use super::check;
use crate::support::{run, scenario};
use sim_cli::gantt;

/// Who starts processes is a thread among the others: it sleeps until somebody comes, and competes for the only processor.
#[test]
fn who_starts_processes_of_python_needs_a_processor_for_that() {
    check(
        r#"
        machine = { fork = { parent = "1ms", child = "1ms" } }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        [[process]]
        name = "other"
        executor = "threads"
        task = [{ name = "X", program = [{ cpu = "6ms" }] }]
        [[process]]
        name = "p"
        runtime = "cpython"
        executor = "processes"
        task = [
            { name = "B", arrival = "7ms", program = [{ cpu = "1ms" }] },
            { name = "A", arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA~AA~CAA~C~B|
            A     |##-##--##    |
            B     |       --~-~#|
            C     | -~--~#---#  |
            A = other/X#0
            B = p/B#0
            C = p/A#0
            completed at 13ms
        "#]],
    );
}

#[test]
fn who_starts_a_process_of_python_pays_for_it_before_it_goes_on() {
    check(
        r#"
        machine = { processors = 2, fork = { parent = "1ms", child = "2ms" } }
        [[process]]
        name = "p"
        runtime = "cpython"
        executor = "processes"
        task = [
            { name = "A", program = [{ spawn = "B" }, { cpu = "1ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~~A..|
            cpu 1 |....~~B|
            A     |~~~~#  |
            B     |    ~~#|
            A = p/A#0
            B = p/B#0
            completed at 7ms
        "#]],
    );
}

/// Under a policy that goes by periods or deadlines it is as urgent as the most urgent of those that wait to be started: it starts
/// A before X runs, and B after that.
#[test]
fn who_starts_processes_has_their_deadlines() {
    for policy in ["edf", "rate-monotonic", "deadline-monotonic", "llf"] {
        let text = format!(
            r#"
            machine = {{ fork = {{ parent = "1ms", child = "1ms" }} }}
            scheduler = {{ policy = "{policy}" }}
            [[process]]
            name = "other"
            executor = "threads"
            task = [{{ name = "X", period = "24ms", jobs = 1, program = [{{ cpu = "6ms" }}] }}]
            [[process]]
            name = "p"
            runtime = "cpython"
            executor = "processes"
            task = [
                {{ name = "A", period = "15ms", jobs = 1, program = [{{ cpu = "2ms" }}] }},
                {{ name = "B", period = "30ms", jobs = 1, program = [{{ cpu = "1ms" }}] }},
            ]
            "#
        );
        let (timeline, _) = run(&scenario(&text));
        let drawn = gantt::ascii(&timeline, 100);
        let processor = drawn.lines().find(|line| line.starts_with("cpu 0"));
        assert_eq!(processor, Some("cpu 0 |~~BBAAAAAA~~C|"), "{policy}");
    }
}

/// Those who are none of the tasks are not counted among them, and do not make two processes of one.
#[test]
fn a_deadlock_of_some_processes_is_told_without_who_starts_them() {
    let text = r#"
        until = "40ms"
        runtime = "cpython"
        executor = "processes"
        machine = { processors = 3, fork = { parent = "1ms", child = "1ms" } }
        lock = [{ name = "l" }, { name = "r" }]
        task = [
            { name = "A", program = [{ lock = "l" }, { sleep = "10ms" }, { lock = "r" }] },
            { name = "B", program = [{ lock = "r" }, { sleep = "10ms" }, { lock = "l" }] },
            { name = "C", program = [{ repeat = "forever", do = [{ sleep = "1ms" }] }] },
        ]
    "#;
    let (_, ending) = run(&scenario(text));
    expect!["deadlock of 2 of 3 tasks: A waits since 12 ms for lock `r`, held by B since 3 ms, B waits since 13 ms for lock `l`, held by A since 2 ms"].assert_eq(&ending.stuck.expect("a deadlock").explanation);
}
