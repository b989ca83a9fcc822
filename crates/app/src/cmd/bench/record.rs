//! What the receiver notes of each request, and its form on the way to the generator.

/// One request as the receiver saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The event's id inside: its public text, decoded.
    pub(super) event: i64,
    /// The number that the generator wrote into the event.
    pub(super) number: u64,
    /// When the last byte had been read.
    pub(super) at_ns: u64,
    /// Which webhook: the number in the path.
    pub(super) target: u32,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The signature was verified, and the answer was a success.
    Verified,
    /// Not what a delivery of ours looks like, or the signature was wrong; the answer was a refusal.
    Refuted,
    /// No answer was given, or not a whole one, because we were told so.
    Held,
    /// The answer was another status than a success, because we were told so.
    Declined,
}

/// What stands for an event or a number that could not be read.
pub(super) const NO_EVENT: i64 = 0;
pub(super) const NO_NUMBER: u64 = u64::MAX;

impl Record {
    pub(super) const BYTES: usize = 29;

    pub(super) fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.event.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.at_ns.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.target.to_le_bytes());
        bytes[28] = match self.verdict {
            Verdict::Verified => 0,
            Verdict::Refuted => 1,
            Verdict::Held => 2,
            Verdict::Declined => 3,
        };
        bytes
    }

    /// `None` when the last byte is no verdict.
    pub(super) fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let verdict = match bytes[28] {
            0 => Verdict::Verified,
            1 => Verdict::Refuted,
            2 => Verdict::Held,
            3 => Verdict::Declined,
            _ => return None,
        };
        let eight = |at: usize| <[u8; 8]>::try_from(&bytes[at..at + 8]).expect("eight bytes");
        Some(Self {
            event: i64::from_le_bytes(eight(0)),
            number: u64::from_le_bytes(eight(8)),
            at_ns: u64::from_le_bytes(eight(16)),
            target: u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes")),
            verdict,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_way() {
        for verdict in [Verdict::Verified, Verdict::Refuted, Verdict::Held, Verdict::Declined] {
            let record =
                Record { event: 1 << 60 | 5, number: 7, at_ns: u64::MAX - 1, target: 99_999, verdict };
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
        assert_eq!(Record::decode(&[9; Record::BYTES]), None);
    }
}
