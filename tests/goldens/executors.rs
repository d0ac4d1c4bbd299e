//! The same tasks under each executor: who decides to switch.

use expect_test::expect;

use super::check;

#[test]
fn sequential_does_one_task_after_the_other() {
    check(
        r#"
        executor = "sequential"
        device = [{ name = "net", channels = "unlimited" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }, { io = "net", for = "3ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A...AB...B|
            A     |#===#     |
            B     |-----#===#|
            A = main/A#0
            B = main/A#1
            completed at 10ms
        "#]],
    );
}

#[test]
fn sequential_takes_arrivals_in_their_order() {
    check(
        r#"
        executor = "sequential"
        task = [
            { name = "A", arrival = "2ms", program = [{ cpu = "1ms" }] },
            { name = "B", arrival = ["1ms", "4ms"], program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.BBACC|
            A     |  -#  |
            B     | ##   |
            C     |    ##|
            A = main/A#0
            B = main/B#0
            C = main/B#1
            completed at 6ms
        "#]],
    );
}

#[test]
fn threads_overlap_waiting() {
    check(
        r#"
        executor = "threads"
        device = [{ name = "net", channels = "unlimited" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }, { io = "net", for = "3ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB..AB|
            A     |#===# |
            B     |-#===#|
            A = main/A#0
            B = main/A#1
            completed at 6ms
        "#]],
    );
}

#[test]
fn threads_run_at_the_same_time_on_two_processors() {
    check(
        r#"
        machine = { processors = 2 }
        executor = "threads"
        task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 3ms
            cpu 0 |A|
            cpu 1 |B|
            A     |#|
            B     |#|
            A = main/A#0
            B = main/A#1
            completed at 3ms
        "#]],
    );
}

#[test]
fn an_interpreter_lock_lets_one_thread_run() {
    // The second processor does not help; the lock changes hands 2 ms after somebody began to wait for it.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "threads", gil = "2ms" }
        task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBAB|
            cpu 1 |......|
            A     |##--# |
            B     |--##-#|
            A = main/A#0
            B = main/A#1
            completed at 6ms
        "#]],
    );
}

#[test]
fn the_interpreter_lock_is_given_up_at_input_and_output() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "threads", gil = "5ms" }
        device = [{ name = "net", channels = "unlimited" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }, { io = "net", for = "3ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB..AB|
            cpu 1 |......|
            A     |#===# |
            B     |-#===#|
            A = main/A#0
            B = main/A#1
            completed at 6ms
        "#]],
    );
}

#[test]
fn the_interval_counts_from_when_somebody_began_to_wait() {
    // B arrives at 3 ms and gets the interpreter at 5 ms; A began to wait then and has it back when B ends.
    check(
        r#"
        executor = { kind = "threads", gil = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "7ms" }] },
            { name = "B", arrival = "3ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAABAA|
            A     |#####-##|
            B     |   --#  |
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn each_process_has_its_own_interpreter_lock() {
    check(
        r#"
        machine = { processors = 2 }
        process = [
            { name = "p", executor = { kind = "threads", gil = "1ms" }, task = [{ name = "A", count = 2, program = [{ cpu = "2ms" }] }] },
            { name = "q", executor = { kind = "threads", gil = "1ms" }, task = [{ name = "B", program = [{ cpu = "3ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABAB|
            cpu 1 |CCC.|
            A     |#-# |
            B     |-#-#|
            C     |### |
            A = p/A#0
            B = p/A#1
            C = q/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_loop_switches_only_where_its_tasks_wait() {
    // C never waits, so nothing else runs before it ends, although the policy takes turns.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        executor = "async"
        device = [{ name = "net", channels = "unlimited" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "net", for = "2ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCCCCAB|
            A     |#==---# |
            B     |-#=----#|
            C     |--####  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_blocking_call_stops_the_whole_loop() {
    check(
        r#"
        executor = "async"
        device = [{ name = "net", channels = "unlimited" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "net", for = "3ms", blocking = true }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A...ABB|
            A     |#===#  |
            B     |-----##|
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn a_loop_is_one_thread_among_others() {
    // The kernel takes turns between the loop of p (A, B) and the thread of q (C).
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        process = [
            { name = "p", executor = "async", task = [{ name = "A", program = [{ cpu = "3ms" }] }, { name = "B", program = [{ cpu = "1ms" }] }] },
            { name = "q", task = [{ name = "C", program = [{ cpu = "4ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACCABCC|
            A     |##--#   |
            B     |-----#  |
            C     |--##--##|
            A = p/A#0
            B = p/B#0
            C = q/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_pool_keeps_a_worker_for_each_task_it_has_begun() {
    check(
        r#"
        executor = { kind = "pool", workers = 2 }
        device = [{ name = "net", channels = "unlimited" }]
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { io = "net", for = "3ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB..ACB..C|
            A     |#===#     |
            B     |-#===-#   |
            C     |-----#===#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 10ms
        "#]],
    );
}

#[test]
fn the_next_task_of_a_pool_queues_like_a_new_thread() {
    // B ends at 1 ms and its worker takes C, which queues behind D.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        process = [
            { name = "p", executor = { kind = "pool", workers = 1 }, task = [
                { name = "B", program = [{ cpu = "1ms" }] },
                { name = "C", program = [{ cpu = "2ms" }] },
            ] },
            { name = "q", task = [{ name = "D", program = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACBCB|
            A     |#    |
            B     |--#-#|
            C     |-#-# |
            A = p/B#0
            B = p/C#0
            C = q/D#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn workers_steal_from_each_other() {
    // A keeps worker 0 busy. Of the tasks it spawned the last is in that worker's slot, where nobody steals; the others
    // are in its queue, and worker 1 steals one of two, then the other.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "B" }, { spawn = "B" }, { spawn = "B" }, { cpu = "6ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAADD|
            cpu 1 |.BBCC....|
            A     |#######  |
            B     | ##      |
            C     | --##    |
            D     | ------##|
            A = main/A#0
            B = main/B#0
            C = main/B#1
            D = main/B#2
            completed at 9ms
        "#]],
    );
}

#[test]
fn a_worker_prefers_its_own_queue() {
    // The Bs are in its own queue (or its slot); C came from outside and waits in the common queue.
    check(
        r#"
        executor = { kind = "work-stealing", workers = 1 }
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { spawn = "B" }, { spawn = "B" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "1ms" }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AADCB|
            A     |##   |
            B     | ---#|
            C     |  -# |
            D     |  #  |
            A = main/A#0
            B = main/C#0
            C = main/B#0
            D = main/B#1
            completed at 5ms
        "#]],
    );
}

#[test]
fn processes_run_like_threads() {
    check(
        r#"
        machine = { processors = 2 }
        executor = "processes"
        task = [{ name = "A", count = 3, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |AC|
            cpu 1 |B.|
            A     |# |
            B     |# |
            C     |-#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 4ms
        "#]],
    );
}

#[test]
fn copies_of_a_process_are_processes() {
    check(
        r#"
        machine = { process-switch = "1ms" }
        process = [{ name = "web", count = 2, executor = "sequential", task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }] }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A~C~B~D|
            A     |#      |
            B     |---~#  |
            C     |-~#    |
            D     |-----~#|
            A = web#0/A#0
            B = web#0/A#1
            C = web#1/A#0
            D = web#1/A#1
            completed at 7ms
        "#]],
    );
}

#[test]
fn whoever_is_handed_the_interpreter_lock_runs_for_an_interval() {
    // The switch takes longer than the interval, which counts from the first run.
    check(
        r#"
        machine = { context-switch = "2ms" }
        executor = { kind = "threads", gil = "1ms" }
        task = [{ name = "A", count = 2, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~A~~B~~A~~B|
            A     |~~#---~~#   |
            B     |---~~#---~~#|
            A = main/A#0
            B = main/A#1
            completed at 12ms
        "#]],
    );
}
