//! The command that writes a scenario to begin with.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::templates::TEMPLATES;

pub(super) const NEW_EXAMPLES: &str = "\
Examples:
  sim new                             scenario.toml: threads on one processor
  sim new shop --kind service         shop.toml
  sim new --kind async -o loop.toml
  sim new -o - | sim run -            to standard output

What is there is not overwritten.";

/// `sim new`
#[derive(Args, Debug)]
pub struct NewArgs {
    /// The name of the scenario, which is written into NAME.toml in this folder
    #[arg(value_name = "NAME", default_value = "scenario", hide_default_value = true)]
    pub name: String,
    /// What it shows
    #[arg(long, default_value = TEMPLATES[0].name, value_parser = PossibleValuesParser::new(TEMPLATES.iter().map(|kind| PossibleValue::new(kind.name).help(kind.summary))))]
    pub kind: String,
    /// The file to write, instead; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
