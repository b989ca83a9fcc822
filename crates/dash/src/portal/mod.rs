//! The customers' portal: the pages of their own workspace, on the public address, entered by a link.

mod catalogue;
mod code;
pub(crate) mod open;
mod theme;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use signalpost_core::cidr::Cidr;
use signalpost_core::ports::Spawn;
use signalpost_engine::cells::Cells;

use crate::PORTAL_PATH;
use crate::desk::Desk;
use crate::look::assets;
use crate::router::{FORM_BYTES_MAX, of_workspaces, unknown, wrong_method};
use crate::trouble::Page;
use crate::visit::{Visit, let_in};
use open::Openings;

pub use code::{Language, Verification};
pub use theme::{Colour, Ground, Logo, Origin, Scheme, Theme};

/// All pages below [`PORTAL_PATH`]. `opened` and `tasks` are as in [`crate::router()`].
pub fn router(cells: Cells, theme: &Theme, opened: &[Cidr], tasks: &Arc<dyn Spawn>) -> Router {
    let house = Arc::new(theme.house());
    let desk = Arc::new(Desk::of_customers(cells, house, opened, Arc::clone(tasks)));
    let cookies = theme.cookies();
    let openings = Arc::new(Openings::new(Arc::clone(&desk), cookies));
    let inside = Router::new()
        .route("/", get(start))
        .route("/catalogue", get(catalogue::show))
        .merge(of_workspaces())
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&desk), let_in));
    let leaving = Router::new()
        .route("/sign-out", post(open::sign_out))
        .with_state(Arc::clone(&openings))
        .layer(from_fn_with_state(Arc::clone(&desk), let_in));
    let entering =
        Router::new().route("/open", get(open::open).head(open::look_at_link)).with_state(openings);
    let outside = Router::new().route("/assets/{name}", get(assets::get));
    let pages = outside.merge(inside).with_state(desk).merge(entering).merge(leaving);
    let to_start = || async { Redirect::to(PORTAL_PATH) };
    Router::new()
        .route(&format!("{PORTAL_PATH}/"), get(to_start))
        .nest(PORTAL_PATH, pages.layer(DefaultBodyLimit::max(FORM_BYTES_MAX)))
}

/// The page of their workspace.
async fn start(visit: Visit) -> Page {
    let workspace = visit.who.at_portal_of().unwrap_or_default();
    Ok(Redirect::to(&visit.paths.workspace(workspace)).into_response())
}
