//! The rules of runtimes, one small world each: event loops, work stealing, pools that steal, goroutines.

use expect_test::expect;

use super::check;

#[test]
fn a_loop_puts_back_who_has_yielded_the_last_one_first() {
    // All three have yielded when the queue is empty: C, which yielded last, is put back first.
    check(
        r#"
        executor = "async"
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCCBA|
            A     |#----#|
            B     |-#--# |
            C     |--##  |
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_loop_may_put_back_who_yields_at_once() {
    check(
        r#"
        executor = { kind = "async", yield = "tail" }
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCABC|
            A     |#--#  |
            B     |-#--# |
            C     |--#--#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 6ms
        "#]],
    );
}

#[test]
fn whoever_yields_comes_after_what_the_driver_has() {
    // B's timer has rung when A yields: the loop looks, B is queued, then A.
    check(
        r#"
        executor = "async"
        task = [
            { name = "B", program = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "A", program = [{ cpu = "2ms" }, "yield", { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBAB|
            A     |#=-# |
            B     |-##-#|
            A = main/B#0
            B = main/A#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_loop_notices_timers_when_its_queue_is_empty() {
    // A's timer rings at 2 ms, B gives the lock to C at 3 ms: C is queued at once, A only when nothing is left.
    check(
        r#"
        executor = "async"
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ lock = "m" }, { cpu = "2ms" }, { unlock = "m" }] },
            { name = "C", program = [{ lock = "m" }, { cpu = "1ms" }, { unlock = "m" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBCA|
            A     |#=--#|
            B     |-##  |
            C     |---# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

const HANDED_ON: &str = r#"
    lock = [{ name = "m" }]
    task = [
        { name = "A", program = [{ lock = "m" }, { sleep = "1ms" }, { cpu = "3ms" }, { unlock = "m" }, { cpu = "1ms" }] },
        { name = "B", count = 3, program = [{ lock = "m" }, { cpu = "1ms" }, { unlock = "m" }] },
        { name = "C", program = [{ sleep = "2ms" }, { cpu = "1ms" }] },
    ]
"#;

#[test]
fn a_queue_that_never_empties_keeps_the_driver_waiting() {
    // The lock goes from task to task, so C, whose timer rings at 2 ms, waits for all of them.
    check(
        &format!("executor = \"async\"\n{HANDED_ON}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |.AAAABCDE|
        A     |=####    |
        B     |====-#   |
        C     |======#  |
        D     |=======# |
        E     |==------#|
        A = main/A#0
        B = main/B#0
        C = main/B#1
        D = main/B#2
        E = main/C#0
        completed at 9ms
    "#]],
    );
}

#[test]
fn a_loop_looks_at_the_driver_after_so_many_polls() {
    // Every second poll: that of C has been noticed when A, and one B, have run.
    check(
        &format!("executor = {{ kind = \"async\", event-interval = 2 }}\n{HANDED_ON}"),
        expect![[r#"
        1 column = 1ms
        cpu 0 |.AAAABCED|
        A     |=####    |
        B     |====-#   |
        C     |======#  |
        D     |=======-#|
        E     |==-----# |
        A = main/A#0
        B = main/B#0
        C = main/B#1
        D = main/B#2
        E = main/C#0
        completed at 9ms
    "#]],
    );
}

#[test]
fn who_never_has_to_wait_yields_when_its_budget_is_spent() {
    // The second lock of A is one too many: it yields before it takes it.
    check(
        r#"
        executor = { kind = "async", budget = 1 }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ repeat = 2, do = [{ with = "m", do = [{ cpu = "1ms" }] }] }] },
            { name = "B", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABA|
            A     |#-#|
            B     |-# |
            A = main/A#0
            B = main/B#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn timers_can_be_coarse() {
    // 1 ms from 0.5 ms on is over at 1.5 ms, and noticed at 2 ms; a device made of timers likewise.
    check(
        r#"
        executor = { kind = "async", timer = "1ms", timed-devices = true }
        device = [{ name = "net", channels = "unlimited" }]
        task = [
            { name = "A", program = [{ cpu = "500us" }, { sleep = "1ms" }, { cpu = "500us" }] },
            { name = "B", arrival = "3ms", program = [{ cpu = "500us" }, { io = "net", for = "1ms" }, { cpu = "500us" }] },
        ]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |A...A.B...B|
            A     |#===#      |
            B     |      #===#|
            A = main/A#0
            B = main/B#0
            completed at 5.5ms
        "#]],
    );
}

#[test]
fn who_blocks_the_whole_thread_is_served_exactly() {
    // A blocks the thread itself, until 1.5 ms and not until 2 ms; B, served from then on, wakes by a timer of the runtime.
    check(
        r#"
        executor = { kind = "async", timer = "1ms", timed-devices = true }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "500us" }, { io = "disk", for = "1ms", blocking = true }, { cpu = "500us" }] },
            { name = "B", program = [{ io = "disk", for = "1ms" }, { cpu = "500us" }] },
        ]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |A..A..B|
            A     |#==#   |
            B     |----==#|
            A = main/A#0
            B = main/B#0
            completed at 3.5ms
        "#]],
    );
}

#[test]
fn a_loop_may_order_its_tasks_by_a_policy() {
    check(
        r#"
        executor = { kind = "async", policy = "priority" }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "2ms" }, "yield", { cpu = "1ms" }] },
            { name = "B", priority = 2, program = [{ cpu = "1ms" }] },
            { name = "C", priority = 3, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BAACA|
            A     |-##-#|
            B     |#    |
            C     | --# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_batch_may_be_ordered_by_a_policy() {
    check(
        r#"
        executor = { kind = "sequential", policy = "sjf" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CBBAAA|
            A     |---###|
            B     |-##   |
            C     |#     |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

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

#[test]
fn a_pool_that_steals_runs_what_was_spawned_last_and_steals_what_was_first() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "pool", workers = 2, queue = "stealing" }
        task = [
            { name = "A", program = [{ spawn = "B" }, { spawn = "B" }, { spawn = "B" }, { cpu = "1ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ADD.|
            cpu 1 |BBCC|
            A     |#   |
            B     |##  |
            C     |--##|
            D     |-## |
            A = main/A#0
            B = main/B#0
            C = main/B#1
            D = main/B#2
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_worker_that_joins_helps() {
    // One worker: A waits for B, which waits for C, all on the same thread. In a pool with one queue it is a deadlock.
    let tasks = r#"
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "B" }, { join = "B" }, { cpu = "1ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }, { spawn = "C" }, { join = "C" }, { cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
    "#;
    check(
        &format!("executor = {{ kind = \"pool\", workers = 1, queue = \"stealing\" }}\n{tasks}"),
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCBA|
            A     |#===#|
            B     | #=# |
            C     |  #  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
    check(
        &format!("executor = {{ kind = \"pool\", workers = 1 }}\n{tasks}"),
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
fn who_helps_goes_on_when_the_helped_one_has_ended() {
    // A joins B, which worker 1 has stolen and ends at 2 ms; but A's worker has begun to help with the long X.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "pool", workers = 2, queue = "stealing" }
        task = [
            { name = "A", program = [{ spawn = "B" }, { cpu = "1ms" }, { join = "B" }, { cpu = "1ms" }] },
            { name = "X", arrival = "1ms", program = [{ cpu = "3ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBA|
            cpu 1 |CC...|
            A     |#=--#|
            B     | ### |
            C     |##   |
            A = main/A#0
            B = main/X#0
            C = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn goroutines_are_preempted_and_go_to_the_global_queue() {
    check(
        r#"
        executor = { kind = "goroutines", workers = 1, slice = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABCCAC|
            A     |##---# |
            B     |--#    |
            C     |---##-#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn the_slice_of_a_goroutine_is_twice_the_interval_of_the_monitor() {
    check(
        r#"
        executor = { kind = "goroutines", workers = 1 }
        task = [{ name = "A", count = 2, program = [{ cpu = "30ms" }] }]
        "#,
        expect![[r#"
            1 column = 10ms
            cpu 0 |AABBAB|
            A     |##--# |
            B     |--##-#|
            A = main/A#0
            B = main/A#1
            completed at 60ms
        "#]],
    );
}

#[test]
fn a_worker_of_goroutines_looks_at_its_own_timers_first() {
    // B sleeps at 4 ms; its timer has rung when the slice of C is over at 8 ms, and again when that of A is at 13 ms: it
    // is ahead of those who wait in the queues, and has to wait for one slice each time.
    check(
        r#"
        executor = { kind = "goroutines", workers = 1, slice = "4ms" }
        task = [
            { name = "A", program = [{ cpu = "12ms" }] },
            { name = "B", program = [{ repeat = 2, do = [{ sleep = "1ms" }, { cpu = "1ms" }] }] },
            { name = "C", program = [{ cpu = "8ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAACCCCBAAAABCCCCAAAA|
            A     |####-----####-----####|
            B     |----=---#=---#        |
            C     |----####------####    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 22ms
        "#]],
    );
}

#[test]
fn a_goroutine_that_is_alone_goes_on() {
    check(
        r#"
        machine = { task-switch = "1ms" }
        executor = { kind = "goroutines", workers = 1, slice = "1ms" }
        task = [{ name = "A", program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 3ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn a_woken_goroutine_is_next_and_has_what_is_left_of_the_slice() {
    // A gives the lock to B after 1 ms of its slice of 3 ms: B is next, ahead of X, and has 1 ms left when A ends.
    check(
        r#"
        executor = { kind = "goroutines", workers = 1, slice = "3ms" }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ lock = "m" }, { sleep = "1ms" }, { cpu = "1ms" }, { unlock = "m" }, { cpu = "1ms" }] },
            { name = "B", program = [{ lock = "m" }, { cpu = "2ms" }, { unlock = "m" }] },
            { name = "X", arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.AABCB|
            A     |=##   |
            B     |==-#-#|
            C     |  --# |
            A = main/A#0
            B = main/B#0
            C = main/X#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn an_idle_worker_takes_even_who_is_next_elsewhere() {
    // Unlike the slot of work-stealing.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "goroutines", workers = 2 }
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "B" }, { cpu = "4ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAA|
            cpu 1 |.B...|
            A     |#####|
            B     | #   |
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_blocking_call_hands_the_worker_to_another_thread() {
    // A keeps its thread, and B runs on a new one, which has to be started; back from the call, A queues behind C.
    check(
        r#"
        machine = { thread-start = "1ms" }
        executor = { kind = "goroutines", workers = 1 }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "3ms", blocking = true }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "3ms" }] },
            { name = "C", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~A~BBBCA|
            A     |~#===--#|
            B     |--~###  |
            C     |------# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn with_all_workers_busy_served_requests_wait_for_the_poller() {
    // X's request is served at 1 ms. The worker always has somebody in the global queue, and looks at the poller when it
    // chooses at 12 ms, 10 ms after the last time: X is behind both As.
    check(
        r#"
        until = "22ms"
        executor = { kind = "goroutines", workers = 1, slice = "4ms" }
        device = [{ name = "net", channels = "unlimited" }]
        task = [
            { name = "X", program = [{ io = "net", for = "1ms" }, { cpu = "1ms" }] },
            { name = "A", count = 2, program = [{ cpu = "20ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBBBCCCCBBBBCCCCBBBBAC|
            A     |=-------------------# |
            B     |####----####----####--|
            C     |----####----####-----#|
            A = main/X#0
            B = main/A#0
            C = main/A#1
            horizon at 22ms
        "#]],
    );
}

#[test]
fn goroutines_on_a_busy_machine_keep_their_slices() {
    // The kernel takes turns of 2 ms between the worker of p and q; A's slice of 3 ms ends while q runs.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        process = [
            { name = "p", executor = { kind = "goroutines", workers = 1, slice = "3ms" }, task = [{ name = "A", count = 2, program = [{ cpu = "4ms" }] }] },
            { name = "q", task = [{ name = "Q", program = [{ cpu = "4ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |ACBCAB|
            A     |#---# |
            B     |--#--#|
            C     |-#-#  |
            A = p/A#0
            B = p/A#1
            C = q/Q#0
            completed at 12ms
        "#]],
    );
}

#[test]
fn a_pool_hands_out_chunks_of_those_who_come_together() {
    // "map": seven tasks for two workers are chunks of one. Of chunks of three the last is one.
    for (chunk, expected) in [
        (
            "\"map\"",
            expect![[r#"
        1 column = 1ms
        cpu 0 |ACEG|
        cpu 1 |BDF.|
        A     |#   |
        B     |#   |
        C     |-#  |
        D     |-#  |
        E     |--# |
        F     |--# |
        G     |---#|
        A = main/A#0
        B = main/A#1
        C = main/A#2
        D = main/A#3
        E = main/A#4
        F = main/A#5
        G = main/A#6
        completed at 4ms
    "#]],
        ),
        (
            "3",
            expect![[r#"
        1 column = 1ms
        cpu 0 |ABCG|
        cpu 1 |DEF.|
        A     |#   |
        B     |-#  |
        C     |--# |
        D     |#   |
        E     |-#  |
        F     |--# |
        G     |---#|
        A = main/A#0
        B = main/A#1
        C = main/A#2
        D = main/A#3
        E = main/A#4
        F = main/A#5
        G = main/A#6
        completed at 4ms
    "#]],
        ),
    ] {
        let toml = format!(
            "executor = {{ kind = \"pool\", workers = 2, chunk = {chunk}, next = \"at-once\" }}\nmachine = {{ processors = 2 }}\n\
             task = [{{ name = \"A\", count = 7, program = [{{ cpu = \"1ms\" }}] }}]"
        );
        check(&toml, expected);
    }
}
