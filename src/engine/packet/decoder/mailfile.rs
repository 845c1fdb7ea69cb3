//! A mail in a file, decoded like one in a capture.

use crate::engine::indicator::{Flow, Timestamp};
use crate::engine::packet::counters::Counters;
use crate::engine::packet::payload::mail::Mail;
use crate::engine::packet::view::{Packet, Ports, Report, Visitor};
use std::net::{IpAddr, Ipv4Addr};

/// The protocol in alerts and files.
const PROTOCOL: &str = "mail";

/// A mail from a file. The visitor gets the same calls as for one in a capture; of the packet
/// that it is passed, only the time has a meaning.
#[derive(Debug)]
pub struct MailFile {
    mail: Mail,
    time: Timestamp,
    counters: Counters,
}

impl MailFile {
    /// A mail with the given time.
    pub fn new(time: Timestamp) -> MailFile {
        MailFile { mail: Mail::new(PROTOCOL), time, counters: Counters::default() }
    }

    /// What had to be skipped so far, by reason.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes the next bytes, and reports what is complete by now: text up to the last whole line.
    pub fn push<V: Visitor>(&mut self, data: &[u8], visitor: &mut V) {
        let MailFile { mail, time, counters } = self;
        let packet = packet(*time);
        let mut to = Report { packet: &packet, visitor, counters };
        mail.push(data, &mut to);
    }

    /// Ends the mail, and prepares for the next one, with the given time.
    pub fn finish<V: Visitor>(&mut self, next: Timestamp, visitor: &mut V) {
        let MailFile { mail, time, counters } = self;
        let packet = packet(*time);
        let mut to = Report { packet: &packet, visitor, counters };
        std::mem::replace(mail, Mail::new(PROTOCOL)).finish(true, &mut to);
        *time = next;
    }
}

/// A packet that represents the file.
fn packet(time: Timestamp) -> Packet<'static> {
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    Packet {
        number: 0,
        time,
        is_timed: true,
        length: 0,
        src: nowhere,
        dst: nowhere,
        proto: 0,
        ports: Ports::None,
        vlan: &[],
        tunnel: &[],
        flow_id: 0,
        to_server: true,
        totals: Flow::default(),
    }
}
