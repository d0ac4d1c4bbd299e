//! The threads of a world.

use std::collections::VecDeque;

use crate::naive::case::{Case, Executor};

/// What a processor executes: one per task, except that an event loop has one for all its tasks.
pub(super) struct Thread {
    /// Whose program it executes now. An event loop chooses when it gets a processor.
    pub(super) task: Option<usize>,
    /// The ready tasks of an event loop.
    pub(super) loop_queue: Option<VecDeque<usize>>,
    /// Those that an event loop has not noticed yet, and those that have yielded to it.
    pub(super) outside: VecDeque<usize>,
    pub(super) yielded: Vec<usize>,
    /// Who it is for a processor that remembers whom it ran last: the tasks of a sequential process share a thread.
    pub(super) identity: usize,
    /// When it last joined the ready queue: counted through all joins, and as a time.
    pub(super) queued: u64,
    pub(super) since: u64,
    /// How long its next burst was when it became ready.
    pub(super) expected: i64,
    pub(super) blocked: bool,
    /// Has it ever had a processor? Until then it is a newcomer.
    pub(super) has_run: bool,
}

impl Thread {
    /// Is it an event loop with nothing to do?
    pub(super) fn has_no_task_left(&self) -> bool {
        let Some(queue) = &self.loop_queue else { return false };
        queue.is_empty() && self.outside.is_empty() && self.yielded.is_empty()
    }
}

/// The threads of the case, and which of them each task has.
pub(super) fn threads(case: &Case) -> (Vec<Thread>, Vec<usize>) {
    let tasks = case.tasks().count();
    let mut threads: Vec<Thread> = Vec::new();
    let mut thread_of = Vec::new();
    let mut loops = vec![None; case.processes.len()];
    for (task, (process, _)) in case.tasks().enumerate() {
        let executor = case.processes[process].executor;
        let number = threads.len();
        if executor == Executor::Async {
            thread_of.push(*loops[process].get_or_insert(number));
        } else {
            thread_of.push(number);
        }
        if thread_of[task] == number {
            let is_loop = executor == Executor::Async;
            // Numbers from `tasks` on are those of whole processes.
            let identity = if executor == Executor::Sequential { tasks + process } else { number };
            threads.push(Thread {
                task: (!is_loop).then_some(task),
                loop_queue: is_loop.then(VecDeque::new),
                outside: VecDeque::new(),
                yielded: Vec::new(),
                identity,
                queued: 0,
                since: 0,
                expected: 0,
                blocked: true,
                has_run: false,
            });
        }
    }
    (threads, thread_of)
}
