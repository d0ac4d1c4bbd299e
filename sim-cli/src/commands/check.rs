//! `sim check`: validates scenarios and experiments; with `--expect` it marks the figures of runs, too.

mod json;

use sim_core::engine::End;
use sim_core::experiment::Experiment;
use sim_core::scenario::Scenario;

use super::input::{self, Input, remark_on_policy, say};
use super::simulated::{self, Keep};
use super::{Failure, Verdict, known, sweep};
use crate::args::{CheckArgs, CheckFormat};
use crate::condition::Answer;
use crate::interruption;
use crate::letters::width as columns;
use crate::memory::Memory;
use crate::output::{self, Terminal};
use crate::progress::Progress;
use crate::report::{self, setting};

pub(super) fn check(args: &CheckArgs) -> Result<Verdict, Failure> {
    let inputs = input::all(&args.files)?;
    if args.format == CheckFormat::Json {
        return json::check(args, &inputs);
    }
    let right = input::each(&inputs, |parsed| {
        if Experiment::is_one(parsed.input().text()) {
            let said = experiment(args, parsed.input())?;
            if !args.quiet {
                let line = format!("{}: valid ({said})\n", parsed.input().named());
                output::data(&Terminal::present().wrapped(&line));
            }
            return Ok(None);
        }
        let (scenario, remarks) = parsed.scenario(&args.scenario, &[])?;
        if !args.quiet {
            remarks.iter().for_each(say);
            remark_on_policy(&parsed.input().named(), &scenario);
            for why in sim_real::not_in_python(&scenario) {
                let named = parsed.input().named();
                output::talk(&format!("remark: {named}: `sim measure` refuses this: {}; {}", why.reason, why.hint));
            }
            let instances: u64 = scenario.specs.iter().map(|spec| u64::from(spec.count)).sum();
            let tasks = if instances == 1 { "1 task".to_owned() } else { format!("{instances} tasks") };
            let line = format!("{}: valid ({tasks}; {})\n", parsed.input().named(), setting(&scenario));
            let terminal = Terminal::present();
            output::data(&terminal.wrapped(&line));
            output::data(&report::protocols(&scenario, &terminal));
            output::data(&report::foretold(&scenario, &terminal));
        }
        known(&args.expect, std::iter::once(&scenario))?;
        Ok(Some((parsed.input().named(), scenario)))
    })?;
    if args.expect.is_empty() {
        return Ok(Verdict::Done);
    }
    interruption::watch();
    let mut verdict = Verdict::Done;
    for (named, scenario) in right.iter().flatten() {
        verdict = verdict.max(mark(args, named, scenario)?);
        if verdict == Verdict::Interrupted {
            break;
        }
    }
    Ok(verdict)
}

/// Simulates, and says which figures are as they are expected to be.
fn mark(args: &CheckArgs, named: &str, scenario: &Scenario) -> Result<Verdict, Failure> {
    let mut progress = Progress::new(args.quiet);
    let room = Memory::default().for_shown(1);
    let run = simulated::asked(scenario, Keep::Nothing, room, Some(&mut progress), &args.expect)?;
    drop(progress);
    if run.ending.end == End::Interrupted {
        output::talk(&format!("interrupted: {named} is not marked"));
        return Ok(Verdict::Interrupted);
    }
    let met = run.answers.iter().filter(|answer| answer.holds).count();
    if !args.quiet {
        let width = args.expect.iter().map(|condition| columns(condition.text())).max().unwrap_or(0);
        let mut text = String::new();
        for (condition, Answer { holds, figure, .. }) in args.expect.iter().zip(&run.answers) {
            let gap = " ".repeat(width - columns(condition.text()));
            let verdict = if *holds { "met    " } else { "NOT MET" };
            text += &format!("  {verdict}  {}{gap}  it is {figure}\n", condition.text());
        }
        let end = match run.ending.end {
            End::Deadlock => "; the run ended in a deadlock",
            End::Livelock => "; the run ended in a livelock",
            _ => "",
        };
        output::data(&format!("{text}{named}: {met} of {} expectations met{end}\n", args.expect.len()));
    }
    Ok(if met == args.expect.len() { Verdict::Done } else { Verdict::Finding })
}

/// An experiment is right if all of its variations are. What it would do.
fn experiment(args: &CheckArgs, input: &Input) -> Result<String, Failure> {
    if !args.expect.is_empty() {
        let sentence = format!("{} is an experiment, and --expect is for scenarios", input.named());
        let hint = "`sim sweep --fail-if 'METRIC>VALUE'` looks at all of its runs";
        return Err(Failure::from(format!("{sentence}\nhint: {hint}")));
    }
    if !args.scenario.sets.is_empty() || args.scenario.seed.is_some() {
        let sentence = format!("{} is an experiment, and --set and --seed are for scenarios", input.named());
        return Err(Failure::from(format!("{sentence}\nhint: what an experiment sets stands in the file")));
    }
    sweep::check(input.clone())
}
