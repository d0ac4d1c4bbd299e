//! This machine, and what of it a run may use: which processors, which scheduling class, which priorities.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sim_core::ids::{CpuId, IdVec, ProcessId, SpecId};
use sim_core::policy::Setup;
use sim_core::policy::on_linux::{Class, Realised};
use sim_core::scenario::{Attributes, OnMiss, Process, Protocol, Scenario, Spec, Speed};
use sim_core::time::{Span, Time};

use crate::play::burn;
use crate::play::python::interpreter::{self, Interpreter};
use crate::play::world::World;
use crate::prepare::groups::{self, Groups};
use crate::prepare::realised::{self, LEVELS, Ran};
use crate::prepare::scheduling;
use crate::prepare::slices::{self, Slices};
use crate::prepare::unmeasurable::Unmeasurable;
use crate::prepare::{dispatched, python};
use crate::sys::{self, RealTime};
use crate::{Dispatcher, Options, Rung};

/// The highest real-time priority of measured threads; threads that control the run are above.
pub(crate) const MAX_PRIORITY: i32 = LEVELS as i32;

/// Where and how the threads of a run are scheduled.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The processors used, by the kernel's numbers, in the order of the scenario's.
    pub(crate) cpus: Vec<u32>,
    /// The processors left over, for threads that control the run.
    pub(crate) spare: Vec<u32>,
    /// How much work the scenario's processors do in a time; ours are slowed down or sped up to that by longer or
    /// shorter bursts.
    pub(crate) speed: Speed,
    /// The real-time class, if the kernel has the scenario's policy and permits it.
    pub(crate) class: Option<RealTime>,
    /// The class whose rules they are under.
    pub(crate) ran: Class,
    /// The real-time priority of each task.
    pub(crate) priority: IdVec<SpecId, i32>,
    /// How urgent each task is when it waits for a lock; larger is more urgent.
    pub(crate) urgency: IdVec<SpecId, i64>,
    /// Can whoever holds a lock be lent urgency, as a real-time priority?
    pub(crate) lends: bool,
    /// Does a thread of ours dispatch, by the scenario's own policy?
    pub(crate) dispatched: bool,
    /// What puts the kernel's slices back when the run is over, if they were set for it.
    pub(crate) slices: Option<Arc<Slices>>,
    /// The control groups that its threads are in, if the scenario has groups that matter.
    pub(crate) groups: Option<Arc<Groups>>,
    /// The policy that is really used, in words.
    pub(crate) policy: String,
    /// Does each task name its own class?
    pub(crate) classes_are_named: bool,
    /// What ordinary threads ask for at a time that ask for nothing else, if that is not for the kernel to say.
    pub(crate) slice: Option<Span>,
    /// How near the kernel's class is to the policy that was asked for.
    pub(crate) realised: Realised,
    /// Why that is so, in a sentence.
    pub(crate) reason: String,
    /// Is the start left to chance?
    pub(crate) naive_start: bool,
    /// May threads have page clocks?
    pub(crate) page_clock: bool,
    /// The interpreters of processes that run in one.
    pub(crate) interpreters: IdVec<ProcessId, Option<Arc<Interpreter>>>,
    /// What else people should know.
    pub(crate) notes: Vec<String>,
}

/// The processors that we may use, by the kernel's numbers, and how fast the scenario's are: those are not more, and all alike.
pub(crate) fn processors(scenario: &Scenario) -> Result<(Vec<u32>, Speed), Unmeasurable> {
    let wanted = scenario.machine.processors.len();
    let allowed = sys::affinity().map_err(|error| Unmeasurable::system("find out the processors", &error))?;
    if wanted > allowed.len() {
        return Err(Unmeasurable::too_few_processors(wanted, allowed.len()));
    }
    let mut speeds = scenario.machine.processors.iter().map(|processor| processor.speed);
    let speed = speeds.next().unwrap_or(Speed::ONE);
    if speeds.any(|other| other != speed) { Err(Unmeasurable::different_speeds()) } else { Ok((allowed, speed)) }
}

impl Plan {
    /// Looks for what the scenario asks for on this machine.
    pub(crate) fn new(scenario: &Scenario, options: &Options) -> Result<Plan, Unmeasurable> {
        let (allowed, speed) = processors(scenario)?;
        // The first processors usually serve interrupts and other programs: they are the ones to leave alone.
        let (spare, cpus) = allowed.split_at(allowed.len() - scenario.machine.processors.len());
        let urgency = urgencies(scenario);
        let mut plan = Plan {
            speed,
            cpus: cpus.to_vec(),
            spare: spare.to_vec(),
            class: None,
            ran: Class::Other,
            priority: IdVec::new(),
            urgency,
            classes_are_named: false,
            slice: None,
            lends: false,
            dispatched: false,
            slices: None,
            groups: None,
            policy: String::new(),
            realised: Realised::Exact,
            reason: String::new(),
            page_clock: options.best_recorder <= Rung::PageClock,
            naive_start: options.naive_start,
            interpreters: interpreters(scenario, options)?,
            notes: Vec::new(),
        };
        plan.choose_class(scenario)?;
        plan.choose_dispatcher(scenario, options.dispatcher)?;
        plan.groups = Groups::new(scenario)?.map(Arc::new);
        plan.notes.extend(plan.groups.as_ref().map(|groups| format!("its groups were {}", groups.called())));
        if let Some(real) = plan.slices.as_ref().and_then(|_| slices::length()) {
            plan.notes.push(format!("for the run, the kernel's slices in SCHED_RR were set to {real}"));
        }
        if options.naive_start {
            plan.notes.push("the start was left to chance: repeats differ by more than they must".into());
        }
        if spare.is_empty() {
            plan.notes.push("no processor is left over: the thread that starts and ends the run shares them".into());
        }
        Ok(plan)
    }

    /// The class that comes nearest to the scenario's policy, where that is permitted, and how near it is.
    fn choose_class(&mut self, scenario: &Scenario) -> Result<(), Unmeasurable> {
        let kind = scenario.scheduler.kind;
        let goes_by_priority = kind.goes_by("priority");
        let counterpart = scenario.scheduler.settings.on_linux();
        let is_ordinary = groups::are_needed(scenario);
        let wanted = match counterpart.class {
            _ if realised::leaves_it_to_linux(scenario) => Class::Other,
            Class::Fifo | Class::RoundRobin(_) if is_ordinary => Class::Other,
            class => class,
        };
        let real_time = match wanted {
            Class::Other => None,
            Class::Fifo => Some(RealTime::Fifo),
            Class::RoundRobin(_) => Some(RealTime::RoundRobin),
            // Threads of ours have to be above all of them.
            Class::Named => (scheduling::has_real_time(scenario) && !is_ordinary).then_some(RealTime::Fifo),
        };
        self.slice = counterpart.slice;
        self.classes_are_named = wanted == Class::Named;
        self.priority = match real_time {
            None => self.urgency.iter().map(|_| 0).collect(),
            Some(_) if goes_by_priority || self.classes_are_named => ranks(&self.urgency),
            Some(_) => self.urgency.iter().map(|_| 1).collect(),
        };
        let permitted = real_time.map(is_permitted).transpose()?.unwrap_or(true);
        let class = match wanted {
            _ if !permitted => Class::Other,
            Class::RoundRobin(asked) => Class::RoundRobin(self.set_slices(asked)),
            class => class,
        };
        self.policy = match (wanted, class) {
            _ if is_ordinary && realised::names_real_time(scenario) => {
                "SCHED_OTHER (groups bind no other class)".into()
            }
            (Class::Other, _) if counterpart.realised == Realised::Not => {
                format!("SCHED_OTHER (this kernel has no `{}`)", kind.name)
            }
            (Class::RoundRobin(asked), Class::RoundRobin(real)) if asked != real => {
                format!("SCHED_RR (quantum {real}, not {asked})")
            }
            _ if !permitted => format!("SCHED_OTHER ({} not permitted)", realised::called(wanted, scenario)),
            _ => realised::called(class, scenario),
        };
        self.class = real_time.filter(|_| permitted);
        self.ran = class;
        self.lends = goes_by_priority && self.class.is_some();
        (self.realised, self.reason) = realised::judge(scenario, &Ran { class, refused: !permitted });
        Ok(())
    }

    /// Shall a thread of ours dispatch? Where the kernel has nothing like the policy, if that is permitted and possible; and
    /// periodic tasks are released by nobody else.
    fn choose_dispatcher(&mut self, scenario: &Scenario, wanted: Dispatcher) -> Result<(), Unmeasurable> {
        let periodic = scenario.specs.iter().find(|spec| spec.attributes.periodic.is_some());
        let mut periodics = scenario.specs.iter().filter_map(|spec| Some((spec, spec.attributes.periodic.as_ref()?)));
        if let Some((spec, _)) = periodics.find(|(_, it)| it.on_miss == OnMiss::Abort) {
            return Err(Unmeasurable::aborted(&spec.name));
        }
        let served = |spec: &&Spec| spec.attributes.server.is_some_and(|server| server.kind.is_fixed());
        if let Some(spec) = scenario.specs.iter().find(served) {
            return Err(Unmeasurable::served(&spec.name));
        }
        let is_permitted = is_permitted(RealTime::Fifo)?;
        let is_needed = periodic.is_some() || (self.realised == Realised::Not && is_permitted);
        let shall = match wanted {
            Dispatcher::Never => false,
            Dispatcher::WhereNeeded => is_needed,
            Dispatcher::Always => true,
        };
        let obstacle = dispatched::obstacle(scenario);
        if let Some(spec) = periodic
            && (!shall || obstacle.is_some())
        {
            return Err(Unmeasurable::periodic(&spec.name, obstacle.as_deref()));
        }
        match obstacle {
            Some(obstacle) if wanted == Dispatcher::Always => return Err(Unmeasurable::not_dispatched(&obstacle)),
            None if shall => {}
            _ => return Ok(()),
        }
        // They were set in vain, if they were.
        self.slices = None;
        self.dispatched = true;
        self.class = is_permitted.then_some(RealTime::Fifo);
        self.priority = self.urgency.iter().map(|_| 1).collect();
        let policy = scenario.scheduler.settings.build(&setup(scenario));
        self.lends = policy.traits().by_urgency && scenario.syncs.iter().any(|sync| sync.protocol != Protocol::None);
        self.policy = format!("{} (by a dispatcher)", scenario.scheduler.kind.name);
        Ok(())
    }

    /// Keeps the calling thread, which dispatches, below those that control the run and above all that are measured.
    pub(crate) fn place_dispatcher(&self) {
        let _ = sys::set_affinity(if self.spare.is_empty() { &self.cpus } else { &self.spare });
        if self.class.is_some() {
            let _ = sys::set_class(Some((RealTime::Fifo, MAX_PRIORITY + 9)));
        }
    }

    /// Lets the kernel's slices be as long as was asked for, if it can. How long are they?
    fn set_slices(&mut self, asked: Span) -> Span {
        if slices::length() == Some(asked) {
            return asked;
        }
        match Slices::set(asked) {
            Ok(set) => self.slices = Some(Arc::new(set)),
            Err(why) => self.notes.push(format!("the kernel's slices are as they were: {why}")),
        }
        slices::length().unwrap_or(asked)
    }

    /// The real-time priority of whoever is as urgent as one of the tasks.
    pub(crate) fn priority_of(&self, urgency: i64) -> i32 {
        let alike = self.urgency.pairs().find(|(_, of)| **of == urgency);
        alike.map_or(1, |(spec, _)| self.priority[spec])
    }

    /// The kernel's numbers of the processors a task may use.
    pub(crate) fn cpus_of(&self, attributes: &Attributes) -> Vec<u32> {
        let pairs = (0..).zip(&self.cpus);
        pairs.filter(|(cpu, _)| attributes.allows(CpuId(*cpu))).map(|(_, cpu)| *cpu).collect()
    }

    /// Keeps the calling thread, which controls the run, out of the way of the measured ones but able to run.
    pub(crate) fn place_control(&self) {
        if !self.spare.is_empty() {
            let _ = sys::set_affinity(&self.spare);
        }
        if let Some(class) = self.class {
            let _ = sys::set_class(Some((class, MAX_PRIORITY + 10)));
        }
    }
}

impl World {
    /// Makes the calling thread one that is measured: places it, prepares its bursts, and lets it settle.
    ///
    /// `order` counts such threads: it chooses the processor the thread is first on, so that threads start spread out.
    pub(crate) fn enter(&self, cpus: &[u32], specs: &[SpecId], order: usize) {
        sys::set_exact_timers();
        let plan = &self.plan;
        let priority = specs.iter().map(|spec| plan.priority[*spec]).max().unwrap_or(1);
        match specs {
            [spec, ..] if plan.class.is_none() || plan.classes_are_named => {
                let attributes = &self.scenario.specs[*spec].attributes;
                let named = plan.classes_are_named.then_some((attributes.class, plan.class.map(|_| priority)));
                let _ = sys::set_scheduling(scheduling::of(attributes, named, plan.slice));
            }
            _ => _ = sys::set_class(plan.class.map(|class| (class, priority))),
        }
        if let (Some(groups), [spec, ..]) = (&plan.groups, specs) {
            groups.join(self.scenario.processes[self.scenario.specs[*spec].process].group);
        }
        if let Some(first) = cpus.get(order % cpus.len().max(1)) {
            let _ = sys::set_affinity(&[*first]);
        }
        // A thread that is made during a run is waited for.
        self.register_thread(burn::enter(plan.page_clock, !self.has_been_announced()));
        // Some systems refuse, others do as if they had obeyed.
        let is_placed = sys::set_affinity(cpus).is_ok() && sys::affinity().is_ok_and(|allowed| allowed == cpus);
        self.board().misplaced.fetch_add(u32::from(!is_placed), Ordering::Relaxed);
    }
}

/// The interpreters of processes that run in one: `--python` wins over what the file names.
fn interpreters(
    scenario: &Scenario,
    options: &Options,
) -> Result<IdVec<ProcessId, Option<Arc<Interpreter>>>, Unmeasurable> {
    let of = |process: &Process| {
        let Some(cpython) = process.runtime.cpython() else { return Ok(None) };
        interpreter::find(options.python.or(cpython.python.as_deref())).map(Some)
    };
    let interpreters: IdVec<ProcessId, Option<Arc<Interpreter>>> =
        scenario.processes.iter().map(of).collect::<Result<_, _>>()?;
    python::have_barriers(scenario, &interpreters)?;
    Ok(interpreters)
}

/// May threads of ours be in this class? Tried on a thread that then ends.
fn is_permitted(class: RealTime) -> Result<bool, Unmeasurable> {
    let trial = std::thread::Builder::new().spawn(move || sys::set_class(Some((class, 1))));
    let trial = trial.map_err(|error| Unmeasurable::system("start a thread", &error))?;
    Ok(matches!(trial.join(), Ok(Ok(()))))
}

/// How urgent the scenario's own policy finds each task.
fn urgencies(scenario: &Scenario) -> IdVec<SpecId, i64> {
    let policy = scenario.scheduler.settings.build(&setup(scenario));
    scenario.specs.iter().map(|spec| policy.urgency(&spec.attributes, Time::NEVER)).collect()
}

fn setup(scenario: &Scenario) -> Setup {
    Setup::of(&scenario.machine, scenario.seed)
}

/// Real-time priorities in the order of urgency: equal ones stay equal, and if there are too many levels the least
/// urgent share one.
fn ranks(urgency: &IdVec<SpecId, i64>) -> IdVec<SpecId, i32> {
    let levels: BTreeSet<i64> = urgency.iter().copied().collect();
    let top = i32::try_from(levels.len()).unwrap_or(i32::MAX).min(MAX_PRIORITY);
    let rank = |urgency| {
        let above = i32::try_from(levels.range(urgency..).count()).unwrap_or(i32::MAX) - 1;
        (top - above).max(1)
    };
    urgency.iter().map(|urgency| rank(*urgency)).collect()
}

/// What the kernel calls itself.
pub(crate) fn kernel_release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(|_| "unknown".into(), |text| text.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_keep_the_order_and_stay_in_range() {
        let few: IdVec<SpecId, i64> = [5, -3, 5, 100].into_iter().collect();
        assert_eq!(ranks(&few).as_slice(), [2, 1, 2, 3]);
        let many: IdVec<SpecId, i64> = (0..200).collect();
        let ranks = ranks(&many);
        assert!(ranks.as_slice().is_sorted() && ranks[SpecId(0)] == 1 && ranks[SpecId(199)] == MAX_PRIORITY);
    }
}
