//! The last event of a closed workspace: it reaches each webhook that wanted it, says what it must, and nobody else gets it.

use super::Evidence;
use crate::facts::{Life, Wanted, WebhookFacts, WorkspaceFacts};
use crate::filters::{FILTERS, Says};
use crate::ground::Moment;
use crate::network::{OWN_HEADER, Sent, WEBHOOK_HEADER};
use crate::profiles::FAREWELL;

/// Whether a request is one of it, by its body.
pub(super) fn is_one(sent: &Sent) -> bool {
    sent.body.starts_with(format!("{{\"type\":\"{FAREWELL}\"").as_bytes())
}

/// The webhook wanted it, at this URL, when its workspace was closed.
pub(super) fn check_place(evidence: &Evidence<'_>, webhook: &WebhookFacts, sent: &Sent) -> Option<String> {
    let workspace = &evidence.facts.workspaces[webhook.workspace];
    let wanted = before_the_end(webhook, workspace);
    let fits = wanted.is_some_and(|(wanted, called)| {
        let token = wanted.token.as_deref().unwrap_or_default();
        called <= sent.at && wants(wanted) && wanted.url == sent.url && sent.header(OWN_HEADER) == token
    });
    (!fits).then(|| format!("the last event went to a webhook that was {wanted:?}"))
}

pub(super) fn check_content(evidence: &Evidence<'_>, sent: &Sent) -> Option<String> {
    let body = String::from_utf8_lossy(&sent.body);
    let webhook = evidence.webhooks.get(sent.header(WEBHOOK_HEADER))?;
    let workspace = &evidence.facts.workspaces[webhook.workspace].public_id;
    let head = format!("{{\"type\":\"{FAREWELL}\",\"subject\":null,\"sequence\":");
    let tail = format!(",\"data\":{{\"closed\":\"{workspace}\"}}}}");
    (!body.starts_with(&head) || !body.ends_with(&tail))
        .then(|| format!("a last event of another form: {body}"))
}

/// Each webhook that certainly wanted it was sent to, whatever became of processes meanwhile.
pub(super) fn check_sent(evidence: &Evidence<'_>, webhook: &WebhookFacts) -> Option<String> {
    let workspace = &evidence.facts.workspaces[webhook.workspace];
    let (wanted, closed) = before_the_end(webhook, workspace)?;
    let ended = webhook.changes.last().and_then(|change| change.done)?;
    if !wants(wanted) || evidence.may_be_off(webhook, closed, ended) {
        return None;
    }
    let sent = evidence.by_webhook.get(webhook.public_id.as_str()).map_or(&[][..], Vec::as_slice);
    let last: Vec<_> = sent.iter().filter(|sent| is_one(sent)).collect();
    last.is_empty().then(|| format!("webhook {} never got the last event", webhook.public_id))
}

/// What its owner had made of a webhook when its workspace was closed, and when that was asked for. `None` when it was
/// not, or ended silently.
fn before_the_end<'a>(webhook: &'a WebhookFacts, workspace: &WorkspaceFacts) -> Option<(&'a Wanted, Moment)> {
    let closed = workspace.erased.filter(|_| workspace.style.says_farewell)?;
    let place = webhook.changes.iter().position(|change| change.called == closed)?;
    let before = webhook.changes[..place].last()?;
    Some((&before.wanted, closed))
}

fn wants(wanted: &Wanted) -> bool {
    let admitted = wanted.filter.is_none_or(|place| FILTERS[place].says_of_bare(FAREWELL) == Says::Admits);
    wanted.life == Life::Active && wanted.subject.is_none() && wanted.selects(FAREWELL) && admitted
}
