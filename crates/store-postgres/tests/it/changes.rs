//! What each verb writes down for other nodes, and what needs no word.

use std::cell::Cell;
use std::sync::Arc;

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::health::{Health, Hold, ReleaseOrder};
use signalpost_core::id::{CredentialId, OperatorKeyId, SigningKeyId, UserId, WebhookId, WorkspaceId};
use signalpost_core::operator_session::Opener;
use signalpost_core::password::PasswordHash;
use signalpost_core::policy::PolicyChange;
use signalpost_core::principal::Principal;
use signalpost_core::role::Role;
use signalpost_core::webhook::{DisableReason, Webhook};
use signalpost_store::catalog::{
    CloseWorkspace, DeleteSigningKey, DeleteWebhook, EraseWorkspace, RotateOperatorKey, Switch,
    UpdateWebhook, UpdateWorkspace,
};
use signalpost_store::desk::UpdateOperatorAccount;
use signalpost_store::ledger::{Backlog, DueOrder, DuePage, Finished, HealthChange};
use signalpost_store::portal::OpenPortalSession;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::sample;
use signalpost_store::{Answer, Effect, Store};

use crate::support::{Fresh, ask};

const WEBHOOK: i64 = 11;
const NOTHING: [&str; 0] = [];

/// A store with one workspace and one webhook.
struct Stage {
    /// Closed before its place is left.
    store: Arc<dyn Store>,
    place: Fresh,
    /// Changes that were looked at.
    seen: Cell<usize>,
}

impl Stage {
    fn new() -> Self {
        let place = Fresh::new();
        let stage = Self { store: place.open(), place, seen: Cell::new(0) };
        assert_eq!(stage.after(stage.store.create_workspace(sample::workspace(1))), NOTHING);
        let webhook = sample::webhook(workspace(), WEBHOOK);
        assert_eq!(stage.after(stage.store.create_webhook(webhook.into())), ["fan_out 1"]);
        stage
    }

    /// What was written down since the last look.
    fn noted(&self) -> Vec<String> {
        let noted = ask(&format!(
            "SELECT concat_ws(' ', kind, workspace, object, release_order) FROM {}.change ORDER BY n OFFSET {}",
            self.place.schema,
            self.seen.get()
        ));
        self.seen.set(self.seen.get() + noted.len());
        noted
    }

    /// What a verb writes down.
    fn after<T>(&self, verb: Answer<T>) -> Vec<String> {
        block_on(verb).map(drop).expect("it is done");
        self.noted()
    }

    fn update(&self, update: impl FnOnce(UpdateWebhook) -> UpdateWebhook) -> Vec<String> {
        let nothing = UpdateWebhook::nothing(workspace(), webhook(), sample::at(500));
        self.after(self.store.update_webhook(update(nothing)))
    }

    fn switch(&self, switch: Switch) -> Vec<String> {
        self.update(|update| UpdateWebhook { switch: Some(switch), ..update })
    }

    /// An attempt of a new event has ended, with this for the webhook's health.
    fn finish(&self, event: i64, health: HealthChange) -> Vec<String> {
        let version =
            block_on(self.store.fan_out(workspace())).expect("it reads").expect("it exists").version;
        let event = sample::event(workspace(), event, version, &[webhook()]);
        assert_eq!(self.after(self.store.accept(vec![event])), NOTHING);
        let page = DuePage { webhook: webhook(), limit: 1, order: DueOrder::OLDEST_FIRST };
        let due = block_on(self.store.due_page(page)).expect("it reads")[0];
        let finished = sample::finished(workspace(), due, Verdict::GiveUp);
        self.after(self.store.finish(Arc::new(vec![Finished { health: Some(health), ..finished }])))
    }
}

fn workspace() -> WorkspaceId {
    WorkspaceId::from_raw(1)
}

fn webhook() -> WebhookId {
    WebhookId::from_raw(WEBHOOK)
}

/// What puts a webhook on hold.
fn held() -> HealthChange {
    let hold = Some(Hold { since: sample::at(1), probes: 0, probe_at: sample::at(9) });
    let health = Health { hold, ..Health::default() };
    HealthChange { health, disable: None, backlog: Backlog::Kept }
}

#[test]
fn a_webhook_that_changes_is_told_of_and_one_that_goes_on_by_itself() {
    let stage = Stage::new();
    let url = |update| UpdateWebhook { url: Some("https://example.com/other".to_owned()), ..update };
    assert_eq!(stage.update(url), ["webhook 1 11"]);
    assert_eq!(stage.switch(Switch::Disable(DisableReason::Paused)), ["webhook 1 11"]);
    assert_eq!(stage.switch(Switch::Enable), ["resumed 1 11"]);
    assert_eq!(stage.switch(Switch::Enable), ["webhook 1 11"], "it was on");
    assert_eq!(stage.switch(Switch::Disable(DisableReason::ByOwner)), ["webhook 1 11"]);
    let name = Some(Some("other".to_owned()));
    let renamed = |update| UpdateWebhook { name, switch: Some(Switch::Enable), ..update };
    assert_eq!(stage.update(renamed), ["resumed 1 11", "webhook 1 11"], "it is another, too");
    let (at, by) = (sample::at(600), Principal::Operator);
    let params = DeleteWebhook { workspace: workspace(), webhook: webhook(), at, by };
    assert_eq!(stage.after(stage.store.delete_webhook(params)), ["webhook 1 11"]);
}

#[test]
fn what_attempts_make_of_a_webhook_is_told_only_where_others_choose_by_it() {
    let stage = Stage::new();
    assert_eq!(stage.finish(1_000, held()), NOTHING);
    let order = Some(ReleaseOrder::NewestFirst);
    let release = |update| UpdateWebhook { release: order, ..update };
    assert_eq!(stage.update(release), ["resumed 1 11 newest_first"]);
    assert_eq!(stage.update(release), ["webhook 1 11"], "nothing was held");
    stage.finish(1_001, held());
    let off = Switch::Disable(DisableReason::Paused);
    let both = |update| UpdateWebhook { release: order, switch: Some(off), ..update };
    assert_eq!(stage.update(both), ["resumed 1 11 newest_first", "webhook 1 11"]);
    stage.switch(Switch::Enable);
    assert_eq!(stage.finish(1_002, sample::health(3, None)), NOTHING);
    let disabled = sample::health(4, Some(DisableReason::Failing));
    assert_eq!(stage.finish(1_003, disabled), ["fan_out 1"]);
}

#[test]
fn what_opens_something_is_told_of_when_it_no_longer_does() {
    let stage = Stage::new();
    let store = &stage.store;
    let hash = |n: u8| CredentialHash::of(&[n]);
    let credential = sample::credential(workspace(), 20);
    assert_eq!(stage.after(store.create_credential(credential, hash(1))), NOTHING);
    let id = CredentialId::from_raw(20);
    assert_eq!(stage.after(store.revoke_credential(workspace(), id)), ["credential 20"]);

    let key = |n| sample::operator_key(Some(workspace()), n);
    assert_eq!(stage.after(store.create_operator_key(key(30), hash(2))), NOTHING);
    let (previous, ends_at) = (OperatorKeyId::from_raw(30), sample::at(40));
    let rotate = RotateOperatorKey { previous, ends_at, next: key(31), hash: hash(3) };
    assert_eq!(stage.after(store.rotate_operator_key(rotate)), ["operator_key 30"]);
    assert_eq!(stage.after(store.revoke_operator_key(OperatorKeyId::from_raw(31))), ["operator_key 31"]);

    let session = sample::operator_session(Opener::Root { fingerprint: [7; 8] }, 35);
    assert_eq!(stage.after(store.open_operator_session(session, hash(7), None)), NOTHING);
    assert_eq!(stage.after(store.end_operator_session(session.id)), ["operator_session 35"]);

    let session = sample::portal_session(workspace(), 38);
    let id = session.id;
    let params = OpenPortalSession { session, hash: hash(9), link_made_at: sample::at(1) };
    assert_eq!(stage.after(store.open_portal_session(params)), NOTHING);
    assert_eq!(stage.after(store.end_portal_session(workspace(), id)), ["portal_session 38"]);
    assert_eq!(stage.after(store.end_portal_sessions(workspace(), sample::at(2))), ["portal_sessions 1"]);

    let password = || PasswordHash::from_phc("hash".to_owned());
    let account = sample::operator_account(36);
    assert_eq!(stage.after(store.create_operator_account(account.clone(), password())), NOTHING);
    let session = sample::operator_session(Opener::Account(account.id), 37);
    assert_eq!(stage.after(store.open_operator_session(session, hash(8), Some(password()))), NOTHING);
    let update = UpdateOperatorAccount {
        account: account.id,
        role: Some(Role::Admin),
        password: None,
        at: sample::at(50),
    };
    assert_eq!(stage.after(store.update_operator_account(update)), ["operator_account 36"]);
    assert_eq!(stage.after(store.delete_operator_account(account.id)), ["operator_account 36"]);

    let user = UserId::from_raw(40);
    assert_eq!(stage.after(store.create_user(sample::new_user(workspace(), 40, hash(4)))), NOTHING);
    let again = store.open_session(sample::session(user, 100), hash(5));
    assert_eq!(stage.after(again), ["user 40"], "the one before opens nothing");
    let later = store.open_session(sample::session(user, 9_000), hash(6));
    assert_eq!(stage.after(later), NOTHING, "that one had ended");
    assert_eq!(stage.after(store.grant_right(sample::right(workspace(), user, 42))), ["granted 40"]);
    let right = CredentialId::from_raw(42);
    assert_eq!(stage.after(store.revoke_right(workspace(), right)), ["user 40"]);
    assert_eq!(
        stage.after(store.upkeep(sample::at(i64::from(u32::MAX)))),
        NOTHING,
        "nobody goes by what has expired"
    );
}

#[test]
fn a_workspace_is_told_of_with_all_that_goes_by_it() {
    let stage = Stage::new();
    let store = &stage.store;
    let name = Some("Other".to_owned());
    let params =
        UpdateWorkspace { workspace: workspace(), name, features: None, policy: PolicyChange::default() };
    assert_eq!(stage.after(store.update_workspace(params)), ["workspace 1"]);
    assert_eq!(stage.after(store.create_signing_key(sample::signing_key(workspace(), 50))), NOTHING);
    let (key, at, by) = (SigningKeyId::from_raw(50), sample::at(60), Principal::Operator);
    let params = DeleteSigningKey { workspace: workspace(), key, at, by };
    assert_eq!(stage.after(store.delete_signing_key(params)), ["workspace 1"]);
    let credential = sample::credential(workspace(), 20);
    block_on(store.create_credential(credential, CredentialHash::of(b"1"))).expect("a credential");
    let params = EraseWorkspace { workspace: workspace(), at };
    assert_eq!(stage.after(store.erase_workspace(params)), ["erased 1"]);
}

#[test]
fn a_workspace_that_closes_is_gone_at_once() {
    let stage = Stage::new();
    let version = block_on(stage.store.fan_out(workspace())).expect("it reads").expect("it exists").version;
    let farewell = sample::event(workspace(), 1_000, version, &[webhook()]);
    assert_eq!(stage.after(stage.store.close_workspace(CloseWorkspace { farewell })), ["erased 1"]);
    let page = DuePage { webhook: webhook(), limit: 1, order: DueOrder::OLDEST_FIRST };
    let due = block_on(stage.store.due_page(page)).expect("it reads")[0];
    let finished = sample::finished(workspace(), due, Verdict::Delivered);
    assert_eq!(stage.after(stage.store.finish(Arc::new(vec![finished]))), NOTHING, "its lane knows");
}

#[test]
fn an_effect_that_happens_once_is_told_of_once() {
    let stage = Stage::new();
    let effect = || {
        let new: Webhook = sample::webhook(workspace(), 12);
        Effect::CreateWebhook(Box::new(new.into()))
    };
    let once = sample::once(Some(workspace()), 1, 1, 0);
    let call = || stage.store.do_once(effect(), once, sample::sealed(1));
    assert_eq!(stage.after(call()), ["fan_out 1"]);
    assert_eq!(stage.after(call()), NOTHING);
}
