//! What a task does at once until the first of it is done, for real: whoever is slower is dropped where it stands, as in the simulation.

use std::collections::BTreeMap;

use sim_core::ids::TaskId;
use sim_core::time::Time;
use sim_core::timeline::{Fate, How, Timeline};
use sim_real::{Options, measure};

use super::both;
use crate::support::scenario;

/// Those that have branches which are dropped.
const EXECUTORS: [&str; 2] = ["'async'", "{ kind = 'work-stealing', workers = 2 }"];

const HEDGED: &str = include_str!("../../configs/hedged-requests.toml");

/// What became of whom.
fn fates(timeline: &Timeline) -> BTreeMap<String, Option<Fate>> {
    timeline.tasks.pairs().map(|(id, life)| (timeline.task_name(id), life.ended_as())).collect()
}

fn named(timeline: &Timeline, name: &str) -> TaskId {
    let mut tasks = timeline.tasks.ids();
    tasks.find(|task| timeline.task_name(*task) == name).unwrap_or_else(|| panic!("no {name}"))
}

fn finish(timeline: &Timeline, name: &str) -> Time {
    timeline.tasks[named(timeline, name)].finish.unwrap_or_else(|| panic!("{name} ends"))
}

/// Who went without what.
fn left(timeline: &Timeline) -> Vec<(String, String, &'static str)> {
    let told = timeline.leaves.iter().map(|it| (timeline.task_name(it.task), format!("{:?}", it.cause), it.how.name()));
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

/// A measured run in which all ends as in the simulation, as it does unless the machine is busy with something else for longer
/// than branches are apart.
fn as_simulated(toml: &str) -> Timeline {
    let runs = (0..5).map(|_| both(toml)).find_map(|(simulated, measured)| {
        let measured = measured.timeline;
        assert!(measured.tasks.iter().all(|life| life.finish.is_some()), "all end: {toml}");
        let agree = fates(&simulated) == fates(&measured) && left(&simulated) == left(&measured);
        agree.then_some(measured)
    });
    runs.unwrap_or_else(|| panic!("that is never so:\n{toml}"))
}

/// Of each `any` one branch is done, and nobody who was dropped is there for longer than the one whose branch it is.
fn one_of_each(timeline: &Timeline) {
    let mut done: BTreeMap<String, u32> = BTreeMap::new();
    for (task, life) in timeline.tasks.pairs() {
        let name = timeline.task_name(task);
        let Some((parent, number)) = name.split_once(".any.") else { continue };
        let instance = number.split_once('#').map_or("0", |(_, instance)| instance);
        let done = done.entry(format!("{parent}#{instance}")).or_default();
        *done += u32::from(life.fate == Fate::Finished);
        assert!(matches!(life.fate, Fate::Finished | Fate::Aborted) && life.finish.is_some(), "{name}: {life:?}");
    }
    assert!(!done.is_empty() && done.values().all(|done| *done == 1), "{done:?}");
}

#[test]
fn hedged_requests_are_measured() {
    let (simulated, measured) = both(HEDGED);
    for timeline in [&simulated, &measured.timeline] {
        one_of_each(timeline);
        assert!(timeline.leaves.iter().all(|leave| leave.how == How::Dropped), "{:?}", timeline.leaves);
    }
    as_simulated(HEDGED);
}

/// One holds everything for 40 ms. Another wants all of it at once, and waits everywhere until its first branch is over.
fn everywhere(executor: &str, kind: &str, others: &str) -> String {
    format!(
        "executor = {executor}
         machine = {{ processors = 2 }}
         pools = {{ slow = {{ kind = 'pool', workers = 1 }} }}
         lock = [{{ name = 'm', {kind} }}, {{ name = 'kept', {kind} }}, {{ name = 'free' }}, {{ name = 'mutual' }}]
         rwlock = [{{ name = 'rw', {kind} }}]
         semaphore = [{{ name = 's', permits = 2, {kind} }}, {{ name = 't', permits = 3, {kind} }}]
         channel = [{{ name = 'c', capacity = 1, {kind} }}, {{ name = 'd', capacity = 0 }}]
         condvar = [{{ name = 'cv' }}]
         barrier = [{{ name = 'b', parties = 2 }}]
         device = [{{ name = 'disk' }}, {{ name = 'net', channels = 'unlimited' }}]
         [[task]]
         name = 'H'
         program = [
             {{ lock = 'm' }}, {{ write = 'rw' }}, {{ acquire = 's', count = 2 }}, {{ cpu = '50us' }}, {{ io = 'disk', for = '60ms' }},
             {{ release = 's', count = 2 }}, {{ unlock = 'rw' }}, {{ unlock = 'm' }},
         ]
         [[task]]
         name = 'A'
         arrival = '3ms'
         program = [{{ any = [
             [{{ sleep = '12ms' }}],
             [{{ sleep = '90ms' }}],
             [{{ lock = 'm' }}, {{ unlock = 'm' }}],
             [{{ read = 'rw' }}, {{ unlock = 'rw' }}],
             [{{ acquire = 's' }}, {{ release = 's' }}],
             [{{ recv = 'c' }}],
             [{{ with = 'kept', do = [{{ acquire = 't', count = 2 }}, {{ sleep = '95ms' }}, {{ release = 't', count = 2 }}] }}],
             [{{ spawn = 'late' }}, {{ join = 'late' }}],
             {others}
         ], biased = true }}, {{ cpu = '50us' }}]
         [[task]]
         name = 'B'
         arrival = '6ms'
         program = [
             {{ with = 'kept', do = [{{ cpu = '50us' }}] }}, {{ acquire = 't', count = 3 }}, {{ with = 'm', do = [{{ cpu = '50us' }}] }}, {{ acquire = 's', count = 2 }},
             {{ release = 's', count = 2 }}, {{ write = 'rw' }}, {{ unlock = 'rw' }}, {{ send = 'c' }}, {{ release = 't', count = 3 }},
         ]
         [[task]]
         name = 'late'
         arrival = 'spawned'
         program = [{{ sleep = '20ms' }}]"
    )
}

/// Those that are not of a library.
const OTHERS: &str = "
    [{ send = 'd' }],
    [{ with = 'free', do = [{ wait = 'cv', with = 'free' }] }],
    [{ with = 'mutual', do = [{ wait = 'cv', with = 'mutual', within = '2ms' }] }],
    [{ sleep = '1ms' }, { with = 'mutual', do = [{ sleep = '80ms' }] }],
    [{ barrier = 'b' }],
    [{ io = 'disk', for = '5ms' }],
    [{ io = 'net', for = '90ms' }],
    [{ lock = 'm', within = '70ms', else = ['end'] }, { unlock = 'm' }],
    [{ io = 'net', for = '90ms', within = '80ms' }],
    [{ on = 'slow', do = [{ sleep = '20ms' }] }],
    [{ repeat = 90, do = [{ sleep = '1ms' }, 'yield'] }],
    [{ all = [[{ sleep = '80ms' }], [{ with = 'free', do = [{ sleep = '80ms' }] }], [{ each = 3, at-once = 1, do = [{ recv = 'd' }] }]] }],
    [{ any = [[{ sleep = '2ms' }], [{ sleep = '80ms' }]] }, { sleep = '80ms' }],";

#[test]
fn losers_leave_whatever_they_wait_for_and_give_back_what_they_hold() {
    let tests = [("", OTHERS), ("hand-over = 'barging'", OTHERS), ("kind = 'tokio'", "")];
    for (executor, (kind, others)) in EXECUTORS.iter().flat_map(|executor| tests.map(|test| (executor, test))) {
        let measured = as_simulated(&everywhere(executor, kind, others));
        // Nobody waits any more when the task goes on, nor goes without more than what it gave up and what it wanted then.
        let over = finish(&measured, "main/A#0");
        let lost = measured.tasks.iter().filter(|life| life.fate == Fate::Aborted);
        assert!(lost.into_iter().all(|life| life.finish.is_some_and(|at| at < over)), "{executor} {kind}");
        let mut left: Vec<TaskId> = measured.leaves.iter().map(|leave| leave.task).collect();
        left.sort_unstable();
        assert!(left.windows(3).all(|three| three[0] < three[2]), "{executor} {kind}: {left:?}");
    }
}

/// In the order of the list, or from a branch that is drawn, which is the same one as in the simulation.
#[test]
fn polls_begin_with_the_branch_with_which_they_do() {
    for (executor, biased) in EXECUTORS.iter().flat_map(|executor| [(executor, true), (executor, false)]) {
        let (simulated, measured) = both(&format!(
            "executor = {executor}
             machine = {{ processors = 2 }}
             [[task]]
             name = 'A'
             program = [{{ repeat = 12, do = [{{ any = [[{{ cpu = '20us' }}], [{{ cpu = '20us' }}], [{{ cpu = '20us' }}]], biased = {biased} }}] }}]"
        ));
        let (ours, real) = (fates(&simulated), fates(&measured.timeline));
        assert_eq!(ours, real, "{executor}, biased: {biased}");
        let is_first =
            |(name, fate): (&String, &Option<Fate>)| name.contains(".any.1#") && *fate == Some(Fate::Finished);
        let first = real.iter().filter(|one| is_first(*one)).count();
        assert!((first == 12) == biased && first > 0, "{executor}: {first} of 12");
    }
}

/// Who was not polled has not begun, nor has what waits for its turn inside a loser.
#[test]
fn who_has_not_begun_is_dropped_all_the_same() {
    for executor in EXECUTORS {
        let measured = as_simulated(&format!(
            "executor = {executor}
             machine = {{ processors = 2 }}
             device = [{{ name = 'net', channels = 'unlimited' }}]
             [[task]]
             name = 'A'
             program = [
                 {{ any = [[], [{{ io = 'net', for = '1ms' }}]], biased = true }},
                 {{ any = [[{{ each = 4, at-once = 1, do = [{{ sleep = '90ms' }}] }}], [{{ sleep = '3ms' }}]], biased = true }},
                 {{ cpu = '50us' }},
             ]"
        ));
        assert!(measured.requests.is_empty(), "{executor}: {:?}", measured.requests);
        let first = measured.tasks[named(&measured, "main/A.any2.2#0")];
        for number in 1..4 {
            let life = measured.tasks[named(&measured, &format!("main/A.any2.1.each#{number}"))];
            assert!(life.arrival > first.finish, "{executor}: #{number} {life:?}, {first:?}");
        }
    }
}

/// A branch that gives up what it waits for is done like any other.
#[test]
fn who_gives_up_is_done() {
    for executor in EXECUTORS {
        let measured = as_simulated(&format!(
            "executor = {executor}
             machine = {{ processors = 2 }}
             semaphore = [{{ name = 's', permits = 0 }}]
             [[task]]
             name = 'A'
             program = [
                 {{ any = [[{{ acquire = 's', within = '90ms' }}], [{{ acquire = 's', within = '3ms', else = ['end'] }}]] }},
                 {{ cpu = '50us' }},
             ]"
        ));
        let how: Vec<How> = measured.leaves.iter().map(|leave| leave.how).collect();
        assert_eq!(how, [How::GaveUp, How::Dropped], "{executor}");
    }
}

#[test]
fn barriers_of_libraries_are_left_by_nobody() {
    let refused = measure(
        &scenario(
            "executor = 'async'
             barrier = [{ name = 'b', parties = 2, kind = 'tokio' }]
             task = [{ name = 'a', program = [{ any = [[{ sleep = '1ms' }], [{ all = [[{ barrier = 'b' }]] }]] }] }]",
        ),
        &Options::default(),
    );
    let refused = refused.expect_err("refused").to_string();
    assert!(refused.contains("`a.any.2.all.1` may be dropped while it waits for the barrier `b`"), "{refused}");
}
