//! `sim sweep`: an experiment, run by run into a directory; `sim merge`, which joins the parts of one; `sim reproduce`, which
//! runs some of it again.

mod asked;
mod cell;
mod merge;
mod on;
mod plan;
mod reproduce;
mod slurm;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sim_core::experiment::WarmUp;
use sim_core::scenario::Scenario;
use sim_core::time::Span;

pub(super) use self::merge::merge;
pub(super) use self::reproduce::reproduce;

use self::asked::Asked;
use self::plan::{Files, Plan};
use super::input::Input;
use super::{Failure, Verdict};
use crate::args::SweepArgs;
use crate::memory::Memory;
use crate::output::{self, Terminal};
use crate::report::sweep::Report;
use crate::sweep::line::Cell;
use crate::sweep::results::Results;
use crate::sweep::shard::Shard;
use crate::sweep::store::{self, Store};
use crate::sweep::{csv, pace::Pace, pages};
use crate::{files, interruption, parallel};

/// So many runs of the baseline say when runs have come to rest.
const PILOTS: u32 = 10;

pub(super) fn sweep(args: &SweepArgs) -> Result<Verdict, Failure> {
    let plan = Plan::of(Files::of(&args.experiment)?)?;
    let asked = Asked::of(&args.fail_if, &plan)?;
    let folder = args.out.clone().unwrap_or_else(|| default_folder(&args.experiment, args.shard));
    let elsewhere = args.on.as_ref().map(on::ready).transpose()?;
    interruption::watch();
    let jobs = args.jobs.map_or_else(parallel::cores, |jobs| jobs as usize);
    let Some(warm_up) = warm_up(&plan, &folder, jobs, args.quiet)? else { return Ok(Verdict::Interrupted) };
    let header = plan.header(args.shard, warm_up.ns());
    if let Some(to) = &args.deliver
        && on::is_delivered(to, &header)?
    {
        return Ok(Verdict::Done);
    }
    let mut results = Results::new(&plan.experiment, args.shard);
    let take = |line: &str| results.add(Cell::read(line, &plan.experiment)?);
    let (mut store, found) = Store::open(&folder, &header, &plan.copies(), take).map_err(Failure::from)?;
    if found.torn && !args.quiet {
        output::talk("the last line was cut off in the middle; its run is computed again");
    }
    let reused = results.count();
    let work = (&mut store, &mut results);
    let is_done = match (elsewhere, &args.on) {
        (Some(place), Some(on)) => {
            compute_elsewhere(args, &plan, warm_up, work, |shards| (place.compute)(shards, &on.options))
        }
        _ => compute(args, &plan, warm_up, work, jobs),
    };
    if !is_done? {
        output::talk(&format!(
            "interrupted: {} runs are in {}; the same command goes on",
            results.count(),
            folder.display()
        ));
        return Ok(Verdict::Interrupted);
    }
    store.put_in_order(place).map_err(Failure::from)?;
    if reused > 0 && !args.quiet {
        output::talk(&format!("{reused} runs reused, {} computed", results.count() - reused));
    }
    if let Some(to) = &args.deliver {
        on::deliver(&folder, to, &header)?;
    }
    let said = Said { json: args.json, quiet: args.quiet, full: args.full, report: !args.no_report, reused };
    let verdict = verdict(&plan, &results).max(asked.verdict(&plan, &results));
    match args.shard {
        None => finish(&plan, &results, &folder, said)?,
        Some(shard) if !args.quiet => {
            let (runs, folder) = (results.count(), args.deliver.as_ref().unwrap_or(&folder).display());
            output::talk(&format!("shard {shard} is complete: {runs} runs in {folder}; `sim merge` joins all"));
        }
        Some(_) => {}
    }
    Ok(verdict)
}

/// A deadlock or a livelock of any run is a finding.
fn verdict(plan: &Plan, results: &Results<'_>) -> Verdict {
    let is_finding = |end: &&str| ["deadlock", "livelock"].contains(end);
    let found = (0..plan.experiment.variations()).any(|variation| results.ends(variation).keys().any(is_finding));
    if found { Verdict::Finding } else { Verdict::Done }
}

/// Looks at an experiment without running anything; what it would do.
pub(super) fn check(input: Input) -> Result<String, Failure> {
    let plan = Plan::of(Files::beside(input)?)?;
    let (variations, most) = (plan.experiment.variations(), plan.experiment.most_replications());
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let up_to = if plan.experiment.stop_when.is_some() { "up to " } else { "" };
    Ok(format!("{} × {up_to}{}", count(variations, "variation"), count(most as usize, "replication")))
}

/// Runs an experiment and writes its pages into a folder, and nothing else. False if Ctrl-C has ended it.
pub(super) fn draw(path: &Path, folder: &Path) -> Result<bool, Failure> {
    let plan = Plan::of(Files::written(path)?)?;
    let jobs = parallel::cores();
    let Some(warm_up) = warm_up(&plan, folder, jobs, true)? else { return Ok(false) };
    let mut results = Results::new(&plan.experiment, None);
    let room = Memory::default().for_shown(jobs);
    loop {
        let due = results.due();
        if due.is_empty() {
            break;
        }
        let mut outcome: Result<bool, Failure> = Ok(true);
        parallel::in_order(
            due.len(),
            jobs,
            |index| cell::run(&plan, due[index], warm_up, room),
            |done| {
                outcome = done.and_then(|cell| match cell {
                    Some(cell) => results.add(cell).map(|()| true).map_err(Failure::from),
                    None => Ok(false),
                });
                matches!(outcome, Ok(true))
            },
        );
        if !outcome? {
            return Ok(false);
        }
    }
    let labels = (0..plan.experiment.variations()).map(|variation| plan.experiment.label(variation)).collect();
    pages::write(&Report::new(&plan.experiment, &plan.title, labels, &results), folder).map_err(Failure::from)?;
    Ok(true)
}

/// What is said of finished results.
#[derive(Clone, Copy)]
struct Said {
    json: bool,
    quiet: bool,
    full: bool,
    /// Are pages written?
    report: bool,
    reused: usize,
}

/// Writes what is made of complete results, and says it.
fn finish(plan: &Plan, results: &Results<'_>, folder: &Path, said: Said) -> Result<(), Failure> {
    let csv = |out: &mut dyn std::io::Write| csv::write(&plan.experiment, results, out);
    files::write_with(&folder.join("results.csv"), csv).map_err(Failure::from)?;
    #[cfg(feature = "parquet")]
    files::write_with(&folder.join("results.parquet"), |out| {
        crate::sweep::parquet::write(&plan.experiment, results, out)
    })
    .map_err(Failure::from)?;
    let labels = (0..plan.experiment.variations()).map(|variation| plan.experiment.label(variation)).collect();
    let report = Report::new(&plan.experiment, &plan.title, labels, results);
    if said.report {
        pages::write(&report, folder).map_err(Failure::from)?;
    }
    if said.json {
        output::json(&report.json(said.reused));
    } else if !said.quiet {
        output::data(&report.text(said.full, &Terminal::present()));
    }
    if !said.quiet {
        output::talk(&format!("results: {}", folder.display()));
    }
    Ok(())
}

/// Lets what is still to be done be computed elsewhere. False if Ctrl-C has ended it.
fn compute_elsewhere(
    args: &SweepArgs,
    plan: &Plan,
    warm_up: Span,
    (store, results): (&mut Store, &mut Results<'_>),
    compute: impl FnOnce(&mut on::Shards<'_, '_>) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    if results.due().is_empty() {
        return Ok(true);
    }
    let folder = store.folder();
    let results_folder = std::path::absolute(folder)
        .map_err(|error| Failure::from(format!("cannot say where {} is: {error}", folder.display())))?;
    let (memory, quiet) = (args.memory, args.quiet);
    compute(&mut on::Shards { plan, warm_up, store, results, memory, quiet, results_folder })
}

/// Does what is still to be done. False if Ctrl-C has ended it.
fn compute(
    args: &SweepArgs,
    plan: &Plan,
    warm_up: Span,
    (store, results): (&mut Store, &mut Results<'_>),
    jobs: usize,
) -> Result<bool, Failure> {
    let room = args.memory.for_shown(jobs);
    let mut pace = Pace::new(args.quiet, plan.experiment.variations(), jobs);
    loop {
        let due = results.due();
        if due.is_empty() {
            break;
        }
        pace.round(due.len(), results.count(), store.folder());
        let work = |index: usize| -> Result<Option<(String, Cell)>, Failure> {
            let done = cell::run(plan, due[index], warm_up, room)?;
            Ok(done.map(|cell| (cell.line(&plan.experiment), cell)))
        };
        let mut outcome: Result<bool, Failure> = Ok(true);
        parallel::in_order(due.len(), jobs, work, |done| {
            outcome = done.and_then(|done| {
                let Some((line, cell)) = done else { return Ok(false) };
                store.add(&line).map_err(Failure::from)?;
                results.add(cell).map_err(Failure::from)?;
                pace.done(line.len());
                Ok(!interruption::asked())
            });
            matches!(outcome, Ok(true))
        });
        store.sync().map_err(Failure::from)?;
        let is_last_one = results.due().is_empty();
        if !outcome? && !is_last_one {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How much of the beginning of each run is left out; nothing if Ctrl-C came before that was known.
fn warm_up(plan: &Plan, folder: &Path, jobs: usize, quiet: bool) -> Result<Option<Span>, Failure> {
    match plan.experiment.warm_up {
        WarmUp::Nothing => return Ok(Some(Span::ZERO)),
        WarmUp::For(span) => return Ok(Some(span)),
        WarmUp::Auto => {}
    }
    let header = plan.header(None, 0);
    let known = store::first(folder).filter(|known| known.fingerprint == header.fingerprint);
    if let Some(known) = known {
        return Ok(Some(Span::from_ns(known.warm_up_ns)));
    }
    let baseline = plan.experiment.baseline_of(0).unwrap_or(0);
    let runs = plan.experiment.most_replications().min(PILOTS);
    let mut latencies = Vec::new();
    let work = |number: usize| cell::latencies(plan, (baseline, u32::try_from(number).unwrap_or(u32::MAX)));
    let mut failure = None;
    parallel::in_order(runs as usize, jobs, work, |run| {
        match run {
            Ok(run) => latencies.push(run),
            Err(why) => failure = Some(why),
        }
        failure.is_none() && !interruption::asked()
    });
    if let Some(why) = failure {
        return Err(why);
    }
    if interruption::asked() {
        return Ok(None);
    }
    let label = plan.experiment.label(baseline);
    let of = if label.is_empty() { String::new() } else { format!(" of {label}") };
    let Some(cut) = sim_core::experiment::settles_at(&latencies) else {
        let shortest = latencies.iter().map(Vec::len).min().unwrap_or(0);
        let sentence = format!(
            "warm-up = \"auto\" finds no cut: in {runs} runs{of} with {shortest} tasks or more the latency does not come to rest"
        );
        return Err(Failure::from(format!(
            "{sentence}\nhint: let them run for longer (`until`, more tasks), or give a duration: warm-up = \"10s\""
        )));
    };
    if !quiet {
        let left_out =
            if cut.is_zero() { "nothing is".to_owned() } else { format!("the first {} are", cut.readable()) };
        output::talk(&format!("warm-up: {left_out} left out of every run (MSER-5 on {runs} runs{of})"));
    }
    Ok(Some(cut))
}

/// Where the results of an experiment go. Those of an experiment that is stored with results stay there.
fn default_folder(experiment: &Path, shard: Option<Shard>) -> PathBuf {
    if shard.is_none() && experiment.is_dir() {
        return experiment.to_owned();
    }
    let stem = experiment.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from(match shard {
        None => format!("{stem}.results"),
        Some(Shard { number, of }) => format!("{stem}.shard-{number}-of-{of}"),
    })
}

/// Where the line of a run belongs.
fn place(line: &str) -> (usize, u32) {
    #[derive(Deserialize)]
    struct Place {
        variation: usize,
        replication: u32,
    }
    serde_json::from_str(line)
        .map_or((usize::MAX, u32::MAX), |Place { variation, replication }| (variation, replication))
}

/// Results that are there, whose lines have been looked at.
struct Kept {
    plan: Plan,
    header: crate::sweep::line::Header,
    /// Each with its line.
    cells: Vec<(Cell, String)>,
}

impl Kept {
    /// Reads a directory of results; of another version too, if that is all the same.
    fn read(folder: &Path, any_version: bool) -> Result<Kept, Failure> {
        if !folder.join(store::RESULTS).is_file() {
            let sentence = format!("there are no results in {}", folder.display());
            return Err(Failure::from(format!("{sentence}\nhint: name a folder that `sim sweep` has filled")));
        }
        let mut lines = Vec::new();
        let take = |_: &crate::sweep::line::Header, line: &str| {
            lines.push(line.to_owned());
            Ok(())
        };
        let header = store::read(folder, take).map_err(Failure::from)?.header;
        let header = header.ok_or_else(|| Failure::from(format!("{} has no first line yet", folder.display())))?;
        let plan = Plan::of(Files::stored(folder, &header)?)?;
        let own = plan.header(header.shard(), header.warm_up_ns);
        let is_other_version = any_version && header.version != own.version;
        if let Some(difference) = header.differs(&own).filter(|_| !is_other_version) {
            let sentence = format!("the files in {} do not belong together: {difference}", folder.display());
            return Err(Failure::from(format!(
                "{sentence}\nhint: somebody has changed experiment, scenario or profile there"
            )));
        }
        let mut cells = Vec::with_capacity(lines.len());
        for (index, line) in lines.into_iter().enumerate() {
            let cell = Cell::read(&line, &plan.experiment);
            cells.push((cell.map_err(|why| Failure::from(store::at(folder, index + 2, &why)))?, line));
        }
        Ok(Kept { plan, header, cells })
    }
}

/// The scenario of one run of results, as `sim run DIR --cell N` has it: what is set, with its seed.
pub(super) fn scenario_of(folder: &Path, cell: usize) -> Result<Scenario, Failure> {
    let kept = Kept::read(folder, false)?;
    let mut cells: Vec<&Cell> = kept.cells.iter().map(|(cell, _)| cell).collect();
    cells.sort_by_key(|cell| (cell.variation, cell.replication));
    let Some(found) = cells.get(cell) else {
        let sentence = format!("{} has no run {cell}", folder.display());
        return Err(Failure::from(format!(
            "{sentence}\nhint: they are counted from 0 to {}",
            cells.len().saturating_sub(1)
        )));
    };
    let mut scenario = cell::with_seed(&kept.plan.variation(found.variation)?.scenario, found.seed);
    let label = kept.plan.experiment.label(found.variation);
    let title = if scenario.title.is_empty() { kept.plan.title.clone() } else { scenario.title.clone() };
    scenario.title = format!("{title}: {label} replication {}", found.replication).replace(":  ", ": ");
    Ok(scenario)
}
