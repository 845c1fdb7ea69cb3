//! First files.

use super::*;

fn all_watch_answers() -> Vec<WatchAnswer> {
    vec![
        WatchAnswer::Logs(vec!["/var/log/*.log".into(), "/srv/\"odd\"/x".into()]),
        WatchAnswer::Journal,
        WatchAnswer::Syslog(vec!["udp://0.0.0.0:514".into(), "tls://[::]:6514".into()]),
        WatchAnswer::Suricata("/run/eve.sock".into()),
        WatchAnswer::Interfaces(vec!["eth0".into()]),
        WatchAnswer::Captures("/var/spool/captures".into()),
        WatchAnswer::Logs(vec!["/opt/logs".into()]),
    ]
}

fn all_sink_answers() -> Vec<SinkAnswer> {
    vec![
        SinkAnswer::File("/srv/alerts.json".into()),
        SinkAnswer::Stdout,
        SinkAnswer::Syslog("tls://siem.example.net".into()),
        SinkAnswer::Webhook("https://h.example/x".into()),
        SinkAnswer::Slack { url_file: "/etc/wiresift/slack.url".into() },
        SinkAnswer::Mail {
            server: "m:587".into(),
            from: "a@b.example".into(),
            to: vec!["c@d.example".into()],
        },
        SinkAnswer::Elasticsearch("https://e:9200".into()),
        SinkAnswer::Splunk { url: "https://s:8088".into(), token_env: "T".into() },
    ]
}

fn feed() -> FeedAnswer {
    FeedAnswer {
        comment: vec!["URLhaus: malware\nURLs\u{7}".into()],
        members: vec![
            ("name".into(), "\"urlhaus\"".into()),
            ("url".into(), " \"https://u\"".into()),
        ],
    }
}

#[test]
fn every_answer_makes_a_file_that_is_right() {
    for verbosity in [Verbosity::SevereOnly, Verbosity::Normal, Verbosity::All] {
        let watch = all_watch_answers();
        let alerts = all_sink_answers();
        for (count, more) in [(0, 0), (1, 1), (watch.len(), alerts.len())] {
            let answers = Answers {
                watch: watch[..count].to_vec(),
                feeds: vec![feed(); more.min(1)],
                alerts: alerts[..more].to_vec(),
                verbosity,
            };
            let text = setup(&answers);
            let config = right(&text);
            assert_eq!(config.inputs.len(), count);
            assert_eq!(config.sinks.len(), more.max(1));
            assert_eq!(config.feeds, more.min(1));
            assert_eq!(config.suppress.enabled, verbosity != Verbosity::All);
            for line in text.lines() {
                assert!(line.len() <= 100 && line.trim_end() == line, "{line}");
            }
        }
    }
}

/// Each proposal in a comment is valid when it is used.
#[test]
fn what_is_commented_out_is_right_too() {
    let answers = Answers {
        watch: all_watch_answers(),
        feeds: Vec::new(),
        alerts: all_sink_answers(),
        verbosity: Verbosity::Normal,
    };
    let text: Vec<String> = setup(&answers)
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key)
                if key.split_once(" = ").is_some_and(|(key, _)| {
                    key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                }) =>
            {
                key.to_string()
            }
            _ => line.to_string(),
        })
        .collect();
    let config = right(&text.join("\n"));
    assert_eq!(config.daemon.host.as_deref(), Some("sensor-1"));
    assert_eq!(config.state, Path::new("/etc/wiresift/wiresift-state"));
}

#[test]
fn the_file_is_as_somebody_would_write_it() {
    let answers = Answers {
        watch: vec![all_watch_answers().remove(0), WatchAnswer::Journal],
        feeds: vec![feed()],
        alerts: vec![all_sink_answers().remove(0), all_sink_answers().remove(4)],
        verbosity: Verbosity::SevereOnly,
    };
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/setup.toml");
    let got = setup(&answers);
    if std::env::var_os("WIRESIFT_BLESS").is_some() {
        std::fs::write(&golden, &got).unwrap();
    }
    assert_eq!(got, std::fs::read_to_string(&golden).unwrap_or_default());
}
