//! The policy `priority` and its parameters.

use expect_test::expect;

use super::check;

#[test]
fn a_more_urgent_newcomer_takes_the_processor() {
    check(
        r#"
        scheduler = { policy = "priority" }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "4ms" }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBAAA|
            A     |#--###|
            B     | ##   |
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn an_equal_one_does_not() {
    check(
        r#"
        scheduler = { policy = "priority" }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "4ms" }] },
            { name = "B", priority = 1, arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAABB|
            A     |####  |
            B     | ---##|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn without_preemption_it_waits_until_the_processor_is_free() {
    check(
        r#"
        scheduler = { policy = "priority", preemptive = false }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "3ms" }] },
            { name = "B", priority = 1, program = [{ cpu = "2ms" }] },
            { name = "C", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAACCBB|
            A     |###    |
            B     |-----##|
            C     | --##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn small_numbers_may_be_urgent() {
    check(
        r#"
        scheduler = { policy = "priority", order = "low-first" }
        task = [
            { name = "A", priority = 5, program = [{ cpu = "3ms" }] },
            { name = "B", priority = 1, arrival = "1ms", program = [{ cpu = "2ms" }] },
            { name = "C", priority = -1, arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCBAA|
            A     |#---##|
            B     | #-#  |
            C     |  #   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn the_displaced_goes_to_the_head_of_its_level() {
    check(
        r#"
        scheduler = { policy = "priority" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACAABB|
            A     |#-##  |
            B     |----##|
            C     | #    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn or_to_its_tail() {
    check(
        r#"
        scheduler = { policy = "priority", preempted-to = "tail" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACBBAA|
            A     |#---##|
            B     |--##  |
            C     | #    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_quantum_takes_turns_within_a_level() {
    // A and B alternate; C, less urgent, comes when they are done and has the processor to itself.
    check(
        r#"
        scheduler = { policy = "priority", quantum = "1ms" }
        task = [
            { name = "A", priority = 1, program = [{ cpu = "3ms" }] },
            { name = "B", priority = 1, program = [{ cpu = "2ms" }] },
            { name = "C", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABABACCC|
            A     |#-#-#   |
            B     |-#-#    |
            C     |-----###|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_slice_is_fresh_after_a_displacement() {
    // A ran 1 ms of its slice of 2 ms when C came; back from the head of its level it has 2 ms again.
    check(
        r#"
        scheduler = { policy = "priority", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACAABBA|
            A     |#-##--#|
            B     |----## |
            C     | #     |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn the_victim_is_the_least_urgent() {
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", priority = 2, program = [{ cpu = "4ms" }] },
            { name = "B", priority = 1, program = [{ cpu = "4ms" }] },
            { name = "C", priority = 3, program = [{ cpu = "4ms" }] },
            { name = "D", priority = 9, arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CCCC..|
            cpu 1 |AAAA..|
            cpu 2 |BDDBBB|
            A     |####  |
            B     |#--###|
            C     |####  |
            D     | ##   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn among_equals_the_victim_is_the_one_queued_last() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "4ms" }] },
            { name = "D", priority = 9, arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA..|
            cpu 1 |BCCBBB|
            A     |####  |
            B     |#--###|
            C     | ##   |
            A = main/A#0
            B = main/B#0
            C = main/D#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn several_newcomers_take_several_processors() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "3ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
            { name = "D", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACAA.|
            cpu 1 |BDDBB|
            A     |#-## |
            B     |#--##|
            C     | #   |
            D     | ##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn an_idle_processor_is_taken_before_anybody_is_displaced() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA|
            cpu 1 |.B.|
            A     |###|
            B     | # |
            A = main/A#0
            B = main/B#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn the_displaced_may_displace_in_its_turn() {
    // D may only use processor 0 and displaces B, which goes on at processor 1 in the place of A.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        task = [
            { name = "B", priority = 2, program = [{ cpu = "3ms" }] },
            { name = "A", priority = 1, program = [{ cpu = "3ms" }] },
            { name = "D", priority = 3, arrival = "1ms", affinity = [0], program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACCBB|
            cpu 1 |BAA..|
            A     |###  |
            B     |#--##|
            C     | ##  |
            A = main/B#0
            B = main/A#0
            C = main/D#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn waiting_makes_more_urgent() {
    // B gains a level for each 2 ms it waits: at 6 ms it is more urgent than A, takes the processor and keeps it.
    check(
        r#"
        scheduler = { policy = "priority", aging = "2ms" }
        task = [
            { name = "A", priority = 2, program = [{ cpu = "8ms" }] },
            { name = "B", priority = 0, program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAABBBAA|
            A     |######---##|
            B     |------###  |
            A = main/A#0
            B = main/B#0
            completed at 11ms
        "#]],
    );
}

#[test]
fn waiting_counts_without_preemption_too() {
    // When A ends at 4 ms, B has gained two levels by waiting and C, of the same rank by then, was queued later.
    check(
        r#"
        scheduler = { policy = "priority", preemptive = false, aging = "2ms" }
        task = [
            { name = "A", priority = 9, program = [{ cpu = "4ms" }] },
            { name = "B", priority = 0, program = [{ cpu = "2ms" }] },
            { name = "C", priority = 2, arrival = "3ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAABBCC|
            A     |####    |
            B     |----##  |
            C     |   ---##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

/// As newcomers do: the first takes the processor of the one queued last.
#[test]
fn all_who_overtake_by_waiting_displace_at_once() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", aging = "2ms" }
        task = [
            { name = "A", priority = 2, count = 2, program = [{ cpu = "8ms" }] },
            { name = "B", count = 2, program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAADDDAA|
            cpu 1 |BBBBBBCCCBB|
            A     |######---##|
            B     |######---##|
            C     |------###  |
            D     |------###  |
            A = main/A#0
            B = main/A#1
            C = main/B#0
            D = main/B#1
            completed at 11ms
        "#]],
    );
}
