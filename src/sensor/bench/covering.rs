//! Which groups cover an entry.
//!
//! A group covers an entry if every record in which the entry alerts has an alert of the group,
//! too. For two entries, *b covers a* if
//!
//! | a | b |
//! | --- | --- |
//! | anything | is the same entry |
//! | address, network, endpoint | is an address or network that contains it |
//! | name with its subdomains | is a name with subdomains that equals it or is a parent |
//! | exact name | is the same name, itself included; or a parent with subdomains; or a pattern that accepts it |
//! | URL | is a name that reaches its host; or an address or network that contains it |
//! | e-mail address | is a name that reaches what follows the `@`; or a pattern that accepts it |
//! | another plain value | is a pattern that accepts it |
//!
//! It takes one look-up for each entry, in the structures that a scan asks, and never a
//! comparison of two feeds.

use super::groups::Standing;
use crate::engine::database::{Claim, Database, Listed, Posting, url_host};
use crate::engine::indicator::url::Scheme;
use crate::engine::indicator::{Kind, Scope, address, digest};
use crate::engine::scan::is_guarded;
use ipnet::IpNet;
use std::net::IpAddr;

/// An entry of the database: what a feed claims.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// The value.
    pub(super) listed: Listed<'a>,
    /// Its kind.
    pub(super) kind: Kind,
    /// The scheme, if it is a URL.
    pub(super) scheme: Scheme,
    /// How far it reaches.
    pub(super) scope: Scope,
}

/// Whether a claim alerts at the reference time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClaimState {
    /// It alerts.
    Live,
    /// It is not valid then.
    Expired,
    /// The guard for private addresses holds it back.
    Private,
    /// It is the digest of an empty file.
    EmptyHash,
}

/// A database, and what its contexts say at an instant.
#[derive(Clone, Copy)]
pub(super) struct View<'d> {
    /// The database.
    pub(super) database: &'d Database,
    /// By the number of the context.
    pub(super) standings: &'d [Standing],
}

impl View<'_> {
    /// What the context of a claim says.
    pub(super) fn standing(&self, claim: &Claim) -> Option<&Standing> {
        self.standings.get(claim.context as usize)
    }

    /// The group of a claim and whether it alerts; `None` if it belongs to an allow list.
    pub(super) fn state(&self, listed: &Listed<'_>, claim: &Claim) -> Option<(u32, ClaimState)> {
        let standing = self.standing(claim)?;
        let group = standing.group()?;
        let is_private = match listed {
            Listed::Net(net) => is_private(*net, claim.kind),
            Listed::Endpoint(address, _) => is_withheld(*address, claim.kind),
            _ => false,
        };
        let state = match listed {
            _ if !standing.is_valid => ClaimState::Expired,
            _ if is_private && !standing.is_internal => ClaimState::Private,
            Listed::Digest(bytes) if digest::is_of_nothing(&digest::encode(bytes)) => {
                ClaimState::EmptyHash
            }
            _ => ClaimState::Live,
        };
        Some((group, state))
    }

    /// Adds the groups that cover an entry by another entry. `posting` has the claims of its
    /// value.
    pub(super) fn covering(&self, entry: &Entry<'_>, posting: Posting, groups: &mut Vec<u32>) {
        match entry.listed {
            Listed::Net(net) => self.nets_around(net, true, groups),
            Listed::Endpoint(address, _) => self.nets_around(address.into(), false, groups),
            Listed::Name(name) => self.names_around(entry, name, posting, groups),
            Listed::Url(key) => self.host_around(url_host(key.as_bytes()), groups),
            Listed::Email(email) => {
                if let Some((_, host)) = email.rsplit_once('@') {
                    self.names_of(host, groups);
                }
                self.patterns(Kind::Email, email, groups);
            }
            Listed::Word(kind, word) => self.patterns(kind, word, groups),
            Listed::Path(_) | Listed::Digest(_) | Listed::Pattern(_) => {}
        }
    }

    /// Adds the groups with an address or network that contains one; without itself if it is
    /// listed.
    fn nets_around(&self, net: IpNet, is_listed: bool, groups: &mut Vec<u32>) {
        let length = net.prefix_len();
        let is_single = length == net.max_prefix_len();
        let mut take = |around: IpNet, posting: Posting| {
            let is_around = around.prefix_len() < length
                || !is_listed && around.prefix_len() == length && is_single;
            if !is_around {
                return;
            }
            for claim in self.database.claims(posting) {
                let Some((group, ClaimState::Live)) = self.state(&Listed::Net(around), &claim)
                else {
                    continue;
                };
                // A network over private and other addresses does not alert on a private one.
                let is_internal = self.standing(&claim).is_some_and(|it| it.is_internal);
                let is_held = is_single && !is_internal && is_withheld(net.addr(), claim.kind);
                if !is_held {
                    groups.push(group);
                }
            }
        };
        match net.addr() {
            IpAddr::V4(v4) => {
                for (address, length, posting) in self.database.covering_v4(v4.to_bits()) {
                    IpNet::new(address.into(), length).into_iter().for_each(|n| take(n, posting));
                }
            }
            IpAddr::V6(v6) => {
                for (address, length, posting) in self.database.covering_v6(v6.to_bits()) {
                    IpNet::new(address.into(), length).into_iter().for_each(|n| take(n, posting));
                }
            }
        }
    }

    /// Adds the groups that cover a listed name.
    fn names_around(&self, entry: &Entry<'_>, name: &str, posting: Posting, groups: &mut Vec<u32>) {
        for claim in self.database.claims(posting) {
            let is_wider = claim.scope == Scope::Subtree && entry.scope != Scope::Subtree;
            if is_wider {
                self.take(&entry.listed, &claim, groups);
            }
        }
        self.parents_of(name, groups);
        if entry.scope == Scope::Exact {
            self.patterns(Kind::Domain, name, groups);
        }
    }

    /// Adds the groups with a parent of a name that includes its subdomains.
    fn parents_of(&self, name: &str, groups: &mut Vec<u32>) {
        self.database.suffixes(name.as_bytes(), |at, posting| {
            if at > 0 {
                self.take_below(&name[at..], posting, groups);
            }
        });
    }

    /// Adds the groups with a name that reaches this one.
    fn names_of(&self, name: &str, groups: &mut Vec<u32>) {
        self.database.suffixes(name.as_bytes(), |at, posting| {
            if at > 0 {
                return self.take_below(&name[at..], posting, groups);
            }
            for claim in self.database.claims(posting) {
                if matches!(claim.scope, Scope::Exact | Scope::Subtree) {
                    self.take(&Listed::Name(name), &claim, groups);
                }
            }
        });
    }

    /// Adds the groups that claim a name with its subdomains.
    fn take_below(&self, name: &str, posting: Posting, groups: &mut Vec<u32>) {
        for claim in self.database.claims(posting) {
            if matches!(claim.scope, Scope::Subtree | Scope::SubtreeNoApex) {
                self.take(&Listed::Name(name), &claim, groups);
            }
        }
    }

    /// Adds the groups that reach the host of a URL.
    fn host_around(&self, host: &[u8], groups: &mut Vec<u32>) {
        let Ok(host) = std::str::from_utf8(host) else { return };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match address::parse_ip(bare) {
            Ok(address) => self.nets_around(address.into(), false, groups),
            Err(_) => self.names_of(host, groups),
        }
    }

    /// Adds the groups with a pattern that accepts a text.
    fn patterns(&self, kind: Kind, text: &str, groups: &mut Vec<u32>) {
        if !self.database.has_patterns(kind) {
            return;
        }
        for (pattern, posting) in self.database.patterns(kind, text.as_bytes()) {
            for claim in self.database.claims(posting) {
                self.take(&Listed::Pattern(pattern), &claim, groups);
            }
        }
    }

    /// Adds the group of a claim if it alerts.
    fn take(&self, listed: &Listed<'_>, claim: &Claim, groups: &mut Vec<u32>) {
        if let Some((group, ClaimState::Live)) = self.state(listed, claim) {
            groups.push(group);
        }
    }
}

/// Whether the guard holds back every address of a network.
fn is_private(net: IpNet, kind: Kind) -> bool {
    is_withheld(net.network(), kind) && is_withheld(net.broadcast(), kind)
}

/// Whether the guard holds an address back. Networks for documentation count as live here, as single
/// addresses in them do everywhere: only examples have them, and examples should work.
fn is_withheld(address: IpAddr, kind: Kind) -> bool {
    is_guarded(address, kind) && !address::is_documentation(address)
}
