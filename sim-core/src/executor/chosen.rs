//! Queues that are policies of the kernel floor: `policy = "…"` in an executor's table orders its tasks by any policy of
//! that shelf. Where tasks give up their thread only of their own will, that decides who is next and nothing else: its
//! slices never end, and nobody is displaced.

use std::sync::Arc;

use super::{Queue, RunQueue, Setup};
use crate::document::Table;
use crate::policy::{self, Attributes, Exit, POLICIES, Policy, Slice, Slot, Traits, Turn, View, Who, Why, fifo};
use crate::time::{Span, Time};

/// Tasks get a thread in the order in which they became ready.
#[derive(Debug)]
pub(crate) struct Fifo;

impl Queue for Fifo {
    fn build(&self, _: &Setup) -> Box<dyn RunQueue> {
        Box::new(fifo::Queue::default())
    }

    fn in_order(&self) -> bool {
        true
    }
}

/// Reads `policy` and its parameters. Without it, first come, first served.
pub(super) fn read(table: &mut Table<'_>) -> Arc<dyn Queue> {
    let Some(item) = table.item("policy") else { return Arc::new(Fifo) };
    let Some(kind) = item.on_shelf("policy", POLICIES, |kind| kind.name) else {
        // Whose parameters the others are, nobody knows.
        table.tolerate_all();
        return Arc::new(Fifo);
    };
    let settings = (kind.read)(table);
    if settings.build(&policy::Setup::apart(1, 0)).traits().has_alarms {
        item.wrong(
            format!("the policy `{}`, set like this, acts at moments of its own, and a runtime has none", kind.name),
            "on this floor a policy is asked when a task gives up its thread: choose one without boosts and aging",
        );
    }
    Arc::new(Chosen { settings, attributes: kind.attributes })
}

#[derive(Debug)]
struct Chosen {
    settings: Arc<dyn policy::Settings>,
    attributes: &'static [&'static str],
}

impl Queue for Chosen {
    fn build(&self, setup: &Setup) -> Box<dyn RunQueue> {
        let seed = setup.chance.word("policy").stream().next_u64();
        Box::new(Cooperative { policy: self.settings.build(&policy::Setup::apart(setup.workers, seed)) })
    }

    fn compares(&self) -> bool {
        true
    }

    fn attributes(&self) -> &'static [&'static str] {
        self.attributes
    }
}

/// Whoever has been ready longest gets the first worker; who woke it makes no difference.
impl RunQueue for fifo::Queue {}

/// A policy whose slices never end.
struct Cooperative {
    policy: Box<dyn Policy>,
}

impl RunQueue for Cooperative {}

impl Policy for Cooperative {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.policy.ready(who, why, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let turn = self.policy.pick(slot, view)?;
        Some(Turn { slice: Slice::Endless, ..turn })
    }

    fn waiting(&self) -> usize {
        self.policy.waiting()
    }

    fn is_next(&mut self, who: Who, slot: Slot, view: &View<'_>) {
        self.policy.is_next(who, slot, view);
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        self.policy.left(who, slot, ran, exit, view);
    }

    fn traits(&self) -> Traits {
        self.policy.traits()
    }

    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        self.policy.urgency(attributes, deadline)
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        self.policy.level(attributes)
    }
}
