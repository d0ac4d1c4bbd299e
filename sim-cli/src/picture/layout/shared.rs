//! The lane of a device that requests share: how many there are, as steps.

use sim_core::timeline::lanes::Stretch;

use crate::picture::colours;
use crate::picture::lane::Scale;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Sheet, Text};

/// Draws the lane; a step is as high as its share of the most requests there ever are.
///
/// Where several numbers meet in one column of pixels, it is as high as their mean.
pub(super) fn lane(sheet: &mut Sheet, lane: &[Stretch<u32>], scale: &Scale, y: i32, height: i32) {
    let Some(last) = lane.last() else { return };
    sheet.rect(scale.left, y, scale.x(last.end) - scale.left, height, colours::IDLE);
    let most = lane.iter().map(|stretch| stretch.state).max().unwrap_or(0);
    for (from, to, top) in steps(lane, scale, height, most) {
        sheet.rect(from, y + height - top, to - from, top, colours::SHARED);
    }
    for stretch in lane.iter().filter(|stretch| stretch.state > 0) {
        label(sheet, stretch, scale, y, height);
    }
}

/// Columns of the same height in pixels: from, to, height.
fn steps(lane: &[Stretch<u32>], scale: &Scale, height: i32, most: u32) -> Vec<(i32, i32, i32)> {
    let mut steps: Vec<(i32, i32, i32)> = Vec::new();
    let mut next = 0;
    let end = lane.last().map_or(scale.left, |last| scale.x(last.end));
    for x in scale.left..end {
        let (from, to) = (scale.time(x), scale.time(x + 1));
        let mut sum = 0u128;
        while let Some(stretch) = lane.get(next) {
            let overlap = stretch.end.ns().min(to).saturating_sub(stretch.start.ns().max(from));
            sum += u128::from(overlap) * u128::from(stretch.state);
            if stretch.end.ns() > to {
                break;
            }
            next += 1;
        }
        let full = u128::from(to - from).max(1) * u128::from(most.max(1));
        let top = i32::try_from((sum * u128::from(height.unsigned_abs())).div_ceil(full)).unwrap_or(height).min(height);
        match steps.last_mut() {
            Some((_, to, same)) if *same == top => *to = x + 1,
            _ => steps.push((x, x + 1, top)),
        }
    }
    steps
}

/// Steps for the legend.
pub(super) fn example(sheet: &mut Sheet, x: i32, y: i32) {
    for (step, height) in [(0, 5), (1, 10), (2, 16)] {
        sheet.rect(x + step * 11, y + 16 - height, 11, height, colours::SHARED);
    }
}

/// How many, if there is room.
fn label(sheet: &mut Sheet, stretch: &Stretch<u32>, scale: &Scale, y: i32, height: i32) {
    let (from, to, size) = (scale.x(stretch.start), scale.x(stretch.end), (height / 2).min(14));
    let words = if stretch.state == 1 { "1 alone".to_owned() } else { format!("{} share", stretch.state) };
    let fits = |text: &String| lettering::width(text, size, false) + 8 <= to - from;
    if let Some(text) = [words, stretch.state.to_string()].into_iter().find(fits).filter(|_| size >= 9) {
        let (x, y) = (i32::midpoint(from, to), y + height / 2);
        sheet.text(Text { x, y, text, size, bold: false, anchor: Anchor::Middle, colour: colours::INK });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::time::Time;

    #[test]
    fn steps_are_as_high_as_the_share_of_the_most() {
        let scale = Scale { left: 10, width: 100, extent: 1_000 };
        let stretch = |start, end, state| Stretch { start: Time::from_ns(start), end: Time::from_ns(end), state };
        let lane = [stretch(0, 200, 1), stretch(200, 500, 4), stretch(500, 505, 0), stretch(505, 1_000, 2)];
        assert_eq!(steps(&lane, &scale, 20, 4), [(10, 30, 5), (30, 60, 20), (60, 61, 5), (61, 110, 10)]);
    }
}
