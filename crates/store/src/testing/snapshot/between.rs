//! What a store may show when it was interrupted in its work: on the way between two states, and what must never be missing.

use std::fmt::Debug;
use std::sync::Arc;

use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::WorkspaceId;

use super::{Snapshot, part, rows};
use crate::ledger::Feed;

/// Rows of one kind: before, in the end, and as they were seen.
type Lists<'a, T> = [&'a [T]; 3];

impl Snapshot {
    /// The first part in which `seen` is not on the way from this state to `end`, in words, when rows are removed on that way,
    /// or take the form that they have in the end, in several commits. What is there in the end is there all along,
    /// and what was not there before never is.
    pub fn difference_on_the_way(&self, end: &Self, seen: &Self) -> Option<String> {
        self.catalog_on_the_way(end, seen).or_else(|| self.ledger_on_the_way(end, seen))
    }

    fn catalog_on_the_way(&self, end: &Self, seen: &Self) -> Option<String> {
        let all = [self, end, seen];
        part("highest id", &self.highest_id, &seen.highest_id)
            .or_else(|| on_the_way("workspaces", all.map(|one| &one.workspaces[..]), |row| row.id))
            .or_else(|| on_the_way("webhooks", all.map(|one| &one.webhooks[..]), |row| row.id))
            .or_else(|| on_the_way("remembered webhooks", all.map(|one| &one.remembered[..]), |row| row.id()))
            .or_else(|| on_the_way("fan-out", all.map(|one| &one.fan_out[..]), |row| row.id))
            .or_else(|| on_the_way("cuts", all.map(|one| &one.cuts[..]), |row| row.0))
            .or_else(|| on_the_way("signing keys", all.map(|one| &one.signing_keys[..]), |row| row.id))
            .or_else(|| on_the_way("credentials", all.map(|one| &one.credentials[..]), |row| row.id))
            .or_else(|| rows("rights", &self.rights, &seen.rights))
            .or_else(|| on_the_way("operator keys", all.map(|one| &one.operator_keys[..]), |row| row.id))
            .or_else(|| rows("operator accounts", &self.operator_accounts, &seen.operator_accounts))
            .or_else(|| rows("operator sessions", &self.operator_sessions, &seen.operator_sessions))
            .or_else(|| rows("acts", &self.acts, &seen.acts))
    }

    fn ledger_on_the_way(&self, end: &Self, seen: &Self) -> Option<String> {
        let all = [self, end, seen];
        on_the_way("events", all.map(|one| &one.events[..]), |row| row.id)
            .or_else(|| feeds_on_the_way(all.map(|one| &one.feeds[..])))
            .or_else(|| seen.miscounted())
            .or_else(|| on_the_way("delivery summaries", all.map(|one| &one.summaries[..]), |row| row.id))
            .or_else(|| on_the_way("delivery records", all.map(|one| &one.records[..]), |row| row.summary.id))
            .or_else(|| on_the_way("owners", all.map(|one| &one.owners[..]), |row| row.0))
            .or_else(|| on_the_way("due lanes", all.map(|one| &one.due_lanes[..]), |row| row.webhook))
            .or_else(|| on_the_way("due", all.map(|one| &one.due[..]), |row| row.id))
    }

    /// As many events are counted as are listed.
    fn miscounted(&self) -> Option<String> {
        self.counted.iter().find_map(|(workspace, counted)| {
            let listed = self.events.iter().filter(|event| event.workspace == *workspace).count() as u64;
            part(&format!("count of events of {workspace:?}"), &Some(listed), counted)
        })
    }

    /// The first row of this state that `seen` lacks, in words: an object, an event, a delivery or an attempt, whatever else has
    /// become of it. One that a step under way takes away, so that `after` lacks it too, does not count.
    pub fn missing_in(&self, seen: &Self, after: Option<&Self>) -> Option<String> {
        let after = after.unwrap_or(self);
        let all = [self, after, seen];
        missing("workspaces", all.map(|one| &one.workspaces[..]), |row| row.id)
            .or_else(|| missing("webhooks", all.map(|one| &one.webhooks[..]), |row| row.id))
            .or_else(|| missing("signing keys", all.map(|one| &one.signing_keys[..]), |row| row.id))
            .or_else(|| missing("credentials", all.map(|one| &one.credentials[..]), |row| row.id))
            .or_else(|| missing("operator keys", all.map(|one| &one.operator_keys[..]), |row| row.id))
            .or_else(|| missing("events", all.map(|one| &one.events[..]), |row| row.id))
            .or_else(|| missing("deliveries", all.map(|one| &one.records[..]), |row| row.summary.id))
            .or_else(|| {
                missing(
                    "attempts",
                    all.each_ref().map(|one| one.attempts()).each_ref().map(|all| &all[..]),
                    |row| *row,
                )
            })
    }

    /// Every step of every delivery, by its place in the history.
    fn attempts(&self) -> Vec<(signalpost_core::id::DeliveryId, usize)> {
        let of_each = self.records.iter().map(|record| (record.summary.id, record.steps.len()));
        of_each.flat_map(|(id, steps)| (0..steps).map(move |step| (id, step))).collect()
    }
}

fn on_the_way<T: Debug + PartialEq, K: PartialEq>(
    name: &str,
    [before, end, seen]: Lists<'_, T>,
    key: impl Fn(&T) -> K,
) -> Option<String> {
    let in_the_end = |row: &T| end.iter().find(|last| key(last) == key(row));
    let mut left = before.iter();
    for row in seen {
        loop {
            let Some(old) = left.next() else {
                return Some(format!("{name}: it was not there before: {row:?}"));
            };
            if key(old) == key(row) {
                let is_known = row == old || in_the_end(row) == Some(row);
                let both = || format!("{name}: neither as before nor as in the end:\n  {old:?}\n  {row:?}");
                if !is_known {
                    return Some(both());
                }
                break;
            }
            if in_the_end(old).is_some() {
                return Some(format!("{name}: missing, or in another order: {old:?}"));
            }
        }
    }
    left.find(|old| in_the_end(old).is_some()).map(|old| format!("{name}: missing: {old:?}"))
}

fn missing<T: Debug, K: PartialEq>(
    name: &str,
    [before, after, seen]: Lists<'_, T>,
    key: impl Fn(&T) -> K,
) -> Option<String> {
    let has = |rows: &[T], row: &T| rows.iter().any(|one| key(one) == key(row));
    let gone = before.iter().find(|row| has(after, row) && !has(seen, row));
    gone.map(|row| format!("{name}: missing: {row:?}"))
}

/// A feed begins behind the highest place of what was removed, and holds everything from there on.
fn feeds_on_the_way([before, end, seen]: Lists<'_, (WorkspaceId, [Feed; 2])>) -> Option<String> {
    let workspaces = |feeds: &[(WorkspaceId, [Feed; 2])]| feeds.iter().map(|feed| feed.0).collect::<Vec<_>>();
    part("workspaces with a feed", &workspaces(before), &workspaces(seen)).or_else(|| {
        let all = before.iter().zip(end).zip(seen);
        all.clone().find_map(|(((workspace, before), (_, end)), (_, seen))| {
            feed_on_the_way(before, end, seen).map(|what| format!("feed of {workspace:?}: {what}"))
        })
    })
}

fn feed_on_the_way(before: &[Feed; 2], end: &[Feed; 2], seen: &[Feed; 2]) -> Option<String> {
    let begins = |[_, from_0]: &[Feed; 2]| match from_0 {
        Feed::Expired { oldest } => *oldest,
        Feed::Page { .. } => Sequence(0),
    };
    let events = |[from_the_beginning, _]: &[Feed; 2]| match from_the_beginning {
        Feed::Page { events, .. } => events.clone(),
        Feed::Expired { .. } => Vec::new(),
    };
    let place = begins(seen);
    if place < begins(before) || begins(end) < place {
        return Some(format!("it begins behind {place:?}, not {:?} to {:?}", begins(before), begins(end)));
    }
    let behind = |feed| events(feed).into_iter().filter(|event| event.sequence > place).collect::<Vec<_>>();
    let in_the_end = |event: &Arc<Event>| behind(end).into_iter().find(|last| last.id == event.id);
    let (wanted, found) = (behind(before), events(seen));
    part("number of events", &wanted.len(), &found.len()).or_else(|| {
        let mut pairs = wanted.iter().zip(&found);
        let other =
            pairs.find(|(wanted, found)| wanted != found && in_the_end(wanted).as_ref() != Some(*found));
        other.map(|(wanted, found)| format!("{found:?} instead of {wanted:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers with a form each, as rows.
    fn walked(seen: &[(u8, char)]) -> Option<String> {
        let (before, end) = ([(1, 'a'), (2, 'a'), (3, 'a')], [(2, 'b'), (3, 'a')]);
        on_the_way("rows", [&before, &end, seen], |row| row.0)
    }

    #[test]
    fn on_the_way_rows_go_or_take_their_last_form() {
        for seen in [
            &[(1, 'a'), (2, 'a'), (3, 'a')][..],
            &[(2, 'a'), (3, 'a')],
            &[(1, 'a'), (2, 'b'), (3, 'a')],
            &[(2, 'b'), (3, 'a')],
        ] {
            assert_eq!(walked(seen), None, "{seen:?}");
        }
        for (seen, what) in [
            (&[(1, 'a'), (2, 'a')][..], "missing: (3"),
            (&[(3, 'a')], "missing, or in another order: (2"),
            (&[(2, 'a'), (3, 'b')], "neither"),
            (&[(2, 'a'), (3, 'a'), (4, 'a')], "not there before: (4"),
            (&[(2, 'a'), (2, 'a'), (3, 'a')], "missing, or"),
        ] {
            let told = walked(seen).expect("it is not on the way");
            assert!(told.contains(what), "{seen:?}: {told}");
        }
    }

    #[test]
    fn what_a_step_takes_away_is_not_missing() {
        let told = |seen: &[u8]| missing("rows", [&[1, 2, 3], &[2, 3], seen], |row| *row);
        assert_eq!(told(&[2, 3]), None);
        assert_eq!(told(&[1, 2, 3, 4]), None);
        assert_eq!(told(&[1, 3]).as_deref(), Some("rows: missing: 2"));
    }
}
