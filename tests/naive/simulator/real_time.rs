//! What the policies for deadlines need: servers, laxities, heavy tasks.

use super::World;
use crate::naive::case;

/// Before all deadlines there are in these worlds.
const LONG: i64 = 1_000_000;

/// A constant-bandwidth server.
pub(super) struct Server {
    pub(super) budget: u64,
    deadline: u64,
    full: u64,
    period: u64,
}

impl Server {
    pub(super) fn new((full, period): (u64, u64)) -> Server {
        Server { budget: 0, deadline: 0, full, period }
    }

    /// Its thread wants to run again: would the rest of the budget exceed the bandwidth until the deadline?
    pub(super) fn wake(&mut self, now: u64) {
        if self.budget * self.period >= self.deadline.saturating_sub(now) * self.full {
            (self.budget, self.deadline) = (self.full, now + self.period);
        }
    }

    /// Its thread has run for a tick: a budget that is used up is full again, for a later deadline.
    pub(super) fn tick(&mut self) {
        self.budget -= 1;
        if self.budget == 0 {
            (self.budget, self.deadline) = (self.full, self.deadline + self.period);
        }
    }
}

impl World<'_> {
    /// When the present job of a task is due.
    pub(super) fn deadline(&self, task: usize) -> Option<i64> {
        let periodic = self.task(task).periodic?;
        Some(i64::try_from(self.releases[task][self.job[task]] + periodic.deadline).expect("short"))
    }

    /// By deadline, or that of the server; tasks that need more than a fraction of a processor come before all others.
    pub(super) fn edf_rank(&self, task: usize, heavy: Option<(u64, u64)>) -> (i64, usize) {
        if let Some(server) = &self.memory.servers[task] {
            return (i64::try_from(server.deadline).expect("short"), 0);
        }
        let is_heavy = heavy
            .zip(self.task(task).periodic)
            .is_some_and(|((part, whole), periodic)| case::demand(self.program(task)) * whole > periodic.period * part);
        let (deadline, place) = self.urgency(task);
        (if is_heavy { deadline - LONG } else { deadline }, place)
    }

    /// The deadline less the work that the present job still needs: the order of laxities, at any one time.
    pub(super) fn latest_start(&self, task: usize) -> i64 {
        let Some(deadline) = self.deadline(task) else { return i64::MAX };
        let progress = &self.progress[task];
        let ahead = self.program(task).get(progress.next_op..).unwrap_or_default();
        deadline - i64::try_from(progress.cpu_left + case::demand(ahead)).expect("short")
    }

    /// At multiples of the quantum, and when the laxity of one who waits, and is ahead of one who runs, becomes zero.
    pub(super) fn laxities_are_compared(&self, quantum: u64) -> bool {
        let now = i64::try_from(self.now).expect("short");
        let presses = |thread: &usize| {
            let task = self.threads[*thread].task.expect("a thread of its own");
            self.latest_start(task) == now && self.victim_of(*thread).is_some()
        };
        self.now.is_multiple_of(quantum) || self.ready.iter().any(presses)
    }

    /// Drops the releases that came while the job, at the end of its program, still ran, if that is asked for.
    pub(super) fn drops_releases(&mut self, task: usize) {
        let at_end = self.progress[task].next_op == self.program(task).len();
        if at_end && self.task(task).periodic.is_some_and(|periodic| periodic.skips) {
            let later = &self.releases[task][self.job[task] + 1..];
            let missed = later.iter().take_while(|release| **release < self.now).count();
            self.releases[task].drain(self.job[task] + 1..=self.job[task] + missed);
        }
    }

    pub(super) fn next_job(&mut self, task: usize) {
        self.job[task] += 1;
        self.progress[task].next_op = 0;
    }

    pub(super) fn finished(&mut self, task: usize) {
        self.drops_releases(task);
        if let Some(release) = self.releases[task].get(self.job[task] + 1).copied() {
            self.next_job(task);
            if release >= self.now {
                self.release[task] = Some(release);
            } else {
                self.wake(task);
            }
            return;
        }
        self.history.finishes[task] = Some(self.now);
        self.leaves_process(task);
    }
}

/// When the jobs of a task are released: a period after each other, and the later by their jitter. No release comes
/// before the one ahead of it. A task that is not periodic has one, its arrival.
pub(super) fn releases(task: &super::super::case::Task, drawn: &[u64]) -> Vec<u64> {
    let Some(periodic) = task.periodic else { return vec![task.arrival] };
    let mut releases: Vec<u64> = Vec::new();
    for job in 0..periodic.jobs {
        let nominal = task.arrival + job * periodic.period;
        let before = releases.last().copied().unwrap_or(0);
        let release = if periodic.jitter.is_empty() {
            nominal
        } else {
            let drawn = drawn[usize::try_from(job).expect("few")];
            let legal = periodic.jitter.iter().any(|late| drawn == before.max(nominal + late));
            assert!(legal, "job {job}, nominally at {nominal}, is released at {drawn}, the one before at {before}");
            drawn
        };
        releases.push(release);
    }
    releases
}
