//! Tests that need a hand inside the store: operations that misbehave, a full disk, a half-filled index.

use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::basic_auth::Login;
use signalpost_core::ceilings::Ceilings;
use signalpost_core::custom_header::CustomHeader;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::order::OrderRule;
use signalpost_core::policy::Patience;
use signalpost_core::principal::Principal;
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::webhook::{DisableReason, Webhook};
use signalpost_store::catalog::{DeleteWebhook, EraseWorkspace, Switch, UpdateWebhook};
use signalpost_store::ledger::{AcceptEvent, DueLanes, DueOrder, DuePage, ListDeliveries, ListEvents};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, StoreError};
use signalpost_testkit::TempDir;

use crate::SqliteStore;
use crate::failure::Failure;
use crate::meta;
use crate::queue::Admission;
use crate::write::Write;

struct Inside {
    store: SqliteStore,
    /// Last, so that it goes after the store.
    _directory: TempDir,
}

impl Inside {
    fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        Self { store: SqliteStore::open_inline(directory.path()).expect("it opens"), _directory: directory }
    }

    /// A workspace `n` with the webhooks that are given.
    fn tenant(&self, n: i64, webhooks: &[i64]) -> (WorkspaceId, u64) {
        let workspace = sample::workspace(n);
        let id = workspace.id;
        block_on(self.store.create_workspace(workspace)).expect("a workspace");
        for webhook in webhooks {
            block_on(self.store.create_webhook(sample::webhook(id, *webhook).into())).expect("a webhook");
        }
        (id, block_on(self.store.fan_out(id)).expect("it reads").expect("it exists").version)
    }

    fn accept(&self, event: AcceptEvent) -> Result<(), StoreError> {
        block_on(self.store.accept(vec![event])).map(|_| ())
    }

    fn work<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        block_on(self.store.write(Admission::Always, 1, work))
    }

    fn number(&self, sql: &'static str) -> i64 {
        let read = |connection: &rusqlite::Connection| Ok(connection.query_row(sql, [], |row| row.get(0))?);
        block_on(self.store.read(read)).expect("it reads")
    }

    fn listed_events(&self, workspace: WorkspaceId) -> Vec<i64> {
        let list = ListEvents { workspace, event_type: None, subject: None, before: None, limit: 1_000 };
        let page = block_on(self.store.list_events(list)).expect("it reads");
        page.rows.iter().map(|event| event.id.raw()).collect()
    }

    fn listed_deliveries(&self, workspace: WorkspaceId, webhook: Option<WebhookId>) -> Vec<(i64, i64)> {
        let list =
            ListDeliveries { workspace, webhook, event: None, status: None, before: None, limit: 1_000 };
        let page = block_on(self.store.list_deliveries(list)).expect("it reads");
        page.rows.iter().map(|row| (row.id.event.raw(), row.id.webhook.raw())).collect()
    }
}

const WRITE_SOMETHING: &str = "UPDATE meta SET value = 77 WHERE name = 'probed_at'";
const READ_SOMETHING: &str = "SELECT value FROM meta WHERE name = 'probed_at'";

#[test]
fn a_panic_is_answered_and_harms_nobody() {
    let inside = Inside::new();
    let (workspace, version) = inside.tenant(1, &[]);
    let before = inside.store.accept(vec![sample::event(workspace, 10, version, &[])]);
    let panicking = inside.store.write::<()>(Admission::Always, 1, |write| {
        write.connection.execute(WRITE_SOMETHING, [])?;
        panic!("on purpose");
    });
    let after = inside.store.accept(vec![sample::event(workspace, 11, version, &[])]);
    block_on(before).expect("it is accepted");
    let error = block_on(panicking).expect_err("it panicked");
    assert!(matches!(&error, StoreError::Unavailable(problem) if problem.contains("panicked")), "{error}");
    assert_eq!(block_on(after).expect("it is accepted")[0].sequence.0, 2);
    assert_eq!(inside.number(READ_SOMETHING), 0, "what it had written is rolled back");
}

#[test]
fn a_refusal_after_a_write_is_rolled_back() {
    let inside = Inside::new();
    let late = inside.work::<()>(|write| {
        write.connection.execute(WRITE_SOMETHING, [])?;
        Err(StoreError::Missing("mind").into())
    });
    assert!(matches!(&late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert_eq!(inside.number(READ_SOMETHING), 0);
}

#[test]
fn a_full_disk_is_told_and_recovers() {
    let inside = Inside::new();
    let (workspace, version) = inside.tenant(1, &[11]);
    let limit = |pages: i64| {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        inside.work(move |write| Ok(write.connection.query_row(&pragma, [], |row| row.get::<_, i64>(0))?))
    };
    let large = |n| {
        let mut event = sample::event(workspace, n, version, &[WebhookId::from_raw(11)]);
        event.content.data = vec![b'7'; 100_000].into();
        event
    };
    let pages = limit(1).expect("it answers with what it took: never less than there are");
    let answers = [20, 21].map(|n| inside.store.accept(vec![large(n)]));
    for answer in answers {
        let error = block_on(answer).expect_err("the disk is full");
        assert!(matches!(&error, StoreError::Full), "{error}");
    }
    assert_eq!(inside.listed_events(workspace), [] as [i64; 0]);
    block_on(inside.store.probe(sample::at(1))).expect("a write that needs no page gets through");
    limit(pages + 1_000).expect("the disk grows");
    inside.accept(large(22)).expect("the store has recovered");
    assert_eq!(inside.listed_events(workspace), [22]);
    assert_eq!(inside.number("SELECT sequence FROM head"), 1, "failed commits took no place");
}

/// A damaged row is named, and only what needs it fails.
#[test]
fn a_damaged_row_is_corrupt_and_its_neighbours_are_not() {
    let inside = Inside::new();
    let (workspace, version) = inside.tenant(1, &[]);
    for n in [30, 31] {
        inside.accept(sample::event(workspace, n, version, &[])).expect("it is accepted");
    }
    let damage = "UPDATE message SET attributes = x'ff' WHERE id = 30";
    inside.work(move |write| Ok(write.connection.execute(damage, [])?)).expect("it is damaged");
    let read = |n| block_on(inside.store.events_by_id(vec![EventId::from_raw(n)]));
    match read(30) {
        Err(StoreError::Corrupt { table: "message", column: "attributes", key, .. }) => assert_eq!(key, "30"),
        other => panic!("{other:?}"),
    }
    assert_eq!(read(31).expect("it reads").len(), 1);
}

/// A tombstone holds nothing that the customer wrote and nothing sealed, however the webhook ended.
#[test]
fn an_ended_webhook_keeps_no_secret() {
    for end in ["webhook", "workspace"] {
        let inside = Inside::new();
        let (workspace, _) = inside.tenant(1, &[]);
        let (id, at) = (WebhookId::from_raw(11), sample::at(9));
        let key = sample::signing_key(workspace, 12);
        block_on(inside.store.create_signing_key(key.clone())).expect("a signing key");
        let full = Webhook {
            filter: Some("data.secret == 'x'".to_owned()),
            patience: Patience { retry: None, timeout: Some(Duration::from_secs(1)) },
            ceilings: Ceilings::default(),
            order: OrderRule::default(),
            headers: vec![CustomHeader { name: "x-api-key".to_owned(), value: sample::sealed(1) }],
            login: Login { user: Some("user".to_owned()), password: Some(sample::sealed(3)) },
            signing_key: Some(key.id),
            metadata: vec![("ticket".to_owned(), "17".to_owned())],
            previous_secrets: vec![PreviousSecret { sealed: sample::sealed(2), expires_at: sample::at(99) }],
            ..sample::webhook(workspace, 11)
        };
        block_on(inside.store.create_webhook(full.into())).expect("a webhook");
        match end {
            "webhook" => {
                let by = Principal::Operator;
                let delete = DeleteWebhook { workspace, webhook: id, at, by };
                block_on(inside.store.delete_webhook(delete)).expect("it is deleted");
            }
            _ => {
                let erase = EraseWorkspace { workspace, at };
                block_on(inside.store.erase_workspace(erase)).expect("it is erased");
            }
        }
        let left =
            "SELECT count(*) FROM webhook WHERE coalesce(name, secret, previous_secrets, secret_expires_at,
            headers, retry_schedule, timeout_ms, events, subject, filter,
            login_user, login_password, signing_key, metadata) IS NOT NULL OR url != ''";
        assert_eq!(inside.number(left), 0, "a {end} ended");
        assert_eq!(inside.number("SELECT count(*) FROM webhook"), 1, "the tombstone of a {end}");
    }
}

/// More webhooks than one step takes, all with a secret that has expired.
#[test]
fn secrets_expire_in_steps() {
    let inside = Inside::new();
    let (workspace, _) = inside.tenant(1, &[]);
    let count = i64::try_from(UPKEEP_ROWS_MAX).expect("small") + 1;
    for n in 0..count {
        let previous = PreviousSecret { sealed: sample::sealed(n), expires_at: sample::at(n) };
        let webhook = Webhook { previous_secrets: vec![previous], ..sample::webhook(workspace, 100 + n) };
        block_on(inside.store.create_webhook(webhook.into())).expect("a webhook");
    }
    let kept = "SELECT count(*) FROM webhook WHERE previous_secrets IS NOT NULL";
    assert!(block_on(inside.store.upkeep(sample::at(count))).expect("upkeep"), "there is more");
    assert_eq!(inside.number(kept), 1);
    assert!(!block_on(inside.store.upkeep(sample::at(count))).expect("upkeep"), "that was all");
    assert_eq!(inside.number(kept), 0);
}

/// Whatever part of the events is in the listing indexes, lists show all of them once and in order.
#[test]
fn lists_do_not_depend_on_how_far_the_index_is_filled() {
    let inside = Inside::new();
    let lanes = [11, 12, 21].map(WebhookId::from_raw);
    let (one, version_one) = inside.tenant(1, &[11, 12]);
    let (two, version_two) = inside.tenant(2, &[21]);
    let ids = [100, 103, 101, 110, 111, 112, 105, 120, 119, 130];
    for (place, id) in ids.into_iter().enumerate() {
        if place % 3 == 2 {
            // From here on some of the events come late, below the mark.
            while block_on(inside.store.upkeep(sample::at(0))).expect("upkeep") {}
        }
        let event = match place % 2 {
            0 => sample::event(one, id, version_one, &lanes[..2]),
            _ => sample::event(two, id, version_two, &lanes[2..]),
        };
        inside.accept(event).expect("it is accepted");
        let mut expected: Vec<(i64, i64)> = Vec::new();
        for (place, id) in ids[..=place].iter().enumerate() {
            let webhooks = if place % 2 == 0 { &[11, 12][..] } else { &[21] };
            expected.extend(webhooks.iter().map(|webhook| (*id, *webhook)));
        }
        expected.sort_unstable_by(|a, b| b.cmp(a));
        check_lists(&inside, one, &[11, 12], &expected);
        check_lists(&inside, two, &[21], &expected);
    }
    assert!(inside.number("SELECT value FROM meta WHERE name = 'indexed'") >= 120, "the index was filled");
}

fn check_lists(inside: &Inside, workspace: WorkspaceId, webhooks: &[i64], expected: &[(i64, i64)]) {
    let own: Vec<_> = expected.iter().copied().filter(|(_, webhook)| webhooks.contains(webhook)).collect();
    let mut events: Vec<_> = own.iter().map(|(event, _)| *event).collect();
    events.dedup();
    assert_eq!(inside.listed_events(workspace), events);
    assert_eq!(inside.listed_deliveries(workspace, None), own);
    for webhook in webhooks {
        let of_webhook: Vec<_> = own.iter().copied().filter(|(_, lane)| lane == webhook).collect();
        assert_eq!(inside.listed_deliveries(workspace, Some(WebhookId::from_raw(*webhook))), of_webhook);
    }
}

/// After upkeep the indexes hold exactly what a scan of all events gives.
#[test]
fn a_filled_index_is_what_a_scan_would_give() {
    let inside = Inside::new();
    let (workspace, version) = inside.tenant(1, &[11, 12]);
    let targets = [11, 12].map(WebhookId::from_raw);
    let events = (0..2_500).map(|n| {
        // Every third one is below its predecessor.
        let id = 10_000 + if n % 3 == 2 { n - 2 } else { n + 2 };
        sample::event(workspace, id * 10 + n % 3, version, &targets[..usize::try_from(n % 3).expect("small")])
    });
    let mut expected: Vec<(i64, i64)> = Vec::new();
    let events: Vec<AcceptEvent> = events.collect();
    for event in &events {
        expected.extend(event.targets.iter().map(|target| (target.raw(), event.id.raw())));
    }
    block_on(inside.store.accept(events)).expect("they are accepted");
    let mut steps = 1;
    while block_on(inside.store.upkeep(sample::at(0))).expect("upkeep") {
        steps += 1;
    }
    assert!(steps >= 3, "{steps} steps for 2,500 events are not bounded");
    assert_eq!(inside.number("SELECT count(*) FROM ix_event"), 2_500);
    let scan = |connection: &rusqlite::Connection| {
        let mut select =
            connection.prepare("SELECT webhook, event FROM ix_delivery ORDER BY webhook, event")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?)
    };
    expected.sort_unstable();
    assert_eq!(block_on(inside.store.read(scan)).expect("it reads"), expected);
    let state = block_on(inside.store.read(meta::read_index_state)).expect("it reads");
    assert_eq!(state.unindexed, 0);
}

/// A webhook with more rows in `due` than one step of a sweep takes, beside one that is left alone.
struct Backlog {
    inside: Inside,
    workspace: WorkspaceId,
    version: u64,
    owed: i64,
}

const SWEPT: WebhookId = WebhookId::from_raw(11);
const ALONE: WebhookId = WebhookId::from_raw(12);

impl Backlog {
    fn new() -> Self {
        let inside = Inside::new();
        let (workspace, version) = inside.tenant(1, &[SWEPT.raw(), ALONE.raw()]);
        let owed = i64::try_from(UPKEEP_ROWS_MAX).expect("small") + 500;
        let events = (0..owed).map(|n| sample::event(workspace, 1_000 + n, version, &[SWEPT, ALONE]));
        block_on(inside.store.accept(events.collect())).expect("they are accepted");
        Self { inside, workspace, version, owed }
    }

    fn switch(&mut self, switch: Switch) {
        let nothing = UpdateWebhook::nothing(self.workspace, SWEPT, sample::at(1));
        let update = UpdateWebhook { switch: Some(switch), ..nothing };
        block_on(self.inside.store.update_webhook(update)).expect("it is switched");
        self.version += 1;
    }

    /// Disables the webhook, enables it again, and owes it one event that is due before all others.
    fn cut_and_owe(&mut self, event: i64) {
        self.switch(Switch::Disable(DisableReason::ByOwner));
        assert_eq!(self.lanes(), [ALONE], "nothing is owed, whatever rows are still there");
        self.switch(Switch::Enable);
        let event = sample::event(self.workspace, event, self.version, &[SWEPT]);
        self.inside.accept(event).expect("it is accepted");
        assert_eq!(self.lanes(), [SWEPT, ALONE]);
    }

    fn lanes(&self) -> Vec<WebhookId> {
        let lanes = self.inside.store.due_lanes(DueLanes { after: None, limit: 10 });
        block_on(lanes).expect("it reads").into_iter().map(|lane| lane.webhook).collect()
    }

    fn rows(&self) -> i64 {
        self.inside.number("SELECT count(*) FROM due WHERE webhook = 11")
    }

    fn step(&self) -> bool {
        block_on(self.inside.store.upkeep(sample::at(0))).expect("upkeep works")
    }
}

#[test]
fn what_a_cut_has_ended_is_swept_in_steps() {
    let mut backlog = Backlog::new();
    backlog.cut_and_owe(500);
    assert_eq!(backlog.rows(), backlog.owed + 1);
    assert!(backlog.step(), "there is more");
    assert!(backlog.rows() > 1, "one step is bounded");
    while backlog.step() {}
    assert_eq!(backlog.rows(), 1, "what was born after the cut stays");
    assert_eq!(backlog.inside.number("SELECT count(*) FROM due WHERE webhook = 12"), backlog.owed);
    assert_eq!(backlog.inside.number("SELECT count(*) FROM sweep"), 0);
    let page =
        backlog.inside.store.due_page(DuePage { webhook: SWEPT, limit: 10, order: DueOrder::OLDEST_FIRST });
    let due = block_on(page).expect("it reads")[0];
    let finished = sample::finished(backlog.workspace, due, Verdict::Delivered);
    block_on(backlog.inside.store.finish(vec![finished].into())).expect("it is recorded");
    assert_eq!(backlog.lanes(), [ALONE]);
}

#[test]
fn a_cut_during_a_sweep_starts_it_anew() {
    let mut backlog = Backlog::new();
    backlog.cut_and_owe(500);
    assert!(backlog.step(), "the sweep has passed the place of event 500");
    backlog.cut_and_owe(501);
    while backlog.step() {}
    assert_eq!(backlog.rows(), 1, "event 500 was ended by the second cut, event 501 is owed");
}
