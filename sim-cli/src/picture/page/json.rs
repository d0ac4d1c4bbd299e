//! JSON, written piece by piece, so that it can stand inside an HTML document.

use std::io::{self, Write};

/// Writes JSON so that nothing in it ends the element it is in. What is escaped occurs in texts alone.
pub(super) struct Escaping<'a>(pub(super) &'a mut dyn Write);

impl Write for Escaping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| b"<>&".contains(byte)) {
            match part.split_last() {
                Some((last @ (b'<' | b'>' | b'&'), before)) => {
                    self.0.write_all(before)?;
                    write!(self.0, "\\u{:04x}", last)?;
                }
                _ => self.0.write_all(part)?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The members of an object or a list in the making.
pub(super) struct Json<'a> {
    out: &'a mut dyn Write,
    first: bool,
    end: &'static str,
}

impl<'a> Json<'a> {
    /// Begins an object.
    pub(super) fn object(out: &'a mut dyn Write) -> io::Result<Json<'a>> {
        out.write_all(b"{")?;
        Ok(Json { out, first: true, end: "}" })
    }

    /// Begins a list.
    pub(super) fn list(out: &'a mut dyn Write) -> io::Result<Json<'a>> {
        out.write_all(b"[")?;
        Ok(Json { out, first: true, end: "]" })
    }

    /// The place of the next member of a list.
    pub(super) fn next(&mut self) -> io::Result<&mut dyn Write> {
        if !std::mem::replace(&mut self.first, false) {
            self.out.write_all(b",")?;
        }
        Ok(&mut *self.out)
    }

    /// The place of the member of an object that has this name.
    pub(super) fn at(&mut self, name: &str) -> io::Result<&mut dyn Write> {
        let out = self.next()?;
        write!(out, "\"{name}\":")?;
        Ok(out)
    }

    /// A member of an object that is made already.
    pub(super) fn set(&mut self, name: &str, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(self.at(name)?, value).map_err(io::Error::from)
    }

    /// A number in a list.
    pub(super) fn number(&mut self, number: u64) -> io::Result<()> {
        write!(self.next()?, "{number}")
    }

    /// Ends it.
    pub(super) fn end(self) -> io::Result<()> {
        self.out.write_all(self.end.as_bytes())
    }
}
