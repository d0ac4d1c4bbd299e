//! Several timelines on one axis: an archive of traces with a manifest, which Perfetto opens as one trace of several machines.
//!
//! The manifest is that of Perfetto's releases from 58 on (`docs/reference/perfetto-manifest.md`). Members are compressed
//! inside already, so the archive stores them as they are.

use std::io::{self, Write as _};
use std::path::Path;

use serde_json::json;
use sim_core::timeline::Timeline;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::perfetto;

/// What names of archives end in.
pub const EXTENSION: &str = "zip";

/// Does the name of the file ask for an archive?
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION))
}

/// Writes timelines, each with the name of the machine that it is shown as, of a scenario with this title.
///
/// # Errors
/// A sentence for people if the file cannot be written.
pub fn write(machines: &[(&str, &Timeline)], title: &str, path: &Path) -> Result<(), String> {
    crate::files::write_with(path, |out| fill(machines, title, out))
}

fn fill(machines: &[(&str, &Timeline)], title: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let stored = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new_stream(out);
    archive.start_file("perfetto_manifest.json", stored)?;
    archive.write_all(manifest(machines, title).as_bytes())?;
    for (machine, timeline) in machines {
        archive.start_file(member(machine), stored)?;
        (perfetto::EXPORTER.write)(timeline, title, &mut archive)?;
    }
    archive.finish()?;
    Ok(())
}

fn member(machine: &str) -> String {
    format!("{machine}.{}", perfetto::EXPORTER.extension)
}

/// Readers tell it by its first letters, so it begins with its name. All traces begin at zero: they need no offsets, but
/// clocks of different machines are related only if that is said.
fn manifest(machines: &[(&str, &Timeline)], title: &str) -> String {
    let first = machines.first().map(|(machine, _)| member(machine)).unwrap_or_default();
    let file = |(machine, _): &(&str, &Timeline)| {
        let path = member(machine);
        let clocks = json!({ "clock": "BOOTTIME", "sync_to": { "file": first, "clock": "BOOTTIME" }, "offset_ns": 0 });
        match path == first {
            true => json!({ "path": path, "machine": { "name": machine } }),
            false => json!({ "path": path, "machine": { "name": machine }, "clocks": clocks }),
        }
    };
    let files: Vec<_> = machines.iter().map(file).collect();
    let trace_time = json!({ "clock": "BOOTTIME", "file": first });
    let attributes = json!({ "sim.title": title });
    json!({ "perfetto_manifest": { "version": 1, "trace_time": trace_time, "files": files, "attributes": attributes } })
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;
    use crate::testing;

    #[test]
    fn an_archive_has_a_manifest_and_a_trace_for_each_machine() {
        let timeline = testing::downloads();
        let mut bytes = Vec::new();
        fill(&[("simulated", &timeline), ("measured", &timeline)], "An \"example\"", &mut bytes).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["perfetto_manifest.json", "simulated.pftrace", "measured.pftrace"]);
        let mut manifest = String::new();
        archive.by_index(0).unwrap().read_to_string(&mut manifest).unwrap();
        assert!(manifest.starts_with("{\"perfetto_manifest\""), "{manifest}");
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let files = &manifest["perfetto_manifest"]["files"];
        assert_eq!(files[0]["machine"]["name"], "simulated");
        assert_eq!(files[1]["clocks"]["sync_to"]["file"], "simulated.pftrace");
        assert_eq!(manifest["perfetto_manifest"]["attributes"]["sim.title"], "An \"example\"");
        let mut trace = Vec::new();
        archive.by_index(2).unwrap().read_to_end(&mut trace).unwrap();
        let mut alone = Vec::new();
        (perfetto::EXPORTER.write)(&timeline, "", &mut alone).unwrap();
        assert_eq!(trace, alone);
    }
}
