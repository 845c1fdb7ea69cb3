"""What the bars of benches/daemon/measure.py are measured with: processes, lists, logs, metrics."""

import os
import random
import re
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")
# A domain of every list: lines that are to alert name hosts below it.
MARK = "alert.example"


class Failed(Exception):
    """Something is not as it has to be for a figure to mean anything."""


def told(text):
    print(f"        {text}", flush=True)


def until(most, what, is_so, pause=0.05):
    """Waits until something is so, and returns what it is."""
    end = time.perf_counter() + most
    while not (found := is_so()):
        if time.perf_counter() > end:
            raise Failed(f"waited {most:.0f} s for {what}")
        time.sleep(pause)
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def shown(folder):
    """The end of what a process reported."""
    path = Path(folder) / "stderr"
    return path.read_text(errors="replace")[-800:] if path.exists() else ""


def to_the_front():
    """Ahead of everything else that this machine does, as if its processors were idle: this
    process, and what it starts."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def once(command, folder):
    """Runs a command to its end: wall seconds, processor seconds, peak of resident bytes."""
    with open(Path(folder) / "stderr", "wb") as errors:
        start = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], cwd=folder,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=errors)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise Failed(f"{command[1]}: exit status {child.returncode}: {shown(folder)}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


class Process:
    """A process that runs until it is stopped."""

    def __init__(self, command, folder, files=None):
        self.folder, self.name = Path(folder), str(command[1])
        def limited():
            # The soft limit and the hard one, or the latter could be asked for.
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        with open(self.folder / "stderr", "wb") as errors:
            self.started = time.perf_counter()
            self.child = subprocess.Popen([str(word) for word in command], cwd=folder,
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                          stderr=errors,
                                          preexec_fn=limited if files else None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    def check(self):
        if self.child.poll() is not None:
            raise Failed(f"{self.name} has ended with {self.child.returncode}: {shown(self.folder)}")
        return True

    def stop(self, most=120):
        self.check()
        self.child.terminate()
        try:
            self.child.wait(most)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} has not ended {most} s after SIGTERM") from None

    def processor(self):
        """Seconds of processor time so far, of user and system."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self):
        """Resident bytes: now, the peak, and of what is now those that no file is behind."""
        text = Path(f"/proc/{self.child.pid}/status").read_text()
        def find(name):
            return int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024
        return find("VmRSS"), find("VmHWM"), find("RssAnon")


class Daemon(Process):
    """`wiresift run` with a configuration."""

    def __init__(self, lab, folder, tables, more=()):
        self.port = free_port()
        text = tables.replace("METRICS", f"127.0.0.1:{self.port}")
        (Path(folder) / "wiresift.toml").write_text(text)
        super().__init__([lab.wiresift, "run", *more], folder)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read().decode()

    def is_ready(self):
        self.check()
        try:
            return bool(self.get("/-/ready"))
        except OSError:
            return False

    def ready(self, most=120):
        until(most, f"{self.name} to be ready", self.is_ready, 0.005)
        return self

    def metric(self, name, label=""):
        """The sum of a family, of those samples whose labels hold a text."""
        self.check()
        pattern = rf"^wiresift_{name}(?:\{{([^}}]*)\}})? (\S+)$"
        samples = re.findall(pattern, self.get("/metrics"), re.M)
        return sum(float(value) for labels, value in samples if label in labels)


class Watched(threading.Thread):
    """Reads a file of alerts as it grows; knows when each marked value came."""

    def __init__(self, path, pause=0.001):
        super().__init__(daemon=True)
        self.path, self.pause = Path(path), pause
        self.came, self.twice, self.is_over = {}, [], False
        self.start()

    def run(self):
        rest, file = b"", None
        while not self.is_over:
            if file is None and self.path.exists():
                file = open(self.path, "rb", buffering=0)
            data = file.read(1 << 20) if file else b""
            if not data:
                time.sleep(self.pause)
                continue
            now = time.perf_counter()
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            for value in re.findall(rb'"value":"([a-z0-9]+)\.alert\.example"', b"\n".join(lines)):
                if value in self.came:
                    self.twice.append(value)
                self.came[value] = now

    def end(self):
        self.is_over = True
        self.join()


class Lab:
    """Where things lie."""

    def __init__(self, options):
        self.options = options
        self.is_quick = options.quick
        self.wiresift = Path(options.wiresift).resolve()
        self.folder = Path(options.folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.missed = 0

    def bar(self, name, figure, measured, is_met):
        verdict = "met" if is_met else "MISSED"
        self.missed += not is_met
        scaled = "scaled: " if self.is_quick else ""
        print(f"{scaled}{verdict:7} {name}: {measured} (bar: {figure})", flush=True)

    def compiled(self, name, lists):
        """A database of lists, made once for each binary."""
        path = self.folder / f"{name}.wsdb"
        inputs = [*lists, self.wiresift]
        if not path.exists() or any(it.stat().st_mtime > path.stat().st_mtime for it in inputs):
            once([self.wiresift, "compile", "-o", path, *lists], self.folder)
        return path

    def marks(self):
        path = self.folder / "marks.txt"
        if not path.exists():
            path.write_text(MARK + "\n")
        return path

    def empty(self):
        return self.compiled("empty", [self.marks()])

    def made(self):
        """Names of a list that this script makes, each an indicator of its own."""
        return 100_000 if self.is_quick else 1_000_000

    def database(self):
        """As many indicators as the bars ask for, made here."""
        path = self.folder / f"made_{self.made()}.txt"
        if not path.exists():
            path.write_text("".join(f"{made_name(number)}\n" for number in range(self.made())))
        return self.compiled(path.stem, [path, self.marks()])

    def corpus(self):
        """A database and a log: real lines against a million indicators, or both made here."""
        corpora = Path(self.options.corpora)
        generator = Path(self.options.generator)
        if self.is_quick or not generator.exists():
            return self.database(), self.made_log()
        feed, log = corpora / "feed_1m.csv", corpora / "zeek_json.log"
        corpora.mkdir(parents=True, exist_ok=True)
        make = [sys.executable, generator]
        if not feed.exists():
            once([*make, "feed", "--size", "1000000", "--out", corpora], self.folder)
        if not log.exists():
            once([*make, "logs", "--kind", "zeek_json", "--bytes", "200M", "--out", log], self.folder)
        return self.compiled("feed_1m", [feed.resolve(), self.marks()]), self.long(log)

    def long(self, log):
        """A log several times over, so that starting up counts for little."""
        path = self.folder / "long.log"
        if not path.exists() or path.stat().st_size < 5 * log.stat().st_size:
            text = log.read_bytes()
            with open(path, "wb") as file:
                for _ in range(5):
                    file.write(text)
        return path

    def made_log(self):
        size = 60_000_000 if self.is_quick else 1_000_000_000
        path = self.folder / f"made_{size}.log"
        if not path.exists():
            dice = random.Random(1)
            lines = [made_line(number, dice) for number in range(50_000)]
            block = "".join(lines).encode()
            with open(path, "wb") as file:
                while file.tell() < size:
                    file.write(block)
        return path


def made_name(number):
    return f"h{number:07x}.bad{number % 97}.example"


def made_line(number, dice):
    """A line as Zeek writes it in JSON, one in 10,000 with a marked name."""
    name = f"www{dice.randrange(10**6)}.ordinary{dice.randrange(10**4)}.com"
    if number % 10_000 == 5_000:
        name = f"m{number}.{MARK}"
    return (f'{{"ts":{1764410000 + number / 100:.6f},"uid":"C{dice.randrange(10**15)}",'
            f'"id.orig_h":"10.{number % 200}.3.{dice.randrange(256)}","id.orig_p":{number % 60000},'
            f'"id.resp_h":"17.5.{dice.randrange(256)}.{dice.randrange(256)}","id.resp_p":443,'
            f'"proto":"tcp","query":"{name}","qtype_name":"A","rcode_name":"NOERROR"}}\n')


def marked(value):
    """A line that alerts, whose value stands in the alert."""
    return f"2026-11-29T10:00:00Z host app[7]: asked for {value}.{MARK}\n".encode()
