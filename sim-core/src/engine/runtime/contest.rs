//! The interpreter lock for which threads must run to ask. See `executor/interpreter_lock.rs` for the rules.

use crate::engine::agenda::Event;
use crate::engine::interpreters::Interpreter;
use crate::engine::interpreters::contest::{Contest, Holder, Look};
use crate::engine::thread::{Thread, ThreadState};
use crate::engine::world::World;
use crate::executor::Threads;
use crate::ids::{CpuId, ProcessId, TaskId, ThreadId};
use crate::policy::{Exit, Slot, Why};
use crate::time::{Span, Time};
use crate::timeline::{Left, Recorder};

/// So much of a look counts as the thread's own time where switches have their costs: whoever looks in vain is a little ahead of the
/// others afterwards, which a fair policy remembers. Of the 5 to 9 us between two switches in kernel traces of CPython 3.11.7.
const LOOK: Span = Span::from_us(6);

impl<R: Recorder> World<'_, R> {
    fn contest(&mut self, process: ProcessId) -> Option<&mut Contest> {
        match self.scene.interpreters.of(process) {
            Some(Interpreter::Contest(lock)) => Some(lock),
            _ => None,
        }
    }

    /// A thread wants the lock: it looks whether it is free when it runs.
    pub(super) fn contends(&mut self, id: ThreadId, why: Why) {
        // Who asks for something else first wants the lock when it has that.
        if !self.outside.contains(&self.scene.threads[id].task) {
            self.wants_lock(id);
        }
        self.scene.threads[id].asks = true;
        self.make_ready(id, why);
    }

    /// The thread wants the lock from now on.
    pub(in crate::engine) fn wants_lock(&mut self, id: ThreadId) {
        let process = self.scene.threads[id].process;
        if let Some(lock) = self.contest(process) {
            lock.wants(id);
        }
    }

    /// A thread that wants the lock was given a processor: does it run on? Else it waits.
    #[cold]
    pub(in crate::engine) fn gets_lock(&mut self, id: ThreadId, cpu: CpuId) -> bool {
        let gets = self.has_lock_now(id);
        if !gets {
            self.scene.threads[id].state = ThreadState::Parked;
            self.ready.left(id, cpu, Span::ZERO, Exit::Blocked, &self.scene);
        }
        gets
    }

    /// The thread on the processor has got there. If it wants the lock it looks: it goes on to its task, or leaves again, of
    /// which only the way is seen. Had it to look?
    #[cold]
    pub(in crate::engine) fn looks_at_lock(&mut self, cpu: CpuId) -> bool {
        let id = self.scene.processors[cpu].thread();
        let asks = self.scene.threads[id].asks;
        if asks && self.has_lock_now(id) {
            self.continue_burst(cpu);
        } else if asks {
            let processor = &mut self.scene.processors[cpu];
            // Who has just dropped the lock here has run before.
            if processor.run_start == self.scene.now {
                processor.run_start = self.scene.now + Span::from_ns(1);
            }
            processor.turn_start = Time::from_ns(processor.turn_start.ns().saturating_sub(LOOK.ns()));
            self.take_off(cpu, Left::Preempted, Exit::Blocked);
        }
        asks
    }

    /// A thread that wants the lock looks. Does it have it now? Else it will look again some time, and may ask the holder to drop it.
    fn has_lock_now(&mut self, id: ThreadId) -> bool {
        let (&Thread { process, task, ran, .. }, now) = (&self.scene.threads[id], self.scene.now);
        if !self.has_outside(task) {
            return false;
        }
        let holder = self.contest(process).map_or(ThreadId::NONE, |lock| lock.holder());
        let does = self.what_does(process, holder);
        match self.contest(process).map(|lock| lock.look(id, ran, does, now)) {
            Some(Look::Waits { deadline, asks }) => {
                self.agenda.end(Event::Deadline(id), deadline);
                if asks {
                    self.is_asked(holder);
                }
                false
            }
            Some(Look::Stands) => false,
            taken => {
                self.scene.threads[id].asks = false;
                if let Some(Look::Taken(Some(stood))) = taken {
                    self.contends(stood, Why::Woken);
                }
                if let Some(waited) = self.contest(process).and_then(|lock| lock.is_there(id)) {
                    self.contends(waited, Why::Woken);
                }
                true
            }
        }
    }

    /// What does the holder of the lock do, if there is one?
    fn what_does(&mut self, process: ProcessId, holder: ThreadId) -> Holder {
        let Some(&Thread { last_cpu, ran, state, .. }) = self.scene.threads.get(holder) else { return Holder::Waits };
        let is_on_processor = state == ThreadState::Running;
        // One whose slice ends now begins another turn now, and has run all the same.
        let runs = is_on_processor && self.scene.processors[last_cpu].turn_start < self.scene.now;
        let has_run = runs || self.contest(process).is_some_and(|lock| lock.holder_has_run(ran));
        match (has_run, is_on_processor) {
            (false, _) => Holder::ComesToRun,
            (true, true) => Holder::Runs,
            (true, false) => Holder::Waits,
        }
    }

    /// The holder is asked to drop the lock: at once if it runs, else when it does.
    fn is_asked(&mut self, holder: ThreadId) {
        let thread = &self.scene.threads[holder];
        if thread.state == ThreadState::Running {
            self.scene.processors.set_end_of_turn(thread.last_cpu, self.scene.now);
        }
    }

    /// Is nobody on a processor? Only then can the world stand still, and does it matter what happens next in vain.
    #[inline]
    pub(in crate::engine) fn all_are_idle(&self) -> bool {
        self.scene.processors.earliest_end().is_never()
    }

    /// When something happens next, if not for who meant to wait until then and has what it wanted: what comes of that is nothing,
    /// and a deadlock is none later for it.
    #[cold]
    pub(in crate::engine) fn without_vain_deadlines(&mut self) -> Time {
        let World { agenda, scene, .. } = self;
        let threads = &scene.threads;
        let interpreters = &mut scene.interpreters;
        let mut is_vain = |event, at| match event {
            Event::Deadline(id) => match interpreters.of(threads[id].process) {
                Some(Interpreter::Contest(lock)) => !lock.waits_until(id, at),
                _ => false,
            },
            _ => false,
        };
        while agenda.forgets(&mut is_vain) {}
        self.next_instant()
    }

    /// The time is over for which the thread meant to wait.
    pub(in crate::engine) fn has_waited(&mut self, id: ThreadId) {
        let (process, now) = (self.scene.threads[id].process, self.scene.now);
        let holder = self.contest(process).map_or(ThreadId::NONE, |lock| lock.holder());
        let comes_to_run = self.what_does(process, holder) == Holder::ComesToRun;
        let Some(Interpreter::Contest(lock)) = self.scene.interpreters.of(process) else { return };
        // Who has looked at a holder that has not run since does not take the processor from it once more, and again and again.
        if let Some(deadline) = if comes_to_run { lock.waits_again(id, now) } else { None } {
            self.agenda.end(Event::Deadline(id), deadline);
            return;
        }
        let threads = &self.scene.threads;
        let here = threads[id].last_cpu;
        let is_busy = self.scene.processors.count_idle() == 0
            && threads.get(lock.holder()).is_some_and(|holder| holder.last_cpu == here);
        for late in lock.are_late(id, now, |other| is_busy && threads[other].last_cpu == here) {
            self.make_ready(late, Why::Woken);
        }
    }

    /// The lock becomes free, and whoever waits first is told.
    pub(super) fn frees_lock(&mut self, process: ProcessId) {
        if let Some(thread) = self.contest(process).and_then(Contest::is_dropped) {
            self.make_ready(thread, Why::Woken);
        }
    }

    /// The holder, on the processor, was asked to drop the lock, and stands still until somebody else has it. Where whoever is told
    /// takes the processor from it that comes first: it stays ready, and looks when it runs again.
    pub(super) fn gives_way(&mut self, cpu: CpuId) {
        let id = self.scene.processors[cpu].thread();
        let process = self.scene.threads[id].process;
        let told = self.contest(process).and_then(Contest::is_dropped);
        let is_here = |told: ThreadId| self.scene.threads[told].last_cpu == cpu;
        let stays = self.scene.processors.count_idle() == 0 && told.is_some_and(is_here);
        self.take_off(cpu, Left::Preempted, if stays { Exit::Ready } else { Exit::Blocked });
        if let Some(lock) = self.contest(process) {
            lock.gives_way(id, !stays);
        }
        if stays {
            self.contends(id, Why::Preempted(Slot(cpu.0)));
        }
        if let Some(told) = told {
            // It is the holder that wakes it, from here. Where an idle processor is left, `gil-asker` says who is first.
            self.doer = if stays { cpu } else { CpuId::NONE };
            self.make_ready(told, Why::Woken);
            self.doer = CpuId::NONE;
        }
    }

    /// A thread of a pool is to run. If it is a new one of a pool beside an executor, whoever needs it waits until it is there.
    pub(in crate::engine) fn is_made(&mut self, thread: ThreadId) {
        let Thread { process, last_cpu, .. } = self.scene.threads[thread];
        let of = &self.scene.scenario.processes[process];
        let is_new = last_cpu.is_none() && of.part.is_some() && of.executor.kind.threads == Threads::Workers;
        if is_new && let Some(lock) = self.contest(process) {
            lock.is_made(thread);
        }
    }

    /// The task on the processor is about to spawn another, or to give it to a pool: what was made before is not for that.
    pub(in crate::engine) fn makes_no_thread_yet(&mut self, cpu: CpuId) {
        let process = self.scene.threads[self.scene.processors[cpu].thread()].process;
        if let Some(lock) = self.contest(process) {
            lock.makes_none_yet();
        }
    }

    /// The task on the processor has spawned another, or given it to a pool: does it wait until the thread that was made for that has
    /// had the lock?
    pub(in crate::engine) fn waits_for_new_thread(&mut self, cpu: CpuId, task: TaskId, child: TaskId) -> bool {
        let id = self.scene.processors[cpu].thread();
        let process = self.scene.threads[id].process;
        let made = self.scene.tasks[child].thread;
        let has_own = self.scene.threads.get(made).is_some_and(|made| made.process == process);
        let waits = self.contest(process).is_some_and(|lock| {
            if has_own {
                lock.is_made(made);
            }
            lock.waits_for_made(id)
        });
        if waits {
            self.take_off(cpu, Left::Preempted, Exit::Blocked);
            self.take_burst(task);
            self.frees_lock(process);
        }
        waits
    }

    /// The holder, on the processor, gives the lock up and stays ready, to look again when it runs next.
    pub(super) fn stays_ready_without_lock(&mut self, cpu: CpuId) {
        let id = self.scene.processors[cpu].thread();
        let (process, task) = (self.scene.threads[id].process, self.scene.threads[id].task);
        self.take_off(cpu, Left::Yielded, Exit::Ready);
        self.take_burst(task);
        self.frees_lock(process);
        self.contends(id, Why::Yielded(Slot(cpu.0)));
    }
}
