//! A directory of results: grown line by line, whole at every moment, and nobody else's.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::line::{Difference, Header};
use crate::files;

/// The file of results.
pub const RESULTS: &str = "results.jsonl";
/// The experiment as it was.
pub const EXPERIMENT: &str = "experiment.toml";
/// The scenario as it was.
pub const SCENARIO: &str = "scenario.toml";
/// Who has this file locked works in the directory.
const LOCK: &str = ".lock";

/// Lines wait no longer than this until they are on the disk.
const PACE: Duration = Duration::from_millis(500);

/// A directory that is being filled. Nobody else fills it meanwhile.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    out: BufWriter<File>,
    synced: Instant,
    /// Is anything written that may not be on the disk?
    dirty: bool,
    _lock: File,
}

/// What was there when a directory was opened.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// Was the last line cut off? It is gone.
    pub torn: bool,
    /// The first line, if there was one.
    pub header: Option<Header>,
}

/// The name of a profile beside the results; they are counted from 1.
#[must_use]
pub fn profile(number: usize) -> String {
    format!("profile-{number}.toml")
}

/// Why the lines of a file cannot be taken, with its place.
#[must_use]
pub fn at(folder: &Path, line: usize, why: &str) -> String {
    let hint = match line {
        1 => "it says of what the others are; bring the file back as it was, or remove the folder and begin anew",
        _ => "nothing is computed with it; remove this line, and the same command computes its run again",
    };
    format!("{}:{line}: {why}\nhint: {hint}", folder.join(RESULTS).display())
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

/// What a directory holds: its header, and each line, which `take` gets with the header. Nothing is changed.
///
/// # Errors
/// A sentence that names the line: one that is damaged, or that `take` refuses.
pub fn read(folder: &Path, mut take: impl FnMut(&Header, &str) -> Result<(), String>) -> Result<Found, String> {
    let path = folder.join(RESULTS);
    let file = File::open(&path).map_err(|error| cannot("read", &path, &error))?;
    let mut lines = BufReader::new(file);
    let (mut number, mut text, mut found) = (0, Vec::new(), Found::default());
    loop {
        text.clear();
        let length = lines.read_until(b'\n', &mut text).map_err(|error| cannot("read", &path, &error))?;
        if length == 0 {
            return Ok(found);
        }
        number += 1;
        if text.pop_if(|last| *last == b'\n').is_none() {
            found.torn = true;
            return Ok(found);
        }
        let refuse = |why: String| at(folder, number, &why);
        let line = std::str::from_utf8(&text).map_err(|_| refuse("it is damaged: it is no text".to_owned()))?;
        match &found.header {
            None => found.header = Some(Header::read(line).map_err(refuse)?),
            Some(header) => take(header, line).map_err(refuse)?,
        }
    }
}

impl Store {
    /// Opens a directory, which is made if there is none, for the results of what the header says. `files` are written into
    /// it unless there are results: names and contents. Each line that is there goes to `take`.
    ///
    /// # Errors
    /// A sentence: somebody else works there, it holds results of something else, or a line is damaged. Nothing is changed
    /// then.
    pub fn open(
        folder: &Path,
        header: &Header,
        files: &[(String, &str)],
        mut take: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(Store, Found), String> {
        is_ours(folder, header, files)?;
        fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))?;
        let lock = lock(folder)?;
        remove_left_overs(folder)?;
        let path = folder.join(RESULTS);
        let mut found = Found::default();
        if path.exists() {
            // The first line is looked at before the others: those of another experiment are no damage.
            if let Some(difference) = first(folder).and_then(|there| there.differs(header)) {
                return Err(foreign(folder, &difference));
            }
            found = read(folder, |_, line| take(line))?;
        }
        // What went in stands beside what comes out, whatever became of it meanwhile.
        for (name, content) in files {
            let path = folder.join(name);
            if fs::read(&path).ok().as_deref() != Some(content.as_bytes()) {
                files::write(&path, content.as_bytes())?;
            }
        }
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path);
        let mut file = file.map_err(|error| cannot("write", &path, &error))?;
        if found.torn {
            cut(&mut file).map_err(|error| cannot("write", &path, &error))?;
        }
        let (out, synced) = (BufWriter::new(file), Instant::now());
        let mut store = Store { folder: folder.to_owned(), out, synced, dirty: false, _lock: lock };
        if found.header.is_none() {
            store.add(&header.line())?;
            store.sync()?;
        }
        Ok((store, found))
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a line. It is on the disk soon.
    ///
    /// # Errors
    /// A sentence.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        self.dirty = true;
        self.out.write_all(line.as_bytes()).map_err(|error| cannot("write", &self.folder.join(RESULTS), &error))?;
        if self.synced.elapsed() >= PACE { self.sync() } else { Ok(()) }
    }

    /// Waits until all lines are on the disk.
    ///
    /// # Errors
    /// A sentence.
    pub fn sync(&mut self) -> Result<(), String> {
        if self.dirty {
            let written = self.out.flush().and_then(|()| self.out.get_ref().sync_data());
            written.map_err(|error| cannot("write", &self.folder.join(RESULTS), &error))?;
        }
        (self.dirty, self.synced) = (false, Instant::now());
        Ok(())
    }

    /// Puts the lines into the order of what `key` says of each, if they are in another.
    ///
    /// # Errors
    /// A sentence.
    pub fn put_in_order<K: Ord>(&mut self, key: impl Fn(&str) -> K) -> Result<(), String> {
        self.sync()?;
        let path = self.folder.join(RESULTS);
        let text = fs::read_to_string(&path).map_err(|error| cannot("read", &path, &error))?;
        let Some((header, rest)) = text.split_once('\n') else { return Ok(()) };
        let mut lines: Vec<(K, &str)> = rest.lines().map(|line| (key(line), line)).collect();
        if lines.is_sorted_by(|(a, _), (b, _)| a <= b) {
            return Ok(());
        }
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        files::write_with(&path, |out| {
            writeln!(out, "{header}")?;
            lines.iter().try_for_each(|(_, line)| writeln!(out, "{line}"))
        })
    }
}

/// The first line alone, if it is right.
#[must_use]
pub fn first(folder: &Path) -> Option<Header> {
    let mut line = String::new();
    BufReader::new(File::open(folder.join(RESULTS)).ok()?).read_line(&mut line).ok()?;
    Header::read(line.trim_end()).ok()
}

/// Refuses a directory that has other things in it: without results it is empty, or has what stands beside them and nothing
/// else.
fn is_ours(folder: &Path, header: &Header, files: &[(String, &str)]) -> Result<(), String> {
    if !folder.exists() {
        return Ok(());
    }
    if !folder.is_dir() {
        return Err(format!("cannot write {}: it is a file, and results are a folder", folder.display()));
    }
    let results = folder.join(RESULTS);
    if results.exists() {
        if !results.is_file() {
            return Err(format!("cannot read {}: it is no file", results.display()));
        }
        // A line of ours that was cut off is the beginning of it; anything else is judged line by line.
        let text = fs::read(&results).map_err(|error| cannot("read", &results, &error))?;
        if text.contains(&b'\n') || header.line().as_bytes().starts_with(&text) {
            return Ok(());
        }
    }
    let is_known = |name: &str| {
        let copy = files.iter().find(|(known, _)| known == name);
        let same = |content: &str| fs::read(folder.join(name)).is_ok_and(|there| there == content.as_bytes());
        name == LOCK || copy.is_some_and(|(_, content)| same(content))
    };
    let mut inside = fs::read_dir(folder).map_err(|error| cannot("read", folder, &error))?.flatten();
    let belongs = |name: &OsStr| files::is_left_over(name) || name.to_str().is_some_and(is_known);
    if inside.all(|entry| belongs(&entry.file_name())) {
        return Ok(());
    }
    Err(format!(
        "{} is a folder of something else\nhint: results go into a new or empty folder: --out DIR",
        folder.display()
    ))
}

/// Removes what a kill in the middle of replacing a file left. Nobody else works here.
fn remove_left_overs(folder: &Path) -> Result<(), String> {
    let inside = fs::read_dir(folder).map_err(|error| cannot("read", folder, &error))?.flatten();
    for left in inside.filter(|entry| files::is_left_over(&entry.file_name())) {
        fs::remove_file(left.path()).map_err(|error| cannot("remove", &left.path(), &error))?;
    }
    Ok(())
}

fn lock(folder: &Path) -> Result<File, String> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(|error| cannot("write", &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(format!(
            "another sim works in {}\nhint: wait for it, or give this one a folder of its own: --out DIR",
            folder.display()
        )),
        // Some network file systems have no locks; there it is up to who starts it.
        Err(fs::TryLockError::Error(_)) => Ok(file),
    }
}

fn foreign(folder: &Path, difference: &Difference) -> String {
    format!(
        "{} holds {difference}\nhint: give this one another folder with --out DIR, or remove that one",
        folder.display()
    )
}

/// Cuts off what stands behind the last end of a line.
fn cut(file: &mut File) -> io::Result<()> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    file.set_len(whole as u64)
}
