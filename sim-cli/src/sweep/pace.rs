//! How an experiment goes on, for who watches: what it will cost before it costs it, and how long the rest takes.
//!
//! On a terminal that is a line that is written anew; elsewhere a few plain lines.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::output;
use crate::progress::{self, Progress};

/// So long is watched before anything is said of how long all takes.
const FIRST: Duration = Duration::from_millis(500);
/// Shorter work needs no estimate.
const SHORT: Duration = Duration::from_secs(3);
/// Plain lines come no more often.
const PLAIN: Duration = Duration::from_secs(10);

/// The pace of an experiment.
#[derive(Debug)]
pub struct Pace {
    quiet: bool,
    variations: usize,
    jobs: usize,
    progress: Progress,
    /// When the first run of this call began.
    started: Option<Instant>,
    /// Plain lines are due from here on.
    next: Instant,
    /// Runs that are done, by this call and before.
    done: usize,
    all: usize,
    by_this_call: usize,
    bytes: usize,
    estimated: bool,
}

impl Pace {
    /// Nothing has begun.
    #[must_use]
    pub fn new(quiet: bool, variations: usize, jobs: usize) -> Pace {
        Pace {
            quiet,
            variations,
            jobs,
            progress: Progress::new(quiet),
            started: None,
            next: Instant::now() + PLAIN,
            done: 0,
            all: 0,
            by_this_call: 0,
            bytes: 0,
            estimated: false,
        }
    }

    /// So many runs are due, beside those that are done.
    pub fn round(&mut self, due: usize, done: usize, folder: &Path) {
        (self.done, self.all) = (done, done + due);
        if self.started.is_none() && !self.quiet {
            let (all, variations, jobs) = (self.all, self.variations, self.jobs);
            let each = if variations == 1 { "1 variation".to_owned() } else { format!("{variations} variations") };
            let at_once = if jobs == 1 { String::new() } else { format!(", {jobs} at once") };
            output::talk(&format!("{all} runs of {each}{at_once}, into {}", folder.display()));
        }
        self.started.get_or_insert_with(Instant::now);
    }

    /// One more is done, and its line has so many bytes.
    pub fn done(&mut self, bytes: usize) {
        self.done += 1;
        self.by_this_call += 1;
        self.bytes += bytes;
        if self.quiet {
            return;
        }
        let passed = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        let left = self.left(passed);
        if !self.estimated && passed >= FIRST {
            self.estimated = true;
            if passed + left >= SHORT {
                output::talk(&format!("about {}, and {} on the disk", progress::rough(passed + left), self.size()));
            }
        }
        let (done, all) = (self.done, self.all);
        self.progress.count(done, all, "runs");
        if !output::talks_to_a_terminal() && Instant::now() >= self.next && done < all {
            self.next = Instant::now() + PLAIN;
            output::talk(&format!("{done} of {all} runs, about {} left", progress::rough(left)));
        }
    }

    /// How long the rest takes if it goes on like this.
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    fn left(&self, passed: Duration) -> Duration {
        let rest = (self.all - self.done) as f64 / self.by_this_call.max(1) as f64;
        Duration::try_from_secs_f64(passed.as_secs_f64() * rest).unwrap_or(Duration::MAX)
    }

    /// About how large the file will be.
    fn size(&self) -> String {
        let bytes = self.bytes / self.by_this_call.max(1) * self.all;
        match bytes {
            0..10_000 => format!("{bytes} B"),
            10_000..10_000_000 => format!("{} kB", bytes / 1_000),
            _ => format!("{} MB", bytes / 1_000_000),
        }
    }
}
