//! Coming by a link, and going.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use maud::html;
use serde::Deserialize;
use signalpost_core::act::ActResult;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{PORTAL_OPENINGS_BURST, PORTAL_OPENINGS_PER_S};
use signalpost_core::portal_link::{LINK_ID_BYTES, PortalLink};
use signalpost_core::rate::{Granted, RateLimit};
use signalpost_engine::desk::acts::NewAct;
use signalpost_engine::limiter::Limiter;
use signalpost_engine::portal::sessions::OpenedPortalSession;

use super::theme::Cookies;
use crate::PORTAL_PATH;
use crate::desk::{self, Desk, neighbourhood};
use crate::door::Door;
use crate::look::frame;
use crate::look::house::House;
use crate::on_record::Deed;
use crate::request::Query;
use crate::sign_in::Nothing;
use crate::trouble::{self, Page, Trouble};
use crate::visit::Posted;

const OPENINGS: RateLimit = RateLimit { per_s: PORTAL_OPENINGS_PER_S, burst: PORTAL_OPENINGS_BURST };

/// What those need who let somebody in or out.
pub(super) struct Openings {
    desk: Arc<Desk>,
    cookies: Cookies,
    /// A link may be followed again and again, and each time leaves a session and an entry of the record.
    pace: Limiter<[u8; LINK_ID_BYTES]>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    link: String,
}

impl Openings {
    pub(super) fn new(desk: Arc<Desk>, cookies: Cookies) -> Self {
        Self { desk, cookies, pace: Limiter::default() }
    }
}

/// Leads to the start: from there on the link stands in no address, and so in no history, and is named to nobody as a referrer.
pub(super) async fn open(
    State(openings): State<Arc<Openings>>,
    asked: Result<Query<Asked>, Trouble>,
    request: Request,
) -> Response {
    let desk = &openings.desk;
    let asked = match asked {
        Ok(Query(asked)) => asked,
        Err(Trouble(error)) => return ask_for_link(&desk.house, &error),
    };
    let now = desk.first().now();
    let (from, address, request_id) =
        (neighbourhood(&request), desk::address(&request), desk::request_id(&request));
    let opening = open_session(&openings, asked.link.as_bytes(), (address, &request_id));
    // A bad neighbour behind the same address keeps nobody out whose link is one of ours.
    let is_ours = || desk.first().read_portal_link(asked.link.as_bytes()).is_ok();
    match desk.guesses.judged(from, now, is_ours, opening).await {
        Ok(opened) => {
            let mut response = Redirect::to(PORTAL_PATH).into_response();
            let headers = response.headers_mut();
            headers.insert(SET_COOKIE, openings.cookies.of(&opened));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            response
        }
        Err(error) => {
            trouble::log(&error, "a link to the portal");
            ask_for_link(&desk.house, &error)
        }
    }
}

/// Programs that preview what they find in a message ask by HEAD; nobody comes in by that.
pub(super) async fn look_at_link() -> impl IntoResponse {
    ([(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")], StatusCode::NO_CONTENT)
}

/// A session that is on record.
async fn open_session(
    openings: &Openings,
    link: &[u8],
    (address, request_id): (Option<IpAddr>, &str),
) -> Result<OpenedPortalSession, Error> {
    let desk = &openings.desk;
    let place = desk.cells.of_portal_link(link).await?.unwrap_or(0);
    let engine = &desk.cells.all()[place].engine;
    let now = engine.now();
    let said = engine.read_portal_link(link)?;
    if let Granted::No { retry_after_s } = openings.pace.take(said.id, OPENINGS, now).granted {
        return Err(Error::too_fast("this link is followed too often", retry_after_s));
    }
    let opened = engine.open_portal(link).await?;
    let recorded = async {
        let visitor = engine.portal_visitor(opened.token.expose()).await?;
        let id = opened.session.id.to_public();
        let deed = Deed { action: "portal_session.open", object: &id, workspace: Some(&said.workspace) };
        let act = deed.by(visitor.actor(), Door::Customers, address, request_id);
        let act = desk.first().begin_act(NewAct { detail: by_link(&said), ..act }).await?;
        desk.first().end_act(act, ActResult::Done { status: StatusCode::SEE_OTHER.as_u16() }).await
    };
    if let Err(error) = recorded.await {
        engine.end_portal_session(opened.session.workspace, opened.session.id).await?;
        return Err(error);
    }
    Ok(opened)
}

/// Which link it was, and what it lets do, for whoever wants to know how somebody came in.
fn by_link(link: &PortalLink) -> String {
    let (id, rights, made_at) = (link.id_text(), link.rights.name(), link.made_at.to_rfc3339_ms());
    format!("by the link {id} ({rights}), made at {made_at}")
}

pub(super) async fn sign_out(
    State(openings): State<Arc<Openings>>,
    Posted(visit, Nothing {}): Posted<Nothing>,
) -> Page {
    let crate::who::Who::Customer(visitor) = &visit.who else {
        return Err(Error::internal("somebody else came in by the customers' door").into());
    };
    let session = Arc::clone(&visitor.session);
    let (id, workspace) = (session.id.to_public(), visit.who.at_portal_of());
    let deed = Deed { action: "portal_session.end", object: &id, workspace };
    match visit.on_record(deed, visit.home().end_portal_session(session.workspace, session.id)).await {
        // It has ended meanwhile.
        Err(error) if error.code == ErrorCode::NotFound => {}
        ended => ended?,
    }
    let content = html! { p { "You can close this page, or come back from where you have come." } };
    let mut response = frame::apart(&visit.desk.house, "You have left", StatusCode::OK, &content);
    response.headers_mut().insert(SET_COOKIE, openings.cookies.nothing());
    Ok(response)
}

/// What somebody sees who has no session, or no good link.
pub(crate) fn ask_for_link(house: &House, error: &Error) -> Response {
    let title = match error.code {
        ErrorCode::Unauthenticated => "Come back by a link",
        _ => "Not now",
    };
    let content = html! {
        (trouble::words(error))
        p.muted { "These pages are opened from the product whose events they show. Go back there and open them again." }
    };
    let mut response = frame::apart(house, title, trouble::status(error.code), &content);
    // This page's address may hold a link that is good still.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
