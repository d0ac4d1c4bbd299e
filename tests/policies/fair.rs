//! Shares: by the weight of nice, by tickets, and where they come from.

use super::{draw, scene, scene_on};

#[test]
fn slices_of_cfs_are_shares_by_weight_of_a_period() {
    // A weighs 1024 and B 335; a period has 1 ms for each of the two. The share of A is 1.5 ms, which is noticed at 2 ms;
    // that of B would be less than the base slice. B's virtual time runs three times as fast.
    let cfs = "policy = 'cfs'\nlatency = '1ms'\nbase-slice = '1ms'\ntick = '1ms'";
    let tasks = r#"
        { name = "A", program = [{ cpu = "8ms" }] },
        { name = "B", program = [{ cpu = "3ms" }], nice = 5 },
    "#;
    assert_eq!(draw(&scene(cfs, tasks)), "cpu 0 |AABAABAAAAB|");
    // Three on two processors: the period has 2 ms, and both processors' shares of it are given.
    let tasks = r#"
        { name = "A", program = [{ cpu = "4ms" }] },
        { name = "B", program = [{ cpu = "4ms" }] },
        { name = "C", program = [{ cpu = "3ms" }], nice = 5 },
    "#;
    assert_eq!(draw(&scene_on(2, cfs, tasks)), "cpu 0 |AACBB.|\ncpu 1 |BBAACC|");
}

#[test]
fn who_has_left_has_no_share_of_the_period_of_cfs() {
    // 2 ms for each of three; when C has ended 3 ms for each of two.
    let tasks = r#"
        { name = "A", program = [{ cpu = "9ms" }] },
        { name = "B", program = [{ cpu = "9ms" }] },
        { name = "C", program = [{ cpu = "2ms" }] },
    "#;
    assert_eq!(draw(&scene("policy = 'cfs'\nlatency = '6ms'", tasks)), "cpu 0 |AABBCCAAABBBAAABBBAB|");
}

#[test]
fn who_wakes_under_cfs_takes_the_processor_from_who_is_far_ahead() {
    // At 8 ms A has a virtual time of 7 ms. B, which was away with 1 ms, is placed half a latency before that: 4 ms behind
    // A, which is more than a granularity of 3 ms and not more than one of 4 ms.
    let tasks = r#"
        { name = "A", program = [{ cpu = "9ms" }] },
        { name = "B", program = [{ cpu = "1ms" }, { io = "io", for = "3ms" }, { cpu = "1ms" }] },
    "#;
    let drawn = |granularity: &str| {
        draw(&scene(&format!("policy = 'cfs'\nlatency = '8ms'\nwakeup-granularity = '{granularity}'"), tasks))
    };
    assert_eq!(drawn("1ms"), "cpu 0 |AAAABAAABAA|");
    assert_eq!(drawn("3ms"), "cpu 0 |AAAABAAABAA|");
    assert_eq!(drawn("4ms"), "cpu 0 |AAAABAAAAAB|");
}

#[test]
fn who_wakes_under_cfs_takes_a_processor_that_it_may_use() {
    // At 8 ms B is further ahead than A, but C may run on processor 0 only.
    let tasks = r#"
        { name = "A", affinity = [0], program = [{ cpu = "9ms" }] },
        { name = "B", affinity = [1], program = [{ cpu = "9ms" }] },
        { name = "C", affinity = [0], program = [{ cpu = "1ms" }, { io = "io", for = "3ms" }, { cpu = "1ms" }] },
    "#;
    let drawn = draw(&scene_on(2, "policy = 'cfs'\nlatency = '6ms'", tasks));
    assert_eq!(drawn, "cpu 0 |AAAACAAACAA|\ncpu 1 |BBBBBBBBB..|");
}

#[test]
fn who_is_equal_under_cfs_runs_in_the_order_of_coming() {
    // While C runs the least virtual time is that of B, which is given to A as well.
    let tasks = r#"
        { name = "A", program = [{ cpu = "1ms" }], arrival = "2ms" },
        { name = "B", program = [{ cpu = "1ms" }], arrival = "1ms" },
        { name = "C", program = [{ cpu = "4ms" }] },
    "#;
    assert_eq!(draw(&scene("policy = 'cfs'\nwakeup-granularity = '9ms'", tasks)), "cpu 0 |CCCCBA|");
    // A and B have both had 1 ms, and B is back first.
    let tasks = r#"
        { name = "A", program = [{ cpu = "1ms" }, { io = "io", for = "3ms" }, { cpu = "1ms" }] },
        { name = "B", program = [{ cpu = "1ms" }, { io = "io", for = "1ms" }, { cpu = "1ms" }] },
        { name = "C", program = [{ cpu = "6ms" }] },
    "#;
    assert_eq!(draw(&scene("policy = 'cfs'\nwakeup-granularity = '9ms'", tasks)), "cpu 0 |ABCCCCCCBA|");
}

#[test]
fn the_virtual_time_of_cfs_stands_still_while_nobody_is_there() {
    // B comes while A is away, and starts where A left, at 10 ms: at 15 ms it is 4 ms ahead of A.
    let tasks = r#"
        { name = "A", program = [{ cpu = "10ms" }, { io = "io", for = "2ms" }, { cpu = "3ms" }] },
        { name = "B", program = [{ cpu = "6ms" }], arrival = "11ms" },
    "#;
    let cfs = "policy = 'cfs'\nlatency = '4ms'\nwakeup-granularity = '9ms'";
    assert_eq!(draw(&scene(cfs, tasks)), "cpu 0 |AAAAAAAAAA.BBBBAAABB|");
}

#[test]
fn who_yields_under_cfs_goes_behind_the_first_of_the_queue() {
    // B has run for 1 ms and A for 3 ms; B yields all the same.
    let tasks = r#"
        { name = "A", program = [{ cpu = "4ms" }] },
        { name = "B", program = [{ cpu = "1ms" }, "yield", { cpu = "1ms" }] },
    "#;
    assert_eq!(draw(&scene("policy = 'cfs'\nlatency = '6ms'", tasks)), "cpu 0 |AAABAB|");
}
