//! Groups of a scenario as control groups of the kernel, in which the threads of a run are.
//!
//! They are made below the group that we are in, for one run, and are gone afterwards, whatever happens: a guard removes them
//! when we are killed, and what a guard could not remove is swept up by the next run. That a folder is in use is told by a lock
//! on it, which everybody loses who dies.

mod hierarchy;

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sim_core::distribution::Distribution;
use sim_core::ids::{GroupId, IdVec};
use sim_core::policy::on_linux::Class;
use sim_core::scenario::{Quota, Scenario};
use sim_core::time::Span;

use self::hierarchy::{Hierarchy, Order};
use crate::play::shared::Table;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::record::throttled::Throttling;
use crate::sys::{self, Guard};

/// What our folders are called begins so.
const PREFIX: &str = "sim-";

/// How long it is tried to remove groups: whoever was in one may not quite have ended.
const PATIENCE: u64 = 800_000_000;

/// So long before a run starts the first of its periods are made to begin, which takes the kernel up to a millisecond.
const AHEAD: u64 = 1_500_000;

/// The groups of a run, as long as it lives.
#[derive(Debug)]
pub(crate) struct Groups {
    hierarchy: Hierarchy,
    home: Home,
    /// The folder that all others are in, whose lock says that we live, and the file through which threads go into it.
    folder: PathBuf,
    _lock: File,
    outside: File,
    /// The same for each of the scenario's groups.
    folders: IdVec<GroupId, PathBuf>,
    doors: IdVec<GroupId, File>,
    /// How many threads could not go where they belong; children count here, too.
    strays: Table<AtomicU32>,
    _guard: Guard,
}

/// Do groups change what is measured? Quotas hold under any policy, and among the kernel's own classes the fair one goes by weights.
pub(crate) fn are_needed(scenario: &Scenario) -> bool {
    let scheduler = &scenario.scheduler;
    let is_fair = matches!(scheduler.settings.on_linux().class, Class::Other | Class::Named);
    let shares = is_fair && scheduler.kind.goes_by("weight");
    let in_use = scenario.processes.iter().any(|process| process.group.is_some());
    in_use && (shares || scenario.groups.iter().any(|group| group.quota.is_some()))
}

/// What is in the way of groups, if they are needed.
pub(crate) fn check(scenario: &Scenario) -> Result<(), Unmeasurable> {
    if !are_needed(scenario) {
        return Ok(());
    }
    for group in &scenario.groups {
        if let Some(why) = group.quota.as_ref().and_then(hierarchy::out_of_range) {
            return Err(Unmeasurable::quota(&group.name, &why));
        }
    }
    Hierarchy::find().map(|_| ()).map_err(|missing| refused(scenario, &missing))
}

fn refused(scenario: &Scenario, missing: &str) -> Unmeasurable {
    Unmeasurable::no_groups(scenario.groups.iter().next().map_or("", |group| &group.name), missing)
}

impl Groups {
    /// Makes those of a scenario, if it needs them.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(crate) fn new(scenario: &Scenario) -> Result<Option<Groups>, Unmeasurable> {
        if !are_needed(scenario) {
            return Ok(None);
        }
        let made = Hierarchy::find().and_then(|hierarchy| Groups::make(hierarchy, scenario));
        made.map(Some).map_err(|missing| refused(scenario, &missing))
    }

    fn make(hierarchy: Hierarchy, scenario: &Scenario) -> Result<Groups, String> {
        sweep(&hierarchy);
        let (folder, lock) = claim(&hierarchy.folder)?;
        let (home, removed) = (hierarchy.home(), folder.clone());
        let guard = Guard::new({
            let home = home.clone();
            move || _ = home.remove(&removed)
        });
        let guard = guard.map_err(|error| {
            let _ = fs::remove_dir(&folder);
            format!("nobody could remove them: {error}")
        })?;
        // From here on the guard removes whatever was made.
        let mut folders: IdVec<GroupId, PathBuf> = scenario.groups.iter().map(|_| PathBuf::new()).collect();
        let is_parent = |id| scenario.groups.iter().any(|group| group.parent == Some(id));
        let mut orders = hierarchy.outermost(&folder, scenario.machine.processors.len(), !scenario.groups.is_empty());
        for id in from_outermost(scenario) {
            let group = &scenario.groups[id];
            let parent = group.parent.map_or(&folder, |parent| &folders[parent]);
            // Names of files may not be any text.
            folders[id] = parent.join(format!("group-{}", id.0));
            orders.extend(hierarchy.group(&folders[id], group, is_parent(id)));
        }
        orders.iter().try_for_each(follow)?;
        let open = |folder: &PathBuf| open(&folder.join(home.door));
        let doors = folders.iter().map(open).collect::<Result<_, _>>()?;
        let strays = Table::zeros(1).map_err(|error| format!("there is no memory for them: {error}"))?;
        let outside = open(&folder)?;
        Ok(Groups { hierarchy, home, folder, _lock: lock, outside, folders, doors, strays, _guard: guard })
    }

    /// The calling thread goes into a group, or (`None`) beside them. Allocates nothing.
    pub(crate) fn join(&self, group: Option<GroupId>) {
        let mut door = group.map_or(&self.outside, |group| &self.doors[group]);
        if door.write_all(b"0").is_err() {
            self.strays[0].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Could all threads go into their groups?
    pub(crate) fn hold_all(&self) -> bool {
        self.strays[0].load(Ordering::Relaxed) == 0
    }

    /// Limits the groups, which nothing has limited so far, shortly before a run starts: their periods begin then. If some are to
    /// begin later, or the start is left to chance, so are they.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(crate) fn limit(&self, scenario: &Scenario, start: Option<u64>) -> Result<(), Unmeasurable> {
        let ids = from_outermost(scenario).into_iter();
        let limited = ids.filter_map(|id| Some((self.folders[id].as_path(), scenario.groups[id].quota.as_ref()?)));
        let limited: Vec<_> = limited.collect();
        let at_once = |(_, quota): &(_, &Quota)| quota.phase == Distribution::Constant(Span::ZERO);
        let orders = match start.filter(|_| limited.iter().all(at_once)) {
            Some(start) if !limited.is_empty() => {
                sys::sleep_until(start.saturating_sub(AHEAD));
                self.hierarchy.limited_from_now(&limited)
            }
            _ => self.hierarchy.limited(&limited),
        };
        orders.iter().try_for_each(follow).map_err(|missing| refused(scenario, &missing))
    }

    /// The run is over: nobody needs to stand still any more. How long did they?
    pub(crate) fn lift(&self, scenario: &Scenario) -> Vec<Throttling> {
        let limited = scenario.groups.pairs().filter(|(_, group)| group.quota.is_some());
        let lifted = limited.map(|(id, group)| {
            // Who stands still is counted when that is over.
            let _ = follow(&self.hierarchy.lifted(&self.folders[id]));
            self.hierarchy.throttling(&self.folders[id], &group.name)
        });
        lifted.collect()
    }

    /// What they are, in a few words.
    pub(crate) fn called(&self) -> &'static str {
        self.hierarchy.called()
    }

    /// The folder that all of them are in.
    #[cfg(test)]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        // What is still there then is the guard's.
        let _ = self.home.remove(&self.folder);
    }
}

/// Each group after the one it is in.
fn from_outermost(scenario: &Scenario) -> Vec<GroupId> {
    let mut ids: Vec<GroupId> = scenario.groups.ids().collect();
    ids.sort_by_key(|id| sim_core::scenario::lineage(&scenario.groups, Some(*id)).count());
    ids
}

fn follow(order: &Order) -> Result<(), String> {
    match order {
        Order::Make(folder) => fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display())),
        Order::Write(file, text) => {
            let written = open(file)?.write_all(text.as_bytes());
            written.map_err(|error| format!("{} does not take {text}: {error}", file.display()))
        }
    }
}

fn open(file: &Path) -> Result<File, String> {
    OpenOptions::new().write(true).open(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// A new folder, and the lock that says that somebody uses it.
fn claim(home: &Path) -> Result<(PathBuf, File), String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = home.join(format!("{PREFIX}{}-{number}", std::process::id()));
        match fs::create_dir(&folder) {
            // In another namespace of processes somebody has our number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(format!("{}: {error}", folder.display())),
            Ok(()) => {}
        }
        // Somebody may just have swept it up.
        if let Ok(lock) = File::open(&folder)
            && lock.try_lock().is_ok()
            && folder.exists()
        {
            return Ok((folder, lock));
        }
    }
}

/// Removes what those left behind who are dead.
fn sweep(hierarchy: &Hierarchy) {
    for entry in fs::read_dir(&hierarchy.folder).into_iter().flatten().flatten() {
        if is_ours(&entry)
            && let Ok(lock) = File::open(entry.path())
            && lock.try_lock().is_ok()
        {
            let _ = hierarchy.home().remove(&entry.path());
        }
    }
}

fn is_ours(entry: &DirEntry) -> bool {
    entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
}

/// The group that we are in, as far as those need it who remove others in it.
#[derive(Clone, Debug)]
struct Home {
    folder: PathBuf,
    /// The file into which threads are written.
    door: &'static str,
    /// How groups in it lose the controller again that they did not have before us.
    back: Option<Order>,
}

impl Home {
    /// Removes a group with those in it.
    fn remove(&self, folder: &Path) -> io::Result<()> {
        let patience = sys::now() + PATIENCE;
        loop {
            match self.try_to_remove(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound && sys::now() < patience => {
                    sys::sleep_until(sys::now() + 2_000_000);
                }
                Ok(()) => break self.give_back(),
                failed => return failed,
            }
        }
    }

    /// Whoever is still in it comes to us.
    fn try_to_remove(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.try_to_remove(&entry.path())?;
            }
        }
        for thread in fs::read_to_string(folder.join(self.door)).unwrap_or_default().lines() {
            let _ = follow(&Order::Write(self.folder.join(self.door), thread.to_owned()));
        }
        fs::remove_dir(folder)
    }

    /// The last of us leaves everything as it was.
    fn give_back(&self) -> io::Result<()> {
        let others = fs::read_dir(&self.folder)?.flatten().any(|entry| is_ours(&entry));
        if let Some(back) = self.back.as_ref().filter(|_| !others) {
            let _ = follow(back);
        }
        Ok(())
    }
}
