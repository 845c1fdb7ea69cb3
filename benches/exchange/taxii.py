"""TAXII by pages, ours and medallion's, with the same objects and the same client."""

import base64
import http.client
import json
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

from lab import Failed, Server, body_of, key_of, request, told

MEDIA = "application/taxii+json;version=2.1"
USER, PASSWORD, ROOT, COLLECTION = "bench", "bench", "trustgroup1", "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
PAGE = 1000


def walk(address, path, user, password):
    """Seconds of a walk over all pages, and their bodies."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Accept": MEDIA, "Authorization": f"Basic {pair}"}
    connection = http.client.HTTPConnection(address, timeout=120)
    bodies, more, start = [], "", time.perf_counter()
    while True:
        connection.request("GET", f"{path}?limit={PAGE}{more}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failed(f"TAXII answers {answer.status}: {body[:300]}")
        bodies.append(body)
        # The member is near an end of the envelope; reading all of it would measure this client.
        edge = body if len(body) < 1000 else body[:400] + body[-400:]
        found = [part.split(b'"')[0] for part in edge.replace(b'": "', b'":"').split(b'"next":"')[1:]]
        if not found:
            break
        more = f"&next={urllib.parse.quote(found[0].decode(), safe='')}"
    seconds = time.perf_counter() - start
    connection.close()
    return seconds, [object_ for body in bodies for object_ in json.loads(body).get("objects", [])], bodies


class Medallion:
    def __init__(self, lab, objects):
        folder = lab.folder / "medallion"
        folder.mkdir(exist_ok=True)
        manifest = [{"id": it["id"], "date_added": f"2026-01-01T{at // 3_600_000:02}:{at // 60_000 % 60:02}:"
                     f"{at // 1000 % 60:02}.{at % 1000:03}Z", "version": it.get("modified", it.get("created")),
                     "media_type": "application/stix+json;version=2.1"} for at, it in enumerate(objects)]
        data = {
            "/discovery": {"title": "bench", "description": "", "contact": "", "default": f"http://127.0.0.1/{ROOT}/",
                           "api_roots": [f"http://127.0.0.1/{ROOT}/"]},
            ROOT: {"information": {"title": "bench", "versions": [MEDIA], "max_content_length": 104_857_600},
                   "status": [],
                   "collections": [{"id": COLLECTION, "title": "bench", "description": "", "can_read": True,
                                    "can_write": False, "media_types": ["application/stix+json;version=2.1"],
                                    "objects": objects, "manifest": manifest}]}}
        (folder / "data.json").write_text(json.dumps(data))
        (folder / "conf.json").write_text(json.dumps({
            "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
                        "filename": str(folder / "data.json")},
            "users": {USER: PASSWORD}, "taxii": {"max_page_size": PAGE}}))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        run = "import medallion.scripts.run as run; run.main()"
        self.child = subprocess.Popen(
            [lab.python("medallion"), "-c", run, "--host", "127.0.0.1", "--port", str(port), folder / "conf.json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(folder / "stderr", "wb"))
        end = time.perf_counter() + 60
        while time.perf_counter() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Failed(f"medallion does not start: {(folder / 'stderr').read_text()[-500:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()


def taxii(lab):
    pulses, each = lab.scaled((20, 499), (4, 49))
    def make(data):
        lab.fill(data, lab.write_pulses("taxii", pulses, each), pulses * each)
    data = lab.kept("taxii", make)
    with Server(lab, data) as server:
        path = "/taxii/root/collections/public/objects/"
        runs = [walk(server.address, path, key_of("bench"), "x") for _ in range(3)]
        ours, objects, _ = min(runs, key=lambda run: run[0])
        kinds = [it["type"] for it in objects].count("indicator")
        if kinds != pulses * each or len({it["id"] for it in objects}) != len(objects):
            raise Failed(f"TAXII has {kinds} indicators, expected {pulses * each}")
        with Medallion(lab, objects) as medallion:
            path = f"/{ROOT}/collections/{COLLECTION}/objects/"
            theirs, found, _ = min((walk(medallion.address, path, USER, PASSWORD) for _ in range(2)),
                                   key=lambda run: run[0])
        if sorted(it["id"] for it in found) != sorted(it["id"] for it in objects):
            raise Failed(f"medallion has {len(found)} objects, expected {len(objects)}")
    lab.bar(f"TAXII, {len(objects):,} objects in pages of {PAGE:,}", "≥ 20 times medallion",
            f"{theirs / ours:.0f} times ({ours * 1000:.0f} ms, medallion {theirs * 1000:,.0f} ms)", theirs >= 20 * ours)
