//! Why a value was rejected, or a hit did not alert.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $remedy:literal;)*) => {
        /// Why a feed's value was rejected, changed, or kept from alerting.
        ///
        /// Each reason has a stable name for counters and a remedy for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The name in counters and in lists of rejects.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name,)* }
            }

            /// What the feed's owner can do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Reason::$variant => $remedy,)* }
            }

            /// The reason with this name.
            pub fn from_name(name: &str) -> Option<Reason> {
                Reason::ALL.iter().copied().find(|r| r.name() == name)
            }
        }
    };
}

reasons! {
    /// Nothing between the separators.
    Empty, "empty", "remove the line";
    /// Longer than any value of its kind can be.
    TooLong, "too_long", "cut the value, or remove the line";
    /// No kind fits the value.
    Unrecognised, "unrecognised", "name its kind in a type column, or fix the value";
    /// Not an address in one of the forms of section 6.1.
    BadAddress, "bad_address", "write four decimal octets, or RFC 4291 text for IPv6";
    /// An octet with a leading zero, which some read as octal and others as
    /// decimal.
    LeadingZero, "leading_zero", "write the octets without leading zeros";
    /// Not a network.
    BadNetwork, "bad_network", "write ADDRESS/LENGTH with a length of at most 32 or 128";
    /// Not an address with a port.
    BadEndpoint, "bad_endpoint", "write ADDRESS:PORT, or [ADDRESS]:PORT for IPv6";
    /// A network that covers too much to be meaningful.
    TooWide, "too_wide", "list narrower networks; /8 for IPv4 and /16 for IPv6 are the widest";
    /// Not a possible DNS name.
    BadDomain, "bad_domain", "labels of 1 to 63 bytes, 253 in all, not only digits";
    /// A name without a dot.
    SingleLabel, "single_label", "list registered names; a bare label would match too much";
    /// The last label is not a known top-level domain.
    UnknownTld, "unknown_tld", "if it is a real internal name, give its kind as domain";
    /// A whole public suffix, such as `co.uk`.
    PublicSuffix, "public_suffix", "list the names registered below it";
    /// Not a URL with a host.
    BadUrl, "bad_url", "write scheme://host/path";
    /// A URL path that would match half the web.
    WeakPath, "weak_path", "list a longer path, or the whole URL";
    /// Not an e-mail address.
    BadEmail, "bad_email", "write local@domain";
    /// Not a digest of its kind.
    BadDigest, "bad_digest", "write the whole digest in hex digits";
    /// Not a valid value of its kind (CVE, ASN, wallet…).
    BadWord, "bad_word", "write it in the form of its kind";
    /// Not an expression that can be matched in linear time.
    BadPattern, "bad_pattern", "use the syntax of Rust's regex crate: no look-around, no back-references";
    /// A STIX pattern outside the subset of section 2.2.
    UnsupportedPattern, "unsupported_pattern", "split it into one comparison for each indicator";
    /// A pattern that matches everything, or a similar value.
    MatchesEverything, "matches_everything", "remove it";
    /// A type that is never matched.
    Ignored, "ignored", "no action needed: its type is never matched";
    /// The source says that it is not for detection (`to_ids` is false).
    NotForDetection, "not_for_detection", "no action needed: its source gives it for information only";
    /// Withdrawn by its source.
    Withdrawn, "withdrawn", "no action needed: its source withdrew it";
    /// The source hides its value.
    Redacted, "redacted", "ask the source for access";
    /// A record that lacks a required part.
    Malformed, "malformed", "fix the record";
    /// Suppressed: a private or reserved address from a source that is not
    /// internal.
    Private, "private", "compile the source with --internal if it is about your own networks";
    /// Suppressed: the digest of an empty file.
    EmptyHash, "empty_hash", "no action needed: it is the digest of an empty file";
    /// Suppressed by an allow list.
    Allowed, "allowed", "remove it from the allow list";
    /// Suppressed: outside its period of validity.
    Expired, "expired", "update the feed";
    /// Kept for the exact name only: anyone can register names below it.
    Downgraded, "downgraded_to_exact", "list the names below it";
    /// Withheld: its value is on a warning list.
    Listed, "listed", "use --annotate for that list to keep it";
    /// Kept, with a tag that names the warning list with its value.
    Annotated, "annotated", "no action needed: it alerts, and its tags name the list";
    /// Excluded by the filters of its feed's subscription.
    Filtered, "filtered", "no action needed: the feed's allow and deny filters leave it out";
    /// A line of a filter list or a resolver's configuration that does not block a
    /// whole name: it forwards, excepts, restricts, or hides a part of a page.
    NotBlocked, "not_blocked", "no action needed: the line does not block a whole name";
    /// A value in a column that is not known to contain indicators.
    LeftOut, "left_out", "name its column to have it read: --columns indicator=N";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
