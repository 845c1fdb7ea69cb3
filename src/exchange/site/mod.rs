//! What every route is given: the storage, the settings, and who calls.
//!
//! A route is a row of a table: its methods, its path, what its caller needs, and a plain
//! function from a [`Call`] to an answer. [`Site::answer`] finds the route, authenticates,
//! limits, and calls; it never panics and needs no runtime, so that tests and fuzzers call it
//! directly.

mod answer;
mod call;
mod kept;
mod limits;
mod measured;
mod route;
mod session;
mod settings;
mod turns;
mod warnings;

pub use answer::{MAX_BODY, METRICS, Site, Writers};
pub use call::{Call, Caller};
pub use kept::{Kept, Listed};
pub use limits::{Bucket, Limits, Rate};
pub use route::{Answer, Family, Handler, Needs, Route};
pub use session::{check_origin, cookie};
pub use settings::{Cookies, Quotas, Settings, SignUp};
pub use warnings::Warnings;
