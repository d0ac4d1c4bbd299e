//! Experiments: one scenario in many variations, each as often as chance asks for, and what their figures say together.

pub use crate::outcome::{Better, Metric, Observed, Refusal, Unit};
use crate::rng::mix;

/// The seed of a replication: that of the experiment itself for the first, and from it and the number for the others. All
/// variations of an experiment see the same chance in replications of one number (common random numbers), so that their
/// figures can be compared pair by pair.
///
/// Derived seeds have 53 bits, so that every reader of JSON has them exactly.
///
/// ```
/// use sim_core::experiment::seed;
/// assert_eq!(seed(7, 0), 7);
/// assert!(seed(7, 1) < 1 << 53 && seed(7, 1) != seed(7, 2) && seed(7, 1) != seed(8, 1));
/// ```
#[must_use]
pub fn seed(seed: u64, replication: u32) -> u64 {
    if replication == 0 {
        return seed;
    }
    // Mixed twice: seeds that follow each other must not share replications.
    mix(mix(seed).wrapping_add(u64::from(replication).wrapping_mul(0x9E37_79B9_7F4A_7C15))) >> 11
}
