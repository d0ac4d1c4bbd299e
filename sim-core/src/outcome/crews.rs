//! Pools that have not always as many threads, played again by their rules, from when their tasks came and ended: who waited for a
//! thread, and how many threads there were.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::executor::{Crew, Limits, Place};
use crate::ids::{Id as _, TaskId};
use crate::time::Time;

/// A task that a pool took, in the order in which they came.
pub(super) struct Taken {
    /// When it could begin.
    pub(super) begin: Time,
    /// When it was over.
    pub(super) finish: Time,
}

/// What is found.
#[derive(Default)]
pub(super) struct Played {
    /// Of each task: did it wait for a thread?
    pub(super) waited: Vec<bool>,
    /// How many threads were made.
    pub(super) made: u64,
    /// The most that there were at once.
    pub(super) most: u64,
}

/// Plays a pool with at most so many threads.
pub(super) fn play(limits: Limits, workers: u32, tasks: &[Taken]) -> Played {
    let mut play = Play {
        rules: Crew::new(limits, workers as usize),
        queue: VecDeque::new(),
        busy: BTreeMap::new(),
        idle: BTreeMap::new(),
        played: Played::default(),
    };
    let mut ends: BTreeSet<(Time, usize)> = BTreeSet::new();
    for (number, task) in tasks.iter().enumerate() {
        while let Some((at, ended)) = ends.first().copied().filter(|(at, _)| *at <= task.begin) {
            ends.pop_first();
            play.ends(ended, at);
        }
        let waits = play.comes(number, task.begin);
        play.played.waited.push(waits);
        ends.insert((task.finish, number));
    }
    play.played
}

struct Play {
    rules: Crew,
    queue: VecDeque<usize>,
    /// Which thread has which task.
    busy: BTreeMap<usize, u32>,
    /// Idle threads, and when they go away.
    idle: BTreeMap<u32, Time>,
    played: Played,
}

impl Play {
    /// A task comes that the pool took. Does it wait for a thread?
    fn comes(&mut self, number: usize, at: Time) -> bool {
        self.go_away(at);
        match self.rules.place(TaskId::from_index(number), (self.queue.len(), self.idle.len()), false) {
            Place::New(worker) => {
                self.busy.insert(number, worker);
                self.played.made += 1;
                self.played.most = self.played.most.max((self.busy.len() + self.idle.len()) as u64);
                false
            }
            Place::Outside => true,
            // It was taken, whatever clocks say: so there was room for it.
            Place::Queue | Place::Nowhere | Place::Caller => match self.idle.pop_first() {
                Some((worker, _)) => {
                    self.busy.insert(number, worker);
                    false
                }
                None => {
                    self.queue.push_back(number);
                    true
                }
            },
        }
    }

    /// A task ends, and its thread takes another.
    fn ends(&mut self, number: usize, at: Time) {
        self.go_away(at);
        let Some(worker) = self.busy.remove(&number).or_else(|| self.exchanges(number)) else { return };
        self.come_in(true);
        match self.queue.pop_front() {
            Some(next) => {
                self.busy.insert(next, worker);
                self.come_in(false);
            }
            None => {
                let goes = self.rules.stays().map_or(Time::NEVER, |stays| at + stays);
                self.idle.insert(worker, goes);
            }
        }
    }

    /// A task has ended that was thought to be in the queue: it had been taken before one that has not.
    fn exchanges(&mut self, number: usize) -> Option<u32> {
        let place = self.queue.iter().position(|waiting| *waiting == number)?;
        self.queue.remove(place);
        let (other, worker) = self.busy.pop_last()?;
        self.queue.push_front(other);
        Some(worker)
    }

    fn come_in(&mut self, takes: bool) {
        while let Some(task) = self.rules.let_in(self.queue.len(), takes) {
            self.queue.push_back(task.index());
        }
    }

    /// Threads go away that have been idle for long enough by then.
    fn go_away(&mut self, now: Time) {
        let mut due: Vec<(Time, u32)> = self
            .idle
            .iter()
            .map(|(worker, at)| (*at, *worker))
            .filter(|(at, _)| *at <= now && !at.is_never())
            .collect();
        due.sort_unstable();
        for (_, worker) in due {
            if self.rules.leaves(worker) {
                self.idle.remove(&worker);
            } else {
                self.idle.insert(worker, Time::NEVER);
            }
        }
    }
}
