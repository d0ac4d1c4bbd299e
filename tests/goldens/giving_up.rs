//! Operations that are given up, and devices that turn requests away.

use expect_test::{Expect, expect};
use sim_core::timeline::{How, Timeline};

mod loops;

use super::check;
use super::fates::fates;
use crate::support::{outcome_of, run, scenario};

/// Who went without what, when: `a lock m 5ms-15ms`.
fn leaves(timeline: &Timeline) -> String {
    let line = |leave: &sim_core::timeline::Leave| {
        let how = if leave.how == How::GaveUp { "gave up" } else { leave.how.name() };
        format!("{} {how} {:?} {}-{}\n", timeline.short_name(leave.task), leave.cause, leave.asked, leave.at)
    };
    timeline.leaves.iter().map(line).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn gone(toml: &str, expected: Expect) {
    let (timeline, ending) = run(&scenario(toml));
    expected.assert_eq(&format!("{}{} at {}\n", leaves(&timeline), ending.end.name(), ending.at));
}

/// The known answer: high leaves at 15 ms, and low is as urgent as before from then on, so that middle runs.
#[test]
fn urgency_that_was_lent_goes_back_when_the_lender_gives_up() {
    let toml = r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        task = [
            { name = "low", priority = 1, program = [{ with = "m", do = [{ cpu = "40ms" }] }] },
            { name = "middle", priority = 2, arrival = "2ms", program = [{ cpu = "20ms" }] },
            { name = "high", priority = 3, arrival = "5ms", program = [{ with = "m", within = "10ms", do = [{ cpu = "1ms" }], else = [{ cpu = "5ms" }] }] },
        ]
        "#;
    check(
        toml,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBBAAAAAAAAAACCCCCBBBBBBBBBBBBBBBBBAAAAAAAAAAAAAAAAAAAAAAAAAAAA|
            A     |##---##########----------------------############################|
            B     |  ###---------------#################                            |
            C     |     ==========#####                                             |
            A = main/low#0
            B = main/middle#0
            C = main/high#0
            completed at 65ms
        "#]],
    );
    gone(
        toml,
        expect![[r#"
            high gave up Sync(SyncId(0)) 5ms-15ms
            completed at 65ms
        "#]],
    );
}

/// It goes back along the whole chain: the middle one of three waits itself.
#[test]
fn urgency_goes_back_along_a_chain() {
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "a", protocol = "inherit" }, { name = "b", protocol = "inherit" }]
        task = [
            { name = "low", priority = 1, program = [{ with = "a", do = [{ cpu = "10ms" }] }] },
            { name = "mid", priority = 2, arrival = "1ms", program = [{ with = "b", do = [{ with = "a", do = [{ cpu = "1ms" }] }] }] },
            { name = "other", priority = 3, arrival = "2ms", program = [{ cpu = "6ms" }] },
            { name = "high", priority = 4, arrival = "3ms", program = [{ with = "b", within = "3ms", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACAAACCCCCAAAAAB|
            A     |##-###-----##### |
            B     | ===============#|
            C     |  #---#####      |
            D     |   ===           |
            A = main/low#0
            B = main/mid#0
            C = main/other#0
            D = main/high#0
            completed at 17ms
        "#]],
    );
}

#[test]
fn granted_and_over_at_one_instant_is_granted() {
    gone(
        r#"
        machine = { processors = 3 }
        lock = [{ name = "m" }]
        device = [{ name = "d" }]
        task = [
            { name = "a", program = [{ with = "m", do = [{ cpu = "5ms" }] }] },
            { name = "b", program = [{ with = "m", within = "5ms", do = [{ cpu = "1ms" }] }, { io = "d", for = "3ms", within = "3ms" }] },
            { name = "c", program = [{ with = "m", within = "5999999ns", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            c gave up Sync(SyncId(0)) 0ns-5.999999ms
            completed at 9ms
        "#]],
    );
}

/// Both give up at 3 ms: what the first leaves behind is what the second has waited for.
#[test]
fn who_gives_up_first_may_let_the_next_have_it() {
    gone(
        r#"
        machine = { processors = 3 }
        semaphore = [{ name = "s", permits = 2 }]
        task = [
            { name = "a", program = [{ acquire = "s", do = [{ cpu = "9ms" }] }] },
            { name = "b", program = [{ acquire = "s", count = 2, within = "3ms", do = [{ cpu = "1ms" }] }] },
            { name = "c", program = [{ acquire = "s", within = "3ms", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            b gave up Sync(SyncId(0)) 0ns-3ms
            completed at 9ms
        "#]],
    );
}

#[test]
fn a_try_never_blocks() {
    gone(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "1ms" }, { name = "n" }]
        rwlock = [{ name = "rw" }]
        semaphore = [{ name = "s", permits = 1 }]
        channel = [{ name = "c", capacity = 1 }]
        condvar = [{ name = "cv" }]
        barrier = [{ name = "b", parties = 2 }]
        task = [
            { name = "a", program = [{ with = "m", do = [{ write = "rw", do = [{ acquire = "s", do = [{ cpu = "9ms" }] }] }] }] },
            { name = "b", arrival = "1ms", program = [
                { with = "m", within = "0ms", do = [{ cpu = "1ms" }] },
                { read = "rw", within = "0ms", do = [{ cpu = "1ms" }] },
                { acquire = "s", within = "0ms", do = [{ cpu = "1ms" }] },
                { send = "c", within = "0ms" },
                { send = "c", within = "0ms" },
                { recv = "c", within = "0ms" },
                { recv = "c", within = "0ms" },
                { barrier = "b", within = "0ms" },
                { with = "n", do = [{ wait = "cv", with = "n", within = "0ms" }] },
                { spawn = "child" },
                { join = "child", within = "0ms", else = [{ cpu = "1ms" }] },
                { join = "child" },
                { cpu = "1ms" },
            ] },
            { name = "child", arrival = "spawned", program = [{ sleep = "4ms" }] },
        ]
        "#,
        expect![[r#"
            b gave up Sync(SyncId(0)) 1ms-1ms
            b gave up Sync(SyncId(2)) 1ms-1ms
            b gave up Sync(SyncId(3)) 1ms-1ms
            b gave up Sync(SyncId(4)) 1ms-1ms
            b gave up Sync(SyncId(4)) 1ms-1ms
            b gave up Sync(SyncId(6)) 1ms-1ms
            b gave up Sync(SyncId(5)) 1ms-1ms
            b gave up Join 1ms-1ms
            completed at 9ms
        "#]],
    );
}

#[test]
fn who_gives_up_a_wait_takes_the_lock_back_first() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m", within = "3ms", else = [{ cpu = "2ms" }] }] }, { cpu = "1ms" }] },
            { name = "B", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "5ms" }] }, { notify = "cv" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.BBBBBAAA|
            cpu 1 |.........|
            A     |======###|
            B     | #####   |
            A = main/A#0
            B = main/B#0
            completed at 9ms
        "#]],
    );
}

#[test]
fn who_spins_gives_up_on_its_processor() {
    let toml = r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "4ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "9ms" }] }] },
            { name = "B", program = [{ with = "m", within = "2ms", do = [{ cpu = "1ms" }], else = [{ cpu = "1ms" }] }, { cpu = "1ms" }] },
            { name = "C", arrival = "1ms", program = [{ with = "m", within = "6ms", do = [{ cpu = "1ms" }] }] },
        ]
        "#;
    check(
        toml,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAAAAC|
            cpu 1 |BBBBCCCC..|
            A     |######### |
            B     |####      |
            C     | ---####=#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 10ms
        "#]],
    );
    gone(
        toml,
        expect![[r#"
            B gave up Sync(SyncId(0)) 0ns-2ms
            completed at 10ms
        "#]],
    );
}

/// At 3 ms B leaves the channel, which takes C at that instant; D has waited long enough at 5 ms.
#[test]
fn at_a_device_the_channel_is_free_at_once() {
    let toml = r#"
        device = [{ name = "d", patience = "5ms" }]
        task = [
            { name = "B", program = [{ io = "d", for = "9ms", within = "3ms" }, { cpu = "1ms" }] },
            { name = "C", program = [{ io = "d", for = "4ms" }, { cpu = "1ms" }] },
            { name = "D", program = [{ io = "d", for = "4ms", else = [{ cpu = "2ms" }] }, { cpu = "1ms" }] },
        ]
        "#;
    check(
        toml,
        expect![[r#"
            1 column = 1ms
            cpu 0 |...A.CCCB|
            A     |===#     |
            B     |=======-#|
            C     |=====### |
            A = main/B#0
            B = main/C#0
            C = main/D#0
            completed at 9ms
        "#]],
    );
    gone(
        toml,
        expect![[r#"
            B gave up Device(DeviceId(0)) 0ns-3ms
            D gave up Device(DeviceId(0)) 0ns-5ms
            completed at 9ms
        "#]],
    );
}

#[test]
fn all_disciplines_let_go() {
    for discipline in sim_core::device::DISCIPLINES {
        let toml = format!(
            r#"
            device = [{{ name = "d", discipline = "{}" }}]
            task = [
                {{ name = "a", program = [{{ io = "d", for = "8ms", at = 1 }}] }},
                {{ name = "b", arrival = "1ms", program = [{{ io = "d", for = "8ms", at = 9, within = "3ms" }}, {{ io = "d", for = "1ms", at = 5 }}] }},
                {{ name = "c", arrival = "2ms", program = [{{ io = "d", for = "2ms", at = 7, within = "30ms" }}] }},
            ]
            "#,
            discipline.name
        );
        let outcome = outcome_of(&scenario(&toml));
        let device = &outcome.devices[0];
        assert_eq!((device.given_up, device.requests, outcome.summary.given_up), (1, 4, 1), "{}", discipline.name);
        run(&scenario(&toml));
    }
}

/// One is served and one waits: of those who come at 1 ms, the last two are turned away.
#[test]
fn who_finds_the_queue_full_is_turned_away() {
    let toml = r#"
        device = [{ name = "d", queue = 1 }]
        task = [
            { name = "A", program = [{ io = "d", for = "4ms" }] },
            { name = "B", count = 3, arrival = "1ms", program = [{ io = "d", for = "1ms", else = ["end"] }, { cpu = "1ms" }] },
        ]
        "#;
    gone(
        toml,
        expect![[r#"
            B#1 rejected Device(DeviceId(0)) 1ms-1ms
            B#2 rejected Device(DeviceId(0)) 1ms-1ms
            completed at 6ms
        "#]],
    );
    expect![[r#"
        A#0 finished 4000us
        B#0 finished 6000us
        B#1 ended 1000us
        B#2 ended 1000us
    "#]]
    .assert_eq(&fates(toml));
    let outcome = outcome_of(&scenario(toml));
    assert_eq!((outcome.devices[0].rejected, outcome.summary.rejected, outcome.tasks[3].rejected), (2, 2, 1));
}

#[test]
fn at_a_barrier_who_has_left_counts_no_more() {
    gone(
        r#"
        machine = { processors = 3 }
        barrier = [{ name = "b", parties = 2 }]
        task = [
            { name = "A", program = [{ barrier = "b", within = "1ms" }, { cpu = "1ms" }] },
            { name = "B", arrival = "2ms", program = [{ barrier = "b" }, { cpu = "1ms" }] },
            { name = "C", arrival = "4ms", program = [{ barrier = "b" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            A gave up Sync(SyncId(0)) 0ns-1ms
            completed at 5ms
        "#]],
    );
}

/// The work in the pool goes on when its caller has left, and the next call waits for its own only.
#[test]
fn what_was_let_do_goes_on_without_its_caller() {
    let toml = r#"
        machine = { processors = 2 }
        process = [{ name = "p", executor = "async", pools = { slow = { kind = "pool", workers = 1 } }, task = [
            { name = "A", program = [
                { repeat = 2, do = [{ on = "slow", within = "2ms", do = [{ cpu = "5ms" }], else = [{ cpu = "1ms" }] }] },
                { on = "slow", do = [{ cpu = "1ms" }] },
            ] },
        ] }]
        "#;
    check(
        toml,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBBBBCCCCCD|
            cpu 1 |..A..A.....|
            A     |==#==#=====|
            B     |#####      |
            C     |   --##### |
            D     |      ----#|
            A = p/A#0
            B = p.slow/A.slow#0
            C = p.slow/A.slow#1
            D = p.slow/A.slow.2#0
            completed at 11ms
        "#]],
    );
    gone(
        toml,
        expect![[r#"
            A gave up Join 0ns-2ms
            A gave up Join 3ms-5ms
            completed at 11ms
        "#]],
    );
}

#[test]
fn a_deadlock_that_somebody_leaves_is_none() {
    gone(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "x" }, { name = "y" }]
        task = [
            { name = "A", program = [{ with = "x", do = [{ cpu = "1ms" }, { with = "y", within = "7ms", do = [] }] }] },
            { name = "B", program = [{ with = "y", do = [{ cpu = "1ms" }, { with = "x", do = [] }] }] },
        ]
        "#,
        expect![[r#"
            A gave up Sync(SyncId(1)) 1ms-8ms
            completed at 8ms
        "#]],
    );
}

/// A time that means nothing any more ends no later than the deadlock.
#[test]
fn a_deadlock_is_none_later_for_what_was_had() {
    gone(
        r#"
        lock = [{ name = "x" }]
        device = [{ name = "d" }]
        task = [{ name = "A", program = [
            { with = "x", within = "1s", do = [{ cpu = "1ms" }] },
            { io = "d", for = "9s", within = "1ms" },
            { lock = "x" }, { lock = "x" },
        ] }]
        "#,
        expect![[r#"
            A gave up Device(DeviceId(0)) 1ms-2ms
            deadlock at 2ms
        "#]],
    );
}
