//! Ready and not running: for a processor, in the runtime, for the interpreter lock, or for nobody.

use super::index::{Index, doing};
use super::row::{Seat, Spot};
use super::{Behind, Doing, Ledger, What};
use crate::ids::{CpuId, TaskId, ThreadId};
use crate::time::{Span, Time};
use crate::timeline::lanes::State;
use crate::timeline::{Cause, Interval, Left, Runtime};

/// A wait of a task that ended on a thread and a processor.
#[derive(Clone, Copy)]
struct Wait {
    task: TaskId,
    /// The thread it got; [`ThreadId::NONE`] if it is unknown.
    thread: ThreadId,
    /// The processor it got.
    cpu: CpuId,
    /// The other task that the thread has meanwhile, or had last, if it is known.
    kept: Option<TaskId>,
    from: Time,
    to: Time,
}

impl Index<'_> {
    /// Enters a stretch in which a task is ready.
    pub(super) fn waiting(&self, task: TaskId, from: Time, to: Time, ledger: &mut Ledger) {
        let intervals = &self.intervals[task];
        // Who gets a processor and leaves it without using time has waited twice.
        let first = intervals.partition_point(|interval| interval.start <= from);
        let inside = intervals[first..].iter().map(|interval| interval.start).take_while(|start| *start < to);
        let mut begin = from;
        for end in inside.chain([to]).filter(|end| *end > from) {
            if begin < end {
                self.wait(&self.target(task, begin, end), ledger);
                begin = end;
            }
        }
    }

    fn wait(&self, wait: &Wait, ledger: &mut Ledger) {
        let process = self.process(wait.task);
        match self.runtime(process) {
            Runtime::Interpreter => self.for_interpreter(process, wait, ledger),
            Runtime::OwnThread => self.for_processor(wait, ledger),
            runtime if wait.thread.is_none() => self.for_thread(process, runtime, wait, ledger),
            runtime => self.for_worker(process, runtime, wait, ledger),
        }
    }

    /// On which thread and processor the wait ended, or would most likely have.
    fn target(&self, task: TaskId, from: Time, to: Time) -> Wait {
        let intervals = &self.intervals[task];
        let next = intervals.partition_point(|interval| interval.start < to);
        let own = intervals.get(next).or_else(|| intervals.last());
        if let Some(interval) = own {
            return Wait { task, thread: interval.thread, cpu: interval.cpu, kept: None, from, to };
        }
        // It never ran.
        let (spec, process) = (self.timeline.tasks[task].spec, self.process(task));
        let kin = self.last_of_spec[spec as usize];
        let colleague = kin.or(self.last_of_process[process]);
        let busy = |cpu: &CpuId| self.cpus[*cpu].last_before(to).is_some_and(|seat| seat.end >= to);
        let cpu = kin.map(|interval| interval.cpu).or_else(|| self.cpus.ids().find(busy)).unwrap_or(CpuId(0));
        let (thread, cpu) = colleague.map_or((ThreadId::NONE, cpu), |interval| (interval.thread, cpu));
        Wait { task, thread, cpu, kept: None, from, to }
    }

    /// The kernel's floor: for more of a quota or a budget, or else behind whoever is on the processor.
    fn for_processor(&self, wait: &Wait, ledger: &mut Ledger) {
        let mut from = wait.from;
        while from < wait.to {
            let Some((what, behind, start, end)) = self.stands_still(wait, from) else { break };
            self.for_free_processor(&Wait { from, to: start.max(from), ..*wait }, ledger);
            let (begin, end) = (start.max(from), end.min(wait.to));
            ledger.enter(what, behind, begin, end);
            from = end;
        }
        self.for_free_processor(&Wait { from, ..*wait }, ledger);
    }

    /// The first time after that one at which one of the groups of the task stood still where it waited, or its server had
    /// nothing left, or that of the task which its thread has.
    fn stands_still(&self, wait: &Wait, after: Time) -> Option<(What, Option<Behind>, Time, Time)> {
        let depleted = |task| self.depletions.first(task, after, wait.to);
        let own = depleted(wait.task).map(|(start, end)| (What::Budget, None, start, end));
        let budget = own.or_else(|| {
            let behind = Behind { task: wait.kept?, doing: Doing::Waiting };
            depleted(behind.task).map(|(start, end)| (What::Runtime, Some(behind), start, end))
        });
        let group = self.group_stands_still(wait, after);
        // At the same time the group is named, until it goes on.
        match (group, budget) {
            (Some((.., still, _)), Some((what, behind, start, end))) if start.max(after) < still.max(after) => {
                Some((what, behind, start, end.min(still)))
            }
            (group, budget) => group.or(budget),
        }
    }

    fn group_stands_still(&self, wait: &Wait, after: Time) -> Option<(What, Option<Behind>, Time, Time)> {
        if self.throttles.is_empty() {
            return None;
        }
        let process = u32::try_from(self.process(wait.task)).unwrap_or(u32::MAX);
        // Of groups that stand still at the same time the innermost is named.
        let first = self.throttles.first(self.timeline.cast.groups_of(process), wait.cpu, after, wait.to);
        first.map(|(group, start, end)| (What::Throttled(group), None, start, end))
    }

    /// Behind whoever is on the processor.
    fn for_free_processor(&self, wait: &Wait, ledger: &mut Ledger) {
        if wait.from >= wait.to {
            return;
        }
        let Some(row) = self.cpus.get(wait.cpu) else {
            return ledger.enter(What::Nobody(wait.cpu), None, wait.from, wait.to);
        };
        row.walk(wait.from, wait.to, |from, to, spot| match spot {
            Spot::Taken(on) if on.task != wait.task => {
                let behind = Behind { task: on.task, doing: doing(on) };
                ledger.enter(What::Processor(wait.cpu), Some(behind), from, to);
            }
            _ => ledger.enter(What::Nobody(wait.cpu), None, from, to),
        });
    }

    /// The runtime's floor: behind whoever the worker carries; if that is nobody else, the worker waits as a thread.
    fn for_worker(&self, process: usize, runtime: Runtime, wait: &Wait, ledger: &mut Ledger) {
        self.threads[wait.thread].walk(wait.from, wait.to, |from, to, spot| match spot {
            Spot::Taken(on) if on.task != wait.task => {
                ledger.enter(What::Runtime, Some(Behind { task: on.task, doing: doing(on) }), from, to);
            }
            Spot::Taken(_) => self.for_thread(process, runtime, &Wait { from, to, ..*wait }, ledger),
            Spot::Free { before, after } => {
                let from = self.without_thread(runtime, &Wait { from, to, ..*wait }, (before, after), ledger);
                let cpu = after.map_or(wait.cpu, |seat| seat.who.cpu);
                let kept = before.map(|seat| seat.who.task).filter(|last| *last != wait.task);
                let thread = Wait { cpu, from, to, kept, ..*wait };
                match (before.filter(|seat| seat.who.task != wait.task), runtime) {
                    (_, Runtime::HandingOff) => self.for_changing_thread(process, &thread, ledger),
                    (Some(seat), Runtime::Switching | Runtime::SwitchingLocked) => {
                        self.behind_blocking(process, seat, after, &thread, ledger);
                    }
                    (Some(seat), _) => self.behind_kept(seat.who.task, runtime, &thread, ledger),
                    (None, _) => self.for_thread(process, runtime, &thread, ledger),
                }
            }
        });
    }

    /// A pool that is full of waiting tasks makes threads for those who come then: until such a one had come, the thread was not there
    /// that who waits got after that one. It waited for any of those that were there. Until when?
    fn without_thread(
        &self,
        runtime: Runtime,
        wait: &Wait,
        (before, after): (Option<&Seat<&Interval>>, Option<&Seat<&Interval>>),
        ledger: &mut Ledger,
    ) -> Time {
        let is_over = |seat: &Seat<&Interval>| self.finish(seat.who.task).is_some_and(|finish| finish <= wait.from);
        let may_be = matches!(runtime, Runtime::Keeping | Runtime::KeepingLocked) && before.is_none_or(is_over);
        let Some(first) = after.map(|seat| seat.who.task).filter(|first| may_be && *first != wait.task) else {
            return wait.from;
        };
        let lane = &self.lanes[first];
        let came = lane.iter().find(|stretch| !matches!(stretch.state, State::Blocked(Cause::After)));
        let (mut from, until) = (wait.from, came.map_or(wait.from, |stretch| stretch.start).min(wait.to));
        while from < until {
            let Some((task, end)) = self.has_some_thread(wait.task, from) else {
                ledger.enter(What::Runtime, None, from, until);
                break;
            };
            let end = end.min(until);
            self.doings(task, from, end, |from, to, doing| {
                ledger.enter(What::Runtime, Some(Behind { task, doing }), from, to);
            });
            from = end;
        }
        until.max(wait.from)
    }

    /// Who of the process of the task had a thread of it then, and until when: of several, the one with the first thread.
    fn has_some_thread(&self, task: TaskId, at: Time) -> Option<(TaskId, Time)> {
        let process = self.process(task);
        let last = self.threads.iter().filter_map(|row| row.last_before(at + Span::from_ns(1)));
        let mut theirs =
            last.map(|seat| seat.who.task).filter(|other| *other != task && self.process(*other) == process);
        theirs.find_map(|other| {
            let end = self.finish(other).unwrap_or(Time::NEVER);
            (at < end).then_some((other, end))
        })
    }

    fn finish(&self, task: TaskId) -> Option<Time> {
        self.timeline.tasks[task].finish
    }

    /// The worker waits as a thread: for the interpreter lock, if there is one, or for a processor.
    fn for_thread(&self, process: usize, runtime: Runtime, thread: &Wait, ledger: &mut Ledger) {
        if runtime.has_interpreter() {
            self.for_interpreter(process, thread, ledger);
        } else {
            self.for_processor(thread, ledger);
        }
    }

    /// The worker, not on a processor, keeps a task until that task ends. While it is blocked, so is the worker; while
    /// it is ready, the worker waits for a processor; while it joins, a helping worker takes up others.
    fn behind_kept(&self, kept: TaskId, runtime: Runtime, thread: &Wait, ledger: &mut Ledger) {
        self.doings(kept, thread.from, thread.to, |from, to, doing| match doing {
            Doing::Waiting | Doing::Absent => {
                let process = self.process(kept);
                self.for_thread(process, runtime, &Wait { from, to, ..*thread }, ledger);
            }
            Doing::Blocked(Cause::Join) if runtime == Runtime::Helping => {
                self.for_processor(&Wait { from, to, ..*thread }, ledger);
            }
            _ => ledger.enter(What::Runtime, Some(Behind { task: kept, doing }), from, to),
        });
    }

    /// The worker, not on a processor, would have gone on to another task when its last one blocked, unless that one
    /// blocked it too.
    fn behind_blocking(
        &self,
        process: usize,
        last: &Seat<&Interval>,
        next: Option<&Seat<&Interval>>,
        thread: &Wait,
        ledger: &mut Ledger,
    ) {
        let blocked_until = self.blocks_thread(last.who, next.map(|seat| seat.who)).unwrap_or(Time::ZERO);
        let middle = blocked_until.clamp(thread.from, thread.to);
        if thread.from < middle {
            self.doings(last.who.task, thread.from, middle, |from, to, doing| {
                ledger.enter(What::Runtime, Some(Behind { task: last.who.task, doing }), from, to);
            });
        }
        if middle < thread.to {
            self.for_thread(process, self.runtime(process), &Wait { from: middle, ..*thread }, ledger);
        }
    }

    /// Until when a task blocked the thread that could have gone on to another: it left the processor for a device for
    /// which its program blocks the thread, and it is also the next that the thread carries, or ends with that wait.
    fn blocks_thread(&self, last: &Interval, next: Option<&Interval>) -> Option<Time> {
        let awaited = self.timeline.cast.awaited.get(self.timeline.tasks[last.task].spec as usize)?;
        // A measured block begins a moment after the processor was left; one that took no time then was an earlier one.
        let blocks = &self.blocks[last.task];
        let block = blocks.get(blocks.partition_point(|block| block.end <= last.end))?;
        let own = &self.intervals[last.task];
        let again = own.get(own.partition_point(|on| on.start <= last.end));
        let at_once = again.is_none_or(|again| block.start <= again.start);
        let returns = next.is_none_or(|next| next.task == last.task);
        let ends = self.timeline.tasks[last.task].finish == Some(block.end);
        match block.cause {
            Cause::Device(device)
                if last.left == Left::Blocked && at_once && (returns || ends) && awaited.blocking.contains(&device) =>
            {
                Some(block.end)
            }
            _ => None,
        }
    }

    /// Workers change threads, and which one had which when is not recorded: behind a task of the process that is on the
    /// processor, or on another while this one is free; else behind whoever is on the processor.
    fn for_changing_thread(&self, process: usize, wait: &Wait, ledger: &mut Ledger) {
        let Some(row) = self.cpus.get(wait.cpu) else { return self.for_processor(wait, ledger) };
        row.walk(wait.from, wait.to, |from, to, spot| match spot {
            Spot::Taken(on) if on.task != wait.task && self.process(on.task) == process => {
                ledger.enter(What::Runtime, Some(Behind { task: on.task, doing: doing(on) }), from, to);
            }
            Spot::Taken(_) => self.for_processor(&Wait { from, to, ..*wait }, ledger),
            Spot::Free { .. } => self.colleagues[process].walk(from, to, |from, to, spot| match spot {
                // It is on a processor, be it only being switched to.
                Spot::Taken(task) if *task != wait.task => self.doings(*task, from, to, |from, to, doing| {
                    ledger.enter(What::Runtime, Some(Behind { task: *task, doing }), from, to);
                }),
                _ => ledger.enter(What::Nobody(wait.cpu), None, from, to),
            }),
        });
    }

    /// One thread of the process runs at a time: who has the lock runs or is the next of them to run.
    fn for_interpreter(&self, process: usize, wait: &Wait, ledger: &mut Ledger) {
        let whole = self.timeline.cast.whole(u32::try_from(process).unwrap_or(u32::MAX)) as usize;
        self.interpreters[whole].walk(wait.from, wait.to, |from, to, spot| {
            let (holder, doing) = match spot {
                Spot::Taken(on) => (Some(on.task), doing(on)),
                Spot::Free { after: Some(next), .. } => (Some(next.who.task), Doing::Waiting),
                // The run ends before anybody of the process runs again: who did not give the lock up has it.
                Spot::Free { before, after: None } => {
                    let kept = before.filter(|last| !matches!(last.who.left, Left::Blocked | Left::Finished));
                    (kept.map(|last| last.who.task), Doing::Waiting)
                }
            };
            match holder.filter(|holder| *holder != wait.task) {
                Some(task) => ledger.enter(What::Interpreter, Some(Behind { task, doing }), from, to),
                None => {
                    let cpu = if let Spot::Free { after: Some(next), .. } = spot { next.who.cpu } else { wait.cpu };
                    self.for_processor(&Wait { cpu, from, to, ..*wait }, ledger);
                }
            }
        });
    }
}
