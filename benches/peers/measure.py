#!/usr/bin/env python3
"""Runs wiresift and its peers in turn, checks that their hits agree, and holds the
figures against the bars. Called by run.sh; Python 3.11, standard library only.

Every measured command runs warm: once unmeasured, then --runs times, the tools of a
comparison one after the other in each round, so that a busy spell of the machine
meets all of them. Medians of wall time count; processor time is kept beside them.

What it leaves in --out (target/peers):
  results.tsv   every measurement, one a row
  bars.tsv      every bar with its figure, what was measured, the verdict, the date
  table.md      the same as a table
A run with --only replaces the rows of its bars and keeps the others.
"""

import argparse
import collections
import csv
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20
LOGS = ("zeek_json", "zeek_tsv", "syslog_mix")
SIZES = {10_000: "feed_10k", 100_000: "feed_100k", 1_000_000: "feed_1m", 10_000_000: "feed_10m"}
# In none of the corpora; run() checks that.
ABSENT = "XJKQ_no_line_has_this_JQXW"
# Ends the name of a tool that was given an empty log: what starting and opening cost.
EMPTY = " (empty)"
# The column of results.tsv with the rate.
RATE = 11
# Values of a round of the look-up bench (benches/lookup.rs).
QUERIES = 1024


# ---------------------------------------------------------------- running things
@dataclass
class Run:
    """One run of one command."""

    seconds: float
    cpu: float
    rss: int  # bytes, the process's own peak
    status: int


@dataclass
class Tool:
    """A command, where its standard output goes, and which exit statuses are well."""

    name: str
    command: list
    output: Path | None = None
    well: tuple = (0,)
    threads: int = 1
    label: str = ""  # what results.tsv calls it, if its name tells more
    indicators: int = 0  # of its feed, where the tools of a comparison differ in it
    env: dict = field(default_factory=dict)
    before: object = None  # called before each run, unmeasured


def run(tool):
    if tool.before:
        tool.before()
    with open(tool.output or os.devnull, "wb") as out, open(os.devnull, "rb") as none:
        env = {**os.environ, **tool.env}
        start = time.perf_counter()
        child = subprocess.Popen(
            [str(word) for word in tool.command], stdin=none, stdout=out,
            stderr=subprocess.PIPE, env=env,
        )
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = status = os.waitstatus_to_exitcode(status)
        child.stderr.close()
    if status not in tool.well:
        raise Failed(f"{tool.name}: exit status {status}: {said.decode(errors='replace')[-400:]}")
    rss = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(seconds, usage.ru_utime + usage.ru_stime, rss, status)


class Failed(Exception):
    """A command did not do what it should."""


class Lab:
    """The options, and everything that was measured."""

    def __init__(self, options):
        self.options = options
        self.out = Path(options.out)
        self.corpora = Path(options.corpora)
        self.databases = self.out / "db"
        self.databases.mkdir(parents=True, exist_ok=True)
        self.date = datetime.date.today().isoformat()
        self.results = []
        self.bars = []
        self.absent = {}  # bars that could not be measured, and why
        self.cores = os.cpu_count() or 1

    # ------------------------------------------------------------ measuring
    def turns(self, bench, tools, *, corpus="", indicators=0, size=0, runs=None):
        """Runs the tools in turn; their medians by name."""
        runs = runs or self.options.runs
        for tool in tools:
            run(tool)
        done = {tool.name: [] for tool in tools}
        for _ in range(runs):
            for tool in tools:
                done[tool.name].append(run(tool))
        medians = {}
        for tool in tools:
            name, of = tool.name, done[tool.name]
            seconds = [one.seconds for one in of]
            median, cpu = statistics.median(seconds), statistics.median(one.cpu for one in of)
            medians[name] = median
            rate = f"{size / median / 1e6:.1f}" if size and not name.endswith(EMPTY) else ""
            self.results.append([
                self.date, bench, tool.label or name, corpus, tool.indicators or indicators,
                tool.threads, size, runs,
                f"{median:.6f}", f"{min(seconds):.6f}", f"{max(seconds):.6f}", rate,
                f"{cpu:.6f}", max(one.rss for one in of),
            ])
            note(f"  {bench:10} {corpus:22} {name:20} {median * 1000:10.1f} ms "
                 f"(cpu {cpu * 1000:.1f})"
                 + (f"  {rate:>8} MB/s" if rate else ""))
        return medians

    def bar(self, key, what, figure, measured, met):
        """A bar's verdict; None means that it could not be measured here."""
        verdict = "not measured" if met is None else "met" if met else "MISSED"
        self.bars.append([self.date, key, what, figure, measured, verdict])
        note(f"{verdict:12} {what}: {measured} (bar: {figure})")

    # ------------------------------------------------------------ commands
    def scan(self, database, *inputs, threads=1, name="wiresift", output=None):
        output = output or self.out / f"{name}.alerts"
        command = [self.options.wiresift, "scan", "--db", database, "-j", threads,
                   "--format", "json", "-o", output, *inputs]
        return Tool(name, command, well=(0, 1), threads=threads)

    def match(self, database, log, name="matchy"):
        command = [self.options.matchy, "match", "-j", "1", database, log]
        return Tool(name, command, output=self.out / f"{name}.alerts")

    def empty(self, tool, log):
        """The same command with an empty log."""
        nothing = self.out / "empty.log"
        nothing.touch()
        command = [nothing if word == log else word for word in tool.command]
        command = [self.out / "empty.alerts" if word == self.out / f"{tool.name}.alerts" else word for word in command]
        output = tool.output and self.out / "empty.alerts"
        return Tool(tool.name + EMPTY, command, output=output, well=(0, 1), threads=tool.threads, env=tool.env)

    def rg(self, log):
        command = [self.options.rg, "--no-config", "-j", "1", "-c", "-F", ABSENT, log]
        return Tool("rg", command, well=(1,))

    def compile(self, source, target):
        return Tool("wiresift", [self.options.wiresift, "compile", "-q", "-o", target, source])

    def build(self, source, target):
        flags = os.environ.get("MATCHY_BUILD", "-i").split()
        command = [self.options.matchy, "build", *flags, "-f", "csv", "-o", target, source]
        return Tool("matchy", command)

    # ------------------------------------------------------------ inputs
    def log(self, name):
        return self.needed(self.corpora / f"{name}.log")

    def feed(self, name):
        return self.needed(self.corpora / f"{name}.csv")

    def needed(self, path):
        if not path.exists():
            raise Missing(f"{path} is not there")
        return path

    def wiresift_db(self, source):
        target = self.databases / f"{source.stem}.wsdb"
        if older(target, source, self.options.wiresift):
            note(f"compiling {target}")
            run(self.compile(source, target))
        return target

    def matchy_db(self, source):
        table = self.matchy_table(source)
        target = self.databases / f"{source.stem}.mxy"
        if older(target, table, self.options.matchy):
            note(f"building {target}")
            run(self.build(table, target))
        return target

    def matchy_table(self, source):
        """The same rows as matchy wants them: a column `entry`; what has a character
        of its glob patterns (the query of a URL) is marked as literal."""
        target = self.databases / f"{source.stem}.matchy.csv"
        if older(target, source):
            with open(source, newline="") as rows, open(target, "w", newline="") as out:
                rows, out = csv.reader(rows), csv.writer(out, lineterminator="\n")
                head = [name.strip().lower() for name in next(rows)]
                place = next((head.index(n) for n in ("indicator", "entry", "key", "value") if n in head), 0)
                head[place] = "entry"
                out.writerow(head)
                for row in rows:
                    if any(c in row[place] for c in "*?["):
                        row[place] = "literal:" + row[place]
                    out.writerow(row)
        return target

    # ------------------------------------------------------------ keeping
    def keep(self):
        head = ["date", "bench", "tool", "corpus", "indicators", "threads", "bytes", "runs", "median_s",
                "min_s", "max_s", "mb_per_s", "cpu_s", "max_rss_bytes"]
        merge(self.out / "results.tsv", head, self.results, 1)
        bars = merge(self.out / "bars.tsv", ["date", "bar", "what", "figure", "measured", "verdict"],
                     self.bars, 1)
        table = ["| bar | figure | measured | verdict | on |", "| --- | --- | --- | --- | --- |"]
        for key in BARS:
            there = [row for row in bars if row[1] == key]
            table += [f"| {what} | {figure} | {measured} | {verdict} | {date} |"
                      for date, _, what, figure, measured, verdict in there]
            if not there:
                table.append(f"| `{key}` |  | {self.absent.get(key, 'not asked for')} | not measured |  |")
        text = "\n".join([*self.machine(), "", *table]) + "\n"
        (self.out / "table.md").write_text(text)
        print(text, end="")

    def machine(self):
        def first(*command):
            try:
                said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            except OSError:
                return "absent"
            return (said.splitlines() or ["absent"])[0]
        return [
            f"machine: {processor()}, {self.cores} cores, {platform.system()} {platform.release()}",
            f"tools: {first(self.options.wiresift, '--version')}, {first(self.options.matchy, '--version')}, "
            f"{first(self.options.rg, '--version')}, {first('rustc', '--version')}",
        ]


class Missing(Exception):
    """Something that a bar needs is not there."""


def note(text):
    print(text, file=sys.stderr, flush=True)


def older(target, *sources):
    """Whether a file is missing or older than what it is made from."""
    if not target.exists():
        return True
    made = target.stat().st_mtime
    return any(os.stat(source).st_mtime > made for source in sources)


def merge(path, head, rows, key):
    """Writes rows; those of the file with other keys stay."""
    new = {row[key] for row in rows}
    old = []
    if path.exists():
        lines = path.read_text().splitlines()[1:]
        old = [row for row in (line.split("\t") for line in lines) if len(row) == len(head) and row[key] not in new]
    rows = old + [[str(cell) for cell in row] for row in rows]
    path.write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    return rows


def is_busy():
    """Whether others use more than a tenth of the processors, in a second of our rest."""
    def ticks():
        with open("/proc/stat") as lines:
            numbers = [int(number) for number in lines.readline().split()[1:9]]
        return sum(numbers), numbers[3] + numbers[4]
    try:
        (all_before, idle_before), _ = ticks(), time.sleep(1)
        all_now, idle_now = ticks()
    except OSError:
        return False
    return idle_now - idle_before < 0.9 * (all_now - all_before)


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


# ---------------------------------------------------------------- hits
def wiresift_hits(path):
    """(line, indicator) of every record, and how often each."""
    hits = collections.Counter()
    with open(path, encoding="utf8") as records:
        for record in records:
            record = json.loads(record)
            for indicator in record["indicators"]:
                # A feed that lists a URL with both schemes: the other one meets, too, and
                # says so. The generator counts the one that it planted.
                if "scheme_differs" in indicator.get("quality", []) and len(record["indicators"]) > 1:
                    continue
                hits[record["log"]["line"], indicator["value"]] += 1
    return hits


def planted_hits(log):
    """Rows of FILE.hits.tsv: line, kind, observed value, indicator."""
    path = Path(f"{log}.hits.tsv")
    if not path.exists():
        return None
    with open(path, encoding="utf8") as rows:
        return [(int(line), kind, observed, indicator)
                for line, kind, observed, indicator in (row.rstrip("\n").split("\t") for row in rows)]


def check_wiresift(log, alerts, exact=True):
    """wiresift must find every planted hit on its line and, unless the feed holds
    more than was planted, nothing else. How many there are, in words."""
    planted, found = planted_hits(log), wiresift_hits(alerts)
    if planted is None:
        return f"{sum(found.values())} hits (no list to hold them against)"
    wanted = collections.Counter((line, indicator) for line, _, _, indicator in planted)
    missing, beyond = wanted - found, found - wanted
    if missing or (exact and beyond):
        show = [f"missing {hit}" for hit in list(missing)[:5]] + [f"beyond {hit}" for hit in list(beyond)[:5]]
        raise Failed(f"{log}: {sum(missing.values())} planted hits are missing, "
                     f"{sum(beyond.values())} are beyond: {'; '.join(show)}")
    more = f", {sum(beyond.values())} more of the feed's own" if beyond else ""
    return f"{sum(wanted.values())} of {sum(wanted.values())} planted hits, line and indicator{more}"


WHY = {
    "domain": "it takes no name with a last label in capitals",
    "url": "it extracts no URLs",
    "subdomain": "a domain in it matches only itself",
}


def explain_matchy(log, alerts):
    """matchy names neither line nor indicator: what it matched, against what was planted."""
    found = collections.Counter()
    with open(alerts, encoding="utf8") as records:
        for record in records:
            found[json.loads(record)["matched_text"].lower()] += 1
    total, planted = sum(found.values()), planted_hits(log)
    if planted is None:
        return f"matchy {total} matches"
    by_kind = collections.defaultdict(lambda: [0, 0])
    for _, kind, observed, _ in planted:
        by_kind[kind][1] += 1
        if found[observed.lower()] > 0:
            found[observed.lower()] -= 1
            by_kind[kind][0] += 1
    parts = []
    for kind, (got, of) in sorted(by_kind.items()):
        why = f" ({WHY[kind]})" if got < of and kind in WHY else ""
        parts.append(f"{kind} {got}/{of}{why}")
    beyond = sum(found.values())
    return f"matchy {total} matches: {', '.join(parts)}" + (f"; {beyond} beyond" if beyond else "")


# ---------------------------------------------------------------- the bars
def bar_matchy(lab):
    """The nearest peer, the same database content, the same run."""
    feeds = [("1 M", lab.feed("feed_1m"), True)]
    if (lab.corpora / "unified.csv").exists():
        feeds.append(("unified", lab.corpora / "unified.csv", False))
    for label, feed, exact in feeds:
        ours, theirs = lab.wiresift_db(feed), lab.matchy_db(feed)
        parts, ratios = [], []
        for name in LOGS:
            log = lab.log(name)
            size = log.stat().st_size
            tools = [lab.scan(ours, log), lab.match(theirs, log)]
            tools += [lab.empty(tool, log) for tool in tools]
            medians = lab.turns("matchy", tools, corpus=name, indicators=rows_of(feed), size=size)
            note(f"    {check_wiresift(log, lab.out / 'wiresift.alerts', exact)}")
            note(f"    {explain_matchy(log, lab.out / 'matchy.alerts')}")
            ratio = medians["matchy"] / medians["wiresift"]
            ratios.append(ratio)
            parts.append(f"{name} {ratio:.1f}× ({size / medians['wiresift'] / 1e6:.0f} against "
                         f"{size / medians['matchy'] / 1e6:.0f} MB/s)")
        lab.bar("matchy", f"against `matchy match -j 1`, {label} indicators", "≥ 15× on each log",
                ", ".join(parts), min(ratios) >= 15)


def bar_reading(lab):
    """The reading limit: rg looking for one literal that is not there."""
    log = lab.log("zeek_json")
    size = log.stat().st_size
    ours = lab.wiresift_db(lab.feed("feed_1m"))
    medians = lab.turns("reading", [lab.scan(ours, log), lab.rg(log)], corpus="zeek_json",
                        indicators=1_000_000, size=size)
    ratio = medians["rg"] / medians["wiresift"]
    lab.bar("reading", "against `rg -c` of one absent literal, JSON", "≥ 0.35×",
            f"{ratio:.2f}× ({size / medians['wiresift'] / 1e6:.0f} against "
            f"{size / medians['rg'] / 1e6:.0f} MB/s)", ratio >= 0.35)


def bar_threads(lab):
    """Two threads against one, and the same hits from both."""
    what, figure = "two threads against one", "≥ 1.85×"
    if lab.cores < 2:
        return lab.bar("threads", what, figure, "one core only", None)
    ours = lab.wiresift_db(lab.feed("feed_1m"))
    parts, ratios = [], []
    for name in LOGS:
        log = lab.log(name)
        size = log.stat().st_size
        tools = [lab.scan(ours, log, name="one"), lab.scan(ours, log, threads=2, name="two")]
        medians = lab.turns("threads", tools, corpus=name, indicators=1_000_000, size=size)
        if (lab.out / "one.alerts").read_bytes() != (lab.out / "two.alerts").read_bytes():
            # The time of reading stands in records whose line has no time of its own.
            if wiresift_hits(lab.out / "one.alerts") != wiresift_hits(lab.out / "two.alerts"):
                raise Failed(f"{log}: two threads find other hits than one")
        ratios.append(medians["one"] / medians["two"])
        parts.append(f"{name} {ratios[-1]:.2f}×")
    lab.bar("threads", what, figure, ", ".join(parts), min(ratios) >= 1.85)


def bar_scale(lab):
    """The number of indicators must not matter; on JSON with the peers, for the plot."""
    sizes = [size for size in lab.options.sizes if (lab.corpora / f"{feed_name(size)}.csv").exists()]
    if len(sizes) < 2:
        raise Missing("fewer than two feeds are there")
    rates, opening = collections.defaultdict(dict), {}
    feeds = {size: lab.feed(feed_name(size)) for size in sizes}
    for name in LOGS:
        log = lab.log(name)
        bytes_ = log.stat().st_size
        # All sizes in each round, or a busy spell would look like a fall.
        tools = []
        for size, feed in feeds.items():
            of_size = [lab.scan(lab.wiresift_db(feed), log, name=f"wiresift {short(size)}")]
            if name == "zeek_json":
                of_size += [lab.empty(of_size[0], log), *peers(lab, feed, log, short(size))]
            for tool in of_size:
                tool.indicators, tool.label = size, tool.name.replace(f" {short(size)}", "")
            tools += of_size
        medians = lab.turns("scale", tools, corpus=name, size=bytes_)
        for size in sizes:
            ours = f"wiresift {short(size)}"
            check_wiresift(log, lab.out / f"{ours}.alerts")
            rates[name][size] = bytes_ / medians[ours] / 1e6
            opening[size] = medians.get(ours + EMPTY, opening.get(size, 0.0))
    fall = {name: 1 - of[sizes[-1]] / of[sizes[0]] for name, of in rates.items()}
    parts = [f"{name} {' → '.join(f'{of[s]:.0f}' for s in sizes)} MB/s ({-100 * fall[name]:+.1f}%)"
             for name, of in rates.items()]
    parts.append(f"opening {' → '.join(f'{1000 * opening[s]:.0f}' for s in sizes)} ms of it")
    complete = sizes[-1] >= 10_000_000
    lab.bar("scale", f"{' → '.join(short(s) for s in sizes)} indicators", "falls by less than 15%",
            ", ".join(parts), max(fall.values()) < 0.15 if complete else None)
    if lab.options.grep:
        slow_peers(lab, sizes)


def peers(lab, feed, log, size):
    """matchy with this feed, if it can build it, and rg, which has no feed."""
    tools = [lab.rg(log)]
    tools[0].name = f"rg {size}"
    try:
        tools.append(lab.match(lab.matchy_db(feed), log, name=f"matchy {size}"))
    except Failed as error:
        note(f"  no matchy at this size: {error}")
    return tools


def slow_peers(lab, sizes):
    """grep and rg with the values as fixed strings, on a tenth of the log. Reading the
    strings takes them longer than the log does; their rate is that of the log alone."""
    log = lab.out / "tenth.log"
    with open(lab.log("zeek_json"), "rb") as whole, open(log, "wb") as part:
        part.write(whole.read(os.path.getsize(whole.name) // 10))
    size = log.stat().st_size
    rg = [lab.options.rg, "--no-config", "-j", "1"]
    for indicators in (indicators for indicators in sizes if indicators <= 1_000_000):
        values = lab.needed(lab.corpora / f"{feed_name(indicators)}.txt")
        for name, command in (("grep -F -f", ["grep"]), ("rg -F -f", rg)):
            tool = Tool(name, [*command, "-c", "-F", "-f", values, log], well=(0, 1), env={"LC_ALL": "C"})
            try:
                medians = lab.turns("scale", [tool, lab.empty(tool, log)], corpus="zeek_json",
                                    indicators=indicators, size=size, runs=1)
            except Failed as error:
                note(f"  {error}")
                continue
            alone = medians[name] - medians[name + EMPTY]
            row = next(row for row in reversed(lab.results) if row[2] == name)
            row[RATE] = f"{size / alone / 1e6:.1f}" if alone > 0 else ""
            note(f"  scale      {indicators} {name}: {row[RATE]} MB/s without reading the strings")


def bar_density(lab):
    """Many hits against few, the alerts written as JSON to a file."""
    ours = lab.wiresift_db(lab.feed("feed_1m"))
    rates = {}
    thin, dense = lab.log("zeek_json"), lab.log("zeek_json_dense")
    tools = [lab.scan(ours, thin, name="1 in 10,000"), lab.scan(ours, dense, name="1 in 100")]
    medians = lab.turns("density", tools, corpus="zeek_json", indicators=1_000_000, size=thin.stat().st_size)
    for log, tool in ((thin, "1 in 10,000"), (dense, "1 in 100")):
        note(f"    {check_wiresift(log, lab.out / f'{tool}.alerts')}")
        rates[tool] = log.stat().st_size / medians[tool] / 1e6
    fall = 1 - rates["1 in 100"] / rates["1 in 10,000"]
    lab.bar("density", "a hit in 100 lines against one in 10,000", "falls by less than 25%",
            f"{rates['1 in 10,000']:.0f} → {rates['1 in 100']:.0f} MB/s ({-100 * fall:+.1f}%)", fall < 0.25)


def bar_packed(lab):
    """Many compressed files by all threads, against as many decompressors at once."""
    ours = lab.wiresift_db(lab.feed("feed_1m"))
    parts, worst = [], 0.0
    for suffix, pack, unpack in (("gz", ["gzip", "-6"], ["gzip", "-dc"]), ("zst", ["zstd", "-q", "-3"], ["zstd", "-q", "-dc"])):
        if not shutil.which(pack[0]):
            parts.append(f"{suffix}: no {pack[0]} here")
            worst = float("inf") if not worst else worst
            continue
        files = packed(lab, suffix, pack)
        size = sum(path.stat().st_size for path in files)
        several = ["xargs", "-a", file_list(lab, files), "-n", "1", "-P", lab.cores, *unpack]
        tools = [lab.scan(ours, *files, threads=lab.cores), Tool(unpack[0], several, threads=lab.cores)]
        medians = lab.turns("packed", tools, corpus=f"zeek_json.{suffix}", indicators=1_000_000,
                            size=size)
        ratio = medians["wiresift"] / medians[unpack[0]]
        worst = max(worst, ratio)
        parts.append(f"{suffix} {ratio:.2f}× the time of {unpack[0]}")
    met = None if worst == float("inf") else worst <= 1.10
    lab.bar("packed", "gz and zst, many files, all threads", "≤ 1.10× the decompressor's time",
            ", ".join(parts), met)


def packed(lab, suffix, pack, pieces=16):
    """The JSON log in compressed pieces of whole lines."""
    folder = lab.out / "packed"
    folder.mkdir(exist_ok=True)
    log = lab.log("zeek_json")
    files = [folder / f"{number:02}.log.{suffix}" for number in range(pieces)]
    if any(older(path, log) for path in files):
        note(f"packing {log} into {pieces} pieces ({suffix})")
        with open(log, "rb") as lines:
            share = log.stat().st_size // pieces + 1
            for path in files:
                text = lines.read(share) + lines.readline()
                path.write_bytes(subprocess.run([*pack, "-c"], input=text, stdout=subprocess.PIPE, check=True).stdout)
    return files


def file_list(lab, files):
    path = lab.out / "packed" / "list"
    path.write_text("".join(f"{file}\n" for file in files))
    return path


def bar_memory(lab):
    """Resident pages but those of the database, sampled while the scan runs."""
    what, figure = "resident while scanning, without the mapped database", "≤ 64 MiB + 8 MiB a thread"
    if not Path("/proc/self/smaps").exists():
        return lab.bar("memory", what, figure, "needs /proc/PID/smaps", None)
    ours = lab.wiresift_db(lab.feed("feed_1m"))
    log = lab.log("zeek_json")
    line = lab.out / "one_line.log"
    if older(line, log):
        line.write_bytes(log.read_bytes().replace(b"\n", b" "))
    whole = lab.out / "whole.log.gz"
    if older(whole, log):
        with open(whole, "wb") as out:
            subprocess.run(["gzip", "-1", "-c", log], stdout=out, check=True)
    inputs = {"JSON": [log], "a hit in 100 lines": [lab.log("zeek_json_dense")],
              "one endless line": [line], "gz": [whole]}
    parts, met = [], True
    for threads in sorted({1, min(2, lab.cores)}):
        worst, where = 0, ""
        for name, files in inputs.items():
            peak = max(resident(lab.scan(ours, *files, threads=threads), ours) for _ in range(3))
            note(f"  memory     {name:22} -j {threads}  {peak / MIB:.1f} MiB")
            if peak > worst:
                worst, where = peak, name
        met = met and worst <= (64 + 8 * threads) * MIB
        parts.append(f"{threads} thread{'s' if threads > 1 else ''} {worst / MIB:.0f} MiB ({where})")
    lab.bar("memory", what, figure, ", ".join(parts), met)


def resident(tool, database):
    """Peak of the resident pages that are not the database's."""
    database = str(Path(database).resolve())
    child = subprocess.Popen([str(word) for word in tool.command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()
    def wait():
        child.wait()
        done.set()
    waiter = threading.Thread(target=wait)
    waiter.start()
    while not done.is_set():
        peak = max(peak, resident_now(child.pid, database))
        done.wait(0.002)
    waiter.join()
    if child.returncode not in tool.well:
        raise Failed(f"{tool.name}: exit status {child.returncode}")
    return peak


def resident_now(pid, database):
    total, counts = 0, True
    try:
        with open(f"/proc/{pid}/smaps") as lines:
            for line in lines:
                if line.startswith("Rss:"):
                    total += int(line.split()[1]) * 1024 if counts else 0
                elif "-" in line.split(" ", 1)[0]:
                    counts = not line.rstrip("\n").endswith(database)
    except OSError:
        pass
    return total


def bar_compile(lab):
    """The big feed from text to a database, against `matchy build`."""
    feed = lab.feed("unified")
    table = lab.matchy_table(feed)
    tools = [lab.compile(feed, lab.out / "compiled.wsdb"), lab.build(table, lab.out / "built.mxy")]
    medians = lab.turns("compile", tools, corpus="unified", indicators=rows_of(feed), size=feed.stat().st_size)
    met = medians["wiresift"] <= 1.2 and medians["wiresift"] < medians["matchy"]
    lab.bar("compile", f"compile {rows_of(feed):,} indicators (unified) from text",
            "≤ 1.2 s and faster than `matchy build`",
            f"{medians['wiresift']:.2f} s; matchy {medians['matchy']:.2f} s", met)


def bar_compile10m(lab):
    """Value and kind alone, so that all share one context."""
    feed = two_columns(lab, lab.feed("feed_10m"))
    target = lab.out / "compiled.wsdb"
    medians = lab.turns("compile10m", [lab.compile(feed, target)], corpus="feed_10m", indicators=10_000_000,
                        size=feed.stat().st_size, runs=min(3, lab.options.runs))
    rss, rate = lab.results[-1][-1], target.stat().st_size / rows_of(feed)
    met = medians["wiresift"] <= 15 and rss <= 2 << 30 and rate <= 60
    lab.bar("compile10m", "compile 10 million mixed indicators, one shared context",
            "≤ 15 s, ≤ 2 GiB resident, ≤ 60 bytes an indicator",
            f"{medians['wiresift']:.1f} s, {rss / (1 << 30):.2f} GiB, {rate:.1f} bytes", met)


def two_columns(lab, source):
    target = lab.databases / f"{source.stem}.two.csv"
    if older(target, source):
        with open(source, newline="") as rows, open(target, "w", newline="") as out:
            out = csv.writer(out, lineterminator="\n")
            out.writerows(row[:2] for row in csv.reader(rows))
    return target


def bar_open(lab):
    """A look-up of one value in a process of its own, less the start of the process."""
    ours = lab.wiresift_db(lab.feed("feed_10m"))
    cache = lab.out / "cache"
    def forget():
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()
    env = {"XDG_CACHE_HOME": str(cache.resolve())}
    lookup = [lab.options.wiresift, "lookup", "--db", ours]
    tools = [
        Tool("start", [lab.options.wiresift, "--version"]),
        Tool("verified now", [*lookup, "192.0.2.1"], well=(1,), env=env, before=forget),
        # The run before has left what it verified in the cache, if there is one.
        Tool("verified before", [*lookup, *lab.options.open_flags.split(), "192.0.2.1"], well=(1,), env=env),
    ]
    medians = lab.turns("open", tools, corpus="feed_10m", indicators=10_000_000, runs=max(15, lab.options.runs))
    now = (medians["verified now"] - medians["start"]) * 1000
    before = (medians["verified before"] - medians["start"]) * 1000
    lab.bar("open", "open 10 million: verified now; verified before", "≤ 150 ms; ≤ 1 ms",
            f"{now:.0f} ms; {before:.2f} ms", now <= 150 and before <= 1)


def bar_lookup(lab):
    """From what criterion left of `cargo bench --bench lookup`."""
    folder = Path(lab.options.criterion) / "lookup"
    def nanoseconds(name):
        path = folder / name / "new" / "estimates.json"
        if not path.exists():
            raise Missing("no criterion results: cargo bench --bench lookup")
        estimates = json.loads(path.read_text())
        return estimates["median"]["point_estimate"] / QUERIES
    misses = {"ipv4": 2, "domain": 12, "sha256": 5}
    found = {kind: nanoseconds(f"{kind}_miss") for kind in misses}
    lab.bar("lookup", "look-up miss, in cache", "IPv4 ≤ 2 ns, domain ≤ 12 ns, hash ≤ 5 ns",
            ", ".join(f"{kind} {ns:.1f} ns" for kind, ns in found.items()),
            all(ns <= misses[kind] for kind, ns in found.items()))
    hits = {kind: nanoseconds(f"{kind}_hit") for kind in ("ipv4", "domain", "sha256", "url", "email")}
    lab.bar("lookup", "look-up hit with all context", "≤ 400 ns",
            ", ".join(f"{kind} {ns:.0f} ns" for kind, ns in hits.items()), max(hits.values()) <= 400)


BARS = {
    "matchy": bar_matchy, "reading": bar_reading, "threads": bar_threads, "scale": bar_scale,
    "density": bar_density, "packed": bar_packed, "memory": bar_memory, "compile": bar_compile,
    "compile10m": bar_compile10m, "open": bar_open, "lookup": bar_lookup,
}


# ---------------------------------------------------------------- own files
def own_files(lab):
    """The user's feed and logs: ratios and counts, no bars."""
    feed = Path(lab.options.feed)
    ours = lab.databases / f"own-{feed.stem}.wsdb"
    run(lab.compile(feed, ours))
    theirs = lab.databases / f"own-{feed.stem}.mxy"
    if feed.suffix == ".csv":
        run(lab.build(lab.matchy_table(feed), theirs))
    else:
        run(Tool("matchy", [lab.options.matchy, "build", "-i", "-f", "text", "-o", theirs, feed]))
    print("| log | wiresift | matchy | ratio | rg -c | of rg |\n| --- | --- | --- | --- | --- | --- |")
    counts = []
    for log in map(Path, lab.options.log):
        size = log.stat().st_size
        tools = [lab.scan(ours, log), lab.match(theirs, log), lab.rg(log)]
        medians = lab.turns("own", tools, corpus=log.name, size=size)
        counts.append(f"{log}: {check_wiresift(log, lab.out / 'wiresift.alerts', False)}; "
                      f"{explain_matchy(log, lab.out / 'matchy.alerts')}")
        rate = {name: size / seconds / 1e6 for name, seconds in medians.items()}
        print(f"| {log.name} | {rate['wiresift']:.0f} MB/s | {rate['matchy']:.0f} MB/s | "
              f"{rate['wiresift'] / rate['matchy']:.1f}× | {rate['rg']:.0f} MB/s | "
              f"{rate['wiresift'] / rate['rg']:.2f}× |", flush=True)
    print("\n".join(counts))


# ---------------------------------------------------------------- odds and ends
def publish(table, page):
    """Puts the table where the page has its marks."""
    begin, end = "<!-- table of benches/peers/run.sh -->", "<!-- end of the table -->"
    before, _, rest = page.read_text().partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        note(f"{page} has no “{begin}” and “{end}”")
        return 2
    facts, _, rows = table.read_text().partition("\n\n")
    listed = "\n".join(f"- {fact}" for fact in facts.splitlines())
    page.write_text(f"{before}{begin}\n\n{listed}\n\n{rows.strip()}\n\n{end}{after}")
    return 0


def rows_of(table, known={}):
    if table not in known:
        with open(table, "rb") as rows:
            known[table] = sum(1 for _ in rows) - 1
    return known[table]


def feed_name(size):
    return SIZES.get(size, f"feed_{size}")


def short(size):
    return f"{size // 10**6}M" if size >= 10**6 else f"{size // 1000}k"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wiresift", default="target/release/wiresift")
    parser.add_argument("--matchy", default="target/peers/bin/matchy")
    parser.add_argument("--rg", default="rg")
    parser.add_argument("--corpora", default="target/corpora")
    parser.add_argument("--out", default="target/peers")
    parser.add_argument("--criterion", default="target/criterion")
    parser.add_argument("--sizes", default="10000,100000,1000000,10000000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--feed")
    parser.add_argument("--log", action="append", default=[])
    parser.add_argument("--grep", action="store_true")
    parser.add_argument("--open-flags", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--publish", metavar="FILE",
                        help="measure nothing; put the last table between the marks of a page")
    options = parser.parse_args()
    options.sizes = sorted(int(size) for size in options.sizes.split(","))
    options.only = [bar for bar in options.only.split(",") if bar]
    unknown = set(options.only) - set(BARS)
    if unknown:
        parser.error(f"no bar is called {', '.join(sorted(unknown))}; there are {', '.join(BARS)}")
    if bool(options.feed) != bool(options.log):
        parser.error("--feed and --log belong together")
    return options


def main():
    options = arguments()
    if options.list:
        for name, bar in BARS.items():
            print(f"{name:11} {(bar.__doc__ or '').strip().splitlines()[0] if bar.__doc__ else ''}".rstrip())
        return 0
    if options.publish:
        return publish(Path(options.out) / "table.md", Path(options.publish))
    lab = Lab(options)
    if options.feed:
        own_files(lab)
        return 0
    failed = False
    for name in options.only or BARS:
        before = len(lab.bars)
        lab.date = datetime.date.today().isoformat()
        if is_busy():
            note("others keep this machine busy: these are no figures to keep")
            lab.date += " (busy machine)"
        try:
            BARS[name](lab)
        except Missing as missing:
            note(f"not measured: {name}: {missing}")
            lab.absent[name] = str(missing)
            del lab.bars[before:]
        except Failed as error:
            note(f"FAILED {name}: {error}")
            failed = True
            del lab.bars[before:]
            lab.bar(name, name, "", f"failed: {error}".replace("\t", " ").replace("\n", " ")[:200], False)
    lab.keep()
    # A bar that is missed is a result; hits that disagree are a failure.
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
