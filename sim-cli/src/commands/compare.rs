//! `sim compare`: simulates, runs for real, and says how far the two are apart.

use std::path::{Path, PathBuf};

use sim_core::compare::{Comparison, compare as distance};
use sim_core::outcome::Outcome;
use sim_core::scenario::{Executor, Scenario};
use sim_real::Measurement;

use super::input::Input;
use super::measure::{describe, measured_panel, median_index, once, outcome};
use super::{
    Failure, Simulated, Verdict, check_outputs, draw, draw_causes, panel, simulated, tell_written, trace, variant_of,
    with_details,
};
use crate::args::CompareArgs;
use crate::explain::{self, Explained};
use crate::output::{self, Terminal};
use crate::picture::Panel;
use crate::table::{Table, Unit, percent, signed_percent};
use crate::{gantt, report};

/// A run is set aside if others took more than this share of a processor.
const DISTURBED: f64 = 0.02;

/// A simulation, the real runs it is compared with, and how far they are apart.
pub(super) struct Both {
    pub(super) simulated: Simulated,
    pub(super) measured: Vec<Measurement>,
    pub(super) comparison: Comparison,
    /// The index of the run with the median makespan: the one that is shown.
    pub(super) shown: usize,
}

pub(super) fn compare(args: &CompareArgs) -> Result<Verdict, Failure> {
    let input = Input::read(&args.file)?;
    let scenario = input.scenario_aloud(&args.scenario, args.output.quiet)?;
    let picture = args.output.plot.clone().or_else(|| {
        let wanted = !args.output.json && !args.output.quiet;
        wanted.then(|| PathBuf::from(format!("{}.compare.png", input.stem())))
    });
    let traces: Vec<PathBuf> =
        args.output.trace.iter().flat_map(|path| [path.clone(), variant_of(path, &"measured")]).collect();
    check_outputs(picture.as_deref(), &traces, std::slice::from_ref(&args.file))?;
    let both = both(&scenario, args.runs as usize)?;
    if args.output.json {
        output::json(&document(args, &scenario, &both));
    } else if !args.output.quiet {
        show(args, &scenario, &both);
    }
    if !args.output.quiet {
        both.comparison.warnings.iter().for_each(|warning| output::talk(&format!("warning: {warning}")));
        rounds_timers(&scenario, &both.comparison).iter().for_each(|hint| output::talk(&format!("hint: {hint}")));
    }
    write_files(args, &scenario, &both, picture.as_deref(), &traces)?;
    let off = both.comparison.makespan_error.unwrap_or(0.0).abs();
    let beyond = args.tolerance.is_some_and(|tolerance| off > tolerance);
    if beyond {
        let allowed = percent(args.tolerance.unwrap_or(0.0));
        output::talk(&format!("finding: the makespans differ by {}, more than {allowed}", percent(off)));
    }
    Ok(if beyond { Verdict::Finding } else { Verdict::Done })
}

/// Simulates once and measures `runs` times; disturbed runs are repeated, up to twice as many in all.
pub(super) fn both(scenario: &Scenario, runs: usize) -> Result<Both, Failure> {
    let simulated = simulated(scenario, true);
    let (mut kept, mut disturbed) = (Vec::new(), Vec::new());
    while kept.len() < runs && kept.len() + disturbed.len() < 2 * runs {
        let run = once(scenario)?;
        if run.recorded.foreign_share > DISTURBED { disturbed.push(run) } else { kept.push(run) }
    }
    let mut warnings = Vec::new();
    let mut dropped = disturbed.len();
    if kept.is_empty() {
        warnings.push("every run was disturbed by other programs: the figures say little".to_owned());
        (kept, dropped) = (disturbed, 0);
    } else if dropped > 0 {
        warnings.push(format!("{dropped} runs were set aside: other programs took more than 2 % of a processor"));
    }
    warnings.extend(disturbances(&kept));
    let makespans: Vec<u64> = kept.iter().map(|run| run.timeline.makespan().ns()).collect();
    let shown = median_index(&makespans);
    let timelines: Vec<_> = kept.iter().map(|run| run.timeline.clone()).collect();
    let recorder = kept[shown].recorded.recorder.to_string();
    let comparison = Comparison { dropped, recorder, warnings, ..distance(&simulated.timeline, &timelines) };
    Ok(Both { simulated, measured: kept, comparison, shown })
}

/// What to write to be nearer to a runtime whose timers ring at whole milliseconds, if that may be what is missing.
fn rounds_timers(scenario: &Scenario, comparison: &Comparison) -> Option<String> {
    let exact = |executor: &&Executor| executor.kind.takes("timer") && executor.timer.is_zero();
    comparison.makespan_error.filter(|error| *error < -0.01)?;
    let kind = scenario.processes.iter().map(|process| &process.executor).find(exact)?.kind.name;
    Some(format!(
        "timers of tokio ring at whole milliseconds, those of the simulation exactly when they should; nearer to it is \
         executor = {{ kind = \"{kind}\", timer = \"1ms\", timed-devices = true }} with a context-switch and a task-switch of \"2us\" in [machine]"
    ))
}

/// What was wrong with the runs: what is so with all of them, and in one sentence what is not, however many they are.
fn disturbances(runs: &[Measurement]) -> Vec<String> {
    let everywhere = |warning: &&String| runs.iter().all(|run| run.recorded.warnings.contains(warning));
    let mut said: Vec<String> =
        runs.first().into_iter().flat_map(|run| &run.recorded.warnings).filter(everywhere).cloned().collect();
    let own = |run: &Measurement| run.recorded.warnings.iter().find(|warning| !everywhere(warning)).cloned();
    let disturbed: Vec<&Measurement> = runs.iter().filter(|run| own(run).is_some()).collect();
    let share = |run: &&&Measurement| run.recorded.foreign_share;
    let worst = disturbed.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    if let Some(worst) = worst.and_then(|worst| own(worst)) {
        said.push(format!("{} of {} runs had a disturbance; the worst: {worst}", disturbed.len(), runs.len()));
    }
    said
}

/// The picture, and the traces of the simulated and the measured run.
fn write_files(
    args: &CompareArgs,
    scenario: &Scenario,
    both: &Both,
    picture: Option<&Path>,
    traces: &[PathBuf],
) -> Result<(), Failure> {
    if let Some(path) = picture {
        let draw = if args.output.explain { draw_causes } else { draw };
        draw(scenario, &finding(both), panels(scenario, both), path)?;
        tell_written(&args.output, "picture", &[path.to_owned()]);
    }
    let timelines = [&both.simulated.timeline, &both.measured[both.shown].timeline];
    for (path, timeline) in traces.iter().zip(timelines) {
        trace(timeline, scenario, path)?;
    }
    tell_written(&args.output, "trace", traces);
    Ok(())
}

pub(super) fn draw_both(scenario: &Scenario, both: &Both, path: &Path) -> Result<(), Failure> {
    draw(scenario, &finding(both), panels(scenario, both), path)
}

fn panels<'a>(scenario: &Scenario, both: &'a Both) -> Vec<Panel<'a>> {
    let shown = &both.measured[both.shown];
    vec![panel(&both.simulated, "simulated".into(), String::new()), measured_panel(&outcome(scenario, shown), shown)]
}

/// The error of the makespan in one sentence.
fn finding(both: &Both) -> String {
    let simulated = both.simulated.outcome.makespan_ns;
    let measured = both.measured[both.shown].timeline.makespan().ns();
    let unit = Unit::for_all([simulated, measured].into_iter());
    let runs = both.comparison.runs;
    let median = if runs > 1 { format!(" (median of {runs} runs)") } else { String::new() };
    format!(
        "makespan {} {} simulated, {} {} measured{median}: {}",
        unit.show(simulated),
        unit.name,
        unit.show(measured),
        unit.name,
        signed_percent(both.comparison.makespan_error)
    )
}

fn document(args: &CompareArgs, scenario: &Scenario, both: &Both) -> serde_json::Value {
    let with = |outcome: Outcome, timeline| with_details(&args.output, outcome, timeline);
    let measured: Vec<Outcome> = both.measured.iter().map(|run| with(outcome(scenario, run), &run.timeline)).collect();
    serde_json::json!({
        "format": sim_core::outcome::FORMAT,
        "simulated": with(both.simulated.outcome.clone(), &both.simulated.timeline),
        "measured": measured,
        "comparison": both.comparison,
    })
}

fn show(args: &CompareArgs, scenario: &Scenario, both: &Both) {
    let terminal = Terminal::present();
    let shown = &both.measured[both.shown];
    let title = if scenario.title.is_empty() { "(no title)" } else { &scenario.title };
    let mut text = format!("{}\n{}\n", terminal.bold(title), report::setting(scenario));
    text += &format!("measured with {}\n\n", describe(shown));
    text += &tasks(both).render(&terminal);
    text.push('\n');
    text += &figures(both, &terminal);
    let timelines = [("simulated", &both.simulated.timeline), ("measured", &shown.timeline)];
    if args.output.explain {
        let [simulated, measured] = timelines.map(|(_, timeline)| Explained::new(timeline));
        text += &format!("\n{}", explain::difference(&simulated, &measured, &terminal));
    }
    for (heading, timeline) in timelines.into_iter().filter(|_| !args.output.explain || args.output.timeline) {
        text += &format!("\n{}\n", terminal.bold(heading));
        text += &gantt::terminal(timeline, terminal.width, terminal.colours, args.output.timeline);
    }
    text += &format!("\n{}\n", finding(both));
    output::data(&text);
}

/// Simulated and measured numbers side by side.
fn tasks(both: &Both) -> Table {
    /// More rows than this help nobody.
    const ROWS: usize = 40;
    let compared = &both.comparison.tasks;
    let figures = compared.iter().flat_map(|task| [task.simulated_finish_ns, task.measured_finish_ns]).flatten();
    let unit = Unit::for_all(figures.collect::<Vec<_>>().into_iter());
    let mut table =
        Table::new([format!("FINISH ({})", unit.name), "simulated".into(), "measured".into(), "error".into()]);
    for task in compared.iter().take(ROWS) {
        table.row([
            task.name.clone(),
            unit.show_or_dash(task.simulated_finish_ns),
            unit.show_or_dash(task.measured_finish_ns),
            signed_percent(task.error),
        ]);
    }
    if compared.len() > ROWS {
        table.row([format!("… and {} more", compared.len() - ROWS)]);
    }
    let makespan = |outcome: &Outcome| Some(outcome.makespan_ns);
    table.row([
        "makespan".to_owned(),
        unit.show_or_dash(makespan(&both.simulated.outcome)),
        unit.show(both.measured[both.shown].timeline.makespan().ns()),
        signed_percent(both.comparison.makespan_error),
    ]);
    table
}

/// How close, each figure beside the same between real runs.
fn figures(both: &Both, terminal: &Terminal) -> String {
    let comparison = &both.comparison;
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    let span = |ns: Option<u64>| {
        ns.map_or_else(|| "–".to_owned(), |ns| crate::axis::readable(sim_core::time::Span::from_ns(ns)))
    };
    let mut table = Table::new(["HOW CLOSE", "simulated to real", "real to real"]);
    table.row([
        "makespan: error, spread".to_owned(),
        signed_percent(comparison.makespan_error),
        share(comparison.makespan_spread),
    ]);
    table.row(["completion error".to_owned(), share(comparison.completion_error), String::new()]);
    table.row(["same tasks running".to_owned(), share(comparison.agreement), share(comparison.agreement_between_runs)]);
    table.row([
        "distance of CPU time received".to_owned(),
        span(comparison.service_distance_ns),
        span(comparison.service_distance_between_runs_ns),
    ]);
    table.row([
        "first different after".to_owned(),
        span(comparison.horizon_ns),
        span(comparison.horizon_between_runs_ns),
    ]);
    let runs = format!("{} real runs, {} set aside\n", comparison.runs, comparison.dropped);
    table.render(terminal) + &runs
}
