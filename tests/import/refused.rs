//! What cannot be imported, in the words that are said.

use super::{KINDS, import};

fn refused(bytes: &[u8], kind: Option<&str>) -> String {
    let kind = kind.map(|name| KINDS.iter().find(|kind| kind.name == name).expect("a kind"));
    match import(bytes, "file", kind) {
        Ok(imported) => panic!("it is {}:\n{}", imported.kind.title, imported.text),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn what_is_damaged_is_refused_with_its_place() {
    let swf = "1 0 0 10 1 -1 -1 -1 -1 -1 1 1 1 -1 1 -1 -1 -1\n";
    let [short, word, wide, none] = [
        format!("{swf}1 2 3\n"),
        swf.replace("10", "ten"),
        swf.replace(" 10 1 ", " 10 99999999 "),
        swf.replace("10", "-1"),
    ];
    let deep = format!("{{\"tasks\": {}", "[".repeat(1_000_000));
    let cases: &[(&str, &[u8], Option<&str>)] = &[
        ("empty", b" \n", None),
        ("perf", b"PERFILE2\0\0", None),
        ("gzip", b"\x1f\x8b\x08", None),
        ("zeros", b"a\0b", None),
        ("prose", b"Dear diary,\nnothing happened.\n", None),
        ("no burst", b"name,arrival\na,1\n", Some("processes")),
        ("no rows", b"name,arrival,burst\n", Some("processes")),
        ("word", b"name,arrival,burst\na,0,2\nb,soon,2\n", None),
        ("negative", b"name,arrival,burst\na,-1,2\n", None),
        ("endless", b"name,arrival,burst\na,0,1e300\n", None),
        ("nice", b"name,burst,nice\na,1,25\n", None),
        ("no process burst", b"name,arrival,burst\na,0,2\nb,1,\n", None),
        ("short job", short.as_bytes(), None),
        ("word in a job", word.as_bytes(), Some("swf")),
        ("wide job", wide.as_bytes(), None),
        ("no jobs", none.as_bytes(), None),
        ("cut XML", b"<simulation duration='1'>\n<tasks>\n<task", None),
        ("entities", b"<!DOCTYPE a [<!ENTITY b \"&b;\">]><simulation>&b;</simulation>", None),
        ("no duration", b"<simulation/>", None),
        ("no processor", b"<simulation duration='1'/>", None),
        ("no WCET", b"<simulation duration='1'><processor/>\n<task name='a' period='5'/></simulation>", None),
        ("no period", b"<simulation duration='1'><processor/>\n<task name='a' WCET='5'/></simulation>", None),
        ("cut JSON", b"{\"tasks\": {\n\"a\": {\"run\": 1,", None),
        ("deep JSON", deep.as_bytes(), None),
        ("no threads", b"{\"tasks\": {}}", None),
        ("run of a word", b"{\"tasks\": {\"a\": {\"run\": \"long\"}}}", None),
        ("priority", b"{\"tasks\": {\"a\": {\"run\": 1, \"policy\": \"SCHED_FIFO\", \"priority\": 100}}}", None),
        ("unlock without lock", b"{\"tasks\": {\"a\": {\"run\": 1, \"unlock\": \"m\"}}}", None),
        ("fork of nobody", b"{\"tasks\": {\"a\": {\"fork\": \"b\"}}}", None),
        ("switch without fields", b"a 1 [000] 1.5: sched_switch: prev_comm=a\n", Some("sched")),
        ("no switch", b"a 1 [000] 1.5: sched_waking: comm=b pid=2 prio=120 target_cpu=000\n", Some("sched")),
        ("speed", b"<simulation duration='1'>\n<processor speed='0'/></simulation>", None),
    ];
    let mut text = String::new();
    for (what, bytes, kind) in cases {
        text += &format!("{what}: {}\n", refused(bytes, *kind));
    }
    expect_test::expect_file!["expected/refused.txt"].assert_eq(&text);
}
