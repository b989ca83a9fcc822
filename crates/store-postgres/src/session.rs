//! One connection with its prepared statements: running a query and decoding its rows.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: a timer of a runtime of its own"
)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::{try_join, try_join_all};
use signalpost_store::StoreError;
use signalpost_store::row::{Columns, Row, Value};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

use crate::failure::Failure;
use crate::script::{Answers, Script};

const NOTHING: &str = "SELECT 1";

/// Values of a statement.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection. Dropping it closes it, and the server rolls back what it had not committed.
pub(crate) struct Session {
    client: Client,
    prepared: RefCell<HashMap<&'static str, Statement>>,
    standing: Cell<Standing>,
    /// What is sent now goes before a commit that is sent without waiting for it.
    before_commit: Cell<bool>,
    /// How long an answer is waited for, if it has a bound.
    patience: Cell<Option<Duration>>,
    /// An answer did not come in time. It may come later, so nothing else can be asked here.
    silent: Cell<bool>,
}

/// What a connection is in the midst of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No transaction is open.
    Idle,
    /// A transaction that only reads.
    Reading,
    Writing,
}

impl Session {
    pub(crate) fn new(client: Client, answer_timeout: Duration) -> Self {
        Self {
            client,
            prepared: RefCell::default(),
            standing: Cell::new(Standing::Idle),
            before_commit: Cell::new(false),
            patience: Cell::new(Some(answer_timeout)),
            silent: Cell::new(false),
        }
    }

    /// Whether somebody else may use it.
    pub(crate) fn is_fit(&self) -> bool {
        self.standing.get() == Standing::Idle && !self.silent.get() && !self.client.is_closed()
    }

    /// Waits for answers as long as they take, from now on: for work that grows with what is stored.
    pub(crate) fn wait_for_ever(&self) {
        self.patience.set(None);
    }

    async fn answered<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let Some(patience) = self.patience.get() else { return Ok(asked.await?) };
        match timeout(patience, asked).await {
            Ok(answer) => Ok(answer?),
            Err(_elapsed) => {
                self.silent.set(true);
                Err(Failure::Silent(patience))
            }
        }
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        self.standing.set(standing);
    }

    /// Sends statements and a script behind them that commits, in one go. The statements must have been prepared before: one that
    /// is yet to be would come after the commit.
    pub(crate) async fn commit_behind<T>(
        &self,
        statements: impl Future<Output = Result<T, Failure>>,
        closing: &Script,
    ) -> Result<T, Failure> {
        self.before_commit.set(true);
        let committed = async {
            // The statements were polled before, so they are on their way.
            self.before_commit.set(false);
            self.batch(closing.text()).await
        };
        let (done, ()) = try_join(statements, committed).await?;
        self.set_standing(Standing::Idle);
        Ok(done)
    }

    /// For what runs once, and is neither prepared nor a row that is decoded here.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Prepares statements, so that they may go before a commit.
    pub(crate) async fn prepare_all(&self, statements: &[&'static str]) -> Result<(), Failure> {
        try_join_all(statements.iter().map(|sql| self.prepare(sql))).await?;
        Ok(())
    }

    /// Several statements without parameters.
    pub(crate) async fn batch(&self, sql: &str) -> Result<(), Failure> {
        self.answered(self.client.batch_execute(sql)).await
    }

    /// Runs a script and gives what it was answered.
    pub(crate) async fn run(&self, script: &Script) -> Result<Answers, Failure> {
        self.answered(self.client.simple_query(script.text())).await.map(Answers::of)
    }

    /// Whether the server is there.
    pub(crate) async fn answers(&self) -> bool {
        self.batch(NOTHING).await.is_ok()
    }

    /// How many rows a statement has touched.
    pub(crate) async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64, Failure> {
        let statement = self.prepare(sql).await?;
        self.answered(self.client.execute(&statement, params)).await
    }

    /// The first row, if there is one.
    pub(crate) async fn one<T>(
        &self,
        sql: &'static str,
        params: Params<'_>,
        decode: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, Failure> {
        let rows = self.rows(sql, params).await?;
        Ok(rows.first().map(|row| decode(&Cells(row))).transpose()?)
    }

    /// All rows in the query's order; the query bounds their number.
    pub(crate) async fn all<T>(
        &self,
        sql: &'static str,
        params: Params<'_>,
        mut decode: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, Failure> {
        let rows = self.rows(sql, params).await?;
        Ok(rows.iter().map(|row| decode(&Cells(row))).collect::<Result<_, _>>()?)
    }

    /// Whether the query has a row.
    pub(crate) async fn exists(&self, sql: &'static str, params: Params<'_>) -> Result<bool, Failure> {
        Ok(!self.rows(sql, params).await?.is_empty())
    }

    /// The only number of a query that always has one.
    pub(crate) async fn number(&self, sql: &'static str, params: Params<'_>) -> Result<i64, Failure> {
        let statement = self.prepare(sql).await?;
        Ok(self.answered(self.client.query_one(&statement, params)).await?.try_get(0)?)
    }

    /// What a caller looks for may be any text, also one with a NUL, which PostgreSQL refuses to read. No row can hold
    /// it, so none is found. What is written is checked by then, and a refusal there is one.
    async fn rows(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let statement = self.prepare(sql).await?;
        match self.answered(self.client.query(&statement, params)).await {
            Err(Failure::Sql(error))
                if self.standing.get() != Standing::Writing
                    && error.code() == Some(&SqlState::CHARACTER_NOT_IN_REPERTOIRE) =>
            {
                Ok(Vec::new())
            }
            found => found,
        }
    }

    async fn prepare(&self, sql: &'static str) -> Result<Statement, Failure> {
        let known = self.prepared.borrow().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        if self.before_commit.get() {
            return Err(Failure::Unprepared(sql));
        }
        let statement = self.answered(self.client.prepare(sql)).await?;
        self.prepared.borrow_mut().insert(sql, statement.clone());
        Ok(statement)
    }
}

/// A page size as SQL takes it.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A row of PostgreSQL.
pub(crate) struct Cells<'r>(pub(crate) &'r tokio_postgres::Row);

impl Columns for Cells<'_> {
    fn value(&self, index: usize) -> Result<Value<'_>, String> {
        let column = self.0.columns().get(index).ok_or("there is no such column")?;
        let kind = column.type_();
        let value = match *kind {
            Type::INT8 => self.get::<i64>(index)?.map(Value::Integer),
            Type::INT4 => self.get::<i32>(index)?.map(|number| Value::Integer(number.into())),
            Type::BOOL => self.get::<bool>(index)?.map(|truth| Value::Integer(truth.into())),
            Type::TEXT => self.get::<&str>(index)?.map(|text| Value::Text(text.as_bytes())),
            Type::BYTEA => self.get::<&[u8]>(index)?.map(Value::Blob),
            _ => return Err(format!("{kind} is no type that is known")),
        };
        Ok(value.unwrap_or(Value::Null))
    }
}

impl Cells<'_> {
    fn get<'a, T: tokio_postgres::types::FromSql<'a>>(&'a self, index: usize) -> Result<Option<T>, String> {
        self.0.try_get(index).map_err(|error| error.to_string())
    }
}
