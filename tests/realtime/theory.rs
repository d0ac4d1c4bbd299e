//! What theory says of sets of periodic tasks, and what the simulation sees.

use std::collections::BTreeMap;

use sim_core::analysis::{Analysis, Verdict};
use sim_core::rng::{Stream, StreamName};
use sim_core::timeline::{Job, Timeline};

use super::misses;
use super::sets::{self, Set};
use crate::support::{run, scenario, sim, temporary};

/// Verdicts of theory and what happens, on many sets, one processor, released together.
#[test]
fn theory_and_simulation_agree() {
    let (mut schedulable, mut not, mut silent) = (0, 0, 0);
    for seed in 0..1_500 {
        let set = Set::random(&mut StreamName::new(seed).word("agree").stream(), 1, false);
        for policy in ["rate-monotonic", "deadline-monotonic", "priority", "edf", "llf"] {
            let scenario = scenario(&set.toml(policy));
            let (timeline, _) = run(&scenario);
            let analysis = Analysis::of(&scenario).expect("periodic tasks");
            let missed = misses(&timeline) > 0;
            match analysis.schedulable {
                Some(true) => schedulable += 1,
                Some(false) => not += 1,
                None => silent += 1,
            }
            assert!(
                analysis.schedulable.is_none_or(|says| says != missed),
                "{policy}\n{}\n{analysis:?}",
                set.toml(policy)
            );
            bounds_hold(&analysis, &timeline, &set.toml(policy));
        }
    }
    assert!(schedulable > 1_000 && not > 1_000, "{schedulable} {not} {silent}");
    assert!(silent < 700, "only equal priorities leave theory silent: {silent}");
}

/// Each test on its own keeps its word, on each processor: also when tasks are released apart, are bound to different
/// processors, or have deadlines beyond their periods.
#[test]
fn each_test_keeps_its_word() {
    let mut said: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    for seed in 0..800 {
        let set = any_set(&mut StreamName::new(seed).word("word").stream());
        for policy in ["rate-monotonic", "deadline-monotonic", "edf", "llf"] {
            let toml = set.toml(policy);
            let scenario = scenario(&toml);
            let (timeline, _) = run(&scenario);
            let analysis = Analysis::of(&scenario).expect("periodic tasks");
            for result in &analysis.sets {
                let here = |job: &&Job| {
                    let of = set.tasks[timeline.tasks[job.task].spec as usize].processor;
                    result.processor == Some(of.unwrap_or(0).to_string())
                };
                let missed = timeline.jobs.iter().filter(here).any(|job| job.missed(timeline.end));
                for test in &result.tests {
                    let promise = match test.verdict {
                        Verdict::Schedulable => false,
                        Verdict::NotSchedulable => true,
                        Verdict::Undecided => continue,
                    };
                    assert_eq!(missed, promise, "{} of {result:?}\n{toml}", test.name);
                    *said.entry((test.name, !promise)).or_default() += 1;
                }
            }
        }
    }
    let often = |name, schedulable| said.get(&(name, schedulable)).is_some_and(|times| *times > 100);
    for name in ["Liu & Layland bound", "hyperbolic bound", "response-time analysis", "processor-demand test"] {
        assert!(often(name, true), "{said:?}");
    }
    for name in ["utilisation", "response-time analysis", "processor-demand test"] {
        assert!(often(name, false), "{said:?}");
    }
}

/// One processor, or two of which each task has one; with or without offsets; deadlines before, at or after the period.
fn any_set(stream: &mut Stream) -> Set {
    let (processors, offsets) = (1 + stream.below(2), stream.below(3) == 0);
    let mut set = Set::random(stream, usize::try_from(processors).expect("few"), offsets);
    // A set that needs a little too much takes long to be late by a long deadline.
    set.hyperperiods = if set.utilisation() > 1.0 { 60 } else { 3 };
    let deadlines = stream.below(3);
    for task in &mut set.tasks {
        task.processor = (processors > 1).then(|| stream.below(processors));
        match deadlines {
            0 => task.deadline = task.period,
            1 => task.deadline += stream.below(task.period + 1),
            _ => {}
        }
    }
    set
}

/// The bound of response-time analysis is the response of the first job, and no test promises more than the exact one.
fn bounds_hold(analysis: &Analysis, timeline: &Timeline, toml: &str) {
    for (task, theory) in timeline.tasks.ids().zip(&analysis.tasks) {
        let responses = || timeline.jobs.iter().filter(|job| job.task == task).filter_map(|job| job.response());
        let (Some(bound), Some(worst)) = (theory.response_bound_ns, responses().max()) else { continue };
        assert!(worst.ns() <= bound, "{} responds in {worst}\n{toml}", theory.name);
        let exact = analysis.sets.iter().flat_map(|set| &set.tests).any(|test| test.verdict == Verdict::NotSchedulable);
        // By deadlines, the longest need not be that of who is released with all others.
        if analysis.schedulable == Some(true) && !exact && toml.contains("-monotonic\"") {
            assert_eq!(worst.ns(), bound, "{}\n{toml}", theory.name);
        }
    }
}

/// If any order meets all deadlines on one processor, so do edf and llf; also when tasks are released apart.
#[test]
fn edf_and_llf_are_optimal_on_one_processor() {
    let mut met_by_others = 0;
    for seed in 0..1_500 {
        let set = Set::random(&mut StreamName::new(seed).word("optimal").stream(), 1, true);
        let met = |policy: &str| misses(&run(&scenario(&set.toml(policy))).0) == 0;
        if ["rate-monotonic", "deadline-monotonic", "priority", "fifo"].into_iter().any(met) {
            met_by_others += 1;
            assert!(met("edf"), "edf misses\n{}", set.toml("edf"));
            assert!(met("llf"), "llf misses\n{}", set.toml("llf"));
        } else {
            assert_eq!(met("edf"), met("llf"), "one of edf and llf misses\n{}", set.toml("edf"));
        }
    }
    assert!(met_by_others > 300, "{met_by_others}");
}

/// A simulator of ticks, written from the rules alone, gives the same ends of all jobs.
#[test]
fn a_second_simulator_agrees() {
    for seed in 0..1_500 {
        let mut stream = StreamName::new(seed).word("ticks").stream();
        let processors = 1 + usize::try_from(stream.below(3)).expect("few");
        let set = Set::random(&mut stream, processors, true);
        for policy in ["rate-monotonic", "deadline-monotonic"] {
            let (timeline, _) = run(&scenario(&set.toml(policy)));
            let ends: Vec<Vec<Option<u64>>> = timeline
                .tasks
                .ids()
                .map(|task| timeline.jobs.iter().filter(move |job| job.task == task))
                .map(|jobs| jobs.map(|job| job.finish.map(|finish| finish.ns() / 1_000_000)).collect())
                .collect();
            let length = |task: &sets::Task| if policy == "rate-monotonic" { task.period } else { task.deadline };
            assert_eq!(ends, set.ticks(length), "{}", set.toml(policy));
        }
    }
}

/// Whatever a served task does, the others meet their deadlines if all shares fit.
#[test]
fn servers_isolate() {
    let mut overruns = 0;
    for seed in 0..500 {
        let mut stream = StreamName::new(seed).word("servers").stream();
        let mut set = Set::random(&mut stream, 1, true);
        set.tasks.iter_mut().for_each(|task| task.deadline = task.period);
        let (period, budget) = (10 + stream.below(20), 1 + stream.below(6));
        if set.utilisation() + budget as f64 / period as f64 > 1.0 {
            continue;
        }
        let toml = format!(
            "{}\n[[task]]\nname = \"greedy\"\nperiod = \"{period}ms\"\nserver = {{ budget = \"{budget}ms\", period = \"{period}ms\" }}\n\
             program = [{{ cpu = {{ exponential = \"{}ms\" }} }}, {{ sleep = {{ exponential = \"2ms\" }} }}, {{ cpu = \"1ms\" }}]\n",
            set.toml("edf"),
            2 * budget
        );
        let (timeline, _) = run(&scenario(&toml));
        let greedy = timeline.tasks.ids().last().expect("tasks");
        let late = |job: &&sim_core::timeline::Job| job.missed(timeline.end);
        assert!(!timeline.jobs.iter().filter(late).any(|job| job.task != greedy), "a hard task misses\n{toml}");
        overruns += timeline.jobs.iter().filter(late).count();
    }
    assert!(overruns > 500, "{overruns}");
}

#[test]
fn liu_and_layland_promise_what_they_promise() {
    let mut promised = 0;
    for seed in 0..2_000 {
        let mut set = Set::random(&mut StreamName::new(seed).word("bound").stream(), 1, true);
        set.tasks.iter_mut().for_each(|task| task.deadline = task.period);
        let n = set.tasks.len() as f64;
        if set.utilisation() <= n * (2_f64.powf(1.0 / n) - 1.0) {
            promised += 1;
            let toml = set.toml("rate-monotonic");
            assert_eq!(misses(&run(&scenario(&toml)).0), 0, "{toml}");
        }
    }
    assert!(promised > 200, "{promised}");
}

#[test]
fn theory_of_llf_wants_multiples_of_the_quantum() {
    for (queues, period, reservations) in
        [("shared", "5ms", 0), ("shared", "5500us", 1), ("per-processor", "5ms", 0), ("per-processor", "5500us", 1)]
    {
        let scenario = scenario(&format!(
            "until = '55ms'\nscheduler = {{ policy = 'llf', queues = '{queues}' }}\n\
             task = [{{ name = 'A', period = '{period}', program = [{{ cpu = '1ms' }}] }}]"
        ));
        let analysis = Analysis::of(&scenario).expect("periodic tasks");
        assert_eq!(analysis.reservations.len(), reservations, "{queues} {period}: {:?}", analysis.reservations);
    }
}

#[test]
fn servers_of_tasks_that_come_and_go_are_not_counted_as_if_they_stayed() {
    let analysis = |count: u32, period: &str| {
        let scenario = scenario(&format!(
            "until = '1s'\nscheduler = {{ policy = 'edf' }}\n\
             task = [{{ name = 'control', period = '{period}', program = [{{ cpu = '4ms' }}] }},\n\
             {{ name = 'job', count = {count}, arrival = {{ every = '15ms' }}, server = {{ budget = '4ms', period = '10ms' }},\n\
             program = [{{ cpu = '2ms' }}] }}]"
        ));
        Analysis::of(&scenario).expect("a periodic task")
    };
    let tests = |analysis: &Analysis| -> Vec<(&str, f64, Verdict)> {
        let tests = analysis.sets[0].tests.iter();
        tests.filter_map(|test| Some((test.name, (test.value? * 1000.0).round() / 1000.0, test.verdict))).collect()
    };
    // One server fits beside the task, which the utilisation says alone; sixty fit only if they are never all active.
    let one = analysis(1, "10ms");
    let alone = "utilisation with every server active";
    assert_eq!((tests(&one), one.schedulable), (vec![(alone, 0.8, Verdict::Schedulable)], Some(true)));
    let many = analysis(60, "10ms");
    let every = ("utilisation with every server active", 24.4, Verdict::Undecided);
    assert_eq!(
        (tests(&many), many.schedulable),
        (vec![("utilisation at least", 0.4, Verdict::Undecided), every], None)
    );
    // What is asked for as long as the run lasts is too much whatever comes and goes.
    let over = analysis(60, "3ms");
    assert_eq!(over.schedulable, Some(false));
}

#[test]
fn a_server_of_more_than_its_task_needs_is_no_reason_for_a_miss() {
    // Together the servers reserve 1.1 of the processor, but all jobs need 0.5 of it.
    let scenario = scenario(
        "until = '1s'\nscheduler = { policy = 'edf' }\n\
         task = [{ name = 'a', count = 2, period = '10ms', server = { budget = '4ms', period = '10ms' }, program = [{ cpu = '1ms' }] },\n\
         { name = 'b', period = '10ms', program = [{ cpu = '3ms' }] }]",
    );
    assert_eq!(Analysis::of(&scenario).expect("periodic tasks").schedulable, None);
    assert_eq!(misses(&run(&scenario).0), 0);
}

#[test]
fn the_longest_response_is_known_also_where_it_is_too_long() {
    // Lehoczky 1990: the responses of the second task are 114, 102, 116, 104, 118, 106 and 94.
    let scenario = scenario(
        "until = '700ms'\nscheduler = { policy = 'rate-monotonic' }\n\
         task = [{ name = 'a', period = '70ms', program = [{ cpu = '26ms' }] },\n\
         { name = 'b', period = '100ms', program = [{ cpu = '62ms' }] }, { name = 'c', period = '200ms', program = [{ cpu = '62ms' }] }]",
    );
    let analysis = Analysis::of(&scenario).expect("periodic tasks");
    let bounds: Vec<Option<u64>> = analysis.tasks.iter().map(|task| task.response_bound_ns).collect();
    // The third has none: it does not fit.
    assert_eq!(bounds, [Some(26_000_000), Some(118_000_000), None]);
    assert_eq!(analysis.schedulable, Some(false));
    let responses = run(&scenario).0.jobs.iter().filter(|job| job.task.0 == 1).filter_map(|job| job.response()).max();
    assert_eq!(responses.map(sim_core::time::Span::ns), Some(118_000_000));
}

#[test]
fn a_utilisation_of_at_most_one_is_enough_for_deadlines_at_the_next_release() {
    let says = |policy: &str, deadline: &str| {
        let toml = format!(
            r#"
            until = "60ms"
            scheduler = {{ policy = "{policy}" }}
            task = [
                {{ name = "A", period = "10ms", program = [{{ cpu = "5ms" }}] }},
                {{ name = "B", period = "15ms", deadline = "{deadline}", program = [{{ cpu = "5ms" }}] }},
            ]
            "#
        );
        let analysis = Analysis::of(&scenario(&toml)).expect("periodic tasks");
        analysis.sets[0].tests.iter().map(|test| test.verdict).collect::<Vec<Verdict>>()
    };
    for policy in ["edf", "llf"] {
        assert_eq!(says(policy, "15ms"), [Verdict::Schedulable; 2], "{policy}");
        // 5/10 and 5/15 do not say it where one has to be done earlier: 10 ms of work by 9 ms.
        assert_eq!(says(policy, "9ms")[0], Verdict::Undecided, "{policy}");
    }
    assert_eq!(says("rate-monotonic", "15ms")[0], Verdict::Undecided);
}

#[test]
fn a_hyperperiod_that_cannot_be_counted_is_said_to_be_long() {
    let task = |period: &str| {
        format!("[[task]]\nname = \"t{period}\"\nperiod = \"{period}\"\nprogram = [{{ cpu = \"1ms\" }}]\n")
    };
    // Primes: their least common multiple is their product, 10^27 ns.
    let tasks: String = ["1000000007ns", "1000000009ns", "1000000021ns"].map(task).concat();
    let toml = format!("until = \"3s\"\n[scheduler]\npolicy = \"edf\"\n{tasks}");
    assert_eq!(Analysis::of(&scenario(&toml)).expect("periodic tasks").hyperperiod_ns, None);
    let file = temporary("long-hyperperiod", &toml);
    let said = sim(&["run", file.to_str().expect("text")]).stdout;
    let said = String::from_utf8(said).expect("text");
    assert!(said.lines().any(|line| line.starts_with("hyperperiod") && line.contains("over 584 years")), "{said}");
}
