//! Users who log in: what a password opens, what ends it, and that nothing tells whether there is somebody of a name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{LOGIN_FAILURE_S, LOGIN_FAILURES_BURST};
use signalpost_core::policy::PolicyOverrides;
use signalpost_core::ports::Asker;
use signalpost_core::profile::{IdForm, LoginRule, PauseRule, Profile};
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_engine::operator::Operator;
use signalpost_engine::sessions::{LoggedIn, Visitor};
use signalpost_engine::users::{IssuedUser, NewRight, NewUser};
use signalpost_engine::workspaces::NewWorkspace;
use signalpost_engine::{Engine, EngineOptions, HeldRight};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, FaultyStore, Lasting, Plan, fail_nth_of};
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{Counting, HandClock, profile};

const HOUR_S: i64 = 3_600;

/// Two instances of a dialect with a login.
struct Desk {
    engine: Arc<Engine>,
    clock: Arc<HandClock>,
    work: Arc<InPlace>,
}

fn with_login(name: &str) -> Profile {
    let login = LoginRule {
        user_id: IdForm::Number,
        key_bytes: 32,
        session_lifetime: std::time::Duration::from_secs(336 * 3_600),
    };
    Profile {
        name: name.to_owned(),
        login: Some(login),
        scopes: ["read", "write", "delete"].map(str::to_owned).into(),
        webhook_form: signalpost_core::webhook_form::WebhookForm::plain(),
        farewell: None,
        ..profile(PauseRule::Drops, None)
    }
}

impl Desk {
    fn new() -> Self {
        Self::with_faults(Box::new(|_| Fault::Pass))
    }

    fn with_faults(plan: Plan) -> Self {
        let (clock, work) = (Arc::new(HandClock::default()), Arc::new(InPlace::default()));
        let (engine, _) = Engine::new(EngineOptions {
            store: Arc::new(FaultyStore::new(MemoryStore::new(), plan)),
            clock: Arc::clone(&clock) as _,
            random: Arc::new(Counting(AtomicU64::new(1))),
            heavy_work: Arc::clone(&work) as _,
            keyring: Arc::new(Keyring::parse(&"07".repeat(32)).expect("a good key")),
            profiles: vec![with_login("guild"), with_login("other"), profile(PauseRule::Drops, None)],
            cores: 1,
            retention: RetentionRules::default(),
        });
        Self { engine, clock, work }
    }

    fn workspace(&self, dialect: &str) -> String {
        let new = NewWorkspace {
            dialect: dialect.to_owned(),
            name: "Acme".to_owned(),
            id: None,
            features: None,
            policy: PolicyOverrides::default(),
        };
        let made = block_on(self.engine.create_workspace(new, None)).expect("a workspace");
        made.now().expect("not a repetition").public_id
    }

    fn user(&self, workspace: &str, name: &str, right: NewRight) -> IssuedUser {
        let new = NewUser { username: Some(name.to_owned()), password: None };
        let made = block_on(self.engine.create_user(workspace, new, right, None)).expect("a user");
        made.now().expect("not a repetition")
    }

    fn grant(&self, workspace: &str, user: &IssuedUser, right: NewRight) -> HeldRight {
        let id = &user.held.user.public_id;
        let made = block_on(self.engine.grant_right(&Operator::Root, workspace, id, right, None));
        made.expect("a right").now().expect("not a repetition")
    }

    fn revoke(&self, held: &HeldRight) -> Result<(), Error> {
        block_on(self.engine.revoke_credential(held.right.workspace, held.right.id))
    }

    fn login(&self, name: &str, password: &str) -> Result<LoggedIn, Error> {
        block_on(self.engine.login("guild", name, &Secret::from_text(password)))
    }

    fn code(&self, name: &str, password: &str) -> Option<ErrorCode> {
        self.login(name, password).err().map(|error| error.code)
    }

    fn enter(&self, user: &str, key: &Secret) -> Result<Visitor, Error> {
        block_on(self.engine.authenticate_session("guild", user, key.expose()))
    }

    fn opens(&self, user: &IssuedUser, key: &Secret) -> bool {
        let entered = self.enter(&user.held.user.public_id, key);
        assert!(entered.is_ok() || code(&entered) == Some(ErrorCode::Unauthenticated), "{entered:?}");
        entered.is_ok()
    }

    fn may(&self, visitor: &Visitor, workspace: &str) -> Option<Vec<String>> {
        let visit = block_on(self.engine.visit(visitor, workspace));
        assert!(visit.is_ok() || code(&visit) == Some(ErrorCode::NotFound), "{visit:?}");
        visit.ok().map(|(_, rights)| rights)
    }

    fn in_s(&self, seconds: i64) -> Option<Timestamp> {
        Some(self.engine.now().plus_ms(seconds * 1_000))
    }
}

fn code<T>(result: &Result<T, Error>) -> Option<ErrorCode> {
    result.as_ref().err().map(|error| error.code)
}

fn rights(names: &[&str]) -> NewRight {
    let scopes = Some(names.iter().map(|name| (*name).to_owned()).collect());
    NewRight { scopes, ..NewRight::default() }
}

#[test]
fn a_login_ends_the_session_before_also_in_memory() {
    let desk = Desk::new();
    let workspace = desk.workspace("guild");
    let anna = desk.user(&workspace, "anna", NewRight::default());
    let bert = desk.user(&workspace, "bert", NewRight::default());
    for user in [&anna, &bert] {
        assert!(desk.opens(user, &user.session_key) && desk.engine.knows_session(user.session_key.expose()));
    }
    let first = desk.login("anna", anna.password.expose_text()).expect("it is the password");
    assert_eq!((&first.user, first.session_key.expose().len()), (&anna.held.user, 64));
    assert!(!desk.engine.knows_session(anna.session_key.expose()));
    assert!(!desk.opens(&anna, &anna.session_key));
    assert!(desk.opens(&anna, &first.session_key));
    let second = desk.login("anna", anna.password.expose_text()).expect("it is the password");
    assert!(!desk.opens(&anna, &first.session_key) && desk.opens(&anna, &second.session_key));
    assert!(desk.opens(&bert, &bert.session_key), "nobody else's session ends");
}

#[test]
fn an_earlier_session_ends_also_when_the_answer_to_a_login_is_lost() {
    let desk = Desk::with_faults(fail_nth_of("open_session", 1, Lasting::Transient, Fault::After));
    let anna = desk.user(&desk.workspace("guild"), "anna", NewRight::default());
    assert!(desk.opens(&anna, &anna.session_key));
    assert_eq!(desk.code("anna", anna.password.expose_text()), Some(ErrorCode::Unavailable));
    assert!(!desk.opens(&anna, &anna.session_key));
}

#[test]
fn a_key_opens_for_its_own_user_in_its_own_dialect_alone() {
    let desk = Desk::new();
    let workspace = desk.workspace("guild");
    let anna = desk.user(&workspace, "anna", NewRight::default());
    let bert = desk.user(&workspace, "bert", NewRight::default());
    let id = |user: &IssuedUser| user.held.user.public_id.clone();
    let (annas, unauthenticated) = (&anna.session_key, Some(ErrorCode::Unauthenticated));
    for _ in 0..2 {
        // Known to the store alone, and then in memory.
        assert_eq!(code(&desk.enter(&id(&anna), &bert.session_key)), unauthenticated);
        for user in [id(&bert), String::new(), format!("0{}", id(&anna))] {
            assert_eq!(code(&desk.enter(&user, annas)), unauthenticated, "{user}");
        }
        let other = block_on(desk.engine.authenticate_session("other", &id(&anna), annas.expose()));
        assert_eq!(code(&other), unauthenticated);
        assert!(desk.opens(&anna, annas));
    }
    let text = annas.expose_text();
    for key in ["", &text[1..], &format!("{text}0"), &text.to_uppercase(), &"g".repeat(64)] {
        assert_eq!(code(&desk.enter(&id(&anna), &Secret::from_text(key))), unauthenticated, "{key}");
    }
}

#[test]
fn what_cannot_be_a_key_costs_the_store_nothing() {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let desk = Desk::with_faults(Box::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Fault::Pass
    }));
    let anna = desk.user(&desk.workspace("guild"), "anna", NewRight::default());
    let mut key = anna.session_key.expose_text().to_owned();
    let before = calls.load(Ordering::SeqCst);
    for form in ["", "x", &key.to_uppercase()] {
        assert!(!desk.opens(&anna, &Secret::from_text(form)));
    }
    assert_eq!(calls.load(Ordering::SeqCst), before);
    key.replace_range(..1, if key.starts_with('0') { "1" } else { "0" });
    assert!(!desk.opens(&anna, &Secret::from_text(&key)));
    assert_eq!(calls.load(Ordering::SeqCst), before + 1, "what could be one is looked up");
    assert!(desk.opens(&anna, &anna.session_key) && desk.opens(&anna, &anna.session_key));
    assert_eq!(calls.load(Ordering::SeqCst), before + 2, "what is in use is known");
}

#[test]
fn a_session_ends_with_its_time_or_with_the_last_right() {
    let desk = Desk::new();
    let (one, two) = (desk.workspace("guild"), desk.workspace("guild"));
    let anna = desk.user(&one, "anna", NewRight::default());
    let until = |s| NewRight { expires_at: desk.in_s(s), ..NewRight::default() };
    let bert = desk.user(&one, "bert", until(HOUR_S));
    assert_eq!(bert.session.expires_at, bert.held.right.expires_at.expect("it ends"));
    let carl = desk.user(&one, "carl", until(HOUR_S));
    desk.grant(&two, &carl, until(2 * HOUR_S));
    assert!(desk.opens(&bert, &bert.session_key));
    let carl_again = desk.login("carl", carl.password.expose_text()).expect("it is the password");
    let visitor = desk.enter(&carl.held.user.public_id, &carl_again.session_key).expect("it is open");
    assert!(desk.may(&visitor, &one).is_some() && desk.may(&visitor, &two).is_some());

    desk.clock.advance_s(HOUR_S);
    assert!(!desk.opens(&bert, &bert.session_key));
    assert_eq!(desk.code("bert", bert.password.expose_text()), Some(ErrorCode::Unauthenticated));
    assert!(desk.opens(&carl, &carl_again.session_key));
    assert_eq!((desk.may(&visitor, &one), desk.may(&visitor, &two).is_some()), (None, true));
    assert!(block_on(desk.engine.confirm(&visitor.pass)).is_ok());
    desk.clock.advance_s(HOUR_S);
    assert!(!desk.opens(&carl, &carl_again.session_key));
    assert_eq!(code(&block_on(desk.engine.confirm(&visitor.pass))), Some(ErrorCode::Unauthenticated));

    desk.clock.advance_s(336 * HOUR_S - 2 * HOUR_S - 1);
    assert!(desk.opens(&anna, &anna.session_key));
    desk.clock.advance_s(1);
    assert!(!desk.opens(&anna, &anna.session_key));
    assert!(desk.login("anna", anna.password.expose_text()).is_ok(), "the right goes on");
}

#[test]
fn a_right_that_is_revoked_opens_nothing_any_more() {
    let desk = Desk::new();
    let (one, two) = (desk.workspace("guild"), desk.workspace("guild"));
    let anna = desk.user(&one, "anna", NewRight::default());
    let visitor = desk.enter(&anna.held.user.public_id, &anna.session_key).expect("it is open");
    assert_eq!(desk.may(&visitor, &two), None);
    let second = desk.grant(&two, &anna, rights(&["read"]));
    assert_eq!(desk.may(&visitor, &two), Some(vec!["read".to_owned()]), "in force at once");
    desk.revoke(&anna.held).expect("it is there");
    // The visitor was let in before.
    assert_eq!((desk.may(&visitor, &one), desk.may(&visitor, &two).is_some()), (None, true));
    assert!(block_on(desk.engine.confirm(&visitor.pass)).is_ok());
    desk.revoke(&second).expect("it is there");
    assert_eq!(code(&block_on(desk.engine.confirm(&visitor.pass))), Some(ErrorCode::Unauthenticated));
    assert_eq!(code(&block_on(desk.engine.visit(&visitor, &two))), Some(ErrorCode::Unauthenticated));
    assert!(!desk.opens(&anna, &anna.session_key));
    assert_eq!(desk.code("anna", anna.password.expose_text()), Some(ErrorCode::Unauthenticated));
    assert_eq!(code(&desk.revoke(&second)), Some(ErrorCode::NotFound));
    desk.user(&one, "anna", NewRight::default());
}

#[test]
fn a_revocation_holds_also_when_its_answer_is_lost() {
    let desk = Desk::with_faults(fail_nth_of("revoke_right", 1, Lasting::Transient, Fault::After));
    let anna = desk.user(&desk.workspace("guild"), "anna", NewRight::default());
    assert!(desk.opens(&anna, &anna.session_key));
    assert_eq!(code(&desk.revoke(&anna.held)), Some(ErrorCode::Unavailable));
    assert!(!desk.opens(&anna, &anna.session_key));
}

#[test]
fn a_workspace_takes_its_rights_along() {
    let desk = Desk::new();
    let (gone, stays) = (desk.workspace("guild"), desk.workspace("guild"));
    let anna = desk.user(&gone, "anna", NewRight::default());
    let bert = desk.user(&gone, "bert", NewRight::default());
    desk.grant(&stays, &bert, NewRight::default());
    let visitor = desk.enter(&bert.held.user.public_id, &bert.session_key).expect("it is open");
    assert!(desk.may(&visitor, &gone).is_some() && desk.opens(&anna, &anna.session_key));
    block_on(desk.engine.erase_workspace(&gone)).expect("it exists");
    assert!(!desk.opens(&anna, &anna.session_key) && desk.opens(&bert, &bert.session_key));
    assert_eq!((desk.may(&visitor, &gone), desk.may(&visitor, &stays).is_some()), (None, true));
}

#[test]
fn rights_add_up_in_the_dialects_order_and_what_is_hidden_is_hidden_alike() {
    let desk = Desk::new();
    let (one, two) = (desk.workspace("guild"), desk.workspace("guild"));
    let (other, rig) = (desk.workspace("other"), desk.workspace("rig"));
    let anna = desk.user(&one, "anna", rights(&["delete"]));
    desk.grant(&one, &anna, rights(&["write", "read"]));
    let visitor = desk.enter(&anna.held.user.public_id, &anna.session_key).expect("it is open");
    assert_eq!(desk.may(&visitor, &one).expect("a right"), ["read", "write", "delete"]);
    let errors: Vec<String> = [&two, &other, &rig, &"nobody".to_owned()]
        .map(|hidden| block_on(desk.engine.visit(&visitor, hidden)).expect_err("hidden").to_string())
        .into();
    assert!(errors.iter().all(|error| *error == errors[0] && error.contains("not_found")), "{errors:?}");
    let grant = desk.engine.grant_right(
        &Operator::Root,
        &other,
        &anna.held.user.public_id,
        NewRight::default(),
        None,
    );
    let error = block_on(grant).expect_err("a user of another instance");
    assert_eq!(error.fields[0].field, "user_id");
    let made = desk.engine.create_user(&rig, NewUser::default(), NewRight::default(), None);
    assert_eq!(code(&block_on(made)), Some(ErrorCode::Conflict), "it has no login");
}

#[test]
fn whatever_is_wrong_takes_the_same_work_and_the_same_answer() {
    let desk = Desk::new();
    let workspace = desk.workspace("guild");
    let anna = desk.user(&workspace, "anna", NewRight::default());
    desk.user(&desk.workspace("other"), "elsewhere", NewRight::default());
    let until = NewRight { expires_at: desk.in_s(10), ..NewRight::default() };
    let expired = desk.user(&workspace, "expired", until);
    desk.clock.advance_s(10);
    let right = anna.password.expose_text();
    let mut answers = Vec::new();
    for (name, password) in [
        ("anna", "wrong"),
        ("nobody", right),
        ("Anna", right),
        ("elsewhere", "wrong"),
        ("expired", expired.password.expose_text()),
        ("", right),
        (&"n".repeat(10_000), right),
    ] {
        let before = desk.work.done();
        answers.push(desk.login(name, password).expect_err(name).to_string());
        assert_eq!(desk.work.done(), before + 1, "{name:.20}");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let before = desk.work.done();
    assert!(desk.login("anna", right).is_ok());
    assert_eq!(desk.work.done(), before + 1);
    assert_eq!(desk.code("anna", &"p".repeat(257)), Some(ErrorCode::Unauthenticated));
    assert_eq!(desk.work.done(), before + 1, "what cannot be a password is not hashed, whoever's it is");
}

#[test]
fn wrong_passwords_come_slowly_for_a_name_that_is_there_and_for_one_that_is_not() {
    let desk = Desk::new();
    let anna = desk.user(&desk.workspace("guild"), "anna", NewRight::default());
    let right = anna.password.expose_text();
    for name in ["anna", "nobody"] {
        for _ in 0..LOGIN_FAILURES_BURST {
            assert_eq!(desk.code(name, "wrong"), Some(ErrorCode::Unauthenticated));
        }
        let before = desk.work.done();
        for password in ["wrong", right] {
            let error = desk.login(name, password).expect_err("too many");
            assert_eq!((error.code, error.retry_after_s), (ErrorCode::RateLimited, Some(LOGIN_FAILURE_S)));
        }
        assert_eq!(desk.work.done(), before, "nothing is looked at");
    }
    assert!(desk.opens(&anna, &anna.session_key), "what is open stays open");
    desk.clock.advance_s(i64::from(LOGIN_FAILURE_S) - 1);
    assert_eq!(desk.code("anna", right), Some(ErrorCode::RateLimited));
    desk.clock.advance_s(1);
    assert_eq!(
        (desk.code("anna", right), desk.code("nobody", "x")),
        (None, Some(ErrorCode::Unauthenticated))
    );
    for _ in 0..2 * LOGIN_FAILURES_BURST {
        assert_eq!(desk.code("anna", right), None, "right ones are not counted");
    }
    assert_eq!(desk.engine.metrics().logins.get(), u64::from(2 * LOGIN_FAILURES_BURST) + 1);
    assert_eq!(desk.engine.metrics().logins_refused.get(), u64::from(2 * LOGIN_FAILURES_BURST) + 1);
    assert_eq!(desk.engine.metrics().logins_throttled.get(), 5);
}

#[test]
fn too_much_work_is_nobodys_wrong_password() {
    let desk = Desk::new();
    let workspace = desk.workspace("guild");
    let anna = desk.user(&workspace, "anna", NewRight::default());
    desk.work.refuse(&[Asker::Operator, Asker::Stranger]);
    for _ in 0..2 * LOGIN_FAILURES_BURST {
        assert_eq!(desk.code("anna", anna.password.expose_text()), Some(ErrorCode::Unavailable));
    }
    let made = desk.engine.create_user(&workspace, NewUser::default(), NewRight::default(), None);
    assert_eq!(code(&block_on(made)), Some(ErrorCode::Unavailable));
    assert!(desk.opens(&anna, &anna.session_key), "no password is needed for that");
}

#[test]
fn strangers_who_log_in_keep_no_user_from_being_made() {
    let desk = Desk::new();
    let workspace = desk.workspace("guild");
    desk.work.refuse(&[Asker::Stranger]);
    let anna = desk.user(&workspace, "anna", NewRight::default());
    assert_eq!(desk.code("anna", anna.password.expose_text()), Some(ErrorCode::Unavailable));
}
