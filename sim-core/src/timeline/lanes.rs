//! Lanes: the life of each task, and the time of each processor, as a sequence of states without gap or overlap.
//!
//! Pictures, diagrams and traces draw these. A simulated timeline fits together exactly; a measured one may not, so
//! where records contradict each other the strongest state wins and nothing ever panics.

use super::{Cause, Interval, Left, Life, Runtime, Timeline, What};
use crate::ids::{CpuId, DeviceId, Id, IdVec, TaskId};
use crate::time::Time;

/// What a task is doing; where a measured timeline claims several at once, the last of these wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// Able to run, waiting for a processor.
    Ready,
    /// Waiting for something else.
    Blocked(Cause),
    /// A processor is busy with the start of its process, or of one that it spawns.
    Starting,
    /// A processor is busy on its behalf, but not with its program.
    Overhead,
    /// On a processor.
    Running,
}

/// What a processor is doing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Busy {
    /// Runs a task's program.
    Run(TaskId),
    /// Overhead on a task's behalf.
    Switch(TaskId),
    /// Somebody who is none of the tasks starts the process of this one.
    Start(TaskId),
    /// The head of a device is on its way to a request of a task.
    Seek(TaskId),
    /// Two tasks are recorded at once, which only an imprecise or broken record says.
    Clash,
    /// Nothing.
    Idle,
}

/// One state from `start` (included) to `end` (not included). Invariant: `start < end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch<S = State> {
    /// When it began.
    pub start: Time,
    /// When it was over.
    pub end: Time,
    /// What it was.
    pub state: S,
}

impl Timeline {
    /// The life of each task from its arrival to its finish (or the end of the run). A task that never arrived has
    /// none. What is neither running nor blocked nor overhead is ready.
    #[must_use]
    pub fn lanes(&self) -> IdVec<TaskId, Vec<Stretch>> {
        self.lanes_of(|_| true)
    }

    /// [`Timeline::lanes`] of those tasks that are wanted; the others have none. Of many tasks few are mostly shown.
    #[must_use]
    pub fn lanes_of(&self, wanted: impl Fn(TaskId) -> bool) -> IdVec<TaskId, Vec<Stretch>> {
        let mut claims = vec![Vec::new(); self.tasks.len()];
        for interval in self.intervals.iter().filter(|interval| wanted(interval.task)) {
            let state = match interval.what {
                What::Run => State::Running,
                What::Switch => State::Overhead,
                What::Start => State::Starting,
            };
            claim(&mut claims, interval.task, interval.start, interval.end, state);
        }
        for block in self.blocks.iter().filter(|block| wanted(block.task)) {
            claim(&mut claims, block.task, block.start, block.end, State::Blocked(block.cause));
        }
        let extent = self.extent();
        let strongest = |states: &[State]| states.iter().copied().max().unwrap_or(State::Ready);
        let lane = |((task, life), claims): ((TaskId, &super::Life), Vec<Stretch>)| {
            let from = life.arrival.or_else(|| claims.iter().map(|claim| claim.start).min());
            let from = from.filter(|_| wanted(task));
            from.map_or_else(Vec::new, |from| settle(from, life.finish.unwrap_or(extent), claims, strongest))
        };
        self.tasks.pairs().zip(claims).map(lane).collect()
    }

    /// What each processor did from the start of the run to [`Timeline::extent`].
    #[must_use]
    pub fn occupancy(&self) -> IdVec<CpuId, Vec<Stretch<Busy>>> {
        self.occupancy_of(|_| true)
    }

    /// [`Timeline::occupancy`] of those processors that are wanted; the others are idle.
    #[must_use]
    pub fn occupancy_of(&self, wanted: impl Fn(CpuId) -> bool) -> IdVec<CpuId, Vec<Stretch<Busy>>> {
        let mut claims = vec![Vec::new(); self.cast.processors.len()];
        for interval in self.intervals.iter().filter(|interval| wanted(interval.cpu)) {
            let busy = match interval.what {
                What::Run => Busy::Run(interval.task),
                What::Start if interval.thread.is_none() => Busy::Start(interval.task),
                What::Switch | What::Start => Busy::Switch(interval.task),
            };
            claim(&mut claims, interval.cpu, interval.start, interval.end, busy);
        }
        let extent = self.extent();
        claims.into_iter().map(|claims| settle(Time::ZERO, extent, claims, together)).collect()
    }

    /// Who held the interpreter lock of each process that has one, from the start of the run to [`Timeline::extent`]:
    /// whoever of it is on a processor, or is the next to be there while it is ready.
    #[must_use]
    pub fn interpreters(&self) -> Vec<(u32, Vec<Stretch<Busy>>)> {
        let is_one =
            |(process, runtime): &(u32, &Runtime)| runtime.has_interpreter() && self.cast.whole(*process) == *process;
        let processes = (0..).zip(&self.cast.runtimes).filter(is_one);
        processes.map(|(process, _)| (process, self.interpreter(process))).collect()
    }

    fn interpreter(&self, process: u32) -> Vec<Stretch<Busy>> {
        let of_it = |task: TaskId| {
            let process_of = |life: &Life| self.cast.specs[life.spec as usize].process;
            self.tasks.get(task).is_some_and(|life| self.cast.whole(process_of(life)) == process)
        };
        let lives = self.lanes_of(of_it);
        let holds = |interval: &Interval| of_it(interval.task) && !interval.came_to_nothing();
        let mut intervals: Vec<Interval> = self.intervals.iter().filter(holds).collect();
        intervals.sort_by_key(|interval| (interval.start, interval.end));
        let mut claims = Vec::with_capacity(intervals.len() + 1);
        let mut free = Time::ZERO;
        for interval in &intervals {
            let life = &lives[interval.task];
            let before = life.partition_point(|stretch| stretch.end < interval.start);
            let ready =
                life.get(before).filter(|stretch| stretch.state == State::Ready && stretch.end == interval.start);
            let from = ready.map_or(interval.start, |stretch| stretch.start).max(free);
            let held = Stretch { start: from, end: interval.end, state: Busy::Run(interval.task) };
            claims.extend(Some(held).filter(|held| held.start < held.end));
            free = free.max(interval.end);
        }
        let extent = self.extent();
        // Who has not given the lock up when the run ends has it.
        let last = intervals.last().filter(|last| !matches!(last.left, Left::Blocked | Left::Finished));
        let kept = last.map(|last| Stretch { start: free, end: extent, state: Busy::Run(last.task) });
        claims.extend(kept.filter(|kept| kept.start < kept.end));
        settle(Time::ZERO, extent, claims, together)
    }

    /// What each channel of a device did, from the start of the run to [`Timeline::extent`]; nothing for a device whose
    /// requests do not have a channel each. A request takes the first channel that is free when it is taken.
    #[must_use]
    pub fn service(&self, device: DeviceId) -> Vec<Vec<Stretch<Busy>>> {
        let Some(name) = self.cast.devices.get(device) else { return Vec::new() };
        let Some(channels) = name.channels.filter(|_| !name.shared) else { return Vec::new() };
        let requests = self.requests.iter().filter(|request| request.device == device);
        let mut served: Vec<_> =
            requests.filter_map(|request| Some((request.start?, request.end, request.task, request.seek))).collect();
        served.sort_unstable();
        let mut claims: Vec<Vec<Stretch<Busy>>> = Vec::new();
        for (start, end, task, seek) in served {
            let free = |claims: &Vec<Stretch<Busy>>| claims.last().is_none_or(|last| last.end <= start);
            let channel = claims.iter().position(free).unwrap_or(claims.len());
            // Clocks of a measured run may let one request begin before the last is over.
            let channel = channel.min(channels.max(1) as usize - 1);
            if channel == claims.len() {
                claims.push(Vec::new());
            }
            let there = (start + seek).min(end);
            claim(&mut claims, CpuId::from_index(channel), start, there, Busy::Seek(task));
            claim(&mut claims, CpuId::from_index(channel), there, end, Busy::Run(task));
        }
        let extent = self.extent();
        claims.into_iter().map(|claims| settle(Time::ZERO, extent, claims, together)).collect()
    }

    /// How many requests were in service at a device that all share, from the start of the run to
    /// [`Timeline::extent`]; nothing for a device whose requests have a channel each.
    #[must_use]
    pub fn sharing(&self, device: DeviceId) -> Option<Vec<Stretch<u32>>> {
        self.cast.devices.get(device).filter(|name| name.shared)?;
        let taken = self.requests.iter().filter(|request| request.device == device);
        let edges = taken.filter_map(|request| Some([(request.start?, true), (request.end, false)]));
        let mut edges: Vec<(Time, bool)> = edges.flatten().collect();
        edges.sort_unstable_by_key(|(at, begins)| (*at, !begins));
        let mut lane: Vec<Stretch<u32>> = Vec::new();
        let (mut start, mut state) = (Time::ZERO, 0);
        for (end, change) in edges.into_iter().map(|(at, begins)| (at, Some(begins))).chain([(self.extent(), None)]) {
            match lane.last_mut() {
                Some(last) if last.state == state => last.end = last.end.max(end),
                _ if start < end => lane.push(Stretch { start, end, state }),
                _ => {}
            }
            start = start.max(end);
            state = change.map_or(state, |begins| if begins { state + 1 } else { state - 1 });
        }
        Some(lane)
    }

    /// The instant after which there is nothing to show: the makespan, or later if something was recorded after it.
    #[must_use]
    pub fn extent(&self) -> Time {
        let last = self.intervals.iter().map(|interval| interval.end).chain(self.blocks.iter().map(|block| block.end));
        last.fold(Time::ZERO + self.makespan(), Time::max)
    }
}

/// Notes that something was the case from `start` to `end`; what takes no time or concerns nobody known is no claim.
fn claim<I: Id, S>(claims: &mut [Vec<Stretch<S>>], of: I, start: Time, end: Time, state: S) {
    if let Some(claims) = claims.get_mut(of.index())
        && start < end
    {
        claims.push(Stretch { start, end, state });
    }
}

/// What a processor is doing of which all of `claims` are said at once.
fn together(claims: &[Busy]) -> Busy {
    let task = |busy: &Busy| match *busy {
        Busy::Run(task) | Busy::Switch(task) | Busy::Start(task) | Busy::Seek(task) => Some(task),
        Busy::Clash | Busy::Idle => None,
    };
    let Some(first) = claims.first() else { return Busy::Idle };
    if claims.iter().all(|busy| task(busy) == task(first)) {
        *claims.iter().min().unwrap_or(first)
    } else {
        Busy::Clash
    }
}

/// Turns claims that may leave gaps and overlap into one sequence over `from..to`, or wider if a claim is outside.
/// `choose` says what is true when all of the given claims, or none, hold.
fn settle<S: Copy + PartialEq>(
    from: Time,
    to: Time,
    mut claims: Vec<Stretch<S>>,
    choose: impl Fn(&[S]) -> S,
) -> Vec<Stretch<S>> {
    // Stable, which is quick for the two or three sorted runs that claims mostly are.
    claims.sort_by_key(|claim| claim.start);
    let mut lane: Vec<Stretch<S>> = Vec::new();
    let mut at = claims.first().map_or(from, |first| first.start.min(from));
    let mut advance = |until: Time, states: &[S]| {
        if at >= until {
            return;
        }
        let state = choose(states);
        match lane.last_mut() {
            Some(last) if last.state == state => last.end = until,
            _ => lane.push(Stretch { start: at, end: until, state }),
        }
        at = until;
    };
    if claims.windows(2).all(|two| two[0].end <= two[1].start) {
        for claim in claims {
            advance(claim.start, &[]);
            advance(claim.end, &[claim.state]);
        }
    } else {
        contradictory(&claims, &mut advance);
    }
    advance(to, &[]);
    lane
}

/// Claims of which some are made of the same time: from edge to edge, with all that hold there.
fn contradictory<S: Copy>(claims: &[Stretch<S>], advance: &mut impl FnMut(Time, &[S])) {
    let mut edges: Vec<(Time, bool, usize)> = Vec::with_capacity(2 * claims.len());
    for (index, claim) in claims.iter().enumerate() {
        edges.push((claim.start, true, index));
        edges.push((claim.end, false, index));
    }
    edges.sort_unstable();
    let mut active: Vec<usize> = Vec::new();
    let mut states: Vec<S> = Vec::new();
    for (time, begins, index) in edges {
        states.clear();
        states.extend(active.iter().map(|index| claims[*index].state));
        advance(time, &states);
        if begins {
            active.push(index);
        } else {
            active.retain(|other| *other != index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Cast, DeviceName, Fate, Life, Request, Runtime};
    use super::*;
    use crate::time::Span;

    fn stretch<S>(start: u64, end: u64, state: S) -> Stretch<S> {
        Stretch { start: Time::from_ns(start), end: Time::from_ns(end), state }
    }

    fn life(from: u64, to: u64, claims: &[Stretch]) -> Vec<Stretch> {
        let strongest = |states: &[State]| states.iter().copied().max().unwrap_or(State::Ready);
        settle(Time::from_ns(from), Time::from_ns(to), claims.to_vec(), strongest)
    }

    #[test]
    fn what_nobody_claims_is_ready() {
        let blocked = State::Blocked(Cause::Timer);
        assert_eq!(
            life(0, 10, &[stretch(5, 7, blocked), stretch(2, 4, State::Running), stretch(4, 5, State::Running)]),
            [
                stretch(0, 2, State::Ready),
                stretch(2, 5, State::Running),
                stretch(5, 7, blocked),
                stretch(7, 10, State::Ready)
            ]
        );
        assert_eq!(life(3, 3, &[]), []);
    }

    #[test]
    fn contradictions_are_settled_and_nothing_recorded_is_hidden() {
        let blocked = State::Blocked(Cause::Timer);
        assert_eq!(
            life(4, 6, &[stretch(2, 8, blocked), stretch(5, 9, State::Running)]),
            [stretch(2, 5, blocked), stretch(5, 9, State::Running)]
        );
    }

    #[test]
    fn a_processor_with_two_tasks_at_once_is_a_clash() {
        let (a, b) = (TaskId(0), TaskId(1));
        let claims = [stretch(0, 4, Busy::Run(a)), stretch(3, 6, Busy::Run(b)), stretch(5, 6, Busy::Switch(b))];
        assert_eq!(
            settle(Time::ZERO, Time::from_ns(7), claims.to_vec(), together),
            [
                stretch(0, 3, Busy::Run(a)),
                stretch(3, 4, Busy::Clash),
                stretch(4, 6, Busy::Run(b)),
                stretch(6, 7, Busy::Idle)
            ]
        );
    }

    fn with_requests(shared: bool, requests: &[(u64, Option<u64>, u64, u64)]) -> Timeline {
        let device = DeviceName { name: "disk".into(), channels: Some(1), shared };
        let cast = Cast { devices: [device].into_iter().collect(), ..Cast::default() };
        let request = |(task, &(asked, start, seek, end)): (u32, &(u64, Option<u64>, u64, u64))| Request {
            device: DeviceId(0),
            task: TaskId(task),
            asked: Time::from_ns(asked),
            start: start.map(Time::from_ns),
            end: Time::from_ns(end),
            seek: Span::from_ns(seek),
            service: Span::ZERO,
        };
        let requests = (0..).zip(requests).map(request).collect();
        Timeline { cast: Arc::new(cast), requests, end: Time::from_ns(20), ..Timeline::default() }
    }

    #[test]
    fn who_runs_or_is_the_next_to_holds_the_interpreter_lock() {
        let spec = crate::timeline::SpecName { process: 0, task: "t".into() };
        let cast = Cast { specs: vec![spec], runtimes: vec![Runtime::Interpreter], ..Cast::default() };
        let life = |instance| Life { spec: 0, instance, arrival: Some(Time::ZERO), finish: None, fate: Fate::Finished };
        let run = |task, start, end, left| Interval {
            start: Time::from_ns(start),
            end: Time::from_ns(end),
            task: TaskId(task),
            thread: crate::ids::ThreadId(task),
            cpu: CpuId(0),
            what: What::Run,
            left,
        };
        // Another process has the processor from 4 to 6; from 9 nobody wants the lock; from 12 the first keeps it.
        let mut timeline = Timeline { cast: Arc::new(cast), end: Time::from_ns(15), ..Timeline::default() };
        timeline.tasks = (0..2).map(life).collect();
        timeline.intervals =
            vec![run(0, 0, 4, Left::Preempted), run(1, 6, 9, Left::Blocked), run(0, 10, 12, Left::Preempted)].into();
        let blocked = |task, start, end| super::super::Block {
            start: Time::from_ns(start),
            end: Time::from_ns(end),
            task: TaskId(task),
            cause: Cause::Timer,
            again: false,
        };
        timeline.blocks = vec![blocked(0, 4, 10), blocked(1, 9, 15)];
        let (a, b) = (Busy::Run(TaskId(0)), Busy::Run(TaskId(1)));
        assert_eq!(
            timeline.interpreters(),
            [(0, vec![stretch(0, 4, a), stretch(4, 9, b), stretch(9, 10, Busy::Idle), stretch(10, 15, a)])]
        );
    }

    #[test]
    fn a_channel_is_under_way_before_it_serves() {
        let mut timeline = with_requests(false, &[(0, Some(1), 2, 8), (0, Some(8), 9, 12), (5, None, 0, 20)]);
        let life = |instance| Life { spec: 0, instance, arrival: Some(Time::ZERO), finish: None, fate: Fate::Finished };
        timeline.tasks = (0..3).map(life).collect();
        let (a, b) = (TaskId(0), TaskId(1));
        assert_eq!(
            timeline.service(DeviceId(0)),
            [vec![
                stretch(0, 1, Busy::Idle),
                stretch(1, 3, Busy::Seek(a)),
                stretch(3, 8, Busy::Run(a)),
                // The run may end while the head is still on its way.
                stretch(8, 12, Busy::Seek(b)),
                stretch(12, 20, Busy::Idle)
            ]]
        );
        assert_eq!(timeline.sharing(DeviceId(0)), None);
    }

    #[test]
    fn those_who_share_are_counted() {
        let shares = [(1, Some(1), 0, 8), (1, Some(1), 0, 5), (5, Some(5), 0, 8), (9, Some(9), 0, 9), (9, None, 0, 20)];
        let mut timeline = with_requests(true, &shares);
        timeline.tasks = [Life { spec: 0, instance: 0, arrival: Some(Time::ZERO), finish: None, fate: Fate::Finished }]
            .into_iter()
            .collect();
        assert_eq!(timeline.sharing(DeviceId(0)), Some(vec![stretch(0, 1, 0), stretch(1, 8, 2), stretch(8, 20, 0)]));
        assert!(timeline.service(DeviceId(0)).is_empty());
    }
}
