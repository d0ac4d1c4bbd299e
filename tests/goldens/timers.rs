//! Timers of event loops: when they ring, and when a loop that waits for them wakes.

use expect_test::expect;

use super::check;
use crate::support::{run, scenario};

#[test]
fn an_idle_loop_waits_for_whole_steps_from_when_it_parks() {
    // The timer is up at 1.5 ms and rings at 2. At 0.5 the loop parks for two whole steps.
    check(
        r#"
        executor = { kind = "async", timer = "1ms", park = "whole-steps" }
        task = [{ name = "A", program = [{ cpu = "0.5ms" }, { sleep = "1ms" }, { cpu = "0.5ms" }] }]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |A....A|
            A     |#====#|
            A = main/A#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn a_busy_loop_sees_at_its_next_look_what_has_rung() {
    // A's timer rings at 2 ms, and B ends at 2.5.
    check(
        r#"
        executor = { kind = "async", timer = "1ms", park = "whole-steps" }
        task = [
            { name = "A", program = [{ cpu = "0.5ms" }, { sleep = "1ms" }, { cpu = "0.5ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |ABBBBA|
            A     |#===-#|
            B     |-#### |
            A = main/A#0
            B = main/B#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn steps_count_from_the_epoch() {
    // With steps at 0.75, 1.75, 2.75, …: A's timer is up at 1.8 ms, and at 0.5 the loop parks for three steps.
    check(
        r#"
        executor = { kind = "async", timer = "1ms", park = "whole-steps", epoch = "0.25ms" }
        task = [{ name = "A", program = [{ cpu = "0.5ms" }, { sleep = "1.3ms" }, { cpu = "0.5ms" }] }]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |A......A|
            A     |#======#|
            A = main/A#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_loop_that_something_else_wakes_looks_at_timers_too() {
    // A's timer rings at 2 ms; the loop would sleep until 2.5, but B arrives at 2.25.
    check(
        r#"
        executor = { kind = "async", timer = "1ms", park = "whole-steps" }
        task = [
            { name = "A", program = [{ cpu = "0.5ms" }, { sleep = "1ms" }, { cpu = "0.5ms" }] },
            { name = "B", arrival = "2.25ms", program = [{ cpu = "0.5ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 250us
            cpu 0 |AA.......AABB|
            A     |##=======##  |
            B     |         --##|
            A = main/A#0
            B = main/B#0
            completed at 3.25ms
        "#]],
    );
}

const QUEUE: &str = r#"
    device = [{ name = "disk" }]
    task = [
        { name = "A", program = [{ cpu = "0.5ms" }, { io = "disk", for = "1ms" }, { cpu = "0.5ms" }] },
        { name = "B", program = [{ cpu = "0.25ms" }, { io = "disk", for = "1.25ms" }, { cpu = "0.5ms" }] },
    ]
"#;

#[test]
fn a_channel_is_free_when_the_service_is_over_though_its_task_hears_of_it_later() {
    // A is served until 1.5 ms and B until 2.75; their timers ring at 2 and 3. At 0.75 the loop parks: until 2.75.
    check(
        &format!(
            "executor = {{ kind = \"async\", timer = \"1ms\", park = \"whole-steps\", timed-devices = \"news\" }}{QUEUE}"
        ),
        expect![[r#"
            1 column = 250us
            cpu 0 |AAB........AABB|
            A     |##=========##  |
            B     |--#=========-##|
            A = main/A#0
            B = main/B#0
            completed at 3.75ms
        "#]],
    );
}

#[test]
fn a_channel_made_of_timers_is_busy_until_they_ring() {
    // A is served until 2 ms, B from then on: until 4.
    check(
        &format!("executor = {{ kind = \"async\", timer = \"1ms\", timed-devices = true }}{QUEUE}"),
        expect![[r#"
            1 column = 250us
            cpu 0 |AAB.....AA......BB|
            A     |##======##        |
            B     |--#=============##|
            A = main/A#0
            B = main/B#0
            completed at 4.5ms
        "#]],
    );
}

#[test]
fn who_is_served_by_a_discipline_that_must_know_who_comes_later_hears_of_it_at_once() {
    check(
        &format!(
            "executor = {{ kind = \"async\", timer = \"1ms\", park = \"whole-steps\", timed-devices = \"news\" }}{}",
            QUEUE.replace("name = \"disk\"", "name = \"disk\", discipline = \"lifo\"")
        ),
        expect![[r#"
            1 column = 250us
            cpu 0 |AAB...AA...BB|
            A     |##====##     |
            B     |--#========##|
            A = main/A#0
            B = main/B#0
            completed at 3.25ms
        "#]],
    );
}

#[test]
fn a_worker_at_the_driver_begins_anew_for_a_timer_that_rings_sooner() {
    // Worker 1, at the driver, parks at 0.25 ms for B, until 10.25. At 0.75 A sets a
    // timer for 2, and C is next on its worker: the other one parks anew, for two steps.
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "work-stealing", workers = 2, timer = "1ms", park = "whole-steps" }
        task = [
            { name = "A", program = [{ cpu = "0.75ms" }, { spawn = "C" }, { sleep = "1ms" }, { cpu = "0.25ms" }] },
            { name = "B", program = [{ cpu = "0.25ms" }, { sleep = "9ms" }, { cpu = "0.25ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "2.5ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 250us
            cpu 0 |AAACCCCCCCCCC...........................B|
            cpu 1 |B..........A.............................|
            A     |###========#                             |
            B     |#=======================================#|
            C     |   ##########                            |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 10.25ms
        "#]],
    );
}

#[test]
fn what_is_written_beside_rules_wins() {
    // Steps from the start on, as if the runtime had been made then: see the first of these.
    check(
        r#"
        executor = { kind = "async", rules = "tokio-1.54", epoch = "0ms" }
        task = [{ name = "A", program = [{ cpu = "0.5ms" }, { sleep = "1ms" }, { cpu = "0.5ms" }] }]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |A....A|
            A     |#====#|
            A = main/A#0
            completed at 3ms
        "#]],
    );
    check(
        r#"
        executor = { kind = "async", rules = "tokio-1.54", timer = "0ms" }
        task = [{ name = "A", program = [{ cpu = "0.5ms" }, { sleep = "1ms" }, { cpu = "0.5ms" }] }]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |A..A|
            A     |#==#|
            A = main/A#0
            completed at 2ms
        "#]],
    );
}

#[test]
fn who_arrives_waits_in_the_common_queue_and_not_for_a_look_at_the_driver() {
    // While B runs, A's timer rings at 1.5 ms and C arrives at 2: C is in a queue that the loop sees, A only in the driver.
    let tasks = r#"
        task = [
            { name = "A", program = [{ cpu = "0.5ms" }, { sleep = "1ms" }, { cpu = "0.5ms" }] },
            { name = "B", program = [{ cpu = "2.5ms" }] },
            { name = "C", arrival = "2ms", program = [{ cpu = "0.5ms" }] },
        ]
    "#;
    check(
        &format!("executor = {{ kind = \"async\", global-interval = 31 }}\n{tasks}"),
        expect![[r#"
        1 column = 500us
        cpu 0 |ABBBBBCA|
        A     |#==----#|
        B     |-#####  |
        C     |    --# |
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 4ms
    "#]],
    );
    check(
        &format!("executor = \"async\"\n{tasks}"),
        expect![[r#"
        1 column = 500us
        cpu 0 |ABBBBBAC|
        A     |#==---# |
        B     |-#####  |
        C     |    ---#|
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 4ms
    "#]],
    );
}

/// Tasks that sleep for so many us each, and then work for some: when do they end?
fn ends(rules: &str, first: &str, work: u64, sleeps: impl Iterator<Item = u64>) -> Vec<u64> {
    let tasks = sleeps
        .map(|us| format!("[[task]]\nname = 's{us}'\nprogram = [{{ sleep = '{us}us' }}, {{ cpu = '{work}us' }}]\n"));
    let text = format!("executor = {{ kind = 'async', rules = '{rules}' }}\n{first}{}", tasks.collect::<String>());
    finishes(&text)
}

/// When the tasks end, in microseconds.
fn finishes(text: &str) -> Vec<u64> {
    let (timeline, _) = run(&scenario(text));
    timeline.tasks.iter().filter_map(|life| life.finish).map(|end| end.ns() / 1000).collect()
}

#[test]
fn asyncio_waits_whole_milliseconds_and_runs_all_that_is_due() {
    let sleeps = || (0..10).map(|number| 3000 + 200 * number);
    for rules in ["cpython-3.11", "cpython-3.12", "cpython-3.13"] {
        // Four that are due by 4 ms after a wait of 1 from 3.001 on, and each computes for a microsecond.
        let free = ends(rules, "", 1, sleeps());
        assert_eq!(free, [3001, 4002, 4003, 4004, 4005, 4006, 5007, 5008, 5009, 5010]);
        // CPython 3.11.7 and 3.13.0, where a wake takes 90 us and a task some: so many us later than they should.
        let measured = [100, 1000, 800, 600, 400, 200, 50, 1000, 800, 600];
        let costs = "machine = { wake = '90us', look = '1.1us', callback = '0.8us', poll = '1.2us' }\n";
        let late = ends(rules, costs, 10, sleeps()).into_iter().zip(sleeps()).map(|(end, due)| end - due - 90 - 10);
        let late: Vec<u64> = late.collect();
        assert!(late.iter().zip(measured).all(|(late, measured)| late.abs_diff(measured) <= 70), "{late:?}");
    }
}

#[test]
fn the_wait_of_asyncio_begins_when_it_has_nothing_left_to_do() {
    // The sleep began before 0.7 ms of work of another task, and is due at 2.5: 0.7 + 2.
    let text = "executor = { kind = 'async', rules = 'cpython-3.13' }\n\
                [[task]]\nname = 'sleep'\nprogram = [{ sleep = '2.5ms' }, { cpu = '1us' }]\n\
                [[task]]\nname = 'work'\nprogram = [{ cpu = '0.7ms' }]\n";
    assert_eq!(finishes(text), [2701, 700]);
    // Who arrives at 0.3 does so by a timer, too.
    assert_eq!(finishes(&text.replace("'work'\n", "'work'\narrival = '0.3ms'\n")), [2701, 1700]);
    // Of 9 ms it waits for one more, but not of 10.
    assert_eq!(ends("cpython-3.13", "", 1, [8999].into_iter()), [10_001]);
    assert_eq!(ends("cpython-3.13", "", 1, [9001].into_iter()), [10_001]);
}

#[test]
fn an_event_loop_by_rounds_wakes_whom_it_notices_behind_all_whom_the_round_makes_ready() {
    // A is due at 1 ms: in the round that begins then B has a turn, and the callback that wakes A comes behind it.
    check(
        r#"
        executor = { kind = "async", event-interval = "round", yield = "tail" }
        task = [
            { name = "A", program = [{ sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ repeat = 4, do = [{ cpu = "1ms" }, "yield"] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBBAB|
            A     |=--# |
            B     |###-#|
            A = main/A#0
            B = main/B#0
            completed at 5ms
        "#]],
    );
}

/// Three tasks that yield twice each, in such a loop.
fn yielding(executor: &str) -> String {
    format!(
        "executor = {executor}\ntask = [{}]",
        ["A", "B", "C"].map(|name| {
            format!("{{ name = \"{name}\", program = [{{ cpu = \"1ms\" }}, \"yield\", {{ cpu = \"1ms\" }}, \"yield\", {{ cpu = \"1ms\" }}] }}")
        })
        .join(", ")
    )
}

#[test]
fn who_yields_in_a_round_has_its_turn_in_the_next_in_the_same_order() {
    // `await asyncio.sleep(0)` of three tasks of CPython 3.11 to 3.14: A B C A B C A B C.
    let expected = expect![[r#"
        1 column = 1ms
        cpu 0 |ABCABCABC|
        A     |#--#--#  |
        B     |-#--#--# |
        C     |--#--#--#|
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 9ms
    "#]];
    check(&yielding(r#"{ kind = "async", event-interval = "round" }"#), expected);
    let expected = expect![[r#"
        1 column = 1ms
        cpu 0 |ABCABCABC|
        A     |#--#--#  |
        B     |-#--#--# |
        C     |--#--#--#|
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 9ms
    "#]];
    check(&yielding(r#"{ kind = "async", rules = "cpython-3.13" }"#), expected);
}

#[test]
fn who_yields_in_a_loop_of_tokio_comes_back_in_reverse() {
    // `yield_now` of three tasks of tokio 1.54: A B C C B A A B C. A round goes by this rule if the file says so.
    let expected = expect![[r#"
        1 column = 1ms
        cpu 0 |ABCCBAABC|
        A     |#----##  |
        B     |-#--#--# |
        C     |--##----#|
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 9ms
    "#]];
    check(&yielding(r#""async""#), expected);
    let expected = expect![[r#"
        1 column = 1ms
        cpu 0 |ABCCBAABC|
        A     |#----##  |
        B     |-#--#--# |
        C     |--##----#|
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 9ms
    "#]];
    check(&yielding(r#"{ kind = "async", event-interval = "round", yield = "deferred" }"#), expected);
}
