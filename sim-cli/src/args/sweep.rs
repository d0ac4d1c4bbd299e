//! The commands of experiments: running them, joining their parts, running parts of them again.

use std::path::PathBuf;

use clap::Args;

use crate::condition::Condition;
use crate::memory::Memory;
use crate::sweep::on::On;
use crate::sweep::shard::Shard;

pub(super) const SWEEP_EXAMPLES: &str = "\
Examples:
  sim sweep web.experiment.toml                     into web.experiment.results; the same command goes on after a kill
  sim sweep web.experiment.toml --out results --jobs 4
  sim sweep web.experiment.toml --shard 2/8         the second of eight parts, on any machine
  sim merge web.experiment.shard-*-of-8 --out results
  sim sweep web.experiment.toml --on slurm          the same as a job array of Slurm, joined
  sim run results --cell 17 --explain               one of its runs alone

An experiment names a scenario, what varies, how often each variation is run and what is asked of every run; \
docs/experiments.md has all of it.";

pub(super) const MERGE_EXAMPLES: &str = "\
Example:
  sim merge shard-1 shard-2 shard-3 --out results";

pub(super) const REPRODUCE_EXAMPLES: &str = "\
Examples:
  sim reproduce results                 twenty of its runs, spread over all
  sim reproduce results --sample all";

/// `sim sweep`
#[derive(Args, Debug)]
pub struct SweepArgs {
    /// Experiment file, or a folder of its results
    #[arg(value_name = "EXPERIMENT")]
    pub experiment: PathBuf,
    /// The folder for the results: the experiment's name with .results (of a shard: .shard-K-of-N) if not given
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// So many runs at once; one for each core if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
    /// Only part K of N, from 1/N to N/N; `sim merge` joins the parts
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Rename the folder of the shard to this when it is complete; one that is there already stays
    #[arg(long, value_name = "DIR", requires = "shard")]
    pub deliver: Option<PathBuf>,
    /// Let shards be computed there and join them: slurm, with options such as slurm:shards=16,partition=main,time=10:00
    #[arg(long, value_name = "PLACE[:OPTIONS]", conflicts_with_all = ["shard", "jobs"])]
    pub on: Option<On>,
    /// Exit with 1 also if a metric of the experiment is so in any run, such as 'turnaround.p99>100ms'; repeatable
    #[arg(long, value_name = "METRIC>VALUE", value_parser = Condition::parse)]
    pub fail_if: Vec<Condition>,
    /// Print the results as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Print no table and no progress
    #[arg(long, short)]
    pub quiet: bool,
    /// Print all rows of all tables, however many
    #[arg(long)]
    pub full: bool,
    /// Write results only: no pages and no pictures
    #[arg(long)]
    pub no_report: bool,
    /// Memory for what is kept of a run
    #[arg(long, value_name = "SIZE", default_value_t = Memory::default())]
    pub memory: Memory,
}

/// `sim merge`
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// The folders of all shards
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The folder for the results
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print the results as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Print no table
    #[arg(long, short)]
    pub quiet: bool,
    /// Print all rows of all tables, however many
    #[arg(long)]
    pub full: bool,
    /// Write results only: no pages and no pictures
    #[arg(long)]
    pub no_report: bool,
}

/// `sim reproduce`
#[derive(Args, Debug)]
pub struct ReproduceArgs {
    /// A folder of results
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// How many runs, or all of them
    #[arg(long, value_name = "N|all", default_value = "20", value_parser = sample)]
    pub sample: usize,
    /// So many runs at once; one for each core if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
    /// Say nothing about runs that agree
    #[arg(long, short)]
    pub quiet: bool,
    /// Memory for what is kept of a run
    #[arg(long, value_name = "SIZE", default_value_t = Memory::default())]
    pub memory: Memory,
}

fn sample(text: &str) -> Result<usize, String> {
    match (text, text.parse()) {
        ("all", _) => Ok(usize::MAX),
        (_, Ok(count)) if count > 0 => Ok(count),
        _ => Err("write a number of runs above 0, or all".to_owned()),
    }
}
