//! Compiles feeds into a database.

use super::{Notice, Notify};
use crate::engine::compile::{Compiler, Effect, ListReport, Options, Screen};
use crate::engine::database::{Summary, is_database};
use crate::engine::error::{escape_file_name, escape_text, io_text};
use crate::engine::files::{Inputs, Outlet};
use crate::engine::indicator::{Indicator, Reason, Scope, Timestamp, WarningList};
use crate::intel::config::{Config, Subscription};
use crate::intel::feed::{self, Limits, Reject};
use crate::intel::store::{FeedDir, Normal};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A feed to read: a file, a folder, or `-` for standard input.
#[derive(Clone, Debug)]
pub struct FeedInput {
    /// The path.
    pub path: PathBuf,
    /// How to read it.
    pub options: feed::Options,
}

impl FeedInput {
    /// An allow list: a domain also allows its subdomains unless the list says otherwise. Someone
    /// who allows `example.com` means `www.example.com`, too.
    pub fn allow_list(path: &Path) -> Self {
        let domain_scope = Some(Scope::Subtree);
        let options = feed::Options { allow: true, domain_scope, ..feed::Options::default() };
        FeedInput { path: path.to_path_buf(), options }
    }
}

/// Warning lists to check incoming indicators against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListInput {
    /// A list, or a folder of lists. A file named `list.json`, as in MISP's
    /// collection, is named after its folder; any other after itself.
    pub path: PathBuf,
    /// The effect; by default the usual one for each list's name
    /// ([`Effect::of_list`]).
    pub effect: Option<Effect>,
    /// The feeds that it applies to; empty for all.
    pub feeds: Vec<String>,
}

/// What to compile, and where to write it.
#[derive(Debug, Default)]
pub struct CompileJob {
    /// The feeds, including allow lists.
    pub inputs: Vec<FeedInput>,
    /// Subscribed feeds to compile together with them.
    pub subscribed: Option<Subscribed>,
    /// Warning lists. (An allow list is an input whose options say so.)
    pub lists: Vec<ListInput>,
    /// The database to write.
    pub output: PathBuf,
    /// Where to list rejected values.
    pub rejects: Option<PathBuf>,
    /// Compiler settings that go beyond the rules.
    pub options: Options,
    /// The time of the build.
    pub built: Timestamp,
    /// Other files that are read, such as the configuration. Outputs must not
    /// overwrite them.
    pub reads: Vec<PathBuf>,
    /// Whether to replace a file that is not a database.
    pub force: bool,
}

/// The subscribed feeds, as stored.
#[derive(Debug, Default)]
pub struct Subscribed {
    /// Identifies the set, if nothing else is compiled with it.
    pub name: String,
    /// Its feeds, and where they are stored.
    pub feeds: Vec<(Subscription, FeedDir)>,
    /// Its warning lists.
    pub lists: Vec<ListInput>,
    /// Its allow lists.
    pub allow: Vec<FeedInput>,
    /// Whether to write a database without indicators: every feed was read, and all
    /// indicators were withdrawn.
    pub may_be_empty: bool,
}

/// The result of a compilation.
#[derive(Clone, Debug, Default)]
pub struct CompileReport {
    /// What the database contains.
    pub summary: Summary,
    /// Its size in bytes.
    pub size: u64,
    /// The number of files read.
    pub files: u64,
    /// The number of files that could not be read.
    pub failed: u64,
    /// The number of values rejected or changed, by readers and by guards, by
    /// reason.
    pub rejected: BTreeMap<Reason, u64>,
    /// The same, by feed.
    pub by_feed: BTreeMap<String, BTreeMap<Reason, u64>>,
    /// The results of the warning lists.
    pub lists: Vec<ListReport>,
}

/// Reads the feeds and publishes the database.
///
/// A feed that cannot be read is reported through a notice and counted; the others
/// are compiled anyway.
///
/// # Errors
///
/// There are no indicators, an allow list cannot be read, or the database cannot be written. The
/// old database is then kept.
pub fn compile(job: CompileJob, notify: Notify<'_>) -> Result<CompileReport> {
    check_outputs(&job)?;
    let mut report = CompileReport::default();
    let mut lists = Vec::new();
    let of_subscribed = job.subscribed.iter().flat_map(|subscribed| &subscribed.lists);
    for input in job.lists.iter().chain(of_subscribed) {
        read_lists(input, &mut lists)?;
    }
    let mut intake = CompileSink {
        compiler: Compiler::with_screen(job.options, Screen::new(lists)),
        rejects: job.rejects.as_deref().map(Rejects::create).transpose()?,
        rejected: BTreeMap::new(),
        by_feed: BTreeMap::new(),
        path: PathBuf::new(),
        feed: String::new(),
        bytes: 0,
        notify,
        failed: None,
    };
    for input in &job.inputs {
        read_named(input, &mut intake, &mut report)?;
    }
    let mut may_be_empty = false;
    if let Some(subscribed) = &job.subscribed {
        may_be_empty = subscribed.may_be_empty;
        intake.compiler.set_subscribed(subscribed.name.clone());
        for (feed, feed_dir) in &subscribed.feeds {
            read_subscribed(feed, feed_dir, &mut intake, &mut report)?;
        }
        let failed = report.failed;
        for input in &subscribed.allow {
            read_input(input, &mut intake, &mut report, notify);
        }
        // Without its allow list the database would raise false alerts.
        if report.failed > failed {
            return Err(Error::format("an allow list of the configuration cannot be read")
                .remedy("see the message above; the old database was kept"));
        }
    }
    let CompileSink { compiler, rejects, mut rejected, mut by_feed, failed, .. } = intake;
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    if compiler.is_empty() && !may_be_empty {
        return Err(Error::format("there are no indicators; the database was not written")
            .remedy("see the messages above, or list what was rejected with --rejects FILE"));
    }
    for (feed, reasons) in compiler.guarded_by_feed() {
        let of_feed = by_feed.entry(feed.clone()).or_default();
        for (reason, count) in reasons {
            *of_feed.entry(*reason).or_default() += count;
            *rejected.entry(*reason).or_default() += count;
        }
    }
    (report.rejected, report.by_feed) = (rejected, by_feed);
    report.lists = compiler.screen().reports();
    (report.summary, report.size) = compiler.publish_with(&job.output, job.built, &together)?;
    Ok(report)
}

/// Rejects outputs that are also read, and files that are not databases.
fn check_outputs(job: &CompileJob) -> Result<()> {
    let mut reads = Inputs::default();
    let of_subscribed = job.subscribed.iter().flat_map(|subscribed| {
        let lists = subscribed.lists.iter().map(|list| &list.path);
        lists.chain(subscribed.allow.iter().map(|input| &input.path))
    });
    let named = job.inputs.iter().map(|input| &input.path);
    let lists = job.lists.iter().map(|list| &list.path);
    for path in named.chain(lists).chain(of_subscribed) {
        add_files(path, &mut reads);
    }
    for path in &job.reads {
        reads.add(path, "the configuration");
    }
    let place = |path: &Path| Outlet::of(path).map_err(|e| Error::io("open", e).at_path(path));
    let output = place(&job.output)?;
    reads.refuse(&job.output)?;
    if let Some(rejects) = &job.rejects {
        reads.refuse(rejects)?;
        let both = place(rejects)?;
        let is_same = both == output || both.node().is_some() && both.node() == output.node();
        if is_same || is_database(rejects) {
            return Err(Error::usage("the list of rejects would overwrite a database")
                .at_path(rejects)
                .remedy("name another file with --rejects"));
        }
    }
    let Outlet::File(target) = &output else {
        let is_terminal = output == Outlet::Descriptor(1) && std::io::stdout().is_terminal();
        let refused = || {
            Error::usage("refusing to write a database to a terminal").remedy("name a file with -o")
        };
        return if is_terminal { Err(refused()) } else { Ok(()) };
    };
    has_folder(target).map_err(|e| e.at_path(&job.output))?;
    let is_other = std::fs::metadata(target).is_ok_and(|old| old.is_file() && old.len() > 0)
        && !is_database(target);
    if is_other && !job.force {
        return Err(Error::usage(
            "the output exists and is not a wiresift database; it was left unchanged",
        )
        .at_path(&job.output)
        .remedy("name the database to write with -o, or replace the file with --force"));
    }
    Ok(())
}

/// Rejects a file in a folder that does not exist, before anything is read for it.
fn has_folder(target: &Path) -> Result<()> {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            let folder = escape_file_name(folder.as_os_str());
            let why = format!("the folder {folder} does not exist");
            Err(Error::io("write", std::io::Error::new(std::io::ErrorKind::NotFound, why)))
        }
        _ => Ok(()),
    }
}

/// Adds a file, or all files in a folder except databases, which are never feeds.
fn add_files(path: &Path, reads: &mut Inputs) {
    if !path.is_dir() {
        return reads.add(path, "an input");
    }
    for entry in walkdir::WalkDir::new(path).follow_links(true).into_iter().flatten() {
        if !entry.file_type().is_dir() && !is_database(entry.path()) {
            reads.add(entry.path(), "an input");
        }
    }
}

/// Opens warning lists, each a file or a folder of them, to ask what is on them.
///
/// # Errors
///
/// A list cannot be read.
pub fn open_warning_lists(paths: &[PathBuf]) -> Result<Screen> {
    let mut lists = Vec::new();
    for path in paths {
        let (path, effect) = (path.clone(), Some(Effect::Annotate));
        read_lists(&ListInput { path, effect, feeds: Vec::new() }, &mut lists)?;
    }
    Ok(Screen::new(lists))
}

/// Reads warning lists. A list that cannot be read is an error and not skipped:
/// without it the database would raise false alerts.
fn read_lists(
    input: &ListInput,
    lists: &mut Vec<(WarningList, Effect, Vec<String>)>,
) -> Result<()> {
    let files = walkdir::WalkDir::new(&input.path).follow_links(true).sort_by_file_name();
    for entry in files {
        let entry = entry.map_err(|e| {
            let path = e.path().unwrap_or(&input.path).to_path_buf();
            let cause = e.into_io_error();
            let cause =
                cause.unwrap_or_else(|| std::io::Error::other("its symbolic links form a loop"));
            Error::io("read a warning list", cause).at_path(path)
        })?;
        let path = entry.path();
        let name = feed::name_of(path);
        // MISP's repository also contains schemas and documentation.
        let is_list = entry.depth() == 0
            || path.extension().is_some_and(|end| end == "json" || end == "gz") && name != "schema";
        if !entry.file_type().is_file() || !is_list {
            continue;
        }
        let id = match path.parent() {
            Some(folder) if name == "list" && entry.depth() > 0 => feed::name_of(folder),
            _ => name,
        };
        let list = read_list(path, &id).map_err(|e| e.at_path(path))?;
        let effect = input.effect.unwrap_or_else(|| Effect::of_list(&id));
        lists.push((list, effect, input.feeds.clone()));
    }
    Ok(())
}

/// Reads one warning list, within the default size limit of feed files.
fn read_list(path: &Path, id: &str) -> Result<WarningList> {
    let max = Limits::default().max_len;
    let file = File::open(path).map_err(|e| Error::io("open", e))?;
    let mut bytes = Vec::new();
    let read = file.take(max.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|e| Error::io("read", e))?;
    if bytes.len() as u64 > max {
        return Err(Error::format(format!("it is longer than {max} bytes")));
    }
    feed::read_warninglist(&feed::inflate(&bytes, max)?, id)
}

/// Runs two halves of some work on two threads, or on one if no second thread can be started.
fn together(a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send)) {
    let b = Mutex::new(Some(b));
    let second = || {
        let b = b.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(b) = b {
            b();
        }
    };
    std::thread::scope(|scope| {
        // Whichever thread comes first takes a half. If the second cannot be
        // started, the first does both.
        let _ = std::thread::Builder::new().name("compile".into()).spawn_scoped(scope, second);
        a();
        second();
    });
}

/// Reads an input that was named for this compilation. Without its allow list the database would
/// raise false alerts, so one that cannot be read ends the compilation.
fn read_named(
    input: &FeedInput,
    intake: &mut CompileSink<'_>,
    report: &mut CompileReport,
) -> Result<()> {
    let notify = intake.notify;
    if !input.options.allow {
        read_input(input, intake, report, notify);
        return Ok(());
    }
    // A notice only lends its error, so the first one is kept in words.
    let unread = Mutex::new(None);
    let listen = |notice: Notice<'_>| match notice {
        Notice::Failed(error) => {
            let mut unread = unread.lock().unwrap_or_else(PoisonError::into_inner);
            unread.get_or_insert_with(|| unreadable_list(error, "; the database was not written"));
        }
        notice => notify(notice),
    };
    read_input(input, intake, report, &listen);
    match unread.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(()),
        Some(error) => Err(error.at_path(&input.path).remedy(UNREAD_REMEDY)),
    }
}

/// What to do about an allow list of the command line that cannot be read.
const UNREAD_REMEDY: &str = "correct the path, or leave out --allow";

/// The error of an allow list that cannot be read.
pub(super) fn unreadable_list(error: &Error, then: &str) -> Error {
    let why = match error.io_error() {
        Some(error) => io_text(error),
        None => error.message(),
    };
    let unread = Error::format(format!("cannot read the allow list: {why}{then}"));
    match error.path() {
        Some(path) => unread.at_path(path),
        None => unread,
    }
}

/// Reads one input: standard input, a file, or a folder.
fn read_input(
    input: &FeedInput,
    intake: &mut CompileSink<'_>,
    report: &mut CompileReport,
    notify: Notify<'_>,
) {
    let limits = Limits::default();
    if input.path.as_os_str() == "-" {
        intake.path = input.path.clone();
        let mut options = input.options.clone();
        if options.feed.is_empty() {
            options.feed = "stdin".into();
        }
        intake.feed.clone_from(&options.feed);
        report.files += 1;
        let read = feed::read_stream(&mut std::io::stdin().lock(), &options, &limits, intake);
        if let Err(error) = read {
            report.failed += 1;
            notify(Notice::Failed(&error.at_path("-")));
        }
        return;
    }
    for file in feed::open(&input.path, &input.options, &limits, intake) {
        report.files += 1;
        if let Err(error) = file.outcome {
            report.failed += 1;
            notify(Notice::Failed(&error));
        }
    }
}

/// Passes on the stored indicators of a feed.
fn read_subscribed(
    feed: &Subscription,
    feed_dir: &FeedDir,
    intake: &mut CompileSink<'_>,
    report: &mut CompileReport,
) -> Result<()> {
    let name = &feed.name;
    let normal: Normal = feed_dir.accepted().ok_or_else(|| {
        Error::format(format!("the stored data of feed “{name}” cannot be read"))
            .at_path(feed_dir.folder())
            .remedy("fix it with `wiresift feed update`")
    })?;
    intake.path = feed_dir.folder().to_path_buf();
    report.files += normal.segments().len() as u64;
    for (reason, count) in normal.rejects() {
        *intake.rejected.entry(reason).or_default() += count;
        *intake.by_feed.entry(name.to_string()).or_default().entry(reason).or_default() += count;
    }
    normal.each(|indicator| feed::Sink::indicator(intake, indicator, None))?;
    if intake.rejects.is_some() {
        super::settle::each_reject(feed, feed_dir, None, &mut |path, reject| {
            intake.path = path.to_path_buf();
            intake.list(&reject);
        })?;
    }
    (intake.notify)(Notice::Progress { done: intake.bytes });
    Ok(())
}

/// Lists the rejected values of a feed in the form of [`CompileJob::rejects`].
///
/// # Errors
///
/// Nothing was fetched yet, a document cannot be read, or `out` cannot be written.
pub fn list_rejects(
    config: &Config,
    feed: &Subscription,
    feed_dir: &FeedDir,
    out: &mut dyn Write,
) -> Result<()> {
    let failed = |e| Error::io("write the list of rejects", e);
    writeln!(out, "{REJECTS}").map_err(failed)?;
    let mut outcome = Ok(());
    let options = Options::default().wide(config.allow_wide).suffixes(config.allow_suffix);
    super::settle::each_reject(feed, feed_dir, Some(&options), &mut |path, reject| {
        let line = reject_line(path, &reject);
        if outcome.is_ok() {
            outcome = writeln!(out, "{line}").map_err(failed);
        }
    })?;
    outcome?;
    out.flush().map_err(failed)
}

/// The heading of the list of rejects.
const REJECTS: &str = "#path\tline\tvalue\treason\tdetail\tremedy";

/// Formats a line of the list of rejects.
fn reject_line(path: &Path, reject: &Reject) -> String {
    let Reject { line, value, reason, detail } = reject;
    let line = line.map_or("-".to_string(), |line| line.to_string());
    format!(
        "{}\t{line}\t{}\t{reason}\t{}\t{}",
        escape_file_name(path.as_os_str()),
        escape_text(value),
        escape_text(detail.as_deref().unwrap_or("-")),
        reason.remedy()
    )
}

/// Receives what the readers of feeds produce.
struct CompileSink<'n> {
    compiler: Compiler,
    rejects: Option<Rejects>,
    rejected: BTreeMap<Reason, u64>,
    by_feed: BTreeMap<String, BTreeMap<Reason, u64>>,
    path: PathBuf,
    /// The feed being read.
    feed: String,
    bytes: u64,
    notify: Notify<'n>,
    failed: Option<Error>,
}

impl CompileSink<'_> {
    /// Lists a rejected value, if a list was requested.
    fn list(&mut self, reject: &Reject) {
        if let Some(rejects) = &mut self.rejects
            && let Err(error) = rejects.push(&self.path, reject)
        {
            self.failed.get_or_insert(error);
        }
    }
}

impl feed::Sink for CompileSink<'_> {
    fn indicator(&mut self, indicator: Indicator, line: Option<u64>) {
        // Cloned only if a list of rejects was requested.
        let value = self.rejects.is_some().then(|| indicator.value.clone());
        if let Some(reason) = self.compiler.add(indicator)
            && let Some(value) = value
        {
            self.list(&Reject { line, value: value.to_string(), reason, detail: None });
        }
    }

    fn reject(&mut self, reject: Reject) {
        *self.rejected.entry(reject.reason).or_default() += 1;
        let of_feed = self.by_feed.entry(self.feed.clone()).or_default();
        *of_feed.entry(reject.reason).or_default() += 1;
        self.compiler.refuse(&reject.value, reject.reason, &self.feed);
        self.list(&reject);
    }

    fn passed_over(&mut self, folder: &Path, names: &[String]) {
        const MAX_SHOWN: usize = 6;
        let shown = names.iter().take(MAX_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = if names.len() > MAX_SHOWN { ", …" } else { "" };
        let what = format!(
            "{}: skipped {}: {}{more}",
            escape_file_name(folder.as_os_str()),
            match names.len() {
                1 => "a file that is not a feed".into(),
                count => format!("{count} files that are not feeds"),
            },
            escape_text(&shown),
        );
        (self.notify)(Notice::Skipped(&what));
    }

    fn file(&mut self, path: &Path, feed: &str) {
        self.path = path.to_path_buf();
        self.feed = feed.to_string();
        (self.notify)(Notice::Progress { done: self.bytes });
        self.bytes += std::fs::metadata(path).map_or(0, |m| m.len());
    }
}

/// The file of rejects: `path, line, value, reason, detail, remedy`, separated by
/// tabs.
struct Rejects {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Rejects {
    /// Creates the list and writes its heading.
    fn create(path: &Path) -> Result<Self> {
        let file = Outlet::of(path)
            .and_then(|outlet| outlet.create())
            .map_err(|e| Error::io("write the list of rejects", e).at_path(path))?;
        let mut out = BufWriter::new(file);
        writeln!(out, "{REJECTS}")
            .map_err(|e| Error::io("write the list of rejects", e).at_path(path))?;
        Ok(Rejects { path: path.to_path_buf(), out })
    }

    /// Appends a line.
    fn push(&mut self, path: &Path, reject: &Reject) -> Result<()> {
        let line = reject_line(path, reject);
        writeln!(self.out, "{line}")
            .map_err(|e| Error::io("write the list of rejects", e).at_path(&self.path))
    }

    /// Writes what is buffered; an error here means that the list is incomplete.
    fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|e| Error::io("write the list of rejects", e).at_path(&self.path))
    }
}
