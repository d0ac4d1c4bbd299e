//! Which CPython runs: found by name, asked who it is, and remembered.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// The oldest that is measured: its threads know their kernel's numbers, and its pools start no more processes than they need.
const OLDEST: (u32, u32) = (3, 9);

/// Looked for in this order where none is named.
const NAMES: &[&str] = &["python3", "python"];

/// What an interpreter is asked: where it really is, and what it is. A program on the way to it would be started each time.
const QUESTION: &str = r#"
import json, sys
locked = getattr(sys, "_is_gil_enabled", lambda: True)()
print(json.dumps({"program": sys.executable, "implementation": sys.implementation.name, "version": list(sys.version_info[:3]),
                  "locked": locked}))
"#;

/// So long it may take to answer: on a slow disk the first start takes some seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// An interpreter of this machine.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct Interpreter {
    /// Its program.
    pub(crate) program: String,
    implementation: String,
    version: (u32, u32, u32),
    /// Has it an interpreter lock?
    pub(crate) locked: bool,
}

impl Interpreter {
    /// What it is, for people: `CPython 3.13.0`.
    pub(crate) fn name(&self) -> String {
        let (major, minor, patch) = self.version;
        let free = if self.locked { "" } else { ", free-threaded" };
        format!("CPython {major}.{minor}.{patch}{free}")
    }

    /// Has its asyncio barriers?
    pub(crate) fn has_async_barriers(&self) -> bool {
        (self.version.0, self.version.1) >= (3, 11)
    }

    /// The rules after which a scenario would be simulated that it ran: `cpython-3.13`.
    pub(crate) fn rules(&self) -> String {
        let (major, minor, _) = self.version;
        format!("cpython-{major}.{minor}{}", if self.locked { "" } else { "t" })
    }
}

/// The interpreter of that name, or the first that is found.
pub(crate) fn find(named: Option<&str>) -> Result<Arc<Interpreter>, Unmeasurable> {
    static FOUND: Mutex<BTreeMap<Option<String>, Arc<Interpreter>>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let key = named.map(str::to_owned);
    if let Some(known) = found.get(&key) {
        return Ok(Arc::clone(known));
    }
    let interpreter = Arc::new(look(named)?);
    found.insert(key, Arc::clone(&interpreter));
    Ok(interpreter)
}

fn look(named: Option<&str>) -> Result<Interpreter, Unmeasurable> {
    let names = named.map_or_else(|| NAMES.to_vec(), |name| vec![name]);
    let Some(answer) = names.iter().find_map(|name| ask(name, PATIENCE)) else {
        return Err(Unmeasurable::no_python(named));
    };
    let found = answer.map_err(|why| Unmeasurable::not_python(names[0], &why))?;
    if found.implementation != "cpython" {
        return Err(Unmeasurable::not_python(names[0], &format!("it is {}", found.implementation)));
    }
    if (found.version.0, found.version.1) < OLDEST {
        let (major, minor) = OLDEST;
        return Err(Unmeasurable::not_python(names[0], &format!("{} is older than {major}.{minor}", found.name())));
    }
    Ok(found)
}

/// Nothing if there is no such program. It and all that it starts are given up after a while.
fn ask(name: &str, patience: Duration) -> Option<Result<Interpreter, String>> {
    let mut command = Command::new(name);
    command.args(["-I", "-c", QUESTION]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(_) if Path::new(name).is_dir() => return Some(Err(folder(Path::new(name)))),
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(format!("it cannot be started: {error}"))),
    };
    let asked = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if asked.elapsed() > patience {
            sys::kill_group(child.id());
            let _ = child.wait();
            return Some(Err(format!("it has not answered for {} s", patience.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().ok()?;
    let answer = String::from_utf8_lossy(&output.stdout);
    Some(serde_json::from_str(answer.trim()).map_err(|_| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let first = complaint.trim().lines().next().filter(|line| line.contains("ython"));
        first.unwrap_or("it does not answer like one").to_owned()
    }))
}

/// A folder is no interpreter, but may have one.
fn folder(named: &Path) -> String {
    let program = ["bin/python3", "python3"].map(|program| named.join(program)).into_iter().find(|path| path.is_file());
    program
        .map_or_else(|| "it is a folder".into(), |path| format!("it is a folder; an interpreter is {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_python_is_refused_by_name() {
        let refused = look(Some("no-such-interpreter")).expect_err("there is none");
        assert!(refused.reason.contains("no-such-interpreter"), "{refused}");
        let refused = look(Some("true")).expect_err("that is something else");
        assert!(refused.reason.contains("`true`"), "{refused}");
        let refused = look(Some("/etc")).expect_err("that is no program");
        assert!(refused.reason.ends_with("it is a folder"), "{refused}");
        let refused = look(Some("/usr")).expect_err("that is no program either, but has one");
        assert!(refused.reason.contains("it is a folder"), "{refused}");
        let refused = look(Some("/etc/passwd")).expect_err("that cannot be started");
        assert!(refused.reason.contains("it cannot be started"), "{refused}");
    }

    #[test]
    fn what_never_answers_is_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let silent = folder.path().join("python3");
        // It starts another, as programs on the way to an interpreter do.
        std::fs::write(&silent, "#!/bin/sh\nsleep 600 | cat\n").expect("written");
        std::fs::set_permissions(&silent, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a program");
        let silent = silent.display().to_string();
        let asked = Instant::now();
        let why = ask(&silent, Duration::from_secs(1)).expect("there is such a program").expect_err("it is silent");
        assert_eq!(why, "it has not answered for 1 s");
        assert!(asked.elapsed() < Duration::from_secs(60));
        let refused = Unmeasurable::not_python(&silent, &why);
        assert!(refused.reason.contains(&silent) && refused.reason.contains(&why), "{refused}");
    }

    #[test]
    fn versions_are_named_as_their_rules() {
        let of =
            |locked| Interpreter { program: "p".into(), implementation: "cpython".into(), version: (3, 13, 2), locked };
        assert_eq!([of(true).rules(), of(false).rules()], ["cpython-3.13", "cpython-3.13t"]);
        assert_eq!(of(false).name(), "CPython 3.13.2, free-threaded");
    }
}
