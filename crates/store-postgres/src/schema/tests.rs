//! What programs of several versions do to each other, against a server. Newer ones are made up.

use signalpost_testkit::Postgres;

use super::*;
use crate::connect::Connector;
use crate::guard::Guard;
use crate::open::ANSWER_TIMEOUT;

/// Adds something, and takes nothing away.
const WIDER: Migration = Migration {
    number: KNOWN + 1,
    name: "wider",
    bears: KNOWN,
    sql: "ALTER TABLE webhook ADD COLUMN colour text; CREATE TABLE palette (colour text NOT NULL)",
};
/// One that older programs cannot work on.
const NARROWER: Migration = Migration {
    number: KNOWN + 2,
    name: "narrower",
    bears: KNOWN + 1,
    sql: "ALTER TABLE webhook RENAME COLUMN url TO target",
};

struct Stage {
    connector: Connector,
    _server: Postgres,
}

impl Stage {
    /// With the schema of this program.
    async fn new() -> Self {
        let server = Postgres::start(&[]).expect("a server");
        let refused = |_: Option<&std::path::Path>| Err("nobody asked for it".to_owned());
        let connector = Connector::new(&server.url(), "s", ANSWER_TIMEOUT, &refused).expect("a good URL");
        let stage = Self { connector, _server: server };
        migrate(&stage.session().await).await.expect("it migrates");
        stage
    }

    async fn session(&self) -> Session {
        self.connector.connect().await.expect("it answers")
    }

    /// This program's place among those that work here.
    async fn guard(&self) -> Result<Guard, OpenError> {
        let session = self.session().await;
        let schema_key = locks::schema_key(&session).await.expect("it has one");
        Guard::take(&self.connector, schema_key).await
    }

    /// As a later version would start.
    async fn start_newer(&self, newer: &[Migration]) -> Result<(), OpenError> {
        bring_up(&self.session().await, &[MIGRATIONS, newer].concat()).await
    }

    async fn standing(&self) -> Standing {
        Standing::read(&self.session().await).await.expect("it answers")
    }
}

fn run(test: impl AsyncFn(&Stage)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async { test(&Stage::new().await).await });
}

#[test]
fn numbers_have_no_gap_and_nobody_is_borne_again() {
    let mut bears = 0;
    for (position, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(usize::try_from(migration.number), Ok(position + 1), "{}", migration.name);
        assert!((bears..=migration.number).contains(&migration.bears), "{}", migration.name);
        bears = migration.bears;
    }
}

#[test]
fn programs_begin_and_go_on_beside_a_schema_that_bears_them() {
    run(async |stage| {
        let old = stage.guard().await.expect("it works here");
        stage.start_newer(&[WIDER]).await.expect("beside the old one");
        let standing = Standing { newest: KNOWN + 1, bears: KNOWN };
        assert_eq!(stage.standing().await, standing);
        migrate(&stage.session().await).await.expect("the old one starts");
        let again = stage.guard().await.expect("and works here");
        assert_eq!(stage.standing().await, standing, "it has changed nothing");
        drop((old, again));
    });
}

#[test]
fn nobody_who_works_is_shut_out_and_nobody_who_is_shut_out_begins() {
    run(async |stage| {
        let old = stage.guard().await.expect("it works here");
        let before = stage.standing().await;
        let refused = stage.start_newer(&[WIDER, NARROWER]).await.expect_err("an older one works");
        let OpenError::OlderAtWork { known, bears } = refused else { panic!("{refused}") };
        assert_eq!((known, bears), (KNOWN, KNOWN + 1));
        assert_eq!(stage.standing().await, before, "nothing was changed");
        drop(old);
        // The server notices the end of a connection a moment later.
        let mut looks = 0..1_000;
        while let Err(refused) = stage.start_newer(&[WIDER, NARROWER]).await {
            assert!(matches!(refused, OpenError::OlderAtWork { .. }), "{refused}");
            assert!(looks.next().is_some(), "it has gone, and is in the way");
        }
        let late = migrate(&stage.session().await).await.expect_err("it is shut out");
        let OpenError::NewerSchema { found, known, bears } = late else { panic!("{late}") };
        assert_eq!((found, known, bears), (KNOWN + 2, KNOWN, KNOWN + 1));
        let late = stage.guard().await.map(drop).expect_err("it was about to begin");
        assert!(matches!(late, OpenError::NewerSchema { .. }), "{late}");
    });
}

/// Between a look at the schema and the lock that keeps it so somebody may have changed it.
#[test]
fn nobody_begins_while_he_is_being_shut_out() {
    run(async |stage| {
        let newer = stage.session().await;
        newer.batch("BEGIN").await.expect("it begins");
        let standing = stage.standing().await;
        outlast_older_programs(&newer, standing, KNOWN + 1).await.expect("nobody works");
        let older = stage.session().await;
        let schema_key = locks::schema_key(&older).await.expect("it has one");
        let refused = stay(&older, schema_key).await.expect_err("it has to wait");
        assert!(matches!(refused, OpenError::Migrating), "{refused}");
        newer.batch("ROLLBACK").await.expect("it has changed its mind");
        stay(&older, schema_key).await.expect("nobody is in the way");
    });
}

#[test]
fn who_knows_of_no_cells_works_until_there_is_one() {
    run(async |stage| {
        let session = stage.session().await;
        let schema_key = locks::schema_key(&session).await.expect("it has one");
        let older = stage.session().await;
        assert!(
            locks::try_hold_shared(&older, schema_key, Locked::Program(CELLS - 1)).await.expect("it answers")
        );
        let before_cells = MIGRATIONS.partition_point(|migration| migration.number < CELLS);
        let before_cells = &MIGRATIONS[..before_cells];
        bring_up(&stage.session().await, before_cells).await.expect("an older one starts beside this schema");
        let shut_out = async || {
            session.batch("BEGIN").await.expect("it begins");
            let done = shut_out_before_cells(&session).await;
            session.batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await.expect("it ends");
            done
        };
        let refused = shut_out().await.expect_err("an older one works");
        assert!(matches!(refused, OpenError::OlderAtWork { known, .. } if known == CELLS - 1), "{refused}");
        drop(older);
        // The server notices the end of a connection a moment later.
        let mut looks = 0..1_000;
        while let Err(refused) = shut_out().await {
            assert!(matches!(refused, OpenError::OlderAtWork { .. }), "{refused}");
            assert!(looks.next().is_some(), "it has gone, and is in the way");
        }
        let late = bring_up(&stage.session().await, before_cells).await.expect_err("it is shut out");
        assert!(matches!(late, OpenError::NewerSchema { bears: CELLS, .. }), "{late}");
        migrate(&stage.session().await).await.expect("this one starts");
    });
}

/// As it was before migrations said whom they bear.
#[test]
fn a_journal_that_says_nothing_bears_nobody_older() {
    run(async |stage| {
        let session = stage.session().await;
        session.batch("ALTER TABLE schema_migration DROP COLUMN bears").await.expect("an old journal");
        migrate(&session).await.expect("it is read");
        assert_eq!(stage.standing().await, Standing { newest: KNOWN, bears: KNOWN });
    });
}
