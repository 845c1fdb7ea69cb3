#!/usr/bin/env python3
"""What an exchange costs and how long people wait for it, compared with the bars.

    benches/exchange/measure.py [--wiresift BINARY] [--load BINARY] [--folder FOLDER]
                                [--only NAME[,NAME]] [--small]

Starts `wiresift exchange serve` over databases that this script makes from fixed seeds (kept in
FOLDER: 4 GB), and sends requests with benches/exchange/load.rs from the same machine, whose
processor time counts, too. Every answer is checked against what was put in; figures of a run
whose answers are wrong are not printed. With --small everything is a thousandth or so and takes
seconds, and the verdicts say "scaled". Needs Python 3.11 with SQLite 3.37, and for `taxii` PyPI.

    pulses   pulses of 500 indicators in over HTTP, each durable when it is answered
    nothing  subscribers ask for what is newer, and nothing is
    sync     the first `wiresift feed update` of a million indicators
    lookup   values among ten million
    search   words among 100,000 pulses
    taxii    10,000 objects by pages, compared with medallion
    export   a million as plain list, made and unchanged
    pollers  half an hour of 26,000 pollers while indicators come in at a million a day
    growth   bytes for each row, and what a year needs
"""

import argparse
import http.client
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

# What is imported is not compiled into the source tree.
sys.dont_write_bytecode = True
from lab import (KINDS, MIB, SLUGS, Failed, Lab, Server, Store, body_of, dice, expect, indicator, key_of, once,
                 request, told)
from taxii import taxii
from words import search


def per_second(found, count):
    used = found["server"] + found["client"]
    return (f"{count / found['seconds']:,.0f} a second ({found['seconds']:.1f} s; processor time "
            f"{found['server']:.1f} s server, {found['client']:.1f} s client, {count / used:,.0f} a second of it)")


def times(found, *names):
    return ", ".join(f"{name} {found[name]:.2f} ms" for name in names)


def pulses(lab):
    count, each = lab.scaled((2000, 500), (20, 50))
    data = lab.new("in")
    plan = lab.write_pulses("in", count, each)
    found = lab.fill(data, plan, count * each, connections=8)
    rate = count * each / found["seconds"]
    lab.bar("pulses in over HTTP, 500 indicators each, durable", "≥ 40,000 indicators a second",
            f"{per_second(found, count * each)}; {times(found, 'p50', 'p99')}", rate >= 40_000)
    shutil.rmtree(data)


def subscribers(data, count):
    """Accounts that are subscribed to the author of the bench."""
    store = Store(data)
    names = [f"subscriber{number}" for number in range(count)]
    missing = [name for name in names if not store.has_account(name)]
    store.accounts(missing)
    author = store.id_of("bench")
    store.subscribe((store.id_of(name), author) for name in names)
    return names


def nothing(lab):
    data, _ = lab.million()
    names = subscribers(data, 200)
    repeat = lab.scaled(400, 2)
    with Server(lab, data) as server:
        _, _, newest = server.get("/api/v1/pulses/subscribed?limit=1", key_of(names[0]))
        # Inclusive, to the microsecond: what is newer than that.
        last = json.loads(newest)["results"][0]["modified"]
        since = f"{last[:-6]}{int(last[-6:]) + 1:06d}" if not last.endswith("999999") else last
        with lab.plan("nothing") as plan:
            for name in names:
                target = f"/api/v1/pulses/subscribed?limit=50&page=1&modified_since={since}"
                plan.add(request("GET", target, key_of(name)))
        server.load(plan.path)
        found = server.load(plan.path, connections=16, repeat=repeat, needle='"results":[]')
    expect(found, {200: len(names) * repeat}, len(names) * repeat)
    rate = found["requests"] / found["seconds"]
    lab.bar("nothing newer for a subscriber", "≥ 8,000 a second, p99 ≤ 10 ms",
            f"{per_second(found, found['requests'])}; {times(found, 'p50', 'p99', 'max')}",
            rate >= 8000 and found["p99"] <= 10)


def sync(lab):
    data, count = lab.million()
    name = subscribers(data, 1)[0]
    with tempfile.TemporaryDirectory(dir=lab.folder) as folder, Server(lab, data) as server:
        folder = Path(folder)
        (folder / "key").write_text(key_of(name))
        (folder / "key").chmod(0o600)
        once([lab.wiresift, "feed", "add", "otx", "--url", f"http://{server.address}", "--key-file", "key"], folder)
        before = server.processor()
        seconds, client, _ = once([lab.wiresift, "feed", "update"], folder)
        used, peak = server.processor() - before, server.peak()
        _, _, listed = once([lab.wiresift, "feed", "list", "--json"], folder)
    found = [feed for feed in map(json.loads, listed.splitlines()) if feed["feed"] == "otx"]
    if not found or found[0]["indicators"] != count:
        raise Failed(f"the subscription has not {count:,} indicators: {listed[:300]}")
    lab.bar("first sync of a million indicators by feed update", "≤ 12 s, server ≤ 256 MiB",
            f"{seconds:.1f} s (processor time {used:.1f} s server, {client:.1f} s client), server {peak / MIB:.0f} MiB",
            seconds <= 12 and peak <= 256 * MIB)


def ten_million(lab):
    pulses, each = lab.scaled((2000, 5000), (10, 500))
    def make(data):
        lab.fill(data, lab.write_pulses("ten-million", pulses, each), pulses * each, connections=4)
    return lab.kept("ten-million", make), pulses * each


def lookup(lab):
    data, rows = ten_million(lab)
    count, drawn = lab.scaled(20_000, 200), dice(3)
    with Server(lab, data) as server:
        known = 0
        with lab.plan("lookup") as plan:
            for number in range(count):
                # One of ten is in no pulse.
                is_known = number % 10 != 9
                kind, value = indicator(drawn.randrange(rows) + (0 if is_known else 15_000_000))
                known += is_known
                target = f"/api/v1/indicators/{SLUGS[kind]}/{urllib.parse.quote(value, safe='')}/general"
                plan.add(request("GET", target, key_of("bench")))
        server.load(plan.path, connections=2)
        found = server.load(plan.path, connections=2, needle='"pulse_info":{"count":1,')
    expect(found, {200: count}, known)
    lab.bar("value look-up, ten million rows", "p99 ≤ 2 ms",
            f"{times(found, 'p50', 'p99', 'max')}; {per_second(found, count)}", found["p99"] <= 2)


def export(lab):
    data, count = lab.million()
    target = "/feeds/public/list"
    with Server(lab, data) as server:
        server.get("/api/v1/user/me", key_of("bench"))
        before, start = server.processor(), time.perf_counter()
        _, head, body = server.get(target, key_of("bench"))
        seconds, used = time.perf_counter() - start, server.processor() - before
        lines = [line for line in body.split(b"\n") if line and not line.startswith(b"#")]
        want = {value.encode() for value in (indicator(number)[1] for number in range(count))}
        if len(lines) != count or set(lines) != want:
            raise Failed(f"the list has {len(lines):,} lines, expected {count:,}, or others than were put in")
        with lab.plan("unchanged") as plan:
            plan.add(request("GET", target, key_of("bench"), headers=[("If-None-Match", head["etag"])]))
        server.load(plan.path, connections=1, repeat=50)
        found = server.load(plan.path, connections=1, repeat=lab.scaled(2000, 50))
        expect(found, {304: found["requests"]})
        peak = server.peak()
    lab.bar("export of a million as plain list, cold", "≤ 1.5 s",
            f"{seconds:.2f} s (processor time {used:.2f} s), {len(body) / 1e6:.0f} MB, server {peak / MIB:.0f} MiB",
            seconds <= 1.5)
    lab.bar("… unchanged, as 304", "≤ 1 ms", times(found, "p50", "p99", "max"), found["p99"] <= 1)


# Half an hour of 26,000 pollers.

AUTHORS, FOLLOWED = 260, 5


def crowd(lab):
    """The exchange of a million, with pollers that are subscribed to its author and to some of
    260 others; the authors that each is subscribed to."""
    base, _ = lab.million()
    data = lab.folder / "crowd"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(base, data)
    store, drawn = Store(data), dice(5)
    authors = [f"author{number}" for number in range(AUTHORS)]
    pollers = [f"poller{number}" for number in range(lab.scaled(26_000, 260))]
    made = store.accounts(authors + pollers)
    house = store.id_of("bench")
    chosen = {name: drawn.sample(authors, FOLLOWED) for name in pollers}
    pairs = [(made[name][0], made[author][0]) for name in pollers for author in chosen[name]]
    store.subscribe(pairs + [(made[name][0], house) for name in pollers])
    return data, authors, chosen


def poll(name, since):
    def get(path):
        return request("GET", f"/api/v1/pulses/{path}={since}", key_of(name))
    return get("subscribed?limit=50&page=1&modified_since"), get("events?limit=50&page=1&since")


def pollers(lab):
    data, authors, chosen = crowd(lab)
    # Half an hour in so many seconds; 500 indicators came in every 43 s.
    length, count = lab.scaled((90, 42), (3, 4))
    drawn = dice(7)
    with Server(lab, data) as server:
        # What was there before the half hour, everybody has.
        before = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time()))
        time.sleep(1.1)
        writers = drawn.sample(authors, count)
        with lab.plan("come-in") as come:
            for number, author in enumerate(writers):
                at = 12_000_000 + number * 496
                body = body_of(f"New pulse {number}", range(at, at + 496), tags=["new"])
                come.add(request("POST", "/api/v1/pulses/create", key_of(author), body),
                         due=(number + 0.5) * length / count)
        with lab.plan("polls") as polls:
            sessions = sorted((drawn.uniform(0, length), name) for name in chosen)
            for due, name in sessions:
                polls.add(*poll(name, before), due=due)
        used = server.processor()
        found, posted = both(lab, server, (polls.path, come.path))
        used = server.processor() - used
        # How many of the pulses each gets by then; and afterwards all of them.
        def sure(when, slack):
            return {author for number, author in enumerate(writers) if (number + 0.5) * length / count <= when - slack}
        # Whoever asks while a pulse comes in gets it or not.
        least = sum(len(sure(due, 1 + posted["max"] / 1000) & set(chosen[name])) for due, name in sessions)
        most = sum(len(sure(due, -1 - found["max"] / 1000) & set(chosen[name])) for due, name in sessions)
        expect(posted, {201: count})
        expect(found, {200: polls.requests})
        if not least <= found["needles"] <= most:
            raise Failed(f"the pollers got {found['needles']} pulses, expected {least} to {most}")
        with lab.plan("again") as again:
            late = drawn.sample(sorted(chosen), min(500, len(chosen)))
            for name in late:
                again.add(poll(name, before)[0])
        expect(server.load(again.path, needle='"revision":1,'), {200: len(late)},
               sum(len(set(writers) & set(chosen[name])) for name in late))
        peak = server.peak()
    lab.bar(f"{len(chosen):,} pollers, {polls.requests:,} calls for half an hour, in {length} s, and "
            f"{count * 496:,} indicators coming in", "nobody waits over 100 ms",
            f"{times(found, 'p50', 'p99', 'p999', 'max')}; writers {times(posted, 'max')}; {found['needles']:,} pulses "
            f"and {found['bytes'] / 1e6:,.0f} MB sent; processor time {used:.1f} s server, {found['client']:.1f} s "
            f"client; server {peak / MIB:.0f} MiB",
            found["max"] <= 100 and posted["max"] <= 100)
    shutil.rmtree(data)


def both(lab, server, plans):
    """Polls and writes at the same time."""
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(2) as pool:
        polling = pool.submit(server.load, plans[0], connections=64, fresh=True, needle='"revision":1,')
        writing = pool.submit(server.load, plans[1], connections=4)
        return polling.result(), writing.result()


def growth(lab):
    data, count = lab.million()
    whole, rows = ten_million(lab)
    def size(data):
        return sum(it.stat().st_size for it in Path(data).glob("exchange.sqlite*"))
    each = (size(whole) - size(data)) / (rows - count)
    year = each * 1e6 * 365 / 1e9
    told(f"{size(data) / count:.0f} bytes a row with {count:,} rows in pulses of 500, {size(whole) / rows:.0f} with "
         f"{rows:,} in pulses of 5,000; a million new values a day: {each * 1e6 / 1e9:.2f} GB a day, {year:.0f} GB a year")


MEASUREMENTS = {"pulses": pulses, "nothing": nothing, "sync": sync, "lookup": lookup, "search": search,
                "taxii": taxii, "export": export, "pollers": pollers, "growth": growth}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wiresift", default="target/release/wiresift")
    parser.add_argument("--load", default="target/release/examples/exchange_load")
    parser.add_argument("--folder", default="target/exchange-bench")
    parser.add_argument("--only", default=",".join(MEASUREMENTS))
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := [name for name in chosen if name not in MEASUREMENTS]:
        sys.exit(f"unknown measurements: {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    for binary in (options.wiresift, options.load):
        if not Path(binary).exists():
            sys.exit(f"{binary} is missing: make exchange builds it")
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {load:.1f}", flush=True)
    if load > 1:
        print("The machine is busy: times are too long.", flush=True)
    lab, failures = Lab(options), 0
    for name in chosen:
        try:
            MEASUREMENTS[name](lab)
        except Failed as failure:
            lab.bar(name, "works", str(failure), False)
            failures += 1
    # Scaled figures say nothing; wrong answers do.
    sys.exit(1 if failures or lab.missed and not lab.is_small else 0)


if __name__ == "__main__":
    main()
