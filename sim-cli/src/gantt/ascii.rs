//! The plain form, made for tests: exact, in ASCII, and easy to compare line by line.
//!
//! ```text
//! 1 column = 1us
//! cpu 0 |AAABBBAAA~BB|
//! A     |###---###   |
//! B     |---###---~##|
//! A = download#0
//! B = download#1
//! ```
//!
//! A processor's row has the letter of the task it runs, `~` for overhead, `.` for idle. A task's row has `#` running,
//! `-` ready, `=` blocked, `~` overhead, `:` standing still while its group has no quota left, or its server no budget, and spaces
//! outside its life.

use sim_core::ids::{CpuId, Id, IdVec, TaskId};
use sim_core::time::Span;
use sim_core::timeline::lanes::{Busy, State, Stretch};
use sim_core::timeline::{Standing, Timeline};

use super::columns::{Columns, cells};
use crate::axis;

/// The letters of the tasks; those that come later share [`LATER`].
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LATER: char = '*';
/// Two tasks at once on one processor, which only a broken record says.
const CLASH: char = '!';
/// Ready, but not to be run.
const STILL: char = ':';
const MEANS: &str = "throttled: its group has no quota left, or its server no budget";
/// Several states in a column, none longer than half of it.
const MIXED: char = '?';

/// The timeline as plain text with at most `most` columns.
///
/// A column is the longest time that divides all times of the timeline, and then the diagram is exact. If that gives
/// too many columns, a column is the shortest round time that does not; the first line says so, and a column shows
/// the state that has more than half of it, or `?`.
#[must_use]
pub fn ascii(timeline: &Timeline, most: usize) -> String {
    let (lives, occupancy) = (lives(timeline), timeline.occupancy());
    let extent = timeline.extent().ns();
    let unit = edges(&lives, extent).chain(edges(&occupancy, extent)).fold(0, greatest_common_divisor).max(1);
    let most = most.max(1) as u64;
    let exact = extent / unit <= most;
    let unit = if exact { unit } else { axis::round_up(extent.div_ceil(most)) };
    let count = usize::try_from(extent.div_ceil(unit)).unwrap_or(0);
    let columns = Columns { extent: unit.saturating_mul(count as u64), count };

    let note = if exact { "" } else { ", shortened: the state of more than half of it, or ?" };
    let mut text = format!("1 column = {}{note}\n", Span::from_ns(unit));
    let labels: Vec<String> = occupancy.ids().map(|cpu: CpuId| format!("cpu {}", cpu.0)).collect();
    let width = labels.iter().map(String::len).max().unwrap_or(1);
    for (label, lane) in labels.iter().zip(&occupancy) {
        text.push_str(&row(label, width, &draw(lane, columns, busy)));
    }
    for (task, lane) in lives.pairs().take(LETTERS.len()) {
        text.push_str(&row(&letter(task).to_string(), width, &draw(lane, columns, state)));
    }
    for task in lives.ids().take(LETTERS.len()) {
        text.push_str(&format!("{} = {}\n", letter(task), timeline.task_name(task)));
    }
    if lives.iter().take(LETTERS.len()).flatten().any(|stretch| stretch.state == Seen::Still) {
        text.push_str(&format!("{STILL} = {MEANS}\n"));
    }
    if let Some(more) = lives.len().checked_sub(LETTERS.len()).filter(|more| *more > 0) {
        text.push_str(&format!("{LATER} = one of {more} more tasks, whose rows are not drawn\n"));
    }
    text
}

/// What is seen of a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Does(State),
    Still,
}

/// The lives of all tasks: those that are ready stand still or do not.
fn lives(timeline: &Timeline) -> IdVec<TaskId, Vec<Stretch<Seen>>> {
    let standing = Standing::of(timeline);
    let seen = |task: TaskId, stretch: &Stretch| -> Vec<Stretch<Seen>> {
        let does = Stretch { start: stretch.start, end: stretch.end, state: Seen::Does(stretch.state) };
        let Some(standing) = standing.as_ref().filter(|_| stretch.state == State::Ready) else { return vec![does] };
        let pieces = standing.still(task, stretch.start, stretch.end).into_iter();
        let state = |still: Option<_>| if still.is_some() { Seen::Still } else { does.state };
        pieces.map(|(start, end, still)| Stretch { start, end, state: state(still) }).collect()
    };
    let lanes = timeline.lanes();
    lanes.pairs().map(|(task, lane)| lane.iter().flat_map(|stretch| seen(task, stretch)).collect()).collect()
}

fn row(label: &str, width: usize, cells: &str) -> String {
    format!("{label:width$} |{cells}|\n")
}

fn draw<S: Copy + PartialEq>(lane: &[Stretch<S>], columns: Columns, symbol: fn(S) -> char) -> String {
    cells(lane, columns, |_| false)
        .iter()
        .map(|cell| cell.majority.map_or(MIXED, |state| state.map_or(' ', symbol)))
        .collect()
}

fn busy(busy: Busy) -> char {
    match busy {
        Busy::Run(task) => letter(task),
        Busy::Switch(_) | Busy::Start(_) | Busy::Seek(_) => '~',
        Busy::Clash => CLASH,
        Busy::Idle => '.',
    }
}

fn state(seen: Seen) -> char {
    match seen {
        Seen::Does(State::Running) => '#',
        Seen::Does(State::Ready) => '-',
        Seen::Does(State::Blocked(_)) => '=',
        Seen::Does(State::Overhead | State::Starting) => '~',
        Seen::Still => STILL,
    }
}

fn letter(task: TaskId) -> char {
    LETTERS.get(task.0 as usize).map_or(LATER, |letter| char::from(*letter))
}

/// All times at which something changes, and the end.
fn edges<'a, I: Id + 'a, S>(lanes: &'a IdVec<I, Vec<Stretch<S>>>, extent: u64) -> impl Iterator<Item = u64> + 'a {
    lanes.iter().flatten().flat_map(|stretch| [stretch.start.ns(), stretch.end.ns()]).chain([extent])
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Story};
    use expect_test::{Expect, expect};

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
    fn check(timeline: &Timeline, most: usize, expected: Expect) {
        expected.assert_eq(&ascii(timeline, most));
    }

    #[test]
    fn exact_if_it_fits() {
        let timeline = Story::new(2)
            .tasks("crawler", "download", 2)
            .tasks("crawler", "crunch", 1)
            .life(2, Some(10), Some(60))
            .life(0, Some(0), Some(55))
            .run(0, 0, 0, 15)
            .io(0, 15, 40)
            .switch(0, 1, 15, 20)
            .run(0, 1, 20, 40)
            .run(1, 2, 15, 60)
            .run(0, 0, 45, 55)
            .end(60);
        check(
            &timeline,
            80,
            expect![[r#"
            1 column = 5us
            cpu 0 |AAA~BBBB.AA.|
            cpu 1 |...CCCCCCCCC|
            A     |###=====-## |
            B     |---~####----|
            C     |  -#########|
            A = crawler/download#0
            B = crawler/download#1
            C = crawler/crunch#0
        "#]],
        );
    }

    #[test]
    fn shortened_if_it_does_not_fit() {
        check(
            &testing::downloads(),
            40,
            expect![[r#"
            1 column = 1ms, shortened: the state of more than half of it, or ?
            cpu 0 |ABCDEFFFFFFFFFFFFFFF.ABCDE |
            A     |#====================#     |
            B     |-#====================#    |
            C     |--#====================#   |
            D     |---#====================#  |
            E     |----#====================# |
            F     |?----###############       |
            A = crawler/download#0
            B = crawler/download#1
            C = crawler/download#2
            D = crawler/download#3
            E = crawler/download#4
            F = crawler/crunch#0
        "#]],
        );
    }

    #[test]
    fn records_that_do_not_fit_together_are_drawn_all_the_same() {
        check(
            &testing::broken(),
            80,
            expect![[r#"
                1 column = 1us
                cpu 0 |AAAAAAAAAA!!BBBBBBBB.........................|
                cpu 1 |..JJJJ................................AAAAAAA|
                A     |############==========================#######|
                B     |          ###############                    |
                C     |                                             |
                D     |     ----------------------------------------|
                A = main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#0
                B = main/an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will#1
                C = main/never-came#0
                D = main/<&"quoted\ 🦀 µs#0
            "#]],
        );
    }

    #[test]
    fn nothing_and_almost_nothing() {
        check(
            &Timeline::default(),
            80,
            expect![[r#"
            1 column = 1ns
        "#]],
        );
        check(
            &Story::new(1).tasks("main", "A", 1).life(0, Some(0), Some(0)).run(0, 0, 0, 0).end(0),
            80,
            expect![[r#"
                1 column = 1ns
                cpu 0 ||
                A     ||
                A = main/A#0
            "#]],
        );
        check(
            &Story::new(1).tasks("main", "A", 1).life(0, None, None).end(7),
            0,
            expect![[r#"
            1 column = 7us
            cpu 0 |.|
            A     | |
            A = main/A#0
        "#]],
        );
    }

    #[test]
    fn many_tasks_share_the_last_letter() {
        let jobs: Vec<(u64, testing::Bursts)> = (0..64).map(|_| (0, vec![1])).collect();
        let text = ascii(&Story::new(1).tasks("main", "A", 64).round_robin(1, 0, &jobs), 64);
        assert!(text.contains("89**|\n"), "{text}");
        assert!(text.ends_with("9 = main/A#61\n* = one of 2 more tasks, whose rows are not drawn\n"), "{text}");
        assert!(text.is_ascii());
    }
}
