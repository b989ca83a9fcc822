//! The exact ledger: what was acknowledged, what the server tells and what the receiver saw must agree to the last
//! delivery. A run whose ledger does not is void, whatever its figures.

use super::calls::Published;

/// Deliveries as the server tells them: counters from its metrics, the rest from its lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) accepted: u64,
    pub(super) created: u64,
    pub(super) delivered: u64,
    pub(super) failed: u64,
    /// Attempts that failed and were, or will be, repeated.
    pub(super) retried: u64,
    pub(super) pending: u64,
    pub(super) dropped: u64,
    /// Of these that did not end by a success, the ones of the group that is measured.
    pub(super) left_measured: u64,
}

/// What the receiver saw and answered with success, matched with the generator's book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// Distinct pairs of event and webhook, of acknowledged events.
    pub(super) distinct: u64,
    /// Of these, the ones of the group that is measured.
    pub(super) distinct_measured: u64,
    /// Distinct pairs of events whose publishing got no answer.
    pub(super) distinct_unknown: u64,
    /// Requests for a pair that had been seen.
    pub(super) duplicates: u64,
    /// Requests that belong to no event that we published for that webhook.
    pub(super) strangers: u64,
    /// Requests whose signature or form was wrong.
    pub(super) refuted: u64,
    /// Requests that got no answer, or not a whole one, because the receiver held them.
    pub(super) held: u64,
    /// Requests that were answered with a failure because the receiver was told so.
    pub(super) declined: u64,
}

/// Everything that does not agree, as sentences; empty when the run is valid.
pub(super) fn judge(published: &Published, told: &Told, received: &Received) -> Vec<String> {
    let mut wrong = Wrong::default();
    let Published { acknowledged, unknown, expected, promised, unknown_deliveries, .. } = *published;
    let seen = received.distinct + received.distinct_unknown;
    let unfinished = told.failed + told.pending + told.dropped;
    wrong.unless_within("deliveries promised by acknowledgements", promised, expected, expected);
    wrong.unless_within(
        "events that the server accepted",
        told.accepted,
        acknowledged,
        acknowledged + unknown,
    );
    let most = expected + unknown_deliveries;
    wrong.unless_within("deliveries that the server created", told.created, expected, most);
    let states = told.delivered + unfinished;
    wrong.unless_within("deliveries in all states together", states, told.created, told.created);
    wrong.unless_within(
        "deliveries that the receiver saw",
        seen,
        told.delivered,
        told.delivered + unfinished,
    );
    let least = expected.saturating_sub(unfinished);
    wrong.unless_within("of these for acknowledged events", received.distinct, least, expected);
    // What a neighbour's receiver did excuses nothing that was owed to the others.
    let expected = published.expected_measured;
    let least = expected.saturating_sub(told.left_measured);
    wrong.unless_within("of these for the group measured", received.distinct_measured, least, expected);
    wrong.unless_within("of these for unanswered requests", received.distinct_unknown, 0, unknown_deliveries);
    wrong.unless_within("repeated deliveries", received.duplicates, 0, told.retried + received.held);
    wrong.unless_within("deliveries of what nobody published", received.strangers, 0, 0);
    wrong.unless_within("deliveries with a wrong signature or form", received.refuted, 0, 0);
    wrong.0
}

#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless_within(&mut self, what: &str, found: u64, least: u64, most: u64) {
        if (least..=most).contains(&found) {
            return;
        }
        let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
        self.0.push(format!("{what}: {found}, expected {expected}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten events for three webhooks each, one request without an answer that was stored.
    fn sound() -> (Published, Told, Received) {
        let published = Published {
            acknowledged: 10,
            refused: 4,
            unknown: 2,
            expected: 30,
            expected_measured: 21,
            promised: 30,
            unknown_deliveries: 6,
        };
        let told = Told { accepted: 11, created: 33, delivered: 33, ..Told::default() };
        let received =
            Received { distinct: 30, distinct_measured: 21, distinct_unknown: 3, ..Received::default() };
        (published, told, received)
    }

    fn verdict(change: impl FnOnce(&mut Published, &mut Told, &mut Received)) -> Vec<String> {
        let (mut published, mut told, mut received) = sound();
        change(&mut published, &mut told, &mut received);
        judge(&published, &told, &received)
    }

    #[test]
    fn what_agrees_is_valid() {
        assert_eq!(verdict(|_, _, _| {}), [""; 0]);
        assert_eq!(verdict(|_, told, received| (told.retried, received.duplicates) = (2, 2)), [""; 0]);
        assert_eq!(verdict(|_, _, received| (received.held, received.duplicates) = (2, 2)), [""; 0]);
        let undrained = |_: &mut Published, told: &mut Told, received: &mut Received| {
            (told.delivered, told.pending, told.failed, told.dropped) = (25, 5, 2, 1);
            (told.left_measured, received.distinct, received.distinct_measured) = (1, 24, 20);
        };
        assert_eq!(verdict(undrained), [""; 0]);
    }

    #[test]
    fn every_kind_of_mismatch_voids_the_run() {
        type Change = fn(&mut Published, &mut Told, &mut Received);
        let cases: [(&str, Change); 17] = [
            ("promised by", |published, _, _| published.promised = 29),
            ("server accepted", |_, told, _| told.accepted = 9),
            ("server accepted", |_, told, _| told.accepted = 13),
            ("server created", |_, told, _| told.created = 29),
            ("server created", |_, told, _| told.created = 37),
            ("all states", |_, told, _| told.pending = 1),
            ("all states", |_, told, _| told.delivered = 32),
            ("receiver saw", |_, _, received| received.distinct = 29),
            ("receiver saw", |_, told, received| {
                (told.delivered, told.pending, received.distinct) = (28, 5, 24)
            }),
            ("acknowledged events", |_, _, received| received.distinct = 31),
            ("acknowledged events", |_, _, received| {
                (received.distinct, received.distinct_unknown) = (29, 4)
            }),
            ("group measured", |_, _, received| received.distinct_measured = 20),
            ("group measured", |_, told, received| {
                (told.delivered, told.pending) = (28, 5);
                (received.distinct, received.distinct_measured) = (26, 17);
            }),
            ("unanswered requests", |_, _, received| received.distinct_unknown = 7),
            ("repeated", |_, _, received| received.duplicates = 1),
            ("nobody published", |_, _, received| received.strangers = 1),
            ("wrong signature", |_, _, received| received.refuted = 1),
        ];
        for (what, change) in cases {
            let wrong = verdict(change);
            assert!(wrong.iter().any(|sentence| sentence.contains(what)), "{what}: {wrong:?}");
        }
    }
}
