//! The shelf of exporters: a timeline as a file for other programs.

pub mod archive;
mod chrome;
mod csv;
mod perfetto;
mod tables;
mod waits;

use std::io;
use std::path::{Path, PathBuf};

use sim_core::timeline::{Cause, Left, Timeline};

/// The exporters, in the order in which they are listed.
pub static EXPORTERS: &[&Exporter] = &[
    &perfetto::EXPORTER,
    &chrome::EXPORTER,
    &csv::EXPORTER,
    &tables::TASKS,
    &tables::JOBS,
    &tables::INTERVALS,
    &tables::WAITS,
    #[cfg(feature = "parquet")]
    &tables::as_parquet::TASKS,
    #[cfg(feature = "parquet")]
    &tables::as_parquet::JOBS,
    #[cfg(feature = "parquet")]
    &tables::as_parquet::INTERVALS,
    #[cfg(feature = "parquet")]
    &tables::as_parquet::WAITS,
];

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

/// Writes the timeline, whose scenario has this title, into a file, in the format that the end of its name asks for.
///
/// # Errors
/// A sentence for people if no exporter has that extension or the file cannot be written.
pub fn write(timeline: &Timeline, title: &str, path: &Path) -> Result<(), String> {
    let exporter = exporter_for(path)?;
    crate::files::write_with(path, |out| (exporter.write)(timeline, title, out))
}

/// The exporter that the end of a file's name asks for: of several the one with the longest extension. Useful before long work, to learn of a mistake early.
///
/// # Errors
/// A sentence for people that names the extensions there are.
pub fn exporter_for(path: &Path) -> Result<&'static Exporter, String> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let fits = |exporter: &&&Exporter| stem(&name, exporter.extension).is_some();
    EXPORTERS.iter().filter(fits).max_by_key(|exporter| exporter.extension.len()).copied().ok_or_else(|| {
        let known: Vec<String> = EXPORTERS.iter().map(|exporter| format!(".{}", exporter.extension)).collect();
        if archive::is_archive(path) {
            return format!(
                "{} is an archive of several runs, which `sim compare` writes; end the name with {}",
                path.display(),
                known.join(" or ")
            );
        }
        format!("cannot tell the format of {} from its name; end it with {}", path.display(), known.join(" or "))
    })
}

/// What stands before an extension of a name, if it ends in that.
fn stem<'a>(name: &'a str, extension: &str) -> Option<&'a str> {
    name.strip_suffix(extension)?.strip_suffix('.').filter(|stem| !stem.is_empty())
}

/// What else is written beside `trace.json`: `trace-1.json`, `trace-2.json`, …, or `trace-measured.json`.
#[must_use]
pub fn variant_of(path: &Path, suffix: &dyn std::fmt::Display) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let written = exporter_for(path).ok().map(|exporter| exporter.extension.len());
    let extension = written.or_else(|| path.extension().map(|extension| extension.len()));
    let (stem, extension) = name.split_at(name.len() - extension.map_or(0, |letters| letters + 1));
    path.with_file_name(format!("{stem}-{suffix}{extension}"))
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
            "cannot tell the format of trace.txt from its name; end it with .pftrace or .json or .csv or .tasks.csv or .jobs.csv or \
             .intervals.csv or .waits.csv"
        );
        assert_eq!(exporter_for(Path::new("x/Run.Waits.CSV")).unwrap().name, "waits-csv");
        assert_eq!(exporter_for(Path::new("x/waits.csv")).unwrap().name, "csv");
        let archive = exporter_for(Path::new("both.zip")).unwrap_err();
        assert!(archive.starts_with("both.zip is an archive of several runs, which `sim compare` writes"), "{archive}");
    }
}
