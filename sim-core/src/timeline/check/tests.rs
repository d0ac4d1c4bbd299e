//! One lawful timeline, and for each law a change that breaks it and no other.

use std::sync::Arc;

use super::*;
use crate::ids::{CpuId, DeviceId, SyncId, ThreadId, VariableId};
use crate::scenario::{Change, SyncKind, Variable};
use crate::timeline::{
    Access, Block, Cast, Cause, DeviceName, Fate, Hold, Life, Request, SpecName, SyncName, Use, What,
};

pub(super) const A: TaskId = TaskId(0);
const B: TaskId = TaskId(1);
pub(super) const C: TaskId = TaskId(2);
const NET: DeviceId = DeviceId(0);
const M: SyncId = SyncId(0);

fn ms(ms: u64) -> Time {
    Time::from_ns(ms * 1_000_000)
}

fn run(cpu: u32, task: TaskId, start: u64, end: u64, left: Left) -> Interval {
    let thread = ThreadId(task.0);
    Interval { start: ms(start), end: ms(end), task, thread, cpu: CpuId(cpu), what: What::Run, left }
}

/// The variable is one more then, and what that is.
fn changed(task: TaskId, at: u64, value: i64) -> Access {
    Access { task, at: ms(at), how: Use::Changed { variable: VariableId(0), change: Change::By(1), value } }
}

/// Who is who in it.
fn cast() -> Cast {
    Cast {
        processors: ["0", "1"].map(String::from).into_iter().collect(),
        processes: vec!["main".into()],
        specs: ["a", "b", "c"].map(|task| SpecName { process: 0, task: task.into() }).to_vec(),
        devices: [DeviceName { name: "net".into(), channels: Some(1), shared: false }].into_iter().collect(),
        variables: [Variable { name: "n".to_string(), value: 1 }].into_iter().collect(),
        syncs: [SyncName { name: "m".to_string(), kind: SyncKind::Mutex, direct: true, ceiling: None }]
            .into_iter()
            .collect(),
        ..Cast::default()
    }
}

/// A task from its arrival to its end.
fn life(spec: u32, arrival: u64, finish: u64) -> Life {
    Life { spec, instance: 0, arrival: Some(ms(arrival)), finish: Some(ms(finish)), fate: Fate::Finished }
}

/// Two processors, a device with one channel, a lock:
///
/// ```text
/// cpu 0  aaaabbaaa...~aa        a: waits for the device 9-12, which serves b until 10; is switched to 12-13
/// cpu 1  ..ccc.....bcbb         b: waits for the device 6-10, for the lock 11-12
///        0    5    10   15      c: has the lock 2-12, sleeps 5-11
/// ```
pub(super) fn lawful() -> Timeline {
    let block = |task, start, end, cause| Block { start: ms(start), end: ms(end), task, cause, again: false };
    let request = |task, asked, start, end| Request {
        device: NET,
        task,
        asked: ms(asked),
        start: Some(ms(start)),
        end: ms(end),
        seek: Span::ZERO,
        service: ms(end) - ms(start),
    };
    let hold = |task, asked, start, end| Hold {
        sync: M,
        task,
        asked: ms(asked),
        start: ms(start),
        end: ms(end),
        shared: false,
        further: false,
    };
    Timeline {
        cast: Arc::new(cast()),
        tasks: [life(0, 0, 15), life(1, 1, 14), life(2, 2, 12)].into_iter().collect(),
        intervals: vec![
            run(0, A, 0, 4, Left::Preempted),
            run(1, C, 2, 5, Left::Blocked),
            run(0, B, 4, 6, Left::Blocked),
            run(0, A, 6, 9, Left::Blocked),
            run(1, B, 10, 11, Left::Blocked),
            run(1, C, 11, 12, Left::Finished),
            Interval { what: What::Switch, ..run(0, A, 12, 13, Left::Continues) },
            run(1, B, 12, 14, Left::Finished),
            run(0, A, 13, 15, Left::Finished),
        ]
        .into(),
        blocks: vec![
            block(B, 6, 10, Cause::Device(NET)),
            block(C, 5, 11, Cause::Timer),
            block(A, 9, 12, Cause::Device(NET)),
            block(B, 11, 12, Cause::Sync(M)),
        ],
        requests: vec![request(B, 6, 6, 10), request(A, 9, 10, 12)],
        holds: vec![hold(C, 2, 2, 12), hold(B, 11, 12, 14)],
        accesses: vec![changed(A, 3, 2), changed(C, 5, 3)],
        end: ms(15),
        ..Timeline::default()
    }
}

/// The lawful timeline, changed, breaks this law and no other, and says so in a sentence with these words.
#[track_caller]
fn breaks(law: Law, words: &[&str], change: impl FnOnce(&mut Timeline)) {
    let mut timeline = lawful();
    change(&mut timeline);
    let violations = timeline.check().expect_err("the law is broken");
    assert!(violations.0.iter().all(|violation| violation.law == law), "{violations}");
    for word in words {
        assert!(violations.to_string().contains(word), "`{word}` is not in: {violations}");
    }
}

#[test]
fn a_lawful_timeline_passes() {
    lawful().check().unwrap_or_else(|violations| panic!("{violations}"));
    Timeline::default().check().unwrap_or_else(|violations| panic!("{violations}"));
}

#[test]
fn nothing_ends_before_it_starts() {
    breaks(Law::Forward, &["main/c#0", "5ms", "2ms"], |timeline| {
        timeline.intervals.edit(|all| (all[1].start, all[1].end) = (all[1].end, all[1].start));
    });
}

#[test]
fn a_processor_does_one_thing_at_a_time() {
    breaks(Law::Processor, &["processor 0", "main/a#0", "main/c#0", "4ms", "2ms"], |timeline| {
        timeline.intervals.edit(|all| all[1].cpu = CpuId(0));
    });
    breaks(Law::Processor, &["processor 1"], |timeline| timeline.intervals.edit(|all| all.swap(1, 4)));
}

#[test]
fn a_task_is_on_one_processor_at_a_time() {
    breaks(Law::Task, &["main/a#0", "6ms", "9ms", "7ms", "8ms"], |timeline| {
        timeline.intervals.edit(|all| all.insert(4, run(1, A, 7, 8, Left::Preempted)));
    });
}

#[test]
fn a_thread_is_on_one_processor_at_a_time() {
    breaks(Law::Thread, &["main/a#0", "main/b#0", "processor 1", "12ms"], |timeline| {
        timeline.intervals.edit(|all| {
            all.iter_mut().filter(|interval| interval.task == B).for_each(|interval| interval.thread = ThreadId(A.0));
        });
    });
}

#[test]
fn a_blocked_task_does_not_run() {
    breaks(Law::Blocked, &["main/c#0", "4ms", "5ms"], |timeline| timeline.blocks[1].start = ms(4));
    breaks(Law::Blocked, &["main/c#0"], |timeline| {
        let twice = Block { start: ms(7), end: ms(8), ..timeline.blocks[1] };
        timeline.blocks.insert(0, twice);
    });
}

#[test]
fn everything_lies_within_the_life_of_its_task() {
    breaks(Law::Life, &["main/c#0", "arrives at 3ms"], |timeline| timeline.tasks[C].arrival = Some(ms(3)));
    breaks(Law::Life, &["main/c#0", "arrives at never"], |timeline| timeline.tasks[C].arrival = None);
    breaks(Law::Life, &["main/a#0", "15ms"], |timeline| timeline.end = ms(14));
}

/// What a does from 13 on, in two intervals, of which this is the first.
fn split_the_last(timeline: &mut Timeline, first: Interval) {
    timeline.intervals.edit(|all| {
        all[8].start = first.end;
        all.insert(7, first);
    });
}

#[test]
fn what_merely_continues_is_one_interval() {
    for left in [Left::Continues, Left::Preempted, Left::Yielded] {
        breaks(Law::Merged, &["main/a#0", "processor 0", "13ms", "14ms", "15ms"], |timeline| {
            split_the_last(timeline, run(0, A, 13, 14, left));
        });
    }
    let mut blocked = lawful();
    split_the_last(&mut blocked, run(0, A, 13, 14, Left::Blocked));
    blocked.check().unwrap_or_else(|violations| panic!("it was blocked for no time in between: {violations}"));
}

#[test]
fn a_visit_elsewhere_lies_between() {
    // At 14 a gives up processor 0, gives up processor 1 as well without using it, and comes back.
    let mut visit = lawful();
    split_the_last(&mut visit, run(0, A, 13, 14, Left::Yielded));
    visit.intervals.edit(|all| all.insert(9, run(1, A, 14, 14, Left::Yielded)));
    visit.check().unwrap_or_else(|violations| panic!("{violations}"));
}

#[test]
fn what_continues_does() {
    breaks(Law::Continued, &["main/a#0", "processor 0", "13ms"], |timeline| {
        timeline.intervals.edit(|all| all[8].start = ms(14));
    });
    breaks(Law::Continued, &["main/c#0", "processor 1", "5ms"], |timeline| {
        timeline.intervals.edit(|all| all[1].left = Left::Continues);
    });
}

#[test]
fn the_last_interval_finishes() {
    breaks(Law::Finish, &["main/a#0", "15ms"], |timeline| {
        timeline.intervals.edit(|all| all[8].left = Left::Blocked);
    });
    breaks(Law::Finish, &["main/a#0", "4ms"], |timeline| {
        timeline.intervals.edit(|all| all[0].left = Left::Finished);
    });
    breaks(Law::Finish, &["main/c#0", "12ms", "13ms"], |timeline| timeline.tasks[C].finish = Some(ms(13)));
    breaks(Law::Finish, &["main/c#0", "never"], |timeline| timeline.tasks[C].finish = None);

    let mut out_of_a_block = lawful();
    out_of_a_block.intervals.edit(|all| all.truncate(6));
    out_of_a_block.intervals.push(run(1, B, 12, 14, Left::Finished));
    out_of_a_block.tasks[A].finish = Some(ms(12));
    out_of_a_block.check().unwrap_or_else(|violations| panic!("a ends with its request: {violations}"));
}

#[test]
fn a_request_is_asked_for_then_served_then_over() {
    breaks(Law::Request, &["main/b#0", "net", "6ms", "5ms"], |timeline| timeline.requests[0].start = Some(ms(5)));
    breaks(Law::Request, &["main/b#0", "never"], |timeline| timeline.requests[0].start = None);
    breaks(Law::Request, &["main/b#0", "net", "a seek of 1ms"], |timeline| {
        timeline.requests[0].seek = Span::from_ms(1)
    });
    breaks(Law::Request, &["main/b#0", "for 3ms"], |timeline| timeline.requests[0].service = Span::from_ms(3));
    let mut shared = lawful();
    std::sync::Arc::make_mut(&mut shared.cast).devices[NET].shared = true;
    shared.requests[0].service = Span::from_ms(3);
    shared.check().unwrap_or_else(|violations| panic!("{violations}"));
}

#[test]
fn a_device_has_so_many_channels() {
    breaks(Law::Channels, &["net", "2 requests", "9ms"], |timeline| {
        timeline.requests[1].start = Some(ms(9));
        timeline.requests[1].service = Span::from_ms(3);
    });
}

#[test]
fn a_lock_is_asked_for_then_held() {
    breaks(Law::Hold, &["main/c#0", "lock m", "3ms"], |timeline| timeline.holds[0].asked = ms(3));
}

#[test]
fn a_lock_has_one_holder() {
    breaks(Law::Lock, &["main/c#0", "main/b#0", "lock m", "13ms"], |timeline| timeline.holds[0].end = ms(13));
}

#[test]
fn who_waits_has_asked() {
    breaks(Law::Cause, &["main/a#0", "device net", "9ms"], |timeline| timeline.requests.truncate(1));
    breaks(Law::Cause, &["main/b#0", "device net", "10ms"], |timeline| {
        timeline.requests[0].end = ms(9);
        timeline.requests[0].service = Span::from_ms(3);
    });
    breaks(Law::Cause, &["main/b#0", "lock m", "11ms"], |timeline| timeline.holds.truncate(1));
}

#[test]
fn who_waits_when_the_run_ends_got_nothing() {
    let mut cut = lawful();
    cut.end = ms(12);
    cut.intervals.edit(|all| all.truncate(6));
    cut.holds.truncate(1);
    cut.tasks[A].finish = None;
    cut.tasks[B].finish = None;
    cut.check().unwrap_or_else(|violations| panic!("{violations}"));
}

#[test]
fn a_variable_is_what_was_made_of_it() {
    breaks(Law::Variable, &["main/c#0", "`n`", "5ms", "from 2"], |timeline| timeline.accesses[1] = changed(C, 5, 4));
    breaks(Law::Variable, &["main/a#0", "6ms", "5ms"], |timeline| timeline.accesses[0].at = ms(6));
    breaks(Law::Life, &["main/c#0", "13ms", "uses a variable"], |timeline| timeline.accesses[1].at = ms(13));
}

#[test]
fn a_recorder_may_be_a_little_off() {
    let mut blurred = lawful();
    blurred.intervals.edit(|all| all.iter_mut().for_each(|interval| interval.end += Span::from_us(400)));
    blurred.requests.iter_mut().for_each(|request| request.end += Span::from_us(400));
    blurred.holds.iter_mut().for_each(|hold| hold.end += Span::from_us(400));
    let laws = |tolerance| -> Vec<Law> {
        let Err(violations) = blurred.check_within(tolerance) else { return Vec::new() };
        let mut laws: Vec<Law> = violations.0.iter().map(|violation| violation.law).collect();
        laws.sort_unstable();
        laws.dedup();
        laws
    };
    assert!(laws(Tolerance::EXACT).len() > 5, "{:?}", laws(Tolerance::EXACT));
    assert_eq!(laws(Tolerance::within(Span::from_us(399))), laws(Tolerance::EXACT));
    assert_eq!(laws(Tolerance::within(Span::from_us(400))), []);
}

#[test]
fn jobs_come_and_end_in_order() {
    let job = |release, finish: Option<u64>| Job {
        task: A,
        release: ms(release),
        deadline: ms(20),
        finish: finish.map(ms),
        aborted: false,
        skips: 0,
    };
    let mut lawful = lawful();
    lawful.jobs = vec![job(0, Some(9)), job(5, Some(15))];
    lawful.check().unwrap_or_else(|violations| panic!("{violations}"));
    breaks(Law::Job, &["main/a#0", "5ms"], |timeline| timeline.jobs = vec![job(5, Some(9)), job(0, Some(15))]);
    breaks(Law::Job, &["ended at 15ms"], |timeline| timeline.jobs = vec![job(0, Some(15)), job(1, Some(9))]);
    breaks(Law::Job, &["from 10ms to 9ms"], |timeline| timeline.jobs = vec![job(10, Some(9)), job(11, Some(15))]);
    breaks(Law::Job, &["its last job ends at 9ms"], |timeline| timeline.jobs = vec![job(0, Some(9))]);
    breaks(Law::Job, &["its last job ends never"], |timeline| timeline.jobs = vec![job(0, None)]);
}
