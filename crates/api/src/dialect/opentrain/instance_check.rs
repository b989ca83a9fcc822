//! Whether the values of an instance can work. Each error is a sentence that begins with the field's name.

use signalpost_core::limits::PAGE_ROWS_MAX;

use super::Instance;
use crate::dialect::brand::{check_events, check_prefix, in_range, without_repetition};

/// Words of the surface: longer ones are a mistake.
const WORD_CHARS_MAX: usize = 64;

pub(super) fn check(instance: &Instance) -> Result<(), String> {
    check_words(instance)?;
    check_scopes(instance)?;
    check_catalogue(instance)?;
    check_sizes(instance)
}

fn check_words(instance: &Instance) -> Result<(), String> {
    let is_member = |byte: u8| byte.is_ascii_alphanumeric();
    let is_segment = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    word("collection", &instance.collection, is_segment)?;
    word("object", &instance.object, is_member)?;
    word("objects", &instance.objects, is_member)?;
    word("id_name", &instance.id_name, is_member)?;
    word("feature", &instance.feature, is_segment)?;
    if ["updates", "job-drafts"].contains(&instance.collection.as_str()) {
        return Err("collection: is a path of its own already".to_owned());
    }
    for (field, prefix) in [
        ("workspace_id_prefix", &instance.workspace_id_prefix),
        ("webhook_id_prefix", &instance.webhook_id_prefix),
        ("token_prefix", &instance.token_prefix),
    ] {
        check_prefix(field, prefix)?;
    }
    let calls: Vec<String> = instance.calls.iter().map(|call| format!("{call:?}")).collect();
    without_repetition("calls", &texts(&calls))
}

fn check_scopes(instance: &Instance) -> Result<(), String> {
    let is_scope = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    instance.scopes.iter().try_for_each(|scope| word("scopes", scope, is_scope))?;
    without_repetition("scopes", &texts(&instance.scopes))?;
    let manage = &instance.manage_scope;
    if instance.scopes.contains(manage) {
        return Ok(());
    }
    Err(format!("manage_scope: `{manage}` is not among the scopes"))
}

fn check_catalogue(instance: &Instance) -> Result<(), String> {
    let events = &instance.events;
    check_events(&events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>())?;
    let farewell = &instance.farewell;
    if !farewell.is_empty() && !events.iter().any(|event| event.name == *farewell) {
        return Err(format!("farewell: `{farewell}` is not among the events; an empty text stands for none"));
    }
    for event in events {
        let name = &event.name;
        if let Some(scope) = event.scope.as_ref().filter(|scope| !instance.scopes.contains(scope)) {
            return Err(format!("events: `{name}` takes `{scope}`, which is not among the scopes"));
        }
        event.data.iter().try_for_each(|member| word("events", member, |byte| byte.is_ascii_graphic()))?;
    }
    Ok(())
}

fn check_sizes(instance: &Instance) -> Result<(), String> {
    // All of them are shown at once.
    in_range("webhooks_max", instance.webhooks_max, PAGE_ROWS_MAX)?;
    in_range("feed_rows_max", instance.feed_rows_max, PAGE_ROWS_MAX)?;
    if !(1..=instance.feed_rows_max).contains(&instance.feed_rows_default) {
        let max = instance.feed_rows_max;
        return Err(format!("feed_rows_default: must be from 1 to feed_rows_max, {max}"));
    }
    Ok(())
}

fn word(field: &str, word: &str, is_permitted: impl Fn(u8) -> bool) -> Result<(), String> {
    if (1..=WORD_CHARS_MAX).contains(&word.len()) && word.bytes().all(is_permitted) {
        return Ok(());
    }
    Err(format!("{field}: `{word}` is not a word that can stand there"))
}

fn texts(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::opentrain::catalogue;

    #[track_caller]
    fn refused(change: impl Fn(&mut Instance), field: &str) {
        for mut instance in [Instance::public(), Instance::partner()] {
            assert!(instance.profile().is_ok(), "the vendor's own values are good");
            change(&mut instance);
            let problem = instance.profile().expect_err("must be refused");
            assert!(problem.starts_with(&format!("{field}: ")), "{problem}");
        }
    }

    #[test]
    fn overrides_that_cannot_work_are_refused() {
        refused(|instance| instance.events = Vec::new(), "events");
        refused(|instance| instance.farewell = "nobody.left".to_owned(), "farewell");
        refused(|instance| instance.events[0].name = "a b".to_owned(), "events");
        refused(|instance| instance.events.push(instance.events[0].clone()), "events");
        refused(|instance| instance.events[0].scope = Some("nobody:read".to_owned()), "events");
        refused(|instance| instance.events[0].data = vec![String::new()], "events");
        refused(|instance| instance.scopes.push("a b".to_owned()), "scopes");
        refused(|instance| instance.scopes.push(instance.scopes[0].clone()), "scopes");
        refused(|instance| instance.manage_scope = "nobody".to_owned(), "manage_scope");
        refused(|instance| instance.header_prefix = "X Acme".to_owned(), "header_prefix");
        refused(|instance| instance.header_prefix = String::new(), "header_prefix");
        refused(|instance| instance.user_agent = "${nope}".to_owned(), "user_agent");
        refused(|instance| instance.user_agent = "a\nb".to_owned(), "user_agent");
        refused(|instance| instance.collection = "a/b".to_owned(), "collection");
        refused(|instance| instance.collection = "updates".to_owned(), "collection");
        refused(|instance| instance.object = "web hook".to_owned(), "object");
        refused(|instance| instance.id_name = "{id}".to_owned(), "id_name");
        refused(|instance| instance.feature = String::new(), "feature");
        refused(|instance| instance.calls.push(instance.calls[0]), "calls");
        refused(|instance| instance.token_prefix = "a/b".to_owned(), "token_prefix");
        refused(|instance| instance.webhooks_max = 0, "webhooks_max");
        refused(|instance| instance.webhooks_max = 251, "webhooks_max");
        refused(|instance| instance.feed_rows_max = 251, "feed_rows_max");
        refused(|instance| instance.feed_rows_default = 101, "feed_rows_default");
        refused(|instance| instance.disable_after_failures = 0, "disable_after_failures");
        refused(|instance| instance.timeout_ms = 1, "timeout_ms");
        refused(|instance| instance.retry_schedule_s = vec![u64::MAX], "retry_schedule_s");
    }

    #[test]
    fn a_public_event_type_has_its_scope_among_those_of_tokens() {
        let scopes = Instance::public().scopes;
        for event_type in catalogue::public() {
            assert!(event_type.scope.is_some_and(|scope| scopes.contains(&scope)), "{}", event_type.name);
            assert!(!event_type.data.is_empty());
        }
    }
}
