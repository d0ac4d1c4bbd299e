//! The lines of `results.jsonl`: what the file is of, then one for each run.
//!
//! Every line ends in a checksum of what stands before it, so that damage is known and not computed with.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Map, Value};
use sim_core::experiment::Experiment;

use super::shard::Shard;

/// The version of the shape.
pub const FORMAT: u32 = 1;

/// From here on readers of JSON round whole numbers.
const EXACT_IN_JSON: u64 = 1 << 53;

/// The first line: of what the others are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// A hash of the experiment, the scenario, the profiles and the version.
    pub fingerprint: String,
    /// Of the program.
    pub version: String,
    /// What the experiment is called.
    pub title: String,
    /// The path of the scenario as the experiment has it.
    pub scenario: String,
    /// The profiles that the scenario names, as it names them: the first stands as `profile-1.toml` beside the results.
    pub profiles: Vec<String>,
    /// How many variations there are.
    pub variations: usize,
    /// How many replications each has, or has at most.
    pub replications: u32,
    /// Which part this is; null of the whole.
    pub shard: Option<String>,
    /// How much of the beginning of each run is left out, as it was found or given.
    pub warm_up_ns: u64,
}

/// What a run has given.
#[derive(Clone, PartialEq, Debug)]
pub struct Cell {
    /// Of which variation.
    pub variation: usize,
    /// The how many-eth run of it, from 0.
    pub replication: u32,
    /// Its seed.
    pub seed: u64,
    /// The figure of each metric; null where it has none.
    pub figures: Vec<Value>,
    /// For each metric the samples, if those of all replications are pooled.
    pub samples: Vec<Vec<f64>>,
    /// How the run ended.
    pub end: String,
    /// How many tasks that would end of their own had not when the run did.
    pub unfinished: u64,
    /// The hash of its timeline.
    pub hash: String,
}

/// A line as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    variation: usize,
    replication: u32,
    seed: Value,
    set: Map<String, Value>,
    metrics: Map<String, Value>,
    #[serde(default)]
    samples: Map<String, Value>,
    end: String,
    unfinished: u64,
    timeline_hash: String,
}

/// Entries in their order.
struct Ordered<'a, K, V>(&'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for Ordered<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        map.end()
    }
}

#[derive(Serialize)]
struct Written<'a> {
    variation: usize,
    replication: u32,
    seed: Value,
    set: Ordered<'a, &'a str, &'a Value>,
    metrics: Ordered<'a, &'a str, &'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<Ordered<'a, &'a str, Vec<Value>>>,
    end: &'a str,
    unfinished: u64,
    timeline_hash: &'a str,
}

/// A seed as JSON has it: a text where readers would round it.
#[must_use]
pub fn seed(seed: u64) -> Value {
    if seed < EXACT_IN_JSON { seed.into() } else { seed.to_string().into() }
}

/// A number as JSON: whole ones without a fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and below 2^53")]
fn number(number: f64) -> Value {
    let is_whole = number.fract() == 0.0 && (0.0..9e15).contains(&number);
    if is_whole { Value::from(number as u64) } else { Value::from(number) }
}

impl Header {
    /// The line, with its checksum and the end of the line.
    #[must_use]
    pub fn line(&self) -> String {
        checked(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads the first line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &str) -> Result<Header, String> {
        serde_json::from_str(&unchecked(line)?).map_err(|error| said(&error))
    }
}

impl Cell {
    /// The line of a run of this experiment, with its checksum and the end of the line.
    #[must_use]
    pub fn line(&self, experiment: &Experiment) -> String {
        let set: Vec<(&str, &Value)> =
            experiment.settings(self.variation).map(|(path, setting)| (path, &setting.json)).collect();
        let paths = || experiment.metrics.iter().map(sim_core::experiment::Metric::path);
        let metrics: Vec<(&str, &Value)> = paths().zip(&self.figures).collect();
        let pooled = || experiment.metrics.iter().map(|metric| metric.pooled().is_some());
        let samples: Vec<(&str, Vec<Value>)> = paths()
            .zip(&self.samples)
            .zip(pooled())
            .filter(|(_, pooled)| *pooled)
            .map(|((path, samples), _)| (path, samples.iter().copied().map(number).collect()))
            .collect();
        let written = Written {
            variation: self.variation,
            replication: self.replication,
            seed: seed(self.seed),
            set: Ordered(&set),
            metrics: Ordered(&metrics),
            samples: (!samples.is_empty()).then_some(Ordered(&samples)),
            end: &self.end,
            unfinished: self.unfinished,
            timeline_hash: &self.hash,
        };
        checked(serde_json::to_string(&written).unwrap_or_default())
    }

    /// Reads the line of a run of this experiment.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &str, experiment: &Experiment) -> Result<Cell, String> {
        let mut read: Read = serde_json::from_str(&unchecked(line)?).map_err(|error| said(&error))?;
        if read.variation >= experiment.variations() || read.replication >= experiment.most_replications() {
            return Err(format!("there is no replication {} of variation {}", read.replication, read.variation));
        }
        if !is_set(&read.set, experiment, read.variation) {
            return Err(format!("what it sets is not what variation {} sets", read.variation));
        }
        let mut figures = Vec::with_capacity(experiment.metrics.len());
        let mut samples = Vec::with_capacity(experiment.metrics.len());
        for metric in &experiment.metrics {
            let figure = read.metrics.remove(metric.path()).filter(|figure| figure.is_number() || figure.is_null());
            figures.push(figure.ok_or_else(|| format!("it has no figure of `{}`", metric.path()))?);
            let own = match (metric.pooled(), read.samples.remove(metric.path())) {
                (None, None) => Some(Vec::new()),
                (Some(_), Some(Value::Array(own))) => own.iter().map(Value::as_f64).collect(),
                _ => None,
            };
            samples.push(own.ok_or_else(|| format!("it has not the samples of `{}`", metric.path()))?);
        }
        if let Some(path) = read.metrics.keys().chain(read.samples.keys()).next() {
            return Err(format!("it has `{path}`, which the experiment does not ask for"));
        }
        let seed = match &read.seed {
            Value::String(digits) => digits.parse().ok(),
            number => number.as_u64(),
        };
        Ok(Cell {
            variation: read.variation,
            replication: read.replication,
            seed: seed.ok_or("its seed is none")?,
            figures,
            samples,
            end: read.end,
            unfinished: read.unfinished,
            hash: read.timeline_hash,
        })
    }
}

/// Are these the settings of the variation?
fn is_set(set: &Map<String, Value>, experiment: &Experiment, variation: usize) -> bool {
    let mut settings = experiment.settings(variation);
    set.len() == experiment.axes.len() && settings.all(|(path, setting)| set.get(path) == Some(&setting.json))
}

/// What stands before the checksum.
const BEFORE: &str = ",\"crc\":\"";

/// An object with a checksum of it as its last entry.
fn checked(object: String) -> String {
    let open = object.strip_suffix('}').unwrap_or(&object);
    let crc = crc32fast::hash(open.as_bytes());
    format!("{open}{BEFORE}{crc:08x}\"}}\n")
}

/// The object without its checksum, if that is right.
fn unchecked(line: &str) -> Result<String, String> {
    let parts = line.rsplit_once(BEFORE).and_then(|(open, crc)| Some((open, crc.strip_suffix("\"}")?)));
    let Some((open, crc)) = parts else { return Err("it has no checksum at its end".to_owned()) };
    if format!("{:08x}", crc32fast::hash(open.as_bytes())) != crc {
        return Err("it is damaged: its checksum is another".to_owned());
    }
    Ok(format!("{open}}}"))
}

fn said(error: &serde_json::Error) -> String {
    let error = error.to_string();
    error.split_once(" at line ").map_or_else(|| error.clone(), |(what, _)| what.to_owned())
}

impl Header {
    /// The part of which the lines are.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        self.shard.as_deref().and_then(|shard| shard.parse().ok())
    }

    /// Why results under this header are not those under the other; `None` if they are.
    #[must_use]
    pub fn differs(&self, other: &Header) -> Option<Difference> {
        if (self.format, &self.version) != (other.format, &other.version) {
            return Some(Difference::Version(self.version.clone()));
        }
        if (&self.fingerprint, self.variations, self.replications)
            != (&other.fingerprint, other.variations, other.replications)
        {
            return Some(Difference::Experiment);
        }
        (self.shard != other.shard).then(|| Difference::Shard(self.shard.clone()))
    }
}

/// Why results do not belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Difference {
    /// They are of this version.
    Version(String),
    /// The experiment, the scenario or a profile is another.
    Experiment,
    /// They are this part, or the whole.
    Shard(Option<String>),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Version(version) => write!(f, "results of version {version} of this program"),
            Difference::Experiment => f.write_str("results of another experiment, scenario or profile"),
            Difference::Shard(Some(shard)) => write!(f, "shard {shard}"),
            Difference::Shard(None) => f.write_str("results of the whole experiment, not of a shard"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sim_core::document::Source;

    use super::*;

    fn experiment() -> Experiment {
        let text = "scenario = \"a.toml\"\nmetrics = [\"makespan\", \"pooled.turnaround.p50\"]\n[vary]\nz = [1, 2]\na = [\"x\"]";
        Experiment::read(&Source { file: "e.toml", text }).expect("valid")
    }

    fn cell() -> Cell {
        Cell {
            variation: 1,
            replication: 2,
            seed: u64::MAX,
            figures: vec![json!(26), json!(null)],
            samples: vec![Vec::new(), vec![1.0, 2.5]],
            end: "completed".to_owned(),
            unfinished: 0,
            hash: "00ff".to_owned(),
        }
    }

    #[test]
    fn a_line_is_what_the_format_says_and_is_read_back() {
        let line = cell().line(&experiment());
        let expected = concat!(
            r#"{"variation":1,"replication":2,"seed":"18446744073709551615","set":{"z":2,"a":"x"},"#,
            r#""metrics":{"makespan":26,"pooled.turnaround.p50":null},"samples":{"pooled.turnaround.p50":[1,2.5]},"#,
            r#""end":"completed","unfinished":0,"timeline_hash":"00ff","crc":""#,
        );
        assert!(line.starts_with(expected) && line.ends_with("\"}\n"), "{line}");
        assert_eq!(Cell::read(line.trim_end(), &experiment()), Ok(cell()));
    }

    #[test]
    fn any_byte_that_is_changed_is_noticed() {
        let line = cell().line(&experiment());
        let line = line.trim_end();
        for at in 0..line.len() {
            let mut bytes = line.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(bytes).expect("text");
            assert!(Cell::read(&changed, &experiment()).is_err(), "{changed}");
            assert!(Cell::read(&line[..at], &experiment()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_line_of_something_else_is_refused() {
        let other = |change: &dyn Fn(&mut Cell)| {
            let mut cell = cell();
            change(&mut cell);
            Cell::read(cell.line(&experiment()).trim_end(), &experiment()).expect_err("it is none")
        };
        assert_eq!(other(&|cell| cell.replication = 30), "there is no replication 30 of variation 1");
        let text = "scenario = \"a.toml\"\n[vary]\nz = [1, 3]\na = [\"x\"]";
        let others = Experiment::read(&Source { file: "e.toml", text }).expect("valid");
        let line = Cell { samples: vec![Vec::new(); 3], figures: vec![json!(1); 3], ..cell() }.line(&others);
        let said = Cell::read(line.trim_end(), &experiment()).expect_err("it is none");
        assert_eq!(said, "what it sets is not what variation 1 sets");
    }
}
