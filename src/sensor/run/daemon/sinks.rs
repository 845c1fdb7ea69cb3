//! From a `[[sink]]` to what sends its alerts.
//!
//! Files and standard output are written when their alerts are committed, without any delivery. All
//! others read the spool, each through its own outlet.

use super::convert::{client_tls, mail_tls, transport, webhook_form};
use crate::engine::alert::Format;
use crate::engine::error::escape_text;
use crate::sensor::config::{
    self, Delivery, ElasticsearchSink, ExchangeSink, KafkaSink, MailSink, SinkKind, SplunkSink,
    SyslogSink, WebhookSink,
};
use crate::sensor::deliver::{
    Counted, Deliver, Elasticsearch, ElasticsearchAuth, ElasticsearchSettings, Endpoint, Exchange,
    ExchangeSettings, Mail, MailSettings, Pace, Splunk, SplunkSettings, Syslog, SyslogSettings,
    Timeouts, UnixSocket, Webhook, WebhookSettings,
};
use crate::sensor::outlet::{Batching, Filter, Settings};
use crate::sensor::secret::Credential;
use crate::sensor::spool;
use crate::{Error, Result};
use glob::Pattern;
use std::path::Path;
use std::time::Duration;

/// Slack accepts one message a second.
const SLACK_INTERVAL: Duration = Duration::from_secs(1);

/// Which alerts a sink gets.
pub(super) fn filter(of: &config::Sink) -> Filter {
    let own = &of.filter;
    Filter {
        severity: own.min_severity.map_or(0, |least| least as u8),
        confidence: own.min_confidence,
        kinds: own.kinds.clone(),
        feeds: patterns(&own.feeds),
        tags: patterns(&own.tags),
        inputs: patterns(&own.inputs),
        exclude_kinds: own.exclude_kinds.clone(),
        exclude_feeds: patterns(&own.exclude_feeds),
        exclude_tags: patterns(&own.exclude_tags),
        exclude_inputs: patterns(&own.exclude_inputs),
        suppressed: of.suppressed,
    }
}

fn patterns(texts: &[String]) -> Vec<Pattern> {
    // The configuration has already rejected invalid patterns. If there were one, it would only
    // match itself.
    let compiled = |text: &String| {
        Pattern::new(text).or_else(|_| Pattern::new(&Pattern::escape(text))).unwrap_or_default()
    };
    texts.iter().map(compiled).collect()
}

/// The settings of a sink's outlet, with dead letters below a folder.
pub(super) fn settings(of: &config::Sink, folder: &Path) -> Settings {
    let batching = of.delivery().map_or_else(Batching::default, |delivery| Batching {
        max_records: delivery.batch_records as usize,
        max_bytes: usize::try_from(delivery.batch_size).unwrap_or(usize::MAX),
        max_age: delivery.batch_age,
        min_interval: min_interval(of),
    });
    Settings { filter: filter(of), batching, ..Settings::new(&of.name, folder) }
}

fn min_interval(of: &config::Sink) -> Duration {
    match &of.kind {
        SinkKind::Webhook(to) if to.form == config::WebhookForm::Slack => SLACK_INTERVAL,
        _ => Duration::ZERO,
    }
}

/// How long a sink's receiver may take, and how long the final delivery may take in total.
pub(super) fn timeouts(of: &config::Sink, drain: Duration) -> Timeouts {
    let Some(Delivery { connect_timeout, timeout, .. }) = of.delivery() else {
        return Timeouts { drain, ..Timeouts::default() };
    };
    Timeouts { connect: *connect_timeout, request: *timeout, drain }
}

/// The backlog that a sink may keep in a spool of this many bytes. A limit that is larger than the
/// whole spool is no limit: the log then decides which sinks have to skip records.
pub(super) fn spool_sink(of: &config::Sink, spool_size: u64) -> spool::Sink {
    let cap = of.delivery().and_then(|delivery| delivery.spool_size);
    spool::Sink { cursor: None, max_backlog: cap.filter(|cap| *cap < spool_size) }
}

/// The format that a sink needs in the records of the spool, besides JSON.
pub(super) fn form(of: &config::Sink) -> Option<Format> {
    let form = match &of.kind {
        SinkKind::Unix(to) => to.format,
        SinkKind::Kafka(to) => to.format,
        SinkKind::Syslog(_) => Format::Syslog,
        SinkKind::Elasticsearch(_) => Format::Ecs,
        SinkKind::Webhook(_) | SinkKind::Mail(_) | SinkKind::Splunk(_) => return None,
        SinkKind::Exchange(_) => return None,
        SinkKind::File(_) | SinkKind::Stdout(_) => return None,
    };
    (form != Format::Json).then_some(form)
}

/// The client for a sink's receiver; `None` for files and standard output. `host` is the name of
/// the sensor.
///
/// # Errors
///
/// If a secret or a certificate can't be read, or this build lacks what the receiver needs. The
/// text names the sink.
pub(super) fn deliver(
    of: &config::Sink,
    pace: &Pace,
    host: &str,
) -> Result<Option<Box<dyn Deliver>>> {
    let pace = pace.clone();
    let made: Result<Box<dyn Deliver>> = match &of.kind {
        SinkKind::File(_) | SinkKind::Stdout(_) => return Ok(None),
        SinkKind::Unix(to) => Ok(Box::new(UnixSocket::new(&to.path, pace).with_format(to.format))),
        SinkKind::Syslog(to) => syslog(to, pace),
        SinkKind::Webhook(to) => webhook(to, pace),
        SinkKind::Mail(to) => mail(to, pace, host),
        SinkKind::Elasticsearch(to) => elasticsearch(to, pace),
        SinkKind::Splunk(to) => splunk(to, pace),
        SinkKind::Kafka(to) => kafka(to, pace),
        SinkKind::Exchange(to) => exchange(to, of, pace),
    };
    let named = |error| Error::usage(format!("sink “{}”: {error}", escape_text(&of.name)));
    made.map(Some).map_err(named)
}

/// Reads secrets once, so that a missing one is an error at the start; they are read again when
/// they are used.
fn try_secrets<'c>(secrets: impl IntoIterator<Item = &'c Credential>) -> Result<()> {
    secrets.into_iter().try_for_each(|secret| secret.read().map(drop))
}

fn syslog(to: &SyslogSink, pace: Pace) -> Result<Box<dyn Deliver>> {
    let transport = transport(to)?;
    let (host, port) =
        to.address.place().map_or_else(Default::default, |place| (place.host.clone(), place.port));
    Ok(Box::new(Syslog::new(SyslogSettings { host, port, transport }, pace)?))
}

fn webhook(to: &WebhookSink, pace: Pace) -> Result<Box<dyn Deliver>> {
    try_secrets(&to.key)?;
    let settings = WebhookSettings {
        endpoint: endpoint(to.url.as_deref().unwrap_or_default(), &to.tls, to.gzip),
        url: to.url_secret.clone(),
        keys: to.key.clone(),
        form: webhook_form(to.form),
    };
    Ok(Box::new(Webhook::new(settings, pace)?))
}

fn mail(to: &MailSink, pace: Pace, host: &str) -> Result<Box<dyn Deliver>> {
    try_secrets(&to.password)?;
    let settings = MailSettings {
        host: to.server.host.clone(),
        port: to.server.port,
        security: mail_tls(to.tls),
        tls: client_tls(&to.trust),
        auth: to.user.clone().zip(to.password.clone()),
        from: to.from.clone(),
        to: to.to.clone(),
        name: host.to_string(),
    };
    Ok(Box::new(Mail::new(settings, pace)?))
}

fn elasticsearch(to: &ElasticsearchSink, pace: Pace) -> Result<Box<dyn Deliver>> {
    try_secrets(to.key.iter().chain(&to.password))?;
    let basic = || {
        let (user, password) = to.user.clone().zip(to.password.clone())?;
        Some(ElasticsearchAuth::Basic { user, password })
    };
    let settings = ElasticsearchSettings {
        endpoint: endpoint(&to.url, &to.tls, to.gzip),
        index: to.index.clone(),
        auth: to.key.clone().map(ElasticsearchAuth::ApiKey).or_else(basic),
    };
    Ok(Box::new(Elasticsearch::new(settings, pace)?))
}

fn splunk(to: &SplunkSink, pace: Pace) -> Result<Box<dyn Deliver>> {
    let token = to.token.clone().ok_or_else(|| {
        Error::usage("neither token_env nor token_file is set").remedy("set one of them")
    })?;
    try_secrets([&token])?;
    let settings = SplunkSettings {
        endpoint: endpoint(&to.url, &to.tls, to.gzip),
        token,
        index: to.index.clone(),
        sourcetype: to.sourcetype.clone(),
        acks: to.acks,
    };
    Ok(Box::new(Splunk::new(settings, pace)?))
}

fn exchange(to: &ExchangeSink, of: &config::Sink, pace: Pace) -> Result<Box<dyn Deliver>> {
    let key = to.key.clone().ok_or_else(|| {
        Error::usage("neither key_env nor key_file is set").remedy("set one of them")
    })?;
    try_secrets([&key])?;
    let filter = filter(of);
    let counted: Counted = Box::new(move |indicator| filter.wants_indicator(indicator));
    let settings = ExchangeSettings {
        endpoint: endpoint(&to.url, &to.tls, false),
        key,
        alerts: to.alerts,
        sightings: to.sightings.then_some(counted),
        has_suppressed: of.suppressed,
    };
    Ok(Box::new(Exchange::new(settings, pace)?))
}

#[cfg(feature = "kafka")]
fn kafka(to: &KafkaSink, pace: Pace) -> Result<Box<dyn Deliver>> {
    Ok(Box::new(super::kafka::deliver(to, pace)?))
}

#[cfg(not(feature = "kafka"))]
fn kafka(_: &KafkaSink, _: Pace) -> Result<Box<dyn Deliver>> {
    Err(config::without_kafka())
}

fn endpoint(url: &str, tls: &config::ClientTls, gzip: bool) -> Endpoint {
    Endpoint { url: url.to_string(), tls: client_tls(tls), gzip }
}

#[cfg(test)]
mod tests;
