//! What a page says of small timelines, and how it is written.

use serde_json::{Value, json};
use sim_core::compare::likeness;
use sim_core::timeline::Timeline;

use super::{hash, write};
use crate::picture::{Panel, Picture};
use crate::testing::Story;

fn panel<'a>(heading: &str, timeline: &'a Timeline) -> Panel<'a> {
    Panel { heading: heading.into(), subtitle: String::new(), findings: vec!["a finding".into()], timeline }
}

fn page(picture: &Picture<'_>) -> String {
    let mut bytes = Vec::new();
    write(picture, &mut bytes).expect("to memory");
    String::from_utf8(bytes).expect("text")
}

/// The data of a page, as its script reads them.
fn data(page: &str) -> Value {
    let start = "<script type=\"application/json\" id=\"data\">";
    let text = page.split_once(start).expect("data").1.split_once("</script>").expect("an end").0;
    serde_json::from_str(text).expect("JSON")
}

/// The first runs, the second waits for the processor, then for the lock that the first holds.
fn story() -> Timeline {
    let story = Story::new(1).tasks("main", "low", 1).tasks("main", "high", 1);
    let story = story.run(0, 0, 0, 10).run(0, 1, 10, 12).lock(1, 12, 20).run(0, 0, 12, 20).run(0, 1, 20, 25);
    let story = story.hold(0, 5, 20).hold(1, 20, 25).life(0, Some(0), Some(20)).life(1, Some(0), Some(25));
    story.job(0, 0, 15, Some(20)).end(25)
}

#[test]
fn rows_and_lives_are_those_of_the_timeline() {
    let timeline = story();
    let page = page(&Picture { title: "A title".into(), panels: vec![panel("", &timeline)], ..Picture::default() });
    let data = data(&page);
    assert_eq!((&data["title"], &data["extent"]), (&json!("A title"), &json!(25_000)));
    let panel = &data["panels"][0];
    assert_eq!(panel["names"], json!(["low", "high"]));
    assert_eq!(panel["findings"], json!(["a finding"]));
    let rows: Vec<&Value> =
        panel["sections"].as_array().unwrap().iter().flat_map(|section| section["rows"].as_array().unwrap()).collect();
    let labels: Vec<&str> = rows.iter().map(|row| row["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["processor 0", "disk", "lock db", "low", "high"]);
    // Gap, length, eight times the task.
    let processor = json!([{ "turns": "Running", "d": [0, 10_000, 0, 0, 2_000, 8, 0, 8_000, 0, 0, 5_000, 8] }]);
    assert_eq!(rows[0]["contents"], processor);
    assert_eq!(rows[2]["contents"], json!([{ "turns": "Holding", "d": [5_000, 15_000, 0, 0, 5_000, 8] }]));
    assert_eq!(rows[4]["contents"], json!([{ "life": 1 }]));
    assert_eq!(panel["jobs"], json!([0, 0, 15_000, 20_001, 1]));
    assert_eq!(panel["fates"], json!([1, 1]));
}

/// A life as sentences: until when, the mark, what it was for.
fn life(panel: &Value, task: usize) -> Vec<(u64, String, String)> {
    let numbers: Vec<u64> =
        panel["lives"][task].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
    let mut at = numbers[0];
    let text = |place: &Value| panel["texts"][usize::try_from(place.as_u64().unwrap()).unwrap()].as_str().unwrap();
    let piece = |pair: &[u64]| {
        at += pair[0];
        let code = &panel["codes"][usize::try_from(pair[1]).unwrap()];
        let behind = code[3].as_u64().unwrap().checked_sub(1).map(|task| usize::try_from(task).unwrap());
        let name = behind.map_or("", |task| panel["names"][task].as_str().unwrap());
        // Who is on a processor its row tells.
        let name = if text(&code[5]).is_empty() { name } else { "whoever" };
        (at, code[0].as_str().unwrap().to_owned(), text(&code[2]).replace('\u{1}', name))
    };
    numbers[1..].chunks(2).map(piece).collect()
}

#[test]
fn each_piece_of_a_life_has_its_cause() {
    let timeline = story();
    let data = data(&page(&Picture { panels: vec![panel("", &timeline)], ..Picture::default() }));
    let piece = |end, mark: &str, cause: &str| (end, mark.to_owned(), cause.to_owned());
    assert_eq!(
        life(&data["panels"][0], 1),
        [
            piece(10_000, "Ready", "processor 0 behind whoever"),
            piece(12_000, "Running", "runs"),
            piece(20_000, "Blocked", "lock db, held by whoever"),
            piece(25_000, "Running", "runs"),
        ]
    );
}

#[test]
fn compared_timelines_have_a_strip_between_them() {
    let (one, other) = (story(), story());
    let panels = vec![panel("simulated", &one), panel("measured", &other)];
    let data = data(&page(&Picture { likeness: likeness(&one, &other), panels, ..Picture::default() }));
    let labels = |panel: usize| -> Vec<String> {
        let sections = data["panels"][panel]["sections"].as_array().unwrap();
        let rows = sections.iter().flat_map(|section| section["rows"].as_array().unwrap());
        rows.map(|row| row["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(0).last().unwrap(), "processor 0");
    assert_eq!(labels(1)[..2], ["the same tasks run", "processor 0"]);
    assert_eq!(data["panels"][1]["sections"][0]["rows"][0]["contents"][0]["d"], json!([25_000, 0]));
}

#[test]
fn names_stay_names() {
    let hostile = "</script><script>alert(1)</script><!--\u{2028}&\"'";
    let timeline = Story::new(1).tasks(hostile, hostile, 2).run(0, 0, 0, 5).life(0, Some(0), Some(5)).end(5);
    let picture = Picture { title: hostile.into(), panels: vec![panel(hostile, &timeline)], ..Picture::default() };
    let page = page(&picture);
    assert!(!page.contains("<script>alert") && !page.contains("<!--"), "a name is a part of the page");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains('\u{2028}'));
    let shown = hostile.replace('\u{2028}', "\u{fffd}");
    assert_eq!(data(&page)["title"], json!(shown));
    assert_eq!(data(&page)["panels"][0]["names"][1], json!(format!("{shown}#1")));
}

#[test]
fn nothing_comes_from_elsewhere() {
    let timeline = story();
    let page = page(&Picture { panels: vec![panel("", &timeline)], ..Picture::default() });
    for word in ["http:", "https:", "url(", "@import", "src=", "href=", "innerHTML", "eval(", "fetch("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("content=\"default-src 'none'; script-src 'sha256-"));
    // The hashes are those of what is there.
    for (start, end) in [("<style>", "</style>"), ("</script>\n<script>", "</script>\n</body>")] {
        let text = page.split_once(start).unwrap().1.split_once(end).unwrap().0;
        assert!(page.contains(&format!("sha256-{}'", hash(text))), "{start}");
    }
    // Known answers: of nothing, and of three letters.
    assert_eq!(hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(hash("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}
