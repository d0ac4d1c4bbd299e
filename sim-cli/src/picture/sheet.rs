//! A sheet: the finished layout of a picture as a list of shapes, before any format is chosen.

use std::borrow::Cow;

use super::lettering;
use crate::letters::visible;

/// Red, green, blue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Where a text stands relative to its point. The point is always at half the height of the small letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// A line of text.
#[derive(Clone, PartialEq, Debug)]
pub struct Text {
    /// The point.
    pub x: i32,
    /// The point.
    pub y: i32,
    /// What it says.
    pub text: String,
    /// Pixels per em.
    pub size: i32,
    /// In bold letters?
    pub bold: bool,
    /// Which part of it is at the point.
    pub anchor: Anchor,
    /// Its colour.
    pub colour: Colour,
}

/// A rectangle of one colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
    /// Its colour.
    pub colour: Colour,
}

/// What is on a sheet.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// A rectangle.
    Rect(Rect),
    /// A line of text.
    Text(Text),
    /// Straight lines from point to point.
    Path(Path),
    /// What a closed path goes round.
    Area(Area),
    /// A disc.
    Disc(Disc),
}

/// Straight lines from point to point, of one colour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    /// The points.
    pub points: Vec<(i32, i32)>,
    /// How thick they are.
    pub width: i32,
    /// Their colour.
    pub colour: Colour,
}

/// What a closed path goes round, in a colour through which one sees what is beneath.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Area {
    /// The points of the path.
    pub points: Vec<(i32, i32)>,
    /// Its colour.
    pub colour: Colour,
    /// How much of what is beneath it hides, in percent.
    pub opacity: u8,
}

/// A disc of one colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disc {
    /// Its centre.
    pub x: i32,
    /// Its centre.
    pub y: i32,
    /// From there to its edge.
    pub radius: i32,
    /// Its colour.
    pub colour: Colour,
}

/// White paper of a size with shapes on it, later ones above earlier ones.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sheet {
    /// Width in pixels.
    pub width: i32,
    /// Height in pixels.
    pub height: i32,
    /// What it is, for those who cannot see it.
    pub title: String,
    /// What is on it.
    pub shapes: Vec<Shape>,
}

impl Sheet {
    /// Adds a rectangle; one without an area is left out.
    pub fn rect(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        if width > 0 && height > 0 {
            self.shapes.push(Shape::Rect(Rect { x, y, width, height, colour }));
        }
    }

    /// Adds lines from point to point.
    pub fn path(&mut self, points: Vec<(i32, i32)>, width: i32, colour: Colour) {
        if points.len() > 1 {
            self.shapes.push(Shape::Path(Path { points, width, colour }));
        }
    }

    /// Adds a disc.
    pub fn disc(&mut self, (x, y): (i32, i32), radius: i32, colour: Colour) {
        self.shapes.push(Shape::Disc(Disc { x, y, radius, colour }));
    }

    /// Adds a line of text; what in it is no visible letter is replaced.
    pub fn text(&mut self, mut text: Text) {
        if let Cow::Owned(shown) = visible(&text.text) {
            text.text = shown;
        }
        if !text.text.is_empty() {
            self.shapes.push(Shape::Text(text));
        }
    }

    /// Adds all that is on another sheet, so much further down.
    pub fn append(&mut self, other: Sheet, down: i32) {
        self.shapes.extend(other.shapes.into_iter().map(|shape| match shape {
            Shape::Rect(rect) => Shape::Rect(Rect { y: rect.y + down, ..rect }),
            Shape::Text(text) => Shape::Text(Text { y: text.y + down, ..text }),
            Shape::Path(path) => Shape::Path(Path { points: moved(path.points, down), ..path }),
            Shape::Area(area) => Shape::Area(Area { points: moved(area.points, down), ..area }),
            Shape::Disc(disc) => Shape::Disc(Disc { y: disc.y + down, ..disc }),
        }));
    }
}

fn moved(points: Vec<(i32, i32)>, down: i32) -> Vec<(i32, i32)> {
    points.into_iter().map(|(x, y)| (x, y + down)).collect()
}

impl Text {
    /// The columns it covers: from, to.
    #[must_use]
    pub fn columns(&self) -> (i32, i32) {
        let width = lettering::width(&self.text, self.size, self.bold);
        match self.anchor {
            Anchor::Start => (self.x, self.x + width),
            Anchor::Middle => (self.x - width / 2, self.x + width - width / 2),
            Anchor::End => (self.x - width, self.x),
        }
    }
}
