//! `sim export`: a scenario as a short program of another language.

use super::input::{Input, overrides};
use super::{Failure, Verdict};
use crate::args::ExportArgs;
use crate::program::{LANGUAGES, Refusal, Written, program};
use crate::{files, output};

pub(super) fn export(args: &ExportArgs) -> Result<Verdict, Failure> {
    let language = LANGUAGES.iter().find(|language| language.name == args.to);
    let language = language.ok_or_else(|| Failure::from(format!("there is no language `{}`", args.to)))?;
    if let Some(out) = &args.out {
        files::check(out, std::slice::from_ref(&args.file))?;
    }
    let input = Input::read(&args.file)?;
    let parsed = input.parsed();
    let scenario = parsed.scenario_aloud(&args.scenario, false)?;
    let written = Written { file: &input.named(), text: input.text(), sets: &overrides(&args.scenario, &[]) };
    let text = program(language, &scenario, &written)
        .map_err(|refused| Failure(told(&refused, &input.named(), language.name)))?;
    match &args.out {
        None => output::data(&text),
        Some(out) => {
            files::write(out, text.as_bytes())?;
            output::talk(&format!("program: {}", out.display()));
        }
    }
    Ok(Verdict::Done)
}

/// All reasons, each with what to do instead.
fn told(refused: &[Refusal], file: &str, language: &str) -> String {
    let reasons = refused.iter().map(|refusal| format!("{}\nhint: {}", refusal.what, refusal.instead));
    format!("sim: cannot export {file} to {language}:\n{}", reasons.collect::<Vec<_>>().join("\n"))
}
