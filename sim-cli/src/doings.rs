//! What the row of a task shows: its life, with each wait for a device divided into the queue, the way of the head, and
//! the service, and with what is no wait for a processor told apart from it.

use std::collections::BTreeMap;

use sim_core::ids::{DeviceId, IdVec, TaskId, ThreadId};
use sim_core::time::Time;
use sim_core::timeline::lanes::{Busy, State, Stretch};
use sim_core::timeline::{Cause, Request, Runtime, Standing, Stands, Timeline};

/// What a task is doing; in a column of a picture that shows shares, the earlier is further down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Doing {
    /// On a processor.
    Running,
    /// A processor is busy on its behalf, but not with its program.
    Overhead,
    /// Able to run, waiting for a processor or in its runtime.
    Ready,
    /// Able to run, but its group has used up its quota.
    Throttled,
    /// Able to run, but its server has used up its budget.
    Depleted,
    /// Able to run, but another thread of its process has the interpreter lock.
    Interpreter,
    /// Its request stands in the queue of a device.
    Queued(DeviceId),
    /// The head of a device is on its way to where the request wants it.
    Seek(DeviceId),
    /// Waits for something else; on a device, is served.
    Blocked(Cause),
    /// Is served by a device and keeps its whole thread waiting, though its runtime could run others there.
    Blocking(DeviceId),
}

/// What each task was doing, as [`Timeline::lanes`] without gap or overlap.
#[must_use]
pub fn of(timeline: &Timeline) -> IdVec<TaskId, Vec<Stretch<Doing>>> {
    of_those(timeline, |_| true)
}

/// [`of`] those tasks that are wanted; the others do nothing.
#[must_use]
pub fn of_those(timeline: &Timeline, wanted: impl Fn(TaskId) -> bool) -> IdVec<TaskId, Vec<Stretch<Doing>>> {
    let mut requests: IdVec<TaskId, Vec<&Request>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
    for request in timeline.requests.iter().filter(|request| wanted(request.task)) {
        // A broken record may name a task that nobody knows.
        if timeline.tasks.get(request.task).is_some() {
            requests[request.task].push(request);
        }
    }
    requests.iter_mut().for_each(|own| own.sort_by_key(|request| request.asked));
    let holders = timeline.interpreters();
    let loops = Loops::of(timeline);
    let standing = Standing::of(timeline);
    let life = |(task, life): (TaskId, Vec<Stretch>)| {
        let mut doings = Vec::with_capacity(life.len());
        let process = timeline.cast.specs[timeline.tasks[task].spec as usize].process;
        let runtime = timeline.cast.runtime(process);
        let whole = timeline.cast.whole(process);
        let holders = holders.iter().find(|(of, _)| *of == whole && runtime.has_interpreter()).map(|(_, lane)| lane);
        // Behind others of an event loop a task waits for its thread, which has the lock.
        let is_before = |holder: TaskId| {
            let of = timeline.cast.specs[timeline.tasks[holder].spec as usize].process;
            holder != task && (runtime != Runtime::SwitchingLocked || of != process)
        };
        for stretch in &life {
            match (stretch.state, holders) {
                (State::Ready, _) => {
                    let whole = vec![(stretch.start, stretch.end, None)];
                    let pieces = standing.as_ref().map_or(whole, |it| it.still(task, stretch.start, stretch.end));
                    for (start, end, stands) in pieces {
                        match (stands, holders) {
                            (Some(Stands::Server), _) => {
                                push(&mut doings, Stretch { start, end, state: Doing::Depleted })
                            }
                            (Some(Stands::Group(_)), _) => {
                                push(&mut doings, Stretch { start, end, state: Doing::Throttled })
                            }
                            (None, Some(holders)) => behind(is_before, (start, end), holders, &mut doings),
                            (None, None) => push(&mut doings, Stretch { start, end, state: Doing::Ready }),
                        }
                    }
                }
                (State::Blocked(Cause::Device(device)), _) if loops.is_blocked(timeline, task, device, stretch) => {
                    let served = Doing::Blocking(device);
                    divide(stretch, &requests[task], served, &mut doings);
                }
                _ => divide(stretch, &requests[task], doing_of(stretch.state), &mut doings),
            }
        }
        doings
    };
    timeline.tasks.ids().zip(timeline.lanes_of(wanted)).map(life).collect()
}

/// A ready thread of a process with an interpreter lock: while another has the lock, it waits for that.
fn behind(
    is_before: impl Fn(TaskId) -> bool,
    (start, end): (Time, Time),
    holders: &[Stretch<Busy>],
    doings: &mut Vec<Stretch<Doing>>,
) {
    let first = holders.partition_point(|held| held.end <= start);
    let (mut at, last) = (start, end);
    for held in holders[first..].iter().take_while(|held| held.start < last) {
        let other = matches!(held.state, Busy::Run(holder) if is_before(holder)) || held.state == Busy::Clash;
        let end = held.end.min(last);
        push(doings, Stretch { start: at, end, state: if other { Doing::Interpreter } else { Doing::Ready } });
        at = end;
    }
    push(doings, Stretch { start: at, end: last, state: Doing::Ready });
}

/// Adds a stretch; one without length is left out, one that goes on is one with the last.
fn push(doings: &mut Vec<Stretch<Doing>>, next: Stretch<Doing>) {
    match doings.last_mut() {
        _ if next.start >= next.end => {}
        Some(last) if last.state == next.state && last.end == next.start => last.end = next.end,
        _ => doings.push(next),
    }
}

fn doing_of(state: State) -> Doing {
    match state {
        State::Running => Doing::Running,
        State::Overhead | State::Starting => Doing::Overhead,
        State::Ready => Doing::Ready,
        State::Blocked(cause) => Doing::Blocked(cause),
    }
}

/// The threads on which tasks could change places, and some may block all.
struct Loops {
    /// Who had each of them, and from when on, in the order of time.
    threads: BTreeMap<ThreadId, Vec<(Time, TaskId)>>,
}

impl Loops {
    /// Only those are looked at of which a task blocks the whole thread.
    fn of(timeline: &Timeline) -> Loops {
        let blocks = |spec: u32| timeline.cast.awaited.get(spec as usize).is_some_and(|own| !own.blocking.is_empty());
        let mut threads: BTreeMap<ThreadId, Vec<(Time, TaskId)>> = BTreeMap::new();
        if (0..).zip(&timeline.cast.specs).any(|(spec, _)| blocks(spec)) {
            for interval in timeline.intervals.iter() {
                threads.entry(interval.thread).or_default().push((interval.start, interval.task));
            }
        }
        threads.values_mut().for_each(|seats| seats.sort_unstable());
        Loops { threads }
    }

    /// Does the task keep its thread waiting while it is served by the device? Its program says that it does so somewhere, and
    /// nobody else had the thread meanwhile.
    fn is_blocked(&self, timeline: &Timeline, task: TaskId, device: DeviceId, served: &Stretch) -> bool {
        let spec = timeline.tasks[task].spec as usize;
        let switches = matches!(
            timeline.cast.runtime(timeline.cast.specs[spec].process),
            Runtime::Switching | Runtime::SwitchingLocked
        );
        let blocks = timeline.cast.awaited.get(spec).is_some_and(|own| own.blocking.contains(&device));
        let stays = |seats: &Vec<(Time, TaskId)>| {
            let next = seats.partition_point(|(start, _)| *start < served.end);
            seats[..next].last().is_some_and(|(_, last)| *last == task)
        };
        switches && blocks && self.threads.values().any(stays)
    }
}

/// Of a wait for a device, what is no queue and no way of its head is `doing`.
fn divide(stretch: &Stretch, requests: &[&Request], doing: Doing, doings: &mut Vec<Stretch<Doing>>) {
    let mut at = stretch.start;
    let mut until = |end: Time, state: Doing| {
        let end = end.min(stretch.end);
        push(doings, Stretch { start: at, end, state });
        at = at.max(end);
    };
    if let State::Blocked(Cause::Device(device)) = stretch.state {
        let first = requests.partition_point(|request| request.end <= stretch.start);
        let asked = requests[first..].iter().take_while(|request| request.asked < stretch.end);
        for request in asked.filter(|request| request.device == device) {
            until(request.asked, doing);
            let taken = request.start.unwrap_or(request.end);
            until(taken, Doing::Queued(device));
            until((taken + request.seek).min(request.end), Doing::Seek(device));
            until(request.end, doing);
        }
    }
    until(stretch.end, doing);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Story;

    #[test]
    fn a_wait_for_a_device_is_the_queue_then_the_way_then_the_service() {
        let story = Story::new(1).tasks("main", "A", 1).run(0, 0, 0, 5).io(0, 5, 40);
        let timeline = story.request(0, 5, Some(10), 3, 20).request(0, 20, Some(20), 0, 30).request(0, 30, None, 0, 40);
        let disk = DeviceId(0);
        let (queued, served) = (Doing::Queued(disk), Doing::Blocked(Cause::Device(disk)));
        let doings: Vec<(u64, Doing)> =
            of(&timeline.end(50))[TaskId(0)].iter().map(|part| (part.end.ns() / 1_000, part.state)).collect();
        assert_eq!(
            doings,
            [
                (5, Doing::Running),
                (10, queued),
                (13, Doing::Seek(disk)),
                (30, served),
                (40, queued),
                (50, Doing::Ready)
            ]
        );
    }

    #[test]
    fn what_no_request_explains_is_blocked() {
        let timeline = Story::new(1).tasks("main", "A", 1).io(0, 0, 9).life(0, Some(0), Some(9)).end(9);
        let states: Vec<Doing> = of(&timeline)[TaskId(0)].iter().map(|part| part.state).collect();
        assert_eq!(states, [Doing::Blocked(Cause::Device(DeviceId(0)))]);
    }
}
