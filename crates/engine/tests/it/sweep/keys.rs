//! Keys of every kind: signing keys, credentials, keys of the operator side, and the master key.

use std::sync::atomic::AtomicU64;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::principal::Principal;
use signalpost_core::profile::{IdForm, PauseRule, Profile, RandomText, SecretForm, SigningRule};
use signalpost_core::scope::Scope;
use signalpost_core::seal::Keyring;
use signalpost_engine::Done;
use signalpost_engine::credentials::{IssuedCredential, NewCredential};
use signalpost_engine::once::{Keep, Stale};
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::{IssuedOperatorKey, NewOperatorKey, RotatedOperatorKey};
use signalpost_engine::vault::{KeyCheckError, check_keyring, rewrap};
use signalpost_store::Ledger;

use super::life::{keyed, text, workspace_called};
use super::stage::{KEYRING, Stage, Told};
use super::{Scenario, Step, Turn, ended, in_parts, step};
use crate::rig::{self, Counting};

pub(super) const SCENARIO: Scenario = Scenario { profile, steps: STEPS, loose: &[] };

const STEPS: &[Step] = &[
    step("check the master key", check_master_key),
    step("make a workspace", make_workspace),
    step("make a signing key", make_signing_key),
    step("look at signing keys", look_at_signing_keys),
    ended("delete a signing key", delete_signing_key, ErrorCode::NotFound),
    step("make a signing key once more", make_signing_key),
    step("make a credential", make_credential),
    step("present it", present_credential),
    ended("revoke it", revoke_credential, ErrorCode::NotFound),
    step("it opens nothing", |stage, _| opens_nothing(stage)),
    step("make an operator key", make_operator_key),
    step("look at operator keys", look_at_operator_keys),
    step("rotate it", rotate_operator_key),
    ended("revoke the old one", revoke_operator_key, ErrorCode::NotFound),
    step("it opens nothing either", |stage, _| operator_opens_nothing(stage)),
    in_parts("seal anew", seal_anew),
    step("close the store", close),
    step("restart", |stage, _| {
        stage.restart();
        stage.settle();
        Told::Done
    }),
];

fn profile() -> Profile {
    let IdForm::Random(credential) = IdForm::random("key_", 24) else { unreachable!("it is random") };
    let credential: Option<RandomText> = Some(credential);
    let signing = SigningRule::SharedKeys { key_id: IdForm::Number };
    let secret = SecretForm::Hex { random_bytes: 16 };
    Profile { credential, signing, secret, ..rig::profile(PauseRule::Drops, None) }
}

fn check_master_key(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |_, store| {
            let (keyring, random) = (Keyring::parse(KEYRING).expect("good"), Counting(AtomicU64::new(77)));
            check_keyring(store.as_ref(), &keyring, &random).await.map_err(|error| match error {
                KeyCheckError::Store(error) => Error::from(error),
                KeyCheckError::WrongKey(error) => panic!("it is the right one: {error}"),
            })
        },
        |_, ()| (),
    )
}

fn make_workspace(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |engine, _| workspace_called(&engine, "Acme").await,
        |stage, id| stage.note("workspace", &id),
    )
}

/// Who has lost the answer looks whether there is one.
fn make_signing_key(stage: &mut Stage, turn: Turn) -> Told {
    let workspace = stage.noted("workspace");
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            let known = match turn {
                Turn::First => None,
                Turn::Again => engine.list_signing_keys(view.workspace.id).await?.pop(),
            };
            match known {
                Some(known) => Ok(known),
                None => engine.create_signing_key(&view).await,
            }
        },
        |stage, key| stage.note("signing key", &key.public_id),
    )
}

fn look_at_signing_keys(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, key) = (stage.noted("workspace"), stage.noted("signing key"));
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            assert_eq!(engine.signing_key_owner("rig", &key).await?.workspace.id, id);
            assert_eq!(engine.signing_key(id, &key).await?.public_id, key);
            Ok(engine.list_signing_keys(id).await?.len())
        },
        |_, count| assert_eq!(count, 1),
    )
}

fn delete_signing_key(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, key) = (stage.noted("workspace"), stage.noted("signing key"));
    stage.call(
        async |engine, _| {
            let view = engine.workspace(&workspace).await?;
            engine.delete_signing_key(&view, &key, &Principal::Operator).await
        },
        |_, _| (),
    )
}

fn make_credential(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("workspace");
    let (call, new) = (keyed("credential"), NewCredential { name: None, scopes: None, expires_at: None });
    let answer = |issued: &IssuedCredential| Ok(issued.secret.expose().to_vec());
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            if let Some(before) = engine.answered_before(Some(id), call, Stale::Nothing).await? {
                return Ok(text(before));
            }
            let keep = Some(Keep { call, answer: &answer });
            match engine.create_credential(&workspace, new, keep).await? {
                Done::Now(issued) => Ok(issued.secret.expose_text().to_owned()),
                Done::Before(before) => Ok(text(before)),
            }
        },
        |stage, secret| stage.note("credential", &secret),
    )
}

fn present_credential(stage: &mut Stage, _: Turn) -> Told {
    let (workspace, secret) = (stage.noted("workspace"), stage.noted("credential"));
    stage.call(
        async |engine, _| {
            let caller = engine.authenticate("rig", secret.as_bytes()).await?;
            engine.confirm(&caller.pass).await?;
            let id = engine.workspace(&workspace).await?.workspace.id;
            assert_eq!(engine.list_credentials(id).await?.len(), 1);
            Ok(())
        },
        |_, ()| (),
    )
}

fn revoke_credential(stage: &mut Stage, turn: Turn) -> Told {
    let workspace = stage.noted("workspace");
    stage.call(
        async |engine, _| {
            let id = engine.workspace(&workspace).await?.workspace.id;
            let all = engine.list_credentials(id).await?;
            let Some(one) = all.first() else {
                assert_eq!(turn, Turn::Again);
                return Err(Error::not_found("credential"));
            };
            engine.revoke_credential(id, one.id).await
        },
        |_, ()| (),
    )
}

/// Whatever was remembered of it.
fn opens_nothing(stage: &mut Stage) -> Told {
    let secret = stage.noted("credential");
    stage.call(
        async |engine, _| refused(engine.authenticate("rig", secret.as_bytes()).await.map(drop)),
        |_, ()| (),
    )
}

fn refused(answer: Result<(), Error>) -> Result<(), Error> {
    match answer {
        Err(error) if error.code == ErrorCode::Unauthenticated => Ok(()),
        Err(error) => Err(error),
        Ok(()) => panic!("it opens something"),
    }
}

fn make_operator_key(stage: &mut Stage, _: Turn) -> Told {
    let workspace = stage.noted("workspace");
    let (call, scopes) = (keyed("operator key"), vec![Scope::Read]);
    let answer = |issued: &IssuedOperatorKey| Ok(shown(issued));
    stage.call(
        async |engine, _| {
            if let Some(before) = engine.answered_before(None, call, Stale::Nothing).await? {
                return Ok(text(before));
            }
            let new = NewOperatorKey {
                name: None,
                scopes,
                workspace: Some(workspace),
                rate_limit_per_s: None,
                expires_at: None,
            };
            let keep = Some(Keep { call, answer: &answer });
            match engine.create_operator_key(&Operator::Root, new, keep).await? {
                Done::Now(issued) => Ok(text(shown(&issued))),
                Done::Before(before) => Ok(text(before)),
            }
        },
        |stage, shown| {
            let (id, secret) = shown.split_once(' ').expect("an id and a secret");
            stage.note("operator key", id);
            stage.note("operator secret", secret);
        },
    )
}

fn shown(issued: &IssuedOperatorKey) -> Vec<u8> {
    format!("{} {}", issued.shown.key.id.to_public(), issued.secret.expose_text()).into_bytes()
}

fn look_at_operator_keys(stage: &mut Stage, _: Turn) -> Told {
    let (id, secret) = (stage.noted("operator key"), stage.noted("operator secret"));
    stage.call(
        async |engine, _| {
            let caller = engine.authenticate_operator(secret.as_bytes()).await?;
            engine.confirm(&caller.pass().expect("it is no root key")).await?;
            engine.operator_key(&Operator::Root, &id).await?;
            Ok(engine.list_operator_keys(&caller, None, None, 10).await?.len())
        },
        |_, count| assert_eq!(count, 1),
    )
}

fn rotate_operator_key(stage: &mut Stage, _: Turn) -> Told {
    let id = stage.noted("operator key");
    let call = keyed("rotate");
    let answer = |rotated: &RotatedOperatorKey| Ok(shown(&rotated.next));
    stage.call(
        async |engine, _| {
            if engine.answered_before(None, call, Stale::OperatorKey(&id)).await?.is_some() {
                return Ok(());
            }
            let keep = Some(Keep { call, answer: &answer });
            engine.rotate_operator_key(&Operator::Root, &id, 3_600, keep).await.map(drop)
        },
        |_, ()| (),
    )
}

fn revoke_operator_key(stage: &mut Stage, _: Turn) -> Told {
    let id = stage.noted("operator key");
    stage.call(async |engine, _| engine.revoke_operator_key(&Operator::Root, &id).await, |_, ()| ())
}

fn operator_opens_nothing(stage: &mut Stage) -> Told {
    let secret = stage.noted("operator secret");
    stage.call(
        async |engine, _| refused(engine.authenticate_operator(secret.as_bytes()).await.map(drop)),
        |_, ()| (),
    )
}

/// With another key first, and then as before, which leaves all as it was.
fn seal_anew(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |_, store| {
            let random = Counting(AtomicU64::new(99));
            let other = format!("3:{},{KEYRING}", "09".repeat(32));
            let back = format!("{KEYRING},3:{}", "09".repeat(32));
            for ring in [other, back] {
                let ring = Keyring::parse(&ring).expect("good");
                let rewrapped = rewrap(store.as_ref(), &ring, &random, &mut |_| ()).await?;
                assert_eq!(rewrapped.unopened, 0);
            }
            Ok(())
        },
        |_, ()| (),
    )
}

fn close(stage: &mut Stage, turn: Turn) -> Told {
    stage.call(
        async |_, store| match (store.close().await, turn) {
            (Ok(()), _) | (Err(_), Turn::Again) => Ok(()),
            (Err(error), Turn::First) => Err(error.into()),
        },
        |_, ()| (),
    )
}
