//! `sim check`: validates scenarios and does nothing else.

use super::{Failure, Verdict, load_with_remarks, say};
use crate::args::CheckArgs;
use crate::output;
use crate::report::setting;

pub(super) fn check(args: &CheckArgs) -> Result<Verdict, Failure> {
    let mut failures = Vec::new();
    for file in &args.files {
        match load_with_remarks(file, &args.scenario, &[]) {
            Ok(_) if args.quiet => {}
            Ok((scenario, remarks)) => {
                remarks.iter().for_each(say);
                let instances: u64 = scenario.specs.iter().map(|spec| u64::from(spec.count)).sum();
                let tasks = if instances == 1 { "1 task".to_owned() } else { format!("{instances} tasks") };
                output::data(&format!("{}: valid ({tasks}; {})\n", file.display(), setting(&scenario)));
            }
            Err(Failure(text)) => failures.push(text),
        }
    }
    if failures.is_empty() { Ok(Verdict::Done) } else { Err(Failure(failures.join("\n\n"))) }
}
