//! Every flag, with its help. Help texts, completions and the man page come from
//! these definitions.

mod alerts;
mod bench;
mod commands;
mod compile;
mod database;
#[cfg(feature = "exchange")]
mod exchange;
mod feed;
mod manual;
mod run;
mod scan;
mod status;
mod tail;
mod tap;

pub(super) use alerts::Alerts;
pub(super) use bench::{Bench, BenchCommand, BenchDiff, BenchFormat, CostOf, DiffFormat, Table};
pub(super) use commands::{Cli, Command};
pub(super) use compile::{Compile, DomainScope, Refang};
pub(super) use database::{Inspect, Lookup, Verify};
#[cfg(feature = "exchange")]
pub(super) use exchange::{
    Exchange, ExchangeBackup, ExchangeCommand, ExchangeData, ExchangeExport, ExchangeGroup,
    ExchangeGroupCommand, ExchangeImport, ExchangeKey, ExchangeKeyCommand, ExchangeRestore,
    ExchangeServe, ExchangeSource, ExchangeSourceCommand, ExchangeUser, ExchangeUserCommand,
};
pub(super) use feed::{
    Feed, FeedAdd, FeedCommand, FeedList, FeedName, FeedRemove, FeedShow, FeedUpdate,
};
pub(super) use manual::{Completions, Man};
pub(super) use run::Run;
pub(super) use scan::Scan;
pub(super) use status::Status;
pub(super) use tail::{From, Tail};
pub(super) use tap::Tap;
