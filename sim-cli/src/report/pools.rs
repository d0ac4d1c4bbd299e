//! The table of pools of threads: how many they had, and what they did not take.

use sim_core::outcome::{Outcome, PoolOutcome};

use crate::table::Table;

/// A column that is there if some pool has something in it.
type Column = (&'static str, fn(&PoolOutcome) -> u64);

/// A table of all pools, where one of them has not always as many threads, or has not room for all; else an empty one.
pub(super) fn table(outcome: &Outcome) -> Table {
    let pools = &outcome.pools;
    let any = |of: fn(&PoolOutcome) -> u64| pools.iter().any(|pool| of(pool) > 0);
    let gone: [Column; 3] = [
        ("rejected", |pool| pool.rejected),
        ("run by callers", |pool| pool.caller_runs),
        ("given up", |pool| pool.given_up),
    ];
    let gone: Vec<_> = gone.into_iter().filter(|(_, of)| any(*of)).collect();
    let headings = ["POOL", "threads made", "most at once", "tasks"].into_iter();
    let mut table = Table::new(headings.chain(gone.iter().map(|(heading, _)| *heading)).map(str::to_owned));
    if gone.is_empty() && !pools.iter().any(|pool| pool.is_limited) {
        return table;
    }
    for pool in pools {
        let most = format!("{} of {}", pool.most_threads, pool.workers);
        let cells = [pool.name.clone(), pool.threads_made.to_string(), most, pool.tasks.to_string()].into_iter();
        table.row(cells.chain(gone.iter().map(|(_, of)| of(pool).to_string())));
    }
    table
}
