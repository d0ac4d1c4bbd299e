//! Batches and pools: whose turn is next, who steals and who helps, after rayon.

use expect_test::expect;

use super::check;

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
