//! Tables of a timeline for data frames: a row for each task, job, interval or wait, times as whole nanoseconds.
//!
//! Each table is made once, cell by cell, and goes out as comma-separated values or, with the feature of that name, as
//! Parquet; neither keeps more rows than it writes at a time. What is not known, such as when a task finished that did not, is
//! an empty field, or null.

mod lines;
#[cfg(feature = "parquet")]
mod parquet;

use std::io;

use sim_core::causes::{self, Kind, What};
use sim_core::ids::{IdVec, TaskId};
use sim_core::time::Span;
use sim_core::timeline::Timeline;

use super::{Exporter, left_name};

/// What the cells of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Type {
    /// Whole numbers.
    Number,
    /// Texts.
    Text,
    /// Yes or no.
    Flag,
}

/// A cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cell<'a> {
    Number(u64),
    Text(&'a str),
    Flag(bool),
    /// Not known, or there is none.
    Missing,
}

impl<'a> Cell<'a> {
    fn number(number: Option<u64>) -> Cell<'a> {
        number.map_or(Cell::Missing, Cell::Number)
    }

    fn text(text: Option<&'a str>) -> Cell<'a> {
        text.map_or(Cell::Missing, Cell::Text)
    }
}

/// The columns of a table, in order.
type Columns = &'static [(&'static str, Type)];

/// Where the rows of a table go.
trait Rows {
    /// The next row: a cell for each column.
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()>;
}

/// A table: its columns, and how its rows are made.
#[derive(Clone, Copy)]
struct Table {
    columns: Columns,
    fill: fn(&Timeline, &mut dyn Rows) -> io::Result<()>,
}

/// The exporters of a table: its name, what a row of it is, and the table.
macro_rules! exporters {
    ($($table:ident, $name:literal, $row:literal;)*) => {
        $(pub(super) static $table: Exporter = Exporter {
            name: concat!($name, "-csv"),
            summary: concat!("a table for data frames: ", $row),
            extension: concat!($name, ".csv"),
            write: |timeline, _, out| lines::write(&shelf::$table, timeline, out),
        };)*

        /// The same as Parquet.
        #[cfg(feature = "parquet")]
        pub(super) mod as_parquet {
            use super::{Exporter, parquet, shelf};
            $(pub(in crate::export) static $table: Exporter = Exporter {
                name: concat!($name, "-parquet"),
                summary: concat!("a table for data frames, as Parquet: ", $row),
                extension: concat!($name, ".parquet"),
                write: |timeline, _, out| parquet::write(&shelf::$table, timeline, out),
            };)*
        }
    };
}

exporters! {
    TASKS, "tasks", "a row for each task, and where its time went";
    JOBS, "jobs", "a row for each job of a periodic task";
    INTERVALS, "intervals", "a row for each time that a processor was busy";
    WAITS, "waits", "a row for each wait of a task with its cause, and behind whom";
}

mod shelf {
    use super::Type::{Flag, Number, Text};
    use super::{Table, intervals, jobs, tasks, waits_of};

    pub(super) const TASKS: Table = Table {
        columns: &[
            ("task", Text),
            ("process", Text),
            ("name", Text),
            ("instance", Number),
            ("arrival_ns", Number),
            ("finish_ns", Number),
            ("fate", Text),
            ("turnaround_ns", Number),
            ("running_ns", Number),
            ("waiting_ns", Number),
            ("blocked_ns", Number),
            ("overhead_ns", Number),
        ],
        fill: tasks,
    };
    pub(super) const JOBS: Table = Table {
        columns: &[
            ("task", Text),
            ("job", Number),
            ("release_ns", Number),
            ("deadline_ns", Number),
            ("finish_ns", Number),
            ("response_ns", Number),
            ("tardiness_ns", Number),
            ("missed", Flag),
            ("aborted", Flag),
            ("skipped_releases", Number),
        ],
        fill: jobs,
    };
    pub(super) const INTERVALS: Table = Table {
        columns: &[
            ("start_ns", Number),
            ("end_ns", Number),
            ("processor", Text),
            ("task", Text),
            ("thread", Number),
            ("what", Text),
            ("then", Text),
        ],
        fill: intervals,
    };
    pub(super) const WAITS: Table = Table {
        columns: &[
            ("task", Text),
            ("start_ns", Number),
            ("end_ns", Number),
            ("kind", Text),
            ("what", Text),
            ("on", Text),
            ("behind", Text),
            ("while", Text),
        ],
        fill: waits_of,
    };
}

/// The full names of all tasks.
fn names(timeline: &Timeline) -> IdVec<TaskId, String> {
    timeline.tasks.ids().map(|task| timeline.task_name(task)).collect()
}

fn tasks(timeline: &Timeline, rows: &mut dyn Rows) -> io::Result<()> {
    let kinds = [Kind::Running, Kind::Waiting, Kind::Blocked, Kind::Overhead];
    let mut sums: IdVec<TaskId, [Span; 4]> = timeline.tasks.iter().map(|_| [Span::ZERO; 4]).collect();
    causes::lives(timeline, |task, _, passages| {
        for (sum, kind) in sums[task].iter_mut().zip(kinds) {
            let of_it = passages.iter().filter(|passage| passage.what.kind() == kind);
            *sum = of_it.map(|passage| passage.to.since(passage.from)).sum();
        }
    });
    for ((task, life), sums) in timeline.tasks.pairs().zip(sums.iter()) {
        let spec = &timeline.cast.specs[life.spec as usize];
        let own_end = life.finish.filter(|_| life.fate.is_own_end());
        let [running, waiting, blocked, overhead] = sums.map(|sum| Cell::Number(sum.ns()));
        rows.row(&[
            Cell::Text(&timeline.task_name(task)),
            Cell::Text(&timeline.cast.processes[spec.process as usize]),
            Cell::Text(&spec.task),
            Cell::Number(u64::from(life.instance)),
            Cell::number(life.arrival.map(|at| at.ns())),
            Cell::number(own_end.map(|at| at.ns())),
            Cell::text(life.ended_as().map(|fate| fate.name())),
            Cell::number(own_end.zip(life.arrival).map(|(finish, arrival)| finish.since(arrival).ns())),
            running,
            waiting,
            blocked,
            overhead,
        ])?;
    }
    Ok(())
}

fn jobs(timeline: &Timeline, rows: &mut dyn Rows) -> io::Result<()> {
    let names = names(timeline);
    let mut numbers: IdVec<TaskId, u64> = timeline.tasks.iter().map(|_| 0).collect();
    for job in &timeline.jobs {
        rows.row(&[
            Cell::Text(&names[job.task]),
            Cell::Number(numbers[job.task]),
            Cell::Number(job.release.ns()),
            Cell::Number(job.deadline.ns()),
            Cell::number(job.finish.map(|at| at.ns())),
            Cell::number(job.response().map(Span::ns)),
            Cell::Number(job.tardiness(timeline.end).ns()),
            Cell::Flag(job.missed(timeline.end)),
            Cell::Flag(job.aborted),
            Cell::Number(u64::from(job.skips)),
        ])?;
        numbers[job.task] += 1;
    }
    Ok(())
}

fn intervals(timeline: &Timeline, rows: &mut dyn Rows) -> io::Result<()> {
    let names = names(timeline);
    let mut order: Vec<usize> = (0..timeline.intervals.len()).collect();
    let interval = |index: usize| timeline.intervals.get(index);
    order.sort_by_key(|index| interval(*index).map(|interval| (interval.start, interval.cpu, interval.end)));
    for interval in order.into_iter().filter_map(interval) {
        rows.row(&[
            Cell::Number(interval.start.ns()),
            Cell::Number(interval.end.ns()),
            Cell::text(timeline.cast.processors.get(interval.cpu).map(String::as_str)),
            Cell::text(names.get(interval.task).map(String::as_str)),
            Cell::number((!interval.thread.is_none()).then_some(u64::from(interval.thread.0))),
            Cell::Text(interval.what.name()),
            Cell::Text(left_name(interval.left)),
        ])?;
    }
    Ok(())
}

fn waits_of(timeline: &Timeline, rows: &mut dyn Rows) -> io::Result<()> {
    let names = names(timeline);
    let mut result = Ok(());
    causes::lives(timeline, |task, _, passages| {
        for passage in passages.iter().filter(|passage| passage.what != What::Running) {
            if result.is_err() {
                return;
            }
            let behind = passage.behind;
            result = rows.row(&[
                Cell::Text(&names[task]),
                Cell::Number(passage.from.ns()),
                Cell::Number(passage.to.ns()),
                Cell::Text(passage.what.kind().name()),
                Cell::Text(passage.what.name(timeline).unwrap_or("switch")),
                Cell::text(passage.what.subject(timeline)),
                Cell::text(behind.map(|behind| &*names[behind.task])),
                Cell::text(behind.and_then(|behind| behind.doing.name())),
            ]);
        }
    });
    result
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::export::text;
    use crate::testing::{self, Story};

    #[test]
    fn tables_look_like_this() {
        let story = Story::new(1).tasks("main", "A", 2).life(0, Some(0), Some(9)).life(1, Some(1), None);
        let story =
            story.switch(0, 0, 0, 1).run(0, 0, 1, 5).io(0, 5, 8).run(0, 1, 5, 8).run(0, 0, 8, 9).run(0, 1, 9, 10);
        let timeline = story.job(1, 1, 4, Some(10)).job(1, 5, 9, None).end(10);
        let all: String = [&TASKS, &JOBS, &INTERVALS, &WAITS].map(|table| text(table, &timeline, "")).join("\n");
        expect![[r#"
            task,process,name,instance,arrival_ns,finish_ns,fate,turnaround_ns,running_ns,waiting_ns,blocked_ns,overhead_ns
            main/A#0,main,A,0,0,9000,finished,9000,5000,0,3000,1000
            main/A#1,main,A,1,1000,,,,4000,5000,0,0

            task,job,release_ns,deadline_ns,finish_ns,response_ns,tardiness_ns,missed,aborted,skipped_releases
            main/A#1,0,1000,4000,10000,9000,6000,true,false,0
            main/A#1,1,5000,9000,,,1000,true,false,0

            start_ns,end_ns,processor,task,thread,what,then
            0,1000,0,main/A#0,0,switch,preempted
            1000,5000,0,main/A#0,0,run,preempted
            5000,8000,0,main/A#1,1,run,preempted
            8000,9000,0,main/A#0,0,run,preempted
            9000,10000,0,main/A#1,1,run,preempted

            task,start_ns,end_ns,kind,what,on,behind,while
            main/A#0,0,1000,overhead,switch,,,
            main/A#0,5000,8000,blocked,device-service,disk,,
            main/A#1,1000,5000,waiting,processor,0,main/A#0,
            main/A#1,8000,9000,waiting,processor,0,main/A#0,
        "#]].assert_eq(&all);
    }

    #[test]
    fn a_name_stays_in_its_field() {
        let timeline = Story::new(1).tasks("main", "a,\"b\"", 1).run(0, 0, 0, 1).end(1);
        assert!(text(&INTERVALS, &timeline, "").ends_with("\n0,1000,0,\"main/a,\"\"b\"\"#0\",0,run,preempted\n"));
    }

    #[test]
    fn broken_records_have_intervals() {
        let table = text(&INTERVALS, &testing::broken(), "");
        assert!(table.lines().count() > 5 && table.contains(",,9,run,"), "{table}");
    }
}
