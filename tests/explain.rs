//! Who lost most: whom explanations tell of first, and the tables of kinds.

use crate::support::{sim, temporary};

/// 400 short requests and 20 long reports through a pool of 4.
const SHORT_BEHIND_LONG: &str = r#"
    title = "Short requests behind long reports"
    [machine]
    processors = 4
    [[process]]
    name = "web"
    executor = { kind = "pool", workers = 4 }
    [[process.task]]
    name = "report"
    count = 20
    program = [{ cpu = "60ms" }]
    [[process.task]]
    name = "fast"
    count = 400
    arrival = { every = "1ms" }
    program = [{ cpu = "1ms" }]
"#;

fn said(arguments: &[&str]) -> String {
    let output = sim(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").replace('\u{a0}', " ")
}

#[test]
fn the_victims_come_first_and_not_the_longest() {
    let path = temporary("victims", SHORT_BEHIND_LONG).display().to_string();
    let text = said(&["run", &path, "--explain"]);
    let (headline, rest) = text.split_once("OF 420 TASKS").expect("a heading");
    let sentence: String = headline.split_whitespace().collect::<Vec<_>>().join(" ");
    // The first request waits until all reports have run: 20 times 60 ms on 4 processors. The last reports wait for 240 ms.
    let expected = "fast#0 took 301 ms and lost 300 ms of it to others, more than any other of 420 tasks: it waited";
    assert!(sentence.contains(expected), "{sentence}");
    let bars: Vec<&str> = rest.lines().skip(1).take(3).filter_map(|line| line.split('#').next()).collect();
    assert_eq!(bars, ["fast", "report", "fast"], "the worst of each kind, then the next");
    let means = rest.lines().skip_while(|line| !line.starts_with("MEANS")).nth(1).expect("a mean");
    assert!(means.starts_with("400 × fast"), "who lost most, though its tasks are short: {means}");
}

#[test]
fn the_picture_ranks_as_the_text_does() {
    let path = temporary("victims-drawn", SHORT_BEHIND_LONG);
    let picture = path.with_file_name("why.svg");
    said(&["run", &path.display().to_string(), "--explain", "-q", "--plot", &picture.display().to_string()]);
    let drawn = std::fs::read_to_string(&picture).expect("a picture").replace('\u{a0}', " ");
    for words in ["of 420 tasks the worst of each kind", "\nfast#", "\nreport#", "400 × fast", "20 × report"] {
        assert!(drawn.contains(words), "no {words:?} in the picture");
    }
}

#[test]
fn kinds_have_a_table_with_percentiles_and_so_have_variations() {
    let path = temporary("kinds", SHORT_BEHIND_LONG).display().to_string();
    let text = said(&["run", &path]);
    let table = |text: &str, heading: &str| -> Vec<Vec<String>> {
        let lines = text.lines().skip_while(|line| !line.starts_with(heading)).take_while(|line| !line.is_empty());
        lines
            .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned()).collect())
            .collect()
    };
    let kinds = table(&text, "KIND,");
    assert_eq!(kinds[0][1..], ["finished", "mean", "p50", "p95", "p99", "worst", "slowdown", "worst slowdown"]);
    assert_eq!((kinds[1][0].as_str(), kinds[1][1].as_str()), ("report", "20"));
    assert_eq!(kinds[1][5], "–", "20 reports are too few for p99");
    assert_eq!((kinds[2][0].as_str(), kinds[2][1].as_str()), ("fast", "400"));
    assert_ne!(kinds[2][5], "–");
    // In a variation each kind has its own row, and the figures are those of the run alone.
    let varied =
        said(&["run", &path, "--vary", "process.web.executor={kind='pool',workers=4},{kind='pool',workers=8}"]);
    let rows = table(&varied, "KINDS,");
    assert_eq!(rows.len(), 5, "{varied}");
    assert!(rows[1][0].ends_with("report") && rows[2][0].ends_with("fast"), "{rows:?}");
    // One task of a kind has nothing to say beyond its row.
    let single = temporary("single", "[[task]]\nname = 'a'\nprogram = [{ cpu = '1ms' }]").display().to_string();
    assert!(!said(&["run", &single]).contains("KIND"));
}

/// Four requests at once at a device with one channel: three of them wait. At one with four: none.
#[test]
fn devices_tell_which_share_of_requests_waited() {
    let toml = "device = [{ name = 'narrow' }, { name = 'wide', channels = 4 }]\n\
                task = [{ name = 'a', count = 4, program = [{ io = 'narrow', for = '1ms' }] },\n\
                        { name = 'b', count = 4, program = [{ io = 'wide', for = '1ms' }] }]";
    let path = temporary("waited", toml).display().to_string();
    let json: serde_json::Value = serde_json::from_str(&said(&["run", &path, "--json"])).expect("JSON");
    let of =
        |device: usize| (json["devices"][device]["waited"].as_u64(), json["devices"][device]["waited_share"].as_f64());
    assert_eq!((of(0), of(1)), ((Some(3), Some(0.75)), (Some(0), Some(0.0))));
    assert!(said(&["run", &path]).contains("75.0 %"));
}

#[test]
fn the_sentence_is_in_json_too() {
    let run = |more: &[&str]| {
        let output = sim(&[&["run", "configs/convoy.toml", "--explain"], more].concat());
        String::from_utf8(output.stdout).expect("text")
    };
    let document: serde_json::Value = serde_json::from_str(&run(&["--json"])).expect("JSON");
    let words = document["words"].as_str().expect("a sentence");
    // In text it is wrapped.
    let text = run(&[]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(" lost ") && text.contains(words), "{words}\n{text}");
}

/// On average a job takes 4/3 of the processor it has: the last jobs are cut off.
const OVERLOADED: &str = r#"
    until = "60ms"
    [scheduler]
    policy = "rate-monotonic"
    [[task]]
    name = "A"
    period = "10ms"
    program = [{ cpu = "6ms" }]
    [[task]]
    name = "B"
    period = "12ms"
    program = [{ cpu = "7ms" }]
"#;

#[test]
fn jobs_are_counted_and_averaged_alike_everywhere() {
    let path = temporary("overloaded", OVERLOADED).display().to_string();
    let json: serde_json::Value = serde_json::from_str(&said(&["run", &path, "--json"])).expect("JSON");
    let of_b = &json["kinds"][1];
    assert_eq!((&of_b["jobs"], &of_b["jobs_finished"]), (&5.into(), &3.into()));
    let mean = format!("{:.2}", of_b["response_ns"]["mean"].as_f64().expect("a mean") / 1e6);
    let table = said(&["run", &path, "--no-timeline"]);
    let row = table.lines().skip_while(|line| !line.starts_with("KIND")).find(|line| line.starts_with('B'));
    assert!(row.is_some_and(|row| row.contains("3 of 5 jobs")), "{table}");
    let varied = said(&["run", &path, "--vary", "seed=1,2"]);
    assert!(varied.matches("3 of 5 jobs").count() == 2 || !varied.contains("KINDS"), "{varied}");
    let text = said(&["run", &path, "--explain"]);
    assert!(text.contains("MEANS of those that finished (ms)"), "{text}");
    let bar = text.lines().find_map(|line| line.strip_prefix("3 jobs of B")).expect("a bar of B");
    assert!(bar.trim_start().starts_with(mean.trim_end_matches('0').trim_end_matches('.')), "{mean}\n{text}");
}

#[test]
fn whose_own_switch_is_all_it_lost_has_not_lost_it_to_others() {
    let toml = r#"
        machine = { processors = 2, context-switch = "5us" }
        task = [{ name = "a", program = [{ cpu = "1ms" }] }, { name = "b", program = [{ cpu = "1ms" }] }]
    "#;
    let path = temporary("apart", toml).display().to_string();
    let text = said(&["run", &path, "--explain"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("lost 5 µs of it to switching and other overhead, as all 2 tasks did"), "{text}");
}

/// Each process is started by a hidden thread of its parent, for a millisecond on processor 0.
const STARTED: &str = r#"
    runtime = "cpython"
    executor = "processes"
    machine = { processors = 2, fork = { parent = "1ms", child = "1ms" } }
    task = [{ name = "t", count = 2, program = [{ cpu = "2ms" }] }]
"#;

#[test]
fn starts_of_processes_have_words_of_their_own() {
    let path = temporary("started", STARTED).display().to_string();
    let text = said(&["run", &path, "--explain"]).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["1 ms (20 %) to the start of processes", "for processor 0 behind t#0 (start of a process)"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = said(&["explain", &path]);
    assert!(text.contains("t#0  pays for the start of a process; t#1 waits for processor 0"), "{text}");
    assert!(!text.contains("although"), "nobody waits beside a free processor: {text}");
}

#[test]
fn starts_of_processes_are_in_the_outcome() {
    let path = temporary("started-outcome", STARTED);
    let document = said(&["run", &path.display().to_string(), "--explain", "--json", "--timeline"]);
    let json: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let of = |index: usize, what: &str| {
        let causes = json["tasks"][index]["causes"].as_array().expect("causes");
        causes.iter().find(|cause| cause["what"] == what).expect("this cause").clone()
    };
    assert_eq!(
        (&of(1, "process-start")["kind"], &of(1, "process-start")["ns"]),
        (&"overhead".into(), &1_000_000.into())
    );
    assert_eq!(of(1, "processor")["while"], "starting");
    assert_eq!(json["processors"][0]["idle_ns"], 0);
    let starts = json["timeline"].as_array().expect("entries").iter().filter(|entry| entry["what"] == "start");
    assert_eq!(starts.map(|entry| entry["thread"].clone()).collect::<Vec<_>>(), ["", ""]);
    // What is written can be read.
    let kept = path.with_file_name("started.json");
    std::fs::write(&kept, document).expect("written");
    let kept = kept.display().to_string();
    assert!(said(&["diff", &kept, &kept]).contains("A and B are the same run"));
}

#[test]
fn a_gain_for_which_more_go_without_says_so() {
    // Sooner at the device, `b` finds it busy: the run is shorter, and one request is turned away.
    let path = temporary(
        "turned-away",
        r#"
        machine = { processors = 2 }
        device = [{ name = "d", channels = 1, queue = 0 }]
        task = [
            { name = "a", program = [{ cpu = "10ms" }, { io = "d", for = "5ms" }] },
            { name = "b", arrival = "6ms", program = [{ cpu = "10ms" }, { io = "d", for = "5ms" }] },
        ]"#,
    );
    let path = path.display().to_string();
    let text = said(&["explain", &path]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("More go without: with b 1. cpu 10ms faster by 25 %, 1 rejected instead of 0."), "{text}");
    let json: serde_json::Value = serde_json::from_str(&said(&["explain", &path, "--json"])).expect("JSON");
    let candidates = json["speedups"]["candidates"].as_array().expect("candidates");
    let changes = candidates.iter().flat_map(|candidate| candidate["changes"].as_array().expect("changes"));
    assert!(changes.clone().any(|change| change["rejected"]["mean"] == 1.0 && change["rejected"]["baseline"] == 0.0));
    // Where nobody goes without there is nothing to say.
    assert!(changes.clone().any(|change| change["rejected"].is_null()));
}

#[test]
fn waiting_for_the_budget_of_a_server_is_a_cause_of_its_own() {
    let served = |(policy, more): (&str, &str), server: &str, key: &str| {
        let text = format!(
            "scheduler = {{ policy = '{policy}'{more} }}\n{server}\n[[task]]\nname = 'a'\naffinity = [0]\n{key}\nprogram = [{{ cpu = '4ms' }}]"
        );
        let path = temporary(&format!("served-{policy}"), &text).display().to_string();
        let text = said(&["run", &path, "--explain"]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("8 ms (67 %) for the budget of its server"), "{text}");
        let json: serde_json::Value =
            serde_json::from_str(&said(&["run", &path, "--explain", "--json"])).expect("JSON");
        let causes = json["tasks"][0]["causes"].as_array().expect("causes");
        let budget = causes.iter().find(|cause| cause["what"] == "budget").expect("this cause");
        assert_eq!((&budget["kind"], &budget["ns"]), (&"waiting".into(), &8_000_000.into()));
        assert!(said(&["explain", &path, "--no-speedups"]).contains("for the budget of its server"));
    };
    let named =
        |kind: &str| format!("[[server]]\nname = 'S'\nkind = '{kind}'\nbudget = '2ms'\nperiod = '10ms'\npriority = 3");
    served(("priority", ""), &named("polling"), "server = 'S'");
    served(("rate-monotonic", ""), &named("deferrable"), "server = 'S'");
    served(("edf", ""), "", "server = { budget = '2ms', period = '10ms', hard = true }");
    served(("linux", ", tick = '0ms'"), "", "class = 'deadline'\nserver = { budget = '2ms', period = '10ms' }");
}

/// Each job of `long` is ended at its deadline, after 6 ms.
const ABORTED: &str = r#"
    until = "26ms"
    scheduler = { policy = "priority" }
    task = [
        { name = "long", period = "10ms", deadline = "6ms", on-miss = "abort", program = [{ cpu = "8ms" }] },
        { name = "b", priority = -1, period = "10ms", jobs = 2, program = [{ cpu = "2ms" }] },
    ]
"#;

#[test]
fn a_job_that_was_aborted_is_told_up_to_its_deadline() {
    let path = temporary("aborted", ABORTED).display().to_string();
    let text = said(&["run", &path, "--explain"]);
    assert!(text.contains("long job 0 was ended at its deadline, after 6 ms: it ran 6 ms (100 %)."), "{text}");
    assert!(text.contains("! was ended at its deadline") && !text.contains("has not finished"), "{text}");
    let text = said(&["explain", &path, "--task", "long"]);
    let words = "The longest job is that of long, released at 0 ns: it was ended at its deadline, after 6 ms.";
    assert!(text.contains(words) && text.contains("task.main/long#0.missed would be better, which is 3;"), "{text}");
    // A job under way when the run ends is one, too.
    let text = said(&["explain", &path, "--task", "long", "--set", "until=5ms", "--no-speedups"]);
    assert!(text.contains("released at 0 ns: it has not finished after 5 ms."), "{text}");
}

#[test]
fn who_was_rejected_did_not_take_so_long() {
    let toml = r#"
        executor = { kind = "pool", workers = 1, queue-limit = 0, when-full = "reject" }
        task = [{ name = "a", count = 2, program = [{ cpu = "5ms" }] }]
    "#;
    let text = said(&["run", &temporary("rejected", toml).display().to_string(), "--explain"]);
    assert!(text.contains("- was rejected") && text.contains("MEANS") == text.contains("finished"), "{text}");
}

#[test]
fn changes_of_a_livelock_are_tried_until_it_is_plain_that_they_do_not_help() {
    let toml = r#"
        variable = [{ name = "x", value = 0 }]
        task = [
            { name = "a", program = [{ cpu = "1ms" }, { cpu = "2ms" }, { while = "x == 0", do = ["yield"] }] },
            { name = "b", program = [{ cpu = "5ms" }, { cpu = "1ms" }, { sleep = "2ms" }] },
        ]
    "#;
    let output = sim(&["explain", &temporary("goes-round", toml).display().to_string()]);
    let told = String::from_utf8_lossy(&output.stderr).replace('\u{a0}', " ");
    assert!(told.contains("so many changes end in a livelock, too, that the rest was left out"), "{told}");
}

/// One lock that `low` has for 30 ms: `high` gives it up, `try` tries it, and a pool with room for one turns `call` away.
const WITHOUT: &str = r#"
    [machine]
    processors = 4
    [[lock]]
    name = "m"
    [[process]]
    name = "p"
    pools = { slow = { kind = "pool", workers = 1, queue-limit = 0, when-full = "reject" } }
    task = [
        { name = "low", program = [{ with = "m", do = [{ cpu = "30ms" }] }] },
        { name = "high", count = 2, arrival = "5ms", program = [{ with = "m", within = "10ms", do = [], else = ["end"] }] },
        { name = "try", arrival = "5ms", program = [{ with = "m", within = "0ms", do = [] }] },
        { name = "call", count = 2, program = [{ on = "slow", do = [{ sleep = "9ms" }] }] },
    ]
"#;

/// The lines of a table without its heading, with one space between cells.
fn rows(text: &str, heading: &str) -> Vec<String> {
    let table = text.lines().skip_while(|line| !line.starts_with(heading)).take_while(|line| !line.is_empty());
    table.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn who_went_without_what_is_told_and_behind_whom() {
    let path = temporary("without", WITHOUT).display().to_string();
    let text = said(&["run", &path]);
    assert_eq!(
        rows(&text, "WENT WITHOUT"),
        [
            "WENT WITHOUT (ms) what times after behind",
            "high lock m gave up 2 10.0 low",
            "try lock m gave up 1 0.0 low",
            "call pool p.slow rejected 1 0.0 call.slow",
        ]
    );
    assert_eq!(rows(&text, "LOCK"), ["LOCK (ms) taken contended given up mean wait mean hold", "m 1 3 3 5.0 30.0"]);
    assert_eq!(rows(&text, "POOL"), ["POOL threads made most at once tasks rejected", "p.slow 1 1 of 1 2 1"]);
    let explained = said(&["run", &path, "--explain"]);
    for sentence in [
        "high gave up waiting for lock m after 10 ms (2 times), behind low.",
        "try tried lock m in vain (once), behind low.",
        "call was turned away by pool p.slow (once), behind call.slow.",
    ] {
        assert!(explained.contains(sentence), "no {sentence:?} in {explained}");
    }
    let usual = said(&["run", &temporary("victims-have-all", SHORT_BEHIND_LONG).display().to_string()]);
    assert!(["WENT WITHOUT", "POOL", "given up"].iter().all(|word| !usual.contains(word)), "{usual}");
}

#[test]
fn pictures_tell_ends_that_are_none_from_others() {
    let path = temporary("without-drawn", WITHOUT);
    let picture = path.with_file_name("ends.svg");
    said(&["run", &path.display().to_string(), "-q", "--plot", &picture.display().to_string()]);
    let drawn = std::fs::read_to_string(&picture).expect("a picture");
    assert!(drawn.contains("ends itself, is rejected or aborted") && drawn.contains("finishes"), "both are explained");
}

/// The first branch ends both others.
const HEDGED: &str = r#"
    executor = "async"
    device = [{ name = "d", channels = "unlimited", service = { exponential = "9ms" } }]
    task = [{ name = "t", count = 20, arrival = { every = "8ms" }, program = [
        { any = [[{ io = "d" }], [{ sleep = "12ms" }, { io = "d", within = "10ms" }], [{ sleep = "50ms" }]] },
        { cpu = "1ms" },
    ] }]
"#;

#[test]
fn branches_that_are_dropped_have_no_deadline() {
    let path = temporary("dropped", HEDGED);
    let picture = path.with_file_name("dropped.svg");
    let text = said(&["run", &path.display().to_string(), "--explain", "--plot", &picture.display().to_string()]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("* was dropped: another branch was first") && !text.contains("deadline"), "{text}");
    // Of those whom a task waited for it was the one that was first.
    assert!(!text.contains("join of t.any.3") && !text.contains("join of 20 × t.any"), "{text}");
    let drawn = std::fs::read_to_string(&picture).expect("a picture");
    assert!(!drawn.contains("deadline"), "{drawn}");
}

#[test]
fn of_those_who_go_without_only_a_difference_is_told() {
    let path = temporary("no-difference", HEDGED);
    let text = said(&["explain", &path.display().to_string(), "--by", "1", "--by", "10"]);
    let words: Vec<&str> = text.split_whitespace().collect();
    for place in words.windows(2).enumerate().filter(|(_, pair)| *pair == ["instead", "of"]).map(|(place, _)| place) {
        let before = words[place + 2].trim_end_matches(['.', ',']);
        let after = words[..place].iter().rev().find(|word| word.parse::<f64>().is_ok());
        assert_ne!(after, Some(&before), "{text}");
    }
}
