//! Why a run ended the way it did, in words: the cycle of a deadlock, the tasks of a livelock.

use super::sync::{Holder, Wants};
use super::world::{State, World};
use crate::ids::{SyncId, TaskId};
use crate::scenario::{Op, SyncKind, SyncOp};
use crate::timeline::{Cause, Recorder};

/// So many are named, of those who wait or hold likewise.
const SHOWN: usize = 5;

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
        let how = if told.is_empty() { "deadlock without a cycle" } else { "deadlock in a cycle" };
        let others: Vec<&TaskId> = stuck.iter().filter(|id| !told.contains(id)).collect();
        sentences.extend(others.iter().take(SHOWN).map(|id| self.waits(**id)));
        if others.len() > SHOWN {
            sentences.push(format!("{} more tasks wait likewise", others.len() - SHOWN));
        }
        format!("{how}: {}", sentences.join("; "))
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
            State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) => match self.syncs[sync].holders.first() {
                Some(holder) => Some(holder.task),
                None => self.could_help(id, sync),
            },
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

    /// A task that is not done and whose program does what this one waits for: sends, receives, notifies, …
    fn could_help(&self, id: TaskId, sync: SyncId) -> Option<TaskId> {
        let wants = self.syncs[sync].waiters.iter().find(|waiter| waiter.task == id)?.wants;
        let helps = |op: &Op| match (op, wants) {
            (Op::Sync(SyncOp::Receive(other)), Wants::Room)
            | (Op::Sync(SyncOp::Send(other)), Wants::Message)
            | (Op::Sync(SyncOp::Release(other, _)), Wants::Permits(_))
            | (Op::Sync(SyncOp::Notify(other) | SyncOp::NotifyAll(other)), Wants::Notice(_))
            | (Op::Sync(SyncOp::Arrive(other)), Wants::Others) => *other == sync,
            _ => false,
        };
        let specs = &self.scene.scenario.specs;
        let can: Vec<bool> = specs.iter().map(|spec| spec.program.ops.iter().any(helps)).collect();
        let waits_too = |other: TaskId| self.syncs[sync].waiters.iter().any(|waiter| waiter.task == other);
        self.scene.tasks.ids().find(|other| {
            let task = &self.scene.tasks[*other];
            let helps = can[task.spec.0 as usize] && !matches!(task.state, State::Finished | State::Absent);
            helps && *other != id && !waits_too(*other)
        })
    }

    fn waits(&self, id: TaskId) -> String {
        let name = self.name(id);
        let since = self.scene.tasks[id].since;
        match self.scene.tasks[id].state {
            State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) => {
                format!("{name} waits since {since} {}", self.waits_at(id, sync))
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

    /// What somebody waits for at a synchronisation object, and why it does not come.
    fn waits_at(&self, id: TaskId, sync: SyncId) -> String {
        let object = &self.scene.scenario.syncs[sync];
        let state = &self.syncs[sync];
        let wants = state.waiters.iter().find(|waiter| waiter.task == id).map(|waiter| waiter.wants);
        let what = format!("{} `{}`", object.kind.word(), object.name);
        let free = state.level;
        let helper = |does: &str| match self.could_help(id, sync) {
            None => format!(", and nobody is left to {does}"),
            Some(other) => format!(", and {}, which could {does}, waits itself", self.name(other)),
        };
        match object.kind {
            SyncKind::Mutex => format!("for {what}{}", self.held_by(id, sync)),
            SyncKind::RwLock { .. } => {
                let does = if wants == Some(Wants::Together) { "to read" } else { "to write" };
                let ahead = if state.holders.is_empty() { ", which others are to have first" } else { "" };
                format!("{does} {what}{}{ahead}", self.held_by(id, sync))
            }
            SyncKind::Semaphore { .. } => {
                let permits = if let Some(Wants::Permits(permits @ 2..)) = wants { permits } else { 1 };
                let asked = if permits == 1 { "a permit".to_owned() } else { format!("{permits} permits") };
                let left = if free == 0 { "none is free".to_owned() } else { format!("{free} are free") };
                let held = self.held_by(id, sync);
                let why = if held.is_empty() { helper("release one") } else { held };
                format!("for {asked} of {what}, of which {left}{why}")
            }
            SyncKind::Channel { capacity } if wants == Some(Wants::Room) => {
                let full = if capacity == 0 { "which holds no message" } else { "which is full" };
                format!("to send into {what}, {full} ({free} of {capacity}){}", helper("receive"))
            }
            SyncKind::Channel { .. } => format!("to receive from {what}, which is empty{}", helper("send")),
            SyncKind::Condvar => format!("at {what} for a notification{}{}", helper("notify"), self.lost_at(sync)),
            SyncKind::Barrier { parties } => {
                let come = state.waiters.len();
                format!("at {what}, to which {come} of {parties} parties have come{}", helper("come"))
            }
        }
    }

    /// Notifications of a condition variable that nobody waited for.
    fn lost_at(&self, condvar: SyncId) -> String {
        let state = &self.syncs[condvar];
        match state.level {
            0 => String::new(),
            1 => format!("; a notification came before, at {}, and was lost", state.lost),
            lost => format!("; {lost} notifications came before, the last at {}, and were lost", state.lost),
        }
    }

    /// Who holds it, as far as they are shown.
    fn held_by(&self, id: TaskId, sync: SyncId) -> String {
        let holders = &self.syncs[sync].holders;
        let one = |holder: &Holder| {
            let ended = self.scene.tasks[holder.task].state == State::Finished;
            let end = if ended { ", which ended holding it" } else { "" };
            let who = if holder.task == id { "itself".to_owned() } else { self.name(holder.task) };
            format!("{who} since {}{end}", holder.since)
        };
        let mut held: Vec<String> = holders.iter().take(SHOWN).map(one).collect();
        if holders.len() > SHOWN {
            held.push(format!("{} more", holders.len() - SHOWN));
        }
        if held.is_empty() { String::new() } else { format!(", held by {}", held.join(" and ")) }
    }

    /// The tasks that go on for ever without using time.
    pub(super) fn explain_livelock(&self) -> String {
        let mut names: Vec<String> = self.restless.iter().take(SHOWN).map(|id| self.name(*id)).collect();
        if self.restless.len() > SHOWN {
            names.push(format!("{} more", self.restless.len() - SHOWN));
        }
        let who = if names.is_empty() { "the tasks".to_owned() } else { names.join(", ") };
        format!(
            "livelock: more than a million operations at {} without any time passing; {who} would go on like that for ever",
            self.scene.now
        )
    }

    fn name(&self, id: TaskId) -> String {
        self.scene.scenario.task_name(self.scene.tasks[id].spec, self.scene.tasks[id].instance)
    }
}
