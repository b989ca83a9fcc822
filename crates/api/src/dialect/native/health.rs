//! `/livez`, `/readyz` and `/metrics`: open to whoever reaches the operator port, and cheap for them to ask.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use futures_util::future::join_all;
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::time::Timestamp;
use signalpost_engine::cells::{Cell, Cells};

use super::{OperatorAccess, metrics};
use crate::kit::operation::{self, Operation, open};
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

/// One commit in this time at most, however often somebody asks.
const PROBE_INTERVAL_MS: i64 = 250;
/// While a probe is under way the last result is told for this long; a store that hangs is not ready.
const RESULT_KEPT_MS: i64 = 2_000;

pub(crate) struct Health {
    cells: Cells,
    draining: Arc<AtomicBool>,
    /// One for each of them.
    probes: Vec<Mutex<Probe>>,
}

#[derive(Default)]
struct Probe {
    started_at: Option<Timestamp>,
    result: Option<(Timestamp, Readiness)>,
}

#[derive(Clone)]
enum Readiness {
    Ready,
    /// And why.
    NotReady(Arc<str>),
}

/// Paths that are answered whoever asks, and however busy the process is.
pub(crate) const PATHS: [&str; 3] = ["/livez", "/readyz", "/metrics"];

pub(crate) fn router(cells: &Cells, access: &OperatorAccess) -> Router {
    let draining = Arc::clone(&access.draining);
    let probes = cells.all().iter().map(|_| Mutex::default()).collect();
    let health = Arc::new(Health { cells: cells.clone(), draining, probes });
    operation::router(operations()).with_state(health)
}

pub(crate) fn operations() -> Vec<Operation<Arc<Health>>> {
    let live = open("/livez", live).described(|call| {
        call.named("getLiveness", "Whether the process lives")
            .about("Looks at nothing else, so that no trouble of a dependency restarts the process.")
            .answers_text("text/plain", "It lives: `ok`.")
    });
    let ready = open("/readyz", ready).described(|call| {
        call.named("getReadiness", "Whether the process takes work")
            .about(
                "Ready is who can commit and is not stopping, while somebody delivers: this process, or another one on the same \
                 database. Else `detail` says what is missing. Of several databases one is enough. Tried four times a second at \
                 most.",
            )
            .answers_text("text/plain", "It is ready: `ok`.")
            .refuses(&[ErrorCode::Unavailable])
    });
    let metrics = open("/metrics", exposition).described(|call| {
        call.named("getMetrics", "Metrics for Prometheus")
            .answers_text("text/plain", "Exposition format 0.0.4.")
    });
    [live, ready, metrics].map(|call| call.described(|call| call.tag("Operation"))).into()
}

/// The process answers; nothing else is looked at, so that no trouble of a dependency restarts it.
async fn live() -> Response {
    reply::with_type(StatusCode::OK, "text/plain; charset=utf-8", "ok")
}

async fn ready(State(health): State<Arc<Health>>) -> Answer {
    if health.draining.load(Ordering::Relaxed) {
        return Err(not_ready("the process is stopping"));
    }
    let each =
        join_all(health.cells.all().iter().zip(&health.probes).map(|(cell, probe)| readiness(cell, probe)));
    match health.of_all(&each.await) {
        Readiness::Ready => Ok(reply::with_type(StatusCode::OK, "text/plain; charset=utf-8", "ok")),
        Readiness::NotReady(why) => Err(not_ready(&why)),
    }
}

async fn exposition(State(health): State<Arc<Health>>) -> Response {
    let text = metrics::render(&health.cells);
    reply::with_type(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
}

fn not_ready(message: &str) -> Refusal {
    Error::new(ErrorCode::Unavailable, message).into()
}

impl Health {
    /// A cell that is away must not take those from callers whose cells are there: ready is who has one that is.
    fn of_all(&self, each: &[Readiness]) -> Readiness {
        let cells = self.cells.all().iter().zip(each);
        let away = cells.filter_map(|(cell, readiness)| match readiness {
            Readiness::Ready => None,
            Readiness::NotReady(why) => Some(match cell.number {
                Some(number) => format!("cell {number}: {why}"),
                None => why.to_string(),
            }),
        });
        let away: Vec<String> = away.collect();
        if away.len() < each.len() { Readiness::Ready } else { Readiness::NotReady(away.join("; ").into()) }
    }
}

/// Whether a cell takes work, by a probe that is at most so old.
async fn readiness(cell: &Cell, probe: &Mutex<Probe>) -> Readiness {
    let engine = &cell.engine;
    if let Some(known) = probe.lock().unwrap_or_else(PoisonError::into_inner).known_at(engine.now()) {
        return known;
    }
    let result = match engine.check_ready().await {
        Ok(()) => Readiness::Ready,
        Err(error) => {
            tracing::warn!(
                cell = cell.number.map(tracing::field::display),
                cause = error.cause.as_deref().map(tracing::field::debug),
                "not ready: {error}"
            );
            Readiness::NotReady(error.message.into())
        }
    };
    let done = (engine.now(), result.clone());
    probe.lock().unwrap_or_else(PoisonError::into_inner).result = Some(done);
    result
}

impl Readiness {
    /// Nobody has had an answer for too long.
    fn unknown() -> Self {
        Self::NotReady("the store does not answer".into())
    }
}

impl Probe {
    /// The answer without a probe, or `None` for the one caller who is to make it.
    fn known_at(&mut self, now: Timestamp) -> Option<Readiness> {
        let age = |since: Timestamp| if since > now { i64::MAX } else { now.ms_since(since) };
        if self.started_at.is_some_and(|started_at| age(started_at) < PROBE_INTERVAL_MS) {
            let kept = self.result.as_ref().filter(|(at, _)| age(*at) < RESULT_KEPT_MS);
            return Some(kept.map_or_else(Readiness::unknown, |(_, result)| result.clone()));
        }
        self.started_at = Some(now);
        None
    }
}
