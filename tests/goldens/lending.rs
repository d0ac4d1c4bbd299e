//! Urgency that is lent, when it decides who gets a lock.

use expect_test::expect;

use super::check;

#[test]
fn who_is_lent_urgency_while_it_waits_goes_ahead_of_its_equals() {
    // B and C are as urgent as each other when they begin to wait for n, which A holds: B is first. But C holds m, for
    // which D waits at 3 ms, and is as urgent as D from then on: C is handed n at 6 ms, and D is not kept longer.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }, { name = "n", protocol = "inherit" }]
        task = [
            { name = "A", priority = 1, program = [{ with = "n", do = [{ sleep = "5ms" }, { cpu = "1ms" }] }] },
            { name = "B", priority = 2, arrival = "1ms", program = [{ with = "n", do = [{ cpu = "2ms" }] }] },
            { name = "C", priority = 2, program = [{ with = "m", do = [{ sleep = "2ms" }, { with = "n", do = [{ cpu = "2ms" }] }] }] },
            { name = "D", priority = 3, arrival = "3ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.....ACCDBB|
            A     |=====#     |
            B     | =======-##|
            C     |======##   |
            D     |   =====#  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 11ms
        "#]],
    );
}
