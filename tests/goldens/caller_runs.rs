//! Pools that leave what they have no room for to whoever called for it (`when-full = "caller-runs"`).

use expect_test::expect;
use sim_core::timeline::{Cause, Timeline};

use super::check;
use super::fates::fates;
use crate::support::{outcome_of, run, scenario};

/// The pool takes the first, the second queues; the third caller does it on its own thread, and waits for it there.
#[test]
fn whose_call_finds_no_room_does_it_itself() {
    let toml = r#"
        machine = { processors = 3 }
        process = [{ name = "p", executor = "threads",
            pools = { slow = { kind = "pool", workers = 1, queue-limit = 1, when-full = "caller-runs" } },
            task = [{ name = "A", count = 3, program = [
                { on = "slow", do = [{ cpu = "3ms" }, { sleep = "2ms" }] },
                { cpu = "1ms" },
            ] }] }]
        "#;
    check(
        toml,
        expect![[r#"
        1 column = 1ms
        cpu 0 |DDD..A....B|
        cpu 1 |.....EEE...|
        cpu 2 |FFF..C.....|
        A     |=====#     |
        B     |==========#|
        C     |=====#     |
        D     |###==      |
        E     |-----###== |
        F     |###==      |
        A = p/A#0
        B = p/A#1
        C = p/A#2
        D = p.slow/A.slow#0
        E = p.slow/A.slow#1
        F = p.slow/A.slow#2
        completed at 11ms
    "#]],
    );
    let outcome = outcome_of(&scenario(toml));
    assert_eq!((outcome.pools[0].tasks, outcome.pools[0].rejected), (3, 0));
    let (timeline, _) = run(&scenario(toml));
    let on_thread = |name: &str| thread_of(&timeline, name);
    assert_eq!(on_thread("p/A#2"), on_thread("p.slow/A.slow#2"), "it runs on the thread of its caller");
    assert_ne!(on_thread("p/A#1"), on_thread("p.slow/A.slow#1"));
}

fn thread_of(timeline: &Timeline, name: &str) -> u32 {
    let of = |interval: &sim_core::timeline::Interval| timeline.task_name(interval.task) == name;
    timeline.intervals.iter().find(of).expect("it runs").thread.0
}

/// One thread more than there is room for: the one that spawns is held up, and so spawns no faster than the pool works.
#[test]
fn a_task_that_spawns_into_a_full_pool_is_held_up() {
    check(
        r#"
        machine = { processors = 3 }
        process = [
            { name = "main", executor = "threads", task = [
                { name = "A", program = [{ repeat = 5, do = [{ spawn = "pool/job" }] }, { cpu = "1ms" }] },
            ] },
            { name = "pool", executor = { kind = "pool", core = 1, maximum = 2, queue-limit = 1, when-full = "caller-runs" }, task = [
                { name = "job", arrival = "spawned", program = [{ cpu = "10ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |EEEEEEEEEEA.........|
            cpu 1 |BBBBBBBBBBCCCCCCCCCC|
            cpu 2 |DDDDDDDDDDFFFFFFFFFF|
            A     |==========#         |
            B     |##########          |
            C     |----------##########|
            D     |##########          |
            E     |##########          |
            F     |          ##########|
            A = main/A#0
            B = pool/job#0
            C = pool/job#1
            D = pool/job#2
            E = pool/job#3
            F = pool/job#4
            completed at 20ms
        "#]],
    );
}

#[test]
fn a_worker_of_the_pool_does_it_on_the_same_thread() {
    check(
        r#"
        machine = { processors = 2 }
        executor = { kind = "pool", workers = 2, queue-limit = 1, when-full = "caller-runs" }
        task = [
            { name = "A", program = [{ repeat = 4, do = [{ spawn = "child" }] }, { join = "child" }, { cpu = "1ms" }] },
            { name = "child", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |DD..EEA|
            cpu 1 |BBCC...|
            A     |======#|
            B     |##     |
            C     |--##   |
            D     |##     |
            E     |  --## |
            A = main/A#0
            B = main/child#0
            C = main/child#1
            D = main/child#2
            E = main/child#3
            completed at 7ms
        "#]],
    );
}

/// What is written for threads blocks the thread, and so all tasks of the loop.
#[test]
fn a_loop_that_does_it_itself_stands_still() {
    check(
        r#"
        machine = { processors = 2 }
        device = [{ name = "disk", channels = "unlimited" }]
        process = [{ name = "p", executor = "async",
            pools = { slow = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" } },
            task = [
                { name = "A", count = 2, program = [{ on = "slow", do = [{ io = "disk", for = "4ms" }, { cpu = "1ms" }] }] },
                { name = "B", arrival = "1ms", program = [{ cpu = "1ms" }] },
            ] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |....D.|
            cpu 1 |....EC|
            A     |===== |
            B     |===== |
            C     | ----#|
            D     |====# |
            E     |====# |
            A = p/A#0
            B = p/A#1
            C = p/B#0
            D = p.slow/A.slow#0
            E = p.slow/A.slow#1
            completed at 6ms
        "#]],
    );
}

/// A guest has a guest: A runs `one`, which spawns `two` into another full pool.
#[test]
fn who_is_run_by_its_caller_may_run_another() {
    check(
        r#"
        machine = { processors = 3 }
        process = [
            { name = "main", executor = "threads", task = [
                { name = "X", program = [{ spawn = "second/two" }] },
                { name = "A", program = [{ repeat = 2, do = [{ spawn = "first/one" }] }, { cpu = "1ms" }] },
            ] },
            { name = "first", executor = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" }, task = [
                { name = "one", arrival = "spawned", program = [{ cpu = "1ms" }, { spawn = "second/two" }, { cpu = "1ms" }] },
            ] },
            { name = "second", executor = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" }, task = [
                { name = "two", arrival = "spawned", program = [{ sleep = "2ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |...EB|
            cpu 1 |E..D.|
            cpu 2 |D....|
            A     |     |
            B     |====#|
            C     |==   |
            D     |#==# |
            E     |#==# |
            F     | ==  |
            G     | ==  |
            A = main/X#0
            B = main/A#0
            C = second/two#0
            D = first/one#0
            E = first/one#1
            F = second/two#1
            G = second/two#2
            completed at 5ms
        "#]],
    );
}

/// What it does itself nobody gives up, however long that takes; what the pool does is given up.
#[test]
fn what_a_caller_does_itself_it_does_not_give_up() {
    let toml = r#"
        machine = { processors = 2 }
        process = [{ name = "p", executor = "threads",
            pools = { slow = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" } },
            task = [{ name = "A", count = 2, program = [
                { on = "slow", within = "1ms", do = [{ cpu = "4ms" }], else = ["end"] },
                { cpu = "1ms" },
            ] }] }]
        "#;
    expect![[r#"
        A#0 ended 1000us
        A#1 finished 5000us
        A.slow#0 finished 4000us
        A.slow#1 finished 4000us
    "#]]
    .assert_eq(&fates(toml));
}

/// The lock of its caller is not its own: it waits for that, and its caller for it.
#[test]
fn a_caller_with_a_lock_waits_for_itself() {
    check(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        process = [{ name = "p", executor = "threads",
            pools = { slow = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" } },
            task = [
                { name = "B", program = [{ on = "slow", do = [{ cpu = "9ms" }] }] },
                { name = "A", arrival = "1ms", program = [
                    { with = "m", do = [{ cpu = "1ms" }, { on = "slow", do = [{ with = "m", do = [{ cpu = "1ms" }] }] }] },
                ] },
            ] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |CCCCCCCCC|
            cpu 1 |.B.......|
            A     |=========|
            B     | #=======|
            C     |#########|
            D     |  =======|
            A = p/B#0
            B = p/A#0
            C = p.slow/B.slow#0
            D = p.slow/A.slow#0
            deadlock at 9ms
            deadlock in a cycle: p/A waits since 2 ms for the `A.slow` it spawned, p.slow/A.slow waits since 2 ms for lock `m`, held by p/A since 1 ms
        "#]],
    );
}

/// While a caller runs a task itself, that one is as urgent as whoever waits for a lock of the caller.
#[test]
fn urgency_reaches_who_is_run_by_its_caller() {
    check(
        r#"
        machine = { processors = 1 }
        scheduler = { policy = "priority" }
        lock = [{ name = "m", protocol = "inherit" }]
        process = [
            { name = "p", executor = "threads", task = [
                { name = "low", priority = 1, program = [{ with = "m", do = [{ spawn = "q/job" }, { spawn = "q/job" }] }] },
                { name = "middle", priority = 5, arrival = "2ms", program = [{ cpu = "5ms" }] },
                { name = "high", priority = 9, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            ] },
            { name = "q", executor = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" }, task = [
                { name = "job", priority = 1, arrival = "spawned", program = [{ cpu = "4ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |EEEECBBBBBDDDD|
            A     |====          |
            B     |  ---#####    |
            C     | ===#         |
            D     |----------####|
            E     |####          |
            A = p/low#0
            B = p/middle#0
            C = p/high#0
            D = q/job#0
            E = q/job#1
            completed at 14ms
        "#]],
    );
}

/// It may use another processor only, and takes the thread of its caller there and back.
#[test]
fn the_thread_goes_where_the_task_may_run() {
    check(
        r#"
        machine = { processors = 2 }
        process = [
            { name = "p", executor = "threads", task = [
                { name = "A", affinity = [0], program = [{ cpu = "1ms" }, { repeat = 2, do = [{ spawn = "q/job" }] }, { cpu = "1ms" }] },
            ] },
            { name = "q", executor = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" }, task = [
                { name = "job", affinity = [1], arrival = "spawned", program = [{ cpu = "2ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A....A|
            cpu 1 |.BBCC.|
            A     |#====#|
            B     | ##   |
            C     | --## |
            A = p/A#0
            B = q/job#0
            C = q/job#1
            completed at 6ms
        "#]],
    );
}

/// What comes by itself nobody could run: it waits outside.
#[test]
fn who_comes_by_itself_waits_outside() {
    let toml = r#"
        machine = { processors = 2 }
        executor = { kind = "pool", workers = 1, queue-limit = 0, when-full = "caller-runs" }
        task = [
            { name = "A", count = 2, program = [{ cpu = "1ms" }, { spawn = "child" }] },
            { name = "child", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#;
    expect![[r#"
        A#0 finished 2000us
        A#1 finished 4000us
        child#0 finished 2000us
        child#1 finished 4000us
    "#]]
    .assert_eq(&fates(toml));
}

/// It is the same as a pool that turns away, whose callers do the same otherwise: only who is said to have done it differs.
#[test]
fn it_is_as_if_callers_did_the_same_otherwise() {
    for (seed, executor) in (0..40).flat_map(|seed| {
        ["threads", "async", "{ kind = 'work-stealing', workers = 2 }"].map(|executor| (seed, executor))
    }) {
        let (long, short) = (1300 + 370 * (seed % 7), 410 + 130 * (seed % 5));
        let work = format!("{{ cpu = '{long}us' }}, {{ lock = 'm' }}, {{ cpu = '{short}us' }}, {{ unlock = 'm' }}");
        let file = |full: &str, otherwise: &str| {
            let executor = if executor.starts_with('{') { executor.to_owned() } else { format!("'{executor}'") };
            scenario(&format!(
                "seed = {seed}\nmachine = {{ processors = 3 }}\nscheduler = {{ policy = 'round-robin', quantum = '1ms' }}\nlock = [{{ name = 'm' }}]
                 process = [{{ name = 'p', executor = {executor},
                     pools = {{ few = {{ kind = 'pool', core = 1, maximum = 2, queue-limit = 1, when-full = '{full}' }} }},
                     task = [{{ name = 'A', count = 6, arrival = {{ gap = {{ exponential = '2ms' }} }}, program = [
                         {{ repeat = 4, do = [{{ cpu = '1ms' }}, {{ on = 'few', do = [{work}]{otherwise} }}] }},
                     ] }}] }}]"
            ))
        };
        let given_back = run(&file("caller-runs", ""));
        let turned_away = run(&file("reject", &format!(", else = [{work}]")));
        let ends = |timeline: &Timeline| {
            let own = |name: &str| name.starts_with("p/");
            let tasks = timeline.tasks.pairs().filter(|(task, _)| own(&timeline.task_name(*task)));
            tasks.map(|(_, life)| life.finish).collect::<Vec<_>>()
        };
        // A lock that is taken blocks a thread that has been given a pool's task, and lets a task of a loop go.
        let is_alike = executor == "threads" || !waits_for_locks(&turned_away.0);
        if is_alike {
            assert_eq!(ends(&given_back.0), ends(&turned_away.0), "{executor}, seed {seed}");
        }
    }
}

fn waits_for_locks(timeline: &Timeline) -> bool {
    timeline.blocks.iter().any(|block| matches!(block.cause, Cause::Sync(_)))
}
