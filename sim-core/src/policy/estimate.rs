//! How long the next processor burst will be: known, or guessed from those of the past.
//!
//! `exact` is knowledge that only a simulator has; it bounds what any real policy could reach. `ewma` is what a real
//! one can do: the exponential average of the thread's own bursts, estimate' = a · burst + (1 − a) · estimate, starting
//! from `initial` (Silberschatz, Galvin & Gagne). A burst is what a thread runs from one block, yield or start to the
//! next, measured on the processors it ran on.

use super::book::PerWho;
use super::{Exit, View, Who, Why};
use crate::document::Table;
use crate::time::Span;

/// The parameter `estimate`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Estimate {
    Exact,
    Average { weight: Weight, initial: Span },
}

/// The weight of the latest burst, in billionths: estimates are whole numbers, the same on every machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight(u64);

const BILLION: u64 = 1_000_000_000;

impl Estimate {
    pub(super) fn read(table: &mut Table<'_>) -> Estimate {
        match table.item("estimate") {
            Some(item) if item.is_table() => item.table("`estimate`").map_or(Estimate::Exact, |mut table| {
                let weight = Weight::read(&mut table);
                let initial = table.required("initial", "the estimate of a thread's first burst");
                let initial = initial.and_then(|item| item.span()).unwrap_or_default();
                Estimate::Average { weight, initial }
            }),
            Some(item) => {
                if item.is_text("exact") {
                    return Estimate::Exact;
                }
                item.wrong(
                    "`estimate` must be \"exact\" or an average over past bursts",
                    "write \"exact\" or { ewma = 0.5, initial = \"10ms\" }",
                );
                Estimate::Exact
            }
            None => Estimate::Exact,
        }
    }

    /// For headings.
    pub(super) fn label(&self) -> String {
        match self {
            Estimate::Exact => String::new(),
            #[expect(clippy::cast_precision_loss, reason = "for people's eyes only")]
            Estimate::Average { weight, .. } => format!("ewma {}", weight.0 as f64 / BILLION as f64),
        }
    }
}

impl Weight {
    fn read(table: &mut Table<'_>) -> Weight {
        let Some(item) = table.required("ewma", "the weight of the latest burst, from 0 to 1") else {
            return Weight(0);
        };
        match item.number() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a billion")]
            Some(weight) if (0.0..=1.0).contains(&weight) => Weight((weight * BILLION as f64).round() as u64),
            Some(weight) => {
                item.wrong(format!("`ewma` must be from 0 to 1, not {weight}"), "0.5 weighs old and new the same");
                Weight(0)
            }
            None => Weight(0),
        }
    }

    /// The average of the latest burst and the estimate so far, rounded to the nearest.
    fn average(self, burst: Span, estimate: Span) -> Span {
        let sum =
            u128::from(self.0) * u128::from(burst.ns()) + u128::from(BILLION - self.0) * u128::from(estimate.ns());
        let rounded = (sum + u128::from(BILLION / 2)) / u128::from(BILLION);
        Span::from_ns(u64::try_from(rounded).unwrap_or(u64::MAX))
    }
}

/// Everybody's present or next burst.
pub(super) struct Bursts {
    estimate: Estimate,
    past: PerWho<Past>,
}

/// What a guess rests on.
#[derive(Default)]
struct Past {
    /// The estimate of the present or next burst.
    estimate: Span,
    /// What of it has been run in earlier turns.
    ran: Span,
}

impl Bursts {
    pub(super) fn new(estimate: Estimate) -> Bursts {
        Bursts { estimate, past: PerWho::default() }
    }

    /// What is left of the burst. One that is longer than was guessed may end any time: nothing is left of it.
    pub(super) fn left(&mut self, who: Who, view: &View<'_>) -> Span {
        if let Estimate::Exact = self.estimate {
            return view.floor.burst(who);
        }
        let past = self.past.of(who);
        past.estimate.saturating_sub(past.ran + view.floor.ran(who))
    }

    /// To be told when somebody becomes ready: is it new, or is another burst ahead?
    pub(super) fn ready(&mut self, who: Who, why: Why) {
        match (self.estimate, why) {
            (Estimate::Average { initial, .. }, Why::Arrived | Why::Spawned(_)) => {
                *self.past.of(who) = Past { estimate: initial, ran: Span::ZERO };
            }
            (Estimate::Average { .. }, Why::Yielded(_)) => self.ends(who),
            _ => {}
        }
    }

    /// To be told when somebody leaves its slot.
    pub(super) fn left_slot(&mut self, who: Who, ran: Span, exit: Exit) {
        if let Estimate::Average { .. } = self.estimate {
            self.past.of(who).ran += ran;
            if exit == Exit::Blocked {
                self.ends(who);
            }
        }
    }

    /// The burst is over, be it before its end: another is ahead.
    pub(super) fn ends(&mut self, who: Who) {
        let Estimate::Average { weight, .. } = self.estimate else { return };
        let past = self.past.of(who);
        // A burst of nothing, such as that of a worker that finds no work, teaches nothing.
        if !past.ran.is_zero() {
            past.estimate = weight.average(past.ran, past.estimate);
            past.ran = Span::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_average() {
        // Silberschatz, Galvin & Gagne: guesses 10 8 6 6 5 9 11 12 for bursts of 6 4 6 4 13 13 13 and a half.
        let bursts = [6, 4, 6, 4, 13, 13, 13];
        let mut estimate = Span::from_ms(10);
        let mut guesses = vec![];
        for burst in bursts {
            estimate = Weight(BILLION / 2).average(Span::from_ms(burst), estimate);
            guesses.push(estimate.ns() / 1_000_000);
        }
        assert_eq!(guesses, [8, 6, 6, 5, 9, 11, 12]);
    }
    #[test]
    fn averages_are_rounded_to_the_nearest() {
        let average = |percent: u64, burst: u64, estimate: u64| {
            Weight(percent * BILLION / 100).average(Span::from_ns(burst), Span::from_ns(estimate)).ns()
        };
        assert_eq!([average(49, 1, 0), average(50, 1, 0), average(51, 1, 0)], [0, 1, 1]);
        assert_eq!([average(0, 9, 5), average(25, 9, 5), average(100, 9, 5)], [5, 6, 9]);
    }
}
