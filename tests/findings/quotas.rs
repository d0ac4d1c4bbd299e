//! Inversion by quota.

use expect_test::expect;

use super::{check, told};

#[test]
fn a_holder_that_stands_still_makes_others_wait() {
    // The writer takes the lock at 4 ms for 2 ms, and has 1 ms of its quota left: it stands still until 100 ms with the lock.
    let toml = r#"
        machine = { processors = 2 }
        lock = [{ name = "log", protocol = "inherit" }]
        scheduler = { policy = "priority" }
        group = [{ name = "batch", quota = "5ms" }]
        process = [
            { name = "batch", group = "batch", task = [{ name = "writer", program = [{ cpu = "4ms" }, { with = "log", do = [{ cpu = "2ms" }] }] }] },
            { name = "front", task = [{ name = "reader", priority = 5, arrival = "4500us", program = [{ with = "log", do = [{ cpu = "1ms" }] }] }] },
        ]
    "#;
    check(
        toml,
        expect![[r#"
        completed
        quota-inversion 95000000ns: inversion by quota: front/reader waited 95 ms for lock log, up to 95 ms at a time, while batch/writer had it and stood still, as group batch had used its quota of 5 ms up
    "#]],
    );
    // With more of it there is nothing to tell, nor where both are in the group.
    assert_eq!(told(toml, &[("group.batch.quota", "6ms")], true), "completed\n");
    let together = toml.replace("name = \"front\",", "name = \"front\", group = \"batch\",");
    assert_eq!(told(&together, &[], true), "completed\n");
}
