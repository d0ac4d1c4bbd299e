//! The `sim` program.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = sim_cli::args::Cli::parse();
    sim_cli::commands::execute(&cli.command)
}
