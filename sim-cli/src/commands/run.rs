//! `sim run`: simulates scenarios, each as it is or in variations.

use std::path::PathBuf;

use sim_core::engine::End;
use sim_core::outcome::Outcome;
use sim_core::policy;
use sim_core::scenario::Scenario;
use sim_core::timeline::check::Law;

use super::variations::{Variation, document, traces, variations};
use super::{
    Failure, Simulated, Verdict, check_outputs, panel, picture_for, simulated, tell_written, trace, with_details,
};
use crate::args::RunArgs;
use crate::explain::{self, Explained};
use crate::output::{self, Terminal};
use crate::{gantt, picture, report};

pub(super) fn run(args: &RunArgs) -> Result<Verdict, Failure> {
    let variations = variations(&args.files, &args.varies, &args.scenario, args.output.quiet)?;
    let traces = traces(args.output.trace.as_deref(), variations.len());
    check_outputs(args.output.plot.as_deref(), &traces, &args.files)?;
    let keep = args.check
        || args.output.timeline
        || args.output.explain
        || args.output.plot.is_some()
        || args.output.trace.is_some()
        || (variations.len() == 1 && !args.output.json && !args.output.quiet);
    let runs: Vec<Simulated> = if args.check {
        variations.iter().map(checked).collect::<Result<_, _>>()?
    } else {
        variations.iter().map(|variation| simulated(&variation.scenario, keep)).collect()
    };
    let asked =
        args.output.timeline || args.output.explain || args.output.plot.is_some() || args.output.trace.is_some();
    if asked && runs.iter().any(|run| !run.complete) {
        return Err(too_long());
    }
    match (args.output.json, &variations[..], &runs[..]) {
        (true, _, [run]) => output::json(&outcome(args, run)),
        (true, ..) => {
            output::json(&document(variations.iter().zip(runs.iter().map(|run| outcome(args, run)))));
        }
        (false, ..) if args.output.quiet => {}
        (false, [variation], [run]) if args.output.explain => explain(args, &variation.scenario, run),
        (false, [variation], [run]) => show(args, &variation.scenario, run),
        (false, ..) => compare_rows(args, &variations, &runs),
    }
    write_files(args, &variations, &runs, &traces)?;
    let finding =
        |run: &Simulated| matches!(run.ending.end, End::Deadlock | End::Livelock) || run.ending.stuck.is_some();
    Ok(if runs.iter().any(finding) { Verdict::Finding } else { Verdict::Done })
}

fn too_long() -> Failure {
    let sentence = "the timeline is too long to keep: it has more than 20 million records";
    let hint = "a shorter `until`, or a longer quantum; without --check, --timeline, --explain, --plot and --trace the numbers come";
    Failure(format!("sim: {sentence}\nhint: {hint}"))
}

fn outcome(args: &RunArgs, run: &Simulated) -> Outcome {
    with_details(&args.output, run.outcome.clone(), &run.timeline)
}

/// The table and the timeline of one run.
fn show(args: &RunArgs, scenario: &Scenario, run: &Simulated) {
    let terminal = Terminal::present();
    let mut text = report::outcome(&run.outcome, scenario, &terminal);
    text.push('\n');
    if run.complete {
        text += &gantt::terminal(&run.timeline, terminal.width, terminal.colours, args.output.timeline);
    } else {
        text += "the timeline is too long to keep and to draw: these are the numbers\n";
    }
    output::data(&text);
}

/// Why it was slow; the timeline only if it is asked for.
fn explain(args: &RunArgs, scenario: &Scenario, run: &Simulated) {
    let terminal = Terminal::present();
    let mut text = report::heading(&run.outcome, scenario, &terminal);
    text += &format!("\n{}", explain::text(&Explained::new(&run.timeline), &terminal));
    if args.output.timeline {
        text.push('\n');
        text += &gantt::terminal(&run.timeline, terminal.width, terminal.colours, true);
    }
    output::data(&text);
}

/// A row for each variation, so that they can be compared at a glance.
fn compare_rows(args: &RunArgs, variations: &[Variation], runs: &[Simulated]) {
    let terminal = Terminal::present();
    let outcomes: Vec<(&str, &Outcome)> =
        variations.iter().zip(runs).map(|(variation, run)| (variation.label.as_str(), &run.outcome)).collect();
    let mut text = report::variations(&outcomes, &terminal);
    if args.output.explain {
        for (variation, run) in variations.iter().zip(runs) {
            let sentence = explain::headline(&Explained::new(&run.timeline));
            text +=
                &format!("\n{}\n{}\n", terminal.bold(&variation.label), explain::wrapped(&sentence, terminal.width));
        }
    }
    output::data(&text);
}

fn write_files(
    args: &RunArgs,
    variations: &[Variation],
    runs: &[Simulated],
    traces: &[PathBuf],
) -> Result<(), Failure> {
    if let Some(path) = &args.output.plot {
        let panels =
            variations.iter().zip(runs).map(|(variation, run)| panel(run, variation.label.clone(), String::new()));
        let scenarios: Vec<&Scenario> = variations.iter().map(|variation| &variation.scenario).collect();
        let picture = picture_for(&scenarios, &note(args, runs), panels.collect());
        let draw = if args.output.explain { picture::draw_causes } else { picture::draw };
        draw(&picture, path)?;
        tell_written(&args.output, "picture", std::slice::from_ref(path));
    }
    for ((variation, run), path) in variations.iter().zip(runs).zip(traces) {
        trace(&run.timeline, &variation.scenario, path)?;
    }
    tell_written(&args.output, "trace", traces);
    Ok(())
}

/// What a picture says in words: why the worst off of a single run was slow.
fn note(args: &RunArgs, runs: &[Simulated]) -> String {
    match runs {
        [run] if args.output.explain => explain::headline(&Explained::new(&run.timeline)),
        _ => String::new(),
    }
}

/// `--check`: the contract of the policy, and the laws of the timeline from the finished record.
fn checked(variation: &Variation) -> Result<Simulated, Failure> {
    let (scenario, guard) = policy::checked::watch(&variation.scenario);
    let run = simulated(&scenario, true);
    let (title, policy) = (&scenario.title, scenario.scheduler.kind.name);
    guard
        .verdict()
        .map_err(|breach| Failure(format!("sim: in `{title}`, the policy `{policy}` breaks its contract: {breach}")))?;
    if !run.complete {
        return Err(too_long());
    }
    let Err(mut violations) = run.timeline.check() else { return Ok(run) };
    // A task may lose its processor and have it back within one instant, and the record says so in two intervals.
    violations.0.retain(|violation| violation.law != Law::Merged);
    if violations.0.is_empty() {
        return Ok(run);
    }
    Err(Failure(format!("sim: the timeline of `{title}` breaks a law: {violations}")))
}
