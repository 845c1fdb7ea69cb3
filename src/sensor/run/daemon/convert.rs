//! Converts the configuration to the types of the rooms that do the work.

use crate::sensor::{config, deliver, listen};
use crate::{Error, Result};

/// The addresses to listen on.
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

/// The TLS settings for clients that connect; `None` if no certificate is configured.
///
/// # Errors
///
/// If a file can't be used, or if only one of certificate and key is set.
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

/// Which certificates a sink trusts.
pub(super) fn client_tls(of: &config::ClientTls) -> deliver::TlsSettings {
    deliver::TlsSettings {
        ca_file: of.ca_file.clone(),
        client: of.client_cert.clone().zip(of.client_key.clone()),
        insecure: of.insecure,
    }
}

/// How syslog messages are transported.
pub(super) fn transport(of: &config::SyslogSink) -> Result<deliver::Transport> {
    let framing = match of.framing() {
        config::Framing::Lines => deliver::Framing::Lines,
        config::Framing::Counted => deliver::Framing::Counted,
    };
    match &of.address {
        config::Address::Udp(_) => Ok(deliver::Transport::Udp),
        config::Address::Tcp(_) => Ok(deliver::Transport::Tcp(framing)),
        config::Address::Tls(_) => Ok(deliver::Transport::Tls(client_tls(&of.tls))),
        other => Err(Error::usage(format!("invalid syslog address {other}"))
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

/// What a webhook receives.
pub(super) fn webhook_form(of: config::WebhookForm) -> deliver::WebhookForm {
    match of {
        config::WebhookForm::Json => deliver::WebhookForm::Json,
        config::WebhookForm::Slack => deliver::WebhookForm::Slack,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::config::{Config, InputKind, SinkKind, SyslogInput};
    use std::path::Path;

    fn config(text: &str) -> Config {
        Config::parse(text, Path::new("/etc/wiresift/wiresift.toml")).unwrap()
    }

    fn syslog_input(keys: &str) -> SyslogInput {
        let text = format!("[[input]]\nkind = \"syslog\"\n{keys}\n");
        match config(&text).inputs.remove(0).kind {
            InputKind::Syslog(input) => input,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn addresses_mean_what_they_say() {
        let texts = [
            "udp://0.0.0.0:514",
            "tcp://[::1]:601",
            "tls://host.example:6514",
            "unix:/run/log.sock",
            "unix-datagram:/dev/log",
            "systemd:syslog",
        ];
        let keys = format!("listen = {texts:?}\ntls_cert = \"a.pem\"\ntls_key = \"a.key\"");
        let addresses = syslog_input(&keys).listen;
        for (of, text) in addresses.iter().zip(texts) {
            assert_eq!(address(of), text.parse().unwrap());
            assert_eq!(address(of).to_string(), text);
        }
        assert_eq!(addresses.len(), texts.len());
    }

    #[test]
    fn certificates_come_with_their_keys() {
        let of = |keys: &str| syslog_input(&format!("listen = \"systemd:syslog\"\n{keys}")).tls;
        assert!(server_tls(&of("")).unwrap().is_none());
        for (keys, why) in [
            ("tls_cert = \"a.pem\"", "tls_cert is set, but no tls_key"),
            ("tls_key = \"a.key\"", "tls_key is set, but no tls_cert"),
            ("tls_client_ca = \"c.pem\"", "tls_client_ca is set, but no tls_cert"),
            (
                "tls_cert = \"gone.pem\"\ntls_key = \"gone.key\"",
                "/etc/wiresift/gone.pem: cannot read",
            ),
        ] {
            let error = server_tls(&of(keys)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn syslog_travels_as_the_file_says() {
        let of = |keys: &str| {
            let text = format!("[[sink]]\nkind = \"syslog\"\n{keys}\n");
            match config(&text).sinks.remove(0).kind {
                SinkKind::Syslog(sink) => transport(&sink).unwrap(),
                other => panic!("{other:?}"),
            }
        };
        let tls = deliver::TlsSettings {
            ca_file: Some("/etc/wiresift/ca.pem".into()),
            client: Some(("/etc/wiresift/c.pem".into(), "/etc/wiresift/c.key".into())),
            insecure: false,
        };
        let keys = "ca_file = \"ca.pem\"\nclient_cert = \"c.pem\"\nclient_key = \"c.key\"";
        for (keys, want) in [
            ("address = \"udp://a.example\"", deliver::Transport::Udp),
            ("address = \"tcp://a.example\"", deliver::Transport::Tcp(deliver::Framing::Lines)),
            (
                "address = \"tcp://a.example\"\nframing = \"counted\"",
                deliver::Transport::Tcp(deliver::Framing::Counted),
            ),
            (&*format!("address = \"tls://a.example\"\n{keys}"), deliver::Transport::Tls(tls)),
        ] {
            assert_eq!(of(keys), want, "{keys}");
        }
    }

    #[test]
    fn words_mean_the_same() {
        let mail = [config::MailTls::StartTls, config::MailTls::Always, config::MailTls::Never];
        let want = [deliver::MailTls::StartTls, deliver::MailTls::Always, deliver::MailTls::Never];
        assert_eq!(mail.map(mail_tls), want);
        let forms = [config::WebhookForm::Json, config::WebhookForm::Slack].map(webhook_form);
        assert_eq!(forms, [deliver::WebhookForm::Json, deliver::WebhookForm::Slack]);
    }
}
