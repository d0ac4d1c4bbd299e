//! Where the time of every task went, and behind whom: each breakdown is judged by hand against the drawing that the
//! same scenario gives.

use expect_test::{Expect, expect};
use sim_cli::gantt;
use sim_core::causes::{Causes, Kind};
use sim_core::outcome::Outcome;
use sim_core::time::Span;
use sim_core::timeline::{Timeline, TimelineHash};

use crate::support::{run, scenario};

/// The drawing, and the causes of each task as the outcome has them.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn check(toml: &str, expected: Expect) {
    let scenario = scenario(toml);
    let (timeline, ending) = run(&scenario);
    let mut recorder = (sim_core::metrics::Metrics::default(), TimelineHash::default());
    timeline.replay(&mut recorder);
    let outcome = Outcome::simulated(&scenario, &ending, &recorder.0, recorder.1);
    let outcome = outcome.with_causes(&timeline, &Causes::of(&timeline));
    let mut text = gantt::ascii(&timeline, 100);
    for task in &outcome.tasks {
        let parts = task.causes.iter().flatten().map(|cause| {
            let object = cause.processor.as_ref().or(cause.device.as_ref()).or(cause.object.as_ref());
            let words = [
                Some(cause.kind),
                cause.what,
                object.map(String::as_str),
                cause.behind.as_ref().map(|_| "behind"),
                cause.behind.as_deref().map(|name| name.trim_start_matches("main/")),
                cause.doing,
                cause.doing_for.as_deref(),
            ];
            let words: Vec<&str> = words.into_iter().flatten().collect();
            format!("    {:>5} {}\n", Span::from_ns(cause.ns).to_string(), words.join(" "))
        });
        text += &format!("{}\n{}", task.name.trim_start_matches("main/"), parts.collect::<String>());
    }
    expected.assert_eq(&text);
}

// The kernel's floor.

#[test]
fn a_processor_is_waited_for_behind_whoever_is_on_it() {
    check(
        r#"
        machine = { context-switch = "1ms", charge-first-switch = false }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA~BB~C~AA|
            A     |##-----~##|
            B     |--~##     |
            C     | ----~#   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  4ms running
                  2ms waiting processor 0 behind B#0
                  1ms overhead
                  1ms waiting processor 0 behind B#0 switching
                  1ms waiting processor 0 behind C#0
                  1ms waiting processor 0 behind C#0 switching
            B#0
                  2ms running
                  2ms waiting processor 0 behind A#0
                  1ms overhead
            C#0
                  2ms waiting processor 0 behind B#0
                  1ms running
                  1ms overhead
                  1ms waiting processor 0 behind A#0
                  1ms waiting processor 0 behind B#0 switching
        "#]],
    );
}

#[test]
fn with_several_processors_it_is_the_one_that_the_task_got() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ cpu = "5ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "1ms", program = [{ cpu = "4ms" }] },
            { name = "D", arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAD|
            cpu 1 |BBCCCC|
            A     |##### |
            B     |##    |
            C     | -####|
            D     | ----#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            A#0
                  5ms running
            B#0
                  2ms running
            C#0
                  4ms running
                  1ms waiting processor 1 behind B#0
            D#0
                  4ms waiting processor 0 behind A#0
                  1ms running
        "#]],
    );
}

#[test]
fn a_processor_that_may_not_be_used_is_nobodys_fault() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "fifo", queues = "per-processor", placement = "round-robin", balance = { every = "4ms" } }
        task = [
            { name = "A", program = [{ cpu = "9ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAAAA|
            cpu 1 |B...C....|
            A     |#########|
            B     |#        |
            C     |----#    |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  9ms running
            B#0
                  1ms running
            C#0
                  3ms waiting nobody 1
                  1ms running
                  1ms waiting processor 1 behind B#0
        "#]],
    );
}

#[test]
fn who_never_ran_waited_behind_whoever_was_busy() {
    check(
        r#"
        until = "3ms"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ cpu = "9ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { sleep = "9ms" }] },
            { name = "C", program = [{ cpu = "9ms" }] },
            { name = "D", program = [{ cpu = "1ms" }] },
            { name = "E", arrival = "5ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA|
            cpu 1 |BCC|
            A     |###|
            B     |#==|
            C     |-##|
            D     |---|
            E     |   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            E = main/E#0
            A#0
                  3ms running
            B#0
                  2ms blocked timer
                  1ms running
            C#0
                  2ms running
                  1ms waiting processor 1 behind B#0
            D#0
                  3ms waiting processor 0 behind A#0
            E#0
        "#]],
    );
}

// The runtime's floor.

#[test]
fn in_an_event_loop_tasks_wait_behind_each_other() {
    check(
        r#"
        executor = "async"
        device = [{ name = "net", channels = "unlimited" }]
        task = [
            { name = "A", count = 2, program = [{ cpu = "1ms" }, { io = "net", for = "2ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCCCAB|
            A     |#==--# |
            B     |-#==--#|
            C     |--###  |
            A = main/A#0
            B = main/A#1
            C = main/B#0
            A#0
                  2ms running
                  2ms waiting runtime behind B#0
                  2ms blocked device-service net
            A#1
                  2ms running
                  2ms waiting runtime behind A#0
                  2ms blocked device-service net
                  1ms waiting runtime behind B#0
            B#0
                  3ms running
                  1ms waiting runtime behind A#0
                  1ms waiting runtime behind A#1
        "#]],
    );
}

#[test]
fn who_blocks_the_event_loop_is_named() {
    check(
        r#"
        executor = "async"
        device = [{ name = "net", channels = "unlimited" }, { name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "net", for = "2ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { io = "disk", for = "4ms", blocking = true }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB....BA|
            A     |#==----#|
            B     |-#====# |
            A = main/A#0
            B = main/B#0
            A#0
                  3ms waiting runtime behind B#0 blocked disk
                  2ms running
                  2ms blocked device-service net
                  1ms waiting runtime behind B#0
            B#0
                  4ms blocked device-service disk
                  2ms running
                  1ms waiting runtime behind A#0
        "#]],
    );
}

#[test]
fn an_event_loop_that_waits_for_the_processor_lets_its_tasks_wait_for_it() {
    check(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        [[process]]
        name = "loop"
        executor = "async"
        task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }]
        [[process]]
        name = "hog"
        task = [{ name = "H", program = [{ cpu = "4ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACCABCCBB|
            A     |##--#     |
            B     |-----#--##|
            C     |--##--##  |
            A = loop/A#0
            B = loop/A#1
            C = hog/H#0
            loop/A#0
                  3ms running
                  2ms waiting processor 0 behind hog/H#0
            loop/A#1
                  4ms waiting processor 0 behind hog/H#0
                  3ms running
                  3ms waiting runtime behind loop/A#0
            hog/H#0
                  4ms running
                  3ms waiting processor 0 behind loop/A#0
                  1ms waiting processor 0 behind loop/A#1
        "#]],
    );
}

#[test]
fn a_pool_too_small_makes_tasks_wait_behind_blocked_workers() {
    check(
        r#"
        executor = { kind = "pool", workers = 2 }
        device = [{ name = "net", channels = "unlimited" }]
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { io = "net", for = "3ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AB..ACB..C|
            A     |#===#     |
            B     |-#===-#   |
            C     |-----#===#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            A#0
                  3ms blocked device-service net
                  2ms running
            A#1
                  3ms blocked device-service net
                  2ms running
                  1ms waiting processor 0 behind A#0
                  1ms waiting processor 0 behind A#2
            A#2
                  3ms waiting runtime behind A#0 blocked net
                  3ms blocked device-service net
                  2ms running
                  2ms waiting runtime behind A#0
        "#]],
    );
}

#[test]
fn sequential_tasks_wait_behind_all_before_them() {
    check(
        r#"
        executor = "sequential"
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }, { sleep = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.B.C.|
            A     |#=    |
            B     |--#=  |
            C     |----#=|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            A#0
                  1ms running
                  1ms blocked timer
            A#1
                  1ms running
                  1ms waiting runtime behind A#0
                  1ms waiting runtime behind A#0 blocked timer
                  1ms blocked timer
            A#2
                  1ms running
                  1ms waiting runtime behind A#0
                  1ms waiting runtime behind A#0 blocked timer
                  1ms waiting runtime behind A#1
                  1ms waiting runtime behind A#1 blocked timer
                  1ms blocked timer
        "#]],
    );
}

#[test]
fn a_stolen_task_waited_behind_what_the_thief_did() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2 }
        task = [
            { name = "A", program = [{ spawn = "C" }, { spawn = "C" }, { cpu = "6ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |AAAD|
            cpu 1 |BC..|
            A     |### |
            B     |#   |
            C     |-#  |
            D     |---#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/C#1
            A#0
                  6ms running
            B#0
                  2ms running
            C#0
                  2ms running
                  2ms waiting runtime behind B#0
            C#1
                  6ms waiting runtime behind A#0
                  2ms running
        "#]],
    );
}

#[test]
fn processes_wait_for_processors_alone() {
    check(
        r#"
        machine = { processors = 1, process-switch = "1ms", process-start = "1ms" }
        executor = "processes"
        task = [{ name = "A", count = 2, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA~~BB|
            A     |~##    |
            B     |---~~##|
            A = main/A#0
            B = main/A#1
            A#0
                  2ms running
                  1ms overhead
            A#1
                  2ms running
                  2ms overhead
                  2ms waiting processor 0 behind A#0
                  1ms waiting processor 0 behind A#0 switching
        "#]],
    );
}

#[test]
fn the_interpreter_lock_is_held_by_who_runs_or_is_next() {
    check(
        r#"
        machine = { processors = 1 }
        scheduler = { policy = "round-robin", quantum = "1ms" }
        [[process]]
        name = "py"
        executor = { kind = "threads", gil = "2ms" }
        task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }]
        [[process]]
        name = "hog"
        task = [{ name = "H", program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACCBCAABB|
            A     |#----##  |
            B     |---#---##|
            C     |-##-#    |
            A = py/A#0
            B = py/A#1
            C = hog/H#0
            py/A#0
                  3ms running
                  2ms waiting interpreter behind py/A#1 waiting
                  1ms waiting processor 0 behind hog/H#0
                  1ms waiting interpreter behind py/A#1
            py/A#1
                  3ms running
                  3ms waiting interpreter behind py/A#0
                  2ms waiting processor 0 behind hog/H#0
                  1ms waiting interpreter behind py/A#0 waiting
            hog/H#0
                  3ms running
                  1ms waiting processor 0 behind py/A#0
                  1ms waiting processor 0 behind py/A#1
        "#]],
    );
}

#[test]
fn goroutines_wait_behind_those_who_have_the_workers() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "goroutines", workers = 1, slice = "2ms" }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "2ms", blocking = true }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBABB|
            cpu 1 |......|
            A     |#==#  |
            B     |-##-##|
            A = main/A#0
            B = main/B#0
            A#0
                  2ms running
                  2ms blocked device-service disk
            B#0
                  4ms running
                  2ms waiting runtime behind A#0
        "#]],
    );
}

#[test]
fn a_helping_worker_is_not_blocked_by_a_join() {
    check(
        r#"
        executor = { kind = "pool", workers = 1, queue = "stealing" }
        task = [
            { name = "A", program = [{ spawn = "C" }, { cpu = "1ms" }, { join = "C" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACCAB|
            A     |#==# |
            B     |----#|
            C     |-##  |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  2ms running
                  2ms blocked join behind C#0
            B#0
                  2ms waiting runtime behind A#0
                  2ms waiting runtime behind C#0
                  1ms running
            C#0
                  2ms running
                  1ms waiting runtime behind A#0
        "#]],
    );
}

// Blocked.

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
    let late = |at: &mut sim_core::time::Time, by: u64| *at = *at + Span::from_us(by);
    for (index, interval) in timeline.intervals.iter_mut().enumerate() {
        late(&mut interval.start, index as u64 % 3 * 70);
        late(&mut interval.end, index as u64 % 4 * 90);
    }
    timeline.blocks.iter_mut().for_each(|block| late(&mut block.end, 30));
    timeline.requests.iter_mut().for_each(|request| late(&mut request.end, 40));
    timeline.holds.iter_mut().for_each(|hold| late(&mut hold.start, 20));
    every_life_is_explained(&timeline);
}

/// The parts of each task add up to its life, whatever the record is like.
fn every_life_is_explained(timeline: &Timeline) {
    let causes = Causes::of(timeline);
    for (task, life) in timeline.tasks.pairs() {
        let end = life.finish.unwrap_or(timeline.end);
        let lived = life.arrival.map_or(Span::ZERO, |arrival| end.since(arrival));
        let kinds = [Kind::Running, Kind::Waiting, Kind::Blocked, Kind::Overhead];
        let sum: Span = kinds.into_iter().map(|kind| causes.sum(task, kind)).sum();
        assert_eq!(sum, lived, "{}", timeline.task_name(task));
    }
}
