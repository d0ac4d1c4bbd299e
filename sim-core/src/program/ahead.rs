//! How much processor work is ahead of an instance until it may have to wait: its next CPU burst, as far as it is known.
//!
//! A burst begins with the first work and goes up to the next operation at which the instance may have to wait, or gives way.
//! What takes no time and never waits is no end of it: starting tasks, giving back, notifying, variables, and going round loops.
//! What stands before all work, and may be had at once (a lock, permits, room, a message), counts as had: who is given a
//! processor asks for it first of all. Conditions are looked at as variables are now and as the instance changes them itself.

use super::{Cursor, Step, program_stream};
use crate::ids::{Id as _, SpecId, VariableId};
use crate::rng::StreamName;
use crate::scenario::{Op, Program, Scenario, SyncKind, SyncOp, Terms};
use crate::time::{Span, Time};

/// No further than so many operations: what is behind them is not known.
const FARTHEST: u32 = 1000;

/// A channel for so many messages is meant to be never full.
const UNBOUNDED: u32 = 1_000_000;

/// Whose work is asked for, and what is known when it is.
pub struct Outlook<'a, V> {
    /// What the instance is part of.
    pub scenario: &'a Scenario,
    /// The task.
    pub spec: SpecId,
    /// Which instance of it.
    pub instance: u32,
    /// The present instant.
    pub now: Time,
    /// Is it at work of its burst already?
    pub has_begun: bool,
    /// What each variable is.
    pub value: V,
}

impl<V: Fn(VariableId) -> i64> Outlook<'_, V> {
    /// The work behind that which the instance has taken up, until it may have to wait. Nothing is drawn that it will not draw.
    #[must_use]
    pub fn work_ahead(&self, cursor: &Cursor) -> Span {
        let program = &self.scenario.specs[self.spec].program;
        // Mostly it waits next.
        match program.ops.get(cursor.next() as usize) {
            None | Some(Op::Io { .. } | Op::Sleep(_) | Op::Yield | Op::Join(_) | Op::End) => Span::ZERO,
            Some(Op::Sync(op)) if self.has_begun && self.may_wait(*op) => Span::ZERO,
            Some(_) => Walk::new(self, program, cursor).work(),
        }
    }

    fn may_wait(&self, op: SyncOp) -> bool {
        match op {
            SyncOp::Notify(condvar) => self.scenario.syncs[condvar].rule.hoare,
            SyncOp::Send(channel) => match self.scenario.syncs[channel].kind {
                SyncKind::Channel { capacity } => capacity < UNBOUNDED,
                _ => true,
            },
            op => !op.lets_go(),
        }
    }
}

/// May it be had by who asks for it, without others doing something meanwhile?
fn may_be_free(op: SyncOp) -> bool {
    match op {
        SyncOp::Lock(_) | SyncOp::Read(_) | SyncOp::Write(_) | SyncOp::Acquire(..) => true,
        SyncOp::Send(_) | SyncOp::Receive(_) => true,
        SyncOp::Wait { .. } | SyncOp::Arrive(_) | SyncOp::Unlock(_) | SyncOp::Release(..) => false,
        SyncOp::Notify(_) | SyncOp::NotifyAll(_) => false,
    }
}

/// Where a round of a loop began: after so much work, and so many decisions.
type Begin = Option<(Span, u32)>;

/// On the way, ahead of the instance.
struct Walk<'a, V> {
    outlook: &'a Outlook<'a, V>,
    program: &'a Program,
    cursor: Cursor,
    work: Span,
    /// How often the way depended on chance, a variable, or on others.
    decisions: u32,
    /// The present rounds of the loops it has gone round.
    rounds: Vec<Begin>,
    /// The variables, once it has changed one.
    variables: Option<Vec<i64>>,
    /// Does it do without what it cannot have at once?
    tries: bool,
}

impl<'a, V: Fn(VariableId) -> i64> Walk<'a, V> {
    fn new(outlook: &'a Outlook<'a, V>, program: &'a Program, cursor: &Cursor) -> Walk<'a, V> {
        Walk {
            outlook,
            program,
            cursor: cursor.clone(),
            work: Span::ZERO,
            decisions: 0,
            rounds: Vec::new(),
            variables: None,
            tries: false,
        }
    }

    fn name(&self) -> impl Fn() -> StreamName + use<'a, V> {
        let Outlook { scenario, spec, instance, .. } = *self.outlook;
        move || program_stream(scenario, spec, instance)
    }

    fn work(mut self) -> Span {
        for _ in 0..FARTHEST {
            let goes_on = match self.program.ops.get(self.cursor.pos as usize) {
                Some(Op::Again { slot, forever, .. }) => self.goes_round(*slot, *forever),
                Some(op @ (Op::Repeat { .. } | Op::Choose(_) | Op::Jump(_) | Op::Begin { .. })) => self.follows(op),
                op => self.does(op.is_some_and(Op::draws)),
            };
            if !goes_on {
                break;
            }
        }
        self.work
    }

    /// A round of a loop is over. If it was like the one before all others will be, and need not be looked at.
    fn goes_round(&mut self, slot: u32, forever: bool) -> bool {
        if self.rounds.is_empty() {
            self.rounds = vec![None; self.program.loop_depth as usize];
        }
        let here = (self.work, self.decisions);
        let before = self.rounds[slot as usize].replace(here);
        if let Some((work, _)) = before.filter(|(_, decisions)| *decisions == self.decisions) {
            let round = self.work - work;
            if forever {
                self.work = if round.is_zero() { self.work } else { Span::MAX };
                return false;
            }
            let left = self.cursor.memory(self.program).left(slot);
            self.work += round * left.saturating_sub(1);
            *left = 1;
        }
        let op = &self.program.ops[self.cursor.pos as usize];
        self.cursor.pos += 1;
        self.cursor.follow(op, self.program, &self.name());
        true
    }

    fn follows(&mut self, op: &Op) -> bool {
        match op {
            Op::Choose(_) => self.decisions += 1,
            Op::Repeat { slot, .. } if !self.rounds.is_empty() => self.rounds[*slot as usize] = None,
            _ => {}
        }
        self.cursor.pos += 1;
        self.cursor.follow(op, self.program, &self.name());
        true
    }

    /// The instance does what comes next. Does it go on for sure?
    fn does(&mut self, draws: bool) -> bool {
        self.decisions += u32::from(draws);
        match self.cursor.step(self.program, self.name()) {
            Step::Cpu(work) => self.work += work,
            Step::Spawn(_) | Step::Around => {}
            Step::Attempt(Terms { within, .. }) => self.tries = within.is_zero(),
            Step::Sync(op) => return self.synchronises(op),
            Step::Join(_) => return std::mem::take(&mut self.tries),
            Step::Set(variable, value) => *self.variable(variable) = value,
            Step::Add(variable, more) => {
                let value = self.variable(variable);
                *value = value.saturating_add(more);
            }
            Step::Test => self.looks(),
            Step::Turn => {
                self.decisions += 1;
                return self.cursor.turn(self.program, self.outlook.now).is_zero();
            }
            Step::Io { .. } | Step::Sleep(_) | Step::Yield | Step::End(_) => return false,
        }
        true
    }

    fn synchronises(&mut self, op: SyncOp) -> bool {
        if !self.outlook.may_wait(op) {
            return true;
        }
        self.decisions += 1;
        let is_first = self.work.is_zero() && !self.outlook.has_begun;
        std::mem::take(&mut self.tries) || is_first && may_be_free(op)
    }

    fn looks(&mut self) {
        self.decisions += 1;
        let Some(condition) = self.cursor.condition(self.program) else { return };
        let value = |variable: VariableId| match &self.variables {
            Some(variables) => variables[variable.index()],
            None => (self.outlook.value)(variable),
        };
        let holds = condition.holds(value);
        self.cursor.decide(self.program, holds);
    }

    fn variable(&mut self, variable: VariableId) -> &mut i64 {
        let outlook = self.outlook;
        let all = || outlook.scenario.variables.ids().map(|id| (outlook.value)(id)).collect();
        &mut self.variables.get_or_insert_with(all)[variable.index()]
    }
}
