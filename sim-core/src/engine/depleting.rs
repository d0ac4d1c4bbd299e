//! Who is ready and waits for the budget of its server: told as it is over, for whoever asks where the time went.

use std::collections::BTreeSet;

use super::world::World;
use crate::ids::{TaskId, ThreadId};
use crate::policy::Who;
use crate::timeline::{Depletion, Recorder};

impl<R: Recorder> World<'_, R> {
    /// The instant has settled.
    #[cold]
    pub(super) fn notes_depleted(&mut self) {
        let Some(mut depleted) = self.depleted.take() else { return };
        let tasks = self.who_is_depleted(&mut depleted.held_back);
        let now = self.scene.now;
        let recorder = &mut *self.recorder;
        depleted.since.retain(|task, since| {
            let goes_on = tasks.contains(task);
            if !goes_on && *since < now {
                recorder.depletion(Depletion { task: *task, start: *since, end: now });
            }
            goes_on
        });
        for task in tasks {
            depleted.since.entry(task).or_insert(now);
        }
        self.depleted = Some(depleted);
    }

    fn who_is_depleted(&self, held_back: &mut Vec<Who>) -> BTreeSet<TaskId> {
        held_back.clear();
        self.ready.policy().lists_held_back(held_back);
        let task = |thread: ThreadId| self.scene.threads[thread].task;
        let by_policy = held_back.iter().map(|who| task(ThreadId(who.0)));
        let has_nothing = |task: &TaskId| {
            let spec = self.scene.tasks.get(*task).map(|task| task.spec);
            spec.is_some_and(|spec| self.scene.servers.as_ref().is_some_and(|servers| !servers.allow(spec)))
        };
        let ready = self.ready.members().unwrap_or_default();
        by_policy
            .chain(ready.iter().map(|thread| task(*thread)).filter(has_nothing))
            .filter(|task| !task.is_none())
            .collect()
    }

    /// The run is over: those are told who wait.
    pub(super) fn tell_depleted(&mut self) {
        let now = self.scene.now;
        for (task, since) in self.depleted.take().map(|depleted| depleted.since).unwrap_or_default() {
            if since < now {
                self.recorder.depletion(Depletion { task, start: since, end: now });
            }
        }
    }
}
