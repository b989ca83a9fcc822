//! Scenario files as data: read strictly, so that a misspelt expectation cannot pass unnoticed.

use serde_json::{Map, Value};

/// One file: what it needs, and steps in order.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) about: String,
    /// Lines of a configuration file; with any, the scenario has a server of its own that is started with it.
    pub(super) config: Vec<String>,
    /// Name to the body of `POST /v1/workspaces`.
    pub(super) workspaces: Map<String, Value>,
    /// Added to every request to the public side that does not set them itself.
    pub(super) headers: Map<String, Value>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Step {
    /// Where in the contract the rule stands, and what it says.
    pub(super) rule: String,
    pub(super) action: Action,
    pub(super) arguments: Value,
    pub(super) expect: Value,
    /// Name to JSON pointer into the answer's or delivery's body, `header:<name>`, or `raw` for the body's text.
    pub(super) capture: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A call of the public side.
    Request,
    /// A call of the operator side.
    Operator,
    /// An event for a workspace.
    Publish,
    /// The next delivery at the scenario's receiver.
    Receive,
    /// So many deliveries in any order, and no more within a time.
    ReceiveAll,
    /// No further delivery within a time.
    ReceiveNone,
    /// How the receiver answers from now on.
    Receiver,
}

const CALL_ARGUMENTS: &[&str] = &["method", "path", "query", "headers", "body", "form", "raw_body"];

/// An action's name, the arguments it takes and whether an answer can be expected and captured.
const ACTIONS: &[(&str, Action, &[&str])] = &[
    ("request", Action::Request, CALL_ARGUMENTS),
    ("operator", Action::Operator, CALL_ARGUMENTS),
    ("publish", Action::Publish, &["workspace", "event"]),
    ("receive", Action::Receive, &["path", "secret", "signature"]),
    ("receive_all", Action::ReceiveAll, &["path", "count", "distinct", "for_ms", "secret", "signature"]),
    ("receive_none", Action::ReceiveNone, &["path", "for_ms"]),
    ("receiver", Action::Receiver, &["path", "next", "always"]),
];

const SCENARIO_KEYS: &[&str] = &["about", "config", "workspaces", "headers", "steps"];
const EXPECT_KEYS: &[&str] = &[
    "status",
    "headers",
    "header_names",
    "body",
    "raw_body",
    "empty_body",
    "keys_in_order",
    "within_ms",
    "method",
];

impl Scenario {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        let object = json.as_object().ok_or("is not an object")?;
        known(object, SCENARIO_KEYS)?;
        let steps = json["steps"].as_array().filter(|steps| !steps.is_empty()).ok_or("has no steps")?;
        let steps = steps
            .iter()
            .enumerate()
            .map(|(index, step)| Step::parse(step).map_err(|error| format!("step {}: {error}", index + 1)));
        Ok(Self {
            about: json["about"].as_str().ok_or("has no `about`")?.to_owned(),
            config: lines(&json["config"])?,
            workspaces: fields(&json, "workspaces")?,
            headers: fields(&json, "headers")?,
            steps: steps.collect::<Result<_, _>>()?,
        })
    }
}

impl Step {
    fn parse(json: &Value) -> Result<Self, String> {
        let object = json.as_object().ok_or("is not an object")?;
        let rule = json["rule"].as_str().ok_or("has no `rule`")?.to_owned();
        let mut named = ACTIONS.iter().filter(|(name, ..)| object.contains_key(*name));
        let (Some((name, action, takes)), None) = (named.next(), named.next()) else {
            return Err("has not exactly one action; contracts/README.md lists them".to_owned());
        };
        known(object, &["rule", name, "expect", "capture"])?;
        known(json[*name].as_object().ok_or("the action is not an object")?, takes)?;
        let expect = fields(json, "expect")?;
        known(&expect, EXPECT_KEYS)?;
        let answered = matches!(action, Action::Request | Action::Operator | Action::Publish);
        if answered && !expect.contains_key("status") {
            return Err("expects no `status`".to_owned());
        }
        let capture = fields(json, "capture")?;
        Ok(Self {
            rule,
            action: *action,
            arguments: json[*name].clone(),
            expect: Value::Object(expect),
            capture,
        })
    }
}

/// An object's field that is an object, empty when it is absent.
fn fields(json: &Value, name: &str) -> Result<Map<String, Value>, String> {
    match &json[name] {
        Value::Null => Ok(Map::new()),
        Value::Object(fields) => Ok(fields.clone()),
        _ => Err(format!("`{name}` is not an object")),
    }
}

/// An array of texts, empty when it is absent.
fn lines(json: &Value) -> Result<Vec<String>, String> {
    match json {
        Value::Null => Ok(Vec::new()),
        Value::Array(lines) => {
            let lines = lines.iter().map(|line| line.as_str().map(str::to_owned));
            lines.collect::<Option<_>>().ok_or_else(|| "`config` holds what is no text".to_owned())
        }
        _ => Err("`config` is not an array of lines".to_owned()),
    }
}

fn known(object: &Map<String, Value>, keys: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("`{key}` is not known here; there are {}", keys.join(", "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Result<Scenario, String> {
        Scenario::parse(&format!("{{\"about\": \"x\", \"steps\": [{text}]}}"))
    }

    #[test]
    fn reads_a_step() {
        let text = r#"{"rule": "r", "request": {"method": "GET", "path": "/"}, "expect": {"status": 200}}"#;
        let scenario = step(text).expect("a good step");
        assert_eq!(scenario.steps[0].action, Action::Request);
        assert_eq!(scenario.steps[0].arguments["path"], "/");
    }

    #[test]
    fn refuses_what_would_pass_unnoticed() {
        let table = [
            r#"{"request": {"method": "GET", "path": "/"}, "expect": {"status": 200}}"#,
            r#"{"rule": "r", "expect": {"status": 200}}"#,
            r#"{"rule": "r", "request": {"path": "/"}}"#,
            r#"{"rule": "r", "request": {"path": "/"}, "expect": {"statsu": 200}}"#,
            r#"{"rule": "r", "request": {"path": "/", "boddy": 1}, "expect": {"status": 200}}"#,
            r#"{"rule": "r", "request": {"path": "/"}, "receive": {}, "expect": {"status": 200}}"#,
            r#"{"rule": "r", "request": {"path": "/"}, "expects": {}, "expect": {"status": 200}}"#,
        ];
        for text in table {
            assert!(step(text).is_err(), "{text}");
        }
        assert!(Scenario::parse(r#"{"about": "x", "steps": []}"#).is_err(), "a scenario without steps");
        assert!(Scenario::parse("{").is_err());
        let config = |config: &str| {
            let step = r#"{"rule": "r", "receive_none": {"path": "/"}}"#;
            Scenario::parse(&format!(r#"{{"about": "x", "config": {config}, "steps": [{step}]}}"#))
        };
        assert_eq!(config(r#"["a", "b"]"#).map(|scenario| scenario.config.join(" ")), Ok("a b".to_owned()));
        assert!(config("\"a\"").is_err() && config("[1]").is_err());
    }
}
