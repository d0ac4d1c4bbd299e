//! Jobs that end at their deadlines, in whatever state they are.

use expect_test::{Expect, expect};

use super::check;
use crate::support::{outcome_of, run, scenario};

/// A job every 10 ms, which is to end within 5, beside another task.
fn firm(program: &str, others: &str, expected: Expect) {
    check(&world(program, others), expected);
}

fn world(program: &str, others: &str) -> String {
    format!(
        r#"
        scheduler = {{ policy = "priority" }}
        device = [{{ name = "disk" }}]
        lock = [{{ name = "m", protocol = "inherit" }}, {{ name = "spun", spin = "9ms" }}]
        semaphore = [{{ name = "s", permits = 1 }}]
        [[task]]
        name = "A"
        period = "10ms"
        deadline = "5ms"
        jobs = 2
        priority = 2
        on-miss = "abort"
        program = [{program}]
        {others}
        "#
    )
}

/// Another task, more urgent or less.
fn other(name: &str, priority: i64, program: &str) -> String {
    another(name, &format!("priority = {priority}"), program)
}

fn another(name: &str, what: &str, program: &str) -> String {
    format!("[[task]]\nname = \"{name}\"\n{what}\nprogram = [{program}]\n")
}

/// The same, but with this besides.
fn with(what: &str, text: &str) -> String {
    format!("{what}\n{}", text.trim_start())
}

#[test]
fn a_running_job_ends() {
    let text = world(r#"{ cpu = "8ms" }"#, &other("B", 1, r#"{ cpu = "3ms" }"#));
    check(
        &text,
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAAAABBB..AAAAA|
        A     |#####=====#####|
        B     |-----###       |
        A = main/A#0
        B = main/B#0
        completed at 15ms
    "#]],
    );
    let outcome = outcome_of(&scenario(&text));
    let jobs = outcome.tasks[0].jobs.as_ref().expect("periodic");
    let told: Vec<_> = jobs.iter().map(|job| (job.finish_ns, job.deadline_ns, job.missed, job.aborted)).collect();
    assert_eq!(told, [(None, 5_000_000, true, true), (None, 15_000_000, true, true)]);
    assert_eq!((outcome.tasks[0].fate, outcome.tasks[0].finish_ns), (Some("aborted"), None));
    assert_eq!(outcome.makespan_ns, 15_000_000, "who is aborted is done");
}

#[test]
fn a_job_that_ends_at_its_deadline_has_ended() {
    firm(
        r#"{ cpu = "5ms" }"#,
        "",
        expect![[r#"
        1 column = 5ms
        cpu 0 |A.A|
        A     |#=#|
        A = main/A#0
        completed at 15ms
    "#]],
    );
    firm(
        r#"{ cpu = "1ms" }, { io = "disk", for = "4ms" }"#,
        "",
        expect![[r#"
        1 column = 1ms
        cpu 0 |A.........A....|
        A     |#=========#====|
        A = main/A#0
        completed at 15ms
    "#]],
    );
    firm(
        r#"{ cpu = "1ms" }, { sleep = "4ms" }, { cpu = "1ms" }"#,
        "",
        expect![[r#"
        1 column = 1ms
        cpu 0 |A.........A....|
        A     |#=========#====|
        A = main/A#0
        completed at 15ms
    "#]],
    );
}

#[test]
fn a_ready_job_ends() {
    firm(
        r#"{ cpu = "2ms" }"#,
        &other("B", 3, r#"{ cpu = "12ms" }"#),
        expect![[r#"
        1 column = 1ms
        cpu 0 |BBBBBBBBBBBBAA|
        A     |-----=====--##|
        B     |############  |
        A = main/A#0
        B = main/B#0
        completed at 14ms
    "#]],
    );
}

/// In service and in the queue of the device: whoever waits behind has the channel at once.
#[test]
fn a_job_at_a_device_ends() {
    let two = other("B", 1, r#"{ io = "disk", for = "2ms" }, { cpu = "1ms" }"#);
    firm(
        r#"{ cpu = "1ms" }, { io = "disk", for = "9ms" }"#,
        &two,
        expect![[r#"
        1 column = 1ms
        cpu 0 |A......B..A....|
        A     |#=========#====|
        B     |-======#       |
        A = main/A#0
        B = main/B#0
        completed at 15ms
    "#]],
    );
    let before = other("B", 3, r#"{ io = "disk", for = "8ms" }"#)
        + &other("C", 1, r#"{ sleep = "2ms" }, { io = "disk", for = "2ms" }"#);
    firm(
        r#"{ cpu = "1ms" }, { io = "disk", for = "9ms" }"#,
        &before,
        expect![[r#"
        1 column = 1ms
        cpu 0 |A.........A....|
        A     |#=========#====|
        B     |========       |
        C     |-=========     |
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 15ms
    "#]],
    );
}

/// What it holds is given back then, also permits.
#[test]
fn a_holder_gives_back_what_it_holds() {
    firm(
        r#"{ with = "m", do = [{ acquire = "s" }, { cpu = "9ms" }, { release = "s" }] }"#,
        &other(
            "B",
            3,
            r#"{ sleep = "1ms" }, { with = "m", do = [{ acquire = "s" }, { cpu = "1ms" }, { release = "s" }] }"#,
        ),
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAB....AAAAA|
            A     |#####=====#####|
            B     |=====#         |
            A = main/A#0
            B = main/B#0
            completed at 15ms
        "#]],
    );
}

/// It leaves the queue, and the urgency that it lent goes back.
#[test]
fn a_job_that_waits_for_a_lock_ends() {
    let others = other("B", 0, r#"{ with = "m", do = [{ cpu = "9ms" }] }"#)
        + &other("C", 1, r#"{ sleep = "2ms" }, { cpu = "2ms" }"#);
    firm(
        r#"{ sleep = "1ms" }, { with = "m", do = [{ cpu = "1ms" }] }"#,
        &others,
        expect![[r#"
        1 column = 1ms
        cpu 0 |BBBBBCCBBBBA|
        A     |===========#|
        B     |#####--#### |
        C     |==---##     |
        A = main/A#0
        B = main/B#0
        C = main/C#0
        completed at 12ms
    "#]],
    );
}

#[test]
fn a_job_that_spins_ends() {
    let text = world(
        r#"{ sleep = "1ms" }, { with = "spun", do = [{ cpu = "1ms" }] }"#,
        &other("B", 1, r#"{ with = "spun", do = [{ cpu = "7ms" }] }"#),
    );
    check(
        &with("machine = { processors = 2 }", &text),
        expect![[r#"
        1 column = 1ms
        cpu 0 |.AAAA......A|
        cpu 1 |BBBBBBB.....|
        A     |=####======#|
        B     |#######     |
        A = main/A#0
        B = main/B#0
        completed at 12ms
    "#]],
    );
}

/// Whom it has spawned goes on.
#[test]
fn a_job_that_joins_ends() {
    let child = another("B", r#"arrival = "spawned""#, r#"{ sleep = "7ms" }, { cpu = "1ms" }"#);
    firm(
        r#"{ spawn = "B" }, { join = "B" }, { cpu = "1ms" }"#,
        &child,
        expect![[r#"
        1 column = 1ms
        cpu 0 |.......B.........C|
        A     |===============   |
        B     |=======#          |
        C     |          =======#|
        A = main/A#0
        B = main/B#0
        C = main/B#1
        completed at 18ms
    "#]],
    );
}

/// With an interpreter lock: one that has it, and one that waits for it.
#[test]
fn a_job_with_an_interpreter_lock_ends() {
    let text = world(r#"{ cpu = "8ms" }"#, &other("B", 1, r#"{ cpu = "3ms" }"#));
    check(
        &with(r#"executor = { kind = "threads", gil = "2ms" }"#, &text),
        expect![[r#"
        1 column = 1ms
        cpu 0 |AABBAB....AAAAA|
        A     |##--#=====#####|
        B     |--##-#         |
        A = main/A#0
        B = main/B#0
        completed at 15ms
    "#]],
    );
}

/// A late deadline beyond the next release: that one follows at once.
#[test]
fn the_next_job_may_wait_already() {
    let text = world(r#"{ cpu = "20ms" }"#, "").replace("deadline = \"5ms\"", "deadline = \"13ms\"");
    check(
        &text,
        expect![[r#"
        1 column = 23ms
        cpu 0 |A|
        A     |#|
        A = main/A#0
        completed at 23ms
    "#]],
    );
    let (timeline, _) = run(&scenario(&text));
    assert_eq!(timeline.jobs.iter().filter(|job| job.aborted).count(), 2);
}

/// A job of 2 ms, of which a guess learns, is aborted while it stands still: the guess for the next is 3 ms, and 2.5 ms come first.
#[test]
fn a_burst_ends_with_its_job() {
    check(
        r#"
        scheduler = { policy = "sjf", estimate = { ewma = 0.5, initial = "4ms" } }
        group = [{ name = "g", quota = "2ms", period = "10ms" }]
        process = [
            { name = "p", group = "g", task = [
                { name = "A", period = "10ms", deadline = "5ms", jobs = 2, on-miss = "abort", program = [{ cpu = "3ms" }] },
            ] },
            { name = "q", task = [
                { name = "B", arrival = "3ms", period = "7ms", jobs = 2, program = [{ cpu = "1ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA.B......BAA..|
            A     |##:::=====-##::|
            B     |   #======#    |
            A = p/A#0
            B = q/B#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 15ms
        "#]],
    );
}

/// Put off at 3 ms in the middle of its slice of 2 ms, it is aborted at 4 ms; its next job has a whole slice, as after any wait.
#[test]
fn a_slice_ends_with_its_job() {
    check(
        r#"
        scheduler = { policy = "mlfq", levels = [{ quantum = "1ms" }, { quantum = "2ms" }], reset-on-io = true }
        task = [
            { name = "A", period = "4ms", jobs = 2, on-miss = "abort", program = [{ cpu = "6ms" }] },
            { name = "B", program = [{ cpu = "8ms" }] },
            { name = "C", arrival = "3ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABACBBAABBBBB|
            A     |#-#---##     |
            B     |-#--##--#####|
            C     |   #         |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 13ms
        "#]],
    );
}
