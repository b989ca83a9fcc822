//! Reading the bodies that describe a webhook.

use signalpost_core::limits::WEBHOOK_EVENTS_MAX;
use signalpost_core::target_url::TargetUrl;
use signalpost_engine::webhooks::Activity;

use super::details::Details;
use super::{Surface, wire};
use crate::kit::fields::{Fields, Member, without_repetitions};
use crate::kit::json::{Object, shown};
use crate::kit::refusal::Refusal;

/// A body being read, and what was wrong with it so far.
pub(super) struct Reader<'a> {
    fields: Fields<'a>,
    surface: &'a Surface,
    /// Event types in it that are not in the catalogue.
    unknown_types: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8], surface: &'a Surface) -> Result<Self, Refusal> {
        Ok(Self { fields: Fields::new(Object::parse(body)?), surface, unknown_types: Vec::new() })
    }

    /// `https` to any host; plain `http` to this machine, and to addresses that the operator has opened.
    pub(super) fn url(&mut self) -> Member<TargetUrl> {
        let parsed = match self.fields.text(wire::URL) {
            Member::Value(text) => TargetUrl::parse(&text),
            Member::Absent => return Member::Absent,
            Member::Null => return Member::Null,
            Member::Broken => return Member::Broken,
        };
        let checked = parsed.and_then(|url| url.check_secure(&self.surface.opened).map(|()| url));
        self.fields.check(wire::URL, checked).map_or(Member::Broken, Member::Value)
    }

    /// A set: what is given twice stands there once, where it stood first.
    pub(super) fn event_types(&mut self) -> Member<Vec<String>> {
        let types = match self.fields.texts(wire::EVENT_TYPES, WEBHOOK_EVENTS_MAX) {
            Member::Value(types) => without_repetitions(types),
            other => return other,
        };
        let catalogue = &self.surface.instance.events;
        let is_unknown = |name: &&String| !catalogue.iter().any(|known| known.name == **name);
        self.unknown_types = types.iter().filter(is_unknown).map(|name| shown(name)).collect();
        let checked = if types.is_empty() {
            Err("must hold at least one event type".to_owned())
        } else if self.unknown_types.is_empty() {
            Ok(types)
        } else {
            Err(format!("holds unknown event types: {}", self.unknown_types.join(", ")))
        };
        self.fields.check(wire::EVENT_TYPES, checked).map_or(Member::Broken, Member::Value)
    }

    pub(super) fn status(&mut self) -> Member<Activity> {
        let checked = match self.fields.text(wire::STATUS) {
            Member::Value(text) => match text.as_str() {
                wire::ACTIVE => Ok(Activity::Active),
                wire::DISABLED => Ok(Activity::Paused),
                _ => Err(format!("must be {} or {}", wire::ACTIVE, wire::DISABLED)),
            },
            Member::Absent => return Member::Absent,
            Member::Null => return Member::Null,
            Member::Broken => return Member::Broken,
        };
        self.fields.check(wire::STATUS, checked).map_or(Member::Broken, Member::Value)
    }

    /// The value of a field that must be there.
    pub(super) fn required<T>(&mut self, name: &str, member: Member<T>) -> Option<T> {
        self.fields.required(name, member, "must not be null")
    }

    /// The value of a field that may be left out, and cannot be null.
    pub(super) fn unless_absent<T>(&mut self, name: &str, member: Member<T>) -> Option<T> {
        self.fields.unless_absent(name, member)
    }

    pub(super) fn text(&mut self, name: &str) -> Member<String> {
        self.fields.text(name)
    }

    /// `Invalid` with everything that was wrong, fields included that nobody asked for.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        self.fields.refuse_rest("is not accepted here");
        let Err(error) = self.fields.finish() else { return Ok(()) };
        let about_types = error.fields.first().is_some_and(|first| first.field == wire::EVENT_TYPES);
        if !about_types || self.unknown_types.is_empty() || error.fields.len() > 1 {
            return Err(error.into());
        }
        let supported = self.surface.instance.events.iter().map(|known| known.name.clone()).collect();
        Err(Refusal::with(error, Details::UnknownTypes { unknown: self.unknown_types, supported }))
    }
}
