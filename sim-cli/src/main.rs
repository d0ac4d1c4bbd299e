//! The `sim` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = std::env::args().nth(1).and_then(|command| sim_cli::commands::refuse_planned(&command)) {
        return code;
    }
    let cli = sim_cli::args::parse();
    sim_cli::commands::execute(&cli.command)
}
