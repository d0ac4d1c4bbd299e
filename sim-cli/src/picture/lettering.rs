//! The letters of pictures: the font, how wide a text is, and how it is drawn on a bitmap.
//!
//! Noto Sans is compiled into the program (SIL Open Font License): no font of the machine is ever looked for. Bitmap
//! letters are placed here rather than by plotters, whose own placing drops the space on the left of each letter.

use std::convert::Infallible;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont};
use plotters::style::FontFamily;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, FontStyle};

use super::sheet::{Anchor, Text};

/// What an SVG asks its viewer for; the first is the font inside the program.
const FAMILY: &str = "Noto Sans, Open Sans, Segoe UI, Helvetica, Arial, sans-serif";

/// Plotters' SVG backend divides every size by this.
const SVG_SHRINKS_BY: f64 = 1.24;

/// Half the height of the small letters, in em.
const HALF_X_HEIGHT: f32 = 0.268;

static REGULAR: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(notosans::REGULAR_TTF).ok());
static BOLD: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| FontRef::try_from_slice(notosans::BOLD_TTF).ok());

/// Makes the font known to plotters under the name `sans-serif`, for charts that plotters lays out itself.
///
/// # Errors
/// If plotters cannot read the font.
pub fn register() -> Result<(), String> {
    let fonts = [(FontStyle::Normal, notosans::REGULAR_TTF), (FontStyle::Bold, notosans::BOLD_TTF)];
    let register = |(style, bytes)| plotters::style::register_font("sans-serif", style, bytes);
    fonts.into_iter().try_for_each(register).map_err(|_| "the font inside the program is broken".to_owned())
}

/// How many pixels wide a text is; see [`fits`] for texts of any length.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a few thousand pixels at most")]
pub fn width(text: &str, size: i32, bold: bool) -> i32 {
    let (_, advance) = place(text, size, bold);
    advance.ceil() as i32
}

/// The text, shortened in the middle if it is wider than `most` pixels; the end of a name tells instances apart.
#[must_use]
pub fn fit(text: &str, size: i32, bold: bool, most: i32) -> String {
    if fits(text, size, bold, most) {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let shortened = |keep: usize| {
        let tail = (keep / 3).min(6);
        let head: String = letters[..keep - tail].iter().collect();
        let tail: String = letters[letters.len() - tail..].iter().collect();
        format!("{head}…{tail}")
    };
    // Halving: a name may have ten thousand letters, and none that is wide is narrower than a pixel.
    let (mut fitting, mut too_many) = (0, letters.len().min(2 * usize::try_from(most).unwrap_or(0) + 2));
    while too_many - fitting > 1 {
        let keep = usize::midpoint(fitting, too_many);
        if fits(&shortened(keep), size, bold, most) { fitting = keep } else { too_many = keep }
    }
    if fitting == 0 { String::new() } else { shortened(fitting) }
}

/// Is the text no wider than so many pixels? Costs no more than what fits.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a few thousand pixels at most")]
pub fn fits(text: &str, size: i32, bold: bool, most: i32) -> bool {
    let mut within = true;
    walk(text, size, bold, |_, end| {
        within = end.ceil() <= most as f32;
        within
    });
    within
}

/// The text in lines no longer than `most` pixels, broken at spaces; after `lines` lines the last one is cut.
pub fn wrap(text: &str, size: i32, bold: bool, most: i32, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    // Some spaces are there to keep words together.
    for word in text.split(|c: char| c.is_whitespace() && c != '\u{a0}').filter(|word| !word.is_empty()) {
        match wrapped.last_mut() {
            Some(line) if fits(&format!("{line} {word}"), size, bold, most) => *line = format!("{line} {word}"),
            _ => wrapped.push(fit(word, size, bold, most)),
        }
    }
    if wrapped.len() > lines {
        let rest = wrapped.split_off(lines - 1).join(" ");
        wrapped.push(fit(&rest, size, bold, most));
    }
    wrapped
}

/// The letters at their places on a base line that starts at 0, and where the next one would stand.
fn place(text: &str, size: i32, bold: bool) -> (Vec<Glyph>, f32) {
    let (mut glyphs, mut end) = (Vec::with_capacity(text.len()), 0.0);
    walk(text, size, bold, |glyph, after| {
        glyphs.push(glyph);
        end = after;
        true
    });
    (glyphs, end)
}

/// Visits the letters, each with its place and where the next would stand, until `visit` has had enough.
#[expect(clippy::cast_precision_loss, reason = "sizes are small")]
fn walk(text: &str, size: i32, bold: bool, mut visit: impl FnMut(Glyph, f32) -> bool) {
    let Some(face) = (if bold { BOLD.as_ref() } else { REGULAR.as_ref() }) else { return };
    let em = face.units_per_em().unwrap_or(1000.0);
    let font = face.as_scaled(PxScale::from(size as f32 * face.height_unscaled() / em));
    let (mut x, mut last) = (0.0, None);
    let mut spelled_before = false;
    for letter in text.chars() {
        let spelled = spelled(face, letter);
        if spelled.is_some() && spelled_before {
            x += size as f32 * BETWEEN_SPELLED;
        }
        spelled_before = spelled.is_some();
        let (number, own) = (spelled.unwrap_or_default(), [letter]);
        let letters = number.chars().chain(own.into_iter().filter(|_| !spelled_before));
        for letter in letters {
            let mut glyph = font.scaled_glyph(letter);
            x += last.map_or(0.0, |last| font.kern(last, glyph.id));
            glyph.position.x = x;
            x += font.h_advance(glyph.id);
            last = Some(glyph.id);
            if !visit(glyph, x) {
                return;
            }
        }
    }
}

/// Between two letters that are written by their numbers, in em.
const BETWEEN_SPELLED: f32 = 0.15;

/// The number of a letter that the font does not have, `U+65E5`: an empty box would tell nobody anything. The viewer of an
/// SVG has fonts of its own, and is given the letter itself.
fn spelled(face: &FontRef<'_>, letter: char) -> Option<String> {
    (face.glyph_id(letter).0 == 0).then(|| format!("U+{:04X}", u32::from(letter)))
}

/// A text as plotters' backends take it.
pub(super) struct Lettering<'a> {
    pub(super) text: &'a Text,
    /// Bitmap pixels per pixel of the sheet.
    pub(super) scale: i32,
}

impl BackendTextStyle for Lettering<'_> {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        let colour = self.text.colour;
        BackendColor { alpha: 1.0, rgb: (colour.0, colour.1, colour.2) }
    }

    fn size(&self) -> f64 {
        f64::from(self.text.size) * SVG_SHRINKS_BY
    }

    fn style(&self) -> FontStyle {
        if self.text.bold { FontStyle::Bold } else { FontStyle::Normal }
    }

    fn anchor(&self) -> Pos {
        let horizontal = match self.text.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        Pos::new(horizontal, VPos::Center)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILY)
    }

    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        // Without height, so that plotters leaves the vertical place alone: `draw` puts the base line right.
        Ok(((0, 0), (width(text, self.text.size * self.scale, self.text.bold), 0)))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "pixels of a picture")]
    #[expect(clippy::cast_precision_loss, reason = "sizes are small")]
    fn draw<E, DrawFunc: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        (left, middle): BackendCoord,
        mut draw: DrawFunc,
    ) -> Result<Result<(), E>, Infallible> {
        let size = self.text.size * self.scale;
        let Some(font) = (if self.text.bold { BOLD.as_ref() } else { REGULAR.as_ref() }) else { return Ok(Ok(())) };
        let base = middle + (size as f32 * HALF_X_HEIGHT).round() as i32;
        let (glyphs, _) = place(text, size, self.text.bold);
        for outlined in glyphs.into_iter().filter_map(|glyph| font.outline_glyph(glyph)) {
            let bounds = outlined.px_bounds();
            let (x0, y0) = (left + bounds.min.x as i32, base + bounds.min.y as i32);
            let mut result = Ok(());
            outlined.draw(|x, y, coverage| {
                if result.is_ok() && coverage > 0.0 {
                    let alpha = f64::from(coverage.min(1.0));
                    result = draw(x0 + x as i32, y0 + y as i32, BackendColor { alpha, ..self.color() });
                }
            });
            if result.is_err() {
                return Ok(result);
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_there_and_has_the_letters_of_pictures() {
        assert_eq!(register(), Ok(()));
        for font in [REGULAR.as_ref().unwrap(), BOLD.as_ref().unwrap()] {
            for letter in "aZ09…·µ×-#%ÄéЖΩ".chars() {
                assert!(font.glyph_id(letter).0 != 0, "{letter}");
            }
        }
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_written_by_its_number() {
        assert_eq!(width("日", 15, false), width("U+65E5", 15, false));
        assert!(width("日本", 15, false) > width("U+65E5U+672C", 15, false));
        assert_eq!(place("日", 15, false).0.len(), 6);
    }

    #[test]
    fn texts_of_any_length_are_soon_fitted() {
        let long = "a long name ".repeat(100_000);
        let started = std::time::Instant::now();
        let text = fit(&long, 15, false, 300);
        assert!(fits(&text, 15, false, 300) && !fits(&text, 15, false, 270), "{text}");
        assert!(
            wrap(&long, 15, false, 300, 3).len() == 3 && wrap(&long.replace(' ', "-"), 15, false, 300, 3).len() == 1
        );
        assert!(started.elapsed().as_secs() < 60, "it was quadratic once, and then this takes hours");
    }

    #[test]
    fn long_names_keep_both_ends() {
        let text = fit("an-exceedingly-long-name#17", 15, false, 120);
        assert!(text.starts_with("an-") && text.contains('…') && text.ends_with("#17"), "{text}");
        assert!(width(&text, 15, false) <= 120);
        assert_eq!(fit("short", 15, false, 120), "short");
        assert_eq!(fit("short", 15, false, 0), "");
    }
}
