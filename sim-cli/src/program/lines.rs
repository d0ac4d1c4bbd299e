//! A program text, line by line, with its indentation.

/// Lines of a program.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    text: String,
    depth: usize,
}

/// What one level of nesting is set in by.
const INDENT: &str = "    ";

/// A line with a comment is not longer.
const COLUMNS: usize = 100;

impl Lines {
    /// None yet.
    #[must_use]
    pub fn new() -> Lines {
        Lines::default()
    }

    /// Adds a line, or several.
    pub fn line(&mut self, text: impl AsRef<str>) {
        for line in text.as_ref().split('\n') {
            if !line.is_empty() {
                self.text.push_str(&INDENT.repeat(self.depth));
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }

    /// Adds lines that stand one level deeper.
    pub fn deeper(&mut self, write: impl FnOnce(&mut Lines)) {
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    /// None yet, which stand as deep as these.
    #[must_use]
    pub fn beside(&self) -> Lines {
        Lines { text: String::new(), depth: self.depth }
    }

    /// Adds such lines, with a comment on them that begins with this mark: on the line, if it is one and has room, or above.
    pub fn noted(&mut self, lines: &Lines, comment: &[String], mark: &str) {
        if lines.is_empty() {
            return;
        }
        let line = lines.text.strip_suffix('\n').filter(|line| !line.contains('\n'));
        if let (Some(line), [said]) = (line, comment) {
            let noted = format!("{line}{}{said}", if line.contains(mark) { "; " } else { mark });
            if crate::letters::width(&noted) <= COLUMNS {
                self.text += &noted;
                self.text.push('\n');
                return;
            }
        }
        comment.iter().for_each(|said| self.line(format!("{}{said}", mark.trim_start())));
        self.text += &lines.text;
    }

    /// How many columns those to come are set in by.
    #[must_use]
    pub fn indentation(&self) -> usize {
        INDENT.len() * self.depth
    }

    /// How many characters they have.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text.
    #[must_use]
    pub fn text(self) -> String {
        self.text
    }
}
