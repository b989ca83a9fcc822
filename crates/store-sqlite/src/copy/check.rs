//! `check`: is a database whole, and do its tables agree with each other?

use std::path::Path;

use rusqlite::Connection;

use super::{COUNT_EVENTS, COUNT_OWED, COUNT_WORKSPACES, CopyError, connect_to_look, number};
use crate::open::DATABASE_FILE;
use crate::schema;

/// Problems of one kind that are told one by one.
const PROBLEMS_SHOWN: usize = 20;

/// What a database holds, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    pub schema: i64,
    pub bytes: u64,
    pub free_bytes: u64,
    pub workspaces: u64,
    pub webhooks: u64,
    pub events: u64,
    pub attempts: u64,
    pub owed: u64,
    /// Sentences; empty when everything is as it must be.
    pub problems: Vec<String>,
}

/// Rules between tables that no constraint of the schema holds: a sentence, and what breaks it.
const RULES: &[(&str, &str)] = &[
    (
        "deliveries are owed whose event is gone",
        "SELECT d.webhook || '/' || d.event FROM due d
         WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = d.event)",
    ),
    (
        "deliveries are owed to webhooks that were never made",
        "SELECT d.webhook || '/' || d.event FROM due d
         WHERE NOT EXISTS (SELECT 1 FROM webhook h WHERE h.id = d.webhook)",
    ),
    (
        "deliveries are held behind others of their key that are not there",
        "SELECT d.webhook || '/' || d.event FROM due d
         WHERE d.due_at = 9223372036854775806
         AND d.order_sequence > coalesce((SELECT max(upto) FROM cut c WHERE c.webhook = d.webhook), -1)
         AND NOT EXISTS (SELECT 1 FROM due e WHERE e.webhook = d.webhook AND e.order_key = d.order_key
            AND e.order_sequence < d.order_sequence
            AND e.order_sequence > coalesce((SELECT max(upto) FROM cut c WHERE c.webhook = d.webhook), -1))",
    ),
    (
        "attempts are recorded of events that are gone",
        "SELECT DISTINCT a.event FROM attempt a WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = a.event)",
    ),
    (
        "events have a place in their workspace's sequence that was not handed out yet",
        "SELECT m.id FROM message m JOIN head h ON h.workspace = m.workspace WHERE m.sequence > h.sequence",
    ),
    (
        "living workspaces have no head",
        "SELECT w.id FROM workspace w WHERE w.erased_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM head h WHERE h.workspace = w.id)",
    ),
    (
        "events below the mark are not in the listing index",
        "SELECT m.id FROM message m WHERE m.id <= (SELECT value FROM meta WHERE name = 'indexed')
         AND NOT EXISTS (SELECT 1 FROM ix_event i WHERE i.workspace = m.workspace AND i.event = m.id)",
    ),
    (
        "listing indexes name events that are gone",
        "SELECT i.event FROM (SELECT event FROM ix_event UNION SELECT event FROM ix_delivery) AS i
         WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = i.event)
         AND NOT EXISTS (SELECT 1 FROM unlisted u WHERE u.event = i.event)",
    ),
    (
        "events of workspaces with a feed are not in it",
        "SELECT m.id FROM message m JOIN workspace w ON w.id = m.workspace WHERE w.feed = 1 AND w.erased_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM feed f
            WHERE f.workspace = m.workspace AND f.sequence = m.sequence AND f.event = m.id)",
    ),
    (
        "feeds name events that are gone",
        "SELECT f.event FROM feed f WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = f.event)",
    ),
    (
        "webhooks of closed workspaces wait for a delivery that is not owed",
        "SELECT l.webhook FROM leaving l
         WHERE NOT EXISTS (SELECT 1 FROM due d WHERE d.webhook = l.webhook AND d.event = l.event)",
    ),
    (
        "producers' ids stand for events that are gone",
        "SELECT k.event FROM event_key k WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = k.event)",
    ),
    (
        "workspaces count other events, or other bytes, than they have",
        "SELECT h.workspace FROM head h
         LEFT JOIN (SELECT workspace, count(*) AS events,
                sum(200 + length(data) + coalesce(length(attributes), 0) + 6 * length(targets)) AS bytes
            FROM message GROUP BY workspace) AS e ON e.workspace = h.workspace
         LEFT JOIN (SELECT m.workspace AS workspace, sum(60 + coalesce(length(a.detail), 0)) AS bytes
            FROM attempt a JOIN message m ON m.id = a.event GROUP BY m.workspace) AS s ON s.workspace = h.workspace
         WHERE h.events <> coalesce(e.events, 0) OR h.bytes <> coalesce(e.bytes, 0) + coalesce(s.bytes, 0)",
    ),
    (
        "workspaces count other bytes of kept answers than they have",
        "SELECT h.workspace FROM head h
         LEFT JOIN (SELECT workspace, sum(256 + coalesce(length(accepted), length(sealed), 0)) AS bytes
            FROM once GROUP BY workspace) AS k ON k.workspace = h.workspace
         WHERE h.kept_bytes <> coalesce(k.bytes, 0)",
    ),
    (
        "other bytes of kept answers are counted than there are",
        "SELECT m.name FROM meta m, (SELECT
                coalesce(sum(256 + coalesce(length(accepted), length(sealed), 0)), 0) AS bytes,
                coalesce(sum(256 + coalesce(length(accepted), length(sealed), 0))
                    FILTER (WHERE workspace = 0), 0) AS outside
            FROM once) AS k
         WHERE (m.name = 'kept_bytes' AND m.value <> k.bytes)
            OR (m.name = 'kept_bytes_outside' AND m.value <> k.outside)",
    ),
    (
        "webhooks that live have lost their secret",
        "SELECT h.id FROM webhook h WHERE h.deleted_at IS NULL AND h.secret IS NULL AND h.signing_key IS NULL",
    ),
    (
        "webhooks that live refer to signing keys that their workspace never had",
        "SELECT h.id FROM webhook h WHERE h.deleted_at IS NULL AND h.signing_key <> 0 AND NOT EXISTS (
            SELECT 1 FROM signing_key k WHERE k.id = h.signing_key AND k.workspace = h.workspace)",
    ),
    (
        "plans are there of replays that have ended, and nobody is to remove them",
        "SELECT DISTINCT p.replay FROM replay_plan p WHERE NOT EXISTS (
            SELECT 1 FROM replay r WHERE r.id = p.replay AND r.phase NOT IN ('done', 'cancelled'))
         AND NOT EXISTS (SELECT 1 FROM replay_rest e WHERE e.replay = p.replay)",
    ),
    (
        "replays count other deliveries than are in their plans",
        "SELECT r.id FROM replay r LEFT JOIN (SELECT replay, count(*) AS events FROM replay_plan GROUP BY replay) AS p
            ON p.replay = r.id
         WHERE r.phase NOT IN ('done', 'cancelled') AND r.planned <> coalesce(p.events, 0)",
    ),
    (
        "users have no right",
        "SELECT u.id FROM user u WHERE NOT EXISTS (SELECT 1 FROM user_right r WHERE r.user = u.id)",
    ),
    (
        "rights name users who are gone",
        "SELECT r.id FROM user_right r WHERE NOT EXISTS (SELECT 1 FROM user u WHERE u.id = r.user)",
    ),
    (
        "sessions name users who are gone",
        "SELECT s.user FROM session s WHERE NOT EXISTS (SELECT 1 FROM user u WHERE u.id = s.user)",
    ),
    (
        "webhooks that are deleted still have a secret",
        "SELECT h.id FROM webhook h WHERE h.deleted_at IS NOT NULL
         AND coalesce(h.secret, h.previous_secrets, h.headers, h.login_password) IS NOT NULL",
    ),
    (
        "signing keys live without a secret, or are deleted and still have it",
        "SELECT k.id FROM signing_key k WHERE (k.deleted_at IS NULL) <> (k.sealed IS NOT NULL)",
    ),
];

/// Reads the whole database of a data directory, which a running process may be working on.
///
/// `progress` is told what is looked at next.
pub fn check(directory: &Path, progress: &mut dyn FnMut(&str)) -> Result<CheckReport, CopyError> {
    let connection = connect_to_look(&directory.join(DATABASE_FILE))?;
    connection.execute_batch("BEGIN")?;
    let schema = schema::recognise(&connection)?;
    progress("pages and indexes");
    let mut problems = texts(&connection, &format!("PRAGMA integrity_check({PROBLEMS_SHOWN})"))?;
    problems.retain(|line| line != "ok");
    progress("what tables say of each other");
    for (sentence, sql) in RULES {
        problems.extend(broken(&connection, sentence, sql)?);
    }
    let number = |sql| number(&connection, sql);
    let page_bytes = number("PRAGMA page_size")?;
    Ok(CheckReport {
        schema,
        bytes: number("PRAGMA page_count")? * page_bytes,
        free_bytes: number("PRAGMA freelist_count")? * page_bytes,
        workspaces: number(COUNT_WORKSPACES)?,
        webhooks: number("SELECT count(*) FROM webhook WHERE deleted_at IS NULL")?,
        events: number(COUNT_EVENTS)?,
        attempts: number("SELECT count(*) FROM attempt")?,
        owed: number(COUNT_OWED)?,
        problems,
    })
}

fn broken(connection: &Connection, sentence: &str, sql: &str) -> Result<Option<String>, CopyError> {
    let keys = texts(connection, &format!("{sql} LIMIT {}", PROBLEMS_SHOWN + 1))?;
    if keys.is_empty() {
        return Ok(None);
    }
    let shown = keys[..keys.len().min(PROBLEMS_SHOWN)].join(", ");
    let more = if keys.len() > PROBLEMS_SHOWN { " and more" } else { "" };
    Ok(Some(format!("{sentence}: {shown}{more}")))
}

/// The first column of every row, as text.
fn texts(connection: &Connection, sql: &str) -> Result<Vec<String>, CopyError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        })
    })?;
    Ok(rows.collect::<Result<Vec<String>, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each rule is a statement of this schema, and an empty database breaks none.
    #[test]
    fn every_rule_is_a_statement() {
        let mut connection = Connection::open_in_memory().expect("memory");
        schema::migrate(&mut connection).expect("it migrates");
        for (sentence, sql) in RULES {
            let found = broken(&connection, sentence, sql);
            assert!(matches!(found, Ok(None)), "{sentence}: {found:?}");
        }
    }

    #[test]
    fn a_broken_rule_names_what_breaks_it() {
        let mut connection = Connection::open_in_memory().expect("memory");
        schema::migrate(&mut connection).expect("it migrates");
        for event in 1..=25 {
            let insert =
                "INSERT INTO due (webhook, due_at, event, born, steps, tries) VALUES (7, 0, ?1, 1, 0, 0)";
            connection.execute(insert, [event]).expect("an orphan");
        }
        let (sentence, sql) = RULES[0];
        let told = broken(&connection, sentence, sql).expect("it reads").expect("it is broken");
        assert!(told.starts_with("deliveries are owed whose event is gone: 7/1, 7/2, "), "{told}");
        assert!(told.ends_with(" and more"), "{told}");
    }
}
