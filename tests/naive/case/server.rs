//! Servers for fixed priorities.

use std::fmt::Write as _;

use super::Case;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum ServerKind {
    Polling,
    Deferrable,
    Sporadic,
}

/// A server. Times are ticks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct FixedServer {
    pub(crate) kind: ServerKind,
    pub(crate) budget: u64,
    pub(crate) period: u64,
    pub(crate) priority: i64,
}

impl Case {
    pub(super) fn write_servers(&self, toml: &mut String) -> std::fmt::Result {
        for (number, FixedServer { kind, budget, period, priority }) in self.servers.iter().enumerate() {
            let kind = format!("{kind:?}").to_lowercase();
            writeln!(toml, "\n[[server]]\nname = \"s{number}\"\nkind = \"{kind}\"\npriority = {priority}")?;
            writeln!(toml, "budget = \"{budget}ms\"\nperiod = \"{period}ms\"")?;
        }
        Ok(())
    }
}
