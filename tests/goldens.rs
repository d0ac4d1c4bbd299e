//! What the semantics look like: a scenario, and the timeline it must give, drawn.
//!
//! Each case shows one rule of the scenario format. `UPDATE_EXPECT=1 cargo test goldens` rewrites the drawings; read
//! each against the rule it stands for before keeping it. A processor's row has the letter of the task it runs, `~` for
//! overhead, `.` for idle; a task's row `#` running, `-` ready, `=` blocked, `~` overhead, `:` standing still for a quota or a budget.

mod aborting;
mod any;
mod arrivals;
mod branches;
mod caller_runs;
mod causes;
mod ceilings;
mod channels;
mod condvars;
mod costs;
mod deadlocks;
mod devices;
mod endings;
mod executors;
mod fates;
mod gil;
mod giving_up;
mod groups;
mod hoare;
mod instant;
mod lending;
mod locks;
mod new_threads;
mod operations;
mod policies;
mod pool_limits;
mod pools;
mod priority;
mod processors;
mod protocols;
mod quotas;
mod runtimes;
mod rwlocks;
mod semaphores;
mod spinning;
mod starters;
mod submissions;
mod throttled;
mod timers;
mod turns;
mod variables;

use expect_test::Expect;
use sim_cli::gantt;

use crate::support::{run, scenario};

/// Simulates, and compares the drawing and the ending.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
pub(crate) fn check(toml: &str, expected: Expect) {
    let (timeline, ending) = run(&scenario(toml));
    let mut text = gantt::ascii(&timeline, 100);
    text += &format!("{} at {}\n", ending.end.name(), ending.at);
    if let Some(explanation) = &ending.explanation {
        text += &format!("{explanation}\n");
    }
    expected.assert_eq(&text);
}
