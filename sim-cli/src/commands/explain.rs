//! `sim explain`: what determined how long a run took, and what would make it shorter.

mod goal;
mod trial;

use std::path::Path;

use sim_core::causes::critical_path::{CriticalPath, Link};
use sim_core::engine::End;
use sim_core::outcome::Metric;
use sim_core::scenario::Scenario;

use super::input::{Input, Parsed};
use super::simulated::{Keep, Simulated, simulated};
use super::{Failure, Verdict, check_outputs, panel, picture_for};
use crate::args::ExplainArgs;
use crate::explain::path::Told;
use crate::explain::{Reasons, document};
use crate::output::{self, Terminal};
use crate::picture::{self, Picture};
use crate::progress::Progress;
use crate::report::gains::{self, Trials};
use crate::{interruption, report};

use self::goal::Chosen;
use self::trial::Laboratory;

pub(super) fn explain(args: &ExplainArgs) -> Result<Verdict, Failure> {
    let input = Input::read(&args.file)?;
    let parsed = input.parsed();
    let scenario = parsed.scenario_aloud(&args.scenario, args.quiet)?;
    check_outputs(args.plot.as_deref(), &[], std::slice::from_ref(&args.file))?;
    interruption::watch();
    let mut progress = Progress::new(args.quiet);
    let run = simulated(&scenario, Keep::All, args.memory.for_shown(1), Some(&mut progress))?;
    let chosen = Chosen::of(args, &run)?;
    let metric = metric(args, &chosen, &scenario, &run)?;
    drop(progress);
    let path = chosen.goal.map(|goal| CriticalPath::of(&run.timeline, Some(&scenario), goal));
    let told = Told::new(&scenario, &run.timeline, path.as_ref());
    let terminal = Terminal::present();
    if !args.quiet && !args.json {
        // What is known is shown before the long part begins.
        let heading = report::heading(&run.outcome, &scenario, &terminal);
        output::data(&format!("{heading}\n{}", told.text(&chosen.words, args.full, &terminal)));
        if told.is_mostly_to_come() && args.task.is_none() && args.of.is_none() {
            output::talk(
                "hint: most of this is the time until the last tasks arrive, which nothing makes shorter; --of p99 explains a slow one",
            );
        }
    }
    let trials = match run.ending.end {
        _ if args.no_speedups || (args.quiet && !args.json) => None,
        End::Interrupted => None,
        end => trials(args, &parsed, (&scenario, end), metric)?,
    };
    if let Some(file) = &args.plot {
        plot(&run, &scenario, (&chosen.words, told.links()), file)?;
        if !args.quiet {
            output::talk(&format!("picture: {}", file.display()));
        }
    }
    let reasons = Reasons::new(&told, args.metric.as_ref().is_none_or(|path| *path == chosen.metric));
    if args.json {
        let trials = trials.as_ref().map(|trials| (trials, &reasons as &dyn gains::Beside));
        output::json(&document(&told, &chosen.words, trials, interruption::asked()));
    } else if let Some(trials) = trials.as_ref().filter(|_| !args.quiet) {
        let call = call(args);
        output::data(&gains::text(trials, &scenario, &reasons, (args.full, &call), &terminal));
        if interruption::asked() {
            output::talk(&interruption::told(trials.runs.0, trials.runs.1));
        } else if trials.runs.0 < trials.runs.1 {
            let (done, all) = trials.runs;
            output::talk(&format!(
                "{done} of {all} runs: so many changes end in a livelock, too, that the rest was left out"
            ));
        }
    }
    Ok(verdict(&run))
}

/// The run as it is, as a command.
fn call(args: &ExplainArgs) -> String {
    let sets: String = args.scenario.sets.iter().map(|set| format!(" --set {}", gains::shell(set))).collect();
    let seed = args.scenario.seed.map_or_else(String::new, |seed| format!(" --seed {seed}"));
    format!("sim run {}{sets}{seed}", args.file.display())
}

/// What speed-ups are judged by.
fn metric(args: &ExplainArgs, chosen: &Chosen, scenario: &Scenario, run: &Simulated) -> Result<Metric, Failure> {
    let path = args.metric.as_deref().unwrap_or(&chosen.metric);
    let metric = Metric::parse(path).map_err(|refusal| Failure(format!("sim: {refusal}")))?;
    let known = metric.known_to(&run.timeline.cast).and_then(|()| metric.single_in(scenario));
    known.map_err(|refusal| Failure(format!("sim: {refusal}")))?;
    Ok(metric)
}

/// The path over the timeline.
fn plot(run: &Simulated, scenario: &Scenario, (words, links): (&str, &[Link]), file: &Path) -> Result<(), Failure> {
    let panels = vec![panel(run, String::new(), String::new())];
    let picture = Picture { path: links.to_vec(), ..picture_for(&[scenario], words, panels) };
    Ok(picture::draw(&picture, file)?)
}

/// All speed-ups, run; `None` if there is no figure to judge them by, which is said.
fn trials(
    args: &ExplainArgs,
    parsed: &Parsed<'_>,
    (scenario, end): (&Scenario, End),
    metric: Metric,
) -> Result<Option<Trials>, Failure> {
    let path = metric.path().to_owned();
    let laboratory = Laboratory { args, parsed, scenario, metric, livelock: end == End::Livelock };
    if !laboratory.has_figure()? {
        if !args.quiet {
            output::talk(&format!(
                "no speed-ups: this run has no {path}\nhint: judge by another figure, such as --metric processor.0.utilisation"
            ));
        }
        return Ok(None);
    }
    let mut progress = Progress::new(args.quiet);
    laboratory.trials(&mut progress).map(Some)
}

/// A deadlock makes the exit code here as for `sim run`.
fn verdict(run: &Simulated) -> Verdict {
    match run.ending.end {
        _ if interruption::asked() => Verdict::Interrupted,
        End::Interrupted => Verdict::Interrupted,
        End::Deadlock | End::Livelock => Verdict::Finding,
        End::Completed | End::Horizon => Verdict::Done,
    }
}
