#!/usr/bin/env python3
"""Write the pages and downloads of the invented web servers under DIR.

Their bytes are the same in every run, so that their hashes can stand in
indicator files: usage: site.py DIR
"""
import hashlib
import pathlib
import sys
import zipfile


def noise(seed: str, size: int) -> bytes:
    out = b""
    block = seed.encode()
    while len(out) < size:
        block = hashlib.sha256(block).digest()
        out += block
    return out[:size]


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    for name in ("corp", "parcel", "kestrel/dl", "heron"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "corp/index.html").write_text("<html><title>Corp</title><p>Welcome.</p></html>\n")
    (root / "corp/robots.txt").write_text("User-agent: *\nDisallow: /admin/\n")
    (root / "corp/app.js").write_text("console.log('corp');\n")
    (root / "parcel/index.html").write_text("<html><title>Bright Parcel</title><p>Your parcel waits.</p></html>\n")
    (root / "parcel/beacon.js").write_text("// beacon\n" + "fetch('http://203.0.113.66/gate.php');\n" * 8)
    (root / "kestrel/dl/KestrelSetup.bin").write_bytes(b"KESTREL\0" + noise("kestrel", 6136))
    with zipfile.ZipFile(root / "kestrel/dl/invoice-7731.zip", "w") as archive:
        entry = zipfile.ZipInfo("invoice-7731.txt", (2026, 1, 2, 3, 4, 6))
        archive.writestr(entry, "Invoice 7731 of an invented company.\n")
    (root / "heron/index.html").write_text("<html><title>panel</title></html>\n")
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            print(*(hashlib.new(a, data).hexdigest() for a in ("md5", "sha1", "sha256")), path.relative_to(root))


main()
