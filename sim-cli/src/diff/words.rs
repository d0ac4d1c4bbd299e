//! What differs, in words.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim_core::compare::SAME;
use sim_core::ids::TaskId;
use sim_core::outcome::reading::TaskReading;
use sim_core::time::{Span, Time};
use sim_core::timeline::{Timeline, What};

use super::{Diff, Figure, Side};
use crate::args::Tolerance;
use crate::letters::visible;
use crate::rows;
use crate::table::{percent, signed_percent, whole};

/// So many kinds or tasks are named.
const NAMED: usize = 3;
/// What is less than this share of the whole is not worth words.
const WORTH_WORDS: f64 = 0.05;

/// Which of the two is faster, by how much, and where that comes from.
#[must_use]
pub fn headline(diff: &Diff) -> String {
    let [a, _] = &diff.sides;
    let makespan = Span::from_ns(a.reading.makespan_ns).readable();
    if diff.identical {
        let hash = &a.reading.timeline_hash;
        return format!("A and B are the same run: the same timeline (hash {hash}), {} {makespan}", at(&a.reading.end));
    }
    let mut sentences = vec![makespans(diff)];
    sentences.extend(among_runs(diff));
    sentences.extend(latency(diff));
    sentences.extend(most_of_it(diff));
    sentences.extend(longest_cause(diff));
    sentences.extend(went_without(diff));
    sentences.join(". ")
}

/// How a run ended, behind who it was.
pub(super) fn ended(end: &str) -> String {
    match end {
        "completed" => "completed".to_owned(),
        "horizon" => "was ended by the horizon".to_owned(),
        "interrupted" => "was interrupted".to_owned(),
        other => format!("ended in a {other}"),
    }
}

fn at(end: &str) -> String {
    if end == "completed" { "completed in".to_owned() } else { format!("{} at", ended(end)) }
}

fn makespans(diff: &Diff) -> String {
    let [a, b] = &diff.sides;
    let [long, short] = [&a.reading, &b.reading].map(|reading| Span::from_ns(reading.makespan_ns).readable());
    if diff.horizon_ends_both() {
        return format!("The horizon ends both at {long}");
    }
    if a.reading.end != b.reading.end || a.reading.end != "completed" {
        return format!("A {} {long}, B {} {short}", at(&a.reading.end), at(&b.reading.end));
    }
    let figure = &diff.summary[0];
    match figure.difference() {
        Some(difference) if difference != 0.0 => {
            let (word, more) = if difference < 0.0 { ("faster", "less") } else { ("slower", "more") };
            let share = figure.relative().map_or_else(String::new, |share| format!(" ({})", percent(share.abs())));
            format!("B is {word}: it takes {short}, {} {more}{share} than A with {long}", length(difference))
        }
        _ if a.reading.timeline_hash == b.reading.timeline_hash => format!("A and B take equally long, {long}"),
        _ => format!("A and B take equally long, {long}, and do not do the same"),
    }
}

/// Where one is of several runs: does the makespan of the other lie among theirs?
fn among_runs(diff: &Diff) -> Option<String> {
    let [a, b] = &diff.sides;
    let letters = [("A", a, "B", b), ("B", b, "A", a)];
    let (runs, of, one, other) = letters.into_iter().find(|(_, side, ..)| side.makespans_ns.len() > 1)?;
    let (least, most) = (of.makespans_ns.iter().min()?, of.makespans_ns.iter().max()?);
    let lies = if (least..=most).contains(&&other.reading.makespan_ns) { "lies among" } else { "does not lie among" };
    let count = of.makespans_ns.len();
    Some(format!("The makespan of {one} {lies} those of the {count} runs of {runs}"))
}

/// The latency in the mean over the tasks that ended in both.
fn latency(diff: &Diff) -> Option<String> {
    let both: Vec<(f64, f64)> = diff.tasks.iter().filter_map(|task| Some((task.latency.a?, task.latency.b?))).collect();
    let mean = |side: fn(&(f64, f64)) -> f64| sim_core::statistics::mean(both.iter().map(side));
    let (a, b) = (mean(|(a, _)| *a)?, mean(|(_, b)| *b)?);
    let figure = Figure { name: String::new(), words: "".into(), scale: super::Scale::Time, a: Some(a), b: Some(b) };
    let [from, to] = [a, b].map(|ns| Span::from_ns(whole(ns)).readable());
    let of = if diff.alone.iter().all(Vec::is_empty) { "" } else { " of the tasks that both have" };
    if a == b {
        return Some(format!("The mean latency{of} is the same, {from}"));
    }
    let word = if b < a { "falls" } else { "rises" };
    Some(format!("The mean latency{of} {word} from {from} to {to} ({})", signed_percent(figure.relative())))
}

/// Which kinds of tasks, or which tasks of the only kind, have most of the difference.
fn most_of_it(diff: &Diff) -> Option<String> {
    let mut sums: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for task in &diff.tasks {
        let Some(difference) = task.latency.difference() else { continue };
        let (sum, count) = sums.entry(&task.kind).or_default();
        (*sum, *count) = (*sum + difference, *count + 1);
    }
    let all: f64 = sums.values().map(|(sum, _)| sum.abs()).sum();
    if all == 0.0 {
        return None;
    }
    let mut named: Vec<(String, f64)> = if sums.len() > 1 {
        let each = |(kind, (sum, count)): (&&str, &(f64, usize))| {
            let name = visible(kind).into_owned();
            (if *count > 1 { format!("{count} × {name}") } else { name }, *sum)
        };
        sums.iter().map(each).collect()
    } else {
        let tasks =
            diff.tasks.iter().filter_map(|task| Some((visible(&task.name).into_owned(), task.latency.difference()?)));
        tasks.collect()
    };
    let total: f64 = named.iter().map(|(_, difference)| difference.abs()).sum();
    named.sort_by_key(|(_, difference)| Reverse(whole(difference.abs())));
    named.truncate(NAMED);
    named.retain(|(_, difference)| difference.abs() > WORTH_WORDS * total);
    let told: f64 = named.iter().map(|(_, difference)| difference.abs()).sum();
    // Three of a thousand alike say nothing of the others.
    if named.is_empty() || told < total / 2.0 {
        return None;
    }
    let listed: Vec<String> = named.iter().map(|(name, ns)| format!("{name} ({})", signed(*ns))).collect();
    Some(format!("Most of that is {}", listed.join(", ")))
}

/// What the time went to that makes most of the difference.
fn longest_cause(diff: &Diff) -> Option<String> {
    // That a job is done earlier is told already.
    let (cause, [a, b]) = diff.causes.iter().find(|(cause, _)| cause.what.as_deref() != Some("release"))?;
    let difference = difference_ns([*a, *b]);
    (difference != 0)
        .then(|| format!("What changes most is the time of all tasks {}: {}", cause.gerund(), signed_ns(difference)))
}

/// Who gains time by turning others away should not be taken for the faster one without that being said.
fn went_without(diff: &Diff) -> Option<String> {
    let told = ["given_up", "rejected", "jobs_aborted", "jobs_skipped"];
    let counts = diff.summary.iter().filter(|figure| told.contains(&figure.name.as_str()) && figure.a != figure.b);
    let words = |figure: &Figure| Some(format!("{}: {:.0} in A, {:.0} in B", figure.words, figure.a?, figure.b?));
    let words: Vec<String> = counts.filter_map(words).collect();
    (!words.is_empty()).then(|| capital(&words.join("; ")))
}

impl super::Cause {
    /// As it stands behind "the time of all tasks".
    fn gerund(&self) -> String {
        match self.words().as_str() {
            "running" => "running".to_owned(),
            "switching and other overhead" => "in switching and other overhead".to_owned(),
            words => words.to_owned(),
        }
    }
}

/// Where the timelines part and how alike they are, a line each; what would tell more, where it is not known.
#[must_use]
pub(super) fn timelines(diff: &Diff) -> Vec<String> {
    if diff.identical {
        return Vec::new();
    }
    let [a, b] = &diff.sides;
    let (Some(timeline_a), Some(timeline_b)) = (&a.timeline, &b.timeline) else {
        let why = [("A", a), ("B", b)].map(|(name, side)| Some(format!("{name} {}", side.without_timeline.as_ref()?)));
        let why: Vec<String> = why.into_iter().flatten().collect();
        return vec![format!("Only the numbers are compared, and not the timelines: {}", why.join("; "))];
    };
    let mut lines = vec![if diff.is_measured() { follow(diff) } else { part(diff, [timeline_a, timeline_b]) }];
    if let Some(distance) = diff.distance.as_ref().filter(|_| diff.is_measured() || diff.parting.is_some()) {
        let agreement =
            distance.agreement.map(|share| format!("the same tasks run for {} of the time", percent(share)));
        let service = distance.service_distance_ns.map(|ns| {
            format!("what a task has had of the processors is {} apart in the mean", Span::from_ns(ns).readable())
        });
        let said: Vec<String> = agreement.into_iter().chain(service).collect();
        lines.push(capital(&said.join("; ")));
    }
    lines
}

/// Of real runs no instant is exact: until when the same tasks run, but for what is too short to matter.
fn follow(diff: &Diff) -> String {
    let same = SAME.readable();
    match diff.distance.as_ref().and_then(|distance| distance.horizon_ns) {
        Some(0) => "From the start they run other tasks".to_owned(),
        Some(ns) => format!(
            "They run the same tasks until {}, but for what lasts no longer than {same}; then other ones",
            Span::from_ns(ns).readable()
        ),
        None => format!("They run the same tasks throughout, but for what lasts no longer than {same}"),
    }
}

fn part(diff: &Diff, timelines: [&Timeline; 2]) -> String {
    let Some(parting) = &diff.parting else {
        let first =
            first_event(&diff.sides).map_or_else(String::new, |first| format!("; the first difference: {first}"));
        return format!("The processors do the same throughout{first}");
    };
    let has = |timeline: &&Timeline| timeline.cast.processors.len() > parting.cpu.0 as usize;
    let when = if parting.at == Time::ZERO {
        "They part at the start:".to_owned()
    } else {
        format!("Identical until {}; then", parting.at.readable())
    };
    let does = |side: usize| does(timelines[side], parting.does[side]);
    // One of the two may have fewer processors.
    match timelines.each_ref().map(has) {
        [true, true] => {
            let processor = rows::processor_label(timelines[0], parting.cpu);
            format!("{when} on {processor} A {}, and B {}", does(0), does(1))
        }
        [true, false] => {
            let processor = rows::processor_label(timelines[0], parting.cpu);
            format!("{when} on {processor}, which B does not have, A {}", does(0))
        }
        _ => {
            let processor = rows::processor_label(timelines[1], parting.cpu);
            format!("{when} on {processor}, which A does not have, B {}", does(1))
        }
    }
}

fn does(timeline: &Timeline, does: Option<(TaskId, What)>) -> String {
    match does {
        Some((task, What::Run)) => format!("runs {}", visible(&timeline.task_name(task))),
        Some((task, What::Switch)) => format!("switches to {}", visible(&timeline.task_name(task))),
        Some((task, What::Start)) => format!("starts a process for {}", visible(&timeline.task_name(task))),
        None => "runs nothing".to_owned(),
    }
}

/// The first thing that happens to a task at another time.
fn first_event(sides: &[Side; 2]) -> Option<String> {
    let events = |(a, b): (&TaskReading, &TaskReading)| {
        let of = |word: &'static str, a: Option<u64>, b: Option<u64>, name: &str| {
            let first = a.into_iter().chain(b).min()?;
            (a != b).then(|| (first, name.to_owned(), word, [a, b]))
        };
        [
            of("comes", a.arrival_ns, b.arrival_ns, &a.name),
            of("runs first", a.first_run_ns, b.first_run_ns, &a.name),
            of("ends", a.finish_ns, b.finish_ns, &a.name),
        ]
    };
    let all = Diff::pairs(sides).into_iter().flat_map(events).flatten();
    let (_, name, word, [a, b]) = all.min_by_key(|(first, ..)| *first)?;
    let when =
        |at: Option<u64>| at.map_or_else(|| "never".to_owned(), |ns| format!("at {}", Span::from_ns(ns).readable()));
    Some(format!("{} {word} {} in A and {} in B", visible(&name), when(a), when(b)))
}

/// Why a figure is beyond the tolerances.
pub(super) fn beyond(what: &str, figure: &Figure, tolerances: &[Tolerance]) -> String {
    let show = |ns: Option<f64>| ns.map_or_else(|| "unknown".to_owned(), |ns| Span::from_ns(whole(ns)).readable());
    let (a, b) = (show(figure.a), show(figure.b));
    let off = figure.relative().map_or_else(String::new, |share| format!(" ({})", signed_percent(Some(share))));
    let all: Vec<String> = tolerances.iter().map(ToString::to_string).collect();
    format!("{what} is {b} in B and {a} in A{off}, which is beyond {}", all.join(" and beyond "))
}

/// B less A.
pub(super) fn difference_ns([a, b]: [u64; 2]) -> i128 {
    i128::from(b) - i128::from(a)
}

/// A difference with its sign and unit.
fn signed(ns: f64) -> String {
    let sign = if ns < 0.0 { '-' } else { '+' };
    format!("{sign}{}", length(ns))
}

fn signed_ns(ns: i128) -> String {
    let sign = if ns < 0 { '-' } else { '+' };
    format!("{sign}{}", Span::from_ns(u64::try_from(ns.unsigned_abs()).unwrap_or(u64::MAX)).readable())
}

fn length(ns: f64) -> String {
    Span::from_ns(whole(ns.abs())).readable()
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
