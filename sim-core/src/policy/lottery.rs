//! Lottery scheduling: every slice is drawn, and a thread's chance is its share of the tickets.
//!
//! Rule: whenever the processor is to be given away, for a `quantum` at most, one ticket of those held by the ready
//! threads is drawn; its holder runs. `draws` fixes the first draws: the winner's ticket is the draw modulo the number of
//! tickets, counted through the threads in the order in which they came to be, which for tasks that arrive together is
//! that of the file. Further draws come from the policy's own stream of chance. Source: Waldspurger & Weihl, OSDI 1994;
//! without their compensation tickets, so a thread that blocks early in its slices gets less than its share. Cost:
//! logarithmic in the number of threads; with affinities set, `pick` is linear, since the tickets that may use the slot
//! must be summed.
//!
//! ```toml
//! scheduler = { policy = "lottery", quantum = "1ms", draws = [2, 3, 4, 1, 0] }
//! task = [
//!     { name = "A", tickets = 3, program = [{ cpu = "3ms" }] },
//!     { name = "B", tickets = 1, program = [{ cpu = "2ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |ABAAB|
//! ```

use std::sync::Arc;

use super::book::PerWho;
use super::{Kind, Policy, Settings, Setup, Slice, Slot, Theory, Traits, Turn, View, Who, Why};
use crate::document::Table;
use crate::parameter::Parameter;
use crate::rng::{Stream, StreamName};
use crate::time::Span;

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "lottery",
    summary: "proportional share by tickets, every slice drawn",
    parameters: &[
        Parameter::new("quantum", "a duration", "required", "how long a slice is"),
        Parameter::new(
            "draws",
            "a list of whole numbers",
            "drawn from the seed",
            "fixes the draws: each modulo the tickets in the urn",
        ),
    ],
    attributes: &["tickets", "weight"],
    theory: Theory::None,
    on_linux: None,
    read: |table| Arc::new(Lottery::read(table)),
};

#[derive(Clone, Debug)]
struct Lottery {
    quantum: Span,
    draws: Vec<u64>,
}

impl Lottery {
    fn read(table: &mut Table<'_>) -> Lottery {
        let quantum = table.required_span("quantum", "how long a slice is");
        let draws = table.list("draws").unwrap_or_default();
        let draw = |item: &crate::document::Item<'_>| item.whole(0..=i128::from(u64::MAX));
        Lottery { quantum, draws: draws.iter().filter_map(draw).filter_map(|draw| u64::try_from(draw).ok()).collect() }
    }
}

impl Settings for Lottery {
    fn quanta(&self) -> Vec<(String, Span)> {
        vec![("quantum".to_owned(), self.quantum)]
    }

    fn label(&self) -> String {
        format!("quantum {}", self.quantum)
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Draws {
            quantum: self.quantum,
            fixed: self.draws.clone().into_iter(),
            stream: StreamName::new(setup.seed).word("policy").word("lottery").stream(),
            urn: Urn::default(),
            waiting: 0,
            drawn: None,
        })
    }
}

struct Draws {
    quantum: Span,
    fixed: std::vec::IntoIter<u64>,
    stream: Stream,
    urn: Urn,
    waiting: usize,
    /// Who was drawn last, by which ticket, and of how many.
    drawn: Option<(Who, u64, u64)>,
}

impl Draws {
    /// A ticket of so many.
    fn draw(&mut self, tickets: u64) -> u64 {
        self.fixed.next().map_or_else(|| self.stream.below(tickets), |draw| draw % tickets)
    }

    /// Draws among those who may use the slot.
    fn draw_allowed(&mut self, slot: Slot, view: &View<'_>) -> Option<Who> {
        let allowed: Vec<Who> = self.urn.holders().filter(|who| view.floor.allowed(*who, slot)).collect();
        let tickets = allowed.iter().map(|who| u64::from(*self.urn.tickets.of(*who))).sum();
        if tickets == 0 {
            return None;
        }
        let mut ticket = self.draw(tickets);
        let drawn = ticket;
        let who = allowed.into_iter().find(|who| {
            let held = u64::from(*self.urn.tickets.of(*who));
            let found = ticket < held;
            ticket = ticket.saturating_sub(held);
            found
        })?;
        self.drawn = Some((who, drawn, tickets));
        Some(who)
    }
}

impl Policy for Draws {
    fn ready(&mut self, who: Who, _: Why, view: &View<'_>) {
        self.urn.put(who, view.floor.attributes(who).tickets);
        self.waiting += 1;
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        if self.waiting == 0 {
            return None;
        }
        let who = if view.free() {
            let tickets = self.urn.total();
            let ticket = self.draw(tickets);
            let who = self.urn.holder(ticket);
            self.drawn = Some((who, ticket, tickets));
            who
        } else {
            self.draw_allowed(slot, view)?
        };
        self.urn.take(who);
        self.waiting -= 1;
        Some(Turn { who, slice: Slice::For(self.quantum) })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.urn.take(who);
        self.waiting -= 1;
        true
    }

    fn traits(&self) -> Traits {
        Traits { by_shares: true, ..Traits::default() }
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        let tickets = view.floor.attributes(who).tickets;
        match self.drawn.filter(|(drawn, ..)| *drawn == who) {
            Some((_, ticket, of)) if self.urn.tickets.of(who) == &0 => {
                format!("ticket {ticket} was drawn of 0 to {}, and {tickets} of these are its own", of - 1)
            }
            _ => format!("{tickets} tickets"),
        }
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}

/// Tickets by holder, as a binary indexed tree (Fenwick 1994): change, total and the holder of a ticket are logarithmic.
#[derive(Default)]
struct Urn {
    /// Node i (counted from one) sums the tickets of the holders from i − lowbit(i) to i − 1. Invariant: its length is
    /// zero or a power of two, so the last node is the total.
    sums: Vec<u64>,
    /// Of those who are in the urn; zero for the others.
    tickets: PerWho<u32>,
}

impl Urn {
    /// Puts the tickets of somebody in who is not.
    fn put(&mut self, who: Who, tickets: u32) {
        self.grow(who);
        *self.tickets.of(who) = tickets;
        self.change(who, |sum| sum + u64::from(tickets));
    }

    fn take(&mut self, who: Who) {
        let tickets = u64::from(std::mem::take(self.tickets.of(who)));
        self.change(who, |sum| sum - tickets);
    }

    fn change(&mut self, who: Who, change: impl Fn(u64) -> u64) {
        let mut node = who.0 as usize + 1;
        while node <= self.sums.len() {
            self.sums[node - 1] = change(self.sums[node - 1]);
            node += node & node.wrapping_neg();
        }
    }

    /// Doubled, all new nodes are zero but the last, which is the total again.
    fn grow(&mut self, who: Who) {
        while self.sums.len() <= who.0 as usize {
            let (total, doubled) = (self.total(), (self.sums.len() * 2).max(1));
            self.sums.resize(doubled, 0);
            self.sums[doubled - 1] = total;
        }
    }

    fn total(&self) -> u64 {
        self.sums.last().copied().unwrap_or(0)
    }

    /// Who holds this ticket, which must be less than the total.
    fn holder(&self, mut ticket: u64) -> Who {
        let mut before = 0;
        let mut step = self.sums.len();
        while step > 0 {
            if let Some(sum) = self.sums.get(before + step - 1)
                && *sum <= ticket
            {
                ticket -= sum;
                before += step;
            }
            step /= 2;
        }
        #[expect(clippy::cast_possible_truncation, reason = "everybody is numbered with 32 bits")]
        Who(before as u32)
    }

    /// Everybody in the urn, in order.
    fn holders(&self) -> impl Iterator<Item = Who> {
        self.tickets.all().filter(|(_, tickets)| **tickets > 0).map(|(who, _)| who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ticket_has_its_holder() {
        let mut urn = Urn::default();
        // In any order, with gaps; then some leave.
        for (who, tickets) in [(5, 2), (0, 3), (9, 1), (6, 4), (2, 1)] {
            urn.put(Who(who), tickets);
        }
        let winners = |urn: &Urn| (0..urn.total()).map(|ticket| urn.holder(ticket).0).collect::<Vec<_>>();
        assert_eq!(winners(&urn), [0, 0, 0, 2, 5, 5, 6, 6, 6, 6, 9]);
        urn.take(Who(0));
        urn.take(Who(6));
        urn.put(Who(40), 2);
        assert_eq!(winners(&urn), [2, 5, 5, 9, 40, 40]);
        assert_eq!(urn.holders().map(|who| who.0).collect::<Vec<_>>(), [2, 5, 9, 40]);
    }
}
