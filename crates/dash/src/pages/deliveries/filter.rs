//! Which deliveries are asked for. The filter lives in the address, so that it can be passed on.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::attempt::{Failure, Outcome};
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{DeliveryId, EventId, WebhookId, first_id_at};
use signalpost_core::time::Timestamp;
use signalpost_engine::{DeliverySummary, Engine, ListDeliveries, View};

use crate::paths;

pub(super) const ROWS: usize = 50;
/// What the store has no index for is looked for in so many rows, this many times, and then the reader says whether to go on.
const LOOK: usize = 200;
const LOOKS_MAX: usize = 10;
/// How long ago, in seconds, in words.
const AGES: [(&str, &str); 7] = [
    ("", "now"),
    ("900", "15 minutes ago"),
    ("3600", "an hour ago"),
    ("21600", "6 hours ago"),
    ("86400", "a day ago"),
    ("259200", "3 days ago"),
    ("604800", "a week ago"),
];

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    status: String,
    #[serde(default)]
    webhook: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    r#type: String,
    /// A status, a class of them such as `5xx`, or the name of a failure.
    #[serde(default)]
    answer: String,
    /// From so many seconds ago backwards.
    #[serde(default)]
    until_s: String,
    #[serde(default)]
    before: String,
}

/// What the last attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    Status(u16),
    /// The hundreds.
    Class(u16),
    Failed(Failure),
}

pub(super) struct Wanted {
    list: ListDeliveries,
    event_type: Option<String>,
    answered: Option<Answered>,
}

/// Rows that fit, and where older ones begin.
pub(super) struct Found {
    pub(super) rows: Vec<DeliverySummary>,
    pub(super) next: Option<DeliveryId>,
}

impl Asked {
    pub(super) fn is_first(&self) -> bool {
        self.before.is_empty() && self.until_s.is_empty()
    }

    /// The address of the page that begins there.
    pub(super) fn at(&self, own: &str, before: Option<&str>) -> String {
        let Self { status, webhook, event, r#type, answer, until_s, .. } = self;
        // Who goes on from a row has a place, and needs no time.
        let until_s = if before.is_some() { "" } else { until_s };
        let filter = [
            ("status", status.as_str()),
            ("webhook", webhook),
            ("event", event),
            ("type", r#type),
            ("answer", answer),
            ("until_s", until_s),
        ];
        let filter = filter.map(|(name, value)| (name, Some(value)));
        paths::with_query(own, &[filter.as_slice(), &[("before", before)]].concat())
    }

    pub(super) async fn wanted(&self, engine: &Engine, view: &View, now: Timestamp) -> Result<Wanted, Error> {
        let workspace = view.workspace.id;
        let status = given(&self.status).map(status).transpose()?;
        let webhook = match given(&self.webhook) {
            Some(id) => Some(named("webhook", engine.webhook(workspace, id).await)?.id),
            None => None,
        };
        let event = match given(&self.event) {
            Some(id) => Some(named("event", engine.event(workspace, id).await)?.id),
            None => None,
        };
        let wrong = || Error::field("before", "must be the id of a delivery");
        let before =
            given(&self.before).map(|id| DeliveryId::from_public(id).ok_or_else(wrong)).transpose()?;
        let before = match before {
            Some(before) => Some(before),
            None => given(&self.until_s).map(|seconds| until(seconds, now)).transpose()?,
        };
        let answered = given(&self.answer).map(answered).transpose()?;
        let event_type = given(&self.r#type).map(str::to_owned);
        let list = ListDeliveries { workspace, webhook, event, status, before, limit: ROWS };
        Ok(Wanted { list, event_type, answered })
    }

    pub(super) fn form(&self, own: &str) -> Markup {
        let text = |label: &str, name: &str, value: &str| {
            html! { label { (label) " " input name=(name) value=(value) spellcheck="false" autocomplete="off"; } }
        };
        html! {
            form.line action=(own) {
                label { "Status "
                    select name="status" {
                        option value="" { "any" }
                        @for status in DeliveryStatus::ALL {
                            option value=(status.name()) selected[status.name() == self.status] { (status.name()) }
                        }
                    }
                }
                (text("Type", "type", &self.r#type))
                (text("Webhook", "webhook", &self.webhook))
                (text("Event", "event", &self.event))
                label { "Last answer " input name="answer" value=(self.answer) placeholder="500, 4xx, timeout" spellcheck="false" autocomplete="off"; }
                label { "Until "
                    select name="until_s" {
                        @for (seconds, words) in AGES { option value=(seconds) selected[seconds == self.until_s] { (words) } }
                    }
                }
                button.quiet { "Filter" }
            }
        }
    }
}

impl Wanted {
    fn takes(&self, row: &DeliverySummary) -> bool {
        self.event_type.as_ref().is_none_or(|wanted| row.event_type == *wanted)
            && self.answered.is_none_or(|wanted| row.last_outcome.is_some_and(|outcome| wanted.is(outcome)))
    }

    pub(super) async fn find(mut self, engine: &Engine) -> Result<Found, Error> {
        if self.event_type.is_none() && self.answered.is_none() {
            let found = engine.list_deliveries(self.list).await?;
            return Ok(Found { rows: found.rows, next: found.next });
        }
        self.list.limit = LOOK;
        let mut rows = Vec::new();
        for _ in 0..LOOKS_MAX {
            let found = engine.list_deliveries(self.list.clone()).await?;
            for row in found.rows {
                if self.takes(&row) {
                    rows.push(row);
                }
                if let Some(last) = rows.last().filter(|_| rows.len() == ROWS) {
                    let next = Some(last.id);
                    return Ok(Found { rows, next });
                }
            }
            if found.next.is_none() {
                return Ok(Found { rows, next: None });
            }
            self.list.before = found.next;
        }
        Ok(Found { rows, next: self.list.before })
    }
}

impl Answered {
    fn is(self, outcome: Outcome) -> bool {
        match (self, outcome) {
            (Self::Status(wanted), Outcome::Status(status)) => status == wanted,
            (Self::Class(hundreds), Outcome::Status(status)) => status / 100 == hundreds,
            (Self::Failed(wanted), Outcome::Failed(failure)) => failure == wanted,
            _ => false,
        }
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn status(name: &str) -> Result<DeliveryStatus, Error> {
    let unknown = || Error::field("status", "must be pending, delivered, failed or dropped");
    DeliveryStatus::from_name(name).ok_or_else(unknown)
}

fn answered(text: &str) -> Result<Answered, Error> {
    let lower = text.to_ascii_lowercase();
    let class = lower.strip_suffix("xx").and_then(|hundreds| hundreds.parse().ok());
    let known = match (class, lower.parse()) {
        (Some(hundreds @ 1..=5), _) => Some(Answered::Class(hundreds)),
        (None, Ok(status @ 100..=599)) => Some(Answered::Status(status)),
        _ => Failure::from_name(&lower).map(Answered::Failed),
    };
    let names = Failure::ALL.map(Failure::name).join(", ");
    known.ok_or_else(|| {
        Error::field("answer", format!("must be a status, a class such as 5xx, or one of {names}"))
    })
}

/// The place of whatever was accepted then.
fn until(seconds: &str, now: Timestamp) -> Result<DeliveryId, Error> {
    let seconds: u32 = seconds.parse().map_err(|_| Error::field("until_s", "must be a number of seconds"))?;
    let event = EventId::from_raw(first_id_at(now.plus_ms(-1_000 * i64::from(seconds))));
    Ok(DeliveryId { event, webhook: WebhookId::from_raw(0) })
}

/// A filter that names nothing is a slip of the pen; an empty list would hide it.
fn named<T>(parameter: &str, found: Result<T, Error>) -> Result<T, Error> {
    found.map_err(|error| match error.code {
        ErrorCode::NotFound => Error::field(parameter, format!("names no {parameter} of this workspace")),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_a_class_or_a_failure() {
        for (text, expected) in [
            ("500", Some(Answered::Status(500))),
            ("5xx", Some(Answered::Class(5))),
            ("4XX", Some(Answered::Class(4))),
            ("timeout", Some(Answered::Failed(Failure::Timeout))),
            ("99", None),
            ("600", None),
            ("9xx", None),
            ("xx", None),
            ("gone", None),
        ] {
            assert_eq!(answered(text).ok(), expected, "{text}");
        }
        assert!(Answered::Class(5).is(Outcome::Status(503)) && !Answered::Class(5).is(Outcome::Status(404)));
        assert!(!Answered::Status(500).is(Outcome::Failed(Failure::Reset)));
    }

    #[test]
    fn a_filter_goes_along_from_page_to_page() {
        let asked = Asked {
            status: "failed".to_owned(),
            r#type: "a&b".to_owned(),
            until_s: "900".to_owned(),
            ..Asked::default()
        };
        assert_eq!(asked.at("/d", None), "/d?status=failed&type=a%26b&until_s=900");
        assert_eq!(asked.at("/d", Some("dlv_1")), "/d?status=failed&type=a%26b&before=dlv_1");
    }
}
