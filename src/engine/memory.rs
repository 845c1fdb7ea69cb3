//! Memory that the system gives by pages: files that are mapped, and big pages.
//!
//! This file has the `unsafe` of it all.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use zerocopy::{FromBytes, IntoBytes};

/// A whole file, mapped to be read.
///
/// Behind the end of a file that got shorter a read raises SIGBUS. Whoever writes into a file
/// that is in use (`cp`, `scp`) must not end the process by that: such a map becomes one of
/// zeros, and [`Mapped::is_lost`] tells. Look-ups take any bytes, so that they go on.
#[derive(Debug)]
pub(crate) struct Mapped {
    map: memmap2::Mmap,
    place: &'static Place,
}

impl Mapped {
    /// Maps a file.
    ///
    /// # Errors
    ///
    /// Those of the system: the file is empty, say, or is none that can be mapped.
    pub(crate) fn new(file: &File) -> io::Result<Mapped> {
        static HANDLED: std::sync::Once = std::sync::Once::new();
        HANDLED.call_once(handle_sigbus);
        // SAFETY: the map is read-only and private to this process. What cannot be ruled out
        // is that somebody changes or truncates the file under us. Changed bytes are harmless
        // to whoever takes them for bytes and checks what they say, and no reference to a type
        // with invalid bit patterns is ever made from them. What a read behind the end of a
        // truncated file raises is handled (`on_sigbus`).
        let map = unsafe { memmap2::Mmap::map(file) }?;
        let free = PLACES.iter().find(|place| {
            let taken = place.is_taken.compare_exchange(false, true, Acquire, Relaxed);
            taken.is_ok()
        });
        let place = free.ok_or_else(|| io::Error::other("too many maps"))?;
        place.is_lost.store(false, Relaxed);
        place.start.store(map.as_ptr() as usize, Release);
        place.len.store(map.len(), Release);
        Ok(Mapped { map, place })
    }

    /// Whether the file got shorter, and what is here is no longer what it held.
    pub(crate) fn is_lost(&self) -> bool {
        self.place.is_lost.load(Acquire)
    }
}

impl Deref for Mapped {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        self.place.len.store(0, Release);
        self.place.is_taken.store(false, Release);
    }
}

/// Where a map lies, for the handler of a signal.
#[derive(Debug)]
struct Place {
    start: AtomicUsize,
    len: AtomicUsize,
    is_taken: AtomicBool,
    is_lost: AtomicBool,
}

/// More maps than this are not to be had: one is in use, and a few may wait to be given back.
static PLACES: [Place; 256] = [const {
    Place {
        start: AtomicUsize::new(0),
        len: AtomicUsize::new(0),
        is_taken: AtomicBool::new(false),
        is_lost: AtomicBool::new(false),
    }
}; 256];

/// What SIGBUS did before.
static BEFORE: std::sync::OnceLock<libc::sigaction> = std::sync::OnceLock::new();

fn handle_sigbus() {
    // SAFETY: both structures are plain data that is zero or filled by the system, and the
    // handler has the signature that SA_SIGINFO asks for. What was there before is kept before
    // ours can run.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut before) != 0 {
            return;
        }
        let _ = BEFORE.set(before);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_sigbus as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut());
    }
}

/// Puts zeros in the place of a map whose file got shorter. It does nothing but atomic loads and
/// stores and two system calls, all of which a handler may do (`signal-safety(7)`; `mmap` is a
/// bare system call).
extern "C" fn on_sigbus(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the system gives a valid `info` with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    for place in &PLACES {
        let (start, len) = (place.start.load(Acquire), place.len.load(Acquire));
        if address.wrapping_sub(start) >= len {
            continue;
        }
        place.is_lost.store(true, Release);
        let prot = libc::PROT_READ;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
        // SAFETY: the range is exactly that of a map of ours, which is in use as long as it is
        // noted here. Pages of zeros take its place at once; they may be read like those before.
        let mapped = unsafe { libc::mmap(start as *mut libc::c_void, len, prot, flags, -1, 0) };
        if mapped != libc::MAP_FAILED {
            return;
        }
    }
    // None of ours: whoever handled it before does so, when the instruction is tried again.
    // SAFETY: what is put back is what the system gave.
    unsafe {
        match BEFORE.get() {
            Some(before) => libc::sigaction(libc::SIGBUS, before, std::ptr::null_mut()),
            None => libc::sigaction(libc::SIGBUS, &std::mem::zeroed(), std::ptr::null_mut()),
        };
    }
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
    fn a_file_that_gets_shorter_ends_nobody() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &[7; 100_000]).unwrap();
        let map = Mapped::new(&file).unwrap();
        let other = tempfile::tempfile().unwrap();
        other.set_len(10).unwrap();
        let other = Mapped::new(&other).unwrap();
        assert!(map.iter().all(|byte| *byte == 7) && !map.is_lost());
        file.set_len(10).unwrap();
        assert!(map.iter().skip(50_000).all(|byte| *byte == 0) && map.is_lost());
        assert!(other.iter().all(|byte| *byte == 0) && !other.is_lost());
        // Its place is free again, and knows nothing of it.
        drop(map);
        file.set_len(5000).unwrap();
        let again = Mapped::new(&file).unwrap();
        assert_eq!(again.len(), 5000);
        assert!(!again.is_lost());
    }

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
