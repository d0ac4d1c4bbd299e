//! Priority inversion: see [`super`].

use std::collections::{BTreeMap, BTreeSet};

use super::homes::Homes;
use super::lent::Lent;
use super::urgency::Urgencies;
use super::{Finding, Record};
use crate::causes::ceilings::Ceilings;
use crate::causes::hurdles::Hurdles;
use crate::causes::row::Row;
use crate::causes::{Doing, What};
use crate::ids::{CpuId, IdVec, SyncId, TaskId};
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::lanes::{Busy, State, Stretch};
use crate::timeline::{Block, Cause, Hold, Interval, Timeline};

/// By what a task was kept waiting for the next one of the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    Sync(SyncId),
    Interpreter,
    Runtime,
}

/// Who waited, the first for a lock, each of the others for what the one after it has.
#[derive(Clone, Default)]
struct Chain {
    links: Vec<Link>,
    /// Who has what the links are.
    having: Vec<TaskId>,
}

/// The one at the end of a chain is ready.
#[derive(Clone, Copy)]
enum Kept {
    /// It waits for a processor.
    FromProcessor(TaskId),
    /// It waits in its runtime or for the interpreter lock, behind this one, which runs.
    Behind(TaskId),
}

/// Who was held up over one chain of locks, by whom, and for how long.
#[derive(Default)]
struct Inverted {
    waited: BTreeSet<TaskId>,
    /// Who had what, link by link.
    having: Vec<BTreeSet<TaskId>>,
    /// By whom, and for how long each.
    ran: BTreeMap<TaskId, Span>,
    total: Span,
}

/// The links of a chain, and of which task of the file the first is.
type Key = (Vec<Link>, u32);

pub(super) fn find(scenario: &Scenario, record: &Record<'_>) -> Vec<Finding> {
    let urgencies = Urgencies::new(scenario, record.timeline);
    let nobody_waits = || record.locks().all(|sync| record.blocks[sync].is_empty());
    if !urgencies.decide() || nobody_waits() {
        return Vec::new();
    }
    let intervals: Vec<Interval> = record.timeline.intervals.iter().collect();
    let mut search = Search::new(record, urgencies, &intervals);
    for sync in record.locks() {
        for block in &record.blocks[sync] {
            search.of_block(sync, block);
        }
    }
    let told = |((links, _), inverted): (&Key, &Inverted)| tell(record, links, inverted);
    search.found.iter().map(told).collect()
}

fn tell(record: &Record<'_>, links: &[Link], inverted: &Inverted) -> Finding {
    let names = |tasks: &BTreeSet<TaskId>| record.names(tasks.iter().copied());
    let having: Vec<String> = inverted.having.iter().map(names).collect();
    let step = |(link, has): (&Link, &String)| match link {
        Link::Sync(sync) => format!("{}, held by {has}", record.timeline.cast.syncs[*sync]),
        Link::Interpreter => format!("the interpreter lock, held by {has}"),
        Link::Runtime => format!("a thread of its runtime, behind {has}"),
    };
    let chain = match (links, &having[..]) {
        ([Link::Sync(sync)], [only]) => format!("{}, which {only} was to give back", record.timeline.cast.syncs[*sync]),
        _ => links.iter().zip(&having).map(step).collect::<Vec<String>>().join(", which waited for "),
    };
    let (waited, total) = (names(&inverted.waited), inverted.total);
    let kept = having.last().map_or("", String::as_str);
    let ran = record.names(inverted.ran.keys().copied());
    let long = total.readable();
    let text = format!(
        "priority inversion: {waited} waited for {chain}; {ran}, less urgent than {waited}, ran instead of {kept}, for \
         {long} in total"
    );
    Finding::new("priority-inversion", text, total)
}

struct Search<'a> {
    timeline: &'a Timeline,
    urgencies: Urgencies<'a>,
    lent: Lent,
    homes: Homes,
    hurdles: Hurdles<'a>,
    occupancy: IdVec<CpuId, Vec<Stretch<Busy>>>,
    /// At each moment, who of those who held an object had got it last: a lock has been handed over, and that one has it.
    holders: IdVec<SyncId, Row<TaskId>>,
    ceilings: Ceilings,
    found: BTreeMap<Key, Inverted>,
}

impl<'a> Search<'a> {
    fn new(record: &Record<'a>, urgencies: Urgencies<'a>, intervals: &'a [Interval]) -> Search<'a> {
        let spans = |holds: &Vec<&Hold>| {
            Row::of_overlapping(holds.iter().map(|hold| (hold.start, hold.end, hold.task)), BTreeSet::last)
        };
        let timeline = record.timeline;
        let (lent, homes) = (Lent::of(timeline, &urgencies), Homes::of(timeline, &urgencies));
        Search {
            timeline,
            urgencies,
            lent,
            homes,
            hurdles: Hurdles::of(timeline, intervals),
            occupancy: timeline.occupancy(),
            holders: record.holds.iter().map(spans).collect(),
            ceilings: Ceilings::of(timeline),
            found: BTreeMap::new(),
        }
    }

    /// Goes through the time of a wait, from one change to the next.
    fn of_block(&mut self, sync: SyncId, block: &Block) {
        let mut from = block.start;
        while from < block.end {
            let (mut chain, mut until) = (Chain::default(), block.end);
            if let Some(kept) = self.finally_waits_for((block.task, sync), from, &mut until, &mut chain) {
                self.of_stretch(block.task, kept, &chain, (from, until));
            }
            from = until;
        }
    }

    /// Who is ready, of those who would have to run for the wait to end, and until when nothing changes about that.
    fn finally_waits_for(
        &mut self,
        (task, sync): (TaskId, SyncId),
        from: Time,
        until: &mut Time,
        chain: &mut Chain,
    ) -> Option<Kept> {
        let mut next = self.holder((task, sync), from, until)?;
        chain.links.push(Link::Sync(sync));
        loop {
            if chain.having.contains(&next) {
                return None;
            }
            chain.having.push(next);
            let stretch = self.hurdles.stretch(next, from)?;
            *until = stretch.end.min(*until);
            match stretch.state {
                State::Blocked(Cause::Sync(sync)) => {
                    next = self.holder((next, sync), from, until)?;
                    chain.links.push(Link::Sync(sync));
                }
                State::Ready => {
                    let hurdle = self.hurdles.at(next, stretch, from)?;
                    *until = hurdle.to.min(*until);
                    let link = match hurdle.what {
                        What::Processor(_) => return Some(Kept::FromProcessor(next)),
                        What::Interpreter => Link::Interpreter,
                        What::Runtime => Link::Runtime,
                        _ => return None,
                    };
                    let behind = hurdle.behind?;
                    if matches!(behind.doing, Doing::Running | Doing::Switching) {
                        return Some(Kept::Behind(behind.task));
                    }
                    next = behind.task;
                    chain.links.push(link);
                }
                _ => return None,
            }
        }
    }

    /// Who keeps a task from an object at a moment: who has it, mostly; `until` becomes when that may change.
    fn holder(&self, (task, sync): (TaskId, SyncId), from: Time, until: &mut Time) -> Option<TaskId> {
        if self.ceilings.govern(sync) {
            return self.ceilings.in_the_way((task, sync), from, until);
        }
        let hold = self.holders[sync].first_after(from)?;
        *until = if hold.start <= from { hold.end } else { hold.start }.min(*until);
        (hold.start <= from).then_some(hold.who)
    }

    /// In this stretch of time, who had what was missing and was less urgent than the one who waited?
    fn of_stretch(&mut self, waits: TaskId, kept: Kept, chain: &Chain, (from, until): (Time, Time)) {
        let mut ran: Vec<(TaskId, Time, Time)> = Vec::new();
        // Who runs with the urgency that a protocol lends it does what the protocol is for.
        let mut accuse = |runs: TaskId, from: Time, until: Time| {
            for (start, end, lent) in self.lent.pieces(runs, from, until) {
                if self.urgencies.of(runs, start).max(lent) < self.urgencies.of(waits, start) {
                    ran.push((runs, start, end));
                }
            }
        };
        match kept {
            Kept::Behind(runs) => accuse(runs, from, until),
            Kept::FromProcessor(kept) => self.instead_of(kept, chain, (from, until), accuse),
        }
        let total = length_of_union(ran.iter().map(|(_, start, end)| (*start, *end)).collect());
        if total.is_zero() {
            return;
        }
        let spec = self.timeline.tasks[waits].spec;
        let inverted = self.found.entry((chain.links.clone(), spec)).or_default();
        inverted.waited.insert(waits);
        inverted.having.resize_with(chain.having.len(), BTreeSet::new);
        inverted.having.iter_mut().zip(&chain.having).for_each(|(all, one)| _ = all.insert(*one));
        ran.into_iter().for_each(|(runs, start, end)| *inverted.ran.entry(runs).or_default() += end - start);
        inverted.total += total;
    }

    /// Whoever ran on a processor that the one who was kept from it could have had.
    fn instead_of(
        &self,
        kept: TaskId,
        chain: &Chain,
        (from, until): (Time, Time),
        mut accuse: impl FnMut(TaskId, Time, Time),
    ) {
        // Whoever ran where the holder may not run, or out of another queue, did not run instead of it.
        let (attributes, home) = (self.urgencies.attributes(kept), self.homes.home(kept, from));
        for (cpu, lane) in self.occupancy.pairs().filter(|(cpu, _)| attributes.allows(*cpu)) {
            let first = lane.partition_point(|stretch| stretch.end <= from);
            for stretch in lane[first..].iter().take_while(|stretch| stretch.start < until) {
                let (Busy::Run(runs) | Busy::Switch(runs)) = stretch.state else { continue };
                if !chain.having.contains(&runs) && self.homes.is_from(home, cpu, runs, stretch.start) {
                    accuse(runs, stretch.start.max(from), stretch.end.min(until));
                }
            }
        }
    }
}

fn length_of_union(mut spans: Vec<(Time, Time)>) -> Span {
    spans.sort_unstable();
    let (mut total, mut reached) = (Span::ZERO, Time::ZERO);
    for (start, end) in spans {
        total += end.since(start.max(reached));
        reached = reached.max(end);
    }
    total
}
