//! What the columns of a table of processes are.

use csv::StringRecord;

use super::unit_of;
use crate::page::Page;
use crate::times::{MILLISECOND, shortened};

/// What a column tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    Name,
    Arrival,
    Burst,
    Io,
    Priority,
    Nice,
    Tickets,
    Deadline,
    Period,
    Ignored,
}

use Meaning::{Arrival, Burst, Deadline, Ignored, Io, Name, Nice, Period, Priority, Tickets};

/// Spellings, in small letters and without anything but letters.
const SPELLINGS: &[(Meaning, &[&str])] = &[
    (
        Name,
        &[
            "pid",
            "p",
            "process",
            "processid",
            "processname",
            "processno",
            "processnumber",
            "name",
            "task",
            "taskid",
            "taskname",
            "id",
            "job",
            "jobid",
            "jobname",
            "thread",
            "threadid",
            "proc",
            "procid",
            "no",
        ],
    ),
    (
        Arrival,
        &[
            "arrival",
            "arrivaltime",
            "arrivaltimes",
            "at",
            "arr",
            "arrtime",
            "arrive",
            "arrives",
            "arrivesat",
            "submit",
            "submittime",
            "release",
            "releasetime",
            "offset",
            "phase",
            "start",
            "starttime",
            "ta",
            "activation",
        ],
    ),
    (
        Burst,
        &[
            "burst",
            "bursttime",
            "bursttimes",
            "bt",
            "cpuburst",
            "cpubursttime",
            "cputime",
            "cpu",
            "servicetime",
            "service",
            "st",
            "executiontime",
            "exectime",
            "execution",
            "exec",
            "runtime",
            "run",
            "duration",
            "length",
            "wcet",
            "c",
            "computation",
            "computationtime",
            "computetime",
            "processingtime",
            "cost",
            "et",
            "work",
            "tb",
            "capacity",
        ],
    ),
    (Io, &["io", "iotime", "ioburst", "iobursttime", "ioduration", "iowait"]),
    (Priority, &["priority", "prio", "pri", "pr", "prioritylevel"]),
    (Nice, &["nice", "niceness", "nicevalue"]),
    (Tickets, &["tickets", "ticket", "lotterytickets"]),
    (Deadline, &["deadline", "deadlines", "d", "dl", "relativedeadline", "deadlinetime"]),
    (Period, &["period", "t", "periodicity", "periodtime", "minimuminterarrivaltime"]),
];

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) meaning: Meaning,
    /// Nanoseconds of what a number without a unit is.
    pub(super) unit: u64,
    says_unit: bool,
}

/// All columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) list: Vec<Column>,
    pub(super) has_header: bool,
}

impl Column {
    fn of(name: &str) -> Column {
        let (words, unit) = without_unit(name);
        let plain: String = words.chars().filter(|letter| letter.is_alphabetic()).collect::<String>().to_lowercase();
        let spelled = SPELLINGS.iter().find(|(_, spellings)| spellings.contains(&plain.as_str()));
        Column {
            name: name.trim().to_owned(),
            meaning: spelled.map_or(Ignored, |(meaning, _)| *meaning),
            unit: unit.unwrap_or(MILLISECOND),
            says_unit: unit.is_some(),
        }
    }

    fn is_time(&self) -> bool {
        matches!(self.meaning, Arrival | Burst | Io | Deadline | Period)
    }
}

/// `Burst Time (ms)` is `Burst Time` and a unit.
fn without_unit(name: &str) -> (&str, Option<u64>) {
    let name = name.trim();
    let opened = name.rfind(['(', '[']).filter(|at| *at > 0 && name.ends_with([')', ']']));
    if let Some(at) = opened {
        let inside = name[at + 1..name.len() - 1].trim().to_lowercase();
        return (&name[..at], unit_of(&inside));
    }
    let ending = name.rsplit_once(['_', ' ']);
    match ending.and_then(|(words, unit)| Some((words, unit_of(&unit.to_lowercase())?))) {
        Some((words, unit)) => (words, Some(unit)),
        None => (name, None),
    }
}

impl Columns {
    /// The columns of a table whose first rows these are; `None` if it is no table of processes.
    pub(super) fn of(first: &StringRecord, second: &StringRecord) -> Option<Columns> {
        let list: Vec<Column> = first.iter().map(Column::of).collect();
        let known = list.iter().filter(|column| column.meaning != Ignored).count();
        if known >= 2 && list.iter().any(|column| column.meaning == Burst) {
            return Some(Columns { list, has_header: true });
        }
        Columns::without_header(first, second)
    }

    /// The columns of the textbooks, where all but the names are numbers.
    fn without_header(first: &StringRecord, second: &StringRecord) -> Option<Columns> {
        let is_number = |cell: &str| cell.trim().parse::<f64>().is_ok_and(f64::is_finite);
        let are_data =
            |row: &StringRecord| row.iter().skip(1).all(is_number) && !row.iter().any(|cell| cell.trim().is_empty());
        let same = second.is_empty() || second.len() == first.len() && are_data(second);
        let starts_with_name = !first.get(0).is_some_and(is_number);
        let meanings: &[Meaning] = match first.len() {
            2 if starts_with_name => &[Name, Burst],
            2 => &[Arrival, Burst],
            3 => &[Name, Arrival, Burst],
            4 => &[Name, Arrival, Burst, Priority],
            _ => return None,
        };
        let named = |meaning: &Meaning| Column {
            name: format!("{meaning:?}").to_lowercase(),
            meaning: *meaning,
            unit: MILLISECOND,
            says_unit: false,
        };
        (same && are_data(first)).then(|| Columns { list: meanings.iter().map(named).collect(), has_header: false })
    }

    /// Says what was made of them.
    pub(super) fn say(&self, page: &mut Page) {
        if !self.has_header {
            let names: Vec<&str> = self.list.iter().map(|column| column.name.as_str()).collect();
            page.assumed.push(format!("there is no header, so the columns are {}", names.join(", ")));
        }
        if self.list.iter().any(|column| column.is_time() && !column.says_unit) {
            page.assumed.push("numbers without a unit are milliseconds".to_owned());
        }
        if !self.list.iter().any(|column| column.meaning == Arrival) {
            page.assumed.push("all arrive at 0".to_owned());
        }
        for column in self.list.iter().filter(|column| column.meaning == Ignored && !column.name.is_empty()) {
            page.left_out.add(format!("the column `{}`", shortened(&column.name)));
        }
    }
}
