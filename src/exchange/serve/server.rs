//! Listens, and hands connections to tasks.

use super::connection::{BODIES, Door, Shared, serve};
use super::tls::{Certificate, Files};
use crate::engine::error::{Error, Result, escape_text};
use crate::exchange::site::{Route, Settings, Site, Warnings, Writers};
use crate::exchange::storage::Storage;
use crate::exchange::{alerts, api, export, page, sources, taxii};
use crate::intel::subscribe::StopSignal;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// Connections at a time.
const CONNECTIONS: usize = 16 << 10;

/// Requests that are answered at a time.
const TURNS: usize = 512;

/// Threads that answer requests.
const THREADS: usize = 32;

/// How often the server looks whether it is to stop, and whether its certificate has changed.
const LOOK: Duration = Duration::from_millis(50);

/// How often what was deleted long ago is looked for.
const PURGE: Duration = Duration::from_secs(6 * 3600);

/// How long requests that were begun may take when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Set from elsewhere when the server is to stop.
pub type Stop = Arc<AtomicBool>;

/// How to listen.
#[derive(Debug)]
pub struct Options {
    /// The socket, already bound, so that failures are noticed before anything else is done.
    pub listener: TcpListener,
    /// Certificate and key; without them the server speaks HTTP.
    pub tls: Option<(std::path::PathBuf, std::path::PathBuf)>,
    /// A socket for metrics alone, which asks nobody for a key.
    pub metrics: Option<TcpListener>,
    /// The directory of the exchange, whose sources are kept up to date; `None` for none.
    pub sources: Option<std::path::PathBuf>,
}

/// Every route of the server.
pub fn routes(settings: &Settings) -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(api::own_routes());
    routes.extend_from_slice(taxii::ROUTES);
    routes.extend_from_slice(export::ROUTES);
    routes.extend_from_slice(export::TOKEN_ROUTES);
    routes.extend_from_slice(alerts::ROUTES);
    routes.extend(page::routes());
    if settings.test_routes {
        routes.extend(api::test_routes());
        routes.extend_from_slice(taxii::TEST_ROUTES);
    }
    routes
}

/// The site over a storage.
pub fn site(storage: Storage, settings: Settings, warnings: Warnings) -> Site {
    let routes = routes(&settings);
    let writers = Writers { taxii: taxii::failure, page: page::failure };
    Site::new(Arc::new(storage), settings, warnings, &routes, writers)
}

/// Answers requests until `stop` is set; then what was begun is finished.
///
/// # Errors
///
/// If the socket or the certificate cannot be used.
pub fn run(site: Site, options: Options, stop: &Stop) -> Result<()> {
    let failed = |error| Error::io("start the server", error);
    let certificate = options
        .tls
        .map(|(certificate, key)| Certificate::read(Files { certificate, key }))
        .transpose()?;
    for listener in [Some(&options.listener), options.metrics.as_ref()].into_iter().flatten() {
        listener.set_nonblocking(true).map_err(failed)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("exchange")
        .max_blocking_threads(THREADS)
        .build()
        .map_err(failed)?;
    let (turns, bodies) = (Semaphore::new(TURNS), Semaphore::new(BODIES));
    let shared = Arc::new(Shared { site: Arc::new(site), turns, bodies });
    let keeper = options.sources.map(|directory| Keeper::start(&shared.site, directory));
    let keeper = keeper.transpose().map_err(failed)?;
    let listeners = (options.listener, options.metrics);
    let outcome = runtime.block_on(listen(listeners, certificate, shared, stop));
    drop(keeper);
    runtime.shutdown_timeout(GRACE);
    outcome.map_err(failed)
}

/// The thread that keeps the sources up to date, until it is dropped.
struct Keeper {
    stop: StopSignal,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Keeper {
    fn start(site: &Arc<Site>, directory: std::path::PathBuf) -> std::io::Result<Keeper> {
        let (site, stop) = (Arc::clone(site), StopSignal::default());
        let stopped = stop.clone();
        let keep = move || sources::keep(&directory, (&site.storage, &site.warnings), &stopped);
        let thread = std::thread::Builder::new().name("exchange-sources".into()).spawn(keep)?;
        Ok(Keeper { stop, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.stop();
        let Some(thread) = self.thread.take() else { return };
        let waiting = crate::clock::Stopwatch::start();
        // A fetch notices it within a moment. A long import goes on at the next start: each of its
        // pulses is stored or not.
        while !thread.is_finished() && waiting.elapsed() < GRACE / 2 {
            std::thread::sleep(LOOK);
        }
    }
}

/// Accepts connections.
async fn listen(
    (listener, metrics): (TcpListener, Option<TcpListener>),
    certificate: Option<Certificate>,
    shared: Arc<Shared>,
    stop: &Stop,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let metrics = metrics.map(tokio::net::TcpListener::from_std).transpose()?;
    let certificate = certificate.map(|certificate| Arc::new(Mutex::new(certificate)));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (ended, end) = watch::channel(false);
    let mut look = tokio::time::interval(LOOK);
    let mut purge = tokio::time::interval(PURGE);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Out of descriptors, or a client that is gone: the next one may do.
                let Ok((stream, peer)) = accepted else {
                    tokio::time::sleep(LOOK).await;
                    continue;
                };
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let (shared, end) = (Arc::clone(&shared), end.clone());
                let acceptor = certificate.as_ref().map(acceptor_of);
                tokio::spawn(async move {
                    shared.site.metrics().connections.add(1);
                    connect(stream, peer, (acceptor, Arc::clone(&shared)), end).await;
                    shared.site.metrics().connections.add(-1);
                    drop(place);
                });
            }
            accepted = accept(metrics.as_ref()) => {
                let Ok((stream, peer)) = accepted else { continue };
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let (shared, end) = (Arc::clone(&shared), end.clone());
                tokio::spawn(async move {
                    serve(stream, (peer.ip(), Door::Metrics), shared, end).await;
                    drop(place);
                });
            }
            _ = purge.tick() => {
                let site = Arc::clone(&shared.site);
                tokio::task::spawn_blocking(move || {
                    // What fails now is done the next time.
                    while matches!(site.storage.write(|writes| writes.purge()), Ok(true)) {}
                });
            }
            _ = look.tick() => {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    }
    drop((listener, metrics));
    let _ = ended.send(true);
    // Every connection gives its place back.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(GRACE, places.acquire_many(all)).await;
    Ok(())
}

/// The next connection of a socket; none ever, if there is no socket.
async fn accept(
    listener: Option<&tokio::net::TcpListener>,
) -> std::io::Result<(tokio::net::TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// The current certificate for a connection.
fn acceptor_of(certificate: &Arc<Mutex<Certificate>>) -> TlsAcceptor {
    let mut certificate = certificate.lock().unwrap_or_else(PoisonError::into_inner);
    let (config, error) = certificate.current();
    if let Some(error) = error {
        use std::io::Write as _;
        let text = format!("{error}; the old certificate stays in use");
        let _ = writeln!(std::io::stderr(), "exchange: {}", escape_text(&text));
    }
    TlsAcceptor::from(config)
}

async fn connect(
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    (acceptor, shared): (Option<TlsAcceptor>, Arc<Shared>),
    end: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => serve(stream, (peer.ip(), Door::Public), shared, end).await,
        Some(acceptor) => {
            let handshake = tokio::time::timeout(GRACE, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = handshake {
                serve(stream, (peer.ip(), Door::Public), shared, end).await;
            }
        }
    }
}
