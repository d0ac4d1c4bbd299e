//! One figure of a run by its path in the outcome, such as `turnaround.p99` or `device.disk.utilisation`: what
//! experiments ask for.
//!
//! Paths are those of the JSON document with dots between keys, without the `_ns` of times, and with the singular of
//! lists before a name: `task.web/request.waiting.mean`. `summary.` may be left out, as may the process of a task whose
//! name is unique. A name with a dot stands in quotes. Beside what the document has there are
//!
//! - `causes.WORD`, where the time of all tasks went, by kind and cause as `--explain` has them;
//! - `task.NAME.KEY` with a key of one task (`task.A.finish`), where only one is called so;
//! - short names, such as `p99` for `turnaround.p99`, and `misses` ([`listed`] has all);
//! - `utilisation`, `finished` and `unfinished` of the whole run;
//! - `pooled.PATH`, which asks for a quantile over the samples of all replications. Of one run it is that run's own.

mod keys;
mod listed;
mod reading;

use std::fmt;

use self::keys::Key;
use crate::document::{alternatives, did_you_mean, keys as keys_of, likely_first, listing, quoted};
use crate::kinds::Kinds;
use crate::scenario::{Scenario, SyncKind};
use crate::timeline::Cast;

pub use self::keys::{Better, Unit};
pub use self::listed::{Listed, listed};
pub use self::reading::Observed;

/// A figure of a run, by its path.
#[derive(Clone, Debug)]
pub struct Metric {
    path: String,
    whose: Whose,
    key: &'static Key,
    of: Of,
    pooled: bool,
}

/// Whose figure it is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Whose {
    /// That of the whole run.
    Run,
    /// Of all tasks of a kind, or of one instance.
    Task(TaskName),
    /// Of the only task of a kind.
    Only(TaskName),
    Processor(String),
    Device(String),
    Variable(String),
    Group(String),
    /// Of the synchronisation object of this name, which is of one of the kinds of this word.
    Sync(&'static str, String),
    /// Summed over all tasks, or those of a kind.
    Causes(Option<TaskName>),
}

/// The name of a task as a path has it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct TaskName {
    process: Option<String>,
    task: String,
    instance: Option<u32>,
}

/// Which figure of several of a key.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Of {
    /// There is one.
    Itself,
    Mean,
    Max,
    /// What this share of the samples do not exceed, in ten-thousandths.
    Quantile(u32),
}

/// Why there is no such figure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What is wrong, without a full stop.
    pub sentence: String,
    /// What would be right.
    pub hint: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhint: {}", self.sentence, self.hint)
    }
}

impl Metric {
    /// Reads a path.
    ///
    /// ```
    /// use sim_core::outcome::Metric;
    /// assert!(Metric::parse("task.web/request.turnaround.p99").is_ok());
    /// let refusal = Metric::parse("turnaraund.p99").unwrap_err();
    /// assert_eq!(refusal.hint, "did you mean `turnaround`?");
    /// ```
    ///
    /// # Errors
    /// If no outcome has such a figure. Whether this run's has, [`Metric::known_to`] says.
    pub fn parse(path: &str) -> Result<Metric, Refusal> {
        let Some(words) = keys_of(path) else {
            return Err(Refusal {
                sentence: format!("{} is no path", quoted(path)),
                hint: "a path is keys with dots between them, such as `turnaround.p99`".to_owned(),
            });
        };
        let (pooled, words) = match words.as_slice() {
            ["pooled", rest @ ..] => (true, rest),
            all => (false, all),
        };
        let (whose, place, known, rest) = whose(words)?;
        let rest = if pooled { rest } else { written_out(&whose, rest) };
        let (whose, known) = of_the_only_one(whose, known, rest, pooled);
        let [key, rest @ ..] = rest else {
            return Err(Refusal {
                sentence: format!("`{path}` has several figures"),
                hint: format!("add one of {}", listing(names(known))),
            });
        };
        let Some(key) = known.iter().find(|known| known.name == key.strip_suffix("_ns").unwrap_or(key)) else {
            return Err(unknown(key, place, known, &whose));
        };
        let of = of(path, key, rest, pooled)?;
        Ok(Metric { path: path.to_owned(), whose, key, of, pooled })
    }

    /// Is it the figure of the only task of its kind, in a scenario that has several?
    ///
    /// # Errors
    /// How many there are, and what to write.
    pub fn single_in(&self, scenario: &Scenario) -> Result<(), Refusal> {
        let Whose::Only(name) = &self.whose else { return Ok(()) };
        let of_kind = scenario.specs.iter().filter(|spec| name.is(&scenario.processes[spec.process].name, &spec.name));
        let count: u64 = of_kind.map(|spec| u64::from(spec.count)).sum();
        if count <= 1 {
            return Ok(());
        }
        let key = self.key.name;
        let of_one = elsewhere(key, &Whose::Task(name.clone())).unwrap_or_default();
        let spread = keys::KIND.iter().any(|known| known.name == key && known.is_spread);
        let spread = if spread { "add .mean, .p50, .p95, .p99 or .max; " } else { "" };
        Err(Refusal {
            sentence: format!(
                "`{}` is a figure of one task, and there are {count} tasks {}",
                self.path,
                quoted(&name.task)
            ),
            hint: format!("{spread}{of_one}"),
        })
    }

    /// The path as it was written.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Is it the same figure, however its path is written?
    #[must_use]
    pub fn is_same_as(&self, other: &Metric) -> bool {
        let same_key = self.key.name == other.key.name && self.key.unit == other.key.unit;
        same_key && (&self.whose, self.of, self.pooled) == (&other.whose, other.of, other.pooled)
    }

    /// What its figures are counted in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.key.unit
    }

    /// Which figures of it are the better ones, if that can be said.
    #[must_use]
    pub fn better(&self) -> Option<Better> {
        self.key.better
    }

    /// Is it asked for over the samples of all replications, and which quantile?
    #[must_use]
    pub fn pooled(&self) -> Option<f64> {
        match self.of {
            Of::Quantile(share) if self.pooled => Some(f64::from(share) / 10_000.0),
            _ => None,
        }
    }

    /// Is the whole timeline needed to know it?
    #[must_use]
    pub fn needs_timeline(&self) -> bool {
        matches!(self.whose, Whose::Causes(_))
    }

    /// Is it a length of time?
    #[must_use]
    pub fn is_time(&self) -> bool {
        self.key.unit == Unit::Nanoseconds
    }

    /// Have runs with this cast such a figure?
    ///
    /// # Errors
    /// A sentence, and which name is the nearest.
    pub fn known_to(&self, cast: &Cast) -> Result<(), Refusal> {
        let (thing, name, names): (&str, &str, Vec<&str>) = match &self.whose {
            Whose::Run | Whose::Causes(None) => return Ok(()),
            Whose::Task(name) | Whose::Only(name) | Whose::Causes(Some(name)) => return name.known_to(cast),
            Whose::Processor(name) => ("processor", name, cast.processors.iter().map(String::as_str).collect()),
            Whose::Device(name) => ("device", name, cast.devices.iter().map(|device| &*device.name).collect()),
            Whose::Variable(name) => {
                ("variable", name, cast.variables.iter().map(|variable| &*variable.name).collect())
            }
            Whose::Group(name) => ("group", name, cast.groups.iter().map(|group| &*group.name).collect()),
            Whose::Sync(word, name) => {
                let of_kind = cast.syncs.iter().filter(|sync| is_called(sync.kind, word));
                (word, name, of_kind.map(|sync| &*sync.name).collect())
            }
        };
        if names.contains(&name) {
            return Ok(());
        }
        let none = format!("the scenario has no {thing}");
        let there = || if names.is_empty() { none } else { format!("there is {}", listing(names.iter().copied())) };
        Err(Refusal {
            sentence: format!("unknown {thing} {} in the metric `{}`", quoted(name), self.path),
            hint: did_you_mean(name, names.iter().copied(), &[], there),
        })
    }
}

/// `lock` stands for what the outcome lists as locks.
fn is_called(kind: SyncKind, word: &str) -> bool {
    kind.word() == word || (word == "lock" && kind.is_lock())
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(process) = &self.process {
            write!(f, "{process}/")?;
        }
        write!(f, "{}", self.task)?;
        self.instance.map_or(Ok(()), |instance| write!(f, "#{instance}"))
    }
}

impl TaskName {
    fn parse(text: &str) -> TaskName {
        let (process, task) = match text.split_once('/') {
            Some((process, task)) => (Some(process.to_owned()), task),
            None => (None, text),
        };
        let instance = task.split_once('#').and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (task, instance) = instance.map_or((task, None), |(name, number)| (name, Some(number)));
        TaskName { process, task: task.to_owned(), instance }
    }

    /// Is it the name of a task of this process, which may be a copy of one in the file?
    fn is(&self, process: &str, task: &str) -> bool {
        let base = process.split_once('#').map_or(process, |(base, _)| base);
        let is_process = self.process.as_deref().is_none_or(|own| own == base || own == process);
        is_process && self.task == task
    }

    fn known_to(&self, cast: &Cast) -> Result<(), Refusal> {
        let kinds = Kinds::of(cast);
        let found = || cast.specs.iter().filter(|spec| self.is(&cast.processes[spec.process as usize], &spec.task));
        let mut processes: Vec<&str> = found()
            .map(|spec| cast.processes[spec.process as usize].as_str())
            .map(|process| process.split_once('#').map_or(process, |(base, _)| base))
            .collect();
        processes.dedup();
        let written = match &self.process {
            Some(process) => format!("{process}/{}", self.task),
            None => self.task.clone(),
        };
        match processes.as_slice() {
            [_] => Ok(()),
            [] => {
                let full: Vec<String> = kinds.names.iter().map(crate::kinds::KindName::full).collect();
                let short: Vec<&str> = kinds.names.iter().map(|kind| &*kind.task).collect();
                let names = || full.iter().map(String::as_str);
                let all = names().chain(short.iter().copied()).collect::<Vec<_>>();
                Err(Refusal {
                    sentence: format!("unknown task {}", quoted(&written)),
                    hint: did_you_mean(&written, all, &[], || format!("there is {}", listing(names()))),
                })
            }
            several => {
                let full: Vec<String> = several.iter().map(|process| format!("{process}/{}", self.task)).collect();
                Err(Refusal {
                    sentence: format!("several processes have a task {}", quoted(&self.task)),
                    hint: format!("write {}", alternatives(full.iter().map(String::as_str))),
                })
            }
        }
    }
}

/// Whose figures the first words of a path ask for, how such a table is called, which keys it has, and the words that are
/// left.
type Found<'w> = (Whose, &'static str, &'static [Key], &'w [&'w str]);

fn whose<'w>(words: &'w [&'w str]) -> Result<Found<'w>, Refusal> {
    let [first, rest @ ..] = words else {
        return Err(Refusal { sentence: "the path is empty".to_owned(), hint: listing(names(keys::RUN)) });
    };
    if let Some((word, known)) = keys::OF_SYNCS.iter().find(|(word, _)| word == first) {
        let (name, rest) = named(word, rest)?;
        return Ok((Whose::Sync(word, name.to_owned()), word, known, rest));
    }
    match *first {
        "summary" => Ok((Whose::Run, "the summary", keys::RUN, rest)),
        "task" => {
            let (name, rest) = named("task", rest)?;
            let name = TaskName::parse(name);
            Ok(match rest {
                ["causes", rest @ ..] => (Whose::Causes(Some(name)), "causes", keys::CAUSES, rest),
                rest if name.instance.is_some() => (Whose::Task(name), "an instance", keys::INSTANCE, rest),
                rest => (Whose::Task(name), "a task", keys::KIND, rest),
            })
        }
        "processor" => {
            let (name, rest) = named("processor", rest)?;
            Ok((Whose::Processor(name.to_owned()), "a processor", keys::PROCESSOR, rest))
        }
        "device" => {
            let (name, rest) = named("device", rest)?;
            Ok((Whose::Device(name.to_owned()), "a device", keys::DEVICE, rest))
        }
        "variable" => {
            let (name, rest) = named("variable", rest)?;
            Ok((Whose::Variable(name.to_owned()), "a variable", keys::VARIABLE, rest))
        }
        "group" => {
            let (name, rest) = named("group", rest)?;
            Ok((Whose::Group(name.to_owned()), "a group", keys::GROUP, rest))
        }
        "causes" => Ok((Whose::Causes(None), "causes", keys::CAUSES, rest)),
        first if keys::RUN.iter().any(|key| key.name == first.strip_suffix("_ns").unwrap_or(first)) => {
            Ok((Whose::Run, "", keys::RUN, words))
        }
        first if keys::SHORT.iter().any(|(name, _)| *name == first) => Ok((Whose::Run, "", keys::RUN, words)),
        first if SPREAD.contains(&first) => Err(Refusal {
            sentence: format!("{} is a figure of a distribution, and which is not said", quoted(first)),
            hint: format!("write turnaround.{first}, waiting.{first}, task.NAME.turnaround.{first}, …"),
        }),
        first => {
            let things = keys::OF_SYNCS.iter().map(|(word, _)| *word);
            let short = keys::SHORT.iter().map(|(name, _)| *name);
            let all =
                names(keys::RUN).chain(short).chain(keys::THINGS.iter().copied()).chain(things).collect::<Vec<_>>();
            Err(Refusal {
                sentence: format!("unknown metric {}", quoted(first)),
                hint: did_you_mean(first, all.clone(), &[], || {
                    let begins =
                        || format!("a path begins with {}", alternatives(likely_first(first, all.iter().copied())));
                    elsewhere(first, &Whose::Run).unwrap_or_else(begins)
                }),
            })
        }
    }
}

/// The words of a figure, where a short name stands for them.
fn written_out<'w>(whose: &Whose, rest: &'w [&'w str]) -> &'w [&'w str] {
    let short = match whose {
        Whose::Run => keys::SHORT,
        Whose::Task(name) if name.instance.is_none() => keys::SHORT_OF_KIND,
        _ => return rest,
    };
    let [word] = rest else { return rest };
    short.iter().find(|(name, _)| name == word).map_or(rest, |(_, words)| words)
}

/// Where a kind of tasks is asked for a figure that one task alone has, it is that of the only one.
fn of_the_only_one(whose: Whose, known: &'static [Key], rest: &[&str], pooled: bool) -> (Whose, &'static [Key]) {
    let (Whose::Task(name), [key], false) = (&whose, rest, pooled) else { return (whose, known) };
    let has = |keys: &[Key], may_be_spread: bool| {
        let name = key.strip_suffix("_ns").unwrap_or(key);
        keys.iter().any(|known| known.name == name && (may_be_spread || !known.is_spread))
    };
    if name.instance.is_some() || has(keys::KIND, false) || !has(keys::INSTANCE, true) {
        return (whose, known);
    }
    (Whose::Only(name.clone()), keys::INSTANCE)
}

fn named<'w>(thing: &str, rest: &'w [&'w str]) -> Result<(&'w str, &'w [&'w str]), Refusal> {
    match rest {
        [name, rest @ ..] => Ok((name, rest)),
        [] => Err(Refusal {
            sentence: format!("which {thing} is not said"),
            hint: format!("write its name, as in `{thing}.NAME.…`; a name with a dot stands in quotes"),
        }),
    }
}

fn names(keys: &'static [Key]) -> impl Iterator<Item = &'static str> + Clone {
    keys.iter().map(|key| key.name)
}

fn unknown(found: &str, place: &str, known: &'static [Key], whose: &Whose) -> Refusal {
    let place = if place.is_empty() { String::new() } else { format!(" of {place}") };
    Refusal {
        sentence: format!("unknown figure {}{place}", quoted(found)),
        hint: did_you_mean(found, names(known), &[], || {
            elsewhere(found, whose)
                .unwrap_or_else(|| format!("there is {}", listing(likely_first(found, names(known)))))
        }),
    }
}

/// Which figures are called so of what is near: where the time of a kind of tasks went, and what each of them has.
fn elsewhere(found: &str, whose: &Whose) -> Option<String> {
    let has = |keys: &'static [Key]| names(keys).any(|name| name == found.strip_suffix("_ns").unwrap_or(found));
    let together = |place: &str| has(keys::CAUSES).then(|| format!("of all together it is `{place}causes.{found}`"));
    let Whose::Task(task) = whose else {
        return together("").filter(|_| *whose == Whose::Run);
    };
    let path = |instance: &str| match format!("{task}{instance}") {
        name if name.contains('.') => format!("task.\"{name}\"."),
        name => format!("task.{name}."),
    };
    let of_one = task.instance.is_none() && has(keys::INSTANCE);
    let of_one = of_one.then(|| format!("of one of them it is `{}{found}`", path("#0")));
    let all: Vec<String> = together(&path("")).into_iter().chain(of_one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The figures of a distribution.
const SPREAD: [&str; 5] = ["mean", "p50", "p95", "p99", "max"];

/// Which figure of a key the last word asks for.
fn of(path: &str, key: &Key, rest: &[&str], pooled: bool) -> Result<Of, Refusal> {
    let refuse = |sentence: String, hint: &str| Err(Refusal { sentence, hint: hint.to_owned() });
    match (rest, key.is_spread) {
        ([], false) if pooled => refuse(
            format!("`{path}` has no samples to pool"),
            "there are samples of turnaround, first_response, waiting, slowdown and response: pooled.turnaround.p99",
        ),
        ([], false) => Ok(Of::Itself),
        ([], true) => refuse(
            format!("`{path}` is a distribution"),
            if pooled { "add a quantile, such as .p99" } else { "add .mean, .p50, .p95, .p99 or .max" },
        ),
        ([word], true) => match (quantile(word), pooled) {
            (Some(share), true) => Ok(Of::Quantile(share)),
            (None, true) => refuse(
                format!("{} is no quantile", quoted(word)),
                "pooled figures are quantiles, such as p50, p99 or \"p99.9\"",
            ),
            (Some(share @ (5_000 | 9_500 | 9_900)), false) => Ok(Of::Quantile(share)),
            _ if *word == "mean" => Ok(Of::Mean),
            _ if *word == "max" => Ok(Of::Max),
            (Some(_), false) => refuse(
                format!("the outcome of a run has no {word}"),
                "it has p50, p95 and p99; any quantile over all replications is pooled.PATH.pN",
            ),
            (None, false) => Err(Refusal {
                sentence: format!("unknown figure {} of `{}`", quoted(word), key.name),
                hint: did_you_mean(word, SPREAD, &[], || format!("there is {}", listing(SPREAD))),
            }),
        },
        ([word, ..], _) => refuse(format!("`{path}` has {} too many", quoted(word)), "a path ends at a figure"),
    }
}

/// `p99` is 9900 ten-thousandths, `p99.9` is 9990.
fn quantile(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('p')?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 2 || part.len() > 2 || !are_digits(whole) || !are_digits(part) {
        return None;
    }
    let share = format!("{whole}{part:0<2}").parse().ok()?;
    (share > 0).then_some(share)
}

#[cfg(test)]
mod tests;
