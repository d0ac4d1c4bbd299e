//! The command line: its types and its help texts, nothing else.

mod advice;
mod check;
mod diff;
mod explain;
mod export;
mod import;
mod machine;
mod new;
mod shell;
mod sweep;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand};

use sim_core::range;
use sim_core::scenario::interpreter_of_version;
use sim_core::time::Span;
use sim_real::{Dispatcher, Options, Rung};

use self::check::CHECK_EXAMPLES;
pub use self::check::{CheckArgs, CheckFormat};
pub use self::diff::{DiffArgs, Tolerance};
use self::explain::EXPLAIN_EXAMPLES;
pub use self::explain::ExplainArgs;
use self::export::EXPORT_EXAMPLES;
pub use self::export::ExportArgs;
use self::import::IMPORT_EXAMPLES;
pub use self::import::ImportArgs;
use self::machine::{CALIBRATE_EXAMPLES, GENERATE_EXAMPLES, VALIDATE_EXAMPLES};
pub use self::machine::{CalibrateArgs, GenerateArgs, ValidateArgs};
use self::new::NEW_EXAMPLES;
pub use self::new::NewArgs;
use self::shell::{COMPLETIONS_EXAMPLES, MAN_EXAMPLES};
pub use self::shell::{CompletionsArgs, ManArgs};
use self::sweep::{MERGE_EXAMPLES, REPRODUCE_EXAMPLES, SWEEP_EXAMPLES};
pub use self::sweep::{MergeArgs, ReproduceArgs, SweepArgs};
use crate::condition::Condition;
use crate::fail_on;
use crate::memory::Memory;

/// Simulate CPU scheduling and concurrency, run the same scenario for real, and compare the two.
#[derive(Debug, Parser)]
#[command(name = "sim", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  sim run configs/convoy.toml                                    a table and a timeline
  sim run configs/convoy.toml --vary machine.processors=1,2,4    a row for each
  sim run configs/convoy.toml --set scheduler.policy=srtf --plot convoy.png
  sim compare configs/io-bound-async.toml                        simulated against measured
  sim list policies

Exit codes:
  0    done
  1    a deadlock, a livelock, a difference above --tolerance, a
       machine too busy to measure on, what --fail-on names, such
       as misses or starvation, a figure that --fail-if names, or
       one that is not as --expect says
  2    misuse or invalid input
  130  interrupted (Ctrl-C); what there was by then is printed";

/// What `sim` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate scenarios: a table and a timeline
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Run a scenario for real on this machine
    #[command(after_help = MEASURE_EXAMPLES)]
    Measure(MeasureArgs),
    /// Simulate, run for real, and say how far the two are apart
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(CompareArgs),
    /// Hold two outcomes or scenarios against each other: what differs, from when on, and by how much
    #[command(after_help = diff::EXAMPLES)]
    Diff(DiffArgs),
    /// A what-if experiment: variations times replications, with intervals
    #[command(after_help = SWEEP_EXAMPLES)]
    Sweep(SweepArgs),
    /// Join the shards of an experiment
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
    /// Run some runs of an experiment again: does the same come out?
    #[command(after_help = REPRODUCE_EXAMPLES)]
    Reproduce(ReproduceArgs),
    /// Why exactly: the critical path, and what would make it shorter
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Write a scenario as a short program, to show, run and change
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Make a scenario of a file of another tool
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Write a scenario to begin with, with comments
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArgs),
    /// Validate scenarios; with --expect, simulate them and mark the figures
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// What there is: policies, executors, rules, disciplines, distributions, metrics, exporters
    #[command(
        after_help = "Examples:\n  sim list policies\n  sim list mlfq cfs       their parameters, with values and defaults"
    )]
    List(ListArgs),
    /// Draw every scenario of a folder again, one picture each
    #[command(after_help = "Example:\n  sim gallery            draws every scenario in configs/ into plots/")]
    Gallery(GalleryArgs),
    /// Write random scenarios of a class, to hold simulations against the machine
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(GenerateArgs),
    /// Measure what this machine costs, for predictions
    #[command(after_help = CALIBRATE_EXAMPLES)]
    Calibrate(CalibrateArgs),
    /// Hold every scenario of a folder against the machine, class by class
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Print what makes a shell complete commands and options
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  sim run configs/cpu-bound-threads.toml
  sim run a.toml b.toml --quiet --json
  sim run a.toml --set machine.processors=4 --set process.crawler.executor=threads
  sim run a.toml --vary scheduler.quantum=1ms,10ms --vary machine.processors=1,2   one row for each combination
  sim run a.toml --vary scheduler.policy=fifo,srtf --replications 30               is it chance?
  sim run a.toml --explain                        why were the slow ones slow?
  sim run a.toml --log --from 10ms --to 20ms      who ran when, and why: every decision in words
  sim run a.toml --plot a.svg --trace a.json      the trace opens in Perfetto (ui.perfetto.dev)";

const MEASURE_EXAMPLES: &str = "\
Examples:
  sim measure configs/io-bound-threads.toml
  sim measure configs/io-bound-threads.toml --runs 5 --json
  sim measure configs/io-bound-threads.toml --runs 10 --vary process.crawler.executor=threads,async

With --vary the variations take turns (a b c a b c …), so that what disturbs \
the machine for a while falls on all. \
Ctrl-C ends the run that is on and prints the runs done; a second one ends at once. Exit code: 130.";

const COMPARE_EXAMPLES: &str = "\
Examples:
  sim compare configs/io-bound-async.toml
  sim compare configs/cpu-bound-processes.toml --runs 20 --plot both.svg
  sim compare configs/python/*.toml               one after the other
  sim compare a.toml --tolerance 0.05 --json      exits with 1 if makespan or latency is off by more than 5 %

Without --plot, --json and --quiet the picture is NAME.compare.png in this folder, after the file NAME.toml.";

/// Options that change the scenario before anything is done with it.
#[derive(Args, Clone, Debug, Default)]
pub struct ScenarioArgs {
    /// Override a value: a dotted path, lists by name (process.crawler.executor=threads); the name of the executor that a
    /// file has as a table keeps the table; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub sets: Vec<(String, String)>,
    /// Override the seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

/// Options that choose what comes out.
#[derive(Args, Clone, Debug, Default)]
pub struct OutputArgs {
    /// Print the outcome as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Include the timeline: in JSON as a list, in text at full height
    #[arg(long)]
    pub timeline: bool,
    /// Say where the time of every task went and behind whom: in words, in JSON, and as bars with --plot
    #[arg(long)]
    pub explain: bool,
    /// Draw a picture; the extension says which kind: .png, .svg, or .html, a page that zooms and tells causes. A file of that name
    /// is replaced
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Of pictures and of the log, only what happens from this time on
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub from: Option<Span>,
    /// Of pictures and of the log, only what happens up to this time
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub to: Option<Span>,
    /// Write a trace; the end of its name says which kind: .pftrace is Perfetto's own format (ui.perfetto.dev), .json that of Chrome;
    /// .tasks.csv, .jobs.csv, .intervals.csv and .waits.csv are tables (`sim list exporters` names all). A file of that name is
    /// replaced; several may be written. `sim compare` writes those of the prediction and the measurement beside it:
    /// FILE-predicted, FILE-measured; or, if it ends in .zip, all into one archive, which Perfetto shows as machines on one axis
    #[arg(long = "trace", value_name = "FILE")]
    pub traces: Vec<PathBuf>,
    /// Print no table, no timeline and no remarks
    #[arg(long, short)]
    pub quiet: bool,
    /// Print all rows of all tables, however many
    #[arg(long)]
    pub full: bool,
    /// Print the tables without the timeline
    #[arg(long, conflicts_with = "timeline")]
    pub no_timeline: bool,
    /// Memory for what is kept of a run; a timeline for which there is no room is given up
    #[arg(long, value_name = "SIZE", default_value_t = Memory::default())]
    pub memory: Memory,
    /// Kinds of findings that make the exit code 1, beside those that always do.
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', help = fail_on::help(), hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(fail_on::KINDS.iter().map(|kind| kind.name)))]
    pub fail_on: Vec<String>,
    /// Exit with 1 also if a figure of a run is so, such as 'p99>100ms' or 'misses>0'; repeatable. `sim list metrics` has all
    #[arg(long, value_name = "METRIC>VALUE", value_parser = Condition::parse)]
    pub fail_if: Vec<Condition>,
}

/// `sim run`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Scenario files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run every combination of these values with the same seed, one row each; 1..30 is a range, 1ms..1s:log4 four values between;
    /// repeatable. Many values with many seeds, chosen metrics, charts, results that are kept: sim sweep
    #[arg(long = "vary", value_name = "PATH=VALUE,VALUE…", value_parser = path_and_values)]
    pub varies: Vec<(String, Vec<String>)>,
    /// Run each with so many seeds, the same for all: means with intervals of 95 %, and with --vary their differences from the
    /// first, seed by seed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    #[arg(conflicts_with_all = ["timeline", "explain", "plot", "traces"])]
    pub replications: Option<u32>,
    /// Check every decision of the policy and the laws of the timeline
    #[arg(long)]
    pub check: bool,
    /// Print every decision in words instead of tables, a line each, with what the policy says to it
    #[arg(long, conflicts_with_all = ["json", "jsonl", "explain", "timeline", "replications", "quiet"])]
    pub log: bool,
    /// Run this run of a folder of results, counted from 0
    #[arg(long, value_name = "N", conflicts_with_all = ["varies", "replications", "sets", "seed"])]
    pub cell: Option<usize>,
    /// Print one line of JSON for each run, as soon as it is done
    #[arg(long, conflicts_with = "json")]
    pub jsonl: bool,
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How real runs are made.
#[derive(Args, Clone, Copy, Debug)]
pub struct RealArgs {
    /// The best recorder that may be used; where it is not permitted, the next one is
    #[arg(long, value_name = "NAME", default_value = "cpu-wide", value_parser = recorders())]
    pub recorder: Rung,
    /// Leave the start of runs to chance: no settling of threads, no distance kept from the ticks of the kernel
    #[arg(long)]
    pub naive_start: bool,
    /// Let a thread of ours dispatch, by the scenario's own policy: where Linux has nothing like that and real-time rights are
    /// there (auto), in any case (always, or no value), or never
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_value = "auto", default_missing_value = "always",
        value_parser = dispatchers())]
    pub dispatcher: Dispatcher,
    /// The interpreter.
    #[command(flatten)]
    pub python: PythonArgs,
}

/// Which interpreter runs what runs in one.
#[derive(Args, Clone, Copy, Debug)]
pub struct PythonArgs {
    /// The CPython for processes with runtime = "cpython", whatever they name; by default python3
    #[arg(long, value_name = "PATH", value_parser = python)]
    pub python: Option<&'static str>,
}

/// The name of an interpreter, which is needed as long as the program runs.
fn python(name: &str) -> Result<&'static str, String> {
    if name.trim().is_empty() {
        return Err("write a name or a path, such as python3.13".to_owned());
    }
    if let Some(program) = interpreter_of_version(name) {
        return Err(format!("that is a version, and not a program: write {program}, or a path"));
    }
    Ok(Box::leak(name.to_owned().into_boxed_str()))
}

impl RealArgs {
    /// The same for the library; Ctrl-C ends a run.
    #[must_use]
    pub fn options(self) -> Options {
        let RealArgs { recorder, naive_start, dispatcher, python: PythonArgs { python } } = self;
        let interrupted = crate::interruption::asked;
        Options { best_recorder: recorder, naive_start, dispatcher, python, interrupted, ..Options::default() }
    }
}

fn dispatchers() -> impl clap::builder::TypedValueParser<Value = Dispatcher> {
    let named = |name: String| Dispatcher::ALL.into_iter().find(|when| when.name() == name);
    PossibleValuesParser::new(Dispatcher::ALL.map(Dispatcher::name))
        .map(move |name| named(name).unwrap_or(Dispatcher::WhereNeeded))
}

fn recorders() -> impl clap::builder::TypedValueParser<Value = Rung> {
    let named = |name: String| Rung::ALL.into_iter().find(|rung| rung.name() == name).unwrap_or(Rung::CpuWide);
    PossibleValuesParser::new(Rung::ALL.map(Rung::name)).map(named)
}

/// `sim measure`
#[derive(Args, Debug)]
pub struct MeasureArgs {
    /// Scenario file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How often to run it; the run with the median makespan is shown, and what all say together. Of several, those that other
    /// programs disturb are repeated, up to four times as many in all
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub runs: u32,
    /// Measure every combination of these values, in turn, one row each; repeatable
    #[arg(long = "vary", value_name = "PATH=VALUE,VALUE…", value_parser = path_and_values)]
    pub varies: Vec<(String, Vec<String>)>,
    /// The runs.
    #[command(flatten)]
    pub real: RealArgs,
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `sim compare`
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// Scenario files, one comparison after the other; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How often to run it for real; runs that other programs disturb are repeated, up to four times as many in all
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub runs: u32,
    /// Predict the runs with this machine's costs: a profile that `sim calibrate` wrote, or auto (the one in the user's cache,
    /// calibrated quickly if there is none), or none. On a terminal auto is the default
    #[arg(long, value_name = "FILE|auto|none")]
    pub profile: Option<PathBuf>,
    /// Give errors even where the machine ran another policy than the one that was asked for, or other programs disturbed every run
    #[arg(long)]
    pub anyway: bool,
    /// Exit with 1 if the makespan, or latency in the mean over tasks, is off by more than this share (0.05 is 5 %)
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub tolerance: Option<f64>,
    /// The runs.
    #[command(flatten)]
    pub real: RealArgs,
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `sim list`
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Shelves (policies, executors, rules, disciplines, distributions, metrics, exporters), or names on them, with their parameters; all
    /// shelves by default
    #[arg(value_name = "SHELF|NAME")]
    pub what: Vec<String>,
}

/// `sim gallery`
#[derive(Args, Debug)]
pub struct GalleryArgs {
    /// The folder of the scenario files
    #[arg(long, value_name = "FOLDER", default_value = "configs")]
    pub configs: PathBuf,
    /// The folder for the pictures
    #[arg(long, value_name = "FOLDER", default_value = "plots")]
    pub plots: PathBuf,
    /// Also measure each scenario and draw both: FOLDER/compare/NAME.png
    #[arg(long)]
    pub compare: bool,
    /// The interpreter, for --compare.
    #[command(flatten)]
    pub python: PythonArgs,
}

/// Reads the command line; help and errors end the program.
#[must_use]
pub fn parse() -> Cli {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // `sim help run` is `sim run --help`.
    if arguments.get(1).is_some_and(|word| word == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    Cli::try_parse_from(&arguments).unwrap_or_else(|mut error| {
        let arguments: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        advice::advise(&mut error, &arguments);
        error.exit()
    })
}

fn path_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => Ok((path.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write it as PATH=VALUE, such as scheduler.quantum=5ms".to_owned()),
    }
}

fn path_and_values(text: &str) -> Result<(String, Vec<String>), String> {
    let (path, values) =
        path_and_value(text).map_err(|_| "write it as PATH=VALUE,VALUE…, such as scheduler.quantum=1ms,10ms")?;
    let values = split_at_commas(&values);
    if values.iter().any(String::is_empty) {
        return Err("a value between the commas is empty".to_owned());
    }
    let ranges: Vec<Vec<String>> = values.iter().map(|value| range::values(value)).collect::<Result<_, _>>()?;
    Ok((path, ranges.concat()))
}

/// Splits at the commas that stand outside of brackets and quotes.
fn split_at_commas(text: &str) -> Vec<String> {
    let (mut depth, mut quote, mut parts) = (0_i32, None, vec![String::new()]);
    for c in text.chars() {
        match c {
            _ if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            '[' | '{' if quote.is_none() => depth += 1,
            ']' | '}' if quote.is_none() => depth -= 1,
            ',' if depth == 0 && quote.is_none() => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share >= 0.0 && share.is_finite() => Ok(share),
        _ => Err("write a share such as 0.05, which is 5 %".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ranges_stand_among_values() {
        let values = |text: &str| path_and_values(&format!("a.b={text}")).map(|(_, values)| values.join(" "));
        assert_eq!(values("1..4,9"), Ok("1 2 3 4 9".to_owned()));
        assert_eq!(values("fifo, 1ms..100ms:log3"), Ok("fifo 1ms 10ms 100ms".to_owned()));
        assert_eq!(values("{ x = \"1..2\" }"), Ok("{ x = \"1..2\" }".to_owned()));
        assert!(values("1,3..1").is_err());
    }

    #[test]
    fn commas_in_brackets_and_quotes_do_not_split() {
        let split = |text| split_at_commas(text);
        assert_eq!(split("1ms, 10ms"), ["1ms", "10ms"]);
        assert_eq!(
            split(r#"threads,{ kind = "pool", workers = 4 }"#),
            ["threads", r#"{ kind = "pool", workers = 4 }"#]
        );
        assert_eq!(split(r#"[1, 2],"a,b""#), ["[1, 2]", r#""a,b""#]);
    }
}
