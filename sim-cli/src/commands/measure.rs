//! `sim measure`: runs a scenario for real, once or several times, as it is or in variations.

use std::path::PathBuf;

use sim_core::causes::Causes;
use sim_core::metrics::Metrics;
use sim_core::outcome::{Observed, Outcome};
use sim_core::policy::on_linux::Realised;
use sim_core::scenario::Scenario;
use sim_real::{Measurement, Recorded};

use super::input;
use super::real_runs::{RealRuns, as_it_comes, feasible, undisturbed};
use super::variations::{Call, Document, Variation};
use super::{
    Failure, Verdict, check_outputs, check_view, endings, failing, findings, known, picture_for, tell_written, trace,
    verdict, view, with_details,
};
use crate::args::{MeasureArgs, OutputArgs};
use crate::condition::{self, Answer, Tally};
use crate::explain::{self, Explained};
use crate::gantt::{self, Found};
use crate::output::{self, Terminal};
use crate::picture::{self, Panel, Picture};
use crate::repetition::Repetition;
use crate::{fail_on, interruption, letters, report};

/// The runs of one variation.
struct Series<'a> {
    variation: &'a Variation,
    runs: Vec<Measurement>,
    /// How many of them others left alone.
    clean: usize,
    /// That these are fewer than were wanted, because others were busy.
    too_busy: Option<String>,
    /// What they say together.
    together: Repetition,
    /// The index of the run with the median makespan: the one that is shown.
    shown: usize,
    /// The outcome of that run.
    outcome: Outcome,
}

pub(super) fn measure(args: &MeasureArgs) -> Result<Verdict, Failure> {
    let OutputArgs { plot, traces, quiet, .. } = &args.output;
    check_view(&args.output, plot.is_some())?;
    let files = std::slice::from_ref(&args.file);
    let inputs = input::all(files)?;
    let call = Call::read(&inputs, &args.varies, &args.scenario, *quiet)?;
    let variations: Vec<Variation> =
        (0..call.count()).map(|number| call.variation(number)).collect::<Result<_, _>>()?;
    check_outputs(plot.as_deref(), &call.traces(traces), files)?;
    let traces: Vec<Vec<PathBuf>> = (0..call.count()).map(|index| call.traces_of(index, traces)).collect();
    let scenarios: Vec<&Scenario> = variations.iter().map(|variation| &*variation.scenario).collect();
    known(&args.output.fail_if, scenarios.iter().copied())?;
    scenarios.iter().try_for_each(|scenario| feasible(scenario))?;
    let options = args.real.options();
    let measured = match args.runs {
        1 => as_it_comes(&scenarios, &options, *quiet)?,
        runs => undisturbed(&scenarios, &options, runs as usize, *quiet, |_| Ok(()))?,
    };
    let all: Vec<Series<'_>> =
        variations.iter().zip(measured).filter_map(|(variation, runs)| Series::new(variation, runs)).collect();
    let done: usize = all.iter().map(|series| series.clean).sum();
    let wanted = args.runs as usize * variations.len();
    let interrupted = done < wanted && interruption::asked();
    match &all[..] {
        [] => {}
        [only] if variations.len() == 1 => show(args, only),
        _ => show_variations(args, &all, interrupted),
    }
    if !quiet {
        all.iter().flat_map(|series| series.warnings(all.len())).for_each(|warning| output::talk(&warning));
    }
    let stuck: Vec<String> = all.iter().filter_map(|series| series.stuck(all.len())).collect();
    let busy: Vec<String> = all.iter().filter_map(|series| series.too_busy(all.len())).collect();
    stuck.iter().chain(&busy).for_each(|finding| output::talk(&format!("finding: {finding}")));
    write_files(args, &variations, &all, &traces)?;
    if !interrupted {
        let of_run =
            |series: &Series<'_>, run| fail_on::found(&outcome(&series.variation.scenario, run), &args.output.fail_on);
        let found: Vec<&str> =
            all.iter().flat_map(|series| series.runs.iter().flat_map(|run| of_run(series, run))).collect();
        let verdict = verdict(&found, &args.output.fail_on).max(fails(args, &all));
        return Ok(if stuck.is_empty() && busy.is_empty() { verdict } else { Verdict::Finding });
    }
    output::talk(&interruption::told(done, wanted));
    Ok(Verdict::Interrupted)
}

/// Of which real runs conditions of `--fail-if` hold.
fn fails(args: &MeasureArgs, all: &[Series<'_>]) -> Verdict {
    let mut tally = Tally::new(&args.output.fail_if);
    for series in all {
        let label = match series.variation.label.as_str() {
            "" => String::new(),
            label => format!("{label}, "),
        };
        for (number, run) in series.runs.iter().enumerate() {
            tally.add(&format!("{label}run {}", number + 1), &answers(&args.output, &series.variation.scenario, run));
        }
    }
    failing(&tally)
}

/// What a real run says to the conditions of `--fail-if`.
pub(super) fn answers(args: &OutputArgs, scenario: &Scenario, run: &Measurement) -> Vec<Answer> {
    if args.fail_if.is_empty() {
        return Vec::new();
    }
    let mut metrics = Metrics::with_jobs();
    run.timeline.replay(&mut metrics);
    let causes = condition::need_timeline(&args.fail_if).then(|| Causes::of(&run.timeline));
    let observed = Observed::new(scenario, &metrics).with_causes(causes.as_ref().map(|causes| (&run.timeline, causes)));
    args.fail_if.iter().map(|condition| condition.ask(&observed)).collect()
}

impl<'a> Series<'a> {
    /// `None` if no run was done.
    fn new(variation: &'a Variation, real: RealRuns) -> Option<Series<'a>> {
        let RealRuns { kept: runs, clean, set_aside, too_busy } = real;
        let scenario = &variation.scenario;
        let shown = median_run(&runs)?;
        let together = Repetition::of(&runs.iter().map(|run| bare_outcome(scenario, run)).collect::<Vec<_>>());
        let mut outcome = outcome(scenario, &runs[shown]);
        if let Some(serde_json::Value::Object(recorded)) = &mut outcome.recorded {
            let makespans: Vec<u64> = runs.iter().map(|run| run.timeline.makespan().ns()).collect();
            recorded.insert("runs".to_owned(), runs.len().into());
            recorded.insert("kept".to_owned(), clean.into());
            recorded.insert("set_aside".to_owned(), set_aside.into());
            recorded.insert("makespans_ns".to_owned(), makespans.into());
            recorded.insert("statistics".to_owned(), together.json());
        }
        Some(Series { variation, runs, clean, too_busy, together, shown, outcome })
    }

    fn shown(&self) -> &Measurement {
        &self.runs[self.shown]
    }

    /// What makes the runs doubtful; with the name of the variation if it is one of several.
    fn warnings(&self, of: usize) -> Vec<String> {
        let label = if of > 1 { format!("{}: ", self.variation.label) } else { String::new() };
        disturbances(&self.runs).into_iter().map(|warning| format!("warning: {label}{warning}")).collect()
    }

    /// What is to be said of those runs that ended in a deadlock.
    fn stuck(&self, of: usize) -> Option<String> {
        let label = if of > 1 { format!("{}: ", self.variation.label) } else { String::new() };
        endings::stuck(&self.runs).map(|stuck| format!("{label}{stuck}"))
    }

    /// That there are fewer undisturbed runs than were wanted.
    fn too_busy(&self, of: usize) -> Option<String> {
        let label = if of > 1 { format!("{}: ", self.variation.label) } else { String::new() };
        self.too_busy.as_ref().map(|busy| format!("{label}{busy}"))
    }

    fn with_details(&self, args: &OutputArgs) -> Outcome {
        with_details(args, self.outcome.clone(), &self.shown().timeline)
    }
}

fn write_files(
    args: &MeasureArgs,
    variations: &[Variation],
    all: &[Series<'_>],
    traces: &[Vec<PathBuf>],
) -> Result<(), Failure> {
    if let (Some(path), Some(first)) = (&args.output.plot, all.first()) {
        let panels = all.iter().map(|series| {
            let panel = measured_panel(&series.outcome, series.shown());
            match series.variation.label.as_str() {
                "" => panel,
                label => Panel { heading: label.to_owned(), ..panel },
            }
        });
        let note = if args.output.explain && all.len() == 1 {
            explain::headline(&Explained::new(&first.shown().timeline))
        } else {
            String::new()
        };
        let scenarios: Vec<_> = all.iter().map(|series| &*series.variation.scenario).collect();
        let draw = if args.output.explain { picture::draw_causes } else { picture::draw };
        let picture = picture_for(&scenarios, &note, panels.collect());
        // What ran, not what was asked for; where it may differ from panel to panel each says it for itself.
        let subtitle = match all {
            [only] => report::setting_of(&only.outcome, &only.variation.scenario),
            _ => picture.subtitle.clone(),
        };
        draw(&Picture { subtitle, view: view(&args.output)?, ..picture }, path)?;
        tell_written(&args.output, "picture", std::slice::from_ref(path));
    }
    let mut written = Vec::new();
    for (variation, paths) in variations.iter().zip(traces) {
        if let Some(series) = all.iter().find(|series| std::ptr::eq(series.variation, variation)) {
            paths.iter().try_for_each(|path| trace(&series.shown().timeline, &variation.scenario, path))?;
            written.extend_from_slice(paths);
        }
    }
    tell_written(&args.output, "trace", &written);
    Ok(())
}

fn show(args: &MeasureArgs, series: &Series<'_>) {
    if args.output.json {
        output::json(&series.with_details(&args.output));
    }
    if args.output.json || args.output.quiet {
        return;
    }
    let terminal = Terminal::present();
    let (scenario, shown) = (&series.variation.scenario, series.shown());
    let mut text = if args.output.explain {
        report::heading(&series.outcome, scenario, &terminal)
    } else {
        report::outcome(&series.outcome, scenario, args.output.full, &terminal)
    };
    text += &terminal.wrapped(&format!("\n{}\n{}", describe(shown), notes(shown)));
    if series.runs.len() > 1 {
        text += &format!("\n{}", report::repetitions(&series.together, &terminal));
        text += &format!("run {} is shown, which has the median makespan\n", series.shown + 1);
    }
    if args.output.explain {
        text += &format!("\n{}", explain::text(&Explained::new(&shown.timeline), &terminal));
    }
    if !args.output.no_timeline && (!args.output.explain || args.output.timeline) {
        text.push('\n');
        let found = Found { timeline: &shown.timeline, findings: &findings(&series.outcome) };
        text += &gantt::terminal(found, terminal.width, terminal.colours, args.output.timeline);
    }
    output::data(&text);
}

/// A row for each variation, and what is asked for beyond them.
fn show_variations(args: &MeasureArgs, all: &[Series<'_>], interrupted: bool) {
    if args.output.json {
        let mut document = Document::begin();
        all.iter().for_each(|series| document.entry(&series.variation.entry(&series.with_details(&args.output))));
        document.end(interrupted);
    }
    if args.output.json || args.output.quiet {
        return;
    }
    let terminal = Terminal::present();
    let rows: Vec<_> = all.iter().map(|series| (series.variation.label.as_str(), &series.together)).collect();
    let mut text = report::measured_variations(&rows, &terminal);
    let used: Vec<String> = all.iter().map(|series| describe(series.shown())).collect();
    if used.iter().all(|words| *words == used[0]) {
        text += &format!("\n{}\n", terminal.wrapped(&used[0]));
    }
    for (series, words) in all.iter().zip(&used) {
        let mut more = String::new();
        if *words != used[0] || used.iter().any(|other| other != words) {
            more += &format!("{words}\n");
        }
        findings(&series.outcome).iter().for_each(|finding| more += &format!("{finding}\n"));
        more = terminal.wrapped(&more);
        let timeline = &series.shown().timeline;
        if args.output.explain {
            let sentence = explain::headline(&Explained::new(timeline));
            more += &format!("{}\n", letters::wrapped(&sentence, terminal.width));
        }
        if args.output.timeline {
            more += &gantt::terminal(Found { timeline, findings: &[] }, terminal.width, terminal.colours, true);
        }
        if !more.is_empty() {
            text += &format!("\n{}\n{more}", terminal.bold(&series.variation.label));
        }
    }
    output::data(&text);
}

/// What was wrong with the runs: what is so with all of them, and in one sentence what is not, however many they are.
pub(super) fn disturbances(runs: &[Measurement]) -> Vec<String> {
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

/// The outcome of a measured run.
pub(super) fn outcome(scenario: &Scenario, run: &Measurement) -> Outcome {
    bare_outcome(scenario, run).with_findings(scenario, &run.timeline)
}

/// The same in numbers alone.
pub(super) fn bare_outcome(scenario: &Scenario, run: &Measurement) -> Outcome {
    let recorded = serde_json::to_value(&run.recorded).unwrap_or_default();
    let mut outcome = Outcome::measured(scenario, &run.timeline, &run.ending(), recorded);
    // The kernel's own counts: a recorder sees some of it, or nothing.
    for group in &run.recorded.groups {
        for told in outcome.groups.iter_mut().filter(|told| told.name == group.name) {
            (told.throttles, told.throttled_ns) = (group.throttles, group.throttled_ns);
        }
    }
    outcome
}

/// What was really used, in a few words.
pub(super) fn describe(run: &Measurement) -> String {
    let recorded = &run.recorded;
    let recorder = recorded.recorder;
    format!("{}; {}; recorded by {recorder} ({})", recorded.executor, recorded.policy, recorder.summary())
}

/// What people should know of how it was done, a line each; if the policy is not quite that of the scenario, a warning says so.
pub(super) fn notes(run: &Measurement) -> String {
    let Recorded { notes, policy_realised, policy_reason, .. } = &run.recorded;
    let exact = format!("exactly the policy of the scenario: {policy_reason}");
    let exact = (*policy_realised == Realised::Exact).then_some(&exact);
    exact.into_iter().chain(notes).map(|note| format!("note: {note}\n")).collect()
}

/// A measured run in a picture.
pub(super) fn measured_panel<'a>(outcome: &Outcome, run: &'a Measurement) -> Panel<'a> {
    let (heading, subtitle) = ("measured".to_owned(), describe(run));
    Panel { heading, subtitle, findings: findings(outcome), timeline: &run.timeline }
}

/// The index of the run with the median makespan, the lower of two; `None` without runs.
pub(super) fn median_run(runs: &[Measurement]) -> Option<usize> {
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|index| runs[*index].timeline.makespan());
    order.get(order.len().checked_sub(1)? / 2).copied()
}
