//! What is done every so often: when turns come, and what becomes of those that are missed.

use expect_test::{Expect, expect};

use super::check;

/// Of six turns every 10 ms the second takes 25 ms, the others 2.
fn late(missed: &str, expected: Expect) {
    let text = format!(
        r#"
        variable = [{{ name = "turn" }}]
        task = [{{ name = "A", program = [{{ cpu = "1ms" }}, {{ every = "10ms", times = 6{missed}, do = [
            {{ add = "turn", by = 1 }}, {{ if = "turn == 2", do = [{{ cpu = "25ms" }}], else = [{{ cpu = "2ms" }}] }},
        ] }}] }}]
        "#
    );
    check(&text, expected);
}

#[test]
fn late_turns_follow_at_once() {
    // They come at 1, 11, 21, 31, 41 and 51 ms: the second ends at 36, when two are late.
    late(
        "",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAA........AAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AA........AA|
        A     |###========#############################=##========##|
        A = main/A#0
        completed at 53ms
    "#]],
    );
    late(
        ", missed = \"burst\"",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAA........AAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AA........AA|
        A     |###========#############################=##========##|
        A = main/A#0
        completed at 53ms
    "#]],
    );
}

#[test]
fn or_each_a_period_after_the_late_one() {
    // At 1 and 11 ms; the third is late, at 36, and from there on: 46, 56, 66.
    late(
        ", missed = \"delay\"",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAA........AAAAAAAAAAAAAAAAAAAAAAAAAAA........AA........AA........AA|
        A     |###========###########################========##========##========##|
        A = main/A#0
        completed at 68ms
    "#]],
    );
}

#[test]
fn or_again_at_multiples() {
    // At 1 and 11 ms; the third is late, at 36; then at 41, 51, 61.
    late(
        ", missed = \"skip\"",
        expect![[r#"
        1 column = 1ms
        cpu 0 |AAA........AAAAAAAAAAAAAAAAAAAAAAAAAAA...AA........AA........AA|
        A     |###========###########################===##========##========##|
        A = main/A#0
        completed at 63ms
    "#]],
    );
}

#[test]
fn a_turn_that_comes_when_the_one_before_ends_is_not_late() {
    check(
        r#"
        task = [{ name = "A", program = [{ every = "2ms", times = 3, missed = "delay", do = [{ cpu = "2ms" }] }] }]
        "#,
        expect![[r#"
            1 column = 6ms
            cpu 0 |A|
            A     |#|
            A = main/A#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn each_round_of_a_loop_begins_with_its_own_first_turn() {
    // And one in another has its own times.
    check(
        r#"
        task = [{ name = "A", program = [{ repeat = 2, do = [
            { every = "5ms", times = 2, do = [{ every = "1ms", times = 2, do = [{ cpu = "0.5ms" }] }] }, { cpu = "0.5ms" },
        ] }] }]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |A.A.......A.AAA.A.......A.AA|
            A     |#=#=======#=###=#=======#=##|
            A = main/A#0
            completed at 14ms
        "#]],
    );
}

#[test]
fn the_horizon_ends_what_has_no_number() {
    check(
        r#"
        until = "25ms"
        task = [{ name = "A", program = [{ every = "10ms", do = [{ cpu = "1ms" }] }] }]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A.........A.........A....|
            A     |#=========#=========#====|
            A = main/A#0
            horizon at 25ms
        "#]],
    );
}

#[test]
fn an_event_loop_has_its_thread_for_others_between_two_turns() {
    check(
        r#"
        executor = "async"
        task = [
            { name = "A", program = [{ every = "4ms", times = 3, do = [{ cpu = "1ms" }] }] },
            { name = "B", program = [{ repeat = 3, do = [{ cpu = "2ms" }, "yield"] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBBABBA|
            A     |#===-#==#|
            B     |-####-##-|
            A = main/A#0
            B = main/B#0
            completed at 9ms
        "#]],
    );
}
