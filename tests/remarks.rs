//! What is valid but hardly meant: `sim` says so on standard error, and goes on.

use sim_core::policy::POLICIES;

use crate::support::{sim, temporary};

const MEANINGLESS: &str = r#"
    until = "1s"
    [scheduler]
    policy = "fifo"
    quantum = "1ms"
    [[device]]
    name = "disk"
    direction = "down"
    [[task]]
    name = "A"
    arrival = { gap = { exponential = "10ms" } }
    program = [{ cpu = "1ms" }, { io = "disk", for = "1ms" }]
"#;

/// What is said on standard error by a command that works.
fn remarks(arguments: &[&str]) -> Vec<String> {
    let output = sim(arguments);
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{arguments:?}: {said}");
    said.lines().map(str::to_owned).collect()
}

/// The policies that have this parameter, as sentences list them.
fn takers_of(parameter: &str) -> String {
    let takers = POLICIES.iter().filter(|kind| kind.parameters.iter().any(|other| other.name == parameter));
    let names: Vec<String> = takers.map(|kind| format!("`{}`", kind.name)).collect();
    let (last, others) = names.split_last().expect("there are some");
    format!("{} and {last}", others.join(", "))
}

#[test]
fn parameters_and_gaps_that_mean_nothing_are_remarked_upon() {
    let path = temporary("remarks", MEANINGLESS).display().to_string();
    let expected = [
        format!("remark: {path}:5:5: `quantum` means nothing to `fifo`; it is for {}", takers_of("quantum")),
        format!("remark: {path}:8:5: `direction` means nothing to `fifo`; it is for `scan` and `look`"),
        format!(
            "remark: {path}:11:15: `arrival` is for several instances, and without `count` there is one; add a count, \
             such as count = 10"
        ),
    ];
    assert_eq!(remarks(&["check", &path]), expected);
    // A file may well keep what is for other policies; of that only who checks it wants to know.
    assert_eq!(remarks(&["run", &path, "--json"]), expected[2..]);
    for quiet in [
        vec!["run", &path, "-q"],
        vec!["check", &path, "-q"],
        vec!["run", &path, "--vary", "scheduler.policy=fifo,round-robin"],
    ] {
        assert!(remarks(&quiet).is_empty(), "{quiet:?}");
    }
}

#[test]
fn a_file_may_keep_what_is_for_other_policies() {
    let path = temporary("remarks-set", MEANINGLESS).display().to_string();
    let sets = ["run", &path, "--set", "task.A.count=2", "--set", "device.disk.discipline=lifo"];
    // An override chose the policy: that the file has a quantum is no wonder.
    assert!(remarks(&[&sets[..], &["--set", "scheduler.policy=srtf"]].concat()).is_empty());
    // But who gives a quantum hopes for something.
    let hopes = remarks(&[&sets[..], &["--set", "scheduler.policy=srtf", "--set", "scheduler.quantum=2ms"]].concat());
    assert_eq!(hopes.len(), 1, "{hopes:?}");
    assert!(
        hopes[0].starts_with("remark: --set scheduler.quantum=2ms: `quantum` means nothing to `srtf`"),
        "{hopes:?}"
    );
}

#[test]
fn a_variation_that_is_wrong_is_named_as_it_was_given() {
    let output = sim(&["run", "configs/convoy.toml", "--vary", "foo=1,2"]);
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("--vary foo=1: unknown key `foo`\n"), "{said}");
    assert!(said.contains("\n  | --vary foo=1\n  |        ^^^\n"), "{said}");
}
