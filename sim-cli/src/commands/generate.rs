//! `sim generate`: random scenarios of a class, one file each.

use std::fs;

use super::{Failure, Verdict};
use crate::args::GenerateArgs;
use crate::generate::{CLASSES, scenario};
use crate::{files, output};

pub(super) fn generate(args: &GenerateArgs) -> Result<Verdict, Failure> {
    let class = CLASSES.iter().find(|class| class.name == args.class);
    let class = class.ok_or_else(|| Failure::from(format!("there is no class `{}`", args.class)))?;
    let last = args.seed.checked_add(args.number - 1);
    let last = last
        .ok_or_else(|| format!("there are not so many seeds from {} on\nhint: the last is {}", args.seed, u64::MAX))?;
    let folder = &args.out;
    files::refuse_dash(folder)?;
    fs::create_dir_all(folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    for seed in args.seed..=last {
        let path = folder.join(format!("{}-{seed}.toml", class.name));
        let text = scenario(class, seed);
        // What is there may have been changed by hand.
        if fs::read_to_string(&path).is_ok_and(|found| found != text) {
            let path = path.display();
            return Err(format!("{path} exists and is another scenario\nhint: -o names another folder").into());
        }
        files::write(&path, text.as_bytes())?;
        output::data(&format!("{}\n", path.display()));
    }
    Ok(Verdict::Done)
}
