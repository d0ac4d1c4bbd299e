//! Progress of long work: one line on standard error that is written anew now and then. It appears after a second, only
//! if standard error is a terminal, and is gone when the work is done.
//!
//! ```text
//! about 12 s left: ████████▒▒▒▒▒▒▒▒▒▒▒▒ 410 of 1000 runs
//! ```

use std::time::{Duration, Instant};

use crate::{letters, output};

/// Shorter work needs no word.
const SILENCE: Duration = Duration::from_secs(1);
/// The line is not written more often.
const PACE: Duration = Duration::from_millis(200);
/// What lies further ahead cannot be told from what lies behind.
const FARTHEST: Duration = Duration::from_hours(1000);

/// The progress of one piece of work. Dropping it takes the line away.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    /// When the line may be written next; `None` if nobody would see it.
    next: Option<Instant>,
    /// So many columns are written.
    shown: usize,
}

impl Progress {
    /// Work that begins now; `quiet` never says anything.
    #[must_use]
    pub fn new(quiet: bool) -> Progress {
        let started = Instant::now();
        let seen = !quiet && output::talks_to_a_terminal();
        Progress { started, next: seen.then(|| started + SILENCE), shown: 0 }
    }

    /// So many of so many are done: `runs`, or whatever `noun` they are.
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    pub fn count(&mut self, done: usize, all: usize, noun: &str) {
        let share = done as f64 / all.max(1) as f64;
        self.show(Some(share), || format!("{} {done} of {all} {noun}", bar(share)));
    }

    /// So many of so many are done, and this is the number of the one that is under way: some of those before did not count.
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    pub fn kept(&mut self, kept: usize, all: usize, number: usize) {
        self.show(Some(kept as f64 / all.max(1) as f64), || under_way(kept, all, number));
    }

    /// What is said of the work so far, and which share of it is done, if that is known: the time that is left follows
    /// from it. Costs a look at the clock; the text is made only when it is shown.
    pub fn show(&mut self, share: Option<f64>, text: impl FnOnce() -> String) {
        let Some(next) = self.next else { return };
        let now = Instant::now();
        if now < next {
            return;
        }
        self.next = Some(now + PACE);
        let left = share.and_then(|share| left(now - self.started, share));
        // First what matters most: a narrow terminal shows the beginning.
        let left = left.map_or_else(String::new, |left| format!("about {} left: ", rough(left)));
        // In the last column some terminals begin a new line.
        let line = letters::cut(&format!("{left}{}", text()), output::columns_of_talk().saturating_sub(1));
        output::line(&line, self.shown);
        self.shown = letters::width(&line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown > 0 {
            output::line("", self.shown);
        }
    }
}

/// So many signs wide is a bar.
const BAR: usize = 20;

/// A share as a bar.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few signs")]
fn bar(share: f64) -> String {
    let full = ((share.clamp(0.0, 1.0) * BAR as f64).round() as usize).min(BAR);
    format!("{}{}", "█".repeat(full), "▒".repeat(BAR - full))
}

/// Runs that are repeated where others disturb them, in words: more may be made than are wanted.
fn under_way(kept: usize, all: usize, number: usize) -> String {
    format!("run {number}, {kept} of {all} kept")
}

/// How long the rest takes if it goes on like this.
fn left(passed: Duration, share: f64) -> Option<Duration> {
    let left = Duration::try_from_secs_f64(passed.as_secs_f64() * (1.0 - share.clamp(0.0, 1.0)) / share).ok()?;
    (left < FARTHEST).then_some(left)
}

/// A duration as people say it.
#[must_use]
pub fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{} s", seconds + 1),
        seconds @ 100..6_000 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_what_is_done() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(10), 0.25), Some(seconds(30)));
        assert_eq!(left(seconds(10), 1.0), Some(seconds(0)));
        assert_eq!(left(seconds(10), 0.0), None);
        assert_eq!(left(seconds(10), f64::NAN), None);
        assert_eq!(left(seconds(10), 1e-9), None);
        assert_eq!([5, 150, 7_000].map(|time| rough(seconds(time))), ["6 s", "3 min", "2 h"]);
    }

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let shown = [0.0, 0.41, 1.0, f64::NAN].map(bar);
        assert_eq!(shown[1], "████████▒▒▒▒▒▒▒▒▒▒▒▒");
        assert!(shown.iter().all(|bar| bar.chars().count() == BAR));
    }

    #[test]
    fn runs_that_do_not_count_are_no_progress() {
        assert_eq!(under_way(2, 10, 14), "run 14, 2 of 10 kept");
    }

    #[test]
    fn without_a_terminal_nothing_is_said() {
        let mut progress = Progress::new(false);
        progress.started = Instant::now().checked_sub(SILENCE).unwrap();
        progress.show(None, || panic!("standard error of a test is no terminal"));
        let mut quiet = Progress::new(true);
        quiet.count(1, 2, "runs");
        assert_eq!(quiet.shown, 0);
    }
}
