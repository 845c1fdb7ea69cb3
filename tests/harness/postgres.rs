//! A cluster of PostgreSQL of its own: data and socket in a temporary directory, no TCP.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The directory of the socket of a running cluster, for tests that are to use it.
pub const CLUSTER: &str = "WIRESIFT_TEST_CLUSTER";

/// The superuser.
const USER: &str = "wiresift";

/// A running cluster; it is stopped when it is dropped.
pub struct Cluster {
    server: Child,
    directory: tempfile::TempDir,
}

impl Cluster {
    /// Starts one. `None`: PostgreSQL 15 or later is not installed.
    pub fn start() -> Option<Cluster> {
        let bin = programs()?;
        let directory = tempfile::Builder::new().prefix("wiresift-pg-").tempdir().unwrap();
        let data = directory.path().join("data");
        if is_root() {
            // The server refuses to run as root.
            let own = Command::new("chown").arg("postgres").arg(directory.path()).status();
            assert!(own.unwrap().success(), "chown");
        }
        let made = unprivileged(&bin.join("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-U", USER, "-D"])
            .arg(&data)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {errors}");
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let mut command = unprivileged(&bin.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(directory.path());
        // Tests kill our processes, not this one.
        for setting in ["listen_addresses=", "fsync=off", "max_connections=400"] {
            command.args(["-c", setting]);
        }
        let server = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let cluster = Cluster { server, directory };
        for _ in 0..600 {
            if query(cluster.path(), "postgres", "SELECT 1").is_ok() {
                return Some(cluster);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = std::fs::read_to_string(cluster.path().join("log"));
        panic!("PostgreSQL does not answer: {log:?}");
    }

    /// The directory of its socket.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Creates a database, and returns its URL.
    pub fn create(&self, name: &str) -> String {
        create(self.path(), name)
    }

    /// Runs statements in a database, and returns what they print.
    #[track_caller]
    pub fn query(&self, name: &str, sql: &str) -> String {
        query(self.path(), name, sql).unwrap_or_else(|error| panic!("{error}: {sql}"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It ends at once, and with it all that it started.
        let id = rustix::process::Pid::from_raw(self.server.id() as i32).unwrap();
        let _ = rustix::process::kill_process(id, rustix::process::Signal::QUIT);
        let _ = self.server.wait();
    }
}

/// The URL of a database of a test's own, if tests are to use a cluster: created for a directory
/// at the first call.
pub fn database_of(directory: &Path) -> Option<String> {
    static CREATED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let cluster = PathBuf::from(std::env::var_os(CLUSTER)?);
    let name = database_name(directory);
    let mut created = CREATED.lock().unwrap_or_else(PoisonError::into_inner);
    if created.get_or_insert_default().insert(name.clone()) {
        create(&cluster, &name);
    }
    Some(url(&cluster, &name))
}

/// Runs a statement in the database of a directory, if tests are to use a cluster.
pub fn execute(directory: &Path, sql: &str) -> bool {
    let Some(cluster) = std::env::var_os(CLUSTER) else { return false };
    database_of(directory);
    query(Path::new(&cluster), &database_name(directory), sql).unwrap();
    true
}

fn database_name(directory: &Path) -> String {
    let bytes = directory.as_os_str().as_encoded_bytes();
    format!("t{:016x}", xxhash_rust::xxh3::xxh3_64(bytes))
}

fn url(cluster: &Path, name: &str) -> String {
    format!("postgres:///{name}?host={}&user={USER}", cluster.display())
}

fn create(cluster: &Path, name: &str) -> String {
    query(cluster, "postgres", &format!("CREATE DATABASE {name}")).unwrap();
    url(cluster, name)
}

fn query(cluster: &Path, name: &str, sql: &str) -> Result<String, String> {
    let psql = programs().ok_or("PostgreSQL is not installed")?.join("psql");
    let run = Command::new(psql)
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", name, "-h"])
        .arg(cluster)
        .args(["-c", sql])
        .output()
        .map_err(|error| error.to_string())?;
    match run.status.success() {
        true => Ok(String::from_utf8_lossy(&run.stdout).trim().to_string()),
        false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

/// The directory of the programs of the newest version from 15.
fn programs() -> Option<PathBuf> {
    let all = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.filter(|version| *version >= 15).max()?;
    let bin = Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin");
    bin.join("initdb").exists().then_some(bin)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A program as the user that Debian's package made, if this is root.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command.current_dir("/");
    command
}
