//! The shelf of places where shards are computed elsewhere, and what each of them has to do with: which shards are still
//! needed, the folder in which they work, and taking those that have been delivered.
//!
//! A place believes files and nothing else. A shard is complete when its folder stands under its final name (it got it by
//! being renamed, after its last line was on the disk) and every line in it is right. What the place says of its jobs
//! decides only how long to wait. One more place is one file and two lines: a `mod` and an entry of [`PLACES`].

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sim_core::scenario::words::did_you_mean;
use sim_core::time::Span;

use super::super::Failure;
use super::plan::Plan;
use super::{cell, merge, slurm};
use crate::memory::Memory;
use crate::output;
use crate::sweep::line::Cell;
use crate::sweep::on::On;
use crate::sweep::results::Results;
use crate::sweep::shard::Shard;
use crate::sweep::store::{self, Store};

/// Keys and what they are set to.
pub(super) type Options = [(String, Option<String>)];

/// Where shards can be computed.
pub(super) struct Place {
    pub(super) name: &'static str,
    /// Is it there, and are these options that it takes? Nothing is written by then.
    pub(super) ready: fn(&Options) -> Result<(), Failure>,
    /// Lets all shards that are needed be computed, and takes them. False if Ctrl-C has ended it.
    pub(super) compute: fn(&mut Shards<'_, '_>, &Options) -> Result<bool, Failure>,
}

/// The shelf.
pub(super) const PLACES: [&Place; 1] = [&slurm::PLACE];

/// The place that is asked for, if it is there and takes what is asked of it.
pub(super) fn ready(on: &On) -> Result<&'static Place, Failure> {
    let Some(place) = PLACES.iter().find(|place| place.name == on.place) else {
        let names = || PLACES.iter().map(|place| place.name);
        let there_is = || format!("there is {}", names().collect::<Vec<_>>().join(", "));
        let hint = did_you_mean(&on.place, names(), there_is);
        return Err(Failure::from(format!("--on: unknown place `{}`\nhint: {hint}", on.place)));
    };
    (place.ready)(&on.options)?;
    Ok(place)
}

/// Where shards work, in the folder of the results.
const FOLDER: &str = "shards";
/// A shard of less work than this costs more to start than it saves.
const WORTH: Duration = Duration::from_secs(5);
/// So long is looked at runs to know how long they take.
const LOOK: Duration = Duration::from_secs(1);

/// An experiment whose runs are computed elsewhere, in parts.
pub(super) struct Shards<'s, 'e> {
    pub(super) plan: &'s Plan,
    pub(super) warm_up: Span,
    pub(super) store: &'s mut Store,
    pub(super) results: &'s mut Results<'e>,
    pub(super) memory: Memory,
    pub(super) quiet: bool,
    /// The folder of the results, from the root.
    pub(super) results_folder: PathBuf,
}

impl Shards<'_, '_> {
    /// The folder in which the shards work, from the root. It is made if there is none.
    pub(super) fn folder(&self) -> Result<PathBuf, Failure> {
        let folder = self.results_folder.join(FOLDER);
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::from(format!("cannot make {}: {error}", folder.display())))?;
        Ok(folder)
    }

    /// So many shards at most have runs to do: runs are dealt out one by one, or all of a variation.
    pub(super) fn most(&self) -> u32 {
        let units = match self.plan.experiment.stop_when {
            Some(_) => self.plan.experiment.variations(),
            None => self.plan.experiment.variations() * self.plan.experiment.most_replications() as usize,
        };
        u32::try_from(units.max(1)).unwrap_or(u32::MAX)
    }

    /// So many shards, up to `most`, that each has work for some seconds, as far as a short look at some runs tells.
    pub(super) fn worthwhile(&self, most: u32) -> u32 {
        let due = self.results.due();
        let Some(each) = cell::takes(self.plan, &due, LOOK) else { return most };
        let all = each.saturating_mul(u32::try_from(due.len()).unwrap_or(u32::MAX));
        u32::try_from(all.as_nanos().div_ceil(WORTH.as_nanos())).unwrap_or(u32::MAX).clamp(1, most.max(1))
    }

    /// The shards that have runs which are still to be done, of so many.
    pub(super) fn needed(&self, of: u32) -> BTreeSet<u32> {
        let due = self.results.due();
        let has = |number: &u32| {
            let shard = Results::new(&self.plan.experiment, Some(Shard { number: *number, of }));
            due.iter().any(|run| shard.is_mine(*run))
        };
        (1..=of).filter(has).collect()
    }

    /// Takes the shards that have been delivered and are needed.
    pub(super) fn take(&mut self, of: u32) -> Result<(), Failure> {
        let folder = self.folder()?;
        // The folder is listed, as systems that share disks ask again then: of a name alone they remember that it was not there.
        let listed = fs::read_dir(&folder)
            .map_err(|error| Failure::from(format!("cannot read {}: {error}", folder.display())))?;
        let there: BTreeSet<OsString> = listed.flatten().map(|entry| entry.file_name()).collect();
        for number in self.needed(of) {
            let delivered = name(number, of);
            if there.contains(OsStr::new(&delivered)) {
                self.take_one(&folder.join(delivered), Shard { number, of })?;
            }
        }
        Ok(())
    }

    fn take_one(&mut self, folder: &Path, shard: Shard) -> Result<(), Failure> {
        let experiment = &self.plan.experiment;
        let (mut lines, mut cells) = (Vec::new(), Vec::new());
        let take = |_: &crate::sweep::line::Header, line: &str| {
            cells.push(Cell::read(line, experiment)?);
            lines.push(format!("{line}\n"));
            Ok(())
        };
        let found = store::read(folder, take).map_err(Failure::from)?;
        let own = self.plan.header(Some(shard), self.warm_up.ns());
        if found.header.as_ref() != Some(&own) {
            return Err(Failure::from(format!(
                "{} is not shard {shard} of this experiment\nhint: remove that folder; the same command computes it again",
                folder.display()
            )));
        }
        merge::is_complete(experiment, shard, cells.iter(), folder)?;
        for (cell, line) in cells.into_iter().zip(&lines) {
            // Runs that were computed here before are here already, with the same figures.
            if !self.results.has((cell.variation, cell.replication)) {
                self.store.add(line).map_err(Failure::from)?;
                self.results.add(cell).map_err(Failure::from)?;
            }
        }
        self.store.sync().map_err(Failure::from)
    }

    /// All is done: the folder of the shards goes. A task that has lost its way may still write there for a moment.
    pub(super) fn remove(&self) {
        let folder = self.results_folder.join(FOLDER);
        let gone = (0..5).any(|_| fs::remove_dir_all(&folder).is_ok() || !folder.exists());
        if !gone {
            output::talk(&format!("remark: {} could not be removed; nobody needs it any more", folder.display()));
        }
    }
}

/// What the folder of a complete shard is called; the number may be a variable of a script.
pub(super) fn name(number: impl std::fmt::Display, of: u32) -> String {
    format!("{number}-of-{of}")
}

/// Has a shard been delivered there?
pub(super) fn is_delivered(to: &Path, header: &crate::sweep::line::Header) -> Result<bool, Failure> {
    match store::first(to) {
        Some(there) => there.differs(header).map_or(Ok(true), |difference| {
            let sentence = format!("{} holds {difference}", to.display());
            Err(Failure::from(format!("{sentence}\nhint: deliver this one elsewhere, or remove that folder")))
        }),
        None if fs::read_dir(to).is_ok_and(|mut inside| inside.next().is_some()) || to.is_file() => {
            Err(Failure::from(format!("cannot deliver to {}: something else is there", to.display())))
        }
        None => Ok(false),
    }
}

/// Gives a complete folder its final name. Who was first stays; the same runs give the same bytes.
pub(super) fn deliver(from: &Path, to: &Path, header: &crate::sweep::line::Header) -> Result<(), Failure> {
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::from(format!("cannot rename {} to {}: {error}", from.display(), to.display()))
    };
    // All of it is on the disk before it has the name by which it is believed.
    fs::File::open(from.join(store::RESULTS)).and_then(|file| file.sync_all()).map_err(|error| cannot(&error))?;
    if let Err(error) = fs::rename(from, to) {
        if !is_delivered(to, header)? {
            return Err(cannot(&error));
        }
        // What stays of it disturbs nobody.
        drop(fs::remove_dir_all(from));
    }
    Ok(())
}
