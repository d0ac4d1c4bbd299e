//! What makes a run exit with 1: the one list of kinds of findings, from which `--fail-on`, its help and its hints follow.

use sim_core::outcome::Outcome;

use crate::reached::Reached;

/// A kind of finding.
#[derive(Debug)]
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub summary: &'static str,
    /// Does it make the exit code unasked?
    pub always: bool,
    /// Is it found in the timeline of a run, not in its numbers?
    in_timeline: bool,
    /// Does the run show it?
    shows: fn(&Outcome) -> bool,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "deadlock",
        summary: "tasks that can never go on",
        always: true,
        in_timeline: false,
        shows: |outcome| outcome.end == "deadlock" || has_finding(outcome, "deadlock"),
    },
    Kind {
        name: "livelock",
        summary: "an instant that never ends",
        always: true,
        in_timeline: false,
        shows: |outcome| outcome.end == "livelock",
    },
    Kind {
        name: "misses",
        summary: "jobs that missed their deadlines",
        always: false,
        in_timeline: false,
        shows: |outcome| outcome.summary.deadline_misses > 0,
    },
    Kind {
        name: "unfinished",
        summary: "tasks with an end that did not come to it",
        always: false,
        in_timeline: false,
        shows: |outcome| Reached::of_outcome(outcome).unfinished > 0,
    },
    Kind {
        name: "starvation",
        summary: "a task that others kept from its turn",
        always: false,
        in_timeline: true,
        shows: |outcome| has_finding(outcome, "starvation"),
    },
    Kind {
        name: "inversion",
        summary: "a less urgent task in the way of a more urgent one",
        always: false,
        in_timeline: true,
        shows: |outcome| has_finding(outcome, "priority-inversion") || has_finding(outcome, "quota-inversion"),
    },
    Kind {
        name: "convoy",
        summary: "tasks that queue for a lock again and again",
        always: false,
        in_timeline: true,
        shows: |outcome| has_finding(outcome, "lock-convoy") || has_finding(outcome, "interpreter-convoy"),
    },
    Kind {
        name: "never-given-back",
        summary: "what a task has for ever that ended itself",
        always: false,
        in_timeline: true,
        shows: |outcome| has_finding(outcome, "never-given-back"),
    },
    Kind {
        name: "stolen-wakeup",
        summary: "who was woken for what was gone again, and did not look",
        always: false,
        in_timeline: true,
        shows: |outcome| has_finding(outcome, "stolen-wakeup"),
    },
    Kind {
        name: "in-vain",
        summary: "work of a pool for which nobody waits any more",
        always: false,
        in_timeline: true,
        shows: |outcome| has_finding(outcome, "in-vain"),
    },
    Kind {
        name: "endless-spin",
        summary: "who spins for ever keeps the holder of the lock from running",
        always: false,
        in_timeline: true,
        shows: |outcome| has_finding(outcome, "endless-spin"),
    },
];

fn has_finding(outcome: &Outcome, kind: &str) -> bool {
    outcome.findings.iter().any(|finding| finding.kind == kind)
}

/// The names of the kinds that the run shows, of those that make the exit code: always, or because they were asked for.
#[must_use]
pub fn found(outcome: &Outcome, asked: &[String]) -> Vec<&'static str> {
    let counts = |kind: &&Kind| kind.always || asked.iter().any(|name| name == kind.name);
    KINDS.iter().filter(counts).filter(|kind| (kind.shows)(outcome)).map(|kind| kind.name).collect()
}

/// Must timelines be looked at to know whether runs show what was asked for?
#[must_use]
pub fn needs_timeline(asked: &[String]) -> bool {
    KINDS.iter().any(|kind| kind.in_timeline && asked.iter().any(|name| name == kind.name))
}

/// All kinds with what they are, for the help.
#[must_use]
pub fn help() -> String {
    let kinds: Vec<String> = KINDS.iter().map(|kind| format!("{} ({})", kind.name, kind.summary)).collect();
    format!("Exit with 1 also if a run shows one of these, separated by commas: {}", kinds.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_a_kind() {
        // What the core finds is told under names of its own.
        for kind in sim_core::findings::KINDS {
            assert!(KINDS.iter().any(|known| kind.ends_with(known.name)), "{kind}");
        }
    }
}
