//! `sim new`: a scenario to begin with.

use std::path::{Path, PathBuf};

use super::{Failure, Verdict, input};
use crate::args::NewArgs;
use crate::templates::TEMPLATES;
use crate::{files, output};

pub(super) fn new(args: &NewArgs) -> Result<Verdict, Failure> {
    let kind = TEMPLATES.iter().find(|kind| kind.name == args.kind);
    let kind = kind.ok_or_else(|| Failure::from(format!("there is no kind `{}`", args.kind)))?;
    // Whoever writes the name of the file means the name.
    let written = args.name.strip_suffix(".toml").unwrap_or(&args.name);
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{written}.toml")));
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if input::is_standard_input(&path) {
        output::data(&kind.text(&stem(Path::new(written))));
        return Ok(Verdict::Done);
    }
    files::check(&path, &[])?;
    if path.symlink_metadata().is_ok() {
        let sentence = format!("{} is there already", path.display());
        return Err(Failure::from(format!("{sentence}\nhint: write another name, or -o FILE")));
    }
    files::write(&path, kind.text(&stem(&path)).as_bytes())?;
    output::data(&format!("{}\n", path.display()));
    Ok(Verdict::Done)
}
