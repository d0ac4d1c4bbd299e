//! Queues per processor: who is placed where, and who moves.

use expect_test::expect;

use crate::goldens::check;
use crate::support::{sim, temporary};

#[test]
fn a_new_thread_goes_to_the_least_loaded_processor() {
    // A to 0, B to 1, C to 0 (equal: the lowest); D, when B has left, to 1, where nobody is.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", balance = "none" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
            { name = "D", arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAACC|
            cpu 1 |B.D...|
            A     |####  |
            B     |#     |
            C     |----##|
            D     |  #   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn new_threads_go_round_the_processors_that_they_may_use() {
    // A to 0, B to 1, C (not on 2) to 0, D to 1 and E to 2: the round goes on behind whoever was chosen.
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { queues = "per-processor", placement = "round-robin", balance = "none" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", affinity = [0, 1], program = [{ cpu = "2ms" }] },
            { name = "D", program = [{ cpu = "2ms" }] },
            { name = "E", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |AC|
            cpu 1 |BD|
            cpu 2 |E.|
            A     |# |
            B     |# |
            C     |-#|
            D     |-#|
            E     |# |
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
fn without_balance_processors_stay_idle() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", placement = "first", balance = "none" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", affinity = [1], program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABB|
            cpu 1 |C...|
            A     |##  |
            B     |--##|
            C     |#   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn an_idle_processor_steals_from_the_fullest_queue() {
    // C to F are placed on processor 0. When the others are idle they take whoever would be next there: D, E, F.
    check(
        r#"
        machine = { processors = 3, migration = "1ms" }
        scheduler = { queues = "per-processor", placement = "first" }
        task = [
            { name = "A", affinity = [1], program = [{ cpu = "1ms" }] },
            { name = "B", affinity = [2], program = [{ cpu = "2ms" }] },
            { name = "C", program = [{ cpu = "4ms" }] },
            { name = "D", program = [{ cpu = "2ms" }] },
            { name = "E", program = [{ cpu = "1ms" }] },
            { name = "F", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CCCC.|
            cpu 1 |ADDFF|
            cpu 2 |BBE..|
            A     |#    |
            B     |##   |
            C     |#### |
            D     |-##  |
            E     |--#  |
            F     |---##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            E = main/E#0
            F = main/F#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn who_may_not_come_is_not_stolen() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", placement = "first" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", affinity = [0], program = [{ cpu = "2ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABB|
            cpu 1 |CC...|
            A     |###  |
            B     |---##|
            C     |##   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_thread_wakes_at_home_and_is_not_stolen_from_a_free_processor() {
    // B was placed on 1, where it wakes though 0 is idle as well and is asked first.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor" }
        task = [
            { name = "A", program = [{ cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "2ms" }, { sleep = "1ms" }, { cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A....|
            cpu 1 |BB.BB|
            A     |#    |
            B     |##=##|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn who_was_stolen_has_a_new_home() {
    // Processor 1 steals B, which sleeps and wakes there, though 0 is free as well.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", placement = "first" }
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "2ms" }, { sleep = "2ms" }, { cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA...|
            cpu 1 |BB..BB|
            A     |###   |
            B     |##==##|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn queues_are_balanced_at_multiples() {
    // At 3 ms processor 0 has four and the others none: one moves to each, in the order of its queue.
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { policy = "round-robin", quantum = "2ms", queues = "per-processor", placement = "first", balance = { every = "3ms" } }
        task = [{ name = "t", count = 4, program = [{ cpu = "4ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBAABB|
            cpu 1 |...CCCC.|
            cpu 2 |...DDDD.|
            A     |##--##  |
            B     |--##--##|
            C     |---#### |
            D     |---#### |
            A = main/t#0
            B = main/t#1
            C = main/t#2
            D = main/t#3
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_newcomer_displaces_at_home_only() {
    // C is at home on 0, where A is more urgent; that B on 1 is less urgent does not help it. D is at home there.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", placement = "round-robin", balance = "none" }
        task = [
            { name = "A", priority = 5, program = [{ cpu = "3ms" }] },
            { name = "B", priority = 1, program = [{ cpu = "4ms" }] },
            { name = "C", priority = 3, arrival = "1ms", program = [{ cpu = "1ms" }] },
            { name = "D", priority = 3, arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAC.|
            cpu 1 |BBDBB|
            A     |###  |
            B     |##-##|
            C     | --# |
            D     |  #  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn who_moves_displaces_at_its_new_home() {
    // When queues are balanced B comes to processor 1, where D is less urgent.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", placement = "first", balance = { every = "2ms" } }
        task = [
            { name = "A", priority = 3, program = [{ cpu = "4ms" }] },
            { name = "B", priority = 2, program = [{ cpu = "2ms" }] },
            { name = "C", priority = 0, program = [{ cpu = "1ms" }] },
            { name = "D", priority = 1, affinity = [1], program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAC.|
            cpu 1 |DDBBDD|
            A     |####  |
            B     |--##  |
            C     |----# |
            D     |##--##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_thread_that_carries_another_task_moves_where_that_may_run() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", balance = "none" }
        executor = "async"
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "B", affinity = [1], program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..A|
            cpu 1 |.BB.|
            A     |#=-#|
            B     |-## |
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn check_finds_nothing_to_complain_about() {
    let toml = r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", balance = { every = "1ms" } }
        task = [{ name = "t", count = 5, program = [{ cpu = "2ms" }, { sleep = "1ms" }, { cpu = "1ms" }] }]
    "#;
    let file = temporary("checked.toml", toml);
    let output = sim(&["run", &file.display().to_string(), "--check", "--quiet"]);
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
