//! A picture as a page for a browser: one file, which needs no network.
//!
//! Rows, colours and words are those of the other pictures (`layout`); what a browser adds is that it zooms, tells what
//! is under the pointer and why, and follows a task. The page is a skeleton, one style sheet, one script, and the data as
//! JSON. Names come from files that somebody else may have written: as JSON no text can end its element, the script shows texts
//! as texts alone, and a policy in the page allows this script and this style sheet, by their hashes, and nothing from anywhere.

mod data;
mod figures;
mod json;
mod palette;

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use self::json::Escaping;
use super::Picture;
use crate::letters::visible;

/// What the names of pages end in.
pub const EXTENSION: &str = "html";

/// The style sheet.
const STYLE: &str = include_str!("page/page.css");
/// The script, in the order in which its parts need each other.
const SCRIPT: [&str; 6] = [
    include_str!("page/words.js"),
    include_str!("page/data.js"),
    include_str!("page/draw.js"),
    include_str!("page/view.js"),
    include_str!("page/told.js"),
    include_str!("page/page.js"),
];
/// What is in the body before the data.
const BODY: &str = include_str!("page/body.html");

/// Writes the page.
///
/// # Errors
/// Those of the writer.
pub fn write(picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    let script = script();
    let title = escape(&picture.title);
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(STYLE)
    );
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1 id=\"title\">{title}</h1>")?;
    out.write_all(BODY.as_bytes())?;
    write!(out, "<script type=\"application/json\" id=\"data\">")?;
    data::write(picture, &mut Escaping(out))?;
    writeln!(out, "</script>\n<script>{script}</script>\n</body>\n</html>")
}

/// The whole script, in a scope of its own.
fn script() -> String {
    format!("\"use strict\";\n{{\n{}}}\n", SCRIPT.concat())
}

/// A text inside an HTML document.
fn escape(text: &str) -> String {
    let text = visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// The hash by which a policy allows an element with this text, in Base64.
fn hash(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let bits = (0..3).fold(0, |bits, index| bits << 8 | u32::from(bytes.get(index).copied().unwrap_or(0)));
        let letter = move |place: usize| match place <= bytes.len() {
            true => char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]),
            false => '=',
        };
        (0..4).map(letter).collect::<String>()
    };
    Sha256::digest(text.as_bytes()).chunks(3).map(group).collect()
}

#[cfg(test)]
mod tests;
