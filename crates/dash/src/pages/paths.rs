//! Addresses of pages, and the way from the start to each.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use signalpost_engine::View;

use crate::BASE_PATH;
use crate::look::frame::{Crumb, crumb};

/// What stands in a path or a query as it is (RFC 3986, unreserved).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

pub(super) fn workspaces() -> String {
    format!("{BASE_PATH}/workspaces")
}

pub(super) fn workspace(workspace: &str) -> String {
    format!("{}/{}", workspaces(), encoded(workspace))
}

pub(super) fn webhook(of: &str, webhook: &str) -> String {
    format!("{}/webhooks/{}", workspace(of), encoded(webhook))
}

pub(super) fn events(of: &str) -> String {
    format!("{}/events", workspace(of))
}

pub(super) fn event(of: &str, event: &str) -> String {
    format!("{}/{}", events(of), encoded(event))
}

pub(super) fn deliveries(of: &str) -> String {
    format!("{}/deliveries", workspace(of))
}

pub(super) fn delivery(delivery: &str) -> String {
    format!("{BASE_PATH}/deliveries/{}", encoded(delivery))
}

/// An address with those of these parameters that have a value.
pub(super) fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(format!("{name}={}", encoded(value)))
    });
    let given: Vec<String> = given.collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

/// The way to a page of a workspace.
pub(super) fn to_workspace(view: &View) -> Vec<Crumb> {
    let found = &view.workspace;
    vec![crumb(workspaces(), "Workspaces"), crumb(workspace(&found.public_id), found.name.clone())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_address_cannot_leave_its_place() {
        assert_eq!(event("a/b", "x?y#z"), "/dash/workspaces/a%2Fb/events/x%3Fy%23z");
        let query = with_query("/p", &[("a", None), ("b", Some("")), ("c", Some("1&d=2")), ("e", Some("ü"))]);
        assert_eq!(query, "/p?c=1%26d%3D2&e=%C3%BC");
        assert_eq!(with_query("/p", &[("a", None)]), "/p");
    }
}
