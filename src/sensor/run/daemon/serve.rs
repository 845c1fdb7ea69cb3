//! From the configuration to running threads, and back.

use super::{Served, Service};
use crate::Result;
use crate::sensor::run::{Notify, Signals};

/// Runs until a signal asks for the end, or with [`Service::once`] until everything that is there
/// was read and delivered.
///
/// # Errors
///
/// When it can't begin: the database, the state, an input or a sink can't be opened. What goes
/// wrong later goes to `notify`, and is tried again.
pub fn serve(service: Service<'_>, signals: &Signals, notify: Notify<'_>) -> Result<Served> {
    let _ = (service, signals, notify);
    todo!()
}
