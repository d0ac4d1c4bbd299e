//! Tips for what a command does not take. Clap's own would be to pass it as the name of a file.

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;

/// Keys of the scenario that are tried as options, and how they are set.
const KEYS: &[(&str, &str)] = &[
    ("until", "until=3s"),
    ("title", "title=…"),
    ("policy", "scheduler.policy=fifo"),
    ("scheduler", "scheduler.policy=fifo"),
    ("quantum", "scheduler.quantum=5ms"),
    ("processors", "machine.processors=2"),
    ("cpus", "machine.processors=2"),
    ("executor", "process.NAME.executor=threads"),
    ("workers", "process.NAME.executor.workers=4"),
];

/// Puts a tip into the error, if the command of these arguments was given what it does not take.
pub(super) fn advise(error: &mut clap::Error, arguments: &[String]) {
    let Some(ContextValue::String(found)) = error.get(ContextKind::InvalidArg) else { return };
    if error.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let found = found.clone();
    let command = arguments.get(1).map_or("", String::as_str);
    let tip = match found.strip_prefix("--") {
        Some(option) => of_option(option.split('=').next().unwrap_or_default(), command, error),
        None if found.starts_with('-') => None,
        None => of_word(command),
    };
    match tip {
        Some(tip) => error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()])),
        None => error.remove(ContextKind::Suggested),
    };
}

fn of_option(name: &str, command: &str, error: &mut clap::Error) -> Option<String> {
    let mut cli = Cli::command();
    cli.build();
    let has = |command: &&clap::Command, name: &str| {
        command.get_arguments().any(|argument| argument.get_long() == Some(name))
    };
    let owners: Vec<String> = (cli.get_subcommands())
        .filter(|command| has(command, name))
        .map(|command| format!("`sim {}`", command.get_name()))
        .collect();
    if let Some((last, others)) = owners.split_last() {
        let owners = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
        return Some(format!("'--{name}' is an option of {owners}"));
    }
    if cli.find_subcommand(name).is_some() {
        return Some(format!("`{name}` is a command: sim {name}"));
    }
    let settable = cli.find_subcommand_mut(command).filter(|command| has(&&**command, "set"));
    let example = KEYS.iter().find(|(key, _)| *key == name).map(|(_, example)| *example);
    match (settable, example) {
        (Some(command), Some(example)) => {
            // What looks a little like it is not what was meant.
            error.remove(ContextKind::SuggestedArg);
            error.insert(ContextKind::Usage, ContextValue::StyledStr(command.render_usage()));
            Some(format!("that is a key of the scenario: --set {example}"))
        }
        // What clap takes for a slip of the pen is named in a tip of its own.
        (Some(_), None) if error.get(ContextKind::SuggestedArg).is_none() => {
            Some("keys of the scenario are set with --set, such as --set scheduler.policy=fifo".to_owned())
        }
        _ => None,
    }
}

fn of_word(command: &str) -> Option<String> {
    let tip = match command {
        "measure" => "it takes one scenario; `sim run` and `sim compare` take several",
        "diff" => "it takes two; `sim run` takes several",
        "gallery" => "its folders are given with --configs and --plots",
        _ => return None,
    };
    Some(tip.to_owned())
}
