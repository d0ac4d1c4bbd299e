//! Laws of devices, whatever their discipline.

use sim_core::device::Form;
use sim_core::ids::DeviceId;
use sim_core::scenario::Scenario;
use sim_core::time::Time;
use sim_core::timeline::Request;

use super::{Run, Verdict, ensure};

pub(super) fn laws(run: &Run, scenario: &Scenario) -> Verdict {
    for (id, device) in scenario.devices.pairs() {
        let requests: Vec<&Request> = run.timeline.requests.iter().filter(|request| request.device == id).collect();
        littles_law(run, id, &requests)?;
        if device.discipline.form == Form::Shared {
            nothing_is_lost_by_sharing(&requests, device.channels)?;
        } else {
            works_while_requests_wait(&requests, device.channels)?;
        }
        if device.discipline.form == Form::InOrder {
            nobody_is_overtaken(&requests)?;
        }
    }
    Ok(())
}

fn start(request: &Request) -> Time {
    request.start.unwrap_or(request.end)
}

/// The area under a curve that `weight` gives for the number of intervals that hold at a time.
fn area(intervals: impl Iterator<Item = (Time, Time)>, weight: impl Fn(u64) -> u64) -> u64 {
    // What begins comes before what ends, as intervals may be empty.
    let mut edges: Vec<(Time, bool)> = intervals.flat_map(|(start, end)| [(start, false), (end, true)]).collect();
    edges.sort_unstable();
    let (mut area, mut number, mut last) = (0, 0_u64, Time::ZERO);
    for (at, ends) in edges {
        area += weight(number) * at.since(last).ns();
        last = at;
        number = if ends { number - 1 } else { number + 1 };
    }
    area
}

/// The time average of the length of the queue times the time is the sum of the waits, and likewise in service: exactly,
/// before anything is divided (Little 1961).
fn littles_law(run: &Run, id: DeviceId, requests: &[&Request]) -> Verdict {
    let (sums, outcome) = (&run.metrics.devices[id], &run.outcome.devices[id.0 as usize]);
    let queue = area(requests.iter().map(|request| (request.asked, start(request))), |length| length);
    let service = area(requests.iter().map(|request| (start(request), request.end)), |number| number);
    let busy: u64 = requests.iter().map(|request| (request.seek + request.service).ns()).sum();
    let seek: u64 = requests.iter().map(|request| request.seek.ns()).sum();
    ensure(sums.queued.ns() == queue, || format!("{sums:?}, but the area under the queue is {queue}"))?;
    ensure(sums.served.ns() == service, || format!("{sums:?}, but the area under those in service is {service}"))?;
    ensure(sums.busy.ns() == busy && outcome.busy_ns == busy, || format!("{sums:?}, but the channels work {busy}"))?;
    ensure(sums.seek.ns() == seek && outcome.seek_ns == seek, || format!("{sums:?}, but the head moves for {seek}"))?;
    let time = run.ending.at.ns();
    let near = |one: f64, other: f64| (one - other).abs() <= 1e-9 * one.abs().max(other.abs());
    #[expect(clippy::cast_precision_loss, reason = "after the division")]
    let holds = near(outcome.mean_queue * time as f64, queue as f64)
        && near(outcome.mean_wait_ns.unwrap_or(0.0) * sums.requests as f64, queue as f64)
        && near(outcome.mean_in_service * time as f64, service as f64)
        && near(outcome.mean_service_ns.unwrap_or(0.0) * sums.started as f64, service as f64)
        && outcome.utilisation.is_none_or(|utilisation| (0.0..=1.0).contains(&utilisation));
    ensure(holds, || format!("{outcome:?} over {time}"))
}

/// A request waits only while all channels are busy.
fn works_while_requests_wait(requests: &[&Request], channels: Option<u32>) -> Verdict {
    for request in requests {
        let busy = |at: Time| {
            requests.iter().filter(|other| other.start.is_some_and(|start| start <= at) && at < other.end).count()
        };
        let edges = requests.iter().flat_map(|other| [other.end, start(other)]);
        let idle = edges
            .chain([request.asked])
            .filter(|at| request.asked <= *at && *at < start(request))
            .find(|at| channels.is_none_or(|channels| busy(*at) < channels as usize));
        ensure(idle.is_none(), || format!("the device is idle at {idle:?} while {request:?} waits"))?;
    }
    Ok(())
}

fn nobody_is_overtaken(requests: &[&Request]) -> Verdict {
    for request in requests {
        // Who leaves the queue has overtaken nobody.
        let later =
            |other: &&&Request| other.start.is_some() && other.asked > request.asked && start(other) < start(request);
        let overtaken = requests.iter().find(later);
        ensure(overtaken.is_none(), || format!("{overtaken:?} overtakes {request:?}"))?;
    }
    Ok(())
}

/// Nobody waits, and together the requests receive all that the channels can do; only the times that are told are
/// rounded, each by less than a nanosecond.
fn nothing_is_lost_by_sharing(requests: &[&Request], channels: Option<u32>) -> Verdict {
    let waits = requests.iter().find(|request| request.start != Some(request.asked));
    ensure(waits.is_none(), || format!("{waits:?} waits"))?;
    let can = |number: u64| channels.map_or(number, |channels| number.min(channels.into()));
    let could = area(requests.iter().map(|request| (request.asked, request.end)), can);
    let did: u64 = requests.iter().map(|request| request.service.ns()).sum();
    let rounding = requests.len() as u64;
    ensure((did..=did + rounding).contains(&could), || format!("the channels do {did} and could do {could}"))
}
