//! The form for people: as wide as the terminal, Unicode blocks, colours if the terminal has them.
//!
//! With colours, a column that holds two states is cut where they meet, to an eighth of a column; without, a column
//! shows the state that has more than half of it. A column in which no state has that, and one in which a task ran
//! too shortly to be seen otherwise, have marks of their own.

use sim_core::ids::{CpuId, Id, TaskId};
use sim_core::timeline::Timeline;
use sim_core::timeline::lanes::{Busy, Stretch};

use super::columns::{Cell, Columns, cells};
use crate::axis;
use crate::doings::{self, Doing};
use crate::letters::{self, fitted};
use crate::rows::{self, Rows};
use crate::table::Unit;

const MOST_PROCESSORS: usize = 16;
const MOST_TASKS: usize = 24;
/// … and those whom findings accuse, but no more of them than this.
const MOST_ACCUSED: usize = 6;
const WIDEST_NAME: usize = 24;
const NARROWEST_DIAGRAM: usize = 20;
/// Letters of the tasks where there are no colours; later tasks begin again.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Colours of the tasks, from the 256 of terminals: after Okabe & Ito, readable with black on them.
const HUES: [u8; 8] = [39, 214, 36, 175, 117, 202, 143, 141];
/// Eighths of a column, filled from the left.
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// How a state looks: with colours, and without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ink {
    /// The character, unless there are colours and a ground.
    symbol: char,
    /// Colour of the ground, if the state fills the column.
    ground: Option<u8>,
    /// Colour of the character.
    colour: u8,
}

const NOTHING: Ink = Ink { symbol: ' ', ground: None, colour: 250 };
const IDLE: Ink = Ink { symbol: '·', ground: None, colour: 240 };
const READY: Ink = Ink { symbol: '─', ground: None, colour: 250 };
const THROTTLED: Ink = Ink { symbol: '░', ground: None, colour: 167 };
const DEPLETED: Ink = Ink { symbol: '▓', ground: None, colour: 172 };
const INTERPRETER: Ink = Ink { symbol: '≡', ground: None, colour: 250 };
const BLOCKED: Ink = Ink { symbol: '┈', ground: None, colour: 244 };
const BLOCKING: Ink = Ink { symbol: '╍', ground: None, colour: 250 };
const QUEUED: Ink = Ink { symbol: '╎', ground: None, colour: 244 };
const SEEK: Ink = Ink { symbol: '→', ground: None, colour: 250 };
const OVERHEAD: Ink = Ink { symbol: '▞', ground: None, colour: 244 };
const CLASH: Ink = Ink { symbol: '!', ground: None, colour: 196 };
const MOMENT: Ink = Ink { symbol: '┼', ground: None, colour: 250 };
const MIXED: Ink = Ink { symbol: '▒', ground: None, colour: 250 };

/// A timeline to draw, and what was found there: whom that names has a row, however many others there are.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// What happened.
    pub timeline: &'a Timeline,
    /// Sentences about it.
    pub findings: &'a [String],
}

/// The timeline for a terminal so many characters wide; with all processors and tasks, or only so many that a person
/// can take them in.
#[must_use]
pub fn terminal(found: Found<'_>, width: usize, colours: bool, all: bool) -> String {
    terminals(&[found], width, colours, all).concat()
}

/// The same for several timelines on one scale, so that they can be compared by eye.
#[must_use]
pub fn terminals(found: &[Found<'_>], width: usize, colours: bool, all: bool) -> Vec<String> {
    let diagrams: Vec<Diagram<'_>> = found.iter().map(|found| Diagram::new(*found, colours, all)).collect();
    let widest = diagrams.iter().map(Diagram::widest_name).max().unwrap_or(0);
    let margin = widest.min(WIDEST_NAME.min(width / 3));
    let extent = found.iter().map(|found| found.timeline.extent().ns()).max().unwrap_or(0).max(1);
    let count = width.saturating_sub(margin + 2).max(NARROWEST_DIAGRAM);
    let columns = Columns { extent, count: count.min(usize::try_from(extent).unwrap_or(count)) };
    diagrams.iter().map(|diagram| diagram.draw(columns, margin, count)).collect()
}

/// A timeline with the rows that its diagram has.
struct Diagram<'a> {
    timeline: &'a Timeline,
    colours: bool,
    cpus: Rows<CpuId>,
    cpu_names: Vec<String>,
    /// Who held the interpreter lock of each process that has one.
    interpreters: Vec<(String, Vec<Stretch<Busy>>)>,
    tasks: Rows<TaskId>,
    task_names: Vec<String>,
}

impl<'a> Diagram<'a> {
    fn new(Found { timeline, findings }: Found<'a>, colours: bool, all: bool) -> Diagram<'a> {
        let cpus = rows::processors(timeline, if all { usize::MAX } else { MOST_PROCESSORS });
        let names = rows::names(timeline);
        let mut accused = if all { Vec::new() } else { rows::named_in(&names, findings) };
        accused.truncate(MOST_ACCUSED);
        let tasks = rows::tasks(timeline, if all { usize::MAX } else { MOST_TASKS }, &accused);
        let named = |task: &TaskId| {
            if colours { names[*task].clone() } else { format!("{} {}", letter(*task), names[*task]) }
        };
        let interpreters = timeline.interpreters().into_iter();
        Diagram {
            timeline,
            colours,
            cpu_names: cpus.shown.iter().map(|cpu| rows::processor_label(timeline, *cpu)).collect(),
            interpreters: interpreters
                .map(|(process, lane)| (rows::interpreter_label(timeline, process), lane))
                .collect(),
            task_names: tasks.shown.iter().map(named).collect(),
            cpus,
            tasks,
        }
    }

    fn widest_name(&self) -> usize {
        let interpreters = self.interpreters.iter().map(|(name, _)| name);
        let names = self.cpu_names.iter().chain(interpreters).chain(&self.task_names);
        names.map(|name| letters::width(name)).max().unwrap_or(0)
    }

    /// The text, with a legend at most `count` columns wide.
    fn draw(&self, columns: Columns, margin: usize, count: usize) -> String {
        let mut text = axis(columns, margin);
        let mut line = |name: &str, cells: String| {
            text.push_str(format!("{} {cells}", fitted(name, margin)).trim_end());
            text.push('\n');
        };
        // The lanes of processors are gone before those of tasks are made: each can be as long as the record.
        let occupancy = self.timeline.occupancy_of(one_of(self.timeline.cast.processors.len(), &self.cpus.shown));
        for (cpu, name) in self.cpus.shown.iter().zip(&self.cpu_names) {
            line(name, draw(&occupancy[*cpu], columns, self.colours, busy_ink));
        }
        drop(occupancy);
        self.cpus.left_out.iter().for_each(|left_out| line("", letters::cut(left_out, count)));
        for (name, lane) in &self.interpreters {
            line(name, draw(lane, columns, self.colours, busy_ink));
        }
        line("", String::new());
        let lives = doings::of_those(self.timeline, one_of(self.timeline.tasks.len(), &self.tasks.shown));
        for (task, name) in self.tasks.shown.iter().zip(&self.task_names) {
            let ink = |doing| doing_ink(doing, *task);
            line(name, draw(&lives[*task], columns, self.colours, ink));
        }
        self.tasks.left_out.iter().for_each(|left_out| line("", letters::cut(left_out, count)));
        text.push_str(&legend(&text, margin, count, self.colours));
        text
    }
}

/// Is this one of those, of so many? Asked for every record.
fn one_of<I: Id>(count: usize, those: &[I]) -> impl Fn(I) -> bool + use<I> {
    let mut marks = vec![false; count];
    those.iter().for_each(|id| marks[id.index()] = true);
    move |id: I| marks.get(id.index()).copied().unwrap_or(false)
}

/// The line with the times and the line with the ticks.
fn axis(columns: Columns, margin: usize) -> String {
    let most = (columns.count / 9).max(3) as u64;
    let mut times: Vec<char> = vec![' '; columns.count + 16];
    let mut ticks: Vec<char> = vec!['─'; columns.count];
    // The unit of the tables beside it.
    let unit = Unit::for_all(std::iter::once(columns.extent));
    for tick in axis::ticks_in((unit.name, unit.scale), columns.extent, most) {
        let column = columns.of(tick.at);
        let Some(mark) = ticks.get_mut(column) else { continue };
        *mark = if column == 0 { '├' } else { '┬' };
        if column + tick.label.chars().count() <= columns.count + 1 {
            tick.label.chars().zip(column..).for_each(|(letter, column)| times[column] = letter);
        }
    }
    let indent = " ".repeat(margin);
    let (times, ticks): (String, String) = (times.into_iter().collect(), ticks.into_iter().collect());
    format!("{indent} {}\n{indent} {ticks}\n", times.trim_end())
}

/// One lane.
fn draw<S: Copy + PartialEq>(lane: &[Stretch<S>], columns: Columns, colours: bool, ink: impl Fn(S) -> Ink) -> String {
    // A run that is too short for the majority of any column would be lost.
    let cells = cells(lane, columns, |state| ink(state).ground.is_some());
    let ink = |state: Option<S>| state.map_or(NOTHING, &ink);
    let mut shown: Vec<Ink> = cells.iter().map(|cell| cell.majority.map_or(MIXED, ink)).collect();
    for (column, cell) in cells.iter().enumerate() {
        let near = &shown[column.saturating_sub(1)..shown.len().min(column + 2)];
        let lost = near.iter().all(|ink| ink.ground.is_none() && *ink != MIXED);
        if let (true, Some(run)) = (lost, cell.mark) {
            shown[column] = Ink { colour: ink(Some(run)).colour, ..MOMENT };
        }
    }
    let mut line = String::new();
    for (cell, shown) in cells.iter().zip(shown) {
        if colours {
            coloured(&mut line, cell, shown, ink);
        } else {
            line.push(shown.symbol);
        }
    }
    if colours {
        line.push_str("\x1b[0m");
    }
    line
}

/// A column with colours: two states that meet in it, or else what is `shown` for all of it.
fn coloured<S: Copy>(line: &mut String, cell: &Cell<S>, shown: Ink, ink: impl Fn(Option<S>) -> Ink) {
    let eighths = |time: u64| {
        let rounded = (u128::from(time) * 8 + u128::from(cell.length) / 2) / u128::from(cell.length.max(1));
        usize::try_from(rounded).unwrap_or(8).min(8)
    };
    let mut paint = |ground: Option<u8>, colour: u8, symbol: char| {
        let ground = ground.map_or_else(|| "49".to_owned(), |ground| format!("48;5;{ground}"));
        line.push_str(&format!("\x1b[{ground};38;5;{colour}m{symbol}"));
    };
    // What is shorter than half an eighth cannot be shown.
    let parts = cell.parts.iter().filter(|(_, time)| eighths(*time) > 0);
    let parts: Vec<(Ink, u64)> = parts.map(|(state, time)| (ink(*state), *time)).collect();
    if let [(first, time), (second, _)] = *parts.as_slice() {
        match (first.ground, second.ground) {
            (Some(left), right) => return paint(right, left, EIGHTHS[eighths(time)]),
            // Blocks grow from the left, but for this one.
            (None, Some(right)) if eighths(time) <= 4 => return paint(None, right, '▐'),
            (None, _) => {}
        }
    }
    match shown.ground {
        Some(ground) => paint(Some(ground), ground, ' '),
        None => paint(None, shown.colour, shown.symbol),
    }
}

fn busy_ink(busy: Busy) -> Ink {
    match busy {
        Busy::Run(task) => Ink { symbol: letter(task), ..running(task) },
        Busy::Switch(_) | Busy::Start(_) | Busy::Seek(_) => OVERHEAD,
        Busy::Clash => CLASH,
        Busy::Idle => IDLE,
    }
}

fn doing_ink(doing: Doing, task: TaskId) -> Ink {
    match doing {
        Doing::Running => running(task),
        Doing::Ready => READY,
        Doing::Throttled => THROTTLED,
        Doing::Depleted => DEPLETED,
        Doing::Interpreter => INTERPRETER,
        Doing::Queued(_) => QUEUED,
        Doing::Seek(_) => SEEK,
        Doing::Blocked(_) => BLOCKED,
        Doing::Blocking(_) => BLOCKING,
        Doing::Overhead => OVERHEAD,
    }
}

fn running(task: TaskId) -> Ink {
    let hue = HUES[task.0 as usize % HUES.len()];
    Ink { symbol: '█', ground: Some(hue), colour: hue }
}

fn letter(task: TaskId) -> char {
    char::from(LETTERS[task.0 as usize % LETTERS.len()])
}

/// Explains the symbols that occur in the diagram above, in lines of at most so many characters after the margin.
fn legend(diagram: &str, margin: usize, width: usize, colours: bool) -> String {
    // The first two lines are the axis, whose line is made of the symbol for ready.
    let lanes: String = diagram.lines().skip(2).collect();
    let occurs = |symbol: char| lanes.contains(symbol) || (colours && symbol == '█');
    let explained = [
        ('█', if colours { "running, in its colour" } else { "running" }),
        (READY.symbol, "ready"),
        (THROTTLED.symbol, "throttled: its group has used up its quota"),
        (DEPLETED.symbol, "its server has used up its budget"),
        (INTERPRETER.symbol, "waits for the interpreter lock"),
        (BLOCKED.symbol, if occurs(QUEUED.symbol) { "blocked or served" } else { "blocked" }),
        (BLOCKING.symbol, "blocks its whole thread"),
        (QUEUED.symbol, "in the queue of a device"),
        (SEEK.symbol, "the device on its way"),
        (OVERHEAD.symbol, "switching"),
        (IDLE.symbol, "idle"),
        (MOMENT.symbol, "runs for a moment"),
        (MIXED.symbol, "several in turn"),
        (CLASH.symbol, "two tasks recorded at once"),
    ];
    let mut lines = vec![String::new()];
    for (symbol, text) in explained.into_iter().filter(|(symbol, _)| occurs(*symbol)) {
        let entry = format!("{symbol} {text}   ");
        match lines.last_mut() {
            Some(line) if line.chars().count() + entry.chars().count() <= width + 3 => line.push_str(&entry),
            _ => lines.push(entry),
        }
    }
    let indent = " ".repeat(margin);
    lines.iter().map(|line| format!("{indent} {}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use expect_test::expect;

    fn quiet(timeline: &Timeline) -> Found<'_> {
        Found { timeline, findings: &[] }
    }

    fn drawn(timeline: &Timeline, width: usize, colours: bool, all: bool) -> String {
        terminal(quiet(timeline), width, colours, all)
    }

    #[test]
    fn the_accused_has_a_row_among_many() {
        let many = testing::Story::new(2).tasks("web", "req", 300).round_robin(u64::MAX, 0, &vec![(0, vec![10]); 300]);
        let findings = ["starvation: req#177 was ready for 2 ms without running".to_owned()];
        let text = terminal(Found { timeline: &many, findings: &findings }, 80, true, false);
        assert!(text.contains("req#177 ") && !drawn(&many, 80, true, false).contains("req#177 "), "{text}");
    }

    #[test]
    fn plain() {
        expect![[r#"
                         0           5 ms         10 ms       15 ms        20 ms       25 ms
                         ├───────────┬────────────┬───────────┬────────────┬───────────┬───
            processor 0  AAABBCCCDDDEEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF··AA▒BBCCCDDEEE

            A download#0 ███┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈██
            B download#1 ───██┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈▒██
            C download#2 ─────███┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈███
            D download#3 ────────███┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈██
            E download#4 ───────────██┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈███
            F crunch      ────────────██████████████████████████████████████
                         █ running   ─ ready   ┈ blocked   · idle   ▒ several in turn
        "#]]
        .assert_eq(&drawn(&testing::downloads(), 80, false, false));
    }

    #[test]
    fn broken() {
        expect![[r#"
                                 0               20 µs            40 µs
                                 ├───────────────┬────────────────┬────
            processor 0          AAAAAAAA!!BBBBBBB·····················
            processor 1          ··JJJ···························AAAAAA

            A an-exceedin…will#0 ██████████┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈██████
            B an-exceedin…will#1         █████████████
            C never-came
            D <&"quoted\ 🦀 µs       ──────────────────────────────────
                                 █ running   ─ ready   ┈ blocked
                                 · idle   ! two tasks recorded at once
        "#]]
        .assert_eq(&drawn(&testing::broken(), 60, false, false));
    }

    #[test]
    fn a_short_run_is_not_lost() {
        let timeline = testing::Story::new(1).tasks("main", "A", 1).run(0, 0, 95, 103).run(0, 0, 512, 518).end(1_000);
        expect![[r#"
                        0                        0.5 ms
                        ├────────────────────────┬─────────────────────────
            processor 0 ····┼┼····················┼························

            A A         ────┼┼────────────────────┼────────────────────────
                        ─ ready   · idle   ┼ runs for a moment
        "#]]
        .assert_eq(&drawn(&timeline, 64, false, false));
    }

    #[test]
    fn two_timelines_share_one_scale() {
        let run = |name: &str, end: u64| testing::Story::new(1).tasks("main", name, 1).run(0, 0, 0, end).end(end);
        let (short, long) = (run("A", 500), run("a longer name", 1_000));
        let texts = terminals(&[quiet(&short), quiet(&long)], 64, false, false);
        assert_eq!(texts[0].lines().next(), texts[1].lines().next());
        let filled = |text: &str| text.lines().nth(2).unwrap().chars().filter(|letter| *letter == 'A').count();
        assert!(filled(&texts[0]).abs_diff(filled(&texts[1]) / 2) <= 1, "{texts:?}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for timeline in [testing::downloads(), testing::crowd(), testing::broken(), Timeline::default()] {
            for width in [0, 10, 40, 79, 80, 200] {
                for line in drawn(&timeline, width, false, width == 200).lines() {
                    let most = width.max(NARROWEST_DIAGRAM + 2 + WIDEST_NAME);
                    assert!(letters::width(line) <= most, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn colours_add_nothing_but_colours() {
        let strip = |text: &str| {
            let mut plain = String::new();
            for (index, part) in text.split('\x1b').enumerate() {
                plain.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
            }
            plain
        };
        for timeline in [testing::downloads(), testing::crowd(), testing::broken()] {
            let text = drawn(&timeline, 80, true, false);
            let most =
                strip(&text).lines().filter(|line| !line.contains("not drawn")).map(|line| line.chars().count()).max();
            assert!(most <= Some(80), "{most:?}");
            assert!(!drawn(&timeline, 80, false, false).contains('\x1b'));
        }
    }
}
