//! Exports: any bytes as what people write into a pulse, and as the values of its indicators.
//! Each file keeps its grammar.

#[cfg(feature = "exchange")]
pub use of_exchange::run;

/// Without the exchange there is nothing to export.
#[cfg(not(feature = "exchange"))]
pub fn run(_: &[u8]) {}

#[cfg(feature = "exchange")]
mod of_exchange {
    use wiresift::Result;
    use wiresift::engine::indicator::{Timestamp, Tlp};
    use wiresift::exchange::accounts::UserId;
    use wiresift::exchange::export::{About, Format, Source, Visit, misp_event};
    use wiresift::exchange::pulses::{
        Author, Counts, Indicator, Lists, Pulse, PulseId, State, Type, normalise,
    };

    struct One(Pulse, Vec<Indicator>);

    impl Source for One {
        fn each(&self, visit: &mut dyn Visit) -> Result<()> {
            visit.pulse(&self.0)?;
            self.1.iter().try_for_each(|of| visit.indicator(&self.0, of))
        }
    }

    /// Writes every format, and checks its grammar.
    pub fn run(bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let words: String = text.chars().take(300).collect();
        let source = source(&words);
        let about = About {
            exchange: words.clone(),
            home: "https://exchange.example".into(),
            title: words.clone(),
            number: 1,
            generation: 7,
            built: Timestamp(1_800_000_000_000_000),
            types: Vec::new(),
        };
        for format in Format::ALL.iter().filter(|format| **format != Format::Database) {
            let mut out = Vec::new();
            format.render(&about, &source, &mut out).unwrap();
            check(*format, &String::from_utf8(out).unwrap());
        }
        let mut out = Vec::new();
        misp_event(&about, &source, &mut out).unwrap();
        serde_json::from_slice::<serde_json::Value>(&out).unwrap();
    }

    /// A pulse all of whose texts are `words`, with an indicator of each type that takes them.
    fn source(words: &str) -> One {
        let text = || words.to_string();
        let indicators = Type::ALL.iter().filter_map(|kind| {
            let value = if kind.kind().name() == "domain" { "evil.example" } else { words };
            let (kind, norm) = normalise(*kind, value).ok()?;
            Some(Indicator {
                id: 5,
                kind,
                value: value.to_string(),
                norm,
                created: Timestamp(1_799_999_000_000_000),
                changed: Timestamp(1_799_999_000_000_000),
                expiration: None,
                state: State::Active,
                is_suppressed: false,
                role: Some(text()),
                title: text(),
                description: text(),
                content: text(),
            })
        });
        let indicators = indicators.collect();
        let pulse = Pulse {
            key: 1,
            id: PulseId::new(Timestamp(0), [7; 8]),
            name: text(),
            description: text(),
            author: Author { id: UserId(1), name: text() },
            created: Timestamp(1_799_999_000_000_000),
            modified: Timestamp(1_799_999_000_000_000),
            revision: 1,
            is_public: true,
            tlp: Tlp::Green,
            adversary: text(),
            lists: Lists {
                tags: vec![text()],
                references: vec![text()],
                malware_families: vec![text()],
                attack_ids: vec![text()],
                ..Lists::default()
            },
            groups: Vec::new(),
            cloned_from: None,
            is_from_api: true,
            is_held: false,
            counts: Counts::default(),
            is_subscribing: false,
            is_subscribed_to_author: false,
            is_following_author: false,
            vote: 0,
        };
        One(pulse, indicators)
    }

    fn check(format: Format, text: &str) {
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        match format {
            Format::Stix | Format::MispManifest => {
                serde_json::from_str::<serde_json::Value>(text).unwrap();
            }
            Format::Zeek => assert!(lines().all(|line| line.split('\t').count() == 5), "{text}"),
            Format::Rpz => assert!(
                lines()
                    .skip(3)
                    .all(|line| line.ends_with(" CNAME .") && line.split(' ').count() == 3),
                "{text}"
            ),
            Format::SuricataRules => lines().for_each(check_rule),
            Format::OpenIoc => {
                let is_bad = |char: char| char.is_control() && char != '\n' || char == '\u{ffff}';
                // C1 controls are characters of XML.
                let is_c1 = |char: char| ('\u{7f}'..='\u{9f}').contains(&char);
                assert!(!text.chars().any(|char| is_bad(char) && !is_c1(char)), "{text}");
                assert_eq!(text.matches('<').count(), text.matches('>').count(), "{text}");
            }
            Format::MispHashes => assert!(lines().all(|line| line.len() == 69), "{text}"),
            Format::SuricataAddresses => {
                assert!(lines().all(|line| line.split(',').count() == 3), "{text}")
            }
            _ => {}
        }
    }

    /// A rule has one `sid`, and its options end where they should.
    fn check_rule(line: &str) {
        assert!(line.starts_with("alert ") && line.ends_with(";)"), "{line}");
        let mut options = Vec::new();
        let (mut option, mut is_escaped) = (String::new(), false);
        for char in line.split_once('(').unwrap().1.chars() {
            match char {
                ';' if !is_escaped => options.push(std::mem::take(&mut option)),
                other => option.push(other),
            }
            is_escaped = char == '\\' && !is_escaped;
        }
        let sids = options.iter().filter(|option| option.trim().starts_with("sid:")).count();
        assert_eq!(sids, 1, "{line}");
        let quotes =
            |option: &String| option.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert!(options.iter().all(|option| matches!(quotes(option), 0 | 2)), "{line}");
    }
}
