//! What commits leave behind: it is tidied up without anybody's asking, and what cannot be known to be left over harms nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use signalpost_core::figures::{Figures, FiguresOf, HOUR_MS};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::retention::RetentionRules;
use signalpost_store::Store;
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::ledger::{ListDeliveries, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::sample;
use signalpost_testkit::wait_for;

use crate::support::{Fresh, ask, say};

const PATIENCE: Duration = Duration::from_secs(30);
/// Calls of `retain` that a walk over next to nothing takes at most.
const WALK_MAX: usize = 10;

/// A store with one webhook.
struct Stage {
    /// Closed before its place is left.
    store: Arc<dyn Store>,
    place: Fresh,
    workspace: WorkspaceId,
    webhook: WebhookId,
}

impl Stage {
    fn new() -> Self {
        let place = Fresh::new();
        let store = place.open();
        let (workspace, webhook) = (sample::workspace(1), sample::webhook(sample::workspace(1).id, 11));
        let (id, lane) = (workspace.id, webhook.id);
        block_on(store.create_workspace(workspace)).expect("a workspace");
        block_on(store.create_webhook(webhook.into())).expect("a webhook");
        Self { store, place, workspace: id, webhook: lane }
    }

    fn publish(&self, events: i64, targets: &[WebhookId]) {
        let found = block_on(self.store.fan_out(self.workspace)).expect("it reads").expect("it exists");
        for event in 1_000..1_000 + events {
            let event = sample::event(self.workspace, event, found.version, targets);
            block_on(self.store.accept(vec![event])).expect("accepted");
        }
    }

    fn events(&self) -> u64 {
        block_on(self.store.usage(self.workspace)).expect("it reads").expect("it exists").events
    }
}

#[test]
fn what_was_counted_is_added_up_by_the_store_itself() {
    let stage = Stage::new();
    stage.publish(20, &[]);
    let rows = || ask(&format!("SELECT count(*)::text FROM {}.tally", stage.place.schema));
    wait_for("an empty tally", PATIENCE, || rows() == ["0"]).expect("it is added up");
    assert_eq!(stage.events(), 20);
}

/// Nor does anything come to be there that is added late.
#[test]
fn nothing_is_left_of_the_figures_of_a_workspace_that_is_gone() {
    let stage = Stage::new();
    let rows = || ask(&format!("SELECT count(*)::text FROM {}.figure", stage.place.schema));
    let of = [FiguresOf::Installation, FiguresOf::Workspace(stage.workspace)];
    // More than one step of retention removes.
    let webhooks = (1..=200).map(|n| FiguresOf::Webhook(stage.workspace, WebhookId::from_raw(n)));
    let all = of.into_iter().chain(webhooks);
    let events = Figures { events: 1, ..Figures::default() };
    let batch = Arc::new(all.map(|of| (of.at(sample::at(0)), events)).collect::<BTreeMap<_, _>>());
    block_on(stage.store.add_figures(Arc::clone(&batch))).expect("added");
    assert_eq!(rows(), ["202"]);
    let params = EraseWorkspace { workspace: stage.workspace, at: sample::at(5) };
    block_on(stage.store.erase_workspace(params)).expect("erased");
    let params = Retain { now: sample::at(9), rules: RetentionRules::default() };
    while block_on(stage.store.retain(params.clone())).expect("it goes on").more {}
    assert_eq!(rows(), ["1"], "the installation's");
    block_on(stage.store.add_figures(batch)).expect("added");
    assert_eq!(rows(), ["1"]);
}

/// Some of each kind are left.
#[test]
fn one_step_of_upkeep_removes_figures_of_all_kinds_within_one_bound() {
    let stage = Stage::new();
    let count = || ask(&format!("SELECT count(*)::text FROM {}.figure", stage.place.schema))[0].clone();
    let (each, last) = (400, sample::at(0).plus_ms(400 * HOUR_MS));
    let of = [
        FiguresOf::Installation,
        FiguresOf::Workspace(stage.workspace),
        FiguresOf::Webhook(stage.workspace, stage.webhook),
    ];
    let keys = of.into_iter().flat_map(|of| (0..each).map(move |n| of.at(last.plus_ms(-n * HOUR_MS))));
    let events = Figures { events: 1, ..Figures::default() };
    let batch = Arc::new(keys.map(|key| (key, events)).collect::<BTreeMap<_, _>>());
    block_on(stage.store.add_figures(batch)).expect("added");
    let now = last.plus_ms(FiguresOf::Workspace(stage.workspace).age_ms());
    let mut counts = vec![count()];
    while block_on(stage.store.upkeep(now)).expect("it goes on") {
        counts.push(count());
    }
    counts.push(count());
    assert_eq!(counts, ["1200", "200", "0"]);
}

#[test]
fn a_history_without_its_event_ends_no_list() {
    let stage = Stage::new();
    stage.publish(3, &[stage.webhook]);
    // More than a page of them, all newer than what is there.
    say(&format!(
        "INSERT INTO {}.attempt (webhook, event, n, at, verdict, outcome, detail)
        SELECT {}, g, 1, 0, 0, '200', ''::bytea FROM generate_series(2000, 2400) AS g",
        stage.place.schema,
        stage.webhook.raw()
    ));
    let list = ListDeliveries {
        workspace: stage.workspace,
        webhook: Some(stage.webhook),
        event: None,
        status: None,
        before: None,
        limit: 10,
    };
    let page = block_on(stage.store.list_deliveries(list)).expect("it reads");
    let found: Vec<i64> = page.rows.iter().map(|row| row.id.event.raw()).collect();
    assert_eq!((found, page.next), (vec![1_002, 1_001, 1_000], None));
}

#[test]
fn a_stage_of_retention_that_fails_keeps_no_other_from_its_turn() {
    let stage = Stage::new();
    stage.publish(3, &[]);
    say(&format!("ALTER TABLE {}.once RENAME TO away", stage.place.schema));
    let rules = RetentionRules {
        event_age_max: Some(Duration::from_secs(1)),
        payload_age_max: None,
        bytes_max: None,
    };
    let params =
        Retain { now: sample::event(stage.workspace, 1, 0, &[]).accepted_at.plus_ms(3_600_000), rules };
    let mut refused = 0;
    for _ in 0..WALK_MAX {
        match block_on(stage.store.retain(params.clone())) {
            Ok(done) if !done.more => break,
            Ok(_) => {}
            Err(_) => refused += 1,
        }
    }
    assert_eq!(
        (refused, stage.events()),
        (1, 0),
        "one stage was refused, and the others have done their part"
    );
}
