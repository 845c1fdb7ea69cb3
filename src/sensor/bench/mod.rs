//! Judges a rule set: what it contains, finds, risks and costs, by feed or by pulse.
//!
//! ```
//! use std::sync::Arc;
//! use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
//! use wiresift::sensor::bench::{Bench, GroupBy, Question};
//! use wiresift::{Compiler, Database};
//!
//! let mut compiler = Compiler::default();
//! for (feed, name) in [("a", "evil.example"), ("b", "cdn.evil.example"), ("b", "bad.example")] {
//!     let context = Arc::new(Context::of_feed(feed));
//!     compiler.add(Indicator::new(Kind::Domain, name, Scope::Subtree, context).unwrap());
//! }
//! let database = Database::from_bytes(compiler.into_bytes(Timestamp(0))?)?;
//! let report = Bench::new(&database, GroupBy::Feed).judge(&Question::new(Timestamp(0)), None);
//! // What is below evil.example is covered by it.
//! assert_eq!(report.groups[1].exclusive, 1);
//! assert_eq!(report.overlap[0].b_in_a, Some(0.5));
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! Nothing here compares two feeds, or scans twice: one look-up of each entry gives the groups
//! that hold and cover it (`covering`), one scan gives alerts with all their sources
//! ([`Tally`]), and everything about pairs of groups follows from two small tables. Warning lists
//! and the ledger of the feeds are handed in. This room reads no clock, no files and no network.
//!
//! | file | contents |
//! | --- | --- |
//! | `report` | [`Report`]: all that is found out, as its JSON has it |
//! | `groups`, `masks` | what is compared, and sets of it |
//! | `covering`, `table`, `greedy`, `overlap` | the set alone |
//! | `tally`, `times`, `event_ids`, `hit_claims`, `findings` | the corpus |
//! | `risk`, `names`, `chance` | what makes an indicator risky |
//! | `decay`, `ledger` | how old and how new things are |
//! | `judge`, `flagged`, `drops`, `advice` | from counts to the report |
//! | `subset`, `cost`, `ranks` | what groups cost: parts of the set, measurements, statistics |
//! | `baseline`, `check`, `changes`, `fields` | compares a report with an earlier one |
//! | `diff` | two databases, and the alerts of both |
//! | `text`, `widths`, `csv`, `html` | the report for people, spreadsheets and browsers |

mod advice;
mod baseline;
mod chance;
mod changes;
mod check;
mod cost;
mod covering;
mod csv;
mod decay;
mod diff;
mod drops;
mod event_ids;
mod fields;
mod findings;
mod flagged;
mod greedy;
mod groups;
mod hit_claims;
mod html;
mod judge;
mod ledger;
mod masks;
mod names;
mod overlap;
mod ranks;
mod report;
mod risk;
mod subset;
mod table;
mod tally;
mod text;
mod times;
mod widths;

#[cfg(test)]
mod tests;

pub use advice::advise;
pub use baseline::{Threshold, json, read_report, same_groups};
pub use changes::changes;
pub use check::{Check, Outcome};
pub use cost::{Block, Measured, Weight};
pub use csv::{Csv, csv};
pub use diff::{
    AlertComparison, AlertDifference, AlertDifferences, DIFF_SCHEMA, Difference, GroupDifference,
    ValueCounts, ValueDifference, compare,
};
pub use groups::GroupBy;
pub use html::html;
pub use judge::{Bench, CorpusRead, POPULAR_RANK, PREVALENCE, Question};
pub use ledger::{Ledger, LedgerTable, Span};
pub use names::{Judged, Popular};
pub use report::{
    Action, Advice, Age, Corpus, Cost, CoverStep, DatabaseFacts, DropStep, FirstSeen, Group,
    GroupCost, History, IndicatorFacts, Interval, KindCost, Overlap, Passes, Report, SCHEMA,
    SetFacts, Survival, Verdicts,
};
pub use risk::{Lists, OnLists};
pub use subset::{Parts, Subset};
pub use tally::{Party, Tally, parties_of};
pub use text::text;
