#!/usr/bin/env python3
"""Writes input.pcap.gz: mails whose headers meet the bound on a header, by every carrier.

The bound is 64 KiB. Each header is folded, and ends one line below the bound, with a line that
ends exactly there, or beyond. Behind each mail stands what the feed names.
"""
import gzip
import struct

BOUND = 64 << 10
LINE = b" 0123456789abc\r\n"


def header(length):
    """A header of so many bytes that a line break ends."""
    text = b"X-A: " + b"a" * (11 - 2) + b"\r\n"
    while length - len(text) >= 2 * len(LINE):
        text += LINE
    return text + b" " * (length - len(text) - 2) + b"\r\n"


def mail(number, length):
    return (
        header(length) + b" goes on\r\nSubject: s\r\n\r\nhttp://m%d.example/\r\n" % number
    )


def packet(source, target, sport, dport, sequence, data):
    tcp = struct.pack("!HHIIBBHHH", sport, dport, sequence, 0, 0x50, 0x18, 8192, 0, 0)
    length = 20 + len(tcp) + len(data)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, 6, 0, source, target)
    return ip + tcp + data


def main():
    packets = []
    client, server = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
    number = 0
    for length in (BOUND - len(LINE), BOUND - 1, BOUND, BOUND + 1):
        for carrier in ("smtp", "pop3", "imap"):
            number += 1
            text, port = mail(number, length), 4000 + number
            if carrier == "smtp":
                said = b"EHLO a.test\r\nMAIL FROM:<a@a.test>\r\nDATA\r\n" + text + b".\r\n"
                ends = (client, server, port, 25)
            elif carrier == "pop3":
                said = b"+OK ready\r\n+OK\r\n" + text + b".\r\n"
                ends = (server, client, 110, port)
            else:
                said = b"* OK r\r\n* 1 FETCH (BODY[] {%d}\r\n" % len(text) + text + b")\r\n"
                ends = (server, client, 143, port)
            for at in range(0, len(said), 32768):
                packets.append(packet(*ends, 1 + at, said[at : at + 32768]))
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for at, data in enumerate(packets):
        out += struct.pack("<IIII", 1_750_000_000, at, len(data), len(data)) + data
    with open("input.pcap.gz", "wb") as file:
        file.write(gzip.compress(out, 9, mtime=0))


main()
