//! What a scenario becomes when it is to predict one machine: its costs, its kernel, its timers.

use super::{Process, Profile, Scenario, lower};
use crate::document::{Document, Mistakes, Override, key};
use crate::executor::rules;
use crate::policy::on_linux::Class;
use crate::policy::{SchedulingClass, grouped};
use crate::time::Span;

/// So many machines that differ by chance alone make an ensemble.
pub const ENSEMBLE: u64 = 30;

/// Processors take the quota of a group in pieces of this length: `sched_cfs_bandwidth_slice_us` of Linux 6.18, unless it is
/// changed.
const SLICE: Span = Span::from_ms(5);

/// What has run of which a prediction is made.
#[derive(Clone, Default, Debug)]
pub struct Ran {
    /// In which class of the kernel all threads were; none if a thread dispatched in the kernel's place, by the policy of the
    /// scenario.
    pub class: Option<Class>,
    /// By which rules the interpreters behave in which processes of Python ran, by the names of these.
    pub interpreters: Vec<(String, String)>,
}

/// The scenario on the machine of a profile, whose threads ran like that.
///
/// Costs, the kernel's settings and its timer come from the profile; a key of the scenario wins. A policy that the file
/// names is simulated; where it names none, what ran is: the kernel with a queue for each processor, and all tasks in that
/// class. Quotas of groups are handed out as the kernel does it. Runtimes go by the rules of those that are measured, and executors of Python by those of the interpreter that ran, whatever
/// rules the file names. `overrides` are those with which the scenario is read.
///
/// # Errors
/// As [`lower::document`]. What the profile says is checked when it is read, so it makes no mistakes of its own, unless it
/// does not fit what the scenario says: a tick shorter than the phase that the file has.
pub fn predicted(
    document: &Document<'_>,
    overrides: &[Override],
    profile: &Profile,
    ran: &Ran,
) -> Result<Scenario, Mistakes> {
    let (plain, _) = lower::document(document, overrides)?;
    let mut all = overrides.to_vec();
    all.extend(profile.beneath_prediction(&plain, ran.class));
    all.extend(ran.interpreters.iter().flat_map(|(process, rules)| of_interpreter(document, &plain, process, rules)));
    let (mut scenario, _) = lower::document(document, &all)?;
    if let (false, Some(ran)) = (scenario.scheduler.named, ran.class) {
        let (kind, plays) = profile.plays();
        let groups = &scenario.groups;
        let settings = if groups.is_empty() { plays } else { grouped(&plays, groups) };
        (scenario.scheduler.kind, scenario.scheduler.settings) = (kind, settings);
        for spec in scenario.specs.iter_mut() {
            spec.attributes.class = match ran {
                Class::Fifo => SchedulingClass::Fifo,
                Class::RoundRobin(_) => SchedulingClass::RoundRobin,
                Class::Other => SchedulingClass::Other,
                Class::Named => spec.attributes.class,
            };
        }
    }
    for process in scenario.processes.iter_mut() {
        process.executor = rules::measured(&process.executor);
    }
    for quota in scenario.groups.iter_mut().filter_map(|group| group.quota.as_mut()) {
        quota.slice.get_or_insert(SLICE);
    }
    Ok(scenario)
}

/// What is said of a process that an interpreter ran which goes by these rules: its runtime has them, and so has whatever names others.
/// Nothing if nobody knows them.
fn of_interpreter(document: &Document<'_>, plain: &Scenario, process: &str, rules: &str) -> Vec<Override> {
    let Some(known) = rules::nearest(rules) else { return Vec::new() };
    let parts = plain.processes.iter().filter_map(|part| {
        let owner = part.part.as_ref()?;
        (plain.processes[owner.whole].name == process).then(|| format!("pools.{}.rules", key(&owner.pool)))
    });
    let named = std::iter::once("executor.rules".to_owned()).chain(parts);
    // The name of a copy has its number behind that of the process.
    let name = process.split('#').next().unwrap_or(process);
    let is_at_top = name == "main" && document.says("task");
    let path = if is_at_top { String::new() } else { format!("process.{}.", key(name)) };
    let value = format!("{:?}", known.name);
    let runtime = Override::new(format!("{path}runtime.rules"), &value);
    std::iter::once(runtime).chain(named.map(|key| Override::instead(format!("{path}{key}"), &value))).collect()
}

/// The same scenario on each machine of an ensemble; on one if the machine does nothing by chance.
pub fn ensemble(scenario: &Scenario) -> impl Iterator<Item = Scenario> + use<'_> {
    let machines = if is_random(scenario) { ENSEMBLE } else { 1 };
    (0..machines).map(|number| Scenario { machine_seed: scenario.seed.wrapping_add(number), ..scenario.clone() })
}

/// Does the machine do anything by chance, so that runs differ though all programs do the same?
fn is_random(scenario: &Scenario) -> bool {
    let by_costs = scenario.machine.costs.as_deref().is_some_and(|costs| costs.are_random());
    let processors = scenario.machine.processors.len();
    // Who asks for an interpreter lock from another processor may get it first.
    let by_locks = |process: &Process| {
        process.executor.waiters_ask && 0.0 < process.executor.asker && process.executor.asker < 1.0
    };
    by_costs
        || scenario.scheduler.settings.leaves_to_chance(processors)
        || processors > 1 && scenario.processes.iter().any(by_locks)
}
