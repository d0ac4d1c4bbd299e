//! Profiles of machines: what switching, waking and the like cost on one, measured or known, and what its kernel is set to.
//!
//! A profile is a file of its own. It is laid *beneath* a scenario: a key that the scenario has wins. Costs differ between the
//! classes of the kernel, and between executors; so a profile has a section for all threads, and others for those that differ.
//!
//! ```toml
//! [about]                        # where it was measured, for people
//! kernel = "6.18.0"
//!
//! [machine]                      # the costs, with the keys of a scenario's [machine]
//! wake = { samples = ["31us", "38us", "52us"] }
//! tick = "4ms"
//! tick-phase = "3.62ms"
//! counts = { wake = 120 }        # of how many samples each was made
//!
//! [class.other]                  # instead, for ordinary threads
//! block = "6us"
//!
//! [executor.async]               # instead, for the threads of this executor
//! wake = "76us"
//!
//! [cpython.async]                # before all of these, for those of this executor by the rules of CPython
//! look = "1.1us"
//!
//! [scheduler]                    # what the kernel's own policies are set to
//! base-slice = "1.4ms"
//! placement = "packed"
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::costs::STEPPED;
use super::lower::{start_cost, stepped_cost};
use super::{Costs, Scenario, StartMethod};
use crate::distribution::Distribution;
use crate::document::{Document, Item, Kind, Language, Mistakes, Note, Override, Source, Table, Value};
use crate::executor::EXECUTORS;
use crate::policy::on_linux::Class;
use crate::policy::{self, Settings};
use crate::time::Span;

/// The language of profiles.
static LANGUAGE: Language = Language::plain("profile");

/// The keys of costs, of which each may be a distribution.
const COSTS: &[&str] = &[
    "context-switch",
    "process-switch",
    "block",
    "exit",
    "local-wake",
    "start",
    "stagger",
    "look",
    "callback",
    "take",
    "operation",
    "submit",
];

/// The keys of costs that are durations.
const SWITCHES: &[&str] = &["migration", "thread-start", "process-start", "task-switch"];

/// The classes of the kernel that have sections of their own.
const CLASSES: &[&str] = &["other", "fifo", "round-robin", "dispatched"];

/// The section of pools of CPython whose workers are processes.
const POOL_OF_PROCESSES: &str = "pool-of-processes";

/// The keys of the timer, which reach predictions only.
const TIMER: &[&str] = &["tick", "tick-phase"];

/// What a machine costs, and what its kernel is set to.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Where it is from, in the order of the file: the keys and values of `[about]`, as they are written.
    pub about: Vec<(String, String)>,
    machine: Section,
    classes: BTreeMap<&'static str, Section>,
    executors: BTreeMap<&'static str, Section>,
    /// The same for executors that go by the rules of CPython.
    cpython: BTreeMap<&'static str, Section>,
    timer: Section,
    kernel: Section,
    /// The policy that plays the kernel, set as here.
    plays: Arc<dyn Settings>,
}

/// Keys with what each is set to, as TOML.
type Section = BTreeMap<&'static str, String>;

impl Profile {
    /// Reads a profile.
    ///
    /// ```
    /// use sim_core::document::Source;
    /// use sim_core::scenario::Profile;
    /// let text = "[machine]\nwake = \"38us\"\n[class.other]\nblocks = \"6us\"";
    /// let mistakes = Profile::read(&Source { file: "host.toml", text }).unwrap_err();
    /// assert!(mistakes.to_string().contains("did you mean `block`?"));
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(source: &Source<'_>) -> Result<Profile, Mistakes> {
        let document = Document::parse(source, &LANGUAGE);
        document.read(&[], |root| profile(root, source.text)).map(|(profile, _)| profile)
    }

    /// Does it say what anything costs?
    #[must_use]
    pub fn has_costs(&self) -> bool {
        !self.machine.is_empty()
    }

    /// The costs that every run has of which neither this profile says anything for the threads of a prediction, that of what ran
    /// in this class, nor its scenario: there they are zero.
    #[must_use]
    pub fn lacks(&self, predicted: &Scenario, ran: Option<Class>) -> Vec<&'static str> {
        let known = self.costs(predicted, ran);
        let costs = predicted.machine.costs.as_deref();
        let free = |of: fn(&Costs) -> &Distribution| {
            costs.is_none_or(|costs| *of(costs) == Distribution::Constant(Span::ZERO))
        };
        let all = [
            ("context-switch", predicted.machine.context_switch.is_zero() && free(|costs| &costs.context_switch)),
            ("wake", costs.is_none_or(|costs| costs.wake == Costs::default().wake)),
            ("block", free(|costs| &costs.block)),
            ("exit", free(|costs| &costs.exit)),
        ];
        let is_unsaid = |key: &str| known.iter().all(|known| known.path != format!("machine.{key}"));
        all.into_iter().filter(|(key, is_free)| *is_free && is_unsaid(key)).map(|(key, _)| key).collect()
    }

    /// What is laid beneath a scenario: the costs of its first executor's threads in this class.
    ///
    /// The scenario is read anew with these after all other overrides. What the kernel is set to goes to policies that play
    /// it.
    #[must_use]
    pub fn beneath(&self, scenario: &Scenario) -> Vec<Override> {
        let class = scenario.scheduler.settings.on_linux().class;
        [self.costs(scenario, Some(class)), self.settings(scenario)].concat()
    }

    /// The same for a prediction of what this class of the kernel makes of the scenario, or a thread that dispatches in its place:
    /// also when the kernel's timer ticks.
    #[must_use]
    pub fn beneath_prediction(&self, scenario: &Scenario, ran: Option<Class>) -> Vec<Override> {
        // Both or none: the phase is one of this tick. Whoever is dispatched by a policy of ours does not go by ticks.
        let timer = self.timer.iter().filter(|_| scenario.machine.tick.is_none() && ran.is_some());
        let timer = timer.map(|(key, value)| Override::beneath(format!("machine.{key}"), value)).collect();
        [self.costs(scenario, ran), self.settings(scenario), timer].concat()
    }

    /// What the kernel is set to, for a policy that has its rules: its tasks ask for slices.
    fn settings(&self, scenario: &Scenario) -> Vec<Override> {
        let kind = scenario.scheduler.kind;
        let parameters = kind.parameters.iter().filter(|_| kind.goes_by("slice"));
        let set = parameters.filter_map(|parameter| self.kernel.get_key_value(parameter.name));
        set.map(|(key, value)| Override::beneath(format!("scheduler.{key}"), value)).collect()
    }

    /// The policy that plays the kernel, with its settings here.
    pub(super) fn plays(&self) -> (&'static policy::Kind, Arc<dyn Settings>) {
        (policy::KERNEL, Arc::clone(&self.plays))
    }

    /// The costs for the threads of the first executor, in this class: the more special section wins, and that of CPython's runtimes
    /// first of all.
    fn costs(&self, scenario: &Scenario, class: Option<Class>) -> Vec<Override> {
        let process = scenario.processes.iter().next();
        let own = process.and_then(|process| self.executors.get(process.executor.kind.name));
        let of_cpython = process.filter(|process| process.is_of_cpython()).and_then(|process| {
            let of_processes = process.executor.of_processes;
            self.cpython.get(if of_processes { POOL_OF_PROCESSES } else { process.executor.kind.name })
        });
        let sections =
            of_cpython.into_iter().chain(own).chain(self.classes.get(section_of(class))).chain([&self.machine]);
        let costs = sections.flatten();
        costs.map(|(key, value)| Override::beneath(format!("machine.{key}"), value)).collect()
    }
}

/// The name of the section of a class.
fn section_of(class: Option<Class>) -> &'static str {
    match class {
        Some(Class::Other | Class::Named) => "other",
        Some(Class::Fifo) => "fifo",
        Some(Class::RoundRobin(_)) => "round-robin",
        None => "dispatched",
    }
}

/// Reads a profile whose text is this.
fn profile(root: &mut Table<'_>, text: &str) -> Profile {
    let about = root.table("about", "[about]").map(|table| about(table, text)).unwrap_or_default();
    let (mut machine, mut timer) = (Section::new(), Section::new());
    if let Some(mut table) = root.table("machine", "[machine]") {
        let tick = table.positive_span("tick");
        for key in TIMER {
            let item = table.item(key).and_then(|item| Some((item, item.span()?)));
            if let Some((item, span)) = item {
                if *key == "tick-phase" && tick.is_none_or(|tick| span >= tick) {
                    item.wrong(
                        "the first tick comes before there was time for one",
                        "`tick-phase` is shorter than `tick`",
                    );
                }
                timer.insert(key, written(item, text));
            }
        }
        machine = section(table, text);
    }
    let classes = sections(root.table("class", "[class]"), CLASSES.iter().copied(), text);
    let executors = sections(root.table("executor", "[executor]"), EXECUTORS.iter().map(|kind| kind.name), text);
    let names = EXECUTORS.iter().map(|kind| kind.name);
    let cpython = sections(root.table("cpython", "[cpython]"), names.chain([POOL_OF_PROCESSES]), text);
    let mut kernel = Section::new();
    let plays = match root.table("scheduler", "[scheduler]") {
        Some(mut table) => {
            for parameter in policy::KERNEL.parameters {
                kernel.extend(table.item(parameter.name).map(|item| (parameter.name, written(item, text))));
            }
            (policy::KERNEL.read)(&mut table)
        }
        None => {
            let empty = Value::empty_table();
            (policy::KERNEL.read)(&mut Table::new(&empty, "[scheduler]", root.log()))
        }
    };
    Profile { about, machine, classes, executors, cpython, timer, kernel, plays }
}

/// Sections by name, of those that there are.
fn sections(
    table: Option<Table<'_>>,
    names: impl Iterator<Item = &'static str> + Clone,
    text: &str,
) -> BTreeMap<&'static str, Section> {
    let mut sections = BTreeMap::new();
    for (found, spot, item) in table.into_iter().flat_map(|mut table| table.all()) {
        let Some(name) = names.clone().find(|name| *name == found) else {
            let note = Note::new(spot, format!("there is no section `{found}`"));
            item.log().add_unknown(note, found, names.clone(), String::new);
            continue;
        };
        sections.extend(item.table("a section of costs").map(|table| (name, section(table, text))));
    }
    sections
}

/// The costs of a section.
fn section(mut table: Table<'_>, text: &str) -> Section {
    let mut section = Section::new();
    for key in SWITCHES {
        let item = table.item(key).filter(|item| item.span().is_some());
        section.extend(item.map(|item| (*key, written(item, text))));
    }
    for (key, word) in STEPPED {
        let item = table.item(key).filter(|item| stepped_cost(*item, word).is_some());
        section.extend(item.map(|item| (key, written(item, text))));
    }
    for key in StartMethod::NAMES {
        let item = table.item(key).filter(|item| start_cost(*item).is_some());
        section.extend(item.map(|item| (key, written(item, text))));
    }
    for key in COSTS {
        let item = table.item(key).filter(|item| item.distribution().is_some());
        section.extend(item.map(|item| (*key, written(item, text))));
    }
    // For people: of how many samples each was made.
    table.tolerate("counts");
    section
}

/// What is said of where a profile is from.
fn about(mut table: Table<'_>, text: &str) -> Vec<(String, String)> {
    let value = |item: Item<'_>| match item.kind() {
        Kind::Text(text) => text.to_string(),
        _ => written(item, text),
    };
    table.all().map(|(key, _, item)| (key.to_owned(), value(item))).collect()
}

/// A value as it is written in the text.
fn written(item: Item<'_>, text: &str) -> String {
    let spot = item.spot();
    text.get(spot.start as usize..spot.end as usize).unwrap_or_default().to_owned()
}
