//! `wiresift exchange serve`.

use super::place::place;
use crate::cli::flags::ExchangeServe;
use crate::cli::messages::print;
use crate::cli::outcome::Outcome;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::net::TcpListener;
use std::path::PathBuf;
use wiresift::engine::error::escape_text;
use wiresift::exchange::serve::{self, Options, Stop};
use wiresift::exchange::site::{Cookies, Quotas, Settings, SignUp, Warnings};
use wiresift::exchange::storage::Opened;
use wiresift::{Error, Result};

/// Serves until a signal ends it.
pub(super) fn serve(flags: ExchangeServe) -> Result<Outcome> {
    let stop = Stop::default();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Stop::clone(&stop))
            .map_err(|error| Error::io("take signals", error))?;
    }
    if flags.test_routes && !flags.listen.ip().is_loopback() {
        return Err(Error::usage("--test-routes needs a loopback address"));
    }
    let warnings = warnings(&flags.warning_list)?;
    let listener = TcpListener::bind(flags.listen)
        .map_err(|error| Error::io(format!("listen on {}", flags.listen), error))?;
    let address = listener.local_addr().map_err(|error| Error::io("listen", error))?;
    let settings = settings(&flags, address)?;
    let metrics = flags.metrics.map(metrics).transpose()?;
    let started = serve::start(place(&flags.data)?, &settings.house)?;
    if flags.demo {
        serve::fill(&started.storage)?;
    }
    let mut text = String::new();
    if started.opened == Opened::Created {
        text.push_str(&format!("new exchange: {}\n", escape_text(&started.storage.name())));
    }
    text.push_str(match settings.cookies() {
        Cookies::Secure => "log-in: by secure cookies\n",
        Cookies::Loopback => "log-in: by plain cookies, good on this machine alone\n",
        Cookies::Refused => {
            "log-in: off, as passwords would cross a network without TLS: give --tls-cert and \
             --tls-key, or put a proxy in front and give its https:// address as --url\n"
        }
    });
    text.push_str(&format!("listening on {}\n", settings.base));
    if let Some(metrics) = &metrics {
        let address = metrics.local_addr().map_err(|error| Error::io("listen", error))?;
        text.push_str(&format!("metrics on http://{address}/metrics\n"));
    }
    if let Some(link) = &started.link {
        text.push_str(&format!("first account, once: {}{link}\n", settings.base));
    }
    print(text)?;
    let site = serve::site(started.storage, settings, warnings);
    let tls = flags.tls_cert.zip(flags.tls_key);
    let sources = Some(flags.data.directory);
    serve::run(site, Options { listener, tls, metrics, sources }, &stop)?;
    Ok(Outcome::Yes)
}

/// The socket for metrics. They name nobody, and are still nobody's business.
fn metrics(address: std::net::SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(Error::usage(format!(
            "--metrics {address}: expected a loopback address; from elsewhere, an administrator's \
             key reads /metrics"
        )));
    }
    TcpListener::bind(address).map_err(|error| Error::io(format!("listen on {address}"), error))
}

/// The settings of the flags.
fn settings(flags: &ExchangeServe, address: std::net::SocketAddr) -> Result<Settings> {
    let scheme = if flags.tls_cert.is_some() { "https" } else { "http" };
    let base = flags.url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    let is_url = base.starts_with("http://") || base.starts_with("https://");
    let is_clean =
        base.bytes().all(|b| b.is_ascii_graphic()) && !base.contains(['?', '#', '{', '}']);
    if !is_url || !is_clean {
        return Err(Error::usage(format!(
            "invalid URL “{}”: expected one like https://exchange.example",
            escape_text(&base)
        )));
    }
    let sign_up = SignUp::from_name(&flags.sign_up).ok_or_else(|| {
        let known = SignUp::ALL.map(|(_, name)| name).join(", ");
        let wrong = escape_text(&flags.sign_up);
        Error::usage(format!("invalid --sign-up “{wrong}”: expected one of {known}"))
    })?;
    Ok(Settings {
        base: base.trim_end_matches('/').to_string(),
        anonymous_read: flags.anonymous_read,
        per_key: flags.limit_key,
        per_address: flags.limit_address,
        writes_per_key: flags.limit_writes,
        quotas: Quotas {
            pulses: flags.quota_pulses,
            indicators: flags.quota_indicators,
            ..Quotas::default()
        },
        house: flags.house.clone(),
        test_routes: flags.test_routes,
        sign_up,
        logins_per_address: flags.limit_login,
        logins_per_account: flags.limit_login_account,
        behind_proxy: flags.behind_proxy,
        ..Settings::default()
    })
}

/// Reads the warning lists.
pub(super) fn warnings(paths: &[PathBuf]) -> Result<Warnings> {
    let mut lists = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path)
            .map_err(|error| Error::io("read the warning list", error).at_path(path))?;
        let id = wiresift::intel::feed::name_of(path);
        let list = wiresift::intel::feed::read_warninglist(&bytes, &id);
        let list = list.map_err(|error| error.at_path(path))?;
        lists.push(list);
    }
    Ok(Warnings::new(&lists))
}
