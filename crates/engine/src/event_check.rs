//! Holding events to the rules of their dialect, before anything is stored.

use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::event::{EventContent, check_ordering_key};
use signalpost_core::profile::Profile;

use crate::ingest::NewEvent;

/// `Invalid` with every rule that these events break. Fields are prefixed with the event's position when there are
/// several.
pub(crate) fn check_all(profile: &Profile, events: &[NewEvent]) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    for (position, event) in events.iter().enumerate() {
        let prefix = if events.len() == 1 { String::new() } else { format!("{position}/") };
        check(profile, &event.content, &mut Noted { prefix, errors: &mut errors });
    }
    errors.into_result()
}

/// Broken rules of one event.
struct Noted<'a> {
    prefix: String,
    errors: &'a mut FieldErrors,
}

impl Noted<'_> {
    fn take(&mut self, field: &str, checked: Result<(), String>) {
        if let Err(problem) = checked {
            self.errors.push(format!("{}{field}", self.prefix), problem);
        }
    }
}

fn check(profile: &Profile, content: &EventContent, noted: &mut Noted<'_>) {
    noted.take("type", profile.check_type(&content.event_type));
    noted.take("subject", profile.check_subject(content.subject.as_deref()));
    noted.take("ordering_key", content.ordering_key.as_deref().map_or(Ok(()), check_ordering_key));
    noted.take("id", profile.check_producer_id(content.producer_id.as_deref()));
    check_attributes(profile, content, noted);
    let broken = profile.data_rule(&content.event_type).map(|rule| rule.broken_by(&content.data));
    broken.into_iter().flatten().for_each(|error| noted.take(&error.field, Err(error.message)));
}

fn check_attributes(profile: &Profile, content: &EventContent, noted: &mut Noted<'_>) {
    for rule in &profile.attributes {
        let given = content.attributes.iter().find(|(name, _)| *name == rule.name);
        noted.take(&rule.name, rule.check(given.map(|(_, json)| json.as_str())));
    }
    for (name, _) in &content.attributes {
        if !profile.attributes.iter().any(|rule| rule.name == *name) {
            noted.take(name, Err("is not an attribute of events in this dialect".to_owned()));
        }
    }
}
