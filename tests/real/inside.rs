//! What a task does at once, and what pools do for it, for real: the same things happen as in the simulation, in an order that the rules allow.

use std::collections::BTreeSet;

use sim_core::metrics::Metrics;
use sim_core::time::Time;
use sim_core::timeline::{Timeline, What};

use super::both;

/// The instances.
fn names(timeline: &Timeline) -> BTreeSet<String> {
    timeline.tasks.ids().map(|task| timeline.task_name(task)).collect()
}

/// Both have the same instances, all of which finish, and requests.
fn same(toml: &str) -> (Timeline, Timeline) {
    let (simulated, measured) = both(toml);
    let measured = measured.timeline;
    assert_eq!(names(&simulated), names(&measured), "{toml}");
    assert!(measured.tasks.iter().all(|life| life.finish.is_some()), "all finish: {toml}");
    let requests = |timeline: &Timeline| Metrics::of(timeline).devices.iter().map(|it| it.requests).collect::<Vec<_>>();
    assert_eq!(requests(&simulated), requests(&measured), "{toml}");
    (simulated, measured)
}

/// When somebody whose name begins so runs.
fn runs(timeline: &Timeline, name: &str) -> Vec<(Time, Time)> {
    let is_one = |task| timeline.task_name(task).starts_with(name);
    let runs = timeline.intervals.iter().filter(|it| it.what == What::Run && it.start < it.end && is_one(it.task));
    let mut runs: Vec<(Time, Time)> = runs.map(|it| (it.start, it.end)).collect();
    runs.sort_unstable();
    runs
}

#[test]
fn branches_are_polled_inside_their_task() {
    for executor in ["'async'", "{ kind = 'work-stealing', workers = 2 }"] {
        let (_, measured) = same(&format!(
            "executor = {executor}
             machine = {{ processors = 2 }}
             device = [{{ name = 'net', channels = 'unlimited' }}]
             semaphore = [{{ name = 's', permits = 0 }}]
             [[task]]
             name = 'A'
             program = [
                 {{ all = [
                     [{{ acquire = 's' }}, {{ cpu = '500us' }}],
                     [{{ cpu = '300us' }}, {{ io = 'net', for = '1ms' }}, {{ release = 's', count = 2 }}, {{ cpu = '300us' }}],
                     [{{ acquire = 's' }}, {{ all = [[{{ cpu = '200us' }}], [{{ sleep = '1ms' }}]], rotate = true }}],
                 ] }},
                 {{ each = 7, at-once = 3, do = [{{ io = 'net', for = '1ms' }}, {{ cpu = {{ uniform = ['100us', '300us'] }} }}] }},
                 {{ cpu = '100us' }},
             ]"
        ));
        let runs = runs(&measured, "main/A");
        assert!(runs.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{executor}: two at once in {runs:?}");
        // Of seven, three go on at once: the last four begin when one before has ended.
        let life = |name: &str| {
            let task = measured.tasks.ids().find(|task| measured.task_name(*task) == name);
            let life = &measured.tasks[task.unwrap_or_else(|| panic!("no {name}"))];
            (life.arrival.expect("arrived"), life.finish.expect("finished"))
        };
        let lives: Vec<(Time, Time)> = (0..7).map(|number| life(&format!("main/A.each#{number}"))).collect();
        for (number, (arrival, _)) in lives.iter().enumerate() {
            let under_way = lives[..number].iter().filter(|(_, finish)| finish > arrival).count();
            assert!(under_way < 3, "{executor}: {under_way} others when #{number} begins: {lives:?}");
        }
    }
}

#[test]
fn a_branch_whose_turn_comes_arrives_then_however_late_it_is_polled() {
    let (_, measured) = same(
        "executor = 'async'
         [[task]]
         name = 'A'
         program = [{ each = 3, at-once = 2, do = [{ cpu = '4ms' }] }]",
    );
    let lives: Vec<_> =
        measured.tasks.pairs().filter(|(task, _)| measured.task_name(*task).contains(".each#")).collect();
    let [_, (_, second), (_, third)] = lives[..] else { panic!("three branches") };
    assert!(Some(third.arrival) < second.finish.map(Some), "the third waits for the second: {lives:?}");
}

#[test]
fn pools_beside_an_executor_do_what_is_done_on_them() {
    for executor in
        ["'async'", "'threads'", "{ kind = 'work-stealing', workers = 2 }", "{ kind = 'pool', workers = 2 }"]
    {
        let (simulated, measured) = same(&format!(
            "seed = 3
             executor = {executor}
             machine = {{ processors = 2 }}
             pools = {{ blocking = {{ kind = 'pool', workers = 2 }}, compute = {{ kind = 'pool', workers = 1, queue = 'stealing' }}, own = 'threads' }}
             device = [{{ name = 'disk' }}]
             [[task]]
             name = 'A'
             count = 4
             program = [
                 {{ cpu = {{ choice = [[0.5, '100us'], [0.5, '3ms']] }} }},
                 {{ on = 'blocking', do = [{{ io = 'disk', for = '500us' }}, {{ cpu = {{ choice = [[0.5, '100us'], [0.5, '3ms']] }} }}] }},
                 {{ cpu = {{ choice = [[0.5, '100us'], [0.5, '3ms']] }} }},
                 {{ on = 'compute', do = [{{ cpu = '300us' }}] }},
                 {{ on = 'own', do = [{{ cpu = {{ choice = [[0.5, '100us'], [0.5, '3ms']] }} }}] }},
             ]"
        ));
        // Whoever lets a pool do something waits for its end: all that is done there lies within what the callers live.
        let life = |timeline: &Timeline, kind: &str| {
            let tasks = timeline.tasks.pairs().filter(|(task, _)| timeline.task_name(*task).starts_with(kind));
            let lives: Vec<_> = tasks.map(|(_, life)| (life.arrival, life.finish)).collect();
            (lives.iter().map(|(arrival, _)| *arrival).min(), lives.iter().map(|(_, finish)| *finish).max())
        };
        for timeline in [&simulated, &measured] {
            let (callers, called) = (life(timeline, "main/A"), life(timeline, "main."));
            assert!(callers.0 <= called.0 && called.1 <= callers.1, "{executor}: {callers:?}, {called:?}");
        }
    }
}
