//! Any bytes as an input: an archive with its members, Windows events, wide characters,
//! compressed data. No panic, it ends, and unpacks to no more than an input may.

use std::io::{Cursor, Read};
use wiresift::sensor::input::{Archive, Contents, Events, Input, MAX_DEPTH, Member, Opened};

/// How much of each member is read: the limit for archives is far beyond what a fuzzer has time
/// for.
const MAX_READ: u64 = 1 << 20;

fn go_through(input: Input, depth: u8, members: &mut u32) {
    assert!(depth <= MAX_DEPTH);
    let contents = input.contents();
    assert!(input.head().len() <= wiresift::sensor::input::HEAD);
    if matches!(contents, Contents::Zip | Contents::Tar) {
        let Ok(Some(mut archive)) = Archive::open(input) else { return };
        loop {
            match archive.next_member() {
                Ok(None) => return,
                Ok(Some(Member::File(input))) if *members < 64 => {
                    *members += 1;
                    go_through(*input, depth + 1, members);
                }
                Ok(Some(Member::File(_))) => return,
                Ok(Some(Member::Closed(path, why))) => {
                    assert!(path.contains("!/") && !why.is_empty())
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    let Opened::Stream(stream) = input.into_opened() else { panic!("a reader is not a file") };
    if contents == Contents::Events {
        let mut lines = Vec::new();
        let _ = Events::new(stream).take(MAX_READ).read_to_end(&mut lines);
        for line in lines.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let is_cut = lines.len() as u64 == MAX_READ;
            assert!(line.starts_with(b"{\"time\":\"") && (is_cut || line.ends_with(b"}")));
        }
    } else {
        let _ = stream.take(MAX_READ).read_to_end(&mut Vec::new());
    }
}

/// Reads everything in an input.
pub fn run(bytes: &[u8]) {
    if let Ok(input) = Input::of("x", Cursor::new(bytes.to_vec())) {
        go_through(input, 0, &mut 0);
    }
}
