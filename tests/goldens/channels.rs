//! Channels: bounded queues, and the meeting of both sides.

use expect_test::expect;

use super::check;

#[test]
fn a_sender_waits_while_the_channel_is_full() {
    // A is ahead by two messages at most: at 6 ms it waits until B takes one.
    check(
        r#"
        machine = { processors = 2 }
        channel = [{ name = "c", capacity = 2 }]
        task = [
            { name = "A", program = [{ repeat = 6, do = [{ cpu = "1ms" }, { send = "c" }] }] },
            { name = "B", program = [{ repeat = 6, do = [{ recv = "c" }, { cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAA.......|
            cpu 1 |.BBBBBBBBBBBB|
            A     |######=      |
            B     |=############|
            A = main/A#0
            B = main/B#0
            completed at 13ms
        "#]],
    );
}

#[test]
fn a_receiver_waits_while_the_channel_is_empty() {
    check(
        r#"
        machine = { processors = 2 }
        channel = [{ name = "c", capacity = 2 }]
        task = [
            { name = "A", program = [{ repeat = 3, do = [{ cpu = "2ms" }, { send = "c" }] }] },
            { name = "B", program = [{ repeat = 3, do = [{ recv = "c" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAB|
            cpu 1 |..B.B..|
            A     |###### |
            B     |==#=#=#|
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn without_room_sender_and_receiver_meet() {
    // A waits for B from 1 ms to 3 ms, B for A from 4 ms to 5 ms.
    check(
        r#"
        machine = { processors = 2 }
        channel = [{ name = "c", capacity = 0 }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { send = "c" }, { cpu = "2ms" }, { send = "c" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "3ms" }, { recv = "c" }, { cpu = "1ms" }, { recv = "c" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..AAA|
            cpu 1 |BBBB.B|
            A     |#==###|
            B     |####=#|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_message_goes_to_the_most_urgent_receiver() {
    check(
        r#"
        machine = { processors = 3 }
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { send = "c" }, { cpu = "2ms" }, { send = "c" }] },
            { name = "B", program = [{ recv = "c" }, { cpu = "1ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ recv = "c" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAB|
            cpu 1 |..C..|
            cpu 2 |.....|
            A     |#### |
            B     |====#|
            C     | =#  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn room_goes_to_the_most_urgent_sender() {
    check(
        r#"
        machine = { processors = 3 }
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", program = [{ send = "c" }, { send = "c" }, { cpu = "1ms" }] },
            { name = "B", priority = 1, arrival = "1ms", program = [{ send = "c" }, { cpu = "1ms" }] },
            { name = "C", arrival = "2ms", program = [{ recv = "c" }, { cpu = "1ms" }, { recv = "c" }, { recv = "c" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..CA|
            cpu 1 |..B.|
            cpu 2 |....|
            A     |===#|
            B     | =# |
            C     |  # |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_message_goes_from_the_sender_that_waits_into_the_room_that_becomes_free() {
    // At 2 ms C takes one message, and the one that A holds takes its place at once: B, which sends later, waits.
    check(
        r#"
        machine = { processors = 3 }
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", program = [{ send = "c" }, { send = "c" }, { cpu = "2ms" }] },
            { name = "B", arrival = "3ms", program = [{ send = "c" }, { cpu = "1ms" }] },
            { name = "C", arrival = "2ms", program = [{ recv = "c" }, { cpu = "2ms" }, { recv = "c" }, { cpu = "1ms" }, { recv = "c" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..CCC|
            cpu 1 |..AAB|
            cpu 2 |.....|
            A     |==## |
            B     |   =#|
            C     |  ###|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn on_one_loop_both_sides_take_turns() {
    check(
        r#"
        executor = "async"
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", program = [{ repeat = 4, do = [{ cpu = "1ms" }, { send = "c" }] }] },
            { name = "B", program = [{ repeat = 4, do = [{ recv = "c" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBAABB|
            A     |##--##  |
            B     |--##=-##|
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn one_after_the_other_never_meet() {
    check(
        r#"
        executor = "sequential"
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { send = "c" }, { send = "c" }] },
            { name = "B", program = [{ recv = "c" }, { recv = "c" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            A     |#|
            B     |-|
            A = main/A#0
            B = main/B#0
            deadlock at 1ms
            deadlock in a cycle: A waits since 1 ms to send into channel `c`, which is full (1 of 1), and B, which could receive, waits itself, B waits for a thread of its process, which A keeps
        "#]],
    );
}

#[test]
fn nobody_is_left_to_receive() {
    check(
        r#"
        channel = [{ name = "c", capacity = 2 }]
        task = [
            { name = "A", program = [{ repeat = 5, do = [{ cpu = "1ms" }, { send = "c" }] }] },
            { name = "B", program = [{ recv = "c" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA|
            A     |####|
            B     |--- |
            A = main/A#0
            B = main/B#0
            deadlock at 4ms
            deadlock without a cycle: A waits since 4 ms to send into channel `c`, which is full (2 of 2), and nobody is left to receive
        "#]],
    );
}

#[test]
fn each_waits_for_a_message_of_the_other() {
    check(
        r#"
        channel = [{ name = "there", capacity = 1 }, { name = "back", capacity = 1 }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { recv = "back" }, { send = "there" }] },
            { name = "B", program = [{ recv = "there" }, { send = "back" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            A     |#|
            B     |-|
            A = main/A#0
            B = main/B#0
            deadlock at 1ms
            deadlock in a cycle: A waits since 1 ms to receive from channel `back`, which is empty, and B, which could send, waits itself, B waits since 1 ms to receive from channel `there`, which is empty, and A, which could send, waits itself
        "#]],
    );
}
