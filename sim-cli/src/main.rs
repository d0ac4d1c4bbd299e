//! The `sim` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = sim_cli::args::parse();
    sim_cli::commands::execute(&cli.command)
}
