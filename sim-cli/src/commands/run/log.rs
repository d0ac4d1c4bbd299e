//! `sim run --log`: every decision in words, a line each.

use std::fmt::Write as _;

use sim_core::ids::Id as _;
use sim_core::log::{self, Line};
use sim_core::policy::told::{self, Told};
use sim_core::scenario::Scenario;
use sim_core::time::{Span, Time};
use sim_core::timeline::Timeline;

use super::super::Failure;
use crate::args::RunArgs;
use crate::letters::{left, right, visible, width};
use crate::memory::Room;
use crate::output;

/// What a word of a policy takes with its line, in bytes.
const WORD: u64 = 400;
/// So many lines are written at once.
const AT_ONCE: usize = 1_000;

/// The scenario with its policy listened to.
pub(super) fn listen(scenario: &Scenario, room: Room) -> (Scenario, Told) {
    told::listen(scenario, usize::try_from(room.records / WORD).unwrap_or(usize::MAX))
}

/// Prints the log of a run, or the part of it that is asked for.
pub(super) fn print(args: &RunArgs, timeline: &Timeline, told: &Told, room: Room) -> Result<(), Failure> {
    let Some(words) = told.words() else {
        let sentence = "the log of this run is longer than there is memory for";
        return Err(Failure::from(format!("{sentence}\nhint: {}, or end it sooner (--set until=…)", room.more())));
    };
    let lines = log::lines(timeline, words);
    let wanted = |line: &&Line| {
        let at = line.at - Time::ZERO;
        at >= args.output.from.unwrap_or(Span::ZERO) && args.output.to.is_none_or(|to| at <= to)
    };
    let shown: Vec<&Line> = lines.iter().filter(wanted).collect();
    let names: Vec<String> = log::names(timeline).iter().map(|name| visible(name).into_owned()).collect();
    let columns = Columns::of(&shown, &names, timeline);
    let mut text = columns.row(["time", "on", "task", "what"], "");
    for (number, line) in shown.iter().enumerate() {
        text += &columns.line(line, &names, timeline);
        if number % AT_ONCE == AT_ONCE - 1 {
            output::data(&std::mem::take(&mut text));
        }
    }
    let end = (timeline.end - Time::ZERO).to_string();
    let _ = writeln!(text, "{} of {} lines; the run ends at {end}", shown.len(), lines.len());
    output::data(&text);
    Ok(())
}

/// How wide the columns are.
struct Columns([usize; 4]);

impl Columns {
    fn of(lines: &[&Line], names: &[String], timeline: &Timeline) -> Columns {
        let mut widths = ["time", "on", "task", "what"].map(width);
        for line in lines {
            let cells = cells(line, names, timeline);
            widths.iter_mut().zip(&cells).for_each(|(widest, cell)| *widest = (*widest).max(width(cell)));
        }
        Columns(widths)
    }

    fn line(&self, line: &Line, names: &[String], timeline: &Timeline) -> String {
        let cells = cells(line, names, timeline);
        self.row(cells.each_ref().map(String::as_str), &line.words)
    }

    fn row(&self, [at, on, task, event]: [&str; 4], words: &str) -> String {
        let Columns([time, cpu, name, what]) = self;
        let row =
            format!("{}  {}  {}  {}  {words}", right(at, *time), left(on, *cpu), left(task, *name), left(event, *what));
        format!("{}\n", row.trim_end())
    }
}

/// When, on which processor, who, what.
fn cells(line: &Line, names: &[String], timeline: &Timeline) -> [String; 4] {
    let cpu = timeline.cast.processors.get(line.cpu).cloned().unwrap_or_default();
    let task = names.get(line.task.index()).cloned().unwrap_or_default();
    [line.at.to_string(), cpu, task, line.event.to_owned()]
}
