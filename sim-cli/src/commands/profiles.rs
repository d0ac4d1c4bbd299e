//! Profiles of machines on their way in: those that somebody names, and this machine's own in the user's cache.

use std::fs;
use std::path::{Path, PathBuf};

use sim_core::document::Source;
use sim_core::scenario::Profile;

use super::Failure;
use super::input::{Input, told};

/// Reads a profile.
pub(super) fn read(path: &Path) -> Result<Profile, Failure> {
    let input = Input::read(path)?;
    let (file, text) = (input.named(), input.text());
    Profile::read(&Source { file: &file, text }).map_err(told)
}

/// Where this machine's own profile is kept: in the user's cache, by kernel, processor and version.
pub(super) fn own_path() -> Option<PathBuf> {
    let from = |variable: &str| std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let cache = from("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(from("HOME")?.join(".cache")))?;
    Some(cache.join("sim").join("profiles").join(format!("{}.toml", machine_key())))
}

/// What profiles of this machine are kept under.
fn machine_key() -> String {
    let words = sim_real::machine_description();
    let told = ["kernel", "processor", "processors", "rights"]
        .map(|key| words.iter().find(|(name, _)| *name == key).map_or_else(String::new, |(_, value)| value.clone()));
    let key = format!("{}-{}", told.join("-"), env!("CARGO_PKG_VERSION"));
    key.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || ".-".contains(letter) { letter } else { '_' })
        .collect()
}

/// Does this machine have a profile in the user's cache?
pub(super) fn own() -> Option<PathBuf> {
    own_path().filter(|path| fs::exists(path).unwrap_or(false))
}
