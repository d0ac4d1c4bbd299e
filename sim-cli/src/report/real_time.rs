//! Periodic tasks as text: what their jobs did, and what theory says of them.

use sim_core::analysis::{Analysis, TaskAnalysis, Verdict};
use sim_core::outcome::{JobSummary, Outcome, ServerOutcome, TaskOutcome};
use sim_core::scenario::Scenario;

use super::Names;
use crate::output::Terminal;
use crate::table::{Table, Unit, percent};

/// The tables; empty without periodic tasks.
pub(super) fn tables(outcome: &Outcome, rows: usize, terminal: &Terminal) -> String {
    let Some(analysis) = &outcome.analysis else { return String::new() };
    let mut text = format!("\n{}", jobs(outcome, analysis, rows).render(terminal));
    text += &aborted(outcome, rows).map(|line| terminal.wrapped(&line)).unwrap_or_default();
    text += &format!("\n{}", theory(analysis).render(terminal));
    text += &reservations(analysis, terminal);
    text += &terminal.wrapped(&agreement(outcome, analysis));
    text
}

/// What theory says of a scenario before it runs; empty without periodic tasks.
pub(super) fn foretold(scenario: &Scenario, rows: usize, terminal: &Terminal) -> String {
    let Some(analysis) = Analysis::of(scenario) else { return String::new() };
    let of = |task: &TaskAnalysis| {
        let others = [task.demand_ns, task.jitter_ns, task.blocking_ns, task.response_bound_ns];
        [Some(task.period_ns), Some(task.deadline_ns)].into_iter().chain(others).flatten()
    };
    let unit = Unit::for_all(analysis.tasks.iter().flat_map(of));
    let headings = ["period", "deadline", "demand", "share", "jitter", "blocking", "bound"].map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("PERIODIC ({})", unit.name)).chain(headings));
    let process = scenario.processes.iter().next().filter(|_| scenario.processes.len() == 1);
    let prefix = process.map_or_else(String::new, |process| format!("{}/", process.name));
    for task in analysis.tasks.iter().take(rows) {
        table.row([
            task.name.strip_prefix(&prefix).unwrap_or(&task.name).to_owned(),
            unit.show(task.period_ns),
            unit.show(task.deadline_ns),
            unit.show_or_dash(task.demand_ns),
            task.utilisation.map_or_else(|| "–".to_owned(), percent),
            unit.show_or_dash(task.jitter_ns),
            unit.show_or_dash(task.blocking_ns),
            unit.show_or_dash(task.response_bound_ns),
        ]);
    }
    if analysis.tasks.len() > rows {
        table.row([format!("… and {} more", analysis.tasks.len() - rows)]);
    }
    let tables = format!("{}\n{}", table.render(terminal), theory(&analysis).render(terminal));
    tables + &reservations(&analysis, terminal)
}

fn reservations(analysis: &Analysis, terminal: &Terminal) -> String {
    let first = analysis.reservations.iter().take(3);
    first.map(|reservation| terminal.wrapped(&format!("the tests do not apply: {reservation}\n"))).collect()
}

/// A row for each periodic task: what it asks for, and how its jobs fared.
fn jobs(outcome: &Outcome, analysis: &Analysis, most: usize) -> Table {
    let names = Names::of(outcome);
    let rows: Vec<(&TaskOutcome, &JobSummary, &TaskAnalysis)> = outcome
        .tasks
        .iter()
        .filter_map(|task| Some((task, task.job_summary.as_ref()?)))
        .zip(&analysis.tasks)
        .map(|((task, summary), theory)| (task, summary, theory))
        .collect();
    let unit = Unit::for_all(rows.iter().flat_map(|(_, summary, theory)| {
        let spans = [
            Some(outcome.makespan_ns),
            Some(theory.period_ns),
            Some(theory.deadline_ns),
            theory.demand_ns,
            theory.blocking_ns,
            summary.worst_response_ns,
        ];
        spans.into_iter().flatten()
    }));
    let before = ["period", "deadline", "demand", "share", "jobs", "missed", "response", "worst", "bound"];
    // Where nobody waits for anybody, it is no news that nobody does.
    let waits = analysis.tasks.iter().any(|task| task.blocking_ns.is_some_and(|waits| waits > 0));
    let headings = before.into_iter().chain(waits.then_some("blocking")).chain(["jitter", "tardiness"]);
    let mut table = Table::new(std::iter::once(format!("JOBS ({})", unit.name)).chain(headings.map(str::to_owned)));
    for (task, summary, theory) in rows.iter().take(most) {
        let before = [
            names.of_task(task),
            unit.show(theory.period_ns),
            unit.show(theory.deadline_ns),
            unit.show_or_dash(theory.demand_ns),
            theory.utilisation.map_or_else(|| "–".to_owned(), percent),
            released(summary),
            summary.missed.to_string(),
            unit.show_mean(summary.mean_response_ns),
            unit.show_or_dash(summary.worst_response_ns),
            unit.show_or_dash(theory.response_bound_ns),
        ];
        let waits = waits.then(|| unit.show_or_dash(theory.blocking_ns));
        let after = [unit.show_or_dash(summary.response_jitter_ns), unit.show(summary.max_tardiness_ns)];
        table.row(before.into_iter().chain(waits).chain(after));
    }
    if rows.len() > most {
        table.row([format!("… and {} more", rows.len() - most)]);
    }
    table
}

/// How many jobs were released, and how many were not since the one before still ran.
fn released(summary: &JobSummary) -> String {
    match summary.skipped {
        0 => summary.released.to_string(),
        skipped => format!("{}, {skipped} skipped", summary.released),
    }
}

/// Whose jobs were ended at their deadlines, and how many.
fn aborted(outcome: &Outcome, most: usize) -> Option<String> {
    let names = Names::of(outcome);
    let jobs = outcome.tasks.iter().filter_map(|task| Some((task, task.job_summary.as_ref()?)));
    let some: Vec<_> = jobs.filter(|(_, jobs)| jobs.aborted > 0).collect();
    let of = |(task, jobs): &(&TaskOutcome, &JobSummary)| {
        format!("{} of {} jobs of {}", jobs.aborted, jobs.released, names.of_task(task))
    };
    let mut told: Vec<String> = some.iter().take(most).map(of).collect();
    if some.len() > most {
        told.push(format!("those of {} more", some.len() - most));
    }
    (!told.is_empty()).then(|| format!("aborted at their deadlines: {}\n", told.join(", ")))
}

/// The tests and what they say.
fn theory(analysis: &Analysis) -> Table {
    let mut table = Table::new(["THEORY", "value", "limit", "verdict"].map(str::to_owned));
    for set in &analysis.sets {
        for test in &set.tests {
            let number = |number: Option<f64>| number.map_or_else(String::new, |number| format!("{number:.3}"));
            let name = match &set.processor {
                Some(processor) if analysis.sets.len() > 1 => format!("{} on processor {processor}", test.name),
                _ => test.name.to_owned(),
            };
            table.row([name, number(test.value), number(test.limit), verdict(test.verdict).to_owned()]);
        }
    }
    if !analysis.tasks.is_empty() {
        let length = analysis.hyperperiod_ns.map_or_else(
            || "over 584 years".to_owned(),
            |length| {
                let unit = Unit::for_all(std::iter::once(length));
                format!("{} {}", unit.show(length), unit.name)
            },
        );
        table.row(["hyperperiod".to_owned(), length, String::new(), String::new()]);
    }
    if let (true, Some(utilisation)) = (analysis.sets.is_empty(), analysis.utilisation) {
        table.row(["utilisation".to_owned(), format!("{utilisation:.3}"), String::new(), String::new()]);
    }
    table
}

/// What servers granted, and how often that was not enough.
pub(super) fn servers(outcome: &Outcome) -> Table {
    let times = |server: &ServerOutcome| {
        let (waited, running) = (server.waited_ns, server.running_ns);
        [server.budget_ns, server.period_ns, running, waited].into_iter()
    };
    let unit = Unit::for_all(outcome.servers.iter().flat_map(times));
    let headings = ["kind", "budget", "period", "running", "of budget", "waited", "for"].map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("SERVER ({})", unit.name)).chain(headings));
    for server in &outcome.servers {
        table.row([
            server.name.clone(),
            server.kind.to_owned(),
            unit.show(server.budget_ns),
            unit.show(server.period_ns),
            unit.show(server.running_ns),
            server.budget_share.map_or_else(|| "–".to_owned(), percent),
            format!("{}×", server.waits),
            unit.show(server.waited_ns),
        ]);
    }
    table
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Schedulable => "schedulable",
        Verdict::NotSchedulable => "not schedulable",
        Verdict::Undecided => "cannot say",
    }
}

/// What the simulation saw, next to what theory says.
fn agreement(outcome: &Outcome, analysis: &Analysis) -> String {
    // Of tasks with a server theory promises nothing but that they do no harm.
    let jobs = || outcome.tasks.iter().filter_map(|task| task.job_summary.as_ref());
    let promised = || jobs().zip(&analysis.tasks).filter(|(_, theory)| !theory.served).map(|(jobs, _)| jobs);
    let missed: u64 = promised().map(|jobs| jobs.missed).sum();
    let released: u64 = promised().map(|jobs| jobs.released).sum();
    let saw = match missed {
        0 => format!("none of {released} jobs missed its deadline"),
        missed => format!("{missed} of {released} jobs missed their deadlines"),
    };
    let theory = match (analysis.schedulable, missed) {
        (Some(true), 0) => "as theory says",
        (Some(true), _) => "although theory says that none should",
        (Some(false), 0) => "although theory says that some will, if the run is long enough",
        (Some(false), _) => "as theory says that some will",
        (None, _) => "of which theory cannot say anything",
    };
    format!("{} saw: {saw}, {theory}\n", if outcome.source == "measured" { "the run" } else { "the simulation" })
}
