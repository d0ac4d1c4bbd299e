//! Periodic tasks as text: what their jobs did, and what theory says of them.

use sim_core::analysis::{Analysis, TaskAnalysis, Verdict};
use sim_core::outcome::{JobSummary, Outcome, TaskOutcome};

use super::Names;
use crate::output::Terminal;
use crate::table::{Table, Unit, percent};

/// The tables; empty without periodic tasks.
pub(super) fn tables(outcome: &Outcome, rows: usize, terminal: &Terminal) -> String {
    let Some(analysis) = &outcome.analysis else { return String::new() };
    let mut text =
        format!("\n{}\n{}", jobs(outcome, analysis, rows).render(terminal), theory(analysis).render(terminal));
    for reservation in analysis.reservations.iter().take(3) {
        text += &terminal.wrapped(&format!("the tests do not apply: {reservation}\n"));
    }
    text += &terminal.wrapped(&agreement(outcome, analysis));
    text
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
            summary.worst_response_ns,
        ];
        spans.into_iter().flatten()
    }));
    let headings = [
        "period",
        "deadline",
        "demand",
        "share",
        "jobs",
        "missed",
        "response",
        "worst",
        "bound",
        "jitter",
        "tardiness",
    ];
    let mut table = Table::new(std::iter::once(format!("JOBS ({})", unit.name)).chain(headings.map(str::to_owned)));
    for (task, summary, theory) in rows.iter().take(most) {
        table.row([
            names.of_task(task),
            unit.show(theory.period_ns),
            unit.show(theory.deadline_ns),
            unit.show_or_dash(theory.demand_ns),
            theory.utilisation.map_or_else(|| "–".to_owned(), percent),
            summary.released.to_string(),
            summary.missed.to_string(),
            unit.show_mean(summary.mean_response_ns),
            unit.show_or_dash(summary.worst_response_ns),
            unit.show_or_dash(theory.response_bound_ns),
            unit.show_or_dash(summary.response_jitter_ns),
            unit.show(summary.max_tardiness_ns),
        ]);
    }
    if rows.len() > most {
        table.row([format!("… and {} more", rows.len() - most)]);
    }
    table
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
    if let (true, Some(utilisation)) = (analysis.sets.is_empty(), analysis.utilisation) {
        table.row(["utilisation".to_owned(), format!("{utilisation:.3}"), String::new(), String::new()]);
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
