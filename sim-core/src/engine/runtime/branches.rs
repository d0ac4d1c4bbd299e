//! Tasks that do several things at once: what their branches do in the one place that they share. See `engine/joints.rs` for the
//! order.

use crate::engine::agenda::Event;
use crate::engine::joints::{After, Comes, Ended, Seat};
use crate::engine::task::State;
use crate::engine::world::World;
use crate::executor::WokenBy;
use crate::ids::{CpuId, ProcessId, SpecId, TaskId, ThreadId};
use crate::policy::{Exit, Slot, Who, Why};
use crate::program::{Step, branches_stream};
use crate::time::Time;
use crate::timeline::{Fate, Recorder};

impl<R: Recorder> World<'_, R> {
    fn seat_of(&self, thread: ThreadId) -> Seat {
        self.place_of(thread)
    }

    /// The task on the processor has another branch, which goes on in the same poll unless too many do already.
    #[cold]
    pub(in crate::engine) fn spawns_branch(&mut self, cpu: CpuId, id: TaskId, spec: SpecId) {
        let Some(caller) = self.scene.scenario.specs[spec].caller else { return };
        let seat = self.seat_of(self.scene.processors[cpu].thread());
        let child = self.spawn(id, spec);
        let (scenario, parent) = (self.scene.scenario, &self.scene.tasks[id]);
        let chance = || branches_stream(scenario, parent.spec, parent.instance).stream();
        if self.joints.has_branch(seat, [id, child], caller.way, chance) {
            self.arrive(child, Why::Spawned(Slot(seat.1)));
        }
    }

    /// The poll of the task on the processor goes on with another: what that does without work, it does now.
    #[cold]
    pub(in crate::engine) fn goes_through_poll(&mut self, cpu: CpuId) {
        while std::mem::take(&mut self.goes_on) && self.burst_has_ended(cpu.0) && !self.effort.is_used_up() {
            // Who goes on may have had to leave for another processor.
            if self.scene.processors[cpu].is_idle() {
                return;
            }
            if self.ways_cost { self.burst_ends::<true>(cpu) } else { self.burst_ends::<false>(cpu) }
        }
    }

    /// Does a task wait for what it does itself? That is no point at which its runtime might make it yield.
    pub(in crate::engine) fn joins_branches(&self, step: Step) -> bool {
        matches!(step, Step::Join(spec) if self.scene.scenario.specs[spec].is_branch())
    }

    /// A branch has ended: the next may begin, others may be dropped, or the one that waits for all of them goes on.
    #[cold]
    pub(in crate::engine) fn branch_ends(&mut self, id: TaskId) {
        let Some(Ended { begins, losers }) = self.joints.ends(id) else { return };
        losers.into_iter().for_each(|loser| self.drops(loser));
        if let Some(next) = begins {
            self.arrive(next, Why::Spawned(Slot(0)));
        }
    }

    /// A branch ends where it stands, since another was done first, and so do those that it has itself.
    fn drops(&mut self, id: TaskId) {
        for child in self.joints.drops(id) {
            self.drops(child);
        }
        self.lets_go(id);
        match self.scene.tasks[id].state {
            // It has come and gone without having begun.
            State::Absent => self.recorder.arrival(id, self.scene.now),
            State::Blocked(cause) => self.recorder.block(self.scene.tasks[id].wait_until(self.scene.now, id, cause)),
            _ => {}
        }
        self.joints.drops(id);
        self.finish_task(id, Fate::Aborted);
    }

    /// Must a task that can go on be queued? Which one: itself, or the one in whose place it goes on.
    #[cold]
    pub(super) fn queues_in_place(&mut self, id: TaskId, process: ProcessId, why: Why) -> Option<TaskId> {
        let Some(host) = self.joints.host(id) else { return Some(id) };
        let comes = match why {
            Why::Spawned(_) => Comes::Begins,
            _ if self.woken_by(process) == WokenBy::Outside && !self.scene.runtimes[process].somebody_looks() => {
                Comes::Unnoticed
            }
            _ => Comes::Woken,
        };
        self.joints.is_able(host, id, comes).then_some(host)
    }

    /// The task that the worker of the thread goes on with in the poll that is under way there, if there is one.
    #[cold]
    pub(super) fn goes_on_in_place(&mut self, thread: ThreadId) -> Option<TaskId> {
        self.joints.next(self.seat_of(thread))
    }

    /// The worker of the thread has put somebody down. Does somebody come next in the same poll? If not, that is over.
    #[cold]
    pub(super) fn poll_goes_on(&mut self, thread: ThreadId) -> bool {
        let seat = self.seat_of(thread);
        if self.joints.has_next(seat) {
            return true;
        }
        let Some((host, after)) = self.joints.is_over(seat) else { return false };
        let (process, worker) = seat;
        let exit = if matches!(after, After::Blocked | After::Woken) { Exit::Blocked } else { Exit::Ready };
        self.leaves_worker(process, worker, host, self.time_of(thread), exit);
        let (who, slot) = (Who(host.0), Slot(worker));
        self.ask_runtime(process, |queue, view| match after {
            After::Blocked => {}
            After::Able => queue.ready(who, Why::Preempted(slot), view),
            After::Yielded => queue.ready(who, Why::Yielded(slot), view),
            After::Woken => queue.woken(who, WokenBy::Outside, view),
        });
        if after != After::Blocked {
            self.rouse(process, false);
        }
        false
    }

    /// A worker has put down somebody who shares a place. Is the poll not over with that?
    #[cold]
    pub(super) fn stays_in_place(&mut self, thread: ThreadId, id: TaskId, exit: Exit) -> bool {
        let Some(host) = self.joints.host(id) else { return false };
        if host == id && exit == Exit::Finished {
            self.joints.forgets(host, self.seat_of(thread));
            return false;
        }
        true
    }

    /// The timer of somebody who shares a place rings. When does the runtime notice, if it does only later?
    #[cold]
    pub(super) fn misses_in_place(&mut self, host: TaskId, id: TaskId, process: ProcessId) -> bool {
        let now = self.scene.now;
        // Who is polled is woken by whoever looks.
        if self.joints.is_polled(host) {
            return false;
        }
        if self.joints.is_queued(host) {
            if self.ask_runtime(process, |queue, _| queue.has_missed()) != Some(true) {
                return false;
            }
        } else {
            let at: Option<Time> = self.ask_runtime(process, |queue, _| queue.misses(Who(host.0), now)).flatten();
            let Some(at) = at else { return false };
            self.agenda.end(Event::Look(process), at);
        }
        self.joints.is_able(host, id, Comes::Woken);
        self.take_burst(id);
        if let Some(runtime) = self.scene.runtimes[process].timers_mut() {
            runtime.misses(id);
        }
        true
    }
}
