//! The page for Prometheus, in its text format 0.0.4.

use super::counted::Histogram;
use super::families::{Metrics, Sizes};
use std::fmt::Write as _;
use std::sync::PoisonError;

impl Metrics {
    /// The page.
    pub fn page(&self, sizes: Sizes) -> String {
        let mut page = Page(String::with_capacity(16 << 10));
        self.requests(&mut page);
        let limited = [
            ("address", &self.limited_addresses),
            ("key", &self.limited_keys),
            ("writes", &self.limited_writes),
        ];
        page.head(
            "limited_total",
            "counter",
            "Requests refused because their sender had too many.",
        );
        for (limit, counter) in limited {
            page.row("limited_total", &[("limit", limit)], counter.get());
        }
        page.counter("busy_total", "Requests refused because the server had too many.", &self.busy);
        page.gauge("connections", "Open connections.", self.connections.get());
        page.gauge("writer_queue", "Changes that wait for the writer.", self.queue.get());
        page.counter(
            "writer_refused_total",
            "Changes refused because too many waited for the writer.",
            &self.refused,
        );
        page.histogram("commit_seconds", "Time of commits until they are on disk.", &self.commits);
        page.histogram("commit_changes", "Changes of a commit.", &self.changes);
        page.gauge("readers_used", "Readers of the database in use.", self.readers.get());
        page.histogram(
            "reader_wait_seconds",
            "Time that requests waited for a reader.",
            &self.waits,
        );
        page.head("exports_total", "counter", "Exports asked for, by whether the file was there.");
        for (outcome, counter) in [("kept", &self.exports_kept), ("made", &self.exports_made)] {
            page.row("exports_total", &[("outcome", outcome)], counter.get());
        }
        page.gauge("accounts", "Accounts.", sizes.accounts);
        page.gauge("pulses", "Pulses that were not deleted.", sizes.pulses);
        page.gauge("indicators", "Indicators that were not removed.", sizes.indicators);
        if let Some(bytes) = sizes.bytes {
            page.gauge("database_bytes", "Size of the database.", bytes);
        }
        let uptime = self.start.elapsed().as_secs_f64();
        page.gauge("uptime_seconds", "Time since the server was started.", uptime);
        page.head("build_info", "gauge", "1, with the version as a label.");
        page.row("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.0
    }

    /// Requests, of routes that had any.
    fn requests(&self, page: &mut Page) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        routes.retain(|of| of.times().total() > 0);
        routes.sort_by_key(|of| of.route);
        let name = |route: &str| match route {
            "" => "none".to_string(),
            route => format!("/{route}"),
        };
        page.head("requests_total", "counter", "Answers, by route and first digit of the status.");
        for of in &routes {
            for (class, count) in of.statuses().filter(|(_, count)| *count > 0) {
                let class = format!("{class}xx");
                let labels = [("route", name(of.route)), ("status", class)];
                let labels = labels.each_ref().map(|(name, value)| (*name, value.as_str()));
                page.row("requests_total", &labels, count);
            }
        }
        let help = "Time from the whole request to the beginning of the answer.";
        page.head("request_seconds", "histogram", help);
        for of in &routes {
            page.buckets("request_seconds", &[("route", &name(of.route))], of.times());
        }
    }
}

/// A page that is being written.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(
            self.0,
            "# HELP wiresift_exchange_{name} {help}\n# TYPE wiresift_exchange_{name} {kind}"
        );
    }

    /// A series. No value of a label has a character that would have to be escaped.
    fn row(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.0, "wiresift_exchange_{name}{labels} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, counter: &super::Counter) {
        self.head(name, "counter", help);
        self.row(name, &[], counter.get());
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        self.row(name, &[], value);
    }

    fn histogram(&mut self, name: &str, help: &str, of: &Histogram) {
        self.head(name, "histogram", help);
        self.buckets(name, &[], of);
    }

    /// The series of a histogram.
    fn buckets(&mut self, name: &str, labels: &[(&str, &str)], of: &Histogram) {
        let rows = of.rows();
        for (bound, count) in &rows {
            let bound = bound.map_or_else(|| "+Inf".to_string(), |bound| bound.to_string());
            let labels = [labels, &[("le", bound.as_str())]].concat();
            self.row(&format!("{name}_bucket"), &labels, count);
        }
        self.row(&format!("{name}_sum"), labels, of.sum());
        let all = rows.last().map_or(0, |(_, count)| *count);
        self.row(&format!("{name}_count"), labels, all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;
    use std::time::Duration;

    /// The value of a series.
    fn value(page: &str, series: &str) -> Option<f64> {
        let row = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        page.lines().find_map(row)
    }

    #[test]
    fn histograms_count_up_to_each_bound() {
        let metrics = Metrics::default();
        for number in [1, 1, 3, 64, 65] {
            metrics.changes.number(number);
        }
        metrics.commits.time(Duration::from_micros(2500));
        let page = metrics.page(Sizes::default());
        let of = |name: &str| value(&page, &format!("wiresift_exchange_{name}"));
        assert_eq!(of("commit_changes_bucket{le=\"1\"}"), Some(2.0));
        assert_eq!(of("commit_changes_bucket{le=\"4\"}"), Some(3.0));
        assert_eq!(of("commit_changes_bucket{le=\"64\"}"), Some(4.0));
        assert_eq!(of("commit_changes_bucket{le=\"+Inf\"}"), Some(5.0));
        assert_eq!(of("commit_changes_count"), Some(5.0));
        assert_eq!(of("commit_changes_sum"), Some(134.0));
        assert_eq!(of("commit_seconds_bucket{le=\"0.0025\"}"), Some(1.0));
        assert_eq!(of("commit_seconds_bucket{le=\"0.001\"}"), Some(0.0));
        assert_eq!(of("commit_seconds_sum"), Some(0.0025));
    }

    #[test]
    fn routes_share_what_is_counted_by_path() {
        let metrics = Metrics::default();
        metrics.route("api/v1/pulses/{id}").answered(200, Stopwatch::start());
        metrics.route("api/v1/pulses/{id}").answered(404, Stopwatch::start());
        metrics.route("never/asked");
        metrics.route("").answered(405, Stopwatch::start());
        let page = metrics.page(Sizes { pulses: 3, ..Sizes::default() });
        let of = |name: &str| value(&page, &format!("wiresift_exchange_{name}"));
        let route = "route=\"/api/v1/pulses/{id}\"";
        assert_eq!(of(&format!("requests_total{{{route},status=\"2xx\"}}")), Some(1.0));
        assert_eq!(of(&format!("requests_total{{{route},status=\"4xx\"}}")), Some(1.0));
        assert_eq!(of(&format!("request_seconds_count{{{route}}}")), Some(2.0));
        assert_eq!(of("requests_total{route=\"none\",status=\"4xx\"}"), Some(1.0));
        assert_eq!(of("pulses"), Some(3.0));
        assert!(!page.contains("never"));
    }
}
