//! The Standard Workload Format of parallel machines: a job a line, eighteen numbers each, `-1` for what is not known.
//!
//! Real files have no header, or any; they are not sorted, and have fractions and `-0.0`. A job takes all its processors at once
//! and in turn, so it becomes a task that acquires as many permits of a semaphore. Where all jobs take one processor they are
//! tasks with work, and any policy can be tried.

use super::Kind;
use crate::lines::lines;
use crate::names::Names;
use crate::page::{Page, Step, Table, Task, counted};
use crate::times::{SECOND, plain, quoted, scaled, shortened};
use crate::{Refusal, times};

pub(super) const KIND: Kind = Kind {
    name: "swf",
    title: "a log in the Standard Workload Format",
    summary: "jobs of a parallel machine (SWF): when they came, how long they ran, on how many processors",
    recognises,
    page,
};

/// Fields of a line.
const FIELDS: usize = 18;

/// More processors than this are no machine.
const MOST_PROCESSORS: u64 = 1_000_000;

/// So many processors a simulated machine may have; wider ones are permits only.
const MOST_SIMULATED: u64 = 1_024;

/// A job, its times in nanoseconds.
struct Job {
    number: String,
    submitted: u64,
    waited: Option<u64>,
    ran: u64,
    processors: u64,
}

fn recognises(head: &str) -> bool {
    let data = lines(head).find(|(_, line)| !line.starts_with(';'));
    data.is_some_and(|(_, line)| {
        line.split_whitespace().count() == FIELDS && line.split_whitespace().all(|field| field.parse::<f64>().is_ok())
    })
}

fn page(text: &str) -> Result<Page, Refusal> {
    let mut page = Page::default();
    let (mut jobs, mut machine): (Vec<Job>, u64) = (Vec::new(), 0);
    for (number, line) in lines(text) {
        if let Some(header) = line.strip_prefix(';') {
            header_line(header, &mut page, &mut machine);
            continue;
        }
        match job(line).map_err(|sentence| Refusal::at(number, sentence))? {
            Some(job) => jobs.push(job),
            None => page.left_out.add("a job that never ran, or of which it is not known for how long"),
        }
    }
    let Some(first) = jobs.iter().map(|job| job.submitted).min() else {
        return Err(Refusal::whole("there is no job in it that ran"));
    };
    jobs.sort_by_key(|job| job.submitted);
    let widest = jobs.iter().map(|job| job.processors).max().unwrap_or(1);
    let processors = machine.max(widest);
    if machine == 0 {
        page.assumed
            .push(format!("the machine has {}, as many as the widest job takes", counted(processors, "processor")));
    }
    if first > 0 {
        page.assumed.push(format!("time begins with the first job, {} after the log does", plain(first)));
    }
    page.summary = format!("{} and {}", counted(jobs.len() as u64, "job"), counted(processors, "processor"));
    waited(&jobs, &mut page);
    let are_narrow = widest == 1 && processors <= MOST_SIMULATED;
    arrange(&mut page, processors, are_narrow);
    let mut names = Names::default();
    page.tasks = jobs.iter().map(|job| task(job, first, are_narrow, &mut names)).collect();
    page.left_out.add("requested times, memory, users, groups, applications, queues and partitions");
    Ok(page)
}

/// `Key: value` of the header. Of many only the size of the machine is needed.
fn header_line(header: &str, page: &mut Page, machine: &mut u64) {
    let Some((key, value)) = header.split_once(':') else { return };
    let value = value.trim();
    match key.trim() {
        "MaxProcs" | "MaxNodes" => {
            let processors = value.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
            *machine = (*machine).max(processors.filter(|number| *number <= MOST_PROCESSORS).unwrap_or(0));
        }
        "Computer" => page.title = format!("Jobs of {}", shortened(value)),
        _ => {}
    }
}

/// The job of a line; none if it never ran.
fn job(line: &str) -> Result<Option<Job>, String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.len() != FIELDS {
        return Err(format!("a job has {FIELDS} fields, and here are {}", fields.len()));
    }
    let number = |index: usize| -> Result<f64, String> {
        let number = fields[index].parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| format!("field {} is `{}`, no number", index + 1, shortened(fields[index])))
    };
    // Negative numbers are not known; `-0.0` is zero.
    let known = |index: usize| number(index).map(|number| Some(number).filter(|number| *number >= 0.0));
    let time = |index: usize| known(index)?.map(|number| scaled(number.abs(), SECOND)).transpose();
    let (Some(submitted), waited, ran) = (time(1)?, time(2)?, time(3)?) else {
        return Err("field 2, when it was submitted, is not known".to_owned());
    };
    let allocated = known(4)?.filter(|number| *number >= 1.0);
    let processors = match allocated {
        Some(number) => number,
        None => known(7)?.filter(|number| *number >= 1.0).unwrap_or(1.0),
    };
    if processors > times::f64_of(MOST_PROCESSORS) {
        return Err(format!("a job of {processors} processors; {MOST_PROCESSORS} is the most"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    let processors = processors as u64;
    let job = |ran| Job { number: shortened(fields[0]), submitted, waited, ran, processors };
    Ok(ran.filter(|ran| *ran > 0).map(job))
}

/// What the log says of waits, to be held against the simulation.
fn waited(jobs: &[Job], page: &mut Page) {
    let waits: Vec<u64> = jobs.iter().filter_map(|job| job.waited).collect();
    if let Some(mean) = waits.iter().map(|wait| u128::from(*wait)).sum::<u128>().checked_div(waits.len() as u128) {
        let mean = u64::try_from(mean).unwrap_or(u64::MAX);
        page.summary += &format!(", which waited {} in the mean (in the log)", plain(mean - mean % (SECOND / 1_000)));
    }
}

fn arrange(page: &mut Page, processors: u64, are_narrow: bool) {
    page.assumed.push("first come, first served".to_owned());
    let mut scheduler = Table::new("[scheduler]").with("policy", "\"fifo\"");
    if are_narrow {
        page.tables.push(Table::new("[machine]").with("processors", processors.to_string()));
        scheduler.comment = Some("Others to try: srtf, round-robin with a quantum (sim list policies)".to_owned());
        page.tables.push(scheduler);
    } else {
        let mut nodes = Table::named("[[semaphore]]", "nodes").with("permits", processors.to_string());
        nodes.comment = Some("A permit is a processor: a job takes as many as it needs, all at once.".to_owned());
        page.tables.extend([scheduler, nodes]);
    }
}

fn task(job: &Job, first: u64, is_narrow: bool, names: &mut Names) -> Task {
    let mut table = Table::named("[[task]]", &names.take(&format!("job {}", job.number)))
        .with("arrival", quoted(job.submitted - first));
    table.comment = job.waited.map(|waited| format!("waited {} in the log", plain(waited)));
    let program = if is_narrow {
        vec![Step::of("cpu", &quoted(job.ran))]
    } else {
        let some = format!("\"nodes\", count = {}", job.processors);
        vec![Step::of("acquire", &some), Step::of("sleep", &quoted(job.ran)), Step::of("release", &some)]
    };
    Task { table, program }
}
