//! Profiles as files: TOML that people read, compare and keep under version control.

use std::fmt::Write as _;

use sim_core::scenario::STEPPED;
use sim_core::time::Span;
use sim_real::{Calibration, STEPS, Section, machine_description};

/// A cost has so many samples in the file: the means of as many equal parts of all.
const KEPT: usize = 20;

/// Costs that are the same each time: their median.
const CONSTANT: &[&str] = &["task-switch", "thread-start"];

/// What starting a process takes of its parent, and of the child: two parts of one cost.
const PARENT: &str = "-parent";
const CHILD: &str = "-child";

/// The profile of a calibration.
#[must_use]
pub fn toml(calibration: &Calibration) -> String {
    let mut text = String::from(
        "# What a machine costs, measured by `sim calibrate`. A scenario uses it by `profile` of [machine], and its own keys win;\n\
         # `sim compare --profile` predicts real runs with it. What is absent could not be measured. docs/scenarios.md has the keys.\n\n\
         [about]\n",
    );
    for (key, value) in machine_description() {
        let _ = writeln!(text, "{key} = {}", quoted(&value));
    }
    let (runs, disturbed) = calibration.runs;
    let _ = writeln!(text, "measured-by = {}", quoted(concat!("sim ", env!("CARGO_PKG_VERSION"))));
    let _ = writeln!(text, "runs = {runs}\nset-aside = {disturbed}");
    let mut timer = calibration.timer;
    for (name, section) in &calibration.sections {
        let _ = write!(text, "\n# {}\n[{name}]\n", meaning(name));
        if *name == "machine" {
            text += &timer_lines(timer.take());
        }
        text += &costs(section);
    }
    if timer.is_some() {
        let _ = write!(text, "\n[machine]\n{}", timer_lines(timer));
    }
    if !calibration.kernel.is_empty() {
        text += "\n# What the kernel's own policies are set to.\n[scheduler]\n";
        for (key, value, how) in &calibration.kernel {
            let _ = writeln!(text, "{key} = {value}  # {how}");
        }
    }
    if !calibration.missing.is_empty() {
        text += "\n# Not measured:\n";
        for (what, why) in missing(calibration) {
            let why = why.lines().next().unwrap_or_default();
            let _ = writeln!(text, "#   {what}: {why}");
        }
    }
    text
}

/// What could not be measured, and why: each reason once, with all that is missing for it.
#[must_use]
pub fn missing(calibration: &Calibration) -> Vec<(String, &str)> {
    let mut reasons: Vec<(Vec<&str>, &str)> = Vec::new();
    for (what, why) in &calibration.missing {
        match reasons.iter_mut().find(|(_, known)| known == why) {
            Some((all, _)) if all.contains(&what.as_str()) => {}
            Some((all, _)) => all.push(what),
            None => reasons.push((vec![what], why)),
        }
    }
    reasons.into_iter().map(|(all, why)| (all.join(", "), why)).collect()
}

fn timer_lines(timer: Option<(Span, Option<Span>)>) -> String {
    let Some((tick, phase)) = timer else { return String::new() };
    let phase =
        phase.map_or_else(String::new, |phase| format!("tick-phase = \"{phase}\"  # when after the start of a run\n"));
    format!("tick = \"{tick}\"\n{phase}")
}

/// The word for what has lasted where this cost has steps.
pub fn lasted(key: &str) -> &'static str {
    STEPPED.iter().find(|(name, _)| *name == key).map_or("", |(_, word)| word)
}

fn costs(section: &Section) -> String {
    let mut text = String::new();
    for (key, sorted) in &section.samples {
        let steps = STEPS.iter().find(|steps| steps.iter().any(|(step, _)| step == key));
        let measured = |steps: &&[(&'static str, Span)]| -> Vec<(&'static str, Span)> {
            steps.iter().copied().filter(|(step, _)| section.samples.contains_key(step)).collect()
        };
        match steps.map(|steps| (steps[0].0, measured(steps))) {
            None if key.ends_with(CHILD) => {}
            None if key.ends_with(PARENT) => {
                let method = key.trim_end_matches(PARENT);
                let child = section.samples.iter().find(|(key, _)| key.strip_suffix(CHILD) == Some(method));
                let child = child.map_or("0us".into(), |(key, samples)| cost(key, samples));
                let _ = writeln!(text, "{method} = {{ parent = {}, child = {child} }}", cost(key, sorted));
            }
            None => {
                let _ = writeln!(text, "{key} = {}", cost(key, sorted));
            }
            Some((name, steps)) if steps.len() == 1 => {
                let _ = writeln!(text, "{name} = {}", cost(key, sorted));
            }
            Some((name, steps)) if steps[0].0 == *key => {
                let _ = writeln!(text, "{name} = [\n  {{ cost = {} }},", cost(key, sorted));
                for (step, from) in &steps[1..] {
                    let (word, cost) = (lasted(name), cost(step, &section.samples[step]));
                    let _ = writeln!(text, "  {{ {word} = \"{from}\", cost = {cost} }},");
                }
                text += "]\n";
            }
            Some(_) => {}
        }
    }
    let counts: Vec<String> =
        section.samples.iter().map(|(key, samples)| format!("{key} = {}", samples.len())).collect();
    let _ = writeln!(text, "counts = {{ {} }}", counts.join(", "));
    text
}

/// A cost, as its samples or as one value.
fn cost(key: &str, sorted: &[Span]) -> String {
    let parts = if CONSTANT.contains(&key) { 1 } else { KEPT };
    let values: Vec<String> = kept(sorted, parts).iter().map(|span| format!("\"{span}\"")).collect();
    match values.as_slice() {
        [only] => only.clone(),
        _ => format!("{{ samples = [{}] }}", values.join(", ")),
    }
}

/// The means of equal parts, so that their mean is that of all: what takes long now and then is a part of what runs take. Of a
/// cost that is the same each time, the median.
fn kept(sorted: &[Span], most: usize) -> Vec<Span> {
    if most == 1 {
        return vec![rounded(sorted[sorted.len() / 2])];
    }
    let parts = sorted.len().min(most);
    let part = |index: usize| &sorted[index * sorted.len() / parts..(index + 1) * sorted.len() / parts];
    let mean = |of: &[Span]| Span::from_ns(of.iter().map(|span| span.ns()).sum::<u64>() / of.len() as u64);
    (0..parts).map(|index| rounded(mean(part(index)))).collect()
}

/// Ten nanoseconds are more than clocks tell.
fn rounded(span: Span) -> Span {
    Span::from_ns(span.ns() / 10 * 10)
}

fn meaning(section: &str) -> &'static str {
    match section.split_once('.') {
        None => "Threads, in a real-time class.",
        Some(("class", "other")) => "Ordinary threads, where they differ.",
        Some(("class", _)) => {
            "Threads that a thread of ours dispatches by a policy of the scenario, where they differ."
        }
        Some(("cpython", _)) => "What CPython makes of this executor, where it differs.",
        Some(_) => "The threads of this executor, where they differ.",
    }
}

/// A text in TOML.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_with_all_that_is_missing_for_it() {
        let because = |what: &str, why: &str| (what.to_owned(), why.to_owned());
        let missing = vec![
            because("pools", "no rights"),
            because("waking", "too busy"),
            because("pools", "no rights"),
            because("processes", "no rights"),
        ];
        let calibration = Calibration { missing, ..Calibration::default() };
        let told = super::missing(&calibration);
        assert_eq!(told, [("pools, processes".to_owned(), "no rights"), ("waking".to_owned(), "too busy")]);
        assert!(toml(&calibration).contains("#   pools, processes: no rights\n#   waking: too busy\n"));
    }
}
