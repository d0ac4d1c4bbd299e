//! CPython, measured: one interpreter for each process of a scenario that runs in it, and one driver of ours in that.
//!
//! The driver (`sim_driver.py`) walks the programs with the real objects of `threading`, `asyncio`, `multiprocessing` and
//! `concurrent.futures`. It is told every operation with its length ([`plan`]), and writes what happens into memory that it
//! shares with us ([`memory`]). When the run is over that becomes the same events that tasks of Rust write down, and
//! everything after it cannot tell which did.
//!
//! Source of how processor time is used up, and of what the interpreter lock does meanwhile: measured on CPython 3.9 to 3.14.

pub(crate) mod interpreter;
mod memory;
mod notices;
mod plan;
mod watch;

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;

use std::thread;
use std::time::Duration;

use flume::{Receiver, RecvTimeoutError};
use sim_core::executor::Threads;
use sim_core::scenario;

use self::interpreter::Interpreter;
use self::memory::Memory;
use self::plan::Plan;
use self::watch::Watch;
use crate::play::executor::{Crew, Executor};
use crate::play::world::Told;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::record::event::{Before, Event};
use crate::sys;

/// What runs in the interpreter.
pub(crate) const DRIVER: &str = include_str!("python/sim_driver.py");

/// A module of its own, so that children that are fresh interpreters find it.
const MODULE: &str = "sim_driver.py";

/// How an interpreter begins.
const BEGIN: &str = "import sys; sys.path.insert(0, sys.argv[1]); import sim_driver; sim_driver.main()";

/// How often we look at what an interpreter does.
const LOOK: Duration = Duration::from_millis(50);

/// How long an interpreter and its children may take until they are ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// So much is told of a complaint.
const COMPLAINT: usize = 600;

/// What is said where the system has killed an interpreter or a child of it, or has refused it something: by its status, by the
/// driver, and by the exceptions of Python.
const LIMITS: [&str; 6] =
    ["(signal: ", "was killed, or died", "can't start new thread", "BlockingIOError", "OSError", "MemoryError"];

/// See the module.
pub(crate) struct Python;

impl Executor for Python {
    fn name(&self) -> &'static str {
        "cpython"
    }

    fn describe(&self, executor: &scenario::Executor) -> String {
        let method = executor.start_method.unwrap_or(scenario::StartMethod::Fork).name();
        match executor.kind.threads {
            Threads::Main if executor.kind.keeps_thread => "one thread".into(),
            Threads::Main => "asyncio".into(),
            Threads::Workers if executor.of_processes => format!("a ProcessPoolExecutor ({method})"),
            Threads::Workers => "a ThreadPoolExecutor".into(),
            Threads::PerTask => "a threading.Thread per task".into(),
            Threads::ProcessPerTask => format!("a multiprocessing.Process per task ({method})"),
        }
    }

    /// The driver waits for arrivals by itself.
    fn has_thread_per_task(&self) -> bool {
        true
    }

    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable> {
        let Some(interpreter) = crew.world.plan.interpreters[crew.process].clone() else {
            return Err(Unmeasurable::failed("there is no interpreter"));
        };
        let plan = Plan::new(crew)?;
        let memory = Memory::new(plan.words).map_err(|error| Unmeasurable::system("get memory", &error))?;
        plan.prepare(crew, &memory);
        let folder = folder().map_err(|error| Unmeasurable::system("make a temporary folder", &error))?;
        let driver = folder.path().join(MODULE);
        std::fs::write(&driver, DRIVER)
            .map_err(|error| Unmeasurable::system(&format!("write {}", driver.display()), &error))?;
        let mut process = Process::start(crew, &interpreter, folder.path())?;
        let outcome = drive(crew, &plan, &memory, &mut process);
        let complaint = process.end();
        tell(crew, &plan, &memory, outcome == Ok(Ended::Done));
        outcome.map(|_| ()).map_err(|reason| {
            let complains = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
            let what = format!("{}: {reason}{complains}", interpreter.name());
            let is_of_limits = LIMITS.iter().any(|words| what.contains(words));
            Unmeasurable::of_interpreter(what, is_of_limits)
        })
    }
}

/// The longest folder in which a server of processes can have its address: an address in the file system is 108 bytes with the
/// zero at its end (`sun_path`, unix(7)), of which `multiprocessing` wants `/pymp-12345678/listener-12345678`.
const FOLDER: usize = 107 - 33;

/// For the driver, and for what an interpreter and its children put down: where temporary files belong, or where names are short.
fn folder() -> io::Result<tempfile::TempDir> {
    let usual = tempfile::tempdir()?;
    if usual.path().as_os_str().len() <= FOLDER {
        return Ok(usual);
    }
    // What goes wrong in a long one is told by the interpreter.
    Ok(tempfile::tempdir_in("/tmp").unwrap_or(usual))
}

/// How the run of an interpreter ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    /// All its tasks have.
    Done,
    /// The run was over before.
    Cut,
}

/// From the plan to the end of the run.
fn drive(crew: &Crew, plan: &Plan, memory: &Memory, process: &mut Process) -> Result<Ended, String> {
    let world = &crew.world;
    process.say(&plan.text(crew, memory))?;
    process.hears("ready", PATIENCE)?;
    register(crew, memory);
    crew.ready(|_| {});
    let Some(start) = world.await_start() else { return Ok(Ended::Cut) };
    process.say(&start.to_string())?;
    let mut watch = Watch::new(start);
    loop {
        // What it said before that is heard then.
        let has_ended = sys::is_gone(process.child.id());
        let is_done = match process.lines.recv_timeout(LOOK) {
            Ok(line) => line == "done",
            Err(RecvTimeoutError::Timeout) if !has_ended => {
                watch.look(crew, plan, memory);
                false
            }
            Err(_) => {
                // Whoever watches the run need not wait for its end.
                world.refuse();
                return Err(format!("it ended before its tasks did ({})", process.status()));
            }
        };
        register(crew, memory);
        // Whoever waited for one that has come to grief may have gone on, to the end.
        if let Some(name) = lost(crew, plan, memory) {
            world.refuse();
            return Err(format!("the process of `{name}` was killed, or died, before its task had finished"));
        }
        if is_done {
            return Ok(Ended::Done);
        }
        if world.is_over() {
            return Ok(Ended::Cut);
        }
    }
}

/// The first instance whose process has ended though its task has not.
fn lost(crew: &Crew, plan: &Plan, memory: &Memory) -> Option<String> {
    let is_lost = |place: &&plan::Place| {
        let head = memory.head(place.head);
        let gone = head.finish == 0 && head.process.is_some_and(sys::is_gone);
        // It may have finished meanwhile.
        gone && memory.head(place.head).finish == 0
    };
    let lost = plan.places.iter().find(is_lost)?;
    Some(crew.world.scenario.task_name(lost.spec, lost.number))
}

/// Tells the world of threads that have registered.
fn register(crew: &Crew, memory: &Memory) {
    let known = crew.world.measured_threads();
    memory.threads().into_iter().filter(|thread| !known.contains(thread)).for_each(|thread| {
        crew.world.register(thread, true);
    });
}

fn told(head: &memory::Head) -> Told {
    let memory::Head { begun, finish, waits, released, .. } = *head;
    Told { begun, finish, waits, released }
}

/// Makes the events of all instances of what was written, and ends those that are done.
fn tell(crew: &Crew, plan: &Plan, memory: &Memory, is_done: bool) {
    let world = &crew.world;
    let lost = memory.get(memory::LOST);
    (0..lost).for_each(|_| world.log.loses());
    let [time, started] = [0, 1].map(|word| memory.get(memory::STARTING + word));
    world.has_started_processes(time, started);
    let heads: Vec<_> = plan.places.iter().map(|place| memory.head(place.head)).collect();
    watch::nobody_is_left_out(crew, plan);
    let mut ids = plan.fixed.clone();
    let mut spawned: Vec<usize> = (ids.len()..plan.places.len()).filter(|place| heads[*place].arrival > 0).collect();
    // Their numbers are in the order in which they came.
    spawned.sort_by_key(|place| (heads[*place].arrival, *place));
    let mut id_of: Vec<Option<usize>> = ids.iter().copied().map(Some).collect();
    id_of.resize(plan.places.len(), None);
    for place in spawned {
        let parent = heads[place].parent.and_then(|parent| id_of[parent]);
        let id = parent.and_then(|parent| world.adopt(parent, plan.places[place].spec, heads[place].arrival));
        id_of[place] = id;
        ids.extend(id);
    }
    let runs = Turns::of(plan, memory, &heads);
    let end_of_run = world.board().deadline.load(Ordering::SeqCst);
    let all = 0..plan.places.len();
    let mut stories: Vec<_> = all.map(|place| events(plan, memory, &heads, place, (&runs, end_of_run))).collect();
    notices::settle(&mut stories);
    let mut finished = 0;
    for (place, (id, events)) in id_of.iter().zip(stories).enumerate() {
        let Some(id) = *id else { continue };
        world.is_told(id, told(&heads[place]));
        world.has_process(id, heads[place].process.unwrap_or(0));
        // Who is spawned is started by a task, which does that as a part of what it does.
        if let Some(started) = heads[place].started.filter(|_| place < plan.fixed.len()) {
            world.was_started(id, started);
        }
        for event in events {
            world.log.write(&world.instance(id).diary, event);
        }
        finished += u32::from(heads[place].finish > 0);
    }
    if is_done {
        world.all_have_finished(finished);
    }
}

/// The rows of an instance.
fn rows<'m>(
    plan: &'m Plan,
    memory: &'m Memory,
    heads: &[memory::Head],
    place: usize,
) -> impl Iterator<Item = memory::Row> + use<'m> {
    let first = plan.places[place].rows;
    (0..usize::try_from(heads[place].rows).unwrap_or(0)).map(move |row| memory.row(first + memory::ROW * row))
}

/// What an instance did.
fn events(
    plan: &Plan,
    memory: &Memory,
    heads: &[memory::Head],
    place: usize,
    (turns, end_of_run): (&Turns, u64),
) -> Vec<Event> {
    let mut last = 0;
    let event = |row: memory::Row| {
        let before = last;
        last = row.piece_end().unwrap_or(last);
        let lost = row.resumes() && turns.has_run_between(place, before, row.start);
        row.event(if lost { Before::LostTurn } else { Before::Preemption }, end_of_run)
    };
    // An interpreter goes on until it is ended: what it does after the run is none of it.
    rows(plan, memory, heads, place).filter_map(event).filter(|event| event.start() < end_of_run).collect()
}

/// When instances of an interpreter were certainly running: who did not while another did had lost the interpreter lock.
struct Turns {
    /// In the order of time, with who it was.
    stamps: Vec<(u64, usize)>,
}

impl Turns {
    fn of(plan: &Plan, memory: &Memory, heads: &[memory::Head]) -> Turns {
        let mut stamps = Vec::new();
        for place in 0..plan.places.len() {
            stamps.extend(
                rows(plan, memory, heads, place).flat_map(|row| row.stamps().collect::<Vec<_>>()).map(|at| (at, place)),
            );
        }
        stamps.sort_unstable();
        Turns { stamps }
    }

    /// Has another one run between these two times?
    fn has_run_between(&self, place: usize, from: u64, to: u64) -> bool {
        let first = self.stamps.partition_point(|(at, _)| *at <= from);
        self.stamps[first..].iter().take_while(|(at, _)| *at < to).any(|(_, other)| *other != place)
    }
}

/// An interpreter that runs, and all its children.
struct Process {
    child: Child,
    lines: Receiver<String>,
    complaints: thread::JoinHandle<String>,
}

impl Process {
    fn start(crew: &Crew, interpreter: &Interpreter, folder: &std::path::Path) -> Result<Process, Unmeasurable> {
        let mut command = Command::new(&interpreter.program);
        // What it writes to a temporary folder, such as the address of a server of processes, goes with ours.
        command.args(["-I", "-c", BEGIN]).arg(folder).env("TMPDIR", folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        begins_as_measured(&mut command, crew);
        let mut child =
            command.spawn().map_err(|error| Unmeasurable::system(&format!("start {}", interpreter.program), &error))?;
        let (Some(output), Some(mut errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Unmeasurable::failed("an interpreter without output"));
        };
        let (says, lines) = flume::unbounded();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if says.send(line).is_err() {
                    break;
                }
            }
        });
        let complaints = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            last_of(&String::from_utf8_lossy(&text))
        });
        Ok(Process { child, lines, complaints })
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        let Some(input) = self.child.stdin.as_mut() else { return Err("it does not listen".into()) };
        let said = input.write_all(line.as_bytes()).and_then(|()| input.write_all(b"\n")).and_then(|()| input.flush());
        said.map_err(|error| match self.has_ended() {
            // Where it was gone before it was told anything, the pipe is broken only for that.
            Some(status) => format!("it did not get ready ({status})"),
            None => format!("it does not listen ({error})"),
        })
    }

    /// How it has ended, if it has or is about to.
    fn has_ended(&mut self) -> Option<String> {
        (0..100).find_map(|_| match self.child.try_wait() {
            Ok(None) => {
                thread::sleep(Duration::from_millis(10));
                None
            }
            _ => Some(self.status()),
        })
    }

    /// Waits until it says so.
    fn hears(&mut self, word: &str, patience: Duration) -> Result<(), String> {
        match self.lines.recv_timeout(patience) {
            Ok(line) if line == word => Ok(()),
            Ok(line) => Err(format!("it said {line:?}")),
            Err(RecvTimeoutError::Timeout) => Err(format!("it was not ready after {} s", patience.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err(format!("it did not get ready ({})", self.status())),
        }
    }

    /// How it has ended.
    fn status(&mut self) -> String {
        self.child.wait().map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string())
    }

    /// Ends it with all its children. What did it complain of?
    fn end(mut self) -> String {
        sys::kill_group(self.child.id());
        let _ = self.child.wait();
        self.complaints.join().unwrap_or_default()
    }
}

/// Placed as its tasks are, with timers that are exact, and gone when we are.
#[expect(unsafe_code, reason = "what happens between fork and exec")]
fn begins_as_measured(command: &mut Command, crew: &Crew) {
    let plan = &crew.world.plan;
    let (cpus, class) = (plan.cpus.clone(), plan.class);
    let priority = crew.specs().iter().map(|spec| plan.priority[*spec]).max().unwrap_or(1);
    let (groups, group) = (plan.groups.clone(), crew.world.scenario.processes[crew.process].group);
    let parent = std::process::id();
    let begins = move || {
        sys::leads_a_group();
        sys::die_with_parent(parent);
        sys::set_exact_timers();
        let _ = sys::set_affinity(&cpus);
        let _ = sys::set_class(class.map(|class| (class, priority)));
        groups.iter().for_each(|groups| groups.join(group));
        Ok(())
    };
    // SAFETY: system calls alone, and nothing is allocated.
    unsafe { command.pre_exec(begins) };
}

/// The end of a complaint, on one line. Of an exception that is what went wrong, and not where in Python.
fn last_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let most = if lines.iter().any(|line| line.starts_with("Traceback ")) { 1 } else { 4 };
    let text = lines[lines.len().saturating_sub(most)..].join(" / ");
    let from = text.char_indices().rev().take(COMPLAINT).last().map_or(0, |(at, _)| at);
    text[from..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::last_of;

    #[test]
    fn of_an_exception_only_what_went_wrong_is_told() {
        let thrown = "Traceback (most recent call last):\n  File \"forkserver.py\", line 3\n    ^^^^\nEOFError: end\n";
        assert_eq!(last_of(thrown), "EOFError: end");
        assert_eq!(last_of("one\n\n two\n"), "one / two");
        assert_eq!(last_of(""), "");
    }
}
