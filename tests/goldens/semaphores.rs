//! Semaphores: permits, and those who wait for them.

use expect_test::expect;

use super::check;

#[test]
fn as_many_at_once_as_there_are_permits() {
    check(
        r#"
        machine = { processors = 3 }
        semaphore = [{ name = "s", permits = 2 }]
        task = [{ name = "A", count = 4, program = [{ acquire = "s" }, { cpu = "2ms" }, { release = "s" }, { cpu = "1ms" }] }]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_permit_goes_to_the_most_urgent() {
    check(
        r#"
        machine = { processors = 3 }
        semaphore = [{ name = "s", permits = 1 }]
        task = [
            { name = "A", program = [{ acquire = "s", do = [{ cpu = "3ms" }] }] },
            { name = "B", arrival = "1ms", program = [{ acquire = "s", do = [{ cpu = "1ms" }] }] },
            { name = "C", priority = 1, arrival = "2ms", program = [{ acquire = "s", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn whoever_has_no_permit_can_add_one() {
    // A semaphore as a signal: B goes on when A says so, twice.
    check(
        r#"
        machine = { processors = 2 }
        semaphore = [{ name = "s", permits = 0 }]
        task = [
            { name = "A", program = [{ repeat = 2, do = [{ cpu = "2ms" }, { release = "s" }] }] },
            { name = "B", program = [{ repeat = 2, do = [{ acquire = "s" }, { cpu = "1ms" }] }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn several_permits_at_once() {
    // B waits for two and does not let C pass, which wants only one: first come, first served.
    check(
        r#"
        machine = { processors = 4 }
        semaphore = [{ name = "s", permits = 3 }]
        task = [
            { name = "A", count = 2, program = [{ acquire = "s", do = [{ cpu = "2ms" }] }, { cpu = "1ms" }] },
            { name = "B", arrival = "1ms", program = [{ acquire = "s", count = 2, do = [{ cpu = "1ms" }] }] },
            { name = "C", arrival = "1ms", program = [{ acquire = "s", do = [{ cpu = "1ms" }] }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn in_a_loop_other_tasks_go_on() {
    check(
        r#"
        executor = "async"
        semaphore = [{ name = "s", permits = 1 }]
        task = [
            { name = "A", program = [{ acquire = "s" }, { cpu = "1ms" }, { sleep = "2ms" }, { release = "s" }, { cpu = "1ms" }] },
            { name = "B", program = [{ acquire = "s" }, { cpu = "1ms" }, { release = "s" }] },
            { name = "C", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn each_has_a_permit_and_waits_for_another() {
    check(
        r#"
        machine = { processors = 2 }
        semaphore = [{ name = "s", permits = 2 }]
        task = [
            { name = "A", count = 2, program = [{ acquire = "s" }, { cpu = "1ms" }, { acquire = "s" }, { release = "s", count = 2 }] },
            { name = "B", program = [{ acquire = "s", count = 2 }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn permits_that_nobody_gives() {
    check(
        r#"
        semaphore = [{ name = "s", permits = 1 }]
        task = [{ name = "A", count = 2, program = [{ cpu = "1ms" }, { acquire = "s" }] }]
        "#,
        expect![[""]],
    );
}
