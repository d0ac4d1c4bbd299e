//! Pictures of timelines: PNG and SVG, drawn with plotters, and pages for browsers.
//!
//! A [`Picture`] is laid out into a [`sheet::Sheet`], a list of rectangles and texts, and a [`Format`] of the shelf
//! [`FORMATS`] turns the sheet into bytes. The letters come from a font inside the program, so the same timeline gives
//! the same bytes on every machine. A [`page`] has the same rows, and draws them itself.

pub mod colours;
mod lane;
mod layout;
pub mod lettering;
pub mod page;
mod paint;
pub mod sheet;

use std::path::Path;

use sim_core::causes::critical_path::Link;
use sim_core::compare::Likeness;
use sim_core::time::Time;
use sim_core::timeline::Timeline;
use sim_core::timeline::lanes::Stretch;

pub use paint::{FORMATS, Format};

/// What is drawn: a title, and timelines above each other on one time axis.
#[derive(Clone, Debug, Default)]
pub struct Picture<'a> {
    /// The headline.
    pub title: String,
    /// Below the headline: policy, seed, …
    pub subtitle: String,
    /// A finding that deserves a line of its own, such as the error of the simulation; may be empty.
    pub note: String,
    /// The timelines, from top to bottom.
    pub panels: Vec<Panel<'a>>,
    /// Of two timelines that are compared, where the same tasks run: a strip between them.
    pub likeness: Vec<Stretch<Likeness>>,
    /// Of a single timeline, the critical path that is drawn over it.
    pub path: Vec<Link>,
    /// Which part of the time is drawn.
    pub view: View,
}

/// A part of the time: all that there is between two instants. By default that is all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// From when on.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

impl Default for View {
    fn default() -> View {
        View { from: Time::ZERO, to: Time::NEVER }
    }
}

impl View {
    /// What is in it of a time from one instant to another; nothing if that would have no length.
    #[must_use]
    pub fn part(self, from: Time, to: Time) -> Option<(Time, Time)> {
        Some((from.max(self.from), to.min(self.to))).filter(|(from, to)| from < to)
    }

    /// Leaves of a lane what is in it.
    pub(crate) fn cut<S>(self, lane: &mut Vec<Stretch<S>>) {
        if self != View::default() {
            lane.retain_mut(|stretch| match self.part(stretch.start, stretch.end) {
                Some(part) => {
                    (stretch.start, stretch.end) = part;
                    true
                }
                None => false,
            });
        }
    }
}

/// One timeline of a picture.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// What it is: "Simulated", "Measured", "round-robin", …; may be empty if there is only one.
    pub heading: String,
    /// More about it, in a quieter voice; may be empty.
    pub subtitle: String,
    /// What its reader should know of first: why it is a deadlock, who starved, …
    pub findings: Vec<String>,
    /// What happened.
    pub timeline: &'a Timeline,
}

/// Draws the picture into a file, in the format that the extension of its name asks for.
///
/// # Errors
/// A sentence for people if the extension is not that of a picture or the file cannot be written.
pub fn draw(picture: &Picture<'_>, path: &Path) -> Result<(), String> {
    match kind_of(path)? {
        Kind::Page => crate::files::write_with(path, |out| page::write(picture, out)),
        Kind::Sheet(format) => crate::files::write(path, &render(picture, format)?),
    }
}

/// Draws where the time of the picture's tasks went, and behind whom, into a file. A page tells that in any case.
///
/// # Errors
/// As [`draw`].
pub fn draw_causes(picture: &Picture<'_>, path: &Path) -> Result<(), String> {
    match kind_of(path)? {
        Kind::Page => draw(picture, path),
        Kind::Sheet(format) => crate::files::write(path, &(format.encode)(&layout::bars::lay_out(picture))?),
    }
}

/// The picture as the bytes of a file.
///
/// # Errors
/// A sentence for people if the drawing library fails.
pub fn render(picture: &Picture<'_>, format: &Format) -> Result<Vec<u8>, String> {
    (format.encode)(&layout::lay_out(picture))
}

/// What kind of picture a file is to be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A sheet in one of the [`FORMATS`].
    Sheet(&'static Format),
    /// A [`page`].
    Page,
}

/// The kind that the extension of a file's name asks for. Useful before long work, to learn of a mistake early.
///
/// # Errors
/// A sentence for people that names the extensions there are.
pub fn kind_of(path: &Path) -> Result<Kind, String> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let wanted = extension.as_deref().unwrap_or("");
    if wanted == page::EXTENSION {
        return Ok(Kind::Page);
    }
    FORMATS.iter().find(|format| format.extension == wanted).map(|format| Kind::Sheet(format)).ok_or_else(|| {
        let known: Vec<String> = FORMATS.iter().map(|format| format!(".{}", format.extension)).collect();
        let found = if wanted.is_empty() { "no extension".to_owned() } else { format!(".{wanted}") };
        format!(
            "{} has {found}, which is no kind of picture; end the name with {} or .{}",
            path.display(),
            known.join(", "),
            page::EXTENSION
        )
    })
}

/// Is a file of this name to be a page?
#[must_use]
pub fn is_page(path: &Path) -> bool {
    matches!(kind_of(path), Ok(Kind::Page))
}

#[cfg(test)]
mod tests;
