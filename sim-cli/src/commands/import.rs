//! `sim import`: a file of another tool as a scenario.

use std::io::Write;
use std::path::Path;

use sim_core::document::LONGEST as LONGEST_SCENARIO;
use sim_import::{Imported, KINDS};

use super::input::{self, Input};
use super::{Failure, Verdict};
use crate::args::ImportArgs;
use crate::{files, output};

/// Longer files are refused.
const LONGEST: usize = 1 << 30;

pub(super) fn import(args: &ImportArgs) -> Result<Verdict, Failure> {
    for out in args.out.iter().chain(&args.timeline) {
        files::check(out, std::slice::from_ref(&args.file))?;
    }
    let kind = args.kind.as_ref().and_then(|name| KINDS.iter().find(|kind| kind.name == *name));
    let bytes = Input::bytes_up_to(&args.file, LONGEST)?;
    let name = input::named(&args.file);
    if bytes.len() > LONGEST {
        return Err(Failure(format!("sim: cannot import {name}: it is longer than {} MB", LONGEST >> 20)));
    }
    let stem = args.file.file_name().map_or_else(|| name.clone(), |file| file.to_string_lossy().into_owned());
    let stem = if input::is_standard_input(&args.file) { name.clone() } else { stem };
    let imported = sim_import::import(&bytes, &stem, kind)
        .map_err(|refusal| Failure(format!("sim: cannot import {name}: {refusal}")))?;
    debug_assert!(imported.text.len() <= LONGEST_SCENARIO);
    if !args.quiet {
        output::talk(&told(&imported, &name));
    }
    if let Some(file) = &args.timeline {
        write_recorded(&imported, file, &name)?;
    }
    match &args.out {
        None => output::data(&imported.text),
        Some(out) => {
            files::write(out, imported.text.as_bytes())?;
            if !args.quiet {
                output::talk(&format!("scenario: {}", out.display()));
            }
        }
    }
    Ok(Verdict::Done)
}

/// Writes what a trace recorded, as an outcome.
fn write_recorded(imported: &Imported, file: &Path, name: &str) -> Result<(), Failure> {
    let complain = |why: &str| Failure(format!("sim: there is no timeline of {name}: {why}"));
    let recorded = imported.recorded().ok_or_else(|| complain("only traces have one"))?;
    let outcome = recorded.map_err(|why| complain(&why))?;
    let write = |out: &mut dyn Write| {
        serde_json::to_writer(&mut *out, &outcome)?;
        writeln!(out)
    };
    Ok(files::write_with(file, write)?)
}

/// More sentences than these stand in the scenario only.
const MOST_SENTENCES: usize = 6;

/// What it was taken for, what was assumed and what was left out.
fn told(imported: &Imported, name: &str) -> String {
    let mut text = format!("{name}: {}: {}", imported.kind.title, imported.summary);
    for (heading, sentences) in [("assumed", &imported.assumed), ("left out", &imported.left_out)] {
        for sentence in sentences.iter().take(MOST_SENTENCES) {
            text += &format!("\n{heading}: {sentence}");
        }
        if let Some(more) = sentences.len().checked_sub(MOST_SENTENCES).filter(|more| *more > 0) {
            text += &format!("\n{heading}: {more} more, see the head of the scenario");
        }
    }
    text
}
