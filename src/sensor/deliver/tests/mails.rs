//! Mail servers.

use super::server::{Stream, server_config, wrapped};
use super::*;
use crate::sensor::secret::Credential;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};

/// A mail server that responds to commands by their beginning; unknown ones get `250 ok`.
struct Mailbox {
    port: u16,
    said: Arc<Mutex<Vec<String>>>,
}

type Answers = Vec<(&'static str, &'static str)>;

impl Mailbox {
    fn new(answers: Answers, tls: Option<(Arc<ServerConfig>, bool)>) -> Mailbox {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = Arc::new(Mutex::new(Vec::new()));
        let mailbox = Mailbox { port, said: Arc::clone(&said) };
        let serve = move || {
            for socket in listener.incoming().flatten() {
                session(socket, &answers, tls.clone(), &said);
            }
        };
        std::thread::Builder::new().name("mailbox".into()).spawn(serve).unwrap();
        mailbox
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

fn session(
    socket: TcpStream,
    answers: &Answers,
    tls: Option<(Arc<ServerConfig>, bool)>,
    said: &Mutex<Vec<String>>,
) {
    let always = tls.as_ref().filter(|(_, always)| *always).map(|(config, _)| config.clone());
    let again = socket.try_clone().unwrap();
    let mut stream: Box<dyn Stream> = wrapped(socket, always);
    let answer = |line: &str| {
        let found = answers.iter().find(|(start, _)| line.starts_with(start));
        found.map_or("250 ok", |(_, answer)| answer)
    };
    let mut is_data = false;
    if write!(stream, "{}\r\n", answer("greeting").replace("250 ok", "220 here")).is_err() {
        return;
    }
    while let Some(line) = line(&mut *stream) {
        said.lock().unwrap().push(line.clone());
        let answer = match &*line {
            "." => answer("."),
            _ if is_data => continue,
            "QUIT" => return,
            "DATA" => answer("DATA").trim_start_matches("250 ok"),
            line => answer(line),
        };
        is_data = line == "DATA" && answer.is_empty();
        let answer = if answer.is_empty() { "354 go on" } else { answer };
        if write!(stream, "{}\r\n", answer.replace('\n', "\r\n"))
            .and_then(|()| stream.flush())
            .is_err()
        {
            return;
        }
        if line == "STARTTLS" && answer.starts_with('2') {
            let (config, _) = tls.clone().unwrap();
            let connection = ServerConnection::new(config).unwrap();
            stream = Box::new(StreamOwned::new(connection, again.try_clone().unwrap()));
        }
    }
}

fn line(stream: &mut dyn Stream) -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte).ok()?;
        line.push(byte[0]);
    }
    line.truncate(line.len() - 2);
    Some(String::from_utf8(line).unwrap())
}

fn settings(port: u16) -> MailSettings {
    MailSettings {
        host: "127.0.0.1".into(),
        port,
        security: MailTls::Never,
        tls: TlsSettings::default(),
        auth: None,
        from: "sensor@site.example".into(),
        to: vec!["soc@site.example".into(), "night@site.example".into()],
        name: "sensor-1".into(),
    }
}

fn send(settings: MailSettings) -> Outcome {
    deliver(&mut Mail::new(settings, pace()).unwrap(), &batch("ab"))
}

#[test]
fn a_batch_is_one_mail() {
    let mailbox = Mailbox::new(vec![("EHLO", "250-here\n250-SIZE 1000000\n250 8BITMIME")], None);
    assert_eq!(short(&send(settings(mailbox.port))), "dd");
    let said = mailbox.said();
    assert_eq!(said[0], "EHLO sensor-1");
    assert!(said[1].starts_with("MAIL FROM:<sensor@site.example> SIZE="), "{}", said[1]);
    assert_eq!(said[2], "RCPT TO:<soc@site.example>");
    assert_eq!(said[4], "DATA");
    let blank = said.iter().position(String::is_empty).unwrap();
    let end = said.iter().position(|line| line == ".").unwrap();
    let text = STANDARD.decode(said[blank + 1..end].concat()).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.starts_with("2 alerts: 2 high\r\n") && text.contains("HIGH  domain a in"),
        "{text}"
    );
}

#[test]
fn answers_pass_hold_or_refuse() {
    for (command, answer, verdict, want) in [
        ("greeting", "554 go away", "rr", Class::Refused),
        ("greeting", "421 later", "aa", Class::Busy),
        ("greeting", "SSH-2.0-x", "aa", Class::Protocol),
        ("EHLO", "250-here\n250+x", "aa", Class::Protocol),
        ("MAIL", "451 greylisted", "aa", Class::Busy),
        ("MAIL", "530 say who you are", "aa", Class::Denied),
        ("MAIL", "552 too large", "rr", Class::Refused),
        ("RCPT", "450 later", "aa", Class::Busy),
        ("RCPT", "550 nobody", "rr", Class::Refused),
        ("DATA", "554 no", "rr", Class::Refused),
        (".", "452 full", "aa", Class::Busy),
        (".", "554 spam", "rr", Class::Refused),
        ("RCPT TO:<night", "550 nobody", "dd", Class::Refused),
    ] {
        let mailbox = Mailbox::new(vec![(command, answer)], None);
        let outcome = send(settings(mailbox.port));
        let got = (short(&outcome), class(&outcome));
        assert_eq!(got, (verdict.to_string(), want), "{command} {answer}");
    }
    let mailbox = Mailbox::new(vec![("EHLO", "502 what?")], None);
    assert_eq!(short(&send(settings(mailbox.port))), "dd");
    assert_eq!(mailbox.said()[1], "HELO sensor-1");
}

#[test]
fn passwords_go_in_tls_alone_and_in_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let Some((cert, key)) = certificate(folder.path(), "own") else { return };
    let config = server_config((&cert, &key));
    let tls = TlsSettings { ca_file: Some(cert), ..TlsSettings::default() };
    let password = folder.path().join("password");
    std::fs::write(&password, "p4ss").unwrap();
    let with = |port, security| MailSettings {
        security,
        tls: tls.clone(),
        auth: Some(("us€r".into(), Credential::File(password.clone()))),
        ..settings(port)
    };
    for (always, hello, security) in [
        (true, "250-here\n250 AUTH LOGIN PLAIN", MailTls::Always),
        (false, "250-here\n250-STARTTLS\n250 AUTH=LOGIN", MailTls::StartTls),
    ] {
        let answers =
            vec![("EHLO", hello), ("STARTTLS", "220 go"), ("AUTH LOGIN", "334 VXNlcm5hbWU6")];
        let mailbox = Mailbox::new(answers, Some((config.clone(), always)));
        assert_eq!(short(&send(with(mailbox.port, security))), "dd");
        let said = mailbox.said();
        let pair = STANDARD.encode("\0us€r\0p4ss");
        let want: &[&str] = if always {
            &["EHLO sensor-1", &format!("AUTH PLAIN {pair}")]
        } else {
            &["EHLO sensor-1", "STARTTLS", "EHLO sensor-1", "AUTH LOGIN", "dXPigqxy", "cDRzcw=="]
        };
        assert_eq!(&said[..want.len()], want);
    }
    // A server without STARTTLS, or one whose STARTTLS was stripped, gets nothing.
    let mailbox = Mailbox::new(vec![("EHLO", "250-here\n250 AUTH PLAIN")], None);
    let outcome = send(with(mailbox.port, MailTls::StartTls));
    assert_eq!((short(&outcome), class(&outcome)), ("aa".into(), Class::Denied));
    assert_eq!(mailbox.said(), ["EHLO sensor-1"]);
    let mailbox = Mailbox::new(
        vec![
            ("EHLO", "250-here\n250-STARTTLS\n250 AUTH PLAIN"),
            ("STARTTLS", "220 go\n250 injected"),
        ],
        Some((config.clone(), false)),
    );
    let outcome = send(with(mailbox.port, MailTls::StartTls));
    assert_eq!((short(&outcome), class(&outcome)), ("aa".into(), Class::Protocol));
    let answers = vec![("EHLO", "250-here\n250 AUTH PLAIN"), ("AUTH", "535 wrong")];
    let mailbox = Mailbox::new(answers, Some((config, true)));
    let outcome = send(with(mailbox.port, MailTls::Always));
    assert_eq!((short(&outcome), class(&outcome)), ("aa".into(), Class::Denied));
    assert!(!format!("{outcome:?}").contains("p4ss"));
}
