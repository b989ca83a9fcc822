//! The page of an attempt.

use maud::{Markup, html};
use signalpost_engine::sent::SentRequest;

use super::curl::curl;
use super::signature;
use crate::look::frame::{crumb, page};
use crate::look::id::copy;
use crate::look::numbers::bytes;
use crate::look::time::moment;
use crate::look::{json, pill};
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::Visit;

pub(crate) async fn show(visit: Visit, Path((delivery, number)): Path<(String, String)>) -> Page {
    let super::Found { delivery: found, attempt, sent } = super::find(&visit, &delivery, &number).await?;
    let command = sent.url.as_deref().and_then(|url| curl(url, &attempt.request_headers, &sent.body));
    let own = visit.paths.attempt(&delivery, attempt.number);
    let content = html! {
        h1 { "Request #" (attempt.number) }
        p.state {
            (pill::of_outcome(&attempt.outcome))
            @if attempt.request_headers.is_empty() { " Not sent " } @else { " Sent " }
            (moment(attempt.at, visit.now)) "."
        }
        (body(&sent, &own))
        h2 { "Send it from elsewhere" }
        @match &command {
            Some(command) => {
                pre.body tabindex="0" aria-label="A command that sends it" { code { (command) } }
                p { (copy(command, "Copy the command")) " " span.muted { "It goes to the URL that the webhook has now, with the headers of then. Those that are masked here are yours to fill in. Receivers may refuse an old timestamp." } }
            }
            None => p.muted { "Save the body, and send it with curl --data-binary @body.json: it is too large for a command, no text, or the webhook is deleted." },
        }
        h2 { "Signature" }
        (signature::steps(&sent.signature))
    };
    let view = &found.view;
    let mut crumbs = visit.paths.to_webhook(view, &found.record.summary.webhook);
    crumbs.push(crumb(visit.paths.delivery(&delivery), found.record.summary.event_type.clone()));
    Ok(page(&visit, "Request", &crumbs, &content))
}

/// What no signature vouches for is said to be made anew.
fn body(sent: &SentRequest, own: &str) -> Markup {
    let is_proven = sent.is_body_proven();
    let label = if is_proven { "The body as it was sent" } else { "The body as it is made now" };
    html! {
        h2 { "Body " small { (bytes(sent.body.len() as u64)) } }
        (json::body(&sent.body, label))
        @if is_proven { p.muted { "It is what was sent, byte for byte: the signature says so." } }
        @else { p.muted { "It is made anew from the event, as the webhook's dialect has it now; nothing here proves that the same was sent." } }
        p { a href={ (own) "/body" } { "Save it byte for byte" } }
    }
}
