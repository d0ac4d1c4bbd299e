//! Starvation: see [`super`].

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::homes::Homes;
use super::lent::Lent;
use super::outranked::Outranked;
use super::turns::{Turn, Turns};
use super::urgency::Urgencies;
use super::{Finding, OVERTAKEN, Record, TOLD};
use crate::executor::{self, Threads};
use crate::ids::{CpuId, DeviceId, IdVec, TaskId};
use crate::metrics::{Metrics, TaskSums};
use crate::policy::Policy;
use crate::rng::StreamName;
use crate::scenario::{CpuSet, Executor, Scenario};
use crate::time::{Span, Time};

use crate::timeline::{Life, Request, Runtime, Standing, Timeline};

/// A turn that came too late, and how many others were before it that should not have been.
struct Starved {
    turn: Turn,
    times: u64,
    /// How urgent the least urgent of those others was.
    least: i64,
}

/// A queue, and how it is told that somebody waited in it.
struct Queue<'a> {
    turns: Vec<Turn>,
    /// In whose eyes the more urgent goes first, if that is who goes first here.
    by: Option<&'a dyn Policy>,
    /// `waited … for lock m`: what stands before and behind the time.
    waited: [String; 2],
    /// What the others did: `came later and had it … times`.
    others: &'static str,
    /// What strict priority keeps from, and what the others did then.
    kept: [String; 2],
}

/// What all searches for starvation need.
pub(super) struct Search<'a> {
    record: &'a Record<'a>,
    urgencies: Urgencies<'a>,
    lent: Lent,
}

/// So long somebody waits in one go, for a device or a turn, who starves: half of the run.
fn is_long(length: Span, end: Time) -> bool {
    length >= half(end)
}

fn half(end: Time) -> Span {
    Span::from_ns(end.ns().div_ceil(2).max(1))
}

impl<'a> Search<'a> {
    pub(super) fn new(scenario: &'a Scenario, record: &'a Record<'a>) -> Search<'a> {
        let urgencies = Urgencies::new(scenario, record.timeline);
        Search { record, lent: Lent::of(record.timeline, &urgencies), urgencies }
    }

    fn end(&self) -> Time {
        self.record.timeline.end
    }

    fn length(&self, turn: &Turn) -> Span {
        turn.got.min(self.end()).since(turn.came)
    }

    fn is_long(&self, turn: &Turn) -> bool {
        is_long(self.length(turn), self.end())
    }

    /// Tasks that waited for a lock to the end of the run, and were overtaken all the time.
    pub(super) fn of_locks(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for sync in self.record.locks() {
            let held = self.record.acquisitions(sync).map(|hold| Turn::new(hold.task, hold.asked, hold.start));
            let open = self.record.blocks[sync].iter().filter(|block| block.end == self.end());
            let waits = open.map(|block| Turn::new(block.task, block.start, Time::NEVER));
            let lock = &self.record.timeline.cast.syncs[sync];
            let queue = Queue {
                turns: held.chain(waits).collect(),
                by: Some(&*self.urgencies.policy),
                waited: ["waited ".to_owned(), format!(" for {lock}")],
                others: "came later and had it",
                kept: [lock.to_string(), "had it".to_owned()],
            };
            found.extend(self.findings(&queue, self.overtaken(&queue, &queue.turns, |turn| turn.got.is_never()), None));
        }
        found
    }

    /// Tasks whose request waited in the queue of a device for half of the run, and was overtaken all the time.
    pub(super) fn of_devices(&self) -> Vec<Finding> {
        let timeline = self.record.timeline;
        let mut turns: IdVec<DeviceId, Vec<Turn>> = timeline.cast.devices.iter().map(|_| Vec::new()).collect();
        // Who was turned away, or gave up, waits no longer.
        let stayed = |request: &&Request| request.start.is_some() || request.end >= self.end();
        for request in timeline.requests.iter().filter(stayed) {
            turns[request.device].push(Turn::new(request.task, request.asked, request.start.unwrap_or(Time::NEVER)));
        }
        let mut found = Vec::new();
        for device in timeline.cast.devices.ids() {
            let turns = std::mem::take(&mut turns[device]);
            let name = &timeline.cast.devices[device].name;
            let by_urgency =
                self.urgencies.scenario.devices.get(device).is_some_and(|device| device.settings.by_urgency());
            let queue = Queue {
                turns,
                by: by_urgency.then_some(&*self.urgencies.policy),
                waited: ["waited ".to_owned(), format!(" for device {name}")],
                others: "asked later and came first",
                kept: [format!("device {name}"), "came first".to_owned()],
            };
            found.extend(self.findings(&queue, self.overtaken(&queue, &queue.turns, |turn| self.is_long(turn)), None));
        }
        found
    }

    /// Tasks that were ready for half of the run and did not have their turn, while those had theirs that had come later,
    /// or, to the end of the run, only more urgent ones ran.
    pub(super) fn of_ready_tasks(&self) -> Vec<Finding> {
        if !may_starve(self.record.timeline) {
            return Vec::new();
        }
        let turns = Turns::of(self.record.timeline, |process| {
            self.executor(process).is_some_and(|executor| {
                let has_workers = matches!(executor.kind.threads, Threads::Main | Threads::Workers);
                // Who comes when the queue is full may have a new thread before all who are in it.
                has_workers && executor.queue.in_order() && !executor.may_make_more()
            })
        });
        let mut found = self.of_processors(turns.processors);
        for (process, turns) in turns.runtimes.into_iter().enumerate() {
            found.extend(self.of_runtime(process, turns));
        }
        found
    }

    fn of_processors(&self, turns: Vec<Turn>) -> Vec<Finding> {
        let queue = Queue {
            turns,
            by: self.urgencies.decide().then_some(&*self.urgencies.policy),
            waited: ["was ready for ".to_owned(), " without running".to_owned()],
            others: "became ready later and ran",
            kept: ["running".to_owned(), "ran".to_owned()],
        };
        let homes = Homes::of(self.record.timeline, &self.urgencies);
        let place =
            |turn: &Turn| (self.urgencies.attributes(turn.who).affinity.as_ref(), homes.home(turn.who, turn.came));
        // Who stands still for the quota of its group, or the budget of its server, waits for that, and not for others.
        let standing = Standing::of(self.record.timeline);
        let waits =
            |standing: &Standing<'_>, turn: &Turn| standing.waits(turn.who, turn.came, turn.got.min(self.end()));
        let starves = |turn: &Turn| {
            let kept: Option<Span> = standing.as_ref().map(|standing| waits(standing, turn));
            self.is_long(turn) && kept.is_none_or(|kept| is_long(kept, self.end()))
        };
        let mut places: Vec<(Option<&CpuSet>, Option<CpuId>)> = Vec::new();
        for turn in queue.turns.iter().filter(|turn| starves(turn)) {
            if !places.contains(&place(turn)) {
                places.push(place(turn));
            }
        }
        if places.is_empty() {
            return Vec::new();
        }
        let mut starved = Vec::new();
        for (affinity, home) in places {
            // Whoever ran where one may not run, or out of another queue, was not in its way.
            let asked = |turn: &Turn| starves(turn) && place(turn) == (affinity, home);
            let there = |turn: &Turn| {
                affinity.is_none_or(|set| set.contains(turn.cpu)) && homes.is_from(home, turn.cpu, turn.who, turn.got)
            };
            let turns: Vec<Turn> = queue.turns.iter().copied().filter(|turn| asked(turn) || there(turn)).collect();
            starved.extend(self.overtaken(&queue, &turns, asked));
        }
        self.findings(&queue, starved, Some(&Outranked::new(&self.urgencies, &homes, self.record)))
    }

    fn of_runtime(&self, process: usize, turns: Vec<Turn>) -> Vec<Finding> {
        let cast = &self.record.timeline.cast;
        let name = &cast.processes[process];
        let (noun, others, did) = match cast.runtimes.get(process) {
            // Who waits for a worker is not overtaken by whom the lock goes to.
            Some(Runtime::KeepingLocked | Runtime::SwitchingLocked) => return Vec::new(),
            Some(Runtime::Interpreter) => {
                ("the interpreter lock".to_owned(), "asked for it later and had it", "had it")
            }
            Some(Runtime::Keeping | Runtime::Helping) => {
                (format!("a worker of {name}"), "came later and had one", "had one")
            }
            _ => (format!("its turn in {name}"), "came later and had theirs", "had theirs"),
        };
        let executor = self.executor(process);
        let setup = executor::Setup { workers: 1, on_demand: false, chance: StreamName::new(0) };
        let queue = executor.map(|executor| -> Box<dyn Policy> { executor.queue.build(&setup) });
        let policy = queue.filter(|queue| queue.traits().by_urgency);
        let queue = Queue {
            turns,
            by: policy.as_deref(),
            waited: ["waited ".to_owned(), format!(" for {noun}")],
            others,
            kept: [noun, did.to_owned()],
        };
        self.findings(&queue, self.overtaken(&queue, &queue.turns, |turn| self.is_long(turn)), None)
    }

    fn executor(&self, process: usize) -> Option<&Executor> {
        self.urgencies.scenario.processes.iter().nth(process).map(|process| &process.executor)
    }

    /// How urgent who had this turn was when it had it.
    fn rank(&self, queue: &Queue<'_>, turn: &Turn) -> i64 {
        queue.by.map_or(0, |policy| self.urgencies.by(policy, turn.who, turn.got).max(self.lent.at(turn.who, turn.got)))
    }

    /// Of the turns asked for, which others came later and were before it.
    fn overtaken(&self, queue: &Queue<'_>, turns: &[Turn], asked: impl Fn(&Turn) -> bool) -> Vec<Starved> {
        overtaken(turns, asked, |turn| self.rank(queue, turn))
    }

    /// One sentence for all that strict priority kept waiting, and one for each task that was overtaken otherwise.
    fn findings(&self, queue: &Queue<'_>, starved: Vec<Starved>, outranked: Option<&Outranked<'_>>) -> Vec<Finding> {
        let outranks = |turn: &Turn| outranked.is_some_and(|outranked| queue.by.is_some() && outranked.by_all(turn));
        let often = |one: &Starved| one.times >= OVERTAKEN;
        let less_urgent = |one: &Starved| {
            let own = |policy| self.urgencies.by(policy, one.turn.who, one.turn.came);
            queue.by.is_some_and(|policy| own(policy) < one.least)
        };
        let starved = starved.into_iter().filter(|one| often(one) || outranks(&one.turn));
        let (by_rank, passed): (Vec<Starved>, Vec<Starved>) = starved.partition(|one| !often(one) || less_urgent(one));
        let mut found: Vec<Finding> = self.kept_by_priority(queue, by_rank, outranked).into_iter().collect();
        found.extend(self.longest(passed).iter().map(|one| self.passed_over(queue, one)));
        found
    }

    fn passed_over(&self, queue: &Queue<'_>, Starved { turn, times, .. }: &Starved) -> Finding {
        let (who, length, until) = (self.record.timeline.short_name(turn.who), self.length(turn), until(turn));
        let ([before, behind], others) = (&queue.waited, self.record.names(overtakers(&queue.turns, turn)));
        let text = format!(
            "starvation: {who} {before}{}{behind}, {until}, while {others} {} {times} times",
            length.readable(),
            queue.others
        );
        Finding::new("starvation", text, length)
    }

    fn kept_by_priority(
        &self,
        queue: &Queue<'_>,
        mut kept: Vec<Starved>,
        outranked: Option<&Outranked<'_>>,
    ) -> Option<Finding> {
        kept.sort_by_key(|one| (Reverse(self.length(&one.turn)), one.turn.came, one.turn.who));
        let mut seen = BTreeSet::new();
        kept.retain(|one| seen.insert(one.turn.who));
        let first = &kept.first()?.turn;
        let mut others: Vec<TaskId> = overtakers(&queue.turns, first).collect();
        if others.is_empty() {
            others = outranked.map_or_else(Vec::new, |outranked| outranked.who_ran(first));
        }
        let never = kept.iter().filter(|one| one.turn.got.is_never()).count();
        let until = match kept.len() {
            1 => format!(", {}", until(first)),
            all if never == all => ", to the end of the run".to_owned(),
            _ if never > 0 => format!(", {never} of them to the end of the run"),
            _ => String::new(),
        };
        let length = self.length(first);
        let up_to = if kept.len() == 1 { "" } else { "up to " };
        let is_level = |policy: &dyn Policy| policy.level(self.urgencies.attributes(first.who)).is_some();
        let what = if queue.by.is_some_and(is_level) { "strict priority" } else { "more urgent work" };
        let kept: Vec<TaskId> = kept.iter().map(|one| one.turn.who).collect();
        let ([from, did], [kept, others]) = (&queue.kept, [kept, others].map(|who| self.ranked(queue, &who)));
        let text = format!(
            "starvation: {what} kept {kept} from {from} for {up_to}{}{until}, while {others} {did}",
            length.readable()
        );
        Some(Finding::new("starvation", text, length))
    }

    /// Names, how many they are and their levels: `lo and low (3 instances), 4 tasks of priority 0 to 1,`.
    fn ranked(&self, queue: &Queue<'_>, tasks: &[TaskId]) -> String {
        let specs: BTreeSet<u32> = tasks.iter().map(|task| self.record.timeline.tasks[*task].spec).collect();
        let distinct: BTreeSet<TaskId> = tasks.iter().copied().collect();
        let count = if specs.len() > 1 { format!("{} tasks", distinct.len()) } else { String::new() };
        let levels = queue.by.and_then(|policy| self.levels(policy, &distinct)).unwrap_or_default();
        let names = self.record.names(tasks.iter().copied());
        let said: Vec<&str> = [count.as_str(), levels.as_str()].into_iter().filter(|word| !word.is_empty()).collect();
        if said.is_empty() { names } else { format!("{names}, {},", said.join(" ")) }
    }

    /// From the least to the most urgent: `of priority 0 to 3`.
    fn levels(&self, policy: &dyn Policy, tasks: &BTreeSet<TaskId>) -> Option<String> {
        let level = |task: &TaskId| {
            let attributes = self.urgencies.attributes(*task);
            Some((policy.urgency(attributes, Time::NEVER), policy.level(attributes)?))
        };
        let levels: BTreeSet<_> = tasks.iter().map(level).collect::<Option<_>>()?;
        let (least, most) = (&levels.first()?.1, &levels.last()?.1);
        let to = if least == most { String::new() } else { format!(" to {}", most.1) };
        Some(format!("of {} {}{to}", least.0, least.1))
    }

    /// Those that waited longest, one of each task.
    fn longest(&self, mut starved: Vec<Starved>) -> Vec<Starved> {
        starved.sort_by_key(|one| (Reverse(self.length(&one.turn)), one.turn.came, one.turn.who));
        let mut seen = BTreeSet::new();
        starved.retain(|one| seen.insert(self.record.timeline.tasks[one.turn.who].spec));
        starved.truncate(TOLD);
        starved
    }
}

fn until(turn: &Turn) -> String {
    match turn.got {
        got if got.is_never() => "to the end of the run".to_owned(),
        got => format!("from {} to {}", turn.came.readable(), got.readable()),
    }
}

fn overtakers(turns: &[Turn], starved: &Turn) -> impl Iterator<Item = TaskId> {
    turns.iter().filter(|turn| starved.is_overtaken_by(turn)).map(|turn| turn.who)
}

/// For each of the turns asked for, how many came later and were before it, and the rank of the least of them: sorted by
/// when they came, the latest first, and kept by when they had their turn in a tree of sums (Fenwick 1994).
fn overtaken(turns: &[Turn], asked: impl Fn(&Turn) -> bool, rank: impl Fn(&Turn) -> i64) -> Vec<Starved> {
    if !turns.iter().any(&asked) {
        return Vec::new();
    }
    let mut got: Vec<Time> = turns.iter().map(|turn| turn.got).filter(|got| !got.is_never()).collect();
    got.sort_unstable();
    got.dedup();
    let mut tree = vec![(0_u64, i64::MAX); got.len() + 1];
    let mut latest: Vec<&Turn> = turns.iter().collect();
    latest.sort_by_key(|turn| Reverse(turn.came));
    let mut found = Vec::new();
    for together in latest.chunk_by(|one, other| one.came == other.came) {
        for turn in together.iter().filter(|turn| asked(turn)) {
            let (mut place, mut times, mut least) = (got.partition_point(|other| *other < turn.got), 0, i64::MAX);
            while place > 0 {
                (times, least) = (times + tree[place].0, least.min(tree[place].1));
                place &= place - 1;
            }
            found.push(Starved { turn: **turn, times, least });
        }
        for turn in together.iter().filter(|turn| !turn.got.is_never()) {
            let (mut place, rank) = (got.partition_point(|other| *other < turn.got) + 1, rank(turn));
            while let Some((times, least)) = tree.get_mut(place) {
                (*times, *least) = (*times + 1, rank.min(*least));
                place += place & place.wrapping_neg();
            }
        }
    }
    found
}

/// Was anybody ready without running for half of the run in one go? Most often nobody was, and this is seen in one pass over
/// what tasks did, before anything is sorted or drawn. Where a measured record contradicts itself, it may look as if.
fn may_starve(timeline: &Timeline) -> bool {
    let (mut since, mut busy): (IdVec<TaskId, Time>, IdVec<TaskId, Span>) = (IdVec::new(), IdVec::new());
    for life in &timeline.tasks {
        since.push(life.arrival.unwrap_or(Time::NEVER));
        busy.push(Span::ZERO);
    }
    let long = half(timeline.end);
    let mut found = false;
    let mut does = |task: TaskId, start: Time, end: Time| {
        if start < end {
            let before = std::mem::replace(&mut since[task], end);
            found |= start < before || start.since(before) >= long;
            busy[task] += end.since(start);
        }
    };
    let mut blocks = timeline.blocks.iter().peekable();
    for interval in &timeline.intervals {
        while let Some(block) = blocks.next_if(|block| block.end <= interval.end) {
            does(block.task, block.start, block.end);
        }
        does(interval.task, interval.start, interval.end);
    }
    blocks.for_each(|block| does(block.task, block.start, block.end));
    let waits_at_last =
        |(task, life): (TaskId, &Life)| life.finish.is_none() && timeline.end.since(since[task]) >= long;
    let waits_in_all = |(task, life): (TaskId, &Life)| {
        let whole = life.arrival.map_or(Span::ZERO, |arrival| life.finish.unwrap_or(timeline.end).since(arrival));
        whole.saturating_sub(busy[task]) >= long
    };
    (found || timeline.tasks.pairs().any(waits_at_last)) && timeline.tasks.pairs().any(waits_in_all)
}

/// Tasks that never had a processor for half of the run, while others came later and finished: what the sums tell, where
/// there is no timeline. Only those who wait in the same queue count: tasks with threads of their own, or those of a process.
pub(super) fn of_metrics(metrics: &Metrics) -> Vec<Finding> {
    let process = |task: &TaskSums| {
        let process = metrics.cast.specs[task.spec as usize].process;
        let runtime = metrics.cast.runtimes.get(process as usize).copied().unwrap_or_default();
        (runtime != Runtime::OwnThread).then_some(process)
    };
    let finished = metrics.tasks.iter().filter(|task| !task.finish.is_never());
    let mut later: Vec<(Option<u32>, Time)> = finished.map(|task| (process(&task), task.arrival)).collect();
    later.sort_unstable();
    let overtaken = |task: &TaskSums| {
        let of_queue = later.partition_point(|(queue, _)| *queue <= process(task));
        (of_queue - later.partition_point(|one| *one <= (process(task), task.arrival))) as u64
    };
    let starves = |task: &TaskSums| {
        let used = task.running + task.blocked + task.overhead;
        let waits = !task.arrival.is_never() && task.finish.is_never() && used.is_zero();
        waits && is_long(metrics.waiting(task), metrics.end) && overtaken(task) >= OVERTAKEN
    };
    let starving: Vec<(TaskId, TaskSums)> = metrics.tasks.pairs().filter(|(_, task)| starves(task)).collect();
    let Some((_, first)) = starving.iter().max_by_key(|(id, task)| (metrics.waiting(task), Reverse(*id))) else {
        return Vec::new();
    };
    let who = super::names(starving.iter().map(|(id, task)| (task.spec, *id)), |id| name(metrics, id));
    let (length, times) = (metrics.waiting(first), overtaken(first));
    let was = if starving.len() == 1 { "was ready for" } else { "were ready for up to" };
    let text = format!(
        "starvation: {who} {was} {} without running, to the end of the run, while {times} tasks that came later \
         finished",
        length.readable()
    );
    vec![Finding::new("starvation", text, length)]
}

/// As [`Timeline::short_name`].
fn name(metrics: &Metrics, id: TaskId) -> String {
    let task = metrics.tasks.of(id);
    let spec = &metrics.cast.specs[task.spec as usize];
    let process = match &metrics.cast.processes[..] {
        [_] => String::new(),
        processes => format!("{}/", processes[spec.process as usize]),
    };
    let alone = !metrics.tasks.iter().any(|other| other.spec == task.spec && other.instance > 0);
    let number = if alone { String::new() } else { format!("#{}", task.instance) };
    format!("{process}{}{number}", spec.task)
}
