//! OpenIOC 1.1: one document, with an alternative for each pulse.

use super::source::{About, Out, Renderer, machine_value};
use super::text::push_xml;
use super::uuid::Uuid;
use crate::engine::error::Result;
use crate::exchange::pulses::{Indicator, Pulse, Type};

/// Writes a document.
pub(super) struct OpenIoc<'a> {
    about: &'a About,
    is_open: bool,
    xml: String,
}

impl<'a> OpenIoc<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        OpenIoc { about, is_open: false, xml: String::new() }
    }

    /// Appends an element with text; nothing if XML cannot have the text.
    fn element(&mut self, name: &str, text: &str) {
        let start = self.xml.len();
        self.xml.push_str(&format!("<{name}>"));
        if push_xml(&mut self.xml, text) {
            self.xml.push_str(&format!("</{name}>\n"));
        } else {
            self.xml.truncate(start);
        }
    }

    fn close(&mut self, out: &mut Out<'_>) -> Result<()> {
        if std::mem::take(&mut self.is_open) { out.put("</Indicator>\n") } else { Ok(()) }
    }
}

/// The terms of an indicator: what is searched, the document that it is in, and the type of the
/// content (`OpenIOC_1.1`, `iocterms`). `None`: there is none for it.
fn terms(indicator: &Indicator) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match indicator.kind {
        Type::IPv4 | Type::IPv6 | Type::Cidr => ("PortItem/remoteIP", "PortItem", "IP"),
        Type::Domain | Type::Hostname => ("DnsEntryItem/Host", "DnsEntryItem", "string"),
        Type::Url | Type::Uri => ("UrlHistoryItem/URL", "UrlHistoryItem", "string"),
        Type::Email => ("Email/From", "Email", "string"),
        Type::Md5 => ("FileItem/Md5sum", "FileItem", "md5"),
        Type::Sha1 => ("FileItem/Sha1sum", "FileItem", "sha1"),
        Type::Sha256 => ("FileItem/Sha256sum", "FileItem", "sha256"),
        Type::FilePath => ("FileItem/FullPath", "FileItem", "string"),
        Type::Mutex => ("ProcessItem/HandleList/Handle/Name", "ProcessItem", "string"),
        Type::Yara if !indicator.content.is_empty() => ("Yara/Yara", "Yara", "string"),
        _ => return None,
    })
}

impl Renderer for OpenIoc<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        let built = self.about.built.to_string();
        let id = Uuid::of(&["openioc", &self.about.home, &self.about.number.to_string()]);
        self.xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <OpenIOC xmlns=\"http://openioc.org/schemas/OpenIOC_1.1\" id=\"{id}\" \
             last-modified=\"{built}\" published-date=\"{built}\">\n<metadata>\n"
        );
        self.element("short_description", &self.about.title.clone());
        self.element("authored_by", &self.about.exchange.clone());
        self.element("authored_date", &built);
        self.xml.push_str("</metadata>\n<criteria>\n");
        self.xml.push_str(&format!(
            "<Indicator operator=\"OR\" id=\"{}\">\n",
            Uuid::of(&["any", &id.to_string()])
        ));
        out.put(&self.xml)
    }

    fn pulse(&mut self, out: &mut Out<'_>, pulse: &Pulse) -> Result<()> {
        self.close(out)?;
        let id = Uuid::of(&["pulse", &pulse.id.to_string()]);
        self.xml = format!("<Indicator operator=\"OR\" id=\"{id}\" node-context=\"");
        push_xml(&mut self.xml, &pulse.name);
        self.xml.push_str("\">\n");
        self.is_open = true;
        out.put(&self.xml)
    }

    fn indicator(&mut self, out: &mut Out<'_>, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        if !indicator.is_exported() || !self.about.takes(indicator.kind) {
            return Ok(());
        }
        let Some((search, document, kind)) = terms(indicator) else { return Ok(()) };
        let value = if indicator.kind == Type::Yara {
            &indicator.content
        } else {
            machine_value(indicator)
        };
        let id = Uuid::of(&["item", &pulse.id.to_string(), indicator.kind.name(), &indicator.norm]);
        self.xml = format!(
            "<IndicatorItem id=\"{id}\" condition=\"is\" preserve-case=\"false\" negate=\"false\">\
             <Context document=\"{document}\" search=\"{search}\" type=\"mir\"/>\
             <Content type=\"{kind}\">"
        );
        if !push_xml(&mut self.xml, value) {
            return Ok(());
        }
        self.xml.push_str("</Content></IndicatorItem>\n");
        out.put(&self.xml)
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        self.close(out)?;
        out.put("</Indicator>\n</criteria>\n</OpenIOC>\n")
    }
}
