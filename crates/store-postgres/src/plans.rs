//! A test that PostgreSQL answers every statement from an index, planned as they are planned here: once, for any values. What
//! goes with every event must not even depend on whether anything is known of the tables: plans that are made while they are
//! empty last until they are analysed, and a million events may come before.

use std::path::Path;

use signalpost_store::testing::statements::assert_all_listed;
use signalpost_testkit::Postgres;
use tokio_postgres::{Client, NoTls};

use crate::connect::SETTINGS;
use crate::write::BEFORE_COMMIT;
use crate::{
    bells, catalog, cells, changes, desk, ledger, nodes, portal, replays, retention, rollups, script, spans,
    vault,
};

/// Tables that grow with what is published, or with the number of customers.
const LARGE: [&str; 28] = [
    "workspace",
    "head",
    "place",
    "webhook",
    "cut",
    "credential",
    "user",
    "user_right",
    "session",
    "tally",
    "message",
    "event_key",
    "feed",
    "due",
    "attempt",
    "dropped",
    "once",
    "replay_plan",
    "change",
    "operator_act",
    "portal_session",
    "figure",
    "touched",
    "carried",
    "message_gone",
    "attempt_gone",
    "message_carried",
    "attempt_carried",
];

/// As many as there are when a part of them is being replaced.
const SPANS: &str = "DO $$ DECLARE tree text; place text; above bigint; n bigint; BEGIN
    SELECT ended INTO above FROM span;
    FOREACH tree IN ARRAY ARRAY['message', 'attempt'] LOOP
        FOREACH place IN ARRAY ARRAY['', '_gone', '_carried'] LOOP
            IF place <> '' THEN
                EXECUTE format('CREATE TABLE %1$s%2$s_p0 PARTITION OF %1$s%2$s FOR VALUES FROM (0) TO (%3$s)', tree, place, above);
            END IF;
            FOR n IN 0..3 LOOP
                EXECUTE format('CREATE TABLE %1$s%2$s_p%3$s PARTITION OF %1$s%2$s FOR VALUES FROM (%4$s) TO (%5$s)',
                    tree, place, 10 + n, above + n * 1000000, above + (n + 1) * 1000000);
            END LOOP;
        END LOOP;
    END LOOP; END $$";

/// What goes with every event beside [`BEFORE_COMMIT`].
const WITH_EVERY_EVENT: &[&str] = &[
    ledger::events_by_id::SELECT,
    ledger::publish::EVENT_EXISTS,
    ledger::record::SELECT_EVENTS,
    ledger::due_page::SELECT,
    ledger::unattempted::SELECT,
    ledger::order::HAVE_KEY,
    ledger::order::SELECT_FIRST,
];

#[test]
fn every_statement_is_listed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_all_listed(
        &source,
        &[
            "bells",
            "catalog",
            "cells",
            "changes",
            "desk",
            "ledger",
            "nodes",
            "portal",
            "replays",
            "retention",
            "rollups",
            "spans",
            "vault",
        ],
    );
}

#[test]
fn no_statement_reads_a_large_table_from_end_to_end() {
    let server = Postgres::start(&[]).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.expect("it answers");
        let looked = async move {
            look_at_all(&client).await;
            drop(client);
        };
        futures_util::future::join(looked, async { connection.await.expect("it ends well") }).await;
    });
}

async fn look_at_all(client: &Client) {
    for sql in [
        include_str!("../migrations/0001_initial.sql"),
        include_str!("../migrations/0003_nodes.sql"),
        include_str!("../migrations/0004_changes.sql"),
        include_str!("../migrations/0005_partitions.sql"),
        include_str!("../migrations/0006_cells.sql"),
        include_str!("../migrations/0007_desk.sql"),
        include_str!("../migrations/0008_portal.sql"),
        include_str!("../migrations/0009_figures.sql"),
    ] {
        client.batch_execute(sql).await.expect("it migrates");
    }
    client.batch_execute(SPANS).await.expect("further tables of events");
    for (name, value) in SETTINGS {
        client.batch_execute(&format!("SET {name} = '{value}'")).await.expect("a setting");
    }
    look_at(client, WITH_EVERY_EVENT).await;
    look_at(client, BEFORE_COMMIT).await;
    look_at(client, &script::STATEMENTS).await;
    fill(client).await;
    for statements in [
        bells::STATEMENTS,
        catalog::STATEMENTS,
        cells::STATEMENTS,
        changes::STATEMENTS,
        desk::STATEMENTS,
        ledger::STATEMENTS,
        nodes::STATEMENTS,
        portal::STATEMENTS,
        replays::STATEMENTS,
        retention::STATEMENTS,
        rollups::STATEMENTS,
        spans::STATEMENTS,
        vault::STATEMENTS,
        BEFORE_COMMIT,
        &script::STATEMENTS,
    ] {
        look_at(client, statements).await;
    }
    let described = cells::described_statements();
    look_at(client, &described.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn look_at(client: &Client, statements: &[&str]) {
    let mut bad = Vec::new();
    for sql in statements {
        let plan = plan(client, sql).await;
        if let Some(step) = unbounded(sql, &plan) {
            bad.push(format!("{sql}\nis answered by\n{}\nsee {step}", plan.join("\n")));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
}

/// Puts rows into every large table, a hundred for each workspace and webhook, and lets the planner know.
async fn fill(client: &Client) {
    const COLUMNS: &str = "SELECT column_name::text, data_type::text, is_nullable::text, is_identity::text
        FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1
        ORDER BY ordinal_position";
    for table in LARGE {
        let columns = client.query(COLUMNS, &[&table]).await.expect("the columns");
        let (names, values): (Vec<String>, Vec<String>) = columns
            .iter()
            .filter(|column| column.get::<_, &str>(2) == "NO" && column.get::<_, &str>(3) == "NO")
            .map(|column| {
                let (name, kind): (&str, &str) = (column.get(0), column.get(1));
                let value = match (kind, name) {
                    ("bigint", "workspace" | "webhook" | "user" | "replay")
                        if !matches!(table, "head" | "session") =>
                    {
                        "g % 100"
                    }
                    ("bigint", _) => "g",
                    ("timestamp with time zone", _) => "now()",
                    ("text", _) => "'t' || g",
                    _ => "decode(md5(g::text), 'hex')",
                };
                (format!("\"{name}\""), value.to_owned())
            })
            .unzip();
        let insert = format!(
            "INSERT INTO \"{table}\" ({}) SELECT {} FROM generate_series(1, 10000) AS g; ANALYZE \"{table}\"",
            names.join(", "),
            values.join(", ")
        );
        client.batch_execute(&insert).await.unwrap_or_else(|error| panic!("{insert}: {error}"));
    }
}

/// The lines of the plan for any values.
async fn plan(client: &Client, sql: &str) -> Vec<String> {
    let parameters =
        client.prepare(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).params().len();
    client.batch_execute(&format!("PREPARE looked_at AS {sql}")).await.expect("it was prepared before");
    let values = vec!["NULL"; parameters].join(", ");
    let execute = if parameters == 0 { "looked_at".to_owned() } else { format!("looked_at({values})") };
    let explained = client.query(&format!("EXPLAIN EXECUTE {execute}"), &[]).await;
    let lines = explained.unwrap_or_else(|error| panic!("{sql}: {error}"));
    client.batch_execute("DEALLOCATE looked_at").await.expect("it is there");
    lines.iter().map(|line| line.get(0)).collect()
}

/// The first step that reads a large table as a whole, or goes through an index of it without being told from where. A `LIMIT`
/// ends what goes through an index in its order, unless rows are passed over on the way; of `head` and `tally`, short rows for
/// each workspace, sums are taken.
fn unbounded<'p>(sql: &str, plan: &'p [String]) -> Option<&'p str> {
    let is_summed = |table: &str| table == "head" || table == "tally";
    let is_of_large = |step: &str| {
        let name = step.split(" on ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        // Of the tables that events lie in each is named after the one that they are parts of.
        let name = name.trim_matches('"').trim_end_matches("_other");
        let table = name.rsplit_once("_p").map_or(name, |(tree, number)| {
            if number.bytes().all(|byte| byte.is_ascii_digit()) { tree } else { name }
        });
        LARGE.contains(&table) && !is_summed(table)
    };
    let steps = plan.iter().enumerate().filter(|(_, step)| is_of_large(step));
    let mut whole = steps.filter(|(place, step)| {
        let walks = step.contains("Index Scan ") || step.contains("Index Only Scan ");
        let said = |what: &str| plan.get(place + 1).is_some_and(|next| next.trim_start().starts_with(what));
        let ends = sql.contains("LIMIT") && !said("Filter:");
        step.contains("Seq Scan") || (walks && !said("Index Cond:") && !ends)
    });
    whole.next().map(|(_, step)| step.as_str())
}
