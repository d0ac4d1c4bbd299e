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
    let tables = [summary(diff).render(terminal), kinds(diff).render(terminal), tasks(diff, rows, terminal)];
    for table in tables.into_iter().chain([causes(diff, rows, terminal)]).filter(|table| table.lines().count() > 1) {
        text += &format!("\n{table}");
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

/// The unit of figures of one kind: with four digits of the longest.
fn unit(figures: impl Iterator<Item = Option<f64>>) -> Unit {
    let all: Vec<u64> = figures.flatten().map(whole).collect();
    let longest = all.iter().copied().max().unwrap_or(0);
    Unit::for_all(all.iter().map(|ns| four_digits(*ns, longest)))
}

/// A figure with its unit.
fn shown(figure: f64, scale: Scale) -> String {
    match scale {
        Scale::Time => Span::from_ns(whole(figure)).readable(),
        Scale::Count => format!("{figure:.0}"),
        Scale::Share => format!("{figure:.3}"),
        Scale::PerSecond => format!("{figure:.2}"),
    }
}

/// With its sign, unless it is written as nothing.
fn signed(difference: f64, show: impl Fn(f64) -> String) -> String {
    let size = show(difference.abs());
    let is_nothing = !size.bytes().any(|digit| matches!(digit, b'1'..=b'9'));
    match is_nothing {
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

/// Both figures, how far they are apart, and as a share: of figures that have little in common, each has its unit.
fn row(name: String, figure: &Figure) -> [String; 5] {
    let or_dash = |value: Option<f64>, show: &dyn Fn(f64) -> String| value.map_or_else(|| "–".to_owned(), show);
    let show = |value| shown(value, figure.scale);
    let difference = or_dash(figure.difference(), &|difference| signed(difference, show));
    [name, or_dash(figure.a, &show), or_dash(figure.b, &show), difference, relative(figure)]
}

fn summary(diff: &Diff) -> Table {
    let mut table = Table::new(["WHOLE RUN", "A", "B", "difference", ""]);
    diff.summary.iter().for_each(|figure| table.row(row(figure.words.to_string(), figure)));
    table
}

fn kinds(diff: &Diff) -> Table {
    let mut table = Table::new(["LATENCY OF KINDS", "A", "B", "difference", ""]);
    for (name, figures) in &diff.kinds {
        for figure in figures.iter().filter(|figure| figure.a.is_some() || figure.b.is_some()) {
            table.row(row(format!("{name}, {}", figure.words), figure));
        }
    }
    table
}

/// The parts of a difference, by the columns of [`TaskFigure::parts_ns`]: in the order of what they are worth.
const PARTS: [(usize, &str); 4] = [(1, "by waiting"), (2, "by blocked"), (0, "by running"), (3, "by overhead")];

fn tasks(diff: &Diff, rows: usize, terminal: &Terminal) -> String {
    let differing: Vec<&TaskFigure> = diff.tasks.iter().filter(|task| task.differs).collect();
    let shown = &differing[..differing.len().min(rows)];
    if shown.is_empty() {
        return String::new();
    }
    // Of tasks that only the horizon ends there is nothing but the parts.
    let latencies = || shown.iter().flat_map(|task| [task.latency.a, task.latency.b]);
    #[expect(clippy::cast_precision_loss, reason = "to choose a unit")]
    let sizes = shown.iter().flat_map(|task| task.parts_ns).map(|ns| Some(ns.unsigned_abs() as f64));
    let unit = if latencies().flatten().next().is_some() { unit(latencies()) } else { unit(sizes) };
    let parts = PARTS.iter().filter(|(part, _)| shown.iter().any(|task| task.parts_ns[*part] != 0));
    let parts: Vec<&(usize, &str)> = parts.collect();
    let first = [format!("LATENCY OF TASKS ({})", unit.name), "A".into(), "B".into(), "difference".into()];
    let mut table = Table::new(first.into_iter().chain(parts.iter().map(|(_, heading)| (*heading).to_owned())));
    for task in shown {
        let [a, b] = [0, 1].map(|side| task.shown(side, unit));
        let off = |difference: f64| signed(difference, |size| unit.show_mean(Some(size)));
        let difference = task.latency.difference().map_or_else(|| "–".to_owned(), off);
        let parts = parts.iter().map(|(part, _)| signed_part(task.parts_ns[*part], unit));
        table.row([task.name.clone(), a, b, difference].into_iter().chain(parts));
    }
    let (more, same) = (differing.len() - shown.len(), diff.tasks.len() - differing.len());
    let mut text = table.render(terminal);
    if more > 0 {
        text += &format!("… and {more} more; --full shows all\n");
    }
    if same > 0 {
        text += &format!("{same} {} the same in both\n", if same == 1 { "is" } else { "are" });
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
fn signed_part(ns: i128, unit: Unit) -> String {
    signed(ns as f64, |size| unit.show_mean(Some(size)))
}

fn causes(diff: &Diff, rows: usize, terminal: &Terminal) -> String {
    if diff.causes.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["ALL TASKS TOGETHER", "A", "B", "difference"]);
    for (cause, [a, b]) in diff.causes.iter().take(rows) {
        let [a_shown, b_shown] = [a, b].map(|ns| Span::from_ns(*ns).readable());
        #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
        let difference = signed(difference_ns([*a, *b]) as f64, |size| shown(size, Scale::Time));
        table.row([cause.words(), a_shown, b_shown, difference]);
    }
    let mut text = table.render(terminal);
    if diff.causes.len() > rows {
        text += &format!("… and {} more; --full shows all\n", diff.causes.len() - rows);
    }
    if diff.only_sums {
        text += &terminal.wrapped("(behind which device or lock they waited is known of runs made with --explain)\n");
    }
    text
}
