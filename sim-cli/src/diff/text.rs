//! What differs, for people: who the two are, tables, and the headline.

use sim_core::time::Span;

use super::words::{difference_ns, headline, timelines};
use super::{Diff, Figure, Scale, Side, TaskFigure};
use crate::letters::visible;
use crate::output::Terminal;
use crate::table::{Table, Unit, four_digits, signed_percent, whole};

/// So many rows of tasks or causes are shown, unless all are wanted.
const ROWS: usize = 12;
/// So many names of tasks are listed that one of the two does not have.
const NAMES: usize = 6;

/// The tables.
#[must_use]
pub fn text(diff: &Diff, full: bool, terminal: &Terminal) -> String {
    let mut text = String::new();
    for (letter, side) in ["A", "B"].into_iter().zip(&diff.sides) {
        text += &terminal.wrapped(&format!("{}: {}\n", terminal.bold(letter), described(side)));
    }
    for (letter, other, names) in [("A", "B", &diff.alone[0]), ("B", "A", &diff.alone[1])] {
        if !names.is_empty() {
            text += &terminal.wrapped(&format!("{}\n", alone(letter, other, names)));
        }
    }
    text += &format!("\n{}\n", terminal.wrapped(&headline(diff)));
    if diff.identical {
        return text;
    }
    for line in timelines(diff) {
        text += &format!("{}\n", terminal.wrapped(&line));
    }
    let rows = if full { usize::MAX } else { ROWS };
    for table in [summary(diff), kinds(diff), tasks(diff, rows), causes(diff, rows)] {
        if !table.is_empty() {
            text += &format!("\n{}", table.render(terminal));
        }
    }
    if diff.only_sums {
        text += &terminal.wrapped("(behind which device or lock they waited is known of runs made with --explain)\n");
    }
    text
}

/// Who it is, and what is to be known of it.
fn described(side: &Side) -> String {
    let reading = &side.reading;
    let seed = reading.seed.as_str().map_or_else(|| reading.seed.to_string(), str::to_owned);
    let mut parts = vec![visible(&side.name).into_owned(), reading.source.clone()];
    // The setting of a scenario, among the notes, has it.
    parts.extend((!side.is_whole).then(|| format!("seed {seed}")));
    if reading.source == "measured"
        && let Some(recorded) = &reading.recorded
    {
        parts.extend(
            ["policy", "executor"]
                .iter()
                .filter_map(|key| recorded[key].as_str().map(|text| visible(text).into_owned())),
        );
    }
    if let (Some(least), Some(most), true) =
        (side.makespans_ns.iter().min(), side.makespans_ns.iter().max(), side.makespans_ns.len() > 1)
    {
        let [least, most] = [least, most].map(|ns| Span::from_ns(*ns).readable());
        parts.push(format!("the median of {} runs with makespans from {least} to {most}", side.makespans_ns.len()));
    }
    parts.extend(side.notes.iter().cloned());
    parts.join("; ")
}

fn alone(letter: &str, other: &str, names: &[String]) -> String {
    let listed: Vec<String> = names.iter().take(NAMES).map(|name| visible(name).into_owned()).collect();
    let more = names.len().saturating_sub(NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("only in {letter}, and not in {other}: {}{more}", listed.join(", "))
}

/// How figures of time are written in a table: four digits of the longest.
fn unit(figures: impl Iterator<Item = Option<f64>>) -> Unit {
    let all: Vec<u64> = figures.flatten().map(whole).collect();
    let longest = all.iter().copied().max().unwrap_or(0);
    Unit::for_all(all.iter().map(|ns| four_digits(*ns, longest)))
}

fn shown(figure: Option<f64>, scale: Scale, unit: Unit) -> String {
    figure.map_or_else(
        || "–".to_owned(),
        |figure| match scale {
            Scale::Time => unit.show_mean(Some(figure)),
            Scale::Count => format!("{figure:.0}"),
            Scale::Share => format!("{figure:.3}"),
            Scale::PerSecond => format!("{figure:.2}"),
        },
    )
}

fn difference(figure: &Figure, unit: Unit) -> String {
    let Some(difference) = figure.difference() else { return "–".to_owned() };
    signed(difference, |size| shown(Some(size), figure.scale, unit))
}

/// With its sign, unless it is written as nothing.
fn signed(difference: f64, show: impl Fn(f64) -> String) -> String {
    let size = show(difference.abs());
    match size.bytes().all(|digit| matches!(digit, b'0' | b'.')) {
        true => "0".to_owned(),
        false if difference < 0.0 => format!("-{size}"),
        false => format!("+{size}"),
    }
}

fn relative(figure: &Figure) -> String {
    match figure.relative() {
        Some(0.0) => String::new(),
        share => signed_percent(share),
    }
}

fn summary(diff: &Diff) -> Table {
    let times = diff.summary.iter().filter(|figure| figure.scale == Scale::Time);
    let unit = unit(times.flat_map(|figure| [figure.a, figure.b]));
    let mut table =
        Table::new([format!("WHOLE RUN ({})", unit.name), "A".into(), "B".into(), "difference".into(), String::new()]);
    for figure in &diff.summary {
        let show = |value| shown(value, figure.scale, unit);
        let words = figure.words.to_owned();
        table.row([words, show(figure.a), show(figure.b), difference(figure, unit), relative(figure)]);
    }
    table
}

fn kinds(diff: &Diff) -> Table {
    let figures = || diff.kinds.iter().flat_map(|(_, figures)| figures);
    let unit = unit(figures().flat_map(|figure| [figure.a, figure.b]));
    let has =
        |index: usize| diff.kinds.iter().any(|(_, figures)| figures[index].a.is_some() || figures[index].b.is_some());
    let mut headings = vec![format!("LATENCY OF KINDS ({})", unit.name)];
    let words = ["mean", "p95", "p99"];
    for index in (0..3).filter(|index| has(*index)) {
        headings.extend([format!("{} A", words[index]), "B".to_owned(), "difference".to_owned(), String::new()]);
    }
    let mut table = Table::new(headings);
    for (name, figures) in &diff.kinds {
        let mut cells = vec![name.clone()];
        for figure in (0..3).filter(|index| has(*index)).map(|index| &figures[index]) {
            let [a, b] = [figure.a, figure.b].map(|value| shown(value, Scale::Time, unit));
            cells.extend([a, b, difference(figure, unit), relative(figure)]);
        }
        table.row(cells);
    }
    table
}

fn tasks(diff: &Diff, rows: usize) -> Table {
    let differing: Vec<&TaskFigure> = diff.tasks.iter().filter(|task| task.differs).collect();
    let unit = unit(differing.iter().flat_map(|task| [task.latency.a, task.latency.b]));
    let headings = ["A", "B", "difference", "by waiting", "by blocked", "by running", "by overhead"].map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("LATENCY OF TASKS ({})", unit.name)).chain(headings));
    for task in differing.iter().take(rows) {
        let [a, b] = [task.latency.a, task.latency.b].map(|value| shown(value, Scale::Time, unit));
        let [running, waiting, blocked, overhead] = task.parts_ns.map(|part| signed_part(part, unit));
        table.row([task.name.clone(), a, b, difference(&task.latency, unit), waiting, blocked, running, overhead]);
    }
    let (more, same) = (differing.len().saturating_sub(rows), diff.tasks.len() - differing.len());
    if more > 0 {
        table.row([format!("… and {more} more (--full)")]);
    }
    if same > 0 && !differing.is_empty() {
        table.row([format!("the same in both: {same}")]);
    }
    table
}

#[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
fn signed_part(ns: i128, unit: Unit) -> String {
    signed(ns as f64, |size| unit.show_mean(Some(size)))
}

fn causes(diff: &Diff, rows: usize) -> Table {
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    let unit = unit(diff.causes.iter().flat_map(|(_, sides)| sides.map(|ns| Some(ns as f64))));
    let headings = ["A", "B", "difference"].map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("ALL TASKS TOGETHER ({})", unit.name)).chain(headings));
    for (cause, sides) in diff.causes.iter().take(rows) {
        #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
        let [a, b] = sides.map(|ns| unit.show_mean(Some(ns as f64)));
        table.row([cause.words(), a, b, signed_part(difference_ns(*sides), unit)]);
    }
    if diff.causes.len() > rows {
        table.row([format!("… and {} more (--full)", diff.causes.len() - rows)]);
    }
    table
}
