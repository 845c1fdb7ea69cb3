#!/usr/bin/env python3
"""Writes the inputs of cases that no editor can write: text in UTF-16, archives, Windows events.

    testdata/record/inputs.py        # rewrites testdata/cases/{utf16*,zip*,tar*,closed*,evtx*}/input.*

The same bytes in every run. Feeds and expectations are written by hand, beside them.
"""
import gzip, io, lzma, struct, tarfile, zipfile
from pathlib import Path

CASES = Path(__file__).resolve().parent.parent / "cases"
WHEN = (2026, 11, 24, 4, 15, 40)

LOG = "2026-11-24 04:15:41 logon failed [CLIENT: 203.0.113.5]\r\n" \
      "2026-11-24 04:15:42 lookup of evil.example \U0001f600 done\r\n"


def write(case, name, data):
    folder = CASES / case
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, WHEN)
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".gz") else method
            archive.writestr(info, data)
    return out.getvalue()


def tarred(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Binary:
    """BinXML of a record, at its place in a chunk."""

    def __init__(self, at):
        self.at, self.out = at, b""

    def add(self, data):
        self.out += data

    def name(self, text):
        self.add(struct.pack("<I", self.at + len(self.out) + 4))
        self.add(struct.pack("<IHH", 0, 0, len(text)) + text.encode("utf-16le") + b"\0\0")

    def text(self, text):
        self.add(b"\x05\x01" + struct.pack("<H", len(text)) + text.encode("utf-16le"))

    def element(self, name, attributes=(), contents=()):
        self.add((b"\x41" if attributes else b"\x01") + struct.pack("<I", 0))
        self.name(name)
        if attributes:
            self.add(struct.pack("<I", 0))
        for at, (key, value) in enumerate(attributes):
            self.add(b"\x46" if at + 1 < len(attributes) else b"\x06")
            self.name(key)
            self.text(value)
        self.add(b"\x02")
        for item in contents:
            if isinstance(item, str):
                self.text(item)
            else:
                self.element(*item)
        self.add(b"\x04")


def record(number, at, time, event, data):
    xml = Binary(at + 24)
    xml.add(b"\x0f\x01\x01\x00")
    fields = [("Data", [("Name", key)], [value]) for key, value in data]
    xml.element("Event", (), [
        ("System", (), [
            ("Provider", [("Name", "Microsoft-Windows-Security-Auditing")], []),
            ("EventID", (), [str(event)]),
            ("TimeCreated", [("SystemTime", time)], []),
            ("Computer", (), ["ws7.corp.example"]),
        ]),
        ("EventData", (), fields),
    ])
    xml.add(b"\0")
    size = 24 + len(xml.out) + 4
    filetime = 134_084_700_000_000_000 + number
    head = b"\x2a\x2a\0\0" + struct.pack("<IQQ", size, number, filetime)
    return head + xml.out + struct.pack("<I", size)


def chunk(first, records):
    body = b""
    for at, given in enumerate(records):
        last = 512 + len(body)
        body += record(first + at, last, *given)
    head = bytearray(512)
    head[:8] = b"ElfChnk\0"
    end = first + len(records) - 1
    struct.pack_into("<QQQQIII", head, 8, first, end, first, end, 128, last, 512 + len(body))
    struct.pack_into("<I", head, 120, 4)
    return (bytes(head) + body).ljust(65536, b"\0")


def events(*chunks):
    head = bytearray(4096)
    head[:8] = b"ElfFile\0"
    struct.pack_into("<QQQIHHHH", head, 8, 0, len(chunks) - 1, 9, 128, 1, 3, 4096, len(chunks))
    return bytes(head) + b"".join(chunks)


EVENTS = [
    chunk(1, [
        ("2026-11-24T04:15:40.1234567Z", 4624, [("IpAddress", "192.0.2.10"), ("IpPort", "49152")]),
        ("2026-11-24T04:15:41.0000000Z", 4625, [("IpAddress", "203.0.113.5"), ("TargetUserName", "root")]),
    ]),
    chunk(3, [("2026-11-24T04:15:42.0000000Z", 22, [("QueryName", "evil.example")])]),
]


def main():
    utf16 = LOG.encode("utf-16le")
    write("utf16_marked", "input.log", b"\xff\xfe" + utf16)
    write("utf16_big_endian", "input.log", LOG.encode("utf-16be"))
    write("utf16_packed", "input.log.gz", gzip.compress(b"\xff\xfe" + utf16, mtime=0))
    plain = LOG.encode()
    padded = b"nothing\n" * 20
    inner = zipped([("deep/b.log", padded * 2 + plain.splitlines(True)[1])])
    first = plain.splitlines(True)[0]
    write("zip_of_logs", "input.zip", zipped([
        ("folder/", b""), ("folder/a.log", first), ("folder/b.log.gz", gzip.compress(padded + first, mtime=0)),
        ("folder/c.zip", inner),
    ]))
    write("zip_lzma", "input.docx", zipped([("word/document.xml", b"<w:t>see evil.example</w:t>\n")], zipfile.ZIP_LZMA))
    hidden = bytearray(zipped([("secret.log", plain)]))
    for magic, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        hidden[hidden.index(magic) + flags] |= 1
    write("closed_zip_member", "input.zip", bytes(hidden))
    write("closed_7z", "input.7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(range(200)))
    long = "folder/" * 20 + "a.log"
    archive = tarred([(long, first), ("b.log", padded + plain.splitlines(True)[1])])
    write("tar_in_xz", "input.tar.xz", lzma.compress(archive))
    write("tar_plain", "input.tar", archive)
    write("evtx", "input.evtx", events(*EVENTS))
    write("evtx_damaged", "input.evtx", events(EVENTS[0], b"\xff" * 65536, EVENTS[1]))


main()
