//! Pages for browsers, in a real browser: one that is there (`SIM_BROWSER`, or Chromium on the PATH), without a window.

mod browser;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use self::browser::Browser;
use crate::support::{sim, temporary_folder};

/// The page of a scenario, in a folder of its own.
fn page(name: &str, arguments: &[&str]) -> PathBuf {
    let path = temporary_folder(&format!("page-{name}")).join("page.html");
    let output = sim(&[arguments, &["-q", "--plot", &path.display().to_string()]].concat());
    assert!(output.status.code() != Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

/// The data of a page.
fn data(page: &str) -> Value {
    let text = page.split_once("id=\"data\">").expect("data").1.split_once("</script>").expect("an end").0;
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn pages_are_the_same_every_time_and_need_nothing() {
    let arguments = ["run", "configs/priority-inversion.toml"];
    let [one, other] = ["one", "other"].map(|name| fs::read_to_string(page(name, &arguments)).expect("a page"));
    assert!(one == other, "the same run gives the same bytes");
    assert!(!one.contains("http:") && !one.contains("https:"));
    let data = data(&one);
    assert_eq!(data["title"], "Priority inversion on Mars");
    assert!(data["panels"][0]["findings"][0].as_str().is_some_and(|text| text.starts_with("priority inversion")));
}

#[test]
fn a_browser_shows_the_cause_under_the_pointer() {
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page("hover", &["run", "configs/priority-inversion.toml"]));
    let tip = |browser: &mut Browser, label: &str, ns: u64| {
        let place = browser.value(&format!("simPage.place({}, {ns})", json!(label)));
        browser.mouse("mouseMoved", &place);
        browser.text("document.getElementById('tip').innerText")
    };
    let told = tip(&mut browser, "bus", 4_000_000);
    assert!(told.contains("lock bus, held by weather, which waited to run"), "{told}");
    assert!(told.contains("2 ms – 14 ms (12 ms)"), "{told}");
    let told = tip(&mut browser, "weather", 5_000_000);
    assert!(told.contains("processor 0 behind radio#0"), "{told}");
    let told = tip(&mut browser, "processor 0", 5_000_000);
    assert!(told.contains("radio#0 runs"), "{told}");
    let told = tip(&mut browser, "lock bus", 5_000_000);
    assert!(told.contains("weather holds it") && told.contains("behind it: bus"), "{told}");
    browser.ends_without_complaint();
}

#[test]
fn a_browser_follows_finds_and_zooms() {
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page("follow", &["run", "configs/work-stealing.toml"]));
    let place = browser.value("simPage.place('processor 3', 5000000)");
    browser.click(&place);
    assert_eq!(browser.value("simPage.state().followed"), "leaf#3");
    assert!(browser.text("document.getElementById('task').innerText").contains("finished at"));
    browser.click(&place);
    assert_eq!(browser.value("simPage.state().followed"), Value::Null);
    browser.value("document.getElementById('search').focus()");
    browser.letters("leaf#12");
    assert_eq!(browser.text("document.querySelector('#found li').innerText"), "leaf#12task");
    browser.key("Enter");
    assert_eq!(browser.value("simPage.state().followed"), "leaf#12");
    browser.key("+");
    let state = browser.value("simPage.state()");
    let (from, to) = (state["from"].as_f64().unwrap(), state["to"].as_f64().unwrap());
    assert!(((to - from) / 23_583_190.0 - 0.5).abs() < 1e-6, "{state}");
    browser.key("0");
    assert_eq!(browser.value("simPage.state().from"), json!(0));
    browser.key("d");
    assert_eq!(browser.value("simPage.state().dark"), json!(true));
    // On paper it is day, and the view stays.
    browser.print("window.onbeforeprint = () => (document.title = `${simPage.state().dark}`)");
    assert_eq!(browser.text("document.title"), "false");
    assert_eq!(browser.value("simPage.state().dark"), json!(true));
    browser.ends_without_complaint();
}

#[test]
fn names_do_nothing_in_a_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let name = "<!--<img src=x onerror=alert(1)><b>&amp;";
    let text = format!("title = '</script>{name}'\n[[task]]\nname = 'a{name}'\nprogram = [{{ cpu = \"5ms\" }}]\n");
    let file = crate::support::temporary("hostile", &text).display().to_string();
    browser.open(&page("hostile-page", &["run", &file]));
    assert_eq!(browser.text("document.getElementById('title').textContent"), format!("</script>{name}"));
    assert_eq!(browser.value("document.querySelectorAll('img, b').length"), json!(0));
    let label = json!(format!("a{name}"));
    let place = browser.value(&format!("simPage.place({label}, 1000000)"));
    browser.click(&place);
    assert!(browser.text("document.getElementById('task').innerText").contains(&format!("a{name}")));
    assert_eq!(browser.value("document.querySelectorAll('img, b').length"), json!(0));
    browser.ends_without_complaint();
}

/// All that is in a scenario is drawn without an error.
#[test]
fn scenarios_of_all_sorts_open_in_a_browser() {
    let Some(mut browser) = Browser::start() else { return };
    for name in ["deadlock", "firm-deadlines", "container-quota", "disk-disciplines", "readers-writers", "fair-share"] {
        browser.open(&page(name, &["run", &format!("configs/{name}.toml")]));
        assert!(browser.value("simPage.state().rows").as_u64() > Some(2), "{name}");
    }
    browser.ends_without_complaint();
}
