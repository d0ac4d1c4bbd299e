//! What guesses of the next burst rest on.

use sim_core::time::Span;

use super::{draw, scene};
use crate::support::{run, scenario};

const GUESS: &str = "policy = 'sjf'\nestimate = { ewma = 0.5, initial = '4ms' }";

#[test]
fn sjf_that_guesses() {
    // After a burst of 1 ms the next one of A is guessed at 2.5 ms. C, which came before A was back, is guessed at 4 ms
    // as everybody new is: it comes after A, although it is the shorter one.
    let tasks = r#"
        { name = "A", program = [{ cpu = "1ms" }, { io = "io", for = "1ms" }, { cpu = "3ms" }] },
        { name = "B", program = [{ cpu = "3ms" }] },
        { name = "C", program = [{ cpu = "1ms" }], arrival = "1ms" },
    "#;
    assert_eq!(draw(&scene(GUESS, tasks)), "cpu 0 |ABBBAAAC|");
}

#[test]
fn a_burst_ends_where_a_thread_yields() {
    // A is then guessed at (4 + 6) / 2 = 5 ms, one more than B. It does not go on with the burst that it exceeded, of
    // which nothing would be left.
    let tasks = r#"
        { name = "A", program = [{ cpu = "6ms" }, "yield", { cpu = "1ms" }] },
        { name = "B", program = [{ cpu = "1ms" }], arrival = "1ms" },
    "#;
    assert_eq!(draw(&scene(GUESS, tasks)), "cpu 0 |AAAAAABA|");
}

/// A is there first, with this program, and B and nothing else of that length. Who comes first by `sjf`?
fn first_of(program: &str, other: &str) -> char {
    let tasks = format!(
        "{{ name = 'A', program = [{program}] }}, {{ name = 'B', program = [{{ cpu = '{other}' }}, {{ spawn = 'C' }}] }}"
    );
    let text = format!(
        "until = '1s'\nscheduler = {{ policy = 'sjf' }}\ntask = [{tasks}, {{ name = 'C', arrival = 'spawned', program = [] }}]\n\
         lock = [{{ name = 'm' }}]\nvariable = [{{ name = 'x' }}]\nbarrier = [{{ name = 'b', parties = 1 }}]\n\
         condvar = [{{ name = 'cv' }}]\nsemaphore = [{{ name = 's', permits = 1 }}]\n\
         channel = [{{ name = 'c', capacity = 1 }}, {{ name = 'endless', capacity = 1_000_000 }}]"
    );
    let (timeline, _) = run(&scenario(&text));
    let first = timeline.intervals.iter().next().expect("somebody runs").task;
    ['A', 'B'][first.0 as usize]
}

#[test]
fn what_takes_no_time_and_never_waits_is_no_end_of_a_burst() {
    let nothing =
        ["{ set = 'x', to = 3 }", "{ add = 'x', by = 1 }", "{ spawn = 'C' }", "{ notify = 'cv' }", "{ release = 's' }"];
    let more = ["{ send = 'endless' }", "{ if = 'x == 0', do = [] }", "{ repeat = 3, do = [] }", "{ cpu = '0ms' }"];
    let tried = ["{ lock = 'm', within = '0ms', else = ['end'] }"];
    for op in nothing.into_iter().chain(more).chain(tried) {
        let gives_back = if op.contains("lock") { ", { unlock = 'm' }" } else { "" };
        // Ahead of the work, and in its middle: 4 ms in all.
        let programs = [
            format!("{op}, {{ cpu = '4ms' }}{gives_back}"),
            format!("{{ cpu = '1ms' }}, {op}, {{ cpu = '3ms' }}{gives_back}"),
        ];
        for program in &programs {
            assert_eq!((first_of(program, "3500us"), first_of(program, "4ms")), ('B', 'A'), "{program}");
        }
    }
}

#[test]
fn a_burst_ends_where_its_thread_may_have_to_wait() {
    let waits = ["{ io = 'd', for = '1ms' }", "{ sleep = '1ms' }", "'yield'", "{ lock = 'm' }", "{ acquire = 's' }"];
    let more = ["{ send = 'c' }", "{ recv = 'c' }", "{ barrier = 'b' }", "{ spawn = 'C' }, { join = 'C' }"];
    for op in waits.into_iter().skip(1).chain(more) {
        let program = format!("{{ cpu = '1ms' }}, {op}, {{ cpu = '4ms' }}");
        let program = if op.contains("lock") { format!("{program}, {{ unlock = 'm' }}") } else { program };
        assert_eq!((first_of(&program, "500us"), first_of(&program, "1ms")), ('B', 'A'), "{program}");
    }
}

#[test]
fn what_is_asked_for_before_all_work_is_thought_to_be_there() {
    for program in [
        "{ with = 'm', do = [{ cpu = '4ms' }] }",
        "{ acquire = 's' }, { cpu = '4ms' }, { release = 's' }",
        "{ send = 'c' }, { cpu = '4ms' }",
        "{ with = 'm', do = [{ set = 'x', to = 1 }, { acquire = 's' }, { cpu = '4ms' }] }, { lock = 'm' }, { cpu = '1ms' }, { unlock = 'm' }",
    ] {
        assert_eq!((first_of(program, "3500us"), first_of(program, "4ms")), ('B', 'A'), "{program}");
    }
    // To wait for others is to wait.
    assert_eq!(first_of("{ barrier = 'b' }, { cpu = '4ms' }", "1ms"), 'A');
}

#[test]
fn loops_are_part_of_a_burst() {
    for (program, less, as_much) in [
        ("{ repeat = 3, do = [{ cpu = '2ms' }] }", "5ms", "6ms"),
        (
            "{ repeat = 3, do = [{ cpu = '1ms' }, { repeat = 2, do = [{ add = 'x', by = 1 }, { cpu = '500us' }] }] }",
            "5ms",
            "6ms",
        ),
        ("{ repeat = 1_000_000, do = [{ cpu = '1us' }, { add = 'x', by = 1 }] }", "900ms", "1s"),
        // What the thread itself does to a variable it knows.
        ("{ while = 'x < 3', do = [{ add = 'x', by = 1 }, { cpu = '2ms' }] }", "5ms", "6ms"),
        ("{ set = 'x', to = 2 }, { if = 'x == 2', do = [{ cpu = '6ms' }], else = [{ cpu = '1ms' }] }", "5ms", "6ms"),
        // The second turn comes after a while.
        ("{ every = '50ms', times = 3, do = [{ cpu = '6ms' }] }", "5ms", "6ms"),
        ("{ choose = [[1.0, [{ cpu = '6ms' }]], [0.0, [{ cpu = '1ms' }]]] }", "5ms", "6ms"),
    ] {
        assert_eq!((first_of(program, less), first_of(program, as_much)), ('B', 'A'), "{program}");
    }
    assert_eq!(first_of("{ repeat = 'forever', do = [{ cpu = '1ms' }, { add = 'x', by = 1 }] }", "900ms"), 'B');
}

#[test]
fn who_runs_is_held_against_others_with_all_of_its_burst() {
    // When B comes A has 1 + 4 ms ahead of it, and B 4 ms.
    let tasks = r#"
        { name = "A", program = [{ cpu = "2ms" }, { spawn = "C" }, { cpu = "4ms" }] },
        { name = "B", program = [{ cpu = "4ms" }], arrival = "1ms" },
        { name = "C", program = [], arrival = "spawned" },
    "#;
    assert_eq!(draw(&scene("policy = 'srtf'", tasks)), "cpu 0 |ABBBBAAAAA|");
}

#[test]
fn to_look_ahead_draws_nothing() {
    let scene = |policy: &str| {
        scene(
            &format!("policy = '{policy}'"),
            r#"
            { name = "A", count = 3, program = [{ repeat = 9, do = [{ cpu = { exponential = "2ms" } }, { spawn = "B" },
                { choose = [[0.5, [{ cpu = { uniform = ["1ms", "3ms"] } }]], [0.5, [{ io = "io", for = { exponential = "1ms" } }]]] }] }] },
            { name = "B", program = [{ cpu = { exponential = "1ms" } }], arrival = "spawned" },
            "#,
        )
    };
    let ran = |policy: &str| {
        let (timeline, _) = run(&scene(policy));
        let of =
            |task: u32| timeline.intervals.iter().filter(move |it| it.task.0 == task).map(|it| it.end.since(it.start));
        (0..3).map(|task| of(task).sum::<Span>()).collect::<Vec<_>>()
    };
    let known = ran("fifo");
    for policy in ["sjf", "srtf", "hrrn"] {
        assert_eq!(ran(policy), known, "{policy}");
    }
}

#[test]
fn who_waits_is_as_long_as_when_it_came() {
    // B was 6 ms long when it came, and would be 1 ms long since A has set x: if that let it displace A, who is next would be A again.
    let text = r#"
        variable = [{ name = "x" }]
        scheduler = { policy = "srtf" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { set = "x", to = 1 }, { cpu = "3ms" }] },
            { name = "B", program = [{ if = "x == 0", do = [{ cpu = "6ms" }], else = [{ cpu = "1ms" }] }] },
            { name = "C", arrival = "3ms", program = [{ cpu = "4ms" }] },
        ]
    "#;
    assert_eq!(draw(&scenario(text)), "cpu 0 |AAAAACCCCB|");
}
