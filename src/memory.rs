//! Memory that the system gives by pages: files that are mapped, and big pages.
//!
//! This file has the `unsafe` of it all.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use zerocopy::{FromBytes, IntoBytes};

/// Maps a whole file, to be read.
///
/// # Errors
///
/// Those of the system: the file is empty, say, or is none that can be mapped.
pub(crate) fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: the map is read-only and private to this process. What cannot be ruled out is
    // that somebody changes or truncates the file under us. Changed bytes are harmless to
    // whoever takes them for bytes and checks what they say, and no reference to a type with
    // invalid bit patterns is ever made from them. Behind the end of a truncated file a read
    // raises a signal: a database is never truncated by us, as a new one is renamed over it
    // and the old file lives as long as this map.
    unsafe { memmap2::Mmap::map(file) }
}

/// Has the line of the cache in which something begins brought there, for whoever asks for it
/// soon. Where the instruction is not to be had, nothing happens.
#[inline(always)]
pub(crate) fn prefetch<T>(it: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: any address may be given, and this one is of a value; every x86-64 has SSE.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(it).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = it;
}

/// Entries in whole pages, all zeros at first.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    map: memmap2::MmapMut,
    len: usize,
    entries: PhantomData<T>,
}

impl<T: FromBytes + IntoBytes> Pages<T> {
    /// Bytes of one big page, where pages are of 4 KiB.
    const BYTES: usize = 2 << 20;

    /// How many entries a big page holds.
    pub(crate) const LEN: usize = Self::BYTES / size_of::<T>();

    /// Gets so many, in big pages if those can be had: then the first one that is touched has
    /// the system clear the whole page, and not each of its small ones by itself.
    ///
    /// # Panics
    ///
    /// Ends as every allocation does if there is no memory.
    pub(crate) fn new(len: usize) -> Self {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let bytes = len.saturating_mul(size_of::<T>()).max(1);
        let map = memmap2::MmapOptions::new().len(bytes).map_anon().unwrap_or_else(|_| {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 2 << 20]>())
        });
        #[cfg(target_os = "linux")]
        // Without big pages it is slower, and nothing else.
        let _ = map.advise(memmap2::Advice::HugePage);
        Pages { map, len, entries: PhantomData }
    }
}

impl<T: FromBytes + IntoBytes> Deref for Pages<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the map is as long as `len` entries, or no map is (`new`); it begins at a page,
        // which is as much as `T` wants at most (`new`); any bytes are a `T` (`FromBytes`),
        // and the borrow is that of the map. A checked cast each time cost 70
        // instructions a packet (`valgrind --tool=callgrind` on 30,000 of `make packets`).
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), self.len) }
    }
}

impl<T: FromBytes + IntoBytes> DerefMut for Pages<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and what is written are bytes (`IntoBytes`).
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zero_and_keep_what_is_written() {
        let mut pages: Pages<[u64; 3]> = Pages::new(100_000);
        assert_eq!(pages.len(), 100_000);
        assert!(pages.iter().all(|entry| *entry == [0; 3]));
        for (number, entry) in pages.iter_mut().enumerate() {
            *entry = [number as u64; 3];
        }
        assert!(pages.iter().zip(0..).all(|(entry, number)| *entry == [number; 3]));
    }
}
