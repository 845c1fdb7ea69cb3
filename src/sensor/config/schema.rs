//! Every table and key of the file, from which the reference is made.

use super::daemon::{Daemon, Suppress, Top};
use super::input::{Common, InputKind};
use super::key::{Fallback, Key};
use super::sink::{SinkCommon, SinkKind};
use super::table::Table;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// How it begins: `[daemon]`, `[[input]]`; empty for the top of the file.
    pub header: &'static str,
    /// Its `kind`, for those that have kinds; then these keys come on top of those without.
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

const OF_TOP: &str = "Keys of the top that are about feeds alone; [feeds.md](feeds.md) explains \
                      them.";
const OF_INPUTS: &str =
    "What is read. There may be any number of inputs. Every one has these keys:";
const OF_SINKS: &str = "Where alerts go. Without any, alerts are printed to standard output in \
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
               top, where this table takes its name. About feeds, and not about alerts."
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
        text: "What it is; decides which further keys there are.".into(),
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

/// A key that another house reads: its name, form, default and text. An empty default is none.
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

/// The keys of the top that `intel::config` reads alone.
const TOP_OF_FEEDS: &[Row] = &[
    ("interval", "time", "\"30m\"", "How often feeds are fetched that do not say."),
    ("allow_wide", "`true` or `false`", "false", "Accept networks wider than /8 (IPv6: /16)."),
    ("allow_suffix", "`true` or `false`", "false", "Accept whole public suffixes."),
    (
        "suppress",
        "list: path",
        "[]",
        "Warning lists: what is on them is kept out of the database. \
      Where there is a table `[suppress]`, they are its `lists`.",
    ),
    ("annotate", "list: path", "[]", "Warning lists: what is on them is tagged."),
    ("warninglists", "list: path", "[]", "Warning lists, each with its usual effect."),
];

/// The keys of `[[feed]]`, which `intel::config` reads.
const FEED: &[Row] = &[
    ("name", "text", "required", "Its name in alerts, in the store and on the command line."),
    ("kind", "`list`, `stix`, `otx`, `taxii` or `misp`", "\"list\"", "What is at the other end."),
    ("enabled", "`true` or `false`", "true", "`false` leaves it out and keeps what it sent."),
    ("url", "URL", "one of", "Where it is, over HTTP; `{key}` stands for the credential."),
    ("path", "path", "one of", "A file or a folder."),
    ("command", "list: text", "one of", "A program that prints it, with its arguments."),
    ("format", "text", "", "How a list is written; found from the content without it."),
    ("columns", "text", "", "Which columns of a table hold what."),
    ("delimiter", "one character", "", "What separates columns."),
    ("interval", "time", "", "How often it is fetched; without it the `interval` of the top."),
    ("timeout", "time", "\"120s\"", "How long a fetch may take."),
    ("max_size", "size", "\"256M\"", "How large a document may be, as sent and unpacked."),
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
    ("lifetime", "time", "", "How long an indicator is valid that does not say."),
    (
        "internal",
        "`true` or `false`",
        "false",
        "It is about our own networks: accept private addresses.",
    ),
    ("misp_all", "`true` or `false`", "false", "MISP attributes that are not for detection, too."),
    ("allow", "list: term", "[]", "What of it is taken."),
    ("deny", "list: term", "[]", "What of it is left out."),
    ("min_confidence", "number, 0 to 100", "", "The least confidence that is taken."),
    ("suppress", "list: path", "[]", "Warning lists for this feed: what is on them is kept out."),
    ("annotate", "list: path", "[]", "Warning lists for this feed: what is on them is tagged."),
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
    ("client_cert", "path", "", "Our certificate, in PEM form."),
    ("client_key", "path", "", "The certificate's key, in PEM form."),
    ("ca", "path", "", "Whom to trust, in PEM form."),
    ("collections", "list: text", "[]", "TAXII: these collections alone."),
    ("event_tags", "list: text", "[]", "MISP servers: only events with these tags."),
    (
        "unpublished",
        "`true` or `false`",
        "false",
        "MISP servers: events that are not published, too.",
    ),
    ("lookback", "time", "", "Exchanges: how far back the first walk goes."),
];
