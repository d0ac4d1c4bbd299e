//! The class `deadline`: the earliest first, each with a budget that is given out anew every period.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Rank;
use crate::policy::{Server, Who};
use crate::time::{Span, Time};

/// What a thread of the class may use until when.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Reservation {
    /// What is left of the budget.
    budget: Span,
    /// By how much more than its budget it has used: what is noticed at ticks is noticed late.
    debt: Span,
    pub(super) deadline: Time,
    throttled: bool,
}

impl Reservation {
    pub(super) fn budget(&self) -> Span {
        self.budget
    }

    /// Does it wait for its next budget?
    pub(super) fn is_throttled(&self) -> bool {
        self.throttled
    }

    /// Its thread wants to run; `is_new`: and did not before. May what is left be used until the deadline? Then it may go
    /// on with that; if that would be more than its share, it begins anew from now.
    pub(super) fn is_wanted(&mut self, server: Server, is_new: bool, now: Time) {
        let left = u128::from(self.budget.ns()) * u128::from(server.period.ns());
        let share = u128::from(self.deadline.since(now).ns()) * u128::from(server.budget.ns());
        if is_new && !self.throttled && self.debt.is_zero() && (self.deadline <= now || left > share) {
            *self = Reservation { budget: server.budget, deadline: now + server.period, ..Reservation::default() };
        } else if self.budget.is_zero() {
            self.throttled = true;
            if self.deadline <= now {
                self.is_filled(server, now);
            }
        }
    }

    /// A new period begins, or several if the debt is as large.
    pub(super) fn is_filled(&mut self, server: Server, now: Time) {
        let periods = self.debt.ns() / server.budget.ns() + 1;
        self.budget = server.budget * periods - self.debt;
        self.deadline += server.period * periods;
        if self.deadline <= now {
            (self.budget, self.deadline) = (server.budget, now + server.period);
        }
        (self.debt, self.throttled) = (Span::ZERO, false);
    }

    pub(super) fn uses(&mut self, ran: Span) {
        self.debt += ran.saturating_sub(self.budget);
        self.budget = self.budget.saturating_sub(ran);
    }
}

/// Those who wait for the processor, and those who wait for their budget.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    ready: BTreeSet<(Time, u64, Who)>,
    throttled: BTreeSet<(Time, Who)>,
    stamp: u64,
}

impl Deadlines {
    /// Is there nobody who could run?
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.ready.len()
    }

    /// Whoever has the earliest deadline, of those that may.
    pub(super) fn first(&self, may: &impl Fn(Who) -> bool) -> Option<(Rank, Who)> {
        let mut ready = self.ready.iter();
        ready.find(|(.., who)| may(*who)).map(|(deadline, _, who)| (Rank::Deadline(Reverse(*deadline)), *who))
    }

    /// `goes_on`: it was running, and stays ahead of those with the same deadline.
    pub(super) fn insert(&mut self, who: Who, deadline: Time, goes_on: bool, is_throttled: bool) {
        self.stamp += 1;
        let stamp = if goes_on { 0 } else { self.stamp };
        if is_throttled {
            self.throttled.insert((deadline, who));
        } else {
            self.ready.insert((deadline, stamp, who));
        }
    }

    pub(super) fn remove(&mut self, who: Who) {
        self.ready.retain(|(.., other)| *other != who);
        self.throttled.retain(|(_, other)| *other != who);
    }

    /// Those who wait for their budgets.
    pub(super) fn throttled(&self) -> impl Iterator<Item = Who> {
        self.throttled.iter().map(|(_, who)| *who)
    }

    /// When the next budget is given out.
    pub(super) fn next_refill(&self) -> Time {
        self.throttled.first().map_or(Time::NEVER, |(at, _)| *at)
    }

    /// One whose budget is given out by now.
    pub(super) fn replenished(&mut self, now: Time) -> Option<Who> {
        self.throttled.first().filter(|(at, _)| *at <= now)?;
        self.throttled.pop_first().map(|(_, who)| who)
    }
}
