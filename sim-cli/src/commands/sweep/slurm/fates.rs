//! What becomes of each shard that is not there yet, from what Slurm says of our arrays. Slurm is believed in one thing only:
//! that it still has a task. That it has none, or says that it ended well, proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Array;
use super::texts::Row;

/// What Slurm has of a shard, the best of it if it is there more than once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fate {
    /// It was never submitted.
    New,
    /// Slurm has no task of it any more; the last that was said of it, if anything was.
    Gone(String),
    /// It waits for ever, for this reason.
    Stuck(String),
    /// It waits, for this reason.
    Waits(String),
    /// It runs.
    Runs,
}

/// Why a task waits that nobody but a person can release.
const HELD: [&str; 6] =
    ["JobHeldUser", "JobHeldAdmin", "SPECIAL_EXIT", "REQUEUE_HOLD", "launch failed requeued held", "SpecialExit"];

/// Why a task waits that will never run.
const NEVER: [&str; 7] = [
    "DependencyNeverSatisfied",
    "PartitionConfig",
    "PartitionNodeLimit",
    "PartitionTimeLimit",
    "BadConstraints",
    "InvalidAccount",
    "InvalidQOS",
];

/// Could a person release what waits for this reason?
pub(super) fn is_held(reason: &str) -> bool {
    HELD.contains(&reason)
}

/// States of tasks that have ended; all others are alive.
const ENDED: [&str; 10] = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
];

fn fate(row: &Row) -> Fate {
    let state = row.state.as_str();
    match state {
        ended if ENDED.contains(&ended) => Fate::Gone(ended.to_owned()),
        held if HELD.contains(&held) => Fate::Stuck(held.to_owned()),
        "PENDING" if is_held(&row.reason) || NEVER.contains(&row.reason.as_str()) => Fate::Stuck(row.reason.clone()),
        "PENDING" | "REQUEUED" | "REQUEUE_FED" | "SUSPENDED" => Fate::Waits(row.reason.clone()),
        _ => Fate::Runs,
    }
}

/// What becomes of each of these shards. Rows of other jobs, to whom an id of ours may have been given again, say nothing.
pub(super) fn of(missing: &BTreeSet<u32>, arrays: &[Array], rows: &[Row]) -> BTreeMap<u32, Fate> {
    let mut fates: BTreeMap<u32, Fate> = missing.iter().map(|shard| (*shard, Fate::New)).collect();
    let mut better = |shard: u32, fate: Fate| {
        if let Some(known) = fates.get_mut(&shard)
            && *known < fate
        {
            *known = fate;
        }
    };
    for array in arrays {
        array.shards.iter().for_each(|shard| better(*shard, Fate::Gone(String::new())));
        let own: Vec<&Row> = rows.iter().filter(|row| row.name == array.name).collect();
        let single: BTreeSet<u32> = own.iter().flat_map(|row| row.indices.iter().copied()).collect();
        for row in &own {
            let rest = || array.shards.iter().copied().filter(|shard| !single.contains(shard)).collect();
            let indices: Vec<u32> = if row.indices.is_empty() { rest() } else { row.indices.clone() };
            indices.into_iter().for_each(|shard| better(shard, fate(row)));
        }
    }
    fates
}

/// Is any task of our arrays alive?
pub(super) fn is_any_alive(arrays: &[Array], rows: &[Row]) -> bool {
    let is_ours = |row: &Row| arrays.iter().any(|array| array.name == row.name);
    rows.iter().any(|row| is_ours(row) && !matches!(fate(row), Fate::Gone(_)))
}

/// How the work stands: `3 of 8 shards are complete; 2 run, 3 wait: Resources`.
pub(super) fn told(fates: &BTreeMap<u32, Fate>, of: u32) -> String {
    let complete = of as usize - fates.len().min(of as usize);
    let be = if complete == 1 { "is" } else { "are" };
    let mut parts = Vec::new();
    let count = |is: &dyn Fn(&Fate) -> bool| fates.values().filter(|fate| is(fate)).count();
    let plural = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let running = count(&|fate| *fate == Fate::Runs);
    if running > 0 {
        parts.push(plural(running, "runs", "run"));
    }
    let waiting = count(&|fate| matches!(fate, Fate::Waits(_)));
    if waiting > 0 {
        parts.push(plural(waiting, "waits", "wait") + &reasons(fates, |fate| matches!(fate, Fate::Waits(_))));
    }
    let stuck = count(&|fate| matches!(fate, Fate::Stuck(_)));
    if stuck > 0 {
        parts.push(
            plural(stuck, "waits for ever", "wait for ever") + &reasons(fates, |fate| matches!(fate, Fate::Stuck(_))),
        );
    }
    let gone = count(&|fate| matches!(fate, Fate::Gone(_)));
    if gone > 0 {
        parts.push(plural(gone, "is gone", "are gone") + &reasons(fates, |fate| matches!(fate, Fate::Gone(_))));
    }
    let rest = if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) };
    format!("{complete} of {of} shards {be} complete{rest}")
}

/// The reasons of some, each once: `: Resources, Priority`.
fn reasons(fates: &BTreeMap<u32, Fate>, is: impl Fn(&Fate) -> bool) -> String {
    let reason = |fate: &Fate| match fate {
        Fate::Waits(reason) | Fate::Stuck(reason) | Fate::Gone(reason) => reason.clone(),
        Fate::New | Fate::Runs => String::new(),
    };
    let all: BTreeSet<String> = fates.values().filter(|fate| is(fate)).map(reason).collect();
    let said: Vec<String> = all.into_iter().filter(|reason| !reason.is_empty() && reason != "None").collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::super::texts::rows;
    use super::*;

    fn arrays() -> Vec<Array> {
        let array = |count, shards: &[u32]| Array {
            name: format!("sim-ab-{count}"),
            id: Some(count),
            shards: shards.iter().copied().collect(),
        };
        vec![array(1, &[1, 2, 3]), array(2, &[3])]
    }

    fn fates_of(text: &str) -> Vec<Fate> {
        of(&[1, 2, 3, 4].into(), &arrays(), &rows(text)).into_values().collect()
    }

    #[test]
    fn absence_is_no_end_and_presence_is_ours_by_name() {
        let gone = |state: &str| Fate::Gone(state.to_owned());
        assert_eq!(fates_of(""), [gone(""), gone(""), gone(""), Fate::New]);
        // An id that was given to somebody else.
        assert_eq!(fates_of("1|1|other|RUNNING|None")[0], gone(""));
        // Twice there: what is alive counts.
        assert_eq!(fates_of("1|3|sim-ab-1|NODE_FAIL|NodeDown\n2|3|sim-ab-2|RUNNING|None")[2], Fate::Runs);
        assert_eq!(fates_of("2|3|sim-ab-2|RUNNING|None\n1|3|sim-ab-1|NODE_FAIL|NodeDown")[2], Fate::Runs);
        // Slurm says that it ended well, and nothing is there.
        assert_eq!(fates_of("1|1|sim-ab-1|COMPLETED|None")[0], gone("COMPLETED"));
        // The rest of an array in one row without indices.
        let rest = fates_of("1|N/A|sim-ab-1|CANCELLED|None\n1|1|sim-ab-1|COMPLETING|None");
        assert_eq!(rest, [Fate::Runs, gone("CANCELLED"), gone("CANCELLED"), Fate::New]);
        assert!(is_any_alive(&arrays(), &rows("1|1|sim-ab-1|PENDING|Resources")));
        assert!(!is_any_alive(&arrays(), &rows("1|1|sim-ab-1|FAILED|None\n1|2|other|RUNNING|None")));
    }

    #[test]
    fn what_waits_for_ever_is_told_from_what_waits() {
        for reason in ["DependencyNeverSatisfied", "PartitionConfig", "JobHeldUser"] {
            assert_eq!(fates_of(&format!("1|1|sim-ab-1|PENDING|{reason}"))[0], Fate::Stuck(reason.to_owned()));
        }
        assert_eq!(fates_of("1|1|sim-ab-1|SPECIAL_EXIT|None")[0], Fate::Stuck("SPECIAL_EXIT".to_owned()));
        for reason in ["Resources", "Priority", "BeginTime", "JobArrayTaskLimit", "None"] {
            assert_eq!(fates_of(&format!("1|1|sim-ab-1|PENDING|{reason}"))[0], Fate::Waits(reason.to_owned()));
        }
    }

    #[test]
    fn the_work_is_told_in_a_line() {
        let text = "1|1|sim-ab-1|RUNNING|None\n1|2|sim-ab-1|PENDING|Resources\n1|3|sim-ab-1|PENDING|BeginTime";
        let fates = of(&[1, 2, 3].into(), &arrays(), &rows(text));
        assert_eq!(told(&fates, 8), "5 of 8 shards are complete; 1 runs, 2 wait: BeginTime, Resources");
        assert_eq!(told(&BTreeMap::new(), 8), "8 of 8 shards are complete");
        let held = of(&[1].into(), &arrays(), &rows("1|1|sim-ab-1|PENDING|JobHeldUser"));
        assert_eq!(told(&held, 2), "1 of 2 shards is complete; 1 waits for ever: JobHeldUser");
    }
}
