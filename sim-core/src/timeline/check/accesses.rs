//! The laws of variables.

use super::{Check, Law};
use crate::ids::{IdVec, SpecId, VariableId};
use crate::scenario::{Op, Scenario};
use crate::timeline::{Access, Use};

impl Check<'_> {
    /// Each change starts from what the one before has left, in the order in which they are recorded; and that is the order
    /// of time.
    pub(super) fn accesses(&mut self) {
        let timeline = self.timeline;
        let mut values = self.first_values();
        for pair in timeline.accesses.windows(2) {
            if !self.tolerance.ordered(pair[0].at, pair[1].at) {
                let (one, other) = (self.name(pair[0].task), self.name(pair[1].task));
                let sentence = format!("{other} uses variables at {}, after {one} did at {}", pair[1].at, pair[0].at);
                self.report(Law::Variable, sentence);
            }
        }
        for Access { task, at, how } in timeline.accesses.iter().copied() {
            self.within_life(task, at, at, "uses a variable");
            let Use::Changed { variable, change, value } = how else { continue };
            let before = std::mem::replace(&mut values[variable], value);
            if change.of(before) != value {
                let (name, called) = (self.name(task), &timeline.cast.variables[variable].name);
                let sentence = format!("{name} changes `{called}` at {at} from {before} by {change:?} into {value}");
                self.report(Law::Variable, sentence);
            }
        }
    }

    /// Whoever looked whether a condition holds saw what variables were then.
    pub(super) fn looks(&mut self, scenario: &Scenario) {
        let mut values = self.first_values();
        for Access { task, at, how } in self.timeline.accesses.iter().copied() {
            match how {
                Use::Changed { variable, value, .. } => values[variable] = value,
                Use::Tested { op, holds } => {
                    let spec = SpecId(self.timeline.tasks[task].spec);
                    let op = scenario.specs.get(spec).and_then(|spec| spec.program.ops.get(op as usize));
                    let Some(Op::Test { condition, .. }) = op else { continue };
                    if condition.holds(|variable| values[variable]) != holds {
                        let (name, condition) = (self.name(task), scenario.condition(condition));
                        let saw = if holds { "holds" } else { "does not hold" };
                        self.report(
                            Law::Variable,
                            format!("{name} sees at {at} that `{condition}` {saw}: it is not so"),
                        );
                    }
                }
            }
        }
    }

    fn first_values(&self) -> IdVec<VariableId, i64> {
        self.timeline.cast.variables.iter().map(|variable| variable.value).collect()
    }
}
