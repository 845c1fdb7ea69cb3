//! Which addresses of the home networks a scan meets, whether they are listed or not.
//!
//! A scan looks up only what may be listed, so counting hosts needs a place before the filters.
//! It is asked for every address of a text; what was seen recently is known after one load.

use ipnet::IpNet;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The networks whose addresses are hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Address and mask.
    v4: Vec<(u32, u32)>,
    v6: Vec<IpNet>,
}

/// The private networks (RFC 1918, RFC 4193).
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

impl Default for Home {
    /// The private networks.
    fn default() -> Self {
        Home::new(PRIVATE.iter().filter_map(|net| net.parse().ok()))
    }
}

impl Home {
    /// The addresses of these networks.
    pub fn new(nets: impl IntoIterator<Item = IpNet>) -> Home {
        let mut home = Home { v4: Vec::new(), v6: Vec::new() };
        for net in nets {
            match net {
                IpNet::V4(net) => {
                    home.v4.push((net.network().to_bits(), net.netmask().to_bits()));
                }
                net => home.v6.push(net),
            }
        }
        home
    }

    /// Whether an address is a host.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.contains_v4(v4.to_bits()),
            address => self.v6.iter().any(|net| net.contains(&address)),
        }
    }

    #[inline]
    fn contains_v4(&self, address: u32) -> bool {
        self.v4.iter().any(|(net, mask)| address & mask == *net)
    }
}

/// Addresses that are remembered for a quick answer.
const RECENT: usize = 1024;

/// The fields of logs that may say who began a contact: those of Zeek and of Suricata. Looking for
/// them in a pass of its own cost as much as a tenth of the scan.
const OPENER_FIELDS: [&[u8]; 2] = [b"orig_h", b"src_ip"];

/// Bytes between a name and its value.
const MAX_BETWEEN: usize = 8;

/// The field before a value that may say who began a contact.
pub fn opener_field(text: &[u8], value: usize) -> Option<&'static [u8]> {
    let before = &text[value.saturating_sub(MAX_BETWEEN + OPENER_FIELDS[0].len())..value];
    let is_between = |byte: &u8| b"\\\":=\t ".contains(byte);
    let name = before.iter().rposition(|byte| !is_between(byte))?;
    OPENER_FIELDS.into_iter().find(|field| before[..=name].ends_with(field))
}

/// The hosts that a scanner met.
#[derive(Debug)]
pub(super) struct SeenHosts {
    home: Arc<Home>,
    recent: Box<[Cell<u32>]>,
    met: RefCell<BTreeSet<IpAddr>>,
    openers: RefCell<BTreeSet<IpAddr>>,
    recent_openers: Box<[Cell<u32>]>,
    /// Where in the text others are that may have begun a contact.
    places: RefCell<Vec<usize>>,
}

fn slot(address: u32) -> usize {
    (address ^ address >> 10) as usize % RECENT
}

impl SeenHosts {
    pub(super) fn new(home: Arc<Home>) -> SeenHosts {
        let cells = || std::iter::repeat_with(|| Cell::new(0)).take(RECENT).collect();
        SeenHosts {
            home,
            recent: cells(),
            met: RefCell::default(),
            openers: RefCell::default(),
            recent_openers: cells(),
            places: RefCell::default(),
        }
    }

    /// Notes an IPv4 address.
    #[inline]
    pub(super) fn note_v4(&self, address: u32) {
        let recent = &self.recent[slot(address)];
        if recent.get() != address && self.home.contains_v4(address) {
            recent.set(address);
            self.met.borrow_mut().insert(Ipv4Addr::from_bits(address).into());
        }
    }

    /// Notes an IPv4 address in a text, and where it is if it may have begun a contact.
    #[inline]
    pub(super) fn note_v4_at(&self, address: u32, text: &[u8], start: usize) {
        let slot = slot(address);
        // Of a host that began a contact, everything is known.
        if self.recent_openers[slot].get() == address {
            return;
        }
        self.note_v4(address);
        if self.recent[slot].get() == address {
            self.note_place(Ipv4Addr::from_bits(address).into(), text, start);
        }
    }

    /// Notes where an address is if it is a host that may have begun a contact there, and none that
    /// is known to have begun any.
    pub(super) fn note_place(&self, address: IpAddr, text: &[u8], start: usize) {
        if opener_field(text, start).is_none() || !self.home.contains(address) {
            return;
        }
        if !self.openers.borrow().contains(&address) {
            self.places.borrow_mut().push(start);
        } else if let IpAddr::V4(v4) = address {
            self.recent_openers[slot(v4.to_bits())].set(v4.to_bits());
        }
    }

    /// Takes the places of what may have begun a contact, in the text of the last scan.
    pub(super) fn take_places(&self) -> Vec<usize> {
        self.places.take()
    }

    /// Notes an address.
    pub(super) fn note(&self, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => self.note_v4(v4.to_bits()),
            address if self.home.contains(address) => {
                self.met.borrow_mut().insert(address);
            }
            _ => {}
        }
    }

    /// Notes an address that began a contact.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only surveys ask"))]
    pub(super) fn note_opener(&self, address: IpAddr) {
        if self.home.contains(address) {
            self.openers.borrow_mut().insert(address);
        }
    }

    /// Takes the hosts that began a contact since the last call.
    pub(super) fn take_openers(&self) -> BTreeSet<IpAddr> {
        self.recent_openers.iter().for_each(|recent| recent.set(0));
        self.openers.take()
    }

    /// Takes the hosts that were met since the last call.
    pub(super) fn take(&self) -> BTreeSet<IpAddr> {
        self.recent.iter().for_each(|recent| recent.set(0));
        self.met.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_addresses_are_noted_once() {
        let hosts = SeenHosts::new(Arc::default());
        for text in ["10.1.2.3", "10.1.2.3", "8.8.8.8", "192.168.0.1", "fd00::1", "2001:db8::1"] {
            hosts.note(text.parse().unwrap());
        }
        let met: Vec<String> = hosts.take().iter().map(ToString::to_string).collect();
        assert_eq!(met, ["10.1.2.3", "192.168.0.1", "fd00::1"]);
        hosts.note("10.1.2.3".parse().unwrap());
        assert_eq!(hosts.take().len(), 1);
        ["10.1.2.3", "8.8.8.8"].iter().for_each(|host| hosts.note_opener(host.parse().unwrap()));
        assert_eq!((hosts.take_openers().len(), hosts.take_openers().len()), (1, 0));
        let home = Home::new(["0.0.0.0/0".parse().unwrap()]);
        assert!(home.contains("8.8.8.8".parse().unwrap()));
        assert!(!home.contains("fd00::1".parse().unwrap()));
    }
}
