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

/// Entries in whole pages, all zeros at first.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    map: memmap2::MmapMut,
    entries: PhantomData<T>,
}

impl<T: FromBytes + IntoBytes> Pages<T> {
    /// Bytes: those of one big page, where pages are of 4 KiB.
    const BYTES: usize = 2 << 20;

    /// How many entries there are.
    pub(crate) const LEN: usize = Self::BYTES / size_of::<T>();

    /// Gets them, in one big page if that can be had: then the first one that is touched has
    /// the system clear the whole of it, and not each of its pages by itself.
    ///
    /// # Panics
    ///
    /// Ends as every allocation does if there is no memory.
    pub(crate) fn new() -> Self {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let map = memmap2::MmapOptions::new().len(Self::BYTES).map_anon().unwrap_or_else(|_| {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 2 << 20]>())
        });
        #[cfg(target_os = "linux")]
        // Without big pages it is slower, and nothing else.
        let _ = map.advise(memmap2::Advice::HugePage);
        Pages { map, entries: PhantomData }
    }
}

impl<T: FromBytes + IntoBytes> Deref for Pages<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the map is of `BYTES` bytes, which hold `LEN` entries; it begins at a page,
        // which is as much as `T` wants at most (`new`); any bytes are a `T` (`FromBytes`),
        // and the borrow is that of the map. A checked cast each time cost 70
        // instructions a packet (`valgrind --tool=callgrind` on 30,000 of `make packets`).
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), Self::LEN) }
    }
}

impl<T: FromBytes + IntoBytes> DerefMut for Pages<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and what is written are bytes (`IntoBytes`).
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().cast(), Self::LEN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zero_and_keep_what_is_written() {
        let mut pages: Pages<[u64; 3]> = Pages::new();
        assert_eq!(pages.len(), (2 << 20) / 24);
        assert!(pages.iter().all(|entry| *entry == [0; 3]));
        for (number, entry) in pages.iter_mut().enumerate() {
            *entry = [number as u64; 3];
        }
        assert!(pages.iter().zip(0..).all(|(entry, number)| *entry == [number; 3]));
    }
}
