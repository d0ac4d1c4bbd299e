//! What a timeline tells of costs, by the rules by which the simulator spends them.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::ids::CpuId;
use sim_core::time::{Span, Time};
use sim_core::timeline::{Block, Deed, Interval, Left, Timeline};

use super::Section;
use super::experiment::{EXPERIMENTS, Experiment, OPERATIONS, OPERATOR_WORKS, Work};
use super::reading::{Run, Wait};

/// What runs have told so far.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) samples: BTreeMap<&'static str, Vec<Span>>,
    /// When a thread was put off at the end of a slice.
    pub(super) put_off: Vec<Time>,
    /// Processors that fell idle while others waited.
    pub(super) beside_queue: Vec<Beside>,
    /// Did one that woke stay at its busy processor beside an idle one?
    pub(super) stayed: Vec<bool>,
    /// What takes longer than this was something else.
    longest: Span,
}

/// A processor fell idle while somebody waited for another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// When it did.
    pub(super) from: Time,
    /// When it took somebody, or something else happened.
    pub(super) until: Time,
    /// Did it take one of those who waited?
    pub(super) pulled: bool,
}

/// What takes longer than this was something else: a cost is some microseconds.
const LONGEST: Span = Span::from_us(900);

/// The same where whole interpreters are copied and end, and messages go through pipes and the threads of a pool.
const LONGEST_OF_INTERPRETERS: Span = Span::from_ms(5);

/// A timer that rings within this of the end of a stay may have rung before or after it.
const CLEAR: Span = Span::from_us(60);

/// A cost that depends on how long something has lasted: how the samples are called, from which length of time on.
pub(super) type Steps = [(&'static str, Span)];

/// Of waking by a timer or a device, by how long the processor has been idle.
pub(super) const WAKES: &Steps = &[
    ("wake", Span::ZERO),
    ("wake-1ms", Span::from_ms(1)),
    ("wake-2ms", Span::from_ms(2)),
    ("wake-4ms", Span::from_us(4_500)),
    ("wake-8ms", Span::from_ms(8)),
];

/// The same by another processor.
pub(super) const REMOTE_WAKES: &Steps =
    &[("remote-wake", Span::ZERO), ("remote-wake-1ms", Span::from_ms(1)), ("remote-wake-4ms", Span::from_ms(4))];

/// Of a runtime's turn to another task, by how long it has computed for the one before.
pub(super) const POLLS: &Steps = &[
    ("poll", Span::ZERO),
    ("poll-2ms", Span::from_ms(2)),
    ("poll-4ms", Span::from_us(4_500)),
    ("poll-8ms", Span::from_ms(8)),
];

/// So many samples say what a cost is where its neighbour says it as well.
const ENOUGH: usize = 5;

/// Who goes on so soon after it woke did not wait.
const SOON: Span = Span::from_us(160);

/// Timers of runtimes ring at multiples of this from when the runtime begins to wait.
const PARK: Span = Span::from_ms(1);

impl Findings {
    /// Takes in what another experiment found.
    pub(super) fn join(&mut self, other: Findings) {
        self.put_off.extend(other.put_off);
        self.beside_queue.extend(other.beside_queue);
        self.stayed.extend(other.stayed);
    }

    /// Reads a run.
    pub(super) fn read(&mut self, experiment: &Experiment, timeline: &Timeline) {
        let run = Run::new(timeline, experiment.sleeps());
        self.longest = if experiment.has_interpreters() { LONGEST_OF_INTERPRETERS } else { LONGEST };
        match experiment.work {
            Work::Sleepers => {
                self.first(experiment, &run);
                self.sleepers(experiment, &run);
            }
            Work::Toilers => self.sleepers(experiment, &run),
            Work::Calls => self.calls(&run),
            Work::Crowd => {
                self.crowd(experiment, &run);
                self.switches(&run);
            }
            Work::Pair => match experiment.starts() {
                Some([_, child]) => self.processes(child, &run),
                None => self.pair(&run),
            },
            Work::SendHere => self.sent(&run, true),
            Work::SendThere => self.sent(&run, false),
            Work::Operations => self.operations(&run),
            Work::Rivals if experiment.has_interpreter_lock() => self.turns(&run),
            // All have been started when the first of them ends.
            Work::Rivals if experiment.starts().is_some() => self.crowd(experiment, &run),
            Work::Rivals => {
                let ends = run.stays.iter().filter(|stay| stay.left == Left::Preempted).map(|stay| stay.end);
                // A thread that dispatches does not go by the kernel's ticks.
                self.put_off.extend(ends.filter(|_| experiment.class().is_some()));
                self.switches(&run);
                // One that is awake for the ends of slices finds the next sooner.
                if experiment.class().is_none() {
                    self.crowd(experiment, &run);
                }
            }
            Work::Pull => {
                self.pull(&run);
                self.woken(&run);
            }
        }
    }

    fn add(&mut self, key: &'static str, cost: Span) {
        if cost <= self.longest {
            self.samples.entry(key).or_default().push(cost);
        }
    }

    /// From the nominal end of a sleep to the first instruction on an idle processor; and from a thread that blocks to the next.
    fn sleepers(&mut self, experiment: &Experiment, run: &Run<'_>) {
        for (before, stay) in run.pairs() {
            let Some(block) = run.sleep_before(stay) else { continue };
            let nominal = block.start + run.sleep(stay.task);
            // Of runtimes only whole milliseconds are known, from when they began to wait.
            if experiment.rounds_timers() {
                let is_same = before.thread == stay.thread && before.left == Left::Blocked;
                if is_same && nominal > before.end + CLEAR {
                    let waited = stay.start - before.end;
                    self.add(after(WAKES, waited), Span::from_ns(waited.ns() % PARK.ns()));
                } else if is_same && nominal + PARK + CLEAR < before.end {
                    self.add(after(POLLS, before.end - before.start), stay.start - before.end);
                }
            } else if nominal > before.end + CLEAR {
                self.add(after(WAKES, nominal - before.end), stay.start.since(nominal));
            } else if nominal + CLEAR < before.end && before.left == Left::Blocked {
                self.add("block", stay.start - before.end);
            }
        }
    }

    /// From a thread that ends to the next; of workers, from a task to the next.
    fn crowd(&mut self, experiment: &Experiment, run: &Run<'_>) {
        for (before, stay) in run.pairs().filter(|(before, _)| before.left == Left::Finished) {
            self.add(experiment.between_tasks().unwrap_or("exit"), stay.start - before.end);
        }
    }

    /// When the first thread begins.
    fn first(&mut self, experiment: &Experiment, run: &Run<'_>) {
        let Some(first) = run.stays.iter().map(|stay| stay.start).min() else { return };
        // A thread that dispatches may have been late itself, for the first time of many.
        if experiment.class().is_some() || first < Time::ZERO + CLEAR {
            self.add("start", first - Time::ZERO);
        }
    }

    /// From a task that lets a pool do something to the thread that is made for it.
    fn calls(&mut self, run: &Run<'_>) {
        let is_called = |stay: &Interval| {
            let arrival = run.timeline.tasks.get(stay.task).and_then(|life| life.arrival);
            arrival.is_some_and(|at| at > Time::ZERO) && run.wait_before(stay).is_none()
        };
        for (before, stay) in run.pairs().filter(|(_, stay)| is_called(stay)) {
            self.samples.entry("thread-start").or_default().push(stay.start - before.end);
        }
    }

    /// How long after the first the second begins, on another processor.
    fn pair(&mut self, run: &Run<'_>) {
        let mut starts: Vec<(Time, CpuId)> = run.stays.iter().map(|stay| (stay.start, stay.cpu)).collect();
        starts.sort_unstable();
        if let [(first, here), (second, there), ..] = starts[..]
            && here != there
        {
            self.add("start", first - Time::ZERO);
            self.add("stagger", second - first);
        }
    }

    /// Of a process that is started alone: its task begins when that is done, and what a process does first.
    fn processes(&mut self, child: &'static str, run: &Run<'_>) {
        if let Some(first) = run.stays.iter().map(|stay| stay.start).min() {
            self.samples.entry(child).or_default().push(first - Time::ZERO);
        }
    }

    /// What it took, in processor time, to start a process or to give a task to a pool: no timeline says that.
    pub(super) fn starting(&mut self, experiment: &Experiment, took: Span) {
        let parent = experiment.starts().map(|[parent, _]| parent);
        if let Some(key) = parent.or(experiment.submits()) {
            self.samples.entry(key).or_default().push(took);
        }
    }

    /// From a message to the first instruction of who waited for it.
    fn sent(&mut self, run: &Run<'_>, here: bool) {
        for sent in run.timeline.signals.iter().filter(|signal| signal.deed == Deed::Sent) {
            let waits = |block: &Block| {
                block.task != sent.task && block.start < sent.at && sent.at <= block.end + Span::from_us(1)
            };
            let waited = run.timeline.blocks.iter().any(waits);
            let next =
                run.stays.iter().filter(|stay| stay.task != sent.task && stay.start >= sent.at).min_by_key(|s| s.start);
            if let (true, Some(next)) = (waited, next) {
                let before = run.before(next).map_or(Time::ZERO, |before| before.end);
                if here {
                    self.add("block-and-local-wake", next.start.since(before));
                } else {
                    self.add(after(REMOTE_WAKES, sent.at.since(before)), next.start.since(sent.at));
                }
            }
        }
    }

    /// What a task that nobody put off took beyond its bursts went into operations.
    fn operations(&mut self, run: &Run<'_>) {
        if let (Some(first), Some(last)) = (run.stays.first(), run.stays.last())
            && run.stays.iter().all(|stay| stay.left != Left::Preempted)
        {
            let beyond = (last.end - first.start).saturating_sub(OPERATOR_WORKS);
            self.add("operation", Span::from_ns(beyond.ns() / u64::from(OPERATIONS)));
        }
    }

    /// Of threads that only compute and hand an interpreter lock round on one processor: what a look in vain takes of the holder, and
    /// how long nobody computes when the lock is handed over, which begins with such a look.
    fn turns(&mut self, run: &Run<'_>) {
        // The holder hardly computes between the look and the moment at which it drops the lock.
        let stays: Vec<&Interval> = run.stays.iter().filter(|stay| stay.end - stay.start > LONGEST).collect();
        for (before, stay) in stays.iter().zip(stays.iter().skip(1)) {
            self.add(if before.task == stay.task { "look-in-vain" } else { "hand-over" }, stay.start - before.end);
        }
    }

    /// From a thread that is put off to the next.
    fn switches(&mut self, run: &Run<'_>) {
        for (before, stay) in run.pairs().filter(|(before, _)| before.left == Left::Preempted) {
            self.add("context-switch", stay.start - before.end);
        }
    }

    /// How long processors that fall idle stay so while others wait.
    fn pull(&mut self, run: &Run<'_>) {
        let waits = run.waits();
        for (index, before) in run.stays.iter().enumerate() {
            let from = before.end;
            let waits_then = |wait: &Wait| wait.since + CLEAR < from && from <= wait.until;
            let at = || waits.iter().filter(|wait| waits_then(wait)).map(|wait| wait.at);
            // Who waited at this very processor is next there in any case.
            if at().next().is_none() || at().any(|at| at == before.cpu) {
                continue;
            }
            // One of the others gets its own processor, and who had that waits in its turn.
            let mut longest = from;
            let goes_on = |wait: &&Wait, to: Time| wait.since <= to + CLEAR && to < wait.until && wait.at != before.cpu;
            while let Some(wait) = waits.iter().find(|wait| goes_on(wait, longest)) {
                longest = wait.until;
            }
            let next = run.stays[index + 1..].iter().find(|stay| stay.cpu == before.cpu);
            let until = next.map_or(run.timeline.end, |stay| stay.start);
            let comes = |wait: &Wait| {
                next.is_some_and(|stay| stay.task == wait.task)
                    && wait.until == until
                    && wait.since + CLEAR < until
                    && wait.at != before.cpu
            };
            self.beside_queue.push(Beside { from, until: until.min(longest), pulled: waits.iter().any(comes) });
        }
    }

    /// Where those go who wake and find their processor taken, and another idle.
    fn woken(&mut self, run: &Run<'_>) {
        let waits = run.waits();
        for wait in waits.iter().filter(|wait| wait.has_slept) {
            // One that it puts off at once was there as well.
            let busy = |stay: &&Interval| {
                let goes_on = stay.left == Left::Preempted || wait.since + CLEAR < stay.end;
                stay.task != wait.task && stay.start + CLEAR < wait.since && wait.since < stay.end && goes_on
            };
            let taken: Vec<CpuId> = run.stays.iter().filter(busy).map(|stay| stay.cpu).collect();
            let near =
                |stay: &Interval| stay.cpu != wait.at && stay.start <= wait.since && wait.since <= stay.end + CLEAR;
            if taken[..] == [wait.at] && !run.stays.iter().any(near) {
                self.stayed.push(wait.gets == wait.at || wait.until - wait.since > SOON);
            }
        }
    }

    /// When after the start of a run the timer ticks first: threads are put off at ticks.
    pub(super) fn phase(&self, tick: Span) -> Option<Span> {
        let mut phases: Vec<u64> = self.put_off.iter().map(|at| at.ns() % tick.ns()).collect();
        phases.sort_unstable();
        // Around the clock: the narrowest half of them is where the tick is.
        let half = phases.len() / 2;
        let around = |index: usize| {
            let (from, to) = (phases[index], phases[(index + half) % phases.len()]);
            (to + tick.ns() - from) % tick.ns()
        };
        let from = (half >= 4).then(|| (0..phases.len()).min_by_key(|index| around(*index)))??;
        Some(Span::from_ns((phases[from] + around(from) / 2) % tick.ns()))
    }
}

/// How samples of a cost are called where it has lasted so long.
fn after(costs: &Steps, lasted: Span) -> &'static str {
    costs[costs.partition_point(|(_, from)| *from <= lasted) - 1].0
}

/// Where there are too few samples after some length of time, they are those of a shorter one, or else of a longer.
fn merge_steps(section: &mut Section, costs: &Steps) {
    let few = |section: &Section, key| section.samples.get(key).is_some_and(|of: &Vec<Span>| of.len() < ENOUGH);
    let mut merge = |from, into, if_there: bool| {
        if few(section, from) && (!if_there || section.samples.contains_key(into)) {
            let samples = section.samples.remove(from).unwrap_or_default();
            section.samples.entry(into).or_default().extend(samples);
        }
    };
    let pairs = costs.windows(2).map(|pair| (pair[0].0, pair[1].0));
    pairs.clone().rev().for_each(|(shorter, longer)| merge(longer, shorter, false));
    pairs.for_each(|(shorter, longer)| merge(shorter, longer, true));
}

/// Takes what each cost is apart from the others: `wake`, `block` and `exit` come on top of a context switch, a wake-up on the
/// same processor on top of what is blocked.
pub(super) fn settle(sections: &mut BTreeMap<&'static str, Section>) {
    for section in sections.values_mut() {
        [WAKES, REMOTE_WAKES, POLLS].into_iter().for_each(|costs| merge_steps(section, costs));
        section.samples.values_mut().for_each(|samples| samples.sort_unstable());
    }
    let middle =
        |section: &Section, key| section.samples.get(key).and_then(|samples| samples.get(samples.len() / 2).copied());
    let base_block = sections.get("machine").and_then(|section| middle(section, "block"));
    // One direct switch of the kernel is like another: it is known of ordinary threads, and is the same for all.
    if let Some(samples) = sections.get_mut("class.other").and_then(|section| section.samples.remove("context-switch"))
    {
        sections.entry("machine").or_default().samples.insert("context-switch", samples);
    }
    let of_all = sections.get("machine").and_then(|section| middle(section, "context-switch")).unwrap_or_default();
    for section in sections.values_mut() {
        let block = middle(section, "block").or(base_block).unwrap_or_default();
        if let Some(samples) = section.samples.remove("block-and-local-wake") {
            section.samples.insert("local-wake", less(&samples, block));
        }
        let switch = middle(section, "context-switch").unwrap_or(of_all);
        // A runtime's look at who is next comes on top, too.
        let poll = middle(section, "poll").unwrap_or_default();
        for (key, _) in WAKES.iter().filter(|_| !poll.is_zero()) {
            if let Some(samples) = section.samples.get_mut(key) {
                *samples = less(samples, poll);
            }
        }
        // Who makes a thread blocks until it is there.
        if let Some(samples) = section.samples.get_mut("thread-start") {
            *samples = less(samples, block + switch);
        }
        // The first task of a worker has to be taken like all others.
        if let (Some(take), Some(samples)) = (middle(section, "take"), section.samples.get_mut("start")) {
            *samples = less(samples, take);
        }
        let by_idle = WAKES.iter().chain(REMOTE_WAKES).map(|(key, _)| *key);
        for key in ["block", "exit"].into_iter().chain(by_idle) {
            if let Some(samples) = section.samples.get_mut(key) {
                *samples = less(samples, switch);
            }
        }
    }
    settle_turns(sections);
    settle_processes(sections);
    sections.retain(|_, section| !section.samples.is_empty());
}

/// What threads of Python pay where they pass the interpreter lock on. A look in vain is two switches, to who looks and back, and nothing
/// else; a hand-over is such a look, and a switch to who is woken for the lock and has been away for long.
fn settle_turns(sections: &mut BTreeMap<&'static str, Section>) {
    let mut taken = |key| sections.get_mut("cpython.threads").and_then(|section| section.samples.remove(key));
    let (Some(looks), Some(hand_overs)) = (taken("look-in-vain"), taken("hand-over")) else { return };
    let switches: Vec<Span> = looks.iter().map(|look| Span::from_ns(look.ns() / 2)).collect();
    let wakes = less(&hand_overs, mean(&looks) + mean(&switches));
    for name in ["cpython.threads", "cpython.pool"] {
        let samples = &mut sections.entry(name).or_default().samples;
        samples.extend([
            ("context-switch", switches.clone()),
            ("block", vec![Span::ZERO]),
            ("local-wake", wakes.clone()),
        ]);
    }
}

fn mean(samples: &[Span]) -> Span {
    Span::from_ns(samples.iter().copied().sum::<Span>().ns() / samples.len().max(1) as u64)
}

/// A process of Python wakes like one of a pool, whose sleeps no start of another disturbs; and what it takes to start is known of
/// parent and child as a whole.
fn settle_processes(sections: &mut BTreeMap<&'static str, Section>) {
    let is_wake = |key: &str| WAKES.iter().any(|(wake, _)| *wake == key);
    let pool = sections.get("cpython.pool-of-processes");
    let wakes: Vec<_> = pool.iter().flat_map(|pool| &pool.samples).filter(|(key, _)| is_wake(key)).collect();
    let wakes: Vec<_> = wakes.into_iter().map(|(key, samples)| (*key, samples.clone())).collect();
    let Some(Section { samples, .. }) = sections.get_mut("cpython.processes") else { return };
    samples.extend(wakes);
    samples.extend(["start", "stagger"].map(|key| (key, vec![Span::ZERO])));
    let methods: BTreeSet<_> = EXPERIMENTS.iter().filter_map(Experiment::starts).collect();
    for [parent, child] in methods {
        let parent = samples.get(parent).and_then(|all| all.get(all.len() / 2)).copied().unwrap_or_default();
        if let Some(child) = samples.get_mut(child) {
            *child = less(child, parent);
        }
    }
}

fn less(samples: &[Span], part: Span) -> Vec<Span> {
    samples.iter().map(|sample| sample.saturating_sub(part)).collect()
}
