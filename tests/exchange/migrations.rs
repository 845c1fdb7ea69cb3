//! Storages of every former version, opened by this program.

#[cfg(feature = "postgres")]
use crate::harness::postgres::Cluster;
use sha2::{Digest as _, Sha256};
use wiresift::exchange::accounts::{GroupId, Role, UserId, Viewer};
use wiresift::exchange::pulses::{PulseId, State, Type};
use wiresift::exchange::storage::{
    IndicatorQuery, NewAccount, Opened, Place, PulseQuery, Search, Selection, Storage, Which,
};

/// What a storage of each version has that the one before had not.
const ROWS: &[&str] = &[
    include_str!("../../testdata/exchange/rows-0001.sql"),
    include_str!("../../testdata/exchange/rows-0002.sql"),
    include_str!("../../testdata/exchange/rows-0003.sql"),
    include_str!("../../testdata/exchange/rows-0004.sql"),
];

/// A table that the last statements of the migration to each version create, from the second. If
/// it is there already, the migration fails when nearly all of it is done.
const BLOCKERS: &[&str] = &["addition", "source", "member_invitation"];

/// Every migration that was released, and the start of its digest (SHA-256): none is ever edited.
const RELEASED: &[(&str, &str)] = &[
    (
        include_str!("../../src/exchange/storage/tables/migrations/0001_first.sql"),
        "cd2f48525e9a9efc",
    ),
    (
        include_str!("../../src/exchange/storage/tables/migrations/0002_objects.sql"),
        "fd9e4ed8f1b289ec",
    ),
    (
        include_str!("../../src/exchange/storage/tables/migrations/0003_circle.sql"),
        "6c508660bba173ae",
    ),
    (
        include_str!("../../src/exchange/storage/tables/migrations/0004_people.sql"),
        "076def6ceb767e74",
    ),
];

/// A database that a test looks into without the storage.
trait Raw {
    fn place(&self) -> Place;
    fn run(&self, sql: &str);
    fn version(&self) -> usize;
    fn set_version(&self, version: usize);
    fn has_table(&self, name: &str) -> bool;
    /// Inserts rows of the files above.
    fn fill(&self, rows: &str);
    /// Makes the first pulse findable by its words.
    fn index(&self);
}

struct Sqlite(tempfile::TempDir);

impl Sqlite {
    fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(Storage::file(self.0.path())).unwrap()
    }

    fn number(&self, sql: &str) -> i64 {
        self.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

impl Raw for Sqlite {
    fn place(&self) -> Place {
        Place::new(self.0.path())
    }

    fn run(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    fn version(&self) -> usize {
        self.number("PRAGMA user_version") as usize
    }

    fn set_version(&self, version: usize) {
        self.run(&format!("PRAGMA user_version = {version}"));
    }

    fn has_table(&self, name: &str) -> bool {
        self.number(&format!("SELECT COUNT(*) FROM sqlite_schema WHERE name = '{name}'")) > 0
    }

    fn fill(&self, rows: &str) {
        self.run(&rows.replace("BYTES'", "X'"));
    }

    fn index(&self) {
        self.run(
            "INSERT INTO words (rowid, name, labels, text) VALUES (1, 'Gray Heron panels', \
             'Marsh Wader', 'Control panels behind a Parcel-Delivery lure')",
        );
    }
}

#[cfg(feature = "postgres")]
struct Postgres<'c>(&'c Cluster, String, String, tempfile::TempDir);

#[cfg(feature = "postgres")]
impl Raw for Postgres<'_> {
    fn place(&self) -> Place {
        Place::with_database(self.3.path(), &self.2, None).unwrap()
    }

    fn run(&self, sql: &str) {
        self.0.query(&self.1, sql);
    }

    fn version(&self) -> usize {
        self.0.query(&self.1, "SELECT version FROM schema_version").parse().unwrap()
    }

    fn set_version(&self, version: usize) {
        self.run(&format!("UPDATE schema_version SET version = {version}"));
    }

    fn has_table(&self, name: &str) -> bool {
        self.0.query(&self.1, &format!("SELECT to_regclass('{name}') IS NOT NULL")) == "t"
    }

    fn fill(&self, rows: &str) {
        // The storage has made the first of them.
        self.run("DELETE FROM state WHERE name = 'stamp' AND value = 0");
        self.run(&rows.replace("BYTES'", r"'\x"));
        // Who inserts without giving keys has used them up.
        self.run(
            "DO $$ DECLARE t text; BEGIN FOR t IN SELECT table_name FROM \
             information_schema.columns WHERE is_identity = 'YES' AND table_schema = 'public' LOOP \
             EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), \
             GREATEST(1, (SELECT COALESCE(MAX(id), 1) FROM %I)))', t, t); END LOOP; END $$",
        );
    }

    fn index(&self) {
        self.run(
            "INSERT INTO words (pulse, vector) VALUES (1, $$'gray':1A 'heron':2A 'parcel':105 \
             'delivery':106$$)",
        );
    }
}

#[test]
fn released_migrations_are_never_edited() {
    for (at, (text, digest)) in RELEASED.iter().enumerate() {
        let found: String =
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(found.starts_with(digest), "migration {}: {found}", at + 1);
    }
}

#[test]
fn every_former_version_is_brought_up_to_date_on_sqlite() {
    let new = || Box::new(Sqlite(tempfile::tempdir().unwrap())) as Box<dyn Raw>;
    every_version(&new);
}

#[cfg(feature = "postgres")]
#[test]
fn every_former_version_is_brought_up_to_date_on_postgres() {
    let Some(cluster) = super::postgres::cluster("former versions") else { return };
    let count = std::cell::Cell::new(0);
    let new = || {
        count.set(count.get() + 1);
        let name = format!("former{}", count.get());
        let url = cluster.create(&name);
        let directory = tempfile::tempdir().unwrap();
        Box::new(Postgres(&cluster, name, url, directory)) as Box<dyn Raw + '_>
    };
    every_version(&new);
}

fn every_version<'a>(new: &dyn Fn() -> Box<dyn Raw + 'a>) {
    let raw = new();
    let (storage, opened) = Storage::open(raw.place()).unwrap();
    assert_eq!(opened, Opened::Created);
    drop(storage);
    let newest = raw.version();
    let expected = (newest, newest - 1, newest);
    assert_eq!((ROWS.len(), BLOCKERS.len(), RELEASED.len()), expected, "a row for each version");
    for version in 1..=newest {
        let raw = new();
        // An interrupted migration leaves the version before it, whole.
        let blocker = BLOCKERS.get(version - 1);
        if let Some(blocker) = blocker {
            raw.run(&format!("CREATE TABLE {blocker} (x INTEGER)"));
            Storage::open(raw.place()).unwrap_err();
            assert_eq!(raw.version(), version);
            assert!(version != 1 || !raw.has_table("shelf"));
            raw.run(&format!("DROP TABLE {blocker}"));
        } else {
            drop(Storage::open(raw.place()).unwrap());
        }
        ROWS[..version].iter().for_each(|rows| raw.fill(rows));
        raw.index();
        let (storage, opened) = Storage::open(raw.place()).unwrap();
        assert_eq!(opened == Opened::Migrated, version < newest, "{version}: {opened:?}");
        assert_eq!(raw.version(), newest);
        check_pulses(&storage);
        check_people(&storage);
        check_talk(&storage);
        if version > 1 {
            check_objects(&storage);
        }
        if version > 2 {
            check_circle(&storage);
        }
        if version > 3 {
            check_accounts(&storage);
        }
        check_changes(&storage);
        drop(storage);
        assert_eq!(Storage::check(raw.place()).unwrap(), Vec::<String>::new());
        raw.set_version(newest + 1);
        let error = Storage::open(raw.place()).unwrap_err().to_string();
        assert!(error.contains("use the newer program"), "{error}");
        assert_eq!(raw.version(), newest + 1);
    }
}

const BOB: Viewer = Viewer::User(UserId(3));

fn check_pulses(storage: &Storage) {
    storage
        .read(|view| {
            let found = view.pulses(BOB, &PulseQuery::of(Selection::Everything))?;
            let names: Vec<&str> = found.iter().map(|pulse| pulse.name.as_str()).collect();
            assert_eq!(names, ["Only for the group", "Gray Heron panels"]);
            let pulse = view.completed(found[1].clone())?;
            assert_eq!((pulse.revision, pulse.counts.subscribers, pulse.vote), (2, 1, 1));
            assert_eq!(pulse.lists.malware_families, ["GrayHeron"]);
            assert_eq!(pulse.counts.indicators, [(Type::Domain, 1)]);
            assert_eq!(found[0].groups[0].id, GroupId(51));
            let query = IndicatorQuery { which: Which::Removed, ..IndicatorQuery::default() };
            let all = view.indicators(pulse.key, &query)?;
            let states: Vec<State> = all.iter().map(|indicator| indicator.state).collect();
            assert_eq!(states, [State::Active, State::Inactive, State::Removed]);
            assert_eq!(all[0].value, "Gray-Heron.test");
            assert_eq!(view.revisions(pulse.key, 9, 0)?.len(), 2);
            assert_eq!(view.related(BOB, pulse.key, 9)?, [2]);
            let terms = vec!["parcel-delivery".to_string(), "heron".into()];
            let search = Some(Search { terms, ..Search::default() });
            let query = PulseQuery { search, ..PulseQuery::of(Selection::Everything) };
            assert_eq!(view.count(BOB, &query)?, 1);
            assert_eq!(view.count(Viewer::Anonymous, &query)?, 0);
            Ok(())
        })
        .unwrap();
}

fn check_people(storage: &Storage) {
    storage
        .read(|view| {
            let owner = view.owner(&[1; 32])?.unwrap();
            assert_eq!((owner.name.as_str(), owner.scopes.0), ("Bob", 31));
            let alice = view.user(BOB, "ALICE")?.unwrap();
            assert_eq!((alice.role, alice.followers), (Role::Moderator, 1));
            assert!(view.password("alice")?.is_some());
            assert_eq!(view.suspended()?[0].name, "Mallory");
            assert_eq!(view.members(GroupId(51))?.len(), 2);
            assert_eq!(view.happenings(UserId(3), None, (9, 0))?.0, 3);
            Ok(())
        })
        .unwrap();
    let (user, name) = storage.write(|writes| writes.use_link(&[2; 32])).unwrap();
    assert_eq!((user, name.as_str()), (UserId(3), "Bob"));
}

fn check_talk(storage: &Storage) {
    let domain = (Type::Domain, "gray-heron.test");
    storage
        .read(|view| {
            let pulse = view.pulses(BOB, &PulseQuery::of(Selection::Pulse(1)))?.remove(0);
            assert_eq!(view.comments(1, (9, 0))?[0].text, "Seen here, too");
            assert_eq!(view.suggestions(UserId(2), &pulse, (9, 0))?[0].reason, "shorter");
            assert_eq!(view.reports(0, (9, 0))?[0].reason, "copied");
            assert_eq!(view.allowed(BOB)?[0].norm, "203.0.113.66");
            assert_eq!(view.sightings(domain)?, (4, Some(20_780)));
            assert_eq!(view.sightings_by_day(domain)?.len(), 1);
            assert_eq!(view.alerts(UserId(3), (9, 0))?.len(), 1);
            assert_eq!(view.notices(UserId(2), (9, 0))?.len(), 1);
            assert_eq!(view.submissions(UserId(3), (1, &[]), (9, 0))?.0, 1);
            assert_eq!(view.audits((9, 0))?.last().unwrap().action, "account.create");
            Ok(())
        })
        .unwrap();
}

fn check_objects(storage: &Storage) {
    storage
        .read(|view| {
            assert_eq!(view.signing_key()?, Some([3; 32]));
            let shelf = view.shelves("objects", UserId(3))?.remove(0);
            assert_eq!(shelf.title, "Of Bob");
            let head = view.object_heads(shelf.key, None)?.remove(0);
            assert_eq!(view.object_body(shelf.key, head.added)?, "{\"type\":\"malware\"}");
            let id = "2d086da7-4bdc-4f91-900e-d77486753710";
            assert!(view.addition("objects", UserId(3), id)?.is_some());
            Ok(())
        })
        .unwrap();
}

fn check_circle(storage: &Storage) {
    let source = storage.read(|view| view.source("House")).unwrap();
    assert_eq!(source, Some((UserId(1), "set-1".to_string())));
    assert!(!storage.write(|writes| writes.receive(UserId(3), "batch-1")).unwrap());
    let download = storage.write(|writes| writes.take_token(&[4; 32])).unwrap();
    assert_eq!((download.user, download.format.as_str()), (UserId(3), "csv"));
}

fn check_accounts(storage: &Storage) {
    storage
        .read(|view| {
            assert_eq!(view.count_recovery_codes(UserId(3))?, 1);
            let factor = view.second_factor(UserId(3))?.unwrap();
            assert!(factor.is_confirmed && factor.step == 59_849_281);
            assert!(view.is_invitation(&[8; 32])?);
            assert_eq!(view.flagged(2, (9, 0))?[0].reason.as_deref(), Some("it is ours"));
            let votes = view.value_votes(BOB, (Type::Domain, "gray-heron.test"))?;
            assert_eq!((votes.up, votes.score, votes.own), (1, 500, 1));
            assert_eq!(view.pulse_votes(BOB, 1)?.score, 500);
            assert_eq!(view.reputation(UserId(2))?.corroborated, 1);
            assert_eq!(view.appeals(0, (9, 0))?[0].contact, "us@corp.example");
            Ok(())
        })
        .unwrap();
    storage.write(|writes| writes.join_group(GroupId(51), UserId(1))).unwrap();
}

/// Changes go on where they ended.
fn check_changes(storage: &Storage) {
    let before = storage.read(|view| view.stamp()).unwrap();
    let id = PulseId::parse("6922f7c00000000000000001").unwrap();
    let carol = storage.write(move |writes| {
        let new = NewAccount {
            name: "Carol".into(),
            email: String::new(),
            role: Role::Member,
            password: None,
        };
        let carol = writes.create_account(&new)?;
        writes.comment(carol, &id, "Thanks, @bob")?;
        Ok(carol)
    });
    assert_eq!(carol.unwrap(), UserId(5));
    let after = storage.read(|view| view.stamp()).unwrap();
    assert!(after > before && before >= 1_795_478_500_004_096);
}
