//! The order within one instant, and where a slice ends.

use expect_test::expect;

use super::check;

#[test]
fn arrivals_come_before_slices_that_end() {
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", arrival = "2ms", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "2ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |ABCA|
            A     |#--#|
            B     | #  |
            C     | -# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn or_after_them_if_the_file_says_so() {
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms", ties = "preempted-first" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", arrival = "2ms", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "2ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |AABC|
            A     |##  |
            B     | -# |
            C     | --#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn arrivals_come_before_completions() {
    // Both are ready at 3 ms, while B runs.
    check(
        r#"
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "3ms" }] },
            { name = "C", arrival = "3ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBCA|
            A     |#==--#|
            B     |-###  |
            C     |   -# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn completions_come_before_slices_that_end() {
    // At 3 ms A's request is served and B's slice ends: A is queued first.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBAABB|
            A     |#==##  |
            B     |-##--##|
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn completions_come_in_the_order_in_which_they_were_started() {
    // B's sleep and A's request end together at 4 ms; A's began first, although B is declared first.
    check(
        r#"
        device = [{ name = "disk" }]
        task = [
            { name = "B", arrival = "1ms", program = [{ cpu = "1ms" }, { sleep = "2ms" }, { cpu = "1ms" }] },
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "3ms" }, { cpu = "1ms" }] },
            { name = "C", arrival = "2ms", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BACCCBA|
            A     | #==--#|
            B     |#===-# |
            C     |  ###  |
            A = main/B#0
            B = main/A#0
            C = main/C#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn bursts_that_end_come_first() {
    // At 2 ms A ends its burst and unlocks, which makes B ready before C arrives.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "2ms" }] }, { cpu = "3ms" }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "C", arrival = "2ms", program = [{ cpu = "1ms" }] },
            { name = "D", arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAA|
            cpu 1 |.DDBC|
            A     |#####|
            B     |==-# |
            C     |  --#|
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
fn bursts_that_end_together_end_in_the_order_of_the_processors() {
    // A and B ask for the disk at the same instant; the lower processor asks first.
    check(
        r#"
        machine = { processors = 2 }
        device = [{ name = "disk" }]
        task = [
            { name = "A", affinity = [1], program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }] },
            { name = "B", affinity = [0], program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |B....|
            cpu 1 |A....|
            A     |#====|
            B     |#==  |
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_burst_that_ends_with_its_slice_has_ended() {
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBA|
            A     |##=-#|
            B     |--## |
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn alone_at_the_end_of_a_slice_it_continues_without_a_break() {
    check(
        r#"
        machine = { context-switch = "1ms" }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [{ name = "A", program = [{ cpu = "7ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AAAAAAA|
            A     |~#######|
            A = main/A#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_new_slice_begins_then_all_the_same() {
    // A's second slice is from 2 to 4 ms, so B, which comes at 3 ms, waits for its end.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "6ms" }] },
            { name = "B", arrival = "3ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAABAA|
            A     |####-##|
            B     |   -#  |
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn a_slice_is_fresh_after_input_and_output() {
    // A used 1 ms of its slice before its request; afterwards it has all of 3 ms.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "3ms" }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "1ms" }, { cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBAAABA|
            A     |#=--###-#|
            B     |-###---# |
            A = main/A#0
            B = main/B#0
            completed at 9ms
        "#]],
    );
}

#[test]
fn a_slice_goes_on_over_operations_that_do_not_block() {
    // The lock is free: taking it does not begin a new slice.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "3ms" }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { with = "m", do = [{ cpu = "2ms" }] }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABBA|
            A     |###--#|
            B     |---## |
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_slice_begins_after_the_switch() {
    check(
        r#"
        machine = { context-switch = "1ms" }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA~BB~A|
            A     |~##---~#|
            B     |---~##  |
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn what_takes_no_time_happens_in_the_same_instant() {
    check(
        r#"
        device = [{ name = "disk", channels = "unlimited" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { sleep = "0ms" }, { io = "disk", for = "0ms" }, { cpu = "1ms" }] },
            { name = "B", arrival = "1ms", program = [{ cpu = "1ms" }] },
            { name = "C", arrival = "1ms", program = [] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABA|
            A     |#-#|
            B     | # |
            C     | - |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn a_burst_that_turns_out_longer_is_no_wake_up() {
    // A may have to wait after 1 ms. It does not, and has more ahead of it then than B, which was ready before and does not become
    // ready now; C does.
    for protocol in ["", r#", protocol = "ceiling""#] {
        check(
            &format!(
                r#"
                scheduler = {{ policy = "srtf" }}
                lock = [{{ name = "m"{protocol} }}]
                task = [
                    {{ name = "A", program = [{{ cpu = "1ms" }}, {{ lock = "m" }}, {{ unlock = "m" }}, {{ cpu = "3ms" }}] }},
                    {{ name = "B", program = [{{ cpu = "2ms" }}] }},
                    {{ name = "C", arrival = "2ms", program = [{{ cpu = "1ms" }}] }},
                ]
                "#
            ),
            expect![[r#"
                1 column = 1ms
                cpu 0 |AACBBAA|
                A     |##---##|
                B     |---##  |
                C     |  #    |
                A = main/A#0
                B = main/B#0
                C = main/C#0
                completed at 7ms
            "#]],
        );
    }
}
