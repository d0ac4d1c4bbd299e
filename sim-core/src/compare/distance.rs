//! The distance between two timelines: agreement, service distance and horizon, by one sweep each.

use crate::time::{Span, Time};

use super::SAME;
use super::track::{Edge, Track, Tracks};

/// How far two timelines are apart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Gap {
    /// ∫|A∩B| dt / ∫max(|A|,|B|) dt of the sets of running tasks; 1 if nothing ever runs.
    pub(super) agreement: f64,
    /// Mean over time (up to the later makespan) and tasks (of either timeline) of |S(t) − S′(t)|.
    pub(super) service_ns: f64,
    /// When they first disagree for longer than [`SAME`].
    pub(super) horizon: Option<Time>,
}

/// The distance between two timelines of one comparison.
pub(super) fn between(a: &Tracks, b: &Tracks) -> Gap {
    let (agreement, horizon) = agreement(a, b);
    Gap { agreement, service_ns: mean_service_distance(a, b), horizon }
}

/// A stretch of time in which the sets of running tasks of both sides stay as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) from: Time,
    pub(super) to: Time,
    /// How many tasks run in the first timeline alone, …
    pub(super) only_a: u64,
    /// … in the second alone, …
    pub(super) only_b: u64,
    /// … and in both.
    pub(super) both: u64,
}

impl Piece {
    /// Does one side run a task that the other does not?
    pub(super) fn differs(&self) -> bool {
        self.only_a + self.only_b > 0
    }
}

/// Which sides run a task: bits of [`A`] and [`B`].
type Sides = u8;
const A: Sides = 1;
const B: Sides = 2;

/// The sets of running tasks of both sides at one instant.
struct Sweep {
    now: Time,
    running: Vec<Sides>,
    /// How many tasks run on neither side, on A alone, on B alone, on both.
    count: [u64; 4],
}

/// Goes through the time from 0 to the last stop, piece by piece.
pub(super) fn pieces(a: &Tracks, b: &Tracks, mut each: impl FnMut(Piece)) {
    let mut sweep = Sweep { now: Time::ZERO, running: vec![0; a.len()], count: [a.len() as u64, 0, 0, 0] };
    let (mut edges_a, mut edges_b) = (a.edges.as_slice(), b.edges.as_slice());
    while let Some(at) = edges_a.first().into_iter().chain(edges_b.first()).map(|edge| edge.at).min() {
        let [_, only_a, only_b, both] = sweep.count;
        if at > sweep.now {
            each(Piece { from: sweep.now, to: at, only_a, only_b, both });
        }
        sweep.now = at;
        edges_a = sweep.cross(edges_a, A);
        edges_b = sweep.cross(edges_b, B);
    }
}

impl Sweep {
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
}

/// Agreement and horizon.
fn agreement(a: &Tracks, b: &Tracks) -> (f64, Option<Time>) {
    // ∫|A∩B| dt and ∫max(|A|,|B|) dt; when they began and ceased to differ last.
    let (mut shared, mut whole) = (0_u128, 0_u128);
    let (mut differed, mut horizon): (Option<(Time, Time)>, Option<Time>) = (None, None);
    pieces(a, b, |piece| {
        let span = u128::from(piece.to.since(piece.from).ns());
        shared += u128::from(piece.both) * span;
        whole += u128::from(piece.both + piece.only_a.max(piece.only_b)) * span;
        if piece.differs() {
            let since = differed.filter(|(_, until)| *until == piece.from).map_or(piece.from, |(since, _)| since);
            differed = Some((since, piece.to));
            if piece.to.since(since) > SAME {
                horizon.get_or_insert(since);
            }
        }
    });
    (share(shared, whole), horizon)
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
