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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
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
        expect![[""]],
    );
}
