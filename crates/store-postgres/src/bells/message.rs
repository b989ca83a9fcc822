//! What nodes tell each other, as text: `ORIGIN w ID,ID,… EVENTS,EVENTS,…`, where the events of each webhook have points between
//! them, or are none where they are not told; and `ORIGIN` with `c`, `s` or `g`; numbers in hexadecimal.

use std::iter::repeat_n;

use signalpost_core::id::{EventId, WebhookId};

use super::{Owed, Pending};

/// A notification holds less than 8,000 bytes (PostgreSQL, `NOTIFY`). What the last webhook takes comes on top of this.
const BYTES: usize = 4_000;
/// Of an id, and what follows it.
const ID_BYTES: usize = 17;

/// Something that another node tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Owed(Vec<(WebhookId, Owed)>),
    Changed,
    Seen,
    /// Lane groups are free.
    Given,
}

pub(super) fn write(pending: &Pending, origin: i64) -> Vec<String> {
    let changed = pending.changed.then(|| format!("{origin:x} c"));
    let seen = pending.seen.then(|| format!("{origin:x} s"));
    let mut texts = Vec::new();
    let mut owed = pending.owed.iter().peekable();
    while owed.peek().is_some() {
        texts.push(owed_text(&mut owed, origin));
    }
    texts.into_iter().chain(changed).chain(seen).chain(pending.given.then(|| given(origin))).collect()
}

/// Of as many as fit.
fn owed_text<'o>(owed: &mut impl Iterator<Item = (&'o WebhookId, &'o Owed)>, origin: i64) -> String {
    let (mut webhooks, mut named) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    while bytes < BYTES
        && let Some((webhook, owed)) = owed.next()
    {
        let events: Vec<String> = match owed {
            Owed::Events(events) => events.iter().map(|event| format!("{:x}", event.raw())).collect(),
            Owed::Something => Vec::new(),
        };
        bytes += ID_BYTES * (1 + events.len());
        webhooks.push(format!("{:x}", webhook.raw()));
        named.push(events.join("."));
    }
    format!("{origin:x} w {} {}", webhooks.join(","), named.join(","))
}

pub(super) fn given(origin: i64) -> String {
    format!("{origin:x} g")
}

/// `None` for our own, and for what nobody of us has written.
pub(super) fn read(text: &str, origin: i64) -> Option<Message> {
    let mut words = text.split(' ');
    let by = i64::from_str_radix(words.next()?, 16).ok()?;
    if by == origin {
        return None;
    }
    match (words.next()?, words.next()) {
        ("w", Some(webhooks)) => Some(Message::Owed(owed(webhooks, words.next())?)),
        ("c", None) => Some(Message::Changed),
        ("s", None) => Some(Message::Seen),
        ("g", None) => Some(Message::Given),
        _ => None,
    }
}

/// Who is of an older version names no events.
fn owed(webhooks: &str, events: Option<&str>) -> Option<Vec<(WebhookId, Owed)>> {
    let webhooks: Vec<WebhookId> =
        webhooks.split(',').map(|id| Some(WebhookId::from_raw(number(id)?))).collect::<Option<_>>()?;
    let Some(events) = events else {
        return Some(webhooks.into_iter().zip(repeat_n(Owed::Something, usize::MAX)).collect());
    };
    let named: Vec<Owed> = events.split(',').map(named).collect::<Option<_>>()?;
    (webhooks.len() == named.len()).then(|| webhooks.into_iter().zip(named).collect())
}

fn named(events: &str) -> Option<Owed> {
    if events.is_empty() {
        return Some(Owed::Something);
    }
    let ids = events.split('.').map(|id| Some(EventId::from_raw(number(id)?)));
    Some(Owed::Events(ids.collect::<Option<_>>()?))
}

fn number(text: &str) -> Option<i64> {
    i64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const NONE: Owed = Owed::Events(Vec::new());

    #[test]
    fn others_hear_everything_and_nobody_hears_himself() {
        let id = |n: i64| 7_530_397_039_415_264_051 + n;
        let events = |n: i64| match n % 100 {
            0 => Owed::Something,
            _ => Owed::Events((0..n % 129).map(|event| EventId::from_raw(id(event))).collect()),
        };
        let owed: BTreeMap<WebhookId, Owed> = (1..1_000)
            .map(|n| (WebhookId::from_raw(id(n)), events(n)))
            .filter(|(_, owed)| *owed != NONE)
            .collect();
        let pending = Pending { owed: owed.clone(), changed: true, seen: true, given: true };
        let texts = write(&pending, i64::MAX);
        assert!(texts.iter().all(|text| text.len() < 8_000 && read(text, i64::MAX).is_none()));
        let mut heard: Vec<Message> = texts.iter().filter_map(|text| read(text, 1)).collect();
        assert_eq!(heard.split_off(heard.len() - 3), [Message::Changed, Message::Seen, Message::Given]);
        let told = heard.into_iter().flat_map(|message| match message {
            Message::Owed(told) => told,
            other => panic!("{other:?}"),
        });
        assert_eq!(told.collect::<BTreeMap<_, _>>(), owed);
    }

    #[test]
    fn who_names_no_events_is_understood() {
        let something = |n| (WebhookId::from_raw(n), Owed::Something);
        assert_eq!(read("1 w a,b", 2), Some(Message::Owed(vec![something(10), something(11)])));
        let one = (WebhookId::from_raw(11), Owed::Events(vec![EventId::from_raw(1), EventId::from_raw(2)]));
        assert_eq!(read("1 w a,b ,1.2", 2), Some(Message::Owed(vec![something(10), one])));
    }

    #[test]
    fn what_strangers_say_is_nothing() {
        for text in
            ["", "w", "1", "1 w", "1 w x", "1 w ,", "1 w 1 2,3", "1 w 1 x", "1 c 2", "x c", "1 q", "1  c"]
        {
            assert_eq!(read(text, 2), None, "{text:?}");
        }
    }
}
