//! The hash of a timeline: two runs that did the same have the same.

use super::{
    Access, Block, Cause, Deed, Fate, Hold, Interval, Job, Leave, Recorder, Request, Signal, Spin, Throttle, Use,
};
use crate::ids::TaskId;
use crate::scenario::Change;
use crate::time::{Span, Time};

/// A hash of everything that happened: equal for equal timelines, on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimelineHash {
    hash: u64,
}

impl TimelineHash {
    /// The hash as 16 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        format!("{:016x}", self.hash ^ (self.hash >> 31))
    }

    #[inline]
    fn add(&mut self, word: u64) {
        // One step of a multiplicative hash: fast, and every bit of the word reaches the upper bits of the next.
        self.hash = (self.hash.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn add_pair(&mut self, kind: u8, a: u32, b: u32) {
        self.add(u64::from(kind) << 56 ^ u64::from(a) << 28 ^ u64::from(b));
    }
}

impl Recorder for TimelineHash {
    fn task(&mut self, spec: u32, instance: u32) {
        self.add_pair(1, spec, instance);
    }
    fn arrival(&mut self, task: TaskId, at: Time) {
        self.add_pair(2, task.0, 0);
        self.add(at.ns());
    }
    #[inline]
    fn interval(&mut self, interval: Interval) {
        self.add(interval.start.ns() ^ u64::from(interval.task.0) << 32);
        self.add(
            interval.end.ns()
                ^ u64::from(interval.cpu.0) << 40
                ^ (interval.what as u64) << 60
                ^ (interval.left as u64) << 56,
        );
    }
    fn block(&mut self, block: Block) {
        let (kind, what) = match block.cause {
            Cause::Device(device) => (3, device.0),
            Cause::Timer => (4, 0),
            Cause::Sync(lock) => (5, lock.0),
            Cause::Join => (6, 0),
            Cause::After => (7, 0),
            Cause::Release => (11, 0),
        };
        self.add_pair(kind, block.task.0, what);
        self.add(block.start.ns());
        self.add(block.end.ns());
    }
    fn request(&mut self, request: Request) {
        self.add_pair(8, request.task.0, request.device.0);
        self.add(request.asked.ns());
        self.add(request.start.map_or(u64::MAX, Time::ns));
        self.add(request.end.ns());
        // Usually that follows from the times.
        let served = request.start.map_or(Span::ZERO, |start| request.end.since(start));
        if !request.seek.is_zero() || request.service != served {
            self.add(request.seek.ns());
            self.add(request.service.ns());
        }
    }
    fn hold(&mut self, hold: Hold) {
        self.add_pair(9, hold.task.0, hold.sync.0);
        self.add(hold.asked.ns());
        self.add(hold.start.ns());
        self.add(hold.end.ns());
    }
    fn signal(&mut self, signal: Signal) {
        let (deed, count) = match signal.deed {
            Deed::Sent => (0, 0),
            Deed::Received => (1, 0),
            Deed::Added => (2, 0),
            Deed::Notified(count) => (3, count),
            Deed::Arrived => (4, 0),
            Deed::Departed => (5, 0),
        };
        self.add_pair(13, signal.task.0, signal.sync.0);
        self.add_pair(deed, count, 0);
        self.add(signal.at.ns());
    }
    #[expect(clippy::cast_sign_loss, reason = "every bit counts, whatever it means")]
    fn access(&mut self, access: Access) {
        let (kind, what, amount) = match access.how {
            Use::Changed { variable, change: Change::To(value), .. } => (15, variable.0, value as u64),
            Use::Changed { variable, change: Change::By(more), .. } => (16, variable.0, more as u64),
            Use::Tested { op, holds } => (17, op, u64::from(holds)),
        };
        self.add_pair(kind, access.task.0, what);
        self.add(amount);
        self.add(access.at.ns());
    }
    fn spin(&mut self, spin: Spin) {
        self.add_pair(14, spin.task.0, spin.sync.0);
        self.add(spin.start.ns());
        self.add(spin.end.ns());
        self.add(spin.work.ns() << 1 | u64::from(spin.got));
    }
    fn leave(&mut self, leave: Leave) {
        self.add_pair(15, leave.task.0, leave.how as u32);
        self.add(leave.asked.ns());
        self.add(leave.at.ns());
    }
    fn job(&mut self, job: Job) {
        self.add_pair(12, job.task.0, 0);
        self.add(job.release.ns());
        self.add(job.deadline.ns());
        self.add(job.finish.map_or(u64::MAX, Time::ns));
        if job.aborted || job.skips > 0 {
            self.add_pair(11, u32::from(job.aborted), job.skips);
        }
    }
    fn throttle(&mut self, throttle: Throttle) {
        self.add_pair(15, throttle.group.0, throttle.cpu.0);
        self.add(throttle.start.ns());
        self.add(throttle.end.ns());
    }
    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        self.add_pair(10, task.0, fate as u32);
        self.add(at.ns());
    }
    fn end(&mut self, at: Time) {
        self.add(at.ns());
    }
}
