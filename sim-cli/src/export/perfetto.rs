//! Perfetto's own format, a tenth of the size of Chrome's: <https://ui.perfetto.dev> and its SQL know what it says as a
//! schedule.
//!
//! Processes of the scenario are processes of the trace, tasks their threads: so the tables `sched` and `thread_state` are
//! filled ([`schedule`]). On the track of a task lie the reasons for which it did not run, and behind whom; its arrival and
//! end, releases, deadlines and misses are instants there. Beside them stand tracks for the threads of runtimes, for the
//! channels of devices, for the holders of locks and permits, and counters: how many tasks are ready, how many requests wait
//! at each device, what variables are. All times are nanoseconds, unrounded.

mod packet;
mod schedule;
mod tracks;

use std::io;

use sim_core::causes;
use sim_core::ids::{Id as _, IdVec, TaskId};
use sim_core::timeline::Timeline;

use self::packet::{Trace, Track};
use super::Exporter;
use crate::letters::visible;

pub(super) static EXPORTER: Exporter = Exporter {
    name: "perfetto",
    summary: "Perfetto's own format, for ui.perfetto.dev and its SQL: schedule, causes, wake-ups",
    extension: "pftrace",
    write,
};

/// Fields of `TrackDescriptor`.
mod field {
    pub(super) const NAME: u32 = 2;
    pub(super) const PROCESS: u32 = 3;
    pub(super) const THREAD: u32 = 4;
    pub(super) const PARENT: u32 = 5;
    pub(super) const COUNTER: u32 = 8;
    pub(super) const MERGE: u32 = 15;
}

/// Tracks of one name under one parent would be drawn as one.
const NEVER_MERGED: u64 = 2;

fn write(timeline: &Timeline, _title: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let mut trace = Trace::new(out);
    let names: IdVec<TaskId, String> = timeline.tasks.ids().map(|task| name_of(timeline, task)).collect();
    let threads = threads(&mut trace, timeline, &names);
    let mut wakes = Vec::new();
    causes::lives(timeline, |task, came_from, passages| {
        tracks::life(&mut trace, timeline, &names, threads[task], passages);
        schedule::wakes(task, came_from, passages, &mut wakes);
    });
    let lanes = timeline.lanes();
    schedule::write(&mut trace, timeline, &lanes, wakes);
    tracks::moments(&mut trace, timeline, &threads);
    tracks::workers(&mut trace, timeline, &names);
    tracks::locks(&mut trace, timeline, &names);
    tracks::devices(&mut trace, timeline, &names);
    tracks::ready(&mut trace, &lanes);
    tracks::variables(&mut trace, timeline);
    trace.end()
}

/// The name of a task: that of its thread, in a process that has a name of its own.
fn name_of(timeline: &Timeline, task: TaskId) -> String {
    let life = &timeline.tasks[task];
    visible(&format!("{}#{}", timeline.cast.specs[life.spec as usize].task, life.instance)).into_owned()
}

/// The number of a process. None is 0: that is the idle process of the format.
fn process_of(process: u32) -> u64 {
    u64::from(process) + 1
}

/// The number of the thread that a task is; no process has it.
fn thread_of(timeline: &Timeline, task: TaskId) -> u64 {
    process_of(0) + timeline.cast.processes.len() as u64 + task.index() as u64
}

/// Tells processes and threads, and gives the track of each.
fn threads(trace: &mut Trace<'_>, timeline: &Timeline, names: &IdVec<TaskId, String>) -> IdVec<TaskId, Track> {
    for (process, name) in (0..).zip(&timeline.cast.processes) {
        trace.track(|track| {
            track.message(field::PROCESS, |descriptor| {
                descriptor.number(1, process_of(process)).text(6, &visible(name));
            });
        });
    }
    let thread = |task: TaskId| {
        let process = timeline.cast.specs[timeline.tasks[task].spec as usize].process;
        trace.track(|track| {
            track.message(field::THREAD, |descriptor| {
                descriptor.number(1, process_of(process)).number(2, thread_of(timeline, task)).text(5, &names[task]);
            });
        })
    };
    timeline.tasks.ids().map(thread).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// What is in it is asked of Perfetto's own engine, in the tests of the workspace.
    #[test]
    fn a_trace_has_the_same_bytes_each_time() {
        for timeline in [testing::downloads(), testing::crowd(), Timeline::default()] {
            let trace = || {
                let mut bytes = Vec::new();
                write(&timeline, "", &mut bytes).expect("to memory");
                bytes
            };
            // A packet of the trace, which has others in it.
            assert_eq!(trace()[0], 0x0a);
            assert_eq!(trace(), trace());
        }
    }
}
