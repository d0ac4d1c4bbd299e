//! `[[task]]`: its instances, when they arrive, what the scheduler may know of it, and its program.

use std::collections::BTreeSet;

use super::limits::INSTANCES;
use super::machine::Processors;
use super::names::{Names, Register, name};
use super::process::Drafts;
use super::program::{self, Context};
use super::things::Things;
use super::{Code, Target, TaskDefinition};
use super::{periodic, servers};
use crate::distribution::DISTRIBUTIONS;
use crate::document::{Item, Kind, Log, Note, Spot, Table, quoted};
use crate::policy::{OnMiss, SchedulingClass};
use crate::scenario::words::{did_you_mean, value_elsewhere};
use crate::scenario::{Arrival, Attributes};
use crate::time::{Span, Time};

/// Priorities reach from minus to plus this.
pub(super) const PRIORITY: i64 = 1_000_000_000;
/// The most tickets of an instance.
const TICKETS: u32 = 1_000_000;

/// What says something to some policies or machines, and nothing to others.
const ATTRIBUTES: &[&str] = &["priority", "class", "rt-priority", "nice", "slice", "tickets", "server", "working-set"];

/// What else is known of a task before its references to other tasks are looked up.
pub(super) struct Draft<'a> {
    /// Its process, by number of the definition.
    pub(super) process: usize,
    pub(super) name: &'a str,
    /// Is it started by others only?
    pub(super) is_spawned: bool,
    /// Where it stands.
    pub(super) spot: Spot,
    pub(super) after: Option<Item<'a>>,
    /// The keys among [`ATTRIBUTES`] that it has, and where.
    pub(super) hopes: Vec<(&'static str, Spot)>,
    /// Where its period stands, if it is periodic without end.
    endless: Option<Spot>,
    /// Where it says what becomes of late jobs.
    on_miss: Option<Item<'a>>,
    /// The name of its server, if it has one.
    server: Option<servers::Named<'a>>,
    program: Option<Item<'a>>,
}

/// Reads a task as far as that is possible without knowing the others.
pub(super) fn read<'a>(
    mut table: Table<'a>,
    process: usize,
    register: &mut Register<'a>,
    processors: &Processors,
) -> (TaskDefinition, Draft<'a>) {
    let name = name(&mut table, register);
    let count = table.item("count");
    let arrival_item = table.item("arrival");
    let arrival = arrival_item.and_then(arrival);
    let (mut attributes, server) = attributes(&mut table, processors);
    let hopes = table.given_among(ATTRIBUTES).collect();
    let after = table.item("after");
    let program = table.required("program", "what an instance of the task does");
    let arrival = arrival.unwrap_or(Arrival::At(Time::ZERO));
    let is_spawned = arrival == Arrival::Spawned;
    let on_miss = table.item("on-miss");
    let (periodic, spot) = periodic::read(&mut table, is_spawned).unzip();
    attributes.periodic = periodic;
    let endless = spot.filter(|_| attributes.periodic.as_ref().is_some_and(|periodic| periodic.jobs.is_none()));
    let instances = instances(&arrival, count);
    if let (Arrival::Every(_) | Arrival::Gap(_), Some(item), None) = (&arrival, arrival_item, count) {
        let note = Note::new(item.spot(), "`arrival` is for several instances, and without `count` there is one");
        item.log().remark(note.hint("add a count, such as count = 10"));
    }
    if let (Arrival::Every(span), Some(item)) = (&arrival, arrival_item) {
        let last = u128::from(span.ns()) * u128::from(instances.saturating_sub(1));
        if last > u128::from(Span::MAX.ns()) {
            let sentence = format!("the last of {instances} instances would arrive after 2^63 ns (about 292 years)");
            item.log().add(Note::new(item.spot(), sentence));
        }
    }
    let definition = TaskDefinition {
        process,
        name: name.to_owned(),
        count: instances,
        spot: count.map_or(table.spot(), |item| item.spot()),
        arrival,
        after: Vec::new(),
        attributes,
        code: Code::default(),
        caller: None,
    };
    let spot = table.spot();
    (definition, Draft { process, name, is_spawned, spot, after, hopes, endless, on_miss, server, program })
}

/// How many instances arrive by themselves.
fn instances(arrival: &Arrival, count: Option<Item<'_>>) -> u32 {
    let number = count
        .and_then(|item| if let Kind::Text(_) = item.kind() { no_number(item) } else { item.count(0..=INSTANCES) });
    match (arrival, count) {
        (Arrival::Spawned, Some(item)) => {
            item.wrong(
                "a task that is spawned has no `count`",
                "there are as many instances as others spawn: { repeat = 5, do = [{ spawn = … }] }",
            );
            0
        }
        (Arrival::Spawned, None) => 0,
        (Arrival::List(times), count) => {
            let instances = u32::try_from(times.len()).unwrap_or(u32::MAX);
            if let (Some(item), Some(number)) = (count, number)
                && number != instances
            {
                let sentence = format!("`count` is {number}, but `arrival` lists {instances} times");
                item.wrong(sentence, "there is one time for each instance, so `count` can be left out");
            }
            instances
        }
        (_, Some(_)) => number.unwrap_or(0),
        (_, None) => 1,
    }
}

/// Instances are counted, also those that come for as long as the run lasts.
fn no_number(item: Item<'_>) -> Option<u32> {
    let text = item.text()?;
    if text.trim().parse::<u32>().is_ok() {
        return item.count(0..=INSTANCES);
    }
    let hint = "to let them come until the end of the run write a number that is large enough, and a horizon (until); one that goes on and on has \
                { repeat = \"forever\", do = [ … ] } in its program";
    item.wrong(format!("`count` must be a whole number, not the text {text:?}"), hint);
    None
}

fn arrival(item: Item<'_>) -> Option<Arrival> {
    match item.kind() {
        Kind::Text(text) if text == "spawned" => Some(Arrival::Spawned),
        Kind::Text(text) if !text.contains(|letter: char| letter.is_ascii_digit()) => {
            let hint = || "write a duration, such as \"5ms\", or \"spawned\"".to_owned();
            let way = value_elsewhere("`arrival`", text).unwrap_or_else(|| did_you_mean(text, ["spawned"], hint));
            item.wrong(format!("`arrival` cannot be {}", quoted(text)), way);
            None
        }
        Kind::List(_) => {
            let times: Vec<_> = item.list()?.iter().map(Item::span).collect();
            let times = times.into_iter().collect::<Option<Vec<Span>>>()?;
            Some(Arrival::List(times.into_iter().map(|span| Time::ZERO + span).collect()))
        }
        Kind::Table(entries) => {
            let mut table = item.table("`arrival`")?;
            let (every, gap) = (table.item("every"), table.item("gap"));
            match (every, gap) {
                (Some(every), None) => Some(Arrival::Every(every.span()?)),
                (None, Some(gap)) => Some(Arrival::Gap(gap.distribution()?)),
                (None, None) if let Some(law) = entries.iter().find(|entry| is_law(&entry.key)) => {
                    table.tolerate_all();
                    let value = match &law.value.kind {
                        Kind::Text(text) => format!("\"{text}\""),
                        _ => "…".to_owned(),
                    };
                    item.log().add(
                        Note::new(law.key_spot, format!("`arrival` is no distribution: `{}` of what?", law.key)).hint(
                            format!("the gaps between arrivals are drawn: {{ gap = {{ {} = {value} }} }}", law.key),
                        ),
                    );
                    None
                }
                // A misspelt one is reported as an unknown key.
                (None, None) if !entries.is_empty() => None,
                _ => {
                    let example = "{ every = \"10ms\" } or { gap = { exponential = \"10ms\" } }";
                    item.wrong("`arrival` needs either `every` or `gap`", format!("write {example}"));
                    None
                }
            }
        }
        _ => Some(Arrival::At(Time::ZERO + item.span()?)),
    }
}

/// Is this the name of a distribution?
fn is_law(key: &str) -> bool {
    DISTRIBUTIONS.iter().any(|(name, ..)| *name == key)
}

fn attributes<'a>(table: &mut Table<'a>, processors: &Processors) -> (Attributes, Option<servers::Named<'a>>) {
    let priority = table.integer("priority", -PRIORITY..=PRIORITY);
    let nice = table.integer("nice", -20..=19).and_then(|nice| i8::try_from(nice).ok());
    let tickets = table.item("tickets").and_then(|item| item.count(1..=TICKETS));
    let affinity = table.item("affinity").and_then(|item| processors.affinity(item));
    let class = table.item("class");
    let class = class.and_then(|item| Some((item.one_of(&SchedulingClass::ALL.map(SchedulingClass::name))?, item)));
    let (server, named) = periodic::server(table);
    if let (Some((0, item)), None, None) = (class, server, named) {
        let hint = "add server = { budget = \"2ms\", period = \"10ms\" }";
        item.wrong("the class `deadline` goes by a budget and its period, and there is no `server`", hint);
    }
    let rt_priority = table.item("rt-priority").and_then(|item| item.count(1..=99));
    let working_set = table.item("working-set").and_then(|item| item.count(0..=u32::MAX));
    let attributes = Attributes {
        priority: priority.unwrap_or(0),
        class: class.map_or(SchedulingClass::Other, |(number, _)| SchedulingClass::ALL[number]),
        rt_priority: rt_priority.and_then(|priority| u8::try_from(priority).ok()).unwrap_or(1),
        nice: nice.unwrap_or(0),
        slice: table.positive_span("slice"),
        tickets: tickets.unwrap_or(100),
        affinity,
        working_set,
        periodic: None,
        server,
        groups: None,
    };
    (attributes, named.map(|item| servers::Named { item, has_priority: priority.is_some() }))
}

/// Looks up the references between tasks and compiles their programs.
pub(super) fn finish(tasks: &mut [TaskDefinition], drafts: &Drafts<'_>, things: &Things, ends: bool, log: &Log) {
    let names = Names::of(drafts);
    for (task, draft) in tasks.iter_mut().zip(&drafts.tasks) {
        let context = Context { names: &names, things, ends, process: draft.process };
        periodic::check_end(draft.endless, ends, log);
        let aborts = task.attributes.periodic.as_ref().is_some_and(|periodic| periodic.on_miss == OnMiss::Abort);
        if let Some(item) = draft.on_miss.filter(|_| aborts) {
            periodic::check_abort(item, names.executor(draft.process));
        }
        if let Some(item) = &draft.server {
            servers::assign(task, item, &things.servers);
        }
        task.after = draft.after.map(|item| after(item, draft, &names)).unwrap_or_default();
        task.code = draft.program.map(|program| program::compile(context, program)).unwrap_or_default();
    }
}

/// The tasks that must have finished before.
fn after(item: Item<'_>, draft: &Draft<'_>, names: &Names<'_, '_>) -> Vec<Target> {
    if draft.is_spawned {
        let note = Note::new(item.spot(), "a task that is spawned cannot have `after`: it starts when it is spawned");
        item.log().add(note.hint("let the task that spawns it wait, or let it `join` before"));
        return Vec::new();
    }
    let mut targets: BTreeSet<Target> = BTreeSet::new();
    for element in item.list().unwrap_or_default() {
        let Some(target) = names.resolve(element, draft.process) else { continue };
        if names.is_spawned(target.task) {
            let call = names.call(target.task, draft.process);
            let sentence = format!("`after` cannot name {}, which is spawned by other tasks", quoted(&call));
            element.wrong(sentence, "name the task that spawns it, and let that one `join` it");
        } else {
            targets.insert(target);
        }
    }
    targets.into_iter().collect()
}
