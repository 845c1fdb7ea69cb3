//! Repeat records without an alert. An indicator with hundreds of sources makes alerts that are too
//! long to keep. Such a record has the fields that every consumer of the format relies on, and
//! invents nothing: no place, no source.

use super::super::object::{show, write_object};
use super::super::record::tame;
use super::super::{Format, SCHEMA, cef, ecs, eve, json, ocsf, syslog, text, zeek};
use crate::engine::indicator::Kind;
use crate::engine::suppress::{Member, Repeat};

/// Builds the record, without a newline, before the repeat is written into it.
pub(super) fn record(format: Format, repeat: &Repeat) -> Vec<u8> {
    let mut out = Vec::new();
    let bare = BareRecord { repeat, time: tame(repeat.last).to_string() };
    match format {
        // Only required members: the counts are added afterwards, as to any other record.
        Format::Json => bare.json(&mut out),
        Format::Eve => bare.eve(&mut out),
        Format::Ecs => bare.ecs(&mut out),
        Format::Ocsf => bare.ocsf(&mut out),
        Format::Cef => bare.cef(&mut out),
        Format::Syslog => bare.syslog(&mut out),
        Format::Text => bare.text(&mut out),
        Format::Zeek => bare.zeek(&mut out),
    }
    out
}

/// The parts that a repeat provides by itself.
struct BareRecord<'a> {
    repeat: &'a Repeat,
    /// The time of the last alert.
    time: String,
}

impl BareRecord<'_> {
    /// The indicator if it is part of the key, otherwise the first value.
    fn best(&self) -> (Kind, &str) {
        let mut members = self.repeat.key.iter();
        let indicator = members.find(|(member, _)| *member == Member::Indicator);
        indicator
            .and_then(|(_, text)| text.split_once(' '))
            .and_then(|(kind, value)| Some((Kind::from_name(kind)?, value)))
            // Without the kind, no format may interpret the value.
            .unwrap_or((Kind::Opaque, self.repeat.values.first().map_or("", |value| value)))
    }

    fn headline(&self) -> String {
        let (kind, value) = self.best();
        format!("{kind} {value}")
    }

    fn json(&self, out: &mut Vec<u8>) {
        write_object(out, |o| {
            o.text("schema", SCHEMA);
            o.text("id", &self.repeat.uid());
            o.text("time", &self.time);
            o.number("severity", json::number(self.repeat.severity));
        });
    }

    fn eve(&self, out: &mut Vec<u8>) {
        let (kind, _) = self.best();
        write_object(out, |o| {
            o.text("timestamp", &eve::stamp(self.repeat.last));
            o.text("event_type", "alert");
            o.object("alert", |o| {
                o.text("action", "allowed");
                o.number("gid", 1u8);
                o.number("signature_id", eve::sid(kind));
                o.number("rev", 1u8);
                o.text("signature", &format!("IOC {}", self.headline()));
                o.text("category", eve::category(kind));
                // Suricata counts down, our numbers count up.
                o.number("severity", 5 - json::number(self.repeat.severity));
                o.object("context", |o| o.object("ioc", |o| o.text("schema", SCHEMA)));
            });
        });
    }

    fn ecs(&self, out: &mut Vec<u8>) {
        write_object(out, |o| {
            o.text("@timestamp", &self.time);
            o.object("ecs", |o| o.text("version", ecs::VERSION));
            o.text("message", &self.headline());
            o.object("event", |o| {
                o.text("kind", "alert");
                o.texts("category", ["threat"]);
                o.texts("type", ["indicator"]);
                o.text("action", "ioc-match");
                o.text("module", "wiresift");
                o.text("dataset", "wiresift.alert");
            });
        });
    }

    fn ocsf(&self, out: &mut Vec<u8>) {
        write_object(out, |o| {
            // As in `ocsf::encode`: “Findings”, “Detection Finding”, “Create”.
            o.number("category_uid", 2);
            o.number("class_uid", 2004);
            o.number("activity_id", 1);
            o.number("type_uid", 200_401);
            o.number("time", ocsf::millis(self.repeat.last));
            o.text("message", &self.headline());
            o.object("metadata", |o| {
                o.text("version", ocsf::VERSION);
                o.object("product", |o| {
                    o.text("name", "wiresift");
                    o.text("vendor_name", "wiresift");
                    o.text("version", env!("CARGO_PKG_VERSION"));
                });
            });
            o.object("finding_info", |o| o.text("title", &format!("IOC {}", self.headline())));
        });
    }

    fn cef(&self, out: &mut Vec<u8>) {
        let (kind, _) = self.best();
        let (version, severity) = (env!("CARGO_PKG_VERSION"), cef::severity(self.repeat.severity));
        show(out, format_args!("CEF:0|wiresift|wiresift|{version}|ioc-{kind}|"));
        cef::header(out, &cef::title(kind));
        let time = cef::millis(self.repeat.last);
        show(out, format_args!("|{severity}|rt={time} cat=ioc-match msg="));
        cef::escape(out, &self.headline(), '=');
    }

    fn syslog(&self, out: &mut Vec<u8>) {
        let (kind, value) = self.best();
        let (priority, time) = (syslog::priority(self.repeat.severity), &self.time);
        let element = syslog::ELEMENT;
        show(out, format_args!("<{priority}>1 {time} - wiresift - ioc-{kind} [{element}"));
        syslog::parameter(out, "iocKind", kind);
        syslog::parameter(out, "iocValue", value);
        out.extend_from_slice("] \u{feff}".as_bytes());
        syslog::clean(out, &self.headline(), 2 * syslog::MAX_VALUE, false);
    }

    fn text(&self, out: &mut Vec<u8>) {
        out.extend(text::head(self.repeat.severity, false));
        text::hostile(&self.headline(), out);
    }

    fn zeek(&self, out: &mut Vec<u8>) {
        let (kind, value) = self.best();
        zeek::seconds(self.repeat.last, out);
        // There is no connection, so its columns are unset.
        out.extend_from_slice(b"\t-\t-\t-\t-\t-\t");
        zeek::field(out, zeek::indicator(kind, value));
        let kind = zeek::intel_type(kind);
        show(out, format_args!("\t{kind}\tIntel::IN_ANYWHERE\twiresift\t{kind}\t(empty)\t-\t-\t-"));
    }
}
