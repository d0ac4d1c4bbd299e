//! The events of rt-app's threads as operations, and the objects that they name.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::names::{Names, quoted as named};
use crate::page::{Page, Step, Table};
use crate::times::{MICROSECOND, quoted, scaled, shortened};

/// What events are called; the names of keys begin so. Longer ones come before those that they begin with.
const EVENTS: &[&str] = &[
    "runtime", "run", "sleep", "timer", "lock", "unlock", "wait", "signal", "broad", "sync", "barrier", "suspend",
    "resume", "sem_post", "sem_wait", "yield", "fork", "memrun", "mem", "iorun",
];

/// Keys of a thread or a phase that are no events.
const SETTINGS: &[&str] =
    &["loop", "phases", "instance", "delay", "policy", "priority", "cpus", "dl-runtime", "dl-period", "dl-deadline"];

/// A sort of object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Sort {
    Lock,
    Condvar,
    Semaphore,
    Barrier,
}

/// What is needed to write events: the names of all objects.
pub(super) struct Writer {
    threads: Vec<String>,
    objects: BTreeMap<(Sort, String), (String, u64)>,
    names: Names,
    forked: BTreeMap<String, String>,
}

/// A timer at the end of a phase.
struct Timer {
    period: u64,
    /// Does it catch up after an overrun?
    is_absolute: bool,
}

impl Writer {
    pub(super) fn new(threads: Vec<String>) -> Writer {
        let (objects, forked) = (BTreeMap::new(), BTreeMap::new());
        Writer { threads, objects, names: Names::default(), forked }
    }

    /// The threads that others fork, with the names of their copies.
    pub(super) fn forked(&self) -> impl Iterator<Item = (&str, &str)> {
        self.forked.iter().map(|(name, copy)| (name.as_str(), copy.as_str()))
    }

    /// Tables of all objects that were named.
    pub(super) fn tables(&self, is_inherited: bool) -> Vec<Table> {
        let table = |((sort, _), (name, uses)): (&(Sort, String), &(String, u64))| match sort {
            Sort::Lock if is_inherited => Table::named("[[lock]]", name).with("protocol", "\"inherit\""),
            Sort::Lock => Table::named("[[lock]]", name),
            Sort::Condvar => Table::named("[[condvar]]", name),
            Sort::Semaphore => Table::named("[[semaphore]]", name).with("permits", "0"),
            Sort::Barrier => Table::named("[[barrier]]", name).with("parties", uses.to_string()),
        };
        self.objects.iter().map(table).collect()
    }

    /// An object by its name, in quotes.
    fn object(&mut self, sort: Sort, name: &str) -> String {
        let names = &mut self.names;
        let entry = self.objects.entry((sort, name.to_owned())).or_insert_with(|| (names.take(name), 0));
        entry.1 += 1;
        named(&entry.0)
    }

    /// A phase so many times, forever if that is negative.
    pub(super) fn phase(
        &mut self,
        phase: &Json,
        thread: &str,
        turns: f64,
        page: &mut Page,
    ) -> Result<Vec<Step>, String> {
        let events: Vec<(&'static str, &Json)> =
            phase.entries().iter().filter_map(|(key, value)| Some((event(key, page)?, value))).collect();
        let timers = events.iter().filter(|(event, _)| *event == "timer").count();
        let at_end = match events.last() {
            Some(("timer", value)) if timers == 1 && events.len() > 1 => Some(timer(value)?),
            _ => None,
        };
        let events = if at_end.is_some() { &events[..events.len() - 1] } else { &events[..] };
        let (mut steps, mut work) = (Vec::new(), 0u64);
        for (event, value) in events {
            if matches!(*event, "run" | "runtime") {
                work = work.saturating_add(micros(value)?);
            }
            if *event == "timer" {
                page.left_out.add("timers between other events: they sleep for their period less the work before them");
                let pause = timer(value)?.period.saturating_sub(std::mem::take(&mut work));
                steps.push(Step::of("sleep", &quoted(pause)));
                continue;
            }
            self.event(event, value, thread, &mut steps, page).map_err(|why| format!("{event}: {why}"))?;
        }
        let is_once = (turns - 1.0).abs() < 0.5;
        match at_end {
            Some(timer) if timer.period > 0 && !steps.is_empty() => Ok(in_turns(&timer, turns, steps, work, page)),
            _ if is_once || steps.is_empty() => Ok(steps),
            _ => Ok(vec![Step::repeat(&times(turns), steps)]),
        }
    }

    fn event(
        &mut self,
        event: &str,
        value: &Json,
        thread: &str,
        steps: &mut Vec<Step>,
        page: &mut Page,
    ) -> Result<(), String> {
        let text = || value.text().ok_or_else(|| "its value is no name".to_owned());
        let both = || -> Result<(&str, &str), String> {
            let part = |key| value.get(key).and_then(Json::text).ok_or_else(|| format!("it has no `{key}`"));
            Ok((part("ref")?, part("mutex")?))
        };
        match event {
            "run" => steps.push(Step::of("cpu", &quoted(micros(value)?))),
            "runtime" => {
                page.left_out
                    .add("that `runtime` counts the time in which a thread is preempted: it is work like `run`");
                steps.push(Step::of("cpu", &quoted(micros(value)?)));
            }
            "sleep" => steps.push(Step::of("sleep", &quoted(micros(value)?))),
            "lock" | "unlock" => steps.push(Step::of(event, &self.object(Sort::Lock, text()?))),
            "signal" => steps.push(Step::of("notify", &self.object(Sort::Condvar, text()?))),
            "broad" => steps.push(Step::of("notify-all", &self.object(Sort::Condvar, text()?))),
            "barrier" => steps.push(Step::of("barrier", &self.object(Sort::Barrier, text()?))),
            "sem_post" => steps.push(Step::of("release", &self.object(Sort::Semaphore, text()?))),
            "sem_wait" => steps.push(Step::of("acquire", &self.object(Sort::Semaphore, text()?))),
            "yield" => steps.push(Step::Plain("\"yield\"".to_owned())),
            "wait" => {
                let (condvar, lock) = both()?;
                steps.push(self.wait(condvar, lock));
            }
            "sync" => {
                let (condvar, lock) = both()?;
                let held = self.object(Sort::Lock, lock);
                steps.push(Step::of("lock", &held));
                steps.push(Step::of("notify", &self.object(Sort::Condvar, condvar)));
                steps.push(self.wait(condvar, lock));
                steps.push(Step::of("unlock", &held));
            }
            "suspend" => {
                let own = value.text().filter(|name| !name.is_empty()).unwrap_or(thread);
                let held = self.object(Sort::Lock, &format!("{own} suspended"));
                steps.push(Step::of("lock", &held));
                steps.push(self.wait(&format!("{own} resumed"), &format!("{own} suspended")));
                steps.push(Step::of("unlock", &held));
            }
            "resume" => {
                steps.push(Step::of("notify-all", &self.object(Sort::Condvar, &format!("{} resumed", text()?))))
            }
            "fork" => steps.extend(self.fork(text()?)?),
            _ => page.left_out.add(format!("`{event}`: what memory and devices of rt-app cost is not known")),
        }
        Ok(())
    }

    fn wait(&mut self, condvar: &str, lock: &str) -> Step {
        let (condvar, lock) = (self.object(Sort::Condvar, condvar), self.object(Sort::Lock, lock));
        Step::Plain(format!("{{ wait = {condvar}, with = {lock} }}"))
    }

    fn fork(&mut self, name: &str) -> Result<Option<Step>, String> {
        if !self.threads.iter().any(|thread| thread == name) {
            return Err(format!("there is no thread `{}`", shortened(name)));
        }
        let copy = self.forked.entry(name.to_owned()).or_insert_with(|| format!("{name} (forked)"));
        Ok(Some(Step::of("spawn", &named(copy))))
    }
}

/// The event that a key names; what it is else is left out.
fn event(key: &str, page: &mut Page) -> Option<&'static str> {
    let found = EVENTS.iter().find(|event| key.starts_with(**event) && !SETTINGS.contains(&key));
    if found.is_none() && !SETTINGS.contains(&key) {
        page.left_out.add(format!("the key `{}`", shortened(key)));
    }
    found.copied()
}

fn micros(value: &Json) -> Result<u64, String> {
    let number = value.number().ok_or_else(|| "its value is no number of microseconds".to_owned())?;
    scaled(number, MICROSECOND)
}

fn timer(value: &Json) -> Result<Timer, String> {
    let period = value.get("period").ok_or("timer: it has no `period`")?;
    let is_absolute = value.get("mode").and_then(Json::text) == Some("absolute");
    Ok(Timer { period: micros(period).map_err(|why| format!("timer: {why}"))?, is_absolute })
}

fn times(turns: f64) -> String {
    if turns < 0.0 { "\"forever\"".to_owned() } else { format!("{}", turns.trunc().min(1e9)) }
}

/// Steps with a timer behind them, in turns. After the last of them the timer is waited for, too.
fn in_turns(timer: &Timer, turns: f64, steps: Vec<Step>, work: u64, page: &mut Page) -> Vec<Step> {
    // After an overrun rt-app's timer begins anew, unless it is absolute and catches up.
    let missed = if timer.is_absolute { "burst" } else { "delay" };
    let mut head = format!("every = {}, ", quoted(timer.period));
    if turns >= 0.0 {
        head += &format!("times = {}, ", times(turns));
    }
    let mut written = vec![Step::Block(format!("{head}missed = \"{missed}\""), steps)];
    if turns >= 0.0 {
        page.left_out.add(
            "the timer behind the last turn of a phase: a sleep of its period less the work of a turn stands there",
        );
        written.push(Step::of("sleep", &quoted(timer.period.saturating_sub(work))));
    }
    written
}
