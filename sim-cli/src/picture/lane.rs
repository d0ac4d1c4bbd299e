//! One lane: how a sequence of states becomes rectangles.
//!
//! A state that is wide enough becomes a bar with exact edges. Where states change too fast to be drawn one by one,
//! the lane is cut into narrow columns, and in each the height shows which state had which share of its time: the
//! eye then sees the proportion, not noise.

use sim_core::time::Time;
use sim_core::timeline::lanes::Stretch;

/// Narrower than this (in pixels) is small.
const SMALL: f64 = 3.0;
/// So many small stretches after each other are drawn as shares.
const MANY: usize = 6;
/// Narrower than this (in pixels) is a stripe, and …
const STRIPE: f64 = 10.0;
/// … so many stripes after each other, …
const STRIPES: usize = 40;
/// … on average narrower than this, are drawn as shares too: nobody reads a bar code.
const STRIPED: f64 = 5.0;
/// A column of shares is wide enough for so many stretches on average, …
const PER_COLUMN: f64 = 12.0;
/// … but in these limits, in pixels.
const COLUMN: (f64, f64) = (4.0, 24.0);

/// From time to pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// Where the time begins that is drawn.
    pub(super) left: i32,
    /// How many pixels it has.
    pub(super) width: i32,
    /// When it begins, in nanoseconds.
    pub(super) begin: u64,
    /// How long it is in nanoseconds, at least 1.
    pub(super) extent: u64,
}

impl Scale {
    /// Is that an instant of the time that is drawn?
    pub(super) fn shows(&self, at: Time) -> bool {
        at.ns().checked_sub(self.begin).is_some_and(|since| since <= self.extent)
    }

    /// The pixel column of a time; the nearest to one that is not drawn.
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
    pub(super) fn x(&self, at: Time) -> i32 {
        let width = u128::from(self.width.unsigned_abs());
        let since = at.ns().saturating_sub(self.begin).min(self.extent);
        let offset = (u128::from(since) * width + u128::from(self.extent) / 2) / u128::from(self.extent);
        self.left + offset as i32
    }

    /// The time of a pixel column.
    #[expect(clippy::cast_possible_truncation, reason = "at most the whole time")]
    pub(super) fn time(&self, x: i32) -> u64 {
        let offset = u128::from((x - self.left).max(0).unsigned_abs());
        self.begin + (offset * u128::from(self.extent) / u128::from(self.width.max(1).unsigned_abs())) as u64
    }

    #[expect(clippy::cast_precision_loss, reason = "pixels of a picture")]
    fn pixels<S>(&self, stretch: &Stretch<S>) -> f64 {
        stretch.end.since(stretch.start).ns() as f64 * f64::from(self.width) / self.extent as f64
    }
}

/// A part of a lane.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Part<S> {
    /// One state, from column to column; the two may be the same.
    Bar { from: i32, to: i32, state: S },
    /// Shares of several states in a column, in pixels of the lane's height, from the bottom upwards.
    Shares { from: i32, to: i32, shares: Vec<(S, i32)> },
}

/// Cuts a lane of this height into parts. In a column of shares smaller states are further down.
///
/// `merge` says as what a state counts among the shares.
pub(super) fn parts<S: Copy + Ord>(
    lane: &[Stretch<S>],
    scale: &Scale,
    height: i32,
    merge: impl Fn(S) -> S,
) -> Vec<Part<S>> {
    let mut parts = Vec::with_capacity(lane.len());
    let mut rest = lane;
    while let Some(first) = rest.first() {
        let dense = dense(rest, scale);
        if dense > 0 {
            let (dense, after) = rest.split_at(dense);
            shares(dense, scale, height, &merge, &mut parts);
            rest = after;
        } else {
            parts.push(Part::Bar { from: scale.x(first.start), to: scale.x(first.end), state: first.state });
            rest = &rest[1..];
        }
    }
    parts
}

/// How many stretches at the beginning of a lane are too narrow to be drawn one by one.
#[expect(clippy::cast_precision_loss, reason = "pixels of a picture")]
fn dense<S>(lane: &[Stretch<S>], scale: &Scale) -> usize {
    let narrower = |than: f64| lane.iter().take_while(|stretch| scale.pixels(stretch) < than).count();
    let small = narrower(SMALL);
    if small >= MANY {
        return small;
    }
    let stripes = narrower(STRIPE);
    let pixels: f64 = lane[..stripes].iter().map(|stretch| scale.pixels(stretch)).sum();
    if stripes >= STRIPES && pixels < STRIPED * stripes as f64 { stripes } else { 0 }
}

fn shares<S: Copy + Ord>(
    dense: &[Stretch<S>],
    scale: &Scale,
    height: i32,
    merge: impl Fn(S) -> S,
    parts: &mut Vec<Part<S>>,
) {
    let (Some(first), Some(last)) = (dense.first(), dense.last()) else { return };
    let (start, end) = (scale.x(first.start), scale.x(last.end).max(scale.x(first.start) + 1));
    let column = column_width(dense, scale);
    let mut next = 0;
    let mut from = start;
    while from < end {
        let to = if end - from < 2 * column { end } else { from + column };
        let begin = if from == start { first.start.ns() } else { scale.time(from) };
        let finish = if to == end { last.end.ns() } else { scale.time(to) };
        let mut amounts: Vec<(S, u64)> = Vec::new();
        while let Some(stretch) = dense.get(next) {
            let overlap = stretch.end.ns().min(finish).saturating_sub(stretch.start.ns().max(begin));
            let merged = merge(stretch.state);
            match amounts.iter_mut().find(|(state, _)| *state == merged) {
                Some((_, amount)) => *amount += overlap,
                None => amounts.push((merged, overlap)),
            }
            if stretch.end.ns() > finish {
                break;
            }
            next += 1;
        }
        amounts.sort_unstable_by_key(|(state, _)| *state);
        let shares = heights(&amounts, height);
        match parts.last_mut() {
            Some(Part::Shares { to: before, shares: same, .. }) if *before == from && *same == shares => *before = to,
            _ => parts.push(Part::Shares { from, to, shares }),
        }
        from = to;
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "pixels of a picture")]
fn column_width<S>(dense: &[Stretch<S>], scale: &Scale) -> i32 {
    let mean = dense.iter().map(|stretch| scale.pixels(stretch)).sum::<f64>() / dense.len() as f64;
    (mean * PER_COLUMN).clamp(COLUMN.0, COLUMN.1).round() as i32
}

/// Divides the height in proportion, to the last pixel.
#[expect(clippy::cast_possible_truncation, reason = "pixels of a lane")]
fn heights<S: Copy>(amounts: &[(S, u64)], height: i32) -> Vec<(S, i32)> {
    let total = amounts.iter().map(|(_, amount)| u128::from(*amount)).sum::<u128>().max(1);
    let mut below = 0u128;
    let mut reached = 0;
    let mut heights = Vec::with_capacity(amounts.len());
    for (state, amount) in amounts {
        below += u128::from(*amount);
        let top = ((below * u128::from(height.unsigned_abs()) + total / 2) / total) as i32;
        if top > reached {
            heights.push((*state, top - reached));
        }
        reached = top;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(ends: &[(u64, char)]) -> Vec<Stretch<char>> {
        let mut start = Time::ZERO;
        let mut stretch = |&(end, state): &(u64, char)| {
            let stretch = Stretch { start, end: Time::from_ns(end), state };
            start = stretch.end;
            stretch
        };
        ends.iter().map(&mut stretch).collect()
    }

    const SCALE: Scale = Scale { left: 10, width: 100, begin: 0, extent: 1000 };

    #[test]
    fn wide_states_are_bars_with_exact_edges() {
        let lane = lane(&[(500, 'a'), (501, 's'), (1000, 'b')]);
        assert_eq!(
            parts(&lane, &SCALE, 20, |state| state),
            [
                Part::Bar { from: 10, to: 60, state: 'a' },
                Part::Bar { from: 60, to: 60, state: 's' },
                Part::Bar { from: 60, to: 110, state: 'b' },
            ]
        );
    }

    #[test]
    fn a_fast_change_becomes_its_proportion() {
        // In turn 3 ns of a and 1 ns of b, 1000 ns in all: 3/4 and 1/4 in every column.
        let ends: Vec<(u64, char)> = (0..250).flat_map(|round| [(round * 4 + 3, 'a'), (round * 4 + 4, 'b')]).collect();
        let parts = parts(&lane(&ends), &SCALE, 20, |state| state);
        assert_eq!(parts, [Part::Shares { from: 10, to: 110, shares: vec![('a', 15), ('b', 5)] }]);
    }

    #[test]
    fn many_stripes_become_their_proportion_and_few_do_not() {
        // 1 pixel of a and 6 of b, in turn.
        let ends = |rounds: u64| -> Vec<(u64, char)> {
            (0..rounds).flat_map(|round| [(round * 7 + 1, 'a'), (round * 7 + 7, 'b')]).collect()
        };
        let scale = Scale { left: 0, width: 700, begin: 0, extent: 700 };
        let shares = |parts: &[Part<char>]| parts.iter().filter(|part| matches!(part, Part::Shares { .. })).count();
        let (many, few) =
            (parts(&lane(&ends(100)), &scale, 20, |state| state), parts(&lane(&ends(19)), &scale, 20, |state| state));
        assert!(shares(&many) == many.len() && shares(&few) == 0, "{many:?}");
    }

    #[test]
    fn shares_fill_the_height() {
        assert_eq!(heights(&[('a', 1), ('b', 1), ('c', 1)], 20), [('a', 7), ('b', 6), ('c', 7)]);
        assert_eq!(heights(&[('a', 0), ('b', u64::MAX)], 20), [('b', 20)]);
    }
}
