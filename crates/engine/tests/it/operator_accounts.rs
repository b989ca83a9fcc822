//! Accounts of those who operate: what a password opens, what ends it, and that nothing tells whether there is one of a name.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use signalpost_core::act::Actor;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{OperatorAccountId, WorkspaceId};
use signalpost_core::limits::{LOGIN_FAILURE_S, LOGIN_FAILURES_BURST, OPERATOR_SESSION_MS};
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::password::PasswordHash;
use signalpost_core::ports::Asker;
use signalpost_core::principal::Principal;
use signalpost_core::role::Role;
use signalpost_core::secret::Secret;
use signalpost_engine::desk::accounts::{IssuedOperatorAccount, NewOperatorAccount, OperatorAccountChange};
use signalpost_engine::desk::sessions::OpenedOperatorSession;
use signalpost_engine::operator::Operator;
use signalpost_store::desk::UpdateOperatorAccount;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, Lasting, fail_nth_of};
use signalpost_store::{Change, Desk as _};

use crate::rig::desk::{Desk, ROOT, code};

fn create(desk: &Desk, username: &str, password: Option<&str>) -> Result<IssuedOperatorAccount, Error> {
    let (username, password) = (username.to_owned(), password.map(Secret::from_text));
    let new = NewOperatorAccount { username, role: Role::Support, password };
    block_on(desk.engine.create_operator_account(&Operator::Root, new))
}

/// An account with the password `correct horse`.
fn ann(desk: &Desk) -> OperatorAccount {
    create(desk, "ann", Some("correct horse")).expect("a new account").account
}

fn sign_in(desk: &Desk, username: &str, password: &str) -> Result<OpenedOperatorSession, Error> {
    block_on(desk.engine.open_session_by_password(username, &Secret::from_text(password)))
}

fn promotion() -> OperatorAccountChange {
    OperatorAccountChange { role: Some(Role::Admin), ..OperatorAccountChange::default() }
}

fn update(
    desk: &Desk,
    id: OperatorAccountId,
    change: OperatorAccountChange,
) -> Result<OperatorAccount, Error> {
    block_on(desk.engine.update_operator_account(&Operator::Root, id, change))
}

#[test]
fn a_password_opens_a_session_of_the_account() {
    let desk = Desk::new();
    let account = ann(&desk);
    let opened = sign_in(&desk, "ann", "correct horse").expect("it is the password");
    assert_eq!(opened.session.expires_at, desk.now().plus_ms(OPERATOR_SESSION_MS));
    let visitor = desk.enter(&opened);
    assert_eq!((*visitor.session, visitor.name.as_str()), (opened.session, "ann"));
    assert_eq!((visitor.role(), visitor.sees(WorkspaceId::from_raw(7))), (Role::Support, true));
    assert_eq!(visitor.principal(), Principal::user(&account.id.to_public(), "ann"));
    assert_eq!(visitor.actor(), Actor::Account { id: account.id, username: "ann".to_owned() });
    assert_eq!(block_on(desk.engine.list_operator_accounts(None, 9)).expect("it lists"), [account]);
}

#[test]
fn an_account_has_a_name_of_its_own_and_a_password_of_some_length() {
    let desk = Desk::new();
    let account = ann(&desk);
    assert_eq!(code(&create(&desk, "ann", None)), Some(ErrorCode::Conflict));
    for (username, password) in [("", None), (" ann", None), ("bert", Some("short"))] {
        assert_eq!(code(&create(&desk, username, password)), Some(ErrorCode::Invalid), "{username:?}");
    }
    let short = OperatorAccountChange { password: Some(Secret::from_text("short")), ..promotion() };
    for change in [OperatorAccountChange::default(), short] {
        assert_eq!(code(&update(&desk, account.id, change)), Some(ErrorCode::Invalid));
    }
    let minted = create(&desk, "bert", None).expect("a new account");
    assert!(sign_in(&desk, "bert", minted.password.expose_text()).is_ok(), "it is shown once");
}

#[test]
fn an_account_that_changes_or_goes_lets_nobody_in() {
    type End = fn(&Desk, OperatorAccountId) -> Option<ErrorCode>;
    let password = || Some(Secret::from_text("battery staple"));
    let ends: [End; 3] = [
        |desk, id| code(&update(desk, id, promotion())),
        |desk, id| {
            let password = Some(Secret::from_text("battery staple"));
            code(&update(desk, id, OperatorAccountChange { password, ..OperatorAccountChange::default() }))
        },
        |desk, id| code(&block_on(desk.engine.delete_operator_account(id))),
    ];
    let verbs = ["update_operator_account", "update_operator_account", "delete_operator_account"];
    for (end, verb) in ends.into_iter().zip(verbs) {
        for (fault, answer) in [(Fault::Pass, None), (Fault::After, Some(ErrorCode::Unavailable))] {
            let desk = Desk::with_faults(fail_nth_of(verb, 1, Lasting::Transient, fault));
            let account = ann(&desk);
            let opened = sign_in(&desk, "ann", "correct horse").expect("it is the password");
            let (visitor, by_root) = (desk.enter(&opened), desk.open(ROOT));
            assert!(desk.is_open(&by_root));
            assert_eq!(end(&desk, account.id), answer);
            assert!(!desk.is_open(&opened) && !desk.may_go_on(&visitor), "{verb} {fault:?}");
            assert!(desk.is_open(&by_root), "others are not concerned");
        }
    }
    let desk = Desk::new();
    let account = ann(&desk);
    update(&desk, account.id, OperatorAccountChange { password: password(), ..promotion() })
        .expect("it is there");
    assert_eq!(code(&sign_in(&desk, "ann", "correct horse")), Some(ErrorCode::Unauthenticated));
    let opened = sign_in(&desk, "ann", "battery staple").expect("it is the new password");
    assert_eq!(desk.enter(&opened).role(), Role::Admin);
    block_on(desk.engine.delete_operator_account(account.id)).expect("it is there");
    let again = block_on(desk.engine.delete_operator_account(account.id));
    assert_eq!(code(&again), Some(ErrorCode::NotFound));
    assert_eq!(code(&update(&desk, account.id, promotion())), Some(ErrorCode::NotFound));
}

#[test]
fn what_another_node_has_changed_lets_nobody_in_once_it_was_told() {
    let desk = Desk::new();
    let account = ann(&desk);
    let opened = sign_in(&desk, "ann", "correct horse").expect("it is the password");
    let visitor = desk.enter(&opened);
    block_on(desk.store.delete_operator_account(account.id)).expect("it is there");
    assert!(desk.is_open(&opened), "nobody has said anything");
    desk.tell(Change::OperatorAccount(account.id));
    assert!(!desk.is_open(&opened) && !desk.may_go_on(&visitor));
}

/// Another node gives the account another password while this one looks at the former.
#[test]
fn a_password_that_is_replaced_while_it_is_looked_at_opens_nothing() {
    let desk = Desk::new();
    let account = ann(&desk);
    desk.work.hold();
    let password = Secret::from_text("correct horse");
    let mut signing_in = pin!(desk.engine.open_session_by_password("ann", &password));
    let mut context = Context::from_waker(Waker::noop());
    assert!(signing_in.as_mut().poll(&mut context).is_pending() && desk.work.held() == 1);
    let hash = PasswordHash::from_phc("another".to_owned());
    let params =
        UpdateOperatorAccount { account: account.id, role: None, password: Some(hash), at: desk.now() };
    block_on(desk.store.update_operator_account(params)).expect("it is there");
    desk.work.release();
    let Poll::Ready(answer) = signing_in.poll(&mut context) else { panic!("nothing is to be waited for") };
    assert_eq!(code(&answer), Some(ErrorCode::Unauthenticated));
    assert_eq!(block_on(desk.engine.list_operator_sessions(None, 9)).expect("it lists"), []);
}

#[test]
fn whatever_is_wrong_takes_the_same_work_and_the_same_answer() {
    let desk = Desk::new();
    ann(&desk);
    let mut answers = Vec::new();
    let long = "n".repeat(10_000);
    for (name, password) in [
        ("ann", "wrong"),
        ("nobody", "correct horse"),
        ("Ann", "correct horse"),
        ("", "correct horse"),
        (&long, "correct horse"),
    ] {
        let before = desk.work.done();
        answers.push(sign_in(&desk, name, password).expect_err(name).to_string());
        assert_eq!(desk.work.done(), before + 1, "{name:.20}");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let before = desk.work.done();
    assert_eq!(code(&sign_in(&desk, "ann", &"p".repeat(257))), Some(ErrorCode::Unauthenticated));
    assert_eq!(desk.work.done(), before, "what cannot be a password is not hashed, whoever's it is");
}

#[test]
fn wrong_passwords_come_slowly_for_a_name_that_is_there_and_for_one_that_is_not() {
    let desk = Desk::new();
    ann(&desk);
    let opened = sign_in(&desk, "ann", "correct horse").expect("it is the password");
    for name in ["ann", "nobody"] {
        for _ in 0..LOGIN_FAILURES_BURST {
            assert_eq!(code(&sign_in(&desk, name, "wrong")), Some(ErrorCode::Unauthenticated));
        }
        let before = desk.work.done();
        for password in ["wrong", "correct horse"] {
            let error = sign_in(&desk, name, password).expect_err("too many");
            assert_eq!((error.code, error.retry_after_s), (ErrorCode::RateLimited, Some(LOGIN_FAILURE_S)));
        }
        assert_eq!(desk.work.done(), before, "nothing is looked at");
    }
    assert!(desk.is_open(&opened), "what is open stays open");
    desk.clock.advance_s(i64::from(LOGIN_FAILURE_S));
    for _ in 0..2 * LOGIN_FAILURES_BURST {
        assert!(sign_in(&desk, "ann", "correct horse").is_ok(), "right ones are not counted");
    }
}

#[test]
fn too_much_work_is_nobodys_wrong_password() {
    let desk = Desk::new();
    ann(&desk);
    desk.work.refuse(&[Asker::Stranger]);
    assert!(sign_in(&desk, "ann", "correct horse").is_ok(), "strangers who log in keep no operator out");
    desk.work.refuse(&[Asker::Operator]);
    for _ in 0..2 * LOGIN_FAILURES_BURST {
        assert_eq!(code(&sign_in(&desk, "ann", "correct horse")), Some(ErrorCode::Unavailable));
    }
    desk.work.refuse(&[]);
    assert!(sign_in(&desk, "ann", "correct horse").is_ok());
}
