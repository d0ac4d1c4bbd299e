//! A part of an experiment: every N-th run of it, or every N-th variation.

use std::fmt;
use std::str::FromStr;

/// Part `number` of `of`, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shard {
    /// Which, from 1 to `of`.
    pub number: u32,
    /// How many parts there are.
    pub of: u32,
}

impl Shard {
    /// Is this the part of whatever has this index?
    #[must_use]
    pub fn has(self, index: u64) -> bool {
        index % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if number >= 1 && number <= of => Ok(Shard { number, of }),
            Some((0, _)) => Err("shards are counted from 1: the first of four is 1/4".to_owned()),
            Some(_) => Err("the number of the shard comes first: the second of four is 2/4".to_owned()),
            None => Err("write the number of the shard and how many there are: the second of four is 2/4".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_and_complete() {
        let shards: Vec<Shard> = (1..=3).map(|number| format!("{number}/3").parse().expect("a shard")).collect();
        for index in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(index)).count(), 1, "{index}");
        }
        for text in ["0/3", "4/3", "1", "a/b", "1/0", "-1/3", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
