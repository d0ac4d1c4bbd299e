//! The pool whose workers run other tasks while theirs join, on real rayon: nobody waits for its own worker, and the orders
//! are those of the simulation.

use sim_core::engine;
use sim_core::timeline::Timeline;

use super::{run, scenario};
use crate::End;

/// A pool of so many workers.
fn pool(workers: u32, rest: &str) -> String {
    format!("executor = {{ kind = 'pool', workers = {workers}, queue = 'stealing' }}\n {rest}")
}

#[test]
fn who_joins_on_the_only_worker_goes_on() {
    let measured = run(&pool(
        1,
        "task = [{ name = 'outer', program = [{ cpu = '1ms' }, { spawn = 'inner' }, { join = 'inner' }, { cpu = '1ms' }] },
                 { name = 'inner', arrival = 'spawned', program = [{ spawn = 'leaf' }, { spawn = 'leaf' }, { join = 'leaf' }] },
                 { name = 'leaf', arrival = 'spawned', program = [{ cpu = '500us' }] }]",
    ));
    assert_eq!(measured.recorded.end, End::Completed, "{:?}", measured.explanation);
    assert!(!measured.recorded.notes.iter().any(|note| note.contains("without what")), "{:?}", measured.recorded.notes);
}

#[test]
fn tasks_may_lie_on_each_other_a_thousand_deep() {
    // Each `a` joins what the one before has spawned for it: the last comes first.
    let measured = run(&pool(
        1,
        "task = [{ name = 'root', program = [{ repeat = 2000, do = [{ spawn = 'a' }] }, { join = 'a' }] },
                 { name = 'a', arrival = 'spawned', program = [{ spawn = 'b' }, { join = 'b' }] },
                 { name = 'b', arrival = 'spawned', program = [{ spawn = 'c' }, { join = 'c' }] },
                 { name = 'c', arrival = 'spawned', program = [{ cpu = '1us' }] }]",
    ));
    assert_eq!(measured.recorded.end, End::Completed, "{:?}", measured.explanation);
}

/// The tasks in the order in which they ran.
fn order(timeline: &Timeline) -> Vec<String> {
    let mut runs: Vec<_> = timeline.intervals.iter().map(|run| (run.start, timeline.short_name(run.task))).collect();
    runs.sort();
    runs.dedup_by(|(_, one), (_, other)| one == other);
    runs.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn the_last_spawned_is_the_first_to_run() {
    let text = pool(
        1,
        "task = [{ name = 'outer', program = [{ cpu = '1ms' }, { spawn = 'a' }, { spawn = 'b' }, { spawn = 'c' }, { join = 'a' }, { cpu = '1ms' }] },
                 { name = 'a', arrival = 'spawned', program = [{ cpu = '1ms' }] },
                 { name = 'b', arrival = 'spawned', program = [{ cpu = '1ms' }] },
                 { name = 'c', arrival = 'spawned', program = [{ cpu = '1ms' }] }]",
    );
    let (mut simulated, measured) = (Timeline::default(), run(&text));
    engine::simulate(&scenario(&text), &mut simulated);
    assert_eq!(order(&simulated), order(&measured.timeline));
    assert_eq!(measured.recorded.end, End::Completed);
}

#[test]
fn what_a_worker_took_up_while_its_task_joined_can_keep_that_task_for_ever() {
    // `c` lies above `outer`, which has the lock that it wants, though the one that `outer` joins is done.
    for (until, end) in [("", End::Deadlock), ("until = '300ms'\n", End::Horizon)] {
        let other = "{ name = 'p', program = [{ repeat = 'forever', do = [{ sleep = '1ms' }] }] }";
        let beside =
            if until.is_empty() { String::new() } else { format!("[[process]]\n name = 'far'\n task = [{other}]") };
        let measured = run(&format!(
            "{until}[[lock]]\n name = 'm'\n [[process]]\n name = 'p'\n executor = {{ kind = 'pool', workers = 1, queue = 'stealing' }}
             task = [{{ name = 'outer', program = [{{ lock = 'm' }}, {{ spawn = 'c' }}, {{ spawn = 'b' }}, {{ join = 'b' }}, {{ join = 'c' }}, {{ unlock = 'm' }}] }},
                     {{ name = 'b', arrival = 'spawned', program = [{{ cpu = '1ms' }}] }},
                     {{ name = 'c', arrival = 'spawned', program = [{{ lock = 'm' }}, {{ unlock = 'm' }}] }}]
             {beside}"
        ));
        assert_eq!(measured.recorded.end, end);
        let told = measured.explanation.or_else(|| Some(measured.stuck?.explanation)).expect("a deadlock");
        assert!(told.contains("outer") && told.contains("for lock `m`, held by"), "{told}");
    }
}

#[test]
fn a_join_that_is_over_waits_for_what_lies_above() {
    let measured = run(
        "lock = [{ name = 'm' }]
         [[process]]\n name = 'p'\n executor = { kind = 'pool', workers = 2, queue = 'stealing' }
         task = [{ name = 'outer', program = [{ lock = 'm' }, { spawn = 'b' }, { spawn = 'c' }, { join = 'b' }, { unlock = 'm' }] },
                 { name = 'b', arrival = 'spawned', program = [{ sleep = '5ms' }] },
                 { name = 'c', arrival = 'spawned', program = [{ lock = 'm' }, { unlock = 'm' }] },
                 { name = 'hog', program = [{ sleep = '1ms' }] }]",
    );
    // Who takes up `c` is up to the thief: the other worker, or the one of `outer`.
    match (measured.recorded.end, measured.explanation) {
        (End::Completed, _) => {}
        (end, why) => {
            let why = why.expect("a reason");
            assert!(end == End::Deadlock && why.contains("which its worker took up while it joined others"), "{why}");
        }
    }
}
