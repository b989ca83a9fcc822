//! The page of an attempt.

use maud::html;

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
        p.state { (pill::of_outcome(&attempt.outcome)) " Sent " (moment(attempt.at, visit.now)) "." }
        h2 { "Body " small { (bytes(sent.body.len() as u64)) } }
        (json::body(&sent.body, "The body as it was sent"))
        p { a href={ (own) "/body" } { "Save it byte for byte" } }
        h2 { "Send it from elsewhere" }
        @match &command {
            Some(command) => {
                pre.body tabindex="0" aria-label="A command that sends it" { code { (command) } }
                p { (copy(command, "Copy the command")) " " span.muted { "Headers that are masked here are yours to fill in. Receivers may refuse an old timestamp." } }
            }
            None => p.muted { "Save the body, and send it with curl --data-binary @body.json: it is too large for a command, no text, or the webhook is deleted." },
        }
        h2 { "Signature" }
        @match &sent.signature {
            Some(steps) => (signature::steps(steps)),
            None => p.muted { "The webhook has no secret now that could sign." },
        }
    };
    let view = &found.view;
    let mut crumbs = visit.paths.to_webhook(view, &found.record.summary.webhook);
    crumbs.push(crumb(visit.paths.delivery(&delivery), found.record.summary.event_type.clone()));
    Ok(page(&visit, "Request", &crumbs, &content))
}
