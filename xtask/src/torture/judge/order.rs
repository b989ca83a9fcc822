//! Sequence numbers: each once, and in the order of what was acknowledged before the next was sent; and where it was asked for,
//! arrivals in the order of these numbers.

use std::collections::{BTreeMap, HashSet};

use super::{Judgement, Violation};
use crate::torture::book::{Book, Event, Fate};
use crate::torture::events::{DIALECTS, ordering_key};
use crate::torture::ledger::{Arrival, Hook};
use crate::torture::record::{Listed, Status};
use crate::torture::stopwatch::Ms;

pub(super) fn judge(book: &Book, judgement: &mut Judgement) {
    for workspace in 0..DIALECTS.len() {
        let mine = |event: &&Event| event.workspace == workspace && event.fate == Fate::Acknowledged;
        let mut by_sent: Vec<&Event> = book.events().filter(mine).collect();
        let mut by_answer = by_sent.clone();
        by_sent.sort_unstable_by_key(|event| event.asked.from);
        by_answer.sort_unstable_by_key(|event| event.asked.to);
        let mut answered = by_answer.into_iter().peekable();
        let (mut highest, mut seen) = (0, HashSet::new());
        for event in by_sent {
            while let Some(before) = answered.next_if(|before| before.asked.to < event.asked.from) {
                highest = highest.max(before.sequence);
            }
            if !seen.insert(event.sequence) {
                let note = format!("another event has the sequence number {} too", event.sequence);
                judgement.find(Violation::Disordered, event.number, None, note);
            } else if event.sequence < highest {
                let note = format!("its sequence number is {}, after {highest} was told", event.sequence);
                judgement.find(Violation::Disordered, event.number, None, note);
            }
        }
    }
}

/// When a webhook got an event of a key.
struct Got {
    sequence: u64,
    number: u32,
    first_at: Ms,
    /// Of a delivery that the server calls delivered.
    taken_at: Option<Ms>,
}

/// A webhook that is ordered got nothing of an event before the one of the same key that stands before it was taken, unless that
/// was given up or dropped. Both lists are sorted by event and webhook.
pub(super) fn judge_keys(
    book: &Book,
    hooks: &[Hook],
    (arrivals, listed): (&[Arrival], &[Listed]),
    judgement: &mut Judgement,
) {
    for ((hook, _), mut got) in got_in_order(book, hooks, arrivals, listed) {
        got.sort_unstable_by_key(|got| got.sequence);
        let mut before: Option<(u32, Ms)> = None;
        for next in got {
            judgement.in_order += usize::from(before.is_some());
            if let Some((number, taken_at)) = before.filter(|(_, taken_at)| next.first_at < *taken_at) {
                let (first_at, key) = (next.first_at, "of its ordering key");
                let note = format!(
                    "it came at {first_at} ms, and event {number}, before it {key}, at {taken_at} ms"
                );
                judgement.find(Violation::Overtaken, next.number, Some(hook), note);
            }
            before =
                next.taken_at.map(|at| (next.number, at)).into_iter().chain(before).max_by_key(|(_, at)| *at);
        }
    }
}

fn got_in_order(
    book: &Book,
    hooks: &[Hook],
    arrivals: &[Arrival],
    listed: &[Listed],
) -> BTreeMap<(u16, u32), Vec<Got>> {
    let mut by_key: BTreeMap<(u16, u32), Vec<Got>> = BTreeMap::new();
    for mine in arrivals.chunk_by(|a, b| (a.number, a.hook) == (b.number, b.hook)) {
        let (number, hook_number) = (mine[0].number, mine[0].hook);
        let ordered = hooks.get(usize::from(hook_number)).is_some_and(|hook| hook.wants.in_order);
        let Some(event) = book.get(number).filter(|event| ordered && event.fate == Fate::Acknowledged) else {
            continue;
        };
        let Some(key) = ordering_key(event.workspace, number) else { continue };
        let place = listed.binary_search_by_key(&(number, hook_number), |row| (row.number, row.hook));
        let is_delivered = place.is_ok_and(|place| listed[place].status == Status::Delivered);
        let taken = mine.iter().filter(|arrival| arrival.reply.is_taken()).map(|arrival| arrival.at).min();
        let first_at = mine.iter().map(|arrival| arrival.at).min().unwrap_or_default();
        let taken_at = taken.filter(|_| is_delivered);
        by_key.entry((hook_number, key)).or_default().push(Got {
            sequence: event.sequence,
            number,
            first_at,
            taken_at,
        });
    }
    by_key
}
