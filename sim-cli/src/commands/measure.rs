//! `sim measure`: runs a scenario for real, once or several times.

use sim_core::outcome::Outcome;
use sim_core::scenario::Scenario;
use sim_real::{Measurement, Options};

use super::input::Input;
use super::{Failure, Verdict, check_outputs, draw, draw_causes, findings, tell_written, trace, with_details};
use crate::args::{MeasureArgs, OutputArgs};
use crate::explain::{self, Explained};
use crate::output::{self, Terminal};
use crate::picture::Panel;
use crate::{gantt, report};

pub(super) fn measure(args: &MeasureArgs) -> Result<Verdict, Failure> {
    let scenario = Input::read(&args.file)?.scenario_aloud(&args.scenario, args.output.quiet)?;
    let OutputArgs { plot, trace, .. } = &args.output;
    check_outputs(plot.as_deref(), trace.as_slice(), std::slice::from_ref(&args.file))?;
    let runs = measured(&scenario, args.runs as usize)?;
    let makespans: Vec<u64> = runs.iter().map(|run| run.timeline.makespan().ns()).collect();
    let shown = &runs[median_index(&makespans)];
    let mut outcome = outcome(&scenario, shown);
    if let Some(serde_json::Value::Object(recorded)) = &mut outcome.recorded
        && runs.len() > 1
    {
        recorded.insert("runs".to_owned(), runs.len().into());
        recorded.insert("makespans_ns".to_owned(), makespans.clone().into());
    }
    if args.output.json {
        output::json(&with_details(&args.output, outcome.clone(), &shown.timeline));
    } else if !args.output.quiet {
        show(args, &scenario, &outcome, shown, &makespans);
    }
    if !args.output.quiet {
        shown.recorded.warnings.iter().for_each(|warning| output::talk(&format!("warning: {warning}")));
    }
    write_files(args, &scenario, &outcome, shown)?;
    Ok(Verdict::Done)
}

fn write_files(args: &MeasureArgs, scenario: &Scenario, outcome: &Outcome, shown: &Measurement) -> Result<(), Failure> {
    if let Some(path) = &args.output.plot {
        let panel = measured_panel(outcome, shown);
        if args.output.explain {
            draw_causes(scenario, &explain::headline(&Explained::new(&shown.timeline)), vec![panel], path)?;
        } else {
            draw(scenario, "", vec![panel], path)?;
        }
        tell_written(&args.output, "picture", std::slice::from_ref(path));
    }
    if let Some(path) = &args.output.trace {
        trace(&shown.timeline, scenario, path)?;
        tell_written(&args.output, "trace", std::slice::from_ref(path));
    }
    Ok(())
}

fn show(args: &MeasureArgs, scenario: &Scenario, outcome: &Outcome, shown: &Measurement, makespans: &[u64]) {
    let terminal = Terminal::present();
    let mut text = if args.output.explain {
        report::heading(outcome, scenario, &terminal)
    } else {
        report::outcome(outcome, scenario, &terminal)
    };
    text += &format!("\n{}\n", describe(shown));
    if makespans.len() > 1 {
        let unit = crate::table::Unit::for_all(makespans.iter().copied());
        let all: Vec<String> = makespans.iter().map(|makespan| unit.show(*makespan)).collect();
        text +=
            &format!("makespans of {} runs ({}): {}; the median one is shown\n", all.len(), unit.name, all.join(" "));
    }
    if args.output.explain {
        text += &format!("\n{}", explain::text(&Explained::new(&shown.timeline), &terminal));
    }
    if !args.output.explain || args.output.timeline {
        text.push('\n');
        text += &gantt::terminal(&shown.timeline, terminal.width, terminal.colours, args.output.timeline);
    }
    output::data(&text);
}

/// Measures a scenario `count` times.
pub(super) fn measured(scenario: &Scenario, count: usize) -> Result<Vec<Measurement>, Failure> {
    (0..count).map(|_| once(scenario)).collect()
}

/// Measures a scenario once.
///
/// Linux lets real-time threads have no more than 95 % of a second and stops them for the rest. Run after run would
/// hit that limit though each alone does not, so there is a breath before each.
pub(super) fn once(scenario: &Scenario) -> Result<Measurement, Failure> {
    std::thread::sleep(std::time::Duration::from_millis(100));
    sim_real::measure(scenario, &Options::default()).map_err(|why| Failure(format!("sim: cannot measure: {why}")))
}

/// The outcome of a measured run.
pub(super) fn outcome(scenario: &Scenario, run: &Measurement) -> Outcome {
    let recorded = serde_json::to_value(&run.recorded).unwrap_or_default();
    Outcome::measured(scenario, &run.timeline, recorded).with_findings(scenario, &run.timeline)
}

/// What was really used, in a few words.
pub(super) fn describe(run: &Measurement) -> String {
    let recorded = &run.recorded;
    format!("{}; {}; recorded by {}", recorded.executor, recorded.policy, recorded.recorder)
}

/// A measured run in a picture.
pub(super) fn measured_panel<'a>(outcome: &Outcome, run: &'a Measurement) -> Panel<'a> {
    let (heading, subtitle) = ("measured".to_owned(), describe(run));
    Panel { heading, subtitle, findings: findings(outcome), timeline: &run.timeline }
}

/// The index of the (lower) median.
pub(super) fn median_index(values: &[u64]) -> usize {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|index| values[*index]);
    order.get((values.len().max(1) - 1) / 2).copied().unwrap_or(0)
}
