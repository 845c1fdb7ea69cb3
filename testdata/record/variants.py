#!/usr/bin/env python3
"""Rewrite a recorded capture in another clothing; the packets stay the same.

    variants.py big-endian IN.pcap OUT.pcap    headers in big-endian byte order
    variants.py null IN.pcap OUT.pcap          raw IP to BSD loopback (DLT_NULL)
    variants.py plain-section IN.pcapng OUT.pcapng
                                               drop the section header's options and `if_os`, which
                                               name the processor and kernel of the recorder
"""
import struct
import sys


def pcap_packets(data: bytes):
    magic, _, _, _, _, snaplen, link = struct.unpack_from("<IHHiIII", data)
    assert magic in (0xA1B2C3D4, 0xA1B23C4D), "not a little-endian pcap"
    at = 24
    packets = []
    while at < len(data):
        seconds, fraction, kept, length = struct.unpack_from("<IIII", data, at)
        packets.append((seconds, fraction, length, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return magic, snaplen, link, packets


def write_pcap(order: str, magic: int, snaplen: int, link: int, packets) -> bytes:
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for seconds, fraction, length, body in packets:
        out.append(struct.pack(order + "IIII", seconds, fraction, len(body), length) + body)
    return b"".join(out)


def big_endian(data: bytes) -> bytes:
    return write_pcap(">", *pcap_packets(data))


def null(data: bytes) -> bytes:
    magic, snaplen, link, packets = pcap_packets(data)
    assert link in (12, 101), "not raw IP"
    dressed = []
    for seconds, fraction, length, body in packets:
        family = 2 if body[0] >> 4 == 4 else 30  # 30: AF_INET6 of macOS
        dressed.append((seconds, fraction, length + 4, struct.pack("<I", family) + body))
    return write_pcap("<", magic, snaplen, 0, dressed)


def plain_section(data: bytes) -> bytes:
    out, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + length - 4]
        if kind == 0x0A0D0D0A:
            assert body[:4] == bytes.fromhex("4d3c2b1a"), "not a little-endian pcapng"
            body = body[:16]
        elif kind == 1:
            kept, option = body[:8], 8
            while option < len(body):
                code, size = struct.unpack_from("<HH", body, option)
                end = option + 4 + (size + 3) // 4 * 4
                if code != 12:  # if_os
                    kept += body[option:end]
                option = end
            body = kept
        out.append(struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12))
        at += length
    return b"".join(out)


with open(sys.argv[2], "rb") as source:
    result = {"big-endian": big_endian, "null": null, "plain-section": plain_section}[sys.argv[1]](source.read())
with open(sys.argv[3], "wb") as target:
    target.write(result)
