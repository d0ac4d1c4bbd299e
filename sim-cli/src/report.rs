//! An outcome as text: a heading, a table of tasks, of processors, devices and locks.

mod comparison;
mod kinds;
mod real_time;
mod repetitions;
mod syncs;
mod variations;

pub use comparison::{comparison, kept};
pub use repetitions::{measured_variations, repetitions};
pub use variations::variations;

use crate::output::Terminal;
use crate::table::{Table, Unit, percent};
use sim_core::outcome::{Outcome, TaskOutcome};
use sim_core::scenario::Scenario;
use sim_core::time::Span;

/// More tasks than this are shown task by task of the file, not instance by instance.
const ROWS: usize = 40;

/// The outcome for a person.
#[must_use]
pub fn outcome(outcome: &Outcome, scenario: &Scenario, terminal: &Terminal) -> String {
    let unit = unit_of(&outcome.tasks);
    let mut text = heading(outcome, scenario, terminal);
    text.push('\n');
    text += &tasks(outcome, unit).render(terminal);
    let kinds = kinds::of_one(outcome);
    if !kinds.is_empty() {
        text += &format!("\n{}", kinds.render(terminal));
    }
    text.push('\n');
    text += &processors(outcome, unit).render(terminal);
    text += &real_time::tables(outcome, terminal);
    for table in std::iter::once(devices(outcome, unit)).chain(syncs::tables(outcome, unit)) {
        if !table.is_empty() {
            text.push('\n');
            text += &table.render(terminal);
        }
    }
    text
}

/// Title, machine, policy, how it ended.
#[must_use]
pub fn heading(outcome: &Outcome, scenario: &Scenario, terminal: &Terminal) -> String {
    let title = if outcome.title.is_empty() { "(no title)" } else { &outcome.title };
    let makespan = Span::from_ns(outcome.makespan_ns);
    let how = match outcome.end {
        "completed" => format!("completed in {makespan}"),
        "horizon" => format!("reached the horizon at {makespan} with work left"),
        other => format!("ended in a {other} at {makespan}"),
    };
    let summary = &outcome.summary;
    let (switches, migrations) = (summary.context_switches, summary.migrations);
    let ending = |number: u64, ending: &'static str| if number == 1 { "" } else { ending };
    let (es, s) = (ending(switches, "es"), ending(migrations, "s"));
    let switches = format!("{switches} context switch{es}, {migrations} migration{s}");
    let mut text = format!("{}\n{}; {}: {how}; {switches}\n", terminal.bold(title), setting(scenario), outcome.source);
    if let Some(explanation) = &outcome.explanation {
        text += &format!("\n{explanation}\n");
    }
    if !outcome.findings.is_empty() {
        text.push('\n');
        outcome.findings.iter().for_each(|finding| text += &format!("{}\n", finding.text));
    }
    text
}

/// The machine, the policy and the seed in a few words.
#[must_use]
pub fn setting(scenario: &Scenario) -> String {
    settings(scenario).join(", ")
}

/// The same in parts.
#[must_use]
pub fn settings(scenario: &Scenario) -> [String; 3] {
    let count = scenario.machine.processors.len();
    let processors = if count == 1 { "1 processor".to_owned() } else { format!("{count} processors") };
    [processors, scenario.scheduler.label(), format!("seed {}", scenario.seed)]
}

fn unit_of(tasks: &[TaskOutcome]) -> Unit {
    Unit::for_all(tasks.iter().flat_map(|task| {
        let times = [task.arrival_ns, task.first_run_ns, task.finish_ns];
        let spans = [task.running_ns, task.waiting_ns, task.blocked_ns, task.overhead_ns];
        times.into_iter().flatten().chain(spans)
    }))
}

fn tasks(outcome: &Outcome, unit: Unit) -> Table {
    if outcome.tasks.len() > ROWS {
        return groups(outcome, unit);
    }
    let mut table = Table::new([
        format!("TASK ({})", unit.name),
        "arrival".into(),
        "first run".into(),
        "finish".into(),
        "turnaround".into(),
        "running".into(),
        "waiting".into(),
        "blocked".into(),
        "overhead".into(),
        "switches".into(),
    ]);
    for task in &outcome.tasks {
        table.row([
            short_name(task, outcome),
            unit.show_or_dash(task.arrival_ns),
            unit.show_or_dash(task.first_run_ns),
            unit.show_or_dash(task.finish_ns),
            unit.show_or_dash(task.turnaround_ns),
            unit.show(task.running_ns),
            unit.show(task.waiting_ns),
            unit.show(task.blocked_ns),
            unit.show(task.overhead_ns),
            (task.voluntary_switches + task.involuntary_switches).to_string(),
        ]);
    }
    if outcome.tasks.len() > 1 {
        let mean = |of: fn(&TaskOutcome) -> Option<u64>| unit.show_mean(mean(&outcome.tasks, of));
        table.row([
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
        ]);
    }
    table
}

/// A row for each task of the file, over all its instances.
fn groups(outcome: &Outcome, unit: Unit) -> Table {
    let summary = &outcome.summary;
    let unit = unit.or_finer_for([summary.turnaround_ns.mean, summary.waiting_ns.mean].into_iter());
    let mut table = Table::new([
        format!("TASK, means ({})", unit.name),
        "instances".into(),
        "finished".into(),
        "response".into(),
        "turnaround".into(),
        "worst".into(),
        "running".into(),
        "waiting".into(),
        "blocked".into(),
        "overhead".into(),
    ]);
    for group in outcome.tasks.chunk_by(|a, b| a.process == b.process && a.task == b.task) {
        let mean = |of: fn(&TaskOutcome) -> Option<u64>| unit.show_mean(mean(group, of));
        table.row([
            name_of(&group[0], outcome),
            group.len().to_string(),
            group.iter().filter(|task| task.finish_ns.is_some()).count().to_string(),
            mean(|task| task.first_response_ns),
            mean(|task| task.turnaround_ns),
            unit.show_or_dash(group.iter().filter_map(|task| task.turnaround_ns).max()),
            mean(|task| Some(task.running_ns)),
            mean(|task| Some(task.waiting_ns)),
            mean(|task| Some(task.blocked_ns)),
            mean(|task| Some(task.overhead_ns)),
        ]);
    }
    table
}

fn processors(outcome: &Outcome, unit: Unit) -> Table {
    let headings = ["running", "overhead", "idle", "utilisation"];
    let mut table =
        Table::new(std::iter::once(format!("PROCESSOR ({})", unit.name)).chain(headings.map(str::to_owned)));
    for processor in outcome.processors.iter().take(ROWS) {
        table.row([
            processor.name.clone(),
            unit.show(processor.running_ns),
            unit.show(processor.overhead_ns),
            unit.show(processor.idle_ns),
            percent(processor.utilisation),
        ]);
    }
    if outcome.processors.len() > ROWS {
        table.row([format!("… and {} more", outcome.processors.len() - ROWS)]);
    }
    table
}

fn devices(outcome: &Outcome, unit: Unit) -> Table {
    let unit =
        unit.or_finer_for(outcome.devices.iter().flat_map(|device| [device.mean_wait_ns, device.mean_service_ns]));
    let headings = ["requests", "busy", "waited", "mean wait", "queue", "utilisation"];
    // Of a plain queue the rest can be told from these.
    let special = outcome.devices.iter().any(|device| device.discipline != "fifo" || device.seek_ns > 0);
    let more = if special { ["service", "seek", "discipline"].as_slice() } else { &[] };
    let headings = headings.iter().chain(more).map(|heading| (*heading).to_owned());
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
        if special {
            cells.extend([unit.show_mean(device.mean_service_ns), unit.show(device.seek_ns)]);
            cells.push(device.discipline.to_owned());
        }
        table.row(cells);
    }
    table
}

/// The name without what is the same for all: the process if there is only one, the instance if there is only one.
#[must_use]
pub fn short_name(task: &TaskOutcome, outcome: &Outcome) -> String {
    let siblings = |other: &&TaskOutcome| other.task == task.task && other.process == task.process;
    let name = name_of(task, outcome);
    if outcome.tasks.iter().filter(siblings).nth(1).is_some() { format!("{name}#{}", task.instance) } else { name }
}

fn name_of(task: &TaskOutcome, outcome: &Outcome) -> String {
    let alone = outcome.tasks.iter().all(|other| other.process == task.process);
    if alone { task.task.clone() } else { format!("{}/{}", task.process, task.task) }
}

#[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
fn mean(tasks: &[TaskOutcome], of: fn(&TaskOutcome) -> Option<u64>) -> Option<f64> {
    let values: Vec<u64> = tasks.iter().filter_map(of).collect();
    (!values.is_empty())
        .then(|| values.iter().map(|value| u128::from(*value)).sum::<u128>() as f64 / values.len() as f64)
}
