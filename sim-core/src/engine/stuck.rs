//! Who can never go on, though others live on: the part of the tasks that is in a deadlock when a run is cut.
//!
//! A greatest fixed point. At first everybody is taken for stuck who waits for others: at a synchronisation object, in a
//! join, for the end of the tasks it starts after, or for a worker that keeps its task or has another one above it. Then whoever could still be
//! woken by a task that is not stuck is not stuck either, until nothing changes. A task that lives could do anything
//! that is in its program, and so could one that has yet to arrive or to be spawned: nobody is called stuck who could
//! go on.

use std::collections::BTreeMap;

use super::task::State;
use super::world::World;
use crate::ids::{IdVec, ProcessId, SpecId, SyncId, TaskId, ThreadId};
use crate::scenario::{Op, SyncKind, SyncOp};
use crate::sync::ceilings::governs;
use crate::sync::{Rows as _, Wants};
use crate::time::Time;
use crate::timeline::{Cause, Recorder};

/// Tasks that wait for each other, or for nobody, for ever, while others live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stuck {
    /// Who.
    pub tasks: Vec<TaskId>,
    /// Since when the first of them has been waiting.
    pub since: Time,
    /// Who waits for whom, in words.
    pub explanation: String,
}

/// More than any barrier has parties: tasks that can be spawned any number of times.
const ANY: u64 = 1 << 40;

struct Search<'w, 'a, R> {
    world: &'w World<'a, R>,
    stuck: IdVec<TaskId, bool>,
    /// Those of whom it has become known that they can go on, and what that means to others not yet looked at.
    revived: Vec<TaskId>,
    /// What stuck tasks hold, sorted.
    held: Vec<(TaskId, SyncId)>,
    syncs: IdVec<SyncId, Object>,
    specs: IdVec<SpecId, Kin>,
    /// How many stuck tasks each task joins.
    joined: IdVec<TaskId, u32>,
    /// Who waits for a worker of each process.
    queued: IdVec<ProcessId, Vec<TaskId>>,
    /// Of those whom their workers have set aside, who lies above them there, and the other way round.
    above: BTreeMap<TaskId, TaskId>,
    below: BTreeMap<TaskId, TaskId>,
}

/// A synchronisation object.
#[derive(Clone, Default)]
struct Object {
    /// How often it is held by somebody who will not give it back.
    lost: usize,
    /// How many could do what its waiters wait for.
    helpers: u64,
    /// Have its waiters been revived?
    open: bool,
}

/// The instances of a task.
#[derive(Clone, Default)]
struct Kin {
    /// What they could do for those who wait.
    helps: Vec<SyncId>,
    spawns: Vec<SpecId>,
    /// Can more of them be spawned?
    comes: bool,
    /// How many of them are stuck.
    stuck: u64,
    /// Those of them that wait for the end of others.
    after: Vec<TaskId>,
    /// For how many tasks with stuck instances they wait.
    unmet: usize,
    /// The tasks that start after them.
    dependents: Vec<SpecId>,
}

impl<R: Recorder> World<'_, R> {
    /// Those who can never go on, if anybody.
    pub(super) fn find_stuck(&self) -> Option<Stuck> {
        let mut candidates = self.who_waits(|id, sync| !self.may_be_moved_up(id, sync));
        // A branch that waits in vain ends when another is done.
        candidates.retain(|id| !self.scene.scenario.may_be_dropped(self.scene.tasks[*id].spec));
        let (tasks, blocked) = if candidates.is_empty() { return None } else { Search::new(self, &candidates).run() };
        let since = blocked?;
        let explanation = self.explain_stuck(&tasks);
        Some(Stuck { tasks, since, explanation })
    }

    /// Everybody who waits for others; of those at a synchronisation object, whom the filter lets pass.
    pub(super) fn who_waits(&self, filter: impl Fn(TaskId, SyncId) -> bool) -> Vec<TaskId> {
        let set_aside = self.who_is_above();
        let waits = |id: &TaskId| match self.scene.tasks[*id].state {
            State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) => filter(*id, sync),
            State::Blocked(Cause::Join | Cause::After) => true,
            State::Able => self.waits_for_worker(*id) || set_aside.contains_key(id),
            _ => false,
        };
        self.scene.tasks.ids().filter(|id| !self.may_leave(*id) && waits(id)).collect()
    }

    /// Is it ready, but without one of the workers that keep their task?
    fn waits_for_worker(&self, id: TaskId) -> bool {
        let task = &self.scene.tasks[id];
        let process = self.scene.scenario.specs[task.spec].process;
        task.thread.is_none() && self.scene.runtimes[process].keeps_tasks()
    }

    /// Could others lend it so much urgency that it comes before those it waits behind?
    fn may_be_moved_up(&self, id: TaskId, sync: SyncId) -> bool {
        let ordered =
            matches!(self.scene.scenario.syncs[sync].kind, SyncKind::RwLock { .. } | SyncKind::Semaphore { .. });
        let held_back = self.syncs[sync].holders.is_empty() && governs(self, sync);
        (ordered || held_back) && !self.scene.loans.locks(id).is_empty()
    }

    /// What the instances of each task could do for those who wait: they send, receive, notify, …
    pub(super) fn helps(&self) -> IdVec<SpecId, Vec<SyncId>> {
        let wanted = |sync: SyncId| self.syncs[sync].waiters.front().map(|waiter| waiter.wants);
        let helped = |op: &Op| match op {
            Op::Sync(SyncOp::Receive(sync)) if wanted(*sync) == Some(Wants::Room) => Some(*sync),
            Op::Sync(SyncOp::Send(sync)) if wanted(*sync) == Some(Wants::Message) => Some(*sync),
            Op::Sync(
                SyncOp::Release(sync, _) | SyncOp::Notify(sync) | SyncOp::NotifyAll(sync) | SyncOp::Arrive(sync),
            ) => wanted(*sync).map(|_| *sync),
            _ => None,
        };
        let of = |spec: &crate::scenario::Spec| {
            let mut helps: Vec<SyncId> = spec.program.ops.iter().filter_map(helped).collect();
            helps.sort_unstable();
            helps.dedup();
            helps
        };
        self.scene.scenario.specs.iter().map(of).collect()
    }
}

impl<'w, 'a, R: Recorder> Search<'w, 'a, R> {
    fn new(world: &'w World<'a, R>, candidates: &[TaskId]) -> Search<'w, 'a, R> {
        let scene = &world.scene;
        let above = world.who_is_above();
        let mut search = Search {
            world,
            stuck: scene.tasks.iter().map(|_| false).collect(),
            revived: Vec::new(),
            held: Vec::new(),
            syncs: world.syncs.iter().map(|_| Object::default()).collect(),
            specs: world.helps().iter().map(|helps| Kin { helps: helps.clone(), ..Kin::default() }).collect(),
            joined: scene.tasks.iter().map(|_| 0).collect(),
            queued: scene.runtimes.iter().map(|_| Vec::new()).collect(),
            below: above.iter().map(|(task, above)| (*above, *task)).collect(),
            above,
        };
        for id in candidates {
            search.stuck[*id] = true;
        }
        for id in candidates {
            search.takes_for_stuck(*id);
        }
        for (sync, state) in world.syncs.pairs() {
            for holder in &state.holders {
                if search.stuck[holder.task] {
                    search.held.push((holder.task, sync));
                }
                let lost = search.stuck[holder.task] || scene.tasks[holder.task].state == State::Finished;
                search.syncs[sync].lost += usize::from(lost);
            }
        }
        search.held.sort_unstable();
        for (id, spec) in scene.scenario.specs.pairs() {
            for op in &spec.program.ops {
                if let Op::Spawn(child) = op {
                    search.specs[id].spawns.push(*child);
                }
            }
            for before in &spec.after {
                search.specs[*before].dependents.push(id);
                search.specs[id].unmet += usize::from(search.specs[*before].stuck > 0);
            }
        }
        search
    }

    fn takes_for_stuck(&mut self, id: TaskId) {
        let task = &self.world.scene.tasks[id];
        self.specs[task.spec].stuck += 1;
        if self.is_joined(id) {
            self.joined[self.world.family.parent_of(id)] += 1;
        }
        match task.state {
            State::Blocked(Cause::After) => self.specs[task.spec].after.push(id),
            State::Able if task.thread.is_none() => {
                self.queued[self.world.scene.scenario.specs[task.spec].process].push(id)
            }
            _ => {}
        }
    }

    /// Does the task that spawned it wait for its end?
    fn is_joined(&self, id: TaskId) -> bool {
        let task = &self.world.scene.tasks[id];
        let parent = self.world.family.parent_of(id);
        let joins = self.world.scene.tasks.get(parent).is_some_and(|it| it.state == State::Blocked(Cause::Join));
        joins && self.world.family.joined_by(parent) == task.spec
    }

    /// Those who are left when all have been revived that can be, and since when the first of them is blocked.
    fn run(mut self) -> (Vec<TaskId>, Option<Time>) {
        let scene = &self.world.scene;
        let mut alive: IdVec<SpecId, u64> = scene.scenario.specs.iter().map(|_| 0).collect();
        for (id, task) in scene.tasks.pairs() {
            alive[task.spec] += u64::from(!self.stuck[id] && task.state != State::Finished);
        }
        alive.pairs().filter(|(_, count)| **count > 0).for_each(|(spec, count)| self.can_do(spec, *count));
        self.syncs.ids().for_each(|sync| self.look_at(sync));
        scene.scenario.specs.ids().for_each(|spec| self.look_after(spec));
        scene.runtimes.ids().for_each(|process| self.look_for_worker(process));
        scene.tasks.ids().for_each(|id| self.look_for_end_of_join(id));
        while let Some(id) = self.revived.pop() {
            self.goes_on(id);
        }
        let tasks: Vec<TaskId> = self.stuck.pairs().filter(|(_, stuck)| **stuck).map(|(id, _)| id).collect();
        // Somebody is: who has no thread waits for one that does not come free, and who was set aside for who is above.
        let blocked = tasks.iter().filter(|id| scene.tasks[**id].state != State::Able);
        let since = blocked.map(|id| scene.tasks[*id].since).min();
        (tasks, since)
    }

    fn revive(&mut self, id: TaskId) {
        if std::mem::replace(&mut self.stuck[id], false) {
            self.revived.push(id);
        }
    }

    /// What it means to others that this task can go on.
    fn goes_on(&mut self, id: TaskId) {
        let task = &self.world.scene.tasks[id];
        self.can_do(task.spec, 1);
        let first = self.held.partition_point(|(holder, _)| *holder < id);
        for place in first..self.held.partition_point(|(holder, _)| *holder <= id) {
            let sync = self.held[place].1;
            self.syncs[sync].lost -= 1;
            self.look_at(sync);
            if governs(self.world, sync) {
                self.world.scene.loans.ceilings.iter().for_each(|(lock, _)| self.look_at(*lock));
            }
        }
        if self.is_joined(id) {
            let parent = self.world.family.parent_of(id);
            self.joined[parent] -= 1;
            self.look_for_end_of_join(parent);
        }
        if let Some(below) = self.below.get(&id) {
            self.look_for_end_of_join(*below);
        }
        self.specs[task.spec].stuck -= 1;
        if self.specs[task.spec].stuck == 0 {
            for dependent in std::mem::take(&mut self.specs[task.spec].dependents) {
                self.specs[dependent].unmet -= 1;
                self.look_after(dependent);
            }
        }
        if !task.thread.is_none() {
            self.look_for_worker(self.world.scene.scenario.specs[task.spec].process);
        }
    }

    /// So many more instances of a task can do what is in its program.
    fn can_do(&mut self, spec: SpecId, count: u64) {
        let mut more = vec![(spec, count)];
        while let Some((spec, count)) = more.pop() {
            for place in 0..self.specs[spec].helps.len() {
                let sync = self.specs[spec].helps[place];
                self.syncs[sync].helpers += count;
                self.look_at(sync);
            }
            for child in std::mem::take(&mut self.specs[spec].spawns) {
                if !std::mem::replace(&mut self.specs[child].comes, true) {
                    more.push((child, ANY));
                }
            }
        }
    }

    /// Can those who wait at a synchronisation object go on?
    fn look_at(&mut self, sync: SyncId) {
        let held_back = governs(self.world, sync) && self.are_held_back(sync);
        let (object, waiters) = (&mut self.syncs[sync], &self.world.syncs[sync].waiters);
        let opens = match self.world.scene.scenario.syncs[sync].kind {
            SyncKind::Mutex | SyncKind::RwLock { .. } => object.lost == 0 && !held_back,
            SyncKind::Barrier { parties } => object.helpers + waiters.len() as u64 >= u64::from(parties),
            SyncKind::Semaphore { .. } | SyncKind::Channel { .. } | SyncKind::Condvar => object.helpers > 0,
        };
        if opens && !std::mem::replace(&mut object.open, true) {
            waiters.iter().for_each(|waiter| self.revive(waiter.who));
        }
    }

    /// Is nobody who waits for the lock above the ceilings of those that will not be given back?
    fn are_held_back(&self, sync: SyncId) -> bool {
        let lost = self.world.scene.loans.ceilings.iter().filter(|(lock, _)| self.syncs[*lock].lost > 0);
        let ceiling = lost.map(|(_, ceiling)| *ceiling).max();
        let waiters = &self.world.syncs[sync].waiters;
        ceiling.is_some_and(|ceiling| waiters.iter().all(|waiter| self.world.urgency(waiter.who) <= ceiling))
    }

    /// Can a task go on that joins others, or did so until its worker took up another?
    fn look_for_end_of_join(&mut self, id: TaskId) {
        let joins = self.world.scene.tasks[id].state == State::Blocked(Cause::Join) || self.above.contains_key(&id);
        let free = self.above.get(&id).is_none_or(|above| !self.stuck[*above]);
        if joins && free && self.joined[id] == 0 {
            self.revive(id);
        }
    }

    /// Can the instances of a task go on that wait for the end of others?
    fn look_after(&mut self, spec: SpecId) {
        if self.specs[spec].unmet == 0 {
            std::mem::take(&mut self.specs[spec].after).into_iter().for_each(|id| self.revive(id));
        }
    }

    /// Will a worker of the process be free?
    fn look_for_worker(&mut self, process: ProcessId) {
        if self.queued[process].is_empty() {
            return;
        }
        let scene = &self.world.scene;
        let kept = |task: TaskId| self.stuck.get(task).is_some_and(|stuck| *stuck);
        let free = |thread: ThreadId| !kept(scene.threads[thread].task);
        if scene.runtimes[process].workers().is_some_and(|workers| workers.threads().any(free)) {
            std::mem::take(&mut self.queued[process]).into_iter().for_each(|id| self.revive(id));
        }
    }
}
