//! `sim check --format json`: all that is wrong with files, and what in them is hardly meant, for editors.

use serde::Serialize;
use sim_core::document::{Mistake, Mistakes, Place, Source};
use sim_core::experiment::Experiment;
use sim_core::scenario::lower;

use super::super::input::{self, Input, Inputs};
use super::super::{Failure, Verdict};
use crate::args::CheckArgs;
use crate::output;

/// Something to say about a file, as it is written: all keys are always there.
#[derive(Serialize)]
struct Item {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    /// Behind the last character.
    end: Option<End>,
    severity: Severity,
    message: String,
    hint: Option<String>,
    /// The key it is about, as `--set` writes it.
    path: Option<String>,
    /// The option of the command line that it is about.
    option: Option<String>,
}

#[derive(Serialize)]
struct End {
    line: usize,
    column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Remark,
}

impl Item {
    /// About a file as a whole.
    fn whole(file: &str, severity: Severity, message: &str, hint: Option<&str>) -> Item {
        Item {
            file: file.to_owned(),
            line: None,
            column: None,
            end: None,
            severity,
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
            path: None,
            option: None,
        }
    }

    /// Of what was wrong in other ways than a mistake in the document: as people would be told.
    fn failure(file: &str, Failure(text): &Failure) -> Item {
        let text = text.strip_prefix("sim: ").unwrap_or(text).trim_end();
        let (message, hint) = text.split_once("\nhint: ").map_or((text, None), |(message, hint)| (message, Some(hint)));
        Item::whole(file, Severity::Error, message, hint)
    }

    fn mistake(file: &str, severity: Severity, mistake: &Mistake) -> Item {
        let whole = Item::whole(file, severity, &mistake.sentence, mistake.hint.as_deref());
        let item =
            Item { end: mistake.end.map(|(line, column)| End { line, column }), path: mistake.path.clone(), ..whole };
        match &mistake.place {
            Place::Whole { .. } => item,
            Place::Point { line, column, .. } => Item { line: Some(*line), column: Some(*column), ..item },
            Place::Override(option) => Item { option: Some(option.clone()), ..item },
        }
    }

    fn mistakes(file: &str, mistakes: &Mistakes) -> Vec<Item> {
        let mut items: Vec<Item> =
            mistakes.iter().map(|mistake| Item::mistake(file, Severity::Error, mistake)).collect();
        let more = mistakes.count() - items.len();
        if more > 0 {
            items.push(Item::whole(file, Severity::Error, &format!("there are {more} more mistakes"), None));
        }
        items
    }
}

/// Prints all that there is to say about the files.
pub(super) fn check(args: &CheckArgs, inputs: &Inputs) -> Result<Verdict, Failure> {
    let mut items = Vec::new();
    for (path, input) in args.files.iter().zip(inputs) {
        match input {
            Ok(input) => items.extend(about(args, input)),
            Err(failure) => items.push(Item::failure(&input::named(path), failure)),
        }
    }
    output::json(&items);
    match items.iter().filter(|item| item.severity == Severity::Error).count() {
        0 => Ok(Verdict::Done),
        1 => Err(Failure::from("1 mistake".to_owned())),
        count => Err(Failure::from(format!("{count} mistakes"))),
    }
}

/// All that there is to say about a file.
fn about(args: &CheckArgs, input: &Input) -> Vec<Item> {
    let file = input.named();
    if Experiment::is_one(input.text()) {
        return match Experiment::read(&Source { file: &file, text: input.text() }) {
            Err(mistakes) => Item::mistakes(&file, &mistakes),
            Ok(_) => super::experiment(args, input).err().iter().map(|why| Item::failure(&file, why)).collect(),
        };
    }
    let parsed = input.parsed();
    if let Err(mistakes) = lower::document(parsed.document(), &input::overrides(&args.scenario, &[])) {
        return Item::mistakes(&file, &mistakes);
    }
    // With the profile that it names.
    let (scenario, remarks) = match parsed.scenario(&args.scenario, &[]) {
        Ok(read) => read,
        Err(failure) => return vec![Item::failure(&file, &failure)],
    };
    let remark = |message: &str, hint: Option<&str>| Item::whole(&file, Severity::Remark, message, hint);
    let mut items: Vec<Item> = remarks.iter().map(|found| Item::mistake(&file, Severity::Remark, found)).collect();
    items.extend(input::remark_of_policy(&scenario).map(|message| remark(message, None)));
    for why in sim_real::not_in_python(&scenario) {
        items.push(remark(&format!("`sim measure` refuses this: {}", why.reason), Some(&why.hint)));
    }
    items
}
