#!/usr/bin/env python3
"""An access port of a VLAN switch: usage: vlanport.py TRUNK TAP TAG...

Frames from the tap device TAP go out of the interface TRUNK with the 802.1Q
(or, where TAG begins with "s", 802.1ad) tags put in, outermost first; frames
that come in from TRUNK with the same tags lose them and go to TAP. Needed
where the kernel has no 8021q module.
"""
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000
PACKET_AUXDATA = 8
VLAN_VALID, TPID_VALID = 0x10, 0x40


def tag_bytes(text: str) -> bytes:
    kind = 0x88A8 if text.startswith("s") else 0x8100
    return struct.pack("!HH", kind, int(text.lstrip("s")))


def main() -> None:
    trunk, tap, *tags = sys.argv[1:]
    head = b"".join(map(tag_bytes, tags))
    access = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(access, TUNSETIFF, struct.pack("16sH22x", tap.encode(), IFF_TAP_NO_PI))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    wire.setsockopt(263, PACKET_AUXDATA, 1)  # SOL_PACKET
    wire.bind((trunk, 0))
    while True:
        for ready in select.select([access, wire], [], [])[0]:
            if ready == access:
                frame = os.read(access, 65535)
                wire.send(frame[:12] + head + frame[12:])
                continue
            frame, extra, _, source = wire.recvmsg(65535, 256)
            if source[2] == socket.PACKET_OUTGOING:
                continue
            for level, kind, data in extra:
                # The kernel takes the outer tag off and hands it over beside the frame.
                if level == 263 and kind == PACKET_AUXDATA:
                    status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
                    if status & VLAN_VALID:
                        tpid = tpid if status & TPID_VALID else 0x8100
                        frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
            if frame[12 : 12 + len(head)] == head:
                try:
                    os.write(access, frame[:12] + frame[12 + len(head) :])
                except OSError:
                    pass  # the tap is not up yet

main()
