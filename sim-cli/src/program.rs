//! The shelf of languages: a scenario as a short program that does what it says, with the standard library alone.
//!
//! The tree of a program and what its processes need is the same for all languages; how that is written is the business of a
//! file for each. One more language is one file and two lines here: a `mod` and an entry of [`LANGUAGES`].

pub mod comments;
pub mod lines;
pub mod names;
pub mod plan;
mod python;
mod rust;
pub mod tree;

use sim_core::scenario::{Op, Scenario};

pub use self::comments::Written;
use self::plan::Plan;

/// The languages, in the order in which they are listed.
pub static LANGUAGES: &[&Language] = &[&python::LANGUAGE, &rust::LANGUAGE];

/// What the shelf knows of a language.
#[derive(Debug)]
pub struct Language {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Writes the program, or says why there is none.
    pub write: fn(&Plan<'_>) -> Result<String, Vec<Refusal>>,
}

/// What a language does not have, and what to choose instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What it is, by its name in the scenario.
    pub what: String,
    /// What to do instead.
    pub instead: String,
}

impl Refusal {
    /// That this is not there, and what to do instead.
    #[must_use]
    pub fn new(what: impl Into<String>, instead: impl Into<String>) -> Refusal {
        Refusal { what: what.into(), instead: instead.into() }
    }
}

/// The scenario of this file as a program.
///
/// # Errors
/// All that the language does not have.
pub fn program(language: &Language, scenario: &Scenario, written: &Written<'_>) -> Result<String, Vec<Refusal>> {
    let refused = without_counterpart(language, scenario);
    if refused.is_empty() { (language.write)(&Plan::new(scenario, written)?) } else { Err(refused) }
}

/// What no program is written of yet, in any language.
fn without_counterpart(language: &Language, scenario: &Scenario) -> Vec<Refusal> {
    let word = |op: &Op| match op {
        Op::Turn { .. } => Some("`every`"),
        _ => None,
    };
    let tasks = scenario.specs.iter();
    let refused = tasks.filter_map(|spec| {
        let word = spec.program.ops.iter().find_map(word)?;
        let what = format!("{word} in the task `{}`, which is not written in {} yet", spec.name, language.name);
        Some(Refusal::new(what, "`sim run` and `sim measure` do what the file says"))
    });
    let hoare = scenario.syncs.iter().filter(|object| object.rule.hoare).map(|object| {
        let what = format!("the condvar `{}` by Hoare's rule: those of {} go by Mesa's", object.name, language.name);
        Refusal::new(what, "leave rule = \"hoare\" out, and let all who wait look again with `while`")
    });
    refused.chain(hoare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_help_is_given() {
        for (index, language) in LANGUAGES.iter().enumerate() {
            assert!(!language.summary.is_empty());
            assert!(LANGUAGES[..index].iter().all(|other| other.name != language.name));
        }
    }
}
