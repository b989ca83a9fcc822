//! An event that an owner has sent to one webhook, to see it arrive.

use bytes::Bytes;
use signalpost_core::error::Error;
use signalpost_core::event::{EventContent, Sequence};
use signalpost_core::event_rule::{AttributeForm, Presence};
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::idempotency::KeyedCall;
use signalpost_core::profile::Profile;
use signalpost_store::Done;
use signalpost_store::ledger::Accepted;

use crate::Engine;
use crate::event_check::check_all;
use crate::ingest::{NewEvent, Wanted};

#[derive(Clone, Debug)]
pub struct TestEvent {
    pub event_type: String,
    /// A complete JSON value.
    pub data: Bytes,
}

/// A test that is on disk and on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReceipt {
    /// Public id of the event.
    pub id: String,
    pub sequence: Sequence,
    /// Public id of the delivery.
    pub delivery: String,
}

impl Engine {
    /// Accepts an event for this webhook alone, whatever it selects and whatever its filter says. Everything else about it is as usual: it is
    /// stored, signed, retried and listed. Its subject is the one that the webhook is bound to, if any, and its attributes are those of
    /// [`example_attributes`].
    ///
    /// A call with a key is accepted once, and gets the first receipt again.
    ///
    /// `Invalid` for an event that the dialect does not permit, `Conflict` when the webhook is disabled.
    pub async fn send_test(
        &self,
        workspace: &str,
        public_id: &str,
        test: TestEvent,
        call: Option<KeyedCall>,
    ) -> Result<Done<TestReceipt, TestReceipt>, Error> {
        let view = self.directory.view(workspace).await?;
        let webhook = self.webhook(view.workspace.id, public_id).await?;
        let event = NewEvent {
            content: EventContent {
                producer_id: None,
                event_type: test.event_type,
                subject: webhook.subject,
                time: self.clock.now(),
                attributes: example_attributes(&view.profile),
                data: test.data,
                ordering_key: None,
            },
            given_time: None,
        };
        check_all(&view.profile, std::slice::from_ref(&event))?;
        let (_, done) = self.accept(view, Wanted::Test(&event, webhook.id), call).await?;
        match done {
            Done::Now(accepted) => receipt(&accepted, webhook.id).map(Done::Now),
            Done::Before(accepted) => receipt(&accepted, webhook.id).map(Done::Before),
        }
    }
}

/// The attributes that the dialect demands of every event, for one whose producer has nothing to say in them.
pub fn example_attributes(profile: &Profile) -> Vec<(String, String)> {
    let demanded = profile.attributes.iter().filter(|rule| rule.presence == Presence::Required);
    let value = |form| match form {
        AttributeForm::Text => "\"example\"",
        AttributeForm::TextOrNull => "null",
    };
    let mut attributes: Vec<(String, String)> =
        demanded.map(|rule| (rule.name.clone(), value(rule.form).to_owned())).collect();
    attributes.sort();
    attributes
}

fn receipt(accepted: &[Accepted], webhook: WebhookId) -> Result<TestReceipt, Error> {
    let accepted = accepted.first();
    let accepted = accepted.ok_or_else(|| Error::internal("the store answered nothing for an event"))?;
    let delivery = DeliveryId { event: accepted.id, webhook }.to_public();
    Ok(TestReceipt { id: accepted.id.to_public(), sequence: accepted.sequence, delivery })
}
