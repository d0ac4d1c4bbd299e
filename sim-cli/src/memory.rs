//! How much memory a command may take for what it keeps: one budget (`--memory`), from which everything that can grow out
//! of a short file takes its share. A timeline for which there is no room is given up, with a word; what cannot be given
//! up, the tasks themselves, is estimated before the start and refused.

use std::fmt;
use std::str::FromStr;

use sim_core::scenario::Scenario;

/// A budget in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Memory(u64);

/// What one run may take of a budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Bytes of the records of its timeline.
    pub records: u64,
    /// How many tasks there can be.
    pub tasks: u64,
    budget: Memory,
}

/// What a diagram, a picture, causes or findings are made of takes three times as much as the record.
const MADE_OF_RECORDS: u64 = 4;
/// A timeline that nobody sees serves findings only, and is worth less.
const UNSEEN: u64 = 16;
/// What a task takes, in bytes: its state, its sums, its life, its row in the outcome.
const TASK: u64 = 1_000;
/// The units, and how many bytes each is. The first is the one in which amounts are shown.
const UNITS: [(&str, u64); 8] = [
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl Memory {
    /// What a run may take whose timeline is wanted, one of so many that are kept at once.
    #[must_use]
    pub fn for_shown(self, runs: usize) -> Room {
        self.room(self.0 / MADE_OF_RECORDS / runs.max(1) as u64)
    }

    /// What a run may take of which only the numbers and the findings are wanted.
    #[must_use]
    pub fn for_unseen(self) -> Room {
        self.room(self.0 / UNSEEN)
    }

    fn room(self, records: u64) -> Room {
        Room { records, tasks: self.0 / TASK, budget: self }
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory(1_000_000_000)
    }
}

impl Room {
    /// Is there room for the tasks of this scenario? Of those that are spawned nobody knows before.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self, scenario: &Scenario) -> Result<(), String> {
        let tasks = scenario.specs.iter().map(|spec| u64::from(spec.count)).sum();
        if tasks > self.tasks { Err(self.refusal(tasks)) } else { Ok(()) }
    }

    /// Why so many tasks are refused, and what allows them.
    #[must_use]
    pub fn refusal(&self, tasks: u64) -> String {
        let needed = Memory(tasks.saturating_mul(TASK));
        format!(
            "{tasks} tasks take about {needed}, more than the memory budget of {}\nhint: --memory {} allows them",
            self.budget,
            needed.rounded_up()
        )
    }

    /// What to say of a timeline for which there was no room.
    #[must_use]
    pub fn given_up(&self) -> String {
        format!("the timeline is longer than the memory budget of {} allows", self.budget)
    }

    /// Why a run is refused that is worth nothing without its timeline, and what may allow it.
    #[must_use]
    pub fn no_timeline(&self) -> String {
        let (why, more) = (self.given_up(), self.more());
        format!(
            "{why}\nhint: {more}, or a shorter `until`; `sim run` without --check, --timeline, --explain, --plot and --trace gives the numbers"
        )
    }

    /// What may allow it.
    #[must_use]
    pub fn more(&self) -> String {
        format!("--memory {}", Memory(self.budget.0.saturating_mul(4)).rounded_up())
    }
}

impl Memory {
    /// The next amount that is written with one digit.
    fn rounded_up(self) -> Memory {
        let step = 10_u64.pow(self.0.max(1).ilog10());
        Memory(self.0.div_ceil(step).saturating_mul(step))
    }
}

/// `1GB`, `1.5GB`.
impl fmt::Display for Memory {
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bytes) = UNITS[..3].iter().find(|(_, bytes)| self.0 >= *bytes).unwrap_or(&("B", 1));
        let amount = format!("{:.1}", self.0 as f64 / *bytes as f64);
        write!(f, "{}{unit}", amount.strip_suffix(".0").unwrap_or(&amount))
    }
}

impl FromStr for Memory {
    type Err = String;

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
    fn from_str(text: &str) -> Result<Memory, String> {
        let complaint = || "write an amount such as 4GB or 500MB".to_owned();
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = text[digits.len()..].trim();
        let bytes = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(complaint)?.1;
        let amount: f64 = digits.trim().parse().map_err(|_| complaint())?;
        let bytes = amount * bytes as f64;
        if !(1e6..1e18).contains(&bytes) {
            return Err("a budget is at least 1MB".to_owned());
        }
        Ok(Memory(bytes as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        for (text, bytes) in
            [("4GB", 4_000_000_000), ("1.5 gb", 1_500_000_000), ("64MiB", 64 << 20), ("2000000B", 2_000_000)]
        {
            assert_eq!(text.parse(), Ok(Memory(bytes)), "{text}");
        }
        for text in ["", "4", "GB", "-1GB", "4 bananas", "nanGB", "infGB", "1kB", "1e300GB"] {
            assert!(text.parse::<Memory>().is_err(), "{text}");
        }
        assert_eq!(Memory::default().to_string(), "1GB");
        assert_eq!(
            [1_600_000_000, 250_000_000, 999].map(|bytes| Memory(bytes).to_string()),
            ["1.6GB", "250MB", "999B"]
        );
        assert_eq!(Memory(1_600_000_000).rounded_up().to_string(), "2GB");
    }

    #[test]
    fn what_is_refused_is_allowed_by_what_the_refusal_names() {
        let room = Memory::default().for_shown(1);
        let sentence = room.refusal(3_000_000);
        assert_eq!(
            sentence,
            "3000000 tasks take about 3GB, more than the memory budget of 1GB\nhint: --memory 3GB allows them"
        );
        let named: Memory = sentence.split_whitespace().rev().nth(2).unwrap().parse().unwrap();
        assert!(named.for_unseen().tasks >= 3_000_000);
    }
}
