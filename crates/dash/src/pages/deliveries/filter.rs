//! Which deliveries are asked for. The filter lives in the address, so that it can be passed on.

use serde::Deserialize;
use signalpost_core::attempt::{Failure, Outcome};
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{DeliveryId, EventId, WebhookId, first_id_at};
use signalpost_core::time::Timestamp;
use signalpost_engine::{DeliveryPage, DeliverySummary, Engine, ListDeliveries, View};

use crate::look::when::When;
use crate::paths;

pub(super) const ROWS: usize = 50;
/// What the store has no index for is looked for in so many rows, this many times, and then the reader says whether to go on.
const LOOK: usize = 200;
const LOOKS_MAX: usize = 10;
/// As it stands in the address, in the words of the form.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) webhook: String,
    #[serde(default)]
    pub(super) event: String,
    #[serde(default)]
    pub(super) r#type: String,
    /// A status, a class of them such as `5xx`, or the name of a failure.
    #[serde(default)]
    pub(super) answer: String,
    /// When events were accepted: from then on,
    #[serde(default)]
    pub(super) since: String,
    /// and before then.
    #[serde(default)]
    pub(super) until: String,
    /// The last row of the page before.
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
    /// Where the list ends.
    since: Option<DeliveryId>,
}

/// Rows that fit, and where older ones begin.
pub(super) struct Found {
    pub(super) rows: Vec<DeliverySummary>,
    pub(super) next: Option<DeliveryId>,
}

impl Asked {
    /// Whether the newest of all are asked for, which change while somebody looks.
    pub(super) fn is_newest(&self) -> bool {
        self.before.is_empty() && self.until.is_empty()
    }

    /// The address of the first page, for who has gone on from it.
    pub(super) fn first(&self, own: &str) -> Option<String> {
        given(&self.before).map(|_| self.at(own, None))
    }

    /// The address of the page that begins there.
    pub(super) fn at(&self, own: &str, before: Option<&str>) -> String {
        let Self { status, webhook, event, r#type, answer, since, until, .. } = self;
        let filter = [
            ("status", status.as_str()),
            ("webhook", webhook),
            ("event", event),
            ("type", r#type),
            ("answer", answer),
            ("since", since),
            ("until", until),
        ];
        let filter = filter.map(|(name, value)| (name, given(value)));
        paths::with_query(own, &[filter.as_slice(), &[("before", before)]].concat())
    }

    /// The address of the same where it says how long ago: one that means the same tomorrow.
    pub(super) fn settled(&self, own: &str, now: Timestamp) -> Option<String> {
        let settle = |text: &str| match When::read(given(text)?) {
            Ok(age @ When::Ago { .. }) => Some(age.at(now).to_rfc3339_s()),
            _ => None,
        };
        let (since, until) = (settle(&self.since), settle(&self.until));
        if since.is_none() && until.is_none() {
            return None;
        }
        let mut settled = self.clone();
        settled.since = since.unwrap_or(settled.since);
        settled.until = until.unwrap_or(settled.until);
        Some(settled.at(own, given(&self.before)))
    }

    /// `Invalid` with everything that is wrong, at the fields of the form.
    pub(super) async fn wanted(&self, engine: &Engine, view: &View, now: Timestamp) -> Result<Wanted, Error> {
        let workspace = view.workspace.id;
        let mut errors = FieldErrors::default();
        let status = errors.take("status", given(&self.status).map(status).transpose()).flatten();
        let webhook = match given(&self.webhook) {
            Some(id) => errors.take("webhook", named("webhook", engine.webhook(workspace, id).await)?),
            None => None,
        };
        let event = match given(&self.event) {
            Some(id) => errors.take("event", named("event", engine.event(workspace, id).await)?),
            None => None,
        };
        let answered = errors.take("answer", given(&self.answer).map(answered).transpose()).flatten();
        let time = |text| given(text).map(|text| When::read(text).map(|when| when.at(now))).transpose();
        let since = errors.take("since", time(&self.since)).flatten();
        let until = errors.take("until", time(&self.until)).flatten();
        if since.is_some_and(|since| until.is_some_and(|until| since >= until)) {
            errors.push("since", "must lie before the end");
        }
        let before = errors.take("before", given(&self.before).map(row).transpose()).flatten();
        errors.into_result()?;
        let list = ListDeliveries {
            workspace,
            webhook: webhook.map(|webhook| webhook.id),
            event: event.map(|event| event.id),
            status,
            before: before.into_iter().chain(until.map(first_at)).min(),
            limit: ROWS,
        };
        let event_type = given(&self.r#type).map(str::to_owned);
        Ok(Wanted { list, event_type, answered, since: since.map(first_at) })
    }
}

impl Wanted {
    fn takes(&self, row: &DeliverySummary) -> bool {
        self.event_type.as_ref().is_none_or(|wanted| row.event_type == *wanted)
            && self.answered.is_none_or(|wanted| row.last_outcome.is_some_and(|outcome| wanted.is(outcome)))
    }

    /// A part of the list, down to where it ends.
    async fn look(&self, engine: &Engine) -> Result<Found, Error> {
        let DeliveryPage { mut rows, mut next } = engine.list_deliveries(self.list.clone()).await?;
        if let Some(since) = self.since {
            rows.retain(|row| row.id >= since);
            next = next.filter(|next| *next > since);
        }
        Ok(Found { rows, next })
    }

    pub(super) async fn find(mut self, engine: &Engine) -> Result<Found, Error> {
        if self.event_type.is_none() && self.answered.is_none() {
            return self.look(engine).await;
        }
        self.list.limit = LOOK;
        let mut rows = Vec::new();
        for _ in 0..LOOKS_MAX {
            let found = self.look(engine).await?;
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

fn status(name: &str) -> Result<DeliveryStatus, String> {
    DeliveryStatus::from_name(name).ok_or_else(|| "must be pending, delivered, failed or dropped".to_owned())
}

fn row(id: &str) -> Result<DeliveryId, String> {
    DeliveryId::from_public(id).ok_or_else(|| "must be the id of a delivery".to_owned())
}

fn answered(text: &str) -> Result<Answered, String> {
    let lower = text.to_ascii_lowercase();
    let class = lower.strip_suffix("xx").and_then(|hundreds| hundreds.parse().ok());
    let known = match (class, lower.parse()) {
        (Some(hundreds @ 1..=5), _) => Some(Answered::Class(hundreds)),
        (None, Ok(status @ 100..=599)) => Some(Answered::Status(status)),
        _ => Failure::from_name(&lower).map(Answered::Failed),
    };
    let names = Failure::ALL.map(Failure::name).join(", ");
    known.ok_or_else(|| format!("must be a status, a class such as 5xx, or one of {names}"))
}

/// The place before all that was accepted from then on.
fn first_at(at: Timestamp) -> DeliveryId {
    DeliveryId { event: EventId::from_raw(first_id_at(at)), webhook: WebhookId::from_raw(0) }
}

/// A filter that names nothing is a slip of the pen; an empty list would hide it.
fn named<T>(what: &str, found: Result<T, Error>) -> Result<Result<T, String>, Error> {
    match found {
        Err(error) if error.code == ErrorCode::NotFound => {
            Ok(Err(format!("names no {what} of this workspace")))
        }
        found => found.map(Ok),
    }
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
    fn a_filter_goes_along_from_page_to_page_and_back() {
        let filter = "/d?status=failed&type=a%26b&since=2026-05-05&until=2026-05-06T10%3A06%3A46Z";
        let mut asked = Asked {
            status: "failed".to_owned(),
            r#type: "a&b".to_owned(),
            since: "2026-05-05".to_owned(),
            until: "2026-05-06T10:06:46Z".to_owned(),
            ..Asked::default()
        };
        assert_eq!(asked.at("/d", None), filter);
        assert_eq!(asked.at("/d", Some("dlv_1")), format!("{filter}&before=dlv_1"));
        assert_eq!(asked.first("/d"), None, "nobody goes on from there");
        asked.before = "dlv_1".to_owned();
        assert_eq!(asked.first("/d").as_deref(), Some(filter));
    }

    #[test]
    fn how_long_ago_becomes_an_instant_that_stays() {
        let now = Timestamp::from_ms(1_777_975_606_150);
        let asked = |since: &str, until: &str, before: &str| {
            let [since, until, before] = [since, until, before].map(str::to_owned);
            Asked { since, until, before, ..Asked::default() }
        };
        assert_eq!(asked("2026-05-05", "2026-05-06T10:06Z", "").settled("/d", now), None);
        assert_eq!(asked("", "", "dlv_1").settled("/d", now), None);
        assert_eq!(asked("yesterday", "", "").settled("/d", now), None, "it is said at its field");
        let table = [
            (asked("1d", "", "dlv_1"), "/d?since=2026-05-04T10%3A06%3A46Z&before=dlv_1"),
            (asked("2026-05-05", "1m", ""), "/d?since=2026-05-05&until=2026-05-05T10%3A05%3A46Z"),
        ];
        for (asked, expected) in table {
            assert_eq!(asked.settled("/d", now).as_deref(), Some(expected));
        }
    }
}
