//! Users who log in, with rights that are granted and revoked.

use std::time::Duration;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::profile::{IdForm, LoginRule, PauseRule, Profile};
use signalpost_core::secret::Secret;
use signalpost_engine::once::{Keep, Stale};
use signalpost_engine::operator::Operator;
use signalpost_engine::users::{IssuedUser, NewRight, NewUser};
use signalpost_engine::{Done, HeldRight};

use super::life::{keyed, text, workspace_called};
use super::stage::{Stage, Told};
use super::{Scenario, Step, Turn, ended, step};
use crate::rig;

pub(super) const SCENARIO: Scenario = Scenario { profile, steps: STEPS, loose: &[] };

const PASSWORD: &str = "correct horse battery";

const STEPS: &[Step] = &[
    step("make a workspace", |stage, _| make_workspace(stage, "first")),
    step("make another", |stage, _| make_workspace(stage, "other")),
    step("make a user", make_user),
    step("log in", log_in),
    step("grant a right", grant),
    step("visit", |stage, _| visit(stage, "other")),
    ended("revoke the right", revoke, ErrorCode::NotFound),
    step("see nothing of it", see_nothing),
    step("visit the first", |stage, _| visit(stage, "first")),
];

fn profile() -> Profile {
    let login = LoginRule {
        user_id: IdForm::Number,
        key_bytes: 32,
        session_lifetime: Duration::from_secs(1_000_000),
    };
    let scopes = ["read", "write"].map(str::to_owned).into();
    Profile { login: Some(login), scopes, farewell: None, ..rig::profile(PauseRule::Drops, None) }
}

fn make_workspace(stage: &mut Stage, name: &'static str) -> Told {
    stage.call(async |engine, _| workspace_called(&engine, name).await, |stage, id| stage.note(name, &id))
}

fn make_user(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("first");
    let call = keyed("user");
    let answer = |issued: &IssuedUser| Ok(issued.held.user.public_id.clone().into_bytes());
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            if let Some(before) = engine.answered_before(Some(id), call, Stale::Nothing).await? {
                return Ok(text(before));
            }
            let new =
                NewUser { username: Some("ada".to_owned()), password: Some(Secret::from_text(PASSWORD)) };
            let keep = Some(Keep { call, answer: &answer });
            match engine.create_user(&workspace, new, NewRight::default(), keep).await? {
                Done::Now(issued) => Ok(issued.held.user.public_id),
                Done::Before(before) => Ok(text(before)),
            }
        },
        |stage, id| stage.note("user", &id),
    )
}

/// A login whose answer was lost is made once more, and opens another session.
fn log_in(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |engine, _| engine.login("rig", "ada", &Secret::from_text(PASSWORD)).await,
        |stage, logged_in| stage.note("session", logged_in.session_key.expose_text()),
    )
}

fn grant(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, user) = (stage.noted("other"), stage.noted("user"));
    let call = keyed("right");
    let answer = |_: &HeldRight| Ok(Vec::new());
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            if engine.answered_before(Some(id), call, Stale::User("rig", &user)).await?.is_some() {
                return Ok(());
            }
            let keep = Some(Keep { call, answer: &answer });
            let right = NewRight::default();
            engine.grant_right(&Operator::Root, &workspace, &user, right, keep).await.map(drop)
        },
        |_, ()| (),
    )
}

fn visit(stage: &mut Stage, place: &str) -> Told {
    let (workspace, user, key) = (stage.noted(place), stage.noted("user"), stage.noted("session"));
    stage.call(
        async |engine, _| {
            let visitor = engine.authenticate_session("rig", &user, key.as_bytes()).await?;
            engine.confirm(&visitor.pass).await?;
            engine.visit(&visitor, &workspace).await
        },
        |_, (_, scopes)| assert_eq!(scopes.len(), 2),
    )
}

fn revoke(stage: &mut Stage, turn: Turn) -> Told {
    let workspace = stage.noted("other");
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            let Some(held) = engine.list_rights(id).await?.pop() else {
                assert_eq!(turn, Turn::Again);
                return Err(Error::not_found("right"));
            };
            engine.revoke_credential(id, held.right.id).await
        },
        |_, ()| (),
    )
}

fn see_nothing(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, user, key) = (stage.noted("other"), stage.noted("user"), stage.noted("session"));
    stage.call(
        async |engine, _| {
            let visitor = engine.authenticate_session("rig", &user, key.as_bytes()).await?;
            match engine.visit(&visitor, &workspace).await {
                Err(error) if error.code == ErrorCode::NotFound => Ok(()),
                Err(error) => Err(error),
                Ok(_) => panic!("the right was revoked"),
            }
        },
        |_, ()| (),
    )
}
