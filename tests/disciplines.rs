//! Disciplines of devices against what is known of them: textbook examples, closed forms, and laws of conservation.

mod queues;

use std::fmt::Write as _;

use sim_core::device::DISCIPLINES;
use sim_core::engine::{Ending, simulate};
use sim_core::metrics::Metrics;
use sim_core::outcome::{DeviceOutcome, Outcome};
use sim_core::scenario::Scenario;
use sim_core::timeline::{Timeline, TimelineHash};

use crate::support::{scenario, scenario_with};

/// What the first device did, and the timeline.
fn run(scenario: &Scenario) -> (DeviceOutcome, Timeline, Ending) {
    let mut recorder = ((Metrics::with_jobs(), TimelineHash::default()), Timeline::default());
    let ending = simulate(scenario, &mut recorder);
    let ((metrics, hash), timeline) = recorder;
    timeline.check().unwrap_or_else(|violations| panic!("{violations}"));
    let outcome = Outcome::simulated(scenario, &ending, &metrics, hash);
    (outcome.devices.into_iter().next().expect("a device"), timeline, ending)
}

/// The queue of Silberschatz, Galvin & Gagne, chapter 11: the head is at 53, and all requests are there at once, from
/// tasks on this many processors.
fn textbook(discipline: &str, processors: u32) -> Scenario {
    let mut text = format!(
        "[machine]\nprocessors = {processors}\n[[device]]\nname = \"disk\"\n{discipline}\n\
         [device.seek]\nper-track = \"1ms\"\ntracks = 200\nstart = 53\n"
    );
    for (index, track) in [98, 183, 37, 122, 14, 124, 65, 67].into_iter().enumerate() {
        let program = format!("[{{ io = \"disk\", at = {track}, for = \"0ns\" }}]");
        writeln!(text, "[[task]]\nname = \"r{track}\"\npriority = {index}\nprogram = {program}").expect("written");
    }
    scenario(&text)
}

#[test]
fn the_head_moves_as_in_the_textbook() {
    for (discipline, tracks, order) in [
        ("fifo", 640, "98 183 37 122 14 124 65 67"),
        ("sstf", 236, "65 67 37 14 98 122 124 183"),
        ("scan", 331, "65 67 98 122 124 183 37 14"),
        ("scan\"\ndirection = \"down", 236, "37 14 65 67 98 122 124 183"),
        ("c-scan", 382, "65 67 98 122 124 183 14 37"),
        ("look", 299, "65 67 98 122 124 183 37 14"),
        ("look\"\ndirection = \"down", 208, "37 14 65 67 98 122 124 183"),
        ("c-look", 322, "65 67 98 122 124 183 14 37"),
        ("deadline", 322, "65 67 98 122 124 183 14 37"),
        ("lifo", 609, "67 65 124 14 122 37 183 98"),
        ("priority", 609, "67 65 124 14 122 37 183 98"),
        ("shortest", 640, "98 183 37 122 14 124 65 67"),
    ] {
        for processors in [1, 8] {
            let scenario = textbook(&format!("discipline = \"{discipline}\""), processors);
            let (disk, timeline, ending) = run(&scenario);
            assert_eq!((disk.seek_ns, disk.busy_ns), (tracks * 1_000_000, tracks * 1_000_000), "{discipline}");
            assert_eq!(ending.at.ns(), tracks * 1_000_000, "{discipline}");
            let served = timeline.requests.iter().map(|request| timeline.short_name(request.task)[1..].to_owned());
            assert_eq!(served.collect::<Vec<_>>().join(" "), order, "{discipline}");
        }
    }
}

/// A crowd around track 500 that never ends, and one request far away.
const CROWD: &str = r#"
    until = "2s"
    [[device]]
    name = "disk"
    discipline = "sstf"
    [device.seek]
    per-track = "100us"
    start = 500
    [[task]]
    name = "crowd"
    count = 5
    program = [{ repeat = "forever", do = [{ io = "disk", at = { uniform = [480, 520] }, for = "1ms" }] }]
    [[task]]
    name = "far"
    arrival = "10ms"
    program = [{ io = "disk", at = 990, for = "1ms" }]
"#;

#[test]
fn deadline_serves_whom_sstf_forgets() {
    let wait = |sets: &[(&str, &str)]| {
        let (_, timeline, _) = run(&scenario_with(CROWD, sets));
        let far =
            timeline.requests.iter().find(|request| timeline.short_name(request.task) == "far").expect("it asked");
        far.start.map(|start| start.since(far.asked).ns() / 1_000_000)
    };
    assert_eq!(wait(&[]), None, "sstf never comes to it");
    let deadline = ("device.disk.discipline", "deadline");
    let expiring = |expire, batch| wait(&[deadline, ("device.disk.expire", expire), ("device.disk.batch", batch)]);
    // Requests before the sweep turns are few, so c-look comes to it soon.
    assert!(wait(&[("device.disk.discipline", "c-look")]).is_some_and(|wait| wait < 100));
    // A batch of one is asked at each request; the one that is being served may still end: 1 ms and at most 4 ms of seek.
    let first = expiring("0ms", "1").expect("served");
    assert!(first < 6 * 5, "at most those of the crowd that wait already: {first} ms");
    assert!(expiring("300ms", "1").is_some());
}

#[test]
fn priority_means_what_the_policy_says() {
    let text = |order: &str| {
        format!(
            "[machine]\nprocessors = 4\n[scheduler]\npolicy = \"priority\"\norder = \"{order}\"\n\
             [[device]]\nname = \"disk\"\ndiscipline = \"priority\"\n\
             [[task]]\nname = \"holds\"\npriority = 2\nprogram = [{{ io = \"disk\", for = \"1ms\" }}]\n\
             [[task]]\nname = \"a\"\narrival = \"10us\"\npriority = 1\nprogram = [{{ io = \"disk\", for = \"1ms\" }}]\n\
             [[task]]\nname = \"b\"\narrival = \"20us\"\npriority = 3\nprogram = [{{ io = \"disk\", for = \"1ms\" }}]\n\
             [[task]]\nname = \"c\"\narrival = \"30us\"\npriority = 3\nprogram = [{{ io = \"disk\", for = \"1ms\" }}]\n"
        )
    };
    let order = |order: &str| {
        let (_, timeline, _) = run(&scenario(&text(order)));
        timeline.requests.iter().map(|request| timeline.short_name(request.task)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order("high-first"), "holds b c a");
    assert_eq!(order("low-first"), "holds a b c");
}

/// Two downloads of 4 and 8 ms from the start, and one of 3 ms that comes at 3 ms.
const LINK: &str = r#"
    [machine]
    processors = 3
    [[device]]
    name = "link"
    discipline = "fair-share"
    [[task]]
    name = "a"
    program = [{ io = "link", for = "4ms" }]
    [[task]]
    name = "b"
    program = [{ io = "link", for = "8ms" }]
    [[task]]
    name = "c"
    arrival = "3ms"
    program = [{ io = "link", for = "3ms" }]
"#;

#[test]
fn a_link_is_shared_equally() {
    // Until 3 ms a and b get 1.5 ms each. Then all get a third: a needs 7.5 ms more, until 10.5 ms. By then b has had 4 ms
    // and c 2.5 ms: at half speed c needs 1 ms more, until 11.5 ms, and b has 3.5 ms left.
    let (link, timeline, ending) = run(&scenario(LINK));
    let ends: Vec<u64> = timeline.requests.iter().map(|request| request.end.ns() / 1000).collect();
    assert_eq!((ends, ending.at.ns()), (vec![10_500, 11_500, 15_000], 15_000_000));
    assert_eq!((link.busy_ns, link.utilisation), (15_000_000, Some(1.0)));
    assert_eq!((link.mean_queue, link.mean_wait_ns), (0.0, Some(0.0)));
    assert_eq!(link.mean_service_ns, Some((10.5 + 15.0 + 8.5) / 3.0 * 1e6));
}

#[test]
fn what_ends_at_the_horizon_has_ended_and_the_rest_has_received_its_share() {
    let (link, timeline, _) = run(&scenario_with(LINK, &[("until", "10.5ms")]));
    let received: Vec<(u64, u64)> =
        timeline.requests.iter().map(|request| (request.end.ns() / 1000, request.service.ns() / 1000)).collect();
    assert_eq!(received, [(10_500, 4000), (10_500, 4000), (10_500, 2500)]);
    assert!(timeline.tasks.iter().next().is_some_and(|life| life.finish.is_some()), "a has finished");
    assert_eq!(timeline.tasks.iter().filter(|life| life.finish.is_none()).count(), 2);
    assert_eq!(link.busy_ns, 10_500_000);
    // On its way to a request a head has not begun to serve it.
    let (disk, timeline, _) = run(&scenario_with(CROWD, &[("until", "500us"), ("task.crowd.count", "1")]));
    assert_eq!(timeline.requests.len(), 1);
    assert_eq!(disk.busy_ns, 500_000, "{disk:?}");
    assert_eq!(timeline.requests[0].seek.ns() + timeline.requests[0].service.ns(), 500_000);
}

#[test]
fn who_leaves_a_shared_device_at_once_leaves_in_the_order_of_asking() {
    // All end at 6 ms, together with a timer that was started between them.
    let text = r#"
        [[device]]
        name = "link"
        discipline = "fair-share"
        [[task]]
        name = "a"
        program = [{ io = "link", for = "2ms" }, { cpu = "1ms" }]
        [[task]]
        name = "timer"
        program = [{ sleep = "6ms" }, { cpu = "1ms" }]
        [[task]]
        name = "b"
        count = 2
        program = [{ io = "link", for = "2ms" }, { cpu = "1ms" }]
    "#;
    let (_, timeline, _) = run(&scenario(text));
    let order: Vec<String> = timeline
        .intervals
        .iter()
        .filter(|interval| interval.start < interval.end)
        .map(|interval| timeline.short_name(interval.task))
        .collect();
    assert_eq!(order, ["a", "timer", "b#0", "b#1"]);
}

#[test]
fn a_head_that_stands_still_costs_nothing_and_one_that_moves_settles() {
    let text = r#"
        [[device]]
        name = "disk"
        [device.seek]
        per-track = "10us"
        settle = "1ms"
        start = 7
        [[task]]
        name = "a"
        program = [{ io = "disk", at = 7, for = "2ms" }, { io = "disk", at = 9, for = "2ms" }, { io = "disk", at = 9, for = "2ms" }]
    "#;
    let (disk, ..) = run(&scenario(text));
    assert_eq!((disk.seek_ns, disk.busy_ns), (1_020_000, 7_020_000));
}

#[test]
fn every_discipline_is_chosen_by_an_override_and_sees_the_same_chance() {
    let text = r#"
        [[device]]
        name = "disk"
        [[task]]
        name = "a"
        count = 9
        program = [{ repeat = 3, do = [{ io = "disk", at = { uniform = [0, 99] }, for = { exponential = "1ms" } }, { cpu = { exponential = "1ms" } }] }]
    "#;
    let mut work = Vec::new();
    for kind in DISCIPLINES {
        let (disk, ..) = run(&scenario_with(text, &[("device.disk.discipline", kind.name)]));
        assert_eq!((disk.discipline, disk.requests), (kind.name, 27));
        work.push(disk.busy_ns);
    }
    work.dedup();
    assert_eq!(work.len(), 1, "all serve the same requests: {work:?}");
}
