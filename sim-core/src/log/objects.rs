//! What tasks wait for, hold and are served by, and how their lives begin and end.

use std::collections::BTreeMap;

use super::{Log, Phase, join};
use crate::ids::{CpuId, Id as _, SyncId, TaskId};
use crate::time::Time;
use crate::timeline::{Block, Cause, Deed, Fate, Hold, How, Timeline};

/// So many holders are named.
const NAMED: usize = 3;

/// What is looked up of locks, devices and the like.
pub(super) struct Objects {
    /// Who waits since when, and has not been told yet.
    blocks: BTreeMap<(TaskId, Time), Block>,
    /// Of each lock who held it, by the time at which that began.
    holds: BTreeMap<SyncId, Vec<Hold>>,
    /// When a request that was made then was taken up by the device.
    served: BTreeMap<(TaskId, Time), Option<Time>>,
    /// Who gave up, or was turned away, and when.
    leaves: BTreeMap<(TaskId, Time), How>,
}

impl Objects {
    pub(super) fn of(timeline: &Timeline) -> Objects {
        let mut holds: BTreeMap<SyncId, Vec<Hold>> = BTreeMap::new();
        timeline.holds.iter().for_each(|hold| holds.entry(hold.sync).or_default().push(*hold));
        holds.values_mut().for_each(|of_one| of_one.sort_by_key(|hold| (hold.start, hold.end)));
        Objects {
            blocks: timeline.blocks.iter().map(|block| ((block.task, block.start), *block)).collect(),
            holds,
            served: timeline.requests.iter().map(|of| ((of.task, of.asked), of.start)).collect(),
            leaves: timeline.leaves.iter().map(|leave| ((leave.task, leave.at), leave.how)).collect(),
        }
    }

    /// For what the task begins to wait then, and behind whom.
    pub(super) fn waits_for(&mut self, timeline: &Timeline, names: &[String], task: TaskId, at: Time) -> String {
        let block = self.blocks.remove(&(task, at));
        block.map_or_else(String::new, |block| self.words(timeline, names, &block))
    }

    fn words(&self, timeline: &Timeline, names: &[String], block: &Block) -> String {
        // Until when is known of what has come.
        let cut = block.end == timeline.end && timeline.tasks[block.task].finish.is_none();
        match block.cause {
            Cause::Timer if cut => "for its timer".to_owned(),
            Cause::Release if cut => "for its next release".to_owned(),
            Cause::Device(device) => {
                let name = &timeline.cast.devices[device].name;
                match self.served.get(&(block.task, block.start)) {
                    Some(Some(start)) if *start == block.start => format!("for {name}, which serves it at once"),
                    Some(_) => format!("for {name}, in its queue"),
                    None => format!("for {name}"),
                }
            }
            Cause::Timer => format!("for its timer, until {}", block.end),
            Cause::Sync(sync) => {
                let what = called(timeline, sync);
                let behind = self.holders(sync, block.start, block.task);
                let named: Vec<&str> = behind.iter().take(NAMED).map(|task| names[task.index()].as_str()).collect();
                match (named.len(), behind.len()) {
                    (0, _) => format!("for {what}"),
                    (n, all) if n < all => format!("for {what}, held by {} and {} more", named.join(", "), all - n),
                    _ => format!("for {what}, held by {}", named.join(", ")),
                }
            }
            Cause::Join => "for the end of what it waits for".to_owned(),
            Cause::After => "for those after which it comes".to_owned(),
            Cause::Release => format!("for its next release, at {}", block.end),
        }
    }

    /// Who holds it then.
    fn holders(&self, sync: SyncId, at: Time, but: TaskId) -> Vec<TaskId> {
        let Some(holds) = self.holds.get(&sync) else { return Vec::new() };
        let begun = holds.partition_point(|hold| hold.start <= at);
        let holding = |hold: &&Hold| hold.end > at && hold.task != but;
        // Of a lock one, of permits those that were taken last.
        holds[..begun].iter().rev().take(64).filter(holding).map(|hold| hold.task).collect()
    }

    /// Who gave it back at the instant at which the task got it.
    fn giver(&self, sync: SyncId, at: Time, to: TaskId) -> Option<TaskId> {
        let holds = self.holds.get(&sync)?;
        let begun = holds.partition_point(|hold| hold.start <= at);
        holds[..begun].iter().rev().take(64).find(|hold| hold.end == at && hold.task != to).map(|hold| hold.task)
    }
}

/// `lock db`.
fn called(timeline: &Timeline, sync: SyncId) -> String {
    let sync = &timeline.cast.syncs[sync];
    format!("{} {}", sync.kind.word(), sync.name)
}

impl Log<'_> {
    /// Who waits beside the end of its turn, and who waits no more.
    pub(super) fn waits(&mut self, objects: &mut Objects) {
        let timeline = self.timeline;
        for block in &timeline.blocks {
            if objects.blocks.remove(&(block.task, block.start)).is_some() {
                let words = objects.words(timeline, &self.names, block);
                self.add(Phase::Takes, (block.start, CpuId::NONE, block.task), "waits", words);
            }
            if self.is_cut(block.task, block.end) {
                continue;
            }
            let why = match (objects.leaves.get(&(block.task, block.end)), block.cause) {
                (Some(_), _) => continue,
                (None, Cause::Device(device)) => format!("{} has served it", timeline.cast.devices[device].name),
                (None, Cause::Timer) => "its timer rings".to_owned(),
                (None, Cause::Sync(sync)) => match objects.giver(sync, block.end, block.task) {
                    Some(giver) => format!("by {}, which gives {} back", self.name(giver), called(timeline, sync)),
                    None => format!("what it waited for at {} has happened", called(timeline, sync)),
                },
                (None, Cause::Join) => "what it waited for has ended".to_owned(),
                (None, Cause::After) => "those after which it comes have ended".to_owned(),
                (None, Cause::Release) => "its next job is released".to_owned(),
            };
            let said = self.said.ready(block.end, block.task);
            self.add(Phase::Wakes, (block.end, CpuId::NONE, block.task), "woken", join(&why, &said));
        }
        for request in &timeline.requests {
            if let Some(start) = request.start.filter(|start| *start > request.asked) {
                let (device, waited) = (&timeline.cast.devices[request.device].name, start.since(request.asked));
                let words = format!("by {device}, after {} in its queue", waited.readable());
                self.add(Phase::Takes, (start, CpuId::NONE, request.task), "served", words);
            }
        }
    }

    /// Who comes, who misses a deadline, who goes without what it asked for, and ends that are none of its own.
    pub(super) fn lives(&mut self) {
        let timeline = self.timeline;
        for (task, life) in timeline.tasks.pairs() {
            if let Some(at) = life.arrival {
                let said = self.said.ready(at, task);
                self.add(Phase::Arrives, (at, CpuId::NONE, task), "arrives", said);
            }
            if let (Some(at), Fate::Rejected | Fate::Aborted) = (life.finish, life.fate) {
                self.add(Phase::Ready, (at, CpuId::NONE, task), life.fate.name(), String::new());
            }
        }
        for job in timeline.jobs.iter().filter(|job| job.missed(timeline.end)) {
            let words = if job.aborted { "and is ended" } else { "" };
            self.add(Phase::Alarm, (job.deadline, CpuId::NONE, job.task), "misses", join("its deadline", words));
        }
        for leave in &timeline.leaves {
            let event = match leave.how {
                How::GaveUp => "gives up",
                How::TurnedAway => "turned away",
                How::Dropped => "dropped",
            };
            let words = format!("after {}", leave.at.since(leave.asked).readable());
            let said = self.said.ready(leave.at, leave.task);
            self.add(Phase::Wakes, (leave.at, CpuId::NONE, leave.task), event, join(&words, &said));
        }
    }

    /// Locks that are taken and given back.
    pub(super) fn held(&mut self) {
        let timeline = self.timeline;
        for hold in timeline.holds.iter().filter(|hold| !hold.further) {
            let what = called(timeline, hold.sync);
            if hold.asked == hold.start {
                self.does(Phase::Takes, (hold.start, hold.task), "takes", what.clone());
            }
            if hold.end > hold.start && !self.is_cut(hold.task, hold.end) {
                self.does(Phase::GivesBack, (hold.end, hold.task), "gives back", what);
            }
        }
    }

    /// Messages, notifications, spinning, and groups without quota.
    pub(super) fn rest(&mut self) {
        let timeline = self.timeline;
        for signal in &timeline.signals {
            let what = called(timeline, signal.sync);
            let (event, words) = match signal.deed {
                Deed::Sent => ("sends", format!("into {what}")),
                Deed::Received => ("receives", format!("from {what}")),
                Deed::Added => ("adds", format!("a permit to {what}")),
                Deed::Notified(0) => ("notifies", format!("{what}, where nobody waits")),
                Deed::Notified(count) => ("notifies", format!("{count} at {what}")),
                Deed::Arrived => ("comes to", what),
                Deed::Departed => ("departs", format!("from {what}")),
            };
            self.does(Phase::GivesBack, (signal.at, signal.task), event, words);
        }
        for spin in &timeline.spins {
            let words = format!("for {}, until {}", called(timeline, spin.sync), spin.end);
            self.does(Phase::Takes, (spin.start, spin.task), "spins", words);
        }
        for throttle in &timeline.throttles {
            let group = &timeline.cast.groups[throttle.group].name;
            let words = format!("group {group} has used up its quota, until {}", throttle.end);
            self.add(Phase::Alarm, (throttle.start, throttle.cpu, TaskId::NONE), "throttled", words);
        }
    }
}
