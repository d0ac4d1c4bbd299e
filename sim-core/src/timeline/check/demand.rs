//! Demand given = demand asked, for tasks whose programs leave nothing to chance.

use super::{Check, Law, Tolerance, Violations};
use crate::distribution::Distribution;
use crate::ids::{Id as _, IdVec, TaskId};
use crate::scenario::{Op, Program, Scenario, Spec, Speed};
use crate::timeline::{Cause, Fate, Timeline, What};

impl Timeline {
    /// Did every task receive what its program asks for: processor work, device service, sleep?
    ///
    /// Tasks that finished received all of it; others not more. A periodic task receives it for each job. Programs with
    /// chance, branches or endless loops are passed over. `tolerance` is allowed for each operation, and what is waited
    /// for may be longer by as much as the executor's timers may be late.
    ///
    /// # Errors
    /// All violations.
    pub fn check_demand(&self, scenario: &Scenario, tolerance: Tolerance) -> Result<(), Violations> {
        // Of who may be turned away it is not known what it receives.
        let keeps = |op: &Op| !matches!(op, Op::Io { device, .. } if scenario.devices[*device].may_go_without());
        let asked = |spec: &Spec| demand(&spec.program).filter(|_| spec.program.ops.iter().all(keeps));
        let asked: Vec<Option<Demand>> = scenario.specs.iter().map(asked).collect();
        let speeds: Vec<Speed> = scenario.machine.processors.iter().map(|processor| processor.speed).collect();
        let warm = scenario.machine.cache.as_ref().map_or(Speed::ONE, |cache| cache.warm_speed);
        let mut check = Check { timeline: self, tolerance, violations: Vec::new() };
        let periodic: Vec<bool> = scenario.specs.iter().map(|spec| spec.attributes.periodic.is_some()).collect();
        let timer = |spec: &Spec| u128::from(scenario.processes[spec.process].executor.timers.latest().ns());
        let timers: Vec<u128> = scenario.specs.iter().map(timer).collect();
        check.demands(&asked, &periodic, &timers, &speeds, warm);
        check.looks(scenario);
        check.verdict()
    }
}

/// What a program asks for in total, in nanoseconds at speed 1.
#[derive(Clone, Copy, Default)]
struct Demand {
    work: u128,
    service: u128,
    sleep: u128,
    operations: u128,
}

/// What a task received.
#[derive(Clone, Copy, Default)]
struct Given {
    /// At least, …
    work: u128,
    /// … and at most, if the caches were warm all the time.
    most: u128,
    service: u128,
    sleep: u128,
    /// How much of the work may be due to rounding to whole nanoseconds, per operation and interval.
    rounding: u128,
    intervals: u128,
}

impl Check<'_> {
    /// What is `asked`, which programs are `periodic`, and the steps of the `timers` of their executors by task description,
    /// `speeds` by processor; with a warm cache tasks are faster by `warm`.
    fn demands(&mut self, asked: &[Option<Demand>], periodic: &[bool], timers: &[u128], speeds: &[Speed], warm: Speed) {
        let mut jobs: IdVec<TaskId, (u128, u128)> = self.timeline.tasks.iter().map(|_| (0, 0)).collect();
        for job in &self.timeline.jobs {
            let (released, ended) = &mut jobs[job.task];
            *released += 1;
            *ended += u128::from(job.finish.is_some());
        }
        for (task, given) in given(self.timeline, speeds, warm).pairs() {
            let spec = self.timeline.tasks[task].spec as usize;
            let Some(asked) = asked.get(spec).and_then(Option::as_ref) else { continue };
            let finished = u128::from(self.timeline.tasks[task].ended_as() == Some(Fate::Finished));
            let (most, least) = if periodic.get(spec) == Some(&true) { jobs[task] } else { (1, finished) };
            let late = timers.get(spec).map_or(0, |timer| timer.saturating_mul(asked.operations * most));
            self.compare(task, &asked.times(most), &asked.times(least), given, late);
        }
    }

    /// The task may receive as much as `most` asks for, and must receive as much as `least` does; what it waits for may
    /// be `late`.
    fn compare(&mut self, task: TaskId, most: &Demand, least: &Demand, given: &Given, late: u128) {
        let slack = u128::from(self.tolerance.0.ns()) * (most.operations + 1);
        let rounding = given.rounding * (given.intervals + most.operations);
        let parts = [
            ("of processor work", most.work, least.work, given.work, given.most, slack + rounding, 0),
            ("of device service", most.service, least.service, given.service, given.service, slack, late),
            ("of sleep", most.sleep, least.sleep, given.sleep, given.sleep, slack, late),
        ];
        for (what, most, least, given, given_at_most, slack, late) in parts {
            if given > most + slack + late || given_at_most + slack < least {
                let name = self.name(task);
                let asked = if given > most { most } else { least };
                self.report(Law::Demand, format!("{name} asks for {asked}ns {what} and receives {given}ns"));
            }
        }
    }
}

impl Demand {
    /// What so many runs of the program ask for.
    fn times(&self, runs: u128) -> Demand {
        let times = |amount: u128| amount.saturating_mul(runs);
        let [work, service, sleep, operations] = [self.work, self.service, self.sleep, self.operations].map(times);
        Demand { work, service, sleep, operations }
    }
}

/// The total of a program that runs the same way every time. Loops only multiply: nothing is walked twice.
fn demand(program: &Program) -> Option<Demand> {
    let mut total = Demand::default();
    let mut times: Vec<u128> = vec![1];
    for op in &program.ops {
        let now = *times.last()?;
        let constant = |distribution: &Distribution| match distribution {
            Distribution::Constant(span) => Some(u128::from(span.ns()) * now),
            Distribution::Random(_) => None,
        };
        match op {
            Op::Cpu(span) => total.work += constant(span)?,
            Op::Io { service, .. } => total.service += constant(service)?,
            Op::Sleep(span) => total.sleep += constant(span)?,
            Op::Repeat { count, .. } => times.push(now.checked_mul(u128::from((*count)?))?),
            Op::Again { .. } => {
                times.pop();
            }
            Op::Choose(_) | Op::Jump(_) | Op::Attempt(_) | Op::End | Op::Test { .. } | Op::Turn { .. } => return None,
            Op::Yield | Op::Sync(_) | Op::Spawn(_) | Op::Join(_) => {}
            Op::Set(..) | Op::Add(..) | Op::Begin { .. } => {}
        }
        total.operations += now;
    }
    Some(total)
}

fn given(timeline: &Timeline, speeds: &[Speed], warm: Speed) -> IdVec<TaskId, Given> {
    let mut given: IdVec<TaskId, Given> = timeline.tasks.iter().map(|_| Given::default()).collect();
    for interval in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
        let speed = speeds.get(interval.cpu.index()).copied().unwrap_or(Speed::ONE);
        let given = &mut given[interval.task];
        let length = interval.end.since(interval.start);
        let fastest = speed.times(warm).unwrap_or(speed);
        given.work += u128::from(speed.work_in(length).ns());
        given.most += u128::from(fastest.work_in(length).ns());
        given.intervals += 1;
        if fastest != Speed::ONE {
            given.rounding = given.rounding.max(1 + u128::from(fastest.work.div_ceil(fastest.per)));
        }
    }
    for spin in &timeline.spins {
        let given = &mut given[spin.task];
        given.work = given.work.saturating_sub(u128::from(spin.work.ns()));
        given.most = given.most.saturating_sub(u128::from(spin.work.ns()));
    }
    for request in &timeline.requests {
        given[request.task].service += u128::from(request.service.ns());
    }
    for block in timeline.blocks.iter().filter(|block| block.cause == Cause::Timer) {
        given[block.task].sleep += u128::from(block.end.since(block.start).ns());
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CpuId, DeviceId, SyncId};
    use crate::place::Place;
    use crate::scenario::SyncOp;
    use crate::time::Span;
    use crate::timeline::check::tests::{A, C, lawful};

    fn ms(ms: u64) -> Distribution {
        Distribution::Constant(Span::from_ms(ms))
    }

    fn io(service: u64) -> Op {
        Op::Io { device: DeviceId(0), service: ms(service), at: Place::At(0), blocking: false }
    }

    fn program(ops: Vec<Op>) -> Program {
        Program::new(ops, 1)
    }

    /// What the lawful timeline does.
    fn programs() -> [Program; 3] {
        let [lock, unlock] = [SyncOp::Lock, SyncOp::Unlock].map(|op| Op::Sync(op(SyncId(0))));
        let twice = Op::Repeat { count: Some(2), slot: 0, end: 5 };
        let again = Op::Again { start: 3, slot: 0, forever: false };
        [
            program(vec![Op::Cpu(ms(7)), io(2), twice, Op::Cpu(ms(1)), again]),
            program(vec![Op::Cpu(ms(2)), io(4), Op::Cpu(ms(1)), lock.clone(), Op::Cpu(ms(2)), unlock.clone()]),
            program(vec![lock, Op::Cpu(ms(3)), Op::Sleep(ms(6)), Op::Cpu(ms(1)), unlock]),
        ]
    }

    fn verdict(timeline: &Timeline, programs: &[Program], speeds: &[Speed], tolerance: Span) -> String {
        let tolerance = Tolerance::within(tolerance);
        let mut check = Check { timeline, tolerance, violations: Vec::new() };
        check.demands(&programs.iter().map(demand).collect::<Vec<_>>(), &[false; 3], &[0; 3], speeds, Speed::ONE);
        check.verdict().map_or_else(|violations| violations.to_string(), |()| String::new())
    }

    #[test]
    fn demand_given_is_demand_asked() {
        let speeds = [Speed::ONE; 2];
        assert_eq!(verdict(&lawful(), &programs(), &speeds, Span::ZERO), "");
        for (task, op, wrong, words) in [
            (0, 0, Op::Cpu(ms(8)), ["a#0", "10000000ns of processor work", "9000000ns"]),
            (1, 1, io(3), ["b#0", "3000000ns of device service", "4000000ns"]),
            (2, 2, Op::Sleep(ms(7)), ["c#0", "7000000ns of sleep", "6000000ns"]),
        ] {
            let mut programs = programs();
            programs[task].ops[op] = wrong;
            let said = verdict(&lawful(), &programs, &speeds, Span::ZERO);
            assert!(words.iter().all(|word| said.contains(word)) && said.lines().count() == 1, "{said}");
            assert_eq!(verdict(&lawful(), &programs, &speeds, Span::from_ms(1)), "", "within what can be told");
        }
    }

    #[test]
    fn who_did_not_finish_received_no_more() {
        let mut timeline = lawful();
        timeline.tasks[A].finish = None;
        let mut programs = programs();
        programs[0].ops[0] = Op::Cpu(ms(8));
        assert_eq!(verdict(&timeline, &programs, &[Speed::ONE; 2], Span::ZERO), "");
        programs[0].ops[0] = Op::Cpu(ms(6));
        assert_ne!(verdict(&timeline, &programs, &[Speed::ONE; 2], Span::ZERO), "");
    }

    #[test]
    fn work_depends_on_the_speed_of_the_processor() {
        // Processor 1 works at two thirds: c's 3 ms and 1 ms there are 2 ms and 0.667 ms of work.
        let mut timeline = lawful();
        let slow = [Speed::ONE, Speed { work: 2, per: 3 }];
        timeline.intervals.edit(|all| all.retain(|interval| interval.task == C));
        assert!(timeline.intervals.iter().all(|interval| interval.cpu == CpuId(1)));
        let work = |ns| program(vec![Op::Cpu(Distribution::Constant(Span::from_ns(ns))), Op::Sleep(ms(6))]);
        let verdict = |ns| {
            let mut check = Check { timeline: &timeline, tolerance: Tolerance::EXACT, violations: Vec::new() };
            let asked = demand(&work(ns)).expect("constant");
            check.compare(C, &asked, &asked, &given(&timeline, &slow, Speed::ONE)[C], 0);
            check.violations.len()
        };
        assert_eq!([verdict(2_666_666), verdict(2_660_000), verdict(2_670_000)], [0, 1, 1]);
    }

    #[test]
    fn chance_is_passed_over() {
        let law = crate::distribution::Law::Exponential { mean: Span::from_ms(1) };
        let chance = Distribution::Random(law.into());
        for op in
            [Op::Cpu(chance), Op::Jump(1), Op::Choose(vec![(1.0, 1)]), Op::Repeat { count: None, slot: 0, end: 1 }]
        {
            assert!(demand(&program(vec![op])).is_none());
        }
    }
}
