//! Real runs: every executor keeps the laws of a timeline and its own rules of order. Nothing here depends on how long
//! something takes: the machine may be busy.

mod devices;
mod dispatched;
mod failures;
mod groups;
mod libraries;
mod objects;
mod python;
mod python_standstill;
mod rules;
mod stealing;

use std::collections::BTreeSet;

use sim_core::document::Source;
use sim_core::ids::{CpuId, TaskId};
use sim_core::program::{Cursor, Step, program_stream};
use sim_core::scenario::Scenario;
use sim_core::scenario::lower;
use sim_core::time::{Span, Time};
use sim_core::timeline::check::Tolerance;
use sim_core::timeline::{Cause, Interval, Left, Timeline, What};

use crate::{End, Measurement, Options, Rung, measure};

/// What a recorder may get wrong: the kernel takes a thread off that long after its last look at the clock.
const RESOLUTION: Span = Span::from_us(500);

pub(crate) fn scenario(text: &str) -> Scenario {
    match lower::scenario(&Source { file: "test.toml", text }, &[]) {
        Ok(scenario) => scenario,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

fn run_with(text: &str, options: &Options) -> Measurement {
    let scenario = scenario(text);
    let measured = match measure(&scenario, options) {
        Ok(measured) => measured,
        Err(reason) => panic!("{reason}"),
    };
    if let Err(violations) = measured.timeline.check_within(Tolerance::within(RESOLUTION)) {
        panic!("{violations}\n{:#?}", measured.recorded);
    }
    measured
}

fn run(text: &str) -> Measurement {
    run_with(text, &Options::default())
}

fn task(timeline: &Timeline, name: &str) -> TaskId {
    let named = timeline.tasks.ids().find(|task| timeline.short_name(*task) == name);
    named.unwrap_or_else(|| panic!("there is no {name}"))
}

fn intervals(timeline: &Timeline, task: TaskId) -> Vec<Interval> {
    let mut own: Vec<Interval> = timeline.intervals.iter().filter(|i| i.task == task).collect();
    own.sort_by_key(|interval| (interval.start, interval.end));
    own
}

fn first_run(timeline: &Timeline, name: &str) -> Time {
    intervals(timeline, task(timeline, name)).first().map_or(Time::NEVER, |interval| interval.start)
}

fn finish(timeline: &Timeline, name: &str) -> Time {
    timeline.tasks[task(timeline, name)].finish.unwrap_or(Time::NEVER)
}

/// All ran to the end and got about the processor time they asked for; the laws have been checked already.
fn assert_complete(measured: &Measurement, demand: Span) {
    let timeline = &measured.timeline;
    assert_eq!(measured.recorded.end, End::Completed, "{:?} {:#?}", measured.explanation, measured.recorded);
    assert!(timeline.tasks.iter().all(|life| life.finish.is_some()), "{:?}", timeline.tasks);
    let runs = timeline.intervals.iter().filter(|interval| interval.what == What::Run);
    let running: Span = runs.map(|interval| interval.end - interval.start).sum();
    let (low, high) = (demand.ns() / 3, demand.ns() * 3);
    assert!((low..high).contains(&running.ns()), "ran {running}, asked for {demand}: {:#?}", measured.recorded);
}

/// Every kind of executor, as in a file.
const EXECUTORS: [&str; 8] = [
    "'sequential'",
    "'threads'",
    "{ kind = 'threads', gil = '2ms' }",
    "'async'",
    "{ kind = 'pool', workers = 2 }",
    "{ kind = 'pool', workers = 2, queue = 'stealing' }",
    "{ kind = 'work-stealing', workers = 2 }",
    "'processes'",
];

/// The same with those of CPython, where there is one.
fn executors() -> impl Iterator<Item = &'static str> {
    let python = if python::is_here() { &python::EXECUTORS[..] } else { &[] };
    EXECUTORS.iter().chain(python).copied()
}

#[test]
fn every_executor_runs_a_mixed_program_and_keeps_the_laws() {
    for executor in executors() {
        let measured = run(&format!(
            "[[device]]\n name = 'disk'\n channels = 1\n [[lock]]\n name = 'm'\n
             [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n count = 3\n
             program = [{{ cpu = '1ms' }}, {{ io = 'disk', for = '2ms' }}, {{ cpu = '1ms' }},
                        {{ with = 'm', do = [{{ cpu = '1ms' }}, {{ sleep = '1ms' }}] }}, 'yield', {{ cpu = '1ms' }}]\n
             [[process.task]]\n name = 'late'\n arrival = '5ms'\n program = [{{ repeat = 2, do = [{{ cpu = '1ms' }}] }}]"
        ));
        assert_complete(&measured, Span::from_ms(14));
        assert_eq!(measured.timeline.requests.len(), 3, "{executor}");
        assert_eq!(measured.timeline.holds.len(), 3, "{executor}");
        assert_eq!(measured.timeline.tasks[task(&measured.timeline, "late")].arrival, Some(Time::from_ns(5_000_000)));
    }
}

#[test]
fn every_executor_waits_for_predecessors_and_children() {
    for executor in executors() {
        let measured = run(&format!(
            "[[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'last'\n after = ['first']\n program = [{{ cpu = '1ms' }}]\n
             [[process.task]]\n name = 'first'\n count = 2\n program = [{{ cpu = '1ms' }}, {{ sleep = '2ms' }}]\n"
        ));
        let timeline = &measured.timeline;
        assert_complete(&measured, Span::from_ms(3));
        let (last, done) = (first_run(timeline, "last"), finish(timeline, "first#1").max(finish(timeline, "first#0")));
        assert!(last + RESOLUTION >= done, "{executor}: {last} {done}");
        assert!(timeline.blocks.iter().any(|block| block.cause == Cause::After), "{executor}");

        // With one thread, whoever waits for a child keeps it from running.
        if executor.contains("sequential") || executor.contains("of = 'processes'") {
            continue;
        }
        let measured = run(&format!(
            "[[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'parent'\n
             program = [{{ repeat = 2, do = [{{ spawn = 'child' }}] }}, {{ cpu = '1ms' }}, {{ join = 'child' }}, {{ cpu = '1ms' }}]\n
             [[process.task]]\n name = 'child'\n arrival = 'spawned'\n program = [{{ cpu = '2ms' }}, {{ sleep = '3ms' }}]"
        ));
        assert_complete(&measured, Span::from_ms(6));
        let timeline = &measured.timeline;
        let children = finish(timeline, "child#0").max(finish(timeline, "child#1"));
        assert!(finish(timeline, "parent") >= children, "{executor}");
        assert!(timeline.blocks.iter().any(|block| block.cause == Cause::Join), "{executor}");
    }
}

#[test]
fn a_sequential_process_runs_one_task_after_the_other() {
    let measured = run("executor = 'sequential'\n [[task]]\n name = 'a'\n count = 3\n
         program = [{ cpu = '1ms' }, { sleep = '2ms' }, { cpu = '1ms' }]");
    for instance in 1..3 {
        let before = finish(&measured.timeline, &format!("a#{}", instance - 1));
        assert!(first_run(&measured.timeline, &format!("a#{instance}")) >= before);
    }
}

#[test]
fn async_tasks_change_places_only_where_they_wait() {
    let measured = run("executor = 'async'\n [[task]]\n name = 'a'\n count = 4\n
         program = [{ cpu = '2ms' }, { sleep = '3ms' }, { cpu = '2ms' }, 'yield', { cpu = '1ms' }]");
    let mut all: Vec<Interval> = measured.timeline.intervals.iter().collect();
    all.sort_by_key(|interval| interval.start);
    for pair in all.windows(2) {
        // The kernel may put the thread off; it comes back to the same task.
        let stays = pair[0].left == Left::Preempted;
        assert!(!stays || pair[0].task == pair[1].task, "{pair:?}");
        assert_eq!(pair[0].thread, pair[1].thread, "there is one thread");
    }
    let firsts: Vec<Time> = (0..4).map(|k| first_run(&measured.timeline, &format!("a#{k}"))).collect();
    assert!(firsts.is_sorted(), "first come, first served: {firsts:?}");
}

#[test]
fn under_an_interpreter_lock_one_task_runs_at_a_time() {
    let processors = if crate::sys::affinity().is_ok_and(|cpus| cpus.len() > 1) { 2 } else { 1 };
    let measured = run(&format!(
        "executor = {{ kind = 'threads', gil = '1ms' }}\n [machine]\n processors = {processors}\n
         [[task]]\n name = 'a'\n count = 3\n program = [{{ cpu = '6ms' }}, {{ sleep = '1ms' }}, {{ cpu = '2ms' }}]"
    ));
    let mut all: Vec<Interval> = measured.timeline.intervals.iter().collect();
    all.sort_by_key(|interval| interval.start);
    assert!(all.windows(2).all(|pair| pair[0].end <= pair[1].start), "{all:#?}");
    let changes = all.windows(2).filter(|pair| pair[0].left == Left::Preempted && pair[0].task != pair[1].task);
    assert!(changes.count() > 0, "nobody ever lost the lock: {all:#?}");
}

#[test]
fn a_pool_never_runs_more_tasks_than_it_has_workers() {
    let measured = run("executor = { kind = 'pool', workers = 2 }\n [[task]]\n name = 'a'\n count = 6\n
         program = [{ cpu = '1ms' }, { sleep = '2ms' }, { cpu = '1ms' }]");
    let lives: Vec<(Time, Time)> = (0..6)
        .map(|k| (first_run(&measured.timeline, &format!("a#{k}")), finish(&measured.timeline, &format!("a#{k}"))))
        .collect();
    for (start, _) in &lives {
        let at_once = lives.iter().filter(|(from, to)| from <= start && start < to).count();
        assert!(at_once <= 2, "{lives:?}");
    }
    assert!(measured.timeline.intervals.iter().map(|i| i.thread).collect::<BTreeSet<_>>().len() <= 2);
}

#[test]
fn locks_and_devices_are_shared_between_all_executors() {
    let mut text = String::from("[[device]]\n name = 'disk'\n channels = 1\n [[lock]]\n name = 'm'\n");
    for (index, executor) in EXECUTORS.iter().enumerate() {
        text += &format!(
            "[[process]]\n name = 'p{index}'\n executor = {executor}\n [[process.task]]\n name = 'a'\n count = 2\n
             program = [{{ repeat = 2, do = [{{ with = 'm', do = [{{ cpu = '500us' }}, {{ sleep = '1ms' }}] }},
                        {{ io = 'disk', for = '1ms' }}] }}]\n"
        );
    }
    let measured = run(&text);
    // Two tasks of each hold it twice.
    let holds = 4 * EXECUTORS.len();
    assert_complete(&measured, Span::from_us(500 * holds as u64));
    assert_eq!(measured.timeline.holds.len(), holds);
    let mut holds = measured.timeline.holds.clone();
    holds.sort_by_key(|hold| hold.start);
    assert!(holds.windows(2).all(|pair| pair[0].end <= pair[1].start), "{holds:#?}");
    assert!(measured.timeline.blocks.iter().any(|block| matches!(block.cause, Cause::Sync(_))));
    assert!(measured.timeline.blocks.iter().any(|block| matches!(block.cause, Cause::Device(_))));
}

#[test]
fn the_horizon_ends_what_never_ends() {
    for executor in executors() {
        let measured = run(&format!(
            "until = '20ms'\n [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n count = 2\n
             program = [{{ repeat = 'forever', do = [{{ cpu = '1ms' }}, {{ sleep = '500us' }}] }}]\n
             [[process.task]]\n name = 'never'\n arrival = '1s'\n program = [{{ cpu = '1ms' }}]"
        ));
        assert_eq!(measured.recorded.end, End::Horizon, "{executor}");
        assert_eq!(measured.timeline.end, Time::from_ns(20_000_000), "{executor}");
        assert!(measured.timeline.tasks.iter().all(|life| life.finish.is_none()), "{executor}");
        assert_eq!(measured.timeline.tasks[task(&measured.timeline, "never")].arrival, None);
    }
}

#[test]
fn every_rung_of_the_recorder_keeps_the_laws() {
    for best_recorder in Rung::ALL {
        for executor in executors() {
            let text = format!(
                "[[process]]\n name = 'p'\n executor = {executor}\n [[process.task]]\n name = 'a'\n count = 3\n
                 program = [{{ cpu = '5ms' }}, {{ sleep = '1ms' }}, {{ cpu = '1ms' }}]"
            );
            let measured = run_with(&text, &Options { best_recorder, ..Options::default() });
            assert_complete(&measured, Span::from_ms(18));
            assert!(measured.recorded.recorder >= best_recorder);
        }
    }
}

#[test]
fn a_task_stays_on_the_processors_it_may_use() {
    if crate::sys::affinity().is_ok_and(|cpus| cpus.len() < 2) {
        return skip("there is one processor only");
    }
    for executor in ["threads", "processes"] {
        let measured = run(&format!(
            "executor = '{executor}'\n [machine]\n processors = 2\n
             [[task]]\n name = 'a'\n count = 2\n affinity = [1]\n program = [{{ cpu = '2ms' }}, {{ sleep = '1ms' }}, {{ cpu = '1ms' }}]"
        ));
        assert!(measured.timeline.intervals.iter().all(|interval| interval.cpu == CpuId(1)), "{executor}");
    }
}

#[test]
fn the_more_urgent_displaces_the_less_urgent() {
    let measured = run("[scheduler]\n policy = 'priority'\n
         [[task]]\n name = 'low'\n priority = 1\n program = [{ cpu = '20ms' }]\n
         [[task]]\n name = 'high'\n priority = 2\n arrival = '3ms'\n program = [{ cpu = '2ms' }]");
    if measured.recorded.policy != "SCHED_FIFO" {
        return skip(&measured.recorded.policy);
    }
    assert!(finish(&measured.timeline, "high") < finish(&measured.timeline, "low"));
}

#[test]
fn the_draws_are_those_of_the_simulator() {
    let text = "seed = 11\n [[task]]\n name = 'a'\n count = 2\n
         program = [{ repeat = 3, do = [{ cpu = '100us' }, { sleep = { uniform = ['1ms', '4ms'] } }] }]";
    let (measured, scenario) = (run(text), scenario(text));
    for (spec, described) in scenario.specs.pairs() {
        for instance in 0..described.count {
            let mut cursor = Cursor::new(&described.program);
            let mut steps = Vec::new();
            loop {
                match cursor.step(&described.program, || program_stream(&scenario, spec, instance)) {
                    Step::Sleep(length) => steps.push(length),
                    Step::End(_) => break,
                    _ => {}
                }
            }
            let id = task(&measured.timeline, &format!("a#{instance}"));
            let slept = measured.timeline.blocks.iter().filter(|block| block.task == id);
            assert_eq!(slept.map(|block| block.end - block.start).collect::<Vec<_>>(), steps);
        }
    }
}

#[test]
fn what_cannot_be_measured_is_refused_in_words() {
    let task = "[[task]]\n name = 'a'\n program = [{ cpu = '1ms' }]";
    let cases = [
        (format!("[machine]\n processors = 1000\n {task}"), "1000 processors"),
        (format!("{task}\n count = 20000"), "20000 threads"),
        ("[[task]]\n name = 'a'\n program = [{ cpu = '2h' }]".into(), "longer than the time limit"),
        (
            format!("[machine]\n processors = [{{ count = 1, speed = 1.0 }}, {{ count = 1, speed = 0.5 }}]\n {task}"),
            "different speeds",
        ),
        (
            format!(
                "lock = [{{ name = 'm', kind = 'std' }}]\n {}",
                task.replace("cpu = '1ms'", "with = 'm', within = '1ms', do = []")
            ),
            "`a` gives up waiting for the lock `m` of the kind `std`",
        ),
        (
            format!(
                "executor = 'async'\n barrier = [{{ name = 'b', parties = 2, kind = 'tokio' }}]\n {}",
                task.replace("cpu = '1ms'", "any = [[{ barrier = 'b' }], []]")
            ),
            "`a.any.1` may be dropped while it waits for the barrier `b`, a tokio::sync::Barrier",
        ),
        (format!("{task}\n period = '5ms'\n jobs = 2\n on-miss = 'abort'"), "late jobs of the task `a`"),
    ];
    let has_two = crate::sys::affinity().is_ok_and(|cpus| cpus.len() > 1);
    for (text, part) in cases {
        if part == "different speeds" && !has_two {
            continue;
        }
        let refused = measure(&scenario(&text), &Options::default()).expect_err(part);
        assert!(refused.reason.contains(part), "{refused}");
        assert!(!refused.hint.is_empty());
    }
    let forever = "until = '1s'\n [[task]]\n name = 'a'\n program = [{ repeat = 'forever', do = ['yield'] }]";
    let forever = Scenario { until: None, ..scenario(forever) };
    assert!(measure(&forever, &Options::default()).expect_err("endless").reason.contains("never ends"));
    let locked =
        scenario("executor = { kind = 'pool', gil = '5ms' }\n task = [{ name = 'A', program = [{ cpu = '1ms' }] }]");
    let reason = measure(&locked, &Options::default()).expect_err("no Rust pool").reason;
    assert!(reason.contains("`main` is a pool whose threads share an interpreter lock"), "{reason}");
}

#[expect(clippy::print_stderr, reason = "tells why a test did nothing")]
pub(crate) fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
