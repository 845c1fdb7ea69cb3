//! Every table and key of the file, from which the reference is generated.

use super::daemon::{Daemon, Suppress, Top};
use super::input::{Common, InputKind};
use super::key::{Fallback, Key};
use super::sink::{SinkCommon, SinkKind};
use super::table::Table;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its header: `[daemon]`, `[[input]]`; empty for the top of the file.
    pub header: &'static str,
    /// Its `kind`, if it has kinds; then these keys are added to those without a kind.
    pub kind: Option<&'static str>,
    /// What it is; a fragment of Markdown.
    pub about: String,
    /// Its keys.
    pub keys: Vec<Key>,
}

/// Every table, in the order of the reference.
pub fn schema() -> Vec<Schema> {
    let mut all = vec![
        Schema { header: "", kind: None, about: Top::about(), keys: Top::keys(&()) },
        Schema { header: "", kind: Some("feeds"), about: OF_TOP.into(), keys: keys(TOP_OF_FEEDS) },
        Schema { header: "[daemon]", kind: None, about: Daemon::about(), keys: Daemon::keys(&()) },
        Schema {
            header: "[suppress]",
            kind: None,
            about: Suppress::about(),
            keys: suppress_keys(),
        },
    ];
    all.push(common("[[input]]", OF_INPUTS, InputKind::NAMES, Vec::new()));
    all.extend(kinds("[[input]]", InputKind::tables()));
    all.push(common("[[sink]]", OF_SINKS, SinkKind::NAMES, SinkCommon::keys(&())));
    all.extend(kinds("[[sink]]", SinkKind::tables()));
    all.push(Schema { header: "[[feed]]", kind: None, about: OF_FEED.into(), keys: keys(FEED) });
    all
}

const OF_TOP: &str = "Keys at the top that only concern feeds; [feeds.md](feeds.md) explains \
                      them.";
const OF_INPUTS: &str =
    "What is read. There may be any number of inputs. Every one has these keys:";
const OF_SINKS: &str = "Where alerts go. Without a sink, alerts are printed to standard output in \
                        JSON. There may be any number of sinks. Every one has these keys:";
const OF_FEED: &str = "A subscription. `wiresift feed` writes these tables; [feeds.md](feeds.md) \
                       explains the keys.";

fn suppress_keys() -> Vec<Key> {
    let mut all = Suppress::keys(&());
    all.push(Key {
        name: "lists".into(),
        form: "list: path".into(),
        fallback: Fallback::Value("[]".into()),
        text:
            "Warning lists that keep indicators out of the database: the `suppress = […]` of the \
               top, whose name this table takes. They concern feeds, not alerts."
                .into(),
    });
    all
}

/// The keys that all kinds of a table have.
fn common(
    header: &'static str,
    about: &str,
    kinds: &'static [&'static str],
    more: Vec<Key>,
) -> Schema {
    let names: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    let mut all = vec![Key {
        name: "kind".into(),
        form: super::problem::alternatives(&names),
        fallback: Fallback::Required,
        text: "The kind, which decides which other keys there are.".into(),
    }];
    all.extend(Common::keys(&()));
    for key in &mut all {
        if key.name == "name" {
            key.fallback = Fallback::Text("the kind");
        }
    }
    all.extend(more);
    Schema { header, kind: None, about: about.into(), keys: all }
}

fn kinds(
    header: &'static str,
    tables: Vec<(&'static str, String, Vec<Key>)>,
) -> impl Iterator<Item = Schema> {
    let of = move |(kind, about, keys)| Schema { header, kind: Some(kind), about, keys };
    tables.into_iter().map(of)
}

/// A key that another house reads: its name, form, default and text. An empty default means none.
type Row = (&'static str, &'static str, &'static str, &'static str);

fn keys(rows: &[Row]) -> Vec<Key> {
    let of = |(name, form, default, text): &Row| Key {
        name: (*name).to_string(),
        form: (*form).to_string(),
        fallback: match *default {
            "" => Fallback::Unset,
            "required" => Fallback::Required,
            "one of" => Fallback::OneOf,
            value => Fallback::Value(value.to_string()),
        },
        text: (*text).to_string(),
    };
    rows.iter().map(of).collect()
}

/// The keys at the top that only `intel::config` reads.
const TOP_OF_FEEDS: &[Row] = &[
    (
        "interval",
        "time",
        "\"30m\"",
        "How often feeds are fetched that have no interval of their own.",
    ),
    ("allow_wide", "`true` or `false`", "false", "Accept networks wider than /8 (IPv6: /16)."),
    ("allow_suffix", "`true` or `false`", "false", "Accept whole public suffixes."),
    (
        "suppress",
        "list: path",
        "[]",
        "Warning lists: their values are kept out of the database. \
      If there is a table `[suppress]`, set its `lists` instead.",
    ),
    ("annotate", "list: path", "[]", "Warning lists: indicators with their values are tagged."),
    ("warninglists", "list: path", "[]", "Warning lists, each with its usual effect."),
];

/// The keys of `[[feed]]`, which `intel::config` reads.
const FEED: &[Row] = &[
    ("name", "text", "required", "Its name in alerts, in the store and on the command line."),
    (
        "kind",
        "`list`, `stix`, `otx`, `taxii`, `misp` or `allow`",
        "\"list\"",
        "What kind of source it is.",
    ),
    ("enabled", "`true` or `false`", "true", "`false` disables it, but keeps what it sent."),
    ("url", "URL", "one of", "Its URL; `{key}` stands for the credential."),
    ("path", "path", "one of", "A file or a folder."),
    ("command", "list: text", "one of", "A program that prints it, with its arguments."),
    ("format", "text", "", "The format of a list; default: detected from the content."),
    ("columns", "text", "", "What the columns of a table contain."),
    ("delimiter", "one character", "", "What separates columns."),
    ("interval", "time", "", "How often it is fetched; default: the `interval` at the top."),
    ("timeout", "time", "\"120s\"", "How long a fetch may take."),
    (
        "max_size",
        "size",
        "\"256M\"",
        "How large a document may be, both compressed and decompressed.",
    ),
    ("confidence", "number, 0 to 100", "", "The confidence of indicators that have none."),
    (
        "severity",
        "`low`, `medium`, `high` or `critical`",
        "",
        "The severity of indicators that have none.",
    ),
    (
        "tlp",
        "`clear`, `green`, `amber`, `amber+strict` or `red`",
        "",
        "The TLP of indicators that have none.",
    ),
    ("tags", "list: text", "[]", "Labels for every indicator."),
    ("scope", "`exact`, `subtree` or `subtree_no_apex`", "", "How far names reach."),
    ("lifetime", "time", "", "How long an indicator is valid that has no expiry."),
    (
        "internal",
        "`true` or `false`",
        "false",
        "It is about internal networks: accept private addresses.",
    ),
    (
        "misp_all",
        "`true` or `false`",
        "false",
        "Include MISP attributes that are not for detection.",
    ),
    ("allow", "list: term", "[]", "Which indicators to accept."),
    ("deny", "list: term", "[]", "Which indicators to leave out."),
    ("min_confidence", "number, 0 to 100", "", "The minimum confidence."),
    ("suppress", "list: path", "[]", "Warning lists for this feed: their values are kept out."),
    (
        "annotate",
        "list: path",
        "[]",
        "Warning lists for this feed: indicators with their values are tagged.",
    ),
    (
        "warninglists",
        "list: path",
        "[]",
        "Warning lists for this feed, each with its usual effect.",
    ),
    ("key_env", "name of a variable", "", "The variable that holds the credential."),
    ("key_file", "path", "", "The same, in the first line of a file."),
    ("key_header", "name of a header", "", "The header that the credential is sent in."),
    ("user", "text", "", "The user: the credential is a password."),
    ("client_cert", "path", "", "The client certificate, in PEM form."),
    ("client_key", "path", "", "The certificate's key, in PEM form."),
    ("ca", "path", "", "Trusted certificates, in PEM form."),
    ("collections", "list: text", "[]", "TAXII: only these collections."),
    ("event_tags", "list: text", "[]", "MISP servers: only events with these tags."),
    ("unpublished", "`true` or `false`", "false", "MISP servers: include unpublished events."),
    ("lookback", "time", "", "Exchanges: how far back the first fetch goes."),
];
