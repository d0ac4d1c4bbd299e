//! Locks whose holder is lent urgency: inheritance and ceilings.

use expect_test::expect;

use super::check;

#[test]
fn without_a_protocol_the_middle_one_keeps_the_most_urgent_waiting() {
    // B, in the middle, runs before A, for whose lock C waits.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }]
        task = [
            { name = "A", priority = 1, program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 2, arrival = "2ms", program = [{ cpu = "3ms" }] },
            { name = "C", priority = 3, arrival = "2ms", program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACBBBAACCA|
            A     |##----##--#|
            B     |  -###     |
            C     |  #=====## |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 11ms
        "#]],
    );
}

#[test]
fn whoever_holds_the_lock_inherits_the_urgency_of_who_waits() {
    // From 3 ms, when C waits, A runs as C would; from 5 ms, when it gives the lock back, as itself: B goes first.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 2, arrival = "2ms", program = [{ cpu = "3ms" }] },
            { name = "C", priority = 3, arrival = "2ms", program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACAACCBBBA|
            A     |##-##-----#|
            B     |  -----### |
            C     |  #==##    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 11ms
        "#]],
    );
}

#[test]
fn whoever_holds_the_lock_runs_at_its_ceiling() {
    // From 1 ms A is as urgent as C ever is: C, when it comes, is not more urgent and waits for the processor.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "ceiling" }]
        task = [
            { name = "A", priority = 1, program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 2, arrival = "2ms", program = [{ cpu = "3ms" }] },
            { name = "C", priority = 3, arrival = "2ms", program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAACCCBBBA|
            A     |####------#|
            B     |  -----### |
            C     |  --###    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 11ms
        "#]],
    );
}

#[test]
fn inheritance_passes_from_lock_to_lock() {
    // D waits for B's lock, and B for A's: A runs as D would. Without that C would run from 4 ms.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "a", protocol = "inherit" }, { name = "b", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "a", do = [{ cpu = "4ms" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ with = "b", do = [{ cpu = "1ms" }, { with = "a", do = [{ cpu = "1ms" }] }] }, { cpu = "1ms" }] },
            { name = "C", priority = 3, arrival = "3ms", program = [{ cpu = "2ms" }] },
            { name = "D", priority = 4, arrival = "3ms", program = [{ cpu = "1ms" }, { with = "b", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABADAABDCCBA|
            A     |#-#-##-----#|
            B     | #====#---# |
            C     |   -----##  |
            D     |   #===#    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 12ms
        "#]],
    );
}

#[test]
fn who_is_lent_urgency_keeps_its_place_among_equals() {
    // At 2 ms E became ready, then L was put off, to the tail. Lent the urgency of H it is as urgent as E, behind it.
    check(
        r#"
        scheduler = { policy = "priority", preempted-to = "tail" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "L", priority = 1, program = [{ with = "m", do = [{ cpu = "5ms" }] }] },
            { name = "H", priority = 2, arrival = "2ms", program = [{ cpu = "2ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "E", priority = 2, arrival = "2ms", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBCCCAAAB|
            A     |##-----### |
            B     |  ##======#|
            C     |  --###    |
            A = main/L#0
            B = main/H#0
            C = main/E#0
            completed at 11ms
        "#]],
    );
}

#[test]
fn a_lock_without_a_protocol_passes_nothing_on() {
    // B inherits from D, but the lock for which it waits is a plain one: A does not, and C runs.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "a" }, { name = "b", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "a", do = [{ cpu = "4ms" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ with = "b", do = [{ cpu = "1ms" }, { with = "a", do = [{ cpu = "1ms" }] }] }, { cpu = "1ms" }] },
            { name = "C", priority = 3, arrival = "3ms", program = [{ cpu = "2ms" }] },
            { name = "D", priority = 4, arrival = "3ms", program = [{ cpu = "1ms" }, { with = "b", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABADCCAABDBA|
            A     |#-#---##---#|
            B     | #======#-# |
            C     |   -##      |
            D     |   #=====#  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 12ms
        "#]],
    );
}

#[test]
fn ceilings_prevent_a_deadlock() {
    // Taken in opposite orders: while A has one lock, nobody who uses it gets the processor.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "a", protocol = "ceiling" }, { name = "b", protocol = "ceiling" }]
        task = [
            { name = "A", priority = 1, program = [{ cpu = "1ms" }, { lock = "a" }, { cpu = "2ms" }, { lock = "b" }, { cpu = "1ms" }, { unlock = "b" }, { unlock = "a" }, { cpu = "1ms" }] },
            { name = "B", priority = 2, arrival = "2ms", program = [{ lock = "b" }, { cpu = "1ms" }, { lock = "a" }, { cpu = "1ms" }, { unlock = "a" }, { unlock = "b" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAABBA|
            A     |####--#|
            B     |  --## |
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn the_inner_lock_gives_back_only_what_it_lent() {
    // A holds both. From 1 ms, when D waits for the inner lock, it runs as D would; from 4 ms, when C waits for the outer
    // one, as C would, before B; from 6 ms as itself.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "outer", protocol = "inherit" }, { name = "inner", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "outer", do = [{ with = "inner", do = [{ cpu = "3ms" }] }, { cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
            { name = "C", priority = 3, arrival = "1ms", program = [{ with = "outer", do = [{ cpu = "1ms" }] }] },
            { name = "D", priority = 4, arrival = "1ms", program = [{ with = "inner", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAADAACBBA|
            A     |###-##---#|
            B     | ------## |
            C     | ---==#   |
            D     | ==#      |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 10ms
        "#]],
    );
}

#[test]
fn who_is_made_more_urgent_while_it_is_ready_goes_to_the_head_of_its_level() {
    // B waits from 3 ms; A, which stands in for it, is ahead of C, which is as urgent and has waited since 2 ms.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "m", do = [{ cpu = "4ms" }] }] },
            { name = "B", priority = 2, arrival = "2ms", program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "C", priority = 2, arrival = "2ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABAACCB|
            A     |##-##   |
            B     |  #==--#|
            C     |  ---## |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn who_is_made_more_urgent_takes_a_processor_from_another() {
    // At 3 ms C waits for A, which gets the processor that C leaves. D comes at 4 ms: the least urgent of those who run is
    // B. At 5 ms A is less urgent again, and B takes its processor.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "m", do = [{ cpu = "4ms" }] }, { cpu = "2ms" }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ cpu = "5ms" }] },
            { name = "C", priority = 4, arrival = "2ms", program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "D", priority = 3, arrival = "4ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACAABB.|
            cpu 1 |.BBBDCAA|
            A     |##-##-##|
            B     | ###-## |
            C     |  #==#  |
            D     |    #   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn who_waits_on_another_processor_lends_urgency_to_who_runs() {
    // B waits from 1 ms; when C comes at 2 ms, A runs as urgently as B and is not displaced.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "m", do = [{ cpu = "4ms" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 4, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
            { name = "C", priority = 2, arrival = "2ms", count = 2, program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAADDA|
            cpu 1 |..CCBB.|
            A     |####--#|
            B     | ===## |
            C     |  ##   |
            D     |  --## |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/C#1
            completed at 7ms
        "#]],
    );
}

#[test]
fn the_low_numbers_are_lent_when_they_are_the_urgent_ones() {
    check(
        r#"
        scheduler = { policy = "priority", order = "low-first" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", priority = 3, program = [{ with = "m", do = [{ cpu = "3ms" }] }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAACBB|
            A     |###   |
            B     | ---##|
            C     | ==#  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn without_preemption_the_holder_is_next_instead_of_displacing() {
    // B waits from 4 ms for the lock of A, which is ready: A is before C, which is more urgent than A is itself.
    check(
        r#"
        scheduler = { policy = "priority", preemptive = false }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ lock = "m" }, { cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }, { unlock = "m" }] },
            { name = "B", priority = 3, arrival = "1ms", program = [{ cpu = "3ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "C", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBABCC|
            A     |#=--#   |
            B     | ###=#  |
            C     | -----##|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn periods_are_lent_under_rate_monotonic() {
    // A runs with the period of C from 2 ms on, before B.
    check(
        r#"
        until = "20ms"
        scheduler = { policy = "rate-monotonic" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", period = "20ms", program = [{ with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", period = "15ms", arrival = "1ms", jobs = 1, program = [{ cpu = "4ms" }] },
            { name = "C", period = "10ms", arrival = "1ms", jobs = 1, program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACAACBBBBA..........|
            A     |#-##-----#==========|
            B     | ----####           |
            C     | #==#               |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            horizon at 20ms
        "#]],
    );
}

#[test]
fn deadlines_are_lent_under_edf() {
    // A has until 20 ms, B until 12 ms; C, which waits for A, until 9 ms.
    check(
        r#"
        scheduler = { policy = "edf" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "A", period = "20ms", jobs = 1, program = [{ with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", period = "11ms", arrival = "1ms", jobs = 1, program = [{ cpu = "4ms" }] },
            { name = "C", period = "8ms", arrival = "1ms", jobs = 1, program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACAACBBBBA|
            A     |#-##-----#|
            B     | ----#### |
            C     | #==#     |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 10ms
        "#]],
    );
}

#[test]
fn under_edf_the_ceiling_is_the_shortest_deadline_from_now() {
    // A has the lock at 1 ms, so its deadline is 9 ms until it gives it back: B, due at 10 ms, waits; C, due at 8 ms, does not.
    check(
        r#"
        scheduler = { policy = "edf" }
        lock = [{ name = "m", protocol = "ceiling" }]
        task = [
            { name = "A", period = "20ms", jobs = 1, program = [{ cpu = "1ms" }, { with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", period = "8ms", arrival = "2ms", jobs = 1, program = [{ cpu = "2ms" }] },
            { name = "C", period = "5ms", arrival = "3ms", jobs = 1, program = [{ cpu = "1ms" }] },
            { name = "D", period = "8ms", arrival = "12ms", jobs = 1, program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAACABBA....D|
            A     |###-#--#     |
            B     |  ---##      |
            C     |   #         |
            D     |            #|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 13ms
        "#]],
    );
}

#[test]
fn an_event_loop_is_as_urgent_as_the_task_it_carries() {
    // The loop runs as B while its task A has B's lock.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        process = [
            { name = "loop", executor = "async", task = [{ name = "A", priority = 1, program = [{ with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] }] },
            { name = "others", task = [
                { name = "B", priority = 3, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
                { name = "C", priority = 2, arrival = "1ms", program = [{ cpu = "2ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABCCA|
            A     |###---#|
            B     | ==#   |
            C     | ---## |
            A = loop/A#0
            B = others/B#0
            C = others/C#0
            completed at 7ms
        "#]],
    );
}
