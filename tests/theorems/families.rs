//! What many policies have in common.

use sim_core::policy::POLICIES;
use sim_core::rng::Stream;
use sim_core::timeline::lanes::{State, Stretch};
use sim_core::timeline::{Left, What};

use super::world::{Step, Thread, World, prove, scheduler};
use super::{bursts, ensure, mixed, urgent};

/// Whatever the order, if no processor is idle while somebody is ready: tasks that come after others end by
/// W/m + (1 − 1/m) · C, the work on all m processors and the longest chain; no order ends before either of them, so none
/// is worse than 2 − 1/m times the best (Graham 1966).
#[test]
fn grahams_bound() {
    for kind in POLICIES {
        prove(
            &format!("graham {}", kind.name),
            60,
            |stream| {
                let mut threads = bursts(stream, 9, 9, 0);
                for thread in &mut threads {
                    thread.after = (0..thread.name).filter(|_| stream.below(4) == 0).collect();
                }
                World { processors: 1 + stream.below(4), ..World::of(scheduler(kind), threads) }
            },
            |world| {
                let (m, work) = (world.processors, world.threads.iter().map(Thread::demand).sum::<u64>());
                let chain = longest_chain(&world.threads);
                let makespan = world.run().makespan();
                ensure(makespan * m <= work + (m - 1) * chain, || format!("it takes {makespan}"))?;
                ensure(makespan >= chain && makespan * m >= work, || format!("it takes only {makespan}"))
            },
        );
    }
}

fn longest_chain(threads: &[Thread]) -> u64 {
    let mut ends: Vec<(usize, u64)> = Vec::new();
    for thread in threads {
        let before = ends.iter().filter(|(name, _)| thread.after.contains(name)).map(|(_, end)| *end).max();
        ends.push((thread.name, before.unwrap_or(0) + thread.demand()));
    }
    ends.into_iter().map(|(_, end)| end).max().unwrap_or(0)
}

/// All durations times k, the parameters of the policy too: all times times k.
#[test]
fn time_has_no_scale() {
    for kind in POLICIES {
        prove(
            &format!("scale {}", kind.name),
            80,
            |stream| {
                let mut threads = mixed(stream, 4);
                for thread in &mut threads {
                    thread.tickets = 1 + stream.below(3);
                    thread.priority = i64::try_from(stream.below(3)).expect("few");
                    thread.deadline = (stream.below(2) == 0).then(|| 1 + stream.below(30));
                }
                let (processors, switch) = (1 + stream.below(2), stream.below(2));
                World { processors, switch, ..World::of(scheduler(kind), threads) }
            },
            |world| {
                let once = world.run().runs();
                for stretch in [7, 1000] {
                    let stretched = world.run_stretched(stretch).runs();
                    let expected: Vec<_> = once
                        .iter()
                        .map(|(cpu, who, start, end)| (*cpu, *who, start * stretch, end * stretch))
                        .collect();
                    ensure(stretched == expected, || format!("times {stretch}: {stretched:?}\nonce: {once:?}"))?;
                }
                Ok(())
            },
        );
    }
}

/// Where nothing is tied (all times, priorities and deadlines differ), the order of the file does not matter.
#[test]
fn the_order_of_the_file_breaks_ties_and_does_nothing_else() {
    for kind in POLICIES {
        prove(
            &format!("order {}", kind.name),
            80,
            |stream| {
                // With times so fine that they hardly ever meet, the parameters must be longer.
                let slow = scheduler(kind).replace('>', "000003>");
                World { processors: 1 + stream.below(2), ..World::of(slow, without_ties(stream)) }
            },
            |world| {
                let named = |world: &World| {
                    let runs = world.run().runs().into_iter();
                    runs.map(|(cpu, who, start, end)| (cpu, world.threads[who].name, start, end)).collect::<Vec<_>>()
                };
                let mut turned = world.clone();
                turned.threads.reverse();
                ensure(named(world) == named(&turned), || "turned round, the file means something else".to_owned())
            },
        );
    }
}

/// Threads none of whose times are equal, or likely to be so later.
fn without_ties(stream: &mut Stream) -> Vec<Thread> {
    let count = 2 + usize::try_from(stream.below(4)).expect("few");
    let mut threads: Vec<Thread> = Vec::new();
    for name in 0..count {
        let place = name as u64;
        let time = |stream: &mut Stream| 1 + stream.below(9_000_000);
        let steps = vec![Step::Cpu(time(stream)), Step::Sleep(time(stream)), Step::Cpu(time(stream))];
        let deadline = Some(30_000_000 + 1_000_000 * place + stream.below(900_000));
        let (arrival, priority) = (time(stream), i64::try_from((place * 7) % 11).expect("few"));
        threads.push(Thread { name, arrival, steps, priority, deadline, tickets: 1 + place, ..Thread::default() });
    }
    threads
}

/// The policies that nobody takes the processor from do not: whoever runs goes on until it blocks, yields or ends.
#[test]
fn cooperative_policies_never_preempt() {
    let cooperative = ["fifo", "sjf", "hrrn", "priority", "edf", "rate-monotonic", "deadline-monotonic", "llf"];
    for kind in POLICIES.iter().filter(|kind| cooperative.contains(&kind.name)) {
        prove(
            &format!("cooperative {}", kind.name),
            100,
            |stream| {
                let takes = kind.parameters.iter().any(|parameter| parameter.name == "preemptive");
                let option = if takes { "preemptive = false" } else { "" };
                let scheduler = format!("policy = \"{}\"\n{option}", kind.name);
                World { processors: 1 + stream.below(2), ..World::of(scheduler, urgent(stream, 6)) }
            },
            |world| {
                let run = world.run();
                let mut intervals = run.0.intervals.iter();
                let preempted = intervals.find(|interval| interval.left == Left::Preempted);
                ensure(preempted.is_none(), || format!("{preempted:?}"))
            },
        );
    }
}

/// The smaller, the more urgent.
type Rank = fn(&Thread) -> u64;

/// Under a preemptive policy with fixed urgencies nobody runs while somebody more urgent waits.
#[test]
fn the_urgent_never_wait_for_the_less_urgent() {
    fn by_priority(thread: &Thread) -> u64 {
        100 - thread.priority.unsigned_abs()
    }
    fn by_period(thread: &Thread) -> u64 {
        thread.deadline.unwrap_or(u64::MAX)
    }
    fn by_deadline(thread: &Thread) -> u64 {
        thread.deadline.map_or(u64::MAX, |deadline| thread.arrival + deadline)
    }
    let urgency: [(&str, Rank); 4] = [
        ("priority", by_priority),
        ("rate-monotonic", by_period),
        ("deadline-monotonic", by_period),
        ("edf", by_deadline),
    ];
    for (policy, rank) in urgency {
        prove(
            &format!("urgent first {policy}"),
            400,
            |stream| {
                let threads = urgent(stream, 6);
                let (processors, switch) = (1 + stream.below(3), stream.below(2));
                World { processors, switch, ..World::of(format!("policy = \"{policy}\""), threads) }
            },
            |world| {
                let run = world.run();
                let lanes = run.0.lanes();
                let thread = |task: sim_core::ids::TaskId| &world.threads[run.0.tasks[task].spec as usize];
                for interval in run.0.intervals.iter().filter(|interval| interval.what == What::Run) {
                    let waits = |(other, lane): &(_, &Vec<Stretch<_>>)| {
                        rank(thread(*other)) < rank(thread(interval.task))
                            && lane.iter().any(|stretch| {
                                stretch.state == State::Ready
                                    && stretch.start.max(interval.start) < stretch.end.min(interval.end)
                            })
                    };
                    let waiting = lanes.pairs().find(waits);
                    ensure(waiting.is_none(), || {
                        format!("while {interval:?}, somebody more urgent waits: {:?}", waiting.map(|(task, _)| task))
                    })?;
                }
                Ok(())
            },
        );
    }
}
