//! The explanation in the terminal: one sentence about who lost most time to others, bars of the few who lost most, sums
//! over all.

use sim_core::time::Span;
use sim_core::timeline::Fate;

use super::{Bar, CLASSES, Class, Explained, Left, Reason, Subject, share};
use crate::letters::{glued, wrapped};
use crate::output::Terminal;
use crate::table::{Unit, four_digits};

/// So many reasons of a task are told; the rest is summed.
const CLAUSES: usize = 4;
/// So many of those who lost most have a bar.
const VICTIMS: usize = 6;
/// So many kinds have a bar.
const KINDS: usize = 8;
/// So many sentences say who went without what.
const GONE: usize = 3;
/// So many causes have a row of their own.
const CAUSES: usize = 10;
const WIDEST_NAME: usize = 24;

/// Why it was slow, in one screen.
#[must_use]
pub fn text(explained: &Explained<'_>, terminal: &Terminal) -> String {
    let mut text = format!("{}\n", wrapped(&headline(explained), terminal.width));
    let victims = explained.victims();
    if victims.is_empty() {
        return text;
    }
    let mut used = Vec::new();
    let first: Vec<Bar> = victims.iter().take(VICTIMS).map(|subject| Bar::of(explained, *subject)).collect();
    let heading = ranking(explained, &victims);
    text += &format!("\n{}", bars(explained, &heading, first, terminal, &mut used));
    let mut means = Bar::means(explained);
    let jobs = !explained.timeline.jobs.is_empty();
    if jobs || (victims.len() > VICTIMS && means.len() < victims.len()) {
        means.truncate(KINDS);
        let longest = means.iter().map(|bar| bar.length).max().unwrap_or_default();
        means.iter_mut().for_each(|bar| bar.length = Span::from_ns(four_digits(bar.length.ns(), longest.ns())));
        text += &format!("\n{}", bars(explained, means_of(explained), means, terminal, &mut used));
    }
    text += &legend(&used, terminal.width);
    text += &format!("\n{}", totals(explained, terminal));
    let gone = sim_core::outcome::gone(explained.timeline);
    if !gone.is_empty() {
        text.push('\n');
    }
    for gone in gone.iter().take(GONE) {
        text += &format!("{}\n", wrapped(&glued(&crate::report::gone::sentence(gone)), terminal.width));
    }
    for hint in super::hints::hints(explained) {
        text += &format!("\n{}\n", wrapped(&glued(&hint), terminal.width));
    }
    text
}

/// Of whom the means are.
fn means_of(explained: &Explained<'_>) -> &'static str {
    let all = explained.by_kind().concat();
    if all.iter().any(|subject| Left::of(explained, *subject).is_some()) {
        "MEANS of those that finished"
    } else {
        "MEANS"
    }
}

/// Who has a bar, and in which order.
fn ranking(explained: &Explained<'_>, victims: &[Subject]) -> String {
    let late = if explained.lateness(victims[0]).is_some() { "missed a deadline, then " } else { "" };
    let who = format!("{late}lost most to others");
    let kinds = explained.by_kind().len();
    match victims.len() {
        all @ ..=VICTIMS if kinds == all => format!("THE TASKS, first who {who}"),
        ..=VICTIMS => format!("THE TASKS, the worst of each kind first: who {who}"),
        all if kinds == 1 || kinds == all => format!("OF {all} TASKS those who {who}"),
        all => format!("OF {all} TASKS the worst of each kind, then others: who {who}"),
    }
}

/// One sentence about who missed a deadline or lost most time to others.
#[must_use]
pub fn headline(explained: &Explained<'_>) -> String {
    let victims = explained.victims();
    let Some(subject) = victims.first().copied() else { return "No task arrived.".to_owned() };
    let (who, how, life) = (explained.title(subject), how_long(explained, &victims), explained.life(subject));
    let reasons = explained.reasons(std::iter::once(subject));
    let told = if reasons.len() <= CLAUSES + 1 { reasons.len() } else { CLAUSES };
    let amount = |length: Span| format!("{} ({})", length.readable(), share(length, life));
    let clause = |reason: &Reason| explained.clause(reason, &amount(reason.length));
    let mut clauses: Vec<String> = reasons.iter().take(told).map(clause).collect();
    let rest: Span = reasons.iter().skip(told).map(|reason| reason.length).sum();
    if !rest.is_zero() {
        clauses.push(format!("spent {} on {} other causes", amount(rest), reasons.len() - told));
    }
    let list = match clauses.split_last() {
        None => return format!("{who} {how}."),
        Some((only, [])) => only.clone(),
        Some((last, [one])) => format!("{one} and {last}"),
        Some((last, first)) => format!("{}, and {last}", first.join(", ")),
    };
    glued(&format!("{who} {how}: it {list}."))
}

/// How long the first took, and how much of that it lost to others, beside the others and beside its deadline.
fn how_long(explained: &Explained<'_>, victims: &[Subject]) -> String {
    let subject = victims[0];
    let (life, lost) = (explained.life(subject), explained.lost(subject));
    let took = life.readable();
    let took = match explained.fate(subject) {
        Some(Fate::Finished | Fate::Ended) => format!("took {took}"),
        Some(Fate::Aborted) if Left::of(explained, subject) == Some(Left::Dropped) => {
            return format!("was dropped after {took}, as another branch was first");
        }
        Some(Fate::Aborted) => return format!("was ended at its deadline, after {took}"),
        Some(Fate::Rejected) => format!("was rejected after {took}"),
        None => format!("has not finished after {took}"),
    };
    if let Some(late) = explained.lateness(subject) {
        let and = if explained.finished(subject) { " and" } else { "," };
        return format!("{took}{and} missed its deadline by {}", late.readable());
    }
    let equals = victims.iter().filter(|other| explained.lost(**other) == lost).count() - 1;
    let all = victims.len();
    let beside = match equals {
        _ if all == 1 => return took,
        _ if lost.is_zero() => return format!("{took}; none of the {all} tasks lost time to others"),
        0 => format!("more than any other of {all} tasks"),
        _ if equals + 1 == all => format!("as all {all} tasks did"),
        1 => "as much as one other and more than the rest".to_owned(),
        _ => format!("as much as {equals} others and more than the rest"),
    };
    let switching: Span = explained
        .reasons(std::iter::once(subject))
        .iter()
        .filter(|reason| reason.class() == Class::Overhead)
        .map(|reason| reason.length)
        .sum();
    let to = match switching {
        Span::ZERO => "others",
        _ if switching == lost => "switching and other overhead",
        _ => "others and to switching",
    };
    format!("{took} and lost {} of it to {to}, {beside}", lost.readable())
}

/// Lines with a name, a time, a bar, and the cause that took most of it.
fn bars(
    explained: &Explained<'_>,
    heading: &str,
    bars: Vec<Bar>,
    terminal: &Terminal,
    used: &mut Vec<Class>,
) -> String {
    let unit = Unit::for_all(bars.iter().map(|bar| bar.length.ns()));
    let names: Vec<String> = bars.iter().map(|bar| shortened(&bar.name, WIDEST_NAME)).collect();
    let margin = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let sign = |bar: &Bar| bar.left.map_or_else(String::new, |left| left.sign().to_string());
    let time = |bar: &Bar| format!("{}{}", unit.show(bar.length.ns()), sign(bar));
    let times: Vec<String> = bars.iter().map(time).collect();
    let digits = times.iter().map(|time| time.chars().count()).max().unwrap_or(0);
    let room = terminal.width.saturating_sub(margin + digits + 5).max(20);
    let columns = (room * 2 / 5).clamp(10, 60);
    let longest = bars.iter().map(|bar| bar.length).max().unwrap_or_default();
    let signs = Left::ALL.into_iter().filter(|left| bars.iter().any(|bar| bar.left == Some(*left)));
    let signs: String = signs.map(|left| format!(", {} {}", left.sign(), left.words())).collect();
    let heading = wrapped(&glued(&format!("{heading} ({}{signs})", unit.name)), terminal.width);
    let mut text = format!("{}\n", terminal.bold(&heading));
    for ((bar, name), time) in bars.iter().zip(&names).zip(&times) {
        let drawn = draw(bar, longest, columns, used);
        // Who did not finish, did not because of others; that it slept well before says nothing.
        let loss = bar.reasons.iter().find(|reason| bar.left.is_some() && reason.class().is_loss());
        let mostly = loss.or(bar.reasons.first()).map_or_else(String::new, |reason| {
            let words = format!("{} {}", share(reason.length, bar.length), explained.noun(reason));
            shortened(&words, room.saturating_sub(columns + 2))
        });
        let line = format!("{name:<margin$}  {time:>digits$} {drawn:<columns$}  {mostly}");
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The bar in signs: each class has its share of the columns, to the nearest.
fn draw(bar: &Bar, longest: Span, columns: usize, used: &mut Vec<Class>) -> String {
    let column = |span: Span| {
        let scaled = u128::from(span.ns()) * columns as u128 + u128::from(longest.ns()) / 2;
        usize::try_from(scaled / u128::from(longest.ns().max(1))).unwrap_or(columns)
    };
    let (mut drawn, mut at, mut reached) = (String::new(), Span::ZERO, 0);
    for (class, sign, _) in CLASSES {
        at += bar.reasons.iter().filter(|reason| reason.class() == class).map(|reason| reason.length).sum();
        let end = column(at);
        if end > reached {
            drawn.extend(std::iter::repeat_n(sign, end - reached));
            used.push(class);
        }
        reached = end;
    }
    drawn
}

/// Explains the signs that occur.
fn legend(used: &[Class], width: usize) -> String {
    let mut lines = vec![String::new()];
    for (_, sign, words) in CLASSES.iter().filter(|(class, ..)| used.contains(class)) {
        let entry = format!("{sign} {words}   ");
        match lines.last_mut() {
            Some(line) if line.chars().count() + entry.chars().count() <= width + 3 => line.push_str(&entry),
            _ => lines.push(entry),
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Where the time of all tasks went.
fn totals(explained: &Explained<'_>, terminal: &Terminal) -> String {
    let reasons = explained.reasons(explained.arrived());
    let whole: Span = reasons.iter().map(|reason| reason.length).sum();
    let shown = if reasons.len() <= CAUSES + 1 { reasons.len() } else { CAUSES };
    let mut rows: Vec<(Span, String, usize)> =
        reasons.iter().take(shown).map(|reason| (reason.length, explained.noun(reason), reason.tasks.len())).collect();
    let rest: Span = reasons.iter().skip(shown).map(|reason| reason.length).sum();
    if shown < reasons.len() {
        rows.push((rest, format!("{} others", reasons.len() - shown), 0));
    }
    let unit = Unit::for_all(rows.iter().map(|row| row.0.ns()));
    let times: Vec<String> = rows.iter().map(|row| unit.show(row.0.ns())).collect();
    let digits = times.iter().map(|time| time.chars().count()).max().unwrap_or(0).max(unit.name.len() + 2);
    let heading = format!("{:>digits$}  share  tasks  WHERE ALL THE TIME WENT", format!("({})", unit.name));
    let mut text = format!("{}\n", terminal.bold(&heading));
    for ((length, words, tasks), time) in rows.iter().zip(&times) {
        let tasks = if *tasks == 0 { String::new() } else { tasks.to_string() };
        let words = shortened(words, terminal.width.saturating_sub(digits + 16));
        text += &format!("{time:>digits$}  {:>5}  {tasks:>5}  {words}\n", share(*length, whole));
    }
    text
}

/// Cut to so many characters; the end of a name tells instances apart, so the middle goes.
fn shortened(text: &str, most: usize) -> String {
    let letters = text.chars().count();
    if letters <= most {
        return text.to_owned();
    }
    let tail = (most / 3).min(12);
    let head: String = text.chars().take((most - tail).saturating_sub(1)).collect();
    let tail: String = text.chars().skip(letters - tail).collect();
    format!("{head}…{tail}")
}
