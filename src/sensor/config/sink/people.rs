//! Sinks for people: webhooks and mail.

use super::delivery::{Batches, ClientTls, Delivery, is_https};
use crate::sensor::config::address::HostPort;
use crate::sensor::config::field::{Flat, Optional, Or, Required, Secret, Secrets};
use crate::sensor::config::form::{
    Flag, Mailbox, Server, Url, is_local, line, mib, seconds, some, word, words,
};
use crate::sensor::config::problem::listed;
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};
use crate::sensor::secret::Credential;

words! {
    /// What a webhook receives.
    pub enum WebhookForm {
        /// A list of alerts in JSON.
        Json = "json",
        /// A text for people, as accepted by Slack and Mattermost.
        Slack = "slack",
    }

    /// How the connection to a mail server is encrypted.
    pub enum MailTls {
        /// With STARTTLS, usually on port 587; required.
        StartTls = "starttls",
        /// With TLS from the first byte, usually on port 465.
        Always = "always",
        /// Unencrypted: for a server on this machine.
        Never = "never",
    }
}

table! {
    /// Posts to a webhook.
    pub struct WebhookSink {
        /// The URL; if it is itself a secret, as with Slack, use `url_env` or `url_file`.
        url: Option<String> = Optional(Url);
        /// A variable that holds the URL.
        url_secret: Option<Credential> = UrlSecret;
        /// What is posted: `json`, a list of alerts, or `slack`, a text for people.
        form: WebhookForm = Or(word(), WebhookForm::Json);
        /// A variable with the key that signs requests (Standard Webhooks); two, in a list, while
        /// one replaces the other.
        key: Vec<Credential> = Secrets { max: 2, is_required: false };
        /// Whether to compress requests with gzip.
        gzip: bool = Or(Flag, false);
        /// TLS settings.
        tls: ClientTls = Flat::by(());
        /// Batches and the spool.
        delivery: Delivery = Flat::by(Batches { records: 100, size: mib(1), age: seconds(1) });
    }
}

/// `url_env` and `url_file`.
struct UrlSecret;

impl crate::sensor::config::field::Field for UrlSecret {
    type Value = Option<Credential>;

    fn read(&self, _key: &'static str, reader: &mut Reader<'_, '_>) -> Option<Self::Value> {
        Secret { is_required: false }.read("url", reader)
    }

    fn write(
        &self,
        _key: &'static str,
        value: &Self::Value,
        pairs: &mut crate::sensor::config::field::Pairs,
    ) {
        Secret { is_required: false }.write("url", value, pairs);
    }

    fn keys(&self, _key: &'static str, text: &str, keys: &mut Vec<crate::sensor::config::Key>) {
        Secret { is_required: false }.keys("url", text, keys);
    }
}

impl Kind for WebhookSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        let other = if reader.has("url_env") { "url_env" } else { "url_file" };
        match (&self.url, &self.url_secret) {
            (None, None) => {
                let remedy = "set url, or url_env or url_file if the URL is a secret";
                reader.wrong("kind", "url is missing", remedy);
            }
            (Some(_), Some(_)) => reader.conflict("url", other, "remove one of them"),
            _ => {}
        }
        // A URL from a secret may use HTTPS.
        let has_tls = self.url.as_deref().is_none_or(is_https);
        self.tls.check(has_tls, "use https://", reader);
        if self.form == WebhookForm::Slack && self.gzip {
            reader.wrong("gzip", "Slack does not accept compressed requests", "remove gzip");
        }
    }

    fn describe(&self) -> String {
        let place = match (&self.url, &self.url_secret) {
            (Some(url), _) => url.clone(),
            (None, Some(place)) => format!("the URL in {place}"),
            (None, None) => "nowhere".to_string(),
        };
        let signed = match self.key.len() {
            0 => "",
            1 => ", signed with a key",
            _ => ", signed with two keys",
        };
        format!("posts {} to {place}{signed}", self.form.name())
    }
}

table! {
    /// Sends mail, for people: one per batch.
    pub struct MailSink {
        /// The mail server.
        server: HostPort = Required(Server { port: 587 });
        /// How the connection is encrypted: `starttls` usually on port 587, `always` on 465,
        /// `never` for a server on this machine.
        tls: MailTls = Or(word(), MailTls::StartTls);
        /// The user; default: no authentication.
        user: Option<String> = Optional(line("a user", "wiresift"));
        /// The variable that holds the user's password.
        password: Option<Credential> = Secret { is_required: false };
        /// The sender.
        from: String = Required(Mailbox);
        /// The recipients.
        to: Vec<String> = Required(some(Mailbox));
        /// TLS settings.
        trust: ClientTls = Flat::by(());
        /// Batches and the spool: `batch_age` is the time window of one mail.
        delivery: Delivery = Flat::by(Batches { records: 1000, size: mib(1), age: seconds(600) });
    }
}

impl Kind for MailSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        let password = if reader.has("password_env") { "password_env" } else { "password_file" };
        match (&self.user, &self.password) {
            (Some(_), None) => {
                let remedy = "set password_env or password_file";
                reader.wrong("user", "user is set, but no password", remedy);
            }
            (None, Some(_)) => {
                reader.wrong(password, &format!("{password} is set, but no user"), "set user");
            }
            (Some(_), Some(_)) if self.tls == MailTls::Never && !is_local(&self.server.host) => {
                let remedy = "set tls to \"starttls\" or \"always\"";
                reader.wrong("tls", "the password would be sent in plain text", remedy);
            }
            _ => {}
        }
        self.trust.check(self.tls != MailTls::Never, "set tls to \"starttls\"", reader);
    }

    fn describe(&self) -> String {
        format!("mails to {} through {}", listed(&self.to), self.server)
    }
}
