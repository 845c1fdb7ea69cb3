#!/usr/bin/env python3
"""Write texts of all line ends, and bytes that look like such, under DIR: usage: texts.py DIR"""
import hashlib
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
lines = [f"{n:02} {hashlib.sha256(bytes([n])).hexdigest()}" for n in range(50)]
(root / "lf.txt").write_bytes("".join(f"{line}\n" for line in lines).encode())
(root / "crlf.txt").write_bytes("".join(f"{line}\r\n" for line in reversed(lines)).encode())
# A bare CR, CR CR LF, CR NUL, a CR at the end.
(root / "cr.txt").write_bytes(b"one\rtwo\ntail\r\r\nnul\r\0\nlast\r")
# Every pair of CR, LF, NUL and a letter, in a file that is no text.
pairs = b"".join(bytes([a, b, c]) for a in b"\r\n\0x" for b in b"\r\n\0x" for c in b"\r\n\0x")
(root / "pairs.bin").write_bytes(pairs * 20 + b"\r")
