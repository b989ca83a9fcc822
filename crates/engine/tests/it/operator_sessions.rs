//! Sessions of those who operate: what opens one, how far it goes, and everything that ends it, here and on other nodes.

use signalpost_core::credential::CredentialHash;
use signalpost_core::error::ErrorCode;
use signalpost_core::id::{OperatorKeyId, WorkspaceId};
use signalpost_core::limits::OPERATOR_SESSION_MS;
use signalpost_core::ports::Clock;
use signalpost_core::principal::Principal;
use signalpost_core::role::Role;
use signalpost_core::root_key::RootKey;
use signalpost_core::scope::Scope;
use signalpost_engine::desk::sessions::OpenedOperatorSession;
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::{IssuedOperatorKey, NewOperatorKey};
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, Lasting, fail_nth_of};
use signalpost_store::{Catalog, Change, Desk as _, Ledger};

use crate::rig::desk::{Desk, ROOT, code, with};

#[test]
fn a_session_goes_as_far_as_the_key_that_opened_it() {
    let desk = Desk::new();
    let workspace = desk.workspace();
    let other = WorkspaceId::from_raw(workspace.id.raw() + 1);
    let (name, bound) = (Some("Night shift".to_owned()), Some(workspace.public_id));
    let reader = desk.key(NewOperatorKey { name, workspace: bound, ..with(&[Scope::Read]) });
    let admin = desk.key(with(&[Scope::Admin]));
    let by = |key: &IssuedOperatorKey| Principal::OperatorKey(key.shown.key.id);
    for (presented, role, sees, name, principal) in [
        (ROOT, Role::Admin, [true, true], "operator key", Principal::Operator),
        (reader.secret.expose(), Role::Viewer, [true, false], "Night shift", by(&reader)),
        (admin.secret.expose(), Role::Admin, [true, true], "operator key", by(&admin)),
    ] {
        let opened = desk.open(presented);
        let visitor = desk.enter(&opened);
        assert_eq!(*visitor.session, opened.session, "it is as it was said to be");
        assert_eq!((visitor.role(), visitor.name.as_str(), visitor.principal()), (role, name, principal));
        assert_eq!([workspace.id, other].map(|id| visitor.sees(id)), sees);
        assert!(desk.may_go_on(&visitor) && desk.engine.knows_operator_session(opened.token.expose()));
    }
    let listed = block_on(desk.engine.list_operator_sessions(None, 2)).expect("it lists");
    assert_eq!(listed.iter().map(|open| open.session.role).collect::<Vec<_>>(), [Role::Admin, Role::Viewer]);
}

#[test]
fn what_is_no_key_for_the_pages_opens_nothing() {
    let desk = Desk::new();
    let publisher = desk.key(with(&[Scope::Publish]));
    assert_eq!(code(&desk.sign_in(publisher.secret.expose())), Some(ErrorCode::Forbidden));
    let revoked = desk.key(with(&[Scope::Read]));
    desk.revoke(&revoked);
    let token = desk.open(ROOT).token;
    for presented in [b"The root key", revoked.secret.expose(), token.expose(), b""] {
        assert_eq!(code(&desk.sign_in(presented)), Some(ErrorCode::Unauthenticated));
    }
}

#[test]
fn a_session_ends_after_its_time_or_with_its_key() {
    let desk = Desk::new();
    let (hours_12, soon) = (desk.now().plus_ms(OPERATOR_SESSION_MS), desk.now().plus_ms(60_000));
    let ending = desk.key(NewOperatorKey { expires_at: Some(soon), ..with(&[Scope::Read]) });
    let (long, short) = (desk.open(ROOT), desk.open(ending.secret.expose()));
    assert_eq!([&long, &short].map(|opened| opened.session.expires_at), [hours_12, soon]);
    let visitor = desk.enter(&short);
    desk.clock.advance_ms(59_999);
    assert!(desk.is_open(&short) && desk.may_go_on(&visitor));
    desk.clock.advance_ms(1);
    assert!(!desk.is_open(&short) && !desk.may_go_on(&visitor));
    desk.clock.advance_ms(OPERATOR_SESSION_MS - 60_001);
    assert!(desk.is_open(&long), "use does not prolong it");
    desk.clock.advance_ms(1);
    assert!(!desk.is_open(&long));
}

#[test]
fn a_session_ends_with_the_overlap_of_a_rotated_key() {
    let desk = Desk::new();
    let key = desk.key(with(&[Scope::Admin]));
    let opened = desk.open(key.secret.expose());
    assert!(desk.is_open(&opened));
    let id = key.shown.key.id.to_public();
    let rotated = block_on(desk.engine.rotate_operator_key(&Operator::Root, &id, 60, None));
    rotated.expect("it is there").now().expect("not a repetition");
    assert_eq!(desk.enter(&opened).session.expires_at, desk.now().plus_ms(60_000));
    desk.clock.advance_s(60);
    assert!(!desk.is_open(&opened));
}

#[test]
fn a_session_ends_with_the_root_key_that_opened_it() {
    let mut desk = Desk::new();
    let (by_root, by_key) = (desk.open(ROOT), desk.open(desk.key(with(&[Scope::Admin])).secret.expose()));
    assert!(desk.is_open(&by_root));
    desk.root = RootKey::new(CredentialHash::of(b"the next root key"));
    assert!(!desk.is_open(&by_root) && desk.is_open(&by_key));
}

#[test]
fn a_session_that_was_ended_lets_nobody_in() {
    let desk = Desk::new();
    let (ended, other) = (desk.open(ROOT), desk.open(ROOT));
    let visitor = desk.enter(&ended);
    assert!(desk.is_open(&other));
    block_on(desk.engine.end_operator_session(ended.session.id)).expect("it is there");
    assert!(!desk.is_open(&ended) && !desk.may_go_on(&visitor));
    assert!(desk.is_open(&other) && desk.may_go_on(&desk.enter(&other)));
    let again = block_on(desk.engine.end_operator_session(ended.session.id));
    assert_eq!(code(&again), Some(ErrorCode::NotFound));
}

/// The store has ended it, and nobody was told so.
#[test]
fn a_session_whose_end_was_not_answered_lets_nobody_in() {
    let desk = Desk::with_faults(fail_nth_of("end_operator_session", 1, Lasting::Transient, Fault::After));
    let opened = desk.open(ROOT);
    assert!(desk.is_open(&opened));
    let ended = block_on(desk.engine.end_operator_session(opened.session.id));
    assert_eq!(code(&ended), Some(ErrorCode::Unavailable));
    assert!(!desk.is_open(&opened));
}

#[test]
fn a_session_ends_with_its_key_whatever_is_remembered() {
    let desk = Desk::new();
    let (revoked, kept) = (desk.key(with(&[Scope::Admin])), desk.key(with(&[Scope::Admin])));
    let (ended, other) = (desk.open(revoked.secret.expose()), desk.open(kept.secret.expose()));
    let visitor = desk.enter(&ended);
    assert!(desk.is_open(&other));
    desk.revoke(&revoked);
    assert!(!desk.is_open(&ended) && !desk.may_go_on(&visitor));
    assert!(desk.engine.knows_operator_session(other.token.expose()), "others are not looked up again");
}

#[test]
fn what_another_node_has_ended_lets_nobody_in_once_it_was_told() {
    type End = fn(&Desk, &OpenedOperatorSession, OperatorKeyId, WorkspaceId) -> Change;
    let ends: [End; 4] = [
        |desk, opened, _, _| {
            block_on(desk.store.end_operator_session(opened.session.id)).expect("it is there");
            Change::OperatorSession(opened.session.id)
        },
        |desk, _, key, _| {
            block_on(desk.store.revoke_operator_key(key)).expect("it is there");
            Change::OperatorKey(key)
        },
        |desk, _, _, workspace| {
            let erase = EraseWorkspace { workspace, at: desk.now() };
            block_on(desk.store.erase_workspace(erase)).expect("it is there");
            Change::Erased(workspace)
        },
        |desk, opened, _, _| {
            block_on(desk.store.end_operator_session(opened.session.id)).expect("it is there");
            Change::Any
        },
    ];
    for end in ends {
        let desk = Desk::new();
        let workspace = desk.workspace();
        let key = desk.key(NewOperatorKey { workspace: Some(workspace.public_id), ..with(&[Scope::Admin]) });
        let opened = desk.open(key.secret.expose());
        let visitor = desk.enter(&opened);
        let change = end(&desk, &opened, key.shown.key.id, workspace.id);
        assert!(desk.is_open(&opened), "nobody has said anything: {change:?}");
        desk.tell(change);
        assert!(!desk.is_open(&opened) && !desk.may_go_on(&visitor), "{change:?}");
    }
}

/// The rest of the world did not wait for it any longer.
#[test]
fn a_process_that_was_stopped_lets_nobody_in_by_what_it_remembers() {
    let desk = Desk::new();
    let opened = desk.open(ROOT);
    assert!(desk.is_open(&opened));
    block_on(desk.store.end_operator_session(opened.session.id)).expect("it is there");
    desk.store.ownership().trust_until(desk.clock.monotonic());
    assert!(!desk.is_open(&opened) && !desk.engine.knows_operator_session(opened.token.expose()));
}

#[test]
fn what_has_not_the_form_of_a_token_is_refused_without_the_store() {
    let verb = "operator_session_by_hash";
    let desk = Desk::with_faults(fail_nth_of(verb, 1, Lasting::Persistent, Fault::Before));
    let opened = desk.open(ROOT);
    let mut changed = opened.token.expose().to_vec();
    changed[10] = if changed[10] == b'x' { b'y' } else { b'x' };
    let key = desk.key(with(&[Scope::Admin])).secret;
    for presented in [&changed, key.expose(), ROOT, b"", &opened.token.expose()[1..]] {
        let visit = block_on(desk.engine.operator_visitor(presented, &desk.root));
        assert_eq!(code(&visit), Some(ErrorCode::Unauthenticated));
        assert!(!desk.engine.knows_operator_session(presented));
    }
    assert_eq!(code(&desk.visit(&opened.token)), Some(ErrorCode::Unavailable), "this one is looked up");
}
