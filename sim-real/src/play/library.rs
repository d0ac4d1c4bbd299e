//! Locks of libraries, measured as they are: who waits, how, and who is next is their business.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use sim_core::scenario::{SyncKind, SyncObject};

/// A lock of a library.
pub(crate) enum Lock {
    Std(Mutex<()>),
    ParkingLot(parking_lot::Mutex<()>),
    Tokio(tokio::sync::Mutex<()>),
}

/// That a thread has such a lock.
pub(crate) enum Guard<'a> {
    Std(MutexGuard<'a, ()>),
    ParkingLot(parking_lot::MutexGuard<'a, ()>),
    Tokio(tokio::sync::MutexGuard<'a, ()>),
}

/// Makes a lock.
type Make = fn() -> Lock;

/// Of which libraries there are locks here, by their names in scenario files, and how each is made.
const LOCKS: [(&str, Make); 3] = [
    ("std", || Lock::Std(Mutex::new(()))),
    ("parking-lot", || Lock::ParkingLot(parking_lot::Mutex::new(()))),
    ("tokio", || Lock::Tokio(tokio::sync::Mutex::new(()))),
];

/// Their names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    LOCKS.iter().map(|(name, _)| *name)
}

impl Lock {
    /// The lock that stands for the object, if a library has it.
    pub(crate) fn of(object: &SyncObject) -> Option<Lock> {
        let library = object.library.filter(|_| object.kind == SyncKind::Mutex)?;
        LOCKS.iter().find(|(name, _)| *name == library.name).map(|(_, make)| make())
    }

    /// What it really is, for people.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Lock::Std(_) => "std::sync::Mutex",
            Lock::ParkingLot(_) => "parking_lot::Mutex",
            Lock::Tokio(_) => "tokio::sync::Mutex",
        }
    }

    /// As an async task takes it, which must not block its thread; `None` if no task can.
    pub(crate) fn for_tasks(&self) -> Option<&tokio::sync::Mutex<()>> {
        if let Lock::Tokio(lock) = self { Some(lock) } else { None }
    }

    /// Takes it if it is free.
    pub(crate) fn try_take(&self) -> Option<Guard<'_>> {
        match self {
            Lock::Std(lock) => match lock.try_lock() {
                Ok(guard) => Some(Guard::Std(guard)),
                Err(TryLockError::Poisoned(poisoned)) => Some(Guard::Std(poisoned.into_inner())),
                Err(TryLockError::WouldBlock) => None,
            },
            Lock::ParkingLot(lock) => lock.try_lock().map(Guard::ParkingLot),
            Lock::Tokio(lock) => lock.try_lock().ok().map(Guard::Tokio),
        }
    }

    /// Takes it, with the calling thread.
    pub(crate) fn take(&self) -> Guard<'_> {
        match self {
            Lock::Std(lock) => Guard::Std(lock.lock().unwrap_or_else(PoisonError::into_inner)),
            Lock::ParkingLot(lock) => Guard::ParkingLot(lock.lock()),
            Lock::Tokio(lock) => Guard::Tokio(lock.blocking_lock()),
        }
    }
}

impl Guard<'_> {
    /// Gives the lock back.
    pub(crate) fn give(self) {
        match self {
            Guard::Std(guard) => drop(guard),
            Guard::ParkingLot(guard) => drop(guard),
            Guard::Tokio(guard) => drop(guard),
        }
    }
}
