//! Pools that have not room for all, or not always as many threads.

use expect_test::expect;

use super::check;
use super::fates::fates;
use crate::support::{outcome_of, run, scenario};

fn pool(executor: &str, count: u32, besides: &str) -> String {
    format!(
        r#"
        machine = {{ processors = 3 }}
        process = [{{ name = "p", executor = {{ kind = "pool", {executor} }}, task = [
            {{ name = "job", count = {count}, program = [{{ cpu = "10ms" }}] }},
            {besides}
        ] }}]
        "#
    )
}

/// Job 0 gets the first thread, 1 and 2 queue, 3 and 4 get new threads, 5 and 6 are rejected.
#[test]
fn a_pool_queues_before_it_grows() {
    let toml = pool(r#"core = 1, maximum = 3, queue-limit = 2, when-full = "reject""#, 7, "");
    check(
        &toml,
        expect![[r#"
            1 column = 10ms
            cpu 0 |AB|
            cpu 1 |DC|
            cpu 2 |E.|
            A     |# |
            B     |-#|
            C     |-#|
            D     |# |
            E     |# |
            F     |  |
            G     |  |
            A = p/job#0
            B = p/job#1
            C = p/job#2
            D = p/job#3
            E = p/job#4
            F = p/job#5
            G = p/job#6
            completed at 20ms
        "#]],
    );
    expect![[r#"
        job#0 finished 10000us
        job#1 finished 20000us
        job#2 finished 20000us
        job#3 finished 10000us
        job#4 finished 10000us
        job#5 rejected never
        job#6 rejected never
    "#]]
    .assert_eq(&fates(&toml));
    let outcome = outcome_of(&scenario(&toml));
    assert_eq!((outcome.pools[0].rejected, outcome.pools[0].tasks, outcome.summary.rejected), (2, 7, 2));
}

#[test]
fn who_finds_no_room_waits_outside_in_order() {
    let toml = pool("core = 1, maximum = 2, queue-limit = 1", 6, "");
    check(
        &toml,
        expect![[r#"
            1 column = 10ms
            cpu 0 |ABE|
            cpu 1 |CDF|
            cpu 2 |...|
            A     |#  |
            B     |-# |
            C     |#  |
            D     |-# |
            E     |--#|
            F     |--#|
            A = p/job#0
            B = p/job#1
            C = p/job#2
            D = p/job#3
            E = p/job#4
            F = p/job#5
            completed at 30ms
        "#]],
    );
}

/// A queue without room hands tasks to idle threads only: a new one for each that finds none.
#[test]
fn a_pool_without_a_queue_hands_over() {
    let late = r#"{ name = "late", arrival = "15ms", program = [{ cpu = "1ms" }] }"#;
    let toml = pool(r#"core = 0, maximum = 2, queue-limit = 0, when-full = "reject""#, 3, late);
    expect![[r#"
        job#0 finished 10000us
        job#1 finished 10000us
        job#2 rejected never
        late#0 finished 16000us
    "#]]
    .assert_eq(&fates(&toml));
}

/// The thread looks for a task as soon as all has happened that follows from the end of its last one.
#[test]
fn who_comes_after_the_last_task_finds_the_thread_idle() {
    let toml = pool(
        r#"workers = 1, queue-limit = 0, when-full = "reject""#,
        1,
        r#"{ name = "next", count = 2, after = ["job"], program = [{ cpu = "1ms" }] },
           { name = "punctual", arrival = "11ms", program = [{ cpu = "1ms" }] }"#,
    );
    expect![[r#"
        job#0 finished 10000us
        next#0 finished 11000us
        next#1 rejected never
        punctual#0 finished 12000us
    "#]]
    .assert_eq(&fates(&toml));
}

/// What the pool of [`a_pool_queues_before_it_grows`] and others did, and who waited: `made most rejected, waited of those that came`.
#[test]
fn pools_tell_how_many_threads_they_made_and_who_waited() {
    let told = |toml: &str| {
        let outcome = outcome_of(&scenario(toml));
        let (pool, kind) = (outcome.pools.last().expect("one"), outcome.kinds.last().expect("one"));
        let waited = kind.waited_for_worker.map(|waited| (waited, kind.waited_share.unwrap_or_default()));
        (pool.threads_made, pool.most_threads, pool.rejected, pool.caller_runs, waited)
    };
    let grows = pool(r#"core = 1, maximum = 3, queue-limit = 2, when-full = "reject""#, 7, "");
    assert_eq!(told(&grows), (3, 3, 2, 0, Some((2, 0.4))));
    let outside = pool("core = 1, maximum = 2, queue-limit = 1", 6, "");
    assert_eq!(told(&outside), (2, 2, 0, 0, Some((4, 4.0 / 6.0))));
    // One goes away, and is made again.
    let late = r#"{ name = "late", count = 3, arrival = ["15ms", "15ms", "16ms"], program = [{ cpu = "10ms" }] }"#;
    let leaves = pool(r#"core = 1, maximum = 2, queue-limit = 1, keep-alive = "4ms""#, 3, late);
    assert_eq!(told(&leaves), (3, 2, 0, 0, Some((2, 2.0 / 3.0))));
    let beside = |executor: &str| {
        format!(
            r#"
            machine = {{ processors = 4 }}
            process = [{{ name = "p", pools = {{ slow = {{ kind = "pool", {executor} }} }}, task = [
                {{ name = "A", count = 3, program = [{{ on = "slow", do = [{{ cpu = "4ms" }}] }}] }},
            ] }}]
            "#
        )
    };
    assert_eq!(told(&beside("workers = 8")), (3, 3, 0, 0, Some((0, 0.0))));
    let callers = beside(r#"workers = 1, queue-limit = 0, when-full = "caller-runs""#);
    assert_eq!(told(&callers), (1, 1, 0, 2, Some((0, 0.0))));
}

/// The means are of those that were taken.
#[test]
fn who_was_rejected_has_waited_for_nothing() {
    let outcome = outcome_of(&scenario(&pool(r#"workers = 1, queue-limit = 1, when-full = "reject""#, 4, "")));
    assert_eq!(outcome.summary.waiting_ns.mean, Some(5_000_000.0));
}

/// The second thread goes away at 14 ms: what comes at 15 ms finds one, which is busy, and queues; the next gets a new one.
#[test]
fn a_thread_beyond_the_core_goes_away() {
    let late = r#"{ name = "late", count = 3, arrival = ["15ms", "15ms", "16ms"], program = [{ cpu = "10ms" }] }"#;
    let toml = pool(r#"core = 1, maximum = 2, queue-limit = 1, keep-alive = "4ms""#, 3, late);
    check(
        &toml,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAAAAABBBBBBBBBBDDDDDDDDDD.....|
            cpu 1 |CCCCCCCCCC.....EEEEEEEEEEFFFFFFFFFF|
            cpu 2 |...................................|
            A     |##########                         |
            B     |----------##########               |
            C     |##########                         |
            D     |               -----##########     |
            E     |               ##########          |
            F     |                ---------##########|
            A = p/job#0
            B = p/job#1
            C = p/job#2
            D = p/late#0
            E = p/late#1
            F = p/late#2
            completed at 35ms
        "#]],
    );
    check(
        &toml.replace(r#", keep-alive = "4ms""#, ""),
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAAAAABBBBBBBBBBEEEEEEEEEE.....|
            cpu 1 |CCCCCCCCCC.....DDDDDDDDDDFFFFFFFFFF|
            cpu 2 |...................................|
            A     |##########                         |
            B     |----------##########               |
            C     |##########                         |
            D     |               ##########          |
            E     |               -----##########     |
            F     |                ---------##########|
            A = p/job#0
            B = p/job#1
            C = p/job#2
            D = p/late#0
            E = p/late#1
            F = p/late#2
            completed at 35ms
        "#]],
    );
}

#[test]
fn whose_call_is_turned_away_does_something_else() {
    let toml = r#"
        machine = { processors = 3 }
        process = [{ name = "p", executor = "async", pools = { slow = { kind = "pool", workers = 1, queue-limit = 0, when-full = "reject" } }, task = [
            { name = "A", count = 2, program = [
                { on = "slow", do = [{ cpu = "4ms" }], else = [{ cpu = "1ms" }, "end"] },
                { cpu = "1ms" },
                { spawn = "child", else = ["end"] },
            ] },
            { name = "child", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ] }]
        "#;
    expect![[r#"
        A#0 finished 5000us
        A#1 ended 1000us
        child#0 finished 6000us
        A.slow#0 finished 4000us
        A.slow#1 rejected never
    "#]]
    .assert_eq(&fates(toml));
}

/// Whether the operation says what else is to be done, or for how long its caller stays, or nothing: it is turned away by the pool.
#[test]
fn whose_call_is_turned_away_went_without() {
    for rest in ["", r#", else = ["end"]"#, r#", within = "90ms""#, r#", within = "90ms", else = [{ cpu = "1ms" }]"#] {
        let toml = format!(
            r#"
            machine = {{ processors = 4 }}
            process = [{{ name = "p", pools = {{ slow = {{ kind = "pool", workers = 1, queue-limit = 0, when-full = "reject" }} }}, task = [
                {{ name = "A", count = 3, arrival = ["0ms", "1ms", "5ms"], program = [{{ on = "slow", do = [{{ cpu = "4ms" }}]{rest} }}] }},
            ] }}]
            "#
        );
        let scenario = scenario(&toml);
        let (timeline, _) = run(&scenario);
        let outcome = outcome_of(&scenario).with_timeline(&timeline);
        let told = |leave: &sim_core::outcome::LeaveOutcome| {
            let behind = leave.behind.join(" ");
            format!("{} {} {} {}-{} {behind}", leave.task, leave.what, leave.how, leave.asked_ns, leave.at_ns)
        };
        let told: Vec<String> = outcome.leaves.iter().map(told).collect();
        assert_eq!(told, ["p/A#1 pool p.slow rejected 1000000-1000000 p.slow/A.slow#0"], "{rest}");
        assert_eq!(
            (outcome.summary.rejected, outcome.pools[0].rejected, outcome.pools[0].given_up),
            (1, 1, 0),
            "{rest}"
        );
        let kinds: Vec<_> = outcome.kinds.iter().map(|kind| (kind.served, kind.gone, kind.rejected_share)).collect();
        let third = Some(1.0 / 3.0);
        assert_eq!(kinds, [(Some(2), Some(1), third), (Some(2), Some(0), third)], "{rest}");
    }
}

#[test]
fn work_for_which_nobody_waits_is_found() {
    let outcome = outcome_of(&scenario(
        r#"
        machine = { processors = 2 }
        process = [{ name = "p", executor = "async", pools = { slow = { kind = "pool", workers = 1 } }, task = [
            { name = "A", program = [{ on = "slow", within = "2ms", do = [{ cpu = "5ms" }] }] },
        ] }]
        "#,
    ));
    let said: Vec<&str> = outcome.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(
        said,
        ["in vain: threads of p.slow were busy 3 ms (computing) with work whose caller, A, had given up on it (once)"]
    );
    assert_eq!((outcome.pools[0].given_up, outcome.pools[0].tasks, outcome.tasks[0].given_up), (1, 1, 1));
}

/// A thread that waits is busy as well.
#[test]
fn threads_that_wait_in_vain_are_found() {
    let said = |program: &str| {
        let toml = format!(
            r#"
            machine = {{ processors = 2 }}
            device = [{{ name = "d" }}]
            process = [{{ name = "p", executor = "async", pools = {{ slow = {{ kind = "pool", workers = 2 }} }}, task = [
                {{ name = "A", program = [{{ on = "slow", within = "2ms", do = [{program}] }}] }},
            ] }}]
            "#
        );
        let findings = outcome_of(&scenario(&toml)).findings;
        findings.iter().map(|finding| (finding.text.clone(), finding.duration_ns)).collect::<Vec<_>>()
    };
    let text = "in vain: threads of p.slow were busy 3 ms (blocked, not computing) with work whose caller, A, had given up on it (once)";
    assert_eq!(said(r#"{ sleep = "5ms" }"#), [(text.to_owned(), 3_000_000)]);
    assert_eq!(said(r#"{ io = "d", for = "5ms" }"#), [(text.to_owned(), 3_000_000)]);
    let text = "in vain: threads of p.slow were busy 3 ms (and computed 1 ms of it) with work whose caller, A, had given up on it (once)";
    assert_eq!(said(r#"{ sleep = "4ms" }, { cpu = "1ms" }"#), [(text.to_owned(), 3_000_000)]);
}

#[test]
fn a_queue_that_no_thread_looks_into_gets_one() {
    // As `ThreadPoolExecutor` of OpenJDK has it: without core threads a task is queued, and a thread made for it if there is none.
    check(
        r#"
        executor = { kind = "pool", rules = "jvm-17", core = 0, maximum = 4, queue-limit = 5 }
        task = [{ name = "A", count = 3, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 2ms
            cpu 0 |ABC|
            A     |#  |
            B     |-# |
            C     |--#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 6ms
        "#]],
    );
}
