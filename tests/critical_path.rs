//! Critical paths whose answers follow by hand.

use sim_core::causes::What;
use sim_core::causes::critical_path::{CriticalPath, Does, Goal, HoldsUp, Link};
use sim_core::ids::{SpecId, TaskId};
use sim_core::scenario::Scenario;
use sim_core::time::Time;
use sim_core::timeline::Timeline;

use crate::laws::critical_path::is_a_chain;
use crate::support::{run, scenario};

/// The path to an end, a line for each link: from when to when (in milliseconds), who, doing what, holding up whom.
fn told(scenario: &Scenario, timeline: &Timeline, goal: Goal) -> String {
    let path = CriticalPath::of(timeline, Some(scenario), goal);
    is_a_chain(&path).unwrap_or_else(|broken| panic!("{broken}"));
    let line = |link: &Link| {
        let ms = |at: Time| at.ns() / 1_000_000;
        let spec = SpecId(timeline.tasks[link.task].spec);
        let op = |op: Option<u32>| op.map_or_else(String::new, |op| format!(" {}", scenario.operation(spec, op)));
        let does = match link.does {
            Does::Runs(position) => format!("runs{}", op(position)),
            Does::Is(what, position) => format!("{}{}", word(what), op(position)),
            Does::ToCome => "to come".to_owned(),
        };
        let held = |held: HoldsUp| format!(", {} waits: {}", timeline.short_name(held.task), word(held.what));
        let held = link.holds_up.map_or_else(String::new, held);
        format!("{}-{} {} {does}{held}\n", ms(link.from), ms(link.to), timeline.short_name(link.task))
    };
    path.links.iter().map(line).collect()
}

fn word(what: What) -> &'static str {
    match what {
        What::Running => "running",
        What::Spin(_) => "spin",
        What::Overhead => "switch",
        What::Starting => "start",
        What::Processor(_) => "processor",
        What::Runtime => "runtime",
        What::Interpreter => "interpreter",
        What::Throttled(_) => "throttled",
        What::Budget => "budget",
        What::Nobody(_) => "nobody",
        What::Queue(_) => "queue",
        What::Seek(_) => "seek",
        What::Service(_) => "service",
        What::Sharing(_) => "sharing",
        What::Sync(_) => "object",
        What::Timer => "timer",
        What::Join => "join",
        What::After => "after",
        What::Release => "release",
        What::Previous => "previous",
    }
}

#[track_caller]
fn makespan(toml: &str, expected: &str) {
    let scenario = scenario(toml);
    let (timeline, _) = run(&scenario);
    let goal = Goal::last_finish(&timeline).expect("an end");
    let lines = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(lines(&told(&scenario, &timeline, goal)), lines(expected));
}

#[test]
fn two_tasks_and_a_lock() {
    // `a` takes the lock at 0; `b` has other work for 2 ms, waits for it, and holds it last.
    makespan(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "l" }]
        task = [
            { name = "a", program = [{ with = "l", do = [{ cpu = "10ms" }] }, { cpu = "1ms" }] },
            { name = "b", program = [{ cpu = "2ms" }, { with = "l", do = [{ cpu = "5ms" }] }] },
        ]"#,
        "0-2 a runs cpu 10ms
         2-10 a runs cpu 10ms, b waits: object
         10-15 b runs cpu 5ms",
    );
}

#[test]
fn who_spins_waits_for_the_holder() {
    makespan(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "l", spin = "20ms" }]
        task = [
            { name = "a", program = [{ with = "l", do = [{ cpu = "10ms" }] }, { cpu = "1ms" }] },
            { name = "b", program = [{ cpu = "2ms" }, { with = "l", do = [{ cpu = "5ms" }] }] },
        ]"#,
        "0-2 a runs cpu 10ms
         2-10 a runs cpu 10ms, b waits: spin
         10-15 b runs cpu 5ms",
    );
}

#[test]
fn the_queue_of_a_device() {
    // All three ask at 0: one channel serves them in turn. Their bursts are at the same time.
    makespan(
        r#"
        machine = { processors = 3 }
        device = [{ name = "disk", channels = 1, service = "10ms" }]
        task = [{ name = "t", count = 3, program = [{ cpu = "1ms" }, { io = "disk" }, { cpu = "2ms" }] }]"#,
        "0-1 t#2 runs cpu 1ms
         1-11 t#0 service io disk 10ms, t#2 waits: queue
         11-21 t#1 service io disk 10ms, t#2 waits: queue
         21-31 t#2 service io disk 10ms
         31-33 t#2 runs cpu 2ms",
    );
}

#[test]
fn a_late_request_finds_the_device_taken() {
    // At 4 the disk serves `a` until 11: what came before `a` asked is what counts.
    makespan(
        r#"
        machine = { processors = 2 }
        device = [{ name = "disk", channels = 1 }]
        task = [
            { name = "a", program = [{ cpu = "1ms" }, { io = "disk", for = "10ms" }] },
            { name = "b", program = [{ cpu = "4ms" }, { io = "disk", for = "3ms" }] },
        ]"#,
        "0-1 a runs cpu 1ms
         1-4 a service io disk 10ms
         4-11 a service io disk 10ms, b waits: queue
         11-14 b service io disk 3ms",
    );
}

#[test]
fn who_is_started_waits_for_the_starts_before_its_own() {
    makespan(
        r#"
        runtime = "cpython"
        executor = "processes"
        machine = { processors = 2, fork = { parent = "1ms", child = "1ms" } }
        task = [{ name = "t", count = 2, program = [{ cpu = "2ms" }] }]"#,
        "0-1 t#0 start, t#1 waits: processor
         1-2 t#1 start
         2-3 t#1 switch
         3-5 t#1 runs cpu 2ms",
    );
}

#[test]
fn who_spawns_a_process_pays_for_its_start() {
    makespan(
        r#"
        machine = { processors = 2, fork = { parent = "1ms", child = "1ms" } }
        [[process]]
        name = "p"
        runtime = "cpython"
        executor = "processes"
        task = [
            { name = "a", program = [{ cpu = "2ms" }, { spawn = "b" }, { cpu = "1ms" }] },
            { name = "b", arrival = "spawned", program = [{ cpu = "3ms" }] },
        ]"#,
        "0-1 a start
         1-2 a switch
         2-4 a runs cpu 2ms
         4-5 a start
         5-6 b switch
         6-9 b runs cpu 3ms",
    );
}

#[test]
fn a_parent_joins_the_child_that_ends_last() {
    // Until 4 the parent waits for `short`, which `long` outlasts.
    makespan(
        r#"
        machine = { processors = 3 }
        task = [
            { name = "parent", program = [{ cpu = "1ms" }, { spawn = "short" }, { cpu = "2ms" }, { spawn = "long" }, { join = "short" }, { join = "long" }, { cpu = "1ms" }] },
            { name = "short", arrival = "spawned", program = [{ cpu = "3ms" }] },
            { name = "long", arrival = "spawned", program = [{ cpu = "8ms" }] },
        ]"#,
        "0-1 parent runs cpu 1ms
         1-3 parent runs cpu 2ms
         3-4 long runs cpu 8ms
         4-11 long runs cpu 8ms, parent waits: join
         11-12 parent runs cpu 1ms",
    );
}

#[test]
fn after_goes_on_with_the_last_predecessor() {
    makespan(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "a", program = [{ cpu = "3ms" }] },
            { name = "b", program = [{ cpu = "5ms" }] },
            { name = "c", after = ["a", "b"], program = [{ cpu = "2ms" }] },
        ]"#,
        "0-5 b runs cpu 5ms, c waits: after
         5-7 c runs cpu 2ms",
    );
}

#[test]
fn round_robin_makes_a_path_of_all_turns() {
    makespan(
        r#"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "a", program = [{ cpu = "5ms" }] },
            { name = "b", program = [{ cpu = "3ms" }] },
        ]"#,
        "0-2 a runs cpu 5ms
         2-4 b runs cpu 3ms, a waits: processor
         4-6 a runs cpu 5ms
         6-7 b runs cpu 3ms, a waits: processor
         7-8 a runs cpu 5ms",
    );
}

#[test]
fn who_preempts_is_a_part_and_not_the_beginning() {
    // `urgent` comes at 4 by the clock; that it comes then is not why `long` ends at 13.
    makespan(
        r#"
        scheduler = { policy = "priority" }
        task = [
            { name = "long", priority = 0, program = [{ cpu = "10ms" }] },
            { name = "urgent", priority = 1, arrival = "4ms", program = [{ cpu = "3ms" }] },
        ]"#,
        "0-4 long runs cpu 10ms
         4-7 urgent runs cpu 3ms, long waits: processor
         7-13 long runs cpu 10ms",
    );
}

#[test]
fn a_message_leads_to_who_sent_it() {
    makespan(
        r#"
        machine = { processors = 2 }
        channel = [{ name = "c", capacity = 1 }]
        task = [
            { name = "sender", program = [{ cpu = "1ms" }, { sleep = "6ms" }, { cpu = "2ms" }, { send = "c" }] },
            { name = "receiver", program = [{ recv = "c" }, { cpu = "4ms" }] },
        ]"#,
        "0-1 sender runs cpu 1ms, receiver waits: object
         1-7 sender timer sleep 6ms, receiver waits: object
         7-9 sender runs cpu 2ms, receiver waits: object
         9-13 receiver runs cpu 4ms",
    );
}

#[test]
fn the_clock_is_a_part() {
    makespan(
        r#"task = [
            { name = "a", program = [{ cpu = "3ms" }] },
            { name = "late", arrival = "8ms", program = [{ cpu = "1ms" }] },
        ]"#,
        "0-8 late to come
         8-9 late runs cpu 1ms",
    );
    makespan(
        r#"task = [{ name = "tick", period = "10ms", jobs = 2, program = [{ cpu = "3ms" }] }]"#,
        "0-10 tick release
         10-13 tick runs cpu 3ms",
    );
}

#[test]
fn switches_are_parts_too() {
    makespan(
        r#"
        machine = { context-switch = "1ms" }
        task = [{ name = "a", program = [{ cpu = "3ms" }] }, { name = "b", program = [{ cpu = "2ms" }] }]"#,
        "0-1 a switch, b waits: processor
         1-4 a runs cpu 3ms, b waits: processor
         4-5 b switch
         5-7 b runs cpu 2ms",
    );
}

#[test]
fn the_time_of_one_task_begins_with_it() {
    let scenario = scenario(
        r#"task = [
            { name = "a", program = [{ cpu = "6ms" }] },
            { name = "b", arrival = "2ms", program = [{ cpu = "3ms" }] },
            { name = "c", arrival = "5ms", program = [{ cpu = "1ms" }] },
        ]"#,
    );
    let (timeline, _) = run(&scenario);
    let goal = Goal::life_of(&timeline, TaskId(2)).expect("it arrives");
    let expected =
        "5-6 a runs cpu 6ms, c waits: processor\n6-9 b runs cpu 3ms, c waits: processor\n9-10 c runs cpu 1ms\n";
    assert_eq!(told(&scenario, &timeline, goal), expected);
}

#[test]
fn who_waits_in_a_deadlock_is_explained_up_to_the_end_of_the_run() {
    let scenario = scenario(
        r#"
        lock = [{ name = "x" }, { name = "y" }]
        scheduler = { policy = "round-robin", quantum = "1ms" }
        task = [
            { name = "a", program = [{ lock = "x" }, { cpu = "2ms" }, { lock = "y" }] },
            { name = "b", program = [{ lock = "y" }, { cpu = "2ms" }, { lock = "x" }] },
        ]"#,
    );
    let (timeline, _) = run(&scenario);
    assert_eq!(Goal::last_finish(&timeline), None);
    for task in timeline.tasks.ids() {
        let goal = Goal::life_of(&timeline, task).expect("it arrives");
        told(&scenario, &timeline, goal);
    }
}

#[test]
fn who_has_nothing_to_do_is_waited_for_until_it_comes() {
    makespan(
        r#"
        task = [
            { name = "a", arrival = "2ms", program = [] },
            { name = "b", after = ["a"], program = [{ cpu = "1ms" }] },
        ]"#,
        "0-2 a to come, b waits: after
         2-3 b runs cpu 1ms",
    );
}

#[test]
fn branches_come_from_their_task() {
    // The second two pages begin as the first two have ended: the path goes on with those, and through them to the task.
    makespan(
        r#"
        executor = "async"
        device = [{ name = "net", channels = "unlimited" }]
        task = [{ name = "t", program = [
            { cpu = "3ms" },
            { each = 4, at-once = 2, do = [{ io = "net", for = "5ms" }, { cpu = "1ms" }] },
        ] }]"#,
        "0-3 t runs cpu 3ms
         3-8 t.each#1 service io net 5ms, t waits: join
         8-9 t.each#0 runs cpu 1ms, t.each#1 waits: runtime
         9-10 t.each#1 runs cpu 1ms, t waits: join
         10-15 t.each#3 service io net 5ms, t waits: join
         15-16 t.each#2 runs cpu 1ms, t.each#3 waits: runtime
         16-17 t.each#3 runs cpu 1ms, t waits: join",
    );
    // Who does nothing before it has branches comes to them at once.
    makespan(
        r#"
        executor = "async"
        device = [{ name = "net", channels = "unlimited" }]
        task = [{ name = "t", program = [
            { io = "net", for = "4ms" },
            { all = [[{ io = "net", for = "5ms" }], [{ cpu = "1ms" }, { all = [[{ io = "net", for = "9ms" }], [{ cpu = "1ms" }]] }]] },
        ] }]"#,
        "0-4 t service io net 4ms
         4-5 t.all.2 runs cpu 1ms
         5-14 t.all.2.all.1 service io net 9ms, t.all.2 waits: join",
    );
}

#[test]
fn what_can_be_given_up_has_its_place_and_so_has_what_comes_behind() {
    // Done in time.
    makespan(
        r#"
        executor = "async"
        machine = { processors = 2 }
        pools = { p = { kind = "pool", workers = 2 } }
        task = [{ name = "t", program = [{ cpu = "1ms" }, { on = "p", do = [{ cpu = "3ms" }], within = "2s" }, { cpu = "5ms" }] }]"#,
        "0-1 t runs cpu 1ms
         1-4 t.p runs cpu 3ms, t waits: join
         4-9 t runs cpu 5ms",
    );
    // Given up: what is done `else`.
    makespan(
        r#"
        executor = "async"
        machine = { processors = 2 }
        pools = { p = { kind = "pool", workers = 2 } }
        task = [{ name = "t", program = [
            { cpu = "1ms" },
            { on = "p", do = [{ cpu = "30ms" }], within = "4ms", else = [{ cpu = "2ms" }] },
            { cpu = "40ms" },
        ] }]"#,
        "0-1 t runs cpu 1ms
         1-5 t join
         5-7 t runs cpu 2ms
         7-47 t runs cpu 40ms",
    );
    makespan(
        r#"
        device = [{ name = "d", channels = 1 }]
        task = [{ name = "t", program = [
            { io = "d", for = "10ms", within = "4ms", else = [{ cpu = "3ms" }, { io = "d", for = "2ms", within = "4ms" }] },
            { cpu = "1ms" },
        ] }]"#,
        "0-4 t service io d 10ms
         4-7 t runs cpu 3ms
         7-9 t service io d 2ms
         9-10 t runs cpu 1ms",
    );
    // Turned away.
    makespan(
        r#"
        device = [{ name = "d", channels = 1, queue = 0 }]
        machine = { processors = 2 }
        task = [
            { name = "a", program = [{ io = "d", for = "5ms" }] },
            { name = "b", program = [{ cpu = "2ms" }, { io = "d", for = "9ms", else = [{ cpu = "4ms" }] }, { io = "d", for = "3ms" }] },
        ]"#,
        "0-2 b runs cpu 2ms
         2-6 b runs cpu 4ms
         6-9 b service io d 3ms",
    );
}

#[test]
fn of_several_rounds_it_is_the_one_that_was_given_up() {
    let rounds = |holder: &str| {
        format!(
            r#"
            machine = {{ processors = 2 }}
            lock = [{{ name = "l" }}]
            task = [
                {{ name = "h", program = {holder} }},
                {{ name = "t", program = [
                    {{ repeat = 3, do = [
                        {{ cpu = "2ms" }},
                        {{ with = "l", do = [{{ cpu = "1ms" }}], within = "1ms", else = [{{ cpu = "4ms" }}] }},
                    ] }},
                    {{ cpu = "30ms" }},
                ] }},
            ]"#
        )
    };
    makespan(
        &rounds(r#"[{ with = "l", do = [{ cpu = "5ms" }] }]"#),
        "0-2 h runs cpu 5ms
         2-3 h runs cpu 5ms, t waits: object
         3-7 t runs cpu 4ms
         7-9 t runs cpu 2ms
         9-10 t runs cpu 1ms
         10-12 t runs cpu 2ms
         12-13 t runs cpu 1ms
         13-43 t runs cpu 30ms",
    );
    makespan(
        &rounds(r#"[{ cpu = "7ms" }, { with = "l", do = [{ cpu = "20ms" }] }]"#),
        "0-7 h runs cpu 7ms
         7-8 h runs cpu 20ms
         8-9 h runs cpu 20ms, t waits: object
         9-13 t runs cpu 4ms
         13-43 t runs cpu 30ms",
    );
}

#[test]
fn no_place_is_told_that_is_not_known() {
    // Which branch is chosen hangs on what was drawn in the pool before.
    makespan(
        r#"
        executor = "async"
        machine = { processors = 2 }
        pools = { p = { kind = "pool", workers = 2 } }
        task = [{ name = "t", program = [
            { on = "p", do = [{ cpu = { choice = [[1, "3ms"]] } }] },
            { choose = [[1, [{ cpu = "5ms" }]], [1, [{ cpu = "5ms" }]]] },
        ] }]"#,
        "0-3 t.p runs cpu one of several, t waits: join
         3-8 t runs",
    );
}

#[test]
fn the_branch_that_was_first_counts_wherever_it_stands() {
    for (first, branches) in [(1, ["io", "sleep"]), (2, ["sleep", "io"])] {
        let branch = |word| if word == "io" { r#"[{ io = "db", for = "10ms" }]"# } else { r#"[{ sleep = "50ms" }]"# };
        makespan(
            &format!(
                r#"
                executor = "async"
                device = [{{ name = "db" }}]
                task = [{{ name = "t", program = [{{ any = [{}, {}] }}, {{ cpu = "1ms" }}] }}]"#,
                branch(branches[0]),
                branch(branches[1])
            ),
            &format!(
                "0-10 t.any.{first} service io db 10ms, t waits: join
                 10-11 t runs cpu 1ms"
            ),
        );
    }
}
