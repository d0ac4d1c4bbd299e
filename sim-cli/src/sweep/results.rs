//! The runs of an experiment that are done, which are still to be done, and what they say together.

use std::collections::BTreeMap;

use serde_json::Value;
use sim_core::experiment::{Experiment, Figures};
use sim_core::statistics::Interval;

use super::line::Cell;
use super::shard::Shard;

/// What is kept of a run.
#[derive(Clone, Debug)]
struct Record {
    figures: Box<[Option<f64>]>,
    samples: Vec<Vec<f64>>,
    /// How the run ended, if tasks were left that would have ended.
    end: Option<String>,
}

/// The runs that are done.
#[derive(Debug)]
pub struct Results<'e> {
    experiment: &'e Experiment,
    shard: Option<Shard>,
    /// By variation, then by replication.
    of: Vec<BTreeMap<u32, Record>>,
    count: usize,
}

/// A run that is to be done: its variation and its number.
pub type Due = (usize, u32);

/// How many runs a variation had when the precision that was asked for was not reached, and about how many it would need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooFew {
    /// Which variation.
    pub variation: usize,
    /// How many runs it has.
    pub has: u32,
    /// About how many it would need; `None` if it cannot be said.
    pub needs: Option<usize>,
}

impl<'e> Results<'e> {
    /// None yet.
    #[must_use]
    pub fn new(experiment: &'e Experiment, shard: Option<Shard>) -> Results<'e> {
        Results { experiment, shard, of: vec![BTreeMap::new(); experiment.variations()], count: 0 }
    }

    /// How many runs are done.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many replications of a variation are done.
    #[must_use]
    pub fn replications(&self, variation: usize) -> usize {
        self.of[variation].len()
    }

    /// Is this run done?
    #[must_use]
    pub fn has(&self, (variation, replication): Due) -> bool {
        self.of[variation].contains_key(&replication)
    }

    /// One more is done.
    ///
    /// # Errors
    /// If it has been done already, or belongs to another shard.
    pub fn add(&mut self, cell: Cell) -> Result<(), String> {
        let Cell { variation, replication, figures, samples, end, unfinished, .. } = cell;
        if !self.is_mine((variation, replication)) {
            return Err(format!("replication {replication} of variation {variation} belongs to another shard"));
        }
        let end = (unfinished > 0 || (end != "completed" && end != "horizon")).then_some(end);
        let record = Record { figures: figures.iter().map(Value::as_f64).collect(), samples, end };
        if self.of[variation].insert(replication, record).is_some() {
            return Err(format!("replication {replication} of variation {variation} is here twice"));
        }
        self.count += 1;
        Ok(())
    }

    /// Is a run the part of this shard? Where a precision is asked for it takes all of a variation to know when it has enough
    /// runs; otherwise runs are dealt out one by one.
    #[must_use]
    pub fn is_mine(&self, (variation, replication): Due) -> bool {
        let number = variation as u64 * u64::from(self.experiment.replications) + u64::from(replication);
        let index = if self.experiment.stop_when.is_some() { variation as u64 } else { number };
        self.shard.is_none_or(|shard| shard.has(index))
    }

    /// The runs to do next, in order. None if all is done: which runs there are in the end depends on nothing but what
    /// earlier ones have given.
    #[must_use]
    pub fn due(&self) -> Vec<Due> {
        let looks = self.experiment.looks();
        let of = |variation: usize| {
            let done = &self.of[variation];
            let missing = move |replication: &u32| !done.contains_key(replication);
            let mine = move |replication: &u32| self.is_mine((variation, *replication));
            (0..self.wanted(variation, &looks)).filter(mine).filter(missing).map(move |number| (variation, number))
        };
        (0..self.of.len()).flat_map(of).collect()
    }

    /// How many replications a variation is to have, as far as that is known.
    fn wanted(&self, variation: usize, looks: &[u32]) -> u32 {
        let most = looks.last().copied().unwrap_or(0);
        let Some(stop) = &self.experiment.stop_when else { return most };
        let enough = |look: &u32| {
            let figures = self.figures_of(variation, stop.of, *look);
            figures.len() < *look as usize || self.interval(&figures).is_some_and(|interval| self.is_sure(&interval))
        };
        looks.iter().copied().find(enough).unwrap_or(most)
    }

    /// The figures of the first replications of a variation, as far as they are done.
    fn figures_of(&self, variation: usize, metric: usize, most: u32) -> Vec<Option<f64>> {
        self.of[variation].range(..most).map(|(_, record)| record.figures[metric]).collect()
    }

    fn interval(&self, figures: &[Option<f64>]) -> Option<Interval> {
        Interval::of(&figures.iter().copied().flatten().collect::<Vec<_>>(), self.experiment.level)
    }

    fn is_sure(&self, interval: &Interval) -> bool {
        let stop = self.experiment.stop_when.as_ref();
        let width = stop.map(|stop| stop.half_width.around(interval.mean));
        interval.half_width.zip(width).is_some_and(|(own, wanted)| own <= wanted)
    }

    /// The variations that are less sure than was asked for.
    pub fn too_few(&self) -> impl Iterator<Item = TooFew> {
        let stop = self.experiment.stop_when.as_ref();
        let mine = (0..self.of.len()).filter(|variation| self.is_mine((*variation, 0)));
        stop.into_iter().flat_map(move |stop| mine.clone().map(move |variation| (stop, variation))).filter_map(
            |(stop, variation)| {
                let interval = self.interval(&self.figures_of(variation, stop.of, stop.at_most));
                if interval.as_ref().is_some_and(|interval| self.is_sure(interval)) {
                    return None;
                }
                let needs = interval.and_then(|interval| interval.needed(stop.half_width.around(interval.mean)));
                let has = u32::try_from(self.of[variation].len()).unwrap_or(u32::MAX);
                Some(TooFew { variation, has, needs })
            },
        )
    }

    /// How runs of a variation ended that did not end as they should, and how many so.
    #[must_use]
    pub fn ends(&self, variation: usize) -> BTreeMap<&str, usize> {
        let mut ends = BTreeMap::new();
        for end in self.of[variation].values().filter_map(|record| record.end.as_deref()) {
            *ends.entry(end).or_default() += 1;
        }
        ends
    }

    /// The figures of all variations, for estimates.
    #[must_use]
    pub fn figures(&self) -> Vec<Figures> {
        let metrics = self.experiment.metrics.len();
        let of = |records: &BTreeMap<u32, Record>| Figures {
            of: (0..metrics).map(|metric| records.values().map(|record| record.figures[metric]).collect()).collect(),
            samples: (0..metrics)
                .map(|metric| records.values().flat_map(|record| record.samples[metric].iter().copied()).collect())
                .collect(),
        };
        self.of.iter().map(of).collect()
    }

    /// The figures of every run, in order: its variation, its number, and the figure of each metric.
    pub fn runs(&self) -> impl Iterator<Item = (Due, &[Option<f64>])> {
        self.of.iter().enumerate().flat_map(|(variation, records)| {
            records.iter().map(move |(number, record)| ((variation, *number), &*record.figures))
        })
    }
}

#[cfg(test)]
mod tests {
    use sim_core::document::Source;

    use super::*;

    fn experiment(rest: &str) -> Experiment {
        let text = format!("scenario = \"a.toml\"\nmetrics = [\"makespan\"]\n{rest}\n[vary]\na = [1, 2, 3]");
        Experiment::read(&Source { file: "e.toml", text: &text }).expect("valid")
    }

    fn cell((variation, replication): Due, figure: f64) -> Cell {
        Cell {
            variation,
            replication,
            seed: 1,
            figures: vec![figure.into()],
            samples: vec![Vec::new()],
            end: "completed".to_owned(),
            unfinished: 0,
            hash: String::new(),
        }
    }

    #[test]
    fn a_variation_is_run_until_it_is_sure() {
        let experiment = experiment("stop-when = { half-width = 0.5, of = \"throughput_per_s\", at-most = 40 }");
        let mut results = Results::new(&experiment, None);
        assert_eq!(results.due().len(), 30, "ten of each at first");
        let figure = |(variation, number): Due| match variation {
            0 => 5.0,
            1 => {
                if number < 10 {
                    f64::from(number)
                } else {
                    4.5
                }
            }
            _ => f64::from(number % 7) * 100.0,
        };
        let mut rounds = Vec::new();
        loop {
            let due = results.due();
            if due.is_empty() {
                break;
            }
            rounds.push(due.len());
            for due in due {
                let mut cell = cell(due, 1.0);
                cell.figures.push(figure(due).into());
                cell.samples.push(Vec::new());
                results.add(cell).expect("it is new");
            }
        }
        // The second is at ±2 after ten, ±0.9 after twenty and ±0.5 after forty; the third never.
        assert_eq!(rounds, [30, 20, 40]);
        let too_few: Vec<(usize, u32)> = results.too_few().map(|few| (few.variation, few.has)).collect();
        assert_eq!(too_few, [(2, 40)]);
        let needs = results.too_few().next().and_then(|few| few.needs).expect("an estimate");
        assert!((500_000..5_000_000).contains(&needs), "{needs}");
    }

    #[test]
    fn shards_have_every_run_once() {
        for rest in ["replications = 7", "stop-when = { half-width = \"1%\", at-most = 10 }"] {
            let experiment = experiment(rest);
            let whole = Results::new(&experiment, None).due();
            let shard = |number| Results::new(&experiment, Some(Shard { number, of: 2 })).due();
            let mut parts = [shard(1), shard(2)].concat();
            parts.sort_unstable();
            assert_eq!(parts, whole, "{rest}");
        }
    }

    #[test]
    fn nothing_is_counted_twice() {
        let experiment = experiment("replications = 2");
        let mut results = Results::new(&experiment, Some(Shard { number: 1, of: 2 }));
        results.add(cell((0, 0), 1.0)).expect("it is new");
        assert_eq!(results.add(cell((0, 0), 1.0)), Err("replication 0 of variation 0 is here twice".to_owned()));
        assert!(results.add(cell((0, 1), 1.0)).is_err_and(|said| said.ends_with("another shard")));
        assert_eq!(results.due(), [(1, 0), (2, 0)]);
    }
}
