//! Archives made by other programs, and handmade ones that those refuse to write.

use super::*;
use crate::sensor::input::{Contents, Input, Packing, Target};
use std::io;
use std::io::Write;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn zipped(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn open(bytes: &[u8]) -> Input {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let mut input = Input::open(&Target::Path(file.path().to_path_buf())).unwrap();
    input.path = "x".into();
    input
}

/// The same bytes from a pipe.
fn piped(bytes: &[u8], allowance: Allowance) -> Input {
    let reader = Box::new(io::Cursor::new(bytes.to_vec()));
    Input::nested("x".into(), reader, 0, allowance).unwrap()
}

/// Everything in an archive and in nested archives: names, and bytes, errors or reasons.
fn everything(input: Input) -> Vec<(String, String)> {
    let mut found = Vec::new();
    go_through(input, &mut found);
    found
}

fn go_through(input: Input, found: &mut Vec<(String, String)>) {
    let name = input.path().to_string();
    match input.contents() {
        Contents::Zip | Contents::Tar => {}
        Contents::Closed(what) => return found.push((name, what.to_string())),
        _ => {
            let read = input.read_all(1 << 30);
            let text = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            return found.push((name, text.unwrap_or_else(|error| error.to_string())));
        }
    }
    let mut archive = match Archive::open(input) {
        Ok(archive) => archive.unwrap(),
        Err(error) => return found.push((name, error.to_string())),
    };
    loop {
        match archive.next_member() {
            Ok(Some(Member::File(input))) => go_through(*input, found),
            Ok(Some(Member::Closed(path, why))) => found.push((path.to_string(), why.to_string())),
            Ok(None) => return,
            Err(error) => found.push((name.clone(), error.to_string())),
        }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
}

#[test]
fn members_of_either() {
    let long = "folder/".repeat(40) + "a.log";
    let members: [(&str, &[u8]); 3] = [("a.log", b"one\n"), (&long, b"two\n"), ("empty", b"")];
    let want = [("x!/a.log", "one\n"), (&format!("x!/{long}"), "two\n"), ("x!/empty", "")];
    for bytes in [
        zipped(&members, CompressionMethod::Stored),
        zipped(&members, CompressionMethod::Deflated),
        tarred(&members),
    ] {
        assert_eq!(everything(open(&bytes)), pairs(&want));
        assert_eq!(everything(piped(&bytes, Allowance::default())), pairs(&want));
        // Data before it would make it another file; data after it doesn't matter.
        let followed = [&bytes[..], &[0; 1024]].concat();
        assert_eq!(everything(open(&followed)), pairs(&want));
    }
}

#[test]
fn members_that_are_packed_or_archives_themselves() {
    let packed = zstd::stream::encode_all(&b"packed\n"[..], 1).unwrap();
    let inner = tarred(&[("b", b"inner\n"), ("c.zst", &packed)]);
    let bytes = zipped(
        &[("in.tar.zst", &zstd::stream::encode_all(&inner[..], 1).unwrap())],
        CompressionMethod::Deflated,
    );
    let want = [("x!/in.tar.zst!/b", "inner\n"), ("x!/in.tar.zst!/c.zst", "packed\n")];
    assert_eq!(everything(open(&bytes)), pairs(&want));
    assert_eq!(Packing::of(&packed), Some(Packing::Zstd));
}

#[test]
fn archives_in_archives_end_somewhere() {
    let mut bytes = b"at the bottom\n".to_vec();
    for _ in 0..4 {
        bytes = zipped(&[("z", &bytes)], CompressionMethod::Deflated);
    }
    assert_eq!(everything(open(&bytes)), pairs(&[("x!/z!/z!/z!/z", "at the bottom\n")]));
    let bytes = zipped(&[("z", &bytes)], CompressionMethod::Deflated);
    let too_deep = pairs(&[("x!/z!/z!/z!/z", "too deeply nested archive")]);
    assert_eq!(everything(open(&bytes)), too_deep);
}

#[test]
fn no_archive_unpacks_to_more_than_it_may() {
    let zeros = vec![b'0'; 1 << 20];
    let many: Vec<(String, &[u8])> = (0..20).map(|n| (n.to_string(), &zeros[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(n, b)| (&n[..], *b)).collect();
    let bytes = zipped(&many, CompressionMethod::Deflated);
    let found = everything(piped(&bytes, Allowance::new(3 << 20, 100)));
    let whole = found.iter().filter(|(_, text)| text.len() == 1 << 20).count();
    assert_eq!(whole, 2, "the archive itself is charged, too");
    assert!(found.len() <= 4, "{}", found.len());
    assert!(found.last().unwrap().1.contains("it contains more than an archive may decompress to"));
    // Too many members, however small.
    let bytes = tarred(&[("a", b""), ("b", b""), ("c", b"")]);
    assert_eq!(everything(piped(&bytes, Allowance::new(1 << 20, 2))).len(), 3);
}

#[test]
fn names_that_hide_each_other_elsewhere() {
    let mut bytes = zipped(&[("a", b"one\n"), ("b", b"two\n")], CompressionMethod::Stored);
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(b"b") && bytes[..at].ends_with(b"\0\0") {
            bytes[at] = b'a';
        }
    }
    let found = everything(open(&bytes));
    assert_eq!(found.iter().map(|(_, text)| &text[..]).collect::<Vec<_>>(), ["one\n", "two\n"]);
}

#[test]
fn damage_is_reported_and_the_rest_is_read() {
    let members: [(&str, &[u8]); 2] = [("a", b"one\n"), ("b", b"two\n")];
    let bytes = zipped(&members, CompressionMethod::Stored);
    // A wrong checksum.
    let mut wrong = bytes.clone();
    let at = memchr::memmem::find(&wrong, b"one\n").unwrap();
    wrong[at] = b'X';
    let found = everything(open(&wrong));
    assert!(found[0].1.contains("wrong checksum of a member"), "{found:?}");
    assert_eq!(found[1].1, "two\n");
    // The directory is cut off: members are read in sequence.
    let end = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
    let found = everything(open(&bytes[..end]));
    assert_eq!((&found[0].1[..], &found[1].1[..]), ("one\n", "two\n"));
    assert!(found[2].1.contains("cut off and has no directory"), "{found:?}");
    // Cut within a member of a tar archive.
    let archive = tarred(&[("a", b"one\n"), ("b", &[b'x'; 2000])]);
    let found = everything(open(&archive[..3 * 512 + 700]));
    assert_eq!(found[0].1, "one\n");
    assert!(found[1].1.contains("x!/b: cannot read"), "{found:?}");
    // A size that no disk has.
    let mut absurd = archive.clone();
    absurd[124..136].copy_from_slice(b"77777777777\0");
    let sum: u32 = absurd[..148].iter().chain(&absurd[156..512]).map(|&b| u32::from(b)).sum();
    absurd[148..156].copy_from_slice(format!("{:06o}\0 ", sum + 256).as_bytes());
    let found = everything(open(&absurd));
    assert!(found[0].1.contains("cannot read"), "{found:?}");
}

#[test]
fn appended_archives_are_read() {
    let bytes = [tarred(&[("a", b"one\n")]), tarred(&[("b", b"two\n")])].concat();
    assert_eq!(everything(open(&bytes)), pairs(&[("x!/a", "one\n"), ("x!/b", "two\n")]));
}

#[test]
fn what_cannot_be_looked_into() {
    let mut bytes = zipped(&[("a", b"one\n"), ("b", b"two\n")], CompressionMethod::Stored);
    let entry = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
    bytes[entry + 8] |= 1;
    let found = everything(open(&bytes));
    assert_eq!(found, pairs(&[("x!/a", "encrypted zip member"), ("x!/b", "two\n")]));
    (bytes[entry + 8], bytes[entry + 10]) = (0, 98);
    assert_eq!(everything(open(&bytes))[0].1, "zip member with an unknown compression method");
}
