//! What policies see of a real run: the kernel floor, as the dispatcher knows it.

use sim_core::ids::{CpuId, Id as _, SpecId};
use sim_core::jobs::JobState;
use sim_core::policy::{Attributes, Floor, Lent, Slot, View, Who};
use sim_core::scenario::Scenario;
use sim_core::time::{Span, Time};

/// What only the threads themselves know. They write it down before they wait, and when a burst begins.
pub(super) trait Facts {
    /// The present burst of an instance, or the next one.
    fn burst(&self, who: Who) -> Burst;
    /// How much work of its present job the bursts so far have taken up, the present one included.
    fn taken(&self, who: Who) -> Span;
    /// The task that lends it its urgency, if one does.
    fn lender(&self, who: Who) -> Option<SpecId>;
    /// Have all tasks finished after which this one starts?
    fn may_start(&self, spec: SpecId) -> bool;
}

/// A burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Burst {
    /// How long it is in all.
    pub(super) length: Span,
    /// How much work comes behind it before the instance may have to wait.
    pub(super) ahead: Span,
    /// Since when it is under way, if it is.
    pub(super) begun: Option<Time>,
}

/// Where an instance is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// It has not arrived, or has finished, or waits for those after which it starts.
    Away,
    /// It waits until some time.
    Sleeping,
    /// It waits for another.
    Waiting,
    /// It has no processor.
    Ready,
    /// It has one.
    Running(Slot),
}

/// What is known of an instance.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) spec: SpecId,
    pub(super) instance: u32,
    pub(super) state: State,
    /// Has it ever had a processor?
    pub(super) has_run: bool,
    /// How long earlier turns worked on the present burst.
    pub(super) spent: Span,
    /// If it is periodic.
    pub(super) job: Option<JobState>,
}

impl Row {
    /// An instance that has not arrived.
    pub(super) fn new(spec: SpecId, instance: u32, job: Option<JobState>) -> Row {
        Row { spec, instance, state: State::Away, has_run: false, spent: Span::ZERO, job }
    }
}

/// Who has a processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    pub(super) who: Who,
    /// When it began to run; `None` while it is only on its way.
    pub(super) began: Option<Time>,
}

/// The kernel floor.
pub(super) struct Ground<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) facts: &'a dyn Facts,
    pub(super) now: Time,
    /// By instance.
    pub(super) rows: Vec<Row>,
    /// What the policy calls each instance: as in the simulator, threads are numbered in the order in which they come up.
    pub(super) names: Vec<Option<Who>>,
    /// The instance of each name.
    pub(super) named: Vec<Who>,
    /// By processor.
    pub(super) turns: Vec<Option<Turn>>,
    /// The one instance that may be picked now, if a certain one is meant.
    pub(super) only: Option<Who>,
    /// May everybody use every processor?
    pub(super) no_affinity: bool,
}

impl Ground<'_> {
    pub(super) fn view(&self) -> View<'_> {
        View { now: self.now, floor: self, no_affinity: self.no_affinity && self.only.is_none() }
    }

    /// What the policy calls an instance.
    pub(super) fn name(&mut self, instance: Who) -> Who {
        let Ground { names, named, .. } = self;
        *names[instance.0 as usize].get_or_insert_with(|| {
            named.push(instance);
            Who(u32::try_from(named.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// Whom the policy means.
    pub(super) fn instance(&self, name: Who) -> Who {
        self.named[name.0 as usize]
    }

    /// May the instance use the processor?
    pub(super) fn may_use(&self, who: Who, slot: Slot) -> bool {
        let attributes = &self.scenario.specs[self.row(who).spec].attributes;
        self.only.is_none_or(|only| only == who) && attributes.allows(CpuId(slot.0))
    }

    pub(super) fn row(&self, who: Who) -> &Row {
        &self.rows[who.0 as usize]
    }

    pub(super) fn row_mut(&mut self, who: Who) -> &mut Row {
        &mut self.rows[who.0 as usize]
    }

    pub(super) fn turn(&self, slot: Slot) -> Option<&Turn> {
        self.turns[slot.0 as usize].as_ref()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..u32::try_from(self.turns.len()).unwrap_or(u32::MAX)).map(Slot)
    }

    /// What is left of what an instance has taken up.
    fn in_hand(&self, who: Who) -> Span {
        self.facts.burst(who).length.saturating_sub(self.worked(who))
    }

    /// How long the turns so far, and the present one up to now, have worked on the present burst.
    pub(super) fn worked(&self, who: Who) -> Span {
        let row = self.row(who);
        let State::Running(slot) = row.state else { return row.spent };
        let Some(began) = self.turn(slot).and_then(|turn| turn.began) else { return row.spent };
        match self.facts.burst(who).begun {
            Some(begun) if begun >= began => self.now.since(begun),
            _ => row.spent + self.now.since(began),
        }
    }
}

impl Floor for Ground<'_> {
    fn slots(&self) -> usize {
        self.turns.len()
    }

    fn running(&self, slot: Slot) -> Option<Who> {
        self.turn(slot).and_then(|turn| self.names[turn.who.0 as usize])
    }

    fn attributes(&self, who: Who) -> &Attributes {
        &self.scenario.specs[self.row(self.instance(who)).spec].attributes
    }

    fn allowed(&self, who: Who, slot: Slot) -> bool {
        self.may_use(self.instance(who), slot)
    }

    fn burst(&self, who: Who) -> Span {
        let who = self.instance(who);
        self.in_hand(who) + self.facts.burst(who).ahead
    }

    fn deadline(&self, who: Who) -> Time {
        self.row(self.instance(who)).job.as_ref().map_or(Time::NEVER, JobState::deadline)
    }

    fn work_left(&self, who: Who) -> Span {
        let instance = self.instance(who);
        let job = self.row(instance).job.as_ref();
        job.map_or(Span::ZERO, |job| job.ahead().saturating_sub(self.facts.taken(instance))) + self.in_hand(instance)
    }

    fn place(&self, who: Who) -> u32 {
        self.instance(who).0
    }

    fn lent(&self, who: Who) -> Option<Lent<'_>> {
        let spec = self.facts.lender(self.instance(who))?;
        let attributes = &self.scenario.specs[spec].attributes;
        let place = self.scenario.specs.iter().take(spec.index()).map(|spec| spec.count).sum();
        Some(Lent { attributes, deadline: Time::NEVER, place })
    }

    fn ran(&self, who: Who) -> Span {
        let State::Running(slot) = self.row(self.instance(who)).state else { return Span::ZERO };
        self.turn(slot).and_then(|turn| turn.began).map_or(Span::ZERO, |began| self.now.since(began))
    }
}
