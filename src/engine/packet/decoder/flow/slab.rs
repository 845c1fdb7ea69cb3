//! Memory for very many small entries: it grows without moving existing entries, and uses huge
//! pages if it is large.
//!
//! A vector that grows copies all its entries each time; and a flood that fills new memory in
//! pages of 4 KiB spends a quarter of its time in the kernel (`perf record -g` on the SYN flood
//! of `make packets`). Small tables use a vector nevertheless: huge pages begin at multiples of
//! their size, so that equal entries of several tables would collide in the same sets of the
//! cache.

use crate::engine::memory::Pages;
use std::ops::{Index, IndexMut};
use zerocopy::{FromBytes, IntoBytes};

/// Entries by number, initially all zeros.
#[derive(Debug)]
pub(super) struct Slab<T> {
    /// Entries before the first huge page.
    first: Vec<T>,
    later: Vec<Pages<T>>,
    len: u32,
}

/// The page of an entry after the first ones, and its position there.
fn locate<T: FromBytes + IntoBytes>(number: u32) -> (usize, usize) {
    (number as usize / Pages::<T>::LEN - 1, number as usize % Pages::<T>::LEN)
}

impl<T: FromBytes + IntoBytes> Slab<T> {
    pub(super) fn new() -> Self {
        Slab { first: Vec::new(), later: Vec::new(), len: 0 }
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        if (number as usize) < Pages::<T>::LEN {
            return self.first.get(number as usize);
        }
        let (page, place) = locate::<T>(number);
        self.later.get(page)?.get(place)
    }

    /// Appends an entry, and returns its number.
    pub(super) fn push(&mut self, entry: T) -> u32 {
        let number = self.len;
        self.len += 1;
        if (number as usize) < Pages::<T>::LEN {
            self.first.push(entry);
            return number;
        }
        if locate::<T>(number).0 == self.later.len() {
            self.later.push(Pages::new(Pages::<T>::LEN));
        }
        self[number] = entry;
        number
    }

    /// All entries, by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..self.len).filter_map(|number| Some((number, self.get(number)?)))
    }

    /// Frees all memory.
    pub(super) fn clear(&mut self) {
        *self = Slab::new();
    }
}

/// An existing entry.
impl<T: FromBytes + IntoBytes> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        if (number as usize) < Pages::<T>::LEN {
            return &self.first[number as usize];
        }
        let (page, place) = locate::<T>(number);
        &self.later[page][place]
    }
}

impl<T: FromBytes + IntoBytes> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, number: u32) -> &mut T {
        if (number as usize) < Pages::<T>::LEN {
            return &mut self.first[number as usize];
        }
        let (page, place) = locate::<T>(number);
        &mut self.later[page][place]
    }
}

/// Entries that are added and removed, by number.
#[derive(Debug)]
pub(super) struct Pool<T> {
    entries: Vec<T>,
    free: Vec<u32>,
}

impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Pool { entries: Vec::new(), free: Vec::new() }
    }

    /// `None` for unused numbers.
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize)
    }

    /// Adds an entry, and returns its number.
    pub(super) fn put(&mut self, entry: T) -> u32 {
        let free = self.free.pop();
        if let Some(number) = free
            && let Some(place) = self.entries.get_mut(number as usize)
        {
            *place = entry;
            return number;
        }
        self.entries.push(entry);
        self.entries.len() as u32 - 1
    }

    /// Removes an entry.
    pub(super) fn free(&mut self, number: u32) {
        self.free.push(number);
    }

    /// Frees all memory.
    pub(super) fn clear(&mut self) {
        *self = Pool::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_found() {
        let mut slab: Slab<[u64; 8]> = Slab::new();
        let count = (2 * Pages::<[u64; 8]>::LEN) as u32 + 3;
        for number in 0..count {
            assert_eq!(slab.push([u64::from(number); 8]), number);
        }
        assert_eq!(slab.later.len(), 2);
        slab[count - 1] = [7; 8];
        for number in 0..count - 1 {
            assert_eq!(slab.get(number), Some(&[u64::from(number); 8]));
        }
        assert_eq!(slab.get(count - 1), Some(&[7; 8]));
        assert_eq!(slab.iter().count(), count as usize);
        slab.clear();
        assert_eq!((slab.iter().count(), slab.get(0)), (0, None));
    }

    #[test]
    fn freed_places_are_used_again() {
        let mut pool = Pool::new();
        let numbers = [pool.put('a'), pool.put('b')];
        pool.free(numbers[0]);
        assert_eq!(pool.put('c'), numbers[0]);
        assert_eq!((pool.get(numbers[0]), pool.get(numbers[1])), (Some(&'c'), Some(&'b')));
        assert_eq!(pool.get(2), None);
    }
}
