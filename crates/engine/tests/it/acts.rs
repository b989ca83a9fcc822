//! What operators do is on record before it is done, with who they were then.

use signalpost_core::act::{Act, ActResult, Action, Actor, Surface};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::ACT_TEXT_CHARS_MAX;
use signalpost_core::ports::Clock;
use signalpost_core::scope::Scope;
use signalpost_engine::desk::acts::NewAct;
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::NewOperatorKey;
use signalpost_engine::{Engine, ListActs};
use signalpost_store::testing::block_on::block_on;

use crate::rig::desk::{Desk, ROOT, with};

fn new(by: Actor) -> NewAct {
    NewAct {
        by,
        action: Action::named("webhook.delete"),
        object: "wh_1".to_owned(),
        workspace: Some("ws-1".to_owned()),
        surface: Surface::Api,
        address: Some("192.0.2.1".parse().expect("an address")),
        request_id: "r-1".to_owned(),
        detail: "asked for".to_owned(),
    }
}

fn all(engine: &Engine) -> Vec<Act> {
    block_on(engine.list_acts(ListActs { limit: 9, ..ListActs::default() })).expect("it lists").rows
}

#[test]
fn an_act_stays_pending_until_somebody_says_what_came_of_it() {
    let Desk { engine, clock, .. } = Desk::new();
    let NewAct { by, action, object, workspace, surface, address, request_id, detail } = new(Actor::Root);
    let (at, result) = (clock.now(), ActResult::Pending);
    let id = block_on(engine.begin_act(new(Actor::Root))).expect("it is on record");
    let pending = Act { id, at, by, action, object, workspace, surface, address, request_id, result, detail };
    assert_eq!(all(&engine), std::slice::from_ref(&pending));
    clock.advance_s(1);
    let result = ActResult::Refused { status: 404 };
    block_on(engine.end_act(id, result)).expect("it is pending");
    assert_eq!(all(&engine), [Act { result, ..pending }]);
    let other = block_on(engine.end_act(id, ActResult::Done { status: 204 })).expect_err("it was refused");
    assert_eq!(other.code, ErrorCode::Conflict);
}

#[test]
fn what_is_too_long_is_on_record_as_far_as_it_goes() {
    let engine = Desk::new().engine;
    let long = "x".repeat(10 * ACT_TEXT_CHARS_MAX);
    block_on(engine.begin_act(NewAct { object: long, ..new(Actor::Root) })).expect("it is on record");
    assert_eq!(all(&engine)[0].object.len(), ACT_TEXT_CHARS_MAX);
}

/// Whether they call with a key, or come by a session that it has opened.
#[test]
fn whoever_acts_is_called_by_the_key_they_hold() {
    let desk = Desk::new();
    assert_eq!(Operator::Root.actor(), Actor::Root);
    assert_eq!(desk.enter(&desk.open(ROOT)).actor(), Actor::Root);
    for name in [None, Some("Night shift".to_owned())] {
        let key = desk.key(NewOperatorKey { name: name.clone(), ..with(&[Scope::Read]) });
        let actor = Actor::Key { id: key.shown.key.id, name };
        let caller = block_on(desk.engine.authenticate_operator(key.secret.expose())).expect("it is good");
        assert_eq!(caller.actor(), actor);
        assert_eq!(desk.enter(&desk.open(key.secret.expose())).actor(), actor);
    }
}
