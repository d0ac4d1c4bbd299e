//! What the tasks of a small world synchronise with, besides plain locks.

use std::fmt::Write as _;

/// How all locks of a world are, and what else there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Syncs {
    pub(crate) protocol: Protocol,
    /// Ticks.
    pub(crate) spin: u64,
    /// Of all objects, as far as it means something to them.
    pub(crate) order: Order,
    pub(crate) barging: Barging,
    /// Of locks.
    pub(crate) yields: u64,
    /// In the order of the kinds.
    pub(crate) objects: Vec<Object>,
}

#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(crate) enum Protocol {
    #[default]
    None,
    Inherit,
    Ceiling,
    OriginalCeiling,
    NonPreemptive,
}

#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(crate) enum Order {
    #[default]
    Urgent,
    Fifo,
    Lifo,
}

/// May others take what has become free before who is next?
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(crate) enum Barging {
    #[default]
    Never,
    Always,
    /// Until it has waited so many ticks.
    UpTo(u64),
}

#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(crate) enum Object {
    RwLock(Prefer),
    Semaphore(u64),
    Channel(usize),
    Condvar,
    Barrier(usize),
}

#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(crate) enum Prefer {
    Fifo,
    Readers,
    Writers,
}

/// What is done to the object of this number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum SyncOp {
    Read(usize),
    Write(usize),
    /// Gives a lock that it read or wrote back.
    Leave(usize),
    Acquire(usize, u64),
    Release(usize, u64),
    Send(usize),
    Receive(usize),
    /// And the lock.
    Wait(usize, usize),
    Notify(usize),
    NotifyAll(usize),
    Arrive(usize),
}

impl Syncs {
    pub(super) fn write(&self, locks: usize, toml: &mut String) -> std::fmt::Result {
        for lock in 0..locks {
            writeln!(toml, "\n[[lock]]\nname = \"m{lock}\"")?;
            match self.protocol {
                Protocol::None => {}
                Protocol::Inherit => writeln!(toml, "protocol = \"inherit\"")?,
                Protocol::Ceiling => writeln!(toml, "protocol = \"ceiling\"")?,
                Protocol::OriginalCeiling => writeln!(toml, "protocol = \"original-ceiling\"")?,
                Protocol::NonPreemptive => writeln!(toml, "protocol = \"non-preemptive\"")?,
            }
            if self.spin > 0 {
                writeln!(toml, "spin = \"{}ms\"", self.spin)?;
            }
            if self.yields > 0 {
                writeln!(toml, "yields = {}", self.yields)?;
            }
            self.write_rule(None, toml)?;
        }
        for (number, object) in self.objects.iter().enumerate() {
            let (kind, parameter) = match object {
                Object::RwLock(Prefer::Fifo) => ("rwlock", "prefer = \"fifo\"".to_owned()),
                Object::RwLock(Prefer::Readers) => ("rwlock", "prefer = \"readers\"".to_owned()),
                Object::RwLock(Prefer::Writers) => ("rwlock", "prefer = \"writers\"".to_owned()),
                Object::Semaphore(permits) => ("semaphore", format!("permits = {permits}")),
                Object::Channel(capacity) => ("channel", format!("capacity = {capacity}")),
                Object::Condvar => ("condvar", String::new()),
                Object::Barrier(parties) => ("barrier", format!("parties = {parties}")),
            };
            writeln!(toml, "\n[[{kind}]]\nname = \"o{number}\"\n{parameter}")?;
            self.write_rule(Some(object), toml)?;
        }
        Ok(())
    }

    /// How an object, or a lock, is handed on.
    fn write_rule(&self, object: Option<&Object>, toml: &mut String) -> std::fmt::Result {
        match self.order {
            Order::Urgent => {}
            Order::Fifo => writeln!(toml, "order = \"fifo\"")?,
            Order::Lifo => writeln!(toml, "order = \"lifo\"")?,
        }
        match (self.barging, object) {
            (Barging::Never, _) | (_, Some(Object::Barrier(_) | Object::Channel(0))) => {}
            (Barging::UpTo(_), Some(Object::Condvar)) => {}
            (Barging::Always, _) => writeln!(toml, "hand-over = \"barging\"")?,
            (Barging::UpTo(ticks), _) => writeln!(toml, "fair-after = \"{ticks}ms\"")?,
        }
        Ok(())
    }
}

impl std::fmt::Display for SyncOp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SyncOp::Read(object) => write!(f, "{{ read = \"o{object}\" }}"),
            SyncOp::Write(object) => write!(f, "{{ write = \"o{object}\" }}"),
            SyncOp::Leave(object) => write!(f, "{{ unlock = \"o{object}\" }}"),
            SyncOp::Acquire(object, count) => write!(f, "{{ acquire = \"o{object}\", count = {count} }}"),
            SyncOp::Release(object, count) => write!(f, "{{ release = \"o{object}\", count = {count} }}"),
            SyncOp::Send(object) => write!(f, "{{ send = \"o{object}\" }}"),
            SyncOp::Receive(object) => write!(f, "{{ recv = \"o{object}\" }}"),
            SyncOp::Wait(object, lock) => write!(f, "{{ wait = \"o{object}\", with = \"m{lock}\" }}"),
            SyncOp::Notify(object) => write!(f, "{{ notify = \"o{object}\" }}"),
            SyncOp::NotifyAll(object) => write!(f, "{{ notify-all = \"o{object}\" }}"),
            SyncOp::Arrive(object) => write!(f, "{{ barrier = \"o{object}\" }}"),
        }
    }
}
