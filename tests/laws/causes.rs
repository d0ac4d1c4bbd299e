//! Every nanosecond of a task has one cause.

use std::cmp::Reverse;

use sim_core::causes::{self, Causes, Kind, Part, What};
use sim_core::executor::Threads;
use sim_core::scenario::{Scenario, SyncKind};
use sim_core::time::Span;

use super::costs::may_idle;
use super::{Run, Verdict, ensure};

impl Run {
    /// The parts of a task's time are those of the sums, none is empty or twice there, and nobody waits for nobody.
    pub(super) fn every_nanosecond_has_a_cause(&self, scenario: &Scenario) -> Verdict {
        let causes = Causes::of(&self.timeline);
        for (task, sums) in self.metrics.tasks.pairs() {
            let arrived = !sums.arrival.is_never();
            let waiting = if arrived { self.metrics.waiting(&sums) } else { Span::ZERO };
            let kinds = [
                (Kind::Running, sums.running),
                (Kind::Waiting, waiting),
                (Kind::Blocked, sums.blocked),
                (Kind::Overhead, sums.overhead),
            ];
            let parts = &causes.tasks[task];
            let name = || self.timeline.task_name(task);
            for (kind, sum) in kinds {
                ensure(causes.sum(task, kind) == sum, || format!("{}: {kind:?} is {sum}, not {parts:?}", name()))?;
            }
            let once =
                |part: &Part| parts.iter().filter(|p| (p.what, p.behind) == (part.what, part.behind)).count() == 1;
            ensure(parts.iter().all(|part| !part.length.is_zero() && once(part)), || format!("{}: {parts:?}", name()))?;
            ensure(parts.is_sorted_by_key(|part| Reverse(part.length)), || format!("{}: {parts:?}", name()))?;
            let in_its_own_way = |part: &Part| {
                part.what.kind() == Kind::Waiting && part.behind.is_some_and(|behind| behind.task == task)
            };
            ensure(!parts.iter().any(in_its_own_way), || format!("{}: behind itself: {parts:?}", name()))?;
            let idle = parts.iter().any(|part| matches!(part.what, What::Nobody(_)));
            // An affinity may forbid the processor, and the rules of a runtime its looking: a slot that nobody steals
            // from, a driver that one worker has, a yield that is put off.
            let allowed = scenario.specs.iter().any(|spec| spec.attributes.affinity.is_some())
                || scenario.processes.iter().any(|process| process.executor.kind.threads == Threads::Workers)
                // Who is aborted on its way to a processor has had the interpreter lock for nothing.
                || scenario.aborts_jobs() && scenario.processes.iter().any(|process| process.executor.gil.is_some())
                || may_idle(scenario);
            ensure(!idle || allowed, || format!("{} waits for nobody: {parts:?}", name()))?;
            let served = !sums.finish.is_never() && !self.timeline.leaves.iter().any(|leave| leave.task == task);
            let queue = |part: &Part| match part.what {
                What::Queue(_) => true,
                // What is not handed over may be free until the one who was woken for it has a processor.
                What::Sync(sync) | What::Spin(sync) if !self.timeline.cast.syncs[sync].direct => false,
                What::Spin(_) => true,
                What::Sync(sync) => match self.timeline.cast.syncs[sync].kind {
                    SyncKind::Mutex => true,
                    // It may begin without permits: who waits then waits for one that nobody has.
                    SyncKind::Semaphore { .. } => false,
                    _ => served,
                },
                _ => false,
            };
            let alone = parts.iter().find(|part| queue(part) && part.behind.is_none());
            ensure(alone.is_none(), || format!("{}: behind nobody in a queue: {parts:?}", name()))?;
        }
        Ok(())
    }

    /// Told in order, lives have no gap, and their sums are those of the causes.
    pub(super) fn lives_are_whole(&self) -> Verdict {
        let (causes, mut verdict) = (Causes::of(&self.timeline), Ok(()));
        causes::lives(&self.timeline, |task, came_from, passages| {
            let (name, life) = (self.timeline.task_name(task), &self.timeline.tasks[task]);
            let ends = (life.arrival.unwrap_or_default(), life.finish.unwrap_or(self.timeline.end));
            let told =
                passages.first().zip(passages.last()).map_or((ends.0, ends.0), |(first, last)| (first.from, last.to));
            let whole = passages.windows(2).all(|two| two[0].to == two[1].from) && told == ends;
            let sum = |kind: Kind| {
                let of_it = passages.iter().filter(|passage| passage.what.kind() == kind);
                of_it.map(|passage| passage.to.since(passage.from)).sum::<Span>()
            };
            let kinds = [Kind::Running, Kind::Waiting, Kind::Blocked, Kind::Overhead];
            let alike = kinds.into_iter().all(|kind| sum(kind) == causes.sum(task, kind));
            if verdict.is_ok() {
                verdict = ensure(whole && alike && came_from != Some(task), || format!("{name}: {passages:?}"));
            }
        });
        verdict
    }
}
