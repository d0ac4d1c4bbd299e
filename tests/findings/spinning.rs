//! Who spins for ever, in the way of who would give the lock back.

use expect_test::expect;

use super::check;

#[test]
fn a_spin_that_can_never_end_is_found_while_others_live() {
    check(
        r#"
        until = "20ms"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", spin = "forever" }]
        task = [
            { name = "low", priority = 1, program = [{ with = "m", do = [{ cpu = "3ms" }] }] },
            { name = "high", priority = 2, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "clock", priority = 3, arrival = "2ms", period = "5ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            horizon
            endless-spin 19000000ns: endless spin: high spins since 1 ms for lock `m` and never blocks; low, which has it, got no processor from then on
            starvation 19000000ns: starvation: strict priority kept low, of priority 1, from running for 19 ms, to the end of the run, while high and clock, 2 tasks of priority 2 to 3, ran
        "#]],
    );
}
