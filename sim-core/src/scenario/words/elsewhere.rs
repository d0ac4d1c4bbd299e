//! Where a path was meant to lead that begins with what no scenario begins with: `quantum` is `scheduler.quantum`.

use super::LISTS;
use crate::device::DISCIPLINES;
use crate::document::{Kind, Value};
use crate::executor::EXECUTORS;
use crate::parameter::Parameter;
use crate::policy::POLICIES;

/// What else may stand at the top.
const TOP: &[&str] = &["title", "seed", "until", "executor", "runtime", "machine", "scheduler"];

/// Keys by where they stand; the parameters on the shelves are added.
const KEYS: &[(&str, &[&str])] = &[
    ("scheduler", &["policy", "ties", "timer", "queues"]),
    (
        "machine",
        &[
            "processors",
            "context-switch",
            "process-switch",
            "migration",
            "thread-start",
            "process-start",
            "task-switch",
            "charge-first-switch",
            "tick",
            "tick-phase",
            "cache",
            "profile",
        ],
    ),
    ("process", &["executor", "runtime"]),
    (
        "task",
        &[
            "count",
            "arrival",
            "after",
            "program",
            "priority",
            "class",
            "rt-priority",
            "nice",
            "slice",
            "tickets",
            "affinity",
            "period",
            "deadline",
            "jobs",
            "jitter",
            "server",
        ],
    ),
    ("device", &["channels", "discipline", "service", "seek"]),
    ("lock", &["protocol", "spin"]),
    ("rwlock", &["prefer"]),
    ("semaphore", &["permits"]),
    ("channel", &["capacity"]),
    ("barrier", &["parties"]),
    ("group", &["quota", "burst"]),
];

/// The path that ends as this one and leads to something, if this one begins with what nothing begins with.
pub(super) fn meant(path: &[&str], root: &Value<'_>) -> Option<String> {
    let (first, last) = (path.first()?, path.last()?);
    let begins = |name: &str| TOP.contains(&name) || LISTS.contains(&name) || root.get(name).is_some();
    if begins(first) {
        return None;
    }
    let takes = |parameters: &[Parameter]| parameters.iter().any(|own| own.name == *last);
    let written = KEYS.iter().find(|(_, keys)| keys.contains(last)).map(|(place, _)| *place);
    let place = match written {
        Some(place) => place,
        None if POLICIES.iter().any(|kind| takes(kind.parameters)) => "scheduler",
        None if EXECUTORS.iter().any(|kind| takes(kind.parameters)) => "executor",
        None if DISCIPLINES.iter().any(|kind| takes(kind.parameters)) => "device",
        None => return None,
    };
    let before = match place {
        "scheduler" | "machine" => place.to_owned(),
        "executor" => format!("{}.executor", element("process", path, root)?.0),
        "task" => task(path, root)?,
        list => element(list, path, root)?.0,
    };
    Some(format!("{before}.{last}"))
}

/// A task of the top, or of the process that is meant.
fn task(path: &[&str], root: &Value<'_>) -> Option<String> {
    let at_the_top = element("task", path, root).map(|(path, _)| path);
    at_the_top.or_else(|| {
        let (process, value) = element("process", path, root)?;
        Some(format!("{process}.{}", element("task", path, value)?.0))
    })
}

/// Of a list the element that the path names, or else the first: its path and itself.
fn element<'v, 'a>(list: &str, path: &[&str], table: &'v Value<'a>) -> Option<(String, &'v Value<'a>)> {
    let Kind::List(elements) = &table.get(list)?.kind else { return None };
    let named = elements.iter().filter_map(|value| match &value.get("name")?.kind {
        Kind::Text(name) => Some((name, value)),
        _ => None,
    });
    let is_named = |name: &str| path.contains(&name);
    let (name, value) = named.clone().find(|(name, _)| is_named(name)).or_else(|| named.clone().next())?;
    let quote = if name.contains('.') { "\"" } else { "" };
    Some((format!("{list}.{quote}{name}{quote}"), value))
}
