//! Several outcomes side by side: a row for each variation.

use sim_core::outcome::{DeviceOutcome, Outcome};

use super::ROWS;
use crate::output::Terminal;
use crate::table::{Table, Unit, percent, whole};

/// The tables, and what is the matter with each of the variations.
#[must_use]
pub fn variations(outcomes: &[(&str, &Outcome)], terminal: &Terminal) -> String {
    let mut text = summaries(outcomes).render(terminal);
    for table in [super::kinds::of_several(outcomes), devices(outcomes)] {
        if !table.is_empty() {
            text += &format!("\n{}", table.render(terminal));
        }
    }
    for (label, outcome) in outcomes {
        let sentences = outcome.explanation.iter().chain(outcome.findings.iter().map(|finding| &finding.text));
        let sentences: Vec<&str> = sentences.map(String::as_str).collect();
        if !sentences.is_empty() {
            text += &format!("\n{}\n{}\n", terminal.bold(label), sentences.join("\n"));
        }
    }
    text
}

fn summaries(outcomes: &[(&str, &Outcome)]) -> Table {
    let outcomes_alone = || outcomes.iter().map(|(_, outcome)| outcome);
    let unit = unit(outcomes_alone().flat_map(|outcome| {
        let turnaround = &outcome.summary.turnaround_ns;
        [Some(outcome.makespan_ns), turnaround.mean.map(whole), turnaround.max]
    }));
    let misses = outcomes_alone().any(|outcome| outcome.analysis.is_some());
    let open = outcomes_alone().any(|outcome| unfinished(outcome) > 0);
    let headings = ["makespan", "turnaround", "worst", "response", "waiting", "utilisation", "switches", "end"];
    let more = [(open, "unfinished"), (misses, "missed")];
    let more = more.into_iter().filter_map(|(wanted, heading)| wanted.then_some(heading));
    let first = format!("VARIATION, means ({})", unit.name);
    let mut table = Table::new(std::iter::once(first).chain(headings.into_iter().chain(more).map(str::to_owned)));
    for (label, outcome) in outcomes {
        let summary = &outcome.summary;
        #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
        let count = outcome.processors.len() as f64;
        let utilisation = outcome.processors.iter().map(|processor| processor.utilisation).sum::<f64>() / count;
        let mut cells = vec![
            (*label).to_owned(),
            unit.show(outcome.makespan_ns),
            unit.show_mean(summary.turnaround_ns.mean),
            unit.show_or_dash(summary.turnaround_ns.max),
            unit.show_mean(summary.first_response_ns.mean),
            unit.show_mean(summary.waiting_ns.mean),
            percent(utilisation),
            summary.context_switches.to_string(),
            outcome.end.to_owned(),
        ];
        cells.extend(open.then(|| unfinished(outcome).to_string()));
        cells.extend(misses.then(|| summary.deadline_misses.to_string()));
        table.row(cells);
    }
    table
}

fn unfinished(outcome: &Outcome) -> usize {
    outcome.tasks.iter().filter(|task| task.arrival_ns.is_some() && task.finish_ns.is_none()).count()
}

/// A row for each device of each variation, if their queues can make a difference.
fn devices(outcomes: &[(&str, &Outcome)]) -> Table {
    let rows = || {
        let of = |(label, outcome): &(&str, &'_ Outcome)| -> Vec<(String, DeviceOutcome)> {
            let name = |device: &DeviceOutcome| match outcome.devices.len() {
                1 => (*label).to_owned(),
                _ => format!("{label} {}", device.name),
            };
            let queues = outcome.devices.iter().filter(|device| device.utilisation.is_some());
            queues.map(|device| (name(device), device.clone())).collect()
        };
        outcomes.iter().flat_map(of)
    };
    let unit = unit(rows().flat_map(|(_, device)| [device.mean_wait_ns.map(whole), device.mean_service_ns.map(whole)]));
    let moves = rows().any(|(_, device)| device.seek_ns > 0);
    let headings = ["requests", "waited", "mean wait", "service", "queue", "utilisation"];
    let headings = headings.into_iter().chain(moves.then_some("seek")).map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("DEVICES ({})", unit.name)).chain(headings));
    for (name, device) in rows().take(ROWS) {
        let mut cells = vec![
            name,
            device.requests.to_string(),
            device.waited_share.map_or_else(|| "–".to_owned(), percent),
            unit.show_mean(device.mean_wait_ns),
            unit.show_mean(device.mean_service_ns),
            format!("{:.2}", device.mean_queue),
            device.utilisation.map_or_else(String::new, percent),
        ];
        cells.extend(moves.then(|| unit.show(device.seek_ns)));
        table.row(cells);
    }
    table
}

/// Nobody compares the nanoseconds of milliseconds; but what is shorter than a microsecond must not become zero.
fn unit(figures: impl Iterator<Item = Option<u64>>) -> Unit {
    let rounded = |ns: u64| if ns < 1000 { ns } else { ns / 1000 * 1000 };
    Unit::for_all(figures.flatten().map(rounded).collect::<Vec<_>>().into_iter())
}
