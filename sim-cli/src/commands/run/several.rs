//! Many runs of one call: worked out on all cores, told in their order, and nothing kept of a run that was told but what
//! the table or the picture needs. The bytes that come out do not depend on the number of threads.

use sim_core::engine::End;
use sim_core::scenario::Scenario;

use super::super::variations::{Call, Document, Variation};
use super::super::{Failure, Verdict, failing, panel, picture_for, tell_written, trace, verdict, view, with_details};
use super::{Keep, Simulated, keeps, one, room};
use crate::args::RunArgs;
use crate::condition::{Answer, Tally};
use crate::explain::{self, Explained};
use crate::output::{self, Terminal};
use crate::picture::{self, Picture};
use crate::progress::Progress;
use crate::report::variations::Row;
use crate::{fail_on, interruption, parallel, report};

/// So many timelines are worked on at once.
const TIMELINES: usize = 4;

/// A run that is worked out.
struct Done {
    /// The kinds of findings that make the exit code.
    found: Vec<&'static str>,
    /// What it says to the conditions of `--fail-if`, and how it is called.
    answers: (String, Vec<Answer>),
    /// Was it cut by Ctrl-C?
    cut: bool,
    /// The row of the table, if one is wanted.
    row: Option<Row>,
    hash: String,
    /// The entry of the document, if one is wanted.
    entry: Option<String>,
    /// Kept for the picture of all.
    drawn: Option<(Variation, Simulated)>,
}

/// What is left of all runs when they are over.
struct Told<'c> {
    /// Of which runs conditions held.
    tally: Tally<'c>,
    /// Did Ctrl-C cut it short?
    cut: bool,
    /// How many runs are told.
    count: usize,
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
    let wanted = match keeps(args) {
        Keep::Unseen if tells_few(args, call.count()) => Keep::Nothing,
        keep => keep,
    };
    let at_once = if args.output.plot.is_some() { call.count() } else { TIMELINES };
    let threads = if wanted == Keep::All { parallel::cores().min(TIMELINES) } else { parallel::cores() };
    let work = |index: usize| -> Result<Done, Failure> {
        let done = done(args, call.variation(index)?, wanted, at_once)?;
        if let Some((variation, run)) = &done.drawn {
            let traces = call.traces_of(index, &args.output.traces);
            traces.iter().try_for_each(|path| trace(&run.timeline, &variation.scenario, path))?;
        }
        Ok(Done { drawn: done.drawn.filter(|_| args.output.plot.is_some()), ..done })
    };
    let mut told = tell(args, call.count(), threads, work)?;
    if tells_few(args, call.count()) {
        look_again(args, call, &mut told)?;
    }
    if !told.rows.is_empty() {
        output::data(&report::variations(&told.rows, args.output.full, &Terminal::present()));
    }
    if told.cut && call.count() > 1 {
        output::talk(&interruption::told(told.count, call.count()));
    }
    if !args.output.quiet && call.varies_seed_in_vain(&told.hashes) {
        output::talk("remark: every seed gave the same run: nothing in the scenario is drawn");
    } else if !args.output.quiet {
        call.alike(&told.hashes).iter().for_each(|sentence| output::talk(&format!("remark: {sentence}")));
    }
    write_picture(args, &told.drawn)?;
    let written = (0..told.count).flat_map(|index| call.traces_of(index, &args.output.traces));
    tell_written(&args.output, "trace", &written.collect::<Vec<_>>());
    if told.cut {
        return Ok(Verdict::Interrupted);
    }
    Ok(verdict(&told.found, &args.output.fail_on).max(failing(&told.tally)))
}

/// Is a table all that is wanted, and has it far fewer rows than there are runs? Then findings are looked for in those runs
/// alone that have a row, once it is known which they are.
fn tells_few(args: &RunArgs, count: usize) -> bool {
    let table = !args.output.json && !args.jsonl && !args.output.quiet;
    let all = args.output.full || fail_on::needs_timeline(&args.output.fail_on);
    table && !all && keeps(args) == Keep::Unseen && report::variations::shows_few(count)
}

/// Does those runs again that have a row in the table, now with their findings. After Ctrl-C nobody waits for that.
fn look_again(args: &RunArgs, call: &Call<'_>, told: &mut Told<'_>) -> Result<(), Failure> {
    let shown = report::variations::shown(&told.rows, args.output.full);
    let work = |index: usize| done(args, call.variation(shown[index])?, Keep::Unseen, TIMELINES);
    let mut progress = Progress::new(args.output.quiet);
    let (mut looked, mut failure) = (0, None);
    parallel::in_order(if told.cut { 0 } else { shown.len() }, parallel::cores(), work, |done| {
        match done {
            Ok(done) if done.cut => return false,
            Ok(done) => told.rows[shown[looked]] = done.row.unwrap_or_else(|| told.rows[shown[looked]].clone()),
            Err(why) => failure = Some(why),
        }
        looked += 1;
        progress.count(looked, shown.len(), "rows looked at for findings");
        failure.is_none()
    });
    drop(progress);
    if failure.is_none() && looked < shown.len() {
        told.cut = true;
        let of =
            if looked == 0 { String::new() } else { format!(" in {} of {} rows", shown.len() - looked, shown.len()) };
        output::talk(&format!("remark: what their timelines show was not looked for{of}"));
    }
    failure.map_or(Ok(()), Err)
}

/// Does the work and tells each run in its turn.
fn tell<'c>(
    args: &'c RunArgs,
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<Done, Failure> + Sync,
) -> Result<Told<'c>, Failure> {
    let documents = args.output.json || args.jsonl;
    // Two who write into one terminal would write into each other's lines.
    let mut progress = Progress::new(args.output.quiet || (documents && output::is_read_by_a_person()));
    let mut document = (args.output.json && !args.jsonl).then(Document::begin);
    let mut told = Told {
        tally: Tally::new(&args.output.fail_if),
        cut: false,
        count: 0,
        found: Vec::new(),
        rows: Vec::new(),
        hashes: Vec::new(),
        drawn: Vec::new(),
    };
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
                told.tally.add(&done.answers.0, &done.answers.1);
                told.count += 1;
                told.rows.extend(done.row);
                told.hashes.push(done.hash);
                told.drawn.extend(done.drawn);
                progress.count(told.count, count, "runs");
            }
            Err(why) => failure = Some(why),
        }
        if interruption::asked() && told.count < count {
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
    let document = args.output.json || args.jsonl;
    let row = (!document && !args.output.quiet).then(|| {
        let mut row = Row::of(&variation.label, &run.outcome);
        row.headline = args.output.explain.then(|| explain::headline(&Explained::new(&run.timeline)));
        row
    });
    let found = fail_on::found(&run.outcome, &args.output.fail_on);
    let cut = run.ending.end == End::Interrupted;
    let hash = run.outcome.timeline_hash.clone();
    let entry = document.then(|| {
        if args.output.explain || args.output.timeline {
            variation.entry(&with_details(&args.output, run.outcome.clone(), &run.timeline))
        } else {
            variation.entry(&run.outcome)
        }
    });
    let answers = (variation.label.clone(), run.answers.clone());
    Ok(Done { found, answers, cut, row, hash, entry, drawn: (wanted == Keep::All).then_some((variation, run)) })
}

fn write_picture(args: &RunArgs, drawn: &[(Variation, Simulated)]) -> Result<(), Failure> {
    let Some(path) = args.output.plot.as_ref().filter(|_| !drawn.is_empty()) else { return Ok(()) };
    let panels = drawn.iter().map(|(variation, run)| panel(run, variation.label.clone(), String::new()));
    let scenarios: Vec<&Scenario> = drawn.iter().map(|(variation, _)| &*variation.scenario).collect();
    let draw = if args.output.explain { picture::draw_causes } else { picture::draw };
    draw(&Picture { view: view(&args.output)?, ..picture_for(&scenarios, "", panels.collect()) }, path)?;
    tell_written(&args.output, "picture", std::slice::from_ref(path));
    Ok(())
}
