//! Everything that prints. Data goes to standard output, talk to standard error, colours only to a terminal.
use std::io::{self, IsTerminal as _, Write as _};

use crate::letters;

/// Writes data to standard output. A reader that has gone away (`| head`) is not an error: what remains is for nobody, and
/// the program ends with the exit code that it would have had.
pub fn data(text: &str) {
    let mut out = io::stdout().lock();
    end_if_lost(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn end_if_lost(written: io::Result<()>) {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            talk(&format!("sim: cannot write to standard output: {error}"));
            std::process::exit(2);
        }
        _ => {}
    }
}

/// Says something to the person at the terminal. Where nobody listens (a closed standard error, a full disk) it is lost:
/// the exit code says what matters. Names in it may come from a file, and a terminal does not obey those.
pub fn talk(text: &str) {
    let text = letters::visible_lines(text.trim_end());
    let text = most_columns_of_talk().map_or_else(|| text.clone(), |columns| wrapped_lines(&text, columns));
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn wrapped_lines(text: &str, columns: usize) -> String {
    let line = |line: &str| letters::wrapped(&letters::glued(line), columns);
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Columns that no line of talk exceeds, if somebody looks at them.
#[must_use]
pub fn most_columns_of_talk() -> Option<usize> {
    Terminal::of(size_of_talk(), talks_to_a_terminal(), variable).most_columns
}

fn size_of_talk() -> Option<usize> {
    terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0))
}

/// Does a person see what is said on standard error?
#[must_use]
pub fn talks_to_a_terminal() -> bool {
    io::stderr().is_terminal()
}

/// How many columns the terminal of standard error has; where it does not know, what `COLUMNS` says.
#[must_use]
pub fn columns_of_talk() -> usize {
    size_of_talk().or_else(|| variable("COLUMNS")?.parse().ok()).unwrap_or(80)
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

/// Writes a line over the one on which the cursor stands in the terminal of standard error, `over` so many columns that were
/// written before. The cursor stays on it; an empty line leaves it at the beginning.
pub fn line(text: &str, over: usize) {
    // Spaces instead of an escape: any terminal understands them.
    let spaces = " ".repeat(over.saturating_sub(letters::width(text)));
    let back = if text.is_empty() { "\r" } else { "" };
    let mut err = io::stderr().lock();
    // Nobody misses a line of progress that could not be written.
    let _ = write!(err, "\r{text}{spaces}{back}").and_then(|()| err.flush());
}

/// Prints a value as JSON: indented for a person at a terminal, on one line for a program.
pub fn json(value: &impl serde::Serialize) {
    let pretty = is_read_by_a_person();
    // Written piece by piece: as one text it can take as much memory as the value.
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written =
        if pretty { serde_json::to_writer_pretty(&mut out, value) } else { serde_json::to_writer(&mut out, value) };
    end_if_lost(written.map_err(io::Error::from).and_then(|()| writeln!(out)).and_then(|()| out.flush()));
}

/// Prints a value, which is JSON already, as one line, whoever reads it.
pub fn json_line(value: &str) {
    data(&format!("{value}\n"));
}

/// Is standard output a terminal?
#[must_use]
pub fn is_read_by_a_person() -> bool {
    io::stdout().is_terminal()
}

/// What the terminal at standard output can show.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Columns.
    pub width: usize,
    /// Columns that no table exceeds; `None` where nobody looks at columns, in a file or a pipe.
    pub most_columns: Option<usize>,
    /// Does it show colours?
    pub colours: bool,
}

impl Terminal {
    /// The terminal at standard output; 100 columns without colours if it is none. `COLUMNS` says how many there are, in
    /// a file or a pipe too.
    #[must_use]
    pub fn present() -> Terminal {
        let size = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let is_terminal = io::stdout().is_terminal();
        Terminal::of(size.filter(|_| is_terminal), is_terminal, variable)
    }

    /// The terminal of this size, if it is one, in this environment.
    fn of(size: Option<usize>, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Terminal {
        let asked = variable("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
        let columns = asked.or(size).map(|columns: usize| columns.clamp(40, 400));
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|terminal| terminal == "dumb");
        let colours = is_terminal && !is_set("NO_COLOR") && !dumb;
        Terminal { width: columns.unwrap_or(100), most_columns: columns, colours }
    }

    /// So many columns without colours; tables are as wide as they need to be.
    #[must_use]
    pub const fn plain(width: usize) -> Terminal {
        Terminal { width, most_columns: None, colours: false }
    }

    /// The text with its lines broken at spaces where somebody looks at columns and there are not enough of them.
    #[must_use]
    pub fn wrapped(&self, text: &str) -> String {
        self.most_columns.map_or_else(|| text.to_owned(), |columns| wrapped_lines(text, columns))
    }

    /// The text, emphasised where the terminal can.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        if self.colours { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_what_a_terminal_shows() {
        let seen = |size, is_terminal, set: &[(&str, &str)]| {
            let variable =
                |name: &str| set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
            let Terminal { width, most_columns, colours } = Terminal::of(size, is_terminal, variable);
            (width, most_columns, colours)
        };
        assert_eq!(seen(Some(120), true, &[("TERM", "xterm")]), (120, Some(120), true));
        assert_eq!(seen(Some(120), true, &[("TERM", "dumb")]), (120, Some(120), false));
        assert_eq!(seen(Some(120), true, &[("NO_COLOR", "1")]), (120, Some(120), false));
        assert_eq!(seen(Some(120), true, &[("NO_COLOR", ""), ("COLUMNS", "60")]), (60, Some(60), true));
        assert_eq!(seen(None, false, &[]), (100, None, false));
        assert_eq!(seen(None, false, &[("COLUMNS", "70")]), (70, Some(70), false));
        assert_eq!(seen(None, false, &[("COLUMNS", "many")]), (100, None, false));
        assert_eq!(seen(Some(3), true, &[("COLUMNS", "0")]), (40, Some(40), true));
    }
}
