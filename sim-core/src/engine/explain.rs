//! Why a run ended the way it did, in words: the cycle of a deadlock, the tasks of a livelock.
//!
//! Each stuck task waits for at most one other that is named, so the cycles are found by walking on from each task once:
//! it costs no more to explain a deadlock of many than to have it.

use std::collections::BTreeMap;

use super::objects::Holder;
use super::task::State;
use super::world::World;
use crate::ids::{IdVec, ProcessId, SpecId, SyncId, TaskId};
use crate::scenario::{Op, SyncKind, SyncOp};
use crate::sync::Wants;
use crate::sync::ceilings::{governs, in_the_way};
use crate::time::Time;
use crate::timeline::{Cause, Recorder};

/// So many are named, of those who wait or hold likewise, and of the cycles.
const SHOWN: usize = 5;
/// So many links of a cycle are told.
const LINKS: usize = 20;

/// For what somebody waits: who waits for the same is told together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Awaits {
    Object {
        sync: SyncId,
        wants: Option<Wants>,
        /// Does it hold the object itself? Its own name is in its sentence then.
        itself: Option<TaskId>,
    },
    Children(SpecId),
    EndOfOthers(SpecId),
    Worker(ProcessId),
    /// The end of the task that lies above it on its worker.
    Above(TaskId),
    Alone(TaskId),
}

/// What is known of stuck tasks, to tell of them.
struct Story<'w, 'a, R> {
    world: &'w World<'a, R>,
    stuck: &'w [TaskId],
    awaits: BTreeMap<TaskId, Awaits>,
    /// Of those who hold each object and will not give it back, the first.
    holder: IdVec<SyncId, TaskId>,
    /// The first who could do what others wait for, and waits itself.
    helper: IdVec<SyncId, TaskId>,
    /// The first stuck child that each parent joins.
    child: BTreeMap<TaskId, TaskId>,
    /// The first stuck instance of each task.
    first: IdVec<SpecId, TaskId>,
    /// The first task of each process that waits and keeps its thread.
    keeper: IdVec<ProcessId, TaskId>,
    /// Of those whom their workers have set aside, who lies above them there.
    above: BTreeMap<TaskId, TaskId>,
}

impl<R: Recorder> World<'_, R> {
    /// Who waits for whom when nothing will ever happen again: first the cycles, then those who wait for them or for
    /// nobody.
    pub(super) fn explain_deadlock(&self) -> String {
        let stuck = self.who_waits(|_, _| true);
        let story = Story::new(self, &stuck);
        let cycles = story.cycles();
        let how = if cycles.is_empty() { "deadlock without a cycle" } else { "deadlock in a cycle" };
        format!("{how}: {}", story.tell(&cycles))
    }

    /// The same of those who are stuck while others live.
    pub(super) fn explain_stuck(&self, stuck: &[TaskId]) -> String {
        let story = Story::new(self, stuck);
        let tasks = self.scene.tasks.len() - self.starters.len();
        format!("deadlock of {} of {tasks} tasks: {}", stuck.len(), story.tell(&story.cycles()))
    }

    /// Is it a free lock that those who wait for it may not have because of its ceiling?
    fn is_held_back(&self, sync: SyncId) -> bool {
        governs(self, sync) && self.syncs[sync].holders.is_empty()
    }

    /// The tasks that go on for ever without using time.
    pub(super) fn explain_livelock(&self) -> String {
        let restless = self.effort.restless();
        let count = restless.len();
        let names: Vec<String> = restless.take(SHOWN).map(|(id, does)| format!("{} ({does})", self.name(id))).collect();
        let who = if names.is_empty() { "the tasks".to_owned() } else { listed(names, count) };
        format!(
            "livelock: more than a million operations at {} without any time passing; {who} would go on like that for ever",
            self.scene.now.readable()
        )
    }

    /// As [`crate::timeline::Timeline::short_name`]: without the process if there is only one, without the instance if
    /// the task has only one.
    pub(super) fn name(&self, id: TaskId) -> String {
        let (spec, instance) = (self.scene.tasks[id].spec, self.scene.tasks[id].instance);
        let named = &self.scene.scenario.specs[spec];
        let process = match self.scene.scenario.processes.len() - self.starters.len() {
            1 => String::new(),
            _ => format!("{}/", self.scene.scenario.processes[named.process].name),
        };
        let alone = named.count <= 1 && self.specs[spec].next <= 1;
        let number = if alone { String::new() } else { format!("#{instance}") };
        format!("{process}{}{number}", named.name)
    }
}

impl<'w, 'a, R: Recorder> Story<'w, 'a, R> {
    fn new(world: &'w World<'a, R>, stuck: &'w [TaskId]) -> Story<'w, 'a, R> {
        let nobody = |_| TaskId::NONE;
        let mut story = Story {
            world,
            stuck,
            awaits: BTreeMap::new(),
            holder: world.syncs.iter().map(|_| TaskId::NONE).collect(),
            helper: world.syncs.iter().map(|_| TaskId::NONE).collect(),
            child: BTreeMap::new(),
            first: world.specs.ids().map(nobody).collect(),
            keeper: world.scene.runtimes.ids().map(|_| TaskId::NONE).collect(),
            above: world.who_is_above(),
        };
        let awaits: Vec<(TaskId, Awaits)> = stuck.iter().map(|id| (*id, story.without_wants(*id))).collect();
        story.awaits.extend(awaits);
        story.note_objects();
        let helps = world.helps();
        for id in stuck {
            story.note_task(*id, &helps);
        }
        story.note_set_aside();
        story
    }

    fn without_wants(&self, id: TaskId) -> Awaits {
        let task = &self.world.scene.tasks[id];
        match task.state {
            State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) => {
                Awaits::Object { sync, wants: None, itself: None }
            }
            State::Blocked(Cause::Join) => Awaits::Children(self.world.family.joined_by(id)),
            State::Blocked(Cause::After) => Awaits::EndOfOthers(task.spec),
            State::Able => Awaits::Worker(self.world.scene.scenario.specs[task.spec].process),
            _ => Awaits::Alone(id),
        }
    }

    /// What those want who wait at objects, and who does not give them back.
    fn note_objects(&mut self) {
        for (place, state) in self.world.syncs.pairs() {
            for waiter in &state.waiters {
                if let Some(Awaits::Object { wants, .. }) = self.awaits.get_mut(&waiter.who) {
                    *wants = Some(waiter.wants);
                }
            }
            for holder in &state.holders {
                if self.holder[place].is_none() && self.keeps(holder) {
                    self.holder[place] = holder.task;
                }
                if let Some(Awaits::Object { sync, itself, .. }) = self.awaits.get_mut(&holder.task)
                    && *sync == place
                {
                    *itself = Some(holder.task);
                }
            }
        }
    }

    fn note_task(&mut self, id: TaskId, helps: &IdVec<SpecId, Vec<SyncId>>) {
        let scene = &self.world.scene;
        let task = &scene.tasks[id];
        for sync in &helps[task.spec] {
            let waits_too = task.state == State::Blocked(Cause::Sync(*sync));
            if self.helper[*sync].is_none() && !waits_too {
                self.helper[*sync] = id;
            }
        }
        let parent = self.world.family.parent_of(id);
        if self.awaits.get(&parent) == Some(&Awaits::Children(task.spec)) {
            self.child.entry(parent).or_insert(id);
        }
        if self.first[task.spec].is_none() {
            self.first[task.spec] = id;
        }
        let process = scene.scenario.specs[task.spec].process;
        if self.keeper[process].is_none() && !task.thread.is_none() && matches!(task.state, State::Blocked(_)) {
            self.keeper[process] = id;
        }
    }

    /// Those set aside whose children have all ended, or could, wait only for who is above them.
    fn note_set_aside(&mut self) {
        for (id, above) in &self.above {
            let joins = matches!(self.awaits.get(id), Some(Awaits::Children(_))) && self.child.contains_key(id);
            if !joins && let Some(awaits) = self.awaits.get_mut(id) {
                *awaits = Awaits::Above(*above);
            }
        }
    }

    /// Will it not give back what it holds?
    fn keeps(&self, holder: &Holder) -> bool {
        self.awaits.contains_key(&holder.task) || self.world.scene.tasks[holder.task].state == State::Finished
    }

    /// The task whose doing would wake this one; [`TaskId::NONE`] if there is none.
    fn waits_for(&self, id: TaskId) -> TaskId {
        match self.awaits.get(&id) {
            Some(Awaits::Object { sync, wants, .. }) => match self.comes_first(*sync, *wants) {
                Some(writer) => writer,
                None if self.world.is_held_back(*sync) => {
                    in_the_way(self.world, id).map_or(TaskId::NONE, |(.., who)| who)
                }
                None if self.holder[*sync].is_none() => self.helper[*sync],
                None => self.holder[*sync],
            },
            Some(Awaits::Children(_)) => self.child.get(&id).copied().unwrap_or(TaskId::NONE),
            Some(Awaits::EndOfOthers(spec)) => {
                let after = &self.world.scene.scenario.specs[*spec].after;
                after.iter().map(|before| self.first[*before]).min().unwrap_or(TaskId::NONE)
            }
            // A task that is able but has no thread waits for the task that keeps the thread.
            Some(Awaits::Worker(process)) => self.keeper[*process],
            Some(Awaits::Above(above)) => *above,
            Some(Awaits::Alone(_)) | None => TaskId::NONE,
        }
    }

    /// The writer before whom somebody may not read, though only readers have the rwlock.
    fn comes_first(&self, sync: SyncId, wants: Option<Wants>) -> Option<TaskId> {
        let state = &self.world.syncs[sync];
        if wants != Some(Wants::Together) || !state.holders.first()?.shared {
            return None;
        }
        state.waiters.iter().find(|waiter| waiter.wants == Wants::Alone).map(|writer| writer.who)
    }

    /// The cycles of tasks that wait for each other, each beginning with its lowest id.
    fn cycles(&self) -> Vec<Vec<TaskId>> {
        let mut cycles = Vec::new();
        // On which walk each task was reached.
        let mut reached: IdVec<TaskId, u32> = self.world.scene.tasks.iter().map(|_| u32::MAX).collect();
        for start in self.stuck {
            let mut path = Vec::new();
            let mut at = *start;
            while !at.is_none() && reached[at] == u32::MAX {
                reached[at] = start.0;
                path.push(at);
                at = self.waits_for(at);
            }
            if !at.is_none() && reached[at] == start.0 {
                let mut cycle = path.split_off(path.iter().position(|id| *id == at).unwrap_or_default());
                let lowest = cycle.iter().enumerate().min_by_key(|(_, id)| **id).map_or(0, |(place, _)| place);
                cycle.rotate_left(lowest);
                cycles.push(cycle);
            }
        }
        cycles
    }

    fn tell(&self, cycles: &[Vec<TaskId>]) -> String {
        let mut sentences: Vec<String> = cycles.iter().take(SHOWN).map(|cycle| self.tell_cycle(cycle)).collect();
        if cycles.len() > SHOWN {
            sentences.push(format!("{} more such cycles", cycles.len() - SHOWN));
        }
        let told: std::collections::BTreeSet<TaskId> = cycles.iter().flatten().copied().collect();
        let mut groups: BTreeMap<Awaits, Vec<TaskId>> = BTreeMap::new();
        for (id, awaits) in self.awaits.iter().filter(|(id, _)| !told.contains(id)) {
            groups.entry(*awaits).or_default().push(*id);
        }
        let mut groups: Vec<Vec<TaskId>> = groups.into_values().collect();
        groups.sort_unstable();
        sentences.extend(groups.iter().take(SHOWN).map(|group| self.waits(group)));
        let others: usize = groups.iter().skip(SHOWN).map(Vec::len).sum();
        match others {
            0 => {}
            1 => sentences.push("1 more task waits likewise".to_owned()),
            _ => sentences.push(format!("{others} more tasks wait likewise")),
        }
        sentences.join("; ")
    }

    fn tell_cycle(&self, cycle: &[TaskId]) -> String {
        let mut links: Vec<String> = cycle.iter().take(LINKS).map(|id| self.waits(&[*id])).collect();
        if cycle.len() > LINKS {
            links.push(format!("and so on, through {} more tasks back to the first", cycle.len() - LINKS));
        }
        links.join(", ")
    }

    /// That these tasks, who all wait for the same, do.
    fn waits(&self, ids: &[TaskId]) -> String {
        let scenario = self.world.scene.scenario;
        let Some(awaits) = ids.first().and_then(|id| self.awaits.get(id)) else { return String::new() };
        let who = listed(ids.iter().take(SHOWN).map(|id| self.world.name(*id)).collect(), ids.len());
        let (waits, it, its) = if ids.len() == 1 { ("waits", "it", "its") } else { ("wait", "they", "their") };
        let first = self.waits_for(ids[0]);
        let named = |before: &str, after: &str| match first {
            TaskId::NONE => String::new(),
            first => format!("{before}{}{after}", self.world.name(first)),
        };
        let since = self.since(ids);
        match awaits {
            Awaits::Object { sync, wants, itself } => {
                format!("{who} {waits} since {since} {}", self.at_object(*sync, *wants, *itself))
            }
            Awaits::Children(spec) => {
                format!("{who} {waits} since {since} for the `{}` {it} spawned", scenario.specs[*spec].name)
            }
            Awaits::EndOfOthers(_) => format!("{who} {waits} since {since} for the end of{}", named(" ", "")),
            Awaits::Worker(_) => format!("{who} {waits} for a thread of {its} process{}", named(", which ", " keeps")),
            Awaits::Above(above) => {
                let above = self.world.name(*above);
                format!("{who} cannot go on before {above} has ended, which its worker took up while it joined others")
            }
            Awaits::Alone(_) => format!("{who} {waits} since {since}"),
        }
    }

    /// `1ms`, or `1ms and 2ms`, each its own.
    fn since(&self, ids: &[TaskId]) -> String {
        let since: Vec<Time> = ids.iter().map(|id| self.world.scene.tasks[*id].since).collect();
        let first = since.iter().min().copied().unwrap_or(Time::ZERO);
        if since.iter().all(|at| *at == first) {
            first.readable()
        } else if ids.len() > SHOWN {
            format!("{} and later", first.readable())
        } else {
            listed(since.iter().map(|at| at.readable()).collect(), ids.len())
        }
    }

    /// What somebody waits for at a synchronisation object, and why it does not come.
    fn at_object(&self, sync: SyncId, wants: Option<Wants>, itself: Option<TaskId>) -> String {
        let object = &self.world.scene.scenario.syncs[sync];
        let state = &self.world.syncs[sync];
        let what = format!("{} `{}`", object.kind.word(), object.name);
        let free = state.level;
        let held = self.held_by(sync, itself);
        match object.kind {
            SyncKind::Mutex if self.world.is_held_back(sync) => {
                let first = state.waiters.front().and_then(|waiter| in_the_way(self.world, waiter.who));
                let behind = first.map(|(lock, _, holder)| {
                    let lock = &self.world.scene.scenario.syncs[lock].name;
                    format!(", behind {}, who has `{lock}`", self.world.name(holder))
                });
                format!("for {what}, which is free{}", behind.unwrap_or_default())
            }
            SyncKind::Mutex => format!("for {what}{held}"),
            SyncKind::RwLock { .. } if wants == Some(Wants::Together) => match self.comes_first(sync, wants) {
                Some(writer) => {
                    format!("to read {what} behind {}, who wants to write and comes first", self.world.name(writer))
                }
                None => format!("to read {what}{held}"),
            },
            SyncKind::RwLock { .. } => format!("to write {what}{held}"),
            SyncKind::Semaphore { .. } => {
                let permits = if let Some(Wants::Permits(permits @ 2..)) = wants { permits } else { 1 };
                let asked = if permits == 1 { "a permit".to_owned() } else { format!("{permits} permits") };
                let left = if free == 0 { "none is free".to_owned() } else { format!("{free} are free") };
                let why = if held.is_empty() { self.helper_at(sync, "release one") } else { held };
                format!("for {asked} of {what}, of which {left}{why}")
            }
            SyncKind::Channel { capacity: 0 } if wants == Some(Wants::Room) => match self.helper[sync] {
                TaskId::NONE => format!("to send into {what}, and nobody receives or is left to"),
                other => format!(
                    "to send into {what}, and nobody receives: {}, which could, waits itself",
                    self.world.name(other)
                ),
            },
            SyncKind::Channel { capacity } if wants == Some(Wants::Room) => {
                let helper = self.helper_at(sync, "receive");
                format!("to send into {what}, which is full ({free} of {capacity}){helper}")
            }
            SyncKind::Channel { .. } => {
                format!("to receive from {what}, which is empty{}", self.helper_at(sync, "send"))
            }
            SyncKind::Condvar => {
                format!("at {what} for a notification{}{}", self.helper_at(sync, "notify"), self.lost_at(sync))
            }
            SyncKind::Barrier { parties } => {
                let come = state.waiters.len();
                format!("at {what}, to which {come} of {parties} parties have come{}", self.helper_at(sync, "come"))
            }
        }
    }

    /// Why nobody does what they wait for.
    fn helper_at(&self, sync: SyncId, does: &str) -> String {
        match self.helper[sync] {
            TaskId::NONE if self.too_few_live(sync) => format!(", and too few are left to {does}"),
            TaskId::NONE => format!(", and nobody is left to {does}"),
            other => format!(", and {}, which could {does}, waits itself", self.world.name(other)),
        }
    }

    /// Do some live who could come to the barrier? Then they are too few.
    fn too_few_live(&self, barrier: SyncId) -> bool {
        let specs = &self.world.scene.scenario.specs;
        let coming = Op::Sync(SyncOp::Arrive(barrier));
        let comes = |spec: SpecId| specs[spec].program.ops.contains(&coming);
        let lives = |id: TaskId| {
            let task = &self.world.scene.tasks[id];
            !matches!(task.state, State::Finished) && !self.awaits.contains_key(&id) && comes(task.spec)
        };
        self.world.scene.tasks.ids().any(lives)
    }

    /// Notifications of a condition variable that nobody waited for.
    fn lost_at(&self, condvar: SyncId) -> String {
        let state = &self.world.syncs[condvar];
        match state.level {
            0 => String::new(),
            1 => format!("; a notification came before, at {}, and was lost", state.lost.readable()),
            lost => format!("; {lost} notifications came before, the last at {}, and were lost", state.lost.readable()),
        }
    }

    /// Who holds it and will not give it back, as far as they are shown. Who holds several permits is named once.
    fn held_by(&self, sync: SyncId, itself: Option<TaskId>) -> String {
        let mut holders: BTreeMap<TaskId, (Time, u64)> = BTreeMap::new();
        let mut order = Vec::new();
        for holder in self.world.syncs[sync].holders.iter().filter(|holder| self.keeps(holder)) {
            let (since, permits) = holders.entry(holder.task).or_insert_with(|| {
                order.push(holder.task);
                (holder.since, 0)
            });
            (*since, *permits) = ((*since).min(holder.since), *permits + 1);
        }
        let one = |task: &TaskId| {
            let (since, permits) = holders[task];
            let ended = self.world.scene.tasks[*task].state == State::Finished;
            let end = if ended { ", which ended holding it" } else { "" };
            let who = if Some(*task) == itself { "itself".to_owned() } else { self.world.name(*task) };
            let permits = if permits > 1 { format!(" ({permits} permits)") } else { String::new() };
            format!("{who}{permits} since {}{end}", since.readable())
        };
        let held = listed(order.iter().take(SHOWN).map(one).collect(), order.len());
        if held.is_empty() { held } else { format!(", held by {held}") }
    }
}

/// `a`, `a and b`, `a, b and c`; or `a, b and 7 more`, if there are more of them than named.
fn listed(mut named: Vec<String>, count: usize) -> String {
    if count > named.len() {
        named.push(format!("{} more", count - named.len()));
    }
    match named.pop() {
        Some(last) if named.is_empty() => last,
        Some(last) => format!("{} and {last}", named.join(", ")),
        None => String::new(),
    }
}
