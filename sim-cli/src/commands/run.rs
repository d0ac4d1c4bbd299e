//! `sim run`: simulates scenarios, each as it is or in variations.

mod log;
mod replicated;
mod several;

use sim_core::engine::End;
use sim_core::policy;
use sim_core::scenario::Scenario;

use super::input;
use super::simulated::{Keep, Simulated, asked};
use super::sweep;
use super::variations::Call;
use super::{
    Failure, Verdict, check_outputs, check_view, failing, findings, known, panel, picture_for, tell_written, trace,
    verdict, view, with_details,
};
use crate::args::RunArgs;
use crate::condition::Tally;
use crate::explain::{self, Explained};
use crate::gantt::{self, Found};
use crate::memory::Room;
use crate::output::{self, Terminal};
use crate::picture::{self, Picture};
use crate::progress::Progress;
use crate::{condition, fail_on, interruption, report};

pub(super) fn run(args: &RunArgs) -> Result<Verdict, Failure> {
    check_view(&args.output, args.log || args.output.plot.is_some())?;
    if let Some(cell) = args.cell {
        let [folder] = args.files.as_slice() else {
            return Err(Failure::from("--cell is for one folder of results: `sim run DIR --cell N`".to_owned()));
        };
        check_outputs(args.output.plot.as_deref(), &args.output.traces, &[])?;
        let scenario = sweep::scenario_of(folder, cell)?;
        known(&args.output.fail_if, std::iter::once(&scenario))?;
        return single(args, &scenario);
    }
    let inputs = input::all(&args.files)?;
    let call = Call::read(&inputs, &args.varies, &args.scenario, args.output.quiet)?;
    check_outputs(args.output.plot.as_deref(), &call.traces(&args.output.traces), &args.files)?;
    call.knows(&args.output.fail_if)?;
    if let Some(replications) = args.replications {
        return replicated::run(args, &call, replications);
    }
    if args.log && call.count() > 1 {
        let sentence = "--log is of one run, and these are several";
        return Err(Failure::from(format!("{sentence}\nhint: --set chooses one of the variations")));
    }
    if call.count() > 1 || args.jsonl {
        return several::run(args, &call);
    }
    let scenario = call.variation(0)?.scenario;
    if let ([Ok(input)], false) = (inputs.as_slice(), args.output.quiet) {
        input::remark_on_policy(&input.named(), &scenario);
    }
    single(args, &scenario)
}

/// The only run of a call.
fn single(args: &RunArgs, scenario: &Scenario) -> Result<Verdict, Failure> {
    interruption::watch();
    let mut progress = Progress::new(args.output.quiet);
    let keep = match keeps(args) {
        Keep::Unseen if shows_timeline(args) => Keep::IfRoom,
        keep => keep,
    };
    let room = room(args, scenario, keep, 1);
    let heard = args.log.then(|| log::listen(scenario, room));
    let simulated = heard.as_ref().map_or(scenario, |(heard, _)| heard);
    let run = one(args, simulated, keep, room, Some(&mut progress))?;
    drop(progress);
    if let Some((_, told)) = &heard {
        log::print(args, &run.timeline, told, room)?;
    } else if args.output.json {
        output::json(&with_details(&args.output, run.outcome.clone(), &run.timeline));
    } else if args.output.quiet {
        // The exit code says it.
    } else if args.output.explain {
        explain(args, scenario, &run);
    } else {
        show(args, scenario, &run);
    }
    write_files(args, scenario, &run)?;
    let found = fail_on::found(&run.outcome, &args.output.fail_on);
    let cut = run.ending.end == End::Interrupted;
    let mut tally = Tally::new(&args.output.fail_if);
    tally.add("", &run.answers);
    Ok(if cut { Verdict::Interrupted } else { verdict(&found, &args.output.fail_on).max(failing(&tally)) })
}

/// What one of so many runs may take whose timelines are kept at once. A timeline that nobody sees serves the findings:
/// those of synchronisation, and those that make the exit code, are worth as much as one that is seen.
fn room(args: &RunArgs, scenario: &Scenario, keep: Keep, at_once: usize) -> Room {
    let memory = args.output.memory;
    // A page has the lives of all tasks and their causes at once: as much as two other pictures.
    let is_page = args.output.plot.as_deref().is_some_and(picture::is_page);
    let at_once = if is_page { 2 * at_once } else { at_once };
    let asks = !args.output.fail_on.is_empty() || condition::need_timeline(&args.output.fail_if);
    let seeks = !scenario.syncs.is_empty() || asks;
    if !matches!(keep, Keep::Unseen | Keep::Nothing) || seeks { memory.for_shown(at_once) } else { memory.for_unseen() }
}

/// All of the timeline, if it is needed for something that cannot be left out; nothing, if nobody is told what it shows.
fn keeps(args: &RunArgs) -> Keep {
    let output = &args.output;
    let drawn = output.plot.is_some() || !output.traces.is_empty();
    let needed = args.log || args.check || output.timeline || output.explain || drawn;
    let told = !output.quiet || output.json || args.jsonl || fail_on::needs_timeline(&output.fail_on);
    match (needed, told) {
        (true, _) => Keep::All,
        (false, true) => Keep::Unseen,
        (false, false) => Keep::Nothing,
    }
}

/// Is the timeline drawn below the tables?
fn shows_timeline(args: &RunArgs) -> bool {
    !args.output.json && !args.output.quiet && !args.output.no_timeline
}

/// One run. What needs its timeline fails if there is no room for it.
fn one(
    args: &RunArgs,
    scenario: &Scenario,
    keep: Keep,
    room: Room,
    progress: Option<&mut Progress>,
) -> Result<Simulated, Failure> {
    if args.check {
        checked(args, scenario, room, progress)
    } else {
        asked(scenario, keep, room, progress, &args.output.fail_if)
    }
}

/// The tables and the timeline of one run.
fn show(args: &RunArgs, scenario: &Scenario, run: &Simulated) {
    let terminal = Terminal::present();
    let mut text = report::outcome(&run.outcome, scenario, args.output.full, &terminal);
    if !run.complete {
        let room = args.output.memory.for_shown(1);
        text += &terminal.wrapped(&format!("\n{}: tables only; {} may keep it\n", room.given_up(), room.more()));
    } else if shows_timeline(args) {
        text.push('\n');
        text += &diagram(run, &terminal, args.output.timeline);
    }
    output::data(&text);
}

fn diagram(run: &Simulated, terminal: &Terminal, all: bool) -> String {
    let found = Found { timeline: &run.timeline, findings: &findings(&run.outcome) };
    gantt::terminal(found, terminal.width, terminal.colours, all)
}

/// Why it was slow; the timeline only if it is asked for.
fn explain(args: &RunArgs, scenario: &Scenario, run: &Simulated) {
    let terminal = Terminal::present();
    let mut text = report::heading(&run.outcome, scenario, &terminal);
    text += &format!("\n{}", explain::text(&Explained::new(&run.timeline), &terminal));
    if args.output.timeline {
        text.push('\n');
        text += &diagram(run, &terminal, true);
    }
    output::data(&text);
}

fn write_files(args: &RunArgs, scenario: &Scenario, run: &Simulated) -> Result<(), Failure> {
    if let Some(path) = &args.output.plot {
        let panels = vec![panel(run, String::new(), String::new())];
        if args.output.explain {
            let why = explain::headline(&Explained::new(&run.timeline));
            let picture = picture_for(&[scenario], &why, panels);
            picture::draw_causes(&Picture { view: view(&args.output)?, ..picture }, path)?;
        } else {
            let picture = picture_for(&[scenario], "", panels);
            picture::draw(&Picture { view: view(&args.output)?, ..picture }, path)?;
        }
        tell_written(&args.output, "picture", std::slice::from_ref(path));
    }
    args.output.traces.iter().try_for_each(|path| trace(&run.timeline, scenario, path))?;
    tell_written(&args.output, "trace", &args.output.traces);
    Ok(())
}

/// `--check`: the contract of the policy, and the laws of the timeline from the finished record.
fn checked(
    args: &RunArgs,
    scenario: &Scenario,
    room: Room,
    progress: Option<&mut Progress>,
) -> Result<Simulated, Failure> {
    let (scenario, guard) = policy::checked::watch(scenario);
    let run = asked(&scenario, Keep::All, room, progress, &args.output.fail_if)?;
    let (title, policy) = (&scenario.title, scenario.scheduler.kind.name);
    guard
        .verdict()
        .map_err(|breach| Failure(format!("sim: in `{title}`, the policy `{policy}` breaks its contract: {breach}")))?;
    match run.timeline.check_simulated(&scenario) {
        Ok(()) => Ok(run),
        Err(violations) => Err(Failure(format!("sim: the timeline of `{title}` breaks a law: {violations}"))),
    }
}
