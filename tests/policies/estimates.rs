//! What guesses of the next burst rest on.

use super::{draw, scene};

const GUESS: &str = "policy = 'sjf'\nestimate = { ewma = 0.5, initial = '4ms' }";

#[test]
fn sjf_that_guesses() {
    // After a burst of 1 ms the next one of A is guessed at 2.5 ms. C, which came before A was back, is guessed at 4 ms
    // as everybody new is: it comes after A, although it is the shorter one.
    let tasks = r#"
        { name = "A", program = [{ cpu = "1ms" }, { io = "io", for = "1ms" }, { cpu = "3ms" }] },
        { name = "B", program = [{ cpu = "3ms" }] },
        { name = "C", program = [{ cpu = "1ms" }], arrival = "1ms" },
    "#;
    assert_eq!(draw(&scene(GUESS, tasks)), "cpu 0 |ABBBAAAC|");
}

#[test]
fn a_burst_ends_where_a_thread_yields() {
    // A is then guessed at (4 + 6) / 2 = 5 ms, one more than B. It does not go on with the burst that it exceeded, of
    // which nothing would be left.
    let tasks = r#"
        { name = "A", program = [{ cpu = "6ms" }, "yield", { cpu = "1ms" }] },
        { name = "B", program = [{ cpu = "1ms" }], arrival = "1ms" },
    "#;
    assert_eq!(draw(&scene(GUESS, tasks)), "cpu 0 |AAAAAABA|");
}
