//! What tasks do with variables, and turns that come a period after the other.

use super::world::World;
use crate::ids::{TaskId, VariableId};
use crate::scenario::Change;
use crate::timeline::{Access, Recorder, Use};

impl<R: Recorder> World<'_, R> {
    /// The task changes a variable.
    #[inline(never)]
    pub(super) fn changes(&mut self, id: TaskId, variable: VariableId, change: Change) {
        let value = change.of(self.scene.variables[variable]);
        self.scene.variables[variable] = value;
        self.tell_access(id, Use::Changed { variable, change, value });
    }

    /// The task goes on according to what variables are now.
    #[inline(never)]
    pub(super) fn looks_at_variables(&mut self, id: TaskId) {
        let task = &mut self.scene.tasks[id];
        let program = &self.scene.scenario.specs[task.spec].program;
        let op = task.cursor.position();
        let Some(condition) = task.cursor.condition(program) else { return };
        let holds = condition.holds(|variable| self.scene.variables[variable]);
        task.cursor.decide(program, holds);
        self.tell_access(id, Use::Tested { op, holds });
    }

    fn tell_access(&mut self, task: TaskId, how: Use) {
        self.recorder.access(Access { task, at: self.scene.now, how });
    }

    /// The task has come to the next turn of a loop. Does it wait for that?
    #[inline(never)]
    pub(super) fn turn_comes_later(&mut self, id: TaskId) -> bool {
        let task = &mut self.scene.tasks[id];
        let program = &self.scene.scenario.specs[task.spec].program;
        let wait = task.cursor.turn(program, self.scene.now);
        if !wait.is_zero() {
            self.sleep(id, wait);
        }
        !wait.is_zero()
    }
}
