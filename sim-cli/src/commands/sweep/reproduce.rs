//! `sim reproduce`: runs some of the runs of results again, and says whether the same comes out.

use sim_core::time::Span;

use super::super::{Failure, Verdict};
use super::{Kept, cell};
use crate::args::ReproduceArgs;
use crate::output;
use crate::progress::Progress;
use crate::sweep::line::Cell;
use crate::{interruption, parallel};

pub(in super::super) fn reproduce(args: &ReproduceArgs) -> Result<Verdict, Failure> {
    let kept = Kept::read(&args.folder, true)?;
    let plan = &kept.plan;
    if kept.header.version != env!("CARGO_PKG_VERSION") && !args.quiet {
        let (there, here) = (&kept.header.version, env!("CARGO_PKG_VERSION"));
        output::talk(&format!("remark: these results are of version {there} of this program, which is {here}"));
    }
    let cells: Vec<&Cell> = kept.cells.iter().map(|(cell, _)| cell).collect();
    // Spread over all, the same ones every time.
    let count = args.sample.min(cells.len());
    let chosen: Vec<&Cell> = (0..count).map(|index| cells[index * cells.len() / count]).collect();
    interruption::watch();
    let jobs = args.jobs.map_or_else(parallel::cores, |jobs| jobs as usize);
    let warm_up = Span::from_ns(kept.header.warm_up_ns);
    let room = args.memory.for_shown(jobs);
    let work = |index: usize| cell::run(plan, (chosen[index].variation, chosen[index].replication), warm_up, room);
    let mut progress = Progress::new(args.quiet);
    let (mut done, mut differ, mut failure) = (0, Vec::new(), None);
    parallel::in_order(count, jobs, work, |again| {
        match again {
            Ok(Some(again)) => {
                if again != *chosen[done] {
                    differ.push((chosen[done], again));
                }
                done += 1;
                progress.count(done, count, "runs");
            }
            Ok(None) => return false,
            Err(why) => failure = Some(why),
        }
        failure.is_none() && !interruption::asked()
    });
    drop(progress);
    if let Some(why) = failure {
        return Err(why);
    }
    let all = cells.len();
    for (was, is) in &differ {
        let what = if was.hash == is.hash { "the same timeline, but other figures" } else { "another timeline" };
        let label = plan.experiment.label(was.variation);
        output::data(&format!("{label} replication {}: {what} (was {}, is {})\n", was.replication, was.hash, is.hash));
    }
    if done < count {
        output::talk(&interruption::told(done, count));
        return Ok(Verdict::Interrupted);
    }
    if !differ.is_empty() {
        output::talk(&format!("{} of {count} runs came out differently", differ.len()));
        return Ok(Verdict::Finding);
    }
    if !args.quiet {
        output::data(&format!("{count} of {all} runs computed again: all came out the same\n"));
    }
    Ok(Verdict::Done)
}
