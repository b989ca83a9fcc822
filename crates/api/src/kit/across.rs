//! A customers' surface in front of several cells: whose credential comes with a call says which of them answers it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::HeaderMap;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::cells::Cells;
use signalpost_engine::guesses::Guesses;
use tower_service::Service;

use crate::kit::caller_address::neighbourhood;

/// What a call shows of its caller.
#[derive(Clone, Copy)]
pub(crate) enum Presented<'h> {
    Credential(&'h [u8]),
    /// The key of a user's session.
    Session(&'h [u8]),
    Nothing,
}

/// How a surface finds it.
pub(crate) type Find = Arc<dyn for<'h> Fn(&'h HeaderMap) -> Presented<'h> + Send + Sync>;

pub(crate) fn find_by(
    presented: impl for<'h> Fn(&'h HeaderMap) -> Presented<'h> + Send + Sync + 'static,
) -> Find {
    Arc::new(presented)
}

/// Put into a request's extensions whose cell could not be found because one does not answer.
#[derive(Clone)]
struct Unasked(Arc<Error>);

/// One surface of these, one for each cell.
pub(crate) fn across(cells: &Cells, mut surfaces: Vec<Router>, find: Find) -> Router {
    if surfaces.len() == 1
        && let Some(only) = surfaces.pop()
    {
        return only;
    }
    let front = Arc::new(Front { cells: cells.clone(), surfaces, find, guesses: Guesses::default() });
    Router::new().fallback(move |request: Request| Arc::clone(&front).answer(request))
}

/// Why nobody knows whose a call is; the first cell's surface refuses it in its own form.
pub(crate) fn unasked(request: &Request) -> Result<(), Error> {
    match request.extensions().get() {
        Some(Unasked(error)) => {
            let Error { code, ref message, retry_after_s, .. } = **error;
            Err(Error { retry_after_s, ..Error::new(code, message) })
        }
        None => Ok(()),
    }
}

struct Front {
    cells: Cells,
    surfaces: Vec<Router>,
    find: Find,
    guesses: Guesses,
}

impl Front {
    /// What is nobody's is refused by the first.
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let from = neighbourhood(&request);
        let (mut parts, body) = request.into_parts();
        let place = match self.place(&parts.headers, from).await {
            Ok(place) => place,
            Err(error) if error.code == ErrorCode::Unauthenticated => 0,
            Err(error) => {
                tracing::debug!("no cell could be chosen: {error}");
                parts.extensions.insert(Unasked(Arc::new(error)));
                0
            }
        };
        let request = Request::from_parts(parts, body);
        let Ok(response) = self.surfaces[place].clone().call(request).await;
        response
    }

    /// A wrong credential costs a look into each cell, so whoever shows many is not listened to.
    async fn place(&self, headers: &HeaderMap, from: Option<IpAddr>) -> Result<usize, Error> {
        let (cells, presented) = (&self.cells, (self.find)(headers));
        let look = async {
            let found = match presented {
                Presented::Credential(credential) => cells.of_credential(credential).await?,
                Presented::Session(key) => cells.of_session(key).await?,
                Presented::Nothing => Some(0),
            };
            found.ok_or_else(|| Error::new(ErrorCode::Unauthenticated, "no cell knows the credential"))
        };
        let is_known = || match presented {
            Presented::Credential(credential) => cells.knows_credential(credential),
            Presented::Session(key) => cells.knows_session(key),
            Presented::Nothing => true,
        };
        self.guesses.judged(from, cells.first().engine.now(), is_known, look).await
    }
}
