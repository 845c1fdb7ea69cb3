//! Which storage the flags mean.

use crate::cli::flags::ExchangeData;
use wiresift::exchange::storage::Place;
use wiresift::{Error, Result};

/// The directory of the flags, and their database.
pub(super) fn place(flags: &ExchangeData) -> Result<Place> {
    let Some(url) = &flags.database else { return Ok(Place::new(&flags.directory)) };
    // As every client of PostgreSQL takes it: not all can see it, as they can arguments.
    let password = std::env::var_os("PGPASSWORD").map(std::ffi::OsString::into_string);
    let password = password
        .transpose()
        .map_err(|_| Error::usage("the password in PGPASSWORD is not UTF-8"))?;
    Place::with_database(&flags.directory, url, password.as_deref())
}
