//! Devices: channels, and the queue in front of them.

use expect_test::expect;

use super::check;

#[test]
fn one_channel_serves_one_request() {
    check(
        r#"
        machine = { processors = 3 }
        device = [{ name = "disk" }]
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..A.B.C|
            cpu 1 |B.......|
            cpu 2 |C.......|
            A     |#==#    |
            B     |#====#  |
            C     |#======#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 8ms
        "#]],
    );
}

#[test]
fn two_channels_serve_two() {
    check(
        r#"
        machine = { processors = 3 }
        device = [{ name = "disk", channels = 2 }]
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..A.C|
            cpu 1 |B..B..|
            cpu 2 |C.....|
            A     |#==#  |
            B     |#==#  |
            C     |#====#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 6ms
        "#]],
    );
}

#[test]
fn without_limit_nobody_queues() {
    check(
        r#"
        machine = { processors = 3 }
        device = [{ name = "disk", channels = "unlimited" }]
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..A|
            cpu 1 |B..B|
            cpu 2 |C..C|
            A     |#==#|
            B     |#==#|
            C     |#==#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_request_that_names_no_duration_takes_the_devices_service() {
    check(
        r#"
        device = [{ name = "disk", service = "3ms" }]
        task = [{ name = "A", program = [{ io = "disk" }, { cpu = "1ms" }, { io = "disk", for = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |...A.|
            A     |===#=|
            A = main/A#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn who_arrives_with_a_request_needs_a_processor_to_make_it() {
    // B's request is made when B is dispatched, at 2 ms, not when it arrives.
    check(
        r#"
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ io = "disk", for = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |A.|
            A     |# |
            B     |-=|
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_task_whose_program_ends_with_a_request_ends_with_it() {
    // The processor is busy with B, but A needs none to end at 3 ms.
    check(
        r#"
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }] },
            { name = "B", program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBB|
            A     |#==  |
            B     |-####|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}
