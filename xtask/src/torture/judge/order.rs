//! Sequence numbers: each once, and in the order of what was acknowledged before the next was sent.

use std::collections::HashSet;

use super::{Judgement, Violation};
use crate::torture::book::{Book, Event, Fate};
use crate::torture::events::DIALECTS;

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
