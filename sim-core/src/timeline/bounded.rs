//! A recorder that is given up when it has been told more than there is room for.

use std::sync::Arc;

use super::{
    Access, Block, Cast, Depletion, Fate, Hold, Interval, Job, Leave, Life, Recorder, Request, Signal, Spin, Still,
    Throttle,
};
use crate::ids::TaskId;
use crate::time::Time;

/// Passes on what it is told until that takes more than so many bytes. Then it lets the recorder go, with all that it has
/// kept: half a timeline is of no use to anybody. The run goes on, and other recorders still hear of it.
///
/// ```
/// use sim_core::engine::simulate;
/// use sim_core::scenario::lower;
/// use sim_core::document::Source;
/// use sim_core::timeline::{Bounded, Timeline};
/// let text = r#"task = [{ name = "a", program = [{ cpu = "1ms" }] }]"#;
/// let scenario = lower::scenario(&Source { file: "a.toml", text }, &[]).unwrap();
/// for (bytes, kept) in [(1 << 20, true), (10, false)] {
///     let mut bounded = Bounded::new(Timeline::default(), bytes);
///     simulate(&scenario, &mut bounded);
///     assert_eq!(bounded.into_inner().is_some(), kept);
/// }
/// let mut bounded = Bounded::new(Timeline::default(), 10).or_end();
/// assert_eq!(simulate(&scenario, &mut bounded).end.name(), "interrupted");
/// ```
#[derive(Clone, Debug)]
pub struct Bounded<R> {
    inner: Option<R>,
    /// So many bytes may still come.
    left: u64,
    /// Does the run end where there is no more room?
    ends: bool,
}

impl<R> Bounded<R> {
    /// `inner`, for as long as records take at most so many bytes.
    #[must_use]
    pub fn new(inner: R, bytes: u64) -> Bounded<R> {
        Bounded { inner: Some(inner), left: bytes, ends: false }
    }

    /// The same; and where there is no more room the run ends, as nobody wants what is left of it.
    #[must_use]
    pub fn or_end(self) -> Bounded<R> {
        Bounded { ends: true, ..self }
    }

    /// The recorder, if there was room for all that it was told.
    #[must_use]
    pub fn into_inner(self) -> Option<R> {
        self.inner
    }

    /// Who is told of a record of this type, if there is room for it.
    #[inline]
    fn room<T>(&mut self) -> Option<&mut R> {
        match self.left.checked_sub(size_of::<T>() as u64) {
            Some(left) => self.left = left,
            None => (self.left, self.inner) = (0, None),
        }
        self.inner.as_mut()
    }
}

impl<R: Recorder> Recorder for Bounded<R> {
    fn begin(&mut self, cast: &Arc<Cast>) {
        self.inner.iter_mut().for_each(|inner| inner.begin(cast));
    }
    fn expect(&mut self, tasks: usize) {
        self.inner.iter_mut().for_each(|inner| inner.expect(tasks));
    }
    fn wants_more(&mut self, next: Time) -> bool {
        self.inner.as_mut().map_or(!self.ends, |inner| inner.wants_more(next))
    }
    fn task(&mut self, spec: u32, instance: u32) {
        self.room::<Life>().into_iter().for_each(|inner| inner.task(spec, instance));
    }
    fn arrival(&mut self, task: TaskId, at: Time) {
        self.inner.iter_mut().for_each(|inner| inner.arrival(task, at));
    }
    #[inline]
    fn interval(&mut self, interval: Interval) {
        self.room::<Interval>().into_iter().for_each(|inner| inner.interval(interval));
    }
    fn block(&mut self, block: Block) {
        self.room::<Block>().into_iter().for_each(|inner| inner.block(block));
    }
    fn request(&mut self, request: Request) {
        self.room::<Request>().into_iter().for_each(|inner| inner.request(request));
    }
    fn hold(&mut self, hold: Hold) {
        self.room::<Hold>().into_iter().for_each(|inner| inner.hold(hold));
    }
    fn signal(&mut self, signal: Signal) {
        self.room::<Signal>().into_iter().for_each(|inner| inner.signal(signal));
    }
    fn access(&mut self, access: Access) {
        self.room::<Access>().into_iter().for_each(|inner| inner.access(access));
    }
    fn spin(&mut self, spin: Spin) {
        self.room::<Spin>().into_iter().for_each(|inner| inner.spin(spin));
    }
    fn leave(&mut self, leave: Leave) {
        self.room::<Leave>().into_iter().for_each(|inner| inner.leave(leave));
    }
    fn guest(&mut self, task: TaskId) {
        self.room::<TaskId>().into_iter().for_each(|inner| inner.guest(task));
    }
    fn job(&mut self, job: Job) {
        self.room::<Job>().into_iter().for_each(|inner| inner.job(job));
    }
    fn throttle(&mut self, throttle: Throttle) {
        self.room::<Throttle>().into_iter().for_each(|inner| inner.throttle(throttle));
    }
    fn still(&mut self, still: Still) {
        self.room::<Still>().into_iter().for_each(|inner| inner.still(still));
    }
    fn depletion(&mut self, depletion: Depletion) {
        self.room::<Depletion>().into_iter().for_each(|inner| inner.depletion(depletion));
    }
    fn finish(&mut self, task: TaskId, at: Time, fate: Fate) {
        self.inner.iter_mut().for_each(|inner| inner.finish(task, at, fate));
    }
    fn end(&mut self, at: Time) {
        self.inner.iter_mut().for_each(|inner| inner.end(at));
    }
}
