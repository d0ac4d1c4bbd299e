//! What is over in CPython, and what is not: deadlocks that the simulation finds are found there, nobody who will go on is taken for
//! stuck, and whoever finished in time has completed.

use sim_core::engine;
use sim_core::timeline::What;

use super::python::{self, is_here};
use super::{EXECUTORS, run, scenario};
use crate::{End, Rung};

/// A scenario of one process in CPython.
fn in_python(executor: &str, rest: &str) -> String {
    format!("runtime = 'cpython'\n executor = {executor}\n until = '30s'\n {rest}")
}

#[test]
fn whatever_the_simulation_calls_a_deadlock_is_one_in_python() {
    if !is_here() {
        return;
    }
    let parent = "[[task]]\n name = 'a'\n count = 2\n program = [{ spawn = 'b' }, { join = 'b' }]\n
        [[task]]\n name = 'b'\n arrival = 'spawned'\n program = [{ cpu = '1ms' }]";
    let late = "channel = [{ name = 'c', capacity = 1 }]\n [[task]]\n name = 'a'\n program = [{ recv = 'c' }]\n
        [[task]]\n name = 'late'\n arrival = '3ms'\n program = [{ cpu = '1ms' }]";
    let barrier =
        "barrier = [{ name = 'm', parties = 2 }]\n [[task]]\n name = 'a'\n count = 3\n program = [{ barrier = 'm' }]";
    let beside = "pools = { p = { kind = 'pool', workers = 1 } }\n channel = [{ name = 'c', capacity = 1 }]\n [[task]]\n name = 'a'\n
        program = [{ on = 'p', do = [{ recv = 'c' }] }]\n [[task]]\n name = 'b'\n arrival = '1ms'\n
        program = [{ on = 'p', do = [{ send = 'c' }] }]";
    let idle = format!(
        "pools = {{ p = {{ kind = 'pool', workers = 1 }} }}\n {barrier}\n
        [[task]]\n name = 'd'\n program = [{{ on = 'p', do = [{{ cpu = '1ms' }}] }}]"
    );
    let of_processes = "{ kind = 'pool', workers = 2, of = 'processes' }";
    let cases = [
        ("{ kind = 'pool', workers = 2 }", parent),
        ("'sequential'", parent),
        ("{ kind = 'pool', workers = 1 }", late),
        ("'processes'", late),
        ("{ kind = 'processes', start = 'spawn' }", late),
        (of_processes, late),
        ("'threads'", barrier),
        ("'processes'", barrier),
        (of_processes, barrier),
        ("'threads'", beside),
        ("{ kind = 'pool', workers = 3 }", &idle),
        ("'threads'", &idle),
    ];
    for (executor, rest) in cases {
        let text = in_python(executor, rest);
        assert_eq!(engine::simulate(&scenario(&text), &mut ()).end, engine::End::Deadlock, "{text}");
        let measured = run(&text);
        assert_eq!(measured.recorded.end, End::Deadlock, "{text}");
        assert!(measured.explanation.is_some_and(|told| told.starts_with("deadlock")), "{text}");
    }
}

#[test]
fn who_sleeps_is_served_or_is_being_started_is_in_no_deadlock() {
    if !is_here() {
        return;
    }
    let parent = "[[task]]\n name = 'a'\n program = [{ spawn = 'b' }, { join = 'b' }]\n
        [[task]]\n name = 'b'\n arrival = 'spawned'\n program = [{ cpu = '1ms' }]";
    let behind =
        |does: &str| format!("device = [{{ name = 'd' }}]\n {parent}\n [[task]]\n name = 's'\n program = [{does}]");
    let pool = "{ kind = 'pool', workers = 2 }";
    let cases = [
        (pool, behind("{ sleep = '400ms' }")),
        (pool, behind("{ io = 'd', for = '400ms' }")),
        ("'threads'", behind("{ sleep = '400ms' }")),
        ("'async'", behind("{ io = 'd', for = '400ms', blocking = true }")),
        ("'processes'", parent.to_owned()),
        ("{ kind = 'processes', start = 'spawn' }", parent.to_owned()),
        ("{ kind = 'processes', start = 'forkserver' }", parent.to_owned()),
        (pool, "[[task]]\n name = 'late'\n arrival = '400ms'\n program = [{ cpu = '1ms' }]".to_owned()),
    ];
    for (executor, rest) in cases {
        let text = in_python(executor, &rest);
        assert_eq!(run(&text).recorded.end, End::Completed, "{text}");
    }
}

#[test]
fn a_run_whose_tasks_finished_before_its_horizon_has_completed() {
    let python = if is_here() { &python::EXECUTORS[..] } else { &[] };
    for executor in EXECUTORS.iter().chain(python) {
        // However the machine is: sooner or later one of these is about as long as the run is.
        for until in 2..12 {
            let measured = run(&format!(
                "until = '{until}ms'\n [[process]]\n name = 'p'\n executor = {executor}\n
                 [[process.task]]\n name = 'a'\n program = [{{ cpu = '2ms' }}]"
            ));
            let all = measured.timeline.tasks.iter().all(|life| life.finish.is_some());
            let end = if all { End::Completed } else { End::Horizon };
            assert_eq!(measured.recorded.end, end, "{executor}: {:?}", measured.timeline.tasks);
        }
    }
}

#[test]
fn the_start_of_a_process_of_python_is_overhead() {
    if !is_here() {
        return;
    }
    for start in ["fork", "spawn", "forkserver"] {
        let executor = format!("{{ kind = 'processes', start = '{start}' }}");
        let measured = run(&in_python(&executor, "[[task]]\n name = 'a'\n count = 2\n program = [{ cpu = '1ms' }]"));
        if measured.recorded.recorder > Rung::OwnTree {
            return super::skip("without records of switches nobody sees it");
        }
        for task in measured.timeline.tasks.ids() {
            let own = super::intervals(&measured.timeline, task);
            let of = |what| own.iter().filter(move |interval| interval.what == what);
            let ends = of(What::Start).map(|interval| interval.end).max();
            let begins = of(What::Run).map(|interval| interval.start).min();
            assert!(ends.is_some() && ends <= begins, "{start}: {own:?}");
        }
    }
}
