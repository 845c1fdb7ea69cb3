//! Network inputs and the page of metrics, against real programs: util-linux's `logger`, rsyslog,
//! curl, the journal, Prometheus.

use crate::harness::{Dir, missing};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use wiresift::sensor::input::net::hec::Collector;
use wiresift::sensor::input::net::journal::{Journal, Start};
use wiresift::sensor::input::net::{Count, NetInput, Next, Receive};
use wiresift::sensor::listen::Activated;
use wiresift::sensor::metrics::{Family, Metrics, Sets};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A line with its sender, and whether its time is within the last days.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Received {
    text: String,
    host: Option<String>,
    app: Option<String>,
    is_recent: bool,
}

/// This many lines of a network input.
fn received(net_input: &mut NetInput, count: usize) -> Vec<Received> {
    let now = wiresift::clock::now().0;
    let day = 24 * 3600 * 1_000_000;
    let mut found: Vec<Received> = Vec::new();
    while found.len() < count {
        let Next::Batch(batch) = net_input.next(LONG) else { panic!("only {found:?}") };
        for (line, text) in batch.lines.iter().zip(batch.bytes.split(|&byte| byte == b'\n')) {
            found.push(Received {
                text: String::from_utf8_lossy(text).into_owned(),
                host: line.host.as_deref().map(str::to_string),
                app: line.app.as_deref().map(str::to_string),
                is_recent: line.time.is_some_and(|time| (now - time.0).abs() < 2 * day),
            });
        }
        net_input.safe(batch.position);
    }
    found
}

/// Whether a program is installed.
fn has(test: &str, program: &str) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("command -v {program}")]).env("PATH", path);
    let is_there = output(&mut shell).status.success();
    if !is_there {
        missing(test, &format!("{program} is not installed"));
    }
    is_there
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Receives over UDP and TCP; returns the network input, and both addresses.
fn receive() -> (NetInput, SocketAddr, SocketAddr) {
    let addresses = ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"];
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let zone = jiff::tz::TimeZone::system();
    let receive = Receive {
        format: wiresift::sensor::input::net::Format::Syslog(zone),
        ..Receive::syslog(addresses)
    };
    let net_input = receive.start(&mut Activated::default()).unwrap();
    let [udp, tcp] = *net_input.addresses() else { panic!("two addresses") };
    (net_input, udp, tcp)
}

#[test]
fn receivers_take_what_logger_sends() {
    if !has("receivers_take_what_logger_sends", "logger") {
        return;
    }
    let (mut net_input, udp, tcp) = receive();
    for (place, forms) in
        [(udp, &["--udp"][..]), (tcp, &["--tcp"]), (tcp, &["--tcp", "--octet-count"])]
    {
        for form in ["--rfc5424", "--rfc3164"] {
            let data: &[&str] = match form {
                "--rfc5424" => &["--sd-id", "wiresift@1", "--sd-param", "seen=\"data.example\""],
                _ => &[],
            };
            let run = output(
                Command::new("logger")
                    .args(["--server", "127.0.0.1", "--port", &place.port().to_string(), form])
                    .args(forms)
                    .args(data)
                    .args(["--tag", "applied", "--id=4711", "asked for evil.example"]),
            );
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            let lines = received(&mut net_input, if data.is_empty() { 1 } else { 2 });
            assert_eq!(lines[0].text, "asked for evil.example", "{forms:?} {form}");
            assert_eq!(lines[0].app.as_deref(), Some("applied"), "{forms:?} {form}");
            assert!(lines[0].host.is_some() && lines[0].is_recent, "{forms:?} {form}: {lines:?}");
            if !data.is_empty() {
                assert!(lines[1].text.contains("seen=\"data.example\""), "{lines:?}");
            }
        }
    }
    assert_eq!(net_input.count(Count::InvalidCounts) + net_input.count(Count::Cut), 0);
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn receivers_take_what_rsyslog_forwards() {
    if !has("receivers_take_what_rsyslog_forwards", "rsyslogd") {
        return;
    }
    let dir = Dir::new("receivers-rsyslog");
    let (mut net_input, udp, tcp) = receive();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let forward = |protocol: &str, port: u16, more: &str| {
        format!(
            "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" protocol=\"{protocol}\" {more})\n"
        )
    };
    let counted = "TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"";
    let config = format!(
        "global(workDirectory=\"{}\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{}\")\n",
        dir.path().display(),
        path("log.sock"),
    ) + &forward("udp", udp.port(), "")
        + &forward("tcp", tcp.port(), "")
        + &forward("tcp", tcp.port(), "template=\"RSYSLOG_ForwardFormat\"")
        + &forward("tcp", tcp.port(), counted);
    let config = dir.create("rsyslog.conf", config);
    let daemon = Command::new("/usr/sbin/rsyslogd")
        .args(["-n", "-f"])
        .arg(config)
        .args(["-i", &path("pid")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _running = Running(daemon.unwrap());
    let socket = dir.path().join("log.sock");
    let watch = wiresift::clock::Stopwatch::start();
    while !socket.exists() {
        assert!(watch.elapsed() < LONG, "rsyslogd has not opened its socket");
        std::thread::sleep(Duration::from_millis(20));
    }
    let run = output(Command::new("logger").args([
        "--socket",
        &path("log.sock"),
        "--tag",
        "applied",
        "asked for evil.example",
    ]));
    assert!(run.status.success());
    for line in received(&mut net_input, 4) {
        assert_eq!(line.text.trim(), "asked for evil.example");
        assert_eq!(line.app.as_deref(), Some("applied"));
        assert!(line.host.is_some() && line.is_recent, "{line:?}");
    }
}

#[test]
fn receivers_take_what_curl_posts() {
    if !has("receivers_take_what_curl_posts", "curl") {
        return;
    }
    let collector = Collector::new("tcp://127.0.0.1:0".parse().unwrap(), vec!["secret".into()]);
    let mut net_input = collector.start(&mut Activated::default()).unwrap();
    let url = format!("http://{}/services/collector", net_input.addresses()[0]);
    let dir = Dir::new("receivers-curl");
    // Long enough for curl to send `Expect: 100-continue`, twice.
    let events: String = (0..20_000).map(|n| format!("{{\"event\":\"event {n:080}\"}}")).collect();
    let file = dir.create("events", events);
    let post = |more: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "60", "-H", "Authorization: Splunk secret"]).args(more);
        let run =
            output(command.arg("--data-binary").arg(format!("@{}", file.display())).arg(&url));
        String::from_utf8(run.stdout).unwrap() + &String::from_utf8_lossy(&run.stderr)
    };
    std::thread::scope(|scope| {
        let sender = std::thread::Builder::new()
            .spawn_scoped(scope, || [post(&[]), post(&["-H", "Transfer-Encoding: chunked"])])
            .unwrap();
        let lines = received(&mut net_input, 40_000);
        assert_eq!(lines[39_999].text, format!("event {:080}", 19_999));
        let answers = sender.join().unwrap();
        assert_eq!(answers, ["{\"text\":\"Success\",\"code\":0}"; 2]);
    });
}

#[test]
fn receivers_follow_a_journal() {
    let remote = "/lib/systemd/systemd-journal-remote";
    if !has("receivers_follow_a_journal", "journalctl")
        || !has("receivers_follow_a_journal", remote)
    {
        return;
    }
    let dir = Dir::new("receivers-journal");
    let mut export = Vec::new();
    for n in 1..=5u64 {
        let time = 1_795_478_400_000_000 + n;
        export.extend_from_slice(
            format!(
                "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={n}\n\
                 _BOOT_ID=0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\n_HOSTNAME=web1\n\
                 SYSLOG_IDENTIFIER=sshd\nMESSAGE\n"
            )
            .as_bytes(),
        );
        let text = format!("entry {n}\nof \u{1}evil.example");
        export.extend_from_slice(&(text.len() as u64).to_le_bytes());
        export.extend_from_slice(text.as_bytes());
        export.extend_from_slice(b"\n\n");
    }
    let export = dir.create("in.export", export);
    let file = dir.path().join("x.journal");
    let run = output(Command::new(remote).arg("-o").arg(&file).arg(export));
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let follow = |start| {
        let arguments = vec![format!("--file={}", file.display()).into()];
        Journal { arguments, ..Journal::new(start) }.start().unwrap()
    };
    let mut net_input = follow(Start::Beginning);
    let mut cursors = Vec::new();
    let mut lines = 0;
    while lines < 10 {
        let Next::Batch(batch) = net_input.next(LONG) else { panic!("{:?}", net_input.trouble()) };
        lines += batch.lines.len();
        assert_eq!(batch.lines[0].host.as_deref(), Some("web1"));
        assert_eq!(batch.lines[0].app.as_deref(), Some("sshd"));
        cursors.extend(batch.cursor);
    }
    drop(net_input);
    assert!(cursors.iter().all(|cursor| cursor.starts_with("s=")), "{cursors:?}");
    // The other entries come after the first batch, and none that was already read.
    let mut once = Journal {
        arguments: vec![format!("--file={}", file.display()).into()],
        once: true,
        ..Journal::new(Start::After(cursors.pop().unwrap()))
    }
    .start()
    .unwrap();
    assert!(matches!(once.next(LONG), Next::Ended), "everything was read before");
}

/// What was written before the system was restarted is not lost, nor is the first entry after.
#[test]
fn receivers_follow_a_journal_across_boots() {
    let remote = "/lib/systemd/systemd-journal-remote";
    let test = "receivers_follow_a_journal_across_boots";
    if !has(test, "journalctl") || !has(test, remote) {
        return;
    }
    let dir = Dir::new("receivers-boots");
    let mut export = String::new();
    for n in 1..=6u64 {
        let boot = if n < 4 { "0b" } else { "0c" }.repeat(16);
        let time = 1_795_478_400_000_000 + n;
        export += &format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={n}\n_BOOT_ID={boot}\n\
             MESSAGE=entry {n}\n\n"
        );
    }
    let export = dir.create("in.export", export);
    let folder = dir.path().join("journal");
    std::fs::create_dir(&folder).unwrap();
    let made = output(Command::new(remote).arg("-o").arg(folder.join("x.journal")).arg(export));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let directory = format!("--directory={}", folder.display());
    let shown = output(Command::new("journalctl").args([&directory, "-o", "export"]));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let second = shown.lines().filter_map(|line| line.strip_prefix("__CURSOR=")).nth(1).unwrap();
    for (start, first) in [(Start::Beginning, 1), (Start::After(second.to_string()), 3)] {
        let arguments = vec![directory.clone().into()];
        let mut net_input = Journal { arguments, ..Journal::new(start) }.start().unwrap();
        let texts = received(&mut net_input, 7 - first);
        let texts: Vec<_> = texts.iter().map(|line| line.text.clone()).collect();
        let want: Vec<_> = (first..=6).map(|n| format!("entry {n}")).collect();
        assert_eq!(texts, want);
    }
}

#[test]
fn receivers_of_metrics_accept_the_page() {
    if !has("receivers_of_metrics_accept_the_page", "promtool") {
        return;
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect();
    let metrics = Metrics::new(Sets {
        inputs: names(&["syslog", "a \"b\" \\ c\nd", "ä"]),
        sinks: names(&["file"]),
        feeds: names(&["mine"]),
        topics: names(&["logs"]),
    });
    metrics.histogram(Family::SinkLatency, &["file"]).observe(Duration::from_millis(3));
    metrics.gauge(Family::InputLagSeconds, &["syslog"]).set(f64::INFINITY);
    let dir = Dir::new("receivers-metrics");
    let page = std::fs::File::open(dir.create("page", metrics.page())).unwrap();
    let run = Command::new("promtool").args(["check", "metrics"]).stdin(page).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr) + String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.trim().is_empty(), "{said}");
}

/// syslog-ng, unpacked and not installed, because its package conflicts with rsyslog's: its folder.
fn syslog_ng(test: &str) -> Option<std::path::PathBuf> {
    // Only on request: the packages come from the distribution's servers.
    if std::env::var_os("WIRESIFT_PEERS").is_none_or(|peers| peers != "required") {
        crate::harness::skip(test, "syslog-ng is fetched by make test-peers");
        return None;
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("syslog-ng");
    let root = folder.join("root");
    if !root.join("usr/sbin/syslog-ng").exists() {
        std::fs::create_dir_all(&root).unwrap();
        let script = "set -e; cd \"$0\"; apt-get download syslog-ng-core libivykis0 libpcre3 \
                      libnet1 libwrap0; for it in *.deb; do dpkg -x \"$it\" root; done";
        let run = output(Command::new("sh").args(["-c", script]).arg(&folder));
        if !run.status.success() {
            missing(test, &format!("apt-get: {}", String::from_utf8_lossy(&run.stderr)));
            return None;
        }
    }
    Some(root)
}

/// Starts syslog-ng with destinations, and a socket in the folder that it reads.
fn start_syslog_ng(root: &std::path::Path, dir: &Dir, destinations: &str) -> Running {
    let place = dir.path().display();
    let names = destinations.lines().enumerate().map(|(at, to)| {
        format!("destination d{at} {{ {to}; }};\nlog {{ source(s); destination(d{at}); }};\n")
    });
    let config = format!(
        "@version: 3.38\n@module \"afsocket\"\n@module \"syslogformat\"\n\
         options {{ keep-hostname(yes); stats-freq(0); time-reopen(1); }};\n\
         source s {{ unix-dgram(\"{place}/log.sock\"); }};\n"
    ) + &names.collect::<String>();
    let config = dir.create("syslog-ng.conf", config);
    let path = |name: &str| dir.path().join(name);
    let libraries =
        ["usr/lib", "usr/lib/syslog-ng", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "lib"];
    let libraries = libraries.map(|it| root.join(it).display().to_string()).join(":");
    let modules = root.join("usr/lib/syslog-ng/3.38");
    let daemon = Command::new(root.join("usr/sbin/syslog-ng"))
        .arg("-F")
        .arg("-f")
        .arg(config)
        .arg("--persist-file")
        .arg(path("persist"))
        .arg("--control")
        .arg(path("control"))
        .arg("--pidfile")
        .arg(path("pid"))
        .arg("--no-caps")
        .arg(format!("--module-path={}", modules.display()))
        .env("LD_LIBRARY_PATH", libraries)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(path("words")).unwrap())
        .spawn();
    let running = Running(daemon.unwrap());
    let watch = wiresift::clock::Stopwatch::start();
    while !path("log.sock").exists() {
        let words = std::fs::read_to_string(path("words")).unwrap();
        assert!(watch.elapsed() < LONG, "syslog-ng has not opened its socket: {words}");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

fn log_to(dir: &Dir, text: &str) {
    let socket = dir.path().join("log.sock").display().to_string();
    let args = ["--socket", &socket, "--socket-errors=on", "-d", "--tag", "applied", text];
    let run = output(Command::new("logger").args(args));
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn receivers_take_what_syslog_ng_sends_as_rfc_5424() {
    let test = "receivers_take_what_syslog_ng_sends_as_rfc_5424";
    let Some(root) = syslog_ng(test) else { return };
    let dir = Dir::new("receivers-syslog-ng");
    let (mut net_input, udp, tcp) = receive();
    let to = |at: SocketAddr, transport: &str| {
        format!("syslog(\"127.0.0.1\" transport(\"{transport}\") port({}))", at.port())
    };
    // Counted on TCP, with the line break in the count, and not on UDP.
    let destinations = format!("{}\n{}", to(udp, "udp"), to(tcp, "tcp"));
    let _running = start_syslog_ng(&root, &dir, &destinations);
    log_to(&dir, "asked for evil.example");
    // The message, and its structured data.
    let lines = received(&mut net_input, 4);
    let texts = lines.iter().filter(|line| line.text == "asked for evil.example");
    assert_eq!(texts.count(), 2, "{lines:?}");
    let data = lines.iter().filter(|line| line.text.contains("sequenceId=\"1\""));
    assert_eq!(data.count(), 2, "{lines:?}");
    for line in &lines {
        assert_eq!(line.app.as_deref(), Some("applied"), "{line:?}");
        assert!(line.host.is_some() && line.is_recent, "{line:?}");
    }
    assert_eq!(net_input.count(Count::InvalidCounts) + net_input.count(Count::Cut), 0);
}

#[test]
fn receivers_take_what_syslog_ng_sends_as_rfc_3164() {
    let test = "receivers_take_what_syslog_ng_sends_as_rfc_3164";
    let Some(root) = syslog_ng(test) else { return };
    let dir = Dir::new("receivers-syslog-ng");
    let (mut net_input, udp, tcp) = receive();
    let to = |at: SocketAddr, transport: &str| {
        format!("network(\"127.0.0.1\" transport(\"{transport}\") port({}))", at.port())
    };
    let destinations = format!("{}\n{}", to(udp, "udp"), to(tcp, "tcp"));
    let _running = start_syslog_ng(&root, &dir, &destinations);
    for round in 0..3 {
        log_to(&dir, &format!("{round} asked for evil.example"));
        for line in received(&mut net_input, 2) {
            assert_eq!(line.text, format!("{round} asked for evil.example"));
            assert_eq!(line.app.as_deref(), Some("applied"), "{line:?}");
            assert!(line.host.is_some() && line.is_recent, "{line:?}");
        }
    }
    assert_eq!(net_input.count(Count::InvalidCounts) + net_input.count(Count::Cut), 0);
}
