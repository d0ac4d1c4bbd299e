//! The shelf of picture formats: a sheet becomes the bytes of a file.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters_backend::{BackendColor, BackendStyle};

use super::lettering::Lettering;
use super::sheet::{Colour, Rect, Shape, Sheet};
use crate::letters::visible;

/// The formats in which pictures can be drawn.
pub static FORMATS: &[&Format] = &[
    &Format { extension: "png", summary: "pixels, for everywhere", encode: png },
    &Format { extension: "svg", summary: "vectors, for the web and print", encode: svg },
];

/// What the shelf knows of a format.
#[derive(Debug)]
pub struct Format {
    /// What its files' names end in, in lower case.
    pub extension: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Turns a sheet into the bytes of a file.
    pub encode: fn(&Sheet) -> Result<Vec<u8>, String>,
}

/// Bitmaps are drawn this many times larger and shrunk, which makes letters smooth.
const OVERSAMPLE: i32 = 2;

fn svg(sheet: &Sheet) -> Result<Vec<u8>, String> {
    let mut text = String::new();
    let mut backend = SVGBackend::with_string(&mut text, (sheet.width.unsigned_abs(), sheet.height.unsigned_abs()));
    paint(sheet, &mut backend, 1)?;
    backend.present().map_err(|error| error.to_string())?;
    drop(backend);
    // Plotters has no word for the title of a document: it is the first child of the outermost element.
    let Some(head) = text.find("<svg").and_then(|start| Some(start + text[start..].find('>')? + 1)) else {
        return Err("the drawing library wrote no SVG".to_owned());
    };
    if !sheet.title.is_empty() {
        text.insert_str(head, &format!("\n<title>{}</title>", escape(&sheet.title)));
    }
    Ok(text.into_bytes())
}

/// A text inside an XML document.
fn escape(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn png(sheet: &Sheet) -> Result<Vec<u8>, String> {
    let (width, height) = (sheet.width.unsigned_abs(), sheet.height.unsigned_abs());
    let large = (width * OVERSAMPLE.unsigned_abs(), height * OVERSAMPLE.unsigned_abs());
    let mut pixels = vec![0; large.0 as usize * large.1 as usize * 3];
    let mut backend = BitMapBackend::with_buffer(&mut pixels, large);
    paint(sheet, &mut backend, OVERSAMPLE)?;
    backend.present().map_err(|error| error.to_string())?;
    drop(backend);

    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Best);
    encoder.set_filter(png::FilterType::Up);
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_image_data(&shrink(&pixels, width as usize)).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Averages squares of pixels; `width` is that of the result.
fn shrink(pixels: &[u8], width: usize) -> Vec<u8> {
    let times = OVERSAMPLE.unsigned_abs() as usize;
    let row = width * times * 3;
    let mut small = Vec::with_capacity(pixels.len() / (times * times));
    for rows in pixels.chunks_exact(row * times) {
        for index in 0..width * 3 {
            let (column, channel) = (index / 3, index % 3);
            let at = |x: usize, y: usize| usize::from(rows[y * row + (column * times + x) * 3 + channel]);
            let sum: usize = (0..times).flat_map(|y| (0..times).map(move |x| (x, y))).map(|(x, y)| at(x, y)).sum();
            small.push(u8::try_from((sum + times * times / 2) / (times * times)).unwrap_or(u8::MAX));
        }
    }
    small
}

/// Draws all shapes, `scale` times as large.
fn paint<B: DrawingBackend>(sheet: &Sheet, backend: &mut B, scale: i32) -> Result<(), String> {
    let rect = |backend: &mut B, rect: &Rect| {
        let corner = (rect.x * scale, rect.y * scale);
        let opposite = ((rect.x + rect.width) * scale, (rect.y + rect.height) * scale);
        backend.draw_rect(corner, opposite, &solid(rect.colour), true)
    };
    let paper = Rect { x: 0, y: 0, width: sheet.width, height: sheet.height, colour: Colour(255, 255, 255) };
    rect(backend, &paper).map_err(|error| error.to_string())?;
    for shape in &sheet.shapes {
        match shape {
            Shape::Rect(shape) => rect(backend, shape),
            Shape::Path(path) => {
                let stroke = Stroke { width: (path.width * scale).unsigned_abs(), colour: solid(path.colour) };
                backend.draw_path(larger(&path.points, scale), &stroke)
            }
            Shape::Area(area) => {
                let colour = BackendColor { alpha: f64::from(area.opacity) / 100.0, ..solid(area.colour) };
                backend.fill_polygon(larger(&area.points, scale), &colour)
            }
            Shape::Disc(disc) => {
                let radius = (disc.radius * scale).unsigned_abs();
                backend.draw_circle((disc.x * scale, disc.y * scale), radius, &solid(disc.colour), true)
            }
            Shape::Text(text) => {
                backend.draw_text(&text.text, &Lettering { text, scale }, (text.x * scale, text.y * scale))
            }
        }
        .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A line of some thickness.
struct Stroke {
    width: u32,
    colour: BackendColor,
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.colour
    }
    fn stroke_width(&self) -> u32 {
        self.width
    }
}

fn larger(points: &[(i32, i32)], scale: i32) -> Vec<(i32, i32)> {
    points.iter().map(|(x, y)| (x * scale, y * scale)).collect()
}

fn solid(colour: Colour) -> BackendColor {
    BackendColor { alpha: 1.0, rgb: (colour.0, colour.1, colour.2) }
}
