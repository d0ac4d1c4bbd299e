//! The `sim` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let written: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    if let Some(code) = sim_cli::commands::refuse_planned(&written) {
        return code;
    }
    let cli = sim_cli::args::parse();
    sim_cli::commands::execute(&cli.command)
}
