//! When instances arrive.

use expect_test::expect;

use super::check;

#[test]
fn all_at_once() {
    check(
        r#"task = [{ name = "A", count = 3, arrival = "1ms", program = [{ cpu = "1ms" }] }]"#,
        expect![[r#"
        1 column = 1ms
        cpu 0 |.ABC|
        A     | #  |
        B     | -# |
        C     | --#|
        A = main/A#0
        B = main/A#1
        C = main/A#2
        completed at 4ms
    "#]],
    );
}

#[test]
fn at_the_times_of_a_list() {
    check(
        r#"task = [{ name = "A", arrival = ["4ms", "0ms", "1ms"], program = [{ cpu = "2ms" }] }]"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBCCAA|
            A     |    ##|
            B     |##    |
            C     | -##  |
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 6ms
        "#]],
    );
}

#[test]
fn at_equal_distances() {
    check(
        r#"task = [{ name = "A", count = 3, arrival = { every = "3ms" }, program = [{ cpu = "1ms" }] }]"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A..B..C|
            A     |#      |
            B     |   #   |
            C     |      #|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 7ms
        "#]],
    );
}

#[test]
fn one_gap_after_the_other() {
    // The first comes at the start, each further one a gap after the one before.
    check(
        r#"task = [{ name = "A", count = 3, arrival = { gap = "2ms" }, program = [{ cpu = "3ms" }] }]"#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABBBCCC|
            A     |###      |
            B     |  -###   |
            C     |    --###|
            A = main/A#0
            B = main/A#1
            C = main/A#2
            completed at 9ms
        "#]],
    );
}

#[test]
fn together_in_file_order_and_then_by_number() {
    check(
        r#"
        task = [
            { name = "B", count = 2, program = [{ cpu = "1ms" }] },
            { name = "A", count = 2, program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCD|
            A     |#   |
            B     |-#  |
            C     |--# |
            D     |---#|
            A = main/B#0
            B = main/B#1
            C = main/A#0
            D = main/A#1
            completed at 4ms
        "#]],
    );
}

#[test]
fn gaps_of_no_length_keep_file_order() {
    check(
        r#"
        task = [
            { name = "A", count = 2, arrival = { gap = "0ms" }, program = [{ cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABC|
            A     |#  |
            B     |-# |
            C     |--#|
            A = main/A#0
            B = main/A#1
            C = main/B#0
            completed at 3ms
        "#]],
    );
}
