//! The documents of what is served: OpenAPI for machines, and the same as pages for people, which need neither a
//! script nor another host. Open to whoever reaches the operator address.

mod curl;
mod errors;
mod html;
mod native;
mod page;
mod reference;
mod schema;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use page::Link;
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
    errors: OnceLock<Bytes>,
}

/// Each form is made once: whoever reaches the address may ask as often as they like.
struct Document {
    describe: Box<dyn Fn() -> Api + Send + Sync>,
    openapi: OnceLock<Value>,
    json: OnceLock<Bytes>,
    page: OnceLock<Bytes>,
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
        Self { native, dialects: dialects.collect(), errors: OnceLock::new() }
    }

    fn page(&self, title: &str, here: &str, content: &str) -> Bytes {
        let link = |to: &str, text: &str| Link { to: to.to_owned(), text: text.to_owned() };
        let mut links = vec![link("/docs", "API"), link(ERRORS, "Errors")];
        links.extend(self.dialects.iter().map(|(name, _)| link(&format!("/docs/{name}"), name)));
        page::page(title, &links, here, content).into()
    }

    fn dialect(&self, name: &str) -> Result<&Document, Error> {
        let found = self.dialects.iter().find(|(known, _)| known == name);
        found.map(|(_, document)| document).ok_or_else(|| Error::not_found("dialect"))
    }
}

impl Document {
    fn new(describe: impl Fn() -> Api + Send + Sync + 'static) -> Self {
        Self {
            describe: Box::new(describe),
            openapi: OnceLock::new(),
            json: OnceLock::new(),
            page: OnceLock::new(),
        }
    }

    fn openapi(&self) -> &Value {
        self.openapi.get_or_init(|| document(&(self.describe)()))
    }

    /// With line breaks: people read it too.
    fn json(&self) -> Response {
        let json = self.json.get_or_init(|| format!("{:#}\n", self.openapi()).into());
        reply::with_type(StatusCode::OK, JSON, json.clone())
    }
}

fn operations() -> Vec<Operation<Arc<Documents>>> {
    let native = open("/openapi.json", native_json)
        .described(|call| answers_openapi(call.named("getOpenApi", "The OpenAPI document of this address")));
    let index = open("/docs", native_page)
        .described(|call| call.named("getDocs", "This API, as a page").answers_text(HTML, "A page."));
    let page = open("/docs/{dialect}", dialect_page).described(|call| {
        call.named("getDialectDocs", "A dialect's API, as a page")
            .id_in_path("dialect", "Name of the dialect instance.", "acme")
            .answers_text(HTML, "A page.")
    });
    let errors = open("/docs/errors", errors_page).described(|call| {
        call.named("getErrorDocs", "Every error code, as a page").answers_text(HTML, "A page.")
    });
    let dialect = open("/openapi/{document}", dialect_json).described(|call| {
        let call = call
            .named("getDialectOpenApi", "The OpenAPI document of a dialect")
            .about("With the names and the base path of the instance that is served on the public address.")
            .id_in_path("document", "Name of the dialect instance and `.json`.", "native.json");
        answers_openapi(call)
    });
    [native, dialect, index, errors, page].map(|call| call.described(|call| call.tag("Operation"))).into()
}

/// The calls of this surface in words.
pub(super) fn descriptions() -> Vec<Description> {
    operation::descriptions(operations())
}

fn answers_openapi(call: Description) -> Description {
    let schema = Shape::Inline(json!({"type": "object", "required": ["openapi", "info", "paths"]}));
    let example =
        Some(json!({"openapi": "3.1.0", "info": {"title": "Signalpost", "version": "0.1.0"}, "paths": {}}));
    call.answers_as(StatusCode::OK, "An OpenAPI 3.1 document.", Content { media_type: JSON, schema, example })
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";
/// Where codes are explained.
const ERRORS: &str = "/docs/errors";

async fn native_json(State(documents): Shared) -> Response {
    documents.native.json()
}

async fn dialect_json(State(documents): Shared, Ids([file]): Ids<1>) -> Answer {
    let name = file.strip_suffix(".json").ok_or_else(|| Error::not_found("document"))?;
    Ok(documents.dialect(name)?.json())
}

async fn native_page(State(documents): Shared) -> Response {
    let page = documents.native.page.get_or_init(|| {
        let content = reference::content(documents.native.openapi(), "/openapi.json", Some(ERRORS));
        documents.page("Signalpost API", "/docs", &content)
    });
    page::answer(page)
}

async fn dialect_page(State(documents): Shared, Ids([name]): Ids<1>) -> Answer {
    let document = documents.dialect(&name)?;
    let page = document.page.get_or_init(|| {
        let openapi = document.openapi();
        let content = reference::content(openapi, &format!("/openapi/{name}.json"), None);
        let title = openapi["info"]["title"].as_str().unwrap_or_default();
        documents.page(title, &format!("/docs/{name}"), &content)
    });
    Ok(page::answer(page))
}

async fn errors_page(State(documents): Shared) -> Response {
    let page = documents.errors.get_or_init(|| documents.page("Errors", ERRORS, &errors::content()));
    page::answer(page)
}
