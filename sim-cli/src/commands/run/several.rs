//! Many runs of one call: worked out on all cores, told in their order, and nothing kept of a run that was told but what
//! the table or the picture needs. The bytes that come out do not depend on the number of threads.

use serde_json::Value;
use sim_core::engine::End;
use sim_core::scenario::Scenario;

use super::super::variations::{Call, Document, Variation};
use super::super::{Failure, Verdict, panel, picture_for, tell_written, trace, verdict, with_details};
use super::{Keep, Simulated, keeps, one, room};
use crate::args::RunArgs;
use crate::explain::{self, Explained};
use crate::output::{self, Terminal};
use crate::progress::Progress;
use crate::report::variations::Row;
use crate::{fail_on, interruption, parallel, picture, report};

/// So many timelines are worked on at once.
const TIMELINES: usize = 4;

/// A run that is worked out.
struct Done {
    /// The kinds of findings that make the exit code.
    found: Vec<&'static str>,
    /// Was it cut by Ctrl-C?
    cut: bool,
    row: Row,
    hash: String,
    /// The entry of the document, if one is wanted.
    entry: Option<Value>,
    /// Kept for the picture of all.
    drawn: Option<(Variation, Simulated)>,
}

/// What is left of all runs when they are over.
struct Told {
    /// Did Ctrl-C cut it short?
    cut: bool,
    found: Vec<&'static str>,
    rows: Vec<Row>,
    /// The hashes of their timelines.
    hashes: Vec<String>,
    drawn: Vec<(Variation, Simulated)>,
}

pub(super) fn run(args: &RunArgs, call: &Call<'_>) -> Result<Verdict, Failure> {
    if args.output.timeline && !args.output.json && !args.jsonl {
        let sentence = "--timeline shows one run, and these are several";
        let hint = "with --json or --jsonl each run has its timeline; --plot draws all of them";
        return Err(Failure(format!("sim: {sentence}\nhint: {hint}")));
    }
    interruption::watch();
    let traces = call.traces(args.output.trace.as_deref());
    let wanted = keeps(args);
    let at_once = if args.output.plot.is_some() { call.count() } else { TIMELINES };
    let threads = if wanted == Keep::All { parallel::cores().min(TIMELINES) } else { parallel::cores() };
    let work = |index: usize| -> Result<Done, Failure> {
        let done = done(args, call.variation(index)?, wanted, at_once)?;
        if let (Some(path), Some((variation, run))) = (traces.get(index), &done.drawn) {
            trace(&run.timeline, &variation.scenario, path)?;
        }
        Ok(Done { drawn: done.drawn.filter(|_| args.output.plot.is_some()), ..done })
    };
    let told = tell(args, call.count(), threads, work)?;
    if !args.output.json && !args.jsonl && !args.output.quiet && !told.rows.is_empty() {
        output::data(&report::variations(&told.rows, args.output.full, &Terminal::present()));
    }
    if told.cut && call.count() > 1 {
        output::talk(&interruption::told(told.rows.len(), call.count()));
    }
    if !args.output.quiet && call.varies_seed_in_vain(&told.hashes) {
        output::talk("remark: every seed gave the same run: nothing in the scenario is drawn");
    }
    write_picture(args, &told.drawn)?;
    tell_written(&args.output, "trace", &traces[..told.rows.len().min(traces.len())]);
    Ok(if told.cut { Verdict::Interrupted } else { verdict(&told.found, &args.output.fail_on) })
}

/// Does the work and tells each run in its turn.
fn tell(
    args: &RunArgs,
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<Done, Failure> + Sync,
) -> Result<Told, Failure> {
    let documents = args.output.json || args.jsonl;
    // Two who write into one terminal would write into each other's lines.
    let mut progress = Progress::new(args.output.quiet || (documents && output::is_read_by_a_person()));
    let mut document = (args.output.json && !args.jsonl).then(Document::begin);
    let mut told = Told { cut: false, found: Vec::new(), rows: Vec::new(), hashes: Vec::new(), drawn: Vec::new() };
    let mut failure = None;
    parallel::in_order(count, threads, work, |done| {
        match done {
            // Beside whole runs a part of one says nothing; the only one is told up to there.
            Ok(done) if done.cut && count > 1 => told.cut = true,
            Ok(done) => {
                told.cut |= done.cut;
                if let Some(entry) = done.entry {
                    document.as_mut().map_or_else(|| output::json_line(&entry), |document| document.entry(&entry));
                }
                told.found.extend(done.found);
                told.rows.push(done.row);
                told.hashes.push(done.hash);
                told.drawn.extend(done.drawn);
                progress.count(told.rows.len(), count, "runs");
            }
            Err(why) => failure = Some(why),
        }
        if interruption::asked() && told.rows.len() < count {
            told.cut = true;
        }
        failure.is_none() && !told.cut
    });
    if let Some(document) = document {
        document.end(told.cut);
    }
    failure.map_or(Ok(told), Err)
}

fn done(args: &RunArgs, variation: Variation, wanted: Keep, at_once: usize) -> Result<Done, Failure> {
    let room = room(args, &variation.scenario, wanted, at_once);
    let run = one(args, &variation.scenario, wanted, room, None)?;
    let mut row = Row::of(&variation.label, &run.outcome);
    if args.output.explain && !args.output.json && !args.jsonl {
        row.headline = Some(explain::headline(&Explained::new(&run.timeline)));
    }
    let entry = (args.output.json || args.jsonl)
        .then(|| variation.entry(&with_details(&args.output, run.outcome.clone(), &run.timeline)));
    let found = fail_on::found(&run.outcome, &args.output.fail_on);
    let cut = run.ending.end == End::Interrupted;
    let hash = run.outcome.timeline_hash.clone();
    Ok(Done { found, cut, row, hash, entry, drawn: (wanted == Keep::All).then_some((variation, run)) })
}

fn write_picture(args: &RunArgs, drawn: &[(Variation, Simulated)]) -> Result<(), Failure> {
    let Some(path) = args.output.plot.as_ref().filter(|_| !drawn.is_empty()) else { return Ok(()) };
    let panels = drawn.iter().map(|(variation, run)| panel(run, variation.label.clone(), String::new()));
    let scenarios: Vec<&Scenario> = drawn.iter().map(|(variation, _)| &variation.scenario).collect();
    let draw = if args.output.explain { picture::draw_causes } else { picture::draw };
    draw(&picture_for(&scenarios, "", panels.collect()), path)?;
    tell_written(&args.output, "picture", std::slice::from_ref(path));
    Ok(())
}
