//! `sim completions` and `sim man`: the command line for shells and for `man`, made of the types that read it.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::{Failure, Verdict};
use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::{files, output};

pub(super) fn completions(args: &CompletionsArgs) -> Result<Verdict, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sim", &mut script);
    output::data(&String::from_utf8_lossy(&script));
    Ok(Verdict::Done)
}

pub(super) fn man(args: &ManArgs) -> Result<Verdict, Failure> {
    let mut cli = Cli::command();
    cli.build();
    match &args.folder {
        None => output::data(&page(&cli)?),
        Some(folder) => write_pages(&cli, folder)?,
    }
    Ok(Verdict::Done)
}

/// Writes the pages of the program and of its commands, and tells where.
fn write_pages(cli: &clap::Command, folder: &Path) -> Result<(), Failure> {
    files::refuse_dash(folder)?;
    fs::create_dir_all(folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    for command in std::iter::once(cli).chain(cli.get_subcommands()) {
        let path = folder.join(format!("{}.1", name(command)));
        files::write(&path, page(command)?.as_bytes())?;
        output::data(&format!("{}\n", path.display()));
    }
    Ok(())
}

/// What `man` calls it: `sim-run`.
fn name(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// The manual page of a command.
fn page(command: &clap::Command) -> Result<String, Failure> {
    let version = format!("sim {}", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    let written = Man::new(command.clone()).source(version).render(&mut page);
    written.map_err(|error| Failure::from(format!("cannot write a manual page: {error}")))?;
    Ok(with_lines_kept(&String::from_utf8_lossy(&page)))
}

/// Lines that are indented, such as examples, stay lines: commands are neither filled nor hyphenated.
fn with_lines_kept(page: &str) -> String {
    let mut kept = false;
    let mut lines = String::new();
    for line in page.lines() {
        if kept != line.starts_with(' ') {
            kept = !kept;
            lines += if kept { ".nf\n" } else { ".fi\n" };
        }
        lines += &format!("{line}\n");
    }
    if kept { lines + ".fi\n" } else { lines }
}
