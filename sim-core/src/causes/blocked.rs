//! Blocked: on a device, a synchronisation object, a timer, or other tasks.

use super::index::Index;
use super::row::{Row, Spot};
use super::{Behind, Doing, Ledger, What};
use crate::ids::{DeviceId, SyncId, TaskId};
use crate::time::Time;
use crate::timeline::{Block, Cause, Deed, Fate, Request, Signal};

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
            Cause::Sync(sync) => self.on_sync(What::Sync(sync), (task, sync), from, to, ledger),
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

    pub(super) fn on_device(&self, task: TaskId, device: DeviceId, from: Time, to: Time, ledger: &mut Ledger) {
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
        self.in_service(device, request.map(|(request, _)| *request), served, to, ledger);
    }

    /// Of the time in service, what went to the way of the head, and what to others who shared the device.
    fn in_service(&self, device: DeviceId, request: Option<&Request>, served: Time, to: Time, ledger: &mut Ledger) {
        let Some(request) = request else { return ledger.enter(What::Service(device), None, served, to) };
        let begun = request.start.unwrap_or(served);
        let arrived = (begun + request.seek).clamp(served, to);
        ledger.enter(What::Seek(device), None, served, arrived);
        let left = to.since(arrived);
        // A recorder may not know what the request received; who shares receives less than all the time.
        let shares = self.timeline.cast.devices[device].shared && !request.service.is_zero();
        let received = if shares { request.service.min(left) } else { left };
        let what = if received < left { What::Sharing(device) } else { What::Service(device) };
        ledger.pass(what, None, arrived, to);
        ledger.add(What::Service(device), None, received);
        ledger.add(What::Sharing(device), None, left.saturating_sub(received));
    }

    /// Enters a stretch in which a task runs: its program, or in circles.
    pub(super) fn running(&self, task: TaskId, from: Time, to: Time, ledger: &mut Ledger) {
        let spins = &self.spins[task];
        let mut at = from;
        for spin in &spins[spins.partition_point(|spin| spin.end <= from)..] {
            let (start, end) = (spin.start.clamp(at, to), spin.end.clamp(at, to));
            ledger.enter(What::Running, None, at, start);
            self.on_sync(What::Spin(spin.sync), (task, spin.sync), start, end, ledger);
            at = end.max(start);
            if at == to {
                return;
            }
        }
        ledger.enter(What::Running, None, at, to);
    }

    /// Backwards: who gave way when the wait ended, who gave way to that one, …
    pub(super) fn on_sync(
        &self,
        what: What,
        (task, sync): (TaskId, SyncId),
        from: Time,
        to: Time,
        ledger: &mut Ledger,
    ) {
        if self.ceilings.govern(sync) {
            return self.under_ceilings(what, (task, sync), from, to, ledger);
        }
        let holds = &self.holds[sync];
        let mut until = to;
        while from < until {
            let place = holds.by_end.partition_point(|hold| hold.end < until);
            let gave_way = holds.by_end.get(place).filter(|hold| hold.end == until);
            let waker = if until == to { self.waker(task, sync, to) } else { None };
            let (who, since) = match (gave_way, waker, holds.elders.last_before(until)) {
                (Some(hold), ..) => (Some(hold.task), hold.start),
                (None, Some(waker), _) => (Some(waker), from),
                (None, None, Some(elder)) if elder.end >= until => (Some(elder.who), elder.start),
                (None, None, Some(earlier)) => (None, earlier.end),
                (None, None, None) => (None, from),
            };
            let since = since.max(from);
            self.behind(what, who, since, until, ledger);
            until = since;
        }
    }

    /// Of a lock with an original ceiling: it may be free, and somebody in the way all the same.
    fn under_ceilings(&self, what: What, waits: (TaskId, SyncId), from: Time, to: Time, ledger: &mut Ledger) {
        let mut at = from;
        while at < to {
            let mut until = to;
            let who = self.ceilings.in_the_way(waits, at, &mut until);
            self.behind(what, who, at, until, ledger);
            at = until;
        }
    }

    /// Who ended a wait for something that nobody holds, by what it did at that instant. A message that is sent or
    /// received ends the wait of the other side: of several at once, the one that was recorded next to it.
    fn waker(&self, task: TaskId, sync: SyncId, at: Time) -> Option<TaskId> {
        let signals = &self.signals[sync];
        let from = signals.partition_point(|signal| signal.at < at);
        let now = &signals[from..from + signals[from..].partition_point(|signal| signal.at == at)];
        // Of its own the first: what it did later in the instant, it did when the wait was over.
        let own = now.iter().position(|signal| signal.task == task && signal.deed != Deed::Added);
        let meets = |signal: &Signal| match own.map(|own| now[own].deed) {
            Some(Deed::Sent) => signal.deed == Deed::Received,
            Some(Deed::Received) => signal.deed == Deed::Sent,
            _ => signal.deed != Deed::Notified(0),
        };
        let place = own.unwrap_or(now.len());
        let others = now.iter().enumerate().filter(|(_, signal)| signal.task != task && meets(signal));
        others.min_by_key(|(other, _)| (place.abs_diff(*other), *other)).map(|(_, signal)| signal.task)
    }

    /// Whose end ended the wait for others; if it did not end, who has not finished.
    pub(super) fn last_awaited(&self, task: TaskId, cause: Cause, end: Time) -> Option<TaskId> {
        let awaited = self.timeline.cast.awaited.get(self.timeline.tasks[task].spec as usize)?;
        let specs = if cause == Cause::Join { &awaited.joins } else { &awaited.after };
        let finishes = || specs.iter().filter_map(|spec| self.finishes.get(*spec as usize));
        let last = finishes().filter_map(|tasks| tasks[..tasks.partition_point(|(at, _)| *at <= end)].last()).max();
        let unfinished =
            finishes().filter_map(|tasks| tasks.get(tasks.partition_point(|(at, _)| !at.is_never()))).min();
        // Who came only when the wait was over had nothing to do with it.
        let was_there = |task: TaskId| self.timeline.tasks[task].arrival.is_none_or(|arrival| arrival < end);
        // Of branches all end when one does: that one counts, not those that are dropped.
        let just_ended = finishes().flat_map(|tasks| {
            let ended = &tasks[..tasks.partition_point(|(at, _)| *at <= end)];
            ended.iter().rev().take_while(|(at, _)| *at == end).filter(|(_, task)| was_there(*task))
        });
        let is_dropped = |task: TaskId| self.timeline.tasks[task].fate == Fate::Aborted;
        let just_ended = just_ended.max_by_key(|(at, task)| (!is_dropped(*task), *at, *task));
        let exact = just_ended.or(last.filter(|(at, _)| *at == end));
        let open = unfinished.filter(|_| end >= self.timeline.end);
        exact.or(open).or(last).or(unfinished).map(|(_, task)| *task)
    }
}
