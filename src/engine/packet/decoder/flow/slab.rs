//! Memory for very many small entries: it grows without moving what is there, and is of
//! big pages where it is large.
//!
//! A vector that grows copies all of its entries, each time; and a flood that fills new
//! memory by pages of 4 KiB spends a quarter of its time in the kernel (`perf record -g` on the
//! SYN flood of `make packets`). Tables that are not
//! large lie in a vector still: big pages begin at multiples of their size, so that equal
//! entries of several tables would meet in the same sets of the cache.

use crate::engine::memory::Pages;
use std::ops::{Index, IndexMut};
use zerocopy::{FromBytes, IntoBytes};

/// Entries by number, all zeros at first.
#[derive(Debug)]
pub(super) struct Slab<T> {
    /// As many as there are in big pages.
    first: Vec<T>,
    later: Vec<Pages<T>>,
    len: u32,
}

/// The page of an entry behind the first ones, and its place there.
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

    /// Puts an entry behind the last one, and gives its number.
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

    /// Gives all memory back.
    pub(super) fn clear(&mut self) {
        *self = Slab::new();
    }
}

/// An entry that was put in.
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

/// Entries that come and go, by number.
#[derive(Debug)]
pub(super) struct Pool<T> {
    entries: Vec<T>,
    free: Vec<u32>,
}

impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Pool { entries: Vec::new(), free: Vec::new() }
    }

    /// None for numbers that none has.
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize)
    }

    /// Takes an entry in, and gives its number.
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

    /// Frees the place of an entry.
    pub(super) fn free(&mut self, number: u32) {
        self.free.push(number);
    }

    /// Gives all memory back.
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
