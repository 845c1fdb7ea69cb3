#!/usr/bin/env python3
"""What an update of the subscriptions costs, compared with the bars.

    benches/feeds/measure.py [--wiresift BINARY] [--unified FILE] [--runs N]

Serves feeds on loopback, as servers do that know ETags: the indicators of FILE (a table,
gzipped or not; ../shared/data/feeds/unified) in 20 lists, one of them of 100,000 lines, and
an OTX account of a million indicators in 2,000 pulses. Counts are compared with what was
served. Needs Python 3.11, standard library only.
"""

import argparse
import csv
import gzip
import hashlib
import http.server
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

LISTS = 20
CHANGING = 100_000
PULSES, EACH = 2000, 500
MIB = 1 << 20
documents = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = urllib.parse.urlsplit(self.path)
        if asked.path.startswith("/api/v1/"):
            query = urllib.parse.parse_qs(asked.query)
            return self.answer(pulses(asked.path, query), None)
        body, etag = documents[asked.path]
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        return self.answer(body, etag)

    def answer(self, body, etag):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def publish(path, body):
    documents[path] = (body, f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')


pages = {}


class Server(http.server.ThreadingHTTPServer):
    # All feeds are asked at once: with the usual 5 some would be told to try again in a second.
    request_queue_size = 128
    daemon_threads = True


def pulses(path, query):
    """A page of the account; each is made once, so that the server costs little."""
    if not path.endswith("/subscribed"):
        return b'{"count":0,"next":null,"previous":null,"results":[]}'
    page, limit = (int(query.get(name, [default])[0]) for name, default in
                   (("page", "1"), ("limit", "50")))
    if (page, limit) not in pages:
        chosen = range((page - 1) * limit, min(page * limit, PULSES))
        more = page * limit < PULSES
        modified = query.get("modified_since")
        since = f"&modified_since={urllib.parse.quote(modified[0])}" if modified else ""
        pages[page, limit] = json.dumps({
            "count": PULSES, "previous": None,
            "next": f"/api/v1/pulses/subscribed?limit={limit}&page={page + 1}{since}" if more else None,
            "results": [pulse(number) for number in chosen],
        }).encode()
    return pages[page, limit]


def pulse(number):
    day = "2026-11-01T00:00:00"
    return {
        "id": f"{number:024x}", "name": f"Pulse {number}", "description": "", "author_name": "a",
        "created": day, "modified": day, "revision": 1, "tlp": "green", "public": 1,
        "adversary": "", "tags": ["bench"], "references": [], "malware_families": [],
        "attack_ids": [], "targeted_countries": [], "industries": [],
        "indicators": [{
            "id": number * EACH + at, "indicator": f"h{number * EACH + at:07x}.evil{at % 97}.example",
            "type": "hostname", "created": day, "content": "", "title": "", "description": "",
            "expiration": None, "is_active": 1, "role": None,
        } for at in range(EACH)],
    }


class Failed(Exception):
    pass


def run(command, cwd, env=None):
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env={**os.environ, **(env or {})})
    most = [0]
    threading.Thread(target=sample, args=(child.pid, most), daemon=True).start()
    said = child.stdout.read().decode(errors="replace")
    _, status = os.waitpid(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if child.returncode != 0:
        raise Failed(f"exit status {child.returncode}: {said[-600:]}")
    return seconds, most[0], said


def sample(pid, most):
    """The peak of a process's resident memory. What the kernel keeps of a child that has
    ended counts what its parent had when it was made."""
    try:
        while True:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    most[0] = int(line.split()[1]) * 1024
            time.sleep(0.005)
    except OSError:
        pass


def bar(name, figure, measured, is_met):
    print(f"{'met' if is_met else 'MISSED':7} {name}: {measured} (bar: {figure})", flush=True)


def lists(options, folder, base):
    opened = gzip.open if str(options.unified).endswith(".gz") else open
    with opened(options.unified, "rt", newline="") as file:
        head, *rows = csv.reader(file)
    value = head.index("indicator") if "indicator" in head else 0
    values = [row[value] for row in rows if row]
    sizes = [CHANGING] + [(len(values) - CHANGING) // (LISTS - 1)] * (LISTS - 1)
    sizes[-1] = len(values) - sum(sizes[:-1])
    text, at = [], 0
    for number, size in enumerate(sizes):
        publish(f"/list{number}", "\n".join(values[at:at + size] + [""]).encode())
        at += size
        text.append(f'[[feed]]\nname = "list{number}"\nurl = "{base}/list{number}"\n')
    (folder / "wiresift.toml").write_text("\n".join(text))
    update = [options.wiresift, "feed", "update", "--compile"]
    first, _, _ = run(update, folder)
    print(f"        first: {first:.2f} s for {len(values):,} lines of {LISTS} feeds", flush=True)
    quiet, changed, most = [], [], 0
    for round_ in range(options.runs):
        seconds, _, said = run(update, folder)
        if "is up to date" not in said:
            raise Failed(f"nothing had changed, and yet: {said}")
        quiet.append(seconds)
        body, _ = documents["/list0"]
        publish("/list0", body + f"changed{round_}.example\n".encode())
        seconds, rss, said = run(update, folder)
        if "+1 -0" not in said:
            raise Failed(f"one line was added, and yet: {said}")
        changed.append(seconds)
        most = max(most, rss)
    for name, figure, times in (
        ("update and compile, nothing changed", 0.5, quiet),
        ("update and compile, a feed of 100,000 lines changed", 1.5, changed),
    ):
        middle = statistics.median(times)
        bar(name, f"≤ {figure} s", f"{middle:.2f} s ({min(times):.2f} to {max(times):.2f})",
            middle <= figure)
    print(f"        resident at most: {most / MIB:.0f} MiB", flush=True)


def account(options, folder, base):
    for page in range(1, PULSES // 50 + 1):
        pulses("/subscribed", {"page": [str(page)], "limit": ["50"]})
    (folder / "wiresift.toml").write_text(
        f'[[feed]]\nname = "otx"\nkind = "otx"\nurl = "{base}"\nkey_env = "BENCH_KEY"\n')
    seconds, rss, said = run([options.wiresift, "feed", "update"], folder, {"BENCH_KEY": "k"})
    if f"{PULSES * EACH}indicators" not in "".join(c for c in said if c.isalnum()):
        raise Failed(f"not a million: {said}")
    rate = PULSES * EACH / seconds
    bar("OTX account of a million indicators, into the store", "≥ 100,000 a second",
        f"{rate:,.0f} a second ({seconds:.1f} s)", rate >= 100_000)
    bar("… resident", "≤ 512 MiB", f"{rss / MIB:.0f} MiB", rss <= 512 * MIB)


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--wiresift", default="target/release/wiresift")
    parse.add_argument("--unified", default="../shared/data/feeds/unified/indicators.csv.gz")
    parse.add_argument("--runs", type=int, default=5)
    options = parse.parse_args()
    os.chdir(Path(__file__).resolve().parents[2])
    options.wiresift = Path(options.wiresift).resolve()
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        for part in (lists, account):
            if part is lists and not Path(options.unified).exists():
                print(f"        skipped: {options.unified} is not there; name it with --unified")
                continue
            with tempfile.TemporaryDirectory() as folder:
                part(options, Path(folder), base)
    except Failed as failed:
        sys.exit(f"FAILED: {failed}")


if __name__ == "__main__":
    main()
