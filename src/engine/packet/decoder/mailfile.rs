//! A mail that lies in a file, read like one that was carried.

use crate::engine::indicator::{Flow, Timestamp};
use crate::engine::packet::counters::Counters;
use crate::engine::packet::payload::mail::Mail;
use crate::engine::packet::view::{Packet, Ports, Report, Visitor};
use std::net::{IpAddr, Ipv4Addr};

/// What alerts and files call what carried it.
const PROTOCOL: &str = "mail";

/// A mail on its way out of a file. The visitor hears of it as of one in a capture; the
/// packet that it is shown says nothing but the time.
#[derive(Debug)]
pub struct MailFile {
    mail: Mail,
    time: Timestamp,
    counters: Counters,
}

impl MailFile {
    /// A mail of that time.
    pub fn new(time: Timestamp) -> MailFile {
        MailFile { mail: Mail::new(PROTOCOL), time, counters: Counters::default() }
    }

    /// What had to be left out so far, by reason.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes the next bytes, and tells what can be told by now: text up to the last whole line.
    pub fn push<V: Visitor>(&mut self, data: &[u8], visitor: &mut V) {
        let MailFile { mail, time, counters } = self;
        let packet = packet(*time);
        let mut to = Report { packet: &packet, visitor, counters };
        mail.push(data, &mut to);
    }

    /// Nothing more of it comes. It is ready for the next one, of that time.
    pub fn finish<V: Visitor>(&mut self, next: Timestamp, visitor: &mut V) {
        let MailFile { mail, time, counters } = self;
        let packet = packet(*time);
        let mut to = Report { packet: &packet, visitor, counters };
        std::mem::replace(mail, Mail::new(PROTOCOL)).finish(true, &mut to);
        *time = next;
    }
}

/// A packet that stands for the file.
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
