//! What lies on the tracks: slices, instants and counters.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use sim_core::causes::{Passage, What};
use sim_core::ids::{DeviceId, IdVec, SyncId, TaskId, ThreadId};
use sim_core::time::Time;
use sim_core::timeline::lanes::{State, Stretch};
use sim_core::timeline::{Runtime, Timeline, Use};

use super::field;
use super::packet::{Trace, Track, Words};
use crate::export::waits;
use crate::letters::visible;

/// The reasons for which a task did not run, one after the other, and behind whom it was last: who gave way.
pub(super) fn life(
    trace: &mut Trace<'_>,
    timeline: &Timeline,
    names: &IdVec<TaskId, String>,
    track: Track,
    passages: &[Passage],
) {
    for wait in passages.chunk_by(|one, next| one.what == next.what).filter(|wait| wait[0].what != What::Running) {
        let (what, last) = (wait[0].what, wait[wait.len() - 1]);
        let mut arguments = Vec::new();
        if let Some(behind) = last.behind {
            arguments.push(("behind", &*names[behind.task]));
            arguments.extend(behind.doing.name().map(|doing| ("while", doing)));
        }
        let name = waits::words(timeline, what);
        let words = Words { name: &name, category: what.kind().name(), arguments: &arguments };
        trace.begins(track, wait[0].from, words);
        trace.ends(track, last.to);
    }
}

/// What happened to tasks in an instant: how they came and ended, and when their jobs were released and should have ended.
pub(super) fn moments(trace: &mut Trace<'_>, timeline: &Timeline, threads: &IdVec<TaskId, Track>) {
    let mut moment = |task: TaskId, at: Time, name: &str, category: &'static str| {
        trace.instant(threads[task], at, Words { name, category, arguments: &[] });
    };
    for (task, life) in timeline.tasks.pairs() {
        if let Some(at) = life.arrival {
            moment(task, at, "arrival", "life");
        }
        if let (Some(at), Some(fate)) = (life.finish, life.ended_as()) {
            moment(task, at, fate.name(), "life");
        }
    }
    for leave in timeline.leaves.iter().filter(|leave| timeline.tasks.get(leave.task).is_some()) {
        moment(leave.task, leave.at, leave.how.name(), "leave");
    }
    for job in &timeline.jobs {
        moment(job.task, job.release, "release", "job");
        let over = match job.over() {
            Some(at) if job.aborted => Some((at, "aborted")),
            Some(at) => Some((at, "end of job")),
            None => None,
        };
        if let Some((at, name)) = over {
            moment(job.task, at, name, "job");
        }
        if job.deadline <= timeline.end {
            moment(
                job.task,
                job.deadline,
                if job.missed(timeline.end) { "missed deadline" } else { "deadline" },
                "job",
            );
        }
    }
}

/// Tracks under a name; it is told when the first of them comes.
struct Group {
    name: &'static str,
    track: Option<Track>,
}

impl Group {
    fn named(name: &'static str) -> Group {
        Group { name, track: None }
    }

    /// A new track of this name; as a counter, in a unit.
    fn track(&mut self, trace: &mut Trace<'_>, name: &str, unit: Option<&str>) -> Track {
        let parent = *self.track.get_or_insert_with(|| {
            trace.track(|track| {
                track.text(field::NAME, self.name);
            })
        });
        trace.track(|track| {
            track.text(field::NAME, name).number(field::PARENT, parent.0).number(field::MERGE, super::NEVER_MERGED);
            if let Some(unit) = unit {
                track.message(field::COUNTER, |counter| {
                    counter.text(6, unit);
                });
            }
        })
    }
}

/// Somebody had something from one time to another.
#[derive(Clone, Copy)]
struct Slice<'a> {
    start: Time,
    end: Time,
    name: &'a str,
    /// How long it took until it had begun in earnest.
    seek_until: Time,
}

/// Puts slices, by their beginnings, on as few tracks as they need so that none overlap.
fn side_by_side<'a>(
    trace: &mut Trace<'_>,
    (group, name, category): (&mut Group, &str, &'static str),
    slices: impl Iterator<Item = Slice<'a>>,
) {
    let mut tracks: Vec<Track> = Vec::new();
    let (mut busy, mut free) = (BinaryHeap::new(), BTreeSet::new());
    for slice in slices.filter(|slice| slice.start < slice.end) {
        while let Some(Reverse((until, place))) = busy.peek().copied()
            && until <= slice.start
        {
            busy.pop();
            free.insert(place);
        }
        let place = free.pop_first().unwrap_or_else(|| {
            tracks.push(group.track(trace, name, None));
            tracks.len() - 1
        });
        busy.push(Reverse((slice.end, place)));
        let track = &tracks[place];
        trace.begins(*track, slice.start, Words { name: slice.name, category, arguments: &[] });
        if slice.start < slice.seek_until {
            trace.begins(*track, slice.start, Words { name: "seek", category, arguments: &[] });
            trace.ends(*track, slice.seek_until.min(slice.end));
        }
        trace.ends(*track, slice.end);
    }
}

/// Whom each thread of a runtime carried.
pub(super) fn workers(trace: &mut Trace<'_>, timeline: &Timeline, names: &IdVec<TaskId, String>) {
    let process = |task: TaskId| timeline.cast.specs[timeline.tasks[task].spec as usize].process;
    let is_carried =
        |task: TaskId| !matches!(timeline.cast.runtime(process(task)), Runtime::OwnThread | Runtime::Interpreter);
    let mut threads: BTreeMap<ThreadId, Vec<(Time, Time, TaskId)>> = BTreeMap::new();
    for interval in timeline.intervals.iter().filter(|interval| !interval.thread.is_none()) {
        if timeline.tasks.get(interval.task).is_some() && is_carried(interval.task) {
            threads.entry(interval.thread).or_default().push((interval.start, interval.end, interval.task));
        }
    }
    if threads.is_empty() {
        return;
    }
    let thread_names = timeline.thread_names();
    let mut group = Group::named("threads of runtimes");
    for (thread, mut carried) in threads {
        carried.sort_unstable();
        carried.dedup_by(|next, last| {
            let goes_on = last.2 == next.2 && last.1 == next.0;
            last.1 = if goes_on { next.1 } else { last.1 };
            goes_on
        });
        let slices = carried.iter().map(|(start, end, task)| slice((*start, *end), &names[*task]));
        side_by_side(trace, (&mut group, &visible(&thread_names[&thread]), "thread"), slices);
    }
}

/// Who held each lock, or permits of each semaphore.
pub(super) fn locks(trace: &mut Trace<'_>, timeline: &Timeline, names: &IdVec<TaskId, String>) {
    let mut holds: BTreeMap<SyncId, Vec<(Time, Time, TaskId)>> = BTreeMap::new();
    for hold in timeline.holds.iter().filter(|hold| timeline.cast.syncs.get(hold.sync).is_some()) {
        holds.entry(hold.sync).or_default().push((hold.start, hold.end, hold.task));
    }
    let mut group = Group::named("holders");
    for (sync, mut held) in holds {
        held.sort_unstable();
        let slices = held.iter().filter_map(|(start, end, task)| Some(slice((*start, *end), names.get(*task)?)));
        let name = timeline.cast.syncs[sync].to_string();
        side_by_side(trace, (&mut group, &visible(&name), "hold"), slices);
    }
}

/// Whom each channel of a device served, and how many waited for it.
pub(super) fn devices(trace: &mut Trace<'_>, timeline: &Timeline, names: &IdVec<TaskId, String>) {
    let mut group = Group::named("devices");
    let mut by_device: BTreeMap<DeviceId, Vec<usize>> = BTreeMap::new();
    for (index, request) in timeline.requests.iter().enumerate() {
        by_device.entry(request.device).or_default().push(index);
    }
    for (device, indices) in by_device {
        let Some(name) = timeline.cast.devices.get(device).map(|device| visible(&device.name)) else { continue };
        let requests = || indices.iter().map(|index| &timeline.requests[*index]);
        let mut served: Vec<_> = requests().filter(|request| request.start.is_some()).collect();
        served.sort_by_key(|request| (request.start, request.end, request.task));
        let slices = served.iter().filter_map(|request| {
            let start = request.start?;
            let name = names.get(request.task)?;
            Some(Slice { seek_until: start + request.seek, ..slice((start, request.end), name) })
        });
        side_by_side(trace, (&mut group, &name, "service"), slices);
        let waits = requests().flat_map(|request| [(request.asked, 1), (request.start.unwrap_or(request.end), -1)]);
        let queue = group.track(trace, &format!("{name}: waiting requests"), Some("requests"));
        count(trace, queue, waits.collect());
    }
}

/// How many tasks are ready: the length of all queues for processors and threads together.
pub(super) fn ready(trace: &mut Trace<'_>, lanes: &IdVec<TaskId, Vec<Stretch>>) {
    let ready = lanes.iter().flatten().filter(|stretch| stretch.state == State::Ready);
    let steps: Vec<(Time, i64)> = ready.flat_map(|stretch| [(stretch.start, 1), (stretch.end, -1)]).collect();
    let track = trace.track(|track| {
        track.text(field::NAME, "ready tasks").message(field::COUNTER, |counter| {
            counter.text(6, "tasks");
        });
    });
    count(trace, track, steps);
}

/// What each variable was.
pub(super) fn variables(trace: &mut Trace<'_>, timeline: &Timeline) {
    let mut group = Group::named("variables");
    let tracks: Vec<Track> = timeline
        .cast
        .variables
        .iter()
        .map(|variable| {
            let track = group.track(trace, &visible(&variable.name), Some(""));
            trace.counter(track, Time::ZERO, variable.value);
            track
        })
        .collect();
    for access in &timeline.accesses {
        if let Use::Changed { variable, value, .. } = access.how
            && let Some(track) = tracks.get(variable.0 as usize)
        {
            trace.counter(*track, access.at, value);
        }
    }
}

/// A slice that begins at once.
fn slice<'a>((start, end): (Time, Time), name: &'a str) -> Slice<'a> {
    Slice { start, end, name, seek_until: start }
}

/// A counter that begins with nothing and makes these steps; of an instant only what is left of all counts.
fn count(trace: &mut Trace<'_>, track: Track, mut steps: Vec<(Time, i64)>) {
    steps.sort_unstable();
    let (mut value, mut told) = (0, None);
    for instant in steps.chunk_by(|one, next| one.0 == next.0) {
        value += instant.iter().map(|(_, step)| step).sum::<i64>();
        if told != Some(value) {
            trace.counter(track, instant[0].0, value);
            told = Some(value);
        }
    }
}
