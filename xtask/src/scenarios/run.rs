//! Plays one scenario: workspaces and a receiver of its own, then step after step up to the first that fails.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use signalpost_testkit::{HttpClient, Operator, Request, Response};

use super::format::{Action, Scenario, Step};
use super::judge;
use super::receipts::{Receipts, at_place};
use super::request::request_of;
use super::variables::Variables;

const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The dialect whose workspaces are called with operator keys alone.
const WITHOUT_CREDENTIALS: &str = "native";

/// Where the engine under test listens.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) public: SocketAddr,
    pub(super) operator: SocketAddr,
    pub(super) operator_key: String,
}

/// A scenario being played.
struct Play {
    public: HttpClient,
    operator: Operator,
    receipts: Receipts,
    variables: Variables,
    default_headers: Map<String, Value>,
}

/// Plays a scenario; returns the number of steps that hold. The error names the step that does not.
pub(super) fn play(scenario: &Scenario, target: &Target) -> Result<usize, String> {
    let mut play = Play::prepare(scenario, target).map_err(|error| format!("preparing: {error}"))?;
    for (index, step) in scenario.steps.iter().enumerate() {
        let outcome = play.step(step);
        outcome.map_err(|error| format!("step {}: {}\n      {error}", index + 1, step.rule))?;
    }
    Ok(scenario.steps.len())
}

impl Play {
    fn prepare(scenario: &Scenario, target: &Target) -> Result<Self, String> {
        let receipts = Receipts::start()?;
        let mut operator = Operator::new(target.operator, &target.operator_key);
        let mut variables = Variables::default();
        variables.set("receiver", json!(receipts.url()));
        for (name, body) in &scenario.workspaces {
            let mut body = body.clone();
            body["name"] = json!(format!("scenario {name}"));
            let id = operator.create_workspace(&body)?;
            variables.set(&format!("{name}.id"), json!(id));
            if body["dialect"] == WITHOUT_CREDENTIALS {
                continue;
            }
            let credential =
                operator.post(&format!("/v1/workspaces/{id}/credentials"), &json!({"name": name}))?;
            for (field, value) in credential.as_object().into_iter().flatten() {
                variables.set(&format!("{name}.credential.{field}"), value.clone());
            }
            variables.set(&format!("{name}.key"), credential["secret"].clone());
        }
        let public = HttpClient::new(target.public, CALL_TIMEOUT);
        let default_headers = scenario.headers.clone();
        Ok(Self { public, operator, receipts, variables, default_headers })
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let arguments = self.variables.fill(&step.arguments)?;
        let expect = self.variables.fill(&step.expect)?;
        match step.action {
            Action::Request | Action::Operator | Action::Publish => {
                let response = self.call_until_it_fits(step.action, &arguments, &expect)?;
                self.capture(&step.capture, &response.body, |name| response.header(name))
            }
            Action::Receive => {
                let delivery = self.receipts.take(&arguments, &expect)?;
                self.capture(&step.capture, &delivery.body, |name| delivery.header(name))
            }
            Action::ReceiveAll => self.receipts.take_all(&arguments, &expect),
            Action::ReceiveNone => self.receipts.take_none(&arguments),
            Action::Receiver => self.receipts.script(&arguments),
        }
    }

    /// Calls once, or until the answer fits when the step has a `within_ms`.
    fn call_until_it_fits(
        &mut self,
        action: Action,
        arguments: &Value,
        expect: &Value,
    ) -> Result<Response, String> {
        let deadline = Instant::now() + Duration::from_millis(expect["within_ms"].as_u64().unwrap_or(0));
        loop {
            let response = self.call(action, arguments)?;
            let problems = judge::response(&response, expect);
            if problems.is_empty() {
                return Ok(response);
            }
            if Instant::now() >= deadline {
                return Err(format!(
                    "{}\n      answer: {} {}",
                    problems.join("\n      "),
                    response.status,
                    response.text()
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn call(&mut self, action: Action, arguments: &Value) -> Result<Response, String> {
        match action {
            Action::Publish => {
                let workspace = arguments["workspace"].as_str().unwrap_or("main");
                let id = self.variables.text(&format!("{workspace}.id"))?;
                let request = Request::new("POST", &format!("/v1/workspaces/{id}/events"));
                self.operator.send(request.json(&arguments["event"]))
            }
            Action::Operator => self.operator.send(request_of(arguments, &Map::new())?),
            _ => {
                let defaults = self.variables.fill(&Value::Object(self.default_headers.clone()))?;
                let request = request_of(arguments, defaults.as_object().unwrap_or(&Map::new()))?;
                self.public.send(&request).map_err(|error| format!("no answer: {error}"))
            }
        }
    }

    fn capture<'a>(
        &mut self,
        capture: &Map<String, Value>,
        body: &[u8],
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), String> {
        for (name, place) in capture {
            let place = place.as_str().ok_or_else(|| format!("capture `{name}` is not a text"))?;
            let value =
                at_place(place, body, &header).map_err(|error| format!("nothing to capture: {error}"))?;
            self.variables.set(name, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use signalpost_testkit::{Answer, Receiver, Recorded};

    use super::*;

    /// A stand-in for the engine: both sides at one address; an event is delivered, unsigned, to the URL in its data.
    fn engine() -> (Receiver, Target) {
        let handler = |request: Recorded| {
            let (status, body) = match (request.method.as_str(), request.path.as_str()) {
                ("POST", "/v1/workspaces") if request.json()["dialect"] == "native" => {
                    (201, json!({"id": "w0"}))
                }
                ("POST", "/v1/workspaces") => (201, json!({"id": "w1"})),
                ("POST", "/v1/workspaces/w1/credentials") => (201, json!({"id": "c1", "secret": "k1"})),
                ("POST", "/v1/workspaces/w1/events") => {
                    deliver(&request.json()["data"]);
                    (202, json!({"deliveries": 1}))
                }
                ("GET", "/whoami") => (200, json!({"key": request.header("x-api-key"), "extra": 1})),
                _ => (404, json!({})),
            };
            let mut answer = Answer::status(status);
            answer.body = body.to_string().into_bytes();
            answer
        };
        let receiver = Receiver::start(Arc::new(handler)).expect("a loopback port");
        let address = receiver.address();
        (receiver, Target { public: address, operator: address, operator_key: "o".to_owned() })
    }

    fn deliver(data: &Value) {
        let url = data["url"].as_str().expect("the test says where");
        let (host, path) = url["http://".len()..].split_once('/').expect("a path");
        let mut client = HttpClient::new(host.parse().expect("an address"), CALL_TIMEOUT);
        client.send(&Request::new("POST", &format!("/{path}")).json(data)).expect("the receiver answers");
    }

    fn play_steps(steps: &Value) -> Result<usize, String> {
        let (_engine, target) = engine();
        let text = json!({
            "about": "x",
            "workspaces": {"main": {"dialect": "d"}, "keyless": {"dialect": "native"}},
            "headers": {"X-API-Key": "${main.key}"},
            "steps": steps,
        });
        play(&Scenario::parse(&text.to_string())?, &target)
    }

    #[test]
    fn calls_captures_and_deliveries_work_together() {
        let whoami = json!({"method": "GET", "path": "/whoami"});
        let event = json!({"type": "t", "data": {"url": "${receiver}/hook", "seen": "${seen}"}});
        let other = json!({"type": "t", "data": {"url": "${receiver}/hook", "seen": "other"}});
        let steps = json!([
            {"rule": "default headers", "request": whoami, "expect": {"status": 200, "body": {"key": "k1"}},
             "capture": {"seen": "/key"}},
            {"rule": "a header left out", "request": {"method": "GET", "path": "/whoami", "headers": {"x-api-key": null}},
             "expect": {"status": 200, "body": {"key": null}}},
            {"rule": "publish", "publish": {"event": event}, "expect": {"status": 202, "body": {"deliveries": 1}}},
            {"rule": "receive", "receive": {"path": "/hook"}, "expect": {"body": {"seen": "k1"}}},
            {"rule": "no more", "receive_none": {"path": "/hook", "for_ms": 10}},
            {"rule": "publish", "publish": {"event": event}, "expect": {"status": 202}},
            {"rule": "again, failing at first", "receiver": {"path": "/hook", "next": [{"status": 500, "times": 1}]}},
            {"rule": "publish another", "publish": {"event": other}, "expect": {"status": 202}},
            {"rule": "both", "receive_all": {"path": "/hook", "count": 2, "distinct": "/seen", "for_ms": 10},
             "expect": {"body": {"seen": {"$any": true}}}},
        ]);
        assert_eq!(play_steps(&steps), Ok(9));
    }

    #[test]
    fn each_kind_of_step_can_fail() {
        let event = json!({"type": "t", "data": {"url": "${receiver}/hook"}});
        let publish = json!({"rule": "publish", "publish": {"event": event}, "expect": {"status": 202}});
        let signature = json!({"header": "x-s", "value": "{signature}", "content": "{body}", "encoding": "hex", "key": "text"});
        let table = [
            json!([{"rule": "r", "request": {"method": "GET", "path": "/whoami"}, "expect": {"status": 201}}]),
            json!([{"rule": "r", "request": {"method": "GET", "path": "/whoami"},
                    "expect": {"status": 200, "body": {"extra": {"$absent": true}}}}]),
            json!([{"rule": "r", "request": {"method": "GET", "path": "/whoami"},
                    "expect": {"status": 200, "headers": {"x-y": "z"}}}]),
            json!([{"rule": "r", "request": {"method": "GET", "path": "/whoami"},
                    "expect": {"status": 200, "empty_body": true}}]),
            json!([{"rule": "r", "receive": {"path": "/hook"}, "expect": {"within_ms": 10}}]),
            json!([publish, {"rule": "r", "receive_none": {"path": "/hook", "for_ms": 10}}]),
            json!([publish, {"rule": "r", "receive": {"path": "/hook", "secret": "s", "signature": signature}}]),
            json!([publish, {"rule": "r", "receive": {"path": "/hook"}, "capture": {"x": "/nowhere"}}]),
            json!([publish, {"rule": "r", "receive_all": {"path": "/hook", "count": 2}, "expect": {"within_ms": 10}}]),
            json!([publish, publish, {"rule": "r", "receive_all": {"path": "/hook", "count": 1, "for_ms": 10}}]),
            json!([publish, publish, {"rule": "r", "receive_all": {"path": "/hook", "count": 2, "distinct": "/url"}}]),
            json!([publish, {"rule": "r", "receive_all": {"path": "/hook", "count": 1, "for_ms": 10},
                             "expect": {"body": {"url": "elsewhere"}}}]),
            json!([{"rule": "r", "receiver": {"path": "/hook", "next": [{"status": 500, "time": 2}]}}]),
            json!([{"rule": "r", "request": {"method": "GET", "path": "/${unknown}"}, "expect": {"status": 404}}]),
        ];
        for steps in table {
            assert!(play_steps(&steps).is_err(), "{steps}");
        }
    }
}
