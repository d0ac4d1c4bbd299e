//! Where Linux put real-time threads off for ordinary ones.
//!
//! So that nobody starves, Linux keeps some 50 ms of each second for ordinary threads, even beside a thread of a
//! real-time class that never waits. The hole comes anywhere in that second, as soon as an ordinary thread is ready on
//! the same processor, and nothing in a scenario asks for it: whoever compares must know where it was.

use std::collections::BTreeSet;

use serde::Serialize;
use sim_core::ids::CpuId;
use sim_core::timeline::{Interval, Left, Timeline};

use crate::on_cpu::Stay;

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

/// The holes of a run that began at `start`, from its timeline and the `stays` of everybody on `cpus`, of whom `ours` are
/// the measured threads.
pub(crate) fn find(timeline: &Timeline, stays: &[Stay], ours: &BTreeSet<u32>, cpus: &[u32], start: u64) -> Vec<Hole> {
    let mut holes = Vec::new();
    for (processor, cpu) in (0..).zip(cpus) {
        let others: Vec<&Stay> =
            stays.iter().filter(|stay| stay.cpu == *cpu && stay.tid != 0 && !ours.contains(&stay.tid)).collect();
        let mut own: Vec<&Interval> =
            timeline.intervals.iter().filter(|interval| interval.cpu == CpuId(processor)).collect();
        own.sort_by_key(|interval| (interval.start, interval.end));
        for pair in own.windows(2).filter(|pair| pair[0].left == Left::Preempted) {
            let (from, to) = (start + pair[0].end.ns(), start + pair[1].start.ns());
            let taken: u64 = others.iter().map(|stay| stay.end.min(to).saturating_sub(stay.start.max(from))).sum();
            // Nearly all of it: a few switches lie in between.
            if to.saturating_sub(from) >= SHORTEST && taken * 10 >= (to - from) * 9 {
                holes.push(Hole { processor, start_ns: from - start, end_ns: to - start });
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
        named.push(format!("and {} more times", holes.len() - SHOWN));
    }
    (!holes.is_empty()).then(|| {
        format!(
            "Linux put real-time tasks off for ordinary threads: {}; it keeps up to 50 ms of each second for them",
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
        Stay { tid, pid: tid, cpu: 5, start: START + start * MS, end: START + end * MS }
    }

    fn holes(first: Left, between: &[Stay]) -> Vec<Hole> {
        let timeline = Timeline {
            intervals: vec![interval(0, 950, first), interval(1000, 1200, Left::Finished)],
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
    fn who_waits_or_is_put_off_for_our_own_leaves_none() {
        // It slept, and others used the processor meanwhile.
        assert_eq!(holes(Left::Blocked, &[stay(40, 950, 1000)]), []);
        // Another of ours was there, or nobody.
        assert_eq!(holes(Left::Preempted, &[stay(7, 950, 1000)]), []);
        assert_eq!(holes(Left::Preempted, &[stay(0, 950, 1000)]), []);
        // Only for a part of it.
        assert_eq!(holes(Left::Preempted, &[stay(40, 950, 980)]), []);
        assert_eq!(warning(&[], |_| String::new()), None);
    }
}
