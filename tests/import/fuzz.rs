//! Samples that were damaged at random: they are refused or imported, and what is imported is valid.

use super::{Refusal, Source, import, lower, recognised, samples};

/// A small generator of numbers: the same damage every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit.max(1)
    }
}

const PIECES: &[&str] = &[
    "-1",
    "0",
    "99999999999999999999",
    "1e308",
    "NaN",
    "\"",
    "\\",
    "\u{0}",
    "#",
    "/",
    "{",
    "}",
    "[[",
    "]",
    "<",
    ">",
    "&",
    ",",
    ";",
    "\t",
    "\n",
    "  ",
    "é",
    "\u{202e}",
    "=",
    "==>",
    "null",
    "true",
    "''",
    "0.5",
    "18446744073709551616",
];

fn damaged(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..=chance.below(2) {
        let at = chance.below(damaged.len() + 1);
        let end = (at + chance.below(12)).min(damaged.len());
        match chance.below(5) {
            0 => damaged.truncate(at.max(1)),
            1 => drop(damaged.drain(at..end)),
            2 => drop(damaged.splice(at..end, PIECES[chance.below(PIECES.len())].bytes())),
            3 => {
                let from = chance.below(damaged.len());
                let copy = damaged[from..(from + chance.below(200)).min(damaged.len())].to_vec();
                drop(damaged.splice(at..at, copy));
            }
            _ => {
                if let Some(byte) = damaged.get_mut(at) {
                    *byte = u8::try_from(chance.below(256)).expect("a byte");
                }
            }
        }
    }
    damaged
}

#[test]
fn damaged_samples_are_refused_or_valid() {
    let mut chance = Chance(7);
    let (mut valid, mut refused) = (0, 0);
    for (name, bytes) in samples() {
        let kind = recognised(&bytes);
        for round in 0..300 {
            let damaged = damaged(&bytes, &mut chance);
            match import(&damaged, "a\n\u{1b}file", kind) {
                Err(Refusal { sentence, .. }) => {
                    refused += 1;
                    assert!(!sentence.is_empty() && sentence.len() < 400, "{name} {round}: {sentence}");
                }
                Ok(imported) => {
                    valid += 1;
                    if let Err(mistakes) = lower::scenario(&Source { file: "x.toml", text: &imported.text }, &[]) {
                        panic!("{name} {round}: {mistakes}\n{}", String::from_utf8_lossy(&damaged));
                    }
                }
            }
        }
    }
    assert!(valid > 300 && refused > 300, "{valid} valid, {refused} refused");
}
