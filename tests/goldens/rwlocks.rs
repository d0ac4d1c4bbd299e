//! Rwlocks: readers together, writers alone, and who goes first.

use expect_test::expect;

use super::check;

#[test]
fn first_come_first_served() {
    // C came behind B, which waits, and so waits too, although readers could join.
    check(
        r#"
        machine = { processors = 4 }
        rwlock = [{ name = "rw" }]
        task = [
            { name = "A", program = [{ read = "rw", do = [{ cpu = "3ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ write = "rw", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "2ms", program = [{ read = "rw", do = [{ cpu = "3ms" }] }] },
            { name = "D", arrival = "4ms", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABBCCCD|
            cpu 1 |.........|
            cpu 2 |.........|
            cpu 3 |.........|
            A     |###      |
            B     | ==##    |
            C     |  ===### |
            D     |    ====#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 9ms
        "#]],
    );
}

#[test]
fn readers_first() {
    // C joins A; B and D wait until no reader is left.
    check(
        r#"
        machine = { processors = 4 }
        rwlock = [{ name = "rw", prefer = "readers" }]
        task = [
            { name = "A", program = [{ read = "rw", do = [{ cpu = "3ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ write = "rw", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "2ms", program = [{ read = "rw", do = [{ cpu = "3ms" }] }] },
            { name = "D", arrival = "4ms", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA..BBD|
            cpu 1 |..CCC...|
            cpu 2 |........|
            cpu 3 |........|
            A     |###     |
            B     | ====## |
            C     |  ###   |
            D     |    ===#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn writers_first() {
    // D, which came later, goes before C.
    check(
        r#"
        machine = { processors = 4 }
        rwlock = [{ name = "rw", prefer = "writers" }]
        task = [
            { name = "A", program = [{ read = "rw", do = [{ cpu = "3ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ write = "rw", do = [{ cpu = "2ms" }] }] },
            { name = "C", arrival = "2ms", program = [{ read = "rw", do = [{ cpu = "3ms" }] }] },
            { name = "D", arrival = "4ms", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABBDCCC|
            cpu 1 |.........|
            cpu 2 |.........|
            cpu 3 |.........|
            A     |###      |
            B     | ==##    |
            C     |  ====###|
            D     |    =#   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            D = main/D#0
            completed at 9ms
        "#]],
    );
}

#[test]
fn all_readers_that_wait_together_go_on_together() {
    check(
        r#"
        machine = { processors = 4 }
        rwlock = [{ name = "rw" }]
        task = [
            { name = "A", program = [{ write = "rw", do = [{ cpu = "2ms" }] }] },
            { name = "B", count = 2, arrival = "1ms", program = [{ read = "rw", do = [{ cpu = "1ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
            { name = "D", arrival = "1ms", program = [{ read = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABDE|
            cpu 1 |..C..|
            cpu 2 |.....|
            cpu 3 |.....|
            A     |##   |
            B     | =#  |
            C     | =#  |
            D     | ==# |
            E     | ===#|
            A = main/A#0
            B = main/B#0
            C = main/B#1
            D = main/C#0
            E = main/D#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_more_urgent_reader_is_not_behind_a_writer() {
    // C is more urgent than B, which waits, and joins A.
    check(
        r#"
        machine = { processors = 4 }
        rwlock = [{ name = "rw" }]
        task = [
            { name = "A", program = [{ read = "rw", do = [{ cpu = "3ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
            { name = "C", priority = 1, arrival = "2ms", program = [{ read = "rw", do = [{ cpu = "2ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAA.B|
            cpu 1 |..CC.|
            cpu 2 |.....|
            cpu 3 |.....|
            A     |###  |
            B     | ===#|
            C     |  ## |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}

#[test]
fn a_reader_can_read_twice_as_long_as_readers_go_first() {
    check(
        r#"
        machine = { processors = 2 }
        rwlock = [{ name = "rw", prefer = "readers" }]
        task = [
            { name = "A", program = [{ read = "rw" }, { cpu = "1ms" }, { read = "rw" }, { cpu = "1ms" }, { unlock = "rw" }, { cpu = "1ms" }, { unlock = "rw" }, { cpu = "1ms" }] },
            { name = "B", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAA|
            cpu 1 |...B|
            A     |####|
            B     |===#|
            A = main/A#0
            B = main/B#0
            completed at 4ms
        "#]],
    );
}

#[test]
fn a_reader_that_reads_again_behind_a_writer_waits_for_itself() {
    check(
        r#"
        machine = { processors = 2 }
        rwlock = [{ name = "rw" }]
        task = [
            { name = "A", program = [{ read = "rw" }, { cpu = "1ms" }, { read = "rw" }, { cpu = "1ms" }, { unlock = "rw" }, { unlock = "rw" }] },
            { name = "B", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A|
            cpu 1 |.|
            A     |#|
            B     |=|
            A = main/A#0
            B = main/B#0
            deadlock at 1ms
            deadlock in a cycle: A waits since 1 ms to read rwlock `rw` behind B, who wants to write and comes first, B waits since 0 ns to write rwlock `rw`, held by A since 0 ns
        "#]],
    );
}

#[test]
fn a_reader_that_wants_to_write_waits_for_itself() {
    check(
        r#"
        rwlock = [{ name = "rw" }]
        task = [
            { name = "A", program = [{ read = "rw" }, { cpu = "1ms" }, { write = "rw" }] },
            { name = "B", arrival = "2ms", program = [{ read = "rw", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.|
            A     |#=|
            B     |  |
            A = main/A#0
            B = main/B#0
            deadlock at 2ms
            deadlock in a cycle: A waits since 1 ms to write rwlock `rw`, held by itself since 0 ns; B waits since 2 ms to read rwlock `rw` behind A, who wants to write and comes first
        "#]],
    );
}

#[test]
fn readers_and_writers_in_a_pool() {
    // B waits with its worker: C has none.
    check(
        r#"
        executor = { kind = "pool", workers = 2 }
        rwlock = [{ name = "rw" }]
        task = [
            { name = "A", program = [{ read = "rw", do = [{ cpu = "1ms" }, { sleep = "2ms" }] }] },
            { name = "B", program = [{ write = "rw", do = [{ cpu = "1ms" }] }] },
            { name = "C", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..BC|
            A     |#==  |
            B     |-==# |
            C     |----#|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
}
