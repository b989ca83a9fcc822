//! What an operation says of itself: enough for a client to be generated, and for a machine to hold us to it.

use std::borrow::Cow;

use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use signalpost_core::error::ErrorCode;

use crate::kit::operation::Access;
use crate::kit::{idempotency, page};

/// A text that is ours, or that holds a value of a dialect instance.
pub(crate) type Text = Cow<'static, str>;

pub(crate) struct Description {
    pub(crate) method: Method,
    pub(crate) path: Text,
    pub(crate) access: Access,
    /// `operationId`: unique in its document, in camel case, for it becomes the name of a function in clients.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    /// Paragraphs of plain text; empty when the summary says it all.
    pub(crate) about: Text,
    /// What a caller needs, where the access alone does not say it.
    pub(crate) right: Text,
    pub(crate) tag: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    /// The same request in each media type in which it may come; none when there is no body.
    pub(crate) request: Vec<Content>,
    pub(crate) body: Body,
    pub(crate) answers: Vec<Answered>,
    pub(crate) refusals: Vec<ErrorCode>,
}

/// Whether a request that may have a body must have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Required,
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

pub(crate) struct Parameter {
    pub(crate) name: Text,
    pub(crate) place: Place,
    pub(crate) about: Text,
    pub(crate) schema: Value,
    /// Whether a call without it is refused.
    pub(crate) needed: bool,
}

/// A body in one media type.
pub(crate) struct Content {
    pub(crate) media_type: &'static str,
    pub(crate) schema: Shape,
    /// Ready to be sent. Answers need none: theirs is put together from their schema.
    pub(crate) example: Option<Value>,
}

/// Where a schema comes from.
pub(crate) enum Shape {
    /// From the type that is written.
    Of(fn(&mut SchemaGenerator) -> Schema),
    /// Written by hand, under a name that clients may give to the type.
    Named(&'static str, Value),
    Inline(Value),
}

/// A success.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) about: &'static str,
    pub(crate) content: Option<Content>,
    /// Names and explanations of headers that this answer has and others have not.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// Members that the type may leave out and that this answer has.
    pub(crate) required: Vec<&'static str>,
    /// What this answer says more exactly than its type: schemas of members beside it. Null for nothing.
    pub(crate) narrowed: Value,
}

impl Description {
    pub(crate) fn new(method: Method, path: impl Into<Text>, access: Access) -> Self {
        Self {
            method,
            path: path.into(),
            access,
            id: "",
            summary: "",
            about: "".into(),
            right: "".into(),
            tag: "",
            parameters: Vec::new(),
            request: Vec::new(),
            body: Body::Required,
            answers: Vec::new(),
            refusals: Vec::new(),
        }
    }

    pub(crate) fn named(self, id: &'static str, summary: &'static str) -> Self {
        Self { id, summary, ..self }
    }

    pub(crate) fn about(self, about: impl Into<Text>) -> Self {
        Self { about: about.into(), ..self }
    }

    pub(crate) fn needing(self, right: impl Into<Text>) -> Self {
        Self { right: right.into(), ..self }
    }

    pub(crate) fn tag(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    /// The operation as it stands below `base_path`.
    pub(crate) fn below(self, base_path: &str) -> Self {
        Self { path: format!("{base_path}{}", self.path).into(), ..self }
    }

    /// A variable segment of the path, an id of something that may not exist.
    pub(crate) fn id_in_path(self, name: impl Into<Text>, about: impl Into<Text>, example: &str) -> Self {
        let schema = serde_json::json!({"type": "string", "minLength": 1, "examples": [example]});
        self.parameter(name, Place::Path, about, schema).refuses(&[ErrorCode::NotFound])
    }

    pub(crate) fn query(self, name: &'static str, about: impl Into<Text>, schema: Value) -> Self {
        self.parameter(name, Place::Query, about, schema).refuses(&[ErrorCode::Invalid])
    }

    /// A parameter of the query without which the call is refused.
    pub(crate) fn needed_query(self, name: &'static str, about: impl Into<Text>, schema: Value) -> Self {
        let mut this = self.query(name, about, schema);
        this.parameters.last_mut().expect("one was just added").needed = true;
        this
    }

    /// A header that changes the answer and may say anything.
    pub(crate) fn header(self, name: impl Into<Text>, about: impl Into<Text>) -> Self {
        self.parameter(name, Place::Header, about, serde_json::json!({"type": "string"}))
    }

    /// `cursor` and `limit` of a list.
    pub(crate) fn paged(self) -> Self {
        page::parameters()
            .into_iter()
            .fold(self, |this, (name, about, schema)| this.query(name, about, schema))
    }

    /// A call that may carry an idempotency key.
    pub(crate) fn idempotent(self) -> Self {
        let (name, about, schema) = idempotency::parameter();
        let this = self.parameter(name, Place::Header, about, schema);
        this.refuses(&[ErrorCode::Invalid, ErrorCode::KeyReused])
    }

    /// A JSON body that may hold the given members and no others.
    pub(crate) fn takes(self, name: &'static str, schema: Value, example: Value) -> Self {
        let schema = Shape::Named(name, schema);
        self.takes_as(Content { media_type: "application/json", schema, example: Some(example) })
    }

    /// The body may be left out, which stands for an empty object.
    pub(crate) fn or_no_body(self) -> Self {
        Self { body: Body::Optional, ..self }
    }

    /// A body in one more media type.
    pub(crate) fn takes_as(mut self, content: Content) -> Self {
        self.request.push(content);
        self.refuses(&[
            ErrorCode::Malformed,
            ErrorCode::UnsupportedMediaType,
            ErrorCode::Invalid,
            ErrorCode::TooLarge,
            ErrorCode::RequestTimeout,
        ])
    }

    /// A JSON answer of type `T`.
    pub(crate) fn answers<T: JsonSchema>(self, status: StatusCode, about: &'static str) -> Self {
        let schema = Shape::Of(|generator| generator.subschema_for::<T>());
        self.answers_as(status, about, Content { media_type: "application/json", schema, example: None })
    }

    pub(crate) fn answers_as(mut self, status: StatusCode, about: &'static str, content: Content) -> Self {
        self.answers.push(Answered {
            status,
            about,
            content: Some(content),
            headers: Vec::new(),
            required: Vec::new(),
            narrowed: Value::Null,
        });
        self
    }

    /// A 200 with a text of some kind.
    pub(crate) fn answers_text(self, media_type: &'static str, about: &'static str) -> Self {
        let schema = Shape::Inline(serde_json::json!({"type": "string"}));
        self.answers_as(StatusCode::OK, about, Content { media_type, schema, example: None })
    }

    /// 204 without a body.
    pub(crate) fn answers_nothing(mut self, about: &'static str) -> Self {
        let status = StatusCode::NO_CONTENT;
        self.answers.push(Answered {
            status,
            about,
            content: None,
            headers: Vec::new(),
            required: Vec::new(),
            narrowed: Value::Null,
        });
        self
    }

    /// A header of the answer that was named last.
    pub(crate) fn with_header(mut self, name: &'static str, about: &'static str) -> Self {
        self.answers.last_mut().expect("an answer was named before").headers.push((name, about));
        self
    }

    /// The answer that was named last holds a secret, which no cache may keep.
    pub(crate) fn with_secret(mut self) -> Self {
        self.answers.last_mut().expect("an answer was named before").required.push("secret");
        self.with_header("Cache-Control", "`no-store`: the answer holds a secret")
    }

    /// Members of the answer that was named last that say less than their type may.
    pub(crate) fn with_members(mut self, properties: Value) -> Self {
        self.answers.last_mut().expect("an answer was named before").narrowed = properties;
        self
    }

    pub(crate) fn refuses(mut self, codes: &[ErrorCode]) -> Self {
        for code in codes {
            if !self.refusals.contains(code) {
                self.refusals.push(*code);
            }
        }
        self
    }

    fn parameter(
        mut self,
        name: impl Into<Text>,
        place: Place,
        about: impl Into<Text>,
        schema: Value,
    ) -> Self {
        let needed = place == Place::Path;
        self.parameters.push(Parameter { name: name.into(), place, about: about.into(), schema, needed });
        self
    }
}
