//! Slices that end while there is a processor for everybody: nobody moves without need.

use expect_test::expect;

use crate::goldens::check;
use crate::support::{run, scenario};

#[test]
fn a_thread_whose_slice_ends_does_not_pay_for_a_free_processor() {
    // Processor 0 is free from 1 ms on, but B stays on 1: it pays for its first dispatch only.
    let (_, ending) = run(&scenario(
        r#"
        machine = { processors = 2, context-switch = "5us", migration = "10us" }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [{ name = "A", program = [{ cpu = "1ms" }] }, { name = "B", program = [{ cpu = "5ms" }] }]
        "#,
    ));
    assert_eq!(ending.at.ns(), 5_005_000);
}

/// Two processors in turns of 2 ms: A leaves 0 free at 1 ms, and the slice of B on 1 ends at 2 ms. Then others come.
fn check_with(scheduler: &str, others: &str, expected: expect_test::Expect) {
    let toml = format!(
        r#"
        machine = {{ processors = 2 }}
        scheduler = {{ policy = "round-robin", quantum = "2ms"{scheduler} }}
        task = [
            {{ name = "A", program = [{{ cpu = "1ms" }}] }},
            {{ name = "B", program = [{{ cpu = "5ms" }}] }},
            {others}
        ]
        "#
    );
    check(&toml, expected);
}

const C: &str = r#"{ name = "C", arrival = "2ms", program = [{ cpu = "1ms" }] },"#;

#[test]
fn others_go_to_the_free_processors() {
    check_with(
        "",
        C,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.C..|
            cpu 1 |BBBBB|
            A     |#    |
            B     |#####|
            C     |  #  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn where_some_must_wait_it_queues_like_everybody_else() {
    let d = r#"{ name = "D", arrival = "2ms", program = [{ cpu = "2ms" }] },"#;
    check_with(
        "",
        &format!("{C} {d}"),
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.CBBB|
            cpu 1 |BBDD..|
            A     |#     |
            B     |##-###|
            C     |  #   |
            D     |  ##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn it_makes_room_for_one_who_may_use_no_other_processor() {
    check_with(
        "",
        &C.replace("arrival", "affinity = [1], arrival"),
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.BBB|
            cpu 1 |BBC..|
            A     |#    |
            B     |#####|
            C     |  #  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn when_the_timer_is_global_it_queues_as_always() {
    // Ahead of B in the queue, C takes processor 0 at 2 ms; at 4 ms B is alone and takes the first that is free.
    check_with(
        r#", timer = "global""#,
        C,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.C.B|
            cpu 1 |BBBB.|
            A     |#    |
            B     |#####|
            C     |  #  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
    check_with(
        r#", timer = "global""#,
        "",
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.BBB|
            cpu 1 |BB...|
            A     |#    |
            B     |#####|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

/// With queues per processor: A and C have run on 0 when the slice of B ends on 1, and D comes to the queue there.
fn check_queues(scheduler: &str, urgency: i64, expected: expect_test::Expect) {
    let toml = format!(
        r#"
        machine = {{ processors = 2 }}
        scheduler = {{ queues = "per-processor", placement = "round-robin", quantum = "2ms", {scheduler} }}
        task = [
            {{ name = "A", program = [{{ cpu = "1ms" }}] }},
            {{ name = "B", priority = {urgency}, program = [{{ cpu = "4ms" }}] }},
            {{ name = "C", arrival = "1ms", program = [{{ cpu = "1ms" }}] }},
            {{ name = "D", arrival = "2ms", program = [{{ cpu = "1ms" }}] }},
        ]
        "#
    );
    check(&toml, expected);
}

#[test]
fn who_is_stolen_is_not_one_whose_slice_has_just_ended() {
    // B is the most urgent of its queue, and would be stolen first.
    check_queues(
        r#"policy = "priority""#,
        2,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACD.|
            cpu 1 |BBBB|
            A     |#   |
            B     |####|
            C     | #  |
            D     |  # |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn queues_that_nobody_leaves_have_turns_of_their_own() {
    // D can be given no other processor, though one is free: it has its turn.
    check_queues(
        r#"policy = "round-robin", balance = "none""#,
        0,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AC...|
            cpu 1 |BBDBB|
            A     |#    |
            B     |##-##|
            C     | #   |
            D     |  #  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 5ms
        "#]],
    );
}
