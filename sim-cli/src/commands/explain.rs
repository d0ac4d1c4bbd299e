//! `sim explain`: what determined how long a run took, and what would make it shorter.

mod goal;

use sim_core::causes::critical_path::CriticalPath;
use sim_core::engine::End;

use super::input::Input;
use super::simulated::{Keep, Simulated, simulated};
use super::{Failure, Verdict, check_outputs};
use crate::args::ExplainArgs;
use crate::explain::path::Told;
use crate::output::{self, Terminal};
use crate::progress::Progress;
use crate::{interruption, report};

use self::goal::Chosen;

pub(super) fn explain(args: &ExplainArgs) -> Result<Verdict, Failure> {
    let input = Input::read(&args.file)?;
    let parsed = input.parsed();
    let scenario = parsed.scenario_aloud(&args.scenario, args.quiet)?;
    check_outputs(args.plot.as_deref(), &[], std::slice::from_ref(&args.file))?;
    interruption::watch();
    let mut progress = Progress::new(args.quiet);
    let run = simulated(&scenario, Keep::All, args.memory.for_shown(1), Some(&mut progress))?;
    drop(progress);
    let chosen = Chosen::of(args, &run)?;
    let path = chosen.goal.map(|goal| CriticalPath::of(&run.timeline, Some(&scenario), goal));
    let told = Told::new(&scenario, &run.timeline, path.as_ref());
    let terminal = Terminal::present();
    if !args.quiet && !args.json {
        let heading = report::heading(&run.outcome, &scenario, &terminal);
        output::data(&format!("{heading}\n{}", told.text(&chosen.words, args.full, &terminal)));
    }
    Ok(verdict(&run))
}

/// A deadlock makes the exit code here as for `sim run`.
fn verdict(run: &Simulated) -> Verdict {
    match run.ending.end {
        End::Interrupted => Verdict::Interrupted,
        End::Deadlock | End::Livelock => Verdict::Finding,
        End::Completed | End::Horizon => Verdict::Done,
    }
}
