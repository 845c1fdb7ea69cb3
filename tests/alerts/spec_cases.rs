//! The tricky cases of the matching specification, if it is next to the project.

use crate::harness::records::{Schema, indicators, text};
use crate::harness::{Code, Dir, shared};
use serde_json::{Value, json};
use std::sync::Arc;
use wiresift::engine::indicator::{Context, Indicator, Kind, Scope};

#[test]
fn every_case_of_the_specification() {
    let Some(path) = shared("every_case_of_the_specification", "spec/cases.jsonl") else { return };
    let schema = Schema::load();
    let cases = std::fs::read_to_string(path).unwrap();
    let mut failures = Vec::new();
    for line in cases.lines().filter(|line| !line.trim().is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap();
        if let Err(failure) = check(&case, &schema) {
            failures.push(format!("{}: {failure}", case["id"]));
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

fn check(case: &Value, schema: &Schema) -> Result<(), String> {
    let dir = Dir::new(text(case, "/id"));
    let mut feed = String::new();
    for indicator in indicators(case) {
        let row = json!({ "type": indicator["kind"], "value": indicator["value"] });
        feed += &format!("{row}\n");
    }
    dir.create("feed.jsonl", feed);
    dir.create("input.log", text(case, "/input"));

    let mut compile = dir.command();
    compile.args(["compile", "-o", "db"]);
    if case["private_guard"] == false {
        compile.arg("--internal");
    }
    let compiled = compile.arg("feed.jsonl").run();
    if compiled.code != Code::Exit(0) {
        return Err(format!("compile\n{}", compiled.report()));
    }

    let mut scan = dir.command();
    scan.args(["scan", "--db", "db", "--format", "json"]);
    if case["mode"] == "report" {
        scan.arg("--refang");
    }
    let scanned = scan.arg("input.log").run();
    let expected = case["expect"].as_object().unwrap();
    let any = expected.values().any(|count| *count != 0);
    if scanned.code != Code::Exit(i32::from(!any)) {
        return Err(format!("scan\n{}", scanned.report()));
    }
    let records = scanned.json_lines();
    if let Some(complaint) = records.iter().find_map(|record| schema.complaint(record)) {
        return Err(complaint);
    }
    for indicator in indicators(case) {
        let value = text(indicator, "/value");
        let want = expected.get(value).and_then(Value::as_u64).unwrap_or(0);
        let got = count(&records, text(indicator, "/kind"), value);
        if got != want {
            return Err(format!("{value}: {got} alerts, want {want}\n{}", scanned.report()));
        }
    }
    Ok(())
}

/// The number of records with the indicator.
fn count(records: &[Value], kind: &str, value: &str) -> u64 {
    let (kind, scope) = match kind {
        "domain" => (Kind::Domain, Scope::Subtree),
        "hostname" => (Kind::Domain, Scope::Exact),
        "ip" => (Kind::Ip, Scope::Exact),
        "net" => (Kind::Net, Scope::Exact),
        "ep" => (Kind::Endpoint, Scope::Exact),
        "md5" => (Kind::Md5, Scope::Exact),
        "cert" => (Kind::CertSha1, Scope::Exact),
        "url" => (Kind::Url, Scope::Exact),
        "email" => (Kind::Email, Scope::Exact),
        other => panic!("a kind that this test does not know: {other}"),
    };
    // An invalid value cannot be found: `0.0.0.0/0` is rejected.
    let Ok(indicator) = Indicator::new(kind, value, scope, Arc::new(Context::default())) else {
        return 0;
    };
    let normal = indicator.value.to_string();
    let carries =
        |record: &&Value| indicators(record).iter().any(|met| text(met, "/value") == normal);
    records.iter().filter(carries).count() as u64
}
