//! The laws with costs that have names.

use sim_core::distribution::Distribution;
use sim_core::policy::{POLICIES, Queueing};
use sim_core::scenario::Scenario;
use sim_core::time::Span;

use super::{CASES, generator, report, verdict};

/// May a processor be idle while somebody is ready? One with a queue of its own takes somebody from others when its rules
/// say so, and the first threads may have to be started.
pub(super) fn may_idle(scenario: &Scenario) -> bool {
    let free = Distribution::Constant(Span::ZERO);
    let starts = scenario.machine.costs.as_ref().is_some_and(|costs| costs.start != free || costs.stagger != free);
    let limited = scenario.groups.iter().any(|group| group.quota.is_some());
    // A pool need not have as many threads as it may have.
    let grows = scenario.processes.iter().any(|process| process.executor.limits.is_some());
    starts || limited || grows || scenario.scheduler.settings.queueing() != Queueing::Together
}

/// What switches cost by what was before them makes threads late, and nothing else.
#[test]
fn costs_with_names_keep_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let keys = ["wake", "block", "exit", "local-wake", "remote-wake", "start", "stagger", "operation"];
    let mut costly = 0;
    for seed in 0..cases * 4 {
        let mut draft = generator::draft(POLICIES[usize::try_from(seed).expect("small") % POLICIES.len()], seed);
        let has = |place: usize| seed >> place & 1 == 1;
        let keys = keys.iter().enumerate().filter(|(place, _)| has(*place));
        draft.costs.extend(keys.map(|(place, key)| (*key, (seed + place as u64) % 4)));
        costly += u64::from(!draft.costs.is_empty());
        if verdict(&draft).is_err() {
            report(draft);
        }
    }
    assert!(costly > cases * 3, "{costly} of {} have costs", cases * 4);
}
