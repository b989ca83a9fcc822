//! Which cell answers a call: the one that has what its path names. What is about the installation as a whole is the first
//! one's, or that of a cell which the caller names.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::Method;
use http::request::Parts;
use signalpost_core::cell::CellNumber;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::cells::Cells;
use tower_service::Service;

use super::auth::Judged;
use crate::kit::auth::single;
use crate::kit::query::decode_percent;
use crate::kit::refusal::Refusal;

/// The header that names a cell.
pub(super) const HEADER: &str = "signalpost-cell";

/// One surface of these, one for each cell.
pub(super) fn front(cells: &Cells, mut surfaces: Vec<Router>) -> Router {
    if surfaces.len() == 1
        && let Some(only) = surfaces.pop()
    {
        return only;
    }
    let front = Arc::new(Front { cells: cells.clone(), surfaces });
    Router::new().fallback(move |request: Request| Arc::clone(&front).answer(request))
}

struct Front {
    cells: Cells,
    surfaces: Vec<Router>,
}

impl Front {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        match place(&self.cells, &parts).await {
            Ok(place) => {
                let request = Request::from_parts(parts, body);
                let Ok(response) = self.surfaces[place].clone().call(request).await;
                response
            }
            Err(error) => Refusal::from(error).into_response(),
        }
    }
}

/// What nobody has is refused by the first.
async fn place(cells: &Cells, request: &Parts) -> Result<usize, Error> {
    let judged = request.extensions.get::<Judged>();
    if let Some(judged) = judged.filter(|judged| judged.operator.binding().is_some()) {
        // It may know of what lies beside it, and of nothing else.
        return Ok(judged.cell);
    }
    let mut segments = request.uri.path().split('/').skip(1);
    let kind = segments.next().unwrap_or_default();
    let Some(named) = segments.next().and_then(decode_percent) else {
        return of_the_whole(cells, request, kind);
    };
    let found = match kind {
        "workspaces" => cells.of_workspace(&named).await,
        "deliveries" => cells.of_delivery(&named).await,
        "keys" => cells.of_operator_key(&named).await,
        _ => Ok(None),
    };
    Ok(found?.unwrap_or(0))
}

fn of_the_whole(cells: &Cells, request: &Parts, kind: &str) -> Result<usize, Error> {
    if request.headers.contains_key(HEADER) {
        let number =
            single(&request.headers, HEADER).and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let wrong = || {
            Error::new(ErrorCode::Invalid, format!("{HEADER}: must stand once, and be the number of a cell"))
        };
        return cells.numbered(number.and_then(CellNumber::new).ok_or_else(wrong)?);
    }
    match kind {
        "workspaces" if request.method == Method::POST => cells.of_new_workspaces(),
        _ => Ok(0),
    }
}
