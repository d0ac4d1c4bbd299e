//! `sim merge`: the parts of an experiment become its results, if they are all there and belong together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sim_core::experiment::Experiment;

use super::super::{Failure, Verdict};
use super::{Kept, Said, finish};
use crate::args::MergeArgs;
use crate::sweep::line::Cell;
use crate::sweep::results::Results;
use crate::sweep::shard::Shard;
use crate::sweep::store::Store;

pub(in super::super) fn merge(args: &MergeArgs) -> Result<Verdict, Failure> {
    let said = Said { json: args.json, quiet: args.quiet, full: args.full, report: !args.no_report, reused: 0 };
    join(&args.folders, &args.out, said)
}

/// Joins these shards into a folder.
fn join(folders: &[PathBuf], out: &Path, said: Said) -> Result<Verdict, Failure> {
    let mut parts = Vec::with_capacity(folders.len());
    for folder in folders {
        parts.push((folder, Kept::read(folder, false)?));
    }
    let Some((first, Kept { plan, header, .. })) = parts.first() else { return Ok(Verdict::Done) };
    for (folder, part) in &parts {
        let of_shard = part.header.shard().ok_or_else(|| {
            Failure::from(format!("{} holds the whole experiment, not a shard of it", folder.display()))
        })?;
        let same = (&part.header.fingerprint, part.header.warm_up_ns) == (&header.fingerprint, header.warm_up_ns);
        if !same || header.shard().is_none_or(|shard| shard.of != of_shard.of) {
            return Err(Failure::from(format!(
                "{} and {} do not belong together: they are shards of different experiments, or of different numbers of shards",
                first.display(),
                folder.display()
            )));
        }
    }
    complete(&parts)?;
    let mut results = Results::new(&plan.experiment, None);
    let mut lines: Vec<((usize, u32), &str)> = Vec::new();
    for (folder, part) in &parts {
        for (cell, line) in &part.cells {
            results.add(cell.clone()).map_err(|why| Failure::from(format!("{}: {why}", folder.display())))?;
            lines.push(((cell.variation, cell.replication), line));
        }
    }
    lines.sort_unstable();
    // A merge that was cut off goes on: what is there must be what would come.
    let mut there = BTreeSet::new();
    let known: BTreeSet<&str> = lines.iter().map(|(_, line)| *line).collect();
    let take = |line: &str| match known.contains(line) && there.insert(line.to_owned()) {
        true => Ok(()),
        false => Err("it is in none of the shards, or twice".to_owned()),
    };
    let whole = plan.header(None, header.warm_up_ns);
    let (mut store, _) = Store::open(out, &whole, &plan.copies(), take).map_err(Failure::from)?;
    for (_, line) in lines.iter().filter(|(_, line)| !there.contains(*line)) {
        store.add(&format!("{line}\n")).map_err(Failure::from)?;
    }
    store.put_in_order(super::place).map_err(Failure::from)?;
    finish(plan, &results, out, said)?;
    Ok(super::verdict(plan, &results))
}

/// Is every shard there, once, and complete?
fn complete(parts: &[(&PathBuf, Kept)]) -> Result<(), Failure> {
    let of = parts.first().and_then(|(_, part)| part.header.shard()).map_or(1, |shard| shard.of);
    for number in 1..=of {
        let own = parts.iter().filter(|(_, part)| part.header.shard().is_some_and(|shard| shard.number == number));
        let own: Vec<&(&PathBuf, Kept)> = own.collect();
        match own.as_slice() {
            [] => {
                let sentence = format!("shard {number}/{of} is missing");
                return Err(Failure::from(format!(
                    "{sentence}\nhint: `sim sweep EXPERIMENT --shard {number}/{of}` computes it"
                )));
            }
            [_, second, ..] => {
                return Err(Failure::from(format!("shard {number}/{of} is there twice: {}", second.0.display())));
            }
            [(folder, part)] => {
                let cells = part.cells.iter().map(|(cell, _)| cell);
                is_complete(&part.plan.experiment, Shard { number, of }, cells, folder)?;
            }
        }
    }
    Ok(())
}

/// Are these all runs of a shard, and each once?
pub(super) fn is_complete<'c>(
    experiment: &Experiment,
    shard: Shard,
    cells: impl Iterator<Item = &'c Cell>,
    folder: &Path,
) -> Result<(), Failure> {
    let mut results = Results::new(experiment, Some(shard));
    for cell in cells {
        results.add(cell.clone()).map_err(|why| Failure::from(format!("{}: {why}", folder.display())))?;
    }
    let missing = results.due().len();
    if missing == 0 {
        return Ok(());
    }
    let sentence = format!("shard {shard} is not complete: of its runs {missing} or more are missing");
    let hint = format!("the same `sim sweep … --shard {shard} --out {}` goes on", folder.display());
    Err(Failure::from(format!("{sentence}\nhint: {hint}")))
}
