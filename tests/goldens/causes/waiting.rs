//! Ready, and not running.

use super::*;

#[test]
fn a_processor_is_waited_for_behind_whoever_is_on_it() {
    check(
        r#"
        machine = { context-switch = "1ms", charge-first-switch = false }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA~BB~C~AA|
            A     |##-----~##|
            B     |--~##     |
            C     | ----~#   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  4ms running
                  2ms waiting processor 0 behind B#0
                  1ms overhead
                  1ms waiting processor 0 behind B#0 switching
                  1ms waiting processor 0 behind C#0
                  1ms waiting processor 0 behind C#0 switching
            B#0
                  2ms running
                  2ms waiting processor 0 behind A#0
                  1ms overhead
            C#0
                  2ms waiting processor 0 behind B#0
                  1ms running
                  1ms overhead
                  1ms waiting processor 0 behind A#0
                  1ms waiting processor 0 behind B#0 switching
        "#]],
    );
}

#[test]
fn with_several_processors_it_is_the_one_that_the_task_got() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ cpu = "5ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "4ms" }] },
            { name = "D", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAD|
            cpu 1 |BBCCCC|
            A     |##### |
            B     |##    |
            C     | -####|
            D     | ----#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            A#0
                  5ms running
            B#0
                  2ms running
            C#0
                  4ms running
                  1ms waiting processor 1 behind B#0
            D#0
                  4ms waiting processor 0 behind A#0
                  1ms running
        "#]],
    );
}

#[test]
fn a_processor_that_may_not_be_used_is_nobodys_fault() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "fifo", queues = "per-processor", placement = "round-robin", balance = { every = "4ms" } }
        task = [
            { name = "A", program = [{ cpu = "9ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAAAA|
            cpu 1 |B...C....|
            A     |#########|
            B     |#        |
            C     |----#    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  9ms running
            B#0
                  1ms running
            C#0
                  3ms waiting nobody 1
                  1ms running
                  1ms waiting processor 1 behind B#0
        "#]],
    );
}

#[test]
fn who_never_ran_waited_behind_whoever_was_busy() {
    check(
        r#"
        until = "3ms"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ cpu = "9ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { sleep = "9ms" }] },
            { name = "C", program = [{ cpu = "9ms" }] },
            { name = "D", program = [{ cpu = "1ms" }] },
            { name = "E", arrival = "5ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA|
            cpu 1 |BCC|
            A     |###|
            B     |#==|
            C     |-##|
            D     |---|
            E     |   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            E = main/E#0
            A#0
                  3ms running
            B#0
                  2ms blocked timer
                  1ms running
            C#0
                  2ms running
                  1ms waiting processor 1 behind B#0
            D#0
                  3ms waiting processor 0 behind A#0
            E#0
        "#]],
    );
}

#[test]
fn of_many_who_never_ran_each_waits_where_its_kind_ran_last() {
    // On the processor of their kind, not on that of who ran last of all.
    check(
        r#"
        until = "2ms"
        machine = { processors = 2 }
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "9ms" }] },
            { name = "B", affinity = [1], count = 3, program = [{ cpu = "1ms" }, { sleep = "9ms" }] },
            { name = "C", arrival = "1ms", affinity = [1], program = [{ cpu = "9ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA|
            cpu 1 |BC|
            A     |##|
            B     |#=|
            C     |-#|
            D     |--|
            E     | -|
            A = main/A#0
            B = main/B#0
            C = main/B#1
            D = main/B#2
            E = main/C#0
            A#0
                  2ms running
            B#0
                  1ms running
                  1ms blocked timer
            B#1
                  1ms running
                  1ms waiting processor 1 behind B#0
            B#2
                  1ms waiting processor 1 behind B#0
                  1ms waiting processor 1 behind B#1
            C#0
                  1ms waiting processor 0 behind A#0
        "#]],
    );
}

// The runtime's floor.

#[test]
fn who_ends_with_a_request_that_blocks_the_thread_is_in_the_way_to_its_end() {
    check(
        r#"
        executor = "async"
        device = [{ name = "d" }]
        task = [
            { name = "X", program = [{ cpu = "1ms" }, { io = "d", for = "3ms", blocking = true }] },
            { name = "Y", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A...B|
            A     |#=== |
            B     |----#|
            A = main/X#0
            B = main/Y#0
            X#0
                  3ms blocked device-service d
                  1ms running
            Y#0
                  3ms waiting runtime behind X#0 blocked d
                  1ms running
                  1ms waiting runtime behind X#0
        "#]],
    );
}
