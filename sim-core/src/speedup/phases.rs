//! What takes time in programs.

use super::{Candidate, Change, Degree, Search, Set, Subject};
use crate::distribution::Distribution;
use crate::document::key;
use crate::ids::{Id as _, SpecId};
use crate::scenario::Op;

impl Search<'_> {
    /// Each operation of each kind of tasks that takes time.
    pub(super) fn phases(&self) -> Vec<Candidate> {
        let mut found = Vec::new();
        for (kind, spec) in self.one_of_each().pairs() {
            for op in self.operations(*spec) {
                if let Some(changes) = self.faster(&[(*spec, op)]) {
                    found.push(Candidate::new(Subject::Phase { kind, spec: *spec, op }, changes));
                }
            }
        }
        found
    }

    /// All bursts together.
    pub(super) fn work(&self) -> Option<Candidate> {
        let ops = self.all_that(|op| matches!(op, Op::Cpu(_)));
        Some(Candidate::new(Subject::Work, self.faster(&ops)?))
    }

    /// All requests of each device, and more channels.
    pub(super) fn devices(&self) -> Vec<Candidate> {
        let mut found = Vec::new();
        for (id, device) in self.scenario.devices.pairs() {
            let ops = self.all_that(|op| matches!(op, Op::Io { device, .. } if *device == id));
            if ops.is_empty() {
                continue;
            }
            if let Some(changes) = self.faster(&ops) {
                found.push(Candidate::new(Subject::Device(id), changes));
            }
            let path = format!("device.{}.channels", key(&device.name));
            let channels = device.channels.filter(|_| device.head.is_none());
            if let Some(changes) =
                channels.and_then(|count| self.more(count, |count| vec![vec![(path.clone(), count)]]))
            {
                found.push(Candidate::new(Subject::Channels(id), changes));
            }
        }
        found
    }

    /// The operations of one task of each kind that are meant.
    pub(super) fn all_that(&self, meant: impl Fn(&Op) -> bool) -> Vec<(SpecId, u32)> {
        let of_spec = |spec: &SpecId| {
            let (spec, ops) = (*spec, &self.scenario.specs[*spec].program.ops);
            let meant = self.operations(spec).into_iter().filter(|op| meant(&ops[*op as usize]));
            meant.map(move |op| (spec, op)).collect::<Vec<_>>()
        };
        self.one_of_each().iter().flat_map(of_spec).collect()
    }

    /// The operations of a program that take time.
    fn operations(&self, spec: SpecId) -> Vec<u32> {
        let ops = (0..).zip(&self.scenario.specs[spec].program.ops);
        ops.filter(|(_, op)| duration(op).is_some_and(|time| !time.is_free())).map(|(place, _)| place).collect()
    }

    /// These operations faster, by each of the percentages.
    pub(super) fn faster(&self, ops: &[(SpecId, u32)]) -> Option<Vec<Change>> {
        let change = |percent: &u32| {
            let ways = self.ways(ops, *percent)?;
            Some(Change { degree: Degree::Faster(*percent), sets: self.first_possible(ways)? })
        };
        let changes: Vec<Change> = self.percents.iter().filter_map(change).collect();
        (!ops.is_empty() && !changes.is_empty()).then_some(changes)
    }

    /// The edits that make these operations faster, with the names that the tasks of the top level may have.
    fn ways(&self, ops: &[(SpecId, u32)], percent: u32) -> Option<[Vec<Set>; 2]> {
        let edit = |top: &str| -> Option<Vec<Set>> {
            let set = |(spec, op): &(SpecId, u32)| {
                let task = &self.scenario.specs[*spec];
                let (home, way) = self.scenario.path_of(*spec, *op)?;
                let (kind, op) = (self.kinds.of_spec(u32::try_from(home.index()).ok()?), *op);
                let name = &self.kinds.names[kind];
                let (word, time) = match &task.program.ops[op as usize] {
                    Op::Cpu(work) => ("cpu", work),
                    Op::Io { service, .. } => ("for", service),
                    Op::Sleep(time) => ("sleep", time),
                    _ => return None,
                };
                let process = if name.process == "main" { top.to_owned() } else { in_process(&name.process) };
                Some((format!("{process}task.{}.program.{way}.{word}", key(&name.task)), time.faster(percent).toml()))
            };
            ops.iter().map(set).collect()
        };
        Some([edit("")?, edit(&in_process("main"))?])
    }
}

/// The beginning of a path to what is in a process.
pub(super) fn in_process(name: &str) -> String {
    format!("process.{}.", key(name))
}

/// What an operation takes.
fn duration(op: &Op) -> Option<&Distribution> {
    match op {
        Op::Cpu(time) | Op::Sleep(time) | Op::Io { service: time, .. } => Some(time),
        _ => None,
    }
}
