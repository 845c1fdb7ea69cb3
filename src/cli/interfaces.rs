//! Network interfaces: which there are, and which are named.

use super::messages::print;
use super::outcome::Outcome;
use wiresift::engine::alert::escape_shortened;
use wiresift::{Error, Result};

/// The names of the network interfaces, sorted. libpcap would list them, too, but opens each
/// one and needs privileges; Linux shows them to everyone in sysfs.
pub(super) fn interfaces() -> Vec<String> {
    let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Prints the interfaces, whether each is up, and its hardware address.
pub(super) fn list() -> Result<Outcome> {
    let read = |name: &str, what: &str| {
        let text = std::fs::read_to_string(format!("/sys/class/net/{name}/{what}"));
        text.map(|text| text.trim().to_string()).unwrap_or_default()
    };
    for name in interfaces() {
        let (state, address) = (read(&name, "operstate"), read(&name, "address"));
        // Loopback and tunnels have no carrier and report “unknown” (RFC 2863 operational
        // states).
        let state = if state == "unknown" { "up" } else { &state };
        print(format!("{}  {state}  {address}\n", escape_shortened(&name)))?;
    }
    Ok(Outcome::Yes)
}

/// Rejects an interface given twice: its packets would be counted, and alert, twice.
pub(super) fn distinct(names: &[String]) -> Result<Vec<String>> {
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|other| other == name) {
            return Err(Error::usage(format!("interface “{name}” is given twice")));
        }
        if name == "any" && names.len() > 1 {
            return Err(Error::usage("“any” already includes all interfaces")
                .remedy("give no other interface with it"));
        }
    }
    Ok(names.to_vec())
}
