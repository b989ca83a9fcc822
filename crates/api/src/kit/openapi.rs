//! OpenAPI 3.1 documents from tables of operations.

use std::collections::BTreeMap;

use http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use signalpost_core::error::ErrorCode;

use crate::kit::description::{Answered, Body, Content, Description, Parameter, Place, Shape, Text};
use crate::kit::example;
use crate::kit::operation::Access;

/// A surface, as its document presents it.
pub(crate) struct Api {
    pub(crate) title: Text,
    pub(crate) about: Text,
    /// Where it is reached when nothing is configured, such as `http://127.0.0.1:8080`.
    pub(crate) server: Server,
    /// Names and explanations of the groups of operations, in their order.
    pub(crate) tags: Vec<(&'static str, &'static str)>,
    /// What stands for a caller's credential: names, and security scheme objects. Where there are several, a call takes
    /// all of them together.
    pub(crate) credentials: Vec<(&'static str, Value)>,
    pub(crate) errors: ErrorForm,
    /// With their whole paths.
    pub(crate) operations: Vec<Description>,
    /// What an instance's values say more exactly than the type: pointers into the schemas (RFC 6901), and what
    /// stands there instead.
    pub(crate) refined: Vec<(&'static str, Value)>,
}

/// A host and port that the reader replaces by those of the installation.
pub(crate) struct Server {
    pub(crate) address: &'static str,
    pub(crate) about: &'static str,
}

/// How a surface writes its errors.
pub(crate) struct ErrorForm {
    pub(crate) media_type: &'static str,
    pub(crate) schema: Shape,
    pub(crate) status: fn(ErrorCode) -> StatusCode,
    /// A sentence on what the code means to a caller of this surface.
    pub(crate) about: fn(ErrorCode) -> Text,
    /// The members of an error that are fixed by its codes: a schema beside the common one.
    pub(crate) narrowed: fn(StatusCode, &[ErrorCode]) -> Value,
    /// Name and explanation of headers of its errors.
    pub(crate) headers: fn(ErrorCode) -> Option<(&'static str, &'static str)>,
}

const REQUEST_ID: &str = "RequestId";

/// The whole document.
pub(crate) fn document(api: &Api) -> Value {
    let mut parts = Parts { api, generator: generator(), refusals: BTreeMap::new() };
    let paths = parts.paths();
    let mut definitions = Value::Object(parts.generator.take_definitions(true));
    for (pointer, schema) in &api.refined {
        *definitions.pointer_mut(pointer).expect("a member of a type of the surface") = schema.clone();
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": api.about,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "servers": [{
            "url": "http://{address}",
            "description": api.server.about,
            "variables": {"address": {"default": api.server.address}}
        }],
        "tags": api.tags.iter().map(|(name, about)| json!({"name": name, "description": about})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": definitions,
            "responses": parts.refusals,
            "parameters": {REQUEST_ID: request_id_parameter()},
            "headers": {REQUEST_ID: request_id_header()},
            "securitySchemes": api.credentials.iter().cloned().collect::<BTreeMap<_, _>>()
        }
    });
    example::add_to_answers(&mut document);
    document
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    settings.into_generator()
}

fn request_id_parameter() -> Value {
    let about = "A name for this request, for answers and the log: 1 to 128 letters, digits and . _ : -. Any other is \
                 replaced.";
    let (name, schema) = ("X-Request-Id".into(), json!({"type": "string"}));
    parameter(&Parameter { name, place: Place::Header, about: about.into(), schema, needed: false })
}

fn request_id_header() -> Value {
    json!({
        "description": "The name under which the log knows this request: the caller's own if it sent a good one.",
        "required": true, "schema": {"type": "string"}
    })
}

struct Parts<'a> {
    api: &'a Api,
    generator: SchemaGenerator,
    /// Error responses that operations share, under a name made of their codes.
    refusals: BTreeMap<String, Value>,
}

impl Parts<'_> {
    fn paths(&mut self) -> Value {
        let mut paths = Map::new();
        for operation in &self.api.operations {
            let described = self.operation(operation);
            let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
            item[operation.method.as_str().to_ascii_lowercase()] = described;
        }
        Value::Object(paths)
    }

    fn operation(&mut self, operation: &Description) -> Value {
        let mut described = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "tags": [operation.tag],
        });
        let about = about(operation);
        if !about.is_empty() {
            described["description"] = json!(about);
        }
        let mut parameters: Vec<Value> = operation.parameters.iter().map(parameter).collect();
        parameters.push(json!({"$ref": format!("#/components/parameters/{REQUEST_ID}")}));
        described["parameters"] = json!(parameters);
        if !operation.request.is_empty() {
            described["requestBody"] = json!({"required": operation.body == Body::Required, "content": self.contents(&operation.request)});
        }
        described["responses"] = self.responses(operation);
        described["security"] = match operation.access {
            Access::Open => json!([]),
            // For schemes that are not OAuth 2 the list names roles (OpenAPI 3.1, security requirement object).
            Access::Scope(scope) | Access::OwnPart(scope) => self.requirement(&[scope.name()]),
            Access::Credential | Access::Right(_) => self.requirement(&[]),
        };
        described
    }

    /// All credentials of the surface together, with these roles.
    fn requirement(&self, roles: &[&str]) -> Value {
        let names = self.api.credentials.iter().map(|(name, _)| *name);
        json!([names.map(|name| (name, roles)).collect::<BTreeMap<_, _>>()])
    }

    fn contents(&mut self, contents: &[Content]) -> Value {
        let mut described = Map::new();
        for content in contents {
            let mut media = json!({"schema": self.schema(&content.schema)});
            if let Some(example) = &content.example {
                media["example"] = example.clone();
            }
            described.insert(content.media_type.to_owned(), media);
        }
        Value::Object(described)
    }

    fn schema(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Of(subschema) => subschema(&mut self.generator).to_value(),
            Shape::Named(name, schema) => {
                self.generator.definitions_mut().insert((*name).to_owned(), schema.clone());
                json!({"$ref": format!("#/components/schemas/{name}")})
            }
            Shape::Inline(schema) => schema.clone(),
        }
    }

    fn responses(&mut self, operation: &Description) -> Value {
        let mut responses = Map::new();
        for answer in &operation.answers {
            responses.insert(answer.status.as_str().to_owned(), self.answer(answer));
        }
        let mut by_status: BTreeMap<StatusCode, Vec<ErrorCode>> = BTreeMap::new();
        for code in ErrorCode::ALL.into_iter().filter(|code| operation.refusals.contains(code)) {
            by_status.entry((self.api.errors.status)(code)).or_default().push(code);
        }
        for (status, codes) in by_status {
            let name = codes.iter().map(|code| code.name()).collect::<Vec<_>>().join(".");
            let refusal = self.refusal(status, &codes);
            self.refusals.insert(name.clone(), refusal);
            let reference = json!({"$ref": format!("#/components/responses/{name}")});
            responses.insert(status.as_str().to_owned(), reference);
        }
        Value::Object(responses)
    }

    fn answer(&mut self, answer: &Answered) -> Value {
        let mut headers = json!({"X-Request-Id": request_id_reference()});
        for (name, about) in &answer.headers {
            headers[*name] = header(about);
        }
        let mut described = json!({"description": answer.about, "headers": headers});
        if let Some(content) = &answer.content {
            described["content"] = self.contents(std::slice::from_ref(content));
            if !answer.required.is_empty() {
                described["content"][content.media_type]["schema"]["required"] = json!(answer.required);
            }
            if !answer.narrowed.is_null() {
                described["content"][content.media_type]["schema"]["properties"] = answer.narrowed.clone();
            }
        }
        described
    }

    fn refusal(&mut self, status: StatusCode, codes: &[ErrorCode]) -> Value {
        let errors = &self.api.errors;
        let mut headers = json!({"X-Request-Id": request_id_reference()});
        for (name, about) in codes.iter().filter_map(|code| (errors.headers)(*code)) {
            headers[name] = header(about);
        }
        let sentences: Vec<Text> = codes.iter().map(|code| (errors.about)(*code)).collect();
        let mut schema = self.schema(&errors.schema);
        if let (Value::Object(schema), Value::Object(narrowed)) =
            (&mut schema, (errors.narrowed)(status, codes))
        {
            schema.extend(narrowed);
        }
        json!({
            "description": sentences.join("\n\n"),
            "headers": headers,
            "content": {errors.media_type: {"schema": schema}}
        })
    }
}

/// The description, with the right that it takes.
fn about(operation: &Description) -> String {
    let right = operation.access.scope();
    let right =
        right.map_or(String::new(), |scope| format!("Needs a key with the scope `{}`.", scope.name()));
    let parts = [operation.about.as_ref(), &operation.right, &right];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn parameter(parameter: &Parameter) -> Value {
    let place = match parameter.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({
        "name": parameter.name, "in": place, "required": parameter.needed,
        "description": parameter.about, "schema": parameter.schema
    })
}

fn request_id_reference() -> Value {
    json!({"$ref": format!("#/components/headers/{REQUEST_ID}")})
}

fn header(about: &str) -> Value {
    json!({"description": about, "required": true, "schema": {"type": "string"}})
}
