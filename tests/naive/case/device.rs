//! The devices of a small world.

use std::fmt::Write as _;

use super::Case;

/// Who is served next.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Discipline {
    Fifo,
    Lifo,
    Priority,
    Shortest,
    FairShare,
    Sstf,
    Scan { up: bool },
    CircularScan,
    Look { up: bool },
    CircularLook,
    Deadline { expire: u64, batch: u32 },
}

/// Tracks, and what it costs to cross them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Disk {
    pub(crate) tracks: u32,
    pub(crate) start: u32,
    pub(crate) per_track: u64,
    pub(crate) settle: u64,
}

impl Discipline {
    /// Every discipline, in every variant that matters to a small world.
    pub(crate) fn all() -> [Discipline; 15] {
        [
            Discipline::Fifo,
            Discipline::Lifo,
            Discipline::Priority,
            Discipline::Shortest,
            Discipline::FairShare,
            Discipline::Sstf,
            Discipline::Scan { up: true },
            Discipline::Scan { up: false },
            Discipline::CircularScan,
            Discipline::Look { up: true },
            Discipline::Look { up: false },
            Discipline::CircularLook,
            Discipline::Deadline { expire: 5, batch: 1 },
            Discipline::Deadline { expire: 9, batch: 2 },
            Discipline::Deadline { expire: 0, batch: 3 },
        ]
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Discipline::Fifo => "fifo",
            Discipline::Lifo => "lifo",
            Discipline::Priority => "priority",
            Discipline::Shortest => "shortest",
            Discipline::FairShare => "fair-share",
            Discipline::Sstf => "sstf",
            Discipline::Scan { .. } => "scan",
            Discipline::CircularScan => "c-scan",
            Discipline::Look { .. } => "look",
            Discipline::CircularLook => "c-look",
            Discipline::Deadline { .. } => "deadline",
        }
    }

    /// Does it go by the tracks of requests?
    pub(crate) fn is_positioned(self) -> bool {
        !matches!(
            self,
            Discipline::Fifo | Discipline::Lifo | Discipline::Priority | Discipline::Shortest | Discipline::FairShare
        )
    }
}

impl Case {
    pub(super) fn write_discipline(&self, toml: &mut String) -> std::fmt::Result {
        writeln!(toml, "discipline = \"{}\"", self.discipline.name())?;
        match self.discipline {
            Discipline::Scan { up } | Discipline::Look { up } => {
                writeln!(toml, "direction = \"{}\"", if up { "up" } else { "down" })?;
            }
            Discipline::Deadline { expire, batch } => writeln!(toml, "expire = \"{expire}ms\"\nbatch = {batch}")?,
            _ => {}
        }
        if let Some(Disk { tracks, start, per_track, settle }) = self.disk {
            writeln!(toml, "[device.seek]\ntracks = {tracks}\nstart = {start}")?;
            writeln!(toml, "per-track = \"{per_track}ms\"\nsettle = \"{settle}ms\"")?;
        }
        Ok(())
    }
}
