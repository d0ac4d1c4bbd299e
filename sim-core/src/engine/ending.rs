//! Tasks that end where they stand: what they wait for is given up, what they hold is given back.
//!
//! Whoever ends so may be in any state: it runs, is ready, spins, sleeps, waits in a queue, for a service, or for tasks that it
//! spawned. There is one rule for all, [`World::lets_go`], and who gives up a single operation goes by the same parts of it. What goes
//! on without it goes on: what a pool does for it, and the tasks that it spawned.
//!
//! What it holds it gives back in the reverse of the order in which it got it. A permit is held by whose program returns permits:
//! others have used theirs up. A message that it was handed is gone with it.

use super::task::State;
use super::world::World;
use crate::device::State as DeviceState;
use crate::ids::{DeviceId, SyncId, TaskId};
use crate::scenario::{Op, SyncKind, SyncOp};
use crate::sync::{forget, leave, move_up, perform};
use crate::time::{Span, Time};
use crate::timeline::{Cause, How, Recorder, Request};

impl<R: Recorder> World<'_, R> {
    /// The task, wherever it stands, waits for nothing and holds nothing from now on. It is able to go on, or, if it was blocked, so
    /// still: why is told when it is known what comes of it.
    #[cold]
    pub(super) fn lets_go(&mut self, id: TaskId) {
        let (state, since) = (self.scene.tasks[id].state, self.scene.tasks[id].since);
        match state {
            State::Blocked(Cause::Device(device)) => {
                self.tell_leave(id, Cause::Device(device), since, How::Dropped);
                self.takes_request_back(id, device, true);
            }
            State::Blocked(Cause::Sync(sync)) | State::Spinning(sync) => {
                self.tell_leave(id, Cause::Sync(sync), since, How::Dropped);
                self.leaves_queue(id, sync);
            }
            State::Blocked(Cause::Join) => {
                self.tell_leave(id, Cause::Join, since, How::Dropped);
                self.disowns(id);
            }
            State::Blocked(Cause::Timer) => self.forgets_timer(id),
            State::Able => self.asks_no_more(id),
            State::Absent | State::Blocked(_) | State::Finished => {}
        }
        self.ends_attempt(id);
        self.gives_all_back(id);
        if let Some(costs) = &mut self.costs {
            costs.forgets(id);
        }
        self.scene.tasks[id].work = Span::ZERO;
    }

    /// The timer of the task, which waits for that, wakes nobody.
    fn forgets_timer(&mut self, id: TaskId) {
        let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
        let has_rung = self.scene.runtimes[process].timers_mut().is_some_and(|runtime| runtime.forgets_missed(id));
        if let Some((number, _)) = self.attempts.event_of(id).filter(|_| !has_rung) {
            self.agenda.forget(number);
        }
    }

    /// The request of the task leaves the queue, `queued` there unless it was turned away, or the channel that serves it, which is
    /// free at once.
    pub(super) fn takes_request_back(&mut self, id: TaskId, device: DeviceId, queued: bool) {
        let (now, task) = (self.scene.now, &self.scene.tasks[id]);
        let (asked, start) = (task.since, Some(task.served_since).filter(|start| !start.is_never()));
        let served = start.map_or(Span::ZERO, |start| now.since(start));
        let (seek, service) = match &mut self.devices[device] {
            DeviceState::Shared(sharing) => {
                let received = sharing.take_back(id, now);
                self.agenda.end_share(device, sharing.due(now));
                (Span::ZERO, received)
            }
            DeviceState::InTurn(turn) => {
                match start.and_then(|_| self.attempts.event_of(id)) {
                    Some((number, _)) => {
                        self.agenda.forget(number);
                        turn.served();
                    }
                    None if queued => turn.take_back(id),
                    None => {}
                }
                if turn.has_choice() {
                    self.undecided.push(device);
                }
                let seek = if start.is_some() { turn.seek(served) } else { Span::ZERO };
                (seek, served.saturating_sub(seek))
            }
        };
        self.recorder.request(Request { device, task: id, asked, start, end: now, seek, service });
        let process = self.scene.scenario.specs[self.scene.tasks[id].spec].process;
        if let Some(runtime) = self.scene.runtimes[process].timers_mut() {
            runtime.has_news(id);
        }
    }

    /// The task waits in the queue of the object no more, nor spins for it.
    fn leaves_queue(&mut self, id: TaskId, sync: SyncId) {
        leave(self, sync, id);
        self.takes_back_urgency(sync);
        if let State::Spinning(_) = self.scene.tasks[id].state {
            self.tell_spin(sync, id, false);
            self.scene.tasks[id].state = State::Able;
        }
        move_up(self, sync);
    }

    /// The task was told to ask again for something, perhaps: then others may ask instead.
    fn asks_no_more(&mut self, id: TaskId) {
        self.outside.remove(&id);
        let task = &self.scene.tasks[id];
        let next = self.scene.scenario.specs[task.spec].program.ops.get(task.cursor.next() as usize);
        if let (Some(asking), Some(Op::Sync(op))) = (self.asking.get(&id), next) {
            self.tell_leave(id, Cause::Sync(op.object()), asking.asked, How::Dropped);
            forget(self, *op, id);
        }
    }

    /// The task gives back all that it holds, what it got last first.
    fn gives_all_back(&mut self, id: TaskId) {
        let mut held: Vec<(Time, SyncId, SyncOp)> = Vec::new();
        for (sync, state) in self.syncs.pairs() {
            let permits = matches!(self.scene.scenario.syncs[sync].kind, SyncKind::Semaphore { .. });
            let op = if permits { SyncOp::Release(sync, 1) } else { SyncOp::Unlock(sync) };
            let its = state.holders.iter().filter(|holder| holder.task == id);
            held.extend(its.map(|holder| (holder.since, sync, op)));
        }
        held.sort_by_key(|(since, sync, _)| (*since, *sync));
        for (.., op) in held.into_iter().rev() {
            perform(self, id, op);
        }
    }
}
