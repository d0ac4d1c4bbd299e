//! A policy under supervision: whatever it answers is held against the contract of [`Policy`].
//!
//! The guard sits between the engine and any policy. It knows who is ready and who is where; the first breach is kept
//! as a sentence, and from then on nobody gets a processor any more, so that the run comes to its end soon.
//!
//! ```
//! # use sim_core::{engine::simulate, policy::checked::watch};
//! # use sim_core::{document::Source, scenario::lower};
//! # let text = "task = [{ name = \"a\", program = [{ cpu = \"5ms\" }] }]";
//! # let scenario = lower::scenario(&Source { file: "a.toml", text }, &[]).unwrap();
//! let (scenario, guard) = watch(&scenario);
//! simulate(&scenario, &mut ());
//! assert_eq!(guard.verdict(), Ok(()));
//! ```

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use super::{Attributes, Exit, Policy, Queueing, Settings, Setup, Slice, Slot, Traits, Turn, View, Who, Why};
use crate::scenario::Scenario;
use crate::time::{Span, Time};

/// The same scenario with its policy under supervision, and who tells afterwards what was found.
#[must_use]
pub fn watch(scenario: &Scenario) -> (Scenario, Guard) {
    let guard = Guard::default();
    let mut watched = scenario.clone();
    watched.scheduler.settings = guard.settings(Arc::clone(&scenario.scheduler.settings));
    (watched, guard)
}

/// What was found.
#[derive(Clone, Default, Debug)]
pub struct Guard {
    breach: Arc<OnceLock<String>>,
}

impl Guard {
    /// Did the policy keep its contract?
    ///
    /// # Errors
    /// A sentence about the first breach.
    pub fn verdict(&self) -> Result<(), String> {
        self.breach.get().map_or(Ok(()), |sentence| Err(sentence.clone()))
    }

    /// Settings whose policies are supervised.
    pub(crate) fn settings(&self, policy: Arc<dyn Settings>) -> Arc<dyn Settings> {
        Arc::new(Checked { policy, guard: self.clone() })
    }
}

#[derive(Debug)]
struct Checked {
    policy: Arc<dyn Settings>,
    guard: Guard,
}

impl Settings for Checked {
    fn quanta(&self) -> Vec<(String, Span)> {
        self.policy.quanta()
    }

    fn label(&self) -> String {
        self.policy.label()
    }

    fn step(&self) -> Option<Span> {
        self.policy.step()
    }

    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        self.policy.ticks(machine)
    }

    fn leaves_to_chance(&self, processors: usize) -> bool {
        self.policy.leaves_to_chance(processors)
    }

    fn queueing(&self) -> Queueing {
        self.policy.queueing()
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Supervised {
            policy: self.policy.build(setup),
            guard: self.guard.clone(),
            places: Vec::new(),
            slots: vec![None; setup.slots],
            ready: 0,
        })
    }
}

/// A policy, and what is known of its charges.
struct Supervised {
    policy: Box<dyn Policy>,
    guard: Guard,
    /// By number of whoever it is.
    places: Vec<Place>,
    /// Who is on which slot.
    slots: Vec<Option<Who>>,
    /// How many are ready.
    ready: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Place {
    #[default]
    Away,
    Ready,
    On(Slot),
}

impl Supervised {
    fn place(&mut self, who: Who) -> &mut Place {
        let index = who.0 as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, Place::Away);
        }
        &mut self.places[index]
    }

    fn broken(&self) -> bool {
        self.guard.breach.get().is_some()
    }

    /// Keeps the first breach.
    fn require(&self, truth: bool, view: &View<'_>, sentence: impl FnOnce() -> String) {
        if !truth {
            self.guard.breach.get_or_init(|| format!("at {}, {}", view.now, sentence()));
        }
    }

    fn require_count(&self, after: &str, view: &View<'_>) {
        let (counted, told) = (self.ready, self.policy.waiting());
        self.require(counted == told, view, || {
            format!("the policy says after `{after}` that {told} are waiting, but {counted} are")
        });
    }

    fn require_turn(&mut self, turn: Turn, slot: Slot, view: &View<'_>) {
        let (who, place) = (turn.who.0, *self.place(turn.who));
        self.require(place == Place::Ready, view, || match place {
            Place::On(other) => format!("the policy picks {who} for slot {}, which runs on slot {}", slot.0, other.0),
            _ => format!("the policy picks {who} for slot {}, which is not ready", slot.0),
        });
        let allowed = self.broken() || view.floor.allowed(turn.who, slot);
        self.require(allowed, view, || format!("the policy picks {who} for slot {}, which it may not use", slot.0));
        let lasts = match turn.slice {
            Slice::Endless => true,
            Slice::For(length) | Slice::Ticks { length, .. } => !length.is_zero(),
            Slice::Until(end) => end > view.now,
        };
        self.require(lasts, view, || format!("the policy gives {who} a slice that is over at once"));
    }
}

impl Policy for Supervised {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        let place = *self.place(who);
        self.require(place == Place::Away, view, || format!("{} becomes ready, but it is {place:?}", who.0));
        if self.broken() {
            return;
        }
        *self.place(who) = Place::Ready;
        self.ready += 1;
        self.policy.ready(who, why, view);
        self.require_count("ready", view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let free = self.slots.get(slot.0 as usize).is_some_and(Option::is_none);
        self.require(free, view, || format!("the policy is asked for slot {}, which is not free", slot.0));
        if self.broken() {
            return None;
        }
        let turn = self.policy.pick(slot, view);
        if let Some(turn) = turn {
            self.require_turn(turn, slot, view);
            if self.broken() {
                return None;
            }
            *self.place(turn.who) = Place::On(slot);
            self.slots[slot.0 as usize] = Some(turn.who);
            self.ready -= 1;
        }
        self.require_count("pick", view);
        turn
    }

    fn waiting(&self) -> usize {
        self.policy.waiting()
    }

    fn lists_held_back(&self, those: &mut Vec<Who>) {
        self.policy.lists_held_back(those);
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        let place = *self.place(who);
        self.require(place == Place::Ready, view, || {
            format!("{} is taken out of the queue, but it is {place:?}", who.0)
        });
        if self.broken() {
            return true;
        }
        *self.place(who) = Place::Away;
        self.ready -= 1;
        let does = self.policy.withdraw(who, view);
        self.require(does, view, || format!("the policy does not take {} out of its queue", who.0));
        self.require_count("withdraw", view);
        true
    }

    fn is_next(&mut self, who: Who, slot: Slot, view: &View<'_>) {
        if !self.broken() {
            self.policy.is_next(who, slot, view);
            self.require_count("is_next", view);
        }
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        let there = self.slots.get(slot.0 as usize) == Some(&Some(who));
        self.require(there, view, || format!("{} leaves slot {}, where it is not", who.0, slot.0));
        if self.broken() {
            return;
        }
        *self.place(who) = Place::Away;
        self.slots[slot.0 as usize] = None;
        self.policy.left(who, slot, ran, exit, view);
        self.require_count("left", view);
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let place = *self.place(who);
        self.require(place == Place::Ready, view, || format!("{} wants a slot, but it is {place:?}", who.0));
        if self.broken() {
            return None;
        }
        let slot = self.policy.displaces(who, view)?;
        let busy = self.slots.get(slot.0 as usize).is_some_and(Option::is_some);
        self.require(busy, view, || format!("the policy gives {} slot {}, on which nobody runs", who.0, slot.0));
        self.require(!busy || view.floor.allowed(who, slot), view, || {
            format!("the policy gives {} slot {}, which it may not use", who.0, slot.0)
        });
        self.require_count("displaces", view);
        (!self.broken()).then_some(slot)
    }

    fn traits(&self) -> Traits {
        self.policy.traits()
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let place = *self.place(who);
        self.require(place != Place::Away, view, || format!("{} is more or less urgent, but it is away", who.0));
        if self.broken() {
            return;
        }
        self.policy.changed(who, view);
        self.require_count("changed", view);
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        self.policy.level(attributes)
    }

    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        self.policy.urgency(attributes, deadline)
    }

    fn alarm(&self) -> Time {
        if self.broken() { Time::NEVER } else { self.policy.alarm() }
    }

    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        if self.broken() {
            return;
        }
        // With queues per processor those of other queues are there already.
        let known = again.len();
        self.policy.ring(again, view);
        if let Some(who) = again[known..].iter().copied().find(|who| *self.place(*who) != Place::Ready) {
            self.require(false, view, || format!("the policy wants {} to be asked, who is not ready", who.0));
            again.clear();
        }
        let alarm = self.policy.alarm();
        self.require(alarm > view.now, view, || "the alarm of the policy rings again at once".to_owned());
        self.require_count("ring", view);
    }

    fn anew(&mut self, slot: Slot, view: &View<'_>) -> Option<Slice> {
        if self.broken() { None } else { self.policy.anew(slot, view) }
    }
}
