//! Who went without what, and behind whom: the most frequent first.

use sim_core::outcome::{GoneOutcome, Outcome};
use sim_core::time::Span;

use crate::table::{Table, Unit};

/// So many rows the table has, unless all are wanted.
const ROWS: usize = 10;
/// So many kinds of tasks are named behind which somebody went.
const BEHIND: usize = 2;

/// A row for each kind of task and what it went without; empty if nobody did.
pub(super) fn table(outcome: &Outcome, unit: Unit, full: bool) -> Table {
    let unit = unit.or_finer_for(outcome.gone.iter().map(|gone| Some(gone.mean_after_ns)));
    let title = format!("WENT WITHOUT ({})", unit.name);
    let headings = ["what", "", "times", "after", "behind"].map(str::to_owned);
    let mut table = Table::new(std::iter::once(title).chain(headings));
    let rows = if full { usize::MAX } else { ROWS };
    for gone in outcome.gone.iter().take(rows) {
        table.row([
            gone.task.clone(),
            gone.what.clone(),
            if gone.rejected { "rejected" } else { "gave up" }.to_owned(),
            gone.times.to_string(),
            unit.show_mean(Some(gone.mean_after_ns)),
            behind(gone).unwrap_or_else(|| "–".to_owned()),
        ]);
    }
    if outcome.gone.len() > rows {
        table.row([format!("… and {} more", outcome.gone.len() - rows)]);
    }
    table
}

/// Behind whom: `low`, `low 3×, mid 2×`; nobody where nobody is known.
fn behind(gone: &GoneOutcome) -> Option<String> {
    if let [(only, _)] = &gone.behind[..] {
        return Some(only.clone());
    }
    let told = gone.behind.iter().take(BEHIND).map(|(kind, times)| format!("{kind} {times}×"));
    let more = gone.behind.len().saturating_sub(BEHIND);
    let told: Vec<String> = told.chain((more > 0).then(|| format!("{more} more"))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// One sentence: `request gave up waiting for pool p.slow after 15 ms (3 times), behind request.slow.`
#[must_use]
pub fn sentence(gone: &GoneOutcome) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of times")]
    let after = Span::from_ns(gone.mean_after_ns.round() as u64);
    let (task, what) = (&gone.task, &gone.what);
    let did = match (gone.rejected, after.is_zero()) {
        (true, _) => format!("was turned away by {what}"),
        (false, true) => format!("tried {what} in vain"),
        (false, false) => format!("gave up waiting for {what} after {}", after.readable()),
    };
    let times = if gone.times == 1 { "once".to_owned() } else { format!("{} times", gone.times) };
    let behind = behind(gone).map_or_else(String::new, |behind| format!(", behind {behind}"));
    format!("{task} {did} ({times}){behind}.")
}
