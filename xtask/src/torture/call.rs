//! One call that publishes: its events, how they are written and named, and what its answer says.

use serde_json::Value;
use signalpost_testkit::{Request, Response, Rng};

use super::events::{NATIVE, producer_id, to_json};

/// How a call is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Single,
    Array,
    Lines,
}

/// How a call can be repeated without publishing twice.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// By an `Idempotency-Key`.
    Key(String),
    /// By ids that the producer gives its events.
    EventIds,
    /// Not at all: what was not answered stays unknown.
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) workspace: usize,
    pub(super) first: u32,
    pub(super) count: u32,
    form: Form,
    name: Name,
}

/// What the server said about one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) id: String,
    pub(super) sequence: u64,
    pub(super) targets: u32,
}

/// Events of a batch.
const ARRAY_EVENTS: u32 = 5;
const LINES_EVENTS: u32 = 10;

impl Call {
    /// Draws form, workspace and name; of ten calls eight are single. Returns the number of events with the rest of it, which
    /// follows once numbers were taken.
    pub(super) fn draw(rng: &mut Rng, workspaces: usize) -> (u32, impl FnOnce(u32) -> Self + use<>) {
        let (form, count) = match rng.below(10) {
            0..8 => (Form::Single, 1),
            8 => (Form::Array, ARRAY_EVENTS),
            _ => (Form::Lines, LINES_EVENTS),
        };
        let workspace = usize::try_from(rng.below(workspaces as u64)).unwrap_or(NATIVE);
        let (nonce, draw) = (rng.next_u64(), rng.below(10));
        let finish = move |first| {
            let name = match draw {
                0..6 => Name::Key(format!("torture-{first}-{nonce:016x}")),
                6..9 => Name::EventIds,
                _ => Name::Nothing,
            };
            Self { workspace, first, count, form, name }
        };
        (count, finish)
    }

    pub(super) fn can_be_repeated(&self) -> bool {
        self.name != Name::Nothing
    }

    pub(super) fn numbers(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.count
    }

    pub(super) fn request(&self, workspace_id: &str, key: &str) -> Request {
        let path = format!("/v1/workspaces/{workspace_id}/events");
        let request = |path: &str| {
            let request = Request::new("POST", path).header("authorization", &format!("Bearer {key}"));
            match &self.name {
                Name::Key(name) => request.header("idempotency-key", name),
                Name::EventIds | Name::Nothing => request,
            }
        };
        let events = self.numbers().map(|number| self.event(number));
        match self.form {
            Form::Single => request(&path).json(&self.event(self.first)),
            Form::Array => request(&format!("{path}/batch")).json(&Value::Array(events.collect())),
            Form::Lines => {
                let lines: String = events.map(|event| format!("{event}\n")).collect();
                let mut request =
                    request(&format!("{path}/batch")).header("content-type", "application/x-ndjson");
                request.body = lines.into_bytes();
                request
            }
        }
    }

    fn event(&self, number: u32) -> Value {
        let mut event = to_json(self.workspace, number);
        if self.name == Name::EventIds {
            event["id"] = Value::from(producer_id(number));
        }
        event
    }

    /// The receipts of an acknowledgement, one for each event in their order.
    pub(super) fn receipts(&self, response: &Response) -> Result<Vec<Receipt>, String> {
        let answer = response.json();
        let receipts: Vec<Receipt> = match self.form {
            Form::Single => receipt(&answer).into_iter().collect(),
            Form::Array | Form::Lines => {
                answer["events"].as_array().into_iter().flatten().filter_map(receipt).collect()
            }
        };
        if receipts.len() == self.count as usize {
            return Ok(receipts);
        }
        Err(format!("{} events were acknowledged with {}", self.count, response.text()))
    }
}

fn receipt(json: &Value) -> Option<Receipt> {
    Some(Receipt {
        id: json["id"].as_str()?.to_owned(),
        sequence: json["sequence"].as_u64()?,
        targets: u32::try_from(json["deliveries"].as_u64()?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(form: Form, name: Name) -> Call {
        let count = if form == Form::Single { 1 } else { 2 };
        Call { workspace: 0, first: 4, count, form, name }
    }

    #[test]
    fn calls_are_written_as_documented() {
        let single = call(Form::Single, Name::Key("k".to_owned())).request("ws", "key");
        assert_eq!(single.path, "/v1/workspaces/ws/events");
        assert!(single.headers.contains(&("idempotency-key".to_owned(), "k".to_owned())));
        let lines = call(Form::Lines, Name::EventIds).request("ws", "key");
        let text = String::from_utf8(lines.body).expect("JSON is UTF-8");
        assert_eq!((lines.path.as_str(), text.lines().count()), ("/v1/workspaces/ws/events/batch", 2));
        assert!(text.contains("\"id\":\"torture-4\"") && text.contains("\"id\":\"torture-5\""));
        let array = call(Form::Array, Name::Nothing).request("ws", "key");
        let array: Value = serde_json::from_slice(&array.body).expect("it is JSON");
        assert!(array[1]["id"].is_null() && array[1]["data"]["number"] == 5);
    }

    #[test]
    fn an_acknowledgement_has_a_receipt_for_each_event() {
        let response =
            |body: &str| Response { status: 202, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let one = r#"{"id":"e","sequence":7,"deliveries":2}"#;
        let receipts = call(Form::Single, Name::Nothing).receipts(&response(one));
        assert_eq!(receipts, Ok(vec![Receipt { id: "e".to_owned(), sequence: 7, targets: 2 }]));
        assert!(call(Form::Single, Name::Nothing).receipts(&response("{\"id\":\"e\"}")).is_err());
        let array = call(Form::Array, Name::Nothing);
        assert!(array.receipts(&response(&format!("{{\"events\":[{one},{one}]}}"))).is_ok());
        assert!(array.receipts(&response(&format!("{{\"events\":[{one}]}}"))).is_err());
    }

    #[test]
    fn every_form_and_name_is_drawn() {
        let mut rng = Rng::new(3);
        let calls: Vec<Call> = (0..200)
            .map(|_| {
                let (count, finish) = Call::draw(&mut rng, 3);
                let call = finish(10);
                assert_eq!(call.numbers(), 10..10 + count);
                call
            })
            .collect();
        for form in [Form::Single, Form::Array, Form::Lines] {
            assert!(calls.iter().any(|call| call.form == form && call.can_be_repeated()), "{form:?}");
        }
        assert!(calls.iter().any(|call| !call.can_be_repeated()));
        assert!((0..3).all(|workspace| calls.iter().any(|call| call.workspace == workspace)));
    }
}
