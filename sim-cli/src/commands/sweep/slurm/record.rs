//! What has been submitted, on the disk beside the shards: so that the same command, started again after whatever ended it,
//! finds its jobs and submits nothing twice.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::files;

/// The file.
const NAME: &str = "slurm.json";
/// The version of its shape.
const FORMAT: u32 = 1;

/// What has been submitted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    format: u32,
    /// Of the experiment.
    fingerprint: String,
    /// How many shards there are.
    pub(super) of: u32,
    /// What the names of our jobs have in common, and nobody else's.
    nonce: String,
    /// How many arrays have ever been submitted: so no name is there twice.
    count: u32,
    /// The arrays that may still be at work.
    pub(super) arrays: Vec<Array>,
    #[serde(skip)]
    path: PathBuf,
}

/// One submission.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Array {
    /// The name of the job.
    pub(super) name: String,
    /// Its id; not known if nobody answered when it was submitted.
    pub(super) id: Option<u64>,
    /// Its indices.
    pub(super) shards: BTreeSet<u32>,
}

impl Record {
    /// Nothing is submitted yet.
    pub(super) fn new(folder: &Path, fingerprint: &str, of: u32) -> Record {
        let mut hash = Sha256::new();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        hash.update(now.as_nanos().to_le_bytes());
        hash.update(std::process::id().to_le_bytes());
        hash.update(folder.as_os_str().as_encoded_bytes());
        let nonce = hash.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect();
        let (fingerprint, path) = (fingerprint.to_owned(), folder.join(NAME));
        Record { format: FORMAT, fingerprint, of, nonce, count: 0, arrays: Vec::new(), path }
    }

    /// What was submitted before, if anything was.
    ///
    /// # Errors
    /// A sentence: it is damaged, or of another experiment.
    pub(super) fn read(folder: &Path, fingerprint: &str) -> Result<Option<Record>, String> {
        let path = folder.join(NAME);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let read = serde_json::from_str::<Record>(&text).ok();
        match read.filter(|record| record.format == FORMAT && record.fingerprint == fingerprint && record.of > 0) {
            Some(record) => Ok(Some(Record { path, ..record })),
            None => Err(format!(
                "{} is damaged, or of another experiment\nhint: if no job of yours is at work there, remove the folder {}",
                path.display(),
                folder.display()
            )),
        }
    }

    /// An array is about to be submitted: whatever happens then, its name is known.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn about_to_submit(&mut self, shards: BTreeSet<u32>) -> Result<Array, String> {
        self.count += 1;
        let name = format!("sim-{}-{}", self.nonce, self.count);
        let array = Array { name, id: None, shards };
        self.arrays.push(array.clone());
        self.write()?;
        Ok(array)
    }

    /// Writes it.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn write(&self) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        files::write(&self.path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_submitted_is_known_again() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Record::read(folder.path(), "a"), Ok(None));
        let mut record = Record::new(folder.path(), "a", 8);
        let first = record.about_to_submit([1, 2].into()).expect("written");
        record.arrays[0].id = Some(12);
        let second = record.about_to_submit([2].into()).expect("written");
        assert_ne!(first.name, second.name);
        assert_eq!(Record::read(folder.path(), "a"), Ok(Some(record)));
        assert!(Record::read(folder.path(), "b").is_err_and(|said| said.contains("of another experiment")));
        fs::write(folder.path().join(NAME), "{").expect("written");
        assert!(Record::read(folder.path(), "a").is_err());
    }
}
