//! What the system reports about this process, under the names that all Prometheus clients use.

use super::page::{head, line, number};
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// Appends `process_*`. What the system does not report is left out.
pub(super) fn write(page: &mut String) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let times = Times::of(&stat);
    // A unit with `ProcSubset=pid` can't read the boot time.
    let boot = std::fs::read_to_string("/proc/stat").ok().and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok())
    });
    let descriptors = std::fs::read_dir("/proc/self/fd").map(|all| all.count() as f64).ok();
    let max = getrlimit(Resource::Nofile).current.map(|max| max as f64);
    let start = times.as_ref().zip(boot).map(|(times, boot)| boot + times.start);
    let cpu = times.as_ref().map(|times| times.cpu);
    let resident = times.as_ref().map(|times| times.resident);
    let mapped = times.as_ref().map(|times| times.mapped);
    for (name, kind, help, value) in [
        ("process_cpu_seconds_total", "counter", "Time on processors.", cpu),
        ("process_resident_memory_bytes", "gauge", "Resident memory.", resident),
        ("process_virtual_memory_bytes", "gauge", "Mapped memory.", mapped),
        ("process_open_fds", "gauge", "Open file descriptors.", descriptors),
        ("process_max_fds", "gauge", "Maximum number of file descriptors.", max),
        ("process_start_time_seconds", "gauge", "When the process started.", start),
    ] {
        if let Some(value) = value {
            head(page, name, kind, help);
            line(page, name, &[], &number(value));
        }
    }
}

/// The values of `/proc/self/stat` (`proc_pid_stat(5)`), in seconds and bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Times {
    cpu: f64,
    /// After the boot.
    start: f64,
    mapped: f64,
    resident: f64,
}

impl Times {
    fn of(stat: &str) -> Option<Times> {
        // The name of the program may contain spaces and parentheses.
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        // Fields are numbered from 1, and the rest begins with the third.
        let field = |number: usize| fields.get(number - 3)?.trim().parse::<f64>().ok();
        let ticks = clock_ticks_per_second() as f64;
        Some(Times {
            cpu: (field(14)? + field(15)?) / ticks,
            start: field(22)? / ticks,
            mapped: field(23)?,
            resident: field(24)? * page_size() as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_stat() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 5 0 0 0 250 50 0 0 20 0 9 0 1000 4096000 3 18446744073709551615\n";
        let ticks = clock_ticks_per_second() as f64;
        let times = Times::of(stat).unwrap();
        assert_eq!((times.cpu, times.start), (300.0 / ticks, 1000.0 / ticks));
        assert_eq!((times.mapped, times.resident), (4_096_000.0, 3.0 * page_size() as f64));
        assert_eq!(Times::of("7 (a) S 1"), None);
        assert_eq!(Times::of(""), None);
    }
}
