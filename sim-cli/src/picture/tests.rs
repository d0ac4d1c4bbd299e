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
        likeness: Vec::new(),
        ..Picture::default()
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

/// Is there a text that is exactly this?
fn names(sheet: &Sheet, name: &str) -> bool {
    texts(sheet).iter().any(|text| text.text == name)
}

#[test]
fn a_crowd_is_drawn_task_by_task_as_long_as_that_can_be_read() {
    let crowd = testing::crowd();
    let sheet = check(&picture("", &[("", &crowd)]));
    assert!(names(&sheet, "web/request#49") && names(&sheet, "backup/copy#3") && !says(&sheet, "by kind"));
    assert!(says(&sheet, "heights show shares of the time") && says(&sheet, "tasks of one kind count together"));
    // There is less room in two panels.
    let sheet = check(&picture("", &[("one", &crowd), ("other", &crowd)]));
    assert!(names(&sheet, "50 × web/request") && !names(&sheet, "web/request#49") && says(&sheet, "drawn by kind"));
}

#[test]
fn the_accused_is_drawn_among_many() {
    let mut jobs = vec![(0, vec![1_000]); 300];
    jobs[177] = (0, vec![3_000]);
    let many = Story::new(2).tasks("web", "req", 300).round_robin(u64::MAX, 0, &jobs);
    let mut picture = picture("", &[("", &many)]);
    assert!(!names(&check(&picture), "req#177"));
    picture.panels[0].findings = vec!["starvation: req#177 was ready for 2ms without running".to_owned()];
    let sheet = check(&picture);
    assert!(names(&sheet, "300 × req") && names(&sheet, "req#177") && !names(&sheet, "req#17"));
}

#[test]
fn tasks_of_one_kind_have_one_hue_unless_they_are_few() {
    let colours = |count: u32| {
        let timeline = Story::new(1).tasks("web", "req", count).end(10);
        colours::Palette::new([&timeline].into_iter()).colours(&timeline)
    };
    let blue = |colour: &sheet::Colour| colour.2 >= colour.0;
    assert!(colours(30).iter().all(blue) && !colours(4).iter().all(blue));
}

/// Some requests at once to a device with so many channels.
fn requests(channels: u32, count: u32) -> Timeline {
    let mut story = Story::new(1).channels(channels).tasks("web", "req", count);
    for task in 0..count {
        story = story.io(task, 0, 10).request(task, 0, Some(0), 0, 10).life(task, Some(0), Some(10));
    }
    story.end(10)
}

#[test]
fn devices_have_the_same_form_in_every_panel() {
    let (few, many) = (requests(4, 3), requests(10, 7));
    let rows = |sheet: &Sheet| texts(sheet).iter().filter(|text| text.text.starts_with("disk ")).count();
    // Channels that serve nobody are there too.
    assert_eq!(rows(&check(&picture("", &[("", &few)]))), 4);
    let sheet = check(&picture("", &[("few", &few), ("many", &many)]));
    assert_eq!(rows(&sheet), 2);
    assert!(names(&sheet, "disk (4 channels)") && names(&sheet, "disk (10 channels)") && names(&sheet, "7 served"));
    assert!(says(&sheet, "requests in service"));
}

#[test]
fn locks_have_rows_and_a_wait_of_no_length_is_seen() {
    let story = Story::new(1).tasks("table", "Plato", 1).tasks("table", "Confucius", 1);
    let story = story.run(0, 0, 0, 10).run(0, 1, 10, 20).hold(0, 0, 20).lock(1, 20, 20);
    let sheet = check(&picture("", &[("", &story.end(20))]));
    assert!(names(&sheet, "lock db") && says(&sheet, "holding the lock"));
    let waits = texts(&sheet).into_iter().rfind(|text| text.text == "lock db").unwrap();
    let ends = texts(&sheet).into_iter().find(|text| text.text == "20 µs").unwrap();
    assert!(waits.x > ends.x, "right of the end");
}

#[test]
fn jobs_that_come_too_often_for_arrows_have_ticks_and_a_note() {
    let mut story = Story::new(1).tasks("main", "gyro", 1);
    for job in 0..400 {
        story = story.run(0, 0, job * 10, job * 10 + 3).job(0, job * 10, job * 10 + 10, Some(job * 10 + 3));
    }
    let sheet = check(&picture("", &[("", &story.end(4_000))]));
    assert!(says(&sheet, "Jobs of gyro come too often for arrows") && says(&sheet, "releases, close together"));
    assert!(!says(&sheet, "job released") && says(&sheet, "end of the run 4 ms") && !says(&sheet, "unfinished"));
}

#[test]
fn the_legend_explains_what_is_drawn() {
    let sheet = check(&picture("", &[("", &Story::new(1).tasks("main", "A", 1).run(0, 0, 0, 10).end(10))]));
    let explained = |words: &str| says(&sheet, words);
    assert!(explained("running, in the task's colour") && explained("arrives"));
    for words in ["ready", "blocked", "finishes", "holding", "queue", "switching", "shares"] {
        assert!(!explained(words), "{words}");
    }
}

#[test]
fn any_text_is_well_formed_in_an_svg() {
    let name = "a\u{1b}[2J\u{7}<b>&\u{ffff}日本";
    let timeline = Story::new(1).tasks("main", name, 1).run(0, 0, 0, 10).end(10);
    let svg = String::from_utf8(render(&picture(name, &[("", &timeline)]), FORMATS[1]).unwrap()).unwrap();
    assert!(!svg.chars().any(|letter| (letter.is_control() && letter != '\n') || letter == '\u{ffff}'));
    assert!(svg.contains("<title>a\u{fffd}[2J\u{fffd}&lt;b&gt;&amp;\u{fffd}日本</title>"), "{svg}");
    assert!(svg.contains("日本\n"), "the letters themselves, not their numbers");
}

#[test]
fn an_unfinished_run_has_no_makespan() {
    let sheet = check(&picture("", &[("", &testing::broken())]));
    assert!(says(&sheet, "2 of 4 tasks unfinished") && says(&sheet, "1 task that never came"));
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
    assert_eq!(
        kind_of(Path::new("a/b.PNG")).map(|kind| matches!(kind, Kind::Sheet(format) if format.extension == "png")),
        Ok(true)
    );
    assert_eq!(
        kind_of(Path::new("plot.jpeg")).unwrap_err(),
        "plot.jpeg has .jpeg, which is no kind of picture; end the name with .png, .svg or .html"
    );
    assert!(is_page(Path::new("plot.HTML")) && !is_page(Path::new("plot.svg")));
    assert!(kind_of(Path::new("plot")).unwrap_err().contains("no extension"));
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
    assert!(
        says(&sheet, "means") && says(&sheet, "of 60 tasks the worst of each kind") && says(&sheet, "50 × web/request")
    );
}

#[test]
fn a_comparison_has_a_strip_between_its_panels_that_says_where_they_differ() {
    let run = |first: u32, second: u32| {
        let story = Story::new(1).tasks("main", "A", 1).tasks("main", "B", 1);
        let story = story.run(0, first, 0, 5_000).run(0, second, 5_000, 10_000).run(0, 0, 12_000, 15_000);
        story.life(0, Some(0), Some(15_000)).life(1, Some(0), Some(10_000)).end(15_000)
    };
    let (simulated, measured) = (run(0, 1), run(1, 0));
    let mut picture = picture("compared", &[("simulated", &simulated), ("measured", &measured)]);
    assert!(!says(&check(&picture), "the same tasks run"));
    picture.likeness = sim_core::compare::likeness(&simulated, &measured);
    let sheet = check(&picture);
    for words in ["the same tasks run", "the same tasks run in both", "other tasks, or none in one"] {
        assert!(says(&sheet, words), "{words}");
    }
    let rows = |name: &str| -> Vec<i32> {
        texts(&sheet)
            .iter()
            .filter(|text| text.text == name && text.anchor == sheet::Anchor::End)
            .map(|text| text.y)
            .collect()
    };
    let (strip, processors, tasks) = (rows("the same tasks run")[0], rows("processor 0"), rows("A"));
    assert!(tasks[0] < processors[0] && processors[0] < strip && strip < processors[1] && processors[1] < tasks[1]);
}

#[test]
fn a_part_of_the_time_has_what_happens_in_it_and_its_own_axis() {
    let timeline = testing::downloads();
    let all = picture("x", &[("", &timeline)]);
    let (from, to) = (Time::from_ns(6_000_000), Time::from_ns(11_000_000));
    let part = check(&Picture { view: View { from, to }, ..all.clone() });
    let words: Vec<&str> = texts(&part).iter().map(|text| &*text.text).collect();
    assert!(words.contains(&"6.0 ms") && words.contains(&"11.0 ms") && !words.contains(&"0"), "{words:?}");
    // The end of the run is not there.
    assert!(!words.iter().any(|words| words.starts_with("makespan")), "{words:?}");
    let whole = check(&Picture { view: View { from: Time::ZERO, to: timeline.extent() }, ..all.clone() });
    assert!(whole.shapes == check(&all).shapes, "a part that is all there is");
}
