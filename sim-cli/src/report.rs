//! An outcome as text: a heading, a table of tasks, of processors, devices and locks.

mod calibration;
mod comparison;
pub mod gains;
pub mod gone;
mod groups;
mod kinds;
mod pools;
mod real_time;
mod repetitions;
mod replications;
pub mod sweep;
mod syncs;
mod validation;
pub mod variations;

pub use calibration::calibration;
pub use comparison::{comparison, kept};
pub use repetitions::{measured_variations, repetitions};
pub use replications::{replicated_variations, replications};
pub use validation::validation;
pub use variations::variations;

use std::collections::BTreeSet;

use crate::letters::{visible, visible_lines};
use crate::output::Terminal;
use crate::reached::Reached;
use crate::table::{Table, Unit, percent};
use sim_core::device::Form;
use sim_core::kinds::are_of_one_process;
use sim_core::outcome::{DeviceOutcome, Outcome, TaskOutcome};
use sim_core::scenario::{Protocol, Scenario};
use sim_core::time::Span;

/// What a screen holds: longer tables tell the kinds of tasks and the extremes, unless all rows are wanted.
const ROWS: usize = 40;

/// The outcome for a person; `full` with all rows of all tables.
#[must_use]
pub fn outcome(outcome: &Outcome, scenario: &Scenario, full: bool, terminal: &Terminal) -> String {
    let unit = unit_of(&outcome.tasks);
    let rows = if full { usize::MAX } else { ROWS };
    let mut text = heading(outcome, scenario, terminal);
    text.push('\n');
    text += &tasks(outcome, unit, rows, terminal);
    let kinds = kinds::of_one(&outcome.kinds, unit, rows);
    if !kinds.is_empty() {
        text += &format!("\n{}", kinds.render(terminal));
    }
    text.push('\n');
    text += &processors(outcome, unit, rows).render(terminal);
    text += &real_time::tables(outcome, rows, terminal);
    for table in [
        devices(outcome, unit),
        gone::table(outcome, unit, full),
        pools::table(outcome),
        groups::of_one(&outcome.groups, unit),
        real_time::servers(outcome),
    ]
    .into_iter()
    .chain(syncs::tables(outcome, unit))
    {
        if !table.is_empty() {
            text.push('\n');
            text += &table.render(terminal);
        }
    }
    text
}

/// What theory says of the periodic tasks of a scenario, for a person; empty if it has none.
#[must_use]
pub fn foretold(scenario: &Scenario, terminal: &Terminal) -> String {
    real_time::foretold(scenario, ROWS, terminal)
}

/// Which protocols the locks of a scenario have, and what those mean; empty if they have none.
#[must_use]
pub fn protocols(scenario: &Scenario, terminal: &Terminal) -> String {
    let used = |protocol: Protocol| scenario.syncs.iter().any(|object| object.protocol == protocol);
    let first = |protocol: Protocol, word: &str| {
        Protocol::ALL.iter().find(|(other, ..)| *other == protocol).is_some_and(|(_, name, _)| *name == word)
    };
    let is_told = |protocol, word| protocol != Protocol::None && used(protocol) && first(protocol, word);
    let named = Protocol::ALL.iter().filter(|(protocol, word, _)| is_told(*protocol, word));
    named.map(|(_, word, meaning)| terminal.wrapped(&format!("protocol `{word}`: {meaning}\n"))).collect()
}

/// Title, machine, policy, how it ended.
#[must_use]
pub fn heading(outcome: &Outcome, scenario: &Scenario, terminal: &Terminal) -> String {
    let title = if outcome.title.is_empty() { "(no title)".into() } else { visible(&outcome.title) };
    let makespan = Span::from_ns(outcome.makespan_ns).readable();
    let how = match outcome.end {
        "completed" => format!("completed in {makespan}"),
        "horizon" => format!("reached the horizon at {makespan}{}", Reached::of_outcome(outcome).words()),
        "interrupted" => format!("interrupted at {makespan}"),
        other => format!("ended in a {other} at {makespan}"),
    };
    let summary = &outcome.summary;
    let (switches, migrations) = (summary.context_switches, summary.migrations);
    let ending = |number: u64, ending: &'static str| if number == 1 { "" } else { ending };
    let (es, s) = (ending(switches, "es"), ending(migrations, "s"));
    let mut switches = format!("{switches} context switch{es}, {migrations} migration{s}");
    for (times, what) in [(summary.given_up, "given up"), (summary.rejected, "rejected")] {
        if times > 0 {
            switches += &format!(", {times} {what}");
        }
    }
    let setting = setting_of(outcome, scenario);
    let status = terminal.wrapped(&format!("{setting}; {}: {how}; {switches}", outcome.source));
    let mut text = format!("{}\n{status}\n", terminal.bold(&terminal.wrapped(&title)));
    if let Some(explanation) = &outcome.explanation {
        text += &format!("\n{}\n", terminal.wrapped(&visible_lines(explanation)));
    }
    if !outcome.findings.is_empty() {
        text.push('\n');
        let lines = outcome.findings.iter().map(|finding| terminal.wrapped(&visible_lines(&finding.text)) + "\n");
        text.extend(lines);
    }
    text
}

/// The machine, the policy and the seed in a few words.
#[must_use]
pub fn setting(scenario: &Scenario) -> String {
    listed(&settings(scenario), |_| true)
}

/// That of what really ran, if it was a real run: the kernel's policy and the executor.
#[must_use]
pub fn setting_of(outcome: &Outcome, scenario: &Scenario) -> String {
    let of = |recorded: &serde_json::Value, key: &str| recorded[key].as_str().unwrap_or_default().to_owned();
    let ran = outcome.recorded.as_ref().map(|recorded| [of(recorded, "policy"), of(recorded, "executor")].join(", "));
    match (ran, settings(scenario)) {
        // The executor says in what it ran.
        (Some(ran), [processors, _, _, devices, seed]) => listed(&[processors, ran, devices, seed], |_| true),
        (None, settings) => listed(&settings, |_| true),
    }
}

/// Those parts of a setting that are chosen, as far as there is something to say.
#[must_use]
pub fn listed(settings: &[String], chosen: impl Fn(usize) -> bool) -> String {
    let chosen = settings.iter().enumerate().filter(|(index, words)| chosen(*index) && !words.is_empty());
    chosen.map(|(_, words)| words.as_str()).collect::<Vec<_>>().join(", ")
}

/// [`setting`] in parts: the processors, the policy, the rules of Python, the disciplines of devices that are no plain queues, the
/// seed.
#[must_use]
pub fn settings(scenario: &Scenario) -> [String; 5] {
    let count = scenario.machine.processors.len();
    let processors = if count == 1 { "1 processor".to_owned() } else { format!("{count} processors") };
    let special: Vec<String> = (scenario.devices.iter())
        .filter(|device| device.discipline.form != Form::InOrder)
        .map(|device| format!("{}: {}", visible(&device.name), device.discipline.name))
        .collect();
    let mut devices = special.iter().take(DEVICES).cloned().collect::<Vec<_>>().join(", ");
    if special.len() > DEVICES {
        devices += &format!(" and {} more", special.len() - DEVICES);
    }
    [processors, scenario.scheduler.label(), python(scenario), devices, format!("seed {}", scenario.seed)]
}

/// By which rules processes are simulated that run in CPython; those without rules of their own by the same.
fn python(scenario: &Scenario) -> String {
    let mut processes = scenario.processes.iter().filter(|process| process.runtime.cpython().is_some()).peekable();
    let default = processes.peek().and_then(|process| process.runtime.rules());
    let rules: BTreeSet<&str> = processes.filter_map(|process| process.executor.rules).collect();
    if rules.is_empty() { default.into_iter().collect() } else { rules.into_iter().collect::<Vec<_>>().join(" and ") }
}

/// More devices than this are not told by name in a setting.
const DEVICES: usize = 4;

fn unit_of(tasks: &[TaskOutcome]) -> Unit {
    Unit::for_all(tasks.iter().flat_map(|task| {
        let times = [task.arrival_ns, task.first_run_ns, task.finish_ns];
        let spans = [task.running_ns, task.waiting_ns, task.blocked_ns, task.overhead_ns];
        times.into_iter().flatten().chain(spans)
    }))
}

/// Task by task; of more tasks than there are rows, kind by kind, and the extremes of each kind.
fn tasks(outcome: &Outcome, unit: Unit, rows: usize, terminal: &Terminal) -> String {
    let names = Names::of(outcome);
    if outcome.tasks.len() <= rows {
        let mut table = task_table(unit);
        outcome.tasks.iter().for_each(|task| table.row(task_row(&names.of_task(task), task, unit)));
        if outcome.tasks.len() > 1 {
            let (those, mixed) = of_one_kind(&outcome.tasks);
            table.row(mean_row(&those, unit));
            let note = if mixed { "the mean is of those that finished\n" } else { "" };
            return table.render(terminal) + note;
        }
        return table.render(terminal);
    }
    let mut kinds: Vec<&[TaskOutcome]> =
        outcome.tasks.chunk_by(|a, b| a.process == b.process && a.task == b.task).collect();
    let left_out = kinds.len().saturating_sub(rows);
    if left_out > 0 {
        // Those in which somebody took longest; unfinished ones take longer than any.
        let worst = |kind: &&[TaskOutcome]| kind.iter().map(|task| task.turnaround_ns.unwrap_or(u64::MAX)).max();
        kinds.sort_by_key(|kind| std::cmp::Reverse(worst(kind)));
        kinds.truncate(rows);
    }
    let mut text = of_kinds(&kinds, &names, outcome, unit).render(terminal);
    if left_out > 0 {
        let line =
            format!("… and {left_out} more kinds of tasks, in which nobody took longer; --full shows all tasks\n");
        text += &terminal.wrapped(&line);
    }
    let extremes = extremes(&kinds, &names, unit);
    if !extremes.is_empty() {
        text += &format!("\n{}", extremes.render(terminal));
    }
    text
}

/// More kinds than this have no rows for their extremes.
const EXTREMES: usize = 6;

/// The best, the median and the worst of each kind by their turnaround, by name.
fn extremes(kinds: &[&[TaskOutcome]], names: &Names<'_>, unit: Unit) -> Table {
    let mut table = task_table(unit);
    for kind in kinds.iter().filter(|kind| kind.len() >= 3).take(EXTREMES) {
        let mut finished: Vec<(u64, &TaskOutcome)> =
            kind.iter().filter_map(|task| Some((task.turnaround_ns?, task))).collect();
        finished.sort_by_key(|(turnaround, _)| *turnaround);
        let Some(last) = finished.len().checked_sub(1) else { continue };
        for (rank, index) in [("best", 0), ("median", last / 2), ("worst", last)] {
            let task = finished[index].1;
            table.row(task_row(&format!("{} {rank}", names.of_task(task)), task, unit));
        }
    }
    table
}

fn task_table(unit: Unit) -> Table {
    let headings =
        ["arrival", "first run", "finish", "turnaround", "running", "waiting", "blocked", "overhead", "switches"];
    Table::new(std::iter::once(format!("TASK ({})", unit.name)).chain(headings.map(str::to_owned)))
}

fn task_row(name: &str, task: &TaskOutcome, unit: Unit) -> [String; 10] {
    // Of who was rejected or aborted there is no finish, but a reason why.
    let finish = match (task.finish_ns, task.fate) {
        (None, Some(fate)) => fate.to_owned(),
        (finish, _) => unit.show_or_dash(finish),
    };
    [
        name.to_owned(),
        unit.show_or_dash(task.arrival_ns),
        unit.show_or_dash(task.first_run_ns),
        finish,
        unit.show_or_dash(task.turnaround_ns),
        unit.show(task.running_ns),
        unit.show(task.waiting_ns),
        unit.show(task.blocked_ns),
        unit.show(task.overhead_ns),
        (task.voluntary_switches + task.involuntary_switches).to_string(),
    ]
}

/// Those that finished, if some have: the others took longer than anybody knows. Are there others?
fn of_one_kind(tasks: &[TaskOutcome]) -> (Vec<&TaskOutcome>, bool) {
    let (finished, others) = apart(tasks);
    match (finished.is_empty(), others.is_empty()) {
        (true, _) => (others, false),
        (false, alone) => (finished, !alone),
    }
}

fn mean_row(those: &[&TaskOutcome], unit: Unit) -> [String; 10] {
    let mean = |of: fn(&TaskOutcome) -> Option<u64>| unit.show_mean(mean(those, of));
    [
        "mean".to_owned(),
        String::new(),
        String::new(),
        String::new(),
        mean(|task| task.turnaround_ns),
        mean(|task| Some(task.running_ns)),
        mean(|task| Some(task.waiting_ns)),
        mean(|task| Some(task.blocked_ns)),
        mean(|task| Some(task.overhead_ns)),
        String::new(),
    ]
}

/// Those that finished, and those that did not.
fn apart(tasks: &[TaskOutcome]) -> (Vec<&TaskOutcome>, Vec<&TaskOutcome>) {
    tasks.iter().partition(|task| task.finish_ns.is_some())
}

/// A row for each task of the file, over all its instances; where some have finished and others not, a row for each of these.
fn of_kinds(kinds: &[&[TaskOutcome]], names: &Names<'_>, outcome: &Outcome, unit: Unit) -> Table {
    let summary = &outcome.summary;
    let unit = unit.or_finer_for([summary.turnaround_ns.mean, summary.waiting_ns.mean].into_iter());
    let mut table = Table::new([
        format!("TASK, means ({})", unit.name),
        "instances".into(),
        "finished".into(),
        "first response".into(),
        "turnaround".into(),
        "worst".into(),
        "running".into(),
        "waiting".into(),
        "blocked".into(),
        "overhead".into(),
    ]);
    for group in kinds {
        let (finished, others) = apart(group);
        let (name, done) = (names.of_kind(&group[0]), finished.len());
        let rows = match (done, others.len()) {
            (0, all) => vec![(name, others, all, 0)],
            (_, 0) => vec![(name, finished, done, done)],
            (_, open) => vec![(name, finished, group.len(), done), ("  not finished".to_owned(), others, open, 0)],
        };
        for (name, those, count, done) in rows {
            table.row(means(name, &those, (count, done), unit));
        }
    }
    table
}

fn means(name: String, those: &[&TaskOutcome], (count, done): (usize, usize), unit: Unit) -> [String; 10] {
    let mean = |of: fn(&TaskOutcome) -> Option<u64>| unit.show_mean(mean(those, of));
    [
        name,
        count.to_string(),
        done.to_string(),
        mean(|task| task.first_response_ns),
        mean(|task| task.turnaround_ns),
        unit.show_or_dash(those.iter().filter_map(|task| task.turnaround_ns).max()),
        mean(|task| Some(task.running_ns)),
        mean(|task| Some(task.waiting_ns)),
        mean(|task| Some(task.blocked_ns)),
        mean(|task| Some(task.overhead_ns)),
    ]
}

fn processors(outcome: &Outcome, unit: Unit, rows: usize) -> Table {
    // What is not ours may be others' on a real machine.
    let idle = if outcome.source == "measured" { "idle or others" } else { "idle" };
    let headings = ["running", "overhead", idle, "utilisation"];
    let mut table =
        Table::new(std::iter::once(format!("PROCESSOR ({})", unit.name)).chain(headings.map(str::to_owned)));
    for processor in outcome.processors.iter().take(rows) {
        table.row([
            processor.name.clone(),
            unit.show(processor.running_ns),
            unit.show(processor.overhead_ns),
            unit.show(processor.idle_ns),
            percent(processor.utilisation),
        ]);
    }
    if outcome.processors.len() > rows {
        table.row([format!("… and {} more", outcome.processors.len() - rows)]);
    }
    table
}

fn devices(outcome: &Outcome, unit: Unit) -> Table {
    let unit =
        unit.or_finer_for(outcome.devices.iter().flat_map(|device| [device.mean_wait_ns, device.mean_service_ns]));
    let headings = ["requests", "busy", "waited", "mean wait", "queue", "utilisation"];
    // Of a plain queue the rest can be told from these.
    let special = outcome.devices.iter().any(|device| !device.in_order || device.seek_ns > 0);
    let more = if special { ["service", "seek", "discipline"].as_slice() } else { &[] };
    let gone = gone_from(&outcome.devices);
    let headings = headings.iter().chain(gone.iter().map(|(heading, _)| heading)).chain(more);
    let headings = headings.map(|heading| (*heading).to_owned());
    let mut table = Table::new(std::iter::once(format!("DEVICE ({})", unit.name)).chain(headings));
    for device in &outcome.devices {
        let mut cells = vec![
            device.name.clone(),
            device.requests.to_string(),
            unit.show(device.busy_ns),
            device.waited_share.map_or_else(|| "–".to_owned(), percent),
            unit.show_mean(device.mean_wait_ns),
            format!("{:.2}", device.mean_queue),
            device.utilisation.map_or_else(|| "unlimited".to_owned(), percent),
        ];
        cells.extend(gone.iter().map(|(_, share)| share(device)));
        if special {
            cells.extend([unit.show_mean(device.mean_service_ns), unit.show(device.seek_ns)]);
            cells.push(device.discipline.to_owned());
        }
        table.row(cells);
    }
    table
}

/// A column of a table of devices.
type Column = (&'static str, fn(&DeviceOutcome) -> String);

/// How many of the requests have left devices without being served, where some have.
pub(crate) fn gone_from<'d>(devices: impl IntoIterator<Item = &'d DeviceOutcome> + Clone) -> Vec<Column> {
    fn share(count: u64, device: &DeviceOutcome) -> String {
        if device.requests == 0 { "–".to_owned() } else { percent(count as f64 / device.requests as f64) }
    }
    let any = |is: fn(&DeviceOutcome) -> u64| devices.clone().into_iter().any(|device| is(device) > 0);
    let columns: [(bool, Column); 2] = [
        (any(|device| device.given_up), ("given up", |device| share(device.given_up, device))),
        (any(|device| device.rejected), ("rejected", |device| share(device.rejected, device))),
    ];
    columns.into_iter().filter_map(|(any, column)| any.then_some(column)).collect()
}

/// Names without what is the same for all: the process if there is only one, the instance if there is only one.
struct Names<'a> {
    one_process: bool,
    /// The kinds of which there are several instances: process and task.
    several: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Names<'a> {
    fn of(outcome: &'a Outcome) -> Names<'a> {
        let one_process = are_of_one_process(outcome.tasks.iter().map(|task| (&*task.process, &*task.task)));
        let alike = |two: &&[TaskOutcome]| two[0].task == two[1].task && two[0].process == two[1].process;
        // The instances of a kind stand together.
        let several = outcome.tasks.windows(2).filter(alike).map(|two| (&*two[0].process, &*two[0].task)).collect();
        Names { one_process, several }
    }

    fn of_task(&self, task: &TaskOutcome) -> String {
        let name = self.of_kind(task);
        let alone = !self.several.contains(&(&*task.process, &*task.task));
        if alone { name } else { format!("{name}#{}", task.instance) }
    }

    fn of_kind(&self, task: &TaskOutcome) -> String {
        if self.one_process { task.task.clone() } else { format!("{}/{}", task.process, task.task) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
fn mean(tasks: &[&TaskOutcome], of: fn(&TaskOutcome) -> Option<u64>) -> Option<f64> {
    let values: Vec<u64> = tasks.iter().copied().filter_map(of).collect();
    (!values.is_empty())
        .then(|| values.iter().map(|value| u128::from(*value)).sum::<u128>() as f64 / values.len() as f64)
}
