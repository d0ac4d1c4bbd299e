//! A queue per processor: each processor has a policy of its own, which sees a machine with that one processor.
//!
//! Rule: a thread is placed on a processor when it first becomes ready, and that is its home: it is queued there
//! whenever it is ready, and takes the processor only from others at home. `placement` says where a new thread goes,
//! among the processors that it may use: to the one with the fewest threads ready and running (`least-loaded`, the
//! lowest number among equals), to one after the other (`round-robin`), to a random one, or to the `first`. `balance`
//! says who moves: nobody (`none`); to a processor with an empty queue that is free, one from the processor with most
//! threads waiting (`steal`), but not the only one of a processor that is free itself and takes it at this instant; or at
//! every multiple of a span (`every`), one after the other from the fullest processor to the emptiest while they differ
//! by two or more. Who moves is whom the policy of the old home would run next, of those that may use the new one.
//!
//! What a policy remembers of a thread stays behind: it has finished at the old home and arrives at the new one. A
//! thread whose affinity changes (one that carries other tasks than before) is placed anew if it must be.
//!
//! Source: the two ways of multiprocessor scheduling in any textbook; work stealing after Blumofe & Leiserson 1999,
//! with the fullest queue instead of a random one. Cost: that of the policies; placing and stealing are linear in the
//! number of processors, alarms as well.

mod local;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::sync::Arc;

use self::local::Local;
use super::grouped::{Grouped, Weights};
use super::on_linux::{Counterpart, Realised};
use super::{Attributes, Exit, Policy, Settings, Setup, Slice, Slot, Traits, Turn, View, Who, Why};
use crate::document::{Item, Kind, Table};
use crate::rng::{Stream, StreamName};
use crate::time::{Span, Time};

/// The processor of a queue, as its policy sees it.
const HERE: Slot = Slot(0);
/// A second slot on which nobody runs: whoever is picked for it leaves the queue through it.
const DOOR: Slot = Slot(1);
/// The home of those who have none yet.
const NOWHERE: Slot = Slot(u32::MAX);

/// A policy for each processor, and who goes where.
#[derive(Debug)]
pub(crate) struct PerProcessor {
    /// From which each processor gets its own.
    pub(crate) policy: Arc<dyn Settings>,
    /// Who goes where.
    pub(crate) rules: Rules,
}

/// Who goes where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    placement: Placement,
    balance: Balance,
}

/// Where a new thread goes, among the processors that it may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Placement {
    LeastLoaded,
    RoundRobin,
    Random,
    First,
}

/// Who moves to another processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Balance {
    None,
    Steal,
    Every(Span),
}

impl Rules {
    /// Reads `queues` and what goes with it; nothing if there is one queue for all.
    pub(crate) fn read(table: &mut Table<'_>) -> Option<Rules> {
        let queues = table.item("queues");
        if queues.is_some() {
            let rules = Rules { placement: Placement::read(table), balance: Balance::read(table) };
            // One who writes "shared" keeps the rest, so that the queues alone can be varied.
            return (queues?.one_of(&["shared", "per-processor"])? == 1).then_some(rules);
        }
        for key in ["placement", "balance"] {
            // A file keeps what it says to policies with queues of their own.
            let is_for_others = |item: &Item<'_>| matches!(item.kind(), Kind::Text(text) if is_for_own_queues(text));
            if let Some(item) = table.item(key).filter(|item| !is_for_others(item)) {
                let sentence = format!("`{key}` is about queues of processors, and all processors share one queue");
                item.wrong(sentence, "add queues = \"per-processor\"");
            }
        }
        None
    }

    fn label(self) -> String {
        let placement = match self.placement {
            Placement::LeastLoaded => "least loaded",
            Placement::RoundRobin => "round robin",
            Placement::Random => "random",
            Placement::First => "first",
        };
        match self.balance {
            Balance::None => format!("queues per processor: {placement}, never balanced"),
            Balance::Steal => format!("queues per processor: {placement}, stealing"),
            Balance::Every(span) => format!("queues per processor: {placement}, balanced every {span}"),
        }
    }
}

/// Is this what a policy that has queues of its own calls a placement?
fn is_for_own_queues(placement: &str) -> bool {
    super::linux::PLACEMENTS.contains(&placement)
}

impl Placement {
    fn read(table: &mut Table<'_>) -> Placement {
        match table.one_of("placement", &["least-loaded", "round-robin", "random", "first"]) {
            Some(1) => Placement::RoundRobin,
            Some(2) => Placement::Random,
            Some(3) => Placement::First,
            _ => Placement::LeastLoaded,
        }
    }
}

impl Balance {
    fn read(table: &mut Table<'_>) -> Balance {
        let Some(item) = table.item("balance") else { return Balance::Steal };
        if item.is_table() {
            let Some(mut table) = item.table("`balance`") else { return Balance::Steal };
            return Balance::Every(table.required_span("every", "how often queues are balanced"));
        }
        match item.one_of(&["none", "steal"]) {
            Some(0) => Balance::None,
            _ => Balance::Steal,
        }
    }
}

impl Settings for PerProcessor {
    fn quanta(&self) -> Vec<(String, Span)> {
        self.policy.quanta()
    }

    fn label(&self) -> String {
        let policy = self.policy.label();
        let rules = self.rules.label();
        if policy.is_empty() { rules } else { format!("{policy}; {rules}") }
    }

    fn step(&self) -> Option<Span> {
        self.policy.step()
    }

    fn ticks(&self, machine: Option<Span>) -> Option<Span> {
        self.policy.ticks(machine)
    }

    fn queueing(&self) -> super::Queueing {
        let balanced = match self.rules.balance {
            Balance::Every(span) => Some(span),
            Balance::None | Balance::Steal => None,
        };
        super::Queueing::Apart { balanced }
    }

    fn grouped(&self, groups: &Weights) -> Option<Arc<dyn Settings>> {
        Some(Arc::new(PerProcessor { policy: Grouped::of(&self.policy, groups), rules: self.rules }))
    }

    fn on_linux(&self) -> Counterpart {
        self.policy.on_linux().but(Realised::Approximated, "knows neither `placement` nor `balance`")
    }

    fn build(&self, setup: &Setup) -> Box<dyn Policy> {
        let own = |number: usize| Setup { slots: 2, seed: seed_of(setup.seed, number), ..*setup };
        let setups: Vec<Setup> = (0..setup.slots).map(own).collect();
        let queue = |policy| Queue { policy, waiting: 0, busy: false, rang: None };
        Box::new(Queues {
            rules: self.rules,
            queues: self.policy.build_apart(&setups).into_iter().map(queue).collect(),
            homes: Vec::new(),
            waiting: 0,
            present: 0,
            next_placed: 0,
            next_balanced: Time::ZERO,
            chance: StreamName::new(setup.seed).word("scheduler").word("placement").stream(),
        })
    }
}

/// The policies of different processors draw from different streams; the first from that of a policy for all, so that
/// on one processor there is no difference.
fn seed_of(seed: u64, number: usize) -> u64 {
    match number {
        0 => seed,
        _ => StreamName::new(seed).word("scheduler").word("queue").number(number as u64).stream().next_u64(),
    }
}

/// All queues.
struct Queues {
    rules: Rules,
    /// By processor.
    queues: Vec<Queue>,
    /// By thread.
    homes: Vec<Slot>,
    /// How many are ready in all queues.
    waiting: usize,
    /// How many are ready or run.
    present: usize,
    /// Where the next new thread goes, with `placement = "round-robin"`.
    next_placed: usize,
    /// When queues are balanced next; means nothing while nobody is there.
    next_balanced: Time,
    chance: Stream,
}

/// The queue of one processor.
struct Queue {
    policy: Box<dyn Policy>,
    /// How many are ready.
    waiting: usize,
    /// Does somebody run here?
    busy: bool,
    /// When its alarm rang last.
    rang: Option<Time>,
}

impl Queue {
    fn load(&self) -> usize {
        self.waiting + usize::from(self.busy)
    }

    /// How many another processor may take: a free processor takes one itself.
    fn spare(&self) -> usize {
        self.waiting.saturating_sub(usize::from(!self.busy))
    }
}

impl Queues {
    /// Asks the policy of a processor, which sees nothing but that.
    fn at<T>(&mut self, home: Slot, view: &View<'_>, ask: impl FnOnce(&mut Queue, &View<'_>) -> T) -> T {
        let floor = Local { floor: view.floor, here: home, door: None };
        ask(&mut self.queues[home.0 as usize], &View { now: view.now, floor: &floor, no_affinity: view.no_affinity })
    }

    fn home(&mut self, who: Who) -> &mut Slot {
        let index = who.0 as usize;
        if self.homes.len() <= index {
            self.homes.resize(index + 1, NOWHERE);
        }
        &mut self.homes[index]
    }

    /// The processor on which somebody new is queued. It may use one at least.
    fn place(&mut self, who: Who, view: &View<'_>) -> Slot {
        let count = self.queues.len();
        let allowed = |index: &usize| view.free() || view.floor.may_live(who, slot(*index));
        let chosen = match self.rules.placement {
            Placement::First => (0..count).find(allowed),
            Placement::LeastLoaded => (0..count).filter(allowed).min_by_key(|index| self.queues[*index].load()),
            Placement::RoundRobin => {
                let chosen = (self.next_placed..count).chain(0..self.next_placed).find(allowed);
                self.next_placed = chosen.map_or(0, |chosen| (chosen + 1) % count);
                chosen
            }
            Placement::Random => {
                let candidates: Vec<usize> = (0..count).filter(allowed).collect();
                let choice = self.chance.below(candidates.len().max(1) as u64);
                usize::try_from(choice).ok().and_then(|choice| candidates.get(choice).copied())
            }
        };
        slot(chosen.unwrap_or(0))
    }

    fn pick_at_home(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        self.at(slot, view, |queue, view| {
            let turn = queue.policy.pick(HERE, view)?;
            queue.waiting -= 1;
            queue.busy = true;
            Some(turn)
        })
    }

    fn enqueue(&mut self, who: Who, home: Slot, why: Why, view: &View<'_>) {
        self.waiting += 1;
        self.at(home, view, |queue, view| {
            queue.waiting += 1;
            queue.policy.ready(who, why, view);
        });
    }

    /// Moves whom the policy of `from` would run next, of those that may use `to`; there it is queued.
    fn take(&mut self, from: usize, to: Slot, view: &View<'_>) -> Option<Who> {
        let floor = Local { floor: view.floor, here: slot(from), door: Some(to) };
        let queue = &mut self.queues[from];
        let through_door = View { now: view.now, floor: &floor, no_affinity: view.no_affinity };
        let who = queue.policy.pick(DOOR, &through_door)?.who;
        queue.policy.left(who, DOOR, Span::ZERO, Exit::Finished, &through_door);
        queue.waiting -= 1;
        self.waiting -= 1;
        *self.home(who) = to;
        self.enqueue(who, to, Why::Arrived, view);
        Some(who)
    }

    /// Gets somebody from the fullest queue that has somebody for this processor.
    fn steal(&mut self, to: Slot, view: &View<'_>) {
        let mut others: Vec<usize> = (0..self.queues.len()).filter(|index| self.queues[*index].spare() > 0).collect();
        others.sort_by_key(|index| Reverse(self.queues[*index].waiting));
        others.into_iter().find_map(|from| self.take(from, to, view));
    }

    /// Moves one thread from a full processor to an emptier one, if that makes them more alike: who?
    fn even_out(&mut self, view: &View<'_>) -> Option<Who> {
        let mut emptiest: Vec<usize> = (0..self.queues.len()).collect();
        let mut fullest = emptiest.clone();
        emptiest.sort_by_key(|index| self.queues[*index].load());
        fullest.sort_by_key(|index| Reverse(self.queues[*index].load()));
        for to in emptiest {
            for from in &fullest {
                if self.queues[*from].load() < self.queues[to].load() + 2 {
                    break;
                }
                if let Some(who) = self.take(*from, slot(to), view) {
                    return Some(who);
                }
            }
        }
        None
    }

    /// Balances all queues. Whoever is more urgent than the one who runs at its new home displaces it.
    fn balance(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        while let Some(who) = self.even_out(view) {
            again.extend(self.traits().preemptive.then_some(who));
        }
    }

    /// The first time after `now` at which queues are balanced.
    fn balanced_after(&self, now: Time) -> Time {
        match self.rules.balance {
            Balance::Every(span) => Time::ZERO + span * (now.ns() / span.ns() + 1),
            Balance::None | Balance::Steal => Time::NEVER,
        }
    }
}

impl Policy for Queues {
    fn ready(&mut self, who: Who, why: Why, view: &View<'_>) {
        if self.present == 0 {
            self.next_balanced = self.balanced_after(view.now);
        }
        self.present += 1;
        let before = *self.home(who);
        let stays = before != NOWHERE && (view.free() || view.floor.may_live(who, before));
        let home = if stays { before } else { self.place(who, view) };
        *self.home(who) = home;
        let local = |slot: Slot, why: Why| if slot == home { why } else { Why::Arrived };
        let why = match why {
            Why::Arrived => Why::Arrived,
            Why::Woken if stays || before == NOWHERE => Why::Woken,
            Why::Woken => Why::Arrived,
            Why::Spawned(slot) => local(slot, Why::Spawned(HERE)),
            Why::Expired(slot) => local(slot, Why::Expired(HERE)),
            Why::Preempted(slot) => local(slot, Why::Preempted(HERE)),
            Why::Yielded(slot) => local(slot, Why::Yielded(HERE)),
        };
        self.enqueue(who, home, why, view);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let empty = self.queues[slot.0 as usize].waiting == 0;
        if empty && self.waiting > 0 && self.rules.balance == Balance::Steal {
            self.steal(slot, view);
        }
        let turn = self.pick_at_home(slot, view).or_else(|| {
            // Whoever is queued here must not run now.
            let steals = !empty && self.rules.balance == Balance::Steal;
            steals.then(|| self.steal(slot, view)).and_then(|()| self.pick_at_home(slot, view))
        })?;
        self.waiting -= 1;
        Some(turn)
    }

    fn withdraw(&mut self, who: Who, view: &View<'_>) -> bool {
        self.present -= 1;
        self.waiting -= 1;
        let home = *self.home(who);
        self.at(home, view, |queue, view| {
            queue.waiting -= 1;
            queue.policy.withdraw(who, view);
        });
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        let home = *self.home(who);
        if home == NOWHERE {
            return String::new();
        }
        let words = self.at(home, view, |queue, view| queue.policy.tells(who, view));
        let of = format!("in the queue of processor {}", home.0);
        if words.is_empty() { of } else { format!("{of}, {words}") }
    }

    fn waiting(&self) -> usize {
        self.waiting
    }

    /// Who waits for another processor is not handed this one, and comes next there.
    fn is_next(&mut self, who: Who, _: Slot, view: &View<'_>) {
        let home = *self.home(who);
        self.at(home, view, |queue, view| queue.policy.is_next(who, HERE, view));
    }

    fn lists_held_back(&self, those: &mut Vec<Who>) {
        self.queues.iter().for_each(|queue| queue.policy.lists_held_back(those));
    }

    fn left(&mut self, who: Who, slot: Slot, ran: Span, exit: Exit, view: &View<'_>) {
        self.present -= 1;
        // One who carries another task now, which may not be run here, does not come back.
        let gone = exit == Exit::Ready && !view.floor.may_live(who, slot);
        let exit = if gone { Exit::Finished } else { exit };
        self.at(slot, view, |queue, view| {
            queue.busy = false;
            queue.policy.left(who, HERE, ran, exit, view);
        });
    }

    fn displaces(&mut self, who: Who, view: &View<'_>) -> Option<Slot> {
        let home = *self.home(who);
        self.at(home, view, |queue, view| queue.policy.displaces(who, view)).map(|_| home)
    }

    fn traits(&self) -> Traits {
        let ours = self.queues[0].policy.traits();
        Traits {
            has_alarms: ours.has_alarms || matches!(self.rules.balance, Balance::Every(_)),
            confined: self.rules.balance != Balance::Steal,
            ..ours
        }
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        let home = *self.home(who);
        if home != NOWHERE {
            self.at(home, view, |queue, view| queue.policy.changed(who, view));
        }
    }

    fn level(&self, attributes: &Attributes) -> Option<(&'static str, String)> {
        self.queues[0].policy.level(attributes)
    }

    fn urgency(&self, attributes: &Attributes, deadline: Time) -> i64 {
        self.queues[0].policy.urgency(attributes, deadline)
    }

    /// While nobody is there, queues need not be balanced.
    fn alarm(&self) -> Time {
        let balance = if self.present > 0 { self.next_balanced } else { Time::NEVER };
        self.queues.iter().map(|queue| queue.policy.alarm()).fold(balance, Time::min)
    }

    fn ring(&mut self, again: &mut Vec<Who>, view: &View<'_>) {
        for home in (0..self.queues.len()).map(slot) {
            self.at(home, view, |queue, view| {
                if queue.policy.alarm() <= view.now {
                    queue.rang = Some(view.now);
                    queue.policy.ring(again, view);
                }
            });
        }
        if self.present > 0 && self.next_balanced <= view.now {
            self.next_balanced = self.balanced_after(view.now);
            self.balance(again, view);
        }
    }

    fn anew(&mut self, slot: Slot, view: &View<'_>) -> Option<Slice> {
        self.at(slot, view, |queue, view| {
            let rang = queue.rang == Some(view.now);
            rang.then(|| queue.policy.anew(HERE, view)).flatten()
        })
    }
}

fn slot(index: usize) -> Slot {
    Slot(u32::try_from(index).unwrap_or(u32::MAX))
}
