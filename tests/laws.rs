//! Laws that hold for every policy and every scenario, tried on many random ones.
//!
//! A new policy on the shelf is tried here without a word being added, as long as its parameters have names that
//! others have too. A scenario that breaks a law is made as small as leaving things out can make it and saved as a
//! file that `sim run` shows. `LAWS_CASES=100000 cargo test laws` looks longer.

mod branches;
mod causes;
mod costs;
pub(crate) mod critical_path;
mod devices;
mod draft;
mod firm;
mod generator;
mod giving_up;
mod groups;
mod hashes;
mod interruption;
mod linux;
mod operations;
mod periodic;
mod rules;
mod shrink;
mod state;
mod waits;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sim_core::device::{DISCIPLINES, Form};
use sim_core::document::Source;
use sim_core::engine::{End, Ending, cast, simulate, simulate_as};
use sim_core::executor::Threads;
use sim_core::ids::{CpuId, SpecId, TaskId};
use sim_core::metrics::Metrics;
use sim_core::outcome::Outcome;
use sim_core::policy::checked::watch;
use sim_core::policy::{POLICIES, Theory};
use sim_core::scenario::{Arrival, Op, Process, Scenario, Speed, lower};
use sim_core::time::Time;
use sim_core::timeline::check::Tolerance;
use sim_core::timeline::lanes::{Busy, State, Stretch};
use sim_core::timeline::{Block, Cause, Depletions, Interval, Recorder, Timeline, TimelineHash};

use costs::may_idle;
use draft::Draft;

/// Scenarios for each policy, unless the environment says otherwise.
const CASES: u64 = 1000;

/// What a law says when it is broken.
type Verdict = Result<(), String>;

#[test]
fn every_policy_keeps_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for kind in POLICIES {
        let (mut completed, mut others) = (0, 0);
        for seed in 0..cases {
            let draft = generator::draft(kind, seed);
            match verdict(&draft) {
                Ok(End::Completed) => completed += 1,
                Ok(_) => others += 1,
                Err(_) => report(draft),
            }
        }
        assert!(completed > cases / 4 && others > cases / 50, "{}: {completed} and {others} are one-sided", kind.name);
    }
}

/// Whom a policy prefers may depend on who spins for what, who lends urgency to whom, and what is ahead of whom, and all
/// of that changes within an instant: still each comes to its end, in far fewer steps than a livelock takes.
#[test]
fn every_instant_of_contention_settles() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for kind in POLICIES {
        // Ceilings that are compared with urgencies need such as stay.
        let fixed =
            matches!(kind.theory, Theory::FixedPriorities | Theory::RateMonotonic).then_some("original-ceiling");
        for protocol in [None, Some("inherit"), Some("ceiling"), Some("non-preemptive"), fixed] {
            for seed in 0..cases / 2 {
                let draft = generator::contention(kind, protocol, seed);
                if verdict(&draft).is_err() {
                    report(draft);
                }
            }
        }
        for seed in 0..cases / 2 {
            let draft = generator::barging(kind, seed);
            if verdict(&draft).is_err() {
                report(draft);
            }
        }
    }
}

#[test]
fn every_discipline_keeps_the_laws() {
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for kind in DISCIPLINES {
        let mut requests = 0;
        for seed in 0..cases {
            let policy = POLICIES[usize::try_from(seed).expect("small") % POLICIES.len()];
            let mut draft = generator::draft(policy, seed);
            draft.serve_by(kind);
            match verdict(&draft) {
                Ok(_) => requests += draft.devices.len() as u64,
                Err(_) => report(draft),
            }
        }
        assert!(requests > cases / 4, "{}: {requests} devices are few", kind.name);
    }
}

/// Shrinks a case that breaks a law, saves it, and panics.
fn report(draft: Draft) -> ! {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let seed = draft.seed;
    let small = shrink::shrink(draft, |candidate| scenario(candidate, "us").is_ok() && verdict(candidate).is_err());
    std::panic::set_hook(quiet);
    let law = verdict(&small).err().unwrap_or_default();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("laws-{}-{seed}.toml", small.policy));
    let text = format!("# {}\n{}", law.replace('\n', "\n# "), small.toml("us"));
    std::fs::write(&path, text).expect("a file for the case");
    let shown = path.display();
    panic!(
        "policy {}, seed {seed}: {law}\nthe case is saved; look at it with\n  sim run {shown} --check --timeline",
        small.policy
    )
}

fn scenario(draft: &Draft, unit: &str) -> Result<Scenario, String> {
    let text = draft.toml(unit);
    lower::scenario(&Source { file: "case.toml", text: &text }, &[]).map_err(|mistakes| format!("{mistakes}\n{text}"))
}

/// Does the case keep all laws? How does it end?
fn verdict(draft: &Draft) -> Result<End, String> {
    let scenario = scenario(draft, "us").map_err(|mistakes| format!("the case is no valid scenario: {mistakes}"))?;
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let run = Run::of(&scenario);
        run.laws(&scenario).and_then(|()| of_other_runs(draft, &scenario, &run)).map(|()| run.ending.end)
    }));
    judged.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        Err(words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
    })
}

/// Panics when a run does not come to an end.
#[derive(Default)]
struct Fuse(u32);

impl Recorder for Fuse {
    fn interval(&mut self, _: Interval) {
        self.0 += 1;
        assert!(self.0 < 100_000, "the run does not come to an end");
    }
}

/// Everything that comes out of one simulation.
struct Run {
    metrics: Metrics,
    hash: String,
    timeline: Timeline,
    ending: Ending,
    outcome: Outcome,
}

impl Run {
    fn of(scenario: &Scenario) -> Run {
        let mut recorder = (((Metrics::with_jobs(), TimelineHash::default()), Timeline::default()), Fuse::default());
        let ending = simulate(scenario, &mut recorder);
        let (((metrics, hash), timeline), _) = recorder;
        let outcome = Outcome::simulated(scenario, &ending, &metrics, hash);
        Run { metrics, hash: hash.hex(), timeline, ending, outcome }
    }

    fn laws(&self, scenario: &Scenario) -> Verdict {
        the_policy_keeps_its_contract(scenario)?;
        self.timeline_is_lawful(scenario)?;
        self.timeline.check_demand(scenario, Tolerance::EXACT).map_err(|violations| violations.to_string())?;
        self.ends_for_a_reason(scenario)?;
        self.times_add_up()?;
        self.every_nanosecond_has_a_cause(scenario)?;
        self.lives_are_whole()?;
        critical_path::laws(self, scenario)?;
        self.affinity_is_kept(scenario)?;
        self.nothing_waits_without_a_cause(scenario)?;
        devices::laws(self, scenario)?;
        operations::laws(self, scenario)?;
        branches::laws(self, scenario)?;
        giving_up::laws(self, scenario)?;
        self.locks_are_held_while_tasks_wait()?;
        self.arrivals_are_those_of_the_file(scenario)
    }

    fn timeline_is_lawful(&self, scenario: &Scenario) -> Verdict {
        self.timeline.check_simulated(scenario).map_err(|violations| violations.to_string())
    }

    fn ends_for_a_reason(&self, scenario: &Scenario) -> Verdict {
        let unfinished = self.timeline.tasks.iter().filter(|life| life.finish.is_none()).count();
        let explained = self.ending.explanation.as_ref().is_some_and(|words| !words.is_empty());
        let sound = match self.ending.end {
            End::Completed => unfinished == 0 && !explained,
            End::Horizon => unfinished > 0 && scenario.until == Some(self.ending.at) && !explained,
            End::Deadlock => unfinished > 0 && explained,
            End::Livelock | End::Interrupted => false,
        };
        let in_time = scenario.until.is_none_or(|until| self.ending.at <= until);
        // Only who is cut off while others live can be said to be stuck.
        let sound = sound && (self.ending.stuck.is_none() || self.ending.end == End::Horizon);
        ensure(sound && in_time && self.timeline.end == self.ending.at, || {
            format!("{:?} with {unfinished} unfinished tasks", self.ending)
        })
    }

    /// Per task, running + waiting + blocked + overhead is its life; per processor, running + overhead + idle the run.
    fn times_add_up(&self) -> Verdict {
        let timeline = &self.timeline;
        let over: BTreeMap<String, Option<Time>> =
            timeline.tasks.pairs().map(|(id, life)| (timeline.task_name(id), life.finish)).collect();
        for task in &self.outcome.tasks {
            let sum = task.running_ns + task.waiting_ns + task.blocked_ns + task.overhead_ns;
            let arrival = task.arrival_ns.unwrap_or(self.ending.at.ns());
            // Who is aborted has no turnaround.
            let over = over[&task.name].unwrap_or(self.ending.at).ns();
            let life = over.saturating_sub(arrival);
            ensure(sum == life, || format!("{}: its parts are {sum}, its life {life}", task.name))?;
            let response = task.first_run_ns.map(|first| first - arrival);
            ensure(task.first_response_ns == response, || format!("{}: first response", task.name))?;
            ensure(task.slowdown.is_none_or(|slowdown| slowdown >= 1.0), || format!("{}: slowdown", task.name))?;
            let turnaround = task.finish_ns.map(|finish| finish - arrival);
            ensure(task.turnaround_ns == turnaround, || format!("{}: turnaround", task.name))?;
        }
        for processor in &self.outcome.processors {
            let sum = processor.running_ns + processor.overhead_ns + processor.idle_ns;
            ensure(sum == self.ending.at.ns(), || format!("processor {}: {sum} of the run", processor.name))?;
        }
        Ok(())
    }

    fn affinity_is_kept(&self, scenario: &Scenario) -> Verdict {
        let stray = self
            .timeline
            .intervals
            .iter()
            .find(|interval| !scenario.specs[self.spec(interval.task)].attributes.allows(interval.cpu));
        ensure(stray.is_none(), || format!("a task is on a processor that it may not use: {stray:?}"))
    }

    fn spec(&self, task: TaskId) -> SpecId {
        SpecId(self.timeline.tasks[task].spec)
    }

    /// Work conservation on both floors: while a task is ready, its process's threads are all taken; and while one of
    /// them is not on a processor although its task is able to run, every processor that it may use is busy.
    fn nothing_waits_without_a_cause(&self, scenario: &Scenario) -> Verdict {
        let own_thread = |process: &Process| {
            matches!(process.executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask)
                && process.executor.gil.is_none()
        };
        // Which processors a worker may use depends on the task that it carries, or takes next.
        let bound = scenario.specs.iter().any(|spec| spec.attributes.affinity.is_some());
        if bound && !scenario.processes.iter().all(own_thread) {
            return Ok(());
        }
        if may_idle(scenario) {
            return Ok(());
        }
        let (lanes, occupancy) = (self.timeline.lanes(), self.timeline.occupancy());
        let depletions = Depletions::of(&self.timeline);
        let starts = lanes.iter().flatten().map(|stretch| stretch.start);
        let mut edges: Vec<Time> = starts.chain(occupancy.iter().flatten().map(|s| s.start)).collect();
        edges.sort_unstable();
        edges.dedup();
        for at in edges {
            let idle = occupancy.pairs().filter(|(_, lane)| state_at(lane, at) == Some(Busy::Idle));
            let idle: Vec<CpuId> = idle.map(|(cpu, _)| cpu).collect();
            for (task, lane) in lanes.pairs() {
                let allows = |cpu: &CpuId| scenario.specs[self.spec(task)].attributes.allows(*cpu);
                let is_depleted = waits::for_budget(self, scenario, &depletions, task, at);
                if state_at(lane, at) != Some(State::Ready) || !idle.iter().any(allows) || is_depleted {
                    continue;
                }
                let states = lanes.pairs().map(|(other, lane)| (other, state_at(lane, at)));
                ensure(self.threads_are_taken(scenario, task, at, states), || {
                    format!("at {at} a processor is idle and {} is ready", self.timeline.task_name(task))
                })?;
            }
        }
        Ok(())
    }

    /// Are all threads of the task's process with other tasks, so that it cannot run although a processor is idle?
    fn threads_are_taken(
        &self,
        scenario: &Scenario,
        task: TaskId,
        at: Time,
        states: impl Iterator<Item = (TaskId, Option<State>)>,
    ) -> bool {
        let process = scenario.specs[self.spec(task)].process;
        let executor = &scenario.processes[process].executor;
        let locked = executor.gil.is_some();
        let threads = match executor.kind.threads {
            Threads::PerTask | Threads::ProcessPerTask if !locked => return false,
            // A task can be in the slot of a busy worker, known to the driver alone, or below another one on its worker.
            Threads::Workers if !executor.helps && executor.kind.name != "work-stealing" => executor.workers,
            _ => 1,
        };
        let keeps = executor.kind.keeps_thread && (executor.own_threads().is_some() || !locked);
        let mut runs = false;
        let taken = states.filter(|(other, state)| {
            let same = scenario.specs[self.spec(*other)].process == process && *other != task;
            let blocks = |cause: &Cause| match cause {
                _ if keeps => self.has_begun(*other, at),
                Cause::Device(_) => !executor.hands_off && !locked && may_block_its_thread(scenario, self.spec(*other)),
                _ => false,
            };
            let on = matches!(state, Some(State::Running | State::Overhead | State::Starting));
            runs |= same && on;
            same && (on || matches!(state, Some(State::Blocked(cause)) if blocks(cause)))
        });
        taken.count() >= threads as usize || locked && runs
    }

    /// Was the task on a processor before, if only in passing?
    fn has_begun(&self, task: TaskId, at: Time) -> bool {
        self.timeline.intervals.iter().any(|interval| interval.task == task && interval.start <= at)
    }

    /// What the file says exactly about arrivals is what happens, up to the end of the run.
    fn arrivals_are_those_of_the_file(&self, scenario: &Scenario) -> Verdict {
        for life in &self.timeline.tasks {
            let asked = match &scenario.specs[SpecId(life.spec)].arrival {
                Arrival::At(at) => *at,
                Arrival::List(times) => times[life.instance as usize],
                Arrival::Every(gap) => Time::from_ns(gap.ns() * u64::from(life.instance)),
                Arrival::Gap(_) | Arrival::Spawned => continue,
            };
            let sound = life.arrival == Some(asked) || (life.arrival.is_none() && asked >= self.ending.at);
            ensure(sound, || format!("{life:?} should arrive at {asked}"))?;
        }
        Ok(())
    }
}

fn the_policy_keeps_its_contract(scenario: &Scenario) -> Verdict {
    let (watched, guard) = watch(scenario);
    simulate(&watched, &mut Fuse::default());
    guard.verdict().map_err(|breach| format!("the policy breaks its contract: {breach}"))
}

fn ensure(law: bool, words: impl FnOnce() -> String) -> Verdict {
    if law { Ok(()) } else { Err(words()) }
}

fn state_at<S: Copy>(lane: &[Stretch<S>], at: Time) -> Option<S> {
    lane.iter().find(|stretch| stretch.start <= at && at < stretch.end).map(|stretch| stretch.state)
}

fn may_block_its_thread(scenario: &Scenario, spec: SpecId) -> bool {
    scenario.specs[spec].program.ops.iter().any(|op| matches!(op, Op::Io { blocking: true, .. }))
}

/// Laws that compare a run with others.
fn of_other_runs(draft: &Draft, scenario: &Scenario, run: &Run) -> Verdict {
    let again = Run::of(scenario);
    ensure(again.hash == run.hash && again.outcome == run.outcome, || "the same twice differs".to_owned())?;
    let silent = simulate_as(scenario, &Arc::new(cast(scenario)), &mut ());
    ensure(silent == run.ending, || format!("without a recorder the end is {silent:?}"))?;
    let replayed = Metrics::of(&run.timeline);
    let same = replayed.tasks == run.metrics.tasks
        && replayed.processors == run.metrics.processors
        && replayed.devices == run.metrics.devices
        && replayed.syncs == run.metrics.syncs;
    ensure(same, || "metrics of the kept timeline differ from those made on the way".to_owned())?;
    bystanders_change_nothing(draft, run)?;
    who_is_stuck_stays_stuck(scenario, run)?;
    interruption::law(scenario, run)?;
    let one_speed = scenario.machine.processors.iter().all(|processor| processor.speed == Speed::ONE);
    // Who shares a device leaves between nanoseconds.
    let shares = draft.discipline.is_some_and(|kind| kind.form == Form::Shared);
    let says_its_times = !OWN_TIMES.contains(&scenario.scheduler.kind.name) && draft.runtimes_say_their_times();
    if draft.is_certain() && one_speed && !shares && says_its_times {
        scales(draft, run)?;
    }
    Ok(())
}

/// Who is said to be stuck when a run is cut does not go on if it is cut later.
fn who_is_stuck_stays_stuck(scenario: &Scenario, run: &Run) -> Verdict {
    let Some(stuck) = &run.ending.stuck else { return Ok(()) };
    let cut = run.ending.at;
    let later = Scenario { until: Some(Time::from_ns(cut.ns() * 8)), ..scenario.clone() };
    let timeline = Run::of(&later).timeline;
    ensure(!stuck.tasks.is_empty() && stuck.since <= cut, || "nobody is stuck, or not yet".to_owned())?;
    for task in &stuck.tasks {
        let goes_on = || format!("{} goes on: {}", timeline.task_name(*task), stuck.explanation);
        ensure(timeline.tasks[*task].finish.is_none(), goes_on)?;
        let open = run.timeline.blocks.iter().find(|block| block.task == *task && block.end == cut);
        let same = |block: &&Block| block.task == *task && block.end == timeline.end;
        let stays = open.is_none_or(|open| timeline.blocks.iter().find(same).is_some_and(|b| b.start == open.start));
        ensure(stays, goes_on)?;
    }
    Ok(())
}

/// A device and a lock that nobody uses change nothing.
fn bystanders_change_nothing(draft: &Draft, run: &Run) -> Verdict {
    let mut more = draft.clone();
    more.devices.push(Some(1));
    // Objects are numbered kind by kind: the last is one that moves nobody else's number.
    match more.objects.is_empty() {
        true => more.locks += 1,
        false => more.objects.push(("barrier", "parties", 2)),
    }
    let other = Run::of(&scenario(&more, "us")?);
    ensure(other.hash == run.hash, || "a device and a lock that nobody uses change the timeline".to_owned())
}

/// Policies that divide times by weights and round, or have times of their own where the file gives none.
const OWN_TIMES: &[&str] = &["cfs", "stride", "eevdf", "linux"];

/// All times a thousand times as long: the timeline too.
fn scales(draft: &Draft, run: &Run) -> Verdict {
    // Of a quota what cannot be divided is lost, be it a nanosecond of a microsecond or of a millisecond.
    if !draft.groups.is_empty() {
        return Ok(());
    }
    let long = Run::of(&scenario(draft, "ms")?);
    let scaled = |time: Time| Time::from_ns(time.ns() * 1000);
    let intervals = run.timeline.intervals.iter().map(|interval| Interval {
        start: scaled(interval.start),
        end: scaled(interval.end),
        ..interval
    });
    ensure(intervals.eq(long.timeline.intervals.iter()), || {
        "with all times a thousand times as long, something else happens".to_owned()
    })
}
