//! The command that writes a scenario as a program.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::ScenarioArgs;
use crate::program::LANGUAGES;

pub(super) const EXPORT_EXAMPLES: &str = "\
Examples:
  sim export configs/io-bound-threads.toml --to python
  sim export configs/io-bound-threads.toml --to python -o crawler.py
  python3 crawler.py                  when each task started and ended: compare with sim run
  sim export configs/io-bound-threads.toml --to python --set process.crawler.executor=async
  sim export configs/io-bound-threads.toml --to rust -o crawler.rs && rustc -O crawler.rs && ./crawler

The program says at its head what the scenario has and it has not: policies, priorities, the number of processors. What \
would make it another program (periodic tasks, what processes would share, executors that the language does not have) is refused by name.";

/// `sim export`
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Scenario file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The language of the program
    #[arg(long, value_name = "LANGUAGE", value_parser = PossibleValuesParser::new(LANGUAGES.iter().map(|language| PossibleValue::new(language.name).help(language.summary))))]
    pub to: String,
    /// The file for the program, which is replaced; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
}
