//! `wiresift bench`: judges a rule set, alone or by what it finds in logs and captures.
//!
//! The report is made by the library. This reads what it is judged by, writes it, and holds it
//! against an earlier one: the exit status is 1 if a threshold is met.

use super::database::{self, Chosen};
use super::flags::{Bench as Flags, BenchCommand, BenchFormat, CostOf, Table};
use super::ledgers::Ledgers;
use super::messages::{say, size};
use super::outcome::Outcome;
use super::outputs::{OwnFiles, Written};
use super::progress::Progress;
use super::{bench_diff, ledgers, messages, outputs, validity};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use wiresift::engine::database::Database;
use wiresift::engine::files::Inputs;
use wiresift::engine::indicator::Timestamp;
use wiresift::engine::scan::{Home, Options};
use wiresift::intel::{feed, subscribe};
use wiresift::sensor::bench::{
    self, Bench, CorpusRead, Csv, Judged, Lists, Popular, Question, Report,
};
use wiresift::sensor::input;
use wiresift::sensor::run::{
    self, CostJob, Current, Files, Job, Notice, Notify, Output, Sample, Signals, Surveyed,
};
use wiresift::sensor::sink::{FileSink, Records};
use wiresift::{Error, Result};

/// The longest list that is read into memory.
const MAX_LIST: u64 = 256 << 20;

/// The fewest bytes of logs on which costs are measured without being asked for: on less, the
/// differences between feeds are mostly noise, and the time is better spent otherwise.
const MIN_MEASURED: u64 = 1 << 20;

/// The most groups of which costs are measured without being asked for.
const MAX_MEASURED: usize = 16;

/// Runs `bench`, or one of its subcommands.
pub(super) fn run(flags: Flags) -> Result<Outcome> {
    if let Some(BenchCommand::Diff(flags)) = flags.command {
        return bench_diff::run(&flags);
    }
    let mut flags = flags;
    if flags.csv == Some(Table::Kinds) && flags.cost != Some(CostOf::Kinds) {
        return Err(Error::usage("--csv kinds is the table of what each kind of each group costs")
            .remedy("measure it with --cost=kinds"));
    }
    let at = flags.at.as_deref().map(validity::time).transpose()?.flatten();
    flags.db = database::named(flags.db.as_deref(), flags.config.as_deref())?;
    outputs::refuse(flags.output.as_deref(), &reads(&flags))?;
    ledgers::refuse(flags.output.as_deref(), flags.config.as_deref())?;
    let baseline = flags.baseline.as_deref();
    let baseline =
        baseline.map(|path| bench::read_report(&read(path)?).map_err(|e| e.at_path(path)));
    let baseline = baseline.transpose()?;
    can_compare(&flags, baseline.as_ref())?;
    let inputs = BenchInputs::read(&flags, baseline)?;
    let progress = Progress::new(false);
    let notify = |notice: Notice<'_>| progress.notice(notice);
    let judged = judge(&flags, &inputs, at, &notify);
    progress.finish();
    let (report, outcome) = match judged? {
        Judgement::Report(report, errors) => {
            (report, if errors > 0 { Outcome::Failed } else { Outcome::Yes })
        }
        Judgement::Ended(signal) => return Ok(Outcome::Ended(signal)),
    };
    write(&flags, &report)?;
    let compared = compare(&flags, inputs.baseline.as_ref(), &report)?;
    Ok(if outcome == Outcome::Yes { compared } else { outcome })
}

/// Refuses a comparison before anything is scanned for it.
fn can_compare(flags: &Flags, baseline: Option<&Report>) -> Result<()> {
    if let Some(baseline) = baseline {
        return bench::same_groups(baseline, flags.by.into());
    }
    match flags.fail.iter().find(|threshold| threshold.needs_baseline()) {
        None => Ok(()),
        Some(threshold) => {
            let what = format!("--fail {} needs a former report", threshold.text());
            Err(Error::usage(what).remedy("name one with --baseline"))
        }
    }
}

/// What the command line names besides database and inputs.
struct BenchInputs {
    baseline: Option<Report>,
    popular: Option<Popular>,
    judged: Option<Judged>,
    lists: wiresift::engine::compile::Screen,
    list_names: Vec<String>,
}

impl BenchInputs {
    fn read(flags: &Flags, baseline: Option<Report>) -> Result<BenchInputs> {
        let popular = flags.popular.as_deref();
        let popular = popular.map(|path| Popular::parse(&read(path)?).map_err(|e| e.at_path(path)));
        let popular = popular.transpose()?;
        let judged = flags.verdicts.as_deref();
        let judged = judged.map(|path| Judged::parse(&read(path)?).map_err(|e| e.at_path(path)));
        let judged = judged.transpose()?;
        let counts = [
            (flags.popular.as_deref(), popular.as_ref().map_or(0, |it| it.unreadable)),
            (flags.verdicts.as_deref(), judged.as_ref().map_or(0, |it| it.unreadable)),
        ];
        for (path, count) in counts {
            if let (Some(path), 1..) = (path, count) {
                let path = super::messages::name(path);
                let lines = messages::plural(count, "line");
                say(&format!("wiresift: {path}: {lines} could not be read"));
            }
        }
        let lists = subscribe::open_warning_lists(&flags.warninglists)?;
        let list_names = lists.names();
        Ok(BenchInputs { baseline, popular, judged, lists, list_names })
    }

    /// Judges the set, and what a scan has seen.
    fn judge(
        &self,
        flags: &Flags,
        bench: &Bench<'_>,
        at: Option<Timestamp>,
        seen: Option<(bench::Tally, CorpusRead)>,
    ) -> Report {
        let on = |kind, value: &_| self.lists.lists_of(kind, value);
        let lists = Lists { names: &self.list_names, on: &on };
        let ledgers = Ledgers::of_database(flags.db.as_deref(), flags.config.as_deref());
        let question = Question {
            at,
            ledger: (!ledgers.is_empty()).then_some(&ledgers as &dyn bench::Ledger),
            popular: self.popular.as_ref().map(|popular| (popular, flags.popular_rank)),
            lists: (!flags.warninglists.is_empty()).then_some(lists),
            judged: self.judged.as_ref(),
            prevalence: flags.prevalence,
            ..Question::new(wiresift::clock::now())
        };
        bench.judge(&question, seen)
    }
}

/// What came of a benchmark.
enum Judgement {
    /// The report, and how many inputs failed.
    Report(Box<Report>, u64),
    /// A signal ended it.
    Ended(u8),
}

/// Scans the inputs, if there are any, and judges the set.
fn judge(
    flags: &Flags,
    inputs: &BenchInputs,
    at: Option<Timestamp>,
    notify: Notify<'_>,
) -> Result<Judgement> {
    let Chosen { database, .. } = database::open(flags.db.as_deref(), false, notify)?;
    let current = Current::new(database, None);
    current.with(|database| judge_database(flags, inputs, at, (&current, database), notify))
}

/// The same, of an open database.
fn judge_database(
    flags: &Flags,
    inputs: &BenchInputs,
    at: Option<Timestamp>,
    (current, database): (&Current, &Database),
    notify: Notify<'_>,
) -> Result<Judgement> {
    let bench = Bench::new(database, flags.by.into());
    let groups: Vec<&str> = bench.groups().collect();
    for threshold in &flags.fail {
        threshold.check_group(&groups, inputs.baseline.as_ref())?;
    }
    let signals = Signals::new(true)?;
    let mut measures = Measures::new(flags, groups.len());
    let limit = if measures.of == CostOf::Off { 0 } else { flags.cost_bytes };
    let counts = Surveyed { tally: bench.tally(), sample: Sample::new(limit) };
    let (mut errors, mut seen, mut sample) = (0, None, Sample::default());
    let mut kinds = None;
    let options = options(flags, at, notify)?;
    if !flags.inputs.is_empty() {
        let (read, counts, failed) = survey(flags, (current, &signals), &options, counts, notify)?;
        errors = failed;
        kinds = (measures.of == CostOf::Kinds).then(|| counts.tally.alerts_by_kind());
        seen = Some((counts.tally, read));
        sample = counts.sample;
        measures.weigh(&sample, flags);
    } else if measures.of == CostOf::Kinds {
        kinds = Some(BTreeMap::new());
    }
    if let Some(signal) = signals.number() {
        return Ok(Judgement::Ended(signal));
    }
    let mut report = inputs.judge(flags, &bench, at, seen);
    report.notes.extend(measures.note());
    if measures.of != CostOf::Off {
        let halt = signals.halt();
        let (bench, sample, threads, rounds) = (&bench, &sample, flags.threads, flags.rounds);
        let job = CostJob { bench, sample, options, rounds, kinds, threads, halt };
        if let Some(measured) = run::cost(&job, notify)? {
            bench.fill_cost(&mut report, &measured);
        }
        if let Some(signal) = signals.number() {
            return Ok(Judgement::Ended(signal));
        }
    }
    unless_damaged(database, flags.db.as_deref())?;
    Ok(Judgement::Report(Box::new(report), errors))
}

/// What costs are measured of.
struct Measures {
    of: CostOf,
    is_asked: bool,
    /// Why they are not measured, if nobody asked for that.
    why_not: Option<&'static str>,
}

impl Measures {
    /// What was asked for; else the groups, if there is something to compare.
    fn new(flags: &Flags, groups: usize) -> Measures {
        let by_gate = flags.fail.iter().any(bench::Threshold::needs_cost);
        let asked = flags.cost.or(by_gate.then_some(CostOf::Feeds));
        let why_not = match groups {
            0 | 1 => Some("there is only one group"),
            2..=MAX_MEASURED => None,
            _ => Some("there are more than 16 groups"),
        };
        let has_inputs = !flags.inputs.is_empty();
        let usual = if has_inputs && why_not.is_none() { CostOf::Feeds } else { CostOf::Off };
        let why_not = why_not.filter(|_| asked.is_none() && has_inputs);
        Measures { of: asked.unwrap_or(usual), is_asked: asked.is_some(), why_not }
    }

    /// Leaves them out if there is too little to measure them on.
    fn weigh(&mut self, sample: &Sample, flags: &Flags) {
        let is_small = sample.bytes() < MIN_MEASURED.min(flags.cost_bytes);
        if !self.is_asked && self.of != CostOf::Off && is_small {
            (self.of, self.why_not) = (CostOf::Off, Some("there is less than 1 MiB of logs"));
        }
    }

    fn note(&self) -> Option<String> {
        let why = self.why_not?;
        Some(format!("costs were not measured, because {why}; --cost=feeds measures them"))
    }
}

/// How inputs are scanned.
fn options(flags: &Flags, at: Option<Timestamp>, notify: Notify<'_>) -> Result<Options> {
    Ok(Options::default()
        .at(at)
        .zone(flags.timezone.as_deref().map(run::time_zone).transpose()?)
        .allow(database::allow_lists(&flags.allow, notify)?))
}

/// What a map shows may change under a report; then it is void.
fn unless_damaged(database: &Database, path: Option<&Path>) -> Result<()> {
    database.damage().map_or(Ok(()), |error| {
        Err(match path {
            Some(path) => error.at_path(path),
            None => error,
        })
    })
}

/// Scans the inputs once for all groups.
fn survey(
    flags: &Flags,
    (current, signals): (&Current, &Signals),
    options: &Options,
    counts: Surveyed,
    notify: Notify<'_>,
) -> Result<(CorpusRead, Surveyed, u64)> {
    let expansion = input::expand(flags.inputs.iter().map(|path| -> &OsStr { path.as_os_str() }));
    for error in &expansion.errors {
        notify(Notice::Failed(error));
    }
    outputs::say_empty(&expansion.empty, notify);
    let options = options.clone();
    let encoder = wiresift::engine::alert::Encoder::new(wiresift::engine::alert::Format::Json);
    let output = Output::new(encoder);
    let job = Job { options, threads: flags.threads, ..Job::new(current, output, signals) };
    let home = match &flags.home[..] {
        [] => Home::default(),
        nets => Home::new(nets.iter().copied()),
    };
    let mut targets = expansion.targets;
    // An earlier report is full of indicators, and so is the database.
    let own = OwnFiles::of(flags.output.as_deref(), flags.db.as_deref());
    let written = Written { output: None, is_listing: false };
    let (_, own_errors) = own.leave_out(&mut targets, &flags.inputs, &written, notify)?;
    let files = Files { targets, chunk: 0 };
    let (report, counts) = run::survey(job, files, home, counts, notify)?;
    let read = CorpusRead {
        inputs: report.inputs,
        bytes: report.bytes,
        lines: report.lines,
        flows: report.packets.flows,
        observables: report.counters.seen().map(|(_, count)| count).sum(),
    };
    let errors = report.errors + own_errors + expansion.errors.len() as u64;
    Ok((read, counts, errors))
}

/// The files that the command line names. The output must not be one of them.
fn reads(flags: &Flags) -> Inputs {
    let mut reads = Inputs::default();
    let named = |path: &Option<PathBuf>, what| path.clone().map(|path| (path, what));
    let files = [
        named(&flags.db, "the database"),
        named(&flags.config, "the configuration"),
        named(&flags.baseline, "the baseline"),
        named(&flags.popular, "the popular names"),
        named(&flags.verdicts, "the verdicts"),
    ];
    for (path, what) in files.into_iter().flatten() {
        reads.add(&path, what);
    }
    for (paths, what) in [
        (&flags.inputs, "an input"),
        (&flags.allow, "an allow list"),
        (&flags.warninglists, "a warning list"),
    ] {
        paths.iter().for_each(|path| reads.add(path, what));
    }
    // Lists may be in folders. Those of inputs are looked through later.
    for (paths, what) in [
        (&flags.allow[..], "an allow list"),
        (&flags.warninglists, "a warning list"),
        (flags.db.as_slice(), "a part of the database"),
    ] {
        let folders = paths.iter().filter(|path| path.is_dir());
        for target in input::expand(folders.map(|path| path.as_os_str())).targets {
            if let input::Target::Path(path) = target {
                reads.add(&path, what);
            }
        }
    }
    reads
}

/// Reads a list, which may be compressed, within a limit.
fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io("open", e).at_path(path))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_LIST + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::io("read", e).at_path(path))?;
    if bytes.len() as u64 > MAX_LIST {
        return Err(Error::format(format!("it is longer than {}", size(MAX_LIST))).at_path(path));
    }
    let inflated = feed::inflate(&bytes, MAX_LIST).map_err(|e| e.at_path(path))?;
    if let std::borrow::Cow::Owned(inflated) = inflated {
        return Ok(inflated);
    }
    Ok(bytes)
}

/// Writes the report.
fn write(flags: &Flags, report: &Report) -> Result<()> {
    let text = match (flags.csv, flags.format) {
        (Some(table), _) => bench::csv(report, table.into()),
        (None, BenchFormat::Csv) => bench::csv(report, Csv::Groups),
        (None, BenchFormat::Text) => bench::text(report),
        (None, BenchFormat::Html) => bench::html(report),
        (None, BenchFormat::Json) => format!("{}\n", bench::json(report)?),
    };
    let mut records = Records::default();
    records.frame(|bytes| bytes.extend_from_slice(text.as_bytes()));
    let mut sink = outputs::open(flags.output.as_deref(), false, |path| FileSink::create(path))?;
    sink.write(&records)?;
    sink.flush()
}

/// Prints what became of the thresholds, or what differs if there are none.
fn compare(flags: &Flags, old: Option<&Report>, new: &Report) -> Result<Outcome> {
    // Both have gone through JSON, so that equal numbers are equal.
    let new = &bench::read_report(bench::json(new)?.as_bytes())?;
    if let (Some(old), []) = (old, &flags.fail[..]) {
        let changes = bench::changes(old, new)?;
        let count = messages::plural(changes.len() as u64, "field");
        say(&format!("wiresift: {count} differ from the baseline"));
        changes.iter().for_each(|line| say(&format!("  {line}")));
    }
    let (mut is_met, mut is_unknown) = (false, false);
    for threshold in &flags.fail {
        let check = threshold.check(old, new)?;
        is_met |= check.outcome == bench::Outcome::Met;
        is_unknown |= matches!(check.outcome, bench::Outcome::Unknown(_));
        if check.outcome != bench::Outcome::Fine {
            say(&format!("wiresift: {check}"));
        }
    }
    Ok(match () {
        // What cannot be computed must not look as if it were fine.
        () if is_unknown => Outcome::Failed,
        () if is_met => Outcome::No,
        () => Outcome::Yes,
    })
}
