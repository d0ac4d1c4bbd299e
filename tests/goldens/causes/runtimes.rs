//! Ready, and not on a thread of the runtime.

use sim_core::causes::{Doing, What};
use sim_core::ids::TaskId;

use super::*;

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

/// B queues behind A. Its thread is made at 4 ms, for D, since the queue is full: until then it waits for that of A.
#[test]
fn who_waits_for_a_thread_that_is_not_there_yet_waits_for_the_pool() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "pool", core = 1, maximum = 2, queue-limit = 1 }
        task = [
            { name = "A", program = [{ sleep = "9ms" }] },
            { name = "B", arrival = "1ms", program = [{ cpu = "1ms" }] },
            { name = "C", arrival = "4ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |....CCB..|
            cpu 1 |.........|
            A     |=========|
            B     | -----#  |
            C     |    ##   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A#0
                  9ms blocked timer
            B#0
                  3ms waiting runtime behind A#0 blocked timer
                  2ms waiting runtime behind C#0
                  1ms running
            C#0
                  2ms running
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
fn a_measured_request_begins_a_moment_after_the_processor_was_left() {
    let scenario = scenario(
        r#"
        executor = "async"
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "4ms", blocking = true }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
        ]
        "#,
    );
    let (mut timeline, _) = run(&scenario);
    let late = Span::from_ns(300);
    timeline.blocks.iter_mut().for_each(|block| block.start += late);
    timeline.requests.iter_mut().for_each(|request| request.asked += late);
    let parts = &Causes::of(&timeline).tasks[TaskId(1)];
    let behind = |doing: fn(&Doing) -> bool| -> Vec<Span> {
        let of_a = parts.iter().filter(|part| part.what == What::Runtime);
        of_a.filter(|part| part.behind.is_some_and(|a| doing(&a.doing))).map(|part| part.length).collect()
    };
    assert_eq!(behind(|doing| matches!(doing, Doing::Blocked(_))), [Span::from_ms(4) - late]);
    assert_eq!(behind(|doing| matches!(doing, Doing::Running)), [Span::from_ms(2)]);
    assert!(!parts.iter().any(|part| matches!(part.what, What::Nobody(_))), "{parts:?}");
    every_life_is_explained(&timeline);
}
