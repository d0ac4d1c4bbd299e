//! Groups with weights and quotas.

use std::fmt::Write as _;

use super::Case;

/// A group of processes. Times are ticks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Group {
    /// Which group it is in.
    pub(crate) parent: Option<usize>,
    pub(crate) weight: u64,
    pub(crate) quota: Option<u64>,
    pub(crate) period: u64,
    pub(crate) burst: u64,
    pub(crate) phase: u64,
}

impl Case {
    /// The group of a process, the one it is in, and so on.
    pub(crate) fn groups_of(&self, process: usize) -> Vec<usize> {
        std::iter::successors(self.processes[process].group, |group| self.groups[*group].parent).collect()
    }

    pub(super) fn write_groups(&self, toml: &mut String) -> std::fmt::Result {
        for (number, Group { parent, weight, quota, period, burst, phase }) in self.groups.iter().enumerate() {
            writeln!(toml, "\n[[group]]\nname = \"g{number}\"")?;
            if *weight != 100 {
                writeln!(toml, "weight = {weight}")?;
            }
            if let Some(quota) = quota {
                writeln!(toml, "quota = \"{quota}ms\"\nperiod = \"{period}ms\"")?;
                writeln!(toml, "burst = \"{burst}ms\"\nphase = \"{phase}ms\"")?;
            }
            if let Some(parent) = parent {
                writeln!(toml, "parent = \"g{parent}\"")?;
            }
        }
        Ok(())
    }
}
