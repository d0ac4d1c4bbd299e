//! What a switch costs besides, by what was before it: a machine whose costs have names.

use std::collections::BTreeMap;

use super::runtimes::Runtime;
use crate::distribution::Distribution;
use crate::executor::{Looks, Threads};
use crate::ids::{CpuId, IdVec, TaskId, ThreadId};
use crate::policy::Exit;
use crate::program::Step;
use crate::rng::{Stream, StreamName};
use crate::scenario::{Costs, Process, Scenario};
use crate::time::{Span, Time};

/// What has to be remembered to know what a switch costs.
pub(super) struct CostBook<'a> {
    costs: &'a Costs,
    /// When and how each processor lost its thread last, and which; nothing if it has had none.
    lost: IdVec<CpuId, Option<(Time, Exit, ThreadId)>>,
    /// When each was given to a thread last.
    given: IdVec<CpuId, Option<Time>>,
    accounts: BTreeMap<ThreadId, Account>,
    /// Does it take time to start the first threads?
    starts: bool,
    /// How many threads have been ready from the beginning.
    started: u64,
    /// How late the last of them was.
    latest: Span,
    /// What tasks are about to do that costs something.
    begun: BTreeMap<TaskId, Begun>,
}

/// An operation that a task has come to.
struct Begun {
    step: Step,
    /// Has it been paid for? What it does is done when that time is over.
    paid: bool,
}

/// What is known of a thread.
struct Account {
    ready: Ready,
    /// How it had become so when it got a processor last.
    before: Ready,
    /// From which its costs are drawn.
    stream: Stream,
}

/// To whom a processor switches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Switch {
    /// To another thread of the process that it ran last, or the very first one.
    Thread,
    /// To a thread of another process.
    Process,
}

/// How a thread became ready.
#[derive(Clone, Copy, Default)]
enum Ready {
    /// It was put off and stayed so.
    #[default]
    Before,
    /// A timer or a device made it so.
    ByItself,
    /// What was done on this processor.
    By(CpuId),
    /// It is a worker that has ended a task at this very instant, and goes on with another.
    GoesOn,
    /// It is one of the first, and its start was paid for.
    Started,
}

impl<'a> CostBook<'a> {
    /// Nothing if no cost has a name.
    pub(super) fn new(scenario: &'a Scenario) -> Option<Box<CostBook<'a>>> {
        let costs = scenario.machine.costs.as_deref()?;
        let lost = scenario.machine.processors.iter().map(|_| None).collect();
        let given = scenario.machine.processors.iter().map(|_| None).collect();
        let free = Distribution::Constant(Span::ZERO);
        let starts = costs.start != free || costs.stagger != free;
        let (accounts, begun) = (BTreeMap::new(), BTreeMap::new());
        Some(Box::new(CostBook { costs, lost, given, accounts, starts, started: 0, latest: Span::ZERO, begun }))
    }

    /// A processor has lost its thread, which blocked, is done, or was put off. One that is put off at the instant at which it
    /// got the processor has not had it.
    pub(super) fn loses(&mut self, cpu: CpuId, id: ThreadId, exit: Exit, now: Time) {
        match self.accounts.get_mut(&id) {
            Some(account) if exit == Exit::Ready && self.given[cpu] == Some(now) => account.ready = account.before,
            _ => self.lost[cpu] = Some((now, exit, id)),
        }
    }

    /// A thread becomes ready: by what is done on a processor now, if that is one. Its costs are drawn from the stream of that
    /// name. `is_first`: it does so at the beginning, before it has ever run. From when on can it be given a processor?
    pub(super) fn is_ready(
        &mut self,
        id: ThreadId,
        (by, is_first): (CpuId, bool),
        now: Time,
        name: impl FnOnce() -> StreamName,
    ) -> Time {
        let ready = match self.lost.get(by).copied().flatten() {
            Some((at, _, last)) if at == now && last == id => Ready::GoesOn,
            _ if by.is_none() => Ready::ByItself,
            _ => Ready::By(by),
        };
        let stream = match self.accounts.remove(&id) {
            Some(account) => account.stream,
            None => name().stream(),
        };
        let mut account = Account { ready, before: ready, stream };
        let mut late = Span::ZERO;
        if is_first && self.starts {
            let Costs { start, stagger, .. } = self.costs;
            late = draw(start, &mut account.stream) + draw(stagger, &mut account.stream) * self.started;
            // They start in their order, however long it takes.
            late = late.max(self.latest);
            (self.started, self.latest) = (self.started + 1, late);
            account.ready = Ready::Started;
        }
        self.accounts.insert(id, account);
        Time::ZERO + late
    }

    /// What the switch to the thread on the processor costs besides: what is left to chance, and what has a name.
    pub(super) fn at_dispatch(&mut self, cpu: CpuId, id: ThreadId, switch: Option<Switch>, now: Time) -> Span {
        let costs = self.costs;
        self.given[cpu] = Some(now);
        let Some(Account { ready, before, stream }) = self.accounts.get_mut(&id) else { return Span::ZERO };
        let ready = std::mem::take(ready);
        *before = ready;
        let switch_is_free = switch.is_none();
        let switch = match switch {
            None => Span::ZERO,
            Some(Switch::Thread) => draw(&costs.context_switch, stream),
            Some(Switch::Process) => draw(&costs.process_switch, stream),
        };
        let idle = now - self.lost[cpu].map_or(Time::ZERO, |(at, ..)| at);
        let woken = match ready {
            Ready::By(by) if by == cpu => draw(&costs.local_wake, stream),
            Ready::By(_) => draw(costs.remote_wake.after(idle), stream),
            Ready::ByItself | Ready::Before | Ready::Started | Ready::GoesOn => Span::ZERO,
        };
        let exit = self.lost[cpu].and_then(|(at, exit, _)| (at == now).then_some(exit));
        switch
            + woken
            + match (exit, ready) {
                (_, Ready::GoesOn) if switch_is_free => Span::ZERO,
                (None, Ready::ByItself | Ready::Before) => draw(costs.wake.after(idle), stream),
                (Some(Exit::Blocked), _) => draw(&costs.block, stream),
                (Some(Exit::Finished), _) => draw(&costs.exit, stream),
                (None, Ready::By(_) | Ready::Started | Ready::GoesOn) | (Some(Exit::Ready), _) => Span::ZERO,
            }
    }

    /// What a runtime pays for the turn of the task that the thread has just taken up, and for what it has done before; the thread
    /// has been busy with another so long without a break.
    pub(super) fn of_turn(&mut self, id: ThreadId, runtime: &mut Runtime, busy: Span) -> Span {
        let Looks { takes, looks, callbacks } = runtime.take_looks();
        let Costs { poll, look, callback, take, .. } = self.costs;
        let Some(Account { stream, .. }) = self.accounts.get_mut(&id) else { return Span::ZERO };
        let times =
            |count: u32, cost, stream: &mut Stream| (0..count).fold(Span::ZERO, |sum, _| sum + draw(cost, stream));
        if runtime.takes_from_queue() {
            return times(takes, take, stream);
        }
        if !runtime.polls_tasks() {
            return Span::ZERO;
        }
        times(looks, look, stream) + times(callbacks, callback, stream) + draw(poll.after(busy), stream)
    }
}

impl CostBook<'_> {
    /// Do operations cost anything?
    pub(super) fn of_operations(scenario: &Scenario) -> bool {
        let free = Distribution::Constant(Span::ZERO);
        let costs = scenario.machine.costs.as_deref();
        costs.is_some_and(|costs| {
            costs.operation != free || scenario.processes.iter().any(|process| of_parent(costs, process).is_some())
        })
    }

    /// What the task has come to, and not done yet.
    pub(super) fn is_about_to(&self, task: TaskId) -> Option<Step> {
        self.begun.get(&task).map(|begun| begun.step)
    }

    /// The task does not do what it has come to.
    pub(super) fn forgets(&mut self, task: TaskId) {
        self.begun.remove(&task);
    }

    /// The task, which that thread carries, comes to an operation, or is still there. What is left to be paid before it has
    /// its effect; nothing if that has been paid.
    /// Who starts a process pays `besides`.
    pub(super) fn of_operation(
        &mut self,
        task: TaskId,
        id: ThreadId,
        step: Step,
        besides: Option<&Distribution>,
    ) -> Option<Span> {
        match self.begun.get_mut(&task) {
            // First those have their chance whom the operation before has made ready.
            None => {
                self.begun.insert(task, Begun { step, paid: false });
                Some(Span::ZERO)
            }
            Some(begun) if !begun.paid => {
                begun.paid = true;
                let account = self.accounts.get_mut(&id);
                Some(account.map_or(Span::ZERO, |Account { stream, .. }| {
                    let besides = besides.map_or(Span::ZERO, |cost| draw(cost, stream));
                    draw(&self.costs.operation, stream) + besides
                }))
            }
            Some(_) => {
                self.begun.remove(&task);
                None
            }
        }
    }
}

/// What a process of that kind takes the process that starts it, if it takes anything.
pub(super) fn of_parent<'c>(costs: &'c Costs, process: &Process) -> Option<&'c Distribution> {
    let cost = process.start_method().map(|method| &costs.of_start(method).parent);
    cost.filter(|cost| **cost != Distribution::Constant(Span::ZERO))
}

/// What it takes to give a task to the process, if that is a pool for which who does so must have the interpreter lock.
pub(super) fn of_submission<'c>(costs: &'c Costs, process: &Process) -> Option<&'c Distribution> {
    let executor = &process.executor;
    let is_pool = executor.waiters_ask && executor.kind.threads == Threads::Workers && process.part.is_none();
    (is_pool && costs.submit != Distribution::Constant(Span::ZERO)).then_some(&costs.submit)
}

/// What it takes this time.
pub(super) fn draw(cost: &Distribution, stream: &mut Stream) -> Span {
    match cost {
        Distribution::Constant(span) => *span,
        Distribution::Random(law) => law.draw(stream),
    }
}
