"""Writes the captures of cases that are about what is rare on the wire: addresses in other
clothes, text among packets, errors that quote, tiny records, headers of proxies.

python3 testdata/record/oddities.py writes them anew into testdata/cases."""
import ipaddress
import struct

from wire import CASES, DAY, FRAME, PACKET, ethernet, ipv4, pcap, query, radio, snap, to, udp

EVIL = "203.0.113.5"


def v6(text):
    return ipaddress.IPv6Address(text).packed


def ipv6(proto, payload, src="2001:db8::10", dst="2001:db8::53"):
    return struct.pack(">IHBB", 6 << 28, len(payload), proto, 64) + v6(src) + v6(dst) + payload


def frame4(packet):
    return ethernet(b"\x08\0" + packet)


def frame6(packet):
    return ethernet(b"\x86\xdd" + packet)


def tcp(src, dst, seq, flags, payload=b""):
    return struct.pack(">HHIIBBHHH", src, dst, seq, 1, 0x50, flags, 8192, 0, 0) + payload


def connection(port, pieces, client_port=40000):
    """What a client says, in as many segments."""
    frames, seq = [frame4(ipv4(6, tcp(client_port, port, 0, 2)))], 1
    for piece in pieces:
        frames.append(frame4(ipv4(6, tcp(client_port, port, seq, 24, piece))))
        seq += len(piece)
    return frames


def answer(kind, data):
    """An answer of DNS for www.good.example."""
    head = query("www.good.example")
    head = head[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + head[12:-4] + struct.pack(">HH", kind, 1)
    return head + b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def mapped():
    other = "64:ff9b::" + EVIL
    return [
        frame4(ipv4(17, udp(53, 40000, answer(28, v6("::ffff:" + EVIL))))),
        frame4(ipv4(17, udp(53, 40001, answer(28, v6(other))))),
        frame6(ipv6(17, udp(40000, 9000, b"datagram"), dst="::ffff:" + EVIL)),
        # Behind an extension header, so that it is read the slow way.
        frame6(ipv6(0, b"\x11\0\1\4\0\0\0\0" + udp(40001, 9000, b"x"), src="::ffff:" + EVIL)),
        *connection(1080, [b"\5\1\0", b"\5\1\0\4" + v6("::ffff:" + EVIL) + b"\1\xbb"]),
    ]


def block(kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def texts():
    def enhanced(frame, options=b""):
        ticks = DAY * 1_000_000
        head = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        return block(6, head + frame + bytes(-len(frame) % 4) + options)

    quiet = frame4(ipv4(17, udp(40000, 53, query("good.example"))))
    message = b"first line\nand http://evil.example/gate.php"
    journal = b"".join([
        b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=%d\n" % ((DAY + 60) * 1_000_000),
        b"_HOSTNAME=ws7\nMESSAGE\n" + struct.pack("<Q", len(message)) + message + b"\n",
        b"REMOTE=" + EVIL.encode() + b"\n",
    ])
    names = struct.pack("<HH", 1, 4 + 13) + bytes([203, 0, 113, 5]) + b"evil.example\0" + bytes(3)
    end = bytes(4)
    return b"".join([
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
              + option(1, b"taken at the gate of evil.example") + end),
        block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"eth0") + end),
        enhanced(quiet, option(2, bytes(4)) + option(1, b"beacon to " + EVIL.encode()) + end),
        block(9, journal),
        enhanced(quiet),
        block(4, names + end),
        # Keys of TLS, and of a kind that nobody knows.
        block(10, struct.pack("<II", 0x544C534B, 4) + b"keys"),
        block(0xBAD, struct.pack("<I", 32473) + b"anything"),
    ])


def client_hello(name):
    name = name.encode()
    server = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack(">HH", 0, len(server)) + server
    body = b"\3\3" + bytes([7] * 32) + b"\0\0\2\x13\1\1\0"
    body += struct.pack(">H", len(extensions)) + extensions
    return b"\1" + struct.pack(">I", len(body))[1:] + body


def records(message, sizes):
    out = []
    while message:
        size = sizes.pop(0) if sizes else len(message)
        piece, message = message[:size], message[size:]
        out.append(b"\x16\3\1" + struct.pack(">H", len(piece)) + piece)
    return out


def tiny_records():
    hello = client_hello("evil.example")
    bytewise = b"".join(records(hello, [1] * len(hello)))
    return [
        *connection(443, [b"".join(records(hello, [1]))], 40001),
        *connection(443, [bytewise], 40002),
        *connection(443, [bytewise[at:at + 3] for at in range(0, len(bytewise), 3)], 40003),
        *connection(8443, records(hello, [2, 1, 1, 30]), 40004),
    ]


def tags():
    return [ethernet(b"\x81\0\0\7" * count + b"\x08\0" + PACKET) for count in (8, 9, 20)]


def icmp(kind, code, quote, more=b"\0\0\0\0"):
    return ipv4(1, bytes([kind, code, 0, 0]) + more + quote, src="192.0.2.1", dst="192.0.2.10")


def quotes():
    tcp_quote = ipv4(6, tcp(40000, 443, 1, 2), dst=EVIL)
    six = ipv6(6, tcp(40000, 443, 1, 2), dst="2001:db8:bad::5")
    return [
        # As much as RFC 792 asks for, twice: the second tells nothing new.
        frame4(icmp(3, 13, tcp_quote[:28])),
        frame4(icmp(3, 13, tcp_quote[:28])),
        # A whole question.
        frame4(icmp(11, 0, PACKET)),
        frame6(ipv6(58, b"\1\1\0\0\0\0\0\0" + six, src="2001:db8::1", dst="2001:db8::10")),
        # An echo quotes nobody.
        frame4(icmp(8, 0, tcp_quote)),
        # The flow was seen: its error adds nothing.
        frame4(ipv4(6, tcp(40001, 80, 1, 2), dst="203.0.113.6")),
        frame4(icmp(3, 1, ipv4(6, tcp(40001, 80, 1, 2), dst="203.0.113.6"))),
        # A segment of a stream is not read.
        frame4(icmp(3, 4, ipv4(6, tcp(40002, 80, 1, 24, b"GET /"), dst="203.0.113.7"))),
    ]


def requests(heads):
    frames = []
    for at, head in enumerate(heads):
        text = "\r\n".join(head) + "\r\n\r\n"
        frames += connection(80, [text.encode()], 40000 + at)
    return frames


def proxied():
    def request(target, *headers):
        return [f"GET {target} HTTP/1.1", "Host: good.example", *headers]

    return requests([
        request("/", "DO-Connecting-IP: " + EVIL),
        request("/", "CloudFront-Viewer-Address: 2001:db8:bad::5:61000"),
        request("/", "CloudFront-Viewer-Address: " + EVIL + ":61000"),
        request("/", "X-Nf-Client-Connection-Ip: " + EVIL, "Incap-Client-IP: " + EVIL),
        request("/gate.php", "X-Forwarded-Host: evil.example"),
        request("/in", "X-Original-URL: /out/gate.php?x=1"),
        request("/gate.php", "X-Forwarded-Prefix: /out/"),
        request("/", "X-Rewrite-URL: http://evil.example/gate.php"),
        request("/gate.php", "Forwarded: for=192.0.2.7;host=evil.example"),
    ])


def strings(*texts):
    return b"".join(bytes([len(text)]) + text for text in texts)


def dns_texts():
    records = [
        (16, strings(b"v=spf1 ip4:203.0.11", b"3.5 include:evil.example -all")),
        (16, strings(b"see http://evil.example/gate.php")),
        (256, struct.pack(">HH", 1, 1) + b"http://evil.example/gate.php"),
        (257, b"\0\5iodefmailto:bad@evil.example"),
        # A key, and a name that is cut off.
        (16, strings(b"v=DKIM1; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A")),
    ]
    return [frame4(ipv4(17, udp(53, 40000 + at, answer(*record))))
            for at, record in enumerate(records)]


def conversations():
    sip = b"INVITE sip:a@good.example SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5:5060\r\n\r\n"
    ssdp = b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: http://evil.example/gate.php\r\n\r\n"
    rtsp = b"DESCRIBE rtsp://evil.example/stream RTSP/1.0\r\nCSeq: 2\r\n\r\n"
    irc = b"NICK bot7\r\nUSER bot7 0 * :bot\r\nPRIVMSG #c :http://evil.example/gate.php\r\n"
    icap = (b"REQMOD icap://icap.good.example/x ICAP/1.0\r\nEncapsulated: req-hdr=0, null-body=60\r\n"
            b"\r\nGET http://evil.example/gate.php HTTP/1.1\r\n\r\n")
    return [
        frame4(ipv4(17, udp(5060, 5060, sip))),
        frame4(ipv4(17, udp(1900, 50000, ssdp))),
        *connection(554, [rtsp[:20], rtsp[20:]], 40001),
        *connection(6667, [irc], 40002),
        *connection(1344, [icap], 40003),
    ]


def mirrors():
    air = radio(snap(b"\x08\0", PACKET))
    return [
        to(5000, bytes(20) + air),
        to(5000, b"\0\xff\xab\xcd\2\0\0\0\x37" + bytes(46) + air),
        to(5555, bytes(16) + air),
        to(7932, bytes(12) + FRAME),
        to(30030, bytes(8) + PACKET),
    ]


def lengths():
    def post(length):
        return (f"POST /a HTTP/1.1\r\nHost: good.example\r\nContent-Length: {length}\r\n\r\nabc"
                "GET \\gate.php HTTP/1.1\r\nHost: evil.example\r\n\r\n").encode()

    return [frame for at, length in enumerate(["3", "+3", "3, 3"])
            for frame in connection(80, [post(length)], 40000 + at)]


if __name__ == "__main__":
    for case, name, data in [
        ("capture_mapped", "input.pcap", pcap(1, mapped())),
        ("capture_texts", "input.pcapng", texts()),
        ("capture_tls_tiny", "input.pcap", pcap(1, tiny_records())),
        ("capture_many_tags", "input.pcap", pcap(1, tags())),
        ("capture_icmp_quotes", "input.pcap", pcap(1, quotes())),
        ("http_proxied", "input.pcap", pcap(1, proxied())),
        ("http_lengths", "input.pcap", pcap(1, lengths())),
        ("dns_texts", "input.pcap", pcap(1, dns_texts())),
        ("capture_conversations", "input.pcap", pcap(1, conversations())),
        ("capture_mirrors", "input.pcap", pcap(1, mirrors())),
    ]:
        (CASES / case).mkdir(exist_ok=True)
        (CASES / case / name).write_bytes(data)
