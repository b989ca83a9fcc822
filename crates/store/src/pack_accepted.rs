//! The answers to published events in one blob, for calls that happen once.

use signalpost_core::event::Sequence;
use signalpost_core::id::EventId;

use crate::ledger::{Accepted, Repeated};
use crate::pack::{Packer, Unpacked, Unpacker};

pub fn pack_accepted(accepted: &[Accepted]) -> Vec<u8> {
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

pub fn unpack_accepted(blob: &[u8]) -> Unpacked<Vec<Accepted>> {
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
        let blob = pack_accepted(&accepted);
        assert_eq!(unpack_accepted(&blob), Ok(accepted));
        for end in 0..blob.len() {
            assert!(unpack_accepted(&blob[..end]).is_err(), "{end} bytes");
        }
        assert!(unpack_accepted(&[blob.as_slice(), b"x"].concat()).is_err());
    }
}
