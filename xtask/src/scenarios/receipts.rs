//! The steps that look at a scenario's own receiver: what came there, what did not, and how it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use signalpost_testkit::{Answer, Recorded, ScriptedReceiver, wait_for_some};

use super::judge;
use crate::signature::Scheme;

const RECEIVE_WITHIN_MS: u64 = 10_000;
const NONE_FOR_MS: u64 = 1_000;
/// Answers that one entry of a script may stand for.
const TIMES_MAX: u64 = 1_000;

/// A receiver and what has been taken from it.
pub(super) struct Receipts {
    receiver: ScriptedReceiver,
    /// Deliveries taken so far, by path.
    taken: BTreeMap<String, usize>,
}

impl Receipts {
    pub(super) fn start() -> Result<Self, String> {
        let receiver = ScriptedReceiver::start().map_err(|error| format!("no receiver: {error}"))?;
        Ok(Self { receiver, taken: BTreeMap::new() })
    }

    pub(super) fn url(&self) -> String {
        self.receiver.url("")
    }

    /// Takes the next delivery, which must be as expected.
    pub(super) fn take(&mut self, arguments: &Value, expect: &Value) -> Result<Arc<Recorded>, String> {
        let path = path_of(arguments)?;
        let delivery = self.wait_for_next(&path, within(expect))?;
        check(&delivery, arguments, expect)?;
        Ok(delivery)
    }

    /// Takes exactly so many deliveries, in any order; each must be as expected, and no more may come.
    pub(super) fn take_all(&mut self, arguments: &Value, expect: &Value) -> Result<(), String> {
        let path = path_of(arguments)?;
        let count = arguments["count"].as_u64().ok_or("has no `count`")?;
        let mut seen = BTreeSet::new();
        for number in 1..=count {
            let delivery = self.wait_for_next(&path, within(expect))?;
            check(&delivery, arguments, expect).map_err(|error| format!("delivery {number}: {error}"))?;
            if let Some(place) = arguments["distinct"].as_str() {
                let found = at_place(place, &delivery.body, |name| delivery.header(name))?;
                if !seen.insert(found.to_string()) {
                    return Err(format!("delivery {number}: {found} at `{place}` comes a second time"));
                }
            }
        }
        self.take_none(arguments)
    }

    pub(super) fn take_none(&self, arguments: &Value) -> Result<(), String> {
        let path = path_of(arguments)?;
        let taken = self.taken.get(&path).copied().unwrap_or_default();
        let patience = Duration::from_millis(arguments["for_ms"].as_u64().unwrap_or(NONE_FOR_MS));
        match wait_for_some("", patience, || self.receiver.requests(&path).get(taken).cloned()) {
            Err(_) => Ok(()),
            Ok(delivery) => Err(format!("a delivery came: {}", String::from_utf8_lossy(&delivery.body))),
        }
    }

    pub(super) fn script(&self, arguments: &Value) -> Result<(), String> {
        let path = path_of(arguments)?;
        for entry in arguments["next"].as_array().into_iter().flatten() {
            let times = entry["times"].as_u64().unwrap_or(1);
            if !(1..=TIMES_MAX).contains(&times) {
                return Err(format!("`times` must be from 1 to {TIMES_MAX}"));
            }
            let answer = answer_of(entry)?;
            self.receiver.answer_next(&path, (0..times).map(|_| answer.clone()));
        }
        if !arguments["always"].is_null() {
            self.receiver.answer_always(&path, answer_of(&arguments["always"])?);
        }
        Ok(())
    }

    fn wait_for_next(&mut self, path: &str, within: Duration) -> Result<Arc<Recorded>, String> {
        let index = self.taken.entry(path.to_owned()).or_default();
        let delivery = self.receiver.wait_for(path, *index, within)?;
        *index += 1;
        Ok(delivery)
    }
}

fn check(delivery: &Recorded, arguments: &Value, expect: &Value) -> Result<(), String> {
    let mut problems = Vec::new();
    let method = expect["method"].as_str().unwrap_or("POST");
    if delivery.method != method {
        problems.push(format!("the method is {}, expected {method}", delivery.method));
    }
    problems.extend(judge::parts(&delivery.headers, &delivery.body, expect));
    if !arguments["signature"].is_null() {
        let secret = arguments["secret"].as_str().ok_or("a signature needs a `secret`")?;
        problems.extend(Scheme::from_json(&arguments["signature"])?.verify(secret, delivery).err());
    }
    if problems.is_empty() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&delivery.body);
    Err(format!("{}\n      delivery: {:?} {body}", problems.join("\n      "), delivery.headers))
}

fn within(expect: &Value) -> Duration {
    Duration::from_millis(expect["within_ms"].as_u64().unwrap_or(RECEIVE_WITHIN_MS))
}

/// What stands at a JSON pointer of the body, in `header:<name>`, or for `raw` the body's text.
pub(super) fn at_place<'a>(
    place: &str,
    body: &[u8],
    header: impl Fn(&str) -> Option<&'a str>,
) -> Result<Value, String> {
    let text = String::from_utf8_lossy(body);
    let found = match (place, place.strip_prefix("header:")) {
        ("raw", _) => Some(json!(text)),
        (_, Some(wanted)) => header(wanted).map(|value| json!(value)),
        _ => serde_json::from_slice::<Value>(body).ok().and_then(|json| json.pointer(place).cloned()),
    };
    found.ok_or_else(|| format!("there is no `{place}` in {text}"))
}

fn path_of(arguments: &Value) -> Result<String, String> {
    arguments["path"].as_str().map(str::to_owned).ok_or_else(|| "has no `path`".to_owned())
}

const ANSWER_KEYS: &[&str] = &["status", "headers", "delay_ms", "times"];

/// `{"status": 503, "headers": {..}, "delay_ms": 10}`.
fn answer_of(json: &Value) -> Result<Answer, String> {
    let fields: &Map<String, Value> = json.as_object().ok_or("an answer is an object")?;
    if let Some(key) = fields.keys().find(|key| !ANSWER_KEYS.contains(&key.as_str())) {
        return Err(format!("`{key}` is nothing that an answer has: {}", ANSWER_KEYS.join(", ")));
    }
    let status = json["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let mut answer = Answer::status(status.ok_or_else(|| format!("an answer needs a status: {json}"))?);
    for (name, value) in json["headers"].as_object().into_iter().flatten() {
        answer = answer.header(name, value.as_str().ok_or("a header's value is a text")?);
    }
    Ok(answer.after(Duration::from_millis(json["delay_ms"].as_u64().unwrap_or(0))))
}
