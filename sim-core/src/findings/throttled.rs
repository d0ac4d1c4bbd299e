//! Inversion by quota: see [`super`].

use std::collections::BTreeMap;

use super::{Finding, Record};
use crate::ids::{CpuId, GroupId, SyncId, TaskId};
use crate::time::{Span, Time};
use crate::timeline::{Hold, Throttle};

pub(super) fn find(record: &Record<'_>) -> Vec<Finding> {
    if record.timeline.throttles.is_empty() {
        return Vec::new();
    }
    let search = Search::new(record);
    record.locks().filter_map(|sync| search.of_lock(sync)).collect()
}

/// A record, sorted by groups and tasks.
struct Search<'a> {
    record: &'a Record<'a>,
    /// When each group stood still, on one processor or on all, in order.
    throttles: BTreeMap<(GroupId, CpuId), Vec<&'a Throttle>>,
    /// When each task was blocked, and where it was on a processor from when on, in order.
    blocks: BTreeMap<TaskId, Vec<(Time, Time)>>,
    places: BTreeMap<TaskId, Vec<(Time, CpuId)>>,
}

/// Who waited for a lock for how long while its holder stood still.
#[derive(Default)]
struct Waits {
    holders: Vec<TaskId>,
    waiters: BTreeMap<TaskId, Span>,
    longest: Span,
}

impl<'a> Search<'a> {
    fn new(record: &'a Record<'a>) -> Search<'a> {
        let timeline = record.timeline;
        let mut search =
            Search { record, throttles: BTreeMap::new(), blocks: BTreeMap::new(), places: BTreeMap::new() };
        for throttle in timeline.throttles.iter().filter(|throttle| throttle.start < throttle.end) {
            search.throttles.entry((throttle.group, throttle.cpu)).or_default().push(throttle);
        }
        for block in &timeline.blocks {
            search.blocks.entry(block.task).or_default().push((block.start, block.end));
        }
        if timeline.throttles.iter().any(|throttle| !throttle.cpu.is_none()) {
            for interval in &timeline.intervals {
                search.places.entry(interval.task).or_default().push((interval.start, interval.cpu));
            }
        }
        search
    }

    fn of_lock(&self, sync: SyncId) -> Option<Finding> {
        let record = self.record;
        let mut of_groups: BTreeMap<GroupId, Waits> = BTreeMap::new();
        for hold in &record.holds[sync] {
            for throttle in self.stood_still(hold) {
                let (from, to) = (throttle.start.max(hold.start), throttle.end.min(hold.end));
                let waiting = record.blocks[sync].iter().filter(|block| block.start < to && block.end > from);
                let outside = waiting.filter(|block| !self.groups_of(block.task).any(|group| group == throttle.group));
                for block in outside {
                    let waits = of_groups.entry(throttle.group).or_default();
                    let length = block.end.min(to) - block.start.max(from);
                    waits.holders.push(hold.task);
                    waits.longest = waits.longest.max(length);
                    *waits.waiters.entry(block.task).or_default() += length;
                }
            }
        }
        let total = |waits: &Waits| waits.waiters.values().copied().sum::<Span>();
        let (group, waits) = of_groups.into_iter().max_by_key(|(_, waits)| total(waits))?;
        let (lock, group) = (&record.timeline.cast.syncs[sync], &record.timeline.cast.groups[group]);
        let (long, longest) = (total(&waits), waits.longest.readable());
        let (who, holder) = (record.names(waits.waiters.into_keys()), record.names(waits.holders.into_iter()));
        let amount = group.quota.map_or_else(String::new, |quota| format!(" of {}", quota.amount.readable()));
        let text = format!(
            "inversion by quota: {who} waited {} for {lock}, up to {longest} at a time, while {holder} had it and stood \
             still, as group {} had used its quota{amount} up",
            long.readable(),
            group.name
        );
        Some(Finding::new("quota-inversion", text, long))
    }

    /// When a group of the holder stood still where the holder was, and the holder waited for nothing else.
    fn stood_still(&self, hold: &Hold) -> Vec<&'a Throttle> {
        let groups: Vec<GroupId> = self.groups_of(hold.task).collect();
        let places = self.throttles.iter().filter(|((group, _), _)| groups.contains(group));
        let overlapping = places.flat_map(|(_, all)| {
            let first = all.partition_point(|throttle| throttle.end <= hold.start);
            all[first..].iter().take_while(|throttle| throttle.start < hold.end)
        });
        let ready = |throttle: &&&Throttle| {
            let at = throttle.start.max(hold.start);
            let blocks = self.blocks.get(&hold.task).into_iter().flatten();
            let is_blocked = blocks.clone().any(|(start, end)| *start <= at && *end > at);
            !is_blocked && (throttle.cpu.is_none() || self.was_on(hold.task, at) == Some(throttle.cpu))
        };
        overlapping.filter(ready).copied().collect()
    }

    /// The processor on which the task was last.
    fn was_on(&self, task: TaskId, at: Time) -> Option<CpuId> {
        let places = self.places.get(&task)?;
        let next = places.partition_point(|(start, _)| *start <= at);
        Some(places.get(next.checked_sub(1)?)?.1)
    }

    fn groups_of(&self, task: TaskId) -> impl Iterator<Item = GroupId> {
        let cast = &self.record.timeline.cast;
        cast.groups_of(cast.specs[self.record.timeline.tasks[task].spec as usize].process)
    }
}
