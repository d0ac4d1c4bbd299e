//! Tables of what tasks share: what they synchronise with, and variables; a table for each kind that there is.

use sim_core::outcome::{Outcome, VariableOutcome};

use crate::table::{Table, Unit};

/// A table for each kind; empty for those that there are not.
pub(super) fn tables(outcome: &Outcome, unit: Unit) -> [Table; 6] {
    let held = outcome.locks.iter().map(|lock| lock.mean_hold_ns);
    let held = held.chain(outcome.semaphores.iter().map(|semaphore| semaphore.mean_hold_ns));
    let waited = outcome.locks.iter().map(|lock| lock.mean_wait_ns);
    let waited = waited.chain(outcome.semaphores.iter().map(|semaphore| semaphore.mean_wait_ns));
    let waited = waited.chain(outcome.channels.iter().map(|channel| channel.mean_wait_ns));
    let waited = waited.chain(outcome.condvars.iter().map(|condvar| condvar.mean_wait_ns));
    let waited = waited.chain(outcome.barriers.iter().map(|barrier| barrier.mean_wait_ns));
    let unit = unit.or_finer_for(held.chain(waited));
    [
        locks(outcome, unit),
        semaphores(outcome, unit),
        channels(outcome, unit),
        condvars(outcome, unit),
        barriers(outcome, unit),
        variables(outcome),
    ]
}

fn table<const N: usize>(what: &str, unit: Unit, headings: [&str; N]) -> Table {
    with_title(what, unit, headings)
}

fn with_title<'h>(what: &str, unit: Unit, headings: impl IntoIterator<Item = &'h str>) -> Table {
    let headings = headings.into_iter().map(str::to_owned);
    Table::new(std::iter::once(format!("{what} ({})", unit.name)).chain(headings))
}

fn locks(outcome: &Outcome, unit: Unit) -> Table {
    let gone = outcome.locks.iter().any(|lock| lock.given_up > 0);
    let headings = ["taken", "contended"].into_iter().chain(gone.then_some("given up"));
    let mut table = with_title("LOCK", unit, headings.chain(["mean wait", "mean hold"]));
    for lock in &outcome.locks {
        let counts = [lock.acquisitions, lock.contended].into_iter().chain(gone.then_some(lock.given_up));
        let cells = std::iter::once(lock.name.clone()).chain(counts.map(|count| count.to_string()));
        table.row(cells.chain([lock.mean_wait_ns, lock.mean_hold_ns].map(|mean| unit.show_mean(mean))));
    }
    table
}

fn semaphores(outcome: &Outcome, unit: Unit) -> Table {
    let gone = outcome.semaphores.iter().any(|semaphore| semaphore.given_up > 0);
    let headings = ["permits", "acquired", "added", "contended"].into_iter().chain(gone.then_some("given up"));
    let mut table = with_title("SEMAPHORE", unit, headings.chain(["mean wait", "mean hold"]));
    for semaphore in &outcome.semaphores {
        let counts = [semaphore.permits.into(), semaphore.acquisitions, semaphore.added, semaphore.contended];
        let counts = counts.into_iter().chain(gone.then_some(semaphore.given_up));
        let cells = std::iter::once(semaphore.name.clone()).chain(counts.map(|count| count.to_string()));
        table.row(cells.chain([semaphore.mean_wait_ns, semaphore.mean_hold_ns].map(|mean| unit.show_mean(mean))));
    }
    table
}

fn channels(outcome: &Outcome, unit: Unit) -> Table {
    let headings = ["capacity", "sent", "received", "contended", "mean wait", "mean level", "most"];
    let mut table = table("CHANNEL", unit, headings);
    for channel in &outcome.channels {
        table.row([
            channel.name.clone(),
            channel.capacity.to_string(),
            channel.sent.to_string(),
            channel.received.to_string(),
            channel.contended.to_string(),
            unit.show_mean(channel.mean_wait_ns),
            format!("{:.2}", channel.mean_level),
            channel.max_level.to_string(),
        ]);
    }
    table
}

fn condvars(outcome: &Outcome, unit: Unit) -> Table {
    let mut table = table("CONDVAR", unit, ["waits", "notifications", "lost", "mean wait"]);
    for condvar in &outcome.condvars {
        table.row([
            condvar.name.clone(),
            condvar.waits.to_string(),
            condvar.notifications.to_string(),
            condvar.lost.to_string(),
            unit.show_mean(condvar.mean_wait_ns),
        ]);
    }
    table
}

fn barriers(outcome: &Outcome, unit: Unit) -> Table {
    let mut table = table("BARRIER", unit, ["parties", "arrivals", "rounds", "mean wait"]);
    for barrier in &outcome.barriers {
        table.row([
            barrier.name.clone(),
            barrier.parties.to_string(),
            barrier.arrivals.to_string(),
            barrier.rounds.to_string(),
            unit.show_mean(barrier.mean_wait_ns),
        ]);
    }
    table
}

fn variables(outcome: &Outcome) -> Table {
    variable_table("VARIABLE", outcome.variables.iter().map(|variable| (variable.name.clone(), variable)))
}

/// A row for each variable of each run.
pub(super) fn variables_of_several<'a>(runs: impl Iterator<Item = (&'a str, &'a [VariableOutcome])>) -> Table {
    let row = |(label, variables): (&'a str, &'a [VariableOutcome])| {
        variables.iter().map(move |variable| (format!("{label} {}", variable.name), variable))
    };
    variable_table("VARIABLES", runs.flat_map(row))
}

fn variable_table<'a>(heading: &str, rows: impl Iterator<Item = (String, &'a VariableOutcome)>) -> Table {
    let mut table = Table::new([heading, "value", "changes", "least", "most", "mean"].map(str::to_owned));
    for (name, variable) in rows {
        table.row([
            name,
            variable.value.to_string(),
            variable.changes.to_string(),
            variable.least.to_string(),
            variable.most.to_string(),
            format!("{:.2}", variable.mean),
        ]);
    }
    table
}
