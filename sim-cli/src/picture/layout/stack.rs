//! Numbers over time, above each other: how many requests a device serves and how many queue, how many tasks of a kind
//! run, are ready, are blocked.

use sim_core::time::Time;
use sim_core::timeline::lanes::Stretch;

use super::pen::{Mark, Pen, Place};
use crate::picture::colours;
use crate::picture::lane::Scale;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour};

/// At most so many numbers stand above each other.
pub(in crate::picture) const LAYERS: usize = 8;
/// How many there are of each, the lowest first.
pub(in crate::picture) type Counts = [u32; LAYERS];

/// Numbers over time.
pub(in crate::picture) struct Stack {
    /// What each number counts, and the colour of the area if it is that of a task.
    pub(in crate::picture) layers: Vec<(Mark, Colour)>,
    pub(in crate::picture) lane: Vec<Stretch<Counts>>,
    /// What fills the height; the same in all panels of a picture.
    pub(in crate::picture) most: u32,
    /// What stands in a stretch that is wide enough for it.
    pub(in crate::picture) words: Option<fn(&Counts) -> String>,
    /// Is what is not filled drawn as idle?
    pub(in crate::picture) ground: bool,
}

/// Something that begins or ends to count in one of the layers.
pub(in crate::picture) type Edge = (Time, bool, usize);

impl Stack {
    /// The numbers that come of these edges, until `extent`.
    pub(in crate::picture) fn new(layers: Vec<(Mark, Colour)>, edges: Vec<Edge>, extent: Time) -> Stack {
        let lane = counted(edges, extent);
        let most = lane.iter().map(|stretch| stretch.state.iter().sum()).max().unwrap_or(0);
        Stack { layers, lane, most, words: None, ground: true }
    }

    /// Draws the lane.
    pub(super) fn draw(&self, pen: &mut Pen, scale: &Scale, y: i32, height: i32) {
        let Some(last) = self.lane.last() else { return };
        let end = scale.x(last.end);
        if self.ground {
            pen.mark(Mark::Idle, Place { from: scale.left, to: end, y, height }, colours::IDLE);
        }
        for (from, to, tops) in self.steps(scale, height) {
            let mut below = 0;
            for ((mark, colour), top) in self.layers.iter().zip(tops) {
                let place = Place { from, to, y: y + height - top, height: top - below };
                pen.area(*mark, place, *colour);
                below = top;
            }
        }
        for stretch in self.lane.iter().filter(|stretch| stretch.state[0] > 0) {
            self.label(pen, stretch, scale, y, height);
        }
    }

    /// Columns of the same heights in pixels: from, to, where each layer ends above the bottom. Where several numbers
    /// meet in one column of pixels it is as high as their mean.
    fn steps(&self, scale: &Scale, height: i32) -> Vec<(i32, i32, [i32; LAYERS])> {
        let mut steps: Vec<(i32, i32, [i32; LAYERS])> = Vec::new();
        let mut next = 0;
        let end = self.lane.last().map_or(scale.left, |last| scale.x(last.end));
        for x in scale.left..end {
            let (from, to) = (scale.time(x), scale.time(x + 1));
            let mut sums = [0u128; LAYERS];
            while let Some(stretch) = self.lane.get(next) {
                let overlap = stretch.end.ns().min(to).saturating_sub(stretch.start.ns().max(from));
                sums.iter_mut()
                    .zip(stretch.state)
                    .for_each(|(sum, count)| *sum += u128::from(overlap) * u128::from(count));
                if stretch.end.ns() > to {
                    break;
                }
                next += 1;
            }
            let full = u128::from(to - from).max(1) * u128::from(self.most.max(1));
            let mut reached = 0u128;
            let tops = sums.map(|sum| {
                reached += sum;
                let top = (reached * u128::from(height.unsigned_abs())).div_ceil(full);
                i32::try_from(top).unwrap_or(height).min(height)
            });
            match steps.last_mut() {
                Some((_, to, same)) if *same == tops => *to = x + 1,
                _ => steps.push((x, x + 1, tops)),
            }
        }
        steps
    }

    /// How many, if there is room.
    fn label(&self, pen: &mut Pen, stretch: &Stretch<Counts>, scale: &Scale, y: i32, height: i32) {
        let Some(words) = self.words else { return };
        let (from, to, size) = (scale.x(stretch.start), scale.x(stretch.end), (height / 2).min(14));
        let fits = |text: &String| lettering::fits(text, size, false, to - from - 8);
        if size >= 9
            && let Some(text) = [words(&stretch.state), stretch.state[0].to_string()].into_iter().find(fits)
        {
            pen.text((i32::midpoint(from, to), y + height / 2), &text, size, Anchor::Middle, colours::INK);
        }
    }
}

/// The numbers that come of edges.
fn counted(mut edges: Vec<Edge>, extent: Time) -> Vec<Stretch<Counts>> {
    edges.retain(|(at, ..)| *at <= extent);
    // What ends makes room for what begins at the same instant: nothing is counted that takes no time.
    edges.sort_unstable();
    let mut lane: Vec<Stretch<Counts>> = Vec::new();
    let (mut start, mut counts) = (Time::ZERO, [0i64; LAYERS]);
    for (at, change) in edges.into_iter().map(|(at, begins, layer)| (at, Some((begins, layer)))).chain([(extent, None)])
    {
        if start < at {
            let state = counts.map(|count| u32::try_from(count.max(0)).unwrap_or(u32::MAX));
            match lane.last_mut() {
                Some(last) if last.state == state => last.end = at,
                _ => lane.push(Stretch { start, end: at, state }),
            }
            start = at;
        }
        if let Some((begins, layer)) = change {
            counts[layer] += if begins { 1 } else { -1 };
        }
    }
    lane
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Time {
        Time::from_ns(ns)
    }

    #[test]
    fn edges_become_numbers() {
        let edges = vec![
            (at(8), false, 0),
            (at(1), true, 0),
            (at(1), true, 1),
            (at(5), false, 1),
            (at(5), true, 0),
            (at(9), false, 0),
        ];
        let lane = counted(edges, at(20));
        let numbers: Vec<(u64, u32, u32)> =
            lane.iter().map(|stretch| (stretch.end.ns(), stretch.state[0], stretch.state[1])).collect();
        assert_eq!(numbers, [(1, 0, 0), (5, 1, 1), (8, 2, 0), (9, 1, 0), (20, 0, 0)]);
    }

    #[test]
    fn steps_are_as_high_as_the_share_of_the_most() {
        let scale = Scale { left: 10, width: 100, begin: 0, extent: 1_000 };
        let stretch = |start, end, low, high| {
            let mut state = [0; LAYERS];
            (state[0], state[1]) = (low, high);
            Stretch { start: at(start), end: at(end), state }
        };
        let lane =
            vec![stretch(0, 200, 1, 0), stretch(200, 500, 1, 3), stretch(500, 505, 0, 0), stretch(505, 1_000, 2, 0)];
        let layers = vec![(Mark::InService, colours::INK), (Mark::QueuedArea, colours::INK)];
        let stack = Stack { layers, lane, most: 4, words: None, ground: true };
        let steps: Vec<(i32, i32, i32, i32)> =
            stack.steps(&scale, 20).into_iter().map(|(from, to, tops)| (from, to, tops[0], tops[1])).collect();
        assert_eq!(steps, [(10, 30, 5, 5), (30, 60, 5, 20), (60, 61, 5, 5), (61, 110, 10, 10)]);
    }
}
