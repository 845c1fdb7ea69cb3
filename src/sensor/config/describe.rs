//! What would run, in plain English.

use super::Config;

impl Config {
    /// What would run: one line for the process, each input, suppression, and each sink.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!("database: {}", self.database.display())];
        lines.push(match (self.feeds, self.daemon.update) {
            (0, _) => "feeds: none; a newly published database is used at once".to_string(),
            (1, true) => "feeds: 1, fetched and compiled by this process".to_string(),
            (count, true) => format!("feeds: {count}, fetched and compiled by this process"),
            (count, false) => format!("feeds: {count}, left to `wiresift feed update`"),
        });
        if !self.allow.is_empty() {
            let paths: Vec<String> =
                self.allow.iter().map(|path| path.display().to_string()).collect();
            lines.push(format!("allow lists: {}", super::problem::listed(&paths)));
        }
        lines.push(format!("state: {}", self.daemon_state().display()));
        lines.extend(self.daemon.describe().into_iter().map(|line| format!("process: {line}")));
        lines.extend(self.active_inputs().map(|input| format!("input {}", input.describe())));
        lines.push(format!("suppression: {}", self.suppress.describe()));
        lines.extend(self.active_sinks().map(|sink| format!("sink {}", sink.describe())));
        let inputs = self.inputs.iter().filter(|input| !input.enabled).map(|input| &input.name);
        let sinks = self.sinks.iter().filter(|sink| !sink.enabled).map(|sink| &sink.name);
        lines.extend(inputs.map(|name| format!("input {name}: disabled")));
        lines.extend(sinks.map(|name| format!("sink {name}: disabled")));
        lines
    }
}
