//! From the document to the [`Experiment`]: all mistakes are gathered, each with its place.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Axis, Experiment, HalfWidth, Metric, Setting, StopWhen, WarmUp};
use crate::document::{
    Document, Entry, Item, Kind, Language, Log, Mistakes, Note, Source, Table, Value, keys, listing, quoted,
};
use crate::range;
use crate::time::Span;

/// The language of experiments.
static LANGUAGE: Language = Language {
    synonyms: &[
        ("runs", "replications"),
        ("repetitions", "replications"),
        ("repeats", "replications"),
        ("file", "scenario"),
        ("confidence", "level"),
        ("warmup", "warm-up"),
        ("measures", "metrics"),
        ("parameters", "vary"),
        ("reference", "baseline"),
    ],
    ..Language::plain("experiment")
};

/// What is asked of runs if the file does not say.
const METRICS: [&str; 3] = ["makespan", "turnaround.mean", "turnaround.p95"];
/// An experiment with more runs is mistyped.
const MOST_RUNS: u64 = 10_000_000;
/// How often each variation is run if the file does not say: enough for an interval worth its name.
const REPLICATIONS: u32 = 30;
/// How often at most where a precision is asked for, if the file does not say.
const AT_MOST: u32 = 1_000;

impl Experiment {
    /// Reads an experiment.
    ///
    /// ```
    /// use sim_core::document::Source;
    /// use sim_core::experiment::Experiment;
    /// let text = "scenario = \"a.toml\"\nreplications = 5\n[vary]\n\"machine.processors\" = \"1..4\"";
    /// let experiment = Experiment::read(&Source { file: "e.toml", text }).unwrap();
    /// assert_eq!((experiment.variations(), experiment.replications), (4, 5));
    /// assert_eq!(experiment.settings(2).next().unwrap().1.toml, "3");
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(source: &Source<'_>) -> Result<Experiment, Mistakes> {
        Document::parse(source, &LANGUAGE).read(&[], experiment).map(|(experiment, _)| experiment)
    }
}

/// A file that has tasks and names no scenario is one. Nothing else in it is looked at.
fn refuse_scenario(file: &mut Table<'_>) {
    let tasks = file.present(&["task", "process"]).first().and_then(|key| file.key_spot(key));
    if let (Some(spot), None) = (tasks, file.key_spot("scenario")) {
        let note = Note::new(spot, "this file is a scenario, not an experiment");
        file.log().add(
            note.hint("`sim run` runs it; an experiment names it, as in scenario = \"web.toml\", and says what varies"),
        );
        file.tolerate_all();
    }
}

impl Experiment {
    /// Is this text that of an experiment, right or wrong, rather than that of a scenario?
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let looks = |file: &mut Table<'_>| {
            let is_one = file.key_spot("scenario").is_some() && file.present(&["task", "process"]).is_empty();
            file.tolerate_all();
            is_one
        };
        let document = Document::parse(&Source { file: "", text }, &LANGUAGE);
        document.read(&[], looks).is_ok_and(|(is_one, _)| is_one)
    }
}

fn experiment(file: &mut Table<'_>) -> Experiment {
    refuse_scenario(file);
    let title = file.text("title").unwrap_or_default().to_owned();
    let is_refused = !file.log().is_empty();
    let scenario = if is_refused { None } else { file.required("scenario", "the path of the file that is varied") };
    let scenario = scenario.and_then(|item| item.text());
    let seed = file.item("seed").and_then(|item| item.seed());
    let replications = file.item("replications").and_then(|item| item.count(1..=10_000_000));
    let mut metrics = metrics(file);
    let axes = file.item("vary").map(axes).unwrap_or_default();
    let baseline = file.item("baseline").map(|item| baseline(item, &axes)).unwrap_or_default();
    let warm_up = file.item("warm-up").map_or(WarmUp::Nothing, warm_up);
    let level = file.item("level").and_then(level).unwrap_or(0.95);
    let stops = file.item("stop-when").and_then(|item| item.table("`stop-when`"));
    let stop_when = stops.and_then(|table| stop_when(table, &mut metrics));
    let least = stop_when.as_ref().map_or(REPLICATIONS, |_| 1);
    let experiment = Experiment {
        title,
        scenario: scenario.unwrap_or_default().to_owned(),
        seed,
        replications: replications.unwrap_or(least),
        metrics,
        axes,
        baseline,
        warm_up,
        level,
        stop_when,
    };
    judge(&experiment, file);
    experiment
}

/// Looks at what no key says alone.
fn judge(experiment: &Experiment, file: &Table<'_>) {
    let spot = |key: &str| file.given_at(key).unwrap_or(file.spot());
    let sizes = experiment.axes.iter().map(|axis| axis.values.len() as u64);
    let variations = sizes.fold(1_u64, u64::saturating_mul);
    let runs = variations.saturating_mul(experiment.most_replications().into());
    if runs > MOST_RUNS {
        let sentence = format!("this makes {runs} runs, and the most are {MOST_RUNS}");
        let hint = format!("{variations} variations of {} replications each", experiment.most_replications());
        file.log().add(Note::new(spot("vary"), sentence).hint(hint));
    }
    if let Some(stop) = &experiment.stop_when
        && stop.at_most < experiment.replications
    {
        let sentence = format!("`replications` is {}, more than `at-most` allows", experiment.replications);
        file.log()
            .add(Note::new(spot("replications"), sentence).hint("with `stop-when` it is how many there are at least"));
    }
}

fn metrics(file: &mut Table<'_>) -> Vec<Metric> {
    let Some(item) = file.item("metrics") else {
        return METRICS.iter().filter_map(|path| Metric::parse(path).ok()).collect();
    };
    let Some(list) = item.list() else { return Vec::new() };
    if list.is_empty() {
        item.wrong(
            "`metrics` is empty, so nothing would come out",
            "write metrics = [\"makespan\", \"turnaround.p99\"]",
        );
    }
    let mut metrics: Vec<Metric> = Vec::new();
    for item in list {
        let Some(path) = item.text() else { continue };
        match Metric::parse(path) {
            Ok(metric) if metrics.iter().any(|other| other.path() == metric.path()) => {
                item.wrong(format!("{} stands twice", quoted(path)), "leave one of them out");
            }
            Ok(metric) => metrics.push(metric),
            Err(refusal) => item.wrong(refusal.sentence, refusal.hint),
        }
    }
    metrics
}

/// The axes of a table, whose keys are paths. A path that is not in quotes has made tables within tables.
fn axes(item: Item<'_>) -> Vec<Axis> {
    let mut axes = Vec::new();
    match item.kind() {
        Kind::Table(_) => gather(item.value(), String::new(), item.log(), &mut axes),
        _ => item.mismatch("a table", "[vary], and paths with lists of values on the lines below"),
    }
    axes
}

fn gather(table: &Value<'_>, before: String, log: &Log, axes: &mut Vec<Axis>) {
    let Kind::Table(entries) = &table.kind else { return };
    let mut in_order: Vec<&Entry<'_>> = entries.iter().collect();
    in_order.sort_by_key(|entry| entry.key_spot);
    for entry in in_order {
        let path = if before.is_empty() { entry.key.to_string() } else { format!("{before}.{}", in_path(&entry.key)) };
        let note = |sentence: String, hint: &str| log.add(Note::new(entry.value.spot, sentence).hint(hint));
        if let Kind::Table(_) = entry.value.kind {
            gather(&entry.value, path, log, axes);
            continue;
        }
        if path == "seed" {
            let hint = "`replications` runs every variation with several seeds, and `seed` is the first of them";
            log.add(Note::new(entry.key_spot, "the seed does not vary here").hint(hint));
            continue;
        }
        let written: &[Value<'_>] = match &entry.value.kind {
            Kind::List(values) => values,
            Kind::Text(_) => std::slice::from_ref(&entry.value),
            _ => {
                note(format!("the values of `{path}` must be a list"), "write them in square brackets");
                continue;
            }
        };
        let mut values: Vec<Setting> = Vec::new();
        for value in written {
            match settings(value) {
                Ok(settings) => values.extend(settings),
                Err((sentence, hint)) => log.add(Note::new(value.spot, sentence).hint(hint)),
            }
        }
        let mut known = BTreeSet::new();
        if let Some(twice) = values.iter().find(|value| !known.insert(value.json.to_string())) {
            note(format!("{} stands twice in `{path}`", quoted(&twice.toml)), "leave one of them out");
        }
        if values.is_empty() {
            note(format!("`{path}` has no values"), "write at least one");
        }
        let axis = Axis { path, values };
        if let Some(other) = axes.iter().find(|other| overrides(&axis, other)) {
            let sentence = format!("{} overrides {}", quoted(&axis.path), quoted(&other.path));
            log.add(Note::new(entry.key_spot, sentence).hint("leave one of them out, or write the shorter path first"));
        }
        axes.push(axis);
    }
}

/// Does the later of two paths lead to where the earlier does, or to what that is in, so that nothing is left of it? Elements of
/// lists may be called by their numbers. The other way round is fine: an executor, and then its workers.
fn overrides(later: &Axis, earlier: &Axis) -> bool {
    let (Some(later), Some(earlier)) = (keys(&later.path), keys(&earlier.path)) else { return false };
    let is_number = |key: &str| key.bytes().all(|byte| byte.is_ascii_digit());
    let alike = |(a, b): (&&str, &&str)| a == b || is_number(a) != is_number(b);
    later.len() <= earlier.len() && later.iter().zip(&earlier).all(alike)
}

/// A key as a path has it.
fn in_path(key: &str) -> String {
    if key.contains(['.', '"', '\'']) { format!("\"{key}\"") } else { key.to_owned() }
}

/// A value, or all those of a range.
fn settings(value: &Value<'_>) -> Result<Vec<Setting>, (String, String)> {
    let Kind::Text(text) = &value.kind else { return Ok(vec![Setting::of(value)]) };
    let values = range::values(text).map_err(|sentence| match sentence.split_once("; ") {
        Some((sentence, hint)) => (sentence.to_owned(), hint.to_owned()),
        None => (sentence, "a range is written 1..30, 1ms..10ms or 1ms..100ms:log5".to_owned()),
    })?;
    Ok(match values.as_slice() {
        [_] => vec![Setting::of(value)],
        several => several.iter().map(|text| Setting::bare(text)).collect(),
    })
}

impl Setting {
    fn of(value: &Value<'_>) -> Setting {
        Setting { toml: toml_of(value), json: json_of(value) }
    }

    /// A value of a range, which is a number or a duration.
    fn bare(text: &str) -> Setting {
        let number = text.parse::<i64>().map(Json::from).or_else(|_| text.parse::<f64>().map(Json::from));
        match number {
            Ok(json) => Setting { toml: text.to_owned(), json },
            Err(_) => Setting { toml: json!(text).to_string(), json: json!(text) },
        }
    }
}

fn json_of(value: &Value<'_>) -> Json {
    match &value.kind {
        Kind::Text(text) => json!(text),
        Kind::Integer(number) => match (i64::try_from(*number), u64::try_from(*number)) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) => json!(number),
            _ => json!(number.to_string()),
        },
        Kind::Float(number, _) => json!(number),
        Kind::Boolean(truth) => json!(truth),
        Kind::Date => Json::Null,
        Kind::List(values) => values.iter().map(json_of).collect(),
        Kind::Table(entries) => entries.iter().map(|entry| (entry.key.to_string(), json_of(&entry.value))).collect(),
    }
}

fn toml_of(value: &Value<'_>) -> String {
    match &value.kind {
        // Strings of JSON are strings of TOML, but for one letter.
        Kind::Text(text) => json!(text).to_string().replace('\u{7f}', "\\u007f"),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(_, digits) => digits.to_string(),
        Kind::Boolean(truth) => truth.to_string(),
        // Refused by whoever reads it, as it would be anywhere.
        Kind::Date => "2000-01-01".to_owned(),
        Kind::List(values) => format!("[{}]", values.iter().map(toml_of).collect::<Vec<_>>().join(", ")),
        Kind::Table(entries) => {
            let bare = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            let key = |key: &str| if bare(key) && !key.is_empty() { key.to_owned() } else { json!(key).to_string() };
            let entries = entries.iter().map(|entry| format!("{} = {}", key(&entry.key), toml_of(&entry.value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Of which axes which values are the baseline's.
fn baseline(item: Item<'_>, axes: &[Axis]) -> Vec<(usize, usize)> {
    let mut flat = Vec::new();
    match item.kind() {
        Kind::Table(_) => flatten(item.value(), "", axes, &mut flat),
        _ => item.mismatch("a table", "baseline = { \"machine.processors\" = 1 }"),
    }
    let mut found = Vec::new();
    for (path, value) in flat {
        let wrong = |sentence: String, hint: String| item.log().add(Note::new(value.spot, sentence).hint(hint));
        let Some(axis) = axes.iter().position(|axis| axis.path == path) else {
            let names = || axes.iter().map(|axis| axis.path.as_str());
            let note = Note::new(value.spot, format!("{} does not vary", quoted(&path)));
            let there = || if axes.is_empty() { "there is no [vary]".to_owned() } else { listing(names()) };
            item.log().add_unknown(note, &path, names(), there);
            continue;
        };
        let meant = json_of(value);
        match axes[axis].values.iter().position(|setting| setting.json == meant) {
            Some(at) => found.push((axis, at)),
            None => {
                let values = listing(axes[axis].values.iter().map(|setting| setting.toml.as_str()));
                wrong(format!("{} is none of the values of `{path}`", quoted(&toml_of(value))), values);
            }
        }
    }
    found
}

/// The paths of a table with their values. A table may be a value itself.
fn flatten<'v>(table: &'v Value<'v>, before: &str, axes: &[Axis], flat: &mut Vec<(String, &'v Value<'v>)>) {
    let Kind::Table(entries) = &table.kind else { return };
    for entry in entries {
        let path = if before.is_empty() { entry.key.to_string() } else { format!("{before}.{}", in_path(&entry.key)) };
        let is_path = axes.iter().any(|axis| axis.path == path);
        if matches!(entry.value.kind, Kind::Table(_)) && !is_path {
            flatten(&entry.value, &path, axes, flat);
        } else {
            flat.push((path, &entry.value));
        }
    }
}

fn warm_up(item: Item<'_>) -> WarmUp {
    if item.is_text("auto") {
        return WarmUp::Auto;
    }
    match item.kind() {
        Kind::Text(text) if Span::parse(text).is_err() => {
            item.wrong(
                format!("`warm-up` cannot be {}", quoted(text)),
                "write a duration such as \"10s\", or \"auto\"",
            );
            WarmUp::Nothing
        }
        _ => item.span().map_or(WarmUp::Nothing, WarmUp::For),
    }
}

fn level(item: Item<'_>) -> Option<f64> {
    let level = item.number()?;
    if (0.5..=0.9999).contains(&level) {
        return Some(level);
    }
    item.wrong("`level` must be between 0.5 and 0.9999", "0.95 is 95 %");
    None
}

fn stop_when(mut table: Table<'_>, metrics: &mut Vec<Metric>) -> Option<StopWhen> {
    let half_width = table.required("half-width", "how far the interval may reach to either side, such as \"1%\"");
    let at_most = table.item("at-most").map_or(Some(AT_MOST), |item| item.count(2..=10_000_000));
    let of = match table.item("of") {
        None => metrics.first().map(|_| 0),
        Some(item) => item.text().and_then(|path| match Metric::parse(path) {
            Ok(metric) => Some(metrics.iter().position(|known| known.path() == metric.path()).unwrap_or_else(|| {
                metrics.push(metric);
                metrics.len() - 1
            })),
            Err(refusal) => {
                item.wrong(refusal.sentence, refusal.hint);
                None
            }
        }),
    };
    let of = of?;
    if let Some(item) = table.item("of")
        && metrics[of].pooled().is_some()
    {
        item.wrong(
            "a pooled quantile has no figure of each run",
            "name a metric of single runs, such as turnaround.p99",
        );
    }
    Some(StopWhen { half_width: self::half_width(half_width?, metrics[of].is_time())?, of, at_most: at_most? })
}

/// `"1%"`, a duration where the metric is a time, or a number where it is none.
fn half_width(item: Item<'_>, is_time: bool) -> Option<HalfWidth> {
    let positive = |number: f64| (number > 0.0 && number.is_finite()).then_some(number);
    let hint = if is_time {
        "write a share such as \"1%\", or a duration"
    } else {
        "write a share such as \"1%\", or a number"
    };
    let found = match item.kind() {
        Kind::Text(text) => match text.trim().strip_suffix('%') {
            Some(share) => share.trim().parse().ok().and_then(positive).map(|share| HalfWidth::Share(share / 100.0)),
            #[expect(clippy::cast_precision_loss, reason = "a width that is wanted")]
            None if is_time => {
                Span::parse(text).ok().and_then(|span| positive(span.ns() as f64)).map(HalfWidth::Absolute)
            }
            None => None,
        },
        _ if !is_time => item.number().and_then(positive).map(HalfWidth::Absolute),
        _ => None,
    };
    if found.is_none() {
        item.wrong("`half-width` is a share above 0 or, in the unit of the metric, an amount above 0", hint);
    }
    found
}

#[cfg(test)]
mod tests;
