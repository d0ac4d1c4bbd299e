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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
    );
}
