//! The strip between two timelines that are compared: where they run the same tasks, and where they do not.

use sim_core::compare::Likeness;
use sim_core::timeline::lanes::Stretch;

use super::lanes::columns;
use super::pen::{Mark, Pen, Place};
use super::section::{Content, Row, Section};
use super::{BETWEEN, Lane};
use crate::picture::lane::{Part, Scale, parts};

/// The strip is flat: it belongs to both.
const STRIP: Lane = Lane { height: 14, pitch: 14, letters: 15 };

/// Puts the strip between two panels and turns the upper one over, so that the processors of both stand next to it.
pub(super) fn between(above: &mut Vec<Section>, below: &mut Vec<Section>, likeness: &[Stretch<Likeness>]) {
    above.retain(|section| section.height() > 0);
    above.reverse();
    // The gap that was above a section is below it now: it goes to the next.
    let mut gap = 0;
    above.iter_mut().for_each(|section| std::mem::swap(&mut gap, &mut section.gap));
    let row = Row::new("the same tasks run".to_owned(), vec![Content::Likeness(likeness.to_vec())]);
    below.insert(0, Section { rows: vec![row], left_out: None, lane: STRIP, gap: 0 });
    if let Some(processors) = below.get_mut(1) {
        processors.gap = BETWEEN / 2;
    }
}

/// Draws the strip.
pub(super) fn draw(pen: &mut Pen, likeness: &[Stretch<Likeness>], scale: &Scale, (y, height): (i32, i32)) {
    let look = |likeness: &Likeness| {
        let mark = match likeness {
            Likeness::Same => Mark::Same,
            Likeness::Partly => Mark::PartlySame,
            Likeness::Other => Mark::Other,
            Likeness::Idle => Mark::Idle,
        };
        (mark, mark.ground())
    };
    for part in parts(likeness, scale, height, |likeness| likeness) {
        match part {
            Part::Bar { from, to, state } => {
                let (mark, colour) = look(&state);
                pen.mark(mark, Place { from, to, y, height }, colour);
            }
            Part::Shares { from, to, shares } => columns(pen, (from, to), y + height, &shares, look),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(name: &str, gap: i32) -> Section {
        let row = Row::new(name.to_owned(), Vec::new());
        Section { rows: vec![row], left_out: None, lane: Lane::of(1), gap }
    }

    #[test]
    fn the_processors_of_both_stand_next_to_the_strip() {
        let panel = || vec![section("cpu", 0), section("disk", 8), section("task", 16)];
        let (mut above, mut below) = (panel(), panel());
        above.insert(1, Section { rows: Vec::new(), ..section("", 8) });
        between(&mut above, &mut below, &[]);
        let said = |sections: &[Section]| -> Vec<(String, i32)> {
            sections.iter().map(|section| (section.rows[0].label.clone(), section.gap)).collect()
        };
        let row = |name: &str, gap: i32| (name.to_owned(), gap);
        assert_eq!(said(&above), [row("task", 0), row("disk", 16), row("cpu", 8)]);
        assert_eq!(said(&below), [row("the same tasks run", 0), row("cpu", 8), row("disk", 8), row("task", 16)]);
    }
}
