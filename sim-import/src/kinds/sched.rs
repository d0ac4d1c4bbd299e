//! Traces of the kernel's scheduler as text: what `perf script`, `trace-cmd report` and ftrace's `trace` file write of `sched_switch`,
//! `sched_waking` and `sched_wakeup`.
//!
//! Names are taken from the fields of events, never from the columns before them, and states of threads only say whether a thread
//! could have gone on: of a preempted thread and of one that yielded they are the same.

mod event;
mod threads;
mod write;

use self::event::{Event, event};
use self::threads::Threads;
use super::Kind;
use crate::Refusal;
use crate::page::Page;

pub(super) const KIND: Kind = Kind {
    name: "sched",
    title: "a trace of the kernel's scheduler",
    summary: "text of perf script, perf sched script, trace-cmd report or ftrace: sched_switch, sched_waking",
    recognises: |head| head.lines().any(|line| matches!(event(line), Some(Ok((_, _, Event::Switch(_)))))),
    page,
};

fn page(text: &str) -> Result<Page, Refusal> {
    let mut threads = Threads::default();
    let (mut first, mut last) = (None, 0u64);
    for (number, line) in (1..).zip(text.lines()) {
        let Some(found) = event(line) else { continue };
        let (processor, stamp, event) = found.map_err(|sentence| Refusal::at(number, sentence))?;
        let start = *first.get_or_insert(stamp);
        // Buffers of processors may be written out one after the other by a few events: nothing happens before what is known.
        last = last.max(stamp.saturating_sub(start));
        threads.happens(processor, last, &event).map_err(|sentence| Refusal::at(number, sentence))?;
    }
    threads.end(last);
    if !threads.list.iter().any(|thread| thread.runs > 0) {
        return Err(Refusal::whole("no thread runs in it: there is no sched_switch")
            .hint("record them: `perf sched record COMMAND`, then `perf script`"));
    }
    Ok(write::page(threads, last))
}
