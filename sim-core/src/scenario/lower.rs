//! From the document to the [`Scenario`]: names become ids, text becomes integers, defaults are filled in, and all
//! mistakes are gathered.
//!
//! This happens in two steps. First the file is read into definitions, one for each process and task as written, and
//! everything that can be wrong is checked there. Then definitions are expanded: a process with `count = 3` becomes
//! three, each with its own tasks. The second step cannot fail.

mod branches;
mod crews;
mod device;
mod endings;
mod expand;
mod graph;
mod groups;
mod hand_over;
mod limits;
mod machine;
mod names;
mod periodic;
mod pools;
mod process;
mod program;
mod remarks;
mod runtime;
mod scheduler;
mod servers;
mod state;
mod syncs;
mod task;
mod things;

pub(super) use self::machine::{start_cost, stepped_cost};
use super::words::{LANGUAGE, planned};
use super::{Arrival, Attributes, Executor, Group, Machine, Op, Position, Runtime, Scenario, Scheduler, Way};
use crate::document::{Document, Mistake, Mistakes, Note, Override, Source, Spot, Table};
use crate::ids::{GroupId, IdVec, SyncId};
use crate::policy::grouped;
use crate::time::{Span, Time};

/// Reads a scenario.
///
/// ```
/// use sim_core::scenario::lower;
/// use sim_core::document::{Override, Source};
/// let text = r#"
///     [[task]]
///     name = "hello"
///     program = [{ cpu = "5ms" }]
/// "#;
/// let source = Source { file: "hello.toml", text };
/// let scenario = lower::scenario(&source, &[Override::new("machine.processors", "2")]).unwrap();
/// assert_eq!(scenario.machine.processors.len(), 2);
///
/// let mistakes = lower::scenario(&source, &[Override::new("machine.procesors", "2")]).unwrap_err();
/// assert!(mistakes.to_string().contains("did you mean `processors`?"));
/// ```
///
/// # Errors
/// Everything that is wrong with the file and the overrides.
pub fn scenario(source: &Source<'_>, overrides: &[Override]) -> Result<Scenario, Mistakes> {
    scenario_with_remarks(source, overrides).map(|(scenario, _)| scenario)
}

/// Reads a scenario, and says what in it is right but hardly meant: parameters that mean nothing to the policy, gaps
/// between the arrivals of one instance.
///
/// # Errors
/// As [`scenario`].
pub fn scenario_with_remarks(
    source: &Source<'_>,
    overrides: &[Override],
) -> Result<(Scenario, Vec<Mistake>), Mistakes> {
    // The document is gone before the scenario is made.
    let read = parsed(source).read(overrides, define);
    read.map(|(definition, remarks)| (expand::expand(definition), remarks))
}

/// Parses a file, to be read with one override after the other.
#[must_use]
pub fn parsed<'a>(source: &Source<'a>) -> Document<'a> {
    Document::parse(source, &LANGUAGE)
}

/// The same as [`scenario_with_remarks`] of a file that has been [`parsed`].
///
/// # Errors
/// As [`scenario`].
pub fn document(document: &Document<'_>, overrides: &[Override]) -> Result<(Scenario, Vec<Mistake>), Mistakes> {
    let (definition, remarks) = document.read(overrides, define)?;
    Ok((expand::expand(definition), remarks))
}

/// What the file says, checked, with processes and tasks as written.
struct Definition {
    title: String,
    seed: u64,
    until: Option<Time>,
    machine: Machine,
    scheduler: Scheduler,
    things: things::Things,
    groups: IdVec<GroupId, Group>,
    processes: Vec<ProcessDefinition>,
    /// The tasks of the first process, then those of the second, …
    tasks: Vec<TaskDefinition>,
}

/// A `[[process]]`, or the process `main` of the tasks at the top level.
struct ProcessDefinition {
    name: String,
    count: u32,
    /// Where the count stands, or else the process.
    spot: Spot,
    runtime: Runtime,
    executor: Executor,
    group: Option<GroupId>,
    /// Its tasks are these of all tasks.
    tasks: std::ops::Range<usize>,
    /// And these, which are branches of those.
    branches: std::ops::Range<usize>,
    /// Which pool it is, if it is one.
    part: Option<pools::PartDefinition>,
}

/// A `[[task]]` or `[[process.task]]`.
#[derive(Clone)]
struct TaskDefinition {
    /// Its process, by number.
    process: usize,
    name: String,
    count: u32,
    /// Where the count stands, or else the task.
    spot: Spot,
    arrival: Arrival,
    after: Vec<Target>,
    attributes: Attributes,
    code: Code,
    /// The task whose operation this is, and the place of that operation.
    caller: Option<(usize, u32, Way)>,
}

/// A task that is referred to from another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Target {
    /// Its number among all definitions.
    task: usize,
    which: Which,
}

/// Which copy of the process of the task is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Which {
    /// The process that refers to it.
    Own,
    /// The one of this number.
    Copy(u32),
    /// Each of them.
    All,
}

/// A program whose references to tasks are not yet filled in.
#[derive(Clone, Debug, Default)]
struct Code {
    ops: Vec<Op>,
    /// Where each of them stands.
    positions: Vec<Position>,
    loop_depth: u32,
    /// The `spawn`s and `join`s, by their position, and what they refer to.
    links: Vec<(usize, Target)>,
    /// How many instances of which task one run of the program spawns at most; endless loops count once.
    spawns: std::collections::BTreeMap<usize, u64>,
    /// What it does on pools.
    calls: Vec<pools::Call>,
    /// What it does in branches.
    branches: Vec<branches::Branch>,
    /// Does it do anything there?
    uses_pools: bool,
    /// Its notifications by Hoare's rule: at which condition variable, which locks are held there, and where it stands.
    notifies: Vec<(SyncId, Vec<SyncId>, Spot)>,
    /// Its `"end"`s, by their position: the semaphores of which it was said already that it ends there with permits, and where it stands.
    ends: Vec<(usize, Vec<SyncId>, Spot)>,
    /// The heads of its `while`s, by their position, and where they stand.
    loops: Vec<(usize, Spot)>,
    /// Where its first request stands that blocks the whole thread.
    blocking: Option<Spot>,
    /// Where it says what is done `else` by whom a pool turns away, by the operation.
    otherwise: Vec<(usize, Spot)>,
}

/// A file that names a scenario is an experiment with it. Nothing else in it is looked at.
fn refuse_experiment(file: &mut Table<'_>) {
    let Some(spot) = file.key_spot("scenario") else { return };
    if let [_, _, ..] = file.present(planned::EXPERIMENT).as_slice() {
        let note = Note::new(spot, "this file is an experiment, not a scenario");
        file.log().add(note.hint("`sim sweep` runs experiments"));
        file.tolerate_all();
    }
}

fn define(file: &mut Table<'_>) -> Definition {
    refuse_experiment(file);
    let title = file.text("title").unwrap_or_default().to_owned();
    let seed = file.item("seed").and_then(remarks::seed);
    // A horizon that is there but wrong still is one: what depends on it is not wrong too.
    let until = file.item("until").map(|item| item.positive_span().unwrap_or(Span::MAX));
    let (mut machine, processors, phase) = machine::read(file.table("machine", "[machine]"));
    let (mut scheduler, chosen) = scheduler::read(file.table("scheduler", "[scheduler]"), file.log());
    phase.into_iter().for_each(|item| machine::judge_phase(item, &machine, &*scheduler.settings));
    let mut things = things::read(file);
    let groups = groups::read(file, &processors);
    let (mut drafts, mut tasks) = process::read(file, &processors, &groups);
    task::finish(&mut tasks, &drafts, &things, until.is_some(), file.log());
    branches::seat(&mut tasks, &mut drafts);
    pools::seat(&mut tasks, &mut drafts, file.log());
    if until.is_none() {
        state::judge_loops(&tasks, &things.variables, file.log());
    }
    groups.give(&mut tasks, &drafts.processes, processors.count, file.log());
    let by_weight = remarks::by_weight(&scheduler);
    if !groups.all.is_empty() && by_weight.is_ok() {
        scheduler.settings = grouped(&scheduler.settings, &groups.all);
    }
    groups.look(&drafts.processes, by_weight, file.log());
    hand_over::judge_notifications(&tasks, &things.syncs, file.log());
    endings::judge(&tasks, &things.syncs, file.log());
    runtime::give_objects(&drafts.processes, &tasks, &mut things.syncs, file.log());
    let ops = tasks.iter().flat_map(|task| &task.code.ops);
    machine::set_tick(&mut machine, ops.filter_map(|op| if let Op::Cpu(burst) = op { Some(burst) } else { None }));
    device::set_tracks(&mut things.devices, tasks.iter().flat_map(|task| &task.code.ops));
    let definition = Definition {
        title,
        seed: seed.unwrap_or(0),
        until: until.map(|span| Time::ZERO + span),
        machine,
        scheduler,
        things,
        groups: groups.all,
        processes: drafts.processes,
        tasks,
    };
    if definition.tasks.is_empty() && file.log().is_empty() {
        let note = Note::new(Spot::WHOLE, "there is no task, so there is nothing to do");
        file.log().add(note.hint("add a [[task]] with a name and a program, such as program = [{ cpu = \"5ms\" }]"));
    }
    graph::check(&definition, &drafts.tasks, file.log());
    limits::check(&definition, file.log());
    crews::check(&definition, file.log());
    crews::look(&definition, file.log());
    servers::look(&definition, file.log());
    state::look(&definition.tasks, &definition.things, file.log());
    let spots = |draft: &task::Draft<'_>| draft.hopes.iter().find(|(key, _)| *key == "server").map(|(_, spot)| *spot);
    servers::check(&definition, drafts.tasks.iter().map(spots), file.log());
    remarks::look(&definition, &drafts.tasks, chosen, file.log());
    definition
}
