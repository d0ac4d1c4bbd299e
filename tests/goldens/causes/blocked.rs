//! Waiting for something else than a processor, and the rest.

use super::*;

#[test]
fn a_device_queue_is_behind_who_had_the_channel() {
    check(
        r#"
        machine = { processors = 4 }
        device = [{ name = "disk", channels = 2 }]
        task = [
            { name = "A", program = [{ io = "disk", for = "5ms" }] },
            { name = "B", program = [{ io = "disk", for = "2ms" }] },
            { name = "C", program = [{ io = "disk", for = "2ms" }] },
            { name = "D", arrival = "1ms", program = [{ io = "disk", for = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.....|
            cpu 1 |.....|
            cpu 2 |.....|
            cpu 3 |.....|
            A     |=====|
            B     |==   |
            C     |==== |
            D     | ====|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            A#0
                  5ms blocked device-service disk
            B#0
                  2ms blocked device-service disk
            C#0
                  2ms blocked device-queue disk behind B#0
                  2ms blocked device-service disk
            D#0
                  2ms blocked device-queue disk behind C#0
                  1ms blocked device-queue disk behind B#0
                  1ms blocked device-service disk
        "#]],
    );
}

#[test]
fn a_lock_is_behind_its_holders_one_after_the_other() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "1ms" }, { sleep = "2ms" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..ABBC|
            cpu 1 |.......|
            A     |#==#   |
            B     |====## |
            C     | =====#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  2ms running
                  2ms blocked timer
            B#0
                  2ms running
                  2ms blocked lock m behind A#0
                  2ms blocked lock m behind A#0 blocked timer
            C#0
                  2ms blocked lock m behind A#0 blocked timer
                  2ms blocked lock m behind B#0
                  1ms running
                  1ms blocked lock m behind A#0
        "#]],
    );
}

#[test]
fn who_spins_runs_in_vain() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "2ms" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "B", program = [{ with = "m", do = [{ cpu = "3ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACC.C|
            cpu 1 |BBBB.|
            A     |#    |
            B     |#### |
            C     | ##=#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  1ms running
            B#0
                  3ms running
                  1ms running spin m behind A#0
            C#0
                  2ms running spin m behind B#0
                  1ms running
                  1ms blocked lock m behind B#0
        "#]],
    );
}

#[test]
fn a_writer_waits_behind_the_reader_that_stayed_longest() {
    check(
        r#"
        machine = { processors = 3 }
        rwlock = [{ name = "rw" }]
        task = [
            { name = "A", program = [{ read = "rw", do = [{ cpu = "4ms" }] }] },
            { name = "B", program = [{ read = "rw", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAC|
            cpu 1 |BB...|
            cpu 2 |.....|
            A     |#### |
            B     |##   |
            C     | ===#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  4ms running
            B#0
                  2ms running
            C#0
                  3ms blocked rwlock rw behind A#0
                  1ms running
        "#]],
    );
}

#[test]
fn permits_are_waited_for_behind_who_gave_one_back() {
    check(
        r#"
        machine = { processors = 3 }
        semaphore = [{ name = "s", permits = 2 }]
        task = [
            { name = "A", program = [{ acquire = "s" }, { cpu = "4ms" }, { release = "s" }] },
            { name = "B", program = [{ acquire = "s" }, { cpu = "2ms" }, { release = "s" }] },
            { name = "C", program = [{ acquire = "s" }, { cpu = "1ms" }, { release = "s" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA|
            cpu 1 |BBC.|
            cpu 2 |....|
            A     |####|
            B     |##  |
            C     |==# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  4ms running
            B#0
                  2ms running
            C#0
                  2ms blocked semaphore s behind B#0
                  1ms running
        "#]],
    );
}

#[test]
fn a_message_is_waited_for_behind_its_sender() {
    check(
        r#"
        machine = { processors = 2 }
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { sleep = "1ms" }, { send = "c" }, { send = "c" }, { send = "c" }] },
            { name = "B", program = [{ recv = "c" }, { cpu = "3ms" }, { recv = "c" }, { recv = "c" }, { recv = "c" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.BBB|
            cpu 1 |.....|
            A     |#====|
            B     |==###|
            A = main/A#0
            B = main/B#0
            A#0
                  3ms blocked channel c behind B#0
                  1ms running
                  1ms blocked timer
            B#0
                  3ms running
                  1ms blocked channel c behind A#0
                  1ms blocked channel c behind A#0 blocked timer
        "#]],
    );
}

#[test]
fn a_barrier_is_waited_for_behind_who_came_last() {
    check(
        r#"
        machine = { processors = 3 }
        barrier = [{ name = "b", parties = 3 }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { barrier = "b" }] },
            { name = "B", program = [{ cpu = "2ms" }, { barrier = "b" }] },
            { name = "C", program = [{ cpu = "1ms" }, { sleep = "2ms" }, { barrier = "b" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..|
            cpu 1 |BB.|
            cpu 2 |C..|
            A     |#==|
            B     |##=|
            C     |#==|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  2ms blocked barrier b behind C#0 blocked timer
                  1ms running
            B#0
                  2ms running
                  1ms blocked barrier b behind C#0 blocked timer
            C#0
                  2ms blocked timer
                  1ms running
        "#]],
    );
}

#[test]
fn a_notification_is_waited_for_and_then_the_lock() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        condvar = [{ name = "cv" }]
        task = [
            { name = "A", program = [{ with = "m", do = [{ wait = "cv", with = "m" }, { cpu = "1ms" }] }] },
            { name = "B", program = [{ cpu = "1ms" }, { with = "m", do = [{ notify = "cv" }, { cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |...A|
            cpu 1 |BBB.|
            A     |===#|
            B     |### |
            A = main/A#0
            B = main/B#0
            A#0
                  2ms blocked lock m behind B#0
                  1ms running
                  1ms blocked condvar cv behind B#0
            B#0
                  3ms running
        "#]],
    );
}

#[test]
fn who_shares_a_device_loses_what_others_have_of_it() {
    check(
        r#"
        machine = { processors = 2 }
        device = [{ name = "net", discipline = "fair-share" }]
        task = [
            { name = "A", program = [{ io = "net", for = "3ms" }] },
            { name = "B", program = [{ io = "net", for = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |..|
            cpu 1 |..|
            A     |==|
            B     |= |
            A = main/A#0
            B = main/B#0
            A#0
                  3ms blocked device-service net
                  1ms blocked device-sharing net
            B#0
                  1ms blocked device-service net
                  1ms blocked device-sharing net
        "#]],
    );
}

#[test]
fn the_way_of_a_head_is_told_apart() {
    check(
        r#"
        machine = { processors = 2 }
        device = [{ name = "disk", discipline = "sstf", seek = { per-track = "100us", tracks = 100 } }]
        task = [
            { name = "A", program = [{ io = "disk", for = "1ms", at = 10 }] },
            { name = "B", program = [{ io = "disk", for = "1ms", at = 30 }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.....|
            cpu 1 |.....|
            A     |==   |
            B     |=====|
            A = main/A#0
            B = main/B#0
            A#0
                  1ms blocked device-seek disk
                  1ms blocked device-service disk
            B#0
                  2ms blocked device-queue disk behind A#0
                  2ms blocked device-seek disk
                  1ms blocked device-service disk
        "#]],
    );
}

#[test]
fn a_deadlock_is_a_wait_for_each_other() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "l" }, { name = "r" }]
        task = [
            { name = "A", program = [{ lock = "l" }, { cpu = "1ms" }, { lock = "r" }] },
            { name = "B", program = [{ lock = "r" }, { cpu = "2ms" }, { lock = "l" }] },
            { name = "C", program = [{ sleep = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A....|
            cpu 1 |BB...|
            A     |#====|
            B     |##===|
            C     |-====|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  3ms blocked lock r behind B#0 blocked l
                  1ms running
                  1ms blocked lock r behind B#0
            B#0
                  3ms blocked lock l behind A#0 blocked r
                  2ms running
            C#0
                  4ms blocked timer
                  1ms waiting processor 0 behind A#0
        "#]],
    );
}

#[test]
fn who_waits_for_others_waits_for_the_last_of_them() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ spawn = "C" }, { spawn = "C" }, { cpu = "1ms" }, { join = "C" }, { cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "2ms" }] },
            { name = "D", after = ["A", "E"], program = [{ cpu = "1ms" }] },
            { name = "E", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ADD.AB|
            cpu 1 |CCEE..|
            A     |#===# |
            B     |=====#|
            C     |##    |
            D     |-##   |
            E     |--##  |
            A = main/A#0
            B = main/D#0
            C = main/E#0
            D = main/C#0
            E = main/C#1
            A#0
                  2ms running
                  2ms blocked join behind C#1
                  1ms blocked join behind C#1 waiting
            C#0
                  2ms running
                  1ms waiting processor 0 behind A#0
            C#1
                  2ms running
                  2ms waiting processor 1 behind E#0
            D#0
                  3ms blocked after behind A#0 blocked join
                  2ms blocked after behind A#0
                  1ms running
            E#0
                  2ms running
        "#]],
    );
}

#[test]
fn jobs_and_sleep_wait_for_nobody() {
    check(
        r#"
        task = [
            { name = "A", period = "4ms", jobs = 2, program = [{ cpu = "1ms" }, { sleep = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A...A.|
            A     |#===#=|
            A = main/A#0
            A#0
                  2ms running
                  2ms blocked timer
                  2ms blocked release
        "#]],
    );
}

// What no simulation gives.

#[test]
fn a_record_that_contradicts_itself_still_adds_up() {
    let toml = r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }
        device = [{ name = "disk" }]
        lock = [{ name = "m" }]
        task = [{ name = "A", count = 4, program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { with = "m", do = [{ cpu = "1ms" }] }] }]
    "#;
    let (mut timeline, _) = run(&scenario(toml));
    let late = |at: &mut sim_core::time::Time, by: u64| *at += Span::from_us(by);
    timeline.intervals.edit(|all| {
        for (index, interval) in all.iter_mut().enumerate() {
            late(&mut interval.start, index as u64 % 3 * 70);
            late(&mut interval.end, index as u64 % 4 * 90);
        }
    });
    timeline.blocks.iter_mut().for_each(|block| late(&mut block.end, 30));
    timeline.requests.iter_mut().for_each(|request| late(&mut request.end, 40));
    timeline.holds.iter_mut().for_each(|hold| late(&mut hold.start, 20));
    every_life_is_explained(&timeline);
}

#[test]
fn what_somebody_sends_itself_in_the_same_instant_did_not_end_its_wait() {
    check(
        r#"
        device = [{ name = "d" }]
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "A", program = [{ io = "d", for = "1ms" }, { send = "c" }] },
            { name = "B", program = [{ recv = "c" }, { send = "c" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.|
            A     |=|
            B     |=|
            A = main/A#0
            B = main/B#0
            A#0
                  1ms blocked device-service d
            B#0
                  1ms blocked channel c behind A#0 blocked d
        "#]],
    );
}
