//! Quotas of groups.

use expect_test::expect;

use super::check;
use crate::support::{outcome_of, scenario};

#[test]
fn what_does_not_fit_waits_for_the_next_period() {
    // 13 + 13 + 4 ms: the request ends at 204 ms.
    check(
        r#"
        group = [{ name = "web", quota = "13ms" }]
        task = [{ name = "request", program = [{ cpu = "30ms" }] }]
        "#,
        expect![[r#"
            1 column = 5ms, shortened: the state of more than half of it, or ?
            cpu 0 |AAA.................AAA.................A|
            A     |###:::::::::::::::::###:::::::::::::::::#|
            A = main/request#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 204ms
        "#]],
    );
}

#[test]
fn all_processors_use_one_quota_up_together() {
    // Two threads have 5 ms each of every 20 ms: 10, and then 2 ms of the 12.
    check(
        r#"
        machine = { processors = 2 }
        group = [{ name = "web", quota = "10ms", period = "20ms" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "12ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAA...............AAAAA...............AA|
            cpu 1 |BBBBB...............BBBBB...............BB|
            A     |#####:::::::::::::::#####:::::::::::::::##|
            B     |#####:::::::::::::::#####:::::::::::::::##|
            A = main/A#0
            B = main/A#1
            : = throttled: its group has no quota left, or its server no budget
            completed at 42ms
        "#]],
    );
}

#[test]
fn who_is_in_no_group_goes_on() {
    // A and B have 4 of every 10 ms, in turns of 1 ms; C has the rest. B is first again: A was put off last.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "1ms" }
        group = [{ name = "web", quota = "4ms", period = "10ms" }]
        process = [
            { name = "web", group = "web", task = [{ name = "A", count = 2, program = [{ cpu = "5ms" }] }] },
            { name = "other", task = [{ name = "C", program = [{ cpu = "8ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCABCCCCCABCABC....AB|
            A     |#--#-:::::#--#-:::::# |
            B     |-#--#:::::-#--#:::::-#|
            C     |--#--#####--#--#      |
            A = web/A#0
            B = web/A#1
            C = other/C#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 22ms
        "#]],
    );
}

#[test]
fn a_quota_within_a_quota() {
    // All have 6 of 10 ms, and A no more than 2 of 5: B has what A leaves.
    check(
        r#"
        machine = { processors = 2 }
        group = [
            { name = "inner", parent = "outer", quota = "2ms", period = "5ms" },
            { name = "outer", quota = "6ms", period = "10ms" },
        ]
        process = [
            { name = "a", group = "inner", task = [{ name = "A", program = [{ cpu = "6ms" }] }] },
            { name = "b", group = "outer", task = [{ name = "B", program = [{ cpu = "6ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA........AA...AA|
            cpu 1 |BBBB......BB.....|
            A     |##::::::::##:::##|
            B     |####::::::##     |
            A = a/A#0
            B = b/B#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 17ms
        "#]],
    );
}

#[test]
fn what_was_not_used_may_be_kept() {
    // It sleeps for the first period, and has 2 × 3 ms after that, but not a third time.
    check(
        r#"
        group = [{ name = "web", quota = "3ms", period = "10ms", burst = "3ms" }]
        task = [{ name = "A", program = [{ sleep = "20ms" }, { cpu = "10ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |....................AAAAAA....AAA.......A|
            A     |====================######::::###:::::::#|
            A = main/A#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 41ms
        "#]],
    );
}

#[test]
fn the_first_period_may_begin_later() {
    // The group has 3 ms until 4 ms, and from then on 3 ms in every 10.
    check(
        r#"
        group = [{ name = "web", quota = "3ms", period = "10ms", phase = "4ms" }]
        task = [{ name = "A", program = [{ cpu = "8ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA.AAA.......AA|
            A     |###:###:::::::##|
            A = main/A#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 16ms
        "#]],
    );
}

#[test]
fn in_pieces_one_processor_may_get_all() {
    // The first processor takes 5 ms, and there is nothing left for the second, on which B had begun: B is the first next time.
    check(
        r#"
        machine = { processors = 2 }
        group = [{ name = "web", quota = "5ms", period = "10ms", slice = "5ms" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "9ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAA.....BBBBB.....AAAAB.....BBB|
            cpu 1 |.................................|
            A     |#####:::::-----:::::####         |
            B     |-----:::::#####:::::----#:::::###|
            A = main/A#0
            B = main/A#1
            : = throttled: its group has no quota left, or its server no budget
            completed at 33ms
        "#]],
    );
}

#[test]
fn what_is_left_of_a_piece_goes_to_whoever_asks_first() {
    // 7 ms are a piece of 5 ms and one of 2 ms.
    check(
        r#"
        machine = { processors = 2 }
        group = [{ name = "web", quota = "7ms", period = "10ms", slice = "5ms" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "9ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAA.....BBBBB.....AA|
            cpu 1 |BB........AA........BB|
            A     |#####:::::##---:::::##|
            B     |##---:::::#####:::::##|
            A = main/A#0
            B = main/A#1
            : = throttled: its group has no quota left, or its server no budget
            completed at 22ms
        "#]],
    );
}

#[test]
fn where_it_ends_at_ticks_what_was_too_much_is_owed() {
    // It is stopped at 8 ms, and owes 3: the next period has 2, used up at 12 ms.
    check(
        r#"
        machine = { tick = "4ms" }
        group = [{ name = "web", quota = "5ms", period = "10ms" }]
        task = [{ name = "A", program = [{ cpu = "24ms" }] }]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |AAAA.A....AAAA.A....AA|
            A     |####:#::::####:#::::##|
            A = main/A#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 44ms
        "#]],
    );
}

#[test]
fn pieces_that_end_between_ticks_are_paid_for_at_once() {
    // Slices of the policy end at ticks as well: who is looked at then runs nowhere at that moment, and owes all the same. Both
    // have 2 ms by the first tick, 1 ms more than the quota of 3; so the next period has 2, of which they have 4.
    let text = r#"
        machine = { processors = 2, tick = "2ms" }
        scheduler = { policy = "eevdf", base-slice = "1ms" }
        group = [{ name = "web", quota = "3ms", period = "10ms", slice = "1ms" }]
        [[process]]
        name = "p"
        group = "web"
        [[process.task]]
        name = "A"
        count = 2
        program = [{ cpu = "6ms" }]
    "#;
    check(
        text,
        expect![[r#"
            1 column = 2ms
            cpu 0 |A....A....A|
            cpu 1 |B....B....B|
            A     |#::::#::::#|
            B     |#::::#::::#|
            A = p/A#0
            B = p/A#1
            : = throttled: its group has no quota left, or its server no budget
            completed at 22ms
        "#]],
    );
}

#[test]
fn a_slice_and_a_quota_that_end_together() {
    // At 2 ms A's slice has ended, and the quota. At 10 ms B is first.
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        group = [{ name = "web", quota = "2ms", period = "10ms" }]
        task = [{ name = "A", program = [{ cpu = "3ms" }] }, { name = "B", program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA........BB........AB|
            A     |##::::::::--::::::::# |
            B     |--::::::::##::::::::-#|
            A = main/A#0
            B = main/B#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 22ms
        "#]],
    );
}

#[test]
fn a_burst_that_ends_with_the_quota_has_ended() {
    check(
        r#"
        group = [{ name = "web", quota = "3ms", period = "10ms" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA.......BBB|
            A     |###          |
            B     |---:::::::###|
            A = main/A#0
            B = main/A#1
            : = throttled: its group has no quota left, or its server no budget
            completed at 13ms
        "#]],
    );
}

#[test]
fn queues_of_processors_go_on_without_a_group_that_stands_still() {
    // C and D are queued behind A and B, which must wait, and pass them.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "round-robin", quantum = "1ms", queues = "per-processor", placement = "first" }
        group = [{ name = "web", quota = "2ms", period = "10ms" }]
        process = [
            { name = "web", group = "web", task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }] },
            { name = "other", task = [{ name = "C", count = 2, program = [{ cpu = "3ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACCC......A.........A|
            cpu 1 |BDDD......B.........B|
            A     |#:::::::::#:::::::::#|
            B     |#:::::::::#:::::::::#|
            C     |-###                 |
            D     |-###                 |
            A = web/A#0
            B = web/A#1
            C = other/C#0
            D = other/C#1
            : = throttled: its group has no quota left, or its server no budget
            completed at 21ms
        "#]],
    );
}

#[test]
fn more_urgent_ones_take_the_processor_back_when_they_may() {
    check(
        r#"
        scheduler = { policy = "priority" }
        group = [{ name = "web", quota = "2ms", period = "5ms" }]
        process = [
            { name = "web", group = "web", task = [{ name = "A", priority = 2, program = [{ cpu = "5ms" }] }] },
            { name = "other", task = [{ name = "C", priority = 1, program = [{ cpu = "5ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBBAABB.A|
            A     |##:::##:::#|
            B     |--###--##  |
            A = web/A#0
            B = other/C#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 11ms
        "#]],
    );
}

#[test]
fn switches_use_nothing_up() {
    // 1 ms of overhead each time, and 2 ms of running.
    check(
        r#"
        machine = { context-switch = "1ms" }
        group = [{ name = "web", quota = "2ms", period = "5ms" }]
        task = [{ name = "A", program = [{ cpu = "5ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA..AA...A|
            A     |~##::##:::#|
            A = main/A#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 11ms
        "#]],
    );
}

#[test]
fn a_quota_is_used_up_at_most() {
    // Five whole periods, and of the sixth the end leaves 12.5 ms: four processors have no time for more than 50 ms there.
    let share = |rest: &str, count: u32| {
        let toml = format!(
            "machine = {{ processors = 4 }}\ngroup = [{{ name = 'c', quota = '150ms' {rest} }}]\n\
             task = [{{ name = 'j', count = {count}, program = [{{ cpu = '100ms' }}] }}]"
        );
        let outcome = outcome_of(&scenario(&toml));
        (outcome.makespan_ns / 1_000, outcome.groups[0].quota_share)
    };
    assert_eq!(share("", 8), (512_500, Some(1.0)));
    // One quota before the first whole period, which begins at 50 ms: 150 + 150 + 100 of the 150 for which there is time.
    assert_eq!(share(", phase = '50ms'", 4), (175_000, Some(1.0)));
}
