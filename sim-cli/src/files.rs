//! The files that commands write: looked at before the work, and replaced when they are complete.
//!
//! As compilers do, a command overwrites what stands under the name that it was given. But it writes beside and renames:
//! on a full disk the old file stays as it was, and of a command that is killed no half of a file is left. What is no file
//! (a pipe, a device) is written straight through.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, OFlags, linkat};
use tempfile::NamedTempFile;

/// What the names of files begin with that are about to replace another.
const PREFIX: &str = ".sim-";

/// Where the system has the files that a program has open: a way to name one that has no name.
const OPEN_FILES: &str = "/proc/self/fd";

/// Learns before long work that a file could not be written after it. `inputs` are the files that the command reads:
/// none of them is ever overwritten.
///
/// # Errors
/// A sentence for people: the folder is missing or closed, the name is that of a folder or of an input.
pub fn check(path: &Path, inputs: &[PathBuf]) -> Result<(), String> {
    let refuse = |why: &dyn std::fmt::Display| Err(format!("cannot write {}: {why}", path.display()));
    refuse_dash(path)?;
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

/// Refuses `-`, which is standard output elsewhere: what a command writes into files has names.
///
/// # Errors
/// A sentence for people that says what to write instead.
pub fn refuse_dash(path: &Path) -> Result<(), String> {
    if path.as_os_str() == "-" {
        return Err(
            "cannot write -: outputs have names, and `-` is none\nhint: name it; where one file is written, /dev/stdout is standard output"
                .to_owned(),
        );
    }
    Ok(())
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
            file.takes_the_place_of(&target).map_err(complain)
        }
        Err(error) if existing.is_some() && error.kind() == ErrorKind::PermissionDenied => {
            File::create(&target).and_then(|mut file| fill(&mut file)).map_err(complain)
        }
        Err(error) => Err(complain(error)),
    }
}

/// Is it the name of a file that was about to replace another when something killed the program?
#[must_use]
pub fn is_left_over(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
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

/// A file that is to take the place of another.
enum Beside {
    /// It has no name yet, so that it goes with the program, whatever ends that.
    Unnamed(File),
    /// Where the file system has no such files: it has a name of its own, and goes unless something kills the program.
    Named(NamedTempFile),
}

impl Beside {
    fn as_file_mut(&mut self) -> &mut File {
        match self {
            Beside::Unnamed(file) => file,
            Beside::Named(file) => file.as_file_mut(),
        }
    }

    /// It is complete, and has this name from now on.
    fn takes_the_place_of(self, target: &Path) -> io::Result<()> {
        match self {
            Beside::Named(file) => file.persist(target).map(drop).map_err(|error| error.error),
            Beside::Unnamed(file) => {
                let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
                let link = |path: &Path| Ok(linkat(CWD, &open, CWD, path, AtFlags::SYMLINK_FOLLOW)?);
                if !target.exists() && link(target).is_ok() {
                    return Ok(());
                }
                // A name cannot be taken from another file: it gets one of its own first.
                let named = tempfile::Builder::new().prefix(PREFIX).make_in(folder_of(target), link)?;
                named.persist(target).map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// A file in the folder of this one, which goes again unless it takes its place; readable for whom the other was.
fn beside(path: &Path, existing: Option<&Metadata>) -> io::Result<Beside> {
    let (folder, anybody) = (folder_of(path), Permissions::from_mode(0o666));
    let named = || tempfile::Builder::new().prefix(PREFIX).permissions(anybody).tempfile_in(folder).map(Beside::Named);
    let mut file = unnamed(folder).map_or_else(named, |file| Ok(Beside::Unnamed(file)))?;
    if let Some(existing) = existing {
        file.as_file_mut().set_permissions(existing.permissions())?;
    }
    Ok(file)
}

/// A file on the file system of a folder that is in no folder, if there can be one.
fn unnamed(folder: &Path) -> Option<File> {
    let can_be_named = Path::new(OPEN_FILES).is_dir();
    let flags = OFlags::TMPFILE.bits().cast_signed();
    let open = || OpenOptions::new().write(true).mode(0o666).custom_flags(flags).open(folder).ok();
    can_be_named.then(open)?
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
    fn a_file_that_is_not_complete_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        // Not every file system has files without names.
        let can_be_hidden = unnamed(folder.path()).is_some();
        let names = || fs::read_dir(folder.path()).unwrap().map(|found| found.unwrap().file_name()).collect::<Vec<_>>();
        for (text, before) in [("new", [].as_slice()), ("newer", &["a.svg"])] {
            let content = |out: &mut dyn Write| {
                out.write_all(text.as_bytes())?;
                // Whoever kills the program now leaves this.
                assert_eq!(names() == before, can_be_hidden);
                Ok(())
            };
            write_with(&folder.path().join("a.svg"), content).unwrap();
            assert_eq!(names(), ["a.svg"]);
            assert_eq!(fs::read(folder.path().join("a.svg")).unwrap(), text.as_bytes());
        }
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
        assert!(check(Path::new("-"), &[]).unwrap_err().contains("/dev/stdout"));
        check(Path::new("./-"), &[]).unwrap();
        // Nobody, not even root, makes a file there.
        for said in [check(Path::new("/proc/x.svg"), &[]), write(Path::new("/proc/x.svg"), b"")] {
            let said = said.unwrap_err();
            assert!(said.starts_with("cannot write /proc/x.svg: ") && !said.contains(".sim-"), "{said}");
        }
        check(&folder.path().join("y.svg"), &inputs).unwrap();
        assert!(!folder.path().join("y.svg").exists(), "to look leaves nothing behind");
    }
}
