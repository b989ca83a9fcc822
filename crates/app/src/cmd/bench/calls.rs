//! The generator's own book: every event it tried to publish, and what it was told.

use std::ops::Range;

use super::group::Group;
use super::request::{Receipt, Route};

/// One event that was to be published. Its position in the book is the number that it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) route: u32,
    pub(super) fate: Fate,
    /// When it was to be sent by the timetable; in a closed loop when it was sent.
    pub(super) due_ns: u64,
    pub(super) sent_ns: u64,
    /// Zero without an answer.
    pub(super) answered_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Sent, and no answer was read: the server may or may not have it.
    Unknown,
    Acknowledged(Receipt),
    /// The server said that it did not take it.
    Refused {
        status: u16,
        told: Reason,
    },
}

/// Whether a publisher who is refused learns what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// By the documented code of the status, and by when to come again.
    Given,
    Missing,
}

#[derive(Default)]
pub(super) struct Calls {
    pub(super) book: Vec<Call>,
    pub(super) routes: Vec<Route>,
}

/// Sums over a part of the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    /// Requests that got no answer.
    pub(super) unknown: u64,
    /// Deliveries that the acknowledged events must have, by the webhooks that were made.
    pub(super) expected: u64,
    /// Of these, the ones of the group that is measured.
    pub(super) expected_measured: u64,
    /// Deliveries that the acknowledgements promised.
    pub(super) promised: u64,
    /// Deliveries that the unanswered requests may have caused at most.
    pub(super) unknown_deliveries: u64,
}

impl Calls {
    /// Notes an event that is about to be sent and returns its number.
    pub(super) fn begin(&mut self, route: u32, due_ns: u64, sent_ns: u64) -> u64 {
        self.book.push(Call { route, fate: Fate::Unknown, due_ns, sent_ns, answered_ns: 0 });
        self.book.len() as u64 - 1
    }

    pub(super) fn end(&mut self, number: u64, fate: Fate, now_ns: u64) {
        let call = &mut self.book[usize::try_from(number).expect("a number of ours")];
        (call.fate, call.answered_ns) = (fate, now_ns);
    }

    pub(super) fn get(&self, number: u64) -> Option<&Call> {
        self.book.get(usize::try_from(number).ok()?)
    }

    pub(super) fn route_of(&self, call: &Call) -> &Route {
        &self.routes[usize::try_from(call.route).expect("32 bits fit")]
    }

    /// How many of these were refused with a status, and given a reason or none.
    pub(super) fn refused(&self, numbers: Range<u64>, status: u16, told: Reason) -> u64 {
        self.among(numbers).iter().filter(|call| call.fate == Fate::Refused { status, told }).count() as u64
    }

    pub(super) fn is_measured(&self, call: &Call) -> bool {
        self.route_of(call).group == Group::Measured
    }

    /// The number that the next event will have.
    pub(super) fn next_number(&self) -> u64 {
        self.book.len() as u64
    }

    pub(super) fn among(&self, numbers: Range<u64>) -> &[Call] {
        let position = |number| usize::try_from(number).expect("a number of ours");
        &self.book[position(numbers.start)..position(numbers.end)]
    }

    pub(super) fn sum(&self, numbers: Range<u64>) -> Published {
        let mut sum = Published::default();
        for call in self.among(numbers) {
            let targets = self.route_of(call).targets.len() as u64;
            match call.fate {
                Fate::Unknown => {
                    sum.unknown += 1;
                    sum.unknown_deliveries += targets;
                }
                Fate::Refused { .. } => sum.refused += 1,
                Fate::Acknowledged(receipt) => {
                    sum.acknowledged += 1;
                    sum.expected += targets;
                    sum.expected_measured += if self.is_measured(call) { targets } else { 0 };
                    sum.promised += receipt.deliveries;
                }
            }
        }
        sum
    }
}
