//! Quotas of groups: who stands still does not run, and nobody has more than its quota. Nor does who waits for the budget of its
//! server.

use std::collections::BTreeMap;

use super::{Check, Law};
use crate::ids::{CpuId, GroupId};
use crate::time::{Span, Time};
use crate::timeline::lanes::State;
use crate::timeline::{Allowance, Depletion, Interval, What};

impl Check<'_> {
    pub(super) fn budgets(&mut self) {
        if self.timeline.depletions.is_empty() {
            return;
        }
        let lanes = self.timeline.lanes();
        for Depletion { task, start, end } in self.timeline.depletions.iter().copied() {
            let lane = &lanes[task];
            let within = lane[lane.partition_point(|stretch| stretch.end <= start)..].iter();
            let other = within.take_while(|stretch| stretch.start < end).find(|stretch| stretch.state != State::Ready);
            if let Some(other) = other {
                let (name, state, from, to) = (self.name(task), other.state, other.start, other.end);
                let waits = format!("{name} waits from {start} to {end} for the budget of its server");
                self.report(Law::Budget, format!("{waits}, and from {from} to {to} it is {state:?}"));
            }
        }
    }

    pub(super) fn quotas(&mut self) {
        let cast = &self.timeline.cast;
        // The kernel of a real run has periods of its own.
        if !self.tolerance.is_exact() || cast.groups.iter().all(|group| group.quota.is_none()) {
            return;
        }
        let mut ran: BTreeMap<GroupId, Vec<Interval>> = BTreeMap::new();
        for interval in self.timeline.intervals.iter().filter(|i| i.what == What::Run && i.start < i.end) {
            let process = cast.specs[self.timeline.tasks[interval.task].spec as usize].process;
            for group in cast.groups_of(process) {
                ran.entry(group).or_default().push(interval);
            }
        }
        for (group, intervals) in ran {
            self.stands_still(group, &intervals);
            if let Some(quota) = cast.groups[group].quota.filter(|quota| quota.exact) {
                self.keeps_quota(group, quota, &intervals);
            }
        }
    }

    fn stands_still(&mut self, group: GroupId, intervals: &[Interval]) {
        let timeline = self.timeline;
        let mut still: BTreeMap<CpuId, Vec<(Time, Time)>> = BTreeMap::new();
        for throttle in timeline.throttles.iter().filter(|throttle| throttle.group == group) {
            still.entry(throttle.cpu).or_default().push((throttle.start, throttle.end));
        }
        for interval in intervals {
            for spans in [CpuId::NONE, interval.cpu].iter().filter_map(|cpu| still.get(cpu)) {
                let next = spans.get(spans.partition_point(|(_, end)| *end <= interval.start));
                if let Some((start, end)) = next.filter(|(start, end)| *start < interval.end && start < end) {
                    let (task, name) = (self.name(interval.task), &timeline.cast.groups[group].name);
                    let (from, to) = (interval.start, interval.end);
                    let sentence = format!(
                        "{task} runs from {from} to {to}, and its group {name} stands still from {start} to {end}"
                    );
                    self.report(Law::Quota, sentence);
                }
            }
        }
    }

    fn keeps_quota(&mut self, group: GroupId, quota: Allowance, intervals: &[Interval]) {
        let Allowance { amount, period, burst, phase, .. } = quota;
        // How far a period reaches back before the start of the run.
        let before = if phase.is_zero() { 0 } else { (period - phase).ns() };
        let mut used: BTreeMap<u64, Span> = BTreeMap::new();
        for interval in intervals {
            let (mut from, to) = (interval.start.ns() + before, interval.end.ns() + before);
            while from < to {
                let number = from / period.ns();
                let end = to.min((number + 1).saturating_mul(period.ns()));
                *used.entry(number).or_default() += Span::from_ns(end - from);
                from = end;
            }
        }
        let mut saved = Span::ZERO;
        let mut last = None;
        for (number, used) in used {
            // What was not used of the periods between is saved too, as far as that may be.
            if last.is_some_and(|last| last + 1 < number) || last.is_none() && number > 0 {
                saved = burst;
            }
            let most = amount + saved;
            if used > most {
                let name = &self.timeline.cast.groups[group].name;
                let sentence = format!("the group {name} has {used} in its period {number}, and may have {most}");
                self.report(Law::Quota, sentence);
            }
            saved = most.saturating_sub(used).min(burst);
            last = Some(number);
        }
    }
}
