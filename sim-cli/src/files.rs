//! The files that commands write: looked at before the work, and replaced when they are complete.
//!
//! As compilers do, a command overwrites what stands under the name that it was given. But it writes beside and renames:
//! on a full disk the old file stays as it was. What is no file (a pipe, a device) is written straight through.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Learns before long work that a file could not be written after it. `inputs` are the files that the command reads:
/// none of them is ever overwritten.
///
/// # Errors
/// A sentence for people: the folder is missing or closed, the name is that of a folder or of an input.
pub fn check(path: &Path, inputs: &[PathBuf]) -> Result<(), String> {
    let refuse = |why: &dyn std::fmt::Display| Err(format!("cannot write {}: {why}", path.display()));
    let existing = fs::metadata(path).ok();
    if let Some(existing) = &existing {
        if existing.is_dir() {
            return refuse(&"it is a folder");
        }
        if inputs.iter().any(|input| fs::metadata(input).is_ok_and(|input| is_same(&input, existing))) {
            return refuse(&"it is the scenario itself");
        }
    }
    if goes_straight(path, existing.as_ref()) {
        return Ok(());
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return refuse(&format_args!("there is no folder {}", folder.display()));
    }
    match beside(path, existing.as_ref()) {
        Ok(_) => Ok(()),
        Err(error) => match existing.map(|_| OpenOptions::new().append(true).open(path)) {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => refuse(&error),
            None => refuse(&plainly(&error)),
        },
    }
}

/// [`write_with`] for what is in memory.
///
/// # Errors
/// A sentence for people. What stood under the name stands there still.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    write_with(path, |out| out.write_all(bytes))
}

/// Writes a file, whole or not at all, piece by piece. In a folder that takes no new files, one that is there is written in
/// its place.
///
/// # Errors
/// A sentence for people. What stood under the name stands there still.
pub fn write_with(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    let complain = |error: io::Error| format!("cannot write {}: {}", path.display(), plainly(&error));
    let existing = fs::metadata(path).ok();
    let fill = |file: &mut dyn Write| {
        let mut out = BufWriter::new(file);
        content(&mut out)?;
        out.flush()
    };
    if goes_straight(path, existing.as_ref()) {
        return File::create(path).and_then(|mut file| fill(&mut file)).map_err(complain);
    }
    // A link stays a link: what it leads to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match beside(&target, existing.as_ref()) {
        Ok(mut file) => {
            fill(file.as_file_mut()).map_err(complain)?;
            file.persist(&target).map(drop).map_err(|error| complain(error.error))
        }
        Err(error) if existing.is_some() && error.kind() == ErrorKind::PermissionDenied => {
            File::create(&target).and_then(|mut file| fill(&mut file)).map_err(complain)
        }
        Err(error) => Err(complain(error)),
    }
}

/// Is there no file to put another in the place of? A pipe, a device, a link to something that is not there yet.
fn goes_straight(path: &Path, existing: Option<&Metadata>) -> bool {
    let is_link = || fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let is_opened_by_shell = path.starts_with("/dev") || path.starts_with("/proc");
    existing.map_or_else(is_link, |existing| !existing.is_file() || is_opened_by_shell)
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file in the folder of this one, which goes again unless it takes its place; readable for whom the other was.
fn beside(path: &Path, existing: Option<&Metadata>) -> std::io::Result<NamedTempFile> {
    let anybody = Permissions::from_mode(0o666);
    let file = tempfile::Builder::new().prefix(".sim-").permissions(anybody).tempfile_in(folder_of(path))?;
    if let Some(existing) = existing {
        file.as_file().set_permissions(existing.permissions())?;
    }
    Ok(file)
}

/// The error without the name of a file beside, for which nobody asked: `tempfile` adds it in its words only.
fn plainly(error: &io::Error) -> String {
    let said = error.to_string();
    said.split_once(" at path ").map_or_else(|| said.clone(), |(why, _)| why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.svg"), folder.path().join("link.svg"));
        write(&file, b"old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
    }

    #[test]
    fn a_link_to_nothing_yet_makes_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.svg"), folder.path().join("link.svg"));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        check(&link, &[]).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        let scenario = folder.path().join("x.svg");
        fs::write(&scenario, b"the scenario").unwrap();
        let linked = folder.path().join("linked.svg");
        fs::hard_link(&scenario, &linked).unwrap();
        let inputs = [scenario.clone()];
        for path in [&scenario, &linked] {
            assert!(check(path, &inputs).unwrap_err().ends_with("it is the scenario itself"));
        }
        assert!(check(folder.path(), &[]).unwrap_err().ends_with("it is a folder"));
        assert!(check(&folder.path().join("no/x.svg"), &[]).unwrap_err().contains("there is no folder"));
        check(Path::new("/dev/null"), &[]).unwrap();
        // Nobody, not even root, makes a file there.
        for said in [check(Path::new("/proc/x.svg"), &[]), write(Path::new("/proc/x.svg"), b"")] {
            let said = said.unwrap_err();
            assert!(said.starts_with("cannot write /proc/x.svg: ") && !said.contains(".sim-"), "{said}");
        }
        check(&folder.path().join("y.svg"), &inputs).unwrap();
        assert!(!folder.path().join("y.svg").exists(), "to look leaves nothing behind");
    }
}
