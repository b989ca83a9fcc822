//! The pages, on one screen.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};
use signalpost_core::cidr::Cidr;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::ports::Spawn;
use signalpost_core::root_key::RootKey;
use signalpost_engine::cells::Cells;

use crate::desk::Desk;
use crate::look::assets;
use crate::pages::{
    attempt, audit, deliveries, delivery, event, events, find, keys, operators, overview, replay, resend,
    sessions, webhook, workspace, workspaces,
};
use crate::trouble::Page;
use crate::visit::let_in;
use crate::{BASE_PATH, sign_in};

/// Forms of these pages are smaller by far.
pub(crate) const FORM_BYTES_MAX: usize = 64 * 1024;

/// All pages below [`BASE_PATH`], and the way there from the root of the address.
/// `opened` are ranges that webhooks may reach although they are not on the public internet; `tasks` run what changes something
/// to its end, also when its caller goes away.
pub fn router(cells: Cells, root: RootKey, opened: &[Cidr], tasks: &Arc<dyn Spawn>) -> Router {
    let desk = Arc::new(Desk::of_operators(cells, root, opened, Arc::clone(tasks)));
    let inside = Router::new()
        .route("/", get(overview::show))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/audit", get(audit::show))
        .route("/keys", get(keys::show).post(keys::create))
        .route("/keys/{key}/rotate", post(keys::rotate))
        .route("/keys/{key}/revoke", post(keys::revoke))
        .route("/sessions/{session}/end", post(sessions::end))
        .route("/operators", get(operators::show).post(operators::create))
        .route("/operators/{account}/role", post(operators::set_role))
        .route("/operators/{account}/password", post(operators::set_password))
        .route("/operators/{account}/delete", post(operators::delete))
        .route("/workspaces", get(workspaces::show))
        .merge(of_workspaces())
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&desk), let_in));
    let outside = Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/assets/{name}", get(assets::get));
    let pages = outside.merge(inside).layer(DefaultBodyLimit::max(FORM_BYTES_MAX)).with_state(desk);
    let to_start = || async { Redirect::to(BASE_PATH) };
    Router::new()
        .route("/", get(to_start))
        .route(&format!("{BASE_PATH}/"), get(to_start))
        .nest(BASE_PATH, pages)
}

/// What customers see of their own workspace, and operators of each.
pub(crate) fn of_workspaces() -> Router<Arc<Desk>> {
    Router::new()
        .route("/find", get(find::show))
        .route("/workspaces/{workspace}", get(workspace::show))
        .route("/workspaces/{workspace}/webhooks", get(webhook::new::show).post(webhook::new::create))
        .nest("/workspaces/{workspace}/webhooks/{webhook}", of_webhook())
        .route("/workspaces/{workspace}/replays", get(replay::list::show))
        .route("/workspaces/{workspace}/replays/{replay}", get(replay::show::show))
        .route("/workspaces/{workspace}/replays/{replay}/{command}", post(replay::command::command))
        .route("/workspaces/{workspace}/events", get(events::show))
        .route("/workspaces/{workspace}/events/{event}", get(event::show))
        .route("/workspaces/{workspace}/deliveries", get(deliveries::show::show))
        .route("/deliveries/{delivery}", get(delivery::show))
        .route("/deliveries/{delivery}/attempts/{number}", get(attempt::show::show))
        .route("/deliveries/{delivery}/attempts/{number}/body", get(attempt::body::get))
        .route("/deliveries/{delivery}/resend", post(resend::resend))
}

fn of_webhook() -> Router<Arc<Desk>> {
    Router::new()
        .route("/", get(webhook::show::show))
        .route("/edit", get(webhook::edit::show).post(webhook::edit::update))
        .route("/delete", get(webhook::delete::show).post(webhook::delete::delete))
        .route("/test", webhook::test::route())
        .route("/replay", get(replay::new::show).post(replay::new::create))
        .route("/switch", post(webhook::switch::switch))
        .route("/release", post(webhook::release::release))
        .route("/secret", post(webhook::secret::reveal))
        .route("/secret/rotate", post(webhook::secret::rotate))
        .route("/secret/revoke-previous", post(webhook::secret::revoke_previous))
}

pub(crate) async fn wrong_method() -> Page {
    let message = "this address is of a form, or of a page, and was asked the other way";
    Err(Error::new(ErrorCode::MethodNotAllowed, message).into())
}

pub(crate) async fn unknown() -> Page {
    Err(Error::not_found("page").into())
}
