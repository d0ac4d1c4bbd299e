//! What is done first of what a task does at once: the others are dropped where they stand.

use expect_test::{Expect, expect};
use sim_core::timeline::Fate;

use super::{branches, check};
use crate::support::{outcome_of, run, scenario};

/// One task with branches beside another.
fn beside(program: &str, other: &str, expected: Expect) {
    check(&world(program, other), expected);
}

fn world(program: &str, other: &str) -> String {
    branches::world(1, program, other)
}

/// The same, but the other task is there first.
fn after(program: &str, other: &str, expected: Expect) {
    let text = world(program, other);
    check(&text.replace(r#"{ name = "A", program"#, r#"{ name = "A", arrival = "1ms", program"#), expected);
}

/// What became of whom.
fn fates(toml: &str) -> String {
    let (timeline, _) = run(&scenario(toml));
    let line = |id| {
        let life = timeline.tasks[id];
        let at = life.finish.map_or_else(|| "never".to_owned(), |at| at.to_string());
        format!("{} {} {at}\n", timeline.short_name(id), life.ended_as().map_or("-", Fate::name))
    };
    timeline.tasks.ids().map(line).collect()
}

#[test]
fn the_first_of_two_sleeps_is_enough() {
    let (program, other) =
        (r#"{ any = [[{ sleep = "3ms" }], [{ sleep = "8ms" }]] }, { cpu = "1ms" }"#, r#"{ cpu = "1ms" }"#);
    beside(
        program,
        other,
        expect![[r#"
        1 column = 1ms
        cpu 0 |B..A|
        A     |===#|
        B     |#   |
        C     |=== |
        D     |=== |
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        completed at 4ms
    "#]],
    );
    let (timeline, ending) = run(&scenario(&world(program, other)));
    assert_eq!((ending.at.ns(), timeline.leaves.len()), (4_000_000, 0), "nobody waits for a timer that is dropped");
    let fates = fates(&world(program, other));
    expect![[r#"
        A finished 4ms
        B finished 1ms
        A.any.1 finished 3ms
        A.any.2 aborted 3ms
    "#]]
    .assert_eq(&fates);
    let outcome = outcome_of(&scenario(&world(program, other)));
    let loser = outcome.tasks.iter().find(|task| task.fate == Some("aborted")).expect("one is dropped");
    assert_eq!((loser.name.as_str(), loser.finish_ns), ("main/A.any.2#0", None));
}

/// The loser holds a lock while it sleeps: the one who waits for that has it at that instant.
#[test]
fn what_the_loser_holds_is_given_back_then() {
    beside(
        r#"{ any = [[{ sleep = "3ms" }], [{ with = "m", do = [{ acquire = "s" }, { sleep = "9ms" }, { release = "s" }] }]] }, { cpu = "2ms" }"#,
        r#"{ cpu = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }, { acquire = "s" }, { cpu = "1ms" }, { release = "s" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |B..AABB|
            A     |===##  |
            B     |#==--##|
            C     |===    |
            D     |===    |
            A = main/A#0
            B = main/B#0
            C = main/A.any.1#0
            D = main/A.any.2#0
            completed at 7ms
        "#]],
    );
}

/// A request in service, and one in the queue: the channel is free at once, and who waits behind both has it.
#[test]
fn the_channel_of_the_loser_is_free_at_once() {
    beside(
        r#"{ any = [[{ sleep = "3ms" }], [{ io = "disk", for = "9ms" }], [{ io = "disk", for = "5ms" }]] }, { cpu = "1ms" }"#,
        r#"{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { cpu = "1ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |B..A.B|
            A     |===#  |
            B     |#====#|
            C     |===   |
            D     |===   |
            E     |===   |
            A = main/A#0
            B = main/B#0
            C = main/A.any.1#0
            D = main/A.any.2#0
            E = main/A.any.3#0
            completed at 6ms
        "#]],
    );
}

/// Each in a queue of something else, where another has what they want: none is left there.
#[test]
fn losers_leave_the_queues_in_which_they_wait() {
    let program = r#"{ any = [[{ lock = "m" }, { unlock = "m" }], [{ acquire = "s" }, { release = "s" }], [{ recv = "c" }], [{ sleep = "2ms" }]], biased = true }, { cpu = "1ms" }"#;
    let other = r#"{ lock = "m" }, { acquire = "s" }, { io = "net", for = "4ms" }, { unlock = "m" }, { release = "s" }, { send = "c" }, { recv = "c" }, { cpu = "1ms" }"#;
    after(
        program,
        other,
        expect![[r#"
        1 column = 1ms
        cpu 0 |...AB|
        A     | ==# |
        B     |====#|
        C     | ==  |
        D     | ==  |
        E     | ==  |
        F     | ==  |
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        E = main/A.any.3#0
        F = main/A.any.4#0
        completed at 5ms
    "#]],
    );
}

/// Three times one of three, with a name for each.
fn three(biased: &str, expected: Expect) {
    let program = format!(
        r#"{{ repeat = 3, do = [{{ any = [[{{ cpu = "1ms" }}], [{{ cpu = "2ms" }}], [{{ cpu = "3ms" }}]]{biased} }}] }}"#
    );
    beside(&program, r#"{ cpu = "1ms" }"#, expected);
}

/// In the order of the list, the first that is done is the first of it.
#[test]
fn biased_polls_begin_with_the_first() {
    three(
        ", biased = true",
        expect![[r#"
        1 column = 1ms
        cpu 0 |CFIB|
        A     |=== |
        B     |---#|
        C     |#   |
        D     |-   |
        E     |-   |
        F     | #  |
        G     | -  |
        H     | -  |
        I     |  # |
        J     |  - |
        K     |  - |
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        E = main/A.any.3#0
        F = main/A.any.1#1
        G = main/A.any.2#1
        H = main/A.any.3#1
        I = main/A.any.1#2
        J = main/A.any.2#2
        K = main/A.any.3#2
        completed at 4ms
    "#]],
    );
}

/// Drawn, it is any of them.
#[test]
fn polls_begin_with_a_drawn_one() {
    three(
        "",
        expect![[r#"
        1 column = 1ms
        cpu 0 |DDHHHIB|
        A     |====== |
        B     |------#|
        C     |--     |
        D     |##     |
        E     |--     |
        F     |  ---  |
        G     |  ---  |
        H     |  ###  |
        I     |     # |
        J     |     - |
        K     |     - |
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        E = main/A.any.3#0
        F = main/A.any.1#1
        G = main/A.any.2#1
        H = main/A.any.3#1
        I = main/A.any.1#2
        J = main/A.any.2#2
        K = main/A.any.3#2
        completed at 7ms
    "#]],
    );
}

/// What stands inside a dropped branch is dropped with it, also what has not begun.
#[test]
fn what_is_inside_the_loser_is_dropped_with_it() {
    let program = r#"{ any = [
            [{ sleep = "3ms" }],
            [{ all = [[{ sleep = "5ms" }], [{ each = 3, at-once = 1, do = [{ with = "m", do = [{ sleep = "4ms" }] }] }], [{ any = [[{ sleep = "1ms" }], [{ sleep = "9ms" }]] }, { sleep = "6ms" }]] }],
        ] }, { with = "m", do = [{ cpu = "1ms" }] }"#;
    beside(
        program,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
        1 column = 1ms
        cpu 0 |B..A|
        A     |===#|
        B     |#   |
        C     |=== |
        D     |=== |
        E     |=== |
        F     |=== |
        G     |=== |
        H     |=== |
        I     |    |
        J     |    |
        K     |=   |
        L     |=   |
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        E = main/A.any.2.all.1#0
        F = main/A.any.2.all.2#0
        G = main/A.any.2.all.3#0
        H = main/A.any.2.all.2.each#0
        I = main/A.any.2.all.2.each#1
        J = main/A.any.2.all.2.each#2
        K = main/A.any.2.all.3.any.1#0
        L = main/A.any.2.all.3.any.2#0
        completed at 4ms
    "#]],
    );
    expect![[r#"
        A finished 4ms
        B finished 1ms
        A.any.1 finished 3ms
        A.any.2 aborted 3ms
        A.any.2.all.1 aborted 3ms
        A.any.2.all.2 aborted 3ms
        A.any.2.all.3 aborted 3ms
        A.any.2.all.2.each#0 aborted 3ms
        A.any.2.all.2.each#1 aborted 3ms
        A.any.2.all.2.each#2 aborted 3ms
        A.any.2.all.3.any.1 finished 1ms
        A.any.2.all.3.any.2 aborted 1ms
    "#]]
    .assert_eq(&fates(&world(program, r#"{ cpu = "1ms" }"#)));
}

#[test]
fn any_inside_all_and_each() {
    beside(
        r#"{ all = [[{ any = [[{ io = "net", for = "2ms" }], [{ io = "net", for = "5ms" }]] }, { cpu = "1ms" }], [{ cpu = "1ms" }, { sleep = "4ms" }]] }, { cpu = "1ms" }"#,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |DBC..A|
            A     |=====#|
            B     |-#    |
            C     |==#   |
            D     |#==== |
            E     |==    |
            F     |==    |
            A = main/A#0
            B = main/B#0
            C = main/A.all.1#0
            D = main/A.all.2#0
            E = main/A.all.1.any.1#0
            F = main/A.all.1.any.2#0
            completed at 6ms
        "#]],
    );
    beside(
        r#"{ each = 3, at-once = 2, do = [{ any = [[{ io = "disk", for = "3ms" }], [{ sleep = "2ms" }]] }, { cpu = "1ms" }] }"#,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |B.CD..E|
            A     |=======|
            B     |#      |
            C     |==#    |
            D     |===#   |
            E     |   -==#|
            F     |==     |
            G     |==     |
            H     |===    |
            I     |==-    |
            J     |    == |
            K     |    == |
            A = main/A#0
            B = main/B#0
            C = main/A.each#0
            D = main/A.each#1
            E = main/A.each#2
            F = main/A.each.any.1#0
            G = main/A.each.any.2#0
            H = main/A.each.any.1#1
            I = main/A.each.any.2#1
            J = main/A.each.any.1#2
            K = main/A.each.any.2#2
            completed at 7ms
        "#]],
    );
}

/// A branch that gives up is done like any other, and one that is dropped gives up nothing more.
#[test]
fn with_operations_that_are_given_up() {
    let program = r#"{ any = [[{ lock = "m", within = "2ms", else = [{ cpu = "1ms" }, "end"] }, { unlock = "m" }], [{ io = "disk", for = "9ms", within = "6ms" }], [{ acquire = "s", within = "1ms" }, { sleep = "9ms" }, { release = "s" }]] }, { io = "disk", for = "1ms" }"#;
    after(
        program,
        r#"{ with = "m", do = [{ io = "net", for = "7ms" }] }"#,
        expect![[r#"
        1 column = 1ms
        cpu 0 |...C...|
        A     | ====  |
        B     |=======|
        C     | ==#   |
        D     | ===   |
        E     | ===   |
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        E = main/A.any.3#0
        completed at 7ms
    "#]],
    );
}

/// On several workers a task is on one of them, and whom it drops may have waited for another.
#[test]
fn under_work_stealing() {
    check(
        r#"
        executor = { kind = "work-stealing", workers = 2 }
        machine = { processors = 2 }
        device = [{ name = "a" }, { name = "b", channels = 3 }]
        lock = [{ name = "m" }]
        [[task]]
        name = "A"
        count = 3
        program = [
            { any = [[{ io = "a", for = "3ms" }, { cpu = "1ms" }], [{ with = "m", do = [{ io = "b", for = "2ms" }] }, { cpu = "2ms" }], [{ sleep = "7ms" }]] },
            { cpu = "1ms" },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |..EEA.GCB|
            cpu 1 |.........|
            A     |====#    |
            B     |========#|
            C     |=======# |
            D     |===-     |
            E     |==##     |
            F     |====     |
            G     |======#  |
            H     |==---==  |
            I     |=======  |
            J     |======== |
            K     |=======- |
            L     |=======- |
            A = main/A#0
            B = main/A#1
            C = main/A#2
            D = main/A.any.1#0
            E = main/A.any.2#0
            F = main/A.any.3#0
            G = main/A.any.1#1
            H = main/A.any.2#1
            I = main/A.any.3#1
            J = main/A.any.1#2
            K = main/A.any.2#2
            L = main/A.any.3#2
            completed at 9ms
        "#]],
    );
}

/// Those that a pool does something for are left, and the pool goes on; who spawned tasks leaves them as well.
#[test]
fn what_others_do_for_the_loser_goes_on() {
    check(
        r#"
        machine = { processors = 2 }
        [[process]]
        name = "service"
        executor = "async"
        pools = { blocking = { kind = "pool", workers = 1 } }
        [[process.task]]
        name = "A"
        program = [{ any = [[{ on = "blocking", do = [{ cpu = "6ms" }] }], [{ sleep = "2ms" }], [{ spawn = "B" }, { join = "B" }]] }, { on = "blocking", do = [{ cpu = "1ms" }] }]
        [[process.task]]
        name = "B"
        arrival = "spawned"
        program = [{ sleep = "5ms" }, { cpu = "1ms" }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.....FG|
            cpu 1 |EEEEEE.|
            A     |=======|
            B     |==     |
            C     |==     |
            D     |==     |
            E     |###### |
            F     |=====# |
            G     |  ----#|
            A = service/A#0
            B = service/A.any.1#0
            C = service/A.any.2#0
            D = service/A.any.3#0
            E = service.blocking/A.any.1.blocking#0
            F = service/B#0
            G = service.blocking/A.blocking#0
            completed at 7ms
        "#]],
    );
}

/// Where nobody is ever done it is a deadlock; where one is, nobody is stuck.
#[test]
fn any_can_be_stuck() {
    let stuck = r#"{ any = [[{ recv = "c" }], [{ acquire = "s", count = 1 }, { recv = "c" }]] }"#;
    beside(
        stuck,
        r#"{ cpu = "2ms" }"#,
        expect![[r#"
        1 column = 2ms
        cpu 0 |B|
        A     |=|
        B     |#|
        C     |=|
        D     |=|
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        deadlock at 2ms
        deadlock without a cycle: A waits since 0 ns for the `A.any.1` it spawned; A.any.1 and A.any.2 wait since 0 ns to receive from channel `c`, which is empty, and nobody is left to send
    "#]],
    );
    let goes_on = r#"{ any = [[{ recv = "c" }], [{ sleep = "3ms" }]] }, { cpu = "1ms" }"#;
    beside(
        goes_on,
        r#"{ cpu = "1ms" }"#,
        expect![[r#"
        1 column = 1ms
        cpu 0 |B..A|
        A     |===#|
        B     |#   |
        C     |=== |
        D     |=== |
        A = main/A#0
        B = main/B#0
        C = main/A.any.1#0
        D = main/A.any.2#0
        completed at 4ms
    "#]],
    );
}
