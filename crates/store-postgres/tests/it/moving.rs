//! A store that was made in SQLite and moved here answers as it did there, and goes on as if nothing had happened.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use signalpost_core::id::{EventId, first_id_at};
use signalpost_core::ports::Clock;
use signalpost_core::time::Timestamp;
use signalpost_store::catalog::{ListWorkspaces, RememberedWebhooks};
use signalpost_store::ledger::{DeliverySummary, ListDeliveries};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::differential::{Effort, assert_like_the_model, show};
use signalpost_store::testing::sample;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::transfer::{self, Bounds, Kind, Progress, TABLES, TransferError};
use signalpost_store::{Store, StoreError};
use signalpost_store_postgres::OpenError;
use signalpost_store_postgres::move_in::{MoveIn, Standing};
use signalpost_store_sqlite::SqliteStore;
use signalpost_store_sqlite::move_out::MoveOut;
use signalpost_testkit::{TempDir, wait_for_some};

use crate::support::{Fresh, RealClock, ask, no_tls, say, server_url};

/// A data directory, and where it is moved.
struct Places {
    directory: TempDir,
    target: Fresh,
}

impl Places {
    fn new() -> Self {
        Self { directory: TempDir::new().expect("a folder"), target: Fresh::new() }
    }

    fn embedded(&self) -> Arc<dyn Store> {
        Embedded(self.directory.path()).open()
    }

    /// In small pages, so that most tables need several.
    fn source(&self) -> MoveOut {
        locked(|| MoveOut::open(self.directory.path(), Bounds { rows: 3, bytes: 2_000 }).ok())
    }

    fn target(&self) -> MoveIn {
        MoveIn::open(&server_url(), &self.target.schema, &no_tls).expect("nobody works on it")
    }

    /// The whole move, or as much of it as `tell` lets be done.
    fn go(&self, tell: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<(), TransferError> {
        let (mut source, mut target) = (self.source(), self.target());
        let identity = transfer::identity(&mut source)?;
        match target.standing(&identity)? {
            Standing::Empty => target.begin(&identity)?,
            Standing::Begun => {}
            Standing::Done => return Ok(()),
        }
        transfer::copy(&mut source, &mut target, tell)?;
        transfer::verify(&mut source, &mut target, &mut |_| ControlFlow::Continue(()))?;
        source.leave("It is in PostgreSQL.")?;
        target.finish()
    }

    fn move_all(&self) {
        self.go(&mut |_| ControlFlow::Continue(())).expect("it is moved");
    }

    fn say(&self, sql: &str) {
        say(&format!("SET search_path = {}; {sql}", self.target.schema));
    }
}

/// Opens what needs the lock of a data directory: a program that another test starts just now has it for a moment.
fn locked<T>(open: impl FnMut() -> Option<T>) -> T {
    wait_for_some("the lock of the data directory", Duration::from_secs(10), open)
        .expect("nobody works on it")
}

/// A store that is moved when it is opened for the second time.
struct Moving {
    places: Places,
    opened: AtomicU32,
}

impl Harness for Moving {
    fn open(&self) -> Arc<dyn Store> {
        match self.opened.fetch_add(1, Ordering::Relaxed) {
            0 => self.places.embedded(),
            1 => {
                self.places.move_all();
                self.places.target.open()
            }
            _ => self.places.target.open(),
        }
    }
}

#[test]
fn a_store_that_is_moved_goes_on_like_the_model() {
    let moving = || Moving { places: Places::new(), opened: AtomicU32::new(0) };
    assert_like_the_model(Effort { seed: 31, sequences: 24 }, moving);
}

/// The store of a random sequence of verbs, of any kind.
struct Embedded<'p>(&'p Path);

impl Harness for Embedded<'_> {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(locked(|| SqliteStore::open_inline(self.0).ok()))
    }
}

/// Deliveries as they are found by their webhook, those that were dropped before an attempt among them.
fn by_webhook(store: &dyn Store) -> Vec<DeliverySummary> {
    let work = async {
        let mut found = Vec::new();
        for workspace in store.list_workspaces(ListWorkspaces { after: None, limit: 100 }).await? {
            let workspace = workspace.id;
            let all = RememberedWebhooks { workspace, public_id: None, before: None, limit: 100 };
            for remembered in store.remembered_webhooks(all).await? {
                let webhook = Some(remembered.id());
                let page = ListDeliveries {
                    workspace,
                    webhook,
                    event: None,
                    status: None,
                    before: None,
                    limit: 500,
                };
                found.extend(store.list_deliveries(page).await?.rows);
            }
        }
        Ok::<_, StoreError>(found)
    };
    block_on(work).expect("it reads")
}

/// Long random sequences, each cut off after every few pages until it is through.
#[test]
fn a_move_that_is_cut_off_goes_on_where_it_was() {
    let mut rows_moved = 0;
    for seed in 0..6 {
        let places = Places::new();
        show(seed, 150, &Embedded(places.directory.path()), &mut |_| {}).expect("like the model");
        let store = places.embedded();
        let before = block_on(Snapshot::of(&*store)).expect("it reads");
        let deliveries_before = by_webhook(&*store);
        drop(store);
        let mut runs = 0;
        loop {
            let mut pages = 0;
            runs += 1;
            let moved = places.go(&mut |_| {
                pages += 1;
                if pages > 15 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match moved {
                Ok(()) => break,
                Err(TransferError::Stopped) => {
                    let refused = places.target.try_open().map(drop).expect_err("it is not finished");
                    assert!(matches!(refused, OpenError::Unfinished), "{refused}");
                    places.target.threads.join();
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(runs > 2, "{runs}");
        let store = places.target.open();
        let after = block_on(Snapshot::of(&*store)).expect("it reads");
        assert_eq!(deliveries_before, by_webhook(&*store), "seed {seed}");
        assert_eq!(before.difference(&after), None, "seed {seed}");
        rows_moved += before.rows();
    }
    assert!(rows_moved > 50, "there was something to move: {rows_moved}");
}

/// A table or a column that is filled by nobody is filled here on purpose, or was forgotten.
#[test]
fn every_table_and_column_is_moved_or_begins_empty() {
    let places = Places::new();
    drop(places.target());
    let rows = ask(&format!(
        "SELECT c.table_name || '.' || c.column_name || ' ' || c.data_type FROM information_schema.columns c
        JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = '{0}'::regnamespace AND NOT t.relispartition
        WHERE c.table_schema = '{0}'",
        places.target.schema
    ));
    let begins_empty = [
        "cell_move.",
        "moving.",
        "moving_part.",
        "moving_table.",
        "tally.",
        "change.",
        "schema_migration.",
        "migration.",
        "migration_table.",
        "node.",
        "lane_group.",
        "last_node.",
        // Which tables events lie in: they are moved as one.
        "span.",
        "departure.",
        "touched.",
        "carried.",
        "message_carried.",
        "attempt_carried.",
        "message_gone.",
        "attempt_gone.",
    ];
    let found: BTreeSet<String> =
        rows.into_iter().filter(|row| !begins_empty.iter().any(|table| row.starts_with(table))).collect();
    let kind = |kind| match kind {
        Kind::Integer => "bigint",
        Kind::Text | Kind::TextOrNumber => "text",
        Kind::Blob => "bytea",
    };
    let columns = TABLES.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    let moved =
        columns.map(|(table, column)| format!("{}.{} {}", table.name, column.name, kind(column.kind)));
    assert_eq!(found, moved.collect());
}

/// Into the table that what goes row by row lies in, also when the database was made long before.
#[test]
fn what_is_moved_lies_among_what_was_before() {
    for days_old in [0, 30] {
        let places = Places::new();
        let store = places.embedded();
        block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
        let found = block_on(store.fan_out(sample::workspace(1).id)).expect("it reads").expect("it exists");
        let now = RealClock.now();
        for (n, at) in [(0, Timestamp::from_ms(0)), (1, now)] {
            let mut event = sample::event(sample::workspace(1).id, 1, found.version, &[]);
            event.id = EventId::from_raw(first_id_at(at) + 7 + n);
            block_on(store.accept(vec![event])).expect("accepted");
        }
        drop(store);
        drop(places.target());
        places.say(&format!("{AGE} SELECT age({days_old})"));
        places.move_all();
        let lie = ask(&format!(
            "SELECT tableoid::regclass::text FROM {}.message ORDER BY id",
            places.target.schema
        ));
        assert!(lie.iter().all(|table| !table.ends_with("other")), "{lie:?}");
        drop(places.target.open());
    }
}

/// Makes a database as if it had been opened, and left alone, so many days ago.
const AGE: &str = "CREATE FUNCTION age(days bigint) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE above bigint := (SELECT ended - ((days * 24 * 3600 * 1000) << 22) FROM span);
    BEGIN
        UPDATE span SET ended = above;
        ALTER TABLE message DETACH PARTITION message_p1; ALTER TABLE attempt DETACH PARTITION attempt_p1;
        ALTER TABLE message_p1 DROP CONSTRAINT spanned; ALTER TABLE attempt_p1 DROP CONSTRAINT spanned;
        EXECUTE format('ALTER TABLE message ATTACH PARTITION message_p1 FOR VALUES FROM (MINVALUE) TO (%s)', above);
        EXECUTE format('ALTER TABLE attempt ATTACH PARTITION attempt_p1 FOR VALUES FROM (MINVALUE) TO (%s)', above);
    END $$;";

/// A workspace and a key check.
fn furnish(store: &dyn Store, workspace: i64) {
    let work = async {
        store.create_workspace(sample::workspace(workspace)).await?;
        store.set_key_check(sample::sealed(workspace)).await
    };
    block_on(work).expect("it is made");
}

#[test]
fn what_is_not_the_same_move_is_refused() {
    let places = Places::new();
    furnish(&*places.embedded(), 7);
    let stop = &mut |progress: Progress| {
        if progress.table == "webhook" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert!(matches!(places.go(stop), Err(TransferError::Stopped)));
    let other = Places { directory: TempDir::new().expect("a folder"), target: Fresh::new() };
    furnish(&*other.embedded(), 8);
    let into = |directory: &Places| {
        let identity = transfer::identity(&mut directory.source())?;
        places.target().standing(&identity)
    };
    assert!(matches!(into(&other), Err(TransferError::OtherSource)));
    assert!(matches!(into(&places), Ok(Standing::Begun)));
    let store = places.embedded();
    block_on(store.create_workspace(sample::workspace(9))).expect("somebody served from it");
    drop(store);
    assert!(matches!(into(&places), Err(TransferError::SourceChanged)));
}

#[test]
fn a_database_that_was_worked_with_is_refused_and_one_that_was_only_opened_is_not() {
    let places = Places::new();
    furnish(&*places.embedded(), 7);
    let identity = transfer::identity(&mut places.source()).expect("it reads");
    let store = places.target.open();
    block_on(store.set_key_check(sample::sealed(3))).expect("a server starts");
    drop(store);
    assert_eq!(places.target().standing(&identity).expect("nothing was made"), Standing::Empty);
    let store = places.target.open();
    block_on(store.create_workspace(sample::workspace(1))).expect("it is made");
    drop(store);
    match places.target().standing(&identity) {
        Err(TransferError::NotEmpty(table)) => assert_eq!(table, "workspace"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_that_was_damaged_is_found_and_stays_shut() {
    for (table, damage) in [
        ("workspace", "UPDATE workspace SET name = 'another'"),
        ("key_check", "UPDATE key_check SET sealed = '\\x00'"),
        ("head", "DELETE FROM head"),
        ("due", "INSERT INTO due (webhook, due_at, event, born, steps, tries) VALUES (1, 1, 1, 1, 0, 0)"),
    ] {
        let places = Places::new();
        furnish(&*places.embedded(), 7);
        let mut is_damaged = false;
        let moved = places.go(&mut |progress| {
            if progress.table == "meta" && !is_damaged {
                places.say(damage);
                is_damaged = true;
            }
            ControlFlow::Continue(())
        });
        match moved {
            Err(TransferError::Differs { table: found, .. }) => assert_eq!(found, table),
            other => panic!("{damage}: {other:?}"),
        }
        assert!(!places.source().is_left(), "nothing was moved");
        assert!(matches!(places.target.try_open().map(drop), Err(OpenError::Unfinished)));
    }
}

/// Killed when the directory is shut and the database is not open yet.
#[test]
fn a_move_that_is_killed_before_its_last_step_is_finished() {
    let places = Places::new();
    furnish(&*places.embedded(), 7);
    let stop = &mut |progress: Progress| {
        if progress.table == "meta" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert!(matches!(places.go(stop), Err(TransferError::Stopped)));
    places.source().leave("It is in PostgreSQL.").expect("it is left");
    assert!(matches!(places.target.try_open().map(drop), Err(OpenError::Unfinished)));
    places.target.threads.join();
    places.move_all();
    assert_eq!(places.target.open().highest_id(), 7);
}

#[test]
fn a_move_that_is_done_is_not_made_again() {
    let places = Places::new();
    furnish(&*places.embedded(), 7);
    places.move_all();
    places.move_all();
    let store = places.target.open();
    block_on(store.create_workspace(sample::workspace(8))).expect("it is served from");
    assert!(store.highest_id() >= 8);
    drop(store);
    places.move_all();
    assert!(places.source().is_left());
}
