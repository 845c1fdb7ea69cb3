//! Where the server is, and how a session with it begins.

use super::super::session::{Access, Database, Fault, Session};
use super::session::Connection;
use super::tls::Connector;
use crate::engine::error::{Error, Result, escape_text};
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

/// The oldest version that the statements are tested with.
const OLDEST: i64 = 150_000;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a silent connection may be before it is checked, and how long the check may take.
const SILENCE: Duration = Duration::from_secs(30);

/// What each session is set to. Statements are short and often: compiling them costs more than it
/// gains.
const SETTINGS: &str = "SET jit = off; SET lock_timeout = '30s'; SET client_min_messages = warning";

/// A process that hangs must not hold others up for ever.
const PATIENCE: &str = "SET idle_in_transaction_session_timeout = '60s'";

/// What is written must be on the disk when it is acknowledged, whatever the server's default.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') = 'off'";

/// A database of a server.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: Option<Connector>,
    name: String,
}

impl Server {
    /// The database with this URL: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE`, with
    /// the options of `tokio-postgres`, `sslmode` (`disable` or `require`) and `sslrootcert`. A
    /// password that is not in it is `password`.
    ///
    /// Other machines are spoken to over TLS, unless `sslmode` is `disable`; their certificates
    /// are always verified.
    ///
    /// # Errors
    ///
    /// If it is no such URL, or the certificates cannot be read.
    pub(crate) fn new(url: &str, password: Option<&str>) -> Result<Server> {
        let expected = || {
            "expected one like postgres://user@host/database, or \
             postgres:///database?host=/run/postgresql"
        };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Error::usage("invalid URL of a database").remedy(expected()));
        }
        let (url, options) = without_tls(url)?;
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            let why = why.unwrap_or_else(|| error.to_string());
            Error::usage(format!("invalid URL of a database: {}", escape_text(&why)))
                .remedy(expected())
        })?;
        if config.get_hosts().is_empty() {
            return Err(Error::usage("the URL of the database names no host").remedy(expected()));
        }
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password);
        }
        let is_encrypted = options.is_encrypted.unwrap_or(!config.get_hosts().iter().all(is_here));
        let roots = options.roots.as_deref();
        let tls = is_encrypted.then(|| Connector::new(roots)).transpose()?;
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("wiresift exchange");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.keepalives_idle(SILENCE);
        config.tcp_user_timeout(SILENCE);
        let name = name_of(&config);
        Ok(Server { config, tls, name })
    }

    fn open(&self, access: Access) -> std::result::Result<Connection, Fault> {
        let session = match &self.tls {
            Some(tls) => self.open_over(tls.clone())?,
            None => self.open_over(NoTls)?,
        };
        session.batch(SETTINGS)?;
        if access != Access::Read {
            session.batch(PATIENCE)?;
            session.batch(DURABLE)?;
            check(&session)?;
        }
        Ok(session)
    }

    fn open_over<T>(&self, tls: T) -> std::result::Result<Connection, Fault>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::new(error.to_string()))?;
        let (client, connection) = runtime.block_on(self.config.connect(tls))?;
        // It ends with an error if the server goes away; so does what is asked then.
        runtime.spawn(async { drop(connection.await) });
        Ok(Connection::new(client, runtime))
    }
}

impl Database for Server {
    fn connect(&self, access: Access) -> Result<Box<dyn Session>> {
        match self.open(access) {
            Ok(session) => Ok(Box::new(session)),
            Err(fault) => Err(Error::from(fault).at_path(&self.name)),
        }
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Refuses servers and databases that would answer otherwise.
fn check(session: &dyn Session) -> std::result::Result<(), Fault> {
    let sql = "SELECT CAST(current_setting('server_version_num') AS BIGINT), \
               current_setting('server_encoding')";
    let mut found = (0, String::new());
    session.query(sql, &[], &mut |row| {
        found = (row.get(0)?, row.get(1)?);
        Ok(false)
    })?;
    if found.0 < OLDEST {
        return Err(Fault::new("the server is older than PostgreSQL 15")
            .remedy("use PostgreSQL 15 or later"));
    }
    if found.1 != "UTF8" {
        return Err(Fault::new(format!("the database has the encoding {}", found.1))
            .remedy("create one with ENCODING 'UTF8'"));
    }
    Ok(())
}

/// What a URL says about TLS.
#[derive(Default)]
struct Tls {
    is_encrypted: Option<bool>,
    roots: Option<PathBuf>,
}

/// A URL without its options for TLS.
fn without_tls(url: &str) -> Result<(String, Tls)> {
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_string(), Tls::default()));
    };
    let (mut rest, mut options) = (Vec::new(), Tls::default());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => {
                options.is_encrypted = match mode {
                    "disable" => Some(false),
                    "require" | "verify-ca" | "verify-full" => Some(true),
                    _ => {
                        return Err(Error::usage(format!(
                            "unknown sslmode “{}” of the database: expected disable or require, \
                             which verifies the certificate",
                            escape_text(mode)
                        )));
                    }
                }
            }
            Some(("sslrootcert", path)) => options.roots = Some(decoded(path).into()),
            _ => rest.push(pair),
        }
    }
    let url = if rest.is_empty() { base.to_string() } else { format!("{base}?{}", rest.join("&")) };
    Ok((url, options))
}

/// A value of a URL without its escapes.
fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, tail)) = rest.split_first() {
        let byte = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let digit = |b: u8| char::from(b).to_digit(16);
                digit(*high)
                    .zip(digit(*low))
                    .and_then(|(high, low)| (high * 16 + low).try_into().ok())
            }
            _ => None,
        };
        out.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a server is on this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}

/// What people call a database: its URL without password and options.
fn name_of(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.to_string_lossy().into_owned(),
        None => String::new(),
    };
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    format!("postgres://{user}{host}/{}", config.get_dbname().or(config.get_user()).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(url: &str) -> String {
        Server::new(url, None).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn urls_are_read() {
        let server = Server::new("postgres:///db?host=/run/postgresql&user=me", Some("s")).unwrap();
        assert_eq!(server.name(), "postgres://me@/run/postgresql/db");
        assert_eq!(server.config.get_password(), Some(&b"s"[..]));
        assert!(server.tls.is_none());
        let server = Server::new("postgresql://me:a%40@127.0.0.1:7/db", Some("s")).unwrap();
        assert_eq!(server.config.get_password(), Some(&b"a@"[..]));
        assert!(server.tls.is_none());
        assert_eq!(server.name(), "postgres://me@127.0.0.1/db");
        let open = Server::new("postgres://me@db.example/db?sslmode=disable", None).unwrap();
        assert!(open.tls.is_none());
    }

    #[test]
    fn other_machines_need_certificates() {
        let wrong = wrong("postgres://db.example/db?sslrootcert=%2Fnowhere/x.pem&user=me");
        assert!(wrong.starts_with("/nowhere/x.pem: "), "{wrong}");
    }

    #[test]
    fn what_is_no_url_is_explained_without_the_password() {
        for (url, part) in [
            ("mysql://me:secret@host/db", "invalid URL of a database (expected one like"),
            ("postgres://me:secret@host:x/db", "invalid URL of a database: "),
            ("postgres://me:secret@host/db?sslmode=allow", "unknown sslmode “allow”"),
            ("postgres://me:secret@host/db?secret2=1", "unknown"),
            ("postgres:///db", "names no host"),
        ] {
            let wrong = wrong(url);
            assert!(wrong.contains(part) && !wrong.contains(":secret"), "{wrong}");
        }
    }
}
