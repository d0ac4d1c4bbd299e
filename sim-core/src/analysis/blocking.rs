//! How long tasks that are less urgent can keep a job waiting, because of the locks that they hold.
//!
//! On one processor, by tasks that do not wait for anything else while they hold a lock. What counts is the longest section of a
//! less urgent task with a lock whose *ceiling*, the most urgent task that uses it, is at least as urgent as the job, and with what
//! such locks it takes meanwhile, or at the instant at which it gives that one back. Behind a section whose ceiling is lower the
//! job runs.
//!
//! - `ceiling` (immediate): one such section (by deadlines Baker 1991 and Burns et al. 2015).
//! - `non-preemptive`: one section, whatever its ceiling.
//! - `inherit`: for each less urgent task one, or for each lock one, whichever is less together (Sha, Rajkumar & Lehoczky 1990).
//!   A lock that is taken while another is held passes on the ceiling of that one.
//! - `original-ceiling`: one such section (Sha, Rajkumar & Lehoczky 1990).
//! - `none`: no bound.
//!
//! Here a lock is handed over at the instant at which it is given back, also to somebody less urgent who does not run then. So of
//! `inherit` one for each lock, and one at all of `original-ceiling`, hold only for a job that asks once, and where nobody more
//! urgent asks; otherwise it is one for each less urgent task.
//!
//! By deadlines, a task is less urgent than a job that is due within t if its own deadline is longer than t, and the ceiling of a
//! lock is the shortest deadline (Baruah 2006).

use std::collections::BTreeMap;

use super::ideal;
use super::longest::{self, Held, Price};
use super::reservations::own_thread;
use crate::ids::{CpuId, IdVec, SpecId, SyncId};
use crate::policy::Policy;
use crate::scenario::{HandOver, Order, Protocol, Scenario, Spec, Speed};
use crate::time::{Span, Time};

/// Who may keep others waiting.
pub(super) struct Owner {
    /// Its place among the periodic instances of the scenario, if it is one.
    pub(super) task: Option<usize>,
    /// The smaller, the more urgent; of those who are not periodic the largest.
    pub(super) level: ideal::Level,
    /// The same by deadlines: from a release to the deadline.
    pub(super) deadline: u64,
    /// How many there are of it; `None` if others make as many as they like.
    instances: Option<u64>,
    sections: Vec<Section>,
    /// How often a job asks for each lock; `None` if that has no bound.
    asks: BTreeMap<SyncId, Option<u64>>,
}

struct Section {
    lock: SyncId,
    protocol: Protocol,
    /// How urgent the most urgent task is that can be kept waiting by it.
    ceiling: i64,
    /// How long it is for a job of such urgency, and for those that are more urgent than the one before; the last for all.
    lengths: Vec<(i64, u64)>,
}

impl Section {
    /// How long it keeps a job waiting that is so urgent.
    fn length(&self, urgency: i64) -> u64 {
        if self.protocol != Protocol::NonPreemptive && self.ceiling < urgency {
            return 0;
        }
        self.lengths.iter().find(|(level, _)| *level >= urgency).map_or(0, |(_, length)| *length)
    }
}

/// The locks by which periodic tasks can be kept waiting, and what is known of them.
struct Locks<'a> {
    scenario: &'a Scenario,
    policy: Box<dyn Policy>,
    /// What each task holds. Empty for those that hold none of these.
    held: IdVec<SpecId, Vec<Held>>,
    relevant: Vec<SyncId>,
}

impl Locks<'_> {
    fn of(scenario: &Scenario) -> Locks<'_> {
        let switch = ideal::switch(scenario);
        let price = Price { works: true, asking: &|lock| contended(scenario, lock, switch) };
        let held = scenario.specs.iter().map(|spec| longest::sections(&spec.program, price, &|_| true)).collect();
        let mut locks = Locks { scenario, policy: ideal::policy(scenario), held, relevant: Vec::new() };
        let matters = |lock: &SyncId| {
            let periodic = |(_, spec): &(SpecId, &Spec)| spec.attributes.periodic.is_some();
            let object = &scenario.syncs[*lock];
            let shared = object.protocol == Protocol::NonPreemptive || locks.users(*lock).any(|user| periodic(&user));
            object.kind.is_lock() && shared && locks.is_shared(*lock)
        };
        let mut relevant: Vec<SyncId> = scenario.syncs.ids().filter(matters).collect();
        // What holders of such locks wait for keeps those waiting who wait for them.
        let mut from = 0;
        while from < relevant.len() {
            let held = locks.held.iter().flatten().filter(|held| held.lock == relevant[from]);
            let inside: Vec<SyncId> = held.flat_map(|held| &held.inside).copied().collect();
            for lock in inside {
                if !relevant.contains(&lock) && locks.is_shared(lock) {
                    relevant.push(lock);
                }
            }
            from += 1;
        }
        locks.relevant = relevant;
        locks
    }

    fn users(&self, lock: SyncId) -> impl Iterator<Item = (SpecId, &Spec)> {
        let uses = move |(id, _): &(SpecId, &Spec)| self.held[*id].iter().any(|held| held.lock == lock);
        self.scenario.specs.pairs().filter(uses)
    }

    /// Can it be taken while somebody else has it, or keep others from running?
    fn is_shared(&self, lock: SyncId) -> bool {
        let spawned = |spec: &Spec| spec.arrival == crate::scenario::Arrival::Spawned;
        let instances = |(_, spec): (SpecId, &Spec)| if spawned(spec) { 2 } else { u64::from(spec.count) };
        let protocol = self.scenario.syncs[lock].protocol;
        protocol == Protocol::NonPreemptive
            || self.users(lock).map(instances).sum::<u64>() > 1
            || (protocol == Protocol::OriginalCeiling && self.users(lock).any(|user| self.has_equal(user)))
    }

    /// Is there another task just as urgent that takes locks? Under the original protocol a ceiling keeps also that one waiting.
    fn has_equal(&self, (user, spec): (SpecId, &Spec)) -> bool {
        let urgency = self.urgency(spec);
        let others = self.scenario.specs.pairs().filter(|(id, _)| *id != user && !self.held[*id].is_empty());
        others.map(|(_, other)| self.urgency(other)).any(|other| other == urgency)
    }

    /// The sections with relevant locks.
    fn sections(&self, spec: SpecId) -> impl Iterator<Item = &Held> {
        self.held[spec].iter().filter(|held| self.relevant.contains(&held.lock))
    }

    /// How urgent any job of the task is, by its period or by its deadline.
    fn urgency(&self, spec: &Spec) -> i64 {
        let deadline = spec.attributes.periodic.as_ref().map_or(Time::NEVER, |periodic| Time::ZERO + periodic.deadline);
        self.policy.urgency(&spec.attributes, deadline)
    }

    /// How urgent the most urgent is that can be kept waiting for the lock, directly or through others.
    fn ceilings(&self) -> BTreeMap<SyncId, i64> {
        let ceiling = |lock: SyncId| self.users(lock).map(|(_, spec)| self.urgency(spec)).max().unwrap_or(i64::MIN);
        let taken = self.held.iter().flatten().map(|held| held.lock);
        let mut ceilings: BTreeMap<SyncId, i64> = taken.map(|lock| (lock, ceiling(lock))).collect();
        let inherits = |lock: SyncId| self.scenario.syncs[lock].protocol == Protocol::Inherit;
        for _ in 0..ceilings.len() {
            let before = ceilings.clone();
            for held in self.held.iter().flatten().filter(|held| inherits(held.lock)) {
                for lock in &held.inside {
                    if let (Some(outer), Some(inner)) = (before.get(&held.lock), ceilings.get_mut(lock)) {
                        *inner = (*inner).max(*outer);
                    }
                }
            }
            if ceilings == before {
                break;
            }
        }
        ceilings
    }
}

/// What a job may pay for each time it asks for the lock: two switches, where it may have to wait for it.
pub(super) fn contended(scenario: &Scenario, lock: SyncId, switch: Span) -> Span {
    match scenario.syncs[lock].protocol {
        Protocol::Inherit | Protocol::OriginalCeiling => switch * 2,
        Protocol::None | Protocol::Ceiling | Protocol::NonPreemptive => Span::ZERO,
    }
}

/// Who may keep others waiting on the processor.
pub(super) fn owners(scenario: &Scenario, cpu: Option<CpuId>, speed: Speed) -> Vec<Owner> {
    let locks = Locks::of(scenario);
    let ceilings = locks.ceilings();
    let mut owners = Vec::new();
    let mut place = 0;
    for (id, spec) in scenario.specs.pairs() {
        let first = place;
        place += if spec.attributes.periodic.is_some() { spec.count as usize } else { 0 };
        let here = cpu.is_none_or(|cpu| spec.attributes.allows(cpu));
        if !here || locks.sections(id).next().is_none() {
            continue;
        }
        let sections = || kept(&locks, id, &ceilings, speed);
        let asks = |lock: SyncId| {
            let asking = |other: SyncId| Span::from_ns(u64::from(other == lock));
            (lock, longest::run(&spec.program, Price { works: false, asking: &asking }).map(Span::ns))
        };
        let asks: BTreeMap<SyncId, Option<u64>> = locks.sections(id).map(|held| asks(held.lock)).collect();
        match &spec.attributes.periodic {
            Some(periodic) => owners.extend((0..spec.count).map(|instance| Owner {
                task: Some(first + instance as usize),
                level: ideal::level(scenario, &*locks.policy, id, instance),
                deadline: periodic.deadline.ns(),
                instances: Some(1),
                sections: sections(),
                asks: asks.clone(),
            })),
            None => owners.push(Owner {
                task: None,
                level: ideal::Level::LEAST,
                deadline: u64::MAX,
                instances: (spec.count > 0).then_some(u64::from(spec.count)),
                sections: sections(),
                asks,
            }),
        }
    }
    owners
}

/// The sections of a task by which it keeps others waiting.
fn kept(locks: &Locks<'_>, id: SpecId, ceilings: &BTreeMap<SyncId, i64>, speed: Speed) -> Vec<Section> {
    let (scenario, switch) = (locks.scenario, ideal::switch(locks.scenario));
    let protocol = |lock: SyncId| scenario.syncs[lock].protocol;
    let mut levels: Vec<i64> = locks.held[id].iter().map(|held| ceilings[&held.lock]).chain([i64::MAX]).collect();
    levels.sort_unstable();
    levels.dedup();
    let price = Price { works: true, asking: &|lock| contended(scenario, lock, switch) };
    let at = |level: i64| {
        let keeps = |lock: SyncId| protocol(lock) == Protocol::NonPreemptive || ceilings[&lock] >= level;
        longest::sections(&scenario.specs[id].program, price, &keeps)
    };
    let by_level: Vec<(i64, Vec<Held>)> = levels.into_iter().map(|level| (level, at(level))).collect();
    let length = |held: &Held| held.longest.map_or(u64::MAX, |longest| speed.time_for(longest).ns());
    let section = |(number, held): (usize, &Held)| Section {
        lock: held.lock,
        protocol: protocol(held.lock),
        ceiling: ceilings[&held.lock],
        lengths: by_level.iter().map(|(level, sections)| (*level, length(&sections[number]))).collect(),
    };
    let relevant = |(_, held): &(usize, &Held)| locks.relevant.contains(&held.lock);
    locks.held[id].iter().enumerate().filter(relevant).map(section).collect()
}

/// For how long others keep a job waiting; `None` where there is no bound.
#[derive(Clone, Copy)]
pub(super) struct Waits {
    /// If it is the only job of its task in a busy period.
    pub(super) alone: Option<u64>,
    /// However many there are.
    pub(super) any: Option<u64>,
}

impl Owner {
    /// The longest section of these protocols by which a job that is so urgent can be kept waiting.
    fn longest(&self, urgency: i64, protocols: &[Protocol], lock: Option<SyncId>) -> u64 {
        let of =
            |section: &&Section| protocols.contains(&section.protocol) && lock.is_none_or(|lock| section.lock == lock);
        self.sections.iter().filter(of).map(|section| section.length(urgency)).max().unwrap_or(0)
    }

    /// All instances of it together.
    fn all(&self, length: u64) -> Option<u64> {
        if length == 0 { Some(0) } else { self.instances?.checked_mul(length) }
    }
}

const AT_ONCE: &[Protocol] = &[Protocol::Ceiling, Protocol::NonPreemptive];
const INHERIT: &[Protocol] = &[Protocol::Inherit];
const ORIGINAL: &[Protocol] = &[Protocol::OriginalCeiling];

fn sum(mut parts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    parts.try_fold(0_u64, |sum, part| sum.checked_add(part?))
}

/// How long the less urgent keep a job waiting that is so urgent; `itself` is what it asks for, if anything, and `more_urgent` are
/// all others that are at least as urgent.
pub(super) fn bound(less_urgent: &[&Owner], urgency: i64, itself: Option<&Owner>, more_urgent: &[&Owner]) -> Waits {
    let longest = |protocols: &[Protocol], lock| {
        less_urgent.iter().map(|owner| owner.longest(urgency, protocols, lock)).max().unwrap_or(0)
    };
    let each = |protocols: &[Protocol], lock| {
        sum(less_urgent.iter().map(|owner| owner.all(owner.longest(urgency, protocols, lock))))
    };
    let asks = |owner: &Owner, lock: SyncId| owner.asks.get(&lock).copied().unwrap_or(Some(0));
    let once = |locks: &[SyncId]| {
        let own = sum(locks.iter().map(|lock| itself.map_or(Some(0), |itself| asks(itself, *lock))));
        own.is_some_and(|times| times <= 1)
            && more_urgent.iter().all(|owner| locks.iter().all(|lock| asks(owner, *lock) == Some(0)))
    };
    let of = |protocol: Protocol| {
        let sections = less_urgent.iter().flat_map(|owner| &owner.sections);
        let mut locks: Vec<SyncId> =
            sections.filter(|section| section.protocol == protocol).map(|section| section.lock).collect();
        locks.sort_unstable();
        locks.dedup();
        locks
    };
    let by_lock =
        |lock: &SyncId| if once(&[*lock]) { Some(longest(INHERIT, Some(*lock))) } else { each(INHERIT, Some(*lock)) };
    let by_owner = each(INHERIT, None);
    let inherited = [by_owner, sum(of(Protocol::Inherit).iter().map(by_lock))].into_iter().flatten().min();
    let original =
        if once(&of(Protocol::OriginalCeiling)) { Some(longest(ORIGINAL, None)) } else { each(ORIGINAL, None) };
    let at_once = Some(longest(AT_ONCE, None));
    Waits {
        alone: sum([at_once, inherited, original].into_iter()),
        any: sum([at_once, by_owner, each(ORIGINAL, None)].into_iter()),
    }
}

/// What of the locks is not as these bounds suppose.
pub(super) fn reservations(scenario: &Scenario) -> Vec<String> {
    let locks = Locks::of(scenario);
    let mut all: Vec<String> = locks.relevant.iter().filter_map(|lock| of_a_lock(&locks, *lock)).collect();
    if all.is_empty() && !locks.relevant.is_empty() {
        all.extend(of_an_order(&locks));
    }
    all
}

fn of_a_lock(locks: &Locks<'_>, lock: SyncId) -> Option<String> {
    let (scenario, object) = (locks.scenario, &locks.scenario.syncs[lock]);
    let name = &object.name;
    if object.protocol == Protocol::None {
        return Some(format!("`{name}` has no protocol: there is no bound on how long a job waits for it"));
    }
    let rule = &object.rule;
    if !object.spin.is_zero() || rule.yields > 0 || rule.order != Order::Urgent || rule.hand_over != HandOver::Direct {
        return Some(format!("`{name}` is not simply handed to the most urgent who waits"));
    }
    if scenario.scheduler.settings.step().is_some() {
        return Some(format!(
            "there are bounds for `{name}` by priorities and by deadlines, not under {}",
            scenario.scheduler.kind.name
        ));
    }
    let only = |spec: &Spec| {
        let mut allowed = scenario.machine.processors.ids().filter(|cpu| spec.attributes.allows(*cpu));
        allowed.next().filter(|_| allowed.next().is_none())
    };
    let mut first = None;
    for (id, spec) in locks.users(lock) {
        let cpu = only(spec);
        let has_longest = |held: &Held| held.lock != lock || held.longest.is_some();
        let why = match () {
            () if cpu.is_none() || *first.get_or_insert(cpu) != cpu => "on several processors",
            () if !own_thread(scenario, spec) => "and has no thread of its own",
            () if ideal::served(scenario, spec) => "and may run out of the budget of its server then",
            () if !locks.held[id].iter().all(has_longest) => {
                "and does more than compute then, or for a time without bound"
            }
            () => continue,
        };
        return Some(format!("`{}` takes `{name}` {why}", spec.name));
    }
    None
}

/// Can holders wait for each other in a circle, or by rules that do not fit together?
fn of_an_order(locks: &Locks<'_>) -> Option<String> {
    let syncs = &locks.scenario.syncs;
    let edges = || locks.held.iter().flatten().flat_map(|held| held.inside.iter().map(|inner| (held.lock, *inner)));
    let mixed = |(outer, inner): &(SyncId, SyncId)| {
        let waits = |lock: SyncId| matches!(syncs[lock].protocol, Protocol::Inherit | Protocol::OriginalCeiling);
        syncs[*outer].protocol != syncs[*inner].protocol && (waits(*outer) || waits(*inner))
    };
    if let Some((outer, inner)) = edges().find(mixed) {
        let (outer, inner) = (&syncs[outer].name, &syncs[inner].name);
        return Some(format!("`{inner}` is taken while `{outer}` is held, and their protocols differ"));
    }
    // What is left when those are taken away, again and again, inside of which nothing is taken, is in a circle.
    let mut left: Vec<(SyncId, SyncId)> =
        edges().filter(|(outer, inner)| outer == inner || syncs[*outer].protocol == Protocol::Inherit).collect();
    loop {
        let before = left.len();
        let outer: Vec<SyncId> = left.iter().map(|(outer, _)| *outer).collect();
        left.retain(|(_, inner)| outer.contains(inner));
        if left.len() == before {
            break;
        }
    }
    let (lock, _) = left.first()?;
    Some(format!("a deadlock is possible: `{}` is taken inside of what is taken inside of it", syncs[*lock].name))
}
