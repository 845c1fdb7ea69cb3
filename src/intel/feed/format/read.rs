//! Passes bytes to the reader of their format.

use super::{
    adblock, dnsmasq, drop, hosts, ipsum, list, loki, maltrail, misp, native, netset, otx, records,
    resolver, rpz, stix, suricata, table, warninglist, zeek,
};
use crate::Result;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::{Format, Options, Sink, Summary, detect, lines};

/// Reads the (decompressed) bytes of a file.
///
/// # Errors
///
/// The file as a whole is not a feed: it is empty, HTML, binary, of an unknown
/// format or version, or not of the format in `options.format`.
pub fn read(bytes: &[u8], options: &Options, sink: &mut dyn Sink) -> Result<Summary> {
    detect::refuse(bytes)?;
    let text = lines::text(bytes);
    let format = match options.format {
        Some(format) => format,
        // Settings for columns only make sense for a table.
        None if !options.columns.is_empty() || options.delimiter.is_some() => Format::Table,
        // Terms after values only occur in allow lists.
        None if options.allow => detect::of_allow_list(&text)?,
        None => detect::of_text(&text)?,
    };
    let mut intake = Intake::new(format, options, sink);
    match format {
        Format::Lines => list::read(&text, &mut intake),
        Format::Squid => list::read_squid(&text, &mut intake),
        Format::Table | Format::AbuseCh => table::read(&text, &mut intake)?,
        Format::Hosts => hosts::read(&text, &mut intake),
        Format::Adblock => adblock::read(&text, &mut intake),
        Format::Dnsmasq => dnsmasq::read(&text, &mut intake),
        Format::Resolver => resolver::read(&text, &mut intake),
        Format::Rpz => rpz::read(&text, &mut intake),
        Format::Ipsum => ipsum::read(&text, &mut intake),
        Format::Netset => netset::read(&text, &mut intake),
        Format::Maltrail => maltrail::read(&text, &mut intake),
        Format::Zeek => zeek::read(&text, &mut intake)?,
        Format::Dataset => suricata::read_dataset(&text, &mut intake),
        Format::Iprep => suricata::read_iprep(&text, &mut intake),
        Format::Loki => loki::read(&text, &mut intake),
        Format::LokiNames => loki::read_names(&text, &mut intake),
        Format::Drop => drop::read(&text, &mut intake),
        Format::Otx => otx::read(&text, &mut intake)?,
        Format::Stix => stix::read(&text, &mut intake)?,
        Format::Misp => misp::read(&text, &mut intake)?,
        Format::Warninglist => warninglist::read(&text, &mut intake)?,
        Format::Json => records::read(&text, &mut intake)?,
        Format::Wiresift => native::read(&text, &mut intake),
    }
    Ok(intake.finish())
}
