"""Searches for words: pulses with words of all frequencies, and questions whose answers are known."""

import json
from collections import defaultdict

from lab import Server, body_of, dice, expect, key_of, request, told
import urllib.parse

# Syllables of made-up words.
SYLLABLES = ["ba", "ko", "ri", "tan", "mel", "sur", "vi", "dor", "lek", "pa", "no", "zi", "gra", "fu", "quo", "shen"]
# Counts are exact up to that.
EXACT = 1000


def vocabulary(count):
    words = []
    for number in range(count):
        word = ""
        for _ in range(4):
            word += SYLLABLES[number % 16]
            number //= 16
        words.append(word)
    return words


def texts(pulses):
    """Name and description of each pulse. The first words are in most of them, the last in few."""
    words, drawn = vocabulary(20_000), dice(11)
    weights = [1 / (rank + 8) for rank in range(len(words))]
    for _ in range(pulses):
        text = drawn.choices(words, weights, k=34)
        yield " ".join(text[:4]), " ".join(text[4:])


def questions(lab, pulses, count):
    """Words of which one or two are searched for, and how many pulses have them: as many rare as
    frequent ones, and two of a hundred that are in most pulses."""
    path = lab.folder / "questions.json"
    if path.exists():
        return json.loads(path.read_text())
    having = defaultdict(set)
    for number, (name, text) in enumerate(texts(pulses)):
        for word in {*name.split(), *text.split()}:
            having[word].add(number)
    tiers = [[], [], []]
    for word, found in sorted(having.items()):
        share = len(found) / pulses
        if share < 0.2:
            tiers[0 if share < 0.001 else 1 if share < 0.01 else 2].append(word)
    most = sorted(having, key=lambda word: -len(having[word]))[:20]
    drawn, asked = dice(13), []
    for number in range(count):
        if number % 50 == 7:
            words = [drawn.choice(most)]
        else:
            words = [drawn.choice(tiers[number % 3] or tiers[2])]
            if number % 2:
                words.append(drawn.choice(tiers[2] or most))
        asked.append((" ".join(words), len(set.intersection(*(having[word] for word in words)))))
    path.write_text(json.dumps(asked))
    return asked


def search(lab):
    pulses, count = lab.scaled((100_000, 600), (200, 30))
    def make(data):
        with lab.plan("words") as plan:
            for number, (name, text) in enumerate(texts(pulses)):
                body = body_of(name, range(number * 3, number * 3 + 3), description=text,
                               tags=[f"tag{number % 500}"], malware_families=[f"Family{number % 300}"])
                plan.add(request("POST", "/api/v1/pulses/create", key_of("bench"), body))
        lab.fill(data, plan, pulses * 3, connections=16)
    data = lab.kept("words", make)
    asked = questions(lab, pulses, count)
    def target(words):
        return f"/api/v1/search/pulses?limit=20&page=1&q={urllib.parse.quote(words)}"
    with Server(lab, data) as server:
        for words, want in asked[:: max(1, count // 40)]:
            answer = json.loads(server.get(target(words), key_of("bench"))[2])
            right = answer["count"] == want if want <= EXACT else answer["count"] >= EXACT
            has_all = all(word in f"{it['name']} {it['description']}" for it in answer["results"] for word in words.split())
            if not right or not has_all or len(answer["results"]) != min(20, want):
                from lab import Failed
                raise Failed(f"“{words}”: {answer['count']} pulses, {len(answer['results'])} shown, expected {want}")
        with lab.plan("search") as plan:
            for words, _ in asked:
                plan.add(request("GET", target(words), key_of("bench")))
        server.load(plan.path, connections=2)
        found = server.load(plan.path, connections=1, repeat=lab.scaled(3, 1), needle='"indicator_type_counts":{"')
    expect(found, {200: found["requests"]}, lab.scaled(3, 1) * sum(min(20, want) for _, want in asked))
    lab.bar(f"words search, {pulses:,} pulses", "p95 ≤ 30 ms",
            f"p50 {found['p50']:.1f} ms, p95 {found['p95']:.1f} ms, p99 {found['p99']:.1f} ms, max {found['max']:.1f} ms; "
            f"{found['requests'] / (found['server'] + found['client']):,.0f} a second of processor time",
            found["p95"] <= 30)
