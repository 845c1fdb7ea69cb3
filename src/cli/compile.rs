//! `wiresift compile`: files and subscribed feeds into one database.
//!
//! The flags come in two kinds. Those that describe an input (`--as`, `--feed`, `--internal`)
//! apply to the inputs after them, as in ffmpeg and curl's `--next`, so that one command can
//! mix formats; all others apply to the whole database.

use super::flags::{Compile, DomainScope, Refang};
use super::messages::{grouped, name, plural, print, say, size};
use super::outcome::Outcome;
use super::progress::Progress;
use clap::ArgMatches;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wiresift::clock::build_time;
use wiresift::engine::compile;
use wiresift::engine::compile::Effect;
use wiresift::engine::error::escape_json;
use wiresift::engine::files::Outlet;
use wiresift::engine::indicator::{Reason, Scope, Severity, Tlp};
use wiresift::intel::config::Config;
use wiresift::intel::feed::{self, Defanged, Format};
use wiresift::intel::subscribe::{
    self, CompileJob, CompileReport, FeedInput, ListInput, Published,
};
use wiresift::{Error, Result};

/// Compiles the inputs, together with the subscribed feeds if there is a `--config`. Without an
/// input, the command is the same as `feed update --compile` after its update.
pub(super) fn run(flags: Compile, matches: Option<&ArgMatches>) -> Result<Outcome> {
    let config = flags.config.as_deref().map(Config::open).transpose()?;
    // Only without inputs and lists is the result the subscribed set, which may already be
    // compiled.
    if let Some(config) = &config
        && flags.inputs.is_empty()
        && flags.allow.is_empty()
        && flags.suppress.is_empty()
        && flags.annotate.is_empty()
        && flags.warninglists.is_empty()
    {
        return subscribed(config, &flags);
    }
    let output = flags.output.clone().or(config.as_ref().map(|config| config.database.clone()));
    let mut job = CompileJob {
        output: output.unwrap_or_default(),
        built: build_time(),
        ..CompileJob::default()
    };
    job.rejects.clone_from(&flags.rejects);
    job.force = flags.force;
    job.reads.extend(flags.config.clone());
    // The report would end up inside the database.
    if flags.json && Outlet::of(&job.output).is_ok_and(|it| it == Outlet::Descriptor(1)) {
        return Err(Error::usage("--json and the database both go to standard output")
            .remedy("name a file with -o"));
    }
    job.options = compile::Options::default().wide(flags.allow_wide).suffixes(flags.allow_suffix);
    let base = base_options(&flags)?;
    job.inputs = inputs(&flags, matches, &base)?;
    for path in &flags.allow {
        job.inputs.push(FeedInput::allow_list(path));
    }
    for (words, effect) in [
        (&flags.suppress, Some(Effect::Suppress)),
        (&flags.annotate, Some(Effect::Annotate)),
        (&flags.warninglists, None),
    ] {
        job.lists.extend(words.iter().map(|words| list_input(words, effect)));
    }
    let progress = Progress::new(flags.quiet);
    let output = job.output.clone();
    // Held until the end, so that no update changes the stored feeds while they are read.
    let lock = config.as_ref().map(subscribe::write_lock).transpose()?;
    if let (Some(config), Some(lock)) = (&config, &lock) {
        let mut set = subscribe::subscribed(config, lock, &|notice| progress.of_feeds(notice))?;
        // With added files the result differs from the subscribed set, so the name of that set,
        // which marks a database as current, would be wrong.
        set.name.clear();
        job.subscribed = Some(set);
    }
    let report = subscribe::compile(job, &|notice| progress.of_feeds(notice));
    progress.finish();
    let report = report?;
    report_result(&report, &flags, &output)?;
    Ok(if report.failed > 0 { Outcome::Failed } else { Outcome::Yes })
}

/// Reports the result in the requested form.
fn report_result(report: &CompileReport, flags: &Compile, output: &Path) -> Result<()> {
    if flags.json {
        return print(format!("{}\n", escape_json(&as_json(report).to_string())));
    }
    if !flags.quiet {
        let how = flags.rejects.is_none().then_some("--rejects FILE lists them");
        summarise(report, output, how);
    }
    Ok(())
}

/// Compiles the subscribed feeds and nothing else. Unlike a compile with files it does nothing
/// when no feed changed since the last database.
fn subscribed(config: &Config, flags: &Compile) -> Result<Outcome> {
    let mut config = config.clone();
    config.allow_wide |= flags.allow_wide;
    config.allow_suffix |= flags.allow_suffix;
    if let Some(output) = &flags.output {
        config.database.clone_from(output);
    }
    let progress = Progress::new(flags.quiet);
    let lock = subscribe::write_lock(&config)?;
    let rejects = flags.rejects.as_deref();
    let published =
        subscribe::publish_subscribed(&config, &lock, rejects, &|n| progress.of_feeds(n));
    progress.finish();
    match published? {
        Published::New(report) => report_result(&report, flags, &config.database)?,
        Published::Unchanged if !flags.quiet => {
            say(&format!("{} is up to date", name(&config.database)));
        }
        _ => {}
    }
    Ok(Outcome::Yes)
}

/// Parses a warning list: `LIST`, or `FEED,FEED:LIST`. A path that exists wins, because a file
/// name may contain a colon.
fn list_input(words: &str, effect: Option<Effect>) -> ListInput {
    match words.split_once(':') {
        Some((feeds, path)) if !Path::new(words).exists() => {
            let feeds = feeds.split(',').map(|feed| feed.trim().to_string());
            ListInput { path: path.into(), effect, feeds: feeds.collect() }
        }
        _ => ListInput { path: words.into(), effect, feeds: Vec::new() },
    }
}

/// The options that apply to every input, before the flags that depend on their
/// position.
fn base_options(flags: &Compile) -> Result<feed::Options> {
    let severity = flags.severity.as_deref().map(|name| {
        Severity::from_name(name).ok_or_else(|| {
            Error::usage(format!("unknown severity “{name}”"))
                .remedy("expected low, medium, high or critical")
        })
    });
    let tlp = flags.tlp.as_deref().map(|name| {
        Tlp::from_name(name).ok_or_else(|| {
            Error::usage(format!("unknown TLP “{name}”"))
                .remedy("expected clear, green, amber, amber+strict or red")
        })
    });
    Ok(feed::Options {
        defanged: match flags.refang {
            Refang::Auto => Defanged::Auto,
            Refang::Yes => Defanged::Yes,
            Refang::No => Defanged::No,
        },
        columns: flags.columns.as_deref().unwrap_or("").parse()?,
        delimiter: flags.delimiter,
        domain_scope: flags.domains.map(|scope| match scope {
            DomainScope::Exact => Scope::Exact,
            DomainScope::Subtree => Scope::Subtree,
            DomainScope::SubtreeNoApex => Scope::SubtreeNoApex,
        }),
        misp_all: flags.misp_all,
        stix_domain_subtree: flags.stix_domain_subtree,
        zero_padded_decimal: flags.zero_padded,
        confidence: flags.confidence,
        severity: severity.transpose()?,
        tlp: tlp.transpose()?,
        tags: flags.tags.clone(),
        exclude: flags.exclude.clone(),
        ..feed::Options::default()
    })
}

/// Gives each input the last `--as` and `--feed` before it, and `--internal` if it precedes
/// the input.
///
/// clap collects values by flag and loses their order; only the indices of `ArgMatches` keep
/// it. Without `matches` (never from the command line) every input gets `base`.
fn inputs(
    flags: &Compile,
    matches: Option<&ArgMatches>,
    base: &feed::Options,
) -> Result<Vec<FeedInput>> {
    let indices = |id: &str| -> Vec<usize> {
        matches.and_then(|m| m.indices_of(id)).map_or(Vec::new(), |found| found.collect())
    };
    let (formats, feeds) = (indices("formats"), indices("feeds"));
    // clap reports an index for the default value of a flag that was not given.
    let internal = if flags.internal { indices("internal").into_iter().min() } else { None };
    let last_before = |places: &[usize], at: usize| places.iter().rposition(|&place| place < at);
    let mut inputs = Vec::with_capacity(flags.inputs.len());
    for (path, at) in flags.inputs.iter().zip(indices("inputs")) {
        let mut options = base.clone();
        options.internal = internal.is_some_and(|place| place < at);
        if let Some(name) = last_before(&formats, at).map(|found| &flags.formats[found]) {
            options.format = format(name)?;
        }
        if let Some(name) = last_before(&feeds, at).map(|found| &flags.feeds[found]) {
            options.feed.clone_from(name);
        }
        inputs.push(FeedInput { path: PathBuf::from(path), options });
    }
    Ok(inputs)
}

/// Parses `--as`; `auto` means to detect the format.
fn format(name: &str) -> Result<Option<Format>> {
    if name == "auto" {
        return Ok(None);
    }
    Format::from_name(name).map(Some).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        Error::usage(format!("unknown format “{name}”"))
            .remedy(format!("expected one of auto, {}", names.join(", ")))
    })
}

/// Prints a summary of the compilation to standard error. `how` says how to list the rejected
/// values, if that needs a hint.
pub(super) fn summarise(report: &CompileReport, output: &Path, how: Option<&str>) {
    let summary = &report.summary;
    let mut files = plural(report.files, "file");
    if report.failed > 0 {
        files = format!("{} of {files}", grouped(report.files.saturating_sub(report.failed)));
    }
    say(&format!(
        "{}: {} from {} in {}",
        name(output),
        plural(summary.total(), "distinct value"),
        plural(summary.indicators, "indicator"),
        files,
    ));
    let kinds: Vec<String> =
        summary.values.iter().map(|(kind, count)| plural_kind(*count, kind)).collect();
    let kinds = if kinds.is_empty() { "nothing".to_string() } else { kinds.join(", ") };
    say(&format!("  {kinds} ({})", size(report.size)));
    if summary.allowed > 0 {
        say(&format!("  {} on allow lists", plural(summary.allowed, "value")));
    }
    if !report.rejected.is_empty() {
        let total = report.rejected.values().sum();
        say(&format!("{} rejected or changed:", plural(total, "value")));
        for (reason, count) in &report.rejected {
            say(&format!("  {count:>9} {reason}: {}", reason.remedy()));
        }
        if let Some(how) = how {
            say(&format!("  ({how})"));
        }
        for (feed, reasons) in report.by_feed.iter().filter(|_| report.by_feed.len() > 1) {
            let reasons: Vec<String> =
                reasons.iter().map(|(reason, count)| plural_kind(*count, reason.name())).collect();
            say(&format!("  of {feed}: {}", reasons.join(", ")));
        }
    }
    for list in &report.lists {
        if list.met > 0 || list.unreadable > 0 {
            let unreadable = match list.unreadable {
                0 => String::new(),
                count => format!(", {} unreadable", plural_entries(count)),
            };
            let (entries, met) = (plural_entries(list.entries), plural(list.met, "indicator"));
            let (id, effect) = (&list.id, list.effect.name());
            say(&format!("warning list {id} ({effect}): {met} matched its {entries}{unreadable}"));
        }
    }
    if report.failed > 0 {
        say(&format!("{} could not be read", plural(report.failed, "file")));
    }
}

fn plural_entries(count: u64) -> String {
    let word = if count == 1 { "entry" } else { "entries" };
    format!("{} {word}", grouped(count))
}

/// The report as JSON, for scripts. Its counts are complete, even those that the
/// text omits.
fn as_json(report: &CompileReport) -> Value {
    let by_reason = |reasons: &BTreeMap<Reason, u64>| -> Value {
        reasons.iter().map(|(reason, count)| (reason.name().to_string(), json!(count))).collect()
    };
    let by_feed: serde_json::Map<String, Value> =
        report.by_feed.iter().map(|(feed, reasons)| (feed.clone(), by_reason(reasons))).collect();
    let lists: Vec<Value> = report
        .lists
        .iter()
        .map(|list| {
            json!({
                "list": list.id,
                "effect": list.effect.name(),
                "feeds": list.feeds,
                "entries": list.entries,
                "unreadable": list.unreadable,
                "met": list.met,
            })
        })
        .collect();
    json!({
        "summary": report.summary,
        "bytes": report.size,
        "files": report.files,
        "failed": report.failed,
        "rejected": by_reason(&report.rejected),
        "by_feed": by_feed,
        "lists": lists,
    })
}

/// Formats a count with a kind. Names of kinds have no plural: `3 domain`.
fn plural_kind(count: u64, kind: &str) -> String {
    format!("{} {kind}", grouped(count))
}
