//! Handwritten and random mails, split anywhere.

use super::*;
use crate::engine::packet::Counters;
use crate::engine::packet::tests::{Recorder, converse};
use proptest::prelude::*;
use sha2::Digest as _;

/// A mail with one of everything.
pub(in crate::engine::packet) const SAMPLE: &str = concat!(
    "Received: from a.evil.example (b.evil.example [192.0.2.7])\r\n\tby mx.example\r\n",
    "From: =?utf-8?q?A_B?= <a@evil.example>\r\nTo: b@x.example,\r\n c@x.example\r\n",
    "Subject: =?utf-8?b?aHR0cDovL3Mu?= \t\r\n =?utf-8?b?ZXZpbC5leGFtcGxlLw==?=\r\n",
    "List-Unsubscribe: <https://u.evil.example/?x>\r\nMIME-Version: 1.0\r\n",
    "Content-Type: multipart/mixed; boundary=\"--=out\"\r\n\r\nPreamble.\r\n",
    "----=out\r\nContent-Type: multipart/alternative;\r\n\tboundary=in\r\n\r\n",
    "--in\r\n\r\nPlain text.\r\n--inner\r\n-\r\n--in  \r\n",
    "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    "<a href=3D\"http&#58;//h.evil.exam=\r\nple/?a=3D1&amp;b\">x</a>\r\n--in--\r\nEpilogue.\r\n",
    "----=out\r\nContent-Type: application/zip; name=\"a.zip\"\r\n",
    "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n",
    " filename*0*=utf-8''%c3%a4; filename*1=.zip\r\n\r\nUEsDBGhh\r\nbGxv\r\n\r\n",
    "----=out\r\nContent-Type: message/rfc822\r\n\r\n",
    "From: i@evil.example\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=deep\r\n\r\n",
    "--deep\r\nContent-Type: application/x; name=n.bin\r\n\r\nb\r\n\r\n",
    "--deep\r\nContent-Type: text/plain; charset=utf-16le\r\n",
    "Content-Transfer-Encoding: base64\r\n\r\naABpAA==\r\n--deep--\r\n",
    "----=out\r\nContent-Type: text/plain; name=t.txt\r\n\r\nText that is a file.\r\n",
    "begin 644 u.bin\r\n#0V%T\r\n`\r\nend\r\nBehind it.\r\n----=out--\r\n",
);

/// Digests of the files in the sample.
const FILES: [&[u8]; 4] = [
    b"PK\x03\x04hallo",
    b"b\r\n",
    b"Cat",
    b"Text that is a file.\r\nbegin 644 u.bin\r\n#0V%T\r\n`\r\nend\r\nBehind it.",
];

/// A mail as an SMTP client sends it.
fn sent(mail: &[u8]) -> Vec<u8> {
    let mut text = b"EHLO a.example\r\nDATA\r\n".to_vec();
    for line in mail.split_inclusive(|&b| b == b'\n') {
        if line.starts_with(b".") && text.ends_with(b"\r\n") {
            text.push(b'.');
        }
        text.extend(line);
    }
    text.extend(b".\r\nQUIT\r\n");
    text
}

fn read(mail: &[u8], unit: usize) -> (Recorder, Counters) {
    converse(2525, &sent(mail), &[], unit)
}

fn digest(data: &[u8]) -> String {
    format!("Sha256 {:?}", sha2::Sha256::digest(data).as_slice())
}

fn digests(recorder: &Recorder) -> Vec<&str> {
    let all = recorder.at(Where::FileHash);
    all.into_iter().filter(|text| text.starts_with("Sha256 ")).collect()
}

#[test]
fn a_mail_with_every_feature_is_read() {
    let (recorder, counters) = read(SAMPLE.as_bytes(), 100_000);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(recorder.at(Where::MailFrom), ["a@evil.example", "i@evil.example"]);
    assert_eq!(recorder.at(Where::MailTo), ["b@x.example", "c@x.example"]);
    let hosts = ["192.0.2.7", "a.evil.example", "b.evil.example", "mx.example"];
    assert_eq!(recorder.at(Where::SmtpHeader), hosts);
    let headers = "http://s.evil.example/\n<https://u.evil.example/?x>\ninner\n";
    assert_eq!(recorder.text_at(Where::SmtpHeader), headers);
    let body = "Preamble.Plain text.\r\n--inner\r\n-\
        <a href=\"http://h.evil.example/?a=1&b\">x</a>Epilogue.hi\
        Text that is a file.\r\nBehind it.";
    assert_eq!(recorder.text_at(Where::MailBody), body);
    assert_eq!(recorder.at(Where::FileName), ["ä.zip", "a.zip", "n.bin", "t.txt", "u.bin"]);
    assert_eq!(digests(&recorder), FILES.map(digest));
}

#[test]
fn any_cuts_give_the_same_reports() {
    let whole = read(SAMPLE.as_bytes(), 100_000).0;
    for unit in 1..200 {
        let (recorder, counters) = read(SAMPLE.as_bytes(), unit);
        assert_eq!(recorder.seen, whole.seen, "{unit}");
        assert_eq!(recorder.texts, whole.texts, "{unit}");
        assert_eq!(counters.faults().count(), 0);
    }
}

#[test]
fn a_mail_that_breaks_off_reports_no_digest_of_a_part() {
    for end in 0..SAMPLE.len() {
        let mut text = sent(&SAMPLE.as_bytes()[..end]);
        text.truncate(text.len() - b".\r\nQUIT\r\n".len());
        let (recorder, _) = converse(2525, &text, &[], 61);
        let all = FILES.map(digest);
        assert!(digests(&recorder).iter().all(|digest| all.iter().any(|d| d == digest)), "{end}");
    }
}

#[test]
fn malformed_mails_hide_nothing() {
    let read = |mail: &str| read(mail.as_bytes(), 7);
    // An invalid header line hides neither what follows nor itself.
    let (recorder, _) = read("Subject: a\r\nno header\r\nFrom: a@b.example\r\n\r\nx\r\n");
    assert_eq!(recorder.text_at(Where::MailBody), "no header\r\nx\r\n");
    assert_eq!(recorder.at(Where::MailFrom), ["a@b.example"]);
    // Without a boundary there is no multipart.
    let (recorder, _) = read("Content-Type: multipart/mixed\r\n\r\n--x\r\ny\r\n");
    assert_eq!(recorder.text_at(Where::MailBody), "--x\r\ny\r\n");
    // An empty part, and headers ended by a delimiter.
    let mail =
        "Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n--b\r\nX-A: y\r\n--b\r\n\r\nz\r\n";
    let (recorder, _) = read(mail);
    assert_eq!(recorder.text_at(Where::MailBody), "z\r\n");
    assert_eq!(recorder.text_at(Where::SmtpHeader), "y\n");
    // The dot of the protocol, and dots in the mail.
    let (recorder, _) = read("\r\n.a\r\n..\r\n\n.\nb\r\n");
    assert_eq!(recorder.text_at(Where::MailBody), ".a\r\n..\r\n\n.\nb\r\n");
    assert_eq!(recorder.at(Where::SmtpHelo), ["a.example"]);
    // A digest's parts are mails.
    let mail = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nFrom: a@b.example\r\n\r\nx\r\n--b--\r\n";
    let (recorder, _) = read(mail);
    assert_eq!(recorder.at(Where::MailFrom), ["a@b.example"]);
    // The attached page is searched; the file is hashed, too.
    let mail = "Content-Type: application/octet-stream; name=A.HTM\r\nContent-Transfer-Encoding: base64\r\n\r\nJiM0Njs=\r\n";
    let (recorder, _) = read(mail);
    assert_eq!(recorder.text_at(Where::MailBody), ".");
    assert_eq!(digests(&recorder), [digest(b"&#46;")]);
    // uuencode as the encoding of a part.
    let mail = "Content-Type: x/y\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\n";
    assert_eq!(digests(&read(mail).0), [digest(b"Cat")]);
}

#[test]
fn a_mail_with_a_gap() {
    let mail = sent(SAMPLE.as_bytes());
    let from = memchr::memmem::find(&mail, b"UEsDB").unwrap();
    let segment = |at: usize, data: &[u8]| {
        let mut packet = crate::engine::packet::tests::tcp(40_000, 2525, 24, data);
        packet[24..28].copy_from_slice(&(at as u32).to_be_bytes());
        packet
    };
    let packets = [segment(0, &mail[..from]), segment(from + 5, &mail[from + 5..])];
    let (recorder, counters) = crate::engine::packet::tests::decode_all(&packets);
    assert_eq!(counters.fault(Fault::StreamGap), 1);
    // The file with the gap has no digest; all others do.
    assert_eq!(digests(&recorder), [&FILES[1], &FILES[2], &FILES[3]].map(|file| digest(file)));
    assert_eq!(recorder.at(Where::FileName).len(), 5);
}

#[test]
fn names_of_files_in_all_forms() {
    let mail = "Content-Type: x/y; name=\"C:\\dir\\a.exe\"; name*=utf-8''b.exe\r\n\
        Content-Disposition: attachment; filename=../c.exe\r\n\r\nx\r\n";
    let (recorder, _) = read(mail.as_bytes(), 7);
    let names = ["c.exe", "../c.exe", "b.exe", "a.exe", "C:\\dir\\a.exe"];
    assert_eq!(recorder.at(Where::FileName), names);
    // The headers of a part alone, as fetched by IMAP.
    let (recorder, _) = feed_to(Mail::head("imap"), [mail.as_bytes().to_vec()].into_iter());
    assert_eq!(
        recorder.at(Where::FileName),
        ["c.exe", "../c.exe", "b.exe", "a.exe", "C:\\dir\\a.exe"]
    );
}

/// RFC 2045, 5.1: comments. RFC 2046, 5.2.3: an external body.
#[test]
fn comments_and_external_bodies() {
    let mail = "Content-Type: multipart/mixed (x); boundary=b (y)\r\n\r\n--b \t\r\n\
        Content-Type: text/html (z)\r\n\r\na&#46;b\r\n--b\r\n\
        Content-Type: message/external-body; access-type=URL;\r\n\turl=\"http://e.example/x\"\r\n\r\n--b--\r\n";
    let (recorder, _) = read(mail.as_bytes(), 7);
    assert_eq!(recorder.text_at(Where::MailBody), "a.b");
    assert!(recorder.text_at(Where::SmtpHeader).contains("url=\"http://e.example/x\""));
    // Blanks up to the end of the longest line.
    let mail =
        format!("Content-Type: multipart/x; boundary=b\r\n\r\n--b{}\r\n\r\nx\r\n", " ".repeat(900));
    assert_eq!(read(mail.as_bytes(), 50).0.text_at(Where::MailBody), "x\r\n");
}

/// A part of a name or an address would be another one.
#[test]
fn truncated_text_reports_no_part_of_a_word() {
    let reported = |text: &[u8]| converse(2525, text, &[], 1000).0;
    let recorder = reported(b"EHLO a.example\r\nDATA\r\nTo: a@b.example,c@d.exam");
    assert_eq!(recorder.at(Where::MailTo), ["a@b.example"]);
    let recorder = reported(b"EHLO a.example\r\nDATA\r\nTo:c@d.exam");
    assert!(recorder.at(Where::MailTo).is_empty());
    let recorder = reported(b"EHLO a.example\r\nDATA\r\n\r\nsee <http://a.example> http://b.exam");
    assert_eq!(recorder.text_at(Where::MailBody), "see <http://a.example> ");
    // Missing bytes, in a header and in a body.
    let lost = |text: &[u8], from: usize| {
        let segment = |at: usize, data: &[u8]| {
            let mut packet = crate::engine::packet::tests::tcp(40_000, 2525, 24, data);
            packet[24..28].copy_from_slice(&(at as u32).to_be_bytes());
            packet
        };
        let packets = [segment(0, &text[..from]), segment(from + 5, &text[from + 5..])];
        crate::engine::packet::tests::decode_all(&packets).0
    };
    let text = b"EHLO a.example\r\nDATA\r\nTo: a@b.example, c@d.example\r\nCc: e@f.example\r\n\r\nx http://g.example/y z\r\n.\r\n";
    let recorder = lost(text, memchr::memmem::find(text, b"d.example").unwrap());
    assert_eq!(recorder.at(Where::MailTo), ["a@b.example", "e@f.example"]);
    assert_eq!(recorder.text_at(Where::MailBody), "x http://g.example/y z\r\n");
    let recorder = lost(text, memchr::memmem::find(text, b"g.example").unwrap());
    assert_eq!(recorder.text_at(Where::MailBody), "x  z\r\n");
}

/// `begin` hides no text that is not data.
#[test]
fn what_only_begins_like_data() {
    let mail = "\r\nbegin 644 a.bin\r\n#0V%T\r\nsee http://a.example/\r\nbegin 644 b.bin\r\n#0V%T\r\n`\r\nend\r\n";
    let (recorder, _) = read(mail.as_bytes(), 9);
    assert_eq!(recorder.text_at(Where::MailBody), "see http://a.example/\r\n");
    assert_eq!(recorder.at(Where::FileName), ["a.bin", "b.bin"]);
    assert_eq!(digests(&recorder), [digest(b"Cat")]);
}

/// The maximum memory of a mail: headers, lines of text, boundaries, and a mail in a mail in a
/// mail.
const MAX_WEIGHT: usize = 600 << 10;

/// Feeds a mail piece by piece, and checks that it stays small.
fn feed(pieces: impl Iterator<Item = Vec<u8>>) -> (Recorder, Counters) {
    feed_to(Mail::new("smtp"), pieces)
}

fn feed_to(mail: Mail, pieces: impl Iterator<Item = Vec<u8>>) -> (Recorder, Counters) {
    let packet = crate::engine::packet::tests::some_packet();
    let mut visitor = Recorder { fingerprints: true, ..Recorder::default() };
    let mut counters = Counters::default();
    let mut to = Report { packet: &packet, visitor: &mut visitor, counters: &mut counters };
    let mut mail = mail;
    for piece in pieces {
        mail.push(&piece, &mut to);
        assert!(mail.weight() < MAX_WEIGHT, "{}", mail.weight());
    }
    mail.finish(true, &mut to);
    (visitor, counters)
}

#[test]
fn endless_mails_stay_small() {
    let endless = |head: &str, line: &'static str| {
        let head = [head.as_bytes().to_vec()].into_iter();
        feed(head.chain((0..4000).map(move |_| line.repeat(20).into_bytes()))).1
    };
    // Headers, one long header, an invalid line, a line of text, boundaries.
    endless("", "X-A: http://a.example/\r\n");
    assert!(endless("X-A: b", "\r\n http://a.example/").fault(Fault::SplitMail) > 0);
    assert!(endless("X-A: b", "http://a.example/").fault(Fault::SplitMail) > 0);
    endless("\r\n", "no-end-of-this-line");
    endless("Content-Type: text/html\r\n\r\n", "&#46&#46&aaa");
    endless("Content-Type: text/x; charset=utf-16\r\n\r\n", "\u{1f600}");
    endless("Content-Type: multipart/x; boundary=a\r\n\r\n", "\r\n--");
    endless("Content-Type: x/y; boundary=a\r\nContent-Transfer-Encoding: x-uue\r\n\r\n", "begin ");
    // Nested multiparts, nested mails.
    let head = "Content-Type: multipart/x; boundary=";
    let multiparts = (0..1000).map(|at| format!("{head}b{at}\r\n\r\n--b{at}\r\n").into_bytes());
    assert_eq!(feed(multiparts).1.fault(Fault::DeepMail), 1);
    let mails = (0..1000).map(|_| b"Content-Type: message/rfc822\r\n\r\n".to_vec());
    assert_eq!(feed(mails).1.fault(Fault::DeepMail), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Parts of mails in any order, split anywhere: the same as in one piece.
    #[test]
    fn pieces_in_any_order(
        pieces in proptest::collection::vec(0..30_usize, 0..40),
        cuts in proptest::collection::vec(0..2000_usize, 0..12),
    ) {
        const PIECES: [&str; 30] = [
            "\r\n", "\n", "\r", "--b\r\n", "--b--\r\n", "--c\r\n", "--c--", "--", "-", " ", "\t",
            "Content-Type: multipart/mixed; boundary=b\r\n",
            "Content-Type: multipart/digest; boundary=\"c\"\r\n",
            "Content-Type: message/rfc822\r\n", "Content-Type: text/html\r\n",
            "Content-Type: image/png; name=\"x", "\"\r\n",
            "Content-Transfer-Encoding: base64\r\n",
            "Content-Transfer-Encoding: quoted-printable\r\n",
            "Content-Transfer-Encoding: uuencode\r\n",
            "Content-Disposition: attachment; filename=y\r\n",
            "begin 644 z\r\n", "#0V%T\r\n", "end\r\n", "aGFsbG8=", "=3D=\r\n=", "&#46;&a",
            "From: a@b.example\r\n", "Subject: =?utf-8?q?x?=", "text",
        ];
        let text: String = pieces.iter().map(|&at| PIECES[at]).collect();
        let read = |cuts: &[usize]| {
            let mut ends = vec![0];
            ends.extend(cuts);
            ends.push(text.len());
            let pieces = ends.windows(2).map(|ends| text.as_bytes()[ends[0]..ends[1]].to_vec());
            let (visitor, counters) = feed(pieces);
            (visitor.seen, visitor.texts, counters)
        };
        let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut % (text.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert!(read(&cuts) == read(&[]));
    }
}

/// The carriers of a mail with this many bytes: a port, the client's data, and the server's.
fn carriers(mail: &[u8]) -> [(u16, Vec<u8>, Vec<u8>); 4] {
    let literal = format!("* OK r\r\n* 1 FETCH (BODY[] {{{}}}\r\n", mail.len());
    let append = format!("a APPEND x {{{}+}}\r\n", mail.len());
    [
        (2525, sent(mail), Vec::new()),
        (1100, Vec::new(), [b"+OK r\r\n+OK\r\n", mail, b".\r\n"].concat()),
        (1430, Vec::new(), [literal.as_bytes(), mail, b")\r\n"].concat()),
        (1431, [append.as_bytes(), mail, b"\r\n"].concat(), Vec::new()),
    ]
}

/// Headers around the bound, folded in any way, and with line ends anywhere: the header is cut or
/// complete, and what follows is parsed.
#[test]
fn headers_that_meet_the_bound() {
    for (start, unit) in [("X: ", " x\r\n"), ("X:", "\tyz\n"), ("--", " \r\n"), ("X:", "x")] {
        for beyond in -2..=2_isize {
            let length = MAX_HEADER.saturating_add_signed(beyond);
            let mut mail = format!("To: b@x.example\r\n{start}").into_bytes();
            mail.extend(unit.bytes().cycle().take(length - start.len()));
            mail.extend(b"\r\nFrom: a@evil.example\r\n\r\nhttp://b.example/\r\n");
            assert!(reads_the_rest(&mail), "{unit:?} {beyond} {start:?}");
        }
    }
}

/// Whether what follows is reported for each carrier, in large segments and in small ones.
fn reads_the_rest(mail: &[u8]) -> bool {
    let reported = |(port, client, server): &(u16, Vec<u8>, Vec<u8>), unit| {
        let (recorder, counters) = converse(*port, client, server, unit);
        assert_eq!(counters.fault(Fault::Stuck), 0);
        recorder.text_at(Where::MailBody).contains("http://b.example/")
    };
    carriers(mail).iter().all(|carrier| reported(carrier, 1400) && reported(carrier, 40_001))
}
