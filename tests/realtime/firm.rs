//! What becomes of late jobs, held against a simulation of its own that knows ticks, one processor and nothing else.

use sim_core::rng::{Stream, StreamName};
use sim_core::timeline::Timeline;

use crate::support::{run, scenario};

/// What becomes of a job that is late.
#[derive(Clone, Copy, PartialEq, Debug)]
enum OnMiss {
    Continue,
    Skip,
    Abort,
}

const POLICIES: [&str; 4] = ["edf", "rate-monotonic", "deadline-monotonic", "priority"];
const MISSES: [OnMiss; 3] = [OnMiss::Continue, OnMiss::Skip, OnMiss::Abort];
/// Ticks, of a millisecond each.
const HORIZON: u64 = 120;

#[derive(Clone, Copy, Debug)]
struct Task {
    offset: u64,
    period: u64,
    deadline: u64,
    work: u64,
    priority: i64,
}

/// Whose, the release, the deadline, the end, how many releases were dropped because of it, and was it aborted?
type Fate = (usize, u64, u64, Option<u64>, u32, bool);

/// The present job of a task.
#[derive(Clone, Copy)]
struct Present {
    release: u64,
    left: u64,
    /// Its place among equals: who came first, and before them who was put off last.
    place: i64,
}

struct Ticks<'a> {
    tasks: &'a [Task],
    policy: &'static str,
    on_miss: OnMiss,
    jobs: Vec<Option<Present>>,
    next: Vec<u64>,
    stamp: i64,
    runs: Option<usize>,
    fates: Vec<Fate>,
}

impl Ticks<'_> {
    /// The smaller, the more urgent.
    fn rank(&self, task: usize) -> (i64, usize) {
        let number = |ticks: u64| i64::try_from(ticks).expect("short");
        let release = self.jobs[task].map_or(0, |job| job.release);
        match self.policy {
            "edf" => (number(release + self.tasks[task].deadline), 0),
            "rate-monotonic" => (number(self.tasks[task].period), task),
            "deadline-monotonic" => (number(self.tasks[task].deadline), task),
            _ => (-self.tasks[task].priority, 0),
        }
    }

    fn begins(&mut self, task: usize, release: u64) {
        self.stamp += 1;
        self.jobs[task] = Some(Present { release, left: self.tasks[task].work, place: self.stamp });
        self.next[task] = release + self.tasks[task].period;
    }

    /// The job of the task is over: what was dropped meanwhile, and does the next one wait already?
    fn ends(&mut self, task: usize, now: u64) {
        let Some(job) = self.jobs[task].take() else { return };
        let mut skips = 0;
        while self.on_miss == OnMiss::Skip && self.next[task] < now {
            self.next[task] += self.tasks[task].period;
            skips += 1;
        }
        let deadline = job.release + self.tasks[task].deadline;
        let aborted = job.left > 0;
        self.fates.push((task, job.release, deadline, (!aborted).then_some(now), skips, aborted));
        if self.next[task] < now {
            self.begins(task, self.next[task]);
        }
    }

    fn aborts(&mut self, now: u64) {
        for (task, described) in self.tasks.iter().enumerate() {
            let late = self.jobs[task].is_some_and(|job| job.release + described.deadline == now);
            if late && self.on_miss == OnMiss::Abort {
                self.runs = self.runs.filter(|runs| *runs != task);
                self.ends(task, now);
            }
        }
    }

    fn instant(&mut self, now: u64) {
        if let Some(task) = self.runs
            && self.jobs[task].is_some_and(|job| job.left == 0)
        {
            self.runs = None;
            self.ends(task, now);
        }
        self.aborts(now);
        for task in 0..self.tasks.len() {
            if self.jobs[task].is_none() && self.next[task] == now {
                self.begins(task, now);
            }
        }
        let ready = |task: &usize| self.jobs[*task].is_some() && self.runs != Some(*task);
        let key = |task: &usize| (self.rank(*task), self.jobs[*task].map(|job| job.place));
        let best = (0..self.tasks.len()).filter(ready).min_by_key(key);
        match (self.runs, best) {
            (None, best) => self.runs = best,
            (Some(runs), Some(best)) if self.rank(best) < self.rank(runs) => {
                self.stamp += 1;
                let place = -self.stamp;
                self.jobs[runs] = self.jobs[runs].map(|job| Present { place, ..job });
                self.runs = Some(best);
            }
            _ => {}
        }
    }
}

/// The fates of all jobs that were released before the horizon.
fn ticks(tasks: &[Task], policy: &'static str, on_miss: OnMiss) -> Vec<Fate> {
    let (jobs, next) = (vec![None; tasks.len()], tasks.iter().map(|task| task.offset).collect());
    let mut world = Ticks { tasks, policy, on_miss, jobs, next, stamp: 0, runs: None, fates: Vec::new() };
    for now in 0..HORIZON {
        world.instant(now);
        if let Some(job) = world.runs.and_then(|task| world.jobs[task].as_mut()) {
            job.left -= 1;
        }
    }
    // What ends at the horizon has ended, nothing is released.
    if let Some(task) = world.runs.filter(|task| world.jobs[*task].is_some_and(|job| job.left == 0)) {
        world.ends(task, HORIZON);
    }
    world.aborts(HORIZON);
    for (task, described) in tasks.iter().enumerate() {
        let mut job = world.jobs[task].map(|job| job.release);
        while let Some(release) = job.filter(|release| *release < HORIZON) {
            let later = (1..).map(|k| release + k * described.period).take_while(|release| *release < HORIZON);
            let skips = if on_miss == OnMiss::Skip { u32::try_from(later.count()).expect("few") } else { 0 };
            world.fates.push((task, release, release + described.deadline, None, skips, false));
            job = (on_miss != OnMiss::Skip).then(|| release + described.period);
        }
    }
    world.fates.sort_unstable();
    world.fates
}

fn simulated(timeline: &Timeline) -> Vec<Fate> {
    let ms = |ns: u64| ns / 1_000_000;
    let of = |job: &sim_core::timeline::Job| {
        let task = job.task.0 as usize;
        (task, ms(job.release.ns()), ms(job.deadline.ns()), job.finish.map(|at| ms(at.ns())), job.skips, job.aborted)
    };
    let mut fates: Vec<Fate> = timeline.jobs.iter().map(of).collect();
    fates.sort_unstable();
    fates
}

/// A set of this utilisation, about.
fn set(chance: &mut Stream, percent: u64) -> Vec<Task> {
    let count = 2 + chance.below(4);
    let task = |_| {
        let period = 4 + chance.below(24);
        let share = percent * (50 + chance.below(100)) / 100 / count;
        let work = (period * share / 100).max(1);
        let deadline = if chance.below(2) == 0 { period } else { work + chance.below(2 * period) };
        let priority = i64::try_from(chance.below(4)).expect("few");
        Task { offset: chance.below(6), period, deadline, work, priority }
    };
    (0..count).map(task).collect()
}

#[test]
fn every_job_has_the_same_fate_as_tick_by_tick() {
    let (mut missed, mut skipped, mut aborted) = (0, 0, 0);
    for seed in 0..400 {
        let mut chance = StreamName::new(seed).word("firm").stream();
        let percent = 90 + chance.below(61);
        let tasks = set(&mut chance, percent);
        for policy in POLICIES {
            for on_miss in MISSES {
                let expected = ticks(&tasks, policy, on_miss);
                let word = format!("{on_miss:?}").to_lowercase();
                let of = |(number, task): (usize, &Task)| {
                    let Task { offset, period, deadline, work, priority } = task;
                    format!(
                        "[[task]]\nname = 'T{number}'\narrival = '{offset}ms'\nperiod = '{period}ms'\ndeadline = '{deadline}ms'\n\
                         priority = {priority}\non-miss = '{word}'\nprogram = [{{ cpu = '{work}ms' }}]\n"
                    )
                };
                let tasks: String = tasks.iter().enumerate().map(of).collect();
                let text = format!("until = '{HORIZON}ms'\n[scheduler]\npolicy = '{policy}'\n{tasks}");
                let (timeline, _) = run(&scenario(&text));
                assert_eq!(simulated(&timeline), expected, "seed {seed}, {policy}, {word}:\n{text}");
                missed += timeline.jobs.iter().filter(|job| job.missed(timeline.end)).count();
                aborted += timeline.jobs.iter().filter(|job| job.aborted).count();
                skipped += timeline.jobs.iter().map(|job| job.skips).sum::<u32>();
            }
        }
    }
    let many = missed > 1000 && skipped > 1000 && aborted > 1000;
    assert!(many, "{missed} missed, {skipped} skipped and {aborted} aborted are few");
}
