//! Topics of Kafka, and how a broker is reached.

use super::From;
use crate::sensor::config::address::HostPort;
use crate::sensor::config::field::{Flat, Optional, Or, Required, Secret};
use crate::sensor::config::form::{
    Flag, Server, Text, Time, is_plain, line, ms, seconds, some, word, words,
};
use crate::sensor::config::problem::listed;
use crate::sensor::config::reader::Reader;
use crate::sensor::config::sink::ClientTls;
use crate::sensor::config::table::{Kind, table};
use crate::sensor::secret::Credential;
use std::time::Duration;

words! {
    /// How a password is shown to a broker.
    pub enum KafkaMechanism {
        /// As it is, which needs TLS.
        Plain = "plain",
        /// SCRAM with SHA-256.
        ScramSha256 = "scram-sha-256",
        /// SCRAM with SHA-512.
        ScramSha512 = "scram-sha-512",
    }
}

table! {
    /// How the brokers are reached.
    pub struct KafkaAccess {
        /// Brokers to begin with; they name the others.
        brokers: Vec<HostPort> = Required(some(Server { port: 9092 }));
        /// Whether connections are encrypted.
        tls: bool = Or(Flag, false);
        /// Whom to trust.
        trust: ClientTls = Flat::by(());
        /// The user; without one nobody is asked for.
        user: Option<String> = Optional(line("a user", "wiresift"));
        /// The variable that holds the user's password.
        password: Option<Credential> = Secret { is_required: false };
        /// How the password is shown.
        mechanism: KafkaMechanism = Or(word(), KafkaMechanism::ScramSha512);
    }
}

impl KafkaAccess {
    /// Reports what contradicts itself.
    pub(in crate::sensor::config) fn check(&self, reader: &mut Reader<'_, '_>) {
        self.trust.check(self.tls, "set tls = true", reader);
        match (&self.user, &self.password) {
            (Some(_), None) => {
                let remedy = "set password_env or password_file";
                reader.wrong("user", "user is set, but no password", remedy);
            }
            (None, Some(_)) => {
                let key = if reader.has("password_env") { "password_env" } else { "password_file" };
                reader.wrong(key, &format!("{key} is set, but no user"), "set user");
            }
            _ => {}
        }
        let is_open = !self.tls && self.mechanism == KafkaMechanism::Plain;
        if self.user.is_some() && is_open {
            let remedy = "set tls = true, or mechanism = \"scram-sha-512\"";
            reader.wrong("mechanism", "the password would be sent in the clear", remedy);
        }
    }

    pub(in crate::sensor::config) fn describe(&self) -> String {
        let brokers: Vec<String> = self.brokers.iter().map(ToString::to_string).collect();
        format!("{}{}", listed(&brokers), if self.tls { " over TLS" } else { "" })
    }
}

/// The name of a topic.
pub(in crate::sensor::config) fn topic() -> Text {
    let is_right = |text: &str| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        (1..=249).contains(&text.len())
            && text.bytes().all(is_letter)
            && ![".", ".."].contains(&text)
    };
    Text { what: "a name of a topic", example: "logs", is_right }
}

table! {
    /// Reads topics of Kafka, as a member of a group. Needs a build with the feature `kafka`.
    pub struct KafkaInput {
        /// How the brokers are reached.
        access: KafkaAccess = Flat::by(());
        /// The topics.
        topics: Vec<String> = Required(some(topic()));
        /// The group: its members share the partitions.
        group: String = Or(line("a name of a group", "wiresift"), "wiresift".to_string());
        /// A name of this member that survives restarts (`group.instance.id`), so that its
        /// partitions wait for it.
        instance: Option<String> = Optional(Text {
            what: "a name of a member",
            example: "sensor-1",
            is_right: is_plain,
        });
        /// Where partitions begin that the group has no offset of.
        from: From = Or(word(), From::Beginning);
        /// After how long without a sign a member counts as dead.
        session_timeout: Duration = Or(Time(seconds(1)..=seconds(1800)), seconds(45));
        /// How often offsets are committed.
        commit_every: Duration = Or(Time(ms(100)..=seconds(600)), seconds(5));
    }
}

impl Kind for KafkaInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        self.access.check(reader);
    }

    fn describe(&self) -> String {
        format!(
            "reads the topics {} of {}, as a member of the group {}",
            listed(&self.topics),
            self.access.describe(),
            self.group
        )
    }
}
