//! What the configuration says, in the words of the rooms that do it.

use crate::sensor::{config, deliver, listen};
use crate::{Error, Result};

/// Where to listen.
pub(super) fn address(of: &config::Address) -> listen::Address {
    match of {
        config::Address::Udp(place) => listen::Address::Udp(place.to_string()),
        config::Address::Tcp(place) => listen::Address::Tcp(place.to_string()),
        config::Address::Tls(place) => listen::Address::Tls(place.to_string()),
        config::Address::Unix(path) => listen::Address::Unix(path.clone()),
        config::Address::UnixDatagram(path) => listen::Address::UnixDatagram(path.clone()),
        config::Address::Systemd(name) => listen::Address::Activated(name.clone()),
    }
}

/// The certificates for those who connect to us; `None` if none are named.
///
/// # Errors
///
/// When a file can't be used, and when a certificate has no key or the other way round.
pub(super) fn server_tls(of: &config::ServerTls) -> Result<Option<listen::Tls>> {
    let config::ServerTls { tls_cert, tls_key, tls_client_ca } = of;
    let lacks = |has: &str, lacks: &str| {
        Error::usage(format!("{has} is set, but no {lacks}")).remedy(format!("set {lacks}"))
    };
    match (tls_cert, tls_key) {
        (Some(certificate), Some(key)) => {
            let (certificate, key) = (certificate.clone(), key.clone());
            let files = listen::TlsFiles { certificate, key, client_ca: tls_client_ca.clone() };
            listen::Tls::open(files).map(Some)
        }
        (Some(_), None) => Err(lacks("tls_cert", "tls_key")),
        (None, Some(_)) => Err(lacks("tls_key", "tls_cert")),
        (None, None) if tls_client_ca.is_some() => Err(lacks("tls_client_ca", "tls_cert")),
        (None, None) => Ok(None),
    }
}

/// Whom a sink trusts.
pub(super) fn client_tls(of: &config::ClientTls) -> deliver::TlsSettings {
    deliver::TlsSettings {
        ca_file: of.ca_file.clone(),
        client: of.client_cert.clone().zip(of.client_key.clone()),
        insecure: of.insecure,
    }
}

/// How messages of syslog travel.
pub(super) fn transport(of: &config::SyslogSink) -> Result<deliver::Transport> {
    let framing = match of.framing() {
        config::Framing::Lines => deliver::Framing::Lines,
        config::Framing::Counted => deliver::Framing::Counted,
    };
    match &of.address {
        config::Address::Udp(_) => Ok(deliver::Transport::Udp),
        config::Address::Tcp(_) => Ok(deliver::Transport::Tcp(framing)),
        config::Address::Tls(_) => Ok(deliver::Transport::Tls(client_tls(&of.tls))),
        other => Err(Error::usage(format!("syslog can't be sent to {other}"))
            .remedy("write udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT")),
    }
}

/// How the connection to a mail server is encrypted.
pub(super) fn mail_tls(of: config::MailTls) -> deliver::MailTls {
    match of {
        config::MailTls::StartTls => deliver::MailTls::StartTls,
        config::MailTls::Always => deliver::MailTls::Always,
        config::MailTls::Never => deliver::MailTls::Never,
    }
}

/// What a webhook gets.
pub(super) fn webhook_form(of: config::WebhookForm) -> deliver::WebhookForm {
    match of {
        config::WebhookForm::Json => deliver::WebhookForm::Json,
        config::WebhookForm::Slack => deliver::WebhookForm::Slack,
    }
}
