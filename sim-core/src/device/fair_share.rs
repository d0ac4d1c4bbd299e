//! Processor sharing: all requests are served at once and share equally what the device can do.
//!
//! A device with `channels = k` can do k at a time, and no request more than one: while n are there, each progresses at
//! min(1, k / n). Nobody waits. A link with its downloads is like that, and so is round robin with a very small quantum.
//! With Poisson arrivals the mean time of a request depends on the mean of the service alone, not on its distribution.
//! Source: Kleinrock, "Time-shared systems: a theoretical treatment", 1967; Queueing Systems, vol. 2 (1976).
//!
//! What each request has received since the device was last empty is one number, the virtual time: a request that comes
//! at virtual time v and asks for w leaves when that is v + w (Parekh & Gallager 1993). So the requests stand in a heap
//! that nothing ever rearranges: logarithmic per request.
//!
//! Requests leave between the nanoseconds too, and the others are faster from then on: nothing of what the device can do
//! is lost. Only the time that is told is rounded up. Both times are kept in units of 2^-60 ns, and what is less than
//! 2^-20 ns after a nanosecond counts as that: rounding would have to add up over 2^40 requests to be seen.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::{Form, Kind, Service, Settings, Setup};
use crate::ids::TaskId;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "fair-share",
    summary: "all at once: what the channels can do is shared equally among all requests, and nobody waits",
    parameters: &[],
    form: Form::Shared,
    read: |_| Arc::new(FairShare),
};

#[derive(Debug)]
struct FairShare;

impl Settings for FairShare {
    fn build(&self, setup: &Setup) -> Service {
        Service::Shared(Sharing::new(setup.channels))
    }
}

/// Bits after the point of real and virtual times.
const POINT: u32 = 60;
/// What counts as nothing.
const CRUMB: u128 = 1 << (POINT - 20);

/// The requests that a device serves at once.
#[derive(Debug)]
pub struct Sharing {
    /// How many it could serve at full speed; `None`: all.
    channels: Option<u32>,
    requests: BinaryHeap<Reverse<Share>>,
    /// Virtual time …
    progress: u128,
    /// … at this time, when the number of requests last changed.
    since: u128,
    /// Requests that have left since `leave` was last asked.
    left: Vec<Share>,
}

/// One request that is being served. The order is that of leaving.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Share {
    /// The virtual time at which it will have received everything.
    until: u128,
    /// Its number in the order of asking.
    pub rank: u64,
    /// Whose request.
    pub task: TaskId,
    /// When it was made.
    pub asked: Time,
    /// How much it asks for.
    pub service: Span,
}

impl Sharing {
    fn new(channels: Option<u32>) -> Sharing {
        Sharing { channels, requests: BinaryHeap::new(), progress: 0, since: 0, left: Vec::new() }
    }

    /// A request comes; `rank` is its number in the order of asking.
    pub fn join(&mut self, task: TaskId, service: Span, rank: u64, now: Time) {
        self.go_on(now);
        let until = self.progress + fixed(service.ns());
        self.requests.push(Reverse(Share { until, rank, task, asked: now, service }));
    }

    /// When the next request leaves, if none comes before; never without requests.
    #[must_use]
    pub fn due(&self, now: Time) -> Time {
        if !self.left.is_empty() {
            return now;
        }
        let Some(Reverse(first)) = self.requests.peek() else { return Time::NEVER };
        let at = (self.since.saturating_add(self.time_until(first))).saturating_sub(CRUMB).div_ceil(1 << POINT);
        Time::from_ns(u64::try_from(at).unwrap_or(u64::MAX).min((now + Span::MAX).ns())).max(now)
    }

    /// The requests that have received everything by now, in the order of asking: they leave.
    pub fn leave(&mut self, now: Time) -> Vec<Share> {
        self.go_on(now);
        self.left.sort_unstable_by_key(|share| share.rank);
        std::mem::take(&mut self.left)
    }

    /// The task gives its request up. What has it received by now, rounded down?
    pub fn take_back(&mut self, task: TaskId, now: Time) -> Span {
        self.go_on(now);
        let received = self.received(now).find(|(other, _)| *other == task).map_or(Span::ZERO, |(_, time)| time);
        self.requests.retain(|Reverse(share)| share.task != task);
        received
    }

    /// The requests still there, and what each has received by now, rounded down.
    pub fn received(&self, now: Time) -> impl Iterator<Item = (TaskId, Span)> {
        let progress = self.progress_at(fixed(now.ns()));
        self.requests.iter().map(move |Reverse(share)| {
            let missing = share.until.saturating_sub(progress).saturating_sub(CRUMB).div_ceil(1 << POINT);
            let missing = Span::from_ns(u64::try_from(missing).unwrap_or(u64::MAX));
            (share.task, share.service.saturating_sub(missing))
        })
    }

    /// From the last change on, all who can leave by now leave one after the other; then the rest goes on until now.
    fn go_on(&mut self, now: Time) {
        let now = fixed(now.ns());
        while let Some(Reverse(first)) = self.requests.peek() {
            let at = self.since.saturating_add(self.time_until(first));
            if at > now + CRUMB {
                break;
            }
            (self.since, self.progress) = (at, first.until);
            self.left.extend(self.requests.pop().map(|Reverse(share)| share));
        }
        self.progress = self.progress_at(now);
        self.since = self.since.max(now);
    }

    /// How long it takes until the request, the first to leave, has received everything.
    fn time_until(&self, first: &Share) -> u128 {
        let (all, served) = self.rate();
        scaled(first.until.saturating_sub(self.progress), all, served)
    }

    /// Without requests virtual time begins anew, so that it never grows too large.
    fn progress_at(&self, now: u128) -> u128 {
        if self.requests.is_empty() {
            return 0;
        }
        let (all, served) = self.rate();
        self.progress + scaled(now.saturating_sub(self.since), served, all)
    }

    /// How many requests there are, and how many can be served at full speed.
    fn rate(&self) -> (u128, u128) {
        let all = self.requests.len() as u128;
        (all, self.channels.map_or(all, |channels| all.min(u128::from(channels))))
    }
}

fn fixed(ns: u64) -> u128 {
    u128::from(ns) << POINT
}

/// `time * part / whole`, rounded down, at most as large as there are numbers; `part` and `whole` have 32 bits.
fn scaled(time: u128, part: u128, whole: u128) -> u128 {
    if part == whole {
        return time;
    }
    let (ns, fraction) = (time >> POINT, time & ((1 << POINT) - 1));
    let (quotient, rest) = (ns * part / whole, ns * part % whole);
    let fraction = ((rest << POINT) + fraction * part) / whole;
    quotient.checked_mul(1 << POINT).map_or(u128::MAX, |time| time.saturating_add(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(ns: u64) -> Time {
        Time::from_ns(ns)
    }

    /// When each of the requests (when, how much) leaves.
    fn departures(channels: Option<u32>, requests: &[(u64, u64)]) -> Vec<u64> {
        let mut sharing = Sharing::new(channels);
        let mut left = vec![0; requests.len()];
        let mut last = Time::ZERO;
        let mut coming = (0..).zip(requests).peekable();
        loop {
            let arrival = coming.peek().map_or(Time::NEVER, |(_, (at, _))| ns(*at));
            let now = sharing.due(last).min(arrival);
            if now.is_never() {
                return left;
            }
            sharing.leave(now).iter().for_each(|share| left[share.task.0 as usize] = now.ns());
            while let Some((task, (_, service))) = coming.next_if(|(_, (at, _))| ns(*at) == now) {
                sharing.join(TaskId(task), Span::from_ns(*service), u64::from(task), now);
            }
            last = now;
        }
    }

    #[test]
    fn two_share_one_channel() {
        assert_eq!(departures(Some(1), &[(0, 10), (0, 10)]), [20, 20]);
        assert_eq!(departures(Some(1), &[(0, 10), (0, 2)]), [12, 4]);
        assert_eq!(departures(Some(1), &[(0, 10), (4, 2)]), [12, 8]);
    }

    #[test]
    fn no_request_is_faster_than_one_channel() {
        assert_eq!(departures(Some(2), &[(0, 10)]), [10]);
        assert_eq!(departures(Some(2), &[(0, 10), (0, 10), (0, 10)]), [15, 15, 15]);
        assert_eq!(departures(None, &[(0, 10), (0, 10), (0, 10)]), [10, 10, 10]);
    }

    #[test]
    fn the_end_is_rounded_up_to_a_nanosecond_and_nothing_is_lost() {
        // Three share: 1 ns takes 3. The two others have 9 ns left then, at half speed: 18.
        assert_eq!(departures(Some(1), &[(0, 10), (0, 1), (0, 10)]), [21, 3, 21]);
        // At two thirds of full speed 1 ns takes 1.5. The two others have 1 ns left then, at full speed.
        assert_eq!(departures(Some(2), &[(0, 1), (0, 2), (0, 2)]), [2, 3, 3]);
        // After 1 ns the second comes: 1 ns of each is left, so both leave at 3, at half speed.
        assert_eq!(departures(Some(1), &[(0, 2), (1, 1)]), [3, 3]);
        assert_eq!(departures(Some(1), &[(0, 0)]), [0]);
    }

    #[test]
    fn a_device_that_is_never_idle_does_all_its_work_without_loss() {
        for (count, gap, service) in [(3, 1, 7), (46, 1, 1000), (500, 1, 1000), (500, 7, 11), (5000, 0, 3)] {
            // Not all as long: they leave at many different fractions of a nanosecond.
            let requests: Vec<(u64, u64)> = (0..count).map(|index| (index * gap, service + index % 13)).collect();
            let work: u64 = requests.iter().map(|(_, service)| service).sum();
            assert_eq!(departures(Some(1), &requests).into_iter().max(), Some(work), "{count} times {service} ns");
        }
    }

    #[test]
    fn the_longest_services_do_not_overflow() {
        let mut sharing = Sharing::new(Some(1));
        (0..1000).for_each(|task| sharing.join(TaskId(task), Span::MAX, 0, ns(5)));
        assert_eq!(sharing.due(ns(5)), ns(5) + Span::MAX, "as late as anything can be");
        assert_eq!(sharing.leave(ns(5) + Span::MAX), []);
    }

    #[test]
    fn what_was_received_is_known_at_any_time() {
        let mut sharing = Sharing::new(Some(1));
        sharing.join(TaskId(0), Span::from_ns(10), 0, ns(0));
        sharing.join(TaskId(1), Span::from_ns(10), 1, ns(4));
        let mut received: Vec<_> = sharing.received(ns(9)).map(|(task, span)| (task.0, span.ns())).collect();
        received.sort_unstable();
        assert_eq!(received, [(0, 6), (1, 2)]);
    }
}
