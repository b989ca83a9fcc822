//! Two cells, and what is in their tables.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use signalpost_core::figures::{Figures, FiguresOf, HOUR_MS};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::retention::RetentionRules;
use signalpost_store::catalog::ListWorkspaces;
use signalpost_store::ledger::{DueOrder, DuePage, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::transfer::Bounds;
use signalpost_store::{Catalog, Ledger, Rollups, StoreError};
use signalpost_store_postgres::PostgresStore;
use signalpost_store_postgres::cells::{MoveError, Moved, Mover, Step};

use crate::support::{Fresh, ask};

/// By which nothing goes.
pub(super) const FOR_EVER: RetentionRules =
    RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: None };

pub(super) struct Cells {
    /// Closed before their places are left.
    pub(super) stores: Option<[PostgresStore; 2]>,
    pub(super) places: [Fresh; 2],
    pub(super) longest_attempt: Duration,
}

/// Whether a cell serves a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serves {
    Yes,
    /// Whoever asks is to ask again.
    NotNow,
    No,
}

impl Cells {
    pub(super) fn new() -> Self {
        Self::at([Fresh::new(), Fresh::new()])
    }

    pub(super) fn at(places: [Fresh; 2]) -> Self {
        let mut cells = Self { stores: None, places, longest_attempt: Duration::ZERO };
        cells.open();
        cells
    }

    fn open(&mut self) {
        self.stores = Some(self.places.each_ref().map(|place| place.try_open().expect("it opens")));
    }

    /// As after a kill of all processes: nothing is in memory.
    pub(super) fn open_anew(&mut self) {
        self.stores = None;
        self.places.iter().for_each(|place| place.threads.join());
        self.open();
    }

    pub(super) fn source(&self) -> &PostgresStore {
        &self.stores.as_ref().expect("they are open")[0]
    }

    pub(super) fn target(&self) -> &PostgresStore {
        &self.stores.as_ref().expect("they are open")[1]
    }

    /// In small pages, so that most tables need several.
    pub(super) fn mover(&self) -> Mover<'_> {
        Mover {
            source: (self.source(), "one"),
            target: (self.target(), "two"),
            rules: FOR_EVER,
            longest_attempt: self.longest_attempt,
            bounds: Bounds { rows: 3, bytes: 2_000 },
        }
    }

    pub(super) fn back(&self) -> Mover<'_> {
        Mover { source: (self.target(), "two"), target: (self.source(), "one"), ..self.mover() }
    }

    /// The whole move, or as much of it as `tell` lets be done.
    pub(super) fn go_while(
        &self,
        public_ids: &[&str],
        mut tell: impl FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Moved, MoveError> {
        block_on(self.mover().run(&owned(public_ids), &mut tell))
    }

    pub(super) fn go(&self, public_ids: &[&str]) -> Result<Moved, MoveError> {
        self.go_while(public_ids, |_| ControlFlow::Continue(()))
    }

    /// Up to a step, which is not taken.
    pub(super) fn go_to(&self, public_ids: &[&str], step: Step) {
        let stopped = self.go_while(public_ids, |next| match next == step {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert!(matches!(stopped, Err(MoveError::Stopped)), "{stopped:?}");
    }

    /// What each cell says of a workspace.
    pub(super) fn serve(&self, public_id: &str) -> [Serves; 2] {
        [self.source(), self.target()].map(|store| {
            match block_on(store.workspace_by_public_id(public_id.to_owned())) {
                Ok(Some(_)) => Serves::Yes,
                Err(StoreError::Moving) => Serves::NotNow,
                Ok(None) => Serves::No,
                Err(other) => panic!("{other}"),
            }
        })
    }

    /// All that a cell has of a workspace and its users, table by table, as text.
    pub(super) fn rows(&self, cell: usize, workspaces: &[i64]) -> Vec<(&'static str, Vec<String>)> {
        let schema = &self.places[cell].schema;
        let ids: Vec<String> = workspaces.iter().map(i64::to_string).collect();
        let of = |sql: &str| sql.replace("{s}", schema).replace("{ids}", &ids.join(", "));
        TABLES.iter().map(|(table, sql)| (*table, ask(&of(sql)))).collect()
    }

    /// Adds up and tidies whatever there is to.
    pub(super) fn tidy(&self) {
        for store in [self.source(), self.target()] {
            while block_on(store.upkeep(sample::at(0))).expect("upkeep") {}
        }
    }

    /// Removes what is left of what has gone from the source.
    pub(super) fn remove_rest(&self) {
        let retain = || Retain { now: sample::at(0), rules: FOR_EVER };
        while block_on(self.source().retain(retain())).expect("retention").more {}
        self.tidy();
    }

    /// How far the source says that a move is, if there is one.
    pub(super) fn phase(&self) -> Vec<String> {
        ask(&format!("SELECT phase FROM {}.cell_move", self.places[0].schema))
    }

    pub(super) fn number(&self, cell: usize, sql: &str) -> i64 {
        ask(&sql.replace("{s}", &self.places[cell].schema))[0].parse().expect("a number")
    }
}

/// Rows as text, without what each database gives by itself: numbers of kept answers, superseded places, and where a sum stands.
const TABLES: &[(&str, &str)] = &[
    ("workspace", "SELECT to_jsonb(t)::text FROM {s}.workspace t WHERE id IN ({ids}) ORDER BY 1"),
    ("head", "SELECT to_jsonb(t)::text FROM {s}.head t WHERE workspace IN ({ids}) ORDER BY 1"),
    (
        "place",
        "SELECT workspace || ' ' || max(sequence) FROM {s}.place WHERE workspace IN ({ids}) GROUP BY workspace ORDER BY 1",
    ),
    ("webhook", "SELECT to_jsonb(t)::text FROM {s}.webhook t WHERE workspace IN ({ids}) ORDER BY 1"),
    (
        "cut",
        "SELECT to_jsonb(t)::text FROM {s}.cut t WHERE webhook IN (SELECT id FROM {s}.webhook WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    ("signing_key", "SELECT to_jsonb(t)::text FROM {s}.signing_key t WHERE workspace IN ({ids}) ORDER BY 1"),
    ("credential", "SELECT to_jsonb(t)::text FROM {s}.credential t WHERE workspace IN ({ids}) ORDER BY 1"),
    ("operator_key", "SELECT to_jsonb(t)::text FROM {s}.operator_key t WHERE workspace IN ({ids}) ORDER BY 1"),
    (
        "portal_session",
        "SELECT to_jsonb(t)::text FROM {s}.portal_session t WHERE workspace IN ({ids}) ORDER BY 1",
    ),
    (
        "user",
        "SELECT to_jsonb(t)::text FROM {s}.\"user\" t WHERE id IN (SELECT \"user\" FROM {s}.user_right WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    ("user_right", "SELECT to_jsonb(t)::text FROM {s}.user_right t WHERE workspace IN ({ids}) ORDER BY 1"),
    (
        "session",
        "SELECT to_jsonb(t)::text FROM {s}.session t WHERE \"user\" IN (SELECT \"user\" FROM {s}.user_right WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    ("message", "SELECT to_jsonb(t)::text FROM {s}.message t WHERE workspace IN ({ids}) ORDER BY 1"),
    ("event_key", "SELECT to_jsonb(t)::text FROM {s}.event_key t WHERE workspace IN ({ids}) ORDER BY 1"),
    ("feed", "SELECT to_jsonb(t)::text FROM {s}.feed t WHERE workspace IN ({ids}) ORDER BY 1"),
    (
        "due",
        "SELECT to_jsonb(t)::text FROM {s}.due t WHERE webhook IN (SELECT id FROM {s}.webhook WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    (
        "attempt",
        "SELECT to_jsonb(t)::text FROM {s}.attempt t WHERE webhook IN (SELECT id FROM {s}.webhook WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    (
        "dropped",
        "SELECT to_jsonb(t)::text FROM {s}.dropped t WHERE webhook IN (SELECT id FROM {s}.webhook WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    (
        "sweep",
        "SELECT to_jsonb(t)::text FROM {s}.sweep t WHERE webhook IN (SELECT id FROM {s}.webhook WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    (
        "unblock",
        "SELECT to_jsonb(t)::text FROM {s}.unblock t WHERE webhook IN (SELECT id FROM {s}.webhook WHERE workspace IN ({ids})) ORDER BY 1",
    ),
    ("once", "SELECT (to_jsonb(t) - 'id')::text FROM {s}.once t WHERE workspace IN ({ids}) ORDER BY 1"),
    ("replay", "SELECT to_jsonb(t)::text FROM {s}.replay t WHERE workspace IN ({ids}) ORDER BY 1"),
    (
        "replay_plan",
        "SELECT to_jsonb(t)::text FROM {s}.replay_plan t WHERE replay IN (
            SELECT id FROM {s}.replay WHERE workspace IN ({ids}) AND phase NOT IN ('done', 'cancelled')) ORDER BY 1",
    ),
    ("figure", "SELECT to_jsonb(t)::text FROM {s}.figure t WHERE workspace IN ({ids}) ORDER BY 1"),
];

pub(super) fn owned(public_ids: &[&str]) -> Vec<String> {
    public_ids.iter().map(|public_id| (*public_id).to_owned()).collect()
}

/// The living workspaces of a store: their ids and public ids.
pub(super) fn living(store: &PostgresStore) -> Vec<(i64, String)> {
    let all = ListWorkspaces { after: None, limit: 1_000 };
    let found = block_on(store.list_workspaces(all)).expect("it reads");
    found.into_iter().map(|workspace| (workspace.id.raw(), workspace.public_id)).collect()
}

/// A workspace with two webhooks and some events: those for the first are delivered, those for the second are owed. There are
/// figures of three hours.
pub(super) fn furnish(store: &PostgresStore, n: i64) -> WorkspaceId {
    let workspace = sample::workspace_with_feed(n);
    let (id, webhooks) = (workspace.id, [10 * n + 1, 10 * n + 2]);
    block_on(store.create_workspace(workspace)).expect("a workspace");
    for webhook in webhooks {
        block_on(store.create_webhook(sample::webhook(id, webhook).into())).expect("a webhook");
    }
    for event in 0..7 {
        publish(store, id, 1_000 * n + event, &webhooks).expect("accepted");
    }
    let ended = due(store, webhooks[0])
        .into_iter()
        .map(|due| sample::finished(id, due, signalpost_core::attempt::Verdict::Delivered));
    let ended = sample::begun_by(store, ended.collect());
    block_on(store.finish(ended.into())).expect("recorded");
    count(store, id, &webhooks);
    id
}

/// Figures of a workspace and of webhooks.
pub(super) fn count(store: &PostgresStore, workspace: WorkspaceId, webhooks: &[i64]) {
    let of = webhooks.iter().map(|webhook| FiguresOf::Webhook(workspace, WebhookId::from_raw(*webhook)));
    let of = of.chain([FiguresOf::Workspace(workspace)]);
    let key = |of: FiguresOf| (0..3).map(move |hour| of.at(sample::at(hour * HOUR_MS)));
    let one = Figures { delivered: 1, ..Figures::default() };
    let rows = of.flat_map(key).map(|key| (key, one)).collect::<BTreeMap<_, _>>();
    block_on(store.add_figures(rows.into())).expect("added");
}

pub(super) fn publish(
    store: &PostgresStore,
    workspace: WorkspaceId,
    n: i64,
    targets: &[i64],
) -> Result<(), StoreError> {
    let targets: Vec<WebhookId> = targets.iter().map(|webhook| WebhookId::from_raw(*webhook)).collect();
    let version = block_on(store.fan_out(workspace))?.ok_or(StoreError::Missing("workspace"))?.version;
    block_on(store.accept(vec![sample::event(workspace, n, version, &targets)])).map(drop)
}

pub(super) fn due(store: &PostgresStore, webhook: i64) -> Vec<signalpost_core::delivery::Due> {
    let page = DuePage { webhook: WebhookId::from_raw(webhook), limit: 1_000, order: DueOrder::OLDEST_FIRST };
    block_on(store.due_page(page)).expect("it reads")
}
