//! Condition variables by Hoare's rule: who notifies hands on the lock, and the processor.

use expect_test::expect;

use super::check;

#[test]
fn who_notifies_waits_until_it_has_the_lock_back() {
    // At 2 ms B hands the lock to A, which gives it back at 4.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..AAA.|
            cpu 1 |BB..BB|
            A     |==### |
            B     |##==##|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn it_is_first_in_line_whoever_is_more_urgent_or_came_before() {
    // C wants the lock from 1 ms on, and is more urgent: B has it back all the same.
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] }, { cpu = "1ms" }] },
            { name = "C", priority = 5, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..AABB|
            cpu 1 |BB...C|
            cpu 2 |......|
            A     |==##  |
            B     |##==##|
            C     | ====#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn the_processor_is_handed_on_too() {
    // C and D are ready before A is woken; E is more urgent than all.
    for policy in ["fifo", "priority"] {
        let (timeline, _) = crate::support::run(&crate::support::scenario(&format!(
            r#"
            scheduler = {{ policy = "{policy}" }}
            lock = [{{ name = "m" }}]
            condvar = [{{ name = "cv", rule = "hoare" }}]
            task = [
                {{ name = "A", program = [{{ with = "m", do = [{{ wait = "cv", with = "m" }}, {{ cpu = "2ms" }}] }}] }},
                {{ name = "B", program = [{{ with = "m", do = [{{ cpu = "2ms" }}, {{ notify = "cv" }}, {{ cpu = "1ms" }}] }}] }},
                {{ name = "C", program = [{{ cpu = "1ms" }}] }},
                {{ name = "D", program = [{{ cpu = "1ms" }}] }},
            ]
            "#
        )));
        let text = sim_cli::gantt::ascii(&timeline, 100);
        let row = text.lines().find(|line| line.starts_with("cpu 0")).expect("a processor");
        assert_eq!(row, "cpu 0 |BBAACDB|", "{policy}");
    }
}

#[test]
fn who_notifies_nobody_goes_on() {
    check(
        r#"
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [{ name = "A", program = [{ with = "m", do = [{ cpu = "1ms" }, { notify = "cv" }, { cpu = "1ms" }] }] }]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            completed at 2ms
        "#]],
    );
}

#[test]
fn those_who_notify_in_turn_get_it_back_in_reverse() {
    // C wakes B, which wakes A: the lock goes back to B, then to C.
    check(
        r#"
        machine = { processors = 3 }
        lock = [{ name = "m" }]
        condvar = [{ name = "one", rule = "hoare" }, { name = "two", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "two", with = "m" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ wait = "one", with = "m" }, { cpu = "1ms" }, { notify = "two" }, { cpu = "1ms" }] }] },
            { name = "C", program = [{ with = "m", do = [{ cpu = "1ms" }, { notify = "one" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.BABC|
            cpu 1 |.....|
            cpu 2 |C....|
            A     |==#  |
            B     |=#=# |
            C     |#===#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn an_event_loop_goes_on_with_whom_it_wakes() {
    check(
        r#"
        executor = "async"
        lock = [{ name = "m" }]
        condvar = [{ name = "cv", rule = "hoare" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBAAB|
            A     |==## |
            B     |##==#|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}
