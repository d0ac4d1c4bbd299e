//! The clients of Slurm as programs: each may answer, refuse, or hang for as long as its controller is away.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::interruption;

/// Between two looks whether a client has ended.
const LOOK: Duration = Duration::from_millis(10);

/// How a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// It worked, and wrote this.
    Said(String),
    /// It failed with these words.
    Refused(String),
    /// It did not end in time, or Ctrl-C was pressed; for people.
    Nothing(String),
}

/// May Ctrl-C cut a call short?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Haste {
    /// It only asks.
    CtrlC,
    /// It changes something, and what it has done must be known.
    None,
}

/// The first of these programs that is nowhere on the `PATH`.
pub(super) fn missing(programs: &[&'static str]) -> Option<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    programs.iter().copied().find(|program| !is_there(program))
}

/// Calls a client in a folder and waits for it, but no longer than this. Ctrl-C of the terminal does not reach it.
pub(super) fn call(program: &str, arguments: &[&str], folder: &Path, patience: Duration, haste: Haste) -> Answer {
    let cannot = |error: &dyn std::fmt::Display| Answer::Nothing(format!("`{program}` does not start: {error}"));
    let files = tempfile::tempfile().and_then(|out| Ok((out, tempfile::tempfile()?)));
    let (mut out, mut err) = match files {
        Ok(files) => files,
        Err(error) => return cannot(&error),
    };
    let start = |out: &File, err: &File| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).process_group(0);
        command.stdout(out.try_clone()?).stderr(err.try_clone()?).spawn()
    };
    let mut child = match start(&out, &err) {
        Ok(child) => child,
        Err(error) => return cannot(&error),
    };
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return answer(program, status, &text(&mut out), &text(&mut err)),
            Ok(None) => {}
            Err(error) => return cannot(&error),
        }
        let is_over = begun.elapsed() >= patience;
        if is_over || (haste == Haste::CtrlC && interruption::asked()) {
            end(&mut child);
            return Answer::Nothing(format!("`{program}` has not answered in {} s", patience.as_secs_f64()));
        }
        thread::sleep(LOOK);
    }
}

fn answer(program: &str, status: ExitStatus, out: &str, err: &str) -> Answer {
    if status.success() {
        return Answer::Said(out.to_owned());
    }
    let words = if err.trim().is_empty() { out.trim() } else { err.trim() };
    Answer::Refused(if words.is_empty() { format!("`{program}` ended with {status}") } else { words.to_owned() })
}

/// Ends a client and what it has started.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    drop(child.wait());
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_answers_refuses_or_hangs() {
        let shell = |script: &str, patience| {
            call("sh", &["-c", script], Path::new("/"), Duration::from_millis(patience), Haste::None)
        };
        assert_eq!(shell("echo 12; echo warning >&2", 60_000), Answer::Said("12\n".to_owned()));
        assert_eq!(shell("echo no >&2; exit 1", 60_000), Answer::Refused("no".to_owned()));
        assert!(matches!(shell("exit 3", 60_000), Answer::Refused(words) if words.contains("exit status: 3")));
        assert!(matches!(shell("sleep 100 & wait", 100), Answer::Nothing(words) if words.contains("has not answered")));
        let nowhere = call("no-such-program", &[], Path::new("/"), Duration::from_secs(1), Haste::None);
        assert!(matches!(nowhere, Answer::Nothing(_)));
        assert_eq!(missing(&["sh", "no-such-program"]), Some("no-such-program"));
    }
}
