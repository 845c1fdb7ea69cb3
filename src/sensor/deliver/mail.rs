//! Mail: one per batch, for people (RFC 5322, with the text in base64, which needs no other
//! escaping).
//!
//! A batch contains the alerts of a time window, so that a busy day causes a few mails and not
//! thousands; the outlet's batching sets its length. The `Message-ID` is derived from the ids in
//! the batch: if a mail is sent again because no response confirmed it, the mailbox sees the same
//! one.

use super::cached_secret::CachedSecret;
use super::connection::Connection;
use super::contract::{Class, Deliver, DeliveryError, Outcome};
use super::digest;
use super::pace::Pace;
use super::smtp::{Failure, Session};
use super::tls::TlsSettings;
use crate::engine::indicator::Timestamp;
use crate::sensor::secret::Credential;
use crate::sensor::spool::RecordRef;
use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Base64 characters per line (RFC 2045, section 6.8).
const LINE: usize = 76;

/// Bytes of text in an encoded word, which has at most 75 characters in total (RFC 2047).
const WORD: usize = 42;

/// How the connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MailTls {
    /// STARTTLS, usually on port 587; required.
    #[default]
    StartTls,
    /// TLS from the first byte, usually on port 465.
    Always,
    /// Unencrypted: for a server on this machine.
    Never,
}

/// A server, and the recipients.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The host name or address.
    pub host: String,
    /// 587, 465 or 25.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: MailTls,
    /// Which certificates to trust.
    pub tls: TlsSettings,
    /// A user, and the location of the password.
    pub auth: Option<(String, Credential)>,
    /// The sender's mailbox.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The host name in EHLO: the name of the sensor.
    pub name: String,
}

/// Sends mails.
#[derive(Debug)]
pub struct Mail {
    settings: MailSettings,
    password: Option<CachedSecret>,
    tls: Option<Arc<ClientConfig>>,
    pace: Pace,
}

impl Mail {
    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// If a mailbox is invalid, if a password would be sent in plain text, and errors of the TLS
    /// settings.
    pub fn new(settings: MailSettings, pace: Pace) -> Result<Self> {
        for mailbox in settings.to.iter().chain([&settings.from]) {
            check_mailbox(mailbox)?;
        }
        if settings.to.is_empty() {
            return Err(Error::usage("no recipient is configured"));
        }
        let is_here = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&&*settings.host);
        if settings.auth.is_some() && settings.security == MailTls::Never && !is_here {
            return Err(Error::usage("a password would be sent without TLS")
                .remedy("set tls to starttls or always"));
        }
        let needs_tls = settings.security != MailTls::Never;
        let tls = needs_tls.then(|| settings.tls.client()).transpose()?;
        let password =
            settings.auth.as_ref().map(|(_, password)| CachedSecret::new(password.clone()));
        Ok(Mail { settings, password, tls, pace })
    }

    fn send(&mut self, batch: &[RecordRef<'_>]) -> Result<Vec<String>, Failure> {
        let message = message(&self.settings, batch, self.pace.clock().now());
        let mut session = self.open()?;
        if let (Some((user, _)), Some(password)) = (&self.settings.auth, &mut self.password) {
            let password = password
                .get()
                .map_err(|e| Failure::Passing(DeliveryError::new(Class::Denied, e.to_string())))?;
            session.authenticate(user, password)?;
        }
        let refused = session.send(&self.settings.from, &self.settings.to, &message)?;
        session.quit();
        Ok(refused)
    }

    fn open(&self) -> Result<Session, Failure> {
        let MailSettings { host, port, security, name, .. } = &self.settings;
        let name = domain(name);
        let mut connection = Connection::tcp(host, *port, &self.pace)?;
        connection.within(self.pace.timeouts().request);
        match (&self.tls, security) {
            (Some(tls), MailTls::Always) => Session::open(connection.into_tls(tls, host)?, &name),
            (Some(tls), MailTls::StartTls) => {
                Session::open(connection, &name)?.start_tls(tls, host, &name)
            }
            _ => Session::open(connection, &name),
        }
    }
}

impl Deliver for Mail {
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        if batch.is_empty() {
            return Outcome::default();
        }
        match self.send(batch) {
            Ok(refused) if refused.is_empty() => Outcome::delivered(batch.len()),
            // Some recipients have accepted it, so it is not sent again.
            Ok(refused) => {
                let error = Some(DeliveryError::new(Class::Refused, refused.join("; ")));
                Outcome { error, ..Outcome::delivered(batch.len()) }
            }
            Err(Failure::Passing(error)) => {
                if error.class == Class::Denied {
                    self.password.iter_mut().for_each(CachedSecret::forget);
                }
                Outcome::again(batch.len(), error)
            }
            Err(Failure::Refused(code, reason)) => Outcome::refused(batch.len(), code, &reason),
        }
    }

    fn renew(&mut self) {
        self.password.iter_mut().for_each(CachedSecret::forget);
        if self.tls.is_some()
            && let Ok(tls) = self.settings.tls.client()
        {
            self.tls = Some(tls);
        }
    }
}

/// A mailbox that is safe in a command: a configuration must not be able to add commands.
fn check_mailbox(mailbox: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
    let halves = mailbox.rsplit_once('@');
    let is_one = halves.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if !is_one || mailbox.len() > 254 || !mailbox.chars().all(is_plain) {
        let what = format!("invalid mailbox {mailbox:?}: expected name@host");
        return Err(Error::usage(what));
    }
    Ok(())
}

/// The host name that we use in EHLO, or a placeholder if it isn't valid.
fn domain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    let is_name = !name.is_empty() && name.len() < 254 && name.chars().all(is_plain);
    if is_name { name.to_string() } else { "localhost".to_string() }
}

/// The mail with its headers, lines ending in CR LF, with leading dots doubled.
fn message(settings: &MailSettings, batch: &[RecordRef<'_>], now: Timestamp) -> Vec<u8> {
    let mut hash = Xxh3::new();
    batch.iter().for_each(|record| hash.update(&record.id));
    let id = format!("{:032x}@{}", hash.digest128(), domain(&settings.name));
    let worst = batch.iter().map(|record| record.severity).max().unwrap_or_default();
    let priority = if worst >= 4 { "X-Priority: 1\r\nImportance: high\r\n" } else { "" };
    let mut message = format!(
        "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{id}>\r\n{priority}\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        date(now),
        settings.from,
        settings.to.join(",\r\n "),
        encoded_words(&digest::subject(batch)),
    );
    let text = digest::text(batch).replace('\n', "\r\n");
    let packed = STANDARD.encode(text);
    for at in (0..packed.len()).step_by(LINE) {
        message.push_str(packed.get(at..packed.len().min(at + LINE)).unwrap_or_default());
        message.push_str("\r\n");
    }
    stuffed(message.as_bytes())
}

/// Doubles the dot at the beginning of each line (RFC 5321, section 4.5.2).
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out
}

/// `Sun, 29 Nov 2026 12:00:00 +0000`.
fn date(now: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(now.0).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A header text: unchanged, or in encoded words that don't split characters.
fn encoded_words(text: &str) -> String {
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
    if text.len() <= 60 && text.chars().all(is_plain) && !text.contains("=?") {
        return text.to_string();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for char in text.chars() {
        if word.len() + char.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(char);
    }
    words.push(word);
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::spool::Record;

    fn settings() -> MailSettings {
        MailSettings {
            host: "localhost".into(),
            port: 25,
            security: MailTls::Never,
            tls: TlsSettings::default(),
            auth: None,
            from: "sensor@site.example".into(),
            to: vec!["soc@site.example".into(), "night@site.example".into()],
            name: "sensor-1".into(),
        }
    }

    #[test]
    fn mails_have_the_form_of_mails() {
        let json = r#"{"seen":{"kind":"filename","value":"ü.exe","where":"file.name"}}"#;
        let record = Record::new([1; 16], 4, Timestamp(0), json.as_bytes());
        let batch = [RecordRef::of(&record, Timestamp(0))];
        let now = Timestamp::parse("2026-11-29T12:00:05Z").unwrap();
        let mail = String::from_utf8(message(&settings(), &batch, now)).unwrap();
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        for line in [
            "Date: Sun, 29 Nov 2026 12:00:05 +0000",
            "To: soc@site.example,",
            " night@site.example",
            "X-Priority: 1",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(head.split("\r\n").any(|l| l == line), "{line}: {head}");
        }
        assert!(head.contains("\r\nSubject: =?utf-8?B?"), "{head}");
        assert!(mail.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n'])));
        let text = String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap();
        assert!(text.contains("CRITICAL  filename ü[.]exe in file.name\r\n"), "{text}");
        assert_eq!(mail, String::from_utf8(message(&settings(), &batch, now)).unwrap());
    }

    #[test]
    fn headers_in_other_letters() {
        assert_eq!(encoded_words("plain words"), "plain words");
        for text in ["ü", "=?x", &"äöü€".repeat(30), &"long ".repeat(30)] {
            let words = encoded_words(text);
            let mut back = Vec::new();
            for word in words.split("\r\n ") {
                assert!(word.len() <= 75, "{word}");
                let inner = word.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap();
                let part = STANDARD.decode(inner).unwrap();
                assert!(std::str::from_utf8(&part).is_ok());
                back.extend(part);
            }
            assert_eq!(back, text.as_bytes());
        }
    }

    #[test]
    fn dots_are_doubled() {
        assert_eq!(stuffed(b".\r\na.\r\n..b\r\n\r\n"), b"..\r\na.\r\n...b\r\n\r\n");
        assert_eq!(stuffed(b""), b"");
    }

    #[test]
    fn what_would_be_sent_in_the_open_or_is_no_mailbox_is_refused() {
        let with = |change: &dyn Fn(&mut MailSettings)| {
            let mut settings = settings();
            change(&mut settings);
            Mail::new(settings, Pace::default()).map(drop).map_err(|error| error.to_string())
        };
        with(&|_| ()).unwrap();
        let password = || Credential::Env("P".into());
        with(&|s| s.auth = Some(("u".into(), password()))).unwrap();
        let open =
            with(&|s| (s.host, s.auth) = ("mx.example".into(), Some(("u".into(), password()))));
        assert!(open.unwrap_err().contains("starttls"));
        for bad in ["", "a", "@b", "a@", "a@b>\r\nDATA", "a b@c", "<a@b>", "ü@b"] {
            let error = with(&|s| s.to = vec![bad.into()]).unwrap_err();
            assert!(error.contains("name@host"), "{error}");
        }
        assert!(with(&|s| s.to.clear()).is_err());
        assert_eq!(domain("a b\r\n"), "localhost");
    }
}
