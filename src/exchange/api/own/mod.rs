//! Our additions, below `/api/v2`.

mod account;
mod allow;
mod appeals;
mod docs;
mod factor;
mod known;
mod login;
mod moderation;
mod sharing;
mod sign_up;
mod table;
mod talk;
mod votes;

pub(super) use login::{field, hashed};
pub(super) use sign_up::create as create_account;

pub(super) use table::ROUTES;
