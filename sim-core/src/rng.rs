//! Named streams of chance: one per entity and purpose, derived from the seed and the *name*.
//!
//! Because a stream depends on nothing but the seed and the name, changing the policy, adding a task or drawing more
//! for one purpose moves nobody else's draws: variations of a scenario see the same chance (common random numbers).
//! The generator is `ChaCha8`, whose output is fixed by its definition on every platform.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// The name of a stream, being spelt: seed, then words and numbers.
///
/// ```
/// use sim_core::rng::StreamName;
/// let crawler = StreamName::new(7).word("crawler").word("download");
/// let mut third = crawler.number(3).word("program").stream();
/// let mut again = crawler.number(3).word("program").stream();
/// assert_eq!(third.next_u64(), again.next_u64());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StreamName {
    hash: [u64; 2],
}

impl StreamName {
    /// A name that so far consists of the seed.
    #[must_use]
    pub fn new(seed: u64) -> StreamName {
        StreamName { hash: [mix(seed ^ 0x51D0_5EED), mix(seed.wrapping_add(0x9E37_79B9_7F4A_7C15))] }
    }

    /// Adds a word.
    #[must_use]
    pub fn word(self, word: &str) -> StreamName {
        let mut name = self;
        // The length keeps "ab" + "c" apart from "a" + "bc".
        name = name.number(word.len() as u64);
        for chunk in word.as_bytes().chunks(8) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            name = name.number(u64::from_le_bytes(bytes));
        }
        name
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: u64) -> StreamName {
        let [a, b] = self.hash;
        StreamName { hash: [mix(a ^ number), mix(b.rotate_left(29).wrapping_add(number ^ 0xD6E8_FEB8_6659_FD93))] }
    }

    /// The stream of that name, at its start.
    #[must_use]
    pub fn stream(self) -> Stream {
        Stream(State::Early { name: self, drawn: 0, ready: [0; AT_ONCE - 1] })
    }

    /// What computes the stream of that name.
    fn generator(self) -> ChaCha8Rng {
        let [a, b] = self.hash;
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip([a, b, mix(a ^ b), mix(a.wrapping_add(b))]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014): a bijection that spreads every bit.
pub(crate) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A stream of random numbers.
///
/// Of a million tasks, most draw a few times. What computes their draws has 300 bytes, most of them numbers of the stream
/// made in advance: it is kept only by a stream that has drawn often. Before that it is made anew for every few draws.
#[derive(Clone, Debug)]
pub struct Stream(State);

#[derive(Clone, Debug)]
enum State {
    Early {
        name: StreamName,
        drawn: u32,
        /// The draws that were made with the last of them.
        ready: [u64; AT_ONCE - 1],
    },
    Kept(Box<ChaCha8Rng>),
}

/// So many early draws are made together: as many as fit beside the name into what a program remembers anyway.
const AT_ONCE: usize = 3;

/// So many draws cost less than the cache misses of what would be kept for them; a multiple of [`AT_ONCE`].
const EARLY_DRAWS: u32 = 15;

impl Stream {
    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        match &mut self.0 {
            State::Kept(generator) => generator.next_u64(),
            State::Early { .. } => self.early_draw(),
        }
    }

    #[inline(never)]
    fn early_draw(&mut self) -> u64 {
        let State::Early { name, drawn, ready } = &mut self.0 else { return self.next_u64() };
        let (number, place) = (*drawn, *drawn as usize % AT_ONCE);
        *drawn += 1;
        if place > 0 {
            return ready[place - 1];
        }
        let mut generator = name.generator();
        // A draw is two words of the generator's.
        generator.set_word_pos(2 * u128::from(number));
        let bits = generator.next_u64();
        if number < EARLY_DRAWS {
            ready.fill_with(|| generator.next_u64());
        } else {
            self.0 = State::Kept(Box::new(generator));
        }
        bits
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in (0, 1]: safe to take the logarithm of.
    pub fn positive_unit(&mut self) -> f64 {
        1.0 - self.unit()
    }

    /// Uniform in `0..bound`, without bias (Lemire 2019). `bound` must not be zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0);
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
            let low = product as u64;
            if low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_as_its_generator_would() {
        let name = StreamName::new(3).word("a stream").number(1);
        let (mut stream, mut generator) = (name.stream(), name.generator());
        for draw in 0..5 * EARLY_DRAWS {
            assert_eq!(stream.next_u64(), generator.next_u64(), "draw {draw}");
        }
    }

    #[test]
    fn a_stream_that_draws_little_is_small() {
        assert!(size_of::<Stream>() <= 40);
    }
}
