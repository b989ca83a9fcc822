//! What every page has around it, and the headers that let a browser do nothing else.

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};
use signalpost_core::error::{Error, ErrorCode};

use super::assets::{ICON, SCRIPT, STYLE};
use super::house::House;
use crate::trouble;
use crate::visit::Visit;

/// A place on the way from the start to a page.
pub(crate) struct Crumb {
    pub(crate) to: String,
    pub(crate) text: String,
}

pub(crate) fn crumb(to: impl Into<String>, text: impl Into<String>) -> Crumb {
    Crumb { to: to.into(), text: text.into() }
}

/// A page for somebody who is signed in.
pub(crate) fn page(visit: &Visit, title: &str, crumbs: &[Crumb], content: &Markup) -> Response {
    page_with(StatusCode::OK, visit, title, crumbs, content)
}

/// What cannot be shown, or was not done.
pub(crate) fn refusal(visit: &Visit, error: &Error) -> Response {
    let title = match error.code {
        ErrorCode::NotFound => "Not found",
        ErrorCode::Forbidden => "Not allowed",
        ErrorCode::Unavailable | ErrorCode::RateLimited => "Not now",
        ErrorCode::Internal => "A fault of ours",
        ErrorCode::MethodNotAllowed => "Not so",
        _ => "That did not work",
    };
    let content = html! {
        h1 { (title) }
        (trouble::words(error))
        p { a href=(visit.paths.start()) { "To the overview" } }
    };
    page_with(trouble::status(error.code), visit, title, &[], &content)
}

/// A page that says what was wrong with a form, for example.
pub(crate) fn page_with(
    status: StatusCode,
    visit: &Visit,
    title: &str,
    crumbs: &[Crumb],
    content: &Markup,
) -> Response {
    let house = &visit.desk.house;
    let places = places(visit);
    // For the script. Other pages are the same whenever they are asked for: what is not there looks like what is not theirs.
    let made_at = content.0.contains("<time ").then(|| visit.now.to_rfc3339_ms());
    let body = html! {
        a.skip href="#content" { "Skip to the content" }
        header.top {
            a.brand href=(visit.paths.start()) { (house.brand()) }
            nav aria-label="Main" {
                @for (to, text) in &places {
                    a href=(to) aria-current=[current(to, &places, visit)] { (text) }
                }
            }
            (find(visit))
            form.who method="post" action=(visit.paths.page("sign-out")) {
                (proof(visit))
                span title=(visit.who.role()) { (visit.who.name()) " · " (visit.who.role()) }
                button.quiet { "Sign out" }
            }
        }
        main #content data-now=[made_at] {
            @if !crumbs.is_empty() {
                nav.crumbs aria-label="Where you are" {
                    ol { @for crumb in crumbs { li { a href=(crumb.to) { (crumb.text) } } } }
                }
            }
            (content)
        }
        (foot())
    };
    document(house, status, title, &body)
}

/// Switches and help, which need the script.
fn foot() -> Markup {
    let keys = [
        ("/", "to the search"),
        ("j k", "down and up through the rows"),
        ("o", "opens a row"),
        ("r", "to the button that sends a delivery again"),
        ("?", "this"),
    ];
    html! {
        footer.foot {
            button.quiet type="button" data-switch="theme" hidden { "Theme" }
            button.quiet type="button" data-switch="clock" hidden { "Times" }
            button.quiet type="button" data-switch="keys" hidden { "Keys" }
        }
        dialog.keys aria-label="Keys" {
            dl { @for (key, does) in keys { div { dt { kbd { (key) } } dd { (does) } } } }
            p { "The switch at the foot of a page turns them off." }
            form method="dialog" { button.quiet { "Close" } }
        }
    }
}

/// The navigation: at most seven words.
fn places(visit: &Visit) -> Vec<(String, &'static str)> {
    if let Some(workspace) = visit.who.at_portal_of() {
        return vec![
            (visit.paths.workspace(workspace), "Webhooks"),
            (visit.paths.events(workspace), "Events"),
            (visit.paths.deliveries(workspace), "Deliveries"),
            (visit.paths.replays(workspace), "Replays"),
            (visit.paths.catalogue(), "Catalogue"),
        ];
    }
    let mut places =
        vec![(visit.paths.start().to_owned(), "Overview"), (visit.paths.workspaces(), "Workspaces")];
    if visit.must_administer_all().is_ok() {
        let own = [("keys", "Keys"), ("operators", "Operators"), ("audit", "Audit")];
        places.extend(own.map(|(page, word)| (visit.paths.page(page), word)));
    }
    places.push(("/docs".to_owned(), "API"));
    places
}

/// For `aria-current`: the page itself, or the place that it lies below. Everything lies below the start, so that says nothing.
fn current(to: &str, places: &[(String, &str)], visit: &Visit) -> Option<&'static str> {
    let here = visit.here.split('?').next().unwrap_or_default();
    let is_below = |place: &str| {
        place != visit.paths.start() && here.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
    };
    let leading =
        places.iter().map(|(place, _)| place.as_str()).filter(|place| here == *place || is_below(place));
    let nearest = leading.max_by_key(|place| place.len());
    (nearest == Some(to)).then_some(if here == to { "page" } else { "true" })
}

fn find(visit: &Visit) -> Markup {
    let portal = visit.who.at_portal_of();
    let what = portal.map_or("Id of anything, or a workspace", |_| "Id of a webhook, an event or a delivery");
    html! {
        form.find action=(visit.paths.page("find")) role="search" {
            @if let Some(workspace) = portal { input type="hidden" name="workspace" value=(workspace); }
            input type="search" name="q" placeholder=(what) aria-label="Find" autocomplete="off" spellcheck="false";
        }
    }
}

/// A page for nobody in particular: to sign in at, or where the session could not be looked up.
pub(crate) fn apart(house: &House, title: &str, status: StatusCode, content: &Markup) -> Response {
    let body = html! {
        main.apart #content {
            p.brand { (house.brand()) }
            h1 { (title) }
            (content)
        }
    };
    document(house, status, title, &body)
}

/// What a form proves that it is ours by.
pub(crate) fn proof(visit: &Visit) -> Markup {
    html! { input type="hidden" name="proof" value=(visit.proof); }
}

fn document(house: &House, status: StatusCode, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (house.name) }
                link rel="icon" href=(ICON.path(house.door)) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.path(house.door));
                @if let Some(colours) = &house.colours { link rel="stylesheet" href=(colours.path(house.door)); }
                script src=(SCRIPT.path(house.door)) {}
            }
            body { (body) }
        }
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, house.policy.clone()),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, page.into_string()).into_response()
}
