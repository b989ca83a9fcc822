//! Every call that is served, as the documents tell of it: they come from the tables from which the routers come, so that
//! a route which is not here does not exist.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value};
use signalpost_api::built_in_dialects;

use super::feed::{self, Names};
use super::scene::Kind;
use crate::app::{App, Call};

pub(super) const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const LINES: &str = "application/x-ndjson";

/// The same for all calls, so that answers differ in what they say alone.
const REQUEST_ID: &str = "9d1f3a8e-0000-4000-a000-0123456789ab";

/// Which router serves a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Operator,
    /// Of this dialect.
    Public(String),
}

/// A method on a path.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) side: Side,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) is_open: bool,
    pub(super) is_idempotent: bool,
    slots: Vec<Slot>,
    /// Media types with an example that can be sent.
    bodies: Vec<(String, Value)>,
    needs_body: bool,
}

/// A place in a request where something of a tenant is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Body,
}

/// How the parameters of one request travel beside those of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Query,
    /// In a body of this media type.
    Body(String),
}

/// What stands in the slots of one request, by name.
pub(super) type Values = BTreeMap<String, String>;

/// All calls of all documents.
pub(super) fn all(app: &App) -> Vec<Operation> {
    let native = app.operator_stranger(Method::GET, "/openapi.json").send().expect(200).json();
    let mut operations = of_document(&native, &Side::Operator);
    for dialect in built_in_dialects().into_iter().filter(|dialect| !dialect.base_paths.is_empty()) {
        let path = format!("/openapi/{}.json", dialect.name);
        let document = app.operator_stranger(Method::GET, &path).send().expect(200).json();
        operations.extend(of_document(&document, &Side::Public(dialect.name)));
    }
    assert!(operations.len() > 60, "{} operations", operations.len());
    operations
}

fn of_document(document: &Value, side: &Side) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, words) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
            operations.push(operation(document, side, method, path, words));
        }
    }
    operations
}

fn operation(document: &Value, side: &Side, method: Method, path: &str, words: &Value) -> Operation {
    let (mut slots, mut is_idempotent) = (Vec::new(), false);
    let parameters = words["parameters"].as_array().cloned().unwrap_or_default();
    // What is shared by all calls stands elsewhere, and names nothing.
    for parameter in parameters.iter().filter(|parameter| parameter.get("$ref").is_none()) {
        let name = parameter["name"].as_str().unwrap();
        is_idempotent |= name == "Idempotency-Key";
        let place = if parameter["in"] == "path" { Place::Path } else { Place::Query };
        slots.extend(slot(path, name, place));
    }
    let bodies = words["requestBody"]["content"].as_object().cloned().unwrap_or_default();
    for name in bodies.values().flat_map(|body| members(document, &body["schema"])) {
        slots.extend(slot(path, &name, Place::Body).filter(|slot| !slots.contains(slot)));
    }
    Operation {
        side: side.clone(),
        method,
        path: path.to_owned(),
        is_open: words["security"].as_array().unwrap().is_empty(),
        is_idempotent,
        slots,
        bodies: bodies.into_iter().map(|(media_type, body)| (media_type, body["example"].clone())).collect(),
        needs_body: words["requestBody"]["required"] == true,
    }
}

/// # Panics
/// For a parameter of which nobody has said what it names: say it in `feed.rs`.
fn slot(path: &str, name: &str, place: Place) -> Option<Slot> {
    match feed::names(path, name) {
        Some(Names::Nothing) => None,
        Some(Names::One(kind)) => Some(Slot { name: name.to_owned(), kind, place }),
        None => panic!("{path}: whether `{name}` names something of a tenant is to be said in feed.rs"),
    }
}

/// Names of the members of a body, of the elements' for a list.
fn members(document: &Value, schema: &Value) -> Vec<String> {
    let referred = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let schema = referred.map_or(schema, |name| &document["components"]["schemas"][name]);
    match (schema["properties"].as_object(), schema.get("items")) {
        (Some(properties), _) => properties.keys().cloned().collect(),
        (None, Some(items)) => members(document, items),
        (None, None) => Vec::new(),
    }
}

impl Operation {
    pub(super) fn changes(&self) -> bool {
        self.method != Method::GET
    }

    pub(super) fn carriers(&self) -> Vec<Carrier> {
        let mut carriers: Vec<Carrier> =
            self.bodies.iter().map(|(media_type, _)| Carrier::Body(media_type.clone())).collect();
        if !self.needs_body {
            carriers.push(Carrier::Query);
        }
        carriers
    }

    /// Where a request that travels so names something.
    pub(super) fn slots_of(&self, carrier: &Carrier) -> Vec<&Slot> {
        let place = if *carrier == Carrier::Query { Place::Query } else { Place::Body };
        self.slots.iter().filter(|slot| slot.place == Place::Path || slot.place == place).collect()
    }

    /// Whether the request cannot be made without it: it is in the path, in the example, or a query that names what it
    /// is about.
    fn needs(&self, slot: &Slot, carrier: &Carrier) -> bool {
        match carrier {
            _ if slot.place == Place::Path => true,
            Carrier::Body(_) => self.example(carrier).get(&slot.name).is_some(),
            // The lists of the operator's side are narrowed by a query; a vendor's calls are about what it names.
            Carrier::Query => self.side != Side::Operator,
        }
    }

    /// Where a request that travels so must name something.
    pub(super) fn needed(&self, carrier: &Carrier) -> Vec<&Slot> {
        self.slots_of(carrier).into_iter().filter(|slot| self.needs(slot, carrier)).collect()
    }

    fn example(&self, carrier: &Carrier) -> Value {
        let Carrier::Body(wanted) = carrier else { return Value::Null };
        let found = self.bodies.iter().find(|(media_type, _)| media_type == wanted);
        found.map(|(_, example)| example.clone()).unwrap_or_default()
    }

    /// The request without anybody's credential.
    pub(super) fn call<'a>(&self, app: &'a App, carrier: &Carrier, values: &Values) -> Call<'a> {
        let is_in_path = |name: &str| self.path.contains(&format!("{{{name}}}"));
        let path = values
            .iter()
            .fold(self.path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        // What is left names a document, which is nobody's.
        let path = path.replace("{document}", "spaaza.json").replace("{dialect}", "spaaza");
        let beside: Vec<(&str, &str)> = values
            .iter()
            .filter(|(name, _)| !is_in_path(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let query: Vec<String> = beside.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let url = if *carrier == Carrier::Query && !query.is_empty() {
            format!("{path}?{}", query.join("&"))
        } else {
            path
        };
        let call = match self.side {
            Side::Operator => app.operator_stranger(self.method.clone(), &url),
            Side::Public(_) => app.public(self.method.clone(), &url),
        };
        let call = call.header("x-request-id", REQUEST_ID);
        match carrier {
            Carrier::Query => call,
            Carrier::Body(media_type) => call.raw(media_type, self.body(carrier, media_type, &beside)),
        }
    }

    fn body(&self, carrier: &Carrier, media_type: &str, beside: &[(&str, &str)]) -> String {
        let mut example = self.example(carrier);
        for (name, value) in beside {
            let as_number = value.parse::<u64>().ok().filter(|_| media_type == JSON);
            example[*name] = as_number.map_or_else(|| Value::from(*value), Value::from);
        }
        match media_type {
            JSON => example.to_string(),
            FORM => form(example.as_object().unwrap()),
            LINES => example.as_str().unwrap().to_owned(),
            other => panic!("nobody has said how a body in {other} is written"),
        }
    }
}

fn form(members: &Map<String, Value>) -> String {
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs = members.iter().map(|(name, value)| format!("{name}={}", escaped(value.as_str().unwrap())));
    pairs.collect::<Vec<_>>().join("&")
}
