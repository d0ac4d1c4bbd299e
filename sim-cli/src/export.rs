//! The shelf of exporters: a timeline as a file for other programs.

mod chrome;
mod csv;

use std::io;
use std::path::Path;

use sim_core::timeline::{Cause, Left, Timeline};

/// The exporters, in the order in which they are listed.
pub static EXPORTERS: &[&Exporter] = &[&chrome::EXPORTER, &csv::EXPORTER];

/// A text as a field of comma-separated values: no formula, and in quotes if it needs them.
#[must_use]
pub fn csv_field(text: &str) -> String {
    csv::field(text)
}

/// What the shelf knows of an exporter.
#[derive(Debug)]
pub struct Exporter {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// What its files' names end in, in lower case.
    pub extension: &'static str,
    /// Writes the timeline, whose scenario has this title, piece by piece.
    pub write: fn(&Timeline, &str, &mut dyn io::Write) -> io::Result<()>,
}

/// Writes the timeline, whose scenario has this title, into a file, in the format that the extension of its name asks
/// for.
///
/// # Errors
/// A sentence for people if no exporter has that extension or the file cannot be written.
pub fn write(timeline: &Timeline, title: &str, path: &Path) -> Result<(), String> {
    let exporter = exporter_for(path)?;
    crate::files::write_with(path, |out| (exporter.write)(timeline, title, out))
}

/// The exporter that the extension of a file's name asks for. Useful before long work, to learn of a mistake early.
///
/// # Errors
/// A sentence for people that names the extensions there are.
pub fn exporter_for(path: &Path) -> Result<&'static Exporter, String> {
    let wanted = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    EXPORTERS.iter().find(|exporter| exporter.extension == wanted).copied().ok_or_else(|| {
        let known: Vec<String> =
            EXPORTERS.iter().map(|exporter| format!(".{} ({})", exporter.extension, exporter.name)).collect();
        format!("cannot tell the format of {} from its name; end it with {}", path.display(), known.join(" or "))
    })
}

/// Why a task left the processor, in one word.
fn left_name(left: Left) -> &'static str {
    match left {
        Left::Continues => "continues",
        Left::Preempted => "preempted",
        Left::Yielded => "yielded",
        Left::Blocked => "blocked",
        Left::Finished => "finished",
    }
}

/// What a task waits for, such as `device network`.
fn cause_name(timeline: &Timeline, cause: Cause) -> String {
    let cast = &timeline.cast;
    match cause {
        Cause::Device(device) => format!("device {}", cast.devices.get(device).map_or("?", |device| &device.name)),
        Cause::Sync(sync) => cast.syncs.get(sync).map_or_else(|| "?".to_owned(), ToString::to_string),
        Cause::Timer => "timer".to_owned(),
        Cause::Join => "join".to_owned(),
        Cause::After => "after".to_owned(),
        Cause::Release => "release".to_owned(),
    }
}

/// What the exporter writes.
#[cfg(test)]
fn text(exporter: &Exporter, timeline: &Timeline, title: &str) -> String {
    let mut bytes = Vec::new();
    (exporter.write)(timeline, title, &mut bytes).expect("to memory");
    String::from_utf8(bytes).expect("text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions_are_unique_and_help_is_given() {
        for (index, exporter) in EXPORTERS.iter().enumerate() {
            for other in &EXPORTERS[..index] {
                assert!(exporter.name != other.name && exporter.extension != other.extension);
            }
        }
        assert_eq!(exporter_for(Path::new("trace.JSON")).unwrap().name, "chrome");
        assert_eq!(
            exporter_for(Path::new("trace.txt")).unwrap_err(),
            "cannot tell the format of trace.txt from its name; end it with .json (chrome) or .csv (csv)"
        );
    }
}
