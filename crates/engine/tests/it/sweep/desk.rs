//! Those who operate: they sign in, look around, and sign out.

use signalpost_core::act::{ActResult, Action, Actor, Surface};
use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{ActId, OperatorAccountId, OperatorSessionId};
use signalpost_core::profile::{PauseRule, Profile};
use signalpost_core::role::Role;
use signalpost_core::root_key::RootKey;
use signalpost_core::secret::Secret;

use signalpost_engine::desk::accounts::{NewOperatorAccount, OperatorAccountChange};
use signalpost_engine::desk::acts::NewAct;
use signalpost_engine::operator::Operator;
use signalpost_engine::{Engine, ListActs};

use super::stage::{Stage, Told};
use super::{Scenario, Step, Turn, ended, step};
use crate::rig;

pub(super) const SCENARIO: Scenario = Scenario { profile, steps: STEPS, loose: &[] };

/// Who has lost the answer signs in once more; a token that nobody has seen opens its session to nobody.
const STEPS: &[Step] = &[
    step("sign in", sign_in),
    step("come with the token", come_in),
    step("look who is there", look_who_is_there),
    step("view a payload", |stage, _| begin_act(stage)),
    step("it was shown", |stage, _| end_act(stage)),
    step("look what was done", look_what_was_done),
    ended("sign out", sign_out, ErrorCode::NotFound),
    step("the token opens nothing", opens_nothing),
    ended("make an account", make_account, ErrorCode::Conflict),
    step("sign in with its password", sign_in_with_password),
    step("come with that token", come_in),
    step("give it another role", change_account),
    step("the token opens nothing more", opens_nothing),
    step("sign in once more", sign_in_with_password),
    ended("delete the account", delete_account, ErrorCode::NotFound),
    step("that token opens nothing either", opens_nothing),
    step("restart", |stage, _| {
        stage.restart();
        stage.settle();
        Told::Done
    }),
    step("it opens nothing still", opens_nothing),
];

const ROOT: &[u8] = b"root";
const NAME: &str = "ann";
const PASSWORD: &str = "correct horse";

fn profile() -> Profile {
    rig::profile(PauseRule::Drops, None)
}

fn root() -> RootKey {
    RootKey::new(CredentialHash::of(ROOT))
}

fn sign_in(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |engine, _| engine.open_session_by_key(ROOT, &root()).await,
        |stage, opened| {
            stage.note("session", &opened.session.id.to_public());
            stage.note("token", opened.token.expose_text());
        },
    )
}

fn come_in(stage: &mut Stage, _: Turn) -> Told {
    let token = stage.noted("token");
    stage.call(
        async |engine, _| {
            let visitor = engine.operator_visitor(token.as_bytes(), &root()).await?;
            engine.confirm(&visitor.pass()).await
        },
        |_, ()| (),
    )
}

fn look_who_is_there(stage: &mut Stage, _: Turn) -> Told {
    let id = noted_session(stage);
    stage.call(
        async |engine, _| engine.list_operator_sessions(None, 9).await,
        |_, listed| assert!(listed.iter().any(|open| open.session.id == id), "{listed:?}"),
    )
}

/// Who has lost the answer puts it on record once more: nobody knows what came of the first.
fn begin_act(stage: &mut Stage) -> Told {
    stage.call(
        async |engine, _| engine.begin_act(view()).await,
        |stage, act| stage.note("act", &act.to_public()),
    )
}

fn view() -> NewAct {
    NewAct {
        by: Actor::Root,
        action: Action::named("payload.view"),
        object: "evt_1".to_owned(),
        workspace: None,
        surface: Surface::Page,
        address: None,
        request_id: String::new(),
        detail: String::new(),
    }
}

fn end_act(stage: &mut Stage) -> Told {
    let act = noted_act(stage);
    stage.call(async |engine, _| engine.end_act(act, ActResult::Done { status: 200 }).await, |_, ()| ())
}

fn look_what_was_done(stage: &mut Stage, _: Turn) -> Told {
    let act = noted_act(stage);
    stage.call(
        async |engine, _| engine.list_acts(ListActs { limit: 9, ..ListActs::default() }).await,
        |_, page| {
            let ended = page.rows.iter().find(|row| row.id == act).map(|row| row.result);
            assert_eq!(ended, Some(ActResult::Done { status: 200 }), "{page:?}");
        },
    )
}

fn noted_act(stage: &Stage) -> ActId {
    ActId::from_public(&stage.noted("act")).expect("it was noted so")
}

fn sign_out(stage: &mut Stage, _: Turn) -> Told {
    let id = noted_session(stage);
    stage.call(async |engine, _| engine.end_operator_session(id).await, |_, ()| ())
}

/// Whatever was remembered of it.
fn opens_nothing(stage: &mut Stage, _: Turn) -> Told {
    let token = stage.noted("token");
    stage.call(
        async |engine, _| match engine.operator_visitor(token.as_bytes(), &root()).await {
            Err(error) if error.code == ErrorCode::Unauthenticated => Ok(()),
            Err(error) => Err::<(), Error>(error),
            Ok(_) => panic!("it opens something"),
        },
        |_, ()| (),
    )
}

fn make_account(stage: &mut Stage, _: Turn) -> Told {
    let (username, password) = (NAME.to_owned(), Some(Secret::from_text(PASSWORD)));
    let new = NewOperatorAccount { username, role: Role::Viewer, password };
    stage.call(
        async |engine, _| engine.create_operator_account(&Operator::Root, new).await.map(drop),
        |_, ()| (),
    )
}

fn sign_in_with_password(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |engine, _| engine.open_session_by_password(NAME, &Secret::from_text(PASSWORD)).await,
        |stage, opened| stage.note("token", opened.token.expose_text()),
    )
}

/// Who makes it again changes nothing that was not so before.
fn change_account(stage: &mut Stage, _: Turn) -> Told {
    let change = OperatorAccountChange { role: Some(Role::Admin), password: None };
    stage.call(
        async |engine, _| {
            let account = the_account(&engine).await?;
            engine.update_operator_account(&Operator::Root, account, change).await.map(drop)
        },
        |_, ()| (),
    )
}

fn delete_account(stage: &mut Stage, _: Turn) -> Told {
    stage.call(
        async |engine, _| {
            let account = the_account(&engine).await?;
            engine.delete_operator_account(account).await
        },
        |_, ()| (),
    )
}

async fn the_account(engine: &Engine) -> Result<OperatorAccountId, Error> {
    let all = engine.list_operator_accounts(None, 9).await?;
    all.first().map(|account| account.id).ok_or_else(|| Error::not_found("operator account"))
}

fn noted_session(stage: &Stage) -> OperatorSessionId {
    OperatorSessionId::from_public(&stage.noted("session")).expect("it was noted so")
}
