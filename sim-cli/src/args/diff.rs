//! `sim diff`: two outcomes or scenarios against each other.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use sim_core::time::Span;

use super::{ScenarioArgs, path_and_value};
use crate::memory::Memory;

pub(super) const EXAMPLES: &str = "\
Examples:
  sim diff a.toml b.toml                                          two scenarios, simulated
  sim diff a.toml --set-b scheduler.policy=srtf --plot both.png   one in two ways
  sim run a.toml --json --timeline > before.json                  today …
  sim diff before.json a.toml --tolerance 1%                      … and tomorrow: is it the same?
  sim measure a.toml --runs 10 --json --timeline | sim diff a.toml -
  sim diff comparison.json                     what `sim compare --json` simulated and measured

Several --tolerance: broken is what exceeds all of them, so --tolerance 5% --tolerance 1ms passes over 5 % of little. \
It is held against the makespan and against the mean latency of each kind of task.";

/// `sim diff`
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// A scenario, which is simulated, or an outcome that --json wrote; - is standard input
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// What it is held against, likewise; without it the same file, with --set-b, or with another of the outcomes in it
    #[arg(value_name = "B")]
    pub b: Option<PathBuf>,
    /// Override a value in A alone, as --set does in both; repeatable
    #[arg(long, value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub set_a: Vec<(String, String)>,
    /// Override a value in B alone; repeatable
    #[arg(long, value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub set_b: Vec<(String, String)>,
    /// Which of several outcomes in A: simulated, predicted, measured, or the label or number of a variation
    #[arg(long, value_name = "NAME")]
    pub pick_a: Option<String>,
    /// Which of several outcomes in B
    #[arg(long, value_name = "NAME")]
    pub pick_b: Option<String>,
    /// Exit with 1 if B is off by more: a share (5%, 0.05) or a time (2ms); repeatable
    #[arg(long, value_name = "SHARE|TIME", allow_negative_numbers = true)]
    pub tolerance: Vec<Tolerance>,
    /// The scenarios.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Print the differences as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Draw both on one axis, and between them where they run the same tasks (.png, .svg). A file of that name is replaced
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Print no tables and no remarks
    #[arg(long, short)]
    pub quiet: bool,
    /// Print all rows of all tables, however many
    #[arg(long)]
    pub full: bool,
    /// Print the tables without the timelines
    #[arg(long)]
    pub no_timeline: bool,
    /// Memory for what is kept of the runs; a timeline for which there is no room is given up
    #[arg(long, value_name = "SIZE", default_value_t = Memory::default())]
    pub memory: Memory,
}

/// How far two figures may be apart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Tolerance {
    /// As a share of the first.
    Share(f64),
    /// As a length of time.
    Time(Span),
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Tolerance, String> {
        let complaint = || "write a share such as 5% or 0.05, or a time such as 2ms".to_owned();
        let share = |text: &str, scale: f64| {
            let share: f64 = text.trim().parse().ok()?;
            Some(share / scale).filter(|share| share.is_finite() && *share >= 0.0).map(Tolerance::Share)
        };
        if let Some(percent) = text.strip_suffix('%') {
            return share(percent, 100.0).ok_or_else(complaint);
        }
        // Who writes 5 means 5 %, and would let everything pass.
        if text.trim().parse::<f64>().is_ok_and(|share| share > 1.0) {
            return Err(format!(
                "a share without a sign is a part of one: write {}%, or a time such as {}ms",
                text.trim(),
                text.trim()
            ));
        }
        share(text, 1.0).or_else(|| Span::parse(text).ok().map(Tolerance::Time)).ok_or_else(complaint)
    }
}

/// `5 %`, `2 ms`.
impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tolerance::Share(share) => {
                let percent = format!("{:.3}", share * 100.0);
                write!(f, "{} %", percent.trim_end_matches('0').trim_end_matches('.'))
            }
            Tolerance::Time(span) => f.write_str(&span.readable()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_shares_or_times() {
        let read = |text: &str| text.parse::<Tolerance>().map(|tolerance| tolerance.to_string());
        for (text, expected) in
            [("5%", "5 %"), ("0.05", "5 %"), ("0", "0 %"), ("12.5 %", "12.5 %"), ("2ms", "2 ms"), ("1.5us", "1.5 µs")]
        {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "%", "-5%", "5 bananas", "nan", "-2ms", "inf"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
