//! One node: it accepts, hears bells, and ends deliveries.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join3, try_join4};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, NoTls, Statement};

use crate::{Counts, Design, Ended, NODES, Outcome, Owners};

const WEBHOOKS: u64 = 3_000;
const BATCH_MAX: usize = 512;
/// Ids that a bell carries; `NOTIFY` takes 8,000 bytes.
const BELL_IDS_MAX: usize = 400;
const PAYLOAD: [u8; 512] = [b'x'; 512];

/// Plans go through indexes, whatever the statistics of tables that were empty when they were looked at.
const SETTINGS: &str = "SET search_path = lane_owners; SET enable_seqscan = off; SET enable_hashjoin = off;
    SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; SET jit = off";
const LOCK: &str = "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k";
const HEADS: &str = "SELECT h.workspace, h.version,
        coalesce((SELECT p.sequence FROM place p WHERE p.workspace = k ORDER BY p.sequence DESC LIMIT 1), 0)
    FROM unnest($1::bigint[]) AS k JOIN head h ON h.workspace = k";
const INSERT_MESSAGES: &str = "INSERT INTO message (id, workspace, sequence, type, target, accepted_at, data)
    SELECT id, w, s, 'order.paid', w, t, $5 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
        AS k (id, w, s, t)";
const INSERT_DUE: &str = "INSERT INTO due SELECT w, t, id, s, 0, 0
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS k (id, w, s, t)";
const INSERT_PLACES: &str = "INSERT INTO place SELECT * FROM unnest($1::bigint[], $2::bigint[])";
const INSERT_ATTEMPTS: &str = "INSERT INTO attempt (webhook, event, n, at, verdict, outcome, detail)
    SELECT w, e, 1, t, 0, '200', $4 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k (w, e, t)
    ON CONFLICT DO NOTHING";
const DELETE_DUE: &str = "DELETE FROM due WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k (w, t, e) CROSS JOIN LATERAL (
        SELECT ctid FROM due d WHERE d.webhook = k.w AND d.due_at = k.t AND d.event = k.e OFFSET 0) AS d))";
const READ: &str = "SELECT id, target, accepted_at, data FROM unnest($1::bigint[]) AS k
    CROSS JOIN LATERAL (SELECT * FROM message m WHERE m.id = k OFFSET 0) AS m";
/// A delivery that is known to the node that is to make it.
#[derive(Clone, Copy)]
pub(crate) struct Owed {
    event: i64,
    webhook: i64,
    due_at: i64,
}

/// One connection, and its statements.
pub(crate) struct Session {
    pub(crate) client: Client,
    counts: Rc<Counts>,
}

impl Session {
    pub(crate) async fn connect(url: &str, counts: &Rc<Counts>) -> Outcome<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::task::spawn_local(connection);
        client.batch_execute(SETTINGS).await?;
        Ok(Self { client, counts: Rc::clone(counts) })
    }

    async fn prepare<const N: usize>(&self, texts: [&str; N]) -> Outcome<[Statement; N]> {
        let mut statements = Vec::new();
        for text in texts {
            statements.push(self.client.prepare(text).await?);
        }
        statements.try_into().map_err(|_| "as many as there are texts".into())
    }

    async fn execute(&self, statement: &Statement, params: &[&(dyn ToSql + Sync)]) -> Outcome {
        self.counts.statements.fetch_add(1, Relaxed);
        self.client.execute(statement, params).await?;
        Ok(())
    }

    async fn batch(&self, text: &str) -> Outcome {
        self.counts.statements.fetch_add(1, Relaxed);
        Ok(self.client.batch_execute(text).await?)
    }
}

pub(crate) struct Node {
    pub(crate) number: usize,
    pub(crate) design: Design,
    pub(crate) counts: Rc<Counts>,
    pub(crate) began: Instant,
    /// The delivering parts of all nodes; another's is reached by a bell alone.
    pub(crate) delivering: Vec<UnboundedSender<Owed>>,
}

impl Node {
    fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn owner(&self, webhook: i64) -> usize {
        match self.design.owners {
            Owners::Leased => self.number,
            Owners::Doorbell => usize::try_from(webhook).unwrap_or(0) % NODES,
        }
    }

    /// Publishes at this node's share of the rate. A few webhooks have most: the cube of an even spread.
    pub(crate) async fn accept(self: Rc<Self>) -> Outcome {
        let session = Session::connect(&self.design.url, &self.counts).await?;
        let bell = Session::connect(&self.design.url, &self.counts).await?;
        bell.batch("SET synchronous_commit = off").await?;
        let statements = session.prepare([LOCK, HEADS, INSERT_MESSAGES, INSERT_DUE, INSERT_PLACES]).await?;
        let [ring] = bell.prepare(["SELECT pg_notify('lane_owners', $1)"]).await?;
        let (mut published, mut random) = (0, 0x9E37_79B9_7F4A_7C15 ^ (self.number as u64 + 1));
        while self.began.elapsed().as_secs() < self.design.seconds {
            let wanted = (self.began.elapsed().as_secs_f64() * self.design.rate / NODES as f64) as u64;
            let count = (wanted - published).min(BATCH_MAX as u64);
            if count == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            let first = ((self.number as i64) << 40) + published as i64;
            published += count;
            let due_at = self.now();
            let owed = (first..first + count as i64).map(|event| Owed {
                event,
                webhook: some_webhook(&mut random),
                due_at,
            });
            let owed: Vec<Owed> = owed.collect();
            commit(&session, &statements, &owed).await?;
            self.counts.accepted.fetch_add(count, Relaxed);
            self.counts.accepts.fetch_add(1, Relaxed);
            self.tell(owed, &bell, &ring).await?;
        }
        Ok(())
    }

    /// Hands over what is this node's, and rings for the others.
    async fn tell(&self, owed: Vec<Owed>, bell: &Session, ring: &Statement) -> Outcome {
        let (own, others): (Vec<Owed>, Vec<Owed>) =
            owed.into_iter().partition(|one| self.owner(one.webhook) == self.number);
        for one in own {
            self.delivering[self.number].send(one)?;
        }
        let rung = others.chunks(BELL_IDS_MAX).map(|others| {
            let ids = others.iter().map(|one| format!("{:x}.{:x}", one.event, self.owner(one.webhook)));
            ids.collect::<Vec<_>>().join(",")
        });
        let rung: Vec<String> = rung.collect();
        self.counts.bells.fetch_add(rung.len() as u64, Relaxed);
        let rings = rung.iter().map(async |text| bell.execute(ring, &[text]).await);
        join_all(rings).await.into_iter().collect()
    }

    /// Reads what bells name that are rung for this node.
    pub(crate) async fn hear(self: Rc<Self>) -> Outcome {
        let (client, mut connection) = tokio_postgres::connect(&self.design.url, NoTls).await?;
        let (heard, mut bells) = unbounded_channel();
        tokio::task::spawn_local(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(bell) = message {
                    let _ = heard.send(bell.payload().to_owned());
                }
            }
        });
        client.batch_execute("LISTEN lane_owners").await?;
        let session = Session::connect(&self.design.url, &self.counts).await?;
        let [read] = session.prepare([READ]).await?;
        while let Some(first) = bells.recv().await {
            let mut ids = self.ids_for_us(&first);
            while let Ok(more) = bells.try_recv() {
                ids.extend(self.ids_for_us(&more));
            }
            for ids in ids.chunks(BATCH_MAX) {
                self.counts.statements.fetch_add(1, Relaxed);
                for row in session.client.query(&read, &[&ids]).await? {
                    let owed = Owed { event: row.get(0), webhook: row.get(1), due_at: row.get(2) };
                    self.delivering[self.number].send(owed)?;
                }
            }
        }
        Ok(())
    }

    fn ids_for_us(&self, bell: &str) -> Vec<i64> {
        let us = format!("{:x}", self.number);
        let named = bell.split(',').filter_map(|entry| entry.split_once('.'));
        named
            .filter(|(_, owner)| *owner == us)
            .filter_map(|(id, _)| i64::from_str_radix(id, 16).ok())
            .collect()
    }

    /// Ends deliveries, all that have come at once.
    pub(crate) async fn deliver(self: Rc<Self>, mut known: UnboundedReceiver<Owed>) -> Outcome {
        let session = Session::connect(&self.design.url, &self.counts).await?;
        let [attempts, delete] = session.prepare([INSERT_ATTEMPTS, DELETE_DUE]).await?;
        let detail = [7_u8; 47].as_slice();
        while let Some(first) = known.recv().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(more) = known.try_recv()
            {
                batch.push(more);
            }
            let webhooks: Vec<i64> = batch.iter().map(|one| one.webhook).collect();
            let events: Vec<i64> = batch.iter().map(|one| one.event).collect();
            let due_at: Vec<i64> = batch.iter().map(|one| one.due_at).collect();
            let row: [&(dyn ToSql + Sync); 4] = [&webhooks, &events, &due_at, &detail];
            let key: [&(dyn ToSql + Sync); 3] = [&webhooks, &due_at, &events];
            let gone = async {
                if self.design.ended == Ended::Delete { session.execute(&delete, &key).await } else { Ok(()) }
            };
            try_join4(
                session.batch("BEGIN"),
                session.execute(&attempts, &row),
                gone,
                session.batch("COMMIT"),
            )
            .await?;
            self.counts.delivered.fetch_add(batch.len() as u64, Relaxed);
        }
        Ok(())
    }
}

/// Stores events and what is owed for them in two round trips: what decides, and what is stored.
async fn commit(session: &Session, statements: &[Statement; 5], owed: &[Owed]) -> Outcome {
    let [lock, heads, messages, due, places] = statements;
    let ids: Vec<i64> = owed.iter().map(|one| one.event).collect();
    let webhooks: Vec<i64> = owed.iter().map(|one| one.webhook).collect();
    let times: Vec<i64> = owed.iter().map(|one| one.due_at).collect();
    let mut workspaces = webhooks.clone();
    workspaces.sort_unstable();
    workspaces.dedup();
    let asked: [&(dyn ToSql + Sync); 1] = [&workspaces];
    let read = async { Ok(session.client.query(heads, &asked).await?) };
    let ((), (), rows) = try_join3(session.batch("BEGIN"), session.execute(lock, &asked), read).await?;
    let mut last: HashMap<i64, i64> = rows.iter().map(|row| (row.get(0), row.get(2))).collect();
    let mut sequences = Vec::with_capacity(owed.len());
    for webhook in &webhooks {
        let place = last.entry(*webhook).or_default();
        *place += 1;
        sequences.push(*place);
    }
    let ends: Vec<i64> = workspaces.iter().map(|workspace| last[workspace]).collect();
    let data = PAYLOAD.as_slice();
    let events: [&(dyn ToSql + Sync); 5] = [&ids, &webhooks, &sequences, &times, &data];
    let taken: [&(dyn ToSql + Sync); 2] = [&workspaces, &ends];
    try_join4(
        session.execute(messages, &events),
        session.execute(due, &events[..4]),
        session.execute(places, &taken),
        session.batch("COMMIT"),
    )
    .await?;
    Ok(())
}

fn some_webhook(random: &mut u64) -> i64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    let even = (*random >> 11) as f64 / (1_u64 << 53) as f64;
    (even.powi(3) * WEBHOOKS as f64) as i64
}
