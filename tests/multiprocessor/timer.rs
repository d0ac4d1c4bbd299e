//! A timer for all processors.

use expect_test::expect;

use crate::goldens::check;

#[test]
fn a_global_timer_ends_all_slices_together() {
    // C starts in the middle of a slice and gets the rest. At 4 ms all go to the tail, processor by processor.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "round-robin", quantum = "4ms", timer = "global", ties = "preempted-first" }
        task = [
            { name = "A", program = [{ cpu = "6ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "5ms" }] },
            { name = "D", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAADDD.|
            cpu 1 |BCCCAACC|
            A     |######  |
            B     |#       |
            C     |-###--##|
            D     |----### |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn who_is_alone_goes_on_when_the_global_timer_rings() {
    check(
        r#"
        machine = { context-switch = "1ms" }
        scheduler = { policy = "round-robin", quantum = "2ms", timer = "global" }
        task = [{ name = "A", arrival = "1ms", program = [{ cpu = "5ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.~AAAAA|
            A     | ~#####|
            A = main/A#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn a_slice_of_the_global_timer_is_never_empty() {
    // The switch takes until the next multiple and beyond: the slice ends at the first one after it.
    check(
        r#"
        machine = { context-switch = "3ms" }
        scheduler = { policy = "round-robin", quantum = "2ms", timer = "global" }
        task = [{ name = "t", count = 2, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~A~~~B~~~A~~~B|
            A     |~~~#----~~~#    |
            B     |----~~~#----~~~#|
            A = main/t#0
            B = main/t#1
            completed at 16ms
        "#]],
    );
}

#[test]
fn priorities_with_a_quantum_obey_the_global_timer() {
    check(
        r#"
        scheduler = { policy = "priority", quantum = "3ms", timer = "global" }
        task = [
            { name = "A", program = [{ cpu = "5ms" }] },
            { name = "B", program = [{ cpu = "4ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACABBBAAAB|
            A     |#-#---### |
            B     |---###---#|
            C     | #        |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 10ms
        "#]],
    );
}
