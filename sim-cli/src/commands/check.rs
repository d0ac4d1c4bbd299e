//! `sim check`: validates scenarios and experiments, and does nothing else.

use sim_core::experiment::Experiment;

use super::input::{self, Input, remark_on_policy, say};
use super::{Failure, Verdict, sweep};
use crate::args::CheckArgs;
use crate::output::{self, Terminal};
use crate::report::{self, setting};

pub(super) fn check(args: &CheckArgs) -> Result<Verdict, Failure> {
    input::each(&input::all(&args.files)?, |parsed| {
        if Experiment::is_one(parsed.input().text()) {
            return experiment(args, parsed.input());
        }
        let (scenario, remarks) = parsed.scenario(&args.scenario, &[])?;
        if !args.quiet {
            remarks.iter().for_each(say);
            remark_on_policy(&parsed.input().named(), &scenario);
            for why in sim_real::not_in_python(&scenario) {
                let named = parsed.input().named();
                output::talk(&format!("remark: {named}: `sim measure` refuses this: {}; {}", why.reason, why.hint));
            }
            let instances: u64 = scenario.specs.iter().map(|spec| u64::from(spec.count)).sum();
            let tasks = if instances == 1 { "1 task".to_owned() } else { format!("{instances} tasks") };
            let line = format!("{}: valid ({tasks}; {})\n", parsed.input().named(), setting(&scenario));
            let terminal = Terminal::present();
            output::data(&terminal.wrapped(&line));
            output::data(&report::protocols(&scenario, &terminal));
            output::data(&report::foretold(&scenario, &terminal));
        }
        Ok(())
    })?;
    Ok(Verdict::Done)
}

/// An experiment is right if all of its variations are.
fn experiment(args: &CheckArgs, input: &Input) -> Result<(), Failure> {
    if !args.scenario.sets.is_empty() || args.scenario.seed.is_some() {
        let sentence = format!("{} is an experiment, and --set and --seed are for scenarios", input.named());
        return Err(Failure::from(format!("{sentence}\nhint: what an experiment sets stands in the file")));
    }
    let said = sweep::check(input.clone())?;
    if !args.quiet {
        output::data(&Terminal::present().wrapped(&format!("{}: valid ({said})\n", input.named())));
    }
    Ok(())
}
