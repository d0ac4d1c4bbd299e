//! Who overtakes whom, and who only does what a policy or a protocol is for: both sides of each accusation.

use expect_test::expect;

use super::{check, told};

/// Requests that all come at once, and are served in the order of their numbers.
const IN_ORDER: &str = r#"
    machine = { processors = 2 }
    device = [{ name = "db", channels = "unlimited" }]
    task = [
        { name = "req", count = 100, program = [{ cpu = "1ms" }, { io = "db", for = "10ms" }, { cpu = "1ms" }] },
    ]
"#;

#[test]
fn who_has_a_worker_and_comes_back_from_a_device_overtakes_nobody() {
    // Workers with queues of their own (work stealing, goroutines) do pass tasks over: there, later ones go first.
    for executor in [
        r#"{ kind = "pool", workers = 4 }"#,
        r#""sequential""#,
        r#""async""#,
        r#""threads""#,
        r#"{ kind = "threads", gil = "5ms" }"#,
    ] {
        for processors in ["1", "2"] {
            let sets = [("executor", executor), ("machine.processors", processors)];
            assert_eq!(told(IN_ORDER, &sets, true), "completed\n", "{executor} on {processors}");
            assert_eq!(told(IN_ORDER, &sets, false), "completed\n", "{executor} on {processors}");
        }
    }
}

#[test]
fn who_waits_for_its_own_runtime_is_overtaken_by_nobody_of_another() {
    // The threads of the second process come and go while the tasks of the first wait for each other.
    let toml = r#"
        until = "400ms"
        machine = { processors = 2 }
        process = [
            { name = "loop", executor = "EXECUTOR", task = [{ name = "long", count = 20, program = [{ cpu = "20ms" }] }] },
            { name = "web", task = [
                { name = "page", count = 100, arrival = { every = "4ms" }, program = [{ cpu = "3ms" }] },
            ] },
        ]
    "#;
    for executor in ["async", "sequential", "goroutines"] {
        let toml = toml.replace("EXECUTOR", executor);
        for record in [true, false] {
            assert_eq!(told(&toml, &[("scheduler.policy", "fifo")], record), "completed\n", "{executor}");
        }
    }
}

#[test]
fn who_runs_where_one_may_not_run_overtakes_nobody() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "first", affinity = [0], program = [{ cpu = "100ms" }] },
            { name = "pinned", affinity = [0], program = [{ cpu = "1ms" }] },
            { name = "free", count = 30, affinity = [1], arrival = { every = "3ms" }, program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[r#"
            completed
        "#]],
    );
}

#[test]
fn a_task_that_its_pool_passes_over() {
    // The same queue in order of length starves the long one, whoever holds the worker.
    let toml = r#"
        executor = { kind = "pool", workers = 1, policy = "sjf" }
        task = [
            { name = "short", count = 50, arrival = { every = "2ms" }, program = [{ cpu = "2ms" }] },
            { name = "long", program = [{ cpu = "20ms" }] },
        ]
    "#;
    check(
        toml,
        expect![[r#"
            completed
            starvation 100000000ns: starvation: long waited 100 ms for a worker of main, from 0 ns to 100 ms, while short (49 instances) came later and had one 49 times
        "#]],
    );
    let fifo = [("executor", r#"{ kind = "pool", workers = 1 }"#)];
    assert_eq!(told(toml, &fifo, true), "completed\n");
}

#[test]
fn a_pool_whose_threads_starve() {
    check(
        r#"
        until = "1s"
        scheduler = { policy = "priority" }
        process = [
            { name = "batch", executor = { kind = "pool", workers = 2 }, task = [
                { name = "job", count = 5, priority = 1, program = [{ cpu = "20ms" }] },
            ] },
            { name = "web", task = [
                { name = "page", count = 300, priority = 5, arrival = { every = "4ms" }, program = [{ cpu = "4ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            horizon
            starvation 1000000000ns: starvation: strict priority kept batch/job (5 instances), of priority 1, from running for up to 1 s, to the end of the run, while web/page (249 instances), of priority 5, ran
        "#]],
    );
}

#[test]
fn strict_priority_is_one_sentence() {
    // Four levels under one that takes everything: at the processor, at a device and at a lock.
    let levels = |program: &str, hog: &str| {
        let of = |level: u32| {
            format!("{{ name = \"p{level}\", priority = {level}, arrival = \"1ms\", program = [{program}] }}")
        };
        let levels: Vec<String> = (0..4).map(of).collect();
        format!(
            r#"
            until = "1s"
            machine = {{ processors = 1 }}
            scheduler = {{ policy = "priority" }}
            device = [{{ name = "d", discipline = "priority" }}]
            lock = [{{ name = "m" }}]
            task = [
                {{ name = "hog", priority = 9, count = 400, arrival = {{ every = "4ms" }}, program = [{hog}] }},
                {}
            ]
            "#,
            levels.join(", ")
        )
    };
    check(
        &levels(r#"{ cpu = "1ms" }"#, r#"{ cpu = "4ms" }"#),
        expect![[r#"
            horizon
            starvation 999000000ns: starvation: strict priority kept p0, p1 and 2 others, 4 tasks of priority 0 to 3, from running for up to 999 ms, to the end of the run, while hog (249 instances), of priority 9, ran
        "#]],
    );
    check(
        &levels(r#"{ io = "d", for = "1ms" }"#, r#"{ io = "d", for = "5ms" }"#),
        expect![[r#"
            horizon
            starvation 999000000ns: starvation: strict priority kept p0, p1 and 2 others, 4 tasks of priority 0 to 3, from device d for up to 999 ms, to the end of the run, while hog (199 instances), of priority 9, came first
        "#]],
    );
    check(
        &levels(r#"{ with = "m", do = [{ cpu = "1ms" }] }"#, r#"{ with = "m", do = [{ sleep = "5ms" }] }"#),
        expect![[r#"
            horizon
            starvation 999000000ns: starvation: strict priority kept p0, p1 and 2 others, 4 tasks of priority 0 to 3, from lock m for up to 999 ms, to the end of the run, while hog (199 instances), of priority 9, had it
        "#]],
    );
}

/// A published exercise: T4 and T5 hold what T1 and T2 want.
const FIVE_TASKS: &str = r#"
    scheduler = { policy = "priority" }
    lock = [{ name = "R1", protocol = "inherit" }, { name = "R2", protocol = "inherit" }]
    task = [
        { name = "T1", priority = 5, arrival = "7ms", program = [
            { cpu = "1ms" }, { with = "R1", do = [{ cpu = "1ms" }] }, { cpu = "1ms" },
        ] },
        { name = "T2", priority = 4, arrival = "5ms", program = [
            { cpu = "1ms" }, { with = "R2", do = [{ cpu = "1ms" }] }, { cpu = "1ms" },
        ] },
        { name = "T3", priority = 3, arrival = "4ms", program = [{ cpu = "2ms" }] },
        { name = "T4", priority = 2, arrival = "2ms", program = [
            { cpu = "1ms" },
            { with = "R1", do = [{ cpu = "1.5ms" }, { with = "R2", do = [{ cpu = "1.5ms" }] }, { cpu = "1ms" }] },
            { cpu = "1ms" },
        ] },
        { name = "T5", priority = 1, program = [{ cpu = "1ms" }, { with = "R2", do = [{ cpu = "4ms" }] }, { cpu = "1ms" }] },
    ]
"#;

#[test]
fn who_runs_with_lent_urgency_inverts_nothing() {
    for protocol in ["inherit", "ceiling"] {
        let sets = [("lock.R1.protocol", protocol), ("lock.R2.protocol", protocol)];
        assert_eq!(told(FIVE_TASKS, &sets, true), "completed\n", "{protocol}");
    }
    // Without the protocol the same runs are what the finding is for.
    let sets = [("lock.R1.protocol", "none"), ("lock.R2.protocol", "none")];
    expect![[r#"
        completed
        priority-inversion 1500000ns: priority inversion: T2 waited for lock R2, which T5 was to give back; T3 and T4, less urgent than T2, ran instead of T5, for 1.5 ms in total
        priority-inversion 1000000ns: priority inversion: T1 waited for lock R1, which T4 was to give back; T2, less urgent than T1, ran instead of T4, for 1 ms in total
    "#]].assert_eq(&told(FIVE_TASKS, &sets, true));
}

#[test]
fn a_lock_of_no_protocol_beside_one_that_lends() {
    // `mid` is lent nothing by its own lock, which nobody wants: it inverts.
    check(
        r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }, { name = "own", protocol = "inherit" }]
        task = [
            { name = "low", priority = 1, program = [{ with = "m", do = [{ cpu = "4ms" }] }] },
            { name = "mid", priority = 2, arrival = "2ms", program = [{ with = "own", do = [{ cpu = "5ms" }] }] },
            { name = "high", priority = 3, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            completed
            priority-inversion 5000000ns: priority inversion: high waited for lock m, which low was to give back; mid, less urgent than high, ran instead of low, for 5 ms in total
        "#]],
    );
}

#[test]
fn permits_of_one_request_make_no_convoy() {
    check(
        r#"
        semaphore = [{ name = "nodes", permits = 12 }]
        task = [
            { name = "small", program = [{ acquire = "nodes" }, { sleep = "10s" }, { release = "nodes" }] },
            { name = "whole", arrival = "1s", program = [
                { acquire = "nodes", count = 12 }, { sleep = "5s" }, { release = "nodes", count = 12 },
            ] },
            { name = "later", count = 2, arrival = "2s", program = [
                { acquire = "nodes" }, { sleep = "1s" }, { release = "nodes" },
            ] },
        ]
        "#,
        expect![[r#"
            completed
        "#]],
    );
}

#[test]
fn readers_who_are_let_in_together_are_one_hand_over() {
    // Twelve readers come back after every writer: a crowd each time, but the lock changes hands four times.
    let toml = r#"
        machine = { processors = 16 }
        rwlock = [{ name = "t" }]
        task = [
            { name = "r", count = 12, program = [{ repeat = 3, do = [{ read = "t", do = [{ cpu = "1ms" }] }] }] },
            { name = "w", program = [{ repeat = 4, do = [{ write = "t", do = [{ cpu = "2ms" }] }] }] },
        ]
    "#;
    check(
        toml,
        expect![[r#"
        completed
    "#]],
    );
    // The same through a mutex is a convoy.
    let mutex = toml.replace("rwlock", "lock").replace("read =", "with =").replace("write =", "with =");
    check(
        &mutex,
        expect![[r#"
            completed
            lock-convoy 39000000ns: lock convoy: for 39 ms at least two tasks were always waiting for lock t; r (12 instances) and w took it 37 times meanwhile, each for 1.054 ms on average
        "#]],
    );
}

#[test]
fn who_ran_where_the_holder_may_not_run_did_not_run_instead_of_it() {
    // X, more urgent than all, keeps L from the only processor that L may use; M has the other.
    let toml = r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }]
        task = [
            { name = "L", priority = 1, affinity = [0], program = [{ with = "m", do = [{ cpu = "4ms" }] }] },
            { name = "H", priority = 3, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "X", priority = 5, arrival = "2ms", affinity = [0], program = [{ cpu = "10ms" }] },
            { name = "M", priority = 2, arrival = "2ms", affinity = [1], program = [{ cpu = "8ms" }] },
        ]
    "#;
    assert_eq!(told(toml, &[], true), "completed\n");
}

/// L holds the lock for which H waits, and X, more urgent than all, has its processor. M is on the other one, in a queue
/// of its own: by the order of arrivals, L, H and X are in the first.
const TWO_QUEUES: &str = r#"
    machine = { processors = 2 }
    scheduler = { policy = "priority", queues = "per-processor", placement = "round-robin", balance = "none" }
    lock = [{ name = "m" }]
    task = [
        { name = "L", priority = 1, program = [{ with = "m", do = [{ cpu = "4ms" }] }] },
        { name = "M", priority = 2, program = [{ cpu = "20ms" }] },
        { name = "H", priority = 3, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        { name = "other", priority = 4, arrival = "1ms", program = [{ sleep = "1ms" }] },
        { name = "X", priority = 5, arrival = "2ms", program = [{ cpu = "10ms" }] },
    ]
"#;

#[test]
fn who_ran_out_of_another_queue_did_not_run_instead_of_the_holder() {
    for balance in [r#""none""#, r#""steal""#, r#"{ every = "5ms" }"#] {
        assert_eq!(told(TWO_QUEUES, &[("scheduler.balance", balance)], true), "completed\n", "{balance}");
    }
    // In one queue it does, and so does who is in the queue of the holder.
    let words = |who: &str| {
        format!(
            "completed\npriority-inversion 10000000ns: priority inversion: H waited for lock m, which L was to give back; \
             {who}, less urgent than H, ran instead of L, for 10 ms in total\n"
        )
    };
    let shared = TWO_QUEUES.replace(r#", queues = "per-processor", placement = "round-robin", balance = "none""#, "");
    assert_eq!(told(&shared, &[], true), words("M"));
    assert_eq!(told(TWO_QUEUES, &[("task.X.priority", "2")], true), words("X"));
}

#[test]
fn who_is_taken_out_of_the_queue_of_the_holder_runs_instead_of_it() {
    // From 1 ms to 2 ms M has the processor of L. At 4 ms the other one is idle and takes M, the more urgent, from the queue
    // in which both wait, for 8 ms.
    let toml = r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", placement = "first" }
        lock = [{ name = "m" }]
        task = [
            { name = "L", priority = 1, program = [{ with = "m", do = [{ cpu = "4ms" }] }] },
            { name = "busy", affinity = [1], program = [{ cpu = "4ms" }] },
            { name = "H", priority = 3, arrival = "1ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
            { name = "M", priority = 2, arrival = "1ms", program = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "8ms" }] },
            { name = "X", priority = 5, arrival = "2ms", program = [{ cpu = "10ms" }] },
        ]
    "#;
    let words = "priority inversion: H waited for lock m, which L was to give back; M, less urgent than H, ran instead of L, \
                 for 9 ms in total";
    assert_eq!(told(toml, &[], true), format!("completed\npriority-inversion 9000000ns: {words}\n"));
}

#[test]
fn who_was_turned_away_or_gave_up_is_overtaken_by_nobody() {
    let toml = r#"
        device = [{ name = "desk", queue = 0 }]
        task = [
            { name = "customer", count = 40, arrival = { every = "3ms" }, program = [{ io = "desk", for = "5ms" }] },
        ]
    "#;
    assert_eq!(told(toml, &[], true), "completed\n");
    assert_eq!(told(toml, &[("device.desk.queue", "9"), ("device.desk.patience", "\"6ms\"")], true), "completed\n");
    // Who waits to the end is.
    let last = told(toml, &[("device.desk.queue", "9"), ("device.desk.discipline", "\"lifo\"")], true);
    assert!(last.contains("waited") && last.contains("for device desk"), "{last}");
}

#[test]
fn who_stands_still_for_a_quota_waits_for_nobody() {
    // The pod has used its quota up at 375 ms: everybody in it stands still until 1 s, whoever ran before.
    let toml = r#"
        machine = { processors = 4 }
        scheduler = { policy = "eevdf" }
        group = [{ name = "pod", quota = "1500ms", period = "1s" }, { name = "side", parent = "pod", weight = 10 }]
        [[process]]
        name = "sidecar"
        group = "side"
        [[process.task]]
        name = "s"
        program = [{ cpu = "100ms" }]
        [[process]]
        name = "main"
        group = "pod"
        executor = { kind = "pool", workers = 8 }
        [[process.task]]
        name = "m"
        count = 8
        program = [{ cpu = "300ms" }]
    "#;
    assert_eq!(told(toml, &[], true), "completed\n");
}

#[test]
fn who_runs_out_of_another_queue_overtakes_nobody() {
    let toml = r#"
        machine = { processors = 2 }
        scheduler = { policy = "fifo", queues = "per-processor", placement = "round-robin", balance = "none" }
        task = [
            { name = "long", program = [{ cpu = "1ms" }, "yield", { cpu = "100ms" }] },
            { name = "short", count = 1, program = [{ repeat = 40, do = [{ cpu = "1ms" }, { sleep = "1ms" }] }] },
            { name = "waits", program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] },
        ]
    "#;
    assert_eq!(told(toml, &[], true), "completed\n");
}

#[test]
fn a_worker_that_never_gets_a_processor_is_passed_over_in_no_queue() {
    // Each of two workers takes a task before it has the only processor, which the first never leaves. Whether it goes on
    // with the task that yielded or with another one, those who came later did not get a worker before `t#1`.
    for count in ["2", "3", "4"] {
        let toml = r#"
            until = "100ms"
            process = [{ name = "p", executor = { kind = "work-stealing", workers = 2, queue = "shared" }, task = [
                { name = "t", affinity = [0], program = [{ repeat = "forever", do = [{ cpu = "1ms" }, "yield"] }] },
            ] }]
        "#;
        assert_eq!(told(toml, &[("process.p.task.t.count", count)], true), "horizon\n", "{count} tasks");
    }
}

const IN_A_RUNTIME: &str = r#"
    machine = { processors = 4 }
    scheduler = { policy = "priority" }
    lock = [{ name = "m" }]
    process = [
        { name = "py", executor = EXECUTOR, task = [
            { name = "holder", priority = 2, program = [
                { lock = "m" }, { cpu = "1ms" }, { sleep = "1ms" }, { cpu = "5ms" }, { unlock = "m" },
            ] },
            { name = "top", priority = TOP, arrival = "1ms", program = [{ cpu = "20ms" }] },
        ] },
        { name = "other", task = [
            { name = "waiter", priority = 5, arrival = "1ms", program = [{ with = "m", do = [] }, { cpu = "1ms" }] },
            { name = "low", priority = 1, program = [{ cpu = "40ms" }] },
        ] },
    ]
"#;

#[test]
fn a_holder_that_waits_in_its_process_is_held_up_by_who_has_what_it_waits_for() {
    for executor in [r#"{ kind = "threads", gil = "100ms" }"#, "\"async\"", r#"{ kind = "pool", workers = 1 }"#] {
        let toml = |top: &str| IN_A_RUNTIME.replace("EXECUTOR", executor).replace("TOP", top);
        // Processors are idle: `low` takes nobody's place.
        assert_eq!(told(&toml("9"), &[], true), "completed\n", "{executor}");
        if executor.contains("pool") {
            // It keeps its worker.
            continue;
        }
        let words = "priority-inversion 19000000ns: priority inversion: other/waiter waited for lock m, which py/holder was \
                     to give back; py/top, less urgent than other/waiter, ran instead of py/holder, for 19 ms in total";
        assert_eq!(told(&toml("1"), &[], true), format!("completed\n{words}\n"), "{executor}");
    }
}

#[test]
fn who_has_the_interpreter_lock_can_be_kept_from_running_too() {
    let toml = r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "m" }]
        process = [
            { name = "py", executor = { kind = "threads", gil = "100ms" }, task = [
                { name = "a", priority = 2, program = [
                    { lock = "m" }, { cpu = "1ms" }, { sleep = "1ms" }, { cpu = "2ms" }, { unlock = "m" },
                ] },
                { name = "b", priority = 1, program = [{ cpu = "5ms" }] },
            ] },
            { name = "other", task = [
                { name = "waiter", priority = 5, arrival = "2ms", program = [{ with = "m", do = [] }] },
                { name = "mid", priority = 3, arrival = "2ms", program = [{ cpu = "10ms" }] },
            ] },
        ]
    "#;
    check(
        toml,
        expect![[r#"
        completed
        priority-inversion 10000000ns: priority inversion: other/waiter waited for lock m, held by py/a, which waited for the interpreter lock, held by py/b; other/mid, less urgent than other/waiter, ran instead of py/b, for 10 ms in total
        priority-inversion 4000000ns: priority inversion: other/waiter waited for lock m, which py/a was to give back; py/b, less urgent than other/waiter, ran instead of py/a, for 4 ms in total
    "#]],
    );
}

#[test]
fn who_waits_for_a_holder_that_waits_names_the_chain() {
    let toml = r#"
        scheduler = { policy = "priority" }
        lock = [{ name = "A" }, { name = "B" }]
        task = [
            { name = "L", priority = 1, program = [{ with = "A", do = [{ cpu = "4ms" }] }] },
            { name = "M", priority = 2, arrival = "1ms", program = [
                { with = "B", do = [{ with = "A", do = [{ cpu = "1ms" }] }] },
            ] },
            { name = "X", priority = 3, arrival = "2ms", program = [{ cpu = "5ms" }] },
            { name = "H", priority = 4, arrival = "1500us", program = [{ with = "B", do = [{ cpu = "1ms" }] }] },
        ]
    "#;
    let words = "priority-inversion 5000000ns: priority inversion: H waited for lock B, held by M, which waited for lock A, \
                 held by L; X, less urgent than H, ran instead of L, for 5 ms in total";
    let told = told(toml, &[], true);
    assert!(told.contains(words), "{told}");
}
