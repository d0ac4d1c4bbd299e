//! Pictures: same bytes, nothing on top of each other, and what is left out is said.

use super::*;
use crate::picture::sheet::{Shape, Sheet, Text};
use crate::testing::{self, Story};

fn picture<'a>(title: &str, panels: &[(&str, &'a Timeline)]) -> Picture<'a> {
    let panel = |(heading, timeline): &(&str, &'a Timeline)| Panel {
        heading: (*heading).to_owned(),
        subtitle: String::new(),
        findings: Vec::new(),
        timeline,
    };
    Picture {
        title: title.to_owned(),
        subtitle: "round-robin, quantum 2 ms · seed 7".to_owned(),
        note: String::new(),
        panels: panels.iter().map(panel).collect(),
    }
}

fn texts(sheet: &Sheet) -> Vec<&Text> {
    let text = |shape: &'_ Shape| matches!(shape, Shape::Text(_));
    sheet
        .shapes
        .iter()
        .filter(|shape| text(shape))
        .filter_map(|shape| if let Shape::Text(text) = shape { Some(text) } else { None })
        .collect()
}

/// Nothing leaves the sheet and no text stands on another.
fn check(picture: &Picture<'_>) -> Sheet {
    tidy(layout::lay_out(picture))
}

fn tidy(sheet: Sheet) -> Sheet {
    assert!(sheet.height < 4_000, "too high: {}", sheet.height);
    for shape in &sheet.shapes {
        if let Shape::Rect(rect) = shape {
            assert!(rect.x >= 0 && rect.y >= 0, "{rect:?}");
            assert!(rect.x + rect.width <= sheet.width && rect.y + rect.height <= sheet.height, "{rect:?}");
        }
    }
    let texts = texts(&sheet);
    for (index, text) in texts.iter().enumerate() {
        let (from, to) = text.columns();
        assert!(from >= 0 && to <= sheet.width, "{text:?} leaves the sheet");
        for other in &texts[..index] {
            let (left, right) = other.columns();
            let apart = to <= left || right <= from || (text.y - other.y).abs() * 2 >= (text.size + other.size) * 4 / 5;
            assert!(apart, "{text:?} stands on {other:?}");
        }
    }
    sheet
}

fn says(sheet: &Sheet, part: &str) -> bool {
    texts(sheet).iter().any(|text| text.text.contains(part))
}

/// All pictures of the tests; with `SIM_PICTURES=folder` they are also written there, to be looked at.
fn gallery(draw: &mut dyn FnMut(&str, &Picture<'_>)) {
    let downloads = testing::downloads();
    draw("downloads", &picture("Five downloads and one number cruncher", &[("", &downloads)]));

    let slower = Story::new(1).tasks("crawler", "download", 5).tasks("crawler", "crunch", 1);
    let mut jobs = vec![(30, vec![1_040, 20_310, 1_020]); 5];
    jobs.push((510, vec![15_700]));
    let slower = slower.round_robin(2_050, 60, &jobs);
    let mut compare =
        picture("Five downloads and one number cruncher", &[("Simulated", &downloads), ("Measured", &slower)]);
    compare.note = "makespan 25.0 ms simulated, 25.2 ms measured (median of 10): -0.8 %".to_owned();
    compare.panels[1].subtitle =
        "run 4 of 10, the one closest to the median; threads pinned to one processor".to_owned();
    draw("compare", &compare);

    let three = Story::new(1).tasks("main", "A", 1).tasks("main", "B", 1).tasks("main", "C", 1);
    let three = three.round_robin(4_000, 1_000, &[(0, vec![24_000]), (0, vec![3_000]), (0, vec![3_000])]);
    draw("three", &picture("Three bursts from the textbook", &[("", &three)]));
    draw("crowd", &picture("Sixty tasks on four processors", &[("", &testing::crowd())]));
    draw("broken", &picture("A record that contradicts itself", &[("", &testing::broken())]));
    draw("empty", &picture("Nothing at all", &[("", &Timeline::default())]));
    draw("nothing", &Picture::default());

    let mut number = testing::numbers(3);
    let jobs: Vec<(u64, testing::Bursts)> = (0..200)
        .map(|_| (number(60_000), vec![2_000 + number(20_000), number(9_000), 1_000 + number(4_000)]))
        .collect();
    let wide = Story::new(64).tasks("farm", "render", 120).tasks("farm", "encode", 80).round_robin(5_000, 10, &jobs);
    draw("wide", &picture("Two hundred tasks on sixty-four processors", &[("", &wide)]));

    let job = |burst: u64| (0, vec![burst]);
    let bursts = [job(24_000), job(9_000), job(6_000), job(2_500)];
    let policies: Vec<(&str, Timeline)> =
        [("fifo", u64::MAX), ("round-robin, 5 ms", 5_000), ("round-robin, 1 ms", 1_000), ("round-robin, 0.1 ms", 100)]
            .map(|(name, quantum)| {
                let story = Story::new(1).tasks("main", "long", 1).tasks("main", "middle", 2).tasks("main", "short", 1);
                (name, story.round_robin(quantum, 20, &bursts))
            })
            .into();
    let panels: Vec<(&str, &Timeline)> = policies.iter().map(|(name, timeline)| (*name, timeline)).collect();
    draw("policies", &picture("The quantum decides who waits", &panels));

    let deadlock = Story::new(2).tasks("bank", "transfer", 2).life(0, Some(0), None).life(1, Some(2), None);
    let deadlock = deadlock.run(0, 0, 0, 10).run(1, 1, 2, 9).lock(1, 9, 40).lock(0, 10, 40).end(40);
    let mut locked = picture("Two transfers that lock in opposite orders", &[("", &deadlock)]);
    let sentence = "deadlock: transfer#0 waits for lock b, which transfer#1 holds, and so on and on, ".repeat(3);
    locked.panels[0].findings = vec![sentence, "starvation: transfer#1 never ran".to_owned()];
    draw("deadlock", &locked);
    locked.panels.push(Panel { heading: "again".to_owned(), ..locked.panels[0].clone() });
    draw("deadlock-twice", &locked);
}

#[test]
fn nothing_overlaps_and_every_format_draws_it() {
    let folder = std::env::var_os("SIM_PICTURES").map(std::path::PathBuf::from);
    gallery(&mut |name, picture| {
        check(picture);
        for format in FORMATS {
            let bytes = render(picture, format).unwrap();
            assert_eq!(bytes, render(picture, format).unwrap(), "{name}: not the same bytes");
            if let Some(folder) = &folder {
                std::fs::write(folder.join(name).with_extension(format.extension), bytes).unwrap();
            }
        }
    });
}

#[test]
fn a_crowd_says_who_is_left_out() {
    let sheet = check(&picture("", &[("", &testing::crowd())]));
    let left_out = texts(&sheet).into_iter().find(|text| text.text.contains("(not drawn)")).unwrap();
    assert_eq!(left_out.text, "… and 20 more tasks (not drawn): 15 × request, 4 × report, 1 × copy");
    assert!(says(&sheet, "heights show shares of the time"));
}

#[test]
fn an_unfinished_run_has_no_makespan() {
    let sheet = check(&picture("", &[("", &testing::broken())]));
    assert!(says(&sheet, "2 of 4 tasks unfinished"));
    assert!(says(&sheet, "two tasks recorded at once"));
}

#[test]
fn the_same_task_has_the_same_colour_in_every_panel() {
    let (one, other) = (testing::downloads(), testing::downloads());
    let palette = colours::Palette::new([&one, &other].into_iter());
    assert_eq!(palette.colours(&one), palette.colours(&other));
}

#[test]
fn the_extension_decides_and_a_wrong_one_gets_help() {
    assert_eq!(format_for(Path::new("a/b.PNG")).unwrap().extension, "png");
    assert_eq!(
        format_for(Path::new("plot.jpeg")).unwrap_err(),
        "plot.jpeg has .jpeg, which is no kind of picture; end the name with .png or .svg"
    );
    assert!(format_for(Path::new("plot")).unwrap_err().contains("no extension"));
    let error = draw(&Picture::default(), Path::new("/nowhere/at/all.svg")).unwrap_err();
    assert!(error.starts_with("cannot write /nowhere/at/all.svg"), "{error}");
}

#[test]
fn causes_are_drawn_without_anything_on_top_of_anything() {
    gallery(&mut |name, picture| {
        // The causes of a record with unknown tasks are not asked for: no recorder makes one.
        if name != "broken" {
            let sheet = tidy(layout::bars::lay_out(picture));
            assert!(says(&sheet, "From arrival to end"), "{name}");
        }
    });
    let crowd = testing::crowd();
    let sheet = tidy(layout::bars::lay_out(&picture("Sixty tasks", &[("first", &crowd), ("second", &crowd)])));
    assert!(says(&sheet, "means") && says(&sheet, "the slowest of 60 tasks") && says(&sheet, "50 × web/request"));
}
