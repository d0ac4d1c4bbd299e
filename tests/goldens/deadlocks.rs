//! Who cannot go on because of whom, in words: what is not a lock holds tasks up too.

use expect_test::expect;

use super::check;
use crate::support::{run, scenario};

/// Two items under one lock, each of which joins a part that another worker has stolen.
const ITEMS_UNDER_A_LOCK: &str = r#"
    machine = { processors = 3 }
    lock = [{ name = "state" }]
    [[process]]
    name = "app"
    executor = { kind = "pool", workers = 2, queue = "stealing" }
    [[process.task]]
    name = "filler"
    program = [{ cpu = "5ms" }]
    [[process.task]]
    name = "item"
    count = 2
    program = [{ lock = "state" }, { spawn = "part" }, { cpu = "10ms" }, { join = "part" }, { unlock = "state" }]
    [[process.task]]
    name = "part"
    arrival = "spawned"
    program = [{ cpu = "20ms" }]
"#;

#[test]
fn the_holder_beneath_the_waiter_is_named() {
    check(
        ITEMS_UNDER_A_LOCK,
        expect![[r#"
        1 column = 5ms
        cpu 0 |ADDDD|
        cpu 1 |BB...|
        cpu 2 |.....|
        A     |#    |
        B     |##===|
        C     |--===|
        D     |-####|
        A = app/filler#0
        B = app/item#0
        C = app/item#1
        D = app/part#0
        deadlock at 25ms
        deadlock in a cycle: item#0 cannot go on before item#1 has ended, which its worker took up while it joined others, item#1 waits since 10 ms for lock `state`, held by item#0 since 0 ns
    "#]],
    );
}

#[test]
fn at_the_horizon_it_is_found_too() {
    // Somebody of another process lives on.
    let toml = format!(
        r#"until = "40ms"
        {ITEMS_UNDER_A_LOCK}
        [[process]]
        name = "other"
        [[process.task]]
        name = "ticker"
        program = [{{ repeat = "forever", do = [{{ cpu = "1ms" }}, {{ sleep = "1ms" }}] }}]
        "#
    );
    let stuck = run(&scenario(&toml)).1.stuck.expect("a deadlock");
    expect!["deadlock of 2 of 5 tasks: app/item#0 cannot go on before app/item#1 has ended, which its worker took up while it joined others, app/item#1 waits since 10 ms for lock `state`, held by app/item#0 since 0 ns"].assert_eq(&stuck.explanation);
}

#[test]
fn who_lies_beneath_one_that_may_go_on_is_not_stuck() {
    let toml = r#"
        until = "30ms"
        machine = { processors = 2 }
        channel = [{ name = "go", capacity = 1 }]
        [[process]]
        name = "app"
        executor = { kind = "pool", workers = 1, queue = "stealing" }
        [[process.task]]
        name = "parent"
        program = [{ spawn = "child" }, { join = "child" }]
        [[process.task]]
        name = "child"
        arrival = "spawned"
        program = [{ recv = "go" }]
        [[process]]
        name = "other"
        [[process.task]]
        name = "late"
        program = [{ sleep = "1s" }, { send = "go" }]
        "#;
    let ending = run(&scenario(toml)).1;
    assert_eq!((ending.end.name(), ending.stuck), ("horizon", None));
}

#[test]
fn who_holds_several_permits_is_named_once() {
    check(
        r#"
        machine = { processors = 2 }
        semaphore = [{ name = "s", permits = 12 }]
        task = [
            { name = "A", program = [{ acquire = "s", count = 7 }, { cpu = "1ms" }, { acquire = "s", count = 7 }, { release = "s", count = 14 }] },
            { name = "B", program = [{ acquire = "s", count = 5 }, { cpu = "2ms" }, { acquire = "s", count = 5 }, { release = "s", count = 10 }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.|
            cpu 1 |BB|
            A     |#=|
            B     |##|
            A = main/A#0
            B = main/B#0
            deadlock at 2ms
            deadlock in a cycle: A waits since 1 ms for 7 permits of semaphore `s`, of which none is free, held by itself (7 permits) since 0 ns and B (5 permits) since 0 ns; B waits since 2 ms for 5 permits of semaphore `s`, of which none is free, held by A (7 permits) since 0 ns and itself (5 permits) since 0 ns
        "#]],
    );
}
