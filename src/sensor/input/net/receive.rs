//! Receivers of syslog and of lines, over UDP, TCP, TLS and unix sockets.

use super::batch::Names;
use super::drops::Drops;
use super::net_input::Outgoing;
use super::syslog::{Clock, Frame, Framer, Framing, InvalidCount, MAX_FRAME, Message};
use super::{Batch, Count, NetInput};
use crate::clock::{Stopwatch, now};
use crate::sensor::listen::{
    Activated, Address, Bound, Connection, ConnectionLimiter, Datagrams, RECEIVE_BUFFER, Tls,
};
use crate::{Error, Result};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;

/// How often the kernel's drops are read.
const DROPS: Duration = Duration::from_secs(1);

/// The format of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Syslog in any form. Times without a zone are in this one.
    Syslog(TimeZone),
    /// Lines as they are: EVE of Suricata (`filetype: unix_stream`, `unix_dgram`), JSON.
    Lines,
}

/// A receiving input.
#[derive(Clone, Debug)]
pub struct Receive {
    /// The addresses to listen on.
    pub addresses: Vec<Address>,
    /// The format of the data.
    pub format: Format,
    /// The certificate of `tls://`.
    pub tls: Option<Tls>,
    /// The maximum number of connections at a time, over all addresses.
    pub max_connections: usize,
    /// Whether each message of a stream is a line, even if it begins with a number.
    pub lines_only: bool,
    /// The receive buffer that datagram sockets request, in bytes.
    pub receive_buffer: usize,
}

impl Receive {
    /// At these addresses, syslog with times in UTC, without TLS, 512 connections.
    pub fn syslog(addresses: Vec<Address>) -> Receive {
        let format = Format::Syslog(TimeZone::UTC);
        Receive {
            addresses,
            format,
            tls: None,
            max_connections: 512,
            lines_only: false,
            receive_buffer: RECEIVE_BUFFER,
        }
    }

    /// Listens, and starts the threads that receive.
    ///
    /// # Errors
    ///
    /// If it can't listen on an address, or a thread can't be started.
    pub fn start(self, activated: &mut Activated) -> Result<NetInput> {
        if self.addresses.is_empty() {
            return Err(Error::usage("no address to listen on")
                .remedy("set listen, for example to [\"udp://0.0.0.0:514\"]"));
        }
        let bound: Result<Vec<Bound>> = self
            .addresses
            .iter()
            .map(|address| Bound::open(address, self.tls.as_ref(), activated))
            .collect();
        let (mut net_input, outgoing) = NetInput::new()?;
        let limiter = ConnectionLimiter::new(self.max_connections);
        for bound in bound? {
            let (outgoing, format) = (outgoing.clone(), self.format.clone());
            match bound {
                Bound::Datagrams(mut datagrams) => {
                    datagrams
                        .enlarge(self.receive_buffer)
                        .map_err(|e| Error::io("set a receive buffer", e))?;
                    net_input.addresses.extend(datagrams.local_addr());
                    net_input.start("datagrams", move || {
                        receive_datagrams(datagrams, &format, &outgoing);
                    })?;
                }
                Bound::Streams(listener) => {
                    net_input.addresses.extend(listener.local_addr());
                    let halt = outgoing.halt.clone();
                    let lines_only = self.lines_only || format == Format::Lines;
                    let serve = move |connection| {
                        receive_stream(connection, (&format, lines_only), &outgoing);
                    };
                    let thread = limiter.serve("stream", listener, halt, Arc::new(serve));
                    net_input.adopt(thread.map_err(|e| Error::io("start a thread", e))?);
                }
            }
        }
        net_input.limiters.push(limiter);
        Ok(net_input)
    }
}

/// Converts the frames of one sender to lines.
struct Reading<'f> {
    format: &'f Format,
    names: Names,
    batch: Batch,
    clock: Clock,
}

impl<'f> Reading<'f> {
    fn new(format: &'f Format) -> Self {
        let zone = match format {
            Format::Syslog(zone) => zone.clone(),
            Format::Lines => TimeZone::UTC,
        };
        let clock = Clock { now: now(), zone };
        Reading { format, names: Names::default(), batch: Batch::default(), clock }
    }

    fn add(&mut self, frame: &[u8], peer: &Arc<str>) {
        match self.format {
            Format::Syslog(_) => {
                let message = Message::parse(frame, &self.clock);
                self.batch.add_message(&message, &mut self.names, peer);
            }
            Format::Lines => self.batch.add_plain(frame, peer),
        }
    }
}

/// Reads a connection to its end.
fn receive_stream(
    mut connection: Connection,
    (format, lines_only): (&Format, bool),
    outgoing: &Outgoing,
) {
    let peer = Arc::clone(connection.peer());
    let mut reading = Reading::new(format);
    let mut framer = if lines_only { Framer::of_lines() } else { Framer::default() };
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match connection.read(&mut buffer, None) {
            Ok(0) => break,
            Ok(count) => count,
            Err(_) => {
                outgoing.count(Count::BrokenConnections, 1);
                break;
            }
        };
        reading.clock.now = now();
        let piece = buffer.get(..count).unwrap_or_default();
        let pushed = framer.push(piece, |frame| take(&mut reading, frame, &peer, outgoing));
        if !outgoing.send(std::mem::take(&mut reading.batch)) {
            return;
        }
        if let Err(InvalidCount(count)) = pushed {
            outgoing.report(Count::InvalidCounts, || {
                format!(
                    "{peer}: announced a message of {count} bytes; at most {MAX_FRAME} are \
                     accepted, so the connection was closed"
                )
            });
            return;
        }
    }
    framer.finish(|frame| take(&mut reading, frame, &peer, outgoing));
    outgoing.send(reading.batch);
    connection.close();
}

fn take(reading: &mut Reading<'_>, frame: Frame<'_>, peer: &Arc<str>, outgoing: &Outgoing) {
    outgoing.count(Count::Records, 1);
    // A counted frame is only cut where the connection ends.
    if frame.is_cut && frame.framing != Framing::Counted {
        outgoing.report(Count::Oversize, || {
            format!("{peer}: sent a message of more than {MAX_FRAME} bytes, which was cut there")
        });
    } else if frame.is_cut {
        outgoing.count(Count::Cut, 1);
    }
    reading.add(frame.bytes, peer);
}

/// Receives datagrams until the halt.
fn receive_datagrams(mut datagrams: Datagrams, format: &Format, outgoing: &Outgoing) {
    let mut reading = Reading::new(format);
    let mut drops = Drops::of(&datagrams);
    let mut watch = Stopwatch::start();
    let mut buffer = vec![0; 64 << 10];
    while !outgoing.halt.is_set() {
        match outgoing.halt.wait_to_read_within(&datagrams, &DROPS_WAIT) {
            Ok(_) => {}
            Err(error) => {
                outgoing.trouble(Some(format!("cannot receive datagrams: {error}")));
                return;
            }
        }
        reading.clock.now = now();
        drain(&datagrams, &mut buffer, &mut reading, outgoing);
        if !outgoing.send(std::mem::take(&mut reading.batch)) {
            return;
        }
        if watch.elapsed() >= DROPS {
            watch = Stopwatch::start();
            outgoing.count(Count::DroppedDatagrams, drops.since_last());
            if restore(&mut datagrams, outgoing) {
                drops = Drops::of(&datagrams);
            }
        }
    }
    drain(&datagrams, &mut buffer, &mut reading, outgoing);
    outgoing.send(reading.batch);
    outgoing.count(Count::DroppedDatagrams, drops.since_last());
}

/// Binds a socket again if others removed its file; returns whether it did. What the old socket held
/// was received before.
fn restore(datagrams: &mut Datagrams, outgoing: &Outgoing) -> bool {
    let path = datagrams.path().map(|path| path.display().to_string()).unwrap_or_default();
    match datagrams.restore() {
        Ok(true) => {
            outgoing.trouble(None);
            outgoing.report(Count::RestoredSockets, || {
                format!("{path}: the socket was removed; it is there again")
            });
            true
        }
        Ok(false) => false,
        Err(error) => {
            let what = format!("the socket was removed, and nobody can send: {error}");
            outgoing.report_trouble(what);
            false
        }
    }
}

/// See [`DROPS`].
const DROPS_WAIT: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };

/// The maximum number of datagrams taken at once: empty ones never fill a batch.
const MAX_DATAGRAMS: u64 = 64 << 10;

/// Takes what the socket holds, up to a batch.
fn drain(datagrams: &Datagrams, buffer: &mut [u8], reading: &mut Reading<'_>, outgoing: &Outgoing) {
    let mut count = 0;
    while !reading.batch.is_full() && count < MAX_DATAGRAMS {
        let (length, peer) = match datagrams.receive(buffer, &mut |name| reading.names.of(name)) {
            Ok(received) => received,
            // A problem now is either still there at the next look, or gone.
            Err(_) => break,
        };
        count += 1;
        let datagram = buffer.get(..length).unwrap_or_default();
        let datagram = datagram.trim_ascii_end();
        let datagram = datagram.strip_suffix(b"\0").unwrap_or(datagram);
        if !datagram.is_empty() {
            reading.add(datagram, &peer);
        }
    }
    outgoing.count(Count::Datagrams, count);
    outgoing.count(Count::Records, count);
}
