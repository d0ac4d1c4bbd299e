//! Semaphores: permits, and those who wait for them.

use expect_test::expect;
use sim_core::ids::SyncId;
use sim_core::metrics::Metrics;
use sim_core::time::Span;

use super::check;
use crate::support::{run, scenario};

#[test]
fn as_many_at_once_as_there_are_permits() {
    check(
        r#"
        machine = { processors = 3 }
        semaphore = [{ name = "s", permits = 2 }]
        task = [{ name = "A", count = 4, program = [{ acquire = "s" }, { cpu = "2ms" }, { release = "s" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAADDD|
            cpu 1 |BBB...|
            cpu 2 |..CCC.|
            A     |###   |
            B     |###   |
            C     |==### |
            D     |==-###|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            D = main/A#3
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_permit_goes_to_the_most_urgent() {
    check(
        r#"
        machine = { processors = 3 }
        semaphore = [{ name = "s", permits = 1 }]
        task = [
            { name = "A", program = [{ acquire = "s", do = [{ cpu = "3ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ acquire = "s", do = [{ cpu = "1ms" }] }] },
            { name = "C", priority = 1, arrival = "2ms", program = [{ acquire = "s", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAACB|
            cpu 1 |.....|
            cpu 2 |.....|
            A     |###  |
            B     | ===#|
            C     |  =# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn whoever_has_no_permit_can_add_one() {
    // A semaphore as a signal: B goes on when A says so, twice.
    check(
        r#"
        machine = { processors = 2 }
        semaphore = [{ name = "s", permits = 0 }]
        task = [
            { name = "A", program = [{ repeat = 2, do = [{ cpu = "2ms" }, { release = "s" }] }] },
            { name = "B", program = [{ repeat = 2, do = [{ acquire = "s" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAB|
            cpu 1 |..B..|
            A     |#### |
            B     |==#=#|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn several_permits_at_once() {
    // B waits for two and does not let C pass, which wants only one: first come, first served.
    check(
        r#"
        machine = { processors = 4 }
        semaphore = [{ name = "s", permits = 3 }]
        task = [
            { name = "A", count = 2, program = [{ acquire = "s", do = [{ cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", arrival = "1ms", program = [{ acquire = "s", count = 2, do = [{ cpu = "1ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ acquire = "s", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA|
            cpu 1 |BBB|
            cpu 2 |..C|
            cpu 3 |..D|
            A     |###|
            B     |###|
            C     | =#|
            D     | =#|
            A = main/A#0
            B = main/A#1
            C = main/B#0
            D = main/C#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn in_a_loop_other_tasks_go_on() {
    check(
        r#"
        executor = "async"
        semaphore = [{ name = "s", permits = 1 }]
        task = [
            { name = "A", program = [{ acquire = "s" }, { cpu = "1ms" }, { sleep = "2ms" }, { release = "s" }, { cpu = "1ms" }] },
            { name = "B", program = [{ acquire = "s" }, { cpu = "1ms" }, { release = "s" }] },
            { name = "C", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AC.AB|
            A     |#==# |
            B     |-==-#|
            C     |-#   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn each_has_a_permit_and_waits_for_another() {
    check(
        r#"
        machine = { processors = 2 }
        semaphore = [{ name = "s", permits = 2 }]
        task = [
            { name = "A", count = 2, program = [{ acquire = "s" }, { cpu = "1ms" }, { acquire = "s" }, { release = "s", count = 2 }] },
            { name = "B", program = [{ acquire = "s", count = 2 }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            cpu 1 |B|
            A     |#|
            B     |#|
            C     |-|
            A = main/A#0
            B = main/A#1
            C = main/B#0
            deadlock at 1ms
            deadlock in a cycle: A#0 waits since 1 ms for a permit of semaphore `s`, of which none is free, held by itself since 0 ns and A#1 since 0 ns; A#1 waits since 1 ms for a permit of semaphore `s`, of which none is free, held by A#0 since 0 ns and itself since 0 ns; B waits since 1 ms for 2 permits of semaphore `s`, of which none is free, held by A#0 since 0 ns and A#1 since 0 ns
        "#]],
    );
}

#[test]
fn permits_that_nobody_gives() {
    check(
        r#"
        semaphore = [{ name = "s", permits = 1 }]
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }, { acquire = "s" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB|
            A     |# |
            B     |-#|
            A = main/A#0
            B = main/A#1
            deadlock at 2ms
            deadlock without a cycle: A#1 waits since 2 ms for a permit of semaphore `s`, of which none is free, and nobody is left to release one
        "#]],
    );
}

#[test]
fn one_request_for_several_permits_is_one_acquisition() {
    // Its hold lasts until the last of them is given back, in whichever pieces.
    let toml = r#"
        machine = { processors = 4 }
        semaphore = [{ name = "s", permits = 5 }]
        task = [
            { name = "A", program = [
                { acquire = "s", count = 4 }, { cpu = "1ms" }, { release = "s", count = 3 }, { cpu = "3ms" }, { release = "s" },
            ] },
            { name = "B", program = [{ acquire = "s", count = 3 }, { cpu = "1ms" }, { release = "s", count = 3 }] },
            { name = "C", arrival = "5ms", program = [{ acquire = "s", count = 5 }] },
        ]
    "#;
    let mut metrics = Metrics::default();
    run(&scenario(toml)).0.replay(&mut metrics);
    let sums = &metrics.syncs[SyncId(0)];
    assert_eq!((sums.acquisitions, sums.contended, sums.added), (3, 1, 0));
    // B waits for 1 ms. They hold it for 4 ms, for 1 ms, and, as C never gives it back, not at all.
    assert_eq!((sums.waited, sums.held), (Span::from_ms(1), Span::from_ms(5)));
}

#[test]
fn a_holder_of_several_permits_is_told_once() {
    check(
        r#"
        semaphore = [{ name = "s", permits = 3 }]
        task = [
            { name = "A", program = [{ acquire = "s", count = 3 }, { acquire = "s" }, { release = "s", count = 4 }] },
            { name = "B", count = 2, arrival = "1ms", program = [{ acquire = "s", count = 2 }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.|
            A     |=|
            B     | |
            C     | |
            A = main/A#0
            B = main/B#0
            C = main/B#1
            deadlock at 1ms
            deadlock in a cycle: A waits since 0 ns for a permit of semaphore `s`, of which none is free, held by itself (3 permits) since 0 ns; B#0 and B#1 wait since 1 ms for 2 permits of semaphore `s`, of which none is free, held by A (3 permits) since 0 ns
        "#]],
    );
}
