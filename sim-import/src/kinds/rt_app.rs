//! Workloads of rt-app: threads and what they do in order, as JSON. Keys may come twice and their order counts; times are
//! microseconds.
//!
//! What rt-app does and its tutorial does not say: a `loop` beside events, without `phases`, does not end the thread, which goes on
//! until the time is up.

mod events;

use std::collections::BTreeMap;

use self::events::Writer;
use super::Kind;
use crate::Refusal;
use crate::json::Json;
use crate::names::{Names, quoted as named};
use crate::page::{Page, Step, Table, Task, counted};
use crate::times::{MICROSECOND, SECOND, quoted, scaled, shortened};

pub(super) const KIND: Kind = Kind {
    name: "rt-app",
    title: "an rt-app file",
    summary: "threads of rt-app (JSON): phases, timers, locks, conditions, barriers, scheduling classes",
    recognises: |head| {
        let begins = head.trim_start().starts_with(['{', '/']);
        begins && head.contains("\"tasks\"") && !head.contains("\"timeline_hash\"")
    },
    page,
};

/// Without a duration, a workload that never ends is simulated so long.
const WITHOUT_DURATION: u64 = 10 * SECOND;

/// More threads than these are a mistake.
const MOST_INSTANCES: f64 = 100_000.0;

/// What all threads have in common.
#[derive(Default)]
struct Setting {
    policy: String,
    /// The highest processor that a thread is bound to.
    highest: u64,
    is_endless: bool,
}

fn page(text: &str) -> Result<Page, Refusal> {
    let json = Json::read(text)?;
    let tasks = json.get("tasks").filter(|tasks| !tasks.entries().is_empty());
    let tasks = tasks.ok_or_else(|| Refusal::whole("there is no thread in `tasks`"))?;
    let nothing = Json::Null;
    let global = json.get("global").unwrap_or(&nothing);
    let mut page = Page::default();
    let mut setting = Setting {
        policy: global.get("default_policy").and_then(Json::text).unwrap_or("SCHED_OTHER").to_owned(),
        ..Setting::default()
    };
    let mut names = Names::default();
    let threads: Vec<(String, &Json)> = tasks.entries().iter().map(|(name, json)| (names.take(name), json)).collect();
    let mut writer = Writer::new(threads.iter().map(|(name, _)| name.clone()).collect());
    for (name, thread) in &threads {
        let task = task(name, thread, &mut setting, &mut writer, &mut page);
        page.tasks.extend(task.map_err(|why| Refusal::whole(format!("thread `{}`: {why}", shortened(name))))?);
    }
    forked(&mut page, &writer);
    let is_inherited = matches!(global.get("pi_enabled"), Some(Json::Bool(true)));
    let objects = writer.tables(is_inherited);
    let duration = global.get("duration").and_then(Json::number).filter(|seconds| *seconds > 0.0);
    until(&mut page, duration, setting.is_endless)?;
    let processors = setting.highest + 1;
    page.assumed.push(format!("the machine has {}: as many as are named in `cpus`", counted(processors, "processor")));
    if matches!(global.get("calibration"), Some(Json::Number(_))) {
        page.left_out.add("the calibration: `run` is that long on a processor of speed 1");
    }
    page.tables.push(Table::new("[machine]").with("processors", processors.to_string()));
    page.tables.push(Table::new("[scheduler]").with("policy", "\"linux\""));
    page.summary = counted(threads.len() as u64, "thread");
    for (what, number) in count(&objects) {
        page.summary += &format!(", {}", counted(number, what));
    }
    page.tables.extend(objects);
    Ok(page)
}

/// How many there are of each sort of object.
fn count(objects: &[Table]) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for table in objects {
        *counts.entry(table.header.trim_matches(['[', ']'])).or_insert(0) += 1;
    }
    counts
}

fn until(page: &mut Page, duration: Option<f64>, is_endless: bool) -> Result<(), Refusal> {
    let until = match duration {
        Some(seconds) => scaled(seconds, SECOND).map_err(Refusal::whole)?,
        None if is_endless => {
            page.assumed.push("it has no duration and does not end: it is simulated for 10 s".to_owned());
            WITHOUT_DURATION
        }
        None => return Ok(()),
    };
    page.head.push(("until", quoted(until)));
    Ok(())
}

/// Tasks that others fork come by that only, or in a copy of their own.
fn forked(page: &mut Page, writer: &Writer) {
    let mut copies = Vec::new();
    for (name, of_forked) in writer.forked() {
        let Some(task) = page.tasks.iter().find(|task| is_called(task, name)) else { continue };
        let mut table = Table::named("[[task]]", of_forked).with("arrival", "\"spawned\"");
        let is_kept = |key: &str| !matches!(key, "name" | "arrival" | "count");
        table.entries.extend(task.table.entries.iter().filter(|(key, _)| is_kept(key)).cloned());
        copies.push(Task { table, program: task.program.clone() });
    }
    page.tasks.retain(|task| !task.table.entries.iter().any(|(key, value)| *key == "count" && value == "0"));
    page.tasks.extend(copies);
}

fn is_called(task: &Task, name: &str) -> bool {
    task.table.entries.iter().any(|(key, value)| *key == "name" && *value == named(name))
}

fn task(
    name: &str,
    thread: &Json,
    setting: &mut Setting,
    writer: &mut Writer,
    page: &mut Page,
) -> Result<Option<Task>, String> {
    let number = |key: &str| thread.get(key).and_then(Json::number);
    let mut table = Table::named("[[task]]", name);
    let instances = number("instance").unwrap_or(1.0);
    if !(0.0..=MOST_INSTANCES).contains(&instances) {
        return Err(format!("{instances} instances"));
    }
    if (instances - 1.0).abs() > 0.5 {
        table.set("count", format!("{}", instances.trunc()));
    }
    if let Some(delay) = number("delay").filter(|delay| *delay > 0.0) {
        table.set("arrival", quoted(scaled(delay, MICROSECOND)?));
    }
    class(&mut table, thread, &setting.policy, page)?;
    if let Some(Json::List(list)) = thread.get("cpus") {
        let numbers = list.iter().map(|json| json.number().filter(|number| (0.0..1024.0).contains(number)));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        let cpus: Option<Vec<u64>> = numbers.map(|number| number.map(|number| number as u64)).collect();
        let cpus = cpus.filter(|cpus| !cpus.is_empty()).ok_or("`cpus` is no list of processors")?;
        setting.highest = setting.highest.max(cpus.iter().copied().max().unwrap_or(0));
        table.set("affinity", format!("{cpus:?}"));
    }
    // A `loop` beside events is that of the one phase, and the thread itself goes on.
    let (phases, rounds) = match thread.get("phases") {
        Some(phases) => (phases.entries().iter().map(|(_, phase)| phase).collect(), number("loop").unwrap_or(-1.0)),
        None => (vec![thread], -1.0),
    };
    let has_phases = thread.get("phases").is_some();
    let is_once = |turns: f64| (turns - 1.0).abs() < 0.5;
    // The turns of a thread of one phase are those of the phase.
    let mut is_folded = false;
    let is_forever = rounds < 0.0;
    let mut program = Vec::new();
    for phase in &phases {
        let loops = phase.get("loop").and_then(Json::number).filter(|_| has_phases).unwrap_or(1.0);
        if has_phases && phase.get("cpus").is_some() {
            page.left_out.add("processors of single phases (`cpus` in a phase)");
        }
        is_folded = phases.len() == 1 && is_once(loops);
        program.extend(writer.phase(phase, name, if is_folded { rounds } else { loops }, page)?);
        setting.is_endless |= loops < 0.0;
    }
    setting.is_endless |= is_forever;
    if program.is_empty() {
        page.left_out.add(format!("the thread `{}`, which does nothing", shortened(name)));
        return Ok(None);
    }
    if !is_folded && !is_once(rounds) {
        let times = if is_forever { "\"forever\"".to_owned() } else { format!("{}", rounds.trunc()) };
        program = vec![Step::repeat(&times, program)];
    }
    Ok(Some(Task { table, program }))
}

/// The scheduling class of a thread.
fn class(table: &mut Table, thread: &Json, default: &str, page: &mut Page) -> Result<(), String> {
    let policy = thread.get("policy").and_then(Json::text).unwrap_or(default);
    let priority = thread.get("priority").and_then(Json::number);
    let whole = |least: f64, most: f64| match priority {
        Some(number) if !(least..=most).contains(&number) => Err(format!("the priority {number} under {policy}")),
        number => Ok(number.map(f64::trunc)),
    };
    match policy {
        "SCHED_FIFO" | "SCHED_RR" => {
            table.set("class", if policy == "SCHED_RR" { "\"round-robin\"" } else { "\"fifo\"" });
            table.set("rt-priority", format!("{}", whole(1.0, 99.0)?.unwrap_or(10.0)));
        }
        "SCHED_DEADLINE" => {
            let time = |key: &str| {
                let number = thread.get(key).and_then(Json::number).filter(|number| *number > 0.0);
                number.map(|number| scaled(number, MICROSECOND)).transpose()
            };
            let budget = time("dl-runtime")?.ok_or("SCHED_DEADLINE needs a `dl-runtime`")?;
            let period = time("dl-period")?.unwrap_or(budget).max(budget);
            if time("dl-deadline")?.is_some_and(|deadline| deadline != period) {
                page.left_out.add("deadlines that are not the period (`dl-deadline`)");
            }
            table.set("class", "\"deadline\"");
            table.set("server", format!("{{ budget = {}, period = {} }}", quoted(budget), quoted(period)));
        }
        "SCHED_BATCH" | "SCHED_IDLE" | "SCHED_OTHER" => {
            match policy {
                "SCHED_BATCH" => table.set("class", "\"batch\""),
                "SCHED_IDLE" => table.set("class", "\"idle\""),
                _ => {}
            }
            if let Some(nice) = whole(-20.0, 19.0)?.filter(|nice| nice.abs() > 0.5) {
                table.set("nice", format!("{nice}"));
            }
        }
        _ => page.left_out.add(format!("the policy `{}`", shortened(policy))),
    }
    Ok(())
}
