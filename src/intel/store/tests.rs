use super::*;
use crate::engine::indicator::{Context, Indicator, Kind, Role, Scope, Severity, Timestamp, Tlp};
use crate::intel::feed::{Filter, Sink};
use std::borrow::Cow;
use std::sync::Arc;

fn rich() -> Context<'static> {
    Context {
        feed: "rich".into(),
        collection: Some("c".into()),
        collection_id: Some("id".into()),
        id: Some("7".into()),
        name: Some("name".into()),
        description: Some("d".repeat(300).into()),
        confidence: Some(100),
        severity: Some(Severity::Critical),
        tlp: Some(Tlp::Red),
        valid_from: Some(Timestamp(1)),
        valid_until: Some(Timestamp(i64::MAX)),
        first_seen: Some(Timestamp(-5)),
        last_seen: Some(Timestamp(0)),
        modified: Some(Timestamp(11)),
        inactive: true,
        role: Role::Allow,
        internal: true,
        direction: Some(crate::engine::indicator::Direction::Destination),
        proto: Some("tcp".into()),
        tags: vec!["a".into(), Cow::Borrowed("")],
        malware: vec!["m".into()],
        adversary: vec!["x".into()],
        attack: vec!["T1059".into()],
        references: vec!["http://example.net/".into()],
    }
}

fn some() -> Vec<Indicator> {
    let contexts = [Arc::new(rich()), Arc::new(Context::of_feed("plain"))];
    let mut all = Vec::new();
    for (at, (kind, value, scope)) in [
        (Kind::Ip, "203.0.113.7", Scope::Exact),
        (Kind::Net, "2001:db8::/32", Scope::Exact),
        (Kind::Endpoint, "203.0.113.7:80", Scope::Exact),
        (Kind::Endpoint, "[2001:db8::1]:443", Scope::Exact),
        (Kind::Domain, "evil.example", Scope::Subtree),
        (Kind::Url, "http://evil.example/a", Scope::Prefix),
        (Kind::Md5, "d41d8cd98f00b204e9800998ecf8427f", Scope::Exact),
        (Kind::Sha256, &"ab".repeat(32), Scope::Exact),
        (Kind::Domain, "*.evil*", Scope::Wildcard),
        (Kind::Mutex, "Global\\x", Scope::Exact),
    ]
    .into_iter()
    .enumerate()
    {
        let context = Arc::clone(&contexts[at / 2 % 2]);
        let mut indicator = Indicator::new(kind, value, scope, context).unwrap();
        indicator.raw = None;
        all.push(indicator);
    }
    all
}

fn segment(name: &str, indicators: &[Indicator]) -> Segment {
    let filter = Filter::default();
    let mut builder = SegmentBuilder::new(name, 7, &filter, None);
    for indicator in indicators {
        builder.indicator(indicator.clone(), None);
    }
    builder.finish()
}

fn back(normal: &Normal) -> Vec<Indicator> {
    let mut all = Vec::new();
    normal.each(|indicator| all.push(indicator)).unwrap();
    all
}

#[test]
fn what_is_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let feed_dir = Store::at(dir.path()).feed_dir("x");
    let (one, two) = (segment("one", &some()), segment("two", &some()[..3]));
    feed_dir.accept(99, &[Piece::new(&one), Piece::new(&two)]).unwrap();
    let normal = feed_dir.accepted().unwrap();
    assert_eq!(normal.reading, 99);
    assert_eq!(back(&normal), [some(), some()[..3].to_vec()].concat());
    assert_eq!(normal.keys().len(), some().len());
    let table = feed_dir.accepted_table().unwrap();
    assert_eq!(table.indicators(), 13);
    assert_eq!(table.identity(), normal.identity());
    // A segment that is copied stays the same.
    let piece = Piece::of(&normal, "two", 7).unwrap();
    feed_dir.hold(99, &[piece]).unwrap();
    assert_eq!(back(&feed_dir.held().unwrap()), some()[..3]);
    feed_dir.accept_held().unwrap();
    assert_eq!(back(&feed_dir.accepted().unwrap()), some()[..3]);
    assert!(feed_dir.held_table().is_none());
}

#[test]
fn every_damage_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let feed_dir = Store::at(dir.path()).feed_dir("x");
    feed_dir.accept(1, &[Piece::new(&segment("one", &some()))]).unwrap();
    let path = feed_dir.folder().join("accepted.normal");
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(Normal::parse(&damaged, true).is_err(), "byte {at}");
        assert!(Normal::parse(&whole[..at], true).is_err(), "cut at {at}");
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(feed_dir.accepted().is_none());
}

#[test]
fn lifetimes_count_from_what_the_feed_says() {
    let filter = Filter::default();
    let day = 86_400_000_000;
    let mut builder = SegmentBuilder::new("x", 0, &filter, Some((day, Timestamp(5))));
    let at = |time| Some(Timestamp(time));
    let dated = Context { last_seen: at(9), modified: at(20), ..Context::of_feed("f") };
    let added = Context { first_seen: at(8), modified: at(20), ..Context::of_feed("f") };
    let modified = Context { modified: at(7), ..Context::of_feed("f") };
    let bounded = Context { valid_until: Some(Timestamp(3)), ..Context::of_feed("f") };
    for context in [Context::of_feed("f"), dated, added, modified, bounded] {
        let one = Indicator::new(Kind::Ip, "203.0.113.7", Scope::Exact, Arc::new(context));
        builder.indicator(one.unwrap(), None);
    }
    let dir = tempfile::tempdir().unwrap();
    let feed_dir = Store::at(dir.path()).feed_dir("x");
    let segment = builder.finish();
    feed_dir.accept(1, &[Piece::new(&segment)]).unwrap();
    let until: Vec<_> = back(&feed_dir.accepted().unwrap())
        .iter()
        .map(|i| i.context.valid_until.unwrap().0)
        .collect();
    assert_eq!(until, [day + 5, day + 9, day + 8, day + 7, 3]);
}

#[test]
fn documents_count_from_the_cursor_on() {
    let dir = tempfile::tempdir().unwrap();
    let feed_dir = Store::at(dir.path()).feed_dir("x");
    let mut writer = feed_dir.writer(Timestamp(1)).unwrap();
    writer.put("../a b", b"one").unwrap();
    assert!(feed_dir.index().unwrap().documents.is_empty());
    writer.set_cursor(Some("here")).unwrap();
    // Documents put without setting the cursor are gone when the index is read again.
    writer.put("../a b", b"two").unwrap();
    writer.put("c", b"three").unwrap();
    let mut again = feed_dir.writer(Timestamp(2)).unwrap();
    assert_eq!(again.index().cursor.as_deref(), Some("here"));
    assert_eq!(again.get("../a b").unwrap().as_deref(), Some(&b"one"[..]));
    again.put("../a b", b"one").unwrap();
    assert_eq!(again.changes(), 0);
    let index = feed_dir.index().unwrap();
    assert_eq!(Index::parse(&index.to_bytes()).unwrap(), index);
    feed_dir.tidy(&index);
    let left: Vec<_> = std::fs::read_dir(feed_dir.folder().join("documents")).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert!(left[0].as_ref().unwrap().file_name().to_str().unwrap().starts_with("_a_b-"));
    // Many documents are synced in a different way.
    for number in 0..100 {
        again.put(&number.to_string(), number.to_string().as_bytes()).unwrap();
    }
    again.remove("../a b");
    again.set_cursor(None).unwrap();
    assert_eq!(feed_dir.index().unwrap().documents.len(), 100);
    // A document that was modified by something else is rejected.
    let index = feed_dir.index().unwrap();
    let seven = &index.documents["7"];
    std::fs::write(feed_dir.folder().join("documents").join(&seven.file), "8").unwrap();
    assert!(
        feed_dir.document(seven).unwrap_err().to_string().contains("modified by something else")
    );
}

#[test]
fn an_index_leads_nowhere_else() {
    let good = Index {
        documents: [("n".to_string(), Document::new("n", b"x", Timestamp(1)))].into(),
        cursor: Some("\"\n".into()),
    };
    let text = String::from_utf8(good.to_bytes()).unwrap();
    assert_eq!(Index::parse(text.as_bytes()).unwrap(), good);
    let file = &good.documents["n"].file;
    for wrong in ["../x", "", ".x", "a/b"] {
        assert!(Index::parse(text.replace(&**file, wrong).as_bytes()).is_err(), "{wrong}");
    }
    assert!(Index::parse(text.replace("\"version\":1", "\"version\":2").as_bytes()).is_err());
    assert!(Index::parse(b"{").is_err());
}

#[test]
fn only_one_process_can_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(&dir.path().join("new"));
    let lock = store.try_lock().unwrap().unwrap();
    assert!(Store::at(store.root()).try_lock().unwrap().is_none());
    assert_eq!(store.holder(), Some(std::process::id()));
    drop(lock);
    assert!(store.try_lock().unwrap().is_some());
}

#[test]
fn the_state_survives_nonsense() {
    let dir = tempfile::tempdir().unwrap();
    let feed_dir = Store::at(dir.path()).feed_dir("x");
    assert_eq!(feed_dir.state(), FeedState::default());
    let mut state = FeedState::default();
    state.counted(Timestamp(86_400_000_000), 100);
    state.counted(Timestamp(3 * 86_400_000_000), 150);
    state.failed(Timestamp(4 * 86_400_000_000), "no".into());
    feed_dir.set_state(&state).unwrap();
    assert_eq!(feed_dir.state(), state);
    assert_eq!(state.growth(Timestamp(4 * 86_400_000_000), 2 * 86_400_000_000), Some(50));
    assert_eq!(state.growth(Timestamp(4 * 86_400_000_000), 3_600_000_000), Some(0));
    std::fs::write(feed_dir.folder().join("state.json"), "{").unwrap();
    assert_eq!(feed_dir.state(), FeedState::default());
}
