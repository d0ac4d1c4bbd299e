//! The laws with groups that have quotas, and weights where the policy goes by them.

use sim_core::policy::POLICIES;

use super::generator::{self, Dice};
use super::{CASES, report, verdict};

/// Quotas make threads late, and nothing else.
#[test]
fn groups_with_quotas_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for seed in 0..cases * 4 {
        let mut draft = generator::draft(POLICIES[usize::try_from(seed).expect("small") % POLICIES.len()], seed);
        let mut dice = Dice(seed);
        for _ in 0..dice.range(1, 3) {
            let period = dice.range(2, 20);
            let slice = if dice.one_in(3) { dice.range(1, 4) } else { 0 };
            let (quota, burst) = (dice.range(1, period), dice.pick(&[0, 0, 2, 10]));
            draft.groups.push([quota, period, burst, slice, dice.range(1, 300)]);
        }
        if draft.processes.len() == 1 {
            // It would be in none.
            draft.processes[0].count = 2;
            draft.processes.insert(0, draft.processes[0].clone());
        }
        if draft.parameters.iter().any(|(name, _)| *name == "tick") {
            // Were a switch as long as the ticks by which groups take turns, nobody would ever run.
            draft.costs.clear();
        }
        if dice.one_in(4) {
            draft.costs.push(("tick", dice.range(1, 6)));
        }
        if verdict(&draft).is_err() {
            report(draft);
        }
    }
}
