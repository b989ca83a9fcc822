//! Everything that can be made, made without an idempotency key: who has lost an answer looks what is there, or is told.

use std::time::Duration;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::policy::PolicyOverrides;
use signalpost_core::profile::{IdForm, LoginRule, PauseRule, Profile};
use signalpost_core::scope::Scope;
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_engine::ListWebhooks;
use signalpost_engine::credentials::NewCredential;
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::NewOperatorKey;
use signalpost_engine::users::{NewRight, NewUser};
use signalpost_engine::webhooks::NewWebhook;
use signalpost_engine::workspaces::NewWorkspace;

use super::stage::{Stage, Told};
use super::{Scenario, Step, Turn, ended, step};
use crate::rig;

pub(super) const SCENARIO: Scenario = Scenario { profile, steps: STEPS, loose: &[] };

const FIRST: &str = "acmeacmeacmeacme";
const OTHER: &str = "otherotherothero";

const STEPS: &[Step] = &[
    ended("make a workspace", |stage, _| make_workspace(stage, FIRST), ErrorCode::Conflict),
    ended("make another", |stage, _| make_workspace(stage, OTHER), ErrorCode::Conflict),
    step("make a webhook", make_webhook),
    step("make a credential", make_credential),
    ended("make a user", make_user, ErrorCode::Conflict),
    step("grant a right", grant),
    step("make an operator key", make_operator_key),
    ended("rotate it", rotate_operator_key, ErrorCode::Conflict),
];

fn profile() -> Profile {
    let IdForm::Random(credential) = IdForm::random("key_", 24) else { unreachable!("it is random") };
    let login = LoginRule {
        user_id: IdForm::Number,
        key_bytes: 32,
        session_lifetime: Duration::from_secs(1_000_000),
    };
    let profile = rig::profile(PauseRule::Drops, None);
    Profile { credential: Some(credential), login: Some(login), ..profile }
}

fn make_workspace(stage: &mut Stage, id: &'static str) -> Told {
    let new = NewWorkspace {
        dialect: "rig".to_owned(),
        name: id.to_owned(),
        id: Some(id.to_owned()),
        features: None,
        policy: PolicyOverrides::default(),
    };
    stage.call(async |engine, _| engine.create_workspace(new, None).await.map(drop), |_, ()| ())
}

fn make_webhook(stage: &mut Stage, turn: Turn) -> Told {
    let url = TargetUrl::parse("https://example.com/").expect("a good URL");
    stage.call(
        async |engine, _| {
            let view = engine.workspace(FIRST).await?;
            let all = ListWebhooks {
                workspace: view.workspace.id,
                subject: None,
                active: None,
                before: None,
                offset: 0,
                limit: 10,
            };
            if turn == Turn::Again && !engine.list_webhooks(all).await?.rows.is_empty() {
                return Ok(());
            }
            engine.create_webhook(&view, NewWebhook::to(url), None).await.map(drop)
        },
        |_, ()| (),
    )
}

fn make_credential(stage: &mut Stage, turn: Turn) -> Told {
    let new = NewCredential { name: None, scopes: None, expires_at: None };
    stage.call(
        async |engine, _| {
            let id = engine.workspace(FIRST).await?.workspace.id;
            if turn == Turn::Again && !engine.list_credentials(id).await?.is_empty() {
                return Ok(());
            }
            engine.create_credential(FIRST, new, None).await.map(drop)
        },
        |_, ()| (),
    )
}

fn make_user(stage: &mut Stage, _: Turn) -> Told {
    let password = Some(Secret::from_text("correct horse battery"));
    let new = NewUser { username: Some("ada".to_owned()), password };
    stage.call(
        async |engine, _| engine.create_user(FIRST, new, NewRight::default(), None).await.map(drop),
        |_, ()| (),
    )
}

fn grant(stage: &mut Stage, turn: Turn) -> Told {
    stage.call(
        async |engine, _| {
            let [first, other] = [engine.workspace(FIRST).await?, engine.workspace(OTHER).await?];
            if turn == Turn::Again && !engine.list_rights(other.workspace.id).await?.is_empty() {
                return Ok(());
            }
            let held = engine.list_rights(first.workspace.id).await?.pop();
            let user = held.ok_or_else(|| Error::not_found("user"))?.user.public_id;
            let right = NewRight::default();
            engine.grant_right(&Operator::Root, OTHER, &user, right, None).await.map(drop)
        },
        |_, ()| (),
    )
}

fn make_operator_key(stage: &mut Stage, turn: Turn) -> Told {
    let new = NewOperatorKey {
        name: None,
        scopes: vec![Scope::Read],
        workspace: None,
        rate_limit_per_s: None,
        expires_at: None,
    };
    stage.call(
        async |engine, _| {
            let known = engine.list_operator_keys(&Operator::Root, None, None, 10).await?;
            if turn == Turn::Again && !known.is_empty() {
                return Ok(());
            }
            engine.create_operator_key(&Operator::Root, new, None).await.map(drop)
        },
        |_, ()| (),
    )
}

/// A key has one successor at most, whoever asks again is told.
fn rotate_operator_key(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |engine, _| {
            let oldest = engine.list_operator_keys(&Operator::Root, None, None, 10).await?.swap_remove(0);
            let id = oldest.key.id.to_public();
            engine.rotate_operator_key(&Operator::Root, &id, 3_600, None).await.map(drop)
        },
        |_, ()| (),
    )
}
