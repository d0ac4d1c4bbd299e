//! Operations: yield, sleep, spawn, join, repeat, choose, and starting after others.

use expect_test::expect;

use super::check;

#[test]
fn yielding_goes_to_the_tail() {
    check(
        r#"
        task = [
            { name = "A", program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBA|
            A     |#--#|
            B     |-## |
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn yielding_alone_changes_nothing() {
    check(
        r#"
        machine = { context-switch = "1ms" }
        task = [{ name = "A", program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |~AA|
            A     |~##|
            A = main/A#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn yielding_under_an_interpreter_lock_hands_it_over() {
    check(
        r#"
        executor = { kind = "threads", gil = "9ms" }
        task = [
            { name = "A", program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBA|
            A     |#--#|
            B     |-## |
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn sleeping_leaves_the_processor_to_others() {
    check(
        r#"
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { sleep = "2ms" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "5ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBBBA|
            A     |#==---#|
            B     |-##### |
            A = main/A#0
            B = main/B#0
            completed at 7ms
        "#]],
    );
}

#[test]
fn the_spawned_queue_behind_those_who_are_ready() {
    // A goes on after it has spawned: that takes no time.
    check(
        r#"
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "C" }, { spawn = "D" }, { cpu = "2ms" }, { join = "C" }, { join = "D" }, { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "2ms" }] },
            { name = "D", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABCCDA|
            A     |###===-#|
            B     |---#    |
            C     | ---##  |
            D     | -----# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn joining_waits_for_the_last_of_those_it_spawned() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ repeat = 3, do = [{ spawn = "C" }] }, { join = "C" }, { cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBDDA|
            cpu 1 |CC...|
            A     |====#|
            B     |##   |
            C     |##   |
            D     |--## |
            A = main/A#0
            B = main/C#0
            C = main/C#1
            D = main/C#2
            completed at 5ms
        "#]],
    );
}

#[test]
fn joining_those_who_have_ended_does_not_wait() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", program = [{ spawn = "C" }, { cpu = "3ms" }, { join = "C" }, { cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA|
            cpu 1 |B...|
            A     |####|
            B     |#   |
            A = main/A#0
            B = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_loop_that_spawns_puts_the_new_task_behind_the_others() {
    check(
        r#"
        executor = "async"
        task = [
            { name = "A", program = [{ cpu = "1ms" }, { spawn = "C" }, "yield", { cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", arrival = "spawned", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCA|
            A     |#--#|
            B     |-#  |
            C     | -# |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn starting_after_others_means_after_all_their_instances() {
    check(
        r#"
        machine = { processors = 2 }
        task = [
            { name = "A", count = 3, program = [{ cpu = "2ms" }] },
            { name = "B", arrival = "1ms", after = ["A"], program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AACCD|
            cpu 1 |BB...|
            A     |##   |
            B     |##   |
            C     |--## |
            D     | ===#|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            D = main/B#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn who_starts_after_others_must_have_arrived_too() {
    check(
        r#"
        task = [
            { name = "A", program = [{ cpu = "1ms" }] },
            { name = "B", arrival = "3ms", after = ["A"], program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..B|
            A     |#   |
            B     |   #|
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn those_released_at_the_end_of_a_burst_come_before_arrivals() {
    // A ends at 2 ms and releases B, at the instant at which C arrives.
    check(
        r#"
        task = [
            { name = "C", arrival = "2ms", program = [{ cpu = "1ms" }] },
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", after = ["A"], program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBCA|
            A     |  -#|
            B     |##  |
            C     |==# |
            A = main/C#0
            B = main/A#0
            C = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn repeating_runs_the_body_so_often() {
    check(
        r#"
        task = [
            { name = "A", program = [{ repeat = 2, do = [{ cpu = "1ms" }, { repeat = 2, do = [{ sleep = "1ms" }] }] }, { repeat = 0, do = [{ cpu = "9ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..A..|
            A     |#==#==|
            A = main/A#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn rounds_of_pure_work_are_one_stretch() {
    check(
        r#"
        task = [{ name = "A", program = [{ repeat = 3, do = [{ cpu = "1ms" }] }] }]
        "#,
        expect![[r#"
            1 column = 3ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            completed at 3ms
        "#]],
    );
}

#[test]
fn choosing_takes_one_branch_by_weight() {
    check(
        r#"
        task = [
            { name = "A", program = [{ choose = [[1, [{ cpu = "2ms" }]], [0, [{ cpu = "9ms" }]]] }, { cpu = "1ms" }] },
            { name = "B", program = [{ choose = [[0, [{ cpu = "9ms" }]], [1, []]] }, { cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAB|
            A     |### |
            B     |---#|
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}
