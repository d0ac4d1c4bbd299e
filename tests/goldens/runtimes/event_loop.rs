//! Event loops, after tokio's current-thread runtime.

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
