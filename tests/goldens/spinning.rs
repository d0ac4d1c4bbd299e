//! Locks for which tasks spin before they block.

use expect_test::expect;

use super::check;

#[test]
fn a_lock_handed_over_to_one_who_spins() {
    // B spins for 1 ms and has the lock: it has never left its processor.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "2ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAC|
            cpu 1 |.BBB|
            A     |### |
            B     | ###|
            C     | --#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn who_has_spun_for_long_enough_blocks() {
    // B spins from 1 ms to 3 ms; then C has its processor.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "2ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "5ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAB|
            cpu 1 |.BBC..|
            A     |##### |
            B     | ##==#|
            C     | --#  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn who_spins_can_lose_its_processor_and_has_the_lock_when_it_is_back() {
    // B spins at 1 ms and at 3 ms, on the only processor, in vain; at 5 ms A hands the lock over to B, which is ready.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        lock = [{ name = "m", spin = "9ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "3ms" }] }, { cpu = "1ms" }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABABABA|
            A     |#-#-#-#|
            B     |-#-#-# |
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn a_task_of_a_loop_that_spins_keeps_the_loop() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "1ms" }]
        process = [
            { name = "p", task = [{ name = "A", program = [{ with = "m", do = [{ cpu = "4ms" }] }] }] },
            { name = "loop", executor = "async", task = [
                { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
                { name = "C", program = [{ cpu = "2ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAB|
            cpu 1 |BCC..|
            A     |#### |
            B     |#===#|
            C     |-##  |
            A = p/A#0
            B = loop/B#0
            C = loop/C#0
            completed at 5ms
        "#]],
    );
}
