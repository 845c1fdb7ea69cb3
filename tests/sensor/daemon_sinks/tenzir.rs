//! Tenzir's receivers for Splunk's HEC and for `_bulk`: independent real servers.

use super::{NAMES, Peer, alerts, free_port, insist, lines, start};
use crate::feeds::exchanges::python::python;
use crate::harness::Dir;
use std::path::PathBuf;
use std::process::Command;
use wiresift::sensor::deliver::{
    Elasticsearch, ElasticsearchSettings, Endpoint, Pace, Splunk, SplunkSettings,
};
use wiresift::sensor::secret::Credential;

/// Starts a pipeline that writes what it receives, one line each.
fn tenzir(test: &str, dir: &Dir, pipeline: &str, port: u16) -> Option<(Peer, PathBuf)> {
    // Only on request: it is 175 MB.
    if std::env::var_os("WIRESIFT_PEERS").is_none_or(|peers| peers != "required") {
        crate::harness::skip(test, "Tenzir is heavy: make test-peers");
        return None;
    }
    let python = python(test, &["--no-deps", "tenzir"])?;
    let words = dir.path().join("words");
    let mut command = Command::new(python.with_file_name("tenzir"));
    command.arg(format!("{pipeline} | write_ndjson")).current_dir(dir.path());
    Some((start(&mut command, port, &words), words))
}

fn endpoint(port: u16) -> Endpoint {
    Endpoint { url: format!("http://127.0.0.1:{port}"), gzip: true, ..Endpoint::default() }
}

#[test]
fn tenzir_takes_objects_of_splunk() {
    let test = "tenzir_takes_objects_of_splunk";
    let (dir, port) = (Dir::new("tenzir"), free_port());
    let pipeline = format!("accept_splunk \"127.0.0.1:{port}\", hec_token=\"T\"");
    let Some((_tenzir, words)) = tenzir(test, &dir, &pipeline, port) else { return };
    let token = dir.path().join("token");
    std::fs::write(&token, "T").unwrap();
    let settings = SplunkSettings {
        endpoint: endpoint(port),
        token: Credential::File(token),
        index: None,
        sourcetype: "wiresift:alert".into(),
        acks: false,
    };
    insist(&mut Splunk::new(settings, Pace::default()).unwrap(), &alerts());
    let got = lines(&words, NAMES.len()).join("\n");
    for record in alerts().records() {
        let value: serde_json::Value = serde_json::from_slice(record.json).unwrap();
        assert!(got.contains(value["seen"]["value"].as_str().unwrap()), "{got}");
    }
}

#[test]
fn tenzir_takes_documents() {
    let test = "tenzir_takes_documents";
    let (dir, port) = (Dir::new("tenzir"), free_port());
    let pipeline = format!("accept_opensearch \"127.0.0.1:{port}\"");
    let Some((_tenzir, words)) = tenzir(test, &dir, &pipeline, port) else { return };
    let settings =
        ElasticsearchSettings { endpoint: endpoint(port), index: "alerts".into(), auth: None };
    insist(&mut Elasticsearch::new(settings, Pace::default()).unwrap(), &alerts());
    let got = lines(&words, NAMES.len()).join("\n");
    for record in alerts().records() {
        let value: serde_json::Value = serde_json::from_slice(record.json).unwrap();
        assert!(got.contains(value["seen"]["value"].as_str().unwrap()), "{got}");
    }
}
