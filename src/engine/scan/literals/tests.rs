use super::*;
use crate::engine::compile::Compiler;
use crate::engine::database::Database;
use crate::engine::indicator::{Context, Indicator, Scope, Timestamp};
use crate::engine::scan::{Origin, Scanner};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

fn database(indicators: &[(Kind, &str)]) -> Database {
    let mut compiler = Compiler::default();
    let context = Arc::new(Context::of_feed("mine"));
    for (kind, raw) in indicators {
        let indicator = Indicator::new(*kind, raw, Scope::Exact, Arc::clone(&context)).unwrap();
        assert_eq!(compiler.add(indicator), None);
    }
    Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap()
}

/// Offset, value and the text of each hit, in order.
fn hits(database: &Database, text: &str, core: Range<usize>) -> Vec<(u64, String, String)> {
    let mut scanner = Scanner::default();
    let mut found = Vec::new();
    scanner.scan_text(database, text.as_bytes(), core, &Origin::new("x"), |hit| {
        let crate::engine::indicator::Place::Log(place) = hit.place else { panic!("no log") };
        let value = hit.seen.value;
        found.push((place.offset, value.clone(), hit.seen.raw.unwrap_or(value)));
    });
    found
}

/// How often the indicator is found in each text.
fn counts(kind: Kind, value: &str, texts: &[(&str, usize)]) {
    let database = database(&[(kind, value)]);
    for (line, want) in texts {
        let text = &*format!("\n{line}\n");
        let found = hits(&database, text, 0..text.len());
        assert_eq!(found.len(), *want, "{kind} {value} in {text}: {found:?}");
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut parts = hits(&database, text, 0..cut);
            parts.extend(hits(&database, text, cut..text.len()));
            assert_eq!(parts.len(), *want, "{kind} {value} in {text} cut at {cut}: {parts:?}");
        }
    }
}

#[test]
fn paths() {
    counts(
        Kind::Filepath,
        r"C:\Users\Public\evil.exe",
        &[
            (r"started C:\Users\Public\evil.exe -x", 1),
            (r#"{"a":"c:\\users\\PUBLIC\\Evil.EXE"}"#, 1),
            (r#"{"a":"c:\\users\\PUBLIC\\Evil.EXE\n"}"#, 1),
            (r#"{"a":"line\nC:\\Users\\Public\\evil.exe"}"#, 1),
            (r"C:\Users\Public\evil.exe.bak C:\Users\Public\evil.exe-old", 0),
            (r"C:\Users\Public\evil.exe\deeper XC:\Users\Public\evil.exe", 0),
            (r#""C:\\Users\\Public\\evil.exe\\deeper""#, 0),
            (r"C:\Users\Public\evil.exe. C:\Users\Public\evil.exe:stream", 2),
            (r"C:\Users\Public\evil.ex", 0),
        ],
    );
    counts(
        Kind::Filepath,
        "/opt/.hidden/Dropper",
        &[
            ("ran /opt/.hidden/Dropper, twice", 1),
            (r#"{"exe":"\/opt\/.hidden\/Dropper"}"#, 1),
            (r#"{"exe":"\/opt\/.hidden\/Dropper\n"}"#, 1),
            ("/opt/.hidden/dropper /var/opt/.hidden/Dropper ./opt/.hidden/Dropper", 0),
            ("/opt/.hidden/Dropper/x /opt/.hidden/Dropper.sh", 0),
        ],
    );
    counts(
        Kind::Filepath,
        "C:\\Daten\\Übung\\böse.exe",
        &[
            ("C:\\DATEN\\ÜBUNG\\BÖSE.EXE", 1),
            (r#""C:\\Daten\\\u00dcbung\\b\u00f6se.exe""#, 1),
            (r#""C:\\Daten\\\u00DCbung\\b\u00F6se.exe""#, 1),
        ],
    );
    // No place without an escape, so there is an anchor for each form.
    counts(
        Kind::Filepath,
        r"D:\a\b\c\d/é",
        &[
            (r"D:\a\b\c\d/é", 1),
            (r#""D:\\a\\b\\c\\d/é""#, 1),
            (r#""D:\\a\\b\\c\\d\/é""#, 1),
            (r#""D:\\a\\b\\c\\d/\u00e9""#, 1),
            (r#""D:\\a\\b\\c\\d\/\u00e9""#, 1),
            (r"D:\a\b\c\x/é", 0),
        ],
    );
}

#[test]
fn registry_keys() {
    counts(
        Kind::Regkey,
        r"HKEY_LOCAL_MACHINE\Software\EvilRat\cfg",
        &[
            (r"set HKLM\SOFTWARE\EvilRat\cfg", 1),
            (r"set hkey_local_machine\software\evilrat\CFG.", 1),
            (r#"{"TargetObject":"HKLM\\Software\\EvilRat\\cfg"}"#, 1),
            (r#"{"key":"\\REGISTRY\\MACHINE\\Software\\EvilRat\\cfg"}"#, 1),
            (r"\REGISTRY\MACHINE\Software\EvilRat\cfg", 1),
            (r"Get-Item HKLM:\Software\EvilRat\cfg", 1),
            (r"HKCU\Software\EvilRat\cfg HKLM\Software\EvilRat\cfg\deeper", 0),
            (r"XHKLM\Software\EvilRat\cfg Software\EvilRat\cfg", 0),
        ],
    );
}

#[test]
fn mutexes_and_pipes() {
    counts(
        Kind::Mutex,
        r"Global\EvilMtx",
        &[
            (r"CreateMutex(Global\EvilMtx)", 1),
            (r#"{"m":"Global\\EvilMtx"}"#, 1),
            (r"Global\evilmtx xGlobal\EvilMtx Global\EvilMtx2 Global\EvilMtx_", 0),
        ],
    );
    // Too short for an anchor.
    counts(Kind::Mutex, "qwxyz", &[("saw qwxyz", 0)]);
    counts(Kind::Mutex, "qwxyzj", &[("saw qwxyzj", 1), ("qwxyzj", 1)]);
    counts(
        Kind::Pipe,
        r"\\.\pipe\msagent_f1",
        &[
            (r#"{"PipeName":"\\msagent_F1"}"#, 1),
            (r#"{"PipeName":"msagent_f1"}"#, 1),
            (r"opened \\.\pipe\msagent_f1", 1),
            (r#"{"p":"\\\\.\\pipe\\msagent_f1"}"#, 1),
            (r"the msagent_f1 job", 0),
        ],
    );
}

#[test]
fn user_agents() {
    counts(
        Kind::UserAgent,
        "Mozilla/5.0 (EvilBot)",
        &[
            ("\"GET / HTTP/1.1\" 200 \"-\" \"Mozilla/5.0 (EvilBot)\"", 1),
            ("\"GET / HTTP/1.1\" 200 \"-\" \"Mozilla/5.0 (EvilBot) Gecko\"", 0),
            ("-\tMozilla/5.0 (EvilBot)\t-", 1),
            ("-\tMozilla/5.0 (EvilBot) x\t-", 0),
            ("User-Agent: Mozilla/5.0 (EvilBot)\r\nHost: x", 1),
            ("User-Agent: Mozilla/5.0 (EvilBot) Safari/537.36", 0),
            ("User-Agent: Opera/9 Mozilla/5.0 (EvilBot)", 0),
            ("ua=mozilla/5.0 (evilbot)", 0),
            (r#"{"m":"\"Mozilla/5.0 (EvilBot)\""}"#, 1),
        ],
    );
    counts(
        Kind::UserAgent,
        "Mozilla/5.0",
        &[("\"Mozilla/5.0\"", 1), ("\"Mozilla/5.0 (X11)\"", 0), ("a Mozilla/5.0 (X11) b", 0)],
    );
}

#[test]
fn fingerprints_and_wallets() {
    let ssdeep = "384:Z0+Qx/AbCdEfGhIj:Z0+Qx/Abz";
    counts(
        Kind::Ssdeep,
        ssdeep,
        &[
            (&format!("ssdeep={ssdeep},\"a.exe\""), 1),
            (&format!("{{\"s\":\"{}\"}}", ssdeep.replace('/', "\\/")), 1),
            (&format!("{ssdeep}/x {ssdeep}+ 1{ssdeep} {}", ssdeep.to_lowercase()), 0),
        ],
    );
    counts(
        Kind::Wallet,
        "0xAB5801a7D398351b8bE11C439e05C5B3259aeC9B",
        &[("to 0xab5801a7d398351b8be11c439e05c5b3259aec9b now", 1)],
    );
    counts(
        Kind::SshKey,
        "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
        &[
            ("sshd: RSA SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8", 1),
            ("sshd: RSA SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY9", 0),
        ],
    );
}

#[test]
fn names_of_files_in_their_fields() {
    counts(
        Kind::Filename,
        "Invoice-2026.exe",
        &[
            ("saw invoice-2026.exe", 0),
            (r#"{"Image":"C:\\x\\INVOICE-2026.exe"}"#, 1),
            (r#"{"file":{"name":"invoice-2026.exe"}}"#, 1),
            (r#"{"note":"invoice-2026.exe"}"#, 0),
            (r"process=C:\x\invoice-2026.exe", 1),
            (r"process=C:\x\my-invoice-2026.exe file=invoice-2026.exe.txt", 0),
        ],
    );
    for (field, want) in [
        ("TargetFilename", true),
        ("file_name", true),
        ("process.name", true),
        ("files.path", true),
        ("ParentImage", true),
        ("process", true),
        ("user.name", false),
        ("profile", false),
        ("path", false),
    ] {
        assert_eq!(is_field_of(Kind::Filename, field), want, "{field}");
    }
}

#[test]
fn nothing_without_literals() {
    let database = database(&[(Kind::User, "evil-user"), (Kind::Asn, "AS65000")]);
    assert!(database.gram_filter().is_none());
    assert_eq!(hits(&database, "evil-user AS65000", 0..17), []);
}

/// Every span that represents one of the strings, plain or as JSON writes it, without a letter,
/// digit or underscore next to it.
fn naive(text: &str, values: &BTreeSet<String>) -> Vec<(Range<usize>, String)> {
    let borders: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
    let mut found = Vec::new();
    for (first, &start) in borders.iter().enumerate() {
        for &end in &borders[first + 1..] {
            let piece = &text[start..end];
            let touches = text[..start].chars().next_back().is_some_and(is_word)
                || text[end..].chars().next().is_some_and(is_word);
            let json = serde_json::from_str(&format!("\"{piece}\"")).ok();
            for value in [Some(piece.to_string()), json].into_iter().flatten() {
                if !touches && values.contains(&value) {
                    found.push((start..end, value));
                }
            }
        }
    }
    found
}

/// A string as it can appear in a text: plain or as JSON writes it.
fn written(value: &str, form: u8) -> String {
    match form {
        0 => value.to_string(),
        1 => value.replace('\\', "\\\\"),
        _ => value.replace('\\', "\\\\").replace('/', "\\/"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn like_a_naive_search(
        values in prop::collection::btree_set("[A\\\\/x]{0,3}(zkqjwA|AAAAAA|xAxxAA|zkqjwAx)[A\\\\/é]{0,3}", 1..6),
        parts in prop::collection::vec(
            (any::<prop::sample::Index>(), 0u8..3, "[ A_,x]{0,2}"), 1..6)) {
        let values: BTreeSet<String> = values.into_iter().map(|v| v.trim().to_string()).collect();
        let list: Vec<&String> = values.iter().collect();
        let text: String = parts.iter()
            .map(|(which, form, junk)| format!("{}{junk}", written(list[which.index(list.len())], *form)))
            .collect();
        let indicators: Vec<(Kind, &str)> =
            list.iter().map(|value| (Kind::Mutex, value.as_str())).collect();
        let database = database(&indicators);
        let all = hits(&database, &text, 0..text.len());
        let got: Vec<(Range<usize>, String)> = all.iter()
            .map(|(start, value, raw)| {
                let start = *start as usize;
                (start..start + raw.len(), value.clone())
            })
            .collect();
        let want = naive(&text, &values);
        for hit in &got {
            prop_assert!(want.contains(hit), "{:?} in {}", hit, text);
        }
        // Where backslashes can be read in two ways, one of them counts. A match that begins inside
        // an escape is allowed but not required.
        for (span, value) in &want {
            if is_escaped(text.as_bytes(), span.start) && text[span.start..].starts_with(['/', '\\']) {
                continue;
            }
            let is_met = got.iter().any(|(other, same)| {
                same == value && other.start < span.end && span.start < other.end
            });
            prop_assert!(is_met, "{} at {:?} in {}", value, span, text);
        }
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut pieces = hits(&database, &text, 0..cut);
            pieces.extend(hits(&database, &text, cut..text.len()));
            prop_assert_eq!(&pieces, &all, "{} cut at {}", text, cut);
        }
    }
}
