//! Async tasks on several workers, after tokio's multi-thread runtime.

use expect_test::expect;

use super::check;

#[test]
fn nobody_steals_from_the_slot() {
    // The first B is displaced by the second and can be stolen; the second waits in the slot for all of A's burst.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "B" }, { spawn = "B" }, { cpu = "4ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAC|
            cpu 1 |.B....|
            A     |##### |
            B     | #    |
            C     | ----#|
            A = main/A#0
            B = main/B#0
            C = main/B#1
            completed at 6ms
        "#]],
    );
}

#[test]
fn without_a_slot_all_can_be_stolen() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2, lifo-slot = false }
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "B" }, { spawn = "B" }, { cpu = "4ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAA|
            cpu 1 |.BC..|
            A     |#####|
            B     | #   |
            C     | -#  |
            A = main/A#0
            B = main/B#0
            C = main/B#1
            completed at 5ms
        "#]],
    );
}

#[test]
fn the_slot_is_used_three_times_in_a_row() {
    // Each task spawns the next one, which is in the slot and overtakes X in the queue; the fourth one does not.
    check(
        r#"
        executor = { kind = "work-stealing", workers = 1 }
        task = [
            { name = "A", program = [{ spawn = "X" }, { spawn = "B" }, { cpu = "1ms" }] },
            { name = "X", arrival = "spawned", program = [{ cpu = "1ms" }] },
            { name = "B", arrival = "spawned", program = [{ spawn = "C" }, { cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ spawn = "D" }, { cpu = "1ms" }] },
            { name = "D", arrival = "spawned", program = [{ spawn = "E" }, { cpu = "1ms" }] },
            { name = "E", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACDEBF|
            A     |#     |
            B     |----# |
            C     |-#    |
            D     | -#   |
            E     |  -#  |
            F     |   --#|
            A = main/A#0
            B = main/X#0
            C = main/B#0
            D = main/C#0
            E = main/D#0
            F = main/E#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn arrivals_are_taken_from_the_common_queue_in_shares() {
    // Worker 0 takes 4 / 2 + 1 of four; worker 1, which it wakes, takes the last, and then steals.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }
        task = [{ name = "A", count = 4, program = [{ cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB|
            cpu 1 |DC|
            A     |# |
            B     |-#|
            C     |-#|
            D     |# |
            A = main/A#0
            B = main/A#1
            C = main/A#2
            D = main/A#3
            completed at 2ms
        "#]],
    );
}

#[test]
fn the_common_queue_is_looked_at_every_so_many_polls() {
    // X arrives while the Bs are in the worker's own queue; the second poll looks into the common queue first.
    let tasks = r#"
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { spawn = "B" }, { spawn = "B" }, { spawn = "B" }] },
            { name = "X", arrival = "1ms", program = [{ cpu = "1ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
    "#;
    check(
        &format!("executor = {{ kind = \"work-stealing\", workers = 1, global-interval = 2 }}\n{tasks}"),
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAEBCD|
            A     |##    |
            B     | --#  |
            C     |  --# |
            D     |  ---#|
            E     |  #   |
            A = main/A#0
            B = main/X#0
            C = main/B#0
            D = main/B#1
            E = main/B#2
            completed at 6ms
        "#]],
    );
    check(
        &format!("executor = {{ kind = \"work-stealing\", workers = 1 }}\n{tasks}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAECDB|
        A     |##    |
        B     | ----#|
        C     |  -#  |
        D     |  --# |
        E     |  #   |
        A = main/A#0
        B = main/X#0
        C = main/B#0
        D = main/B#1
        E = main/B#2
        completed at 6ms
    "#]],
    );
}

/// A spawns five tasks; the other worker takes the older half of the four that are not in the slot, or one.
const FIVE: &str = r#"
    task = [
        { name = "A", program = [{ repeat = 5, do = [{ spawn = "B" }] }, { cpu = "2ms" }] },
        { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
    ]
"#;

#[test]
fn a_thief_takes_the_older_half_and_begins_with_its_last() {
    let executor = r#"machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }"#;
    check(
        &format!("{executor}\n{FIVE}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAFE|
        cpu 1 |CBD.|
        A     |##  |
        B     |-#  |
        C     |#   |
        D     |--# |
        E     |---#|
        F     |--# |
        A = main/A#0
        B = main/B#0
        C = main/B#1
        D = main/B#2
        E = main/B#3
        F = main/B#4
        completed at 4ms
    "#]],
    );
}

#[test]
fn a_thief_may_take_one() {
    let executor = r#"machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2, steal = "one" }"#;
    check(
        &format!("{executor}\n{FIVE}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAFE|
        cpu 1 |BCD.|
        A     |##  |
        B     |#   |
        C     |-#  |
        D     |--# |
        E     |---#|
        F     |--# |
        A = main/A#0
        B = main/B#0
        C = main/B#1
        D = main/B#2
        E = main/B#3
        F = main/B#4
        completed at 4ms
    "#]],
    );
}

#[test]
fn one_queue_for_all_has_neither_slot_nor_thieves() {
    let executor = r#"machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2, queue = "shared" }"#;
    check(
        &format!("{executor}\n{FIVE}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |AADF|
        cpu 1 |BCE.|
        A     |##  |
        B     |#   |
        C     |-#  |
        D     |--# |
        E     |--# |
        F     |---#|
        A = main/A#0
        B = main/B#0
        C = main/B#1
        D = main/B#2
        E = main/B#3
        F = main/B#4
        completed at 4ms
    "#]],
    );
}

const TIMERS: &str = r#"
    machine = { processors = 2 }
    task = [
        { name = "A", program = [{ sleep = "1ms" }, { cpu = "4ms" }] },
        { name = "B", program = [{ sleep = "2ms" }, { cpu = "1ms" }] },
    ]
"#;

#[test]
fn while_the_one_at_the_driver_runs_a_task_nobody_notices_timers() {
    // Both workers are parked, one of them at the driver: it runs A from 1 ms on. B's timer rings at 2 ms, but the other
    // worker sleeps on, beside an idle processor, until that one has nothing to do.
    let executor = "executor = { kind = \"work-stealing\", workers = 2 }";
    check(
        &format!("{executor}\n{TIMERS}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |.AAAAB|
        cpu 1 |......|
        A     |=#### |
        B     |==---#|
        A = main/A#0
        B = main/B#0
        completed at 6ms
    "#]],
    );
}

#[test]
fn any_worker_may_notice_timers() {
    let executor = "executor = { kind = \"work-stealing\", workers = 2, driver = \"any\" }";
    check(
        &format!("{executor}\n{TIMERS}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |.AAAA|
        cpu 1 |..B..|
        A     |=####|
        B     |==#  |
        A = main/A#0
        B = main/B#0
        completed at 5ms
    "#]],
    );
}

#[test]
fn a_worker_looks_at_the_driver_after_so_many_polls() {
    // The last B is in the slot, and runs as part of A's poll; the next is the third. At the fourth poll the worker
    // notices X, which goes into the slot, ahead of the other Bs.
    check(
        r#"
        executor = { kind = "work-stealing", workers = 1, event-interval = 2 }
        task = [
            { name = "X", program = [{ sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "A", program = [{ cpu = "2ms" }, { repeat = 4, do = [{ spawn = "B" }] }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBFCADE|
            A     |=---#  |
            B     |##     |
            C     |  -#   |
            D     |  ---# |
            E     |  ----#|
            F     |  #    |
            A = main/X#0
            B = main/A#0
            C = main/B#0
            D = main/B#1
            E = main/B#2
            F = main/B#3
            completed at 7ms
        "#]],
    );
}

#[test]
fn a_worker_that_yields_looks_for_other_work_first() {
    // The first X yields at 1 ms; the second is stolen before the first is put back. Of the two, both put back at 2 ms, the
    // first comes last, into the slot. The third is in the slot of P's worker.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }
        task = [
            { name = "P", program = [{ spawn = "X" }, { spawn = "X" }, { spawn = "X" }, { cpu = "4ms" }] },
            { name = "X", arrival = "spawned", program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAADD|
            cpu 1 |BCBC..|
            A     |####  |
            B     |#-#   |
            C     |-#-#  |
            D     |----##|
            A = main/P#0
            B = main/X#0
            C = main/X#1
            D = main/X#2
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_full_queue_overflows_into_the_common_one() {
    // Of 258 tasks one is in the slot; at the 257th in the queue, 129 of them go to the common queue. The first of those
    // runs when the worker's own queue is empty, behind 128 others and the one in the slot.
    let toml = r#"
        until = "259ns"
        executor = { kind = "work-stealing", workers = 1, budget = 0, global-interval = 1000 }
        task = [
            { name = "A", program = [{ repeat = 258, do = [{ spawn = "B" }] }, { cpu = "1ns" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ns" }] },
        ]
    "#;
    let (timeline, _) = crate::support::run(&crate::support::scenario(toml));
    let order: Vec<u32> = timeline.intervals.iter().map(|run| timeline.tasks[run.task].instance).skip(1).collect();
    let expected: Vec<u32> = [257].into_iter().chain(128..256).chain(0..128).chain([256]).collect();
    assert_eq!(order, expected);
}
