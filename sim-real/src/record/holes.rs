//! Where Linux put real-time threads off for ordinary ones.
//!
//! So that nobody starves, Linux keeps some 50 ms of each second for ordinary threads, even beside a thread of a
//! real-time class that never waits. The hole comes anywhere in that second, and kernels differ in whether an ordinary
//! thread must be there to fill it or the processor may as well stand idle. Nothing in a scenario asks for it: whoever
//! compares must know where it was.

use std::collections::BTreeSet;

use serde::Serialize;
use sim_core::ids::CpuId;
use sim_core::timeline::{Interval, Left, Timeline};

use crate::record::on_cpu::Stay;

/// Kernel threads that step in for a moment are no hole.
const SHORTEST: u64 = 5_000_000;

/// So many are named in a sentence.
const SHOWN: usize = 3;

/// A stretch in which a task of a real-time class was put off for ordinary threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Hole {
    /// The processor, by its place in the scenario.
    pub processor: u32,
    /// When it began.
    pub start_ns: u64,
    /// When it was over.
    pub end_ns: u64,
}

/// The holes of a run that began at `start`, from its timeline and the `stays` on `cpus` of the measured threads, `ours`,
/// if not of others too: where a task was put off for none of ours, and did not go on elsewhere either.
pub(crate) fn find(timeline: &Timeline, stays: &[Stay], ours: &BTreeSet<u32>, cpus: &[u32], start: u64) -> Vec<Hole> {
    let mut holes = Vec::new();
    for (processor, cpu) in (0..).zip(cpus) {
        let own: Vec<&Stay> = stays.iter().filter(|stay| stay.cpu == *cpu && ours.contains(&stay.tid)).collect();
        let mut runs: Vec<Interval> =
            timeline.intervals.iter().filter(|interval| interval.cpu == CpuId(processor)).collect();
        runs.sort_by_key(|interval| (interval.start, interval.end));
        for pair in runs.windows(2).filter(|pair| pair[0].left == Left::Preempted) {
            let (from, to) = (pair[0].end, pair[1].start);
            if to.since(from).ns() < SHORTEST {
                continue;
            }
            let goes_on = |run: Interval| run.task == pair[0].task && run.end > from && run.start < to;
            let (begin, end) = (start + from.ns(), start + to.ns());
            let used: u64 = own.iter().map(|stay| stay.end.min(end).saturating_sub(stay.start.max(begin))).sum();
            // A few switches lie in between.
            if used * 10 <= end - begin && !timeline.intervals.iter().any(goes_on) {
                holes.push(Hole { processor, start_ns: from.ns(), end_ns: to.ns() });
            }
        }
    }
    holes.sort_by_key(|hole| (hole.start_ns, hole.processor));
    holes
}

/// What is to be said of them; `names` are those of the scenario's processors in sentences.
pub(crate) fn warning(holes: &[Hole], names: impl Fn(u32) -> String) -> Option<String> {
    let one = |hole: &Hole| {
        let [from, length] = [hole.start_ns, hole.end_ns - hole.start_ns].map(|ns| ns.div_ceil(1_000_000));
        format!("{length} ms of {} from {from} ms on", names(hole.processor))
    };
    let mut named: Vec<String> = holes.iter().take(SHOWN).map(one).collect();
    if holes.len() > SHOWN {
        named.push(match holes.len() - SHOWN {
            1 => "and once more".into(),
            more => format!("and {more} more times"),
        });
    }
    (!holes.is_empty()).then(|| {
        format!(
            "Linux put real-time tasks off for ordinary threads: {}; it keeps up to 50 ms of each second for them, even \
             if none is there",
            named.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use sim_core::ids::{TaskId, ThreadId};
    use sim_core::time::Time;
    use sim_core::timeline::What;

    use super::*;

    const MS: u64 = 1_000_000;
    const START: u64 = 77 * MS;

    fn interval(start: u64, end: u64, left: Left) -> Interval {
        let [start, end] = [start, end].map(|ms| Time::from_ns(ms * MS));
        let (task, thread, cpu) = (TaskId(0), ThreadId(0), CpuId(0));
        Interval { start, end, task, thread, cpu, what: What::Run, left }
    }

    fn stay(tid: u32, start: u64, end: u64) -> Stay {
        Stay { tid, pid: tid, cpu: 5, start: START + start * MS, end: START + end * MS, preempted: false }
    }

    fn holes(first: Left, between: &[Stay]) -> Vec<Hole> {
        let timeline = Timeline {
            intervals: vec![interval(0, 950, first), interval(1000, 1200, Left::Finished)].into(),
            ..Timeline::default()
        };
        find(&timeline, between, &BTreeSet::from([7]), &[5], START)
    }

    #[test]
    fn a_task_that_is_put_off_for_ordinary_threads_leaves_a_hole() {
        let ordinary = [stay(7, 0, 950), stay(40, 950, 970), stay(41, 970, 1000), stay(7, 1000, 1200)];
        let hole = Hole { processor: 0, start_ns: 950 * MS, end_ns: 1000 * MS };
        assert_eq!(holes(Left::Preempted, &ordinary), [hole]);
        let said = warning(&[hole], |place| format!("processor {place}")).expect("a sentence");
        assert!(said.contains("50 ms of processor 0 from 950 ms on;"), "{said}");
    }

    #[test]
    fn a_hole_that_nobody_fills_is_one_too() {
        let hole = Hole { processor: 0, start_ns: 950 * MS, end_ns: 1000 * MS };
        for between in [&[][..], &[stay(0, 950, 1000)], &[stay(40, 950, 980)]] {
            assert_eq!(holes(Left::Preempted, between), [hole]);
        }
    }

    #[test]
    fn who_goes_on_elsewhere_leaves_none() {
        let elsewhere = Interval { cpu: CpuId(1), ..interval(951, 990, Left::Preempted) };
        let intervals = vec![interval(0, 950, Left::Preempted), elsewhere, interval(1000, 1200, Left::Finished)];
        let timeline = Timeline { intervals: intervals.into(), ..Timeline::default() };
        assert_eq!(find(&timeline, &[], &BTreeSet::from([7]), &[5, 6], START), []);
    }

    #[test]
    fn who_waits_or_is_put_off_for_our_own_leaves_none() {
        // It slept, and others used the processor meanwhile.
        assert_eq!(holes(Left::Blocked, &[stay(40, 950, 1000)]), []);
        // Another of ours was there, be it for a part of it.
        assert_eq!(holes(Left::Preempted, &[stay(7, 950, 1000)]), []);
        assert_eq!(holes(Left::Preempted, &[stay(7, 950, 960), stay(40, 960, 1000)]), []);
        assert_eq!(warning(&[], |_| String::new()), None);
    }
}
