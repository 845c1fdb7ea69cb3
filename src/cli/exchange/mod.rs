//! `wiresift exchange`: the server of a threat exchange, and the commands of its operator.

mod accounts;
mod command;
mod data;
mod serve;

pub(super) use command::run;
