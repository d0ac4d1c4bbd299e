//! The laws where jobs end at their deadlines, whatever they are at: under every policy of threads.

use sim_core::policy::POLICIES;

use super::{CASES, generator, report, scenario, verdict};

/// Keys of tasks: every job ends at its deadline, or none does.
const JOBS: [&str; 5] = [
    "",
    "period = \"8$\"\njobs = 4\non-miss = \"abort\"\n",
    "period = \"6$\"\ndeadline = \"3$\"\njobs = 5\non-miss = \"abort\"\n",
    "period = \"5$\"\ndeadline = \"13$\"\njobs = 4\non-miss = \"abort\"\n",
    "period = \"20$\"\ndeadline = \"1$\"\njobs = 2\non-miss = \"abort\"\n",
];

#[test]
fn jobs_that_end_at_their_deadlines_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let mut judged = 0;
    for kind in POLICIES {
        for seed in 0..cases {
            let mut draft = match seed % 4 {
                0 => generator::contention(kind, Some("inherit"), seed),
                1 => generator::barging(kind, seed),
                _ => generator::draft(kind, seed),
            };
            let mut next = seed;
            for task in draft.processes.iter_mut().flat_map(|process| &mut process.tasks) {
                next = next.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
                task.more = JOBS[usize::try_from(next >> 33).unwrap_or(0) % JOBS.len()];
            }
            // Tasks that are spawned, or share threads, have no such jobs.
            if scenario(&draft, "us").is_err() {
                continue;
            }
            judged += 1;
            if verdict(&draft).is_err() {
                report(draft);
            }
        }
    }
    assert!(judged > cases, "{judged} are few");
}
