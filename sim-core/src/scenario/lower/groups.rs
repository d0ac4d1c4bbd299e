//! `[[group]]`: what processes share processor time as one, and how much of it they may use.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::Processors;
use super::names::{Register, name};
use super::{ProcessDefinition, TaskDefinition};
use crate::distribution::Distribution;
use crate::document::{Item, Kind, Log, Note, Spot, Table, add_one, likely_first, listing, quoted, there_is};
use crate::ids::{CpuId, GroupId, IdVec};
use crate::policy::{CpuSet, Share};
use crate::scenario::{Group, Quota, lineage};
use crate::time::Span;

/// What its table is called in messages.
const GROUP: &str = "[[group]]";

/// The usual period of a quota.
const PERIOD: Span = Span::from_ms(100);

/// The weight of groups that name none, and of threads of no group whose `nice` is 0.
const WEIGHT: u32 = 100;
const WEIGHTS: std::ops::RangeInclusive<u32> = 1..=10_000;

/// What belongs to a quota.
const OF_QUOTA: [&str; 4] = ["period", "burst", "phase", "slice"];

/// The groups of a file.
#[derive(Default)]
pub(super) struct Groups<'a> {
    pub(super) all: IdVec<GroupId, Group>,
    names: BTreeMap<&'a str, GroupId>,
    /// Where they stand, and which parent each names.
    places: IdVec<GroupId, Place<'a>>,
}

struct Place<'a> {
    spot: Spot,
    weight: Option<Spot>,
    parent: Option<Item<'a>>,
    processors: Option<Spot>,
}

/// Reads all groups of a file. One table `[group]` is one group.
pub(super) fn read<'a>(file: &mut Table<'a>, processors: &Processors) -> Groups<'a> {
    let mut groups = Groups::default();
    let Some(item) = file.item("group") else { return groups };
    let tables = match item.kind() {
        Kind::Text(name) => {
            let sentence = "`group` at the top of a file declares groups: it cannot name one as well";
            let hint = format!(
                "write [[group]] and name = {name:?}: without [[process]], all tasks are in the one group of the file"
            );
            item.wrong(sentence, hint);
            return groups;
        }
        Kind::Table(_) => item.table(GROUP).into_iter().collect(),
        _ => file.tables("group", GROUP),
    };
    let mut register = Register::new("group");
    for mut table in tables {
        let name = name(&mut table, &mut register);
        let (group, place) = group(&mut table, name, processors);
        groups.places.push(place);
        let id = groups.all.push(group);
        groups.names.entry(name).or_insert(id);
    }
    groups.join_parents(file.log());
    groups.check_processors(processors, file.log());
    groups
}

fn group<'a>(table: &mut Table<'a>, name: &str, processors: &Processors) -> (Group, Place<'a>) {
    let parent = table.item("parent");
    let weight = table.item("weight");
    let quota = quota(table, processors.count);
    let own = table.item("processors");
    let place = Place {
        spot: table.spot(),
        weight: weight.map(|item| item.spot()),
        parent,
        processors: own.map(|item| item.spot()),
    };
    let group = Group {
        name: name.to_owned(),
        parent: None,
        weight: weight.and_then(|item| item.count(WEIGHTS)).unwrap_or(WEIGHT),
        quota,
        processors: own.and_then(|item| processors.affinity(item)),
    };
    (group, place)
}

fn quota(table: &mut Table<'_>, processors: u32) -> Option<Quota> {
    let item = table.item("quota");
    let period = table.positive_span("period").unwrap_or(PERIOD);
    let burst = table.span("burst").unwrap_or(Span::ZERO);
    let phase = table.item("phase").and_then(|item| Some((item.distribution()?, item)));
    let slice = table.positive_span("slice");
    let Some(item) = item else {
        for (key, spot) in table.given_among(&OF_QUOTA) {
            let note = Note::new(spot, format!("`{key}` is of a quota, and the group has none"));
            table.log().add(note.hint("add quota = \"50ms\", the processor time that it may use in each period"));
        }
        return None;
    };
    if let Some((Distribution::Constant(phase), item)) = &phase
        && *phase >= period
    {
        let sentence = format!("the first period begins at {phase}, and they come every {period}");
        item.wrong(sentence, "`phase` is shorter than `period`");
    }
    if let Some(hint) = share(item, period) {
        item.wrong("`quota` is processor time, not a number of processors or a share of them", hint);
        return None;
    }
    let amount = item.positive_span()?;
    if amount.ns() < u64::from(processors) {
        // All processors would ask for a part of it, and nobody would ever run.
        let sentence = format!("{amount} are too little for {processors} processors: each needs a nanosecond");
        item.wrong(sentence, "a quota in Linux is at least 1 ms");
        return None;
    }
    let most = u128::from(period.ns()) * u128::from(processors);
    if u128::from(amount.ns()) >= most {
        let of = if processors == 1 { "one processor".to_owned() } else { format!("{processors} processors") };
        let note = Note::new(item.spot(), format!("{amount} are never used up: in {period}, {of} have no more"));
        item.log().remark(note.hint("`quota` is the processor time of all processors together, in each `period`"));
    }
    let phase = phase.map_or(Distribution::Constant(Span::ZERO), |(phase, _)| phase);
    Some(Quota { amount, period, burst, phase, slice })
}

/// How a quota is written that stands there as a number of processors, a share of one, or, as in `cpu.max`, as microseconds.
fn share(item: Item<'_>, period: Span) -> Option<String> {
    /// So many processors nobody has.
    const PROCESSORS: f64 = 1000.0;
    let number = match item.kind() {
        Kind::Integer(_) | Kind::Float(..) => item.number()?,
        Kind::Text(text) if ["max", "unlimited", "none"].contains(&text.trim()) => {
            return Some("a group that may use all has no `quota`: leave it out".to_owned());
        }
        Kind::Text(text) => {
            let number = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '%' || letter == ' ');
            match text[number.len()..].trim() {
                "%" => number.parse::<f64>().ok()? / 100.0,
                "" | "core" | "cores" | "cpu" | "cpus" | "processor" | "processors" => number.parse().ok()?,
                _ => return None,
            }
        }
        _ => return None,
    };
    if !(number.is_finite() && number > 0.0) {
        return None;
    }
    let ns = if number < PROCESSORS { period.seconds() * 1e9 * number } else { number * 1e3 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and shown only")]
    let quota = Span::from_ns(ns as u64);
    Some(if number < PROCESSORS {
        format!("that would be quota = \"{quota}\" in each period = \"{period}\"")
    } else {
        format!("microseconds, as in cpu.max, would be quota = \"{quota}\"")
    })
}

impl<'a> Groups<'a> {
    /// The group that somebody names.
    pub(super) fn find(&self, item: Item<'_>) -> Option<GroupId> {
        let found = item.text()?;
        if let Some(id) = self.names.get(found) {
            return Some(*id);
        }
        let declared = || self.names.keys().copied().filter(|name| !name.is_empty());
        item.unknown(format!("the group {} is not declared", quoted(found)), found, declared(), || {
            match declared().next() {
                None => add_one("group", found),
                Some(_) => there_is(likely_first(found, declared())),
            }
        });
        None
    }

    /// The group of the tasks at the top level of a file that has no `[[process]]`: the one that no other is in.
    pub(super) fn of_main(&self, log: &Log) -> Option<GroupId> {
        let is_parent = |id: &GroupId| self.all.iter().any(|group| group.parent == Some(*id));
        let innermost: Vec<GroupId> = self.all.ids().filter(|id| !is_parent(id)).collect();
        if let [first, second, ..] = innermost[..] {
            let names = [first, second].map(|id| quoted(&self.all[id].name));
            let sentence = format!("which group are the tasks in: {} or {}?", names[0], names[1]);
            let note = Note::new(self.places[second].spot, sentence);
            log.add(
                note.hint("tasks at the top level are in one group: give them a [[process]] that names its `group`"),
            );
        }
        innermost.first().copied()
    }

    fn join_parents(&mut self, log: &Log) {
        for id in self.all.ids() {
            self.all[id].parent = self.places[id].parent.and_then(|item| self.find(item));
        }
        for id in self.all.ids() {
            // Whoever comes from a circle to itself is in it; the first of them is told, and is in no other group from now on.
            let ways = lineage(&self.all, self.all[id].parent).take(self.all.len());
            let circle: Vec<GroupId> = ways.take_while(|other| *other != id).collect();
            let closed = circle.last().map_or(self.all[id].parent, |last| self.all[*last].parent) == Some(id);
            if closed && let Some(item) = self.places[id].parent {
                let names = std::iter::once(&id).chain(&circle).chain([&id]).map(|id| quoted(&self.all[*id].name));
                let path = names.collect::<Vec<_>>().join(" in ");
                let note = Note::new(item.spot(), format!("these groups would be in each other: {path}"));
                log.add(note.hint("leave out one of these `parent`"));
                self.all[id].parent = None;
            }
        }
    }

    /// A group uses no processor that its parent may not use.
    fn check_processors(&mut self, processors: &Processors, log: &Log) {
        for id in self.all.ids() {
            let parents: Vec<GroupId> = lineage(&self.all, self.all[id].parent).collect();
            let Some(parent) = parents.into_iter().find(|parent| self.all[*parent].processors.is_some()) else {
                continue;
            };
            let (own, of_parent) = (self.all[id].processors.as_ref(), self.all[parent].processors.as_ref());
            let beyond = |cpu: &CpuId| {
                own.is_some_and(|set| set.contains(*cpu)) && of_parent.is_some_and(|set| !set.contains(*cpu))
            };
            if let (Some(spot), Some(cpu)) = (self.places[id].processors, (0..processors.count).map(CpuId).find(beyond))
            {
                let parent = quoted(&self.all[parent].name);
                let note = Note::new(spot, format!("processor {} is none of those of {parent}, in which it is", cpu.0));
                log.add(note.hint("a group uses some of the processors of its `parent`"));
            }
        }
    }

    /// Tells each task which groups it is in, and takes the processors from it that they may not use.
    pub(super) fn give(&self, tasks: &mut [TaskDefinition], processes: &[ProcessDefinition], count: u32, log: &Log) {
        for task in tasks {
            let process = &processes[task.process];
            let ways: Vec<GroupId> = lineage(&self.all, process.group).collect();
            if ways.is_empty() {
                continue;
            }
            let shares = ways.iter().map(|id| Share { group: *id, weight: self.all[*id].weight });
            task.attributes.groups = Some(shares.collect());
            let limits: Vec<&CpuSet> = ways.iter().filter_map(|id| self.all[*id].processors.as_ref()).collect();
            if limits.is_empty() {
                continue;
            }
            let may = |cpu: &CpuId| task.attributes.allows(*cpu) && limits.iter().all(|set| set.contains(*cpu));
            let cpus: Vec<CpuId> = (0..count).map(CpuId).filter(may).collect();
            if cpus.is_empty() && log.is_empty() {
                let sentence = format!("the task {} may use no processor at all", quoted(&task.name));
                let note = Note::new(task.spot, sentence);
                log.add(note.hint("its `affinity` and the `processors` of its group have none in common"));
            } else if cpus.len() < count as usize {
                task.attributes.affinity = Some(cpus.into_iter().collect());
            }
        }
    }

    /// Groups of no process, and weights that mean nothing to the policy.
    pub(super) fn look(&self, processes: &[ProcessDefinition], by_weight: Result<(), (&str, Vec<&str>)>, log: &Log) {
        let used: BTreeSet<GroupId> = processes.iter().flat_map(|process| lineage(&self.all, process.group)).collect();
        for (id, place) in self.places.pairs() {
            if !used.contains(&id) {
                let note = Note::new(place.spot, format!("no process is in the group {}", quoted(&self.all[id].name)));
                log.remark(note.hint(format!("add group = {:?} below a [[process]]", self.all[id].name)));
            }
        }
        let weight = self.places.iter().find_map(|place| place.weight);
        if let (Some(spot), Err((policy, takers))) = (weight, by_weight) {
            let note = Note::new(spot, format!("`weight` means nothing to `{policy}`"));
            log.remark(note.hint(format!("it is for {}", listing(takers))).tolerated());
        }
    }
}
