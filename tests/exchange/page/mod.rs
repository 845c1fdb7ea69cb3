//! The pages for people, as a browser without scripts uses them.

mod browser;
mod find;
mod hostile;
mod new;
mod pulse;
mod reader;
mod sign;
