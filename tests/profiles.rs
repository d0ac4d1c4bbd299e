//! Profiles of machines: laid beneath scenarios, and held against real runs as predictions.

use sim_core::document::{Override, Source};
use sim_core::policy::SchedulingClass;
use sim_core::policy::on_linux::Class;
use sim_core::scenario::{ENSEMBLE, Profile, Scenario, ensemble, lower, predicted};

use crate::support::{run, sim, temporary_folder};

const PROFILE: &str = r#"
[about]
kernel = "one"

[machine]
wake = "40us"
block = "10us"
exit = "45us"
tick = "4ms"
tick-phase = "3ms"
counts = { wake = 12 }

[class.other]
block = "5us"

[executor.async]
wake = "70us"

[scheduler]
base-slice = "1400us"
placement = "packed"
"#;

fn profile(text: &str) -> Profile {
    Profile::read(&Source { file: "host.toml", text }).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn prediction(text: &str, profile: &Profile, ran: Option<Class>) -> Scenario {
    let document = lower::parsed(&Source { file: "a.toml", text });
    predicted(&document, &[], profile, ran).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn wake(scenario: &Scenario) -> Option<u64> {
    Some(scenario.machine.costs.as_ref()?.wake.constant()?.ns() / 1000)
}

fn block(scenario: &Scenario) -> Option<u64> {
    Some(scenario.machine.costs.as_ref()?.block.constant()?.ns() / 1000)
}

const TASKS: &str = "[[task]]\nname = 'A'\ncount = 2\nprogram = [{ cpu = '3ms' }, { sleep = '2ms' }, { cpu = '1ms' }]";

#[test]
fn what_the_scenario_says_wins_and_what_it_does_not_say_the_profile_does() {
    let profile = profile(PROFILE);
    let read = |text: &str| {
        let document = lower::parsed(&Source { file: "a.toml", text });
        let plain = lower::document(&document, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).0;
        let beneath: Vec<Override> = profile.beneath(&plain);
        lower::document(&document, &beneath).unwrap_or_else(|mistakes| panic!("{mistakes}")).0
    };
    let plain = read(TASKS);
    assert_eq!((wake(&plain), block(&plain)), (Some(40), Some(10)));
    assert_eq!(plain.machine.tick, None, "the tick reaches predictions only");
    let own = read(&format!("[machine]\nwake = '7us'\n{TASKS}"));
    assert_eq!((wake(&own), block(&own)), (Some(7), Some(10)));
    let free = read(&format!("[machine]\nwake = '0us'\n{TASKS}"));
    assert_eq!(wake(&free), Some(0), "to cost nothing is to say something");
    // The class that comes nearest to the policy, and the executor, have costs of their own.
    let fair = read(&format!("[scheduler]\npolicy = 'eevdf'\n{TASKS}"));
    assert_eq!((block(&fair), fair.scheduler.label()), (Some(5), "eevdf (base slice 1.4ms)".to_owned()));
    assert_eq!(wake(&read(&format!("executor = 'async'\n{TASKS}"))), Some(70));
    let textbook = read(&format!("[scheduler]\npolicy = 'cfs'\nbase-slice = '3ms'\n{TASKS}"));
    assert!(!textbook.scheduler.label().contains("1.4ms"), "{}", textbook.scheduler.label());
}

#[test]
fn a_prediction_plays_what_ran_unless_the_file_names_a_policy() {
    let profile = profile(PROFILE);
    let unnamed = prediction(TASKS, &profile, Some(Class::Fifo));
    assert_eq!(unnamed.scheduler.kind.name, "linux");
    assert!(unnamed.specs.iter().all(|spec| spec.attributes.class == SchedulingClass::Fifo));
    assert_eq!(
        (unnamed.machine.tick.map(|tick| tick.ns()), unnamed.machine.tick_phase.ns()),
        (Some(4_000_000), 3_000_000)
    );
    let ordinary = prediction(TASKS, &profile, Some(Class::Other));
    assert!(ordinary.specs.iter().all(|spec| spec.attributes.class == SchedulingClass::Other));
    assert_eq!(block(&ordinary), Some(5));
    let named = prediction(&format!("[scheduler]\npolicy = 'sjf'\n{TASKS}"), &profile, Some(Class::Other));
    assert_eq!(named.scheduler.kind.name, "sjf");
    // A thread that dispatches does not go by the kernel's ticks.
    let dispatched = prediction(&format!("[scheduler]\npolicy = 'sjf'\n{TASKS}"), &profile, None);
    assert_eq!(dispatched.machine.tick, None);
    // tokio is what runs where the file says no more than `async`.
    let looped = prediction(&format!("executor = 'async'\n{TASKS}"), &profile, Some(Class::Fifo));
    let makespan = run(&looped).0.makespan().ns();
    let exact = run(&prediction(
        &format!("executor = {{ kind = 'async', timer = '1us' }}\n{TASKS}"),
        &profile,
        Some(Class::Fifo),
    ));
    assert!(makespan > exact.0.makespan().ns() + 300_000, "timers ring at whole milliseconds: {makespan}");
}

#[test]
fn an_ensemble_differs_in_what_the_machine_does_and_not_in_what_tasks_do() {
    let random = profile("[machine]\nwake = { samples = ['20us', '40us', '90us'] }");
    let text = "seed = 7\n[[task]]\nname = 'A'\nprogram = [{ repeat = 5, do = [{ cpu = { uniform = ['1ms', '2ms'] } }, { sleep = '1ms' }] }]";
    let scenario = prediction(text, &random, Some(Class::Fifo));
    let machines: Vec<Scenario> = ensemble(&scenario).collect();
    assert_eq!(machines.len() as u64, ENSEMBLE);
    let timelines: Vec<_> = machines.iter().map(|machine| run(machine).0).collect();
    let work = |index: usize| {
        let stays = timelines[index].intervals.iter().filter(|stay| stay.what == sim_core::timeline::What::Run);
        stays.map(|stay| stay.end.since(stay.start).ns()).sum::<u64>()
    };
    assert!((1..30).all(|index| work(index) == work(0)), "programs draw what they always draw");
    let mut makespans: Vec<_> = timelines.iter().map(|timeline| timeline.makespan()).collect();
    makespans.sort_unstable();
    makespans.dedup();
    assert!(makespans.len() > 5, "{makespans:?}");
    // The first is what the seed of the file gives, and a machine without chance is one machine.
    assert_eq!(machines[0].machine_seed, 7);
    let constant = prediction(text, &profile("[machine]\nwake = '40us'"), Some(Class::Fifo));
    assert_eq!(ensemble(&constant).count(), 1);
}

#[test]
fn what_is_wrong_with_a_profile_is_told_at_its_place() {
    let wrong = |text: &str| Profile::read(&Source { file: "host.toml", text }).unwrap_err().to_string();
    for (text, told) in [
        ("[machine]\nwakes = '1us'", "did you mean `wake`?"),
        ("[machine]\nwake = 5", "host.toml:2:8"),
        ("[class.ordinary]\nwake = '1us'", "there is no section `ordinary`"),
        ("[executor.asink]\nwake = '1us'", "did you mean `async`?"),
        ("[scheduler]\nplacement = 'mine'", "`placement`"),
        ("[machines]\nwake = '1us'", "did you mean `machine`?"),
    ] {
        let found = wrong(text);
        assert!(found.contains(told), "{text}: {found}");
    }
}

#[test]
fn a_scenario_names_its_profile_by_a_path_from_where_it_is() {
    let folder = temporary_folder("profiles");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    std::fs::create_dir_all(folder.join("inner")).expect("made");
    write("host.toml", PROFILE);
    let text = format!("[machine]\nprofile = '../host.toml'\n{TASKS}");
    write("inner/a.toml", &text);
    write("inner/lost.toml", &text.replace("host", "nowhere"));
    let makespan = |more: &[&str]| {
        let file = folder.join("inner/a.toml").display().to_string();
        let output = sim(&[&["run", &file, "--json"], more].concat());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        json["makespan_ns"].as_u64().expect("a number")
    };
    // The second begins when the first blocks, 3 ms after that was woken, and is woken itself 2 ms after it has run for 3.
    assert_eq!(makespan(&[]), 40_000 + 3_000_000 + 10_000 + 3_000_000 + 2_000_000 + 40_000 + 1_000_000);
    assert_eq!(makespan(&["--set", "machine.block=0us"]), 9_080_000);
    let lost = sim(&["run", &folder.join("inner/lost.toml").display().to_string()]);
    let said = String::from_utf8_lossy(&lost.stderr).into_owned();
    assert!(lost.status.code() == Some(2) && said.contains("../nowhere.toml"), "{said}");
}

#[test]
fn a_comparison_has_a_prediction_where_it_is_told_of_a_profile() {
    let folder = temporary_folder("predicted");
    let (file, profile) = (folder.join("a.toml"), folder.join("host.toml"));
    std::fs::write(&file, TASKS).expect("written");
    std::fs::write(&profile, PROFILE).expect("written");
    let compare = |more: &[&str]| {
        let output = sim(&[&["compare", &file.display().to_string(), "--runs", "2", "--json"], more].concat());
        serde_json::from_slice::<serde_json::Value>(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    };
    let without = compare(&[]);
    assert_eq!((&without["comparison"]["basis"], &without["predicted"]), (&"ideal".into(), &serde_json::json!([])));
    assert!(without["comparison"]["predicted"].is_null() && !without["comparison"]["ideal"].is_null());
    let with = compare(&["--profile", &profile.display().to_string()]);
    let comparison = &with["comparison"];
    assert_eq!((&comparison["basis"], with["predicted"].as_array().map(Vec::len)), (&"predicted".into(), Some(1)));
    assert_eq!(
        with["simulated"]["makespan_ns"], without["simulated"]["makespan_ns"],
        "the ideal is what the file says"
    );
    assert_eq!(comparison["makespan_error"], comparison["predicted"]["makespan_error"], "old keys go by the basis");
    if comparison["comparable"] == true {
        assert!(comparison["predicted"]["inside_band"].is_boolean() && comparison["ideal"]["inside_band"].is_null());
    }
    let random = folder.join("random.toml");
    std::fs::write(&random, "[machine]\nwake = { samples = ['20us', '90us'] }").expect("written");
    let drawn = compare(&["--profile", &random.display().to_string(), "--seed", "5"]);
    let seeds: Vec<u64> =
        drawn["predicted"].as_array().expect("a list").iter().filter_map(|run| run["seed"].as_u64()).collect();
    assert_eq!(seeds, (5..35).collect::<Vec<u64>>(), "one for each machine");
    let none = compare(&["--profile", "none"]);
    assert_eq!(none["comparison"]["basis"], "ideal");
}

#[test]
fn the_profiles_that_ship_can_be_used() {
    for file in crate::support::files_below(&crate::support::root().join("profiles"), "toml") {
        let text = std::fs::read_to_string(&file).expect("readable");
        let profile = profile(&text);
        assert!(profile.about.iter().any(|(key, _)| key == "kernel"), "{}", file.display());
        for policy in ["fifo", "linux", "eevdf"] {
            prediction(&format!("[scheduler]\npolicy = '{policy}'\n{TASKS}"), &profile, Some(Class::Other));
        }
    }
}
