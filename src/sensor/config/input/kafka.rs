//! Kafka topics, and how to connect to brokers.

use super::From;
use crate::sensor::config::address::HostPort;
use crate::sensor::config::field::{Flat, Optional, Or, Required, Secret};
use crate::sensor::config::form::{
    Flag, Properties, Server, Text, Time, is_plain, line, ms, seconds, some, word, words,
};
use crate::sensor::config::problem::listed;
use crate::sensor::config::reader::Reader;
use crate::sensor::config::sink::ClientTls;
use crate::sensor::config::table::{Kind, table};
use crate::sensor::secret::Credential;
use std::time::Duration;

words! {
    /// How a password is sent to a broker.
    pub enum KafkaMechanism {
        /// As plain text, which requires TLS.
        Plain = "plain",
        /// SCRAM with SHA-256.
        ScramSha256 = "scram-sha-256",
        /// SCRAM with SHA-512.
        ScramSha512 = "scram-sha-512",
    }
}

table! {
    /// How to connect to the brokers. TLS and users require a build with the feature `kafka-tls`.
    pub struct KafkaAccess {
        /// Bootstrap brokers, which name the others.
        brokers: Vec<HostPort> = Required(some(Server { port: 9092 }));
        /// Whether connections are encrypted. Requires the feature `kafka-tls`.
        tls: bool = Or(Flag, false);
        /// TLS settings.
        trust: ClientTls = Flat::by(());
        /// The user; default: no authentication. Requires the feature `kafka-tls`.
        user: Option<String> = Optional(line("a user", "wiresift"));
        /// The variable that holds the user's password.
        password: Option<Credential> = Secret { is_required: false };
        /// The authentication mechanism.
        mechanism: KafkaMechanism = Or(word(), KafkaMechanism::ScramSha512);
        /// Other properties of librdkafka, such as `"fetch.min.bytes" = 1024`. Those that decide
        /// whether records are lost, and secrets, cannot be set here.
        properties: Vec<(String, String)> = Or(Properties, Vec::new());
    }
}

impl KafkaAccess {
    /// Reports contradictions.
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
            reader.wrong("mechanism", "the password would be sent in plain text", remedy);
        }
    }

    pub(in crate::sensor::config) fn describe(&self) -> String {
        let brokers: Vec<String> = self.brokers.iter().map(ToString::to_string).collect();
        format!("{}{}", listed(&brokers), if self.tls { " over TLS" } else { "" })
    }
}

/// The error of a build without Kafka.
#[cfg(not(feature = "kafka"))]
pub(in crate::sensor) fn without_kafka() -> crate::Error {
    crate::Error::usage(WITHOUT_KAFKA).remedy(WITH_KAFKA)
}

/// What a build lacks, and how to get one that has it.
pub(in crate::sensor::config) const WITHOUT_KAFKA: &str =
    "this wiresift was built without the feature kafka";
pub(in crate::sensor::config) const WITH_KAFKA: &str =
    "build it with cargo build --release --features kafka";
pub(in crate::sensor::config) const WITHOUT_TLS: &str =
    "this wiresift was built without the feature kafka-tls: no TLS, no users";
pub(in crate::sensor::config) const WITH_TLS: &str =
    "build it with cargo build --release --features kafka-tls";

/// The name of a topic.
pub(in crate::sensor::config) fn topic() -> Text {
    let is_right = |text: &str| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        (1..=249).contains(&text.len())
            && text.bytes().all(is_letter)
            && ![".", ".."].contains(&text)
    };
    Text { what: "a topic name", example: "logs", is_right }
}

table! {
    /// Reads Kafka topics, as a member of a consumer group. Requires a build with the feature
    /// `kafka`.
    pub struct KafkaInput {
        /// How to connect to the brokers.
        access: KafkaAccess = Flat::by(());
        /// The topics.
        topics: Vec<String> = Required(some(topic()));
        /// The consumer group: its members share the partitions.
        group: String = Or(line("a group name", "wiresift"), "wiresift".to_string());
        /// A name of this member that survives restarts (`group.instance.id`), so that its
        /// partitions stay assigned to it.
        instance: Option<String> = Optional(Text {
            what: "a member name",
            example: "sensor-1",
            is_right: is_plain,
        });
        /// Where to start in partitions without a committed offset.
        from: From = Or(word(), From::Beginning);
        /// How long until a silent member counts as dead.
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
            "reads the topics {} from {}, as a member of the group {}",
            listed(&self.topics),
            self.access.describe(),
            self.group
        )
    }
}
