//! Priority inversion: see [`super`].

use std::collections::{BTreeMap, BTreeSet};

use super::homes::Homes;
use super::lent::Lent;
use super::urgency::Urgencies;
use super::{Finding, Record};
use crate::causes::row::Row;
use crate::ids::{CpuId, IdVec, SyncId, TaskId};
use crate::scenario::Scenario;
use crate::time::{Span, Time};
use crate::timeline::lanes::{Busy, State, Stretch};
use crate::timeline::{Block, Cause, Hold};

/// Who was held up at one lock, by whom, and for how long.
#[derive(Default)]
struct Inverted {
    waited: BTreeSet<TaskId>,
    kept: BTreeSet<TaskId>,
    /// By whom, and for how long each.
    ran: BTreeMap<TaskId, Span>,
    total: Span,
}

pub(super) fn find(scenario: &Scenario, record: &Record<'_>) -> Vec<Finding> {
    let urgencies = Urgencies::new(scenario, record.timeline);
    if !urgencies.decide() || record.locks().next().is_none() {
        return Vec::new();
    }
    let search = Search::new(record, urgencies);
    let mut found: BTreeMap<(SyncId, u32), Inverted> = BTreeMap::new();
    for sync in record.locks() {
        for block in &record.blocks[sync] {
            let spec = record.timeline.tasks[block.task].spec;
            search.of_block(sync, block, found.entry((sync, spec)).or_default());
        }
    }
    found.retain(|_, inverted| !inverted.total.is_zero());
    found.into_iter().map(|((sync, _), inverted)| tell(record, sync, &inverted)).collect()
}

fn tell(record: &Record<'_>, sync: SyncId, inverted: &Inverted) -> Finding {
    let (lock, total) = (&record.timeline.cast.syncs[sync], inverted.total);
    let waited = record.names(inverted.waited.iter().copied());
    let kept = record.names(inverted.kept.iter().copied());
    let ran = record.names(inverted.ran.keys().copied());
    let long = total.readable();
    let text = format!(
        "priority inversion: {waited} waited for {lock}, which {kept} was to give back; {ran}, less urgent than {waited}, \
         ran instead of {kept}, for {long} in total"
    );
    Finding::new("priority-inversion", text, total)
}

struct Search<'a> {
    urgencies: Urgencies<'a>,
    lent: Lent,
    homes: Homes,
    lanes: IdVec<TaskId, Vec<Stretch>>,
    occupancy: IdVec<CpuId, Vec<Stretch<Busy>>>,
    /// At each moment, who of those who held an object had got it last: a lock has been handed over, and that one has it.
    holders: IdVec<SyncId, Row<TaskId>>,
}

impl<'a> Search<'a> {
    fn new(record: &Record<'_>, urgencies: Urgencies<'a>) -> Search<'a> {
        let spans = |holds: &Vec<&Hold>| {
            Row::of_overlapping(holds.iter().map(|hold| (hold.start, hold.end, hold.task)), BTreeSet::last)
        };
        let (lanes, occupancy) = (record.timeline.lanes(), record.timeline.occupancy());
        let (lent, holders) = (Lent::of(record.timeline, &urgencies), record.holds.iter().map(spans).collect());
        let homes = Homes::of(record.timeline, &urgencies);
        Search { urgencies, lent, homes, lanes, occupancy, holders }
    }

    /// Goes through the time of a wait, from one change to the next.
    fn of_block(&self, sync: SyncId, block: &Block, inverted: &mut Inverted) {
        let mut from = block.start;
        while from < block.end {
            let (kept, until, chain) = self.finally_waits_for(sync, from, block.end);
            if let Some(kept) = kept {
                self.of_stretch(block.task, kept, &chain, (from, until), inverted);
            }
            from = until;
        }
    }

    /// Who is ready, of those who would have to run for the wait to end, and until when nothing changes about that.
    fn finally_waits_for(&self, sync: SyncId, from: Time, end: Time) -> (Option<TaskId>, Time, Vec<TaskId>) {
        let (mut sync, mut until, mut chain) = (sync, end, Vec::new());
        loop {
            let hold = self.holders[sync].first_after(from);
            let Some(hold) = hold.filter(|hold| hold.start <= from) else {
                return (None, hold.map_or(until, |next| until.min(next.start)), chain);
            };
            until = until.min(hold.end);
            if chain.contains(&hold.who) {
                return (None, until, chain);
            }
            chain.push(hold.who);
            let lane = &self.lanes[hold.who];
            let Some(stretch) = lane.partition_point(|stretch| stretch.start <= from).checked_sub(1).map(|at| lane[at])
            else {
                return (None, until, chain);
            };
            if stretch.end <= from {
                return (None, until, chain);
            }
            until = until.min(stretch.end);
            match stretch.state {
                State::Ready => return (Some(hold.who), until, chain),
                State::Blocked(Cause::Sync(next)) => sync = next,
                _ => return (None, until, chain),
            }
        }
    }

    /// In this stretch of time, who had a processor and was less urgent than the one who waited?
    fn of_stretch(
        &self,
        waits: TaskId,
        kept: TaskId,
        chain: &[TaskId],
        (from, until): (Time, Time),
        inverted: &mut Inverted,
    ) {
        let mut covered: Vec<(Time, Time)> = Vec::new();
        // Whoever ran where the holder may not run, or out of another queue, did not run instead of it.
        let (attributes, home) = (self.urgencies.attributes(kept), self.homes.home(kept, from));
        for (cpu, lane) in self.occupancy.pairs().filter(|(cpu, _)| attributes.allows(*cpu)) {
            let first = lane.partition_point(|stretch| stretch.end <= from);
            for stretch in lane[first..].iter().take_while(|stretch| stretch.start < until) {
                let (Busy::Run(runs) | Busy::Switch(runs)) = stretch.state else { continue };
                if chain.contains(&runs) || !self.homes.is_from(home, cpu, runs, stretch.start) {
                    continue;
                }
                // Who runs with the urgency that a protocol lends it does what the protocol is for.
                for (start, end, lent) in self.lent.pieces(runs, stretch.start.max(from), stretch.end.min(until)) {
                    if self.urgencies.of(runs, start).max(lent) < self.urgencies.of(waits, start) {
                        *inverted.ran.entry(runs).or_default() += end - start;
                        covered.push((start, end));
                    }
                }
            }
        }
        let total = length_of_union(covered);
        if !total.is_zero() {
            inverted.waited.insert(waits);
            inverted.kept.insert(kept);
            inverted.total += total;
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
