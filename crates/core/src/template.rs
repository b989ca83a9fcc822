//! Texts with placeholders, parsed once and rendered for every attempt.
//!
//! A dialect writes its envelope, its headers and the text it signs as data, for example
//! `{"eventId":${event.id},"data":${event.data}}` or `t=${attempt.unix_s},v1=${signature}`. In a JSON template a
//! placeholder becomes a complete JSON value; in a text template it becomes the bare text.

use std::borrow::Cow;

use thiserror::Error;

use crate::event::Event;
use crate::id_form::IdForm;
use crate::time::Timestamp;

/// What placeholders can refer to while one attempt is rendered.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub event: &'a Event,
    pub workspace: &'a str,
    pub webhook: &'a str,
    pub delivery: &'a str,
    pub attempt_at: Timestamp,
    /// The rendered body; empty while the body itself is rendered.
    pub body: &'a [u8],
    /// The rendered signature; empty until it is made.
    pub signature: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    EventId,
    EventType,
    EventTime,
    EventTimeSeconds,
    EventSubject,
    EventSequence,
    EventData,
    EventAttribute(String),
    WorkspaceId,
    WorkspaceNumber,
    WebhookId,
    DeliveryId,
    AttemptUnixSeconds,
    Body,
    Signature,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Field(Field),
}

/// A piece of a template as it was written, for whoever explains what is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    Text(&'t str),
    /// Its name, without the braces.
    Placeholder(Cow<'t, str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    form: Form,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    #[error("a placeholder begun with `${{` is not closed")]
    Unclosed,
    #[error("`{0}` is not a known placeholder")]
    Unknown(String),
    #[error("`{0}` cannot stand in a JSON template")]
    NotJson(String),
    #[error("`{0}` touches what stands beside it: in a JSON template it is a value by itself")]
    NotAlone(String),
}

impl Template {
    /// A template whose placeholders become JSON values.
    pub fn json(text: &str) -> Result<Self, TemplateError> {
        Self::parse(text, Form::Json)
    }

    /// A template whose placeholders become bare text.
    pub fn text(text: &str) -> Result<Self, TemplateError> {
        Self::parse(text, Form::Text)
    }

    fn parse(text: &str, form: Form) -> Result<Self, TemplateError> {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or(TemplateError::Unclosed)?;
            let field = field_named(name)?;
            if form == Form::Json && matches!(field, Field::Body | Field::Signature) {
                return Err(TemplateError::NotJson(name.to_owned()));
            }
            let may_touch = |c: char| separates_values(c) || (c == '"' && field == Field::EventSequence);
            let begins_alone = literal.chars().next_back().map_or(segments.is_empty(), may_touch);
            let ends_alone = tail.chars().next().is_none_or(may_touch);
            if form == Form::Json && !(begins_alone && ends_alone) {
                return Err(TemplateError::NotAlone(name.to_owned()));
            }
            if !literal.is_empty() {
                segments.push(Segment::Literal(literal.to_owned()));
            }
            segments.push(Segment::Field(field));
            rest = tail;
        }
        if !rest.is_empty() {
            segments.push(Segment::Literal(rest.to_owned()));
        }
        Ok(Self { form, segments })
    }

    /// Whether it says `${signature}`, which an unsigned request has none to say.
    pub fn needs_signature(&self) -> bool {
        self.segments.contains(&Segment::Field(Field::Signature))
    }

    /// Whether it says `${workspace.number}`, for which ids of workspaces have to be numbers.
    pub fn needs_workspace_number(&self) -> bool {
        self.segments.contains(&Segment::Field(Field::WorkspaceNumber))
    }

    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => Piece::Text(text),
            Segment::Field(field) => Piece::Placeholder(field.name()),
        })
    }

    /// Renders into one buffer.
    pub fn render(&self, scope: Scope<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + scope.event.content.data.len());
        self.render_parts(scope, &mut |part| out.extend_from_slice(part));
        out
    }

    /// Renders a text template into a string.
    pub fn render_text(&self, scope: Scope<'_>) -> String {
        String::from_utf8_lossy(&self.render(scope)).into_owned()
    }

    /// Hands out the rendered parts in order, without joining them; a signer feeds them to its MAC.
    pub fn render_parts(&self, scope: Scope<'_>, emit: &mut dyn FnMut(&[u8])) {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => emit(text.as_bytes()),
                Segment::Field(field) => self.emit_field(field, scope, emit),
            }
        }
    }

    fn emit_field(&self, field: &Field, scope: Scope<'_>, emit: &mut dyn FnMut(&[u8])) {
        let event = scope.event;
        match field {
            Field::EventId => match &event.content.producer_id {
                Some(id) => self.emit_string(id, emit),
                None => self.emit_string(&event.id.to_public(), emit),
            },
            Field::EventType => self.emit_string(&event.content.event_type, emit),
            Field::EventTime => self.emit_string(&event.content.time.to_rfc3339_ms(), emit),
            Field::EventTimeSeconds => self.emit_string(&event.content.time.to_rfc3339_s(), emit),
            Field::EventSubject => self.emit_optional(event.content.subject.as_deref(), emit),
            Field::EventSequence => emit(event.sequence.0.to_string().as_bytes()),
            Field::EventData => emit(&event.content.data),
            Field::EventAttribute(name) => {
                let found = event.content.attributes.iter().find(|(known, _)| known == name);
                emit(found.map_or(b"null".as_slice(), |(_, json)| json.as_bytes()));
            }
            Field::WorkspaceId => self.emit_string(scope.workspace, emit),
            // Whatever a workspace is called, the text stays JSON.
            Field::WorkspaceNumber if IdForm::Number.fits(scope.workspace) => {
                emit(scope.workspace.as_bytes())
            }
            Field::WorkspaceNumber => self.emit_string(scope.workspace, emit),
            Field::WebhookId => self.emit_string(scope.webhook, emit),
            Field::DeliveryId => self.emit_string(scope.delivery, emit),
            Field::AttemptUnixSeconds => emit(scope.attempt_at.as_seconds().to_string().as_bytes()),
            Field::Body => emit(scope.body),
            Field::Signature => emit(scope.signature.as_bytes()),
        }
    }

    fn emit_optional(&self, text: Option<&str>, emit: &mut dyn FnMut(&[u8])) {
        match (text, self.form) {
            (Some(text), _) => self.emit_string(text, emit),
            (None, Form::Json) => emit(b"null"),
            (None, Form::Text) => {}
        }
    }

    fn emit_string(&self, text: &str, emit: &mut dyn FnMut(&[u8])) {
        match self.form {
            Form::Text => emit(text.as_bytes()),
            Form::Json => emit(json_string(text).as_bytes()),
        }
    }
}

/// What may touch a value in JSON. A digit may not: `${event.sequence}6` would be a number for most events and not for all.
/// Quotes may touch that number, which they make a text.
fn separates_values(c: char) -> bool {
    "[]{},: \t\r\n".contains(c)
}

impl Field {
    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::EventAttribute(name) => return Cow::Owned(format!("{ATTRIBUTE}{name}")),
            Self::EventId => "event.id",
            Self::EventType => "event.type",
            Self::EventTime => "event.time",
            Self::EventTimeSeconds => "event.time_s",
            Self::EventSubject => "event.subject",
            Self::EventSequence => "event.sequence",
            Self::EventData => "event.data",
            Self::WorkspaceId => "workspace.id",
            Self::WorkspaceNumber => "workspace.number",
            Self::WebhookId => "webhook.id",
            Self::DeliveryId => "delivery.id",
            Self::AttemptUnixSeconds => "attempt.unix_s",
            Self::Body => "body",
            Self::Signature => "signature",
        })
    }
}

const ATTRIBUTE: &str = "event.attribute.";

fn field_named(name: &str) -> Result<Field, TemplateError> {
    if let Some(attribute) = name.strip_prefix(ATTRIBUTE) {
        return Ok(Field::EventAttribute(attribute.to_owned()));
    }
    Ok(match name {
        "event.id" => Field::EventId,
        "event.type" => Field::EventType,
        "event.time" => Field::EventTime,
        "event.time_s" => Field::EventTimeSeconds,
        "event.subject" => Field::EventSubject,
        "event.sequence" => Field::EventSequence,
        "event.data" => Field::EventData,
        "workspace.id" => Field::WorkspaceId,
        "workspace.number" => Field::WorkspaceNumber,
        "webhook.id" => Field::WebhookId,
        "delivery.id" => Field::DeliveryId,
        "attempt.unix_s" => Field::AttemptUnixSeconds,
        "body" => Field::Body,
        "signature" => Field::Signature,
        _ => return Err(TemplateError::Unknown(name.to_owned())),
    })
}

/// A JSON string literal (RFC 8259 section 7): quotes, backslashes and control characters escaped.
pub fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::{EventContent, Sequence};
    use crate::id::{EventId, WorkspaceId};
    use bytes::Bytes;

    pub(crate) fn event() -> Event {
        Event {
            id: EventId::from_raw(1),
            workspace: WorkspaceId::from_raw(1),
            sequence: Sequence(42),
            content: EventContent {
                producer_id: Some("order-1".to_owned()),
                event_type: "order.paid".to_owned(),
                subject: Some("a\"b".to_owned()),
                time: Timestamp::from_ms(1_777_975_606_150),
                attributes: vec![("jobId".to_owned(), "\"j1\"".to_owned())],
                data: Bytes::from_static(b"{ \"n\": 1.0 }"),
                ordering_key: None,
            },
            targets: Vec::new(),
            accepted_at: Timestamp::from_ms(5),
            payload_removed_at: None,
        }
    }

    pub(crate) fn scope(event: &Event) -> Scope<'_> {
        let attempt_at = Timestamp::from_ms(1_614_265_330_999);
        Scope {
            event,
            workspace: "w",
            webhook: "h",
            delivery: "d",
            attempt_at,
            body: b"BODY",
            signature: "SIG",
        }
    }

    fn render(template: Result<Template, TemplateError>, event: &Event) -> String {
        template.expect("a good template").render_text(scope(event))
    }

    #[test]
    fn json_placeholders_become_values() {
        let text = "{\"i\":${event.id},\"s\":${event.subject},\"j\":${event.attribute.jobId},\"x\":${event.attribute.no},\
                    \"q\":${event.sequence},\"t\":${event.time},\"w\":[${workspace.id},${webhook.id},${delivery.id}],\
                    \"d\":${event.data}}";
        let expected = "{\"i\":\"order-1\",\"s\":\"a\\\"b\",\"j\":\"j1\",\"x\":null,\"q\":42,\
                        \"t\":\"2026-05-05T10:06:46.150Z\",\"w\":[\"w\",\"h\",\"d\"],\"d\":{ \"n\": 1.0 }}";
        assert_eq!(render(Template::json(text), &event()), expected);
        let mut anonymous = event();
        anonymous.content.subject = None;
        anonymous.content.producer_id = None;
        let expected = format!("null \"{}\"", anonymous.id.to_public());
        assert_eq!(render(Template::json("${event.subject} ${event.id}"), &anonymous), expected);
    }

    #[test]
    fn numbers_and_whole_seconds_are_values_of_their_own() {
        let event = event();
        let said =
            |template: &Template, workspace| template.render_text(Scope { workspace, ..scope(&event) });
        let text = "{\"tenant\":${workspace.number},\"created\":${event.time_s}}";
        let template = Template::json(text).expect("a good template");
        let created = "\"created\":\"2026-05-05T10:06:46Z\"}";
        assert_eq!(said(&template, "1743"), format!("{{\"tenant\":1743,{created}"));
        for other in ["w", "01743", "9007199254740992"] {
            assert_eq!(
                said(&template, other),
                format!("{{\"tenant\":\"{other}\",{created}"),
                "it stays JSON"
            );
        }
        let template = Template::text("${workspace.number} ${event.time_s}").expect("a good template");
        assert_eq!(said(&template, "1743"), "1743 2026-05-05T10:06:46Z");
        assert!(template.needs_workspace_number() && !template.needs_signature());
        let template = Template::text("v1,${signature}${workspace.id}").expect("a good template");
        assert!(!template.needs_workspace_number() && template.needs_signature());
    }

    #[test]
    fn text_placeholders_become_bare_text() {
        let text = "t=${attempt.unix_s},v1=${signature} ${event.type}.${body}$";
        assert_eq!(render(Template::text(text), &event()), "t=1614265330,v1=SIG order.paid.BODY$");
    }

    #[test]
    fn a_template_is_told_as_it_was_written() {
        for text in [
            "",
            "t=${attempt.unix_s},v1=${signature} ${event.attribute.jobId}.${body}$",
            "${event.id}${event.type}${event.time}${event.time_s}${event.subject}${event.sequence}${event.data}",
            "${workspace.id}${workspace.number}${webhook.id}${delivery.id}",
        ] {
            let template = Template::text(text).expect("a good template");
            let told = template.pieces().map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Placeholder(name) => format!("${{{name}}}"),
            });
            assert_eq!(told.collect::<String>(), text);
        }
    }

    #[test]
    fn bad_templates_are_refused_when_parsed() {
        assert_eq!(Template::text("a ${event.id"), Err(TemplateError::Unclosed));
        assert_eq!(Template::text("${event.nope}"), Err(TemplateError::Unknown("event.nope".to_owned())));
        assert_eq!(Template::json("${body}"), Err(TemplateError::NotJson("body".to_owned())));
        for touching in ["${event.id}6", "-${event.id}", "\"${event.id}\"", "[${webhook.id}${event.id}]"] {
            assert!(matches!(Template::json(touching), Err(TemplateError::NotAlone(_))), "{touching}");
            assert!(Template::text(touching).is_ok(), "{touching}");
        }
    }

    #[test]
    fn json_strings_escape_what_must_be() {
        assert_eq!(json_string("a\"\\\n\u{1}é🧀"), "\"a\\\"\\\\\\u000a\\u0001é🧀\"");
    }
}
