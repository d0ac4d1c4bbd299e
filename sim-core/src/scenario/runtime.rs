//! In which runtime a process runs: that of Rust programs, or CPython.

/// What runs the tasks of a process.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Runtime {
    /// Threads, futures and libraries of Rust.
    #[default]
    Rust,
    /// Python's `threading`, `asyncio`, `multiprocessing` and `concurrent.futures`, in CPython.
    CPython(CPython),
}

/// Which CPython.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CPython {
    /// The interpreter, a name or a path; `None`: the one that is found.
    pub python: Option<String>,
    /// The rules of its executors and pools that name none; `None`: those of 3.13.
    pub rules: Option<&'static str>,
}

impl Runtime {
    /// The rules of executors of this runtime that name none: a fixed version, whatever interpreter is found, unless the runtime says
    /// another.
    #[must_use]
    pub fn rules(&self) -> Option<&'static str> {
        match self {
            Runtime::Rust => None,
            Runtime::CPython(python) => python.rules.or(Some("cpython-3.13")),
        }
    }

    /// The CPython that it is, if it is one.
    #[must_use]
    pub fn cpython(&self) -> Option<&CPython> {
        match self {
            Runtime::Rust => None,
            Runtime::CPython(python) => Some(python),
        }
    }
}

/// The interpreter that is meant by who names a version, `3.13`, where a program is asked for: `python3.13`.
#[must_use]
pub fn interpreter_of_version(name: &str) -> Option<String> {
    let name = name.trim();
    let (numbers, free) = name.strip_suffix('t').map_or((name, ""), |numbers| (numbers, "t"));
    let mut parts = numbers.split('.');
    let is_one = numbers.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let (major, minor) = (parts.next()?, parts.next().map_or_else(String::new, |minor| format!(".{minor}")));
    is_one.then(|| format!("python{major}{minor}{free}"))
}

/// How `multiprocessing` starts a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartMethod {
    /// A copy of the process that starts it.
    Fork,
    /// A fresh interpreter.
    Spawn,
    /// A copy of a server, which is a fresh interpreter.
    Forkserver,
}

impl StartMethod {
    /// All, in the order of their names in [`StartMethod::NAMES`].
    pub const ALL: [StartMethod; 3] = [StartMethod::Fork, StartMethod::Spawn, StartMethod::Forkserver];

    /// Their names in scenario files, which are those of `multiprocessing`.
    pub const NAMES: [&'static str; 3] = ["fork", "spawn", "forkserver"];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        StartMethod::NAMES[self as usize]
    }
}
