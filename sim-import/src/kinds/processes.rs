//! Tables of processes, as every course on operating systems begins with: name, arrival, burst, and what else there is.
//!
//! Headers are known in many spellings. Without one, the columns are those of the textbooks: name, arrival, burst, priority.

mod columns;

use csv::{ReaderBuilder, StringRecord, Trim};

use self::columns::{Column, Columns, Meaning};
use super::Kind;
use crate::Refusal;
use crate::names::Names;
use crate::page::{Page, Step, Table, Task, counted};
use crate::times::{MILLISECOND, SECOND, plain, quoted, read, shortened};

pub(super) const KIND: Kind = Kind {
    name: "processes",
    title: "a table of processes",
    summary: "a table (CSV, or with ; | tabs or spaces): name, arrival, burst, priority, deadline, period, …",
    recognises,
    page,
};

/// What may stand between columns, the surest first.
const SEPARATORS: &[char] = &['\t', ';', ',', '|'];

/// The least common multiple of periods is simulated if it is not much longer than the longest.
const MOST_PERIODS: u64 = 100;

fn recognises(head: &str) -> bool {
    let mut rows = filled(head);
    let Some((_, first)) = rows.next() else { return false };
    // No line of a scenario or of a program.
    if first.contains(['=', '{', '<', '[']) && !first.contains(['(', ','])
        || first.contains("://")
        || first.contains('{')
    {
        return false;
    }
    let (separator, second) = (separator_of(first), rows.next());
    let cells = record(first, separator);
    match second {
        Some((_, second)) => Columns::of(&cells, &record(second, separator)).is_some(),
        None => false,
    }
}

/// Lines that are no comments and no rules of a drawn table.
fn filled(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let is_rule = |line: &str| line.chars().all(|letter| "-+|=: ".contains(letter));
    crate::lines::lines(text).filter(move |(_, line)| !line.starts_with('#') && !is_rule(line))
}

fn separator_of(line: &str) -> char {
    *SEPARATORS.iter().find(|separator| line.contains(**separator)).unwrap_or(&' ')
}

/// The cells of a line.
fn record(line: &str, separator: char) -> StringRecord {
    let line = if separator == '|' { line.trim_matches('|') } else { line };
    if separator == ' ' {
        return line.split_whitespace().collect();
    }
    let mut reader = ReaderBuilder::new();
    reader.has_headers(false).flexible(true).trim(Trim::All).delimiter(u8::try_from(separator).unwrap_or(b','));
    let mut record = StringRecord::new();
    let read = reader.from_reader(line.as_bytes()).read_record(&mut record);
    if matches!(read, Ok(true)) { record } else { line.split(separator).map(str::trim).collect() }
}

/// A process, its times in nanoseconds.
struct Process {
    name: String,
    arrival: u64,
    /// Computing and waiting for a device, in turns.
    bursts: Vec<(bool, u64)>,
    settings: Vec<(&'static str, String)>,
    deadline: Option<u64>,
    period: Option<u64>,
}

fn page(text: &str) -> Result<Page, Refusal> {
    let mut page = Page::default();
    let mut rows = filled(text).peekable();
    let (number, first) = *rows.peek().ok_or_else(|| Refusal::whole("there is no row in it"))?;
    let separator = separator_of(first);
    let header = record(first, separator);
    let second = filled(text).nth(1).map(|(_, line)| record(line, separator)).unwrap_or_default();
    let columns = Columns::of(&header, &second).ok_or_else(|| {
        Refusal::at(number, "there is no column with bursts")
            .hint("columns have names such as: name, arrival, burst, priority")
    })?;
    if columns.has_header {
        rows.next();
    }
    columns.say(&mut page);
    let mut processes = Vec::new();
    for (number, line) in rows {
        let process = process(&record(line, separator), &columns, separator, processes.len());
        processes.push(process.map_err(|sentence| Refusal::at(number, sentence))?);
    }
    if processes.is_empty() {
        return Err(Refusal::whole("there is no process in it"));
    }
    page.summary = counted(processes.len() as u64, "process");
    arrange(&mut page, &processes);
    let mut names = Names::default();
    page.tasks = processes.iter().map(|process| task(process, &mut names)).collect();
    Ok(page)
}

fn process(record: &StringRecord, columns: &Columns, separator: char, index: usize) -> Result<Process, String> {
    let mut process = Process {
        name: format!("P{}", index + 1),
        arrival: 0,
        bursts: Vec::new(),
        settings: Vec::new(),
        deadline: None,
        period: None,
    };
    for (cell, column) in record.iter().zip(&columns.list) {
        let cell = cell.trim();
        if cell.is_empty() || matches!(cell, "-" | "—" | "N/A" | "n/a" | "null" | "None") {
            continue;
        }
        // With ; between columns a comma is that of a fraction.
        let number = if separator == ',' { cell.to_owned() } else { cell.replace(',', ".") };
        set(&mut process, column, cell, &number)
            .map_err(|why| format!("column `{}`: {why}", shortened(&column.name)))?;
    }
    if !process.bursts.iter().any(|(computes, _)| *computes) {
        return Err("this process has no burst".to_owned());
    }
    Ok(process)
}

fn set(process: &mut Process, column: &Column, cell: &str, number: &str) -> Result<(), String> {
    let time = || read(number, column.unit);
    let whole = |least: i64, most: i64| -> Result<String, String> {
        let value = number.parse::<f64>().ok().filter(|value| value.fract() == 0.0 && value.abs() < 1e9);
        #[expect(clippy::cast_possible_truncation, reason = "in range")]
        let value = value.map(|value| value as i64).filter(|value| (least..=most).contains(value));
        value
            .map(|value| value.to_string())
            .ok_or_else(|| format!("`{}` is no whole number from {least} to {most}", shortened(cell)))
    };
    match column.meaning {
        Meaning::Name if cell.bytes().all(|byte| byte.is_ascii_digit()) => process.name = format!("P{cell}"),
        Meaning::Name => cell.clone_into(&mut process.name),
        Meaning::Arrival => process.arrival = time()?,
        Meaning::Burst => process.bursts.push((true, time()?)),
        Meaning::Io => process.bursts.push((false, time()?)),
        Meaning::Deadline => process.deadline = Some(time()?).filter(|time| *time > 0),
        Meaning::Period => process.period = Some(time()?).filter(|time| *time > 0),
        Meaning::Priority => process.settings.push(("priority", whole(-1_000_000, 1_000_000)?)),
        Meaning::Nice => process.settings.push(("nice", whole(-20, 19)?)),
        Meaning::Tickets => process.settings.push(("tickets", whole(1, 1_000_000)?)),
        Meaning::Ignored => {}
    }
    Ok(())
}

/// The policy, and what it and the processes need.
fn arrange(page: &mut Page, processes: &[Process]) {
    let periods: Vec<u64> = processes.iter().filter_map(|process| process.period).collect();
    let has_deadlines = processes.iter().any(|process| process.deadline.is_some());
    let has_priorities = processes.iter().any(|process| process.settings.iter().any(|(key, _)| *key == "priority"));
    let has_nice = processes.iter().any(|process| process.settings.iter().any(|(key, _)| *key == "nice"));
    let policy = match (periods.is_empty(), has_deadlines) {
        (_, true) => "edf",
        (false, false) => "rate-monotonic",
        (true, false) if has_nice => "eevdf",
        (true, false) => "fifo",
    };
    page.assumed.push(format!("one processor, and the policy {policy}"));
    let mut scheduler = Table::new("[scheduler]").with("policy", format!("\"{policy}\""));
    if policy == "eevdf" {
        scheduler.comment =
            Some("Linux's own for ordinary threads, which go by nice. Others to try: cfs, linux".to_owned());
    } else if policy == "fifo" {
        let more = if has_priorities {
            " priority (order = \"low-first\" where a small number is the more urgent),"
        } else {
            ""
        };
        scheduler.comment = Some(format!("Others to try:{more} sjf, srtf, hrrn, round-robin (quantum = \"2ms\")"));
    } else {
        scheduler.comment = Some("Others to try: edf, rate-monotonic, deadline-monotonic, llf".to_owned());
    }
    page.tables.push(scheduler);
    if has_deadlines {
        page.assumed.push("deadlines count from the arrival of a process or the release of a job".to_owned());
    }
    if processes.iter().any(|process| process.bursts.iter().any(|(computes, _)| !computes)) {
        page.assumed.push("devices serve everybody at once".to_owned());
        page.tables.push(Table::named("[[device]]", "io").with("channels", "\"unlimited\""));
    }
    if let Some(longest) = periods.iter().max() {
        let latest = processes.iter().map(|process| process.arrival).max().unwrap_or(0);
        let until = latest.saturating_add(horizon(&periods, *longest));
        page.assumed.push(format!("it is simulated until {}", plain(until)));
        page.head.push(("until", quoted(until)));
    }
}

/// The least common multiple of the periods, if it is not too long.
fn horizon(periods: &[u64], longest: u64) -> u64 {
    fn divisor(one: u64, other: u64) -> u64 {
        if other == 0 { one } else { divisor(other, one % other) }
    }
    let most = longest.saturating_mul(MOST_PERIODS);
    let multiple = periods.iter().try_fold(1u64, |multiple, period| {
        (multiple / divisor(multiple, *period)).checked_mul(*period).filter(|multiple| *multiple <= most)
    });
    multiple.unwrap_or_else(|| longest.saturating_mul(20)).min(SECOND.saturating_mul(300_000_000))
}

fn task(process: &Process, names: &mut Names) -> Task {
    let mut table = Table::named("[[task]]", &names.take(&process.name)).with("arrival", quoted(process.arrival));
    match (process.period, process.deadline) {
        (Some(period), deadline) => {
            table.set("period", quoted(period));
            deadline.into_iter().for_each(|deadline| table.set("deadline", quoted(deadline)));
        }
        (None, Some(deadline)) => {
            table.set("period", quoted(deadline));
            table.set("jobs", "1");
        }
        (None, None) => {}
    }
    process.settings.iter().for_each(|(key, value)| table.set(key, value.clone()));
    let step = |(computes, time): &(bool, u64)| {
        if *computes {
            Step::of("cpu", &quoted(*time))
        } else {
            Step::of("io", &format!("\"io\", for = {}", quoted(*time)))
        }
    };
    // Nothing to do is nothing to write.
    let bursts = process.bursts.iter().filter(|(computes, time)| *time > 0 || *computes);
    Task { table, program: bursts.map(step).collect() }
}

/// Units in headers: `Burst (us)`, `arrival_s`.
fn unit_of(name: &str) -> Option<u64> {
    match name {
        "ns" => Some(1),
        "us" | "µs" => Some(1_000),
        "ms" | "msec" | "milliseconds" => Some(MILLISECOND),
        "s" | "sec" | "seconds" => Some(SECOND),
        _ => None,
    }
}
