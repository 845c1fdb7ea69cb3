//! Whether a reload could listen where the new configuration says, before anything old ends.

use super::convert;
use crate::Result;
use crate::sensor::config::{Address, Config, Input, InputKind, ServerTls, Tables};
use crate::sensor::listen::{Activated, Bound};

/// The addresses that an input listens on, and its certificates.
fn places(of: &Input) -> (Vec<Address>, Option<&ServerTls>) {
    match &of.kind {
        InputKind::Syslog(of) => (of.listen.clone(), Some(&of.tls)),
        InputKind::Hec(of) => (of.listen.clone(), Some(&of.tls)),
        InputKind::Eve(of) => (vec![Address::Unix(of.path.clone())], None),
        _ => (Vec::new(), None),
    }
}

/// Listens for a moment on the addresses of inputs that are new or changed, except where an old one
/// still does.
///
/// # Errors
///
/// If an address is in use or a certificate can't be used; the error names the input.
pub(super) fn check(new: &Config, old: &Config, changes: &Tables) -> Result<()> {
    let held: Vec<Address> = old.active_inputs().flat_map(|input| places(input).0).collect();
    // An old input on all addresses of this machine also holds the port of each of them.
    let is_held = |at: &Address| {
        let port = |at: &Address| at.place().map(|place| place.port);
        held.iter().any(|held| held == at || port(at).is_some() && port(held) == port(at))
    };
    let is_new = |input: &&Input| {
        changes.added.contains(&input.name)
            || changes.changed.iter().any(|it| it.name == input.name)
    };
    for input in new.active_inputs().filter(is_new) {
        let (addresses, tls) = places(input);
        let listen = || {
            let tls = tls.map(convert::server_tls).transpose()?.flatten();
            for at in addresses.iter().filter(|at| !is_held(at)) {
                if !matches!(at, Address::Systemd(_)) {
                    let at = convert::address(at);
                    Bound::open(&at, tls.as_ref(), &mut Activated::default())?;
                }
            }
            Ok(())
        };
        let outcome: Result<()> = listen();
        outcome.map_err(|error| error.about(&format!("input “{}”", input.name)))?;
    }
    Ok(())
}
