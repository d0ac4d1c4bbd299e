//! `sim diff`: two outcomes or scenarios against each other.

mod document;

use std::path::PathBuf;

use sim_core::compare::likeness;
use sim_core::engine::End;
use sim_core::outcome::reading::Reading;
use sim_core::scenario::Scenario;

use self::document::{Arm, Arms};
use super::input::{self, Input};
use super::simulated::{Keep, simulated};
use super::{Failure, Verdict, check_outputs};
use crate::args::{DiffArgs, ScenarioArgs};
use crate::diff::{self, Diff, Side};
use crate::gantt::{self, Found};
use crate::letters::{glued, visible};
use crate::output::{self, Terminal};
use crate::picture::{self, Panel, Picture};
use crate::progress::Progress;
use crate::{interruption, report};

/// A longer file is refused.
const LONGEST: usize = 1 << 30;

pub(super) fn diff(args: &DiffArgs) -> Result<Verdict, Failure> {
    let files: Vec<PathBuf> = std::iter::once(&args.a).chain(&args.b).cloned().collect();
    check_outputs(args.plot.as_deref(), &[], &files)?;
    if files.iter().filter(|file| input::is_standard_input(file)).count() > 1 {
        return Err(Failure("sim: standard input (`-`) can be read once only".to_owned()));
    }
    let inputs: Vec<Input> = files.iter().map(|file| Input::read_up_to(file, LONGEST)).collect::<Result<_, _>>()?;
    let wanted = [(&args.set_a, &args.pick_a), (&args.set_b, &args.pick_b)];
    let mut sources = Vec::new();
    for (index, (letter, (sets, pick))) in ["A", "B"].into_iter().zip(wanted).enumerate() {
        let input = &inputs[index.min(inputs.len() - 1)];
        sources.push(Source::new(letter, input, sets, pick.as_deref(), args, inputs.len() == 1)?);
    }
    let scenarios = sources.iter().filter(|source| matches!(source.what, What::Scenario(_))).count();
    let sets = !args.scenario.sets.is_empty() || args.scenario.seed.is_some();
    if sets && scenarios == 0 {
        let sentence = "--set and --seed change scenarios before they are simulated, and these are outcomes already";
        return Err(Failure(format!("sim: {sentence}\nhint: leave them out, or give the scenario")));
    }
    if inputs.len() == 1 && scenarios == 2 && args.set_a.is_empty() && args.set_b.is_empty() {
        let sentence = "there is one scenario, and nothing in it that differs";
        return Err(Failure(format!(
            "sim: {sentence}\nhint: give another file, or say what differs, such as --set-b scheduler.policy=srtf"
        )));
    }
    interruption::watch();
    let mut sides = Vec::new();
    for source in sources {
        match source.side(args)? {
            Some(side) => sides.push(side),
            None => {
                output::talk(&interruption::told(0, 2));
                return Ok(Verdict::Interrupted);
            }
        }
    }
    let Ok(sides) = <[Side; 2]>::try_from(sides) else { return Ok(Verdict::Done) };
    needs_timelines(args, &sides)?;
    told(args, &Diff::new(sides))
}

/// A picture is made of timelines.
fn needs_timelines(args: &DiffArgs, sides: &[Side; 2]) -> Result<(), Failure> {
    let missing = ["A", "B"].into_iter().zip(sides).find_map(|(letter, side)| {
        side.without_timeline.as_ref().filter(|_| args.plot.is_some()).map(|why| format!("{letter} {why}"))
    });
    match missing {
        None => Ok(()),
        Some(why) => Err(Failure(format!("sim: --plot draws timelines, and {why}"))),
    }
}

/// Tells what differs.
fn told(args: &DiffArgs, diff: &Diff) -> Result<Verdict, Failure> {
    let broken = diff.beyond(&args.tolerance);
    if args.json {
        output::json(&diff::document(diff, &args.tolerance, &broken));
    } else if !args.quiet {
        let terminal = Terminal::present();
        let mut text = diff::text(diff, args.full, &terminal);
        if !args.no_timeline && !diff.identical {
            text += &diagrams(diff, &terminal);
        }
        output::data(&text);
    }
    let seeds = diff.sides.each_ref().map(|side| &side.reading.seed);
    if !args.quiet && !diff.identical && seeds[0] != seeds[1] {
        output::talk("remark: A and B have different seeds, so what is drawn differs too");
    }
    if let Some(path) = &args.plot {
        picture::draw(&drawn(diff), path)?;
        if !args.quiet {
            output::talk(&format!("picture: {}", path.display()));
        }
    }
    broken.iter().for_each(|sentence| output::talk(&format!("finding: {sentence}")));
    Ok(if broken.is_empty() { Verdict::Done } else { Verdict::Finding })
}

/// The timelines one below the other, in one scale.
fn diagrams(diff: &Diff, terminal: &Terminal) -> String {
    let [a, b] = diff.sides.each_ref();
    let (Some(timeline_a), Some(timeline_b)) = (&a.timeline, &b.timeline) else { return String::new() };
    let found = [timeline_a, timeline_b].map(|timeline| Found { timeline, findings: &[] });
    let diagrams = gantt::terminals(&found, terminal.width, terminal.colours, false);
    let one = |((letter, side), diagram): ((&str, &Side), String)| {
        let note = not_in_document(side).map_or_else(String::new, |note| format!(" ({note})"));
        let heading = format!("{}: {}{note}", terminal.bold(letter), visible(&side.name));
        format!("\n{}\n{diagram}", terminal.wrapped(&heading))
    };
    [("A", a), ("B", b)].into_iter().zip(diagrams).map(one).collect()
}

/// What must be known of a timeline that was read.
fn not_in_document(side: &Side) -> Option<&'static str> {
    (!side.is_whole).then_some("read: what tasks were blocked for is drawn as waiting")
}

/// One above the other, and between them where they run the same tasks.
fn drawn(diff: &Diff) -> Picture<'_> {
    let [a, b] = diff.sides.each_ref();
    let panels: Vec<Panel<'_>> = [("A", a), ("B", b)].into_iter().filter_map(panel).collect();
    let likeness = match (&a.timeline, &b.timeline) {
        (Some(a), Some(b)) => likeness(a, b),
        _ => Vec::new(),
    };
    let titles = [&a.reading.title, &b.reading.title];
    let title = if titles[0] == titles[1] { titles[0].clone() } else { format!("{} · {}", titles[0], titles[1]) };
    Picture {
        title,
        subtitle: String::new(),
        note: glued(&diff::headline(diff)),
        panels,
        likeness,
        ..Picture::default()
    }
}

fn panel<'a>((letter, side): (&str, &'a Side)) -> Option<Panel<'a>> {
    let timeline = side.timeline.as_ref()?;
    let notes = [side.reading.source.as_str()].into_iter().chain(not_in_document(side)).collect::<Vec<_>>();
    let findings = side.reading.explanation.iter().cloned().collect();
    Some(Panel { heading: format!("{letter}: {}", side.name), subtitle: notes.join(" · "), findings, timeline })
}

/// What a side is made of.
struct Source {
    name: String,
    what: What,
}

enum What {
    Scenario(Box<Scenario>),
    Outcome(Box<Arm>),
}

impl Source {
    fn new(
        letter: &str,
        input: &Input,
        sets: &[(String, String)],
        pick: Option<&str>,
        args: &DiffArgs,
        alone: bool,
    ) -> Result<Source, Failure> {
        let option = letter.to_lowercase();
        let name = input.named();
        let refuse = |sentence: String, hint: String| Err(Failure(format!("sim: {sentence}\nhint: {hint}")));
        if document::is_json(&name, input.text()) {
            if !sets.is_empty() {
                return refuse(
                    format!("{name} is an outcome, and --set-{option} changes scenarios before they are simulated"),
                    "leave it out, or give the scenario".to_owned(),
                );
            }
            let arms = Arms::read(input.text()).map_err(|why| Failure(format!("sim: {name}: {why}")))?;
            let arm = arms.choose(letter, pick, alone).map_err(|why| Failure(format!("sim: {name}: {why}")))?;
            let name = if arm.name.is_empty() { name } else { format!("{name} ({})", arm.name) };
            return Ok(Source { name, what: What::Outcome(Box::new(arm)) });
        }
        if let Some(pick) = pick {
            return refuse(
                format!("--pick-{option} {pick} chooses among outcomes, and {name} is a scenario"),
                format!("`sim run {name} --json` makes an outcome of it"),
            );
        }
        let together = args.scenario.sets.iter().chain(sets).cloned().collect();
        let own = ScenarioArgs { sets: together, seed: args.scenario.seed };
        // What is said of the one file is not said again.
        let quiet = args.quiet || (alone && letter == "B");
        let scenario = input.parsed().scenario_aloud(&own, quiet)?;
        let said = sets.iter().map(|(path, value)| format!("{path}={value}"));
        let name = std::iter::once(name).chain(said).collect::<Vec<_>>().join(" ");
        Ok(Source { name, what: What::Scenario(Box::new(scenario)) })
    }

    /// Simulates or reads; `None` after Ctrl-C.
    fn side(self, args: &DiffArgs) -> Result<Option<Side>, Failure> {
        let name = self.name;
        match self.what {
            What::Outcome(arm) => {
                let timeline = arm.reading.timeline().map_err(|why| Failure(format!("sim: {name}: {why}")))?;
                let without = timeline.is_none().then(|| "has none; `--json --timeline` writes one".to_owned());
                let makespans = |recorded: &serde_json::Value| {
                    let list = recorded["makespans_ns"].as_array().cloned().unwrap_or_default();
                    list.iter().filter_map(serde_json::Value::as_u64).collect::<Vec<_>>()
                };
                let makespans_ns = arm.reading.recorded.as_ref().map(makespans).unwrap_or_default();
                let makespans_ns = if arm.makespans_ns.is_empty() { makespans_ns } else { arm.makespans_ns };
                let reading = Reading { timeline: None, ..arm.reading };
                Ok(Some(Side {
                    name,
                    causes: diff::of_reading(&reading),
                    reading,
                    timeline,
                    without_timeline: without,
                    is_whole: false,
                    makespans_ns,
                    notes: arm.notes,
                }))
            }
            What::Scenario(scenario) => simulated_side(name, &scenario, args),
        }
    }
}

fn simulated_side(name: String, scenario: &Scenario, args: &DiffArgs) -> Result<Option<Side>, Failure> {
    let keep = if args.plot.is_some() { Keep::All } else { Keep::IfRoom };
    let room = args.memory.for_shown(2);
    let run = simulated(scenario, keep, room, Some(&mut Progress::new(args.quiet)))?;
    if run.ending.end == End::Interrupted {
        return Ok(None);
    }
    let reading = Reading::of(&run.outcome).map_err(Failure::from)?;
    let without = (!run.complete).then(|| format!("has none: {}; {} may keep it", room.given_up(), room.more()));
    let timeline = run.complete.then_some(run.timeline);
    Ok(Some(Side {
        name,
        reading,
        causes: timeline.as_ref().map(diff::of_timeline),
        timeline,
        without_timeline: without,
        is_whole: true,
        makespans_ns: Vec::new(),
        notes: vec![report::setting(scenario)],
    }))
}
