//! Goroutines, after Go.

use expect_test::expect;

use super::check;

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
