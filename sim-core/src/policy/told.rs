//! What a policy decides and why, in its own words: it is listened to while a scenario is simulated.
//!
//! The listener sits between the engine and any policy, as [`checked`](super::checked) does, so that who is not listened to
//! need not know of it.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Attributes, Exit, Policy, Queueing, Settings, Setup, Slice, Slot, Traits, Turn, View, Who, Why};
use crate::ids::{CpuId, TaskId, ThreadId};
use crate::policy::on_linux::Counterpart;
use crate::scenario::Scenario;
use crate::time::{Span, Time};

/// Something that a policy was told or has decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// When.
    pub at: Time,
    /// Of which thread.
    pub thread: ThreadId,
    /// The task that the thread carries, if it does.
    pub task: TaskId,
    /// What it is.
    pub what: Said,
    /// What the policy says to it; often nothing.
    pub words: String,
}

/// What a [`Word`] is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Said {
    /// The thread became ready: it is new, or what it waited for has happened.
    Ready,
    /// Its slice ended.
    Expired,
    /// Somebody took its processor.
    PutOff,
    /// It gave its processor up.
    Yielded,
    /// It was picked for this processor.
    Picked(CpuId),
    /// It has become more or less urgent: it is lent urgency, or gives it back.
    Changed,
    /// The alarm of the policy rang.
    Alarm,
}

/// All that was said, up to a number of words.
#[derive(Clone, Debug)]
pub struct Told {
    most: usize,
    said: Arc<Mutex<(Vec<Word>, bool)>>,
}

/// The same scenario with its policy listened to, and what it will have said after a run. No more than `most` words are kept.
#[must_use]
pub fn listen(scenario: &Scenario, most: usize) -> (Scenario, Told) {
    let told = Told { most, said: Arc::default() };
    let mut heard = scenario.clone();
    let policy = Arc::clone(&scenario.scheduler.settings);
    heard.scheduler.settings = Arc::new(Heard { policy, told: told.clone() });
    (heard, told)
}

impl Told {
    /// What was said, in order; `None` if it was more than is kept.
    #[must_use]
    pub fn words(&self) -> Option<Vec<Word>> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        (!said.1).then(|| std::mem::take(&mut said.0))
    }

    fn add(&self, word: Word) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.0.len() < self.most { said.0.push(word) } else { said.1 = true }
    }
}

#[derive(Debug)]
struct Heard {
    policy: Arc<dyn Settings>,
    told: Told,
}

impl Settings for Heard {
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

    fn on_linux(&self) -> Counterpart {
        self.policy.on_linux()
    }

    fn leaves_to_chance(&self, processors: usize) -> bool {
        self.policy.leaves_to_chance(processors)
    }

    fn queueing(&self) -> Queueing {
        self.policy.queueing()
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        Box::new(Listener { policy: self.policy.build(setup), told: self.told.clone() })
    }
}

/// A policy, and who writes down what it says.
struct Listener {
    policy: Box<dyn Policy>,
    told: Told,
}

impl Listener {
    fn note(&mut self, what: Said, who: Who, view: &View<'_>) {
        let words = self.policy.tells(who, view);
        let (thread, task) = (ThreadId(who.0), TaskId(view.floor.place(who)));
        self.told.add(Word { at: view.now, thread, task, what, words });
    }
}

impl Policy for Listener {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        self.policy.ready(who, why, view);
        let what = match why {
            Why::Arrived | Why::Spawned(_) | Why::Woken => Said::Ready,
            Why::Expired(_) => Said::Expired,
            Why::Preempted(_) => Said::PutOff,
            Why::Yielded(_) => Said::Yielded,
        };
        self.note(what, who, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let turn = self.policy.pick(slot, view);
        if let Some(Turn { who, .. }) = turn {
            self.note(Said::Picked(CpuId(slot.0)), who, view);
        }
        turn
    }

    fn waiting(&self) -> usize {
        self.policy.waiting()
    }

    fn lists_held_back(&self, those: &mut Vec<Who>) {
        self.policy.lists_held_back(those);
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        self.policy.withdraw(who, view)
    }

    fn is_next(&mut self, who: Who, slot: Slot, view: &View<'_>) {
        self.policy.is_next(who, slot, view);
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        self.policy.left(who, slot, ran, exit, view);
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        self.policy.displaces(who, view)
    }

    fn traits(&self) -> Traits {
        self.policy.traits()
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        self.policy.changed(who, view);
        if self.policy.traits().by_urgency {
            self.note(Said::Changed, who, view);
        }
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        self.policy.tells(who, view)
    }

    fn tells_alarm(&self) -> &'static str {
        self.policy.tells_alarm()
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        self.policy.level(attributes)
    }

    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        self.policy.urgency(attributes, deadline)
    }

    fn alarm(&self) -> Time {
        self.policy.alarm()
    }

    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        self.policy.ring(again, view);
        let words = self.policy.tells_alarm();
        if !words.is_empty() {
            let (thread, task, words) = (ThreadId::NONE, TaskId::NONE, words.to_owned());
            self.told.add(Word { at: view.now, thread, task, what: Said::Alarm, words });
        }
    }

    fn anew(&mut self, slot: Slot, view: &View<'_>) -> Option<Slice> {
        self.policy.anew(slot, view)
    }
}
