//! Servers in numbers.

use serde::Serialize;

use crate::ids::SpecId;
use crate::metrics::Metrics;
use crate::policy::Server;
use crate::scenario::Scenario;
use crate::time::{Span, Time};

/// One server that is declared in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ServerOutcome {
    /// Its name.
    pub name: String,
    /// How it serves, as files call it.
    pub kind: &'static str,
    /// Processor time in each period.
    pub budget_ns: u64,
    /// How long such a period is.
    pub period_ns: u64,
    /// How long its tasks ran.
    pub running_ns: u64,
    /// Which share that is of what it grants in as long as the run took; null if that was no time.
    pub budget_share: Option<f64>,
    /// How often a task of it was ready while it had nothing left.
    pub waits: u64,
    /// How long tasks waited so, all together.
    pub waited_ns: u64,
}

pub(super) fn servers(scenario: &Scenario, metrics: &Metrics) -> Vec<ServerOutcome> {
    if scenario.servers.is_empty() {
        return Vec::new();
    }
    let server_of = |spec: u32| scenario.specs.get(SpecId(spec))?.attributes.server;
    let outcome = |(number, name): (u32, &String)| {
        let is_it = |spec: u32| server_of(spec).is_some_and(|server| server.number == Some(number));
        // Of one that no task names there is nothing to tell.
        let server = scenario.specs.ids().filter(|spec| is_it(spec.0)).find_map(|spec| server_of(spec.0))?;
        let (mut running, mut waits, mut waited) = (Span::ZERO, 0, Span::ZERO);
        for (id, task) in metrics.tasks.pairs().filter(|(_, task)| is_it(task.spec)) {
            let (times, length) = metrics.depleted.get(&id).copied().unwrap_or_default();
            running += task.running;
            (waits, waited) = (waits + times, waited + length);
        }
        let Server { kind, budget, period, .. } = server;
        let granted = (metrics.end - Time::ZERO).seconds() / period.seconds() * budget.seconds();
        Some(ServerOutcome {
            name: name.clone(),
            kind: kind.word(),
            budget_ns: budget.ns(),
            period_ns: period.ns(),
            running_ns: running.ns(),
            budget_share: (granted > 0.0).then(|| running.seconds() / granted),
            waits,
            waited_ns: waited.ns(),
        })
    };
    (0..).zip(&scenario.servers).filter_map(outcome).collect()
}
