//! Locks, in each executor.

use expect_test::expect;

use super::check;

#[test]
fn a_lock_is_handed_to_the_first_who_waits() {
    check(
        r#"
        machine = { processors = 3 }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ lock = "m" }, { cpu = "3ms" }, { unlock = "m" }, { cpu = "1ms" }] },
            { name = "B", arrival = "2ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA.BB|
            cpu 1 |...CC..|
            cpu 2 |.......|
            A     |####   |
            B     |  ===##|
            C     | ==##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn or_to_the_most_urgent() {
    // B came later than C but is more urgent; the policy is fifo, which does not matter.
    check(
        r#"
        machine = { processors = 3 }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ lock = "m" }, { cpu = "3ms" }, { unlock = "m" }, { cpu = "1ms" }] },
            { name = "B", priority = 1, arrival = "2ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA.CC|
            cpu 1 |...BB..|
            cpu 2 |.......|
            A     |####   |
            B     |  =##  |
            C     | ====##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn whoever_unlocks_cannot_take_the_lock_back_before_the_one_who_waits() {
    // A gives the lock to B at 2 ms although B is not on a processor, and must wait for it itself.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ repeat = 2, do = [{ with = "m", do = [{ cpu = "2ms" }] }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBAA|
            A     |##==##|
            B     |-=##  |
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn an_urgent_waiter_that_is_handed_the_lock_displaces_at_once() {
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "2ms" }] }, { cpu = "2ms" }] },
            { name = "B", priority = 1, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBAA|
            A     |##--##|
            B     | =##  |
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_middle_priority_can_keep_an_urgent_one_waiting() {
    // Priority inversion: C, the most urgent, waits for A's lock, and A for the processor that B has.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "m", do = [{ cpu = "3ms" }] }] },
            { name = "C", priority = 3, arrival = "1ms", program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCCCCAAB|
            A     |#-----## |
            B     | #======#|
            C     | -####   |
            A = main/A#0
            B = main/C#0
            C = main/B#0
            completed at 9ms
        "#]],
    );
}

#[test]
fn a_lock_held_across_input_and_output_keeps_the_others_out() {
    check(
        r#"
        lock = [{ name = "m" }]
        device = [{ name = "disk" }]
        task = [{ name = "A", count = 2, program = [{ with = "m", do = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }] }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..AB..B|
            A     |#==#    |
            B     |-==-#==#|
            A = main/A#0
            B = main/A#1
            completed at 8ms
        "#]],
    );
}

#[test]
fn contention_on_a_loop_gives_the_thread_to_another_task() {
    check(
        r#"
        executor = "async"
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "1ms" }, { sleep = "3ms" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACC.AB|
            A     |#===# |
            B     |-====#|
            C     |-##   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn contention_in_a_pool_keeps_the_worker() {
    // B waits on the second worker, so C has none although the processor is idle.
    check(
        r#"
        executor = { kind = "pool", workers = 2 }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "1ms" }, { sleep = "3ms" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A...ABCC|
            A     |#===#   |
            B     |-====#  |
            C     |------##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn contention_under_an_interpreter_lock_gives_the_interpreter_up() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "threads", gil = "2ms" }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "3ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAB|
            cpu 1 |....|
            A     |### |
            B     |--=#|
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn contention_between_processes() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        process = [
            { name = "p", executor = "processes", task = [{ name = "A", count = 2, program = [{ with = "m", do = [{ cpu = "2ms" }] }] }] },
            { name = "q", executor = "async", task = [
                { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
                { name = "C", program = [{ cpu = "1ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBC|
            cpu 1 |D....|
            A     |##   |
            B     |==## |
            C     |====#|
            D     |#    |
            A = p/A#0
            B = p/A#1
            C = q/B#0
            D = q/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn contention_between_workers_that_steal() {
    // Worker 0 takes A and B, worker 1 C and then steals B. Whoever is handed the lock by a running task waits in the slot
    // of that task's worker, where nobody steals.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }
        lock = [{ name = "m" }]
        task = [{ name = "A", count = 3, program = [{ with = "m", do = [{ cpu = "2ms" }] }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAACCCBBB|
            cpu 1 |.........|
            A     |###      |
            B     |=====-###|
            C     |==-###   |
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 9ms
        "#]],
    );
}
