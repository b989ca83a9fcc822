//! `POST login`: a name and a password open a session, and end the one before. Both are read from the body alone: what
//! stands in a path stands in logs.

use std::sync::Arc;

use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{MANAGEMENT_BODY_BYTES_MAX, PASSWORD_BYTES_MAX, USERNAME_CHARS_MAX};
use signalpost_core::password::check_username;
use signalpost_core::secret::Secret;
use signalpost_engine::Engine;
use signalpost_engine::sessions::LoggedIn;

use super::convert::{date_of_session, number};
use super::{Instance, Shared, Surface, profile, wire};
use crate::kit::caller_address::neighbourhood;
use crate::kit::params::Params;
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "login";

pub(super) async fn login(State(surface): Shared, request: Request) -> Answer {
    let from = neighbourhood(&request);
    let (username, password) = read(Params::of_body(request, MANAGEMENT_BODY_BYTES_MAX).await?)?;
    let instance = &surface.instance;
    let engine = engine_of(&surface, &username).await?;
    let judge = engine.login(&instance.name, &username, &password);
    let logged_in = surface.logins.judged(from, || surface.engine.now(), judge).await.map_err(refused)?;
    let results = results(logged_in, instance)?;
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}

/// The engine that has the user. Who is nobody's fails with this one, after the same work.
async fn engine_of<'s>(surface: &'s Surface, username: &str) -> Result<&'s Arc<Engine>, Error> {
    let Surface { engine, cells, instance, .. } = surface;
    if !cells.is_divided() || check_username(username).is_err() {
        return Ok(engine);
    }
    let place = cells.of_user(&instance.name, username).await?;
    Ok(place.map_or(engine, |place| &cells.all()[place].engine))
}

fn read(mut params: Params) -> Result<(String, Secret), Refusal> {
    let username = params.text(wire::USERNAME, USERNAME_CHARS_MAX);
    let username = params.required(wire::USERNAME, username);
    let password = params.text(wire::PASSWORD, PASSWORD_BYTES_MAX);
    let password = params.required(wire::PASSWORD, password).map(|text| Secret::from_text(&text));
    params.finish()?;
    username
        .zip(password)
        .ok_or_else(|| Error::internal("a parameter was lost although none was refused").into())
}

fn refused(error: Error) -> Refusal {
    match error.code {
        ErrorCode::Unauthenticated => Refusal::with(error, profile::WRONG_PASSWORD),
        _ => error.into(),
    }
}

fn results(logged_in: LoggedIn, instance: &Instance) -> Result<wire::LoggedIn, Error> {
    let LoggedIn { user, session, session_key } = logged_in;
    let user_id = number(&user.public_id)?;
    Ok(wire::LoggedIn {
        session_info: wire::SessionInfo {
            session_auth_method: profile::AUTH_METHOD,
            session_expires_date: date_of_session(session.expires_at),
            session_key: session_key.expose_text().to_owned(),
            session_key_validity: instance.session_hours.to_string(),
            session_user_id: user_id,
            session_username: user.username.clone(),
        },
        user_info: wire::UserInfo { full_name: user.display_name, user_id, username: user.username },
        result_type: CALL,
    })
}
