//! Where this system has control groups whose processor time can be shared out and limited, and how it is told so.
//!
//! Sources: cgroups(7), and Documentation/admin-guide/cgroup-v2.rst and cgroup-v1 of Linux 6.18.

use std::fs;
use std::path::{Path, PathBuf};

use sim_core::distribution::Distribution;
use sim_core::scenario::{Group, Quota};
use sim_core::time::Span;

use super::Home;
use crate::record::throttled::Throttling;
use crate::sys;

/// The two kinds of control groups that Linux has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// `cpu.shares` and `cpu.cfs_quota_us`, and threads go into `tasks`.
    One,
    /// `cpu.weight` and `cpu.max`; groups among which the threads of one process are divided are `threaded`.
    Two,
}

/// The group that we are in, in which others can be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Hierarchy {
    pub(super) version: Version,
    pub(super) folder: PathBuf,
}

/// Something to be done in the file system of control groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// A new group.
    Make(PathBuf),
    /// This is written into one of its files.
    Write(PathBuf, String),
}

/// The kernel's limits of a period and of a quota: `max_cfs_quota_period` and `min_cfs_quota_period` in kernel/sched/core.c.
const SHORTEST: Span = Span::from_ms(1);
const LONGEST: Span = Span::from_ms(1000);

/// Which controllers the groups in a group have in version 2.
const DIVIDED: &str = "cgroup.subtree_control";

/// What a group has in version 1 whose weight is the usual one of 100.
const SHARES: u64 = 1024;

impl Hierarchy {
    /// Looks for one in which we may make groups.
    ///
    /// # Errors
    /// What is missing, in half a sentence.
    pub(super) fn find() -> Result<Hierarchy, String> {
        let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"));
        let has_cpu = |folder: &Path| {
            let controllers = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
            controllers.split_whitespace().any(|controller| controller == "cpu")
        };
        let found = Hierarchy::of(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?, has_cpu)?;
        sys::may_write(&found.folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::ReadOnlyFilesystem => format!("{} is read-only here", found.folder.display()),
            std::io::ErrorKind::PermissionDenied => {
                format!("that takes root, or {} delegated to this user", found.folder.display())
            }
            _ => format!("{} cannot be written: {error}", found.folder.display()),
        })?;
        Ok(found)
    }

    /// The same from what `/proc/self/mountinfo` and `/proc/self/cgroup` say; `has_cpu` is asked of groups of version 2.
    fn of(mounts: &str, own: &str, has_cpu: impl Fn(&Path) -> bool) -> Result<Hierarchy, String> {
        let own_path = |wanted: &dyn Fn(&str) -> bool| {
            let mut lines = own.lines().map(|line| line.splitn(3, ':').skip(1));
            lines.find_map(|mut line| line.next().filter(|names| wanted(names)).and_then(|_| line.next()))
        };
        let folder = |kind: &str, wanted: &dyn Fn(&str) -> bool, path: Option<&str>| {
            let mounted = mounts.lines().filter_map(Mount::of);
            let mut mounted = mounted.filter(|mount| mount.kind == kind && wanted(mount.options));
            // Of a part of the hierarchy alone there may be no place for the group that we are in.
            mounted.find_map(|mount| {
                let below = below(path?, mount.root)?;
                Some(if below.is_empty() { mount.point.into() } else { Path::new(mount.point).join(below) })
            })
        };
        let named = |names: &str| names.split(',').any(|name| name == "cpu");
        if let Some(folder) = folder("cgroup", &named, own_path(&named)) {
            return Ok(Hierarchy { version: Version::One, folder });
        }
        match folder("cgroup2", &|_| true, own_path(&str::is_empty)) {
            Some(folder) if has_cpu(&folder) => Ok(Hierarchy { version: Version::Two, folder }),
            Some(folder) => Err(format!("there is no `cpu` in {}", folder.join("cgroup.controllers").display())),
            None => Err("no control groups are mounted here".into()),
        }
    }

    /// What those need to know of it who remove groups in it.
    pub(super) fn home(&self) -> Home {
        let door = if self.version == Version::One { "tasks" } else { "cgroup.threads" };
        let divides = || fs::read_to_string(self.folder.join(DIVIDED)).unwrap_or_default();
        let is_new =
            self.version == Version::Two && !divides().split_whitespace().any(|controller| controller == "cpu");
        let back = is_new.then(|| Order::Write(self.folder.join(DIVIDED), "-cpu".into()));
        Home { folder: self.folder.clone(), door, back }
    }

    /// What they are called, with some of their files.
    pub(super) fn called(&self) -> &'static str {
        match self.version {
            Version::One => "control groups of version 1 (cpu.cfs_quota_us, cpu.shares)",
            Version::Two => "control groups of version 2 (cpu.max, cpu.weight)",
        }
    }

    /// A group for all that is measured, beside whatever else runs: it weighs as much on each of so many processors as a thread.
    pub(super) fn outermost(&self, folder: &Path, processors: usize, has_groups: bool) -> Vec<Order> {
        let mut orders = self.threaded(folder);
        if self.version == Version::Two {
            orders.extend(self.divided(&self.folder));
        }
        orders.push(self.weight(folder, 100 * processors as u64));
        orders.extend(has_groups.then(|| self.divided(folder)).flatten());
        orders
    }

    /// One of the scenario's groups; `has_groups`: there are others in it.
    pub(super) fn group(&self, folder: &Path, group: &Group, has_groups: bool) -> Vec<Order> {
        let mut orders = vec![Order::Make(folder.to_owned())];
        orders.extend(self.threaded(folder));
        orders.push(self.weight(folder, u64::from(group.weight)));
        orders.extend(has_groups.then(|| self.divided(folder)).flatten());
        orders
    }

    fn threaded(&self, folder: &Path) -> Vec<Order> {
        let order = Order::Write(folder.join("cgroup.type"), "threaded".into());
        if self.version == Version::Two { vec![order] } else { Vec::new() }
    }

    fn divided(&self, folder: &Path) -> Option<Order> {
        let order = Order::Write(folder.join(DIVIDED), "+cpu".into());
        (self.version == Version::Two).then_some(order)
    }

    fn weight(&self, folder: &Path, weight: u64) -> Order {
        match self.version {
            Version::One => Order::Write(folder.join("cpu.shares"), (weight * SHARES / 100).to_string()),
            Version::Two => Order::Write(folder.join("cpu.weight"), weight.min(10_000).to_string()),
        }
    }

    fn quota(&self, folder: &Path, quota: &Quota) -> Vec<Order> {
        let [amount, period, burst] = [quota.amount, quota.period, quota.burst].map(|span| span.ns() / 1000);
        let write = |name: &str, text: String| Order::Write(folder.join(name), text);
        let (mut orders, burst_file) = match self.version {
            Version::One => {
                let [period, amount] = [period, amount].map(|us| us.to_string());
                (vec![write("cpu.cfs_period_us", period), write("cpu.cfs_quota_us", amount)], "cpu.cfs_burst_us")
            }
            Version::Two => (vec![write("cpu.max", format!("{amount} {period}"))], "cpu.max.burst"),
        };
        orders.extend((burst > 0).then(|| write(burst_file, burst.to_string())));
        orders
    }

    /// Limits groups, in the order from the outermost: a group never has more than the one that it is in.
    pub(super) fn limited(&self, groups: &[(&Path, &Quota)]) -> Vec<Order> {
        groups.iter().flat_map(|(folder, quota)| self.quota(folder, quota)).collect()
    }

    /// The same, and their periods begin now, and not at whatever time the kernel drew when it made them: the timer of a group goes
    /// on in true periods from where it was set while the group had a short one.
    pub(super) fn limited_from_now(&self, groups: &[(&Path, &Quota)]) -> Vec<Order> {
        let short = Quota {
            amount: SHORTEST,
            period: SHORTEST,
            burst: Span::ZERO,
            phase: Distribution::Constant(Span::ZERO),
            slice: None,
        };
        let mut orders = self.limited(&groups.iter().map(|(folder, _)| (*folder, &short)).collect::<Vec<_>>());
        orders.extend(groups.iter().rev().map(|(folder, _)| self.lifted(folder)));
        orders.extend(self.limited(groups));
        orders
    }

    /// Lets a group use as much as it likes again.
    pub(super) fn lifted(&self, folder: &Path) -> Order {
        match self.version {
            Version::One => Order::Write(folder.join("cpu.cfs_quota_us"), "-1".into()),
            Version::Two => Order::Write(folder.join("cpu.max"), "max".into()),
        }
    }

    /// How often and for how long a group stood still.
    pub(super) fn throttling(&self, folder: &Path, name: &str) -> Throttling {
        let text = fs::read_to_string(folder.join("cpu.stat")).unwrap_or_default();
        Throttling::read(name, &text)
    }
}

/// What of a quota the kernel does not take, in half a sentence.
pub(super) fn out_of_range(quota: &Quota) -> Option<String> {
    let Quota { amount, period, burst, .. } = *quota;
    if !(SHORTEST..=LONGEST).contains(&period) {
        return Some(format!("its period is {period}, and in Linux it is {SHORTEST} to {LONGEST}"));
    }
    if amount < SHORTEST {
        return Some(format!("its quota is {amount}, and in Linux it is {SHORTEST} or more"));
    }
    (burst > amount).then(|| format!("its burst of {burst} is more than its quota, which Linux does not take"))
}

/// A line of `/proc/self/mountinfo`: see proc_pid_mountinfo(5).
struct Mount<'a> {
    /// What of the file system is mounted.
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl Mount<'_> {
    fn of(line: &str) -> Option<Mount<'_>> {
        let (place, system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, point) = (place.next()?, place.next()?);
        let mut system = system.split(' ');
        let (kind, options) = (system.next()?, system.nth(1)?);
        Some(Mount { root, point, kind, options })
    }
}

/// The path of a group below what is mounted, if it is there.
fn below<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let rest = if root == "/" { path } else { path.strip_prefix(root)? };
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
                      33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";
    const V2: &str = "41 31 0:38 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    fn found(mounts: &str, own: &str, has_cpu: bool) -> Result<String, String> {
        let found = Hierarchy::of(mounts, own, |_| has_cpu)?;
        Ok(format!("{:?} {}", found.version, found.folder.display()))
    }

    #[test]
    fn the_group_that_we_are_in_is_found_or_what_is_missing_is_said() {
        let ok = |text: &str| Ok(text.to_owned());
        let both = format!("{V1}{V2}");
        assert_eq!(found(&both, "4:cpu,cpuacct:/a/b\n0::/x", true), ok("One /sys/fs/cgroup/cpu,cpuacct/a/b"));
        assert_eq!(found(V2, "0::/user.slice/one", true), ok("Two /sys/fs/cgroup/user.slice/one"));
        let part = "41 31 0:38 /docker/7 /sys/fs/cgroup ro - cgroup2 cgroup2 ro\n";
        assert_eq!(found(part, "0::/docker/7", true), ok("Two /sys/fs/cgroup"));
        assert_eq!(found(part, "0::/docker/77", true), Err("no control groups are mounted here".into()));
        let missing = "there is no `cpu` in /sys/fs/cgroup/x/cgroup.controllers";
        assert_eq!(found(V2, "4:cpu:/\n0::/x", false), Err(missing.into()));
        assert_eq!(found("", "0::/", true), Err("no control groups are mounted here".into()));
    }

    #[test]
    fn the_kernel_is_told_of_groups_in_its_own_words() {
        let scenario = crate::tests::scenario(
            "group = [{ name = 'web', quota = '50ms', burst = '10ms', weight = 200 }]\n[[process]]\nname = 'p'\ngroup = 'web'\n\
             [[process.task]]\nname = 'A'\nprogram = [{ cpu = '1ms' }]",
        );
        let group = scenario.groups.iter().next().expect("one");
        let told = |version| {
            let own = Hierarchy { version, folder: "own".into() };
            let mut orders = own.outermost(Path::new("own/sim"), 2, true);
            let web = Path::new("own/sim/web");
            orders.extend(own.group(web, group, true));
            orders.extend(own.limited_from_now(&[(web, group.quota.as_ref().expect("it has one"))]));
            orders.push(own.lifted(web));
            let line = |order: &Order| match order {
                Order::Make(folder) => format!("{}/", folder.display()),
                Order::Write(file, text) => format!("{}: {text}", file.display()),
            };
            orders.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        expect_test::expect![[r"
            own/sim/cpu.shares: 2048
            own/sim/web/
            own/sim/web/cpu.shares: 2048
            own/sim/web/cpu.cfs_period_us: 1000
            own/sim/web/cpu.cfs_quota_us: 1000
            own/sim/web/cpu.cfs_quota_us: -1
            own/sim/web/cpu.cfs_period_us: 100000
            own/sim/web/cpu.cfs_quota_us: 50000
            own/sim/web/cpu.cfs_burst_us: 10000
            own/sim/web/cpu.cfs_quota_us: -1"]]
        .assert_eq(&told(Version::One));
        expect_test::expect![[r#"
            own/sim/cgroup.type: threaded
            own/cgroup.subtree_control: +cpu
            own/sim/cpu.weight: 200
            own/sim/cgroup.subtree_control: +cpu
            own/sim/web/
            own/sim/web/cgroup.type: threaded
            own/sim/web/cpu.weight: 200
            own/sim/web/cgroup.subtree_control: +cpu
            own/sim/web/cpu.max: 1000 1000
            own/sim/web/cpu.max: max
            own/sim/web/cpu.max: 50000 100000
            own/sim/web/cpu.max.burst: 10000
            own/sim/web/cpu.max: max"#]]
        .assert_eq(&told(Version::Two));
    }
}
