//! `sim list`: what the shelves hold.

use sim_core::device::DISCIPLINES;
use sim_core::distribution::DISTRIBUTIONS;
use sim_core::executor::EXECUTORS;
use sim_core::policy::POLICIES;

use super::{Failure, Verdict};
use crate::args::{ListArgs, Shelf};
use crate::export::EXPORTERS;
use crate::output::{self, Terminal};

const SHELVES: [Shelf; 5] =
    [Shelf::Policies, Shelf::Executors, Shelf::Disciplines, Shelf::Distributions, Shelf::Exporters];

pub(super) fn list(args: &ListArgs) -> Result<Verdict, Failure> {
    let terminal = Terminal::present();
    let text = match args.shelf {
        Some(shelf) => lines(&entries(shelf)),
        None => SHELVES.map(|shelf| terminal.bold(name(shelf)) + "\n" + &lines(&entries(shelf))).join("\n"),
    };
    output::data(&text);
    Ok(Verdict::Done)
}

/// Name and summary of everything on a shelf.
fn entries(shelf: Shelf) -> Vec<(String, String)> {
    let with_parameters = |summary: &str, parameters: &[&str]| match parameters {
        [] => summary.to_owned(),
        parameters => format!("{summary} [{}]", parameters.join(", ")),
    };
    match shelf {
        Shelf::Policies => {
            POLICIES.iter().map(|kind| (kind.name.into(), with_parameters(kind.summary, kind.parameters))).collect()
        }
        Shelf::Executors => {
            EXECUTORS.iter().map(|kind| (kind.name.into(), with_parameters(kind.summary, kind.parameters))).collect()
        }
        Shelf::Disciplines => {
            DISCIPLINES.iter().map(|kind| (kind.name.into(), with_parameters(kind.summary, kind.parameters))).collect()
        }
        Shelf::Distributions => DISTRIBUTIONS
            .iter()
            .map(|(name, summary, example)| ((*name).into(), format!("{summary}: {example}")))
            .collect(),
        Shelf::Exporters => EXPORTERS.iter().map(|kind| (kind.name.into(), kind.summary.into())).collect(),
    }
}

fn lines(entries: &[(String, String)]) -> String {
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    entries.iter().map(|(name, summary)| format!("  {name:width$}  {summary}\n")).collect()
}

fn name(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Policies => "policies",
        Shelf::Executors => "executors",
        Shelf::Disciplines => "disciplines",
        Shelf::Distributions => "distributions",
        Shelf::Exporters => "exporters",
    }
}
