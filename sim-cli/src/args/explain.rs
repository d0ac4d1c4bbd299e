//! `sim explain`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::ScenarioArgs;
use crate::memory::Memory;

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  sim explain configs/convoy.toml                      what made it so long, and what would shorten it
  sim explain a.toml --task web/request#3              why that one took so long
  sim explain a.toml --of p99 --task web/request       the request whose turnaround is the p99
  sim explain a.toml --metric turnaround.p99           speed-ups by what they do to the p99
  sim explain a.toml --plot path.png --no-speedups     the critical path over the timeline

Each figure of a speed-up is a run of the scenario with that edit of its file and the same chance; nothing is \
extrapolated. Ctrl-C prints what has been run by then.";

/// The figures whose task can be explained.
pub(super) const OF: [&str; 5] = ["makespan", "p50", "p95", "p99", "max"];

/// `sim explain`
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// Scenario file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Explain why this task took as long as it did, not the makespan: process/task#instance, or as much of it as tells it from
    /// others; of several instances the one that finished last, of a periodic task its longest job
    #[arg(long, value_name = "NAME")]
    pub task: Option<String>,
    /// Explain the makespan, or the task whose turnaround (of periodic tasks, the job whose response) is this percentile or the
    /// longest, among those that --task names
    #[arg(long, value_name = "WHICH", value_parser = PossibleValuesParser::new(OF))]
    pub of: Option<String>,
    /// What speed-ups are judged by: a figure by its path in the outcome, such as turnaround.p99 or device.disk.utilisation. By
    /// default that which is explained
    #[arg(long, value_name = "PATH")]
    pub metric: Option<String>,
    /// How often each is run where chance is drawn, with seeds of which the first is that of the scenario
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub replications: u32,
    /// By how many percent times are made faster
    #[arg(long, value_name = "PERCENT,…", value_delimiter = ',', default_value = "10,25,50,100")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    pub by: Vec<u32>,
    /// Only the critical path
    #[arg(long)]
    pub no_speedups: bool,
    /// Print all links of the path and all speed-ups, however many
    #[arg(long)]
    pub full: bool,
    /// Print the explanation as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Draw the critical path over the timeline; the extension says which kind (.png, .svg). A file of that name is replaced
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Print neither tables nor remarks
    #[arg(long, short)]
    pub quiet: bool,
    /// Memory for what is kept of a run
    #[arg(long, value_name = "SIZE", default_value_t = Memory::default())]
    pub memory: Memory,
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
}
