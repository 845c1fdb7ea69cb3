"""Writes the captures of the cases capture_*: frames as switches, tunnels and systems make them.

python3 testdata/record/wire.py writes them anew into testdata/cases."""
import struct
from pathlib import Path

CASES = Path(__file__).resolve().parent.parent / "cases"
DAY = 1_795_000_000


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(proto, payload, src="192.0.2.10", dst="198.51.100.53"):
    def address(text):
        return bytes(map(int, text.split(".")))

    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, proto, 0)
    head += address(src) + address(dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp(src, dst, payload):
    return struct.pack(">HHHH", src, dst, 8 + len(payload), 0) + payload


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 1, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


MACS = bytes.fromhex("020000000001 020000000002")
PACKET = ipv4(17, udp(40000, 53, query("evil.example")))


def ethernet(rest):
    return MACS + rest


FRAME = ethernet(b"\x08\0" + PACKET)


def to(port, payload):
    return ethernet(b"\x08\0" + ipv4(17, udp(50000, port, payload), dst="198.51.100.9"))


def radio(rest):
    return b"\x08\x01" + bytes(22) + rest


def snap(kind, packet):
    return b"\xaa\xaa\x03\0\0\0" + kind + packet


def aggregate(parts):
    whole = b"\x88\x01" + bytes(22) + b"\x80\0"
    for part in parts:
        whole += bytes(-(len(whole) - 26) % 4)
        whole += bytes(12) + struct.pack(">H", len(part)) + part
    return whole


def pcap(linktype, frames):
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype)
    for at, frame in enumerate(frames):
        out += struct.pack("<IIII", DAY + at, 0, len(frame), len(frame)) + frame
    return out


def snoop(frames):
    out = b"snoop\0\0\0" + struct.pack(">II", 2, 4)
    for at, frame in enumerate(frames):
        padding = bytes(-len(frame) % 4)
        length = 24 + len(frame) + len(padding)
        out += struct.pack(">IIIIII", len(frame), len(frame), length, 0, DAY + at, 0)
        out += frame + padding
    return out


def without_time(frame):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        length = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + length + body + length

    head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(1, struct.pack("<HHI", 1, 0, 0))
    custom = block(0xBAD, struct.pack("<I", 32473) + b"anything")
    return head + interface + custom + block(3, struct.pack("<I", len(frame)) + frame)


TAGS = [
    b"\x89\x26\0\0\0\0\x08\0" + PACKET,
    b"\x89\x3f\0\0\0\1\0\0\x81\0\0\7\x08\0" + PACKET,
    b"\x88\xe7\0\0\0\1" + FRAME,
    b"\x89\x4f\0\x06\1\1\0\0\1\xff" + bytes(16) + PACKET,
    b"\x89\x09\1\1\0\1\0\7\x08\0" + PACKET,
    b"\x89\x03\0\x40" + FRAME,
    b"\x89\x2f\x10\x40\0\1\x08\0" + PACKET,
    b"\xd2\x8b\0\1\0\x10" + bytes(8) + b"\x08\0" + PACKET,
    b"\x88\xe5\x20\0\0\0\0\1channel!\x08\0" + PACKET + bytes(16),
    b"\x22\xf3\0\5\0\1\0\2" + FRAME,
    # Encrypted: nothing is found.
    b"\x88\xe5\x2c\0\0\0\0\1channel!" + bytes(80),
]
GRE = [b"\0\0\x82\0" + aggregate([snap(b"\x08\6", bytes(28)), snap(b"\x08\0", PACKET)]),
       b"\0\0\x88\x3e\0\x33\0\0" + PACKET]
TUNNELS = [
    to(1701, b"\0\2\0\1\0\1\xff\3\0\x21" + PACKET),
    to(37008, b"\1\0\0\1\1" + FRAME),
    to(4754, b"\0\0\x08\0" + PACKET),
    to(6635, b"\0\0\x11\x40" + PACKET),
    to(5247, b"\0\x10\x43\0\0\0\0\0" + radio(snap(b"\x08\0", PACKET))),
    to(4341, b"\x80\0\0\0\0\0\0\0" + PACKET),
    to(4790, b"\x0c\0\0\1\0\0\7\0" + PACKET),
    to(4001, b"\x08\0\0\0\0\0\7\0" + FRAME),
    *[ethernet(b"\x08\0" + ipv4(47, gre, dst="198.51.100.9")) for gre in GRE],
    ethernet(b"\x08\0" + ipv4(51, b"\x11\4" + bytes(22) + PACKET[20:])),
    # A name of the same bytes that is in no tunnel: no tunnel is made up.
    to(1701, query("good.example")),
]

if __name__ == "__main__":
    for case, name, data in [
        ("capture_snoop", "input.snoop", snoop([FRAME, FRAME])),
        ("capture_tags", "input.pcap", pcap(1, [ethernet(tag) for tag in TAGS])),
        ("capture_tunnels", "input.pcap", pcap(1, TUNNELS)),
        ("capture_unknown_link", "input.pcap", pcap(9999, [FRAME])),
        ("capture_without_time", "input.pcapng", without_time(FRAME)),
        ("capture_of_another_kind", "input.cap", b"GMBU\0\2\1\0" + bytes(120)),
    ]:
        (CASES / case).mkdir(exist_ok=True)
        (CASES / case / name).write_bytes(data)
