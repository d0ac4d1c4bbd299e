//! Servers for fixed priorities, held against answers by hand and a simulation of its own that knows ticks and nothing else.

use sim_core::rng::{Stream, StreamName};
use sim_core::timeline::Timeline;

use crate::support::{run, scenario};

/// When each task ended, in milliseconds.
fn finishes(timeline: &Timeline) -> Vec<Option<u64>> {
    timeline.tasks.iter().map(|life| life.finish.map(|at| at.ns() / 1_000_000)).collect()
}

/// A server of 2 ms every 5 ms between a task of 1 ms every 4 ms and one of 2 ms every 6 ms, and two requests of 2 ms and 3 ms.
fn book(kind: &str) -> Vec<Option<u64>> {
    let text = format!(
        r#"
        until = "24ms"
        scheduler = {{ policy = "rate-monotonic" }}
        server = [{{ name = "S", kind = "{kind}", budget = "2ms", period = "5ms" }}]
        task = [
            {{ name = "request", count = 2, arrival = ["2ms", "8ms"], server = "S", program = [{{ choose = [[1, [{{ cpu = "2ms" }}]]] }}] }},
            {{ name = "one", period = "4ms", program = [{{ cpu = "1ms" }}] }},
            {{ name = "two", period = "6ms", program = [{{ cpu = "2ms" }}] }},
        ]
        "#
    );
    finishes(&run(&scenario(&text)).0)[..2].to_vec()
}

#[test]
fn each_kind_serves_at_its_time() {
    // The polling server found nobody at 0 and 5: at 5 the first request has waited since 2. It runs from 5 to 7; the second, which
    // comes at 8, from 10 to 12.
    assert_eq!(book("polling"), [Some(7), Some(12)]);
    // The others have 2 ms at 2, and run from 2 to 4. The deferrable one has all again at 5, and at 8, behind the task of 4 ms, runs from 9 to
    // 11. So does the sporadic one: active from 2 on (at 0 the first task, more urgent, made it active for a millisecond in which it used nothing), it has them back at 7.
    assert_eq!(book("deferrable"), [Some(4), Some(11)]);
    assert_eq!(book("sporadic"), [Some(4), Some(11)]);
}

#[test]
fn a_deferrable_server_may_serve_back_to_back_and_a_sporadic_one_not() {
    // Four milliseconds of work come at 3 ms: the deferrable server has 2 ms until 5 and 2 ms again from 5 on.
    let ends = |kind: &str| {
        let text = format!(
            r#"
            scheduler = {{ policy = "priority" }}
            server = [{{ name = "S", kind = "{kind}", budget = "2ms", period = "5ms", priority = 9 }}]
            task = [
                {{ name = "request", arrival = "3ms", server = "S", program = [{{ cpu = "4ms" }}] }},
                {{ name = "other", priority = 1, program = [{{ cpu = "20ms" }}] }},
            ]
            "#
        );
        finishes(&run(&scenario(&text)).0)[0]
    };
    assert_eq!(ends("deferrable"), Some(7));
    assert_eq!(ends("sporadic"), Some(10));
    assert_eq!(ends("polling"), Some(12));
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Polling,
    Deferrable,
    Sporadic,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    kind: Kind,
    budget: u64,
    period: u64,
    priority: i64,
}

/// A job: its arrival, its work, and the number of its server or its own priority.
#[derive(Clone, Copy, Debug)]
struct Job {
    arrival: u64,
    work: u64,
    server: Option<usize>,
    priority: i64,
}

#[derive(Clone, Default)]
struct State {
    left: u64,
    active: Option<u64>,
    used: u64,
    due: Vec<(u64, u64)>,
}

impl State {
    /// Of a sporadic server: is it active, with something left, from now on?
    fn notes(&mut self, server: &Server, now: u64, goes_on: bool) {
        match (self.active, goes_on) {
            (Some(since), false) => {
                if self.used > 0 {
                    self.due.push(((since + server.period).max(now), self.used));
                }
                self.active = None;
            }
            (None, true) => (self.active, self.used) = (Some(now), 0),
            _ => {}
        }
    }
}

const HORIZON: u64 = 100;

/// When each job ends.
fn ticks(servers: &[Server], jobs: &[Job]) -> Vec<Option<u64>> {
    let mut left: Vec<u64> = jobs.iter().map(|job| job.work).collect();
    let mut ends = vec![None; jobs.len()];
    let mut states = vec![State::default(); servers.len()];
    let priority = |job: &Job| job.server.map_or(job.priority, |server| servers[server].priority);
    for now in 0..HORIZON {
        let waits = |job: usize, left: &[u64]| jobs[job].arrival <= now && left[job] > 0;
        for (number, (server, state)) in servers.iter().zip(&mut states).enumerate() {
            match server.kind {
                Kind::Sporadic if now == 0 => state.left = server.budget,
                Kind::Sporadic => {}
                _ if now % server.period == 0 => state.left = server.budget,
                _ => {}
            }
            let works = (0..jobs.len()).any(|job| jobs[job].server == Some(number) && waits(job, &left));
            if server.kind == Kind::Polling && !works {
                state.left = 0;
            }
        }
        let runs = loop {
            for state in &mut states {
                state.left += state.due.iter().filter(|(at, _)| *at == now).map(|(_, amount)| amount).sum::<u64>();
                state.due.retain(|(at, _)| *at > now);
            }
            let can =
                |job: &usize| waits(*job, &left) && jobs[*job].server.is_none_or(|server| states[server].left > 0);
            let runs = (0..jobs.len()).filter(can).max_by_key(|job| {
                let order = std::cmp::Reverse((jobs[*job].arrival, *job));
                (priority(&jobs[*job]), order)
            });
            for (server, state) in servers.iter().zip(&mut states).filter(|(server, _)| server.kind == Kind::Sporadic) {
                let goes_on = state.left > 0 && runs.is_some_and(|job| priority(&jobs[job]) >= server.priority);
                state.notes(server, now, goes_on);
            }
            if states.iter().all(|state| state.due.iter().all(|(at, _)| *at > now)) {
                break runs;
            }
        };
        if let Some(job) = runs {
            left[job] -= 1;
            if left[job] == 0 {
                ends[job] = Some(now + 1);
            }
            if let Some(server) = jobs[job].server {
                states[server].left -= 1;
                states[server].used += 1;
            }
        }
    }
    ends
}

fn world(chance: &mut Stream) -> (Vec<Server>, Vec<Job>) {
    let server = |number: u64, chance: &mut Stream| {
        let kind = [Kind::Polling, Kind::Deferrable, Kind::Sporadic][usize::try_from(chance.below(3)).expect("few")];
        let period = 2 + chance.below(12);
        let priority = i64::try_from(2 + 2 * number).expect("few");
        Server { kind, budget: 1 + chance.below(period), period, priority }
    };
    let servers: Vec<Server> = (0..1 + chance.below(2)).map(|number| server(number, chance)).collect();
    let job = |number: u64, chance: &mut Stream| {
        let all = servers.len() as u64;
        let served = chance.below(3) > 0;
        let server = served.then(|| usize::try_from(chance.below(all)).expect("few"));
        // Of their own they are below, between or above the servers, no two the same.
        let priority =
            [-100, 300, 500][usize::try_from(chance.below(3)).expect("few")] + i64::try_from(number).expect("few");
        Job { arrival: chance.below(40), work: 1 + chance.below(6), server, priority }
    };
    let mut jobs: Vec<Job> = (0..3 + chance.below(6)).map(|number| job(number, chance)).collect();
    jobs.sort_by_key(|job| job.arrival);
    (servers.into_iter().map(|server| Server { priority: server.priority * 100, ..server }).collect(), jobs)
}

/// A world as text, on a processor of its own if it is one of several.
fn text(servers: &[Server], jobs: &[Job], cpu: Option<usize>) -> String {
    let suffix = cpu.map_or_else(String::new, |cpu| format!("-{cpu}"));
    let of_server = |(number, server): (usize, &Server)| {
        let Server { kind, budget, period, priority } = server;
        let kind = format!("{kind:?}").to_lowercase();
        format!(
            "[[server]]\nname = 'S{number}{suffix}'\nkind = '{kind}'\nbudget = '{budget}ms'\nperiod = '{period}ms'\npriority = {priority}\n"
        )
    };
    let of_job = |(number, job): (usize, &Job)| {
        let Job { arrival, work, server, priority } = job;
        let urgency = server.map_or(format!("priority = {priority}"), |server| format!("server = 'S{server}{suffix}'"));
        let affinity = cpu.map_or_else(String::new, |cpu| format!("affinity = [{cpu}]\n"));
        format!(
            "[[task]]\nname = 'J{number}{suffix}'\narrival = '{arrival}ms'\n{urgency}\n{affinity}program = [{{ cpu = '{work}ms' }}]\n"
        )
    };
    let servers: String = servers.iter().enumerate().map(of_server).collect();
    servers + &jobs.iter().enumerate().map(of_job).collect::<String>()
}

#[test]
fn every_request_ends_when_it_does_tick_by_tick() {
    let mut waited = 0;
    for seed in 0..3000 {
        let (servers, jobs) = world(&mut StreamName::new(seed).word("servers").stream());
        let text = format!("until = '{HORIZON}ms'\n[scheduler]\npolicy = 'priority'\n{}", text(&servers, &jobs, None));
        let (timeline, _) = run(&scenario(&text));
        let expected = ticks(&servers, &jobs);
        assert_eq!(finishes(&timeline), expected, "seed {seed}:\n{text}");
        waited += expected.iter().zip(&jobs).filter(|(end, job)| **end > Some(job.arrival + job.work)).count();
    }
    assert!(waited > 3000, "{waited} requests that waited are few");
}

/// Servers at home on different processors know nothing of each other.
#[test]
fn each_processor_has_servers_of_its_own() {
    for seed in 0..500 {
        let worlds = [0, 1].map(|cpu| world(&mut StreamName::new(seed).word("servers").number(cpu).stream()));
        let texts: String = (0..2).map(|cpu| text(&worlds[cpu].0, &worlds[cpu].1, Some(cpu))).collect();
        let text =
            format!("until = '{HORIZON}ms'\nmachine = {{ processors = 2 }}\n[scheduler]\npolicy = 'priority'\n{texts}");
        let (timeline, _) = run(&scenario(&text));
        let expected: Vec<Option<u64>> = worlds.iter().flat_map(|(servers, jobs)| ticks(servers, jobs)).collect();
        assert_eq!(finishes(&timeline), expected, "seed {seed}:\n{text}");
    }
}

/// A request that waits for its budget can be given no processor: whoever's slice ends beside it stays where it is.
#[test]
fn who_has_no_budget_is_in_nobodys_way() {
    let text = r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", quantum = "2ms" }
        server = [{ name = "S", kind = "polling", budget = "1ms", period = "3ms", priority = 9 }]
        task = [
            { name = "long", priority = 1, program = [{ cpu = "3ms" }] },
            { name = "request", server = "S", affinity = [0], program = [{ cpu = "2ms" }] },
        ]
        "#;
    let (timeline, _) = run(&scenario(text));
    assert_eq!(finishes(&timeline), [Some(3), Some(4)]);
    let places: Vec<u32> = timeline.intervals.iter().filter(|run| run.task.0 == 0).map(|run| run.cpu.0).collect();
    assert_eq!(places, [1]);
}
