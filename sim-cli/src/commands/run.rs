//! `sim run`: simulates scenarios, each as it is or in variations.

use std::path::PathBuf;

use sim_core::engine::End;
use sim_core::outcome::Outcome;
use sim_core::policy;
use sim_core::scenario::Scenario;
use sim_core::timeline::check::Law;

use super::input::{self, Input, Set};
use super::{
    Failure, Simulated, Verdict, check_outputs, draw, draw_causes, panel, simulated, tell_written, trace, variant_of,
    with_details,
};
use crate::args::RunArgs;
use crate::explain::{self, Explained};
use crate::output::{self, Terminal};
use crate::{gantt, report};

/// One scenario to simulate, and what distinguishes it from the others of this call.
struct Variation {
    label: String,
    sets: Vec<Set>,
    scenario: Scenario,
}

pub(super) fn run(args: &RunArgs) -> Result<Verdict, Failure> {
    let variations = variations(args)?;
    let traces = traces(args, variations.len());
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
        (true, ..) => output::json(&documents(args, &variations, &runs)),
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

/// Every file in every combination of the varied values, in the order given.
fn variations(args: &RunArgs) -> Result<Vec<Variation>, Failure> {
    let mut combinations: Vec<Vec<Set>> = vec![Vec::new()];
    for (path, values) in &args.varies {
        let extended = combinations.iter().flat_map(|sets| {
            values.iter().map(|value| {
                let mut sets = sets.clone();
                sets.push((path.clone(), value.clone()));
                sets
            })
        });
        combinations = extended.collect();
    }
    let one_of = |input: &Input, sets: &[Set]| {
        let scenario = if args.varies.is_empty() {
            input.scenario_aloud(&args.scenario, args.output.quiet)?
        } else {
            input.scenario(&args.scenario, sets)?.0
        };
        let label = label(input, args.files.len() > 1, sets);
        Ok(Variation { label, sets: sets.to_vec(), scenario })
    };
    // What is wrong with one variation of a file is mostly wrong with all.
    let all_of = |input: &Input| combinations.iter().map(|sets| one_of(input, sets)).collect::<Result<Vec<_>, _>>();
    Ok(input::each(&args.files, all_of)?.into_iter().flatten().collect())
}

/// What distinguishes a variation: the file if there are several, and the values that vary.
fn label(input: &Input, name_file: bool, sets: &[Set]) -> String {
    let value = |(path, value): &Set| format!("{}={value}", path.rsplit('.').next().unwrap_or(path));
    name_file.then(|| input.stem()).into_iter().chain(sets.iter().map(value)).collect::<Vec<_>>().join(" ")
}

fn outcome(args: &RunArgs, run: &Simulated) -> Outcome {
    with_details(&args.output, run.outcome.clone(), &run.timeline)
}

/// Several outcomes in one document: what was set, and what came of it.
fn documents(args: &RunArgs, variations: &[Variation], runs: &[Simulated]) -> serde_json::Value {
    let entries = variations.iter().zip(runs).map(|(variation, run)| {
        let set: serde_json::Map<String, serde_json::Value> =
            variation.sets.iter().map(|(path, value)| (path.clone(), value.clone().into())).collect();
        serde_json::json!({ "label": variation.label, "set": set, "outcome": outcome(args, run) })
    });
    serde_json::json!({ "format": sim_core::outcome::FORMAT, "variations": entries.collect::<Vec<_>>() })
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
        let panels = variations.iter().zip(runs).map(|(variation, run)| {
            let several = variations.len() > 1;
            let subtitle = if several { report::setting(&variation.scenario) } else { String::new() };
            panel(run, variation.label.clone(), subtitle)
        });
        let draw = if args.output.explain { draw_causes } else { draw };
        draw(&variations[0].scenario, &note(args, runs), panels.collect(), path)?;
        tell_written(&args.output, "picture", std::slice::from_ref(path));
    }
    for ((variation, run), path) in variations.iter().zip(runs).zip(traces) {
        trace(&run.timeline, &variation.scenario, path)?;
    }
    tell_written(&args.output, "trace", traces);
    Ok(())
}

/// What a picture says in words: why the slowest task of a single run was slow.
fn note(args: &RunArgs, runs: &[Simulated]) -> String {
    match runs {
        [run] if args.output.explain => explain::headline(&Explained::new(&run.timeline)),
        _ => String::new(),
    }
}

/// `trace.json` for the only one; `trace-1.json`, `trace-2.json`, … if there are several.
fn traces(args: &RunArgs, count: usize) -> Vec<PathBuf> {
    let Some(path) = &args.output.trace else { return Vec::new() };
    if count == 1 { vec![path.clone()] } else { (1..=count).map(|number| variant_of(path, &number)).collect() }
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
