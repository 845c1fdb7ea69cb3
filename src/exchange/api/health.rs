//! Whether the server works, and how much it has to do.

use crate::exchange::http::{Failure, Reply};
use crate::exchange::site::{Answer, Call, METRICS};

/// `GET /healthz`: whether the storage can be read and written.
pub(super) fn health(call: &Call<'_>) -> Answer {
    let busy = |_| Failure::new(503, "the storage does not answer");
    call.read(|view| view.stamp()).map_err(busy)?;
    call.write(|_| Ok(())).map_err(busy)?;
    Ok(Reply::new(200, "text/plain; charset=utf-8", "ok\n"))
}

/// `GET /metrics`, for Prometheus.
pub(super) fn metrics(call: &Call<'_>) -> Answer {
    Ok(Reply::new(200, METRICS, call.site.metrics_page()?))
}
