//! All figures by their paths, for people.

use super::keys::{self, Key, Unit};

/// A figure, or a short name of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its path, with `NAME` for names. Of a distribution it is the mean.
    pub path: String,
    /// What it is counted in.
    pub unit: Unit,
    /// What it is, in a few words.
    pub meaning: String,
}

/// All figures of a run: its own, and those of what it may have. First come the short names.
#[must_use]
pub fn listed() -> Vec<Listed> {
    let short = |prefix: &'static str, known: &'static [Key]| {
        move |(name, words): &(&'static str, &'static [&'static str])| {
            let of = if prefix.is_empty() { keys::RUN } else { keys::INSTANCE };
            let key = known.iter().chain(of).find(|key| key.name == words[0]);
            let unit = key.map_or(Unit::Count, |key| key.unit);
            Listed { path: format!("{prefix}{name}"), unit, meaning: format!("short for {}", words.join(".")) }
        }
    };
    let mut all: Vec<Listed> = keys::SHORT.iter().map(short("", keys::RUN)).collect();
    all.extend(keys::SHORT_OF_KIND.iter().map(short("task.NAME.", keys::KIND)));
    all.extend(of("", keys::RUN, ""));
    all.extend(of("task.NAME.", keys::KIND, ""));
    all.extend(of("task.NAME#N.", keys::INSTANCE, "; task.NAME is enough where there is one"));
    let things = [
        ("processor", keys::PROCESSOR),
        ("device", keys::DEVICE),
        ("group", keys::GROUP),
        ("variable", keys::VARIABLE),
    ];
    for (thing, known) in things.into_iter().chain(keys::OF_SYNCS.iter().copied()) {
        all.extend(of(&format!("{thing}.NAME."), known, ""));
    }
    all.extend(of("causes.", keys::CAUSES, ", summed over all tasks; task.NAME.causes of a kind"));
    all
}

fn of(prefix: &str, known: &'static [Key], besides: &str) -> Vec<Listed> {
    let entry = |key: &Key| {
        let (spread, others) = if key.is_spread { (".mean", "; also .p50, .p95, .p99, .max") } else { ("", "") };
        Listed {
            path: format!("{prefix}{}{spread}", key.name),
            unit: key.unit,
            meaning: format!("{}{others}{besides}", key.meaning),
        }
    };
    known.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Metric;
    use super::*;

    #[test]
    fn whatever_is_listed_can_be_asked_for() {
        for Listed { path, unit, meaning } in listed() {
            let metric = Metric::parse(&path.replace("#N", "#0")).unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
            assert_eq!(metric.unit(), unit, "{path}");
            assert!(!meaning.is_empty(), "{path}");
        }
    }
}
