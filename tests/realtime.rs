//! Periodic tasks: what the rules look like, what theory promises, and a second opinion.

mod aborted;
mod bandwidth;
mod blocking;
mod firm;
mod servers;
mod sets;
mod theory;

use expect_test::{Expect, expect};
use sim_cli::gantt;
use sim_core::time::Span;
use sim_core::timeline::check::Tolerance;
use sim_core::timeline::{Cause, Timeline};

use crate::support::{run, scenario};

/// Draws a scenario and lists its jobs: release-end/deadline, `!` if missed.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn check(toml: &str, expected: Expect) {
    let scenario = scenario(toml);
    let (timeline, ending) = run(&scenario);
    timeline.check_demand(&scenario, Tolerance::EXACT).expect("demand given is demand asked");
    let drawing = gantt::ascii(&timeline, 100);
    expected.assert_eq(&format!("{drawing}{}{} at {}\n", jobs(&timeline), ending.end.name(), ending.at));
}

fn jobs(timeline: &Timeline) -> String {
    let mut text = String::new();
    for task in timeline.tasks.ids() {
        let of_task = timeline.jobs.iter().filter(|job| job.task == task);
        let jobs: Vec<String> = of_task
            .map(|job| {
                let ms = |ns: u64| ns as f64 / 1e6;
                let finish = job.finish.map_or_else(|| "…".to_owned(), |finish| ms(finish.ns()).to_string());
                let missed = if job.missed(timeline.end) { "!" } else { "" };
                format!("{}-{finish}/{}{missed}", ms(job.release.ns()), ms(job.deadline.ns()))
            })
            .collect();
        if !jobs.is_empty() {
            text += &format!("{}: {}\n", timeline.short_name(task), jobs.join(" "));
        }
    }
    text
}

fn misses(timeline: &Timeline) -> usize {
    timeline.jobs.iter().filter(|job| job.missed(timeline.end)).count()
}

#[test]
fn jobs_are_released_until_the_horizon() {
    // What ends at 10 ms has ended; the job due then is not released.
    check(
        r#"
        until = "10ms"
        task = [{ name = "A", arrival = "1ms", period = "3ms", deadline = "2ms", program = [{ cpu = "1ms" }] },
                { name = "B", period = "5ms", program = [{ cpu = "3ms" }] }]
        [scheduler]
        policy = "deadline-monotonic"
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BABBABBAB.|
            A     | #==#==#==|
            B     |#-##=##-#=|
            A = main/A#0
            B = main/B#0
            A: 1-2/3 4-5/6 7-8/9
            B: 0-4/5 5-9/10
            horizon at 10ms
        "#]],
    );
}

#[test]
fn a_late_job_goes_on_and_the_next_one_waits_for_it() {
    check(
        r#"
        until = "12ms"
        task = [{ name = "A", period = "2ms", program = [{ cpu = "1ms" }] },
                { name = "B", period = "3ms", program = [{ cpu = "2ms" }] }]
        [scheduler]
        policy = "rate-monotonic"
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABABABABABAB|
            A     |#=#=#=#=#=#=|
            B     |-#-#-#-#-#-#|
            A = main/A#0
            B = main/B#0
            A: 0-1/2 2-3/4 4-5/6 6-7/8 8-9/10 10-11/12
            B: 0-4/3! 3-8/6! 6-12/9! 9-…/12!
            horizon at 12ms
        "#]],
    );
}

#[test]
fn the_end_of_a_job_is_a_chance_for_others() {
    // A is late all the time and never blocks; under fifo B still gets its turn after each job.
    check(
        r#"
        task = [{ name = "A", period = "1ms", jobs = 4, program = [{ cpu = "2ms" }] },
                { name = "B", period = "2ms", jobs = 3, program = [{ cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABAABAABAA|
            A     |##-##-##-##|
            B     |--#--#--#  |
            A = main/A#0
            B = main/B#0
            A: 0-2/1! 1-5/2! 2-8/3! 3-11/4!
            B: 0-3/2! 2-6/4! 4-9/6!
            completed at 11ms
        "#]],
    );
}

#[test]
fn a_job_can_end_waiting() {
    check(
        r#"
        device = [{ name = "disk" }]
        task = [{ name = "A", period = "4ms", jobs = 3, program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }] },
                { name = "B", period = "3ms", jobs = 2, deadline = "2ms", program = [{ io = "disk", for = "4ms" }] }]
        [scheduler]
        policy = "edf"
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.....A.....A..|
            A     |#=====#=====#==|
            B     |==========     |
            A = main/A#0
            B = main/B#0
            A: 0-6/4! 4-12/8! 8-15/12!
            B: 0-4/2! 3-10/5!
            completed at 15ms
        "#]],
    );
}

#[test]
fn jitter_delays_releases_and_keeps_their_order() {
    let scenario = scenario(
        r#"
        task = [{ name = "A", period = "5ms", jobs = 200, jitter = { uniform = ["0ms", "8ms"] }, program = [{ cpu = "1us" }] }]
        "#,
    );
    let (timeline, _) = run(&scenario);
    assert_eq!(timeline.jobs.len(), 200);
    assert_eq!(timeline.tasks.iter().next().and_then(|task| task.arrival), Some(timeline.jobs[0].release));
    assert!(timeline.jobs[0].release.ns() > 0, "the first job is late too");
    let mut distinct = std::collections::BTreeSet::new();
    for (number, pair) in (1..).zip(timeline.jobs.windows(2)) {
        let nominal = 5_000_000 * number;
        assert!(pair[1].release >= pair[0].release && pair[1].release.ns() >= nominal);
        assert!(pair[1].release.ns() <= nominal + 8_000_000);
        assert_eq!(pair[1].deadline - pair[1].release, Span::from_ms(5));
        distinct.insert(pair[1].release.ns() - nominal);
    }
    assert!(distinct.len() > 100, "each job draws its own");
}

#[test]
fn each_job_draws_anew() {
    let scenario = scenario(
        r#"
        task = [{ name = "A", period = "50ms", jobs = 50, program = [{ cpu = { uniform = ["1ms", "9ms"] } }] }]
        "#,
    );
    let (timeline, _) = run(&scenario);
    let distinct: std::collections::BTreeSet<_> = timeline.jobs.iter().map(|job| job.response()).collect();
    assert!(distinct.len() > 40, "{distinct:?}");
}

#[test]
fn a_task_that_waits_for_others_begins_its_period_then() {
    check(
        r#"
        task = [{ name = "A", program = [{ cpu = "3ms" }] },
                { name = "B", after = ["A"], period = "2ms", jobs = 2, program = [{ cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAB.B|
            A     |###   |
            B     |===#=#|
            A = main/A#0
            B = main/B#0
            B: 3-4/5 5-6/7
            completed at 6ms
        "#]],
    );
}

#[test]
fn jobs_run_in_every_executor() {
    for executor in [
        "\"threads\"",
        "{ kind = \"threads\", gil = \"1ms\" }",
        "\"processes\"",
        "\"async\"",
        "{ kind = \"pool\", workers = 2 }",
        "{ kind = \"work-stealing\", workers = 2 }",
        "\"sequential\"",
    ] {
        for policy in ["fifo", "edf", "llf", "rate-monotonic", "priority", "round-robin\"\nquantum = \"1ms"] {
            let scenario = scenario(&format!(
                r#"
                [machine]
                processors = 2
                context-switch = "10us"
                [[device]]
                name = "disk"
                [scheduler]
                policy = "{policy}"
                [[process]]
                name = "p"
                executor = {executor}
                [[process.task]]
                name = "A"
                period = "5ms"
                jobs = 4
                program = [{{ cpu = "1ms" }}, {{ io = "disk", for = "1ms" }}]
                [[process.task]]
                name = "B"
                arrival = "1ms"
                period = "7ms"
                jobs = 3
                program = [{{ io = "disk", for = "1ms" }}, {{ cpu = "3ms" }}]
                "#
            ));
            let (timeline, ending) = run(&scenario);
            timeline.check_demand(&scenario, Tolerance::EXACT).expect("demand given is demand asked");
            assert_eq!(ending.end.name(), "completed", "{executor} {policy}");
            assert_eq!(timeline.jobs.len(), 7, "{executor} {policy}");
            assert!(timeline.blocks.iter().any(|block| block.cause == Cause::Release), "{executor} {policy}");
        }
    }
}

#[test]
fn a_server_keeps_its_share_and_no_more() {
    // B and C ask for all; each gets 1 ms in 4 ms, its deadline put off each time. D, without a deadline, comes last.
    check(
        r#"
        until = "16ms"
        task = [{ name = "A", period = "4ms", program = [{ cpu = "2ms" }] },
                { name = "B", server = { budget = "1ms", period = "4ms" }, program = [{ cpu = "9ms" }] },
                { name = "C", server = { budget = "1ms", period = "4ms" }, program = [{ cpu = "9ms" }] },
                { name = "D", program = [{ cpu = "1ms" }] }]
        [scheduler]
        policy = "edf"
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABCBAACBAACBAAC|
            A     |##==-##=-##=-##=|
            B     |--#-#---#---#---|
            C     |---#---#---#---#|
            D     |----------------|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            A: 0-2/4 4-7/8 8-11/12 12-15/16
            horizon at 16ms
        "#]],
    );
}

#[test]
fn a_server_that_wakes_keeps_what_its_bandwidth_allows() {
    // A has 1 ms of its budget left until 8 ms. If it wakes at 3 ms that is less than its bandwidth for 5 ms: it goes on
    // with it, before B; then its deadline is put off. At 4 ms it is exactly as much, so the deadline becomes 12 ms.
    let drawn = |sleep: &str| {
        let scenario = scenario(&format!(
            r#"
            task = [{{ name = "A", server = {{ budget = "2ms", period = "8ms" }},
                       program = [{{ cpu = "1ms" }}, {{ sleep = "{sleep}" }}, {{ cpu = "2ms" }}] }},
                    {{ name = "B", arrival = "2ms", period = "20ms", deadline = "8ms", jobs = 1, program = [{{ cpu = "4ms" }}] }}]
            [scheduler]
            policy = "edf"
            "#
        ));
        gantt::ascii(&run(&scenario).0, 100).lines().nth(1).map(str::to_owned)
    };
    assert_eq!(drawn("2ms").as_deref(), Some("cpu 0 |A.BABBBA|"));
    assert_eq!(drawn("3ms").as_deref(), Some("cpu 0 |A.BBBBAA|"));
}

#[test]
fn lock_urgency_follows_deadlines() {
    // B and C wait for the lock of A; C asks later but is due earlier, and more often.
    for policy in ["edf", "llf", "rate-monotonic", "deadline-monotonic", "edf\"\nqueues = \"per-processor"] {
        check(
            &format!(
                r#"
                lock = [{{ name = "m" }}]
                [scheduler]
                policy = "{policy}"
                [[task]]
                name = "A"
                program = [{{ lock = "m" }}, {{ cpu = "1ms" }}, {{ sleep = "3ms" }}, {{ unlock = "m" }}]
                [[task]]
                name = "B"
                arrival = "1ms"
                period = "20ms"
                jobs = 1
                program = [{{ with = "m", do = [{{ cpu = "2ms" }}] }}]
                [[task]]
                name = "C"
                arrival = "2ms"
                period = "9ms"
                jobs = 1
                program = [{{ with = "m", do = [{{ cpu = "2ms" }}] }}]
                "#
            ),
            expect![[r#"
                1 column = 1ms
                cpu 0 |A...CCBB|
                A     |#===    |
                B     | =====##|
                C     |  ==##  |
                A = main/A#0
                B = main/B#0
                C = main/C#0
                B: 1-8/21
                C: 2-6/11
                completed at 8ms
            "#]],
        );
    }
}

#[test]
fn heavy_tasks_first() {
    // Dhall's set: under plain edf the heavy task misses.
    let dhall = |parameters: &str| {
        scenario(&format!(
            r#"
            until = "202ms"
            task = [{{ name = "light", count = 2, period = "50ms", program = [{{ cpu = "2ms" }}] }},
                    {{ name = "heavy", period = "51ms", program = [{{ cpu = "50ms" }}] }}]
            [machine]
            processors = 2
            [scheduler]
            policy = "edf"
            {parameters}
            "#
        ))
    };
    assert!(misses(&run(&dhall("")).0) > 0);
    assert_eq!(misses(&run(&dhall("heavy-first = '2/3'")).0), 0);
    // Exactly the threshold is not above it.
    assert!(misses(&run(&dhall("heavy-first = '50/51'")).0) > 0);
}

#[test]
fn more_than_the_threshold_is_heavy() {
    // A uses half of the processor and B three quarters: only B comes before its deadline says. C, which has none, comes
    // after both.
    check(
        r#"
        task = [{ name = "A", period = "4ms", jobs = 1, program = [{ cpu = "2ms" }] },
                { name = "B", period = "8ms", jobs = 1, program = [{ cpu = "6ms" }] },
                { name = "C", program = [{ cpu = "2ms" }] }]
        [scheduler]
        policy = "edf"
        heavy-first = "2/3"
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |BBBAC|
            A     |---# |
            B     |###  |
            C     |----#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            A: 0-8/4!
            B: 0-6/8
            completed at 10ms
        "#]],
    );
}
