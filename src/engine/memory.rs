//! Memory in pages: mapped files, and huge pages.
//!
//! All `unsafe` code for it is in this file.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use zerocopy::{FromBytes, IntoBytes};

/// A whole file, mapped read-only.
///
/// Reading beyond the end of a file that was truncated raises SIGBUS. A program that overwrites a
/// file in use (`cp`, `scp`) must not end this process: the map is then replaced by zeros, and
/// [`Mapped::is_lost`] reports it. Lookups accept any bytes, so that they continue.
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
    /// Those of the system, for example if the file is empty or cannot be mapped.
    pub(crate) fn new(file: &File) -> io::Result<Mapped> {
        static HANDLED: std::sync::Once = std::sync::Once::new();
        HANDLED.call_once(handle_sigbus);
        // SAFETY: the map is read-only and private to this process. It cannot be ruled out that
        // another process changes or truncates the file. Changed bytes are harmless, because
        // callers treat the map as bytes and check what they read, and no reference to a type
        // with invalid bit patterns is ever made from them. The signal raised by a read beyond
        // the end of a truncated file is handled (`on_sigbus`).
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

    /// Whether the file was truncated, so that the contents are lost.
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

/// The address range of a map, for the signal handler.
#[derive(Debug)]
struct Place {
    start: AtomicUsize,
    len: AtomicUsize,
    is_taken: AtomicBool,
    is_lost: AtomicBool,
}

/// The maximum number of maps: one is in use, and a few may wait to be dropped.
static PLACES: [Place; 256] = [const {
    Place {
        start: AtomicUsize::new(0),
        len: AtomicUsize::new(0),
        is_taken: AtomicBool::new(false),
        is_lost: AtomicBool::new(false),
    }
}; 256];

/// The previous action for SIGBUS.
static BEFORE: std::sync::OnceLock<libc::sigaction> = std::sync::OnceLock::new();

fn handle_sigbus() {
    // SAFETY: both structures are plain data that is zero or filled by the system, and the
    // handler has the signature that SA_SIGINFO requires. The previous action is stored before
    // this handler can run.
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

/// Replaces a map whose file was truncated by zeros. It only uses atomic loads and stores and two
/// system calls, all of which are allowed in a handler (`signal-safety(7)`; `mmap` is a bare
/// system call).
extern "C" fn on_sigbus(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO, the system passes a valid `info`.
    let address = unsafe { (*info).si_addr() } as usize;
    for place in &PLACES {
        let (start, len) = (place.start.load(Acquire), place.len.load(Acquire));
        if address.wrapping_sub(start) >= len {
            continue;
        }
        place.is_lost.store(true, Release);
        let prot = libc::PROT_READ;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
        // SAFETY: the range is exactly that of one of our maps, which is in use as long as it is
        // registered here. Pages of zeros replace it atomically; they are readable like those
        // before.
        let mapped = unsafe { libc::mmap(start as *mut libc::c_void, len, prot, flags, -1, 0) };
        if mapped != libc::MAP_FAILED {
            return;
        }
    }
    // Not one of our maps: the previous handler takes over when the instruction is retried.
    // SAFETY: the restored action is the one that the system returned.
    unsafe {
        match BEFORE.get() {
            Some(before) => libc::sigaction(libc::SIGBUS, before, std::ptr::null_mut()),
            None => libc::sigaction(libc::SIGBUS, &std::mem::zeroed(), std::ptr::null_mut()),
        };
    }
}

/// Prefetches the cache line at which a value begins. Without the instruction, it has no effect.
#[inline(always)]
pub(crate) fn prefetch<T>(it: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching is allowed for any address, and this one is of a value; every x86-64
    // has SSE.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(it).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = it;
}

/// Entries in whole pages, initially all zeros.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    map: memmap2::MmapMut,
    len: usize,
    entries: PhantomData<T>,
}

impl<T: FromBytes + IntoBytes> Pages<T> {
    /// Bytes of one huge page, if pages have 4 KiB.
    const BYTES: usize = 2 << 20;

    /// The number of entries in a huge page.
    pub(crate) const LEN: usize = Self::BYTES / size_of::<T>();

    /// Allocates `len` entries, in huge pages if available: then the first access makes the
    /// system clear the whole page at once, instead of each small page separately.
    ///
    /// # Panics
    ///
    /// Aborts like any allocation if there is no memory.
    pub(crate) fn new(len: usize) -> Self {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let bytes = len.saturating_mul(size_of::<T>()).max(1);
        let map = memmap2::MmapOptions::new().len(bytes).map_anon().unwrap_or_else(|_| {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 2 << 20]>())
        });
        #[cfg(target_os = "linux")]
        // Without huge pages it is only slower.
        let _ = map.advise(memmap2::Advice::HugePage);
        Pages { map, len, entries: PhantomData }
    }
}

impl<T: FromBytes + IntoBytes> Deref for Pages<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the map is as long as `len` entries, or empty (`new`); it begins at a page
        // border, which satisfies the alignment of `T` (`new`); any bytes are a valid `T`
        // (`FromBytes`), and the borrow is that of the map. A checked cast on each access cost 70
        // instructions per packet (`valgrind --tool=callgrind` on 30,000 packets of `make
        // packets`).
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), self.len) }
    }
}

impl<T: FromBytes + IntoBytes> DerefMut for Pages<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and only plain bytes are written (`IntoBytes`).
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_gets_shorter_ends_no_process() {
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
        // Its slot is free again, and contains nothing of it.
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
