//! Where on a device a request wants to go: a track, or the law it is drawn from.

mod read;

use std::sync::Arc;

use crate::distribution::weighted;
use crate::rng::Stream;

/// The highest number of a track.
pub const LAST_TRACK: u32 = 1_000_000_000;

/// Where a request wants to go.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// Always this track; 0 if it does not matter.
    At(u32),
    /// Drawn. Shared: a process's law stands in every copy.
    Drawn(Arc<Tracks>),
}

/// A law of random tracks.
#[derive(Clone, PartialEq, Debug)]
pub enum Tracks {
    /// Any track from `low` to `high`, both included.
    Uniform {
        /// The lowest.
        low: u32,
        /// The highest. Invariant: not below `low`.
        high: u32,
    },
    /// One of several tracks, by weight. Invariant: not empty, weights sum to more than zero.
    Choice(Vec<(f64, u32)>),
    /// One of the tracks, each as likely as the others. Invariant: not empty.
    Samples(Vec<u32>),
}

impl Place {
    /// The highest track that can come out.
    #[must_use]
    pub fn highest(&self) -> u32 {
        match self {
            Place::At(track) => *track,
            Place::Drawn(tracks) => match &**tracks {
                Tracks::Uniform { high, .. } => *high,
                Tracks::Choice(branches) => branches.iter().map(|(_, track)| *track).max().unwrap_or(0),
                Tracks::Samples(tracks) => tracks.iter().copied().max().unwrap_or(0),
            },
        }
    }
}

impl Tracks {
    /// Draws a track.
    pub fn draw(&self, stream: &mut Stream) -> u32 {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "between two tracks")]
            Tracks::Uniform { low, high } => low + stream.below(u64::from(high - low) + 1) as u32,
            Tracks::Choice(branches) => weighted(branches, stream),
            #[expect(clippy::cast_possible_truncation, reason = "below the length of a vector")]
            Tracks::Samples(tracks) => tracks[stream.below(tracks.len() as u64) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::StreamName;

    /// Pinned: a change here is a change of every user's results.
    #[test]
    fn first_draws_never_change() {
        let laws = [
            Tracks::Uniform { low: 0, high: 4999 },
            Tracks::Choice(vec![(0.5, 10), (0.5, 90)]),
            Tracks::Samples(vec![98, 183, 37]),
        ];
        let draws = laws.map(|law| {
            let mut stream = StreamName::new(7).word("golden").stream();
            (0..5).map(|_| law.draw(&mut stream).to_string()).collect::<Vec<_>>().join(" ")
        });
        expect_test::expect![[r#"
            119 389 4498 1829 1898
            10 10 90 10 10
            98 98 37 183 183"#]]
        .assert_eq(&draws.join("\n"));
    }

    #[test]
    fn both_bounds_can_come_out() {
        let mut stream = StreamName::new(7).stream();
        let mut draws: Vec<u32> = (0..100).map(|_| Tracks::Uniform { low: 5, high: 7 }.draw(&mut stream)).collect();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws, [5, 6, 7]);
        assert_eq!(Tracks::Uniform { low: 5, high: 5 }.draw(&mut stream), 5);
    }
}
