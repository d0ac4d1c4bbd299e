//! Variables: what tasks do according to what others have left.

use expect_test::expect;

use super::check;
use crate::support::{run, scenario};

#[test]
fn one_of_two_lists_is_done() {
    check(
        r#"
        variable = [{ name = "x", value = 2 }, { name = "y" }]
        task = [{ name = "A", program = [
            { if = "x > 1 and y == 0", do = [{ cpu = "1ms" }], else = [{ cpu = "5ms" }] }, { set = "y", to = 2 },
            { if = "x != y", do = [{ cpu = "5ms" }] }, { if = "x>=y and x<=y", do = ["yield", { cpu = "2ms" }] },
        ] }]
        "#,
        expect![[r#"
            1 column = 3ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn somebody_waits_in_a_circle_until_another_says_so() {
    // A looks every 2 ms, first at 0: B says so at 3, and A sees it at 4.
    check(
        r#"
        machine = { processors = 2 }
        variable = [{ name = "ready" }]
        task = [
            { name = "A", program = [{ while = "ready == 0", do = [{ sleep = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "3ms" }, { set = "ready", to = 1 }, { cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |....A.|
            cpu 1 |BBBBBB|
            A     |====# |
            B     |######|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

/// A buffer of one place.
const BUFFER: &str = r#"
    machine = { processors = 2 }
    lock = [{ name = "m" }]
    condvar = [{ name = "room" }, { name = "news" }]
    variable = [{ name = "items" }]
    [[task]]
    name = "P"
    program = [{ repeat = 3, do = [{ cpu = "1ms" }, { lock = "m" },
        { while = "items == 1", do = [{ wait = "room", with = "m" }] },
        { add = "items", by = 1 }, { notify = "news" }, { unlock = "m" }] }]
    [[task]]
    name = "C"
    program = [{ repeat = 3, do = [{ lock = "m" },
        { while = "items == 0", do = [{ wait = "news", with = "m" }] },
        { add = "items", by = -1 }, { notify = "room" }, { unlock = "m" }, { cpu = "3ms" }] }]
"#;

#[test]
fn a_bounded_buffer() {
    // P brings something at 1, 2 and 4 ms (it was done at 3, when there was no room); C has it from 1, 4 and 7.
    check(
        BUFFER,
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAA.......|
        cpu 1 |.BBBBBBBBB|
        A     |###=      |
        B     |=#########|
        A = main/P#0
        B = main/C#0
        completed at 10ms
    "#]],
    );
    let (timeline, _) = run(&scenario(BUFFER));
    let metrics = sim_core::metrics::Metrics::of(&timeline);
    let items = metrics.variables.iter().next().expect("one");
    assert_eq!((items.value, items.changes, items.least(), items.most()), (0, 6, 0, 1));
}

#[test]
fn a_circle_in_which_no_time_passes_is_a_livelock() {
    check(
        r#"
        variable = [{ name = "ready" }]
        task = [
            { name = "A", program = [{ while = "ready == 0", do = ["yield"] }] },
            { name = "B", program = [{ sleep = "1ms" }, { set = "ready", to = 1 }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ns
            cpu 0 ||
            A     ||
            B     ||
            A = main/A#0
            B = main/B#0
            livelock at 0ns
            livelock: more than a million operations at 0 ns without any time passing; A (looking at variables, yield) would go on like that for ever
        "#]],
    );
}

#[test]
fn whose_turn_it_is_decides_what_is_seen() {
    // Both look before either has changed anything: an update is lost.
    check(
        r#"
        machine = { processors = 2 }
        variable = [{ name = "n" }]
        task = [
            { name = "A", program = [{ if = "n == 0", do = [{ cpu = "2ms" }, { set = "n", to = 1 }], else = [{ cpu = "9ms" }] }] },
            { name = "B", program = [{ if = "n == 0", do = [{ cpu = "1ms" }, { set = "n", to = 2 }], else = [{ cpu = "9ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA|
            cpu 1 |B.|
            A     |##|
            B     |# |
            A = main/A#0
            B = main/B#0
            completed at 2ms
        "#]],
    );
}

#[test]
fn a_variable_stays_within_64_bits() {
    let (timeline, _) = run(&scenario(
        r#"
        variable = [{ name = "n", value = 9223372036854775807 }]
        task = [{ name = "A", program = [{ add = "n", by = 5 }, { cpu = "1ms" }] }]
        "#,
    ));
    timeline.check().expect("lawful");
    let metrics = sim_core::metrics::Metrics::of(&timeline);
    assert_eq!(metrics.variables.iter().next().map(|variable| variable.value), Some(i64::MAX));
}
