//! The parameters of calls as JSON Schemas, with an instance's names and values: in JSON, and as text in forms and queries.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use signalpost_core::limits::{PASSWORD_BYTES_MAX, USERNAME_CHARS_MAX};

use super::{Instance, profile, wire};

/// A parameter of a call.
#[derive(Clone)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) presence: Presence,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    /// It may be left out, and must not be empty.
    Optional,
    /// It may be empty as well.
    MayBeEmpty,
}

#[derive(Clone)]
enum Kind {
    /// From 0 on.
    Integer {
        example: u64,
    },
    Truth,
    /// One of these.
    Word(Vec<String>),
    Text(Value),
    /// Text of whatever kind, which JSON may have as a number.
    Free(Value),
}

const ANY_TEXT: &str = "^[^\\u0000]+$";
const NO_CONTROLS: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$";
/// A colon ends the name in HTTP Basic.
const NO_CONTROLS_OR_COLON: &str = "^[^:\\u0000-\\u001f\\u007f-\\u009f]+$";
/// So many digits fit whatever they are.
const DIGITS: &str = "^(0|[1-9][0-9]{0,17})$";
const VERSION: &str = "^[0-9]{1,5}\\.[0-9]{1,5}\\.[0-9]{1,5}$";

pub(super) fn id(about: &'static str) -> Parameter {
    integer(wire::ID, about, 1234).that_is(Presence::Required)
}

pub(super) fn chain_id() -> Parameter {
    integer(wire::CHAIN_ID, "Id of the chain.", 1743).that_is(Presence::Required)
}

pub(super) fn webhook_of_chain() -> Vec<Parameter> {
    vec![id("Id of the webhook."), Parameter { about: "Id of the webhook's chain.", ..chain_id() }]
}

pub(super) fn listing() -> Vec<Parameter> {
    vec![chain_id(), truth(wire::EXCLUDE_INACTIVE, "Only those that are active.")]
}

pub(super) fn new_webhook(instance: &Instance) -> Vec<Parameter> {
    let required = |parameter: Parameter| parameter.that_is(Presence::Required);
    let kind = word(wire::TYPE, "There is one.", vec![profile::HTTPS.to_owned()]);
    let mut parameters =
        vec![chain_id(), required(event_name(instance)), required(kind), required(url(instance))];
    parameters.extend(properties(instance));
    parameters
}

pub(super) fn change(instance: &Instance) -> Vec<Parameter> {
    let mut parameters = webhook_of_chain();
    let kind = word(wire::TYPE, "It stays what it is.", vec![profile::HTTPS.to_owned()]);
    let optional = [event_name(instance), kind, url(instance)];
    parameters.extend(optional.map(|one| one.that_is(Presence::Optional)));
    parameters.extend(properties(instance));
    parameters
}

pub(super) fn login() -> Vec<Parameter> {
    let name = bounded(ANY_TEXT, USERNAME_CHARS_MAX, "admin@example.com");
    let password = bounded(ANY_TEXT, PASSWORD_BYTES_MAX, "correct horse battery staple");
    let parameters = [
        free(wire::USERNAME, "The user's name.", name),
        free(wire::PASSWORD, "The user's password.", password),
    ];
    parameters.map(|one| one.that_is(Presence::Required)).into()
}

/// What a webhook can do without.
fn properties(instance: &Instance) -> Vec<Parameter> {
    let filter = bounded(ANY_TEXT, instance.filter_chars_max, "data.voucher_amount > 10");
    let key = bounded(NO_CONTROLS_OR_COLON, instance.identifier_key_chars_max, "user-1");
    let secret = bounded(NO_CONTROLS, instance.identifier_secret_chars_max, "s3cret");
    let version = json!({"type": "string", "pattern": VERSION, "examples": [instance.payload_version]});
    vec![
        text(wire::FILTER, "An expression (CEL): only events for which it holds are sent.", filter),
        truth(wire::ACTIVE, "Whether events are sent."),
        free(wire::IDENTIFIER_KEY, "Name with which requests log in at the receiver (HTTP Basic).", key),
        free(wire::IDENTIFIER_SECRET, "The password for it. Nothing is sent unless both are set.", secret),
        integer(wire::SIGNATURE_ID, "Signature of the same chain; 0 for none.", 56),
        text(profile::PAYLOAD_VERSION, "Version of the payload that the receiver expects.", version),
        integer(profile::CAMPAIGN, "A campaign that the webhook is about.", 7),
    ]
}

fn event_name(instance: &Instance) -> Parameter {
    let names = instance.events.iter().map(|known| known.name.clone()).collect();
    word(wire::EVENT_NAME, "Type of the events that are sent.", names)
}

/// What the pattern lets through must be a URL with a host as well, and `https` but for this machine.
fn url(instance: &Instance) -> Parameter {
    let schema = json!({
        "type": "string", "format": "uri", "pattern": "^https?://.+", "maxLength": instance.url_chars_max,
        "examples": ["https://example.com/webhooks"]
    });
    text(wire::URL, "Where events are sent.", schema)
}

fn bounded(pattern: &str, chars_max: usize, example: &str) -> Value {
    json!({"type": "string", "maxLength": chars_max, "pattern": pattern, "examples": [example]})
}

fn integer(name: &'static str, about: &'static str, example: u64) -> Parameter {
    Parameter { name, about, presence: Presence::MayBeEmpty, kind: Kind::Integer { example } }
}

fn truth(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, presence: Presence::MayBeEmpty, kind: Kind::Truth }
}

fn word(name: &'static str, about: &'static str, words: Vec<String>) -> Parameter {
    Parameter { name, about, presence: Presence::MayBeEmpty, kind: Kind::Word(words) }
}

fn text(name: &'static str, about: &'static str, schema: Value) -> Parameter {
    Parameter { name, about, presence: Presence::MayBeEmpty, kind: Kind::Text(schema) }
}

fn free(name: &'static str, about: &'static str, schema: Value) -> Parameter {
    Parameter { name, about, presence: Presence::MayBeEmpty, kind: Kind::Free(schema) }
}

impl Parameter {
    fn that_is(self, presence: Presence) -> Self {
        Self { presence, ..self }
    }

    /// As it stands in a form or a query.
    pub(super) fn as_text(&self) -> Value {
        let schema = match &self.kind {
            Kind::Integer { example } => {
                json!({"type": "string", "pattern": DIGITS, "examples": [example.to_string()]})
            }
            Kind::Truth => json!({"type": "string", "enum": ["true", "false", "1", "0"]}),
            Kind::Word(words) => json!({"type": "string", "enum": words}),
            Kind::Text(schema) | Kind::Free(schema) => schema.clone(),
        };
        self.or_empty(schema, json!({"const": ""}))
    }

    /// As a member of a JSON object, where text is read as well.
    fn as_json(&self) -> Value {
        let schema = match &self.kind {
            Kind::Integer { example } => json!({"anyOf": [
                {"type": "integer", "minimum": 0, "maximum": i64::MAX, "examples": [example]},
                {"type": "string", "pattern": DIGITS},
            ]}),
            Kind::Truth => json!({"enum": [true, false, 1, 0, "true", "false", "1", "0"]}),
            Kind::Word(words) => json!({"type": "string", "enum": words}),
            Kind::Text(schema) => schema.clone(),
            Kind::Free(schema) => {
                let mut schema = schema.clone();
                schema["type"] = json!(["string", "number"]);
                schema
            }
        };
        self.or_empty(schema, json!({"enum": [null, ""]}))
    }

    fn or_empty(&self, schema: Value, empty: Value) -> Value {
        match self.presence {
            Presence::Required | Presence::Optional => schema,
            Presence::MayBeEmpty => json!({"anyOf": [schema, empty]}),
        }
    }
}

/// What stands in an answer of this type, and more exactly than it says.
pub(super) fn narrowed<T: JsonSchema>(mut schema: Value) -> Value {
    schema["$ref"] = json!(format!("#/components/schemas/{}", T::schema_name()));
    schema
}

/// The webhook in the answer to a delete.
pub(super) fn deleted_webhook() -> Value {
    let webhook = json!({
        "properties": {
            "active": {"const": false}, "deleted": {"const": true}, "webhook_signature": {"const": null}
        },
        "required": ["active", "deleted", "deleted_by", "webhook_signature"]
    });
    json!({"webhook": narrowed::<wire::Webhook>(webhook)})
}

/// The signature there.
pub(super) fn deleted_signature() -> Value {
    let signature = json!({"properties": {"active": {"const": false}, "deleted": {"const": true}}});
    json!({"webhook_signature": narrowed::<wire::Signature>(signature)})
}

/// A form of these parameters. Others are ignored.
pub(super) fn form(parameters: &[Parameter]) -> Value {
    object(parameters, Parameter::as_text)
}

/// A JSON object of the same.
pub(super) fn json(parameters: &[Parameter]) -> Value {
    object(parameters, Parameter::as_json)
}

/// An example of a JSON object as a form has it.
pub(super) fn form_example(example: &Value) -> Value {
    let members = example.as_object().into_iter().flatten();
    let as_text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members.map(|(name, value)| (name.clone(), json!(as_text(value)))).collect::<Map<_, _>>().into()
}

fn object(parameters: &[Parameter], schema: impl Fn(&Parameter) -> Value) -> Value {
    let property = |parameter: &Parameter| {
        let mut schema = schema(parameter);
        schema["description"] = json!(parameter.about);
        (parameter.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = parameters.iter().map(property).collect();
    let required = parameters.iter().filter(|parameter| parameter.presence == Presence::Required);
    let required: Vec<&str> = required.map(|parameter| parameter.name).collect();
    json!({"type": "object", "properties": properties, "required": required})
}
