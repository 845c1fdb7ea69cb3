//! The pages for people, as a browser without scripts uses them.

mod hostile;
mod pulse;
mod reader;
mod sign;
