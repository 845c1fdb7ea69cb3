//! Any bytes as the data of a client: the same requests however they are split, within the
//! limits.

use std::time::Duration;
use wiresift::sensor::http::{Limits, Parser, Refusal, Request, Step};

const LIMITS: Limits = Limits {
    head: 512,
    body: 64,
    idle: Duration::from_secs(1),
    request: Duration::from_secs(1),
    connections: 1,
};

fn reported<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> (Vec<Request>, Option<Refusal>) {
    let (mut parser, mut requests) = (Parser::new(LIMITS), Vec::new());
    for piece in pieces {
        parser.push(piece);
        loop {
            match parser.step() {
                Ok(Step::Request(request)) => {
                    assert!(request.body.len() <= LIMITS.body);
                    assert!(request.path.len() + request.query.len() <= LIMITS.head);
                    let _ = (request.query("a"), request.header("a"));
                    requests.push(request);
                }
                // Whether a client gets `100 Continue` depends on how much it has sent already.
                Ok(Step::Continue) => {}
                Ok(Step::More) => break,
                Err(refusal) => return (requests, Some(refusal)),
            }
        }
    }
    (requests, None)
}

/// At once, byte by byte, and in pieces of the size in the first byte.
pub fn run(bytes: &[u8]) {
    let Some((&first, stream)) = bytes.split_first() else { return };
    let whole = reported(std::iter::once(stream));
    assert!(whole == reported(stream.chunks(1)));
    assert!(whole == reported(stream.chunks(usize::from(first) + 2)));
}
