//! The commands that hold simulations against the machine: what it costs, how near predictions are, random scenarios.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::PythonArgs;
use crate::generate::CLASSES;

pub(super) const GENERATE_EXAMPLES: &str = "\
Examples:
  sim generate --class mixed-eevdf --seed 7 -o fresh        fresh/mixed-eevdf-7.toml
  sim generate --class locks-fifo --seed 1 -n 6 -o fresh    six of them
  sim compare fresh/locks-fifo-3.toml --runs 10";

pub(super) const CALIBRATE_EXAMPLES: &str = "\
Examples:
  sim calibrate                          a minute; kept in the user's cache, where compare finds it
  sim calibrate -o this-host.toml        written there
  sim compare a.toml --profile this-host.toml";

pub(super) const VALIDATE_EXAMPLES: &str = "\
Examples:
  sim validate configs/validate
  sim validate configs/validate/mixed-fifo --runs 20 --json

The classes are the folders in DIR. DIR/tolerances.toml has a table for each, and one called default: makespan, agreement, \
ratio, inside-band, coverage. Exit code 1: one of them is broken, or a wrong profile would keep to all.";

/// `sim generate`
#[derive(Args, Debug)]
pub struct GenerateArgs {
    /// What the scenarios have in common
    #[arg(long, value_parser = PossibleValuesParser::new(CLASSES.iter().map(|class| PossibleValue::new(class.name).help(class.summary))))]
    pub class: String,
    /// All else is drawn from this number
    #[arg(long, value_name = "N")]
    pub seed: u64,
    /// So many, from this seed on
    #[arg(short = 'n', long = "number", value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub number: u64,
    /// The folder for the files
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `sim calibrate`
#[derive(Args, Debug)]
pub struct CalibrateArgs {
    /// The profile; without it, the one in the user's cache
    #[arg(short, long, value_name = "PROFILE")]
    pub out: Option<PathBuf>,
    /// Take 5 seconds instead of 30: fewer samples
    #[arg(long)]
    pub quick: bool,
    /// The interpreter.
    #[command(flatten)]
    pub python: PythonArgs,
    /// Print nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// `sim validate`
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// The folder of scenarios, in folders by class
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// How often each is run for real; runs that other programs disturb are repeated, up to four times as many in all
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub runs: u32,
    /// The seed of all scenarios, instead of their own
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The profile that predicts: a file, or auto (the one in the user's cache, calibrated quickly if there is none)
    #[arg(long, value_name = "FILE|auto")]
    pub profile: Option<PathBuf>,
    /// The interpreter.
    #[command(flatten)]
    pub python: PythonArgs,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors; the exit code says the rest
    #[arg(long, short)]
    pub quiet: bool,
}
