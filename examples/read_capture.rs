//! Lists the observables in the packets of a capture: names, URLs, digests, addresses.
//!
//! ```sh
//! cargo run --example read_capture -- testdata/captures/dns_http_tls.pcap
//! ```

#![allow(clippy::disallowed_macros, reason = "a program whose output is all that it does")]

use std::process::ExitCode;
use wiresift::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};
use wiresift::{Capture, Error, Observable, Result, Timestamp, Where};

/// Prints each observable with its packet.
struct Print;

impl Visitor for Print {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        println!("{}\t{} -> {}", packet.number, packet.src, packet.dst);
        // Later packets of the flow are not needed.
        false
    }

    fn seen(&mut self, what: Observable<'_>, at: Where, packet: &Packet<'_>, _: ProtocolFacts<'_>) {
        println!("{}\t{}\t{what:?}", packet.number, at.name());
    }
}

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: read_capture CAPTURE");
        return ExitCode::from(2);
    };
    match read(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("read_capture: {error}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &str) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))?;
    let mut decoder = Decoder::new(Config::default());
    for packet in Capture::new(&bytes).map_err(|error| error.at_path(path))? {
        // An error says where the capture is damaged; everything before it was read.
        let packet = packet.map_err(|error| error.at_path(path))?;
        let frame = Frame {
            number: packet.number,
            time: Timestamp(packet.time),
            is_timed: packet.is_timed,
            linktype: packet.linktype,
            length: packet.length,
            data: packet.data,
        };
        decoder.frame(&frame, &mut Print);
    }
    decoder.finish(&mut Print);
    Ok(())
}
