//! The laws of synchronisation objects: who holds what, and that nobody waits without a reason.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Law};
use crate::ids::{DeviceId, SyncId, TaskId};
use crate::scenario::SyncKind;
use crate::time::Time;
use crate::timeline::{Block, Cause, Deed, Fate, Hold, How, Leave, Signal};

/// A wait that is accounted for: who, for what, from when, until when.
type Wait = (TaskId, Cause, Time, Time);

impl Check<'_> {
    /// Holds are in order, and of those that exclude each other no two are at once.
    pub(super) fn holds(&mut self) {
        let timeline = self.timeline;
        for hold in &timeline.holds {
            let ordered =
                self.tolerance.ordered(hold.asked, hold.start) && self.tolerance.ordered(hold.start, hold.end);
            if !ordered || !self.tolerance.ordered(hold.end, timeline.end) {
                let (name, lock) = (self.name(hold.task), &timeline.cast.syncs[hold.sync]);
                let (asked, start, end) = (hold.asked, hold.start, hold.end);
                self.report(Law::Hold, format!("{name} asks for {lock} at {asked}, holds it from {start} to {end}"));
            }
        }
        let mut holds: Vec<&Hold> = timeline.holds.iter().collect();
        holds.sort_unstable_by_key(|hold| (hold.sync, hold.start, hold.end));
        for of_one in holds.chunk_by(|a, b| a.sync == b.sync) {
            self.exclusion(of_one);
            if self.tolerance.is_exact() {
                self.hand_over(of_one);
            }
        }
        let semaphores = timeline.cast.syncs.pairs().filter_map(|(id, sync)| match sync.kind {
            SyncKind::Semaphore { permits } => Some((id, permits)),
            _ => None,
        });
        semaphores.for_each(|(id, permits)| self.permits(id, permits));
    }

    /// Who holds a lock alone holds it alone. The holds are those of one lock, by their start.
    fn exclusion(&mut self, holds: &[&Hold]) {
        // Of those that began before, the one that ends last: of all, and of those who hold it alone.
        let (mut any, mut alone): (Option<&Hold>, Option<&Hold>) = (None, None);
        for next in holds {
            let before = if next.shared { alone } else { any };
            if let Some(before) = before.filter(|before| !self.tolerance.ordered(before.end, next.start)) {
                let lock = &self.timeline.cast.syncs[next.sync];
                let (one, other) = (self.name(before.task), self.name(next.task));
                let sentence = format!("{one} holds {lock} until {}, {other} from {}", before.end, next.start);
                self.report(Law::Lock, sentence);
            }
            let later = |last: Option<&Hold>| last.is_none_or(|last| next.end >= last.end);
            any = if later(any) { Some(next) } else { any };
            alone = if !next.shared && later(alone) { Some(next) } else { alone };
        }
    }

    /// A lock that is handed over is never free while somebody waits for it.
    fn hand_over(&mut self, holds: &[&Hold]) {
        let timeline = self.timeline;
        let Some(sync) = holds.first().map(|hold| hold.sync) else { return };
        if !timeline.cast.syncs[sync].kind.is_lock() || !timeline.cast.syncs[sync].direct {
            return;
        }
        // Stretches during which somebody has it.
        let mut held: Vec<(Time, Time)> = Vec::new();
        for hold in holds {
            match held.last_mut() {
                Some((_, end)) if hold.start <= *end => *end = hold.end.max(*end),
                _ => held.push((hold.start, hold.end)),
            }
        }
        for block in timeline.blocks.iter().filter(|block| block.cause == Cause::Sync(sync)) {
            let stretch = held.partition_point(|(start, _)| *start <= block.start).checked_sub(1).map(|at| held[at]);
            let free = stretch.map_or(block.start, |(_, end)| end.max(block.start));
            if free < block.end && !self.is_held_back(block, free) {
                let (name, lock) = (self.name(block.task), &timeline.cast.syncs[sync]);
                self.report(Law::HandOver, format!("{lock} is free at {free} although {name} waits for it"));
            }
        }
    }

    /// Does somebody wait from then on for a free lock because of the original ceiling protocol: have others such locks all
    /// the time?
    fn is_held_back(&self, block: &Block, from: Time) -> bool {
        let governed = |sync: SyncId| self.timeline.cast.syncs[sync].ceiling.is_some();
        if !matches!(block.cause, Cause::Sync(sync) if governed(sync)) {
            return false;
        }
        let others = self.timeline.holds.iter().filter(|hold| hold.task != block.task && governed(hold.sync));
        let mut others: Vec<(Time, Time)> = others.map(|hold| (hold.start, hold.end)).collect();
        others.sort_unstable();
        let reach = |at: Time, (start, end): (Time, Time)| if start <= at { at.max(end) } else { at };
        others.into_iter().fold(from, reach) >= block.end
    }

    /// No more permits are held than there are.
    fn permits(&mut self, sync: SyncId, permits: u32) {
        let timeline = self.timeline;
        let mut edges: Vec<(Time, i64)> = Vec::new();
        for hold in timeline.holds.iter().filter(|hold| hold.sync == sync) {
            let start = hold.start + self.tolerance.0;
            if start < hold.end {
                edges.extend([(start, 1), (hold.end, -1)]);
            }
        }
        let added = timeline.signals.iter().filter(|signal| (signal.sync, signal.deed) == (sync, Deed::Added));
        edges.extend(added.map(|signal| (signal.at, -1)));
        edges.sort_unstable();
        let mut held = 0;
        for (at, change) in edges {
            held += change;
            if change > 0 && held > i64::from(permits) {
                let name = &timeline.cast.syncs[sync].name;
                let sentence =
                    format!("at {at}, semaphore {name} has {held} more holders than were added, of {permits}");
                self.report(Law::Permits, sentence);
            }
        }
    }

    /// A channel gives nothing that it has not got, and holds no more than it can.
    pub(super) fn channels(&mut self) {
        let timeline = self.timeline;
        for (sync, named) in timeline.cast.syncs.pairs() {
            let SyncKind::Channel { capacity } = named.kind else { continue };
            let signals = timeline.signals.iter().filter(|signal| signal.sync == sync);
            let (mut level, mut before) = (0_i64, Time::ZERO);
            for Signal { task, at, deed, .. } in signals {
                // Within an instant a message may pass through a full channel.
                let overfull = *at > before && level > i64::from(capacity);
                level += if *deed == Deed::Sent { 1 } else { -1 };
                if overfull || level < 0 || *at < before {
                    let (name, channel) = (self.name(*task), &named.name);
                    let sentence = format!("{name} uses channel {channel} at {at}, which then has {level} messages");
                    self.report(Law::Channel, sentence);
                }
                before = *at;
            }
        }
    }

    /// Every wait for a device is a request, every wait for a lock the time before it is held, every wait for a signal
    /// ends with one.
    pub(super) fn causes(&mut self) {
        let timeline = self.timeline;
        let requests = timeline.requests.iter().map(|r| (r.task, Cause::Device(r.device), r.asked, r.end));
        // Who spun in vain blocks only then.
        let in_vain = timeline.spins.iter().filter(|spin| !spin.got);
        let parked: BTreeMap<(TaskId, SyncId, Time), Time> =
            in_vain.map(|spin| ((spin.task, spin.sync, spin.start), spin.end)).collect();
        let holds = timeline.holds.iter().map(|hold| {
            // Of what it asked for at that instant it has had the others at once.
            let spun = parked.get(&(hold.task, hold.sync, hold.asked)).copied();
            let from = spun.filter(|end| self.tolerance.ordered(*end, hold.start)).unwrap_or(hold.asked);
            (hold.task, Cause::Sync(hold.sync), from, hold.start)
        });
        // Who was told to ask again had waited before.
        let left = timeline
            .leaves
            .iter()
            .flat_map(|leave| [leave.asked, leave.since].map(|since| (leave.task, leave.cause, since, leave.at)));
        let mut waits: Vec<Wait> = requests.chain(holds).chain(left).collect();
        waits.sort_unstable();
        let signals = self.awaited_signals();
        for block in &timeline.blocks {
            let what = match block.cause {
                Cause::Device(device) => format!("device {}", timeline.cast.devices[device].name),
                Cause::Sync(sync) => timeline.cast.syncs[sync].to_string(),
                Cause::Timer | Cause::Join | Cause::After | Cause::Release => continue,
            };
            if !self.asked_for(block, &waits) && !self.signalled(block, &signals) {
                let name = self.name(block.task);
                let sentence = format!("{name} waits for {what} from {} to {} without asking", block.start, block.end);
                self.report(Law::Cause, sentence);
            }
        }
    }

    /// Nobody is both served and gone.
    pub(super) fn leaves(&mut self) {
        let timeline = self.timeline;
        let requests: BTreeSet<(TaskId, DeviceId, Time, Time)> =
            timeline.requests.iter().map(|r| (r.task, r.device, r.asked, r.end)).collect();
        let mut held: BTreeMap<(TaskId, SyncId), Vec<(Time, Time)>> = BTreeMap::new();
        for hold in &timeline.holds {
            held.entry((hold.task, hold.sync)).or_default().push((hold.asked, hold.start));
        }
        held.values_mut().for_each(|holds| holds.sort_unstable());
        for leave in &timeline.leaves {
            let in_order = leave.asked <= leave.since && leave.since <= leave.at && leave.at <= timeline.end;
            let served = match leave.cause {
                Cause::Device(device) => !requests.contains(&(leave.task, device, leave.since, leave.at)),
                // What it had at the instant at which it asked was another.
                Cause::Sync(sync) => held.get(&(leave.task, sync)).is_some_and(|holds| {
                    let first = holds.partition_point(|(asked, _)| *asked < leave.asked);
                    let meanwhile = holds[first..].iter().take_while(|(asked, _)| *asked < leave.at);
                    meanwhile.into_iter().any(|(_, start)| *start > leave.asked)
                }),
                // A pool that turns somebody away does not take what it was to do.
                Cause::Join if leave.how == How::TurnedAway => {
                    timeline.tasks.get(leave.callee).is_none_or(|life| life.ended_as() != Some(Fate::Rejected))
                }
                _ => false,
            };
            if served || !in_order {
                let (name, Leave { cause, asked, at, .. }) = (self.name(leave.task), leave);
                let sentence = format!("{name} asks at {asked} ({cause:?}), and is both served and gone at {at}");
                self.report(Law::Gone, sentence);
            }
        }
    }

    /// Nobody who was ended has anything after that: neither a task nor a job.
    pub(super) fn endings(&mut self) {
        let timeline = self.timeline;
        let mut ends: BTreeMap<TaskId, Vec<Time>> = BTreeMap::new();
        for job in timeline.jobs.iter().filter(|job| job.aborted) {
            ends.entry(job.task).or_default().push(job.deadline);
        }
        for (task, life) in timeline.tasks.pairs().filter(|(_, life)| life.ended_as() == Some(Fate::Aborted)) {
            ends.entry(task).or_default().extend(life.finish);
        }
        if ends.is_empty() {
            return;
        }
        let has = |task: TaskId, start: Time, end: Time| {
            let outlasts = |at: &&Time| start < **at && !self.tolerance.ordered(end, **at);
            ends.get(&task).and_then(|ends| ends.iter().find(outlasts)).copied()
        };
        let holds = timeline.holds.iter().map(|h| (h.task, h.start, h.end, timeline.cast.syncs[h.sync].to_string()));
        let device = |device: DeviceId| format!("device {}", timeline.cast.devices[device].name);
        let requests = timeline.requests.iter().map(|r| (r.task, r.asked, r.end, device(r.device)));
        let mut kept = Vec::new();
        for (task, start, end, what) in holds.chain(requests) {
            if let Some(at) = has(task, start, end) {
                kept.push(format!("{} ends at {at} and has {what} until {end}", self.name(task)));
            }
        }
        kept.into_iter().for_each(|sentence| self.report(Law::Gone, sentence));
    }

    /// When somebody who waited for a signal could go on: at which object, who ([`TaskId::NONE`]: anybody), when.
    fn awaited_signals(&self) -> BTreeSet<(SyncId, TaskId, Time)> {
        let mut arrived: BTreeMap<SyncId, u32> = BTreeMap::new();
        let mut signals = BTreeSet::new();
        for Signal { sync, task, at, deed } in self.timeline.signals.iter().copied() {
            match (deed, self.timeline.cast.syncs[sync].kind) {
                (Deed::Sent | Deed::Received, _) => {
                    // Who was woken for it may have to ask again.
                    let direct = self.timeline.cast.syncs[sync].direct;
                    signals.insert((sync, if direct { task } else { TaskId::NONE }, at));
                }
                (Deed::Notified(1..), _) => drop(signals.insert((sync, TaskId::NONE, at))),
                (Deed::Arrived, SyncKind::Barrier { parties }) => {
                    let come = arrived.entry(sync).or_insert(0);
                    *come = (*come + 1) % parties;
                    if *come == 0 {
                        signals.insert((sync, TaskId::NONE, at));
                    }
                }
                (Deed::Departed, SyncKind::Barrier { .. }) => *arrived.entry(sync).or_insert(0) -= 1,
                _ => {}
            }
        }
        signals
    }

    fn signalled(&self, block: &Block, signals: &BTreeSet<(SyncId, TaskId, Time)>) -> bool {
        let Cause::Sync(sync) = block.cause else { return false };
        let earliest = Time::ZERO + block.end.since(Time::ZERO + self.tolerance.0);
        let near = |task| {
            let mut after = signals.range((sync, task, earliest)..=(sync, task, block.end + self.tolerance.0));
            after.next().is_some()
        };
        near(block.task) || near(TaskId::NONE)
    }

    fn asked_for(&self, block: &Block, waits: &[Wait]) -> bool {
        // Who still waits when the run ends never gets what it waits for.
        if matches!(block.cause, Cause::Sync(_)) && self.tolerance.same(block.end, self.timeline.end) {
            return true;
        }
        if let Cause::Sync(sync) = block.cause
            && !self.timeline.cast.syncs[sync].direct
        {
            // It asked, was woken, and asked again: each time it was blocked is a part of the time until it had it, or of
            // that until the end, if it never did.
            let latest = block.start + self.tolerance.0;
            let next = waits.partition_point(|wait| (wait.0, wait.1, wait.2) <= (block.task, block.cause, latest));
            let is_its = |wait: &&Wait| (wait.0, wait.1) == (block.task, block.cause);
            let last = next.checked_sub(1).map(|last| &waits[last]).filter(is_its);
            let never_had = waits.get(next).filter(is_its).is_none();
            return last.is_some_and(|wait| self.tolerance.ordered(block.end, wait.3)) || never_had;
        }
        let earliest = Time::ZERO + block.start.since(Time::ZERO + self.tolerance.0);
        let first = waits.partition_point(|wait| (wait.0, wait.1, wait.2) < (block.task, block.cause, earliest));
        waits[first..]
            .iter()
            .take_while(|wait| {
                (wait.0, wait.1) == (block.task, block.cause) && self.tolerance.ordered(wait.2, block.start)
            })
            .any(|wait| self.tolerance.same(wait.3, block.end))
    }
}
