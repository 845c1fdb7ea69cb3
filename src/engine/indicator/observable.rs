//! What was observed, and where.

use super::Kind;
use std::net::IpAddr;

macro_rules! places {
    ($($(#[$doc:meta])* $variant:ident, $name:literal;)*) => {
        /// Where an observable was seen (`spec/alert.md`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Where { $($(#[$doc])* $variant,)* }

        impl Where {
            /// Every place.
            pub const ALL: &'static [Where] = &[$(Where::$variant,)*];

            /// The name in alerts.
            pub const fn name(self) -> &'static str {
                match self { $(Where::$variant => $name,)* }
            }
        }
    };
}

places! {
    /// Source address of a packet.
    IpSrc, "ip.src";
    /// Destination address of a packet.
    IpDst, "ip.dst";
    /// Question of a DNS message.
    DnsQuery, "dns.query";
    /// Any record of a DNS answer.
    DnsAnswer, "dns.answer";
    /// Server name of a TLS ClientHello.
    TlsSni, "tls.sni";
    /// Certificate.
    TlsCert, "tls.cert";
    /// JA3 of a ClientHello.
    TlsJa3, "tls.ja3";
    /// JA3S of a ServerHello.
    TlsJa3s, "tls.ja3s";
    /// JA4 of a ClientHello.
    TlsJa4, "tls.ja4";
    /// Server name of a QUIC Initial.
    QuicSni, "quic.sni";
    /// HTTP Host.
    HttpHost, "http.host";
    /// HTTP request target, joined with the host.
    HttpUrl, "http.url";
    /// HTTP Referer.
    HttpReferer, "http.referer";
    /// HTTP User-Agent.
    HttpUserAgent, "http.user_agent";
    /// The client that an HTTP proxy speaks for, or what it was asked for:
    /// X-Forwarded-For, Forwarded, Via and the like.
    HttpXff, "http.xff";
    /// Any other HTTP header.
    HttpHeader, "http.header";
    /// SMTP HELO or EHLO.
    SmtpHelo, "smtp.helo";
    /// SMTP envelope sender.
    SmtpFrom, "smtp.from";
    /// SMTP envelope recipient.
    SmtpTo, "smtp.to";
    /// A header of a mail.
    SmtpHeader, "smtp.header";
    /// From of a mail.
    MailFrom, "mail.from";
    /// To, Cc of a mail.
    MailTo, "mail.to";
    /// Text of a mail.
    MailBody, "mail.body";
    /// Digest of a transferred file.
    FileHash, "file.hash";
    /// Name of a transferred file.
    FileName, "file.name";
    /// HASSH of an SSH client or server.
    SshHassh, "ssh.hassh";
    /// SSH host key.
    SshHostKey, "ssh.host_key";
    /// The user of an FTP client.
    FtpUser, "ftp.user";
    /// A host or domain that SMB names.
    SmbHost, "smb.host";
    /// The destination that a SOCKS client asks for.
    SocksHost, "socks.host";
    /// The client that a header of the PROXY protocol names.
    ProxySrc, "proxy.src";
    /// The destination that it names.
    ProxyDst, "proxy.dst";
    /// The host that the client asked for.
    ProxyAuthority, "proxy.authority";
    /// A host or domain that DHCP names.
    DhcpHost, "dhcp.host";
    /// A server that DHCP names, to boot from or to query.
    DhcpServer, "dhcp.server";
    /// Text of a log.
    LogText, "log.text";
    /// A named field of a log.
    LogField, "log.field";
    /// The host of a URL.
    UrlHost, "url.host";
    /// The domain of an e-mail address.
    EmailDomain, "email.domain";
    /// The address of an in-addr.arpa or ip6.arpa name.
    Ptr, "ptr";
    /// The IPv4 address inside a 64:ff9b::/96 address.
    Nat64, "nat64";
}

/// How a hit differs from plain equality (section 0, `quality`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Quality(u8);

impl Quality {
    /// The observed URL has a query that the indicator lacks.
    pub const QUERY_IGNORED: Quality = Quality(1);
    /// There is one trailing slash more or less.
    pub const SLASH_IGNORED: Quality = Quality(2);
    /// One is `http`, the other `https`.
    pub const SCHEME_DIFFERS: Quality = Quality(4);
    /// The observable was derived from another one.
    pub const DERIVED: Quality = Quality(8);
    /// The observed URL is longer than the part that is read.
    pub const CUT: Quality = Quality(16);

    /// Combines the flags.
    #[must_use]
    pub const fn with(self, other: Quality) -> Quality {
        Quality(self.0 | other.0)
    }

    /// Whether no flag is set.
    pub const fn is_plain(self) -> bool {
        self.0 == 0
    }

    /// The names of the flags, for the alert.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [&str; 5] =
            ["query_ignored", "slash_ignored", "scheme_differs", "derived", "cut"];
        NAMES.into_iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, n)| n)
    }
}

/// Something observed, in its original bytes: not normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observable<'a> {
    /// An address, with its port if the protocol or the text gives one.
    Address(IpAddr, Option<u16>),
    /// A DNS name in text form, with or without its root dot.
    Name(&'a [u8]),
    /// A URL, with its scheme if it had one.
    Url(&'a [u8]),
    /// An e-mail address.
    Email(&'a [u8]),
    /// A digest in binary form. The kind is the one that the protocol gives; in
    /// free text it is the file digest with this length.
    Digest(Kind, &'a [u8]),
    /// Anything that is compared as a string: a JA4, a user agent, a file name, a CVE.
    Text(Kind, &'a [u8]),
}
