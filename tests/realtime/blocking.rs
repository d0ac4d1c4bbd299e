//! What theory says of tasks that wait for each other at locks, come late, and pay for switches: held against what happens, and
//! against books.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sim_core::analysis::Analysis;
use sim_core::rng::{Stream, StreamName};

use super::misses;
use super::sets::Set;
use crate::support::{run, scenario};

const PERIODS: [u64; 9] = [40, 50, 60, 80, 100, 120, 200, 240, 400];

/// What a world has.
#[derive(Clone, Copy, Debug)]
struct Kind {
    policy: &'static str,
    protocol: &'static str,
    jitter: bool,
    switches: bool,
    nested: bool,
    varies: bool,
}

/// Work of a task: alone, or with locks. Times are tenths of milliseconds.
fn work(kind: Kind, stream: &mut Stream, most: u64, from_lock: u64) -> String {
    let length = 1 + stream.below(most.max(1));
    let cpu = match kind.varies && stream.below(2) == 0 {
        true => format!("{{ uniform = [\"{}us\", \"{}us\"] }}", 100 * stream.below(length + 1), 100 * length),
        false => format!("\"{}us\"", 100 * length),
    };
    match stream.below(3) {
        // Locks are taken in the order of their numbers.
        0 if from_lock < 3 => {
            let lock = from_lock + stream.below(3 - from_lock);
            let next = lock + 1 + stream.below(2);
            if kind.nested && next < 3 && stream.below(3) == 0 {
                // Hand over hand: the one is given back while the next is held.
                let [before, after] = [(); 2].map(|()| work(kind, stream, most / 2, 3));
                return format!(
                    "{{ lock = \"m{lock}\" }}, {{ cpu = {cpu} }}, {{ lock = \"m{next}\" }}, {before}, {{ unlock = \"m{lock}\" }}, {after}, {{ unlock = \"m{next}\" }}"
                );
            }
            let mut inside = work(kind, stream, most / 2, if kind.nested { lock + 1 } else { 3 });
            if stream.below(3) == 0 {
                inside = format!("{inside}, {{ cpu = {cpu} }}");
            }
            format!("{{ with = \"m{lock}\", do = [{inside}] }}")
        }
        1 if kind.varies => {
            let other = work(kind, stream, most / 2, from_lock);
            format!("{{ choose = [[1, [{{ cpu = {cpu} }}]], [1, [{other}]]] }}")
        }
        _ => format!("{{ cpu = {cpu} }}"),
    }
}

fn world(kind: Kind, stream: &mut Stream) -> String {
    let switch = if kind.switches { 50 * (1 + stream.below(4)) } else { 0 };
    let Kind { policy, protocol, .. } = kind;
    let mut toml = format!(
        "seed = {}\nuntil = \"600ms\"\nmachine = {{ context-switch = \"{switch}us\" }}\nscheduler = {{ policy = \"{policy}\" }}\n",
        stream.below(1000)
    );
    for lock in 0..3 {
        let protocol = match protocol {
            "mixed" => ["ceiling", "non-preemptive", "inherit", "original-ceiling"]
                [usize::try_from(stream.below(if policy == "edf" { 3 } else { 4 })).expect("few")],
            protocol => protocol,
        };
        writeln!(toml, "[[lock]]\nname = \"m{lock}\"\nprotocol = \"{protocol}\"").expect("a string");
    }
    let count = 2 + stream.below(4);
    for task in 0..count {
        let period = PERIODS[usize::try_from(stream.below(9)).expect("few")];
        let fair = (period * 10 / count / 4).max(3);
        let program: Vec<String> = (0..1 + stream.below(4)).map(|_| work(kind, stream, fair, 0)).collect();
        let jitter = if kind.jitter && stream.below(2) == 0 {
            format!("jitter = {{ uniform = [\"{}ms\", \"{}ms\"] }}\n", stream.below(3), 3 + stream.below(period))
        } else {
            String::new()
        };
        let deadline = period / 2 + stream.below(period);
        writeln!(
            toml,
            "[[task]]\nname = \"t{task}\"\narrival = \"{}ms\"\nperiod = \"{period}ms\"\ndeadline = \"{deadline}ms\"\npriority = {}\n\
             {jitter}program = [{}]",
            stream.below(2) * stream.below(60),
            stream.below(5),
            program.join(", "),
        )
        .expect("a string");
    }
    if stream.below(2) == 0 {
        let section = work(kind, stream, 60, 0);
        writeln!(
            toml,
            "[[task]]\nname = \"low\"\npriority = -1\nprogram = [{{ repeat = \"forever\", do = [{section}, {{ cpu = \"300us\" }}, {{ sleep = \"1ms\" }}] }}]"
        )
        .expect("a string");
    }
    toml
}

/// Runs a world and holds theory against it. Gives how near the bounds came, or why there are none.
fn hold(toml: &str) -> Result<Vec<f64>, String> {
    let scenario = scenario(toml);
    let analysis = Analysis::of(&scenario).expect("periodic tasks");
    if let Some(why) = analysis.reservations.first() {
        return Err(why.clone());
    }
    let (timeline, _) = run(&scenario);
    let missed = misses(&timeline) > 0;
    assert!(analysis.schedulable.is_none_or(|says| says != missed), "missed: {missed}\n{toml}\n{analysis:#?}");
    let mut near = Vec::new();
    for (task, theory) in timeline.tasks.ids().zip(&analysis.tasks) {
        let responses = timeline.jobs.iter().filter(|job| job.task == task).filter_map(|job| job.response());
        let (Some(bound), Some(worst)) = (theory.response_bound_ns, responses.max()) else { continue };
        assert!(worst.ns() <= bound, "{} responds in {worst}\n{toml}\n{analysis:#?}", theory.name);
        near.push(worst.ns() as f64 / bound as f64);
    }
    Ok(near)
}

fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    for policy in ["rate-monotonic", "deadline-monotonic", "priority", "edf"] {
        for protocol in ["inherit", "ceiling", "original-ceiling", "non-preemptive", "mixed"] {
            if policy == "edf" && protocol == "original-ceiling" {
                continue;
            }
            for number in 0..8 {
                let [jitter, switches, nested] = [1, 2, 4].map(|bit| number & bit > 0);
                kinds.push(Kind { policy, protocol, jitter, switches, nested, varies: number % 3 == 0 });
            }
        }
    }
    kinds
}

#[test]
fn nobody_responds_later_than_the_bound() {
    let mut near: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut without: BTreeMap<String, u32> = BTreeMap::new();
    for kind in kinds() {
        for seed in 0..worlds() {
            let toml = world(kind, &mut StreamName::new(seed).word("blocking").stream());
            match hold(&toml) {
                Ok(ratios) => near.entry(kind.protocol).or_default().extend(ratios),
                Err(why) => *without.entry(why).or_default() += 1,
            }
        }
    }
    for (protocol, ratios) in &near {
        let reached = ratios.iter().filter(|ratio| **ratio >= 1.0).count();
        assert!(ratios.len() > 500 && reached > 50, "{protocol}: {} of {}; {without:?}", reached, ratios.len());
    }
}

fn worlds() -> u64 {
    std::env::var("SIM_WORLDS").ok().and_then(|worlds| worlds.parse().ok()).unwrap_or(14)
}

/// What is said of each task, in tenths of milliseconds: how long it waits, and how late it responds.
fn said(toml: &str) -> (Vec<Option<u64>>, Vec<Option<u64>>) {
    let analysis = Analysis::of(&scenario(toml)).expect("periodic tasks");
    assert_eq!(analysis.reservations, [] as [String; 0]);
    let tenths = |ns: Option<u64>| ns.map(|ns| ns / 100_000);
    analysis.tasks.iter().map(|task| (tenths(task.blocking_ns), tenths(task.response_bound_ns))).unzip()
}

/// Buttazzo, "Hard Real-Time Computing Systems", the chapter on resources: four tasks, three locks, each section this long.
fn buttazzo(protocol: &str) -> Vec<u64> {
    let mut toml = "until = '800ms'\nscheduler = { policy = 'rate-monotonic' }\n".to_owned();
    for lock in 1..4 {
        writeln!(toml, "[[lock]]\nname = 'S{lock}'\nprotocol = '{protocol}'").expect("a string");
    }
    for (task, sections) in [[1, 2, 0], [0, 9, 3], [8, 7, 0], [6, 5, 4]].into_iter().enumerate() {
        let with = |(lock, length): (usize, u64)| {
            format!("{{ with = 'S{lock}', do = [{{ cpu = '{length}ms' }}] }}, {{ cpu = '1ms' }}, ")
        };
        let program: String = (1..).zip(sections).filter(|(_, length)| *length > 0).map(with).collect();
        let period = 100 << task;
        writeln!(toml, "[[task]]\nname = 't{task}'\nperiod = '{period}ms'\nprogram = [{program}]").expect("a string");
    }
    said(&toml).0.into_iter().map(|waits| waits.expect("bounded") / 10).collect()
}

#[test]
fn the_book_says_how_long_tasks_wait() {
    assert_eq!(buttazzo("inherit"), [17, 14, 6, 0]);
    assert_eq!(buttazzo("ceiling"), [9, 8, 6, 0]);
    assert_eq!(buttazzo("non-preemptive"), [9, 8, 6, 0]);
}

/// A task takes `log` at the instant at which it gives `bus` back, which the most urgent one uses, too.
fn one_behind_the_other(protocol: &str, log: &str, first: &str) -> String {
    format!(
        "until = '200ms'\nscheduler = {{ policy = 'rate-monotonic' }}\n\
         lock = [{{ name = 'bus', protocol = '{protocol}' }}, {{ name = 'log', protocol = '{log}' }}]\n\
         [[task]]\nname = 'control'\narrival = '3001us'\nperiod = '20ms'\nprogram = [{{ with = 'bus', do = [{{ cpu = '3ms' }}] }}{first}]\n\
         [[task]]\nname = 'camera'\narrival = '20ms'\nperiod = '25ms'\nprogram = [{{ with = 'log', do = [{{ cpu = '1ms' }}] }}]\n\
         [[task]]\nname = 'telemetry'\nperiod = '50ms'\nprogram = [{{ cpu = '3ms' }}, {{ with = 'bus', do = [{{ cpu = '2ms' }}] }}, \
         {{ with = 'log', do = [{{ cpu = '1500us' }}] }}]\n"
    )
}

#[test]
fn what_follows_at_once_counts_for_those_whom_it_keeps_waiting() {
    let of = |protocol: &str, log: &str, first: &str| {
        let toml = one_behind_the_other(protocol, log, first);
        hold(&toml).expect("bounded");
        let (waits, responses) = said(&toml);
        let (timeline, _) = run(&scenario(&toml));
        let worst = timeline.jobs.iter().filter(|job| job.task.0 == 0).filter_map(|job| job.response()).max();
        // It is released a microsecond late for the worst.
        (waits, responses[0], worst.map(|worst| worst.ns().div_ceil(100_000)))
    };
    for protocol in ["ceiling", "original-ceiling", "inherit"] {
        assert_eq!(of(protocol, protocol, ""), (vec![Some(20), Some(35), Some(0)], Some(50), Some(50)), "{protocol}");
    }
    let both = (vec![Some(35), Some(35), Some(0)], Some(65), Some(65));
    assert_eq!(of("non-preemptive", "non-preemptive", ""), both);
    assert_eq!(of("ceiling", "non-preemptive", ""), both);
    let uses_log = ", { with = 'log', do = [{ cpu = '0ms' }] }";
    assert_eq!(of("ceiling", "ceiling", uses_log), both);
}

#[test]
fn a_lock_taken_before_the_other_is_given_back_goes_on_with_it() {
    let toml = "until = '400ms'\nscheduler = { policy = 'rate-monotonic' }\n\
         lock = [{ name = 'a', protocol = 'ceiling' }, { name = 'b', protocol = 'ceiling' }]\n\
         [[task]]\nname = 'hi'\narrival = '1ns'\nperiod = '40ms'\n\
         program = [{ with = 'a', do = [{ cpu = '1ms' }] }, { with = 'b', do = [{ cpu = '1ms' }] }]\n\
         [[task]]\nname = 'lo'\nperiod = '400ms'\nprogram = [{ lock = 'a' }, { cpu = '2ms' }, { lock = 'b' }, { unlock = 'a' }, \
         { cpu = '3ms' }, { unlock = 'b' }, { cpu = '1ms' }]\n";
    assert_eq!(said(toml), (vec![Some(50), Some(0)], vec![Some(70), Some(80)]));
    hold(toml).expect("bounded");
}

#[test]
fn original_ceilings_keep_a_job_that_asks_once_waiting_once() {
    let toml = |protocol: &str| {
        format!(
            "until = '80ms'\nscheduler = {{ policy = 'rate-monotonic' }}\nlock = [{{ name = 'm', protocol = '{protocol}' }}]\n\
             [[task]]\nname = 'a'\nperiod = '20ms'\nprogram = [{{ with = 'm', do = [{{ cpu = '1ms' }}] }}]\n\
             [[task]]\nname = 'b'\nperiod = '40ms'\nprogram = [{{ with = 'm', do = [{{ cpu = '3ms' }}] }}]\n\
             [[task]]\nname = 'c'\nperiod = '80ms'\nprogram = [{{ cpu = '1ms' }}, {{ with = 'm', do = [{{ cpu = '2ms' }}] }}]\n"
        )
    };
    for protocol in ["inherit", "original-ceiling", "ceiling"] {
        let (waits, responses) = said(&toml(protocol));
        assert_eq!(waits, [Some(30), Some(20), Some(0)], "{protocol}");
        assert_eq!(responses, [Some(40), Some(60), Some(70)], "{protocol}");
    }
}

#[test]
fn an_original_ceiling_keeps_its_equals_waiting() {
    // They share no lock: who is refused his own while the other, who is as urgent and comes after him, has one waits for that.
    let toml = "until = '200ms'\nscheduler = { policy = 'rate-monotonic' }\n\
         lock = [{ name = 'm', protocol = 'original-ceiling' }, { name = 'n', protocol = 'original-ceiling' }]\n\
         [[task]]\nname = 'a'\narrival = '1ns'\nperiod = '20ms'\nprogram = [{ with = 'm', do = [{ cpu = '1ms' }] }]\n\
         [[task]]\nname = 'b'\nperiod = '20ms'\nprogram = [{ with = 'n', do = [{ cpu = '3ms' }] }]\n";
    hold(toml).expect("bounded");
    assert_eq!(said(toml), (vec![Some(30), Some(0)], vec![Some(40), Some(40)]));
}

#[test]
fn books_say_how_late_tasks_respond() {
    let toml = |rest: &str| {
        let of = |(task, (demand, period)): (usize, (u64, u64))| {
            format!("[[task]]\nname = 't{task}'\nperiod = '{period}ms'\nprogram = [{{ cpu = '{demand}ms' }}]\n")
        };
        let tasks: String = [(3, 7), (3, 12), (5, 20)].into_iter().enumerate().map(of).collect();
        format!("until = '1s'\nscheduler = {{ policy = 'rate-monotonic' }}\n{rest}{tasks}")
    };
    // Burns & Wellings, "Real-Time Systems and Programming Languages".
    assert_eq!(said(&toml("")).1, [Some(30), Some(60), Some(200)]);
    // With half a millisecond before each job and behind it, 4/7 + 4/12 + 6/20 is more than all: the last has no latest.
    assert_eq!(said(&toml("machine = { context-switch = '500us' }\n")).1, [Some(40), Some(120), None]);
}

#[test]
fn who_may_come_late_comes_sooner_after_itself() {
    // Up to 2 ms late, the first may come at 0 and again at 2 ms: the second, of 2 ms, ends at 4 ms and not at 3.
    let toml = |jitter: &str| {
        format!(
            "until = '80ms'\nscheduler = {{ policy = 'rate-monotonic' }}\n\
             task = [{{ name = 'a', period = '4ms', program = [{{ cpu = '1ms' }}]{jitter} }},\n\
             {{ name = 'b', period = '8ms', program = [{{ cpu = '2ms' }}] }}]"
        )
    };
    assert_eq!(said(&toml("")).1, [Some(10), Some(30)]);
    assert_eq!(said(&toml(", jitter = { uniform = ['1ms', '3ms'] }")).1, [Some(10), Some(40)]);
}

#[test]
fn what_has_no_bound_is_said() {
    let reservation = |lock: &str, work: &str, jitter: &str| {
        let toml = format!(
            "until = '80ms'\nscheduler = {{ policy = 'rate-monotonic' }}\nlock = [{{ name = 'm'{lock} }}]\n\
             task = [{{ name = 'a', period = '4ms', program = [{{ with = 'm', do = [{{ cpu = '1ms' }}] }}]{jitter} }},\n\
             {{ name = 'b', period = '8ms', program = [{{ with = 'm', do = [{work}] }}] }}]"
        );
        Analysis::of(&scenario(&toml)).expect("periodic tasks").reservations.join("; ")
    };
    let (inherit, work) = (", protocol = 'inherit'", "{ cpu = '2ms' }");
    assert_eq!(reservation(inherit, work, ""), "");
    assert_eq!(reservation(inherit, "{ cpu = { uniform = ['1ms', '2ms'] } }", ""), "");
    assert!(reservation("", work, "").contains("`m` has no protocol"));
    assert!(reservation(inherit, "{ cpu = { exponential = '1ms' } }", "").contains("`b` has no longest job"));
    assert!(reservation(inherit, "{ sleep = '1ms' }", "").contains("`b` does more than compute and take locks"));
    assert!(reservation(inherit, work, ", jitter = { exponential = '1ms' }").contains("jitter that has no bound"));
}

/// The latest response of the task under earliest deadlines, with ties against it, whenever the tasks begin: tick by tick.
fn latest(tasks: &[(u64, u64, u64)], of: usize) -> u64 {
    let (one, other) = (tasks[of], tasks[1 - of]);
    let mut latest = 0;
    for offset in 0..other.1 {
        for own in 0..one.1 {
            let begins = [own, offset];
            let mut jobs: Vec<(u64, usize, u64, u64)> = Vec::new();
            for now in 0..own.max(offset) + 2 * one.1 * other.1 {
                for (who, (demand, period, deadline)) in [one, other].into_iter().enumerate() {
                    if now >= begins[who] && (now - begins[who]).is_multiple_of(period) {
                        jobs.push((now + deadline, 1 - who, now, demand));
                    }
                }
                let Some(next) = jobs.iter_mut().min() else { continue };
                next.3 -= 1;
                if let (1, released, 0) = (next.1, next.2, next.3) {
                    latest = latest.max(now + 1 - released);
                }
                jobs.retain(|job| job.3 > 0);
            }
        }
    }
    latest
}

#[test]
fn by_deadlines_the_latest_response_is_found() {
    let mut differ = 0;
    for seed in 0..200 {
        let mut stream = StreamName::new(seed).word("spuri").stream();
        let task = |stream: &mut Stream| {
            let period = 3 + stream.below(6);
            (1 + stream.below(period / 2), period, 2 + stream.below(period))
        };
        let tasks = [task(&mut stream), task(&mut stream)];
        let of = |(number, (demand, period, deadline)): (usize, &(u64, u64, u64))| {
            format!(
                "[[task]]\nname = 't{number}'\nperiod = '{period}ms'\ndeadline = '{deadline}ms'\nprogram = [{{ cpu = '{demand}ms' }}]\n"
            )
        };
        let all: String = tasks.iter().enumerate().map(of).collect();
        let toml = format!("until = '80ms'\nscheduler = {{ policy = 'edf' }}\n{all}");
        let bounds = said(&toml).1;
        for (number, bound) in bounds.iter().enumerate() {
            assert_eq!(*bound, Some(10 * latest(&tasks, number)), "{number} of\n{toml}");
        }
        let together = run(&scenario(&toml)).0;
        let worst = together.jobs.iter().filter(|job| job.task.0 == 0).filter_map(|job| job.response()).max();
        differ += u32::from(worst.map(|worst| worst.ns() / 100_000) != bounds[0]);
    }
    assert!(differ > 20, "who is released with all others responds latest, nearly always: {differ}");
}

#[test]
fn several_processors_by_deadlines_are_enough_for_what_is_not_too_dense() {
    let mut promised = 0;
    for seed in 0..600 {
        let mut stream = StreamName::new(seed).word("density").stream();
        let processors = 2 + usize::try_from(stream.below(2)).expect("few");
        let set = Set::random(&mut stream, processors, true);
        let toml = set.toml("edf");
        let scenario = scenario(&toml);
        if Analysis::of(&scenario).expect("periodic tasks").schedulable == Some(true) {
            promised += 1;
            assert_eq!(misses(&run(&scenario).0), 0, "{toml}");
        }
    }
    assert!(promised > 50, "{promised}");
}

/// A server of deadlines may take its share of any time, however short: also beside tasks that are due before their next release.
#[test]
fn what_is_due_early_is_kept_beside_servers_if_it_is_said() {
    let mut promised = 0;
    for seed in 0..600 {
        let mut stream = StreamName::new(seed).word("fluid").stream();
        let set = Set::random(&mut stream, 1, true);
        let (period, budget) = (8 + stream.below(20), 1 + stream.below(4));
        let hard = stream.below(2) == 0;
        let toml = format!(
            "{}\n[[server]]\nname = \"S\"\nkind = \"constant-bandwidth\"\nbudget = \"{budget}ms\"\nperiod = \"{period}ms\"\nhard = {hard}\n\
             [[task]]\nname = \"greedy\"\nserver = \"S\"\nprogram = [{{ repeat = \"forever\", do = [{{ cpu = {{ exponential = \"{budget}ms\" }} }}, \
             {{ sleep = {{ exponential = \"2ms\" }} }}] }}]\n",
            set.toml("edf"),
        );
        let scenario = scenario(&toml);
        if Analysis::of(&scenario).expect("periodic tasks").schedulable == Some(true) {
            promised += 1;
            assert_eq!(misses(&run(&scenario).0), 0, "{toml}");
        }
    }
    assert!(promised > 50, "{promised}");
}
