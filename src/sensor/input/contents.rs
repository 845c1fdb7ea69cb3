//! Detects the type of an input from its first bytes: text, a container, mails, or something that
//! cannot be searched inside.

use super::archive::is_header;
use super::mailbox;

/// The type of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contents {
    /// Text of any kind: a log.
    Text,
    /// Binary data of some program: searched as raw bytes.
    Binary,
    /// A mail, or several in mbox format.
    Mail,
    /// A zip archive, or a document in that format.
    Zip,
    /// A tar archive.
    Tar,
    /// Windows events, EVTX.
    Events,
    /// Something that hides its contents; the text is its name. Its raw bytes are searched, but not
    /// its contents.
    Closed(&'static str),
}

/// Formats that hide their contents, by compression, encryption or a special encoding: name,
/// offset, and the bytes there.
const CLOSED: &[(&str, usize, &[u8])] = &[
    ("7z", 0, b"7z\xbc\xaf\x27\x1c"),
    ("rar", 0, b"Rar!\x1a\x07"),
    ("compress", 0, b"\x1f\x9d"),
    ("pack", 0, b"\x1f\x1e"),
    ("lzip", 0, b"LZIP\x01"),
    ("lzop", 0, b"\x89LZO\0\r\n\x1a\n"),
    ("lrzip", 0, b"LRZI\0"),
    ("snappy", 0, b"\xff\x06\0\0sNaPpY"),
    ("mozlz4", 0, b"mozLz40\0"),
    ("zpaq", 0, b"7kSt\xa0\x31\x83\xd3"),
    ("cab", 0, b"MSCF\0\0\0\0"),
    ("installshield", 0, b"ISc("),
    ("arj", 0, b"\x60\xea"),
    ("lha", 2, b"-lh"),
    ("ace", 7, b"**ACE**"),
    ("xar", 0, b"xar!\0"),
    ("wim", 0, b"MSWIM\0\0\0"),
    ("ar", 0, b"!<arch>\n"),
    ("rpm", 0, b"\xed\xab\xee\xdb"),
    ("cpio", 0, b"\xc7\x71"),
    ("squashfs", 0, b"hsqs"),
    ("cramfs", 0, b"\x45\x3d\xcd\x28"),
    ("qcow2", 0, b"QFI\xfb"),
    ("vmdk", 0, b"KDMV"),
    ("vhd", 0, b"conectix"),
    ("vhdx", 0, b"vhdxfile"),
    ("vdi", 0x40, b"\x7f\x10\xda\xbe"),
    ("ewf", 0, b"EVF\x09\x0d\x0a\xff\0"),
    ("ewf", 0, b"EVF2\x0d\x0a\x81\0"),
    ("aff4", 0, b"AFF10\r\n"),
    ("luks", 0, b"LUKS\xba\xbe"),
    ("age", 0, b"age-encryption.org/v1"),
    ("sqlite", 0, b"SQLite format 3\0"),
    ("ese", 4, b"\xef\xcd\xab\x89"),
    ("pst", 0, b"!BDN"),
    ("ole", 0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("tnef", 0, b"\x78\x9f\x3e\x22"),
    ("chm", 0, b"ITSF"),
    ("pdf", 0, b"%PDF-"),
    ("evt", 4, b"LfLe"),
    ("registry hive", 0, b"regf"),
    ("journal", 0, b"LPKSHHRH"),
    ("prefetch", 0, b"MAM\x04"),
    ("parquet", 0, b"PAR1"),
    ("parquet", 0, b"PARE"),
    ("avro", 0, b"Obj\x01"),
    ("orc", 0, b"ORC"),
    ("arrow", 0, b"ARROW1\0\0"),
    ("feather", 0, b"FEA1"),
    ("hdf5", 0, b"\x89HDF\r\n\x1a\n"),
    ("rcfile", 0, b"RCF\x01"),
    ("sequencefile", 0, b"SEQ\x06"),
];

/// Where the volume descriptor of an ISO 9660 image has its identifier.
pub(super) const ISO: (u64, &[u8]) = (0x8001, b"CD001");

impl Contents {
    /// The type of an input that begins with these bytes: 512 are enough, except for mails, whose
    /// headers are read.
    pub fn of(head: &[u8]) -> Contents {
        match head {
            // The second signature is that of an empty archive, the third one of a split archive
            // that turned out to need only one part.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => {
                return Contents::Zip;
            }
            [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => return Contents::Events,
            _ if is_header(head) => return Contents::Tar,
            _ => {}
        }
        let is_binary = head.iter().any(|&b| matches!(b, 0..=8 | 14..=26));
        // A text may begin with these few bytes, too.
        let is = |(_, at, magic): &&(&str, usize, &[u8])| {
            head.get(*at..).is_some_and(|rest| rest.starts_with(magic))
                && (is_binary || magic.len() > 4)
        };
        match CLOSED.iter().find(is) {
            Some((name, ..)) => Contents::Closed(name),
            None if is_cpio(head) => Contents::Closed("cpio"),
            None if memchr::memchr(0, head).is_some() => Contents::Binary,
            None if mailbox::is_mail(head) => Contents::Mail,
            None => Contents::Text,
        }
    }
}

/// Whether these are the first bytes of a cpio archive with ASCII headers; a log may begin with the
/// seventh of July 2007.
fn is_cpio(head: &[u8]) -> bool {
    matches!(head, [b'0', b'7', b'0', b'7', b'0', b'1' | b'2' | b'7', rest @ ..]
        if rest.len() >= 24 && rest[..24].iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_their_first_bytes() {
        for (head, contents) in [
            (&b"PK\x03\x04rest"[..], Contents::Zip),
            (b"PK\x05\x06", Contents::Zip),
            (b"ElfFile\0rest", Contents::Events),
            (b"7z\xbc\xaf\x27\x1crest", Contents::Closed("7z")),
            (b"Rar!\x1a\x07\x01\0", Contents::Closed("rar")),
            (b"!<arch>\ndebian-binary", Contents::Closed("ar")),
            (b"\x30\0\0\0LfLe", Contents::Closed("evt")),
            (b"\x7fELF\x02\x01\x01\0", Contents::Binary),
            (b"", Contents::Text),
            (b"7zip is a program", Contents::Text),
            (b"ORC: 203.0.113.5", Contents::Text),
            (b"ORC\x0a\x0b\n\x03\0\0\0", Contents::Closed("orc")),
            (b"ORC\xb5\x01\0", Contents::Closed("orc")),
            (b"PAR1\x15\x04\x15", Contents::Closed("parquet")),
            (b"1234      \nFrom: a@a.example\nTo: b@b.example\nSubject: x\n\nx", Contents::Mail),
            (b"1234      \n5678\n", Contents::Text),
            (b"ORC\n203.0.113.5\n", Contents::Text),
            (b"070707 10:15:00 InnoDB: Started", Contents::Text),
            (b"070701000000010000000100000001", Contents::Closed("cpio")),
            (b"regf: a service\n", Contents::Text),
            (b"PKI: failed", Contents::Text),
        ] {
            assert_eq!(Contents::of(head), contents, "{head:?}");
        }
    }

    #[test]
    fn archives_by_their_checksum() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_old();
        header.set_size(3);
        archive.append_data(&mut header, "a.log", &b"abc"[..]).unwrap();
        let mut bytes = archive.into_inner().unwrap();
        assert_eq!(Contents::of(&bytes), Contents::Tar);
        bytes[0] = b'b';
        assert_ne!(Contents::of(&bytes), Contents::Tar);
        assert_eq!(Contents::of(&[0; 1024]), Contents::Binary);
    }
}
