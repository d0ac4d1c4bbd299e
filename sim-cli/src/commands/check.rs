//! `sim check`: validates scenarios and does nothing else.

use super::input::{self, say};
use super::{Failure, Verdict};
use crate::args::CheckArgs;
use crate::output::{self, Terminal};
use crate::report::setting;

pub(super) fn check(args: &CheckArgs) -> Result<Verdict, Failure> {
    input::each(&input::all(&args.files)?, |parsed| {
        let (scenario, remarks) = parsed.scenario(&args.scenario, &[])?;
        if !args.quiet {
            remarks.iter().for_each(say);
            let instances: u64 = scenario.specs.iter().map(|spec| u64::from(spec.count)).sum();
            let tasks = if instances == 1 { "1 task".to_owned() } else { format!("{instances} tasks") };
            let line = format!("{}: valid ({tasks}; {})\n", parsed.input().named(), setting(&scenario));
            output::data(&Terminal::present().wrapped(&line));
        }
        Ok(())
    })?;
    Ok(Verdict::Done)
}
