//! Threads on processors, carrying tasks: the part of the world that policies see, as the kernel's [`Floor`].

use super::cache::Caches;
use super::interpreters::Interpreters;
use super::jobs::Jobs;
use super::loans::Loans;
use super::processors::Processors;
use super::quotas::Quotas;
use super::runtimes::Runtime;
use super::servers::Servers;
use super::shields::Shields;
use super::task::Task;
use super::thread::{Thread, ThreadState};
use crate::ids::{CpuId, IdVec, ProcessId, TaskId, ThreadId, VariableId};
use crate::jobs::JobState;
use crate::policy::{Attributes, Claim, Floor, Lent, Periodic, Slot, View, Who};
use crate::program::jitter_stream;
use crate::rng::Stream;
use crate::scenario::Scenario;
use crate::time::{Span, Time};

/// The part of the world that policies see.
pub(super) struct Scene<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) now: Time,
    pub(super) tasks: IdVec<TaskId, Task>,
    pub(super) threads: IdVec<ThreadId, Thread>,
    pub(super) runtimes: IdVec<ProcessId, Runtime>,
    /// Who has the interpreter locks of processes.
    pub(super) interpreters: Interpreters,
    pub(super) processors: Processors,
    pub(super) jobs: Jobs,
    pub(super) loans: Loans,
    /// Who is not preempted.
    pub(super) shields: Shields,
    /// If caches make a difference.
    pub(super) caches: Option<Box<Caches<'a>>>,
    /// The one thread that the policy may pick now, if it is asked for a certain one.
    pub(super) only: Option<ThreadId>,
    /// May every thread use every processor at all times?
    pub(super) no_affinity: bool,
    /// Does anybody run on a budget?
    pub(super) has_budgets: bool,
    /// What groups have left, if they have quotas.
    pub(super) quotas: Option<Box<Quotas>>,
    /// What servers for fixed priorities have left.
    pub(super) servers: Option<Box<Servers>>,
    /// What the variables are now.
    pub(super) variables: IdVec<VariableId, i64>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Scene<'a> {
        let quotas = Quotas::new(scenario);
        let servers = Servers::new(scenario);
        let has_budgets = quotas.is_some() || servers.is_some();
        Scene {
            scenario,
            now: Time::ZERO,
            tasks: IdVec::new(),
            threads: IdVec::new(),
            runtimes: IdVec::new(),
            interpreters: Interpreters::new(&scenario.processes, scenario.machine_seed),
            processors: Processors::new(&scenario.machine),
            jobs: Jobs::new(scenario),
            loans: Loans::default(),
            shields: Shields::default(),
            caches: Caches::new(scenario).map(Box::new),
            only: None,
            no_affinity: !has_budgets && scenario.specs.iter().all(|spec| spec.attributes.affinity.is_none()),
            has_budgets,
            quotas,
            servers,
            variables: scenario.variables.iter().map(|variable| variable.value).collect(),
        }
    }

    /// The task that the thread carries, and what is left of the work that it has taken up.
    fn in_hand(&self, who: Who) -> Option<(&Task, Span)> {
        let thread = &self.threads[ThreadId(who.0)];
        let task = self.tasks.get(thread.task)?;
        if thread.state != ThreadState::Running {
            return Some((task, task.work));
        }
        let cpu = &self.processors[thread.last_cpu];
        let length = self.now.since(cpu.worked_until);
        let done = match &self.caches {
            None => cpu.speed.progress(length, cpu.carry).0,
            Some(caches) => caches.work_in(thread.last_cpu, cpu.task, task.spec, length),
        };
        Some((task, task.work.saturating_sub(done)))
    }

    /// May whoever is ready be given any processor?
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.no_affinity && self.only.is_none() && !self.shields.are_up
    }

    /// What the kernel floor's policy sees.
    #[inline]
    pub(super) fn view(&self) -> View<'_> {
        View { now: self.now, floor: self, no_affinity: self.is_free() }
    }

    /// The burst that a task begins is no longer ahead of its job.
    #[inline]
    pub(super) fn takes_up(&mut self, id: TaskId) {
        let task = &self.tasks[id];
        if let Some(job) = self.jobs.of_mut(task.spec, task.instance) {
            job.takes_up(task.work);
        }
    }

    /// The present job of an instance, when its jobs come, and the chance by which they are late; none of one without jobs.
    #[inline]
    pub(super) fn job_of(
        &mut self,
        id: TaskId,
    ) -> Option<(&mut JobState, &'a Periodic, impl Fn() -> Stream + use<'a>)> {
        let (scenario, task) = (self.scenario, &self.tasks[id]);
        let (spec, instance) = (task.spec, task.instance);
        let periodic = scenario.specs[spec].attributes.periodic.as_ref()?;
        let job = self.jobs.of_mut(spec, instance)?;
        Some((job, periodic, move || jitter_stream(scenario, spec, instance).stream()))
    }

    /// By when the present job of a task should end.
    pub(super) fn deadline_of(&self, task: &Task) -> Time {
        self.jobs.of(task.spec, task.instance).map_or(Time::NEVER, |job| job.deadline())
    }
}

impl Floor for Scene<'_> {
    fn slots(&self) -> usize {
        self.processors.len()
    }

    fn running(&self, slot: Slot) -> Option<Who> {
        let thread = self.processors[CpuId(slot.0)].thread();
        (!thread.is_none()).then_some(Who(thread.0))
    }

    /// A worker has the attributes of the task it carries; without one, those of its process's first task.
    fn attributes(&self, who: Who) -> &Attributes {
        let thread = &self.threads[ThreadId(who.0)];
        let spec = if thread.task.is_none() {
            self.runtimes[thread.process].first_spec()
        } else {
            self.tasks[thread.task].spec
        };
        &self.scenario.specs[spec].attributes
    }

    fn allowed(&self, who: Who, slot: Slot) -> bool {
        self.may_live(who, slot)
            && !(self.shields.are_up && self.is_shielded(CpuId(slot.0)))
            && self.only.is_none_or(|thread| thread.0 == who.0)
            && self.has_server_time(ThreadId(who.0))
            && self
                .quotas
                .as_ref()
                .is_none_or(|quotas| quotas.allow(self.threads[ThreadId(who.0)].process, CpuId(slot.0)))
    }

    fn stands_still(&self, who: Who) -> bool {
        let process = self.threads[ThreadId(who.0)].process;
        let nowhere = |quotas: &Quotas| !self.processors.ids().any(|cpu| quotas.allow(process, cpu));
        self.quotas.as_deref().is_some_and(nowhere)
    }

    fn has_quotas(&self) -> bool {
        self.quotas.is_some()
    }

    fn may_live(&self, who: Who, slot: Slot) -> bool {
        self.attributes(who).allows(CpuId(slot.0))
    }

    fn burst(&self, who: Who) -> Span {
        self.in_hand(who).map_or(Span::ZERO, |(task, work)| {
            work + task.work_ahead(self.scenario, self.now, !work.is_zero(), &self.variables)
        })
    }

    fn deadline(&self, who: Who) -> Time {
        self.tasks.get(self.threads[ThreadId(who.0)].task).map_or(Time::NEVER, |task| self.deadline_of(task))
    }

    fn work_left(&self, who: Who) -> Span {
        let task = self.tasks.get(self.threads[ThreadId(who.0)].task);
        let job = task.and_then(|task| self.jobs.of(task.spec, task.instance));
        let in_hand = self.in_hand(who).map_or(Span::ZERO, |(_, work)| work);
        job.map_or(Span::ZERO, |job| job.ahead()) + in_hand
    }

    /// A worker without a task comes last.
    fn place(&self, who: Who) -> u32 {
        self.threads[ThreadId(who.0)].task.0
    }

    fn claim(&self, who: Who) -> Claim<'_> {
        let thread = &self.threads[ThreadId(who.0)];
        let Some(task) = self.tasks.get(thread.task) else {
            return Claim { attributes: self.attributes(who), deadline: Time::NEVER, lent: None };
        };
        let lent = if self.loans.is_empty() { None } else { self.lent(who) };
        Claim { attributes: &self.scenario.specs[task.spec].attributes, deadline: self.deadline_of(task), lent }
    }

    fn lent(&self, who: Who) -> Option<Lent<'_>> {
        let standing = self.loans.to(self.threads[ThreadId(who.0)].task)?;
        let attributes = &self.scenario.specs[standing.spec].attributes;
        Some(Lent { attributes, deadline: standing.deadline, place: standing.place })
    }

    fn ran(&self, who: Who) -> Span {
        let thread = &self.threads[ThreadId(who.0)];
        match thread.state {
            ThreadState::Running => self.now.since(self.processors[thread.last_cpu].turn_start),
            _ => Span::ZERO,
        }
    }
}
