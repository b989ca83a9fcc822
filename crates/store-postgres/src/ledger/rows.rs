//! What a commit of events appends, column by column.

use futures_util::future::try_join3;
use signalpost_core::event::Event;
use signalpost_store::pack::{pack_ids, pack_pairs};
use signalpost_store::weight;

use super::accept::Incoming;
use super::owed::Owed;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const INSERT_MESSAGES: &str = "INSERT INTO message
    (id, workspace, sequence, accepted_at, time, type, subject, producer_id, ordering_key, targets, attributes, data)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bytea[], $11::bytea[], $12::bytea[])";
pub(crate) const INSERT_KEYS: &str =
    "INSERT INTO event_key (workspace, producer_id, event, accepted_at, fingerprint)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])";

/// What an event counts for in its workspace's bytes.
pub(super) fn weight_of(event: &Event) -> i64 {
    let attributes = attributes(event).map_or(0, |packed| packed.len());
    weight::of_message(event.content.data.len(), attributes, size_of::<i64>() * event.targets.len())
}

/// Appends events that have got their places, with what is owed for them.
pub(crate) async fn append(session: &Session, stored: &[&Incoming], owed: &Owed) -> Result<(), Failure> {
    if stored.is_empty() {
        return Ok(());
    }
    try_join3(insert_messages(session, stored), insert_keys(session, stored), owed.insert(session)).await?;
    Ok(())
}

async fn insert_messages(session: &Session, stored: &[&Incoming]) -> Result<(), Failure> {
    let numbers = |of: fn(&Event) -> i64| stored.iter().map(|one| of(&one.event)).collect::<Vec<i64>>();
    let texts = |of: fn(&Event) -> Option<&str>| stored.iter().map(|one| of(&one.event)).collect::<Vec<_>>();
    let targets: Vec<Vec<u8>> =
        stored.iter().map(|one| pack_ids(one.event.targets.iter().map(|webhook| webhook.raw()))).collect();
    let attributes: Vec<Option<Vec<u8>>> = stored.iter().map(|one| attributes(&one.event)).collect();
    let data: Vec<&[u8]> = stored.iter().map(|one| one.event.content.data.as_ref()).collect();
    session
        .execute(
            INSERT_MESSAGES,
            &[
                &numbers(|event| event.id.raw()),
                &numbers(|event| event.workspace.raw()),
                &numbers(|event| event.sequence.0),
                &numbers(|event| event.accepted_at.as_ms()),
                &numbers(|event| event.content.time.as_ms()),
                &texts(|event| Some(&event.content.event_type)),
                &texts(|event| event.content.subject.as_deref()),
                &texts(|event| event.content.producer_id.as_deref()),
                &texts(|event| event.content.ordering_key.as_deref()),
                &targets,
                &attributes,
                &data,
            ],
        )
        .await?;
    Ok(())
}

async fn insert_keys(session: &Session, stored: &[&Incoming]) -> Result<(), Failure> {
    let keyed: Vec<(&Incoming, &str)> =
        stored.iter().filter_map(|one| Some((*one, one.event.content.producer_id.as_deref()?))).collect();
    if keyed.is_empty() {
        return Ok(());
    }
    let numbers = |of: fn(&Event) -> i64| keyed.iter().map(|(one, _)| of(&one.event)).collect::<Vec<i64>>();
    let ids: Vec<&str> = keyed.iter().map(|(_, id)| *id).collect();
    let fingerprints: Vec<Option<Vec<u8>>> =
        keyed.iter().map(|(one, _)| one.dedupe.map(|dedupe| dedupe.fingerprint.to_vec())).collect();
    session
        .execute(
            INSERT_KEYS,
            &[
                &numbers(|event| event.workspace.raw()),
                &ids,
                &numbers(|event| event.id.raw()),
                &numbers(|event| event.accepted_at.as_ms()),
                &fingerprints,
            ],
        )
        .await?;
    Ok(())
}

fn attributes(event: &Event) -> Option<Vec<u8>> {
    let attributes = &event.content.attributes;
    (!attributes.is_empty()).then(|| pack_pairs(attributes))
}
