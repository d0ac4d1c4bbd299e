//! Quotas of groups that meet other words.

use expect_test::expect;

use super::check;

#[test]
fn who_waits_for_a_lock_of_one_who_stands_still_gives_up_when_it_said() {
    // The holder runs from 0 to 4 and from 10 to 12 ms; who asked for its lock at 1 ms leaves at 6.
    check(
        r#"
        machine = { processors = 2 }
        group = [{ name = "web", quota = "4ms", period = "10ms" }]
        lock = [{ name = "m" }]
        process = [
            { name = "in", group = "web", task = [{ name = "holder", program = [{ with = "m", do = [{ cpu = "6ms" }] }] }] },
            { name = "out", task = [{ name = "waiter", arrival = "1ms", program = [
                { with = "m", within = "5ms", do = [{ cpu = "1ms" }], else = [{ cpu = "2ms" }] },
            ] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA..BB..AA|
            cpu 1 |............|
            A     |####::::::##|
            B     | =====##    |
            A = in/holder#0
            B = out/waiter#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 12ms
        "#]],
    );
}

#[test]
fn patience_counts_while_its_group_stands_still() {
    // B asks at 1 ms and has patience for 5 ms: it has given up at 6 ms, and does something else when it may run again.
    check(
        r#"
        machine = { processors = 2 }
        group = [{ name = "web", quota = "4ms", period = "10ms" }]
        lock = [{ name = "m" }]
        process = [
            { name = "out", task = [{ name = "holder", program = [{ with = "m", do = [{ cpu = "8ms" }] }] }] },
            { name = "in", group = "web", task = [
                { name = "B", program = [{ cpu = "1ms" }, { lock = "m", within = "5ms", else = [{ cpu = "2ms" }, "end"] }, { unlock = "m" }] },
                { name = "hog", arrival = "1ms", program = [{ cpu = "5ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAAA..CC|
            cpu 1 |BCCC......BB|
            A     |########    |
            B     |#=====::::##|
            C     | ###::::::##|
            A = out/holder#0
            B = in/B#0
            C = in/hog#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 12ms
        "#]],
    );
}

#[test]
fn an_event_loop_that_stands_still_sees_its_timers_afterwards() {
    // The loop has 3 ms of each 10. B's sleep begins at 2 ms and is over at 7; A is polled first when the loop goes on.
    check(
        r#"
        group = [{ name = "web", quota = "3ms", period = "10ms" }]
        executor = "async"
        task = [
            { name = "A", program = [{ cpu = "2ms" }, "yield", { cpu = "2ms" }] },
            { name = "B", program = [{ sleep = "5ms" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA.......AB|
            A     |###:::::::# |
            B     |--=====:::-#|
            A = main/A#0
            B = main/B#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 12ms
        "#]],
    );
}

#[test]
fn workers_of_a_pool_stand_still_with_the_tasks_they_have() {
    // C waits for a worker, and both workers stand still from 3 to 10 ms.
    check(
        r#"
        machine = { processors = 2 }
        group = [{ name = "web", quota = "6ms", period = "10ms" }]
        executor = { kind = "pool", workers = 2 }
        task = [{ name = "job", count = 3, program = [{ cpu = "4ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA.......ACCCC|
            cpu 1 |BBB.......B....|
            A     |###:::::::#    |
            B     |###:::::::#    |
            C     |---:::::::-####|
            A = main/job#0
            B = main/job#1
            C = main/job#2
            : = throttled: its group has no quota left, or its server no budget
            completed at 15ms
        "#]],
    );
}

#[test]
fn a_server_has_what_both_it_and_the_group_give() {
    // The server gives 4 of each 10 ms, and the group 3: what the server gives beyond that is not had.
    check(
        r#"
        until = "40ms"
        scheduler = { policy = "priority" }
        group = [{ name = "web", quota = "3ms", period = "10ms" }]
        server = [{ name = "S", kind = "deferrable", budget = "4ms", period = "10ms", priority = 9 }]
        process = [
            { name = "in", group = "web", task = [{ name = "served", server = "S", program = [{ cpu = "8ms" }] }] },
            { name = "out", task = [{ name = "other", priority = 1, program = [{ cpu = "20ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABBBBBBBAAABBBBBBBAABBBBBB|
            A     |###:::::::###:::::::##      |
            B     |---#######---#######--######|
            A = in/served#0
            B = out/other#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 28ms
        "#]],
    );
}

#[test]
fn the_interpreter_lock_stands_still_with_its_holder() {
    // Processors take pieces of 2 ms. B has 1 ms of its piece left when A stands still, from 4 ms on, with the lock: so it waits, too.
    check(
        r#"
        machine = { processors = 2 }
        group = [{ name = "web", quota = "5ms", period = "10ms", slice = "2ms" }]
        executor = { kind = "threads", gil = "20ms" }
        task = [
            { name = "A", arrival = "1ms", affinity = [0], program = [{ cpu = "5ms" }] },
            { name = "B", affinity = [1], program = [{ cpu = "1ms" }, { sleep = "2ms" }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |.AAA......AA.|
            cpu 1 |B...........B|
            A     | ###::::::## |
            B     |#==---------#|
            A = main/A#0
            B = main/B#0
            : = throttled: its group has no quota left, or its server no budget
            completed at 13ms
        "#]],
    );
}
