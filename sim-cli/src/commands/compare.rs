//! `sim compare`: simulates, runs for real, and says how far the two are apart.

use std::path::{Path, PathBuf};

use sim_core::compare::{Distance, compare as distance, compare_ensemble, likeness};
use sim_core::executor::Park;
use sim_core::outcome::Outcome;
use sim_core::policy::on_linux::Realised;
use sim_core::scenario::{Executor, Scenario};
use sim_core::time::Span;
use sim_core::timeline::Timeline;
use sim_real::{Measurement, Options};

use super::input::Input;
use super::measure::{answers, bare_outcome, describe, disturbances, measured_panel, median_run, notes, outcome};
use super::prediction::{Oracle, Prediction, oracle};
use super::real_runs::{RealRuns, feasible, undisturbed};
use super::simulated::{Keep, Simulated, simulated};
use super::{
    Failure, Verdict, check_outputs, check_view, endings, failing, findings, known, panel, picture_for, tell_written,
    trace, verdict, view, with_details,
};
use crate::args::CompareArgs;
use crate::comparison::Comparison;
use crate::condition::Tally;
use crate::explain::{self, Explained};
use crate::export::{archive, variant_of};
use crate::gantt::{self, Found};
use crate::letters::{glued, visible};
use crate::memory::Memory;
use crate::output::{self, Terminal};
use crate::picture::{self, Picture};
use crate::progress::Progress;
use crate::table::{percent, signed_percent, whole};
use crate::{fail_on, files, interruption, report};

/// A simulation, the real runs it is compared with, and how far they are apart.
pub(super) struct Both {
    pub(super) simulated: Simulated,
    /// The same on the machine of a profile, if there is one.
    pub(super) predicted: Option<Prediction>,
    pub(super) measured: Vec<Measurement>,
    pub(super) comparison: Comparison,
    /// The index of the run with the median makespan: the one that is shown.
    pub(super) shown: usize,
    /// That there are fewer real runs than were wanted, because others were busy.
    pub(super) too_busy: Option<String>,
    /// Did Ctrl-C end it before all runs were done?
    pub(super) interrupted: bool,
}

/// How the two are made.
pub(super) struct How<'a> {
    /// How often it is run for real.
    pub(super) runs: usize,
    pub(super) options: Options,
    pub(super) memory: Memory,
    pub(super) quiet: bool,
    /// Are errors wanted even where another policy ran?
    pub(super) anyway: bool,
    /// Who predicts the real runs, if anybody does.
    pub(super) oracle: Option<Oracle<'a>>,
}

/// Compares one file after the other; all are looked at before the first runs.
pub(super) fn compare(args: &CompareArgs) -> Result<Verdict, Failure> {
    let inputs = args.files.iter().map(|file| Input::read(file)).collect::<Result<Vec<Input>, Failure>>()?;
    if let [input] = inputs.as_slice() {
        return compare_one(args, input, &args.files[0]);
    }
    let wanted = &args.output;
    let of_one = [("--json", wanted.json), ("--plot", wanted.plot.is_some()), ("--trace", !wanted.traces.is_empty())];
    if let Some((option, _)) = of_one.into_iter().find(|(_, is_given)| *is_given) {
        return Err(format!("{option} is for a single file, and these are {}", inputs.len()).into());
    }
    for input in &inputs {
        feasible(&input.parsed().scenario_aloud(&args.scenario, true)?)?;
    }
    let mut verdict = Verdict::Done;
    for (index, (input, file)) in inputs.iter().zip(&args.files).enumerate() {
        if index > 0 && !wanted.quiet {
            output::data("\n");
        }
        match compare_one(args, input, file)? {
            Verdict::Done => {}
            Verdict::Finding => verdict = Verdict::Finding,
            Verdict::Interrupted => return Ok(Verdict::Interrupted),
        }
    }
    Ok(verdict)
}

fn compare_one(args: &CompareArgs, input: &Input, file: &PathBuf) -> Result<Verdict, Failure> {
    let parsed = input.parsed();
    let scenario = parsed.scenario_aloud(&args.scenario, args.output.quiet)?;
    known(&args.output.fail_if, std::iter::once(&scenario))?;
    feasible(&scenario)?;
    let picture = args.output.plot.clone().or_else(|| own_picture(args, input, file));
    let (archives, traces): (Vec<&PathBuf>, _) = args.output.traces.iter().partition(|path| archive::is_archive(path));
    let traces: Vec<PathBuf> = Vec::into_iter(traces).flat_map(|path| traces_of(path)).collect();
    check_outputs(picture.as_deref(), &traces, std::slice::from_ref(file))?;
    check_view(&args.output, picture.is_some())?;
    archives.iter().try_for_each(|archive| files::check(archive, std::slice::from_ref(file)))?;
    let runs = args.runs as usize;
    let oracle = match oracle(args, &parsed, &scenario) {
        Err(_) if interruption::asked() => {
            output::talk(&interruption::told(0, runs));
            return Ok(Verdict::Interrupted);
        }
        oracle => oracle?,
    };
    let how = How {
        runs,
        options: args.real.options(),
        memory: args.output.memory,
        quiet: args.output.quiet,
        anyway: args.anyway,
        oracle,
    };
    let Some(both) = both(&scenario, how)? else {
        output::talk(&interruption::told(0, runs));
        return Ok(Verdict::Interrupted);
    };
    if args.output.json {
        output::json(&document(args, &scenario, &both));
    } else if !args.output.quiet {
        show(args, &scenario, &both);
    }
    if !args.output.quiet {
        tell_doubts(&scenario, &both);
    }
    write_files(args, &scenario, &both, picture.as_deref())?;
    let beyond = args.tolerance.map_or_else(Vec::new, |tolerance| both.comparison.beyond(tolerance));
    let stuck = endings::stuck_in_either(&both.simulated, &both.measured);
    beyond
        .iter()
        .chain(&stuck)
        .chain(&both.too_busy)
        .for_each(|sentence| output::talk(&format!("finding: {sentence}")));
    let mut found = fail_on::found(&both.simulated.outcome, &args.output.fail_on);
    found.extend(both.measured.iter().flat_map(|run| fail_on::found(&outcome(&scenario, run), &args.output.fail_on)));
    let verdict = verdict(&found, &args.output.fail_on).max(fails(args, &scenario, &both));
    if both.interrupted {
        output::talk(&interruption::told(both.comparison.clean(), runs));
    }
    Ok(match beyond.as_slice() {
        _ if both.interrupted => Verdict::Interrupted,
        [] if stuck.is_none() && both.too_busy.is_none() => verdict,
        _ => Verdict::Finding,
    })
}

/// Of which real runs conditions of `--fail-if` hold.
fn fails(args: &CompareArgs, scenario: &Scenario, both: &Both) -> Verdict {
    let mut tally = Tally::new(&args.output.fail_if);
    for (number, run) in both.measured.iter().enumerate() {
        tally.add(&format!("run {}", number + 1), &answers(&args.output, scenario, run));
    }
    failing(&tally)
}

/// What makes the figures doubtful, and what to write to be nearer.
fn tell_doubts(scenario: &Scenario, both: &Both) {
    let said = both.comparison.not_comparable.as_ref();
    let unsaid = both.comparison.warnings.iter().filter(|warning| Some(*warning) != said);
    unsaid.for_each(|warning| output::talk(&format!("warning: {warning}")));
    if !both.comparison.gives_errors {
        output::talk("hint: --anyway gives the errors all the same");
    }
    rounds_timers(scenario, both).iter().for_each(|hint| output::talk(&format!("hint: {hint}")));
}

/// The picture that is drawn unasked, in the present folder; where that takes no files, it is left out.
fn own_picture(args: &CompareArgs, input: &Input, file: &PathBuf) -> Option<PathBuf> {
    if args.output.json || args.output.quiet {
        return None;
    }
    let path = PathBuf::from(format!("{}.compare.png", input.stem()));
    match files::check(&path, std::slice::from_ref(file)) {
        Ok(()) => Some(path),
        Err(why) => {
            output::talk(&format!("warning: no picture: {why}\nhint: --plot says where else it is to be"));
            None
        }
    }
}

/// Simulates once and measures `runs` times; runs that others disturbed are repeated. Ctrl-C ends the run that is on;
/// with what was done before the comparison is made. `None` if that is nothing. Whether it can be run for real is asked before.
pub(super) fn both(scenario: &Scenario, how: How<'_>) -> Result<Option<Both>, Failure> {
    let How { runs, options, memory, quiet, anyway, oracle } = how;
    interruption::watch();
    let simulated = simulated(scenario, Keep::All, memory.for_shown(1), Some(&mut Progress::new(quiet)))?;
    let real = undisturbed(&[scenario], &options, runs, quiet, endings::comparable)?.pop().unwrap_or_default();
    let interrupted = interruption::asked() && real.clean < runs;
    let Some(shown) = median_run(&real.kept) else { return Ok(None) };
    let refusal = refusal(&real, &real.kept[shown]);
    let kept = real.kept;
    let timelines: Vec<_> = kept.iter().map(|run| run.timeline.clone()).collect();
    let outcomes: Vec<Outcome> = kept.iter().map(|run| bare_outcome(scenario, run)).collect();
    let comparison = Comparison {
        dropped: real.set_aside,
        disturbed: real.clean == 0,
        recorder: kept[shown].recorded.recorder.to_string(),
        warnings: disturbances(&kept),
        ..Comparison::new(distance(&simulated.timeline, &timelines), &simulated.outcome, &outcomes)
    };
    let predicted = oracle.map(|oracle| oracle.predict(&kept[shown].recorded, memory, quiet)).transpose()?;
    let comparison = match &predicted {
        None => comparison,
        Some(prediction) => {
            let comparison = comparison.warned(&prediction.warnings);
            let (machines, ensemble) = prediction.timelines_and_outcomes();
            comparison.predicted(compare_ensemble(&machines, &timelines), &ensemble, &outcomes)
        }
    };
    let comparison = match refusal {
        Some(why) if anyway => comparison.doubted(&why),
        Some(why) => comparison.refused(&why),
        None => comparison,
    };
    Ok(Some(Both { simulated, predicted, measured: kept, comparison, shown, too_busy: real.too_busy, interrupted }))
}

/// Why errors would mean nothing, if they would: another policy ran, or other programs did.
fn refusal(real: &RealRuns, shown: &Measurement) -> Option<String> {
    let recorded = &shown.recorded;
    let other_policy = (recorded.policy_realised == Realised::Not).then(|| recorded.policy_reason.clone());
    let disturbed = || (real.clean == 0).then(|| format!("other programs disturbed all {} real runs", real.set_aside));
    other_policy.or_else(disturbed)
}

/// What to write to be nearer to a runtime whose timers ring at whole milliseconds, if that may be what is missing.
fn rounds_timers(scenario: &Scenario, both: &Both) -> Option<String> {
    if both.predicted.is_some() {
        return None;
    }
    let comparison = &both.comparison;
    let exact = |executor: &&Executor| executor.kind.takes("park") && executor.timers.park == Park::Exact;
    comparison.distance.makespan_error.filter(|error| *error < -0.01)?;
    let kind = scenario.processes.iter().map(|process| &process.executor).find(exact)?.kind.name;
    Some(format!(
        "threads of tokio wait for whole milliseconds, those of the simulation until a timer should ring; nearer to it is \
         executor = {{ kind = \"{kind}\", rules = \"tokio-1.54\" }} with a context-switch and a task-switch of \"2us\" in [machine]"
    ))
}

/// Where the traces go: of the simulation, the prediction, the measurement.
fn traces_of(path: &Path) -> [PathBuf; 3] {
    [path.to_owned(), variant_of(path, &"predicted"), variant_of(path, &"measured")]
}

/// The picture, and the traces of the runs that it shows.
fn write_files(args: &CompareArgs, scenario: &Scenario, both: &Both, picture: Option<&Path>) -> Result<(), Failure> {
    if let Some(path) = picture {
        let draw = if args.output.explain { picture::draw_causes } else { picture::draw };
        draw(&Picture { view: view(&args.output)?, ..drawn(scenario, both) }, path)?;
        tell_written(&args.output, "picture", &[path.to_owned()]);
    }
    let predicted = both.predicted.as_ref().map(|prediction| &prediction.one().timeline);
    let timelines = [Some(&both.simulated.timeline), predicted, Some(&both.measured[both.shown].timeline)];
    let machines = ["simulated", "predicted", "measured"].into_iter().zip(timelines);
    let machines: Vec<_> = machines.filter_map(|(name, timeline)| Some((name, timeline?))).collect();
    let mut written = Vec::new();
    for path in &args.output.traces {
        if archive::is_archive(path) {
            archive::write(&machines, &scenario.title, path)?;
            written.push(path.clone());
            continue;
        }
        for (path, timeline) in traces_of(path).into_iter().zip(timelines) {
            if let Some(timeline) = timeline {
                trace(timeline, scenario, &path)?;
                written.push(path);
            }
        }
    }
    tell_written(&args.output, "trace", &written);
    Ok(())
}

pub(super) fn draw_both(scenario: &Scenario, both: &Both, path: &Path) -> Result<(), Failure> {
    Ok(picture::draw(&drawn(scenario, both), path)?)
}

/// The simulation above the real run that is shown, and between them where they differ.
fn drawn<'a>(scenario: &Scenario, both: &'a Both) -> Picture<'a> {
    let shown = &both.measured[both.shown];
    let mut panels: Vec<_> =
        both.arms(scenario).into_iter().map(|(heading, run, subtitle)| panel(run, heading.into(), subtitle)).collect();
    panels.push(measured_panel(&outcome(scenario, shown), shown));
    let likeness =
        if both.comparison.gives_errors { likeness(&both.nearest().timeline, &shown.timeline) } else { Vec::new() };
    // Each panel names the policy that is its own.
    let [processors, _, python, devices, seed] = report::settings(scenario);
    let subtitle = report::listed(&[processors, python, devices, seed], |_| true);
    Picture { likeness, subtitle, ..picture_for(&[scenario], &glued(&finding(both)), panels) }
}

impl Both {
    /// What is held against the real runs: the prediction that is shown, or else the simulation.
    fn nearest(&self) -> &Simulated {
        self.predicted.as_ref().map_or(&self.simulated, Prediction::one)
    }

    /// What is simulated: how it is called, the run, and what is to be said of it.
    fn arms(&self, scenario: &Scenario) -> Vec<(&'static str, &Simulated, String)> {
        let policy = scenario.scheduler.label();
        match &self.predicted {
            None => vec![("simulated", &self.simulated, policy)],
            Some(prediction) => vec![
                ("ideal", &self.simulated, format!("{policy} · what the file says")),
                ("predicted", prediction.one(), prediction.described()),
            ],
        }
    }
}

/// The errors in one sentence, and what to think of them.
fn finding(both: &Both) -> String {
    let distance = &both.comparison.distance;
    let comparison = &both.comparison;
    let measured = both.measured[both.shown].timeline.makespan().readable();
    let median = if distance.runs > 1 { format!(" (median of {} runs)", distance.runs) } else { String::new() };
    let signed = |error| if comparison.gives_errors { signed_percent(error) } else { String::new() };
    let verdict = comparison.verdict_in_words();
    if distance.horizon_ends_both {
        return format!("the horizon ends both at {measured}{median}{}; {verdict}", rates(comparison));
    }
    let ideal = Span::from_ns(both.simulated.outcome.makespan_ns).readable();
    if let Some(band) = comparison.bands.predicted {
        let predicted = Span::from_ns(whole(band.median)).readable();
        let measured = comparison.bands.measured.map_or(measured, |band| Span::from_ns(whole(band.median)).readable());
        let [ours, alone] = [distance.makespan_error, comparison.ideal.makespan_error].map(signed);
        let alone = if alone.is_empty() { alone } else { format!(" ({alone})") };
        let ours = match (distance.runs > 1, ours.is_empty()) {
            (true, true) => format!(" (median of {} runs)", distance.runs),
            (true, false) => format!(" (median of {} runs: {ours})", distance.runs),
            (false, true) => String::new(),
            (false, false) => format!(" ({ours})"),
        };
        return format!(
            "predicted {predicted}, measured {measured}{ours}; {verdict}; the file alone says {ideal}{alone}"
        );
    }
    let latency = distance
        .latency_error
        .map_or_else(String::new, |error| format!("; latency off by {:.2} % in the mean", error * 100.0));
    let makespan =
        if comparison.gives_errors { format!(": {}", signed(distance.makespan_error)) } else { String::new() };
    format!("makespan {ideal} simulated, {measured} measured{median}{makespan}{latency}; {verdict}")
}

/// How near the two are where makespans say nothing: latency, and which tasks run; beside it the same of the file alone.
fn rates(comparison: &Comparison) -> String {
    let Comparison { distance, ideal_distance, .. } = comparison;
    let beside = |of: fn(&Distance) -> Option<f64>, words: &dyn Fn(f64) -> String| {
        let alone = ideal_distance.as_ref().and_then(of);
        let alone = alone.map_or_else(String::new, |alone| format!(" (the file alone: {})", percent(alone)));
        of(distance).map_or_else(String::new, |figure| format!("; {}{alone}", words(figure)))
    };
    let latency = beside(|of| of.latency_error, &|error| format!("latency off by {} in the mean", percent(error)));
    latency + &beside(|of| of.agreement, &|share| format!("the same tasks run for {} of the time", percent(share)))
}

fn document(args: &CompareArgs, scenario: &Scenario, both: &Both) -> serde_json::Value {
    let with = |outcome: Outcome, timeline| with_details(&args.output, outcome, timeline);
    let kept = |run: &Measurement| {
        let mut outcome = outcome(scenario, run);
        if let Some(serde_json::Value::Object(recorded)) = &mut outcome.recorded {
            recorded.insert("kept".to_owned(), both.comparison.clean().into());
            recorded.insert("set_aside".to_owned(), both.comparison.dropped.into());
        }
        outcome
    };
    let measured: Vec<Outcome> = both.measured.iter().map(|run| with(kept(run), &run.timeline)).collect();
    let machines = both.predicted.iter().flat_map(|prediction| &prediction.runs);
    let predicted: Vec<Outcome> = machines.map(|run| with(run.outcome.clone(), &run.timeline)).collect();
    let mut document = serde_json::json!({
        "format": sim_core::outcome::FORMAT,
        "simulated": with(both.simulated.outcome.clone(), &both.simulated.timeline),
        "predicted": predicted,
        "measured": measured,
        "comparison": both.comparison,
    });
    if both.interrupted {
        document["interrupted"] = true.into();
    }
    document
}

fn show(args: &CompareArgs, scenario: &Scenario, both: &Both) {
    let terminal = Terminal::present();
    let shown = &both.measured[both.shown];
    let title = if scenario.title.is_empty() { "(no title)" } else { &scenario.title };
    let mut said = format!("{}\nmeasured with {}\n{}", report::setting(scenario), describe(shown), notes(shown));
    both.predicted.iter().flat_map(|of| of.other_rules(scenario)).for_each(|note| said += &format!("note: {note}\n"));
    let mut text = format!("{}\n{}\n", terminal.bold(&terminal.wrapped(&visible(title))), terminal.wrapped(&said));
    text += &report::comparison(&both.comparison, args.output.full, &terminal);
    text += &format!("{}\n", terminal.wrapped(&report::kept(&both.comparison, args.runs as usize)));
    if args.output.explain {
        let ours = if both.predicted.is_some() { "predicted" } else { "simulated" };
        let [simulated, measured] = [&both.nearest().timeline, &shown.timeline].map(Explained::new);
        text += &format!("\n{}", explain::difference((ours, &simulated), &measured, &terminal));
    }
    if !args.output.no_timeline && (!args.output.explain || args.output.timeline) {
        text += &diagrams(scenario, both, &terminal, args.output.timeline);
    }
    text += &format!("\n{}\n", terminal.wrapped(&finding(both)));
    output::data(&text);
}

/// The timelines one below the other, in one scale.
fn diagrams(scenario: &Scenario, both: &Both, terminal: &Terminal, all: bool) -> String {
    let shown = &both.measured[both.shown];
    let mut headings: Vec<(&str, String)> = Vec::new();
    let mut told: Vec<(&Timeline, Vec<String>)> = Vec::new();
    for (heading, run, more) in both.arms(scenario) {
        headings.push((heading, more));
        told.push((&run.timeline, findings(&run.outcome)));
    }
    headings.push(("measured", shown.recorded.policy.clone()));
    told.push((&shown.timeline, findings(&outcome(scenario, shown))));
    let found: Vec<Found<'_>> = told.iter().map(|(timeline, findings)| Found { timeline, findings }).collect();
    let diagrams = gantt::terminals(&found, terminal.width, terminal.colours, all);
    let one = |((heading, more), diagram): ((&str, String), String)| {
        format!("\n{}\n{diagram}", terminal.wrapped(&format!("{}: {more}", terminal.bold(heading))))
    };
    headings.into_iter().zip(diagrams).map(one).collect()
}
