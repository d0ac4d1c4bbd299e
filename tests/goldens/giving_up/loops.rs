//! Giving up in event loops, which notice when they have control, or by the rules of a runtime when they look at their timers.

use expect_test::expect;

use super::{gone, leaves};
use crate::goldens::check;
use crate::support::{run, scenario};

/// B computes until 6 ms: only then does the loop notice that A has waited for long enough.
#[test]
fn a_loop_notices_when_it_has_control() {
    let toml = r#"
        executor = "async"
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ with = "m", within = "2ms", do = [{ cpu = "1ms" }], else = [{ cpu = "2ms" }] }] },
            { name = "B", program = [{ cpu = "6ms" }] },
            { name = "H", program = [{ sleep = "1ms" }] },
        ]
        "#;
    let toml = toml.replace(
        "{ name = \"A\"",
        "{ name = \"L\", program = [{ lock = \"m\" }, { sleep = \"HOLD\" }, { unlock = \"m\" }] },\n{ name = \"A\"",
    );
    gone(
        &toml.replace("HOLD", "9ms"),
        expect![[r#"
            A gave up Sync(SyncId(0)) 0ns-6ms
            completed at 9ms
        "#]],
    );
    gone(
        &toml.replace("HOLD", "1ms"),
        expect![[r#"
            A gave up Sync(SyncId(0)) 0ns-6ms
            completed at 8ms
        "#]],
    );
    check(
        &toml.replace("HOLD", "9ms").replace("6ms", "1ms"),
        expect![[r#"
            1 column = 1ms
            cpu 0 |C.BB.....|
            A     |=========|
            B     |==##     |
            C     |#        |
            D     |-=       |
            A = main/L#0
            B = main/A#0
            C = main/B#0
            D = main/H#0
            completed at 9ms
        "#]],
    );
}

/// The loop is busy until 6 ms, and the lock is handed over before: what is granted before the loop has control is granted.
#[test]
fn what_is_granted_before_a_loop_has_control_is_had() {
    let toml = r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        process = [
            { name = "other", task = [{ name = "L", program = [{ with = "m", do = [{ cpu = "4ms" }] }] }] },
            { name = "loop", executor = "async", task = [
                { name = "A", program = [{ with = "m", within = "2ms", do = [{ cpu = "1ms" }], else = [{ cpu = "2ms" }] }] },
                { name = "B", program = [{ cpu = "6ms" }] },
            ] },
        ]
        "#;
    gone(
        toml,
        expect![[r#"
            completed at 7ms
        "#]],
    );
    gone(
        &toml.replace("4ms", "7ms"),
        expect![[r#"
            loop/A gave up Sync(SyncId(0)) 0ns-6ms
            completed at 8ms
        "#]],
    );
}

/// asyncio waits for whole milliseconds: A, alone at 0, is told at 3 ms. A busy loop looks when all have had their turn, at
/// 4 ms, and tells A at the end of that round.
#[test]
fn a_loop_of_asyncio_notices_when_it_looks() {
    let toml = r#"
        executor = { kind = "async", rules = "cpython-3.13" }
        lock = [{ name = "m" }]
        task = [
            { name = "L", program = [{ lock = "m" }, { sleep = "20ms" }, { unlock = "m" }] },
            { name = "A", program = [{ with = "m", within = "2500us", do = [{ cpu = "1ms" }], else = [{ cpu = "2ms" }] }] },
        ]
        "#;
    gone(
        toml,
        expect![[r#"
            A gave up Sync(SyncId(0)) 0ns-3ms
            completed at 20ms
        "#]],
    );
    let busy = toml.replace(
        "else = [{ cpu = \"2ms\" }] }] },",
        "else = [{ cpu = \"2ms\" }] }] },\n{ name = \"B\", program = [{ cpu = \"4ms\" }, \"yield\", { cpu = \"2ms\" }] },",
    );
    check(
        &busy,
        expect![[r#"
            1 column = 2ms
            cpu 0 |CCCB......|
            A     |==========|
            B     |==-#      |
            C     |###       |
            A = main/L#0
            B = main/A#0
            C = main/B#0
            completed at 20ms
        "#]],
    );
}

/// The lock is given back at 6 ms, in the turn that began before the loop could notice that A's 2 ms are over.
#[test]
fn what_a_busy_loop_of_asyncio_grants_is_had() {
    gone(
        r#"
        executor = { kind = "async", rules = "cpython-3.13" }
        lock = [{ name = "m" }]
        task = [
            { name = "L", program = [{ with = "m", do = ["yield", { cpu = "6ms" }] }] },
            { name = "A", program = [{ with = "m", within = "2ms", do = [{ cpu = "1ms" }], else = [{ cpu = "5ms" }] }] },
        ]
        "#,
        expect![[r#"
            completed at 7ms
        "#]],
    );
}

/// tokio's loop was made 50 us before the start: the millisecond of A's timer ends at 1.95 ms, and who parked at 0 wakes 50 us later.
#[test]
fn a_loop_of_tokio_notices_by_its_wheel() {
    for (executor, at) in [("async", "2ms"), ("work-stealing", "2ms")] {
        let toml = format!(
            r#"
            executor = {{ kind = "{executor}", rules = "tokio-1.54" }}
            lock = [{{ name = "m" }}]
            task = [
                {{ name = "L", program = [{{ lock = "m" }}, {{ sleep = "20ms" }}, {{ unlock = "m" }}] }},
                {{ name = "A", program = [{{ with = "m", within = "1ms", do = [{{ cpu = "1ms" }}], else = ["end"] }}] }},
            ]
            "#
        );
        let (timeline, _) = run(&scenario(&toml));
        assert_eq!(leaves(&timeline), format!("A gave up Sync(SyncId(0)) 0ns-{at}\n"), "{executor}");
    }
}
