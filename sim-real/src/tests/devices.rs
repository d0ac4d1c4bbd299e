//! Devices under every discipline and every executor: given when it was asked, a real device serves exactly as a
//! simulated one.

use std::fmt::Write as _;

use sim_core::device::{DISCIPLINES, Form, Kind};
use sim_core::engine;
use sim_core::time::Time;
use sim_core::timeline::{Request, Timeline};

use super::{EXECUTORS, run, scenario, skip};
use crate::End;
use crate::play::device::INSTANT;

/// How long each task's request takes, in microseconds, and on which track.
const REQUESTS: [(u32, u32); 6] = [(3000, 50), (1800, 10), (800, 90), (2400, 55), (600, 20), (1400, 50)];

fn device(discipline: &Kind) -> String {
    let rest = match discipline.form {
        Form::Positioned => "seek = { per-track = '5us', tracks = 100 }",
        Form::InOrder | Form::Queue => "channels = 2",
        Form::Shared => "channels = 1",
    };
    format!("[[device]]\n name = 'd'\n discipline = '{}'\n {rest}\n", discipline.name)
}

/// One task for each request: when it arrives, and what it does before it asks.
fn tasks(discipline: &Kind, before: &str, arrival: impl Fn(usize) -> u64) -> String {
    let mut text = String::new();
    for (index, (service, track)) in REQUESTS.iter().enumerate() {
        let at = if discipline.form == Form::Positioned { format!(", at = {track}") } else { String::new() };
        write!(
            text,
            "[[process.task]]\n name = 't{index}'\n priority = {}\n arrival = '{}ns'\n
             program = [{before}{{ io = 'd', for = '{service}us'{at} }}]\n",
            index % 3,
            arrival(index)
        )
        .expect("writing to a string");
    }
    text
}

fn requests(timeline: &Timeline) -> Vec<Request> {
    let mut requests = timeline.requests.clone();
    requests.sort_by_key(|request| request.task);
    requests
}

/// Was every request made at an instant of its own, as far as a real device tells instants apart?
fn are_apart(served: &[Request]) -> bool {
    let instants: Vec<_> =
        served.iter().flat_map(|request| [Some(request.asked), request.start, Some(request.end)]).flatten().collect();
    let follows = |asked: Time| instants.iter().any(|at| *at < asked && asked <= *at + INSTANT);
    !served.iter().any(|request| follows(request.asked))
}

#[test]
fn every_discipline_under_every_executor_serves_as_simulated() {
    let shelf = DISCIPLINES.iter().filter(|discipline| discipline.form != Form::InOrder);
    for (executor, discipline) in EXECUTORS.iter().flat_map(|executor| shelf.clone().map(move |kind| (executor, kind)))
    {
        let device = device(discipline);
        let head = format!("[scheduler]\n policy = 'priority'\n {device}[[process]]\n name = 'p'\n");
        let real = tasks(discipline, "{ cpu = '50us' }, ", |index| index as u64 * 400_000);
        let served = (0..10).find_map(|_| {
            let measured = run(&format!("{head} executor = {executor}\n {real}"));
            assert_eq!(measured.recorded.end, End::Completed, "{executor}, {}", discipline.name);
            let served = requests(&measured.timeline);
            assert_eq!(served.len(), REQUESTS.len(), "{executor}, {}", discipline.name);
            are_apart(&served).then_some(served)
        });
        let Some(served) = served else {
            skip(&format!("{executor}, {}: the machine is too busy to ask in time", discipline.name));
            continue;
        };
        // Whoever asks at once when it arrives asks when the real one did.
        let ideal = tasks(discipline, "", |index| served[index].asked.ns());
        let mut simulated = Timeline::default();
        engine::simulate(&scenario(&format!("{head} {ideal}")), &mut simulated);
        assert_eq!(served, requests(&simulated), "{executor}, {}", discipline.name);
    }
}

#[test]
fn the_horizon_may_cut_any_request_off() {
    for (executor, discipline) in EXECUTORS.iter().zip(DISCIPLINES.iter().skip(4)) {
        let at = if discipline.form == Form::Positioned { ", at = 90" } else { "" };
        let measured = run(&format!(
            "until = '5ms'\n {} [[process]]\n name = 'p'\n executor = {executor}\n [[process.task]]\n name = 'a'\n count = 4\n
             program = [{{ repeat = 'forever', do = [{{ io = 'd', for = '700us'{at} }}, {{ io = 'd', for = '50ms'{at} }}] }}]",
            device(discipline)
        ));
        assert_eq!(measured.recorded.end, End::Horizon, "{executor}, {}", discipline.name);
        assert!(!measured.timeline.requests.is_empty());
    }
}

#[test]
fn an_async_task_may_wait_for_a_device_with_its_whole_thread() {
    let measured = run("executor = 'async'\n [[device]]\n name = 'd'\n discipline = 'lifo'\n [[task]]\n name = 'a'\n count = 2\n
         program = [{ cpu = '100us' }, { io = 'd', for = '2ms', blocking = true }, { cpu = '100us' }, { io = 'd', for = '1ms' }]");
    assert_eq!(measured.recorded.end, End::Completed);
    let requests = requests(&measured.timeline);
    assert!(requests[2].asked >= requests[0].end, "the thread was free: {requests:?}");
}
