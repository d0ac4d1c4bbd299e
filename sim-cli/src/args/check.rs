//! The command that validates scenarios, and marks what comes out of them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ScenarioArgs;
use crate::condition::Condition;

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  sim check configs/*.toml
  sim check homework.toml --expect makespan=300ms --expect 'task.A.finish=20ms' --expect 'utilisation>=80%'
  sim check a.toml --format json                  for an editor: every mistake with its place
  sim list metrics                                what can be expected

Whole figures are compared exactly; means and shares are equal to a decimal fraction to which they round. \
Exit code 1: one is not as expected.";

/// `sim check`
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Scenario files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Simulate, and say whether a figure is so: METRIC, one of = != < <= > >=, and a value; repeatable
    #[arg(long, value_name = "METRIC=VALUE", value_parser = Condition::parse)]
    pub expect: Vec<Condition>,
    /// How to say what is wrong: json is a list on standard output of all mistakes and remarks, each with its place
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = CheckFormat::Text, conflicts_with = "expect")]
    pub format: CheckFormat,
    /// Say nothing about valid files
    #[arg(long, short)]
    pub quiet: bool,
}

/// For whom `sim check` says what is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Text,
    /// For editors.
    Json,
}
