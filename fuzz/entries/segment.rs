//! Any bytes as a segment: it is refused, or everything that is read of it returns.
//!
//! Hardly any bytes have correct checksums, so these are corrected first: the target is the code
//! after that check.

use std::hint::black_box;
use std::sync::OnceLock;
use wiresift::Result;
use wiresift::engine::segment::{Merge, Row, Segment, SegmentWriter, key};
use xxhash_rust::xxh3::xxh3_64;

const HEADER: usize = 16;
const FOOTER: usize = 112;
const ENTRY: usize = 16;

/// The bytes, with corrected checksums, and as changes to a valid file.
pub fn run(bytes: &[u8]) {
    super::each_corrected(bytes, good(), correct_checksums, read);
}

/// Corrects the checksums of blocks, parts and footer, as far as the lengths are readable.
fn correct_checksums(bytes: &mut [u8]) -> Option<()> {
    let footer = bytes.len().checked_sub(FOOTER).filter(|footer| *footer >= HEADER)?;
    let number = |bytes: &[u8], at: usize| -> Option<usize> {
        let field = bytes.get(at..at + 8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(field)).ok()
    };
    let mut ends = [HEADER; 6];
    for part in 0..5 {
        let length = number(bytes, footer + 40 + 8 * part)?;
        ends[part + 1] = ends[part].checked_add(length).filter(|end| *end <= footer)?;
    }
    for entry in (ends[2]..ends[3]).step_by(ENTRY) {
        let start = number(bytes, entry)?;
        let end = match entry + ENTRY < ends[3] {
            true => number(bytes, entry + ENTRY)?,
            false => ends[1] - HEADER,
        };
        if let Some(block) = bytes[HEADER..ends[1]].get(start..end) {
            let sum = xxh3_64(block) as u32;
            bytes.get_mut(entry + 8..entry + 12)?.copy_from_slice(&sum.to_le_bytes());
        }
    }
    let parts = [ends[1]..ends[2], ends[2]..ends[4], ends[4]..ends[5]];
    for (part, at) in parts.into_iter().zip([80, 88, 96]) {
        let sum = xxh3_64(&bytes[part]);
        bytes[footer + at..footer + at + 8].copy_from_slice(&sum.to_le_bytes());
    }
    let sum = xxh3_64(&[&bytes[..HEADER], &bytes[footer..footer + 104]].concat());
    bytes[footer + 104..].copy_from_slice(&sum.to_le_bytes());
    Some(())
}

/// A small segment with every column and several blocks.
fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let mut writer = SegmentWriter::new(Vec::new(), 300).unwrap();
        for number in 0..300u32 {
            let key = [&[1], &(number / 2 * 999).to_be_bytes()[..]].concat();
            let first = 1_800_000_000 + i64::from(number);
            let (count, marks) = (1 + u64::from(number % 5), u64::from(number % 3));
            let ended = (number % 7 == 0).then_some(first + 100);
            let row = Row { first, last: first + 9, count, marks, days: number, ended };
            writer.push(&key, &row).unwrap();
        }
        writer.finish().unwrap().0
    })
}

fn read(bytes: Vec<u8>) {
    let Ok(segment) = Segment::from_bytes(bytes) else { return };
    black_box((segment.rows(), segment.length(), segment.times()));
    let is_sound = segment.check().is_ok();
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let rows = each(&segment, |key, _| {
        black_box(key::parse(key));
        if keys.len() < 8 {
            keys.push(key.to_vec());
        }
    });
    assert!(!is_sound || rows.ok() == Some(segment.rows()));
    for key in [&b""[..], b"\x01\x00\x01", &[0xff; 40]].into_iter().chain(keys.iter().map(|k| &**k))
    {
        let mut found = Vec::new();
        if segment.find(key, &mut found).is_ok() && is_sound {
            assert!(found.is_sorted_by_key(|row| row.first));
        }
    }
    let other = Segment::from_bytes(good().to_vec()).unwrap();
    if let Ok(mut merge) = Merge::new([&segment, &other]) {
        let mut count = 0;
        while let Ok(Some((_, rows))) = merge.next_key() {
            count += rows.len() as u64;
        }
        assert!(!is_sound || count == segment.rows() + other.rows());
    }
    if is_sound {
        again(&segment).expect("its rows are in order");
    }
}

/// Passes on all rows, and returns their number.
fn each(segment: &Segment, mut take: impl FnMut(&[u8], &Row)) -> Result<u64> {
    let mut cursor = segment.cursor();
    let mut rows = 0;
    cursor.advance()?;
    while let Some((key, row)) = cursor.get() {
        take(key, row);
        rows += 1;
        cursor.advance()?;
    }
    Ok(rows)
}

/// Writes the rows of a segment again.
fn again(segment: &Segment) -> Result<()> {
    let mut writer = SegmentWriter::new(Vec::new(), segment.rows())?;
    let mut rows = Vec::new();
    each(segment, |key, row| rows.push((key.to_vec(), *row)))?;
    rows.iter().try_for_each(|(key, row)| writer.push(key, row))?;
    let copy = Segment::from_bytes(writer.finish()?.0)?;
    let mut at = 0;
    each(&copy, |key, row| {
        assert_eq!((key, row), (&*rows[at].0, &rows[at].1));
        at += 1;
    })?;
    assert_eq!(at, rows.len());
    Ok(())
}
