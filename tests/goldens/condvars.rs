//! Condition variables and barriers: to wait until somebody says so, or until all have come.

use expect_test::expect;

use super::check;

#[test]
fn who_is_notified_goes_on_when_it_has_the_lock() {
    // A is notified at 2 ms, while B has the lock, and has it at 3 ms.
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |...AA|
            cpu 1 |BBBB.|
            A     |===##|
            B     |#### |
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn or_at_once_if_the_lock_is_free() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "2ms" }] }] },
            { name = "B", program = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..AA|
            cpu 1 |BBB.|
            A     |==##|
            B     |### |
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn to_wait_gives_the_lock_to_the_next() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "1ms" }, { wait = "cv", with = "m" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }] }, { notify = "cv" }, { cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBB|
            cpu 1 |...A.|
            A     |#==# |
            B     |=####|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn one_is_notified_the_most_urgent() {
    check(
        r#"
        machine = { processors = 3 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }] }, { cpu = "1ms" }] },
            { name = "B", priority = 1, program = [{ with = "m", do = [{ wait = "cv", with = "m" }] }, { cpu = "1ms" }] },
            { name = "C", program = [{ repeat = 2, do = [{ cpu = "2ms" }, { notify = "cv" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..B.A|
            cpu 1 |.....|
            cpu 2 |CCCC.|
            A     |====#|
            B     |==#  |
            C     |#### |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn all_are_notified_and_have_the_lock_one_after_the_other() {
    check(
        r#"
        machine = { processors = 4 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", count = 2, program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "1ms" }] }] },
            { name = "B", priority = 1, program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "1ms" }] }] },
            { name = "C", program = [{ cpu = "1ms" }, { notify-all = "cv" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.CAB|
            cpu 1 |....|
            cpu 2 |....|
            cpu 3 |DD..|
            A     |==# |
            B     |===#|
            C     |=#  |
            D     |##  |
            A = main/A#0
            B = main/A#1
            C = main/B#0
            D = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_notification_that_comes_before_anybody_waits_is_lost() {
    check(
        r#"
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { notify = "cv" }, { cpu = "1ms" }, { notify-all = "cv" }] },
            { name = "B", program = [{ cpu = "1ms" }, { with = "m", do = [{ wait = "cv", with = "m" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAB|
            A     |## |
            B     |--#|
            A = main/A#0
            B = main/B#0
            deadlock at 3ms
            deadlock without a cycle: B waits since 3 ms at condvar `cv` for a notification, and nobody is left to notify; 2 notifications came before, the last at 2 ms, and were lost
        "#]],
    );
}

#[test]
fn who_could_notify_waits_itself() {
    check(
        r#"
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }, { name = "other" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { notify = "other" }] }] },
            { name = "B", program = [{ with = "m", do = [{ wait = "other", with = "m" }, { notify = "cv" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ns
            cpu 0 ||
            A     ||
            B     ||
            A = main/A#0
            B = main/B#0
            deadlock at 0ns
            deadlock in a cycle: A waits since 0 ns at condvar `cv` for a notification, and B, which could notify, waits itself, B waits since 0 ns at condvar `other` for a notification, and A, which could notify, waits itself
        "#]],
    );
}

#[test]
fn to_wait_in_a_loop_lets_other_tasks_run() {
    check(
        r#"
        executor = "async"
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ cpu = "1ms" }, { notify = "cv" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBA|
            A     |=-#|
            B     |## |
            A = main/A#0
            B = main/B#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn nobody_passes_a_barrier_until_all_have_come() {
    check(
        r#"
        machine = { processors = 3 }
        barrier = [{ name = "b", parties = 3 }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { barrier = "b" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "3ms" }, { barrier = "b" }, { cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "2ms" }, { barrier = "b" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..A|
            cpu 1 |BBBB|
            cpu 2 |CC.C|
            A     |#==#|
            B     |####|
            C     |##=#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_barrier_can_be_used_again_and_again() {
    check(
        r#"
        machine = { processors = 2 }
        barrier = [{ name = "b", parties = 2 }]
        task = [
            { name = "A", program = [{ repeat = 3, do = [{ cpu = "1ms" }, { barrier = "b" }] }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { barrier = "b" }, { cpu = "3ms" }, { barrier = "b" }, { cpu = "1ms" }, { barrier = "b" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA..AA|
            cpu 1 |BBBBB.|
            A     |##==##|
            B     |##### |
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn the_last_to_come_goes_on_and_the_others_come_in_the_order_in_which_they_came() {
    // On one processor: C is the last and goes on; A came before B.
    check(
        r#"
        barrier = [{ name = "b", parties = 3 }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { barrier = "b" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { barrier = "b" }, { cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "1ms" }, { barrier = "b" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCCAB|
            A     |#==-# |
            B     |-#=--#|
            C     |--##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_party_that_never_comes() {
    check(
        r#"
        barrier = [{ name = "b", parties = 3 }]
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }, { barrier = "b" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB|
            A     |#=|
            B     |-#|
            A = main/A#0
            B = main/A#1
            deadlock at 2ms
            deadlock without a cycle: A#0 and A#1 wait since 1 ms and 2 ms at barrier `b`, to which 2 of 3 parties have come, and nobody is left to come
        "#]],
    );
}

#[test]
fn a_barrier_with_more_parties_than_workers() {
    // A pool keeps its workers for those who wait: the third never comes.
    check(
        r#"
        executor = { kind = "pool", workers = 2 }
        barrier = [{ name = "b", parties = 3 }]
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { barrier = "b" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB|
            A     |#=|
            B     |-#|
            C     |--|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            deadlock at 2ms
            deadlock in a cycle: A#0 waits since 1 ms at barrier `b`, to which 2 of 3 parties have come, and A#2, which could come, waits itself, A#2 waits for a thread of its process, which A#0 keeps; A#1 waits since 2 ms at barrier `b`, to which 2 of 3 parties have come, and A#2, which could come, waits itself
        "#]],
    );
}

#[test]
fn and_with_as_many_tasks_of_one_loop() {
    check(
        r#"
        executor = "async"
        barrier = [{ name = "b", parties = 3 }]
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { barrier = "b" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCCAB|
            A     |#==-# |
            B     |-#=--#|
            C     |--##  |
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 6ms
        "#]],
    );
}

#[test]
fn who_is_notified_and_waits_for_the_lock_lends_its_urgency_too() {
    // A is notified at 2 ms by B, which has the lock and would be put off by C.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", priority = 3, program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "1ms" }] }] },
            { name = "B", priority = 1, program = [{ with = "m", do = [{ cpu = "2ms" }, { notify = "cv" }, { cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "C", priority = 2, arrival = "2ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBBBACCB|
            A     |====#   |
            B     |####---#|
            C     |  ---## |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 8ms
        "#]],
    );
}
