//! `sim run --replications`: each variation with several seeds, and what the runs say together.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use sim_core::engine::End;
use sim_core::experiment;
use sim_core::outcome::Outcome;
use sim_core::scenario::Scenario;

use super::super::variations::{Call, Document, Variation};
use super::super::{Failure, Verdict, failing, verdict};
use super::{Keep, one, room};
use crate::args::RunArgs;
use crate::condition::{Answer, Tally};
use crate::output::{self, Terminal};
use crate::progress::Progress;
use crate::replication::Replications;
use crate::{fail_on, interruption, parallel, report};

/// A run that is worked out.
struct Done {
    variation: Variation,
    number: usize,
    outcome: Outcome,
    found: Vec<&'static str>,
    answers: Vec<Answer>,
    cut: bool,
}

/// What is told so far.
struct Told<'c> {
    /// Of which runs conditions held.
    tally: Tally<'c>,
    /// The replications of each variation, the last perhaps not all of them.
    all: Vec<(String, Replications)>,
    /// The first run of the variation that is on, where a document has its outcome.
    first: Option<Done>,
    document: Option<Document>,
    found: Vec<&'static str>,
    cut: bool,
}

pub(super) fn run(args: &RunArgs, call: &Call<'_>, replications: u32) -> Result<Verdict, Failure> {
    if call.varies_seed() {
        let sentence = "--replications gives each run its seeds, and --vary seed=… too";
        return Err(Failure(format!("sim: {sentence}\nhint: leave one of them out; --seed chooses the first")));
    }
    interruption::watch();
    let per_variation = replications as usize;
    let count = call.count().saturating_mul(per_variation);
    let work = |index: usize| done(args, call.variation(index / per_variation)?, index % per_variation);
    // Two who write into one terminal would write into each other's lines.
    let documents = args.output.json || args.jsonl;
    let mut progress = Progress::new(args.output.quiet || (documents && output::is_read_by_a_person()));
    let several = call.count() > 1;
    let document = (args.output.json && several).then(Document::begin);
    let tally = Tally::new(&args.output.fail_if);
    let mut told = Told { tally, all: Vec::new(), first: None, document, found: Vec::new(), cut: false };
    let (mut runs, mut failure) = (0, None);
    parallel::in_order(count, parallel::cores(), work, |done| {
        match done {
            Ok(done) if done.cut => told.cut = true,
            Ok(done) => {
                runs += 1;
                told.take(args, done);
                if runs % per_variation == 0 {
                    told.end_variation();
                }
                progress.count(runs, count, "runs");
            }
            Err(why) => failure = Some(why),
        }
        told.cut |= interruption::asked() && runs < count;
        failure.is_none() && !told.cut
    });
    drop(progress);
    if let Some(why) = failure {
        return Err(why);
    }
    show(args, told, several, runs, count)
}

/// Prints what is left to print when the runs are over, and says how it went.
fn show(args: &RunArgs, mut told: Told<'_>, several: bool, runs: usize, count: usize) -> Result<Verdict, Failure> {
    if told.first.is_some() && (several || args.jsonl) {
        told.end_variation();
    }
    if let Some(document) = told.document {
        document.end(told.cut);
    } else if let Some(first) = told.first.as_ref().filter(|_| args.output.json) {
        let together = told.all.first().map(|(_, replications)| replications.json(None));
        output::json(&Single { outcome: &first.outcome, replications: together });
    }
    if !args.output.json && !args.jsonl && !args.output.quiet {
        let terminal = Terminal::present();
        let text = match &told.all[..] {
            [] => String::new(),
            [(_, only)] if !several => report::replications(only, &terminal),
            all => report::replicated_variations(all, args.output.full, &terminal),
        };
        output::data(&text);
    }
    let alike = !told.all.is_empty() && told.all.iter().all(|(_, replications)| replications.are_alike());
    if alike && !args.output.quiet {
        output::talk("remark: every seed gave the same run: nothing in the scenario is drawn");
    }
    if told.cut {
        output::talk(&interruption::told(runs, count));
        return Ok(Verdict::Interrupted);
    }
    Ok(verdict(&told.found, &args.output.fail_on).max(failing(&told.tally)))
}

/// The outcome of the first seed, and what all say together.
#[derive(Serialize)]
struct Single<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    replications: Option<Value>,
}

impl Told<'_> {
    fn take(&mut self, args: &RunArgs, done: Done) {
        if done.number == 0 {
            self.all.push((done.variation.label.clone(), Replications::default()));
        }
        if let Some((_, replications)) = self.all.last_mut() {
            replications.add(&done.outcome);
        }
        self.found.extend(&done.found);
        let label = if done.variation.label.is_empty() { String::new() } else { format!("{}, ", done.variation.label) };
        self.tally.add(&format!("{label}replication {}", done.number), &done.answers);
        if args.jsonl {
            output::json_line(&done.variation.entry_of_replication(&done.outcome, done.number));
        }
        if args.output.json && done.number == 0 {
            self.first = Some(done);
        }
    }

    /// The variation is over: where there are several, its entry is written.
    fn end_variation(&mut self) {
        let (Some(document), Some((_, replications))) = (&mut self.document, self.all.last()) else { return };
        let Some(first) = self.first.take() else { return };
        let baseline = self.all.first().filter(|_| self.all.len() > 1).map(|(_, first)| first);
        let together = replications.json(Some(baseline));
        document.entry(&first.variation.entry_of_replications(&first.outcome, &together));
    }
}

/// One run: the variation with the seed of this replication.
fn done(args: &RunArgs, variation: Variation, number: usize) -> Result<Done, Failure> {
    let plain = &variation.scenario;
    let seed = experiment::seed(plain.seed, u32::try_from(number).unwrap_or(u32::MAX));
    let scenario = if number == 0 {
        Arc::clone(plain)
    } else {
        Arc::new(Scenario { seed, machine_seed: seed, ..(**plain).clone() })
    };
    // Findings are told of the run whose outcome is, and make the exit code of all.
    let told = args.jsonl || (args.output.json && number == 0);
    let keep = if told || fail_on::needs_timeline(&args.output.fail_on) { Keep::Unseen } else { Keep::Nothing };
    let run = one(args, &scenario, keep, room(args, &scenario, keep, parallel::cores()), None)?;
    let found = fail_on::found(&run.outcome, &args.output.fail_on);
    Ok(Done {
        variation,
        number,
        outcome: run.outcome,
        found,
        answers: run.answers,
        cut: run.ending.end == End::Interrupted,
    })
}
