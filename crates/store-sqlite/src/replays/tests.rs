//! Tests that need a hand inside: bounds that no test can reach by itself, and a database that is damaged.

use std::time::Duration;

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::limits::{REPLAY_DELIVERIES_MAX, REPLAY_STEP_BYTES_MAX, UPKEEP_ROWS_MAX};
use signalpost_core::replay::{CancelReason, Command, Phase, Replay, Start, Which};
use signalpost_core::retention::RetentionRules;
use signalpost_core::webhook::DisableReason;
use signalpost_store::catalog::{Switch, UpdateWebhook};
use signalpost_store::ledger::{DueOrder, DuePage, Retain};
use signalpost_store::replays::{Change, ChangeReplay, PlanReplay, StepReplay, Stepped, Waits};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, Replays};
use signalpost_testkit::TempDir;

use crate::SqliteStore;
use crate::copy::check;
use crate::queue::Admission;

const SOURCE: WebhookId = WebhookId::from_raw(11);
const TARGET: WebhookId = WebhookId::from_raw(12);

struct Scene {
    store: SqliteStore,
    workspace: WorkspaceId,
    /// Last, so that it goes after the store.
    directory: TempDir,
}

impl Scene {
    fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let store = SqliteStore::open_inline(directory.path()).expect("it opens");
        let workspace = sample::workspace(1);
        let id = workspace.id;
        block_on(store.create_workspace(workspace)).expect("a workspace");
        for webhook in [SOURCE, TARGET] {
            block_on(store.create_webhook(sample::webhook(id, webhook.raw()).into())).expect("a webhook");
        }
        Self { store, workspace: id, directory }
    }

    /// Accepted for the source alone.
    fn publish(&self, events: impl Iterator<Item = i64>, data: &Bytes) {
        let version =
            block_on(self.store.fan_out(self.workspace)).expect("it reads").expect("it exists").version;
        for n in events {
            let mut event = sample::event(self.workspace, n, version, &[SOURCE]);
            event.content.data = data.clone();
            block_on(self.store.accept(vec![event])).expect("it is accepted");
        }
    }

    /// Of all that stands in these events, to a webhook.
    fn run(&self, id: i64, target: WebhookId, events: &[i64]) -> Replay {
        let mut replay = sample::replay(self.workspace, id, SOURCE);
        (replay.target, replay.start, replay.selection.which) = (target, Start::WhenPlanned, Which::All);
        let plan = plan(&replay, events);
        block_on(self.store.create_replay(replay)).expect("a replay");
        block_on(self.store.plan_replay(plan)).expect("it is planned")
    }

    fn step(&self, replay: &Replay) -> Stepped {
        let (from, at) = (replay.progress.done_to, sample::at(1_000_000));
        let params = StepReplay { replay: replay.id, from, take: 10_000, due_max: 10_000, at };
        block_on(self.store.step_replay(params)).expect("a step")
    }

    fn switch(&self, webhook: WebhookId, switch: Switch) {
        let nothing = UpdateWebhook::nothing(self.workspace, webhook, sample::at(50));
        let update = UpdateWebhook { switch: Some(switch), ..nothing };
        block_on(self.store.update_webhook(update)).expect("it is switched");
    }

    fn execute(&self, sql: &'static str) {
        let work =
            self.store.write(Admission::Always, 1, move |write| Ok(write.connection.execute(sql, [])?));
        block_on(work).expect("it is written");
    }

    fn number(&self, sql: &'static str) -> i64 {
        let read = |connection: &rusqlite::Connection| Ok(connection.query_row(sql, [], |row| row.get(0))?);
        block_on(self.store.read(read)).expect("it reads")
    }

    fn upkeep(&self) -> usize {
        let mut steps = 1;
        while block_on(self.store.upkeep(sample::at(60))).expect("upkeep works") {
            steps += 1;
        }
        steps
    }

    fn assert_whole(&self) {
        assert_eq!(
            check(self.directory.path(), &mut |_| ()).expect("it reads").problems,
            Vec::<String>::new()
        );
    }
}

fn plan(replay: &Replay, events: &[i64]) -> PlanReplay {
    let found = events.iter().copied().map(EventId::from_raw).collect();
    PlanReplay { replay: replay.id, from: None, found, next: None, at: sample::at(40) }
}

#[test]
fn more_than_a_replay_may_have_end_it() {
    let scene = Scene::new();
    let replay = sample::replay(scene.workspace, 30, SOURCE);
    block_on(scene.store.create_replay(replay.clone())).expect("a replay");
    assert_eq!(REPLAY_DELIVERIES_MAX, 1_000_000);
    scene.execute("UPDATE replay SET planned = 999998");
    let first = PlanReplay { next: Some(EventId::from_raw(31)), ..plan(&replay, &[32, 33]) };
    let full = block_on(scene.store.plan_replay(first)).expect("it is planned");
    assert_eq!((full.phase, full.progress.planned), (Phase::Planning, REPLAY_DELIVERIES_MAX));
    let second = PlanReplay { from: full.progress.planned_to, ..plan(&replay, &[31]) };
    let ended = block_on(scene.store.plan_replay(second)).expect("it is answered");
    assert_eq!(ended.phase, Phase::Cancelled(CancelReason::TooMany));
    scene.upkeep();
    assert_eq!(scene.number("SELECT count(*) FROM replay_plan"), 0);
    scene.assert_whole();
}

#[test]
fn a_plan_goes_in_steps_when_its_replay_has_ended() {
    let scene = Scene::new();
    let events: Vec<i64> = (0..2_500).map(|n| 1_000 + n).collect();
    let (first, _) = (scene.run(30, SOURCE, &events), scene.run(31, SOURCE, &[1_000]));
    let (replay, change) = (first.id, Change::Asked(Command::Cancel));
    let (by, at) = (first.made_by, sample::at(50));
    let cancel = ChangeReplay { workspace: scene.workspace, replay, change, by, at };
    block_on(scene.store.change_replay(cancel)).expect("it is cancelled");
    scene.assert_whole();
    assert!(block_on(scene.store.upkeep(sample::at(60))).expect("upkeep works"), "there is more");
    let left = 2_501 - i64::try_from(UPKEEP_ROWS_MAX).expect("small");
    assert_eq!(scene.number("SELECT count(*) FROM replay_plan"), left, "one step is bounded");
    assert!(scene.upkeep() >= 2);
    assert_eq!(scene.number("SELECT count(*) FROM replay_plan"), 1, "what runs keeps its plan");
    assert_eq!(scene.number("SELECT count(*) FROM replay_rest"), 0);
    scene.assert_whole();
}

#[test]
fn an_event_that_cannot_be_read_does_not_keep_the_others() {
    let scene = Scene::new();
    scene.publish(31..34, &Bytes::from_static(b"{}"));
    scene.switch(SOURCE, Switch::Disable(DisableReason::ByOwner));
    scene.switch(SOURCE, Switch::Enable);
    scene.execute("UPDATE message SET targets = x'0b' WHERE id = 32");
    for (id, target) in [(40, SOURCE), (41, TARGET)] {
        let stepped = scene.step(&scene.run(id, target, &[31, 32, 33]));
        let progress = stepped.replay.progress;
        assert_eq!((stepped.replay.phase, progress.sent, progress.passed_over), (Phase::Done, 2, 1));
    }
}

#[test]
fn a_step_writes_so_many_bytes_anew_and_goes_on_next_time() {
    let scene = Scene::new();
    let data = Bytes::from(format!("\"{}\"", "x".repeat(REPLAY_STEP_BYTES_MAX / 4)));
    scene.publish(31..37, &data);
    let running = scene.run(40, TARGET, &[31, 32, 33, 34, 35, 36]);
    let first = scene.step(&running);
    assert_eq!((first.replay.phase, first.replay.progress.sent, first.waits), (Phase::Running, 4, None));
    let second = scene.step(&first.replay);
    assert_eq!((second.replay.phase, second.replay.progress.sent), (Phase::Done, 6));
    assert_eq!(scene.number("SELECT count(*) FROM due WHERE webhook = 12"), 6);
    scene.upkeep();
    assert_eq!(scene.number("SELECT count(*) FROM ix_delivery WHERE webhook = 12"), 6);
    scene.assert_whole();
}

/// It is not worth the writer's time to look past them: they are removed soon.
#[test]
fn many_rows_that_a_cut_has_ended_make_a_replay_wait() {
    let scene = Scene::new();
    let rows = i64::try_from(UPKEEP_ROWS_MAX).expect("small") + 10;
    scene.publish(1_000..1_000 + rows, &Bytes::from_static(b"{}"));
    scene.switch(SOURCE, Switch::Disable(DisableReason::ByOwner));
    scene.switch(SOURCE, Switch::Enable);
    let running = scene.run(40, SOURCE, &[1_000, 1_001]);
    let (replay, at) = (running.id, sample::at(1_000_000));
    let params = StepReplay { replay, from: None, take: 2, due_max: 5, at };
    let waits = block_on(scene.store.step_replay(params)).expect("a step");
    assert_eq!(waits, Stepped { replay: running.clone(), waits: Some(Waits::Busy) });
    scene.upkeep();
    let stepped = block_on(scene.store.step_replay(params)).expect("a step");
    assert_eq!((stepped.replay.phase, stepped.replay.progress.sent), (Phase::Done, 2));
}

/// Else nobody would find it when its event goes.
#[test]
fn what_a_cut_has_ended_leaves_no_row_when_it_is_sent_again() {
    let scene = Scene::new();
    scene.publish(31..32, &Bytes::from_static(b"{}"));
    scene.switch(SOURCE, Switch::Disable(DisableReason::ByOwner));
    scene.switch(SOURCE, Switch::Enable);
    scene.step(&scene.run(40, SOURCE, &[31]));
    assert_eq!(scene.number("SELECT count(*) FROM due"), 1);
    let page = DuePage { webhook: SOURCE, limit: 9, order: DueOrder::OLDEST_FIRST };
    let due = block_on(scene.store.due_page(page)).expect("it reads")[0];
    let finished = sample::finished(scene.workspace, due, Verdict::Delivered);
    block_on(scene.store.finish(vec![finished].into())).expect("it is recorded");
    let rules =
        RetentionRules { event_age_max: Some(Duration::ZERO), payload_age_max: None, bytes_max: None };
    let retain = Retain { now: sample::at(2_000_000), rules };
    while block_on(scene.store.retain(retain.clone())).expect("it works").more {}
    assert_eq!(scene.number("SELECT count(*) FROM message"), 0);
    scene.assert_whole();
}
