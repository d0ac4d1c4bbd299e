//! Why a run stood still, or a part of it, in words: who waited for what since when, and who had it.
//!
//! Told from what the instances had written down when nothing could happen any more, or time was up. As in the
//! simulator, each waits for at most one other that is named, and the cycles are told first.

mod stuck;

use std::collections::BTreeMap;

use sim_core::engine::Stuck;
use sim_core::ids::{Id as _, ProcessId, SpecId, SyncId, TaskId};
use sim_core::scenario::{Op, SyncObject, SyncOp};
use sim_core::time::Time;

use crate::play::world::World;
use crate::record::event::{Await, Event, Held, Hold, Join, Passage, Passed};
use crate::record::recorder::Story;

/// So many are named, of those who wait likewise and of the cycles.
const SHOWN: usize = 5;

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Awaits {
    Object(SyncId, Wish),
    Children(SpecId),
    EndOfOthers(SpecId),
    Worker(ProcessId),
}

/// What somebody wants from a synchronisation object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Wish {
    Alone,
    Together,
    Permits(usize),
    Room,
    Message,
    Notice,
    Others,
}

/// Everybody at the end of the run.
struct Standstill<'a> {
    world: &'a World,
    stories: &'a [Story],
    start: u64,
    /// Who waits for what since when.
    awaits: BTreeMap<usize, (Awaits, u64)>,
    /// Who has what since when, and has it alone.
    holders: BTreeMap<SyncId, Vec<(usize, u64, bool)>>,
}

/// Who waits for whom in a run that stood still.
pub(crate) fn explain(world: &World, stories: &[Story], start: u64) -> String {
    let still = Standstill::new(world, stories, start);
    let how = match (still.any_spins(), still.cycles().is_empty()) {
        (true, _) => "livelock: nobody runs any more but those who spin, and they do so for ever",
        (false, true) => "deadlock without a cycle",
        (false, false) => "deadlock in a cycle",
    };
    format!("{how}: {}", still.tell())
}

/// Did somebody spin for ever in a run that stood still otherwise? In the simulation that is no deadlock, either.
pub(crate) fn spins(world: &World, stories: &[Story], start: u64) -> bool {
    world.scenario.syncs.iter().any(SyncObject::spins_forever) && Standstill::new(world, stories, start).any_spins()
}

/// Who could never have gone on in a run that was cut at `end` while others lived.
pub(crate) fn find_stuck(world: &World, stories: &[Story], start: u64, end: u64) -> Option<Stuck> {
    let mut still = Standstill::new(world, stories, start);
    still.awaits.retain(|id, _| stories[*id].arrival <= end);
    still.keep_stuck();
    // Somebody is at something: who has no worker waits for one that does not come free.
    let blocked = still.awaits.values().filter(|(awaits, _)| !matches!(awaits, Awaits::Worker(_)));
    let since = blocked.map(|(_, since)| *since).min()?;
    Some(Stuck {
        tasks: still.awaits.keys().map(|id| TaskId::from_index(*id)).collect(),
        since: Time::from_ns(since.saturating_sub(start)),
        explanation: format!("deadlock of {} of {} tasks: {}", still.awaits.len(), stories.len(), still.tell()),
    })
}

impl<'a> Standstill<'a> {
    fn new(world: &'a World, stories: &'a [Story], start: u64) -> Standstill<'a> {
        let mut still = Standstill { world, stories, start, awaits: BTreeMap::new(), holders: BTreeMap::new() };
        for (id, story) in stories.iter().enumerate() {
            if let Some(awaits) = still.awaits(id) {
                still.awaits.insert(id, awaits);
            }
            for event in &story.events {
                let Event::Hold(Hold { what, asked, given_back: None }) = event else { continue };
                let Some(since) = asked.had else { continue };
                let holders = still.holders.entry(asked.sync).or_default();
                if !holders.iter().any(|(holder, ..)| *holder == id) {
                    holders.push((id, since, *what == Held::Alone));
                }
            }
        }
        still
    }

    /// What an instance waits for, and since when.
    fn awaits(&self, id: usize) -> Option<(Awaits, u64)> {
        let (world, story) = (self.world, &self.stories[id]);
        if story.finish != 0 || story.arrival == 0 {
            return None;
        }
        let (spec, _) = world.identity(id);
        if story.begun == 0 {
            let process = world.scenario.specs[spec].process;
            let ready = Awaits::Worker(process);
            return Some((if world.may_start(id) { ready } else { Awaits::EndOfOthers(spec) }, story.arrival));
        }
        // What it has gone on without it waits for no more.
        let since = story.events.iter().rposition(|event| matches!(event, Event::Leave(_))).map_or(0, |left| left + 1);
        let last = story.events[since..].iter().rev().find(|event| is_open(event))?;
        if world.objects.waiter(id).may_leave() {
            return None;
        }
        let since = last.start();
        let permits = || story.events.iter().filter(|event| is_open(event) && event.start() == since).count();
        let (sync, wish) = match *last {
            Event::Join(Join { spec, .. }) => return Some((Awaits::Children(spec), since)),
            Event::Await(Await { condvar, .. }) => (condvar, Wish::Notice),
            Event::Hold(Hold { what, asked, .. }) => match what {
                Held::Alone => (asked.sync, Wish::Alone),
                Held::Together => (asked.sync, Wish::Together),
                Held::Permit => (asked.sync, Wish::Permits(permits())),
            },
            Event::Passage(Passage { what, asked }) => match what {
                Passed::SpentPermit => (asked.sync, Wish::Permits(permits())),
                Passed::Sent => (asked.sync, Wish::Room),
                Passed::Received => (asked.sync, Wish::Message),
                Passed::Met => (asked.sync, Wish::Others),
            },
            _ => return None,
        };
        Some((Awaits::Object(sync, wish), since))
    }

    /// Does an instance that wants this spin until it has it?
    fn spins_for(&self, awaits: Awaits) -> bool {
        matches!(awaits, Awaits::Object(sync, Wish::Alone) if self.world.scenario.syncs[sync].spins_forever())
    }

    fn any_spins(&self) -> bool {
        self.awaits.values().any(|(awaits, _)| self.spins_for(*awaits))
    }

    fn holders(&self, sync: SyncId) -> &[(usize, u64, bool)] {
        self.holders.get(&sync).map_or(&[], Vec::as_slice)
    }

    /// The one other whose doing would let this one go on.
    fn waits_for(&self, id: usize) -> Option<usize> {
        match self.awaits.get(&id)?.0 {
            Awaits::Object(sync, wish) => {
                let holder = self.holders(sync).first().map(|(holder, ..)| *holder);
                self.writer_before(sync, wish).or(holder).or_else(|| self.helper(id, sync, wish))
            }
            Awaits::Children(spec) => self.child(id, spec).or_else(|| self.world.above(id)),
            Awaits::EndOfOthers(spec) => {
                let after = &self.world.scenario.specs[spec].after;
                self.first(|other| after.contains(&self.world.identity(other).0))
            }
            // Who has begun keeps its worker.
            Awaits::Worker(process) => self.first(|other| {
                let spec = self.world.identity(other).0;
                self.stories[other].begun != 0 && self.world.scenario.specs[spec].process == process
            }),
        }
    }

    /// The first of those whom it spawned.
    fn child(&self, id: usize, spec: SpecId) -> Option<usize> {
        self.first(|other| self.world.identity(other).0 == spec && self.world.parent_of(other) == Some(id))
    }

    /// The first of those who wait.
    fn first(&self, fits: impl Fn(usize) -> bool) -> Option<usize> {
        self.awaits.keys().copied().find(|id| fits(*id))
    }

    /// The writer before whom somebody may not read, though only readers have the rwlock.
    fn writer_before(&self, sync: SyncId, wish: Wish) -> Option<usize> {
        let (_, _, alone) = self.holders(sync).first()?;
        let writes =
            |id: usize| self.awaits.get(&id).is_some_and(|(awaits, _)| *awaits == Awaits::Object(sync, Wish::Alone));
        (wish == Wish::Together && !alone).then(|| self.first(writes)).flatten()
    }

    /// The first who could do what this one waits for, and waits for something else itself.
    fn helper(&self, id: usize, sync: SyncId, wish: Wish) -> Option<usize> {
        self.first(|other| {
            let elsewhere = !matches!(self.awaits[&other].0, Awaits::Object(at, _) if at == sync);
            other != id && elsewhere && self.helps(self.world.identity(other).0, sync, wish)
        })
    }

    /// Could the instances of a task do what others wait for at an object?
    fn helps(&self, spec: SpecId, sync: SyncId, wish: Wish) -> bool {
        let helps = |op: &Op| match op {
            Op::Sync(SyncOp::Receive(other)) => wish == Wish::Room && *other == sync,
            Op::Sync(SyncOp::Send(other)) => wish == Wish::Message && *other == sync,
            Op::Sync(SyncOp::Release(other, _)) => matches!(wish, Wish::Permits(_)) && *other == sync,
            Op::Sync(SyncOp::Notify(other) | SyncOp::NotifyAll(other)) => wish == Wish::Notice && *other == sync,
            Op::Sync(SyncOp::Arrive(other)) => wish == Wish::Others && *other == sync,
            _ => false,
        };
        self.world.scenario.specs[spec].program.ops.iter().any(helps)
    }

    /// The cycles of those who wait for each other, each beginning with the first of them.
    fn cycles(&self) -> Vec<Vec<usize>> {
        let (mut cycles, mut reached) = (Vec::new(), BTreeMap::new());
        for start in self.awaits.keys() {
            let (mut path, mut at) = (Vec::new(), Some(*start));
            while let Some(here) = at.filter(|here| !reached.contains_key(here)) {
                reached.insert(here, *start);
                path.push(here);
                at = self.waits_for(here);
            }
            let Some(first) = at.and_then(|at| path.iter().position(|id| *id == at)) else { continue };
            let mut cycle = path.split_off(first);
            let lowest = cycle.iter().enumerate().min_by_key(|(_, id)| **id).map_or(0, |(place, _)| place);
            cycle.rotate_left(lowest);
            cycles.push(cycle);
        }
        cycles
    }

    fn tell(&self) -> String {
        let cycles = self.cycles();
        let tell = |cycle: &Vec<usize>| cycle.iter().map(|id| self.waits(&[*id])).collect::<Vec<_>>().join(", ");
        let mut sentences: Vec<String> = cycles.iter().take(SHOWN).map(tell).collect();
        if cycles.len() > SHOWN {
            sentences.push(format!("{} more such cycles", cycles.len() - SHOWN));
        }
        let mut groups: BTreeMap<Awaits, Vec<usize>> = BTreeMap::new();
        for (id, (awaits, _)) in self.awaits.iter().filter(|(id, _)| !cycles.iter().flatten().any(|told| told == *id)) {
            groups.entry(*awaits).or_default().push(*id);
        }
        sentences.extend(groups.values().take(SHOWN).map(|group| self.waits(group)));
        let others: usize = groups.values().skip(SHOWN).map(Vec::len).sum();
        if others > 0 {
            sentences.push(format!("{others} more wait likewise"));
        }
        sentences.join("; ")
    }

    /// That these, who all wait for the same, do.
    fn waits(&self, ids: &[usize]) -> String {
        let Some((first, (awaits, since))) = ids.first().and_then(|id| Some((*id, self.awaits.get(id)?))) else {
            return String::new();
        };
        let who = listed(ids.iter().take(SHOWN).map(|id| self.world.name_of(*id)).collect(), ids.len());
        let (waits, it, its) = match (ids, self.spins_for(*awaits)) {
            ([_], false) => ("waits", "it", "its"),
            ([_], true) => ("spins", "it", "its"),
            (_, false) => ("wait", "they", "their"),
            (_, true) => ("spin", "they", "their"),
        };
        let later = if ids.iter().any(|id| self.awaits[id].1 != *since) { " and later" } else { "" };
        let other = self.waits_for(first).map(|id| self.world.name_of(id));
        let what = match awaits {
            Awaits::Object(sync, wish) => self.at_object(*sync, *wish, first, other),
            Awaits::Children(spec) if self.child(first, *spec).is_none() && other.is_some() => {
                let above = other.unwrap_or_default();
                format!("for the end of {above}, which {its} worker took up while {it} joined others")
            }
            Awaits::Children(spec) => format!("for the `{}` {it} spawned", self.world.scenario.specs[*spec].name),
            Awaits::EndOfOthers(_) => format!("for the end of {}", other.unwrap_or_else(|| "others".into())),
            Awaits::Worker(_) => {
                let keeper = other.map_or_else(String::new, |keeper| format!(", which {keeper} keeps"));
                format!("for a thread of {its} process{keeper}")
            }
        };
        format!("{who} {waits} since {}{later} {what}", self.time(*since))
    }

    /// What somebody wants from a synchronisation object, and why it does not come.
    fn at_object(&self, sync: SyncId, wish: Wish, asker: usize, other: Option<String>) -> String {
        let object = &self.world.scenario.syncs[sync];
        let what = format!("{} `{}`", object.kind.word(), object.name);
        let is_rwlock = matches!(object.kind, sim_core::scenario::SyncKind::RwLock { .. });
        let asked = match wish {
            Wish::Alone if is_rwlock => format!("to write {what}"),
            Wish::Together => format!("to read {what}"),
            Wish::Permits(1) => format!("for a permit of {what}"),
            Wish::Permits(permits) => format!("for {permits} permits of {what}"),
            Wish::Room => format!("to send into {what}"),
            Wish::Message => format!("for a message in {what}"),
            Wish::Notice => format!("for a notification at {what}"),
            Wish::Alone | Wish::Others => format!("for {what}"),
        };
        if let (Some(_), Some(writer)) = (self.writer_before(sync, wish), &other) {
            return format!("{asked} behind {writer}, who wants to write and comes first");
        }
        let holders = self.holders(sync);
        let one = |(holder, since, _): &(usize, u64, bool)| {
            let who = if *holder == asker { "itself".to_owned() } else { self.world.name_of(*holder) };
            let ended = if self.stories[*holder].finish == 0 { "" } else { ", which ended holding it" };
            format!("{who} since {}{ended}", self.time(*since))
        };
        match (holders.is_empty(), other) {
            (false, _) => {
                format!("{asked}, held by {}", listed(holders.iter().take(SHOWN).map(one).collect(), holders.len()))
            }
            (true, Some(helper)) => format!("{asked}; {helper}, which could help, waits itself"),
            (true, None) => format!("{asked}, and nobody is left to help"),
        }
    }

    fn time(&self, at: u64) -> String {
        Time::from_ns(at.saturating_sub(self.start)).readable()
    }
}

/// Has it been asked for, and not been had?
fn is_open(event: &Event) -> bool {
    match event {
        Event::Join(join) => join.ended.is_none(),
        Event::Await(waits) => waits.noticed.is_none(),
        event => event.asked().is_some_and(|asked| asked.had.is_none()),
    }
}

/// `a, b and 7 more`; `count` may be larger than what is named.
fn listed(mut named: Vec<String>, count: usize) -> String {
    if count > named.len() {
        named.push(format!("{} more", count - named.len()));
    }
    let last = named.pop().unwrap_or_default();
    if named.is_empty() { last } else { format!("{} and {last}", named.join(", ")) }
}
