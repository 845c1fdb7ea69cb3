//! First files.

use super::*;

fn all_watching() -> Vec<Watching> {
    vec![
        Watching::Logs(vec!["/var/log/*.log".into(), "/srv/\"odd\"/x".into()]),
        Watching::Journal,
        Watching::Syslog(vec!["udp://0.0.0.0:514".into(), "tls://[::]:6514".into()]),
        Watching::Suricata("/run/eve.sock".into()),
        Watching::Interfaces(vec!["eth0".into()]),
        Watching::Captures("/var/spool/captures".into()),
        Watching::Logs(vec!["/opt/logs".into()]),
    ]
}

fn all_alerting() -> Vec<Alerting> {
    vec![
        Alerting::File("/srv/alerts.json".into()),
        Alerting::Stdout,
        Alerting::Syslog("tls://siem.example.net".into()),
        Alerting::Webhook("https://h.example/x".into()),
        Alerting::Slack { url_file: "/etc/wiresift/slack.url".into() },
        Alerting::Mail {
            server: "m:587".into(),
            from: "a@b.example".into(),
            to: vec!["c@d.example".into()],
        },
        Alerting::Elasticsearch("https://e:9200".into()),
        Alerting::Splunk { url: "https://s:8088".into(), token_env: "T".into() },
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
    for loudness in [Loudness::Quiet, Loudness::Normal, Loudness::Loud] {
        let watch = all_watching();
        let alerts = all_alerting();
        for (count, more) in [(0, 0), (1, 1), (watch.len(), alerts.len())] {
            let answers = Answers {
                watch: watch[..count].to_vec(),
                feeds: vec![feed(); more.min(1)],
                alerts: alerts[..more].to_vec(),
                loudness,
            };
            let text = setup(&answers);
            let config = right(&text);
            assert_eq!(config.inputs.len(), count);
            assert_eq!(config.sinks.len(), more.max(1));
            assert_eq!(config.feeds, more.min(1));
            assert_eq!(config.suppress.enabled, loudness != Loudness::Loud);
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
        watch: all_watching(),
        feeds: Vec::new(),
        alerts: all_alerting(),
        loudness: Loudness::Normal,
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
        watch: vec![all_watching().remove(0), Watching::Journal],
        feeds: vec![feed()],
        alerts: vec![all_alerting().remove(0), all_alerting().remove(4)],
        loudness: Loudness::Quiet,
    };
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/setup.toml");
    let got = setup(&answers);
    if std::env::var_os("WIRESIFT_BLESS").is_some() {
        std::fs::write(&golden, &got).unwrap();
    }
    assert_eq!(got, std::fs::read_to_string(&golden).unwrap_or_default());
}
