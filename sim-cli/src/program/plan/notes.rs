//! What a scenario says and a program leaves to the machine on which it runs: told at its head.

use sim_core::device::Form;
use sim_core::ids::SpecId;
use sim_core::policy::SchedulingClass;
use sim_core::scenario::{Protocol, Rule, Spec};

use super::Plan;

impl Plan<'_> {
    /// Sentences for the head of a program, the most important first.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let scenario = self.scenario;
        let mut notes = Vec::new();
        let last = scenario.machine.processors.len().saturating_sub(1);
        let (processors, set) = match last {
            0 => ("1 processor".to_owned(), "0".to_owned()),
            _ => (format!("{} processors", last + 1), format!("0-{last}")),
        };
        notes.push(format!("{processors}: on Linux, begin the command with `taskset -c {set}`"));
        if scenario.scheduler.named {
            notes.push(format!("the policy {}: the operating system has its own", scenario.scheduler.label()));
        }
        if !scenario.machine.switches_freely() {
            notes.push("what switching costs: here it is what this machine takes".to_owned());
        }
        for (what, says) in ATTRIBUTES {
            let names: Vec<&str> =
                self.scenario.specs.iter().filter(|spec| says(spec)).map(|spec| spec.name.as_str()).collect();
            if !names.is_empty() {
                notes.push(format!("{what} of {}", listed(&names)));
            }
        }
        if scenario.processes.iter().any(|process| process.part.is_some()) {
            notes.push("times of what is done `on` a pool: they are within those of its task".to_owned());
        }
        if !scenario.variables.is_empty() {
            notes.push(
                "that no time passes between looking at a variable and changing it: here others may come in between, unless a lock is held"
                    .to_owned(),
            );
        }
        for object in scenario.syncs.iter() {
            let is_plain = object.protocol == Protocol::None && object.spin.is_zero() && object.rule == Rule::default();
            if !is_plain {
                notes.push(format!("how the {} `{}` is handed on", object.kind.word(), object.name));
            }
        }
        for device in scenario.devices.iter().filter(|device| device.channels.is_some()) {
            if device.discipline.form == Form::Queue {
                notes.push(format!("the discipline {} of the device `{}`", device.discipline.name, device.name));
            }
        }
        notes
    }

    /// The comment above a task in its file.
    #[must_use]
    pub fn comment(&self, spec: SpecId) -> Option<&[String]> {
        self.comments.get(&self.scenario.specs[spec].name).map(Vec::as_slice)
    }

    /// The comments at an operation in its file.
    #[must_use]
    pub fn comments_at(&self, spec: SpecId, op: usize) -> &[String] {
        let found = || {
            let (spec, way) = self.scenario.path_of(spec, u32::try_from(op).ok()?)?;
            let task = &self.scenario.specs[spec];
            let process = self.scenario.processes[task.process].name.as_str();
            // A copy has a number behind its name.
            let process = process.split_once('#').map_or(process, |(name, _)| name);
            let of = |process: &str| self.at_operations.get(&(process.to_owned(), task.name.clone()));
            of(process).or_else(|| of(""))?.get(&way)
        };
        found().map_or(&[], Vec::as_slice)
    }
}

type Says = fn(&Spec) -> bool;

/// What files can say of tasks that only a scheduler goes by.
const ATTRIBUTES: [(&str, Says); 9] = [
    ("the priority", |spec| spec.attributes.priority != 0),
    ("the nice value", |spec| spec.attributes.nice != 0),
    ("the class", |spec| spec.attributes.class != SchedulingClass::Other),
    ("the slice", |spec| spec.attributes.slice.is_some()),
    ("the tickets", |spec| spec.attributes.tickets != 100),
    ("the processors (affinity)", |spec| spec.attributes.affinity.is_some()),
    ("the working set", |spec| spec.attributes.working_set.is_some()),
    ("the group", |spec| spec.attributes.groups.is_some()),
    ("the server", |spec| spec.attributes.server.is_some()),
];

/// More names than these are only counted.
const NAMES: usize = 4;

/// Names in a sentence, the first of them if they are many.
#[must_use]
pub fn listed(names: &[impl AsRef<str>]) -> String {
    let shown = names.iter().take(NAMES).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES { format!("{shown} and {} more", names.len() - NAMES) } else { shown }
}
