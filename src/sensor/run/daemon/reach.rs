//! Whether the receivers of a configuration answer, for a check before the start.

use super::convert::client_tls;
use crate::sensor::config::{Address, Config, MailTls, Sink, SinkKind};
use crate::sensor::deliver::Receiver;
use crate::{Error, Result};
use std::sync::mpsc;
use std::thread::Builder;
use std::time::Duration;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A receiver, and whether it answers.
#[derive(Debug)]
pub struct Reached {
    /// The name of the sink.
    pub sink: String,
    /// What was found; or why the receiver can't be reached now, which may change: alerts wait in the
    /// spool until it can.
    pub outcome: Result<&'static str>,
}

/// What is asked on a thread of its own: resolving a name can't be bounded.
type Ask = Box<dyn FnOnce() -> Result<&'static str> + Send>;

/// Connects to the receivers of all enabled sinks, at the same time and for at most three seconds. No
/// alert is sent, and no secret, except what Kafka needs to log in.
pub fn receivers(config: &Config) -> Vec<Reached> {
    let asked: Vec<_> = config
        .active_sinks()
        .filter_map(|sink| Some((sink.name.clone(), begin(ask(sink)?))))
        .collect();
    let since = crate::clock::Stopwatch::start();
    asked
        .into_iter()
        .map(|(sink, answer)| {
            // What has answered meanwhile is there, even if there is no time left.
            let left = (PATIENCE + Duration::from_millis(500)).saturating_sub(since.elapsed());
            let late = |_| Err(Error::timed_out("no answer within 3 seconds"));
            let outcome = answer.and_then(|answer| answer.recv_timeout(left).unwrap_or_else(late));
            Reached { sink, outcome }
        })
        .collect()
}

fn begin(ask: Ask) -> Result<mpsc::Receiver<Result<&'static str>>> {
    let (send, answer) = mpsc::channel();
    let work = move || {
        // If it is too late, nobody waits for it.
        let _ = send.send(ask());
    };
    let thread = Builder::new().name("check".into()).spawn(work);
    thread.map(|_| answer).map_err(|e| Error::io("start a thread", e))
}

/// How to find out whether the receiver of a sink answers; `None` if it has none.
fn ask(of: &Sink) -> Option<Ask> {
    if let SinkKind::Kafka(to) = &of.kind {
        return kafka(to.clone());
    }
    let receiver = receiver(of)?;
    Some(Box::new(move || receiver?.reach(PATIENCE)))
}

/// The receiver of a sink; `None` for what is written directly, and for Kafka.
fn receiver(of: &Sink) -> Option<Result<Receiver>> {
    let tls = |of: &crate::sensor::config::ClientTls| client_tls(of);
    Some(Ok(match &of.kind {
        SinkKind::File(_) | SinkKind::Stdout(_) | SinkKind::Kafka(_) => return None,
        SinkKind::Unix(to) => Receiver::Unix(to.path.clone()),
        SinkKind::Syslog(to) => {
            let place = to.address.place()?;
            let own = to.address.is_tls().then(|| tls(&to.tls));
            match to.address {
                Address::Udp(_) => Receiver::Udp(place.host.clone(), place.port),
                _ => Receiver::Tcp(place.host.clone(), place.port, own),
            }
        }
        SinkKind::Mail(to) => {
            // With STARTTLS the server speaks first, in plain text.
            let own = (to.tls == MailTls::Always).then(|| tls(&to.trust));
            Receiver::Tcp(to.server.host.clone(), to.server.port, own)
        }
        SinkKind::Webhook(to) => match (&to.url, &to.url_secret) {
            (Some(url), _) => Receiver::Url(url.clone(), tls(&to.tls)),
            (None, Some(secret)) => {
                let read = secret.read();
                return Some(read.map(|url| Receiver::Url(url.reveal().to_string(), tls(&to.tls))));
            }
            (None, None) => return None,
        },
        SinkKind::Elasticsearch(to) => Receiver::Url(to.url.clone(), tls(&to.tls)),
        SinkKind::Splunk(to) => Receiver::Url(to.url.clone(), tls(&to.tls)),
        SinkKind::Exchange(to) => Receiver::Url(to.url.clone(), tls(&to.tls)),
    }))
}

#[cfg(feature = "kafka")]
fn kafka(to: crate::sensor::config::KafkaSink) -> Option<Ask> {
    Some(Box::new(move || {
        let missing = super::kafka::missing(&to.access, &[to.topic], PATIENCE)?;
        Ok(match missing.is_empty() {
            true => "a broker answers",
            false => "a broker answers; the topic does not exist yet",
        })
    }))
}

/// The configuration has reported what this build lacks.
#[cfg(not(feature = "kafka"))]
fn kafka(_: crate::sensor::config::KafkaSink) -> Option<Ask> {
    None
}
