//! How many threads a job takes.

/// Threads to use when nobody says: one for each core.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
