//! Our additions, below `/api/v2`.

mod account;
mod allow;
mod docs;
mod known;
mod moderation;
mod table;
mod talk;

pub(super) use table::ROUTES;
