//! Runs whose threads are dispatched by the scenario's own policy: the order is that of the simulation, whatever the policy.

use sim_core::engine::simulate;
use sim_core::ids::TaskId;
use sim_core::policy::on_linux::Realised;
use sim_core::timeline::{Cause, Timeline};

use super::{assert_complete, run_with, scenario};
use crate::{Dispatcher, Measurement, Options, measure};
use sim_core::time::Span;

fn dispatched(text: &str) -> Measurement {
    run_with(text, &Options { dispatcher: Dispatcher::Always, ..Options::default() })
}

/// Who ran, one after the other: of pieces of the same task in a row only the first counts, and short ones not at all.
fn turns(timeline: &Timeline) -> Vec<TaskId> {
    let mut pieces: Vec<_> = timeline.intervals.iter().filter(|it| it.end - it.start > Span::from_us(500)).collect();
    pieces.sort_by_key(|piece| piece.start);
    let mut turns: Vec<TaskId> = pieces.iter().map(|piece| piece.task).collect();
    turns.dedup();
    turns
}

/// In the real run as in the simulation the tasks take turns in this order.
fn assert_turns_as_simulated(text: &str) {
    let mut simulated = Timeline::default();
    simulate(&scenario(text), &mut simulated);
    let wanted = turns(&simulated);
    // Another program, or the host of a virtual machine, may take the processor for as long as these instants are apart, and on a
    // busy host does so run after run: not always.
    let mut real = Vec::new();
    while real.len() < 12 && !real.contains(&wanted) {
        real.push(turns(&dispatched(text).timeline));
    }
    assert!(real.contains(&wanted), "{real:?}, not {wanted:?}\n{text}");
}

/// Instants far enough from each other to come in the same order for real.
const TASKS: &str = "
[[task]]
name = 'long'
priority = 1
nice = 5
tickets = 10
program = [{ cpu = '21ms' }, { sleep = '8ms' }, { cpu = '3ms' }]
[[task]]
name = 'short'
arrival = '2500us'
priority = 3
tickets = 50
program = [{ cpu = '6500us' }, { sleep = '9ms' }, { cpu = '5ms' }]
[[task]]
name = 'middle'
arrival = '4200us'
priority = 2
tickets = 25
program = [{ cpu = '13ms' }]
";

#[test]
fn tasks_take_turns_as_any_policy_says() {
    let policies = [
        "'sjf'",
        "'srtf'",
        "'hrrn'",
        "'priority', preemptive = false",
        "'priority'",
        "'round-robin', quantum = '3ms'",
        "'feedback', quanta = ['2ms', '5ms']",
        "'mlfq', levels = [{ quantum = '2ms', allotment = 2 }, { quantum = '5ms', allotment = 2 }]",
        "'lottery', quantum = '3ms'",
        "'stride', quantum = '3ms'",
    ];
    for policy in policies {
        assert_turns_as_simulated(&format!("scheduler = {{ policy = {policy} }}{TASKS}"));
    }
}

#[test]
fn processes_take_turns_too() {
    assert_turns_as_simulated(&format!("executor = 'processes'\nscheduler = {{ policy = 'srtf' }}{TASKS}"));
}

#[test]
fn all_that_tasks_wait_for_goes_through_the_dispatcher() {
    let measured = dispatched(
        "scheduler = { policy = 'round-robin', quantum = '1ms' }
device = [{ name = 'disk', channels = 1 }, { name = 'shelf', channels = 1, discipline = 'lifo' }]
lock = [{ name = 'm' }]
[[task]]
name = 'worker'
count = 3
program = [{ cpu = '2ms' }, { lock = 'm' }, { cpu = '1500us' }, { io = 'disk', for = '1ms' }, { unlock = 'm' },
    { io = 'shelf', for = '1ms' }, 'yield', { cpu = '1ms' }, { spawn = 'child' }, { join = 'child' }]
[[task]]
name = 'child'
arrival = 'spawned'
program = [{ cpu = '1ms' }]
[[task]]
name = 'last'
after = ['worker']
program = [{ cpu = '1ms' }]
",
    );
    assert_complete(&measured, Span::from_ms(3 * 4 + 3 + 1));
}

#[test]
fn periodic_tasks_are_released_and_told_by_the_job() {
    let text = "scheduler = { policy = 'edf' }
[[task]]
name = 'a'
period = '10ms'
jobs = 4
program = [{ cpu = '2ms' }]
[[task]]
name = 'b'
period = '25ms'
jobs = 2
program = [{ cpu = '6ms' }]
";
    let measured = run_with(text, &Options::default());
    let timeline = &measured.timeline;
    assert_eq!(timeline.jobs.len(), 6, "{:?}", timeline.jobs);
    assert!(timeline.jobs.iter().all(|job| job.finish.is_some_and(|finish| finish > job.release)));
    let releases = timeline.blocks.iter().filter(|block| block.cause == Cause::Release).count();
    assert_eq!(releases, 4, "{:?}", timeline.blocks);
    assert_complete(&measured, Span::from_ms(4 * 2 + 2 * 6));
    assert_turns_as_simulated(text);
}

#[test]
fn releases_at_which_a_job_still_runs_are_dropped() {
    // Alone, the second release and the fourth: the task ends with the third, though another was to come.
    for executor in ["threads", "processes"] {
        let measured = run_with(
            &format!(
                "executor = '{executor}'\nscheduler = {{ policy = 'edf' }}
                [[task]]\nname = 'a'\nperiod = '10ms'\njobs = 4\non-miss = 'skip'\nprogram = [{{ cpu = '12ms' }}]
                [[task]]\nname = 'last'\nafter = ['a']\nprogram = [{{ cpu = '1ms' }}]"
            ),
            &Options::default(),
        );
        let jobs = &measured.timeline.jobs;
        assert!(jobs.iter().all(|job| job.finish.is_some_and(|finish| finish > job.release)), "{executor}: {jobs:?}");
        let dropped: u32 = jobs.iter().map(|job| job.skips).sum();
        assert!(dropped > 0, "{executor}: {jobs:?}");
        assert_eq!(jobs.len() + dropped as usize, 4, "{executor}: {jobs:?}");
        assert_complete(&measured, Span::from_ms(12 * jobs.len() as u64 + 1));
    }
}

#[test]
fn a_dispatcher_is_taken_where_linux_has_nothing_alike_and_named() {
    let text = format!("scheduler = {{ policy = 'sjf' }}{TASKS}");
    let recorded = dispatched(&text).recorded;
    assert_eq!(recorded.policy, "sjf (by a dispatcher)");
    assert_ne!(recorded.policy_realised, Realised::Not, "{}", recorded.policy_reason);
    let never = run_with(&text, &Options { dispatcher: Dispatcher::Never, ..Options::default() }).recorded;
    assert_eq!(never.policy_realised, Realised::Not);
}

#[test]
fn slices_that_are_too_short_to_be_exact_are_said_to_be_so() {
    let recorded = |quantum: &str| {
        let head = format!("scheduler = {{ policy = 'round-robin', quantum = '{quantum}' }}");
        dispatched(&format!("{head}\ntask = [{{ name = 'a', count = 2, program = [{{ cpu = '2ms' }}] }}]")).recorded
    };
    let short = recorded("5us");
    assert_eq!(short.policy_realised, Realised::Approximated);
    assert!(short.policy_reason.contains("are mostly switching"), "{}", short.policy_reason);
    assert!(!recorded("1ms").policy_reason.contains("are mostly switching"));
}

#[test]
fn only_where_deadlines_decide_it_matters_that_none_are_lent() {
    for (policy, matters) in [
        ("edf", true),
        ("llf", true),
        ("rate-monotonic", false),
        ("deadline-monotonic", false),
        ("priority", false),
        ("fifo", false),
    ] {
        let recorded = dispatched(&format!(
            "scheduler = {{ policy = '{policy}' }}\nlock = [{{ name = 'm', protocol = 'inherit' }}]
             task = [{{ name = 'a', period = '5ms', jobs = 2, program = [{{ with = 'm', do = [{{ cpu = '1ms' }}] }}] }}]"
        ))
        .recorded;
        assert_eq!(recorded.policy_reason.contains("deadlines are not lent"), matters, "{policy}");
    }
}

#[test]
fn where_there_can_be_no_dispatcher_it_is_said_why() {
    let always = Options { dispatcher: Dispatcher::Always, ..Options::default() };
    let refused = |text: &str, options: &Options| match measure(&scenario(text), options) {
        Ok(measured) => panic!("{:?}", measured.recorded),
        Err(reason) => reason.to_string(),
    };
    let tasks = "task = [{ name = 'a', program = [{ cpu = '1ms' }] }]";
    assert!(refused(&format!("executor = 'async'\n{tasks}"), &always).contains("`async` has none"));
    let gil = format!("executor = {{ kind = 'threads', gil = '5ms' }}\n{tasks}");
    assert!(refused(&gil, &always).contains("hands its turns over by itself"));
    let library = format!("lock = [{{ name = 'm', kind = 'std' }}]\n{tasks}");
    assert!(refused(&library, &always).contains("a lock of std"));
    let periodic = "task = [{ name = 'a', period = '5ms', jobs = 2, program = [{ cpu = '1ms' }] }]";
    let never = Options { dispatcher: Dispatcher::Never, ..Options::default() };
    assert!(refused(periodic, &never).contains("its jobs are released by a dispatcher"));
}
