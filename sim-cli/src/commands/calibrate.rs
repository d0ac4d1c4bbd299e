//! `sim calibrate`: measures what this machine costs, and writes a profile.

use std::fs;
use std::path::{Path, PathBuf};

use sim_real::{Calibration, Effort};

use super::{Failure, Verdict, profiles};
use crate::args::CalibrateArgs;
use crate::output::{self, Terminal};
use crate::progress::Progress;
use crate::rows::plural;
use crate::{files, interruption, profile, report};

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Verdict, Failure> {
    let path = match &args.out {
        Some(path) => path.clone(),
        None => cache_path()?,
    };
    files::check(&path, &[])?;
    args.out.iter().try_for_each(|named| refuse_others(named))?;
    let effort = if args.quick { Effort::QUICK } else { Effort::FULL };
    let Some(calibration) = measured(effort, args.python.python, args.quiet)? else {
        output::talk("interrupted: no profile was written");
        return Ok(Verdict::Interrupted);
    };
    if let Some(busy) = too_busy(&calibration) {
        output::talk(&format!("finding: {busy}; nothing was written"));
        return Ok(Verdict::Finding);
    }
    files::write(&path, profile::toml(&calibration).as_bytes())?;
    if !args.quiet {
        output::data(&report::calibration(&calibration, &Terminal::present()));
        output::data(&format!("{}\n", path.display()));
        tell_doubts(&calibration);
    }
    Ok(Verdict::Done)
}

/// Calibrates for who needs a profile of this machine and has none: where it is then.
pub(super) fn into_cache(quiet: bool) -> Result<PathBuf, Failure> {
    let path = cache_path()?;
    files::check(&path, &[])?;
    // It is kept for all that comes, whichever interpreter one measurement names.
    let calibration = measured(Effort::QUICK, None, quiet)?;
    let calibration =
        calibration.ok_or_else(|| Failure::from("interrupted while this machine was calibrated".to_owned()))?;
    if let Some(busy) = too_busy(&calibration) {
        return Err(busy.into());
    }
    files::write(&path, profile::toml(&calibration).as_bytes())?;
    if !quiet {
        tell_doubts(&calibration);
    }
    Ok(path)
}

/// A file that somebody names is replaced if it is a profile; a scenario, or what else it may be, is not.
fn refuse_others(path: &Path) -> Result<(), Failure> {
    if path.is_file() && profiles::read(path).is_err() {
        let path = path.display();
        return Err(format!("{path} is there and is no profile\nhint: -o says where the profile is to be").into());
    }
    Ok(())
}

/// That other programs left too little to read costs off: what was measured before is worth more.
fn too_busy(calibration: &Calibration) -> Option<String> {
    let (runs, disturbed) = calibration.runs;
    (2 * disturbed > runs).then(|| {
        format!("the machine is too busy to be calibrated: in {disturbed} of {runs} runs other programs took more than 2 % of a processor")
    })
}

/// The place in the user's cache, in a folder that exists.
fn cache_path() -> Result<PathBuf, Failure> {
    let path = profiles::own_path().ok_or_else(|| {
        Failure::from(
            "neither XDG_CACHE_HOME nor HOME says where caches are\nhint: -o says where the profile is to be"
                .to_owned(),
        )
    })?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::from(format!("cannot make the folder {}: {error}", folder.display())))?;
    }
    Ok(path)
}

fn measured(effort: Effort, python: Option<&'static str>, quiet: bool) -> Result<Option<Calibration>, Failure> {
    interruption::watch();
    let mut progress = Progress::new(quiet);
    let calibration = sim_real::calibrate(effort, python, |share, what| {
        progress.show(Some(share), || what.to_owned());
        !interruption::asked()
    });
    match calibration {
        Some(calibration) if calibration.sections.is_empty() => {
            let why = calibration.missing.first().map_or("other programs disturbed all runs", |(_, why)| why);
            Err(Failure(format!("sim: nothing could be measured: {why}")))
        }
        calibration => Ok(calibration),
    }
}

/// What makes a calibration doubtful.
fn tell_doubts(calibration: &Calibration) {
    let (runs, disturbed) = calibration.runs;
    if 4 * disturbed > runs {
        output::talk(&format!(
            "warning: other programs disturbed {disturbed} of {runs} run{}, which do not count; calibrate again when the machine is quiet",
            plural(runs)
        ));
    }
    for (what, why) in profile::missing(calibration) {
        output::talk(&format!("note: not measured: {what}: {why}"));
    }
}
