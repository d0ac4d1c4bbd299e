//! Everything that prints. Data goes to standard output, talk to standard error, colours only to a terminal.
use std::io::{self, IsTerminal as _, Write as _};

/// Writes data to standard output. A reader that has gone away (`| head`) is not an error: what remains is for nobody, and
/// the program ends with the exit code that it would have had.
pub fn data(text: &str) {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            talk(&format!("sim: cannot write to standard output: {error}"));
            std::process::exit(2);
        }
        _ => {}
    }
}

/// Says something to the person at the terminal. Where nobody listens (a closed standard error, a full disk) it is lost:
/// the exit code says what matters.
pub fn talk(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// Does a person see what is said on standard error?
#[must_use]
pub fn talks_to_a_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes a line over the one on which the cursor stands in the terminal of standard error; an empty one clears it. The
/// cursor stays on it.
pub fn line(text: &str) {
    let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
    let text = crate::letters::cut(text, width.saturating_sub(1));
    // Spaces instead of an escape: any terminal understands them.
    let spaces = " ".repeat(width.saturating_sub(1 + crate::letters::width(&text)));
    let mut err = io::stderr().lock();
    // Nobody misses a line of progress that could not be written.
    let _ = write!(err, "\r{text}{spaces}\r{text}").and_then(|()| err.flush());
}

/// Prints a value as JSON: indented for a person at a terminal, on one line for a program.
pub fn json(value: &impl serde::Serialize) {
    let text =
        if io::stdout().is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    match text {
        Ok(text) => data(&(text + "\n")),
        Err(error) => talk(&format!("sim: cannot write JSON: {error}")),
    }
}

/// What the terminal at standard output can show.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Columns.
    pub width: usize,
    /// Does it show colours?
    pub colours: bool,
}

impl Terminal {
    /// The terminal at standard output; 100 columns without colours if it is none.
    #[must_use]
    pub fn present() -> Terminal {
        let is_terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        let colours = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Terminal { width: if is_terminal { width.clamp(40, 400) } else { 100 }, colours }
    }

    /// The text, emphasised where the terminal can.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        if self.colours { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}
