//! Addresses of pages, and the way from the start to each.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use signalpost_engine::View;

use crate::door::Door;
use crate::look::frame::{Crumb, crumb};

/// What stands in a path or a query as it is (RFC 3986, unreserved).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The addresses of the pages behind one door.
#[derive(Clone, Copy)]
pub(crate) struct Paths {
    door: Door,
    base: &'static str,
}

impl Paths {
    pub(crate) const fn behind(door: Door) -> Self {
        Self { door, base: door.path() }
    }

    /// The start.
    pub(crate) const fn start(self) -> &'static str {
        self.base
    }

    /// A page that is no object's, by its name.
    pub(crate) fn page(self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    pub(crate) fn workspaces(self) -> String {
        self.page("workspaces")
    }

    pub(crate) fn workspace(self, workspace: &str) -> String {
        format!("{}/{}", self.workspaces(), encoded(workspace))
    }

    pub(crate) fn webhook(self, of: &str, webhook: &str) -> String {
        format!("{}/webhooks/{}", self.workspace(of), encoded(webhook))
    }

    pub(crate) fn new_webhook(self, of: &str) -> String {
        format!("{}/webhooks", self.workspace(of))
    }

    /// A page or a form about a webhook.
    pub(crate) fn webhook_act(self, of: &str, webhook: &str, act: &str) -> String {
        format!("{}/{act}", self.webhook(of, webhook))
    }

    pub(crate) fn replays(self, of: &str) -> String {
        format!("{}/replays", self.workspace(of))
    }

    pub(crate) fn replay(self, of: &str, replay: &str) -> String {
        format!("{}/{}", self.replays(of), encoded(replay))
    }

    pub(crate) fn events(self, of: &str) -> String {
        format!("{}/events", self.workspace(of))
    }

    pub(crate) fn event(self, of: &str, event: &str) -> String {
        format!("{}/{}", self.events(of), encoded(event))
    }

    pub(crate) fn deliveries(self, of: &str) -> String {
        format!("{}/deliveries", self.workspace(of))
    }

    pub(crate) fn delivery(self, delivery: &str) -> String {
        format!("{}/deliveries/{}", self.base, encoded(delivery))
    }

    pub(crate) fn attempt(self, delivery: &str, number: u32) -> String {
        format!("{}/attempts/{number}", self.delivery(delivery))
    }

    /// What shows events and how to receive them.
    pub(crate) fn catalogue(self) -> String {
        self.page("catalogue")
    }

    /// The way to a workspace. Customers know of their own alone.
    pub(crate) fn above_workspace(self) -> Vec<Crumb> {
        match self.door {
            Door::Operators => vec![crumb(self.workspaces(), "Workspaces")],
            Door::Customers => Vec::new(),
        }
    }

    /// The way to a page of a workspace.
    pub(crate) fn to_workspace(self, view: &View) -> Vec<Crumb> {
        let found = &view.workspace;
        let own = crumb(self.workspace(&found.public_id), found.name.clone());
        self.above_workspace().into_iter().chain([own]).collect()
    }

    /// The way to a page about a webhook.
    pub(crate) fn to_webhook(self, view: &View, webhook: &str) -> Vec<Crumb> {
        let mut way = self.to_workspace(view);
        way.push(crumb(self.webhook(&view.workspace.public_id, webhook), webhook));
        way
    }
}

/// An address with those of these parameters that have a value.
pub(crate) fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(format!("{name}={}", encoded(value)))
    });
    let given: Vec<String> = given.collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_address_cannot_leave_its_place() {
        assert_eq!(
            Paths::behind(Door::Operators).event("a/b", "x?y#z"),
            "/dash/workspaces/a%2Fb/events/x%3Fy%23z"
        );
        let query = with_query("/p", &[("a", None), ("b", Some("")), ("c", Some("1&d=2")), ("e", Some("ü"))]);
        assert_eq!(query, "/p?c=1%26d%3D2&e=%C3%BC");
        assert_eq!(with_query("/p", &[("a", None)]), "/p");
    }
}
