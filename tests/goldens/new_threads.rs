//! Threads that are made during a run under the interpreter lock of CPython: `Thread.start` waits until the new one is there.

use expect_test::{Expect, expect};

use super::check;

/// What two calls at once and a later one do to a pool that is empty at first.
fn called(rules: &str, expected: Expect) {
    check(
        &format!(
            r#"
            executor = {{ kind = "async", rules = "{rules}" }}
            pools = {{ aside = {{ kind = "pool", workers = 3, rules = "{rules}" }} }}
            device = [{{ name = "d", channels = "unlimited" }}]
            task = [
                {{ name = "A", count = 2, program = [{{ cpu = "2ms" }}, {{ on = "aside", do = [{{ cpu = "1ms" }}, {{ io = "d", for = "6ms" }}] }}] }},
                {{ name = "B", arrival = "14ms", program = [{{ cpu = "1ms" }}, {{ on = "aside", do = [{{ cpu = "1ms" }}] }}] }},
            ]
            "#
        ),
        expected,
    );
}

/// A thread that is made for a call must have the lock to say that it is there, and goes on with the call: who made it waits for that. Later
/// calls find it idle.
#[test]
fn a_thread_that_a_pool_makes_runs_before_who_called() {
    called(
        "cpython-3.11",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AADBBE........CF|
        A     |##-======       |
        B     |---##-======    |
        C     |              #=|
        D     |  #======       |
        E     |     #======    |
        F     |               #|
        A = main/A#0
        B = main/A#1
        C = main/B#0
        D = main.aside/A.aside#0
        E = main.aside/A.aside#1
        F = main.aside/B.aside#0
        completed at 16ms
    "#]],
    );
    called(
        "cpython-3.13",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AADBBE........CF|
        A     |##-======       |
        B     |---##-======    |
        C     |              #=|
        D     |  #======       |
        E     |     #======    |
        F     |               #|
        A = main/A#0
        B = main/A#1
        C = main/B#0
        D = main.aside/A.aside#0
        E = main.aside/A.aside#1
        F = main.aside/B.aside#0
        completed at 16ms
    "#]],
    );
}

/// So does one that a thread spawns.
#[test]
fn a_thread_that_is_spawned_runs_before_who_spawned_it() {
    check(
        r#"
        executor = { kind = "threads", rules = "cpython-3.11" }
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { spawn = "B" }, { cpu = "3ms" }, { spawn = "B" }, { cpu = "1ms" }] },
            { name = "B", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBAAACCA|
            cpu 1 |..........|
            A     |##--###--#|
            B     |  ##      |
            C     |       ## |
            A = main/A#0
            B = main/B#0
            C = main/B#1
            completed at 10ms
        "#]],
    );
}
