//! Whether the values of an instance can work. Each error is a sentence that begins with the field's name.

use signalpost_core::limits::{
    EVENT_TYPE_CHARS_MAX, FILTER_CHARS_MAX, UNPAGED_WEBHOOKS_MAX, URL_CHARS_MAX, WEBHOOK_PASSWORD_CHARS_MAX,
    WEBHOOK_USER_CHARS_MAX,
};

use super::profile::{self, Instance};
use super::read::check_version;
use crate::dialect::brand::{check_events, in_range};

/// A session that lives longer than a year is none.
const SESSION_HOURS_MAX: usize = 366 * 24;

pub(super) fn check(instance: &Instance) -> Result<(), String> {
    check_sizes(instance)?;
    check_catalogue(instance)?;
    check_version(&instance.payload_version).map_err(|problem| format!("payload_version: {problem}"))?;
    // Another header of ours would carry both.
    let taken = [profile::USER_HEADER_LEGACY, profile::KEY_HEADER_LEGACY];
    let own = [profile::USER_HEADER, profile::KEY_HEADER, profile::SIGNATURE_HEADER];
    if own.iter().any(|end| taken.contains(&instance.header(end).to_ascii_lowercase().as_str())) {
        return Err("header_prefix: makes the name of another header".to_owned());
    }
    Ok(())
}

fn check_sizes(instance: &Instance) -> Result<(), String> {
    in_range("event_name_chars_max", instance.event_name_chars_max, EVENT_TYPE_CHARS_MAX)?;
    in_range("url_chars_max", instance.url_chars_max, URL_CHARS_MAX)?;
    in_range("filter_chars_max", instance.filter_chars_max, FILTER_CHARS_MAX)?;
    in_range("identifier_key_chars_max", instance.identifier_key_chars_max, WEBHOOK_USER_CHARS_MAX)?;
    in_range(
        "identifier_secret_chars_max",
        instance.identifier_secret_chars_max,
        WEBHOOK_PASSWORD_CHARS_MAX,
    )?;
    in_range("session_hours", instance.session_hours as usize, SESSION_HOURS_MAX)?;
    instance.webhooks_max.map_or(Ok(()), |max| in_range("webhooks_max", max, UNPAGED_WEBHOOKS_MAX))?;
    Ok(())
}

fn check_catalogue(instance: &Instance) -> Result<(), String> {
    let names: Vec<&str> = instance.events.iter().map(|event| event.name.as_str()).collect();
    check_events(&names)?;
    match names.iter().find(|name| name.chars().count() > instance.event_name_chars_max) {
        Some(name) => Err(format!("events: `{name}` is longer than event_name_chars_max")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(change: impl Fn(&mut Instance), field: &str) {
        let mut instance = Instance::default();
        assert!(instance.profile().is_ok(), "the vendor's own values are good");
        change(&mut instance);
        let problem = instance.profile().expect_err("must be refused");
        assert!(problem.starts_with(&format!("{field}: ")), "{problem}");
    }

    #[test]
    fn overrides_that_cannot_work_are_refused() {
        refused(|instance| instance.events = Vec::new(), "events");
        refused(|instance| instance.events[0].name = "a b".to_owned(), "events");
        refused(|instance| instance.events[0].name = "a".repeat(129), "events");
        refused(|instance| instance.events.push(instance.events[0].clone()), "events");
        refused(|instance| instance.header_prefix = "X Acme".to_owned(), "header_prefix");
        refused(|instance| instance.header_prefix = String::new(), "header_prefix");
        refused(|instance| instance.user_agent = "${nope}".to_owned(), "user_agent");
        refused(|instance| instance.user_agent = "a\nb".to_owned(), "user_agent");
        refused(|instance| instance.payload_version = "latest".to_owned(), "payload_version");
        refused(|instance| instance.event_name_chars_max = 0, "event_name_chars_max");
        refused(|instance| instance.url_chars_max = 2_049, "url_chars_max");
        refused(|instance| instance.filter_chars_max = 2_049, "filter_chars_max");
        refused(|instance| instance.identifier_key_chars_max = 129, "identifier_key_chars_max");
        refused(|instance| instance.identifier_secret_chars_max = 257, "identifier_secret_chars_max");
        refused(|instance| instance.webhooks_max = Some(0), "webhooks_max");
        refused(|instance| instance.webhooks_max = Some(25_001), "webhooks_max");
        refused(|instance| instance.session_hours = 0, "session_hours");
        refused(|instance| instance.session_hours = 10_000, "session_hours");
        refused(|instance| instance.disable_after_failures = Some(0), "disable_after_failures");
        refused(|instance| instance.timeout_ms = 1, "timeout_ms");
        refused(|instance| instance.retry_schedule_s = vec![u64::MAX], "retry_schedule_s");
    }

    /// A list without pages must end.
    #[test]
    fn the_webhooks_of_a_chain_have_a_bound_whatever_is_set() {
        let bound = |webhooks_max| {
            let instance = Instance { webhooks_max, ..Instance::default() };
            instance.profile().expect("the number is good").webhooks_max
        };
        assert_eq!((bound(None), bound(Some(7))), (Some(UNPAGED_WEBHOOKS_MAX), Some(7)));
    }

    #[test]
    fn codes_and_names_of_faults_are_their_own() {
        for (position, fault) in profile::FAULTS.iter().enumerate() {
            let same = |other: &profile::Fault| other.code == fault.code || other.name == fault.name;
            assert!(!profile::FAULTS[..position].iter().any(same), "{fault:?}");
        }
    }
}
