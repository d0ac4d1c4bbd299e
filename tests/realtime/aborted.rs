//! Jobs that end at their deadlines whatever they are at, held against a simulation that knows ticks, one processor, locks and sleeps.

use sim_core::rng::{Stream, StreamName};
use sim_core::timeline::Timeline;

use crate::support::{run, scenario};

const POLICIES: [&str; 4] = ["edf", "rate-monotonic", "deadline-monotonic", "priority"];
/// Ticks, of a millisecond each.
const HORIZON: u64 = 150;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Op {
    Cpu(u64),
    Sleep(u64),
    Lock(usize),
    Unlock(usize),
}

#[derive(Clone, Debug)]
struct Task {
    offset: u64,
    period: u64,
    deadline: u64,
    priority: i64,
    program: Vec<Op>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Ready,
    Asleep(u64),
    Waits(usize),
}

/// The present job of a task.
#[derive(Clone, Copy)]
struct Present {
    release: u64,
    op: usize,
    left: u64,
    state: State,
    /// Its place among equals: who came first, and before them who was put off last.
    place: i64,
}

/// Whose, the release, the end.
type Fate = (usize, u64, Option<u64>);

struct Ticks<'a> {
    tasks: &'a [Task],
    policy: &'static str,
    jobs: Vec<Option<Present>>,
    next: Vec<u64>,
    stamp: i64,
    runs: Option<usize>,
    holders: [Option<usize>; 2],
    /// In the order in which they came.
    queues: [Vec<usize>; 2],
    fates: Vec<Fate>,
}

impl Ticks<'_> {
    /// The smaller, the more urgent.
    fn urgency(&self, task: usize) -> i64 {
        let Task { period, deadline, priority, .. } = self.tasks[task];
        let number = |ticks: u64| i64::try_from(ticks).expect("short");
        match self.policy {
            "edf" => number(self.jobs[task].expect("it waits").release + deadline),
            "rate-monotonic" => number(period),
            "deadline-monotonic" => number(deadline),
            _ => -priority,
        }
    }

    fn rank(&self, task: usize) -> (i64, usize) {
        (self.urgency(task), if self.policy.ends_with("monotonic") { task } else { 0 })
    }

    fn job(&mut self, task: usize) -> &mut Present {
        self.jobs[task].as_mut().expect("it is at a job")
    }

    fn is_ready(&mut self, task: usize) {
        self.stamp += 1;
        let place = self.stamp;
        (self.job(task).state, self.job(task).place) = (State::Ready, place);
    }

    fn begins(&mut self, task: usize, release: u64) {
        self.jobs[task] = Some(Present { release, op: 0, left: 0, state: State::Ready, place: 0 });
        self.is_ready(task);
        self.next[task] = release + self.tasks[task].period;
        self.takes_burst(task);
    }

    /// Work that is next is known before it begins.
    fn takes_burst(&mut self, task: usize) {
        let tasks = self.tasks;
        let job = self.job(task);
        if let (0, Some(Op::Cpu(ticks))) = (job.left, tasks[task].program.get(job.op)) {
            (job.left, job.op) = (*ticks, job.op + 1);
        }
    }

    fn ends(&mut self, task: usize, now: u64, aborted: bool) {
        let job = self.jobs[task].take().expect("it is at a job");
        self.fates.push((task, job.release, (!aborted).then_some(now)));
        if self.next[task] < now {
            self.begins(task, self.next[task]);
        }
    }

    fn unlocks(&mut self, lock: usize) {
        let heir = self.queues[lock].iter().copied().min_by_key(|task| self.urgency(*task));
        self.holders[lock] = heir;
        if let Some(heir) = heir {
            self.queues[lock].retain(|task| *task != heir);
            self.is_ready(heir);
            self.takes_burst(heir);
        }
    }

    /// What whoever runs does without taking time.
    fn goes_on(&mut self, now: u64) {
        while let Some(task) = self.runs.filter(|task| self.jobs[*task].is_some_and(|job| job.left == 0)) {
            let op = self.tasks[task].program.get(self.job(task).op).copied();
            self.job(task).op += 1;
            match op {
                Some(Op::Cpu(ticks)) => self.job(task).left = ticks,
                Some(Op::Sleep(ticks)) => (self.job(task).state, self.runs) = (State::Asleep(now + ticks), None),
                Some(Op::Lock(lock)) if self.holders[lock].is_none() => self.holders[lock] = Some(task),
                Some(Op::Lock(lock)) => {
                    self.queues[lock].push(task);
                    (self.job(task).state, self.runs) = (State::Waits(lock), None);
                }
                Some(Op::Unlock(lock)) => self.unlocks(lock),
                None => {
                    self.runs = None;
                    self.ends(task, now, false);
                }
            }
        }
    }

    fn releases(&mut self, now: u64) {
        for task in 0..self.tasks.len() {
            if self.jobs[task].is_none() && self.next[task] == now {
                self.begins(task, now);
            }
        }
    }

    /// Those who wake now are looked at when they have (`awake`).
    fn aborts(&mut self, now: u64, awake: bool) {
        for (task, described) in self.tasks.iter().enumerate() {
            let due = self.jobs[task].filter(|job| job.release + described.deadline == now);
            if due.is_none_or(|job| !awake && job.state == State::Asleep(now)) {
                continue;
            }
            self.runs = self.runs.filter(|runs| *runs != task);
            if let State::Waits(lock) = self.job(task).state {
                self.queues[lock].retain(|waits| *waits != task);
            }
            // They are taken in this order.
            for lock in [1, 0] {
                if self.holders[lock] == Some(task) {
                    self.unlocks(lock);
                }
            }
            self.ends(task, now, true);
        }
    }

    fn dispatch(&mut self) {
        let ready =
            |task: &usize| self.runs != Some(*task) && self.jobs[*task].is_some_and(|job| job.state == State::Ready);
        let key = |task: &usize| (self.rank(*task), self.jobs[*task].map(|job| job.place));
        let best = (0..self.tasks.len()).filter(ready).min_by_key(key);
        match (self.runs, best) {
            (None, best) => self.runs = best,
            (Some(runs), Some(best)) if self.rank(best) < self.rank(runs) => {
                self.stamp += 1;
                let place = -self.stamp;
                self.job(runs).place = place;
                self.runs = Some(best);
            }
            _ => {}
        }
    }

    fn instant(&mut self, now: u64) {
        self.goes_on(now);
        self.aborts(now, false);
        self.releases(now);
        // Whoever began first wakes first: all sleep for as long.
        let asleep = |task: &usize| self.jobs[*task].is_some_and(|job| job.state == State::Asleep(now));
        let mut woken: Vec<usize> = (0..self.tasks.len()).filter(asleep).collect();
        woken.sort_by_key(|task| self.jobs[*task].map(|job| job.place));
        for task in woken {
            self.is_ready(task);
            self.takes_burst(task);
        }
        self.aborts(now, true);
        self.releases(now);
        self.dispatch();
        while self.runs.is_some_and(|task| self.job(task).left == 0) {
            self.goes_on(now);
            self.releases(now);
            self.dispatch();
        }
    }
}

fn ticks(tasks: &[Task], policy: &'static str) -> Vec<Fate> {
    let (jobs, next) = (vec![None; tasks.len()], tasks.iter().map(|task| task.offset).collect());
    let (holders, queues) = ([None; 2], [const { Vec::new() }; 2]);
    let mut world = Ticks { tasks, policy, jobs, next, stamp: 0, runs: None, holders, queues, fates: Vec::new() };
    for now in 0..HORIZON {
        world.instant(now);
        if let Some(job) = world.runs.and_then(|task| world.jobs[task].as_mut()) {
            job.left -= 1;
        }
    }
    // What is under way at the horizon is no matter of this.
    world.fates.retain(|(.., end)| end.is_none_or(|end| end < HORIZON));
    world.fates.sort_unstable();
    world.fates
}

fn simulated(timeline: &Timeline) -> Vec<Fate> {
    let ms = |ns: u64| ns / 1_000_000;
    let over = timeline.jobs.iter().filter(|job| job.over().is_some_and(|at| ms(at.ns()) < HORIZON));
    let of =
        |job: &sim_core::timeline::Job| (job.task.0 as usize, ms(job.release.ns()), job.finish.map(|at| ms(at.ns())));
    let mut fates: Vec<Fate> = over.map(of).collect();
    fates.sort_unstable();
    fates
}

fn program(chance: &mut Stream, work: u64) -> Vec<Op> {
    let third = (work / 3).max(1);
    let cpu = Op::Cpu(third);
    match chance.below(5) {
        0 => vec![Op::Cpu(work)],
        1 => vec![cpu, Op::Lock(0), cpu, Op::Unlock(0), cpu],
        2 => vec![Op::Lock(0), cpu, Op::Lock(1), cpu, Op::Unlock(1), Op::Unlock(0), cpu],
        3 => vec![cpu, Op::Sleep(3), cpu, Op::Lock(1), cpu, Op::Unlock(1)],
        _ => vec![Op::Lock(0), cpu, Op::Sleep(3), cpu, Op::Unlock(0), cpu],
    }
}

fn set(chance: &mut Stream) -> Vec<Task> {
    let (count, percent) = (2 + chance.below(4), 90 + chance.below(61));
    let task = |_| {
        let period = 6 + chance.below(24);
        let work = (period * (percent * (50 + chance.below(100)) / 100 / count) / 100).max(1);
        let deadline = if chance.below(2) == 0 { period } else { work + chance.below(2 * period) };
        let priority = i64::try_from(chance.below(4)).expect("few");
        Task { offset: chance.below(6), period, deadline, priority, program: program(chance, work) }
    };
    (0..count).map(task).collect()
}

fn written(op: &Op) -> String {
    match op {
        Op::Cpu(ticks) => format!("{{ cpu = '{ticks}ms' }}, "),
        Op::Sleep(ticks) => format!("{{ sleep = '{ticks}ms' }}, "),
        Op::Lock(lock) => format!("{{ lock = 'L{lock}' }}, "),
        Op::Unlock(lock) => format!("{{ unlock = 'L{lock}' }}, "),
    }
}

#[test]
fn a_job_ends_at_its_deadline_whatever_it_is_at() {
    let mut aborted = 0;
    for seed in 0..400 {
        let mut chance = StreamName::new(seed).word("aborted").stream();
        let tasks = set(&mut chance);
        for policy in POLICIES {
            let of = |(number, task): (usize, &Task)| {
                let Task { offset, period, deadline, priority, program } = task;
                let program: String = program.iter().map(written).collect();
                format!(
                    "[[task]]\nname = 'T{number}'\narrival = '{offset}ms'\nperiod = '{period}ms'\ndeadline = '{deadline}ms'\n\
                     priority = {priority}\non-miss = 'abort'\nprogram = [{program}]\n"
                )
            };
            let described: String = tasks.iter().enumerate().map(of).collect();
            let text = format!(
                "until = '{HORIZON}ms'\nlock = [{{ name = 'L0' }}, {{ name = 'L1' }}]\n[scheduler]\npolicy = '{policy}'\n{described}"
            );
            let (timeline, _) = run(&scenario(&text));
            assert_eq!(simulated(&timeline), ticks(&tasks, policy), "seed {seed}:\n{text}");
            assert!(timeline.holds.iter().all(|hold| {
                let over = |job: &&sim_core::timeline::Job| job.aborted && job.task == hold.task;
                timeline.jobs.iter().filter(over).all(|job| hold.start >= job.deadline || hold.end <= job.deadline)
            }));
            aborted += timeline.jobs.iter().filter(|job| job.aborted).count();
        }
    }
    assert!(aborted > 3_000, "{aborted} aborted are few");
}
