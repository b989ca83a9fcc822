//! What nodes tell each other, as text: `ORIGIN w ID,ID,…`, and `ORIGIN` with `c`, `s` or `g`; numbers in hexadecimal.

use signalpost_core::id::WebhookId;

use super::Pending;

/// A notification holds less than 8,000 bytes (PostgreSQL, `NOTIFY`); an id takes 16 and a comma.
const IDS_MAX: usize = 450;

/// Something that another node tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Owed(Vec<WebhookId>),
    Changed,
    Seen,
    /// Lane groups are free.
    Given,
}

pub(super) fn write(pending: &Pending, origin: i64) -> Vec<String> {
    let ids: Vec<String> = pending.owed.iter().map(|webhook| format!("{:x}", webhook.raw())).collect();
    let owed = ids.chunks(IDS_MAX).map(|ids| format!("{origin:x} w {}", ids.join(",")));
    let changed = pending.changed.then(|| format!("{origin:x} c"));
    let seen = pending.seen.then(|| format!("{origin:x} s"));
    owed.chain(changed).chain(seen).chain(pending.given.then(|| given(origin))).collect()
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
        ("w", Some(ids)) => {
            let id = |id| i64::from_str_radix(id, 16).ok().map(WebhookId::from_raw);
            Some(Message::Owed(ids.split(',').map(id).collect::<Option<_>>()?))
        }
        ("c", None) => Some(Message::Changed),
        ("s", None) => Some(Message::Seen),
        ("g", None) => Some(Message::Given),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_hear_everything_and_nobody_hears_himself() {
        let owed: Vec<WebhookId> =
            (0..1_000).map(|n| WebhookId::from_raw(7_530_397_039_415_264_051 + n)).collect();
        let pending =
            Pending { owed: owed.iter().copied().collect(), changed: true, seen: true, given: true };
        let texts = write(&pending, i64::MAX);
        assert!(texts.iter().all(|text| text.len() < 8_000 && read(text, i64::MAX).is_none()));
        let mut heard: Vec<Message> = texts.iter().filter_map(|text| read(text, 1)).collect();
        assert_eq!(heard.split_off(3), [Message::Changed, Message::Seen, Message::Given]);
        let ids = heard.into_iter().flat_map(|message| match message {
            Message::Owed(ids) => ids,
            other => panic!("{other:?}"),
        });
        assert_eq!(ids.collect::<Vec<_>>(), owed);
    }

    #[test]
    fn what_strangers_say_is_nothing() {
        for text in ["", "w", "1", "1 w", "1 w x", "1 w ,", "1 c 2", "x c", "1 q", "1  c"] {
            assert_eq!(read(text, 2), None, "{text:?}");
        }
    }
}
