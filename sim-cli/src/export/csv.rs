//! Comma-separated values: one line for each interval of a processor and each time a task was blocked, by time.
//!
//! Names of instances have a `#` (`main/A#0`), which only NumPy takes for the beginning of a comment: `numpy.loadtxt` cuts
//! each line there without a word unless it is called with `comments=None`. Spreadsheets take a field that begins with
//! `=`, `+`, `-` or `@` for a formula: a name from a file that does has an apostrophe in front here. Control characters
//! are replaced.

use sim_core::timeline::{Timeline, What};

use super::{Exporter, cause_name, left_name};
use crate::letters::visible;

pub(super) static EXPORTER: Exporter = Exporter {
    name: "csv",
    summary: "intervals as comma-separated values, for spreadsheets and data frames (numpy.loadtxt needs comments=None)",
    extension: "csv",
    write,
};

fn write(timeline: &Timeline, _title: &str) -> String {
    let name = |task| timeline.tasks.get(task).map_or_else(|| "?".to_owned(), |_| timeline.task_name(task));
    let mut lines: Vec<(u64, String)> = Vec::with_capacity(timeline.intervals.len() + timeline.blocks.len());
    for interval in &timeline.intervals {
        let what = match interval.what {
            What::Run => "run",
            What::Switch => "switch",
        };
        let processor = timeline.cast.processors.get(interval.cpu).map_or("?", |name| name);
        let (start, end) = (interval.start.ns(), interval.end.ns());
        let (task, processor, then) = (quote(&name(interval.task)), quote(processor), left_name(interval.left));
        lines.push((start, format!("{what},{start},{end},{task},{processor},{},{then}\n", interval.thread.0)));
    }
    for block in &timeline.blocks {
        let (start, end) = (block.start.ns(), block.end.ns());
        let (task, cause) = (quote(&name(block.task)), quote(&cause_name(timeline, block.cause)));
        lines.push((start, format!("blocked,{start},{end},{task},,,{cause}\n")));
    }
    lines.sort_by_key(|(start, _)| *start);
    let mut text = String::from("what,start_ns,end_ns,task,processor,thread,why\n");
    lines.iter().for_each(|(_, line)| text.push_str(line));
    text
}

/// A name as a field: no formula, and in quotes if it needs them.
fn quote(name: &str) -> String {
    let field = visible(name);
    let guard = if field.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if field.contains([',', '"']) {
        format!("\"{guard}{}\"", field.replace('"', "\"\""))
    } else {
        format!("{guard}{field}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use expect_test::expect;

    #[test]
    fn a_name_is_one_field_and_never_a_formula() {
        assert_eq!(quote("main/A#0"), "main/A#0");
        assert_eq!(quote("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
        assert_eq!(["+1", "-1", "@x", "a=b"].map(quote), ["'+1", "'-1", "'@x", "a=b"]);
        assert_eq!(quote("a\nb\tc\u{1b}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
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
        "#]].assert_eq(&write(&testing::broken(), ""));
    }
}
