//! The trace event format of Chrome, which <https://ui.perfetto.dev> and `chrome://tracing` open.
//!
//! One track for each processor, with the task it is busy with, one for each task, with its states and, if it is periodic,
//! the releases and deadlines of its jobs, and one for each lock that only one holds at a time, with its holder. Slices of a
//! track never overlap, and none is without length: the viewer would nest them, one without length inside what follows. So
//! what took no time is an instant. All slices are complete events (`X`), which must not be mixed with begin and end; all
//! numbers of tracks are numbers, not texts. Times are microseconds with three decimals, so nothing is rounded.

use std::io;

use sim_core::ids::{CpuId, SyncId, TaskId};
use sim_core::time::Time;
use sim_core::timeline::lanes::{State, Stretch};
use sim_core::timeline::{Hold, Standing, Stands, Timeline, What};

use super::{Exporter, cause_name, left_name};
use crate::rows;

pub(super) static EXPORTER: Exporter = Exporter {
    name: "chrome",
    summary: "trace events in JSON, for ui.perfetto.dev and chrome://tracing",
    extension: "json",
    write,
};

/// Tracks belong to "processes" of the format. Its thread numbers must differ from process numbers and each other.
const PROCESSORS: u32 = 1;
const TASKS: u32 = 2;
const LOCKS: u32 = 3;
const FIRST_PROCESSOR: u32 = 10;

fn write(timeline: &Timeline, title: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let mut trace = Trace { out, text: String::new(), first: true, result: Ok(()) };
    trace.text(&[r#"{"displayTimeUnit":"ns","otherData":{"title":""#, &json(title), r#""},"traceEvents":["#]);
    let names: Vec<String> = timeline.tasks.ids().map(|task| json(&full_name(timeline, task))).collect();
    trace.process(PROCESSORS, "processors");
    trace.process(TASKS, "tasks");
    for cpu in timeline.cast.processors.ids() {
        trace.thread(PROCESSORS, processor_track(cpu), &json(&rows::processor_label(timeline, cpu)));
    }
    for task in timeline.tasks.ids() {
        trace.thread(TASKS, task_track(timeline, task), &names[task.0 as usize]);
    }
    processors(&mut trace, timeline, &names);
    let standing = Standing::of(timeline);
    for (task, life) in timeline.lanes().pairs() {
        states(&mut trace, (timeline, standing.as_ref()), task, life);
    }
    jobs(&mut trace, timeline);
    locks(&mut trace, timeline, &names);
    trace.end()
}

fn processor_track(cpu: CpuId) -> u32 {
    FIRST_PROCESSOR.saturating_add(cpu.0)
}

fn task_track(timeline: &Timeline, task: TaskId) -> u32 {
    let processors = u32::try_from(timeline.cast.processors.len()).unwrap_or(u32::MAX);
    FIRST_PROCESSOR.saturating_add(processors).saturating_add(task.0)
}

fn lock_track(timeline: &Timeline, lock: SyncId) -> u32 {
    let tasks = u32::try_from(timeline.tasks.len()).unwrap_or(u32::MAX);
    task_track(timeline, TaskId(tasks)).saturating_add(lock.0)
}

/// [`Timeline::task_name`], for a task that may be unknown.
fn full_name(timeline: &Timeline, task: TaskId) -> String {
    if timeline.tasks.get(task).is_some() { timeline.task_name(task) } else { "?".to_owned() }
}

/// What each processor did, by interval, with all that is recorded about it.
fn processors(trace: &mut Trace<'_>, timeline: &Timeline, names: &[String]) {
    for (cpu, row) in timeline.cast.processors.ids().zip(timeline.by_processor()) {
        let mut free = Time::ZERO;
        for interval in row {
            // Only a measured timeline can have a processor do two things at once; the earlier one is shown in full.
            let start = interval.start.max(free);
            if start > interval.end || (start == interval.end && start > interval.start) {
                continue;
            }
            free = interval.end;
            let task = names.get(interval.task.0 as usize).map_or("?", |name| name);
            let (verb, category, colour) = match interval.what {
                What::Run => ("", "run", None),
                What::Switch => ("switch to ", "switch", Some("grey")),
                What::Start => ("start of a process: ", "start", Some("grey")),
            };
            let track = (PROCESSORS, processor_track(cpu));
            if start == interval.end {
                trace.instant(track, start, &[verb, task, ", for no time"]);
            } else {
                trace.slice(track, (start, interval.end), (&[verb, task], category, colour));
            }
            trace.text(&[r#","args":{"task":""#, task, r#"","thread":""#]);
            trace.number(u64::from(interval.thread.0));
            trace.text(&[r#"","then":""#, left_name(interval.left), r#""}"#]);
            trace.end_event();
        }
    }
}

/// The life of a task: arrival, states, finish.
fn states(
    trace: &mut Trace<'_>,
    (timeline, standing): (&Timeline, Option<&Standing<'_>>),
    task: TaskId,
    life: &[Stretch],
) {
    let track = (TASKS, task_track(timeline, task));
    if let Some(at) = timeline.tasks[task].arrival {
        trace.moment(track, at, "arrival");
    }
    for stretch in life {
        let time = (stretch.start, stretch.end);
        let (name, category, colour) = match stretch.state {
            State::Running => ("running", "run", "thread_state_running"),
            State::Ready => {
                ready(trace, track, standing.map(|it| it.still(task, time.0, time.1)), time);
                continue;
            }
            State::Overhead => ("switch", "switch", "grey"),
            State::Starting => ("start of a process", "start", "grey"),
            State::Blocked(cause) => {
                let cause = json(&cause_name(timeline, cause));
                trace.slice(track, time, (&["blocked: ", &cause], "blocked", Some("thread_state_sleeping")));
                trace.text(&[r#","args":{"on":""#, &cause, r#""}"#]);
                trace.end_event();
                continue;
            }
        };
        trace.slice(track, time, (&[name], category, Some(colour)));
        trace.end_event();
    }
    if let Some(at) = timeline.tasks[task].finish {
        trace.moment(track, at, "finish");
    }
}

/// A task that could run, in the pieces in which its group and its server let it or stood still, if they did.
fn ready(
    trace: &mut Trace<'_>,
    track: (u32, u32),
    pieces: Option<Vec<(Time, Time, Option<Stands>)>>,
    (start, end): (Time, Time),
) {
    for (start, end, stands) in pieces.unwrap_or_else(|| vec![(start, end, None)]) {
        let (name, colour) = match stands {
            Some(Stands::Group(_)) => ("throttled", "terrible"),
            Some(Stands::Server) => ("no budget", "bad"),
            None => ("ready", "thread_state_runnable"),
        };
        trace.slice(track, (start, end), (&[name], name, Some(colour)));
        trace.end_event();
    }
}

/// When the jobs of periodic tasks were released, and when they should have ended.
fn jobs(trace: &mut Trace<'_>, timeline: &Timeline) {
    for job in &timeline.jobs {
        let track = (TASKS, task_track(timeline, job.task));
        trace.moment(track, job.release, "release");
        if job.deadline <= timeline.end {
            let name = if job.missed(timeline.end) { "missed deadline" } else { "deadline" };
            trace.moment(track, job.deadline, name);
        }
    }
}

/// Who held each lock alone.
fn locks(trace: &mut Trace<'_>, timeline: &Timeline, names: &[String]) {
    let mut holds: Vec<&Hold> = timeline.holds.iter().filter(|hold| !hold.shared && hold.start < hold.end).collect();
    holds.sort_by_key(|hold| (hold.sync, hold.start, hold.end));
    let mut free = (SyncId::NONE, Time::ZERO);
    for hold in holds {
        if free.0.is_none() {
            trace.process(LOCKS, "locks");
        }
        let track = (LOCKS, lock_track(timeline, hold.sync));
        if free.0 != hold.sync {
            let name = timeline.cast.syncs.get(hold.sync).map_or_else(|| "?".to_owned(), ToString::to_string);
            trace.thread(track.0, track.1, &json(&name));
            free = (hold.sync, Time::ZERO);
        }
        // Clocks of a measured run may let one hold begin before the last is over.
        let start = hold.start.max(free.1);
        if start < hold.end {
            free.1 = hold.end;
            let task = names.get(hold.task.0 as usize).map_or("?", |name| name);
            trace.slice(track, (start, hold.end), (&[task], "hold", None));
            trace.end_event();
        }
    }
}

/// A trace in the making. It goes out in pieces: of a long run it is hundreds of megabytes. All names that it is given are
/// escaped as JSON wants them.
struct Trace<'a> {
    out: &'a mut dyn io::Write,
    /// What has not gone out yet.
    text: String,
    first: bool,
    /// After a failure nothing more goes out.
    result: io::Result<()>,
}

/// How much goes out at a time.
const PIECE: usize = 1 << 16;

impl Trace<'_> {
    fn text(&mut self, pieces: &[&str]) {
        pieces.iter().for_each(|piece| self.text.push_str(piece));
    }

    fn number(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        self.text.push_str(written(number, &mut digits, 1));
    }

    /// Nanoseconds, as microseconds with three decimals.
    fn microseconds(&mut self, ns: u64) {
        self.number(ns / 1_000);
        let mut digits = [b'0'; 20];
        self.text(&[".", written(ns % 1_000, &mut digits, 3)]);
    }

    fn begin_event(&mut self, kind: &str, (pid, tid): (u32, u32)) {
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        self.text(&[comma, "\n{\"ph\":", kind, ",\"pid\":"]);
        self.number(u64::from(pid));
        if tid > 0 {
            self.text.push_str(",\"tid\":");
            self.number(u64::from(tid));
        }
    }

    fn end_event(&mut self) {
        self.text.push('}');
        if self.text.len() >= PIECE {
            self.goes_out();
        }
    }

    fn goes_out(&mut self) {
        if self.result.is_ok() {
            self.result = self.out.write_all(self.text.as_bytes());
        }
        self.text.clear();
    }

    fn end(mut self) -> io::Result<()> {
        self.text.push_str("\n]}\n");
        self.goes_out();
        self.result
    }

    /// Says of a process, or of a thread of it, what it is called and where it stands.
    fn titled(&mut self, what: &str, track: (u32, u32), name: &str) {
        self.begin_event(r#""M""#, track);
        self.text(&[r#","name":""#, what, r#"_name","args":{"name":""#, name, r#""}"#]);
        self.end_event();
        self.begin_event(r#""M""#, track);
        self.text(&[r#","name":""#, what, r#"_sort_index","args":{"sort_index":"#]);
        self.number(u64::from(if track.1 > 0 { track.1 } else { track.0 }));
        self.text.push('}');
        self.end_event();
    }

    fn process(&mut self, pid: u32, name: &str) {
        self.titled("process", (pid, 0), name);
    }

    fn thread(&mut self, pid: u32, tid: u32, name: &str) {
        self.titled("thread", (pid, tid), name);
    }

    /// Begins a slice: what it is called, of which kind it is, and its colour.
    fn slice(
        &mut self,
        track: (u32, u32),
        (start, end): (Time, Time),
        (name, category, colour): (&[&str], &str, Option<&str>),
    ) {
        self.begin_event(r#""X""#, track);
        self.text.push_str(r#","ts":"#);
        self.microseconds(start.ns());
        self.text.push_str(r#","dur":"#);
        self.microseconds(end.since(start).ns());
        self.text.push_str(r#","name":""#);
        self.text(name);
        self.text(&[r#"","cat":""#, category, "\""]);
        if let Some(colour) = colour {
            self.text(&[r#","cname":""#, colour, "\""]);
        }
    }

    /// Begins an instant.
    fn instant(&mut self, track: (u32, u32), at: Time, name: &[&str]) {
        self.begin_event(r#""i","s":"t""#, track);
        self.text.push_str(r#","ts":"#);
        self.microseconds(at.ns());
        self.text.push_str(r#","name":""#);
        self.text(name);
        self.text.push('"');
    }

    /// An instant of which there is no more to say.
    fn moment(&mut self, track: (u32, u32), at: Time, name: &str) {
        self.instant(track, at, &[name]);
        self.end_event();
    }
}

/// A number in digits, at least so many. A trace has tens of millions of numbers.
fn written(mut number: u64, digits: &mut [u8; 20], least: usize) -> &str {
    let mut first = digits.len();
    while number > 0 {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    let first = first.min(digits.len() - least);
    std::str::from_utf8(&digits[first..]).unwrap_or_default()
}

/// A text as JSON has it between its quotes.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{self, Story};

    fn write(timeline: &Timeline, title: &str) -> String {
        crate::export::text(&EXPORTER, timeline, title)
    }
    use expect_test::expect;

    #[test]
    fn looks_like_this() {
        let timeline = Story::new(1)
            .tasks("main", "A", 1)
            .life(0, Some(0), Some(9))
            .switch(0, 0, 1, 2)
            .run(0, 0, 2, 5)
            .io(0, 5, 8)
            .run(0, 0, 8, 9)
            .end(9);
        expect![[r#"
            {"displayTimeUnit":"ns","otherData":{"title":"An \"example\""},"traceEvents":[
            {"ph":"M","pid":1,"name":"process_name","args":{"name":"processors"}},
            {"ph":"M","pid":1,"name":"process_sort_index","args":{"sort_index":1}},
            {"ph":"M","pid":2,"name":"process_name","args":{"name":"tasks"}},
            {"ph":"M","pid":2,"name":"process_sort_index","args":{"sort_index":2}},
            {"ph":"M","pid":1,"tid":10,"name":"thread_name","args":{"name":"processor 0"}},
            {"ph":"M","pid":1,"tid":10,"name":"thread_sort_index","args":{"sort_index":10}},
            {"ph":"M","pid":2,"tid":11,"name":"thread_name","args":{"name":"main/A#0"}},
            {"ph":"M","pid":2,"tid":11,"name":"thread_sort_index","args":{"sort_index":11}},
            {"ph":"X","pid":1,"tid":10,"ts":1.000,"dur":1.000,"name":"switch to main/A#0","cat":"switch","cname":"grey","args":{"task":"main/A#0","thread":"0","then":"preempted"}},
            {"ph":"X","pid":1,"tid":10,"ts":2.000,"dur":3.000,"name":"main/A#0","cat":"run","args":{"task":"main/A#0","thread":"0","then":"preempted"}},
            {"ph":"X","pid":1,"tid":10,"ts":8.000,"dur":1.000,"name":"main/A#0","cat":"run","args":{"task":"main/A#0","thread":"0","then":"preempted"}},
            {"ph":"i","s":"t","pid":2,"tid":11,"ts":0.000,"name":"arrival"},
            {"ph":"X","pid":2,"tid":11,"ts":0.000,"dur":1.000,"name":"ready","cat":"ready","cname":"thread_state_runnable"},
            {"ph":"X","pid":2,"tid":11,"ts":1.000,"dur":1.000,"name":"switch","cat":"switch","cname":"grey"},
            {"ph":"X","pid":2,"tid":11,"ts":2.000,"dur":3.000,"name":"running","cat":"run","cname":"thread_state_running"},
            {"ph":"X","pid":2,"tid":11,"ts":5.000,"dur":3.000,"name":"blocked: device disk","cat":"blocked","cname":"thread_state_sleeping","args":{"on":"device disk"}},
            {"ph":"X","pid":2,"tid":11,"ts":8.000,"dur":1.000,"name":"running","cat":"run","cname":"thread_state_running"},
            {"ph":"i","s":"t","pid":2,"tid":11,"ts":9.000,"name":"finish"}
            ]}
        "#]].assert_eq(&write(&timeline, "An \"example\""));
    }

    #[test]
    fn what_took_no_time_is_an_instant() {
        let timeline = Story::new(1).tasks("main", "A", 2).run(0, 0, 3, 3).run(0, 1, 3, 5).end(5);
        let trace = write(&timeline, "");
        assert!(
            trace.contains(
                r#""ph":"i","s":"t","pid":1,"tid":10,"ts":3.000,"name":"main/A#0, for no time","args":{"task""#
            )
        );
        assert!(trace.contains(r#""ts":3.000,"dur":2.000,"name":"main/A#1""#) && !trace.contains(r#""dur":0.000"#));
    }

    #[test]
    fn jobs_and_holders_are_there() {
        let story = Story::new(1).tasks("main", "A", 1).run(0, 0, 0, 5).hold(0, 1, 4).hold(0, 4, 4);
        let trace = write(&story.job(0, 0, 4, Some(5)).job(0, 4, 9, None).end(8), "");
        for event in [
            r#""pid":3,"tid":12,"name":"thread_name","args":{"name":"lock db"}"#,
            r#""ph":"X","pid":3,"tid":12,"ts":1.000,"dur":3.000,"name":"main/A#0","cat":"hold""#,
            r#""pid":2,"tid":11,"ts":4.000,"name":"release""#,
            r#""pid":2,"tid":11,"ts":4.000,"name":"missed deadline""#,
        ] {
            assert!(trace.contains(event), "no {event} in {trace}");
        }
        assert!(!trace.contains(r#""dur":0.000"#) && !trace.contains(r#""name":"deadline""#));
    }

    /// Every trace is valid JSON, and on no track do slices overlap or have no length.
    #[test]
    fn viewers_can_read_it() {
        for timeline in [testing::downloads(), testing::crowd(), testing::broken(), Timeline::default()] {
            let trace: serde_json::Value = serde_json::from_str(&write(&timeline, "")).unwrap();
            let mut free: BTreeMap<u64, f64> = BTreeMap::new();
            for event in trace["traceEvents"].as_array().unwrap() {
                if event["ph"] != "X" {
                    continue;
                }
                let track = event["tid"].as_u64().unwrap();
                let (start, length) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
                let free = free.entry(track).or_default();
                assert!(length > 0.0, "{event} has no length");
                assert!(start + 0.000_1 > *free, "{event} begins before {free}");
                *free = start + length;
            }
        }
    }
}
