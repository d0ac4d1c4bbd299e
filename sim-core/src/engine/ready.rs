//! The queue of the kernel floor: the threads that are ready, the policy that says who of them is next, and what has
//! happened to it since the last dispatch. The only caller of the scheduling policy.

use std::collections::VecDeque;

use super::members::ReadyThreads;
use super::scene::Scene;
use super::servers::Servers;
use super::thread::{Thread, ThreadState};
use crate::ids::{CpuId, Id as _, IdVec, ThreadId};
use crate::policy::{Exit, Policy, Setup, Slice, Slot, Traits, Turn, Who, Why, fifo};
use crate::scenario::{Protocol, Scenario, Spec, Timer};
use crate::time::{Span, Time};

/// The threads that are ready and have no processor.
pub(super) struct ReadyQueue {
    policy: Asked,
    /// How many there are.
    waiting: usize,
    /// How often threads became ready, if the policy can preempt.
    stamp: u64,
    /// When each became ready last, so counted, by thread.
    stamps: Vec<u64>,
    /// Has anybody become ready since the last dispatch? Only then are processors asked that were idle before.
    pub(super) news: bool,
    /// Those who became ready since the last dispatch, if the policy can preempt for them.
    fresh: VecDeque<ThreadId>,
    /// Those who would have displaced somebody who is at an operation.
    later: Vec<ThreadId>,
    /// All of them, where somebody asks for them.
    members: Option<ReadyThreads>,
    /// May some not use all processors, so that it matters to those that continue, or to servers, who they are?
    differ: bool,
    traits: Traits,
    /// Is more to be known of who is ready than how many?
    compares: bool,
    /// Does it matter that a thread whose slice ends need not move: are there several processors, and slices of threads?
    may_continue: bool,
}

/// So many threads, with their tasks and the sums of these, take 6 MB.
const MANY: usize = 1 << 15;

/// Who is asked.
enum Asked {
    /// Nobody: whoever comes first is first. What happens millions of times a second is done without a detour.
    InOrder(fifo::Queue),
    Policy(Box<dyn Policy>),
}

impl ReadyQueue {
    /// The queue of a scenario, empty.
    pub(super) fn new(scenario: &Scenario, no_affinity: bool) -> ReadyQueue {
        let (slots, settings) = (scenario.machine.processors.len(), &scenario.scheduler.settings);
        let policy = match settings.in_order(scenario.machine.tick) {
            Some(slice) => Asked::InOrder(fifo::Queue::new(slice)),
            None => {
                let setup = Setup::of(&scenario.machine, scenario.seed);
                let hard = |spec: &Spec| spec.attributes.server.is_some_and(|server| server.hard);
                let (machine_seed, holds_back) = (scenario.machine_seed, scenario.specs.iter().any(hard));
                Asked::Policy(settings.build(&Setup { machine_seed, holds_back, ..setup }))
            }
        };
        let traits = policy.asked().traits();
        let lent = scenario.syncs.iter().any(|sync| sync.protocol != Protocol::None);
        let asked_again = lent && traits.preemptive && traits.by_urgency;
        let may_continue = slots > 1 && scenario.scheduler.timer == Timer::PerSlice && !traits.confined;
        ReadyQueue {
            policy,
            waiting: 0,
            stamp: 0,
            stamps: Vec::new(),
            news: false,
            fresh: VecDeque::new(),
            later: Vec::new(),
            differ: Servers::are_in(scenario) || may_continue && !no_affinity,
            members: if Servers::are_in(scenario) || scenario.groups.iter().any(|group| group.quota.is_some()) {
                Some(ReadyThreads::with_news())
            } else {
                (may_continue && !no_affinity || asked_again).then(ReadyThreads::default)
            },
            compares: traits.preemptive || !no_affinity,
            traits,
            may_continue,
        }
    }

    /// The policy, for what is no matter of queues.
    pub(super) fn policy(&self) -> &dyn Policy {
        self.policy.asked()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    #[inline]
    pub(super) fn traits(&self) -> Traits {
        self.traits
    }

    #[inline]
    pub(super) fn may_continue(&self) -> bool {
        self.may_continue
    }

    /// Can a thread whose slice has ended and the one that comes next change places at once, whatever they are: nobody is
    /// displaced, no alarm is due, and no affinity matters?
    #[inline]
    pub(super) fn turns_over(&self) -> bool {
        !self.traits.preemptive && !self.traits.has_alarms && self.members.is_none()
    }

    /// Are there so many that they are in no cache any more?
    #[inline]
    pub(super) fn is_long(&self) -> bool {
        self.waiting > MANY
    }

    /// Who will be picked after so many others, if that is known.
    #[inline]
    pub(super) fn ahead(&self, others: usize) -> Option<ThreadId> {
        match &self.policy {
            Asked::InOrder(queue) => queue.ahead(others).map(|who| ThreadId(who.0)),
            Asked::Policy(_) => None,
        }
    }

    /// All who are in it, where it matters who they are.
    pub(super) fn members(&self) -> Option<&[ThreadId]> {
        self.members.as_ref().filter(|_| self.differ).map(ReadyThreads::all)
    }

    /// Which threads became ready (`true`) or are no longer since this was asked last, where servers have to know.
    pub(super) fn comings_and_goings(&mut self) -> impl Iterator<Item = (ThreadId, bool)> {
        self.members.iter_mut().flat_map(ReadyThreads::news)
    }

    // Who comes and goes.

    /// A thread is ready.
    pub(super) fn ready(&mut self, id: ThreadId, why: Why, scene: &mut Scene<'_>) {
        self.admit(id, &mut scene.threads);
        match &mut self.policy {
            Asked::InOrder(queue) => queue.push(Who(id.0)),
            Asked::Policy(policy) => policy.ready(Who(id.0), why, &scene.view()),
        }
    }

    /// A thread that was put off its processor after running for so long is ready.
    #[expect(clippy::inline_always, reason = "in order, it is three lines; and nothing happens more often")]
    #[inline(always)]
    pub(super) fn put_off(&mut self, id: ThreadId, cpu: CpuId, ran: Span, why: Why, scene: &mut Scene<'_>) {
        self.admit(id, &mut scene.threads);
        match &mut self.policy {
            Asked::InOrder(queue) => queue.push(Who(id.0)),
            Asked::Policy(policy) => tell_put_off(&mut **policy, id, cpu, ran, why, scene),
        }
    }

    #[inline]
    fn admit(&mut self, id: ThreadId, threads: &mut IdVec<ThreadId, Thread>) {
        threads[id].state = ThreadState::Ready;
        self.waiting += 1;
        self.news = true;
        if self.compares {
            self.sort_in(id);
        }
    }

    /// What is known of who is ready besides, where that matters.
    #[expect(clippy::inline_always, reason = "see `put_off`")]
    #[inline(always)]
    fn sort_in(&mut self, id: ThreadId) {
        if let Some(members) = &mut self.members {
            members.add(id);
        }
        if self.traits.preemptive {
            self.stamp += 1;
            match self.stamps.get_mut(id.index()) {
                Some(stamp) => *stamp = self.stamp,
                None => self.is_first_stamp_of(id),
            }
            self.fresh.push_back(id);
        }
    }

    #[cold]
    fn is_first_stamp_of(&mut self, id: ThreadId) {
        self.stamps.resize(id.index() + 1, 0);
        self.stamps[id.index()] = self.stamp;
    }

    /// A thread has left its processor after running for so long, and is not ready, or becomes so next.
    #[inline]
    pub(super) fn left(&mut self, id: ThreadId, cpu: CpuId, ran: Span, exit: Exit, scene: &Scene<'_>) {
        if let Asked::Policy(policy) = &mut self.policy {
            policy.left(Who(id.0), Slot(cpu.0), ran, exit, &scene.view());
        }
    }

    /// The processor is free: who gets it? That thread is no longer in the queue.
    #[expect(clippy::inline_always, reason = "see `put_off`")]
    #[inline(always)]
    pub(super) fn pick(&mut self, cpu: CpuId, scene: &mut Scene<'_>) -> Option<Turn> {
        let turn = match &mut self.policy {
            Asked::InOrder(queue) if scene.is_free() => queue.next()?,
            _ => self.ask(cpu, scene)?,
        };
        self.waiting -= 1;
        Some(turn)
    }

    #[inline]
    fn ask(&mut self, cpu: CpuId, scene: &mut Scene<'_>) -> Option<Turn> {
        let turn = self.policy.asked_mut().pick(Slot(cpu.0), &scene.view())?;
        if let Some(members) = &mut self.members {
            members.remove(ThreadId(turn.who.0));
        }
        Some(turn)
    }

    /// A thread that is ready wants no processor any more.
    #[cold]
    pub(super) fn withdraw(&mut self, id: ThreadId, scene: &mut Scene<'_>) {
        scene.threads[id].state = ThreadState::Parked;
        self.waiting -= 1;
        self.fresh.retain(|other| *other != id);
        self.later.retain(|other| *other != id);
        if let Some(members) = &mut self.members {
            members.remove(id);
        }
        let known = self.policy.asked_mut().withdraw(Who(id.0), &scene.view());
        debug_assert!(known, "policies of threads know how");
    }

    // What else the policy is told and asked.

    /// A thread that is ready or runs is more or less urgent than before.
    pub(super) fn changed(&mut self, id: ThreadId, scene: &Scene<'_>) {
        self.policy.asked_mut().changed(Who(id.0), &scene.view());
    }

    /// Which processor must the thread be given?
    pub(super) fn displaces(&mut self, id: ThreadId, scene: &Scene<'_>) -> Option<CpuId> {
        self.policy.asked_mut().displaces(Who(id.0), &scene.view()).map(|slot| CpuId(slot.0))
    }

    /// A thread, which has just become ready, comes next where it waits: whoever leaves this processor hands it on, and if the thread
    /// may not use that, it is the first at another one.
    pub(super) fn is_next(&mut self, id: ThreadId, cpu: CpuId, scene: &Scene<'_>) {
        self.policy.asked_mut().is_next(Who(id.0), Slot(cpu.0), &scene.view());
    }

    /// When the policy wants to be woken.
    #[inline]
    pub(super) fn alarm(&self) -> Time {
        if self.traits.has_alarms { self.policy().alarm() } else { Time::NEVER }
    }

    /// The policy's alarm rings.
    pub(super) fn ring(&mut self, scene: &Scene<'_>) {
        let mut again = Vec::new();
        self.policy.asked_mut().ring(&mut again, &scene.view());
        self.fresh.extend(again.into_iter().map(|who| ThreadId(who.0)));
        self.news = true;
    }

    /// After an alarm: how long does who is on the processor go on, if that is another time than before?
    pub(super) fn anew(&mut self, cpu: CpuId, scene: &Scene<'_>) -> Option<Slice> {
        self.policy.asked_mut().anew(Slot(cpu.0), &scene.view())
    }

    // Who may displace somebody.

    /// The first of those who may, if they are still ready to.
    pub(super) fn newcomer(&self) -> Option<ThreadId> {
        self.fresh.front().copied()
    }

    /// The first of them has been asked for.
    pub(super) fn forget_newcomer(&mut self) {
        self.fresh.pop_front();
    }

    /// The first of them is asked for again when an operation is over.
    pub(super) fn asks_later(&mut self) {
        self.later.extend(self.fresh.pop_front());
    }

    /// An operation is over: those who waited for the end of one are newcomers again.
    pub(super) fn ask_again(&mut self) {
        self.fresh.extend(self.later.drain(..));
    }

    /// All have been asked for.
    #[inline]
    pub(super) fn forget_newcomers(&mut self) {
        self.fresh.clear();
    }

    /// A thread that is ready is treated like a newcomer.
    pub(super) fn is_fresh_again(&mut self, id: ThreadId) {
        if self.traits.preemptive {
            self.fresh.push_back(id);
        }
    }

    /// All who are ready are treated like newcomers, in the order in which they became so.
    pub(super) fn all_are_fresh(&mut self, threads: &IdVec<ThreadId, Thread>) {
        self.fresh.clear();
        match &self.members {
            Some(members) => self.fresh.extend(members.all()),
            None => self.fresh.extend(threads.ids().filter(|id| threads[*id].state == ThreadState::Ready)),
        }
        self.fresh.make_contiguous().sort_by_key(|id| self.stamps.get(id.index()));
    }

    /// Of those who are ready, these were not to be given any processor, and are now: they are asked for as newcomers are.
    pub(super) fn may_run_again(&mut self, threads: &IdVec<ThreadId, Thread>, these: impl Fn(&Thread) -> bool) {
        self.news = true;
        if self.traits.preemptive {
            let are_meant = |id: &ThreadId| threads[*id].state == ThreadState::Ready && these(&threads[*id]);
            let mut those: Vec<ThreadId> = match &self.members {
                Some(members) => members.all().iter().copied().filter(are_meant).collect(),
                None => threads.ids().filter(are_meant).collect(),
            };
            those.sort_by_key(|id| self.stamps.get(id.index()));
            self.fresh.extend(those);
        }
    }
}

impl Asked {
    fn asked(&self) -> &dyn Policy {
        match self {
            Asked::InOrder(queue) => queue,
            Asked::Policy(policy) => &**policy,
        }
    }

    fn asked_mut(&mut self) -> &mut dyn Policy {
        match self {
            Asked::InOrder(queue) => queue,
            Asked::Policy(policy) => &mut **policy,
        }
    }
}

#[inline(never)]
fn tell_put_off(policy: &mut dyn Policy, id: ThreadId, cpu: CpuId, ran: Span, why: Why, scene: &Scene<'_>) {
    policy.put_off(Who(id.0), Slot(cpu.0), ran, why, &scene.view());
}
