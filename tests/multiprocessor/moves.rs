//! Who moves to the queue of another processor: when, and what becomes of it there.

use expect_test::expect;

use crate::goldens::check;

#[test]
fn the_fullest_queue_is_stolen_from() {
    // B waits on 0, D and E on 1: processor 2 takes D, and then, of queues with one each, the first.
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { queues = "per-processor", placement = "first" }
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "4ms" }] },
            { name = "B", affinity = [0, 2], program = [{ cpu = "1ms" }] },
            { name = "C", affinity = [1], program = [{ cpu = "4ms" }] },
            { name = "D", affinity = [1, 2], program = [{ cpu = "1ms" }] },
            { name = "E", affinity = [1, 2], program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA|
            cpu 1 |CCCC|
            cpu 2 |DBE.|
            A     |####|
            B     |-#  |
            C     |####|
            D     |#   |
            E     |--# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            E = main/E#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn queues_are_balanced_after_slices_that_end() {
    // At 2 ms the slice of A has ended, so B is the next one: it moves.
    check(
        r#"
        machine = { processors = 2 }
        task = [{ name = "A", program = [{ cpu = "4ms" }] }, { name = "B", program = [{ cpu = "4ms" }] }]
        [scheduler]
        policy = "round-robin"
        quantum = "2ms"
        ties = "preempted-first"
        queues = "per-processor"
        placement = "first"
        balance = { every = "2ms" }
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |AA.|
            cpu 1 |.BB|
            A     |## |
            B     |-##|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn queues_are_balanced_again_and_again() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", placement = "first", balance = { every = "2ms" } }
        task = [
            { name = "A", program = [{ cpu = "8ms" }] },
            { name = "B", arrival = "3ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAAA|
            cpu 1 |....BB..|
            A     |########|
            B     |   -##  |
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_boost_moves_nobody() {
    // There are boosts at 2 ms and 4 ms; queues are balanced at 3 ms.
    check(
        r#"
        machine = { processors = 2 }
        task = [{ name = "A", program = [{ cpu = "4ms" }] }, { name = "B", program = [{ cpu = "4ms" }] }]
        [scheduler]
        policy = "mlfq"
        levels = [{ quantum = "4ms" }]
        boost = "2ms"
        queues = "per-processor"
        placement = "first"
        balance = { every = "3ms" }
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA...|
            cpu 1 |...BBBB|
            A     |####   |
            B     |---####|
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn who_moves_displaces_nobody_if_the_policy_does_not() {
    // B is more urgent than D, and waits for it all the same.
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", priority = 3, program = [{ cpu = "4ms" }] },
            { name = "B", priority = 2, program = [{ cpu = "2ms" }] },
            { name = "C", priority = 0, program = [{ cpu = "1ms" }] },
            { name = "D", priority = 1, affinity = [1], program = [{ cpu = "4ms" }] },
        ]
        [scheduler]
        policy = "priority"
        preemptive = false
        queues = "per-processor"
        placement = "first"
        balance = { every = "2ms" }
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAC.|
            cpu 1 |DDDDBB|
            A     |####  |
            B     |----##|
            C     |----# |
            D     |####  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn who_moves_with_another_task_is_new_there() {
    // The thread of A wakes with B, which may run on 1 only: there its burst is guessed at 4 ms as that of everybody new,
    // so it comes after D.
    check(
        r#"
        machine = { processors = 2 }
        [scheduler]
        policy = "sjf"
        estimate = { ewma = 0.5, initial = "4ms" }
        queues = "per-processor"
        balance = "none"
        [[process]]
        name = "p"
        executor = "async"
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "1ms" }] },
            { name = "B", affinity = [1], arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        [[process]]
        name = "q"
        task = [
            { name = "C", affinity = [1], program = [{ cpu = "3ms" }] },
            { name = "D", affinity = [1], arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A....|
            cpu 1 |CCCDB|
            A     |#    |
            B     |  --#|
            C     |###  |
            D     | --# |
            A = p/A#0
            B = p/B#0
            C = q/C#0
            D = q/D#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn who_moves_with_another_task_leaves_nothing_behind() {
    // When the thread of A goes on with B, which may run on 1 only, C and D have shares of 3 ms on 0, not 2 ms.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "cfs", latency = "6ms", queues = "per-processor", balance = "none" }
        [[process]]
        name = "p"
        executor = "async"
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "1ms" }] },
            { name = "B", affinity = [1], program = [{ cpu = "1ms" }] },
        ]
        [[process]]
        name = "q"
        task = [
            { name = "C", affinity = [0], program = [{ cpu = "3ms" }] },
            { name = "D", affinity = [0], program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACCCDDD|
            cpu 1 |.B.....|
            A     |#      |
            B     |-#     |
            C     |-###   |
            D     |----###|
            A = p/A#0
            B = p/B#0
            C = q/C#0
            D = q/D#0
            completed at 7ms
        "#]],
    );
}
