//! The command line: flags, subcommands, messages, exit codes.
//!
//! It stands on the public interface of the library and on nothing else. Exit
//! codes are grep's: 0 something matched, 1 nothing did, 2 an error, also when
//! some of the inputs could be scanned. A broken pipe ends quietly; a scan that a signal
//! ended says which one, as shells do.

mod choice;
mod compile;
mod complete;
mod database;
mod feed;
mod flags;
mod hints;
mod inspect;
mod interfaces;
mod kinds;
mod lookup;
mod manual;
mod messages;
mod notices;
mod outcome;
mod outputs;
mod progress;
mod scan;
mod start;
mod statistics;
mod summary;
mod tail;
mod tap;
mod validity;

pub(crate) use start::run;
