//! Nobody listens, or two do.

use std::sync::Arc;

use super::{
    Access, Block, Cast, Depletion, Fate, Hold, Interval, Job, Leave, Recorder, Request, Signal, Spin, Still, Throttle,
};
use crate::ids::TaskId;
use crate::time::Time;

/// Nobody listens.
impl Recorder for () {}

/// Two listen.
impl<A: Recorder, B: Recorder> Recorder for (A, B) {
    fn begin(&mut self, cast: &Arc<Cast>) {
        self.0.begin(cast);
        self.1.begin(cast);
    }
    fn expect(&mut self, tasks: usize) {
        self.0.expect(tasks);
        self.1.expect(tasks);
    }
    #[inline]
    fn wants_more(&mut self, next: Time) -> bool {
        let first = self.0.wants_more(next);
        self.1.wants_more(next) && first
    }
    #[inline]
    fn soon(&self, task: TaskId) {
        self.0.soon(task);
        self.1.soon(task);
    }
    fn task(&mut self, spec: u32, instance: u32) {
        self.0.task(spec, instance);
        self.1.task(spec, instance);
    }
    fn arrival(&mut self, task: TaskId, at: Time) {
        self.0.arrival(task, at);
        self.1.arrival(task, at);
    }
    #[inline]
    fn interval(&mut self, interval: Interval) {
        self.0.interval(interval);
        self.1.interval(interval);
    }
    fn block(&mut self, block: Block) {
        self.0.block(block);
        self.1.block(block);
    }
    fn request(&mut self, request: Request) {
        self.0.request(request);
        self.1.request(request);
    }
    fn hold(&mut self, hold: Hold) {
        self.0.hold(hold);
        self.1.hold(hold);
    }
    fn signal(&mut self, signal: Signal) {
        self.0.signal(signal);
        self.1.signal(signal);
    }
    fn access(&mut self, access: Access) {
        self.0.access(access);
        self.1.access(access);
    }
    fn spin(&mut self, spin: Spin) {
        self.0.spin(spin);
        self.1.spin(spin);
    }
    fn leave(&mut self, leave: Leave) {
        self.0.leave(leave);
        self.1.leave(leave);
    }
    fn guest(&mut self, task: TaskId) {
        self.0.guest(task);
        self.1.guest(task);
    }
    fn job(&mut self, job: Job) {
        self.0.job(job);
        self.1.job(job);
    }
    fn throttle(&mut self, throttle: Throttle) {
        self.0.throttle(throttle);
        self.1.throttle(throttle);
    }
    fn still(&mut self, still: Still) {
        self.0.still(still);
        self.1.still(still);
    }
    fn depletion(&mut self, depletion: Depletion) {
        self.0.depletion(depletion);
        self.1.depletion(depletion);
    }
    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        self.0.finish(task, at, fate);
        self.1.finish(task, at, fate);
    }
    fn end(&mut self, at: Time) {
        self.0.end(at);
        self.1.end(at);
    }
}
