//! The page for Prometheus, in its text format 0.0.4.

use super::families::{Family, Kind};
use super::process;
use super::registry::{BUCKETS, Metrics, Series};
use std::fmt::Write as _;

/// The content type of the page.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Metrics {
    /// The page, with the metrics of the process at the end.
    pub fn page(&self) -> String {
        let mut page = String::with_capacity(16 << 10);
        for (&family, members) in Family::ALL.iter().zip(self.families.iter()) {
            if members.rows.is_empty() {
                // A family of inputs is left out if there are no inputs.
                continue;
            }
            let kind = match family.kind() {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            head(&mut page, family.name(), kind, family.help());
            for (values, series) in &members.rows {
                row(&mut page, family, values, series);
            }
        }
        head(&mut page, "wiresift_build_info", "gauge", "1, with the version as a label.");
        line(&mut page, "wiresift_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1");
        process::write(&mut page);
        page
    }
}

fn row(page: &mut String, family: Family, values: &[String], series: &Series) {
    let labels = family.labels().iter().zip(values);
    let labels: Vec<(&str, &str)> =
        labels.map(|(label, value)| (label.name(), value.as_str())).collect();
    match series {
        Series::Counter(counter) => {
            line(page, family.name(), &labels, &counter.get().to_string());
        }
        Series::Gauge(gauge) => line(page, family.name(), &labels, &number(gauge.get())),
        Series::Histogram(histogram) => {
            let (counts, sum) = histogram.read();
            let bounds = BUCKETS.iter().map(|bound| number(*bound)).chain(["+Inf".to_string()]);
            let name = format!("{}_bucket", family.name());
            for (bound, count) in bounds.zip(counts) {
                let labels = [&labels[..], &[("le", bound.as_str())]].concat();
                line(page, &name, &labels, &count.to_string());
            }
            line(page, &format!("{}_sum", family.name()), &labels, &number(sum));
            let all = counts.last().map_or_else(String::new, u64::to_string);
            line(page, &format!("{}_count", family.name()), &labels, &all);
        }
    }
}

/// The HELP and TYPE lines of a family.
pub(super) fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A series and its value.
pub(super) fn line(page: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    page.push_str(name);
    let mut before = '{';
    for (name, value) in labels {
        let _ = write!(page, "{before}{name}=\"");
        for char in value.chars() {
            match char {
                '\\' => page.push_str("\\\\"),
                '"' => page.push_str("\\\""),
                '\n' => page.push_str("\\n"),
                char => page.push(char),
            }
        }
        page.push('"');
        before = ',';
    }
    if !labels.is_empty() {
        page.push('}');
    }
    let _ = writeln!(page, " {value}");
}

/// A number in Prometheus' notation.
pub(super) fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_string(),
        f64::INFINITY => "+Inf".to_string(),
        f64::NEG_INFINITY => "-Inf".to_string(),
        value => value.to_string(),
    }
}
