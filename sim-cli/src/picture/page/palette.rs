//! The colours of a page: those of all pictures by day, and what stands for them by night.

use std::collections::BTreeMap;

use crate::picture::colours as of;
use crate::picture::sheet::Colour;

/// The names by which the script and the style sheet call colours: by day, by night.
const COLOURS: &[(&str, Colour, Colour)] = &[
    ("paper", of::PAPER, Colour(0x16, 0x1a, 0x1f)),
    ("ink", of::INK, Colour(0xe6, 0xe9, 0xed)),
    ("quiet", of::QUIET, Colour(0x9d, 0xa7, 0xb3)),
    ("warning", of::WARNING, Colour(0xff, 0xa0, 0x66)),
    ("grid", of::GRID, Colour(0x2d, 0x33, 0x3b)),
    ("idle", of::IDLE, Colour(0x23, 0x28, 0x2f)),
    ("ready", of::READY, Colour(0x6a, 0x73, 0x7d)),
    ("throttled", of::THROTTLED, Colour(0x6b, 0x30, 0x34)),
    ("used-up", of::USED_UP, Colour(0xff, 0x7b, 0x7b)),
    ("depleted", of::DEPLETED, Colour(0x5c, 0x47, 0x1f)),
    ("budget", of::BUDGET, Colour(0xf0, 0xb4, 0x5a)),
    ("interpreter", of::INTERPRETER, Colour(0xa5, 0xae, 0xb8)),
    ("queued", of::QUEUED, Colour(0x6b, 0x56, 0x2f)),
    ("blocked", of::BLOCKED, Colour(0x33, 0x3a, 0x42)),
    ("dots", of::DOTS, Colour(0x7d, 0x87, 0x92)),
    ("overhead", of::OVERHEAD, Colour(0xe6, 0xe9, 0xed)),
    ("stripe", of::STRIPE, Colour(0x5a, 0x63, 0x6d)),
    ("shared", of::SHARED, Colour(0x4d, 0x5b, 0x6b)),
    ("same", of::SAME, Colour(0x2f, 0x6b, 0x45)),
    ("partly-same", of::PARTLY_SAME, Colour(0xa8, 0x83, 0x2a)),
    ("other", of::OTHER, Colour(0xe8, 0x6a, 0x2c)),
    ("clash", of::CLASH, Colour(0xff, 0x4d, 0x6a)),
    ("path", of::PATH, Colour(0xff, 0x4d, 0x80)),
];

/// All of them, as the style sheet writes colours.
pub(super) fn named() -> BTreeMap<&'static str, [String; 2]> {
    COLOURS.iter().map(|(name, day, night)| (*name, [written(*day), written(*night)])).collect()
}

/// A colour as style sheets write it.
pub(super) fn written(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The colours of the tasks of several panels, each once.
#[derive(Default)]
pub(super) struct Hues(Vec<Colour>);

impl Hues {
    /// The place of a colour.
    pub(super) fn place(&mut self, colour: Colour) -> u64 {
        let known = self.0.iter().position(|known| *known == colour);
        let place = known.unwrap_or_else(|| {
            self.0.push(colour);
            self.0.len() - 1
        });
        place as u64
    }

    /// All of them, with that of letters on each.
    pub(super) fn all(&self) -> Vec<[String; 2]> {
        self.0.iter().map(|colour| [written(*colour), written(of::readable_on(*colour))]).collect()
    }
}
