#!/usr/bin/env python3
"""What a packet costs, compared with the bars. Called by run.sh; Python 3.11, standard
library only.

Every measured command runs warm: once unmeasured, then --runs times, the commands of a
comparison one after the other in each round. Medians of wall time count, from the start of
the process to its end; the processor's time stands beside them. Nothing is measured whose
counts are wrong: wiresift must have read every packet, and one thread and two must tell the
same.
"""

import argparse
import csv
import datetime
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

MIB = 1 << 20
PACKETS = 1_000_000  # of each capture but one
HASHES = ("md5", "sha1", "sha256")


class Failed(Exception):
    """A command did not do what it should."""


class Run:
    """One run of one command."""

    def __init__(self, command, watch=False):
        start = time.perf_counter()
        child = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        self.anon = 0
        if watch:
            threading.Thread(target=self.sample, args=(child.pid,), daemon=True).start()
        self.said = child.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        self.seconds = time.perf_counter() - start
        self.cpu = usage.ru_utime + usage.ru_stime
        child.returncode = self.status = os.waitstatus_to_exitcode(status)
        child.stderr.close()

    def sample(self, pid):
        """The most memory of its own, without mapped files."""
        try:
            while True:
                text = Path(f"/proc/{pid}/status").read_text()
                for line in text.splitlines():
                    if line.startswith("RssAnon:"):
                        self.anon = max(self.anon, int(line.split()[1]) * 1024)
                time.sleep(0.003)
        except (OSError, ValueError):
            pass


class Lab:
    def __init__(self, options):
        self.options = options
        self.out = Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.bars = []
        self.wiresift = options.wiresift
        self.hashes = self.compile("hashes", options.feed)
        self.plain = self.compile("plain", self.without_hashes(options.feed))

    def without_hashes(self, feed):
        """The feed without digests, so that no file is hashed."""
        path = self.out / "plain.csv"
        with open(feed) as rows, open(path, "w") as out:
            for row in rows:
                if not any(f",{name}," in row for name in HASHES):
                    out.write(row)
        return path

    def compile(self, name, feed):
        database = self.out / f"{name}.wsdb"
        run = Run([self.wiresift, "compile", "-q", "-o", database, feed])
        if run.status != 0:
            raise Failed(f"compile {feed}: {run.said[-400:]}")
        return database

    def scan(self, *captures, database=None, threads=1, output="/dev/null"):
        database = database or self.plain
        return [self.wiresift, "scan", "--stats=json", "--db", database, "-j", threads, "-o",
                output, *(self.traffic(name) for name in captures)]

    def traffic(self, name):
        return Path(self.options.traffic) / f"{name}.pcap"

    def turns(self, commands, packets):
        """Medians of seconds and of processor time for each command, in turn."""
        done = {name: [] for name in commands}
        for command in commands.values():
            Run(command)
        for _ in range(self.options.runs):
            for name, command in commands.items():
                run = Run(command)
                if run.status not in (0, 1):
                    raise Failed(f"{name}: exit status {run.status}: {run.said[-400:]}")
                if str(command[0]) == str(self.wiresift):
                    self.check(run, packets)
                done[name].append(run)
        middle = statistics.median
        return {
            name: (middle(r.seconds for r in runs), middle(r.cpu for r in runs))
            for name, runs in done.items()
        }

    def check(self, run, packets):
        said = json.loads(run.said.strip().splitlines()[-1])
        frames = said["packets"]["frames"]
        if frames != packets:
            raise Failed(f"{frames} frames were read, not {packets}")

    def bar(self, name, figure, measured, is_met):
        verdict = "met" if is_met else "MISSED"
        self.bars.append((name, figure, measured, verdict))
        print(f"{verdict:7} {name}: {measured} (bar: {figure})", flush=True)

    # ------------------------------------------------------------ the bars
    def frames(self, name):
        """Packets of a capture, as tcpdump counts them."""
        done = subprocess.run(["tcpdump", "--count", "-r", self.traffic(name)],
                              capture_output=True, text=True, check=True)
        return int((done.stdout or done.stderr).split("packet")[0].split()[-1])

    def mixed(self):
        packets = self.frames("mixed")
        capture = self.traffic("mixed")
        times = self.turns({
            "wiresift": self.scan("mixed"),
            "tcpdump": ["tcpdump", "-r", capture, "-w", "/dev/null"],
            "hashing": self.scan("mixed", database=self.hashes),
        }, packets)
        each = {name: seconds / packets * 1e9 for name, (seconds, _) in times.items()}
        cpu = {name: cpu / packets * 1e9 for name, (_, cpu) in times.items()}
        self.bar("mixed real traffic, 1 M indicators, no hashing", "≤ 200 ns a packet",
                 f"{each['wiresift']:.0f} ns (processor {cpu['wiresift']:.0f})",
                 each["wiresift"] <= 200)
        self.bar("… against `tcpdump -r FILE -w /dev/null`", "no slower",
                 f"{each['wiresift'] / each['tcpdump']:.2f}× its time "
                 f"({each['tcpdump']:.0f} ns, processor {cpu['tcpdump']:.0f})",
                 each["wiresift"] <= each["tcpdump"])
        own = self.digests() / packets * 1e9
        more = each["hashing"] - each["wiresift"]
        self.bar("file hashing on top", "≤ 1.15× the digests' own time",
                 f"{more:.0f} ns a packet, {more / own:.2f}× of {own:.0f} ns",
                 more <= 1.15 * own)

    def digests(self):
        """Seconds that the three digests alone take over the bytes of all files."""
        listed = subprocess.run(
            [self.wiresift, "scan", "--observables", self.traffic("mixed")],
            capture_output=True, text=True, check=False)
        sizes = [json.loads(line).get("file", {}).get("size", 0)
                 for line in listed.stdout.splitlines() if '"kind":"sha256"' in line]
        if not any(sizes):
            raise Failed("no file with its size was found in the mixed traffic")
        block = os.urandom(max(sizes))
        best = None
        for _ in range(3):
            start = time.perf_counter()
            for size in sizes:
                data = memoryview(block)[:size]
                for name in HASHES:
                    hashlib.new(name, data, usedforsecurity=False).digest()
            best = min(best or 1e9, time.perf_counter() - start)
        return best

    def floods(self):
        for name, title, most in (
            ("syn_flood", "SYN flood", 60),
            ("dns_flood", "flood of unique DNS names", 300),
            ("bulk_tls", "bulk TLS in frames of 1,514 bytes", 80),
        ):
            packets = self.frames(name)
            times = self.turns({
                "wiresift": self.scan(name),
                "tcpdump": ["tcpdump", "-r", self.traffic(name), "-w", "/dev/null"],
            }, packets)
            each, cpu = (value / packets * 1e9 for value in times["wiresift"])
            other = times["tcpdump"][0] / packets * 1e9
            self.bar(title, f"≤ {most} ns a packet",
                     f"{each:.0f} ns (processor {cpu:.0f}; tcpdump {other:.0f})", each <= most)

    def threads(self):
        packets = self.frames("mixed")
        for title, captures in (
            ("two threads against one, a capture", ["mixed"]),
            ("two threads against one, two captures", ["mixed", "mixed"]),
        ):
            count = packets * len(captures)
            outputs = [self.out / f"threads{n}.jsonl" for n in (1, 2)]
            times = self.turns({
                n: self.scan(*captures, threads=n, output=outputs[n - 1]) for n in (1, 2)
            }, count)
            if outputs[0].read_bytes() != outputs[1].read_bytes():
                raise Failed("one thread and two tell different things")
            ratio = times[1][0] / times[2][0]
            self.bar(title, "≥ 1.8×", f"{ratio:.2f}×", ratio >= 1.8)

    def memory(self):
        run = Run(self.scan("flows"), watch=True)
        self.check(run, 3_000_000)
        self.bar("a million flows at a time, each with a message that is not whole",
                 "≤ 256 MiB", f"{run.anon / MIB:.0f} MiB", run.anon <= 256 * MIB)
        worst, name = max(
            (Run(self.scan(name, database=self.hashes), watch=True).anon, name)
            for name in ("mixed", "syn_flood", "dns_flood", "bulk_tls", "flows"))
        self.bar("whatever is sent", "≤ 512 MiB", f"{worst / MIB:.0f} MiB ({name})",
                 worst <= 512 * MIB)


BARS = ("mixed", "floods", "threads", "memory")


def main():
    parse = argparse.ArgumentParser()
    for name in ("wiresift", "feed", "traffic"):
        parse.add_argument(f"--{name}")
    parse.add_argument("--out", default="target/packets")
    parse.add_argument("--runs", type=int, default=5)
    parse.add_argument("--only", default=",".join(BARS))
    parse.add_argument("--list", action="store_true")
    options = parse.parse_args()
    if options.list:
        print("\n".join(BARS))
        return 0
    only = options.only.split(",")
    unknown = set(only) - set(BARS)
    if unknown:
        sys.exit(f"no such bar: {', '.join(sorted(unknown))}; --list names them")
    try:
        lab = Lab(options)
        for name in BARS:
            if name in only:
                getattr(lab, name)()
    except Failed as failed:
        sys.exit(f"FAILED: {failed}")
    with open(lab.out / "bars.tsv", "w") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows(lab.bars)
    lines = [f"On {datetime.date.today()}, {os.cpu_count()} cores, {platform.system()} "
             f"{platform.release()}:", "", "| bar | figure | measured | verdict |",
             "| --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(bar)} |" for bar in lab.bars]
    (lab.out / "table.md").write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
