//! Tasks that do several things at once, once more: branches go on in the place of their task, in polls of it.
//!
//! The rules: a worker that takes the task polls it: all of it that can go on does, one after the other, branches before what waits for
//! them. Those of an `all` come in the order of the list, or each time from the next one on; those of an `any` in that order, too; those
//! of an `each` as they were woken. Readings: who is woken in a poll that has not come to it yet has its turn in that; what the poll has
//! passed, or has yielded, waits for another, and the task is queued for that when this one is over. So does who is woken from outside
//! while all workers are busy: nobody notices before. A branch of an `each` is woken behind all others that were, also in the poll that
//! is under way. What begins in a poll has its turn in it, and whoever waited for its branches goes on in the poll of the last of them.
//! Who is done first drops the others, in the order of the list, and what is inside them before them.

use super::Op;
use super::simulator::{Simulation, State, Task, Why};

/// How branches go on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Way {
    All { rotates: bool },
    Any,
    Each { at_once: usize },
}

/// Whose branch a task is, and its place among those.
#[derive(Clone, Copy)]
pub(super) struct Inside {
    parent: usize,
    number: usize,
    woken: u64,
}

/// The branches of a task that are not done.
pub(super) struct Group {
    way: Way,
    /// How many there were.
    of: usize,
    members: Vec<usize>,
    waiting: Vec<usize>,
    polls: usize,
}

/// A task that has branches, or had some when its present poll began.
#[derive(Default)]
pub(super) struct Joint {
    able: Vec<usize>,
    yielded: Vec<usize>,
    unnoticed: Vec<usize>,
    queued: bool,
    polled: bool,
    /// Those that the poll has come to, or past.
    passed: Vec<usize>,
}

impl Simulation<'_> {
    /// The task that a branch is part of, or the task itself.
    pub(super) fn host(&self, task: usize) -> usize {
        self.tasks[task].inside.map_or(task, |inside| self.host(inside.parent))
    }

    pub(super) fn has_joint(&self, task: usize) -> bool {
        self.tasks[self.host(task)].joint.is_some()
    }

    fn joint(&mut self, host: usize) -> &mut Joint {
        self.tasks[host].joint.get_or_insert_with(Joint::default)
    }

    /// The task, which is polled, has these branches now, and waits for them.
    pub(super) fn has_branches(&mut self, parent: usize, programs: &[usize], way: Way) {
        let host = self.host(parent);
        self.joint(host).polled = true;
        self.joint(host).passed.retain(|other| *other != parent);
        let first = self.tasks.len();
        let members: Vec<usize> = (first..first + programs.len()).collect();
        for (number, program) in programs.iter().enumerate() {
            let inside = Some(Inside { parent, number, woken: 0 });
            let kind = self.world.tasks.len() + program;
            let mut branch = Task::new(&self.world.branches[*program], kind);
            branch.inside = inside;
            self.tasks.push(branch);
        }
        let begin = if let Way::Each { at_once } = way { at_once.min(members.len()) } else { members.len() };
        let waiting = members[begin..].to_vec();
        self.tasks[parent].group = Some(Group { way, of: members.len(), members: members.clone(), waiting, polls: 0 });
        members[..begin].iter().for_each(|member| self.begins(*member));
        self.tasks[parent].state = State::Blocked;
    }

    /// A branch can have its first turn.
    fn begins(&mut self, branch: usize) {
        self.count += 1;
        let count = self.count;
        self.tasks[branch].inside.iter_mut().for_each(|inside| inside.woken = count);
        self.goes_on(branch);
    }

    fn goes_on(&mut self, task: usize) {
        self.tasks[task].state = State::Ready;
        let host = self.host(task);
        self.joint(host).able.push(task);
    }

    /// Somebody is woken, and goes on in its task's place. Must that be queued?
    pub(super) fn is_able(&mut self, task: usize, why: Why) -> bool {
        let host = self.host(task);
        let somebody_looks = !self.asleep.is_empty();
        if matches!(why, Why::Event | Why::Timer) && self.joint(host).polled && !somebody_looks {
            self.tasks[task].state = State::Ready;
            self.joint(host).unnoticed.push(task);
            return false;
        }
        self.is_woken(task);
        self.goes_on(task);
        let joint = self.joint(host);
        let queues = !joint.polled && !joint.queued;
        joint.queued |= queues;
        queues
    }

    /// It comes behind all that were woken before it, where that counts.
    fn is_woken(&mut self, task: usize) {
        let Some(Inside { parent, .. }) = self.tasks[task].inside else { return };
        let is_each = self.tasks[parent].group.as_ref().is_some_and(|group| matches!(group.way, Way::Each { .. }));
        if is_each && !self.is_awake(task) {
            self.count += 1;
            let (count, host) = (self.count, self.host(task));
            self.tasks[task].inside.iter_mut().for_each(|inside| inside.woken = count);
            let parts = self.parts(task);
            self.joint(host).passed.retain(|other| !parts.contains(other));
        }
        self.is_woken(parent);
    }

    /// Can something of it go on?
    fn is_awake(&self, task: usize) -> bool {
        let host = &self.tasks[self.host(task)];
        self.parts(task).iter().any(|part| host.joint.as_ref().is_some_and(|joint| joint.able.contains(part)))
    }

    /// All that the task is made of, in the order in which a poll comes to it: itself last.
    fn parts(&self, task: usize) -> Vec<usize> {
        let mut parts = Vec::new();
        if let Some(group) = &self.tasks[task].group {
            let mut members = group.members.clone();
            members.sort_by_key(|member| {
                let Inside { number, woken, .. } = self.tasks[*member].inside.expect("a branch");
                match group.way {
                    Way::All { rotates: true } => ((number + group.of - group.polls % group.of) % group.of) as u64,
                    Way::All { rotates: false } | Way::Any => number as u64,
                    Way::Each { .. } => woken,
                }
            });
            // Of an `each`, only those are polled that were woken.
            parts = members.into_iter().flat_map(|member| self.parts(member)).collect();
        }
        parts.push(task);
        parts
    }

    /// A worker takes the task up, which was queued.
    pub(super) fn poll_begins(&mut self, host: usize) -> usize {
        for part in self.parts(host) {
            if let Some(group) = &mut self.tasks[part].group {
                group.polls += 1;
            }
        }
        let joint = self.joint(host);
        (joint.queued, joint.polled) = (false, true);
        joint.passed.clear();
        self.next_in_poll(host).expect("somebody can go on")
    }

    /// Who is next in the poll of the task?
    pub(super) fn next_in_poll(&mut self, host: usize) -> Option<usize> {
        let parts = self.parts(host);
        let joint = self.tasks[host].joint.as_ref()?;
        let place = parts.iter().position(|part| joint.able.contains(part) && !self.is_passed(*part))?;
        let awake: Vec<usize> = parts[..=place].iter().copied().filter(|part| !self.sleeps_in_each(*part)).collect();
        let joint = self.joint(host);
        joint.passed.extend(awake);
        joint.able.retain(|other| *other != parts[place]);
        Some(parts[place])
    }

    /// Has the poll passed it, or what it is part of?
    fn is_passed(&self, task: usize) -> bool {
        let host = &self.tasks[self.host(task)];
        let inside = self.tasks[task].inside;
        host.joint.as_ref().is_some_and(|joint| joint.passed.contains(&task))
            || inside.is_some_and(|inside| self.is_passed(inside.parent))
    }

    /// Is it part of a branch of an `each` of which nothing can go on?
    fn sleeps_in_each(&self, task: usize) -> bool {
        let Some(Inside { parent, .. }) = self.tasks[task].inside else { return false };
        let is_each = self.tasks[parent].group.as_ref().is_some_and(|group| matches!(group.way, Way::Each { .. }));
        is_each && !self.is_awake(task) || self.sleeps_in_each(parent)
    }

    /// The poll is over: the task is queued for another if somebody can go on.
    pub(super) fn poll_ends(&mut self, host: usize, worker: usize) {
        let joint = self.joint(host);
        joint.polled = false;
        let (yielded, unnoticed) = (std::mem::take(&mut joint.yielded), std::mem::take(&mut joint.unnoticed));
        let why = match () {
            () if !yielded.is_empty() => Some(Why::Yielded(worker)),
            () if !joint.able.is_empty() => Some(Why::Again(worker)),
            () if !unnoticed.is_empty() => Some(Why::Event),
            () => None,
        };
        joint.queued = why.is_some();
        for task in yielded.into_iter().chain(unnoticed) {
            self.is_woken(task);
            self.joint(host).able.push(task);
        }
        if let Some(why) = why {
            self.enqueue(host, why);
        } else if self.tasks[host].group.is_none() {
            self.tasks[host].joint = None;
        }
    }

    pub(super) fn yields_in_poll(&mut self, task: usize) {
        let host = self.host(task);
        self.joint(host).yielded.push(task);
    }

    /// A branch is done.
    pub(super) fn branch_ends(&mut self, branch: usize) {
        let Some(Inside { parent, .. }) = self.tasks[branch].inside else { return };
        self.leaves_group(branch);
        let group = self.tasks[parent].group.as_mut().expect("it was in there");
        let next = if group.waiting.is_empty() { None } else { Some(group.waiting.remove(0)) };
        if group.way == Way::Any {
            for loser in group.members.clone() {
                self.is_dropped(loser);
            }
        }
        if let Some(next) = next {
            self.begins(next);
        }
        if self.tasks[parent].group.as_ref().is_some_and(|group| group.members.is_empty()) {
            self.tasks[parent].group = None;
            self.goes_on(parent);
        }
    }

    fn leaves_group(&mut self, branch: usize) {
        let Some(Inside { parent, .. }) = self.tasks[branch].inside else { return };
        let group = self.tasks[parent].group.as_mut().expect("it is in there");
        group.members.retain(|other| *other != branch);
    }

    /// It ends where it stands.
    fn is_dropped(&mut self, task: usize) {
        let inner = self.tasks[task].group.as_ref().map_or(Vec::new(), |group| group.members.clone());
        inner.into_iter().for_each(|inner| self.is_dropped(inner));
        self.tasks[task].group = None;
        let host = self.host(task);
        self.tasks[task].due = None;
        let worker = self.worker_of(host);
        self.locks[0].1.retain(|other| *other != task);
        if self.locks[0].0 == Some(task) {
            self.unlock(Why::By(worker));
        }
        // It may have been handed the lock just now.
        let joint = self.joint(host);
        joint.able.retain(|other| *other != task);
        joint.yielded.retain(|other| *other != task);
        joint.unnoticed.retain(|other| *other != task);
        self.tasks[task].state = State::Done;
        self.leaves_group(task);
    }

    /// The branches that an operation begins.
    pub(super) fn begins_branches(&mut self, task: usize, op: Op) {
        match op {
            Op::All { first, count, rotates } => {
                self.has_branches(task, &(first..first + count).collect::<Vec<_>>(), Way::All { rotates });
            }
            Op::Any { first, count } => {
                self.has_branches(task, &(first..first + count).collect::<Vec<_>>(), Way::Any);
            }
            Op::Each { body, count, at_once } => {
                self.has_branches(task, &vec![body; count], Way::Each { at_once });
            }
            _ => unreachable!("it has no branches"),
        }
    }
}
