"""What the bars of benches/exchange/measure.py are measured with: servers, requests, accounts."""

import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path

MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")
# Rates that a bench would exceed; a community sets its own.
UNLIMITED = ["--limit-key=0", "--limit-address=0", "--limit-writes=0", "--quota-pulses=0",
             "--quota-indicators=0"]
# Read, write, report, feed.
SCOPES = 1 | 2 | 4 | 8
SUBSCRIBED, SECOND = 1, 1_000_000


class Failed(Exception):
    """Something is not as it has to be for a figure to mean anything."""


def told(text):
    print(f"        {text}", flush=True)


def once(command, folder, accepted=(0,)):
    """Runs a command to its end: wall seconds, processor seconds, what it printed."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        start = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL,
                                 stdout=said, stderr=complained)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        complained.seek(0)
        if child.returncode not in accepted:
            text = complained.read().decode(errors="replace")[-800:]
            raise Failed(f"{' '.join(map(str, command[:3]))}: exit status {child.returncode}: {text}")
        return seconds, used.ru_utime + used.ru_stime, said.read().decode()


class Server:
    """`wiresift exchange serve` on a directory, without limits."""

    def __init__(self, lab, data, flags=()):
        self.lab, self.data = lab, Path(data)
        self.errors = open(self.data.parent / f"{self.data.name}.stderr", "wb")
        self.child = subprocess.Popen(
            [lab.wiresift, "exchange", "serve", "--data", self.data, "--listen", "127.0.0.1:0", *UNLIMITED,
             *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.address = None
        for line in self.child.stdout:
            if found := re.match(r"listening on http://(\S+)", line):
                self.address = found[1]
                break
        if not self.address:
            raise Failed(f"the server ended: {self.said()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(60)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.child.stdout.close()
        self.errors.close()

    def said(self):
        return Path(self.errors.name).read_text(errors="replace")[-800:]

    def processor(self):
        """Seconds of processor time so far, of user and system."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self):
        """The most bytes that were resident at a time."""
        text = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) * 1024

    def get(self, target, key, headers=()):
        """Status, head and body of an answer."""
        request = urllib.request.Request(f"http://{self.address}{target}",
                                         headers={"X-OTX-API-KEY": key, **dict(headers)})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()

    def load(self, plan, connections=8, repeat=1, needle="", fresh=False):
        """Sends the requests of a plan; returns what came back, and what both sides used."""
        command = [self.lab.load, "--address", self.address, "--file", plan, "--connections", connections,
                   "--repeat", repeat, "--needle", needle, *(["--fresh"] if fresh else [])]
        before = self.processor()
        _, client, text = once(command, self.lab.folder)
        found = json.loads(text)
        found["server"], found["client"] = self.processor() - before, client
        if found["failures"]:
            raise Failed(f"{found['failures']} of {found['requests']} requests failed: {found['failure']}"
                         f" {self.said()}")
        return found


def request(method, target, key, body=b"", headers=()):
    """The bytes of a request."""
    head = [f"{method} {target} HTTP/1.1", "Host: exchange.example", f"X-OTX-API-KEY: {key}",
            *(f"{name}: {value}" for name, value in headers)]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


class Plan:
    """A file of requests for load.rs."""

    def __init__(self, path):
        self.path, self.requests = Path(path), 0
        self.file = open(self.path, "wb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def add(self, *requests, due=None):
        """A session, due at some second."""
        self.requests += len(requests)
        due = "-" if due is None else int(due * SECOND)
        self.file.write(f"{due} {' '.join(str(len(it)) for it in requests)}\n".encode())
        self.file.writelines(requests)


def expect(found, statuses, needles=None):
    """Every answer has the status that it has to have, and what was counted in them is right."""
    if found["statuses"] != {str(status): count for status, count in statuses.items()}:
        raise Failed(f"answers have the statuses {found['statuses']}, expected {statuses}")
    if needles is not None and found["needles"] != needles:
        raise Failed(f"{found['needles']} found in the answers, expected {needles}")


class Store:
    """The database of an exchange whose server is stopped, or that no request can fill."""

    def __init__(self, data):
        self.path = Path(data) / "exchange.sqlite"

    def number(self, sql, *values):
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute(sql, values).fetchone()[0]

    def accounts(self, names, role=1):
        """Creates accounts with a key each; returns number and key by name. The server would take
        minutes for the digests of passwords that nobody uses."""
        now = int(time.time() * SECOND)
        made = {}
        with closing(sqlite3.connect(self.path)) as database, database:
            for name in names:
                key = key_of(name)
                row = database.execute(
                    "INSERT INTO account (name, folded, role, created, marked) VALUES (?, ?, ?, ?, ?) RETURNING id",
                    (name, name.lower(), role, now, now)).fetchone()
                database.execute(
                    "INSERT INTO api_key (account, name, prefix, digest, scopes, created, used) "
                    "VALUES (?, 'bench', ?, ?, ?, ?, ?)",
                    (row[0], key[:8], hashlib.sha256(key.encode()).digest(), SCOPES, now, now))
                made[name] = (row[0], key)
        return made

    def subscribe(self, pairs):
        """Subscribes accounts to authors, by their numbers."""
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany("INSERT OR IGNORE INTO author_link (account, author, kind) VALUES (?, ?, ?)",
                                 [(account, author, SUBSCRIBED) for account, author in pairs])

    def has_account(self, name):
        return self.number("SELECT COUNT(*) FROM account WHERE folded = ?", name.lower()) > 0

    def id_of(self, name):
        return self.number("SELECT id FROM account WHERE folded = ?", name.lower())


def key_of(name):
    return hashlib.sha256(b"key of " + name.encode()).hexdigest()


KINDS = ["hostname", "hostname", "hostname", "hostname", "domain", "domain", "IPv4", "IPv4", "URL",
         "FileHash-SHA256"]
SLUGS = {"hostname": "hostname", "domain": "domain", "IPv4": "IPv4", "URL": "url", "FileHash-SHA256": "file"}


def indicator(number):
    """The type and value of an indicator; no two numbers below 16 million have the same, and their
    order is not that of the numbers."""
    kind = KINDS[number % 10]
    mixed = number * 0x9E3779B1 & 0xFFFFFFFF
    match kind:
        case "hostname":
            return kind, f"w{mixed:08x}.c{number % 997}.example.net"
        case "domain":
            return kind, f"d{mixed:08x}-{number % 31}.com"
        case "IPv4":
            low = number * 0x9E3779B1 & 0xFFFFFF
            return kind, f"{45 + (number >> 24)}.{low >> 16}.{low >> 8 & 255}.{low & 255}"
        case "URL":
            return kind, f"http://u{mixed:08x}.example.org/gate/{number % 89}.php"
        case _:
            return kind, hashlib.sha256(number.to_bytes(8, "big")).hexdigest()


def body_of(name, numbers, **members):
    """The body that creates a pulse."""
    rows = [{"indicator": value, "type": kind} for kind, value in map(indicator, numbers)]
    return json.dumps({"name": name, "public": True, "TLP": "green", "indicators": rows, **members}).encode()


class Lab:
    """Where things lie, and how much of everything there is."""

    def __init__(self, options):
        self.options, self.is_small = options, options.small
        self.wiresift = Path(options.wiresift).resolve()
        self.load = Path(options.load).resolve()
        self.folder = Path(options.folder).resolve()
        if self.is_small:
            self.folder = self.folder / "small"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.missed = 0

    def bar(self, name, figure, measured, is_met):
        self.missed += not is_met
        scaled = "scaled: " if self.is_small else ""
        print(f"{scaled}{'met' if is_met else 'MISSED':7} {name}: {measured} (bar: {figure})", flush=True)

    def scaled(self, whole, small):
        return small if self.is_small else whole

    def plan(self, name):
        return Plan(self.folder / f"{name}.plan")

    def new(self, name, accounts=("bench",)):
        """An empty exchange with accounts."""
        data = self.folder / name
        shutil.rmtree(data, ignore_errors=True)
        with Server(self, data):
            pass
        store = Store(data)
        store.accounts(accounts)
        return data

    def kept(self, name, make):
        """An exchange that is made once: `make` fills the directory that `new` made."""
        data, done = self.folder / name, self.folder / f"{name}.made"
        if not done.exists() or not data.exists():
            data = self.new(name)
            start = time.perf_counter()
            make(data)
            told(f"made {name} in {time.perf_counter() - start:.0f} s")
            done.touch()
        shutil.rmtree(data / "exports", ignore_errors=True)
        return data

    def write_pulses(self, name, pulses, each, first=0):
        """The plan that creates so many pulses of so many indicators."""
        with self.plan(name) as plan:
            for number in range(pulses):
                at = first + number * each
                body = body_of(f"Pulse {number} of the bench", range(at, at + each),
                               tags=["bench", f"group {number % 40}"], malware_families=[f"Family{number % 97}"])
                plan.add(request("POST", "/api/v1/pulses/create", key_of("bench"), body))
        return plan

    def fill(self, data, plan, indicators, connections=8):
        """Sends a plan that creates pulses, and checks that all of them are there."""
        with Server(self, data) as server:
            found = server.load(plan.path, connections=connections)
        expect(found, {201: plan.requests})
        stored = Store(data).number("SELECT COUNT(*) FROM entry WHERE state = 0")
        if stored != indicators:
            raise Failed(f"{stored} indicators are stored, expected {indicators}")
        plan.path.unlink()
        return found

    def million(self):
        """An exchange with a million indicators in pulses of 500."""
        def make(data):
            pulses, each = self.scaled((2000, 500), (20, 50))
            self.fill(data, self.write_pulses("million", pulses, each), pulses * each)
        return self.kept("million", make), self.scaled(1_000_000, 1000)

    def python(self, package):
        """The Python of an environment with a package from PyPI; made once."""
        place = self.folder.parent / f"python-{package}" if self.is_small else self.folder / f"python-{package}"
        python = place / "bin/python"
        if not (place / "ready").exists():
            shutil.rmtree(place, ignore_errors=True)
            once(["python3", "-m", "venv", place], self.folder)
            once([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package], self.folder)
            (place / "ready").touch()
        return python


def dice(seed):
    return random.Random(seed)
