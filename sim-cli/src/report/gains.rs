//! Virtual speed-ups for people: what would gain how much, ranked, and what would gain nothing.

use sim_core::engine::End;
use sim_core::metrics::Gone;
use sim_core::outcome::{Better, Metric};
use sim_core::scenario::Scenario;
use sim_core::speedup::{Candidate, Change, Degree};
use sim_core::statistics::Interval;

use crate::letters::{glued, wrapped};
use crate::output::Terminal;
use crate::table::Table;

/// So many rows of a table are shown, unless all are wanted.
const ROWS: usize = 15;
/// So many of the best are told how to try.
const TO_TRY: usize = 3;
/// Of a list of edits no more than this is worth printing.
const LONGEST_EDIT: usize = 4;
/// Less than this share of the figure is nothing.
const NOTHING: f64 = 5e-5;
/// The level of intervals.
const LEVEL: f64 = 0.95;

/// The figures of a scenario in all its replications.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// In their order; `None` where the run has no such figure.
    pub values: Vec<Option<f64>>,
    /// How a run ended that came to no end.
    pub stuck: Option<&'static str>,
    /// What was given up and rejected, in all replications.
    pub gone: [u64; 2],
}

impl Figures {
    /// Notes how a run ended, and what was given up and rejected in it.
    pub fn note(&mut self, end: End, gone: Gone) {
        self.gone[0] += gone.given_up;
        self.gone[1] += gone.rejected;
        if matches!(end, End::Deadlock | End::Livelock) {
            self.stuck = Some(end.name());
        }
    }

    /// The mean and how sure it is.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let values: Vec<f64> = self.values.iter().copied().collect::<Option<_>>()?;
        Interval::of(&values, LEVEL)
    }
}

/// A change that was run.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Of which of the candidates.
    pub candidate: usize,
    /// The change.
    pub change: Change,
    /// What came of it.
    pub figures: Figures,
}

/// All that was run.
#[derive(Debug)]
pub struct Trials {
    /// What is judged.
    pub metric: Metric,
    /// How often each was run.
    pub replications: usize,
    /// The scenario as it is.
    pub baseline: Figures,
    /// What could be changed.
    pub candidates: Vec<Candidate>,
    /// The changes that were run.
    pub tried: Vec<Tried>,
    /// How many runs were done, of how many.
    pub runs: (usize, usize),
}

/// What is gained by a change: how much better the figure is, as a share of what it was. Negative: it is worse.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Gain {
    /// In the mean over replications.
    pub share: f64,
    /// So far above or below, with 95 % confidence; `None` where nothing is left to chance.
    pub half_width: Option<f64>,
}

impl Gain {
    /// Can it be told from nothing?
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.share.abs() > self.half_width.unwrap_or(0.0).max(NOTHING)
    }

    fn words(self) -> String {
        let share = self.share * 100.0;
        let decimals = usize::from(share.abs() < 9.95);
        let width = self.half_width.map(|width| width * 100.0).filter(|width| *width >= 0.05);
        match (width, share.abs() < 0.05) {
            (Some(width), true) => format!("0.0 ±{width:.1} %"),
            (Some(width), false) => format!("{share:.decimals$} ±{width:.1} %"),
            (None, true) if !self.is_something() => "0 %".to_owned(),
            (None, true) if share < 0.0 => ">-0.1 %".to_owned(),
            (None, true) => "<0.1 %".to_owned(),
            (None, false) => format!("{share:.decimals$} %"),
        }
    }
}

impl Trials {
    /// Has the figure no good direction? Then changes are told as rises and falls.
    #[must_use]
    pub fn is_neutral(&self) -> bool {
        self.metric.better().is_none()
    }

    /// What a change gains, in the mean over pairs of runs with the same chance: of each pair the share of its own figure
    /// without the change, or, where one of these is zero, the differences as shares of the mean. Of a figure without a good
    /// direction, by how much it rises. `None` if a run has no figure, or the figure was zero in all.
    #[must_use]
    pub fn gain(&self, tried: &Tried) -> Option<Gain> {
        let sign = self.sign();
        let pairs = tried.figures.values.iter().zip(&self.baseline.values);
        let pairs: Vec<(f64, f64)> =
            pairs.map(|(after, before)| Some(((*after)?, (*before)?))).collect::<Option<_>>()?;
        let mean = sim_core::statistics::mean(pairs.iter().map(|(_, before)| *before))?;
        let some_is_zero = pairs.iter().any(|(_, before)| *before == 0.0);
        if some_is_zero && mean == 0.0 {
            return None;
        }
        let of = |before: f64| if some_is_zero { mean.abs() } else { before.abs() };
        let shares: Vec<f64> = pairs.iter().map(|(after, before)| sign * (after - before) / of(*before)).collect();
        let share = Interval::of(&shares, LEVEL)?;
        Some(Gain { share: share.mean, half_width: share.half_width })
    }

    /// How many times as large the figure is, where a percentage would say little.
    fn times(&self, gain: Gain) -> Option<String> {
        let times = 1.0 + self.sign() * gain.share;
        let decimals = usize::from(times < 9.95);
        let width = gain.half_width.filter(|width| *width >= 0.05).map(|width| format!(" ±{width:.decimals$}"));
        let as_what = if self.metric.is_time() { "as long" } else { "as much" };
        (times >= 2.0).then(|| format!("{times:.decimals$}{}× {as_what}", width.unwrap_or_default()))
    }

    /// A gain is a change of the figure with this sign.
    fn sign(&self) -> f64 {
        if self.metric.better() == Some(Better::Lower) { -1.0 } else { 1.0 }
    }

    /// The changes of a candidate that were run.
    pub fn of(&self, candidate: usize) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(move |tried| tried.candidate == candidate)
    }

    /// The most that a candidate gains by any of its changes.
    #[must_use]
    pub fn best(&self, candidate: usize) -> Option<f64> {
        let value = |tried: &Tried| tried.figures.interval().map(|interval| -interval.mean);
        let worth = |gain: Gain| if self.is_neutral() { gain.share.abs() } else { gain.share };
        let gain = |tried: &Tried| self.gain(tried).map(worth).or_else(|| value(tried));
        let gains = self.of(candidate).filter_map(gain);
        gains.max_by(f64::total_cmp)
    }

    /// Does none of its changes make a difference?
    #[must_use]
    pub fn is_in_vain(&self, candidate: usize) -> bool {
        let mut gains = self.of(candidate).map(|tried| self.gain(tried)).peekable();
        gains.peek().is_some() && gains.all(|gain| gain.is_some_and(|gain| !gain.is_something()))
    }

    /// Is what a change gains bought by giving up more, or turning more away?
    #[must_use]
    pub fn turns_away(&self, tried: &Tried) -> bool {
        let more = tried.figures.gone.iter().sum::<u64>() > self.baseline.gone.iter().sum::<u64>();
        more && self.gain(tried).is_some_and(|gain| gain.is_something() && (gain.share > 0.0 || self.is_neutral()))
    }

    /// The candidates that were run, those that gain most first.
    #[must_use]
    pub fn ranked(&self) -> Vec<usize> {
        let run = |number: &usize| self.of(*number).next().is_some();
        let mut ranked: Vec<usize> = (0..self.candidates.len()).filter(run).collect();
        let best = |number: usize| self.best(number).unwrap_or(f64::NEG_INFINITY);
        ranked.sort_by(|a, b| best(*b).total_cmp(&best(*a)).then(a.cmp(b)));
        ranked
    }

    fn is_by_percent(&self, candidate: usize) -> bool {
        self.candidates[candidate].changes.iter().all(|change| matches!(change.degree, Degree::Faster(_)))
    }
}

/// What a candidate is called: all its names.
#[must_use]
pub fn name(candidate: &Candidate, scenario: &Scenario) -> String {
    let names: Vec<String> = candidate.subjects.iter().map(|subject| subject.name(scenario)).collect();
    names.join(" = ")
}

/// What stands beside a candidate: its share of the critical path, and why it gains nothing if it does not.
pub trait Beside {
    /// Is it the path of the figure that is judged?
    fn explains(&self) -> bool;
    /// The share of the path that it is, if that can be said.
    fn share(&self, candidate: &Candidate) -> Option<f64>;
    /// Why it gains nothing, in words.
    fn why_not(&self, candidate: &Candidate) -> String;
}

/// The speed-ups in tables and sentences.
#[must_use]
pub fn text(
    trials: &Trials,
    scenario: &Scenario,
    beside: &dyn Beside,
    (full, call): (bool, &str),
    terminal: &Terminal,
) -> String {
    let mut text = heading(trials, terminal);
    let (mut vain, useful): (Vec<usize>, Vec<usize>) =
        trials.ranked().into_iter().partition(|number| trials.is_in_vain(*number));
    // Those first of which most would be expected.
    vain.sort_by(|a, b| {
        let share = |number: &usize| beside.share(&trials.candidates[*number]).unwrap_or(0.0);
        share(b).total_cmp(&share(a)).then(a.cmp(b))
    });
    let (times, others): (Vec<usize>, Vec<usize>) = useful.iter().partition(|number| trials.is_by_percent(**number));
    text += &faster(trials, scenario, beside, &times, full, terminal);
    text += &other(trials, scenario, &others, full, terminal);
    text += &in_vain(trials, scenario, beside, &vain, full, terminal);
    text += &worse(trials, scenario, &useful, terminal);
    text += &turns_away(trials, scenario, &useful, terminal);
    text += &to_try(trials, scenario, &useful, call);
    text
}

fn heading(trials: &Trials, terminal: &Terminal) -> String {
    let path = trials.metric.path();
    let no_value = || match trials.baseline.stuck {
        Some(end) => format!("has no value, as the run ends in a {end}; where it does not, the value stands below"),
        None => "has no value; where it has one, that stands below".to_owned(),
    };
    let value = trials.baseline.interval().map_or_else(no_value, |now| {
        let width = now.half_width.filter(|width| *width > 0.0);
        let width = width.map_or_else(String::new, |width| format!(" ±{}", shown(trials, width)));
        let own = trials.baseline.values.first().copied().flatten().filter(|_| trials.replications > 1);
        let own = own.map_or_else(String::new, |own| format!(" in the mean ({} in the run above)", shown(trials, own)));
        format!("is {}{width}{own}", shown(trials, now.mean))
    });
    let each = match trials.replications {
        1 => "each figure is a run of the edited file".to_owned(),
        many => format!("each figure is the mean of {many} pairs of runs with the same chance, ± at 95 %"),
    };
    let how = if trials.is_neutral() { "rise (or, with a minus, fall)" } else { "be better" };
    let words = format!("SPEED-UPS: by how much {path} would {how}, which {value}; {each}");
    format!("\n{}\n", terminal.bold(&wrapped(&glued(&words), terminal.width)))
}

/// A figure of the metric for people.
fn shown(trials: &Trials, value: f64) -> String {
    if trials.metric.is_time() {
        sim_core::time::Span::from_ns(crate::table::whole(value.abs())).readable()
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

fn faster(
    trials: &Trials,
    scenario: &Scenario,
    beside: &dyn Beside,
    numbers: &[usize],
    full: bool,
    terminal: &Terminal,
) -> String {
    let mut percents: Vec<u32> = trials.tried.iter().filter_map(|tried| percent(&tried.change)).collect();
    percents.sort_unstable();
    percents.dedup();
    let headings =
        percents.iter().map(|percent| if *percent == 100 { "no time".to_owned() } else { format!("{percent} %") });
    let path = beside.explains().then(|| "of path".to_owned());
    let mut table = Table::new(["FASTER BY".to_owned()].into_iter().chain(headings).chain(path));
    for number in &numbers[..limit(numbers, full)] {
        let of = |percent: &u32| trials.of(*number).find(|tried| self::percent(&tried.change) == Some(*percent));
        let gains =
            percents.iter().map(|percent| of(percent).map_or_else(|| "–".to_owned(), |tried| cell(trials, tried)));
        let candidate = &trials.candidates[*number];
        let share = beside.share(candidate).map_or_else(|| "–".to_owned(), of_path);
        let share = Some(share).filter(|_| beside.explains());
        table.row([name(candidate, scenario)].into_iter().chain(gains).chain(share));
    }
    rendered(&table, numbers, full, terminal)
}

/// A share of the path.
fn of_path(share: f64) -> String {
    if share > 0.0 && share < 0.005 { "<1 %".to_owned() } else { format!("{:.0} %", share * 100.0) }
}

fn other(trials: &Trials, scenario: &Scenario, numbers: &[usize], full: bool, terminal: &Terminal) -> String {
    let most = numbers.iter().map(|number| trials.of(*number).count()).max().unwrap_or(0);
    let pairs = ["to", if trials.is_neutral() { "change" } else { "gain" }].into_iter().cycle().take(2 * most);
    let mut table = Table::new(["CHANGED", "from"].into_iter().chain(pairs));
    for number in &numbers[..limit(numbers, full)] {
        let mut cells = vec![name(&trials.candidates[*number], scenario)];
        for (place, tried) in trials.of(*number).enumerate() {
            if let Degree::To { from, to } = &tried.change.degree {
                cells.extend((place == 0).then(|| from.clone()));
                cells.extend([to.clone(), cell(trials, tried)]);
            }
        }
        table.row(cells);
    }
    let text = rendered(&table, numbers, full, terminal);
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn limit(numbers: &[usize], full: bool) -> usize {
    if full || numbers.len() <= ROWS + 1 { numbers.len() } else { ROWS }
}

fn rendered(table: &Table, numbers: &[usize], full: bool, terminal: &Terminal) -> String {
    if table.is_empty() {
        return String::new();
    }
    let left_out = numbers.len() - limit(numbers, full);
    let more = if left_out > 0 { format!("… {left_out} more that gain less (--full)\n") } else { String::new() };
    format!("{}{more}", table.render(terminal))
}

fn percent(change: &Change) -> Option<u32> {
    if let Degree::Faster(percent) = change.degree { Some(percent) } else { None }
}

fn cell(trials: &Trials, tried: &Tried) -> String {
    match (trials.gain(tried), tried.figures.stuck) {
        (_, Some(end)) => end.to_owned(),
        (Some(gain), None) => trials.times(gain).unwrap_or_else(|| gain.words()),
        // There is nothing to compare it with.
        (None, None) => tried.figures.interval().map_or_else(|| "–".to_owned(), |now| shown(trials, now.mean)),
    }
}

/// Sentences on what would gain nothing, and why.
fn in_vain(
    trials: &Trials,
    scenario: &Scenario,
    beside: &dyn Beside,
    numbers: &[usize],
    full: bool,
    terminal: &Terminal,
) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n{}\n",
        terminal.bold(if trials.is_neutral() { "THESE CHANGE NOTHING" } else { "THESE GAIN NOTHING" })
    );
    for number in &numbers[..limit(numbers, full)] {
        let candidate = &trials.candidates[*number];
        let to: Vec<&str> = candidate.changes.iter().filter_map(|change| to(&change.degree)).collect();
        let how = if to.is_empty() { "faster".to_owned() } else { format!("to {}", to.join(" or ")) };
        let line = format!("{} {how}: {}", name(candidate, scenario), beside.why_not(candidate));
        text += &format!("{}\n", terminal.wrapped(&glued(&line)));
    }
    let left_out = numbers.len() - limit(numbers, full);
    if left_out > 0 {
        text += &format!("… {left_out} more (--full)\n");
    }
    text
}

/// To which value something is changed.
fn to(degree: &Degree) -> Option<&str> {
    match degree {
        Degree::To { to, .. } => Some(to),
        Degree::Faster(_) => None,
    }
}

/// What is faster and makes it worse deserves a sentence.
fn worse(trials: &Trials, scenario: &Scenario, numbers: &[usize], terminal: &Terminal) -> String {
    if trials.is_neutral() {
        return String::new();
    }
    let is_worse = |tried: &&Tried| trials.gain(tried).is_some_and(|gain| gain.is_something() && gain.share < 0.0);
    let named = |number: &usize| {
        let first = trials.of(*number).find(is_worse)?;
        let gain = trials.gain(first)?;
        let (name, path) = (name(&trials.candidates[*number], scenario), trials.metric.path());
        let percent = || format!("{:.1} % worse", -gain.share * 100.0);
        let worse = format!("{path} is {}", trials.times(gain).unwrap_or_else(percent));
        Some(match &first.change.degree {
            Degree::Faster(percent) => {
                format!("Faster is worse here: {name} faster by {percent} % changes the order of events, and {worse}.")
            }
            Degree::To { from, to } => format!("This is worse: with {name} at {to} instead of {from}, {worse}."),
        })
    };
    let sentences: Vec<String> = numbers.iter().filter_map(named).take(TO_TRY).collect();
    sentences.iter().map(|sentence| format!("\n{}\n", wrapped(&glued(sentence), terminal.width))).collect()
}

/// What is better only because more go without deserves one, too.
fn turns_away(trials: &Trials, scenario: &Scenario, numbers: &[usize], terminal: &Terminal) -> String {
    let each = trials.replications.max(1) as u64;
    let count = |all: u64| if all.is_multiple_of(each) { (all / each).to_string() } else { tenths(all, each) };
    let named = |number: &usize| {
        let more = |tried: &Tried| {
            let words = ["given up", "rejected"].into_iter().zip(tried.figures.gone.iter().zip(trials.baseline.gone));
            let words = words.map(|(word, (after, before))| (word, count(*after), count(before)));
            // What looks the same is not worth a sentence.
            let more = words.filter(|(_, after, before)| after != before);
            let more = more.map(|(word, after, before)| format!("{after} {word} instead of {before}"));
            Some(more.collect::<Vec<_>>()).filter(|more| !more.is_empty())
        };
        let mut tried = trials.of(*number).filter(|tried| trials.turns_away(tried));
        let (first, more) = tried.find_map(|tried| Some((tried, more(tried)?)))?;
        let how = match &first.change.degree {
            Degree::Faster(percent) => format!("faster by {percent} %"),
            Degree::To { to, .. } => format!("at {to}"),
        };
        let name = name(&trials.candidates[*number], scenario);
        Some(format!("More go without: with {name} {how}, {}.", more.join(" and ")))
    };
    let sentences: Vec<String> = numbers.iter().filter_map(named).take(TO_TRY).collect();
    sentences.iter().map(|sentence| format!("\n{}\n", wrapped(&glued(sentence), terminal.width))).collect()
}

fn tenths(all: u64, each: u64) -> String {
    let tenths = (all * 10 + each / 2) / each;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A smaller gain is not worth an edit by hand.
const WORTH: f64 = 0.001;

/// The edits that gain most, to be made by hand: those that are short enough for it.
fn to_try(trials: &Trials, scenario: &Scenario, numbers: &[usize], call: &str) -> String {
    let lines = numbers.iter().filter_map(|number| {
        let gains = |tried: &&Tried| {
            let is_good = |gain: Gain| gain.is_something() && (gain.share >= WORTH || trials.is_neutral());
            trials.gain(tried).is_some_and(is_good)
        };
        let gaining: Vec<&Tried> = trials.of(*number).filter(gains).collect();
        let half = gaining.iter().find(|tried| percent(&tried.change) == Some(50));
        let change = &half.or(most(trials, &gaining))?.change;
        let sets: String = change.sets.iter().map(|set| format!(" --set {}", shell(set))).collect();
        let how = match &change.degree {
            Degree::Faster(percent) => format!("{percent} % faster"),
            Degree::To { to, .. } => format!("to {to}"),
        };
        let name = name(&trials.candidates[*number], scenario);
        (change.sets.len() <= LONGEST_EDIT).then(|| format!("  {name} {how}:\n    {call}{sets}\n"))
    });
    let text: String = lines.take(TO_TRY).collect();
    if text.is_empty() { text } else { format!("\nThe same by hand:\n{text}") }
}

/// Of what is changed to one value or another, that which gains most; of equals the first.
fn most<'a, 't>(trials: &Trials, gaining: &'a [&'t Tried]) -> Option<&'a &'t Tried> {
    let share = |tried: &&Tried| trials.gain(tried).map_or(0.0, |gain| gain.share);
    let is_by_percent = gaining.iter().any(|tried| percent(&tried.change).is_some());
    let best = gaining.iter().rev().max_by(|one, other| share(one).total_cmp(&share(other)));
    if is_by_percent || trials.is_neutral() { gaining.first() } else { best }
}

/// A value as a shell takes it.
#[must_use]
pub fn shell((path, value): &(String, String)) -> String {
    let whole = format!("{path}={value}");
    let plain = |letter: char| letter.is_alphanumeric() || "-_./=#".contains(letter);
    if whole.chars().all(plain) { whole } else { format!("'{}'", whole.replace('\'', "'\\''")) }
}
