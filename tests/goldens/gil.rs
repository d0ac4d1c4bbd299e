//! The interpreter lock for which threads must run to ask (`gil-request = "when-running"`), beside the ideal one, and that of pools.

use expect_test::{Expect, expect};

use super::check;

/// Two threads that compute for 12 ms, a lock with an interval of 5, and the rest.
fn two(rest: &str, expected: Expect) {
    check(
        &format!(
            r#"
            executor = {{ kind = "threads", gil = "5ms", gil-request = "when-running" }}
            task = [{{ name = "A", count = 2, program = [{{ cpu = "12ms" }}] }}]
            {rest}
            "#
        ),
        expected,
    );
}

#[test]
fn who_has_no_processor_cannot_ask() {
    // B's interval is over at 5 ms, but A does not leave the processor.
    two(
        "",
        expect![[r#"
        1 column = 12ms
        cpu 0 |AB|
        A     |# |
        B     |-#|
        A = main/A#0
        B = main/A#1
        completed at 24ms
    "#]],
    );
}

#[test]
fn on_another_processor_a_waiter_asks_when_its_interval_is_over() {
    // A stands still at 5 ms until B has the lock, at once; and its own interval counts from then on.
    two(
        "machine = { processors = 2 }",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAAAABBBBBAAAAABBBBBAABB|
        cpu 1 |........................|
        A     |#####-----#####-----##  |
        B     |-----#####-----#####--##|
        A = main/A#0
        B = main/A#1
        completed at 24ms
    "#]],
    );
}

#[test]
fn a_waiter_asks_when_its_turn_comes_after_the_interval() {
    // A and B take turns of 2 ms, but B only looks: at 2 (it begins to wait, until 7), and at 8, when it asks. A drops the lock when
    // it runs next, at once, and B has it from 8 on.
    two(
        "scheduler = { policy = \"round-robin\", quantum = \"2ms\" }",
        expect![[r#"
        1 column = 4ms
        cpu 0 |AABBAB|
        A     |##--# |
        B     |--##-#|
        A = main/A#0
        B = main/A#1
        completed at 24ms
    "#]],
    );
}

#[test]
fn who_blocks_leaves_the_lock_to_who_runs_first() {
    // C waits since 0 and is told at 2 ms that the lock is free. But B, whose sleep ends then, comes first: C waits again.
    check(
        r#"
        executor = { kind = "threads", gil = "5ms", gil-request = "when-running" }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "2ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "B", priority = 3, program = [{ sleep = "2ms" }, { cpu = "2ms" }] },
            { name = "C", priority = 2, program = [{ sleep = "1ms" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBCA|
            A     |##=--#|
            B     |==##  |
            C     |=---# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_waiter_whose_wait_straddles_a_switch_does_not_ask() {
    // B, which began to wait at 0, asks at 5 ms and queues behind C, which has the lock then. A wants it again from 5 on, and asks at
    // 10; B, whose wait ended then too, had seen that somebody took the lock, but it is told before A, and has it.
    check(
        r#"
        machine = { processors = 3 }
        executor = { kind = "threads", gil = "5ms", gil-request = "when-running" }
        task = [
            { name = "A", program = [{ cpu = "12ms" }] },
            { name = "B", program = [{ cpu = "12ms" }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "12ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAACCCCCBBBBBAAAAACCCCCBBBBBAACCBB|
            cpu 1 |....................................|
            cpu 2 |....................................|
            A     |#####----------#####----------##    |
            B     |----------#####----------#####----##|
            C     | ----#####----------#####-------##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 36ms
        "#]],
    );
}

#[test]
fn who_yields_gives_the_lock_to_whoever_comes() {
    check(
        r#"
        executor = { kind = "threads", gil = "5ms", gil-request = "when-running" }
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABAB|
            A     |#-# |
            B     |-#-#|
            A = main/A#0
            B = main/A#1
            completed at 4ms
        "#]],
    );
}

/// Three threads that compute, each on a processor of its own.
fn three(parameters: &str, expected: Expect) {
    check(
        &format!(
            r#"
            machine = {{ processors = 3 }}
            executor = {{ kind = "threads", gil = "5ms", gil-request = "when-running"{parameters} }}
            task = [{{ name = "A", count = 3, program = [{{ cpu = "15ms" }}] }}]
            "#
        ),
        expected,
    );
}

#[test]
fn who_asks_from_another_processor_may_come_before_those_who_wait_longer() {
    // A waits from 5 ms on, behind C, which cannot ask at 10: the lock has changed hands since it began to wait at 5.
    three(
        "",
        expect![[r#"
            1 column = 5ms
            cpu 0 |ABCABCABC|
            cpu 1 |.........|
            cpu 2 |.........|
            A     |#--#--#  |
            B     |-#--#--# |
            C     |--#--#--#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 45ms
        "#]],
    );
    three(
        ", gil-asker = 1",
        expect![[r#"
            1 column = 5ms
            cpu 0 |ABABACBCC|
            cpu 1 |.........|
            cpu 2 |.........|
            A     |#-#-#    |
            B     |-#-#--#  |
            C     |-----#-##|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 45ms
        "#]],
    );
}

#[test]
fn a_lock_that_its_last_holder_has_taken_again_has_not_changed_hands() {
    // At 2 ms A gives the lock up and takes it again before B, which is told, can look. C, which waits since 0, asks at 5, and B,
    // which waits since 2, has it.
    check(
        r#"
        machine = { processors = 3 }
        executor = { kind = "threads", gil = "5ms", gil-request = "when-running" }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", priority = 2, program = [{ cpu = "2ms" }, "yield", { cpu = "9ms" }] },
            { name = "B", priority = 1, program = [{ cpu = "3ms" }] },
            { name = "C", priority = 1, program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAABBBCCCAAAAAA|
            cpu 1 |.................|
            cpu 2 |.................|
            A     |#####------######|
            B     |-----###         |
            C     |--------###      |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 17ms
        "#]],
    );
}

/// Both threads have a processor. A gives the object back, computes on with the interpreter lock, and asks for the object again.
fn takes_again(object: &str, take: &str, give: &str) -> String {
    format!(
        r#"
        executor = {{ kind = "threads", gil = "50ms", gil-request = "when-running" }}
        machine = {{ processors = 2 }}
        scheduler = {{ policy = "round-robin", quantum = "100ms" }}
        {object}
        task = [
            {{ name = "A", program = [{{ repeat = 2, do = [{{ {take} = "x" }}, {{ cpu = "2ms" }}, {{ sleep = "1ms" }}, {{ {give} = "x" }}, {{ cpu = "2ms" }}] }}] }},
            {{ name = "B", program = [{{ {take} = "x" }}, {{ cpu = "2ms" }}, {{ {give} = "x" }}] }},
        ]
        "#
    )
}

#[test]
fn who_is_woken_for_a_lock_of_python_takes_it_without_the_interpreter_lock() {
    // B has the lock from 3 ms on, while A computes: A must wait for it at 5.
    check(
        &takes_again("lock = [{ name = \"x\", kind = \"cpython\" }]", "lock", "unlock"),
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA.AABBAA.AA|
            cpu 1 |............|
            A     |##=##==##=##|
            B     |--=--##     |
            A = main/A#0
            B = main/B#0
            completed at 12ms
        "#]],
    );
}

#[test]
fn a_lock_of_python_3_14_is_handed_to_who_has_waited_for_more_than_a_millisecond() {
    // B has the interpreter lock at 2.5 ms, and asks for the other. At 3 ms it is free; B is woken, but has waited for half a
    // millisecond only, and A, which has the interpreter lock, takes it again, and once more at 4.5. At 5.5 B looks, and waits anew,
    // for 3 ms by now: at 6 it is handed the lock. Then A waits, from 6 ms on, and so each has waited long enough when the other ends.
    check(
        r#"
        executor = { kind = "threads", gil = "2500us", gil-request = "when-running" }
        machine = { processors = 2 }
        scheduler = { policy = "round-robin", quantum = "100ms" }
        lock = [{ name = "x", kind = "cpython-3.14" }]
        task = [
            { name = "A", program = [{ repeat = 6, do = [{ lock = "x" }, { cpu = "1500us" }, { unlock = "x" }] }] },
            { name = "B", program = [{ repeat = 3, do = [{ lock = "x" }, { cpu = "1500us" }, { unlock = "x" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |AAAAAAAAAAAABBBAAABBBAAABBB|
            cpu 1 |...........................|
            A     |############===###===###   |
            B     |-----=-----=###===###===###|
            A = main/A#0
            B = main/B#0
            completed at 13.5ms
        "#]],
    );
}

#[test]
fn who_is_woken_for_a_semaphore_of_python_must_have_the_interpreter_lock_to_look() {
    // B is woken at 3 ms and waits for the interpreter lock: A has the permit again at 5, and B the lock while A sleeps.
    check(
        &takes_again("semaphore = [{ name = \"x\", permits = 1, kind = \"cpython\" }]", "acquire", "release"),
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA.AAAA.AABB|
            cpu 1 |............|
            A     |##=####=##  |
            B     |--=----=--##|
            A = main/A#0
            B = main/B#0
            completed at 12ms
        "#]],
    );
}

/// Four tasks in a pool of two threads that share a lock, and two processors.
fn pool(parameters: &str, program: &str, expected: Expect) {
    check(
        &format!(
            r#"
            machine = {{ processors = 2 }}
            executor = {{ kind = "pool", workers = 2, {parameters} }}
            task = [{{ name = "A", count = 4, program = [{program}] }}]
            "#
        ),
        expected,
    );
}

#[test]
fn a_worker_that_has_the_lock_goes_through_the_queue() {
    // The second worker asks for the lock at 5 ms, in the middle of the third task, and only then takes one: the fourth.
    pool(
        r#"rules = "cpython-3.13""#,
        r#"{ cpu = "2ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACCDBBD|
            cpu 1 |........|
            A     |##      |
            B     |-----## |
            C     |--##    |
            D     |----#--#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            D = main/A#3
            completed at 8ms
        "#]],
    );
    // Who leaves its processor between two tasks leaves the lock to the other.
    pool(
        r#"rules = "cpython-3.13", next = "queued""#,
        r#"{ cpu = "2ms" }"#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |ABCD|
            cpu 1 |....|
            A     |#   |
            B     |-#  |
            C     |--# |
            D     |---#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            D = main/A#3
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_pool_waits_for_several_devices_at_once_but_computes_once() {
    let expected = |rules| {
        pool(
            rules,
            r#"{ cpu = "1ms" }, { sleep = "3ms" }, { cpu = "1ms" }"#,
            expect![[r#"
                1 column = 1ms
                cpu 0 |AB..ACBD.C.D|
                cpu 1 |............|
                A     |#===#       |
                B     |-#===-#     |
                C     |-----#===#  |
                D     |-------#===#|
                A = main/A#0
                B = main/A#1
                C = main/A#2
                D = main/A#3
                completed at 12ms
            "#]],
        );
    };
    // At 5 ms A ends, and its worker takes C before B comes back.
    expected(r#"rules = "cpython-3.13""#);
    expected(r#"gil = "5ms""#);
}

#[test]
fn the_ideal_lock_of_a_pool_goes_round() {
    pool(
        r#"gil = "1ms""#,
        r#"{ cpu = "2ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABABCDCD|
            cpu 1 |........|
            A     |#-#     |
            B     |-#-#    |
            C     |----#-# |
            D     |-----#-#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            D = main/A#3
            completed at 8ms
        "#]],
    );
}
