//! What a task does at once: its branches share its place in the queue of the runtime.

use expect_test::{Expect, expect};

use sim_core::engine::simulate;
use sim_core::timeline::Timeline;

use super::check;
use crate::support::scenario;

/// One task with branches beside one without, in a loop.
fn beside(program: &str, other: &str, expected: Expect) {
    check(&world(0, program, other), expected);
}

/// Two tasks of a loop, and what they may wait for.
pub(super) fn world(permits: u32, program: &str, other: &str) -> String {
    format!(
        r#"
        executor = "async"
        device = [{{ name = "net", channels = "unlimited" }}, {{ name = "disk" }}]
        lock = [{{ name = "m" }}]
        semaphore = [{{ name = "s", permits = {permits} }}]
        channel = [{{ name = "c", capacity = 1 }}]
        task = [
            {{ name = "A", program = [{program}] }},
            {{ name = "B", program = [{other}] }},
        ]
        "#
    )
}

/// The first poll goes through all branches before anybody else has a turn; what computes keeps the others waiting, though they
/// have been served.
#[test]
fn branches_are_polled_in_the_order_of_the_list_and_never_two_at_once() {
    beside(
        r#"{ cpu = "1ms" }, { all = [
            [{ cpu = "1ms" }, { io = "net", for = "4ms" }, { cpu = "2ms" }],
            [{ cpu = "1ms" }, { io = "net", for = "3ms" }, { cpu = "1ms" }],
        ] }, { cpu = "1ms" }"#,
        r#"{ cpu = "4ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACDBBBBCCDA|
            A     |#=========#|
            B     |---####    |
            C     | #====-##  |
            D     | -#===---# |
            A = main/A#0
            B = main/B#0
            C = main/A.all.1#0
            D = main/A.all.2#0
            completed at 11ms
        "#]],
    );
}

/// Who is woken by one that comes before it in the list goes on in the same poll; by one that comes behind it: in the next, behind
/// all who are ready.
#[test]
fn who_is_woken_during_a_poll_goes_on_in_it_or_is_queued_again() {
    beside(
        r#"{ all = [[{ acquire = "s" }, { cpu = "1ms" }], [{ cpu = "1ms" }, { release = "s", count = 2 }], [{ acquire = "s" }, { cpu = "1ms" }]] }"#,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |DEBC|
            A     |====|
            B     |--# |
            C     |=--#|
            D     |#   |
            E     |-#  |
            A = main/A#0
            B = main/B#0
            C = main/A.all.1#0
            D = main/A.all.2#0
            E = main/A.all.3#0
            completed at 4ms
        "#]],
    );
}

/// With `rotate` the second poll begins with the second branch.
#[test]
fn rotated_branches_begin_with_another_one_at_each_poll() {
    for rotate in ["", ", rotate = true"] {
        let branch = r#"[{ cpu = "1ms" }, "yield", { cpu = "1ms" }, "yield", { cpu = "1ms" }]"#;
        let expected = match rotate {
            "" => expect![[r#"
                1 column = 1ms
                cpu 0 |CDEBCDECDE|
                A     |==========|
                B     |---#      |
                C     |#---#--#  |
                D     |-#---#--# |
                E     |--#---#--#|
                A = main/A#0
                B = main/B#0
                C = main/A.all.1#0
                D = main/A.all.2#0
                E = main/A.all.3#0
                completed at 10ms
            "#]],
            _ => expect![[r#"
                1 column = 1ms
                cpu 0 |CDEBDECECD|
                A     |==========|
                B     |---#      |
                C     |#-----#-# |
                D     |-#--#----#|
                E     |--#--#-#  |
                A = main/A#0
                B = main/B#0
                C = main/A.all.1#0
                D = main/A.all.2#0
                E = main/A.all.3#0
                completed at 10ms
            "#]],
        };
        beside(&format!("{{ all = [{branch}, {branch}, {branch}]{rotate} }}"), r#"{ cpu = "1ms" }"#, expected);
    }
}

/// Two at once; the next begins when one is done, in the same poll.
#[test]
fn some_at_once_and_the_next_when_one_is_done() {
    beside(
        r#"{ each = 5, at-once = 2, do = [{ cpu = "1ms" }, { io = "net", for = "3ms" }] }, { cpu = "1ms" }"#,
        r#"{ cpu = "3ms" }, { io = "net", for = "1ms" }, { cpu = "3ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CDBBBEFBBBG...A|
            A     |==============#|
            B     |--###=-###     |
            C     |#===-          |
            D     |-#===          |
            E     |     #===-     |
            F     |     -#===     |
            G     |          #=== |
            A = main/A#0
            B = main/B#0
            C = main/A.each#0
            D = main/A.each#1
            E = main/A.each#2
            F = main/A.each#3
            G = main/A.each#4
            completed at 15ms
        "#]],
    );
}

/// Those of an `each` go on in the order in which they were woken, not in that of their numbers.
#[test]
fn woken_ones_go_on_in_the_order_in_which_they_woke() {
    beside(
        r#"{ each = 3, do = [{ acquire = "s" }, { cpu = "1ms" }] }"#,
        r#"{ release = "s" }, { cpu = "1ms" }, { release = "s", count = 2 }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BCDE|
            A     |====|
            B     |#   |
            C     |-#  |
            D     |=-# |
            E     |=--#|
            A = main/A#0
            B = main/B#0
            C = main/A.each#0
            D = main/A.each#1
            E = main/A.each#2
            completed at 4ms
        "#]],
    );
}

/// Branches of branches stand before what waits for them.
#[test]
fn branches_have_branches() {
    beside(
        r#"{ all = [
            [{ all = [[{ cpu = "1ms" }, { sleep = "1ms" }], [{ cpu = "1ms" }]] }, { cpu = "1ms" }],
            [{ each = 2, do = [{ cpu = "1ms" }, { sleep = "1ms" }] }, { cpu = "1ms" }],
        ] }, { cpu = "1ms" }"#,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |EFGHBCDA|
            A     |=======#|
            B     |----#   |
            C     |=====#  |
            D     |--====# |
            E     |#=---   |
            F     |-#      |
            G     |  #=--  |
            H     |  -#=-  |
            A = main/A#0
            B = main/B#0
            C = main/A.all.1#0
            D = main/A.all.2#0
            E = main/A.all.1.all.1#0
            F = main/A.all.1.all.2#0
            G = main/A.all.2.each#0
            H = main/A.all.2.each#1
            completed at 8ms
        "#]],
    );
}

/// On two workers a task is on one of them, with all that it does at once.
#[test]
fn a_task_is_on_one_worker_with_all_its_branches() {
    check(
        r#"
        executor = { kind = "work-stealing", workers = 2 }
        machine = { processors = 2 }
        device = [{ name = "net", channels = "unlimited" }]
        [[task]]
        name = "A"
        count = 2
        program = [{ each = 3, do = [{ cpu = "1ms" }, { io = "net", for = "2ms" }, { cpu = "1ms" }] }, { cpu = "1ms" }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CDEFGHB|
            cpu 1 |FGHCDEA|
            A     |======#|
            B     |======#|
            C     |#==#   |
            D     |-#==#  |
            E     |--#==# |
            F     |#==#   |
            G     |-#==#  |
            H     |--#==# |
            A = main/A#0
            B = main/A#1
            C = main/A.each#0
            D = main/A.each#1
            E = main/A.each#2
            F = main/A.each#3
            G = main/A.each#4
            H = main/A.each#5
            completed at 7ms
        "#]],
    );
}

/// A task that waits for a branch that waits for a lock of somebody who never gives it back.
#[test]
fn branches_can_be_stuck() {
    beside(
        r#"{ all = [[{ acquire = "s" }], [{ cpu = "1ms" }]] }, { cpu = "1ms" }"#,
        r#"{ cpu = "2ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |DBB|
            A     |===|
            B     |-##|
            C     |===|
            D     |#  |
            A = main/A#0
            B = main/B#0
            C = main/A.all.1#0
            D = main/A.all.2#0
            deadlock at 3ms
            deadlock without a cycle: A waits since 0 ns for the `A.all.1` it spawned; A.all.1 waits since 0 ns for a permit of semaphore `s`, of which none is free, and nobody is left to release one
        "#]],
    );
    beside(
        r#"{ each = 3, at-once = 1, do = [{ acquire = "s" }] }, { cpu = "1ms" }"#,
        r#"{ cpu = "2ms" }"#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |B|
            A     |=|
            B     |#|
            C     |=|
            D     | |
            E     | |
            A = main/A#0
            B = main/B#0
            C = main/A.each#0
            D = main/A.each#1
            E = main/A.each#2
            deadlock at 2ms
            deadlock without a cycle: A waits since 0 ns for the `A.each` it spawned; A.each#0 waits since 0 ns for a permit of semaphore `s`, of which none is free, and nobody is left to release one
        "#]],
    );
}

/// A poll costs once for all branches that go on in it, and the change from one to the other nothing.
#[test]
fn a_poll_is_paid_once() {
    check(
        r#"
        executor = "async"
        machine = { poll = "1ms", task-switch = "2ms" }
        device = [{ name = "net", channels = "unlimited" }]
        [[task]]
        name = "A"
        program = [{ all = [[{ cpu = "1ms" }, { io = "net", for = "4ms" }, { cpu = "1ms" }], [{ cpu = "1ms" }, { io = "net", for = "3ms" }, { cpu = "1ms" }]] }]
        [[task]]
        name = "B"
        program = [{ cpu = "2ms" }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~CD~~~BB~~~CD|
            A     |~============|
            B     |---~~~##     |
            C     | #====--~~~# |
            D     | -#===------#|
            A = main/A#0
            B = main/B#0
            C = main/A.all.1#0
            D = main/A.all.2#0
            completed at 13ms
        "#]],
    );
}

#[test]
fn a_branch_that_gives_up_where_its_task_may_not_run_goes_elsewhere() {
    for program in [
        r#"{ all = [[{ acquire = "s", within = "2ms" }]] }"#,
        r#"{ acquire = "s", within = "2ms", else = [{ all = [[]] }] }"#,
        r#"{ acquire = "s", within = "2ms", else = [{ all = [[], []] }] }"#,
        r#"{ each = 3, at-once = 2, do = [{ acquire = "s", within = "2ms" }] }"#,
    ] {
        let text = format!(
            r#"
            executor = "async"
            machine = {{ processors = 2 }}
            semaphore = [{{ name = "s", permits = 0 }}]
            task = [{{ name = "A", program = [] }}, {{ name = "B", affinity = [1], program = [{program}, {{ cpu = "1ms" }}] }}]
            "#
        );
        let mut timeline = Timeline::default();
        simulate(&scenario(&text), &mut timeline);
        assert!(timeline.tasks.iter().all(|life| life.finish.is_some()), "{program}");
        let on: Vec<u32> = timeline.intervals.iter().filter(|run| run.start < run.end).map(|run| run.cpu.0).collect();
        assert_eq!(on, [1], "{program}");
    }
}

/// What an `each` does goes on where it is when its own branches begin and are done: nobody woke it. The others come behind it.
#[test]
fn what_has_branches_of_its_own_keeps_its_place_in_the_poll() {
    beside(
        r#"{ each = 2, do = [{ all = [[{ cpu = "1ms" }], [{ cpu = "1ms" }]] }, { cpu = "1ms" }] }"#,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |EFCGHDB|
            A     |====== |
            B     |------#|
            C     |==#    |
            D     |---==# |
            E     |#      |
            F     |-#     |
            G     |   #   |
            H     |   -#  |
            A = main/A#0
            B = main/B#0
            C = main/A.each#0
            D = main/A.each#1
            E = main/A.each.all.1#0
            F = main/A.each.all.2#0
            G = main/A.each.all.1#1
            H = main/A.each.all.2#1
            completed at 7ms
        "#]],
    );
}

/// The timers ring during the poll, but the loop looks only when that is over: another task has its turn first.
#[test]
fn what_rings_during_a_poll_is_noticed_after_it() {
    beside(
        r#"{ each = 3, do = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] }"#,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CDEBCDE|
            A     |=======|
            B     |---#   |
            C     |#=--#  |
            D     |-#=--# |
            E     |--#=--#|
            A = main/A#0
            B = main/B#0
            C = main/A.each#0
            D = main/A.each#1
            E = main/A.each#2
            completed at 7ms
        "#]],
    );
}
