//! Starvation: see [`super`].

use std::collections::BTreeSet;

use super::inversion::Urgencies;
use super::{Finding, OVERTAKEN, Record, TOLD};
use crate::ids::{CpuId, DeviceId, IdVec, TaskId};
use crate::metrics::{Metrics, TaskSums};
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::Timeline;
use crate::timeline::lanes::{Busy, State, Stretch};

/// Somebody waited for its turn: at a lock, at a device, for a processor.
#[derive(Clone, Copy)]
struct Turn {
    who: TaskId,
    came: Time,
    /// [`Time::NEVER`] if it did not get it before the end of the run.
    got: Time,
}

impl Turn {
    fn length(&self, end: Time) -> Span {
        self.got.min(end).since(self.came)
    }

    /// Did the other come later, and have its turn before this one?
    fn is_overtaken_by(&self, other: &Turn) -> bool {
        other.came > self.came && other.got < self.got
    }
}

/// A turn that came too late, and how many others were before it that should not have been.
struct Starved {
    turn: Turn,
    times: u64,
}

/// So long somebody waits in one go, for a device or a processor, who starves: half of the run.
fn is_long(length: Span, end: Time) -> bool {
    !length.is_zero() && length >= Span::from_ns(end.ns().div_ceil(2))
}

/// Tasks that waited for a lock to the end of the run, and were overtaken all the time.
pub(super) fn of_locks(record: &Record<'_>) -> Vec<Finding> {
    let (timeline, mut found) = (record.timeline, Vec::new());
    for sync in record.locks() {
        let held = record.holds[sync].iter().map(|hold| Turn { who: hold.task, came: hold.asked, got: hold.start });
        let open = record.blocks[sync].iter().filter(|block| block.end == timeline.end);
        let waits = open.map(|block| Turn { who: block.task, came: block.start, got: Time::NEVER });
        let turns: Vec<Turn> = held.chain(waits).collect();
        let starved = overtaken(&turns, |turn| turn.got.is_never());
        for Starved { turn, times } in longest(timeline, starved.into_iter().filter(|one| one.times >= OVERTAKEN)) {
            let (who, lock) = (timeline.short_name(turn.who), &timeline.cast.syncs[sync]);
            let (length, until) = (turn.length(timeline.end), until(&turn));
            let others = overtakers(record, &turns, &turn);
            let text = format!(
                "starvation: {who} waited {length} for {lock}, {until}, while {others} came later and had it {times} times"
            );
            found.push(Finding::new("starvation", text, length));
        }
    }
    found
}

/// Tasks whose request waited in the queue of a device for half of the run, and was overtaken all the time.
pub(super) fn of_devices(record: &Record<'_>) -> Vec<Finding> {
    let timeline = record.timeline;
    let mut turns: IdVec<DeviceId, Vec<Turn>> = timeline.cast.devices.iter().map(|_| Vec::new()).collect();
    for request in &timeline.requests {
        let got = request.start.unwrap_or(Time::NEVER);
        turns[request.device].push(Turn { who: request.task, came: request.asked, got });
    }
    let mut found = Vec::new();
    for (device, turns) in turns.pairs() {
        let starved = overtaken(turns, |turn| is_long(turn.length(timeline.end), timeline.end));
        for Starved { turn, times } in longest(timeline, starved.into_iter().filter(|one| one.times >= OVERTAKEN)) {
            let (who, device) = (timeline.short_name(turn.who), &timeline.cast.devices[device].name);
            let (length, until) = (turn.length(timeline.end), until(&turn));
            let others = overtakers(record, turns, &turn);
            let text = format!(
                "starvation: {who} waited {length} for device {device}, {until}, while {others} asked later and came first \
                 {times} times"
            );
            found.push(Finding::new("starvation", text, length));
        }
    }
    found
}

/// Tasks that were ready for half of the run and did not run, while those ran that had become ready later, or, to the end
/// of the run, only more urgent ones.
pub(super) fn of_processors(scenario: &Scenario, record: &Record<'_>) -> Vec<Finding> {
    let timeline = record.timeline;
    if !may_starve(timeline) {
        return Vec::new();
    }
    let turns = turns(timeline);
    let starved = overtaken(&turns, |turn| is_long(turn.length(timeline.end), timeline.end));
    if starved.is_empty() {
        return Vec::new();
    }
    let outranked = Outranked::new(scenario, record);
    let starves = |one: &Starved| one.times >= OVERTAKEN || outranked.by_all(&one.turn);
    let tell = |Starved { turn, times }: Starved| {
        let (who, length, until) = (timeline.short_name(turn.who), turn.length(timeline.end), until(&turn));
        let why = if times >= OVERTAKEN {
            let others = overtakers(record, &turns, &turn);
            format!("while {others} became ready later and ran {times} times")
        } else {
            format!("while only {} ran, more urgent than {who}", outranked.who_ran(record, &turn))
        };
        let text = format!("starvation: {who} was ready for {length} without running, {until}, {why}");
        Finding::new("starvation", text, length)
    };
    longest(timeline, starved.into_iter().filter(starves)).into_iter().map(tell).collect()
}

fn until(turn: &Turn) -> String {
    if turn.got.is_never() { "to the end of the run".to_owned() } else { format!("from {} to {}", turn.came, turn.got) }
}

fn overtakers(record: &Record<'_>, turns: &[Turn], starved: &Turn) -> String {
    record.names(turns.iter().filter(|turn| starved.is_overtaken_by(turn)).map(|turn| turn.who))
}

/// Those that waited longest, one of each task.
fn longest(timeline: &Timeline, starved: impl Iterator<Item = Starved>) -> Vec<Starved> {
    let mut starved: Vec<Starved> = starved.collect();
    starved.sort_by_key(|one| (std::cmp::Reverse(one.turn.length(timeline.end)), one.turn.came, one.turn.who));
    let mut seen = BTreeSet::new();
    starved.retain(|one| seen.insert(timeline.tasks[one.turn.who].spec));
    starved.truncate(TOLD);
    starved
}

/// For each of the turns asked for, how many came later and were before it: sorted by when they came, the latest first,
/// and counted by when they had their turn in a tree of sums (Fenwick 1994).
fn overtaken(turns: &[Turn], asked: impl Fn(&Turn) -> bool) -> Vec<Starved> {
    if !turns.iter().any(&asked) {
        return Vec::new();
    }
    let mut got: Vec<Time> = turns.iter().map(|turn| turn.got).filter(|got| !got.is_never()).collect();
    got.sort_unstable();
    got.dedup();
    let mut sums = vec![0_u64; got.len() + 1];
    let mut latest: Vec<&Turn> = turns.iter().collect();
    latest.sort_by_key(|turn| std::cmp::Reverse(turn.came));
    let mut found = Vec::new();
    for together in latest.chunk_by(|one, other| one.came == other.came) {
        for turn in together.iter().filter(|turn| asked(turn)) {
            let (mut place, mut times) = (got.partition_point(|other| *other < turn.got), 0);
            while place > 0 {
                times += sums[place];
                place &= place - 1;
            }
            found.push(Starved { turn: **turn, times });
        }
        for turn in together.iter().filter(|turn| !turn.got.is_never()) {
            let mut place = got.partition_point(|other| *other < turn.got) + 1;
            while let Some(sum) = sums.get_mut(place) {
                *sum += 1;
                place += place & place.wrapping_neg();
            }
        }
    }
    found
}

/// Was anybody ready without running for half of the run, all in all? Most often nobody was, and this is quickly seen.
fn may_starve(timeline: &Timeline) -> bool {
    let life = |life: &crate::timeline::Life| match life.arrival {
        Some(arrival) => life.finish.unwrap_or(timeline.end).since(arrival),
        None => Span::ZERO,
    };
    let mut waiting: IdVec<TaskId, Span> = timeline.tasks.iter().map(life).collect();
    let mut busy = |task: TaskId, length: Span| waiting[task] = waiting[task].saturating_sub(length);
    timeline.intervals.iter().for_each(|interval| busy(interval.task, interval.end.since(interval.start)));
    timeline.blocks.iter().for_each(|block| busy(block.task, block.end.since(block.start)));
    waiting.iter().any(|waiting| is_long(*waiting, timeline.end))
}

/// Each time that a task became ready, and when a processor took it.
fn turns(timeline: &Timeline) -> Vec<Turn> {
    let mut turns = Vec::new();
    for (who, lane) in timeline.lanes().pairs() {
        let mut came = lane.first().map(|first| first.start);
        for stretch in lane {
            match stretch.state {
                State::Ready => came = Some(stretch.start),
                State::Blocked(_) => came = Some(stretch.end),
                State::Overhead | State::Running => {
                    turns.extend(came.take().map(|came| Turn { who, came, got: stretch.start }));
                }
            }
        }
        let waits = lane.last().is_some_and(|last| last.state == State::Ready);
        turns.extend(came.filter(|_| waits).map(|came| Turn { who, came, got: Time::NEVER }));
    }
    turns
}

/// What ran how urgently, if the policy looks at that.
struct Outranked<'a> {
    scenario: &'a Scenario,
    timeline: &'a Timeline,
    urgencies: Option<Urgencies<'a>>,
    occupancy: IdVec<CpuId, Vec<Stretch<Busy>>>,
    /// For each stretch of a processor, the least urgent that ran from then on.
    least: IdVec<CpuId, Vec<i64>>,
}

impl<'a> Outranked<'a> {
    fn new(scenario: &'a Scenario, record: &Record<'a>) -> Outranked<'a> {
        let timeline = record.timeline;
        let Some(urgencies) = Urgencies::of_policy(scenario, record) else {
            let (occupancy, least) = (IdVec::new(), IdVec::new());
            return Outranked { scenario, timeline, urgencies: None, occupancy, least };
        };
        let occupancy = timeline.occupancy();
        let least_of = |lane: &Vec<Stretch<Busy>>| {
            let of = |stretch: &Stretch<Busy>| match stretch.state {
                Busy::Run(task) | Busy::Switch(task) => urgencies.of(task, stretch.start),
                Busy::Clash => i64::MIN,
                // No processor is ever on its way to a track.
                Busy::Idle | Busy::Seek(_) => i64::MAX,
            };
            let mut least: Vec<i64> = lane.iter().map(of).collect();
            for place in (1..least.len()).rev() {
                least[place - 1] = least[place - 1].min(least[place]);
            }
            least
        };
        let least = occupancy.iter().map(least_of).collect();
        Outranked { scenario, timeline, urgencies: Some(urgencies), occupancy, least }
    }

    /// The processors that the task may use, and what they did since it began to wait.
    fn since(&self, turn: &Turn) -> impl Iterator<Item = (CpuId, usize)> {
        let attributes = self.attributes(turn.who);
        let (came, occupancy) = (turn.came, &self.occupancy);
        occupancy
            .ids()
            .filter(move |cpu| attributes.is_none_or(|attributes| attributes.allows(*cpu)))
            .map(move |cpu| (cpu, occupancy[cpu].partition_point(|stretch| stretch.end <= came)))
    }

    fn attributes(&self, task: TaskId) -> Option<&'a crate::scenario::Attributes> {
        let spec = crate::ids::SpecId(self.timeline.tasks[task].spec);
        self.scenario.specs.get(spec).map(|spec| &spec.attributes)
    }

    /// Did only more urgent tasks run where it could have, from when it became ready to the end of the run?
    fn by_all(&self, turn: &Turn) -> bool {
        let Some(urgencies) = self.urgencies.as_ref().filter(|_| turn.got.is_never()) else { return false };
        let own = urgencies.of(turn.who, turn.came);
        let mut least = self.since(turn).map(|(cpu, place)| self.least[cpu].get(place).copied().unwrap_or(i64::MAX));
        let lowest = least.by_ref().min().unwrap_or(i64::MAX);
        lowest > own && lowest < i64::MAX
    }

    /// Who ran where it could have.
    fn who_ran(&self, record: &Record<'_>, turn: &Turn) -> String {
        let ran = |stretch: &Stretch<Busy>| match stretch.state {
            Busy::Run(task) | Busy::Switch(task) => Some(task),
            Busy::Clash | Busy::Idle | Busy::Seek(_) => None,
        };
        record.names(self.since(turn).flat_map(|(cpu, place)| self.occupancy[cpu][place..].iter().filter_map(ran)))
    }
}

/// Tasks that never had a processor for half of the run, while others came later and finished: what the sums tell, where
/// there is no timeline.
pub(super) fn of_metrics(metrics: &Metrics) -> Vec<Finding> {
    let mut later: Vec<_> =
        metrics.tasks.iter().filter(|task| !task.finish.is_never()).map(|task| task.arrival).collect();
    later.sort_unstable();
    let starves = |task: &TaskSums| {
        let used = task.running + task.blocked + task.overhead;
        let waits = !task.arrival.is_never() && task.finish.is_never() && used.is_zero();
        waits && is_long(metrics.waiting(task), metrics.end)
    };
    let mut found: Vec<(TaskId, Span, u64)> = Vec::new();
    let mut seen = BTreeSet::new();
    for (id, task) in metrics.tasks.pairs().filter(|(_, task)| starves(task)) {
        let overtaken = (later.len() - later.partition_point(|arrival| *arrival <= task.arrival)) as u64;
        // Of the instances of a task the first has waited longest.
        if overtaken >= OVERTAKEN && seen.insert(task.spec) {
            found.push((id, metrics.waiting(task), overtaken));
        }
    }
    found.sort_by_key(|(_, length, _)| std::cmp::Reverse(*length));
    let tell = |(id, length, overtaken): (TaskId, Span, u64)| {
        let text = format!(
            "starvation: {} was ready for {length} without running, to the end of the run, while {overtaken} tasks that \
             came later finished",
            name(metrics, id)
        );
        Finding::new("starvation", text, length)
    };
    found.into_iter().take(TOLD).map(tell).collect()
}

/// As [`Timeline::short_name`].
fn name(metrics: &Metrics, id: TaskId) -> String {
    let task = &metrics.tasks[id];
    let spec = &metrics.cast.specs[task.spec as usize];
    let process = match &metrics.cast.processes[..] {
        [_] => String::new(),
        processes => format!("{}/", processes[spec.process as usize]),
    };
    let alone = !metrics.tasks.iter().any(|other| other.spec == task.spec && other.instance > 0);
    let number = if alone { String::new() } else { format!("#{}", task.instance) };
    format!("{process}{}{number}", spec.task)
}
