//! Synchronisation and devices, and waking whoever waits.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

use sim_core::ids::DeviceId;
use sim_core::scenario::SyncOp;

use super::{World, in_child};
use crate::play::device::Wish;
use crate::play::dispatch::News;
use crate::play::sync::Done;
use crate::sys;

impl World {
    /// An instance does something to what others synchronise with too; whoever goes on because of it is woken.
    pub(crate) fn synchronise(&self, id: usize, op: SyncOp) -> Done {
        let done = self.objects.perform(id, op);
        self.follows(&done, Some(id));
        done
    }

    /// What follows for others, and for who did it.
    fn follows(&self, done: &Done, by: Option<usize>) {
        // Last of all, it may itself be less urgent, and be put off at once.
        let (own, others): (Vec<usize>, Vec<usize>) = done.changed.iter().partition(|other| Some(**other) == by);
        others.into_iter().for_each(|other| self.adjust_priority(other));
        self.objects.woken(done).for_each(|next| self.release(next));
        for next in &done.joined {
            self.awaited_word(*next).into_iter().for_each(|word| self.wake(*next, word));
        }
        own.first().into_iter().for_each(|own| self.adjust_priority(*own));
    }

    /// The loop of the instance has noticed that its time is up.
    pub(crate) fn gives_up(&self, id: usize) {
        self.follows(&self.objects.gives_up(id), Some(id));
    }

    /// The instance, which is at this operation, ends where it stands: when, and had it not been given what it wanted?
    pub(crate) fn drops(&self, id: usize, op: SyncOp) -> (u64, bool) {
        let (done, in_vain) = self.objects.drops(id, op);
        self.follows(&done, Some(id));
        (done.at, in_vain)
    }

    /// Lets those go whose time is up, whenever it is, until the run is over.
    pub(crate) fn watches(&self) {
        while !self.is_over() && !self.is_late(sys::now()) {
            if self.objects.watch(self.board().deadline.load(Ordering::SeqCst)) {
                self.follows(&self.objects.lets_go(), None);
            }
        }
    }

    /// The priority of the instance's thread becomes what its urgency is now. Others may do the same at the same time:
    /// whoever comes last has seen the last urgency.
    fn adjust_priority(&self, id: usize) {
        if let Some(dispatch) = &self.dispatch {
            return dispatch.tell(id, News::Changed);
        }
        let waiter = self.objects.waiter(id);
        let thread = waiter.thread.load(Ordering::SeqCst);
        let mut urgency = waiter.urgency();
        while thread != 0 && sys::set_priority(thread, self.plan.priority_of(urgency)).is_ok() {
            match waiter.urgency() {
                now if now == urgency => return,
                now => urgency = now,
            }
        }
    }

    /// What the instance waited for is its: it need not wait any more.
    pub(crate) fn release(&self, id: usize) {
        let word = &self.objects.waiter(id).word;
        word.store(0, Ordering::SeqCst);
        self.wake(id, word);
    }

    /// Wakes an instance that waits for `word`, which is zero now.
    pub(super) fn wake(&self, id: usize, word: &AtomicU32) {
        if let Some(dispatch) = &self.dispatch {
            return dispatch.tell(id, News::Woken);
        }
        let instance = &self.instances[id];
        if instance.is_async.load(Ordering::SeqCst) == 0 {
            sys::futex_wake(word, 1);
        } else if in_child() {
            instance.rung.store(1, Ordering::SeqCst);
            self.ring();
        } else {
            self.call_waker(id);
        }
    }

    /// Wakes the async tasks that child processes could not wake.
    pub(crate) fn answer_rings(&self) {
        for (id, instance) in self.instances().iter().enumerate() {
            if instance.rung.load(Ordering::Relaxed) == 1 && instance.rung.swap(0, Ordering::SeqCst) == 1 {
                self.call_waker(id);
            }
        }
    }

    fn call_waker(&self, id: usize) {
        let waker = self.wakers[id].lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whom to wake when what the instance waits for happens.
    pub(crate) fn set_waker(&self, id: usize, waker: Waker) {
        *self.wakers[id].lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// Nobody is woken when what the instance waited for happens.
    pub(crate) fn forgets_waker(&self, id: usize) {
        drop(self.wakers[id].lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Says whether an instance is woken as an async task is.
    pub(crate) fn set_async(&self, id: usize, is_async: bool) {
        self.instances[id].is_async.store(u32::from(is_async), Ordering::SeqCst);
    }

    /// Is anything of a library? Who waits there can hardly be called back.
    pub(crate) fn has_libraries(&self) -> bool {
        self.libraries.iter().any(Option::is_some)
    }

    /// Lets those go on who wait at objects of libraries, as far as possible: the run is over.
    pub(crate) fn free_libraries(&self) {
        for (sync, object) in self.libraries.pairs() {
            object.iter().for_each(|object| object.free(sync, self.scenario.syncs[sync].kind));
        }
    }

    /// Asks a device that has a thread; returns when. The instance's word stays 1 until it is served.
    pub(crate) fn ask(&self, id: usize, device: DeviceId, wish: Wish) -> u64 {
        self.objects.waiter(id).word.store(1, Ordering::SeqCst);
        self.counters.ask(device, id, wish)
    }

    /// Makes a request to a device at `now`: when a channel will take it and when it will be served.
    ///
    /// Requests are served first come, first served, and their length is known when they are made: so the whole queue
    /// is one number per channel, the time when it will be free, and the device works on however busy the processors
    /// are, as a device does.
    pub(crate) fn request(&self, device: DeviceId, now: u64, service: u64) -> (u64, u64) {
        let Some(channels) = self.channels_of[device].clone() else { return (now, now + service) };
        self.queues[device.0 as usize].latch.with(|| {
            let channels = &self.channels[channels];
            let Some(first) = channels.iter().min_by_key(|free| free.load(Ordering::Relaxed)) else {
                return (now, now + service);
            };
            let start = first.load(Ordering::Relaxed).max(now);
            first.store(start + service, Ordering::Relaxed);
            (start, start + service)
        })
    }
}
