//! The documents of what is served: OpenAPI for machines. Open to whoever reaches the operator address.

mod native;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use signalpost_core::error::Error;

use crate::dialect::Dialect;
use crate::kit::description::{Content, Description, Shape};
use crate::kit::openapi::{Api, document};
use crate::kit::operation::{self, Operation, open};
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(crate) fn router(dialects: &[Dialect]) -> Router {
    operation::router(operations()).with_state(Arc::new(Documents::of(dialects)))
}

/// What is served, and its documents once somebody has asked for them.
struct Documents {
    native: Document,
    /// By name.
    dialects: Vec<(String, Document)>,
}

struct Document {
    describe: Box<dyn Fn() -> Api + Send + Sync>,
    openapi: OnceLock<Value>,
}

type Shared = State<Arc<Documents>>;

impl Documents {
    fn of(dialects: &[Dialect]) -> Self {
        let all = dialects.to_vec();
        let native = Document::new(move || native::api(&all));
        let public = dialects.iter().filter(|dialect| dialect.api().is_some()).cloned();
        let dialects = public.map(|dialect| {
            let name = dialect.name.clone();
            (name, Document::new(move || dialect.api().expect("only those that have one are taken")))
        });
        Self { native, dialects: dialects.collect() }
    }

    fn dialect(&self, name: &str) -> Result<&Document, Error> {
        let found = self.dialects.iter().find(|(known, _)| known == name);
        found.map(|(_, document)| document).ok_or_else(|| Error::not_found("dialect"))
    }
}

impl Document {
    fn new(describe: impl Fn() -> Api + Send + Sync + 'static) -> Self {
        Self { describe: Box::new(describe), openapi: OnceLock::new() }
    }

    fn openapi(&self) -> &Value {
        self.openapi.get_or_init(|| document(&(self.describe)()))
    }
}

fn operations() -> Vec<Operation<Arc<Documents>>> {
    let native = open("/openapi.json", native_json)
        .described(|call| answers_openapi(call.named("getOpenApi", "The OpenAPI document of this address")));
    let dialect = open("/openapi/{document}", dialect_json).described(|call| {
        let call = call
            .named("getDialectOpenApi", "The OpenAPI document of a dialect")
            .about("With the names and the base path of the instance that is served on the public address.")
            .id_in_path("document", "Name of the dialect instance and `.json`.", "native.json");
        answers_openapi(call)
    });
    [native, dialect].map(|call| call.described(|call| call.tag("Operation"))).into()
}

/// The calls of this surface in words.
pub(super) fn descriptions() -> Vec<Description> {
    operation::descriptions(operations())
}

fn answers_openapi(call: Description) -> Description {
    let schema = Shape::Inline(json!({"type": "object", "required": ["openapi", "info", "paths"]}));
    let example = Some(json!({"openapi": "3.1.0"}));
    call.answers_as(StatusCode::OK, "An OpenAPI 3.1 document.", Content { media_type: JSON, schema, example })
}

const JSON: &str = "application/json";

async fn native_json(State(documents): Shared) -> Answer {
    shown(documents.native.openapi())
}

async fn dialect_json(State(documents): Shared, Ids([file]): Ids<1>) -> Answer {
    let name = file.strip_suffix(".json").ok_or_else(|| Error::not_found("document"))?;
    shown(documents.dialect(name)?.openapi())
}

/// With line breaks: people read it too.
fn shown(document: &Value) -> Answer {
    let mut bytes = serde_json::to_vec_pretty(document).map_err(Error::internal)?;
    bytes.push(b'\n');
    Ok(reply::with_type(StatusCode::OK, JSON, Body::from(Bytes::from(bytes))))
}
