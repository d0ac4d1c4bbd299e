//! Comma-separated values: one line for each interval of a processor and each time a task was blocked, by time.
//!
//! Names of instances have a `#` (`main/A#0`), which only NumPy takes for the beginning of a comment: `numpy.loadtxt` cuts
//! each line there without a word unless it is called with `comments=None`. Spreadsheets take a field that begins with
//! `=`, `+`, `-` or `@` for a formula: a name from a file that does has an apostrophe in front here. Control characters
//! are replaced.

use std::io;

use sim_core::ids::TaskId;
use sim_core::time::Time;
use sim_core::timeline::Timeline;

use super::{Exporter, cause_name, left_name};
use crate::letters::visible;

pub(super) static EXPORTER: Exporter = Exporter {
    name: "csv",
    summary: "intervals as comma-separated values, for spreadsheets and data frames (numpy.loadtxt needs comments=None)",
    extension: "csv",
    write,
};

fn write(timeline: &Timeline, _title: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let name = |task| timeline.tasks.get(task).map_or_else(|| "?".to_owned(), |_| timeline.task_name(task));
    let names: Vec<String> = timeline.tasks.ids().map(|task| field(&name(task))).collect();
    let name = |task: TaskId| names.get(task.0 as usize).map_or("?", |name| name);
    // By time; at one instant, intervals come first.
    let intervals = timeline.intervals.iter().enumerate().map(|(index, interval)| (interval.start, false, index));
    let blocks = (0..timeline.blocks.len()).map(|index| (timeline.blocks[index].start, true, index));
    let mut lines: Vec<(Time, bool, usize)> = intervals.chain(blocks).collect();
    lines.sort_unstable();
    writeln!(out, "what,start_ns,end_ns,task,processor,thread,why")?;
    for (start, is_block, index) in lines {
        let start = start.ns();
        if is_block {
            let block = &timeline.blocks[index];
            let (end, cause) = (block.end.ns(), field(&cause_name(timeline, block.cause)));
            writeln!(out, "blocked,{start},{end},{},,,{cause}", name(block.task))?;
            continue;
        }
        let Some(interval) = timeline.intervals.get(index) else { continue };
        let what = interval.what.name();
        let processor = timeline.cast.processors.get(interval.cpu).map_or("?", |name| name);
        let (end, task, processor) = (interval.end.ns(), name(interval.task), field(processor));
        writeln!(out, "{what},{start},{end},{task},{processor},{},{}", interval.thread.0, left_name(interval.left))?;
    }
    Ok(())
}

/// A name as a field: no formula, and in quotes if it needs them.
pub(super) fn field(name: &str) -> String {
    let shown = visible(name);
    let guard = if shown.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if shown.contains([',', '"']) {
        format!("\"{guard}{}\"", shown.replace('"', "\"\""))
    } else {
        format!("{guard}{shown}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use expect_test::expect;

    #[test]
    fn a_name_is_one_field_and_never_a_formula() {
        assert_eq!(field("main/A#0"), "main/A#0");
        assert_eq!(field("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
        assert_eq!(["+1", "-1", "@x", "a=b"].map(field), ["'+1", "'-1", "'@x", "a=b"]);
        assert_eq!(field("a\nb\tc\u{1b}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
    }

    #[test]
    fn looks_like_this() {
        expect![[r#"
            what,start_ns,end_ns,task,processor,thread,why
            run,0,12000,main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#0,0,0,preempted
            run,2000,6000,?,1,9,preempted
            blocked,8000,30000,main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#0,,,device disk
            run,10000,20000,main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#1,0,1,preempted
            run,20000,20000,main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#0,0,0,preempted
            run,20000,25000,main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#1,?,1,preempted
            blocked,30000,38000,main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#0,,,lock db
            run,38000,45000,main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#0,1,0,preempted
        "#]].assert_eq(&crate::export::text(&EXPORTER, &testing::broken(), ""));
    }
}
