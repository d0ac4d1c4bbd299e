//! Hand-made timelines whose figures follow from a few lines of arithmetic, and laws on generated ones.

use std::sync::Arc;

use super::*;
use crate::compare::distance::{between, twice_area_between};
use crate::compare::track::Track;
use crate::ids::{CpuId, IdVec, TaskId, ThreadId};
use crate::rng::{Stream, StreamName};
use crate::timeline::{Cast, Fate, Interval, Job, Left, Life, SpecName, What};

/// A task and the milliseconds in which it ran: `("download", 0, &[(0, 10)])`. All of them arrived at 0, and each
/// finished when it ran last.
type Row<'a> = (&'a str, u32, &'a [(u64, u64)]);

fn timeline(rows: &[Row<'_>]) -> Timeline {
    let mut cast = Cast { processes: vec!["main".into()], ..Cast::default() };
    let mut timeline = Timeline::default();
    for (name, instance, runs) in rows {
        let spec = cast.specs.iter().position(|spec| spec.task == *name).unwrap_or_else(|| {
            cast.specs.push(SpecName { process: 0, task: (*name).into() });
            cast.specs.len() - 1
        });
        let finish = runs.iter().map(|(_, end)| ms(*end)).max();
        let spec = u32::try_from(spec).expect("few");
        let task = timeline.tasks.push(Life {
            spec,
            instance: *instance,
            arrival: Some(Time::ZERO),
            finish,
            fate: Fate::Finished,
        });
        for (start, end) in *runs {
            timeline.intervals.push(interval(task, ms(*start), ms(*end)));
        }
        timeline.end = timeline.end.max(finish.unwrap_or(Time::ZERO));
    }
    timeline.cast = Arc::new(cast);
    timeline
}

fn interval(task: TaskId, start: Time, end: Time) -> Interval {
    Interval { start, end, task, thread: ThreadId(task.0), cpu: CpuId(0), what: What::Run, left: Left::Blocked }
}

fn ms(ms: u64) -> Time {
    Time::ZERO + Span::from_ms(ms)
}

const MS: f64 = 1e6;

/// The distance of a pair, each named by what is interchangeable in the first.
fn gap(a: &Timeline, b: &Timeline) -> Gap {
    let names = Names::new(&[a], std::slice::from_ref(b));
    between(&names.tracks(a), &names.tracks(b))
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "found {found}, expected {expected}");
}

#[test]
fn a_timeline_is_at_no_distance_from_itself() {
    let a = timeline(&[("a", 0, &[(0, 10), (20, 25)]), ("b", 0, &[(10, 20)])]);
    assert_eq!(gap(&a, &a), Gap { agreement: 1.0, service_ns: 0.0, horizon: None });
}

#[test]
fn two_tasks_in_opposite_order() {
    // Never the same task: agreement 0. Each is up to 10 ms ahead and behind again: a triangle of 20 × 10 / 2 ms²,
    // over 20 ms.
    let a = timeline(&[("a", 0, &[(0, 10)]), ("b", 0, &[(10, 20)])]);
    let b = timeline(&[("a", 0, &[(10, 20)]), ("b", 0, &[(0, 10)])]);
    let found = gap(&a, &b);
    assert_close(found.agreement, 0.0);
    assert_close(found.service_ns, 5.0 * MS);
    assert_eq!(found.horizon, Some(Time::ZERO));
}

#[test]
fn a_switch_that_comes_later() {
    let a = timeline(&[("a", 0, &[(0, 12)]), ("b", 0, &[(12, 20)])]);
    let b = timeline(&[("a", 0, &[(0, 10), (20, 22)]), ("b", 0, &[(10, 18)])]);
    let found = gap(&a, &b);
    // The same task runs in [0,10) and [12,18); in one of the two timelines at least, somebody runs during all 22 ms.
    assert_close(found.agreement, 16.0 / 22.0);
    // a: triangle to 2 ms during [10,12), 2 ms during [12,20), triangle back during [20,22): 2 + 16 + 2 = 20 ms².
    // b: triangle to 2 ms during [10,12), 2 ms during [12,18), triangle back during [18,20): 2 + 12 + 2 = 16 ms².
    assert_close(found.service_ns, (20.0 + 16.0) / 2.0 / 22.0 * MS);
    assert_eq!(found.horizon, Some(ms(10)));
}

#[test]
fn more_processors_at_once_count_by_the_larger_set() {
    // Two at once against one after the other: of 2 × 10 ms, a runs in both during the first 10; b agrees nowhere.
    let both = timeline(&[("a", 0, &[(0, 10)]), ("b", 0, &[(0, 10)])]);
    let one = timeline(&[("a", 0, &[(0, 10)]), ("b", 0, &[(10, 20)])]);
    assert_close(gap(&both, &one).agreement, 10.0 / 30.0);
    // b is 10 ms ahead at 10, level at 20: 100 ms² over 20 ms and 2 tasks.
    assert_close(gap(&both, &one).service_ns, 100.0 / 40.0 * MS);
}

#[test]
fn a_crossing_of_service_curves_is_two_triangles() {
    // a leads by 4 ms at 4, is level at 8, 4 ms behind at 12, level at 16.
    let a = Track::new(vec![(ms(0), ms(4)), (ms(12), ms(16))], None, None);
    let b = Track::new(vec![(ms(4), ms(12))], None, None);
    let area_in_ms2 = 4 * 4 / 2 * 4;
    assert_eq!(twice_area_between(Some(&a), Some(&b), ms(16)), 2 * area_in_ms2 * 1_000_000_000_000);
}

#[test]
fn idling_together_is_no_merit_but_time() {
    let a = timeline(&[("a", 0, &[(0, 1), (99, 100)])]);
    let b = timeline(&[("a", 0, &[(0, 1), (98, 99)])]);
    assert_close(gap(&a, &b).agreement, 1.0 / 3.0);
    // Up to 1 ms ahead between 98 and 100, over 100 ms.
    assert_close(gap(&a, &b).service_ns, 1.0 / 100.0 * MS);
    assert_eq!(gap(&a, &b).horizon, Some(ms(98)));
}

#[test]
fn a_task_of_only_one_timeline_counts_against_agreement() {
    let a = timeline(&[("a", 0, &[(0, 10)])]);
    let b = timeline(&[("a", 0, &[(0, 10)]), ("stranger", 0, &[(10, 15)])]);
    assert_close(gap(&a, &b).agreement, 10.0 / 15.0);
    // 5 ms more from 15 on, which is the end: a triangle of 12.5 ms² over 15 ms and 2 tasks.
    assert_close(gap(&a, &b).service_ns, 12.5 / 30.0 * MS);
    assert_eq!(gap(&a, &b).horizon, Some(ms(10)));
}

#[test]
fn half_a_millisecond_is_forgiven_by_the_horizon() {
    let late = |us: u64| {
        let mut late = timeline(&[("a", 0, &[(0, 10)]), ("b", 0, &[(10, 20)])]);
        late.intervals.edit(|all| {
            all[0].end += Span::from_us(us);
            all[1].start += Span::from_us(us);
        });
        late
    };
    assert_eq!(gap(&late(0), &late(500)).horizon, None);
    assert_eq!(gap(&late(0), &late(501)).horizon, Some(ms(10)));
}

#[test]
fn switching_is_not_running() {
    let a = timeline(&[("a", 0, &[(0, 10)])]);
    let mut b = a.clone();
    b.intervals.push(Interval { what: What::Switch, ..interval(TaskId(0), ms(10), ms(12)) });
    assert_close(gap(&a, &b).agreement, 1.0);
}

#[test]
fn which_of_identical_tasks_ran_first_is_no_difference() {
    let a = timeline(&[("a", 0, &[(0, 10)]), ("a", 1, &[(10, 20)])]);
    let b = timeline(&[("a", 0, &[(10, 20)]), ("a", 1, &[(0, 10)])]);
    assert_eq!(gap(&a, &b), Gap { agreement: 1.0, service_ns: 0.0, horizon: None });
}

#[test]
fn tied_first_runs_are_told_apart_by_what_follows() {
    // On two processors both begin at 0; the one that keeps its processor is the first in both.
    let a = timeline(&[("a", 0, &[(0, 4), (8, 16)]), ("a", 1, &[(0, 12)])]);
    let b = timeline(&[("a", 0, &[(0, 12)]), ("a", 1, &[(0, 4), (8, 16)])]);
    assert_close(gap(&a, &b).agreement, 1.0);
}

#[test]
fn renaming_hides_no_real_difference() {
    // Tasks that were written down apart, or ask for another amount, or arrive at another time, are not the same.
    let apart = timeline(&[("a", 0, &[(0, 10)]), ("b", 0, &[(10, 20)])]);
    let swapped = timeline(&[("a", 0, &[(10, 20)]), ("b", 0, &[(0, 10)])]);
    assert_close(gap(&apart, &swapped).agreement, 0.0);

    let unequal = timeline(&[("a", 0, &[(0, 10)]), ("a", 1, &[(10, 30)])]);
    let swapped = timeline(&[("a", 0, &[(20, 30)]), ("a", 1, &[(0, 20)])]);
    assert_close(gap(&unequal, &swapped).agreement, 10.0 / 30.0);

    let mut late = timeline(&[("a", 0, &[(0, 10)]), ("a", 1, &[(10, 20)])]);
    late.tasks[TaskId(1)].arrival = Some(ms(5));
    let swapped = timeline(&[("a", 0, &[(10, 20)]), ("a", 1, &[(0, 10)])]);
    assert_close(gap(&late, &swapped).agreement, 0.0);

    // And identical ones may be renamed once, not whenever it suits: b runs them in another manner.
    let whole = timeline(&[("a", 0, &[(0, 10)]), ("a", 1, &[(10, 20)])]);
    let sliced = timeline(&[("a", 0, &[(0, 5), (10, 15)]), ("a", 1, &[(5, 10), (15, 20)])]);
    assert_close(gap(&whole, &sliced).agreement, 10.0 / 20.0);
}

#[test]
fn copies_of_a_process_with_one_task_are_interchangeable() {
    let copies = |first: &[(u64, u64)], second: &[(u64, u64)]| {
        let mut copies = timeline(&[("work", 0, first), ("copy", 0, second)]);
        copies.cast = Arc::new(Cast {
            processes: vec!["p#0".into(), "p#1".into()],
            specs: (0..2).map(|process| SpecName { process, task: "work".into() }).collect(),
            ..Cast::default()
        });
        copies
    };
    let a = copies(&[(0, 10)], &[(10, 20)]);
    let b = copies(&[(10, 20)], &[(0, 10)]);
    assert_close(gap(&a, &b).agreement, 1.0);
}

#[test]
fn the_figures_of_a_comparison() {
    let run = |end: u64| timeline(&[("a", 0, &[(0, 10)]), ("b", 0, &[(10, end)])]);
    let comparison = compare(&run(21), &[run(20), run(18), run(22)]);
    assert_eq!(comparison.runs, 3);
    assert_close(comparison.makespan_error.expect("there are runs"), 1.0 / 20.0);
    // Interpolated between 18, 20, 22: p10 is 18.4, p90 is 21.6.
    assert_close(comparison.makespan_spread.expect("there are runs"), 3.2 / 20.0);
    assert_close(comparison.completion_error.expect("there are runs"), (0.0 + 0.05) / 2.0);
    // 20/21, 18/21, 21/22 sorted: the middle one is 20/21. Between runs: 18/20, 20/22, 18/22.
    assert_close(comparison.agreement.expect("there are runs"), 20.0 / 21.0);
    assert_close(comparison.agreement_between_runs.expect("there are pairs"), 18.0 / 20.0);
    // A lag of d ms at the end is d²/2 ms² over two tasks and the later end.
    let lag = |d: f64, end: f64| d * d / 2.0 / 2.0 / end * MS;
    assert_eq!(comparison.service_distance_ns, Some(rounded(lag(1.0, 21.0))));
    assert_eq!(comparison.service_distance_between_runs_ns, Some(rounded(lag(2.0, 20.0))));
    assert_close(comparison.ratio.expect("there are pairs"), lag(1.0, 21.0) / lag(2.0, 20.0));
    assert_eq!(comparison.horizon_ns, Some(20_000_000));
    let b = &comparison.tasks[1];
    assert_eq!(
        (b.name.as_str(), b.simulated_finish_ns, b.measured_finish_ns),
        ("main/b#0", Some(21_000_000), Some(20_000_000))
    );
    assert_close(b.error.expect("it finished"), 0.05);
}

#[test]
fn latency_counts_from_the_arrival_and_completion_from_the_start() {
    let arriving = |end: u64| {
        let mut late = timeline(&[("early", 0, &[(0, 10)]), ("late", 0, &[(990, end)])]);
        late.tasks[TaskId(1)].arrival = Some(ms(990));
        late
    };
    // 8 ms simulated; 9, 10 and 11 ms measured.
    let comparison = compare(&arriving(998), &[arriving(999), arriving(1001), arriving(1000)]);
    assert_close(comparison.completion_error.expect("they finish"), (2.0 / 1000.0) / 2.0);
    assert_close(comparison.latency_error.expect("they finish"), (2.0 / 10.0) / 2.0);
    // p10 and p90 of the three are 9.2 and 10.8 ms.
    assert_close(comparison.completion_spread.expect("they finish"), (1.6 / 1000.0) / 2.0);
    assert_close(comparison.latency_spread.expect("they finish"), (1.6 / 10.0) / 2.0);
    let late = &comparison.tasks[1];
    assert_eq!((late.simulated_turnaround_ns, late.measured_turnaround_ns), (Some(8_000_000), Some(10_000_000)));
    assert_close(late.latency_error.expect("it finishes"), -0.2);
    assert_close(late.error.expect("it finishes"), -0.002);
}

#[test]
fn likeness_says_where_the_same_tasks_run() {
    let a = timeline(&[("a", 0, &[(0, 12)]), ("b", 0, &[(12, 20), (30, 31)]), ("c", 0, &[(0, 5)])]);
    let b = timeline(&[("a", 0, &[(0, 10), (20, 22)]), ("b", 0, &[(10, 18), (30, 31)]), ("c", 0, &[(3, 8)])]);
    let stretches: Vec<_> = likeness(&a, &b)
        .iter()
        .map(|part| (part.start.ns() / 1_000_000, part.end.ns() / 1_000_000, part.state))
        .collect();
    assert_eq!(
        stretches,
        [
            (0, 3, Likeness::Partly),
            (3, 5, Likeness::Same),
            (5, 8, Likeness::Partly),
            (8, 10, Likeness::Same),
            (10, 12, Likeness::Other),
            (12, 18, Likeness::Same),
            (18, 22, Likeness::Other),
            (22, 30, Likeness::Idle),
            (30, 31, Likeness::Same),
        ]
    );
}

#[test]
fn likeness_adds_up_to_agreement_where_one_task_runs_at_a_time() {
    let a = timeline(&[("a", 0, &[(0, 12)]), ("b", 0, &[(12, 20)])]);
    let b = timeline(&[("a", 0, &[(0, 10), (20, 22)]), ("b", 0, &[(10, 18)])]);
    let length = |wanted: Likeness| -> u64 {
        let parts = likeness(&a, &b);
        parts.iter().filter(|part| part.state == wanted).map(|part| part.end.since(part.start).ns()).sum()
    };
    let (same, other) = (length(Likeness::Same) as f64, length(Likeness::Other) as f64);
    assert_close(gap(&a, &b).agreement, same / (same + other));
}

#[test]
fn too_few_runs_give_no_figure() {
    let run = timeline(&[("a", 0, &[(0, 10)])]);
    let alone = compare(&run, &[]);
    assert_eq!((alone.makespan_error, alone.agreement, alone.ratio), (None, None, None));
    let single = compare(&run, std::slice::from_ref(&run));
    assert_eq!((single.agreement, single.agreement_between_runs, single.ratio), (Some(1.0), None, None));
    assert_eq!((single.makespan_error, single.makespan_spread), (Some(0.0), None));
    let equal = compare(&run, &[run.clone(), run.clone()]);
    assert_eq!((equal.agreement_between_runs, equal.service_distance_between_runs_ns), (Some(1.0), Some(0)));
    assert_eq!(equal.ratio, None, "a distance of zero is no yardstick");
}

#[test]
fn a_task_that_did_not_finish_has_no_error() {
    let done = timeline(&[("a", 0, &[(0, 10)]), ("b", 0, &[(10, 20)])]);
    let mut cut = done.clone();
    cut.tasks[TaskId(1)].finish = None;
    let comparison = compare(&done, &[done.clone(), cut.clone(), cut]);
    assert_eq!(comparison.tasks[1].measured_finish_ns, None);
    assert_eq!(comparison.tasks[1].error, None);
    assert_eq!(comparison.completion_error, Some(0.0));
}

#[test]
fn what_the_horizon_ends_on_both_sides_has_no_makespan_and_is_judged_by_its_jobs() {
    let run = |responses: [u64; 2], end: u64| {
        let mut run = timeline(&[("beat", 0, &[(0, 10), (50, 60)])]);
        run.tasks[TaskId(0)].finish = None;
        run.end = ms(end);
        for (release, response) in [0, 50].into_iter().zip(responses) {
            let (release, finish) = (ms(release), Some(ms(release + response)));
            run.jobs.push(Job { task: TaskId(0), release, deadline: ms(100), finish, aborted: false, skips: 0 });
        }
        // One that did not end counts neither way.
        run.jobs.push(Job {
            task: TaskId(0),
            release: ms(99),
            deadline: ms(200),
            finish: None,
            aborted: false,
            skips: 0,
        });
        run
    };
    let comparison = compare(&run([10, 12], 100), &[run([10, 10], 100), run([10, 10], 100)]);
    assert!(comparison.horizon_ends_both);
    assert_eq!((comparison.makespan_error, comparison.makespan_spread), (None, None));
    let task = &comparison.tasks[0];
    assert_eq!((task.simulated_turnaround_ns, task.measured_turnaround_ns), (None, None));
    assert_eq!((task.simulated_response_ns, task.measured_response_ns), (Some(11_000_000), Some(10_000_000)));
    assert_close(comparison.latency_error.expect("known"), 0.1);
    assert_close(comparison.latency_spread.expect("known"), 0.0);
    // Nobody finishes in a deadlock, either, but both arms end when it comes about.
    let stuck = compare(&run([10, 12], 99), &[run([10, 10], 100)]);
    assert!(!stuck.horizon_ends_both);
    assert_close(stuck.makespan_error.expect("known"), -0.01);
    // Where the one finishes and the horizon ends the other, the error is at least that.
    let done = timeline(&[("beat", 0, &[(0, 10), (50, 60)])]);
    assert!(compare(&done, &[run([10, 10], 60)]).makespan_error.is_some());
}

#[test]
fn overlapping_records_of_one_task_are_one_stretch() {
    let track = Track::new(vec![(ms(5), ms(9)), (ms(0), ms(6)), (ms(9), ms(10))], None, None);
    assert_eq!(track.runs().collect::<Vec<_>>(), [(ms(0), ms(10))]);
}

/// Up to five tasks on up to three processors, with stretches of 0 to 3 ms in steps of a quarter.
fn random_timeline(chance: &mut Stream, demand: &[u64]) -> Timeline {
    let mut left = demand.to_vec();
    let mut now = 0;
    let mut rows: Vec<Vec<(u64, u64)>> = vec![Vec::new(); demand.len()];
    while left.iter().any(|quarters| *quarters > 0) {
        let length = chance.below(12) + 1;
        for _ in 0..chance.below(4) {
            let task = usize::try_from(chance.below(demand.len() as u64)).expect("small");
            let ran = left[task].min(length);
            if rows[task].last().is_none_or(|(_, end)| *end <= now) && ran > 0 {
                rows[task].push((now, now + ran));
                left[task] -= ran;
            }
        }
        now += length;
    }
    let mut random = timeline(&[]);
    let mut cast = Cast { processes: vec!["main".into()], ..Cast::default() };
    cast.specs = ["a", "b"].map(|task| SpecName { process: 0, task: task.into() }).to_vec();
    random.cast = Arc::new(cast);
    let quarter = |quarters: u64| Time::from_ns(quarters * 250_000);
    for (index, runs) in (0_u32..).zip(&rows) {
        let finish = runs.last().map(|(_, end)| quarter(*end));
        let life =
            Life { spec: index % 2, instance: index / 2, arrival: Some(Time::ZERO), finish, fate: Fate::Finished };
        let task = random.tasks.push(life);
        runs.iter().for_each(|(start, end)| random.intervals.push(interval(task, quarter(*start), quarter(*end))));
        random.end = random.end.max(finish.unwrap_or(Time::ZERO));
    }
    random
}

/// The same numbers, a quarter of a millisecond at a time.
fn slow_distance(a: &Tracks, b: &Tracks, until: u64) -> (f64, f64) {
    let runs = |tracks: &Tracks, task: usize, tick: u64| {
        let (start, end) = (Time::from_ns(tick * 250_000), Time::from_ns((tick + 1) * 250_000));
        tracks.get(task).is_some_and(|track| track.runs().any(|(from, to)| from <= start && end <= to))
    };
    let (mut shared, mut whole, mut area) = (0.0, 0.0, 0.0);
    let mut received = vec![(0_i64, 0_i64); a.len()];
    for tick in 0..until {
        let (mut both, mut in_a, mut in_b) = (0.0, 0.0_f64, 0.0_f64);
        for (task, received) in received.iter_mut().enumerate() {
            let (ran_a, ran_b) = (runs(a, task, tick), runs(b, task, tick));
            both += f64::from(u8::from(ran_a && ran_b));
            in_a += f64::from(u8::from(ran_a));
            in_b += f64::from(u8::from(ran_b));
            let before = received.0 - received.1;
            received.0 += i64::from(ran_a);
            received.1 += i64::from(ran_b);
            // Within a tick both curves are straight, so the area is that of a trapezium: it never crosses zero inside.
            area += (before + received.0 - received.1).abs() as f64 / 2.0;
        }
        shared += both;
        whole += in_a.max(in_b);
    }
    (shared / whole, area * 250_000.0 / (until as f64 * a.len() as f64))
}

#[test]
fn laws_on_generated_timelines() {
    for seed in 0..300 {
        let mut chance = StreamName::new(seed).word("compare").stream();
        let demand: Vec<u64> = (0..=chance.below(5)).map(|_| chance.below(40) + 1).collect();
        let [a, b, c] = [(); 3].map(|()| random_timeline(&mut chance, &demand));
        let names = Names::new(&[&a], &[b.clone(), c.clone()]);
        let [a, b, c] = [&a, &b, &c].map(|timeline| names.tracks(timeline));

        let [ab, ba, aa] = [between(&a, &b), between(&b, &a), between(&a, &a)];
        assert_eq!(ab, ba, "seed {seed}: not symmetric");
        assert_eq!(aa, Gap { agreement: 1.0, service_ns: 0.0, horizon: None }, "seed {seed}");
        assert!((0.0..=1.0).contains(&ab.agreement), "seed {seed}: {ab:?}");

        let until = a.makespan.max(b.makespan).ns() / 250_000;
        let (agreement, service) = slow_distance(&a, &b, until);
        assert!((ab.agreement - agreement).abs() < 1e-12, "seed {seed}: {ab:?}, tick by tick {agreement}");
        assert!((ab.service_ns - service).abs() < 1e-3, "seed {seed}: {ab:?}, tick by tick {service}");

        let end = Time::ZERO + a.makespan.max(b.makespan).max(c.makespan);
        for task in 0..names.len() {
            let area = |x: &Tracks, y: &Tracks| twice_area_between(x.get(task), y.get(task), end);
            assert!(area(&a, &c) <= area(&a, &b) + area(&b, &c), "seed {seed}: no triangle inequality");
        }
    }
}

#[test]
fn numbers_of_instances_and_processors_do_not_matter() {
    for seed in 0..100 {
        let mut chance = StreamName::new(seed).word("renumber").stream();
        let demand = vec![chance.below(20) + 1; 4];
        let [a, b] = [(); 2].map(|()| random_timeline(&mut chance, &demand));
        // Instances 0 and 1 of both tasks change places, and so do the processors.
        let mut renumbered = b.clone();
        let lives: IdVec<TaskId, Life> =
            b.tasks.iter().map(|life| Life { instance: 1 - life.instance, ..*life }).collect();
        renumbered.tasks = lives;
        renumbered.intervals.edit(|all| {
            all.iter_mut().for_each(|interval| interval.cpu = CpuId(interval.start.ns() as u32 % 3));
            all.reverse();
        });
        assert_eq!(gap(&a, &b), gap(&a, &renumbered), "seed {seed}");
    }
}
