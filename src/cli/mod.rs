//! The command line: flags, subcommands, messages, exit codes.
//!
//! Commands parse flags, call the public interface of the library and print; anything that another
//! program might also need belongs in the library.
//!
//! Exit codes are grep's: 0 for a match, 1 for none, 2 for an error, even if other inputs
//! could be scanned. A broken pipe is a quiet success: `head` has what it wanted. A scan ended
//! by a signal exits with 128 plus its number, as shells report it.

mod bench;
mod bench_diff;
mod choice;
mod compile;
mod complete;
mod database;
#[cfg(feature = "exchange")]
mod exchange;
mod feed;
mod flags;
mod hints;
mod inspect;
mod interfaces;
mod kinds;
mod ledgers;
mod lookup;
mod manual;
mod messages;
mod notices;
mod outcome;
mod outputs;
mod progress;
mod quality;
mod run;
mod scan;
mod start;
mod statistics;
mod status;
mod summary;
mod table;
mod tail;
mod tap;
mod validity;

pub(crate) use start::run;
