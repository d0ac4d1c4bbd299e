//! The commands for those who install the program: completions and manual pages.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  sim completions bash > ~/.local/share/bash-completion/completions/sim
  sim completions zsh > ~/.zfunc/_sim                                      a folder in fpath, before compinit
  sim completions fish > ~/.config/fish/completions/sim.fish";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  sim man | man -l -                  the page of sim, at once
  sim man ~/.local/share/man/man1     sim.1, sim-run.1, …: then `man sim-run`";

/// `sim completions`
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell that is to complete commands, options and their values
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `sim man`
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The folder for the pages of sim and of each of its commands, made if it is not there; without it the page of sim is printed
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}
