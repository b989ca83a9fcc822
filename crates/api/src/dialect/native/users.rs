//! Users of a dialect that has a login, as the operator makes them: credentials of a workspace by another name.

use http::StatusCode;
use serde_json::value::RawValue;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::password::check_username;
use signalpost_core::secret::Secret;
use signalpost_engine::once::Stale;
use signalpost_engine::operator::Operator;
use signalpost_engine::users::{IssuedUser, NewRight, NewUser};
use signalpost_engine::{HeldRight, View};

use super::credentials::SCOPES_MAX;
use super::{Surface, convert};
use crate::kit::body::ReadBody;
use crate::kit::fields::{Fields, Whole};
use crate::kit::idempotency::{self, Repeatable};
use crate::kit::instant;
use crate::kit::json::Object;
use crate::kit::refusal::Answer;

/// What a body asks for.
struct Wanted {
    who: Who,
    right: NewRight,
    /// The word by which the caller calls rights.
    word: &'static str,
}

enum Who {
    New(NewUser),
    /// A user whom the dialect instance has already, by public id.
    Known(String),
}

pub(super) async fn create(
    surface: &Surface,
    caller: &Operator,
    view: &View,
    call: Repeatable,
    body: ReadBody,
) -> Answer {
    let wanted = read(&body);
    // A body that breaks a rule now did so the first time, and nothing was kept for it.
    let known = wanted.as_ref().ok().and_then(|wanted| match &wanted.who {
        Who::Known(id) => Some(id.clone()),
        Who::New(_) => None,
    });
    let dialect = &view.workspace.dialect;
    let stale = known.as_deref().map_or(Stale::Nothing, |id| Stale::User(dialect, id));
    let make = async {
        let Wanted { who, right, word } = wanted?;
        let done = match who {
            Who::New(user) => make_user(surface, view, user, right, call).await,
            Who::Known(user) => grant(surface, caller, view, &user, right, call).await,
        };
        done.map_err(|refusal| refusal.map(|error| in_words_of(error, word)))
    };
    call.once(&surface.engine, Some(view.workspace.id), stale, make).await
}

async fn make_user(
    surface: &Surface,
    view: &View,
    user: NewUser,
    right: NewRight,
    call: Repeatable,
) -> Answer {
    let show =
        |issued: &IssuedUser| idempotency::kept(StatusCode::CREATED, "", &convert::issued_user(issued));
    refuse_taken_elsewhere(surface, &view.workspace.dialect, user.username.as_deref()).await?;
    let workspace = &view.workspace.public_id;
    let done = surface.engine.create_user(workspace, user, right, call.keep(&show)).await?;
    idempotency::answer(done, show)
}

/// Who logs in says a name alone, so there is one of each in all cells; the store of this one refuses what it has itself.
async fn refuse_taken_elsewhere(
    surface: &Surface,
    dialect: &str,
    username: Option<&str>,
) -> Result<(), Error> {
    let Some(username) = username.filter(|name| surface.cells.is_divided() && check_username(name).is_ok())
    else {
        return Ok(());
    };
    match surface.cells.of_user(dialect, username).await? {
        Some(place) if place != surface.place => {
            Err(Error::new(ErrorCode::Conflict, "the username is already taken"))
        }
        Some(_) | None => Ok(()),
    }
}

async fn grant(
    surface: &Surface,
    caller: &Operator,
    view: &View,
    user: &str,
    right: NewRight,
    call: Repeatable,
) -> Answer {
    let show = |held: &HeldRight| idempotency::kept(StatusCode::CREATED, "", &convert::granted_right(held));
    let workspace = &view.workspace.public_id;
    let done = surface.engine.grant_right(caller, workspace, user, right, call.keep(&show)).await?;
    idempotency::answer(done, show)
}

fn read(body: &[u8]) -> Result<Wanted, Error> {
    let mut fields = Fields::new(Object::parse(body)?);
    let name = fields.optional_text("name");
    let (scopes, word) = rights(&mut fields);
    let expires_at = fields.optional_text("expires_at");
    let expires_at = expires_at.and_then(|text| fields.check("expires_at", instant::parse(&text)));
    let username = fields.optional_text("username");
    let password = fields.optional_text("password").map(|text| Secret::from_text(&text));
    let known = fields.raw("user_id").given().and_then(|raw| fields.check("user_id", user_id(raw)));
    if known.is_some() {
        for (name, given) in [("username", username.is_some()), ("password", password.is_some())] {
            if given {
                fields.note(name, "belongs to a new user, and `user_id` names one who is there already");
            }
        }
    }
    fields.refuse_rest("is not a property of a credential");
    fields.finish()?;
    let who = known.map_or(Who::New(NewUser { username, password }), Who::Known);
    Ok(Wanted { who, right: NewRight { name, scopes, expires_at }, word })
}

/// Under either name, but not under both.
fn rights(fields: &mut Fields<'_>) -> (Option<Vec<String>>, &'static str) {
    let rights = fields.texts("rights", SCOPES_MAX);
    let scopes = fields.texts("scopes", SCOPES_MAX);
    match (rights.given(), scopes.given()) {
        (Some(_), Some(_)) => {
            fields.note("scopes", "is another word for `rights`; give one of them");
            (None, "rights")
        }
        (None, Some(scopes)) => (Some(scopes), "scopes"),
        (rights, None) => (rights, "rights"),
    }
}

/// A text, or a whole number as answers show it where ids are numbers.
fn user_id(raw: &RawValue) -> Result<String, String> {
    let text = serde_json::from_str::<String>(raw.get());
    let number = || serde_json::from_str::<Whole>(raw.get()).map(|Whole(number)| number.to_string());
    text.or_else(|_| number()).map_err(|_| "must be the id of a user: a string or a whole number".to_owned())
}

fn in_words_of(mut error: Error, word: &str) -> Error {
    for field in &mut error.fields {
        if field.field == "rights" {
            word.clone_into(&mut field.field);
        }
    }
    error
}
