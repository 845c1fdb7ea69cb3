//! `wiresift exchange`: the server of a threat exchange, and the commands of its operator.

mod accounts;
mod command;
mod data;
mod export;
mod place;
mod serve;
mod source;

pub(super) use command::run;
