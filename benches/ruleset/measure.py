#!/usr/bin/env python3
"""What `wiresift bench` costs and how well it measures, held against the bars.

    benches/ruleset/measure.py [--wiresift BINARY] [--unified FILE] [--logs FOLDER] [--runs N]
                               [--only NAME[,NAME]]

Splits the indicators of FILE (a table, gzipped or not; ../shared/data/feeds/unified) into feeds
and judges them alone, with the logs in FOLDER (../shared/data/logs/zeek-json), and without each of
them. Counts are held against what was split. Needs Python 3.11, standard library only.

    set     a set of 40 feeds by itself: time, and memory beside the map
    corpus  the pass over logs against `scan --quiet`, in turns
    noise   40 feeds that cost nothing: how many are called below the noise; the width of A/A
    without leave-one-out of 16 feeds
    kinds   a single CVE number among other indicators is named as what costs
"""

import argparse
import csv
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

MIB = 1 << 20
NAMES = ["set", "corpus", "noise", "without", "kinds"]
verdicts = []


class Failed(Exception):
    pass


def run(command, accepted=(0,)):
    """Runs a command; returns seconds, the peak of its memory without what it maps from files, and
    what it wrote."""
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    most = [0]
    threading.Thread(target=sample, args=(child.pid, most), daemon=True).start()
    said, complained = child.communicate()
    seconds = time.perf_counter() - start
    if child.returncode not in accepted:
        raise Failed(f"{command[1]}: exit status {child.returncode}: {complained.decode(errors='replace')[-600:]}")
    return seconds, most[0], said


def sample(pid, most):
    try:
        while True:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    most[0] = max(most[0], int(line.split()[1]) * 1024)
            time.sleep(0.005)
    except OSError:
        pass


def bar(name, figure, measured, is_met):
    verdicts.append(is_met)
    print(f"{'met' if is_met else 'MISSED':7} {name}: {measured} (bar: {figure})", flush=True)


class Lab:
    def __init__(self, options, folder):
        self.wiresift, self.folder, self.runs = options.wiresift, folder, options.runs
        self.logs = options.logs
        opened = gzip.open if str(options.unified).endswith(".gz") else open
        with opened(options.unified, "rt", newline="") as file:
            head, *rows = csv.reader(file)
        at = head.index("indicator") if "indicator" in head else 0
        # Private addresses would be withheld unless feeds are said to mean them.
        self.values = [row[at] for row in rows if row]

    def split(self, name, feeds):
        """A database of all values, each in one of so many feeds."""
        path = self.folder / f"{name}.wsdb"
        command = [self.wiresift, "compile", "--internal", "-o", path]
        for number in range(feeds):
            part = self.folder / f"{name}-{number:02}.txt"
            part.write_text("\n".join(self.values[number::feeds]) + "\n")
            command += ["--feed", f"feed{number:02}", part]
        run(command)
        return path

    def bench(self, path, *flags):
        seconds, memory, said = run([self.wiresift, "bench", "--db", path, "--format", "json", *flags])
        return seconds, memory, json.loads(said)


def the_set(lab):
    path = lab.split("forty", 40)
    measured = [lab.bench(path, "--cost=off") for _ in range(lab.runs)]
    report = measured[0][2]
    values = sum(group["values"] for group in report["groups"])
    if len(report["groups"]) != 40 or values < 0.95 * len(lab.values):
        raise Failed(f"{len(report['groups'])} groups with {values} values of {len(lab.values)}")
    seconds = min(seconds for seconds, _, _ in measured)
    memory = max(memory for _, memory, _ in measured) / MIB
    bar(f"{report['set']['values']:,} values in 40 feeds by themselves", "3 s", f"{seconds:.2f} s", seconds <= 3)
    bar("memory beside the map", "200 MiB", f"{memory:.0f} MiB", memory <= 200)


def the_corpus(lab):
    path = lab.split("sixteen", 16)
    nothing = lab.folder / "nothing.log"
    nothing.touch()
    # Several times, so that it takes much longer than judging the set.
    logs = lab.folder / "logs"
    for number in range(8):
        shutil.copytree(lab.logs, logs / str(number))
    alone, passes, scans, opened = [], [], [], []
    for _ in range(lab.runs):
        opened.append(run([lab.wiresift, "scan", "--db", path, "--quiet", nothing], (0, 1))[0])
        alone.append(lab.bench(path, "--cost=off")[0])
        seconds, _, report = lab.bench(path, "--cost=off", logs)
        passes.append(seconds)
        scans.append(run([lab.wiresift, "scan", "--db", path, "--quiet", logs], (0, 1))[0])
    _, _, said = run([lab.wiresift, "scan", "--db", path, "--json", logs], (0, 1))
    shutil.rmtree(logs)
    if report["set"]["alerts"] != said.count(b"\n"):
        raise Failed(f"{report['set']['alerts']} alerts, and scan has {said.count(chr(10).encode())}")
    # Both open the database, and bench judges the set, too: only what the logs add is compared.
    ratio = (statistics.median(passes) - statistics.median(alone)) / (
        statistics.median(scans) - statistics.median(opened))
    whole = statistics.median(passes) / statistics.median(scans)
    bar("the pass over logs", "1.15 of scan --quiet", f"{ratio:.2f} (with judging the set: {whole:.2f})", ratio <= 1.15)


def the_noise(lab):
    # A value that another feed has, too: without its feed the database finds as much as before.
    base = lab.folder / "base.txt"
    base.write_text("\n".join(lab.values[::4]) + "\n")
    path = lab.folder / "noise.wsdb"
    command = [lab.wiresift, "compile", "--internal", "-o", path, "--feed", "base", base]
    names = [value for value in lab.values[::4] if value.replace(".", "").isalpha() and "." in value][:40]
    for number, value in enumerate(names):
        part = lab.folder / f"noise-{number:02}.txt"
        part.write_text(value + "\n")
        command += ["--feed", f"copy{number:02}", part]
    run(command)
    _, _, report = lab.bench(path, "--cost=feeds", lab.logs)
    copies = [group["cost"] for group in report["groups"] if group["name"].startswith("copy")]
    below = sum(cost["below_noise"] for cost in copies)
    bar("feeds that cost nothing, called below the noise", "36 of 40", f"{below} of {len(copies)}",
        len(copies) == 40 and below >= 36)
    of_set = report["cost"]["ns_per_mib"]["median"]
    aa = report["cost"]["aa"]
    width = (aa["high"] - aa["low"]) / 2 / of_set * 100
    intervals = [(cost["ns_per_mib"]["high"] - cost["ns_per_mib"]["low"]) / 2 / of_set * 100 for cost in copies]
    told = max(width, statistics.median(intervals))
    bar("the smallest cost told from noise in 21 rounds", "2% of the scan", f"{told:.2f}% "
        f"(A/A {aa['median'] / of_set * 100:+.2f}% ± {width:.2f}%)", told <= 2 and not report["cost"]["unreliable"])


def without_each(lab):
    path = lab.split("sixteen", 16)
    seconds, memory, report = lab.bench(path, lab.logs)
    measured = [group["cost"]["ns_per_mib"] for group in report["groups"]]
    if len(measured) != 16 or None in measured:
        raise Failed("not every feed was measured")
    bar("leave-one-out of 16 feeds, 21 rounds of 64 MiB", "60 s", f"{seconds:.0f} s, {memory / MIB:.0f} MiB",
        seconds <= 60)


def the_kinds(lab):
    base, mixed = lab.folder / "most.txt", lab.folder / "mixed.txt"
    base.write_text("\n".join(lab.values[::2]) + "\n")
    mixed.write_text("\n".join(lab.values[1:4000:2]) + "\nCVE-2018-0802\n")
    path = lab.folder / "kinds.wsdb"
    run([lab.wiresift, "compile", "--internal", "-o", path, "--feed", "most", base, "--feed", "mixed", mixed])
    _, _, report = lab.bench(path, "--cost=kinds", lab.logs)
    cve = next(kind for kind in report["cost"]["kinds"] if (kind["group"], kind["kind"]) == ("mixed", "cve"))
    others = [kind for kind in report["cost"]["kinds"] if kind["group"] == "mixed" and kind["kind"] != "cve"]
    most = max(kind["ns_per_mib"]["median"] for kind in others)
    share = cve["ns_per_mib"]["median"] / report["cost"]["ns_per_mib"]["median"] * 100
    is_named = not cve["below_noise"] and cve["ns_per_mib"]["low"] > most
    bar("one CVE number is named", "above noise and the other kinds of its feed",
        f"{cve['ns_per_mib']['median']:,.0f} ns/MiB, {share:.1f}% of the time; the next kind {most:,.0f}", is_named)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wiresift", default="target/release/wiresift")
    parser.add_argument("--unified", type=Path, default=Path("../shared/data/feeds/unified/indicators.csv.gz"))
    parser.add_argument("--logs", type=Path, default=Path("../shared/data/logs/zeek-json"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default=",".join(NAMES))
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := [name for name in chosen if name not in NAMES]:
        sys.exit(f"unknown measurements: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for needed in (options.unified, options.logs):
        if not needed.exists():
            sys.exit(f"{needed} is missing: name your own with --unified and --logs")
    options.wiresift = Path(options.wiresift).resolve()
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {load:.1f}", flush=True)
    if load > 1:
        print("The machine is busy: times are too long, and noise is larger.", flush=True)
    measurements = dict(zip(NAMES, (the_set, the_corpus, the_noise, without_each, the_kinds)))
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(options, Path(folder))
        for name in chosen:
            try:
                measurements[name](lab)
            except Failed as failure:
                bar(name, "works", str(failure), False)
    sys.exit(0 if all(verdicts) else 1)


if __name__ == "__main__":
    main()
