//! `accept_once`: as `accept`, with the answer kept for whoever makes the same call again.

use rusqlite::Connection;
use signalpost_core::event::Sequence;
use signalpost_core::id::EventId;
use signalpost_store::ledger::{Accepted, Repeated};
use signalpost_store::{Done, Once, StoreError};

use super::accept::{self, Incoming};
use crate::catalog::once::{Kept, recall, remember};
use crate::failure::Failure;
use crate::pack::{Packer, Unpacker};
use crate::write::Write;

pub(super) fn run(
    write: &mut Write<'_>,
    incoming: &mut [Incoming],
    once: Once,
) -> Result<Done<Vec<Accepted>, Vec<Accepted>>, Failure> {
    if let Some(before) = accepted_before(write.connection, once)? {
        return Ok(Done::Before(before));
    }
    let accepted = accept::run(write, incoming)?;
    remember(write, once, Kept::Accepted(&pack(&accepted)))?;
    Ok(Done::Now(accepted))
}

/// The first answer, or the refusal of a full disk when there is none.
pub(super) fn before(
    connection: &Connection,
    once: Once,
) -> Result<Done<Vec<Accepted>, Vec<Accepted>>, Failure> {
    let before = accepted_before(connection, once)?;
    Ok(Done::Before(before.ok_or(StoreError::Full)?))
}

fn accepted_before(connection: &Connection, once: Once) -> Result<Option<Vec<Accepted>>, Failure> {
    recall(connection, once, |fields| {
        let Some(blob) = fields.optional_blob("accepted")? else { return Ok(None) };
        unpack(blob).map(Some).map_err(|problem| fields.corrupt("accepted", problem))
    })
}

fn pack(accepted: &[Accepted]) -> Vec<u8> {
    let mut packer = Packer::with_capacity(16 * accepted.len() + 4);
    packer.count(accepted.len());
    for one in accepted {
        packer.number(one.id.raw().cast_unsigned());
        packer.number(one.sequence.0.cast_unsigned());
        packer.count(one.deliveries);
        packer.number(u64::from(one.repeated == Repeated::Yes));
    }
    packer.finish()
}

fn unpack(blob: &[u8]) -> Result<Vec<Accepted>, String> {
    let mut unpacker = Unpacker::new(blob);
    let count = unpacker.number()?;
    let mut one = || {
        let id = i64::try_from(unpacker.number()?).map_err(|error| error.to_string())?;
        Ok(Accepted {
            id: EventId::from_raw(id),
            sequence: Sequence(unpacker.number()?.cast_signed()),
            deliveries: usize::try_from(unpacker.number()?).map_err(|error| error.to_string())?,
            repeated: if unpacker.number()? == 0 { Repeated::No } else { Repeated::Yes },
        })
    };
    let accepted = (0..count).map(|_| one()).collect::<Result<Vec<_>, String>>()?;
    unpacker.finish()?;
    Ok(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_return_as_they_were_and_damaged_ones_are_refused() {
        let one = |id, sequence, deliveries, repeated| Accepted {
            id: EventId::from_raw(id),
            sequence: Sequence(sequence),
            deliveries,
            repeated,
        };
        let accepted = vec![one(i64::MAX, 1, 0, Repeated::No), one(7, i64::MAX, 10_000, Repeated::Yes)];
        let blob = pack(&accepted);
        assert_eq!(unpack(&blob), Ok(accepted));
        for end in 0..blob.len() {
            assert!(unpack(&blob[..end]).is_err(), "{end} bytes");
        }
        assert!(unpack(&[blob.as_slice(), b"x"].concat()).is_err());
    }
}
