//! Where the time of tasks went, as bars: one for each task from its arrival to its end, those on top that lost most to
//! others, the worst of each kind first. Within a bar the order is that of the legend, not that of time.

use sim_core::time::{Span, Time};

use super::{BEFORE_LANES, LEFT_OUT, Lane, MARGIN, WIDEST_NAME, WIDTH, frame, legend};
use crate::axis;
use crate::explain::{Bar, CLASSES, Class, Explained, Left, Subject};
use crate::picture::colours::{self, of_class};
use crate::picture::lane::Scale;
use crate::picture::lettering;
use crate::picture::sheet::{Anchor, Colour, Sheet, Text};
use crate::picture::{Panel, Picture};

/// More tasks than this are drawn by kind, as means, …
const MOST: usize = 24;
/// … with so many of those beneath who lost most to others.
const VICTIMS: usize = 10;
/// Between a bar and the words about its length.
const BEFORE_LENGTH: i32 = 8;
/// Right of the words about lengths.
const AFTER_LENGTH: i32 = 16;
/// Right of the bars, at least: room for the last time of the axis.
const AFTER_BARS: i32 = 60;
/// The words about lengths are no larger than this.
const MOST_LETTERS: i32 = 15;
/// Between the parts of a panel.
const BETWEEN: i32 = 14;

/// Bars with a line above them that says what they are; it may be empty.
struct Group {
    line: String,
    bars: Vec<Bar>,
    left_out: Option<String>,
}

struct Prepared<'a> {
    panel: &'a Panel<'a>,
    explained: Explained<'a>,
    groups: Vec<Group>,
    lane: Lane,
}

/// Lays a picture of causes out.
pub(in crate::picture) fn lay_out(picture: &Picture<'_>) -> Sheet {
    let panels: Vec<Prepared<'_>> = picture.panels.iter().map(prepare).collect();
    let bars = || panels.iter().flat_map(|panel| &panel.groups).flat_map(|group| &group.bars);
    let extent = bars().map(|bar| bar.length.ns()).max().unwrap_or(0);
    let widest = panels
        .iter()
        .flat_map(|panel| panel.groups.iter().flat_map(|group| &group.bars).map(|bar| (bar, panel.lane.letters)))
        .map(|(bar, letters)| lettering::width(&lettering::fit(&bar.name, letters, false, WIDEST_NAME), letters, false))
        .max();
    let left = MARGIN + widest.unwrap_or(0).min(WIDEST_NAME) + BEFORE_LANES;
    let lengths = panels.iter().flat_map(|panel| {
        let size = panel.lane.letters.min(MOST_LETTERS);
        panel.groups.iter().flat_map(|group| &group.bars).map(move |bar| lettering::width(&words(bar), size, false))
    });
    let after = (BEFORE_LENGTH + lengths.max().unwrap_or(0) + AFTER_LENGTH).max(AFTER_BARS);
    let scale = Scale { left, width: WIDTH - after - left, begin: 0, extent: extent.max(1) };
    let used = |class: Class| bars().flat_map(|bar| &bar.reasons).any(|reason| reason.class() == class);
    let used: Vec<Class> = CLASSES.iter().map(|(class, ..)| *class).filter(|class| used(*class)).collect();

    let mut sheet = Sheet { width: WIDTH, title: picture.title.clone(), ..Sheet::default() };
    let y = frame::headline(&mut sheet, picture) + 6;
    let top = y + classes(&mut sheet, &used, y) + 14;
    let bottom = top + panels.iter().map(height).sum::<i32>();
    let ticks = axis::ticks(extent, 11);
    frame::grid(&mut sheet, &scale, &ticks, top, bottom);
    let mut y = top;
    for panel in &panels {
        lay_out_panel(&mut sheet, panel, &scale, y);
        y += height(panel);
    }
    let y = frame::axis(&mut sheet, &scale, &ticks, bottom) + 12;
    let text = "From arrival to end, by cause, not in order of time. In the bars: behind whom, or for what.".to_owned();
    let (x, anchor, colour) = (left, Anchor::Start, colours::QUIET);
    sheet.text(Text { x, y, text, size: 15, bold: false, anchor, colour });
    sheet.height = y + 14 + MARGIN / 2;
    sheet
}

fn prepare<'a>(panel: &'a Panel<'a>) -> Prepared<'a> {
    let explained = Explained::new(panel.timeline);
    let victims = explained.victims();
    let single = |subject: &Subject| Bar::of(&explained, *subject);
    let groups = if victims.len() <= MOST {
        vec![Group { line: String::new(), bars: victims.iter().map(single).collect(), left_out: None }]
    } else {
        let mut bars = Bar::means(&explained);
        let more = bars.len().saturating_sub(MOST);
        bars.truncate(MOST);
        let left_out = (more > 0).then(|| format!("… and {more} more (not drawn)"));
        let line = format!("of {} tasks the worst of each kind, then others", victims.len());
        let few = victims.iter().take(VICTIMS).map(single).collect();
        vec![Group { line: "means".to_owned(), bars, left_out }, Group { line, bars: few, left_out: None }]
    };
    let lane = Lane::of(groups.iter().map(|group| group.bars.len()).sum());
    Prepared { panel, explained, groups, lane }
}

fn height(panel: &Prepared<'_>) -> i32 {
    let group = |group: &Group| {
        let lines = i32::from(!group.line.is_empty()) + i32::from(group.left_out.is_some());
        i32::try_from(group.bars.len()).unwrap_or(0) * panel.lane.pitch + lines * LEFT_OUT + BETWEEN
    };
    frame::heading_height(panel.panel) + panel.groups.iter().map(group).sum::<i32>()
}

fn lay_out_panel(sheet: &mut Sheet, panel: &Prepared<'_>, scale: &Scale, top: i32) {
    let mut y = top + frame::heading_height(panel.panel);
    if y > top {
        frame::heading(sheet, panel.panel, top);
    }
    for group in &panel.groups {
        line(sheet, Some(group.line.as_str()).filter(|line| !line.is_empty()), scale, &mut y);
        for bar in &group.bars {
            name(sheet, &bar.name, scale, y, panel.lane);
            draw(sheet, &panel.explained, bar, scale, y, panel.lane);
            y += panel.lane.pitch;
        }
        line(sheet, group.left_out.as_deref(), scale, &mut y);
        y += BETWEEN;
    }
}

/// The name of a bar, left of it.
fn name(sheet: &mut Sheet, name: &str, scale: &Scale, y: i32, lane: Lane) {
    let text = lettering::fit(name, lane.letters, false, WIDEST_NAME);
    let (x, y) = (scale.left - BEFORE_LANES, y + lane.height / 2);
    sheet.text(Text { x, y, text, size: lane.letters, bold: false, anchor: Anchor::End, colour: colours::INK });
}

/// A line about bars.
fn line(sheet: &mut Sheet, line: Option<&str>, scale: &Scale, y: &mut i32) {
    let Some(line) = line else { return };
    let (x, middle) = (scale.left, *y + LEFT_OUT / 2);
    let text = line.to_owned();
    sheet.text(Text { x, y: middle, text, size: 15, bold: false, anchor: Anchor::Start, colour: colours::QUIET });
    *y += LEFT_OUT;
}

/// The parts of a bar, those of a class together, and how long it is.
fn draw(sheet: &mut Sheet, explained: &Explained<'_>, bar: &Bar, scale: &Scale, y: i32, lane: Lane) {
    let mut at = Span::ZERO;
    for (class, ..) in CLASSES {
        for reason in bar.reasons.iter().filter(|reason| reason.class() == class) {
            let from = scale.x(Time::ZERO + at);
            at += reason.length;
            let to = scale.x(Time::ZERO + at);
            let colour = of_class(class);
            // A hair of paper before the next.
            let width = if to - from > 3 { to - from - 1 } else { to - from };
            sheet.rect(from, y, width, lane.height, colour);
            let (x, size) = (i32::midpoint(from, to), (lane.height / 2).min(14));
            let place = Place { x, y: y + lane.height / 2, width, size };
            label(sheet, &place, &explained.tag(reason), colours::readable_on(colour));
        }
    }
    let (x, y) = (scale.x(Time::ZERO + bar.length) + BEFORE_LENGTH, y + lane.height / 2);
    let (text, size) = (words(bar), lane.letters.min(MOST_LETTERS));
    sheet.text(Text { x, y, text, size, bold: false, anchor: Anchor::Start, colour: colours::INK });
}

/// How long a bar is.
fn words(bar: &Bar) -> String {
    let left = match bar.left {
        None => String::new(),
        Some(Left::Unfinished) => ", unfinished".to_owned(),
        Some(left) => format!(", {}", left.words().trim_start_matches("was ")),
    };
    format!("{}{left}", bar.length.readable())
}

/// The middle of a part and its room.
struct Place {
    x: i32,
    y: i32,
    width: i32,
    size: i32,
}

/// Who was in the way, or only the number of the instance, if it fits.
fn label(sheet: &mut Sheet, place: &Place, tag: &str, colour: Colour) {
    let Place { x, y, width, size } = *place;
    let number = tag.rfind('#').map(|at| &tag[at..]);
    let short = tag.rsplit('/').next();
    let fits = |text: &&str| lettering::fits(text, size, false, width - 10);
    if size >= 9
        && let Some(text) = [Some(tag), short, number].into_iter().flatten().find(fits)
    {
        sheet.text(Text { x, y, text: text.to_owned(), size, bold: false, anchor: Anchor::Middle, colour });
    }
}

/// The colours that occur; returns the height.
fn classes(sheet: &mut Sheet, used: &[Class], top: i32) -> i32 {
    let entries = CLASSES.iter().filter(|(class, ..)| used.contains(class));
    let entries = entries.map(|(class, _, words)| {
        let colour = of_class(*class);
        let swatch =
            move |sheet: &mut Sheet, x: i32, y: i32| sheet.rect(x, y, legend::SWATCH, legend::SWATCH_HEIGHT, colour);
        (*words, swatch)
    });
    legend::flow(sheet, entries, top)
}
