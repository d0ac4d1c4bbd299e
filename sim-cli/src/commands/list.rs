//! `sim list`: what the shelves hold, and what one thing on them takes.

use std::borrow::Cow;

use sim_core::device::DISCIPLINES;
use sim_core::distribution::DISTRIBUTIONS;
use sim_core::executor::EXECUTORS;
use sim_core::executor::rules::{RULES, Set};
use sim_core::outcome::{Listed, listed};
use sim_core::parameter::{Parameter, names};
use sim_core::policy::{POLICIES, ServerKind};
use sim_core::scenario::Protocol;
use sim_core::scenario::words::did_you_mean;

use super::{Failure, Verdict};
use crate::args::ListArgs;
use crate::export::EXPORTERS;
use crate::letters::wrapped;
use crate::output::{self, Terminal};

/// What is on a shelf.
type Entries = fn() -> Vec<Entry>;

/// What can be listed.
const SHELVES: [(&str, Entries); 9] = [
    ("policies", policies),
    ("executors", executors),
    ("rules", rules),
    ("disciplines", disciplines),
    ("protocols", protocols),
    ("servers", servers),
    ("distributions", distributions),
    ("metrics", metrics),
    ("exporters", exporters),
];

/// One thing on a shelf.
struct Entry {
    name: Cow<'static, str>,
    summary: String,
    parameters: &'static [Parameter],
    /// What it is when it runs for real, if there is something to say about that.
    real: Option<String>,
    /// What it stands for, a line each.
    stands_for: Vec<String>,
}

impl Entry {
    fn new(name: impl Into<Cow<'static, str>>, summary: impl Into<String>, parameters: &'static [Parameter]) -> Entry {
        Entry { name: name.into(), summary: summary.into(), parameters, real: None, stands_for: Vec::new() }
    }
}

pub(super) fn list(args: &ListArgs) -> Result<Verdict, Failure> {
    let terminal = Terminal::present();
    let of_shelf = |(name, entries): &(&str, Entries)| terminal.bold(name) + "\n" + &lines(&entries(), &terminal);
    let parts: Vec<String> = match &args.what[..] {
        [] => SHELVES.iter().map(of_shelf).collect(),
        [wanted] if let Some((_, entries)) = shelf(wanted) => vec![lines(&entries(), &terminal)],
        several => {
            let part =
                |wanted: &String| shelf(wanted).map_or_else(|| details(wanted, &terminal), |shelf| Ok(of_shelf(shelf)));
            several.iter().map(part).collect::<Result<_, _>>()?
        }
    };
    let text = parts.join("\n");
    output::data(&text);
    Ok(Verdict::Done)
}

/// A shelf, by its name or by what one thing on it is called.
fn shelf(wanted: &str) -> Option<&'static (&'static str, Entries)> {
    let of_one = wanted.strip_suffix('y').map_or_else(|| format!("{wanted}s"), |stem| format!("{stem}ies"));
    SHELVES.iter().find(|(name, _)| *name == wanted || *name == of_one)
}

/// What is written in a scenario and is on no shelf.
const TABLES: [&str; 11] =
    ["machine", "process", "task", "program", "device", "lock", "rwlock", "semaphore", "channel", "condvar", "barrier"];

/// Is it one of [`TABLES`], or several of them?
fn is_table(wanted: &str) -> bool {
    TABLES.iter().any(|table| wanted.strip_prefix(table).is_some_and(|rest| matches!(rest, "" | "s" | "es")))
}

/// All that goes by this name, each with its parameters: `priority` is a policy and a discipline.
fn details(wanted: &str, terminal: &Terminal) -> Result<String, Failure> {
    let all = SHELVES.iter().flat_map(|(shelf, entries)| entries().into_iter().map(move |entry| (*shelf, entry)));
    let (found, others): (Vec<_>, Vec<_>) = all.partition(|(_, entry)| entry.name == wanted);
    if found.is_empty() {
        let shelves = SHELVES.map(|(name, _)| name);
        let known = others.iter().map(|(_, entry)| &*entry.name).chain(shelves);
        let hint = if is_table(wanted) {
            "that is written in a scenario, with keys of its own: docs/scenarios.md has them".to_owned()
        } else {
            did_you_mean(wanted, known, || format!("the shelves are {}", shelves.join(", ")))
        };
        return Err(Failure(format!(
            "sim: there is no shelf `{wanted}` and nothing of that name on one\nhint: {hint}"
        )));
    }
    let detail = |(shelf, entry): &(&str, Entry)| {
        let summary = indented(&entry.summary, 2, terminal);
        let head = format!("{} ({shelf})\n  {summary}\n", terminal.bold(&entry.name));
        let of_parameter = |parameter: &Parameter| {
            let Parameter { name, values, default, meaning } = parameter;
            let unless_written = if *default == "required" {
                (*default).to_owned()
            } else {
                format!("default: {}", default.replace('`', ""))
            };
            let head = format!("{name}: {}", values.replace('`', ""));
            let meaning = format!("{meaning}; {unless_written}");
            format!("  {}\n      {}\n", indented(&head, 6, terminal), indented(&meaning, 6, terminal))
        };
        let real = entry.real.as_ref().map(|real| format!("  {}\n", indented(real, 2, terminal)));
        let sets = entry.stands_for.iter().map(|set| format!("  {}\n", indented(set, 6, terminal)));
        head + &entry.parameters.iter().map(of_parameter).chain(real).chain(sets).collect::<String>()
    };
    Ok(found.iter().map(detail).collect::<Vec<_>>().join("\n"))
}

fn policies() -> Vec<Entry> {
    let entry = |kind: &&'static sim_core::policy::Kind| Entry {
        real: Some(format!("on Linux: {}", kind.on_linux.unwrap_or("none: by a dispatcher of our own"))),
        ..Entry::new(kind.name, kind.summary, kind.parameters)
    };
    POLICIES.iter().map(entry).collect()
}

fn executors() -> Vec<Entry> {
    EXECUTORS.iter().map(|kind| Entry::new(kind.name, kind.summary, kind.parameters)).collect()
}

fn rules() -> Vec<Entry> {
    let entry = |rules: &&'static sim_core::executor::rules::Rules| {
        let of = |set: &Set| match set.parameters {
            "" => set.executor.name.to_owned(),
            parameters => format!("{} ({})", set.executor.name, parameters.replace('\n', ", ")),
        };
        let stands_for = rules.sets.iter().map(of).collect();
        Entry { stands_for, ..Entry::new(rules.name, rules.summary, &[]) }
    };
    RULES.iter().map(entry).collect()
}

fn disciplines() -> Vec<Entry> {
    DISCIPLINES.iter().map(|kind| Entry::new(kind.name, kind.summary, kind.parameters)).collect()
}

/// Of locks: what a holder is lent.
fn protocols() -> Vec<Entry> {
    let shelf = Protocol::ALL.iter().filter(|(protocol, ..)| *protocol != Protocol::None);
    shelf.map(|(_, name, summary)| Entry::new(*name, *summary, &[])).collect()
}

/// Of periodic and other tasks: how so much processor time in each period is had.
fn servers() -> Vec<Entry> {
    ServerKind::ALL.iter().map(|(_, name, summary)| Entry::new(*name, *summary, &[])).collect()
}

fn distributions() -> Vec<Entry> {
    let entry =
        |(name, summary, example): &(&'static str, &str, &str)| Entry::new(*name, format!("{summary}: {example}"), &[]);
    DISTRIBUTIONS.iter().map(entry).collect()
}

/// What `--expect`, `--fail-if` and experiments can ask of a run.
fn metrics() -> Vec<Entry> {
    let entry = |Listed { path, unit, meaning }: Listed| Entry::new(path, format!("{meaning} ({})", unit.name()), &[]);
    listed().into_iter().map(entry).collect()
}

fn exporters() -> Vec<Entry> {
    EXPORTERS.iter().map(|kind| Entry::new(kind.name, kind.summary, &[])).collect()
}

/// An entry for each, with the names of its parameters. What stands for the same as one before it says so.
fn lines(entries: &[Entry], terminal: &Terminal) -> String {
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let line = |(number, entry): (usize, &Entry)| {
        let same = |other: &&Entry| !entry.stands_for.is_empty() && other.stands_for == entry.stands_for;
        let before = entries[..number].iter().find(same);
        let summary = match before {
            Some(before) if before.summary == entry.summary => format!("the same as {}", before.name),
            _ => entry.summary.clone(),
        };
        let parameters = match entry.parameters {
            [] => String::new(),
            parameters => format!(" [{}]", names(parameters).join(", ")),
        };
        let real = entry.real.as_ref().map_or_else(String::new, |real| format!("; {real}"));
        let words = format!("{summary}{parameters}{real}");
        let set = |set: &String| format!("{:2$}{}\n", "", indented(set, width + 8, terminal), width + 4);
        let sets: String = entry.stands_for.iter().filter(|_| before.is_none()).map(set).collect();
        format!("  {:width$}  {}\n{sets}", entry.name, indented(&words, width + 4, terminal))
    };
    entries.iter().enumerate().map(line).collect()
}

/// Wrapped words, of which all lines but the first begin so far in.
fn indented(words: &str, indent: usize, terminal: &Terminal) -> String {
    let columns = terminal.most_columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent));
    wrapped(words, columns).replace('\n', &format!("\n{}", " ".repeat(indent)))
}
