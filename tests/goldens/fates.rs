//! How tasks are over: at the end of their program, or before.

use expect_test::expect;
use sim_core::outcome::Outcome;

use super::check;
use crate::support::{outcome_of, scenario};

/// Who was over when, and in which way.
pub(super) fn fates(toml: &str) -> String {
    let Outcome { tasks, .. } = outcome_of(&scenario(toml));
    let line = |task: &sim_core::outcome::TaskOutcome| {
        let finish = task.finish_ns.map_or("never".to_owned(), |ns| format!("{}us", ns / 1000));
        format!("{}#{} {} {finish}\n", task.task, task.instance, task.fate.unwrap_or("alive"))
    };
    tasks.iter().map(line).collect()
}

#[test]
fn a_task_ends_where_it_says_so() {
    let toml = r#"
        task = [
            { name = "A", program = [{ repeat = 3, do = [{ cpu = "1ms" }, { choose = [[1, ["end"]]] }] }, { cpu = "9ms" }] },
            { name = "B", program = [{ cpu = "1ms" }, { sleep = "1ms" }, "end"] },
            { name = "C", after = ["A"], program = [{ cpu = "3ms" }] },
        ]
        "#;
    check(
        toml,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABCCC|
            A     |#    |
            B     |-#=  |
            C     |=-###|
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 5ms
        "#]],
    );
    expect![[r#"
        A#0 ended 1000us
        B#0 ended 3000us
        C#0 finished 5000us
    "#]]
    .assert_eq(&fates(toml));
}

#[test]
fn of_a_periodic_task_the_job_ends() {
    let toml = r#"
        task = [{ name = "P", period = "4ms", jobs = 2, program = [{ cpu = "1ms" }, "end", { cpu = "1ms" }] }]
        "#;
    check(
        toml,
        expect![[r#"
            1 column = 1ms
            cpu 0 |A...A|
            A     |#===#|
            A = main/P#0
            completed at 5ms
        "#]],
    );
    expect![[r#"
        P#0 finished 5000us
    "#]]
    .assert_eq(&fates(toml));
}

#[test]
fn who_joins_goes_on_when_a_child_has_ended_itself() {
    for executor in ["threads", "async", "processes"] {
        let toml = format!(
            r#"
            executor = "{executor}"
            task = [
                {{ name = "A", program = [{{ spawn = "B" }}, {{ join = "B" }}, {{ cpu = "1ms" }}] }},
                {{ name = "B", arrival = "spawned", program = [{{ cpu = "1ms" }}, {{ choose = [[1, ["end"]]] }}, {{ cpu = "5ms" }}] }},
            ]
            "#
        );
        assert_eq!(fates(&toml), "A#0 finished 2000us\nB#0 ended 1000us\n", "{executor}");
    }
}

#[test]
fn permits_of_who_ended_itself_are_never_given_back() {
    let outcome = outcome_of(&scenario(
        r#"
        until = "20ms"
        semaphore = [{ name = "s", permits = 2 }]
        task = [{ name = "a", count = 3, program = [{ acquire = "s" }, { cpu = "1ms" }, { choose = [[1, ["end"]]] }, { release = "s" }] }, { name = "b", arrival = "10ms", program = [{ choose = [[1, []], [0, [{ release = "s" }]]] }] }]
        "#,
    ));
    let said = "never given back: a (2 instances) have semaphore s for ever, since \"end\" came before the release, from 1 ms on";
    assert_eq!(outcome.findings.iter().map(|finding| finding.text.as_str()).collect::<Vec<_>>(), [said]);
}

/// What is found of a semaphore with one permit, and how long one was held, in the mean.
fn found(programs: [&str; 2]) -> (Vec<String>, Option<f64>) {
    let [one, other] = programs;
    let outcome = outcome_of(&scenario(&format!(
        "until = '10ms'\nsemaphore = [{{ name = 's', permits = 1 }}]\n
         task = [{{ name = 'a', program = [{one}] }}, {{ name = 'b', arrival = '1ms', program = [{other}] }}]"
    )));
    let found = outcome.findings.iter().filter(|finding| finding.kind == "never-given-back");
    let held = outcome.semaphores[0].mean_hold_ns;
    (found.map(|finding| finding.text.clone()).collect(), held)
}

#[test]
fn permits_of_who_never_releases_are_lent_where_others_give_theirs_back() {
    const BOTH: &str = "{ acquire = 's' }, { cpu = '1ms' }, { release = 's' }, { sleep = '20ms' }";
    for end in ["", ", 'end'"] {
        let (said, held) = found([&format!("{{ acquire = 's' }}, {{ cpu = '2ms' }}{end}"), BOTH]);
        let expected = "never given back: a has semaphore s for ever, since it ended without a release, from 2 ms on";
        assert_eq!(said, [expected]);
        assert_eq!(held, Some(2e6));
    }
}

#[test]
fn a_counter_is_used_up_and_one_that_nobody_releases_is_found() {
    let take = "{ acquire = 's' }, { cpu = '1ms' }, { acquire = 's' }";
    assert_eq!(found([take, "{ release = 's' }, { sleep = '20ms' }"]).0, [""; 0]);
    let expected = "never given back: no program releases semaphore s, for which a waits in vain, from 1 ms on";
    assert_eq!(found([take, "{ sleep = '20ms' }"]).0, [expected]);
}
