//! The reference of the configuration, in Markdown: `docs/config.md`.

use super::key::{Fallback, Key};
use super::schema::{Schema, schema};

/// The text before the tables.
const HEAD: &str = r#"<!-- Made from src/sensor/config: WIRESIFT_BLESS=1 cargo test --lib config::tests::reference -->

# Configuration

`wiresift.toml` defines which feeds to subscribe to, what `wiresift run` reads, and where alerts go.
It is read from the folder that the command runs in, or from `--config FILE`. Relative paths in it
start at its own folder. `wiresift run --setup` writes one from four answers; `wiresift run --check`
reports what would run, and all errors, with line and column.

```toml
state = "/var/lib/wiresift"
database = "/var/lib/wiresift/iocs.wsdb"

[[feed]]
name = "urlhaus"
url = "https://urlhaus.abuse.ch/downloads/csv_recent/"
format = "abusech"

[[input]]
kind = "files"
patterns = ["/var/log/nginx/*.log", "/var/log/squid/access.log"]

[[input]]
kind = "syslog"
listen = ["udp://0.0.0.0:514", "tcp://0.0.0.0:601"]

[[sink]]
kind = "file"
path = "/var/log/wiresift/alerts.json"
rotate_size = "100M"

[[sink]]
kind = "webhook"
form = "slack"
url_file = "/etc/wiresift/slack.url"
min_severity = "high"
```

**Values.** A time is a number with a unit, in quotation marks: `"500ms"`, `"30s"`, `"10m"`, `"6h"`,
`"7d"`. A size is a number of bytes (`1048576`), or of binary units: `"512K"`, `"64M"`, `"1G"`. Where a key of an
input, a sink, `[daemon]` or `[suppress]` accepts a list, a single value needs no brackets.

**Secrets** are never in the file. `token_env = "SPLUNK_TOKEN"` names an environment variable,
`token_file = "/etc/wiresift/splunk.token"` a file with the secret on its first line; a reload reads
files again.

**Names.** Inputs and sinks are identified by name across reloads and restarts: positions in logs and
undelivered alerts in the spool are stored by name. The default is the kind.
"#;

/// The reference.
pub fn reference() -> String {
    let mut out = HEAD.to_string();
    for table in schema() {
        out.push_str(&section(&table));
    }
    out
}

fn section(table: &Schema) -> String {
    let title = match (table.header, table.kind) {
        ("", None) => "## Top of the file".to_string(),
        ("", Some(of)) => format!("### Top of the file: {of}"),
        (header, None) => format!("## `{header}`"),
        (header, Some(kind)) => format!("### `{header}` of kind `{kind}`"),
    };
    let mut out = format!("\n{title}\n\n{}\n\n", table.about);
    out.push_str("| key | value | default | does |\n| --- | --- | --- | --- |\n");
    for key in &table.keys {
        out.push_str(&row(key));
    }
    out
}

fn row(key: &Key) -> String {
    let default = match &key.fallback {
        Fallback::Required => "required".to_string(),
        Fallback::OneOf => "one of them".to_string(),
        Fallback::Unset => "–".to_string(),
        Fallback::Value(value) => format!("`{value}`"),
        Fallback::Text(text) => (*text).to_string(),
    };
    let text = key.text.replace('|', "\\|");
    format!("| `{}` | {} | {default} | {text} |\n", key.name, key.form)
}
