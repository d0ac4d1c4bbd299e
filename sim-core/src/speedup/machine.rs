//! Processors, pools, quotas, quanta, costs.

use super::phases::in_process;
use super::{Candidate, Change, Degree, Search, Set, Subject};
use crate::distribution::Distribution;
use crate::document::key;
use crate::executor::{Limits, Threads};
use crate::ids::{GroupId, ProcessId};
use crate::scenario::{Costs, Group, Machine, Speed, lineage};
use crate::time::Span;

impl Search<'_> {
    /// The machine and what is on it.
    pub(super) fn machine(&self) -> Vec<Candidate> {
        let processors = self.processors();
        processors
            .into_iter()
            .chain(self.pools())
            .chain(self.quotas())
            .chain(self.quanta())
            .chain(self.costs())
            .collect()
    }

    /// One more, and twice as many: the edits that are possible.
    pub(super) fn more(&self, count: u32, ways: impl Fn(String) -> Vec<Vec<Set>>) -> Option<Vec<Change>> {
        self.counts(count, [], ways)
    }

    /// So many fewer, one more, and twice as many.
    fn counts<const N: usize>(
        &self,
        count: u32,
        fewer: [u32; N],
        ways: impl Fn(String) -> Vec<Vec<Set>>,
    ) -> Option<Vec<Change>> {
        let fewer = fewer.into_iter().filter(|fewer| (1..count).contains(fewer));
        let mut counts: Vec<u32> = fewer.chain([count.checked_add(1)?, count.checked_mul(2)?]).collect();
        counts.sort_unstable();
        counts.dedup();
        counts.retain(|other| *other != count);
        let change = |other: u32| {
            let degree = Degree::To { from: count.to_string(), to: other.to_string() };
            Some(Change { degree, sets: self.first_possible(ways(other.to_string()))? })
        };
        let changes: Vec<Change> = counts.into_iter().filter_map(change).collect();
        (!changes.is_empty()).then_some(changes)
    }

    /// Half and twice a length.
    fn half_and_twice(&self, length: Span, ways: impl Fn(String) -> Vec<Vec<Set>>) -> Option<Vec<Change>> {
        let lengths = [length.ns() / 2, length.ns().checked_mul(2)?].map(Span::from_ns);
        let change = |other: Span| {
            let degree = Degree::To { from: length.to_string(), to: other.to_string() };
            Some(Change { degree, sets: self.first_possible(ways(other.to_string()))? })
        };
        let changes: Vec<Change> = lengths.into_iter().filter(|other| !other.is_zero()).filter_map(change).collect();
        (!changes.is_empty()).then_some(changes)
    }

    /// Only where a number says all of them: a list has names and speeds that somebody must think of.
    fn processors(&self) -> Option<Candidate> {
        let processors = &self.scenario.machine.processors;
        let plain = processors
            .pairs()
            .all(|(cpu, processor)| processor.speed == Speed::ONE && processor.name == cpu.0.to_string());
        let count = u32::try_from(processors.len()).ok().filter(|_| plain)?;
        let changes = self.more(count, |count| vec![vec![("machine.processors".to_owned(), count)]])?;
        Some(Candidate::new(Subject::Processors, changes))
    }

    /// The pool of each process; copies have the same.
    fn pools(&self) -> Vec<Candidate> {
        let mut found = Vec::new();
        for (id, process) in self.scenario.processes.pairs() {
            let Some(name) = self.first_copy(id) else { continue };
            let executor = &process.executor;
            match executor.limits {
                Some(limits) => found.extend(self.limits(id, name, limits)),
                None if executor.kind.threads == Threads::Workers => {
                    let changes =
                        self.threads(id, executor.workers, |count| self.ways_to(id, name, &["workers"], &count));
                    found.extend(changes.map(|changes| Candidate::new(Subject::Workers(id), changes)));
                }
                None => {}
            }
            // Pools share that of the process that has them.
            if let (Some(interval), None) = (executor.gil, &process.part) {
                let ways = |length: String| self.ways_to(id, name, &["gil"], &format!("\"{length}\""));
                let changes = self.half_and_twice(interval, ways);
                found.extend(changes.map(|changes| Candidate::new(Subject::SwitchInterval(id), changes)));
            }
        }
        found
    }

    /// So many fewer or more threads of a pool.
    fn threads(&self, id: ProcessId, count: u32, ways: impl Fn(String) -> Vec<Vec<Set>>) -> Option<Vec<Change>> {
        let fed = self.fed(id).filter(|fed| *fed < count);
        self.counts(count, [count / 2, fed.unwrap_or(count.saturating_sub(1))], ways)
    }

    /// How many threads a pool has at most, and always, and how many tasks its queue has room for, as far as that stands in the file.
    fn limits(&self, id: ProcessId, name: &str, limits: Limits) -> Vec<Candidate> {
        let (most, written) = (self.scenario.processes[id].executor.workers, limits.written);
        // Where all threads are of the core, more of them are more of that.
        let is_fixed = limits.core == most;
        let keys = if is_fixed && written.core { vec![written.most, "core"] } else { vec![written.most] };
        let changes = self.threads(id, most, |count| self.ways_to(id, name, &keys, &count));
        let subject = if written.most == "workers" { Subject::Workers(id) } else { Subject::Limit(id, written.most) };
        let core = (written.core && !is_fixed).then(|| {
            let changes = self.threads(id, limits.core, |count| self.ways_to(id, name, &["core"], &count))?;
            Some(Candidate::new(Subject::Limit(id, "core"), changes))
        });
        let queue = limits.queue.filter(|_| written.queue).and_then(|queue| {
            let changes = self.counts(queue, [queue / 2], |count| self.ways_to(id, name, &["queue-limit"], &count))?;
            Some(Candidate::new(Subject::Limit(id, "queue-limit"), changes))
        });
        let threads = changes.map(|changes| Candidate::new(subject, changes));
        [threads, core.flatten(), queue].into_iter().flatten().collect()
    }

    /// How many threads the quotas around a process feed all the time.
    fn fed(&self, id: ProcessId) -> Option<u32> {
        let groups = lineage(&self.scenario.groups, self.scenario.processes[id].group);
        let quotas = groups.filter_map(|group| self.scenario.groups[group].quota.as_ref());
        let fed = quotas.map(|quota| quota.amount.ns().div_ceil(quota.period.ns().max(1)).max(1)).min()?;
        u32::try_from(fed).ok()
    }

    /// The name of a process as the file has it, unless it is a further copy.
    fn first_copy(&self, id: ProcessId) -> Option<&str> {
        let name = &self.scenario.processes[id].name;
        match name.split_once('#') {
            None => Some(name),
            Some((name, number)) => (number == "0").then_some(name),
        }
    }

    /// The ways to set parameters of the executor of a process, or of its pool, to a value: it has a table, or only a name.
    fn ways_to(&self, id: ProcessId, name: &str, parameters: &[&str], value: &str) -> Vec<Vec<Set>> {
        let described = &self.scenario.processes[id];
        let kind = described.executor.kind.name;
        let (process, place) = match &described.part {
            Some(part) => {
                let whole = &self.scenario.processes[part.whole].name;
                (whole.split_once('#').map_or(whole.as_str(), |(name, _)| name), format!("pools.{}", key(&part.pool)))
            }
            None => (name, "executor".to_owned()),
        };
        let top = if process == "main" { vec![String::new(), in_process(process)] } else { vec![in_process(process)] };
        let all = parameters.iter().map(|of| format!("{of} = {value}")).collect::<Vec<_>>().join(", ");
        let both = |top: String| {
            [
                parameters.iter().map(|of| (format!("{top}{place}.{of}"), value.to_owned())).collect(),
                vec![(format!("{top}{place}"), format!("{{ kind = \"{kind}\", {all} }}"))],
            ]
        };
        top.into_iter().flat_map(both).collect()
    }

    fn quotas(&self) -> Vec<Candidate> {
        let candidate = |(id, group): (GroupId, &Group)| {
            let path = format!("group.{}.quota", key(&group.name));
            let ways = |amount: String| vec![vec![(path.clone(), format!("\"{amount}\""))]];
            let changes = self.half_and_twice(group.quota.as_ref()?.amount, ways)?;
            Some(Candidate::new(Subject::Quota(id), changes))
        };
        self.scenario.groups.pairs().filter_map(candidate).collect()
    }

    fn quanta(&self) -> Vec<Candidate> {
        let quanta = self.scenario.scheduler.settings.quanta();
        let candidate = |(path, length): (String, Span)| {
            let changes = self.half_and_twice(length, |length| vec![vec![(format!("scheduler.{path}"), length)]])?;
            Some(Candidate::new(Subject::Quantum(path), changes))
        };
        quanta.into_iter().filter_map(candidate).collect()
    }

    /// What the machine costs, each for itself.
    fn costs(&self) -> Vec<Candidate> {
        let candidate = |(key, cost): (&'static str, Distribution)| {
            let change = |percent: &u32| {
                let sets = vec![(format!("machine.{key}"), cost.faster(*percent).toml())];
                (self.works)(&sets).then_some(Change { degree: Degree::Faster(*percent), sets })
            };
            let changes: Vec<Change> = self.percents.iter().filter_map(change).collect();
            (!cost.is_free() && !changes.is_empty()).then(|| Candidate::new(Subject::Cost(key), changes))
        };
        named(&self.scenario.machine).into_iter().filter_map(candidate).collect()
    }
}

/// All costs of a machine by their keys.
fn named(machine: &Machine) -> Vec<(&'static str, Distribution)> {
    let fixed = |cost: Span| Distribution::Constant(cost);
    let free = Costs::default();
    let costs = machine.costs.as_deref().unwrap_or(&free);
    // What is left to chance is in the costs with names.
    let drawn_or = |drawn: &Distribution, cost| if drawn.is_free() { fixed(cost) } else { drawn.clone() };
    let process_switch = drawn_or(&costs.process_switch, machine.process_switch);
    let context_switch = drawn_or(&costs.context_switch, machine.context_switch);
    // The file need not name it: then it goes with the other.
    let process_switch = if process_switch == context_switch { fixed(Span::ZERO) } else { process_switch };
    let stepped = [("wake", &costs.wake), ("remote-wake", &costs.remote_wake), ("poll", &costs.poll)];
    let stepped = stepped.into_iter().filter_map(|(key, cost)| Some((key, fixed(cost.constant()?))));
    let plain = [
        ("context-switch", context_switch),
        ("process-switch", process_switch),
        ("task-switch", fixed(machine.task_switch)),
        ("migration", fixed(machine.migration)),
        ("thread-start", fixed(machine.thread_start)),
        ("process-start", fixed(machine.process_start)),
        ("block", costs.block.clone()),
        ("exit", costs.exit.clone()),
        ("local-wake", costs.local_wake.clone()),
        ("start", costs.start.clone()),
        ("stagger", costs.stagger.clone()),
        ("look", costs.look.clone()),
        ("callback", costs.callback.clone()),
        ("take", costs.take.clone()),
        ("submit", costs.submit.clone()),
        ("operation", costs.operation.clone()),
    ];
    plain.into_iter().chain(stepped).collect()
}
