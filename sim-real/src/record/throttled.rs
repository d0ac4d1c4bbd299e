//! How often, for how long and when groups stood still because their quotas were used up.

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::ids::{CpuId, GroupId};
use sim_core::scenario::{Scenario, lineage};
use sim_core::time::{Span, Time};
use sim_core::timeline::{Interval, Left, Throttle, Timeline, What};

use crate::record::on_cpu::Stay;

/// A kernel that has somebody to run finds him sooner.
const IDLE: Span = Span::from_us(200);

/// What the kernel counted of a group with a quota (`cpu.stat`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Throttling {
    /// The group.
    pub name: String,
    /// In how many periods it was active.
    pub periods: u64,
    /// In how many of these it stood still, on however many processors.
    pub throttles: u64,
    /// For how long it did, summed over processors.
    pub throttled_ns: u64,
}

impl Throttling {
    /// From the text of `cpu.stat`: version 1 counts nanoseconds, version 2 microseconds.
    pub(crate) fn read(name: &str, text: &str) -> Throttling {
        let words = text.lines().filter_map(|line| line.split_once(' '));
        let counts: BTreeMap<&str, u64> = words.filter_map(|(key, count)| Some((key, count.parse().ok()?))).collect();
        let count = |key: &str| counts.get(key).copied();
        let time = count("throttled_time").or(count("throttled_usec").map(|us| us * 1000));
        Throttling {
            name: name.to_owned(),
            periods: count("nr_periods").unwrap_or(0),
            throttles: count("nr_throttled").unwrap_or(0),
            throttled_ns: time.unwrap_or(0),
        }
    }
}

/// When groups stood still, from the stays of everybody on `cpus` in a run that began at `start`: a processor does nothing although
/// a thread that was put off there could go on. Where others use the processor meanwhile that is not seen.
pub(crate) fn find(
    scenario: &Scenario,
    timeline: &Timeline,
    stays: &[Stay],
    cpus: &[u32],
    start: u64,
) -> Vec<Throttle> {
    let idle = Idle::of(stays, cpus, start);
    let mut runs: Vec<Interval> = timeline.intervals.iter().filter(|run| run.what == What::Run).collect();
    runs.sort_by_key(|run| (run.task, run.start, run.end));
    let mut spans: BTreeMap<(GroupId, CpuId), Vec<(Time, Time)>> = BTreeMap::new();
    for (place, run) in runs.iter().enumerate().filter(|(_, run)| run.left == Left::Preempted) {
        let Some(group) = limited(scenario, timeline, run) else { continue };
        let next = runs.get(place + 1).filter(|next| next.task == run.task);
        let gap = (run.end, next.map_or(timeline.end, |next| next.start));
        if idle.is(run.cpu, gap) {
            // It stood still where it was, and where it goes on.
            let places = [Some(run.cpu), next.map(|next| next.cpu).filter(|cpu| *cpu != run.cpu)];
            places.into_iter().flatten().for_each(|cpu| spans.entry((group, cpu)).or_default().push(gap));
        }
    }
    let mut throttles: Vec<Throttle> = Vec::new();
    for ((group, cpu), spans) in spans {
        let own = runs.iter().filter(|run| run.cpu == cpu && limited(scenario, timeline, run) == Some(group));
        let mut own: Vec<(Time, Time)> = own.map(|run| (run.start, run.end)).collect();
        own.sort_unstable();
        let still = joined(spans).into_iter().flat_map(|span| without(span, &own)).filter(|span| idle.is(cpu, *span));
        throttles.extend(still.map(|(start, end)| Throttle { group, cpu, start, end }));
    }
    throttles.sort_by_key(|throttle| (throttle.end, throttle.start, throttle.cpu, throttle.group));
    throttles
}

/// The innermost group with a quota of whoever runs there.
fn limited(scenario: &Scenario, timeline: &Timeline, run: &Interval) -> Option<GroupId> {
    let process = timeline.cast.specs[timeline.tasks[run.task].spec as usize].process;
    let group = scenario.processes.as_slice().get(process as usize)?.group;
    lineage(&scenario.groups, group).find(|group| scenario.groups[*group].quota.is_some())
}

/// Spans that overlap are one.
fn joined(mut spans: Vec<(Time, Time)>) -> Vec<(Time, Time)> {
    spans.sort_unstable();
    let mut all: Vec<(Time, Time)> = Vec::new();
    for (from, to) in spans {
        match all.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => all.push((from, to)),
        }
    }
    all
}

/// What of a span lies in none of these runs, which are in the order of time.
fn without((mut from, to): (Time, Time), runs: &[(Time, Time)]) -> Vec<(Time, Time)> {
    let mut rest = Vec::new();
    let first = runs.partition_point(|(_, end)| *end <= from);
    for (start, end) in runs[first..].iter().take_while(|(start, _)| *start < to) {
        rest.push((from, *start));
        from = *end;
    }
    rest.push((from, to));
    rest.retain(|(from, to)| from < to);
    rest
}

/// When nobody was on each processor, after the start of the run.
struct Idle(Vec<Vec<(Time, Time)>>);

impl Idle {
    fn of(stays: &[Stay], cpus: &[u32], start: u64) -> Idle {
        let time = |at: u64| Time::from_ns(at.saturating_sub(start));
        let of = |cpu: &u32| {
            let own = stays.iter().filter(|stay| stay.tid == 0 && stay.cpu == *cpu);
            let mut idle: Vec<(Time, Time)> = own.map(|stay| (time(stay.start), time(stay.end))).collect();
            idle.sort_unstable();
            idle
        };
        Idle(cpus.iter().map(of).collect())
    }

    /// Does the processor do nothing for a part of that time?
    fn is(&self, cpu: CpuId, (from, to): (Time, Time)) -> bool {
        let own = &self.0[cpu.0 as usize];
        let first = own.partition_point(|(_, end)| *end <= from);
        let there = own[first..].iter().take_while(|(start, _)| *start < to);
        there.map(|(start, end)| (*end).min(to).since((*start).max(from))).sum::<Span>() >= IDLE
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sim_core::ids::{TaskId, ThreadId};
    use sim_core::timeline::{Fate, Life};

    use super::*;

    #[test]
    fn both_versions_of_cpu_stat_are_read() {
        let of = |periods, throttles, throttled_ns| Throttling { name: "web".into(), periods, throttles, throttled_ns };
        let one = "nr_periods 7\nnr_throttled 5\nthrottled_time 123456\nnr_bursts 0\n";
        assert_eq!(Throttling::read("web", one), of(7, 5, 123_456));
        let two = "usage_usec 9\nnr_periods 7\nnr_throttled 5\nthrottled_usec 123\n";
        assert_eq!(Throttling::read("web", two), of(7, 5, 123_000));
        assert_eq!(Throttling::read("web", ""), of(0, 0, 0));
    }

    /// Two tasks of a group with a quota: runs of `(task, cpu, start, end, left)` in milliseconds, and when each processor is idle.
    fn found(runs: &[(u32, u32, u64, u64, Left)], idle: &[(u32, u64, u64)]) -> Vec<(u32, u64, u64)> {
        let scenario = crate::tests::scenario(
            "machine = { processors = 2 }\ngroup = [{ name = 'web', quota = '5ms' }]\n[[process]]\nname = 'p'\ngroup = 'web'\n\
             [[process.task]]\nname = 'A'\ncount = 2\nprogram = [{ cpu = '9ms' }]",
        );
        let ms = |at: u64| Time::from_ns(at * 1_000_000);
        let interval = |&(task, cpu, start, end, left): &(u32, u32, u64, u64, Left)| Interval {
            start: ms(start),
            end: ms(end),
            task: TaskId(task),
            thread: ThreadId(task),
            cpu: CpuId(cpu),
            what: What::Run,
            left,
        };
        let life = |instance| Life { spec: 0, instance, arrival: Some(ms(0)), finish: None, fate: Fate::Finished };
        let timeline = Timeline {
            cast: Arc::new(sim_core::engine::cast(&scenario)),
            tasks: [life(0), life(1)].into_iter().collect(),
            intervals: runs.iter().map(interval).collect::<Vec<_>>().into(),
            end: ms(200),
            ..Timeline::default()
        };
        let start = 77_000_000;
        let stay = |&(cpu, from, to): &(u32, u64, u64)| Stay {
            tid: 0,
            pid: 0,
            cpu: cpu + 4,
            start: start + from * 1_000_000,
            end: start + to * 1_000_000,
            preempted: false,
        };
        let stays: Vec<Stay> = idle.iter().map(stay).collect();
        let found = find(&scenario, &timeline, &stays, &[4, 5], start);
        found.iter().map(|it| (it.cpu.0, it.start.ns() / 1_000_000, it.end.ns() / 1_000_000)).collect()
    }

    #[test]
    fn who_is_put_off_though_the_processor_is_free_stands_still() {
        use Left::{Blocked, Finished, Preempted};
        let alone = [(0, 0, 0, 5, Preempted), (0, 0, 100, 104, Finished)];
        assert_eq!(found(&alone, &[(0, 5, 100)]), [(0, 5, 100)]);
        // Others use the processor for a part of it, or all the time: then it is not seen.
        assert_eq!(found(&alone, &[(0, 70, 100)]), [(0, 5, 100)]);
        assert_eq!(found(&alone, &[]), []);
        // Who waits for something else does not stand still.
        assert_eq!(found(&[(0, 0, 0, 5, Blocked), (0, 0, 100, 104, Finished)], &[(0, 5, 100)]), []);
        // Until the end of the run.
        assert_eq!(found(&alone[..1], &[(0, 5, 200)]), [(0, 5, 200)]);
    }

    #[test]
    fn it_stands_still_where_it_goes_on_and_nobody_of_its_group_ran() {
        use Left::{Finished, Preempted};
        let moved = [(0, 0, 0, 5, Preempted), (1, 1, 0, 7, Preempted), (0, 1, 100, 104, Finished)];
        assert_eq!(found(&moved, &[(0, 5, 200), (1, 7, 100)]), [(0, 5, 100), (1, 7, 100)]);
    }
}
