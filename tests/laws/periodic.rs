//! The laws with periodic tasks, and with servers of deadlines.

use sim_core::policy::POLICIES;

use super::draft::Arrival;
use super::generator::{self, Dice};
use super::{CASES, report, verdict};

/// What makes a task periodic, with jobs that may be late (without jitter, with which tasks do not arrive when their file says), and gives it a server, which policies that know none leave alone.
const KEYS: &[&str] = &[
    "period = \"6$\"\njobs = 3\n",
    "period = \"3$\"\njobs = 4\ndeadline = \"2$\"\n",
    "period = \"9$\"\njobs = 2\ndeadline = \"14$\"\n",
    "period = \"2$\"\njobs = 5\non-miss = \"skip\"\n",
    "server = { budget = \"1$\", period = \"3$\" }\n",
    "server = { budget = \"2$\", period = \"9$\", hard = true }\n",
    "period = \"6$\"\njobs = 3\nserver = { budget = \"2$\", period = \"6$\", hard = true }\n",
    "period = \"4$\"\njobs = 4\nserver = { budget = \"1$\", period = \"4$\" }\n",
];

#[test]
fn periodic_tasks_and_servers_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let mut periodic = 0;
    for seed in 0..cases * 3 {
        // Every other world is one of deadlines, which alone have servers.
        let edf = POLICIES.iter().position(|kind| kind.name == "edf").filter(|_| seed % 2 == 0);
        let place = edf.unwrap_or(usize::try_from(seed / 2).expect("small") % POLICIES.len());
        let mut draft = generator::draft(POLICIES[place], seed);
        let mut dice = Dice(seed ^ 0xdead);
        for process in &mut draft.processes {
            // Workers that carry one task after the other change servers on the way.
            let changes = !matches!(process.executor.kind, "threads" | "processes");
            for task in &mut process.tasks {
                if task.more.is_empty() && !matches!(task.arrival, Arrival::Spawned) && dice.one_in(2) {
                    let more = dice.pick(KEYS);
                    task.more = if changes && more.contains("server") { "" } else { more };
                    periodic += u64::from(!task.more.is_empty());
                }
            }
        }
        if verdict(&draft).is_err() {
            report(draft);
        }
    }
    assert!(periodic > cases, "{periodic} are few");
}
