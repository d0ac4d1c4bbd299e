//! Why a run ended the way it did, in words: the cycle of a deadlock, the tasks of a livelock.

use super::world::{State, World};
use crate::ids::TaskId;
use crate::timeline::{Cause, Recorder};

impl<R: Recorder> World<'_, R> {
    /// Who waits for whom, as sentences: first the cycles, then those who wait for them or for nobody.
    pub(super) fn explain_deadlock(&self) -> String {
        let stuck: Vec<TaskId> =
            self.scene.tasks.ids().filter(|id| matches!(self.scene.tasks[*id].state, State::Blocked(_))).collect();
        let mut sentences = Vec::new();
        let mut told = Vec::new();
        for start in &stuck {
            if let Some(cycle) = self.cycle_from(*start).filter(|cycle| !told.contains(&cycle[0])) {
                let links: Vec<String> = cycle.iter().map(|id| self.waits(*id)).collect();
                told.extend(&cycle);
                sentences.push(links.join(", "));
            }
        }
        let others: Vec<&TaskId> = stuck.iter().filter(|id| !told.contains(id)).collect();
        const SHOWN: usize = 5;
        sentences.extend(others.iter().take(SHOWN).map(|id| self.waits(**id)));
        if others.len() > SHOWN {
            sentences.push(format!("{} more tasks wait likewise", others.len() - SHOWN));
        }
        format!("deadlock: {}", sentences.join("; "))
    }

    /// The cycle of tasks that wait for each other reached from `start`, beginning with its lowest id.
    fn cycle_from(&self, start: TaskId) -> Option<Vec<TaskId>> {
        let mut path = vec![start];
        loop {
            let next = self.waits_for(*path.last()?)?;
            if let Some(place) = path.iter().position(|id| *id == next) {
                let mut cycle = path.split_off(place);
                let lowest = cycle.iter().enumerate().min_by_key(|(_, id)| **id)?.0;
                cycle.rotate_left(lowest);
                return Some(cycle);
            }
            path.push(next);
        }
    }

    /// The task whose doing would wake this one, if there is one.
    fn waits_for(&self, id: TaskId) -> Option<TaskId> {
        match self.scene.tasks[id].state {
            State::Blocked(Cause::Sync(lock)) => self.locks[lock].holder.map(|holder| holder.task),
            State::Blocked(Cause::Join) => {
                let of_parent = |child: &TaskId| {
                    let child = &self.scene.tasks[*child];
                    child.parent == id && child.spec == self.scene.tasks[id].joins && child.state != State::Finished
                };
                self.scene.tasks.ids().find(of_parent)
            }
            State::Blocked(Cause::After) => {
                let after = &self.scene.scenario.specs[self.scene.tasks[id].spec].after;
                self.scene.tasks.ids().find(|other| {
                    after.contains(&self.scene.tasks[*other].spec) && self.scene.tasks[*other].state != State::Finished
                })
            }
            // A task that is able but has no thread waits for the task that keeps the thread.
            State::Able if self.scene.tasks[id].thread.is_none() => {
                let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
                self.scene.tasks.ids().find(|other| {
                    let other = &self.scene.tasks[*other];
                    !other.thread.is_none()
                        && matches!(other.state, State::Blocked(_))
                        && self.scene.scenario.specs[other.spec].process == process
                })
            }
            _ => None,
        }
    }

    fn waits(&self, id: TaskId) -> String {
        let name = self.name(id);
        let since = self.scene.tasks[id].since;
        match self.scene.tasks[id].state {
            State::Blocked(Cause::Sync(lock)) => {
                let lock_name = &self.scene.scenario.syncs[lock].name;
                let holder = self.locks[lock].holder.map_or_else(String::new, |holder| {
                    let end = if self.scene.tasks[holder.task].state == State::Finished {
                        ", which ended holding it"
                    } else {
                        ""
                    };
                    let who = if holder.task == id { "itself".to_owned() } else { self.name(holder.task) };
                    format!(", held by {who} since {}{end}", holder.since)
                });
                format!("{name} waits since {since} for lock `{lock_name}`{holder}")
            }
            State::Blocked(Cause::Join) => {
                let joined = &self.scene.scenario.specs[self.scene.tasks[id].joins].name;
                format!("{name} waits since {since} for the `{joined}` it spawned")
            }
            State::Blocked(Cause::After) => {
                let for_whom = self.waits_for(id).map_or_else(String::new, |other| format!(" {}", self.name(other)));
                format!("{name} waits since {since} for the end of{for_whom}")
            }
            State::Blocked(Cause::Device(device)) => {
                format!("{name} waits since {since} for device `{}`", self.scene.scenario.devices[device].name)
            }
            State::Blocked(Cause::Release) => format!("{name} waits since {since} for its next release"),
            State::Blocked(Cause::Timer) => format!("{name} sleeps since {since}"),
            State::Able => {
                let keeper =
                    self.waits_for(id).map_or_else(String::new, |other| format!(", which {} keeps", self.name(other)));
                format!("{name} waits for a thread of its process{keeper}")
            }
            State::Absent | State::Finished => name,
        }
    }

    /// The tasks that go on for ever without using time.
    pub(super) fn explain_livelock(&self) -> String {
        let running: Vec<String> =
            self.scene.cpus.iter().filter(|cpu| !cpu.thread.is_none()).map(|cpu| self.name(cpu.task)).take(5).collect();
        let who = if running.is_empty() { "the tasks".to_owned() } else { running.join(", ") };
        format!(
            "livelock: more than a million operations at {} without any time passing; {who} would go on like that for ever",
            self.scene.now
        )
    }

    fn name(&self, id: TaskId) -> String {
        self.scene.scenario.task_name(self.scene.tasks[id].spec, self.scene.tasks[id].instance)
    }
}
