//! Many threads, one order.

use crate::harness::Dir;

/// Files that are opened at the same time, with more hits than may wait: a worker must never wait
/// for a chunk that no other worker will take. (It once could, when a file was opened after its
/// successors.)
#[test]
fn files_with_many_hits_do_not_block_each_other() {
    let dir = Dir::new("order");
    dir.create("feed.txt", "evil.example\n");
    dir.command().args(["compile", "-q", "-o", "iocs.wsdb", "feed.txt"]).run().expect(0);
    let names: Vec<String> = (1..=4).map(|number| format!("{number}.log")).collect();
    for name in &names {
        dir.create(name, "evil.example\n".repeat(100_000));
    }
    for _ in 0..4 {
        let mut command = dir.command();
        command.args(["scan", "--db", "iocs.wsdb", "-j", "4", "--quiet", "--stats=json"]);
        let run = command.args(&names).run().expect(0);
        run.expect_stderr(r#""records":400000"#);
    }
}
