//! Blocked: on a device, a synchronisation object, a timer, or other tasks.

use super::index::Index;
use super::row::{Row, Spot};
use super::{Behind, Doing, Ledger, What};
use crate::ids::{DeviceId, SyncId, TaskId};
use crate::time::Time;
use crate::timeline::{Block, Cause};

impl Index<'_> {
    /// Enters a stretch in which a task is blocked for one reason, be it several times in a row.
    pub(super) fn blocked(&self, task: TaskId, cause: Cause, from: Time, to: Time, ledger: &mut Ledger) {
        let blocks = &self.blocks[task];
        let mut at = from;
        for block in &blocks[blocks.partition_point(|block| block.end <= from)..] {
            let (start, end) = (block.start.max(at), block.end.min(to));
            if block.start >= to {
                break;
            }
            if block.cause == cause && start < end {
                if at < start {
                    self.block(task, cause, None, at, start, ledger);
                }
                self.block(task, cause, Some(block), start, end, ledger);
                at = end;
            }
        }
        if at < to {
            self.block(task, cause, None, at, to, ledger);
        }
    }

    fn block(&self, task: TaskId, cause: Cause, block: Option<&Block>, from: Time, to: Time, ledger: &mut Ledger) {
        match cause {
            Cause::Timer => ledger.enter(What::Timer, None, from, to),
            Cause::Release => ledger.enter(What::Release, None, from, to),
            Cause::Device(device) => self.on_device(task, device, from, to, ledger),
            Cause::Sync(sync) => self.on_sync(sync, from, to, ledger),
            Cause::Join | Cause::After => {
                let last = self.last_awaited(task, cause, block.map_or(to, |block| block.end));
                let what = if cause == Cause::Join { What::Join } else { What::After };
                self.behind(what, last, from, to, ledger);
            }
        }
    }

    /// Enters a wait behind somebody, divided by what that one was doing.
    fn behind(&self, what: What, task: Option<TaskId>, from: Time, to: Time, ledger: &mut Ledger) {
        match task {
            Some(task) => self.doings(task, from, to, |from, to, doing| {
                ledger.enter(what, Some(Behind { task, doing }), from, to);
            }),
            None => ledger.enter(what, None, from, to),
        }
    }

    fn on_device(&self, task: TaskId, device: DeviceId, from: Time, to: Time, ledger: &mut Ledger) {
        let requests = &self.requests[task];
        let asked = &requests[..requests.partition_point(|(request, _)| request.asked <= from)];
        let request = asked.iter().rev().find(|(request, _)| request.device == device);
        let served = request.map_or(from, |(request, _)| request.start.unwrap_or(Time::NEVER)).clamp(from, to);
        let (queue, nobody) = (What::Queue(device), Row::default());
        let row = request.and_then(|(_, channel)| self.channels[device].get(*channel as usize)).unwrap_or(&nobody);
        row.walk(from, served, |from, to, spot| match spot {
            Spot::Taken(other) => {
                ledger.enter(queue, Some(Behind { task: *other, doing: Doing::Running }), from, to);
            }
            Spot::Free { .. } => ledger.enter(queue, None, from, to),
        });
        ledger.enter(What::Service(device), None, served, to);
    }

    /// Backwards: who gave way when the wait ended, who gave way to that one, …
    fn on_sync(&self, sync: SyncId, from: Time, to: Time, ledger: &mut Ledger) {
        let holds = &self.holds[sync];
        let mut until = to;
        while from < until {
            let place = holds.by_end.partition_point(|hold| hold.end < until);
            let gave_way = holds.by_end.get(place).filter(|hold| hold.end == until);
            let (holder, since) = match (gave_way, holds.elders.last_before(until)) {
                (Some(hold), _) => (Some(hold.task), hold.start),
                (None, Some(elder)) if elder.end >= until => (Some(elder.who), elder.start),
                (None, Some(earlier)) => (None, earlier.end),
                (None, None) => (None, from),
            };
            let since = since.max(from);
            self.behind(What::Sync(sync), holder, since, until, ledger);
            until = since;
        }
    }

    /// Whose end ended the wait for others; if it did not end, who has not finished.
    fn last_awaited(&self, task: TaskId, cause: Cause, end: Time) -> Option<TaskId> {
        let awaited = self.timeline.cast.awaited.get(self.timeline.tasks[task].spec as usize)?;
        let specs = if cause == Cause::Join { &awaited.joins } else { &awaited.after };
        let finishes = || specs.iter().filter_map(|spec| self.finishes.get(*spec as usize));
        let last = finishes().filter_map(|tasks| tasks[..tasks.partition_point(|(at, _)| *at <= end)].last()).max();
        let unfinished =
            finishes().filter_map(|tasks| tasks.get(tasks.partition_point(|(at, _)| !at.is_never()))).min();
        let exact = last.filter(|(at, _)| *at == end);
        let open = unfinished.filter(|_| end >= self.timeline.end);
        exact.or(open).or(last).or(unfinished).map(|(_, task)| *task)
    }
}
