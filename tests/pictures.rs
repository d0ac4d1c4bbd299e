//! What pictures say in words: as SVG they can be read.

use std::fs;

use crate::support::{root, sim, temporary, temporary_folder};

/// The texts of a picture that `sim run` draws.
fn drawn(name: &str, arguments: &[&str]) -> String {
    // A folder for each: tests run side by side.
    let path = temporary_folder(&format!("drawn-{name}")).join(name).with_extension("svg").display().to_string();
    let output = sim(&[&["run"], arguments, &["-q", "--plot", &path]].concat());
    assert!(output.status.code() != Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(&path).expect("a picture").replace('\u{a0}', " ")
}

/// Has the picture all of these words?
fn says(picture: &str, words: &[&str]) {
    for words in words {
        assert!(picture.contains(words), "no {words:?} in the picture");
    }
}

#[test]
fn one_picture_of_a_run_is_that_of_the_gallery() {
    let path = temporary_folder("same").join("deadlock.png");
    sim(&["run", "configs/deadlock.toml", "-q", "--plot", &path.display().to_string()]);
    assert!(fs::read(path).unwrap() == fs::read(root().join("plots/deadlock.png")).unwrap());
}

#[test]
fn findings_stand_beneath_the_headline() {
    says(&drawn("deadlock", &["configs/deadlock.toml"]), &["deadlock in a cycle: "]);
    says(
        &drawn("deadlock-why", &["configs/deadlock.toml", "--explain"]),
        &["deadlock in a cycle: ", " has not finished after "],
    );
    says(&drawn("inversion", &["configs/priority-inversion.toml"]), &["priority inversion: "]);
    says(&drawn("inversion-why", &["configs/priority-inversion.toml", "--explain"]), &["priority inversion: "]);
    // Each variation has its own.
    let vary = ["configs/priority-inversion.toml", "--vary", "lock.bus.protocol=none,inherit"];
    let both = drawn("inversion-vary", &vary);
    assert_eq!(both.matches("priority inversion: ").count(), 1);
}

#[test]
fn the_way_of_a_head_the_queue_and_the_service_are_told_apart() {
    let disk = drawn("disk", &["configs/disk-disciplines.toml"]);
    says(&disk, &["the device on its way (seek)", "in the queue of a device", "blocked, or served by a device"]);
    says(&drawn("disk-why", &["configs/disk-disciplines.toml", "--explain"]), &["the device on its way (seek)"]);
    let convoy = drawn("convoy", &["configs/convoy.toml"]);
    assert!(!convoy.contains("seek") && !convoy.contains("queue of"), "nobody queues, and nothing has a head");
    says(&drawn("shared", &["configs/fair-share.toml"]), &["requests that share a device", "3 share"]);
}

#[test]
fn who_is_ready_is_said_to_wait_for_what_there_is() {
    says(&drawn("ready", &["configs/convoy.toml"]), &["ready: waits for a processor\n"]);
    says(&drawn("ready-pool", &["configs/small-pool.toml"]), &["ready: waits for a processor or in its runtime"]);
    says(
        &drawn("ready-gil", &["configs/io-bound-gil.toml"]),
        &["waits for the interpreter lock", "interpreter lock", "holding the lock"],
    );
}

#[test]
fn who_stands_still_looks_so_everywhere_and_when_it_is_read_back() {
    let words = "throttled: its group has used up its quota";
    says(&drawn("throttled", &["configs/container-quota.toml"]), &[words]);
    let folder = temporary_folder("throttled-stored");
    let path = |name: &str| folder.join(name).display().to_string();
    let run = ["run", "configs/container-quota.toml", "--set", "process.web.executor.workers=4"];
    let text = String::from_utf8(sim(&run).stdout).expect("text");
    assert!(text.contains("░ throttled: its group"), "{text}");
    assert!(sim(&[&run[..], &["-q", "--trace", &path("trace.json")]].concat()).status.success());
    let trace = fs::read_to_string(path("trace.json")).expect("a trace");
    assert!(trace.contains(r#""name":"throttled""#) && trace.contains(r#""name":"ready""#));
    for (name, workers) in [("a.json", "4"), ("b.json", "8")] {
        let set = format!("process.web.executor.workers={workers}");
        let written = sim(&["run", "configs/container-quota.toml", "--json", "--timeline", "--set", &set]);
        fs::write(path(name), written.stdout).expect("a file");
    }
    sim(&["diff", &path("a.json"), &path("b.json"), "--plot", &path("diff.svg")]);
    let drawn = fs::read_to_string(path("diff.svg")).expect("a picture").replace('\u{a0}', " ");
    says(&drawn, &[words]);
}

#[test]
fn who_waits_for_the_budget_of_its_server_looks_so() {
    let toml = "scheduler = { policy = \"priority\" }\nserver = [{ name = \"s\", kind = \"polling\", budget = \"2ms\", period = \"10ms\", priority = 1 }]\n\
                task = [{ name = \"a\", server = \"s\", program = [{ cpu = \"5ms\" }] }]";
    let path = temporary("budget", toml).display().to_string();
    let picture = drawn("budget", &[&path]);
    says(&picture, &["its server has used up its budget"]);
    assert!(!picture.contains("throttled") && !picture.contains("ready: waits"), "it waits for nothing else");
    let text = String::from_utf8(sim(&["run", &path]).stdout).expect("text");
    assert!(text.contains("▓ its server has used up its budget"), "{text}");
}

#[test]
fn many_tasks_of_a_kind_are_drawn_whatever_they_are_at() {
    let crowd = |rest: &str| {
        format!(
            "[machine]\nprocessors = 2\n[[device]]\nname = \"d\"\n[[lock]]\nname = \"m\"\n[[group]]\nname = \"g\"\nquota = \"3ms\"\nperiod = \"9ms\"\n\
             [[process]]\nname = \"p\"\ngroup = \"g\"\n[[process.task]]\nname = \"t\"\ncount = 70\narrival = {{ every = \"1ms\" }}\nprogram = [{rest}]\n"
        )
    };
    let all = "{ cpu = \"1ms\" }, { io = \"d\", for = \"2ms\" }, { sleep = \"3ms\" }, { with = \"m\", do = [{ cpu = \"1ms\" }] }";
    let path = temporary("crowd-of-all", &crowd(all)).display().to_string();
    let words = ["throttled: its group has used up its quota", "in the queue of a device", "70 × t"];
    says(&drawn("crowd", &[&path]), &words);
}

#[test]
fn a_job_that_was_aborted_is_not_late_for_ever() {
    let firm = &["--set", "process.main.task.control.on-miss=abort"];
    let drawn = drawn("aborted", &[&["configs/firm-deadlines.toml"], &firm[..]].concat());
    says(&drawn, &["job aborted at its deadline"]);
    assert!(!drawn.contains("late"), "nobody is late who ends at its deadline");
}

#[test]
fn a_picture_says_what_the_text_says_of_misses_and_disciplines() {
    let text = "until = \"200ms\"\nscheduler.policy = \"edf\"\n".to_owned()
        + &[("a", 20, 10), ("b", 50, 20), ("c", 40, 12)]
            .map(|(name, period, cpu)| {
                format!("[[task]]\nname = \"{name}\"\nperiod = \"{period}ms\"\nprogram = [{{ cpu = \"{cpu}ms\" }}]\n")
            })
            .concat();
    let path = temporary("overloaded", &text).display().to_string();
    let said = String::from_utf8(sim(&["run", &path]).stdout).expect("text");
    let fared = said.split("the horizon at 200 ms").nth(1).and_then(|rest| rest.split(';').next()).expect("an end");
    assert!(fared.contains(" jobs due missed") && !fared.contains("unfinished"), "{said}");
    says(
        &drawn("overloaded", &[&path]),
        &[&format!("end of the run 200 ms{fared}"), "deadline and next release", "job released"],
    );
    // What varies is said once.
    let vary = drawn("overloaded-vary", &[&path, "--vary", "scheduler.policy=edf,rate-monotonic", "--seed", "3"]);
    says(&vary, &["policy=edf", "policy=rate-monotonic", "1 processor, seed 3"]);
    assert!(!vary.contains(">edf") && !vary.contains(">rate-monotonic"), "{vary}");
    says(&drawn("disk-heading", &["configs/disk-disciplines.toml"]), &["1 processor, fifo, disk: sstf, seed 0"]);
}
