//! What groups have left of their quotas: who uses how much, until when that lasts, and who may run at all.
//!
//! A group without pieces has what is left on all processors together, and has none when so little is left that those who
//! run cannot have a whole nanosecond each. One with pieces gives each processor on which it runs a piece of what is left,
//! whenever that processor has none, the lowest number first; what a processor has not used is given back when the period
//! ends. With ticks, who runs is looked at only then, and what was too much is taken from the next period.

use super::processors::Processors;
use super::thread::Thread;
use crate::distribution::Distribution;
use crate::ids::{CpuId, GroupId, Id as _, IdVec, ProcessId, ThreadId};
use crate::rng::StreamName;
use crate::scenario::{Group, Quota, Scenario, lineage};
use crate::time::{Span, Time};
use crate::timeline::{Allowance, GroupName, Still};

/// The quotas of all groups that have one.
pub(super) struct Quotas {
    accounts: Vec<Account>,
    /// Those that a process must keep, by their places.
    of_process: IdVec<ProcessId, Box<[usize]>>,
    /// How often the timer ticks, and when first, if quotas end at ticks.
    tick: Option<(Span, Span)>,
    /// Up to when all that ran has been counted.
    counted: Time,
}

/// What one group has.
struct Account {
    group: GroupId,
    amount: i128,
    burst: i128,
    period: Span,
    phase: Span,
    /// The number of the present period; the first whole one has the number one.
    number: u64,
    /// What is left of it, in nanoseconds, that no processor has taken; less than nothing is owed.
    left: i128,
    /// What each processor has taken, and how much it takes at a time.
    pieces: Option<(Vec<i128>, i128)>,
    /// Since when all of it stand still, or those on each processor, if that has a piece of its own.
    stands: Vec<Option<Time>>,
    /// How many of its threads are ready.
    waiting: u32,
    /// On how many processors one of these waits for more of it, in which period, and since when.
    still: (u32, u64, Time),
    /// How many processors it may use.
    cpus: u32,
}

/// When a quota's first whole period begins, after its start or that of the run.
pub(super) fn phase(quota: &Quota, group: &Group, machine_seed: u64) -> Span {
    let stream = || StreamName::new(machine_seed).word("group").word(&group.name).word("phase").stream();
    let drawn = match &quota.phase {
        Distribution::Constant(phase) => *phase,
        Distribution::Random(law) => law.draw(&mut stream()),
    };
    Span::from_ns(drawn.ns() % quota.period.ns())
}

/// The groups of a scenario as timelines know them.
pub(super) fn names(scenario: &Scenario) -> IdVec<GroupId, GroupName> {
    let exact = scenario.machine.tick.is_none();
    let allowance = |group: &Group| {
        let quota = group.quota.as_ref()?;
        let Quota { amount, period, burst, .. } = *quota;
        Some(Allowance { amount, period, burst, phase: phase(quota, group, scenario.machine_seed), exact })
    };
    let name = |group: &Group| GroupName { name: group.name.clone(), parent: group.parent, quota: allowance(group) };
    scenario.groups.iter().map(name).collect()
}

impl Quotas {
    /// Those of a scenario, if it has any.
    pub(super) fn new(scenario: &Scenario) -> Option<Box<Quotas>> {
        let cpus = scenario.machine.processors.len();
        let with_quota = |(id, group): (GroupId, &Group)| {
            let quota = group.quota.as_ref()?;
            Some(Account::new(id, quota, phase(quota, group, scenario.machine_seed), cpus))
        };
        let accounts: Vec<Account> = scenario.groups.pairs().filter_map(with_quota).collect();
        if accounts.is_empty() {
            return None;
        }
        let place = |group: GroupId| accounts.iter().position(|account| account.group == group);
        let chain = |group| lineage(&scenario.groups, group).filter_map(place).collect();
        let of_process = scenario.processes.iter().map(|process| chain(process.group)).collect();
        let tick = scenario.machine.tick.map(|tick| (tick, scenario.machine.tick_phase));
        Some(Box::new(Quotas { accounts, of_process, tick, counted: Time::ZERO }))
    }

    /// May threads of the process run there now?
    pub(super) fn allow(&self, process: ProcessId, cpu: CpuId) -> bool {
        self.of_process[process].iter().all(|place| self.accounts[*place].has_some(cpu))
    }

    /// Must threads of the process that run there go on no longer? Where quotas end at ticks, that is asked at ticks.
    pub(super) fn stop(&self, process: ProcessId, cpu: CpuId, now: Time) -> bool {
        !self.allow(process, cpu) && self.tick.is_none_or(|tick| tick_from(tick, now) == now)
    }

    /// Counts what those who run have had up to now.
    pub(super) fn count(&mut self, now: Time, processors: &Processors, threads: &IdVec<ThreadId, Thread>) {
        if now <= self.counted {
            return;
        }
        for cpu in processors.ids().filter(|cpu| !processors[*cpu].is_idle()) {
            let ran = now.since(processors[cpu].run_start.max(self.counted));
            for place in &self.of_process[threads[processors[cpu].thread()].process] {
                self.accounts[*place].uses(cpu, ran);
            }
        }
        self.counted = now;
    }

    /// Begins the periods that begin by now: the places of the groups in which those who stood still have something again.
    pub(super) fn refill(&mut self, now: Time) -> Vec<usize> {
        let accounts = self.accounts.iter_mut().enumerate();
        accounts.filter_map(|(place, account)| account.refill(now).then_some(place)).collect()
    }

    /// Is the process in one of these groups?
    pub(super) fn is_in(&self, process: ProcessId, places: &[usize]) -> bool {
        self.of_process[process].iter().any(|place| places.contains(place))
    }

    /// Gives processors that have none left a piece, and takes from groups what cannot be divided among those who run.
    pub(super) fn divide(&mut self, now: Time, processors: &Processors, threads: &IdVec<ThreadId, Thread>) {
        let looks = self.tick.is_none();
        for place in 0..self.accounts.len() {
            let running = self.running(place, now, processors, threads);
            let account = &mut self.accounts[place];
            if let Some((pieces, length)) = &mut account.pieces {
                for (cpu, _) in running.iter().filter(|(_, begin)| *begin <= now) {
                    let piece = &mut pieces[cpu.index()];
                    if *piece <= 0 {
                        let taken = (*length - *piece).min(account.left).max(0);
                        *piece += taken;
                        account.left -= taken;
                    }
                }
            } else if looks && account.left > 0 && account.lasts(now, &running) <= now {
                // So little is lost.
                account.left = 0;
            }
        }
    }

    /// The processors on which threads of a group run, and from when on they did or will.
    fn running(
        &self,
        place: usize,
        now: Time,
        processors: &Processors,
        threads: &IdVec<ThreadId, Thread>,
    ) -> Vec<(CpuId, Time)> {
        let busy = processors.ids().filter(|cpu| !processors[*cpu].is_idle());
        let belongs = |cpu: &CpuId| self.of_process[threads[processors[*cpu].thread()].process].contains(&place);
        busy.filter(belongs).map(|cpu| (cpu, processors[cpu].run_start.max(now))).collect()
    }

    /// Notes who stands still from now on, and tells who does no longer.
    pub(super) fn note(
        &mut self,
        now: Time,
        processors: &Processors,
        threads: &IdVec<ThreadId, Thread>,
        mut tell: impl FnMut(GroupId, CpuId, Time),
    ) {
        for place in 0..self.accounts.len() {
            let running = self.running(place, now, processors, threads);
            let account = &mut self.accounts[place];
            for number in 0..account.stands.len() {
                let cpu = if account.pieces.is_some() { CpuId::from_index(number) } else { CpuId::NONE };
                let goes_on = running.iter().any(|(other, _)| cpu.is_none() || *other == cpu);
                let stands = !goes_on && !account.has_some(if cpu.is_none() { CpuId(0) } else { cpu });
                if !stands {
                    if let Some(since) = account.stands[number].take() {
                        tell(account.group, cpu, since);
                    }
                } else if account.stands[number].is_none() {
                    account.stands[number] = Some(now);
                }
            }
        }
    }

    /// A thread of the process has become ready, or is so no more.
    pub(super) fn is_ready(&mut self, process: ProcessId, came: bool) {
        for place in &self.of_process[process] {
            let waiting = &mut self.accounts[*place].waiting;
            *waiting = if came { *waiting + 1 } else { waiting.saturating_sub(1) };
        }
    }

    /// Notes on how many processors somebody stands still from now on, and tells what did up to now, if that is another number.
    pub(super) fn note_still(&mut self, now: Time, mut tell: impl FnMut(Still)) {
        for account in &mut self.accounts {
            let (processors, period) = (account.count_still(), account.number);
            if (account.still.0, account.still.1) != (processors, period) {
                account.stood_still(now).into_iter().for_each(&mut tell);
                account.still = (processors, period, now);
            }
        }
    }

    /// The run is over: tells what stood still.
    pub(super) fn tell_still(&self, now: Time, tell: impl FnMut(Still)) {
        self.accounts.iter().filter_map(|account| account.stood_still(now)).for_each(tell);
    }

    /// The run is over: tells who stands still.
    pub(super) fn tell_open(&mut self, mut tell: impl FnMut(GroupId, CpuId, Time)) {
        for account in &self.accounts {
            for (number, since) in account.stands.iter().enumerate() {
                let cpu = if account.pieces.is_some() { CpuId::from_index(number) } else { CpuId::NONE };
                since.iter().for_each(|since| tell(account.group, cpu, *since));
            }
        }
    }

    /// When somebody must be looked at next, if `waits`, somebody is ready.
    pub(super) fn next(
        &self,
        now: Time,
        waits: bool,
        processors: &Processors,
        threads: &IdVec<ThreadId, Thread>,
    ) -> Time {
        let mut next = Time::NEVER;
        for (place, account) in self.accounts.iter().enumerate() {
            let running = self.running(place, now, processors, threads);
            let stops = match self.tick {
                None => account.lasts(now, &running),
                Some(_) if running.is_empty() => Time::NEVER,
                Some(tick) => tick_from(tick, account.lasts(now, &running).max(now + Span::from_ns(1))),
            };
            if !running.is_empty() || waits && account.stands.iter().any(Option::is_some) {
                next = next.min(stops).min(account.ends());
            }
        }
        next
    }
}

impl Account {
    fn new(group: GroupId, quota: &Quota, phase: Span, cpus: usize) -> Account {
        let amount = i128::from(quota.amount.ns());
        Account {
            group,
            amount,
            burst: i128::from(quota.burst.ns()),
            period: quota.period,
            phase,
            number: u64::from(phase.is_zero()),
            left: amount,
            pieces: quota.slice.map(|slice| (vec![0; cpus], i128::from(slice.ns()))),
            stands: vec![None; if quota.slice.is_some() { cpus } else { 1 }],
            waiting: 0,
            still: (0, 0, Time::ZERO),
            cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
        }
    }

    /// On how many processors one of its threads waits for more of it now.
    fn count_still(&self) -> u32 {
        let standing = self.stands.iter().flatten().count();
        let places = if self.pieces.is_some() { u32::try_from(standing).unwrap_or(u32::MAX) } else { self.cpus };
        if standing == 0 { 0 } else { self.waiting.min(places) }
    }

    /// What stood still up to now.
    fn stood_still(&self, now: Time) -> Option<Still> {
        let (processors, period, start) = self.still;
        let told = Still { group: self.group, period, processors, start, end: now };
        (processors > 0 && start < now).then_some(told)
    }

    /// Has it something left for that processor?
    fn has_some(&self, cpu: CpuId) -> bool {
        self.left > 0 || self.pieces.as_ref().is_some_and(|(pieces, _)| pieces[cpu.index()] > 0)
    }

    fn uses(&mut self, cpu: CpuId, ran: Span) {
        let ran = i128::from(ran.ns());
        match &mut self.pieces {
            Some((pieces, _)) => {
                // What was more than its piece is taken at once, whether or not it goes on.
                let piece = &mut pieces[cpu.index()];
                *piece -= ran;
                let owed = (-*piece).clamp(0, self.left.max(0));
                *piece += owed;
                self.left -= owed;
            }
            None => self.left -= ran,
        }
    }

    /// When the present period ends.
    fn ends(&self) -> Time {
        Time::ZERO + self.phase + self.period * self.number
    }

    /// Begins another period if it is time. Does it have something now, and did not before?
    fn refill(&mut self, now: Time) -> bool {
        if now < self.ends() {
            return false;
        }
        let begun = (now - self.ends()).ns() / self.period.ns() + 1;
        self.number += begun;
        if let Some((pieces, _)) = &mut self.pieces {
            self.left += pieces.iter().sum::<i128>();
            pieces.fill(0);
        }
        self.left = (self.left + i128::from(begun) * self.amount).min(self.amount + self.burst);
        self.left > 0 && self.stands.iter().any(Option::is_some)
    }

    /// The last instant up to which those who run from these instants on, at the earliest from now, use no more than there is.
    fn lasts(&self, now: Time, running: &[(CpuId, Time)]) -> Time {
        let after = |begin: Time, some: i128| begin + Span::from_ns(u64::try_from(some.max(0)).unwrap_or(u64::MAX / 4));
        if let Some((pieces, _)) = &self.pieces {
            let ends = running.iter().map(|(cpu, begin)| after(*begin, pieces[cpu.index()]));
            return ends.min().unwrap_or(Time::NEVER);
        }
        let mut begins: Vec<Time> = running.iter().map(|(_, begin)| *begin).collect();
        begins.sort_unstable();
        let (mut left, mut end) = (self.left, Time::NEVER);
        for (index, begin) in begins.iter().enumerate() {
            let together = index as i128 + 1;
            end = after(*begin, left / together);
            match begins.get(index + 1) {
                Some(next) if *next < end => left -= i128::from((*next - *begin).ns()) * together,
                _ => break,
            }
        }
        end.max(now)
    }
}

/// The first tick from then on.
fn tick_from((tick, phase): (Span, Span), at: Time) -> Time {
    let since = at.ns().saturating_sub(phase.ns()).checked_next_multiple_of(tick.ns());
    since.map_or(Time::NEVER, |since| Time::ZERO + phase + Span::from_ns(since))
}
