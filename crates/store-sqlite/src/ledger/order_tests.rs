//! Tests of order by key that need a hand inside: more keys than a step lets go, and a database that has lost a row.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Due;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::order::{OnExhausted, OrderChange, OrderRule};
use signalpost_core::webhook::Webhook;
use signalpost_store::catalog::UpdateWebhook;
use signalpost_store::ledger::{AcceptEvent, DueOrder, DuePage};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::notes::{Notes, Told};
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_testkit::TempDir;

use crate::SqliteStore;
use crate::copy::check;
use crate::queue::Admission;

const LANE: WebhookId = WebhookId::from_raw(11);

struct Keys {
    store: SqliteStore,
    workspace: WorkspaceId,
    /// Last, so that it goes after the store.
    directory: TempDir,
}

impl Keys {
    /// A webhook that blocks, and two events of each of so many keys.
    fn new(keys: i64) -> Self {
        let directory = TempDir::new().expect("a directory");
        let store = SqliteStore::open_inline(directory.path()).expect("it opens");
        let workspace = sample::workspace(1);
        let id = workspace.id;
        block_on(store.create_workspace(workspace)).expect("a workspace");
        let order = OrderRule { by_key: true, on_exhausted: OnExhausted::Block };
        let webhook = Webhook { order, ..sample::webhook(id, LANE.raw()) };
        block_on(store.create_webhook(webhook.into())).expect("a webhook");
        let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
        let event = |n: i64| {
            let mut event = AcceptEvent { ordered: vec![LANE], ..sample::event(id, n, version, &[LANE]) };
            event.content.ordering_key = Some((n % keys).to_string());
            event
        };
        block_on(store.accept((10_000..10_000 + 2 * keys).map(event).collect())).expect("they are accepted");
        Self { store, workspace: id, directory }
    }

    fn rows(&self) -> Vec<Due> {
        let page = DuePage { webhook: LANE, order: DueOrder::OLDEST_FIRST, limit: 10_000 };
        block_on(self.store.due_page(page)).expect("it reads")
    }

    fn owed(&self) -> usize {
        self.rows().len()
    }

    fn give_all_up(&self) {
        let finished =
            self.rows().into_iter().map(|due| sample::finished(self.workspace, due, Verdict::GiveUp));
        block_on(self.store.finish(finished.collect::<Vec<_>>().into())).expect("they are recorded");
    }

    fn on_exhausted(&self, on_exhausted: OnExhausted) {
        let order = OrderChange { by_key: None, on_exhausted: Some(on_exhausted) };
        let nothing = UpdateWebhook::nothing(self.workspace, LANE, sample::at(1));
        block_on(self.store.update_webhook(UpdateWebhook { order, ..nothing })).expect("it exists");
    }

    fn step(&self) -> bool {
        block_on(self.store.upkeep(sample::at(0))).expect("upkeep works")
    }

    fn execute(&self, sql: &'static str) {
        let run = move |write: &mut crate::write::Write<'_>| Ok(write.connection.execute(sql, [])?);
        block_on(self.store.write(Admission::Always, 1, run)).expect("it runs");
    }

    fn problems(&self) -> Vec<String> {
        check(self.directory.path(), &mut |_| ()).expect("it can be checked").problems
    }
}

#[test]
fn many_keys_are_let_go_in_steps_and_each_is_told() {
    let keys = 2 * UPKEEP_ROWS_MAX + 300;
    let some = Keys::new(i64::try_from(keys).expect("small"));
    assert_eq!(some.owed(), keys, "one of each key");
    some.give_all_up();
    assert_eq!(some.owed(), 0);
    let notes = Notes::on(&some.store);
    some.on_exhausted(OnExhausted::Skip);
    assert_eq!(some.owed(), UPKEEP_ROWS_MAX, "a change is bounded");
    assert!(some.step(), "there is more");
    assert_eq!(some.owed(), 2 * UPKEEP_ROWS_MAX);
    while some.step() {}
    assert_eq!(some.owed(), keys);
    let told = notes.take();
    assert!(told.len() == keys && told.iter().all(|told| matches!(told, Told::Released(_))));
    assert_eq!(some.problems(), [""; 0]);
}

#[test]
fn a_rule_that_blocks_again_keeps_the_keys_that_are_left() {
    let some = Keys::new(i64::try_from(UPKEEP_ROWS_MAX + 300).expect("small"));
    some.give_all_up();
    some.on_exhausted(OnExhausted::Skip);
    some.on_exhausted(OnExhausted::Block);
    while some.step() {}
    assert_eq!(some.owed(), UPKEEP_ROWS_MAX);
}

#[test]
fn what_is_held_behind_nothing_is_found() {
    let some = Keys::new(1);
    assert_eq!(some.problems(), [""; 0]);
    some.execute("DELETE FROM due WHERE event = 10000");
    let [problem] = &some.problems()[..] else { panic!("one problem") };
    assert_eq!(problem, "deliveries are held behind others of their key that are not there: 11/10001");
}
