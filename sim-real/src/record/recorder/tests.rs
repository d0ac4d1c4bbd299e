//! From stamps to timelines, case by case. Times are microseconds since the start of the run, which ends at 100.

use sim_core::document::Source;
use sim_core::engine;
use sim_core::ids::{DeviceId, SpecId};
use sim_core::scenario::lower;

use super::*;

const START: u64 = 7_000_000;
const END: u64 = 100;
/// No stamp: it has not happened.
const NEVER: u64 = u64::MAX;

fn at(us: u64) -> u64 {
    if us == NEVER { 0 } else { START + us * 1000 }
}

fn maybe(us: u64) -> Instant {
    instant(at(us))
}

/// A burst on thread 1 and CPU 4, the first of ours, if nothing else is said.
fn run(start: u64, end: u64) -> Event {
    piece(Before::Start, start, end)
}

fn piece(after: Before, start: u64, end: u64) -> Event {
    Burst { after, start: at(start), end: at(end), thread: 1, cpu: 4, used: 0 }.into()
}

fn on(cpu: u32, thread: u32, event: Event) -> Event {
    let Event::Burst(burst) = event else { panic!("not on a processor: {event:?}") };
    Burst { cpu, thread, ..burst }.into()
}

fn sleep(start: u64, end: u64) -> Event {
    Event::Sleep { start: at(start), end: at(end) }
}

fn request(device: u32, asked: u64, began: u64, ended: u64) -> Event {
    let (began, ended) = (maybe(began), maybe(ended));
    event::Request { device: DeviceId(device), asked: at(asked), began, ended }.into()
}

fn service(ended: u64, seek: u64, received: u64) -> Event {
    let [seek, received] = [seek, received].map(|us| Span::from_ns(us * 1000));
    event::Service { ended: maybe(ended), seek, received }.into()
}

/// The only object.
const SYNC: SyncId = SyncId(0);

fn asked(asked: u64, had: u64) -> Asked {
    Asked { sync: SYNC, at: at(asked), had: maybe(had) }
}

fn hold(what: Held, from: u64, had: u64, given_back: u64) -> Event {
    event::Hold { what, asked: asked(from, had), given_back: maybe(given_back) }.into()
}

fn passage(what: Passed, from: u64, had: u64) -> Event {
    Passage { what, asked: asked(from, had) }.into()
}

fn spin(asked: u64, stopped: u64, used: u64) -> Event {
    event::Spin { lock: SYNC, asked: at(asked), stopped: maybe(stopped), used: used * 1000 }.into()
}

/// One that arrives at 0 and begins at once.
fn story(finish: u64, events: &[Event]) -> Story {
    Story {
        spec: 0,
        instance: 0,
        arrival: at(0),
        comes_after: false,
        released: 0,
        begun: at(0),
        finish: at(finish),
        fate: Fate::Finished,
        is_guest: false,
        process: None,
        started: None,
        events: events.to_vec(),
    }
}

fn stay(tid: u32, cpu: u32, start: u64, end: u64) -> Stay {
    Stay { tid, pid: tid, cpu, start: at(start), end: at(end), preempted: false }
}

/// What becomes of these stories, without switch records or with these.
fn told(stories: &[Story], stays: Option<&[Stay]>) -> String {
    let text = "[[device]]\nname = 'queue'\nchannels = 1\n[[device]]\nname = 'shared'\ndiscipline = 'fair-share'\n\
                channels = 1\n[[lock]]\nname = 'm'\n[[task]]\nname = 'a'\ncount = 2\nprogram = []";
    let scenario = match lower::scenario(&Source { file: "test.toml", text }, &[]) {
        Ok(scenario) => scenario,
        Err(mistakes) => panic!("{mistakes}"),
    };
    let mut by_thread: BTreeMap<u32, Vec<Stay>> = BTreeMap::new();
    stays.iter().copied().flatten().for_each(|stay| by_thread.entry(stay.tid).or_default().push(*stay));
    let material = Material {
        cast: engine::cast(&scenario),
        stories,
        stays: stays.map(|_| &by_thread),
        cpus: &[4, 5],
        start: START,
        end: at(END),
        speed: Speed::ONE,
    };
    describe(&material.timeline())
}

/// `a` is the first task, `b` the second.
fn describe(timeline: &Timeline) -> String {
    let us = |time: Time| time.ns() / 1000;
    let name = |task: TaskId| if task.0 == 0 { "a" } else { "b" };
    let mut lines = Vec::new();
    for i in &timeline.intervals {
        let (start, end, left) = (us(i.start), us(i.end), format!("{:?}", i.left).to_lowercase());
        let does = if i.what == What::Start { "starts" } else { "on" };
        let thread = if i.thread.is_none() { "nobody".to_owned() } else { i.thread.0.to_string() };
        lines.push(format!("{} {does} {}.{thread} {start}-{end} {left}", name(i.task), i.cpu.0));
    }
    for block in &timeline.blocks {
        let cause = match block.cause {
            Cause::Sync(_) => "sync".to_owned(),
            Cause::Device(device) => format!("device {}", device.0),
            other => format!("{other:?}").to_lowercase(),
        };
        lines.push(format!("{} waits {cause} {}-{}", name(block.task), us(block.start), us(block.end)));
    }
    for r in &timeline.requests {
        let start = r.start.map_or("never".to_owned(), |start| us(start).to_string());
        let [seek, service] = [r.seek, r.service].map(|span| span.ns() / 1000);
        lines.push(format!(
            "{} asks {} starts {start} ends {}, {seek}+{service}",
            name(r.task),
            us(r.asked),
            us(r.end)
        ));
    }
    for hold in &timeline.holds {
        let shared = if hold.shared { " shared" } else { "" };
        let [asked, start, end] = [hold.asked, hold.start, hold.end].map(us);
        lines.push(format!("{} holds {asked}/{start}-{end}{shared}", name(hold.task)));
    }
    for signal in &timeline.signals {
        lines.push(format!("{} {:?} {}", name(signal.task), signal.deed, us(signal.at)));
    }
    for spin in &timeline.spins {
        let (got, work) = (if spin.got { "got it" } else { "in vain" }, spin.work.ns() / 1000);
        lines.push(format!("{} spins {}-{} for {work} {got}", name(spin.task), us(spin.start), us(spin.end)));
    }
    for (task, life) in timeline.tasks.pairs() {
        match (life.arrival, life.finish) {
            (None, _) => lines.push(format!("{} never came", name(task))),
            (_, Some(finish)) => lines.push(format!("{} done {}", name(task), us(finish))),
            _ => {}
        }
    }
    lines.join("; ")
}

fn check(cases: &[(&str, &[Event], u64, &str)]) {
    for (what, events, finish, expected) in cases {
        assert_eq!(told(&[story(*finish, events)], None), *expected, "{what}");
    }
}

#[test]
fn bursts_without_switch_records() {
    check(&[
        ("one burst", &[run(5, 20)], 20, "a on 0.0 5-20 finished; a done 20"),
        ("a short gap is none", &[run(5, 20), run(39, 50)], 50, "a on 0.0 5-50 finished; a done 50"),
        (
            "a gap of 20 us is an interruption",
            &[run(5, 20), run(40, 50)],
            50,
            "a on 0.0 5-20 preempted; a on 0.0 40-50 finished; a done 50",
        ),
        (
            "a burst that noticed it was interrupted, however shortly",
            &[run(5, 20), piece(Before::Preemption, 25, 40)],
            40,
            "a on 0.0 5-20 preempted; a on 0.0 25-40 finished; a done 40",
        ),
        (
            "another processor",
            &[run(5, 20), on(5, 1, run(21, 40))],
            40,
            "a on 0.0 5-20 preempted; a on 1.0 21-40 finished; a done 40",
        ),
        (
            "the interpreter lock changed hands",
            &[run(5, 20), piece(Before::LostTurn, 25, 40)],
            40,
            "a on 0.0 5-20 preempted; a on 0.0 25-40 finished; a done 40",
        ),
        (
            "gave way",
            &[run(5, 20), Event::Yield { at: at(20) }, run(30, 40)],
            40,
            "a on 0.0 5-20 yielded; a on 0.0 30-40 finished; a done 40",
        ),
        ("a processor that is not ours is left out", &[on(9, 1, run(5, 20))], 20, "a done 20"),
        ("a burst of nothing", &[run(5, 5)], 5, "a on 0.0 5-5 finished; a done 5"),
        ("the clock of another reader is ahead", &[run(5, 20)], 19, "a on 0.0 5-19 finished; a done 19"),
    ]);
}

#[test]
fn who_runs_at_the_end_goes_on_and_who_was_put_off_before_does_not() {
    check(&[
        ("to the end", &[run(5, 100)], NEVER, "a on 0.0 5-100 continues"),
        ("beyond it", &[run(5, 130)], NEVER, "a on 0.0 5-100 continues"),
        ("put off before", &[run(5, 99)], NEVER, "a on 0.0 5-99 preempted"),
        (
            "put off, and back again",
            &[run(5, 50), piece(Before::Preemption, 90, 100)],
            NEVER,
            "a on 0.0 5-50 preempted; a on 0.0 90-100 continues",
        ),
        (
            "about to go on at the end",
            &[run(5, 50), piece(Before::LostTurn, 100, 120)],
            NEVER,
            "a on 0.0 5-50 preempted",
        ),
        ("finished after the end", &[run(5, 130)], 130, "a on 0.0 5-100 continues"),
        ("finished at the end", &[run(5, 100)], 100, "a on 0.0 5-100 finished; a done 100"),
    ]);
    // The burst goes on as far as it knows; the kernel says when its thread was there.
    let burst = [story(NEVER, &[run(5, 100)])];
    for (stays, expected) in [
        (vec![stay(1, 4, 6, 100)], "a on 0.0 6-100 continues"),
        (vec![stay(1, 4, 6, 50)], "a on 0.0 6-50 preempted"),
        (vec![stay(1, 4, 6, 50), stay(1, 5, 70, 100)], "a on 0.0 6-50 preempted; a on 1.0 70-100 continues"),
        (vec![stay(1, 4, 6, 50), stay(1, 4, 70, 90)], "a on 0.0 6-50 preempted; a on 0.0 70-90 preempted"),
    ] {
        assert_eq!(told(&burst, Some(&stays)), expected);
    }
}

#[test]
fn switch_records_cut_bursts_to_what_the_kernel_saw() {
    let cases: [(&[Event], &[Stay], u64, &str); 5] = [
        (&[run(5, 50)], &[stay(1, 4, 0, 60)], 50, "a on 0.0 5-50 finished; a done 50"),
        (
            &[run(5, 50)],
            &[stay(1, 4, 0, 20), stay(1, 4, 30, 60)],
            50,
            "a on 0.0 5-20 preempted; a on 0.0 30-50 finished; a done 50",
        ),
        (&[run(5, 5)], &[stay(1, 4, 0, 60)], 5, "a on 0.0 5-5 finished; a done 5"),
        // Without a record of that thread, its own stamps have to do.
        (&[run(5, 50)], &[stay(2, 4, 0, 60)], 50, "a on 0.0 5-50 finished; a done 50"),
        (&[run(5, 50)], &[stay(1, 4, 60, 80)], 50, "a on 0.0 5-50 finished; a done 50"),
    ];
    for (events, stays, finish, expected) in cases {
        assert_eq!(told(&[story(finish, events)], Some(stays)), expected);
    }
}

#[test]
fn two_on_one_processor_are_separated_and_threads_numbered_as_they_come() {
    let b = Story { instance: 1, ..story(NEVER, &[on(4, 3, run(40, 80))]) };
    let both = [story(60, &[on(4, 9, run(5, 60))]), b];
    assert_eq!(told(&both, None), "a on 0.0 5-40 finished; b on 0.1 40-80 preempted; a done 40");
    let elsewhere = Story { instance: 1, ..story(NEVER, &[on(5, 3, run(1, 80))]) };
    let both = [story(60, &[on(4, 9, run(5, 60))]), elsewhere];
    assert_eq!(told(&both, None), "a on 0.1 5-60 finished; b on 1.0 1-80 preempted; a done 60");
}

#[test]
fn waits_end_when_something_else_begins_or_the_run_does() {
    check(&[
        (
            "a sleep, and late from it",
            &[run(5, 20), sleep(20, 40), run(45, 50)],
            50,
            "a on 0.0 5-20 blocked; a on 0.0 45-50 finished; a waits timer 20-40; a done 50",
        ),
        ("a sleep beyond the end", &[sleep(20, 400)], NEVER, "a waits timer 20-100"),
        (
            "woken before its time",
            &[sleep(20, 400), run(30, 50)],
            50,
            "a on 0.0 30-50 finished; a waits timer 20-30; a done 50",
        ),
        (
            "children that never end",
            &[event::Join { spec: SpecId(0), start: at(20), ended: None }.into()],
            NEVER,
            "a waits join 20-100",
        ),
        (
            "a request that waits in the queue and is served",
            &[request(0, 5, 10, 30)],
            30,
            "a waits device 0 5-30; a asks 5 starts 10 ends 30, 0+20; a done 30",
        ),
        (
            "a request that is not taken before the end",
            &[request(0, 5, NEVER, NEVER)],
            NEVER,
            "a waits device 0 5-100; a asks 5 starts never ends 100, 0+0",
        ),
        (
            "a request of which the head is on its way for a while",
            &[request(0, 5, 10, 30), service(30, 4, 16)],
            30,
            "a waits device 0 5-30; a asks 5 starts 10 ends 30, 4+16; a done 30",
        ),
        (
            "a request that shares the device gets less than it takes",
            &[request(1, 5, 10, 30), service(30, 0, 12)],
            30,
            "a waits device 1 5-30; a asks 5 starts 10 ends 30, 0+12; a done 30",
        ),
        ("a request after the end is none", &[request(0, 120, 120, 130)], NEVER, ""),
    ]);
}

#[test]
fn locks_and_permits() {
    check(&[
        (
            "had at once: no reason to leave the processor",
            &[run(5, 20), hold(Held::Alone, 20, 20, 40), run(20, 40)],
            40,
            "a on 0.0 5-40 finished; a holds 20/20-40; a done 40",
        ),
        (
            "had after a wait",
            &[run(5, 20), hold(Held::Alone, 20, 30, 50), run(32, 50)],
            50,
            "a on 0.0 5-20 blocked; a on 0.0 32-50 finished; a waits sync 20-30; a holds 20/30-50; a done 50",
        ),
        ("never had", &[hold(Held::Alone, 20, NEVER, NEVER)], NEVER, "a waits sync 20-100"),
        ("never given back", &[hold(Held::Alone, 20, 30, NEVER)], NEVER, "a waits sync 20-30; a holds 20/30-100"),
        ("had after the end", &[hold(Held::Alone, 20, 120, NEVER)], NEVER, "a waits sync 20-100"),
        ("shared", &[hold(Held::Together, 20, 20, 30)], 30, "a holds 20/20-30 shared; a done 30"),
        (
            "several permits are one wait",
            &[hold(Held::Permit, 20, 30, 50), hold(Held::Permit, 20, 30, 60)],
            60,
            "a waits sync 20-30; a holds 20/30-50 shared; a holds 20/30-60 shared; a done 60",
        ),
        (
            "a permit that is used up",
            &[passage(Passed::SpentPermit, 20, 30)],
            60,
            "a waits sync 20-30; a holds 20/30-30 shared; a done 60",
        ),
    ]);
}

#[test]
fn notifications_meetings_and_messages() {
    check(&[
        (
            "notified, and then the lock",
            &[event::Await { condvar: SYNC, start: at(20), noticed: maybe(30) }.into(), hold(Held::Alone, 30, 40, 50)],
            60,
            "a waits sync 20-30; a waits sync 30-40; a holds 30/40-50; a done 60",
        ),
        ("the last to come does not wait", &[passage(Passed::Met, 20, 20)], 60, "a Arrived 20; a done 60"),
        ("others have to come", &[passage(Passed::Met, 20, 50)], 60, "a waits sync 20-50; a Arrived 20; a done 60"),
        ("a message that is not taken", &[passage(Passed::Sent, 20, NEVER)], NEVER, "a waits sync 20-100"),
        ("a message", &[passage(Passed::Received, 20, 30)], 60, "a waits sync 20-30; a Received 30; a done 60"),
        (
            "deeds without a wait",
            &[Event::Notify { sync: SYNC, at: at(20), notified: 3 }, Event::Added { sync: SYNC, at: at(30) }],
            60,
            "a Notified(3) 20; a Added 30; a done 60",
        ),
    ]);
}

#[test]
fn spinning() {
    check(&[
        (
            "spun and got it: never left",
            &[spin(20, 30, 9), run(20, 30), hold(Held::Alone, 20, 29, 50), run(30, 50)],
            50,
            "a on 0.0 20-50 finished; a holds 20/29-50; a spins 20-30 for 9 got it; a done 50",
        ),
        (
            "spun in vain and blocked",
            &[spin(20, 30, 9), run(20, 30), hold(Held::Alone, 20, 40, 50), run(41, 50)],
            50,
            "a on 0.0 20-30 blocked; a on 0.0 41-50 finished; a waits sync 30-40; a holds 20/40-50; \
             a spins 20-30 for 9 in vain; a done 50",
        ),
    ]);
}

#[test]
fn where_both_sides_of_a_channel_meet_the_sender_is_first() {
    let receiver = story(60, &[passage(Passed::Received, 20, 30)]);
    let sender = Story { instance: 1, ..story(60, &[passage(Passed::Sent, 30, 30)]) };
    let told = told(&[receiver, sender], None);
    assert_eq!(told, "a waits sync 20-30; b Sent 30; a Received 30; a done 60; b done 60");
}

#[test]
fn lives_begin_when_they_may() {
    let after =
        |released, begun| Story { comes_after: true, released: at(released), begun: at(begun), ..story(NEVER, &[]) };
    let cases = [
        ("released", after(30, 32), "a waits after 0-30"),
        ("begun before that is known", after(30, 25), "a waits after 0-25"),
        ("never released", after(NEVER, NEVER), "a waits after 0-100"),
        ("not yet arrived", Story { arrival: at(100), ..story(NEVER, &[]) }, "a never came"),
        ("never arrived", Story { arrival: 0, ..story(NEVER, &[]) }, "a never came"),
        (
            "a burst before the arrival is cut off",
            Story { arrival: at(10), ..story(20, &[run(5, 20)]) },
            "a on 0.0 10-20 finished; a done 20",
        ),
    ];
    for (what, story, expected) in cases {
        assert_eq!(told(&[story], None), expected, "{what}");
    }
}

#[test]
fn the_start_of_a_process_is_told_as_far_as_it_was_on_a_processor() {
    let one = Story { begun: at(40), process: Some(1), ..story(60, &[run(40, 60)]) };
    let stays = [stay(1, 4, 10, 20), stay(1, 5, 30, 60)];
    let begins = "a starts 0.0 10-20 preempted; a starts 1.0 30-40 preempted; a on 1.0 40-60 finished; a done 60";
    assert_eq!(told(std::slice::from_ref(&one), Some(&stays)), begins);
    assert_eq!(told(std::slice::from_ref(&one), None), "a on 0.0 40-60 finished; a done 60", "nobody saw it");
    // Who starts it is none of the tasks, and goes on with that after the process is there.
    let started = Some(Started { thread: 7, from: at(2), until: at(14) });
    let by_another = Story { started, ..one.clone() };
    let all = [stay(1, 4, 10, 20), stay(1, 5, 30, 60), stay(7, 5, 0, 6), stay(7, 5, 8, 25)];
    let begins = "a starts 1.nobody 2-6 preempted; a starts 1.nobody 8-10 preempted; a starts 0.0 10-20 preempted; \
                  a starts 1.0 30-40 preempted; a on 1.0 40-60 finished; a done 60";
    assert_eq!(told(&[by_another], Some(&all)), begins);
    // Whoever comes after others may be started long before.
    let after = Story { comes_after: true, released: at(35), ..one };
    let begins = "a starts 1.0 35-40 preempted; a on 1.0 40-60 finished; a waits after 0-35; a done 60";
    assert_eq!(told(std::slice::from_ref(&after), Some(&stays)), begins);
    let never = Story { released: 0, begun: 0, finish: 0, events: Vec::new(), ..after };
    assert_eq!(told(&[never], Some(&stays)), "a waits after 0-100");
}
