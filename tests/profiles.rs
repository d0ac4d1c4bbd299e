//! Profiles of machines: laid beneath scenarios, and held against real runs as predictions.

use sim_core::document::{Override, Source};
use sim_core::policy::SchedulingClass;
use sim_core::policy::on_linux::Class;
use sim_core::scenario::{ENSEMBLE, Profile, Ran, Scenario, ensemble, lower, predicted};

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
    predicted(&document, &[], profile, &Ran { class: ran, interpreters: Vec::new() })
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
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
fn a_prediction_hands_quotas_out_as_the_kernel_does_unless_the_file_says_how() {
    let slice = |group: &str| {
        let tasks = "[[process]]\nname = 'p'\ngroup = 'g'\n[[process.task]]\nname = 'A'\nprogram = [{ cpu = '1ms' }]";
        let text = format!("[[group]]\nname = 'g'\n{group}\n{tasks}");
        let scenario = prediction(&text, &profile(PROFILE), Some(Class::Other));
        scenario.groups.iter().next().and_then(|group| group.quota.as_ref()?.slice).map(|slice| slice.ns() / 1000)
    };
    assert_eq!(slice("quota = '50ms'"), Some(5000));
    assert_eq!(slice("quota = '50ms'\nslice = '2ms'"), Some(2000));
    assert_eq!(slice("weight = 200"), None);
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
fn a_comparison_warns_of_a_profile_of_another_machine_or_without_costs() {
    let folder = temporary_folder("elsewhere");
    let (file, profile, trace) = (folder.join("a.toml"), folder.join("host.toml"), folder.join("t.json"));
    std::fs::write(&file, TASKS).expect("written");
    let warned = |text: &str| {
        std::fs::write(&profile, text).expect("written");
        let [file, profile, trace] = [&file, &profile, &trace].map(|path| path.display().to_string());
        let output = sim(&["compare", &file, "--runs", "1", "--json", "--profile", &profile, "--trace", &trace]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let warnings = document["comparison"]["warnings"].as_array().expect("a list").clone();
        let mut warnings: Vec<String> = warnings.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
        warnings.retain(|warning| warning.contains("the profile "));
        for warning in &warnings {
            assert_eq!(said.matches(warning.as_str()).count(), 1, "{said}");
        }
        warnings
    };
    let [elsewhere, incomplete] = &warned(PROFILE)[..] else { panic!("two warnings") };
    assert!(elsewhere.contains("is of another machine (kernel one, here "), "{elsewhere}");
    assert!(incomplete.contains("has no `context-switch` for threads "), "{incomplete}");
    let whole = "[machine]\ncontext-switch = '1us'\nwake = '2us'\nblock = '0us'\nexit = '3us'";
    assert_eq!(warned(whole), [""; 0], "of which machine it is nobody says");
    let [many, nothing] = &warned("[about]\nprocessors = 5000")[..] else { panic!("two warnings") };
    assert!(many.contains("number of processors 5000, here "), "{many}");
    assert!(nothing.contains("`context-switch`, `wake`, `block`, `exit`"), "{nothing}");
    for name in ["t.json", "t-predicted.json", "t-measured.json"] {
        let text = std::fs::read(folder.join(name)).expect("written");
        serde_json::from_slice::<serde_json::Value>(&text).expect("a trace");
    }
}

#[test]
fn a_profile_lacks_what_neither_it_nor_the_scenario_says() {
    let lacks = |text: &str, more: &str, ran: Option<Class>| {
        let profile = profile(text);
        profile.lacks(&prediction(&format!("{more}\n{TASKS}"), &profile, ran), ran)
    };
    assert_eq!(lacks(PROFILE, "", Some(Class::Other)), ["context-switch"]);
    assert_eq!(lacks(PROFILE, "[machine]\ncontext-switch = '1us'", Some(Class::Other)), [""; 0]);
    let other = "[class.other]\nwake = '1us'\nblock = '1us'\nexit = '1us'\n[machine]\ncontext-switch = { samples = ['1us', '2us'] }";
    assert_eq!(lacks(other, "", Some(Class::Other)), [""; 0]);
    for ran in [Some(Class::Fifo), None] {
        assert_eq!(lacks(other, "", ran), ["wake", "block", "exit"], "{ran:?}");
    }
    assert_eq!(lacks("", "", Some(Class::Fifo)), ["context-switch", "wake", "block", "exit"]);
}

#[test]
fn what_is_no_profile_is_refused_with_how_to_make_one() {
    let folder = temporary_folder("no-profile");
    let named = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("written");
        folder.join(name).display().to_string()
    };
    let scenario = named("a.toml", TASKS);
    let cases = [
        (scenario.clone(), "is no profile, but a scenario"),
        (named("notes.md", "# Notes\n\nA profile = a file."), "is no profile: one begins with a section"),
        (named("picture.png", "\u{89}PNG"), "is no profile: one begins with a section"),
        (folder.display().to_string(), "it is a folder, and a profile is one file"),
        (folder.join("nowhere.toml").display().to_string(), "cannot read"),
        (named("damaged.toml", "[machine]\nwakes = '1us'"), "did you mean `wake`?"),
    ];
    for (path, words) in &cases {
        crate::cli::refused(&["compare", &scenario, "--profile", path], &[words, "sim calibrate -o host.toml"]);
    }
    std::fs::create_dir(folder.join("all")).expect("made");
    named("all/a.toml", TASKS);
    let all = folder.join("all").display().to_string();
    crate::cli::refused(&["validate", &all, "--profile", &scenario], &["is no profile, but a scenario"]);
    crate::cli::refused(&["calibrate", "-o", "-"], &["outputs have names", "/dev/stdout"]);
    crate::cli::refused(&["generate", "--class", "async", "--seed", "1", "-o", "-"], &["outputs have names"]);
}

#[test]
fn each_band_of_a_picture_names_its_own_policy() {
    let folder = temporary_folder("bands");
    let [file, profile, picture] = ["a.toml", "host.toml", "a.svg"].map(|name| folder.join(name).display().to_string());
    std::fs::write(&file, format!("executor = {{ kind = 'threads', gil = '5ms' }}\n{TASKS}")).expect("written");
    std::fs::write(&profile, PROFILE).expect("written");
    sim(&["compare", &file, "--runs", "1", "-q", "--profile", &profile, "--plot", &picture]);
    let drawn = std::fs::read_to_string(&picture).expect("drawn");
    for words in ["1 processor, seed 0", "fifo · what the file says", "SCHED_OTHER · costs of"] {
        assert!(drawn.contains(words), "no {words}");
    }
    // The strip is between two of three bands.
    assert!(!drawn.contains("run in both"), "{drawn}");
}

#[test]
fn the_phase_of_ticks_may_stand_where_anything_ticks() {
    let folder = temporary_folder("phase");
    std::fs::write(folder.join("host.toml"), PROFILE).expect("written");
    let check = |machine: &str, scheduler: &str| {
        let text = format!("[machine]\ntick-phase = '3ms'\n{machine}\n[scheduler]\n{scheduler}\n{TASKS}");
        std::fs::write(folder.join("a.toml"), text).expect("written");
        let output = sim(&["check", &folder.join("a.toml").display().to_string()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), said.is_empty(), "{said}");
        said
    };
    for (machine, scheduler) in [
        ("tick = '4ms'", ""),
        ("", "policy = 'linux'"),
        ("", "policy = 'eevdf'"),
        ("", "policy = 'cfs'\ntick = '4ms'"),
        ("", "policy = 'round-robin'\nquantum = '8ms'\ntick = '4ms'"),
        // The tick of the policy is the one that counts.
        ("tick = '1ms'", "policy = 'linux'\ntick = '4ms'"),
        ("profile = 'host.toml'", ""),
    ] {
        assert_eq!(check(machine, scheduler), "", "{machine} {scheduler}");
    }
    for (machine, scheduler, words) in [
        ("", "", "there is no `tick`"),
        ("", "policy = 'cfs'", "there is no `tick`"),
        ("", "policy = 'linux'\ntick = '0ms'", "there is no `tick`"),
        ("", "policy = 'linux'\ntick = '2ms'", "`tick-phase` is shorter than `tick`"),
        ("tick = '3ms'", "", "`tick-phase` is shorter than `tick`"),
    ] {
        let said = check(machine, scheduler);
        assert!(said.contains(words), "{machine} {scheduler}: {said}");
    }
    // Whoever misspelt the policy hears of that alone.
    assert!(!check("", "policy = 'linx'").contains("tick"));
    // The phase of the file is one of the tick of the profile.
    let own = prediction(
        &format!("[machine]\nprofile = 'host.toml'\ntick-phase = '2ms'\n{TASKS}"),
        &profile(PROFILE),
        Some(Class::Fifo),
    );
    assert_eq!((own.machine.tick.map(|tick| tick.ns()), own.machine.tick_phase.ns()), (Some(4_000_000), 2_000_000));
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

#[test]
fn what_ran_decides_by_which_rules_python_is_predicted() {
    let rules = |text: &str, ran: &str| {
        let document = lower::parsed(&Source { file: "a.toml", text });
        let names: &[&str] = if text.starts_with("[[process]]") { &["web#0", "web#1"] } else { &["main"] };
        let interpreters = names.iter().map(|name| ((*name).to_owned(), ran.to_owned())).collect();
        let scenario = predicted(&document, &[], &profile(PROFILE), &Ran { class: Some(Class::Other), interpreters })
            .unwrap_or_else(|mistakes| panic!("{text}: {mistakes}"));
        let of = scenario.processes.iter().map(|process| {
            let lock = if process.executor.gil.is_some() { "" } else { ", no lock" };
            format!("{}{lock}", process.executor.rules.expect("there are rules"))
        });
        of.collect::<Vec<_>>().join("; ")
    };
    let named = "runtime = { kind = 'cpython', rules = 'cpython-3.13t' }\nexecutor = 'threads'\n";
    let by_executor = "runtime = 'cpython'\nexecutor = { kind = 'threads', rules = 'cpython-3.13t' }\n";
    let by_pool = "runtime = 'cpython'\nexecutor = { kind = 'async', rules = 'cpython-3.14' }\npools = { p = { kind = 'pool', rules = 'cpython-3.14' } }\n";
    let on = TASKS.replace("{ sleep = '2ms' }", "{ on = 'p', do = [{ cpu = '2ms' }] }");
    for head in [named, by_executor] {
        assert_eq!(rules(&format!("{head}{TASKS}"), "cpython-3.12"), "cpython-3.12");
        assert_eq!(rules(&format!("{head}{TASKS}"), "cpython-3.9"), "cpython-3.11", "the nearest");
        assert_eq!(rules(&format!("{head}{TASKS}"), "cpython-3.14t"), "cpython-3.13t, no lock");
    }
    assert_eq!(rules(&format!("{by_pool}{on}"), "cpython-3.13"), "cpython-3.13; cpython-3.13");
    assert_eq!(rules(&format!("runtime = 'cpython'\n{TASKS}"), "cpython-3.13t"), "cpython-3.13t, no lock");
    let listed = TASKS.replace("[[task]]", "[[process.task]]");
    for head in [named, by_executor] {
        let text = format!("[[process]]\nname = 'web'\ncount = 2\n{head}{listed}");
        assert_eq!(rules(&text, "cpython-3.11").replace(", no lock", ""), "cpython-3.11; cpython-3.11");
    }
}
