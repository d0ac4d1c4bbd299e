//! What switching, starting and moving cost.

use expect_test::expect;

use super::check;

#[test]
fn a_context_switch_is_paid_for_another_thread_only() {
    // A returns from its request to a processor that has run nobody else: that is free.
    check(
        r#"
        machine = { context-switch = "1ms" }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "2ms" }, { io = "disk", for = "2ms" }, { cpu = "1ms" }] },
            { name = "B", arrival = "6ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA..A~B|
            A     |~##==#  |
            B     |      ~#|
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn the_first_switch_of_a_processor_may_be_free() {
    check(
        r#"
        machine = { processors = 2, context-switch = "1ms", charge-first-switch = false }
        task = [{ name = "A", count = 3, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA~CC|
            cpu 1 |BB...|
            A     |##   |
            B     |##   |
            C     |--~##|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 5ms
        "#]],
    );
}

#[test]
fn another_process_costs_a_process_switch_instead() {
    // The second thread of p costs 1 ms; the threads of q and r 3 ms each.
    check(
        r#"
        machine = { context-switch = "1ms", process-switch = "3ms" }
        process = [
            { name = "p", task = [{ name = "A", count = 2, program = [{ cpu = "2ms" }] }] },
            { name = "q", task = [{ name = "B", arrival = "1ms", program = [{ cpu = "2ms" }] }] },
            { name = "r", task = [{ name = "C", arrival = "2ms", program = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA~BB~~~CC~~~DD|
            A     |~##             |
            B     |---~##          |
            C     | -----~~~##     |
            D     |  ---------~~~##|
            A = p/A#0
            B = p/A#1
            C = q/B#0
            D = r/C#0
            completed at 16ms
        "#]],
    );
}

#[test]
fn a_process_switch_costs_as_much_as_a_context_switch_unless_it_is_given() {
    check(
        r#"
        machine = { context-switch = "1ms" }
        process = [
            { name = "p", task = [{ name = "A", program = [{ cpu = "2ms" }] }] },
            { name = "q", task = [{ name = "B", program = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA~BB|
            A     |~##   |
            B     |---~##|
            A = p/A#0
            B = q/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn migration_is_paid_on_top_when_resuming_elsewhere() {
    // At 3 ms processor 1 is idle and A resumes there.
    check(
        r#"
        machine = { processors = 2, context-switch = "1ms", migration = "2ms" }
        device = [{ name = "disk" }]
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "1ms" }, { cpu = "2ms" }] },
            { name = "B", affinity = [0], program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~A~BBBB.|
            cpu 1 |...~~~AA|
            A     |~#=~~~##|
            B     |--~#### |
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn threads_are_created_when_they_first_run() {
    // The creation (2 ms) and the switch (1 ms) are paid together, before the first run.
    check(
        r#"
        machine = { context-switch = "1ms", thread-start = "2ms" }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~AA~~~BB~A~B|
            A     |~~~##-----~#  |
            B     |-----~~~##--~#|
            A = main/A#0
            B = main/A#1
            completed at 14ms
        "#]],
    );
}

#[test]
fn the_workers_of_a_pool_are_created_once() {
    check(
        r#"
        machine = { context-switch = "1ms", thread-start = "2ms", task-switch = "3ms" }
        executor = { kind = "pool", workers = 1 }
        task = [{ name = "A", count = 2, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~AA~~~BB|
            A     |~~~##     |
            B     |-----~~~##|
            A = main/A#0
            B = main/A#1
            completed at 10ms
        "#]],
    );
}

#[test]
fn a_process_for_each_task_costs_its_start_and_process_switches() {
    check(
        r#"
        machine = { context-switch = "1ms", process-switch = "2ms", thread-start = "7ms", process-start = "3ms" }
        executor = "processes"
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [{ name = "A", count = 2, program = [{ cpu = "3ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~~AA~~~~~BB~~A~~B|
            A     |~~~~##-------~~#   |
            B     |------~~~~~##---~~#|
            A = main/A#0
            B = main/A#1
            completed at 19ms
        "#]],
    );
}

#[test]
fn an_event_loop_pays_task_switches_and_no_thread_start() {
    // The loop's own thread is switched to once; A and B alternate at the cost of a task switch.
    check(
        r#"
        machine = { context-switch = "2ms", thread-start = "7ms", task-switch = "1ms" }
        executor = { kind = "async", yield = "tail" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }, "yield", { cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "2ms" }, "yield", { cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~AA~BB~AA~BB|
            A     |~~##---~##   |
            B     |----~##---~##|
            A = main/A#0
            B = main/B#0
            completed at 13ms
        "#]],
    );
}

#[test]
fn a_task_that_follows_itself_on_a_loop_costs_nothing() {
    check(
        r#"
        machine = { context-switch = "2ms", task-switch = "1ms" }
        executor = "async"
        task = [{ name = "A", program = [{ cpu = "2ms" }, "yield", { cpu = "1ms" }, { sleep = "2ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~AAA..A|
            A     |~~###==#|
            A = main/A#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_switch_that_is_cut_short_counts_as_far_as_it_came() {
    // B arrives at 1 ms, in the middle of the switch to A, and is more urgent.
    check(
        r#"
        machine = { context-switch = "2ms" }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~B~~AA|
            A     |~---~~##|
            B     | ~~#    |
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn a_thread_put_off_while_it_is_created_owes_the_rest() {
    check(
        r#"
        machine = { thread-start = "3ms" }
        scheduler = { policy = "priority" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~~B~~AA|
            A     |~----~~##|
            B     | ~~~#    |
            A = main/A#0
            B = main/B#0
            completed at 9ms
        "#]],
    );
}

#[test]
fn a_runtime_pays_for_each_poll_and_for_another_task_besides() {
    // Each is polled when it comes and when it has yielded, and each time it follows the other.
    check(
        r#"
        machine = { poll = "1ms", task-switch = "2ms" }
        executor = "async"
        task = [
            { name = "A", program = [{ cpu = "2ms" }, "yield", { cpu = "1ms" }] },
            { name = "B", arrival = "1ms", program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA~~~B~~~A~~~B|
            A     |~##----~~~#    |
            B     | --~~~#----~~~#|
            A = main/A#0
            B = main/B#0
            completed at 15ms
        "#]],
    );
    // A alone is polled when it comes, when it has yielded, and when it has slept.
    check(
        r#"
        machine = { poll = "1ms", context-switch = "1ms" }
        executor = "async"
        task = [{ name = "A", program = [{ cpu = "2ms" }, "yield", { cpu = "1ms" }, { sleep = "2ms" }, { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~AA~A..~A|
            A     |~~##~#==~#|
            A = main/A#0
            completed at 10ms
        "#]],
    );
}

#[test]
fn a_loop_by_rounds_pays_for_each_look_and_for_each_task_that_it_wakes() {
    // A look, the callbacks of both that have come, another look, and A's poll: 1 + 2 x 2 + 1 + 1. When B has slept: 1 + 2 + 1 + 1.
    check(
        r#"
        executor = { kind = "async", rules = "cpython-3.13" }
        machine = { look = "1ms", callback = "2ms", poll = "1ms" }
        task = [
            { name = "A", program = ["yield", { cpu = "1ms" }] },
            { name = "B", program = ["yield", { cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~~~~~~~~A~B.~~~~~B|
            A     |~~~~~~~-~~#         |
            B     |-------~---~#=~~~~~#|
            A = main/A#0
            B = main/B#0
            completed at 20ms
        "#]],
    );
}

#[test]
fn a_worker_pays_for_what_it_takes_from_its_pool() {
    // Each task alone, or two at once.
    for (chunk, expected) in [
        (
            "1",
            expect![[r#"
        1 column = 1ms
        cpu 0 |~A~B~C~D|
        A     |~#      |
        B     |--~#    |
        C     |----~#  |
        D     |------~#|
        A = main/A#0
        B = main/A#1
        C = main/A#2
        D = main/A#3
        completed at 8ms
    "#]],
        ),
        (
            "2",
            expect![[r#"
        1 column = 1ms
        cpu 0 |~AB~CD|
        A     |~#    |
        B     |--#   |
        C     |---~# |
        D     |-----#|
        A = main/A#0
        B = main/A#1
        C = main/A#2
        D = main/A#3
        completed at 6ms
    "#]],
        ),
    ] {
        let toml = format!(
            "executor = {{ kind = \"pool\", workers = 1, next = \"at-once\", chunk = {chunk} }}\nmachine = {{ take = \"1ms\" }}\n\
             task = [{{ name = \"A\", count = 4, program = [{{ cpu = \"1ms\" }}] }}]"
        );
        check(&toml, expected);
    }
}

#[test]
fn processes_of_python_are_started_one_after_the_other() {
    // `start()` takes the parent 1 ms, and the child needs 2 ms until its first line.
    check(
        r#"
        machine = { processors = 2, spawn = { parent = "1ms", child = "2ms" } }
        [[process]]
        name = "p"
        runtime = "cpython"
        executor = { kind = "processes", start = "spawn" }
        task = [{ name = "A", count = 3, program = [{ cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~~~~~B.|
            cpu 1 |.~~A~~C|
            A     |~~~#   |
            B     |-~-~~# |
            C     |--~-~~#|
            A = p/A#0
            B = p/A#1
            C = p/A#2
            completed at 7ms
        "#]],
    );
}

#[test]
fn workers_that_are_processes_have_address_spaces_of_their_own() {
    check(
        r#"
        machine = { context-switch = "1ms", process-switch = "2ms" }
        [[process]]
        name = "p"
        runtime = "cpython"
        executor = { kind = "pool", workers = 2, of = "processes" }
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~A~~B|
            A     |~#   |
            B     |--~~#|
            A = p/A#0
            B = p/A#1
            completed at 5ms
        "#]],
    );
}
