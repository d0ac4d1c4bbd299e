//! The command that makes a scenario of a foreign file.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use sim_import::KINDS;

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  sim import processes.csv                     the scenario on standard output
  sim import simulation.xml -o scenario.toml && sim run scenario.toml
  sim import - < log.swf | sim run - --no-timeline
  perf sched record -- ./program && perf script > trace.txt
  sim import trace.txt -o scenario.toml --timeline trace.json && sim diff trace.json scenario.toml

The content of a file tells what it is, whatever its name. What it does not say and what a scenario cannot say stand at the head of \
the scenario as comments. docs/import.md has what becomes of each kind.";

/// `sim import`
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The file for the scenario, which is replaced; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What the file is, where its content does not tell it
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(KINDS.iter().map(|kind| PossibleValue::new(kind.name).help(kind.summary))))]
    pub kind: Option<String>,
    /// Of a trace: write what it recorded, as an outcome with its timeline (JSON), to be held against the simulation with sim diff
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// Do not say what was assumed and left out
    #[arg(long, short)]
    pub quiet: bool,
}
