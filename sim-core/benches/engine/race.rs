//! Contenders for the same work, measured alternately.

use std::any::Any;
use std::hint::black_box;
use std::time::Instant;

use super::median;

/// Its name, and what it does: the units of work done, and what was made of it, which is let go when the time is taken.
pub(super) struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() -> (u64, Box<dyn Any>) + 'a>,
}

impl<'a> Contender<'a> {
    pub(super) fn new(name: &'static str, mut run: impl FnMut() -> u64 + 'a) -> Contender<'a> {
        Contender::keeping(name, move || (run(), ()))
    }

    /// One that leaves something behind.
    pub(super) fn keeping<T: 'static>(name: &'static str, mut run: impl FnMut() -> (u64, T) + 'a) -> Contender<'a> {
        let boxed = move || {
            let (units, made) = run();
            (units, Box::new(made) as Box<dyn Any>)
        };
        Contender { name, run: Box::new(boxed) }
    }
}

/// All that is measured.
pub(super) struct Race {
    pub(super) rounds: usize,
    results: Vec<Result>,
}

/// The median time per unit of each contender, and its ratio to the first.
struct Result {
    workload: &'static str,
    figures: Vec<(&'static str, f64, f64)>,
}

/// What the columns of the table are, apart from the bare loop.
const COLUMNS: [&str; 3] = ["nothing recorded", "metrics", "timeline kept"];

impl Race {
    pub(super) fn new(rounds: usize) -> Race {
        println!("{:<34} {:>12} {:>8} {:>8}", "workload", "per unit", "x bare", "spread");
        Race { rounds, results: Vec::new() }
    }

    /// Runs the contenders alternately and prints the median time per unit; the first is the bare loop.
    pub(super) fn run(&mut self, workload: &'static str, mut contenders: Vec<Contender<'_>>) {
        let mut times = vec![Vec::new(); contenders.len()];
        for _ in 0..self.rounds {
            for (contender, times) in contenders.iter_mut().zip(&mut times) {
                let start = Instant::now();
                let (units, made) = black_box((contender.run)());
                times.push(start.elapsed().as_nanos() as f64 / units as f64);
                drop(made);
            }
        }
        let bare = median(times[0].clone());
        let mut result = Result { workload, figures: Vec::new() };
        for (contender, times) in contenders.iter().zip(times) {
            let ratios = times.iter().copied().map(|time| time / bare);
            let (least, most) =
                ratios.fold((f64::MAX, 0.0_f64), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
            let time = median(times);
            println!(
                "{:<34} {time:>9.1} ns {:>8.2} {:>8}",
                format!("{workload} {}", contender.name),
                time / bare,
                format!("{least:.1}–{most:.1}")
            );
            result.figures.push((contender.name, time, time / bare));
        }
        self.results.push(result);
    }

    /// Every workload that has a bare loop, beside it.
    pub(super) fn table(&self) {
        let [nothing, metrics, kept] = COLUMNS;
        println!("\n{:<30} {:>9} {nothing:>22} {metrics:>22} {kept:>22}", "ns per unit (x bare)", "bare loop");
        for Result { workload, figures } in &self.results {
            let Some((_, bare, _)) = figures.first().filter(|(name, ..)| *name == "bare loop") else { continue };
            let cell = |column: &str| {
                let figure = figures.iter().find(|(name, ..)| *name == column);
                figure.map_or_else(|| "–".to_owned(), |(_, time, ratio)| format!("{time:.1} ({ratio:.2}x)"))
            };
            let [nothing, metrics, kept] = COLUMNS.map(cell);
            println!("{workload:<30} {bare:>9.1} {nothing:>22} {metrics:>22} {kept:>22}");
        }
    }
}
