//! However a measurement ends before its time (Ctrl-C, a signal, a debugger's stop and the end after that): nothing of it is
//! left. No process, no file, no setting of the kernel; and the exit code is the documented one.

mod python;

use std::fs;
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{skipped, temporary, temporary_folder};

/// All processes of a measurement have it in their environment, whoever their parent is by now.
const MARK: &str = "LEFT_BEHIND_BY";

/// The kernel's own length of slices in SCHED_RR.
const SLICE: &str = "/proc/sys/kernel/sched_rr_timeslice_ms";

/// How an end may come: which signals, whether a terminal sends them (to all of the group), and what `sim` says then.
struct Way {
    signals: &'static [&'static str],
    to_all: bool,
    ends: Ends,
}

/// How `sim` ends.
enum Ends {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

const WAYS: [Way; 9] = [
    Way { signals: &["INT"], to_all: false, ends: Ends::Code(130) },
    Way { signals: &["INT"], to_all: true, ends: Ends::Code(130) },
    Way { signals: &["INT", "INT"], to_all: false, ends: Ends::Code(130) },
    Way { signals: &["INT", "INT"], to_all: true, ends: Ends::Code(130) },
    Way { signals: &["TERM"], to_all: false, ends: Ends::Signal(15) },
    Way { signals: &["TERM"], to_all: true, ends: Ends::Signal(15) },
    Way { signals: &["HUP"], to_all: true, ends: Ends::Signal(1) },
    Way { signals: &["KILL"], to_all: false, ends: Ends::Signal(9) },
    Way { signals: &["STOP", "KILL"], to_all: false, ends: Ends::Signal(9) },
];

impl Way {
    /// Do the programs that we start end so? A signal that is ignored here, as under `nohup`, is ignored by them.
    fn is_open(&self) -> bool {
        let Ends::Signal(signal) = self.ends else { return true };
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        let is_open = ignored >> (signal - 1) & 1 == 0;
        if !is_open {
            skipped(&format!("signal {signal} is ignored here"));
        }
        is_open
    }
}

/// One for each kind of thread, process and object that a run makes.
const RUNS: [(&str, &str); 8] = [
    ("processes", "executor = 'processes'"),
    ("threads", "executor = 'threads'"),
    ("interpreter", "executor = { kind = 'threads', gil = '5ms' }"),
    ("pool", "executor = { kind = 'pool', workers = 2 }"),
    ("async", "executor = 'async'"),
    ("work-stealing", "executor = { kind = 'work-stealing', workers = 2 }"),
    ("groups", "executor = 'processes'\ngroup = [{ name = 'g', quota = '20ms' }]"),
    ("slices", "executor = 'processes'\nscheduler = { policy = 'round-robin', quantum = '52ms' }"),
];

/// What is measured: tasks that wait for each other, for a device with a thread of its own, and for those they spawn.
fn scenario(name: &str, head: &str) -> PathBuf {
    let text = format!(
        "{head}
         device = [{{ name = 'disk', discipline = 'shortest' }}]
         lock = [{{ name = 'm' }}]
         [[task]]
         name = 'keeper'
         program = [{{ with = 'm', do = [{{ sleep = '20s' }}] }}]
         [[task]]
         name = 'waiter'
         program = [{{ io = 'disk', for = '1ms' }}, {{ cpu = '1ms' }}, {{ with = 'm', do = [] }}]
         [[task]]
         name = 'parent'
         program = [{{ spawn = 'child' }}, {{ join = 'child' }}]
         [[task]]
         name = 'child'
         arrival = 'spawned'
         program = [{{ cpu = '1ms' }}, {{ sleep = '20s' }}]"
    );
    temporary(&format!("left-behind-{name}"), &text)
}

/// A measurement on its way, in a group of its own and with a folder of its own for whatever it may write.
struct Victim {
    sim: Child,
    mark: String,
    folder: PathBuf,
}

impl Victim {
    fn start(name: &str, file: &Path) -> Victim {
        let folder = temporary_folder(&format!("left-behind-{name}"));
        let mark = format!("{name}-{}", std::process::id());
        let sim = Command::new(env!("CARGO_BIN_EXE_sim"))
            .args(["measure", "--quiet", "--trace", "trace.json"])
            .arg(file)
            .current_dir(&folder)
            .env("TMPDIR", &folder)
            .env(MARK, &mark)
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        Victim { sim, mark, folder }
    }

    /// The processes there are of it.
    fn processes(&self) -> Vec<PathBuf> {
        let all = fs::read_dir("/proc").expect("there is /proc").flatten().map(|entry| entry.path());
        let entry = format!("{MARK}={}", self.mark).into_bytes();
        let is_one = |process: &PathBuf| {
            let variables = fs::read(process.join("environ")).unwrap_or_default();
            variables.split(|byte| *byte == 0).any(|variable| variable == entry)
        };
        all.filter(is_one).collect()
    }

    /// Who ends by itself says why.
    fn has_not_ended(&mut self) {
        let Some(status) = self.sim.try_wait().expect("a child of ours") else { return };
        let mut told = String::new();
        self.sim.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
        panic!("{}: it ended by itself ({status}): {told}", self.mark);
    }

    /// Waits until its tasks are under way: the time that is used then stands still, since all wait.
    fn is_on(&mut self) {
        let patience = Instant::now();
        let mut before = (0, 0);
        while patience.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(100));
            self.has_not_ended();
            // In steps of 50 ms: who controls the run looks now and then.
            let (threads, used) = self.threads();
            let now = (threads, used.as_millis() / 50);
            if threads > 2 && now == before {
                return;
            }
            before = now;
        }
        panic!("{}: it never got under way", self.mark);
    }

    /// How many threads it has, and the processor time that they have used.
    fn threads(&self) -> (usize, Duration) {
        let threads = self.processes().into_iter().flat_map(|process| fs::read_dir(process.join("task")));
        let used = threads.flatten().flatten().filter_map(|thread| {
            let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            Some(Duration::from_nanos(stat.split_whitespace().next()?.parse().ok()?))
        });
        used.fold((0, Duration::ZERO), |(count, sum), used| (count + 1, sum + used))
    }

    /// Nothing that it has open or mapped has a name that could outlast it.
    fn has_no_files(&self) {
        let lasting = |path: &str| path.starts_with("/dev/shm") || path.contains(&*self.folder.to_string_lossy());
        for process in self.processes() {
            let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            let open = open.filter_map(|entry| fs::read_link(entry.path()).ok());
            let maps = fs::read_to_string(process.join("maps")).unwrap_or_default();
            let mapped = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).map(PathBuf::from);
            let found: Vec<PathBuf> = open.chain(mapped).filter(|path| lasting(&path.to_string_lossy())).collect();
            assert!(found.is_empty(), "{}: {found:?}", self.mark);
        }
    }

    /// A control group that it has made, if there is one.
    fn control_group(&self) -> Option<PathBuf> {
        let name = format!("sim-{}-", self.sim.id());
        let homes = ["/sys/fs/cgroup", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"];
        let mut all = homes.iter().filter_map(|home| fs::read_dir(home).ok()).flatten().flatten();
        all.find(|entry| entry.file_name().to_string_lossy().starts_with(&name)).map(|entry| entry.path())
    }

    fn send(&self, way: &Way) {
        let to = if way.to_all { format!("-{}", self.sim.id()) } else { self.sim.id().to_string() };
        for signal in way.signals {
            // Who has ended at the first signal does not get the second.
            let _ = Command::new("kill").args(["-s", signal, "--", &to]).stderr(Stdio::null()).status();
        }
    }

    /// Waits for the end; then nothing is left.
    fn leaves_nothing(mut self) -> ExitStatus {
        let status = self.sim.wait().expect("it ends");
        let patience = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            let names = || left.iter().map(|process| fs::read_to_string(process.join("comm"))).collect::<Vec<_>>();
            assert!(patience.elapsed() < Duration::from_secs(30), "{}: {left:?} {:?}", self.mark, names());
            thread::sleep(Duration::from_millis(5));
        }
        // The guard of its control groups may still be at it.
        while let Some(group) = self.control_group() {
            assert!(patience.elapsed() < Duration::from_secs(30), "{}: {} is left", self.mark, group.display());
            thread::sleep(Duration::from_millis(5));
        }
        let files: Vec<_> = fs::read_dir(&self.folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
        assert!(files.is_empty(), "{}: {files:?}", self.mark);
        status
    }
}

impl Drop for Victim {
    /// A test that fails leaves nothing behind either.
    fn drop(&mut self) {
        let _ = self.sim.kill();
    }
}

/// How long slices are, if that can be read.
fn slice() -> Option<String> {
    fs::read_to_string(SLICE).ok().map(|length| length.trim().to_owned())
}

#[test]
fn whatever_ends_a_measurement_nothing_is_left_of_it() {
    let ended = |(name, head): &(&str, &str)| {
        let file = scenario(name, head);
        for (number, way) in WAYS.iter().enumerate().filter(|(_, way)| way.is_open()) {
            let mut victim = Victim::start(&format!("{name}-{number}"), &file);
            victim.is_on();
            victim.has_no_files();
            victim.send(way);
            let status = victim.leaves_nothing();
            let as_documented = match way.ends {
                Ends::Code(code) => status.code() == Some(code),
                Ends::Signal(signal) => status.signal() == Some(signal),
            };
            assert!(as_documented, "{name}, {:?}, to all: {}: {status}", way.signals, way.to_all);
        }
    };
    thread::scope(|scope| {
        for run in &RUNS {
            scope.spawn(move || ended(run));
        }
    });
    // The kernel's slices are its own again; nobody else asks for so much.
    assert_ne!(slice().as_deref(), Some("52"), "the kernel's slices are still those of a run");
}

#[test]
fn slices_are_the_kernels_again_whenever_the_end_comes() {
    let file = scenario("moments", "executor = 'threads'\nscheduler = { policy = 'round-robin', quantum = '76ms' }");
    let ways = WAYS.iter().filter(|way| way.signals.len() == 1 && matches!(way.ends, Ends::Signal(_)) && way.is_open());
    let mut seen = 0;
    for (moment, way) in (0..24).zip(ways.cycle()) {
        let victim = Victim::start(&format!("moments-{moment}"), &file);
        // Somewhere on the way to the run; every other time as soon as the slices are set.
        let begun = Instant::now();
        let patience = Duration::from_millis(if moment % 2 == 0 { 10 * moment } else { 2000 });
        while begun.elapsed() < patience && slice().as_deref() != Some("76") {
            thread::sleep(Duration::from_micros(100));
        }
        seen += usize::from(slice().as_deref() == Some("76"));
        victim.send(way);
        victim.leaves_nothing();
        assert_ne!(slice().as_deref(), Some("76"), "the end came {:?} after the start", begun.elapsed());
    }
    if seen == 0 {
        skipped("the kernel's slices may not be set here");
    }
}
