//! The server's side of the story: its own list of deliveries, read page by page once nothing is pending any more.

use std::collections::HashMap;

use serde_json::Value;
use signalpost_testkit::Operator;

use super::book::{Book, fingerprint};
use super::events::{AGENTS, NATIVE};
use super::ledger::{Arrival, Hook};

const PAGE_ROWS: usize = 250;
/// Events that are asked for by themselves because nobody here knows their ids: those of calls that were not answered.
const ASKED_MAX: usize = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Pending,
    Delivered,
    Failed,
    DroppedByDisabling,
    DroppedByDeletion,
}

/// One delivery as the server lists it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) number: u32,
    pub(super) hook: u16,
    pub(super) status: Status,
}

/// The server's record.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) deliveries: Vec<Listed>,
    /// Outcomes of the attempts of deliveries that failed, in their order: an HTTP status in digits, or a class.
    pub(super) failed: HashMap<(u32, u16), Vec<String>>,
    /// Deliveries of events that nobody published, or for webhooks that nobody made.
    pub(super) foreign: Vec<String>,
}

/// Names as the server uses them, and what they stand for here.
struct Names {
    hooks: HashMap<String, u16>,
    events: HashMap<u64, u32>,
}

impl Record {
    pub(super) fn read(
        operator: &mut Operator,
        workspaces: &[String],
        book: &Book,
        hooks: &[Hook],
        arrivals: &[Arrival],
    ) -> Result<Self, String> {
        let mut names = Names::new(book, hooks, arrivals);
        let mut record = Self::default();
        let mut asked = 0;
        for workspace in workspaces {
            let mut cursor = String::new();
            loop {
                let path = format!("/v1/workspaces/{workspace}/deliveries?limit={PAGE_ROWS}{cursor}");
                let page = operator.get(&path)?;
                for row in page["data"].as_array().into_iter().flatten() {
                    let event = row["event"].as_str().unwrap_or_default();
                    if !names.events.contains_key(&fingerprint(event)) && asked < ASKED_MAX {
                        asked += 1;
                        names.ask(operator, workspace, event)?;
                    }
                    record.enter(operator, &names, row)?;
                }
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
        }
        Ok(record)
    }

    fn enter(&mut self, operator: &mut Operator, names: &Names, row: &Value) -> Result<(), String> {
        let number = names.events.get(&fingerprint(row["event"].as_str().unwrap_or_default()));
        let hook = row["webhook"].as_str().and_then(|id| names.hooks.get(id));
        let (Some(number), Some(hook)) = (number.copied(), hook.copied()) else {
            self.foreign.push(row.to_string());
            return Ok(());
        };
        let status = status_of(row).ok_or_else(|| format!("a delivery with a strange status: {row}"))?;
        self.deliveries.push(Listed { number, hook, status });
        if status == Status::Failed {
            let id = row["id"].as_str().unwrap_or_default();
            let delivery = operator.get(&format!("/v1/deliveries/{id}"))?;
            self.failed.insert((number, hook), outcomes_of(&delivery));
        }
        Ok(())
    }
}

impl Names {
    fn new(book: &Book, hooks: &[Hook], arrivals: &[Arrival]) -> Self {
        let places = (0u16..).zip(hooks);
        let hook_names = places.filter_map(|(place, hook)| Some((hook.id.clone()?, place))).collect();
        // Of what was not answered the arrivals tell the id, where they carry it.
        let carries_id = |arrival: &&Arrival| {
            let hook = hooks.get(usize::from(arrival.hook));
            hook.is_some_and(|hook| matches!(hook.workspace, NATIVE | AGENTS))
        };
        let told = arrivals.iter().filter(carries_id).map(|arrival| (arrival.wire_id, arrival.number));
        let answered = book.events().filter(|event| !event.id.is_empty());
        let events = told.chain(answered.map(|event| (fingerprint(&event.id), event.number))).collect();
        Self { hooks: hook_names, events }
    }

    fn ask(&mut self, operator: &mut Operator, workspace: &str, event: &str) -> Result<(), String> {
        let found = operator.get(&format!("/v1/workspaces/{workspace}/events/{event}"))?;
        let number = found["data"]["number"].as_u64().and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number {
            self.events.insert(fingerprint(event), number);
        }
        Ok(())
    }
}

fn status_of(row: &Value) -> Option<Status> {
    Some(match (row["status"].as_str()?, row["dropped_reason"].as_str()) {
        ("pending", _) => Status::Pending,
        ("delivered", _) => Status::Delivered,
        ("failed", _) => Status::Failed,
        ("dropped", Some("webhook_disabled")) => Status::DroppedByDisabling,
        ("dropped", Some("webhook_deleted")) => Status::DroppedByDeletion,
        _ => return None,
    })
}

fn outcomes_of(delivery: &Value) -> Vec<String> {
    let attempts = delivery["attempts"].as_array().into_iter().flatten();
    let outcome = |attempt: &Value| match attempt["http_status"].as_u64() {
        Some(status) => status.to_string(),
        None => attempt["outcome"].as_str().unwrap_or("unknown").to_owned(),
    };
    attempts.map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_read_strictly() {
        let dropped = |reason: &str| status_of(&json!({"status": "dropped", "dropped_reason": reason}));
        assert_eq!(dropped("webhook_deleted"), Some(Status::DroppedByDeletion));
        assert_eq!(dropped("webhook_disabled"), Some(Status::DroppedByDisabling));
        assert_eq!(dropped("bored"), None);
        assert_eq!(
            status_of(&json!({"status": "delivered", "dropped_reason": null})),
            Some(Status::Delivered)
        );
        let attempts = json!({"attempts": [
            {"outcome": "status", "http_status": 500}, {"outcome": "timeout", "http_status": null}
        ]});
        assert_eq!(outcomes_of(&attempts), ["500", "timeout"]);
    }
}
