//! Locks and devices, and waking whoever waits.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

use sim_core::ids::{DeviceId, SyncId};

use super::{World, in_child};
use crate::sys;

impl World {
    /// Takes a lock; `false`: it is held, and the instance's word stays 1 until the lock is its own.
    pub(crate) fn acquire(&self, id: usize, lock: SyncId) -> bool {
        self.gates[lock.0 as usize].acquire(id, |id| &self.instances[id].waiter)
    }

    /// Gives a lock back and wakes the next.
    pub(crate) fn release(&self, lock: SyncId) {
        let next = self.gates[lock.0 as usize].release(|id| &self.instances[id].waiter);
        if let Some(next) = next {
            self.wake(next, &self.instances[next].waiter.word, sys::now());
        }
    }

    /// Wakes an instance that waits for `word` to become zero.
    pub(super) fn wake(&self, id: usize, word: &AtomicU32, now: u64) {
        let instance = &self.instances[id];
        instance.granted.store(now, Ordering::Relaxed);
        if std::ptr::eq(word, &raw const instance.waiter.word) {
            word.store(0, Ordering::SeqCst);
        }
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

    /// Says that an instance is an async task.
    pub(crate) fn set_async(&self, id: usize) {
        self.instances[id].is_async.store(1, Ordering::SeqCst);
    }

    /// When what the instance waited for was granted.
    pub(crate) fn granted(&self, id: usize) -> u64 {
        self.instances[id].granted.load(Ordering::Relaxed)
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
