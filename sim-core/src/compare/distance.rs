//! The distance between two timelines: agreement, service distance and horizon, by one sweep each.

use crate::time::{Span, Time};

use super::SAME;
use super::track::{Edge, Track, Tracks};

/// How far two timelines are apart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Distance {
    /// ∫|A∩B| dt / ∫max(|A|,|B|) dt of the sets of running tasks; 1 if nothing ever runs.
    pub(super) agreement: f64,
    /// Mean over time (up to the later makespan) and tasks (of either timeline) of |S(t) − S′(t)|.
    pub(super) service_ns: f64,
    /// When they first disagree for longer than [`SAME`].
    pub(super) horizon: Option<Time>,
}

/// The distance between two timelines of one comparison.
pub(super) fn between(a: &Tracks, b: &Tracks) -> Distance {
    let (agreement, horizon) = sweep(a, b);
    Distance { agreement, service_ns: mean_service_distance(a, b), horizon }
}

/// Which sides run a task: bits of [`A`] and [`B`].
type Sides = u8;
const A: Sides = 1;
const B: Sides = 2;

/// The sets of running tasks of both sides at one instant, and what they added up to so far.
struct Sweep {
    now: Time,
    running: Vec<Sides>,
    /// How many tasks run on neither side, on A alone, on B alone, on both.
    count: [u64; 4],
    /// ∫|A∩B| dt and ∫max(|A|,|B|) dt up to now.
    shared: u128,
    whole: u128,
    /// Since when the sets differ, if they do.
    differ_since: Option<Time>,
    horizon: Option<Time>,
}

fn sweep(a: &Tracks, b: &Tracks) -> (f64, Option<Time>) {
    let mut sweep = Sweep {
        now: Time::ZERO,
        running: vec![0; a.len()],
        count: [a.len() as u64, 0, 0, 0],
        shared: 0,
        whole: 0,
        differ_since: None,
        horizon: None,
    };
    let (mut edges_a, mut edges_b) = (a.edges.as_slice(), b.edges.as_slice());
    while let Some(at) = edges_a.first().into_iter().chain(edges_b.first()).map(|edge| edge.at).min() {
        sweep.advance(at);
        edges_a = sweep.cross(edges_a, A);
        edges_b = sweep.cross(edges_b, B);
        sweep.look();
    }
    (share(sweep.shared, sweep.whole), sweep.horizon)
}

impl Sweep {
    /// Adds up what holds from now to `at`.
    fn advance(&mut self, at: Time) {
        let [_, only_a, only_b, both] = self.count;
        let span = u128::from(at.since(self.now).ns());
        self.shared += u128::from(both) * span;
        self.whole += u128::from(both + only_a.max(only_b)) * span;
        self.now = at;
    }

    /// Applies the edges of one side that lie at this instant and returns the others.
    fn cross<'a>(&mut self, edges: &'a [Edge], side: Sides) -> &'a [Edge] {
        let here = edges.partition_point(|edge| edge.at <= self.now);
        for edge in &edges[..here] {
            let sides = &mut self.running[edge.task];
            self.count[usize::from(*sides)] -= 1;
            *sides = if edge.begins { *sides | side } else { *sides & !side };
            self.count[usize::from(*sides)] += 1;
        }
        &edges[here..]
    }

    /// Do the sets differ from here on? If they cease to, was it for long?
    fn look(&mut self) {
        let [_, only_a, only_b, _] = self.count;
        if only_a + only_b > 0 {
            self.differ_since.get_or_insert(self.now);
        } else if let Some(since) = self.differ_since.take()
            && self.now.since(since) > SAME
        {
            self.horizon.get_or_insert(since);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of times needs no more than 52 bits")]
fn share(part: u128, whole: u128) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "a mean of times needs no more than 52 bits")]
fn mean_service_distance(a: &Tracks, b: &Tracks) -> f64 {
    let until = Time::ZERO + a.makespan.max(b.makespan);
    let (mut tasks, mut twice_area) = (0_u32, 0_u128);
    for task in 0..a.len() {
        let (of_a, of_b) = (a.get(task), b.get(task));
        if of_a.is_some() || of_b.is_some() {
            tasks += 1;
            twice_area += twice_area_between(of_a, of_b, until);
        }
    }
    let whole = f64::from(tasks) * until.since(Time::ZERO).ns() as f64;
    if whole > 0.0 { twice_area as f64 / (2.0 * whole) } else { 0.0 }
}

/// 2·∫|S(t) − S′(t)| dt up to `until`, exactly, in square nanoseconds. Who does not exist receives nothing.
///
/// Between two edges the difference of the service curves is constant or has slope 1 or −1, so the area under it is a
/// trapezium or, where it crosses zero, two triangles: twice the area is an integer.
pub(super) fn twice_area_between(a: Option<&Track>, b: Option<&Track>, until: Time) -> u128 {
    let mut edges: Vec<(Time, i8)> = Vec::new();
    for (track, sign) in [(a, 1_i8), (b, -1)] {
        for (start, end) in track.into_iter().flat_map(Track::runs) {
            edges.extend([(start.min(until), sign), (end.min(until), -sign)]);
        }
    }
    edges.sort_unstable();
    edges.push((until, 0));

    let (mut now, mut slope, mut difference, mut twice_area) = (Time::ZERO, 0_i8, 0_i128, 0_u128);
    for (at, change) in edges {
        let span = at.since(now);
        let next = difference + i128::from(slope) * i128::from(span.ns());
        twice_area += twice_area_under(difference, next, span);
        (now, difference, slope) = (at, next, slope + change);
    }
    twice_area
}

/// Twice the area between zero and a line from `from` to `to` over `span`; if it crosses zero its slope is 1 or −1.
fn twice_area_under(from: i128, to: i128, span: Span) -> u128 {
    if from.signum() * to.signum() < 0 {
        (from * from + to * to).unsigned_abs()
    } else {
        (from + to).unsigned_abs() * u128::from(span.ns())
    }
}
