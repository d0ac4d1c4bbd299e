//! Tables in memory that child processes share with us: what one writes, all see.
//!
//! Every table is one anonymous shared mapping, all zeros at first. Its rows are made of atomics, so a plain shared
//! reference is enough to write and there is nothing to construct or drop. Pages cost memory only once touched.
#![expect(unsafe_code, reason = "memory mapped by hand")]

use std::io;
use std::ops::Deref;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};

/// Rows of a shared table.
///
/// # Safety
/// All zeros must be a valid value, it must need no drop, and every change must go through atomics.
pub(crate) unsafe trait Row: Sync {}

// SAFETY: an atomic integer is all this asks for.
unsafe impl Row for AtomicU32 {}
// SAFETY: as above.
unsafe impl Row for AtomicU64 {}
// SAFETY: as above.
unsafe impl Row for AtomicI64 {}
// SAFETY: an array of rows is one.
unsafe impl<T: Row, const N: usize> Row for [T; N] {}

/// A table of `len` rows in shared memory.
#[derive(Debug)]
pub(crate) struct Table<T: Row> {
    rows: NonNull<T>,
    len: usize,
}

// SAFETY: rows are changed through atomics only.
unsafe impl<T: Row> Send for Table<T> {}
// SAFETY: as above.
unsafe impl<T: Row> Sync for Table<T> {}

impl<T: Row> Table<T> {
    /// A table of zeros.
    pub(crate) fn zeros(len: usize) -> io::Result<Table<T>> {
        Table::map(len, libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1)
    }

    /// A table of zeros that is an empty file, which becomes so long.
    pub(crate) fn of_file(file: &OwnedFd, len: usize) -> io::Result<Table<T>> {
        let bytes = i64::try_from(len * size_of::<T>()).map_err(io::Error::other)?;
        // SAFETY: our own descriptor.
        if unsafe { libc::ftruncate(file.as_raw_fd(), bytes) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Table::map(len, libc::MAP_SHARED, file.as_raw_fd())
    }

    fn map(len: usize, flags: libc::c_int, file: RawFd) -> io::Result<Table<T>> {
        if len == 0 {
            return Ok(Table { rows: NonNull::dangling(), len });
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping, page-aligned, at an address of the kernel's choice.
        let address = unsafe { libc::mmap(ptr::null_mut(), len * size_of::<T>(), protection, flags, file, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(address.cast())
            .map(|rows| Table { rows, len })
            .ok_or_else(|| io::Error::other("memory was mapped at address zero"))
    }
}

impl<T: Row> Deref for Table<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the mapping holds `len` rows, zero is a valid row, and it lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.rows.as_ptr(), self.len) }
    }
}

impl<T: Row> Drop for Table<T> {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: our own mapping, which nobody can refer to any more.
            unsafe { libc::munmap(self.rows.as_ptr().cast(), self.len * size_of::<T>()) };
        }
    }
}

/// Declares a struct of atomics to be a [`Row`].
macro_rules! row {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        const _: () = {
            const fn is_row<T: $crate::play::shared::Row>() {}
            $(is_row::<$type>();)*
            #[expect(unsafe_code, reason = "checked field by field on the line above")]
            // SAFETY: every field is a row, and a struct of rows is one.
            unsafe impl $crate::play::shared::Row for $name {}
            // All fields are named: a new one cannot be forgotten here.
            const fn _all($name { $($field: _),* }: &$name) {}
        };
    };
}
pub(crate) use row;
