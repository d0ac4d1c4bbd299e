//! First come, first served; turns; the shortest first.

use expect_test::expect;

use super::check;

#[test]
fn fifo_runs_each_until_it_blocks() {
    check(
        r#"
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { io = "disk", for = "1ms" }, { cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABCCB|
            A     |###    |
            B     |---#=-#|
            C     |----## |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn fifo_on_two_processors_has_one_queue() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "3ms" }] },
            { name = "D", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAD|
            cpu 1 |BCCC|
            A     |### |
            B     |#   |
            C     |-###|
            D     |---#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn round_robin_takes_turns() {
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABCCACC|
            A     |##---#  |
            B     |--#     |
            C     |---##-##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn round_robin_on_two_processors_ends_slices_in_the_order_of_the_processors() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "round-robin", quantum = "1ms" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACC|
            cpu 1 |BAB|
            A     |## |
            B     |#-#|
            C     |-##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn the_shortest_next_burst_first() {
    check(
        r#"
        scheduler = { policy = "sjf" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BCCAAA|
            A     |---###|
            B     |#     |
            C     |-##   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn the_shortest_first_does_not_preempt_and_equals_keep_their_order() {
    // What counts is the next burst, not the whole program: D's first burst is the shortest.
    check(
        r#"
        scheduler = { policy = "sjf" }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", arrival = "1ms", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "2ms" }] },
            { name = "D", arrival = "2ms", program = [{ cpu = "1ms" }, { io = "disk", for = "1ms" }, { cpu = "5ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAADBBCCDDDDD|
            A     |###          |
            B     | ---##       |
            C     | -----##     |
            D     |  -#=---#####|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 13ms
        "#]],
    );
}

#[test]
fn bursts_in_a_row_are_one_burst() {
    // B's next burst is 2 + 2 ms, longer than A's.
    check(
        r#"
        scheduler = { policy = "sjf" }
        task = [
            { name = "B", program = [{ cpu = "2ms" }, { cpu = "2ms" }] },
            { name = "A", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBBAAAA|
            A     |---####|
            B     |###    |
            A = main/B#0
            B = main/A#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn a_worker_is_as_urgent_as_the_task_that_it_has_come_to() {
    // The loop became ready for A, which has no deadline. When C comes, it runs B, whose deadline is before that of C.
    check(
        r#"
        until = "6ms"
        scheduler = { policy = "edf" }
        process = [
            { name = "p", executor = "async", task = [
                { name = "A", program = [{ cpu = "1ms" }] },
                { name = "B", period = "6ms", deadline = "4ms", jobs = 1, program = [{ cpu = "3ms" }] },
            ] },
            { name = "q", task = [{ name = "C", arrival = "2ms", period = "9ms", jobs = 1, program = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBC|
            A     |#    |
            B     |-### |
            C     |  --#|
            A = p/A#0
            B = p/B#0
            C = q/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn slices_of_round_robin_end_at_ticks_where_there_are_some() {
    // The first tick is at 1 ms: a slice of two ticks from 0 is over at 5, the next one at 13, whatever is written before it.
    check(
        r#"
        machine = { tick = "4ms", tick-phase = "1ms" }
        scheduler = { policy = "round-robin", quantum = "6ms" }
        task = [
            { name = "A", program = [{ cpu = "10ms" }] },
            { name = "B", program = [{ cpu = "10ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAABBBBBBBBAAAAABB|
            A     |#####--------#####  |
            B     |-----########-----##|
            A = main/A#0
            B = main/B#0
            completed at 20ms
        "#]],
    );
}
