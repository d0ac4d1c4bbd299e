//! Affinity, and processors that are not alike.

use expect_test::expect;

use super::check;

#[test]
fn affinity_is_kept_and_others_pass() {
    // B may only use processor 1: C passes it in the queue of processor 0.
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", affinity = [1], program = [{ cpu = "3ms" }] },
            { name = "B", affinity = [1], program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CC..|
            cpu 1 |AAAB|
            A     |### |
            B     |---#|
            C     |##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn who_may_not_use_a_processor_does_not_displace_there() {
    // B is more urgent than A, but only processor 0 is open to it, and D there is more urgent still.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "4ms" }] },
            { name = "D", priority = 5, program = [{ cpu = "3ms" }] },
            { name = "B", priority = 2, arrival = "1ms", affinity = [0], program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBBC|
            cpu 1 |AAAA|
            A     |####|
            B     |### |
            C     | --#|
            A = main/A#0
            B = main/D#0
            C = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_slow_processor_takes_longer() {
    check(
        r#"
        machine = { processors = [{ name = "big" }, { name = "little", speed = 0.5 }] }
        task = [{ name = "A", count = 3, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |AC|
            cpu 1 |BB|
            A     |# |
            B     |##|
            C     |-#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 4ms
        "#]],
    );
}

#[test]
fn work_done_counts_wherever_it_was_done() {
    // B does 1 ms of its 3 ms of work in the first 2 ms, on the slow processor; D displaces it there, and it goes on in
    // the place of A.
    check(
        r#"
        machine = { processors = [{ speed = 0.5 }, { speed = 1.0 }] }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "3ms" }] },
            { name = "B", priority = 2, program = [{ cpu = "3ms" }] },
            { name = "D", priority = 3, arrival = "2ms", affinity = [0], program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBCCCC|
            cpu 1 |AABBA.|
            A     |##--# |
            B     |####  |
            C     |  ####|
            A = main/A#0
            B = main/B#0
            C = main/D#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_slice_is_time_and_not_work() {
    check(
        r#"
        machine = { processors = [{ speed = 0.5 }] }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |ABA|
            A     |#-#|
            B     |-# |
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_loop_goes_where_its_task_may_run() {
    // B may only use processor 1, so the loop's thread moves there when it goes on with B.
    check(
        r#"
        machine = { processors = 2, context-switch = "1ms", migration = "1ms" }
        executor = "async"
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "B", affinity = [1], program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~A....~A|
            cpu 1 |..~~BB..|
            A     |~#=---~#|
            B     |--~~##  |
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}
