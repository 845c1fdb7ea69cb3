//! `--once`: to the end of the existing input.

use super::Post;
use crate::harness::project;
use std::fs;

const FILES: &str = "[suppress]\nenabled = false\n\n[[input]]\nkind = \"files\"\n\
                     patterns = \"logs/*.log\"\n\n[[sink]]\nkind = \"file\"\n\
                     path = \"alerts.json\"\n";

#[test]
fn files_and_captures_are_read_to_their_ends_once() {
    let post = Post::new("run-once");
    let indicators = project().join("testdata/indicators");
    let mut compile = post.dir.command();
    compile.args(["compile", "-q", "--internal", "-o", "db.wsdb"]).arg(&indicators);
    compile.arg("list.txt").run().expect(0);
    for folder in ["in", "done"] {
        fs::create_dir(post.path(folder)).unwrap();
    }
    let names = ["dns_http_tls.pcap", "http_scan.pcap.gz", "two_interfaces.pcapng"];
    for name in names {
        fs::copy(project().join("testdata/captures").join(name), post.path("in").join(name))
            .unwrap();
    }
    let captures = "[[input]]\nkind = \"captures\"\nfolder = \"in\"\ndone = \"move\"\n\
                    move_to = \"done\"\n";
    post.configure(&format!("{FILES}{captures}"));
    post.log("a.log").write(0..50);
    post.once().expect(0).expect_stderr("50 lines");
    let alerts = post.alerts("alerts.json");
    let of = |input: &str| alerts.iter().filter(|alert| alert["input"] == input).count();
    assert_eq!(of("files"), 50);
    let scan = ["scan", "--db", "db.wsdb", "--format", "json", "--at", "now"];
    let mut command = post.dir.command();
    let want = command.args(scan).args(names.map(|name| format!("done/{name}"))).run();
    assert_eq!(of("captures"), want.json_lines().len());
    assert!(of("captures") > 10);
    assert_eq!(fs::read_dir(post.path("in")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(post.path("done")).unwrap().count(), names.len());
    // A second run finds nothing new.
    post.once().expect(1);
    assert_eq!(post.alerts("alerts.json").len(), alerts.len());
    post.log("a.log").write(50..51);
    post.once().expect(0);
    assert_eq!(post.alerts("alerts.json").len(), alerts.len() + 1);
}

#[test]
fn the_exit_status_says_what_came_of_it() {
    let post = Post::new("run-once-status");
    post.configure(FILES);
    post.log("a.log").line("nothing of interest");
    post.once().expect(1);
    post.log("a.log").write(0..1);
    post.once().expect(0);
    fs::remove_file(post.path("db.wsdb")).unwrap();
    post.once().expect(2).expect_stderr("db.wsdb").expect_stderr("wiresift compile");
    post.compile("evil.example\n");
    post.configure(&FILES.replace("path =", "paht ="));
    post.once().expect(78).expect_stderr("wiresift.toml:").expect_stderr("did you mean");
}

#[test]
fn without_a_sink_alerts_are_printed() {
    let post = Post::new("run-once-stdout");
    let (input, _) = FILES.split_once("[[sink]]").unwrap();
    post.configure(input);
    post.log("a.log").write(0..3);
    let run = post.once().expect(0);
    let alerts = run.json_lines();
    assert_eq!(alerts.iter().filter_map(super::number).collect::<Vec<_>>(), [0, 1, 2]);
    post.once().expect(1);
}

#[test]
fn what_others_send_has_no_end_and_is_left_out() {
    let post = Post::new("run-once-syslog");
    let port = super::free_port();
    let syslog = format!("[[input]]\nkind = \"syslog\"\nlisten = \"udp://127.0.0.1:{port}\"\n");
    post.configure(&format!("{FILES}{syslog}"));
    post.log("a.log").write(0..1);
    post.once().expect(0).expect_stderr("“syslog”");
    post.expect_once("alerts.json", 1);
}
