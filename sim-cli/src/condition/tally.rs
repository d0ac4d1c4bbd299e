//! Of which runs conditions hold.

use super::{Answer, Condition};

/// How many of several runs conditions hold of.
#[derive(Debug)]
pub struct Tally<'c> {
    conditions: &'c [Condition],
    runs: usize,
    /// For each condition: in how many runs there was no such figure.
    none: Vec<usize>,
    /// For each condition: how often it held, and what the first such run was.
    held: Vec<(usize, Option<(String, String)>)>,
}

impl<'c> Tally<'c> {
    /// Of no runs yet.
    #[must_use]
    pub fn new(conditions: &'c [Condition]) -> Tally<'c> {
        Tally { conditions, runs: 0, none: vec![0; conditions.len()], held: vec![(0, None); conditions.len()] }
    }

    /// Adds what a run says; its name may be empty if it is the only one.
    pub fn add(&mut self, name: &str, answers: &[Answer]) {
        self.runs += 1;
        self.none.iter_mut().zip(answers).for_each(|(none, answer)| *none += usize::from(answer.is_none));
        for ((count, first), answer) in self.held.iter_mut().zip(answers).filter(|(_, answer)| answer.holds) {
            *count += 1;
            first.get_or_insert_with(|| (name.to_owned(), answer.figure.clone()));
        }
    }

    /// A sentence for each condition that asked in vain, in all runs.
    pub fn in_vain(&self) -> impl Iterator<Item = String> {
        let held = self.held.iter().map(|(count, _)| *count > 0);
        let asked = self.conditions.iter().zip(&self.none).zip(held);
        asked.filter(|((_, none), held)| self.runs > 0 && **none == self.runs && !held).map(|((condition, _), _)| {
            let path = condition.metric().path();
            let few = "a p95 is known of 20 tasks or more, a p99 of 100";
            let why = if path.ends_with('9') || path.ends_with('5') { few } else { "what it counts did not happen" };
            format!("{}: there is no such figure: {why}", condition.text())
        })
    }

    /// A sentence for each condition that held of a run.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        self.conditions.iter().zip(&self.held).filter_map(|(condition, (count, first))| {
            let (name, figure) = first.as_ref()?;
            let text = condition.text();
            let of = match (self.runs, count) {
                (1, _) => format!("it is {figure}"),
                (all, 1) => format!("in 1 of {all} runs, {name}: it is {figure}"),
                (all, count) => format!("in {count} of {all} runs, the first {name}: it is {figure}"),
            };
            Some(format!("{text}: {of} (--fail-if)"))
        })
    }
}
